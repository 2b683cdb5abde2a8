// The language's arithmetic and conversions as pure functions: constant folding, the interpreter, the library and the tests
// all call these, so there is one meaning of every operator. Integer operations report an overflow (a result whose
// magnitude exceeds 2^53) by returning false and leave raising to the caller; operands are int64 of any value.
// Number operations are IEEE double. Nothing here allocates, raises or depends on the locale.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/rep.h"

namespace luapp::base {

// --- integers (LANGUAGE 3) --------------------------------------------------------------------------------------------------

/// True if `v` is a value of type `integer`: its magnitude is at most 2^53.
constexpr bool inIntegerRange(int64_t v) { return v >= -kMaxInteger && v <= kMaxInteger; }

/// a + b into `out`; false (out untouched) if the result leaves the range of `integer`.
constexpr bool addInteger(int64_t a, int64_t b, int64_t& out) {
    int64_t r = 0;
    if (__builtin_add_overflow(a, b, &r) || !inIntegerRange(r)) return false;
    out = r;
    return true;
}

/// a - b, as addInteger.
constexpr bool subInteger(int64_t a, int64_t b, int64_t& out) {
    int64_t r = 0;
    if (__builtin_sub_overflow(a, b, &r) || !inIntegerRange(r)) return false;
    out = r;
    return true;
}

/// a * b, as addInteger.
constexpr bool mulInteger(int64_t a, int64_t b, int64_t& out) {
    int64_t r = 0;
    if (__builtin_mul_overflow(a, b, &r) || !inIntegerRange(r)) return false;
    out = r;
    return true;
}

/// floor(a / b); b must not be 0, and not -1 together with the smallest int64.
constexpr int64_t floorDivInteger(int64_t a, int64_t b) {
    int64_t q = a / b;
    return (a % b != 0 && ((a ^ b) < 0)) ? q - 1 : q;
}

/// a - floor(a / b) * b, which has the sign of b; b as for floorDivInteger.
constexpr int64_t floorModInteger(int64_t a, int64_t b) {
    int64_t r = a % b;
    return (r != 0 && ((r ^ b) < 0)) ? r + b : r;
}

/// a << count on 64-bit two's complement; a negative count shifts right (keeping the sign), 64 and more give 0.
constexpr int64_t shiftLeft(int64_t a, int64_t count);

/// a >> count keeping the sign; a negative count shifts left; 64 and more give 0 or -1.
constexpr int64_t shiftRight(int64_t a, int64_t count) {
    if (count < 0) return count <= -64 ? 0 : static_cast<int64_t>(static_cast<uint64_t>(a) << -count);
    return count >= 64 ? (a < 0 ? -1 : 0) : a >> count;
}

constexpr int64_t shiftLeft(int64_t a, int64_t count) {
    if (count < 0) return count <= -64 ? (a < 0 ? -1 : 0) : a >> -count;
    return count >= 64 ? 0 : static_cast<int64_t>(static_cast<uint64_t>(a) << count);
}

// --- bit32: operands modulo 2^32 --------------------------------------------------------------------------------------------

/// The low 32 bits of an integer.
constexpr uint32_t wrap32(int64_t v) { return static_cast<uint32_t>(v); }

/// bit32.lshift: a negative count shifts right; counts beyond 31 give 0.
constexpr uint32_t shiftLeft32(uint32_t a, int64_t count) {
    if (count < 0) return count <= -32 ? 0 : a >> -count;
    return count >= 32 ? 0 : a << count;
}

/// bit32.rshift: a negative count shifts left; counts beyond 31 give 0.
constexpr uint32_t shiftRight32(uint32_t a, int64_t count) {
    if (count < 0) return count <= -32 ? 0 : a << -count;
    return count >= 32 ? 0 : a >> count;
}

/// bit32.arshift: the sign bit moves in; a negative count shifts left.
constexpr uint32_t shiftArithmetic32(uint32_t a, int64_t count) {
    if (count < 0) return count <= -32 ? 0 : a << -count;
    return static_cast<uint32_t>(static_cast<int32_t>(a) >> (count >= 32 ? 31 : count));
}

/// bit32.lrotate; any count, modulo 32.
constexpr uint32_t rotateLeft32(uint32_t a, int64_t count) { return std::rotl(a, static_cast<int>(count & 31)); }

/// bit32.rrotate; any count, modulo 32.
constexpr uint32_t rotateRight32(uint32_t a, int64_t count) { return std::rotr(a, static_cast<int>(count & 31)); }

// --- numbers ----------------------------------------------------------------------------------------------------------------

/// a % b of numbers: a - floor(a/b)*b computed exactly (fmod), with the sign of b; a for a finite and b infinite of the same
/// sign, b if the signs differ; NaN for b = 0 or a infinite.
inline double floorModNumber(double a, double b) {
    // fmod works bit by bit; whole numbers need not.
    constexpr auto kMax = static_cast<double>(kMaxInteger);
    if (a >= -kMax && a <= kMax && b >= -kMax && b <= kMax) {
        const auto x = static_cast<int64_t>(a);
        const auto y = static_cast<int64_t>(b);
        if (static_cast<double>(x) == a && static_cast<double>(y) == b && y != 0) {
            const int64_t r = x % y;
            if (r == 0) return std::copysign(0.0, a);
            return static_cast<double>((r < 0) != (y < 0) ? r + y : r);
        }
    }
    double r = std::fmod(a, b);
    if (r != 0 && ((r < 0) != (b < 0))) r += b;
    return r;
}

/// a % b as Lua 5.1 computes it, `a - floor(a/b)*b` in doubles: for lenient files, where an infinite b gives NaN.
inline double floorModLua51(double a, double b) { return a - std::floor(a / b) * b; }

/// floor(a / b) of numbers.
inline double floorDivNumber(double a, double b) { return std::floor(a / b); }

/// a ^ b as the C library's pow, with exact short cuts.
double powerNumber(double a, double b);

/// The whole number `d` as integer into `out`; false if `d` has a fraction, is not finite or exceeds 2^53.
/// -0 gives 0.
inline bool numberToInteger(double d, int64_t& out) {
    if (!(d >= -static_cast<double>(kMaxInteger) && d <= static_cast<double>(kMaxInteger))) return false;
    int64_t i = static_cast<int64_t>(d);
    if (static_cast<double>(i) != d) return false;
    out = i;
    return true;
}

/// True if `d` is a whole number within 2^53.
inline bool isWhole(double d) {
    int64_t ignored = 0;
    return numberToInteger(d, ignored);
}

/// `d` modulo 2^32 for bit32; false unless `d` is whole (any magnitude).
bool numberToBits32(double d, uint32_t& out);

// --- text -------------------------------------------------------------------------------------------------------------------

/// How tostring writes a number.
enum class NumberStyle : uint8_t {
    Strict,  // whole numbers within 2^53 with all digits, others by %.14g
    Lua51,   // always %.14g
};

/// Room for any number written by numberToText or integerToText.
inline constexpr size_t kNumberTextSize = 40;

/// Writes `d` as tostring prints it (`-0`, `inf`, `-inf`, `nan`, `-nan` included) to `buffer` of kNumberTextSize bytes;
/// no NUL is written. Returns the length.
size_t numberToText(double d, char* buffer, NumberStyle style = NumberStyle::Strict);

/// Writes the decimal digits of `v` to `buffer` of kNumberTextSize bytes; returns the length.
size_t integerToText(int64_t v, char* buffer);

/// The number a text denotes by the rules of Lua 5.1's tonumber without base: blanks around it, a sign, decimal or
/// hexadecimal digits (hex fractions and exponents too), `inf` and `nan`. False if it is no number.
bool textToNumber(std::string_view text, double& out);

/// tonumber(text, base) for bases 2 to 36: blanks around, an optional minus, digits of that base. False if it is no number.
bool textToNumberBase(std::string_view text, unsigned radix, double& out);

}  // namespace luapp::base
