// Loop inversion: a loop that tests before each iteration gets the same test once in front of it, so that what stands behind that test is
// executed only if the loop's body is. There the pass puts what the body does first and every iteration does again: checks, and
// arithmetic that may raise, on operands that the loop does not change. (Licm moves what may be executed in any case.)
//
// Such an instruction may move if nothing comes before it in the body that anybody could see: then the same error comes at the same
// moment. The test at the head stays where it is; the backend repeats a short one at the end of the loop, so an iteration has one branch
// anyway. Innermost loops only, whose test computes and does not raise, and which are left only at the test or for good. Nothing is
// changed where nothing would move. Values of the loop's head that are used behind the loop become parameters there. Linear.
// Before:  b1(i): c = lt.i i, n; br c, b2, b3              b2: v = add.i x, y; ...; loop b1(j)     b3: ... i ...
// After:   b0: c = lt.i 0, n; br c, front, b3(0)           front: v = add.i x, y; jump b1(0)
//          b1(i): c = lt.i i, n; br c, b2, b3(i)           b2: ...; loop b1(j)                     b3(k): ... k ...

#include <algorithm>

#include "middle/fold.h"
#include "middle/pass.h"

namespace luapp::ir {

namespace {

constexpr uint32_t kMaxTest = 6;  // instructions of a test that is repeated, constants aside
constexpr uint32_t kMaxMoved = 16;

/// A loop that the pass changes.
struct Candidate {
    LoopInfo* loop;
    Block* body;                  // where the test leads if the loop goes on
    Block* done;                  // where else
    std::vector<Inst*> moving;    // in order
    std::vector<Value*> outside;  // operands behind the loop that are values of its head
    bool isValid = true;
};

class Inverter {
  public:
    Inverter(Function& fn, PassContext& context) : fn_(fn), context_(context), dominators_(context.analyses.dominators(fn)), loops_(context.analyses.loops(fn)) {}

    bool run() {
        findCandidates();
        if (candidates_.empty()) return false;
        collectOutsideUses();
        uint64_t inverted = 0, moved = 0;
        // In the order in which they dominate each other: an operand is rewritten before it is copied.
        for (Candidate& c : candidates_) {
            if (!c.isValid) continue;
            invert(c);
            inverted++;
            moved += c.moving.size();
        }
        context_.count("loops inverted", inverted);
        context_.count("instructions moved", moved);
        return inverted != 0;
    }

  private:
    // --- which loops

    void findCandidates() {
        std::vector<bool> isOuter(loops_.all().size(), false);
        for (const LoopInfo* loop : loops_.all()) {
            if (loop->parent) isOuter[loop->parent->index] = true;
        }
        candidateOf_.assign(fn_.blockCount(), ~0u);
        for (Block* block : dominators_.order()) {
            LoopInfo* loop = loops_.of(block);
            if (!loop || loop->header != block || isOuter[loop->index]) continue;
            Candidate c{loop, nullptr, nullptr, {}, {}};
            if (!hasSimpleTest(c)) continue;
            findMoving(c);
            if (c.moving.empty()) continue;
            candidateOf_[block->id] = uint32_t(candidates_.size());
            candidates_.push_back(std::move(c));
        }
    }

    bool hasSimpleTest(Candidate& c) const {
        Block* header = c.loop->header;
        if (!header->last->is(Op::Br) || c.loop->latches.size() != 1 || header->preds.size() != 2) return false;
        const unsigned inside = loops_.contains(c.loop, header->last->edges[0].to) ? 0 : 1;
        c.body = header->last->edges[inside].to;
        c.done = header->last->edges[1 - inside].to;
        if (!loops_.contains(c.loop, c.body) || loops_.contains(c.loop, c.done)) return false;
        if (c.body == header || c.body->preds.size() != 1 || c.done->preds.size() != 1) return false;
        if (!entryOf(c)->from->last->is(Op::Jump)) return false;
        uint32_t count = 0;
        for (Inst* inst : insts(header)) {
            if (inst->isTerminator() || inst->isConst()) continue;
            if (!isSpeculatable(*inst) || ++count > kMaxTest) return false;
        }
        return true;
    }

    static Edge* entryOf(const Candidate& c) {
        const ArenaVec<Edge*>& preds = c.loop->header->preds;
        return preds[preds[0]->from == c.loop->latches[0] ? 1 : 0];
    }

    bool isInvariant(const Candidate& c, const Inst& inst) const {
        return std::all_of(inst.ops().begin(), inst.ops().end(), [&](Value v) {
            return !loops_.contains(c.loop, v->block) || std::find(c.moving.begin(), c.moving.end(), v) != c.moving.end();
        });
    }

    /// What the body does first and may do once: no effect but an error, nothing seen before it.
    void findMoving(Candidate& c) const {
        bool anyRaises = false;
        for (Inst* inst : insts(c.body)) {
            if (inst->isTerminator() || c.moving.size() == kMaxMoved) break;
            const uint32_t effects = effectsOf(*inst);
            const bool isPure = !(effects & ~uint32_t{Raises}) && inst->rep != Rep::Pack;
            if (isPure && isInvariant(c, *inst)) {
                c.moving.push_back(inst);
                anyRaises |= (effects & Raises) || (opInfo(inst->op).flags & Guarded);
            } else if (effects & (kObservable | Allocs)) {
                break;
            }
        }
        if (!anyRaises) c.moving.clear();
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
        const uint32_t index = candidateOf_[v->block->id];
        if (index == ~0u) return;
        Candidate& c = candidates_[index];
        if (loops_.contains(c.loop, user)) return;
        if (dominators_.dominates(c.done, user)) {
            c.outside.push_back(&v);
        } else if (!dominators_.dominates(c.body, user)) {
            c.isValid = false;  // a place that both the test and a break lead to
        }
    }

    // --- the change

    void invert(Candidate& c) {
        Block* header = c.loop->header;
        Edge& entry = *entryOf(c);
        Block* before = entry.from;
        const Loc loc = before->last->loc;
        const std::vector<Value> copies = copyTest(c, entry);
        auto copyOf = [&](Value v) { return v->block == header ? copies[positionIn(header, v)] : v; };
        Block* front = fn_.addBlock(header);
        const ArenaVec<Value> entryArgs = entry.args;
        const Value condition = copyOf(header->last->operands[0]);
        fn_.remove(before->last);
        Inst* jump = fn_.makeInst(Op::Jump, Rep::Void, {}, loc, 1);
        fn_.append(front, jump);
        fn_.connect(jump, 0, header);
        jump->edges[0].args = entryArgs;
        const unsigned inside = header->last->edges[0].to == c.body ? 0 : 1;
        Edge& exit = header->last->edges[1 - inside];
        Inst* br = fn_.makeInst(Op::Br, Rep::Void, {&condition, 1}, header->last->loc, 2);
        fn_.append(before, br);
        fn_.connect(br, inside, front);
        fn_.connect(br, 1 - inside, c.done);
        ArenaVec<Value>& args = br->edges[1 - inside].args;
        for (Value v : exit.args) args.push(fn_.arena(), copyOf(v));
        for (Value v : usedOutside(c)) {
            const Value param = fn_.addParam(c.done, v->rep);
            exit.args.push(fn_.arena(), v);
            args.push(fn_.arena(), copyOf(v));
            for (Value* use : c.outside) {
                if (*use == v) *use = param;
            }
        }
        for (Inst* inst : c.moving) {
            fn_.remove(inst);
            fn_.insertBefore(jump, inst);
        }
    }

    static size_t positionIn(const Block* header, const Inst* v) {
        return v->isParam() ? size_t(v->imm) : header->params.size() + v->scratch;
    }

    /// Copies of the parameters and instructions of the loop's head as they are when the loop is entered.
    std::vector<Value> copyTest(const Candidate& c, const Edge& entry) {
        Block* header = c.loop->header;
        std::vector<Value> copies(entry.args.begin(), entry.args.end());
        uint32_t position = 0;
        for (Inst* inst : insts(header)) {
            inst->scratch = position++;
            if (inst->isTerminator()) break;
            Inst* copy = fn_.makeInst(inst->op, inst->rep, inst->ops(), inst->loc);
            for (Value& v : copy->ops()) {
                if (v->block == header) v = copies[positionIn(header, v)];
            }
            copy->flags = inst->flags;
            copy->imm = inst->imm;
            copy->imm2 = inst->imm2;
            foldInPlace(*copy);
            fn_.insertBefore(entry.from->last, copy);
            copies.push_back(copy);
        }
        return copies;
    }

    /// The values of the head that are used behind the loop, each once.
    static std::vector<Value> usedOutside(const Candidate& c) {
        std::vector<Value> values;
        for (const Value* use : c.outside) {
            if (std::find(values.begin(), values.end(), *use) == values.end()) values.push_back(*use);
        }
        return values;
    }

    Function& fn_;
    PassContext& context_;
    const Dominators& dominators_;
    const Loops& loops_;
    std::vector<Candidate> candidates_;
    std::vector<uint32_t> candidateOf_;  // by block id of the head
};

}  // namespace

bool runLoopInversion(Function& fn, PassContext& context) {
    for (Block* block : blocks(fn)) {
        if (block->last->is(Op::Loop)) return Inverter(fn, context).run();
    }
    return false;
}

}  // namespace luapp::ir
