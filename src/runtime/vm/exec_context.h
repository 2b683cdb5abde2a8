// ExecContext: the part of State that each coroutine has its own of. State's fields of the same names are the running coroutine's;
// the others' are kept here while they do not run. Written by vm/coroutine.cpp only, read by the collector.
#pragma once

#include <cstdint>

#include "runtime/vm/handler.h"

namespace luapp::rt {

struct ExecContext {
    void* nativeStack = nullptr;  // saved stack pointer
    Word* frame = nullptr;
    Word* top = nullptr;
    const uint32_t* pc = nullptr;
    Handler* handler = nullptr;
    // Fixed when the stacks are set up.
    uintptr_t nativeLimit = 0;
    Word* stackBase = nullptr;
    Word* stackEnd = nullptr;
};

}  // namespace luapp::rt
