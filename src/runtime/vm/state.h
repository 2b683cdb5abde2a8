// State: everything one Lua++ world has: heap, strings, types, the registers of the running coroutine, error state, loaded
// programs. Nothing is global; any number of States live in one process, each used by one thread at a time (interrupt() alone
// may be called from anywhere, a signal handler included). The interpreter keeps a State* pinned; fields it reads stand first.
// Creating one maps memory lazily and builds next to nothing, so it takes microseconds.
// Functions that take a `State&` first may collect unless they say otherwise.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/gc/barrier.h"
#include "runtime/gc/heap.h"
#include "runtime/object/string.h"
#include "runtime/object/type_desc.h"
#include "runtime/vm/error.h"
#include "runtime/vm/exec_context.h"
#include "runtime/vm/handler.h"
#include "runtime/vm/hooks.h"
#include "runtime/vm/stack_arena.h"

namespace luapp::rt {

struct Program;
struct ProgramIndex;
struct BuiltinPlan;
struct BuiltinTable;
struct RootRange;

/// Slots that lie above State.stackLimit: a frame of up to that many needs no check of its own.
inline constexpr uint32_t kStackHeadroom = 512;
/// Slots kept back for the error handler (xpcall) that runs after a stack overflow.
inline constexpr uint32_t kStackErrorReserve = 4096;
/// The limit for frames on a VM stack that ends at `end`.
inline Word* stackLimitBelow(Word* end) { return end - kStackHeadroom - kStackErrorReserve; }
/// Slots of the main VM stack.
inline constexpr uint32_t kMainStackSlots = 2u << 20;
/// Words of the result area: a pack has at most this many values.
inline constexpr uint32_t kResultCapacity = 1u << 20;

/// What the layers above provide: the VM's view of its frames, and calling. All may be null in tests of lower layers.
struct VmHooks {
    /// Calls `callee` (any value) with the pack in the result area as arguments; its results become the pack. May raise.
    void (*callPack)(State& s, Value callee);
    /// See currentPosition().
    SourcePosition (*position)(State& s, int level);
    /// Appends the lines of a traceback of `co` (null: running) from `level` on.
    void (*traceback)(State& s, Coroutine* co, int level, TextBuilder& out);
    /// First word above the frame that runs at (frame, pc), so the collector need not scan further; frame + kStackHeadroom if unknown.
    Word* (*frameEnd)(State& s, Word* frame, const uint32_t* pc);
    /// Frees a loaded program when the State closes.
    void (*destroyProgram)(State& s, Program* program);
    /// The program, as a root range, in whose code the return address `pc` lies; null: none.
    RootRange* (*rangeAt)(const State& s, const uint32_t* pc);
    /// Frees the programs that a collection has not reached. Called at its end; may not allocate from the heap.
    void (*freeUnreached)(State& s);
};

/// Memory outside the heap whose words may refer to objects (the data segment of a program); scanned conservatively.
struct RootRange {
    RootRange* next = nullptr;
    const Word* begin = nullptr;
    size_t count = 0;
    /// True: a root. False: scanned only when a closure of it (CodeOwner) is reached, or a stack holds an address between codeBegin and
    /// codeEnd; a collection that finds neither frees it (VmHooks::freeUnreached).
    bool isKept = true;
    bool isReached = false;  // by the collection that is going on
    const uint32_t* codeBegin = nullptr;
    const uint32_t* codeEnd = nullptr;
};

/// What Closure::code of a program's function points at begins with this.
struct CodeOwner {
    RootRange* owner = nullptr;
};

/// Compiles and loads source text for load(); set by the driver, null in a host without the compiler.
/// Returns the main function's closure, or null with the message in `error`.
using CompileFn = Closure* (*)(State& s, std::string_view text, std::string_view chunkName, Value environment, String*& error);

/// What a program is asked to do at its next call or loop back edge; bits of State.requests.
inline constexpr uint32_t kInterruptRequest = 1;   // raise "interrupted"
inline constexpr uint32_t kFinalizersRequest = 2;  // run the finalisers of objects that are due (vm/finalizers.h)

struct StateOptions {
    const VmHooks* hooks = nullptr;
    uint64_t memoryLimit = 0;  // bytes; 0: none
    uint64_t seed = 0;         // of string hashes; 0: a random one
};

struct State {
    // --- read by the interpreter
    std::atomic<Word*> stackLimit{nullptr};  // a frame may start only below; 0 after interrupt()
    Word* frame = nullptr;                   // R of the innermost running frame, saved before anything that may raise or collect
    const uint32_t* pc = nullptr;            // its next instruction, likewise; null: nothing runs on this stack yet
    Word* top = nullptr;                     // first slot of the VM stack that nested calls may use; owned by vm/call
    const BuiltinTable* builtins = nullptr;  // the library's functions (vm/call_builtins.h); null: none
    Word* results = nullptr;                 // result area, kResultCapacity words, never moves
    uint32_t resultCount = 0;                // values of the pack in it
    uint32_t argCount = 0;                   // extra (vararg) arguments of the call being made
    Coroutine* currentCoroutine = nullptr;   // null: the main one
    ExecContext* context = &mainContext;     // of the running coroutine
    BuiltinPlan* builtinPlans = nullptr;     // quick dynamic calls by index, made on demand (malloc)
    bool hooksUsed = false;                  // a hook has been set (vm/hooks.h)
    Closure** builtinClosures = nullptr;     // function values of builtins by index, made on demand by lib (malloc)
    uint32_t builtinClosureCount = 0;
    const uint32_t* const** methodTables = nullptr;  // by type index: entries of methods; for classes with instances (malloc)

    // --- the parts
    Heap heap;
    InternTable strings;
    TypeTable types;
    StackArena stacks;
    const VmHooks* hooks = nullptr;
    CompileFn compile = nullptr;
    void (*warn)(State& s, std::string_view text) = nullptr;  // tells the user of an error that cannot be raised; set by lib
    uint64_t hashSeed = 0;
    std::atomic<uint32_t> requests{0};  // stackLimit is 0 while there are any, but for error handlers
    bool isCalledByBuiltin = false;    // the library function that runs was called by another one, not by code of a program
    bool isClosing = false;            // those of the end of the program run

    // --- roots, see gc/roots.def
    Value errorValue;                  // of the error just caught
    String* errorTraceback = nullptr;  // where an onError function may leave a traceback
    String* emptyString = nullptr;
    LuaTable* globals = nullptr;
    LuaTable* registry = nullptr;
    Array* scriptArgs = nullptr;
    LuaTable* stringMetatable = nullptr;
    LuaTable* userdataMetatable = nullptr;
    LuaTable* typeMetatables[7] = {};  // by typeMetatableIndex() (vm/meta.h): what debug.setmetatable sets
    String* byteStrings[256] = {};
    String* modeKey = nullptr;  // "__mode" and "__gc", for the collector; null until there are globals of lenient code
    String* gcKey = nullptr;
    uint32_t lastNext = 0;  // entry that the last step of a traversal found, a guess for the next one
    static constexpr unsigned kMaxEvents = 32;
    String* eventNames[kMaxEvents] = {};  // keys of metamethods by Event, as far as asked for
    RootRange* rootRanges = nullptr;

    // --- the layers above
    Program* programs = nullptr;      // list of loaded programs, owned by vm/load
    ProgramIndex* programIndex = nullptr;  // of them, by addresses of code; owned by vm/load
    void* libraryData = nullptr;      // owned by lib
    void* hostData = nullptr;         // owned by the embedder

    // --- coroutines
    HookState mainHook;                   // of the main program
    ExecContext mainContext;              // of the main program
    Coroutine* liveCoroutines = nullptr;  // list of the coroutines that have a stack
    void* mainFakeStack = nullptr;        // sanitizer bookkeeping of the main stack
    const void* mainStackBegin = nullptr;
    size_t mainStackSize = 0;

    /// A new State; null if the system refuses memory. Freed by destroy().
    static State* create(const StateOptions& options = {});
    /// Runs finalisers and frees everything. No coroutine of it may be running.
    static void destroy(State* s);

    /// Asks the running program to raise "interrupted" at its next call or loop back edge. Async-signal-safe.
    void interrupt() {
        requests.fetch_or(kInterruptRequest, std::memory_order_relaxed);
        stackLimit.store(nullptr, std::memory_order_relaxed);
    }
    /// Takes back a request (the slow path does so before it raises) and restores stackLimit.
    void clearInterrupt() {
        takeBack(kInterruptRequest);
        resetStackLimit();
    }
    /// Asks the interpreter to run the finalisers that are due at its next call or loop back edge.
    void requestFinalizers() {
        requests.fetch_or(kFinalizersRequest, std::memory_order_relaxed);
        // While an error handler has the reserve of the stack, the request waits for the end of that.
        if (stackLimit.load(std::memory_order_relaxed) == context->stackLimit) resetStackLimit();
    }
    bool isRequested(uint32_t request) const { return (requests.load(std::memory_order_relaxed) & request) != 0; }
    /// The request is dealt with.
    void takeBack(uint32_t request) { requests.fetch_and(~request, std::memory_order_relaxed); }
    /// The limit that holds now: 0 while something is requested.
    void resetStackLimit() {
        stackLimit.store(context->stackLimit, std::memory_order_relaxed);
        // A signal between these two lines sets the limit itself.
        if (LUAPP_UNLIKELY(requests.load(std::memory_order_relaxed) != 0)) stackLimit.store(nullptr, std::memory_order_relaxed);
    }
    /// The slow path behind a failed stack check: raises "interrupted" or "stack overflow"; returns if there is room after all. Runs
    /// no finalisers.
    void stackCheckFailed(Word* newFrame);

    void addRootRange(RootRange* range) {
        range->next = rootRanges;
        rootRanges = range;
    }
    void removeRootRange(RootRange* range);

private:
    State();
    ~State() = default;
};

/// Raises "too many results" unless the result area takes `count` words; returns the area.
inline Word* ensureResults(State& s, uint64_t count) {
    if (LUAPP_UNLIKELY(count > kResultCapacity)) raise(s, ErrorKind::TooManyResults);
    return s.results;
}

/// Makes `v` the only value of the pack.
inline void packOne(State& s, Value v) {
    s.results[0] = v.word();
    s.resultCount = 1;
}

inline void checkNativeStack(State& s) {
    if (LUAPP_UNLIKELY(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) < s.context->nativeLimit)) raiseStackOverflow(s);
}

}  // namespace luapp::rt
