#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "lib_testing.h"
#include "runtime/lib/builtin_table.h"
#include "runtime/lib/signature_parser.h"

using namespace luapp::rt;
using luapp::rt::testing::LibraryState;

TEST_CASE("builtins.def: every signature can be read") {
    LibraryState s;
    for (unsigned i = 0; i < kBuiltinCount; i++) {
        const BuiltinInfo& b = builtinInfo(i);
        CAPTURE(b.name);
        if (b.form == BuiltinForm::Value) continue;
        ParsedSignature parsed;
        CHECK(parseSignature(*s, b.signature, nullptr, 0, parsed));
        // The count made from the text at compile time agrees with the parser's.
        CHECK(kBuiltinTable.fixedParams[i] == parsed.paramCount + (b.needsType() ? 1 : 0));
        if (b.form == BuiltinForm::Case) CHECK(builtinInfo(i - 1).name == b.name);
    }
}

TEST_CASE("builtins.def: lookup by name") {
    CHECK(builtinInfo(static_cast<unsigned>(findBuiltin("string.gsub"))).name == "string.gsub");
    CHECK(findBuiltin("Array.push") >= 0);
    CHECK(findBuiltin("string.nothing") == -1);
    CHECK(findBuiltin("") == -1);
    CHECK(kBuiltinTable.findMember("Array", "length").isProperty);
    CHECK(kBuiltinTable.findMember("Table", "keys").index == static_cast<int>(BuiltinId::TableKeys));
    CHECK(kBuiltinTable.findMember("Table", "nothing").index == -1);
}

TEST_CASE("base: conversions and types") {
    LibraryState s;
    CHECK(s.call("tostring", 12.5) == "12.5");
    CHECK(s.call("tostring", Value::nil()) == "nil");
    CHECK(s.call("tonumber", "0x10") == "16");
    CHECK(s.call("tonumber", " 12 ") == "12");
    CHECK(s.call("tonumber", "12x") == "nil");
    CHECK(s.call("tonumber", "ff", 16) == "255");
    CHECK(s.call("tonumber", "zz", 36) == "1295");
    CHECK(s.call("tonumber", "2", 2) == "nil");
    CHECK(s.call("tonumber", "1", 99) == "error: bad argument #2 to 'tonumber' (base out of range)");
    CHECK(s.call("type", 1) == "number");
    CHECK(s.call("type", s.numbers(1)) == "array");
    CHECK(s.call("type", s.list()) == "table");
    CHECK(s.call("type", s.function("print")) == "function");
    CHECK(s.call("typeof", s.numbers(1)) == "Array<number>");
}

TEST_CASE("base: select, assert, error, pcall") {
    LibraryState s;
    CHECK(s.call("select", "#", 1, Value::nil()) == "2");
    CHECK(s.call("select", 2, 1, 2, 3) == "2, 3");
    CHECK(s.call("select", -1, 1, 2, 3) == "3");
    CHECK(s.call("select", 5, 1) == "");
    CHECK(s.call("select", 0, 1) == "error: bad argument #1 to 'select' (index out of range)");
    CHECK(s.call("assert", 1, 2) == "1, 2");
    CHECK(s.call("assert", false) == "error: assertion failed!");
    CHECK(s.call("assert", Value::nil(), "no") == "error: no");
    CHECK(s.call("error", "boom", 0) == "error: boom");
    CHECK(s.call("error", s.list()) == "error: (a table)");
    CHECK(s.call("pcall", s.function("error"), "boom", 0) == "false, boom");
    CHECK(s.call("pcall", s.function("select"), 2, 1, 2, 3) == "true, 2, 3");
    CHECK(s.call("pcall", Value::nil()) == "false, attempt to call a nil value");
    CHECK(s.call("pcall", s.function("pcall"), s.function("error"), "x", 0) == "true, false, x");
    CHECK(s.call("xpcall", s.function("error"), s.function("string.upper"), "boom", 0) == "false, BOOM");
}

TEST_CASE("base: traversal") {
    LibraryState s;
    const Value t = s.list("a", "b");
    CHECK(s.call("next", t) == "1, a");
    CHECK(s.call("next", t, 1) == "2, b");
    CHECK(s.call("next", t, 2) == "nil");
    CHECK(s.call("next", t, "x") == "error: invalid key to 'next'");
    CHECK(s.call("next", s.numbers(7, 8)) == "0, 7");
    CHECK(s.call("next", s.numbers(7, 8), 1) == "nil");
    CHECK(s.call("ipairs", 5) == "error: bad argument #1 to 'ipairs' (table expected, got number)");
    s.call("ipairs", s.numbers(7));
    const Value step = s.first();
    CHECK(s.callValue(step, s.numbers(7), -1) == "0, 7");
    CHECK(s.callValue(step, s.numbers(7), 0) == "nil");
    CHECK(s.callValue(step, t, 0) == "1, a");
    CHECK(s.call("rawlen", t) == "2");
    CHECK(s.call("unpack", t, 2) == "b");
    CHECK(s.call("collectgarbage") == "0");
    CHECK(s.call("collectgarbage", "nothing") == "error: bad argument #1 to 'collectgarbage' (invalid option)");
    CHECK(s.call("collectgarbage", "stats").starts_with("Table") == s.first().is(Kind::Table));
}

TEST_CASE("math and bit32") {
    LibraryState s;
    CHECK(s.call("math.floor", -1.5) == "-2");
    CHECK(s.call("math.ceil", 1.2) == "2");
    CHECK(s.call("math.floor", 1e300).starts_with("error: the result of math.floor"));
    CHECK(s.call("math.max", 1, 5, 3) == "5");
    CHECK(s.call("math.min", 1, -5, 3) == "-5");
    CHECK(s.call("math.fmod", -7, 3) == "-1");
    CHECK(s.call("math.modf", -3.5) == "-3, -0.5");
    CHECK(s.call("math.frexp", 8) == "0.5, 4");
    CHECK(s.call("math.ldexp", 0.5, 4) == "8");
    CHECK(s.call("math.log", 8, 2) == "3");
    CHECK(s.call("math.tointeger", 3.5) == "nil");
    CHECK(s.call("math.tointeger", 3) == "3");
    CHECK(s.call("math.tointeger", "3") == "nil");
    s.call("math.randomseed", 42);
    const std::string first = s.call("math.random", 1000000);
    s.call("math.randomseed", 42);
    CHECK(s.call("math.random", 1000000) == first);
    for (int i = 0; i < 100; i++) {
        s.call("math.random", -3, 3);
        CHECK(s.first().asNumber() >= -3);
        CHECK(s.first().asNumber() <= 3);
    }
    CHECK(s.call("math.random", 0) == "error: bad argument #1 to 'random' (interval is empty)");
    CHECK(s.call("bit32.band", 0xFF, 0x0F, 0x3C) == "12");
    CHECK(s.call("bit32.band") == "4294967295");
    CHECK(s.call("bit32.bor", -1, 0) == "4294967295");
    CHECK(s.call("bit32.bnot", 0) == "4294967295");
    CHECK(s.call("bit32.bxor", 5, 3) == "6");
    CHECK(s.call("bit32.btest", 5, 2) == "false");
    CHECK(s.call("bit32.lshift", 1, 31) == "2147483648");
    CHECK(s.call("bit32.lshift", 1, 32) == "0");
    CHECK(s.call("bit32.rshift", -1, 28) == "15");
    CHECK(s.call("bit32.arshift", 0x80000000, 31) == "4294967295");
    CHECK(s.call("bit32.lrotate", 0x80000001, 1) == "3");
    CHECK(s.call("bit32.rrotate", 1, 1) == "2147483648");
    CHECK(s.call("bit32.extract", 0xABCD, 4, 8) == "188");
    CHECK(s.call("bit32.replace", 0, 0xF, 4, 4) == "240");
    CHECK(s.call("bit32.extract", 1, 31, 2) == "error: trying to access non-existent bits");
    CHECK(s.call("bit32.band", 1.5) == "error: bad argument #1 to 'band' (number has no integer representation)");
    CHECK(s.call("bit32.band", 1099511627776.0 + 3, 7) == "3");
}

TEST_CASE("coroutines") {
    LibraryState s;
    s.call("coroutine.create", s.function("coroutine.yield"));
    const Value co = s.first();
    CHECK(s.call("coroutine.status", co) == "suspended");
    CHECK(s.call("coroutine.resume", co, 1, 2) == "true, 1, 2");
    CHECK(s.call("coroutine.resume", co, 3) == "true, 3");
    CHECK(s.call("coroutine.status", co) == "dead");
    CHECK(s.call("coroutine.resume", co) == "false, cannot resume dead coroutine");
    s.call("coroutine.wrap", s.function("error"));
    CHECK(s.callValue(s.first(), "boom", 0) == "error: boom");
    CHECK(s.call("coroutine.running") == "nil");
    CHECK(s.call("coroutine.isyieldable") == "false");
    CHECK(s.call("coroutine.yield", 1) == "error: attempt to yield from outside a coroutine");
    CHECK(s.call("coroutine.create", 1) == "error: bad argument #1 to 'create' (function expected, got number)");
}

TEST_CASE("io: files") {
    LibraryState s;
    s.call("os.tmpname");
    const std::string path(s.first().asString()->view());
    s.call("io.open", path, "w");
    Value file = s.first();
    CHECK(s.call("io.type", file) == "file");
    CHECK(s.call("File.write", file, "first\nsecond\n", 12.5, " 0x1F rest\nlast").starts_with("file (0x"));
    CHECK(s.call("File.close", file) == "true");
    CHECK(s.call("io.type", file) == "closed file");
    CHECK(s.call("File.write", file, "x") == "error: attempt to use a closed file");
    s.call("io.open", path);
    file = s.first();
    CHECK(s.call("File.read", file) == "first");
    CHECK(s.call("File.read", file, "*L") == "second\n");
    CHECK(s.call("File.read", file, "n", "n", 3) == "12.5, 31,  re");
    CHECK(s.call("File.read", file, 0) == "");
    CHECK(s.call("File.seek", file, "set", 2).starts_with("2"));
    CHECK(s.call("File.read", file, "a") == "rst\nsecond\n12.5 0x1F rest\nlast");
    CHECK(s.call("File.read", file, "a") == "");
    CHECK(s.call("File.read", file, "l") == "nil");
    CHECK(s.call("File.read", file, 0) == "nil");
    CHECK(s.call("File.read", file, "x") == "error: bad argument #1 to 'read' (invalid format)");
    s.call("File.close", file);
    s.call("io.lines", path);
    const Value lines = s.first();
    CHECK(s.callValue(lines) == "first");
    CHECK(s.callValue(lines) == "second");
    CHECK(s.callValue(lines) == "12.5 0x1F rest");
    CHECK(s.callValue(lines) == "last");
    CHECK(s.callValue(lines) == "nil");
    CHECK(s.callValue(lines) == "error: file is already closed");
    CHECK(s.call("os.remove", path).starts_with("true"));
    CHECK(s.call("io.open", path) == "nil, " + path + ": No such file or directory, 2");
    CHECK(s.call("io.lines", path) == "error: " + path + ": No such file or directory");
    CHECK(s.call("io.open", path, "q") == "error: bad argument #2 to 'open' (invalid mode)");
}

TEST_CASE("io: long lines and pipes") {
    LibraryState s;
    s.call("io.tmpfile");
    const Value file = s.first();
    const std::string text(10000, 'y');
    s.call("File.write", file, text + "\n" + text);
    s.call("File.seek", file, "set");
    CHECK(s.call("File.read", file) == text);
    CHECK(s.call("File.read", file, 20000) == text);
    CHECK(s.call("File.read", file) == "nil");
    s.call("io.popen", "echo hello");
    CHECK(s.call("File.read", s.first(), "a") == "hello\n");
}

TEST_CASE("os") {
    LibraryState s;
    CHECK(s.call("os.date", "!%Y-%m-%d %H:%M:%S", 0) == "1970-01-01 00:00:00");
    CHECK(s.call("os.date", "%Ez").starts_with("error: "));
    s.call("os.date", "!*t", 86400);
    const Value date = s.first();
    CHECK(s.call("rawget", date, "day") == "2");
    CHECK(s.call("rawget", date, "isdst") == "false");
    CHECK(s.call("os.time", s.list()) == "error: field 'day' missing in date table");
    CHECK(s.call("os.getenv", "LUAPP_SURELY_NOT_SET") == "nil");
    CHECK(s.call("os.setlocale", "C") == "C");
    CHECK(s.call("os.setlocale", "xx_YY") == "nil");
    CHECK(s.call("os.difftime", 5, 3) == "2");
    CHECK(s.call("os.clock") != "");
}
