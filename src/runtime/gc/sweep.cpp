// Sweeping: after marking, what is not marked becomes free, block by block, by slices and by allocations that look for free cells. A
// minor cycle sweeps the blocks touched since the cycle before; a major one sweeps all. Until a block is swept its mark bits say what lives;
// from then on its allocation bits do.
#include <bit>
#include <cstring>

#include "runtime/gc/heap.h"
#include "runtime/gc/stress.h"
#include "runtime/object/string.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

// Blocks with less free cells than one of so many are left alone: runs of one cell cost more than they give.
constexpr uint32_t kLeastFreeShare = 32;
// What sweeping a block costs, in words of tracing, and what each dead string or coroutine adds.
constexpr int64_t kBlockCost = 64;
constexpr int64_t kDeadCost = 16;
// So many blocks, or stacks, are looked at between two looks at the clock when memory goes back to the system.
constexpr uint32_t kTrimmedAtOnce = 64;
constexpr int64_t kTrimCost = 2048;

}  // namespace

/// Marking has ended, the period is a new one.
void Heap::startSweep() {
    phase_ = Phase::Sweep;
    sweepCursor_ = 0;
    sweepsAll_ = kind_ == CycleKind::Major;
    if (sweepsAll_) {
        sweepEnd_ = space_.end();
        for (uint32_t& head : available_) head = kNoBlock;
        toSweep_.clear();
        touched_.clear();
    } else {
        toSweep_.swap(touched_);
        touched_.clear();
        sweepEnd_ = static_cast<uint32_t>(toSweep_.size());
    }
}

/// Sweeps the next block; gives what it cost, 0 if none is left.
int64_t Heap::sweepOne() {
    if (phase_ != Phase::Sweep) return 0;
    while (sweepCursor_ < sweepEnd_) {
        const uint32_t index = sweepsAll_ ? sweepCursor_ : toSweep_[sweepCursor_];
        sweepCursor_++;
        const Block& b = space_.block(index);
        if ((b.use != BlockUse::Small && b.use != BlockUse::LargeHead) || !awaitsSweep(b)) continue;
        return sweepBlock(index);
    }
    return 0;
}

/// True if nothing is left to sweep.
bool Heap::sweepSome(SliceBudget& budget) {
    while (!budget.isSpent()) {
        const int64_t cost = sweepOne();
        if (cost == 0) return true;
        budget.spend(cost);
    }
    return false;
}

int64_t Heap::sweepBlock(uint32_t index) {
    Block& b = space_.block(index);
    b.sweptIn = period_;
    if (b.use == BlockUse::LargeHead) {
        if (b.isMarked(0)) return kBlockCost;
        if (kStress) std::memset(space_.addressOf(index), kPoison, kBlockSize);
        space_.release(index);
        return kBlockCost + b.span;
    }
    const bool visitsDead = kStress || b.sizeClass >= kPlainClassCount;
    uint32_t live = 0;
    int64_t cost = kBlockCost;
    for (uint32_t w = 0; w < (b.cellCount + 63) / 64; w++) {
        if (visitsDead) {
            for (uint64_t dead = b.allocated[w] & ~b.marks[w]; dead != 0; dead &= dead - 1) {
                const uint32_t cell = w * 64 + static_cast<uint32_t>(std::countr_zero(dead));
                cost += kDeadCost;
                freeCell(b.sizeClass, reinterpret_cast<Object*>(space_.addressOf(index) + size_t{cell} * b.cellSize));
            }
        }
        b.allocated[w] = b.marks[w];
        live += static_cast<uint32_t>(std::popcount(b.marks[w]));
    }
    if (live == 0) {
        space_.release(index);
        return cost;
    }
    b.isZeroed = false;
    if (b.cellCount - live > b.cellCount / kLeastFreeShare) {
        b.nextAvailable = available_[b.sizeClass];
        available_[b.sizeClass] = index;
    }
    return cost;
}

/// What must be known of a cell that becomes free.
void Heap::freeCell(unsigned sizeClass, Object* o) {
    if (sizeClass == kCoroutineClass) {
        auto* co = static_cast<Coroutine*>(o);
        if (co->stack.slot != CoroutineStack::kNoSlot) closeCoroutine(state_, co);
    } else if (sizeClass >= kInternedClass) {
        state_.strings.remove(*this, static_cast<String*>(o));
    }
    if (kStress) std::memset(static_cast<void*>(o), kPoison, classCellSize(sizeClass));
}

void Heap::reviveSlow(String* str) {
    Block& b = space_.block(space_.indexOfObject(str));
    const uint32_t cell = b.cellAt(static_cast<uint32_t>(reinterpret_cast<uint64_t>(str) & (kBlockSize - 1)));
    if (!awaitsSweep(b) || b.isMarked(cell)) return;
    b.marks[cell >> 6] |= uint64_t{1} << (cell & 63);
    liveBytes_ += b.cellSize;
}

/// Gives memory back that was idle for a whole major cycle; true if nothing is left to look at.
bool Heap::trimSome(SliceBudget& budget) {
    while (!budget.isSpent()) {
        budget.spend(kTrimCost);
        if (!space_.returnIdle(trimCursor_, kTrimmedAtOnce) && !state_.stacks.returnIdle(kTrimmedAtOnce)) return true;
    }
    return false;
}

}  // namespace luapp::rt
