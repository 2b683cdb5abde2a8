// Loop fusion: two counting loops that follow one another, with the same start, limit and step, become one, where nobody can tell.
//
// Both bodies must be single blocks that compute, and access elements of arrays. What they write must be arrays made in this function
// that nothing else knows yet: so whatever happens on the way (an error, an interruption, a finaliser at the back edge) shows nobody
// in what order it was done. An array that one writes the other must leave alone, or both use it only at the counter.
// Errors: run after each other, the loops raise what the first one raises, if it does. Fused, the earlier iteration comes
// first. That is the same if one of them cannot raise, or if the first, at an array whose length is known, raises no later than the
// second can: as in L48, where both arrays are empty and the first access of the first loop is an error.
// At most kMaxPairs pairs are looked at in a function, each in linear time.
// Before:  b1(i): br lt.i i, n, b2, b3   b2: ..a..; loop b1   b3: jump b4   b4(k): br lt.i k, n, b5, b6   b5: ..b..; loop b4
// After:   b1(i): br lt.i i, n, b2, b6   b2: ..a..; ..b..; loop b1

#include <algorithm>
#include <optional>

#include "middle/pass.h"
#include "runtime/lib/builtin_table.h"

namespace luapp::ir {

namespace {

constexpr uint32_t kMaxBody = 200;      // instructions of a body
constexpr size_t kMaxArrays = 16;       // arrays a loop uses
constexpr int kMaxPairs = 64;
constexpr int64_t kAtOnce = INT64_MIN;  // values of a counter at which a loop may raise
constexpr int64_t kNever = INT64_MAX;
constexpr uint32_t kArrays = ReadsElem | WritesElem | ReadsLen | WritesLen;

/// A loop `for counter = start, limit, step` whose body is one block.
struct CountedLoop {
    Block* front;   // jumps to the header
    Block* header;
    Block* body;    // ends in the back edge
    Block* done;    // where the loop leads; only from there
    Value counter;
    Value start, limit;
    int64_t step;

    Edge& entry() const { return front->last->edges[0]; }
    Edge& back() const { return body->last->edges[0]; }
    Edge& exit() const { return header->last->edges[1]; }
};

/// What the function does with an array that it makes, before and while the loops run.
struct Made {
    bool isHidden = false;       // nothing else knows it until then
    bool isLengthKnown = false;  // else it may be longer
    int64_t length = 0;          // before the first loop
};

/// What a loop does with one array.
struct ArrayUse {
    Value array;
    Made made = {};
    bool isWritten = false;
    bool isAtCounter = true;       // never elsewhere, and its length is not asked for
    bool isSetAtCounter = false;   // every iteration stores at the counter
    bool getsFirst = false;        // the first access loads at the counter, so no store appends
};

/// The same value, or equal constants.
bool isSame(const Inst* a, const Inst* b) { return a == b || (a->is(Op::ConstI64) && b->is(Op::ConstI64) && a->imm == b->imm); }

class Fusion {
  public:
    Fusion(Function& fn, PassContext& context) : fn_(fn), context_(context), dominators_(context.analyses.dominators(fn)), loops_(context.analyses.loops(fn)) {}

    bool run() {
        uint64_t fused = 0;
        for (Block* block : dominators_.order()) {
            if (isGone(block)) continue;
            while (fuseWithNext(block)) fused++;
        }
        context_.count("loops fused", fused);
        return fused != 0;
    }

  private:
    bool fuseWithNext(Block* header) {
        const std::optional<CountedLoop> first = loopAt(header);
        if (!first || !first->done->last->is(Op::Jump)) return false;
        const std::optional<CountedLoop> second = loopAt(first->done->last->edges[0].to);
        if (!second || second->front != first->done || pairs_++ >= kMaxPairs || !mayFuse(*first, *second)) return false;
        fuse(*first, *second);
        return true;
    }

    bool isGone(const Block* block) const { return block != fn_.entry && block->preds.empty(); }

    // --- the shape

    std::optional<CountedLoop> loopAt(Block* header) const {
        if (header->preds.size() != 2 || !header->last->is(Op::Br)) return std::nullopt;
        const Inst& br = *header->last;
        const Value test = br.operands[0];
        CountedLoop loop{};
        loop.header = header;
        loop.body = br.edges[0].to;
        loop.done = br.edges[1].to;
        if (!test->is(Op::LtI) || test->block != header || !loop.body->last->is(Op::Loop)) return std::nullopt;
        if (loop.back().to != header || loop.body->preds.size() != 1 || !loop.body->params.empty()) return std::nullopt;
        if (loop.done->preds.size() != 1 || !loop.done->params.empty()) return std::nullopt;
        loop.front = header->preds[header->preds[0]->from == loop.body ? 1 : 0]->from;
        if (loop.front == loop.body || !loop.front->last->is(Op::Jump)) return std::nullopt;
        loop.counter = test->operands[0];
        loop.limit = test->operands[1];
        if (!loop.counter->isParam() || loop.counter->block != header) return std::nullopt;
        loop.start = loop.entry().args[loop.counter->imm];
        const Inst& next = *loop.back().args[loop.counter->imm];
        if (!next.is(Op::AddU) || next.operands[0] != loop.counter || !next.operands[1]->is(Op::ConstI64)) return std::nullopt;
        loop.step = next.operands[1]->imm;
        if (loop.step <= 0) return std::nullopt;
        for (Inst* inst : insts(header)) {
            if (!inst->isTerminator() && !isSpeculatable(*inst)) return std::nullopt;
        }
        return loop;
    }

    static bool isInside(const CountedLoop& loop, Value v) { return v->block == loop.header || v->block == loop.body; }

    /// What the second loop needs and the block between computes is there before the first one, or can be.
    bool isReadyBefore(const CountedLoop& first, const CountedLoop& second) const {
        for (Inst* inst : insts(second.front)) {
            if (!inst->isTerminator() && !isSpeculatable(*inst)) return false;
            for (Value v : inst->ops()) {
                if (isInside(first, v)) return false;
            }
        }
        for (Value v : second.entry().args) {
            if (isInside(first, v)) return false;
        }
        for (Block* block : {second.header, second.body}) {
            for (Inst* inst : insts(block)) {
                for (Value v : inst->ops()) {
                    if (isInside(first, v)) return false;
                }
            }
        }
        return std::none_of(second.back().args.begin(), second.back().args.end(), [&](Value v) { return isInside(first, v); });
    }

    bool mayFuse(const CountedLoop& first, const CountedLoop& second) {
        if (!isSame(first.start, second.start) || !isSame(first.limit, second.limit) || first.step != second.step) return false;
        if (!isReadyBefore(first, second)) return false;
        std::vector<ArrayUse> firstUses, secondUses;
        if (!collectUses(first, firstUses) || !collectUses(second, secondUses)) return false;
        if (!areIndependent(firstUses, secondUses)) return false;
        for (ArrayUse& u : firstUses) u.made = madeBefore(first, second, u.array);
        for (ArrayUse& u : secondUses) u.made = madeBefore(first, second, u.array);
        if (!areHidden(firstUses) || !areHidden(secondUses)) return false;
        return !mayRaise(first, firstUses) || latestRaise(firstUses) <= earliestRaise(second, firstUses, secondUses);
    }

    // --- what the bodies do

    /// False if the body does anything but compute and access arrays.
    static bool collectUses(const CountedLoop& loop, std::vector<ArrayUse>& uses) {
        uint32_t count = 0;
        for (Inst* inst : insts(loop.body)) {
            if (++count > kMaxBody) return false;
            if (inst->isTerminator()) continue;
            const uint32_t effects = effectsOf(*inst);
            if (!(effects & kArrays)) {
                if (effects & ~uint32_t{Raises}) return false;
                continue;
            }
            const bool isGet = inst->is(Op::ArrGet), isSet = inst->is(Op::ArrSet);
            if (!isGet && !isSet && !inst->is(Op::ArrLen)) return false;
            auto at = std::find_if(uses.begin(), uses.end(), [&](const ArrayUse& u) { return u.array == inst->operands[0]; });
            if (at == uses.end()) {
                if (uses.size() == kMaxArrays) return false;
                at = uses.insert(at, {inst->operands[0]});
                at->getsFirst = isGet && inst->operands[1] == loop.counter;
            }
            const bool isAtCounter = (isGet || isSet) && inst->operands[1] == loop.counter;
            at->isAtCounter &= isAtCounter;
            at->isWritten |= isSet;
            at->isSetAtCounter |= isSet && isAtCounter;
        }
        return true;
    }

    static const ArrayUse* useOf(const std::vector<ArrayUse>& uses, Value array) {
        for (const ArrayUse& u : uses) {
            if (u.array == array) return &u;
        }
        return nullptr;
    }

    static bool areIndependent(const std::vector<ArrayUse>& first, const std::vector<ArrayUse>& second) {
        return std::all_of(first.begin(), first.end(), [&](const ArrayUse& a) {
            const ArrayUse* b = useOf(second, a.array);
            return !b || (!a.isWritten && !b->isWritten) || (a.isAtCounter && b->isAtCounter);
        });
    }

    // --- what is known of the arrays

    /// Length a new array starts with; -1 if `v` is none, or of a length not known.
    static int64_t lengthWhenMade(const Inst& v) {
        if (v.is(Op::ArrNew)) return 0;
        const bool isFilled = v.is(Op::CallBuiltin) && v.imm == int64_t(rt::BuiltinId::ArrayNew) && v.operandCount == 3;
        return isFilled && v.operands[1]->is(Op::ConstI64) ? v.operands[1]->imm : -1;
    }

    Made madeBefore(const CountedLoop& first, const CountedLoop& second, Value array) {
        Made made;
        made.length = lengthWhenMade(*array);
        if (made.length < 0 || !dominators_.dominates(array->block, first.header)) return {};
        const LoopInfo* around = loops_.of(first.header)->parent;
        if (loops_.of(array->block) != around) return {};  // it may be known from the last time around
        made.isHidden = made.isLengthKnown = true;
        for (Block* block : dominators_.order()) {
            if (isGone(block) || dominators_.dominates(second.done, block)) continue;
            const bool isInLoops = block == first.body || block == second.body;
            for (Inst* inst : insts(block)) inspectUse(*inst, array, isInLoops, made);
            if (!made.isHidden) return {};
        }
        return made;
    }

    static void inspectUse(const Inst& inst, Value array, bool isInLoops, Made& made) {
        for (uint32_t i = 0; i < inst.operandCount; i++) {
            if (inst.operands[i] != array) continue;
            const bool isPush = inst.is(Op::ArrPush), isSet = inst.is(Op::ArrSet);
            if (i != 0 || !(inst.is(Op::ArrGet) || inst.is(Op::ArrLen) || isPush || isSet)) made.isHidden = false;
            if (isInLoops) continue;
            if (isPush && inst.block == array->block) {
                made.length++;
            } else if (isPush || isSet) {
                made.isLengthKnown = false;  // it may have grown further
            }
        }
        for (const Edge& edge : inst.succs()) {
            if (std::find(edge.args.begin(), edge.args.end(), array) != edge.args.end()) made.isHidden = false;
        }
    }

    static bool areHidden(const std::vector<ArrayUse>& uses) {
        return std::all_of(uses.begin(), uses.end(), [](const ArrayUse& u) { return !u.isWritten || u.made.isHidden; });
    }

    // --- where the loops raise: by value of the counter

    /// True if something besides accesses to arrays may.
    static bool computesWithErrors(const CountedLoop& loop) {
        for (Inst* inst : insts(loop.body)) {
            const uint32_t effects = effectsOf(*inst);
            if (!inst->isTerminator() && (effects & Raises) && !(effects & kArrays)) return true;
        }
        return false;
    }

    /// The first value of the counter at which the accesses to one array may raise.
    static int64_t earliestAt(const CountedLoop& loop, const ArrayUse& use) {
        if (!use.made.isHidden || !use.isAtCounter || !loop.start->is(Op::ConstI64) || loop.start->imm < 0) return kAtOnce;
        const int64_t length = use.made.length;
        // Stores at the counter append where the array ends, if they begin within it.
        if (use.isSetAtCounter && !use.getsFirst && loop.step == 1 && loop.start->imm <= length) return kNever;
        if (loop.limit->is(Op::ConstI64) && loop.limit->imm <= length) return kNever;
        return length;
    }

    static bool mayRaise(const CountedLoop& loop, const std::vector<ArrayUse>& uses) {
        return computesWithErrors(loop) ||
               std::any_of(uses.begin(), uses.end(), [&](const ArrayUse& u) { return earliestAt(loop, u) != kNever; });
    }

    /// A value of the counter from which on the first loop raises for certain; kNever if that is not known.
    static int64_t latestRaise(const std::vector<ArrayUse>& uses) {
        int64_t latest = kNever;
        for (const ArrayUse& u : uses) {
            if (u.made.isLengthKnown && u.isAtCounter && u.getsFirst) latest = std::min(latest, u.made.length);
        }
        return latest;
    }

    /// The first value of the counter at which the second loop may raise.
    static int64_t earliestRaise(const CountedLoop& second, const std::vector<ArrayUse>& firstUses,
                                 const std::vector<ArrayUse>& secondUses) {
        if (computesWithErrors(second)) return kAtOnce;
        int64_t earliest = kNever;
        for (const ArrayUse& u : secondUses) {
            // The first loop has just stored there.
            const ArrayUse* before = useOf(firstUses, u.array);
            if (before && before->isSetAtCounter && u.isAtCounter) continue;
            earliest = std::min(earliest, earliestAt(second, u));
        }
        return earliest;
    }

    // --- the change

    static void moveInto(Function& fn, Block* from, Block* to) {
        for (Inst* inst : insts(from)) {
            if (inst->isTerminator()) continue;
            fn.remove(inst);
            fn.insertBefore(to->last, inst);
        }
    }

    // The counter and its next value then need one register.
    void stepAtEnd(const CountedLoop& loop) {
        Inst* next = loop.back().args[loop.counter->imm];
        for (Inst* inst : insts(loop.body)) {
            if (std::find(inst->ops().begin(), inst->ops().end(), next) != inst->ops().end()) return;
        }
        fn_.remove(next);
        fn_.insertBefore(loop.body->last, next);
    }

    void fuse(const CountedLoop& first, const CountedLoop& second) {
        moveInto(fn_, second.front, first.front);
        moveInto(fn_, second.header, first.header);
        moveInto(fn_, second.body, first.body);
        stepAtEnd(first);
        for (Value param : second.header->params) {
            if (param == second.counter) {
                fn_.replace(param, first.counter);
                continue;
            }
            fn_.replace(param, fn_.addParam(first.header, param->rep));
            first.entry().args.push(fn_.arena(), second.entry().args[param->imm]);
            first.back().args.push(fn_.arena(), second.back().args[param->imm]);
        }
        second.header->params.clear();
        fn_.redirect(first.exit(), second.done);
        first.exit().args = second.exit().args;
        for (Block* block : {second.front, second.body, second.header}) {
            fn_.remove(block->last);
        }
        for (Block* block : {second.front, second.body, second.header}) fn_.removeBlock(block);
        fn_.applyReplacements();
    }

    Function& fn_;
    PassContext& context_;
    const Dominators& dominators_;
    const Loops& loops_;
    int pairs_ = 0;
};

}  // namespace

bool runLoopFusion(Function& fn, PassContext& context) {
    uint32_t loopCount = 0;
    for (Block* block : blocks(fn)) loopCount += block->last->is(Op::Loop);
    return loopCount >= 2 && Fusion(fn, context).run();
}

}  // namespace luapp::ir
