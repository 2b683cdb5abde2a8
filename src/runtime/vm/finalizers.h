// Finalisers of objects (`__gc`), which are program code. The collector never runs them: it keeps the unreachable objects whose
// class or metatable has one (Heap::takeFinalisable) and sets State.stackLimit to 0, so that the interpreter comes here at its next call or
// loop back edge. A finaliser runs once, when its object has become unreachable, or at the end of the program; the youngest object
// comes first. An error in one of a class ends it alone, and is reported through State::warn; an error in one of a metatable is raised
// where the finalisers run, as Lua 5.1 does, but lost at the end of the program. While one runs the object may be stored
// somewhere and live on; it is not finalised again.
#pragma once

#include "runtime/vm/state.h"

namespace luapp::rt {

/// Runs the finalisers that are due. State.frame, pc and top must be as for any call from C++; they, the argument count and the
/// error value are the same afterwards. The result area is not. May raise.
void runFinalizers(State& s);

/// What a failed stack check in the interpreter leads to: errors (State::stackCheckFailed), or finalisers.
void safepoint(State& s, Word* newFrame);

/// Runs the finalisers of all objects there are: the program is at its end. Objects made meanwhile are not finalised.
void finaliseObjects(State& s);

}  // namespace luapp::rt
