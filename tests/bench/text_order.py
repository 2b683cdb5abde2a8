#!/usr/bin/env python3
"""Writes src/text_order.ld: which functions of luapp programs use, so that the linker puts them next to each other.

    text_order.py BUILD      BUILD: a build folder with luapp and luapp.map (a release build that the linker script was used for or not)

A third of luapp's code runs when a program is compiled and run, in pieces all over the file, and the system maps what lies around each
piece as well: without an order nearly all of the code would be in memory. The list comes from runs of the programs in this folder under
valgrind, with a small argument. Functions that every program uses come first, then those of at least three quarters of the programs.
Names that no longer exist do no harm, and functions that are missing stand behind: run this again when much of the compiler has changed.
"""
import bisect
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
OUTPUT = HERE.parent.parent / "src" / "text_order.ld"
# The C library has several of each for different processors, of which valgrind shows one.
BY_PROCESSOR = [f"*libc.a:{name}-*.o(.text .text.*)" for name in (
    "memchr", "memcmp", "memmove", "memset", "rawmemchr", "strchr", "strcmp", "strcpy", "strcspn", "strlen",
    "strncmp", "strnlen", "strrchr", "strstr", "wmemset")]


def used_functions(luapp, script):
    """The symbols of the functions that run."""
    with tempfile.NamedTemporaryFile("r", errors="replace") as out:
        subprocess.run(["valgrind", "--tool=callgrind", "--demangle=no", "--compress-strings=no", f"--callgrind-out-file={out.name}",
                        luapp, "run", script, "3"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        names = re.findall(r"^c?fn=(.*)$", out.read(), re.M)
    return {re.sub(r"'\d+$", "", name.strip()) for name in names}


def addresses(luapp):
    """Of the symbols."""
    lines = subprocess.run(["nm", "--defined-only", luapp], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: int(address, 16) for address, _, name in (line.split(None, 2) for line in lines)}


def input_sections(link_map):
    """(address, size, section, file) of the pieces that the linker put together, by address."""
    text = link_map[link_map.index("Linker script and memory map"):]
    found = re.findall(r"^ (\.text\S*)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (.*)$", text, re.M)
    return sorted((int(address, 16), int(size, 16), section, file) for section, address, size, file in found
                  if int(address, 16) and int(size, 16))


def pattern(section, file):
    """How the linker script names a piece."""
    if section.startswith(".text._"):
        return f"*({section})"
    member = re.search(r"([^/]+\.a)\(([^)]+)\)$", file)
    return f"*{member[1]}:{member[2]}({section})" if member else f"*{file.split('/')[-1]}({section})"


def main():
    build = pathlib.Path(sys.argv[1])
    luapp = str(build / "luapp")
    scripts = sorted(path for plain in HERE.glob("*.lua") for path in (plain, plain.with_suffix(".luapp")))
    uses = collections.Counter(name for script in scripts for name in used_functions(luapp, str(script)))
    sections = input_sections((build / "luapp.map").read_text(errors="replace"))
    starts = [section[0] for section in sections]
    where = addresses(luapp)
    users = collections.Counter()
    for name, count in uses.items():
        at = bisect.bisect_right(starts, where.get(name, 0)) - 1
        if at >= 0 and where[name] < starts[at] + sections[at][1]:
            users[at] = max(users[at], count)
    common = sorted((at for at in users if users[at] * 4 >= 3 * len(scripts)), key=lambda at: (users[at] < len(scripts) - 1, at))
    chosen = [pattern(*sections[at][2:]) for at in common]
    lines = "".join(f"    {line}\n" for line in dict.fromkeys(BY_PROCESSOR + chosen))
    OUTPUT.write_text("/* Made by tests/bench/text_order.py, which says what it is for. */\n"
                      "SECTIONS {\n  .text.used : {\n" + lines + "  }\n}\nINSERT BEFORE .text;\n")


main()
