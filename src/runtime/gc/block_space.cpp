#include "runtime/gc/block_space.h"

#include <sys/mman.h>

#include <array>
#include <cstring>

namespace luapp::rt {
namespace {

// Cell sizes of the classes above 512 bytes: steps of an eighth to a quarter, then about whole fractions of a block; from 8 KiB on multiples
// of a card, so that no two objects share one.
constexpr uint32_t kBigCells[] = {640,  768,  896,  1024, 1280, 1536, 1792, 2048,  2560,  3072,
                                  3584, 4096, 5456, 6544, 8192, 9344, 10880, 13056, 16384, 32768};
constexpr unsigned kBigCount = sizeof kBigCells / sizeof kBigCells[0];
constexpr unsigned kFirstBig = kMaxExactSize / kGranule + 1;
static_assert(kFirstBig + kBigCount == kPlainClassCount);

// Address space to ask for; halved until the system agrees. A sanitizer build has to share the range with its shadow.
constexpr uint64_t kReserveWanted = LUAPP_ASAN ? uint64_t{8} << 30 : uint64_t{64} << 30;
constexpr uint64_t kReserveLeast = uint64_t{64} << 20;
// Memory is made accessible in steps that grow with the heap.
constexpr uint64_t kCommitStep = uint64_t{1} << 20;

void* mapReserved(uint64_t bytes, int protection) {
    void* p = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? nullptr : p;
}

}  // namespace

unsigned sizeClassOf(size_t bytes) {
    if (bytes <= kMaxExactSize) return static_cast<unsigned>((bytes + kGranule - 1) / kGranule);
    unsigned c = 0;
    while (kBigCells[c] < bytes) c++;
    return kFirstBig + c;
}

size_t classCellSize(unsigned sizeClass) {
    if (sizeClass < kFirstBig) return sizeClass * kGranule;
    if (sizeClass < kInternedClass) return kBigCells[sizeClass - kFirstBig];
    return sizeClass == kCoroutineClass ? kCoroutineCell : kLeastInternedCell + (sizeClass - kInternedClass) * kGranule;
}

BlockSpace::~BlockSpace() {
    if (base_ == nullptr) return;
    munmap(base_, reserved_);
    munmap(blocks_, reserved_ / kBlockSize * sizeof(Block));
}

bool BlockSpace::reserve() {
    for (uint64_t bytes = kReserveWanted; bytes >= kReserveLeast; bytes /= 2) {
        // One block more, to align the range.
        char* raw = static_cast<char*>(mapReserved(bytes + kBlockSize, PROT_NONE));
        if (raw == nullptr) continue;
        auto* side = static_cast<Block*>(mapReserved(bytes / kBlockSize * sizeof(Block), PROT_READ | PROT_WRITE));
        if (side == nullptr) {
            munmap(raw, bytes + kBlockSize);
            continue;
        }
        auto address = reinterpret_cast<uint64_t>(raw);
        uint64_t aligned = (address + kBlockSize - 1) & ~(uint64_t{kBlockSize} - 1);
        if (aligned != address) munmap(raw, aligned - address);
        uint64_t surplus = kBlockSize - (aligned - address);
        if (surplus != 0) munmap(reinterpret_cast<char*>(aligned) + bytes, surplus);
        base_ = reinterpret_cast<char*>(aligned);
        blocks_ = side;
        reserved_ = bytes;
        return true;
    }
    return false;
}

bool BlockSpace::commit(uint32_t blockCount) {
    uint64_t needed = uint64_t{blockCount} * kBlockSize;
    if (needed <= committed_) return true;
    if (needed > reserved_) return false;
    uint64_t step = committed_ / 4 > kCommitStep ? committed_ / 4 : kCommitStep;
    uint64_t target = committed_ + step > needed ? committed_ + step : needed;
    target = (target + kCommitStep - 1) / kCommitStep * kCommitStep;
    if (target > reserved_) target = reserved_;
    if (mprotect(base_ + committed_, target - committed_, PROT_READ | PROT_WRITE) != 0) return false;
    committed_ = target;
    return true;
}

uint32_t BlockSpace::takeSpan(uint32_t count) {
    if (freeBlocks_ >= count) {
        uint32_t found = 0;
        bool first = true;
        for (uint32_t i = searchFrom_; i < end_; i++) {
            if (blocks_[i].use != BlockUse::Free) {
                found = 0;
                continue;
            }
            if (first) {
                searchFrom_ = i;
                first = false;
            }
            if (++found == count) {
                freeBlocks_ -= count;
                return i + 1 - count;
            }
        }
        if (first) searchFrom_ = end_;
    }
    if (!commit(end_ + count)) return kNoBlock;
    uint32_t index = end_;
    for (uint32_t i = 0; i < count; i++) blocks_[index + i].isZeroed = true;
    end_ += count;
    usedBytes_ = uint64_t{end_} * kBlockSize;
    return index;
}

uint32_t BlockSpace::takeSmall(unsigned sizeClass) {
    uint32_t index = takeSpan(1);
    if (index == kNoBlock) return kNoBlock;
    Block& b = blocks_[index];
    b.use = BlockUse::Small;
    b.sizeClass = static_cast<uint8_t>(sizeClass);
    b.cellSize = static_cast<uint32_t>(classCellSize(sizeClass));
    b.cellCount = static_cast<uint32_t>(kBlockSize / b.cellSize);
    b.reciprocal = static_cast<uint32_t>(((uint64_t{1} << 32) + b.cellSize - 1) / b.cellSize);
    size_t words = (b.cellCount + 63) / 64 * 8;
    std::memset(b.marks, 0, words);
    std::memset(b.allocated, 0, words);
    return index;
}

uint32_t BlockSpace::takeLarge(uint32_t count, size_t bytes) {
    uint32_t index = takeSpan(count);
    if (index == kNoBlock) return kNoBlock;
    bool zeroed = true;
    for (uint32_t i = 0; i < count; i++) zeroed = zeroed && blocks_[index + i].isZeroed;
    Block& b = blocks_[index];
    b.use = BlockUse::LargeHead;
    b.sizeClass = static_cast<uint8_t>(kLargeClass);
    b.isZeroed = zeroed;
    b.cellSize = 0;
    b.cellCount = 1;
    b.reciprocal = 0;
    b.span = count;
    b.largeBytes = bytes;
    b.marks[0] = 0;
    b.allocated[0] = 1;
    for (uint32_t i = 1; i < count; i++) {
        blocks_[index + i].use = BlockUse::LargeTail;
        blocks_[index + i].head = index;
    }
    return index;
}

bool BlockSpace::extendLarge(uint32_t index, uint32_t count, size_t bytes) {
    Block& b = blocks_[index];
    uint32_t next = index + b.span;
    uint32_t end = index + count;
    for (uint32_t i = next; i < end && i < end_; i++) {
        if (blocks_[i].use != BlockUse::Free) return false;
    }
    if (!commit(end)) return false;
    for (uint32_t i = next; i < end; i++) {
        Block& tail = blocks_[i];
        if (i < end_) {
            freeBlocks_--;
            if (!tail.isZeroed) std::memset(addressOf(i), 0, kBlockSize);
        }
        tail.use = BlockUse::LargeTail;
        tail.head = index;
    }
    if (end > end_) {
        end_ = end;
        usedBytes_ = uint64_t{end_} * kBlockSize;
    }
    b.span = count;
    b.largeBytes = bytes;
    return true;
}

void BlockSpace::release(uint32_t index) {
    Block& b = blocks_[index];
    uint32_t count = b.use == BlockUse::LargeHead ? b.span : 1;
    for (uint32_t i = 0; i < count; i++) {
        blocks_[index + i].use = BlockUse::Free;
        blocks_[index + i].isZeroed = false;
        blocks_[index + i].isIdle = false;
    }
    freeBlocks_ += count;
    if (index < searchFrom_) searchFrom_ = index;
}

bool BlockSpace::returnIdle(uint32_t& cursor, uint32_t most) {
    const uint32_t stop = end_ - cursor > most ? cursor + most : end_;
    while (cursor < stop) {
        const uint32_t first = cursor;
        while (cursor < stop && blocks_[cursor].use == BlockUse::Free && blocks_[cursor].isIdle && !blocks_[cursor].isZeroed) cursor++;
        if (cursor > first) {
            if (madvise(addressOf(first), size_t{cursor - first} * kBlockSize, MADV_DONTNEED) != 0) continue;
            for (uint32_t k = first; k < cursor; k++) blocks_[k].isZeroed = true;
        } else {
            if (blocks_[cursor].use == BlockUse::Free) blocks_[cursor].isIdle = true;
            cursor++;
        }
    }
    return cursor < end_;
}

}  // namespace luapp::rt
