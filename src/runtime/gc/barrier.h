// The one way to store a word that may hold a reference into a heap object that is not fresh. The collector stops the world,
// so nothing has to be remembered yet: the barrier is the store. Everything that writes references calls these functions (or
// the opcodes with R, which do), so that an incremental or generational collector needs a change only here: it tests
// the owner's `log` byte and records the owner. A *fresh* object (allocated since the last safepoint) needs no barrier.
#pragma once

#include "runtime/object/value.h"

namespace luapp::rt {

/// *slot = w, where slot lies in `owner` and w is a word of a Rep that may hold a pointer (Ref or Box).
inline void storeWord(State&, Object* /*owner*/, Word* slot, Word w) { *slot = w; }

/// *slot = o for a typed pointer field of `owner`; o may be null.
template <class T>
inline void storeRef(State&, Object* /*owner*/, T** slot, T* o) {
    *slot = o;
}

/// Announces that many words of `owner` are about to change or have just changed (block copies).
inline void storedMany(State&, Object* /*owner*/) {}

}  // namespace luapp::rt
