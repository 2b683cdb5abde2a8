#include "runtime/vm/coroutine.h"

#include "runtime/object/string.h"
#include "runtime/vm/coroutine_switch.h"
#include "runtime/vm/levels.h"

#if LUAPP_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace luapp::rt {

#if LUAPP_ASAN
void startSwitch(State& s, Coroutine* from, Coroutine* to, bool fromEnds) {
    void** fake = fromEnds ? nullptr : from != nullptr ? &from->fakeStack : &s.mainFakeStack;
    if (to != nullptr) {
        __sanitizer_start_switch_fiber(fake, to->stack.nativeBegin,
                                       static_cast<size_t>(to->stack.nativeEnd - to->stack.nativeBegin));
    } else {
        __sanitizer_start_switch_fiber(fake, s.mainStackBegin, s.mainStackSize);
    }
}
void finishSwitch(State& s, Coroutine* to) {
    const void* begin = nullptr;
    size_t size = 0;
    __sanitizer_finish_switch_fiber(to != nullptr ? to->fakeStack : s.mainFakeStack, &begin, &size);
    if (s.mainStackBegin == nullptr) {
        // The first switch of a State always leaves the main stack.
        s.mainStackBegin = begin;
        s.mainStackSize = size;
    }
}
#endif

namespace {

// What a coroutine's stack costs beside its object: about two pages.
constexpr int64_t kStackCost = 8192;

void callBody(State& s, void* data) { s.hooks->callPack(s, Value::function(static_cast<Coroutine*>(data)->body)); }

/// Runs where the error is that ends a coroutine.
void keepTraceback(State& s, void* co) {
    const Value error = s.errorValue;
    // Nothing can be kept where memory is short.
    const bool isShort = error.isString() && error.asString()->view().ends_with(errorText(ErrorKind::OutOfMemory));
    if (s.globals == nullptr || isShort) return;
    keepTracebackOf(s, static_cast<Coroutine*>(co));
    s.errorValue = error;
}

/// State.frame, pc and top, kept in the context of the running coroutine while it does not run. The interpreter, which keeps two of them
/// itself and does without the third, leaves `top` as it is: null.
struct RegistersKept {
    State& s;
    ExecContext& own;

    explicit RegistersKept(State& state) : s(state), own(*state.context) {
        own.frame = s.frame;
        own.pc = s.pc;
        own.top = s.top;
    }
    void restore() const {
        s.frame = own.frame;
        s.pc = own.pc;
        s.top = own.top;
        own.top = nullptr;
    }
};

/// First function on a coroutine's stack.
[[noreturn]] void runBody(State* state, Coroutine* co) {
    State& s = *state;
    finishSwitch(s, co);
    s.frame = s.top = co->stack.vmBegin;
    s.pc = nullptr;
    co->failed = !protectedCall(s, callBody, co, keepTraceback, co);
    if (co->failed) packOne(s, s.errorValue);
    co->status = CoroutineStatus::Dead;
    co->body = nullptr;
    switchTo(state, co, co->context, co->resumer, *co->back, true);
    LUAPP_UNREACHABLE("a dead coroutine was resumed");
}

void linkLive(State& s, Coroutine* co) {
    co->previousLive = nullptr;
    co->nextLive = s.liveCoroutines;
    if (co->nextLive != nullptr) co->nextLive->previousLive = co;
    s.liveCoroutines = co;
}

void unlinkLive(State& s, Coroutine* co) {
    (co->previousLive != nullptr ? co->previousLive->nextLive : s.liveCoroutines) = co->nextLive;
    if (co->nextLive != nullptr) co->nextLive->previousLive = co->previousLive;
}

/// Gives a coroutine its stacks, prepared so that switching to it enters runBody.
void prepare(State& s, Coroutine* co) {
    if (!s.stacks.take(co->stack)) {
        s.heap.collect();
        if (!s.stacks.take(co->stack)) raise(s, ErrorKind::TooManyCoroutines);
    }
    s.heap.addExternal(kStackCost);
    linkLive(s, co);
#if LUAPP_ASAN
    __asan_unpoison_memory_region(co->stack.nativeBegin, kStackSlotSize);
#endif
    ExecContext& c = co->context;
    c = ExecContext();
    c.stackBase = c.frame = co->stack.vmBegin;
    c.stackEnd = co->stack.vmEnd;
    c.stackLimit = stackLimitBelow(c.stackEnd);
    c.nativeLimit = reinterpret_cast<uintptr_t>(co->stack.nativeBegin) + kNativeHeadroom;
    // What switchStack() pops: the address to go on at; then what luapp_rt_stackEntry pops.
    auto* top = reinterpret_cast<uint64_t*>(co->stack.nativeEnd) - 2;
    top[0] = top[1] = 0;
    *--top = reinterpret_cast<uint64_t>(co);
    *--top = reinterpret_cast<uint64_t>(&s);
    *--top = reinterpret_cast<uint64_t>(&runBody);
    *--top = reinterpret_cast<uint64_t>(&luapp_rt_stackEntry);
    c.nativeStack = top;
}

void giveStack(State& s, Coroutine* co) {
    unlinkLive(s, co);
    s.stacks.give(co->stack);
    s.heap.addExternal(-kStackCost);
}

bool refuse(State& s, ErrorKind kind) {
    packOne(s, Value::string(formatError(s, kind, nullptr, 0)));
    return false;
}

}  // namespace

const char* statusName(const State& s, const Coroutine* co) {
    switch (co->status) {
        case CoroutineStatus::Created:
        case CoroutineStatus::Suspended: return "suspended";
        case CoroutineStatus::Running: return co == s.currentCoroutine ? "running" : "normal";
        case CoroutineStatus::Dead: return "dead";
    }
    return "?";
}

Coroutine* newCoroutine(State& s, Closure* body) {
    static_assert(sizeof(Coroutine) <= kCoroutineCell && sizeof(Coroutine) > kCoroutineCell - 64);
    auto* co = static_cast<Coroutine*>(s.heap.allocateCoroutine());
    co->stack.slot = CoroutineStack::kNoSlot;
    co->body = body;
    // As in Lua 5.1 it inherits the mask, but no function.
    co->hook = {};
    co->status = CoroutineStatus::Created;
    return co;
}

bool resume(State& s, Coroutine* co) {
    switch (co->status) {
        case CoroutineStatus::Created: prepare(s, co); break;
        case CoroutineStatus::Suspended: break;
        case CoroutineStatus::Running: return refuse(s, ErrorKind::ResumeNotSuspended);
        case CoroutineStatus::Dead: return refuse(s, ErrorKind::ResumeDead);
    }
    RegistersKept registers(s);
    State* state = &s;
    continueWaiting(state, s.currentCoroutine, registers.own, co);
    registers.restore();
    return LUAPP_LIKELY(co->status != CoroutineStatus::Dead) || finishResume(s, co);
}

bool finishResume(State& s, Coroutine* co) {
    giveStack(s, co);
    return !co->failed;
}

void raiseFromCoroutine(State& s) {
    const Value error = Value::fromWord(s.results[0]);
    if (!error.isString()) raiseValue(s, error);
    // As Lua 5.1 does: the place of the call goes in front of the place of the error.
    raiseValue(s, Value::string(concat(s, positionPrefix(s, 1), error.asString())));
}

void yield(State& s) {
    Coroutine* self = s.currentCoroutine;
    if (self == nullptr) raise(s, ErrorKind::YieldOutside);
    RegistersKept registers(s);
    State* state = &s;
    yieldFrom(state, self);
    registers.restore();
}

void closeCoroutine(State& s, Coroutine* co) {
    LUAPP_CHECK(co->status == CoroutineStatus::Suspended, "only a suspended coroutine has a stack to give back");
    co->status = CoroutineStatus::Dead;
    co->body = nullptr;
    giveStack(s, co);
}

}  // namespace luapp::rt
