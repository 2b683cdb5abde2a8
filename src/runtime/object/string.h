// Strings: immutable bytes of any length with a 64-bit length and a NUL behind (not counted). Strings of up to 40 bytes are
// interned: one object per content in a State, so equality of two of them is pointer equality, and their hash is in the
// header. Longer ones compute their hash when first asked and compare by length, hash (if both know it) and bytes.
// A string built by appending may be *buffered*: a window onto a shared StringBuffer in which the bytes of longer
// strings follow; appending to the newest window extends the buffer in place, so `s = s .. x` in a loop is linear. The bytes
// of a window never change once it exists. data() hides all that; only a buffered string lacks the NUL (terminated()).
// Strings are made here, by the loader and by the library; nobody else may write into them.
#pragma once

#include <cstring>
#include <string_view>

#include "runtime/object/value.h"

namespace luapp::rt {

class Heap;

/// Strings up to this length are interned.
inline constexpr size_t kMaxInterned = 40;
/// Longer strings raise "string length overflow".
inline constexpr uint64_t kMaxStringLength = UINT32_MAX;

/// Bytes shared by buffered strings: `used` of `capacity` bytes are taken.
struct StringBuffer : Object {
    uint64_t used;
    uint64_t capacity;
    char bytes[];
    static constexpr size_t kHeaderSize = 24;
};

/// A length in 32 bits that counts in 64.
class StringLength {
public:
    StringLength& operator=(uint64_t length) {
        value_ = static_cast<uint32_t>(length);
        return *this;
    }
    operator uint64_t() const { return value_; }

private:
    uint32_t value_;
};

struct String : Object {
    static constexpr uint8_t kInterned = 1;      // one object per content
    static constexpr uint8_t kBuffered = 2;      // the payload is a StringBuffer*, not the bytes
    static constexpr uint8_t kHashed = 4;        // aux holds the hash
    static constexpr uint8_t kConcatenated = 8;  // result of `..`: appending to it again makes it buffered
    static constexpr size_t kHeaderSize = 16;

    StringLength length;
    uint32_t entry;  // interned strings: where the last table in which it was found as a key had it; a guess
    union {
        char inlineBytes[8];
        StringBuffer* buffer;
    };

    bool isInterned() const { return (flags & kInterned) != 0; }
    const char* data() const {
        return LUAPP_LIKELY((flags & kBuffered) == 0) ? inlineBytes : buffer->bytes;
    }
    std::string_view view() const { return {data(), length}; }
};

/// The string with these bytes; interned if short. `bytes` must not point into a heap object that only this call keeps alive.
/// May collect; raises "string length overflow" and "out of memory".
String* newString(State& s, std::string_view bytes);

/// An uninitialised, not interned string of `length` > kMaxInterned bytes; the caller fills inlineBytes before the next safepoint.
String* newLongString(State& s, uint64_t length);

/// The interned one-byte string, from a cache.
String* byteString(State& s, uint8_t byte);

/// tostring of a number in the strict or the lenient style.
String* numberString(State& s, double d, base::NumberStyle style = base::NumberStyle::Strict);
String* integerString(State& s, int64_t i);

/// a .. b. Amortised constant time in a's length where a is the newest result of appending. May collect.
String* concat(State& s, String* a, String* b);

/// Makes a string of known length out of pieces; appends in place where concat() would.
class StringJoiner {
public:
    /// `first` is the string that is the first piece, or null if that is none. What the pieces lie in must be reachable until finish().
    /// May collect; raises "string length overflow" and "out of memory".
    StringJoiner(State& s, String* first, uint64_t length);
    /// The next piece; all of them together have the length.
    void add(std::string_view piece) {
        if (isFirstThere_) {
            isFirstThere_ = false;
            return;
        }
        std::memcpy(at_, piece.data(), piece.size());
        at_ += piece.size();
    }
    /// May collect.
    String* finish();

private:
    State& state_;
    uint64_t length_;
    char* at_;
    bool isFirstThere_ = false;
    StringBuffer* buffer_ = nullptr;
    String* string_ = nullptr;
    char small_[kMaxInterned];
};

/// The `count` >= 1 strings (references) at `words`, joined. `words` must be scanned memory (VM stack, result area).
String* concatN(State& s, const Word* words, uint32_t count);

/// s[from, to) by bytes, 0 <= from <= to <= length. May collect.
String* substring(State& s, const String* str, uint64_t from, uint64_t to);

/// The bytes with a NUL behind; for a buffered string this makes a copy that lives as long as the result is referenced.
const char* terminated(State& s, String* str);

/// Hash of a string that may not have one yet; always the same for equal strings of one State.
uint32_t computeHash(State& s, String* str);
inline uint32_t hashOf(State& s, String* str) {
    return LUAPP_LIKELY((str->flags & String::kHashed) != 0) ? str->aux : computeHash(s, str);
}

/// Content equality of two long strings.
bool equalLong(const String* a, const String* b);

/// Content equality; neither may be null.
inline bool equalStrings(const String* a, const String* b) {
    if (a == b) return true;
    if (((a->flags | b->flags) & String::kInterned) != 0) return false;
    return equalLong(a, b);
}

/// Content equality; either may be null.
inline bool equalStringsOrNull(const String* a, const String* b) {
    return a == b || (a != nullptr && b != nullptr && equalStrings(a, b));
}

/// Order by bytes (unsigned), shorter first where one is a prefix: < 0, 0, > 0.
int compareStrings(const String* a, const String* b);

/// Builds a string piece by piece in heap memory. It has no destructor and may be dropped at any time (so functions that
/// raise may use it); it lives on the native stack only. finish() hands out the bytes without copying where that pays.
class TextBuilder {
public:
    explicit TextBuilder(State& s) : state_(s) {}

    void append(std::string_view text) {
        if (text.empty()) return;
        if (LUAPP_LIKELY(text.size() <= room_)) {
            std::memcpy(end_, text.data(), text.size());
            end_ += text.size();
            room_ -= text.size();
        } else {
            appendSlow(text);
        }
    }
    void append(char c) { append(std::string_view(&c, 1)); }
    void append(const String* str) { append(str->view()); }
    void appendNumber(double d, base::NumberStyle style = base::NumberStyle::Strict) {
        char text[base::kNumberTextSize];
        append(std::string_view(text, base::numberToText(d, text, style)));
    }
    /// `count` bytes to be filled by the caller before the next call of any function that may collect.
    char* extend(uint64_t count);
    uint64_t size() const { return buffer_ == nullptr ? 0 : static_cast<uint64_t>(end_ - buffer_->bytes); }
    std::string_view view() const { return buffer_ == nullptr ? std::string_view() : std::string_view(buffer_->bytes, size()); }
    /// The text as a string; the builder must not be used afterwards.
    String* finish();

private:
    void appendSlow(std::string_view text);
    void grow(uint64_t atLeast);

    State& state_;
    StringBuffer* buffer_ = nullptr;
    char* end_ = nullptr;
    uint64_t room_ = 0;
};

/// The weak set of interned strings of one State. Owned by the State; swept by the collector.
class InternTable {
public:
    ~InternTable();
    /// The interned string with these bytes (length <= kMaxInterned), made if there is none. May collect.
    String* intern(State& s, std::string_view bytes);
    /// Takes out a string of it that is about to be freed; called by the collector when it sweeps. Until then intern() may find it: it
    /// lives on then (Heap::revive).
    void remove(const Heap& heap, const String* str);
    size_t size() const { return count_; }

private:
    void grow();
    uint64_t* slots_ = nullptr;  // 0 empty, else hash and place of a string: see string.cpp
    uint32_t mask_ = 0;
    uint32_t count_ = 0;
};

}  // namespace luapp::rt
