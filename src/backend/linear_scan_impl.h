// Private to linear_scan.cpp and resolve.cpp: the intervals the scan leaves behind, from which the places of operands
// and the moves between places are made.
#pragma once

#include <vector>

#include "backend/lir.h"
#include "backend/linear_scan.h"
#include "backend/out_of_ssa.h"

namespace luapp::backend {

inline constexpr uint32_t kNone = 0xFFFFFFFFu;

/// A piece of a web with one place. The pieces of a web follow each other in time; the first has the web's number.
struct Interval {
    uint32_t web = 0;
    uint32_t firstRange = 0;  // the ranges [firstRange, endRange) of the pool, cut to [start, end)
    uint32_t endRange = 0;
    uint32_t cursor = 0;  // the first range that ends behind the scan's position
    uint32_t start = 0;
    uint32_t end = 0;
    uint32_t next = kNone;  // the following piece
    Location place = kNoLocation;
};

/// What the scan decided.
struct ScanResult {
    std::vector<Interval> intervals;
    std::vector<Location> windowBase;  // by instruction
    uint32_t frameSize = 0;            // of registers, windows and slots
    uint32_t registerTop = 0;          // one more than the highest register used, windows included
    bool hasSpills = false;
};

/// Computes operand places and all moves.
Allocation resolvePlaces(const LirFunction& f, const SlotMap& slots, const Webs& webs, const Target& target,
                         ScanResult&& scan);

}  // namespace luapp::backend
