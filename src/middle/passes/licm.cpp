// Hoisting: a computation whose operands a loop does not change moves in front of the outermost such loop.
//
// Only what may be executed early without anybody noticing: no effects, no reads of memory, nothing that relies on a check
// made before it (isSpeculatable). Constants count: a constant that does not fit an instruction is then loaded once. A block in
// front of the loop is made where none is.
// The number of values each loop gets is limited, since each occupies a register throughout the loop.

#include <algorithm>

#include "middle/pass.h"

namespace luapp::ir {

namespace {

constexpr uint32_t kMaxHoisted = 48;  // per loop
constexpr uint32_t kMaxLevels = 100;  // of loops that a value leaves at once; goto can nest loops by the thousand

class Hoister {
  public:
    Hoister(Function& fn, PassContext& context)
        : fn_(fn), context_(context), dominators_(context.analyses.dominators(fn)), loops_(context.analyses.loops(fn)), loopOf_(fn.blockCount(), nullptr) {}

    bool run() {
        if (loops_.all().empty()) return false;
        for (Block* block : dominators_.order()) loopOf_[block->id] = loops_.of(block);
        uint64_t hoisted = 0;
        // Operands come before their users in this order, so chains move in one sweep.
        for (Block* block : dominators_.order()) {
            if (!loopOf_[block->id]) continue;
            for (Inst* inst : insts(block)) {
                if (!isSpeculatable(*inst)) continue;
                LoopInfo* target = outermostLoop(*inst, loopOf_[block->id]);
                if (!target) continue;
                Block* front = frontOf(*target);
                fn_.remove(inst);
                fn_.insertBefore(front->last, inst);
                state(*target).hoisted++;
                hoisted++;
            }
        }
        context_.count("instructions hoisted", hoisted);
        return hoisted != 0;
    }

  private:
    struct LoopState {
        Block* front = nullptr;  // the block in front, once something has moved there
        uint32_t hoisted = 0;
    };

    LoopState& state(const LoopInfo& loop) {
        if (states_.size() < loops_.all().size()) states_.resize(loops_.all().size());
        return states_[loop.index];
    }

    bool isInside(const LoopInfo* loop, const Block* block) const {
        const LoopInfo* at = loopOf_[block->id];
        while (at && at->depth > loop->depth) at = at->parent;
        return at == loop;
    }

    /// The outermost loop around `inst`, from `innermost` on, that defines none of its operands; null if there is none, or it
    /// has all it may get.
    LoopInfo* outermostLoop(const Inst& inst, LoopInfo* innermost) {
        LoopInfo* best = nullptr;
        uint32_t levels = 0;
        for (LoopInfo* loop = innermost; loop && levels < kMaxLevels; loop = loop->parent, levels++) {
            for (Value v : inst.ops()) {
                if (isInside(loop, v->block)) return best;
            }
            if (state(*loop).hoisted < kMaxHoisted) best = loop;
        }
        return best;
    }

    Block* frontOf(LoopInfo& loop) {
        LoopState& s = state(loop);
        if (s.front) return s.front;
        std::vector<Edge*> outside;
        for (Edge* edge : loop.header->preds) {
            if (!isInside(&loop, edge->from)) outside.push_back(edge);
        }
        Block* before = outside[0]->from;
        if (outside.size() == 1 && before->last->is(Op::Jump)) return s.front = before;
        s.front = makeFront(loop, outside);
        loopOf_.resize(fn_.blockCount(), nullptr);
        loopOf_[s.front->id] = loop.parent;
        return s.front;
    }

    // All edges from outside lead to the new block, which passes their arguments on.
    Block* makeFront(LoopInfo& loop, const std::vector<Edge*>& outside) {
        Block* front = fn_.addBlock(loop.header);
        Inst* jump = fn_.makeInst(Op::Jump, Rep::Void, {}, loop.header->last->loc, 1);
        fn_.append(front, jump);
        ArenaVec<Value> args;
        if (outside.size() == 1) {
            args = outside[0]->args;
            outside[0]->args = {};
        } else {
            for (Value param : loop.header->params) args.push(fn_.arena(), fn_.addParam(front, param->rep));
        }
        for (Edge* edge : outside) fn_.redirect(*edge, front);
        fn_.connect(jump, 0, loop.header);
        jump->edges[0].args = args;
        return front;
    }

    Function& fn_;
    PassContext& context_;
    const Dominators& dominators_;
    const Loops& loops_;
    std::vector<LoopInfo*> loopOf_;  // innermost loop by block id; new blocks included
    std::vector<LoopState> states_;  // by LoopInfo::index
};

}  // namespace

bool runLicm(Function& fn, PassContext& context) { return Hoister(fn, context).run(); }

}  // namespace luapp::ir
