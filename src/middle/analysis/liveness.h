// Which values are live at the borders of blocks, for register allocation.
//
// Made on demand from a Function without pending replacements; the backend reads it. Each value is walked backwards
// from its uses to its definition, so the time is the total size of the sets. Sets are lists without duplicates,
// in order of value ids once the function has been renumbered.
// Block parameters are defined at the start of their block: they are not in its live-in set. Arguments of an edge are uses at
// the end of the block the edge leaves, so they are in its live-out set only if something else in a successor needs them
// too: ask the edge itself.
// It does not follow moves, and knows nothing of registers or instruction positions.
#pragma once

#include <span>
#include <vector>

#include "middle/ir.h"

namespace luapp::ir {

class Liveness {
  public:
    explicit Liveness(const Function& fn);

    /// Values defined elsewhere that `block` or blocks behind it use.
    std::span<const Value> liveIn(const Block* block) const { return set(in_, block); }
    /// Values that some successor has live at its start (arguments of the outgoing edges are not counted).
    std::span<const Value> liveOut(const Block* block) const { return set(out_, block); }

  private:
    /// Lists of all blocks in one array: those of block id b lie at [starts[b], starts[b + 1]).
    struct Sets {
        std::vector<uint32_t> starts;
        std::vector<Value> values;
    };
    static std::span<const Value> set(const Sets& sets, const Block* block) {
        return {sets.values.data() + sets.starts[block->id], sets.starts[block->id + 1] - sets.starts[block->id]};
    }

    Sets in_;
    Sets out_;
};

}  // namespace luapp::ir
