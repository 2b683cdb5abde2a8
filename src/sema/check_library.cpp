// Calls of library functions: the form that fits, default values, and those with rules of their own.
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

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
        return param && !param->isOpen ? param : nullptr;
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
                if (!types[i]) {
                    fits = couldBe(*e.args[uint32_t(i)], nullptr, param);
                    continue;
                }
                if (types[i]->kind == TypeKind::Never) {  // several values: the general form takes them
                    fits = &entry == &general;
                    continue;
                }
                infer(param, types[i], bindings);
                param = types_.substitute(param, bindings);
                fits = param->isOpen ? false : fitsCase(*e.args[uint32_t(i)], types[i], param, withChecks);
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
    if (general.name == "tostring" && e.args.count == 1) {
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

/// A call of `assert` whose arguments are known in number, or null.
ast::CallExpr* Checker::assertOfFixed(ast::Expr& expr) {
    auto* call = ast::as<ast::CallExpr>(&expr);
    auto* name = call ? ast::as<ast::NameExpr>(call->callee) : nullptr;
    if (!name || name->resolved || text(name->name) != "assert" || call->args.empty() || hasMultiLast(*call)) return nullptr;
    return call;
}

/// `assert(v, ...)` gives its arguments back and narrows `v`. `wantsAll`: where all of them are wanted. `further`, for an
/// assertOfFixed(): gets the values after the first, which are there once the result is.
TExpr* Checker::callAssert(ast::CallExpr& e, bool wantsAll, std::vector<TExpr*>* further) {
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
    if (further)
        for (size_t i = 1; i < results.size(); i++) further->push_back(values[i]);
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
