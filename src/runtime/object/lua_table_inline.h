// The inline fast paths of lua_table.h, apart because they need the barrier.
#pragma once

#include "runtime/gc/barrier.h"
#include "runtime/object/lua_table.h"

namespace luapp::rt {

inline void luaSetInt(State& s, LuaTable* t, int64_t key, Value value) {
    // Setting the last element to nil moves the border, so nil takes the slow path.
    if (LUAPP_LIKELY(static_cast<uint64_t>(key) - 1 < t->arrayLength && !value.isNil())) {
        storeWord(s, t->array, &t->array->words[key - 1], value.word());
    } else {
        luaSetIntSlow(s, t, key, value);
    }
}

/// Adds string key `key` with a value that is not nil as entry `at`, where it went in a table like this one; false if that is not at once clear.
LUAPP_ALWAYS_INLINE bool appendMember(State& s, LuaTable* t, uint64_t at, const String* key, Word value) {
    const uint32_t bit = LuaTable::filterBit(key);
    if (at != t->used || at >= t->capacity || t->slotMask != 0 || (t->keyFilter & bit) != 0) return false;
    TableEntry* e = &t->storage->entries[at];
    storeWord(s, t->storage, &e->key, Value::string(key).word());
    storeWord(s, t->storage, &e->value, value);
    t->used++;
    t->count++;
    t->keyFilter |= bit;
    t->flags &= LuaTable::kKnownFlags;
    return true;
}

}  // namespace luapp::rt
