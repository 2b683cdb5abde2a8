// Turns a set of moves that happen at once into a sequence of moves that has the same effect. Used by the register
// allocator for edges of the flow graph and for the operands of calls. Constants are stored last, since they depend on
// nothing; a cycle costs one move to the scratch place. It knows nothing of instructions; a move between two frame slots
// is one move here, and the target's emitter expands it.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/lir.h"

namespace luapp::backend {

struct Move {
    Location dst;
    Location src;  // a place, or a constant (isConst)
};

/// Collects the moves of one group and appends their sequence to a list. Reused from group to group.
class ParallelMove {
  public:
    /// `dst` is written once per group. A move from a place to itself is dropped.
    void add(Location dst, Location src) {
        if (dst != src) pending_.push_back({dst, src});
    }
    bool empty() const { return pending_.empty(); }
    /// Appends the sequence to `out` and empties the group. True if `scratch` was needed.
    bool flush(std::vector<Move>& out, Location scratch);

  private:
    std::vector<Move> pending_;
    std::vector<uint32_t> readers_;  // by place: moves that still read it
    std::vector<uint32_t> writer_;   // by place: index + 1 of the pending move that writes it
    std::vector<uint32_t> ready_;
};

}  // namespace luapp::backend
