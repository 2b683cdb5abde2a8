// Native and VM stacks of coroutines, from one reserved address range per State. A slot holds both: the native stack grows down
// from the slot's middle line, the VM stack grows up from it, so a coroutine that does little touches one or two
// pages. Where that line is differs from slot to slot, and slots stand an odd number of pages apart, so that the stacks of many coroutines
// do not meet in the same sets of the processor's caches. Slots are handed out last in, first out; what idle slots committed beyond
// a reserve goes back to the system at collections. There are no guard pages (they would use up the system's
// mappings): the VM checks its limit, C++ recursion checks nativeLimit.
//
//   slot   | headroom |  native stack  <--|--> VM stack           |
//          begin                         middle                   end
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/base/check.h"
#include "runtime/object/object.h"

namespace luapp::rt {

/// Bytes of one slot, and of the native stack in it.
inline constexpr size_t kStackSlotSize = LUAPP_ASAN ? size_t{4} << 20 : size_t{1} << 20;
inline constexpr size_t kNativeStackSize = LUAPP_ASAN ? size_t{2} << 20 : size_t{256} << 10;
/// Bytes from one slot to the next.
inline constexpr size_t kStackSlotStride = kStackSlotSize + size_t{36} * 1024;
/// Native stack kept free below nativeLimit, for library code that does not check.
inline constexpr size_t kNativeHeadroom = LUAPP_ASAN ? size_t{256} << 10 : size_t{32} << 10;
/// Most coroutines of one State that can have a stack at once.
inline constexpr uint32_t kMaxStackSlots = LUAPP_ASAN ? 16 * 1024 : 128 * 1024;

/// The stacks of one coroutine; `slot` is kNoSlot where there is none.
struct CoroutineStack {
    static constexpr uint32_t kNoSlot = 0xFFFF'FFFFu;
    uint32_t slot = kNoSlot;
    char* nativeBegin = nullptr;  // lowest address
    char* nativeEnd = nullptr;    // one past the highest; the stack starts here
    Word* vmBegin = nullptr;
    Word* vmEnd = nullptr;
};

class StackArena {
public:
    StackArena() = default;
    ~StackArena();
    StackArena(const StackArena&) = delete;
    StackArena& operator=(const StackArena&) = delete;

    /// Takes a slot; false if all are in use or the system refuses address space.
    bool take(CoroutineStack& out);
    /// Gives a slot back; its contents are lost.
    void give(CoroutineStack& stack);
    /// Gives the memory of up to `most` idle slots beyond a reserve back to the system; true if there are more.
    bool returnIdle(uint32_t most);
    uint32_t inUse() const { return used_ - idleCount_; }

private:
    bool reserve();

    char* base_ = nullptr;
    uint32_t slots_ = 0;      // slots in the reserved range
    uint32_t used_ = 0;       // slots [0, used_) were handed out at some time
    uint32_t idleCount_ = 0;  // of those, idle ones: a stack of slot numbers
    uint32_t* idle_ = nullptr;
    uint32_t idleCapacity_ = 0;
    uint32_t returnedIdle_ = 0;   // of the idle ones the first so many have given their memory back to the system
};

}  // namespace luapp::rt
