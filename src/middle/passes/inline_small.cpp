// Inlining of small leaf functions: a function that is little more than an expression takes the place of its direct calls, which
// saves the call and lets the other passes see through it. Bodies with calls, loops or anything that may raise stay
// functions: so no frame vanishes that a traceback could show, and code does not grow by much. Functions that captured something
// and lenient ones (whose locals can be asked for) stay too; const functions are the business of `inline`.
// Before:  v2 = call @twice, v1        After:  v3 = const.f64 2;  v4 = mul.f v1, v3

#include "middle/pass.h"
#include "middle/splice.h"

namespace luapp::ir {

namespace {

/// Instructions a body may have, constants and returns aside.
constexpr uint32_t kMaxBodyInsts = 12;
constexpr uint32_t kMaxBodyBlocks = 6;
/// A caller does not grow beyond this.
constexpr uint32_t kMaxCallerInsts = 20'000;

/// Effects a body may have. Allocation may raise only where memory is gone.
constexpr uint32_t kForbidden = Raises | RunsCode | Polls | ReadsResults | WritesResults;

bool isSmallLeaf(const Function& fn) {
    if (!fn.entry || fn.isMain || fn.isConst || fn.isLenient || fn.isVararg || fn.hasResultPack) return false;
    if (!fn.captures.empty()) return false;
    uint32_t instCount = 0, blockCount = 0;
    for (Block* block : blocks(fn)) {
        if (++blockCount > kMaxBodyBlocks) return false;
        for (Inst* inst : insts(block)) {
            if (inst->isConst() || inst->is(Op::Ret)) continue;
            if (++instCount > kMaxBodyInsts || (effectsOf(*inst) & kForbidden)) return false;
        }
    }
    return true;
}

/// Replaces the calls of small leaf functions in `fn`; how many.
uint64_t inlineInto(Function& fn, const std::vector<bool>& isSmall) {
    std::vector<Inst*> calls;
    for (Block* block : blocks(fn)) {
        for (Inst* inst : insts(block)) {
            if (inst->is(Op::Call) && isSmall[inst->immFn->index()] && inst->immFn != &fn) calls.push_back(inst);
        }
    }
    uint64_t inlined = 0;
    for (size_t i = calls.size(); i-- > 0 && fn.instCount() < kMaxCallerInsts;) inlined += spliceCall(fn, calls[i]);
    if (inlined == 0) return 0;
    fn.removeUnreachable();
    fn.applyReplacements();
    fn.renumber();
    return inlined;
}

}  // namespace

bool runInlineSmall(Module& module, PassContext& context) {
    std::vector<bool> isSmall;
    for (const Function* fn : module.functions) isSmall.push_back(isSmallLeaf(*fn));
    uint64_t inlined = 0;
    for (Function* fn : module.functions) {
        if (fn->entry) inlined += inlineInto(*fn, isSmall);
    }
    context.count("calls inlined", inlined);
    return inlined != 0;
}

}  // namespace luapp::ir
