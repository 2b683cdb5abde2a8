// The file form of a chunk (.lbc): `luapp build` writes it, `luapp run` and string.dump/load read it. Byte order is
// little endian and all widths are fixed, so a file made on one machine reads the same on every other. The reader trusts
// nothing: sizes and the checksum are tested first, and every count is held against the bytes that are left before
// anything is allocated, so damaged input costs no more memory than a small multiple of its size. What the reader
// accepts is well formed only as a container; whether indices and code make sense is verify.h's business.
//
//   offset 0  magic "\x1BL++"   4  version u16   6  flags u16 (0)   8  size of the whole file u64   16  checksum u64
//   offset 24 the tables in the order of bc::Chunk: a count u32, then the entries; a string is its length u32, then bytes
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/bytecode/proto.h"

namespace luapp::bc {

/// Raised by one whenever the meaning of a chunk's bytes changes, opcodes.def included; other versions are refused.
inline constexpr uint16_t kChunkVersion = 11;

/// Bytes of the header.
inline constexpr size_t kChunkHeaderSize = 24;

/// The bytes of `chunk`; the same chunk always gives the same bytes.
std::vector<uint8_t> serialize(const Chunk& chunk);

/// Reads a chunk. On failure returns false and sets `error` to a sentence without position ("checksum mismatch ...").
[[nodiscard]] bool deserialize(std::span<const uint8_t> bytes, Chunk& chunk, std::string& error);

/// True if the bytes begin like a chunk: tells .lbc files from source text.
bool looksLikeChunk(std::span<const uint8_t> bytes);

/// Writes size and checksum into the header of `bytes`, which must be at least a header long. serialize() has done so;
/// for tools that edit chunks, such as the fuzzer, which wants its damage to get past the checksum.
void sealChunk(std::span<uint8_t> bytes);

}  // namespace luapp::bc
