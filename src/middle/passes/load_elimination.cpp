// Load elimination: a field, cell, module variable, array element or length that was read or written before is not read again, as long
// as nothing can have changed it.
//
// Known values are kept along ways without joins, and behind a join if they hold on all ways to it; a loop's header starts without any,
// for at back edges finalisers may run. A store is forwarded to the reads behind it. What may lie in one place as something else: fields
// at the same word of whatever object, cells and elements of one representation, all lengths; but two objects made here never do.
// Calls and polls may change everything; appending changes lengths only. An element that was read or written before has a place in its
// array, so the check of a second access goes with the load. And a store into an object made just before, with nothing that may collect
// in between, needs no barrier. At most kMaxFacts are kept, so the pass is linear.
// Before:  field.set v0, v1, 2;  v3: f64 = field.get v0, 2;  v4 = add.f v3, v3        After:  field.set v0, v1, 2;  v4 = add.f v1, v1

#include <algorithm>

#include "middle/pass.h"

namespace luapp::ir {

namespace {

constexpr size_t kMaxFacts = 64;

enum class Place : uint8_t { Field, Cell, Var, Element, Length };

/// The place holds `value`.
struct Fact {
    Place place;
    Value object = nullptr;  // null: a module variable
    Value index = nullptr;   // elements
    int64_t number = 0;      // field: the word; module variable: which
    Value value = nullptr;

    bool operator==(const Fact&) const = default;
};

struct Facts {
    std::vector<Fact> known;
    std::vector<Value> fresh;  // objects made since the last instruction that may collect
    bool isKnown = false;      // the block they belong to has been visited
};

template <class T>
bool contains(const std::vector<T>& list, const T& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

bool isMadeHere(const Inst* v) { return v->is(Op::ObjNew) || v->is(Op::CellNew) || v->is(Op::ArrNew) || v->is(Op::TabNew); }

bool mayBeSameObject(const Inst* a, const Inst* b) { return a == b || !isMadeHere(a) || !isMadeHere(b); }

bool isSameIndex(const Inst* a, const Inst* b) { return a == b || (a && b && a->is(Op::ConstI64) && b->isConstI64(a->imm)); }

bool mayBeSameIndex(const Inst* a, const Inst* b) { return !a->is(Op::ConstI64) || !b->is(Op::ConstI64) || a->imm == b->imm; }

/// The place that `inst` reads or writes, with its value if it writes; false if it is no such instruction.
bool placeOf(Inst& inst, Fact& fact) {
    switch (inst.op) {
        case Op::FieldGet: fact = {Place::Field, inst.operands[0], nullptr, inst.imm, &inst}; return true;
        case Op::FieldSet:
        case Op::FieldInit: fact = {Place::Field, inst.operands[0], nullptr, inst.imm, inst.operands[1]}; return true;
        case Op::CellGet: fact = {Place::Cell, inst.operands[0], nullptr, 0, &inst}; return true;
        case Op::CellSet: fact = {Place::Cell, inst.operands[0], nullptr, 0, inst.operands[1]}; return true;
        case Op::CellNew: fact = {Place::Cell, &inst, nullptr, 0, inst.operands[0]}; return true;
        case Op::VarGet: fact = {Place::Var, nullptr, nullptr, inst.imm, &inst}; return true;
        case Op::VarSet: fact = {Place::Var, nullptr, nullptr, inst.imm, inst.operands[0]}; return true;
        case Op::ArrGet:
        case Op::ArrGetU: fact = {Place::Element, inst.operands[0], inst.operands[1], 0, &inst}; return true;
        case Op::ArrSet:
        case Op::ArrSetU: fact = {Place::Element, inst.operands[0], inst.operands[1], 0, inst.operands[2]}; return true;
        case Op::ArrLen: fact = {Place::Length, inst.operands[0], nullptr, 0, &inst}; return true;
        default: return false;  // no single place
    }
}

/// True if storing to `written` may change what is at `known`.
bool mayChange(const Fact& written, const Fact& known) {
    if (written.place != known.place) return false;
    switch (written.place) {
        case Place::Field: return written.number == known.number && mayBeSameObject(written.object, known.object);
        case Place::Cell: return written.value->rep == known.value->rep && mayBeSameObject(written.object, known.object);
        case Place::Var: return written.number == known.number;
        case Place::Element:
            return written.value->rep == known.value->rep && mayBeSameObject(written.object, known.object) &&
                   mayBeSameIndex(written.index, known.index);
        case Place::Length: return true;
    }
    return true;
}

bool isSamePlace(const Fact& a, const Fact& b) {
    return a.place == b.place && a.object == b.object && a.number == b.number && isSameIndex(a.index, b.index);
}

class LoadElimination {
  public:
    LoadElimination(Function& fn, PassContext& context) : fn_(fn), context_(context), dominators_(context.analyses.dominators(fn)), atEnd_(fn.blockCount()) {}

    bool run() {
        if (!hasLoads()) return false;
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
    bool hasLoads() const {
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                Fact fact;
                if (placeOf(*inst, fact)) return true;
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
            std::erase_if(facts.known, [&](const Fact& f) { return !contains(before.known, f); });
            std::erase_if(facts.fresh, [&](Value v) { return !contains(before.fresh, v); });
        }
        facts.isKnown = false;
        return facts;
    }

    void visit(Inst& inst, Facts& facts) {
        for (Value& v : inst.ops()) v = Function::resolve(v);
        Fact fact;
        if (placeOf(inst, fact)) {
            if (fact.value == &inst) return read(inst, fact, facts);
            if (inst.is(Op::FieldSet)) removeBarrier(inst, facts);
            write(inst, fact, facts);
        } else {
            forget(inst, facts);
        }
        const uint32_t effects = effectsOf(inst);
        if (effects & (RunsCode | Polls | Allocs)) facts.fresh.clear();
        if (inst.is(Op::ObjNew)) facts.fresh.push_back(&inst);
    }

    /// What an instruction that is no single load or store changes.
    static void forget(const Inst& inst, Facts& facts) {
        const uint32_t effects = effectsOf(inst);
        if (effects & (RunsCode | Polls)) return facts.known.clear();
        const bool appends = inst.is(Op::ArrPush) || inst.is(Op::ArrPushPack);
        if ((effects & WritesAnything) == 0) return;
        std::erase_if(facts.known, [&](const Fact& f) {
            switch (f.place) {
                case Place::Field: return (effects & WritesField) != 0;
                case Place::Cell: return (effects & WritesCell) != 0;
                case Place::Var: return (effects & WritesVar) != 0;
                case Place::Element: return (effects & WritesElem) != 0 && !appends;
                case Place::Length: return (effects & WritesLen) != 0;
            }
            return true;
        });
    }

    void removeBarrier(Inst& store, const Facts& facts) {
        if (!needsBarrier(*store.operands[1]) || !contains(facts.fresh, store.operands[0])) return;
        store.op = Op::FieldInit;
        barriers_++;
    }

    void read(Inst& inst, const Fact& fact, Facts& facts) {
        for (const Fact& f : facts.known) {
            if (!isSamePlace(f, fact) || f.value->rep != inst.rep) continue;
            if (inst.is(Op::VarGet) && f.value->is(Op::VarGet) && inst.imm2 != 0 && f.value->imm2 != inst.imm2) continue;  // less is known of it
            fn_.replace(&inst, f.value);
            replaced_++;
            return;
        }
        add(fact, facts);
    }

    static void write(const Inst& inst, const Fact& fact, Facts& facts) {
        // Behind the end it appends; a place that is known lies before it.
        const bool mayAppend = inst.is(Op::ArrSet) && std::none_of(facts.known.begin(), facts.known.end(),
                                                                   [&](const Fact& f) { return isSamePlace(f, fact); });
        std::erase_if(facts.known, [&](const Fact& f) { return mayChange(fact, f) || (mayAppend && f.place == Place::Length); });
        add(fact, facts);
    }

    static void add(Fact fact, Facts& facts) {
        if (facts.known.size() == kMaxFacts) facts.known.erase(facts.known.begin());
        facts.known.push_back(fact);
    }

    Function& fn_;
    PassContext& context_;
    const Dominators& dominators_;
    std::vector<Facts> atEnd_;  // by block id
    uint64_t replaced_ = 0;
    uint64_t barriers_ = 0;
};

}  // namespace

bool runLoadElimination(Function& fn, PassContext& context) { return LoadElimination(fn, context).run(); }

}  // namespace luapp::ir
