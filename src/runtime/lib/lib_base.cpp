// The base functions. Those that work on values of any kind see them boxed and go through vm/meta and vm/convert, so they mean
// the same as the operators of the language.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/lib/builtin_table.h"
#include "runtime/lib/builtin_values.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"
#include "runtime/object/array.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/table.h"
#include "runtime/vm/finalizers.h"
#include "runtime/vm/load.h"
#include "runtime/vm/levels.h"

namespace luapp::rt {

namespace {

constexpr double kKilobyte = 1024.0;

LuaTable* luaTableArg(State& s, const Word* args, unsigned i, const char* function) {
    const Value v = valueArg(args, i);
    if (!v.isLuaTable()) raiseArgumentType(s, i + 1, function, "table", v);
    return v.asLuaTable();
}

// --- protected calls

struct CallData {
    Value function;
    std::span<const Value> args;
};

void runCall(State& s, void* data) {
    const CallData& d = *static_cast<CallData*>(data);
    call(s, d.function, d.args);
}

/// The error handler of xpcall, called where the error was raised: its first result becomes the error value.
void runErrorHandler(State& s, void* context) {
    const Value error = s.errorValue;
    s.errorValue = callValue(s, *static_cast<Value*>(context), &error, 1);
}

/// Makes `ok` and the outcome of a protected call the pack.
Word protectedResult(State& s, bool ok) {
    if (!ok) packOne(s, s.errorValue);
    prependToPack(s, Value::boolean(ok));
    return s.results[0];
}

// --- traversal

Word packEntry(State& s, Value key, Value value) {
    s.results[0] = key.word();
    s.results[1] = value.word();
    return packResult(s, 2);
}

Word nextOfTable(State& s, const Table* t, Value key) {
    uint32_t from = 0;
    if (!key.isNil()) {
        const uint32_t at = findKey(s, t, key);
        if (at == kNoEntry) raise(s, ErrorKind::InvalidNextKey);
        from = at + 1;
    }
    const uint32_t i = nextEntry(t, from);
    if (i == kNoEntry) return packResult(s, Value::nil());
    const TableEntry& entry = t->entries()[i];
    return packEntry(s, Value::fromWord(entry.key), boxTyped(entry.value, s.types.at(t->aux)->value()));
}

Word nextOfArray(State& s, const Array* a, Value key) {
    int64_t i = -1;
    if (!key.isNil() && (!key.isNumber() || !base::numberToInteger(key.asNumber(), i))) raise(s, ErrorKind::InvalidNextKey);
    i++;
    if (i < 0 || i >= a->length) return packResult(s, Value::nil());
    return packEntry(s, Value::integer(i), boxTyped(a->get(static_cast<uint32_t>(i)), s.types.at(a->aux)->element()));
}

Word nextOfRecord(State& s, Instance* record, Value key) {
    const TypeDesc* const type = s.types.at(record->aux);
    size_t i = 0;
    if (!key.isNil()) {
        const FieldDesc* const field = key.isString() ? type->findField(key.asString()->view()) : nullptr;
        if (field == nullptr) raise(s, ErrorKind::InvalidNextKey);
        i = static_cast<size_t>(field - type->fields.data()) + 1;
    }
    if (i >= type->fields.size()) return packResult(s, Value::nil());
    const Value name = Value::string(newString(s, type->fields[i].name));
    return packEntry(s, name, boxTyped(record->fields[i], type->fields[i].type));
}

// --- the collector

/// Clears the part of the native stack that the next calls will use: their frames have gaps, and what stood there before would look like
/// live references to the collector.
LUAPP_NOINLINE void clearStackBelow() {
    constexpr size_t kCleared = 4096;
    char unused[kCleared];
    std::memset(unused, 0, sizeof unused);
    asm volatile("" : : "r"(unused) : "memory");
}

/// Before a collection that a program asks for: what earlier calls left on the VM stack above the arguments, and in the result area, would
/// look like live references. Gives the place from which on the native stack counts; null: all of it.
const void* dropStaleWords(State& s, Word* args) {
    constexpr size_t kClearedResults = 256;
    std::memset(s.results, 0, kClearedResults * sizeof(Word));
    Word* const dead = args + 2;
    if (s.top > dead && s.top - dead <= 2 * int64_t{kBuiltinArgRoom}) std::memset(dead, 0, static_cast<size_t>(s.top - dead) * sizeof(Word));
    // Called by the interpreter, which has all that counts in VM registers: what functions that it called left on the native stack, and
    // what this one did not overwrite, is dead.
    const Activation* const activation = s.context->activation;
    return !s.isCalledByBuiltin && activation != nullptr ? activation->begin : nullptr;
}

LUAPP_NOINLINE void collectNow(State& s, Word* args) { s.heap.collect(dropStaleWords(s, args)); }

/// A step of a major cycle, of the size that Lua 5.1 gives it; true if it ended the cycle.
LUAPP_NOINLINE bool collectByStep(State& s, Word* args, double kilobytes) {
    constexpr uint64_t kLeastStep = 1024;
    const uint64_t asked = kilobytes > 0 ? static_cast<uint64_t>(std::min(kilobytes, 1e9) * kKilobyte) : 0;
    const uint64_t bytes = std::max((asked + kLeastStep) / 100 * s.heap.stepMultiplier(), kLeastStep);
    return s.heap.stepBy(bytes, dropStaleWords(s, args));
}

/// A percentage that a program sets.
uint32_t percentage(double wanted) { return static_cast<uint32_t>(wanted >= 0 && wanted <= 1e6 ? wanted : 1e6); }

Value statistics(State& s) {
    const HeapStats stats = s.heap.stats();
    constexpr double kMillisecond = 1e-6;
    const auto pauseMs = [&stats](uint32_t perMille) { return static_cast<double>(stats.pauses.quantileNs(perMille)) * kMillisecond; };
    const auto pausesBelow = [&stats](double ms) { return static_cast<double>(stats.pauses.below(static_cast<uint64_t>(ms / kMillisecond))); };
    const struct {
        const char* name;
        double value;
    } figures[] = {
        {"bytesInUse", static_cast<double>(stats.bytesInUse)},
        {"bytesReserved", static_cast<double>(stats.bytesReserved)},
        {"collections", static_cast<double>(stats.minorCycles + stats.majorCycles)},
        {"minorCycles", static_cast<double>(stats.minorCycles)},
        {"majorCycles", static_cast<double>(stats.majorCycles)},
        {"fullCollections", static_cast<double>(stats.fullCollections)},
        {"liveAfterLast", static_cast<double>(stats.liveAfterLast)},
        {"pauses", static_cast<double>(stats.pauses.count())},
        {"longestPauseMs", static_cast<double>(stats.pauses.longestNs()) * kMillisecond},
        {"totalPauseMs", static_cast<double>(stats.pauses.totalNs()) * kMillisecond},
        {"pause50Ms", pauseMs(500)},
        {"pause99Ms", pauseMs(990)},
        {"pause999Ms", pauseMs(999)},
        {"pausesBelow0.1Ms", pausesBelow(0.1)},
        {"pausesBelow0.2Ms", pausesBelow(0.2)},
        {"pausesBelow0.5Ms", pausesBelow(0.5)},
        {"pausesBelow1Ms", pausesBelow(1)},
        {"pausesBelow10Ms", pausesBelow(10)},
    };
    const TypeDesc* const type = s.types.tableOf(s.types.basic(TypeKind::String), s.types.basic(TypeKind::Number));
    Table* const t = newTable(s, type, std::size(figures));
    for (const auto& figure : figures) setString(s, t, newString(s, figure.name), wordOf(figure.value));
    return Value::object(t);
}

}  // namespace

Word basePrint(State& s, Word* args) {
    const uint32_t count = s.argCount;
    std::FILE* const out = libState(s).options.out;
    for (uint32_t i = 0; i < count; i++) {
        if (i != 0) putc_unlocked('\t', out);
        const Value v = valueArg(args, i);
        if (v.isNumber()) {
            char text[base::kNumberTextSize];
            fwrite_unlocked(text, 1, base::numberToText(v.asNumber(), text, numberStyle(s, v.asNumber())), out);
        } else {
            const String* const text = v.isString() ? v.asString() : toText(s, v);
            fwrite_unlocked(text->data(), 1, text->length, out);
            keepAlive(text);
        }
    }
    putc_unlocked('\n', out);
    return 0;
}

Word baseToString(State& s, Word* args) { return wordOf(toText(s, valueArg(args, 0))); }

Word baseToNumber(State& s, Word* args) {
    const Value v = valueArg(args, 0);
    const int64_t radix = integerOf(args[1]);
    double d = 0;
    if (radix == 10) {
        if (v.isNumber()) return v.word();
        return v.isString() && base::textToNumber(v.asString()->view(), d) ? Value::fromRawDouble(d).word() : kNilBox;
    }
    if (radix < 2 || radix > 36) raiseArgument(s, 2, "tonumber", "base out of range");
    if (!v.isString() && !v.isNumber()) raiseArgumentType(s, 1, "tonumber", "string", v);
    String* const text = toText(s, v);
    return base::textToNumberBase(text->view(), static_cast<unsigned>(radix), d) ? Value::number(d).word() : kNilBox;
}

Word baseType(State& s, Word* args) { return wordOf(newString(s, typeName(valueArg(args, 0)))); }

Word baseTypeOf(State& s, Word* args) { return wordOf(newString(s, typeNameOf(s, valueArg(args, 0)))); }

Word baseAssert(State& s, Word* args) {
    const uint32_t extras = s.argCount;
    if (!valueArg(args, 0).isTruthy()) {
        Value message = extras > 0 ? valueArg(args, 1) : Value::nil();
        if (message.isNil()) message = Value::string(newString(s, errorText(ErrorKind::AssertionFailed)));
        // Lua 5.1 puts the place in front.
        if (isLenientCode(s) && (message.isString() || message.isNumber()))
            message = Value::string(concat(s, levelPrefix(s, 1, static_cast<int64_t>(BuiltinId::Assert)), toText(s, message)));
        raiseValue(s, message);
    }
    Word* const results = ensureResults(s, uint64_t{extras} + 1);
    for (uint32_t k = 0; k <= extras; k++) results[k] = args[k];  // mostly one or two
    return packResult(s, extras + 1);
}

Word baseError(State& s, Word* args) {
    Value message = valueArg(args, 0);
    const int64_t level = integerOf(args[1]);
    if (message.isNumber() && level > 0 && isLenientCode(s)) message = Value::string(toText(s, message));
    if (!message.isString() || level <= 0 || level > INT32_MAX) raiseValue(s, message);
    String* const prefix = levelPrefix(s, level, static_cast<int64_t>(BuiltinId::Error));
    raiseValue(s, Value::string(concat(s, prefix, message.asString())));
}

Word basePCall(State& s, Word* args) {
    CallData data{valueArg(args, 0), {reinterpret_cast<const Value*>(args + 1), s.argCount}};
    return protectedResult(s, protectedCall(s, runCall, &data));
}

Word baseXPCall(State& s, Word* args) {
    CallData data{valueArg(args, 0), {reinterpret_cast<const Value*>(args + 2), s.argCount}};
    Value handler = valueArg(args, 1);
    return protectedResult(s, protectedCall(s, runCall, &data, runErrorHandler, &handler));
}

Word baseSelectCount(State& s, Word*) { return wordOf(int64_t{s.argCount}); }

Word baseSelect(State& s, Word* args) {
    const uint32_t count = s.argCount;
    const Value which = valueArg(args, 0);
    if (which.isString() && which.asString()->view() == "#") return packResult(s, Value::integer(count));
    double d = 0;
    int64_t n = 0;
    if (which.isNumber()) {
        d = which.asNumber();
    } else if (!which.isString() || !base::textToNumber(which.asString()->view(), d)) {
        raiseArgumentType(s, 1, "select", "number", which);
    }
    if (!base::numberToInteger(isLenientCode(s) ? std::trunc(d) : d, n))
        raiseArgument(s, 1, "select", "number has no integer representation");
    if (n < 0) n += int64_t{count} + 1;
    if (n < 1) raiseArgument(s, 1, "select", "index out of range");
    const uint32_t from = n > count ? count : static_cast<uint32_t>(n - 1);
    ensureResults(s, count - from);
    std::memcpy(s.results, args + 1 + from, (count - from) * sizeof(Word));
    return packResult(s, count - from);
}

// --- iteration

Word baseIPairs(State& s, Word* args) {
    const Value v = valueArg(args, 0);
    if (!v.isLuaTable() && !v.is(Kind::Array)) raiseArgumentType(s, 1, "ipairs", "table", v);
    Closure* const iterator = builtinClosure(s, static_cast<unsigned>(BuiltinId::IPairsNext));
    s.results[1] = v.word();
    s.results[2] = Value::integer(v.isLuaTable() ? 0 : -1).word();
    return wordOf(iterator);
}

Word baseIPairsNext(State& s, Word* args) {
    const Value v = valueArg(args, 0);
    const int64_t i = integerOf(args[1]) + 1;
    if (v.isLuaTable()) {
        const Value element = luaGetInt(v.asLuaTable(), i);
        return element.isNil() ? packResult(s, element) : packEntry(s, Value::integer(i), element);
    }
    if (!v.is(Kind::Array)) raiseArgumentType(s, 1, "ipairs", "table", v);
    return nextOfArray(s, v.asArray(), Value::integer(i - 1));
}

Word basePairs(State& s, Word* args) {
    const Value v = valueArg(args, 0);
    if (v.is(Kind::Array) || v.is(Kind::Table)) {
        const IterTriplet t = iterate(s, v, 2);
        s.results[1] = t.state.word();
        s.results[2] = t.control.word();
        return wordOf(t.function.asObject());
    }
    if (!v.isLuaTable() && !v.is(Kind::Record)) raiseArgumentType(s, 1, "pairs", "table", v);
    Closure* const next = builtinClosure(s, static_cast<unsigned>(BuiltinId::Next));
    s.results[1] = v.word();
    s.results[2] = kNilBox;
    return wordOf(next);
}

Word baseNext(State& s, Word* args) {
    const Value t = valueArg(args, 0);
    Value key = valueArg(args, 1);
    if (t.is(Kind::Table)) return nextOfTable(s, t.asTable(), key);
    if (t.is(Kind::Array)) return nextOfArray(s, t.asArray(), key);
    if (t.is(Kind::Record)) return nextOfRecord(s, t.asInstance(), key);
    const LuaTable* const table = luaTableArg(s, args, 0, "next");
    Value value;
    switch (luaNext(s, table, key, value)) {
        case NextResult::Found: return packEntry(s, key, value);
        case NextResult::End: return packResult(s, Value::nil());
        case NextResult::BadKey: break;
    }
    raise(s, ErrorKind::InvalidNextKey);
}

// --- raw access

Word baseRawEqual(State&, Word* args) { return wordOf(rawEquals(valueArg(args, 0), valueArg(args, 1))); }

Word baseRawGet(State& s, Word* args) {
    const Value t = valueArg(args, 0);
    if (t.isLuaTable()) return luaGet(s, t.asLuaTable(), valueArg(args, 1)).word();
    if (!t.is(Kind::Table) && !t.is(Kind::Array)) raiseArgumentType(s, 1, "rawget", "table", t);
    return index(s, t, valueArg(args, 1)).word();
}

Word baseRawSet(State& s, Word* args) {
    const Value t = valueArg(args, 0);
    const Value key = valueArg(args, 1);
    if (t.isLuaTable()) {
        if (key.isNil()) raise(s, ErrorKind::KeyIsNil);
        if (key.isNumber() && key.asNumber() != key.asNumber()) raise(s, ErrorKind::KeyIsNaN);
        luaSet(s, t.asLuaTable(), key, valueArg(args, 2));
    } else if (t.is(Kind::Table) || t.is(Kind::Array)) {
        setIndex(s, t, key, valueArg(args, 2));
    } else {
        raiseArgumentType(s, 1, "rawset", "table", t);
    }
    return t.word();
}

Word baseRawLen(State& s, Word* args) {
    const Value v = valueArg(args, 0);
    if (v.isString()) return wordOf(static_cast<int64_t>(v.asString()->length));
    if (v.isLuaTable()) return wordOf(static_cast<int64_t>(luaLength(s, v.asLuaTable())));
    if (v.is(Kind::Array)) return wordOf(int64_t{v.asArray()->length});
    if (v.is(Kind::Table)) return wordOf(int64_t{v.asTable()->count});
    raiseArgument(s, 1, "rawlen", "table or string expected");
}

Word baseLen(State& s, Word* args) {
    const Value result = length(s, valueArg(args, 0));
    int64_t i = 0;
    if (!result.isNumber() || !base::numberToInteger(result.asNumber(), i)) raiseLib(s, "object length is not an integer");
    return wordOf(i);
}

// --- metatables

Word baseSetMetatable(State& s, Word* args) {
    LuaTable* const t = luaTableArg(s, args, 0, "setmetatable");
    const Value metatable = valueArg(args, 1);
    if (!metatable.isNil() && !metatable.isLuaTable()) raiseArgument(s, 2, "setmetatable", "nil or table expected");
    if (t->metatable != nullptr && !luaGetString(s, t->metatable, newString(s, "__metatable")).isNil())
        raiseLib(s, "cannot change a protected metatable");
    setMetatable(s, t, metatable.isNil() ? nullptr : metatable.asLuaTable());
    const bool hasFinalizer = s.gcKey != nullptr && metatable.isLuaTable() && !luaGetString(s, metatable.asLuaTable(), s.gcKey).isNil();
    if (hasFinalizer) s.heap.addFinalisable(t);
    return args[0];
}

Word baseGetMetatable(State& s, Word* args) {
    LuaTable* const metatable = metatableOf(s, valueArg(args, 0));
    if (metatable == nullptr) return kNilBox;
    const Value shown = luaGetString(s, metatable, newString(s, "__metatable"));
    return shown.isNil() ? Value::luaTable(metatable).word() : shown.word();
}

// --- the rest

Word baseCollectGarbageCount(State& s, Word*) { return wordOf(static_cast<double>(s.heap.bytesInUse()) / kKilobyte); }

static LUAPP_NOINLINE Word collectGarbage(State& s, Word* args) {
    const std::string_view what = stringArg(args, 0)->view();
    const double argument = numberOf(args[1]);
    Value result = Value::integer(0);
    if (what == "collect") {
        collectNow(s, args);
    } else if (what == "count") {
        return baseCollectGarbageCount(s, args);
    } else if (what == "step") {
        result = Value::boolean(collectByStep(s, args, argument));
    } else if (what == "stop" || what == "restart") {
        s.heap.setEnabled(what == "restart");
    } else if (what == "setpause") {
        result = Value::integer(s.heap.pause());
        s.heap.setPause(percentage(argument));
    } else if (what == "setstepmul") {
        result = Value::integer(s.heap.stepMultiplier());
        s.heap.setStepMultiplier(percentage(argument));
    } else if (what == "stats") {
        result = statistics(s);
    } else {
        raiseOption(s, 1, "collectgarbage", what);
    }
    // Programs expect that what a collection found has been finalised when it is over.
    if (s.isRequested(kFinalizersRequest)) runFinalizers(s);
    return result.word();
}

Word baseCollectGarbage(State& s, Word* args) {
    clearStackBelow();
    return collectGarbage(s, args);
}

Word baseScriptArguments(State& s, Word*) {
    if (s.scriptArgs == nullptr) s.scriptArgs = newArray(s, s.types.arrayOf(s.types.basic(TypeKind::String)), 0);
    return wordOf(s.scriptArgs);
}

}  // namespace luapp::rt
