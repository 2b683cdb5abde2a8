#include "middle/fold.h"

#include <bit>
#include <cmath>

#include "runtime/base/numeric.h"

namespace luapp::ir {

using base::numberToInteger;

void becomeConst(Inst& inst, Op constOp, int64_t imm) {
    inst.op = constOp;
    inst.operandCount = 0;
    inst.imm = imm;
    inst.imm2 = 0;
    inst.flags &= uint8_t(~(Inst::kPureCall | Inst::kFastMath));
}

void becomeF64(Inst& inst, double v) { becomeConst(inst, Op::ConstF64, std::bit_cast<int64_t>(v)); }

namespace {

bool toF64(Inst& inst, double v) {
    becomeF64(inst, v);
    return true;
}
bool toI64(Inst& inst, int64_t v) {
    becomeConst(inst, Op::ConstI64, v);
    return true;
}
/// For results that must be values of type integer.
bool toInteger(Inst& inst, int64_t v) { return base::inIntegerRange(v) && toI64(inst, v); }
bool toBool(Inst& inst, bool v) {
    becomeConst(inst, Op::ConstBool, v);
    return true;
}

/// Two F64 constants.
bool foldNumbers(Inst& inst, double a, double b) {
    switch (inst.op) {
        case Op::AddF: return toF64(inst, a + b);
        case Op::SubF: return toF64(inst, a - b);
        case Op::MulF: return toF64(inst, a * b);
        case Op::DivF: return toF64(inst, a / b);
        case Op::ModF: return toF64(inst, base::floorModNumber(a, b));
        case Op::IDivF: return toF64(inst, base::floorDivNumber(a, b));
        case Op::PowF: return toF64(inst, base::powerNumber(a, b));
        case Op::MinF: return toF64(inst, b < a ? b : a);
        case Op::MaxF: return toF64(inst, a < b ? b : a);
        case Op::EqF: return toBool(inst, a == b);
        case Op::LtF: return toBool(inst, a < b);
        case Op::LeF: return toBool(inst, a <= b);
        default: return false;  // no other op takes two numbers
    }
}

/// floor, ceil, trunc by the RoundKind (runtime/bytecode/instruction.h).
bool foldRound(Inst& inst, double a) {
    const double rounded = inst.imm == 0 ? std::floor(a) : inst.imm == 1 ? std::ceil(a) : std::trunc(a);
    int64_t whole = 0;
    return numberToInteger(rounded, whole) && toI64(inst, whole);
}

/// One F64 constant.
bool foldNumber(Inst& inst, double a) {
    int64_t whole = 0;
    switch (inst.op) {
        case Op::NegF: return toF64(inst, -a);
        case Op::AbsF: return toF64(inst, std::fabs(a));
        case Op::SqrtF: return toF64(inst, std::sqrt(a));
        case Op::FToI: return numberToInteger(a, whole) && toI64(inst, whole);
        case Op::FloorF: return foldRound(inst, a);
        default: return false;  // no other op takes one number and can be folded
    }
}

/// Two I64 constants. Operands may be any int64 (enums, results of unchecked arithmetic).
bool foldIntegers(Inst& inst, int64_t a, int64_t b) {
    const auto ua = uint64_t(a);
    const auto ub = uint64_t(b);
    int64_t r = 0;
    switch (inst.op) {
        case Op::AddI: return base::addInteger(a, b, r) && toI64(inst, r);
        case Op::SubI: return base::subInteger(a, b, r) && toI64(inst, r);
        case Op::MulI: return base::mulInteger(a, b, r) && toI64(inst, r);
        case Op::IDivI: return b != 0 && base::inIntegerRange(a) && toInteger(inst, base::floorDivInteger(a, b));
        case Op::ModI: return b != 0 && base::inIntegerRange(a) && toInteger(inst, base::floorModInteger(a, b));
        case Op::MinI: return toI64(inst, a < b ? a : b);
        case Op::MaxI: return toI64(inst, a < b ? b : a);
        case Op::AddU: return toI64(inst, int64_t(ua + ub));
        case Op::SubU: return toI64(inst, int64_t(ua - ub));
        case Op::MulU: return toI64(inst, int64_t(ua * ub));
        case Op::AndI: return toInteger(inst, a & b);
        case Op::OrI: return toInteger(inst, a | b);
        case Op::XorI: return toInteger(inst, a ^ b);
        case Op::ShlI: return toInteger(inst, base::shiftLeft(a, b));
        case Op::ShrI: return toInteger(inst, base::shiftRight(a, b));
        case Op::And32: return toI64(inst, base::wrap32(a & b));
        case Op::Or32: return toI64(inst, base::wrap32(a | b));
        case Op::Xor32: return toI64(inst, base::wrap32(a ^ b));
        case Op::Shl32: return toI64(inst, base::shiftLeft32(base::wrap32(a), b));
        case Op::Shr32: return toI64(inst, base::shiftRight32(base::wrap32(a), b));
        case Op::Sar32: return toI64(inst, base::shiftArithmetic32(base::wrap32(a), b));
        case Op::Rol32: return toI64(inst, base::rotateLeft32(base::wrap32(a), b));
        case Op::Ror32: return toI64(inst, base::rotateRight32(base::wrap32(a), b));
        case Op::EqI: return toBool(inst, a == b);
        case Op::LtI: return toBool(inst, a < b);
        case Op::LeI: return toBool(inst, a <= b);
        default: return false;  // no other op takes two integers and can be folded
    }
}

/// One I64 constant.
bool foldInteger(Inst& inst, int64_t a) {
    switch (inst.op) {
        case Op::NegI: return toInteger(inst, int64_t(-uint64_t(a)));
        case Op::AbsI: return toInteger(inst, a < 0 ? int64_t(-uint64_t(a)) : a);
        case Op::NotI: return toInteger(inst, ~a);
        case Op::Not32: return toI64(inst, base::wrap32(~a));
        case Op::IToF: return toF64(inst, double(a));
        default: return false;  // no other op takes one integer and can be folded
    }
}

/// A boxed constant in the form of its parts.
bool foldBox(Inst& inst, const Inst& box) {
    const bool isNil = box.is(Op::ConstNil);
    const bool isBoolean = box.is(Op::ConstBoxBool);
    const bool isNumber = box.is(Op::BoxF) || box.is(Op::BoxI);
    if (!isNil && !isBoolean && !isNumber && !box.is(Op::BoxB)) return false;
    switch (inst.op) {
        case Op::IsNil: return toBool(inst, isNil);
        case Op::Truthy:
            if (box.is(Op::BoxB)) return false;  // simplify makes it the boolean itself
            return toBool(inst, !isNil && !(isBoolean && box.imm == 0));
        case Op::UnboxB: return isBoolean && toBool(inst, box.imm);
        case Op::UnboxU: return isBoolean && inst.rep == Rep::Bool && toBool(inst, box.imm);
        default: return false;  // the rest depends on more than the constant
    }
}

}  // namespace

bool foldInPlace(Inst& inst) {
    if (inst.operandCount == 0 || inst.operandCount > 2 || inst.isTerminator()) return false;
    const Inst& a = *Function::resolve(inst.operands[0]);
    if (inst.operandCount == 1) {
        if (a.rep == Rep::Box) return foldBox(inst, a);
        if (a.is(Op::ConstF64)) return foldNumber(inst, a.immF);
        if (a.is(Op::ConstI64)) return foldInteger(inst, a.imm);
        if (a.is(Op::ConstBool) && inst.is(Op::Not)) return toBool(inst, !a.imm);
        if (a.is(Op::ConstBool) && inst.is(Op::BoxB)) {
            becomeConst(inst, Op::ConstBoxBool, a.imm);
            return true;
        }
        if (inst.is(Op::IsNull) && a.isConst()) return toBool(inst, a.is(Op::ConstNull));
        if (inst.is(Op::BoxRef) && a.is(Op::ConstNull)) {
            becomeConst(inst, Op::ConstNil, 0);
            return true;
        }
        return false;
    }
    const Inst& b = *Function::resolve(inst.operands[1]);
    if (a.is(Op::ConstF64) && b.is(Op::ConstF64)) return foldNumbers(inst, a.immF, b.immF);
    if (a.is(Op::ConstI64) && b.is(Op::ConstI64)) return foldIntegers(inst, a.imm, b.imm);
    if (a.is(Op::ConstBool) && b.is(Op::ConstBool) && inst.is(Op::EqI)) return toBool(inst, a.imm == b.imm);
    if (inst.is(Op::EqS) && a.is(Op::ConstStr) && b.is(Op::ConstStr)) return toBool(inst, a.imm == b.imm);
    return false;
}

}  // namespace luapp::ir
