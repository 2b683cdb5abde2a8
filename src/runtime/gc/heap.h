// The heap of one State: non-moving, in blocks of 64 KiB that each hold cells of one size class; larger objects get blocks of their
// own. Allocation bumps a pointer through a run of free cells; runs come from blocks that were swept. Memory handed out is zeroed.
// The collector is generational by mark bits that stay and incremental: its work is done in slices of bounded time, started by
// allocation; README.md of this folder says how. This class owns all of it: blocks and allocation (heap.cpp), sweeping (sweep.cpp),
// the registers of finalisers (finalisable.cpp), the cycle (cycle.cpp) with its tracer (tracer.h) and its figures (pauses.h).
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
#include "runtime/gc/pauses.h"
#include "runtime/gc/tracer.h"
#include "runtime/object/object.h"
#include "runtime/object/value.h"

namespace luapp::rt {

/// Figures for collectgarbage("count") and ("stats").
struct HeapStats {
    uint64_t bytesInUse = 0;      // cells handed out and not known to be free, and external memory
    uint64_t bytesReserved = 0;   // memory taken from the system
    uint64_t minorCycles = 0;     // ended ones; also those below
    uint64_t majorCycles = 0;     // full ones included
    uint64_t fullCollections = 0;
    uint64_t liveAfterLast = 0;   // bytes marked when the last cycle ended
    PauseHistogram pauses;        // slices and full collections
};

/// What the collector did in one pause; for `--gc-log`.
struct GcReport {
    enum class What : uint8_t { Slice, Full };
    What what = What::Slice;
    CycleKind kind = CycleKind::Minor;  // of the cycle that the pause ended with
    const char* phase = "";             // that the cycle is in now: "clear", "mark", "sweep", "idle"
    uint64_t cycle = 0;                 // number of the cycle
    uint64_t wallNs = 0;
    uint64_t cpuNs = 0;                 // of the thread
    uint64_t switches = 0;              // how often the system gave the processor to somebody else meanwhile
    uint64_t bytesInUse = 0;
    bool ended = false;                 // a cycle's marking ended: the figures below are of it
    uint64_t allocatedBytes = 0;        // since the one before
    uint64_t markedBytes = 0;           // newly by this cycle
    uint64_t liveBytes = 0;             // altogether
};
using GcObserver = void (*)(void* context, const GcReport& report);

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
    /// The same for an interned string of `bytes` bytes, and for a coroutine: their deaths are noticed.
    Object* allocateInterned(size_t bytes, uint32_t hash, uint8_t flags);
    Object* allocateCoroutine();

    /// Tries to make a large object (above kMaxSmallSize) longer where it is: true if it now has `bytes` bytes, the new ones
    /// zeroed. False changes nothing: the caller allocates anew and copies. May collect, may raise.
    bool extend(Object* o, size_t bytes);

    /// The bytes an allocation of `bytes` really gets; containers fill them. The same function for every State.
    static size_t roundedSize(size_t bytes);

    /// A full collection now, in one pause: nothing unreachable stays. Safe anywhere allocation is. `nativeStack`, if not null: what the
    /// native stack holds below it keeps no object alive, the callee-saved registers neither.
    void collect(const void* nativeStack = nullptr);
    /// Does `bytes` bytes' worth of work on a major cycle, which it starts if none goes on; true if that ended it. `nativeStack` as above.
    bool stepBy(uint64_t bytes, const void* nativeStack = nullptr);
    /// Stops or restarts automatic collection (collectgarbage "stop", "restart"); the limit still holds.
    void setEnabled(bool enabled) { enabled_ = enabled; }
    bool isEnabled() const { return enabled_; }
    /// How far the heap grows between major cycles, in percent of what was live (200: to the double).
    void setPause(uint32_t percent);
    uint32_t pause() const { return pausePercent_; }
    /// How much the collector works for what is allocated during a cycle, in percent (200: as it thinks best).
    void setStepMultiplier(uint32_t percent) { stepMultiplier_ = percent; }
    uint32_t stepMultiplier() const { return stepMultiplier_; }
    /// How long a slice may work, in nanoseconds; 0: each cycle is one pause.
    void setSliceTime(uint64_t ns) { sliceNs_ = ns; }

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
    /// Calls `observer` after each pause; it must not use the State. Null: nobody.
    void setObserver(GcObserver observer, void* context) {
        observer_ = observer;
        observerContext_ = context;
    }

    /// Lowest address of the heap; every object lies within 64 GiB above it.
    char* base() const { return space_.addressOf(0); }

    /// The object whose cell contains `address`, or null: a conservative pointer test.
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
    /// The objects whose finalisers are due.
    const std::vector<Object*>& due() const { return due_; }
    /// Makes the finalisers of all registered objects due; the program is at its end.
    void finaliseObjects();
    /// Runs every pending finaliser of userdata; the State is closing.
    void finaliseAll();

    /// An interned string was found that may be dead and not yet swept: it lives.
    LUAPP_ALWAYS_INLINE void revive(String* str) {
        if (LUAPP_UNLIKELY(phase_ == Phase::Sweep)) reviveSlow(str);
    }

    Tracer& tracer() { return tracer_; }
    /// True while mark bits are being cleared.
    bool isClearing() const { return phase_ == Phase::Clear; }

    /// Calls `visit` for each live object; for heap dumps and tests. Collects first.
    void forEachObject(void (*visit)(void* context, Object*), void* context);

private:
    struct Run {
        char* next = nullptr;
        char* end = nullptr;
    };
    struct PauseStart {
        uint64_t wallNs = 0;
        uint64_t cpuNs = 0;     // this and the next only for an observer
        uint64_t switches = 0;
    };
    PauseStart startPause() const;
    enum class Phase : uint8_t {
        Idle,   // no cycle goes on
        Clear,  // major only: mark bits are cleared, block by block
        Mark,
        Sweep,  // what is not marked becomes free, block by block
        Trim,   // after a major cycle: memory not needed goes back to the system
    };

    // heap.cpp
    Object* allocateSlow(size_t bytes, uint64_t header);
    Object* allocateLarge(size_t bytes, uint64_t header);
    Object* allocateIn(unsigned sizeClass, uint64_t header);
    void refill(unsigned sizeClass);
    bool takeRun(unsigned sizeClass);
    bool nextBlock(unsigned sizeClass);
    void beforeAllocating(size_t bytes);
    void touch(uint32_t blockIndex);
    void retireRuns();
    uint64_t paced() const;

    // sweep.cpp
    void startSweep();
    int64_t sweepOne();
    bool sweepSome(SliceBudget& budget);
    int64_t sweepBlock(uint32_t index);
    void freeCell(unsigned sizeClass, Object* o);
    bool awaitsSweep(const Block& b) const {
        return phase_ == Phase::Sweep && b.sweptIn != period_ && (sweepsAll_ || b.touchedIn == period_ - 1);
    }
    bool trimSome(SliceBudget& budget);
    void reviveSlow(String* str);

    // finalisable.cpp
    void finaliseUnreached();
    bool queueUnreached();
    bool hasFinalizer(Object* o) const;

    // cycle.cpp
    void slice();
    void stressSlice(const void* stackPointer);
    CycleKind dueKind() const;
    void startCycle(CycleKind kind);
    void runPhases(SliceBudget& budget, const void* stackPointer);
    bool clearSome(SliceBudget& budget);
    bool markSome(SliceBudget& budget, const void* stackPointer);
    void endMarking();
    void finishSweep();
    uint64_t stepBytes() const;
    uint64_t nurseryBytes() const;
    void report(GcReport::What what, const PauseStart& start);
    const char* phaseName() const;

    // verify.cpp
    void verify();

    State& state_;
    Run runs_[kSizeClassCount];
    Phase phase_ = Phase::Idle;
    CycleKind kind_ = CycleKind::Minor;  // of the cycle that goes on, or else of the last one
    uint32_t period_ = 1;                // counts the ends of marking
    BlockSpace space_;
    Tracer tracer_;
    uint32_t currentBlock_[kSizeClassCount];  // block the run was cut from; kNoBlock: none
    uint32_t cursorCell_[kSizeClassCount];    // where in it the search for the next run goes on
    uint32_t available_[kSizeClassCount];     // list (Block::nextAvailable) of swept blocks with free cells
    std::vector<uint32_t> touched_;           // blocks from which cells were handed out in this period, and young large objects

    std::vector<uint32_t> toSweep_;  // the touched ones of the period before, during a minor cycle's sweep
    bool sweepsAll_ = false;         // a major cycle's: every block below sweepEnd_
    uint32_t sweepCursor_ = 0;       // in toSweep_, or a block
    uint32_t sweepEnd_ = 0;
    uint32_t clearCursor_ = 0;
    uint32_t trimCursor_ = 0;

    uint64_t allocatedSince_ = 0;  // bytes handed out since marking last ended (runs count in full)
    uint64_t liveBytes_ = 0;       // bytes of marked cells when marking last ended
    bool isGrowing_ = false;       // much of what was young survived the last minor cycle
    uint64_t nextSlice_;           // the collector has something to do when paced() passes this
    uint64_t pacedAtStart_ = 0;    // paced() when the cycle started; 0 when marking has ended
    uint64_t liveAfterMajor_ = 0;  // the same of the last major cycle, with external memory
    uint64_t majorThreshold_;      // the next cycle is a major one if more than this is live
    uint64_t cycles_ = 0;          // started ones
    uint32_t rootScans_ = 0;       // of this cycle
    uint64_t limit_ = 0;
    int64_t external_ = 0;      // bytes outside the heap
    int64_t externalThen_ = 0;  // of them when marking last ended
    uint64_t sliceNs_;
    uint32_t pausePercent_ = 200;
    uint32_t stepMultiplier_ = 200;
    bool enabled_ = true;
    bool collecting_ = false;
    bool limitSuspended_ = false;  // while the message "out of memory" is made

    Userdata* finalisable_ = nullptr;
    std::vector<Object*> registered_;  // objects with finalisers in order of creation; holds none of them
    size_t registeredOld_ = 0;         // so many of them were marked when marking last ended
    std::unordered_set<const Object*> registeredTables_;
    std::vector<Object*> due_;  // those whose finalisers are to run, the next one last; roots

    HeapStats stats_;
    GcReport last_;  // what is known of the cycle whose marking ended last
    GcObserver observer_ = nullptr;
    void* observerContext_ = nullptr;
};

}  // namespace luapp::rt
