// Dominator tree and loops of a function.
//
// Made on demand by passes and the verifier from the graph of blocks; it is not kept up to date when that changes. Blocks that the
// entry does not reach are not part of it. Dominators are found by the algorithm of Lengauer and Tarjan with path
// compression, so no shape of graph is slow; loops are natural loops (a back edge leads to a block that dominates its
// start), found inner ones first. Cycles that `goto` enters at several places are no loops here.
#pragma once

#include <span>
#include <vector>

#include "middle/ir.h"

namespace luapp::ir {

class Dominators {
  public:
    explicit Dominators(const Function& fn);

    /// Reachable blocks; every block comes before those it dominates, and before its successors but for back edges.
    std::span<Block* const> order() const { return order_; }
    bool isReachable(const Block* block) const { return position_[block->id] != kNone; }
    /// Position in order(); only for reachable blocks.
    uint32_t position(const Block* block) const { return position_[block->id]; }
    /// The closest other block through which every way to `block` leads; null for the entry.
    Block* idom(const Block* block) const { return idom_[block->id]; }
    /// Blocks whose idom is `block`.
    std::span<Block* const> children(const Block* block) const;
    /// True if every way to `b` leads through `a` (also if they are one block). Both must be reachable.
    bool dominates(const Block* a, const Block* b) const {
        return enter_[a->id] <= enter_[b->id] && leave_[b->id] <= leave_[a->id];
    }

  private:
    static constexpr uint32_t kNone = ~0u;

    void buildTree(const Function& fn);

    std::vector<Block*> order_;
    std::vector<uint32_t> position_;  // all of these by block id
    std::vector<Block*> idom_;
    std::vector<uint32_t> enter_;     // numbering of the tree
    std::vector<uint32_t> leave_;
    std::vector<uint32_t> childStarts_;
    std::vector<Block*> children_;
};

/// A natural loop.
struct LoopInfo {
    Block* header = nullptr;
    LoopInfo* parent = nullptr;    // the next loop around it
    uint32_t depth = 1;            // 1: outermost
    uint32_t index = 0;            // position in Loops::all()
    std::vector<Block*> latches;   // where its back edges start
};

class Loops {
  public:
    Loops(const Function& fn, const Dominators& dominators);

    /// The innermost loop around `block`, or null.
    LoopInfo* of(const Block* block) const { return of_[block->id]; }
    uint32_t depth(const Block* block) const { return of(block) ? of(block)->depth : 0; }
    /// True if `block` lies in `loop` or in a loop inside it.
    bool contains(const LoopInfo* loop, const Block* block) const;
    /// All loops, inner ones before those around them.
    std::span<LoopInfo* const> all() const { return all_; }

  private:
    std::vector<LoopInfo> storage_;
    std::vector<LoopInfo*> all_;
    std::vector<LoopInfo*> of_;  // by block id
};

}  // namespace luapp::ir
