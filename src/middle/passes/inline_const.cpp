// Inlining: the body of a const function takes the place of each call (LANGUAGE 4), callees before callers, so that
// chains of them vanish in one go. How a body takes the place of a call: splice.h.
//
// A call stays a call where its form does not allow that, or the caller or the whole program has grown beyond reason (const
// functions that call each other twice grow exponentially, a chain of them quadratically). It means the same then.
// Before:  v2 = call @twice, v1        After:  v3 = const.f64 2;  v4 = mul.f v1, v3

#include <algorithm>

#include "middle/pass.h"
#include "middle/splice.h"

namespace luapp::ir {

namespace {

constexpr uint32_t kMaxCallerInsts = 200'000;
constexpr uint64_t kMaxGrowth = 1'000'000;  // instructions, of all callers together
constexpr uint32_t kMaxDepth = 100;         // calls that have become parts of one another; tracebacks show them all

class Inliner {
  public:
    Inliner(Module& module, PassContext& context)
        : module_(module), context_(context), states_(module.functions.size(), State::New), depths_(module.functions.size()) {}

    bool run() {
        for (Function* fn : module_.functions) process(fn);
        return changed_;
    }

  private:
    enum class State : uint8_t { New, Active, Done };
    struct Frame {
        Function* fn;
        std::vector<Inst*> calls;  // of const functions, in order
        size_t next = 0;           // the first whose callee has not been looked at
    };

    State& state(const Function* fn) { return states_[fn->index()]; }

    // Callees first; the stack is explicit because chains of const functions may be long.
    void process(Function* root) {
        if (state(root) != State::New) return;
        std::vector<Frame> stack;
        enter(stack, root);
        while (!stack.empty()) {
            Frame& frame = stack.back();
            if (frame.next < frame.calls.size()) {
                Function* callee = frame.calls[frame.next++]->immFn;
                if (state(callee) == State::New) enter(stack, callee);
                continue;
            }
            inlineInto(*frame.fn, frame.calls);
            state(frame.fn) = State::Done;
            stack.pop_back();
        }
    }

    void enter(std::vector<Frame>& stack, Function* fn) {
        state(fn) = State::Active;
        stack.push_back({fn, {}});
        for (Block* block : blocks(*fn)) {
            for (Inst* inst : insts(block)) {
                const bool isKnownCall = inst->is(Op::Call) || inst->is(Op::CallEnv);
                if (isKnownCall && inst->immFn->isConst && inst->immFn->entry) stack.back().calls.push_back(inst);
            }
        }
    }

    // The last call first: what lies behind a call moves to a new block, and so every instruction moves only once.
    void inlineInto(Function& fn, const std::vector<Inst*>& calls) {
        uint64_t inlined = 0;
        for (size_t i = calls.size(); i-- > 0;) {
            Inst* call = calls[i];
            if (state(call->immFn) != State::Done) continue;  // calls itself: the body would have no end
            if (fn.instCount() + call->immFn->instCount() > kMaxCallerInsts) continue;
            const uint32_t depth = depths_[call->immFn->index()] + 1;
            if (depth > kMaxDepth) continue;
            const uint32_t size = call->immFn->instCount();
            if (growth_ + size > kMaxGrowth) continue;
            if (!spliceCall(fn, call, *call->immFn)) continue;
            depths_[fn.index()] = std::max(depths_[fn.index()], depth);
            growth_ += size;
            inlined++;
        }
        if (!inlined) return;
        fn.removeUnreachable();
        fn.applyReplacements();
        fn.renumber();
        context_.count("calls inlined", inlined);
        changed_ = true;
    }

    Module& module_;
    PassContext& context_;
    std::vector<State> states_;     // by function index
    std::vector<uint32_t> depths_;  // by function index: of inlined calls in its body
    uint64_t growth_ = 0;
    bool changed_ = false;
};

}  // namespace

bool runInlineConst(Module& module, PassContext& context) { return Inliner(module, context).run(); }

}  // namespace luapp::ir
