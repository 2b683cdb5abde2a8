// require, and the modules it knows: the table "_LOADED" of the registry, from the names modules are asked for by to their values.
// The modules of the running program enter themselves there at the end of their main block.
#include "runtime/lib/builtins.h"
#include "runtime/lib/lenient_globals.h"
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

/// Raises that there is no such module, and which there are.
[[noreturn]] void raiseNotFound(State& s, String* name, const LuaTable* loaded) {
    TextBuilder out(s);
    out.append("module '");
    out.append(name);
    out.append("' not found; modules that have run: ");
    Value key = Value::nil(), module;
    bool isFirst = true;
    while (luaNext(s, loaded, key, module) == NextResult::Found) {
        if (!isFirst) out.append(", ");
        isFirst = false;
        if (key.isString()) out.append(key.asString());
    }
    if (isFirst) out.append("none");
    String* const message = out.finish();
    raise(s, ErrorKind::Message, message);
}

}  // namespace

Word baseRequire(State& s, Word* args) {
    String* const name = stringArg(args, 0);
    LuaTable* const loaded = loadedModules(s);
    Value module = luaGetString(s, loaded, name);
    if (!module.isNil()) return module.word();
    const LibraryOptions& options = libState(s).options;
    if (options.requireModule == nullptr || !options.requireModule(s, name, options.requireContext)) raiseNotFound(s, name, loaded);
    module = luaGetString(s, loaded, name);
    if (!module.isNil()) return module.word();
    luaSetString(s, loaded, name, Value::boolean(true));
    return Value::boolean(true).word();
}

/// What the entries of an interactive session call: the table of globals.
Word baseSessionGlobals(State& s, Word*) { return Value::luaTable(lenientGlobals(s)).word(); }

/// What compiled modules call: `require(name)` gives `module` from now on.
Word baseProvide(State& s, Word* args) {
    luaSetString(s, loadedModules(s), stringArg(args, 0), valueArg(args, 1));
    return 0;
}

}  // namespace luapp::rt
