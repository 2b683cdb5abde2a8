#include "sema/relations.h"

#include <algorithm>

#include "sema/context.h"

namespace luapp::sema {

namespace {

/// The machine's part of a conversion between assignable types that are no functions.
Fit fitByRep(const Type* from, const Type* to) { return from->rep == to->rep ? Fit::Retype : Fit::Widen; }

/// May `from` be used where `to` is called? Fit::Retype only if a call through `to` is a call of `from` as it is.
Fit relateFunctions(const FunctionType* from, const FunctionType* to) {
    // Every number of arguments that `to` admits must suit `from`.
    if (from->minArgs() > to->minArgs()) return Fit::None;
    if (to->params.count > from->params.count && !from->vararg) return Fit::None;
    if (to->vararg && !from->vararg) return Fit::None;
    bool same =
        from->params.count == to->params.count && from->defaults == to->defaults && !from->vararg == !to->vararg;
    for (uint32_t i = 0; i < to->params.count; i++) {
        const Type* given = to->params[i];
        const Type* taken = i < from->params.count ? from->params[i] : from->vararg;
        if (!isAssignable(given, taken)) return Fit::None;
        same &= given->rep == taken->rep && !isFunction(given);
    }
    if (to->vararg && !isAssignable(to->vararg, from->vararg)) return Fit::None;
    if (from->neverReturns) return same && to->neverReturns ? Fit::Retype : Fit::Adapt;
    if (to->neverReturns) return Fit::None;
    if (to->results.count != from->results.count || !to->variadicResult != !from->variadicResult) return Fit::None;
    for (uint32_t i = 0; i < to->results.count; i++) {
        if (!isAssignable(from->results[i], to->results[i])) return Fit::None;
        same &= from->results[i]->rep == to->results[i]->rep && !isFunction(to->results[i]);
    }
    if (to->variadicResult && !isAssignable(from->variadicResult, to->variadicResult)) return Fit::None;
    return same ? Fit::Retype : Fit::Adapt;
}

}  // namespace

Fit relate(const Type* from, const Type* to) {
    if (from == to) return Fit::Same;
    if (isError(from) || isError(to) || from->kind == TypeKind::Never) return Fit::Same;
    if (from->kind == TypeKind::Void || to->kind == TypeKind::Void) return Fit::None;
    if (isAny(to)) return isAny(from) ? Fit::Same : fitByRep(from, to);
    if (isAny(from)) return Fit::Check;
    if (auto* u = asIf<UnionType>(from)) {
        for (const Type* member : u->members) {
            const Fit fit = relate(member, to);
            if (fit == Fit::None || fit == Fit::Check) return Fit::None;
            // A boxed integer is a boxed number; a function that needs an adapter cannot hide in a union.
            if (fit == Fit::Adapt) return Fit::None;
        }
        return fitByRep(from, to);
    }
    if (auto* u = asIf<UnionType>(to)) {
        Fit best = Fit::None;
        for (const Type* member : u->members) {
            const Fit fit = relate(from, member);
            if (fit == Fit::None || fit == Fit::Check) continue;
            if (fit != Fit::Adapt) return fitByRep(from, to);
            best = fit;
        }
        return best;
    }
    if (isInteger(from) && isNumber(to)) return Fit::Widen;
    if (const Type* kept = keptOf(from); kept != from && isAssignable(kept, to)) return Fit::Retype;
    if (auto* object = asIf<ClassType>(from))
        if (auto* base = asIf<ClassType>(to)) return ancestorOf(object, base->info) == base ? Fit::Retype : Fit::None;
    if (const Type* kept = keptOf(to); kept != to) {
        const auto& parts = as<InterfaceType>(to)->info->interfaces;
        const bool isAll = isAssignable(from, kept) && std::all_of(parts.begin(), parts.end(), [&](const InterfaceType* part) {
            return isAssignable(from, part);
        });
        return isAll ? Fit::Retype : Fit::None;
    }
    if (auto* wanted = asIf<InterfaceType>(to)) return interfaceOf(from, wanted->info) == wanted ? Fit::Retype : Fit::None;
    if (auto* param = asIf<TypeParamType>(from))
        for (const InterfaceType* bound : param->use->bounds)
            if (isAssignable(bound, to)) return fitByRep(from, to);
    if (auto* f = asIf<FunctionType>(from)) {
        if (to->kind == TypeKind::AnyFunction) return Fit::Retype;
        if (auto* t = asIf<FunctionType>(to)) return relateFunctions(f, t);
    }
    return Fit::None;
}

bool areDisjoint(const Type* a, const Type* b) {
    if (isAny(a) || isAny(b) || isError(a) || isError(b)) return false;
    if (isUnion(a) || isUnion(b)) {
        for (const Type* x : membersOf(a))
            for (const Type* y : membersOf(b))
                if (!areDisjoint(x, y)) return false;
        return true;
    }
    if (a->kind == TypeKind::Never || b->kind == TypeKind::Never) return false;
    if (a->hasTypeParams || b->hasTypeParams) return false;
    if (isCallable(a) && isCallable(b)) return false;
    if (relate(a, b) != Fit::None || relate(b, a) != Fit::None) return false;
    if (keptOf(a) != a || keptOf(b) != b) return false;
    return !haveCommonClass(a, b);
}

// ---- Conversions of expressions -------------------------------------------------------------------------------------

TExpr* Checker::convertNode(ConvertKind kind, CheckReason reason, TExpr* operand, const Type* type) {
    auto* n = expr<TConvert>(type, operand->loc);
    n->convertKind = kind;
    n->reason = reason;
    n->operand = operand;
    return n;
}

/// A whole literal takes the numeric type that is wanted.
TExpr* Checker::retypeLiteral(TExpr* value, const Type* wanted) {
    if (value->kind == TExprKind::IntegerConst && isInteger(value->type) && isNumber(wanted))
        return numberConst(double(value->as<TIntegerConst>()->value), value->loc);
    return value;
}

TExpr* Checker::tryConvert(TExpr* value, const Type* wanted, CheckReason reason) {
    const Type* from = value->type;
    if (from == wanted) return value;
    if (isError(from) || isError(wanted)) return value;
    value = retypeLiteral(value, wanted);
    from = value->type;
    if (from == wanted) return value;
    if (value->kind == TExprKind::NilConst && wanted->admitsNil) {
        TExpr* nil = nilConst(value->loc);
        nil->type = wanted;
        return nil;
    }
    // LANGUAGE 5: an index expression itself where a non-optional value is required is checked instead of refused.
    if (value->kind == TExprKind::TableGet && from->admitsNil && !wanted->admitsNil) {
        auto* get = value->as<TTableGet>();
        const Type* element = as<TableType>(get->table->type)->value;
        if (!get->checked && !element->admitsNil && relate(element, wanted) != Fit::None) {
            get->checked = true;
            get->type = element;
            return tryConvert(value, wanted, reason);
        }
    }
    switch (relate(from, wanted)) {
        case Fit::None:
            if (reason != CheckReason::Cast && reason != CheckReason::LoopVar)
                if (const ClassType* target = implicitTarget(wanted))
                    if (TExpr* made = convertImplicitly(value, target)) return tryConvert(made, wanted, reason);
            return nullptr;
        case Fit::Same: return value;
        case Fit::Retype: return convertNode(ConvertKind::Retype, reason, value, wanted);
        case Fit::Widen: return convertNode(ConvertKind::Widen, reason, value, wanted);
        case Fit::Adapt:
            if (auto* u = asIf<UnionType>(wanted)) {
                for (const Type* member : u->members)
                    if (relate(from, member) == Fit::Adapt)
                        return tryConvert(convertNode(ConvertKind::Adapt, reason, value, member), wanted, reason);
            }
            return convertNode(ConvertKind::Adapt, reason, value, wanted);
        case Fit::Check:
            if (isImplicitAny(from)) return nullptr;
            return convertNode(ConvertKind::Check, reason, value, wanted);
    }
    return nullptr;
}

TExpr* Checker::convert(TExpr* value, const Type* wanted, CheckReason reason, Range range) {
    if (TExpr* converted = tryConvert(value, wanted, reason)) return converted;
    reportMismatch(value, wanted, reason, range);
    return errorExpr(value->loc);
}

void Checker::reportMismatch(TExpr* value, const Type* wanted, CheckReason reason, Range range) {
    const Type* from = value->type;
    if (from->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, range);
        return;
    }
    if (reportImplicitAny(value, range)) return;
    const std::string found = show(from), expected = show(wanted);
    if (reason == CheckReason::Argument) {
        auto message = diags_.report(diag::ArgumentMismatch, range, argumentNumber_, argumentOf_, found, expected);
        if (from->admitsNil && !isNil(from) && isAssignable(types_.withoutNil(from), wanted))
            message.note(diag::MayBeNilNote, {});
        return;
    }
    if (from->admitsNil && !isNil(from) && relate(types_.withoutNil(from), wanted) != Fit::None) {
        diags_.report(diag::MayBeNil, range, found, expected);
        return;
    }
    if (isNumber(from) && (isInteger(wanted) || wanted == types_.optional(types_.integer()))) {
        diags_.report(diag::NumberToInteger, range, expected);
        return;
    }
    if (reason == CheckReason::Return) {
        diags_.report(diag::ReturnMismatch, range, found, expected);
        return;
    }
    auto message = diags_.report(diag::TypeMismatch, range, found, expected);
    auto *a = asIf<RecordType>(from), *b = asIf<RecordType>(wanted);
    if (!a || !b) return;
    // For records say where the two part.
    for (const RecordField& field : b->fields) {
        const int at = a->indexOf(field.name);
        if (at < 0) {
            message.note(diag::FieldMissingNote, {}, text(field.name), expected);
            return;
        }
        if (a->fields[uint32_t(at)].type != field.type) {
            message.note(diag::FieldDiffersNote, {}, text(field.name), show(a->fields[uint32_t(at)].type),
                         show(field.type));
            return;
        }
    }
    for (const RecordField& field : a->fields)
        if (b->indexOf(field.name) < 0) {
            message.note(diag::FieldExtraNote, {}, text(field.name), expected);
            return;
        }
}

bool Checker::reportImplicitAny(TExpr* value, Range range) {
    if (!isImplicitAny(value->type)) return false;
    std::string_view name = "";
    for (TExpr* at = value; at;) {
        if (at->kind == TExprKind::VarGet) {
            name = text(at->as<TVarGet>()->variable->name);
            break;
        }
        at = at->kind == TExprKind::Convert ? at->as<TConvert>()->operand : nullptr;
    }
    diags_.report(diag::NeedsAnnotation, range, name);
    return true;
}

TExpr* Checker::toBoolean(TExpr* value) {
    const Type* type = value->type;
    if (isBoolean(type) || isError(type)) return value;
    auto* test = expr<TTruthy>(types_.boolean(), value->loc);
    test->operand = value;
    return test;
}

// ---- Narrowing ------------------------------------------------------------------------------------------------------

const Type* Checker::narrowTo(const Type* type, const Type* tested) {
    if (isAny(type)) return tested;
    std::vector<const Type*> left;
    for (const Type* member : membersOf(type)) {
        if (isAssignable(member, tested)) {
            left.push_back(member);
            continue;
        }
        for (const Type* wanted : membersOf(tested))
            if (isAssignable(wanted, member) || member->kind == TypeKind::TypeParam)
                left.push_back(wanted);
            else if (objectInfoOf(member) && objectInfoOf(wanted))
                if (const Type* both = types_.both(member, wanted)) left.push_back(both);
    }
    const Type* result = types_.unionOf(left);
    if (!isUnion(result)) return result;
    left.clear();
    for (const Type* member : membersOf(result)) left.push_back(keptOf(member));
    return types_.unionOf(left);
}

const Type* Checker::narrowFrom(const Type* type, const Type* tested) {
    if (!isUnion(type)) return type;
    std::vector<const Type*> left;
    for (const Type* member : membersOf(type))
        if (!isAssignable(member, tested)) left.push_back(member);
    return types_.unionOf(left);
}

Pred* Checker::narrowPred(SemaVar* variable, const Type* whenTrue, const Type* whenFalse) {
    // A test that leaves nothing says nothing: the code behind it is checked as if it could run.
    const Type* now = variable->typeNow();
    if (whenTrue && (whenTrue == now || whenTrue->kind == TypeKind::Never)) whenTrue = nullptr;
    if (whenFalse && (whenFalse == now || whenFalse->kind == TypeKind::Never)) whenFalse = nullptr;
    if (!whenTrue && !whenFalse) return nullptr;
    return arena().make<Pred>(Pred::Kind::Narrow, variable, whenTrue, whenFalse, nullptr, nullptr);
}

/// The narrowed type where a test left nothing of the present one: of the declared type then.
Pred* Checker::nilPred(SemaVar* variable, bool whenNil) {
    const Type* now = variable->typeNow();
    if (!now || isAny(now) || isError(now)) return nullptr;  // null: its declaration was in error
    const Type* without = types_.withoutNil(now);
    if (without->kind == TypeKind::Never && variable->type) without = types_.withoutNil(variable->type);
    const Type* nil = now->admitsNil ? types_.nil() : nullptr;
    return whenNil ? narrowPred(variable, nil, without) : narrowPred(variable, without, nil);
}

Pred* Checker::truthPred(SemaVar* variable) {
    const Type* now = variable->typeNow();
    if (!now || isAny(now) || isError(now)) return nullptr;  // null: its declaration was in error
    const Type* truthy = types_.withoutNil(now);
    if (truthy->kind == TypeKind::Never && variable->type) truthy = types_.withoutNil(variable->type);
    // When false: nil, or false where a boolean is among the members.
    const Type* falsy = types_.never();
    for (const Type* member : membersOf(now))
        if (isNil(member) || isBoolean(member)) falsy = types_.unionOf(falsy, member);
    return narrowPred(variable, truthy, falsy);
}

Pred* Checker::typePred(SemaVar* variable, const Type* tested) {
    const Type* now = variable->typeNow();
    if (!now || isError(now)) return nullptr;
    const Type* to = narrowTo(now, tested);
    if (to->kind == TypeKind::Never && variable->type) to = narrowTo(variable->type, tested);
    return narrowPred(variable, to, isAny(now) ? nullptr : narrowFrom(now, tested));
}

Pred* Checker::combine(Pred::Kind kind, Pred* left, Pred* right) {
    if (!left && !right) return nullptr;
    if (kind == Pred::Kind::Not && left->kind == Pred::Kind::Not) return left->left;
    return arena().make<Pred>(kind, nullptr, nullptr, nullptr, left, right);
}

}  // namespace luapp::sema
