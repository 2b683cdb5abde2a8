#!/usr/bin/env python3
"""Measures the compiler on generated programs. usage: compile_speed.py LUAPP [--runs N] [--only NAME]

Prints, for each program, the median user+system CPU seconds of `luapp check` and of `luapp build` beyond those of an empty
program, and lines a second. The programs: 30,000 assignments; 100,000 lines of ordinary functions; one function of 20,000
statements; one expression of 20,000 operands; the two again at double size, where the time should about double.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile


def assignments(n):
    lines = ["local a: number = 0", "local b: number = 1", "local s: string = \"\""]
    for i in range(n):
        lines.append((f"a = b + {i}", f"b = a * 2 - {i % 97}", f"s = \"text {i % 50}\"")[i % 3])
    return "\n".join([*lines, "print(a, b, s)"]) + "\n"


def ordinary(n):
    out = []
    i = 0
    while len(out) < n:
        out += [
            f"-- function {i} adds up what it is given",
            f"local function sum{i}(values: Array<number>, scale: number): number",
            "    local total: number = 0",
            "    local count = 0",
            "    for v in values do",
            "        if v > scale then",
            "            total += v * scale",
            "            count += 1",
            "        elseif v == 0 then",
            "            continue",
            "        else",
            f"            total -= v / (scale + {i % 13})",
            "        end",
            "    end",
            "    local name: string? = nil",
            f"    if count > {i % 7} then",
            f"        name = `sum {{count}} of {i}`",
            "    end",
            "    if name ~= nil then",
            "        print(name.upper(), total)",
            "    end",
            f"    return total + math.floor(scale) + {f'sum{i - 1}(values, scale)' if i else '0'}",
            "end",
            "",
        ]
        i += 1
    return "\n".join([*out, f"print(sum{i - 1}({{1, 2, 3}}, 2))"]) + "\n"


def long_function(n):
    lines = ["local function f(x: number, flag: boolean): number", "    local a: number = x", "    local b: number = 1"]
    for i in range(n):
        lines.append((f"    a = a + b * {i}", f"    if flag then b = b - {i % 31} end", "    b += a")[i % 3])
    return "\n".join([*lines, "    return a + b", "end", "print(f(1, true))"]) + "\n"


def long_expression(n):
    sum = " + ".join("x" if i % 2 else str(i) for i in range(n))
    return f"local function f(x: number): number\n    return {sum}\nend\nprint(f(1))\n"


def long_concat(n):
    text = " .. ".join("x" if i % 2 else f"\"{i}\"" for i in range(n))
    return f"local function f(x: string): string\n    return {text}\nend\nprint(#f(\"a\"))\n"


PROGRAMS = [
    ("30,000 assignments", assignments(30000)),
    ("100,000 lines", ordinary(100000)),
    ("function of 20,000 statements", long_function(20000)),
    ("function of 40,000 statements", long_function(40000)),
    ("expression of 20,000 operands", long_expression(20000)),
    ("expression of 40,000 operands", long_expression(40000)),
    ("concatenation of 20,000 operands", long_concat(20000)),
    ("concatenation of 40,000 operands", long_concat(40000)),
]


def cpu(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if p.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {p.returncode}\n{p.stderr[:2000]}")
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("luapp")
    ap.add_argument("--runs", type=int, default=5)
    ap.add_argument("--only", default="")
    a = ap.parse_args()
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "out.lbc")
        empty = os.path.join(d, "empty.luapp")
        open(empty, "w").close()
        base = statistics.median(cpu([a.luapp, "check", empty]) for _ in range(a.runs * 4))
        print(f"{'program':34} {'lines':>8} {'check ms':>9} {'lines/s':>11} {'build ms':>9}")
        for name, text in PROGRAMS:
            if a.only not in name:
                continue
            path = os.path.join(d, "p.luapp")
            with open(path, "w") as f:
                f.write(text)
            check = statistics.median(cpu([a.luapp, "check", path]) for _ in range(a.runs)) - base
            build = statistics.median(cpu([a.luapp, "build", path, "-o", out]) for _ in range(a.runs)) - base
            lines = text.count("\n")
            print(f"{name:34} {lines:8} {check * 1e3:9.1f} {lines / max(check, 1e-6):11,.0f} {build * 1e3:9.1f}")


if __name__ == "__main__":
    main()
