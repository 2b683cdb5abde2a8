// Hooks of the debug library: a function that is told when debuggable code (docs/internals.md 11) calls, returns, begins a line or has
// executed so many instructions. Each coroutine and the main program have their own. The `Event` instructions of debuggable code come
// here as soon as any hook has been set in the State; other code has none of them.
// The functions stand in a table of the registry, so that nothing here is a root.
#pragma once

#include <cstdint>

#include "runtime/bytecode/instruction.h"
#include "runtime/object/value.h"

namespace luapp::rt {

struct Coroutine;
struct State;

/// Bits of HookState::mask.
enum HookMask : uint8_t { kHookCall = 1, kHookReturn = 2, kHookLine = 4, kHookCount = 8 };

struct HookState {
    uint8_t mask = 0;
    bool isRunning = false;            // no hook is called inside a hook
    uint32_t count = 0;                // of instructions, with kHookCount
    int64_t left = 0;                  // of them
    // What was executed last: a line counts again where the code goes back.
    const Word* lastFrame = nullptr;
    const uint32_t* lastPc = nullptr;
    uint32_t lastLine = 0;
};

/// Of a coroutine, or of the main program (null).
HookState& hookOf(State& s, Coroutine* co);
/// Sets the hook of a coroutine (null: the main program); mask 0 or nil takes it away.
void setHook(State& s, Coroutine* co, Value function, uint8_t mask, uint32_t count);
/// nil if there is none.
Value hookFunction(State& s, Coroutine* co);

/// What an Event instruction does; State.frame and pc are saved. `callee`: the box it names. The result area is as before when it returns.
void hookEvent(State& s, bc::EventKind kind, Value callee);

}  // namespace luapp::rt
