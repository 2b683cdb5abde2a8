// Overflow checks that cannot fail: an addition, subtraction or multiplication of integers whose result cannot leave the range of
// `integer` loses its check (add.i becomes add.u). What is known of integers finds analysis/ranges.h: counters, lengths, indexes behind
// an access, masked words, and what is computed of them.
// Before:  v3 = lt.i v1, v0; br v3, body ... body: v4 = add.i v1, 1     After: v4 = add.u v1, 1

#include "middle/analysis/ranges.h"
#include "middle/pass.h"

namespace luapp::ir {

namespace {

Op uncheckedOp(Op op) {
    switch (op) {
        case Op::AddI: return Op::AddU;
        case Op::SubI: return Op::SubU;
        case Op::MulI: return Op::MulU;
        default: return Op::Param;  // no such form
    }
}

bool hasChecks(const Function& fn) {
    for (Block* block : blocks(fn)) {
        for (Inst* inst : insts(block)) {
            if (uncheckedOp(inst->op) != Op::Param) return true;
        }
    }
    return false;
}

}  // namespace

bool runRange(Function& fn, PassContext& context) {
    if (!hasChecks(fn)) return false;
    const Dominators& dominators = context.analyses.dominators(fn);
    Ranges ranges(fn, dominators);
    uint64_t removed = 0;
    ranges.walk([&](Inst& inst) {
        const Op unchecked = uncheckedOp(inst.op);
        Interval exact;
        if (unchecked == Op::Param || !ranges.isInRange(inst, exact)) return;
        inst.op = unchecked;
        removed++;
    });
    context.count("checks removed", removed);
    return removed != 0;
}

}  // namespace luapp::ir
