#pragma once
// `luapp disasm` of source files: runs the pipeline up to a stage and prints what that stage made.

#include <string>

#include "driver/options.h"
#include "frontend/base/source.h"
#include "runtime/bytecode/proto.h"

namespace luapp::driver {

/// Prints the stage that options.disasm.emit names on standard output, diagnostics on standard error. A source file with
/// errors is still shown as tokens, tree or types, with exit status 0 if it could be parsed that far.
int emitStage(const Options& options);

/// The listing of a chunk; with source lines if `sources` is not null.
std::string chunkText(const bc::Chunk& chunk, const frontend::SourceManager* sources);

/// Prints the long explanation of a diagnostic's code.
int explain(const std::string& code);

/// Reads and verifies a chunk file.
[[nodiscard]] bool loadChunk(const std::string& path, bc::Chunk& chunk, std::string& problem);

}  // namespace luapp::driver
