#include "backend/bytecode/isel.h"

#include <bit>
#include <cmath>

#include "backend/bytecode/isel_impl.h"
#include "runtime/base/check.h"

namespace luapp::bc {

namespace {

/// Constants of one loop nest that get registers over it; further ones are loaded where they are used.
constexpr size_t kMaxHoisted = 48;
/// How many instructions later a loaded constant is still used instead of being loaded again.
constexpr uint32_t kReuseDistance = 64;

constexpr uint64_t kBoxTag = 0xFFF9'0000'0000'0000u;

constexpr uint32_t kindOf(DataKind kind, Rep rep) { return static_cast<uint32_t>(kind) | static_cast<uint32_t>(rep) << 8; }

/// True if `d` is exactly the double of an int64 in range, and not the negative zero, which no integer stands for.
bool isWholeDouble(double d, int64_t low, int64_t high) {
    return d >= static_cast<double>(low) && d <= static_cast<double>(high) && std::trunc(d) == d &&
           !(d == 0 && std::signbit(d));
}

}  // namespace

SelectedFunction selectInstructions(const ir::Function& fn, ChunkBuilder& chunk) { return Selector(fn, chunk).run(); }

SelectedFunction Selector::run() {
    buildGraph();
    countUses();
    splitCriticalEdges();
    backend::findLoops(graph_);
    addPreheaders();
    findPairs();
    order_ = backend::layoutBlocks(graph_);
    position_.resize(nodes_.size());
    for (uint32_t i = 0; i < order_.size(); i++) position_[order_[i]] = i;
    hoisted_.resize(graph_.loops.size());
    preheaderLoads_.resize(graph_.loops.size());
    backend::LirFunction& code = out_.code;
    code.numVRegs = fn_.instCount();
    code.blocks.resize(nodes_.size());
    code.insts.reserve(fn_.instCount());
    code.operands.reserve(3 * fn_.instCount());
    out_.polls.assign(nodes_.size(), false);
    // Parameters first: edges to blocks further on need their numbers.
    for (uint32_t i = 0; i < order_.size(); i++) {
        backend::LirBlock& block = code.blocks[i];
        block.firstParam = static_cast<uint32_t>(code.params.size());
        block.loopDepth = static_cast<uint8_t>(std::min(255u, graph_.depthOf(order_[i])));
        if (!nodes_[order_[i]].block) continue;
        for (ir::Value p : nodes_[order_[i]].block->params) code.params.push_back(p->id);
        block.numParams = static_cast<uint32_t>(code.params.size()) - block.firstParam;
    }
    for (uint32_t i = 0; i < order_.size(); i++) selectBlock(i, order_[i]);
    emitPreheaders();
    return std::move(out_);
}

// --- values

/// The value whose word `v` is: boxing a number and unboxing one known to be there change nothing.
const ir::Inst* Selector::strip(const ir::Inst* v) {
    while (true) {
        if (v->is(ir::Op::BoxF) || (v->is(ir::Op::UnboxU) && (v->rep == Rep::F64 || v->rep == Rep::Box))) {
            v = v->operand(0);
        } else {
            return v;
        }
    }
}

bool Selector::constKey(const ir::Inst* v, ConstKey& key) const {
    v = strip(v);
    auto word = [&](uint64_t bits, Rep rep) {
        key = {bits, kindOf(DataKind::Word, rep)};
        return true;
    };
    auto reference = [&](DataKind kind, Rep rep) {
        key = {static_cast<uint64_t>(v->imm), kindOf(kind, rep)};
        return true;
    };
    switch (v->op) {
        case ir::Op::ConstF64: return word(std::bit_cast<uint64_t>(v->immF), Rep::F64);
        case ir::Op::ConstI64: return word(static_cast<uint64_t>(v->imm), Rep::I64);
        case ir::Op::ConstBool: return word(v->imm != 0, Rep::Bool);
        case ir::Op::ConstNull: return word(0, Rep::Ref);
        case ir::Op::ConstStr: return reference(DataKind::String, Rep::Ref);
        case ir::Op::ConstFn: key = {v->immFn->index(), kindOf(DataKind::Function, Rep::Ref)}; return true;
        case ir::Op::ConstBuiltin: return reference(DataKind::Builtin, Rep::Ref);
        case ir::Op::ConstType: return reference(DataKind::Type, Rep::I64);
        case ir::Op::ConstClass: return reference(DataKind::Class, Rep::Box);
        case ir::Op::ConstNil: return word(kBoxTag, Rep::Box);
        case ir::Op::ConstBoxBool: return word(kBoxTag | (v->imm ? 2 : 1), Rep::Box);
        case ir::Op::ConstAbsent: return word(kBoxTag | 3, Rep::Box);
        case ir::Op::BoxI:
            if (!v->operand(0)->is(ir::Op::ConstI64)) return false;
            return word(std::bit_cast<uint64_t>(static_cast<double>(v->operand(0)->imm)), Rep::Box);
        case ir::Op::BoxB:
            if (!v->operand(0)->is(ir::Op::ConstBool)) return false;
            return word(kBoxTag | (v->operand(0)->imm ? 2 : 1), Rep::Box);
        case ir::Op::BoxRef:
            if (!constKey(v->operand(0), key)) return false;
            if (key.kind == kindOf(DataKind::Word, Rep::Ref)) return word(kBoxTag, Rep::Box);
            if (key.kind == kindOf(DataKind::String, Rep::Ref)) key.kind = kindOf(DataKind::StringBox, Rep::Box);
            if (key.kind == kindOf(DataKind::Function, Rep::Ref)) key.kind = kindOf(DataKind::FunctionBox, Rep::Box);
            if (key.kind == kindOf(DataKind::Builtin, Rep::Ref)) key.kind = kindOf(DataKind::BuiltinBox, Rep::Box);
            return true;
        default: return false;
    }
}

ConstCode Selector::constCode(const ConstKey& key) {
    const auto kind = static_cast<DataKind>(key.kind & 0xFF);
    const auto rep = static_cast<Rep>(key.kind >> 8);
    const auto index = static_cast<uint32_t>(key.bits);
    switch (kind) {
        case DataKind::Word: {
            const auto integer = static_cast<int64_t>(key.bits);
            const auto number = std::bit_cast<double>(key.bits);
            if (rep == Rep::Box && key.bits == kBoxTag) return {Op::LoadNil};
            if (rep == Rep::F64 || rep == Rep::Box) {
                if (isWholeDouble(number, -32768, 32767)) return {Op::LoadF, static_cast<int32_t>(number)};
            } else if (fitsS16(integer)) {
                return {Op::LoadI, static_cast<int32_t>(integer)};
            }
            return {Op::LoadK, 0, chunk_.word(key.bits, rep)};
        }
        case DataKind::String: return {Op::LoadK, 0, chunk_.string(index, false)};
        case DataKind::StringBox: return {Op::LoadK, 0, chunk_.string(index, true)};
        case DataKind::Function: return {Op::LoadK, 0, chunk_.function(index, false)};
        case DataKind::FunctionBox: return {Op::LoadK, 0, chunk_.function(index, true)};
        case DataKind::Builtin: return {Op::LoadK, 0, chunk_.builtin(index, false)};
        case DataKind::BuiltinBox: return {Op::LoadK, 0, chunk_.builtin(index, true)};
        case DataKind::Type: return {Op::LoadK, 0, chunk_.type(index)};
        case DataKind::Class: return {Op::LoadK, 0, chunk_.classValue(index)};
        case DataKind::Variable: break;
    }
    LUAPP_UNREACHABLE("constant");
}

uint32_t Selector::constant(const ConstKey& key) {
    auto [it, isNew] = constantIndex_.try_emplace(key, static_cast<uint32_t>(out_.constants.size()));
    if (isNew) out_.constants.push_back(constCode(key));
    return it->second;
}

VReg Selector::reg(const ir::Inst* v) {
    ConstKey key;
    if (constKey(v, key)) return loadConstant(key);
    return strip(v)->id;
}

VReg Selector::source(const ir::Inst* v) {
    ConstKey key;
    if (constKey(v, key)) return backend::makeConst(constant(key));
    return strip(v)->id;
}

/// A register for a constant. In a loop it is loaded before the outermost one; elsewhere (and in cold code) on the spot,
/// and used again for a while within the block.
VReg Selector::loadConstant(const ConstKey& key) {
    const uint32_t index = constant(key);
    const uint32_t loop = graph_.loopOf[currentNode_];
    if (loop != backend::kNoLoop && !graph_.nodes[currentNode_].isCold) {
        const uint32_t outer = graph_.loops[loop].outermost;
        auto& known = hoisted_[outer];
        if (auto it = known.find(key); it != known.end()) return it->second;
        if (preheader_[outer] != backend::kNoLoop && known.size() < kMaxHoisted) {
            const VReg v = freshVReg();
            known.emplace(key, v);
            preheaderLoads_[outer].push_back({v, index});
            return v;
        }
    }
    const auto here = static_cast<uint32_t>(out_.code.insts.size());
    Loaded& l = loaded_[key];
    if (l.vreg == kNoVReg || l.block != currentPosition_ || here - l.inst > kReuseDistance) {
        l = {freshVReg(), currentPosition_, here};
        const ConstCode& c = out_.constants[index];
        LirInst& i = begin(c.op, nullptr);
        i.imm = c.imm;
        i.index = c.data;
        use(l.vreg, OperandKind::Def);
    }
    l.inst = here;
    return l.vreg;
}

bool Selector::whole(const ir::Inst* v, int64_t low, int64_t high, int64_t& out) {
    switch (v->op) {
        case ir::Op::ConstF64:
            if (!isWholeDouble(v->immF, low, high)) return false;
            out = static_cast<int64_t>(v->immF);
            return true;
        case ir::Op::ConstI64:
        case ir::Op::ConstBool:
            out = v->imm;
            return out >= low && out <= high;
        case ir::Op::ConstNull: out = 0; return true;
        default: return false;
    }
}

// --- code

LirInst& Selector::begin(uint16_t op, const ir::Inst* from) {
    LirInst i;
    i.op = op;
    i.firstOperand = static_cast<uint32_t>(out_.code.operands.size());
    // A load belongs to the instruction it is for; the emitter takes over the position before it.
    i.loc = from ? from->loc.offset : 0;
    out_.code.insts.push_back(i);
    return out_.code.insts.back();
}

void Selector::use(VReg v, OperandKind kind, uint32_t slot) {
    out_.code.operands.push_back({v, kind, static_cast<uint16_t>(slot)});
    out_.code.insts.back().numOperands++;
}

void Selector::def(const ir::Inst* result, OperandKind kind, uint32_t slot) { use(result->id, kind, slot); }

LirInst& Selector::plain(Op op, const ir::Inst* inst, int64_t imm, uint32_t index) {
    VReg regs[4];
    LUAPP_CHECK(inst->operandCount <= 4, "operands of a plain instruction");
    for (uint32_t i = 0; i < inst->operandCount; i++) {
        regs[i] = inst->operand(i)->rep == Rep::Pack ? kNoVReg : reg(inst->operand(i));
    }
    LirInst& out = begin(op, inst);
    out.imm = static_cast<int32_t>(imm);
    out.index = index;
    for (uint32_t i = 0; i < inst->operandCount; i++) {
        if (regs[i] != kNoVReg) use(regs[i]);
    }
    if (inst->rep != Rep::Void && inst->rep != Rep::Pack) def(inst);
    return out_.code.insts.back();
}

void Selector::immediate(Op op, const ir::Inst* inst, ir::Value a, int64_t imm) {
    const VReg r = reg(a);
    begin(op, inst).imm = static_cast<int32_t>(imm);
    use(r);
    def(inst);
}

LirInst& Selector::window(uint16_t op, const ir::Inst* inst, std::span<const ir::Value> values, uint32_t slot,
                          bool hasResult) {
    begin(op, inst).flags = backend::lir_flags::Window;
    uint32_t at = slot;
    for (ir::Value v : values) {
        if (v->rep != Rep::Pack) use(source(v), OperandKind::FixedUse, at++);
    }
    if (hasResult && inst->rep != Rep::Void && inst->rep != Rep::Pack && isUsed(inst)) def(inst, OperandKind::FixedDef, 0);
    LirInst& out = out_.code.insts.back();
    out.windowSize = static_cast<uint16_t>(std::max(at, 1u));
    return out;
}

// --- blocks and branches

void Selector::selectBlock(uint32_t position, uint32_t node) {
    backend::LirBlock& block = out_.code.blocks[position];
    currentNode_ = node;
    currentPosition_ = position;
    terminatorDone_ = false;
    block.firstInst = static_cast<uint32_t>(out_.code.insts.size());
    const ir::Block* source = nodes_[node].block;
    if (source) {
        for (const ir::Inst* inst : ir::insts(source)) {
            if (inst->is(ir::Op::Br)) {
                branch(inst, node);
            } else if (inst->is(ir::Op::Loop)) {
                // A function called in every iteration polls already.
                out_.polls[position] = !callsCode_[source->id] && !callsCode_[inst->edges[0].to->id];
                block.loc = inst->loc.offset;
            } else if (!inst->is(ir::Op::Jump)) {
                select(inst);
            }
        }
    }
    block.endInst = static_cast<uint32_t>(out_.code.insts.size());
    addEdges(position, node);
}

void Selector::addEdges(uint32_t position, uint32_t node) {
    backend::LirBlock& block = out_.code.blocks[position];
    const backend::FlowNode& flow = graph_.nodes[node];
    block.numSuccs = flow.numSuccs;
    for (unsigned i = 0; i < flow.numSuccs; i++) {
        block.succ[i].target = position_[flow.succ[i]];
        block.succ[i].firstArg = static_cast<uint32_t>(out_.code.args.size());
        if (!nodes_[node].edges[i]) continue;
        for (ir::Value v : nodes_[node].edges[i]->args) out_.code.args.push_back(source(v));
    }
}

void Selector::branch(const ir::Inst* br, uint32_t node) {
    if (graph_.nodes[node].numSuccs != 2 || terminatorDone_) return;
    ir::Value c = br->operand(0);
    bool negated = false;
    while (c->is(ir::Op::Not) && isFusedCondition(c)) {
        c = c->operand(0);
        negated = !negated;
    }
    if (negated) {
        std::swap(graph_.nodes[node].succ[0], graph_.nodes[node].succ[1]);
        std::swap(nodes_[node].edges[0], nodes_[node].edges[1]);
    }
    if (isFusedCondition(c)) {
        fusedBranch(br, c);
        return;
    }
    const VReg r = reg(c);
    begin(Op::JTrue, br);
    use(r);
}

bool Selector::isCountingTest(const ir::Inst* br, const ir::Inst* condition) const {
    const ir::Inst* counter = condition->operand(0);
    const ir::Block* header = br->block;
    if (!counter->isParam() || counter->block != header) return false;
    const uint32_t loop = graph_.loopOf[currentNode_];
    if (loop == backend::kNoLoop || graph_.loops[loop].header != currentNode_) return false;
    for (const ir::Edge* e : header->preds) {
        const ir::Inst* next = e->args[static_cast<size_t>(counter->imm)];
        int64_t step;
        if ((next->is(ir::Op::AddU) || next->is(ir::Op::AddF)) && next->operand(0) == counter &&
            whole(next->operand(1), -128, 127, step)) {
            return true;
        }
    }
    return false;
}

/// A comparison and the branch on it in one instruction. NaN makes `not a < b` differ from `b <= a`, so the opcodes for
/// numbers come with negations, and the emitter never swaps their operands.
void Selector::fusedBranch(const ir::Inst* br, ir::Value c) {
    const ir::Value a = c->operand(0);
    const ir::Value b = c->operandCount > 1 ? c->operand(1) : nullptr;
    int64_t imm;
    auto onRegister = [&](Op op, ir::Value v, int64_t immediate) {
        const VReg r = reg(v);
        begin(op, br).imm = static_cast<int32_t>(immediate);
        use(r);
    };
    auto onTwo = [&](Op op) {
        const VReg x = reg(a);
        const VReg y = reg(b);
        begin(op, br);
        use(x);
        use(y);
    };
    auto onBoxes = [&](Op op) {
        onTwo(op);
        LirInst& test = out_.code.insts.back();
        test.imm = 1;
        test.loc = c->loc.offset;
    };
    auto compare = [&](Op two, Op withRight, Op withLeft) {
        if (whole(b, -32768, 32767, imm) && !isCountingTest(br, c)) return onRegister(withRight, a, imm);
        if (whole(a, -32768, 32767, imm)) return onRegister(withLeft, b, imm);
        onTwo(two);
    };
    switch (c->op) {
        case ir::Op::LtF: return compare(Op::JLtF, Op::JLtFI, Op::JGtFI);
        case ir::Op::LeF: return compare(Op::JLeF, Op::JLeFI, Op::JGeFI);
        case ir::Op::EqF: return compare(Op::JEqF, Op::JEqFI, Op::JEqFI);
        case ir::Op::LtI: return compare(Op::JLtI, Op::JLtII, Op::JGtII);
        case ir::Op::LeI: return compare(Op::JLeI, Op::JLeII, Op::JGeII);
        case ir::Op::EqI:
            if (a->rep == Rep::Box) {
                if (b->is(ir::Op::ConstNil)) return onRegister(Op::JNil, a, 0);
                if (a->is(ir::Op::ConstNil)) return onRegister(Op::JNil, b, 0);
                return onTwo(Op::JEqI);
            }
            return compare(Op::JEqI, Op::JEqII, Op::JEqII);
        case ir::Op::EqX: return onBoxes(Op::JEqX);
        case ir::Op::LtX: return onBoxes(Op::JLtX);
        case ir::Op::LeX: return onBoxes(Op::JLeX);
        case ir::Op::EqS: return onTwo(Op::JEqS);
        case ir::Op::IsNil: return onRegister(Op::JNil, a, 0);
        case ir::Op::IsNull: return onRegister(Op::JEqII, a, 0);
        case ir::Op::Truthy: return onRegister(Op::JTruthy, a, 0);
        default: break;
    }
    LUAPP_UNREACHABLE("fused condition");
}

}  // namespace luapp::bc
