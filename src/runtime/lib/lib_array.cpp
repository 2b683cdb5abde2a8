// The members of Array<T>. Elements are raw words of the Rep in the array's header; arguments of type T come in the same
// representation. Callbacks may change the array: an element is read only after its index has been checked against the present
// length, and a changed length is the error "array changed during iteration".
#include <algorithm>
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

Array* arrayArg(const Word* args, unsigned i = 0) { return refOf<Array>(args[i]); }

const TypeDesc* typeOf(State& s, const Array* a) { return s.types.at(a->aux); }
const TypeDesc* elementType(State& s, const Array* a) { return typeOf(s, a)->element(); }

void requireUnchanged(State& s, const Array* a, uint32_t length) {
    if (LUAPP_UNLIKELY(a->length != length)) raise(s, ErrorKind::ArrayChanged);
}

bool equalWords(Word a, Word b, Rep rep) {
    switch (rep) {
        case Rep::F64: return numberOf(a) == numberOf(b);
        case Rep::I64:
        case Rep::Bool: return a == b;
        case Rep::Ref: return rawEqualsRef(objectOf(a), objectOf(b));
        case Rep::Box: return rawEquals(Value::fromWord(a), Value::fromWord(b));
        case Rep::Void:
        case Rep::Pack: break;
    }
    return false;
}

constexpr uint32_t kNotFound = 0xFFFF'FFFFu;

uint32_t findElement(const Array* a, Word value) {
    const Rep rep = a->elementRep();
    for (uint32_t i = 0; i < a->length; i++)
        if (equalWords(a->get(i), value, rep)) return i;
    return kNotFound;
}

/// Copies `count` elements of `from` (same Rep) to the end of `to`, which has room for them.
void appendElements(State& s, Array* to, const Array* from, uint32_t count) {
    if (count == 0) return;
    const uint32_t at = to->length;
    if (to->elementRep() == Rep::Bool) {
        std::memcpy(to->buffer->bytes() + at, from->buffer->bytes(), count);
    } else {
        std::memcpy(to->buffer->words + at, from->buffer->words, count * sizeof(Word));
        storedMany(s, to->buffer, to->buffer->words + at, count);
    }
    to->length = at + count;
}

// --- sorting: the elements are copied to a buffer that only this call knows, sorted there, and copied back (copyForSorting())

/// A copy of the references to be sorted that holds them: those that move about lie in memory that the collector does not trace, since no
/// barrier tells of the moves.
const Buffer* copyForSorting(State& s, Rep rep, const Word* words, uint32_t n) {
    Buffer* const copy = newBuffer(s, rep, n);
    std::memcpy(copy->words, words, n * sizeof(Word));
    return copy;
}

struct LessNumber {
    bool operator()(Word a, Word b) const { return numberOf(a) < numberOf(b); }
};

struct LessInteger {
    bool operator()(Word a, Word b) const { return integerOf(a) < integerOf(b); }
};

struct LessString {
    bool operator()(Word a, Word b) const { return compareStrings(refOf<String>(a), refOf<String>(b)) < 0; }
};

/// Any other type: by the dynamic `<`, which raises for what has no order.
struct LessDynamic {
    State& s;
    const TypeDesc* type;
    bool operator()(Word a, Word b) const { return lessThan(s, boxTyped(a, type), boxTyped(b, type)); }
};

struct LessFunction {
    State& s;
    Closure* function;
    bool operator()(Word a, Word b) const {
        const Word args[2] = {a, b};
        return (callRaw(s, function, args, 2) & 1) != 0;
    }
};

Word* sortWords(State& s, const TypeDesc* element, Closure* less, Word* words, Word* room, uint32_t n) {
    if (less != nullptr) return mergeSort(words, room, n, LessFunction{s, less});
    if (element->rep == Rep::F64) return mergeSort(words, room, n, LessNumber{});
    if (element->rep == Rep::I64) return mergeSort(words, room, n, LessInteger{});
    if (element->kind == TypeKind::String) return mergeSort(words, room, n, LessString{});
    return mergeSort(words, room, n, LessDynamic{s, element});
}

// --- Array.from

/// Appends `v` to the array under construction, converted to its element type or refused.
void appendChecked(State& s, Array* result, const TypeDesc* element, Value v) {
    arrayPush(s, result, convert(s, v, element, bc::CheckKind::Convert));
}

void appendFromIterator(State& s, Array* result, const TypeDesc* element, Value f) {
    for (;;) {
        const Value v = callValue(s, f, nullptr, 0);
        if (v.isNil()) return;
        appendChecked(s, result, element, v);
    }
}

}  // namespace

Word arrayLength(State&, Word* args) { return wordOf(int64_t{arrayArg(args)->length}); }

Word arrayNew(State& s, Word* args) {
    const TypeDesc* const type = refOf<const TypeDesc>(args[0]);
    const int64_t n = integerOf(args[1]);
    if (n < 0) raiseArgument(s, 1, "new", "length is negative");
    if (n > kMaxArrayLength) raise(s, ErrorKind::ArrayTooLong);
    const uint32_t length = static_cast<uint32_t>(n);
    Array* const a = newArray(s, type, length);
    if (length == 0) return wordOf(a);
    arrayExtend(s, a, length);
    if (a->elementRep() == Rep::Bool) {
        std::memset(a->buffer->bytes(), static_cast<int>(args[2]), length);
    } else {
        std::fill_n(a->buffer->words, length, args[2]);  // fresh
    }
    return wordOf(a);
}

Word arrayFrom(State& s, Word* args) {
    const TypeDesc* const type = refOf<const TypeDesc>(args[0]);
    const TypeDesc* const element = type->element();
    const Value x = valueArg(args, 1);
    Array* const result = newArray(s, type, 0);
    if (x.is(Kind::Array)) {
        const Array* const from = x.asArray();
        const TypeDesc* const fromElement = elementType(s, from);
        arrayReserve(s, result, from->length);
        for (uint32_t i = 0; i < from->length; i++) appendChecked(s, result, element, boxTyped(from->get(i), fromElement));
    } else if (x.isLuaTable()) {
        const LuaTable* const from = x.asLuaTable();
        const int64_t length = static_cast<int64_t>(luaLength(s, from));
        for (int64_t i = 1; i <= length; i++) appendChecked(s, result, element, luaGetInt(from, i));
    } else if (x.isString()) {
        String* const from = x.asString();
        for (uint64_t i = 0; i < from->length; i++) {
            String* const c = byteString(s, static_cast<uint8_t>(from->data()[i]));
            appendChecked(s, result, element, Value::string(c));
        }
    } else if (x.is(Kind::Table)) {
        const Table* const from = x.asTable();
        for (uint32_t i = nextEntry(from, 0); i != kNoEntry; i = nextEntry(from, i + 1))
            appendChecked(s, result, element, Value::fromWord(from->entries()[i].key));
    } else if (x.isFunction()) {
        appendFromIterator(s, result, element, x);
    } else {
        raiseArgumentType(s, 1, "from", "iterable", x);
    }
    return wordOf(result);
}

Word arrayPush(State& s, Word* args) {
    arrayPush(s, arrayArg(args), args[1]);
    return 0;
}

Word arrayPushAll(State& s, Word* args) {
    Array* const a = arrayArg(args);
    const TypeDesc* const element = elementType(s, a);
    const uint32_t count = s.argCount;
    for (uint32_t i = 0; i < count; i++) arrayPush(s, a, unboxAs(element, valueArg(args, 1 + i)));
    return 0;
}

Word arrayPop(State& s, Word* args) {
    Array* const a = arrayArg(args);
    if (a->length == 0) raise(s, ErrorKind::EmptyArray);
    return arrayPop(s, a);
}

Word arrayInsert(State& s, Word* args) {
    Array* const a = arrayArg(args);
    const int64_t at = integerOf(args[1]);
    if (at < 0 || at > a->length) raise(s, ErrorKind::WriteOutOfRange, at, a->length);
    arrayInsert(s, a, static_cast<uint32_t>(at), args[2]);
    return 0;
}

Word arrayRemove(State& s, Word* args) {
    Array* const a = arrayArg(args);
    const int64_t at = integerOf(args[1]);
    if (at < 0 || at >= a->length) raise(s, ErrorKind::IndexOutOfRange, at, a->length);
    return arrayRemove(s, a, static_cast<uint32_t>(at));
}

Word arrayClear(State& s, Word* args) {
    arrayTruncate(s, arrayArg(args), 0);
    return 0;
}

Word arraySlice(State& s, Word* args) {
    const Array* const a = arrayArg(args);
    const int64_t from = integerOf(args[1]);
    const Value last = valueArg(args, 2);
    const int64_t to = last.isNil() ? a->length : static_cast<int64_t>(last.asNumber());
    if (from < 0 || to < from || to > a->length) raise(s, ErrorKind::SliceOutOfRange, from, to, a->length);
    return wordOf(arraySlice(s, a, static_cast<uint32_t>(from), static_cast<uint32_t>(to)));
}

Word arrayCopy(State& s, Word* args) { return wordOf(arraySlice(s, arrayArg(args), 0, arrayArg(args)->length)); }

Word arrayConcat(State& s, Word* args) {
    const Array* const a = arrayArg(args);
    const String* const separator = stringArg(args, 1);
    const TypeDesc* const element = elementType(s, a);
    TextBuilder out(s);
    for (uint32_t i = 0; i < a->length; i++) {
        if (i != 0) out.append(separator);
        const Word w = a->get(i);
        if (element->kind == TypeKind::String) {
            out.append(refOf<String>(w));
        } else {
            appendText(s, out, boxTyped(w, element));
        }
    }
    return wordOf(out.finish());
}

Word arrayJoin(State& s, Word* args) {
    const Array* const a = arrayArg(args);
    const Array* const b = arrayArg(args, 1);
    Array* const result = newArray(s, typeOf(s, a), uint64_t{a->length} + b->length);
    appendElements(s, result, a, a->length);
    appendElements(s, result, b, b->length);
    return wordOf(result);
}

Word arrayIndexOf(State&, Word* args) {
    const uint32_t i = findElement(arrayArg(args), args[1]);
    return i == kNotFound ? kNilBox : Value::integer(i).word();
}

Word arrayContains(State&, Word* args) { return wordOf(findElement(arrayArg(args), args[1]) != kNotFound); }

Word arrayFirst(State& s, Word* args) {
    const Array* const a = arrayArg(args);
    const TypeDesc* const element = elementType(s, a);
    return a->length == 0 ? optionalNil(element) : optionalOf(element, a->get(0));
}

Word arrayLast(State& s, Word* args) {
    const Array* const a = arrayArg(args);
    const TypeDesc* const element = elementType(s, a);
    return a->length == 0 ? optionalNil(element) : optionalOf(element, a->get(a->length - 1));
}

Word arrayReverse(State& s, Word* args) {
    Array* const a = arrayArg(args);
    if (a->length < 2) return 0;
    if (a->elementRep() == Rep::Bool) {
        std::reverse(a->buffer->bytes(), a->buffer->bytes() + a->length);
    } else {
        std::reverse(a->buffer->words, a->buffer->words + a->length);
        storedMany(s, a->buffer, a->buffer->words, a->length);
    }
    return 0;
}

Word arraySort(State& s, Word* args) {
    Array* const a = arrayArg(args);
    Closure* const less = refOf<Closure>(args[1]);
    const uint32_t n = a->length;
    if (n < 2) return 0;
    const Rep rep = a->elementRep();
    const Buffer* const kept = base::mayHoldPointer(rep) ? copyForSorting(s, rep, a->buffer->words, n) : nullptr;
    Buffer* const work = newBuffer(s, Rep::I64, uint64_t{n} * 2);
    for (uint32_t i = 0; i < n; i++) work->words[i] = a->get(i);
    const Word* const sorted = sortWords(s, elementType(s, a), less, work->words, work->words + n, n);
    requireUnchanged(s, a, n);
    for (uint32_t i = 0; i < n; i++) a->setRaw(i, sorted[i]);
    if (kept != nullptr) storedMany(s, a->buffer, a->buffer->words, n);
    keepAlive(kept);
    keepAlive(work);
    return 0;
}

Word arrayMap(State& s, Word* args) {
    const TypeDesc* const type = refOf<const TypeDesc>(args[0]);
    const Array* const a = arrayArg(args, 1);
    Closure* const f = refOf<Closure>(args[2]);
    const uint32_t n = a->length;
    Array* const result = newArray(s, type, n);
    for (uint32_t i = 0; i < n; i++) {
        const Word element = a->get(i);
        arrayPush(s, result, callRaw(s, f, &element, 1));
        requireUnchanged(s, a, n);
    }
    return wordOf(result);
}

Word arrayFilter(State& s, Word* args) {
    const Array* const a = arrayArg(args);
    Closure* const f = refOf<Closure>(args[1]);
    const uint32_t n = a->length;
    Array* const result = newArray(s, typeOf(s, a), 0);
    for (uint32_t i = 0; i < n; i++) {
        const Word element = a->get(i);
        const bool isWanted = (callRaw(s, f, &element, 1) & 1) != 0;
        requireUnchanged(s, a, n);
        if (isWanted) arrayPush(s, result, element);
    }
    return wordOf(result);
}

Word arrayReduce(State& s, Word* args) {
    const Array* const a = arrayArg(args);
    Closure* const f = refOf<Closure>(args[1]);
    const uint32_t n = a->length;
    Word accumulator = args[2];
    for (uint32_t i = 0; i < n; i++) {
        const Word pair[2] = {accumulator, a->get(i)};
        accumulator = callRaw(s, f, pair, 2);
        requireUnchanged(s, a, n);
    }
    return accumulator;
}

Word arrayEach(State& s, Word* args) {
    const Array* const a = arrayArg(args);
    Closure* const f = refOf<Closure>(args[1]);
    const uint32_t n = a->length;
    for (uint32_t i = 0; i < n; i++) {
        const Word element = a->get(i);
        callRaw(s, f, &element, 1);
        requireUnchanged(s, a, n);
    }
    return 0;
}

namespace {

/// Whether f(element) is `wanted` for some element.
bool someElement(State& s, const Word* args, bool wanted) {
    const Array* const a = arrayArg(args);
    Closure* const f = refOf<Closure>(args[1]);
    const uint32_t n = a->length;
    for (uint32_t i = 0; i < n; i++) {
        const Word element = a->get(i);
        if (((callRaw(s, f, &element, 1) & 1) != 0) == wanted) return true;
        requireUnchanged(s, a, n);
    }
    return false;
}

}  // namespace

Word arrayAny(State& s, Word* args) { return wordOf(someElement(s, args, true)); }

Word arrayAll(State& s, Word* args) { return wordOf(!someElement(s, args, false)); }

Word arrayFill(State& s, Word* args) {
    Array* const a = arrayArg(args);
    if (a->length == 0) return 0;
    if (a->elementRep() == Rep::Bool) {
        std::memset(a->buffer->bytes(), static_cast<int>(args[1]), a->length);
    } else {
        std::fill_n(a->buffer->words, a->length, args[1]);
        storedMany(s, a->buffer, a->buffer->words, a->length);
    }
    return 0;
}

}  // namespace luapp::rt
