// What the library's files share: the library's part of a State, argument errors in Lua's words, results as a pack. Private to
// lib/. Rules for every builtin: arguments lie in `args` by the declared signature and are roots; no object with a
// destructor is live across a call that may raise or run program code; text is built with TextBuilder.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/lib/builtin_table.h"
#include "runtime/lib/file.h"
#include "runtime/lib/library.h"
#include "runtime/object/closure.h"
#include "runtime/object/string.h"
#include "runtime/object/value.h"
#include "runtime/vm/call.h"
#include "runtime/vm/convert.h"
#include "runtime/vm/error.h"
#include "runtime/vm/meta.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

struct ParsedSignature;

/// State of xoshiro256**.
struct Random {
    uint64_t state[4];
};

/// Puts the generator at the start of the sequence of `seed`.
void seedRandom(Random& r, uint64_t seed);

/// What the library keeps per State: in State.libraryData, made by openLibrary().
struct LibState {
    Random random;
    StandardFiles files;
    ParsedSignature** signatures;  // by builtin index; null until asked for
    LibraryOptions options;
    std::vector<uint8_t> dumped;    // by string.dump, for a moment
};

inline LibState& libState(State& s) { return *static_cast<LibState*>(s.libraryData); }

/// Raises "bad argument #index to 'function' (problem)".
[[noreturn]] LUAPP_COLD void raiseArgument(State& s, unsigned index, const char* function, std::string_view problem);

/// Raises "bad argument #index to 'function' (expected expected, got type)".
[[noreturn]] LUAPP_COLD void raiseArgumentType(State& s, unsigned index, const char* function, const char* expected, Value got);

/// Raises that a string argument is none of those a function knows, naming it where the code that runs is lenient.
[[noreturn]] LUAPP_COLD void raiseOption(State& s, unsigned index, const char* function, std::string_view option);

/// Raises a message made by printf's rules (no %s of strings of unknown length: at most 300 bytes are kept).
[[noreturn]] LUAPP_COLD void raiseLib(State& s, const char* format, ...) __attribute__((format(printf, 2, 3)));

/// The string argument at `args[i]`.
inline String* stringArg(const Word* args, unsigned i) { return refOf<String>(args[i]); }
inline Value valueArg(const Word* args, unsigned i) { return Value::fromWord(args[i]); }

/// Capture `i` of an iterator's closure; the library's own begin at 1.
inline Word& captureAt(Closure* c, uint32_t i) {
    Word* const captures = c->captures;
    return captures[i];
}

/// Ends a builtin whose results are a pack of `count` boxes in State.results: the first is the return value as well.
inline Word packResult(State& s, uint32_t count) {
    s.resultCount = count;
    return count == 0 ? kNilBox : s.results[0];
}
inline Word packResult(State& s, Value only) {
    packOne(s, only);
    return only.word();
}

/// The pack that a failure for outside reasons gives: nil, why, and the system's error number.
inline Word failureResult(State& s, String* message, int error) {
    s.results[0] = kNilBox;
    s.results[1] = Value::string(message).word();
    s.results[2] = Value::integer(error).word();
    return packResult(s, 3);
}

/// A boxed string, or nil for null.
inline Value stringOrNil(const String* str) { return str == nullptr ? Value::nil() : Value::string(str); }

/// Appends the text of a value without making a string of it where that is avoidable. May run program code.
void appendText(State& s, TextBuilder& out, Value v);

/// Puts a value in front of the pack.
void prependToPack(State& s, Value v);

/// "path: reason" for an error number of the system.
String* pathMessage(State& s, String* path, int error);

/// Keeps an object reachable up to this place although only bytes inside it are used before.
inline void keepAlive(const void* object) { asm volatile("" : : "r"(object)); }

/// Calls any value with boxed arguments; the first result, or nil.
inline Value callValue(State& s, Value f, const Value* args, uint32_t count) { return callFirst(s, f, {args, count}); }

}  // namespace luapp::rt
