// Calls: finding the callee, matching arguments to parameters, library functions and their special rules.
#include <algorithm>
#include <utility>

#include "runtime/lib/builtin_table.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Values of calls and packs --------------------------------------------------------------------------------------

/// True if more or less than one value may come of it.
bool Checker::isMulti(const TExpr* value) const {
    if (value->kind == TExprKind::Let) return isMulti(value->as<TLet>()->result);
    if (value->kind == TExprKind::Vararg || value->kind == TExprKind::PackSelect) return true;
    if (value->kind != TExprKind::Call) return false;
    auto* call = value->as<TCall>();
    return call->variadicResults || call->results.count > 1;
}

/// The type of the values of a pack beyond the fixed ones.
const Type* Checker::packElement(const TExpr* pack) {
    if (pack->kind == TExprKind::Vararg)
        return function_->type && function_->type->vararg ? function_->type->vararg : types_.any();
    if (pack->kind == TExprKind::Call && pack->as<TCall>()->variadicElement) return pack->as<TCall>()->variadicElement;
    return types_.any();
}

/// A boxed value out of a pack as a `type`: there already if it is fixed, else perhaps missing.
TExpr* Checker::unpackAs(TExpr* boxed, const Type* type, bool isFixed) {
    if (isAny(type)) return boxed;
    if (!isFixed) return convertNode(ConvertKind::Check, CheckReason::Assign, boxed, type);
    return convertNode(type->rep == boxed->type->rep ? ConvertKind::Retype : ConvertKind::Narrow, CheckReason::Assign,
                       boxed, type);
}

TExpr* Checker::single(TExpr* value, Range) {
    switch (value->kind) {
        case TExprKind::Let: {
            auto* l = value->as<TLet>();
            if (!isMulti(l->result)) return value;
            l->result = single(l->result, {});
            l->type = l->result->type;
            return value;
        }
        case TExprKind::Vararg: {
            auto* at = expr<TVarargAt>(types_.any(), value->loc);
            at->index = 0;
            const Type* element = packElement(value);
            return isAny(element) ? at : unpackAs(at, types_.optional(element), true);
        }
        case TExprKind::PackSelect: {
            std::vector<TStmt*> before;
            Variable* first = temp(types_.any());
            auto* bind = stmt<TMultiBind>(value->loc);
            bind->variables = arena().makeList<Variable*>({&first, 1});
            bind->source = value;
            before.push_back(bind);
            return let(before, getVar(first, value->loc));
        }
        case TExprKind::Call: {
            auto* call = value->as<TCall>();
            if (!call->variadicResults) {
                // Marked, so that nobody takes it for several values.
                return call->results.count > 1
                           ? convertNode(ConvertKind::Retype, CheckReason::Assign, value, value->type)
                           : value;
            }
            if (call->results.count > 0) return unpackAs(call, call->results[0], true);
            return unpackAs(call, packElement(call), false);
        }
        default: return value;
    }
}

/// Splits the statements in front of a value off.
TExpr* Checker::unwrapLet(TExpr* value, std::vector<TStmt*>& before) {
    while (value->kind == TExprKind::Let) {
        auto* l = value->as<TLet>();
        before.insert(before.end(), l->stmts.begin(), l->stmts.end());
        value = l->result;
    }
    return value;
}

/// Evaluates a value before what follows in `before`: gives a temporary that holds it.
TExpr* Checker::stash(std::vector<TStmt*>& before, TExpr* value) {
    switch (value->kind) {
        case TExprKind::NilConst:
        case TExprKind::BoolConst:
        case TExprKind::NumberConst:
        case TExprKind::IntegerConst:
        case TExprKind::StringConst:
        case TExprKind::FuncRef:
        case TExprKind::BuiltinRef: return value;
        case TExprKind::VarGet:
            if (!value->as<TVarGet>()->variable->name) return value;  // a temporary
            break;
        default: break;
    }
    if (isError(value->type) || value->type->kind == TypeKind::Void || value->type->kind == TypeKind::Never)
        return value;
    Variable* held = temp(value->type);
    before.push_back(declareTemp(held, value, value->loc));
    return getVar(held, value->loc);
}

/// Where all values of a call are wanted, string.byte of one position gives none beyond the string's end, not a nil.
void Checker::takeAllBytes(TExpr* value) {
    while (value->kind == TExprKind::Let) value = value->as<TLet>()->result;
    if (value->kind != TExprKind::Call || value->as<TCall>()->callKind != CallKind::Builtin) return;
    auto* call = value->as<TCall>();
    if (call->builtin != uint32_t(rt::BuiltinId::StringByteAt)) return;
    const BuiltinSignature& general = builtins_.signature(*Builtins::find("string.byte"));
    Scratch<TExpr*> args(exprs_);
    for (TExpr* arg : call->args) args.add(arg);
    args.add(builtinDefault(general, args.size(), general.type->params[uint32_t(args.size())], call->loc));
    call->builtin = general.entry->index;
    call->args = args.list(arena());
    call->results = {};
    call->variadicResults = true;
    call->variadicElement = general.type->variadicResult;
}

/// Adds the values of a last expression: as many as `wanted`, or all with a pack for the rest. Values already in `out`
/// from `outBase` on are evaluated first.
void Checker::expandLast(TExpr* last, size_t wanted, bool packAllowed, Scratch<TExpr*>& out, size_t outBase,
                         TExpr*& pack, std::vector<TStmt*>& before) {
    pack = nullptr;
    if (packAllowed && wanted == 0) takeAllBytes(last);
    if (!isMulti(last)) {
        out.add(last);
        return;
    }
    std::vector<TStmt*> inner;
    last = unwrapLet(last, inner);
    auto stashEarlier = [&] {
        for (size_t i = outBase; i < out.size(); i++) out[i] = stash(before, out[i]);
        before.insert(before.end(), inner.begin(), inner.end());
        inner.clear();
    };
    if (!inner.empty()) stashEarlier();
    if (last->kind == TExprKind::Vararg) {
        const Type* element = packElement(last);
        for (size_t i = 0; i < wanted; i++) {
            auto* at = expr<TVarargAt>(types_.any(), last->loc);
            at->index = uint32_t(i);
            out.add(isAny(element) ? static_cast<TExpr*>(at) : unpackAs(at, types_.optional(element), true));
        }
        if (!packAllowed) return;
        pack = last;
        if (wanted > 0) {
            auto* rest = expr<TPackSelect>(types_.any(), last->loc);
            rest->from = integerConst(int64_t(wanted) + 1, last->loc);
            rest->pack = last;
            pack = rest;
        }
        return;
    }
    auto* call = last->kind == TExprKind::Call ? last->as<TCall>() : nullptr;
    const bool isVariadic = !call || call->variadicResults;
    if (packAllowed && isVariadic && wanted == 0) {
        pack = last;
        return;
    }
    // Fixed results, or a known number out of a pack.
    const size_t fixed = call ? call->results.count : 0;
    size_t count = isVariadic ? wanted : std::min<size_t>(wanted, fixed);
    if (packAllowed && !isVariadic) count = fixed;
    if (count == 0) count = 1;
    if (count == 1 && !isVariadic) {
        out.add(last);
        return;
    }
    stashEarlier();
    std::vector<Variable*> held;
    const Type* element = packElement(last);
    for (size_t i = 0; i < count; i++) held.push_back(temp(isVariadic ? types_.any() : call->results[i]));
    auto* bind = stmt<TMultiBind>(last->loc);
    bind->variables = arena().makeList<Variable*>(held);
    bind->source = last;
    before.push_back(bind);
    for (size_t i = 0; i < count; i++) {
        TExpr* value = getVar(held[i], last->loc);
        if (isVariadic && i < fixed)
            value = unpackAs(value, call->results[i], true);
        else if (isVariadic)
            value = unpackAs(value, element, false);
        out.add(value);
    }
}

TExpr* Checker::wrapBefore(std::span<TStmt* const> before, TExpr* value) {
    return before.empty() ? value : let(before, value);
}

// ---- Callees --------------------------------------------------------------------------------------------------------

/// A call as written, with all its results; a void call has type Void.
TExpr* Checker::checkCall(ast::CallExpr& e, const Type* expected, Pred** pred) {
    if (pred) *pred = nullptr;
    const bool wantsAll = std::exchange(wantsAllValues_, false);
    Callee callee;
    callee.name = "";
    bool special = false;
    if (auto* name = ast::as<ast::NameExpr>(e.callee)) {
        callee.name = text(name->name);
        if (SemaVar* variable = current(name->resolved)) return callVariable(e, *variable, callee, expected);
        const BuiltinEntry* entry = Builtins::find(text(name->name));
        if (entry && entry->name == "assert") return callAssert(e, wantsAll);
        if (entry && entry->kind == BuiltinKind::Function) return callBuiltin(e, *entry, nullptr, expected, pred);
    } else if (auto* field = ast::as<ast::FieldExpr>(e.callee)) {
        callee.name = text(field->field.name);
        if (const BuiltinEntry* entry = libraryEntry(*field, special)) {
            if (entry->kind == BuiltinKind::Function) return callBuiltin(e, *entry, nullptr, expected, pred);
        } else if (special) {
            checkArgsOnly(e);
            return errorExpr(e.range.begin);
        } else if (SemaVar* variable = namespaceMember(*field, special)) {
            return callVariable(e, *variable, callee, expected);
        } else if (!special) {
            TExpr* object = chainLink(checkLinkObject(*field->object), field->isOptional, field->object->range);
            return callMember(e, *field, object, expected);
        }
    }
    return callValue(e, callee, checkExpr(*e.callee, nullptr), nullptr, expected);
}

/// After an error in the callee: the arguments are checked for their own errors.
void Checker::checkArgsOnly(ast::CallExpr& e) {
    for (ast::Expr* arg : e.args)
        if (arg->kind != ast::NodeKind::FunctionExpr && arg->kind != ast::NodeKind::BraceExpr) checkExpr(*arg, nullptr);
}

TExpr* Checker::callVariable(ast::CallExpr& e, SemaVar& variable, Callee& callee, const Type* expected) {
    auto* function = static_cast<FunctionInfo*>(variable.function);
    if (!function) return callValue(e, callee, readVariable(variable, e.callee->range), nullptr, expected);
    knowSignature(*function);
    if (function->hasUntypedParams) return callConst(e, *function);
    callee.kind = CallKind::Function;
    callee.function = function;
    callee.type = function->type;
    if (!callee.type) {  // its own result is being inferred
        diags_.report(diag::ResultNotKnownYet, e.callee->range, function->name);
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    return finishCall(e, callee, expected);
}

/// A call of a value, with `self` in front if it is there.
TExpr* Checker::callValue(ast::CallExpr& e, Callee& callee, TExpr* value, TExpr* self, const Type* expected) {
    if (isError(value->type)) {
        checkArgsOnly(e);
        return value;
    }
    if (reportImplicitAny(value, e.callee->range)) {
        checkArgsOnly(e);
        return errorExpr(value->loc);
    }
    if (TExpr* present = withKeyPresent(value)) value = present;
    if (auto* type = asIf<FunctionType>(value->type)) {
        callee.type = type;
        callee.kind = CallKind::Closure;
        callee.closure = value;
        callee.self = self;
        if (value->kind == TExprKind::FuncRef) {
            callee.kind = CallKind::Function;
            callee.function = static_cast<FunctionInfo*>(value->as<TFuncRef>()->function);
        }
        return finishCall(e, callee, expected);
    }
    if (isCallable(value->type)) return callDynamic(e, value, self);
    if (value->type->admitsNil && isOptional(value->type))
        diags_.report(diag::MayBeNilCall, e.callee->range, show(value->type));
    else
        diags_.report(diag::CannotCall, e.callee->range, show(value->type));
    checkArgsOnly(e);
    return errorExpr(value->loc);
}

/// `object.name(...)` and `object:name(...)`.
TExpr* Checker::callMember(ast::CallExpr& e, ast::FieldExpr& field, TExpr* object, const Type* expected) {
    if (isError(object->type)) {
        checkArgsOnly(e);
        return object;
    }
    if (reportImplicitAny(object, field.object->range)) {
        checkArgsOnly(e);
        return errorExpr(object->loc);
    }
    if (TExpr* present = withKeyPresent(object)) object = present;
    Callee callee;
    callee.name = text(field.field.name);
    const Type* type = object->type;
    const std::string_view library = Builtins::libraryOf(type);
    if (!library.empty())
        if (const BuiltinEntry* entry = Builtins::find(library, text(field.field.name)))
            if (entry->kind == BuiltinKind::Function && isMemberOf(builtins_.signature(*entry), type))
                return callBuiltin(e, *entry, object, expected, nullptr);
    if (!e.isColon) return callValue(e, callee, member(object, field), nullptr, expected);
    // a:m(...) passes `a` to the function in its field.
    std::vector<TStmt*> before;
    TExpr* self = stash(before, object);
    TExpr* function = member(self, field);
    if (function->kind == TExprKind::MemberDyn) function->as<TMemberDyn>()->isMethod = true;
    TExpr* call = callValue(e, callee, function, self, expected);
    return wrapBefore(before, call);
}

// ---- Arguments ------------------------------------------------------------------------------------------------------

namespace {

bool isExpandable(const ast::Expr& e) {
    return e.kind == ast::NodeKind::CallExpr || e.kind == ast::NodeKind::VarargExpr;
}

}  // namespace

/// The values of a call or `...` as they come, of anything else its value.
TExpr* Checker::checkMulti(ast::Expr& e, const Type* expected) {
    if (e.kind == ast::NodeKind::CallExpr) {
        wantsAllValues_ = true;
        return checkCall(static_cast<ast::CallExpr&>(e), expected, nullptr);
    }
    if (e.kind == ast::NodeKind::VarargExpr) return checkVararg(static_cast<ast::VarargExpr&>(e));
    return checkExpr(e, expected);
}

TExpr* Checker::noValue(Range range, Loc loc) {
    diags_.report(diag::NoValue, range);
    return errorExpr(loc);
}

/// One argument as the parameter wants it. For library functions a number fits an integer with a check.
TExpr* Checker::passArgument(TExpr* value, const Type* param, const Callee& callee, size_t number, Range range) {
    argumentNumber_ = int64_t(number);
    argumentOf_ = callee.name;
    if (callee.kind == CallKind::Builtin && isNumber(value->type) && wantsIntegerOnly(param)) {
        value = convertNode(ConvertKind::Check, CheckReason::Integer, value, types_.integer());
        return convert(value, param, CheckReason::Argument, range);
    }
    return convert(value, param, CheckReason::Argument, range);
}

bool Checker::wantsIntegerOnly(const Type* type) {
    for (const Type* member : membersOf(type))
        if (!isInteger(member) && !isNil(member)) return false;
    return !isNil(type);
}

/// Matches the arguments of a call whose callee is known by type, and builds the call.
TExpr* Checker::finishCall(ast::CallExpr& e, Callee& callee, const Type* expected) {
    const FunctionType* type = callee.type;
    std::vector<TStmt*> before;
    Scratch<TExpr*> args(exprs_);
    if (callee.closure && callee.kind == CallKind::Closure && hasMultiLast(e))
        callee.closure = stash(before, callee.closure);
    if (callee.self) {
        if (type->params.empty() && !type->vararg) {
            reportCount(e, callee, 1);
            return errorExpr(e.range.begin);
        }
        const Type* param = type->params.empty() ? type->vararg : type->params[0];
        infer(param, callee.self->type, callee.bindings);
        for (TypeBinding& binding : callee.bindings) binding.isFixed = binding.type;  // what the object is decides
        args.add(passArgument(callee.self, types_.substitute(param, callee.bindings), callee, 0, e.callee->range));
    }
    const bool isGeneric = !callee.bindings.empty();
    if (isGeneric && expected && type->results.count == 1)
        inferFromContext(type->results[0], expected, callee.bindings);
    auto paramAt = [&](size_t i) -> const Type* {
        const Type* p = i < type->params.count ? type->params[i] : type->vararg;
        return p && isGeneric ? types_.substitute(p, callee.bindings) : p;
    };
    TExpr* pack = nullptr;
    bool isBad = false;
    std::vector<size_t> later;  // function literals whose parameters other arguments decide
    for (uint32_t i = 0; i < e.args.count; i++) {
        ast::Expr& arg = *e.args[i];
        const size_t at = args.size();
        const Type* param = paramAt(at);
        if (i + 1 == e.args.count && isExpandable(arg)) {
            TExpr* last = i < callee.checked.size() ? callee.checked[i] : checkMulti(arg, param);
            const size_t missing = type->params.count > at ? type->params.count - at : 0;
            const size_t shown = args.size();
            if (type->vararg && missing == 0) takeAllBytes(last);
            if (isMulti(last)) {
                if (needsDynamicSpread(last, type, missing)) return callSpread(e, callee, args, last, before);
                expandLast(last, missing, type->vararg != nullptr, args, 0, pack, before);
            } else {
                args.add(last);
            }
            for (size_t k = shown; k < args.size(); k++) {
                const Type* p = paramAt(k);
                if (!p) continue;
                if (isGeneric)
                    infer(k < type->params.count ? type->params[k] : type->vararg, args[k]->type, callee.bindings),
                        p = paramAt(k);
                args[k] = p->hasTypeParams
                              ? args[k]
                              : passArgument(args[k], p, callee, k + 1 - (callee.self != nullptr), arg.range);
                isBad |= isError(args[k]->type);
            }
            break;
        }
        if (param && param->hasTypeParams && arg.kind == ast::NodeKind::FunctionExpr && wantsOtherArguments(param)) {
            later.push_back(at);
            args.add(nullptr);
            continue;
        }
        const Type* hint = param && param->hasTypeParams && arg.kind != ast::NodeKind::FunctionExpr ? nullptr : param;
        TExpr* value = i < callee.checked.size() ? callee.checked[i] : nullptr;
        if (!value || isWholeLiteral(arg)) value = checkExpr(arg, hint);
        if (value->type->kind == TypeKind::Void) value = noValue(arg.range, value->loc);
        if (param) {
            if (isGeneric) {
                infer(at < type->params.count ? type->params[at] : type->vararg, value->type, callee.bindings);
                param = paramAt(at);
            }
            const bool isHopeless =
                param->hasTypeParams && !isError(value->type) && value->type->kind != param->kind &&
                (isFunction(param) || param->kind == TypeKind::Array || param->kind == TypeKind::Table);
            if (!param->hasTypeParams || isHopeless)
                value = passArgument(value, param, callee, at + 1 - (callee.self != nullptr), arg.range);
        }
        isBad |= isError(value->type);
        args.add(value);
    }
    for (size_t at : later) {
        ast::Expr& arg = *e.args[uint32_t(at - (callee.self != nullptr))];
        TExpr* value = checkExpr(arg, paramAt(at));
        infer(type->params[at], value->type, callee.bindings);
        args[at] = passArgument(value, paramAt(at), callee, at + 1 - (callee.self != nullptr), arg.range);
        isBad |= isError(args[at]->type);
    }
    const size_t given = args.size();
    if (given > type->params.count && !type->vararg) {
        reportCount(e, callee, given);
        isBad = true;
    } else if (given < minArgsOf(callee)) {
        reportCount(e, callee, given);
        isBad = true;
    }
    afterCall();
    if (type->neverReturns) flow_.isReachable = false;
    if (isBad) return errorOfCall(type, callee.bindings, e.range.begin);
    if (isGeneric && !bindRest(e, callee)) return errorExpr(e.range.begin);
    if (isGeneric)
        for (size_t i = 0; i < given; i++) args[i] = passArgument(args[i], paramAt(i), callee, i + 1, e.range);
    if (callee.kind == CallKind::Builtin)
        for (size_t i = given; i < type->params.count; i++)
            args.add(builtinDefault(*callee.signature, i, paramAt(i), e.range.begin));
    const size_t fixed = std::min<size_t>(args.size(), type->params.count);
    return wrapBefore(before, makeCall(e, callee, args.span().subspan(0, fixed), args.span().subspan(fixed), pack));
}

bool Checker::hasMultiLast(const ast::CallExpr& e) const { return e.args.count > 0 && isExpandable(*e.args.back()); }

/// After errors in the arguments the call still has its result types, so that nothing follows from them.
TExpr* Checker::errorOfCall(const FunctionType* type, std::span<const TypeBinding> bindings, Loc loc) {
    TExpr* error = errorExpr(loc);
    if (type->isVoid())
        error->type = type->neverReturns ? types_.never() : types_.voidType();
    else if (bindings.empty() && type->results.count == 1 && !type->variadicResult)
        error->type = types_.error();
    return error;
}

size_t Checker::minArgsOf(const Callee& callee) const {
    if (callee.signature) return callee.signature->minArgs();
    // A parameter whose type admits nil still has to be passed unless it has a default value.
    return callee.type->minArgs();
}

void Checker::reportCount(ast::CallExpr& e, const Callee& callee, size_t given) {
    const size_t self = callee.self ? 1 : 0;
    const size_t least = minArgsOf(callee) - std::min(minArgsOf(callee), self),
                 most = callee.type->params.count - std::min<size_t>(callee.type->params.count, self);
    given -= std::min(given, self);
    std::string expected = std::to_string(least);
    if (callee.type->vararg)
        expected = "at least " + expected;
    else if (most != least)
        expected += " to " + std::to_string(most);
    diags_.report(diag::ArgumentCount, e.argsRange.isValid() ? e.argsRange : e.range, int64_t(given),
                  callee.name.empty() ? "function" : callee.name, expected);
}

/// A pack that fills fixed parameters and goes on, or whose length decides about default values, is passed dynamically.
bool Checker::needsDynamicSpread(const TExpr* last, const FunctionType* type, size_t missing) {
    const TExpr* inner = last;
    while (inner->kind == TExprKind::Let) inner = inner->as<TLet>()->result;
    const bool isPack = inner->kind == TExprKind::Vararg || inner->kind == TExprKind::PackSelect ||
                        (inner->kind == TExprKind::Call && inner->as<TCall>()->variadicResults);
    if (!isPack || missing == 0) return false;
    if (type->defaults > 0) return true;
    return type->vararg && inner->kind != TExprKind::Vararg;
}

/// Calls through the dynamic entry, which matches the pack to the parameters.
TExpr* Checker::callSpread(ast::CallExpr& e, Callee& callee, Scratch<TExpr*>& args, TExpr* last,
                           std::vector<TStmt*>& before) {
    TExpr* value = callee.closure;
    if (!value && callee.kind == CallKind::Builtin) {
        auto* ref = expr<TBuiltinRef>(types_.anyFunction(), e.range.begin);
        ref->builtin = callee.signature->entry->index;
        value = ref;
    }
    if (!value) value = functionValue(*callee.function, e.range.begin);
    TExpr* pack = nullptr;
    expandLast(last, 0, true, args, 0, pack, before);
    auto* call = expr<TCall>(types_.any(), e.range.begin);
    call->callKind = CallKind::Dynamic;
    call->callee = convert(value, types_.any(), CheckReason::Assign, {});
    call->variadicResults = true;
    for (size_t i = 0; i < args.size(); i++) args[i] = convert(args[i], types_.any(), CheckReason::Argument, {});
    call->extras = args.list(arena());
    call->pack = pack;
    call->results = callee.type->results;
    call->variadicElement = callee.type->variadicResult ? callee.type->variadicResult : types_.any();
    afterCall();
    if (callee.type->neverReturns) {
        flow_.isReachable = false;
        call->type = types_.never();
    }
    if (callee.type->isVoid()) call->type = types_.voidType();
    return wrapBefore(before, call);
}

TExpr* Checker::makeCall(ast::CallExpr& e, Callee& callee, std::span<TExpr* const> args, std::span<TExpr* const> extras,
                         TExpr* pack) {
    const FunctionType* type = callee.type;
    auto* call = expr<TCall>(types_.voidType(), e.range.begin);
    call->callKind = callee.kind;
    call->function = callee.function;
    call->callee = callee.kind == CallKind::Closure ? callee.closure : nullptr;
    if (callee.signature) {
        call->builtin = callee.signature->entry->index;
        if (callee.signature->entry->needsType && type->results.count > 0)
            call->typeArgument = types_.substitute(type->results[0], callee.bindings);
    }
    call->args = arena().makeList<TExpr*>(args);
    if (!extras.empty()) {
        Scratch<TExpr*> boxed(exprs_);
        std::vector<TExpr*> copy(extras.begin(), extras.end());
        for (TExpr* extra : copy) boxed.add(convert(extra, types_.any(), CheckReason::Argument, {}));
        call->extras = boxed.list(arena());
    }
    call->pack = pack;
    call->results = type->results;
    if (!callee.bindings.empty()) {
        std::vector<const Type*> results;
        for (const Type* r : type->results) results.push_back(types_.substitute(r, callee.bindings));
        call->results = arena().makeList<const Type*>(results);
    }
    if (type->variadicResult) {
        call->variadicResults = true;
        call->variadicElement = types_.substitute(type->variadicResult, callee.bindings);
        call->type = types_.any();
    } else if (type->neverReturns) {
        call->type = types_.never();
    } else if (!call->results.empty()) {
        call->type = call->results[0];
    }
    return call;
}

/// A call of an `any` or `Function`.
TExpr* Checker::callDynamic(ast::CallExpr& e, TExpr* value, TExpr* self) {
    std::vector<TStmt*> before;
    Scratch<TExpr*> args(exprs_);
    if (hasMultiLast(e)) value = stash(before, value);
    if (self) args.add(convert(self, types_.any(), CheckReason::Argument, e.callee->range));
    TExpr* pack = nullptr;
    for (uint32_t i = 0; i < e.args.count; i++) {
        ast::Expr& arg = *e.args[i];
        if (i + 1 == e.args.count && isExpandable(arg)) {
            const size_t first = args.size();
            expandLast(checkMulti(arg, nullptr), 0, true, args, 0, pack, before);
            for (size_t k = first; k < args.size(); k++) {
                if (args[k]->type->kind == TypeKind::Void) args[k] = noValue(arg.range, args[k]->loc);
                args[k] = convert(args[k], types_.any(), CheckReason::Argument, arg.range);
            }
            break;
        }
        TExpr* v = checkExpr(arg, types_.any());
        if (v->type->kind == TypeKind::Void) v = noValue(arg.range, v->loc);
        args.add(convert(v, types_.any(), CheckReason::Argument, arg.range));
    }
    afterCall();
    auto* call = expr<TCall>(types_.any(), e.range.begin);
    call->callKind = CallKind::Dynamic;
    call->callee = value;
    call->variadicResults = true;
    call->variadicElement = types_.any();
    call->extras = args.list(arena());
    call->pack = pack;
    return wrapBefore(before, call);
}

/// A const function with untyped parameters: its body is typed for these arguments.
TExpr* Checker::callConst(ast::CallExpr& e, FunctionInfo& function) {
    std::vector<TStmt*> before;
    Scratch<TExpr*> args(exprs_);
    const size_t params = function.body_->params.count;
    std::vector<const Type*> argTypes;
    TExpr* pack = nullptr;
    bool isBad = false;
    for (uint32_t i = 0; i < e.args.count; i++) {
        ast::Expr& arg = *e.args[i];
        ast::TypeNode* annotation = i < params ? function.body_->params[i].decl.type : nullptr;
        const Type* wanted = annotation ? typeOf(*annotation) : nullptr;
        if (i + 1 == e.args.count && isExpandable(arg)) {
            expandLast(checkMulti(arg, wanted), params > args.size() ? params - args.size() : 0, false, args, 0, pack,
                       before);
        } else {
            args.add(checkExpr(arg, wanted));
        }
        TExpr*& value = args.back();
        if (value->type->kind == TypeKind::Void) value = noValue(arg.range, value->loc);
        isBad |= isError(value->type);
    }
    if (args.size() != params) {
        diags_.report(diag::ArgumentCount, e.argsRange, int64_t(args.size()), function.name, std::to_string(params));
        return errorExpr(e.range.begin);
    }
    if (isBad) return errorExpr(e.range.begin);
    for (size_t i = 0; i < args.size(); i++) argTypes.push_back(isNil(args[i]->type) ? types_.any() : args[i]->type);
    FunctionInfo* instance = instantiate(function, argTypes, e.range);
    if (!instance || !instance->type) return errorExpr(e.range.begin);
    Callee callee;
    callee.kind = CallKind::Function;
    callee.function = instance;
    callee.type = instance->type;
    callee.name = function.name;
    for (size_t i = 0; i < args.size(); i++)
        args[i] = passArgument(args[i], instance->type->params[uint32_t(i)], callee, i + 1,
                               e.args[uint32_t(std::min<size_t>(i, e.args.count - 1))]->range);
    afterCall();
    return wrapBefore(before, makeCall(e, callee, args.span(), {}, nullptr));
}

// ---- Type arguments -------------------------------------------------------------------------------------------------

/// Finds type parameters by matching a parameter's type with an argument's.
void Checker::infer(const Type* param, const Type* arg, std::span<TypeBinding> bindings) {
    if (!param->hasTypeParams || isError(arg)) return;
    switch (param->kind) {
        case TypeKind::TypeParam:
            for (TypeBinding& binding : bindings)
                if (binding.param == param) {
                    if (isImplicitAny(arg)) arg = types_.any();
                    if (!binding.type)
                        binding.type = arg;
                    else if (!binding.isFixed && isAssignable(binding.type, arg))
                        binding.type = arg;
                }
            return;
        case TypeKind::Array:
            if (auto* a = asIf<ArrayType>(arg)) infer(as<ArrayType>(param)->element, a->element, bindings);
            return;
        case TypeKind::Table:
            if (auto* t = asIf<TableType>(arg)) {
                infer(as<TableType>(param)->key, t->key, bindings);
                infer(as<TableType>(param)->value, t->value, bindings);
            }
            return;
        case TypeKind::Function: {
            auto *p = as<FunctionType>(param), *a = asIf<FunctionType>(arg);
            if (!a) return;
            for (uint32_t i = 0; i < std::min(p->params.count, a->params.count); i++)
                infer(p->params[i], a->params[i], bindings);
            for (uint32_t i = 0; i < std::min(p->results.count, a->results.count); i++)
                infer(p->results[i], a->results[i], bindings);
            return;
        }
        case TypeKind::Union: {
            // T? against U?: what is left of both without nil.
            const Type* rest = types_.withoutNil(arg);
            for (const Type* member : membersOf(param))
                if (member->hasTypeParams && rest->kind != TypeKind::Never) infer(member, rest, bindings);
            return;
        }
        default: return;
    }
}

/// The context decides before the arguments: `local a: Array<integer> = Array.new(n, 0)`.
void Checker::inferFromContext(const Type* result, const Type* expected, std::span<TypeBinding> bindings) {
    for (const Type* member : membersOf(expected))
        if (member->kind == result->kind && (result->kind == TypeKind::Array || result->kind == TypeKind::Table))
            infer(result, member, bindings);
}

/// A function literal whose parameter types are still open waits for the other arguments.
bool Checker::wantsOtherArguments(const Type* param) {
    for (const Type* member : membersOf(param))
        if (auto* f = asIf<FunctionType>(member))
            for (const Type* p : f->params)
                if (p->hasTypeParams) return true;
    return false;
}

/// Reports type parameters that nothing determined.
bool Checker::bindRest(ast::CallExpr& e, Callee& callee) {
    for (TypeBinding& binding : callee.bindings)
        if (!binding.type) {
            diags_.report(diag::CannotInfer, e.callee->range, text(binding.param->name), callee.name);
            return false;
        }
    return true;
}

// ---- Library functions ----------------------------------------------------------------------------------------------

TExpr* Checker::builtinDefault(const BuiltinSignature& signature, size_t param, const Type* type, Loc loc) {
    const std::string_view value = signature.params[param].defaultValue;
    TExpr* result;
    if (value.empty())
        result = nilConst(loc);
    else if (value[0] == '"')
        result = stringConst(value.substr(1, value.size() - 2), loc);
    else if (value == "true" || value == "false")
        result = boolConst(value == "true", loc);
    else if (isInteger(types_.withoutNil(type)))
        result = integerConst(std::atoll(std::string(value).c_str()), loc);
    else
        result = numberConst(std::atof(std::string(value).c_str()), loc);
    return convert(result, type, CheckReason::Argument, {});
}

/// Could the argument go into the parameter as it is? `withChecks` admits a number for an integer.
bool Checker::fitsCase(const ast::Expr& source, const Type* arg, const Type* param, bool withChecks) {
    if (isError(arg)) return true;
    if (isAny(arg)) return isAny(param);
    if (isInteger(param) && isWholeLiteral(source)) return true;
    if (isAssignable(arg, param)) return true;
    return withChecks && isNumber(arg) && wantsIntegerOnly(param);
}

/// The narrower form of a library function that the arguments fit, or the function itself (builtins.def).
const BuiltinEntry& Checker::chooseCase(const BuiltinEntry& general, ast::CallExpr& e, TExpr* self,
                                        std::vector<TExpr*>& checked, bool& dropsLiteral) {
    dropsLiteral = false;
    const std::vector<const BuiltinEntry*> cases = Builtins::casesOf(general);
    if (cases.empty()) return general;
    auto* literal = e.args.count > 0 ? ast::as<ast::StringExpr>(e.args[0]) : nullptr;
    // The types of the arguments decide; finishCall takes the values from here. Literals inside take what the object holds.
    std::vector<const Type*> types;
    std::vector<TypeBinding> ofSelf;
    const FunctionType* whole = builtins_.signature(general).type;
    if (self) {
        for (const TypeParamType* p : builtins_.signature(general).typeParams) ofSelf.push_back({p, nullptr, false});
        infer(whole->params[0], self->type, ofSelf);
    }
    auto hintAt = [&](uint32_t i) -> const Type* {
        if (!self) return nullptr;
        const Type* param = i + 1 < whole->params.count ? whole->params[i + 1] : whole->vararg;
        if (param) param = types_.substitute(param, ofSelf);
        return param && !param->hasTypeParams ? param : nullptr;
    };
    for (uint32_t i = 0; i < e.args.count; i++) {
        ast::Expr& arg = *e.args[i];
        const bool waits = arg.kind == ast::NodeKind::FunctionExpr || arg.kind == ast::NodeKind::BraceExpr;
        TExpr* value = waits ? nullptr : i + 1 == e.args.count ? checkMulti(arg, hintAt(i)) : checkExpr(arg, hintAt(i));
        checked.push_back(value);
        types.push_back(!value ? nullptr : isMulti(value) ? types_.never() : value->type);
    }
    for (const bool withChecks : {false, true}) {
        for (size_t k = 0; k <= cases.size(); k++) {
            const BuiltinEntry& entry = k < cases.size() ? *cases[k] : general;
            if (!entry.literal.empty() && (!literal || literal->value != entry.literal)) continue;
            const BuiltinSignature& signature = builtins_.signature(entry);
            const size_t skip = entry.literal.empty() ? 0 : 1;
            const size_t selfCount = self ? 1 : 0;
            const size_t given = e.args.count - skip + selfCount;
            if (given < signature.minArgs() || (given > signature.params.size() && !signature.type->vararg)) continue;
            std::vector<TypeBinding> bindings;
            for (const TypeParamType* p : signature.typeParams) bindings.push_back({p, nullptr, false});
            if (self) infer(signature.type->params[0], self->type, bindings);
            bool fits = true;
            for (size_t i = skip; i < e.args.count && fits; i++) {
                const size_t at = i - skip + selfCount;
                const Type* param =
                    at < signature.type->params.count ? signature.type->params[uint32_t(at)] : signature.type->vararg;
                if (!types[i]) continue;
                if (types[i]->kind == TypeKind::Never) {  // several values: the general form takes them
                    fits = &entry == &general;
                    continue;
                }
                infer(param, types[i], bindings);
                param = types_.substitute(param, bindings);
                fits = param->hasTypeParams ? false : fitsCase(*e.args[uint32_t(i)], types[i], param, withChecks);
            }
            if (!fits) continue;
            dropsLiteral = skip == 1;
            return entry;
        }
    }
    return general;
}

TExpr* Checker::callBuiltin(ast::CallExpr& e, const BuiltinEntry& general, TExpr* self, const Type* expected,
                            Pred** pred) {
    if (general.name == "select") {
        bool handled = false;
        TExpr* value = callSelect(e, handled);
        if (handled) return value;
    }
    if (general.name == "tostring" && e.args.count == 1 && !isExpandable(*e.args[0])) {
        TExpr* operand = checkExpr(*e.args[0], nullptr);
        if (operand->type->kind == TypeKind::Void) return noValue(e.args[0]->range, operand->loc);
        auto* string = expr<TToString>(types_.string(), e.range.begin);
        string->operand = operand;
        afterCall();
        return string;
    }
    bool dropsLiteral = false;
    Callee callee;
    const BuiltinEntry& entry = chooseCase(general, e, self, callee.checked, dropsLiteral);
    const BuiltinSignature& signature = builtins_.signature(entry);
    callee.kind = CallKind::Builtin;
    callee.signature = &signature;
    callee.type = signature.type;
    callee.name = general.name;
    callee.self = self;
    for (const TypeParamType* p : signature.typeParams) callee.bindings.push_back({p, nullptr, false});
    if (pred) *pred = nullptr;
    if (!dropsLiteral) return finishCall(e, callee, expected);
    ast::CallExpr rest = e;
    rest.args = {e.args.items + 1, e.args.count - 1};
    callee.checked.erase(callee.checked.begin());
    return finishCall(rest, callee, expected);
}

/// `assert(v, ...)` gives its arguments back and narrows `v`. `wantsAll`: where all of them are wanted.
TExpr* Checker::callAssert(ast::CallExpr& e, bool wantsAll) {
    const BuiltinSignature& signature = builtins_.signature(*Builtins::find("assert"));
    Callee callee;
    callee.kind = CallKind::Builtin;
    callee.signature = &signature;
    callee.type = signature.type;
    callee.name = "assert";
    if (e.args.empty()) {
        reportCount(e, callee, 0);
        return errorExpr(e.range.begin);
    }
    Pred* pred = nullptr;
    std::vector<TStmt*> before;
    Scratch<TExpr*> values(exprs_);
    TExpr* pack = nullptr;
    const bool isSpread = e.args.count == 1 && isExpandable(*e.args[0]);
    TExpr* first = isSpread ? checkMulti(*e.args[0], nullptr) : checkExpr(*e.args[0], nullptr, &pred);
    if (first->type->kind == TypeKind::Void) return noValue(e.args[0]->range, first->loc);
    if (isError(first->type)) {
        for (uint32_t i = 1; i < e.args.count; i++) checkExpr(*e.args[i], nullptr);
        return first;
    }
    if (wantsAll && (e.args.count > 1 || isMulti(first))) return assertedPack(e, callee, first, pred);
    if (isMulti(first)) {
        TExpr* inner = first;
        while (inner->kind == TExprKind::Let) inner = inner->as<TLet>()->result;
        auto* call = inner->kind == TExprKind::Call ? inner->as<TCall>() : nullptr;
        const bool isFixed = call && !call->variadicResults;
        // What follows the first value is the message of failures.
        const size_t count = call && call->results.count > 2 ? call->results.count : 2;
        expandLast(first, isFixed ? call->results.count : count, false, values, 0, pack, before);
    } else {
        values.add(first);
    }
    for (uint32_t i = 1; i < e.args.count; i++) {
        TExpr* value = checkExpr(*e.args[i], nullptr);
        if (value->type->kind == TypeKind::Void) value = noValue(e.args[i]->range, value->loc);
        values.add(value);
    }
    afterCall();
    flow_.assume(pred, true);
    // The checked values: held in temporaries, passed boxed, and given back with their types.
    std::vector<const Type*> results;
    for (size_t i = 0; i < values.size(); i++) {
        values[i] = stash(before, values[i]);
        results.push_back(values[i]->type);
    }
    auto* call = expr<TCall>(types_.any(), e.range.begin);
    call->callKind = CallKind::Builtin;
    call->builtin = signature.entry->index;
    call->variadicResults = true;
    call->variadicElement = types_.any();
    Scratch<TExpr*> boxed(exprs_);
    for (size_t i = 0; i < results.size(); i++) boxed.add(nullptr);
    for (size_t i = 0; i < results.size(); i++)
        boxed[i] = convert(values[i], types_.any(), CheckReason::Argument, e.range);
    call->args = arena().makeList<TExpr*>(boxed.span().subspan(0, 1));
    call->extras = arena().makeList<TExpr*>(boxed.span().subspan(1));
    auto* run = stmt<TExprStmt>(e.range.begin);
    run->expr = call;
    before.push_back(run);
    const Type* type = results[0];
    const Type* kept = isAny(type) ? type : types_.withoutNil(type);
    if (kept->kind == TypeKind::Never) {
        flow_.isReachable = false;
        return let(before, nilConst(e.range.begin));
    }
    return let(before, narrowedTo(values[0], kept, kept));
}

/// `assert` as a pack: its first value is known to be there.
TExpr* Checker::assertedPack(ast::CallExpr& e, Callee& callee, TExpr* first, Pred* pred) {
    const Type* kept = isMulti(first) ? types_.any() : types_.withoutNil(first->type);
    callee.checked.push_back(first);
    TExpr* value = finishCall(e, callee, nullptr);
    flow_.assume(pred, true);
    if (kept->kind == TypeKind::Never) flow_.isReachable = false;
    TExpr* inner = value;
    while (inner->kind == TExprKind::Let) inner = inner->as<TLet>()->result;
    if (inner->kind == TExprKind::Call && !isAny(kept) && kept->kind != TypeKind::Never)
        inner->as<TCall>()->results = arena().makeList<const Type*>({&kept, 1});
    return value;
}

/// `select("#", ...)` and `select(n, ...)`.
TExpr* Checker::callSelect(ast::CallExpr& e, bool& handled) {
    if (e.args.count != 2 || e.args[1]->kind != ast::NodeKind::VarargExpr) return nullptr;
    handled = true;
    TExpr* pack = checkVararg(static_cast<ast::VarargExpr&>(*e.args[1]));
    auto* literal = ast::as<ast::StringExpr>(e.args[0]);
    if (literal && literal->value == "#") {
        auto* count = expr<TPackCount>(types_.integer(), e.range.begin);
        count->pack = pack;
        return count;
    }
    TExpr* from = checkExpr(*e.args[0], types_.integer());
    argumentNumber_ = 1;
    argumentOf_ = "select";
    if (isNumber(from->type)) from = convertNode(ConvertKind::Check, CheckReason::Integer, from, types_.integer());
    from = convert(from, types_.integer(), CheckReason::Argument, e.args[0]->range);
    if (isError(from->type)) return from;
    auto* select = expr<TPackSelect>(types_.any(), e.range.begin);
    select->from = from;
    select->pack = pack;
    return select;
}

}  // namespace luapp::sema
