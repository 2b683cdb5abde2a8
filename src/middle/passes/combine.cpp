// Instruction combining: two operations with constants, of which the first serves only the second, become one.
//
// Integers: additions and multiplications without check (their range is proven) in any case; a checked one swallows an unchecked one,
// for what it computes is exact. Two checked additions become one if both go the same way and stand in the same line of the source,
// which is all that an error says of its place: one of the two raises there just if the sum is out of range. Numbers round at every step, so only where the file says
// `--!fastmath`. Words of 32 bits: masks, shifts and rotations add up; two shifts that together turn the word are a rotation.
// Runs behind range, which removes checks. Linear.
// Before:  v1 = add.u v0, 1;  v2 = add.u v1, 1        After:  v1 = add.u v0, 1;  v2 = add.u v0, 2     (dce removes v1)

#include <bit>

#include "middle/pass.h"
#include "runtime/base/numeric.h"

namespace luapp::ir {

namespace {

/// `x + addend` on integers.
struct Sum {
    Value x;
    int64_t addend;
    bool isChecked;
};

class Combiner {
  public:
    Combiner(Function& fn, PassContext& context) : fn_(fn), context_(context), uses_(fn.instCount(), 0) {}

    bool run() {
        countUses();
        uint64_t combined = 0;
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) combined += inst->operandCount == 2 && visit(*inst);
        }
        context_.count("operations combined", combined);
        return combined != 0;
    }

  private:
    void countUses() {
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                for (Value v : inst->ops()) uses_[v->id]++;
                for (const Edge& edge : inst->succs()) {
                    for (Value v : edge.args) uses_[v->id]++;
                }
            }
        }
    }

    /// True if `first` has one user, so that it goes when that no longer needs it.
    bool isOnlyFor(const Inst& first) const { return first.id < uses_.size() && uses_[first.id] == 1; }

    bool visit(Inst& inst) {
        switch (inst.op) {
            case Op::AddI:
            case Op::AddU:
            case Op::SubI:
            case Op::SubU: return addIntegers(inst);
            case Op::MulI:
            case Op::MulU: return multiplyIntegers(inst);
            case Op::AddF:
            case Op::SubF:
            case Op::MulF: return inst.flags & Inst::kFastMath && combineNumbers(inst);
            case Op::And32:
            case Op::Or32:
            case Op::Xor32:
            case Op::Shl32:
            case Op::Shr32:
            case Op::Rol32: return combineBits(inst);
            default: return false;  // nothing adds up
        }
    }

    /// The constant operand of `inst`, and the other one in `x`; null if none is constant, or only the left one and order matters.
    static Value constantOf(const Inst& inst, Op constOp, Value& x) {
        for (unsigned k : {1u, 0u}) {
            if (!inst.operands[k]->is(constOp) || (k == 0 && !isCommutative(inst.op))) continue;
            x = inst.operands[1 - k];
            return inst.operands[k];
        }
        return nullptr;
    }

    /// `inst` becomes `op x, constant`.
    bool become(Inst& inst, Op op, Value x, Op constOp, int64_t imm) {
        Inst* constant = fn_.makeInst(constOp, constOp == Op::ConstF64 ? Rep::F64 : Rep::I64, {}, inst.loc);
        constant->imm = imm;
        fn_.insertBefore(&inst, constant);
        inst.op = op;
        inst.operands[0] = x;
        inst.operands[1] = constant;
        return true;
    }

    // --- integers

    static bool sumOf(const Inst& inst, Sum& out) {
        const bool isAdd = inst.is(Op::AddI) || inst.is(Op::AddU);
        if (!isAdd && !inst.is(Op::SubI) && !inst.is(Op::SubU)) return false;
        const Value constant = constantOf(inst, Op::ConstI64, out.x);
        if (!constant || !base::inIntegerRange(constant->imm)) return false;
        out.addend = isAdd ? constant->imm : -constant->imm;
        out.isChecked = inst.is(Op::AddI) || inst.is(Op::SubI);
        return true;
    }

    // (x + c) + d  ->  x + (c + d)
    bool addIntegers(Inst& inst) {
        Sum outer, inner;
        if (!sumOf(inst, outer) || !sumOf(*outer.x, inner) || !isOnlyFor(*outer.x)) return false;
        const int64_t addend = outer.addend + inner.addend;
        if (!base::inIntegerRange(addend)) return false;
        if (inner.isChecked && !(outer.isChecked && raiseAlike(*outer.x, inst, inner.addend, outer.addend))) return false;
        if (inner.isChecked) fn_.remove(outer.x);
        return become(inst, outer.isChecked ? Op::AddI : Op::AddU, inner.x, Op::ConstI64, addend);
    }

    /// True if nobody can tell which of the two additions raised: same place, same direction, nothing to be seen between them.
    bool raiseAlike(const Inst& first, const Inst& second, int64_t a, int64_t b) const {
        constexpr int kMaxBetween = 16;
        if ((a < 0) != (b < 0) || !first.loc.isValid() || first.block != second.block) return false;
        const Module& module = fn_.module();
        if (!isOneLine(module.placeOf(first.loc), module.placeOf(second.loc))) return false;
        if (module.inlineSiteOf(first.loc) != module.inlineSiteOf(second.loc)) return false;
        const Inst* at = first.next;
        for (int i = 0; i < kMaxBetween && at != &second; i++, at = at->next) {
            if (effectsOf(*at) & (kObservable | Allocs)) return false;
        }
        return at == &second;
    }

    // (x * c) * d  ->  x * (c * d)
    bool multiplyIntegers(Inst& inst) {
        Value between = nullptr, x = nullptr;
        const Value outer = constantOf(inst, Op::ConstI64, between);
        if (!outer || !between->is(Op::MulU) || !isOnlyFor(*between)) return false;
        const Value inner = constantOf(*between, Op::ConstI64, x);
        int64_t factor = 0;
        if (!inner || !base::mulInteger(inner->imm, outer->imm, factor)) return false;
        return become(inst, inst.op, x, Op::ConstI64, factor);
    }

    // --- numbers, under --!fastmath

    // (x + c) + d  ->  x + (c + d), subtraction being addition of -c; and the same for products
    bool combineNumbers(Inst& inst) {
        Value between = nullptr, x = nullptr;
        const Value outer = constantOf(inst, Op::ConstF64, between);
        if (!outer || between->operandCount != 2 || !(between->flags & Inst::kFastMath) || !isOnlyFor(*between)) return false;
        const bool isProduct = inst.is(Op::MulF);
        const bool fits = isProduct ? between->is(Op::MulF) : between->is(Op::AddF) || between->is(Op::SubF);
        const Value inner = fits ? constantOf(*between, Op::ConstF64, x) : nullptr;
        if (!inner) return false;
        const double c = between->is(Op::SubF) ? -inner->immF : inner->immF;
        const double d = inst.is(Op::SubF) ? -outer->immF : outer->immF;
        return become(inst, isProduct ? Op::MulF : Op::AddF, x, Op::ConstF64, std::bit_cast<int64_t>(isProduct ? c * d : c + d));
    }

    // --- 32 bits

    static bool isShift(const Inst& inst, Op op, int64_t& by) {
        if (!inst.is(op) || !inst.operands[1]->is(Op::ConstI64)) return false;
        by = inst.operands[1]->imm;
        return by >= 0 && by < 32;
    }

    bool combineBits(Inst& inst) {
        if (inst.is(Op::Or32) || inst.is(Op::Xor32)) {
            if (makeRotation(inst)) return true;
        }
        Value between = nullptr, x = nullptr;
        const Value outer = constantOf(inst, Op::ConstI64, between);
        if (!outer || !between->is(inst.op) || !isOnlyFor(*between)) return false;
        const Value inner = constantOf(*between, Op::ConstI64, x);
        if (!inner) return false;
        const int64_t a = inner->imm, b = outer->imm;
        switch (inst.op) {
            case Op::And32: return become(inst, inst.op, x, Op::ConstI64, base::wrap32(a & b));
            case Op::Or32: return become(inst, inst.op, x, Op::ConstI64, base::wrap32(a | b));
            case Op::Xor32: return become(inst, inst.op, x, Op::ConstI64, base::wrap32(a ^ b));
            case Op::Rol32: return become(inst, inst.op, x, Op::ConstI64, (a + b) & 31);
            default: break;  // shifts
        }
        int64_t first = 0, second = 0;
        if (!isShift(*between, inst.op, first) || !isShift(inst, inst.op, second) || first + second > 31) return false;
        return become(inst, inst.op, x, Op::ConstI64, first + second);
    }

    // x << n | x >> 32 - n  ->  x rotated left by n
    bool makeRotation(Inst& inst) {
        for (unsigned k : {0u, 1u}) {
            const Inst& up = *inst.operands[k];
            const Inst& down = *inst.operands[1 - k];
            int64_t left = 0, right = 0;
            if (!isShift(up, Op::Shl32, left) || !isShift(down, Op::Shr32, right)) continue;
            if (left + right != 32 || up.operands[0] != down.operands[0]) continue;
            return become(inst, Op::Rol32, up.operands[0], Op::ConstI64, left);
        }
        return false;
    }

    /// Whether errors at both places say the same of them.
    bool isOneLine(Loc a, Loc b) const {
        if (a.offset == b.offset) return true;
        const frontend::SourceManager* sources = fn_.module().sources;
        if (!sources) return false;
        const frontend::Position p = sources->position(a), q = sources->position(b);
        return p.file == q.file && p.at.line == q.at.line;
    }

    Function& fn_;
    PassContext& context_;
    std::vector<uint32_t> uses_;  // by id
};

}  // namespace

bool runCombine(Function& fn, PassContext& context) { return Combiner(fn, context).run(); }

}  // namespace luapp::ir
