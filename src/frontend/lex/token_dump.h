#pragma once
// Prints the tokens of a file, one a line, as the paper's Listing 34 does: kind, value, first and last position
// (`disasm --emit=tokens`). Runs its own lexer; no parser is involved.

#include <string>

#include "frontend/base/arena.h"
#include "frontend/base/interner.h"
#include "frontend/base/source.h"
#include "frontend/diag/diagnostic.h"

namespace luapp::frontend {

/// All tokens of `file`. Lexical errors go to `diagnostics`.
std::string dumpTokens(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics);

}  // namespace luapp::frontend
