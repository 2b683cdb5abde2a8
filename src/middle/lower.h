// Lowering: the typed tree of a whole program to IR.
//
// Input: sema's TypedProgram, free of errors. Output: an ir::Module with every function that the main blocks can reach,
// plus the functions made here: `f/k` (default arguments filled in), `f/dyn` (dynamic entry of a function with defaults)
// and adapters between function types. Lowering makes representation changes, control flow and evaluation order
// explicit; it decides nothing about types, reports nothing and optimises nothing but what it can see at one node.
#pragma once

#include "middle/ir.h"
#include "sema/typed.h"

namespace luapp::ir {

struct LowerOptions {
    /// After every expression, parameter and variable set, check that the word is a value of its static type (Op::CheckWord). A program that
    /// fails such a check shows a bug of the compiler or the VM; tests/fuzz looks for one.
    bool assertTypes = false;
};

/// Fills `module`, which must be empty. `types` is the table all types of `program` come from.
void lower(const sema::TypedProgram& program, sema::TypeTable& types, const frontend::SourceManager& sources, Module& module,
           const LowerOptions& options = {});

}  // namespace luapp::ir
