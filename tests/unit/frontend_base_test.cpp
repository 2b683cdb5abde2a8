// Arena, interner, source positions, suggestions, UTF-8.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "frontend/base/arena.h"
#include "frontend/base/interner.h"
#include "frontend/base/source.h"
#include "frontend/base/utf8.h"
#include "frontend/diag/suggest.h"

using namespace luapp::frontend;

TEST_CASE("arena: objects are aligned and keep their values") {
    Arena arena;
    std::vector<double*> numbers;
    for (int i = 0; i < 200000; ++i) {
        arena.allocate(size_t(1 + i % 7), 1);
        numbers.push_back(arena.make<double>(double(i)));
    }
    for (size_t i = 0; i < numbers.size(); ++i) {
        CHECK_EQ(reinterpret_cast<uintptr_t>(numbers[i]) % alignof(double), 0);
        REQUIRE_EQ(*numbers[i], double(i));
    }
    CHECK_GT(arena.bytesUsed(), numbers.size() * sizeof(double));
    auto* large = static_cast<char*>(arena.allocate(size_t(10) << 20, 16));
    large[(size_t(10) << 20) - 1] = 1;
}

TEST_CASE("arena: lists and texts are copies") {
    Arena arena;
    std::vector<int> items{1, 2, 3};
    const List<int> list = arena.makeList(std::span<const int>(items));
    items[0] = 9;
    CHECK_EQ(list.size(), 3);
    CHECK_EQ(list[0], 1);
    CHECK_EQ(list.back(), 3);
    CHECK(arena.makeList(std::span<const int>()).empty());
    std::string text = "abc";
    const std::string_view copy = arena.copyText(text);
    text[0] = 'x';
    CHECK_EQ(copy, "abc");
}

TEST_CASE("interner: one symbol per text") {
    Interner interner;
    std::vector<Symbol> symbols;
    for (int i = 0; i < 20000; ++i) symbols.push_back(interner.intern("name" + std::to_string(i)));
    for (int i = 0; i < 20000; ++i) {
        const std::string text = "name" + std::to_string(i);
        REQUIRE_EQ(interner.intern(text).id, symbols[size_t(i)].id);
        REQUIRE_EQ(interner.text(symbols[size_t(i)]), text);
    }
    CHECK_FALSE(interner.intern("").isValid());
    CHECK_FALSE(interner.find("never seen").isValid());
    CHECK(interner.find("name7") == symbols[7]);
    CHECK_NE(interner.intern(std::string("a\0b", 3)).id, interner.intern("a").id);
    interner.setTag(symbols[3], 42);
    CHECK_EQ(interner.tag(symbols[3]), 42);
    CHECK_EQ(interner.tag(symbols[4]), 0);
}

TEST_CASE("source: lines and columns") {
    SourceManager sources;
    const SourceFile* first = sources.addFile("a.luapp", "one\ntwo\r\n\rfour");
    const SourceFile* second = sources.addFile("b.lua", "");
    REQUIRE(first);
    REQUIRE(second);
    CHECK_EQ(first->lineCount(), 4);
    CHECK_EQ(first->lineText(1), "one");
    CHECK_EQ(first->lineText(2), "two");
    CHECK_EQ(first->lineText(3), "");
    CHECK_EQ(first->lineText(4), "four");
    const LineColumn at = first->lineColumn(first->begin() + 5);
    CHECK_EQ(at.line, 2);
    CHECK_EQ(at.column, 2);
    CHECK_EQ(first->lineOf(first->end()), 4);
    CHECK_EQ(sources.fileOf(second->begin()), second);
    CHECK_EQ(sources.fileOf(first->end()), first);
    CHECK_EQ(sources.fileOf(Loc{}), nullptr);
    CHECK_FALSE(first->isLuaFile());
    CHECK(second->isLuaFile());
    CHECK_EQ(sources.textOf({first->begin(), first->begin() + 3}), "one");
}

TEST_CASE("suggestions: the nearest word, or none") {
    CHECK_EQ(editDistance("kitten", "sitting", 5), 3);
    CHECK_EQ(editDistance("ab", "ba", 5), 1);
    CHECK_EQ(editDistance("abcdef", "uvwxyz", 2), 3);
    const auto best = [](std::string_view wanted, std::vector<std::string_view> words) {
        Suggester suggester(wanted);
        for (const std::string_view word : words) suggester.offer(word);
        return std::string(suggester.best());
    };
    CHECK_EQ(best("lenint", {"comment", "lenient", "carrays"}), "lenient");
    CHECK_EQ(best("Length", {"size", "length"}), "length");
    CHECK_EQ(best("xyz", {"comment", "lenient"}), "");
    CHECK_EQ(best("a", {"b", "c"}), "");
}

TEST_CASE("utf-8: valid and invalid sequences") {
    CHECK_EQ(decodeUtf8("a").codePoint, 'a');
    CHECK_EQ(decodeUtf8("\xE2\x82\xAC").codePoint, 0x20AC);
    CHECK_EQ(decodeUtf8("\xF0\x9F\x98\x80").length, 4);
    CHECK_EQ(decodeUtf8("\xC0\x80").length, 0);      // overlong
    CHECK_EQ(decodeUtf8("\xED\xA0\x80").length, 0);  // surrogate
    CHECK_EQ(decodeUtf8("\xE2\x82").length, 0);      // cut off
    CHECK_EQ(decodeUtf8("\x80").length, 0);
    std::string text;
    for (uint32_t c : {0x41u, 0xE9u, 0x20ACu, 0x1F600u}) appendUtf8(text, c);
    CHECK_EQ(text, "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    CHECK_EQ(displayWidth(0x4E2D), 2);
    CHECK_EQ(displayWidth(0x301), 0);
}
