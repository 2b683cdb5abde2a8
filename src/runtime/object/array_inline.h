// The inline fast paths of array.h, apart because they need the barrier.
#pragma once

#include "runtime/gc/barrier.h"
#include "runtime/object/array.h"

namespace luapp::rt {

inline void arrayPush(State& s, Array* a, Word w) {
    uint32_t i = a->length;
    if (LUAPP_LIKELY(i < a->capacity && a->elementRep() != Rep::Bool)) {
        storeWord(s, a->buffer, &a->buffer->words[i], w);
        a->length = i + 1;
    } else {
        arrayPushSlow(s, a, w);
    }
}

}  // namespace luapp::rt
