// Numbers of the delta-coded tables of a proto: seven bits a byte, the lowest first.
#pragma once

#include <cstdint>
#include <vector>

namespace luapp::bc {

inline void putVarint(std::vector<uint8_t>& out, uint64_t v) {
    while (v >= 0x80) {
        out.push_back(static_cast<uint8_t>(v) | 0x80);
        v >>= 7;
    }
    out.push_back(static_cast<uint8_t>(v));
}

/// Reads a number; false at the end of the bytes or if it does not fit.
inline bool getVarint(const uint8_t*& p, const uint8_t* end, uint64_t& v) {
    v = 0;
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        uint8_t b = *p++;
        v |= uint64_t{b & 0x7Fu} << shift;
        if (!(b & 0x80)) return true;
    }
    return false;
}

}  // namespace luapp::bc
