// The switch between coroutines, inline: the interpreter's opcodes CallYield and CallResume and dynamic calls of coroutine.wrap's
// functions use it without leaving the loop. That is what makes a resume cheap: a switch leaves through an indirect jump, so no
// return address predicted on one stack is popped on another, as it would be with functions between the loop and the switch.
// Included by coroutine.cpp and interp.cpp only; everybody else calls resume() and yield().
#pragma once

#include "runtime/vm/coroutine.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

#if LUAPP_ASAN
/// Tells the sanitizer that the native stack changes; finishSwitch completes it on the other side.
void startSwitch(State& s, Coroutine* from, Coroutine* to, bool fromEnds);
void finishSwitch(State& s, Coroutine* to);
#else
inline void startSwitch(State&, Coroutine*, Coroutine*, bool) {}
inline void finishSwitch(State&, Coroutine*) {}
#endif

LUAPP_ALWAYS_INLINE void saveContext(const State& s, ExecContext& c) {
    c.frame = s.frame;
    c.top = s.top;
    c.pc = s.pc;
    c.handler = s.handler;
}

LUAPP_ALWAYS_INLINE void loadContext(State& s, const ExecContext& c) {
    s.frame = c.frame;
    s.top = c.top;
    s.pc = c.pc;
    s.handler = c.handler;
    s.nativeLimit = c.nativeLimit;
    s.stackBase = c.stackBase;
    s.stackEnd = c.stackEnd;
    s.stackLimit.store(s.normalStackLimit(), std::memory_order_relaxed);
    // A signal between these two lines sets the limit itself.
    if (LUAPP_UNLIKELY(s.interruptRequested.load(std::memory_order_relaxed))) {
        s.stackLimit.store(nullptr, std::memory_order_relaxed);
    }
}

/// Goes on with `to` (null: main) and returns when somebody switches back to `from`.
LUAPP_ALWAYS_INLINE void switchTo(State& s, Coroutine* from, Coroutine* to, bool fromEnds) {
    ExecContext& saved = from != nullptr ? from->context : s.mainContext;
    const ExecContext& target = to != nullptr ? to->context : s.mainContext;
    saveContext(s, saved);
    s.currentCoroutine = to;
    loadContext(s, target);
    startSwitch(s, from, to, fromEnds);
    s.isCalledByBuiltin = false;
    luapp_rt_switchStack(&saved.nativeStack, target.nativeStack);
    finishSwitch(s, from);
}

/// resume() of a suspended coroutine with a stack, up to the moment it gives control back; if it is dead then, finishResume
/// has to follow.
LUAPP_ALWAYS_INLINE void continueWaiting(State& s, Coroutine* co) {
    Coroutine* self = s.currentCoroutine;
    if (self != nullptr) self->status = CoroutineStatus::Normal;
    co->resumer = self;
    co->status = CoroutineStatus::Running;
    switchTo(s, self, co, false);
    if (self != nullptr) self->status = CoroutineStatus::Running;
    co->resumer = nullptr;
}

/// Takes the stack of a coroutine that has just ended; false if it ended by an error, which is the pack.
bool finishResume(State& s, Coroutine* co);

/// resume() with the usual case inline.
LUAPP_ALWAYS_INLINE bool resumeInline(State& s, Coroutine* co) {
    if (LUAPP_UNLIKELY(co->status != CoroutineStatus::Suspended || co->stack.slot == CoroutineStack::kNoSlot))
        return resume(s, co);
    continueWaiting(s, co);
    return LUAPP_LIKELY(co->status != CoroutineStatus::Dead) || finishResume(s, co);
}

/// yield() in a coroutine.
LUAPP_ALWAYS_INLINE void yieldFrom(State& s, Coroutine* self) {
    self->status = CoroutineStatus::Suspended;
    switchTo(s, self, self->resumer, false);
}

}  // namespace luapp::rt
