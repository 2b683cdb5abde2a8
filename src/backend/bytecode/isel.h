// Instruction selection: one IR function to low-level code (backend/lir.h) with the VM's opcodes. It decides which
// operands are immediate, which constants get a register and where they are loaded, which comparisons are fused with
// their branch, and what a call window holds; it lays the blocks out. It does not choose registers (linear_scan.h) and
// does not encode (code_writer.h).
//
// An LirInst's `op` is a bc::Op or one of the pseudo operations below; `imm` fills the operand role i or n of opcodes.def,
// `index` the roles k, p, t and b; virtual registers fill d, s and m in order. A branch instruction leads to succ[0] where
// its condition holds.
#pragma once

#include <vector>

#include "backend/bytecode/chunk_builder.h"
#include "backend/lir.h"
#include "middle/ir.h"

namespace luapp::bc {

/// Operations of LirInst that are no single opcode.
enum PseudoOp : uint16_t {
    kPseudoFirst = 0x100,
    kPseudoTableNext = kPseudoFirst,  // TNext whose result at the end is -1
    kPseudoUnreachable,               // a jump to itself
    kPseudoSlotGet,                   // a move from the slot `imm` of a debuggable function
    kPseudoSlotSet,                   // a move to it
};

/// How a constant gets into a place.
struct ConstCode {
    Op op = Op::LoadI;   // LoadI, LoadF, LoadNil or LoadK
    int32_t imm = 0;     // LoadI, LoadF
    DataIndex data = 0;  // LoadK
};

/// A function ready for register allocation.
struct SelectedFunction {
    backend::LirFunction code;
    std::vector<ConstCode> constants;  // what backend::makeConst(i) means
    std::vector<bool> polls;           // by block: its jump is a loop's back edge that polls for interruption
};

/// Selects instructions for `fn`.
SelectedFunction selectInstructions(const ir::Function& fn, ChunkBuilder& chunk);

}  // namespace luapp::bc
