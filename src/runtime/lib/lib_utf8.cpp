// utf8: positions are one-based byte positions. Valid is what the Unicode standard calls valid: no overlong forms, no surrogates,
// nothing beyond U+10FFFF.
#include "runtime/lib/builtin_values.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"

namespace luapp::rt {

namespace {

bool isContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Length of the valid sequence at `p` and its code point; 0 if it is invalid.
unsigned decode(const char* p, const char* end, uint32_t& code) {
    const unsigned char first = static_cast<unsigned char>(*p);
    if (first < 0x80) {
        code = first;
        return 1;
    }
    const unsigned length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || end - p < static_cast<ptrdiff_t>(length)) return 0;
    code = first & (0x7Fu >> length);
    for (unsigned i = 1; i < length; i++) {
        if (!isContinuation(p[i])) return 0;
        code = code << 6 | (static_cast<unsigned char>(p[i]) & 0x3Fu);
    }
    if (length == 3 && (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF))) return 0;
    if (length == 4 && (code < 0x10000 || code > 0x10FFFF)) return 0;
    return length;
}

unsigned encode(uint32_t code, char* out) {
    if (code < 0x80) {
        out[0] = static_cast<char>(code);
        return 1;
    }
    const unsigned length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (unsigned i = length - 1; i > 0; i--) {
        out[i] = static_cast<char>(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = static_cast<char>((0xF00u >> length & 0xFFu) | code);
    return length;
}

int64_t fromStart(int64_t position, const String* str) {
    return position >= 0 ? position : position + static_cast<int64_t>(str->length) + 1;
}

uint32_t decodeOrRaise(State& s, const String* str, int64_t at, unsigned& length) {
    const char* const bytes = str->data();
    uint32_t code = 0;
    length = decode(bytes + at - 1, bytes + str->length, code);
    if (length == 0) raiseLib(s, "invalid UTF-8 code");
    return code;
}

}  // namespace

Word utf8Char(State& s, Word* args) {
    const uint32_t count = s.argCount;
    TextBuilder out(s);
    for (uint32_t i = 0; i < count; i++) {
        const double code = valueArg(args, i).asNumber();
        if (!(code >= 0 && code <= 0x10FFFF)) raiseArgument(s, i + 1, "char", "value out of range");
        char bytes[4];
        out.append(std::string_view(bytes, encode(static_cast<uint32_t>(code), bytes)));
    }
    return wordOf(out.finish());
}

Word utf8CodePoint(State& s, Word* args) {
    const String* const str = stringArg(args, 0);
    const int64_t from = fromStart(integerOf(args[1]), str);
    const Value last = valueArg(args, 2);
    const int64_t to = last.isNil() ? from : fromStart(static_cast<int64_t>(last.asNumber()), str);
    if (from < 1) raiseArgument(s, 2, "codepoint", "out of range");
    if (to > static_cast<int64_t>(str->length)) raiseArgument(s, 3, "codepoint", "out of range");
    uint32_t count = 0;
    unsigned length = 0;
    for (int64_t at = from; at <= to; at += length) {
        ensureResults(s, uint64_t{count} + 1);
        s.results[count++] = Value::integer(decodeOrRaise(s, str, at, length)).word();
    }
    return packResult(s, count);
}

Word utf8CodePointAt(State& s, Word* args) {
    const String* const str = stringArg(args, 0);
    const int64_t at = fromStart(integerOf(args[1]), str);
    if (at < 1 || at > static_cast<int64_t>(str->length)) raiseArgument(s, 2, "codepoint", "out of range");
    unsigned length = 0;
    return wordOf(int64_t{decodeOrRaise(s, str, at, length)});
}

Word utf8Len(State& s, Word* args) {
    const String* const str = stringArg(args, 0);
    const int64_t length = static_cast<int64_t>(str->length);
    int64_t at = fromStart(integerOf(args[1]), str);
    const int64_t to = fromStart(integerOf(args[2]), str);
    if (at < 1 || at > length + 1) raiseArgument(s, 2, "len", "initial position out of string");
    if (to > length) raiseArgument(s, 3, "len", "final position out of string");
    int64_t count = 0;
    for (; at <= to; count++) {
        uint32_t code = 0;
        const unsigned step = decode(str->data() + at - 1, str->data() + length, code);
        if (step == 0) {
            s.results[0] = kNilBox;
            s.results[1] = Value::integer(at).word();
            return packResult(s, 2);
        }
        at += step;
    }
    return packResult(s, Value::integer(count));
}

Word utf8Offset(State& s, Word* args) {
    const String* const str = stringArg(args, 0);
    const int64_t length = static_cast<int64_t>(str->length);
    int64_t n = integerOf(args[1]);
    const Value start = valueArg(args, 2);
    int64_t at = start.isNil() ? (n > 0 ? 1 : length + 1) : fromStart(static_cast<int64_t>(start.asNumber()), str);
    if (at < 1 || at > length + 1) raiseArgument(s, 3, "offset", "position out of range");
    at--;  // from here on counted from 0
    const char* const bytes = str->data();
    const auto inside = [&](int64_t i) { return i < length && isContinuation(bytes[i]); };
    if (n == 0) {
        while (at > 0 && inside(at)) at--;
        return Value::integer(at + 1).word();
    }
    if (inside(at)) raiseLib(s, "initial position is a continuation byte");
    for (; n < 0 && at > 0; n++) {
        do at--;
        while (at > 0 && inside(at));
    }
    if (n > 0) n--;
    for (; n > 0 && at < length; n--) {
        do at++;
        while (inside(at));
    }
    return n == 0 ? Value::integer(at + 1).word() : kNilBox;
}

// Captures of the iterator: 1 the string, 2 the offset of the next code point.
Word utf8Codes(State& s, Word* args) {
    Closure* const iterator = newIterator(s, BuiltinId::Utf8CodesNext, 2);
    storeWord(s, iterator, &captureAt(iterator, 1), args[0]);
    captureAt(iterator, 2) = wordOf(int64_t{0});
    return wordOf(iterator);
}

Word utf8CodesNext(State& s, Word* args) {
    Closure* const iterator = refOf<Closure>(args[-1]);
    const String* const str = refOf<String>(captureAt(iterator, 1));
    const int64_t at = integerOf(captureAt(iterator, 2));
    s.results[1] = 0;
    if (at >= static_cast<int64_t>(str->length)) return kNilBox;
    unsigned length = 0;
    s.results[1] = wordOf(int64_t{decodeOrRaise(s, str, at + 1, length)});
    captureAt(iterator, 2) = wordOf(at + int64_t{length});
    return Value::integer(at + 1).word();
}

}  // namespace luapp::rt
