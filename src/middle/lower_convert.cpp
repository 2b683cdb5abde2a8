// Lowering of conversions and type tests.
#include "middle/lower_impl.h"
#include "sema/relations.h"

namespace luapp::ir {

using sema::CheckReason;
using sema::ConvertKind;

namespace {

/// The tag of boxes of references of this type as an immediate of box.ref.
uint32_t boxTag(const Type* type) {
    switch (type->kind) {
        case TypeKind::String: return base::kBoxString;
        case TypeKind::Function:
        case TypeKind::AnyFunction: return base::kBoxFunction;
        case TypeKind::Array:
        case TypeKind::Table:
        case TypeKind::Record:
        case TypeKind::Class:
        case TypeKind::Interface:
        case TypeKind::File: return base::kBoxObject;
        case TypeKind::Union: {
            uint32_t tag = base::kBoxByKind;
            for (const Type* m : sema::membersOf(type)) {
                if (sema::isNil(m)) continue;
                const uint32_t one = boxTag(m);
                if (one == base::kBoxByKind || (tag != base::kBoxByKind && tag != one)) return base::kBoxByKind;
                tag = one;
            }
            return tag;
        }
        default: return base::kBoxByKind;
    }
}

bc::CheckKind checkKind(CheckReason reason) {
    switch (reason) {
        case CheckReason::Cast: return bc::CheckKind::Cast;
        case CheckReason::Argument: return bc::CheckKind::Argument;
        case CheckReason::Assign:
        case CheckReason::Return:
        case CheckReason::Index:
        case CheckReason::Integer:
        case CheckReason::Bang:
        case CheckReason::MissingKey:
        case CheckReason::LoopVar:
        case CheckReason::Element:
        case CheckReason::BitOperand:
        case CheckReason::BitLeft:
        case CheckReason::BitRight: break;
    }
    return bc::CheckKind::Convert;
}

bc::FToIKind wholeKind(CheckReason reason) {
    switch (reason) {
        case CheckReason::Index: return bc::FToIKind::Index;
        case CheckReason::Argument: return bc::FToIKind::Argument;
        case CheckReason::BitOperand: return bc::FToIKind::Bitwise;
        case CheckReason::BitLeft: return bc::FToIKind::BitLeft;
        case CheckReason::BitRight: return bc::FToIKind::BitRight;
        case CheckReason::Assign:
        case CheckReason::Return:
        case CheckReason::Cast:
        case CheckReason::Integer:
        case CheckReason::Bang:
        case CheckReason::MissingKey:
        case CheckReason::LoopVar:
        case CheckReason::Element: break;
    }
    return bc::FToIKind::Cast;
}

bc::NilKind nilKind(CheckReason reason) {
    switch (reason) {
        case CheckReason::Bang: return bc::NilKind::Assert;
        case CheckReason::MissingKey: return bc::NilKind::Key;
        case CheckReason::Index: return bc::NilKind::Index;
        case CheckReason::Assign:
        case CheckReason::Argument:
        case CheckReason::Return:
        case CheckReason::Cast:
        case CheckReason::Integer:
        case CheckReason::LoopVar:
        case CheckReason::Element:
        case CheckReason::BitOperand:
        case CheckReason::BitLeft:
        case CheckReason::BitRight: break;
    }
    return bc::NilKind::Convert;
}

}  // namespace

Value FunctionLowering::box(Value v, const Type* type) {
    switch (v->rep) {
        case Rep::F64: return b_.op(Op::BoxF, {v});
        case Rep::I64:
            if (type->kind == TypeKind::Enum) return b_.op(Op::BoxEnum, {v}, program_.typeIndex(type));
            return b_.op(Op::BoxI, {v});
        case Rep::Bool: return b_.op(Op::BoxB, {v});
        case Rep::Ref: return v->op == Op::ConstNull ? b_.nil() : b_.op(Op::BoxRef, {v}, boxTag(type));
        case Rep::Box: return v;
        case Rep::Void:
        case Rep::Pack: break;
    }
    LUAPP_UNREACHABLE("no box of this representation");
}

Value FunctionLowering::isNilValue(Value v) {
    switch (v->rep) {
        case Rep::Ref: return b_.op(Op::IsNull, {v});
        case Rep::Box: return b_.op(Op::IsNil, {v});
        case Rep::F64:
        case Rep::I64:
        case Rep::Bool: return b_.boolean(false);
        case Rep::Void:
        case Rep::Pack: break;
    }
    LUAPP_UNREACHABLE("nil test of this representation");
}

Value FunctionLowering::widen(Value v, const Type* from, const Type* to) {
    const Rep rep = repOf(to);
    if (sema::isFunction(from) && sema::isFunction(to) && from != to) return adapt(v, from, to);
    if (v->rep == rep) return v;
    if (from->kind == TypeKind::Never) return b_.zero(rep);  // never executed
    if (rep == Rep::F64 && v->rep == Rep::I64) return b_.op(Op::IToF, {v});
    if (rep == Rep::Box) return box(v, from);
    if (rep == Rep::Ref && v->rep == Rep::Box) return b_.null();  // nil to an optional reference
    LUAPP_UNREACHABLE("no widening between these representations");
}

/// From a wider representation to one that is known to fit.
Value FunctionLowering::narrow(Value v, const Type* to) {
    const Rep rep = repOf(to);
    if (v->rep == rep) return v;
    if (v->rep == Rep::Box) return unboxKnown(v, to);
    if (v->rep == Rep::F64 && rep == Rep::I64) return b_.op(Op::FToI, {v}, int64_t(bc::FToIKind::Cast));
    if (rep == Rep::Box) return b_.nil();  // a reference known to be null
    LUAPP_UNREACHABLE("no narrowing between these representations");
}

Value FunctionLowering::checked(Value v, const Type* from, const Type* to, CheckReason reason) {
    const Rep rep = repOf(to);
    if (v->rep == Rep::F64 && sema::isInteger(to)) {
        return b_.op(Op::FToI, {v}, int64_t(wholeKind(reason)));
    }
    // An enum's value is an integer; the other way the run time looks for the member.
    if (from->kind == TypeKind::Enum && sema::isNumeric(to)) return widen(v, program_.types().integer(), to);
    if (v->rep == Rep::Ref && rep == Rep::Ref) {
        b_.op(Op::CheckRef, {v}, program_.typeIndex(to), uint32_t(checkKind(reason)));
        return v;
    }
    if (v->rep != Rep::Box) v = box(v, from);
    if (reason != CheckReason::Cast && reason != CheckReason::Argument) {
        switch (to->kind) {
            case TypeKind::Number: return b_.op(Op::UnboxF, {v});
            case TypeKind::Integer: return b_.op(Op::UnboxI, {v});
            case TypeKind::Boolean: return b_.op(Op::UnboxB, {v});
            default: break;
        }
    }
    return b_.typed(Op::Unbox, rep, {v}, program_.typeIndex(to), uint32_t(checkKind(reason)));
}

/// A closure that wraps `v`; the same value where both types have one machine signature.
Value FunctionLowering::adapt(Value v, const Type* from, const Type* to) {
    if (from->kind != TypeKind::Function || to->kind != TypeKind::Function) return v;
    auto* f = sema::as<sema::FunctionType>(from);
    auto* t = sema::as<sema::FunctionType>(to);
    Function* wrapper = program_.adapter(f, t);
    return b_.closure(wrapper, std::span<const Value>(&v, 1));
}

/// A constant of another function may be known to be of a narrower type because that function has tested it: the verifier of chunk files
/// does not see the test.
void FunctionLowering::noteNarrowing(const sema::TConvert* e, Value v) {
    if (v->rep != Rep::Ref || e->operand->kind != TExprKind::VarGet || sema::isAssignable(e->operand->type, e->type)) return;
    const Variable* variable = e->operand->as<sema::TVarGet>()->variable;
    if (isHere(variable) || variable->isReassigned || variable->needsInitCheck) return;
    if (v->is(Op::CaptureGet) || v->is(Op::VarGet)) v->imm2 = program_.valueType(e->type);
}

Value FunctionLowering::lowerConvert(const sema::TConvert* e, Value v) {
    b_.setLoc(e->loc);
    const Type* from = e->operand->type;
    switch (e->convertKind) {
        case ConvertKind::Retype:
            if (repOf(e->type) != v->rep) return widen(v, from, e->type);
            noteNarrowing(e, v);
            return v;
        case ConvertKind::Widen: return widen(v, from, e->type);
        case ConvertKind::Narrow: return narrow(v, e->type);
        case ConvertKind::Check: return checked(v, from, e->type, e->reason);
        case ConvertKind::NonNil:
            if (v->rep == Rep::Ref) {
                b_.op(Op::CheckNull, {v}, int64_t(nilKind(e->reason)));
                return v;
            }
            if (v->rep != Rep::Box) return v;
            b_.op(Op::CheckNil, {v}, int64_t(nilKind(e->reason)));
            return narrow(v, e->type);
        case ConvertKind::Adapt: return adapt(v, from, e->type);
    }
    LUAPP_UNREACHABLE("conversion kind");
}

Value FunctionLowering::lowerTypeTest(const sema::TTypeTest* e) {
    Value v = lower(e->operand);
    b_.setLoc(e->loc);
    if (sema::isNil(e->testType)) return isNilValue(v);
    const uint32_t type = program_.typeIndex(e->testType);
    if (v->rep != Rep::Ref) return b_.op(Op::IsType, {v->rep == Rep::Box ? v : box(v, e->operand->type)}, type);
    if (!e->operand->type->admitsNil) return b_.op(Op::IsTypeRef, {v}, type);
    Block* some = b_.newBlock();
    Block* done = b_.newBlock();
    VarId result = b_.declareVariable(Rep::Bool);
    b_.writeVariable(result, b_.boolean(e->testType->admitsNil));
    b_.br(b_.op(Op::IsNull, {v}), done, some);
    b_.startSealed(some);
    b_.writeVariable(result, b_.op(Op::IsTypeRef, {v}, type));
    b_.jump(done);
    b_.startSealed(done);
    return b_.readVariable(result);
}

}  // namespace luapp::ir
