#include "middle/trivial_params.h"

namespace luapp::ir {

Value onlyArgument(Value param) {
    Value only = nullptr;
    for (Edge* edge : param->block->preds) {
        Value arg = edge->args[param->imm];
        if (!arg) return nullptr;
        arg = Function::resolve(arg);
        if (arg == param || arg == only) continue;
        if (only) return nullptr;
        only = arg;
    }
    return only;
}

namespace {

class Remover {
  public:
    explicit Remover(Function& fn) : fn_(fn), users_(fn.instCount()) {}

    bool run() {
        collect();
        bool changed = false;
        while (!work_.empty()) {
            Value param = work_.back();
            work_.pop_back();
            param->flags &= uint8_t(~Inst::kMark);
            if (param->flags & Inst::kForwarded) continue;
            Value only = onlyArgument(param);
            if (!only) continue;
            fn_.replace(param, only);
            revisitUsers(param, only);
            changed = true;
        }
        return changed;
    }

  private:
    void collect() {
        for (Block* block : blocks(fn_)) {
            if (block == fn_.entry) continue;
            for (Value param : block->params) {
                if (param->flags & Inst::kForwarded) continue;
                queue(param);
                for (Edge* edge : block->preds) {
                    Value arg = Function::resolve(edge->args[param->imm]);
                    if (arg->isParam() && arg != param) users_[arg->id].push_back(param);
                }
            }
        }
    }

    void queue(Value param) {
        if (param->flags & (Inst::kForwarded | Inst::kMark)) return;
        param->flags |= Inst::kMark;
        work_.push_back(param);
    }

    // A parameter that went may make needless those that got it as an argument; each is looked at again only for that.
    void revisitUsers(Value param, Value only) {
        std::vector<Value>& mine = users_[param->id];
        for (Value user : mine) queue(user);
        if (!only->isParam()) return;
        std::vector<Value>& theirs = users_[only->id];
        if (theirs.size() < mine.size()) theirs.swap(mine);
        theirs.insert(theirs.end(), mine.begin(), mine.end());
        mine.clear();
    }

    Function& fn_;
    std::vector<Value> work_;
    std::vector<std::vector<Value>> users_;  // by id of a parameter: parameters that get it
};

}  // namespace

bool replaceTrivialParams(Function& fn) { return Remover(fn).run(); }

}  // namespace luapp::ir
