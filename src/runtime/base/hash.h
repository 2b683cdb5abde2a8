// The string hash: one function that everything goes through, seeded per State so that keys chosen by an attacker do not
// collide. It is SpookyHash V2 (Bob Jenkins' published public-domain algorithm, the paper's choice), written out here by us.
// Also the hash of one 64-bit word, for keys that are no strings. Pure functions, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace luapp::base {

/// Both halves of SpookyHash V2 of `length` bytes: `seed1` and `seed2` are the two seeds on entry and the hash on return.
void spookyHash128(const void* bytes, size_t length, uint64_t& seed1, uint64_t& seed2);

/// The 32-bit hash of a string's bytes under `seed`. The one place that decides which hash function strings use.
uint32_t hashBytes(const void* bytes, size_t length, uint64_t seed);

/// Hash of a key word (a boxed number or a boxed reference): spreads both halves of the word over 32 bits.
inline uint32_t hashWord(uint64_t word) {
    uint64_t mixed = (word ^ (word >> 32)) * 0x9E37'79B9'7F4A'7C15u;
    return static_cast<uint32_t>(mixed >> 32);
}

}  // namespace luapp::base
