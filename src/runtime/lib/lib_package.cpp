// require, and the modules it knows: the table "_LOADED" of the registry, from the names modules are asked for by to their values.
// The modules of the running program enter themselves there at the end of their main block.
#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"
#include "runtime/lib/library.h"
#include "runtime/object/lua_table.h"

namespace luapp::rt {

namespace {

LuaTable* loadedModules(State& s) {
    if (s.registry == nullptr) s.registry = newLuaTable(s);
    String* const key = newString(s, "_LOADED");
    const Value known = luaGetString(s, s.registry, key);
    if (known.isLuaTable()) return known.asLuaTable();
    LuaTable* const loaded = newLuaTable(s);
    luaSetString(s, s.registry, key, Value::object(loaded));
    return loaded;
}

}  // namespace

Word baseRequire(State& s, Word* args) {
    String* const name = stringArg(args, 0);
    LuaTable* const loaded = loadedModules(s);
    Value module = luaGetString(s, loaded, name);
    if (!module.isNil()) return module.word();
    const LibraryOptions& options = libState(s).options;
    if (options.requireModule == nullptr) raiseLib(s, "module '%.200s' not found", name->data());
    module = options.requireModule(s, name);
    luaSetString(s, loaded, name, module);
    return module.word();
}

/// What compiled modules call: `require(name)` gives `module` from now on.
Word baseProvide(State& s, Word* args) {
    luaSetString(s, loadedModules(s), stringArg(args, 0), valueArg(args, 1));
    return 0;
}

}  // namespace luapp::rt
