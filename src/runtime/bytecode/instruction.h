// Instructions of the virtual machine: the opcode enum and the packing of operands into 32-bit words. Made by
// backend/bytecode, checked by verify.h, printed by disasm.h, executed by vm/interp.cpp. What each opcode means, its
// format, operand roles and flags stand in opcodes.def and nowhere else; everything here is generated from it. A code
// word carries no types: registers are raw 64-bit words (base/rep.h). It does not know protos or chunks (proto.h).
//
//             bit 31      24 23      16 15       8 7        0
//   ABC      |     C      |     B     |     A     |  opcode   |
//   AD       |           D            |     A     |  opcode   |      D unsigned, or signed where the role is n or j
//   E        |                 E                  |  opcode   |      E signed, 24 bits
//   ..X      the same, followed by one word X of 32 bits       |      signed where the role is n or j
#pragma once

#include <cstdint>

namespace luapp::bc {

/// One word of code: an instruction, or the extra word behind one whose format ends in X.
using Insn = uint32_t;

/// The opcodes; entries come from opcodes.def.
enum class Op : uint8_t {
#define LUAPP_OPCODE(name, format, operands, flags, semantics) name,
#include "runtime/bytecode/opcodes.def"
};

#define LUAPP_OPCODE(name, format, operands, flags, semantics) +1
/// Number of opcodes; opcode bytes from here on are invalid.
inline constexpr unsigned kOpCount = 0
#include "runtime/bytecode/opcodes.def"
    ;
static_assert(kOpCount <= 256, "an opcode is one byte");

enum class Format : uint8_t { ABC, ABCX, AD, ADX, E, EX };

/// Flags of an opcode, see opcodes.def.
namespace op_flags {
enum : uint8_t { None = 0, Raises = 1, Calls = 2, Allocs = 4, Jumps = 8, Ends = 16, Internal = 32 };
}

/// One row of opcodes.def.
struct OpInfo {
    const char* name;
    const char* operands;  // one letter per field, in the order A B C [X], A D [X] or E [X]
    const char* semantics;
    Format format;
    uint8_t flags;
};

/// The row of opcodes.def for `op`, which must be a valid opcode.
const OpInfo& opInfo(Op op);

constexpr bool hasExtraWord(Format f) { return f == Format::ABCX || f == Format::ADX || f == Format::EX; }

/// Length of an instruction of opcode `op` in words, 1 or 2.
inline unsigned opWords(Op op) { return hasExtraWord(opInfo(op).format) ? 2 : 1; }

// --- packing. Signed operands are passed as two's complement of the field's width; the caller has checked the range.

constexpr Insn encodeABC(Op op, unsigned a, unsigned b, unsigned c) {
    return static_cast<Insn>(op) | (a & 0xFFu) << 8 | (b & 0xFFu) << 16 | (c & 0xFFu) << 24;
}
constexpr Insn encodeAD(Op op, unsigned a, unsigned d) {
    return static_cast<Insn>(op) | (a & 0xFFu) << 8 | (d & 0xFFFFu) << 16;
}
constexpr Insn encodeE(Op op, int32_t e) { return static_cast<Insn>(op) | static_cast<Insn>(e) << 8; }

// --- unpacking

constexpr Op opOf(Insn i) { return static_cast<Op>(i & 0xFFu); }
constexpr unsigned fieldA(Insn i) { return (i >> 8) & 0xFFu; }
constexpr unsigned fieldB(Insn i) { return (i >> 16) & 0xFFu; }
constexpr unsigned fieldC(Insn i) { return i >> 24; }
constexpr int fieldSB(Insn i) { return static_cast<int8_t>(i >> 16); }
constexpr int fieldSC(Insn i) { return static_cast<int32_t>(i) >> 24; }
constexpr unsigned fieldD(Insn i) { return i >> 16; }
constexpr int fieldSD(Insn i) { return static_cast<int32_t>(i) >> 16; }
constexpr int fieldE(Insn i) { return static_cast<int32_t>(i) >> 8; }

// --- ranges of immediate operands, for instruction selection

constexpr bool fitsS8(int64_t v) { return v >= -128 && v <= 127; }
constexpr bool fitsU8(int64_t v) { return v >= 0 && v <= 255; }
constexpr bool fitsS16(int64_t v) { return v >= -32768 && v <= 32767; }
constexpr bool fitsU16(int64_t v) { return v >= 0 && v <= 65535; }
constexpr bool fitsS24(int64_t v) { return v >= -(1 << 23) && v < (1 << 23); }

/// Registers an instruction can name; frame slots beyond are reached with Spill and Reload.
inline constexpr unsigned kMaxRegister = 255;
/// Slots between a call window and the callee's register 0: return pc, caller's R, closure.
inline constexpr unsigned kFrameLinks = 3;
/// Slots that lie above State.stackLimit: a frame of at most this many needs no Enter.
inline constexpr unsigned kHeadroom = 512;

// --- meanings of small immediate operands

/// X of ArithX: which operator of the dynamic arithmetic. The last two have one operand.
enum class ArithOp : uint8_t { Add, Sub, Mul, Div, IDiv, Mod, Pow, And, Or, Xor, Shl, Shr, Unm, BNot };
inline constexpr unsigned kArithOpCount = 14;

/// C of FToI: why a number must be whole; picks the message.
enum class FToIKind : uint8_t {
    Cast,     // `x as integer`, or a checked conversion to integer
    Index,    // an array index
    Bitwise,  // the operand of unary ~
    Argument, // a library function's integer argument
    BitLeft,  // the left operand of & | ~ << >>
    BitRight, // the right one
};

/// C of FloorF.
enum class RoundKind : uint8_t { Floor, Ceil, Trunc };

/// C of Unbox and CheckRef: where the checked conversion stands; picks the message.
enum class CheckKind : uint8_t {
    Convert,   // implicit: assignment, argument, return of an `any`
    Cast,      // `x as T`
    Argument,  // an argument that arrived through a dynamic call
    Result,    // a result of a dynamic call
    Word,      // CheckRef only: any word in X's representation; one that is no value of X is a bug, and ends the process
};

/// C of CheckNil and CheckNull: what was nil; picks the message.
enum class NilKind : uint8_t {
    Assert,      // `x!`
    Key,         // a table value required where the key is missing
    Index,       // a nil value indexed
    Convert,     // T? where T is required
};

/// A of Event: what happens in a debuggable function.
enum class EventKind : uint8_t {
    Enter,       // the function has been called
    Line,        // a statement or condition begins
    Loop,        // a numeric or generic `for` begins
    Turn,        // another turn of it
    Return,      // the function is about to return; the box: what `return f()` has called, else nil
    BeforeCall,  // the box is about to be called
    AfterCall,   // it has been
};
inline constexpr int kEventKindCount = static_cast<int>(EventKind::AfterCall) + 1;

/// C of LoopNum: which bound of a loop it is.
enum class LoopBound : uint8_t { Start, Limit, Step };

}  // namespace luapp::bc
