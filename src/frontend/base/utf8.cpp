#include "frontend/base/utf8.h"

namespace luapp::frontend {

Utf8Char decodeUtf8(std::string_view text) {
    if (text.empty()) return {};
    const auto byte = [&](size_t i) { return uint32_t(uint8_t(text[i])); };
    const uint32_t first = byte(0);
    if (first < 0x80) return {first, 1};
    const int length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < size_t(length)) return {};
    uint32_t codePoint = first & (0x7Fu >> length);
    for (int i = 1; i < length; ++i) {
        if ((byte(size_t(i)) & 0xC0) != 0x80) return {};
        codePoint = codePoint << 6 | (byte(size_t(i)) & 0x3F);
    }
    const uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    const bool isSurrogate = codePoint >= 0xD800 && codePoint <= 0xDFFF;
    if (codePoint < least || codePoint > 0x10FFFF || isSurrogate) return {};
    return {codePoint, length};
}

void appendUtf8(std::string& out, uint32_t codePoint) {
    if (codePoint < 0x80) {
        out += char(codePoint);
    } else if (codePoint < 0x800) {
        out += char(0xC0 | codePoint >> 6);
        out += char(0x80 | (codePoint & 0x3F));
    } else if (codePoint < 0x10000) {
        out += char(0xE0 | codePoint >> 12);
        out += char(0x80 | (codePoint >> 6 & 0x3F));
        out += char(0x80 | (codePoint & 0x3F));
    } else {
        out += char(0xF0 | codePoint >> 18);
        out += char(0x80 | (codePoint >> 12 & 0x3F));
        out += char(0x80 | (codePoint >> 6 & 0x3F));
        out += char(0x80 | (codePoint & 0x3F));
    }
}

int displayWidth(uint32_t c) {
    struct Span {
        uint32_t first, last;
    };
    // The blocks that matter in practice; an exact table would be a hundred times as long.
    static constexpr Span kCombining[] = {{0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x610, 0x61A},
                                          {0x64B, 0x65F},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},
                                          {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};
    static constexpr Span kWide[] = {{0x1100, 0x115F}, {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
                                     {0xF900, 0xFAFF}, {0xFE30, 0xFE4F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                                     {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    if (c < 0x300) return 1;
    for (const Span& span : kCombining) {
        if (c >= span.first && c <= span.last) return 0;
    }
    for (const Span& span : kWide) {
        if (c >= span.first && c <= span.last) return 2;
    }
    return 1;
}

}  // namespace luapp::frontend
