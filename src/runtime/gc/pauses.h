// How long the collector stopped the program, as a histogram of fixed size: 16 buckets for each power of two of nanoseconds, so that a
// quantile is exact to about 6 %. Filled by the heap (cycle.cpp), read by collectgarbage("stats"). Does not measure time itself.
#pragma once

#include <bit>
#include <cstdint>

namespace luapp::rt {

class PauseHistogram {
public:
    void add(uint64_t ns) {
        counts_[bucketOf(ns)]++;
        count_++;
        total_ += ns;
        if (ns > longest_) longest_ = ns;
    }
    uint64_t count() const { return count_; }
    uint64_t totalNs() const { return total_; }
    uint64_t longestNs() const { return longest_; }
    /// How many pauses were shorter than `ns`, to the exactness of a bucket.
    uint64_t below(uint64_t ns) const {
        uint64_t sum = 0;
        for (unsigned i = 0; i < bucketOf(ns); i++) sum += counts_[i];
        return sum;
    }
    /// The length that `perMille` of 1000 pauses do not exceed; 0 if there was none.
    uint64_t quantileNs(uint32_t perMille) const {
        uint64_t wanted = (count_ * perMille + 999) / 1000;
        for (unsigned i = 0; i < kBuckets; i++) {
            if (wanted <= counts_[i]) return wanted == 0 ? 0 : (endOf(i) < longest_ ? endOf(i) : longest_);
            wanted -= counts_[i];
        }
        return longest_;
    }

private:
    static constexpr unsigned kSteps = 16;
    static constexpr unsigned kPowers = 40;  // up to 18 minutes
    static constexpr unsigned kBuckets = kSteps * kPowers;

    static unsigned bucketOf(uint64_t ns) {
        if (ns < kSteps) return static_cast<unsigned>(ns);
        const auto power = static_cast<unsigned>(std::bit_width(ns)) - 5;  // ns >> power is 16..31
        const unsigned bucket = power * kSteps + static_cast<unsigned>(ns >> power);
        return bucket < kBuckets ? bucket : kBuckets - 1;
    }
    /// The least length beyond a bucket.
    static uint64_t endOf(unsigned bucket) {
        if (bucket < 2 * kSteps) return bucket + 1;
        const unsigned power = bucket / kSteps - 1;
        return uint64_t{bucket % kSteps + kSteps + 1} << power;
    }

    uint32_t counts_[kBuckets] = {};
    uint64_t count_ = 0;
    uint64_t total_ = 0;
    uint64_t longest_ = 0;
};

}  // namespace luapp::rt
