// Calls: finding the callee, matching arguments to parameters, type arguments.
#include <algorithm>
#include <utility>

#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Callees --------------------------------------------------------------------------------------------------------

/// A call as written, with all its results; a void call has type Void.
TExpr* Checker::checkCall(ast::CallExpr& e, const Type* expected, Pred** pred) {
    const Level level(level_);
    if (pred) *pred = nullptr;
    const bool wantsAll = std::exchange(wantsAllValues_, false);
    Callee callee;
    callee.name = "";
    bool special = false;
    if (bool isBaseCall = false; const ClassType* base = baseNamed(*e.callee, isBaseCall)) {
        return baseConstructorCall(e, *base);
    } else if (isBaseCall) {
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    if (auto* name = ast::as<ast::NameExpr>(e.callee)) {
        callee.name = text(name->name);
        if (SemaVar* variable = current(name->resolved)) return callVariable(e, *variable, callee, expected);
        const BuiltinEntry* entry = isLenient() ? nullptr : Builtins::find(text(name->name));
        if (entry && entry->name == "assert") return callAssert(e, wantsAll);
        if (entry && entry->kind == BuiltinKind::Function) return callBuiltin(e, *entry, nullptr, expected, pred);
    } else if (auto* field = ast::as<ast::FieldExpr>(e.callee)) {
        callee.name = text(field->field.name);
        const BuiltinEntry* entry = libraryEntry(*field, special);
        SemaVar* variable = entry || special ? nullptr : namespaceMember(*field, special);
        if (special && e.isColon && (entry || variable)) reportColon(*field);
        if (entry) {
            if (entry->kind == BuiltinKind::Function) return callBuiltin(e, *entry, nullptr, expected, pred);
        } else if (variable) {
            return callVariable(e, *variable, callee, expected);
        } else if (special) {
            checkArgsOnly(e);
            return errorExpr(e.range.begin);
        } else if (Nominal* nominal = nominalIn(*field->object)) {
            if (e.isColon) reportColon(*field);
            return callNominalMember(e, *nominal, field->field, expected);
        } else if (const ClassType* from = nullptr; isBaseObject(*field->object, from)) {
            return callInherited(e, *field, from, expected);
        } else {
            TExpr* object = chainLink(checkLinkObject(*field->object), field->isOptional, field->object->range);
            return callMember(e, *field, object, expected);
        }
    }
    return callValue(e, callee, checkExpr(*e.callee, nullptr), nullptr, expected);
}

/// `m:f()` where `m` is a library or a module.
void Checker::reportColon(ast::FieldExpr& field) {
    auto* name = ast::as<ast::NameExpr>(field.object);
    const Range colon{field.object->range.end, field.field.range.begin};
    diags_.report(diag::ColonOnNamespace, colon, name ? text(name->name) : "a module").fixIt(colon, ".");
}

/// After an error in the callee: the arguments are checked for their own errors.
void Checker::checkArgsOnly(ast::CallExpr& e) {
    for (ast::Expr* arg : e.args)
        if (arg->kind != ast::NodeKind::FunctionExpr && arg->kind != ast::NodeKind::BraceExpr) checkExpr(*arg, nullptr);
}

TExpr* Checker::callVariable(ast::CallExpr& e, SemaVar& variable, Callee& callee, const Type* expected) {
    if (variable.nominal) return constructCall(e, *variable.nominal, expected);
    if (variable.member) return callBareMember(e, *variable.member, expected);
    auto* function = static_cast<FunctionInfo*>(variable.function);
    if (!function) return callValue(e, callee, readVariable(variable, e.callee->range), nullptr, expected);
    knowSignature(*function);
    if (function->hasUntypedParams) return callConst(e, *function);
    if (isLoose(*function)) return callLenient(e, *function);
    callee.kind = CallKind::Function;
    callee.function = function;
    callee.type = function->type;
    if (!callee.type) {  // its own result is being inferred
        diags_.report(diag::ResultNotKnownYet, e.callee->range, function->name);
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    if (function->isGeneric() && !openCallee(callee, function->type, function->typeParams.span(), e)) {
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
    if (isLenient() && (!isFunction(value->type) || isLooseType(as<FunctionType>(value->type)))) value = loosened(value);
    if (auto* type = asIf<FunctionType>(value->type)) {
        callee.type = type;
        callee.kind = CallKind::Closure;
        callee.closure = value;
        callee.self = self;
        if (value->kind == TExprKind::FuncRef && value->as<TFuncRef>()->typeArguments.empty()) {
            callee.kind = CallKind::Function;
            callee.function = static_cast<FunctionInfo*>(value->as<TFuncRef>()->function);
        }
        return finishCall(e, callee, expected);
    }
    if (isCallable(value->type)) return callDynamic(e, value, self);
    value = asBound(value, interner_.intern("__call"));
    if (const Member call = operatorOf(value->type, "__call"); call.info && !call.info->isStatic)
        return callMethod(e, value, call, expected, false);
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
    object = asBound(object, field.field.name);
    if (object == eventNode_) return invokeEvent(e, object, field.field);
    if (objectInfoOf(object->type)) return callObjectMember(e, field, object, expected);
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
    std::vector<Range> ranges;  // of the arguments
    if (callee.typeParams.empty() && !bindExplicit(callee, e)) {
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    if (callee.object && hasMultiLast(e)) callee.object = stash(before, callee.object);
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
        ranges.push_back(e.callee->range);
    }
    const bool isGeneric = !callee.bindings.empty();
    if (isGeneric && expected && type->results.count > 0)
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
            while (ranges.size() < at) ranges.push_back(arg.range);
            const size_t missing = type->params.count > at ? type->params.count - at : 0;
            const size_t shown = args.size();
            if (type->vararg && missing == 0) takeAllBytes(last);
            if (isMulti(last)) {
                if (needsDynamicSpread(last, type, missing)) return callSpread(e, callee, args, last, before);
                expandLast(last, missing, type->vararg != nullptr, args, 0, pack, before);
            } else {
                args.add(last->type->kind == TypeKind::Void && param ? noValue(arg.range, last->loc) : last);
            }
            for (size_t k = shown; k < args.size(); k++) {
                const Type* p = paramAt(k);
                if (!p) continue;
                if (isGeneric)
                    infer(k < type->params.count ? type->params[k] : type->vararg, args[k]->type, callee.bindings),
                        p = paramAt(k);
                args[k] = p->isOpen
                              ? args[k]
                              : passArgument(args[k], p, callee, k + 1 - (callee.self != nullptr), arg.range);
                isBad |= isError(args[k]->type);
            }
            while (ranges.size() < args.size()) ranges.push_back(arg.range);
            break;
        }
        ranges.push_back(arg.range);
        if (param && param->isOpen &&
            ((arg.kind == ast::NodeKind::FunctionExpr && wantsOtherArguments(param)) || genericNamed(arg))) {
            later.push_back(at);
            args.add(nullptr);
            continue;
        }
        const Type* hint = param && arg.kind != ast::NodeKind::FunctionExpr ? hintFor(param, callee.bindings) : param;
        TExpr* value = i < callee.checked.size() ? callee.checked[i] : nullptr;
        if (!value || isWholeLiteral(arg)) value = checkExpr(arg, hint);
        if (value->type->kind == TypeKind::Void) value = noValue(arg.range, value->loc);
        if (param) {
            if (isGeneric) {
                infer(at < type->params.count ? type->params[at] : type->vararg, value->type, callee.bindings);
                param = paramAt(at);
            }
            const bool isHopeless =
                param->isOpen && !isError(value->type) && value->type->kind != param->kind &&
                (isFunction(param) || param->kind == TypeKind::Array || param->kind == TypeKind::Table ||
                 param->kind == TypeKind::Record || param->kind == TypeKind::Class);
            if (!param->isOpen || isHopeless)
                value = passArgument(value, param, callee, at + 1 - (callee.self != nullptr), arg.range);
        }
        isBad |= isError(value->type);
        args.add(value);
    }
    if (!later.empty()) settleTaken(callee.bindings);
    for (size_t at : later) {
        const bool isFixed = at < type->params.count;
        ast::Expr& arg = *e.args[uint32_t(at - (callee.self != nullptr))];
        if (!isBad && reportOpenParameter(arg, paramAt(at), callee)) isBad = true;
        TExpr* value = isBad ? errorExpr(arg.range.begin) : checkExpr(arg, paramAt(at));
        infer(isFixed ? type->params[at] : type->vararg, value->type, callee.bindings);
        if (!paramAt(at)->isOpen)
            value = passArgument(value, paramAt(at), callee, at + 1 - (callee.self != nullptr), arg.range);
        args[at] = value;
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
    if (isGeneric && !closeCallee(callee, e.callee->range)) return errorExpr(e.range.begin);
    if (isGeneric)
        for (size_t i = callee.self != nullptr; i < given; i++) {
            args[i] = passArgument(args[i], paramAt(i), callee, i + 1 - (callee.self != nullptr), ranges[i]);
            isBad |= isError(args[i]->type);
        }
    if (isBad) return errorOfCall(type, callee.bindings, e.range.begin);
    if (callee.kind == CallKind::Builtin)
        for (size_t i = given; i < type->params.count; i++)
            args.add(builtinDefault(*callee.signature, i, paramAt(i), e.range.begin));
    const size_t fixed = std::min<size_t>(args.size(), type->params.count);
    return wrapBefore(before, makeCall(e, callee, args.span().subspan(0, fixed), args.span().subspan(fixed), pack));
}

bool Checker::hasMultiLast(const ast::CallExpr& e) const { return e.args.count > 0 && isExpandable(*e.args.back()); }

/// A function literal whose parameters nothing says anything about. What the context would like is taken for them.
bool Checker::reportOpenParameter(ast::Expr& arg, const Type* param, Callee& callee) {
    auto* literal = ast::as<ast::FunctionExpr>(&arg);
    const FunctionType* wanted = functionIn(param);
    if (!literal || !wanted) return false;
    for (uint32_t i = 0; i < std::min(literal->body->params.count, wanted->params.count); i++) {
        const Type* open = wanted->params[i];
        if (literal->body->params[i].decl.type || !open->isOpen) continue;
        for (TypeBinding& binding : callee.bindings)
            if (!binding.type && (open == binding.param || open->kind != TypeKind::TypeParam)) {
                binding.type = binding.hint;
                if (binding.type) continue;
                diags_.report(diag::CannotInfer, literal->body->params[i].decl.range, text(binding.param->name), callee.name);
                return true;
            }
    }
    return false;
}

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
    if (!callee.bindings.empty() && !closeCallee(callee, e.callee->range)) return errorExpr(e.range.begin);
    if (callee.constructor && callee.object) {  // the constructor of a base is no value
        reportCount(e, callee, args.size());
        return errorExpr(e.range.begin);
    }
    if (!value && callee.construct) {
        value = classValue(*callee.construct, e.range);
    } else if (!value && callee.object) {
        auto* bound = expr<TBoundMethod>(types_.substitute(callee.type, callee.bindings), e.range.begin);
        bound->object = callee.object;
        bound->method = callee.method ? callee.method : callee.function->method;
        bound->methodOwner = callee.methodOwner;
        bound->function = callee.function;
        bound->typeArguments = callee.ownerArgs;
        value = bound;
    } else if (!value) {
        value = functionValue(*callee.function, e.range.begin);
        if (callee.function->type) value->type = types_.substitute(callee.type, callee.bindings);
        value->as<TFuncRef>()->typeArguments = typeArgumentsOf(callee);
    }
    TExpr* pack = nullptr;
    expandLast(last, 0, true, args, 0, pack, before);
    auto* call = expr<TCall>(types_.any(), e.range.begin);
    call->callKind = CallKind::Dynamic;
    call->callee = convert(value, types_.any(), CheckReason::Assign, {});
    call->variadicResults = true;
    for (size_t i = 0; i < args.size(); i++) args[i] = convert(args[i], types_.any(), CheckReason::Argument, {});
    call->extras = args.list(arena());
    call->pack = pack;
    auto* closed = as<FunctionType>(types_.substitute(callee.type, callee.bindings));
    call->results = closed->results;
    call->variadicElement = closed->variadicResult ? closed->variadicResult : types_.any();
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
    if (callee.construct)
        return newObject(callee, as<ClassType>(types_.substitute(type->results[0], callee.bindings)), args, extras, pack,
                         e.range.begin);
    auto* call = expr<TCall>(types_.voidType(), e.range.begin);
    call->callKind = callee.kind;
    call->function = callee.function;
    call->typeArguments = typeArgumentsOf(callee);
    call->callee = callee.kind == CallKind::Closure ? callee.closure : nullptr;
    if (callee.signature) {
        call->builtin = callee.signature->entry->index;
        if (callee.signature->entry->needsType && type->results.count > 0)
            call->typeArgument = types_.substitute(type->results[0], callee.bindings);
    }
    call->args = arena().makeList<TExpr*>(args);
    if (callee.object) {
        std::vector<TExpr*> all{callee.object};
        all.insert(all.end(), args.begin(), args.end());
        call->args = arena().makeList<TExpr*>(all);
        call->method = callee.method;
        call->methodOwner = callee.methodOwner;
        if (callee.method && args.size() < type->params.count)
            call->method = shorterEntry(*callee.method, uint32_t(args.size()));
        if (!callee.ownerArgs.empty()) {
            std::vector<const Type*> given(callee.ownerArgs.begin(), callee.ownerArgs.end());
            for (const Type* own : call->typeArguments) given.push_back(own);
            call->typeArguments = arena().makeList<const Type*>(given);
        }
    }
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
    if (!e.typeArgs.empty())
        diags_.report(diag::NotGeneric, cover(e.typeArgs[0]->range, e.typeArgs.back()->range), show(value->type));
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
    if (!e.typeArgs.empty())
        diags_.report(diag::NotGeneric, cover(e.typeArgs[0]->range, e.typeArgs.back()->range), function.name);
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
    FunctionInfo* instance = instantiateConst(function, argTypes, e.range);
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

}  // namespace luapp::sema
