// Inlining by cost: the body of a function takes the place of a direct call where that is worth the growth, callees before callers, so
// that what only calls small functions is small itself then. Tracebacks show the call all the same (splice.h). How large a body may be:
//
//   what cannot raise, call or loop ("leaf")           kMaxLeafInsts, everywhere
//   in a loop, or with a function for an argument      kMaxHotInsts
//   called in one place and known nowhere else         kMaxOnceInsts; nothing of the function remains but its name
//   otherwise                                          kMaxBodyInsts
//   its own caller: once, by a copy of the body        kMaxSelfInsts for all its calls of itself together
//
// A body with a loop only counts if it is called in one place: a call costs little beside a loop. Places that end in an error get
// nothing. A call of a closure made in sight becomes a direct one first, and is looked at like the others. Functions that captured something
// are inlined where their closure is made; variadic ones, lenient ones (whose locals can be asked for) and const ones (the business
// of `inline_const`) are not. Lenient callers only get leaves: their tracebacks say how a function was called.
// Before:  v2 = call @twice, v1        After:  v3 = const.f64 2;  v4 = mul.f v1, v3

#include <algorithm>
#include <optional>

#include "middle/analysis/dominators.h"
#include "middle/pass.h"
#include "middle/splice.h"

namespace luapp::ir {

namespace {

// Instructions a body may have, constants, jumps and returns aside.
constexpr uint32_t kMaxLeafInsts = 12;
constexpr uint32_t kMaxBodyInsts = 20;
constexpr uint32_t kMaxHotInsts = 50;
constexpr uint32_t kMaxOnceInsts = 120;
constexpr uint32_t kMaxSelfInsts = 40;
/// A caller does not grow beyond this, and all of them together not by more than that.
constexpr uint32_t kMaxCallerInsts = 5'000;
constexpr uint64_t kMaxGrowth = 400'000;
/// Calls that have become parts of one another.
constexpr uint32_t kMaxDepth = 16;
/// How often the calls that came with a body are looked at again.
constexpr int kMaxRounds = 3;

/// What a leaf must not do. Allocation may raise only where memory is gone.
constexpr uint32_t kNoLeaf = Raises | RunsCode | Polls | ReadsResults | WritesResults;

/// What is known of a function as a callee.
struct Callee {
    enum class State : uint8_t { New, Active, Done };
    State state = State::New;
    bool isPossible = false;  // of a kind that can be inlined
    bool isLeaf = false;
    bool hasLoop = false;
    bool callsItself = false;
    uint32_t insts = 0;
    uint32_t references = 0;  // calls of it, and two for each other way to get at it
    uint32_t depth = 0;       // of inlined calls in its body
};

class CostInliner {
  public:
    CostInliner(Module& module, PassContext& context)
        : module_(module), context_(context), callees_(module.functions.size()) {}

    bool run() {
        countReferences();
        for (Function* fn : module_.functions) process(fn);
        context_.count("calls inlined", inlined_);
        context_.count("calls of themselves inlined", selfInlined_);
        context_.count("calls of closures made direct", direct_);
        context_.count("functions that nothing calls any more", dropped_);
        return inlined_ + selfInlined_ + direct_ != 0;
    }

  private:
    using State = Callee::State;
    struct Frame {
        Function* fn;
        std::vector<Inst*> calls;
        size_t next = 0;  // the first whose callee has not been looked at
    };

    Callee& of(const Function* fn) { return callees_[fn->index()]; }

    void countReferences() {
        auto isKnown = [&](const Function* fn) {
            if (fn) of(fn).references += 2;
        };
        for (Function* fn : module_.functions) {
            isKnown(fn->dynamicEntry);
            if (!fn->entry) continue;
            for (Block* block : blocks(*fn)) {
                for (Inst* inst : insts(block)) {
                    if (inst->is(Op::Call) || inst->is(Op::CallEnv)) of(inst->immFn).references++;
                    if (inst->is(Op::ConstFn) || inst->is(Op::Closure)) isKnown(inst->immFn);
                }
            }
        }
        for (const ClassEntry& entry : module_.classes) {
            isKnown(entry.finalizer);
            for (const Function* fn : entry.table) isKnown(fn);
            for (const Function* fn : entry.makers) isKnown(fn);
            for (const ClassMember& member : entry.members) isKnown(member.function);
        }
    }

    // The stack is explicit because chains of calls may be long.
    void process(Function* root) {
        std::vector<Frame> stack;
        enter(stack, root);
        while (!stack.empty()) {
            Frame& frame = stack.back();
            if (frame.next < frame.calls.size()) {
                enter(stack, frame.calls[frame.next++]->immFn);
                continue;
            }
            if (!frame.fn->isDebuggable) inlineInto(*frame.fn, frame.calls);
            measure(*frame.fn);
            of(frame.fn).state = State::Done;
            stack.pop_back();
        }
    }

    void enter(std::vector<Frame>& stack, Function* fn) {
        if (of(fn).state != State::New) return;
        of(fn).state = State::Active;
        stack.push_back({fn, {}});
        if (fn->entry) stack.back().calls = directCalls(*fn);
    }

    /// The direct calls of a function, in order; those of closures in sight have become direct.
    std::vector<Inst*> directCalls(Function& fn) {
        std::vector<Inst*> calls;
        for (Block* block : blocks(fn)) {
            for (Inst* inst : insts(block)) {
                if (inst->is(Op::CallClo)) makeDirect(*inst);
                if (inst->is(Op::Call) || inst->is(Op::CallEnv)) calls.push_back(inst);
            }
        }
        return calls;
    }

    void makeDirect(Inst& call) {
        const Inst* closure = call.operands[0];
        if (!closure->is(Op::ConstFn) && !closure->is(Op::Closure)) return;
        Function* callee = closure->immFn;
        if (call.operandCount - 1 < callee->params.size()) return;
        if (closure->is(Op::ConstFn)) {
            call.operands++;
            call.operandCount--;
        }
        call.op = closure->is(Op::ConstFn) ? Op::Call : Op::CallEnv;
        call.immFn = callee;
        of(callee).references++;
        direct_++;
    }

    void inlineInto(Function& fn, std::vector<Inst*> calls) {
        for (int round = 0; round < kMaxRounds && !calls.empty(); round++) {
            if (!inlineRound(fn, calls, round)) break;
            calls = directCalls(fn);
        }
    }

    // The last call first: what lies behind a call moves to a new block, and so every instruction moves only once.
    bool inlineRound(Function& fn, const std::vector<Inst*>& calls, int round) {
        const std::vector<bool> isWorth = judge(fn, calls, round);
        Function* const self = round == 0 ? copyForItself(fn, calls) : nullptr;
        uint64_t inlined = 0, selfInlined = 0;
        for (size_t i = calls.size(); i-- > 0 && fn.instCount() < kMaxCallerInsts;) {
            const bool isSelf = calls[i]->immFn == &fn;
            if (isSelf ? self == nullptr : !isWorth[i]) continue;
            Function& body = isSelf ? *self : *calls[i]->immFn;
            if (!spliceCall(fn, calls[i], body)) continue;
            (isSelf ? selfInlined : inlined)++;
            countCalls(body, 1);
            Callee& callee = of(&body);
            growth_ += callee.insts;
            callee.references--;
            if (isSelf) continue;
            of(&fn).depth = std::max(of(&fn).depth, callee.depth + 1);
            if (callee.references == 0) dropBody(body);
        }
        if (selfInlined) of(&fn).depth++;
        inlined_ += inlined;
        selfInlined_ += selfInlined;
        if (inlined + selfInlined == 0) return false;
        fn.removeUnreachable();
        fn.applyReplacements();
        fn.renumber();
        return true;
    }

    /// Adds `n` references to each function for each direct call of it in `body`.
    void countCalls(const Function& body, int n) {
        for (Block* block : blocks(body)) {
            for (Inst* inst : insts(block)) {
                if (inst->is(Op::Call) || inst->is(Op::CallEnv)) of(inst->immFn).references += uint32_t(n);
            }
        }
    }

    /// Nothing can call the function any more: tracebacks need its name and place, no more.
    void dropBody(Function& fn) {
        countCalls(fn, -1);
        fn.entry = fn.lastBlock = nullptr;
        Block* entry = fn.addBlock();
        for (Rep rep : fn.params) fn.addParam(entry, rep);
        fn.append(entry, fn.makeInst(Op::Unreachable, Rep::Void, {}, fn.loc));
        fn.renumber();
        fn.type = kNoType;
        dropped_++;
    }

    std::vector<bool> judge(Function& fn, const std::vector<Inst*>& calls, int round) {
        std::vector<bool> isWorth(calls.size(), false);
        std::optional<Dominators> dominators;
        std::optional<Loops> loops;
        for (size_t i = 0; i < calls.size(); i++) {
            const bool isUnrolled = round != 0 && of(calls[i]->immFn).callsItself;  // its body has been put here
            if (isUnrolled || !isWorthIt(fn, *calls[i], true)) continue;
            isWorth[i] = isWorthIt(fn, *calls[i], false);
            if (isWorth[i]) continue;
            // Few calls are worth it only in a loop; for these one has to know.
            if (!loops) loops.emplace(fn, dominators.emplace(fn));
            isWorth[i] = dominators->isReachable(calls[i]->block) && loops->depth(calls[i]->block) != 0;
        }
        return isWorth;
    }

    bool isWorthIt(const Function& caller, const Inst& call, bool isInLoop) {
        const Callee& callee = of(call.immFn);
        if (callee.state != State::Done || !callee.isPossible || callee.depth >= kMaxDepth) return false;
        if (growth_ + callee.insts > kMaxGrowth) return false;
        if (callee.isLeaf && callee.insts <= kMaxLeafInsts) return true;
        const Inst* last = call.block->terminator();
        if (caller.isLenient || last->is(Op::Raise) || last->is(Op::Unreachable)) return false;
        if (callee.references == 1 && callee.insts <= kMaxOnceInsts) return true;
        if (callee.hasLoop) return false;
        const bool takesFunction = std::any_of(call.ops().begin() + call.is(Op::CallEnv), call.ops().end(), [](Value v) {
            v = Function::resolve(v);
            return v->is(Op::Closure) || v->is(Op::ConstFn);
        });
        return callee.insts <= (isInLoop || takesFunction ? kMaxHotInsts : kMaxBodyInsts);
    }

    /// A copy of a function to put in the place of its calls of itself; null if that is too much.
    Function* copyForItself(Function& fn, const std::vector<Inst*>& calls) {
        const auto count = uint32_t(std::count_if(calls.begin(), calls.end(), [&](Inst* call) { return call->immFn == &fn; }));
        if (count == 0) return nullptr;
        measure(fn);
        const Callee& own = of(&fn);
        if (!own.isPossible || own.hasLoop || fn.isLenient || own.insts * count > kMaxSelfInsts) return nullptr;
        return copyBody(fn);
    }

    void measure(const Function& fn) {
        Callee& callee = of(&fn);
        callee.insts = 0;
        callee.isLeaf = true;
        callee.hasLoop = false;
        callee.callsItself = false;
        callee.isPossible = fn.entry && !fn.isMain && !fn.isConst && !fn.isLenient && !fn.isVararg && !fn.hasResultPack && !fn.isDebuggable;
        if (!callee.isPossible) return;
        for (Block* block : blocks(fn)) {
            for (Inst* inst : insts(block)) {
                if (inst->is(Op::Loop)) callee.hasLoop = true;
                if ((inst->is(Op::Call) || inst->is(Op::CallEnv)) && inst->immFn == &fn) callee.callsItself = true;
                if (effectsOf(*inst) & kNoLeaf) callee.isLeaf = false;
                if (!inst->isConst() && !inst->is(Op::Ret) && !inst->is(Op::Jump)) callee.insts++;
            }
        }
    }

    Module& module_;
    PassContext& context_;
    std::vector<Callee> callees_;  // by function index
    uint64_t growth_ = 0;
    uint64_t inlined_ = 0, selfInlined_ = 0, direct_ = 0, dropped_ = 0;
};

}  // namespace

bool runInline(Module& module, PassContext& context) { return CostInliner(module, context).run(); }

}  // namespace luapp::ir
