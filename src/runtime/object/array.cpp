#include "runtime/object/array.h"

#include <cstring>

#include "runtime/object/type_desc.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

constexpr uint32_t kFirstCapacity = 4;

size_t elementSize(Rep rep) { return rep == Rep::Bool ? 1 : sizeof(Word); }

char* elementAt(Buffer* b, Rep rep, uint32_t i) { return reinterpret_cast<char*>(b->words) + i * elementSize(rep); }

/// Elements that fit into a buffer object of `bytes` bytes.
uint32_t capacityOf(size_t bytes, Rep rep) {
    uint64_t room = (bytes - Buffer::kWordsOffset) / elementSize(rep);
    return room > kMaxArrayLength ? kMaxArrayLength : static_cast<uint32_t>(room);
}

/// Makes the buffer longer, or moves the elements into one for at least `capacity`.
void reallocate(State& s, Array* a, uint64_t capacity) {
    Rep rep = a->elementRep();
    size_t bytes = Heap::roundedSize(Buffer::kWordsOffset + capacity * elementSize(rep));
    if (bytes > kMaxSmallSize && a->buffer != nullptr && s.heap.extend(a->buffer, bytes)) {
        a->capacity = a->buffer->aux = capacityOf(bytes, rep);
        return;
    }
    Buffer* bigger = newBuffer(s, rep, capacity);
    if (a->length != 0) std::memcpy(bigger->words, a->buffer->words, a->length * elementSize(rep));
    storeRef(s, a, &a->buffer, bigger);
    a->capacity = bigger->capacity();
}

/// Room for `more` further elements, growing by at least half.
void growFor(State& s, Array* a, uint64_t more) {
    uint64_t needed = a->length + more;
    if (needed <= a->capacity) return;
    if (needed > kMaxArrayLength) raise(s, ErrorKind::ArrayTooLong);
    uint64_t wanted = uint64_t{a->capacity} * 2;
    if (wanted > kMaxArrayLength) wanted = kMaxArrayLength;
    reallocate(s, a, wanted > needed ? wanted : needed);
}

}  // namespace

Buffer* newBuffer(State& s, Rep rep, uint64_t capacity) {
    if (capacity > kMaxArrayLength) raise(s, ErrorKind::ArrayTooLong);
    if (capacity < kFirstCapacity) capacity = kFirstCapacity;
    // What the heap adds by rounding is used.
    size_t bytes = Heap::roundedSize(Buffer::kWordsOffset + capacity * elementSize(rep));
    return static_cast<Buffer*>(s.heap.allocate(bytes, Kind::Buffer, capacityOf(bytes, rep), static_cast<uint8_t>(rep)));
}

Array* newArray(State& s, const TypeDesc* type, uint64_t capacity) {
    Rep rep = type->element()->rep;
    auto* a = static_cast<Array*>(s.heap.allocate(sizeof(Array), Kind::Array, type->index, static_cast<uint8_t>(rep)));
    if (capacity != 0) {
        Buffer* buffer = newBuffer(s, rep, capacity);
        storeRef(s, a, &a->buffer, buffer);
        a->capacity = buffer->capacity();
    }
    return a;
}

void arrayReserve(State& s, Array* a, uint64_t capacity) {
    if (capacity > a->capacity) reallocate(s, a, capacity);
}

void arraySet(State& s, Array* a, uint32_t i, Word w) {
    LUAPP_CHECK(i < a->length, "array index was checked");
    if (a->elementRep() == Rep::Bool) {
        a->buffer->bytes()[i] = static_cast<uint8_t>(w);
    } else {
        storeWord(s, a->buffer, &a->buffer->words[i], w);
    }
}

LUAPP_NOINLINE void arrayPushSlow(State& s, Array* a, Word w) {
    growFor(s, a, 1);
    a->length++;
    arraySet(s, a, a->length - 1, w);
}

void arrayInsert(State& s, Array* a, uint32_t i, Word w) {
    growFor(s, a, 1);
    Rep rep = a->elementRep();
    char* at = elementAt(a->buffer, rep, i);
    std::memmove(at + elementSize(rep), at, (a->length - i) * elementSize(rep));
    if (rep != Rep::Bool) storedMany(s, a->buffer, at, a->length - i + 1);
    a->length++;
    arraySet(s, a, i, w);
}

Word arrayRemove(State& s, Array* a, uint32_t i) {
    Rep rep = a->elementRep();
    Word removed = a->get(i);
    char* at = elementAt(a->buffer, rep, i);
    std::memmove(at, at + elementSize(rep), (a->length - i - 1) * elementSize(rep));
    if (rep != Rep::Bool) storedMany(s, a->buffer, at, a->length - i - 1);
    a->length--;
    a->setRaw(a->length, 0);
    return removed;
}

Word arrayPop(State&, Array* a) {
    a->length--;
    Word w = a->get(a->length);
    a->setRaw(a->length, 0);
    return w;
}

void arrayTruncate(State&, Array* a, uint32_t length) {
    if (length >= a->length) return;
    Rep rep = a->elementRep();
    std::memset(elementAt(a->buffer, rep, length), 0, (a->length - length) * elementSize(rep));
    a->length = length;
}

void arrayExtend(State& s, Array* a, uint32_t length) {
    if (length <= a->length) return;
    growFor(s, a, length - a->length);
    if (a->elementRep() == Rep::Box) {
        for (uint32_t i = a->length; i < length; i++) a->buffer->words[i] = kNilBox;
    }
    a->length = length;
}

Array* arraySlice(State& s, const Array* a, uint32_t from, uint32_t to) {
    Array* result = newArray(s, s.types.at(a->aux), to - from);
    if (to > from) {
        Rep rep = a->elementRep();
        std::memcpy(result->buffer->words, elementAt(a->buffer, rep, from), (to - from) * elementSize(rep));
    }
    result->length = to - from;
    return result;
}

}  // namespace luapp::rt
