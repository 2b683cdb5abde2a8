#!/usr/bin/env python3
"""Fails if the tree breaks a rule of form: file length, READMEs, top level, conflict marks, unfinished marks, headers.
usage: check_tree.py SOURCE_ROOT"""
import pathlib
import re
import subprocess
import sys

TOP_LEVEL = {"meson.build", "meson_options.txt", "README.md", "LICENSE", "src", "stdlib", "tests", "examples", "docs", ".ci",
             ".clang-format", ".clang-tidy", ".gitignore"}
MAX_LINES = 1500
LONGER = {"src/runtime/vm/interp.cpp"}
UNFINISHED = re.compile(r"\b(XXX|(?i:FIXME|HACK|not implemented|unimplemented))\b")
CONFLICT = re.compile(r"^(<{7}|>{7}) ")


def tracked(root):
    out = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=False)
    names = [n for n in out.stdout.decode().split("\0") if n]
    return [n for n in names if (root / n).is_file()]


def main():
    root = pathlib.Path(sys.argv[1])
    problems = []
    files = tracked(root)
    for top in sorted({f.split("/")[0] for f in files}):
        if top not in TOP_LEVEL:
            problems.append(f"{top}: does not belong to the top level")
    for folder in ("driver", "frontend", "sema", "middle", "backend", "runtime"):
        if not (root / "src" / folder / "README.md").is_file():
            problems.append(f"src/{folder}: no README.md")
    for name in files:
        if pathlib.Path(name).suffix not in (".h", ".hpp", ".cpp", ".c", ".def", ".py", ".md", ".build", ".luapp"):
            continue
        lines = (root / name).read_text(errors="replace").splitlines()
        code = name.endswith((".h", ".hpp", ".cpp", ".c", ".def"))
        if code and len(lines) > MAX_LINES and name not in LONGER:
            problems.append(f"{name}: {len(lines)} lines, more than {MAX_LINES}")
        if code and name.endswith(".h") and name.startswith("src/") and not any("#pragma once" in l or "No include guard on purpose" in l for l in lines[:40]):
            problems.append(f"{name}: no #pragma once")
        for number, line in enumerate(lines, 1):
            if CONFLICT.match(line):
                problems.append(f"{name}:{number}: conflict mark")
            if name.startswith("src/") and UNFINISHED.search(line):
                problems.append(f"{name}:{number}: unfinished: {line.strip()[:80]}")
    for p in problems:
        print(p)
    print(f"{len(files)} files checked, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
