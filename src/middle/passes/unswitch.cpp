// Loop unswitching: a branch inside a loop on a condition that the loop does not change is decided once, in front of two copies of the
// loop: one for each way. A loop whose step is only known at run time, for example, asks in each iteration which way it counts.
//
// Innermost loops of at most kMaxLoop instructions, once each, as long as the function does not grow by more than kMaxGrowth.
// Values of the loop that are used behind it become parameters of the block it leads to, which must have no other predecessor.
// Before:  b1(i): ...; br c, b2, b3; ...; loop b1                  c from outside
// After:   b0: br c, b1, b1'      b1: ...; jump b2; ...; loop b1      b1': ...; jump b3'; ...; loop b1'

#include <algorithm>

#include "middle/pass.h"

namespace luapp::ir {

namespace {

constexpr uint32_t kMaxLoop = 40;
constexpr uint32_t kMaxGrowth = 400;

/// A loop that is worth two copies.
struct Candidate {
    LoopInfo* loop;
    Inst* branch;
    Edge* entry;
    std::vector<Block*> blocks;  // the header first
    std::vector<Edge*> exits;
    std::vector<std::vector<Value*>> uses;  // operands behind each exit that are values of the loop
    bool isValid = true;
};

class Unswitcher {
  public:
    Unswitcher(Function& fn, PassContext& context) : fn_(fn), context_(context), dominators_(context.analyses.dominators(fn)), loops_(context.analyses.loops(fn)) {}

    bool run() {
        findCandidates();
        if (candidates_.empty()) return false;
        collectOutsideUses();
        uint64_t unswitched = 0;
        for (Candidate& c : candidates_) {
            if (!c.isValid) continue;
            unswitch(c);
            unswitched++;
        }
        if (unswitched) fn_.removeUnreachable();
        context_.count("loops unswitched", unswitched);
        return unswitched != 0;
    }

  private:
    // --- which loops

    void findCandidates() {
        std::vector<Candidate> found(loops_.all().size());
        std::vector<uint32_t> sizes(found.size(), 0);
        for (const LoopInfo* loop : loops_.all()) {
            if (loop->parent) sizes[loop->parent->index] = kMaxLoop + 1;  // only innermost loops
        }
        for (Block* block : dominators_.order()) {
            LoopInfo* loop = loops_.of(block);
            if (!loop) continue;
            uint32_t& size = sizes[loop->index];
            if (size > kMaxLoop) continue;
            Candidate& c = found[loop->index];
            c.loop = loop;
            c.blocks.push_back(block);
            for (Inst* inst = block->first; inst; inst = inst->next) size++;
            if (!c.branch && isInvariantBranch(*loop, *block->last)) c.branch = block->last;
        }
        uint32_t growth = 0;
        candidateOf_.assign(loops_.all().size(), ~0u);
        // In the order in which they dominate each other: an operand is rewritten before it is copied.
        for (Block* block : dominators_.order()) {
            const LoopInfo* loop = loops_.of(block);
            if (!loop || loop->header != block) continue;
            Candidate& c = found[loop->index];
            if (!c.branch || sizes[loop->index] > kMaxLoop || growth + sizes[loop->index] > kMaxGrowth || !hasGoodEdges(c)) continue;
            growth += sizes[loop->index];
            candidateOf_[loop->index] = uint32_t(candidates_.size());
            candidates_.push_back(std::move(c));
        }
    }

    bool isInvariantBranch(const LoopInfo& loop, const Inst& br) const {
        if (!br.is(Op::Br)) return false;
        const Value condition = br.operands[0];
        return !condition->isConst() && !loops_.contains(&loop, condition->block) && loops_.contains(&loop, br.edges[0].to) &&
               loops_.contains(&loop, br.edges[1].to);
    }

    bool hasGoodEdges(Candidate& c) const {
        uint32_t entries = 0;
        for (Edge* edge : c.loop->header->preds) {
            if (loops_.contains(c.loop, edge->from)) continue;
            c.entry = edge;
            entries++;
        }
        if (entries != 1 || !c.entry->from->last->is(Op::Jump)) return false;
        for (Block* block : c.blocks) {
            for (Edge& edge : block->succs()) {
                if (loops_.contains(c.loop, edge.to)) continue;
                if (edge.to->preds.size() != 1) return false;
                c.exits.push_back(&edge);
            }
        }
        c.uses.resize(c.exits.size());
        return true;
    }

    // --- operands behind the loops

    void collectOutsideUses() {
        for (Block* block : dominators_.order()) {
            for (Inst* inst : insts(block)) {
                for (Value& v : inst->ops()) collectUse(v, block);
                for (Edge& edge : inst->succs()) {
                    for (Value& v : edge.args) collectUse(v, block);
                }
            }
        }
    }

    void collectUse(Value& v, Block* user) {
        const LoopInfo* loop = loops_.of(v->block);
        if (!loop || candidateOf_[loop->index] == ~0u || loops_.contains(loop, user)) return;
        Candidate& c = candidates_[candidateOf_[loop->index]];
        for (size_t i = 0; i < c.exits.size(); i++) {
            if (!dominators_.dominates(c.exits[i]->to, user)) continue;
            c.uses[i].push_back(&v);
            return;
        }
        c.isValid = false;  // a place that several exits lead to
    }

    // --- the change

    void unswitch(Candidate& c) {
        // First every value that leaves the loop gets a name behind it.
        for (size_t i = 0; i < c.exits.size(); i++) nameBehind(*c.exits[i], c.uses[i]);
        copyBlocks(c);
        Block* before = c.entry->from;
        const ArenaVec<Value> args = c.entry->args;
        const Value condition = c.branch->operands[0];
        Inst* br = fn_.makeInst(Op::Br, Rep::Void, {&condition, 1}, c.branch->loc, 2);
        // Each copy is entered through a block of its own, so that constants have a place in front of it.
        Block* fronts[2] = {makeFront(c.loop->header, args, before->last->loc), makeFront(copyOf(c.loop->header), args, before->last->loc)};
        fn_.remove(before->last);
        fn_.append(before, br);
        fn_.connect(br, 0, fronts[0]);
        fn_.connect(br, 1, fronts[1]);
        Inst* copy = copyOf(c.branch->block)->last;
        decide(c.branch, 0);
        decide(copy, 1);
    }

    void nameBehind(Edge& exit, const std::vector<Value*>& uses) {
        std::vector<Value> values;
        for (const Value* use : uses) {
            if (std::find(values.begin(), values.end(), *use) == values.end()) values.push_back(*use);
        }
        for (Value v : values) {
            const Value param = fn_.addParam(exit.to, v->rep);
            exit.args.push(fn_.arena(), v);
            for (Value* use : uses) {
                if (*use == v) *use = param;
            }
        }
    }

    Block* makeFront(Block* header, const ArenaVec<Value>& args, Loc loc) {
        Block* front = fn_.addBlock(header);
        Inst* jump = fn_.makeInst(Op::Jump, Rep::Void, {}, loc, 1);
        fn_.append(front, jump);
        fn_.connect(jump, 0, header);
        for (Value v : args) jump->edges[0].args.push(fn_.arena(), v);
        return front;
    }

    /// `br` always goes the way of its edge `way`.
    void decide(Inst* br, unsigned way) {
        Block* block = br->block;
        Block* to = br->edges[way].to;
        const ArenaVec<Value> args = br->edges[way].args;
        Inst* jump = fn_.makeInst(Op::Jump, Rep::Void, {}, br->loc, 1);
        fn_.remove(br);
        fn_.append(block, jump);
        fn_.connect(jump, 0, to);
        jump->edges[0].args = args;
    }

    /// Block::scratch and Inst::scratch of the loop are positions of the copies.
    Block* copyOf(const Block* block) const { return blockCopies_[block->scratch]; }
    Value copyOf(const Candidate& c, Value v) const { return loops_.of(v->block) == c.loop ? valueCopies_[v->scratch] : v; }

    void copyBlocks(const Candidate& c) {
        blockCopies_.clear();
        valueCopies_.clear();
        Block* following = c.blocks.back()->next;
        for (Block* block : c.blocks) {
            block->scratch = uint32_t(blockCopies_.size());
            Block* copy = fn_.addBlock(following);
            blockCopies_.push_back(copy);
            for (Value param : block->params) remember(param, fn_.addParam(copy, param->rep));
            for (Inst* inst : insts(block)) remember(inst, copyInst(*inst, copy));
        }
        // Operands may stand in blocks that were copied later.
        for (Block* block : c.blocks) {
            for (Inst* inst : insts(block)) connectCopy(c, *inst);
        }
    }

    void remember(Value v, Value copy) {
        v->scratch = uint32_t(valueCopies_.size());
        valueCopies_.push_back(copy);
    }

    Inst* copyInst(const Inst& inst, Block* block) {
        Inst* copy = fn_.makeInst(inst.op, inst.rep, inst.ops(), inst.loc, inst.edgeCount);
        copy->flags = inst.flags;
        if (!inst.hasEdges()) copy->imm = inst.imm;
        copy->imm2 = inst.imm2;
        fn_.append(block, copy);
        return copy;
    }

    void connectCopy(const Candidate& c, const Inst& inst) {
        Inst* copy = valueCopies_[inst.scratch];
        for (Value& v : copy->ops()) v = copyOf(c, v);
        for (uint32_t i = 0; i < inst.edgeCount; i++) {
            const Edge& edge = inst.edges[i];
            const bool isInside = loops_.contains(c.loop, edge.to);
            fn_.connect(copy, i, isInside ? copyOf(edge.to) : edge.to);
            for (Value v : edge.args) copy->edges[i].args.push(fn_.arena(), copyOf(c, v));
        }
    }

    Function& fn_;
    PassContext& context_;
    const Dominators& dominators_;
    const Loops& loops_;
    std::vector<Candidate> candidates_;
    std::vector<uint32_t> candidateOf_;  // by LoopInfo::index
    std::vector<Block*> blockCopies_;
    std::vector<Value> valueCopies_;
};

}  // namespace

bool runUnswitch(Function& fn, PassContext& context) {
    for (Block* block : blocks(fn)) {
        if (block->last->is(Op::Loop)) return Unswitcher(fn, context).run();
    }
    return false;
}

}  // namespace luapp::ir
