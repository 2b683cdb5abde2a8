// A backtracking matcher after the Lua 5.1 manual, section 5.4.1. Rules: (1) checkPattern() is the only place that looks for
// malformed patterns, so the matcher reads an item's parts without bounds tests beyond its end; (2) each function returns the
// end of the match or null; (3) only matchRest() recurses, and it counts the depth.
#include "runtime/lib/pattern.h"

#include <cstring>

namespace luapp::rt {

namespace {

using Byte = unsigned char;

// Character classes of the C locale, one bit each; the program's locale never matters.
enum ClassBit : uint8_t { kAlpha = 1, kDigit = 2, kLower = 4, kUpper = 8, kSpace = 16, kPunct = 32, kControl = 64, kHex = 128 };

struct ClassTable {
    uint8_t bits[256] = {};

    constexpr ClassTable() {
        for (unsigned c = 0; c < 128; c++) {
            unsigned b = 0;
            const bool lower = c >= 'a' && c <= 'z';
            const bool upper = c >= 'A' && c <= 'Z';
            const bool digit = c >= '0' && c <= '9';
            if (lower) b |= kAlpha | kLower;
            if (upper) b |= kAlpha | kUpper;
            if (digit) b |= kDigit;
            if (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) b |= kHex;
            if (c == ' ' || (c >= 9 && c <= 13)) b |= kSpace;
            if (c < 32 || c == 127) b |= kControl;
            if (c > 32 && c < 127 && !lower && !upper && !digit) b |= kPunct;
            bits[c] = static_cast<uint8_t>(b);
        }
    }
};

constexpr ClassTable kClasses;

bool hasClass(Byte c, unsigned mask) { return (kClasses.bits[c] & mask) != 0; }

// What a letter behind `%` stands for: the class bits, any of which makes a byte belong to it; 0 for a letter that names no class and stands
// for itself. Upper-case letters have those of their lower-case ones, and mean the opposite.
struct LetterTable {
    uint8_t bits[256] = {};

    constexpr LetterTable() {
        set('a', kAlpha);
        set('c', kControl);
        set('d', kDigit);
        set('g', kAlpha | kDigit | kPunct);
        set('l', kLower);
        set('p', kPunct);
        set('s', kSpace);
        set('u', kUpper);
        set('w', kAlpha | kDigit);
        set('x', kHex);
    }
    constexpr void set(unsigned letter, unsigned mask) { bits[letter] = bits[letter - 'a' + 'A'] = static_cast<uint8_t>(mask); }
};

constexpr LetterTable kLetters;

// Whether `c` belongs to the class `%letter`; a letter that names no class stands for itself.
bool inClass(Byte c, Byte letter) {
    if (const unsigned mask = kLetters.bits[letter]; mask != 0) return hasClass(c, mask) != hasClass(letter, kUpper);
    if ((letter | 0x20) == 'z') return (c == 0) == (letter == 'z');
    return letter == c;
}

// Whether `c` is in the set whose `[` is at `p` and whose `]` is at `close`.
bool inSet(Byte c, const char* p, const char* close) {
    bool found = true;
    if (p[1] == '^') {
        found = false;
        p++;
    }
    while (++p < close) {
        if (*p == '%') {
            p++;
            if (inClass(c, static_cast<Byte>(*p))) return found;
        } else if (p[1] == '-' && p + 2 < close) {
            if (static_cast<Byte>(*p) <= c && c <= static_cast<Byte>(p[2])) return found;
            p += 2;
        } else if (static_cast<Byte>(*p) == c) {
            return found;
        }
    }
    return !found;
}

// The place behind the set whose `[` is at `p`, or null if it has no end.
const char* setEnd(const char* p, const char* end) {
    p++;
    if (p < end && *p == '^') p++;
    do {  // a `]` in first place stands for itself
        if (p >= end) return nullptr;
        if (*p++ == '%') {
            if (p >= end) return nullptr;
            p++;
        }
    } while (p >= end || *p != ']');
    return p + 1;
}

bool isQuantifier(char c) { return c == '*' || c == '+' || c == '-' || c == '?'; }

bool isSpecial(char c) {
    switch (c) {
        case '^':
        case '$':
        case '*':
        case '+':
        case '?':
        case '.':
        case '(':
        case '[':
        case '%':
        case '-': return true;
        default: return false;
    }
}

// Follows the captures of a pattern while it is checked. Patterns have no alternatives, so what is open is known statically.
struct CaptureCheck {
    unsigned count = 0;
    bool isOpen[kMaxCaptures] = {};

    const char* open() {
        if (count >= kMaxCaptures) return "too many captures";
        isOpen[count++] = true;
        return nullptr;
    }
    const char* close() {
        for (unsigned i = count; i-- > 0;) {
            if (!isOpen[i]) continue;
            isOpen[i] = false;
            return nullptr;
        }
        return "invalid pattern capture";
    }
    const char* reference(char digit) const {
        const unsigned index = static_cast<unsigned>(digit - '1');
        return digit == '0' || index >= count || isOpen[index] ? "invalid capture index" : nullptr;
    }
    const char* finish() const {
        for (unsigned i = 0; i < count; i++)
            if (isOpen[i]) return "unfinished capture";
        return nullptr;
    }
};

// Checks the item after a `%` at `p`, which is behind the `%`, and moves `p` behind the item.
const char* checkEscape(const char*& p, const char* end, const CaptureCheck& captures) {
    if (p == end) return "malformed pattern (ends with '%')";
    const char c = *p++;
    if (c >= '0' && c <= '9') return captures.reference(c);
    if (c == 'b') {
        if (end - p < 2) return "unbalanced pattern";
        p += 2;
    } else if (c == 'f') {
        if (p == end || *p != '[') return "missing '[' after '%f' in pattern";
        p = setEnd(p, end);
        if (p == nullptr) return "malformed pattern (missing ']')";
    }
    return nullptr;
}

}  // namespace

const char* checkPattern(std::string_view pattern) {
    const char* p = pattern.data();
    const char* const end = p + pattern.size();
    CaptureCheck captures;
    if (p != end && *p == '^') p++;
    while (p != end) {
        const char* problem = nullptr;
        switch (*p++) {
            case '(': problem = captures.open(); break;
            case ')': problem = captures.close(); break;
            case '%': problem = checkEscape(p, end, captures); break;
            case '[':
                p = setEnd(p - 1, end);
                if (p == nullptr) problem = "malformed pattern (missing ']')";
                break;
            default: break;
        }
        if (problem != nullptr) return problem;
    }
    return captures.finish();
}

bool isPlainPattern(std::string_view pattern) {
    for (char c : pattern)
        if (isSpecial(c) || c == ')') return false;
    return true;
}

size_t findPlain(std::string_view text, std::string_view needle, size_t from) {
    if (from > text.size()) return std::string_view::npos;
    if (needle.empty()) return from;
    const void* found = needle.size() == 1
                            ? std::memchr(text.data() + from, needle[0], text.size() - from)
                            : memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
    return found == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

PatternMatcher::PatternMatcher(std::string_view subject, std::string_view pattern, bool anchorable)
    : subject_(subject.data()),
      subjectEnd_(subject.data() + subject.size()),
      pattern_(pattern.data()),
      patternEnd_(pattern.data() + pattern.size()) {
    if (anchorable && !pattern.empty() && pattern[0] == '^') {
        anchored_ = true;
        pattern_++;
    }
}

bool PatternMatcher::matchAt(size_t at) {
    captureCount_ = 0;
    depth_ = 0;
    tooComplex_ = false;
    matchStart_ = subject_ + at;
    matchEnd_ = match(matchStart_, pattern_);
    return matchEnd_ != nullptr;
}

bool PatternMatcher::search(size_t from) {
    const size_t size = static_cast<size_t>(subjectEnd_ - subject_);
    if (from > size) return false;
    if (anchored_) return matchAt(from);
    const char* first = pattern_;  // the item that the first byte of a match is of, if there is one
    while (first != patternEnd_ && *first == '(') first++;
    const char* const next = firstItemEnd(first);
    if (next == nullptr) {
        for (size_t at = from; at <= size; at++) {
            if (matchAt(at)) return true;
            if (tooComplex_) return false;
        }
        return false;
    }
    const bool isRun = first == pattern_ && next + 1 == patternEnd_ && *next == '+';  // the whole pattern is one item with `+`
    for (const char* s = subject_ + from;; s++) {
        s = findSingle(s, first, next);
        if (s == subjectEnd_) return false;
        if (isRun) {
            captureCount_ = 0;
            matchStart_ = s;
            matchEnd_ = skipSingles<true>(s + 1, first, next);
            return true;
        }
        if (matchAt(static_cast<size_t>(s - subject_))) return true;
        if (tooComplex_) return false;
    }
}

/// The end of the item at `p` if it is one byte that must be there, whatever the item; null otherwise.
const char* PatternMatcher::firstItemEnd(const char* p) const {
    if (p == patternEnd_ || *p == ')' || *p == '.') return nullptr;
    if (*p == '$' && p + 1 == patternEnd_) return nullptr;
    if (*p == '%' && (p[1] == 'b' || p[1] == 'f' || (p[1] >= '0' && p[1] <= '9'))) return nullptr;
    const char* const next = itemEnd(p);
    return next == patternEnd_ || !isQuantifier(*next) || *next == '+' ? next : nullptr;
}

/// The first byte from `s` on that the item from `p` to `next` matches, or the end of the subject.
const char* PatternMatcher::findSingle(const char* s, const char* p, const char* next) const {
    const size_t rest = static_cast<size_t>(subjectEnd_ - s);
    if (*p != '%' && *p != '[') {
        const void* const found = rest == 0 ? nullptr : std::memchr(s, *p, rest);
        return found == nullptr ? subjectEnd_ : static_cast<const char*>(found);
    }
    return skipSingles<false>(s, p, next);
}

/// Behind the bytes from `s` on of each of which it is `isMatching` whether the item from `p` to `next` matches it.
template <bool isMatching>
const char* PatternMatcher::skipSingles(const char* s, const char* p, const char* next) const {
    const char* const end = subjectEnd_;
    if (*p == '%' && kLetters.bits[static_cast<Byte>(p[1])] != 0) {
        const Byte letter = static_cast<Byte>(p[1]);
        const unsigned mask = kLetters.bits[letter];
        const bool wanted = hasClass(letter, kUpper) != isMatching;
        while (s < end && hasClass(static_cast<Byte>(*s), mask) == wanted) s++;
        return s;
    }
    while (s < end && matchSingle(s, p, next) == isMatching) s++;
    return s;
}

const char* PatternMatcher::itemEnd(const char* p) const {
    if (*p == '%') return p + 2;
    if (*p == '[') return setEnd(p, patternEnd_);
    return p + 1;
}

bool PatternMatcher::matchSingle(const char* s, const char* p, const char* next) const {
    if (s >= subjectEnd_) return false;
    const Byte c = static_cast<Byte>(*s);
    switch (*p) {
        case '.': return true;
        case '%': return inClass(c, static_cast<Byte>(p[1]));
        case '[': return inSet(c, p, next - 1);
        default: return static_cast<Byte>(*p) == c;
    }
}

const char* PatternMatcher::matchRest(const char* s, const char* p) {
    if (depth_ >= kMaxDepth) {
        tooComplex_ = true;
        return nullptr;
    }
    depth_++;
    const char* result = match(s, p);
    depth_--;
    return result;
}

const char* PatternMatcher::maxExpand(const char* s, const char* p, const char* next, size_t least) {
    const char* const behind = *p == '.' ? subjectEnd_ : skipSingles<true>(s, p, next);
    size_t count = static_cast<size_t>(behind - s);
    if (count < least) return nullptr;
    if (next + 1 == patternEnd_) return behind;
    for (;; count--) {
        if (const char* result = matchRest(s + count, next + 1)) return result;
        if (count == least || tooComplex_) return nullptr;
    }
}

const char* PatternMatcher::minExpand(const char* s, const char* p, const char* next) {
    for (;; s++) {
        if (const char* result = matchRest(s, next + 1)) return result;
        if (tooComplex_ || !matchSingle(s, p, next)) return nullptr;
    }
}

const char* PatternMatcher::openCapture(const char* s, const char* p, size_t length) {
    const unsigned index = captureCount_;
    captures_[index] = {s, length};
    captureCount_ = index + 1;
    const char* result = matchRest(s, p);
    if (result == nullptr) captureCount_ = index;
    return result;
}

const char* PatternMatcher::closeCapture(const char* s, const char* p) {
    unsigned index = captureCount_ - 1;
    while (captures_[index].length != kOpenCapture) index--;
    captures_[index].length = static_cast<size_t>(s - captures_[index].start);
    const char* result = matchRest(s, p);
    if (result == nullptr) captures_[index].length = kOpenCapture;
    return result;
}

const char* PatternMatcher::matchBalance(const char* s, const char* p) const {
    if (s >= subjectEnd_ || *s != *p) return nullptr;
    const char open = p[0];
    const char close = p[1];
    size_t depth = 1;
    while (++s < subjectEnd_) {
        if (*s == close) {
            if (--depth == 0) return s + 1;
        } else if (*s == open) {
            depth++;
        }
    }
    return nullptr;
}

const char* PatternMatcher::matchBackReference(const char* s, unsigned index) const {
    const Capture& c = captures_[index];
    // A position capture has no text; Lua compares an unmatchable length, so the reference never matches.
    if (c.length == kPositionCapture || c.length > static_cast<size_t>(subjectEnd_ - s)) return nullptr;
    return std::memcmp(c.start, s, c.length) == 0 ? s + c.length : nullptr;
}

const char* PatternMatcher::match(const char* s, const char* p) {
    while (p != patternEnd_) {
        switch (*p) {
            case '(':
                return p + 1 != patternEnd_ && p[1] == ')' ? openCapture(s, p + 2, kPositionCapture)
                                                           : openCapture(s, p + 1, kOpenCapture);
            case ')': return closeCapture(s, p + 1);
            case '$':
                if (p + 1 == patternEnd_) return s == subjectEnd_ ? s : nullptr;
                break;
            case '%':
                if (p[1] == 'b') {
                    s = matchBalance(s, p + 2);
                    if (s == nullptr) return nullptr;
                    p += 4;
                    continue;
                }
                if (p[1] == 'f') {
                    const char* next = setEnd(p + 2, patternEnd_);
                    const Byte before = s == subject_ ? 0 : static_cast<Byte>(s[-1]);
                    const Byte here = s == subjectEnd_ ? 0 : static_cast<Byte>(*s);
                    if (inSet(before, p + 2, next - 1) || !inSet(here, p + 2, next - 1)) return nullptr;
                    p = next;
                    continue;
                }
                if (p[1] >= '0' && p[1] <= '9') {
                    s = matchBackReference(s, static_cast<unsigned>(p[1] - '1'));
                    if (s == nullptr) return nullptr;
                    p += 2;
                    continue;
                }
                break;
            default: break;
        }
        const char* next = itemEnd(p);
        switch (next == patternEnd_ ? '\0' : *next) {
            case '*': return maxExpand(s, p, next, 0);
            case '+': return maxExpand(s, p, next, 1);
            case '-': return minExpand(s, p, next);
            case '?':
                if (matchSingle(s, p, next)) {
                    if (const char* result = matchRest(s + 1, next + 1)) return result;
                    if (tooComplex_) return nullptr;
                }
                p = next + 1;
                continue;
            default: break;
        }
        if (!matchSingle(s, p, next)) return nullptr;
        s++;
        p = next;
    }
    return s;
}

}  // namespace luapp::rt
