// Encodes one function: low-level code with places assigned becomes the code words of a Proto. It puts operands into the
// fields that opcodes.def names, emits moves, decides which jumps are needed, and repeats the test of a loop at its end
// (with LoopLtI and LoopLtF in place of increment, test and jump). It chooses no registers and no order of blocks.
#pragma once

#include "backend/bytecode/chunk_builder.h"
#include "backend/bytecode/isel.h"
#include "backend/linear_scan.h"

namespace luapp::bc {

/// Registers that allocation may use; two more are scratch registers of moves.
inline constexpr uint32_t kAllocatableRegisters = 254;
inline constexpr uint32_t kSpillScratch = 255;

/// The VM as the register allocator sees it, with so many registers less.
backend::Target bytecodeTarget(uint32_t reserved = 0);

/// Fills code, frame size and line table of `proto`, whose other fields are set already.
void writeCode(const SelectedFunction& function, const backend::SlotMap& slots, const backend::Allocation& allocation,
               ChunkBuilder& chunk, Proto& proto);

}  // namespace luapp::bc
