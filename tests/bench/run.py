#!/usr/bin/env python3
"""Runs the benchmarks of this folder with several engines and compares user CPU times.

    run.py [--luapp PATH [OPTION...]]... [--lenient] [--memory] [--only NAME,...] [--runs N]
           [--engines NAME,...] [--markdown | --json]
    run.py --startup [--runs N]

Every benchmark NAME exists twice: NAME.luapp, strict Lua++, and NAME.lua, the same work in plain Lua 5.1. Both print
the same. The engines take turns, run by run, so that a busy moment of the machine does not hit one of them alone; what
counts is user CPU time as the system accounts for it (wait4), not the time on the wall; and the figure is the median.

The benchmarks, and why each is here:

    binary_trees    allocation, collection, recursion over records with optional fields; one of the paper's four
    closures        making and calling closures, captured variables that change
    coroutines      resume and yield in a generator, a ping-pong, a recursion; short-lived coroutines
    deltablue       a hierarchy of classes with virtual methods, arrays of objects
    fannkuch        small arrays of integers, range checks, irregular loops
    fib             calls and nothing else; one of the paper's four
    hash_map        dictionaries with string and number keys: insert, look up, remove, walk
    havlak          generic containers, objects as keys, deep recursion
    k_nucleotide    substrings as keys; one of the paper's four
    lru_cache       a generic class: a table into a doubly linked list
    matmul          arrays of numbers in a hot inner loop
    md5             32-bit arithmetic, bytes of strings; one of the paper's four
    n_body          floating-point arithmetic on fields of records
    particles       small objects with operators, virtual methods, floating-point fields
    quicksort       recursion, array elements compared and exchanged
    richards        the same kernel of a system as Martin Richards wrote it, with classes
    scheduler       several kinds of work: linked records, function values, queues
    sieve           a large array of booleans
    spectral_norm   small function called in an inner loop, division
    strings         building, taking apart and replacing strings
    word_count      a pattern over a long text, strings as keys, sorting with a function

Plain Lua 5.1 has no bit operations, so md5.lua works through a table of byte pairs there; LuaJIT has some and uses
them.
"""
import argparse
import json
import math
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BASE = "lua5.1"  # ratios say how many times faster than this an engine is


class Engine:
    """A name, the command that goes before the script, and which of the two scripts it takes."""

    def __init__(self, name, command, suffix):
        self.name, self.command, self.suffix = name, command, suffix


def find_engines(arguments):
    engines = [Engine(BASE, [BASE], ".lua")] if shutil.which(BASE) else []  # first: its output is the measure
    for given in arguments.luapp or [[default_luapp()]]:
        words = shlex.split(given[0]) + given[1:] if given[0] else []
        if not words:
            continue
        if not shutil.which(words[0]):
            sys.exit(f"run.py: {words[0]} is no program")
        name = " ".join(["luapp"] + words[1:])
        if any(engine.name == name for engine in engines):
            name += f" ({words[0]})"
        engines.append(Engine(name, [words[0], "run", *words[1:]], ".luapp"))
        if arguments.lenient:
            engines.append(Engine(name + " .lua", [words[0], "run", *words[1:]], ".lua"))
    if shutil.which("luajit"):
        engines.append(Engine("luajit", ["luajit"], ".lua"))
        engines.append(Engine("luajit -joff", ["luajit", "-joff"], ".lua"))
    if arguments.engines:
        wanted = arguments.engines.split(",")
        engines = [e for e in engines if e.name in wanted or "luapp" in wanted and e.suffix == ".luapp"
                   or "luapp .lua" in wanted and e.name.endswith(" .lua")]
    elif not arguments.joff:
        engines = [e for e in engines if e.name != "luajit -joff"]
    return engines


def default_luapp():
    """The binary of the usual build folder, else the one on the path, else none."""
    for candidate in (HERE.parent.parent / "build" / "luapp", shutil.which("luapp")):
        if candidate and os.access(candidate, os.X_OK):
            return str(candidate)
    return None


def run_once(command, memory):
    """User CPU seconds, largest resident size in KiB and output of one run; the program's errors go to our standard error."""
    with tempfile.TemporaryFile() as out, tempfile.NamedTemporaryFile() as largest:
        if memory:  # a process starts with the size of its parent, so it needs a small one
            command = ["/usr/bin/time", "-f", "%M", "-o", largest.name, *command]
        process = subprocess.Popen(command, stdout=out, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return (usage.ru_utime, int(largest.read().split()[-1]) if memory else 0), process.returncode, out.read()


def measure(name, engines, runs, size, memory):
    """{engine name: [(seconds, KiB)]}, or None where an engine failed; and what went wrong."""
    times, problems, expected = {e.name: [] for e in engines}, [], None
    for turn in range(runs):
        for engine in engines:
            if times[engine.name] is None:
                continue
            script = HERE / (name + engine.suffix)
            figures, status, output = run_once([*engine.command, str(script), *size], memory)
            if status != 0:
                problems.append(f"{name}: {engine.name} ended with status {status}")
                times[engine.name] = None
            elif expected is not None and output != expected:
                problems.append(f"{name}: {engine.name} printed {output[:200]!r}, others {expected[:200]!r}")
                times[engine.name] = None
            else:
                expected = output
                times[engine.name].append(figures)
    return times, problems


def summary(figures):
    """Median of the seconds, their range as a percentage of it, median of the memory in KiB."""
    if not figures:
        return None
    seconds = [s for s, _ in figures]
    median = statistics.median(seconds)
    return {"median": median, "spread": 100 * (max(seconds) - min(seconds)) / max(median, 1e-9), "times": seconds,
            "memory": statistics.median(kib for _, kib in figures)}


def ratio(result, name, engine):
    """How many times faster than BASE an engine is."""
    own, base = result[name].get(engine), result[name].get(BASE)
    return base["median"] / max(own["median"], 1e-4) if own and base else None


def memory_ratio(result, name, engine):
    """How many times the memory of BASE an engine takes."""
    own, base = result[name].get(engine), result[name].get(BASE)
    return own["memory"] / base["memory"] if own and base else None


def geometric_mean(result, measure_of, engine):
    values = [v for name in result if (v := measure_of(result, name, engine))]
    return f"{math.exp(sum(map(math.log, values)) / len(values)):.2f}" if values else "-"


def print_results(result, engines, markdown, memory):
    names = [e.name for e in engines]
    rows = [["benchmark"]]
    for engine in names:
        rows[0] += [f"{engine}, s"]
        if engine != BASE:
            rows[0] += ["times faster"] + ["times the memory"] * memory
    for name, row in result.items():
        cells = [name]
        for engine in names:
            own = row.get(engine)
            cells.append(f"{own['median']:.3f} ±{own['spread'] / 2:.0f} %" if own else "failed")
            if engine != BASE:
                r = ratio(result, name, engine)
                cells.append(f"{r:.2f}" if r else "-")
                if memory:
                    m = memory_ratio(result, name, engine)
                    cells.append(f"{m:.2f}" if m else "-")
        rows.append(cells)
    means = ["geometric mean"]
    for engine in names:
        means.append("")
        if engine != BASE:
            means.append(geometric_mean(result, ratio, engine))
            if memory:
                means.append(geometric_mean(result, memory_ratio, engine))
    rows.append(means)

    if markdown:
        rows.insert(1, ["---"] + ["---:"] * (len(rows[0]) - 1))
        for row in rows:
            print("| " + " | ".join(row) + " |")
    else:
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())


def measure_startup(engines, runs):
    """Hello world, again and again: what starting up and ending costs, on the CPU and on the wall."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".luapp", ".lua"):
            (pathlib.Path(folder) / ("hello" + suffix)).write_text('print("Hello, world!")\n')
        cpu = {e.name: [] for e in engines}
        for _ in range(runs):
            for engine in engines:
                process = subprocess.Popen([*engine.command, str(pathlib.Path(folder) / ("hello" + engine.suffix))],
                                           stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                if process.returncode != 0:
                    sys.exit(f"run.py: {engine.name} ended with status {process.returncode}")
                # A process this short uses system time too: mapping memory, reading the program.
                cpu[engine.name].append(usage.ru_utime + usage.ru_stime)
    return {name: {"median": statistics.median(times), "mean": statistics.mean(times)} for name, times in cpu.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--luapp", nargs=1, action="append", metavar="'PATH [OPTIONS]'",
                        help="a luapp binary, with options if any: --luapp 'build/luapp --jit=off'; may be repeated")
    parser.add_argument("--only", help="these benchmarks, separated by commas")
    parser.add_argument("--runs", type=int, help="runs of each (default 5; 200 with --startup)")
    parser.add_argument("--engines", help="these engines, separated by commas: luapp, lua5.1, luajit, 'luajit -joff'")
    parser.add_argument("--lenient", action="store_true", help="also luapp with the plain .lua files")
    parser.add_argument("--memory", action="store_true", help="print the largest resident size as a ratio, too (needs /usr/bin/time)")
    parser.add_argument("--joff", action="store_true", help="also LuaJIT with its compiler switched off")
    parser.add_argument("--size", default="", help="the argument of the benchmarks, instead of the built-in size")
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON")
    parser.add_argument("--markdown", action="store_true", help="print a table for docs/performance.md")
    parser.add_argument("--startup", action="store_true", help="time hello world instead")
    arguments = parser.parse_args()
    engines = find_engines(arguments)
    if not engines:
        sys.exit("run.py: no engine found")

    if arguments.startup:
        result = measure_startup(engines, arguments.runs or 200)
        if arguments.json:
            json.dump(result, sys.stdout, indent=2)
            print()
            return 0
        base = result.get(BASE)
        for name, r in result.items():
            against = f"  {r['median'] / base['median']:.2f} times {BASE}" if base else ""
            print(f"{name:24} median {1000 * r['median']:.2f} ms, mean {1000 * r['mean']:.2f} ms CPU{against}")
        return 0

    names = sorted(path.stem for path in HERE.glob("*.luapp") if path.with_suffix(".lua").exists())
    if arguments.only:
        unknown = set(arguments.only.split(",")) - set(names)
        if unknown:
            sys.exit(f"run.py: no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
        names = arguments.only.split(",")
    result, problems = {}, []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        times, wrong = measure(name, engines, arguments.runs or 5, arguments.size.split(), arguments.memory)
        result[name] = {engine: summary(seconds) for engine, seconds in times.items()}
        problems += wrong
    if arguments.json:
        json.dump(result, sys.stdout, indent=2)
        print()
    else:
        print_results(result, engines, arguments.markdown, arguments.memory)
    for problem in problems:
        print("error: " + problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
