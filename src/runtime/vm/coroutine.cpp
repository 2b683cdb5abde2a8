#include "runtime/vm/coroutine.h"

#include "runtime/object/string.h"
#include "runtime/vm/state.h"

#if LUAPP_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace luapp::rt {
namespace {

// What a coroutine's stack costs beside its object: about two pages.
constexpr int64_t kStackCost = 8192;

void saveContext(const State& s, ExecContext& c) {
    c.frame = s.frame;
    c.top = s.top;
    c.pc = s.pc;
    c.handler = s.handler;
    c.nativeDepth = s.nativeDepth;
}

void loadContext(State& s, const ExecContext& c) {
    s.frame = c.frame;
    s.top = c.top;
    s.pc = c.pc;
    s.handler = c.handler;
    s.nativeLimit = c.nativeLimit;
    s.stackBase = c.stackBase;
    s.stackEnd = c.stackEnd;
    s.nativeDepth = c.nativeDepth;
    s.stackLimit.store(s.normalStackLimit(), std::memory_order_relaxed);
    // A signal between these two lines sets the limit itself.
    if (LUAPP_UNLIKELY(s.interruptRequested.load(std::memory_order_relaxed))) {
        s.stackLimit.store(nullptr, std::memory_order_relaxed);
    }
}

#if LUAPP_ASAN
/// Tells the sanitizer that the native stack changes; finishSwitch completes it on the other side.
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
#else
void startSwitch(State&, Coroutine*, Coroutine*, bool) {}
void finishSwitch(State&, Coroutine*) {}
#endif

ExecContext& contextOf(State& s, Coroutine* co) { return co != nullptr ? co->context : s.mainContext; }

/// Goes on with `to` (null: main) and returns when somebody switches back to `from`.
LUAPP_ALWAYS_INLINE void switchTo(State& s, Coroutine* from, Coroutine* to, bool fromEnds) {
    ExecContext& saved = contextOf(s, from);
    const ExecContext& target = contextOf(s, to);
    saveContext(s, saved);
    s.currentCoroutine = to;
    loadContext(s, target);
    startSwitch(s, from, to, fromEnds);
    luapp_rt_switchStack(&saved.nativeStack, target.nativeStack);
    finishSwitch(s, from);
}

void callBody(State& s, void* data) { s.hooks->callPack(s, Value::function(static_cast<Coroutine*>(data)->body)); }

/// First function on a coroutine's stack.
[[noreturn]] void runBody(State* state, Coroutine* co) {
    State& s = *state;
    finishSwitch(s, co);
    co->failed = !protectedCall(s, callBody, co);
    if (co->failed) packOne(s, s.errorValue);
    co->status = CoroutineStatus::Dead;
    co->body = nullptr;
    switchTo(s, co, co->resumer, true);
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
    c.stackBase = c.frame = c.top = co->stack.vmBegin;
    c.stackEnd = co->stack.vmEnd;
    c.nativeLimit = reinterpret_cast<uintptr_t>(co->stack.nativeBegin) + kNativeHeadroom;
    // What luapp_rt_switchStack pops: six registers and the address to go on at; then what luapp_rt_stackEntry pops.
    auto* top = reinterpret_cast<uint64_t*>(co->stack.nativeEnd) - 2;
    top[0] = top[1] = 0;
    *--top = reinterpret_cast<uint64_t>(co);
    *--top = reinterpret_cast<uint64_t>(&s);
    *--top = reinterpret_cast<uint64_t>(&runBody);
    *--top = reinterpret_cast<uint64_t>(&luapp_rt_stackEntry);
    for (int i = 0; i < 6; i++) *--top = 0;
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

const char* statusName(CoroutineStatus status) {
    switch (status) {
        case CoroutineStatus::Suspended: return "suspended";
        case CoroutineStatus::Running: return "running";
        case CoroutineStatus::Normal: return "normal";
        case CoroutineStatus::Dead: return "dead";
    }
    return "?";
}

Coroutine* newCoroutine(State& s, Closure* body) {
    auto* co = static_cast<Coroutine*>(s.heap.allocate(sizeof(Coroutine), Kind::Coroutine));
    co->stack.slot = CoroutineStack::kNoSlot;
    co->body = body;
    co->status = CoroutineStatus::Suspended;
    return co;
}

bool resume(State& s, Coroutine* co) {
    if (LUAPP_UNLIKELY(co->status != CoroutineStatus::Suspended)) {
        return refuse(s, co->status == CoroutineStatus::Dead ? ErrorKind::ResumeDead : ErrorKind::ResumeNotSuspended);
    }
    if (LUAPP_UNLIKELY(co->stack.slot == CoroutineStack::kNoSlot)) prepare(s, co);
    Coroutine* self = s.currentCoroutine;
    if (self != nullptr) self->status = CoroutineStatus::Normal;
    co->resumer = self;
    co->status = CoroutineStatus::Running;
    switchTo(s, self, co, false);
    if (self != nullptr) self->status = CoroutineStatus::Running;
    co->resumer = nullptr;
    if (LUAPP_LIKELY(co->status != CoroutineStatus::Dead)) return true;
    giveStack(s, co);
    return !co->failed;
}

void yield(State& s) {
    Coroutine* self = s.currentCoroutine;
    if (self == nullptr) raise(s, ErrorKind::YieldOutside);
    self->status = CoroutineStatus::Suspended;
    switchTo(s, self, self->resumer, false);
}

CoroutineStatus statusOf(const State&, const Coroutine* co) { return co->status; }

void closeCoroutine(State& s, Coroutine* co) {
    LUAPP_CHECK(co->status == CoroutineStatus::Suspended, "only a suspended coroutine can be closed");
    co->status = CoroutineStatus::Dead;
    co->body = nullptr;
    if (co->stack.slot != CoroutineStack::kNoSlot) giveStack(s, co);
}

}  // namespace luapp::rt
