#include "runtime/vm/state.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include <cstdlib>
#include <new>

#include "runtime/vm/coroutine.h"

namespace luapp::rt {
namespace {

// One mapping holds the main VM stack and the result area; the system commits its pages when they are touched.
constexpr size_t kStackBytes = kMainStackSlots * sizeof(Word);
constexpr size_t kResultBytes = kResultCapacity * sizeof(Word);

uint64_t randomSeed() {
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed) return seed;
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<uint64_t>(t.tv_nsec) * 0x9E37'79B9'7F4A'7C15u ^ reinterpret_cast<uint64_t>(&seed);
}

/// How far down the calling thread's native stack may be used.
uintptr_t nativeStackLimit() {
    constexpr rlim_t kWithoutLimit = rlim_t{8} << 20;
    constexpr rlim_t kMost = rlim_t{64} << 20;
    // Taken already by main() and its like, environment included.
    constexpr rlim_t kUsed = rlim_t{256} << 10;
    rlimit limit{};
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) limit.rlim_cur = kWithoutLimit;
    if (limit.rlim_cur > kMost) limit.rlim_cur = kMost;
    rlim_t spared = kUsed + kNativeHeadroom;
    rlim_t usable = limit.rlim_cur > 2 * spared ? limit.rlim_cur - spared : limit.rlim_cur / 2;
    return reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - usable;
}

}  // namespace

State::State() : heap(*this) {}

State* State::create(const StateOptions& options) {
    void* area = mmap(nullptr, kStackBytes + kResultBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED) return nullptr;
    auto* s = new (std::nothrow) State;
    if (s == nullptr) {
        munmap(area, kStackBytes + kResultBytes);
        return nullptr;
    }
    ExecContext& c = s->mainContext;
    c.stackBase = s->frame = static_cast<Word*>(area);
    c.stackEnd = s->results = c.stackBase + kMainStackSlots;
    c.stackLimit = stackLimitBelow(c.stackEnd);
    c.nativeLimit = nativeStackLimit();
    s->resetStackLimit();
    s->hooks = options.hooks;
    s->hashSeed = options.seed != 0 ? options.seed : randomSeed();
    s->heap.setLimit(options.memoryLimit);
    s->emptyString = newString(*s, "");
    return s;
}

void State::destroy(State* s) {
    LUAPP_CHECK(s->currentCoroutine == nullptr, "a State is destroyed from outside its coroutines");
    s->heap.finaliseAll();
    while (s->liveCoroutines != nullptr) closeCoroutine(*s, s->liveCoroutines);
    if (s->hooks != nullptr && s->hooks->destroyProgram != nullptr) {
        while (Program* program = s->programs) {
            s->hooks->destroyProgram(*s, program);
            LUAPP_CHECK(s->programs != program, "destroyProgram unlinks the program");
        }
    }
    std::free(s->builtinClosures);
    std::free(s->builtinPlans);
    std::free(s->methodTables);
    munmap(s->results - kMainStackSlots, kStackBytes + kResultBytes);
    delete s;
}

void State::stackCheckFailed(Word* newFrame) {
    if (isRequested(kInterruptRequest)) {
        clearInterrupt();
        raise(*this, ErrorKind::Interrupted);
    }
    Word* limit = stackLimit.load(std::memory_order_relaxed);
    if (newFrame > (limit == nullptr ? context->stackLimit : limit)) raise(*this, ErrorKind::StackOverflow);
}

void State::removeRootRange(RootRange* range) {
    for (RootRange** link = &rootRanges; *link != nullptr; link = &(*link)->next) {
        if (*link == range) {
            *link = range->next;
            return;
        }
    }
}

}  // namespace luapp::rt
