#pragma once
// Walking the tree: dispatch by kind, and the iterative walk down long operator chains.
//
// visit() calls the overload for a node's own struct; its switch is generated from ast_nodes.def, so a new kind that a
// visitor does not take fails to compile there. leftSpine() is for the one place where trees may be deep.

#include <vector>

#include "frontend/ast/ast.h"

namespace luapp::frontend {

/// Calls `visitor(static_cast<Kind&>(expr))` for the kind of `expr` and returns its result.
template <class Visitor>
decltype(auto) visitExpr(Expr& expr, Visitor&& visitor) {
    switch (expr.kind) {
#define LUAPP_VISIT_Expr(Kind) \
    case NodeKind::Kind: return visitor(static_cast<Kind&>(expr));
#define LUAPP_VISIT_Type(Kind) case NodeKind::Kind: break;
#define LUAPP_VISIT_Stmt(Kind) case NodeKind::Kind: break;
#define LUAPP_VISIT_Decl(Kind) case NodeKind::Kind: break;
#define LUAPP_NODE(Kind, Category, Meaning) LUAPP_VISIT_##Category(Kind)
#include "frontend/ast/ast_nodes.def"
#undef LUAPP_VISIT_Expr
#undef LUAPP_VISIT_Type
#undef LUAPP_VISIT_Stmt
#undef LUAPP_VISIT_Decl
    }
    __builtin_unreachable();
}

/// Calls `visitor(static_cast<Kind&>(type))` for the kind of `type` and returns its result.
template <class Visitor>
decltype(auto) visitType(TypeNode& type, Visitor&& visitor) {
    switch (type.kind) {
#define LUAPP_VISIT_Type(Kind) \
    case NodeKind::Kind: return visitor(static_cast<Kind&>(type));
#define LUAPP_VISIT_Expr(Kind) case NodeKind::Kind: break;
#define LUAPP_VISIT_Stmt(Kind) case NodeKind::Kind: break;
#define LUAPP_VISIT_Decl(Kind) case NodeKind::Kind: break;
#define LUAPP_NODE(Kind, Category, Meaning) LUAPP_VISIT_##Category(Kind)
#include "frontend/ast/ast_nodes.def"
#undef LUAPP_VISIT_Expr
#undef LUAPP_VISIT_Type
#undef LUAPP_VISIT_Stmt
#undef LUAPP_VISIT_Decl
    }
    __builtin_unreachable();
}

/// Calls `visitor(static_cast<Kind&>(stmt))` for the kind of `stmt` (statements and declarations).
template <class Visitor>
decltype(auto) visitStmt(Stmt& stmt, Visitor&& visitor) {
    switch (stmt.kind) {
#define LUAPP_VISIT_Stmt(Kind) \
    case NodeKind::Kind: return visitor(static_cast<Kind&>(stmt));
#define LUAPP_VISIT_Decl(Kind) \
    case NodeKind::Kind: return visitor(static_cast<Kind&>(stmt));
#define LUAPP_VISIT_Expr(Kind) case NodeKind::Kind: break;
#define LUAPP_VISIT_Type(Kind) case NodeKind::Kind: break;
#define LUAPP_NODE(Kind, Category, Meaning) LUAPP_VISIT_##Category(Kind)
#include "frontend/ast/ast_nodes.def"
#undef LUAPP_VISIT_Expr
#undef LUAPP_VISIT_Type
#undef LUAPP_VISIT_Stmt
#undef LUAPP_VISIT_Decl
    }
    __builtin_unreachable();
}

/// Fills `spine` with `top` and the BinaryExprs below it by their left operands, outermost first, and returns the left
/// operand of the innermost (not a BinaryExpr). Evaluate that first, then the spine from back to front:
///
///     std::vector<BinaryExpr*> spine;
///     auto value = check(*leftSpine(top, spine));
///     for (size_t i = spine.size(); i-- > 0;) value = combine(*spine[i], value, check(*spine[i]->right));
inline Expr* leftSpine(BinaryExpr& top, std::vector<BinaryExpr*>& spine) {
    spine.clear();
    Expr* at = &top;
    while (auto* binary = as<BinaryExpr>(at)) {
        spine.push_back(binary);
        at = binary->left;
    }
    return at;
}

}  // namespace luapp::frontend
