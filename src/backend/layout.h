// The flow graph of a function as the backend sees it, its loops, and the order in which blocks are laid out. Made by
// instruction selection from the IR's blocks plus the blocks it adds (split critical edges, loop preheaders). Loops are
// the natural loops of a depth-first search; a back edge into an irreducible region makes no loop, so a loop's header
// dominates its blocks. The order keeps loops together, with what follows a loop behind it, and puts cold blocks (those that
// only lead to a raise) last. Loops begin with their test; a target may repeat the test at the end of the loop.
// It knows nothing of instructions.
#pragma once

#include <cstdint>
#include <vector>

namespace luapp::backend {

inline constexpr uint32_t kNoLoop = 0xFFFFFFFFu;

struct FlowNode {
    uint32_t succ[2] = {0, 0};
    uint8_t numSuccs = 0;
    bool isCold = false;     // ends in a raise; findLoops extends this to blocks that lead nowhere else
};

struct FlowLoop {
    uint32_t header = 0;
    uint32_t parent = kNoLoop;
    uint32_t depth = 1;
    uint32_t outermost = 0;  // index of the loop around it that is in no other
};

/// Node 0 is the entry. Every node must be reachable from it.
struct FlowGraph {
    std::vector<FlowNode> nodes;
    std::vector<uint32_t> loopOf;  // innermost loop of each node, or kNoLoop
    std::vector<FlowLoop> loops;   // a loop stands before those inside it

    uint32_t depthOf(uint32_t node) const { return loopOf[node] == kNoLoop ? 0 : loops[loopOf[node]].depth; }
    bool inLoop(uint32_t node, uint32_t loop) const {
        uint32_t l = loopOf[node];
        while (l != kNoLoop && loops[l].depth > loops[loop].depth) l = loops[l].parent;
        return l == loop;
    }
};

/// Fills `loopOf` and `loops` and spreads `isCold`.
void findLoops(FlowGraph& graph);

/// The order of the nodes in the code; the entry first. Needs findLoops.
std::vector<uint32_t> layoutBlocks(const FlowGraph& graph);

}  // namespace luapp::backend
