#!/usr/bin/env python3
"""Counts which opcodes the interpreter executes, and which follow which: what superinstructions are chosen by.

usage: opcode_pairs.py LUAPP [--size N] [--top N] PROGRAM...

Runs each program under callgrind, which counts the jumps between the handlers of the interpreter; the table of handlers is found in the
binary by its symbol, and names come from opcodes.def. Needs valgrind, nm and an unstripped build. Prints, for all programs together, each
weighted by its own number of instructions, the most frequent opcodes and pairs in percent.
"""
import argparse
import bisect
import collections
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def opcodes():
    text = (ROOT / "src/runtime/bytecode/opcodes.def").read_text()
    return re.findall(r"^LUAPP_OPCODE\((\w+),", text, re.M)


def handlers(luapp):
    """Addresses of the handlers, by opcode: the words of the dispatch table in the binary."""
    symbols = subprocess.run(["nm", luapp], capture_output=True, text=True, check=True).stdout
    at = int(re.search(r"^(\w+) \w \S*kDispatch\S*$", symbols, re.M)[1], 16)
    sections = subprocess.run(["readelf", "-SW", luapp], capture_output=True, text=True, check=True).stdout
    for address, offset, size in re.findall(r"PROGBITS\s+(\w+) (\w+) (\w+)", sections):
        begin = int(address, 16)
        if begin <= at < begin + int(size, 16):
            data = pathlib.Path(luapp).read_bytes()
            return list(struct.unpack_from(f"<{len(opcodes())}Q", data, int(offset, 16) + at - begin))
    sys.exit("no dispatch table in the binary")


def jumps(luapp, program, size):
    """(from, to, count) for each jump that callgrind saw."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", "--dump-instr=yes", "--collect-jumps=yes", f"--callgrind-out-file={out}"]
        subprocess.run([*command, luapp, "run", program, *size], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        source = 0
        for line in out.read_text().splitlines():
            jump = re.match(r"(jump|jcnd)=([\d/]+) (\S+)", line)
            if jump:
                target = relative(jump[3], source)
                yield_from = int(jump[2].split("/")[0])
                yield line, yield_from, target
            elif re.match(r"[0-9+*-]", line):
                source = relative(line.split()[0], source)
                yield None, 0, source


def relative(word, last):
    """An address of callgrind's format, which may be relative to the last one."""
    if word.startswith("0x"):
        return int(word, 16)
    if word == "*":
        return last
    return last + int(word, 0)


def count_pairs(luapp, program, size, starts, names):
    pairs = collections.Counter()
    order = sorted(starts)
    name_at = {}
    for address, name in zip(starts, names):
        name_at.setdefault(address, name)
    pending = []
    for line, count, address in jumps(luapp, program, size):
        if line is not None:
            pending.append((count, address))
            continue
        # The line behind a jump tells where it came from.
        for n, target in pending:
            if target in name_at:
                i = bisect.bisect_right(order, address) - 1
                if i >= 0:
                    pairs[name_at[order[i]], name_at[target]] += n
        pending.clear()
    return pairs


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("luapp")
    args.add_argument("programs", nargs="+", metavar="PROGRAM")
    args.add_argument("--size", help="the argument of the programs")
    args.add_argument("--top", type=int, default=25)
    o = args.parse_args()
    names, starts = opcodes(), handlers(o.luapp)
    shares = collections.Counter()
    for program in o.programs:
        pairs = count_pairs(o.luapp, program, [o.size] if o.size else [], starts, names)
        total = sum(pairs.values())
        print(f"{pathlib.Path(program).stem}: {total:,} instructions", file=sys.stderr)
        for pair, n in pairs.items():
            shares[pair] += n / total / len(o.programs)
    single = collections.Counter()
    for (_, second), share in shares.items():
        single[second] += share
    print("opcode           %      pair                        %")
    for (name, share), (pair, both) in zip(single.most_common(o.top), shares.most_common(o.top)):
        print(f"{name:14} {100 * share:5.1f}   {' '.join(pair):26} {100 * both:5.1f}")


main()
