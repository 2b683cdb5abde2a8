// Removal of block parameters that are only another name for one value: shared by the builder, which makes such
// parameters, and by passes that remove edges and so make them.
#pragma once

#include "middle/ir.h"

namespace luapp::ir {

/// The one value (resolved) that all arguments for `param` are, itself aside; null if there are several, none, or one is missing.
Value onlyArgument(Value param);

/// Replaces every parameter whose arguments are one value, until there is none left; the replacements stay pending
/// (Function::applyReplacements). True if there was one.
bool replaceTrivialParams(Function& fn);

}  // namespace luapp::ir
