// The one way to store a word that may hold a reference into a heap object that is not fresh: the write barrier of the generational,
// incremental collector. The collector has to know of every object that it has traced and that has changed since. It sets the `log` byte
// of an object's header when it traces it; a store tests the byte, and if it is set takes it back and puts the object on the heap's
// log, whose objects are traced again (gc/tracer.h). So the fast path is a test of one byte, in every phase. Of long buffers the
// 128 bytes (card) that changed are logged. A *fresh* object (allocated since the last safepoint) has not been traced and needs no
// barrier; nor does a store of something that is surely no reference, or the removal of one.
//
//   log   0   not traced yet, or on the log already, or of a kind that never changes
//         1   traced: the first store logs it
//         2   long, traced: the first store to a card logs the card
#pragma once

#include "runtime/object/value.h"

namespace luapp::rt {

/// Values of Object::log.
inline constexpr uint8_t kNotTraced = 0;
inline constexpr uint8_t kTraced = 1;
inline constexpr uint8_t kLongTraced = 2;

/// The slow half: `count` words of `owner`, whose log byte is set, have changed. Does not collect.
LUAPP_COLD void rememberStore(State& s, Object* owner, const void* slot, size_t count = 1);

/// *slot = w, where slot lies in `owner` and w is a word of a Rep that may hold a pointer (Ref or Box).
LUAPP_ALWAYS_INLINE void storeWord(State& s, Object* owner, Word* slot, Word w) {
    *slot = w;
    if (LUAPP_UNLIKELY(owner->log != kNotTraced)) rememberStore(s, owner, slot);
}

/// *slot = o for a typed pointer field of `owner`; o may be null.
template <class T>
LUAPP_ALWAYS_INLINE void storeRef(State& s, Object* owner, T** slot, T* o) {
    *slot = o;
    if (LUAPP_UNLIKELY(owner->log != kNotTraced)) rememberStore(s, owner, slot);
}

/// Announces that `count` words of `owner` from `first` on have just changed (block copies). Comes before the next safepoint.
inline void storedMany(State& s, Object* owner, const void* first, size_t count) {
    if (LUAPP_UNLIKELY(owner->log != kNotTraced) && count != 0) rememberStore(s, owner, first, count);
}

}  // namespace luapp::rt
