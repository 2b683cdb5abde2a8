// Dead code elimination: removes instructions without observable effects whose result nothing needs, and block parameters
// that only such instructions or each other use (so dead loop variables go too).
//
// Marks from the instructions that must stay, then sweeps: linear. Loops themselves stay: not to terminate is observable.

#include "middle/pass.h"

namespace luapp::ir {

namespace {

class DeadCode {
  public:
    DeadCode(Function& fn, PassContext& context) : fn_(fn), context_(context) {}

    bool run() {
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (mustStay(*inst)) mark(inst);
            }
        }
        while (!work_.empty()) {
            Inst* inst = work_.back();
            work_.pop_back();
            for (Value v : inst->ops()) mark(v);
            if (!inst->isParam()) continue;
            for (Edge* edge : inst->block->preds) mark(edge->args[inst->imm]);
        }
        return sweep();
    }

  private:
    static bool mustStay(const Inst& inst) {
        if (inst.isTerminator()) return true;
        // Filling the result area matters only to the user of the pack.
        const uint32_t observable = inst.is(Op::PackMake) || inst.is(Op::VarargAll) ? 0 : kObservable;
        return effectsOf(inst) & observable;
    }

    void mark(Inst* inst) {
        if (inst->flags & Inst::kMark) return;
        inst->flags |= Inst::kMark;
        work_.push_back(inst);
    }

    static bool takeMark(Inst* inst) {
        const bool isMarked = inst->flags & Inst::kMark;
        inst->flags &= uint8_t(~Inst::kMark);
        return isMarked;
    }

    bool sweep() {
        uint64_t removed = 0;
        uint64_t params = 0;
        std::vector<bool> drop;
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (takeMark(inst)) continue;
                fn_.remove(inst);
                removed++;
            }
            drop.assign(block->params.size(), false);
            const uint64_t before = params;
            for (size_t i = 0; i < drop.size(); i++) {
                const bool isUsed = takeMark(block->params[i]);
                if (isUsed || block == fn_.entry) continue;  // the entry's are the signature
                drop[i] = true;
                params++;
            }
            if (params != before) fn_.removeParams(block, drop);
        }
        context_.count("instructions removed", removed);
        context_.count("parameters removed", params);
        return removed || params;
    }

    Function& fn_;
    PassContext& context_;
    std::vector<Inst*> work_;
};

}  // namespace

bool runDce(Function& fn, PassContext& context) { return DeadCode(fn, context).run(); }

}  // namespace luapp::ir
