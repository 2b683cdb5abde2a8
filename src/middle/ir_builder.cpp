#include "middle/ir_builder.h"

#include <bit>

#include "middle/fold.h"
#include "middle/trivial_params.h"
#include "runtime/base/check.h"

namespace luapp::ir {

namespace {
uint64_t definitionKey(const Block* block, VarId var) { return uint64_t{block->id} << 32 | var; }
}  // namespace

Builder::Builder(Function& fn) : fn_(fn) {
    LUAPP_CHECK(!fn.entry, "function is built twice");
    Block* entry = newBlock();
    for (Rep rep : fn.params) fn_.addParam(entry, rep);
    startSealed(entry);
}

// --- blocks -----------------------------------------------------------------------------------------------------

Block* Builder::newBlock() {
    Block* block = fn_.addBlock();
    if (states_.size() <= block->id) states_.resize(block->id + 1);
    return block;
}

Builder::BlockState& Builder::state(const Block* block) { return states_[block->id]; }

void Builder::start(Block* block) {
    LUAPP_CHECK(!state(block).isStarted, "block is started twice");
    LUAPP_CHECK(!current_, "the block before has no terminator");
    state(block).isStarted = true;
    current_ = block;
    if (block == fn_.lastBlock) return;
    // Move it to the end: the order of blocks is the order of starting them.
    block->next->prev = block->prev;
    (block->prev ? block->prev->next : fn_.entry) = block->next;
    block->prev = fn_.lastBlock;
    block->next = nullptr;
    fn_.lastBlock->next = block;
    fn_.lastBlock = block;
}

Block* Builder::block() {
    if (!current_) startSealed(newBlock());
    return current_;
}

void Builder::seal(Block* block) {
    LUAPP_CHECK(!state(block).isSealed, "block is sealed twice");
    state(block).isSealed = true;
    for (uint32_t at = state(block).incomplete; at;) {
        const Incomplete incomplete = incomplete_[at - 1];
        at = incomplete.next;
        pending_.push_back({incomplete.var, incomplete.param, 0});
        completePending();
    }
    state(block).incomplete = 0;
}

// --- instructions -----------------------------------------------------------------------------------------------

Loc Builder::scoped(Loc loc) {
    if (loc != lastScoped_.loc || scope_ != lastScoped_.scope || !lastScopedLoc_.isValid()) {
        lastScoped_ = {};
        lastScoped_.loc = loc;
        lastScoped_.scope = scope_;
        lastScopedLoc_ = fn_.module().addNote(lastScoped_);
    }
    return lastScopedLoc_;
}

Value Builder::constant(Op op, int64_t imm) {
    Inst* inst = fn_.makeInst(op, fixedRep(op), {}, loc_);
    inst->imm = imm;
    fn_.append(block(), inst);
    return inst;
}

Value Builder::f64(double v) { return constant(Op::ConstF64, std::bit_cast<int64_t>(v)); }

Value Builder::fn(Function* function) {
    Value v = constant(Op::ConstFn, 0);
    v->immFn = function;
    return v;
}

Value Builder::zero(Rep rep) {
    switch (rep) {
        case Rep::F64: return f64(0);
        case Rep::I64: return i64(0);
        case Rep::Bool: return boolean(false);
        case Rep::Ref: return null();
        case Rep::Box: return nil();
        case Rep::Pack: return op(Op::PackMake, std::span<const Value>{});
        case Rep::Void: break;
    }
    LUAPP_UNREACHABLE("no zero of representation void");
}

Value Builder::emit(Op op, Rep rep, std::span<const Value> operands, int64_t imm, uint32_t imm2) {
    Block* at = block();
    Inst* inst = fn_.makeInst(op, rep, operands, loc_);
    for (Value& v : inst->ops()) v = Function::resolve(v);
    inst->imm = imm;
    inst->imm2 = imm2;
    if (isFastMath_ && isNumberArithmetic(op)) inst->flags |= Inst::kFastMath;
    foldInPlace(*inst);
    fn_.append(at, inst);
    return inst;
}

Value Builder::call(Function* callee, Value closure, std::span<const Value> args, uint32_t extras, Rep rep) {
    if (!closure) {
        Value v = emit(Op::Call, rep, args, 0, extras);
        v->immFn = callee;
        return v;
    }
    std::vector<Value> operands{closure};
    operands.insert(operands.end(), args.begin(), args.end());
    Value v = emit(Op::CallEnv, rep, operands, 0, extras);
    v->immFn = callee;
    return v;
}

Value Builder::closure(Function* function, std::span<const Value> captures) {
    Value v = emit(Op::Closure, Rep::Ref, captures, 0, 0);
    v->immFn = function;
    return v;
}

Value Builder::box(Value v, uint32_t tag) {
    switch (v->rep) {
        case Rep::F64: return op(Op::BoxF, {v});
        case Rep::I64: return op(Op::BoxI, {v});
        case Rep::Bool: return op(Op::BoxB, {v});
        case Rep::Ref: return op(Op::BoxRef, {v}, tag);
        case Rep::Box: return v;
        case Rep::Void:
        case Rep::Pack: break;
    }
    LUAPP_UNREACHABLE("only a value can be boxed");
}

// --- terminators ------------------------------------------------------------------------------------------------

Inst* Builder::terminate(Op op, std::span<const Value> operands, unsigned edgeCount) {
    Block* at = block();
    Inst* inst = fn_.makeInst(op, Rep::Void, operands, loc_, edgeCount);
    for (Value& v : inst->ops()) v = Function::resolve(v);
    fn_.append(at, inst);
    current_ = nullptr;
    return inst;
}

void Builder::connect(Inst* terminator, unsigned edge, Block* to) {
    LUAPP_CHECK(!state(to).isSealed, "edge to a sealed block");
    fn_.connect(terminator, edge, to);
    // Arguments for parameters that exist already come with seal().
    for (size_t i = 0; i < to->params.size(); i++) terminator->edges[edge].args.push(fn_.arena(), nullptr);
}

void Builder::jump(Block* to) { connect(terminate(Op::Jump, {}, 1), 0, to); }

void Builder::loop(Block* to) { connect(terminate(Op::Loop, {}, 1), 0, to); }

void Builder::br(Value condition, Block* ifTrue, Block* ifFalse) {
    Inst* inst = terminate(Op::Br, {&condition, 1}, 2);
    connect(inst, 0, ifTrue);
    connect(inst, 1, ifFalse);
}

void Builder::ret(std::span<const Value> values) { terminate(Op::Ret, values, 0); }

void Builder::retPack(std::span<const Value> values) { terminate(Op::RetPack, values, 0); }

void Builder::raise(uint32_t error, Value box) {
    Inst* inst = terminate(Op::Raise, {&box, size_t{box ? 1u : 0u}}, 0);
    inst->imm = error;
}

void Builder::unreachable() { terminate(Op::Unreachable, {}, 0); }

// --- variables --------------------------------------------------------------------------------------------------

VarId Builder::declareVariable(Rep rep) {
    varReps_.push_back(rep);
    return VarId(varReps_.size() - 1);
}

Value* Builder::definition(const Block* block, VarId var) {
    auto found = definitions_.find(definitionKey(block, var));
    if (found == definitions_.end()) return nullptr;
    found->second = Function::resolve(found->second);
    return &found->second;
}

void Builder::define(const Block* block, VarId var, Value v) { definitions_[definitionKey(block, var)] = v; }

void Builder::writeVariable(VarId var, Value v) {
    LUAPP_CHECK(v->rep == varReps_[var], "variable set to a value of another representation");
    define(block(), var, v);
}

Value Builder::readVariable(VarId var) {
    Value v = lookUp(block(), var);
    completePending();
    return Function::resolve(v);
}

Value Builder::undefined(Block* block, Rep rep) {
    // In front of everything, so that it dominates whatever reads it.
    Block* resume = current_;
    const Loc resumeLoc = loc_;
    current_ = block;
    loc_ = {};
    Value v = zero(rep);
    if (v != block->first) {
        fn_.remove(v);
        fn_.prepend(block, v);
    }
    current_ = resume;
    loc_ = resumeLoc;
    return v;
}

Value Builder::addVariableParam(Block* block, VarId var) {
    Value param = fn_.addParam(block, varReps_[var]);
    for (Edge* edge : block->preds) edge->args.push(fn_.arena(), nullptr);
    define(block, var, param);
    return param;
}

// The value of `var` at the end of `block` as far as it is built. May add a parameter whose arguments completePending()
// looks up; never recurses.
Value Builder::lookUp(Block* block, VarId var) {
    path_.clear();
    Value v = nullptr;
    for (Block* at = block;; at = at->preds[0]->from) {
        if (Value* defined = definition(at, var)) {
            v = *defined;
            break;
        }
        BlockState& s = state(at);
        if (!s.isSealed) {
            v = addVariableParam(at, var);
            incomplete_.push_back({var, v, s.incomplete});
            s.incomplete = uint32_t(incomplete_.size());
            break;
        }
        if (at->preds.size() > 1) {
            v = addVariableParam(at, var);
            pending_.push_back({var, v, 0});
            break;
        }
        path_.push_back(at);
        if (at->preds.empty()) {
            v = undefined(at, varReps_[var]);
            break;
        }
    }
    for (Block* passed : path_) define(passed, var, v);
    return v;
}

// Depth first: the arguments of a parameter are complete before its own need is judged, so in code without loops every
// needless parameter goes at once.
void Builder::completePending() {
    while (!pending_.empty()) {
        const size_t index = pending_.size() - 1;
        Value param = pending_[index].param;
        Block* block = param->block;
        if (pending_[index].edge < block->preds.size()) {
            Edge* edge = block->preds[pending_[index].edge++];
            edge->args[param->imm] = lookUp(edge->from, pending_[index].var);
            continue;
        }
        pending_.pop_back();
        if (Value only = onlyArgument(param)) fn_.replace(param, only);
    }
}

// --- finishing --------------------------------------------------------------------------------------------------

void Builder::finish() {
    LUAPP_CHECK(!current_, "the last block has no terminator");
    for ([[maybe_unused]] Block* block : blocks(fn_)) {
        LUAPP_CHECK(state(block).isSealed || block->preds.empty(), "a block is not sealed");
        LUAPP_CHECK(state(block).isStarted || block->preds.empty(), "a block was jumped to but never built");
    }
    fn_.removeUnreachable();
    replaceTrivialParams(fn_);
    fn_.applyReplacements();
    fn_.renumber();
}

}  // namespace luapp::ir
