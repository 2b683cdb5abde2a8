// The collector's cycle: what starts when, slices, the end of marking. README.md of this folder explains the design.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>

#include "runtime/gc/heap.h"
#include "runtime/gc/stress.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

// A minor cycle starts after so much allocation, or half of what is live, up to the greater figure.
constexpr uint64_t kLeastNursery = uint64_t{1} << 20;
constexpr uint64_t kMostNursery = uint64_t{32} << 20;
// While a cycle goes on there is a slice for each so many bytes allocated.
constexpr uint64_t kStepBytes = uint64_t{128} << 10;
// ... twice as many when a quarter of what is live has been allocated since the cycle began, three times when a half, and so on: objects
// that the program links to what is marked already are traced too, and the tracer must be faster than the program makes them.
constexpr uint64_t kHaste = 4;
constexpr uint64_t kMostHaste = 8;
// A large allocation, which takes its time itself, pays for so many slices at once; the allocations that follow pay for the others.
constexpr uint64_t kLargeAllocation = uint64_t{1} << 20;
constexpr uint64_t kMostAtOnce = 3;
// Debts of slices beyond this are forgotten.
constexpr uint64_t kMostDebt = 64;
// A cycle whose roots keep bringing up new objects ends in one slice after so many attempts.
constexpr uint32_t kMostRootScans = 24;
// ... and one whose log brings back the same words again and again, after so many and a quarter of the bytes that were live.
constexpr uint64_t kMostRetraced = uint64_t{1} << 20;
// What clearing the marks of a block costs, in words of tracing.
constexpr int64_t kClearCost = 32;
constexpr int64_t kRootCost = 1024;
// Stress builds start a cycle when a 64th of the heap has been allocated: at every allocation while the heap is small.
constexpr uint64_t kStressShare = 64;

uint64_t threadNs() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

/// How often the system took the processor from the thread.
uint64_t switchesOfThread() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return static_cast<uint64_t>(usage.ru_nivcsw);
}

}  // namespace

// --- pace -------------------------------------------------------------------------------------------------------------------

/// Where much of what is young survives, the program builds something up, and looking at it later costs less.
uint64_t Heap::nurseryBytes() const {
    return isGrowing_ ? std::clamp(liveBytes_ / 2, 2 * kLeastNursery, kMostNursery) : std::clamp(liveBytes_ / 4, kLeastNursery, kMostNursery);
}

uint64_t Heap::stepBytes() const {
    const uint64_t bytes = kStepBytes / std::max(stepMultiplier_, 1u) * 200;
    const uint64_t meanwhile = paced() > pacedAtStart_ ? paced() - pacedAtStart_ : 0;
    return bytes / std::min(1 + kHaste * meanwhile / std::max(liveBytes_, kLeastMajorThreshold), kMostHaste);
}

void Heap::setPause(uint32_t percent) {
    pausePercent_ = percent;
    majorThreshold_ = std::max(liveAfterMajor_ / 100 * percent, kLeastMajorThreshold);
}

CycleKind Heap::dueKind() const {
    const bool isNearLimit = limit_ != 0 && bytesInUse() > limit_ / 8 * 7;
    return liveBytes_ + static_cast<uint64_t>(external_) > majorThreshold_ || isNearLimit ? CycleKind::Major : CycleKind::Minor;
}

// --- the cycle --------------------------------------------------------------------------------------------------------------

/// A cycle starts; one that has not ended marking is given up. Everything has been swept.
void Heap::startCycle(CycleKind kind) {
    kind_ = kind;
    cycles_++;
    pacedAtStart_ = paced();
    rootScans_ = 0;
    clearCursor_ = 0;
    if (kind == CycleKind::Major) {
        phase_ = Phase::Clear;
    } else {
        phase_ = Phase::Mark;
        tracer_.begin(kind);
    }
}

void Heap::runPhases(SliceBudget& budget, const void* stackPointer) {
    for (;;) {
        switch (phase_) {
            case Phase::Idle: return;
            case Phase::Clear:
                if (!clearSome(budget)) return;
                tracer_.begin(CycleKind::Major);
                phase_ = Phase::Mark;
                break;
            case Phase::Mark:
                if (!markSome(budget, stackPointer)) return;
                break;
            case Phase::Sweep:
                if (!sweepSome(budget)) return;
                trimCursor_ = 0;
                phase_ = kind_ == CycleKind::Major ? Phase::Trim : Phase::Idle;
                break;
            case Phase::Trim:
                if (!trimSome(budget)) return;
                phase_ = Phase::Idle;
                break;
        }
    }
}

/// True if no mark bit is left.
bool Heap::clearSome(SliceBudget& budget) {
    for (; clearCursor_ < space_.end(); clearCursor_++) {
        if (budget.isSpent()) return false;
        budget.spend(kClearCost);
        Block& b = space_.block(clearCursor_);
        if (b.use == BlockUse::Small) std::fill_n(b.marks, (b.cellCount + 63) / 64, 0);
        if (b.use == BlockUse::LargeHead) b.marks[0] = 0;
        std::fill_n(b.cards, std::size(b.cards), 0);
    }
    return true;
}

/// Marks; true if marking has ended. The roots change without a barrier, so what they hold in the end must be traced in one go with the
/// look at them: each time nothing is left they are scanned, and if the budget suffices for what that brings up, marking is over.
/// Otherwise it goes on, and there is less for the next attempt to find.
bool Heap::markSome(SliceBudget& budget, const void* stackPointer) {
    bool rootsAreFresh = false;
    for (;;) {
        SliceBudget all = SliceBudget::unlimited();
        const bool isRaced = rootScans_ > kMostRootScans || tracer_.retracedWords() > kMostRetraced + liveBytes_ / 4;
        if (!tracer_.drain(isRaced ? all : budget)) return false;
        if (!rootsAreFresh) {
            if (!isRaced && budget.isTimed() && nowNs() + sliceNs_ / 2 > budget.deadline()) return false;
            tracer_.scanRoots(stackPointer);
            budget.spend(kRootCost);
            rootsAreFresh = true;
            rootScans_++;
            continue;
        }
        if (tracer_.markParts()) continue;
        if (queueUnreached()) {
            // They live on, with all they reach; weak values do not keep them.
            tracer_.clearWeakValues();
            for (Object* o : due_) tracer_.markRoot(o);
            continue;
        }
        endMarking();
        return true;
    }
}

/// What is marked lives, and nothing else.
void Heap::endMarking() {
    const bool isMajor = kind_ == CycleKind::Major;
    retireRuns();
    tracer_.clearWeakTables();
    if (isMajor && state_.hooks != nullptr && state_.hooks->freeUnreached != nullptr) state_.hooks->freeUnreached(state_);
    finaliseUnreached();
    if (!due_.empty()) state_.requestFinalizers();
    registeredOld_ = registered_.size();
    last_.ended = true;
    last_.allocatedBytes = allocatedSince_;
    last_.markedBytes = tracer_.markedBytes();
    liveBytes_ = tracer_.markedBytes() + (isMajor ? 0 : liveBytes_);
    last_.liveBytes = liveBytes_;
    if (isMajor) {
        stats_.majorCycles++;
        liveAfterMajor_ = liveBytes_ + static_cast<uint64_t>(external_);
        setPause(pausePercent_);
    } else {
        stats_.minorCycles++;
        isGrowing_ = tracer_.markedBytes() > last_.allocatedBytes / 4;
    }
    allocatedSince_ = nextSlice_ = pacedAtStart_ = 0;
    externalThen_ = external_;
    period_++;
#ifndef NDEBUG
    verify();
#endif
    startSweep();
}

// --- when it runs -------------------------------------------------------------------------------------------------------------

/// One slice; called by allocation. Starts a cycle if none goes on.
LUAPP_NOINLINE void Heap::slice() {
    LUAPP_CHECK(!collecting_, "collections do not nest");
    collecting_ = true;
    const PauseStart start = startPause();
    // Callee-saved registers may hold references: have them stored in this frame, which the scan covers.
    __builtin_unwind_init();
    const void* stackPointer = nullptr;
    asm volatile("mov %%rsp, %0" : "=r"(stackPointer));
    if (kStress) {
        stressSlice(stackPointer);
    } else {
        if (phase_ == Phase::Idle) startCycle(dueKind());
        const uint64_t slices = paced() > nextSlice_ + kLargeAllocation ? kMostAtOnce : 1;
        SliceBudget budget = sliceNs_ == 0 ? SliceBudget::unlimited() : SliceBudget::until(start.wallNs + slices * sliceNs_);
        runPhases(budget, stackPointer);
        if (phase_ == Phase::Idle) {
            nextSlice_ = nurseryBytes();
        } else {
            const uint64_t debt = kMostDebt * stepBytes();
            nextSlice_ = std::max(nextSlice_, paced() > debt ? paced() - debt : 0) + stepBytes();
        }
    }
    report(GcReport::What::Slice, start);
    collecting_ = false;
}

/// Minor and major cycles take turns, in one go and in small steps.
void Heap::stressSlice(const void* stackPointer) {
    if (phase_ == Phase::Idle) startCycle(cycles_ % 2 == 0 ? CycleKind::Minor : CycleKind::Major);
    constexpr uint64_t kSteps = 8;
    const bool isInSteps = cycles_ % 4 >= 2;
    SliceBudget budget = SliceBudget::unlimited();
    if (isInSteps) budget = SliceBudget::words(static_cast<int64_t>(liveBytes_ / sizeof(Word) / kSteps + kRootCost));
    runPhases(budget, stackPointer);
    nextSlice_ = phase_ == Phase::Idle ? liveBytes_ / kStressShare : 0;
}

LUAPP_NOINLINE void Heap::collect(const void* nativeStack) {
    if (!space_.isReserved()) return;
    LUAPP_CHECK(!collecting_, "collections do not nest");
    collecting_ = true;
    const PauseStart start = startPause();
    __builtin_unwind_init();
    const void* stackPointer = nullptr;
    asm volatile("mov %%rsp, %0" : "=r"(stackPointer));
    finishSweep();
    startCycle(CycleKind::Major);
    SliceBudget budget = SliceBudget::unlimited();
    runPhases(budget, nativeStack != nullptr ? nativeStack : stackPointer);
    nextSlice_ = kStress ? liveBytes_ / kStressShare : nurseryBytes();
    stats_.fullCollections++;
    report(GcReport::What::Full, start);
    collecting_ = false;
}

LUAPP_NOINLINE bool Heap::stepBy(uint64_t bytes, const void* nativeStack) {
    if (!space_.isReserved()) return true;
    LUAPP_CHECK(!collecting_, "collections do not nest");
    collecting_ = true;
    const PauseStart start = startPause();
    __builtin_unwind_init();
    const void* stackPointer = nullptr;
    asm volatile("mov %%rsp, %0" : "=r"(stackPointer));
    if (nativeStack != nullptr) stackPointer = nativeStack;
    SliceBudget budget = SliceBudget::words(static_cast<int64_t>(bytes / sizeof(Word)));
    if (kind_ == CycleKind::Minor && phase_ != Phase::Idle) runPhases(budget, stackPointer);
    if (phase_ == Phase::Idle) startCycle(CycleKind::Major);
    runPhases(budget, stackPointer);
    const bool isDone = phase_ == Phase::Idle;
    if (isDone) nextSlice_ = kStress ? liveBytes_ / kStressShare : nurseryBytes();
    report(GcReport::What::Slice, start);
    collecting_ = false;
    return isDone;
}

void Heap::finishSweep() {
    while (sweepOne() != 0) continue;
}

// --- figures ------------------------------------------------------------------------------------------------------------------

const char* Heap::phaseName() const {
    switch (phase_) {
        case Phase::Idle: return "idle";
        case Phase::Clear: return "clear";
        case Phase::Mark: return "mark";
        case Phase::Sweep: return "sweep";
        case Phase::Trim: return "trim";
    }
    return "";
}

Heap::PauseStart Heap::startPause() const {
    if (observer_ == nullptr) return {nowNs(), 0, 0};
    return {nowNs(), threadNs(), switchesOfThread()};
}

void Heap::report(GcReport::What what, const PauseStart& start) {
    const uint64_t wall = nowNs() - start.wallNs;
    stats_.pauses.add(wall);
    if (observer_ != nullptr) {
        last_.what = what;
        last_.kind = kind_;
        last_.phase = phaseName();
        last_.cycle = cycles_;
        last_.wallNs = wall;
        last_.cpuNs = threadNs() - start.cpuNs;
        last_.switches = switchesOfThread() - start.switches;
        last_.bytesInUse = bytesInUse();
        observer_(observerContext_, last_);
    }
    last_.ended = false;
}

}  // namespace luapp::rt
