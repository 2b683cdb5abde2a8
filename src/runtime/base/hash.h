// The string hash: one function that everything goes through, seeded per State so that keys chosen by an attacker do not
// collide. Folded multiplication after wyhash (Wang Yi, 2019; public domain), written out here by us: it took the place of SpookyHash V2,
// which was a tenth of a word count's time. Also the hash of one 64-bit word, for keys that are no strings. Pure functions, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/base/check.h"

namespace luapp::base {

namespace hash_detail {

// Odd, with as many ones as zeros in every byte, as wyhash wants its constants.
inline constexpr uint64_t kFirst = 0x2D35'8DCC'AA6C'78A5u;
inline constexpr uint64_t kSecond = 0x8BB8'4B93'962E'ACC9u;

inline uint64_t read64(const uint8_t* p) {
    uint64_t v = 0;
    std::memcpy(&v, p, 8);
    return v;
}
inline uint64_t read32(const uint8_t* p) {
    uint32_t v = 0;
    std::memcpy(&v, p, 4);
    return v;
}

/// Both halves of the product, one over the other.
inline uint64_t fold(uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace hash_detail

/// The 32-bit hash of a string's bytes under `seed`, which has to be hard to guess: with a known one a factor of a product can be made 0.
/// The one place that decides which hash function strings use.
LUAPP_ALWAYS_INLINE uint32_t hashBytes(const void* bytes, size_t length, uint64_t seed) {
    using namespace hash_detail;
    const auto* p = static_cast<const uint8_t*>(bytes);
    const uint64_t secret = seed ^ kFirst;
    uint64_t state = seed + kSecond;
    uint64_t a = 0, b = 0;
    if (LUAPP_LIKELY(length <= 16)) {
        if (length >= 4) {
            // Four overlapping pieces of four bytes: both ends, and what is 4 or 8 bytes from them.
            const size_t middle = length >> 3 << 2;
            a = read32(p) << 32 | read32(p + middle);
            b = read32(p + length - 4) << 32 | read32(p + length - 4 - middle);
        } else if (length > 0) {
            a = uint64_t{p[0]} << 16 | uint64_t{p[length >> 1]} << 8 | p[length - 1];
        }
    } else {
        size_t rest = length;
        for (; rest > 16; rest -= 16, p += 16) state = fold(read64(p) ^ secret, read64(p + 8) ^ state);
        a = read64(p + rest - 16);
        b = read64(p + rest - 8);
    }
    return static_cast<uint32_t>(fold(secret ^ length, fold(a ^ secret, b ^ state)));
}

/// Hash of a key word (a boxed number or a boxed reference): spreads both halves of the word over 32 bits.
inline uint32_t hashWord(uint64_t word) {
    uint64_t mixed = (word ^ (word >> 32)) * 0x9E37'79B9'7F4A'7C15u;
    return static_cast<uint32_t>(mixed >> 32);
}

}  // namespace luapp::base
