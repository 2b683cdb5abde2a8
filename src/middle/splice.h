// Puts the body of a function in the place of a call: what the passes `inline` and `inline_const` share. Which calls are worth it
// is their business. Arguments are values already, so they are evaluated once and in order; instructions keep the positions
// of the body, and those that can show up in a traceback learn in a note (ir.h) which call they stand for.
//
// A call stays a call where its form cannot be expressed in the caller: a pack goes in or must come out, or the closure's captures
// are not at hand. The callee is only read. What lies behind the call moves to a new block, so with several calls in one
// block the last goes first: every instruction then moves once. The caller afterwards holds stale operands and possibly
// unreachable blocks: removeUnreachable(), applyReplacements() and renumber() are the pass's to call.
#pragma once

#include "middle/ir.h"

namespace luapp::ir {

/// Replaces `call` (op call or call.env) in `caller` by `body`, which is the function it calls or a copy of it, but not `caller`. False, and
/// nothing changed, if the form of the call does not allow that.
bool spliceCall(Function& caller, Inst* call, Function& body);

/// A copy of a function that is in no module, to be spliced into the function itself.
Function* copyBody(const Function& fn);

}  // namespace luapp::ir
