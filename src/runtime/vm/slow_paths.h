// The out-of-line halves of instructions. One signature for all: the State, the frame's registers, the program's data segment,
// the instruction and its extra word (0 if it has none). The caller has saved State.frame and State.pc, so each may raise,
// collect and call program code. Branching ones return true to take the branch; of the others the result means nothing.
// They read their operands from the instruction exactly as the interpreter does, so native code can call them too.
#pragma once

#include "runtime/vm/interp.h"

namespace luapp::rt {

// Those of what is rare.
#define LUAPP_SLOW_PATHS(X) \
    X(slowPoll) X(slowStackLimit) X(slowEnter) \
    X(slowAddI) X(slowSubI) X(slowMulI) X(slowIDivI) X(slowModI) X(slowAddII) X(slowMulII) \
    X(slowAndI) X(slowOrI) X(slowXorI) X(slowNotI) X(slowShlI) X(slowShrI) \
    X(slowFToI) X(slowFloorF) \
    X(slowUnboxF) X(slowUnboxI) X(slowUnboxB) X(slowCheckRef) X(slowIsTypeRef) \
    X(slowBoxEnum) X(slowCheckNil) X(slowCheckNull) X(slowEqRef) X(slowJLtX) X(slowJLeX) \
    X(slowLeS) X(slowEqS) \
    X(slowAGet) X(slowAGetI) X(slowASet) X(slowAPush) X(slowAPushPack) \
    X(slowCheckLen) \
    X(slowTGetS) X(slowTGetF) X(slowTGetOptS) X(slowTGetOptF) \
    X(slowTNext) X(slowTEntry) \
    X(slowAddX) X(slowSubX) X(slowMulX) \
    X(slowIterX) X(slowEvent) X(slowRaise) \
    X(slowLoopNum)

// Those that programs meet all the time: their calls stay with the code around them.
#define LUAPP_COMMON_PATHS(X) \
    X(slowEqX) X(slowLtX) X(slowLeX) X(slowJEqX) X(slowPackMake) X(slowVarargAll) X(slowRetPack) X(slowClosure) \
    X(slowNewCell) X(slowNewArr) X(slowNewTab) X(slowConcat) X(slowConcatN) X(slowToStr) X(slowArithX) X(slowGlobalX) \
    X(slowLenX) X(slowConcatX) X(slowIndexX) X(slowMemberX) X(slowMethodX) X(slowSetIndexX) X(slowSetMemberX) \
    X(slowNewLuaTab) X(slowSetList) X(slowSetListPack) X(slowUnbox) X(slowIsType) X(slowLtS) X(slowTSetS) X(slowTSetF) X(slowTSetX) \
    X(slowTGetOptX) X(slowTGetX) X(slowTDel)

#define X(name) LUAPP_COLD bool name(State& s, Word* R, Word* K, Insn i, uint32_t x);
LUAPP_SLOW_PATHS(X)
#undef X
#define X(name) LUAPP_NOINLINE bool name(State& s, Word* R, Word* K, Insn i, uint32_t x);
LUAPP_COMMON_PATHS(X)
#undef X

/// Where a call that leaves the running code goes on: the interpreter's next registers.
struct Transfer {
    const Insn* pc;
    Word* R;
    Word* K;
};

/// Calls of closures that are builtins or belong to another program (CallClo, CallCloV, CallCloVPack). `extras` are at the end
/// of the arguments already.
LUAPP_COLD Transfer slowCallClosure(State& s, Word* R, Word* K, const Insn* pc, Word* window);
/// Calls of boxes with `count` boxed arguments in the window.
LUAPP_NOINLINE Transfer slowCallDyn(State& s, Word* R, Word* K, const Insn* pc, Word* window, uint32_t count);
/// The second half of a return through the across stub: R is the pseudo frame.
LUAPP_NOINLINE Transfer slowRetAcross(State& s, Word* R);
/// Copies the pack behind the first `before` arguments at `args`; returns how many values it had.
LUAPP_NOINLINE uint32_t slowSpreadPack(State& s, Word* args, uint32_t before);

}  // namespace luapp::rt
