// Checks a register allocation by executing it symbolically: which virtual register does each place hold, at every
// point and on every path? Each operand must find its register in its place, each block parameter its argument. It is
// independent of how the allocation was made: it reads the code, the places and the moves, no live ranges. Used by the
// tests and in debug builds; it takes time proportional to code size times frame size.
#pragma once

#include <string>

#include "backend/lir.h"
#include "backend/linear_scan.h"

namespace luapp::backend {

/// Empty if the allocation is right, else what is wrong.
std::string verifyAllocation(const LirFunction& f, const SlotMap& slots, const Allocation& allocation,
                             const Target& target);

}  // namespace luapp::backend
