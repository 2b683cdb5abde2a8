// Between boxes and raw words by type descriptor: type tests, checked conversions with their messages, boxing. The
// interpreter's Unbox/CheckRef/IsType, dynamic calls and the library's conversions all come here, so there is one meaning
// of "value v has type T": exact identity for arrays, tables, records and functions, membership for unions, whole and
// in range for integers. Only tryConvert may change a value: an untyped function gets a checking wrapper.
#pragma once

#include <string_view>

#include "runtime/bytecode/instruction.h"
#include "runtime/object/closure.h"
#include "runtime/vm/source_names.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

/// True if `v` is a value of `type` as it is. Cannot collect.
bool hasType(const State& s, Value v, const TypeDesc* type);

/// The same for a reference; null counts as nil.
bool refHasType(const State& s, const Object* o, const TypeDesc* type);

/// True if a register of representation type->rep that holds `w` holds a value of `type`: an integer in range, a boolean that is 0 or 1, a
/// canonical double, a reference to an object that is there. What typed code takes for granted; asked only by programs compiled with
/// ir::LowerOptions::assertTypes. Reads the header of what `w` points to, so it may be fooled by a stale pointer (gc_stress
/// shows those).
bool wordHasType(const State& s, Word w, const TypeDesc* type);

/// Says on standard error what is wrong with the word and where, and ends the process: the compiler or the VM has a bug.
[[noreturn]] LUAPP_COLD void reportWrongWord(State& s, Word w, const TypeDesc* type);

/// The raw word of `v` in `type`'s representation, into `out`; false if it is no value of the type. May collect (wrappers).
[[nodiscard]] bool tryConvert(State& s, Value v, const TypeDesc* type, Word& out);

/// tryConvert or the error that `kind` asks for; `position` numbers arguments and results in messages, from 1.
Word convert(State& s, Value v, const TypeDesc* type, bc::CheckKind kind, uint32_t position = 0);

/// The box of a word of representation type->rep; knows enums, which boxWord does not.
Value boxTyped(Word w, const TypeDesc* type);

/// What messages call `v` where a value of type `wanted` was expected: its type, or the number itself that is not whole. Points into `s`.
ErrorArg refused(State& s, Value v, const TypeDesc* wanted);

/// Raises the error that `v` is no value of `type`.
[[noreturn]] LUAPP_COLD void raiseMismatch(State& s, Value v, const TypeDesc* type, bc::CheckKind kind, uint32_t position = 0);

/// Raises `kind` (CannotCall, CannotIndex ...) about `v` as "a nil value", "an array value", or, if the source has a name for it,
/// "local 'x' (a nil value)".
[[noreturn]] LUAPP_COLD void raiseCannot(State& s, ErrorKind kind, Value v, SourceName name = {});

/// What typeof(v) answers: the full name of the exact type ("Array<number>"), "table" for lenient tables.
std::string_view typeNameOf(const State& s, Value v);

/// True for signatures of lenient functions: every parameter, extra and result is `any`.
bool isUntyped(const TypeDesc* signature);

}  // namespace luapp::rt
