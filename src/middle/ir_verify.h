// The verifier: what every stage of the middle end must leave behind.
//
// Checked: the shape of each instruction against ir_ops.def (operands, representations, immediates within the module's
// tables); blocks end in exactly one terminator; edges and predecessor lists agree; arguments fit parameters; every use is
// dominated by its definition; results and packs are fetched before anything overwrites the result area, in the block of their
// call (docs/internals.md 3); returns and calls fit signatures. It changes nothing, and it reports bugs of ours, never
// mistakes of users. Linear time.
#pragma once

#include <string>

#include "middle/ir.h"

namespace luapp::ir {

enum class VerifyMode : uint8_t {
    Built,      // fresh from lowering or the parser: blocks that nothing reaches may exist
    Optimised,  // after a pass: none do, no replacement is pending, every back edge polls
};

/// Empty if `fn` is right, else a description of the first mistake.
std::string verify(const Function& fn, VerifyMode mode);
/// The same for all functions, with the function's label in front.
std::string verify(const Module& module, VerifyMode mode);

}  // namespace luapp::ir
