// Loops: what holds at their head, numeric `for`, and `for` over values, functions and iterator triplets.
#include <algorithm>

#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Loops ----------------------------------------------------------------------------------------------------------

/// Checks a loop whose `pass` does everything from the head to the back edge and returns true if the loop can be left
/// at the head. The state at the head must hold for the back edge too: if it does not, the pass is repeated with what
/// both have in common, at last without any narrowing of what the loop assigns.
void Checker::checkLoop(Range range, const std::function<void(LoopState&, FlowJoin& leaving, size_t head)>& pass) {
    const size_t entry = flow_.mark();
    const bool wasReachable = flow_.isReachable;
    const size_t messages = diags_.list().size();
    const size_t functions = program_.functions.size();
    const size_t instances = instances_.size();
    const size_t statements = statements_.size();
    auto widenAssigned = [&] {
        flow_.forgetWhere([&](SemaVar* v) {
            for (AssignSite* site = v->assignments; site; site = site->next)
                if (site->loc >= range.begin && site->loc < range.end) return true;
            return false;
        });
    };
    flow_.forgetVolatile();
    if (uncertainLoops_ >= 2) widenAssigned();
    for (int round = 0;; round++) {
        const size_t head = flow_.mark();
        LoopState state;
        flow_.open(state.exits);
        flow_.open(state.continues);
        loops_.push_back(&state);
        uncertainLoops_++;
        FlowJoin leaving;
        pass(state, leaving, head);
        uncertainLoops_--;
        loops_.pop_back();
        flow_.arrive(state.continues);  // the back edge
        flow_.undo(head);
        const FlowJoin back = flow_.close(state.continues);
        FlowJoin exits = flow_.close(state.exits);
        bool isStable = true;
        FlowDelta widened;
        if (back.isReached) {
            for (const FlowChange& change : back.delta) {
                const Type* joined =
                    change.oldType ? flow_.joinTypes(change.variable, change.oldType, change.newType) : nullptr;
                if (joined == change.oldType) continue;
                isStable = false;
                widened.push_back(change);
                widened.back().newType = joined;
            }
        }
        if (isStable) {
            // Left at the head (a condition was false) or by break.
            if (leaving.isReached) {
                flow_.isReachable = true;
                flow_.redo(leaving.delta);
                flow_.joinHere(exits, head);
                flow_.undo(head);
            }
            flow_.continueFrom(exits, head);
            if (!wasReachable) flow_.isReachable = false;
            return;
        }
        diags_.rollback(messages);
        program_.functions.resize(functions);
        instances_.resize(instances);
        statements_.resize(statements);
        flow_.isReachable = wasReachable;
        for (const FlowChange& change : widened) flow_.setType(change.variable, round == 0 ? change.newType : nullptr);
        if (round >= 1) widenAssigned();
        if (round > 64) LUAPP_UNREACHABLE("a loop's flow state does not settle");
    }
    (void)entry;
}

namespace {

bool isTrueLiteral(ast::Expr& e) {
    auto* b = ast::as<ast::BoolExpr>(&e);
    return b && b->value;
}

}  // namespace

void Checker::check(ast::WhileStmt& s) {
    auto* loop = stmt<TWhile>(s.range.begin);
    checkLoop(s.range, [&](LoopState&, FlowJoin& leaving, size_t head) {
        Pred* pred = nullptr;
        loop->condition = checkCondition(*s.condition, &pred);
        const size_t mark = flow_.mark();
        if (!isTrueLiteral(*s.condition)) {
            flow_.assume(pred, false);
            flow_.joinHere(leaving, head);
            flow_.undo(mark);
        }
        flow_.assume(pred, true);
        loop->body = checkBlock(s.body);
    });
    emit(loop);
}

void Checker::check(ast::RepeatStmt& s) {
    auto* loop = stmt<TRepeat>(s.range.begin);
    checkLoop(s.range, [&](LoopState& state, FlowJoin& leaving, size_t head) {
        Pred* pred = nullptr;
        repeatDepth_++;
        {
            Scratch<TStmt*> list(statements_);
            checkStatements(s.body.statements.span());
            loop->body = block(list.span(), s.body.range.begin);
        }
        // The condition is reached from the end of the body and from each `continue`.
        flow_.arrive(state.continues);
        flow_.undo(head);
        flow_.continueFrom(flow_.close(state.continues), head);
        flow_.open(state.continues);
        const UntilLoop* const outer = untilLoop_;
        const UntilLoop until{s.range, &state};
        untilLoop_ = &until;
        loop->condition = checkCondition(*s.condition, &pred);
        untilLoop_ = outer;
        repeatDepth_--;
        const size_t mark = flow_.mark();
        flow_.assume(pred, true);
        flow_.joinHere(leaving, head);
        flow_.undo(mark);
        flow_.assume(pred, false);
    });
    emit(loop);
}

/// A loop variable with the type of what the loop gives it, or its annotation. `raw` is what the loop sets: the
/// variable itself, or a temporary that is converted at the start of each turn (`convertStmt`).
SemaVar* Checker::loopVariable(ast::NameDecl& name, const Type* element, Variable*& raw, TStmt*& convertStmt) {
    SemaVar* v = current(name.variable);
    v->current = nullptr;
    v->isAssigned = true;
    v->isTypeKnown = true;
    convertStmt = nullptr;
    raw = v;
    v->type = isImplicitAny(element) ? types_.any() : element;
    if (!name.type) return v;
    const Type* declared = typeOf(*name.type);
    if (declared == element || isError(declared)) {
        v->type = declared;
        return v;
    }
    v->type = declared;
    raw = temp(element);
    TExpr* value = getVar(raw, name.range.begin);
    TExpr* converted = tryConvert(value, declared, CheckReason::LoopVar);
    const Type* part = converted ? nullptr : narrowTo(element, declared);
    if (!converted && part->kind != TypeKind::Never)
        converted = convertNode(ConvertKind::Check, CheckReason::LoopVar, value, declared);
    if (!converted) {
        reportMismatch(value, declared, CheckReason::LoopVar, name.range);
        converted = errorExpr(name.range.begin);
    }
    auto* declare = stmt<TLocalDecl>(name.range.begin);
    declare->variable = v;
    declare->init = converted;
    convertStmt = declare;
    return v;
}

void Checker::check(ast::NumericForStmt& s) {
    if (isLenient()) return lenientFor(s);
    auto* loop = stmt<TNumericFor>(s.range.begin);
    auto bound = [&](ast::Expr& e, bool integerContext) {
        TExpr* value = checkExpr(e, integerContext || isWholeLiteral(e) ? types_.integer() : nullptr);
        if (TExpr* present = withKeyPresent(value)) value = present;
        if (isNumeric(value->type) || isError(value->type)) return value;
        if (isAny(value->type) && !isImplicitAny(value->type))
            return convert(value, types_.number(), CheckReason::Assign, e.range);
        reportMismatch(value, types_.number(), CheckReason::Assign, e.range);
        return errorExpr(value->loc);
    };
    TExpr* start = bound(*s.from, false);
    TExpr* limit = bound(*s.to, isInteger(start->type));
    TExpr* step = s.step ? bound(*s.step, isInteger(start->type)) : nullptr;
    loop->isInteger = isInteger(start->type) && (!step || isInteger(step->type));
    if (!loop->isInteger && !isError(start->type)) {
        start = convert(start, types_.number(), CheckReason::Assign, s.from->range);
        limit = convert(limit, types_.number(), CheckReason::Assign, s.to->range);
        if (step) step = convert(step, types_.number(), CheckReason::Assign, s.step->range);
    }
    loop->start = start;
    loop->limit = limit;
    loop->step = step;
    checkStep(s, step, limit);
    const Type* type = isError(start->type) ? types_.error() : loop->isInteger ? types_.integer() : types_.number();
    LoopFromOne fromOne;
    LoopFromOne* const outerFromOne = loopFromOne_;
    if (noteFromOne(s, start, fromOne)) loopFromOne_ = &fromOne;
    checkLoop(s.range, [&](LoopState&, FlowJoin& leaving, size_t head) {
        flow_.joinHere(leaving, head);
        Scratch<TStmt*> list(statements_);
        Variable* raw = nullptr;
        TStmt* convertStmt = nullptr;
        loopVariable(s.variable, type, raw, convertStmt);
        loop->variable = raw;
        if (convertStmt) emit(convertStmt);
        checkStatements(s.body.statements.span());
        loop->body = block(list.span(), s.body.range.begin);
    });
    loopFromOne_ = outerFromOne;
    emit(loop);
}

void Checker::checkStep(ast::NumericForStmt& s, TExpr* step, TExpr* limit) {
    if (!step) return;
    double value = 0;
    if (step->kind == TExprKind::IntegerConst)
        value = double(step->as<TIntegerConst>()->value);
    else if (step->kind == TExprKind::NumberConst)
        value = step->as<TNumberConst>()->value;
    else
        return;
    if (value == 0) diags_.report(diag::ZeroStep, s.step->range);
    const bool toZero = (limit->kind == TExprKind::IntegerConst && limit->as<TIntegerConst>()->value == 0) ||
                        (limit->kind == TExprKind::NumberConst && limit->as<TNumberConst>()->value == 0);
    if (value < 0 && toZero) diags_.report(diag::LoopToZero, s.to->range);
}

/// `for i = 1, #a`: remembered, to warn where `a[i]` stands in the body.
bool Checker::noteFromOne(ast::NumericForStmt& s, TExpr* start, LoopFromOne& note) {
    if (start->kind != TExprKind::IntegerConst || start->as<TIntegerConst>()->value != 1) return false;
    auto* length = ast::as<ast::UnaryExpr>(s.to);
    if (!length || length->op != ast::UnaryOp::Len) return false;
    SemaVar* array = variableOf(*length->operand);
    if (!array || !array->type || array->typeNow()->kind != TypeKind::Array) return false;
    note = {current(s.variable.variable), array, cover(s.from->range, s.to->range)};
    return true;
}

// ---- Generic for ----------------------------------------------------------------------------------------------------

/// `pairs(x)`, `ipairs(x)`: the name and `x`, if the expression is that.
std::string_view Checker::pairsCall(ast::Expr& e, ast::Expr*& arg) {
    auto* call = ast::as<ast::CallExpr>(&e);
    if (!call || call->args.count != 1) return {};
    auto* callee = ast::as<ast::NameExpr>(call->callee);
    if (!callee || callee->resolved || isLenient()) return {};
    const std::string_view name = text(callee->name);
    if (name != "pairs" && name != "ipairs") return {};
    arg = call->args[0];
    return name;
}

void Checker::check(ast::GenericForStmt& s) {
    if (s.values.empty()) return iterateNothing(s);  // after a syntax error
    if (s.values.count == 1) {
        ast::Expr* arg = nullptr;
        const std::string_view pairs = pairsCall(*s.values[0], arg);
        TExpr* value = checkMulti(pairs.empty() ? *s.values[0] : *arg, nullptr);
        if (!isMulti(value)) {
            if (TExpr* present = withKeyPresent(value)) value = present;
            if (pairs.empty()) value = iteratorOf(value, s.values[0]->range);
            if (isString(value->type)) value = loosened(value);
            const Type* type = value->type;
            const bool isDirect =
                type->kind == TypeKind::Array || type->kind == TypeKind::Table || (isString(type) && pairs.empty());
            if (isDirect && !(pairs == "ipairs" && type->kind == TypeKind::Table))
                return iterateValue(s, value, !pairs.empty());
            if (isError(type)) return iterateNothing(s);
            if (!pairs.empty()) {
                if (reportImplicitAny(value, arg->range)) return iterateNothing(s);
                value = pairsTriplet(pairs, value, s.values[0]->range);
            }
        } else if (!pairs.empty()) {
            value = pairsTriplet(pairs, single(value, arg->range), s.values[0]->range);
        }
        return isLenient() ? lenientForIn(s, value) : iterateCalls(s, value);
    }
    isLenient() ? lenientForIn(s, nullptr) : iterateCalls(s, nullptr);
}

/// What is iterated over for an object: what its `__iter` gives, or else its `__call`.
TExpr* Checker::iteratorOf(TExpr* value, Range range) {
    if (TExpr* call = iteratorCall(value, range.begin)) return call;
    TExpr* object = asBound(value, interner_.intern("__call"));
    const Member call = operatorOf(object->type, "__call");
    return call.info && !call.info->isStatic ? boundMethod(object, call, range) : value;
}

/// The loop variables get types all the same.
void Checker::iterateNothing(ast::GenericForStmt& s) {
    for (ast::NameDecl& name : s.variables) {
        SemaVar* v = current(name.variable);
        v->type = name.type ? typeOf(*name.type) : types_.error();
        v->isAssigned = true;
    }
    checkLoop(s.range, [&](LoopState&, FlowJoin& leaving, size_t head) {
        flow_.joinHere(leaving, head);
        checkBlock(s.body);
    });
}

TExpr* Checker::pairsTriplet(std::string_view name, TExpr* value, Range range) {
    const BuiltinSignature& signature = builtins_.signature(*Builtins::find(name));
    auto* call = expr<TCall>(signature.type->results[0], range.begin);
    call->callKind = CallKind::Builtin;
    call->builtin = signature.entry->index;
    TExpr* arg = convert(value, types_.any(), CheckReason::Argument, range);
    call->args = arena().makeList<TExpr*>({&arg, 1});
    call->results = signature.type->results;
    afterCall();
    return call;
}

/// Over an array, table or string. `viaPairs`: the first variable is the index or key even if it is the only one.
void Checker::iterateValue(ast::GenericForStmt& s, TExpr* value, bool viaPairs) {
    const Type* type = value->type;
    const Type* first = types_.integer();
    const Type* second = types_.string();
    if (auto* array = asIf<ArrayType>(type)) second = array->element;
    if (auto* table = asIf<TableType>(type)) first = table->key, second = table->value;
    if (s.variables.count > 2) {
        diags_.report(diag::LoopVariableCount, s.variables[2].range, show(type));
        return iterateNothing(s);
    }
    const bool isTable = type->kind == TypeKind::Table;
    const bool onlyValue = s.variables.count == 1 && !viaPairs && !isTable;
    Variable *firstVar = nullptr, *secondVar = nullptr;
    TBlock* body = nullptr;
    checkLoop(s.range, [&](LoopState&, FlowJoin& leaving, size_t head) {
        flow_.joinHere(leaving, head);
        Scratch<TStmt*> list(statements_);
        TStmt *a = nullptr, *b = nullptr;
        firstVar = secondVar = nullptr;
        if (onlyValue) {
            loopVariable(s.variables[0], second, secondVar, a);
        } else {
            loopVariable(s.variables[0], first, firstVar, a);
            if (s.variables.count == 2) loopVariable(s.variables[1], second, secondVar, b);
        }
        if (!secondVar && !isTable) secondVar = temp(second);
        if (a) emit(a);
        if (b) emit(b);
        checkStatements(s.body.statements.span());
        body = block(list.span(), s.body.range.begin);
    });
    const Loc loc = s.values[0]->range.begin;
    switch (type->kind) {
        case TypeKind::Array: {
            auto* loop = stmt<TForArray>(loc);
            loop->index = firstVar;
            loop->value = secondVar;
            loop->array = value;
            loop->body = body;
            emit(loop);
            return;
        }
        case TypeKind::Table: {
            auto* loop = stmt<TForTable>(loc);
            loop->key = firstVar;
            loop->value = secondVar;
            loop->table = value;
            loop->body = body;
            emit(loop);
            return;
        }
        default: {
            auto* loop = stmt<TForString>(loc);
            loop->index = firstVar;
            loop->value = secondVar;
            loop->string = value;
            loop->body = body;
            emit(loop);
            return;
        }
    }
}

/// Over a function, Lua's triplet (function, state, control), or an `any` that may be either or a container.
void Checker::iterateCalls(ast::GenericForStmt& s, TExpr* only) {
    std::vector<TStmt*> before;
    Scratch<TExpr*> triplet(exprs_);
    TExpr* pack = nullptr;
    const Range range = s.values[0]->range;
    const Loc loc = range.begin;
    if (only) {
        expandLast(only, 3, false, triplet, 0, pack, before);
    } else {
        for (uint32_t i = 0; i < s.values.count; i++) {
            if (i + 1 == s.values.count && i < 3)
                expandLast(checkMulti(*s.values[i], nullptr), 3 - i, false, triplet, 0, pack, before);
            else
                triplet.add(checkExpr(*s.values[i], nullptr));
        }
    }
    const Type* type = triplet[0]->type;
    if (type->kind == TypeKind::Void) {
        noValue(range, loc);
        return iterateNothing(s);
    }
    if (isError(type)) return iterateNothing(s);
    if (reportImplicitAny(triplet[0], range)) return iterateNothing(s);
    if (!isCallable(type)) {
        if (type->admitsNil && isOptional(type))
            diags_.report(diag::MayBeNilLoop, range, show(type));
        else
            diags_.report(diag::CannotIterate, range, show(type));
        return iterateNothing(s);
    }
    auto* iterator = asIf<FunctionType>(type);
    std::vector<Variable*> held;
    if (isAny(type) && triplet.size() == 1) {
        // Anything: the runtime makes a triplet of it.
        for (int i = 0; i < 3; i++) held.push_back(temp(types_.any()));
        auto* source = expr<TIterTriplet>(types_.any(), loc);
        source->operand = triplet[0];
        source->variables = s.variables.count;
        auto* bind = stmt<TMultiBind>(loc);
        bind->variables = arena().makeList<Variable*>(held);
        bind->source = source;
        before.push_back(bind);
        afterCall();
    } else {
        for (size_t i = 0; i < 3; i++) {
            const Type* wanted = i == 0                                    ? type
                                 : iterator && i <= iterator->params.count ? iterator->params[uint32_t(i - 1)]
                                                                           : types_.any();
            if (i > 0 && iterator && i > iterator->params.count && i >= triplet.size()) break;
            TExpr* value = i < triplet.size() ? triplet[i] : nilConst(loc);
            // The control variable of a typed iterator starts as nil where none is given.
            value = convert(value, wanted, CheckReason::Assign, range);
            held.push_back(temp(wanted));
            before.push_back(declareTemp(held.back(), value, loc));
        }
    }
    for (TStmt* b : before) emit(b);
    const size_t count = s.variables.count;
    // The types of the values: the first ends the loop by being nil.
    std::vector<const Type*> results;
    for (size_t i = 0; i < count; i++) {
        const Type* result = types_.any();
        if (iterator) {
            if (i < iterator->results.count)
                result = i == 0 ? types_.withoutNil(iterator->results[0]) : iterator->results[uint32_t(i)];
            else if (iterator->variadicResult)
                result = types_.withoutNil(iterator->variadicResult);
            else {
                diags_.report(diag::IteratorGivesLess, s.variables[uint32_t(i)].range, show(type),
                              int64_t(iterator->results.count));
                return iterateNothing(s);
            }
        }
        results.push_back(result->kind == TypeKind::Never ? types_.any() : result);
    }
    auto* loop = stmt<TWhile>(loc);
    loop->condition = boolConst(true, loc);
    checkLoop(s.range, [&](LoopState&, FlowJoin& leaving, size_t head) {
        Scratch<TStmt*> list(statements_);
        auto* call = expr<TCall>(types_.any(), loc);
        const bool isTyped = iterator != nullptr;
        call->callKind = isTyped ? CallKind::Closure : CallKind::Dynamic;
        call->callee = getVar(held[0], loc);
        std::vector<TExpr*> args;
        for (size_t i = 1; i < held.size(); i++) args.push_back(getVar(held[i], loc));
        if (isTyped) {
            args.resize(std::min<size_t>(args.size(), iterator->params.count));
            call->args = arena().makeList<TExpr*>(args);
            call->results = iterator->results;
            call->variadicResults = iterator->variadicResult != nullptr;
            call->variadicElement = iterator->variadicResult;
            if (!call->variadicResults && !call->results.empty()) call->type = call->results[0];
        } else {
            for (TExpr*& arg : args) arg = convert(arg, types_.any(), CheckReason::Argument, range);
            call->extras = arena().makeList<TExpr*>(args);
            call->variadicResults = true;
            call->variadicElement = types_.any();
        }
        afterCall();
        flow_.joinHere(leaving, head);
        std::vector<Variable*> values;
        for (size_t i = 0; i < count; i++)
            values.push_back(temp(call->variadicResults ? types_.any() : iterator->results[uint32_t(i)]));
        if (count == 1 && !call->variadicResults && call->results.count == 1) {
            emit(declareTemp(values[0], call, loc));
        } else {
            auto* bind = stmt<TMultiBind>(loc);
            bind->variables = arena().makeList<Variable*>(values);
            bind->source = call;
            emit(bind);
        }
        if (values[0]->type->admitsNil) {
            auto* stop = stmt<TIf>(loc);
            stop->condition = isNilTest(getVar(values[0], loc), true);
            TStmt* leave = stmt<TBreak>(loc);
            stop->then = block({&leave, 1}, loc);
            stop->otherwise = nullptr;
            emit(stop);
        }
        if (held.size() > 2) {  // the control variable
            auto* control = stmt<TAssign>(loc);
            control->variable = held[2];
            control->value = convert(getVar(values[0], loc), held[2]->type, CheckReason::Assign, range);
            emit(control);
        }
        for (size_t i = 0; i < count; i++) {
            Variable* raw = nullptr;
            TStmt* convertStmt = nullptr;
            SemaVar* v = loopVariable(s.variables[uint32_t(i)], results[i], raw, convertStmt);
            TExpr* value = getVar(values[i], loc);
            const bool isFixed = iterator && i < iterator->results.count;
            if (value->type != results[i]) value = isAny(results[i]) ? value : unpackAs(value, results[i], isFixed);
            auto* declare = stmt<TLocalDecl>(loc);
            declare->variable = raw;
            declare->init = value;
            emit(declare);
            if (convertStmt) emit(convertStmt);
            (void)v;
        }
        checkStatements(s.body.statements.span());
        loop->body = block(list.span(), s.body.range.begin);
    });
    emit(loop);
}

}  // namespace luapp::sema
