#include "runtime/object/lua_table.h"

#include "runtime/object/array.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

/// The position 1..n of a key that could be in the array part; 0 for others.
uint64_t arrayKey(double key) {
    int64_t i = 0;
    return base::numberToInteger(key, i) && i > 0 ? static_cast<uint64_t>(i) : 0;
}

void growArray(State& s, LuaTable* t) {
    uint64_t wanted = t->array == nullptr ? 4 : uint64_t{t->array->capacity()} * 2;
    size_t bytes = Heap::roundedSize(Buffer::kWordsOffset + wanted * sizeof(Word));
    if (bytes > kMaxSmallSize && t->array != nullptr && s.heap.extend(t->array, bytes)) {
        t->array->aux = static_cast<uint32_t>((bytes - Buffer::kWordsOffset) / sizeof(Word));
    } else {
        Buffer* bigger = newBuffer(s, Rep::Box, wanted);
        if (t->arrayLength != 0) {
            std::memcpy(bigger->words, t->array->words, t->arrayLength * sizeof(Word));
            // A stale pointer to the old buffer must not hold what the table does not.
            if (t->isWeak()) std::memset(t->array->words, 0, t->arrayLength * sizeof(Word));
        }
        storeRef(s, t, &t->array, bigger);
    }
}

void appendElement(State& s, LuaTable* t, Value value) {
    if (t->arrayLength == t->arrayCapacity()) growArray(s, t);
    storeWord(s, t->array, &t->array->words[t->arrayLength], value.word());
    t->arrayLength++;
}
/// Elements that follow the array part and stand in the hash part move over.
void takeFollowers(State& s, LuaTable* t) {
    while (t->count != 0) {
        uint32_t i = findNumber(t, static_cast<double>(t->arrayLength) + 1);
        if (i == kNoEntry) return;
        Value value = Value::fromWord(t->storage->entries[i].value);
        removeEntry(s, t, i);
        if (value.isNil()) return;
        appendElement(s, t, value);
    }
}

/// Hash part: value at a position found, or a new entry.
void setInHash(State& s, LuaTable* t, Value key, Value value) {
    uint32_t i = findKey(s, t, key);
    if (i == kNoEntry) {
        if (!value.isNil()) addKey(s, t, key.isNumber() ? Value::number(key.asNumber() + 0.0) : key, value.word());
        return;
    }
    TableEntry& e = t->storage->entries[i];
    storeWord(s, t->storage, &e.value, value.word());
}

uint32_t nextInHash(const LuaTable* t, uint32_t from) {
    for (uint32_t i = nextEntry(t, from); i != kNoEntry; i = nextEntry(t, i + 1)) {
        if (t->storage->entries[i].value != kNilBox) return i;
    }
    return kNoEntry;
}

}  // namespace

LuaTable* newLuaTable(State& s, uint64_t arraySize, uint64_t hashSize) {
    auto* t = static_cast<LuaTable*>(
        s.heap.allocate(sizeof(LuaTable), Kind::LuaTable, 0, static_cast<uint8_t>(Rep::Box)));
    if (arraySize != 0) {
        Buffer* array = newBuffer(s, Rep::Box, arraySize);
        storeRef(s, t, &t->array, array);
    }
    if (hashSize != 0) reserveEntries(s, t, hashSize);
    return t;
}

Value luaGetNumber(const LuaTable* t, double key) {
    uint64_t i = arrayKey(key);
    if (i - 1 < t->arrayLength) return Value::fromWord(t->array->words[i - 1]);
    const Word* found = lookupNumber(t, key);
    return found == nullptr ? Value::nil() : Value::fromWord(*found);
}

Value luaGetString(State& s, const LuaTable* t, String* key) {
    const Word* found = lookupString(s, t, key);
    return found == nullptr ? Value::nil() : Value::fromWord(*found);
}

Value luaGet(State& s, const LuaTable* t, Value key) {
    if (key.isString()) return luaGetString(s, t, key.asString());
    if (key.isNumber()) return luaGetNumber(t, key.asNumber());
    const Word* found = lookupKey(s, t, key);
    return found == nullptr ? Value::nil() : Value::fromWord(*found);
}

const Word* findMember(State& s, const LuaTable* t, String* key, String* indexName, uint32_t& entry) {
    static constexpr Word kNil = kNilBox;
    constexpr unsigned kMaxSteps = 100;
    const Word wanted = Value::string(key).word();
    const uint32_t bit = LuaTable::filterBit(key);
    for (unsigned n = 0; n < kMaxSteps; n++) {
        if ((t->keyFilter & bit) != 0) {
            uint32_t at = entry;
            if (at >= t->used || t->storage->entries[at].key != wanted) at = findString(s, t, key);
            if (at != kNoEntry && t->storage->entries[at].value != kNilBox) {
                entry = at;
                return &t->storage->entries[at].value;
            }
        }
        LuaTable* meta = t->metatable;
        if (meta == nullptr || (meta->flags & LuaTable::kNoIndex) != 0) return &kNil;
        uint32_t at = meta->aux;
        if (at >= meta->used || meta->storage->entries[at].key != Value::string(indexName).word()) {
            at = findString(s, meta, indexName);
            if (at == kNoEntry) {
                meta->flags |= LuaTable::kNoIndex;
                return &kNil;
            }
            meta->aux = at;
        }
        const Value index = Value::fromWord(meta->storage->entries[at].value);
        if (!index.isLuaTable()) return index.isNil() ? &kNil : nullptr;
        t = index.asLuaTable();
    }
    return nullptr;
}

uint32_t luaSetString(State& s, LuaTable* t, String* key, Value value) {
    const uint32_t i = findString(s, t, key);
    if (i != kNoEntry && t->storage->entries[i].value != kNilBox) {
        storeWord(s, t->storage, &t->storage->entries[i].value, value.word());
        return i;
    }
    t->flags &= LuaTable::kKnownFlags;
    t->keyFilter |= LuaTable::filterBit(key);
    if (i != kNoEntry) {
        storeWord(s, t->storage, &t->storage->entries[i].value, value.word());
        return i;
    }
    if (value.isNil()) return kNoEntry;
    addKey(s, t, Value::string(key), value.word());
    return t->used - 1;
}

void luaSetIntSlow(State& s, LuaTable* t, int64_t key, Value value) {
    auto i = static_cast<uint64_t>(key);
    if (i - 1 < t->arrayLength) {
        storeWord(s, t->array, &t->array->words[i - 1], value.word());
        while (t->arrayLength > 0 && t->array->words[t->arrayLength - 1] == kNilBox) t->arrayLength--;
    } else if (i == uint64_t{t->arrayLength} + 1 && !value.isNil() && i <= kMaxArrayLength) {
        if (t->count != 0) {
            // An entry of this key that was set to nil may still stand in the hash part.
            uint32_t old = findNumber(t, static_cast<double>(key));
            if (old != kNoEntry) removeEntry(s, t, old);
        }
        appendElement(s, t, value);
        takeFollowers(s, t);
    } else {
        setInHash(s, t, Value::number(static_cast<double>(key)), value);
    }
}

void luaSetNumber(State& s, LuaTable* t, double key, Value value) {
    uint64_t i = arrayKey(key);
    if (i != 0) {
        luaSetInt(s, t, static_cast<int64_t>(i), value);
    } else {
        setInHash(s, t, Value::number(key), value);
    }
}

void luaSet(State& s, LuaTable* t, Value key, Value value) {
    if (key.isString()) {
        luaSetString(s, t, key.asString(), value);
        return;
    }
    if (key.isNumber()) return luaSetNumber(s, t, key.asNumber(), value);
    setInHash(s, t, key, value);
}

void luaSetArray(State& s, LuaTable* t, const Value* values, uint32_t count) {
    LUAPP_CHECK(t->arrayLength == 0, "the table is fresh");
    while (count > 0 && values[count - 1].isNil()) count--;
    if (count > t->arrayCapacity()) {
        Buffer* array = newBuffer(s, Rep::Box, count);
        storeRef(s, t, &t->array, array);
    }
    for (uint32_t i = 0; i < count; i++) storeWord(s, t->array, &t->array->words[i], values[i].word());
    t->arrayLength = count;
    takeFollowers(s, t);
}

uint64_t luaLength(State&, const LuaTable* t) { return t->arrayLength; }

NextResult luaNext(State& s, const LuaTable* t, Value& key, Value& value) {
    uint64_t element = 0;  // elements already visited
    uint32_t entry = 0;    // first entry to look at
    if (!key.isNil()) {
        element = key.isNumber() ? arrayKey(key.asNumber()) : 0;
        if (element == 0 || element > t->arrayLength) {
            const uint32_t guess = s.lastNext;
            const bool isThere = guess < t->used && !key.isAbsent() && t->storage->entries[guess].key == key.word();
            const uint32_t found = isThere ? guess : findKey(s, t, key);
            if (found != kNoEntry) {
                entry = found + 1;
            } else if (element == 0 || element > t->arrayCapacity()) {
                return NextResult::BadKey;
            }
            // Else the key was in the array part, which has become shorter: go on with the hash part.
            element = t->arrayLength;
        }
    }
    for (; element < t->arrayLength; element++) {
        Word w = t->array->words[element];
        if (w == kNilBox) continue;
        key = Value::integer(static_cast<int64_t>(element) + 1);
        value = Value::fromWord(w);
        return NextResult::Found;
    }
    uint32_t i = nextInHash(t, entry);
    if (i == kNoEntry) return NextResult::End;
    s.lastNext = i;
    key = Value::fromWord(t->storage->entries[i].key);
    value = Value::fromWord(t->storage->entries[i].value);
    return NextResult::Found;
}

void setMetatable(State& s, LuaTable* t, LuaTable* metatable) { storeRef(s, t, &t->metatable, metatable); }

}  // namespace luapp::rt
