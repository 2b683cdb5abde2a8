#include <doctest/doctest.h>

#include "lib_testing.h"

using namespace luapp::rt;
using luapp::rt::testing::LibraryState;

TEST_CASE("string: parts, case, repetition") {
    LibraryState s;
    CHECK(s.call("string.sub", "hello", 2, 4) == "ell");
    CHECK(s.call("string.sub", "hello", -3) == "llo");
    CHECK(s.call("string.sub", "hello", 4, 2) == "");
    CHECK(s.call("string.sub", "hello", -100, 100) == "hello");
    CHECK(s.call("string.sub", "hello", 0) == "hello");
    CHECK(s.call("string.upper", "aBc\xE9") == "ABC\xE9");
    CHECK(s.call("string.lower", "aBC") == "abc");
    CHECK(s.call("string.upper", std::string(100, 'a')) == std::string(100, 'A'));
    CHECK(s.call("string.len", std::string_view("a\0b", 3)) == "3");
    CHECK(s.call("string.reverse", "abc") == "cba");
    CHECK(s.call("string.rep", "ab", 3) == "ababab");
    CHECK(s.call("string.rep", "ab", 3, ", ") == "ab, ab, ab");
    CHECK(s.call("string.rep", "", 1000000000) == "");
    CHECK(s.call("string.rep", "", 3, "-") == "--");
    CHECK(s.call("string.rep", "x", 0) == "");
    CHECK(s.call("string.rep", "x", -1) == "");
    CHECK(s.call("string.rep", "xxxxxxxxxx", 1e15) == "error: string length overflow");
    CHECK(s.call("string.byte", "abc", 1, -1) == "97, 98, 99");
    CHECK(s.call("string.byte", "abc", 10) == "");
    CHECK(s.call("string.byte", "abc", -1) == "99");
    CHECK(s.call("string.char", 72, 105) == "Hi");
    CHECK(s.call("string.char") == "");
    CHECK(s.call("string.char", 256) == "error: bad argument #1 to 'char' (invalid value)");
}

TEST_CASE("string.format: integers and floats") {
    LibraryState s;
    CHECK(s.call("string.format", "%d %5d|%-5d|%05d|%+d", 1, 2, 3, 4, 5) == "1     2|3    |00004|+5");
    CHECK(s.call("string.format", "%d", 3.9) == "3");
    CHECK(s.call("string.format", "%d", "10") == "10");
    CHECK(s.call("string.format", "%x %X %#x %o", 255, 255, 255, 8) == "ff FF 0xff 10");
    CHECK(s.call("string.format", "%x", -1) == "ffffffffffffffff");
    CHECK(s.call("string.format", "%.2f %10.3f %-8.1f|", 3.14159, 2.5, 1.25) == "3.14      2.500 1.2     |");
    CHECK(s.call("string.format", "%f %e %g", 1.5, 1.5, 1e20) == "1.500000 1.500000e+00 1e+20");
    CHECK(s.call("string.format", "%.14g", 0.1) == "0.1");
    CHECK(s.call("string.format", "%5.1f|%.0f", -0.04, 2.5) == " -0.0|2");
    CHECK(s.call("string.format", "%.3f", 1.0 / 0.0) == "inf");
    CHECK(s.call("string.format", "%.99f", 1.0).size() == 101);
    CHECK(s.call("string.format", "%a", 1.0) == "0x1p+0");
    CHECK(s.call("string.format", "%c%c", 72, 105) == "Hi");
}

TEST_CASE("string.format: strings and quoting") {
    LibraryState s;
    CHECK(s.call("string.format", "%s|%5s|%-5s|%.2s", "a", "b", "c", "defg") == "a|    b|c    |de");
    CHECK(s.call("string.format", "%s %s %s", true, Value::nil(), 1.5) == "true nil 1.5");
    CHECK(s.call("string.format", "%q", "a\"b\\\n\r") == "\"a\\\"b\\\\\\\n\\r\"");
    CHECK(s.call("string.format", "%q", std::string_view("\0x", 2)) == "\"\\000x\"");
    CHECK(s.call("string.format", "100%%") == "100%");
    CHECK(s.call("string.format", "%s", std::string(1000, 'x')) == std::string(1000, 'x'));
}

TEST_CASE("string.format: errors") {
    LibraryState s;
    CHECK(s.call("string.format", "%d") == "error: bad argument #2 to 'format' (no value)");
    CHECK(s.call("string.format", "%d", "x") == "error: bad argument #2 to 'format' (number expected, got string)");
    CHECK(s.call("string.format", "%y", 1).starts_with("error: invalid conversion '%y'"));
    CHECK(s.call("string.format", "%", 1).starts_with("error: invalid conversion"));
    CHECK(s.call("string.format", "%100d", 1) == "error: invalid format (width or precision too long)");
    CHECK(s.call("string.format", "%.100f", 1) == "error: invalid format (width or precision too long)");
}

TEST_CASE("utf8") {
    LibraryState s;
    CHECK(s.call("utf8.char", 72, 0xE9, 0x20AC, 0x1F600) == "H\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    CHECK(s.call("utf8.char", 0x110000) == "error: bad argument #1 to 'char' (value out of range)");
    CHECK(s.call("utf8.len", "h\xC3\xA9llo") == "5");
    CHECK(s.call("utf8.len", "a\xFF") == "nil, 2");
    CHECK(s.call("utf8.len", "\xED\xA0\x80") == "nil, 1");  // a surrogate
    CHECK(s.call("utf8.len", "\xC0\x80") == "nil, 1");      // overlong
    CHECK(s.call("utf8.codepoint", "h\xC3\xA9", 1, -1) == "104, 233");
    CHECK(s.call("utf8.offset", "a\xC3\xA9z", 3) == "4");
    CHECK(s.call("utf8.offset", "a\xC3\xA9z", -2) == "2");
    CHECK(s.call("utf8.offset", "abc", 5) == "nil");
    s.call("utf8.codes", "a\xC3\xA9");
    const Value codes = s.first();
    CHECK(s.callValue(codes) == "1, 97");
    CHECK(s.callValue(codes) == "2, 233");
    CHECK(s.callValue(codes).starts_with("nil"));
}
