#pragma once
// Runs a compiled program in a State of its own.

#include <string>
#include <vector>

#include "runtime/bytecode/proto.h"

namespace luapp::driver {

struct RunSettings {
    std::string name;               // of the main file; arg[0]
    std::vector<std::string> args;  // the program's `...` and arg[1..]
    uint64_t memoryLimit = 0;       // bytes; 0: none
};

/// Loads and runs `chunk`, which must be right by construction or verified. An error that nothing catches is printed with its
/// traceback on standard error. SIGINT interrupts the program. Returns the exit status.
int runChunk(bc::Chunk&& chunk, const RunSettings& settings);

}  // namespace luapp::driver
