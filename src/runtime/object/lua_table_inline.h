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

}  // namespace luapp::rt
