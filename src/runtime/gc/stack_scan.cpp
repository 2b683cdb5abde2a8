// Conservative scan of stacks: every word that, bare or as a box, is the address of (or into) an allocated cell keeps that object.
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/gc/tracer.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/state.h"

extern "C" void* __libc_stack_end;  // of the main thread, from the dynamic loader

namespace luapp::rt {

// Further fixed results stand in the result area without a count; there are never more than this.
static constexpr uint32_t kScannedResults = 256;

const void* nativeStackBase() {
    if (syscall(SYS_gettid) == getpid()) return __libc_stack_end;
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) LUAPP_UNREACHABLE("the native stack has no bounds");
    void* begin = nullptr;
    size_t size = 0;
    pthread_attr_getstack(&attributes, &begin, &size);
    pthread_attr_destroy(&attributes);
    return static_cast<char*>(begin) + size;
}

LUAPP_NO_ASAN void Tracer::scanRange(const void* begin, const void* end) {
    auto first = (reinterpret_cast<uintptr_t>(begin) + 7) & ~uintptr_t{7};
    auto* stop = static_cast<const Word*>(end);
    for (auto* p = reinterpret_cast<const Word*>(first); p + 1 <= stop; p++) markConservatively(*p);
}

/// A native stack without the interpreter's own frames; `activation` is the innermost one.
void Tracer::scanNative(const void* begin, const void* end, const Activation* activation) {
    for (; activation != nullptr; activation = activation->outer) {
        if (activation->begin >= activation->end) continue;
        scanRange(begin, activation->begin);
        begin = activation->end;
    }
    scanRange(begin, end);
}

/// Return addresses keep the programs whose functions run.
void Tracer::markCode(const uint32_t* pc) {
    if (pc <= codeBegin_ || pc > codeEnd_) return;
    if (RootRange* range = state_.hooks->rangeAt(state_, pc)) markRange(range);
}

LUAPP_NO_ASAN void Tracer::scanFrames(const void* begin, const void* end) {
    scanRange(begin, end);
    if (codeEnd_ == nullptr) return;
    auto* stop = static_cast<const Word*>(end);
    for (auto* p = static_cast<const Word*>(begin); p < stop; p++) markCode(reinterpret_cast<const uint32_t*>(*p));
}

void Tracer::scanSuspended(const ExecContext& context, const void* nativeEnd) {
    scanNative(context.nativeStack, nativeEnd, context.activation);
    markCode(context.pc);
    Word* end = context.stackEnd;
    if (context.frame == nullptr) return;
    const VmHooks* hooks = state_.hooks;
    bool hasTop = context.top > context.frame && context.top <= end;
    Word* top = hasTop ? context.top : context.frame;
    if (context.pc != nullptr && hooks != nullptr && hooks->frameEnd != nullptr) {
        Word* frameEnd = hooks->frameEnd(state_, context.frame, context.pc);
        if (frameEnd > top) top = frameEnd;
    } else if (!hasTop) {
        top += kStackHeadroom;
    }
    scanFrames(context.stackBase, top < end ? top : end);
}

void Tracer::scanRunning(const void* stackPointer) {
    State& s = state_;
    ExecContext running = *s.context;
    running.nativeStack = const_cast<void*>(stackPointer);
    running.frame = s.frame;
    running.top = s.top;
    running.pc = s.pc;
    scanRange(s.results, s.results + (s.resultCount < kScannedResults ? kScannedResults : s.resultCount));
    Coroutine* co = s.currentCoroutine;
    if (co == nullptr) return scanSuspended(running, nativeStackBase());
    // Those that wait for the running one go on some time, and no barrier tells what they did since they were traced.
    scanSuspended(running, co->stack.nativeEnd);
    while ((co = co->resumer) != nullptr) {
        markRoot(co);
        scanSuspended(co->context, co->stack.nativeEnd);
    }
    scanSuspended(s.mainContext, nativeStackBase());
}

}  // namespace luapp::rt
