// Low-level code over virtual registers: what instruction selection makes of an IR function and what the register
// allocator reads. Target-neutral: an opcode is a number that only the target's selector and emitter understand; the
// allocator sees operands, their constraints, and the flow graph. Blocks stand in their final layout order, and the
// instructions of a block are contiguous. The code is in SSA form: a virtual register has one definition (an
// instruction's Def operand or a block parameter) that dominates its uses. A block with one successor ends in an
// implicit jump; one with two ends in a branch instruction (its last one); one without ends in a return or a raise.
//
// Invariants: no critical edge carries arguments (buildFlow in layout.h splits them); the entry block is block 0 and has
// no predecessor; a FixedUse and a plain Use never meet in one instruction (plain operands beside fixed ones are LateUse).
//
// What it does not do: it knows no types, and constants are opaque numbers of the target.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace luapp::backend {

/// A virtual register, or (in places that say so) a constant of the target: see isConst.
using VReg = uint32_t;
inline constexpr VReg kNoVReg = 0xFFFFFFFFu;
inline constexpr VReg kConstBit = 0x80000000u;

/// True if an edge argument or a FixedUse stands for the target's constant number `constIndex(v)`, not for a register.
constexpr bool isConst(VReg v) { return (v & kConstBit) != 0; }
constexpr uint32_t constIndex(VReg v) { return v & ~kConstBit; }
constexpr VReg makeConst(uint32_t index) { return index | kConstBit; }

/// How an instruction uses a register.
enum class OperandKind : uint8_t {
    Use,       // read, in any register; may share it with a definition
    LateUse,   // read, in any register; still needed while the definitions are written
    TiedUse,   // read and overwritten: the TiedDef of the same instruction gets the same register
    FixedUse,  // must be at base + slot when the instruction runs; register, frame slot or constant before
    Def,       // written, in any register
    TiedDef,   // written over the TiedUse
    FixedDef,  // appears at base + slot
};

constexpr bool isUse(OperandKind k) { return k <= OperandKind::FixedUse; }
constexpr bool isFixed(OperandKind k) { return k == OperandKind::FixedUse || k == OperandKind::FixedDef; }

struct Operand {
    VReg vreg = kNoVReg;
    OperandKind kind = OperandKind::Use;
    uint16_t slot = 0;  // Fixed kinds: distance from the base of the instruction
};

/// Flags of an instruction, for the allocator.
namespace lir_flags {
enum : uint8_t {
    None = 0,
    Window = 1,  // its Fixed operands lie in a window whose base the allocator chooses, above everything live across it
    Clobbers = 2,  // it overwrites the registers of Target::callClobbers; its Fixed operands have base 0
};
}

struct LirInst {
    uint16_t op = 0;
    uint8_t flags = 0;
    uint32_t firstOperand = 0;
    uint32_t numOperands = 0;
    int32_t imm = 0;     // the target's
    uint32_t index = 0;  // the target's
    uint32_t loc = 0;    // the target's: where the instruction comes from
    uint16_t windowSize = 0;  // Window: slots from the base on that the instruction itself needs
};

/// An edge of the flow graph with the arguments for the parameters of its target.
struct LirEdge {
    uint32_t target = 0;
    uint32_t firstArg = 0;  // in LirFunction::args; as many as the target has parameters
};

struct LirBlock {
    uint32_t firstInst = 0;
    uint32_t endInst = 0;
    uint32_t firstParam = 0;  // in LirFunction::params
    uint32_t numParams = 0;
    LirEdge succ[2];
    uint8_t numSuccs = 0;
    uint8_t loopDepth = 0;
    uint32_t loc = 0;  // position for the implicit jump
};

struct LirFunction {
    std::vector<LirBlock> blocks;
    std::vector<LirInst> insts;
    std::vector<Operand> operands;
    std::vector<VReg> params;  // block parameters; those of block 0 arrive in the registers 0, 1, 2, ...
    std::vector<VReg> args;
    uint32_t numVRegs = 0;

    std::span<const Operand> operandsOf(const LirInst& i) const { return {operands.data() + i.firstOperand, i.numOperands}; }
    std::span<const VReg> paramsOf(const LirBlock& b) const { return {params.data() + b.firstParam, b.numParams}; }
    std::span<const VReg> argsOf(const LirEdge& e) const {
        return {args.data() + e.firstArg, blocks[e.target].numParams};
    }
};

/// What the allocator must know about a machine.
struct Target {
    uint32_t numRegisters = 0;    // allocatable: 0 .. numRegisters-1, of one class
    uint32_t firstSpillSlot = 0;  // locations from here on are frame slots
    uint32_t maxWindowEnd = 0;    // a window base plus its windowSize may not exceed this, unless it lies in the slots
    uint32_t slotWindowGap = 0;   // slots that must stay free below a window in the slots
    std::vector<bool> callClobbers;  // registers an instruction with the flag Clobbers destroys
};

/// Where a value is: a register, a frame slot (from Target::firstSpillSlot on), or a constant (isConst).
using Location = uint32_t;
inline constexpr Location kNoLocation = 0xFFFFFFFFu;

/// The numbering of places in a function: each block has a slot for its start, one for each instruction, one for its
/// end. Slot s covers the positions 2s (where operands are read) and 2s+1 (where definitions are written).
struct SlotMap {
    std::vector<uint32_t> blockStart;  // slot of the start of a block; the first instruction has the next one
    std::vector<uint32_t> blockEnd;    // slot of its end
    uint32_t numSlots = 0;

    explicit SlotMap(const LirFunction& f) {
        blockStart.reserve(f.blocks.size());
        blockEnd.reserve(f.blocks.size());
        for (const LirBlock& b : f.blocks) {
            blockStart.push_back(numSlots);
            numSlots += 1 + (b.endInst - b.firstInst);
            blockEnd.push_back(numSlots++);
        }
    }
    uint32_t slotOfInst(const LirFunction& f, uint32_t block, uint32_t inst) const {
        return blockStart[block] + 1 + (inst - f.blocks[block].firstInst);
    }
};

}  // namespace luapp::backend
