#include "runtime/object/string.h"

#include <cstdlib>
#include <cstring>

#include "runtime/base/hash.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

// A shared buffer pays from this length on.
constexpr uint64_t kLeastBuffered = 128;

void checkLength(State& s, uint64_t length) {
    if (LUAPP_UNLIKELY(length > kMaxStringLength)) raise(s, ErrorKind::StringTooLong);
}

StringBuffer* newStringBuffer(State& s, uint64_t capacity) {
    size_t bytes = Heap::roundedSize(StringBuffer::kHeaderSize + capacity);
    auto* buffer = static_cast<StringBuffer*>(s.heap.allocate(bytes, Kind::StringBuffer));
    buffer->capacity = bytes - StringBuffer::kHeaderSize;
    return buffer;
}

/// The string that is the first `length` bytes of a buffer.
String* newWindow(State& s, StringBuffer* buffer, uint64_t length) {
    constexpr size_t kSize = String::kHeaderSize + sizeof(StringBuffer*);
    auto* str = static_cast<String*>(s.heap.allocate(kSize, Kind::String, 0, 0, String::kBuffered));
    str->length = length;
    str->buffer = buffer;
    return str;
}

/// A buffer that begins with the bytes of `a` and takes `more` further ones behind them; null if `a` was not made by
/// appending, so that a plain copy is better.
StringBuffer* appendable(State& s, String* a, uint64_t more) {
    uint64_t length = a->length + more;
    if ((a->flags & String::kBuffered) != 0) {
        StringBuffer* buffer = a->buffer;
        if (buffer->used == a->length) {
            if (buffer->capacity - buffer->used >= more) return buffer;
            size_t bytes = Heap::roundedSize(StringBuffer::kHeaderSize + length * 2);
            if (bytes > kMaxSmallSize && s.heap.extend(buffer, bytes)) {
                buffer->capacity = bytes - StringBuffer::kHeaderSize;
                return buffer;
            }
        }
    } else if ((a->flags & String::kConcatenated) == 0 || length < kLeastBuffered) {
        return nullptr;
    }
    StringBuffer* buffer = newStringBuffer(s, length * 2);
    std::memcpy(buffer->bytes, a->data(), a->length);
    buffer->used = a->length;
    return buffer;
}

void appendBytes(StringBuffer* buffer, std::string_view part) {
    std::memcpy(buffer->bytes + buffer->used, part.data(), part.size());
    buffer->used += part.size();
}

}  // namespace

// --- making strings ---------------------------------------------------------------------------------------------------------

String* newLongString(State& s, uint64_t length) {
    checkLength(s, length);
    // The heap zeroes memory, so the NUL is there.
    auto* str = static_cast<String*>(s.heap.allocate(String::kHeaderSize + length + 1, Kind::String));
    str->length = length;
    return str;
}

String* newString(State& s, std::string_view bytes) {
    if (bytes.size() <= kMaxInterned) return s.strings.intern(s, bytes);
    String* str = newLongString(s, bytes.size());
    std::memcpy(str->inlineBytes, bytes.data(), bytes.size());
    return str;
}

String* byteString(State& s, uint8_t byte) {
    String*& cached = s.byteStrings[byte];
    if (LUAPP_UNLIKELY(cached == nullptr)) {
        char c = static_cast<char>(byte);
        cached = newString(s, {&c, 1});
    }
    return cached;
}

String* numberString(State& s, double d, base::NumberStyle style) {
    char text[base::kNumberTextSize];
    return s.strings.intern(s, {text, base::numberToText(d, text, style)});
}

String* integerString(State& s, int64_t i) {
    char text[base::kNumberTextSize];
    return s.strings.intern(s, {text, base::integerToText(i, text)});
}

String* substring(State& s, const String* str, uint64_t from, uint64_t to) {
    if (from == 0 && to == str->length) return const_cast<String*>(str);
    if (to - from == 1) return byteString(s, static_cast<uint8_t>(str->data()[from]));
    if (to - from <= kMaxInterned) return s.strings.intern(s, {str->data() + from, to - from});
    String* result = newLongString(s, to - from);
    std::memcpy(result->inlineBytes, str->data() + from, to - from);
    return result;
}

const char* terminated(State& s, String* str) {
    if ((str->flags & String::kBuffered) == 0) return str->inlineBytes;
    String* copy = newLongString(s, str->length);
    std::memcpy(copy->inlineBytes, str->data(), str->length);
    return copy->inlineBytes;
}

// --- joining ----------------------------------------------------------------------------------------------------------------

String* concat(State& s, String* a, String* b) {
    if (b->length == 0) return a;
    if (a->length == 0) return b;
    uint64_t length = a->length + b->length;
    if (length <= kMaxInterned) {
        char bytes[kMaxInterned];
        std::memcpy(bytes, a->data(), a->length);
        std::memcpy(bytes + a->length, b->data(), b->length);
        return s.strings.intern(s, {bytes, length});
    }
    checkLength(s, length);
    if (StringBuffer* buffer = appendable(s, a, b->length)) {
        appendBytes(buffer, b->view());
        return newWindow(s, buffer, length);
    }
    String* str = newLongString(s, length);
    str->flags |= String::kConcatenated;
    std::memcpy(str->inlineBytes, a->data(), a->length);
    std::memcpy(str->inlineBytes + a->length, b->data(), b->length);
    return str;
}

StringJoiner::StringJoiner(State& s, String* first, uint64_t length) : state_(s), length_(length) {
    checkLength(s, length);
    if (length <= kMaxInterned) {
        at_ = small_;
        return;
    }
    if (first) buffer_ = appendable(s, first, length - first->length);
    if (buffer_) {
        isFirstThere_ = true;
        at_ = buffer_->bytes + buffer_->used;
        return;
    }
    string_ = newLongString(s, length);
    string_->flags |= String::kConcatenated;
    at_ = string_->inlineBytes;
}

String* StringJoiner::finish() {
    if (buffer_) {
        LUAPP_CHECK(at_ == buffer_->bytes + length_, "pieces of another length");
        buffer_->used = length_;
        return newWindow(state_, buffer_, length_);
    }
    return string_ ? string_ : state_.strings.intern(state_, {small_, length_});
}

String* concatN(State& s, const Word* words, uint32_t count) {
    auto at = [words](uint32_t i) { return refOf<String>(words[i]); };
    if (count == 1) return at(0);
    if (count == 2) return concat(s, at(0), at(1));
    uint64_t length = 0;
    for (uint32_t i = 0; i < count; i++) length += at(i)->length;
    StringJoiner joiner(s, at(0), length);
    for (uint32_t i = 0; i < count; i++) joiner.add(at(i)->view());
    return joiner.finish();
}

// --- hash and comparison ----------------------------------------------------------------------------------------------------

uint32_t computeHash(State& s, String* str) {
    str->aux = base::hashBytes(str->data(), str->length, s.hashSeed);
    str->flags |= String::kHashed;
    return str->aux;
}

bool equalLong(const String* a, const String* b) {
    if (a->length != b->length) return false;
    if ((a->flags & b->flags & String::kHashed) != 0 && a->aux != b->aux) return false;
    return std::memcmp(a->data(), b->data(), a->length) == 0;
}

int compareStrings(const String* a, const String* b) {
    uint64_t common = a->length < b->length ? a->length : b->length;
    int order = std::memcmp(a->data(), b->data(), common);
    if (order != 0) return order;
    return a->length < b->length ? -1 : a->length > b->length ? 1 : 0;
}

// --- TextBuilder ------------------------------------------------------------------------------------------------------------

void TextBuilder::grow(uint64_t atLeast) {
    constexpr uint64_t kFirst = 200;
    uint64_t old = size();
    checkLength(state_, old + atLeast);
    uint64_t capacity = old * 2 > old + atLeast ? old * 2 : old + atLeast;
    size_t bytes = Heap::roundedSize(StringBuffer::kHeaderSize + capacity);
    if (bytes > kMaxSmallSize && buffer_ != nullptr && state_.heap.extend(buffer_, bytes)) {
        buffer_->capacity = bytes - StringBuffer::kHeaderSize;
        room_ = buffer_->capacity - old;
        return;
    }
    StringBuffer* bigger = newStringBuffer(state_, capacity < kFirst ? kFirst : capacity);
    if (old != 0) std::memcpy(bigger->bytes, buffer_->bytes, old);
    buffer_ = bigger;
    end_ = bigger->bytes + old;
    room_ = bigger->capacity - old;
}

LUAPP_NOINLINE void TextBuilder::appendSlow(std::string_view text) {
    grow(text.size());
    std::memcpy(end_, text.data(), text.size());
    end_ += text.size();
    room_ -= text.size();
}

char* TextBuilder::extend(uint64_t count) {
    if (count > room_) grow(count);
    char* p = end_;
    end_ += count;
    room_ -= count;
    return p;
}

String* TextBuilder::finish() {
    uint64_t length = size();
    if (length <= kMaxInterned) return state_.strings.intern(state_, view());
    buffer_->used = length;
    return newWindow(state_, buffer_, length);
}

// --- InternTable ------------------------------------------------------------------------------------------------------------

namespace {

constexpr uint32_t kFirstSlots = 512;

// The high half of a slot is the hash; the low half is where in the heap the string is, in granules, plus 1.
uint32_t hashIn(uint64_t slot) { return static_cast<uint32_t>(slot >> 32); }

String* stringIn(const Heap& heap, uint64_t slot) {
    return reinterpret_cast<String*>(heap.base() + size_t{static_cast<uint32_t>(slot) - 1} * kGranule);
}

uint64_t makeSlot(const Heap& heap, const String* str, uint32_t hash) {
    auto offset = static_cast<uint64_t>(reinterpret_cast<const char*>(str) - heap.base());
    return uint64_t{hash} << 32 | static_cast<uint32_t>(offset / kGranule + 1);
}

void placeSlot(uint64_t* slots, uint32_t mask, uint64_t slot) {
    uint32_t at = hashIn(slot) & mask;
    while (slots[at] != 0) at = (at + 1) & mask;
    slots[at] = slot;
}

}  // namespace

InternTable::~InternTable() { std::free(slots_); }

LUAPP_NOINLINE void InternTable::grow() {
    uint32_t oldSlots = slots_ == nullptr ? 0 : mask_ + 1;
    uint32_t slotCount = slots_ == nullptr ? kFirstSlots : oldSlots * 2;
    auto* slots = static_cast<uint64_t*>(std::calloc(slotCount, sizeof(uint64_t)));
    if (slots == nullptr) base::bugFound("no memory for the table of strings", __FILE__, __LINE__);
    for (uint32_t i = 0; i < oldSlots; i++) {
        if (slots_[i] != 0) placeSlot(slots, slotCount - 1, slots_[i]);
    }
    std::free(slots_);
    slots_ = slots;
    mask_ = slotCount - 1;
}

/// memcmp() == 0 for the few bytes of an interned string.
static LUAPP_ALWAYS_INLINE bool sameBytes(const char* a, const char* b, size_t count) {
    const auto differ = [a, b]<class Piece>(size_t at, Piece) {
        Piece x, y;
        std::memcpy(&x, a + at, sizeof(Piece));
        std::memcpy(&y, b + at, sizeof(Piece));
        return x != y;
    };
    if (count >= 8) {
        for (size_t at = 0; at + 8 < count; at += 8)
            if (differ(at, uint64_t{})) return false;
        return !differ(count - 8, uint64_t{});
    }
    if (count >= 4) return !differ(0, uint32_t{}) && !differ(count - 4, uint32_t{});
    for (size_t at = 0; at < count; at++)
        if (a[at] != b[at]) return false;
    return true;
}

LUAPP_NOINLINE String* InternTable::intern(State& s, std::string_view bytes) {
    LUAPP_CHECK(bytes.size() <= kMaxInterned, "short strings only");
    if (LUAPP_UNLIKELY(slots_ == nullptr)) grow();
    if (bytes.data() == nullptr) bytes = "";
    uint32_t hash = base::hashBytes(bytes.data(), bytes.size(), s.hashSeed);
    for (uint32_t at = hash & mask_; slots_[at] != 0; at = (at + 1) & mask_) {
        if (hashIn(slots_[at]) != hash) continue;
        String* str = stringIn(s.heap, slots_[at]);
        if (str->length != bytes.size() || !sameBytes(str->inlineBytes, bytes.data(), bytes.size())) continue;
        s.heap.revive(str);
        return str;
    }
    // The bytes may stand in an object that the allocation would free.
    char copy[kMaxInterned + 8];
    std::memcpy(copy, bytes.data(), bytes.size());
    auto* str = static_cast<String*>(
        s.heap.allocateInterned(String::kHeaderSize + bytes.size() + 1, hash, String::kInterned | String::kHashed));
    str->length = bytes.size();
    std::memcpy(str->inlineBytes, copy, bytes.size());
    if (LUAPP_UNLIKELY(uint64_t{count_} * 2 > mask_)) grow();
    placeSlot(slots_, mask_, makeSlot(s.heap, str, hash));
    count_++;
    return str;
}

void InternTable::remove(const Heap& heap, const String* str) {
    const uint64_t wanted = makeSlot(heap, str, str->aux);
    uint32_t at = hashIn(wanted) & mask_;
    for (; slots_[at] != wanted; at = (at + 1) & mask_) LUAPP_CHECK(slots_[at] != 0, "an interned string is in the table");
    // Slots behind it that it kept from their first choice move up (Knuth, The Art of Computer Programming 3, 1973, algorithm 6.4 R).
    for (uint32_t next = (at + 1) & mask_; slots_[next] != 0; next = (next + 1) & mask_) {
        const uint32_t home = hashIn(slots_[next]) & mask_;
        if (((next - home) & mask_) < ((next - at) & mask_)) continue;
        slots_[at] = slots_[next];
        at = next;
    }
    slots_[at] = 0;
    count_--;
}

}  // namespace luapp::rt
