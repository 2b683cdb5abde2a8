// Numbers out of their boxes: a value of representation Box that can only be a number becomes one of representation F64.
//
// Lenient code has boxes everywhere. Optimistic propagation over SSA form (as sparse conditional constant propagation does it:
// Wegman and Zadeck, 1991; without the conditions): every parameter of a block and every arithmetic of boxes is a number until one
// of what it is made of is none. What remains is computed as F64, with a box.f behind it for those who want the box, which costs
// nothing: the box of a number is the number. Comparisons, negations and loop bounds of such values need no checks either.
// Before:  b1(v1: box): v2 = arith.x v1, v0, 0 ... loop b1(v2)     After:  b1(v1: f64): v2 = add.f v1, v0 ... loop b1(v2)

#include <vector>

#include "middle/pass.h"
#include "runtime/bytecode/instruction.h"

namespace luapp::ir {

namespace {

/// The operation on numbers for an arithmetic of boxes; Op::Param if it is none.
Op numberOp(const Inst& inst) {
    if (inst.is(Op::UnmX)) return Op::NegF;
    if (!inst.is(Op::ArithX)) return Op::Param;
    switch (static_cast<bc::ArithOp>(inst.imm)) {
        case bc::ArithOp::Add: return Op::AddF;
        case bc::ArithOp::Sub: return Op::SubF;
        case bc::ArithOp::Mul: return Op::MulF;
        case bc::ArithOp::Div: return Op::DivF;
        case bc::ArithOp::IDiv: return Op::IDivF;
        case bc::ArithOp::Mod: return Op::ModF;
        case bc::ArithOp::Pow: return Op::PowF;
        default: return Op::Param;
    }
}

Op numberComparison(Op op) {
    return op == Op::EqX ? Op::EqF : op == Op::LtX ? Op::LtF : op == Op::LeX ? Op::LeF : Op::Param;
}

class NumberBoxes {
  public:
    NumberBoxes(Function& fn, PassContext& context) : fn_(fn), context_(context) {}

    bool run() {
        if (!collect()) return false;
        propagate();
        makeTwins();
        fillTwins();
        replaceUsers();
        if (changed_ == 0) return false;
        fn_.applyReplacements();
        context_.count("values out of boxes", changed_);
        return true;
    }

  private:
    bool isNumber(Value v) const { return v->id < isNumber_.size() && isNumber_[v->id]; }

    /// Finds all values that may be numbers; false if nothing would be gained.
    bool collect() {
        isNumber_.assign(fn_.instCount(), false);
        bool isUseful = false;
        for (Block* block : blocks(fn_)) {
            if (block != fn_.entry) {
                for (Value param : block->params) {
                    if (param->rep != Rep::Box || block->preds.empty()) continue;
                    isNumber_[param->id] = true;
                    candidates_.push_back(param);
                }
            }
            for (Inst* inst : insts(block)) {
                if (inst->is(Op::BoxF) || inst->is(Op::BoxI)) isNumber_[inst->id] = true;
                if (inst->is(Op::LoopNumber) || numberComparison(inst->op) != Op::Param) isUseful = true;
                if (numberOp(*inst) == Op::Param) continue;
                isUseful = true;
                isNumber_[inst->id] = true;
                candidates_.push_back(inst);
            }
        }
        return isUseful;
    }

    /// Calls `visit` for everything a candidate is made of.
    template <class Visit>
    static void forSources(Value v, Visit visit) {
        if (!v->isParam()) {
            for (Value operand : v->ops()) visit(operand);
            return;
        }
        for (const Edge* edge : v->block->preds) visit(edge->args[static_cast<size_t>(v->imm)]);
    }

    void propagate() {
        std::vector<std::vector<Value>> users(fn_.instCount());
        std::vector<Value> work;
        for (Value c : candidates_) {
            bool isAll = true;
            forSources(c, [&](Value source) {
                if (isNumber_[source->id]) users[source->id].push_back(c);
                else isAll = false;
            });
            if (!isAll) work.push_back(c);
        }
        while (!work.empty()) {
            const Value v = work.back();
            work.pop_back();
            if (!isNumber_[v->id]) continue;
            isNumber_[v->id] = false;
            for (Value user : users[v->id]) work.push_back(user);
        }
    }

    Value& twin(Value v) { return twins_[v->id]; }

    Inst* before(Inst* at, Op op, std::span<const Value> operands) {
        Inst* made = fn_.makeInst(op, fixedRep(op), operands, at->loc);
        fn_.insertBefore(at, made);
        return made;
    }

    /// For every number its value as F64, at the same place; those of arithmetic have their old operands yet.
    void makeTwins() {
        twins_.assign(fn_.instCount(), nullptr);
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (!isNumber(inst)) continue;
                if (inst->is(Op::BoxF)) twin(inst) = inst->operand(0);
                else if (inst->is(Op::BoxI)) twin(inst) = before(inst, Op::IToF, inst->ops());
                else twin(inst) = before(inst, numberOp(*inst), inst->ops());
            }
        }
        for (Value c : candidates_) {
            if (c->isParam() && isNumber(c)) twin(c) = fn_.addParam(c->block, Rep::F64);
        }
    }

    void fillTwins() {
        for (Value c : candidates_) {
            if (!isNumber(c)) continue;
            Inst* const made = twin(c);
            if (c->isParam()) {
                for (Edge* edge : c->block->preds) edge->args.push(fn_.arena(), twin(edge->args[static_cast<size_t>(c->imm)]));
            } else {
                for (uint32_t i = 0; i < made->operandCount; i++) made->operands[i] = twin(c->operand(i));
            }
        }
    }

    void replaceUsers() {
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                const Op comparison = numberComparison(inst->op);
                if (comparison != Op::Param && isNumber(inst->operand(0)) && isNumber(inst->operand(1))) {
                    const Value operands[] = {twin(inst->operand(0)), twin(inst->operand(1))};
                    replace(inst, before(inst, comparison, operands));
                } else if (inst->is(Op::LoopNumber) && isNumber(inst->operand(0))) {
                    replace(inst, twin(inst->operand(0)));
                }
            }
        }
        for (Value c : candidates_) {
            if (!isNumber(c)) continue;
            const Value number = twin(c);
            Inst* const box = fn_.makeInst(Op::BoxF, Rep::Box, {&number, 1}, c->loc);
            if (c->isParam()) fn_.prepend(c->block, box);
            else fn_.insertBefore(c, box);
            replace(c, box);
        }
    }

    void replace(Value old, Value by) {
        fn_.replace(old, by);
        changed_++;
    }

    Function& fn_;
    PassContext& context_;
    std::vector<bool> isNumber_;
    std::vector<Value> candidates_;  // parameters of blocks and arithmetic
    std::vector<Value> twins_;       // by value: the same as F64
    uint64_t changed_ = 0;
};

}  // namespace

bool runNumberBoxes(Function& fn, PassContext& context) { return NumberBoxes(fn, context).run(); }

}  // namespace luapp::ir
