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

/// Saves the stack pointer, and goes on where another stack was left. A stack that was left has the address to go on at on top and the
/// callee-saved registers below, or is as prepare() in coroutine.cpp makes it. Each place that switches has a jump of its own, which
/// the processor predicts best. Only for functions that call others, too: those have nothing below their stack pointer. The State crosses
/// in a register: from the stack it would come late, after the stack pointer, and with it all that the next switch needs.
LUAPP_ALWAYS_INLINE void switchStack(State*& state, void*& saved, void* target) {
    void** to = &saved;
    asm volatile(R"(
        push %%rbp
        push %%rbx
        push %%r12
        push %%r13
        push %%r14
        push %%r15
        lea 1f(%%rip), %%rax
        push %%rax
        mov %%rsp, (%[to])
        mov %[target], %%rsp
        pop %%rax
        jmp *%%rax
    1:
        pop %%r15
        pop %%r14
        pop %%r13
        pop %%r12
        pop %%rbx
        pop %%rbp
    )"
                 : [to] "+D"(to), [target] "+S"(target), "+d"(state)
                 :
                 : "rax", "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
}

/// Goes on with `to` (null: main), whose context is `target`, and returns when somebody switches back to `from`, the running one, whose
/// context is `own` and has its registers. State's frame, pc and top are anybody's afterwards. `state` stays what it is, but is read anew.
LUAPP_ALWAYS_INLINE void switchTo(State*& state, Coroutine* from, ExecContext& own, Coroutine* to, ExecContext& target, bool fromEnds) {
    State& s = *state;
    s.currentCoroutine = to;
    s.context = &target;
    s.resetStackLimit();
    s.isCalledByBuiltin = false;
    startSwitch(s, from, to, fromEnds);
    switchStack(state, own.nativeStack, target.nativeStack);
    finishSwitch(*state, from);
}

/// resume() of a suspended coroutine by `self`, whose context is `own`, up to the moment it gives control back; if it is dead then,
/// finishResume has to follow.
LUAPP_ALWAYS_INLINE void continueWaiting(State*& state, Coroutine* self, ExecContext& own, Coroutine* co) {
    co->resumer = self;
    co->back = &own;
    co->status = CoroutineStatus::Running;
    switchTo(state, self, own, co, co->context, false);
}

/// Takes the stack of a coroutine that has just ended; false if it ended by an error, which is the pack.
bool finishResume(State& s, Coroutine* co);

/// yield() in a coroutine, the running one.
LUAPP_ALWAYS_INLINE void yieldFrom(State*& state, Coroutine* self) {
    self->status = CoroutineStatus::Suspended;
    // Its stack has changed since the collector looked at it.
    if (LUAPP_UNLIKELY(self->log != kNotTraced)) rememberStore(*state, self, self);
    switchTo(state, self, self->context, self->resumer, *self->back, false);
}

/// resume() and yield() by the interpreter, which runs at (frame, pc) and has those in registers. State's frame, pc and top hold nothing
/// afterwards.
LUAPP_ALWAYS_INLINE bool resumeInline(State*& state, Coroutine* co, Word* frame, const uint32_t* pc) {
    State& s = *state;
    if (LUAPP_UNLIKELY(co->status != CoroutineStatus::Suspended)) {
        s.frame = frame;
        s.pc = pc;
        s.top = nullptr;
        return resume(s, co);
    }
    ExecContext& own = *s.context;
    own.frame = frame;
    own.pc = pc;
    continueWaiting(state, s.currentCoroutine, own, co);
    return LUAPP_LIKELY(co->status != CoroutineStatus::Dead) || finishResume(*state, co);
}
LUAPP_ALWAYS_INLINE void yieldInline(State*& state, Coroutine* self, Word* frame, const uint32_t* pc) {
    self->context.frame = frame;
    self->context.pc = pc;
    yieldFrom(state, self);
}

}  // namespace luapp::rt
