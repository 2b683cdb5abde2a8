// Typed and lenient tables against simple models.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "runtime/object/array.h"
#include "runtime/object/lua_table.h"
#include "runtime_testing.h"

using namespace luapp::rt;
using namespace luapp::rt::testing;

namespace {

/// Insertion-ordered dictionary, obviously right.
struct Model {
    std::vector<std::pair<Word, Word>> entries;

    std::pair<Word, Word>* find(Word key) {
        auto it = std::find_if(entries.begin(), entries.end(), [&](auto& e) { return e.first == key; });
        return it == entries.end() ? nullptr : &*it;
    }
    void set(Word key, Word value) {
        if (auto* e = find(key)) {
            e->second = value;
        } else {
            entries.emplace_back(key, value);
        }
    }
    bool remove(Word key) {
        auto* e = find(key);
        if (e == nullptr) return false;
        entries.erase(entries.begin() + (e - entries.data()));
        return true;
    }
};

bool sameEntries(const Table* t, const Model& model) {
    size_t n = 0;
    for (uint32_t i = nextEntry(t, 0); i != kNoEntry; i = nextEntry(t, i + 1)) {
        if (n >= model.entries.size()) return false;
        if (t->entries()[i].key != model.entries[n].first || t->entries()[i].value != model.entries[n].second) return false;
        n++;
    }
    return n == model.entries.size() && n == t->count;
}

const TypeDesc* tableType(State& s, TypeKind value) { return s.types.tableOf(s.types.basic(TypeKind::Any), s.types.basic(value)); }

}  // namespace

TEST_CASE("a table does what a list of pairs does, in the same order") {
    ScopedState s;
    for (uint32_t keyCount : {5u, 12u, 40u, 300u}) {
        Table* t = newTable(*s, tableType(*s, TypeKind::Number), 0);
        // Keys of all kinds, short and long strings included; kept alive by an array.
        Array* keys = newArray(*s, s->types.arrayOf(s->types.basic(TypeKind::Any)), 0);
        for (uint32_t i = 0; i < keyCount; i++) {
            std::string text = (i % 3 == 0 ? std::string(50, 'k') : "k") + std::to_string(i);
            Value v = i % 2 == 0 ? Value::string(newString(*s, text)) : Value::integer(static_cast<int64_t>(i) - 20);
            if (i % 7 == 6) v = Value::object(keys->length == 0 ? keys : newArray(*s, s->types.at(keys->aux), 0));
            arrayPush(*s, keys, v.word());
        }
        Model model;
        Random random(keyCount);
        for (int step = 0; step < 6000; step++) {
            Word key = keys->get(random.below(keyCount));
            Word value = wordOf(static_cast<double>(step));
            switch (random.below(4)) {
                case 0:
                case 1:
                    setKey(*s, t, Value::fromWord(key), value);
                    model.set(key, value);
                    break;
                case 2: CHECK(removeKey(*s, t, Value::fromWord(key)) == model.remove(key)); break;
                case 3: {
                    Word* found = lookupKey(*s, t, Value::fromWord(key));
                    auto* expected = model.find(key);
                    CHECK((found != nullptr) == (expected != nullptr));
                    if (found != nullptr && expected != nullptr) CHECK(*found == expected->second);
                    break;
                }
            }
            if (step % 500 == 0) CHECK(sameEntries(t, model));
        }
        CHECK(sameEntries(t, model));
        CHECK(sameEntries(copyTable(*s, t), model));
        clearTable(*s, t);
        CHECK(t->count == 0);
        CHECK(nextEntry(t, 0) == kNoEntry);
    }
}

TEST_CASE("keys: numbers by value, long strings by content, functions by what they wrap") {
    ScopedState s;
    Table* t = newTable(*s, tableType(*s, TypeKind::Number), 0);
    for (int filler = 0; filler < 2; filler++) {
        setNumber(*s, t, 0.0, 1);
        CHECK(findNumber(t, -0.0) != kNoEntry);
        std::string text(100, 'y');
        setString(*s, t, newString(*s, text), 2);
        CHECK(*lookupString(*s, t, newString(*s, text)) == 2);
        CHECK(lookupString(*s, t, newString(*s, text + "z")) == nullptr);
        Closure* f = newClosure(*s, nullptr, nullptr, 0);
        Closure* adapter = newClosure(*s, nullptr, nullptr, 1);
        adapter->flags |= Closure::kAdapter;
        adapter->captures[0] = wordOf(f);
        setKey(*s, t, Value::function(adapter), 3);
        CHECK(*lookupKey(*s, t, Value::function(f)) == 3);
        // Once more with an index.
        for (int i = 1; i < 100; i++) setNumber(*s, t, i, 9);
    }
}

TEST_CASE("positions survive deletions during an iteration") {
    ScopedState s;
    Table* t = newTable(*s, tableType(*s, TypeKind::Number), 0);
    for (int i = 0; i < 100; i++) setNumber(*s, t, i, wordOf(static_cast<double>(i)));
    int seen = 0;
    uint32_t version = t->version;
    for (uint32_t i = nextEntry(t, 0); i != kNoEntry; i = nextEntry(t, i + 1)) {
        seen++;
        removeKey(*s, t, Value::fromWord(t->entries()[i].key));
        if (seen == 10) removeKey(*s, t, Value::number(50));
    }
    CHECK(seen == 99);
    CHECK(t->count == 0);
    CHECK(t->version == version);
}

TEST_CASE("a queue of keys stays small and fast") {
    ScopedState s;
    Table* t = newTable(*s, tableType(*s, TypeKind::Number), 0);
    for (int i = 0; i < 100000; i++) {
        setNumber(*s, t, i, 0);
        if (i >= 10) removeEntry(*s, t, nextEntry(t, 0));
    }
    CHECK(t->count == 10);
    CHECK(t->capacity <= 32);
}

TEST_CASE("lenient tables: get and set as in Lua") {
    ScopedState s;
    LuaTable* t = newLuaTable(*s);
    std::map<int, int> model;
    Random random(5);
    for (int step = 0; step < 20000; step++) {
        int key = static_cast<int>(random.below(60)) - 5;
        if (random.below(3) == 0) {
            luaSet(*s, t, Value::integer(key), Value::nil());
            model.erase(key);
        } else {
            luaSet(*s, t, Value::integer(key), Value::integer(step));
            model[key] = step;
        }
        if (step % 100 != 0) continue;
        for (int k = -5; k < 60; k++) {
            auto it = model.find(k);
            Value v = luaGetInt(t, k);
            CHECK((it == model.end() ? v.isNil() : v == Value::integer(it->second)));
        }
        uint64_t border = luaLength(*s, t);
        CHECK((border == 0 || model.count(static_cast<int>(border)) == 1));
        CHECK(model.count(static_cast<int>(border) + 1) == 0);
        size_t count = 0;
        Value key2;
        Value value;
        while (luaNext(*s, t, key2, value) == NextResult::Found) {
            auto it = model.find(static_cast<int>(key2.asNumber()));
            CHECK(it != model.end());
            CHECK(value == Value::integer(it->second));
            count++;
        }
        CHECK(count == model.size());
    }
}

TEST_CASE("lenient tables: clearing while traversing") {
    ScopedState s;
    LuaTable* t = newLuaTable(*s);
    for (int i = 1; i <= 50; i++) luaSetInt(*s, t, i, Value::integer(i));
    for (int i = 0; i < 50; i++) luaSetString(*s, t, integerString(*s, i), Value::integer(i));
    Value key;
    Value value;
    int seen = 0;
    while (luaNext(*s, t, key, value) == NextResult::Found) {
        luaSet(*s, t, key, Value::nil());
        seen++;
    }
    CHECK(seen == 100);
    key = Value::nil();
    CHECK(luaNext(*s, t, key, value) == NextResult::End);
    key = Value::string(newString(*s, "never there"));
    CHECK(luaNext(*s, t, key, value) == NextResult::BadKey);
}

TEST_CASE("lenient tables: order, constructors, a key that comes back keeps its place") {
    ScopedState s;
    LuaTable* t = newLuaTable(*s);
    String* a = newString(*s, "a");
    String* b = newString(*s, "b");
    luaSetString(*s, t, a, Value::integer(1));
    luaSetString(*s, t, b, Value::integer(2));
    luaSetString(*s, t, a, Value::nil());
    luaSetString(*s, t, a, Value::integer(3));
    Value key;
    Value value;
    luaNext(*s, t, key, value);
    CHECK(key == Value::string(a));
    luaNext(*s, t, key, value);
    CHECK(key == Value::string(b));
    CHECK(luaNext(*s, t, key, value) == NextResult::End);
    Value list[] = {Value::nil(), Value::nil(), Value::integer(3), Value::nil()};
    LuaTable* c = newLuaTable(*s, 4);
    luaSetArray(*s, c, list, 4);
    CHECK(luaLength(*s, c) == 3);
    CHECK(luaGetInt(c, 1).isNil());
    LuaTable* backwards = newLuaTable(*s);
    for (int i = 100; i >= 1; i--) luaSetInt(*s, backwards, i, Value::integer(i));
    CHECK(luaLength(*s, backwards) == 100);
    CHECK(luaGetNumber(backwards, 57) == Value::integer(57));
    CHECK(luaGet(*s, backwards, Value::number(1.5)).isNil());
    CHECK(luaGet(*s, backwards, Value::nil()).isNil());
}

/// In a frame of its own, so that what it leaves on the stack lies below the frames of the test.
LUAPP_NOINLINE void fillWeakTables(State& s, LuaTable* weakValues, LuaTable* weakKeys, LuaTable* kept) {
    for (int i = 1; i <= 100; i++) {
        luaSetInt(s, weakValues, i, Value::luaTable(i == 100 ? kept : newLuaTable(s)));
        luaSet(s, weakKeys, Value::luaTable(i == 50 ? kept : newLuaTable(s)), Value::integer(i));
        luaSetString(s, weakValues, integerString(s, i), Value::string(newString(s, "text " + std::to_string(i))));
    }
}

TEST_CASE("weak tables lose what nobody else holds") {
    ScopedState s;
    s->modeKey = newString(*s, "__mode");
    const auto newWeakTable = [&](std::string_view mode) {
        LuaTable* metatable = newLuaTable(*s);
        luaSetString(*s, metatable, s->modeKey, Value::string(newString(*s, mode)));
        LuaTable* t = newLuaTable(*s);
        setMetatable(*s, t, metatable);
        return t;
    };
    LuaTable* weakValues = newWeakTable("v");
    LuaTable* weakKeys = newWeakTable("k");
    LuaTable* kept = newLuaTable(*s);
    fillWeakTables(*s, weakValues, weakKeys, kept);
    clearStack();
    s->heap.collect();
    int left = 0;
    for (int i = 1; i <= 100; i++) left += luaGetInt(weakValues, i).isNil() ? 0 : 1;
    // The stack is scanned conservatively, so one or two more may survive.
    CHECK(left >= 1);
    CHECK(left < 10);
    CHECK(luaGetInt(weakValues, 100) == Value::luaTable(kept));
    CHECK(luaGet(*s, weakKeys, Value::luaTable(kept)) == Value::integer(50));
    CHECK(weakKeys->count < 10);
    CHECK(luaGetString(*s, weakValues, newString(*s, "7")) == Value::string(newString(*s, "text 7")));
}
