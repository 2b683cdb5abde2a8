// The globals of lenient code: the library as tables, as Lua 5.1 arranges it. Made once per State, when the first lenient program is
// loaded; strict programs never pay for it.
#pragma once

#include "runtime/object/lua_table.h"

namespace luapp::rt {

/// State.globals; made if it is not there yet. Every function of builtins.def that is no member of a typed container stands in it under
/// its name, `_G` is the table itself, `package.loaded` knows the libraries, and strings get `string` as their metatable's __index.
/// May collect.
LuaTable* lenientGlobals(State& s);

}  // namespace luapp::rt
