// Events: handlers are added and removed as changed copies of an array, so that Invoke walks what was there when it began.
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

/// May the event be invoked and counted here? Reports if not.
bool Checker::mayInvoke(const Member& event, const ast::Ident& name) {
    if (derivesFrom(currentClass(), event.info->owner)) return true;
    diags_.report(diag::EventOutside, name.range, text(name.name), text(event.info->owner->name));
    return false;
}

/// `object.Event.count`.
TExpr* Checker::eventMember(TExpr* handlers, const ast::Ident& name) {
    const Member event = eventMember_;
    eventNode_ = nullptr;
    const Loc loc = name.range.begin;
    if (text(name.name) != "count") {
        diags_.report(diag::EventUse, name.range, text(event.info->name));
        return errorExpr(loc);
    }
    if (!mayInvoke(event, name)) return errorExpr(loc);
    std::vector<TStmt*> before;
    TExpr* held = stash(before, handlers);
    auto* length = expr<TLength>(types_.integer(), loc);
    length->operand = convertNode(ConvertKind::Retype, CheckReason::Assign, held, types_.withoutNil(handlers->type));
    auto* count = expr<TConditional>(types_.integer(), loc);
    count->condition = isNilTest(held, false);
    count->then = length;
    count->otherwise = integerConst(0, loc);
    return wrapBefore(before, count);
}

/// `object.Event.Invoke(...)`: arguments once, then each handler of the snapshot.
TExpr* Checker::invokeEvent(ast::CallExpr& e, TExpr* handlers, const ast::Ident& name) {
    const Member event = eventMember_;
    eventNode_ = nullptr;
    const Loc loc = e.range.begin;
    if (text(name.name) != "Invoke") {
        diags_.report(diag::EventUse, name.range, text(event.info->name));
        checkArgsOnly(e);
        return errorExpr(loc);
    }
    if (!mayInvoke(event, name)) {
        checkArgsOnly(e);
        return errorExpr(loc);
    }
    std::vector<TStmt*> before;
    // LANGUAGE 11: the object first, then the arguments.
    if (handlers->kind == TExprKind::FieldGet) {
        auto* get = handlers->as<TFieldGet>();
        get->object = stash(before, get->object);
    }
    const Type* arrayType = types_.withoutNil(handlers->type);
    const auto* handler = as<FunctionType>(as<ArrayType>(arrayType)->element);
    Variable* each = temp(handler);
    Callee callee;
    callee.kind = CallKind::Closure;
    callee.type = handler;
    callee.name = text(event.info->name);
    callee.closure = getVar(each, loc);
    TExpr* call = finishCall(e, callee, nullptr);
    if (isError(call->type)) return call;
    call = unwrapLet(call, before);
    if (auto* plain = call->kind == TExprKind::Call ? call->as<TCall>() : nullptr) {
        std::vector<TExpr*> args, extras;
        for (TExpr* arg : plain->args) args.push_back(stash(before, arg));
        for (TExpr* extra : plain->extras) extras.push_back(stash(before, extra));
        plain->args = arena().makeList<TExpr*>(args);
        plain->extras = arena().makeList<TExpr*>(extras);
    }
    TExpr* held = stash(before, handlers);
    auto* run = stmt<TExprStmt>(loc);
    run->expr = call;
    TStmt* body = run;
    auto* loop = stmt<TForArray>(loc);
    loop->index = nullptr;
    loop->value = each;
    loop->array = convertNode(ConvertKind::Retype, CheckReason::Assign, held, arrayType);
    loop->body = block({&body, 1}, loc);
    TStmt* inner = loop;
    auto* branch = stmt<TIf>(loc);
    branch->condition = isNilTest(held, false);
    branch->then = block({&inner, 1}, loc);
    branch->otherwise = nullptr;
    before.push_back(branch);
    TExpr* nothing = nilConst(loc);
    nothing->type = types_.voidType();
    return let(before, nothing);
}

/// A call of a member of the library's arrays with arguments of the right types.
TExpr* Checker::arrayCall(std::string_view name, std::span<TExpr* const> args, const Type* result, Loc loc) {
    const BuiltinEntry& entry = *Builtins::find("Array", name);
    auto* call = expr<TCall>(result, loc);
    call->callKind = CallKind::Builtin;
    call->builtin = entry.index;
    if (entry.needsType) call->typeArgument = result;
    call->args = arena().makeList<TExpr*>(args);
    call->results = arena().makeList<const Type*>({&result, 1});
    return call;
}

/// `object.Event += handler` and `-=`.
void Checker::changeHandlers(ast::CompoundStmt& s, Place& place) {
    const Loc loc = s.opRange.begin;
    const Type* type = place.type;
    const Type* arrayType = types_.withoutNil(type);
    const Type* handlerType = as<ArrayType>(arrayType)->element;
    if (s.op != ast::BinaryOp::Add && s.op != ast::BinaryOp::Sub) {
        diags_.report(diag::EventHandler, s.target->range, text(place.member.info->name));
        checkExpr(*s.value, nullptr);
        return;
    }
    spillPlace(place);
    TExpr* handler = checkAs(*s.value, handlerType, CheckReason::Assign);
    if (isError(handler->type)) return;
    std::vector<TStmt*> before;
    handler = stash(before, handler);
    TExpr* old = stash(before, fieldGet(place.object, place.member, loc));
    for (TStmt* b : before) emit(b);
    TExpr* present = convertNode(ConvertKind::Retype, CheckReason::Assign, old, arrayType);
    auto set = [&](TExpr* value) {
        return fieldSet(place.object, place.member, convert(value, type, CheckReason::Assign, {}), loc);
    };
    auto* branch = stmt<TIf>(loc);
    branch->condition = isNilTest(old, false);
    branch->otherwise = nullptr;
    if (s.op == ast::BinaryOp::Add) {
        auto* one = expr<TArrayLit>(arrayType, loc);
        one->elements = arena().makeList<TExpr*>({&handler, 1});
        one->pack = nullptr;
        TExpr* const both[] = {present, one};
        TStmt* const longer = set(arrayCall("join", both, arrayType, loc));
        TStmt* const first = set(one);
        branch->then = block({&longer, 1}, loc);
        branch->otherwise = block({&first, 1}, loc);
        emit(branch);
        afterCall();
        return;
    }
    // -=: from the latest on, the first equal one goes.
    auto* length = expr<TLength>(types_.integer(), loc);
    length->operand = present;
    Variable* at = temp(types_.integer());
    at->isReassigned = true;
    auto plus = [&](TExpr* value, int64_t by) {
        auto* sum = expr<TBinary>(types_.integer(), loc);
        sum->op = ArithOp::Add;
        sum->left = value;
        sum->right = integerConst(by, loc);
        return sum;
    };
    auto* get = expr<TArrayGet>(handlerType, loc);
    get->array = present;
    get->index = getVar(at, loc);
    auto* same = expr<TCompare>(types_.boolean(), loc);
    same->op = CompareOp::Eq;
    same->left = get;
    same->right = handler;
    const Type* optionalIndex = types_.optional(types_.integer());
    TExpr* const front[] = {present, integerConst(0, loc), convert(getVar(at, loc), optionalIndex, CheckReason::Assign, {})};
    TExpr* const back[] = {present, plus(getVar(at, loc), 1), convert(length, optionalIndex, CheckReason::Assign, {})};
    TExpr* const parts[] = {arrayCall("slice", front, arrayType, loc), arrayCall("slice", back, arrayType, loc)};
    TStmt* const found[] = {set(arrayCall("join", parts, arrayType, loc)), stmt<TBreak>(loc)};
    auto* test = stmt<TIf>(loc);
    test->condition = same;
    test->then = block(found, loc);
    test->otherwise = nullptr;
    auto* step = stmt<TAssign>(loc);
    step->variable = at;
    step->value = plus(getVar(at, loc), -1);
    TStmt* const body[] = {step, test};
    auto* more = expr<TCompare>(types_.boolean(), loc);
    more->op = CompareOp::Gt;
    more->left = getVar(at, loc);
    more->right = integerConst(0, loc);
    auto* loop = stmt<TWhile>(loc);
    loop->condition = more;
    loop->body = block(body, loc);
    TStmt* const search[] = {declareTemp(at, length, loc), loop};
    branch->then = block(search, loc);
    emit(branch);
    afterCall();
}

}  // namespace luapp::sema
