// Strength reduction: dear operations become cheap ones that compute the same for every operand.
//   x / c      x * (1 / c)   numbers, c a power of two whose inverse is a normal number: both are exact
//   x ^ 2      x * x         numbers: the VM computes it so as well
//   x % c      x & (c - 1)   integers, c a power of two: `%` rounds down, so this holds for negative x too
//   x // c     x >> n        integers, c = 2 to the n: both round down
// Multiplications of loop counters stay: in the interpreter an addition costs as much as a multiplication, and a step of its own
// would need a register throughout the loop.
// Before:  v1 = const.i64 8;  v2 = mod.i v0, v1        After:  v1 = const.i64 7;  v2 = and.i v0, v1

#include <bit>
#include <cmath>
#include <cstdlib>

#include "middle/pass.h"

namespace luapp::ir {

namespace {

class Reducer {
  public:
    Reducer(Function& fn, PassContext& context) : fn_(fn), context_(context) {}

    bool run() {
        uint64_t reduced = 0;
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) reduced += visit(*inst);
        }
        context_.count("operations reduced", reduced);
        return reduced != 0;
    }

  private:
    bool visit(Inst& inst) {
        if (inst.operandCount != 2) return false;
        const Value c = inst.operands[1];
        switch (inst.op) {
            case Op::DivF: return hasExactInverse(*c) && become(inst, Op::MulF, Op::ConstF64, std::bit_cast<int64_t>(1 / c->immF));
            case Op::PowF: return c->is(Op::ConstF64) && c->immF == 2 && square(inst);
            case Op::ModI: return isPowerOfTwo(*c) && become(inst, Op::AndI, Op::ConstI64, c->imm - 1);
            case Op::IDivI: return isPowerOfTwo(*c) && become(inst, Op::ShrI, Op::ConstI64, std::countr_zero(uint64_t(c->imm)));
            default: return false;  // cheap already
        }
    }

    static bool hasExactInverse(const Inst& v) {
        if (!v.is(Op::ConstF64)) return false;
        int exponent = 0;
        return std::abs(std::frexp(v.immF, &exponent)) == 0.5 && std::abs(exponent) < 1000;
    }

    static bool isPowerOfTwo(const Inst& v) { return v.is(Op::ConstI64) && v.imm > 0 && std::has_single_bit(uint64_t(v.imm)); }

    bool square(Inst& inst) {
        inst.op = Op::MulF;
        inst.operands[1] = inst.operands[0];
        return true;
    }

    /// `inst` becomes `op` of its first operand and a new constant.
    bool become(Inst& inst, Op op, Op constOp, int64_t imm) {
        Inst* constant = fn_.makeInst(constOp, inst.rep, {}, inst.loc);
        constant->imm = imm;
        fn_.insertBefore(&inst, constant);
        inst.op = op;
        inst.operands[1] = constant;
        return true;
    }

    Function& fn_;
    PassContext& context_;
};

}  // namespace

bool runStrengthReduction(Function& fn, PassContext& context) { return Reducer(fn, context).run(); }

}  // namespace luapp::ir
