#pragma once
// What the files of the walk before checking share: makers of variables and functions, and the declarations of classes,
// interfaces and enums. Only resolve*.cpp include it.

#include "sema/resolve.h"

namespace luapp::sema {

/// A variable of `home` (null: of no function).
SemaVar* newVariable(ResolveContext& context, Symbol name, Range range, FunctionInfo* home, ModuleInfo* module);
/// A function; `body` may be null (initializers of classes).
FunctionInfo* newFunction(ResolveContext& context, ast::FunctionBody* body, FunctionInfo* outer, ModuleInfo* module);
/// Reports a second declaration of one top-level name among functions, types and imports.
void reportDuplicate(ResolveContext& context, Symbol name, Range range);

/// Makes the info of a class, interface or enum with its members, their functions and its variable. Null if `stmt` is
/// something else.
Nominal* declareNominal(ResolveContext& context, ModuleInfo& module, ast::Stmt& stmt);
/// The member that a bare name means in the body of `info`: its own, or one of a base in the same module that is not private
/// there. Null if there is none.
MemberInfo* bareMember(ResolveContext& context, ClassInfo& info, Symbol name);
/// The base classes of `info` that its module declares.
std::vector<ClassInfo*> basesInModule(const ClassInfo& info);
/// The class that a type annotation names in its module, or null.
ClassInfo* classNamed(const ModuleInfo& module, const ast::TypeNode& node);

}  // namespace luapp::sema
