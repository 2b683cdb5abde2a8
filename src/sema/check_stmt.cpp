// Statements: declarations of locals, control flow, loops, return.
#include <algorithm>

#include "frontend/ast/ast_visit.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Blocks ---------------------------------------------------------------------------------------------------------

TBlock* Checker::checkBlock(ast::Block& b) {
    Scratch<TStmt*> list(statements_);
    checkStatements(b.statements.span());
    return block(list.span(), b.range.begin);
}

void Checker::checkStatements(std::span<ast::Stmt* const> statements) {
    bool warned = false;
    for (ast::Stmt* s : statements) {
        if (!flow_.isReachable && !warned && s->kind != ast::NodeKind::FunctionDecl) {
            diags_.report(diag::UnreachableCode, s->range);
            warned = true;
        }
        // What cannot be reached is checked all the same, for its errors; lowering drops it.
        const bool wasReachable = flow_.isReachable;
        flow_.isReachable = true;
        checkStmt(*s);
        flow_.isReachable &= wasReachable;
    }
}

void Checker::checkStmt(ast::Stmt& s) {
    ast::visitStmt(s, [this](auto& node) { this->check(node); });
}

// ---- Locals ---------------------------------------------------------------------------------------------------------

/// From here on the variable has a value.
void Checker::markDeclared(SemaVar& v) {
    v.isTypeKnown = true;
    if (repeatDepth_ > 0)
        flow_.setAssigned(&v);
    else
        v.isAssigned = true;
}

/// Declares one variable with the value it starts with (null: none).
void Checker::declareLocal(SemaVar& v, ast::NameDecl& name, const Type* declared, TExpr* value, Range valueRange,
                           Loc loc) {
    v.current = nullptr;
    v.isAssigned = false;
    const Type* valueType = value ? value->type : nullptr;
    if (value && valueType->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, valueRange);
        value = errorExpr(loc);
        valueType = value->type;
    }
    if (declared) {
        v.type = declared;
        if (value) value = convert(value, declared, CheckReason::Assign, valueRange);
    } else if (value) {
        if (isNil(valueType)) {
            diags_.report(diag::NilAlone, name.range, text(name.name));
            v.isUnusable = true;
            valueType = types_.error();
        } else if (valueType->kind == TypeKind::Never) {
            valueType = types_.error();
        }
        v.type = valueType;
    }
    auto* declare = stmt<TLocalDecl>(loc);
    declare->variable = &v;
    declare->init = value;
    emit(declare);
    if (value) {
        markDeclared(v);
        if (declared && isUnion(declared)) narrowByValue(v, valueType);
    } else if (v.type->admitsNil) {
        markDeclared(v);
    } else {
        v.isTypeKnown = true;
    }
}

/// After an assignment a variable of union type has the assigned expression's type.
void Checker::narrowByValue(SemaVar& v, const Type* valueType) {
    if (!isUnion(v.type) || isError(valueType)) return;
    const Type* part = isAny(valueType) ? v.type : narrowTo(v.type, valueType);
    flow_.setType(&v, part->kind == TypeKind::Never ? nullptr : part);
}

void Checker::check(ast::LocalStmt& s) {
    const size_t names = s.names.count;
    std::vector<const Type*> declared;
    const Type* one = nullptr;
    if (names == 1) {
        if (s.names[0].type) one = typeOf(*s.names[0].type);
    } else {
        for (ast::NameDecl& name : s.names) declared.push_back(name.type ? typeOf(*name.type) : nullptr);
    }
    auto declaredAt = [&](size_t i) { return i >= names ? nullptr : names == 1 ? one : declared[i]; };
    if (s.values.empty()) {
        for (size_t i = 0; i < names; i++) {
            ast::NameDecl& name = s.names[uint32_t(i)];
            SemaVar& v = *current(name.variable);
            if (const Type* type = declaredAt(i)) {
                declareLocal(v, name, type, nullptr, {}, name.range.begin);
            } else {
                // Without a name the parser has said what is wrong.
                if (name.name) diags_.report(diag::NoTypeNoValue, name.range, text(name.name));
                v.type = types_.error();
                v.isUnusable = true;
                markDeclared(v);
            }
        }
        return;
    }
    if (names == 1 && s.values.count == 1) {  // the common case
        ast::NameDecl& name = s.names[0];
        if (SemaVar& v = *current(name.variable); v.namespaceOf) {  // a module under a name
            v.type = types_.any();
            return markDeclared(v);
        }
        declareLocal(*current(name.variable), name, one, checkExpr(*s.values[0], one), s.values[0]->range,
                     name.range.begin);
        return;
    }
    std::vector<TStmt*> before;
    Scratch<TExpr*> values(exprs_);
    std::vector<Range> ranges;
    checkValueList(s.values.span(), names, declaredAt, values, ranges, before, s.range);
    // All values are there before the first variable is: later ones may not see earlier variables.
    for (size_t i = 0; i < values.size(); i++)
        if (const Type* type = declaredAt(i)) values[i] = convertKeepingNarrow(values[i], type, ranges[i]);
    if (names > 1)
        for (size_t i = 0; i < values.size(); i++) values[i] = stashUnlessLast(before, values, i);
    for (TStmt* b : before) emit(b);
    for (size_t i = 0; i < names; i++) {
        ast::NameDecl& name = s.names[uint32_t(i)];
        SemaVar& v = *current(name.variable);
        if (i < values.size()) {
            declareLocal(v, name, declaredAt(i), values[i], ranges[i], name.range.begin);
        } else {
            v.type = declaredAt(i) ? declaredAt(i) : types_.error();
            v.isUnusable = true;
            markDeclared(v);
        }
    }
}

/// The values of several targets; the number must fit (a last call or `...` expands or is cut).
template <class HintAt>
void Checker::checkValueList(std::span<ast::Expr* const> exprs, size_t wanted, HintAt hintAt, Scratch<TExpr*>& values,
                             std::vector<Range>& ranges, std::vector<TStmt*>& before, Range whole) {
    TExpr* pack = nullptr;
    for (size_t i = 0; i < exprs.size(); i++) {
        ast::Expr& e = *exprs[i];
        const bool isLast = i + 1 == exprs.size();
        if (isLast && i < wanted) {
            TExpr* last = checkMulti(e, hintAt(i));
            if (isMulti(last))
                expandLast(last, wanted - i, false, values, 0, pack, before);
            else
                values.add(last);
        } else {
            values.add(checkExpr(e, hintAt(i)));
        }
        while (ranges.size() < values.size()) ranges.push_back(e.range);
    }
    if (exprs.size() > wanted) {
        bool looksGrouped = wanted == 1 && exprs.size() > 1;
        for (ast::Expr* e : exprs) {
            auto* number = ast::as<ast::NumberExpr>(e);
            looksGrouped &= number && number->isWhole;
        }
        if (looksGrouped)
            diags_.report(diag::GroupedNumber, cover(exprs[0]->range, exprs.back()->range));
        else
            diags_.report(diag::ValueCount, exprs[wanted]->range, int64_t(exprs.size()), int64_t(wanted));
    } else if (values.size() < wanted) {
        diags_.report(diag::ValueCount, whole, int64_t(values.size()), int64_t(wanted));
    }
}

TExpr* Checker::convertKeepingNarrow(TExpr* value, const Type* type, Range range) {
    return isOptional(type) || isAny(type) ? value : convert(value, type, CheckReason::Assign, range);
}

TExpr* Checker::stashUnlessLast(std::vector<TStmt*>& before, Scratch<TExpr*>& values, size_t i) {
    return i + 1 == values.size() ? values[i] : stash(before, values[i]);
}

// ---- Assignment -----------------------------------------------------------------------------------------------------

void Checker::check(ast::AssignStmt& s) {
    if (s.targets.count == 1 && s.values.count == 1) {
        Place place;
        if (!checkPlace(*s.targets[0], place)) {
            checkExpr(*s.values[0], nullptr);
            return;
        }
        const Type* type = placeType(place);
        writePlace(place, checkExpr(*s.values[0], type), s.values[0]->range);
        return;
    }
    // Target parts first, then right sides, then stores, left to right.
    std::vector<Place> places(s.targets.count);
    bool isBad = false;
    for (uint32_t i = 0; i < s.targets.count; i++) {
        isBad |= !checkPlace(*s.targets[i], places[i]);
        if (!isBad) spillPlace(places[i]);
    }
    std::vector<TStmt*> before;
    Scratch<TExpr*> values(exprs_);
    std::vector<Range> ranges;
    auto hintAt = [&](size_t i) {
        return i < places.size() && places[i].kind != Place::Kind::Bad ? placeType(places[i]) : nullptr;
    };
    checkValueList(s.values.span(), places.size(), hintAt, values, ranges, before, s.range);
    if (isBad) return;
    for (size_t i = 0; i < values.size() && i < places.size(); i++) {
        const Type* type = hintAt(i);
        if (values[i]->type->kind == TypeKind::Void) values[i] = noValue(ranges[i], values[i]->loc);
        if (!isUnion(type)) values[i] = convert(values[i], type, CheckReason::Assign, ranges[i]);
    }
    for (size_t i = 0; i < values.size(); i++) values[i] = stash(before, values[i]);
    for (TStmt* b : before) emit(b);
    for (size_t i = 0; i < values.size() && i < places.size(); i++) writePlace(places[i], values[i], ranges[i]);
}

void Checker::check(ast::CompoundStmt& s) {
    Place place;
    if (!checkPlace(*s.target, place)) {
        checkExpr(*s.value, nullptr);
        return;
    }
    spillPlace(place);
    const Type* type = placeType(place);
    TExpr* old = readPlace(place, s.target->range);
    if (s.op == ast::BinaryOp::Coalesce) {
        // t ??= e: e is evaluated and stored only where t is nil.
        const Type* wanted = type;
        if (!old->type->admitsNil) {
            checkExpr(*s.value, wanted);
            return;
        }
        const size_t mark = flow_.mark();
        FlowJoin join;
        SemaVar* variable = place.kind == Place::Kind::Variable ? place.variable : nullptr;
        TExpr* condition = isNilTest(old, true);
        const Type* kept = types_.withoutNil(old->type);
        if (kept->kind != TypeKind::Never) {  // else it is always nil here
            if (variable && !isAny(kept)) flow_.setType(variable, kept);
            flow_.joinHere(join, mark);
            flow_.undo(mark);
        }
        auto* branch = stmt<TIf>(s.range.begin);
        {
            Scratch<TStmt*> list(statements_);
            TExpr* value = checkExpr(
                *s.value, types_.withoutNil(wanted)->kind == TypeKind::Never ? wanted : types_.withoutNil(wanted));
            writePlace(place, value, s.value->range);
            branch->then = block(list.span(), s.range.begin);
        }
        flow_.joinHere(join, mark);
        const bool reachable = flow_.isReachable;
        flow_.continueFrom(join, mark);
        flow_.isReachable = reachable;
        branch->condition = condition;
        branch->otherwise = nullptr;
        emit(branch);
        return;
    }
    if (s.op == ast::BinaryOp::Concat) {
        TExpr* parts[2];
        parts[0] = concatOperand(old, s.target->range);
        std::vector<TStmt*> before;
        parts[1] = concatOperand(checkExpr(*s.value, nullptr), s.value->range);
        writePlace(place, concat(parts, s.opRange.begin), s.range);
        return;
    }
    const bool isDivision = s.op == ast::BinaryOp::Div || s.op == ast::BinaryOp::Pow;
    const Type* numeric = types_.withoutNil(old->type);
    const Type* hint = !isDivision && isInteger(numeric) ? numeric : nullptr;
    TExpr* value = checkExpr(*s.value, hint);
    TExpr* result = arith(s.op, old, value, s.target->range, s.value->range, s.opRange);
    if (isError(result->type)) return;
    writePlace(place, result, s.range);
}

void Checker::check(ast::ExprStmt& s) {
    TExpr* value = nullptr;
    if (s.expr->kind == ast::NodeKind::IncDecExpr) {
        checkIncDec(static_cast<ast::IncDecExpr&>(*s.expr), false);
        return;
    }
    if (s.expr->kind == ast::NodeKind::CallExpr)
        value = checkCall(static_cast<ast::CallExpr&>(*s.expr), nullptr, nullptr);
    else
        value = checkExpr(*s.expr, nullptr);
    std::vector<TStmt*> before;
    value = unwrapLet(value, before);
    for (TStmt* b : before) emit(b);
    auto* run = stmt<TExprStmt>(s.range.begin);
    run->expr = value;
    emit(run);
}

// ---- Branches -------------------------------------------------------------------------------------------------------

void Checker::check(ast::DoStmt& s) { emit(checkBlock(s.body)); }

void Checker::check(ast::IfStmt& s) {
    FlowJoin join;
    const size_t mark = flow_.mark();
    TIf* first = nullptr;
    TIf* last = nullptr;
    TBlock* otherwise = nullptr;
    for (ast::IfClause& clause : s.clauses) {
        if (!clause.condition) {
            otherwise = checkBlock(clause.body);
            flow_.joinHere(join, mark);
            flow_.isReachable = false;
            break;
        }
        Pred* pred = nullptr;
        // A later condition may need statements of its own: they go into the else branch with it.
        auto* branch = stmt<TIf>(clause.condition->range.begin);
        branch->condition = checkCondition(*clause.condition, &pred);
        const size_t conditionMark = flow_.mark();
        const bool wasReachable = flow_.isReachable;
        flow_.assume(pred, true);
        branch->then = checkBlock(clause.body);
        flow_.joinHere(join, mark);
        flow_.undo(conditionMark);
        flow_.isReachable = wasReachable;
        flow_.assume(pred, false);
        branch->otherwise = nullptr;
        if (last) {
            TStmt* inner = branch;
            last->otherwise = block({&inner, 1}, branch->loc);
        } else {
            first = branch;
        }
        last = branch;
    }
    if (otherwise) last->otherwise = otherwise;
    flow_.joinHere(join, mark);  // no clause applied
    flow_.continueFrom(join, mark);
    emit(first);
}

// ---- Loops ----------------------------------------------------------------------------------------------------------

/// Checks a loop whose `pass` does everything from the head to the back edge and returns true if the loop can be left
/// at the head. The state at the head must hold for the back edge too: if it does not, the pass is repeated with what
/// both have in common, at last without any narrowing of what the loop assigns.
template <class Pass>
void Checker::checkLoop(Range range, Pass&& pass) {
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
    if (!callee || callee->resolved) return {};
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
        return iterateCalls(s, value);
    }
    iterateCalls(s, nullptr);
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

// ---- Leaving --------------------------------------------------------------------------------------------------------

void Checker::check(ast::BreakStmt& s) {
    if (loops_.size() > loopBase_) flow_.arrive(loops_.back()->exits);
    flow_.isReachable = false;
    emit(stmt<TBreak>(s.range.begin));
}

void Checker::check(ast::ContinueStmt& s) {
    if (loops_.size() > loopBase_) {
        flow_.arrive(loops_.back()->continues);
        if (repeatDepth_ > 0) loops_.back()->continueStmts.push_back(s.range);
    }
    flow_.isReachable = false;
    emit(stmt<TContinue>(s.range.begin));
}

void Checker::check(ast::ReturnStmt& s) {
    FunctionInfo& f = *function_;
    auto* ret = stmt<TReturn>(s.range.begin);
    ret->pack = nullptr;
    std::vector<TStmt*> before;
    Scratch<TExpr*> values(exprs_);
    const FunctionType* type = f.type;
    // The arrow body of a function without results may be any call.
    if (f.body_->isArrow && type && type->isVoid() && s.values.count == 1) {
        TExpr* value = checkMulti(*s.values[0], nullptr);
        if (value->type->kind != TypeKind::Void && s.values[0]->kind != ast::NodeKind::CallExpr &&
            !isError(value->type))
            diags_.report(diag::ReturnCount, s.range, 1, int64_t(0));
        auto* run = stmt<TExprStmt>(s.range.begin);
        run->expr = value;
        emit(run);
        emit(ret);
        flow_.isReachable = false;
        return;
    }
    auto hintAt = [&](size_t i) -> const Type* {
        if (!type) return nullptr;
        return i < type->results.count ? type->results[uint32_t(i)] : type->variadicResult;
    };
    const size_t wanted = type ? type->results.count : 0;
    const bool packAllowed = type ? type->variadicResult != nullptr : true;
    size_t given = 0;
    bool lastIsVoid = false;
    for (uint32_t i = 0; i < s.values.count; i++) {
        ast::Expr& e = *s.values[i];
        const size_t at = values.size();
        if (i + 1 == s.values.count) {
            TExpr* last = checkMulti(e, hintAt(i));
            if (last->type->kind == TypeKind::Void && inference_ && f.body_->isArrow && s.values.count == 1) {
                lastIsVoid = true;
                auto* run = stmt<TExprStmt>(s.range.begin);
                run->expr = last;
                emit(run);
                break;
            }
            if (last->type->kind == TypeKind::Void) last = noValue(e.range, last->loc);
            if (!type && isMulti(last) && !isPack(last))
                expandLast(last, SIZE_MAX, false, values, 0, ret->pack, before);
            else
                expandLast(last, wanted > at ? wanted - at : 0, packAllowed, values, 0, ret->pack, before);
        } else {
            TExpr* value = checkExpr(e, hintAt(i));
            if (value->type->kind == TypeKind::Void) value = noValue(e.range, value->loc);
            values.add(value);
        }
        if (type)
            for (size_t k = at; k < values.size(); k++)
                if (const Type* wantedType = hintAt(k))
                    values[k] = convert(values[k], wantedType, CheckReason::Return, e.range);
        given = values.size();
    }
    if (type) {
        const bool surplusOfCall =
            s.values.count > 0 && s.values.count <= std::max<size_t>(wanted, 1) && given > wanted && wanted > 0;
        if (surplusOfCall && !packAllowed) given = wanted;
        if ((given > wanted && !packAllowed) || given < wanted) {
            diags_.report(diag::ReturnCount, s.range, int64_t(given), int64_t(wanted));
        }
    } else if (inference_) {
        inference_->returns.push_back(ret);
        inference_->givesValues |= given > 0 || ret->pack;
        for (size_t i = 0; i < values.size(); i++)
            if (values[i]->type->kind == TypeKind::Never) values[i] = errorExpr(values[i]->loc);
    }
    for (TStmt* b : before) emit(b);
    std::span<TExpr* const> list = values.span();
    if (type && !type->variadicResult) list = list.subspan(0, std::min<size_t>(list.size(), wanted));
    if (!lastIsVoid) ret->values = arena().makeList<TExpr*>(list);
    emit(ret);
    flow_.isReachable = false;
}

/// True if the value is a pack of unknown length.
bool Checker::isPack(const TExpr* value) const {
    if (value->kind == TExprKind::Let) return isPack(value->as<TLet>()->result);
    if (value->kind == TExprKind::Call) return value->as<TCall>()->variadicResults;
    return value->kind == TExprKind::Vararg || value->kind == TExprKind::PackSelect;
}

// The parser refuses both in strict files.
void Checker::check(ast::GotoStmt&) {}
void Checker::check(ast::LabelStmt&) {}

void Checker::check(ast::ClassDecl& d) { diags_.report(diag::UnsupportedFeature, d.name.range, "classes"); }
void Checker::check(ast::InterfaceDecl& d) { diags_.report(diag::UnsupportedFeature, d.name.range, "interfaces"); }
void Checker::check(ast::EnumDecl& d) { diags_.report(diag::UnsupportedFeature, d.name.range, "enums"); }

void Checker::check(ast::TypeAliasDecl& d) {
    // Resolved even if unused, for its errors.
    auto found = module_->aliases.find(d.name.name.id);
    if (found != module_->aliases.end() && found->second->decl == &d && d.typeParams.empty())
        typeOfAlias(*found->second, {}, d.name.range);
}

void Checker::check(ast::ImportDecl&) {}
void Checker::check(ast::ExportFromDecl&) {}

// ---- Modules --------------------------------------------------------------------------------------------------------

void Checker::checkModule(ModuleInfo& module) {
    module_ = &module;
    FunctionInfo& main = *module.main;
    function_ = &main;
    knowSignature(main);
    for (FunctionInfo* f : module.hoisted) {
        knowSignature(*f);
        SemaVar* variable = f->self_;
        variable->isTypeKnown = true;
        variable->isAssigned = true;
        if (f->type) variable->type = f->type;
    }
    checkBody(main);
    for (FunctionInfo* f : module.hoisted) {
        if (f->hasUntypedParams) continue;
        checkBodyApart(*f);
        if (!f->self_->type) f->self_->type = f->type ? static_cast<const Type*>(f->type) : types_.error();
    }
    declareHoisted(module);
    if (!module.requiredAs.empty() && !diags_.hasErrors()) provideModule(module);
    function_ = nullptr;
}

/// A module that is required: at the end of its main block its exports become what `require` gives.
void Checker::provideModule(ModuleInfo& module) {
    const Loc loc = module.main->range.end;
    List<TStmt*>& body = module.main->body->stmts;
    Scratch<TStmt*> list(statements_);
    for (TStmt* s : body) list.add(s);
    TStmt* leave = nullptr;
    if (!list.empty() && list.back()->kind == TStmtKind::Return) {
        leave = list.back();
        statements_.pop_back();
    }
    Variable* exports = temp(types_.any());
    emit(declareTemp(exports, exportsOf(module, loc), loc));
    for (std::string_view name : module.requiredAs) {
        TExpr* const args[] = {stringConst(name, loc), getVar(exports, loc)};
        auto* call = stmt<TExprStmt>(loc);
        call->expr = callLibrary(Builtins::hidden("(module provider)"), args, loc);
        emit(call);
    }
    if (leave) emit(leave);
    module.main->body = block(list.span(), module.main->body->loc);
}

/// A record of what a module exports, as `any`; `true` for a module without exports.
TExpr* Checker::exportsOf(ModuleInfo& module, Loc loc) {
    std::vector<std::pair<Symbol, TExpr*>> values;
    for (auto& [symbol, entry] : module.exports) {
        SemaVar* v = entry.variable;
        if (!v || (v->namespaceOf && !v->required)) continue;
        auto* function = static_cast<FunctionInfo*>(v->function);
        if (function && function->hasUntypedParams) continue;
        const bool isUnset = v->owner == function_ && !v->isAssigned && v->type && !v->type->admitsNil;
        if (isUnset && !function) continue;
        flow_.setType(v, nullptr);
        values.emplace_back(Symbol{symbol}, readVariable(*v, {loc, loc}));
    }
    if (values.empty()) return convert(boolConst(true, loc), types_.any(), CheckReason::Assign, {});
    std::sort(values.begin(), values.end(), [&](auto& a, auto& b) { return text(a.first) < text(b.first); });
    std::vector<RecordField> fields;
    for (auto& [name, value] : values) fields.push_back({name, value->type});
    const RecordType* type = types_.record(fields);
    std::vector<TFieldInit> inits;
    for (auto& [name, value] : values) inits.push_back({uint32_t(type->indexOf(name)), value});
    auto* record = expr<TRecordLit>(type, loc);
    record->inits = arena().makeList<TFieldInit>(inits);
    return convert(record, types_.any(), CheckReason::Assign, {});
}

/// Top-level functions that are assigned to live in variables, set before anything runs.
void Checker::declareHoisted(ModuleInfo& module) {
    Scratch<TStmt*> list(statements_);
    for (FunctionInfo* f : module.hoisted)
        if (!f->self_->function) declareFunctionVariable(*f, *f->self_, f->range.begin);
    if (list.empty()) return;
    for (TStmt* s : module.main->body->stmts) list.add(s);
    module.main->body = block(list.span(), module.main->body->loc);
}

}  // namespace luapp::sema
