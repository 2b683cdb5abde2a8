#pragma once
// UTF-8, as far as the front end needs it: reading one character, writing one, and its width on a terminal.

#include <cstdint>
#include <string>
#include <string_view>

namespace luapp::frontend {

/// The code point at the start of `text` and its length in bytes; length 0 if the bytes are not valid UTF-8 (overlong
/// forms, surrogates and values beyond 10FFFF are not).
struct Utf8Char {
    uint32_t codePoint = 0;
    int length = 0;
};
Utf8Char decodeUtf8(std::string_view text);

/// Appends the UTF-8 bytes of `codePoint` (up to 10FFFF; surrogates are written as they are).
void appendUtf8(std::string& out, uint32_t codePoint);

/// Cells the character takes on a terminal: 0 for combining marks, 2 for wide East Asian characters and emoji, else 1.
int displayWidth(uint32_t codePoint);

}  // namespace luapp::frontend
