// Dynamic operations: what operators, indexing and members mean on boxed values, when the compiler knows nothing (`any`).
// Numbers, strings, typed arrays, tables and records behave as in typed code, with the checks made here; lenient tables as in
// Lua 5.1, metatables included. The interpreter's ...X instructions and the library come here. Functions that may run
// program code say so by `State&` and may also collect and raise; those with `const State&` do neither.
#pragma once

#include "runtime/base/numeric.h"
#include "runtime/bytecode/instruction.h"
#include "runtime/object/value.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

/// Metamethods; entries come from metamethods.def.
enum class Event : uint8_t {
#define LUAPP_METAMETHOD(event, key) event,
#include "runtime/vm/metamethods.def"
};

#define LUAPP_METAMETHOD(event, key) +1
inline constexpr unsigned kEventCount = 0
#include "runtime/vm/metamethods.def"
    ;

/// The key of an event in metatables: "__index".
std::string_view eventKey(Event e);

/// Where State.typeMetatables has the metatable of all values of a type; the last is that of types that cannot have one.
inline unsigned typeMetatableIndex(Value v) {
    if (v.isNil()) return 0;
    if (v.isBoolean()) return 1;
    if (v.isNumber()) return 2;
    if (v.isFunction()) return 3;
    if (v.is(Kind::Coroutine)) return 4;
    return v.isLightUserdata() ? 5 : 6;
}

/// The metatable of a value (lenient tables, userdata, strings), or null.
LuaTable* metatableOf(const State& s, Value v);

/// The value's metamethod for `e`, or nil. May collect (interns the key).
Value metamethod(State& s, Value v, Event e);

Value arith(State& s, bc::ArithOp op, Value a, Value b);
Value negate(State& s, Value v);
Value bitwiseNot(State& s, Value v);
/// #v
Value length(State& s, Value v);
/// The two or more boxes joined from the right, as `a .. b .. c` is. Uses `boxes`, which must be scanned memory, for what it makes on
/// the way. May call metamethods, collect and raise.
Value concatenate(State& s, std::span<Word> boxes);
bool equals(State& s, Value a, Value b);
bool lessThan(State& s, Value a, Value b);
bool lessEqual(State& s, Value a, Value b);

/// v[key]. Arrays: zero-based, checked; tables: nil if missing; records: fields by name.
Value index(State& s, Value v, Value key);
void setIndex(State& s, Value v, Value key, Value value);
/// v.name: a field, a string key, or a member of a library type (bound to v; properties: read).
Value member(State& s, Value v, String* name);
/// v.name = value
void setMember(State& s, Value v, String* name, Value value);
/// For `v:name(...)`: the function, which is then called with `v` first. Members of library types come unbound.
Value method(State& s, Value v, String* name);

/// The iterator triplet for `for ... in v` with `variables` loop variables, where v's kind is known at run time only. An array
/// gives its elements to one variable, indexes and elements to two. With one variable a nil element ends the loop.
struct IterTriplet {
    Value function, state, control;
};
IterTriplet iterate(State& s, Value v, uint32_t variables);

/// How the code that runs writes the number `d`: lenient code knows 14 digits only.
base::NumberStyle numberStyle(const State& s, double d);

/// "file (0x...)" or "file (closed)".
String* userdataText(State& s, Userdata* u);

/// tostring(v), metamethods included.
String* toText(State& s, Value v);

}  // namespace luapp::rt
