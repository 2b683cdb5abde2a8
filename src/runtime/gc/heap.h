// The heap of one State: non-moving, in blocks of 64 KiB that each hold cells of one size class; larger objects get blocks of their
// own. Allocation bumps a pointer through a run of free cells; runs come from sweeping blocks lazily. A collection stops
// the program, marks from the roots (roots.def, VM stacks, native stacks conservatively) and leaves every block to be
// swept when allocation next comes to it. Memory handed out is zeroed. Objects never move.
//
//   reserve (address space)   | block 0 | block 1 | ...                one mapping per State, committed as it grows
//   side table                | Block 0 | Block 1 | ...                size class, mark and allocation bits; found by address
//
// GC rules: allocate() may collect, so everything the caller needs afterwards must be reachable from a root: a pointer in a C++
// local is one (native stacks are scanned). allocate() raises "out of memory" (catchable) beyond the State's limit.
// It does not run program code: finalisers of userdata are C++ functions (userdata.h), those that programs write run later (vm/finalizers.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "runtime/gc/block_space.h"
#include "runtime/object/object.h"
#include "runtime/object/value.h"

namespace luapp::rt {

/// Figures for collectgarbage("count") and ("stats").
struct HeapStats {
    uint64_t bytesInUse = 0;      // cells handed out and not known to be free, and external memory
    uint64_t bytesReserved = 0;   // memory taken from the system
    uint64_t collections = 0;
    uint64_t totalPauseNs = 0;
    uint64_t longestPauseNs = 0;
    uint64_t liveAfterLast = 0;   // bytes marked by the last collection
};

class Heap {
public:
    explicit Heap(State& s);
    ~Heap();
    Heap(const Heap&) = delete;
    Heap& operator=(const Heap&) = delete;

    /// A new zeroed object of `bytes` bytes (header included, at least 8). May collect, may raise "out of memory".
    LUAPP_ALWAYS_INLINE Object* allocate(size_t bytes, Kind kind, uint32_t aux = 0, uint8_t extra = 0, uint8_t flags = 0) {
        uint64_t header = headerWord(kind, aux, extra, flags);
        if (LUAPP_LIKELY(bytes <= kMaxExactSize)) {
            size_t cell = (bytes + kGranule - 1) & ~(kGranule - 1);
            Run& run = runs_[cell / kGranule];
            char* p = run.next;
            if (LUAPP_LIKELY(cell <= static_cast<size_t>(run.end - p))) {
                run.next = p + cell;
                *reinterpret_cast<uint64_t*>(p) = header;
                return reinterpret_cast<Object*>(p);
            }
        }
        return allocateSlow(bytes, header);
    }

    /// Tries to make a large object (above kMaxSmallSize) longer where it is: true if it now has `bytes` bytes, the new ones
    /// zeroed. False changes nothing: the caller allocates anew and copies. May collect, may raise.
    bool extend(Object* o, size_t bytes);

    /// The bytes an allocation of `bytes` really gets; containers fill them. The same function for every State.
    static size_t roundedSize(size_t bytes);

    /// A full collection now. Safe anywhere allocation is. `nativeStack`, if not null: what the native stack holds below it keeps no
    /// object alive, the callee-saved registers neither.
    void collect(const void* nativeStack = nullptr);
    /// Stops or restarts automatic collection (collectgarbage "stop", "restart"); the limit still holds.
    void setEnabled(bool enabled) { enabled_ = enabled; }
    bool isEnabled() const { return enabled_; }
    /// How far the heap grows between collections, in percent of what was live (200: to the double).
    void setPause(uint32_t percent) { pausePercent_ = percent; }
    uint32_t pause() const { return pausePercent_; }

    /// Bytes the program may use; allocation beyond collects, then raises. 0: no limit.
    void setLimit(uint64_t bytes) { limit_ = bytes; }
    uint64_t limit() const { return limit_; }

    /// Lets allocations pass the limit for a moment; for making the error object of "out of memory".
    void suspendLimit(bool suspended) { limitSuspended_ = suspended; }

    /// Accounts memory outside the heap that an object keeps alive (coroutine stacks); negative to give back. Does not collect.
    void addExternal(int64_t bytes) { external_ += bytes; }

    /// Exact number of bytes in use now, as collectgarbage("count") reports (in KiB there).
    uint64_t bytesInUse() const;
    HeapStats stats() const;

    /// Lowest address of the heap; every object lies within 64 GiB above it.
    char* base() const { return space_.addressOf(0); }

    /// The object whose cell contains `address`, or null: a conservative pointer test. Exact only during a collection.
    Object* findObject(uint64_t address) const;
    /// Bytes of the cell of an object.
    size_t cellSize(const Object* o) const;

    /// Registers an object whose finaliser must run; called by newUserdata.
    void addFinalisable(Userdata* u);
    /// Registers an object that may have a finaliser which is program code: an instance of a class with one, or a Lua table or userdata,
    /// whose metatable may have `__gc` when the time comes. The collection that finds it unreachable keeps it, and asks the State to
    /// run the finaliser soon (State::requestFinalizers). Registering a Lua table twice has no effect.
    void addFinalisable(Object* o);
    /// The next object whose finaliser is due, the youngest first of those that one collection found; null: none. It is a root
    /// until then.
    Object* takeFinalisable();
    /// True if the finaliser of `o` is due; for weak tables.
    bool isDue(const Object* o) const;
    /// Makes the finalisers of all registered objects due; the program is at its end.
    void finaliseObjects();
    /// Runs every pending finaliser of userdata; the State is closing.
    void finaliseAll();

    /// True if the collection that is going on has reached `o`; for weak tables.
    bool isMarked(const Object* o) const;

    /// Calls `visit` for each live object; for heap dumps and tests. Collects first.
    void forEachObject(void (*visit)(void* context, Object*), void* context);

private:
    friend class Marker;
    struct Run {
        char* next = nullptr;
        char* end = nullptr;
    };

    Object* allocateSlow(size_t bytes, uint64_t header);
    Object* allocateLarge(size_t bytes, uint64_t header);
    void refill(unsigned sizeClass);
    bool takeRun(unsigned sizeClass);
    bool nextBlock(unsigned sizeClass);
    void beforeAllocating(size_t bytes);
    void retireRuns();
    void finishSweep();
    void clearMarks();
    void finaliseUnreached();
    bool queueUnreached();
    bool hasFinalizer(Object* o) const;
    void rebuildSweepLists();
    void startRecycling(uint32_t blockIndex, Block& block);

    State& state_;
    Run runs_[kSizeClassCount];
    BlockSpace space_;
    uint32_t currentBlock_[kSizeClassCount];  // block the run was cut from; kNoBlock: none
    uint32_t cursorCell_[kSizeClassCount];    // where in it the search for the next run goes on
    uint32_t toSweep_[kSizeClassCount];       // list (Block::nextToSweep) of blocks that had free cells at the last collection
    uint64_t allocatedSince_ = 0;             // bytes handed out since the last collection (runs count in full)
    uint64_t liveBytes_ = 0;                  // bytes marked by the last collection
    uint64_t threshold_;                      // collect when allocatedSince_ passes this
    uint64_t limit_ = 0;
    int64_t external_ = 0;                    // bytes outside the heap
    int64_t externalThen_ = 0;                // of them at the last collection
    uint32_t pausePercent_ = 200;
    bool enabled_ = true;
    bool collecting_ = false;
    bool limitSuspended_ = false;  // while the message "out of memory" is made
    Userdata* finalisable_ = nullptr;
    std::vector<Object*> registered_;   // objects with finalisers in order of creation; holds none of them
    std::unordered_set<const Object*> registeredTables_;
    std::vector<Object*> due_;          // those whose finalisers are to run, the next one last; roots
    std::vector<const Object*> dueSorted_;  // the same by address, while a collection clears weak tables
    HeapStats stats_;
};

}  // namespace luapp::rt
