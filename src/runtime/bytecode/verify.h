// The structural check of a chunk that did not come straight from our compiler: after it, no index of the chunk leads
// outside its table, every jump lands on an instruction, every register lies in its frame, every frame in its declared
// size, and call sites fit their callees' shape (arity, varargs, packs). The loader relies on all of that. It works from
// the operand roles of opcodes.def, so a new opcode is covered by its row; only what a row cannot say stands in code
// (ranges of registers, meaning of small immediates). It does not yet type registers: a chunk forged on purpose can
// still confuse representations. That check will follow these as another pass over the same decoded instructions.
#pragma once

#include <string>

#include "runtime/bytecode/proto.h"

namespace luapp::bc {

/// What the chunk will be loaded into.
struct VerifyOptions {
    uint32_t builtinCount = 0;  // number of rows of lib/builtins.def; operand role b must be below
};

/// True if the chunk is well formed; otherwise `error` says what is wrong and in which function and instruction.
[[nodiscard]] bool verify(const Chunk& chunk, const VerifyOptions& options, std::string& error);

}  // namespace luapp::bc
