// The text form of a chunk, for `luapp disasm --emit=bytecode` and golden tests: symbol table, types, then each function
// with its properties, its instructions in the form `[0001]  ADDF            0 1 2`, and at the end the constants. Comments
// behind the instructions decode operands: constants, callees, jump targets. The text is stable: no addresses, positions
// only when asked. It reads any chunk that verify() accepts; of others it prints what it can and never crashes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "runtime/bytecode/proto.h"

namespace luapp::bc {

struct DisasmOptions {
    bool showSymbols = true;
    bool showTypes = true;
    bool showData = true;
    bool showLines = false;     // a column `12|` with the source line where it changes
    bool showComments = true;
    std::string onlyFunction;   // not empty: only functions of this name, and neither tables nor constants
    /// Text of line `line` of `file`, or empty if not available; when set, source lines stand above their code.
    std::function<std::string(std::string_view file, uint32_t line)> sourceLine;
    /// Name of builtin `index`, for comments; may be null.
    std::function<std::string(uint32_t index)> builtinName;
};

/// The whole chunk as text, ending in a newline.
std::string disassemble(const Chunk& chunk, const DisasmOptions& options = {});

/// One instruction of proto `p` at word `pc`, without number and comment: "ADDF            0 1 2".
std::string disassembleInsn(const Proto& p, uint32_t pc);

/// A symbol as the listings print it: control bytes, quotes and bytes beyond ASCII escaped, shortened after 60 bytes.
std::string quoteSymbol(std::string_view text);

}  // namespace luapp::bc
