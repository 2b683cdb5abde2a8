#include "frontend/ast/ast.h"

namespace luapp::frontend {

std::string_view nodeKindName(NodeKind kind) {
    switch (kind) {
#define LUAPP_NODE(Kind, Category, Meaning) \
    case NodeKind::Kind: return #Kind;
#include "frontend/ast/ast_nodes.def"
    }
    return {};
}

std::string_view spelling(BinaryOp op) {
    switch (op) {
#define LUAPP_BINARY(Op, Spelling, Left, Right) \
    case BinaryOp::Op: return Spelling;
#include "frontend/ast/operators.def"
    }
    return {};
}

std::string_view spelling(UnaryOp op) {
    switch (op) {
#define LUAPP_UNARY(Op, Spelling) \
    case UnaryOp::Op: return Spelling;
#include "frontend/ast/operators.def"
    }
    return {};
}

}  // namespace luapp::frontend
