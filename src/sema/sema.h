#pragma once
// The one entry of the type checker: parsed modules to a typed program.
//
// check() follows the imports of the root module through a ModuleLoader, resolves names, checks every module and builds
// the typed tree (typed.h). It does no input or output itself. It always returns a program; if diagnostics has errors
// afterwards, the tree may hold ErrorTypes and must not be lowered. Errors of all modules are reported in one run.

#include <memory>
#include <string_view>

#include "frontend/ast/ast.h"
#include "frontend/base/interner.h"
#include "frontend/diag/diagnostic.h"
#include "sema/typed.h"

namespace luapp::sema {

/// Finds and parses the modules that a program imports. Implemented by the driver.
class ModuleLoader {
  public:
    virtual ~ModuleLoader() = default;
    /// The module that `path` names when imported by `importer`: parsed, and the same object whenever the canonical
    /// path is the same. Null if there is none; then `problem` says why ("no such module", ...). Syntax errors are
    /// reported by the loader and give a module all the same.
    virtual frontend::Module* load(const frontend::SourceFile& importer, std::string_view path,
                                   std::string& problem) = 0;
};

/// What check() reads. The trees are annotated in place (Expr::type, NameExpr::resolved, NameDecl::variable).
struct Program {
    frontend::Module& root;
    ModuleLoader& loader;
    frontend::Interner& interner;
    std::string_view rootRequiredAs = {};  // the root is a module that a running program requires by this name
    bool warnsOfGlobals = false;  // in lenient files: what is undeclared, never assigned or unused (W3105 to W3107)
    bool isSession = false;       // the root is an entry of an interactive session: unknown names are globals of type any
};

/// Checks a whole program. Never null.
std::unique_ptr<TypedProgram> check(const Program& program, frontend::Diagnostics& diagnostics);

}  // namespace luapp::sema
