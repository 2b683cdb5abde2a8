// The part of verification (verify.h) that looks at Chunk::classes. Called by verify() when types, data and protos are known
// to be right, since classes refer to all of them.
#pragma once

#include <string>
#include <vector>

#include "runtime/bytecode/proto.h"

namespace luapp::bc {

/// Words that the padded method tables of a program may take together.
inline constexpr uint64_t kMaxMethodTableWords = uint64_t{1} << 24;

/// By type: the index of its class in Chunk::classes, or kNoIndex. Out of range indices are left out.
std::vector<uint32_t> classesByType(const Chunk& chunk);

/// Entries of the longest method table. The loader gives every class a table that long, or longer if some CallM asks for it.
uint32_t longestMethodTable(const Chunk& chunk);

/// True if an instruction may name this entry of a method table: with the tables padded that far they stay within
/// kMaxMethodTableWords.
bool isMethodEntry(const Chunk& chunk, uint64_t entry);

/// True if all classes are well formed; otherwise `error` says what is wrong.
[[nodiscard]] bool verifyClasses(const Chunk& chunk, std::string& error);

}  // namespace luapp::bc
