// Private machinery of instruction selection: class Selector, spread over isel_flow.cpp (graph of blocks, layout), isel.cpp
// (constants, registers, branches), isel_insts.cpp (one case per IR operation) and isel_fuse.cpp (two operations in one instruction).
#pragma once

#include <unordered_map>
#include <vector>

#include "backend/bytecode/isel.h"
#include "backend/layout.h"
#include "backend/lir.h"

namespace luapp::bc {

using backend::kNoVReg;
using backend::LirInst;
using backend::OperandKind;
using backend::VReg;

class Selector {
  public:
    Selector(const ir::Function& fn, ChunkBuilder& chunk) : fn_(fn), chunk_(chunk) {}
    SelectedFunction run();

  private:
    // --- isel_flow.cpp
    /// A node of the flow graph: a block of the IR, the middle of a critical edge, or the preheader of an outermost loop.
    struct Node {
        const ir::Block* block = nullptr;
        const ir::Edge* edges[2] = {nullptr, nullptr};  // whose arguments the way to a successor carries; null: none
        uint32_t preheaderOf = backend::kNoLoop;
    };
    void countUses();
    void countBranchUses();
    bool isLastEffect(const ir::Inst* comparison) const;
    void buildGraph();
    void splitCriticalEdges();
    void addPreheaders();
    void emitPreheaders();
    /// Index of the edge of `br` that is always taken; 2 if both may be.
    static unsigned decidedEdge(const ir::Inst* terminator);

    // --- isel.cpp: values
    /// Kind and payload of a constant; equal keys, equal words.
    struct ConstKey {
        uint64_t bits = 0;
        uint32_t kind = 0;  // DataKind, and above it the Rep
        bool operator==(const ConstKey&) const = default;
    };
    struct ConstHash {
        size_t operator()(const ConstKey& k) const { return (k.bits ^ k.kind * 0x9E37'79B9u) * 0x9E37'79B9'7F4A'7C15u >> 20; }
    };
    /// A constant that is in a register: which, and how far it may be used.
    struct Loaded {
        VReg vreg = kNoVReg;
        uint32_t block = 0;   // the LIR block that loaded it; unused in a preheader
        uint32_t inst = 0;    // where it was used last
    };

    static const ir::Inst* strip(const ir::Inst* v);
    bool constKey(const ir::Inst* v, ConstKey& key) const;
    bool isConst(const ir::Inst* v) const {
        ConstKey key;
        return constKey(v, key);
    }
    uint32_t constant(const ConstKey& key);
    ConstCode constCode(const ConstKey& key);
    /// The register of a value; loads a constant.
    VReg reg(const ir::Inst* v);
    VReg loadConstant(const ConstKey& key);
    /// A register or a constant, for windows and block arguments.
    VReg source(const ir::Inst* v);
    VReg freshVReg() { return out_.code.numVRegs++; }
    /// The integer of a constant whose word or number is whole and lies in [low, high].
    static bool whole(const ir::Inst* v, int64_t low, int64_t high, int64_t& out);
    bool isUsed(const ir::Inst* inst) const { return uses_[inst->id] != 0; }

    // --- isel.cpp: code
    LirInst& begin(uint16_t op, const ir::Inst* from);
    LirInst& begin(Op op, const ir::Inst* from) { return begin(static_cast<uint16_t>(op), from); }
    void use(VReg v, OperandKind kind = OperandKind::Use, uint32_t slot = 0);
    void def(const ir::Inst* result, OperandKind kind = OperandKind::Def, uint32_t slot = 0);
    /// result = op(operands of `inst` in order); constants in registers.
    LirInst& plain(Op op, const ir::Inst* inst, int64_t imm = 0, uint32_t index = 0);
    /// result = op(a, imm).
    void immediate(Op op, const ir::Inst* inst, ir::Value a, int64_t imm);
    /// A window instruction with `values` from `slot` on; a pack at their end is left out. The result appears at slot 0.
    LirInst& window(uint16_t op, const ir::Inst* inst, std::span<const ir::Value> values, uint32_t slot, bool hasResult);

    // --- isel.cpp: blocks and branches
    void selectBlock(uint32_t position, uint32_t node);
    void addEdges(uint32_t position, uint32_t node);
    void branch(const ir::Inst* br, uint32_t node);
    void fusedBranch(const ir::Inst* br, ir::Value condition);
    bool isTableNextBranch(const ir::Inst* inst) const;
    /// `lt condition` of a counting loop's header: the emitter can fuse it with the increment if both are in registers.
    bool isCountingTest(const ir::Inst* br, const ir::Inst* condition) const;
    bool isFusedCondition(const ir::Inst* inst) const {
        return uses_[inst->id] != 0 && branchUses_[inst->id] == uses_[inst->id];
    }

    // --- isel_insts.cpp
    void select(const ir::Inst* inst);
    void selectArith(const ir::Inst* inst);
    bool selectImmediate(const ir::Inst* inst);
    void selectUnary(ArithOp op, const ir::Inst* inst);
    void selectCall(const ir::Inst* inst);
    bool isTailCall(const ir::Inst* call) const;
    void selectMethodCall(const ir::Inst* inst);
    void selectConcat(const ir::Inst* inst);
    void joinWindow(Op op, const ir::Inst* inst, VReg first, std::span<const ir::Value> values, VReg result);
    void selectReturn(const ir::Inst* inst);
    void selectIterator(const ir::Inst* inst);
    void selectClosure(const ir::Inst* inst);
    bool isVarargType(uint32_t type, const ir::Inst* call) const;

    // --- isel_fuse.cpp
    void findPairs();
    bool selectPair(const ir::Inst* inst);
    bool hoistsConstants(uint32_t n) const;
    static bool isImmediate(const ir::Inst* v);
    static bool takesImmediate(const ir::Inst* inst);

    const ir::Function& fn_;
    ChunkBuilder& chunk_;
    SelectedFunction out_;
    std::vector<uint32_t> uses_;        // by instruction: operands and arguments that mean it
    std::vector<uint32_t> branchUses_;  // of these: conditions of branches, through `not`
    std::vector<const ir::Inst*> firstOf_;    // by instruction: the operation it executes before its own
    std::vector<const ir::Inst*> fusedInto_;  // by instruction: its user, which executes it
    std::vector<bool> callsCode_;       // by IR block: it calls a function, which polls
    std::vector<uint32_t> nodeOf_;      // by IR block
    std::vector<Node> nodes_;
    backend::FlowGraph graph_;
    std::vector<uint32_t> order_;     // nodes in layout order
    std::vector<uint32_t> position_;  // by node
    std::vector<uint32_t> preheader_;  // by outermost loop: node, or kNoLoop
    std::unordered_map<ConstKey, uint32_t, ConstHash> constantIndex_;
    std::unordered_map<ConstKey, Loaded, ConstHash> loaded_;                  // in the current block
    std::vector<std::unordered_map<ConstKey, VReg, ConstHash>> hoisted_;      // by outermost loop
    std::vector<std::vector<std::pair<VReg, uint32_t>>> preheaderLoads_;      // by outermost loop: register, constant
    uint32_t currentNode_ = 0;
    uint32_t currentPosition_ = 0;
    bool terminatorDone_ = false;  // tab.next has become the terminator
};

}  // namespace luapp::bc
