#include "runtime/gc/heap.h"

#include <bit>
#include <cstring>

#include "runtime/gc/stress.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

// Recycled memory is zeroed and handed out in pieces that fit the first-level cache.
constexpr uint32_t kMaxRecycledRun = 8 * 1024;
// An allocation that finds no block with free cells does at most so much sweeping, in words of tracing, before it takes a new one.
constexpr int64_t kMostSweptAtOnce = 1024;
constexpr uint64_t kSliceNs = 250'000;

/// Calls visit(word index, mask) for the bits [from, to) of a bitmap.
template <class Visit>
void forBits(uint32_t from, uint32_t to, Visit visit) {
    while (from < to) {
        uint32_t word = from >> 6;
        uint32_t end = (word + 1) * 64 < to ? (word + 1) * 64 : to;
        uint32_t count = end - from;
        uint64_t mask = count == 64 ? ~uint64_t{0} : ((uint64_t{1} << count) - 1) << (from & 63);
        visit(word, mask);
        from = end;
    }
}

/// The first cell >= from whose allocation bit is `wanted`, or cellCount.
uint32_t findCell(const Block& b, uint32_t from, bool wanted) {
    uint32_t words = (b.cellCount + 63) / 64;
    for (uint32_t w = from >> 6; w < words; w++) {
        uint64_t bits = wanted ? b.allocated[w] : ~b.allocated[w];
        if (w == from >> 6) bits &= ~uint64_t{0} << (from & 63);
        if (bits != 0) {
            uint32_t cell = w * 64 + static_cast<uint32_t>(std::countr_zero(bits));
            return cell < b.cellCount ? cell : b.cellCount;
        }
    }
    return b.cellCount;
}

uint32_t blocksFor(size_t bytes) { return static_cast<uint32_t>((bytes + kBlockSize - 1) / kBlockSize); }

}  // namespace

Heap::Heap(State& s)
    : state_(s), tracer_(s, *this, space_), nextSlice_(kStress ? 0 : nurseryBytes()), majorThreshold_(kLeastMajorThreshold), sliceNs_(kSliceNs) {
    for (unsigned c = 0; c < kSizeClassCount; c++) currentBlock_[c] = available_[c] = kNoBlock;
}

Heap::~Heap() = default;

size_t Heap::roundedSize(size_t bytes) {
    if (bytes <= kMaxSmallSize) return classCellSize(sizeClassOf(bytes));
    return size_t{blocksFor(bytes)} * kBlockSize;
}

// --- allocation -------------------------------------------------------------------------------------------------------------

/// Bytes allocated in this period, as the collector's pace counts them.
uint64_t Heap::paced() const {
    return allocatedSince_ + (external_ > externalThen_ ? static_cast<uint64_t>(external_ - externalThen_) : 0);
}

void Heap::beforeAllocating(size_t bytes) {
    if (LUAPP_UNLIKELY(!space_.isReserved()) && !space_.reserve()) raise(state_, ErrorKind::OutOfMemory);
    if (paced() > nextSlice_ && enabled_ && !limitSuspended_) slice();
    if (limit_ != 0 && !limitSuspended_ && bytesInUse() + bytes > limit_) {
        collect();
        // Being close to the limit counts as beyond it: else every few allocations would collect.
        if (bytesInUse() + bytes > limit_ - limit_ / 64) raise(state_, ErrorKind::OutOfMemory);
    }
    // The end of marking starts the count anew, so this comes last.
    allocatedSince_ += bytes;
}

Object* Heap::allocateSlow(size_t bytes, uint64_t header) {
    LUAPP_CHECK(!collecting_, "no allocation during a collection");
    if (bytes > kMaxSmallSize) return allocateLarge(bytes, header);
    return allocateIn(sizeClassOf(bytes), header);
}

Object* Heap::allocateIn(unsigned sizeClass, uint64_t header) {
    Run& run = runs_[sizeClass];
    size_t cell = classCellSize(sizeClass);
    if (cell > static_cast<size_t>(run.end - run.next)) refill(sizeClass);
    char* p = run.next;
    run.next = p + cell;
    std::memcpy(p, &header, sizeof header);
    return reinterpret_cast<Object*>(p);
}

Object* Heap::allocateInterned(size_t bytes, uint32_t hash, uint8_t flags) {
    const size_t cells = (bytes + kGranule - 1) / kGranule;
    return allocateIn(kInternedClass + static_cast<unsigned>(cells - kLeastInternedCell / kGranule), headerWord(Kind::String, hash, 0, flags));
}

Object* Heap::allocateCoroutine() { return allocateIn(kCoroutineClass, headerWord(Kind::Coroutine)); }

Object* Heap::allocateLarge(size_t bytes, uint64_t header) {
    uint32_t count = blocksFor(bytes);
    size_t rounded = size_t{count} * kBlockSize;
    beforeAllocating(rounded);
    uint32_t index = space_.takeLarge(count, rounded);
    if (index == kNoBlock) {
        collect();
        index = space_.takeLarge(count, rounded);
        if (index == kNoBlock) raise(state_, ErrorKind::OutOfMemory);
        allocatedSince_ += rounded;
    }
    touch(index);
    char* p = space_.addressOf(index);
    if (!space_.block(index).isZeroed) std::memset(p, 0, rounded);
    space_.block(index).isZeroed = false;
    std::memcpy(p, &header, sizeof header);
    return reinterpret_cast<Object*>(p);
}

bool Heap::extend(Object* o, size_t bytes) {
    uint32_t index = space_.indexOfObject(o);
    if (space_.block(index).use != BlockUse::LargeHead) return false;
    size_t rounded = roundedSize(bytes);
    size_t more = rounded - space_.block(index).largeBytes;
    beforeAllocating(more);
    const bool isDone = space_.extendLarge(index, blocksFor(rounded), rounded);
    if (isDone && tracer_.isMarked(o)) {
        // It counts with what is live.
        liveBytes_ += more;
        if (phase_ == Phase::Mark && kind_ == CycleKind::Major) tracer_.addMarkedBytes(more);
    } else if (isDone) {
        return true;
    }
    allocatedSince_ -= more;
    return isDone;
}

/// Gives the class a non-empty run. May collect, may raise.
void Heap::refill(unsigned sizeClass) {
    beforeAllocating(0);
    while (!takeRun(sizeClass)) {
        if (nextBlock(sizeClass)) continue;
        collect();
        if (!nextBlock(sizeClass)) raise(state_, ErrorKind::OutOfMemory);
    }
    LUAPP_CHECK(runs_[sizeClass].next < runs_[sizeClass].end, "a run has room for one cell");
}

/// The next free cells of the class's current block become its run.
bool Heap::takeRun(unsigned sizeClass) {
    Run& run = runs_[sizeClass];
    run.next = run.end = nullptr;
    uint32_t index = currentBlock_[sizeClass];
    if (index == kNoBlock) return false;
    Block& b = space_.block(index);
    uint32_t first = findCell(b, cursorCell_[sizeClass], false);
    if (first == b.cellCount) {
        currentBlock_[sizeClass] = kNoBlock;
        return false;
    }
    uint32_t last = findCell(b, first, true);
    uint32_t limit = b.isZeroed ? b.cellCount : kMaxRecycledRun / b.cellSize;
    if (kStress) limit = 1;
    if (limit == 0) limit = 1;
    if (last - first > limit) last = first + limit;
    forBits(first, last, [&](uint32_t word, uint64_t mask) { b.allocated[word] |= mask; });
    cursorCell_[sizeClass] = last;
    run.next = space_.addressOf(index) + size_t{first} * b.cellSize;
    run.end = run.next + size_t{last - first} * b.cellSize;
    if (!b.isZeroed || kStress) std::memset(run.next, 0, static_cast<size_t>(run.end - run.next));
    if (last == b.cellCount) b.isZeroed = false;
    allocatedSince_ += static_cast<uint64_t>(run.end - run.next);
    return true;
}

/// Makes the next block with free cells the class's current one: a swept block, or a new one.
bool Heap::nextBlock(unsigned sizeClass) {
    for (int64_t spent = 0, cost = 1; available_[sizeClass] == kNoBlock && spent < kMostSweptAtOnce && cost != 0; spent += cost) cost = sweepOne();
    uint32_t index = available_[sizeClass];
    if (index != kNoBlock) {
        available_[sizeClass] = space_.block(index).nextAvailable;
    } else {
        index = space_.takeSmall(sizeClass);
        if (index == kNoBlock) return false;
    }
    touch(index);
    currentBlock_[sizeClass] = index;
    cursorCell_[sizeClass] = 0;
    return true;
}

/// Cells of a block are handed out.
void Heap::touch(uint32_t blockIndex) {
    Block& b = space_.block(blockIndex);
    b.touchedIn = b.sweptIn = period_;
    touched_.push_back(blockIndex);
}

/// The unused ends of the current runs become free cells again, so that the allocation bits are exact.
void Heap::retireRuns() {
    for (unsigned c = 0; c < kSizeClassCount; c++) {
        Run& run = runs_[c];
        if (run.next != run.end) {
            uint32_t index = space_.indexOfObject(run.next);
            Block& b = space_.block(index);
            uint64_t offset = reinterpret_cast<uint64_t>(run.next) & (kBlockSize - 1);
            auto first = static_cast<uint32_t>(offset / b.cellSize);
            auto count = static_cast<uint32_t>(static_cast<size_t>(run.end - run.next) / b.cellSize);
            forBits(first, first + count, [&](uint32_t word, uint64_t mask) { b.allocated[word] &= ~mask; });
        }
        run.next = run.end = nullptr;
        currentBlock_[c] = kNoBlock;
    }
}

// --- questions --------------------------------------------------------------------------------------------------------------

Object* Heap::findObject(uint64_t address) const {
    uint32_t index = space_.indexOf(address);
    if (index == kNoBlock) return nullptr;
    const Block* b = &space_.block(index);
    if (b->use == BlockUse::LargeTail) {
        index = b->head;
        b = &space_.block(index);
    }
    char* const begin = space_.addressOf(index);
    if (b->use == BlockUse::LargeHead) return awaitsSweep(*b) && !b->isMarked(0) ? nullptr : reinterpret_cast<Object*>(begin);
    if (b->use != BlockUse::Small) return nullptr;
    uint32_t cell = b->cellAt(static_cast<uint32_t>(address & (kBlockSize - 1)));
    if (cell >= b->cellCount || !b->isAllocated(cell) || (awaitsSweep(*b) && !b->isMarked(cell))) return nullptr;
    // The cells of the current run are not handed out yet.
    char* const p = begin + size_t{cell} * b->cellSize;
    const Run& run = runs_[b->sizeClass];
    return p >= run.next && p < run.end ? nullptr : reinterpret_cast<Object*>(p);
}

size_t Heap::cellSize(const Object* o) const {
    const Block& b = space_.block(space_.indexOfObject(o));
    return b.use == BlockUse::LargeHead ? b.largeBytes : b.cellSize;
}

uint64_t Heap::bytesInUse() const {
    uint64_t unused = 0;
    for (const Run& run : runs_) unused += static_cast<uint64_t>(run.end - run.next);
    return liveBytes_ + allocatedSince_ - unused + static_cast<uint64_t>(external_);
}

HeapStats Heap::stats() const {
    HeapStats result = stats_;
    result.bytesInUse = bytesInUse();
    result.bytesReserved = space_.committedBytes();
    result.liveAfterLast = liveBytes_;
    return result;
}

void Heap::forEachObject(void (*visit)(void* context, Object*), void* context) {
    collect();
    if (!space_.isReserved()) return;
    for (uint32_t i = 0; i < space_.end(); i++) {
        const Block& b = space_.block(i);
        if (b.use == BlockUse::LargeHead) visit(context, reinterpret_cast<Object*>(space_.addressOf(i)));
        if (b.use != BlockUse::Small) continue;
        for (uint32_t cell = 0; cell < b.cellCount; cell++) {
            if (!b.isMarked(cell)) continue;
            visit(context, reinterpret_cast<Object*>(space_.addressOf(i) + size_t{cell} * b.cellSize));
        }
    }
}

}  // namespace luapp::rt
