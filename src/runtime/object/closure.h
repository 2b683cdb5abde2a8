// Closures: function values. A closure has the code (the prototype of a program's function as the interpreter sees it, or a C++
// function) and the captured words; `aux` is its signature, a type descriptor of kind Function (0: unknown).
// How many captures there are is known to the code alone; the tracer takes every word of the cell as a possible reference
// (boxed or bare), so captures need no description. An *adapter* wraps another function to change representations or to check:
// its capture 0 is the wrapped closure, and it counts as equal to it.
#pragma once

#include "runtime/object/value.h"

namespace luapp::rt {

/// A C++ function called by programs: raw arguments by its signature, result 0 as return value (docs/internals.md 3).
using BuiltinFn = Word (*)(State& s, Word* args);

struct Closure : Object {
    static constexpr uint8_t kBuiltin = 1;  // `code` is a BuiltinFn
    static constexpr uint8_t kAdapter = 2;  // captures[0] is the function it stands for
    static constexpr uint8_t kBound = 4;    // a bound method: captures[0] receiver, captures[1] method, captures[2] its key
    static constexpr uint8_t kBoundCode = 16;  // a bound method made by the compiler: captures[0] is the object, captures[1] the key
    static constexpr uint8_t kResumes = 8;  // made by coroutine.wrap: captures[1] is the coroutine it resumes
    static constexpr uint8_t kResume = 32;  // coroutine.resume itself
    static constexpr uint8_t kYield = 64;   // coroutine.yield itself
    static constexpr uint8_t kSwitches = kResumes | kResume | kYield;
    static constexpr uint32_t kCapturesOffset = 16;

    const void* code;  // what the interpreter calls: defined by vm for programs' functions
    Word captures[];

    bool isBuiltin() const { return (flags & kBuiltin) != 0; }
    bool isAdapter() const { return (flags & kAdapter) != 0; }
    /// What tells the methods of an object apart (only within its program; library members have `kNoBoundKey`).
    static constexpr Word kNoBoundKey = 0xFFFF'FFFF;
    bool isBoundMethod() const { return (flags & (kBound | kBoundCode)) != 0; }
    Value receiver() const {
        return (flags & kBound) != 0 ? Value::fromWord(captures[0]) : Value::object(objectOf(captures[0]));
    }
    Word boundKey() const { return captures[(flags & kBound) != 0 ? 2 : 1]; }
    BuiltinFn builtin() const { return reinterpret_cast<BuiltinFn>(reinterpret_cast<uintptr_t>(code)); }
    /// Index in builtins.def of a builtin's closure, or -1.
    int64_t builtinIndex() const { return integerOf(captures[0]); }
};

/// A closure of a program's function, captures 0. `signature` may be null.
Closure* newClosure(State& s, const void* code, const TypeDesc* signature, uint32_t captureCount);

/// A closure of a C++ function; `extraCaptures` words follow the builtin index (captures[1..]).
Closure* newBuiltinClosure(State& s, BuiltinFn fn, const TypeDesc* signature, int64_t builtinIndex, uint32_t extraCaptures = 0);

/// The function an adapter (of an adapter...) stands for; `c` itself if it is none.
inline const Closure* unwrapAdapter(const Closure* c) {
    while (c->isAdapter()) c = refOf<const Closure>(c->captures[0]);
    return c;
}

/// Equality of functions: by what they wrap; bound methods by receiver and method.
bool equalFunctions(const Closure* a, const Closure* b);


/// A new cell holding `w` of Rep `rep`.
Cell* newCell(State& s, Word w, Rep rep);

/// A new record or class instance of type `type` with all fields 0; `words` is its number of fields.
Instance* newInstance(State& s, const TypeDesc* type, uint32_t words);

}  // namespace luapp::rt
