// Tail calls of a function to itself: `return f(...)` in f jumps to its start with the arguments as parameters, so that recursion of this
// kind needs no stack and costs what a loop costs. It runs at every level, because programs rely on it (docs/language/answers.md); a
// traceback shows the function once. The arguments are values by then, so they are evaluated in order before the jump.
// The call must be direct (or of the running closure), without extra arguments, and what it gives must be returned as it is.
// Before:  b2: v3: f64 = call @f, v1, v2;  ret v3        After:  b0: jump b1(v0, v1) ... b2: loop b1(v1, v2)

#include "middle/pass.h"

namespace luapp::ir {

namespace {

/// The call of `fn` itself whose results the block returns as they are, or null.
Inst* ownTailCall(const Function& fn, const Block& block) {
    const Inst* ret = block.terminator();
    if (!ret->is(Op::Ret)) return nullptr;
    // Backwards over the fetching of further results.
    Inst* call = ret->prev;
    for (uint32_t i = ret->operandCount; i-- > 1;) {
        const Value result = ret->operands[i];
        if (call != result || !result->is(Op::Result) || result->imm != int64_t{i}) return nullptr;
        call = call->prev;
    }
    if (!call || (!call->is(Op::Call) && !call->is(Op::CallEnv)) || call->immFn != &fn) return nullptr;
    if (call->is(Op::CallEnv) && !call->operands[0]->is(Op::ClosureSelf)) return nullptr;
    if (ret->operandCount != 0 && ret->operands[0] != call) return nullptr;
    for (uint32_t i = 1; i < ret->operandCount; i++) {
        if (ret->operands[i]->operands[0] != call) return nullptr;
    }
    return call;
}

/// Gives the function a block behind the entry that holds its code and has its parameters.
Block* makeStart(Function& fn) {
    Block* entry = fn.entry;
    Block* start = fn.addBlock(entry->next);
    for (Inst* inst = entry->first; inst;) {
        Inst* following = inst->next;
        fn.append(start, inst);
        inst = following;
    }
    entry->first = entry->last = nullptr;
    Inst* jump = fn.makeInst(Op::Jump, Rep::Void, {}, fn.loc, 1);
    fn.append(entry, jump);
    fn.connect(jump, 0, start);
    for (Value param : entry->params) {
        fn.addParam(start, param->rep);
        jump->edges[0].args.push(fn.arena(), param);
    }
    return start;
}

/// Uses of the entry's parameters are uses of the start's from now on, but for the jump there.
void renameParams(Function& fn, Block* start) {
    auto rename = [&](Value& v) {
        if (v->isParam() && v->block == fn.entry) v = start->params[size_t(v->imm)];
    };
    for (Block* block : blocks(fn)) {
        if (block == fn.entry) continue;
        for (Inst* inst : insts(block)) {
            for (Value& v : inst->ops()) rename(v);
            for (Edge& edge : inst->succs())
                for (Value& v : edge.args) rename(v);
        }
    }
}

void jumpInstead(Function& fn, Inst* call, Block* start) {
    Block* block = call->block;
    while (block->last != call) fn.remove(block->last);
    Inst* loop = fn.makeInst(Op::Loop, Rep::Void, {}, call->loc, 1);
    const std::span<Value> args = call->ops().subspan(call->is(Op::CallEnv));
    fn.remove(call);
    fn.append(block, loop);
    fn.connect(loop, 0, start);
    for (Value v : args) loop->edges[0].args.push(fn.arena(), v);
}

}  // namespace

bool runTailCall(Function& fn, PassContext& context) {
    if (fn.isLenient || fn.isVararg || fn.isDebuggable || fn.isMain) return false;
    std::vector<Inst*> calls;
    for (Block* block : blocks(fn)) {
        if (Inst* call = ownTailCall(fn, *block)) calls.push_back(call);
    }
    if (calls.empty()) return false;
    Block* start = makeStart(fn);
    for (Inst* call : calls) jumpInstead(fn, call, start);
    renameParams(fn, start);
    fn.renumber();
    context.count("calls made jumps", calls.size());
    return true;
}

}  // namespace luapp::ir
