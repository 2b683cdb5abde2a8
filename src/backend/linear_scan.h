// Register allocation by linear scan over the webs of out_of_ssa.h. Target-neutral: registers are numbers below
// Target::numRegisters, frame slots the numbers from Target::firstSpillSlot on. Made from a LirFunction, read by the
// target's emitter and by alloc_verify.h.
//
// Webs are taken in order of their start; each gets a register that is free for all its live ranges, preferably the one
// a call window or a fixed operand asks for, else the lowest. When none is left, the one whose next use is farthest
// away goes to a frame slot up to just before that use (intervals are split at instructions; moves on the edges of the
// flow graph reconcile the places). Two kinds of calls: one with the flag Window takes its operands from a window whose
// base is chosen when the scan reaches it, above everything live across it; earlier on the base is estimated, so
// that arguments can be computed in their places (README.md tells how). One with the flag Clobbers destroys fixed
// registers, so what lives across it is elsewhere.
#pragma once

#include <vector>

#include "backend/lir.h"
#include "backend/out_of_ssa.h"
#include "backend/parallel_move.h"

namespace luapp::backend {

struct Allocation {
    /// Place of each operand (index in LirFunction::operands) when its instruction runs; Fixed: base + slot.
    std::vector<Location> operandPlace;
    /// Place of each block parameter (index in LirFunction::params) at the start of its block.
    std::vector<Location> paramPlace;
    /// Base of the window of each instruction with the flag Window (by instruction; 0 for others). A base from
    /// firstSpillSlot on is a window in the frame slots.
    std::vector<Location> windowBase;
    /// Moves in the order in which they are to be done; those before slot s are [moveStart[2s], moveStart[2s+1]), those
    /// after it (before the next slot) [moveStart[2s+1], moveStart[2s+2]).
    std::vector<Move> moves;
    std::vector<uint32_t> moveStart;
    /// Places used, from 0 on, windows and their arguments included.
    uint32_t frameSize = 0;
    bool hasSpills = false;

    std::span<const Move> before(uint32_t slot) const { return range(2 * slot); }
    std::span<const Move> after(uint32_t slot) const { return range(2 * slot + 1); }

  private:
    std::span<const Move> range(uint32_t i) const {
        return {moves.data() + moveStart[i], moveStart[i + 1] - moveStart[i]};
    }
};

/// Allocates registers for `f`. The scratch register of the moves is Target::numRegisters or a lower one that is free.
Allocation allocateRegisters(const LirFunction& f, const SlotMap& slots, const Webs& webs, const Target& target);

}  // namespace luapp::backend
