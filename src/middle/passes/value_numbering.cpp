// Value numbering: an instruction whose operation has already been done with the same operands, on every way to it, is replaced by
// the earlier one. Only what reads no memory: arithmetic, conversions, captures, lengths of strings, pure builtins. Arithmetic and
// checks that may raise count too: where the earlier one has passed, so would this one. Comparisons stay, for the branch behind each
// does them for nothing; constants stay where they are, but count as equal by what they are.
// Before:  v2 = add.f v0, v1;  v3 = add.f v0, v1;  v4 = mul.f v2, v3        After:  v2 = add.f v0, v1;  v4 = mul.f v2, v2

#include <unordered_map>

#include "middle/pass.h"

namespace luapp::ir {

namespace {

bool isCandidate(const Inst& inst) {
    if (inst.isConst() || inst.isTerminator() || inst.rep == Rep::Bool || inst.rep == Rep::Pack) return false;
    const uint32_t effects = effectsOf(inst);
    // A check has no value, but to do it once is enough.
    return inst.rep == Rep::Void ? effects == Raises : (effects & ~uint32_t{Raises}) == 0;
}

bool sameConst(const Inst* a, const Inst* b) { return a->isConst() && a->op == b->op && a->imm == b->imm; }

bool sameWork(const Inst& a, const Inst& b) {
    if (a.op != b.op || a.rep != b.rep || a.imm != b.imm || a.imm2 != b.imm2) return false;
    if (a.flags != b.flags || a.operandCount != b.operandCount) return false;
    for (uint32_t i = 0; i < a.operandCount; i++) {
        if (a.operands[i] != b.operands[i] && !sameConst(a.operands[i], b.operands[i])) return false;
    }
    return true;
}

uint64_t mix(uint64_t hash, uint64_t word) { return (hash ^ word) * 0x9E37'79B9'7F4A'7C15u + (hash >> 29); }

uint64_t hashOf(const Inst& inst) {
    uint64_t hash = mix(static_cast<uint64_t>(inst.op), static_cast<uint64_t>(inst.imm));
    for (const Inst* operand : inst.ops()) {
        hash = operand->isConst() ? mix(hash, static_cast<uint64_t>(operand->imm)) : mix(hash, (uint64_t{1} << 40) + operand->id);
    }
    return hash;
}

}  // namespace

bool runValueNumbering(Function& fn, PassContext& context) {
    const Dominators& dominators = context.analyses.dominators(fn);
    // The newest instruction of each hash; one that does not dominate gives way, so the table stays small and the pass linear.
    std::unordered_map<uint64_t, Inst*> known;
    uint64_t removed = 0;
    for (Block* block : dominators.order()) {
        for (Inst* inst : insts(block)) {
            for (Value& v : inst->ops()) v = Function::resolve(v);
            if (!isCandidate(*inst)) continue;
            Inst*& earlier = known[hashOf(*inst)];
            if (!earlier || !sameWork(*earlier, *inst) || !dominators.dominates(earlier->block, block)) {
                earlier = inst;
                continue;
            }
            if (inst->rep == Rep::Void) {
                fn.remove(inst);
            } else {
                fn.replace(inst, earlier);
            }
            removed++;
        }
    }
    if (removed == 0) return false;
    fn.applyReplacements();
    context.count("repetitions removed", removed);
    return true;
}

}  // namespace luapp::ir
