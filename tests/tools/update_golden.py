#!/usr/bin/env python3
"""Rewrites the expectations of all golden folders. usage: update_golden.py GOLDEN_RUNNER SOURCE_ROOT [FILTER]
Read the diff of what it changed before committing it."""
import pathlib
import subprocess
import sys


def main():
    runner, root = sys.argv[1], pathlib.Path(sys.argv[2])
    extra = ["--filter", sys.argv[3]] if len(sys.argv) > 3 else []
    folders = sorted({p.parent for p in (root / "tests/golden").rglob("*") if p.suffix in (".luapp", ".lua", ".ir")})
    failed = 0
    for folder in [*folders, root / "examples"]:
        failed += subprocess.run([runner, "--update", *extra, str(folder)], stdout=subprocess.DEVNULL, check=False).returncode
    print(f"{len(folders) + 1} folders updated; {failed} still have failing tests" if failed else "all expectations updated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
