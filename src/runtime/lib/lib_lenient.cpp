// Library functions that only lenient code has: environments, compiling at run time, and what Lua 5.1 kept from 5.0. All take and
// give boxes; messages are Lua's.
#include <cstdio>

#include "runtime/lib/builtin_table.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lenient_globals.h"
#include "runtime/lib/lib_support.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/userdata.h"
#include "runtime/vm/levels.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

namespace {

Value argument(const State& s, const Word* args, uint32_t i) { return i < s.argCount ? valueArg(args, i) : Value::nil(); }

/// Raises that argument `i` is missing or of the wrong type.
[[noreturn]] LUAPP_COLD void raiseType(State& s, const Word* args, uint32_t i, const char* function, const char* expected) {
    if (i < s.argCount) raiseArgumentType(s, i + 1, function, expected, valueArg(args, i));
    raise(s, ErrorKind::BadArgumentType, i + 1, std::string_view(function), std::string_view(expected), std::string_view("no value"));
}

LuaTable* tableArgument(State& s, const Word* args, uint32_t i, const char* function) {
    const Value v = argument(s, args, i);
    if (!v.isLuaTable()) raiseType(s, args, i, function, "table");
    return v.asLuaTable();
}

/// A string, or a number as its text.
String* textArgument(State& s, const Word* args, uint32_t i, const char* function) {
    const Value v = argument(s, args, i);
    if (!v.isString() && !v.isNumber()) raiseType(s, args, i, function, "string");
    return toText(s, v);
}

/// A function of a lenient file, whose capture 0 is its environment.
bool hasEnvironment(const Closure* c) {
    return !c->isBuiltin() && static_cast<const Function*>(c->code)->proto->isLenient;
}

/// The closure of the function at `level`: 1 called the library function. Null for functions that are no closures.
Closure* closureAt(State& s, double level, BuiltinId asking, const char* function) {
    if (level < 0) raiseArgument(s, 1, function, "level must be non-negative");
    LevelWalk walk(s, nullptr, static_cast<int64_t>(asking));
    if (level > 1e9 || !walk.goTo(static_cast<int64_t>(level))) raiseArgument(s, 1, function, "invalid level");
    if (walk.level().kind == Level::Kind::Tail)
        raiseLib(s, "no function environment for tail call at level %d", static_cast<int>(level));
    return walk.level().closure;
}

/// The function that argument 0 means, and whether it is level 0.
Closure* functionArgument(State& s, const Word* args, BuiltinId asking, const char* function, bool& isGlobal) {
    const Value v = argument(s, args, 0);
    isGlobal = false;
    if (v.isFunction()) return v.asFunction();
    double level = 1;
    if (v.isNumber()) {
        level = v.asNumber();
    } else if (!(v.isString() && base::textToNumber(v.asString()->view(), level)) && !v.isNil()) {
        raiseType(s, args, 0, function, "number");
    }
    isGlobal = level == 0;
    return isGlobal ? nullptr : closureAt(s, level, asking, function);
}

/// Makes the outcome of compiling the pack: the function, or nil and the message.
Word compiled(State& s, std::string_view text, std::string_view chunkName) {
    const LibraryOptions& options = libState(s).options;
    String* problem = nullptr;
    Program* program = options.loadText == nullptr ? nullptr : options.loadText(s, text, chunkName, problem, options.loadContext);
    if (program != nullptr) return packResult(s, Value::function(entryClosure(s, *program)));
    s.results[0] = kNilBox;
    s.results[1] = problem == nullptr ? Value::string(newString(s, "this program has no compiler")).word() : Value::string(problem).word();
    return packResult(s, 2);
}

/// The content of a file (null: standard input) as a string; null with `problem` set.
String* readWhole(State& s, const char* path, String*& problem) {
    std::FILE* in = path == nullptr ? libState(s).options.in : std::fopen(path, "rb");
    if (in == nullptr) {
        TextBuilder message(s);
        message.append("cannot open ");
        message.append(std::string_view(path));
        problem = message.finish();
        return nullptr;
    }
    TextBuilder text(s);
    char buffer[4096];
    for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, in)) > 0;) text.append(std::string_view(buffer, got));
    const bool failed = std::ferror(in) != 0;
    if (path != nullptr) std::fclose(in);
    if (!failed) return text.finish();
    TextBuilder message(s);
    message.append("cannot read ");
    message.append(std::string_view(path == nullptr ? "stdin" : path));
    problem = message.finish();
    return nullptr;
}

/// Compiles a file; nil and a message as in Lua.
Word compiledFile(State& s, String* path) {
    String* problem = nullptr;
    String* text = readWhole(s, path == nullptr ? nullptr : path->data(), problem);
    if (text == nullptr) {
        s.results[0] = kNilBox;
        s.results[1] = Value::string(problem).word();
        return packResult(s, 2);
    }
    TextBuilder name(s);
    name.append(path == nullptr ? std::string_view("=stdin") : std::string_view("@"));
    if (path != nullptr) name.append(path);
    String* chunkName = name.finish();
    const Word result = compiled(s, text->view(), chunkName->view());
    keepAlive(text);
    keepAlive(chunkName);
    return result;
}

}  // namespace

Word lenientGetFEnv(State& s, Word* args) {
    bool isGlobal = false;
    Closure* c = functionArgument(s, args, BuiltinId::GetFEnv, "getfenv", isGlobal);
    if (c != nullptr && hasEnvironment(c)) return packResult(s, Value::fromWord(c->captures[0]));
    return packResult(s, Value::luaTable(runningGlobals(s)));
}

Word lenientSetFEnv(State& s, Word* args) {
    LuaTable* environment = tableArgument(s, args, 1, "setfenv");
    bool isGlobal = false;
    Closure* c = functionArgument(s, args, BuiltinId::SetFEnv, "setfenv", isGlobal);
    if (isGlobal) {
        setRunningGlobals(s, s.currentCoroutine, environment);
        return packResult(s, 0);
    }
    if (c == nullptr || !hasEnvironment(c)) raise(s, ErrorKind::Message, "'setfenv' cannot change environment of given object");
    storeWord(s, c, &c->captures[0], Value::luaTable(environment).word());
    return packResult(s, Value::function(c));
}

Word lenientLoadString(State& s, Word* args) {
    String* text = textArgument(s, args, 0, "loadstring");
    String* name = s.argCount > 1 && !valueArg(args, 1).isNil() ? textArgument(s, args, 1, "loadstring") : text;
    return compiled(s, text->view(), name->view());
}

Word lenientLoad(State& s, Word* args) {
    const Value source = argument(s, args, 0);
    const bool hasName = s.argCount > 1 && !valueArg(args, 1).isNil();
    if (source.isString()) {
        String* text = source.asString();
        String* name = hasName ? textArgument(s, args, 1, "load") : text;
        return compiled(s, text->view(), name->view());
    }
    if (!source.isFunction()) raiseType(s, args, 0, "load", "function");
    String* name = hasName ? textArgument(s, args, 1, "load") : newString(s, "=(load)");
    String* text = s.emptyString;
    for (;;) {
        const Value piece = callValue(s, source, nullptr, 0);
        if (piece.isNil()) break;
        if (!piece.isString()) {
            s.results[0] = kNilBox;
            s.results[1] = Value::string(newString(s, "reader function must return a string")).word();
            return packResult(s, 2);
        }
        if (piece.asString()->length == 0) break;
        text = concat(s, text, piece.asString());
    }
    const Word result = compiled(s, text->view(), name->view());
    keepAlive(text);
    return result;
}

Word lenientLoadFile(State& s, Word* args) {
    return compiledFile(s, argument(s, args, 0).isNil() ? nullptr : textArgument(s, args, 0, "loadfile"));
}

Word lenientDoFile(State& s, Word* args) {
    const Word f = compiledFile(s, argument(s, args, 0).isNil() ? nullptr : textArgument(s, args, 0, "dofile"));
    if (!Value::fromWord(f).isFunction()) raiseValue(s, Value::fromWord(s.results[1]));
    call(s, Value::fromWord(f), {});
    return packResult(s, s.resultCount);
}

Word lenientGcInfo(State& s, Word*) {
    return packResult(s, Value::integer(static_cast<int64_t>(s.heap.stats().bytesInUse / 1024)));
}

Word lenientNewProxy(State& s, Word* args) {
    static constexpr UserdataClass kProxy = {"userdata", nullptr};
    const Value v = argument(s, args, 0);
    LuaTable* metatable = nullptr;
    if (v.isTrue()) {
        metatable = newLuaTable(s);
    } else if (v.isTruthy()) {
        if (v.is(Kind::Userdata) && v.asUserdata()->userClass == &kProxy) metatable = v.asUserdata()->metatable;
        if (metatable == nullptr) raiseArgument(s, 1, "newproxy", "boolean or proxy expected");
    }
    Userdata* proxy = newUserdata(s, &kProxy, 0);
    if (metatable != nullptr) storeRef(s, proxy, &proxy->metatable, metatable);
    return packResult(s, Value::object(proxy));
}

Word lenientTableGetN(State& s, Word* args) {
    return packResult(s, Value::integer(static_cast<int64_t>(luaLength(s, tableArgument(s, args, 0, "getn")))));
}

Word lenientTableSetN(State& s, Word* args) {
    tableArgument(s, args, 0, "setn");
    raise(s, ErrorKind::Message, "'setn' is obsolete");
}

Word lenientForEach(State& s, Word* args) {
    LuaTable* t = tableArgument(s, args, 0, "foreach");
    const Value f = argument(s, args, 1);
    if (!f.isFunction()) raiseType(s, args, 1, "foreach", "function");
    Value entry[2];
    while (luaNext(s, t, entry[0], entry[1]) == NextResult::Found) {
        const Value found = callValue(s, f, entry, 2);
        if (!found.isNil()) return packResult(s, found);
    }
    return packResult(s, 0);
}

Word lenientForEachI(State& s, Word* args) {
    LuaTable* t = tableArgument(s, args, 0, "foreachi");
    const Value f = argument(s, args, 1);
    if (!f.isFunction()) raiseType(s, args, 1, "foreachi", "function");
    const auto length = static_cast<int64_t>(luaLength(s, t));
    for (int64_t i = 1; i <= length; i++) {
        const Value entry[2] = {Value::integer(i), luaGetInt(t, i)};
        const Value found = callValue(s, f, entry, 2);
        if (!found.isNil()) return packResult(s, found);
    }
    return packResult(s, 0);
}

Word lenientGFind(State& s, Word* args) {
    const Value values[2] = {argument(s, args, 0), argument(s, args, 1)};
    LuaTable* globals = lenientGlobals(s);
    const Value strings = luaGetString(s, globals, newString(s, "string"));
    return packResult(s, callValue(s, index(s, strings, Value::string(newString(s, "gmatch"))), values, s.argCount < 2 ? s.argCount : 2));
}

}  // namespace luapp::rt
