// Register allocation on random flow graphs, checked by symbolic execution, for a machine with call windows (the
// bytecode's shape) and one with clobbered registers (a processor's shape); parallel moves; layout.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "backend/alloc_verify.h"
#include "backend/layout.h"
#include "backend/linear_scan.h"
#include "backend/lir.h"
#include "backend/out_of_ssa.h"
#include "backend/parallel_move.h"

using namespace luapp::backend;

namespace {

struct Shape {
    uint32_t nodes = 8;
    uint32_t variables = 5;
    uint32_t instsPerBlock = 6;
    uint32_t callPercent = 25;
    bool windows = true;
};

/// A random function in SSA form: blocks with several predecessors take a parameter for each variable, others inherit
/// the values of their predecessor.
class Generator {
  public:
    Generator(uint32_t seed, Shape shape) : rng_(seed), shape_(shape) {}

    LirFunction make() {
        makeGraph();
        findLoops(graph_);
        const std::vector<uint32_t> order = layoutBlocks(graph_);
        REQUIRE(order.size() == graph_.nodes.size());
        REQUIRE(order[0] == 0);
        makeCode(order);
        return std::move(f_);
    }

  private:
    uint32_t below(uint32_t n) { return n ? rng_() % n : 0; }

    void makeGraph() {
        const uint32_t n = shape_.nodes;
        graph_.nodes.resize(n);
        for (uint32_t i = 0; i < n; i++) {
            FlowNode& node = graph_.nodes[i];
            node.numSuccs = i + 1 == n ? 0 : static_cast<uint8_t>(1 + below(2));
            if (node.numSuccs > 0) node.succ[0] = below(3) ? i + 1 : 1 + below(n - 1);
            if (node.numSuccs > 1) node.succ[1] = 1 + below(n - 1);
            node.isCold = node.numSuccs == 0 && below(2);
        }
        dropUnreachable();
        std::vector<uint32_t> preds(graph_.nodes.size(), 0);
        for (const FlowNode& node : graph_.nodes) {
            for (unsigned s = 0; s < node.numSuccs; s++) preds[node.succ[s]]++;
        }
        const auto count = static_cast<uint32_t>(graph_.nodes.size());
        for (uint32_t i = 0; i < count; i++) {
            for (unsigned s = 0; s < 2 && graph_.nodes[i].numSuccs == 2; s++) {
                const uint32_t target = graph_.nodes[i].succ[s];
                if (preds[target] < 2) continue;
                graph_.nodes[i].succ[s] = static_cast<uint32_t>(graph_.nodes.size());
                FlowNode middle;
                middle.numSuccs = 1;
                middle.succ[0] = target;
                graph_.nodes.push_back(middle);
            }
        }
    }

    void dropUnreachable() {
        std::vector<uint32_t> number(graph_.nodes.size(), ~0u);
        std::vector<uint32_t> list{0};
        number[0] = 0;
        for (size_t i = 0; i < list.size(); i++) {
            for (unsigned s = 0; s < graph_.nodes[list[i]].numSuccs; s++) {
                const uint32_t t = graph_.nodes[list[i]].succ[s];
                if (number[t] != ~0u) continue;
                number[t] = static_cast<uint32_t>(list.size());
                list.push_back(t);
            }
        }
        FlowGraph kept;
        for (uint32_t i : list) {
            FlowNode node = graph_.nodes[i];
            for (unsigned s = 0; s < node.numSuccs; s++) node.succ[s] = number[node.succ[s]];
            kept.nodes.push_back(node);
        }
        graph_ = kept;
    }

    void makeCode(const std::vector<uint32_t>& order) {
        const auto n = static_cast<uint32_t>(order.size());
        std::vector<uint32_t> at(n);
        for (uint32_t i = 0; i < n; i++) at[order[i]] = i;
        std::vector<std::vector<uint32_t>> preds(n);
        for (uint32_t i = 0; i < n; i++) {
            for (unsigned s = 0; s < graph_.nodes[order[i]].numSuccs; s++) preds[at[graph_.nodes[order[i]].succ[s]]].push_back(i);
        }
        f_.blocks.resize(n);
        in_.resize(n);
        out_.resize(n);
        for (uint32_t b = 0; b < n; b++) {
            LirBlock& block = f_.blocks[b];
            block.loopDepth = static_cast<uint8_t>(graph_.depthOf(order[b]));
            block.firstParam = static_cast<uint32_t>(f_.params.size());
            if (b == 0 || preds[b].size() > 1) {
                for (uint32_t v = 0; v < shape_.variables; v++) {
                    in_[b].push_back(f_.numVRegs);
                    f_.params.push_back(f_.numVRegs++);
                }
                block.numParams = shape_.variables;
            }
        }
        // The layout order need not be one of dominance: make blocks from those whose input is known.
        std::vector<std::vector<uint32_t>> pending(n);
        std::vector<bool> done(n, false);
        std::vector<std::vector<LirInst>> code(n);
        bool progress = true;
        while (progress) {
            progress = false;
            for (uint32_t b = 0; b < n; b++) {
                if (done[b]) continue;
                if (in_[b].empty()) {
                    if (!done[preds[b][0]]) continue;
                    in_[b] = out_[preds[b][0]];
                }
                code[b] = makeBlock(b, graph_.nodes[order[b]].numSuccs);
                done[b] = progress = true;
            }
        }
        for (uint32_t b = 0; b < n; b++) {
            LirBlock& block = f_.blocks[b];
            block.firstInst = static_cast<uint32_t>(f_.insts.size());
            f_.insts.insert(f_.insts.end(), code[b].begin(), code[b].end());
            block.endInst = static_cast<uint32_t>(f_.insts.size());
            block.numSuccs = graph_.nodes[order[b]].numSuccs;
            for (unsigned s = 0; s < block.numSuccs; s++) {
                block.succ[s].target = at[graph_.nodes[order[b]].succ[s]];
                block.succ[s].firstArg = static_cast<uint32_t>(f_.args.size());
                if (f_.blocks[block.succ[s].target].numParams == 0) continue;
                for (uint32_t v = 0; v < shape_.variables; v++) {
                    f_.args.push_back(below(8) == 0 ? makeConst(below(5)) : below(6) == 0 ? pick(out_[b]) : out_[b][v]);
                }
            }
        }
    }

    VReg pick(const std::vector<VReg>& values) { return values[below(static_cast<uint32_t>(values.size()))]; }

    LirInst begin(uint8_t flags = 0) {
        LirInst i;
        i.flags = flags;
        i.firstOperand = static_cast<uint32_t>(f_.operands.size());
        return i;
    }
    void operand(LirInst& i, VReg v, OperandKind kind, uint32_t slot = 0) {
        f_.operands.push_back({v, kind, static_cast<uint16_t>(slot)});
        i.numOperands++;
    }

    std::vector<LirInst> makeBlock(uint32_t b, unsigned numSuccs) {
        std::vector<LirInst> code;
        std::vector<VReg> now = in_[b];
        const uint32_t count = below(shape_.instsPerBlock + 1);
        for (uint32_t k = 0; k < count; k++) {
            const VReg result = f_.numVRegs++;
            if (below(100) < shape_.callPercent) {
                code.push_back(makeCall(now, result));
            } else if (below(6) == 0) {
                LirInst i = begin();
                operand(i, pick(now), OperandKind::TiedUse);
                operand(i, pick(now), OperandKind::LateUse);
                operand(i, result, OperandKind::TiedDef);
                code.push_back(i);
            } else {
                LirInst i = begin();
                operand(i, pick(now), OperandKind::Use);
                if (below(2)) operand(i, pick(now), OperandKind::Use);
                operand(i, result, OperandKind::Def);
                code.push_back(i);
            }
            now[below(static_cast<uint32_t>(now.size()))] = result;
        }
        if (numSuccs != 1) {
            LirInst i = begin();
            operand(i, pick(now), OperandKind::Use);
            code.push_back(i);
        }
        out_[b] = now;
        return code;
    }

    LirInst makeCall(const std::vector<VReg>& now, VReg result) {
        LirInst i = begin(shape_.windows ? lir_flags::Window : lir_flags::Clobbers);
        const uint32_t args = below(shape_.windows ? 4 : 3);
        const uint32_t first = shape_.windows ? 3 : 0;
        for (uint32_t a = 0; a < args; a++) {
            operand(i, below(4) == 0 ? makeConst(below(5)) : pick(now), OperandKind::FixedUse, first + a);
        }
        if (below(5) == 0) operand(i, pick(now), OperandKind::LateUse);
        operand(i, result, OperandKind::FixedDef, 0);
        i.windowSize = static_cast<uint16_t>(first + args + 1);
        return i;
    }

    std::mt19937 rng_;
    Shape shape_;
    FlowGraph graph_;
    LirFunction f_;
    std::vector<std::vector<VReg>> in_;
    std::vector<std::vector<VReg>> out_;
};

Target windowTarget(uint32_t registers) {
    Target t;
    t.numRegisters = registers;
    t.maxWindowEnd = registers;
    t.firstSpillSlot = registers + 2;
    return t;
}

Target clobberTarget(uint32_t registers, uint32_t clobbered) {
    Target t = windowTarget(registers);
    t.callClobbers.assign(registers, false);
    for (uint32_t i = 0; i < clobbered; i++) t.callClobbers[i] = true;
    return t;
}

std::string check(const LirFunction& f, const Target& target) {
    const SlotMap slots(f);
    const Webs webs = buildWebs(f, slots);
    return verifyAllocation(f, slots, allocateRegisters(f, slots, webs, target), target);
}

}  // namespace

TEST_CASE("random functions, many registers, call windows") {
    for (uint32_t seed = 1; seed <= 1500; seed++) {
        const LirFunction f = Generator(seed, {4 + seed % 20, 2 + seed % 7, 2 + seed % 9, seed % 60, true}).make();
        CAPTURE(seed);
        REQUIRE(check(f, windowTarget(200)) == "");
    }
}

TEST_CASE("random functions, few registers, call windows: spills and windows in the slots") {
    for (uint32_t seed = 1; seed <= 2500; seed++) {
        const LirFunction f = Generator(seed, {3 + seed % 18, 3 + seed % 9, 2 + seed % 9, seed % 50, true}).make();
        CAPTURE(seed);
        REQUIRE(check(f, windowTarget(std::max(9u, 3 + seed % 9))) == "");
    }
}

TEST_CASE("random functions, few registers, clobbering calls") {
    for (uint32_t seed = 1; seed <= 2500; seed++) {
        const LirFunction f = Generator(seed, {3 + seed % 18, 2 + seed % 6, 2 + seed % 9, seed % 50, false}).make();
        CAPTURE(seed);
        REQUIRE(check(f, clobberTarget(std::max(7u, 2 + seed % 6) + seed % 4, 3 + seed % 3)) == "");
    }
}

TEST_CASE("parallel moves behave as if done at once") {
    std::mt19937 rng(7);
    for (int round = 0; round < 5000; round++) {
        const uint32_t n = 1 + rng() % 9;
        std::vector<Location> dsts(n);
        for (uint32_t i = 0; i < n; i++) dsts[i] = i;
        std::shuffle(dsts.begin(), dsts.end(), rng);
        ParallelMove group;
        std::vector<Location> expected(n + 1);
        for (uint32_t i = 0; i <= n; i++) expected[i] = i;
        const uint32_t count = rng() % (n + 1);
        for (uint32_t i = 0; i < count; i++) {
            const Location src = rng() % 6 == 0 ? makeConst(rng() % 4) : rng() % n;
            group.add(dsts[i], src);
            expected[dsts[i]] = src;
        }
        std::vector<Move> sequence;
        group.flush(sequence, n);
        std::vector<Location> place(n + 1);
        for (uint32_t i = 0; i <= n; i++) place[i] = i;
        for (const Move& m : sequence) place[m.dst] = isConst(m.src) ? m.src : place[m.src];
        for (uint32_t i = 0; i < n; i++) REQUIRE(place[i] == expected[i]);
    }
}

TEST_CASE("a loop stays together, what follows it comes behind, a cold block last") {
    // 0 -> 1; 1 -> 2 | 4; 2 -> 3 | 5 (raises); 3 -> 1; 4 returns
    FlowGraph g;
    g.nodes.resize(6);
    auto connect = [&](uint32_t n, std::vector<uint32_t> to) {
        g.nodes[n].numSuccs = static_cast<uint8_t>(to.size());
        for (size_t i = 0; i < to.size(); i++) g.nodes[n].succ[i] = to[i];
    };
    connect(0, {1});
    connect(1, {2, 4});
    connect(2, {5, 3});
    connect(3, {1});
    g.nodes[5].isCold = true;
    findLoops(g);
    CHECK(g.loops.size() == 1);
    CHECK(g.depthOf(3) == 1);
    CHECK(g.depthOf(4) == 0);
    CHECK(layoutBlocks(g) == std::vector<uint32_t>{0, 1, 2, 3, 4, 5});
}
