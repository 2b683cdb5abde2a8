// Tracer: the marking half of the collector, one for the life of a heap and for minor and major cycles alike. It sets the mark bits of what
// is reachable: from a mark stack, from long objects that are traced piece by piece, and from the log of changed objects that the write
// barrier (barrier.h) makes; roots are scanned when asked for. All of it stops when a budget is spent and goes on later. It remembers weak
// tables for the end of the cycle. Private to gc/; owned by the Heap, whose cycle.cpp decides what is done when. Does not allocate from the
// heap and calls no program code. It does not clear mark bits, sweep, or know what a cycle is: begin() tells it that one starts.
#pragma once

#include "runtime/gc/barrier.h"
#include "runtime/gc/block_space.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/value.h"
#include "runtime/vm/exec_context.h"

namespace luapp::rt {

class Heap;
struct CoroutineStack;
struct RootRange;

enum class CycleKind : uint8_t {
    Minor,  // what earlier cycles have marked counts as reachable; starts from the log and the roots
    Major,  // marks everything anew
};

/// Flag of a Buffer or TableStorage that belongs to a weak table (it has LuaTable's flags for that too): traced in this cycle.
inline constexpr uint8_t kSeenWeak = 4;

/// Nanoseconds of a clock that only goes forward.
uint64_t nowNs();

/// What one slice of collector work may spend, counted in words looked at. Timed ones look at the clock now and then.
class SliceBudget {
public:
    static SliceBudget unlimited() { return {0, INT64_MAX}; }
    /// At least a little work is done whatever the time.
    static SliceBudget until(uint64_t deadlineNs) { return {deadlineNs, kWorkPerLook}; }
    static SliceBudget words(int64_t count) { return {0, count > 0 ? count : 1}; }

    void spend(int64_t words) { work_ -= words; }
    bool isSpent() { return work_ <= 0 && !goesOn(); }
    bool isTimed() const { return deadlineNs_ != 0; }
    uint64_t deadline() const { return deadlineNs_; }

private:
    static constexpr int64_t kWorkPerLook = 2048;
    SliceBudget(uint64_t deadlineNs, int64_t work) : deadlineNs_(deadlineNs), work_(work) {}
    bool goesOn();

    uint64_t deadlineNs_;
    int64_t work_;
};

class Tracer {
public:
    Tracer(State& s, Heap& heap, BlockSpace& space) : state_(s), heap_(heap), space_(space) {}
    ~Tracer();
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;

    /// A cycle starts; what an unfinished one left is forgotten. Major: no mark bit is set any more.
    void begin(CycleKind kind);
    /// Traces until nothing is left to trace (true) or the budget is spent (false).
    bool drain(SliceBudget& budget);
    /// Marks what the roots hold now: roots.def, the result area, root ranges, the stacks of what runs. `stackPointer`: lowest address of the
    /// running native stack to look at.
    void scanRoots(const void* stackPointer);
    /// Marks the parts of containers that only a stack holds, which drain() leaves; false if there are none.
    bool markParts();
    /// Marks `o`, to be traced by the next drain().
    void markRoot(Object* o);
    bool isMarked(const Object* o) const;

    /// Weak tables that this cycle has reached lose the values that it has not. Nothing is left to trace.
    void clearWeakValues();
    /// The same for keys and values; ends what the cycle knows of weak tables.
    void clearWeakTables();

    /// Bytes of the cells that this cycle has marked.
    uint64_t markedBytes() const { return markedBytes_; }
    void addMarkedBytes(uint64_t bytes) { markedBytes_ += bytes; }
    /// Words that this cycle has looked at again because they were logged.
    uint64_t retracedWords() const { return retracedWords_; }
    /// See rememberStore().
    void remember(Object* owner, const void* slot, size_t count);
    /// A child of `o` that is not marked although `o` has been traced and is not on the log; null: none, as it should be. Between cycles
    /// only; for the verifier (verify.cpp).
    Object* findUnmarkedChild(Object* o);

private:
    /// A long object that is traced piece by piece.
    struct Piece {
        Object* object;
        size_t at;  // next word
    };
    /// A card of a long object that has changed since it was traced.
    struct Card {
        Object* object;
        uint64_t address;
    };

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
    void markRange(RootRange* range);
    // stack_scan.cpp
    void scanRange(const void* begin, const void* end);
    void scanNative(const void* begin, const void* end, const Activation* activation);
    void scanFrames(const void* begin, const void* end);
    void markCode(const uint32_t* pc);
    void scanRunning(const void* stackPointer);
    void scanSuspended(const ExecContext& context, const void* nativeEnd);

    // Trace functions give what they cost, in words.
    bool drainStack(SliceBudget& budget);
    int64_t trace(Object* o);
    int64_t traceWords(Object* o);
    int64_t traceInstance(Instance* o);
    int64_t traceLuaTable(LuaTable* t);
    int64_t traceCoroutine(Coroutine* co);
    int64_t tracePiece();
    int64_t traceCard(const Card& card);
    void scanWords(Object* o, size_t from, size_t to);
    void weaken(Object* part, uint8_t weakness);
    void updateWeakness(LuaTable* t);
    bool isLost(Word box) const;
    void clearEntries(LuaTable* t, bool onlyValues);

    State& state_;
    Heap& heap_;
    BlockSpace& space_;
    CycleKind kind_ = CycleKind::Minor;
    uint64_t markedBytes_ = 0;
    uint64_t retracedWords_ = 0;
    Object** stack_ = nullptr;
    size_t depth_ = 0;
    size_t room_ = 0;
    Object** log_ = nullptr;  // changed since they were traced
    size_t logCount_ = 0;
    size_t logRoom_ = 0;
    Card* cards_ = nullptr;  // the same of long objects
    size_t cardCount_ = 0;
    size_t cardRoom_ = 0;
    Piece* pieces_ = nullptr;
    size_t pieceCount_ = 0;
    size_t pieceRoom_ = 0;
    Object** parts_ = nullptr;  // buffers and storages found conservatively
    size_t partCount_ = 0;
    size_t partRoom_ = 0;
    LuaTable** weak_ = nullptr;  // weak tables reached since the last major cycle began
    size_t weakCount_ = 0;
    size_t weakRoom_ = 0;
    // Between these lies the code of all programs that are no roots.
    const uint32_t* codeBegin_ = nullptr;
    const uint32_t* codeEnd_ = nullptr;
};

/// One past the highest address of the calling thread's native stack.
const void* nativeStackBase();

}  // namespace luapp::rt
