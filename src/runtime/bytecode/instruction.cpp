#include "runtime/bytecode/instruction.h"

namespace luapp::bc {

namespace {
using namespace op_flags;
constexpr OpInfo kOpTable[] = {
#define LUAPP_OPCODE(name, format, operands, flags, semantics) {#name, operands, semantics, Format::format, (flags)},
#include "runtime/bytecode/opcodes.def"
};
}  // namespace

const OpInfo& opInfo(Op op) { return kOpTable[static_cast<unsigned>(op)]; }

}  // namespace luapp::bc
