// The os library. Times are seconds since 1970; dates go through the C library's local time. The locale never changes: number
// formats and character classes of the language do not depend on it.
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <unistd.h>

#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/table.h"

namespace luapp::rt {

namespace {

/// true, or nil with "path: reason" and the error number.
Word pathResult(State& s, bool ok, String* path) {
    if (ok) return packResult(s, Value::boolean(true));
    const int error = errno;
    return failureResult(s, pathMessage(s, path, error), error);
}

void setField(State& s, LuaTable* t, const char* name, int value) {
    luaSetString(s, t, newString(s, name), Value::integer(value));
}

/// A field of a Lua table, Table or record; nil if it is not there.
Value dateField(State& s, Value date, const char* name) {
    if (date.is(Kind::Record)) {
        const TypeDesc* const type = s.types.at(date.asObject()->aux);
        const FieldDesc* const field = type->findField(name);
        if (field == nullptr) return Value::nil();
        return boxTyped(date.asInstance()->fields[field - type->fields.data()], field->type);
    }
    String* const key = newString(s, name);
    if (date.isLuaTable()) return luaGetString(s, date.asLuaTable(), key);
    const Word* const found = lookupString(s, date.asTable(), key);
    return found == nullptr ? Value::nil() : boxTyped(*found, s.types.at(date.asTable()->aux)->value());
}

int dateNumber(State& s, Value date, const char* name, int otherwise) {
    const Value v = dateField(s, date, name);
    double d = 0;
    if (v.isNumber()) {
        d = v.asNumber();
    } else if (!v.isString() || !base::textToNumber(v.asString()->view(), d)) {
        if (otherwise < 0) raiseLib(s, "field '%s' missing in date table", name);
        return otherwise;
    }
    if (!(std::fabs(d) < 1e9)) raiseLib(s, "field '%s' is out of range", name);
    return static_cast<int>(d);
}

/// The fields of a date as a Lua table ("*t").
Value dateTable(State& s, const std::tm& t) {
    LuaTable* const result = newLuaTable(s, 0, 9);
    setField(s, result, "sec", t.tm_sec);
    setField(s, result, "min", t.tm_min);
    setField(s, result, "hour", t.tm_hour);
    setField(s, result, "day", t.tm_mday);
    setField(s, result, "month", t.tm_mon + 1);
    setField(s, result, "year", t.tm_year + 1900);
    setField(s, result, "wday", t.tm_wday + 1);
    setField(s, result, "yday", t.tm_yday + 1);
    if (t.tm_isdst >= 0) luaSetString(s, result, newString(s, "isdst"), Value::boolean(t.tm_isdst > 0));
    return Value::luaTable(result);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

String* dateText(State& s, std::string_view format, const std::tm& t) {
    TextBuilder out(s);
    for (size_t i = 0; i < format.size(); i++) {
        if (format[i] != '%' || i + 1 == format.size()) {
            out.append(format[i]);
            continue;
        }
        const char specification[3] = {'%', format[++i], '\0'};
        if (std::strchr("aAbBcCdDeFgGhHIjklmMnprRsStTuUVwWxXyYzZ%", specification[1]) == nullptr || specification[1] == '\0')
            raiseArgument(s, 1, "date", "invalid conversion specifier");
        char text[250];
        out.append(std::string_view(text, std::strftime(text, sizeof text, specification, &t)));
    }
    return out.finish();
}

#pragma GCC diagnostic pop

bool isCLocale(std::string_view name) { return name.empty() || name == "C" || name == "POSIX"; }

}  // namespace

Word osClock(State&, Word*) {
    std::timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return wordOf(static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9);
}

Word osDate(State& s, Word* args) {
    String* const formatArg = stringArg(args, 0);
    std::string_view format = formatArg->view();
    const Value when = valueArg(args, 1);
    const std::time_t time = when.isNil() ? std::time(nullptr) : static_cast<std::time_t>(when.asNumber());
    const bool isUtc = !format.empty() && format[0] == '!';
    if (isUtc) format.remove_prefix(1);
    std::tm t{};
    if ((isUtc ? gmtime_r(&time, &t) : localtime_r(&time, &t)) == nullptr) return kNilBox;
    const Value result = format.starts_with("*t") ? dateTable(s, t) : Value::string(dateText(s, format, t));
    keepAlive(formatArg);
    return result.word();
}

Word osDateNow(State& s, Word*) {
    const std::time_t time = std::time(nullptr);
    std::tm t{};
    localtime_r(&time, &t);
    return wordOf(dateText(s, "%c", t));
}

Word osTimeNow(State&, Word*) { return wordOf(static_cast<int64_t>(std::time(nullptr))); }

Word osTime(State& s, Word* args) {
    const Value date = valueArg(args, 0);
    if (date.isNil()) return Value::integer(std::time(nullptr)).word();
    if (!date.isLuaTable() && !date.is(Kind::Table) && !date.is(Kind::Record)) raiseArgumentType(s, 1, "time", "table", date);
    std::tm t{};
    t.tm_sec = dateNumber(s, date, "sec", 0);
    t.tm_min = dateNumber(s, date, "min", 0);
    t.tm_hour = dateNumber(s, date, "hour", 12);
    t.tm_mday = dateNumber(s, date, "day", -1);
    t.tm_mon = dateNumber(s, date, "month", -1) - 1;
    t.tm_year = dateNumber(s, date, "year", -1) - 1900;
    const Value isDst = dateField(s, date, "isdst");
    t.tm_isdst = isDst.isNil() ? -1 : isDst.isTruthy();
    const std::time_t time = std::mktime(&t);
    return time == static_cast<std::time_t>(-1) ? kNilBox : Value::integer(time).word();
}

Word osDiffTime(State&, Word* args) { return wordOf(numberOf(args[0]) - numberOf(args[1])); }

Word osExecute(State& s, Word* args) {
    std::fflush(nullptr);
    if (args[0] == 0) return wordOf(int64_t{std::system(nullptr) != 0});
    String* const command = stringArg(args, 0);
    const int status = std::system(terminated(s, command));
    return wordOf(int64_t{status});
}

Word osExit(State& s, Word* args) {
    const Value code = valueArg(args, 0);
    int status = EXIT_SUCCESS;
    if (code.isNumber()) {
        int64_t i = 0;
        if (!base::numberToInteger(code.asNumber(), i)) raiseArgument(s, 1, "exit", "number has no integer representation");
        status = static_cast<int>(i);
    } else if (code.isBoolean()) {
        status = code.isTrue() ? EXIT_SUCCESS : EXIT_FAILURE;
    } else if (!code.isNil()) {
        raiseArgumentType(s, 1, "exit", "number", code);
    }
    std::fflush(nullptr);
    const LibraryOptions& options = libState(s).options;
    if (options.exitProcess != nullptr) options.exitProcess(s, status);
    std::exit(status);
}

Word osGetEnv(State& s, Word* args) {
    const char* const value = std::getenv(terminated(s, stringArg(args, 0)));
    return value == nullptr ? 0 : wordOf(newString(s, value));
}

Word osRemove(State& s, Word* args) {
    String* const path = stringArg(args, 0);
    return pathResult(s, std::remove(terminated(s, path)) == 0, path);
}

Word osRename(State& s, Word* args) {
    String* const from = stringArg(args, 0);
    const char* const fromText = terminated(s, from);
    const char* const toText = terminated(s, stringArg(args, 1));
    return pathResult(s, std::rename(fromText, toText) == 0, from);
}

Word osSetLocale(State& s, Word* args) {
    static constexpr std::string_view kCategories[] = {"all", "collate", "ctype", "monetary", "numeric", "time"};
    const std::string_view category = stringArg(args, 1)->view();
    bool isKnown = false;
    for (std::string_view c : kCategories) isKnown = isKnown || c == category;
    if (!isKnown) raiseArgument(s, 2, "setlocale", "invalid option");
    if (args[0] != 0 && !isCLocale(stringArg(args, 0)->view())) return 0;
    return wordOf(newString(s, "C"));
}

Word osTmpName(State& s, Word*) {
    char path[] = "/tmp/luapp_XXXXXX";
    const int descriptor = mkstemp(path);
    if (descriptor == -1) raiseLib(s, "unable to generate a unique filename");
    close(descriptor);
    return wordOf(newString(s, path));
}

}  // namespace luapp::rt
