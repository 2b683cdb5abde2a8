#pragma once
// Prints a syntax tree: as indented text (`disasm --emit=ast`, golden tests) or as a Graphviz graph (`--emit=ast-dot`).
//
// Both are generated from the fields() of the nodes, so a new node prints by itself. The text is stable: no addresses,
// no positions. Empty lists, missing children and false flags are left out.

#include <string>

#include "frontend/ast/ast.h"

namespace luapp::frontend {

/// The tree as text: one node per line, its plain values beside it, its children below, indented by two blanks.
std::string dumpAst(const Module& module, const Interner& interner);

/// One type as the tree dump prints it.
std::string dumpType(const TypeNode& type, const Interner& interner);

/// The tree as a Graphviz digraph.
std::string dumpAstDot(const Module& module, const Interner& interner);

/// `bytes` in double quotes, with escapes for everything that is not printable ASCII.
std::string quoteBytes(std::string_view bytes);

}  // namespace luapp::frontend
