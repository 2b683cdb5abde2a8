// Number values, token positions, and the lexer's state.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "frontend/lex/lexer.h"

using namespace luapp::frontend;

namespace {

struct Lexed {
    explicit Lexed(std::string_view text, std::string name = "test.luapp") : diagnostics(sources) {
        file = sources.addFile(std::move(name), text);
        Lexer lexer(*file, arena, interner, diagnostics);
        Token token;
        do {
            lexer.next(token);
            tokens.push_back(token);
        } while (token.kind != Tok::End);
    }
    Arena arena;
    Interner interner;
    SourceManager sources;
    Diagnostics diagnostics;
    const SourceFile* file;
    std::vector<Token> tokens;
};

double numberOf(std::string_view text) { return Lexed(text).tokens[0].number; }
bool isWhole(std::string_view text) { return Lexed(text).tokens[0].isWhole; }

}  // namespace

TEST_CASE("numbers: values are correctly rounded") {
    CHECK_EQ(numberOf("0"), 0);
    CHECK_EQ(numberOf("9007199254740993"), 9007199254740992.0);
    CHECK_EQ(numberOf("0.1"), 0.1);
    CHECK_EQ(numberOf("2.2250738585072011e-308"), 2.2250738585072011e-308);
    CHECK_EQ(numberOf("4.9e-324"), 4.9e-324);
    CHECK_EQ(numberOf("1e-400"), 0.0);
    CHECK_EQ(numberOf("1e400"), HUGE_VAL);
    CHECK_EQ(numberOf("0." + std::string(400, '0') + "1e401"), 1.0);
    CHECK_EQ(numberOf("0x1.8p1"), 3.0);
    CHECK_EQ(numberOf("0xFFFFFFFFFFFFFFFFF"), 295147905179352825855.0);
    CHECK_EQ(numberOf("0b" + std::string(64, '1')), 18446744073709551615.0);
    CHECK_EQ(numberOf("1_000_000.5"), 1000000.5);
    CHECK_EQ(numberOf("5."), 5.0);
    CHECK_EQ(numberOf(".5"), 0.5);
}

TEST_CASE("numbers: random decimals agree with strtod") {
    std::mt19937_64 random(7);
    for (int i = 0; i < 2000; ++i) {
        std::string text = std::to_string(random() >> (random() % 60)) + "." + std::to_string(random() % 1000000);
        if (random() % 2) text += "e" + std::to_string(int(random() % 600) - 300);
        REQUIRE_EQ(numberOf(text), std::strtod(text.c_str(), nullptr));
    }
}

TEST_CASE("numbers: whole literals up to 2^53") {
    CHECK(isWhole("0"));
    CHECK(isWhole("9007199254740992"));
    CHECK_FALSE(isWhole("9007199254740994"));
    CHECK_FALSE(isWhole("1.0"));
    CHECK_FALSE(isWhole("1e3"));
    CHECK(isWhole("0xFF"));
    CHECK(isWhole("0b11"));
    CHECK_FALSE(isWhole("0xFFFFFFFFFFFFFFFF"));
}

TEST_CASE("positions: ranges and line breaks") {
    const Lexed lexed("ab  cd\n--[[ x\n]] ef");
    REQUIRE_EQ(lexed.tokens.size(), 4);
    CHECK(lexed.tokens[0].newlineBefore);
    CHECK_FALSE(lexed.tokens[1].newlineBefore);
    CHECK(lexed.tokens[1].spaceBefore);
    CHECK(lexed.tokens[2].newlineBefore);
    CHECK_EQ(lexed.file->textOf(lexed.tokens[2].range), "ef");
    CHECK_EQ(lexed.file->lineOf(lexed.tokens[2].range.begin), 3);
}

TEST_CASE("line ends: each of the four forms is one line") {
    for (const char* end : {"\n", "\r", "\r\n", "\n\r"}) {
        std::string text = "a";
        text += end;
        text += "s = [=[";
        text += end;
        text += "x";
        text += end;
        text += "]=] b";
        const Lexed lexed(text);
        CHECK_EQ(lexed.tokens[3].text, "x\n");
        CHECK_EQ(lexed.file->lineOf(lexed.tokens[4].range.begin), 4);
    }
}

TEST_CASE("strings: any bytes pass through") {
    const Lexed lexed(std::string_view("'\xFF\0\x80'", 5));
    CHECK_EQ(lexed.tokens[0].text, std::string_view("\xFF\0\x80", 3));
    CHECK_FALSE(lexed.diagnostics.hasErrors());
}

TEST_CASE("strings: a line of 50 MB") {
    const std::string text = "x = '" + std::string(size_t(50) << 20, 'a') + "'";
    const Lexed lexed(text);
    REQUIRE_EQ(lexed.tokens.size(), 4);
    CHECK_EQ(lexed.tokens[2].text.size(), size_t(50) << 20);
}

TEST_CASE("state: restoring reads the same tokens again") {
    SourceManager sources;
    Arena arena;
    Interner interner;
    Diagnostics diagnostics(sources);
    const SourceFile* file = sources.addFile("a.luapp", "a { `x{1}y` } b");
    Lexer lexer(*file, arena, interner, diagnostics);
    Token token;
    for (int i = 0; i < 3; ++i) lexer.next(token);
    REQUIRE(token.kind == Tok::InterpBegin);
    const Lexer::State state = lexer.state();
    std::vector<Tok> first, second;
    for (int i = 0; i < 5; ++i) lexer.next(token), first.push_back(token.kind);
    lexer.restore(state);
    for (int i = 0; i < 5; ++i) lexer.next(token), second.push_back(token.kind);
    CHECK(first == second);
    CHECK(first[1] == Tok::InterpEnd);
}
