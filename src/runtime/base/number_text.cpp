// Numbers to text and back, independent of the locale.
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "runtime/base/check.h"
#include "runtime/base/numeric.h"

namespace luapp::base {
namespace {

constexpr int kPrecision = 14;  // significant digits of %.14g

constexpr char kDigitPairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
static_assert(sizeof(kDigitPairs) == 201);

size_t unsignedToText(uint64_t v, char* buffer) {
    char digits[20];
    char* p = digits + sizeof digits;
    while (v >= 100) {
        p -= 2;
        std::memcpy(p, kDigitPairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        p -= 2;
        *p = static_cast<char>('0' + v / 10);
        p[1] = static_cast<char>('0' + v % 10);
    } else {
        *--p = static_cast<char>('0' + v);
    }
    size_t length = static_cast<size_t>(digits + sizeof digits - p);
    std::memcpy(buffer, p, length);
    return length;
}

bool isBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && isBlank(text.front())) text.remove_prefix(1);
    while (!text.empty() && isBlank(text.back())) text.remove_suffix(1);
    return text;
}

int digitValue(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'z') return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
    return 99;
}

/// The hexadecimal digits of a mantissa, rounded to 64 bits with a sticky last bit, and how they scale.
struct HexMantissa {
    uint64_t bits = 0;
    int exponent = 0;  // value is bits * 2^exponent
    bool any = false;

    void addDigit(int digit, bool isFraction) {
        any = true;
        if (bits >> 60 == 0) {
            bits = bits << 4 | static_cast<unsigned>(digit);
            if (isFraction) exponent -= 4;
        } else {
            if (digit != 0) bits |= 1;  // only matters for rounding
            if (!isFraction) exponent += 4;
        }
    }
};

/// `text` behind "0x".
bool hexToNumber(std::string_view text, double& out) {
    HexMantissa m;
    size_t i = 0;
    for (bool isFraction = false; i < text.size(); i++) {
        if (text[i] == '.' && !isFraction) {
            isFraction = true;
            continue;
        }
        int digit = digitValue(text[i]);
        if (digit >= 16) break;
        m.addDigit(digit, isFraction);
    }
    if (!m.any) return false;
    int64_t exponent = 0;
    if (i < text.size()) {
        if (text[i] != 'p' && text[i] != 'P') return false;
        i++;
        bool negative = false;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) negative = text[i++] == '-';
        if (i == text.size()) return false;
        for (; i < text.size(); i++) {
            if (text[i] < '0' || text[i] > '9') return false;
            if (exponent < 100000) exponent = exponent * 10 + (text[i] - '0');
        }
        if (negative) exponent = -exponent;
    }
    out = std::ldexp(static_cast<double>(m.bits), static_cast<int>(exponent + m.exponent));
    return true;
}

bool decimalToNumber(std::string_view text, double& out) {
    // Short runs of digits, by far the most frequent case.
    if (text.size() <= 15) {
        uint64_t v = 0;
        size_t i = 0;
        for (; i < text.size() && static_cast<unsigned char>(text[i] - '0') <= 9; i++) {
            v = v * 10 + static_cast<unsigned>(text[i] - '0');
        }
        if (i == text.size()) {
            out = static_cast<double>(v);
            return true;
        }
    }
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size()) return false;
    if (error == std::errc::result_out_of_range) {
        // from_chars does not say whether to infinity or to zero.
        char copy[512];
        size_t length = text.size() < sizeof copy - 1 ? text.size() : sizeof copy - 1;
        std::memcpy(copy, text.data(), length);
        copy[length] = 0;
        value = std::strtod(copy, nullptr);
    } else if (error != std::errc()) {
        return false;
    }
    out = value;
    return true;
}

}  // namespace

size_t integerToText(int64_t v, char* buffer) {
    if (v >= 0) return unsignedToText(static_cast<uint64_t>(v), buffer);
    buffer[0] = '-';
    return 1 + unsignedToText(0 - static_cast<uint64_t>(v), buffer + 1);
}

size_t numberToText(double d, char* buffer, NumberStyle style) {
    constexpr int64_t kFourteenDigits = 100'000'000'000'000;
    int64_t whole = 0;
    if (numberToInteger(d, whole) && (whole != 0 || !std::signbit(d))) {
        if (style == NumberStyle::Strict || (whole < kFourteenDigits && whole > -kFourteenDigits)) {
            return integerToText(whole, buffer);
        }
    }
    if (!std::isfinite(d)) {
        const char* text = std::isnan(d) ? (std::signbit(d) ? "-nan" : "nan") : (d < 0 ? "-inf" : "inf");
        size_t length = std::strlen(text);
        std::memcpy(buffer, text, length);
        return length;
    }
    auto result = std::to_chars(buffer, buffer + kNumberTextSize, d, std::chars_format::general, kPrecision);
    LUAPP_CHECK(result.ec == std::errc(), "number text fits its buffer");
    return static_cast<size_t>(result.ptr - buffer);
}

bool textToNumber(std::string_view text, double& out) {
    text = trimmed(text);
    if (text.empty()) return false;
    bool negative = false;
    if (text.front() == '+' || text.front() == '-') {
        negative = text.front() == '-';
        text.remove_prefix(1);
        // from_chars would take a second minus.
        if (text.empty() || text.front() == '-' || text.front() == '+') return false;
    }
    double value = 0;
    bool isHex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    if (!(isHex ? hexToNumber(text.substr(2), value) : decimalToNumber(text, value))) return false;
    out = negative ? -value : value;
    return true;
}

bool textToNumberBase(std::string_view text, unsigned radix, double& out) {
    text = trimmed(text);
    bool negative = false;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    if (radix == 16 && text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) text.remove_prefix(2);
    if (text.empty()) return false;
    double value = 0;
    for (char c : text) {
        unsigned digit = static_cast<unsigned>(digitValue(c));
        if (digit >= radix) return false;
        value = value * radix + digit;
    }
    out = negative ? -value : value;
    return true;
}

}  // namespace luapp::base
