#pragma once
// The random numbers of the fuzzers: small, fast, the same on every machine. A fuzzer makes one Random for each case from its
// seed and the case's number, so any case can be made again alone.

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace luapp::fuzz {

class Random {
  public:
    explicit Random(uint64_t seed, uint64_t stream = 0) : state_(seed * 0x9E3779B97F4A7C15u + stream * 0xD1B54A32D192ED03u) { next(); }

    /// 64 random bits (SplitMix64).
    uint64_t next() {
        state_ += 0x9E3779B97F4A7C15u;
        uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    /// A number in [0, count); 0 if count is 0.
    size_t below(size_t count) { return count == 0 ? 0 : next() % count; }
    /// A number in [low, high].
    int between(int low, int high) { return low + int(below(size_t(high - low + 1))); }
    /// True in `percent` of 100 cases.
    bool chance(int percent) { return int(below(100)) < percent; }
    /// One element of an array or vector that is not empty.
    template <class List>
    const auto& pick(const List& list) {
        return *(std::begin(list) + below(std::size(list)));
    }

  private:
    uint64_t state_;
};

}  // namespace luapp::fuzz
