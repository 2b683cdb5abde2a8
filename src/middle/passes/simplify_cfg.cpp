// Simplification of the graph of blocks: branches on constants become jumps, edges skip blocks that only pass on, a branch
// on a parameter is decided for the edges that bring a constant, a block is joined with its only predecessor, and what
// nothing reaches goes. Rounds until nothing changes; each is linear, and every round removes blocks or edges.
//
// Back edges (op loop) are never skipped: they poll for interruption.

#include "middle/pass.h"
#include "middle/trivial_params.h"

namespace luapp::ir {

namespace {

class Cfg {
  public:
    Cfg(Function& fn, PassContext& context) : fn_(fn), context_(context) {}

    bool run() {
        bool changed = false;
        for (int i = 0; i < kMaxRounds && round(); i++) changed = true;
        return changed;
    }

  private:
    // Real functions settle in two or three.
    static constexpr int kMaxRounds = 10;

    bool round() {
        bool changed = decideBranches();
        changed |= threadEdges();
        changed |= fn_.removeUnreachable();
        // Operands are rewritten only after a change: in a large function each walk misses the cache all the way.
        if (replaceTrivialParams(fn_)) {
            fn_.applyReplacements();
            changed = true;
        }
        if (mergeBlocks()) {
            fn_.applyReplacements();
            changed = true;
        }
        return changed;
    }

    // --- branches that go one way only

    bool decideBranches() {
        uint64_t decided = 0;
        for (Block* block : blocks(fn_)) {
            Inst* br = block->terminator();
            if (!br || !br->is(Op::Br)) continue;
            if (br->operands[0]->is(Op::ConstBool)) {
                becomeJump(block, br->edges[br->operands[0]->imm ? 0 : 1]);
                decided++;
            } else if (areSame(br->edges[0], br->edges[1])) {
                becomeJump(block, br->edges[0]);
                decided++;
            }
        }
        context_.count("branches decided", decided);
        return decided != 0;
    }

    static bool areSame(const Edge& a, const Edge& b) {
        if (a.to != b.to) return false;
        for (uint32_t i = 0; i < a.args.size(); i++) {
            if (a.args[i] != b.args[i]) return false;
        }
        return true;
    }

    void becomeJump(Block* block, const Edge& taken) {
        Inst* old = block->terminator();
        Inst* jump = fn_.makeInst(Op::Jump, Rep::Void, {}, old->loc, 1);
        Block* to = taken.to;
        const ArenaVec<Value> args = taken.args;
        fn_.remove(old);
        fn_.append(block, jump);
        fn_.connect(jump, 0, to);
        jump->edges[0].args = args;
    }

    // --- edges through blocks that do nothing

    /// A block without instructions of its own, which edges might skip.
    bool hasEmptyBlock() const {
        for (Block* block : blocks(fn_)) {
            if (block->first == block->last && block != fn_.entry && block->last->hasEdges()) return true;
        }
        return false;
    }

    bool threadEdges() {
        if (!hasEmptyBlock()) return false;
        markSharedParams();
        markLoopHeaders();
        uint64_t threaded = 0;
        for (Block* block : blocks(fn_)) {
            for (Edge& edge : block->succs()) {
                if (block->last->is(Op::Loop)) continue;
                // A chain of empty blocks is followed to its end; the limit ends empty endless loops.
                for (int hops = 0; hops < 32; hops++) {
                    if (!threadEdge(edge)) break;
                    threaded++;
                }
            }
        }
        clearMarks();
        context_.count("edges threaded", threaded);
        return threaded != 0;
    }

    void clearMarks() {
        for (Block* block : blocks(fn_)) {
            for (Value param : block->params) param->flags &= uint8_t(~Inst::kMark);
        }
    }

    // Block::scratch is 1 for the targets of back edges. Skipping one would move the head of the loop behind its test, so that
    // the edge that closes the loop no longer is the one that polls.
    void markLoopHeaders() {
        for (Block* block : blocks(fn_)) block->scratch = 0;
        for (Block* block : blocks(fn_)) {
            if (block->last->is(Op::Loop)) block->last->edges[0].to->scratch = 1;
        }
    }

    // kMark: a parameter that something besides its own block's terminator uses. Skipping its block would leave that use without
    // a definition.
    void markSharedParams() {
        clearMarks();
        auto use = [](Value v, const Block* block, bool isLast) {
            if (v->isParam() && (v->block != block || !isLast)) v->flags |= Inst::kMark;
        };
        for (Block* block : blocks(fn_)) {
            for (Inst* inst = block->first; inst; inst = inst->next) {
                for (Value v : inst->ops()) use(v, block, inst->isTerminator());
                for (const Edge& edge : inst->succs()) {
                    for (Value v : edge.args) use(v, block, true);
                }
            }
        }
    }

    bool threadEdge(Edge& edge) {
        Block* through = edge.to;
        Inst* last = through->terminator();
        if (through->first != last || through->scratch) return false;
        const Edge* onward = nullptr;
        if (last->is(Op::Jump)) onward = &last->edges[0];
        if (last->is(Op::Br)) onward = decidedEdge(edge, *last);
        if (!onward || onward->to == through || onward->to == edge.from) return false;
        for (Value param : through->params) {
            if (param->flags & Inst::kMark) return false;
        }
        ArenaVec<Value> args;
        for (Value v : onward->args) args.push(fn_.arena(), throughEdge(v, edge));
        // What is passed on is now used here: beyond the terminator of its own block, if it is a parameter of another.
        for (Value v : args) {
            if (v->isParam() && v->block != edge.from) v->flags |= Inst::kMark;
        }
        fn_.redirect(edge, onward->to);
        edge.args = args;
        return true;
    }

    static Value throughEdge(Value v, const Edge& edge) {
        return v->isParam() && v->block == edge.to ? edge.args[v->imm] : v;
    }

    /// The way `br` goes when its block is entered through `edge`, or null if that is not known.
    static const Edge* decidedEdge(const Edge& edge, Inst& br) {
        Value condition = br.operands[0];
        Value arrives = throughEdge(condition, edge);
        if (arrives->is(Op::ConstBool)) return &br.edges[arrives->imm ? 0 : 1];
        // The branch we come from has just tested it.
        const Inst* before = edge.from->terminator();
        if (before->is(Op::Br) && before->operands[0] == arrives) {
            return &br.edges[&edge == &before->edges[0] ? 0 : 1];
        }
        return nullptr;
    }

    // --- blocks that always follow one another

    bool mergeBlocks() {
        uint64_t merged = 0;
        for (Block* block = fn_.entry; block; block = block->next) {
            while (mergeNext(block)) merged++;
        }
        context_.count("blocks merged", merged);
        return merged != 0;
    }

    bool mergeNext(Block* block) {
        Inst* jump = block->terminator();
        if (!jump || !jump->is(Op::Jump)) return false;
        Edge& edge = jump->edges[0];
        Block* next = edge.to;
        if (next->preds.size() != 1 || next == block || next == fn_.entry) return false;
        for (Value param : next->params) fn_.replace(param, edge.args[param->imm]);
        fn_.remove(jump);
        next->params.clear();
        // Each instruction moves once: a block takes in all its followers before they could.
        for (Inst* inst = next->first; inst;) {
            Inst* following = inst->next;
            fn_.append(block, inst);
            inst = following;
        }
        next->first = next->last = nullptr;
        fn_.removeBlock(next);
        return true;
    }

    Function& fn_;
    PassContext& context_;
};

}  // namespace

bool runSimplifyCfg(Function& fn, PassContext& context) { return Cfg(fn, context).run(); }

}  // namespace luapp::ir
