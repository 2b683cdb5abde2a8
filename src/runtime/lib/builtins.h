// Declarations of the C++ functions that builtins.def names. All have the signature of a builtin: raw arguments by the declared
// signature, result 0 as return value, further ones in State.results (docs/internals.md, section 3). Several entries may share
// a function. Defined in the lib_*.cpp files.
#pragma once

#include "runtime/object/object.h"

namespace luapp::rt {

#define LUAPP_BUILTIN(Id, name, signature, fn, effects, intrinsic, description) Word fn(State& s, Word* args);
#define LUAPP_BUILTIN_CASE(Id, name, literal, signature, fn, effects, intrinsic) Word fn(State& s, Word* args);
#define LUAPP_BUILTIN_VALUE(Id, name, type, fn, effects, intrinsic, description) Word fn(State& s, Word* args);
#define LUAPP_BUILTIN_HIDDEN(Id, name, signature, fn, effects) Word fn(State& s, Word* args);
#include "runtime/lib/builtins.def"

}  // namespace luapp::rt
