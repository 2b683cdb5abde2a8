#pragma once
// Prints the typed tree as text: `disasm --emit=types` and the goldens of sema.
//
// One line per statement, expressions in a functional notation with the inserted nodes in words: widen<T>(x), narrow,
// retype, check, nonnil, adapt, cells and module variables marked at their declaration. Stable: no addresses;
// temporaries are numbered in order of appearance within their function.

#include <string>

#include "sema/typed.h"

namespace luapp::sema {

/// The whole program, or only the functions with the given names if there are any.
std::string dump(const TypedProgram& program, const frontend::Interner& interner,
                 const std::vector<std::string>& functions = {});

}  // namespace luapp::sema
