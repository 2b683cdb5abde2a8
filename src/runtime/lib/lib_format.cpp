// string.format. The format is read item by item; plain %d, %s and %.Nf are written directly, everything else goes through
// snprintf with a specification that has been checked (at most two digits of width and precision), so a fixed buffer suffices.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"

namespace luapp::rt {

namespace {

// 309 digits before and 99 behind the point, a sign, the point, and room to spare.
constexpr size_t kItemSize = 512;

/// One conversion specification: `%` flags width .precision letter.
struct Item {
    char text[32];       // the specification for snprintf, without the letter
    size_t length = 0;
    int precision = -1;  // -1: none
    bool isPlain = true; // no flags, no width
    char letter = 0;
};

bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// Reads the specification behind the `%` at `p` and moves `p` behind its letter.
void readItem(State& s, const char*& p, const char* end, Item& item) {
    const char* const start = p;
    while (p < end && std::memchr("-+ #0", *p, 5) != nullptr) p++;
    if (p - start > 5) raiseLib(s, "invalid format (repeated flags)");
    for (int digits = 0; p < end && isDigit(*p); p++)
        if (++digits > 2) raiseLib(s, "invalid format (width or precision too long)");
    item.isPlain = p == start;
    if (p < end && *p == '.') {
        p++;
        item.precision = 0;
        for (int digits = 0; p < end && isDigit(*p); p++) {
            if (++digits > 2) raiseLib(s, "invalid format (width or precision too long)");
            item.precision = item.precision * 10 + (*p - '0');
        }
    }
    item.text[0] = '%';
    std::memcpy(item.text + 1, start, static_cast<size_t>(p - start));
    item.length = 1 + static_cast<size_t>(p - start);
    item.letter = p < end ? *p++ : '\0';
}

/// The specification with a length modifier and the letter, ready for snprintf.
const char* specification(Item& item, const char* modifier, char letter) {
    size_t at = item.length;
    for (; *modifier != '\0'; modifier++) item.text[at++] = *modifier;
    item.text[at++] = letter;
    item.text[at] = '\0';
    return item.text;
}

double numberArgument(State& s, Value v, unsigned index) {
    if (v.isNumber()) return v.asNumber();
    double d = 0;
    if (v.isString() && base::textToNumber(v.asString()->view(), d)) return d;
    raiseArgumentType(s, index, "format", "number", v);
}

/// Lua 5.1 cuts the fraction off; what does not fit 64 bits takes the nearest end of the range.
int64_t truncated(double d) {
    if (d != d) return 0;
    if (d >= 0x1p63) return INT64_MAX;
    if (d < -0x1p63) return INT64_MIN;
    return static_cast<int64_t>(d);
}

uint64_t truncatedUnsigned(double d) {
    if (d >= 0x1p63 && d < 0x1p64) return static_cast<uint64_t>(d);
    return static_cast<uint64_t>(truncated(d));
}

// snprintf's result for a checked specification always fits the buffer.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

void appendInteger(TextBuilder& out, Item& item, double d) {
    char buffer[kItemSize];
    if (item.letter == 'd' || item.letter == 'i') {
        if (item.isPlain && item.precision < 0) {
            out.append(std::string_view(buffer, base::integerToText(truncated(d), buffer)));
            return;
        }
        const int n = std::snprintf(buffer, sizeof buffer, specification(item, "ll", item.letter),
                                    static_cast<long long>(truncated(d)));
        out.append(std::string_view(buffer, static_cast<size_t>(n)));
        return;
    }
    const int n = std::snprintf(buffer, sizeof buffer, specification(item, "ll", item.letter),
                                static_cast<unsigned long long>(truncatedUnsigned(d)));
    out.append(std::string_view(buffer, static_cast<size_t>(n)));
}

void appendFloat(TextBuilder& out, Item& item, double d) {
    char buffer[kItemSize];
    if (item.isPlain && item.letter == 'f' && std::isfinite(d)) {
        const int precision = item.precision < 0 ? 6 : item.precision;
        const auto written = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::fixed, precision);
        out.append(std::string_view(buffer, static_cast<size_t>(written.ptr - buffer)));
        return;
    }
    const int n = std::snprintf(buffer, sizeof buffer, specification(item, "", item.letter), d);
    out.append(std::string_view(buffer, static_cast<size_t>(n)));
}

void appendChar(TextBuilder& out, Item& item, double d) {
    char buffer[kItemSize];
    const int n = std::snprintf(buffer, sizeof buffer, specification(item, "", 'c'), static_cast<int>(truncated(d)));
    out.append(std::string_view(buffer, static_cast<size_t>(n)));
}

/// %s: text may hold NULs and be of any length, so only the padding is computed.
void appendPadded(TextBuilder& out, const Item& item, std::string_view text) {
    if (item.precision >= 0) text = text.substr(0, static_cast<size_t>(item.precision));
    bool left = false;
    size_t width = 0;
    for (size_t i = 1; i < item.length && item.text[i] != '.'; i++) {
        if (item.text[i] == '-') left = true;
        if (isDigit(item.text[i])) width = width * 10 + static_cast<size_t>(item.text[i] - '0');
    }
    const size_t padding = width > text.size() ? width - text.size() : 0;
    if (!left)
        for (size_t i = 0; i < padding; i++) out.append(' ');
    out.append(text);
    if (left)
        for (size_t i = 0; i < padding; i++) out.append(' ');
}

#pragma GCC diagnostic pop

/// %q: a literal that reads back as the same string.
void appendQuoted(TextBuilder& out, std::string_view text) {
    out.append('"');
    for (char c : text) {
        switch (c) {
            case '"': out.append("\\\""); break;
            case '\\': out.append("\\\\"); break;
            case '\n': out.append("\\\n"); break;
            case '\r': out.append("\\r"); break;
            case '\0': out.append("\\000"); break;
            default: out.append(c); break;
        }
    }
    out.append('"');
}

/// Formats one argument; `index` is its number for messages. May run program code (__tostring).
void appendItem(State& s, TextBuilder& out, Item& item, Value v, unsigned index) {
    switch (item.letter) {
        case 'd': case 'i': case 'o': case 'u': case 'x': case 'X':
            appendInteger(out, item, numberArgument(s, v, index));
            return;
        case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'a': case 'A':
            appendFloat(out, item, numberArgument(s, v, index));
            return;
        case 'c':
            appendChar(out, item, numberArgument(s, v, index));
            return;
        case 'q': {
            if (!v.isString() && !v.isNumber()) raiseArgumentType(s, index, "format", "string", v);
            String* const text = toText(s, v);
            appendQuoted(out, text->view());
            keepAlive(text);
            return;
        }
        case 's': {
            if (item.isPlain && item.precision < 0) {
                appendText(s, out, v);
                return;
            }
            String* const text = toText(s, v);
            appendPadded(out, item, text->view());
            keepAlive(text);
            return;
        }
        default: raiseLib(s, "invalid conversion '%%%.*s%c' to 'format'", static_cast<int>(item.length - 1), item.text + 1,
                          item.letter == '\0' ? ' ' : item.letter);
    }
}

}  // namespace

Word stringFormat(State& s, Word* args) {
    String* const format = stringArg(args, 0);
    const uint32_t count = s.argCount;
    const char* p = format->data();
    const char* const end = p + format->length;
    TextBuilder out(s);
    uint32_t used = 0;
    while (p < end) {
        const char* percent = static_cast<const char*>(std::memchr(p, '%', static_cast<size_t>(end - p)));
        if (percent == nullptr) percent = end;
        out.append(std::string_view(p, static_cast<size_t>(percent - p)));
        p = percent;
        if (p == end) break;
        p++;
        if (p < end && *p == '%') {
            out.append('%');
            p++;
            continue;
        }
        Item item;
        readItem(s, p, end, item);
        if (used >= count) raiseArgument(s, used + 2, "format", "no value");
        appendItem(s, out, item, valueArg(args, 1 + used), used + 2);
        used++;
    }
    keepAlive(format);
    return wordOf(out.finish());
}

}  // namespace luapp::rt
