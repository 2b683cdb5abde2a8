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
    if (isLenient()) return lenientStatements(statements);
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
    const Level level(level_);
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
        v.type = keptOf(valueType);
        if (v.type != valueType) value = convert(value, v.type, CheckReason::Assign, valueRange);
    }
    auto* declare = stmt<TLocalDecl>(loc);
    declare->variable = &v;
    declare->init = value;
    emit(declare);
    if (value) {
        markDeclared(v);
        if (declared && isUnion(declared)) narrowByValue(v, valueType);
        if (!declared && keptOf(valueType) != valueType) flow_.setType(&v, valueType);
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
    if (isLenient()) return lenientLocal(s);
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
                // Without a name, or of a constant, the parser has said what is wrong.
                if (name.name && !s.isConst) diags_.report(diag::NoTypeNoValue, name.range, text(name.name));
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
    if (isLenient()) return lenientAssign(s);
    if (s.targets.count == 1 && s.values.count == 1) {
        Place place;
        if (!checkPlace(*s.targets[0], place)) {
            checkExpr(*s.values[0], nullptr);
            return;
        }
        const Type* type = placeType(place);
        if (place.kind == Place::Kind::Event) {
            diags_.report(diag::EventHandler, s.targets[0]->range, text(place.member.info->name));
            checkExpr(*s.values[0], nullptr);
            return;
        }
        writePlace(place, checkExpr(*s.values[0], type), s.values[0]->range);
        return;
    }
    // Target parts first, then right sides, then stores, left to right.
    std::vector<Place> places(s.targets.count);
    bool isBad = false;
    for (uint32_t i = 0; i < s.targets.count; i++) {
        isBad |= !checkPlace(*s.targets[i], places[i]);
        if (places[i].kind == Place::Kind::Event) {
            diags_.report(diag::EventHandler, s.targets[i]->range, text(places[i].member.info->name));
            isBad = true;
        }
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
    if (place.kind == Place::Kind::Event) return changeHandlers(s, place);
    spillPlace(place);
    const Type* type = placeType(place);
    TExpr* old = readPlace(place, s.target->range);
    if (s.op == ast::BinaryOp::Coalesce) {
        // t ??= e: e is evaluated and stored only where t is nil.
        const Type* wanted = type;
        if (!mayBeNil(old->type)) {
            checkExpr(*s.value, wanted);
            return;
        }
        const size_t mark = flow_.mark();
        FlowJoin join;
        SemaVar* variable = place.kind == Place::Kind::Variable ? place.variable : place.isSelf ? selfFieldOf(*s.target) : nullptr;
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
        TExpr* parts[2] = {old, checkExpr(*s.value, nullptr)};
        const Range ranges[] = {s.target->range, s.value->range};
        if (TExpr* call = concatCall(parts, ranges, s.opRange.begin)) {
            writePlace(place, call, s.range);
            return;
        }
        parts[0] = concatOperand(old, s.target->range);
        parts[1] = concatOperand(parts[1], s.value->range);
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
    struct AtEnd {  // a constructor may end here, whatever is returned
        Checker& checker;
        Range where;
        ~AtEnd() {
            if (checker.construction_) checker.endConstructor(where);
        }
    } atEnd{*this, s.range};
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
    // A module that is required gives one value.
    const bool provides = leavesRequired(s);
    const size_t wanted = provides ? 1 : type ? type->results.count : 0;
    const bool packAllowed = !provides && (type ? type->variadicResult != nullptr : true);
    size_t given = 0;
    bool lastIsVoid = false;
    for (uint32_t i = 0; i < s.values.count; i++) {
        ast::Expr& e = *s.values[i];
        const size_t at = values.size();
        if (i + 1 == s.values.count) {
            if (ast::CallExpr* assertion = type ? nullptr : assertOfFixed(e)) {
                // A result that is inferred has the types of the arguments.
                std::vector<TExpr*> further;
                std::vector<TStmt*> inner;
                TExpr* first = unwrapLet(callAssert(*assertion, false, &further), inner);
                for (size_t k = 0; k < values.size(); k++) values[k] = stash(before, values[k]);
                before.insert(before.end(), inner.begin(), inner.end());
                values.add(first);
                for (TExpr* value : further) values.add(value);
                given = values.size();
                break;
            }
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
    if (provides) {
        if (!values.empty()) values[0] = stash(before, values[0]);
    } else if (type) {
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
    if (provides) {
        TExpr* nothing = convert(boolConst(true, ret->loc), types_.any(), CheckReason::Assign, {});
        provide(*module_, values.empty() ? nothing : values[0], ret->loc);
    }
    std::span<TExpr* const> list = values.span();
    if (type && !type->variadicResult) list = list.subspan(0, std::min<size_t>(list.size(), wanted));
    if (!lastIsVoid) ret->values = arena().makeList<TExpr*>(list);
    emit(ret);
    flow_.isReachable = false;
}

void Checker::check(ast::TypeAliasDecl& d) {
    // Resolved even if unused, for its errors.
    auto found = module_->aliases.find(d.name.name.id);
    if (found == module_->aliases.end() || found->second->decl != &d) return;
    AliasInfo& alias = *found->second;
    declareAliasParams(alias);
    // A generic one that is used has been read with the arguments of its uses.
    if (alias.instances.empty())
        typeOfAlias(alias, std::vector<const Type*>(alias.typeParams.begin(), alias.typeParams.end()), d.name.range);
}

void Checker::check(ast::ImportDecl&) {}
void Checker::check(ast::ExportFromDecl&) {}

}  // namespace luapp::sema
