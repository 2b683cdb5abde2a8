#include "runtime/lib/lenient_globals.h"

#include "runtime/lib/builtin_values.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"
#include "runtime/object/array.h"
#include "runtime/object/string.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

namespace {

struct Constant {
    std::string_view name;
    double number;
    std::string_view text;  // where the type is string
};

constexpr double numeric(double d) { return d; }
constexpr double numeric(std::string_view) { return 0; }
constexpr std::string_view textual(double) { return {}; }
constexpr std::string_view textual(std::string_view t) { return t; }

constexpr Constant kConstants[] = {
#define LUAPP_BUILTIN(Id, name, signature, fn, effects, intrinsic, description)
#define LUAPP_BUILTIN_CONST(Id, name, type, value, description) {name, numeric(value), textual(value)},
#include "runtime/lib/builtins.def"
};

/// True for members of values and what else is no part of a library table.
bool isGlobal(const BuiltinInfo& b) {
    return b.form == BuiltinForm::Lenient || (b.form == BuiltinForm::Function && !b.name.starts_with("Array.") && !b.name.starts_with("Table.") &&
           !b.name.starts_with("File.") && b.name.front() != '(');
}

/// The table in which `name` stands, and its last part. Libraries come into being with their first member.
LuaTable* homeOf(State& s, LuaTable* globals, std::string_view& name) {
    const size_t dot = name.find('.');
    if (dot == name.npos) return globals;
    String* library = newString(s, name.substr(0, dot));
    name.remove_prefix(dot + 1);
    const Value known = luaGetString(s, globals, library);
    if (known.isLuaTable()) return known.asLuaTable();
    LuaTable* made = newLuaTable(s);
    luaSetString(s, globals, library, Value::luaTable(made));
    return made;
}

void put(State& s, LuaTable* t, std::string_view name, Value value) { luaSetString(s, t, newString(s, name), value); }

/// What Lua 5.1 kept under its old name: the same function.
void putSecondNames(State& s, LuaTable* globals) {
    struct SecondName {
        std::string_view library, name, of;
    };
    for (const SecondName& n : {SecondName{"string", "gfind", "gmatch"}, SecondName{"math", "mod", "fmod"}}) {
        LuaTable* const home = luaGetString(s, globals, newString(s, n.library)).asLuaTable();
        put(s, home, n.name, luaGetString(s, home, newString(s, n.of)));
    }
}

/// Open files: `__index` has the members, and the standard ones stand in `io`.
void openFiles(State& s, LuaTable* globals) {
    LuaTable* const members = newLuaTable(s);
    for (unsigned i = 0; i < kBuiltinCount; i++) {
        const BuiltinInfo& b = builtinInfo(i);
        if (b.form == BuiltinForm::Function && b.name.starts_with("File."))
            put(s, members, b.name.substr(5), Value::function(builtinClosure(s, i)));
    }
    s.userdataMetatable = members;
    put(s, members, "__index", Value::luaTable(members));
    put(s, members, "__tostring", Value::function(builtinClosure(s, static_cast<unsigned>(BuiltinId::FileToString))));
    put(s, members, "__gc", Value::function(builtinClosure(s, static_cast<unsigned>(BuiltinId::FileGc))));
    LuaTable* const io = luaGetString(s, globals, newString(s, "io")).asLuaTable();
    put(s, io, "stdin", Value::object(objectOf(ioStdin(s, nullptr))));
    put(s, io, "stdout", Value::object(objectOf(ioStdout(s, nullptr))));
    put(s, io, "stderr", Value::object(objectOf(ioStderr(s, nullptr))));
}

/// `arg`: the script's name at 0, its arguments from 1 on, what stood before it at -1, -2, ...
void putScriptArgs(State& s, LuaTable* globals) {
    if (s.scriptArgs == nullptr) return;
    LuaTable* arg = newLuaTable(s);
    put(s, globals, "arg", Value::luaTable(arg));
    for (uint32_t i = 0; i < s.scriptArgs->length; i++) luaSetInt(s, arg, i, Value::object(objectOf(s.scriptArgs->get(i))));
    const std::span<const std::string> before = libState(s).options.commandLine;
    for (size_t i = 0; i < before.size(); i++)
        luaSetInt(s, arg, static_cast<int64_t>(i) - static_cast<int64_t>(before.size()), Value::string(newString(s, before[i])));
}

}  // namespace

LuaTable* lenientGlobals(State& s) {
    if (s.globals != nullptr) return s.globals;
    LuaTable* globals = newLuaTable(s);
    s.globals = globals;
    if (s.registry == nullptr) s.registry = newLuaTable(s);
    for (unsigned i = 0; i < kBuiltinCount; i++) {
        const BuiltinInfo& b = builtinInfo(i);
        if (!isGlobal(b)) continue;
        std::string_view name = b.name;
        LuaTable* home = homeOf(s, globals, name);
        put(s, home, name, Value::function(builtinClosure(s, i)));
    }
    for (const Constant& c : kConstants) {
        std::string_view name = c.name;
        LuaTable* home = homeOf(s, globals, name);
        put(s, home, name, c.text.empty() ? Value::number(c.number) : Value::string(newString(s, c.text)));
    }
    put(s, globals, "_G", Value::luaTable(globals));
    put(s, globals, "_VERSION", Value::string(newString(s, "Lua 5.1")));
    putScriptArgs(s, globals);
    putSecondNames(s, globals);
    openFiles(s, globals);
    s.modeKey = newString(s, "__mode");
    s.gcKey = newString(s, "__gc");
    LuaTable* metatable = newLuaTable(s);
    s.stringMetatable = metatable;
    put(s, metatable, "__index", luaGetString(s, globals, newString(s, "string")));
    openPackage(s, globals);
    return globals;
}

LuaTable* sideTable(State& s, const char* name) {
    String* key = newString(s, name);
    const Value known = luaGetString(s, s.registry, key);
    if (known.isLuaTable()) return known.asLuaTable();
    LuaTable* table = newLuaTable(s);
    luaSetString(s, s.registry, key, Value::luaTable(table));
    LuaTable* metatable = newLuaTable(s);
    put(s, metatable, "__mode", Value::string(newString(s, "k")));
    setMetatable(s, table, metatable);
    return table;
}

LuaTable* runningGlobals(State& s) {
    LuaTable* globals = lenientGlobals(s);
    if (s.currentCoroutine == nullptr) return globals;
    const Value own = luaGet(s, sideTable(s, kEnvironmentTable), Value::object(s.currentCoroutine));
    return own.isLuaTable() ? own.asLuaTable() : globals;
}

void setRunningGlobals(State& s, Coroutine* co, LuaTable* globals) {
    if (co == nullptr) {
        s.globals = globals;
    } else {
        luaSet(s, sideTable(s, kEnvironmentTable), Value::object(co), Value::luaTable(globals));
    }
}

}  // namespace luapp::rt
