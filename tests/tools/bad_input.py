#!/usr/bin/env python3
"""Feeds luapp what nobody should write. usage: bad_input.py LUAPP [--only TEXT] [--seconds N] [--slow] [-v]

Every case goes through check, build, run and each stage of disasm. What must hold for all of them: an exit status of 0 or 1
(2 and 70 are failures, and so is a signal), an end within --seconds, and diagnostics of the form `file:line:col: error[E...]`
or `luapp: ...` if the status is 1. A case says whether the program is right, which message it must bring, or what it prints.
--slow adds the cases that take longer than a second.
"""
import argparse
import concurrent.futures
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

STAGES = ["tokens", "ast", "ast-dot", "types", "ir", "bytecode"]
COMMANDS = ["check", "build", "run"] + STAGES


class Case:
    """One input. `wants` is "ok" (no error at compile time), "error" (some), or a text that the messages contain. `out`: what
    run prints; None: not compared. `run_fails`: the program ends with a run-time error that contains this text."""

    def __init__(self, name, text, wants="ok", out=None, run_fails=None, path=None, skip=(), slow=False, lexes=None):
        self.name, self.wants, self.out, self.run_fails, self.path = name, wants, out, run_fails, path
        self.data = text.encode() if isinstance(text, str) else text
        self.skip, self.slow, self.lexes = skip, slow, lexes


def lines(*parts):
    return "\n".join(parts) + "\n"


def nested(open_text, inner, close_text, n):
    return open_text * n + inner + close_text * n


def function(body, head="local function f(x: number, s: string, b: boolean)"):
    return f"{head}\n{body}\nend\n"


def files():
    """Bytes that are no program, and files that are none."""
    binary = bytes((i * 7919 + 13) % 256 for i in range(5000))
    yield Case("empty file", "", out="")
    yield Case("only a comment", "-- nothing", out="")
    yield Case("only blanks", " \n\t\n \r\n", out="")
    yield Case("binary garbage", binary, "error")
    yield Case("elf header", b"\x7fELF\x02\x01\x01" + bytes(200), "error")
    yield Case("chunk header alone", b"\x1bLpp", "error")
    yield Case("NUL inside", b"local a = 1\0\nprint(a)\n", "error")
    yield Case("NUL in a string", b"print(#\"a\0b\")\n", out="3\n")
    yield Case("unterminated string", "local a = \"abc", "error")
    yield Case("unterminated long string", "local a = [==[ abc\n]=]", "error")
    yield Case("unterminated comment", "print(1) --[[ abc\n", "error")
    yield Case("unterminated interpolation", "local a = `abc {1", "error")
    yield Case("unterminated nested interpolation", "local a = " + "`{" * 300, "error")
    yield Case("missing file", "", "cannot read", path="no/such/file.luapp")
    yield Case("a folder", "", "cannot read", path=".", skip=("check",))
    yield Case("invalid UTF-8 in a name", b"local \xff\xfe = 1\n", "error")
    yield Case("invalid UTF-8 in a string", b"print(#\"\xff\xfe\")\n", out="2\n")
    yield Case("invalid UTF-8 in a comment", b"-- \xff\xfe\xc0\nprint(1)\n", out="1\n")
    yield Case("UTF-8 name", "local größe = 1\n", "error")
    yield Case("CR LF", b"local a = 1\r\nprint(a)\r\n", out="1\n")
    yield Case("CR alone", b"local a = 1\rprint(a)\r", out="1\n")
    yield Case("byte order mark", b"\xef\xbb\xbfprint(1)\n", out="1\n")
    yield Case("first line #!", "#!/usr/bin/luapp\nprint(1)\n", out="1\n")
    yield Case("no newline at the end", "print(1)", out="1\n")


def long_lines(size):
    yield Case("long line of a name", "local " + "a" * size + " = 1\n", "ok" if size < 2**20 else None)
    yield Case("long line of a string", "print(#\"" + "a" * size + "\")\n", out=f"{size}\n")
    yield Case("long line of digits", "local a = " + "1" * size + "\n", None)
    yield Case("long line of blanks", " " * size + "print(1)\n", out="1\n")
    yield Case("long line of parentheses", "(" * size, "error")
    yield Case("long line of rubbish", "@" * size, "error")
    yield Case("long line of words", "a " * (size // 2), "error")
    yield Case("long line of statements", "print(1) " * 1000, out="1\n" * 1000)


def deep_nesting():
    n = 10000
    deep = [
        ("parentheses", "local a = ", "(", "1", ")"),
        ("calls", "", "print(", "1", ")"),
        ("index", "local t: Array<integer> = {1}\nlocal a = ", "t[", "1", "]"),
        ("do blocks", "", "do ", "", " end"),
        ("while blocks", "local x = false\n", "while x do ", "", " end"),
        ("if blocks", "", "if true then ", "", " end"),
        ("else blocks", "", "if true then else ", "", " end"),
        ("repeat blocks", "", "repeat ", "", " until true"),
        ("for blocks", "", "for i = 1, 2 do ", "", " end"),
        ("functions", "", "local function f() ", "", " end"),
        ("function expressions", "local f = ", "function() return ", "1", " end"),
        ("arrow functions", "local f = ", "function() -> ", "1", ""),
        ("tables", "local t = ", "{", "", "}"),
        ("tables of names", "local t = ", "{a = ", "1", "}"),
        ("types", "local t: ", "Array<", "number", ">"),
        ("tuple types", "local t: ", "(", "number", ")"),
        ("function types", "local t: ", "(a: ", "number", "): void"),
        ("record types", "local t: ", "{a: ", "number", "}"),
        ("unary minus", "local a = ", "- ", "1", ""),
        ("unary not", "local a = ", "not ", "true", ""),
        ("length", "local a = ", "#", "\"\"", ""),
        ("power", "local a = ", "2 ^ ", "1", ""),
        ("interpolation", "local a = ", "`{", "1", "}`"),
        ("optional type", "local a: number", "", "?" * n, ""),
        ("unclosed parentheses", "local a = ", "(", "", ""),
        ("unclosed tables", "local a = ", "{", "", ""),
        ("unclosed functions", "", "function f() ", "", ""),
        ("unclosed blocks", "", "do ", "", ""),
        ("closed blocks only", "", "", "", " end"),
        ("closed parentheses only", "local a = 1 ", "", "", ")"),
        ("generic arguments", "class A<T> end\nlocal a: ", "A<", "number", ">"),
        ("class in class", "", "class A ", "", " end"),
        ("is chain", "local a = 1 ", "", "", " is number"),
        ("as chain", "local a = 1 ", "", "", " as number"),
        ("not-nil chain", "local a = 1 ", "", "", "!"),
    ]
    for name, before, open_text, inner, close_text in deep:
        yield Case(f"{n} {name}", before + nested(open_text, inner, close_text, n) + "\n", None)
    for name, before, open_text, inner, close_text in deep:
        # Within the limit, and through every later stage.
        yield Case(f"150 {name}", before + nested(open_text, inner, close_text, 150) + "\n", None)
    yield Case("nested closures", "".join(f"local function f{i}(x{i}: number)\n" for i in range(100)) +
               f"print(x0 + x99)\n" + "".join(f"end\nf{99 - i}({99 - i})\n" for i in range(100)), out="99\n")


def chains():
    n = 20000
    numbers = [" + ", " - ", " * ", " / ", " // ", " % "]
    for op in numbers:
        yield Case(f"chain{op}", f"local x: number = 1\nlocal y = x" + (op + "x") * n + "\nprint(y ~= 5)\n", out="true\n")
        yield Case(f"constant chain{op}", "local y = 1" + (op + "1") * n + "\nprint(y ~= 5)\n", None)
    for op in [" & ", " | ", " ~ ", " << ", " >> "]:
        yield Case(f"chain{op}", "local x: integer = 1\nlocal y = x" + (op + "x") * n + "\n", None)
    for op in [" and ", " or "]:
        yield Case(f"chain{op}", "local function f(x: boolean)\nlocal y = x" + (op + "x") * n + "\nprint(y)\nend f(true)\n", out="true\n")
        yield Case(f"chain{op}in a condition", "local function f(x: boolean)\nif x" + (op + "x") * n + " then print(1) end\nend f(true)\n",
                   out="1\n")
        yield Case(f"chain{op}of comparisons",
                   "local function f(x: number)\nif " + op.join(f"x {'<' if op == ' and ' else '=='} {i}" for i in range(n)) +
                   " then print(1) else print(2) end\nend f(-1)\n", out="1\n" if op == " and " else "2\n")
    for op in [" && ", " || "]:
        yield Case(f"chain{op}", "local x = true\nlocal y = x" + (op + "x") * n + "\n", None)
    yield Case("chain ??", "local function f(x: number?)\nlocal y = x" + " ?? x" * n + "\nprint(y)\nend f(1)\n", None)
    yield Case("chain ..", "local x = \"a\"\nlocal y = x" + " .. x" * n + "\nprint(#y)\n", out=f"{n + 1}\n")
    for op in ["<", "<=", ">", ">=", "==", "~="]:
        yield Case(f"chain {op}", "local x = 1\nlocal y = x" + f" {op} x" * n + "\n", None)
    yield Case("chain of + then *", "local x: number = 1\nlocal y = x" + " + x * x" * n + "\nprint(y)\n", out=f"{n + 1}\n")
    yield Case("members", "local a = 1\nlocal b = a" + ".b" * n + "\n", "error")
    yield Case("optional members", "local a = 1\nlocal b = a" + "?.b" * n + "\n", "error")
    yield Case("calls of any", "local f: any = nil\nf" + "()" * n + "\n", None, run_fails="nil")
    yield Case("members of any", "local a: any = nil\nlocal b = a" + ".b" * n + "\n", None, run_fails="nil")
    yield Case("indexes of any", "local a: any = nil\nlocal b = a" + "[1]" * n + "\n", None, run_fails="nil")
    yield Case("member calls", "local s = \"a\"\nprint(s" + ".upper()" * n + ")\n", None)
    yield Case("elseifs", "local function f(x: number)\nif x == -1 then print(0)\n" +
               "".join(f"elseif x == {i} then print({i})\n" for i in range(10000)) + "end\nend\nf(9999)\n", out="9999\n")
    yield Case("statements in one block", "local x = 0\n" + "x = x + 1\n" * n + "print(x)\n", out=f"{n}\n")
    yield Case("semicolons", ";" * n, None)
    yield Case("errors in a chain", "local y = 1" + " + q" * 2000 + "\n", "error")
    yield Case("unary before each operand", "local x: number = 1\nlocal y = x" + " + -x" * n + "\nprint(y)\n", out=f"{1 - n}\n")


def many():
    n = 240
    head = "class C0 {\n    function m(): integer -> 0,\n}\n"
    yield Case("chain of classes", head + "".join(f"class C{i} : C{i - 1} {{\n    function m(): integer -> {i},\n}}\n" for i in range(1, n)) +
               f"print(C{n - 1}().m())\n", out=f"{n - 1}\n")
    n = 100000
    yield Case("100,000 locals of the main block", "".join(f"local a{i} = {i}\n" for i in range(n)) + "print(a99999)\n", None)
    yield Case("100,000 locals of a function", function("".join(f"local a{i} = x + {i}\n" for i in range(n)) + "print(a0 + a99999)") +
               "f(1, \"\", true)\n", None)
    yield Case("1,000 live locals", function("".join(f"local a{i} = x * {i}\n" for i in range(1000)) + "print(" +
                                             " + ".join(f"a{i}" for i in range(1000)) + ")") + "f(1, \"\", true)\n", None)
    yield Case("1,000 locals captured", function("".join(f"local a{i} = x * {i}\n" for i in range(1000)) +
                                                 "local function g(): number\nreturn " + " + ".join(f"a{i}" for i in range(1000)) +
                                                 "\nend\nprint(g())") + "f(1, \"\", true)\n", None)
    yield Case("300 parameters", "local function f(" + ", ".join(f"a{i}: number" for i in range(300)) +
               ")\nprint(a0 + a299)\nend\nf(" + ", ".join(str(i) for i in range(300)) + ")\n", "expected at most 250")
    yield Case("300 arguments of print", "print(" + ", ".join(str(i) for i in range(300)) + ")\n", "expected at most 250")
    yield Case("5,000 arguments of print", "print(" + ", ".join(str(i) for i in range(5000)) + ")\n", "expected at most 250")
    yield Case("300 results", "local function f(): (...any)\nreturn " + ", ".join(str(i) for i in range(300)) +
               "\nend\nprint(select(\"#\", f()))\n", "expected at most 250")
    yield Case("300 targets", "local " + ", ".join(f"a{i}" for i in range(300)) + " = " +
               ", ".join(str(i) for i in range(300)) + "\nprint(a299)\n", None)
    yield Case("10,000 names of one local", "local " + ", ".join(f"a{i}" for i in range(10000)) + " = 1\n", None)
    yield Case("70,000 number constants", function("local t: number = x\n" + "".join(f"t = t * 2 + {i}.5\n" for i in range(70000)) +
                                                   "print(t > 1)") + "f(1, \"\", true)\n", out="true\n")
    yield Case("70,000 string constants", "local t: Array<string> = {" + ",\n".join(f"\"s{i}\"" for i in range(70000)) +
               "}\nprint(t[69999])\n", out="s69999\n")
    yield Case("array of 100,000 numbers", "local t: Array<number> = {" + ",".join(str(i) for i in range(n)) +
               "}\nprint(#t, t[99999])\n", out="100000\t99999\n")
    yield Case("array without a type", "local t = {" + ",".join(str(i) for i in range(n)) + "}\nprint(#t)\n", out="100000\n")
    yield Case("table of 5,000 entries", "local t: Table<string, number> = {" + ",".join(f"k{i} = {i}" for i in range(5000)) +
               "}\nprint(t.k4999)\n", None)
    yield Case("table of 5,000 computed keys", "local t: Table<number, number> = {" +
               ",".join(f"[{i}] = {i}" for i in range(5000)) + "}\nprint(t[4999])\n", None)
    yield Case("record of 5,000 fields", "local t = {" + ",".join(f"k{i} = {i}" for i in range(5000)) + "}\nprint(t.k4999)\n", "expected at most 250")
    yield Case("declared record of 5,000 fields", "type R = {" + ",".join(f"k{i}: number" for i in range(5000)) +
               "}\nlocal t: R = {" + ",".join(f"k{i} = {i}" for i in range(5000)) + "}\nprint(t.k4999)\n", "expected at most 250")
    yield Case("union of 3,000 types", "local t: " + " | ".join(f"{{a{i}: number}}" for i in range(3000)) + " = {a0 = 1}\n", None)
    yield Case("5,000 functions", "".join(f"local function f{i}(): number return {f'f{i - 1}() + 1' if i else '0'} end\n" for i in range(5000)) +
               "print(f4999())\n", out="4999\n")
    yield Case("5,000 const functions", "".join(f"const function f{i}(x: number): number return {f'f{i - 1}(x) + 1' if i else 'x'} end\n"
                                                for i in range(5000)) + "print(f4999(1))\n", None)
    yield Case("doubling const functions", "".join(
        f"const function f{i}(x: number): number return {f'f{i - 1}(x) + f{i - 1}(x)' if i else 'x'} end\n" for i in range(40)) +
        "print(f39(1))\n", None, skip=("run",))  # which would take hours
    yield Case("5,000 aliases", "type A0 = number\n" + "".join(f"type A{i} = A{i - 1}\n" for i in range(1, 5000)) +
               "local a: A4999 = 1\nprint(a)\n", out="1\n")
    yield Case("5,000 aliases backwards", "".join(f"type A{i} = A{i - 1}\n" for i in range(4999, 0, -1)) +
               "type A0 = number\nlocal a: A4999 = 1\nprint(a)\n", out="1\n")
    yield Case("cycle of 5,000 aliases", "".join(f"type A{i} = A{(i + 1) % 5000}\n" for i in range(5000)) + "local a: A1 = 1\n", "error")
    yield Case("20,000 nested aliases", "type A0 = number\n" + "".join(f"type A{i} = Array<A{i - 1}>\n" for i in range(1, 20000)) +
               "local a: A19999 = {}\nlocal b: A1 = {1}\nprint(#a, b)\n", None)
    yield Case("20,000 nested record aliases", "type A0 = number\n" + "".join(f"type A{i} = {{a: A{i - 1}?}}\n" for i in range(1, 20000)) +
               "local a: A19999 = {}\nlocal b: A1 = a\nprint(a)\n", None)
    yield Case("20,000 nested function aliases", "type A0 = number\n" + "".join(f"type A{i} = (A{i - 1}): number\n" for i in range(1, 20000)) +
               "local a: A19999? = nil\nlocal b: A19998? = a\nlocal c: any = a\na = c\nprint(a)\n", None)
    yield Case("20,000 nested aliases backwards", "".join(f"type A{i} = Array<A{i - 1}>\n" for i in range(20000, 0, -1)) +
               "type A0 = number\nlocal a: A19999 = {}\nprint(#a)\n", None)
    yield Case("doubling aliases", "type A0 = {a: number, b: number}\n" +
               "".join(f"type A{i} = {{a: A{i - 1}, b: A{i - 1}}}\n" for i in range(1, 60)) + "local a: A59? = nil\nlocal b: A58 = a\n", None)
    for kind in ("class", "interface"):
        chain = [f"{kind} C{i}: C{i - 1} {{ }}\n" for i in range(1, 20000)]
        yield Case(f"20,000 of {kind} over each other", f"{kind} C0 {{ }}\n" + "".join(chain), "error")
        yield Case(f"20,000 of {kind} over each other backwards", "".join(reversed(chain)) + f"{kind} C0 {{ }}\n", "error")
        yield Case(f"20,000 bases of one {kind}", "".join(f"interface I{i} {{ }}\n" for i in range(20000)) +
                   f"{kind} C: " + ", ".join(f"I{i}" for i in range(20000)) + " { }\n", None)
    yield Case("recursive alias", "type A = A\nlocal a: A = 1\n", "error")
    yield Case("recursive aliases", "type A = B\ntype B = A\nlocal a: A = 1\n", "error")
    yield Case("recursive array alias", "type A = Array<A>\nlocal a: A = {}\n", None)
    yield Case("recursive record alias", "type L = {next: L?, v: number}\nlocal a: L = {v = 1}\nlocal b: L = {next = a, v = 2}\nprint(b.v)\n", None)
    yield Case("recursive union alias", "type A = number | A\nlocal a: A = 1\n", None)
    yield Case("recursive growing alias", "type A<T> = A<Array<T>>\nlocal a: A<number> = 1\n", "error")
    yield Case("two equal recursive aliases", "type A = {n: A?}\ntype B = {n: B?}\nlocal a: A = {}\nlocal b: B = a\nprint(b == a)\n", None)
    yield Case("long name", "local " + "a" * 100000 + " = 1\nprint(" + "a" * 100000 + ")\n", out="1\n")
    yield Case("long unknown name", "print(" + "a" * 100000 + ")\n", "error")
    yield Case("10,000 unknown names", "".join(f"print(name{i})\n" for i in range(10000)), "error")
    yield Case("10,000 misspelt names", "".join(f"local name{i} = 1\n" for i in range(2000)) +
               "".join(f"print(nmae{i})\n" for i in range(2000)), "error")
    yield Case("10,000 syntax errors", "local = 1\n" * 10000, "error")
    yield Case("10,000 type errors", "local a: number = \"\"\n" * 10000, "error")
    yield Case("1,000 errors on one line", "local a: number = \"\" " * 1000, "error")
    yield Case("2,000 labels of goto", "goto a " * 2000, "error")
    yield Case("many break statements", "while true do\n" + "if math.random() > 2 then break end\n" * 5000 + "break\nend\nprint(1)\n", out="1\n")
    yield Case("many returns", function("if x > 5 then return x end\n" * 5000 + "return 1", "local function f(x: number): number") + "print(f(1))\n", out="1\n")
    yield Case("many loops", "local x = 0\n" + "for i = 1, 2 do x += i end\n" * 5000 + "print(x)\n", out="5000\n")
    yield Case("many nested loops", "local x = 0\n" + "for i = 1, 2 do " * 60 + "x += 1" + " end" * 60 + "\nprint(x)\n", out="1\n")
    yield Case("many while loops nested", "local x = 0\n" + "while x < 1 do " * 60 + "x += 1" + " end" * 60 + "\nprint(x)\n", out="1\n")
    yield Case("narrowing in nested loops", "local function f(a: number?, b: string | number)\n" + "while a ~= nil do " * 30 + "if b is string then a = nil else b = \"\" end" +
               " end" * 30 + "\nprint(b)\nend\nf(1, 2)\n", None)
    yield Case("variables of a long loop", "local function f(n: number): number\n" + "".join(f"local a{i} = {i}\n" for i in range(500)) +
               "for i = 1, n do\n" + "".join(f"if i > {i} then a{i} += a{(i + 1) % 500} end\n" for i in range(500)) + "end\nreturn a1\nend\nprint(f(1))\n", out="1\n")
    yield Case("many calls", function("".join("g(x)\n" for i in range(20000)),
                                      "local function g(x: number) end\nlocal function f(x: number)") + "f(1)\nprint(1)\n", out="1\n")
    yield Case("many closures", "".join(f"local g{i} = function() -> {i}\n" for i in range(5000)) + "print(g4999())\n", out="4999\n")
    yield Case("many interpolations", "local x = 1\nprint(#`" + "{x}" * 5000 + "`)\n", out="5000\n")
    yield Case("endless recursion", "local function f(x: number): number return 1 + f(x) end\nprint(f(1))\n", "ok", run_fails="stack overflow")
    yield Case("import of itself", "import \"./p\"\nprint(1)\n", None)
    yield Case("import of nothing", "import \"\"\n", "error")
    yield Case("import of a folder", "import \"./\"\n", "error")
    yield Case("import of a missing file", "import \"./nothing\"\n", "error")
    yield Case("attributes", "--!foo\n--!strict\n--!strict\n--!\n--!comment\nprint(1)\n", None)


def bodies():
    """What adds up over bodies: results that are inferred from other functions, const functions, tests, jumps."""
    n = 20000
    yield Case("results inferred over 400 functions", "".join(f"function f{i}() -> f{i + 1}()\n" for i in range(400)) +
               "function f400() -> 1\nprint(f0())\n", out="1\n")
    yield Case("results inferred over 20,000 functions", "".join(f"function f{i}() -> f{i + 1}()\n" for i in range(n)) +
               f"function f{n}() -> 1\nprint(f0())\n", "E2016")
    yield Case("results inferred over 20,000 methods", "class A {\n" + "".join(f"function f{i}() -> self.f{i + 1}(),\n" for i in range(n)) +
               f"function f{n}() -> 1 }}\nprint(A().f0())\n", "E2016")
    for what, opening, closing in (("function", "", ""), ("const function", "const ", ""), ("method", "", ",")):
        first = "x" if what == "const function" else "1"
        deep = "".join(f"{opening}function f{i}({'x' if opening else ''}) -> " + nested("(function() -> ", f"f{i - 1}({'x' if opening else ''})", ")()", 180) +
                       f"{closing}\n" for i in range(40, 0, -1))
        last = f"{opening}function f0({'x' if opening else ''}) -> {first}{closing}\n"
        text = deep + last if what == "function" else last + "".join(reversed(deep.splitlines(True)))
        yield Case(f"nested function expressions in a chain of each {what}", "class A {\n" + text + "}\n" if closing else text, None)
    yield Case("20,000 tests of any", "local x: any = 1\nif x == 1 then print(1)\n" +
               "".join(f"elseif x is string then local y = {i}\n" for i in range(n)) + "end\n", out="1\n")
    yield Case("union of 2,000 classes tested for each", "".join(f"class C{i} {{ x{i}: integer = {i}, }}\n" for i in range(2000)) +
               "function f(x: " + " | ".join(f"C{i}" for i in range(2000)) + "): integer\nif x is C0 then return x.x0\n" +
               "".join(f"elseif x is C{i} then return x.x{i}\n" for i in range(2000)) + "end\nreturn 0\nend\nprint(f(C7()))\n", out="7\n")
    yield Case("5,000 loops of goto in each other", "--!lenient\nlocal x = ...\n" + "".join(f"::l{i}::\n" for i in range(5000)) +
               "".join(f"if x == {i} then goto l{i} end\n" for i in range(5000)) + "print(1)\n", out="1\n")
    yield Case("self goes 5,000 times", "local function g(x: any) end\nclass X {\n" + "".join(f"f{i}: string,\n" for i in range(5000)) + "constructor()\n" +
               "".join(f"f{i} = \"a\" g(self)\n" for i in range(5000)) + "end }\n", "E2546")


def declarations():
    n = 20000
    yield Case("20,000 classes", "".join(f"class C{i} {{ x: integer, function m(): integer -> self.x + {i}, }}\n" for i in range(n)) +
               "print(C7().m())\n", out="7\n")
    yield Case("20,000 interfaces", "".join(f"interface I{i} {{ function m{i}(): integer }}\n" for i in range(n)) + "print(1)\n", out="1\n")
    yield Case("class of 2,000 interfaces", "".join(f"interface I{i} {{ function m{i}(): integer }}\n" for i in range(2000)) + "class C: " +
               ", ".join(f"I{i}" for i in range(2000)) + " {\n" + "".join(f"function m{i}(): integer -> {i},\n" for i in range(2000)) +
               "}\nlocal i: I7 = C()\nprint(i.m7())\n", out="7\n")
    yield Case("class of 2,000 bases", "".join(f"class C{i} {{ }}\n" for i in range(2000)) + "class X: " +
               ", ".join(f"C{i}" for i in range(2000)) + " { }\nprint(X() is C7)\n", out="true\n")
    yield Case("240 diamonds of classes", "class I0 { }\n" + "".join(
        f"class A{i}: I{i} {{ }}\nclass B{i}: I{i} {{ }}\nclass I{i + 1}: A{i}, B{i} {{ }}\n" for i in range(80)) + "print(I80() is I0)\n", out="true\n")
    yield Case("20,000 methods", "class X {\n" + "".join(f"function f{i}(): integer -> {i},\n" for i in range(n)) + "}\nprint(X().f9())\n", out="9\n")
    yield Case("20,000 static fields", "class X {\n" + "".join(f"static f{i}: integer = {i},\n" for i in range(n)) + "}\nprint(X.f9)\n", out="9\n")
    yield Case("20,000 fields", "class X {\n" + "".join(f"f{i}: integer,\n" for i in range(n)) + "}\n", "E2546")
    yield Case("20,000 members of an enum", "enum E { " + ", ".join(f"a{i} = {3 * i}" for i in range(n)) + " }\nprint(E.a7, 21 as E)\n",
               out="E.a7\tE.a7\n")
    yield Case("5,000 members of one name", "enum E { " + "a, " * 5000 + "}\nclass X { " + "x: integer, " * 5000 + "}\n", "error")
    yield Case("1,500 constructors", "".join(f"class C{i} {{ }}\n" for i in range(1500)) + "class X {\n" +
               "".join(f"implicit constructor(a: C{i}) end,\n" for i in range(1500)) + "}\nlocal x: X = C7()\nprint(X(C8()) is X)\n", out="true\n")
    yield Case("20,000 type parameters", "function f<" + ", ".join(f"T{i}" for i in range(n)) + ">() end\n", None)
    yield Case("20,000 type arguments", "class C<T> { }\nlocal a: C<" + "number, " * n + "number>\n", "E2402")
    yield Case("3,000 lists of type arguments", "class C<T> { x: T?, function m(): T? -> self.x, }\n" +
               "".join(f"class D{i} {{ }}\nlocal c{i} = C<D{i}>().m()\n" for i in range(3000)) + "print(1)\n", out="1\n")
    yield Case("growing generic class", "class A<T> { n: A<Array<T>>?, }\nlocal a = A<number>()\n", "E2608")
    yield Case("growing generic method", "class A<T> { function f(): A<A<T>> -> A<A<T>>() }\nlocal a = A<number>()\n", "E2608")
    yield Case("growing generic function", "function f<T>(x: T, n: integer)\nif n > 0 then f({x}, n - 1) end\nend\nf(1, 3)\n", "E2608")
    yield Case("growing base", "class A<T>: A<Array<T>> { }\nlocal a = A<number>()\n", "E2503")
    yield Case("growing interface", "interface I<T>: I<Array<T>> { }\nclass A: I<number> { }\n", "E2503")
    yield Case("bound that bounds itself", "function f<T: U, U: T>(x: T) end\nf(1)\n", "E2602")


def all_cases(slow):
    for source in (files(), long_lines(50 << 20 if slow else 1 << 20), deep_nesting(), chains(), many(), bodies(), declarations()):
        yield from source


DIAGNOSTIC = re.compile(r"^(\S[^:\n]*:\d+:\d+: error\[E\d+\]|luapp: |\S+:\d+: )", re.M)


def command_line(luapp, command, path):
    if command == "build":
        return [luapp, "build", path, "-o", "out.lbc"]
    if command in STAGES:
        return [luapp, "disasm", f"--emit={command}", path]
    return [luapp, command, path]


def judge(case, command, status, out, err, took, seconds):
    """What is wrong with one run, or None."""
    if took > seconds:
        return f"took {took:.1f} s"
    if status not in (0, 1):
        return f"exit status {status}: {err[-300:]}"
    if "runtime error:" in err or "Sanitizer" in err:
        return f"sanitizer: {err[:600]}"
    if status == 1 and not DIAGNOSTIC.search(err):
        return f"exit status 1 without a message: {err[:300]!r}"
    if command == "tokens":
        return None
    compiled_only = command != "run"
    if command in ("ast", "ast-dot"):
        if case.wants == "ok" and status != 0:
            return f"should parse: {err[:300]}"
        return None
    if case.wants == "ok" and status != 0 and (compiled_only or not case.run_fails):
        return f"should be right: {err[:300]}"
    if case.wants not in ("ok", None):
        if status != 1:
            return "should be refused"
        if case.wants != "error" and case.wants not in err:
            return f"message lacks {case.wants!r}: {err[:300]}"
    if command == "run" and case.run_fails and (status != 1 or case.run_fails not in err):
        if case.wants is not None or status == 0:
            return f"should fail with {case.run_fails!r}: {err[:300]}"
    if case.out is not None and status != 0:
        return f"should be right: {err[:300]}"
    if command == "run" and case.out is not None and out != case.out:
        return f"printed {out[:100]!r}, wanted {case.out[:100]!r}"
    return None


def run_case(case, luapp, seconds, verbose):
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        path = case.path or "p.luapp"
        if not case.path:
            with open(os.path.join(folder, path), "wb") as f:
                f.write(case.data)
        for command in COMMANDS:
            if command in case.skip:
                continue
            start = time.monotonic()
            try:
                p = subprocess.run(command_line(luapp, command, path), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                                   timeout=seconds * 2, check=False)
                took = time.monotonic() - start
                out, err = p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")
                why = judge(case, command, p.returncode, out, err, took, seconds)
                if verbose:
                    print(f"  {took:6.2f}  {p.returncode}  {command:8} {case.name}: {err[:160]!r}")
            except subprocess.TimeoutExpired:
                why = f"no end after {seconds * 2} s"
            if why:
                problems.append(f"{command}: {why}")
    return problems


def no_permission(luapp):
    """A file that may not be read; root reads everything, so only without root."""
    if os.geteuid() == 0:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "p.luapp")
        with open(path, "w", encoding="utf-8") as f:
            f.write("print(1)\n")
        os.chmod(path, 0)
        p = subprocess.run([luapp, "run", path], capture_output=True, text=True, check=False)
        return [] if p.returncode == 1 and "cannot read" in p.stderr else [f"run: {p.returncode} {p.stderr}"]


def output_through_link(luapp):
    """An output that is no plain file is written to, not replaced."""
    with tempfile.TemporaryDirectory() as folder:
        path, target, link = (os.path.join(folder, name) for name in ("p.luapp", "target", "link"))
        with open(path, "w", encoding="utf-8") as f:
            f.write("print(1)\n")
        os.symlink(target, link)
        p = subprocess.run([luapp, "build", path, "-o", link], capture_output=True, text=True, check=False)
        fine = p.returncode == 0 and os.path.islink(link) and os.path.isfile(target)
        return [] if fine else [f"build: {p.returncode} {p.stderr}"]


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("luapp")
    ap.add_argument("--only", default="")
    ap.add_argument("--seconds", type=float, default=10)
    ap.add_argument("--slow", action="store_true")
    ap.add_argument("-v", dest="verbose", action="store_true")
    a = ap.parse_args()
    luapp = os.path.abspath(a.luapp)
    with open(luapp, "rb") as f:
        if b"__asan_init" in f.read():
            # The frames of an instrumented build are several times as large; the depth that is tested for is that of others.
            resource.setrlimit(resource.RLIMIT_STACK, (64 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    cases = [c for c in all_cases(a.slow) if a.only in c.name]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for case, problems in zip(cases, pool.map(lambda c: run_case(c, luapp, a.seconds, a.verbose), cases)):
            for problem in problems:
                print(f"{case.name}: {problem}")
            failed += bool(problems)
    for name, alone in (("no permission", no_permission), ("output through a link", output_through_link)):
        for problem in alone(luapp):
            print(f"{name}: {problem}")
            failed += 1
    print(f"{len(cases) - failed} of {len(cases)} cases passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
