// Range analysis of integers: an addition, subtraction or multiplication whose result cannot leave the range of `integer`
// loses its overflow check (add.i becomes add.u).
//
// Every word of representation I64 is within 2^53 but for entry positions of tables, type descriptors, and what unchecked
// arithmetic makes (a loop's counter may pass the end of the range by one step), directly or through block
// parameters: those values are called wide. One walk over the dominator tree. Each value has an interval from how it is computed; behind a comparison that
// must have been true the operands have narrower ones until the walk leaves that part of the tree. The counter of a
// loop has its start as lower bound if it only grows (as upper bound if it only falls); the loop's condition gives
// the other. Behind an array access that has been checked, its index lies between 0 and the length. That is enough for counters and the index arithmetic made of them, at linear cost.
// Before:  v3 = lt.i v1, v0; br v3, body ... body: v4 = add.i v1, 1     After: v4 = add.u v1, 1

#include <algorithm>
#include <limits>

#include "middle/analysis/dominators.h"
#include "middle/pass.h"

namespace luapp::ir {

namespace {

using Wide = __int128;

struct Interval {
    int64_t low;
    int64_t high;
};

constexpr Interval kAnyInteger{-base::kMaxInteger, base::kMaxInteger};
constexpr Interval kAnyWord{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
/// Lengths of arrays, tables and strings: memory ends long before.
constexpr Interval kLength{0, int64_t{1} << 48};

bool isInteger(Interval r) { return r.low >= kAnyInteger.low && r.high <= kAnyInteger.high; }

bool isInRange(Wide low, Wide high) { return low >= -Wide{base::kMaxInteger} && high <= Wide{base::kMaxInteger}; }

class RangePass {
  public:
    RangePass(Function& fn, PassContext& context)
        : fn_(fn), context_(context), dominators_(fn), loops_(fn, dominators_), ranges_(fn.instCount(), kAnyWord) {}

    bool run() {
        markWide();
        struct Frame {
            Block* block;
            size_t nextChild;
            size_t undoSize;
        };
        std::vector<Frame> stack;
        auto enter = [&](Block* block) {
            stack.push_back({block, 0, undo_.size()});
            assumeCondition(block);
            for (Value param : block->params) {
                if (param->rep == Rep::I64) ranges_[param->id] = rangeOfParam(param);
            }
            for (Inst* inst : insts(block)) visit(*inst);
        };
        enter(fn_.entry);
        while (!stack.empty()) {
            Frame& frame = stack.back();
            std::span<Block* const> children = dominators_.children(frame.block);
            if (frame.nextChild < children.size()) {
                enter(children[frame.nextChild++]);
                continue;
            }
            while (undo_.size() > frame.undoSize) {
                ranges_[undo_.back().id] = undo_.back().range;
                undo_.pop_back();
            }
            stack.pop_back();
        }
        context_.count("checks removed", removed_);
        return removed_ != 0;
    }

  private:
    Interval get(Value v) const { return ranges_[v->id]; }

    static bool isWideOp(Op op) {
        return op == Op::AddU || op == Op::SubU || op == Op::MulU || op == Op::TabNext || op == Op::ConstType;
    }

    void markWide() {
        std::vector<Block*> work;
        std::vector<bool> isQueued(fn_.blockCount(), false);
        wide_.assign(fn_.instCount(), false);
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) wide_[inst->id] = isWideOp(inst->op);
            work.push_back(block);
            isQueued[block->id] = true;
        }
        // Blocks whose parameters have become wide hand that on; each parameter does so once.
        while (!work.empty()) {
            Block* block = work.back();
            work.pop_back();
            isQueued[block->id] = false;
            for (const Edge& edge : block->succs()) {
                for (Value param : edge.to->params) {
                    if (wide_[param->id] || !wide_[edge.args[param->imm]->id]) continue;
                    wide_[param->id] = true;
                    if (isQueued[edge.to->id]) continue;
                    isQueued[edge.to->id] = true;
                    work.push_back(edge.to);
                }
            }
        }
    }

    // --- what is known behind a branch

    void narrow(Value v, Interval to) {
        const Interval now = get(v);
        const Interval both{std::max(now.low, to.low), std::min(now.high, to.high)};
        if (both.low > both.high || (both.low == now.low && both.high == now.high)) return;
        undo_.push_back({v->id, now});
        ranges_[v->id] = both;
    }

    void assumeLess(Value a, Value b, int64_t atLeast) {  // a + atLeast <= b
        const Interval ra = get(a);
        const Interval rb = get(b);
        if (rb.high >= std::numeric_limits<int64_t>::min() + atLeast) narrow(a, {kAnyWord.low, rb.high - atLeast});
        if (ra.low <= std::numeric_limits<int64_t>::max() - atLeast) narrow(b, {ra.low + atLeast, kAnyWord.high});
    }

    void assumeCondition(Block* block) {
        if (block->preds.size() != 1) return;
        const Inst* br = block->preds[0]->from->last;
        if (!br->is(Op::Br)) return;
        bool isTrue = block->preds[0] == &br->edges[0];
        Value condition = br->operands[0];
        while (condition->is(Op::Not)) {
            condition = condition->operands[0];
            isTrue = !isTrue;
        }
        if (condition->operandCount != 2 || condition->operands[0]->rep != Rep::I64) return;
        Value a = condition->operands[0];
        Value b = condition->operands[1];
        if (condition->is(Op::LtI)) isTrue ? assumeLess(a, b, 1) : assumeLess(b, a, 0);
        if (condition->is(Op::LeI)) isTrue ? assumeLess(a, b, 0) : assumeLess(b, a, 1);
        if (condition->is(Op::EqI) && isTrue) {
            narrow(a, get(b));
            narrow(b, get(a));
        }
    }

    // --- how values are computed

    Interval rangeOfParam(Value param) {
        const Interval r = rangeOfArguments(param);
        if (wide_[param->id]) return r;
        return {std::max(r.low, kAnyInteger.low), std::min(r.high, kAnyInteger.high)};
    }

    Interval rangeOfArguments(Value param) {
        Block* block = param->block;
        if (block == fn_.entry) return kAnyWord;
        const LoopInfo* loop = loops_.of(block);
        const bool isHeader = loop && loop->header == block;
        Interval all{kAnyWord.high, kAnyWord.low};
        bool grows = false;
        bool falls = false;
        for (const Edge* edge : block->preds) {
            Value arg = edge->args[param->imm];
            if (arg == param) continue;
            if (isHeader && dominators_.dominates(block, edge->from)) {
                const int direction = directionOfStep(arg, param);
                if (direction == 0) return kAnyWord;
                (direction > 0 ? grows : falls) = true;
                continue;
            }
            // A block reached by goto from a place not yet walked: nothing is known.
            if (!dominators_.isReachable(edge->from) || dominators_.position(edge->from) >= dominators_.position(block)) {
                return kAnyWord;
            }
            const Interval r = get(arg);
            all = {std::min(all.low, r.low), std::max(all.high, r.high)};
        }
        if (grows) all.high = kAnyWord.high;
        if (falls) all.low = kAnyWord.low;
        return all;
    }

    /// 1 if `next` is `counter` plus a positive constant (or the opposite), -1 if plus a negative one, 0 if neither is known.
    static int directionOfStep(Value next, Value counter) {
        if (next->operandCount != 2) return 0;
        Value a = next->operands[0];
        Value b = next->operands[1];
        const bool isAdd = next->is(Op::AddI) || next->is(Op::AddU);
        const bool isSub = next->is(Op::SubI) || next->is(Op::SubU);
        if (isAdd && b == counter) std::swap(a, b);
        if (!(isAdd || isSub) || a != counter || !b->is(Op::ConstI64) || b->imm == 0) return 0;
        return (b->imm > 0) == isAdd ? 1 : -1;
    }

    void visit(Inst& inst) {
        if (inst.rep == Rep::I64) ranges_[inst.id] = computed(inst);
        // Behind an access that was checked the index is one; that of arr.set may be the length.
        if (inst.is(Op::ArrGet) || inst.is(Op::ArrSet)) narrow(inst.operands[1], kLength);
    }

    Interval arithmetic(Inst& inst, Wide low, Wide high, Op unchecked) {
        if (isInRange(low, high)) {
            if (inst.op != unchecked) {
                inst.op = unchecked;
                removed_++;
            }
            return {int64_t(low), int64_t(high)};
        }
        // The check has clipped it; without one it is whatever was proven.
        if (inst.op == unchecked) return kAnyWord;
        return {int64_t(std::clamp(low, Wide{kAnyInteger.low}, Wide{kAnyInteger.high})),
                int64_t(std::clamp(high, Wide{kAnyInteger.low}, Wide{kAnyInteger.high}))};
    }

    static Interval sameKind(Interval r) { return isInteger(r) ? kAnyInteger : kAnyWord; }

    Interval computed(Inst& inst) {
        const Interval a = inst.operandCount > 0 && inst.operands[0]->rep == Rep::I64 ? get(inst.operands[0]) : kAnyWord;
        const Interval b = inst.operandCount > 1 && inst.operands[1]->rep == Rep::I64 ? get(inst.operands[1]) : kAnyWord;
        switch (inst.op) {
            case Op::ConstI64: return {inst.imm, inst.imm};
            case Op::AddI:
            case Op::AddU: return arithmetic(inst, Wide{a.low} + b.low, Wide{a.high} + b.high, Op::AddU);
            case Op::SubI:
            case Op::SubU: return arithmetic(inst, Wide{a.low} - b.high, Wide{a.high} - b.low, Op::SubU);
            case Op::MulI:
            case Op::MulU: {
                const auto [low, high] = std::minmax(
                    {Wide{a.low} * b.low, Wide{a.low} * b.high, Wide{a.high} * b.low, Wide{a.high} * b.high});
                return arithmetic(inst, low, high, Op::MulU);
            }
            case Op::IDivI: return b.low >= 1 && a.low >= 0 ? Interval{0, a.high} : sameKind(a);
            case Op::ModI: return b.low >= 1 ? Interval{0, b.high - 1} : kAnyInteger;
            case Op::MinI: return {std::min(a.low, b.low), std::min(a.high, b.high)};
            case Op::MaxI: return {std::max(a.low, b.low), std::max(a.high, b.high)};
            case Op::AndI:
                if (a.low >= 0 && b.low >= 0) return {0, std::min(a.high, b.high)};
                if (b.low >= 0) return {0, b.high};
                return a.low >= 0 ? Interval{0, a.high} : kAnyInteger;
            case Op::And32:
            case Op::Or32:
            case Op::Xor32:
            case Op::Not32:
            case Op::Shl32:
            case Op::Shr32:
            case Op::Sar32:
            case Op::Rol32:
            case Op::Ror32: return {0, 0xFFFFFFFF};
            case Op::ArrLen:
            case Op::TabLen:
            case Op::StrLen:
            case Op::VarargCount:
            case Op::PackCount: return kLength;
            case Op::StrByte: return {-1, 255};
            case Op::NegI:
            case Op::AbsI: return sameKind(a);
            case Op::TabNext:
            case Op::ConstType: return kAnyWord;
            default: return kAnyInteger;  // loads, calls: a value of type integer or an enum's
        }
    }

    struct Undo {
        uint32_t id;
        Interval range;
    };

    Function& fn_;
    PassContext& context_;
    Dominators dominators_;
    Loops loops_;
    std::vector<Interval> ranges_;  // by id; of I64 values
    std::vector<Undo> undo_;
    std::vector<bool> wide_;        // by id
    uint64_t removed_ = 0;
};

}  // namespace

bool runRange(Function& fn, PassContext& context) { return RangePass(fn, context).run(); }

}  // namespace luapp::ir
