#include "middle/splice.h"

namespace luapp::ir {

namespace {

/// Puts one call's body in its place.
class Splice {
  public:
    Splice(Function& caller, Inst* call) : caller_(caller), callee_(*call->immFn), call_(call) {
        closure_ = call->is(Op::CallEnv) ? call->operands[0] : nullptr;
        firstArg_ = closure_ ? 1 : 0;
        firstExtra_ = firstArg_ + callee_.params.size();
    }

    bool isPossible() const {
        if (call_->endsInPack() || call_->rep == Rep::Pack) return false;
        if (callee_.captures.empty()) return true;
        return closure_->is(Op::Closure) && closure_->immFn == &callee_;
    }

    void run() {
        after_ = splitBehindCall();
        makeResults();
        values_.assign(callee_.instCount(), nullptr);
        blocks_.assign(callee_.blockCount(), nullptr);
        Block* at = call_->block;
        for (Block* block : blocks(callee_)) {
            Block* copy = block == callee_.entry ? at : caller_.addBlock(after_);
            blocks_[block->id] = copy;
            for (Value param : block->params) {
                values_[param->id] = block == callee_.entry ? call_->operands[firstArg_ + uint32_t(param->imm)]
                                                            : caller_.addParam(copy, param->rep);
            }
        }
        caller_.remove(call_);
        if (result_) caller_.replace(call_, result_);
        for (Block* block : blocks(callee_)) {
            for (Inst* inst = block->first; inst; inst = inst->next) copyInst(*inst, blocks_[block->id]);
        }
        // Copies still name the callee's values: one may be defined in a block further down the order.
        for (Inst* copy : copies_) {
            for (Value& v : copy->ops()) v = mapped(v);
            for (Edge& edge : copy->succs()) {
                for (Value& v : edge.args) v = mapped(v);
            }
        }
    }

  private:
    /// The caller's value for one of the callee's; values of the caller stay.
    Value mapped(Value v) const {
        v = Function::resolve(v);
        return v->block && v->block->function == &callee_ ? Function::resolve(values_[v->id]) : v;
    }

    // Everything behind the call goes to a new block, which becomes the place returns jump to.
    Block* splitBehindCall() {
        Block* block = call_->block;
        Block* after = caller_.addBlock(block->next);
        for (Inst* inst = call_->next; inst;) {
            Inst* following = inst->next;
            caller_.append(after, inst);
            inst = following;
        }
        call_->next = nullptr;
        block->last = call_;
        return after;
    }

    // The results become parameters of the block behind.
    void makeResults() {
        if (call_->rep != Rep::Void) {
            result_ = caller_.addParam(after_, call_->rep);
            resultIndexes_.push_back(0);
        }
        for (Inst* inst : insts(after_)) {
            if (inst->is(Op::Result) && inst->operands[0] == call_) {
                resultIndexes_.push_back(uint32_t(inst->imm));
                caller_.replace(inst, caller_.addParam(after_, inst->rep));
            } else if (clobbersResults(*inst)) {
                break;
            }
        }
    }

    Inst* make(Op op, Rep rep, std::span<const Value> operands, Loc loc, Block* block) {
        Inst* inst = caller_.makeInst(op, rep, operands, loc);
        caller_.append(block, inst);
        return inst;
    }

    void copyInst(Inst& inst, Block* block) {
        Value& result = values_[inst.id];
        switch (inst.op) {
            case Op::Ret: return returnTo(inst, block);
            case Op::RetPack: return returnTo(inst, block);
            case Op::CaptureGet: result = closure_->operands[size_t(inst.imm)]; return;
            case Op::EnvGet:
                if (caller_.isLenient) break;
                result = closure_->operands[0];  // a method of a class is no closure and has no environment of its own
                return;
            case Op::ClosureSelf:
                result = closure_ ? closure_ : make(Op::ConstFn, Rep::Ref, {}, inst.loc, block);
                if (!closure_) result->immFn = &callee_;
                return;
            case Op::VarargGet: result = extra(uint64_t(inst.imm), inst, block); return;
            case Op::VarargCount:
                result = make(Op::ConstI64, Rep::I64, {}, inst.loc, block);
                result->imm = call_->imm2;
                return;
            case Op::VarargAll:
                result = make(Op::PackMake, Rep::Pack, call_->ops().subspan(firstExtra_), inst.loc, block);
                return;
            default: break;  // the rest is copied as it is
        }
        Inst* copy = caller_.makeInst(inst.op, inst.rep, inst.ops(), inst.loc, inst.edgeCount);
        copy->flags = inst.flags;
        if (!inst.hasEdges()) copy->imm = inst.imm;
        copy->imm2 = inst.imm2;
        caller_.append(block, copy);
        for (uint32_t i = 0; i < inst.edgeCount; i++) {
            const Edge& edge = inst.edges[i];
            caller_.connect(copy, i, blocks_[edge.to->id]);
            for (Value v : edge.args) copy->edges[i].args.push(caller_.arena(), v);
        }
        result = copy;
        copies_.push_back(copy);
    }

    /// Extra argument `index` of the call, or nil.
    Value extra(uint64_t index, const Inst& inst, Block* block) {
        if (index < call_->imm2) return call_->operands[firstExtra_ + index];
        return make(Op::ConstNil, Rep::Box, {}, inst.loc, block);
    }

    // ret v, w  ->  jump after(v, w)
    void returnTo(Inst& ret, Block* block) {
        Value first = ret.is(Op::RetPack) && result_ ? firstOfPack(ret, block) : nullptr;
        Inst* jump = caller_.makeInst(Op::Jump, Rep::Void, {}, ret.loc, 1);
        caller_.append(block, jump);
        caller_.connect(jump, 0, after_);
        for (uint32_t index : resultIndexes_) jump->edges[0].args.push(caller_.arena(), first ? first : ret.operands[index]);
        copies_.push_back(jump);
    }

    /// The first value a ret.pack gives: a box, one fetched from the pack, or nil.
    Value firstOfPack(Inst& ret, Block* block) {
        if (ret.operandCount == 0) return make(Op::ConstNil, Rep::Box, {}, ret.loc, block);
        if (ret.operands[0]->rep == Rep::Box) return ret.operands[0];
        copies_.push_back(make(Op::PackGet, Rep::Box, ret.ops(), ret.loc, block));
        return copies_.back();
    }

    Function& caller_;
    Function& callee_;
    Inst* call_;
    Value closure_ = nullptr;  // operand of call.env
    uint32_t firstArg_ = 0;    // positions among the call's operands
    uint32_t firstExtra_ = 0;
    Block* after_ = nullptr;
    Value result_ = nullptr;               // parameter of after_ for result 0
    std::vector<uint32_t> resultIndexes_;  // which result each parameter of after_ is
    std::vector<Value> values_;            // by id in the callee
    std::vector<Block*> blocks_;
    std::vector<Inst*> copies_;
};

}  // namespace

bool spliceCall(Function& caller, Inst* call) {
    Splice splice(caller, call);
    if (!splice.isPossible()) return false;
    splice.run();
    return true;
}

}  // namespace luapp::ir
