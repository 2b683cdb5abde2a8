// The operands of one instruction, decoded by the operand roles of opcodes.def: the common ground of the verifier, the
// disassembler and tools. The interpreter does not use it (it decodes the fields it knows).
#pragma once

#include "runtime/bytecode/instruction.h"

namespace luapp::bc {

/// Operands in the order of the format's fields; unused fields (role '_') are kept so that indices match fields:
/// A B C [X] -> 0 1 2 [3], A D [X] -> 0 1 [2], E [X] -> 0 [1].
struct Operands {
    unsigned count = 0;
    char role[4] = {};
    int64_t value[4] = {};
};

/// Decodes the instruction at `code`; where its format has an extra word, code[1] is read.
inline Operands decodeOperands(const Insn* code) {
    const OpInfo& info = opInfo(opOf(*code));
    Operands out;
    auto add = [&](int64_t unsignedValue, int64_t signedValue) {
        char role = info.operands[out.count];
        out.role[out.count] = role;
        out.value[out.count++] = role == 'n' || role == 'j' ? signedValue : unsignedValue;
    };
    Insn i = *code;
    switch (info.format) {
        case Format::ABC:
        case Format::ABCX:
            add(fieldA(i), static_cast<int8_t>(fieldA(i)));
            add(fieldB(i), fieldSB(i));
            add(fieldC(i), fieldSC(i));
            break;
        case Format::AD:
        case Format::ADX:
            add(fieldA(i), static_cast<int8_t>(fieldA(i)));
            add(fieldD(i), fieldSD(i));
            break;
        case Format::E:
        case Format::EX: add(i >> 8, fieldE(i)); break;
    }
    if (hasExtraWord(info.format)) add(code[1], static_cast<int32_t>(code[1]));
    return out;
}

}  // namespace luapp::bc
