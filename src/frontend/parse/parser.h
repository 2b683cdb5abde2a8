#pragma once
// The front end's one entry: source text to syntax tree.
//
// parse() runs the lexer and a recursive-descent parser over a file and gives a Module, whatever the text holds:
// errors are reported to Diagnostics, and the tree has error nodes where nothing could be made of the text. It looks
// up no name and no type. parseSignature() reads one declaration of the library (runtime/lib/builtins.def).
//
// Nesting is limited to kMaxNesting levels (expressions, statements and types counted together), so that every later
// stage may recurse over the tree; see ast.h for the one exception.

#include "frontend/ast/ast.h"
#include "frontend/base/arena.h"
#include "frontend/base/interner.h"
#include "frontend/base/source.h"
#include "frontend/diag/diagnostic.h"

namespace luapp::frontend {

/// How deep expressions, statements and types may nest. Lua 5.1 allows 200.
inline constexpr int kMaxNesting = 400;

/// Parses a whole file. Never null; the tree lives in `arena` and refers to the text of `file` and to `interner`.
Module* parse(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics);

/// Parses a type alone, e.g. `Array<number>?`. Generic parameters may stand before a function type, and its parameters
/// may be optional: `<T, U>(xs: Array<T>, f: (T): U, from?: integer): Array<U>`. An ErrorTypeNode after an error.
TypeNode* parseSignature(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics);

}  // namespace luapp::frontend
