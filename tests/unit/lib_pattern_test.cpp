#include <doctest/doctest.h>

#include <string>

#include "lib_testing.h"
#include "runtime/lib/pattern.h"

using namespace luapp::rt;
using luapp::rt::testing::LibraryState;

namespace {

/// "begin..end" of the first match and its captures, or "none".
std::string matched(std::string_view subject, std::string_view pattern, size_t from = 0) {
    if (const char* problem = checkPattern(pattern)) return problem;
    PatternMatcher m(subject, pattern);
    if (!m.search(from)) return m.tooComplex() ? "too complex" : "none";
    std::string out = std::to_string(m.begin()) + ".." + std::to_string(m.end());
    for (unsigned i = 0; i < m.captureCount(); i++) {
        const PatternMatcher::Capture& c = m.capture(i);
        out += ' ';
        out += c.length == PatternMatcher::kPositionCapture ? "@" + std::to_string(m.positionOf(c)) : std::string(c.start, c.length);
    }
    return out;
}

}  // namespace

TEST_CASE("patterns: single items and quantifiers") {
    CHECK(matched("hello", "l") == "2..3");
    CHECK(matched("hello", "l+") == "2..4");
    CHECK(matched("hello", "xl*") == "none");
    CHECK(matched("hello", "hx*e") == "0..2");
    CHECK(matched("hello", "hx?e") == "0..2");
    CHECK(matched("aaab", "a-b") == "0..4");
    CHECK(matched("aaab", "a-") == "0..0");
    CHECK(matched("aaab", "^a*$") == "none");
    CHECK(matched("aaa", "^a*$") == "0..3");
    CHECK(matched("a$b", "a$b") == "0..3");
    CHECK(matched("abc", "^b") == "none");
    CHECK(matched("abc", "") == "0..0");
    CHECK(matched("abc", "", 3) == "3..3");
    CHECK(matched("abc", ".-$") == "0..3");
}

TEST_CASE("patterns: classes and sets") {
    CHECK(matched("ab1", "%d") == "2..3");
    CHECK(matched("ab1", "%D+") == "0..2");
    CHECK(matched("x_1 ", "[%w_]+") == "0..3");
    CHECK(matched("b]c", "[]]") == "1..2");
    CHECK(matched("b]c", "[^]]+") == "0..1");
    CHECK(matched("a-b", "[a-]+") == "0..2");
    CHECK(matched("a-b", "[+--]") == "1..2");
    CHECK(matched("09az", "[0-9a-f]+") == "0..3");
    CHECK(matched("a.b", "%.") == "1..2");
    CHECK(matched(std::string_view("a\0b", 3), "%z") == "1..2");
    CHECK(matched(std::string_view("a\0b", 3), std::string_view("\0b", 2)) == "1..3");
    CHECK(matched("\xE9", "%a") == "none");
    CHECK(matched("a%b", "[%%]") == "1..2");
}

TEST_CASE("patterns: captures, balance, frontier, back references") {
    CHECK(matched("key = value", "(%w+) = (%w+)") == "0..11 key value");
    CHECK(matched("hello", "()ll()") == "2..4 @2 @4");
    CHECK(matched("abcabc", "(abc)%1") == "0..6 abc");
    CHECK(matched("((a)b)", "%b()") == "0..6");
    CHECK(matched("((a)b", "%b()") == "1..4");
    CHECK(matched("THE (quick) fox", "%f[%a]%a+") == "0..3");
    CHECK(matched("THE (quick) fox", "%f[%a]%l+%f[%A]") == "5..10");
    CHECK(matched("nested (a(b)c)", "((%a+)%b())") == "8..12 a(b) a");
    CHECK(matched("x", "((x))") == "0..1 x x");
}

TEST_CASE("patterns: malformed ones are refused") {
    CHECK(matched("a", "%") == "malformed pattern (ends with '%')");
    CHECK(matched("a", "[a") == "malformed pattern (missing ']')");
    CHECK(matched("a", "[]") == "malformed pattern (missing ']')");
    CHECK(matched("a", "[^]") == "malformed pattern (missing ']')");
    CHECK(matched("a", "[a%") == "malformed pattern (missing ']')");
    CHECK(matched("a", "(a") == "unfinished capture");
    CHECK(matched("a", "a)") == "invalid pattern capture");
    CHECK(matched("a", "%1") == "invalid capture index");
    CHECK(matched("a", "(%1)") == "invalid capture index");
    CHECK(matched("a", "%f") == "missing '[' after '%f' in pattern");
    CHECK(matched("a", "%b") == "unbalanced pattern");
    std::string many;
    for (int i = 0; i < 33; i++) many += "()";
    CHECK(matched("a", many) == "too many captures");
}

TEST_CASE("patterns: deep ones end in an answer") {
    std::string optional;
    for (int i = 0; i < 1000; i++) optional += "a?";
    const std::string subject(1000, 'a');
    CHECK(matched(subject, optional) == "too complex");
    const std::string big(300000, 'a');
    CHECK(matched(big, "^a*.?$") == "0..300000");
    CHECK(matched(big, "^a-.?$") == "0..300000");
    CHECK(matched(std::string(3000, 'a'), "(.-)b") == "none");
}

TEST_CASE("string.find, match, gmatch") {
    LibraryState s;
    CHECK(s.call("string.find", "hello", "l+") == "3, 4");
    CHECK(s.call("string.find", "a.b", ".", 1, true) == "2, 2");
    CHECK(s.call("string.find", "abc", "b", -1) == "nil");
    CHECK(s.call("string.find", "abc", "", 10) == "4, 3");
    CHECK(s.call("string.find", "abc", "(b)()") == "2, 2, b, 3");
    CHECK(s.call("string.find", "abc", "[") == "error: malformed pattern (missing ']')");
    CHECK(s.call("string.match", "key=val", "(%w+)=(%w+)") == "key, val");
    CHECK(s.call("string.match", "  x", "^%s*()") == "3");
    CHECK(s.call("string.match", "x", "y") == "nil");
    CHECK(s.call("string.gmatch", "one two", "%a+").starts_with("function"));
    const Value words = s.first();
    CHECK(s.callValue(words) == "one");
    CHECK(s.callValue(words) == "two");
    CHECK(s.callValue(words) == "nil");
    s.call("string.gmatch", "ab", "x*");
    const Value empty = s.first();
    CHECK(s.callValue(empty) == "");
    CHECK(s.callValue(empty) == "");
    CHECK(s.callValue(empty) == "");
    CHECK(s.callValue(empty) == "nil");
}

TEST_CASE("string.gsub") {
    LibraryState s;
    CHECK(s.call("string.gsub", "hello world", "o", "0") == "hell0 w0rld, 2");
    CHECK(s.call("string.gsub", "hello", "", "-") == "-h-e-l-l-o-, 6");
    CHECK(s.call("string.gsub", "abc", "%w", "%0%0") == "aabbcc, 3");
    CHECK(s.call("string.gsub", "abc", "%w", "%%") == "%%%, 3");
    CHECK(s.call("string.gsub", "hello world", "(%w+) (%w+)", "%2 %1") == "world hello, 1");
    CHECK(s.call("string.gsub", "abc", "b*", "x") == "xaxxcx, 4");
    CHECK(s.call("string.gsub", "aaa", "a", "b", 2) == "bba, 2");
    CHECK(s.call("string.gsub", "aaa", "^a", "b") == "baa, 1");
    CHECK(s.call("string.gsub", "abc", "b", s.function("string.upper")) == "aBc, 1");
    CHECK(s.call("string.gsub", "abc", "(b)", "%2") == "error: invalid capture index");
    CHECK(s.call("string.gsub", "abc", "b", true) ==
          "error: bad argument #3 to 'gsub' (string/function/table expected, got boolean)");
    Value names = s.list();
    luaSetString(*s, names.asLuaTable(), newString(*s, "x"), Value::integer(42));
    CHECK(s.call("string.gsub", "$x $y", "%$(%w+)", names) == "42 $y, 2");
}
