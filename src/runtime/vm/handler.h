// Handler records and the two assembly routines under every protected call. A record remembers a place on the native stack;
// raising an error drops everything above it, in a few instructions and without destructors: so no C++ object with a
// destructor may be live in a runtime frame across a call that may raise. Records form a chain per coroutine, innermost in
// State.handler, and lie on the native stack of the protected call. Error values travel in State.errorValue, not here.
#pragma once

#include <cstdint>

#include "runtime/object/object.h"

namespace luapp::rt {

struct Handler {
    void* nativeStack;  // rsp to go back to; written by protectedInvoke
    Handler* previous;
    Word* frame;         // State.frame, top and pc when the call began
    Word* top;
    const uint32_t* pc;
    bool isHandling;     // onError is running
    // Runs where the error was raised, before the stack is dropped, with the error in State.errorValue, which it may
    // replace (xpcall's handler, tracebacks); null: nothing. An error inside it becomes "error in error handling".
    void (*onError)(State& s, void* context);
    void* context;
};

extern "C" {
/// Calls fn(state, data) with `handler` armed; true when it returns, false when unwindTo(handler) came back here.
bool luapp_rt_protectedInvoke(Handler* handler, State* state, void (*fn)(State&, void*), void* data);
/// Goes back into the protectedInvoke that armed `handler`, which returns false.
[[noreturn]] void luapp_rt_unwindTo(Handler* handler);
/// First code of a new native stack; calls the function that stands above it with the two words behind. Never called from C++.
void luapp_rt_stackEntry();
}

}  // namespace luapp::rt
