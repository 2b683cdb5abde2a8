// From SSA to storage: live ranges of virtual registers, and the webs into which block parameters are merged with their
// arguments. Made from a LirFunction, read by linear_scan.h.
//
// A web is a set of virtual registers of which never two are live at once; it gets one place. Every block parameter is
// merged with as many of its arguments as do not interfere with it, those of the deepest loops first, and a TiedDef with
// its TiedUse; whatever could not be merged becomes a move on the edge (parallel_move.h). A web's live ranges are exact
// (they have holes), half-open, sorted, and neighbours that touch are joined. It assigns no registers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/lir.h"

namespace luapp::backend {

/// Positions [start, end) in the numbering of SlotMap.
struct LiveRange {
    uint32_t start;
    uint32_t end;
};

/// "No particular register".
inline constexpr uint32_t kNoRegister = 0xFFFFFFFFu;

struct Web {
    uint32_t firstRange = 0;  // in Webs::ranges
    uint32_t numRanges = 0;
    uint32_t entryRegister = kNoRegister;  // holds a function parameter, which arrives there
};

struct Webs {
    std::vector<Web> webs;
    std::vector<LiveRange> ranges;
    std::vector<uint32_t> webOf;  // by virtual register; meaningless for one without definition

    std::span<const LiveRange> rangesOf(uint32_t web) const {
        return {ranges.data() + webs[web].firstRange, webs[web].numRanges};
    }
};

/// Live ranges and webs of `f`.
Webs buildWebs(const LirFunction& f, const SlotMap& slots);

/// The range among `ranges` that contains or follows `position`; `ranges.size()` if there is none.
uint32_t findRange(std::span<const LiveRange> ranges, uint32_t position);

/// True if some position lies in both lists.
bool rangesIntersect(std::span<const LiveRange> a, std::span<const LiveRange> b);

}  // namespace luapp::backend
