// Pairs of operations on numbers that one instruction executes: the first has no user but the second, so its result needs no
// register. An instruction computes (b first c) second x, each operation rounding as if it stood alone.
#include "backend/bytecode/isel_impl.h"
#include "runtime/base/check.h"

namespace luapp::bc {

namespace {

/// The second operation of a pair by which operand the first one's result is; Count: no instruction has it.
enum class Second : uint8_t { Add, Sub, RSub, Mul, RDiv, Count };

Second secondOf(const ir::Inst* inst, unsigned operand) {
    switch (inst->op) {
        case ir::Op::AddF: return Second::Add;
        case ir::Op::SubF: return operand == 0 ? Second::Sub : Second::RSub;
        case ir::Op::MulF: return Second::Mul;
        case ir::Op::DivF: return operand == 1 ? Second::RDiv : Second::Count;
        default: return Second::Count;
    }
}

/// The instruction for a pair; Op::Jmp if there is none.
Op pairOf(ir::Op first, Second second) {
    if (second == Second::Count) return Op::Jmp;
    constexpr Op kAdd[] = {Op::AddAddF, Op::AddSubF, Op::AddRSubF, Op::AddMulF, Op::AddRDivF};
    constexpr Op kSub[] = {Op::SubAddF, Op::SubSubF, Op::SubRSubF, Op::SubMulF, Op::SubRDivF};
    constexpr Op kMul[] = {Op::MulAddF, Op::MulSubF, Op::MulRSubF, Op::MulMulF, Op::MulRDivF};
    const auto i = static_cast<size_t>(second);
    switch (first) {
        case ir::Op::AddF: return kAdd[i];
        case ir::Op::SubF: return kSub[i];
        case ir::Op::MulF: return kMul[i];
        case ir::Op::IToF: return second == Second::Add ? Op::IToFAdd : second == Second::Mul ? Op::IToFMul : Op::Jmp;
        default: return Op::Jmp;
    }
}

}  // namespace

/// Decides which operations are executed together with their user. In a chain every second one is.
void Selector::findPairs() {
    fusedInto_.assign(fn_.instCount(), nullptr);
    firstOf_.assign(fn_.instCount(), nullptr);
    for (uint32_t n = 0; n < nodes_.size(); n++) {
        if (!nodes_[n].block) continue;
        const bool hasFreeConstants = hoistsConstants(n);
        for (const ir::Inst* inst : ir::insts(nodes_[n].block)) {
            if (!isUsed(inst)) continue;
            for (unsigned k = inst->operandCount; k-- > 0 && !firstOf_[inst->id];) {
                if (secondOf(inst, k) == Second::Count) continue;
                const ir::Inst* first = inst->operand(k);
                if (first->block != inst->block || uses_[first->id] != 1 || firstOf_[first->id]) continue;
                if (pairOf(first->op, secondOf(inst, k)) == Op::Jmp) continue;
                if (!hasFreeConstants && (isImmediate(inst->operand(1 - k)) || takesImmediate(first))) continue;
                firstOf_[inst->id] = first;
                fusedInto_[first->id] = inst;
            }
        }
    }
}

/// True if a constant that code of node `n` needs in a register is there already, loaded before the loop.
bool Selector::hoistsConstants(uint32_t n) const {
    const uint32_t loop = graph_.loopOf[n];
    return loop != backend::kNoLoop && !graph_.nodes[n].isCold && preheader_[graph_.loops[loop].outermost] != backend::kNoLoop;
}

bool Selector::isImmediate(const ir::Inst* v) {
    int64_t c;
    return whole(v, -127, 127, c);
}

bool Selector::takesImmediate(const ir::Inst* inst) {
    return inst->operandCount == 2 && (isImmediate(inst->operand(0)) || isImmediate(inst->operand(1)));
}

/// Selects `inst` together with the operation it has taken over, if there is one.
bool Selector::selectPair(const ir::Inst* inst) {
    const ir::Inst* first = firstOf_[inst->id];
    if (!first) return false;
    const unsigned k = inst->operand(0) == first ? 0 : 1;
    const VReg b = reg(first->operand(0));
    const VReg c = first->operandCount == 2 ? reg(first->operand(1)) : backend::kNoVReg;
    const VReg x = reg(inst->operand(1 - k));
    begin(pairOf(first->op, secondOf(inst, k)), inst);
    use(b);
    if (c != backend::kNoVReg) use(c);
    use(x);
    def(inst);
    return true;
}

}  // namespace luapp::bc
