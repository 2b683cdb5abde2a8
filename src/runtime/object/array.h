// Array<T>: a zero-based sequence with raw elements. The elements stand in a Buffer of 8-byte words (bytes for booleans) that
// grows by doubling; words between length and capacity are 0. `extra` is the Rep of T, `aux` the type Array<T>.
// Index checks and their errors are the callers'. Functions that take a State may collect; stores of references go through the
// barrier here and in vm.
#pragma once

#include "runtime/object/value.h"

namespace luapp::rt {

/// The most elements an array can have.
inline constexpr uint32_t kMaxArrayLength = 0x7FFF'FFFFu;

struct Array : Object {
    uint32_t length;
    uint32_t capacity;
    Buffer* buffer;  // null while capacity is 0

    Word get(uint32_t i) const { return elementRep() == Rep::Bool ? buffer->bytes()[i] : buffer->words[i]; }
    /// For elements that hold no pointer, or arrays that were just made; else arraySet.
    void setRaw(uint32_t i, Word w) {
        if (elementRep() == Rep::Bool) {
            buffer->bytes()[i] = static_cast<uint8_t>(w);
        } else {
            buffer->words[i] = w;
        }
    }
};

/// A new empty array of type `type` (of kind Array) with room for `capacity` elements.
Array* newArray(State& s, const TypeDesc* type, uint64_t capacity);
/// Makes room for at least `capacity` elements. Raises "array is too long".
void arrayReserve(State& s, Array* a, uint64_t capacity);
/// a[i] = w with barrier; i < length.
void arraySet(State& s, Array* a, uint32_t i, Word w);
/// The slow half of arrayPush: grows, then appends.
void arrayPushSlow(State& s, Array* a, Word w);
/// Appends a word of the element's Rep.
inline void arrayPush(State& s, Array* a, Word w);
/// Opens a gap at i <= length and puts w there.
void arrayInsert(State& s, Array* a, uint32_t i, Word w);
/// Takes out element i < length and closes the gap.
Word arrayRemove(State& s, Array* a, uint32_t i);
/// Takes off the last element; length > 0.
Word arrayPop(State& s, Array* a);
/// Cuts the array down to `length` elements (no more than it has).
void arrayTruncate(State& s, Array* a, uint32_t length);
/// Sets the length to `length` >= the present one; the new elements are 0 (nil for Box).
void arrayExtend(State& s, Array* a, uint32_t length);
/// A new array of the same type with the elements [from, to).
Array* arraySlice(State& s, const Array* a, uint32_t from, uint32_t to);

/// A zeroed buffer with room for at least `capacity` elements of Rep `rep` (capacity() tells how many).
Buffer* newBuffer(State& s, Rep rep, uint64_t capacity);

}  // namespace luapp::rt

#include "runtime/object/array_inline.h"
