#!/usr/bin/env python3
"""Writes docs/library.md from src/runtime/lib/builtins.def. usage: gen_library_doc.py [--check] SOURCE_ROOT

With --check nothing is written; the exit status says whether the page is up to date."""
import pathlib
import re
import sys

TITLES = {
    "": "Base functions",
    "string": "string",
    "math": "math",
    "table": "table",
    "io": "io",
    "File": "Files",
    "os": "os",
    "coroutine": "coroutine",
    "bit32": "bit32",
    "utf8": "utf8",
    "debug": "debug",
    "Array": "Array<T>",
    "Table": "Table<K, V>",
}
NOTES = {
    "string": "Also members of string values: `s.upper()` and `s:upper()` are `string.upper(s)`.",
    "table": "For tables of lenient code (positions from 1) and for arrays (from 0); typed code uses the members of arrays.",
    "File": "Members of open files.",
    "bit32": "Operands count modulo 2^32, results are in 0 .. 2^32-1. With `integer` operands the functions of two words and the "
             "shifts are single instructions.",
    "Array": "Members of arrays, and the functions `Array.new` and `Array.from`. Indexes count from 0.",
    "Table": "Members of tables, and the function `Table.from`.",
}
INTRO = """# The standard library

Every function with its signature in the language's type syntax. A parameter with a default value, or of optional type, may be
left out; `integer` parameters also take a whole `number`. Lines marked *or* are narrower forms that the compiler picks by the
types of the arguments, or by a literal first argument. `File` is the type of open files; coroutines are `any`.

This page is made from `src/runtime/lib/builtins.def` by `tests/tools/gen_library_doc.py`.
"""

STRING = r'"((?:[^"\\]|\\.)*)"'
ENTRY = re.compile(r"^LUAPP_BUILTIN(_CASE|_VALUE|_HIDDEN|_LENIENT|_CONST)?\((\w+),\s*(.*)\)$")


def unescape(text):
    return text.replace('\\"', '"').replace("\\\\", "\\")


def read_entries(path):
    """Yields (kind, name, literal, signature, description)."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("#") or not line.startswith("LUAPP_BUILTIN"):
            continue
        match = ENTRY.match(line)
        if not match:
            sys.exit(f"{path}:{number}: not an entry")
        kind = (match.group(1) or "").lstrip("_")
        if kind == "HIDDEN":
            continue
        texts = [unescape(t) for t in re.findall(STRING, match.group(3))]
        if kind == "CASE":
            yield kind, texts[0], texts[1], texts[2], ""
        elif kind == "LENIENT":
            yield kind, texts[0], "", "", texts[-1]
        else:
            yield kind, texts[0], "", texts[1], texts[-1]


def shown(name, signature, literal):
    """The signature as a declaration; a literal first argument is put back."""
    if literal:
        head = '(self: File, ' if signature.startswith("(self: File") else "("
        rest = signature[len("(self: File"):].lstrip(", ") if signature.startswith("(self: File") else signature[1:]
        signature = f'{head}"{literal}"' + (")" + rest[1:] if rest.startswith(")") else ", " + rest)
    return f"{name}{signature}"


def page(entries):
    groups = {}
    lenient = []
    for kind, name, literal, signature, description in entries:
        if kind == "LENIENT":
            lenient.append(f"- `{name}`: {description}")
            continue
        library = name.split(".")[0] if "." in name else ""
        lines = groups.setdefault(library, [])
        if kind == "CASE":
            lines.append(f"  *or* `{shown(name, signature, literal)}`  ")
        elif kind in ("VALUE", "CONST"):
            lines.append(f"- `{name}: {signature}`  ")
        else:
            lines.append(f"- `{shown(name, signature, literal)}`  ")
        if kind != "CASE":
            lines.append(("text", f"  {description}"))
    out = [INTRO]
    for library, title in TITLES.items():
        out.append(f"## {title}\n")
        if library in NOTES:
            out.append(NOTES[library] + "\n")
        out.extend(with_descriptions_last(groups.pop(library)))
        out.append("")
    out.extend(["## Lenient code alone\n", "Globals that only lenient files have, as Lua 5.1 describes them.\n", *lenient, ""])
    if groups:
        sys.exit(f"libraries without a title: {sorted(groups)}")
    return "\n".join(out)


def with_descriptions_last(lines):
    """Moves each description behind the narrower forms of its function."""
    result, description = [], None
    for line in lines + [None]:
        if isinstance(line, tuple):
            description = line[1]
            continue
        if (line is None or line.startswith("- ")) and description is not None:
            result.append(description)
            description = None
        if line is not None:
            result.append(line)
    return result


def main():
    check = "--check" in sys.argv
    root = pathlib.Path([a for a in sys.argv[1:] if a != "--check"][0])
    text = page(read_entries(root / "src/runtime/lib/builtins.def"))
    target = root / "docs/library.md"
    if not check:
        target.write_text(text)
    elif not target.exists() or target.read_text() != text:
        sys.exit("docs/library.md is out of date: run tests/tools/gen_library_doc.py SOURCE_ROOT")


if __name__ == "__main__":
    main()
