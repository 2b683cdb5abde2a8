// The bytecode backend: a whole ir::Module becomes a Chunk. Per function: instruction selection (isel.h), webs and registers
// (backend/out_of_ssa.h, linear_scan.h), encoding (code_writer.h); the program's tables are made by chunk_builder.h. The
// IR must be valid and without stale operands; it is not changed. The result depends on the module alone.
#pragma once

#include "middle/ir.h"
#include "runtime/bytecode/proto.h"
#include "sema/typed.h"

namespace luapp::bc {

/// `program` gives names of types and modules; null for IR that was read from text.
Chunk emitChunk(const ir::Module& module, const sema::TypedProgram* program);

}  // namespace luapp::bc
