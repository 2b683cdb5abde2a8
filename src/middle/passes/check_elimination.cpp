// Check elimination: a check or comparison whose outcome is known where it stands goes.
//
// Two kinds of knowledge. What a branch has decided, or a check has passed, stays so for the same values wherever that dominates:
// a null check behind `is.null`, the same comparison again, a type that has been asked for. And an index that lies within its array:
// because an access at it has passed, because a length of the array is greater (and analysis/ranges.h knows that it is not negative), or
// because as much has been pushed before; that holds until code of the program or a finaliser may run, for only they make arrays
// shorter, and so never at the header of a loop by what was known before. Such accesses become arr.get.u and arr.set.u, which raise
// nothing. Facts about arrays are kept along ways and joins as in load_elimination, at most kMaxFacts of them, so the pass is linear.
// Before:  v2 = arr.len v0;  v3 = lt.i v1, v2;  br v3, b1, b2 ... b1: v4: f64 = arr.get v0, v1        After: b1: v4: f64 = arr.get.u v0, v1

#include <algorithm>
#include <unordered_map>

#include "middle/analysis/ranges.h"
#include "middle/fold.h"
#include "middle/pass.h"

namespace luapp::ir {

namespace {

constexpr size_t kMaxFacts = 64;

/// The length of `array` is at least `value` (a length read before), greater than `index`, or at least `count`.
struct Fact {
    Value array = nullptr;
    Value length = nullptr;
    Value index = nullptr;
    int64_t count = 0;

    bool operator==(const Fact&) const = default;
};

struct Facts {
    std::vector<Fact> known;
    bool isKnown = false;  // the block they belong to has been visited
};

/// A condition without its instruction.
struct Condition {
    Op op;
    Value a;
    Value b;
    int64_t imm;

    bool operator==(const Condition&) const = default;
};

struct Known {
    Condition condition;
    bool value = false;
    const Block* block = nullptr;  // from its start on
};

uint64_t mix(uint64_t hash, uint64_t word) { return (hash ^ word) * 0x9E37'79B9'7F4A'7C15u + (hash >> 29); }

uint64_t hashOf(const Condition& c) {
    const uint64_t operands = mix(c.a->id, c.b ? c.b->id + 1 : 0);
    return mix(mix(uint64_t(c.op), uint64_t(c.imm)), operands);
}

/// Booleans that depend on their operands alone.
bool isCondition(const Inst& inst) {
    return inst.rep == Rep::Bool && !inst.isConst() && (inst.operandCount == 1 || inst.operandCount == 2) && !inst.is(Op::Not) &&
           effectsOf(inst) == Pure;
}

Condition conditionOf(const Inst& inst) {
    return {inst.op, inst.operands[0], inst.operandCount == 2 ? inst.operands[1] : nullptr, inst.imm};
}

bool isChecked(const Inst& inst) { return inst.is(Op::CheckNull) || inst.is(Op::CheckNil) || inst.is(Op::CheckRef); }

bool isIndexed(const Inst& inst) { return inst.is(Op::ArrGet) || inst.is(Op::ArrSet); }

bool isDecision(const Inst& inst) { return inst.is(Op::Br) && !inst.operands[0]->isConst(); }

template <class Is>
bool hasAny(const Function& fn, Is is) {
    for (Block* block : blocks(fn)) {
        for (Inst* inst : insts(block)) {
            if (is(*inst)) return true;
        }
    }
    return false;
}

class CheckElimination {
  public:
    CheckElimination(Function& fn, PassContext& context) : fn_(fn), context_(context), dominators_(context.analyses.dominators(fn)), atEnd_(fn.blockCount()) {}

    bool run() {
        Facts facts;
        auto visitInst = [&](Inst& inst) {
            if (&inst == inst.block->first) {
                learnFromBranch(inst.block);
                facts = atStart(inst.block);
            }
            visit(inst, facts);
            if (!inst.isTerminator()) return;
            facts.isKnown = true;
            atEnd_[inst.block->id] = std::move(facts);
        };
        if (hasAny(fn_, isIndexed)) {
            Ranges ranges(fn_, dominators_);
            ranges_ = &ranges;
            ranges.walk(visitInst);
        } else {
            for (Block* block : dominators_.order()) {
                for (Inst* inst : insts(block)) visitInst(*inst);
            }
        }
        for (Inst* check : dead_) fn_.remove(check);
        context_.count("range checks removed", bounds_);
        context_.count("null and type checks removed", dead_.size());
        context_.count("conditions decided", decided_);
        return bounds_ || decided_ || !dead_.empty();
    }

  private:
    // --- what branches and checks have decided

    void learn(const Condition& condition, bool value, const Block* block) { conditions_[hashOf(condition)] = {condition, value, block}; }

    void learnFromBranch(const Block* block) {
        if (block->preds.size() != 1) return;
        const Inst* br = block->preds[0]->from->last;
        if (!br->is(Op::Br)) return;
        bool isTrue = block->preds[0] == &br->edges[0];
        Value v = br->operands[0];
        while (v->is(Op::Not)) {
            v = v->operands[0];
            isTrue = !isTrue;
        }
        if (isCondition(*v)) learn(conditionOf(*v), isTrue, block);
    }

    /// What is known of a condition in `block`: 0, 1, or -1 for nothing.
    int outcome(const Condition& condition, const Block* block) const {
        const auto found = conditions_.find(hashOf(condition));
        if (found == conditions_.end() || found->second.condition != condition) return -1;
        return dominators_.dominates(found->second.block, block) ? found->second.value : -1;
    }

    void visit(Inst& inst, Facts& facts) {
        switch (inst.op) {
            case Op::CheckNull: return visitCheck(inst, {Op::IsNull, inst.operands[0], nullptr, 0}, false);
            case Op::CheckNil: return visitCheck(inst, {Op::IsNil, inst.operands[0], nullptr, 0}, false);
            case Op::CheckRef: return visitCheck(inst, {Op::IsTypeRef, inst.operands[0], nullptr, inst.imm}, true);
            case Op::ArrGet:
            case Op::ArrSet:
                if (isWithin(inst, facts)) {
                    inst.op = inst.is(Op::ArrGet) ? Op::ArrGetU : Op::ArrSetU;
                    bounds_++;
                }
                return add({inst.operands[0], nullptr, inst.operands[1], 0}, facts);
            default: break;
        }
        if (isCondition(inst)) {
            const int known = outcome(conditionOf(inst), inst.block);
            if (known < 0) return;
            becomeConst(inst, Op::ConstBool, known);
            decided_++;
            return;
        }
        update(inst, facts);
    }

    /// A check that passes if `condition` is `wanted`; behind it that is so.
    void visitCheck(Inst& check, const Condition& condition, bool wanted) {
        if (outcome(condition, check.block) == int(wanted)) {
            dead_.push_back(&check);
        } else if (!check.is(Op::CheckRef)) {
            learn(condition, wanted, check.block);
        }
    }

    // --- indexes

    /// What holds at the ends of all predecessors.
    Facts atStart(const Block* block) const {
        Facts facts;
        bool isFirst = true;
        for (const Edge* edge : block->preds) {
            if (!dominators_.isReachable(edge->from)) continue;
            const Facts& before = atEnd_[edge->from->id];
            if (!before.isKnown) return {};  // a back edge
            if (isFirst) {
                facts = before;
                isFirst = false;
                continue;
            }
            std::erase_if(facts.known, [&](const Fact& f) {
                return std::find(before.known.begin(), before.known.end(), f) == before.known.end();
            });
        }
        facts.isKnown = false;
        return facts;
    }

    bool isWithin(const Inst& access, const Facts& facts) const {
        const Interval range = ranges_->of(access.operands[1]);
        if (range.isEmpty()) return false;
        for (const Fact& f : facts.known) {
            if (f.array != access.operands[0]) continue;
            if (f.index == access.operands[1] || (range.low >= 0 && reaches(f, access, range))) return true;
        }
        return false;
    }

    /// The length that `f` is about is greater than the index of `access`, which is not negative.
    bool reaches(const Fact& f, const Inst& access, Interval range) const {
        const Value index = access.operands[1];
        if (f.index) return f.index->is(Op::ConstI64) && range.high <= f.index->imm;
        if (!f.length) return range.high < f.count;
        if (isLess(index, f.length, access.block)) return true;
        // Something less than what is less.
        const bool isDifference = index->is(Op::SubI) || index->is(Op::SubU);
        if (!isDifference || !index->operands[1]->is(Op::ConstI64) || index->operands[1]->imm < 0) return false;
        return isLess(index->operands[0], f.length, access.block) || (index->operands[0] == f.length && index->operands[1]->imm > 0);
    }

    bool isLess(Value a, Value b, const Block* block) const {
        return outcome({Op::LtI, a, b, 0}, block) == 1 || outcome({Op::LeI, b, a, 0}, block) == 0;
    }

    static void update(Inst& inst, Facts& facts) {
        const uint32_t effects = effectsOf(inst);
        if (effects & (RunsCode | Polls)) facts.known.clear();
        if (inst.is(Op::ArrLen)) add({inst.operands[0], &inst, nullptr, 0}, facts);
        if (inst.is(Op::ArrNew)) add({&inst, nullptr, nullptr, 0}, facts);
        if (!inst.is(Op::ArrPush)) return;
        for (Fact& f : facts.known) {
            if (f.array == inst.operands[0] && !f.length && !f.index) f.count++;
        }
    }

    static void add(const Fact& fact, Facts& facts) {
        if (std::find(facts.known.begin(), facts.known.end(), fact) != facts.known.end()) return;
        if (facts.known.size() == kMaxFacts) facts.known.erase(facts.known.begin());
        facts.known.push_back(fact);
    }

    Function& fn_;
    PassContext& context_;
    const Dominators& dominators_;
    const Ranges* ranges_ = nullptr;
    std::unordered_map<uint64_t, Known> conditions_;  // by hash; one that does not dominate gives way
    std::vector<Facts> atEnd_;                        // by block id
    std::vector<Inst*> dead_;
    uint64_t bounds_ = 0;
    uint64_t decided_ = 0;
};

}  // namespace

bool runCheckElimination(Function& fn, PassContext& context) {
    const bool isUseful = hasAny(fn, [](const Inst& i) { return isChecked(i) || isIndexed(i) || isDecision(i); });
    return isUseful && CheckElimination(fn, context).run();
}

}  // namespace luapp::ir
