// Numbers, their texts, hashes.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "runtime/base/hash.h"
#include "runtime/base/numeric.h"
#include "runtime_testing.h"

using namespace luapp::base;
using luapp::rt::testing::Random;

namespace {
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string text(double d, NumberStyle style = NumberStyle::Strict) {
    char buffer[kNumberTextSize];
    return {buffer, numberToText(d, buffer, style)};
}
bool parses(std::string_view s, double expected) {
    double d = -12345;
    return textToNumber(s, d) && d == expected && std::signbit(d) == std::signbit(expected);
}
bool refuses(std::string_view s) {
    double d = 0;
    return !textToNumber(s, d);
}
}  // namespace

TEST_CASE("integer arithmetic stays within 2^53") {
    int64_t r = 7;
    CHECK(addInteger(kMaxInteger - 1, 1, r));
    CHECK(r == kMaxInteger);
    CHECK_FALSE(addInteger(kMaxInteger, 1, r));
    CHECK_FALSE(addInteger(INT64_MAX, 1, r));
    CHECK_FALSE(subInteger(-kMaxInteger, 1, r));
    CHECK_FALSE(mulInteger(INT64_MAX, 2, r));
    CHECK_FALSE(mulInteger(1 << 30, 1 << 30, r));
    CHECK(mulInteger(-3, 5, r));
    CHECK(r == -15);
}

TEST_CASE("floored division") {
    CHECK(floorDivInteger(7, 2) == 3);
    CHECK(floorDivInteger(-7, 2) == -4);
    CHECK(floorDivInteger(7, -2) == -4);
    CHECK(floorDivInteger(-8, 2) == -4);
    CHECK(floorModInteger(7, 3) == 1);
    CHECK(floorModInteger(-7, 3) == 2);
    CHECK(floorModInteger(7, -3) == -2);
    CHECK(floorModInteger(-6, 3) == 0);
    CHECK(floorModNumber(5.5, 2) == 1.5);
    CHECK(floorModNumber(-5.5, 2) == 0.5);
    CHECK(floorModNumber(5.5, -2) == -0.5);
    CHECK(floorModNumber(5, kInf) == 5);
    CHECK(floorModNumber(-5, kInf) == kInf);
    CHECK(std::isnan(floorModNumber(5, 0)));
    CHECK(floorModNumber(7, 3) == 1);
    CHECK(floorModNumber(-7, 3) == 2);
    CHECK(floorModNumber(7, -3) == -2);
    CHECK(floorModNumber(-7, -3) == -1);
    CHECK(floorModNumber(9007199254740992.0, 3) == 2);
    CHECK(!std::signbit(floorModNumber(6, -3)));
    CHECK(std::signbit(floorModNumber(-6, 3)));
    CHECK(std::signbit(floorModNumber(-0.0, 3)));
    CHECK(std::isnan(floorModNumber(kInf, 5)));
    CHECK(floorModLua51(-5.5, 2) == 0.5);
    CHECK(std::isnan(floorModLua51(5, kInf)));
    CHECK(floorDivNumber(-7, 2) == -4);
    CHECK(floorDivNumber(1, 0) == kInf);
}

TEST_CASE("shifts and bit32") {
    CHECK(shiftLeft(1, 4) == 16);
    CHECK(shiftLeft(1, 64) == 0);
    CHECK(shiftLeft(-16, -2) == -4);
    CHECK(shiftLeft(-16, -100) == -1);
    CHECK(shiftRight(-16, 2) == -4);
    CHECK(shiftRight(-1, 200) == -1);
    CHECK(shiftRight(1, -3) == 8);
    CHECK(shiftLeft32(0x80000001u, 1) == 2);
    CHECK(shiftLeft32(1, 32) == 0);
    CHECK(shiftLeft32(8, -3) == 1);
    CHECK(shiftRight32(0x80000000u, 31) == 1);
    CHECK(shiftRight32(1, 32) == 0);
    CHECK(shiftArithmetic32(0x80000000u, 31) == 0xFFFFFFFFu);
    CHECK(shiftArithmetic32(0x80000000u, 90) == 0xFFFFFFFFu);
    CHECK(rotateLeft32(0x80000000u, 1) == 1);
    CHECK(rotateLeft32(1, -1) == 0x80000000u);
    CHECK(rotateRight32(1, 33) == 0x80000000u);
    uint32_t bits = 0;
    CHECK(numberToBits32(-1, bits));
    CHECK(bits == 0xFFFFFFFFu);
    CHECK(numberToBits32(std::ldexp(1, 60) + std::ldexp(1, 20), bits));
    CHECK(bits == 1u << 20);
    CHECK_FALSE(numberToBits32(1.5, bits));
    CHECK_FALSE(numberToBits32(kInf, bits));
}

TEST_CASE("number to integer") {
    int64_t i = 0;
    CHECK(numberToInteger(3, i));
    CHECK(i == 3);
    CHECK(numberToInteger(-0.0, i));
    CHECK(i == 0);
    CHECK(numberToInteger(9007199254740992.0, i));
    CHECK_FALSE(numberToInteger(9007199254740994.0, i));
    CHECK_FALSE(numberToInteger(0.5, i));
    CHECK_FALSE(numberToInteger(kNaN, i));
    CHECK_FALSE(numberToInteger(-kInf, i));
}

TEST_CASE("numbers as text") {
    CHECK(text(0) == "0");
    CHECK(text(-0.0) == "-0");
    CHECK(text(1) == "1");
    CHECK(text(-17) == "-17");
    CHECK(text(3.14) == "3.14");
    CHECK(text(0.1) == "0.1");
    CHECK(text(1e15) == "1000000000000000");
    CHECK(text(1e15, NumberStyle::Lua51) == "1e+15");
    CHECK(text(99999999999999.0, NumberStyle::Lua51) == "99999999999999");
    CHECK(text(100000000000000.0, NumberStyle::Lua51) == "1e+14");
    CHECK(text(9007199254740992.0) == "9007199254740992");
    CHECK(text(1e300) == "1e+300");
    CHECK(text(1.0 / 3) == "0.33333333333333");
    CHECK(text(1e-5) == "1e-05");
    CHECK(text(kInf) == "inf");
    CHECK(text(-kInf) == "-inf");
    CHECK(text(kNaN) == "nan");
    CHECK(text(-kNaN) == "-nan");
    Random random(1);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random.next();
        double d = 0;
        std::memcpy(&d, &bits, 8);
        if (!std::isfinite(d)) continue;
        char expected[64];
        std::snprintf(expected, sizeof expected, "%.14g", d);
        CHECK(text(d, NumberStyle::Lua51) == expected);
        double scaled = static_cast<double>(static_cast<int64_t>(bits >> 40)) / 128;
        std::snprintf(expected, sizeof expected, "%.14g", scaled);
        CHECK(text(scaled, NumberStyle::Lua51) == expected);
    }
}

TEST_CASE("text to number") {
    CHECK(parses("0", 0));
    CHECK(parses("-0", -0.0));
    CHECK(parses("  12  ", 12));
    CHECK(parses("\t1e3\n", 1000));
    CHECK(parses(".5", 0.5));
    CHECK(parses("5.", 5));
    CHECK(parses("+7", 7));
    CHECK(parses("0x10", 16));
    CHECK(parses("-0XfF", -255));
    CHECK(parses("0x.8p1", 1));
    CHECK(parses("0xA.8", 10.5));
    CHECK(parses("0x1p-2", 0.25));
    CHECK(parses("1e400", kInf));
    CHECK(parses("-1e400", -kInf));
    CHECK(parses("1e-400", 0));
    CHECK(parses("inf", kInf));
    CHECK(parses("-inf", -kInf));
    CHECK(parses("123456789012345678901234567890", 123456789012345678901234567890.0));
    CHECK(parses("0.1", 0.1));
    CHECK(parses("0x1fffffffffffff", 9007199254740991.0));
    for (auto* bad : {"", " ", "-", "+", "--1", "+-1", "- 1", "1 2", "1a", "0x", "0xg", "0x1p", "0x1p+", "1e", "e5", ".", "1..2"}) {
        INFO(bad);
        CHECK(refuses(bad));
    }
    CHECK(refuses(std::string_view("1\0", 2)));
    Random random(2);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random.next();
        double d = 0;
        std::memcpy(&d, &bits, 8);
        if (!std::isfinite(d)) continue;
        char digits[64];
        std::snprintf(digits, sizeof digits, "%.17g", d);
        CHECK(parses(digits, d));
        std::snprintf(digits, sizeof digits, "%a", d);
        CHECK(parses(digits, d));
    }
}

TEST_CASE("text to number with a base") {
    double d = 0;
    CHECK(textToNumberBase("ff", 16, d));
    CHECK(d == 255);
    CHECK(textToNumberBase(" -zz ", 36, d));
    CHECK(d == -1295);
    CHECK(textToNumberBase("0x1F", 16, d));
    CHECK(d == 31);
    CHECK(textToNumberBase("1010", 2, d));
    CHECK(d == 10);
    CHECK_FALSE(textToNumberBase("12", 2, d));
    CHECK_FALSE(textToNumberBase("", 10, d));
    CHECK_FALSE(textToNumberBase("1 1", 10, d));
}

TEST_CASE("hashes of short strings depend on every bit, on the length and on the seed") {
    unsigned char message[48] = {};
    for (size_t length = 1; length <= 40; length++) {
        INFO(length);
        const uint32_t before = hashBytes(message, length, 7);
        CHECK(before != hashBytes(message, length, 8));
        CHECK(before != hashBytes(message, length - 1, 7));
        int changed = 0;
        for (size_t bit = 0; bit < length * 8; bit++) {
            message[bit / 8] ^= static_cast<unsigned char>(1u << bit % 8);
            const uint32_t after = hashBytes(message, length, 7);
            CHECK(after != before);
            changed += __builtin_popcount(after ^ before);
            message[bit / 8] ^= static_cast<unsigned char>(1u << bit % 8);
        }
        // About half of the 32 bits change with each.
        CHECK(changed > 12 * 8 * static_cast<int>(length));
        CHECK(changed < 20 * 8 * static_cast<int>(length));
    }
}

TEST_CASE("hashes of similar strings spread over a table") {
    std::vector<int> used(1 << 16);
    int collisions = 0;
    for (int i = 0; i < (1 << 15); i++) {
        const std::string key = "item" + std::to_string(i);
        collisions += used[hashBytes(key.data(), key.size(), 12345) & 0xFFFF]++ != 0 ? 1 : 0;
    }
    // Random ones would be about 6,980: n keys in m places leave m (1 - 1/m)^n of them empty.
    CHECK(collisions > 6500);
    CHECK(collisions < 7500);
}

TEST_CASE("hashes of long strings depend on every byte") {
    std::vector<unsigned char> message(1000);
    for (size_t i = 0; i < message.size(); i++) message[i] = static_cast<unsigned char>(i);
    for (size_t length : {191, 192, 193, 287, 288, 1000}) {
        uint32_t before = hashBytes(message.data(), length, 1);
        CHECK(before != hashBytes(message.data(), length, 2));
        for (size_t i = 0; i < length; i += 13) {
            message[i] ^= 1;
            CHECK(hashBytes(message.data(), length, 1) != before);
            message[i] ^= 1;
        }
    }
}
