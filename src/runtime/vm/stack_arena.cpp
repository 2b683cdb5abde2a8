#include "runtime/vm/stack_arena.h"

#include <sys/mman.h>

#include <cstdlib>

namespace luapp::rt {
namespace {

constexpr uint32_t kLeastSlots = 64;
// Idle slots that keep their memory.
constexpr uint32_t kKeptIdle = 64;
// The middle line stands in the middle part of a page, so that both stacks begin in the same page; on one of so many cache lines.
constexpr uint32_t kColours = 20;
constexpr size_t kFirstMiddle = kNativeStackSize + 1536;
constexpr size_t kCacheLine = 64;

size_t middleOf(uint32_t slot) { return kFirstMiddle + slot % kColours * kCacheLine; }

}  // namespace

StackArena::~StackArena() {
    if (base_ != nullptr) munmap(base_, size_t{slots_} * kStackSlotStride);
    std::free(idle_);
}

bool StackArena::reserve() {
    for (uint32_t slots = kMaxStackSlots; slots >= kLeastSlots; slots /= 2) {
        size_t bytes = size_t{slots} * kStackSlotStride;
        void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) continue;
        // A huge page would commit the stacks of two coroutines whole.
        madvise(p, bytes, MADV_NOHUGEPAGE);
        base_ = static_cast<char*>(p);
        slots_ = slots;
        return true;
    }
    return false;
}

bool StackArena::take(CoroutineStack& out) {
    if (LUAPP_UNLIKELY(base_ == nullptr) && !reserve()) return false;
    uint32_t slot = 0;
    if (idleCount_ > 0) {
        slot = idle_[--idleCount_];
        if (returnedIdle_ > idleCount_) returnedIdle_ = idleCount_;
    } else if (used_ < slots_) {
        slot = used_++;
    } else {
        return false;
    }
    char* begin = base_ + size_t{slot} * kStackSlotStride;
    out.slot = slot;
    out.nativeBegin = begin;
    out.nativeEnd = begin + middleOf(slot);
    out.vmBegin = reinterpret_cast<Word*>(out.nativeEnd);
    out.vmEnd = reinterpret_cast<Word*>(begin + kStackSlotSize);
    return true;
}

void StackArena::give(CoroutineStack& stack) {
    if (idleCount_ == idleCapacity_) {
        idleCapacity_ = idleCapacity_ == 0 ? 256 : idleCapacity_ * 2;
        idle_ = static_cast<uint32_t*>(std::realloc(idle_, idleCapacity_ * sizeof(uint32_t)));
        if (idle_ == nullptr) base::bugFound("no memory for the list of idle stacks", __FILE__, __LINE__);
    }
    idle_[idleCount_++] = stack.slot;
    stack.slot = CoroutineStack::kNoSlot;
}

bool StackArena::returnIdle(uint32_t most) {
    // Of the idle slots only the ones to be taken next keep their memory.
    for (; idleCount_ - returnedIdle_ > kKeptIdle; most--) {
        if (most == 0) return true;
        madvise(base_ + size_t{idle_[returnedIdle_]} * kStackSlotStride, kStackSlotSize, MADV_DONTNEED);
        returnedIdle_++;
    }
    return false;
}

}  // namespace luapp::rt
