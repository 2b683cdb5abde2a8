// The check of a chunk that did not come straight from our compiler: after it, the chunk is safe to load and to run, whoever made it. Two
// passes. The structural one: no index leads outside its table, every jump lands on an instruction, every register lies in its frame,
// every frame in its declared size, and call sites fit their callees' shape (arity, varargs, packs); it works from the operand roles of
// opcodes.def. The typing one (verify_impl.h): each function is run over abstract values, and every instruction must find in its registers
// what its implementation takes for granted: no number is followed as a reference, no field is read that the object does not have, no
// closure is called with other words than its code takes. Rules: type_rules.def, and verify_*.cpp for those that a row cannot say. What code
// of our compiler relies on beyond what can be proven here (a field that is set before it is read) is checked by instructions that are
// inserted. It is linear but for joins at merges, whose number is bounded for each block.
#pragma once

#include <string>

#include "runtime/bytecode/builtin_shape.h"
#include "runtime/bytecode/proto.h"

namespace luapp::bc {

/// What the chunk will be loaded into.
struct VerifyOptions {
    std::span<const BuiltinShape> builtins;   // the rows of lib/builtins.def; operand role b indexes them
    uint32_t yieldBuiltin = kNoIndex;         // those that have instructions of their own
    uint32_t resumeBuiltin = kNoIndex;
};

/// The structural pass alone: true if the loader can take the chunk. For tests of the backend, whose functions come without types.
[[nodiscard]] bool verifyStructure(const Chunk& chunk, const VerifyOptions& options, std::string& error);

/// True if the chunk is safe to load and run; otherwise `error` says what is wrong and in which function and instruction. Where the code
/// relies on what only the compiler knows, checks are inserted into it.
[[nodiscard]] bool verify(Chunk& chunk, const VerifyOptions& options, std::string& error);

}  // namespace luapp::bc
