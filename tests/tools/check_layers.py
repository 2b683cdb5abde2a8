#!/usr/bin/env python3
"""Fails if a file under src/ includes a folder that its layer must not know. usage: check_layers.py SOURCE_ROOT"""
import pathlib
import re
import sys

# folder -> folders it may include besides itself. The first match of a file's folder decides; see docs/internals.md.
ALLOWED = [
    ("runtime/base", []),
    # Raise names errors by position
    ("runtime/bytecode", ["runtime/base", "runtime/vm/errors.def"]),
    ("runtime/object", ["runtime/base", "runtime/bytecode"]),
    ("runtime/gc", ["runtime/base", "runtime/bytecode", "runtime/object"]),
    ("runtime/vm", ["runtime/base", "runtime/bytecode", "runtime/object", "runtime/gc"]),
    ("runtime/lib", ["runtime/base", "runtime/bytecode", "runtime/object", "runtime/gc", "runtime/vm"]),
    ("runtime/api", ["runtime"]),
    ("frontend/base", ["runtime/base"]),
    ("frontend/diag", ["frontend/base", "runtime/base"]),
    ("frontend/lex", ["frontend/base", "frontend/diag", "runtime/base"]),
    ("frontend/ast", ["frontend/base", "frontend/diag", "frontend/lex", "runtime/base"]),
    ("frontend/parse", ["frontend/base", "frontend/diag", "frontend/lex", "frontend/ast", "runtime/base"]),
    ("sema", ["frontend", "runtime/base", "runtime/lib/builtins.def", "runtime/lib/builtin_table.h"]),
    # the small enumerations of instruction.h (kinds of checks and roundings) are immediates of the IR too, and those of note.h
    # stand in its positions
    ("middle", ["sema", "frontend/base", "frontend/ast", "runtime/base", "runtime/bytecode/instruction.h", "runtime/bytecode/note.h",
                "runtime/lib/builtins.def", "runtime/lib/builtin_table.h", "runtime/vm/errors.def"]),
    ("backend/bytecode", ["backend", "middle", "sema", "frontend/base", "runtime/bytecode", "runtime/base",
                          "runtime/lib/builtins.def", "runtime/lib/builtin_table.h"]),
    ("backend/x64", ["backend", "middle", "runtime/bytecode", "runtime/base", "runtime/object/layout.h",
                     "runtime/vm/entry_points.def"]),
    ("backend", ["middle", "sema", "frontend/base", "runtime/base", "runtime/bytecode"]),
    ("driver", ["frontend", "sema", "middle", "backend", "runtime"]),
]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
# Objects and the collector know the State they belong to, how it raises errors, and where its stacks lie; nothing else of the VM.
STATE_HEADERS = {"runtime/vm/state.h", "runtime/vm/error.h", "runtime/vm/coroutine.h", "runtime/vm/exec_context.h"}
# The inline parts of objects store references, which needs the write barrier.
OBJECT_EXTRA = {"runtime/gc/barrier.h"}


def layer_of(path):
    for name, allowed in ALLOWED:
        if path.startswith(name + "/"):
            return name, allowed
    return None, []


def main():
    root = pathlib.Path(sys.argv[1]) / "src"
    bad = 0
    files = 0
    for f in sorted(root.rglob("*")):
        if f.suffix not in (".h", ".cpp", ".def", ".hpp", ".c"):
            continue
        files += 1
        rel = f.relative_to(root).as_posix()
        layer, allowed = layer_of(rel)
        if layer is None:
            print(f"{rel}: belongs to no layer")
            bad += 1
            continue
        for number, line in enumerate(f.read_text(errors="replace").splitlines(), 1):
            m = INCLUDE.match(line)
            if not m or "/" not in m.group(1):
                continue
            target = m.group(1)
            if any(target == a or target.startswith(a + "/") for a in [layer, *allowed]):
                continue
            if layer in ("runtime/object", "runtime/gc") and target in STATE_HEADERS:
                continue
            if layer == "runtime/object" and target in OBJECT_EXTRA:
                continue
            print(f"{rel}:{number}: {layer} must not include {target}")
            bad += 1
    print(f"{files} files checked, {bad} bad includes")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
