#!/usr/bin/env python3
"""Runs every program in the documents of the language: the ```lua blocks of README.md and docs/language/*.md.
usage: check_docs.py SOURCE_ROOT GOLDEN_RUNNER [--only TEXT] [--later] [--keep FOLDER]

A block is a whole strict program, demo.luapp. What comes of it stands in comments at its lines:
    --> text                 the next line of output; a program without this mark prints nothing
    -- error: text           this line ends the program with this run-time error
    -- error[E2001]: text    the compiler reports this here (also warning[W...]); every diagnostic must be announced
A block may show several errors. Compile errors are checked together; then the lines that have them are left out (the whole
statement, if the first or last line of one of several lines is wrong) and the rest runs; run-time errors run one at a time,
with the other lines that fail left out (a single one at the end simply runs).
Words behind ```lua:
    lenient      demo.lua, so Lua 5.1
    continued    the program goes on from the block above it (without the lines of that block that fail)
    file=NAME    a further file of the program in the next block that has no such word
    fragment     no program; not run
    later        waits for a part of the language that is being built; `--later` runs these alone and says which pass
The work is done by the golden runner, on files made from the blocks. In ```ebnf blocks every name must be defined.
"""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

OPEN = re.compile(r"^```(\w+)(.*)$")
OUTPUT = re.compile(r"(--|#)>(?: |$)")
DIAGNOSTIC = re.compile(r"(?:--|#) (?:error|warning)\[([EW]\d+)\]: ?(.*?)(?=\s*(?:--|#) (?:error|warning)\[|$)")
EXPECTS = re.compile(r"(--|#)(>( |$)|~ (E\d|error ))")
RUN_ERROR = re.compile(r"(?:--|#) error: (.*)$")
OPENER = r"((export |local |const )?function|for|while|if|repeat|do|(export )?(class|interface|enum))\b"
CLOSER = r"(end\b|until\b|\})"
WORDS = {"lenient", "continued", "fragment", "later"}


class Block:
    def __init__(self, document, line, language, words, lines):
        self.document, self.line, self.language, self.lines = document, line, language, lines
        self.words = {w for w in words if "=" not in w}
        self.file = next((w[5:] for w in words if w.startswith("file=")), None)
        self.files = []

    def where(self):
        return f"{self.document}:{self.line}"


def read_blocks(root, path):
    """All fenced blocks of one document, further files and continued blocks already put together."""
    blocks, files, previous = [], [], None
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        found = OPEN.match(lines[at])
        if not found:
            at += 1
            continue
        end = at + 1
        while end < len(lines) and lines[end].rstrip() != "```":
            end += 1
        block = Block(path.relative_to(root), at + 1, found[1], found[2].split(), lines[at + 1:end])
        at = end + 1
        if block.language == "ebnf":
            blocks.append(block)
        if block.language not in ("lua", "luapp"):
            continue
        unknown = block.words - WORDS
        if unknown:
            sys.exit(f"{block.where()}: unknown words behind the fence: {' '.join(sorted(unknown))}")
        if block.file:
            files.append((block.file, block.lines))
            continue
        block.files, files = files, []
        if "continued" in block.words:
            block.lines = [l for l in previous.lines if not fails(l)] + block.lines
            block.files = previous.files + block.files
            block.words |= previous.words - {"continued"}
        previous = block
        blocks.append(block)
    return blocks


def announced(line):
    return DIAGNOSTIC.findall(line)


def does_not_compile(line):
    return any(code[0] == "E" for code, _ in announced(line))


def fails(line):
    return does_not_compile(line) or bool(RUN_ERROR.search(line))


def with_markers(line, mark, output=True):
    """The line as the golden runner reads it. `mark`: how comments begin in this file."""
    for code, text in announced(line):
        line = re.sub(rf"(?:--|#) (?:error|warning)\[{code}\]: ?.*?(?=\s*(?:--|#) (?:error|warning)\[|$)",
                      lambda _: f"{mark}~ {code} {text}".rstrip(), line, count=1)
    line = RUN_ERROR.sub(lambda m: f"{mark}~ error {m[1]}", line)
    return line if output else OUTPUT.sub(mark + " ", line)


def left_out(lines, is_wrong):
    """The lines, with blank ones for the wrong ones: the program that runs although the document shows errors."""
    out = list(lines)
    for i, line in enumerate(lines):
        if not is_wrong(i):
            continue
        indent = line[:len(line) - len(line.lstrip())]
        first = last = i
        if re.match(CLOSER, line.lstrip()):
            while first > 0 and (first == i or not re.match(indent + rf"(?!{CLOSER}|else)\S", lines[first])):
                first -= 1
        elif re.match(OPENER, line.lstrip()) and not re.search(r"\bend\b|->|\buntil\b|\}", line.split("-- ")[0]):
            while last + 1 < len(lines) and (last == i or not re.match(indent + CLOSER, lines[last])):
                last += 1
        out[first:last + 1] = [""] * (last + 1 - first)
    return out


def golden_text(block, lines, shows_output):
    lines = list(lines)
    for name, body in block.files:
        lines += [f"-- file: {name}"] + [with_markers(l, "--", shows_output) for l in body]
    if shows_output and not any(EXPECTS.search(l) for l in lines):
        lines += ["--[==[ expect", "]==]"]
    return "\n".join(lines) + "\n"


def variants(block):
    """Pairs (golden folder, text) that together check what the block says."""
    mark = "#" if any(l.startswith("--!comment") for l in block.lines) else "--"
    lines = block.lines
    compile_errors = [i for i, l in enumerate(lines) if does_not_compile(l)]
    run_errors = [i for i, l in enumerate(lines) if RUN_ERROR.search(l)]
    outputs = [i for i, l in enumerate(lines) if OUTPUT.search(l)]
    if compile_errors:
        marked = [with_markers(RUN_ERROR.sub("", l), mark, output=False) for l in lines]
        yield "diag", golden_text(block, marked, False)
        if not outputs and not run_errors:
            return
    kept = left_out(lines, lambda i: does_not_compile(lines[i]))
    if len(run_errors) == 1 and not any(i > run_errors[0] for i in outputs):
        yield "run", golden_text(block, [with_markers(l, mark) for l in kept], True)
        return
    yield "run", golden_text(block, [with_markers(l, mark) for l in left_out(kept, lambda i: fails(kept[i]))], True)
    for one in run_errors:
        rest = left_out(kept, lambda i: fails(kept[i]) and i != one)
        yield "run", golden_text(block, [with_markers(l, mark, output=False) for l in rest], True)


def run_block(runner, folder, block):
    """Why the block is wrong; empty if it is right."""
    name = "demo.lua" if "lenient" in block.words else "demo.luapp"
    for number, (kind, text) in enumerate(variants(block)):
        place = folder / f"{block.document.stem}-{block.line}-{number}" / kind
        place.mkdir(parents=True)
        (place / name).write_text(text)
        result = subprocess.run([runner, str(place)], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
        if result.returncode != 0:
            return [l for l in result.stdout.splitlines() if l.startswith("#")] or [f"# exit status {result.returncode}"]
    return []


def check_grammar(blocks):
    """Names that ebnf blocks use but do not define, or define twice."""
    text = "\n".join("\n".join(b.lines) for b in blocks)
    text = re.sub(r'"[^"\n]*"|\(\*.*?\*\)|\?[^?\n]*\?', " ", text)
    defined = re.findall(r"^(\w+)\s*=", text, re.M)
    used = set(re.findall(r"[A-Za-z]\w*", text))
    problems = [f"grammar: `{n}` is not defined" for n in sorted(used - set(defined))]
    return problems + [f"grammar: `{n}` is defined twice" for n in sorted({n for n in defined if defined.count(n) > 1})]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("runner")
    parser.add_argument("--only", default="", help="blocks whose FILE:LINE contains this")
    parser.add_argument("--later", action="store_true", help="the blocks that wait, instead of the others")
    parser.add_argument("--keep", type=pathlib.Path, help="put the files made from the blocks here")
    options = parser.parse_args()
    documents = [options.root / "README.md"] + sorted((options.root / "docs/language").glob("*.md"))
    blocks = [b for d in documents for b in read_blocks(options.root, d)]
    grammar = [b for b in blocks if b.language == "ebnf"]
    programs = [b for b in blocks if b.language != "ebnf" and "fragment" not in b.words and options.only in b.where() and
                ("later" in b.words) == options.later]
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folder = options.keep or pathlib.Path(scratch)
        results = list(pool.map(lambda b: run_block(options.runner, folder, b), programs))
    failed = 0
    for block, why in zip(programs, results):
        if why:
            failed += 1
            print(f"{block.where()}: {'waits' if options.later else 'wrong'}")
            print("\n".join("    " + l for l in (why[:2] if options.later else why)))
        elif options.later:
            print(f"{block.where()}: passes now; take the word `later` away")
    problems = check_grammar(grammar)
    print("\n".join(problems + [f"{len(programs)} programs, {failed} of them fail; {len(problems)} problems of the grammar"]))
    return 1 if problems or (failed and not options.later) else 0


if __name__ == "__main__":
    sys.exit(main())
