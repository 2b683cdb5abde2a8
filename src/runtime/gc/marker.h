// Marker: one marking phase of the collector. Sets mark bits of everything reachable from the roots, with an explicit stack, and
// remembers weak tables for the end. Private to gc/: made and dropped inside Heap::collect. Does not allocate from the heap.
#pragma once

#include "runtime/gc/heap.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/value.h"
#include "runtime/vm/exec_context.h"

namespace luapp::rt {

struct CoroutineStack;
struct RootRange;

class Marker {
public:
    Marker(State& s, Heap& heap, BlockSpace& space);
    ~Marker();
    Marker(const Marker&) = delete;
    Marker& operator=(const Marker&) = delete;

    /// Marks everything reachable. `stackPointer`: lowest address of the running native stack to look at.
    void run(const void* stackPointer);
    /// Marks the instances whose finalisers are due, and what they reach, after run().
    void markDue();
    /// Removes entries of reached weak tables whose key or value was not reached.
    void clearWeakTables();
    bool isMarked(const Object* o) const;

private:
    void mark(Object* o);
    void markOrNull(Object* o) {
        if (o != nullptr) mark(o);
    }
    void markBox(Word w) {
        if (w >= tagBits(Tag::String)) mark(reinterpret_cast<Object*>(w & kPayloadMask));
    }
    void markWord(Word w, Rep rep) {
        if (rep == Rep::Box) {
            markBox(w);
        } else if (rep == Rep::Ref && w != 0) {
            mark(reinterpret_cast<Object*>(w));
        }
    }
    void markConservatively(Word w);
    void markWords(const Word* words, size_t count, Rep rep);

    void markRoots();
    void markRange(RootRange* range);
    void scanRange(const void* begin, const void* end);  // stack_scan.cpp
    void scanNative(const void* begin, const void* end, const Activation* activation);
    void scanFrames(const void* begin, const void* end);
    void markCode(const uint32_t* pc);
    void scanRunning(const void* stackPointer);
    void scanSuspended(const ExecContext& context, const void* nativeEnd);

    void drain();
    void trace(Object* o);
    void traceInstance(Instance* o);
    void traceStorage(TableStorage* o);
    void updateWeakness(LuaTable* t);
    void traceLuaTable(LuaTable* t);
    void traceCoroutine(Coroutine* co);
    void push(Object* o);
    void grow();

    State& state_;
    Heap& heap_;
    BlockSpace& space_;
    Object** stack_ = nullptr;
    size_t depth_ = 0;
    size_t room_ = 0;
    Object** parts_ = nullptr;  // buffers and storages found conservatively
    size_t partCount_ = 0;
    size_t partRoom_ = 0;
    // Between these lies the code of all programs that are no roots.
    const uint32_t* codeBegin_ = nullptr;
    const uint32_t* codeEnd_ = nullptr;
    LuaTable** weak_ = nullptr;
    size_t weakCount_ = 0;
    size_t weakRoom_ = 0;
};

/// One past the highest address of the calling thread's native stack.
const void* nativeStackBase();

}  // namespace luapp::rt
