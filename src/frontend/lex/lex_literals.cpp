// The part of the lexer that reads values: numbers, strings, interpolated strings, and what is none of them.

#include <charconv>
#include <cmath>
#include <limits>

#include "frontend/base/utf8.h"
#include "frontend/lex/char_class.h"
#include "frontend/lex/lexer.h"

namespace luapp::frontend {

namespace {

constexpr double kLargestWhole = 9007199254740992.0;  // 2^53
constexpr uint32_t kMaxInterpNesting = 100;

int hexValue(char c) {
    if (c <= '9') return c - '0';
    return (c | 32) - 'a' + 10;
}

/// Behind a line end: the position after it, `\r\n` and `\n\r` counting as one.
const char* afterLineEnd(const char* p) {
    const char first = *p++;
    return isLineEnd(*p) && *p != first ? p + 1 : p;
}

std::string hexByte(char c) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    return std::string("0x") + kDigits[uint8_t(c) >> 4] + kDigits[uint8_t(c) & 15];
}

/// Decimal text (digits, point, exponent) to the nearest double; false if it is not a whole number literal.
bool parseDecimal(std::string_view text, double& value) {
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ptr != end) {
        // from_chars wants a digit somewhere, and takes "5." but not a lone exponent mark.
        return false;
    }
    if (result.ec != std::errc::result_out_of_range) return result.ec == std::errc();
    // Too large or too small: decide by the decimal exponent of the first digit that is not 0.
    const size_t mark = text.find_first_of("eE");
    const std::string_view digits = text.substr(0, mark);
    const size_t point = std::min(digits.find('.'), digits.size());
    const size_t first = digits.find_first_of("123456789");
    const bool negative = mark != text.npos && text[mark + 1] == '-';
    long long exponent = 0;
    if (mark != text.npos) {
        for (char c : text.substr(mark + 1)) {
            if (isDigit(c) && exponent < 1'000'000'000'000) exponent = exponent * 10 + (c - '0');
        }
    }
    const long long scale = (negative ? -exponent : exponent) + (long long)point - (long long)first;
    value = scale > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    return true;
}

/// Hexadecimal text behind `0x`, with optional fraction and `p` exponent; digits beyond 64 bits round correctly.
bool parseHex(std::string_view text, double& value) {
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value, std::chars_format::hex);
    if (result.ptr != end) return false;
    if (result.ec == std::errc()) return true;
    if (result.ec != std::errc::result_out_of_range) return false;
    const size_t mark = text.find_first_of("pP");
    value = mark != text.npos && text[mark + 1] == '-' ? 0.0 : std::numeric_limits<double>::infinity();
    return true;
}

bool parseBinary(std::string_view text, double& value) {
    if (text.empty()) return false;
    // Exact while the digits fit into 64 bits; beyond, the lowest kept bit stands for all that follow (round to odd).
    uint64_t bits = 0;
    int shift = 0;
    for (char c : text) {
        if (c != '0' && c != '1') return false;
        if (bits >> 63) {
            ++shift;
            bits |= uint64_t(c - '0');
        } else {
            bits = bits << 1 | uint64_t(c - '0');
        }
    }
    value = std::ldexp(double(bits), shift);
    return true;
}

/// Is a whole number, written in digits of any base, beyond 2^53? `value`: what it was rounded to.
bool isBeyondLargest(std::string_view text, double value) {
    if (value != kLargestWhole) return value > kLargestWhole;
    // 2^53 itself, or something that was rounded to it.
    const char base = text.size() > 1 ? char(text[1] | 32) : '\0';
    std::string_view exact = "9007199254740992";
    if (base == 'x') exact = "20000000000000";
    if (base == 'b') exact = "100000000000000000000000000000000000000000000000000000";
    if (base == 'x' || base == 'b') text.remove_prefix(2);
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
    return text != exact;
}

}  // namespace

// ---- Numbers --------------------------------------------------------------------------------------------------------

Tok Lexer::readNumber(Token& token, const char* p) {
    const char* begin = p;
    token.number = 0;
    token.isWhole = false;
    token.isTooLarge = false;
    // The common case: up to 15 decimal digits and nothing behind them.
    uint64_t small = 0;
    while (isDigit(*p)) small = small * 10 + uint64_t(*p++ - '0');
    if (p - begin <= 15 && p != begin && !isIdent(*p) && (*p != '.')) {
        token.number = double(small);
        token.isWhole = true;
        state_.at = p;
        return Tok::Number;
    }
    // As in Lua, the token takes in everything that looks like a part of it, so that `3x` is one bad number.
    const bool isHex = begin[0] == '0' && (begin[1] | 32) == 'x';
    for (;; ++p) {
        const bool isSign = (*p == '+' || *p == '-') && p - begin > 1;
        const bool isExponentSign = isSign && (p[-1] | 32) == (isHex ? 'p' : 'e');
        // `1..2` is one malformed number in Lua 5.1 too; three points are left alone.
        if (!isIdent(*p) && *p != '.' && !isExponentSign) break;
    }
    const std::string_view text(begin, size_t(p - begin));
    state_.at = p;
    if (!parseNumber(text, token) && !isMuted_) {
        auto report = diagnostics_.report(diag::MalformedNumber, rangeOf(begin, p), text);
        if (const size_t dots = text.find(".."); dots != text.npos) {
            report.fixIt(rangeOf(begin + dots, begin + dots + 2), " .. ");
        }
    }
    return Tok::Number;
}

bool Lexer::parseNumber(std::string_view text, Token& token) {
    std::string plain;
    if (text.find('_') != text.npos) {
        // `_` stands between two digits.
        for (size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '_') {
                plain += text[i];
            } else if (i == 0 || i + 1 == text.size() || !isHexDigit(text[i - 1]) || !isHexDigit(text[i + 1])) {
                return false;
            }
        }
        text = plain;
    }
    const char second = text.size() > 1 && text[0] == '0' ? char(text[1] | 32) : '\0';
    bool isPlainDigits = false;
    if (second == 'x') {
        if (!parseHex(text.substr(2), token.number)) return false;
        isPlainDigits = text.find_first_of(".pP") == text.npos;
    } else if (second == 'b') {
        if (!parseBinary(text.substr(2), token.number)) return false;
        isPlainDigits = true;
    } else {
        if (!parseDecimal(text, token.number)) return false;
        isPlainDigits = text.find_first_of(".eE") == text.npos;
    }
    token.isTooLarge = isPlainDigits && isBeyondLargest(text, token.number);
    token.isWhole = isPlainDigits && !token.isTooLarge;
    return true;
}

// ---- Strings --------------------------------------------------------------------------------------------------------

Tok Lexer::readString(Token& token, const char* p, char quote) {
    const char* begin = p++;
    const char* part = p;
    std::string decoded;
    bool hasEscapes = false;
    for (;;) {
        while (!mayEndQuoted(*p)) ++p;
        if (*p == quote) break;
        if (*p == '\\') {
            hasEscapes = true;
            decoded.append(part, p);
            p = part = readEscape(p, decoded, false);
        } else if (isLineEnd(*p) || (*p == '\0' && p >= end_)) {
            if (!isMuted_) {
                const char closer[] = {'`', quote, '`', '\0'};
                diagnostics_.report(diag::UnfinishedString, rangeOf(begin, p), closer);
            }
            break;
        } else {
            ++p;  // the other quote, or a NUL inside the file
        }
    }
    if (hasEscapes) {
        decoded.append(part, p);
        if (!isMuted_) token.text = arena_.copyText(decoded);
    } else {
        token.text = {part, size_t(p - part)};
    }
    state_.at = *p == quote ? p + 1 : p;
    return Tok::String;
}

/// Reads the escape at `p` (a backslash), appends its value, and returns the position behind it.
const char* Lexer::readEscape(const char* p, std::string& out, bool isInterp) {
    const char c = p[1];
    switch (c) {
        case 'a': out += '\a'; return p + 2;
        case 'b': out += '\b'; return p + 2;
        case 'f': out += '\f'; return p + 2;
        case 'n': out += '\n'; return p + 2;
        case 'r': out += '\r'; return p + 2;
        case 't': out += '\t'; return p + 2;
        case 'v': out += '\v'; return p + 2;
        case '\\': case '"': case '\'': out += c; return p + 2;
        case '\n': case '\r': out += '\n'; return afterLineEnd(p + 1);
        case '\0':
            if (p + 1 >= end_) return p + 1;  // the caller reports the missing quote
            break;
        default: break;
    }
    if (isDigit(c)) {
        int value = 0;
        const char* q = p + 1;
        for (; q < p + 4 && isDigit(*q); ++q) value = value * 10 + (*q - '0');
        if (value > 255 && !isMuted_) {
            diagnostics_.report(diag::EscapeTooLarge, rangeOf(p, q), std::string_view(p, size_t(q - p)));
        }
        out += char(value);
        return q;
    }
    if (isInterp && (c == '{' || c == '}' || c == '`')) {
        out += c;
        return p + 2;
    }
    if (isLenient_ && !isInterp) {
        // Lua 5.1: an unknown escape is the character itself.
        const bool isNewer = c == 'x' || c == 'z' || (c == 'u' && p[2] == '{');
        if (isNewer && !isMuted_) {
            diagnostics_.report(diag::LenientEscape, rangeOf(p, p + 2), std::string_view(p, 2), std::string_view(p + 1, 1));
        }
        out += c;
        return p + 2;
    }
    if (c == 'x') {
        if (isHexDigit(p[2]) && isHexDigit(p[3])) {
            out += char(hexValue(p[2]) * 16 + hexValue(p[3]));
            return p + 4;
        }
        const char* q = isHexDigit(p[2]) ? p + 3 : p + 2;
        if (!isMuted_) diagnostics_.report(diag::BadHexEscape, rangeOf(p, q), std::string_view(p, size_t(q - p)));
        return q;
    }
    if (c == 'z') {
        p += 2;
        while (isBlank(*p) || isLineEnd(*p)) ++p;
        return p;
    }
    if (c == 'u') return readUnicodeEscape(p, out);
    // A whole character stands behind the backslash in the message, but only its first byte is skipped.
    const int length = std::max(1, decodeUtf8({p + 1, size_t(end_ - p - 1)}).length);
    if (!isMuted_) {
        diagnostics_.report(diag::UnknownEscape, rangeOf(p, p + 1 + length), std::string_view(p, size_t(1 + length)))
            .insertion(file_.locOf(p), "\\");
    }
    out += c;
    return p + 2;
}

const char* Lexer::readUnicodeEscape(const char* p, std::string& out) {
    const char* q = p + 2;
    uint32_t value = 0;
    bool isGood = *q == '{';
    if (isGood) {
        const char* digits = ++q;
        for (; isHexDigit(*q); ++q) value = value > 0x10FFFF ? value : value * 16 + uint32_t(hexValue(*q));
        isGood = q != digits && *q == '}' && value <= 0x10FFFF;
        if (*q == '}') ++q;
    }
    if (isGood) {
        appendUtf8(out, value);
    } else if (!isMuted_) {
        diagnostics_.report(diag::BadUnicodeEscape, rangeOf(p, q), std::string_view(p, size_t(q - p)));
    }
    return q;
}

Tok Lexer::readLongString(Token& token, const char* p) {
    const int level = longBracketLevel(p);
    if (level < 0) {
        const char* q = p + 1;
        while (*q == '=') ++q;
        if (!isMuted_) diagnostics_.report(diag::BadLongBracket, rangeOf(p, q), std::string_view(p, size_t(q - p)));
        return accept(q, Tok::Error);
    }
    std::string_view content;
    state_.at = skipLongBracket(p, level, false, content);
    // A line end right behind the opening bracket does not belong to the string; all others read as \n.
    if (!content.empty() && isLineEnd(content[0])) {
        content.remove_prefix(size_t(afterLineEnd(content.data()) - content.data()));
    }
    if (content.find('\r') != content.npos && !isMuted_) {
        std::string normal;
        for (const char* q = content.data(); q < content.data() + content.size();) {
            if (isLineEnd(*q)) {
                normal += '\n';
                q = afterLineEnd(q);
            } else {
                normal += *q++;
            }
        }
        content = arena_.copyText(normal);
    }
    token.text = content;
    return Tok::String;
}

/// Reads the text of an interpolated string from `p` to the next hole or the closing backtick.
Tok Lexer::readInterp(Token& token, const char* p, bool isFirst) {
    const char* part = p;
    std::string decoded;
    bool hasEscapes = false;
    Tok kind = isFirst ? Tok::InterpWhole : Tok::InterpEnd;
    for (;; ++p) {
        if (*p == '`') break;
        if (*p == '{') {
            kind = isFirst ? Tok::InterpBegin : Tok::InterpMiddle;
            break;
        }
        if (*p == '\\') {
            hasEscapes = true;
            decoded.append(part, p);
            part = readEscape(p, decoded, true);
            p = part - 1;
        } else if (isLineEnd(*p) || (*p == '\0' && p >= end_)) {
            if (!isMuted_) diagnostics_.report(diag::UnfinishedInterp, rangeOf(state_.at, p));
            break;
        }
    }
    if (hasEscapes) {
        decoded.append(part, p);
        if (!isMuted_) token.text = arena_.copyText(decoded);
    } else {
        token.text = {part, size_t(p - part)};
    }
    const char* after = *p == '`' || *p == '{' ? p + 1 : p;
    if (kind == Tok::InterpBegin || kind == Tok::InterpMiddle) {
        const uint32_t level = state_.hole ? state_.hole->level + 1 : 1;
        if (level > kMaxInterpNesting) {
            if (!isMuted_) diagnostics_.report(diag::InterpTooDeep, rangeOf(state_.at, after));
            return accept(end_, Tok::Error);
        }
        state_.hole = arena_.make<Hole>(state_.hole, state_.braceDepth, level);
    }
    return accept(after, kind);
}

// ---- What is no token -----------------------------------------------------------------------------------------------

Tok Lexer::readBadCharacter(const char* p) {
    const std::string_view rest(p, size_t(end_ - p));
    const Utf8Char character = decodeUtf8(rest);
    const int length = std::max(1, character.length);
    if (!isMuted_) {
        const Range range = rangeOf(p, p + length);
        if (character.length == 0) {
            diagnostics_.report(diag::InvalidUtf8, range, hexByte(*p));
        } else if (character.codePoint < 0x20 || character.codePoint == 0x7F) {
            diagnostics_.report(diag::UnexpectedCharacter, range, hexByte(*p));
        } else {
            diagnostics_.report(diag::UnexpectedCharacter, range, "`" + std::string(rest.substr(0, size_t(length))) + "`");
        }
    }
    // One message for a run of such bytes and for the word they stand in.
    p += length;
    while (p < end_ && (uint8_t(*p) >= 0x80 || isIdent(*p) || (uint8_t(*p) < 0x20 && !isBlank(*p) && !isLineEnd(*p)))) {
        ++p;
    }
    return accept(p, Tok::Error);
}

}  // namespace luapp::frontend
