// Narrowing: numbers that are always whole and within 2^53 are computed as integers, where that saves conversions.
//
// A counter declared as a number costs a conversion wherever it is an index or is compared with a length. Optimistic propagation over
// SSA form (as sparse constant propagation does it: Wegman and Zadeck, 1991) finds the values that are whole if all they are made of
// is: parameters of blocks and arithmetic, made of whole constants and converted integers. They fall into webs, each of which is
// narrowed as a whole or not at all: it must save more conversions, weighted by the depth of loops, than it needs for those who want the
// number; and analysis/ranges.h must show that no result leaves 2^53. Zero has no sign then, so what could give -0 is not narrowed:
// products of anything negative. Doubles compute sums, differences, products, quotients rounded down and remainders of such numbers
// exactly, so nobody can tell.
// Before:  b1(v1: f64): v2 = arr.len v0; v3 = i2f v2; v4 = lt.f v1, v3 ... v5 = f2i v1, 1; v6 = arr.get v0, v5; v7 = add.f v1, 1; loop b1(v7)
// After:   b1(v1: i64): v2 = arr.len v0; v4 = lt.i v1, v2 ... v6 = arr.get v0, v1; v7 = add.u v1, 1; loop b1(v7)

#include <algorithm>

#include "middle/analysis/ranges.h"
#include "middle/pass.h"

namespace luapp::ir {

namespace {

constexpr int kMaxRounds = 4;  // of taking back what could not be shown
constexpr uint32_t kMaxDepth = 6;

/// The operation on integers for one on numbers, if it may be narrowed; Op::Param if it is none.
Op integerOp(Op op) {
    switch (op) {
        case Op::AddF: return Op::AddU;
        case Op::SubF: return Op::SubU;
        case Op::MulF: return Op::MulU;
        case Op::MinF: return Op::MinI;
        case Op::MaxF: return Op::MaxI;
        case Op::ModF: return Op::ModI;
        case Op::IDivF: return Op::IDivI;
        case Op::LtF: return Op::LtI;
        case Op::LeF: return Op::LeI;
        case Op::EqF: return Op::EqI;
        default: return Op::Param;  // no such form
    }
}

bool isComparison(const Inst& inst) { return inst.is(Op::LtF) || inst.is(Op::LeF) || inst.is(Op::EqF); }
bool isDivision(const Inst& inst) { return inst.is(Op::ModF) || inst.is(Op::IDivF); }
bool isRounding(const Inst& inst) { return inst.is(Op::FToI) || inst.is(Op::FloorF); }

bool isWholeConstant(const Inst& v) {
    int64_t whole = 0;
    return v.is(Op::ConstF64) && base::numberToInteger(v.immF, whole) && !(whole == 0 && v.imm != 0);
}

class Narrower {
  public:
    Narrower(Function& fn, PassContext& context) : fn_(fn), context_(context) {}

    bool run() {
        if (!collect()) return false;
        propagate();
        if (!savesAnything()) return false;
        joinWebs();
        const Dominators& dominators = context_.analyses.dominators(fn_);
        if (!judge(dominators)) return false;
        bool isProven = false;
        for (int round = 0; round < kMaxRounds && !isProven && anyLeft(); round++) isProven = prove(dominators);
        if (!isProven || !anyLeft()) return false;
        makeTwins();
        fillTwins();
        replaceUsers();
        fn_.applyReplacements();
        return true;
    }

  private:
    // --- what may be whole

    /// Finds all values that may be whole; false if nothing would be gained.
    bool collect() {
        isWhole_.assign(fn_.instCount(), false);
        bool isUseful = false;
        for (Block* block : blocks(fn_)) {
            if (block != fn_.entry) {
                for (Value param : block->params) {
                    if (param->rep == Rep::F64) add(param);
                }
            }
            for (Inst* inst : insts(block)) {
                isUseful |= saves(*inst);
                if (isWholeConstant(*inst) || inst->is(Op::IToF)) isWhole_[inst->id] = true;
                if (inst->rep != Rep::F64 || integerOp(inst->op) == Op::Param) continue;
                // A divisor that is no constant may be 0.
                if (!isDivision(*inst) || inst->operands[1]->is(Op::ConstF64)) add(inst);
            }
        }
        return isUseful && !candidates_.empty();
    }

    /// A conversion that could go if a candidate were an integer.
    static bool saves(const Inst& inst) {
        auto mayBeCandidate = [](Value v) { return v->isParam() || (v->rep == Rep::F64 && integerOp(v->op) != Op::Param); };
        if (isRounding(inst)) return mayBeCandidate(inst.operands[0]);
        if (!isComparison(inst)) return false;
        const Value a = inst.operands[0];
        const Value b = inst.operands[1];
        return (a->is(Op::IToF) && mayBeCandidate(b)) || (b->is(Op::IToF) && mayBeCandidate(a));
    }

    void add(Value v) {
        isWhole_[v->id] = true;
        candidates_.push_back(v);
    }

    /// Calls `visit` for everything a candidate is made of.
    template <class Visit>
    static void forSources(Value v, Visit visit) {
        if (!v->isParam()) {
            for (Value operand : v->ops()) visit(operand);
            return;
        }
        for (const Edge* edge : v->block->preds) visit(edge->args[size_t(v->imm)]);
    }

    void propagate() {
        // Who is made of a value: lists in one array.
        struct Use {
            Value user;
            uint32_t next;
        };
        constexpr uint32_t kEnd = ~0u;
        std::vector<uint32_t> firstUse(fn_.instCount(), kEnd);
        std::vector<Use> uses;
        std::vector<Value> work;
        for (Value c : candidates_) {
            bool isAll = true;
            forSources(c, [&](Value source) {
                if (isWhole_[source->id]) {
                    uses.push_back({c, firstUse[source->id]});
                    firstUse[source->id] = uint32_t(uses.size() - 1);
                } else {
                    isAll = false;
                }
            });
            if (!isAll) work.push_back(c);
        }
        while (!work.empty()) {
            const Value v = work.back();
            work.pop_back();
            if (!isWhole_[v->id]) continue;
            isWhole_[v->id] = false;
            for (uint32_t i = firstUse[v->id]; i != kEnd; i = uses[i].next) work.push_back(uses[i].user);
        }
        std::erase_if(candidates_, [&](Value c) { return !isWhole_[c->id]; });
    }

    // --- webs: candidates that are made of each other

    static bool isLeaf(const Inst* v) { return v->isConst() || v->is(Op::IToF); }

    uint32_t webOf(Value v) {
        uint32_t at = v->id;
        while (webs_[at] != at) at = webs_[at] = webs_[webs_[at]];
        return at;
    }

    void joinWebs() {
        webs_.resize(fn_.instCount());
        for (uint32_t i = 0; i < webs_.size(); i++) webs_[i] = i;
        for (Value c : candidates_) {
            forSources(c, [&](Value source) {
                if (!isLeaf(source)) webs_[webOf(source)] = webOf(c);
            });
        }
    }

    bool isCandidate(const Inst* v) const { return v->rep == Rep::F64 && isWhole_[v->id] && !isLeaf(v); }
    bool isNumber(Value v) const { return v->rep == Rep::F64 && isWhole_[v->id]; }

    bool savesAnything() const {
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (isRounding(*inst) && isCandidate(inst->operands[0])) return true;
                if (!isNarrowedComparison(*inst)) continue;
                for (Value v : inst->ops()) {
                    if (isCandidate(v) && convertsOther(*inst, v)) return true;
                }
            }
        }
        return false;
    }

    bool isNarrowedComparison(const Inst& inst) const {
        return isComparison(inst) && isNumber(inst.operands[0]) && isNumber(inst.operands[1]);
    }

    /// Drops the webs that do not pay; false if none is left.
    bool judge(const Dominators& dominators) {
        const Loops& loops = context_.analyses.loops(fn_);
        gains_.assign(fn_.instCount(), 0);
        wants_.assign(fn_.instCount(), 0);
        for (Block* block : dominators.order()) {
            const int64_t weight = int64_t{1} << (3 * std::min(loops.depth(block), kMaxDepth));
            for (Inst* inst : insts(block)) weigh(*inst, weight);
        }
        // Who is wanted as a number is converted once, where it is made.
        for (Value c : candidates_) {
            if (wants_[c->id] == 0) continue;
            gains_[webOf(c)] -= int64_t{1} << (3 * std::min(loops.depth(c->block), kMaxDepth));
        }
        dropWebs([&](uint32_t web) { return gains_[web] <= 0; });
        return anyLeft();
    }

    void weigh(const Inst& inst, int64_t weight) {
        const bool isNarrowed = isNarrowedComparison(inst);
        for (Value v : inst.ops()) {
            if (!isCandidate(v)) continue;
            if (isRounding(inst)) gains_[webOf(v)] += weight;
            else if (isNarrowed) gains_[webOf(v)] += convertsOther(inst, v) ? weight : 0;
            else if (!isCandidate(&inst)) wants_[v->id]++;
        }
        for (const Edge& edge : inst.succs()) {
            for (Value param : edge.to->params) {
                const Value v = edge.args[size_t(param->imm)];
                if (isCandidate(v) && !isCandidate(param)) wants_[v->id]++;
            }
        }
    }

    /// Comparing as integers saves the conversion of the other operand.
    static bool convertsOther(const Inst& comparison, Value v) {
        const Value other = comparison.operands[0] == v ? comparison.operands[1] : comparison.operands[0];
        return other->is(Op::IToF);
    }

    template <class IsDropped>
    void dropWebs(IsDropped isDropped) {
        for (Value c : candidates_) {
            if (isDropped(webOf(c))) isWhole_[c->id] = false;
        }
        std::erase_if(candidates_, [&](Value c) { return !isWhole_[c->id]; });
    }

    bool anyLeft() const { return !candidates_.empty(); }

    // --- proof

    /// Drops the webs of which something may leave the range; true if there was none, so that everything left is proven.
    bool prove(const Dominators& dominators) {
        std::vector<bool> failed(fn_.instCount(), false);
        bool isProven = true;
        Ranges ranges(fn_, dominators, isWhole_);
        ranges.walk([&](Inst& inst) {
            if (inst.rep != Rep::F64 || !isWhole_[inst.id]) return;
            // A word beyond 2^53 converts inexactly: whoever uses it is no integer.
            if (inst.is(Op::IToF) && !lies(ranges.of(inst.operands[0]), kAnyInteger)) inexact_.push_back(&inst);
            if (!isCandidate(&inst) || isExact(inst, ranges)) return;
            failed[webOf(&inst)] = true;
            isProven = false;
        });
        for (Inst* inst : inexact_) isWhole_[inst->id] = false;
        for (Value c : candidates_) {
            forSources(c, [&](Value source) {
                if (isWhole_[source->id]) return;
                failed[webOf(c)] = true;
                isProven = false;
            });
        }
        inexact_.clear();
        dropWebs([&](uint32_t web) { return failed[web]; });
        return isProven;
    }

    static bool isExact(const Inst& inst, const Ranges& ranges) {
        const Interval a = ranges.of(inst.operands[0]);
        const Interval b = ranges.of(inst.operands[1]);
        Interval exact;
        switch (inst.op) {
            case Op::AddF:
            case Op::SubF: return ranges.isInRange(inst, exact);
            case Op::MulF: return a.low >= 0 && b.low >= 0 && ranges.isInRange(inst, exact);
            case Op::ModF:
            case Op::IDivF: return a.low >= 0 && b.low >= 1;
            default: return true;  // the least and the greatest are one of the two
        }
    }

    // --- rewriting

    Value& twin(Value v) { return twins_[v->id]; }

    Inst* before(Inst* at, Op op, std::span<const Value> operands) {
        Inst* made = fn_.makeInst(op, fixedRep(op), operands, at->loc);
        fn_.insertBefore(at, made);
        return made;
    }

    /// For every whole number its integer, at the same place; those of arithmetic have their old operands yet.
    void makeTwins() {
        twins_.assign(fn_.instCount(), nullptr);
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (!isNumber(inst)) continue;
                if (inst->is(Op::IToF)) {
                    twin(inst) = inst->operands[0];
                } else if (inst->isConst()) {
                    twin(inst) = before(inst, Op::ConstI64, {});
                    twin(inst)->imm = int64_t(inst->immF);
                } else {
                    twin(inst) = before(inst, integerOp(inst->op), inst->ops());
                }
            }
        }
        for (Value c : candidates_) {
            if (c->isParam()) twin(c) = fn_.addParam(c->block, Rep::I64);
        }
    }

    void fillTwins() {
        for (Value c : candidates_) {
            Inst* const made = twin(c);
            if (c->isParam()) {
                for (Edge* edge : c->block->preds) edge->args.push(fn_.arena(), twin(edge->args[size_t(c->imm)]));
            } else {
                for (Value& v : made->ops()) v = twin(v);
            }
        }
    }

    void replaceUsers() {
        uint64_t conversions = 0;
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (isRounding(*inst) && isCandidate(inst->operands[0])) {
                    fn_.replace(inst, twin(inst->operands[0]));
                    conversions++;
                } else if (isNarrowedComparison(*inst)) {
                    const Value operands[] = {twin(inst->operands[0]), twin(inst->operands[1])};
                    fn_.replace(inst, before(inst, integerOp(inst->op), operands));
                }
            }
        }
        for (Value c : candidates_) {
            const Value whole = twin(c);
            Inst* const number = fn_.makeInst(Op::IToF, Rep::F64, {&whole, 1}, c->loc);
            if (c->isParam()) fn_.prepend(c->block, number);
            else fn_.insertBefore(c, number);
            fn_.replace(c, number);
        }
        context_.count("numbers narrowed", candidates_.size());
        context_.count("conversions removed", conversions);
    }

    Function& fn_;
    PassContext& context_;
    std::vector<bool> isWhole_;      // by id; constants and conversions too
    std::vector<Value> candidates_;  // parameters of blocks and arithmetic
    std::vector<uint32_t> webs_;     // by id: another value of the web, itself at its root
    std::vector<int64_t> gains_;     // by root: conversions saved, weighted
    std::vector<uint32_t> wants_;    // by id: who needs it as a number
    std::vector<Value> inexact_;     // scratch of prove
    std::vector<Value> twins_;       // by id: the same as I64
};

}  // namespace

bool runNarrow(Function& fn, PassContext& context) { return Narrower(fn, context).run(); }

}  // namespace luapp::ir
