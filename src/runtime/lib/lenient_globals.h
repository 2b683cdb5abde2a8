// The globals of lenient code: the library as tables, as Lua 5.1 arranges it. Made once per State, when the first lenient program is
// loaded; strict programs never pay for it.
#pragma once

#include "runtime/object/lua_table.h"

namespace luapp::rt {

/// State.globals, made if it is not there yet. Every function of builtins.def that is no member of a typed container stands in it under
/// its name, `_G` is the table itself, `package.loaded` knows the libraries, and strings get `string` as their metatable's __index.
/// May collect.
LuaTable* lenientGlobals(State& s);

/// Makes `package` and enters the libraries among `globals` as loaded modules; lib_package.cpp.
void openPackage(State& s, LuaTable* globals);

/// What new code finds its globals in: those of the running coroutine, if it has its own, else lenientGlobals(). May collect.
LuaTable* runningGlobals(State& s);
/// Gives a coroutine (null: the main program) globals of its own.
void setRunningGlobals(State& s, Coroutine* co, LuaTable* globals);

/// A table of the registry, made if it is not there, whose keys are weak: what belongs to objects that have no room for it. May collect.
LuaTable* sideTable(State& s, const char* name);
/// The side table with the environments of coroutines and userdata.
inline constexpr const char* kEnvironmentTable = "(environments)";

}  // namespace luapp::rt
