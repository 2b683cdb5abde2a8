#pragma once
// The interactive session: reads entries, runs them in a Session, prints what they give.
//
// An entry is an expression (`=expr` too), whose values are printed, or statements; one that ends too early goes on in the next line.
// Lines that begin with `:` are for the session itself (`:help`). Entries are lenient or strict, as the mode says. A strict entry is a
// module of its own: names that nothing declares are globals of type any; its top-level functions, constants and classes
// become globals when it has run, its other locals end with it.
// Without a terminal there is neither prompt nor greeting, so a session can be fed from a pipe.

#include "driver/program_runner.h"

namespace luapp::driver {

enum class ReplMode : uint8_t { Lenient, Strict };

/// Runs until the input ends or `:quit`. An error in an entry is printed and ends that entry alone.
void runRepl(Session& session, ReplMode mode);

}  // namespace luapp::driver
