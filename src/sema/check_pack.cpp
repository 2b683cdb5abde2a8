// Several values at once: results of calls, `...`, and how many of them are wanted.
#include <algorithm>

#include "runtime/lib/builtin_table.h"
#include "sema/context.h"

namespace luapp::sema {

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

/// True if the value is a pack of unknown length.
bool Checker::isPack(const TExpr* value) const {
    if (value->kind == TExprKind::Let) return isPack(value->as<TLet>()->result);
    if (value->kind == TExprKind::Call) return value->as<TCall>()->variadicResults;
    return value->kind == TExprKind::Vararg || value->kind == TExprKind::PackSelect;
}

}  // namespace luapp::sema
