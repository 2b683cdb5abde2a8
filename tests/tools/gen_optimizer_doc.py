#!/usr/bin/env python3
"""Fills in the code of docs/optimizer.md: what each pass makes of its example, as luapp itself prints it.

usage: gen_optimizer_doc.py [--check] ROOT LUAPP

The page is written by hand but for the blocks that begin with ```ir. Such a block belongs to the last block of source (```luapp)
before it, and its first line says what to print:
    ```ir passes=a,b show=f,g
the functions f and g of the program after the passes a and b (`passes=none`: as lowering made them; `passes=-O2`: all of them). The rest of
the block is replaced. With --check nothing is written; the exit status is 1 if a block is not up to date, or if a pass of
passes.def has no section.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)


def dump(luapp, folder, source, words):
    """The functions that a block asks for, as the tool prints them."""
    options = dict(word.split("=", 1) for word in words.split())
    path = pathlib.Path(folder) / "example.luapp"
    path.write_text(source)
    how = options["passes"] if options["passes"].startswith("-O") else "--passes=" + options["passes"]
    done = subprocess.run([luapp, "disasm", "--emit=ir", how, str(path)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{words}: luapp ends with status {done.returncode}\n{done.stderr}{source}")
    wanted = options["show"].split(",")
    parts = [p for p in done.stdout.split("\n\n") if re.match(r"func @([\w.]+)", p) and re.match(r"func @([\w.]+)", p)[1] in wanted]
    if len(parts) != len(wanted):
        sys.exit(f"{words}: not all of these functions are there\n{done.stdout}")
    return "\n\n".join(p.strip("\n") for p in parts) + "\n"


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--check", action="store_true")
    args.add_argument("root", type=pathlib.Path)
    args.add_argument("luapp")
    o = args.parse_args()
    page = o.root / "docs" / "optimizer.md"
    old = page.read_text()
    source = ""
    with tempfile.TemporaryDirectory() as folder:

        def fill(match):
            nonlocal source
            language, words, text = match.groups()
            if language == "luapp":
                source = text
            if language != "ir":
                return match[0]
            return f"```ir{words}\n{dump(o.luapp, folder, source, words)}```"

        new = BLOCK.sub(fill, old)
    problems = 0
    passes = re.findall(r"^LUAPP_\w+_PASS\s*\(\w+,\s*\"(\w+)\"", (o.root / "src/middle/passes.def").read_text(), re.M)
    for name in passes:
        if f"## {name}\n" not in new:
            print(f"docs/optimizer.md has no section `## {name}`")
            problems += 1
    if new != old:
        if o.check:
            print("docs/optimizer.md is not up to date; run tests/tools/gen_optimizer_doc.py ROOT LUAPP")
            problems += 1
        else:
            page.write_text(new)
    print(f"{len(passes)} passes, {problems} problems")
    return 1 if problems else 0


sys.exit(main())
