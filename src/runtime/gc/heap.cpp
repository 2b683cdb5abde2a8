#include "runtime/gc/heap.h"

#include <time.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "gc_config.h"
#include "runtime/gc/marker.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/userdata.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

constexpr bool kStress = LUAPP_GC_STRESS != 0;
// Stress builds collect when a 64th of the heap has been allocated: at every allocation while the heap is small.
constexpr uint64_t kStressShare = 64;
// Freed cells hold this in stress builds, so that a stale reference is seen at once.
constexpr int kPoison = 0xDB;
// A heap grows at least by this between collections.
constexpr uint64_t kLeastThreshold = uint64_t{1} << 20;
// Recycled memory is zeroed and handed out in pieces that fit the first-level cache.
constexpr uint32_t kMaxRecycledRun = 8 * 1024;

uint64_t nowNs() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

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

Heap::Heap(State& s) : state_(s), threshold_(kLeastThreshold) {
    for (unsigned c = 0; c < kSizeClassCount; c++) currentBlock_[c] = toSweep_[c] = kNoBlock;
}

Heap::~Heap() = default;

size_t Heap::roundedSize(size_t bytes) {
    if (bytes <= kMaxSmallSize) return classCellSize(sizeClassOf(bytes));
    return size_t{blocksFor(bytes)} * kBlockSize;
}

// --- allocation -------------------------------------------------------------------------------------------------------------

void Heap::beforeAllocating(size_t bytes) {
    if (LUAPP_UNLIKELY(!space_.isReserved()) && !space_.reserve()) raise(state_, ErrorKind::OutOfMemory);
    uint64_t due = kStress ? liveBytes_ / kStressShare : threshold_;
    uint64_t externalGrowth = external_ > externalThen_ ? static_cast<uint64_t>(external_ - externalThen_) : 0;
    if (allocatedSince_ + bytes + externalGrowth > due && enabled_ && !limitSuspended_) collect();
    if (limit_ != 0 && !limitSuspended_ && bytesInUse() + bytes > limit_) {
        collect();
        // Being close to the limit counts as beyond it: else every few allocations would collect.
        if (bytesInUse() + bytes > limit_ - limit_ / 64) raise(state_, ErrorKind::OutOfMemory);
    }
    // A collection starts the count anew, so this comes last.
    allocatedSince_ += bytes;
}

Object* Heap::allocateSlow(size_t bytes, uint64_t header) {
    LUAPP_CHECK(!collecting_, "no allocation during a collection");
    if (bytes > kMaxSmallSize) return allocateLarge(bytes, header);
    unsigned sizeClass = sizeClassOf(bytes);
    Run& run = runs_[sizeClass];
    size_t cell = classCellSize(sizeClass);
    if (cell > static_cast<size_t>(run.end - run.next)) refill(sizeClass);
    char* p = run.next;
    run.next = p + cell;
    std::memcpy(p, &header, sizeof header);
    return reinterpret_cast<Object*>(p);
}

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
    if (space_.extendLarge(index, blocksFor(rounded), rounded)) return true;
    allocatedSince_ -= more;
    return false;
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

/// Makes the next block with free cells the class's current one: a block to sweep, or a new one.
bool Heap::nextBlock(unsigned sizeClass) {
    uint32_t index = toSweep_[sizeClass];
    if (index != kNoBlock) {
        Block& b = space_.block(index);
        toSweep_[sizeClass] = b.nextToSweep;
        startRecycling(index, b);
    } else {
        index = space_.takeSmall(sizeClass);
        if (index == kNoBlock) return false;
    }
    currentBlock_[sizeClass] = index;
    cursorCell_[sizeClass] = 0;
    return true;
}

/// Sweeps one block: what is not marked is free.
void Heap::startRecycling(uint32_t blockIndex, Block& b) {
    if (!b.needsSweep) return;
    b.needsSweep = false;
    if (kStress) {
        for (uint32_t cell = 0; cell < b.cellCount; cell++) {
            if (b.isAllocated(cell) && !b.isMarked(cell)) {
                std::memset(space_.addressOf(blockIndex) + size_t{cell} * b.cellSize, kPoison, b.cellSize);
            }
        }
    }
    std::memcpy(b.allocated, b.marks, (b.cellCount + 63) / 64 * 8);
}

// --- collection -------------------------------------------------------------------------------------------------------------

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

void Heap::finishSweep() {
    for (uint32_t i = 0; i < space_.end(); i++) {
        Block& b = space_.block(i);
        if (b.use == BlockUse::Small) startRecycling(i, b);
    }
}

void Heap::clearMarks() {
    for (uint32_t i = 0; i < space_.end(); i++) {
        Block& b = space_.block(i);
        if (b.use == BlockUse::Small) std::memset(b.marks, 0, (b.cellCount + 63) / 64 * 8);
        if (b.use == BlockUse::LargeHead) b.marks[0] = 0;
    }
}

/// After marking: empty blocks and dead large objects go back, blocks with holes are queued to be swept.
void Heap::rebuildSweepLists() {
    uint32_t* tails[kSizeClassCount];
    for (unsigned c = 0; c < kSizeClassCount; c++) tails[c] = &toSweep_[c];
    uint64_t live = 0;
    for (uint32_t i = 0; i < space_.end(); i++) {
        Block& b = space_.block(i);
        if (b.use == BlockUse::LargeHead) {
            if (b.isMarked(0)) {
                live += b.largeBytes;
            } else {
                if (kStress) std::memset(space_.addressOf(i), kPoison, kBlockSize);
                space_.release(i);
            }
        }
        if (b.use != BlockUse::Small) continue;
        uint32_t marked = 0;
        for (uint32_t w = 0; w < (b.cellCount + 63) / 64; w++) marked += static_cast<uint32_t>(std::popcount(b.marks[w]));
        b.liveCells = marked;
        live += uint64_t{marked} * b.cellSize;
        if (marked == 0) {
            if (kStress) std::memset(space_.addressOf(i), kPoison, kBlockSize);
            space_.release(i);
            continue;
        }
        b.needsSweep = true;
        b.isZeroed = false;
        if (marked < b.cellCount) {
            *tails[b.sizeClass] = i;
            tails[b.sizeClass] = &b.nextToSweep;
        }
    }
    for (uint32_t* tail : tails) *tail = kNoBlock;
    space_.returnIdle();
    liveBytes_ = live;
}

/// Finalisers of unreached userdata run, and stacks of unreached coroutines go back.
void Heap::finaliseUnreached() {
    for (Userdata** link = &finalisable_; *link != nullptr;) {
        Userdata* u = *link;
        if (isMarked(u)) {
            link = &u->nextFinal;
        } else {
            *link = u->nextFinal;
            u->userClass->finalise(u->data());
        }
    }
    for (Coroutine* co = state_.liveCoroutines; co != nullptr;) {
        Coroutine* next = co->nextLive;
        if (!isMarked(co)) closeCoroutine(state_, co);
        co = next;
    }
}

/// Lua tables and userdata have a finaliser if their metatable has one now.
bool Heap::hasFinalizer(Object* o) const {
    if (o->kind != Kind::LuaTable && o->kind != Kind::Userdata) return true;
    const LuaTable* metatable =
        o->kind == Kind::LuaTable ? static_cast<LuaTable*>(o)->metatable : static_cast<Userdata*>(o)->metatable;
    return metatable != nullptr && state_.gcKey != nullptr && !luaGetString(state_, metatable, state_.gcKey).isNil();
}

/// Unreached objects with finalisers become due. They run in the reverse order of creation, after those that were due before.
bool Heap::queueUnreached() {
    auto lost = std::stable_partition(registered_.begin(), registered_.end(), [this](Object* o) { return isMarked(o); });
    if (lost == registered_.end()) return false;
    for (auto o = lost; o != registered_.end(); ++o) registeredTables_.erase(*o);
    auto last = std::stable_partition(lost, registered_.end(), [this](Object* o) { return hasFinalizer(o); });
    const bool any = last != lost;
    due_.insert(due_.begin(), lost, last);
    registered_.erase(lost, registered_.end());
    return any;
}

LUAPP_NOINLINE void Heap::collect(const void* nativeStack) {
    if (!space_.isReserved()) return;
    LUAPP_CHECK(!collecting_, "collections do not nest");
    collecting_ = true;
    uint64_t start = nowNs();
    // Callee-saved registers may hold references: have them stored in this frame, which the scan covers.
    __builtin_unwind_init();
    const void* stackPointer = nullptr;
    asm volatile("mov %%rsp, %0" : "=r"(stackPointer));
    finishSweep();
    retireRuns();
    clearMarks();
    {
        Marker marker(state_, *this, space_);
        marker.run(nativeStack != nullptr ? nativeStack : stackPointer);
        if (queueUnreached()) marker.markDue();
        dueSorted_.assign(due_.begin(), due_.end());
        std::sort(dueSorted_.begin(), dueSorted_.end());
        marker.clearWeakTables();
    }
    if (state_.hooks != nullptr && state_.hooks->freeUnreached != nullptr) state_.hooks->freeUnreached(state_);
    if (!due_.empty()) state_.requestFinalizers();
    state_.strings.sweep(*this);
    finaliseUnreached();
    rebuildSweepLists();
    if (kStress) finishSweep();
    allocatedSince_ = 0;
    externalThen_ = external_;
    uint64_t live = liveBytes_ + static_cast<uint64_t>(external_);
    uint64_t grown = live / 100 * (pausePercent_ > 100 ? pausePercent_ - 100 : 0);
    threshold_ = grown > kLeastThreshold ? grown : kLeastThreshold;
    uint64_t pause = nowNs() - start;
    stats_.collections++;
    stats_.totalPauseNs += pause;
    if (pause > stats_.longestPauseNs) stats_.longestPauseNs = pause;
    stats_.liveAfterLast = liveBytes_;
    collecting_ = false;
}

// --- questions --------------------------------------------------------------------------------------------------------------

bool Heap::isMarked(const Object* o) const {
    const Block& b = space_.block(space_.indexOfObject(o));
    return b.isMarked(b.cellAt(static_cast<uint32_t>(reinterpret_cast<uint64_t>(o) & (kBlockSize - 1))));
}

Object* Heap::findObject(uint64_t address) const {
    uint32_t index = space_.indexOf(address);
    if (index == kNoBlock) return nullptr;
    const Block* b = &space_.block(index);
    if (b->use == BlockUse::LargeTail) {
        index = b->head;
        b = &space_.block(index);
        return reinterpret_cast<Object*>(space_.addressOf(index));
    }
    if (b->use == BlockUse::LargeHead) return reinterpret_cast<Object*>(space_.addressOf(index));
    if (b->use != BlockUse::Small) return nullptr;
    uint32_t cell = b->cellAt(static_cast<uint32_t>(address & (kBlockSize - 1)));
    if (cell >= b->cellCount || !b->isAllocated(cell)) return nullptr;
    return reinterpret_cast<Object*>(space_.addressOf(index) + size_t{cell} * b->cellSize);
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
    return result;
}

void Heap::addFinalisable(Userdata* u) {
    u->nextFinal = finalisable_;
    finalisable_ = u;
}

void Heap::addFinalisable(Object* o) {
    if (o->kind == Kind::LuaTable && !registeredTables_.insert(o).second) return;
    registered_.push_back(o);
}

bool Heap::isDue(const Object* o) const { return std::binary_search(dueSorted_.begin(), dueSorted_.end(), o); }

Object* Heap::takeFinalisable() {
    if (due_.empty()) return nullptr;
    Object* o = due_.back();
    due_.pop_back();
    return o;
}

void Heap::finaliseObjects() {
    due_.insert(due_.begin(), registered_.begin(), registered_.end());
    registered_.clear();
    registeredTables_.clear();
}

void Heap::finaliseAll() {
    while (finalisable_ != nullptr) {
        Userdata* u = finalisable_;
        finalisable_ = u->nextFinal;
        u->userClass->finalise(u->data());
    }
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
