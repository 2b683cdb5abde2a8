// SpookyHash V2 as published by Bob Jenkins (burtleburtle.net/bob/hash/spooky.html, public domain): the short form for keys
// under 192 bytes with four state words, the long form with twelve. Little endian, unaligned reads.
#include "runtime/base/hash.h"

#include <array>
#include <bit>
#include <cstring>

#include "runtime/base/check.h"

namespace luapp::base {
namespace {

constexpr uint64_t kFiller = 0xDEAD'BEEF'DEAD'BEEFu;
constexpr unsigned kLanes = 12;
constexpr size_t kLongBlock = kLanes * 8;
constexpr size_t kShortLimit = 2 * kLongBlock;

uint64_t read64(const uint8_t* p) {
    uint64_t v = 0;
    std::memcpy(&v, p, 8);
    return v;
}

uint32_t read32(const uint8_t* p) {
    uint32_t v = 0;
    std::memcpy(&v, p, 4);
    return v;
}

/// The last `count` < 8 bytes as a little-endian word, zero padded.
uint64_t readTail(const uint8_t* p, size_t count) {
    if (count >= 4) return read32(p) | uint64_t{read32(p + count - 4)} << (8 * (count - 4));
    uint64_t v = 0;
    if (count > 0) {
        v = p[0] | uint64_t{p[count >> 1]} << (8 * (count >> 1)) | uint64_t{p[count - 1]} << (8 * (count - 1));
    }
    return v;
}

struct ShortState {
    uint64_t a, b, c, d;

    // One mixing step: x turns and takes in y, z takes in x.
    static LUAPP_ALWAYS_INLINE void mixStep(uint64_t& x, uint64_t y, uint64_t& z, int turn) {
        x = std::rotl(x, turn) + y;
        z ^= x;
    }
    LUAPP_ALWAYS_INLINE void mix() {
        mixStep(c, d, a, 50);
        mixStep(d, a, b, 52);
        mixStep(a, b, c, 30);
        mixStep(b, c, d, 41);
        mixStep(c, d, a, 54);
        mixStep(d, a, b, 48);
        mixStep(a, b, c, 38);
        mixStep(b, c, d, 37);
        mixStep(c, d, a, 62);
        mixStep(d, a, b, 34);
        mixStep(a, b, c, 5);
        mixStep(b, c, d, 36);
    }

    // One final step: x takes in y, which turns and is added to x.
    static LUAPP_ALWAYS_INLINE void endStep(uint64_t& x, uint64_t& y, int turn) {
        x ^= y;
        y = std::rotl(y, turn);
        x += y;
    }
    LUAPP_ALWAYS_INLINE void end() {
        endStep(d, c, 15);
        endStep(a, d, 52);
        endStep(b, a, 26);
        endStep(c, b, 51);
        endStep(d, c, 28);
        endStep(a, d, 9);
        endStep(b, a, 47);
        endStep(c, b, 54);
        endStep(d, c, 32);
        endStep(a, d, 25);
        endStep(b, a, 63);
    }
};

LUAPP_ALWAYS_INLINE void hashShort(const uint8_t* p, size_t length, uint64_t& seed1, uint64_t& seed2) {
    ShortState s{seed1, seed2, kFiller, kFiller};
    size_t rest = length % 32;
    if (length > 15) {
        for (const uint8_t* end = p + (length - rest); p < end; p += 32) {
            s.c += read64(p);
            s.d += read64(p + 8);
            s.mix();
            s.a += read64(p + 16);
            s.b += read64(p + 24);
        }
        if (rest >= 16) {
            s.c += read64(p);
            s.d += read64(p + 8);
            s.mix();
            p += 16;
            rest -= 16;
        }
    }
    s.d += uint64_t{length} << 56;
    if (rest >= 8) {
        s.c += read64(p);
        s.d += readTail(p + 8, rest - 8);
    } else if (rest > 0) {
        s.c += readTail(p, rest);
    } else {
        s.c += kFiller;
        s.d += kFiller;
    }
    s.end();
    seed1 = s.a;
    seed2 = s.b;
}

using LongState = std::array<uint64_t, kLanes>;

constexpr std::array<int, kLanes> kMixTurns = {11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46};
constexpr std::array<int, kLanes> kEndTurns = {44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54};

void mixLong(LongState& h, const uint8_t* block) {
    for (unsigned i = 0; i < kLanes; i++) {
        h[i] += read64(block + 8 * i);
        h[(i + 2) % kLanes] ^= h[(i + 10) % kLanes];
        h[(i + 11) % kLanes] ^= h[i];
        h[i] = std::rotl(h[i], kMixTurns[i]);
        h[(i + 11) % kLanes] += h[(i + 1) % kLanes];
    }
}

void endLong(LongState& h) {
    for (unsigned i = 0; i < kLanes; i++) {
        uint64_t& turned = h[(i + 1) % kLanes];
        h[(i + 11) % kLanes] += turned;
        h[(i + 2) % kLanes] ^= h[(i + 11) % kLanes];
        turned = std::rotl(turned, kEndTurns[i]);
    }
}

}  // namespace

void spookyHash128(const void* bytes, size_t length, uint64_t& seed1, uint64_t& seed2) {
    const auto* p = static_cast<const uint8_t*>(bytes);
    if (length < kShortLimit) {
        hashShort(p, length, seed1, seed2);
        return;
    }
    LongState h = {seed1, seed2, kFiller, seed1, seed2, kFiller, seed1, seed2, kFiller, seed1, seed2, kFiller};
    size_t rest = length % kLongBlock;
    for (const uint8_t* end = p + (length - rest); p < end; p += kLongBlock) mixLong(h, p);
    uint8_t last[kLongBlock] = {};
    std::memcpy(last, p, rest);
    last[kLongBlock - 1] = static_cast<uint8_t>(rest);
    for (unsigned i = 0; i < kLanes; i++) h[i] += read64(last + 8 * i);
    for (int round = 0; round < 3; round++) endLong(h);
    seed1 = h[0];
    seed2 = h[1];
}

uint32_t hashBytes(const void* bytes, size_t length, uint64_t seed) {
    uint64_t h1 = seed;
    uint64_t h2 = seed;
    if (LUAPP_LIKELY(length < kShortLimit)) {
        hashShort(static_cast<const uint8_t*>(bytes), length, h1, h2);
    } else {
        spookyHash128(bytes, length, h1, h2);
    }
    return static_cast<uint32_t>(h1);
}

}  // namespace luapp::base
