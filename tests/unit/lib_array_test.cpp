#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "lib_testing.h"
#include "runtime/lib/merge_sort.h"

using namespace luapp::rt;
using luapp::base::Word;
using luapp::rt::testing::LibraryState;

TEST_CASE("mergeSort: sorts, stably") {
    uint64_t seed = 7;
    for (size_t n : {0u, 1u, 2u, 7u, 8u, 9u, 100u, 1000u, 4096u}) {
        std::vector<Word> words(n), room(n);
        for (size_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            words[i] = (seed >> 60) << 32 | i;  // 16 keys, the position below
        }
        std::vector<Word> expected = words;
        std::sort(expected.begin(), expected.end());
        const Word* sorted = mergeSort(words.data(), room.data(), n, [](Word a, Word b) { return a >> 32 < b >> 32; });
        CHECK(std::equal(expected.begin(), expected.end(), sorted));
    }
}

TEST_CASE("mergeSort: an inconsistent order loses no element") {
    for (unsigned kind = 0; kind < 3; kind++) {
        std::vector<Word> words(500), room(500);
        for (size_t i = 0; i < words.size(); i++) words[i] = i;
        uint64_t seed = 1;
        Word* sorted = mergeSort(words.data(), room.data(), words.size(), [&](Word, Word) {
            seed = seed * 6364136223846793005u + 1;
            return kind == 0 || (kind == 1 && (seed >> 63) != 0);
        });
        std::sort(sorted, sorted + words.size());
        for (size_t i = 0; i < words.size(); i++) CHECK(sorted[i] == i);
    }
}

TEST_CASE("Array: members") {
    LibraryState s;
    const Value a = s.numbers(3, 1, 2);
    CHECK(s.call("Array.push", a, 5, 4) == "");
    CHECK(s.call("Array.concat", a, " ") == "3 1 2 5 4");
    CHECK(s.call("Array.sort", a) == "");
    CHECK(s.call("Array.concat", a, " ") == "1 2 3 4 5");
    CHECK(s.call("Array.pop", a) == "5");
    CHECK(s.call("Array.insert", a, 0, 9) == "");
    CHECK(s.call("Array.insert", a, 5, 8) == "");
    CHECK(s.call("Array.insert", a, 7, 8) == "error: index 7 is out of range for writing to an array of 6");
    CHECK(s.call("Array.concat", a, ",") == "9,1,2,3,4,8");
    CHECK(s.call("Array.remove", a, 1) == "1");
    CHECK(s.call("Array.remove", a, 5) == "error: index 5 is out of range for an array of 5");
    CHECK(s.call("Array.reverse", a) == "");
    CHECK(s.call("Array.concat", a, ",") == "8,4,3,2,9");
    CHECK(s.call("Array.indexOf", a, 3) == "2");
    CHECK(s.call("Array.indexOf", a, 77) == "nil");
    CHECK(s.call("Array.contains", a, 9) == "true");
    CHECK(s.call("Array.first", a) == "8");
    CHECK(s.call("Array.last", a) == "9");
    s.call("Array.slice", a, 1, 3);
    CHECK(s.call("Array.concat", s.first(), ",") == "4,3");
    CHECK(s.call("Array.slice", a, 3, 2) == "error: range 3 to 2 is out of range for an array of 5");
    s.call("Array.slice", a, 1);
    CHECK(s.call("Array.concat", s.first(), ",") == "4,3,2,9");
    s.call("Array.join", a, s.numbers(7));
    CHECK(s.call("Array.concat", s.first(), ",") == "8,4,3,2,9,7");
    CHECK(s.call("Array.fill", a, 0) == "");
    CHECK(s.call("Array.concat", a, ",") == "0,0,0,0,0");
    CHECK(s.call("Array.clear", a) == "");
    CHECK(s.call("Array.first", a) == "nil");
    CHECK(s.call("Array.pop", a) == "error: the array is empty");
    CHECK(s.call("Array.push", a, "x").starts_with("error: "));
}

TEST_CASE("Array: strings, callbacks") {
    LibraryState s;
    const Value a = s.strings("pear", "apple", "fig");
    CHECK(s.call("Array.indexOf", a, "apple") == "1");
    CHECK(s.call("Array.sort", a) == "");
    CHECK(s.call("Array.concat", a, " ") == "apple fig pear");
    s.call("Array.map", a, s.function("string.upper"));
    const Value upper = s.first();
    CHECK(s.call("typeof", upper) == "Array<string>");
    CHECK(s.call("Array.concat", upper, " ") == "APPLE FIG PEAR");
    s.call("Array.map", a, s.function("string.len"));
    const Value lengths = s.first();
    CHECK(s.call("typeof", lengths) == "Array<integer>");
    CHECK(s.call("Array.concat", lengths, " ") == "5 3 4");
}

TEST_CASE("Table: members") {
    LibraryState s;
    State& state = *s;
    const TypeDesc* type = state.types.tableOf(state.types.basic(TypeKind::String), state.types.basic(TypeKind::Number));
    Table* t = newTable(state, type, 0);
    setString(state, t, newString(state, "one"), wordOf(1.0));
    setString(state, t, newString(state, "two"), wordOf(2.0));
    const Value table = Value::object(t);
    CHECK(s.call("Table.has", table, "one") == "true");
    CHECK(s.call("Table.has", table, "three") == "false");
    CHECK(s.call("Table.get", table, "three", 3) == "3");
    CHECK(s.call("Table.get", table, "two", 3) == "2");
    s.call("Table.keys", table);
    const Value keys = s.first();
    CHECK(s.call("typeof", keys) == "Array<string>");
    CHECK(s.call("Array.concat", keys, " ") == "one two");
    s.call("Table.values", table);
    CHECK(s.call("Array.concat", s.first(), " ") == "1 2");
    s.call("Table.copy", table);
    const Value copy = s.first();
    CHECK(s.call("Table.remove", table, "one") == "1");
    CHECK(s.call("Table.remove", table, "one") == "nil");
    CHECK(s.call("len", table) == "1");
    CHECK(s.call("len", copy) == "2");
    CHECK(s.call("Table.clear", table) == "");
    CHECK(s.call("len", table) == "0");
}

TEST_CASE("table library") {
    LibraryState s;
    const Value t = s.list("a", "b");
    CHECK(s.call("table.insert", t, "d") == "");
    CHECK(s.call("table.insert", t, 3, "c") == "");
    CHECK(s.call("table.concat", t, "-") == "a-b-c-d");
    CHECK(s.call("table.concat", t, "", 2, 3) == "bc");
    CHECK(s.call("table.remove", t, 1) == "a");
    CHECK(s.call("table.remove", t) == "d");
    CHECK(s.call("table.unpack", t) == "b, c");
    CHECK(s.call("table.insert", t) == "error: wrong number of arguments to 'insert'");
    const Value numbers = s.list(3, 1, 2);
    CHECK(s.call("table.sort", numbers) == "");
    CHECK(s.call("table.concat", numbers, " ") == "1 2 3");
    CHECK(s.call("table.sort", s.list(1, "x")) == "error: attempt to compare string with number");
    CHECK(s.call("table.maxn", numbers) == "3");
    CHECK(s.call("table.concat", s.list(true)) == "error: invalid value (boolean) at index 1 in table for 'concat'");
    s.call("table.pack", 1, Value::nil(), 3);
    CHECK(s.call("rawget", s.first(), "n") == "3");
    const Value array = s.numbers(1, 2);
    CHECK(s.call("table.insert", array, 0, 5) == "");
    CHECK(s.call("table.unpack", array) == "5, 1, 2");
    CHECK(s.call("table.concat", array, ",") == "5,1,2");
}
