// Arguments of the functions that only lenient code has, which take boxes: Lua 5.1's checks and conversions. Private to lib/.
#pragma once

#include <cmath>

#include "runtime/lib/lib_support.h"
#include "runtime/object/lua_table.h"

namespace luapp::rt {

/// Argument `i` (from 0), or nil.
inline Value argument(const State& s, const Word* args, uint32_t i) { return i < s.argCount ? valueArg(args, i) : Value::nil(); }

/// Raises that argument `i` is missing or of the wrong type.
[[noreturn]] LUAPP_COLD void raiseType(State& s, const Word* args, uint32_t i, const char* function, const char* expected);

/// An argument that must be there, nil included.
inline Value anyArgument(State& s, const Word* args, uint32_t i, const char* function) {
    if (i >= s.argCount) raiseArgument(s, i + 1, function, "value expected");
    return valueArg(args, i);
}

LuaTable* tableArgument(State& s, const Word* args, uint32_t i, const char* function);

/// A string, or a number as its text.
String* textArgument(State& s, const Word* args, uint32_t i, const char* function);

/// A number, or the number that a string spells.
double numberArgument(State& s, const Word* args, uint32_t i, const char* function);

}  // namespace luapp::rt
