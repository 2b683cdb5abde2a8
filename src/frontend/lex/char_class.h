#pragma once
// Classes of bytes, by one table lookup each. Bytes of 0x80 and above belong to no class.

#include <array>
#include <cstdint>

namespace luapp::frontend {

enum CharFlag : uint8_t {
    kIdentStartFlag = 1,
    kDigitFlag = 2,
    kBlankFlag = 4,     // space, tab, vertical tab, form feed
    kLineEndFlag = 8,   // \n, \r
    kStopFlag = 16,     // \n, \r, NUL: where a line comment may end
    kQuoteFlag = 32,    // where the plain part of a string in quotes may end: quotes, backslash, \n, \r, NUL
    kHexFlag = 64,
};

inline constexpr std::array<uint8_t, 256> kCharFlags = [] {
    std::array<uint8_t, 256> flags{};
    for (int c = 'a'; c <= 'z'; ++c) flags[size_t(c)] |= kIdentStartFlag;
    for (int c = 'A'; c <= 'Z'; ++c) flags[size_t(c)] |= kIdentStartFlag;
    flags['_'] |= kIdentStartFlag;
    for (int c = '0'; c <= '9'; ++c) flags[size_t(c)] |= kDigitFlag | kHexFlag;
    for (int c = 'a'; c <= 'f'; ++c) flags[size_t(c)] |= kHexFlag;
    for (int c = 'A'; c <= 'F'; ++c) flags[size_t(c)] |= kHexFlag;
    for (char c : {' ', '\t', '\v', '\f'}) flags[size_t(c)] |= kBlankFlag;
    for (char c : {'\n', '\r'}) flags[size_t(c)] |= kLineEndFlag | kStopFlag | kQuoteFlag;
    flags[0] |= kStopFlag | kQuoteFlag;
    for (char c : {'"', '\'', '\\'}) flags[size_t(c)] |= kQuoteFlag;
    return flags;
}();

inline bool hasCharFlag(char c, uint8_t flag) { return (kCharFlags[uint8_t(c)] & flag) != 0; }
inline bool isIdentStart(char c) { return hasCharFlag(c, kIdentStartFlag); }
inline bool isIdent(char c) { return hasCharFlag(c, kIdentStartFlag | kDigitFlag); }
inline bool isDigit(char c) { return hasCharFlag(c, kDigitFlag); }
inline bool isHexDigit(char c) { return hasCharFlag(c, kHexFlag); }
inline bool isBlank(char c) { return hasCharFlag(c, kBlankFlag); }
inline bool isLineEnd(char c) { return hasCharFlag(c, kLineEndFlag); }
inline bool endsLineOrNul(char c) { return hasCharFlag(c, kStopFlag); }
inline bool mayEndQuoted(char c) { return hasCharFlag(c, kQuoteFlag); }

}  // namespace luapp::frontend
