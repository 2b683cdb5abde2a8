// Devirtualisation: a virtual call whose object can only be of one exact class becomes a direct call of what that class answers, and a
// call of a closure that can only be of one function a direct call of that function, so that inlining sees them.
//
// What lowering does by the class hierarchy is done before: here counts what is known of values. Optimistic propagation through the
// whole program (as sparse constant propagation does it: Wegman and Zadeck, 1991): an object is of the class it is made of, a closure
// of its function; a block parameter, the parameter of a function that only direct calls reach, and the first result of a function are
// what all their sources agree on. Every fact falls at most twice, so the pass is linear.
// Before:  v1: ref = call @Circle.new;  v2: f64 = call.method m0, v1        After:  v2: f64 = call @Circle.area, v1

#include <algorithm>

#include "middle/pass.h"

namespace luapp::ir {

namespace {

/// What is known of a value: nothing yet, a class or a function, or that there are several.
using Fact = uint32_t;
constexpr Fact kOpen = 0;
constexpr Fact kSeveral = 1;
Fact classFact(uint32_t type) { return 2 + 2 * type; }
Fact functionFact(uint32_t index) { return 3 + 2 * index; }
bool isClass(Fact f) { return f >= 2 && f % 2 == 0; }
bool isFunction(Fact f) { return f >= 2 && f % 2 == 1; }
uint32_t indexOf(Fact f) { return (f - 2) / 2; }

class Devirtualiser {
  public:
    explicit Devirtualiser(Module& module) : module_(module) {}

    bool run(PassContext& context) {
        if (!hasIndirectCalls()) return false;
        number();
        markTaken();
        collect();
        propagate();
        for (Function* fn : module_.functions) {
            if (!fn->isDebuggable) rewrite(*fn);
        }
        context.count("virtual calls made direct", methods_);
        context.count("closure calls made direct", closures_);
        return methods_ || closures_;
    }

  private:
    using Node = uint32_t;
    struct Flow {
        Node from;
        Node to;
    };

    bool hasIndirectCalls() const {
        for (const Function* fn : module_.functions) {
            for (Block* block : blocks(*fn)) {
                for (Inst* inst : insts(block)) {
                    if (inst->is(Op::CallMethod) || inst->is(Op::CallClo)) return true;
                }
            }
        }
        return false;
    }

    /// Nodes are the first results of functions, then the values, function by function.
    void number() {
        Node next = Node(module_.functions.size());
        for (const Function* fn : module_.functions) {
            firstNode_.push_back(next);
            next += fn->instCount();
        }
        facts_.assign(next, kOpen);
    }

    Node node(Value v) const { return firstNode_[v->block->function->index()] + v->id; }

    /// Functions that something else than a direct call may reach: nothing is known of their parameters.
    void markTaken() {
        isTaken_.assign(module_.functions.size(), false);
        auto take = [&](const Function* fn) {
            if (fn) isTaken_[fn->index()] = true;
        };
        for (const ClassEntry& entry : module_.classes) {
            for (const Function* fn : entry.table) take(fn);
            for (const ClassMember& member : entry.members) take(member.function);
            for (const Function* fn : entry.makers) take(fn);
            take(entry.finalizer);
        }
        for (const Function* fn : module_.functions) {
            take(fn->dynamicEntry);
            if (fn->isMain || fn->isLenient || fn->isDebuggable) take(fn);
            for (Block* block : blocks(*fn)) {
                for (Inst* inst : insts(block)) {
                    if (inst->is(Op::ConstFn) || inst->is(Op::Closure)) take(inst->immFn);
                    if (inst->is(Op::ClosureSelf)) take(fn);
                }
            }
        }
    }

    void flow(Node from, Node to) { flows_.push_back({from, to}); }

    /// Sets what is known at once, and finds out what flows where.
    void collect() {
        for (Function* fn : module_.functions) {
            for (Block* block : blocks(*fn)) {
                for (Value param : block->params) {
                    if (block == fn->entry && isTaken_[fn->index()]) facts_[node(param)] = kSeveral;
                }
                for (Inst* inst : insts(block)) collect(*fn, *inst);
            }
            if (fn->hasResultPack) facts_[fn->index()] = kSeveral;
        }
        std::stable_sort(flows_.begin(), flows_.end(), [](const Flow& a, const Flow& b) { return a.from < b.from; });
    }

    void collect(const Function& fn, Inst& inst) {
        for (const Edge& edge : inst.succs()) {
            for (Value param : edge.to->params) {
                if (param->rep == Rep::Ref) flow(node(edge.args[size_t(param->imm)]), node(param));
            }
        }
        if (inst.is(Op::Call) || inst.is(Op::CallEnv)) passArguments(inst);
        if (inst.is(Op::Ret) && inst.operandCount && inst.operands[0]->rep == Rep::Ref) flow(node(inst.operands[0]), fn.index());
        if (inst.rep != Rep::Ref) return;
        if (inst.is(Op::Call) || inst.is(Op::CallEnv)) return flow(inst.immFn->index(), node(&inst));
        Fact& fact = facts_[node(&inst)];
        if (inst.is(Op::ObjNew)) {
            fact = module_.classOf(uint32_t(inst.imm)) ? classFact(uint32_t(inst.imm)) : kSeveral;
        } else if (inst.is(Op::Closure) || inst.is(Op::ConstFn)) {
            fact = functionFact(inst.immFn->index());
        } else if (!inst.is(Op::ConstNull)) {
            fact = kSeveral;  // null is never called
        }
    }

    void passArguments(const Inst& call) {
        const Function& callee = *call.immFn;
        if (!callee.entry || isTaken_[callee.index()]) return;
        const uint32_t first = call.is(Op::CallEnv) ? 1 : 0;
        for (Value param : callee.entry->params) {
            if (param->rep == Rep::Ref) flow(node(call.operands[first + uint32_t(param->imm)]), node(param));
        }
    }

    void propagate() {
        std::vector<Node> work;
        for (Node n = 0; n < facts_.size(); n++) {
            if (facts_[n] != kOpen) work.push_back(n);
        }
        while (!work.empty()) {
            const Node from = work.back();
            work.pop_back();
            const Fact fact = facts_[from];
            auto at = std::lower_bound(flows_.begin(), flows_.end(), from, [](const Flow& f, Node n) { return f.from < n; });
            for (; at != flows_.end() && at->from == from; ++at) {
                Fact& to = facts_[at->to];
                if (to == fact || to == kSeveral) continue;
                to = to == kOpen ? fact : kSeveral;
                work.push_back(at->to);
            }
        }
    }

    // --- using it

    void rewrite(Function& fn) {
        for (Block* block : blocks(fn)) {
            for (Inst* inst : insts(block)) {
                if (inst->is(Op::CallMethod)) rewriteMethod(*inst);
                if (inst->is(Op::CallClo)) rewriteClosure(*inst);
            }
        }
    }

    void rewriteMethod(Inst& call) {
        const Fact fact = facts_[node(call.operands[0])];
        if (!isClass(fact)) return;
        const std::vector<Function*>& table = module_.classOf(indexOf(fact))->table;
        const uint32_t slot = module_.methods[size_t(call.imm)].slot;
        Function* const callee = slot < table.size() ? table[slot] : nullptr;
        if (!callee || !fits(call, *callee, 0)) return;
        call.op = Op::Call;
        call.immFn = callee;
        methods_++;
    }

    void rewriteClosure(Inst& call) {
        const Fact fact = facts_[node(call.operands[0])];
        if (!isFunction(fact)) return;
        Function* const callee = module_.functions[indexOf(fact)];
        if (callee->isLenient || !fits(call, *callee, 1)) return;
        call.immFn = callee;
        closures_++;
        if (!callee->captures.empty()) {
            call.op = Op::CallEnv;
            return;
        }
        call.op = Op::Call;
        call.operands++;
        call.operandCount--;
    }

    /// True if the operands from `first` on and the result fit a direct call of `callee`.
    static bool fits(const Inst& call, const Function& callee, uint32_t first) {
        const uint32_t fixed = callee.params.size();
        const uint32_t count = call.operandCount - (call.endsInPack() ? 1 : 0);
        if (count != first + fixed + call.imm2) return false;
        if (!callee.isVararg && (call.imm2 || call.endsInPack())) return false;
        for (uint32_t i = 0; i < fixed; i++) {
            if (call.operands[first + i]->rep != callee.params[i]) return false;
        }
        if (callee.hasResultPack) return call.rep == Rep::Void || call.rep == Rep::Pack || call.rep == Rep::Box;
        return call.rep == Rep::Void || (!callee.results.empty() && callee.results[0] == call.rep);
    }

    Module& module_;
    std::vector<Node> firstNode_;  // by function index
    std::vector<bool> isTaken_;    // by function index
    std::vector<Fact> facts_;      // by node
    std::vector<Flow> flows_;      // sorted by `from`
    uint64_t methods_ = 0;
    uint64_t closures_ = 0;
};

}  // namespace

bool runDevirtualise(Module& module, PassContext& context) { return Devirtualiser(module).run(context); }

}  // namespace luapp::ir
