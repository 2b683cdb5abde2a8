// require and package. Modules are known by their names in the table "_LOADED" of the registry (package.loaded); the modules of the
// running program enter themselves there at the end of their main block. Lenient code finds others as in Lua 5.1, by the
// functions in package.loaders; typed code has them found as imports are, and then so too.
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "runtime/lib/builtin_values.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lenient_args.h"
#include "runtime/lib/lenient_globals.h"
#include "runtime/lib/library.h"
#include "runtime/lib/load_texts.h"
#include "runtime/object/array.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

namespace {

constexpr const char* kNoDynamic = "dynamic libraries not enabled; check your Lua installation";

constexpr std::string_view kSystemPath =
    "/usr/local/share/lua/5.1/?.lua;/usr/local/share/lua/5.1/?/init.lua;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua";
constexpr std::string_view kDefaultCPath = "./?.so;/usr/local/lib/lua/5.1/?.so;/usr/lib/lua/5.1/?.so;/usr/local/lib/lua/5.1/loadall.so";

/// Stands for a module whose loader runs.
Value runningMark() {
    static constexpr char kMark = 0;
    return Value::lightUserdata(&kMark);
}

/// The table under a name in the registry, made if it is not there.
LuaTable* registryTable(State& s, std::string_view name) {
    if (s.registry == nullptr) s.registry = newLuaTable(s);
    String* const key = newString(s, name);
    const Value known = luaGetString(s, s.registry, key);
    if (known.isLuaTable()) return known.asLuaTable();
    LuaTable* const made = newLuaTable(s);
    luaSetString(s, s.registry, key, Value::luaTable(made));
    return made;
}

LuaTable* loadedModules(State& s) { return registryTable(s, "_LOADED"); }

void setField(State& s, LuaTable* t, std::string_view name, Value v) { luaSetString(s, t, newString(s, name), v); }
Value getField(State& s, const LuaTable* t, std::string_view name) { return luaGetString(s, t, newString(s, name)); }

/// The table `package`, whatever the global of that name is now.
LuaTable* packageTable(State& s) { return registryTable(s, "_PACKAGE"); }

String* packageString(State& s, std::string_view name) {
    const Value v = getField(s, packageTable(s), name);
    if (!v.isString()) raiseLib(s, "'package.%.*s' must be a string", static_cast<int>(name.size()), name.data());
    return v.asString();
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

/// Appends `text` with each `mark` replaced by `by`.
void appendReplaced(TextBuilder& out, std::string_view text, char mark, std::string_view by) {
    for (char c : text) {
        if (c == mark) {
            out.append(by);
        } else {
            out.append(c);
        }
    }
}

String* replaced(State& s, std::string_view text, char mark, std::string_view by) {
    TextBuilder out(s);
    appendReplaced(out, text, mark, by);
    return out.finish();
}

// --- where modules are looked for

void appendTemplates(TextBuilder& out, std::string_view folder) {
    for (std::string_view ending : {"?.lua", "?.luapp", "?/init.lua", "?/init.luapp"}) {
        out.append(folder);
        out.append("/");
        out.append(ending);
        out.append(";");
    }
}

/// The folders that imports are looked for in come behind the current one.
String* defaultPath(State& s) {
    TextBuilder out(s);
    appendTemplates(out, ".");
    const char* const given = std::getenv("LUAPP_PATH");
    for (std::string_view rest = given == nullptr ? "" : given; !rest.empty();) {
        const size_t colon = std::min(rest.find(':'), rest.size());
        if (colon != 0) appendTemplates(out, rest.substr(0, colon));
        rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    if (s.scriptArgs != nullptr && s.scriptArgs->length > 0) {
        const std::string_view script = refOf<String>(s.scriptArgs->get(0))->view();
        const size_t slash = script.rfind('/');
        if (slash != script.npos && slash != 0) appendTemplates(out, script.substr(0, slash));
    }
    out.append(kSystemPath);
    return out.finish();
}

/// A path from the environment, in which `;;` stands for the default.
String* pathFrom(State& s, const char* variable, String* otherwise) {
    const char* const given = std::getenv(variable);
    if (given == nullptr) return otherwise;
    TextBuilder out(s);
    const std::string_view text = given;
    for (size_t i = 0; i < text.size(); i++) {
        if (text.substr(i, 2) != ";;") {
            out.append(text[i]);
            continue;
        }
        if (i != 0) out.append(';');
        out.append(otherwise);
        if (i + 2 != text.size()) out.append(';');
        i++;
    }
    return out.finish();
}

/// The first file of a search path that can be read; null, with what has been tried appended to `tried`, if there is none.
String* searchPath(State& s, String* name, std::string_view field, TextBuilder& tried) {
    String* const file = replaced(s, name->view(), '.', "/");
    String* const path = packageString(s, field);
    std::string_view rest = path->view();
    rest = rest.substr(0, rest.find('\0'));
    while (!rest.empty()) {
        const size_t end = std::min(rest.find(';'), rest.size());
        if (end != 0) {
            String* const candidate = replaced(s, rest.substr(0, end), '?', file->view());
            if (access(terminated(s, candidate), R_OK) == 0) return candidate;
            tried.append("\n\tno file '");
            tried.append(candidate);
            tried.append("'");
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    keepAlive(path);
    keepAlive(file);
    return nullptr;
}

[[noreturn]] void raiseLoading(State& s, String* name, String* file, std::string_view why) {
    TextBuilder out(s);
    out.append("error loading module '");
    out.append(name);
    out.append("' from file '");
    out.append(file);
    out.append("':\n\t");
    out.append(why);
    String* const message = out.finish();
    raise(s, ErrorKind::Message, message);
}

/// What a loader gives that looks for a C library of this name: why there is none.
Word searchLibrary(State& s, String* name, String* library) {
    TextBuilder tried(s);
    String* const file = searchPath(s, library, "cpath", tried);
    if (file != nullptr) raiseLoading(s, name, file, kNoDynamic);
    return packResult(s, Value::string(tried.finish()));
}

/// Asks the functions in package.loaders one after the other; the first function one of them gives.
Value findLoader(State& s, String* name) {
    const Value loaders = getField(s, packageTable(s), "loaders");
    if (!loaders.isLuaTable()) raiseLib(s, "'package.loaders' must be a table");
    TextBuilder tried(s);
    for (int64_t i = 1;; i++) {
        const Value loader = luaGetInt(loaders.asLuaTable(), i);
        if (loader.isNil()) break;
        const Value argument = Value::string(name);
        const Value found = callValue(s, loader, &argument, 1);
        if (found.isFunction()) return found;
        if (found.isString()) tried.append(found.asString());
    }
    TextBuilder out(s);
    out.append("module '");
    out.append(name);
    out.append("' not found:");
    out.append(tried.view());
    String* const message = out.finish();
    raise(s, ErrorKind::Message, message);
}

Value requireByLoaders(State& s, String* name) {
    LuaTable* const loaded = loadedModules(s);
    const Value known = luaGetString(s, loaded, name);
    if (known.isTruthy()) {
        if (known != runningMark()) return known;
        raise(s, ErrorKind::ModuleLoop, name);
    }
    const Value loader = findLoader(s, name);
    luaSetString(s, loaded, name, runningMark());
    const Value argument = Value::string(name);
    const Value given = callValue(s, loader, &argument, 1);
    if (!given.isNil()) luaSetString(s, loaded, name, given);
    if (luaGetString(s, loaded, name) == runningMark()) luaSetString(s, loaded, name, Value::boolean(true));
    return luaGetString(s, loaded, name);
}

// --- module

/// The table that a dotted name means among the globals, made where there is none; null if something else is in the way.
LuaTable* globalTable(State& s, std::string_view name) {
    LuaTable* t = runningGlobals(s);
    while (t != nullptr && !name.empty()) {
        const size_t dot = std::min(name.find('.'), name.size());
        String* const part = newString(s, name.substr(0, dot));
        name.remove_prefix(std::min(dot + 1, name.size()));
        Value next = luaGetString(s, t, part);
        if (next.isNil()) {
            next = Value::luaTable(newLuaTable(s));
            luaSetString(s, t, part, next);
        }
        t = next.isLuaTable() ? next.asLuaTable() : nullptr;
    }
    return t;
}

LuaTable* moduleTable(State& s, String* name) {
    LuaTable* const loaded = loadedModules(s);
    const Value known = luaGetString(s, loaded, name);
    if (known.isLuaTable()) return known.asLuaTable();
    LuaTable* const made = globalTable(s, name->view());
    if (made == nullptr) raise(s, ErrorKind::ModuleNameTaken, name);
    luaSetString(s, loaded, name, Value::luaTable(made));
    return made;
}

}  // namespace

void openPackage(State& s, LuaTable* globals) {
    // The table with what builtins.def has of it.
    LuaTable* const package = getField(s, globals, "package").asLuaTable();
    if (s.registry == nullptr) s.registry = newLuaTable(s);
    setField(s, s.registry, "_PACKAGE", Value::luaTable(package));
    LuaTable* const loaded = loadedModules(s);
    setField(s, package, "loaded", Value::luaTable(loaded));
    setField(s, package, "preload", Value::luaTable(newLuaTable(s)));
    setField(s, package, "config", Value::string(newString(s, "/\n;\n?\n!\n-")));
    setField(s, package, "path", Value::string(pathFrom(s, "LUA_PATH", defaultPath(s))));
    setField(s, package, "cpath", Value::string(pathFrom(s, "LUA_CPATH", newString(s, kDefaultCPath))));
    LuaTable* const loaders = newLuaTable(s);
    setField(s, package, "loaders", Value::luaTable(loaders));
    int64_t i = 0;
    for (BuiltinId id : {BuiltinId::LoaderPreload, BuiltinId::LoaderLua, BuiltinId::LoaderC, BuiltinId::LoaderCRoot})
        luaSetInt(s, loaders, ++i, Value::function(builtinClosure(s, static_cast<unsigned>(id))));
    Value key, value;
    while (luaNext(s, globals, key, value) == NextResult::Found)
        if (key.isString() && value.isLuaTable()) luaSetString(s, loaded, key.asString(), value);
}

Word baseRequire(State& s, Word* args) {
    String* const name = stringArg(args, 0);
    LuaTable* const loaded = loadedModules(s);
    Value module = luaGetString(s, loaded, name);
    if (!module.isNil()) return module.word();
    const LibraryOptions& options = libState(s).options;
    if (options.requireModule == nullptr || !options.requireModule(s, name, nullptr, options.requireContext)) {
        if (s.globals == nullptr) raiseNotFound(s, name, loaded);
        return requireByLoaders(s, name).word();
    }
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

Word lenientRequire(State& s, Word* args) { return packResult(s, requireByLoaders(s, textArgument(s, args, 0, "require"))); }

Word loaderPreload(State& s, Word* args) {
    String* const name = textArgument(s, args, 0, "require");
    const Value preload = getField(s, packageTable(s), "preload");
    if (!preload.isLuaTable()) raiseLib(s, "'package.preload' must be a table");
    const Value found = luaGetString(s, preload.asLuaTable(), name);
    if (!found.isNil()) return packResult(s, found);
    TextBuilder out(s);
    out.append("\n\tno field package.preload['");
    out.append(name);
    out.append("']");
    return packResult(s, Value::string(out.finish()));
}

Word loaderLua(State& s, Word* args) {
    String* const name = textArgument(s, args, 0, "require");
    TextBuilder tried(s);
    String* const file = searchPath(s, name, "path", tried);
    if (file == nullptr) return packResult(s, Value::string(tried.finish()));
    if (file->view().ends_with(".luapp") && libState(s).options.requireModule != nullptr) {
        Closure* const runner = newIterator(s, BuiltinId::ModuleRunner, 1);
        storeWord(s, runner, &captureAt(runner, 1), wordOf(file));
        return packResult(s, Value::function(runner));
    }
    const Value f = Value::fromWord(loadFile(s, file));
    if (!f.isFunction()) raiseLoading(s, name, file, Value::fromWord(s.results[1]).asString()->view());
    return packResult(s, f);
}

/// Runs a strict module; its file is capture 1.
Word moduleRunner(State& s, Word* args) {
    Closure* const self = refOf<Closure>(args[-1]);
    String* const name = textArgument(s, args, 0, "require");
    const LibraryOptions& options = libState(s).options;
    options.requireModule(s, name, refOf<String>(captureAt(self, 1)), options.requireContext);
    return packResult(s, 0);
}

Word loaderC(State& s, Word* args) {
    String* const name = textArgument(s, args, 0, "require");
    return searchLibrary(s, name, name);
}

Word loaderCRoot(State& s, Word* args) {
    String* const name = textArgument(s, args, 0, "require");
    const size_t dot = name->view().find('.');
    if (dot == std::string_view::npos) return packResult(s, 0);
    return searchLibrary(s, name, newString(s, name->view().substr(0, dot)));
}

Word packageLoadLib(State& s, Word* args) {
    textArgument(s, args, 0, "loadlib");
    textArgument(s, args, 1, "loadlib");
    s.results[0] = kNilBox;
    s.results[1] = Value::string(newString(s, kNoDynamic)).word();
    s.results[2] = Value::string(newString(s, "absent")).word();
    return packResult(s, 3);
}

Word packageSeeAll(State& s, Word* args) {
    LuaTable* const t = tableArgument(s, args, 0, "seeall");
    if (t->metatable == nullptr) setMetatable(s, t, newLuaTable(s, 0, 1));
    setField(s, t->metatable, "__index", Value::luaTable(runningGlobals(s)));
    return packResult(s, 0);
}

Word lenientModule(State& s, Word* args) {
    const uint32_t count = s.argCount;
    String* const name = textArgument(s, args, 0, "module");
    LuaTable* const module = moduleTable(s, name);
    const Value value = Value::luaTable(module);
    if (getField(s, module, "_NAME").isNil()) {
        setField(s, module, "_M", value);
        setField(s, module, "_NAME", Value::string(name));
        const size_t dot = name->view().rfind('.');
        setField(s, module, "_PACKAGE", Value::string(newString(s, name->view().substr(0, dot + 1))));
    }
    FrameWalk caller(s, nullptr);
    if (s.isCalledByBuiltin || !caller.next() || !caller.function().proto->isLenient) raiseLib(s, "'module' not called from a Lua function");
    Closure* const c = refOf<Closure>(caller.frame()[-1]);
    storeWord(s, c, &c->captures[0], value.word());
    for (uint32_t i = 1; i < count; i++) callValue(s, valueArg(args, i), &value, 1);
    return packResult(s, 0);
}

}  // namespace luapp::rt
