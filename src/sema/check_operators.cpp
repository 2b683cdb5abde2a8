// Binary operators and concatenation; `and`, `or` and `??` with what they tell about variables.
#include <algorithm>

#include "frontend/ast/ast_visit.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

using ast::BinaryOp;

namespace {

bool isShortCircuit(BinaryOp op) { return op == BinaryOp::And || op == BinaryOp::Or || op == BinaryOp::Coalesce; }

/// Do integers give an integer, so that what the context wants of the result is wanted of the operands too?
bool keepsIntegers(BinaryOp op) {
    switch (op) {
        case BinaryOp::Add:
        case BinaryOp::Sub:
        case BinaryOp::Mul:
        case BinaryOp::IDiv:
        case BinaryOp::Mod:
        case BinaryOp::BitAnd:
        case BinaryOp::BitOr:
        case BinaryOp::BitXor:
        case BinaryOp::Shl:
        case BinaryOp::Shr: return true;
        case BinaryOp::Div:
        case BinaryOp::Pow:
        case BinaryOp::Eq:
        case BinaryOp::Ne:
        case BinaryOp::Lt:
        case BinaryOp::Le:
        case BinaryOp::Gt:
        case BinaryOp::Ge:
        case BinaryOp::And:
        case BinaryOp::Or:
        case BinaryOp::Concat:
        case BinaryOp::Coalesce: return false;
    }
    return false;
}

/// Could the value of this type be nil or false?
bool mayBeFalsy(const Type* type) {
    for (const Type* member : membersOf(type))
        if (isNil(member) || isBoolean(member) || isAny(member) || isError(member) ||
            member->kind == TypeKind::TypeParam)
            return true;
    return false;
}

/// A value before it was made to fit a wider type.
const TExpr* beforeWidening(const TExpr* value) {
    auto* c = value->kind == TExprKind::Convert ? value->as<TConvert>() : nullptr;
    const bool isWidening = c && (c->convertKind == ConvertKind::Retype || c->convertKind == ConvertKind::Widen) &&
                            isAssignable(c->operand->type, c->type);
    return isWidening ? c->operand : value;
}

/// The type of a value when it is true: the `false` of a condition that decided an `and` is no longer part of it.
const Type* truthyOf(TypeTable& types, const TExpr* value) {
    value = beforeWidening(value);
    if (value->kind == TExprKind::Logical && value->as<TLogical>()->temp) {
        auto* n = value->as<TLogical>();
        const Type* right = truthyOf(types, n->right);
        return n->isAnd ? right : types.unionOf(beforeWidening(n->leftAsResult)->type, right);
    }
    if (value->kind == TExprKind::Conditional) {
        auto* n = value->as<TConditional>();
        return types.unionOf(truthyOf(types, n->then), truthyOf(types, n->otherwise));
    }
    return types.truthy(value->type);
}

}  // namespace

// ---- Binary operators -----------------------------------------------------------------------------------------------

/// What is known about the left operand while a chain of operators is walked.
struct Checker::Operand {
    ast::Expr* source;  // null for an operator's result
    TExpr* value;       // null while an `and` waits (see below)
    Range range;
    Pred* pred = nullptr;
    const Type* truthy = nullptr;  // the type when true; null: not worked out
    // `left and right` before it is known what it is for: `c and x or y` becomes a conditional.
    TExpr* andCondition = nullptr;
    TExpr* andLeft = nullptr;
    TExpr* andRight = nullptr;
    ast::Expr* andSource = nullptr;  // of andRight
    uint32_t terms = 1;
    Pred* lastPred = nullptr;  // of the last term of a run
    Loc loc{};
};

TExpr* Checker::check(ast::BinaryExpr& top, const Type* expected, Pred** pred, bool asCondition) {
    // Left operands may nest by the thousand, so the chain is walked with a stack of its own. `expected` reaches down
    // through or, ?? and arithmetic, and to the right operand of and.
    struct Level {
        ast::BinaryExpr* node;
        const Type* hint;
        bool asCondition;
    };
    std::vector<Level> spine;
    const Type* hint = expected;
    bool condition = asCondition;
    ast::Expr* at = &top;
    while (auto* node = ast::as<ast::BinaryExpr>(at)) {
        condition = condition && (node->op == BinaryOp::And || node->op == BinaryOp::Or);
        if (!isShortCircuit(node->op) && !(hint && isNumeric(hint) && keepsIntegers(node->op))) hint = nullptr;
        spine.push_back({node, hint, condition});
        if (node->op == BinaryOp::And) hint = nullptr;
        at = node->left;
    }
    Operand left{at, nullptr, at->range};
    const bool firstShort = isShortCircuit(spine.back().node->op);
    left.value = spine.back().asCondition ? checkCondition(*at, &left.pred)
                                          : checkExpr(*at, hint, firstShort ? &left.pred : nullptr);
    Run run;
    for (size_t i = spine.size(); i-- > 0;) {
        ast::BinaryExpr& node = *spine[i].node;
        const bool wantsPred = i > 0 ? isShortCircuit(spine[i - 1].node->op) : pred != nullptr;
        if (isShortCircuit(node.op)) {
            if (run.isActive && run.op != node.op) endRun(run);
            shortCircuit(node, left, spine[i].hint, spine[i].asCondition, run);
            if (i == 0 || spine[i - 1].node->op != node.op) endRun(run);
        } else {
            finishAnd(left);
            left.value = binary(node, left, spine[i].hint, wantsPred);
            left.truthy = nullptr;
            left.terms = 1;
        }
        left.source = nullptr;
        left.range = node.range;
        if (!wantsPred || left.terms > kMaxPredTerms) left.pred = nullptr;
    }
    finishAnd(left);
    if (pred) *pred = left.pred;
    return left.value;
}

void Checker::endRun(Run& run) {
    if (!run.isActive) return;
    flow_.joinHere(run.join, run.mark);
    const bool wasReachable = flow_.isReachable;
    flow_.continueFrom(run.join, run.mark);
    flow_.isReachable = wasReachable;
    run = Run{};
}

/// `and`, `or`, `??`: the right operand is checked knowing what the left one says.
void Checker::shortCircuit(ast::BinaryExpr& e, Operand& left, const Type* hint, bool asCondition, Run& run) {
    if (!run.isActive && (left.pred || e.op == BinaryOp::Coalesce)) {
        run.isActive = true;
        run.op = e.op;
        run.mark = flow_.mark();
        if (e.op != BinaryOp::Coalesce) flow_.assume(left.pred, e.op == BinaryOp::Or);
        flow_.joinHere(run.join, run.mark);
        flow_.undo(run.mark);
        if (e.op != BinaryOp::Coalesce) flow_.assume(left.pred, e.op == BinaryOp::And);
    } else if (run.isActive && e.op != BinaryOp::Coalesce && left.lastPred) {
        const size_t mark = flow_.mark();
        flow_.assume(left.lastPred, e.op == BinaryOp::Or);
        flow_.joinHere(run.join, run.mark);
        flow_.undo(mark);
        flow_.assume(left.lastPred, e.op == BinaryOp::And);
    }
    Pred* rightPred = nullptr;
    if (asCondition) {
        TExpr* right = checkCondition(*e.right, &rightPred);
        auto* n = expr<TLogical>(types_.boolean(), e.opRange.begin);
        n->isAnd = e.op == BinaryOp::And;
        n->left = toBoolean(left.value);  // an operator's value, if one without parentheses stands to the left
        n->right = right;
        left.value = n;
    } else {
        if (e.op != BinaryOp::And) finishAnd(left, e.op == BinaryOp::Or);
        shortCircuitValue(e, left, hint, rightPred);
    }
    left.pred = e.op == BinaryOp::Coalesce
                    ? nullptr
                    : combine(e.op == BinaryOp::And ? Pred::Kind::And : Pred::Kind::Or, left.pred, rightPred);
    left.lastPred = rightPred;
    left.terms++;
}

/// The value of a short-circuit operator whose left operand has been checked.
void Checker::shortCircuitValue(ast::BinaryExpr& e, Operand& left, const Type* hint, Pred*& rightPred) {
    const Loc loc = e.opRange.begin;
    if (left.value && left.value->type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, left.range);
        left.value = errorExpr(loc);
    }
    const Type* leftType = left.value ? left.value->type : nullptr;
    // A whole literal beside an integer is an integer.
    const Type* kept = left.truthy ? left.truthy : leftType ? types_.withoutNil(leftType) : nullptr;
    const Type* rightHint = hint;
    if (!hint && kept && isWholeLiteral(*e.right) && isInteger(kept)) rightHint = kept;
    if (!rightHint && kept && e.op != BinaryOp::And && kept->kind != TypeKind::Never) rightHint = kept;
    TExpr* right = checkExpr(*e.right, rightHint, &rightPred);
    if (right->type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, e.right->range);
        right = errorExpr(loc);
    }
    if (!rightPred && !mayBeFalsy(right->type))
        rightPred = arena().make<Pred>(Pred::Kind::True, nullptr, nullptr, nullptr, nullptr, nullptr);
    if (left.value && left.source && isWholeLiteral(*left.source) && isInteger(types_.withoutNil(right->type)) &&
        !hint) {
        left.value = checkExpr(*left.source, types_.integer());
        leftType = left.value->type;
        left.truthy = nullptr;
    }
    if (left.andCondition && e.op == BinaryOp::Or && !hint && isWholeLiteral(*left.andSource) && isInteger(right->type))
        left.andRight = checkExpr(*left.andSource, types_.integer());
    if ((leftType && isError(leftType)) || isError(right->type)) {
        left.value = errorExpr(loc);
        left.andCondition = nullptr;
        left.truthy = nullptr;
        return;
    }
    switch (e.op) {
        case BinaryOp::And:
            finishAnd(left);
            left.andLeft = left.value;
            left.andRight = right;
            left.andSource = e.right;
            left.value = nullptr;
            left.andCondition = left.andLeft;
            left.truthy = types_.withoutNil(right->type);
            left.loc = loc;
            return;
        case BinaryOp::Or: left.value = orValue(left, right, loc); return;
        default:
            left.value = coalesce(left.value, right, loc);
            left.truthy = nullptr;
            return;
    }
}

/// Builds the `and` that waits in `left`, unless an `or` comes next that can take it apart.
void Checker::finishAnd(Operand& left, bool beforeOr) {
    if (!left.andCondition) return;
    if (beforeOr && !mayBeFalsy(left.andRight->type)) return;
    TExpr *l = left.andLeft, *r = left.andRight;
    left.andCondition = left.andLeft = left.andRight = nullptr;
    if (isBoolean(l->type) && isBoolean(r->type)) {
        auto* n = expr<TLogical>(types_.boolean(), left.loc);
        n->isAnd = true;
        n->left = l;
        n->right = r;
        left.value = n;
        return;
    }
    // What the left operand is when it decides: nil or false.
    const Type* falsy = types_.never();
    for (const Type* member : membersOf(l->type))
        if (isNil(member) || isBoolean(member) || isAny(member) || member->kind == TypeKind::TypeParam)
            falsy = types_.unionOf(falsy, member);
    if (falsy->kind == TypeKind::Never) {
        auto* drop = stmt<TExprStmt>(l->loc);
        drop->expr = l;
        TStmt* list[] = {drop};
        left.value = let(list, r);
        return;
    }
    const Type* type = r->type->kind == TypeKind::Never ? falsy : types_.unionOf(falsy, r->type);
    auto* n = expr<TLogical>(type, left.loc);
    n->isAnd = true;
    n->left = l;
    n->temp = temp(l->type);
    n->test = toBoolean(getVar(n->temp, l->loc));
    n->leftAsResult = narrowedTo(getVar(n->temp, l->loc), falsy, type);
    n->right = convert(r, type, CheckReason::Assign, {});
    left.value = n;
}

/// `value`, known to be a `part`, converted to `type`.
TExpr* Checker::narrowedTo(TExpr* value, const Type* part, const Type* type) {
    if (isNil(part)) {
        TExpr* nil = nilConst(value->loc);
        nil->type = type;
        return nil;
    }
    if (part != value->type)
        value = convertNode(part->rep == value->type->rep ? ConvertKind::Retype : ConvertKind::Narrow,
                            CheckReason::Assign, value, part);
    return convert(value, type, CheckReason::Assign, {});
}

TExpr* Checker::orValue(Operand& left, TExpr* right, Loc loc) {
    if (left.andCondition) {  // c and x or y, x never false
        const Type* x = left.andRight->type;
        const Type* type = right->type->kind == TypeKind::Never ? x : types_.unionOf(x, right->type);
        auto* n = expr<TConditional>(type, loc);
        n->condition = toBoolean(left.andLeft);
        n->then = convert(left.andRight, type, CheckReason::Assign, {});
        n->otherwise = convert(right, type, CheckReason::Assign, {});
        left.andCondition = left.andLeft = left.andRight = nullptr;
        left.truthy = mayBeFalsy(right->type) ? types_.unionOf(x, truthyOf(types_, right)) : nullptr;
        return n;
    }
    TExpr* l = left.value;
    if (isBoolean(l->type) && isBoolean(right->type)) {
        auto* n = expr<TLogical>(types_.boolean(), loc);
        n->isAnd = false;
        n->left = l;
        n->right = right;
        left.truthy = nullptr;
        return n;
    }
    const Type* kept = left.truthy ? left.truthy : truthyOf(types_, l);
    left.truthy = nullptr;
    if (!mayBeFalsy(l->type)) return l;
    if (kept->kind == TypeKind::Never) {
        auto* drop = stmt<TExprStmt>(l->loc);
        drop->expr = l;
        TStmt* list[] = {drop};
        return let(list, right);
    }
    const Type* type = right->type->kind == TypeKind::Never ? kept : types_.unionOf(kept, right->type);
    auto* n = expr<TLogical>(type, loc);
    n->isAnd = false;
    n->left = l;
    n->temp = temp(l->type);
    n->test = toBoolean(getVar(n->temp, l->loc));
    n->leftAsResult = narrowedTo(getVar(n->temp, l->loc), kept, type);
    n->right = convert(right, type, CheckReason::Assign, {});
    if (mayBeFalsy(right->type)) left.truthy = types_.unionOf(kept, truthyOf(types_, right));
    return n;
}

TExpr* Checker::coalesce(TExpr* l, TExpr* right, Loc loc) {
    if (!mayBeNil(l->type)) return l;
    const Type* kept = types_.withoutNil(l->type);
    if (kept->kind == TypeKind::Never) {
        auto* drop = stmt<TExprStmt>(l->loc);
        drop->expr = l;
        TStmt* list[] = {drop};
        return let(list, right);
    }
    const Type* type = right->type->kind == TypeKind::Never ? kept : types_.unionOf(kept, right->type);
    Variable* held = temp(l->type);
    auto* n = expr<TConditional>(type, loc);
    n->condition = isNilTest(getVar(held, l->loc), false);
    n->then = narrowedTo(getVar(held, l->loc), kept, type);
    n->otherwise = convert(right, type, CheckReason::Assign, {});
    TStmt* declare = declareTemp(held, l, l->loc);
    return let({&declare, 1}, n);
}

/// `value`, of `source` checked without context, becomes an integer if it is a choice of whole literals: `c and 1 or 2`.
void Checker::becomeInteger(const ast::Expr* source, TExpr* value) {
    while (auto* paren = ast::as<ast::ParenExpr>(source)) source = paren->inner;
    auto* either = ast::as<ast::BinaryExpr>(source);
    if (!either || either->op != BinaryOp::Or || value->kind != TExprKind::Conditional || !isNumber(value->type)) return;
    const ast::Expr* left = either->left;
    while (auto* paren = ast::as<ast::ParenExpr>(left)) left = paren->inner;
    auto* both = ast::as<ast::BinaryExpr>(left);
    if (!both || both->op != BinaryOp::And || !isWholeLiteral(*both->right) || !isWholeLiteral(*either->right)) return;
    auto* choice = value->as<TConditional>();
    choice->then = checkExpr(*both->right, types_.integer());
    choice->otherwise = checkExpr(*either->right, types_.integer());
    choice->type = types_.integer();
}

/// All binary operators but the short-circuit ones.
TExpr* Checker::binary(ast::BinaryExpr& e, Operand& left, const Type* hint, bool wantsPred) {
    const bool isDivision = e.op == BinaryOp::Div || e.op == BinaryOp::Pow;
    const Type* rightHint = hint;
    if (!isDivision && isInteger(left.value->type) && isWholeLiteral(*e.right)) rightHint = types_.integer();
    const bool isEquality = e.op == BinaryOp::Eq || e.op == BinaryOp::Ne;
    const bool isBits = e.op == BinaryOp::BitAnd || e.op == BinaryOp::BitOr || e.op == BinaryOp::BitXor ||
                        e.op == BinaryOp::Shl || e.op == BinaryOp::Shr;
    if (isBits) rightHint = types_.integer();
    TExpr* right = checkExpr(*e.right, rightHint);
    if ((!isDivision && isInteger(right->type) && left.source && isWholeLiteral(*left.source)) ||
        (isBits && left.source && isWholeLiteral(*left.source)))
        left.value = checkExpr(*left.source, types_.integer());
    if (!isDivision && isInteger(left.value->type)) becomeInteger(e.right, right);
    if (!isDivision && isInteger(right->type) && left.source) becomeInteger(left.source, left.value);
    if (isEquality) {
        TExpr* result = equality(e, left.value, right, left.range);
        if (wantsPred) left.pred = equalityPred(e, left.source, left.value, right);
        return result;
    }
    left.pred = nullptr;
    switch (e.op) {
        case BinaryOp::Lt:
        case BinaryOp::Gt:
        case BinaryOp::Le:
        case BinaryOp::Ge: return compare(e, left.value, right, left.range);
        default: break;
    }
    return arith(e.op, left.value, right, left.range, e.right->range, e.opRange);
}

/// An operand of an arithmetic operator: number, integer or any; else reported.
TExpr* Checker::numericOperand(TExpr* value, Range range, std::string_view op) {
    if (isError(value->type)) return value;
    if (reportImplicitAny(value, range)) return errorExpr(value->loc);
    if (isNumeric(value->type) || isAny(value->type)) return value;
    if (TExpr* loose = loosened(value); loose != value) return loose;
    if (TExpr* present = withKeyPresent(value))
        if (isNumeric(present->type)) return present;
    reportOperand(op, value, range);
    return errorExpr(value->loc);
}

void Checker::reportOperand(std::string_view op, TExpr* value, Range range) {
    const Type* type = value->type;
    if (type->kind == TypeKind::Void)
        diags_.report(diag::NoValue, range);
    else if (type->admitsNil && !isNil(type))
        diags_.report(diag::MayBeNilOperand, range, op, show(type));
    else if (type->kind == TypeKind::TypeParam && (op == "<" || op == "<=" || op == ">" || op == ">="))
        diags_.report(diag::BadOperand, range, op, show(type)).note(diag::ComparableNote, {}, show(type), show(type));
    else
        diags_.report(diag::BadOperand, range, op, show(type));
}

TExpr* Checker::bitOperand(TExpr* value, Range range, std::string_view op, CheckReason reason) {
    value = numericOperand(value, range, op);
    if (isNumber(value->type)) return convertNode(ConvertKind::Check, reason, value, types_.integer());
    return value;
}

TExpr* Checker::arith(BinaryOp op, TExpr* left, TExpr* right, Range leftRange, Range rightRange, Range opRange) {
    const std::string_view spelled = frontend::spelling(op);
    const Loc loc = opRange.begin;
    ArithOp code = ArithOp::Add;
    bool isBits = false, givesNumber = false;
    switch (op) {
        case BinaryOp::Add: code = ArithOp::Add; break;
        case BinaryOp::Sub: code = ArithOp::Sub; break;
        case BinaryOp::Mul: code = ArithOp::Mul; break;
        case BinaryOp::Mod: code = ArithOp::Mod; break;
        case BinaryOp::IDiv: code = ArithOp::IDiv; break;
        case BinaryOp::Div: code = ArithOp::Div, givesNumber = true; break;
        case BinaryOp::Pow: code = ArithOp::Pow, givesNumber = true; break;
        case BinaryOp::BitAnd: code = ArithOp::BAnd, isBits = true; break;
        case BinaryOp::BitOr: code = ArithOp::BOr, isBits = true; break;
        case BinaryOp::BitXor: code = ArithOp::BXor, isBits = true; break;
        case BinaryOp::Shl: code = ArithOp::Shl, isBits = true; break;
        case BinaryOp::Shr: code = ArithOp::Shr, isBits = true; break;
        default: LUAPP_UNREACHABLE("no arithmetic operator");
    }
    if (const std::string_view method = operatorName(op); !method.empty())
        if (TExpr* call = operatorCall(method, left, right, rightRange, loc)) return call;
    const Type* const leftType = left->type;
    // A dynamic operand may have an operator that takes anything.
    auto isDynamic = [&](const TExpr* value) { return isAny(value->type) && !isImplicitAny(value->type); };
    if (isDynamic(left) && !isNumeric(right->type) && !isError(right->type) && !isImplicitAny(right->type))
        right = convert(right, types_.any(), CheckReason::Assign, rightRange);
    else if (isDynamic(right) && !isNumeric(left->type) && !isError(left->type) && !isImplicitAny(left->type))
        left = convert(left, types_.any(), CheckReason::Assign, leftRange);
    left = isBits ? bitOperand(left, leftRange, spelled, CheckReason::BitLeft) : numericOperand(left, leftRange, spelled);
    if (isError(left->type) && right->type == leftType) return left;  // for the same reason
    right = isBits ? bitOperand(right, rightRange, spelled, CheckReason::BitRight) : numericOperand(right, rightRange, spelled);
    if (isError(left->type) || isError(right->type)) return errorExpr(loc);
    const Type* type;
    if (isAny(left->type) || isAny(right->type)) {
        type = types_.any();
        afterCall();  // a metamethod may run
    } else if (isInteger(left->type) && isInteger(right->type) && !givesNumber) {
        type = types_.integer();
    } else {
        type = types_.number();
    }
    auto* n = expr<TBinary>(type, loc);
    n->op = code;
    n->left = convert(left, type, CheckReason::Assign, leftRange);
    n->right = convert(right, type, CheckReason::Assign, rightRange);
    return n;
}

TExpr* Checker::compare(ast::BinaryExpr& e, TExpr* left, TExpr* right, Range leftRange) {
    const Loc loc = e.opRange.begin;
    if (isError(left->type) || isError(right->type)) return errorBoolean(loc);
    if (reportImplicitAny(left, leftRange) || reportImplicitAny(right, e.right->range)) return errorBoolean(loc);
    if (TExpr* present = withKeyPresent(left)) left = present;
    if (TExpr* present = withKeyPresent(right)) right = present;
    const Type *l = left->type, *r = right->type;
    const Type* type = nullptr;
    if (isAny(l) || isAny(r)) {
        type = types_.any();
        afterCall();
    } else if (isInteger(l) && isInteger(r)) {
        type = l;
    } else if (isNumeric(l) && isNumeric(r)) {
        type = types_.number();
    } else if (isString(l) && isString(r)) {
        type = l;
    } else if (l->kind == TypeKind::Enum && l == r) {
        type = l;
    } else if (TExpr* call = orderCall(e.op, left, right, leftRange, e.right->range, loc)) {
        return call;
    } else if (l == r && l->kind == TypeKind::TypeParam && satisfies(l, types_.comparable())) {
        type = l;
    } else if (isLenient() && isAny(loosened(left)->type) && isAny(loosened(right)->type)) {
        // What Lua 5.1 would raise when it gets there.
        left = loosened(left), right = loosened(right);
        type = types_.any();
        afterCall();
    } else {
        const std::string_view op = frontend::spelling(e.op);
        auto comparable = [](const Type* t) { return isNumeric(t) || isString(t); };
        if (!comparable(l))
            reportOperand(op, left, leftRange);
        else if (!comparable(r))
            reportOperand(op, right, e.right->range);
        else
            diags_.report(diag::CannotCompare, e.range, op, show(l), show(r));
        return errorBoolean(loc);
    }
    auto* n = expr<TCompare>(types_.boolean(), loc);
    switch (e.op) {
        case BinaryOp::Lt: n->op = CompareOp::Lt; break;
        case BinaryOp::Le: n->op = CompareOp::Le; break;
        case BinaryOp::Gt: n->op = CompareOp::Gt; break;
        default: n->op = CompareOp::Ge; break;
    }
    n->left = convert(left, type, CheckReason::Assign, leftRange);
    n->right = convert(right, type, CheckReason::Assign, e.right->range);
    return n;
}

TExpr* Checker::equality(ast::BinaryExpr& e, TExpr* left, TExpr* right, Range leftRange) {
    const Loc loc = e.opRange.begin;
    if (isError(left->type) || isError(right->type)) return errorBoolean(loc);
    for (auto [value, range] : {std::pair{left, leftRange}, std::pair{right, e.right->range}})
        if (!isLenient() && value->type->kind == TypeKind::Void) {
            diags_.report(diag::NoValue, range);
            return errorBoolean(loc);
        }
    if (isLenient() && left->type != right->type) left = loosened(left), right = loosened(right);
    const Type *l = left->type, *r = right->type;
    const bool testsNil = left->kind == TExprKind::NilConst || right->kind == TExprKind::NilConst;
    if (!testsNil)
        if (TExpr* call = equalCall(e.op == BinaryOp::Eq, left, right, loc)) return call;
    if (!testsNil && areDisjoint(l, r)) {
        diags_.report(diag::NeverEqual, e.range, show(l), show(r));
        return errorBoolean(loc);
    }
    if (testsNil && !l->admitsNil && !r->admitsNil) LUAPP_UNREACHABLE("nil is a value of its own type");
    const Type* type = types_.unionOf(l, r);
    if (isAny(type)) type = types_.any();
    auto* n = expr<TCompare>(types_.boolean(), loc);
    n->op = e.op == BinaryOp::Eq ? CompareOp::Eq : CompareOp::Ne;
    n->left = convert(left, type, CheckReason::Assign, leftRange);
    n->right = convert(right, type, CheckReason::Assign, e.right->range);
    return n;
}

/// The variable in `type(x)`, if the expression is that.
SemaVar* Checker::typeCallVariable(ast::Expr* e) {
    auto* call = e ? ast::as<ast::CallExpr>(e) : nullptr;
    if (!call || call->args.count != 1) return nullptr;
    auto* callee = ast::as<ast::NameExpr>(call->callee);
    if (!callee || callee->resolved || isLenient() || text(callee->name) != "type") return nullptr;
    return variableOf(*call->args[0]);
}

/// The part of `type` whose values `type()` calls `name`; null if that cannot be said.
const Type* Checker::typeByName(const Type* type, std::string_view name) {
    auto nameOf = [](const Type* t) -> std::string_view {
        switch (t->kind) {
            case TypeKind::Nil: return "nil";
            case TypeKind::Boolean: return "boolean";
            case TypeKind::Number:
            case TypeKind::Integer: return "number";
            case TypeKind::String: return "string";
            case TypeKind::Function:
            case TypeKind::AnyFunction: return "function";
            case TypeKind::File: return "userdata";
            case TypeKind::Array: return "array";
            case TypeKind::Table: return "table";
            case TypeKind::Record: return "record";
            case TypeKind::Class:
            case TypeKind::Interface: return "object";
            case TypeKind::Enum: return "enum";
            default: return "";
        }
    };
    const bool mayBeAnything = std::any_of(membersOf(type).begin(), membersOf(type).end(),
                                           [](auto* t) { return isAny(t) || t->kind == TypeKind::TypeParam; });
    if (mayBeAnything) {
        if (name == "nil") return types_.nil();
        if (name == "boolean") return types_.boolean();
        if (name == "number") return types_.number();
        if (name == "string") return types_.string();
        if (name == "function") return types_.anyFunction();
        return nullptr;
    }
    std::vector<const Type*> left;
    for (const Type* member : membersOf(type))
        if (nameOf(member) == name) left.push_back(member);
    return types_.unionOf(left);
}

/// What `left == right` tells about variables.
Pred* Checker::equalityPred(ast::BinaryExpr& e, ast::Expr* leftSource, TExpr* left, TExpr* right) {
    Pred* pred = nullptr;
    SemaVar* variable = nullptr;
    if (right->kind == TExprKind::NilConst && leftSource && (variable = variableOf(*leftSource))) {
        pred = nilPred(variable, true);
    } else if (left->kind == TExprKind::NilConst && (variable = variableOf(*e.right))) {
        pred = nilPred(variable, true);
    } else if (auto* name = ast::as<ast::StringExpr>(e.right); name && (variable = typeCallVariable(leftSource))) {
        pred = typeNamePred(variable, name->value);
    } else if (auto* first = leftSource ? ast::as<ast::StringExpr>(leftSource) : nullptr;
               first && (variable = typeCallVariable(e.right))) {
        pred = typeNamePred(variable, first->value);
    } else {
        // Equal to something that is not nil: not nil.
        if (leftSource && (variable = variableOf(*leftSource)) && variable->type && isOptional(variable->typeNow()) &&
            !right->type->admitsNil)
            pred = narrowPred(variable, types_.withoutNil(variable->typeNow()), nullptr);
        else if ((variable = variableOf(*e.right)) && variable->type && isOptional(variable->typeNow()) &&
                 !left->type->admitsNil)
            pred = narrowPred(variable, types_.withoutNil(variable->typeNow()), nullptr);
    }
    if (!pred || e.op == BinaryOp::Eq) return pred;
    return combine(Pred::Kind::Not, pred, nullptr);
}

Pred* Checker::typeNamePred(SemaVar* variable, std::string_view name) {
    if (!variable->type || isError(variable->type)) return nullptr;
    const Type* now = variable->typeNow();
    const Type* part = typeByName(now, name);
    if (!part) return nullptr;
    if (part->kind == TypeKind::Never) {
        part = typeByName(variable->type, name);
        return part ? narrowPred(variable, part, nullptr) : nullptr;
    }
    return narrowPred(variable, part, isAny(now) ? nullptr : narrowFrom(now, part));
}

// ---- Concatenation --------------------------------------------------------------------------------------------------

TExpr* Checker::concat(std::span<TExpr* const> parts, Loc loc) {
    bool isDynamic = false;
    for (TExpr* part : parts) {
        if (isError(part->type)) return errorExpr(loc);
        isDynamic |= isAny(part->type);
    }
    auto* n = expr<TConcat>(isDynamic ? types_.any() : types_.string(), loc);
    n->parts = arena().makeList<TExpr*>(parts);
    if (!isDynamic) return n;
    afterCall();
    for (TExpr*& part : n->parts) part = convert(part, types_.any(), CheckReason::Assign, {});
    return n;
}

TExpr* Checker::concatOperand(TExpr* value, Range range) {
    if (!isString(value->type) && !isNumeric(value->type)) value = loosened(value);
    const Type* type = value->type;
    if (isError(type) || isAny(type) || isString(type) || isNumeric(type)) return value;
    if (TExpr* present = withKeyPresent(value)) return concatOperand(present, range);
    bool all = isUnion(type);
    for (const Type* member : membersOf(type)) all &= isString(member) || isNumeric(member);
    if (all) {
        auto* string = expr<TToString>(types_.string(), value->loc);
        string->operand = value;
        return string;
    }
    reportOperand("..", value, range);
    return errorExpr(value->loc);
}

TExpr* Checker::check(ast::ConcatExpr& e) {
    Scratch<TExpr*> parts(exprs_);
    std::vector<Range> ranges;
    bool hasObjects = false;
    for (ast::Expr* operand : e.operands) {
        parts.add(checkExpr(*operand, nullptr));
        ranges.push_back(operand->range);
        hasObjects |= parts.back()->type->kind >= TypeKind::Class;
    }
    if (hasObjects)
        if (TExpr* call = concatCall(parts.span(), ranges, e.operands[0]->range.end)) return call;
    for (size_t i = 0; i < parts.size(); i++) parts[i] = concatOperand(parts[i], ranges[i]);
    return concat(parts.span(), e.operands[0]->range.end);
}

}  // namespace luapp::sema
