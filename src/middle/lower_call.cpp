// Lowering of calls, packs and the library functions that are single operations.
#include "middle/lower_impl.h"
#include "runtime/lib/builtin_table.h"

namespace luapp::ir {

using sema::CallKind;

namespace {

/// Library functions that are one IR operation; the arguments are its operands.
struct Intrinsic {
    std::string_view name;
    Op op;
    int64_t imm = 0;
};
constexpr Intrinsic kIntrinsics[] = {
    {"sqrt.f", Op::SqrtF}, {"abs.f", Op::AbsF}, {"abs.i", Op::AbsI}, {"pow.f", Op::PowF},
    {"min.f", Op::MinF}, {"max.f", Op::MaxF}, {"min.i", Op::MinI}, {"max.i", Op::MaxI},
    {"floor.f", Op::FloorF, int64_t(bc::RoundKind::Floor)}, {"ceil.f", Op::FloorF, int64_t(bc::RoundKind::Ceil)},
    {"and32", Op::And32}, {"or32", Op::Or32}, {"xor32", Op::Xor32}, {"not32", Op::Not32}, {"shl32", Op::Shl32},
    {"shr32", Op::Shr32}, {"sar32", Op::Sar32}, {"rol32", Op::Rol32}, {"ror32", Op::Ror32},
    {"len.s", Op::StrLen}, {"len.a", Op::ArrLen}, {"len.t", Op::TabLen}, {"push.a", Op::ArrPush},
};

}  // namespace

/// Fixed arguments, boxed extras, pack, in order of evaluation.
std::vector<Value> FunctionLowering::lowerArgs(const sema::TCall* call, bool needsType) {
    std::vector<Value> operands;
    if (needsType) operands.push_back(b_.type(program_.typeIndex(call->typeArgument)));
    for (const TExpr* arg : call->args) operands.push_back(lower(arg));
    for (const TExpr* extra : call->extras) operands.push_back(box(lower(extra), extra->type));
    if (call->pack) operands.push_back(lowerPack(call->pack));
    b_.setLoc(call->loc);
    return operands;
}

/// Result `index`, boxed, of a call with variadic results as a value of type `to`. What the library returns as `...T` need not be a T
/// (string.match gives positions as numbers): unless a program's function is called by its name, it is checked.
Value FunctionLowering::fromPack(const sema::TCall* call, uint32_t index, Value v, const Type* to) {
    if (repOf(to) == Rep::Box) return v;
    const bool isTrusted = call->callKind == CallKind::Function || call->callKind == CallKind::Method || index < call->results.count;
    return isTrusted ? narrow(v, to) : checked(v, program_.types().any(), to, sema::CheckReason::Assign);
}

/// A closure called with fewer arguments than it has parameters: only its dynamic entry knows the defaults.
bool FunctionLowering::isShortClosureCall(const sema::TCall* call) {
    return call->callKind == CallKind::Closure &&
           call->args.count < sema::as<sema::FunctionType>(call->callee->type)->params.count;
}

/// True if the call's results come as a pack of boxes, whatever their static types.
bool FunctionLowering::givesPack(const sema::TCall* call) {
    return call->variadicResults || call->callKind == CallKind::Dynamic || isShortClosureCall(call);
}

/// The first value, or with Want::Pack all values as a pack.
Value FunctionLowering::lowerCall(const sema::TCall* call, Want want) {
    const bool packed = givesPack(call);
    const Rep rep = packed                  ? (want == Want::Pack ? Rep::Pack : Rep::Box)
                    : call->results.empty() ? Rep::Void
                                            : repOf(call->results[0]);
    Value v = nullptr;
    switch (call->callKind) {
        case CallKind::Function: v = lowerFunctionCall(call, rep); break;
        case CallKind::Method: v = lowerMethodCall(call, rep); break;
        case CallKind::Closure: v = lowerClosureCall(call, rep); break;
        case CallKind::Dynamic: v = lowerDynamicCall(call, rep); break;
        case CallKind::Builtin: v = lowerBuiltinCall(call, rep); break;
    }
    if (call->type->kind == TypeKind::Never) {
        b_.unreachable();
        return want == Want::None ? nullptr : b_.zero(want == Want::Pack ? Rep::Pack : Rep::Box);
    }
    if (packed && want == Want::First && repOf(call->type) != Rep::Box && repOf(call->type) != Rep::Void) {
        // What the library returns as `...T` need not be a T (string.match gives positions as numbers): it is checked.
        const bool isTrusted = call->callKind != CallKind::Builtin || !call->results.empty();
        return isTrusted ? unboxKnown(v, call->type)
                         : checked(v, program_.types().any(), call->type, sema::CheckReason::Assign);
    }
    if (want == Want::Pack && !packed) {
        std::vector<Value> values;
        for (uint32_t i = 0; i < call->results.count; i++) {
            values.push_back(i == 0 ? v : b_.typed(Op::Result, repOf(call->results[i]), {v}, i));
        }
        for (uint32_t i = 0; i < call->results.count; i++) values[i] = box(values[i], call->results[i]);
        return b_.op(Op::PackMake, values);
    }
    return v;
}

Value FunctionLowering::lowerFunctionCall(const sema::TCall* call, Rep rep) {
    const TypedFunction* fn = call->function;
    Value closure = fn->isStatic() ? nullptr : closureOf(fn);
    std::vector<Value> operands = lowerArgs(call, false);
    const bool isNamed = source_ && source_->isLenient && fn->variable;
    NotedPlace place(*this, call->loc, bc::NoteUse::Call, isNamed ? nameOfVariable(fn->variable) : OperandName{});
    return callFunction(fn, closure, std::move(operands), call->args.count, call->extras.count, rep);
}

/// Calls `fn` with the first `given` of its parameters and `extras` more; the last operand may be a pack.
Value FunctionLowering::callFunction(const TypedFunction* fn, Value closure, std::vector<Value> operands, uint32_t given,
                                     uint32_t extras, Rep rep) {
    Function* callee = program_.functionOf(fn);
    // Parameters whose type admits nil take their default for nil by themselves (applyNilDefaults).
    bool allAdmitNil = true;
    for (uint32_t i = given; i < fn->params.count; i++) allAdmitNil &= fn->params[i]->type->admitsNil;
    if (given < fn->params.count && allAdmitNil) {
        for (; given < fn->params.count; given++) operands.push_back(b_.zero(repOf(fn->params[given]->type)));
    }
    if (given < fn->params.count) callee = program_.shortEntry(fn, given);
    return b_.call(callee, closure, operands, extras, rep);
}

Value FunctionLowering::lowerClosureCall(const sema::TCall* call, Rep rep) {
    if (isShortClosureCall(call)) {
        std::vector<Value> operands{box(lower(call->callee), call->callee->type)};
        for (const TExpr* arg : call->args) operands.push_back(box(lower(arg), arg->type));
        b_.setLoc(call->loc);
        return b_.typed(Op::CallDyn, rep, operands, 0, call->args.count);
    }
    Value callee = lower(call->callee);
    std::vector<Value> operands = lowerArgs(call, false);
    operands.insert(operands.begin(), callee);
    return b_.typed(Op::CallClo, rep, operands, program_.typeIndex(call->callee->type), call->extras.count);
}

Value FunctionLowering::lowerDynamicCall(const sema::TCall* call, Rep rep) {
    Value callee = box(lower(call->callee), call->callee->type);
    std::vector<Value> operands = lowerArgs(call, false);
    operands.insert(operands.begin(), callee);
    const bool isTail = call == tailCall_;
    if (isTail) tailCallee_ = callee;
    const OperandName name = nameOf(call->callee);
    callEvent(bc::EventKind::BeforeCall, call->loc, callee, name);
    Value result;
    {
        NotedPlace place(*this, call->loc, isTail ? bc::NoteUse::TailCall : bc::NoteUse::Call, name);
        result = b_.typed(Op::CallDyn, rep, operands, 0, call->extras.count);
    }
    callEvent(bc::EventKind::AfterCall, call->loc, callee, name);
    return result;
}

Value FunctionLowering::lowerBuiltinCall(const sema::TCall* call, Rep rep) {
    const rt::BuiltinInfo& builtin = rt::builtinInfo(call->builtin);
    if (builtin.intrinsic != "-" && call->extras.empty() && !call->pack) return lowerIntrinsic(call, builtin.intrinsic);
    std::vector<Value> operands = lowerArgs(call, builtin.needsType());
    Value v = b_.typed(Op::CallBuiltin, rep, operands, call->builtin, call->extras.count);
    // Further results lie in the State's result area: such a call may not move away from the instructions that fetch them.
    const bool isPure = (builtin.effects & ~rt::kEffectNeedsType) == rt::kEffectPure;
    if (isPure && call->results.size() <= 1 && !call->variadicResults) v->flags |= Inst::kPureCall;
    return v;
}

Value FunctionLowering::lowerIntrinsic(const sema::TCall* call, std::string_view name) {
    std::vector<Value> operands = lowerArgs(call, false);
    if (name == "id") return operands[0];
    if (name == "tostring") return toText(operands[0], call->args[0]->type);
    if (name == "byte.s") {
        Value at = operands.size() > 1 ? operands[1] : b_.i64(1);
        Value byte = b_.op(Op::StrByte, {operands[0], at});
        Block* some = b_.newBlock();
        Block* done = b_.newBlock();
        VarId result = b_.declareVariable(Rep::Box);
        b_.writeVariable(result, b_.nil());
        b_.br(b_.op(Op::LtI, {byte, b_.i64(0)}), done, some);
        b_.startSealed(some);
        b_.writeVariable(result, b_.op(Op::BoxI, {byte}));
        b_.jump(done);
        b_.startSealed(done);
        return b_.readVariable(result);
    }
    for (const Intrinsic& intrinsic : kIntrinsics) {
        if (intrinsic.name == name) return b_.op(intrinsic.op, operands, intrinsic.imm);
    }
    LUAPP_UNREACHABLE("builtins.def names an intrinsic that lowering does not know");
}

// --- packs -------------------------------------------------------------------------------------------------------

Value FunctionLowering::lowerPack(const TExpr* pack) {
    switch (pack->kind) {
        case TExprKind::Vararg: return b_.op(Op::VarargAll, {});
        case TExprKind::Call: return lowerCall(pack->as<sema::TCall>(), Want::Pack);
        case TExprKind::Let: {
            auto* let = pack->as<sema::TLet>();
            for (const TStmt* s : let->stmts) lowerStmt(s);
            return lowerPack(let->result);
        }
        case TExprKind::PackSelect: {
            auto* select = pack->as<sema::TPackSelect>();
            std::vector<Value> operands{box(lower(select->from), select->from->type)};
            operands.push_back(lowerPack(select->pack));
            b_.setLoc(pack->loc);
            return b_.typed(Op::CallBuiltin, Rep::Pack, operands, int64_t(rt::BuiltinId::Select), 0);
        }
        default: LUAPP_UNREACHABLE("expression is no pack");
    }
}

/// Temporaries take the values of one call or pack.
void FunctionLowering::lowerMultiBind(const sema::TMultiBind* s) {
    const TExpr* source = s->source;
    std::vector<Value> values;
    if (source->kind == TExprKind::Vararg) {
        for (uint32_t i = 0; i < s->variables.count; i++) values.push_back(b_.op(Op::VarargGet, {}, i));
    } else if (source->kind == TExprKind::IterTriplet) {
        Value first = lower(source);
        values.push_back(first);
        for (uint32_t i = 1; i < s->variables.count; i++) values.push_back(b_.typed(Op::Result, Rep::Box, {first}, i));
    } else if (source->kind == TExprKind::Call && !givesPack(source->as<sema::TCall>())) {
        auto* call = source->as<sema::TCall>();
        Value first = lowerCall(call, Want::First);
        for (uint32_t i = 0; i < s->variables.count && i < call->results.count; i++) {
            values.push_back(i == 0 || !b_.isReachable() ? first : b_.typed(Op::Result, repOf(call->results[i]), {first}, i));
        }
    } else {
        Value pack = lowerPack(source);
        for (uint32_t i = 0; i < s->variables.count; i++) values.push_back(b_.op(Op::PackGet, {pack}, i));
    }
    for (uint32_t i = 0; i < s->variables.count; i++) {
        const Variable* v = s->variables[i];
        Value value = i < values.size() ? values[i] : b_.zero(repOf(v->type));
        if (value->rep == Rep::Box && source->kind == TExprKind::Call && source->as<sema::TCall>()->variadicResults) {
            value = fromPack(source->as<sema::TCall>(), i, value, v->type);
        } else if (value->rep != repOf(v->type)) {
            value = narrow(value, v->type);
        }
        declareVar(v, value);
    }
}

}  // namespace luapp::ir
