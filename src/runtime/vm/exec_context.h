// ExecContext: what each coroutine has its own of, apart from its object. State.context is the running one's. The registers in it
// (nativeStack to top) hold something only while it does not run: State has frame, pc and top of the running one. Written by the switch
// (vm/coroutine_switch.h) and by protected calls (handler), read by the collector.
#pragma once

#include <cstdint>

#include "runtime/object/object.h"
#include "runtime/vm/handler.h"

namespace luapp::rt {

/// The native frame of one call of interpret(). The collector leaves it out: the interpreter keeps its values in VM registers, and what
/// its compiler put by in the frame may be long dead.
struct Activation {
    Activation* outer;
    const void* begin;
    const void* end;  // behind it lie the caller's registers, which count
};

struct ExecContext {
    void* nativeStack = nullptr;  // saved stack pointer
    Word* frame = nullptr;
    const uint32_t* pc = nullptr;
    Word* top = nullptr;          // null where it says nothing: the interpreter switched
    Handler* handler = nullptr;   // innermost one; null: none
    Activation* activation = nullptr;  // innermost one; null: none
    // Fixed when the stacks are set up.
    Word* stackLimit = nullptr;   // what State.stackLimit is while nothing is requested
    Word* stackBase = nullptr;    // VM stack
    Word* stackEnd = nullptr;     // one past its last slot
    uintptr_t nativeLimit = 0;    // native stack pointers below it mean overflow; an error handler has a little more
};

}  // namespace luapp::rt
