// The heap verifier of debug builds: when marking has ended, every marked object is an allocated one with a sane header, and all its
// references are to marked objects. A missing write barrier or a store before its time shows here, in the cycle after it happened.
#include "runtime/gc/heap.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

// Big heaps are looked at now and then only.
constexpr uint64_t kAlwaysBelow = uint64_t{4} << 20;
constexpr uint64_t kEvery = 16;

}  // namespace

/// Ends the process if something is wrong. The period is the new one already, no block is swept yet.
void Heap::verify() {
    if (liveBytes_ > kAlwaysBelow && cycles_ % kEvery != 0) return;
    const auto check = [this](Object* o, bool isAllocated) {
        if (!isAllocated) base::bugFound("a marked cell is not allocated", __FILE__, __LINE__);
        if (static_cast<unsigned>(o->kind) >= kKindCount || o->log > kLongTraced) base::bugFound("a header is broken", __FILE__, __LINE__);
        const Object* child = tracer_.findUnmarkedChild(o);
        if (child == nullptr) return;
        std::fprintf(stderr, "luapp: an object of kind %u refers to one of kind %u that is not marked (%s cycle)\n", static_cast<unsigned>(o->kind),
                     static_cast<unsigned>(child->kind), kind_ == CycleKind::Major ? "major" : "minor");
        base::bugFound("the write barrier has missed a store", __FILE__, __LINE__);
    };
    for (uint32_t i = 0; i < space_.end(); i++) {
        const Block& b = space_.block(i);
        if (b.use == BlockUse::LargeHead && b.isMarked(0)) check(reinterpret_cast<Object*>(space_.addressOf(i)), true);
        if (b.use != BlockUse::Small) continue;
        for (uint32_t cell = 0; cell < b.cellCount; cell++) {
            if (b.isMarked(cell)) check(reinterpret_cast<Object*>(space_.addressOf(i) + size_t{cell} * b.cellSize), b.isAllocated(cell));
        }
    }
}

}  // namespace luapp::rt
