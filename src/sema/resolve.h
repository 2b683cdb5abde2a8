#pragma once
// The walk before checking: which variable each name means, and what can be said about variables and functions without
// types.
//
// declareModule() makes the top-level names of a module known to others (exports, aliases, hoisted functions);
// resolveModule() walks its bodies and fills NameDecl::variable and NameExpr::resolved (a name it leaves null is a
// library name, or unknown), marks captured and reassigned variables, finds statically known functions, and computes
// captures. finishModule() decides what the marks imply: which variables live in the data segment, and from which
// statement of the main block on each top-level function may be called. It reports misuse of names (duplicates,
// assignment to constants and imports) but no unknown names.

#include "frontend/diag/diagnostic.h"
#include "sema/symbols.h"

namespace luapp::sema {

/// What the walks over all modules share.
struct ResolveContext {
    TypedProgram& program;
    frontend::Interner& interner;
    frontend::Diagnostics& diagnostics;
    FunctionMap& functions;
    std::vector<std::unique_ptr<AliasInfo>>& aliases;
    uint32_t functionCount = 0;
    bool warnsOfGlobals = false;
};

void declareModule(ResolveContext& context, ModuleInfo& module);
/// Links imported names to the variables and aliases of other modules; all modules must be declared.
void linkImports(ResolveContext& context, ModuleInfo& module);
void resolveModule(ResolveContext& context, ModuleInfo& module);
void finishModule(ResolveContext& context, ModuleInfo& module);

}  // namespace luapp::sema
