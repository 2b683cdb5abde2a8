// Constant folding and algebraic simplification of single instructions, in one sweep in dominator order.
//
// Only what LANGUAGE 11 allows: identities that hold for every IEEE double (`x - 0`, `x * 1`; `x + 0` only if x cannot be
// -0), all of those of integers, and conversions that undo each other. Nothing that may raise goes away, unless it provably cannot.
// Before:  v2 = i2f v1; v3 = f2i v2, 0; v4 = add.i v3, v0(=0)    After: v1

#include <bit>
#include <cmath>

#include "middle/fold.h"
#include "middle/pass.h"
#include "runtime/base/numeric.h"

namespace luapp::ir {

namespace {

bool isF64(const Inst* v, double wanted) {
    return v->is(Op::ConstF64) && v->imm == std::bit_cast<int64_t>(wanted);  // bits: 0 and -0 differ
}

/// The result is in 0 .. 2^32-1.
bool isBits32(const Inst* v) {
    return (v->op >= Op::And32 && v->op <= Op::Ror32) || (v->is(Op::ConstI64) && v->imm >= 0 && v->imm <= 0xFFFFFFFF);
}

bool cannotBeMinusZero(const Inst* v) {
    return v->is(Op::IToF) || v->is(Op::AbsF) || (v->is(Op::ConstF64) && !isF64(v, -0.0));
}

/// A reference that is never null.
bool isNonNull(const Inst* v) {
    switch (v->op) {
        case Op::ConstStr:
        case Op::ConstFn:
        case Op::ConstBuiltin:
        case Op::ClosureSelf:
        case Op::CellNew:
        case Op::Closure:
        case Op::ObjNew:
        case Op::ArrNew:
        case Op::TabNew:
        case Op::Concat:
        case Op::ToStr: return true;
        default: return false;  // not known
    }
}

class Simplifier {
  public:
    Simplifier(Function& fn, PassContext& context) : fn_(fn), context_(context) {}

    bool run() {
        const Dominators& dominators = context_.analyses.dominators(fn_);
        for (Block* block : dominators.order()) {
            for (Inst* inst : insts(block)) visit(*inst);
        }
        context_.count("simplified", changes_);
        if (changes_) fn_.applyReplacements();
        return changes_ != 0;
    }

  private:
    void visit(Inst& inst) {
        for (Value& v : inst.ops()) v = Function::resolve(v);
        if (inst.is(Op::Br)) return simplifyBranch(inst);
        if (inst.isConst() || inst.isTerminator()) return;
        if (foldInPlace(inst)) {
            changes_++;
            return;
        }
        if (Value by = simpler(inst)) {
            changes_++;
            if (by != &inst) fn_.replace(&inst, by);
        } else if (isNeedlessCheck(inst)) {
            changes_++;
            fn_.remove(&inst);
        }
    }

    // br (not c), a, b  ->  br c, b, a
    void simplifyBranch(Inst& br) {
        Value condition = br.operands[0];
        if (!condition->is(Op::Not)) return;
        br.operands[0] = condition->operands[0];
        fn_.swapEdges(br);
        changes_++;
    }

    /// What `inst` can be replaced by: another value, `inst` itself if it was rewritten in place, or null.
    Value simpler(Inst& inst) {
        const uint32_t n = inst.operandCount;
        Value a = n > 0 ? inst.operands[0] : nullptr;
        Value b = n > 1 ? inst.operands[1] : nullptr;
        if (n == 2 && a->rep == Rep::F64 && b->rep == Rep::F64) return onNumbers(inst, a, b);
        if (n == 2 && a->rep == b->rep) return onWords(inst, a, b);
        if (n == 1) return onOne(inst, a);
        return nullptr;
    }

    Value become(Inst& inst, Op op, Value a) {
        inst.op = op;
        inst.operands[0] = a;
        inst.operandCount = 1;
        inst.imm = 0;
        return &inst;
    }
    Value become(Inst& inst, Op op, Value a, Value b) {
        inst.op = op;
        inst.operands[0] = a;
        inst.operands[1] = b;
        inst.operandCount = 2;
        return &inst;
    }
    Value becomeBool(Inst& inst, bool v) {
        becomeConst(inst, Op::ConstBool, v);
        return &inst;
    }
    Value becomeI64(Inst& inst, int64_t v) {
        becomeConst(inst, Op::ConstI64, v);
        return &inst;
    }

    // --- numbers

    Value onNumbers(Inst& inst, Value a, Value b) {
        const bool isFast = inst.flags & Inst::kFastMath;
        switch (inst.op) {
            case Op::AddF:
                if (isF64(b, -0.0) || (isF64(b, 0) && (isFast || cannotBeMinusZero(a)))) return a;
                if (isF64(a, -0.0) || (isF64(a, 0) && (isFast || cannotBeMinusZero(b)))) return b;
                return nullptr;
            case Op::SubF:
                if (isF64(b, 0)) return a;
                if (isF64(b, -0.0) && (isFast || cannotBeMinusZero(a))) return a;
                if (a == b && (isFast || a->is(Op::IToF))) return becomeNumber(inst, 0);
                return nullptr;
            case Op::MulF:
                if (isF64(b, 1)) return a;
                if (isF64(a, 1)) return b;
                if (isFast && (isF64(a, 0) || isF64(b, 0))) return becomeNumber(inst, 0);
                return nullptr;
            case Op::DivF: return isF64(b, 1) ? a : nullptr;
            case Op::PowF: return isF64(b, 1) ? a : nullptr;
            case Op::MinF:
            case Op::MaxF: return a == b ? a : nullptr;
            case Op::EqF:
            case Op::LtF:
            case Op::LeF: return compareNumbers(inst, a, b);
            default: return nullptr;  // no identity
        }
    }

    Value becomeNumber(Inst& inst, double v) {
        becomeF64(inst, v);
        return &inst;
    }

    // Numbers made from integers compare as integers; a whole constant counts as one.
    Value compareNumbers(Inst& inst, Value a, Value b) {
        if (a == b && inst.is(Op::LtF)) return becomeBool(inst, false);
        if (!a->is(Op::IToF) && !b->is(Op::IToF)) return nullptr;
        Value left = asInteger(inst, a);
        Value right = left ? asInteger(inst, b) : nullptr;
        if (!right) return nullptr;
        return become(inst, inst.is(Op::EqF) ? Op::EqI : inst.is(Op::LtF) ? Op::LtI : Op::LeI, left, right);
    }

    /// The integer behind an i2f or a whole constant (made in front of `inst`), or null.
    Value asInteger(Inst& inst, Value v) {
        if (v->is(Op::IToF)) return v->operands[0] = Function::resolve(v->operands[0]);
        int64_t whole = 0;
        if (!v->is(Op::ConstF64) || !base::numberToInteger(v->immF, whole)) return nullptr;
        Inst* constant = fn_.makeInst(Op::ConstI64, Rep::I64, {}, inst.loc);
        constant->imm = whole;
        fn_.insertBefore(&inst, constant);
        return constant;
    }

    // --- two operands of one other representation

    Value onWords(Inst& inst, Value a, Value b) {
        switch (inst.op) {
            case Op::AddI:
            case Op::AddU:
                if (b->isConstI64(0)) return a;
                return a->isConstI64(0) ? b : nullptr;
            case Op::SubI:
            case Op::SubU:
                if (b->isConstI64(0)) return a;
                return a == b ? becomeI64(inst, 0) : nullptr;
            case Op::MulI:
            case Op::MulU:
                if (a->isConstI64(0) || b->isConstI64(0)) return becomeI64(inst, 0);
                if (b->isConstI64(1)) return a;
                return a->isConstI64(1) ? b : nullptr;
            case Op::IDivI: return b->isConstI64(1) ? a : nullptr;
            case Op::ModI: return b->isConstI64(1) ? becomeI64(inst, 0) : nullptr;
            case Op::MinI:
            case Op::MaxI: return a == b ? a : nullptr;
            case Op::And32:
                if (isBits32(a) && b->isConstI64(0xFFFFFFFF)) return a;
                return b->isConstI64(0) ? becomeI64(inst, 0) : nullptr;
            case Op::Or32:
            case Op::Xor32:
            case Op::Shl32:
            case Op::Shr32:
            case Op::Sar32:
            case Op::Rol32:
            case Op::Ror32: return b->isConstI64(0) && isBits32(a) ? a : nullptr;
            case Op::EqI: return compareWords(inst, a, b);
            case Op::EqS:
            case Op::EqRef:
            case Op::LeI: return a == b ? becomeBool(inst, true) : nullptr;
            case Op::LtI: return a == b ? becomeBool(inst, false) : nullptr;
            default: return nullptr;  // no identity
        }
    }

    Value compareWords(Inst& inst, Value a, Value b) {
        if (a == b) return becomeBool(inst, true);
        if (a->is(Op::ConstBool) || a->is(Op::ConstNull)) std::swap(a, b);
        if (b->is(Op::ConstBool)) return b->imm ? a : become(inst, Op::Not, a);
        if (b->is(Op::ConstNull)) return become(inst, Op::IsNull, a);
        return nullptr;
    }

    // --- one operand

    Value onOne(Inst& inst, Value a) {
        Value under = a->operandCount == 1 ? (a->operands[0] = Function::resolve(a->operands[0])) : nullptr;
        switch (inst.op) {
            case Op::NegF:
            case Op::NegI:
            case Op::Not: return a->is(inst.op) ? under : nullptr;
            case Op::AbsF: return a->is(Op::AbsF) ? a : nullptr;
            case Op::Not32: return a->is(Op::Not32) && isBits32(under) ? under : nullptr;
            case Op::FToI:
            case Op::FloorF: return a->is(Op::IToF) ? under : nullptr;
            case Op::BoxF:
                if (a->is(Op::IToF)) return become(inst, Op::BoxI, under);
                return isUnboxed(a, Rep::F64) ? under : nullptr;
            case Op::BoxB: return isUnboxed(a, Rep::Bool) ? under : nullptr;
            case Op::BoxRef: return isUnboxed(a, Rep::Ref) ? under : nullptr;
            case Op::UnboxF:
            case Op::UnboxI:
            case Op::UnboxB:
            case Op::UnboxU: return unboxed(inst, a, under);
            case Op::Truthy:
                if (a->is(Op::BoxB)) return under;
                return a->is(Op::BoxF) || a->is(Op::BoxI) || a->is(Op::BoxEnum) ? becomeBool(inst, true) : nullptr;
            case Op::IsNil:
                if (a->is(Op::BoxRef)) return become(inst, Op::IsNull, under);
                return isNeverNil(a) ? becomeBool(inst, false) : nullptr;
            case Op::IsNull: return isNonNull(a) ? becomeBool(inst, false) : nullptr;
            default: return nullptr;  // no identity
        }
    }

    /// `v` is an unchecked unboxing to `rep`; boxing it again gives the box.
    static bool isUnboxed(const Inst* v, Rep rep) { return v->is(Op::UnboxU) && v->rep == rep; }

    static bool isNeverNil(const Inst* v) {
        return v->is(Op::BoxF) || v->is(Op::BoxI) || v->is(Op::BoxB) || v->is(Op::BoxEnum) || v->is(Op::ConstBoxBool);
    }

    // Unboxing of what has just been boxed.
    Value unboxed(Inst& inst, Value box, Value under) {
        switch (inst.rep) {
            case Rep::F64:
                if (box->is(Op::BoxF)) return under;
                return box->is(Op::BoxI) ? become(inst, Op::IToF, under) : nullptr;
            case Rep::I64: return box->is(Op::BoxI) || (box->is(Op::BoxEnum) && inst.is(Op::UnboxU)) ? under : nullptr;
            case Rep::Bool: return box->is(Op::BoxB) ? under : nullptr;
            // What is known of the reference is known of the box (bc::verify learns it from tests), so one that says what it is stays.
            case Rep::Ref: return box->is(Op::BoxRef) && (inst.imm == 0 || !inst.is(Op::UnboxU)) ? under : nullptr;
            case Rep::Box: return box;
            case Rep::Void:
            case Rep::Pack: return nullptr;
        }
        return nullptr;
    }

    /// A check that cannot fail.
    bool isNeedlessCheck(const Inst& inst) {
        if (inst.is(Op::CheckNil)) return isNeverNil(inst.operands[0]);
        return inst.is(Op::CheckNull) && isNonNull(inst.operands[0]);
    }

    Function& fn_;
    PassContext& context_;
    uint64_t changes_ = 0;
};

}  // namespace

bool runSimplify(Function& fn, PassContext& context) { return Simplifier(fn, context).run(); }

}  // namespace luapp::ir
