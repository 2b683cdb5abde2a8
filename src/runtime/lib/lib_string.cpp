// The string library but for patterns (lib_pattern.cpp) and format (lib_format.cpp). Positions are one-based; negative ones
// count from the end. Strings are bytes: case and classes are those of ASCII.
#include <algorithm>
#include <cstring>

#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"

namespace luapp::rt {

namespace {

/// A position from a program as one counted from the start; may lie outside the string.
int64_t fromStart(int64_t position, uint64_t length) {
    return position >= 0 ? position : position + static_cast<int64_t>(length) + 1;
}

/// The result of a function that maps each byte: a new string, or `str` itself if nothing changes.
template <class Map>
String* mapBytes(State& s, String* str, Map map) {
    const std::string_view text = str->view();
    size_t first = 0;
    while (first < text.size() && map(text[first]) == text[first]) first++;
    if (first == text.size()) return str;
    char small[kMaxInterned];
    String* result = nullptr;
    char* out = small;
    if (text.size() > kMaxInterned) {
        result = newLongString(s, text.size());
        out = result->inlineBytes;
    }
    const char* from = str->data();  // read again: the allocation may have collected
    for (size_t i = 0; i < text.size(); i++) out[i] = map(from[i]);
    keepAlive(str);
    return result != nullptr ? result : newString(s, {small, text.size()});
}

char lowerByte(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char upperByte(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

}  // namespace

Word stringLen(State&, Word* args) { return wordOf(static_cast<int64_t>(stringArg(args, 0)->length)); }

Word stringLower(State& s, Word* args) { return wordOf(mapBytes(s, stringArg(args, 0), lowerByte)); }

Word stringUpper(State& s, Word* args) { return wordOf(mapBytes(s, stringArg(args, 0), upperByte)); }

Word stringSub(State& s, Word* args) {
    const String* str = stringArg(args, 0);
    const int64_t length = static_cast<int64_t>(str->length);
    const int64_t from = std::max<int64_t>(fromStart(integerOf(args[1]), str->length), 1);
    const int64_t to = std::min(fromStart(integerOf(args[2]), str->length), length);
    if (from > to) return wordOf(s.emptyString);
    if (from == to) return wordOf(byteString(s, static_cast<uint8_t>(str->data()[from - 1])));
    if (from == 1 && to == length) return args[0];
    return wordOf(substring(s, str, static_cast<uint64_t>(from - 1), static_cast<uint64_t>(to)));
}

Word stringByteAt(State&, Word* args) {
    const String* str = stringArg(args, 0);
    const int64_t at = fromStart(integerOf(args[1]), str->length);
    if (at < 1 || at > static_cast<int64_t>(str->length)) return kNilBox;
    return Value::integer(static_cast<uint8_t>(str->data()[at - 1])).word();
}

Word stringByte(State& s, Word* args) {
    const String* str = stringArg(args, 0);
    const int64_t start = fromStart(integerOf(args[1]), str->length);
    const Value last = valueArg(args, 2);
    const int64_t stop = last.isNil() ? start : fromStart(static_cast<int64_t>(last.asNumber()), str->length);
    const int64_t from = std::max<int64_t>(start, 1);
    const int64_t to = std::min(stop, static_cast<int64_t>(str->length));
    if (from > to) return packResult(s, 0);
    const uint64_t count = static_cast<uint64_t>(to - from + 1);
    if (count > kResultCapacity) raiseLib(s, "string slice too long");
    const char* bytes = str->data() + from - 1;
    for (uint64_t i = 0; i < count; i++) s.results[i] = Value::integer(static_cast<uint8_t>(bytes[i])).word();
    return packResult(s, static_cast<uint32_t>(count));
}

Word stringCharOne(State& s, Word* args) {
    const int64_t c = integerOf(args[0]);
    if (c < 0 || c > 255) raiseArgument(s, 1, "char", "invalid value");
    return wordOf(byteString(s, static_cast<uint8_t>(c)));
}

Word stringChar(State& s, Word* args) {
    const uint32_t count = s.argCount;
    TextBuilder out(s);
    char* bytes = count == 0 ? nullptr : out.extend(count);
    for (uint32_t i = 0; i < count; i++) {
        const double c = valueArg(args, i).asNumber();
        if (!(c >= 0 && c <= 255)) raiseArgument(s, i + 1, "char", "invalid value");
        bytes[i] = static_cast<char>(static_cast<uint8_t>(c));
    }
    return wordOf(out.finish());
}

Word stringRep(State& s, Word* args) {
    String* const str = stringArg(args, 0);
    String* const separator = stringArg(args, 2);
    const int64_t n = integerOf(args[1]);
    if (n <= 0) return wordOf(s.emptyString);
    if (n == 1) return args[0];
    const uint64_t step = str->length + separator->length;
    if (step == 0) return wordOf(s.emptyString);
    if (static_cast<uint64_t>(n) > kMaxStringLength / step) raise(s, ErrorKind::StringTooLong);
    const uint64_t total = step * static_cast<uint64_t>(n) - separator->length;
    TextBuilder out(s);
    char* const bytes = out.extend(total);
    // One period is written, then the written part is doubled; the last separator falls off the end.
    std::memcpy(bytes, str->data(), str->length);
    uint64_t done = str->length;
    const uint64_t firstSeparator = std::min<uint64_t>(separator->length, total - done);
    std::memcpy(bytes + done, separator->data(), firstSeparator);
    done += firstSeparator;
    while (done < total) {
        const uint64_t more = std::min(done, total - done);
        std::memcpy(bytes + done, bytes, more);
        done += more;
    }
    keepAlive(str);
    keepAlive(separator);
    return wordOf(out.finish());
}

Word stringReverse(State& s, Word* args) {
    String* const str = stringArg(args, 0);
    if (str->length < 2) return args[0];
    TextBuilder out(s);
    char* const bytes = out.extend(str->length);
    std::reverse_copy(str->data(), str->data() + str->length, bytes);
    keepAlive(str);
    return wordOf(out.finish());
}

}  // namespace luapp::rt
