// Library functions that only lenient code has: environments, and what Lua 5.1 kept from 5.0. All take and give boxes; messages are
// Lua's.
#include "runtime/lib/builtin_table.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lenient_args.h"
#include "runtime/lib/lenient_globals.h"
#include "runtime/lib/lib_support.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/userdata.h"
#include "runtime/vm/levels.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

namespace {

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

Word lenientGcInfo(State& s, Word*) {
    return packResult(s, Value::integer(static_cast<int64_t>(s.heap.bytesInUse() / 1024)));
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
    if (metatable != nullptr) {
        storeRef(s, proxy, &proxy->metatable, metatable);
        s.heap.addFinalisable(static_cast<Object*>(proxy));
    }
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

}  // namespace luapp::rt
