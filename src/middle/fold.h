// Constant folding of one instruction: what the builder and the simplify pass share.
//
// Uses the same functions of runtime/base/numeric.h as the interpreter, so a folded program computes the same bits. An
// operation that would raise with these operands is never folded: the error belongs to run time.
#pragma once

#include "middle/ir.h"

namespace luapp::ir {

/// If the operands of `inst` (resolved) are constants and its value is known and raises nothing, turns `inst` itself into
/// that constant and returns true.
bool foldInPlace(Inst& inst);

/// Turns `inst`, which has a fixed place, into a constant of its own representation with the given payload.
void becomeConst(Inst& inst, Op constOp, int64_t imm);
void becomeF64(Inst& inst, double v);

}  // namespace luapp::ir
