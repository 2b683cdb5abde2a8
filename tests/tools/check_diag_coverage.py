#!/usr/bin/env python3
"""Fails if a declared diagnostic is produced by no test, or is never emitted. usage: check_diag_coverage.py SOURCE_ROOT"""
import pathlib
import re
import sys

ENTRY = re.compile(r'^LUAPP_DIAG\(\s*(\w+)\s*,\s*(\w+)\s*,\s*"([EW]\d{4})"', re.M)


def main():
    root = pathlib.Path(sys.argv[1])
    text = (root / "src/frontend/diag/diagnostics.def").read_text()
    entries = [(m.group(1), m.group(3)) for m in ENTRY.finditer(text)]
    if not entries:
        print("no diagnostics found in diagnostics.def: has its form changed?")
        return 1
    sources = "\n".join(f.read_text(errors="replace") for f in (root / "src").rglob("*") if f.suffix in (".cpp", ".h"))
    tests = "\n".join(f.read_text(errors="replace") for f in (root / "tests").rglob("*")
                      if f.is_file() and f.suffix in (".luapp", ".lua", ".cpp", ".py"))
    produced = set(re.findall(r"[EW]\d{4}", tests))
    bad = 0
    for name, code in entries:
        if not re.search(rf"\b{name}\b", sources):
            print(f"{code} {name}: declared but never emitted")
            bad += 1
        if code not in produced:
            print(f"{code} {name}: produced by no test")
            bad += 1
    print(f"{len(entries)} diagnostics, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
