// Inlining of small leaf functions: a function that is little more than an expression takes the place of its direct calls, which
// saves the call and lets the other passes see through it. Callees come before callers, so a function that only calls such
// functions is small itself then (an object's maker, say). Bodies with calls, loops or anything that may raise stay
// functions: so no frame vanishes that a traceback could show, and code does not grow by much. Functions that captured something
// and lenient ones (whose locals can be asked for) stay too; const functions are the business of `inline`.
// Before:  v2 = call @twice, v1        After:  v3 = const.f64 2;  v4 = mul.f v1, v3

#include "middle/pass.h"
#include "middle/splice.h"

namespace luapp::ir {

namespace {

/// Instructions a body may have, constants and returns aside.
constexpr uint32_t kMaxBodyInsts = 12;
constexpr uint32_t kMaxBodyBlocks = 6;
/// A caller does not grow beyond this.
constexpr uint32_t kMaxCallerInsts = 20'000;

/// Effects a body may have. Allocation may raise only where memory is gone.
constexpr uint32_t kForbidden = Raises | RunsCode | Polls | ReadsResults | WritesResults;

bool isSmallLeaf(const Function& fn) {
    if (!fn.entry || fn.isMain || fn.isConst || fn.isLenient || fn.isVararg || fn.hasResultPack) return false;
    if (!fn.captures.empty()) return false;
    uint32_t instCount = 0, blockCount = 0;
    for (Block* block : blocks(fn)) {
        if (++blockCount > kMaxBodyBlocks) return false;
        for (Inst* inst : insts(block)) {
            if (inst->isConst() || inst->is(Op::Ret)) continue;
            if (++instCount > kMaxBodyInsts || (effectsOf(*inst) & kForbidden)) return false;
        }
    }
    return true;
}

class SmallInliner {
  public:
    explicit SmallInliner(Module& module)
        : module_(module), states_(module.functions.size(), State::New), isSmall_(module.functions.size(), false) {}

    uint64_t run() {
        for (Function* fn : module_.functions) process(fn);
        return inlined_;
    }

  private:
    enum class State : uint8_t { New, Active, Done };
    struct Frame {
        Function* fn;
        std::vector<Inst*> calls;
        size_t next = 0;  // the first whose callee has not been looked at
    };

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
            inlineInto(*frame.fn, frame.calls);
            isSmall_[frame.fn->index()] = isSmallLeaf(*frame.fn);
            states_[frame.fn->index()] = State::Done;
            stack.pop_back();
        }
    }

    void enter(std::vector<Frame>& stack, Function* fn) {
        State& state = states_[fn->index()];
        if (state != State::New) return;
        state = State::Active;
        stack.push_back({fn, {}});
        if (!fn->entry) return;
        for (Block* block : blocks(*fn)) {
            for (Inst* inst : insts(block)) {
                if (inst->is(Op::Call) && inst->immFn != fn) stack.back().calls.push_back(inst);
            }
        }
    }

    // The last call first: what lies behind a call moves to a new block, and so every instruction moves only once.
    void inlineInto(Function& fn, const std::vector<Inst*>& calls) {
        uint64_t inlined = 0;
        for (size_t i = calls.size(); i-- > 0 && fn.instCount() < kMaxCallerInsts;) {
            if (isSmall_[calls[i]->immFn->index()]) inlined += spliceCall(fn, calls[i]);
        }
        if (inlined == 0) return;
        fn.removeUnreachable();
        fn.applyReplacements();
        fn.renumber();
        inlined_ += inlined;
    }

    Module& module_;
    std::vector<State> states_;   // by function index
    std::vector<bool> isSmall_;  // by function index; false until the function is done
    uint64_t inlined_ = 0;
};

}  // namespace

bool runInlineSmall(Module& module, PassContext& context) {
    const uint64_t inlined = SmallInliner(module).run();
    context.count("calls inlined", inlined);
    return inlined != 0;
}

}  // namespace luapp::ir
