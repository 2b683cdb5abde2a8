// The interpreter loop's entrance, and the registers it keeps: what call.cpp needs to start it and what slow paths see.
// Only call.cpp starts it; everything else calls functions through call.h. It runs until the frame it was started with
// returns into the Exit stub. It may be entered again from builtins it calls (callbacks), one native frame per entry.
// A raised error leaves it without a trace: it keeps nothing that would need cleaning up.
#pragma once

#include "runtime/bytecode/instruction.h"
#include "runtime/object/object.h"

namespace luapp::rt {

using bc::Insn;

/// Runs the code at `pc` with register 0 at `R` and the data segment `K` until Exit. What its native frame holds keeps no object alive: an
/// instruction that may collect has all objects that it still needs in VM registers or in State. The caller has armed an Activation
/// in the context, whose begin is set here.
void interpret(State& s, const Insn* pc, Word* R, Word* K);

/// Return addresses that lead into pseudo frames; each is the address of one internal instruction.
extern const Insn kExitStub[1];
extern const Insn kVarargStub[1];
extern const Insn kAcrossStub[1];

}  // namespace luapp::rt
