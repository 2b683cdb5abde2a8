#include "middle/splice.h"

#include <unordered_map>

namespace luapp::ir {

namespace {

/// Puts one call's body in its place.
class Splice {
  public:
    Splice(Function& caller, Inst* call, Function& body) : caller_(caller), callee_(*call->immFn), body_(body), call_(call) {
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
        values_.assign(body_.instCount(), nullptr);
        blocks_.assign(body_.blockCount(), nullptr);
        Block* at = call_->block;
        for (Block* block : blocks(body_)) {
            Block* copy = block == body_.entry ? at : caller_.addBlock(after_);
            blocks_[block->id] = copy;
            for (Value param : block->params) {
                values_[param->id] = block == body_.entry ? call_->operands[firstArg_ + uint32_t(param->imm)]
                                                            : caller_.addParam(copy, param->rep);
            }
        }
        caller_.remove(call_);
        if (result_) caller_.replace(call_, result_);
        for (Block* block : blocks(body_)) {
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
        return v->block && v->block->function == &body_ ? Function::resolve(values_[v->id]) : v;
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

    /// What a capture.get of the callee gives. Where more is known of a capture of the caller than it knew when it made the closure, the
    /// caller reads it once more.
    Value captured(const Inst& inst, Block* block) {
        const Value held = Function::resolve(closure_->operands[size_t(inst.imm)]);
        if (inst.imm2 == 0 || !held->is(Op::CaptureGet)) return held;
        Inst* again = caller_.makeInst(Op::CaptureGet, held->rep, {}, placeInCaller(inst));
        again->imm = held->imm;
        again->imm2 = inst.imm2;
        caller_.append(block, again);
        return again;
    }

    void copyInst(Inst& inst, Block* block) {
        Value& result = values_[inst.id];
        switch (inst.op) {
            case Op::Ret: return returnTo(inst, block);
            case Op::RetPack: return returnTo(inst, block);
            case Op::CaptureGet:
                result = captured(inst, block);
                return;
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
        Inst* copy = caller_.makeInst(inst.op, inst.rep, inst.ops(), placeInCaller(inst), inst.edgeCount);
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

    /// The position of a copy: for what may raise or run code, one that names the call.
    Loc placeInCaller(const Inst& inst) {
        if (!inst.loc.isValid() || !(effectsOf(inst) & (Raises | Allocs | RunsCode | Polls))) return inst.loc;
        if (const auto known = places_.find(inst.loc.offset); known != places_.end()) return known->second;
        Module& module = caller_.module();
        const Note* old = module.noteOf(inst.loc);
        Note note = old ? *old : Note{};
        note.loc = module.placeOf(inst.loc);
        note.inlined = siteInCaller(note.inlined);
        return places_[inst.loc.offset] = module.addNote(note);
    }

    /// The site in the caller for one in the callee; 0: the callee's own code.
    uint32_t siteInCaller(uint32_t site) {
        if (const auto known = sites_.find(site); known != sites_.end()) return known->second;
        Module& module = caller_.module();
        const bool isOwn = site == 0;
        InlineSite made{&callee_, module.placeOf(call_->loc), module.inlineSiteOf(call_->loc)};
        if (!isOwn) {
            const InlineSite of = module.inlineSites[site - 1];
            made = {of.callee, of.call, siteInCaller(of.parent)};
        }
        module.inlineSites.push_back(made);
        return sites_[site] = uint32_t(module.inlineSites.size());
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
    Function& body_;  // the callee, or a copy of it
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
    std::unordered_map<uint32_t, Loc> places_;      // by Loc::offset in the callee
    std::unordered_map<uint32_t, uint32_t> sites_;  // by inline site of the callee's instructions
};

}  // namespace

bool spliceCall(Function& caller, Inst* call, Function& body) {
    Splice splice(caller, call, body);
    if (!splice.isPossible()) return false;
    splice.run();
    return true;
}

Function* copyBody(const Function& fn) {
    auto* copy = new (fn.arena().allocate(sizeof(Function), alignof(Function))) Function(fn.module(), fn.index());
    copy->params = fn.params;
    std::vector<Value> values(fn.instCount(), nullptr);
    std::vector<Block*> copies(fn.blockCount(), nullptr);
    for (Block* block : blocks(fn)) {
        copies[block->id] = copy->addBlock();
        for (Value param : block->params) values[param->id] = copy->addParam(copies[block->id], param->rep);
    }
    copy->entry = copies[fn.entry->id];
    for (Block* block : blocks(fn)) {
        for (Inst* inst : insts(block)) {
            Inst* made = copy->makeInst(inst->op, inst->rep, inst->ops(), inst->loc, inst->edgeCount);
            made->flags = inst->flags;
            if (!inst->hasEdges()) made->imm = inst->imm;
            made->imm2 = inst->imm2;
            copy->append(copies[block->id], made);
            for (uint32_t i = 0; i < inst->edgeCount; i++) {
                copy->connect(made, i, copies[inst->edges[i].to->id]);
                for (Value v : inst->edges[i].args) made->edges[i].args.push(copy->arena(), v);
            }
            values[inst->id] = made;
        }
    }
    for (Block* block : blocks(*copy)) {
        for (Inst* inst : insts(block)) {
            for (Value& v : inst->ops()) v = values[Function::resolve(v)->id];
            for (Edge& edge : inst->succs())
                for (Value& v : edge.args) v = values[Function::resolve(v)->id];
        }
    }
    return copy;
}

}  // namespace luapp::ir
