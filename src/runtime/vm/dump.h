// A function of a running program as a chunk of its own: what string.dump gives. The chunk holds the whole program of the function; its
// entry makes the function anew, with captured variables that are nil, and gives it (bc::Chunk::givesFunction).
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/object/closure.h"

namespace luapp::rt {

/// Appends the bytes of the chunk. False for functions that cannot be dumped: those of the library, of strict programs, of programs
/// with classes, and those that capture typed objects. Does not collect.
bool dumpFunction(const State& s, const Closure* f, std::vector<uint8_t>& out);

}  // namespace luapp::rt
