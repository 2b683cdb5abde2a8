// The table library: works on tables of lenient code (from 1, without metamethods, as in Lua 5.1) and on arrays (from 0, with the
// element type's checks). Also unpack.
#include <cmath>
#include <cstring>

#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"
#include "runtime/lib/merge_sort.h"
#include "runtime/lib/typed_words.h"
#include "runtime/object/array.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/table.h"

namespace luapp::rt {

namespace {

/// A table or an array as a sequence: elements first() to last(), both included.
class Sequence {
public:
    Sequence(State& s, Value list, unsigned argument, const char* function) : state_(s), list_(list) {
        if (!list.isLuaTable() && !list.is(Kind::Array)) raiseArgumentType(s, argument, function, "table", list);
    }

    bool isArray() const { return !list_.isLuaTable(); }
    Array* array() const { return list_.asArray(); }
    LuaTable* table() const { return list_.asLuaTable(); }
    const TypeDesc* element() const { return state_.types.at(array()->aux)->element(); }

    int64_t first() const { return isArray() ? 0 : 1; }
    int64_t last() const {
        return isArray() ? int64_t{array()->length} - 1 : static_cast<int64_t>(luaLength(state_, table()));
    }
    /// Nil outside.
    Value get(int64_t i) const {
        if (!isArray()) return luaGetInt(table(), i);
        if (i < 0 || i >= array()->length) return Value::nil();
        return boxTyped(array()->get(static_cast<uint32_t>(i)), element());
    }

private:
    State& state_;
    Value list_;
};

int64_t integerOr(Value v, int64_t otherwise) { return v.isNil() ? otherwise : static_cast<int64_t>(v.asNumber()); }

/// A position in the arguments that must be a whole number.
int64_t positionArg(State& s, Value v, unsigned index, const char* function) {
    double d = 0;
    int64_t i = 0;
    if (v.isNumber()) {
        d = v.asNumber();
    } else if (!v.isString() || !base::textToNumber(v.asString()->view(), d)) {
        raiseArgumentType(s, index, function, "number", v);
    }
    if (!base::numberToInteger(std::floor(d), i)) raiseArgument(s, index, function, "number has no integer representation");
    return i;
}

struct LessBoxes {
    State& s;
    bool operator()(Word a, Word b) const { return lessThan(s, Value::fromWord(a), Value::fromWord(b)); }
};

struct LessByCall {
    State& s;
    Value function;
    bool operator()(Word a, Word b) const {
        const Value args[2] = {Value::fromWord(a), Value::fromWord(b)};
        return callValue(s, function, args, 2).isTruthy();
    }
};

void insertIntoArray(State& s, const Sequence& list, int64_t at, Value v) {
    Array* const a = list.array();
    const Word w = convert(s, v, list.element(), bc::CheckKind::Convert);
    if (at < 0 || at > a->length) raise(s, ErrorKind::WriteOutOfRange, at, a->length);
    arrayInsert(s, a, static_cast<uint32_t>(at), w);
}

void insertIntoTable(State& s, LuaTable* t, int64_t at, Value v) {
    int64_t end = static_cast<int64_t>(luaLength(s, t)) + 1;
    if (at > end) end = at;  // grows the table
    for (int64_t i = end; i > at; i--) luaSetInt(s, t, i, luaGetInt(t, i - 1));
    luaSetInt(s, t, at, v);
}

}  // namespace

Word tableLibConcat(State& s, Word* args) {
    const Sequence list(s, valueArg(args, 0), 1, "concat");
    const String* const separator = stringArg(args, 1);
    const int64_t from = integerOr(valueArg(args, 2), list.first());
    const int64_t to = integerOr(valueArg(args, 3), list.last());
    TextBuilder out(s);
    for (int64_t i = from; i <= to; i++) {
        const Value v = list.get(i);
        if (!v.isString() && !v.isNumber())
            raiseLib(s, "invalid value (%s) at index %lld in table for 'concat'", typeName(v), static_cast<long long>(i));
        appendText(s, out, v);
        if (i != to) out.append(separator);
    }
    return wordOf(out.finish());
}

Word tableLibInsert(State& s, Word* args) {
    const Sequence list(s, valueArg(args, 0), 1, "insert");
    const uint32_t count = s.argCount;
    if (count != 1 && count != 2) raiseLib(s, "wrong number of arguments to 'insert'");
    const int64_t at = count == 1 ? list.last() + 1 : positionArg(s, valueArg(args, 1), 2, "insert");
    const Value v = valueArg(args, count);
    if (list.isArray()) {
        insertIntoArray(s, list, at, v);
    } else {
        insertIntoTable(s, list.table(), at, v);
    }
    return 0;
}

Word tableLibRemove(State& s, Word* args) {
    const Sequence list(s, valueArg(args, 0), 1, "remove");
    const int64_t last = list.last();
    const int64_t at = integerOr(valueArg(args, 1), last);
    if (at < list.first() || at > last) return kNilBox;
    if (list.isArray()) {
        const TypeDesc* const element = list.element();
        return boxTyped(arrayRemove(s, list.array(), static_cast<uint32_t>(at)), element).word();
    }
    LuaTable* const t = list.table();
    const Value removed = luaGetInt(t, at);
    for (int64_t i = at; i < last; i++) luaSetInt(s, t, i, luaGetInt(t, i + 1));
    luaSetInt(s, t, last, Value::nil());
    return removed.word();
}

Word tableLibSort(State& s, Word* args) {
    const Sequence list(s, valueArg(args, 0), 1, "sort");
    const Value less = valueArg(args, 1);
    if (!less.isNil() && !less.isFunction()) raiseArgumentType(s, 2, "sort", "function", less);
    const int64_t first = list.first();
    const int64_t n = list.last() - first + 1;
    if (n < 2) return 0;
    // One buffer holds the values, the other is sorted: no barrier tells of the moves, so it is not traced.
    Buffer* const kept = newBuffer(s, Rep::Box, static_cast<uint64_t>(n));
    for (int64_t i = 0; i < n; i++) kept->words[i] = list.get(first + i).word();  // fresh
    Buffer* const work = newBuffer(s, Rep::I64, static_cast<uint64_t>(n) * 2);
    std::memcpy(work->words, kept->words, static_cast<size_t>(n) * sizeof(Word));
    Word* const room = work->words + n;
    const size_t count = static_cast<size_t>(n);
    const Word* const sorted = less.isNil() ? mergeSort(work->words, room, count, LessBoxes{s})
                                            : mergeSort(work->words, room, count, LessByCall{s, less});
    if (list.isArray()) {
        if (list.array()->length != count) raise(s, ErrorKind::ArrayChanged);
        const TypeDesc* const element = list.element();
        for (uint32_t i = 0; i < count; i++) arraySet(s, list.array(), i, unboxAs(element, Value::fromWord(sorted[i])));
    } else {
        for (int64_t i = 0; i < n; i++) luaSetInt(s, list.table(), first + i, Value::fromWord(sorted[i]));
    }
    keepAlive(kept);
    keepAlive(work);
    return 0;
}

Word tableLibMaxN(State& s, Word* args) {
    const Value t = valueArg(args, 0);
    double greatest = 0;
    if (t.isLuaTable()) {
        Value key;
        Value value;
        while (luaNext(s, t.asLuaTable(), key, value) == NextResult::Found)
            if (key.isNumber() && key.asNumber() > greatest) greatest = key.asNumber();
    } else if (t.is(Kind::Table)) {
        const Table* const table = t.asTable();
        for (uint32_t i = nextEntry(table, 0); i != kNoEntry; i = nextEntry(table, i + 1)) {
            const Value key = Value::fromWord(table->entries()[i].key);
            if (key.isNumber() && key.asNumber() > greatest) greatest = key.asNumber();
        }
    } else {
        raiseArgumentType(s, 1, "maxn", "table", t);
    }
    return wordOf(greatest);
}

Word tableLibPack(State& s, Word* args) {
    const uint32_t count = s.argCount;
    LuaTable* const t = newLuaTable(s, count, 1);
    for (uint32_t i = 0; i < count; i++) luaSetInt(s, t, int64_t{i} + 1, valueArg(args, i));
    luaSetString(s, t, newString(s, "n"), Value::integer(count));
    return Value::luaTable(t).word();
}

Word baseUnpack(State& s, Word* args) {
    const Sequence list(s, valueArg(args, 0), 1, "unpack");
    const int64_t from = integerOr(valueArg(args, 1), list.first());
    const int64_t to = integerOr(valueArg(args, 2), list.last());
    if (from > to) return packResult(s, 0);
    const uint64_t count = static_cast<uint64_t>(to - from) + 1;
    if (count > kResultCapacity) raiseLib(s, "too many results to unpack");
    if (list.isArray() && (from < list.first() || to > list.last()))
        raise(s, ErrorKind::IndexOutOfRange, from < list.first() ? from : to, list.last() + 1);
    for (uint64_t i = 0; i < count; i++) s.results[i] = list.get(from + static_cast<int64_t>(i)).word();
    return packResult(s, static_cast<uint32_t>(count));
}

}  // namespace luapp::rt
