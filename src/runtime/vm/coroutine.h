// Coroutines: each runs on a native stack and a VM stack of its own (stack_arena.h), so a yield may cross protected calls,
// metamethods, iterators and C++ functions. Values pass through the result area as a pack (boxes, State.resultCount), both ways.
// Semantics are Lua 5.1's: an error inside ends the coroutine and comes out of resume(); a finished one gives its stack back at
// once, an unreachable suspended one when the collector finds it. Coroutine objects are traced like others; the stacks
// of every reachable suspended coroutine are scanned conservatively. The main program is no Coroutine object.
#pragma once

#include "runtime/object/value.h"
#include "runtime/vm/exec_context.h"
#include "runtime/vm/hooks.h"
#include "runtime/vm/stack_arena.h"

namespace luapp::rt {

enum class CoroutineStatus : uint8_t {
    Created,    // waits for its first resume, which gives it a stack
    Suspended,  // in a yield
    Running,    // the current one, or it waits for one that it resumed
    Dead,
};

struct Coroutine : Object {
    ExecContext context;     // while suspended or normal
    CoroutineStack stack;    // no slot before the first resume and after the end
    Closure* body;           // cleared when it ends
    Coroutine* resumer;      // while Running: who resumed it; null: the main program
    ExecContext* back;       // while Running: the context to go on with when it yields or ends, the resumer's
    Coroutine* previousLive; // list of the coroutines with a stack, owned by vm/coroutine.cpp
    Coroutine* nextLive;
    void* fakeStack;         // sanitizer bookkeeping
    HookState hook;
    CoroutineStatus status;
    bool failed;             // it ended by an error, which is the pack
};

/// A new suspended coroutine that will run `body` with the arguments of the first resume. It gets its stacks at the first resume.
Coroutine* newCoroutine(State& s, Closure* body);

/// Continues `co` with the pack as its arguments (or as the results of its yield). True: the pack is what it yielded or returned;
/// false: the pack is one value, the error (also for a dead or running coroutine).
bool resume(State& s, Coroutine* co);

/// Raises the error that resume() left in the pack, as the functions of coroutine.wrap do: a message gets the caller's place.
[[noreturn]] void raiseFromCoroutine(State& s);

/// Suspends the running coroutine: the pack goes to its resumer; returns when resumed, with the pack holding the arguments.
/// Raises YieldOutside in the main program.
void yield(State& s);

/// What coroutine.status(co) answers: "suspended", "running", "normal" or "dead".
const char* statusName(const State& s, const Coroutine* co);

/// True if `co` has finished; its stack has been given back.
inline bool isDead(const Coroutine* co) { return co->status == CoroutineStatus::Dead; }

/// Ends a suspended coroutine without running it further and gives its stack back (the collector, closing the State).
void closeCoroutine(State& s, Coroutine* co);

}  // namespace luapp::rt
