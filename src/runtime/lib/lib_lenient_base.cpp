// Functions of the base and math libraries that differ in lenient code: what programs print, read as numbers and round. They take
// and give boxes, as Lua 5.1 does.
#include <cmath>

#include "runtime/lib/builtin_values.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lenient_args.h"
#include "runtime/lib/lenient_globals.h"

namespace luapp::rt {

void raiseType(State& s, const Word* args, uint32_t i, const char* function, const char* expected) {
    raiseArgumentType(s, i + 1, function, expected, i < s.argCount ? valueArg(args, i) : Value::absent());
}

LuaTable* tableArgument(State& s, const Word* args, uint32_t i, const char* function) {
    const Value v = argument(s, args, i);
    if (!v.isLuaTable()) raiseType(s, args, i, function, "table");
    return v.asLuaTable();
}

String* textArgument(State& s, const Word* args, uint32_t i, const char* function) {
    const Value v = argument(s, args, i);
    if (!v.isString() && !v.isNumber()) raiseType(s, args, i, function, "string");
    return toText(s, v);
}

double numberArgument(State& s, const Word* args, uint32_t i, const char* function) {
    const Value v = argument(s, args, i);
    if (v.isNumber()) return v.asNumber();
    double d = 0;
    if (!v.isString() || !base::textToNumber(v.asString()->view(), d)) raiseType(s, args, i, function, "number");
    return d;
}

/// What tostring gives: a string, unless a `__tostring` gives something else.
static Value textOf(State& s, Value v) {
    const Value handler = v.isString() || v.isNumber() ? Value::nil() : metamethod(s, v, Event::ToString);
    return handler.isNil() ? Value::string(toText(s, v)) : callValue(s, handler, &v, 1);
}

Word lenientPrint(State& s, Word* args) {
    const Value convert = luaGetString(s, runningGlobals(s), newString(s, "tostring"));
    const Value own = Value::function(builtinClosure(s, static_cast<unsigned>(BuiltinId::ToStringLenient)));
    const uint32_t count = s.argCount;
    std::FILE* const out = libState(s).options.out;
    for (uint32_t i = 0; i < count; i++) {
        const Value v = valueArg(args, i);
        const Value shown = convert == own ? textOf(s, v) : callValue(s, convert, &v, 1);
        if (!shown.isString() && !shown.isNumber()) raiseLib(s, "'tostring' must return a string to 'print'");
        const String* const text = toText(s, shown);
        if (i != 0) putc_unlocked('\t', out);
        fwrite_unlocked(text->data(), 1, text->length, out);
        keepAlive(text);
    }
    putc_unlocked('\n', out);
    return packResult(s, 0);
}

Word lenientToString(State& s, Word* args) {
    const Value v = anyArgument(s, args, 0, "tostring");
    return packResult(s, textOf(s, v));
}

Word lenientToNumber(State& s, Word* args) {
    const double radix = argument(s, args, 1).isNil() ? 10 : std::trunc(numberArgument(s, args, 1, "tonumber"));
    if (radix == 10) {
        const Value v = anyArgument(s, args, 0, "tonumber");
        if (v.isNumber()) return packResult(s, v);
        double d = 0;
        const bool isNumeral = v.isString() && base::textToNumber(v.asString()->view(), d);
        return packResult(s, isNumeral ? Value::fromRawDouble(d) : Value::nil());
    }
    String* const text = textArgument(s, args, 0, "tonumber");
    if (!(radix >= 2 && radix <= 36)) raiseArgument(s, 2, "tonumber", "base out of range");
    double d = 0;
    const bool isNumeral = base::textToNumberBase(text->view(), static_cast<unsigned>(radix), d);
    return packResult(s, isNumeral ? Value::number(d) : Value::nil());
}

Word lenientFloor(State& s, Word* args) { return packResult(s, Value::number(std::floor(numberArgument(s, args, 0, "floor")))); }

Word lenientCeil(State& s, Word* args) { return packResult(s, Value::number(std::ceil(numberArgument(s, args, 0, "ceil")))); }

}  // namespace luapp::rt
