#include "middle/analysis/ranges.h"

#include <algorithm>
#include <bit>
#include <tuple>

namespace luapp::ir {

namespace {

using Wide = __int128;

/// Walks that may widen before nothing is assumed of loops any more.
constexpr int kMaxWalks = 5;
/// Bounds stop here on their way out.
constexpr int64_t kThresholds[] = {kAnyWord.low, kAnyInteger.low, -1, 0, kAnyInteger.high, kAnyWord.high};

Interval unite(Interval a, Interval b) {
    if (a.isEmpty()) return b;
    if (b.isEmpty()) return a;
    return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

Interval intersect(Interval a, Interval b) {
    const Interval both{std::max(a.low, b.low), std::min(a.high, b.high)};
    return both.isEmpty() ? Interval{} : both;
}

int64_t thresholdBelow(int64_t v) {
    int64_t best = kAnyWord.low;
    for (int64_t t : kThresholds) best = t <= v ? t : best;
    return best;
}

int64_t thresholdAbove(int64_t v) { return *std::lower_bound(std::begin(kThresholds), std::end(kThresholds), v); }

int64_t clamp(Wide v, Interval to) { return int64_t(std::clamp(v, Wide{to.low}, Wide{to.high})); }

/// The smallest 2^n - 1 that is not less.
int64_t onesAbove(int64_t v) { return int64_t(std::bit_ceil(uint64_t(v) + 1) - 1); }

bool isWideOp(Op op) { return op == Op::AddU || op == Op::SubU || op == Op::MulU || op == Op::TabNext || op == Op::ConstType; }

}  // namespace

Ranges::Ranges(Function& fn, const Dominators& dominators, std::vector<bool> whole)
    : fn_(fn), dominators_(dominators), whole_(std::move(whole)), assumed_(fn.instCount()), incoming_(fn.instCount()),
      ranges_(fn.instCount(), kAnyWord) {
    findLoopParams();
    markWide();
    if (loopParams_.empty()) return;
    collect();
    solve();
}

bool Ranges::isRelevant(const Inst& inst) const {
    return counts(&inst) || inst.is(Op::ArrSet) || inst.is(Op::ArrSetU) || inst.is(Op::ArrGet) || inst.is(Op::ArrGetU);
}

/// What the walks that solve need to look at.
void Ranges::collect() {
    starts_.resize(fn_.blockCount());
    ends_.resize(fn_.blockCount());
    for (Block* block : dominators_.order()) {
        starts_[block->id] = uint32_t(relevant_.size());
        for (Inst* inst : insts(block)) {
            if (isRelevant(*inst)) relevant_.push_back(inst);
        }
        ends_[block->id] = uint32_t(relevant_.size());
    }
}

void Ranges::markWide() {
    wide_.assign(fn_.instCount(), false);
    bool isAny = false;
    for (Block* block : blocks(fn_)) {
        for (Inst* inst : insts(block)) {
            if (!isWideOp(inst->op)) continue;
            wide_[inst->id] = true;
            isAny = true;
        }
    }
    if (!isAny) return;
    std::vector<Block*> work;
    std::vector<bool> isQueued(fn_.blockCount(), true);
    for (Block* block : blocks(fn_)) work.push_back(block);
    // Blocks whose parameters have become wide hand that on; each parameter does so once.
    while (!work.empty()) {
        Block* block = work.back();
        work.pop_back();
        isQueued[block->id] = false;
        for (const Edge& edge : block->succs()) {
            for (Value param : edge.to->params) {
                if (wide_[param->id] || !wide_[edge.args[size_t(param->imm)]->id]) continue;
                wide_[param->id] = true;
                if (isQueued[edge.to->id]) continue;
                isQueued[edge.to->id] = true;
                work.push_back(edge.to);
            }
        }
    }
}

void Ranges::findLoopParams() {
    isLoopHead_.assign(fn_.blockCount(), false);
    for (Block* block : dominators_.order()) {
        for (const Edge* edge : block->preds) {
            if (dominators_.position(edge->from) >= dominators_.position(block)) isLoopHead_[block->id] = true;
        }
        if (!isLoopHead_[block->id]) continue;
        for (Value param : block->params) {
            if (counts(param)) loopParams_.push_back(param);
        }
    }
}

void Ranges::solve() {
    for (int walks = 1;; walks++) {
        begin();
        while (Block* block = next()) {
            for (uint32_t i = starts_[block->id]; i < ends_[block->id]; i++) compute(*relevant_[i]);
            passOn(block);
        }
        if (!widen(walks >= kMaxWalks)) break;
    }
    // What holds under the assumptions holds without them.
    for (Value param : loopParams_) assumed_[param->id] = intersect(incoming_[param->id], limitOf(param));
}

/// Makes assumptions hold for what the last walk found; false if they do already.
bool Ranges::widen(bool givesUp) {
    bool changed = false;
    for (Value param : loopParams_) {
        Interval& assumed = assumed_[param->id];
        const Interval found = intersect(incoming_[param->id], limitOf(param));
        if (lies(found, assumed)) continue;
        changed = true;
        if (found.low < assumed.low) assumed.low = thresholdBelow(found.low);
        if (found.high > assumed.high) assumed.high = thresholdAbove(found.high);
        assumed = intersect(assumed, limitOf(param));
    }
    if (changed && givesUp) {
        for (Value param : loopParams_) assumed_[param->id] = limitOf(param);
    }
    return changed;
}

// --- the walk

void Ranges::begin() {
    stack_.clear();
    undo_.clear();
    std::fill(incoming_.begin(), incoming_.end(), Interval{});
    isBegun_ = false;
}

/// The next block in preorder of the dominator tree, entered; null behind the last.
Block* Ranges::next() {
    if (!isBegun_) {
        isBegun_ = true;
        enter(fn_.entry);
        return fn_.entry;
    }
    while (!stack_.empty()) {
        Frame& frame = stack_.back();
        const std::span<Block* const> children = dominators_.children(frame.block);
        if (frame.nextChild < children.size()) {
            Block* const child = children[frame.nextChild++];
            enter(child);
            return child;
        }
        // What was assumed there no longer holds; the latest first.
        while (undo_.size() > frame.undoSize) {
            ranges_[undo_.back().id] = undo_.back().range;
            undo_.pop_back();
        }
        stack_.pop_back();
    }
    return nullptr;
}

void Ranges::enter(Block* block) {
    stack_.push_back({block, 0, undo_.size()});
    assumeCondition(block);
    for (Value param : block->params) {
        if (!counts(param)) continue;
        Interval& range = ranges_[param->id];
        if (block == fn_.entry) {
            range = kAnyInteger;
        } else if (isLoopHead_[block->id]) {
            // The first walk begins with what comes in from outside.
            Interval& assumed = assumed_[param->id];
            if (assumed.isEmpty()) assumed = intersect(incoming_[param->id], limitOf(param));
            range = assumed;
        } else {
            range = intersect(incoming_[param->id], limitOf(param));
        }
    }
}

/// Behind the last instruction of a block: what its edges bring to the parameters of its successors.
void Ranges::passOn(const Block* block) {
    for (const Edge& edge : block->succs()) {
        for (Value param : edge.to->params) {
            if (!counts(param)) continue;
            Interval& incoming = incoming_[param->id];
            incoming = unite(incoming, of(edge.args[size_t(param->imm)]));
        }
    }
}

void Ranges::compute(Inst& inst) {
    if (counts(&inst)) ranges_[inst.id] = computed(inst);
    // Behind an access that was checked the index is one; that of arr.set may be the length.
    const bool isAccess = inst.is(Op::ArrGet) || inst.is(Op::ArrGetU) || inst.is(Op::ArrSet) || inst.is(Op::ArrSetU);
    if (isAccess) narrow(inst.operands[1], kLength);
}

// --- what is known behind a branch

void Ranges::narrow(Value v, Interval to) {
    const Interval now = of(v);
    const Interval both = intersect(now, to);
    if (both == now) return;
    undo_.push_back({v->id, now});
    ranges_[v->id] = both;
}

void Ranges::assumeLess(Value a, Value b, int64_t atLeast) {  // a + atLeast <= b
    const Interval ra = of(a);
    const Interval rb = of(b);
    if (ra.isEmpty() || rb.isEmpty()) {
        narrow(a, {});
        narrow(b, {});
        return;
    }
    if (rb.high >= kAnyWord.low + atLeast) narrow(a, {kAnyWord.low, rb.high - atLeast});
    if (ra.low <= kAnyWord.high - atLeast) narrow(b, {ra.low + atLeast, kAnyWord.high});
}

void Ranges::assumeCondition(Block* block) {
    if (block->preds.size() != 1) return;
    const Inst* br = block->preds[0]->from->last;
    if (!br->is(Op::Br)) return;
    bool isTrue = block->preds[0] == &br->edges[0];
    Value condition = br->operands[0];
    while (condition->is(Op::Not)) {
        condition = condition->operands[0];
        isTrue = !isTrue;
    }
    if (condition->operandCount != 2) return;
    Value a = condition->operands[0];
    Value b = condition->operands[1];
    if (!counts(a) || !counts(b)) return;
    if (condition->is(Op::LtI) || condition->is(Op::LtF)) isTrue ? assumeLess(a, b, 1) : assumeLess(b, a, 0);
    if (condition->is(Op::LeI) || condition->is(Op::LeF)) isTrue ? assumeLess(a, b, 0) : assumeLess(b, a, 1);
    if ((condition->is(Op::EqI) || condition->is(Op::EqF)) && isTrue) {
        narrow(a, of(b));
        narrow(b, of(a));
    }
}

// --- how values are computed

bool Ranges::isInRange(const Inst& inst, Interval& exact) const {
    if (inst.operandCount != 2 || !counts(inst.operands[0]) || !counts(inst.operands[1])) return false;
    const Interval a = of(inst.operands[0]);
    const Interval b = of(inst.operands[1]);
    exact = {};
    if (a.isEmpty() || b.isEmpty()) return false;
    Wide low = 0;
    Wide high = 0;
    switch (inst.op) {
        case Op::AddI:
        case Op::AddU:
        case Op::AddF:
            low = Wide{a.low} + b.low;
            high = Wide{a.high} + b.high;
            break;
        case Op::SubI:
        case Op::SubU:
        case Op::SubF:
            low = Wide{a.low} - b.high;
            high = Wide{a.high} - b.low;
            break;
        case Op::MulI:
        case Op::MulU:
        case Op::MulF:
            std::tie(low, high) = std::minmax(
                {Wide{a.low} * b.low, Wide{a.low} * b.high, Wide{a.high} * b.low, Wide{a.high} * b.high});
            break;
        default: return false;  // no such arithmetic
    }
    exact = {clamp(low, kAnyInteger), clamp(high, kAnyInteger)};
    return low >= kAnyInteger.low && high <= kAnyInteger.high;
}

/// Checks clip results to integers; unchecked arithmetic gives what was proven, or any word.
Interval Ranges::arithmetic(const Inst& inst) const {
    Interval exact;
    if (isInRange(inst, exact)) return exact;
    if (of(inst.operands[0]).isEmpty() || of(inst.operands[1]).isEmpty()) return {};
    const bool isChecked = inst.is(Op::AddI) || inst.is(Op::SubI) || inst.is(Op::MulI) || inst.rep == Rep::F64;
    return isChecked ? exact : kAnyWord;
}

namespace {

Interval sameKind(Interval r) { return lies(r, kAnyInteger) ? kAnyInteger : kAnyWord; }

Interval quotient(Interval a, Interval b) {
    if (b.low < 1) return sameKind(a);
    // Rounded down, away from 0 at most by as much as the smallest divisor allows.
    const int64_t low = a.low < 0 ? a.low : a.low / b.high;
    return {low, a.high < 0 ? -1 : a.high / b.low};
}

Interval bitAnd(Interval a, Interval b) {
    if (a.low >= 0 && b.low >= 0) return {0, std::min(a.high, b.high)};
    if (b.low >= 0) return {0, b.high};
    return a.low >= 0 ? Interval{0, a.high} : kAnyInteger;
}

Interval bitOr(Interval a, Interval b) {
    if (a.low < 0 || b.low < 0) return kAnyInteger;
    return {0, std::min(onesAbove(std::max(a.high, b.high)), kAnyInteger.high)};
}

Interval absolute(Interval a) {
    if (!lies(a, kAnyInteger)) return kAnyWord;
    return {a.low > 0 ? a.low : a.high < 0 ? -a.high : 0, std::max(-a.low, a.high)};
}

}  // namespace

Interval Ranges::computed(const Inst& inst) const {
    const bool hasA = inst.operandCount > 0 && counts(inst.operands[0]);
    const bool hasB = inst.operandCount > 1 && counts(inst.operands[1]);
    const Interval a = hasA ? of(inst.operands[0]) : kAnyWord;
    const Interval b = hasB ? of(inst.operands[1]) : kAnyWord;
    if (a.isEmpty() || b.isEmpty()) return {};
    constexpr Interval kBits32{0, 0xFFFFFFFF};
    switch (inst.op) {
        case Op::ConstI64: return {inst.imm, inst.imm};
        case Op::ConstF64: return {int64_t(inst.immF), int64_t(inst.immF)};
        case Op::IToF:
        case Op::FToI:
        case Op::FloorF: return intersect(a, kAnyInteger);
        case Op::AddI:
        case Op::AddU:
        case Op::AddF:
        case Op::SubI:
        case Op::SubU:
        case Op::SubF:
        case Op::MulI:
        case Op::MulU:
        case Op::MulF: return arithmetic(inst);
        case Op::IDivI:
        case Op::IDivF: return quotient(a, b);
        case Op::ModI:
        case Op::ModF: return b.low >= 1 ? Interval{0, a.low >= 0 ? std::min(a.high, b.high - 1) : b.high - 1} : kAnyInteger;
        case Op::MinI:
        case Op::MinF: return {std::min(a.low, b.low), std::min(a.high, b.high)};
        case Op::MaxI:
        case Op::MaxF: return {std::max(a.low, b.low), std::max(a.high, b.high)};
        case Op::AndI: return bitAnd(a, b);
        case Op::OrI:
        case Op::XorI: return bitOr(a, b);
        case Op::ShrI: return a.low >= 0 && b.low >= 0 && b.high < 64 ? Interval{a.low >> b.high, a.high >> b.low} : sameKind(a);
        case Op::And32: return lies(a, kBits32) || lies(b, kBits32) ? bitAnd(a, b) : kBits32;
        case Op::Shr32: return b.low >= 0 && b.high < 32 ? Interval{0, kBits32.high >> b.low} : kBits32;
        case Op::Or32:
        case Op::Xor32:
        case Op::Not32:
        case Op::Shl32:
        case Op::Sar32:
        case Op::Rol32:
        case Op::Ror32: return kBits32;
        case Op::ArrLen:
        case Op::TabLen:
        case Op::StrLen:
        case Op::VarargCount:
        case Op::PackCount: return kLength;
        case Op::StrByte: return {-1, 255};
        case Op::NegI: return lies(a, kAnyInteger) ? Interval{-a.high, -a.low} : kAnyWord;
        case Op::AbsI: return absolute(a);
        case Op::TabNext:
        case Op::ConstType: return kAnyWord;
        default: return kAnyInteger;  // loads, calls: a value of type integer or an enum's
    }
}

}  // namespace luapp::ir
