// `luapp run --gc-log`: a line to standard error for each pause of the collector. program_runner.cpp gives logPause() to the heap as its
// observer; nobody else calls it. The form of the lines is for people and for tests/bench/gc_bench.py:
//
//   gc: minor 12 slice 0.284 ms (cpu 0.281, 0 switches) mark, 12.3 MB in use
//   gc: minor 12 marked: 2.0 MB were allocated, 0.3 MB survived, 24.1 MB live
//   gc: major 13 full 8.120 ms (cpu 8.102, 1 switches) idle, 11.9 MB in use
#pragma once

#include "runtime/gc/heap.h"

namespace luapp::driver {

/// Prints what the collector did in one pause. Needs no context.
void logPause(void* context, const rt::GcReport& report);

}  // namespace luapp::driver
