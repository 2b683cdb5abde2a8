// Library functions as values of a State, and their signatures for dynamic calls: the library's half of vm/call_builtins.h.
// Function values and signatures are made when first asked for and kept per State, so a program that uses none pays nothing.
// In the closure of a builtin, capture 0 is its index. The parser here understands the type syntax builtins.def uses and no more;
// the compiler parses the same texts with its own.
#pragma once

#include "runtime/lib/builtin_table.h"
#include "runtime/object/closure.h"
#include "runtime/object/type_desc.h"
#include "runtime/object/value.h"
#include "runtime/vm/call_builtins.h"

namespace luapp::rt {

/// All functions by index and the rest of what the VM wants to know.
extern const BuiltinTable kBuiltinTable;
/// The same for LibraryOptions::isClosed.
extern const BuiltinTable kClosedBuiltinTable;

/// The function value of a builtin, made on demand; always the same object for one State and index.
Closure* builtinClosure(State& s, unsigned index);

/// A new closure of a hidden builtin with `extra` capture words, captures[1..], all 0.
Closure* newIterator(State& s, BuiltinId id, uint32_t extra);

/// The signature of the general form, type parameters erased to `any`; of kind Function, kept by the State.
const TypeDesc* builtinSignature(State& s, unsigned index);

/// See BuiltinTable::signature.
const TypeDesc* instantiateBuiltin(State& s, unsigned index, const Word* args, uint32_t count);

/// See BuiltinTable::defaultArgument.
Word builtinDefaultArgument(State& s, unsigned index, unsigned param);

}  // namespace luapp::rt
