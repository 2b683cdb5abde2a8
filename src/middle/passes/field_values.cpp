// Values of fields: a field of an object or record that was read or written before is not read again, as long as nothing can have
// changed it: no call, no poll (finalisers run there), no store to the same word of whatever object. Two fields at different words
// never lie in one place. And a store into an object made just before, with nothing that may collect in between, needs no barrier.
// Facts hold along ways without joins, and behind a join if they hold on all ways to it; a loop's header starts without any. At most
// kMaxFacts are kept, so the pass is linear.
// Before:  field.set v0, v1, 2;  v3: f64 = field.get v0, 2;  v4 = add.f v3, v3        After:  field.set v0, v1, 2;  v4 = add.f v1, v1

#include <algorithm>

#include "middle/analysis/dominators.h"
#include "middle/pass.h"

namespace luapp::ir {

namespace {

constexpr size_t kMaxFacts = 64;

/// Word `word` of `object` holds `value`.
struct Fact {
    Value object;
    int64_t word;
    Value value;
    bool operator==(const Fact&) const = default;
};

struct Facts {
    std::vector<Fact> fields;
    std::vector<Value> fresh;  // objects made since the last instruction that may collect
    bool isKnown = false;      // the block they belong to has been visited
};

class FieldValues {
  public:
    FieldValues(Function& fn, PassContext& context) : fn_(fn), context_(context), dominators_(fn), atEnd_(fn.blockCount()) {}

    bool run() {
        if (!hasFields()) return false;
        for (Block* block : dominators_.order()) {
            Facts facts = atStart(block);
            for (Inst* inst : insts(block)) visit(*inst, facts);
            facts.isKnown = true;
            atEnd_[block->id] = std::move(facts);
        }
        if (replaced_) fn_.applyReplacements();
        context_.count("reads removed", replaced_);
        context_.count("barriers removed", barriers_);
        return replaced_ || barriers_;
    }

  private:
    bool hasFields() const {
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (inst->is(Op::FieldGet) || inst->is(Op::FieldSet)) return true;
            }
        }
        return false;
    }

    /// What holds at the ends of all predecessors.
    Facts atStart(const Block* block) const {
        Facts facts;
        bool isFirst = true;
        for (const Edge* edge : block->preds) {
            if (!dominators_.isReachable(edge->from)) continue;
            const Facts& before = atEnd_[edge->from->id];
            if (!before.isKnown) return {};  // a back edge
            if (isFirst) {
                facts = before;
                isFirst = false;
                continue;
            }
            std::erase_if(facts.fields, [&](const Fact& f) { return !contains(before.fields, f); });
            std::erase_if(facts.fresh, [&](Value v) { return !contains(before.fresh, v); });
        }
        facts.isKnown = false;
        return facts;
    }

    template <class T>
    static bool contains(const std::vector<T>& list, const T& item) {
        return std::find(list.begin(), list.end(), item) != list.end();
    }

    void visit(Inst& inst, Facts& facts) {
        for (Value& v : inst.ops()) v = Function::resolve(v);
        switch (inst.op) {
            case Op::FieldGet: return read(inst, facts);
            case Op::FieldSet:
                if (contains(facts.fresh, inst.operands[0])) {
                    inst.op = Op::FieldInit;
                    barriers_++;
                }
                return write(inst, facts);
            case Op::FieldInit: return write(inst, facts);
            default: break;
        }
        const uint32_t effects = effectsOf(inst);
        if (effects & (RunsCode | Polls | WritesField)) facts.fields.clear();
        if (effects & (RunsCode | Polls | Allocs)) facts.fresh.clear();
        if (inst.is(Op::ObjNew)) facts.fresh.push_back(&inst);
    }

    void read(Inst& inst, Facts& facts) {
        for (const Fact& f : facts.fields) {
            if (f.object != inst.operands[0] || f.word != inst.imm || f.value->rep != inst.rep) continue;
            fn_.replace(&inst, f.value);
            replaced_++;
            return;
        }
        add({inst.operands[0], inst.imm, &inst}, facts);
    }

    void write(Inst& inst, Facts& facts) {
        std::erase_if(facts.fields, [&](const Fact& f) { return f.word == inst.imm; });
        add({inst.operands[0], inst.imm, inst.operands[1]}, facts);
    }

    static void add(Fact fact, Facts& facts) {
        if (facts.fields.size() == kMaxFacts) facts.fields.erase(facts.fields.begin());
        facts.fields.push_back(fact);
    }

    Function& fn_;
    PassContext& context_;
    Dominators dominators_;
    std::vector<Facts> atEnd_;  // by block id
    uint64_t replaced_ = 0;
    uint64_t barriers_ = 0;
};

}  // namespace

bool runFieldValues(Function& fn, PassContext& context) { return FieldValues(fn, context).run(); }

}  // namespace luapp::ir
