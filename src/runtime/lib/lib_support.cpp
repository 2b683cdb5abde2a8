#include "runtime/lib/lib_support.h"

#include <algorithm>
#include <cstdarg>

#include "runtime/vm/load.h"

namespace luapp::rt {

void raiseArgument(State& s, unsigned index, const char* function, std::string_view problem) {
    raise(s, ErrorKind::BadArgument, index, function, problem);
}

void raiseArgumentType(State& s, unsigned index, const char* function, const char* expected, Value got) {
    char text[160];
    const char* const name = got.isAbsent() ? "no value" : typeName(got);
    const int length = std::snprintf(text, sizeof text, "%s expected, got %s", expected, name);
    raiseArgument(s, index, function, std::string_view(text, static_cast<size_t>(length)));
}

void raiseOption(State& s, unsigned index, const char* function, std::string_view option) {
    if (!isLenientCode(s)) raiseArgument(s, index, function, "invalid option");
    char text[160];
    const int length = std::snprintf(text, sizeof text, "invalid option '%.*s'", static_cast<int>(std::min(option.size(), size_t{100})), option.data());
    raiseArgument(s, index, function, std::string_view(text, static_cast<size_t>(length)));
}

void raiseLib(State& s, const char* format, ...) {
    char text[300];
    va_list list;
    va_start(list, format);
    std::vsnprintf(text, sizeof text, format, list);
    va_end(list);
    raise(s, ErrorKind::Message, static_cast<const char*>(text));
}

void appendText(State& s, TextBuilder& out, Value v) {
    if (v.isString()) {
        out.append(v.asString());
    } else if (v.isNumber()) {
        out.appendNumber(v.asNumber(), numberStyle(s, v.asNumber()));
    } else {
        String* const text = toText(s, v);
        out.append(text);
    }
}

}  // namespace luapp::rt
