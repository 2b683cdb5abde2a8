// Makers of typed nodes that more than one file needs.
#include "sema/context.h"

namespace luapp::sema {

TExpr* Checker::boolConst(bool value, Loc loc) {
    auto* n = expr<TBoolConst>(types_.boolean(), loc);
    n->value = value;
    return n;
}

TExpr* Checker::numberConst(double value, Loc loc) {
    auto* n = expr<TNumberConst>(types_.number(), loc);
    n->value = value;
    return n;
}

TExpr* Checker::integerConst(int64_t value, Loc loc) {
    auto* n = expr<TIntegerConst>(types_.integer(), loc);
    n->value = value;
    return n;
}

TExpr* Checker::stringConst(std::string_view value, Loc loc) {
    auto* n = expr<TStringConst>(types_.string(), loc);
    n->value = value;
    return n;
}

TExpr* Checker::getVar(Variable* variable, Loc loc) {
    auto* n = expr<TVarGet>(variable->type, loc);
    n->variable = variable;
    n->checked = false;
    return n;
}

TExpr* Checker::notNode(TExpr* operand) {
    auto* n = expr<TNot>(types_.boolean(), operand->loc);
    n->operand = operand;
    return n;
}

Variable* Checker::temp(const Type* type) {
    auto* v = arena().make<SemaVar>();
    v->type = type;
    v->owner = function_;
    v->home = function_;
    v->module = module_;
    v->index = function_->variableCount++;
    v->isAssigned = true;
    return v;
}

TStmt* Checker::declareTemp(Variable* variable, TExpr* init, Loc loc) {
    auto* n = stmt<TLocalDecl>(loc);
    n->variable = variable;
    n->init = init;
    return n;
}

TExpr* Checker::let(std::span<TStmt* const> stmts, TExpr* result) {
    auto* n = expr<TLet>(result->type, result->loc);
    n->stmts = arena().makeList<TStmt*>(stmts);
    n->result = result;
    return n;
}

TBlock* Checker::block(std::span<TStmt* const> stmts, Loc loc) {
    auto* n = stmt<TBlock>(loc);
    n->stmts = arena().makeList<TStmt*>(stmts);
    return n;
}

}  // namespace luapp::sema
