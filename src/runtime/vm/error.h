// Raising run-time errors and catching them. raise() takes an entry of errors.def and the values for its holes, puts the
// position of the running function in front and never returns: control goes to the innermost protectedCall of the
// running coroutine, or ends the coroutine with that error. Error values of any type travel in State.errorValue.
// Everything here may be called from interpreter slow paths, builtins and the collector's callers; the place that calls must
// have saved State.frame and State.pc (interpreter) so that positions are right. No destructors run when an error passes.
#pragma once

#include <string_view>

#include "runtime/object/type_desc.h"
#include "runtime/object/value.h"
#include "runtime/vm/handler.h"

namespace luapp::rt {

class TextBuilder;

/// Run-time errors with a message of ours; entries come from errors.def.
enum class ErrorKind : uint8_t {
#define LUAPP_RUNTIME_ERROR(name, text) name,
#include "runtime/vm/errors.def"
};

/// The text of errors.def, with holes.
const char* errorText(ErrorKind kind);

/// One value for a hole in a message.
class ErrorArg {
public:
    ErrorArg(int v) : kind_(Kind::Integer), integer_(v) {}                                       // NOLINT: converts on purpose
    ErrorArg(unsigned v) : kind_(Kind::Integer), integer_(v) {}                                  // NOLINT
    ErrorArg(int64_t v) : kind_(Kind::Integer), integer_(v) {}                                   // NOLINT
    ErrorArg(uint64_t v) : kind_(Kind::Integer), integer_(static_cast<int64_t>(v)) {}            // NOLINT
    ErrorArg(double v) : kind_(Kind::Number), number_(v) {}                                      // NOLINT
    ErrorArg(std::string_view v) : kind_(Kind::Text), text_(v) {}                                // NOLINT
    ErrorArg(const char* v) : kind_(Kind::Text), text_(v) {}                                     // NOLINT
    ErrorArg(const String* v);                                                                   // NOLINT
    ErrorArg(Value v) : kind_(Kind::Box), integer_(static_cast<int64_t>(v.word())) {}            // NOLINT
    ErrorArg(const TypeDesc* v) : kind_(Kind::Text), text_(v->name) {}                           // NOLINT
    void appendTo(State& s, TextBuilder& out) const;
    /// What it was made of.
    int64_t integer() const { return kind_ == Kind::Integer ? integer_ : 0; }
    std::string_view text() const { return kind_ == Kind::Text ? text_ : std::string_view(); }

private:
    enum class Kind : uint8_t { Integer, Number, Text, Box };
    Kind kind_;
    union {
        int64_t integer_;
        double number_;
        std::string_view text_;
    };
};

/// Raises `kind` with `count` values; see raise().
[[noreturn]] LUAPP_COLD void raiseWith(State& s, ErrorKind kind, const ErrorArg* args, unsigned count);

/// Raises the error `kind`: "file:line: " and its text with the holes filled.
template <class... Args>
[[noreturn]] LUAPP_COLD void raise(State& s, ErrorKind kind, const Args&... args) {
    if constexpr (sizeof...(args) == 0) {
        raiseWith(s, kind, nullptr, 0);
    } else {
        const ErrorArg list[] = {ErrorArg(args)...};
        raiseWith(s, kind, list, sizeof...(args));
    }
}

/// The text raise() would use, without position; for warnings and for results like `nil, message`.
String* formatError(State& s, ErrorKind kind, const ErrorArg* args, unsigned count);

/// Raises `value` as it is (what `error(v)` with a non-string or with level 0 does).
[[noreturn]] LUAPP_COLD void raiseValue(State& s, Value value);

/// A place in source text; line 0: unknown. Level 1 is the innermost function of a program, 2 its caller, ...
struct SourcePosition {
    std::string_view file;
    uint32_t line = 0;
};
/// Position of the function at `level` of the running coroutine; unknown without a VM (hooks) or a frame at that level.
SourcePosition currentPosition(State& s, int level);
/// "file:line: " of `level`, or the empty string.
String* positionPrefix(State& s, int level);

/// How a value looks in a message: strings quoted and shortened, numbers as tostring, others "a table value" style.
void describeValue(State& s, Value v, TextBuilder& out);

/// Calls fn(s, data). True if it returns; false if an error was raised, which is then in s.errorValue, with State.frame and pc as before.
/// Yields pass through. `fn` must follow the rules of handler.h.
bool protectedCall(State& s, void (*fn)(State&, void*), void* data);

/// The same with a function that runs at the place of the error, before the stack is dropped (Handler::onError).
bool protectedCall(State& s, void (*fn)(State&, void*), void* data, void (*onError)(State&, void*), void* context);

/// "stack traceback:" and one line per function of coroutine `co` (null: the running one) from `level` on. Frames come from the VM.
String* traceback(State& s, Coroutine* co, std::string_view message, int level);

/// Raises "stack overflow" if the native stack is nearly used up; for recursive C++ functions.
inline void checkNativeStack(State& s);
[[noreturn]] LUAPP_COLD void raiseStackOverflow(State& s);

}  // namespace luapp::rt
