// Calling functions from C++, and the VM's view of its frames. Two ways to call: *typed* (raw words by the function's signature,
// for library callbacks whose type is known) and *dynamic* (boxed arguments, boxed results as a pack, every kind of callee).
// All of these run program code, may collect and may raise; State.frame, pc and top are as before when they return.
// Nested frames go above State.top, which the interpreter sets before it calls a builtin; where it is unset (0, or of another
// coroutine's stack) the end of the running frame is taken.
//
//   top ->  | saved pc | Exit stub | saved frame | closure | registers of the callee ...
//
// On returning with kAcrossStub a *pseudo frame* n restores what a direct call would not have changed:
//   n[-3] return pc | n[-2] caller's R | n[-1] the real frame | n[0] caller's K | n[1] signature whose results are to be boxed, or 0
#pragma once

#include <span>

#include "runtime/object/closure.h"
#include "runtime/vm/interp.h"
#include "runtime/vm/load.h"
#include "runtime/vm/slow_paths.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

/// Slots above a builtin's first argument that its fixed arguments may take; nested calls start above.
inline constexpr uint32_t kBuiltinArgRoom = 64;

/// Boxes the results of a call by `signature` into the pack: result 0 is `first`, further ones are raw in the result area.
void boxResults(State& s, const TypeDesc* signature, Word first);

/// What the VM gives to the layers below; pass it in StateOptions.
extern const VmHooks kVmHooks;

/// Calls `f` with raw words by its signature and gives result 0; further fixed results are raw in State.results[1..], a result pack
/// is boxed there. `args` are the fixed parameters (defaults included). For a vararg signature `extras` boxed words follow them.
Word callRaw(State& s, Closure* f, const Word* args, uint32_t fixedCount, uint32_t extras = 0);

/// callRaw for up to three arguments.
inline Word callRaw1(State& s, Closure* f, Word a) { return callRaw(s, f, &a, 1); }
inline Word callRaw2(State& s, Closure* f, Word a, Word b) {
    Word args[2] = {a, b};
    return callRaw(s, f, args, 2);
}
inline Word callRaw3(State& s, Closure* f, Word a, Word b, Word c) {
    Word args[3] = {a, b, c};
    return callRaw(s, f, args, 3);
}

/// Calls any value with boxed arguments; the results are the pack. `args` may lie anywhere but in the result area.
void call(State& s, Value callee, std::span<const Value> args);

/// The same with the pack as arguments.
void callPack(State& s, Value callee);

/// call() for callees of which only the first result matters (metamethods); nil if there is none.
Value callFirst(State& s, Value callee, std::span<const Value> args);

/// A new closure of a program's entry function; that of a lenient one has the globals for its environment. May collect.
Closure* entryClosure(State& s, const Program& p);

/// Runs a program's entry function; the pack becomes its `...` if it takes any. Its results become the pack.
void runProgram(State& s, Program& p);

/// Fixed raw parameters of a function, builtins' hidden ones included.
uint32_t fixedParamsOf(State& s, const Closure* f);

/// A function value that calls `target`, any callable, through signature `type`: boxes arguments, checks results.
Closure* newCheckingWrapper(State& s, Closure* target, const TypeDesc* type);

/// A function value that calls `method` with `receiver` before the other arguments; dynamic calls only.
Closure* newBoundMethod(State& s, Value receiver, Closure* method, Word key);

/// First slot above everything live on the VM stack of the running coroutine.
Word* nestedBase(State& s);

/// Walks the calls of program functions from the innermost outwards: the frames, and for code that stands in the place of a call first the
/// function it is of (bc::InlineSite), as if that had a frame.
class FrameWalk {
public:
    /// Starts at State.frame and State.pc, or at those of a suspended coroutine.
    FrameWalk(const State& s, const Coroutine* co);
    /// Goes to the next function of a program; false when there is none.
    bool next();
    /// The function that was called, and the one whose code runs: another one if the call was inlined.
    const Function& function() const { return *function_; }
    const Function& code() const { return *code_; }
    bool isInlined() const { return site_ != 0; }
    SourcePosition position() const { return positionOf(*code_, pc_, innerSite_); }
    /// The inlined call that position() is of, or 0.
    uint32_t innerSite() const { return innerSite_; }
    const Insn* pc() const { return pc_; }
    Word* frame() const { return frame_; }
    /// Goes over at most `most` frames that wait at the very place where this one waits (recursion); tells how many.
    int64_t skipAlike(int64_t most);
    /// Register 0 of the function, where frame() is shifted (op Shift).
    Word* base() const;
    /// True for the innermost frame, and if a C++ function called what stands above.
    bool isBelowNative() const { return isBelowNative_; }
    /// Index of the builtin whose call this frame is waiting for, or -1.
    int64_t calledBuiltin() const;

private:
    void stepOut();
    bool isShifted() const;
    void enterSite(uint32_t site);

    const State& s_;
    const Insn* pc_;
    Word* frame_;
    const Function* function_ = nullptr;
    const Function* code_ = nullptr;
    const Insn* codePc_ = nullptr;  // where code_ was looked up
    uint32_t codeSite_ = 0;         // the innermost site there
    uint32_t site_ = 0;             // of function_; 0: it has the frame
    uint32_t innerSite_ = 0;
    bool isBelowNative_ = true;
    bool started_ = false;
};

}  // namespace luapp::rt
