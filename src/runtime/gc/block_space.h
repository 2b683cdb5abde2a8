// The address space of one heap: a reserved range divided into blocks of 64 KiB, committed from the front as needed, and the side
// table that describes each block. Knows size classes and bitmaps, not objects: what a cell contains is the heap's and
// the marker's business. Blocks are addressed by index; a run of consecutive blocks can be taken for one large object.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/base/check.h"

namespace luapp::rt {

inline constexpr size_t kBlockSize = 64 * 1024;
inline constexpr size_t kGranule = 16;
/// Up to this size there is a size class for each multiple of kGranule.
inline constexpr size_t kMaxExactSize = 512;
/// Objects above this size get blocks of their own.
inline constexpr size_t kMaxSmallSize = 32 * 1024;
/// Classes 1..32 are exact multiples of 16; 20 for bigger cells follow (block_space.cpp).
inline constexpr unsigned kPlainClassCount = 33 + 20;
/// Classes of their own have the objects whose death must be noticed when their block is swept: interned strings (cells of 32, 48 and 64
/// bytes) and coroutines.
inline constexpr unsigned kInternedClass = kPlainClassCount;
inline constexpr unsigned kCoroutineClass = kInternedClass + 3;
inline constexpr unsigned kSizeClassCount = kCoroutineClass + 1;
inline constexpr size_t kLeastInternedCell = 32;
inline constexpr size_t kCoroutineCell = 256;
inline constexpr unsigned kLargeClass = 255;
inline constexpr uint32_t kNoBlock = 0xFFFF'FFFFu;
inline constexpr uint32_t kMaxCells = kBlockSize / kGranule;
/// Changes of long objects are logged by cards of this size (barrier.h).
inline constexpr size_t kCardSize = 128;
inline constexpr uint32_t kCardsPerBlock = kBlockSize / kCardSize;

enum class BlockUse : uint8_t {
    Free,       // in no use
    Small,      // cells of one size class
    LargeHead,  // first block of a large object
    LargeTail,  // further block of a large object; `head` tells the first
};

/// Description of one block. Bit i of the bitmaps is cell i; a large object is cell 0 of its head.
struct Block {
    BlockUse use;
    uint8_t sizeClass;
    bool isZeroed;     // memory never used since the system gave it
    bool isIdle;       // free, and was so when returnIdle() last came by
    uint32_t cellSize; // small: bytes per cell
    uint32_t cellCount;
    uint32_t reciprocal;  // ceil(2^32 / cellSize), to divide by it
    uint32_t head;        // LargeTail: block index of the head
    uint32_t span;        // LargeHead: number of blocks
    uint32_t nextAvailable; // small: list of the heap, per class, of swept blocks with free cells
    uint32_t touchedIn;   // period (Heap::period_) in which cells of it were last handed out
    uint32_t sweptIn;     // period in which its allocation bits were last made exact
    uint64_t largeBytes;  // LargeHead: bytes asked for, rounded
    uint64_t cards[kCardsPerBlock / 64];  // bit i: it is on the log
    uint64_t marks[kMaxCells / 64];
    uint64_t allocated[kMaxCells / 64];

    bool isMarked(uint32_t cell) const { return (marks[cell >> 6] >> (cell & 63)) & 1; }
    bool isAllocated(uint32_t cell) const { return (allocated[cell >> 6] >> (cell & 63)) & 1; }
    /// Number of the cell that contains byte `offset` of the block.
    uint32_t cellAt(uint32_t offset) const { return static_cast<uint32_t>((uint64_t{offset} * reciprocal) >> 32); }
};

/// The size class whose cells hold `bytes` (<= kMaxSmallSize).
unsigned sizeClassOf(size_t bytes);
/// Bytes per cell of a class.
size_t classCellSize(unsigned sizeClass);

class BlockSpace {
public:
    BlockSpace() = default;
    ~BlockSpace();
    BlockSpace(const BlockSpace&) = delete;
    BlockSpace& operator=(const BlockSpace&) = delete;

    /// Reserves the address range; false if the system refuses even a small one. Called on first use.
    bool reserve();
    bool isReserved() const { return base_ != nullptr; }

    /// Takes one block for a size class, or `count` consecutive ones for a large object; kNoBlock if memory is exhausted.
    uint32_t takeSmall(unsigned sizeClass);
    uint32_t takeLarge(uint32_t count, size_t bytes);
    /// Makes a large object `count` blocks long if the blocks behind it are free; the new part is zeroed.
    bool extendLarge(uint32_t index, uint32_t count, size_t bytes);
    /// Makes a block, or all blocks of a large object, free.
    void release(uint32_t index);
    /// Looks at up to `most` blocks from `cursor` on and gives those back to the system that were free when it last came by already. False:
    /// all have been looked at.
    bool returnIdle(uint32_t& cursor, uint32_t most);

    char* addressOf(uint32_t index) const { return base_ + size_t{index} * kBlockSize; }
    Block& block(uint32_t index) { return blocks_[index]; }
    const Block& block(uint32_t index) const { return blocks_[index]; }
    /// Index of the block an address lies in; kNoBlock if it is outside of all that was ever taken.
    uint32_t indexOf(uint64_t address) const {
        uint64_t offset = address - reinterpret_cast<uint64_t>(base_);
        return offset < usedBytes_ ? static_cast<uint32_t>(offset / kBlockSize) : kNoBlock;
    }
    /// Index of the block of a valid object.
    uint32_t indexOfObject(const void* o) const {
        return static_cast<uint32_t>((reinterpret_cast<uint64_t>(o) - reinterpret_cast<uint64_t>(base_)) / kBlockSize);
    }
    /// Blocks [0, end()) have been taken at some time.
    uint32_t end() const { return end_; }
    uint64_t committedBytes() const { return committed_; }

private:
    uint32_t takeSpan(uint32_t count);
    bool commit(uint32_t blockCount);

    char* base_ = nullptr;
    Block* blocks_ = nullptr;
    uint64_t usedBytes_ = 0;   // end_ * kBlockSize
    uint64_t reserved_ = 0;    // bytes of address space
    uint64_t committed_ = 0;   // bytes made accessible
    uint32_t end_ = 0;
    uint32_t freeBlocks_ = 0;  // free blocks below end_
    uint32_t searchFrom_ = 0;  // no free block below this one
};

}  // namespace luapp::rt
