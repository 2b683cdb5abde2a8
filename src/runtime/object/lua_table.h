// LuaTable: a table of lenient code, as in Lua 5.1: keys and values of every type, one-based array part, metatable.
// Keys 1..arrayLength live in the array part (its last value is never nil, values between may be); all others in the hash core it
// shares with Table. An entry of the hash part whose value is nil counts as absent but keeps its key and place, so that a
// traversal may clear entries, and a field that is nil now and then stays where it is. `flags` caches which metamethods are known to
// be absent *in this table as a metatable*; every insertion of a string key clears them. `keyFilter` is a Bloom filter (Bloom
// 1970) of one hash over the string keys ever set, so that the search for a method passes an instance without a probe; `aux`
// guesses the entry of "__index".
// All functions here are raw: no metamethod is called.
#pragma once

#include "runtime/object/table.h"

namespace luapp::rt {

struct LuaTable : Table {
    static constexpr uint8_t kWeakKeys = 1;
    static constexpr uint8_t kWeakValues = 2;
    /// `flags` bit from which on the "known absent" bits start: bit kAbsentShift + n for cached metamethod n (0..5).
    static constexpr unsigned kAbsentShift = 2;
    /// The `flags` that say nothing about metamethods: what a new key leaves.
    static constexpr uint8_t kKnownFlags = (1u << kAbsentShift) - 1;
    /// `flags` bits of __index and __newindex, the first two events of metamethods.def.
    static constexpr uint8_t kNoIndex = 1u << kAbsentShift;
    static constexpr uint8_t kNoNewIndex = 2u << kAbsentShift;

    uint32_t arrayLength;    // border of the array part
    uint32_t keyFilter;      // filterBit of each string key that was ever set
    Buffer* array;           // boxes; null at first
    LuaTable* metatable;     // null: none

    uint32_t arrayCapacity() const { return array == nullptr ? 0 : array->capacity(); }
    /// The bit of a key in keyFilter; a string whose hash is not at hand sets all.
    static uint32_t filterBit(const String* key) { return key->isInterned() ? 1u << (key->aux >> 27) : ~0u; }

    bool isWeak() const { return (flags & (kWeakKeys | kWeakValues)) != 0; }
};

/// A new empty table with room for `arraySize` elements and `hashSize` entries.
LuaTable* newLuaTable(State& s, uint64_t arraySize = 0, uint64_t hashSize = 0);

/// t[key] without metamethods; nil if there is none (also for nil and NaN keys).
Value luaGet(State& s, const LuaTable* t, Value key);
Value luaGetString(State& s, const LuaTable* t, String* key);
Value luaGetNumber(const LuaTable* t, double key);
inline Value luaGetInt(const LuaTable* t, int64_t key) {
    if (LUAPP_LIKELY(static_cast<uint64_t>(key) - 1 < t->arrayLength)) return Value::fromWord(t->array->words[key - 1]);
    return luaGetNumber(t, static_cast<double>(key));
}

/// The value at a string key in `t` or else in the tables that follow it by __index; `indexName` is "__index". `entry` is where the key was
/// found before, and is set to where it is found now. Null: something other than a table is __index on the way.
const Word* findMember(State& s, const LuaTable* t, String* key, String* indexName, uint32_t& entry);

/// t[key] = value without metamethods; nil removes. The caller has refused nil and NaN keys. May collect.
void luaSet(State& s, LuaTable* t, Value key, Value value);
/// Gives the position of the entry, or kNoEntry if there is none (nil for a key that is new).
uint32_t luaSetString(State& s, LuaTable* t, String* key, Value value);
void luaSetNumber(State& s, LuaTable* t, double key, Value value);
void luaSetIntSlow(State& s, LuaTable* t, int64_t key, Value value);
inline void luaSetInt(State& s, LuaTable* t, int64_t key, Value value);

/// The elements of a constructor `{ v1, v2, ... }`: keys 1..count of a fresh table, nils in between allowed.
void luaSetArray(State& s, LuaTable* t, const Value* values, uint32_t count);

/// A border of the table (`#t`).
uint64_t luaLength(State& s, const LuaTable* t);

enum class NextResult : uint8_t { Found, End, BadKey };
/// The entry after `key` (nil: the first one): writes the next key and value. BadKey if `key` is not in the table.
NextResult luaNext(State& s, const LuaTable* t, Value& key, Value& value);

/// Sets or clears (null) the metatable; the caller has handled __metatable and reads __mode itself.
void setMetatable(State& s, LuaTable* t, LuaTable* metatable);

}  // namespace luapp::rt

#include "runtime/object/lua_table_inline.h"
