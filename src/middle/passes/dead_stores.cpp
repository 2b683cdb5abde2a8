// Dead store elimination: a store to a module variable, a field or a cell is removed if the same place is overwritten on every way
// from there before anything may read it, and so are stores into an object, record or cell of which only stores are left (dce then removes
// the object).
//
// One backward walk. What may read a place ends what is known of it: a load of that kind (of that variable, of that word of whatever
// object, of any cell), a call, a poll (finalisers run there), and an error, for a handler reads what was stored before it; so also an
// allocation, which fails where memory is gone. Behind a return, module variables are read by others. Every cycle polls, so one
// walk sees all there is. At most kMaxPlaces are known at a time, so it is linear.
// Before:  var.set v0, g0;  var.set v1, g0;  ret        After:  var.set v1, g0;  ret

#include <algorithm>

#include "middle/pass.h"

namespace luapp::ir {

namespace {

constexpr size_t kMaxPlaces = 64;

/// A word of memory that will be overwritten: a module variable, a field of an object, or the word of a cell.
struct Place {
    uint32_t kind;  // the effect of storing there: WritesVar, WritesField or WritesCell
    Value object;   // null: a module variable
    int64_t word;   // which one
    bool operator==(const Place&) const = default;
};

class DeadStores {
  public:
    DeadStores(Function& fn, PassContext& context) : fn_(fn), context_(context) {}

    bool run() {
        if (!hasStores()) return false;
        removeIntoUnread();
        if (isAnyStoredTwice()) removeOverwritten();
        context_.count("stores removed", removed_);
        return removed_ != 0;
    }

  private:
    static bool isStore(const Inst& inst) {
        return inst.is(Op::VarSet) || inst.is(Op::FieldSet) || inst.is(Op::FieldInit) || inst.is(Op::CellSet);
    }
    static bool isObjectStore(const Inst& inst) { return isStore(inst) && !inst.is(Op::VarSet); }

    /// Objects that only this function knows until it hands them on; one with a finaliser is known to that from the start.
    bool isPlainObject(const Inst& inst) const {
        if (inst.is(Op::CellNew)) return true;
        if (!inst.is(Op::ObjNew)) return false;
        for (const ClassEntry& entry : fn_.module().classes) {
            if (entry.type == uint32_t(inst.imm)) return !entry.finalizer;
        }
        return true;  // a record
    }

    bool hasStores() const {
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (isStore(*inst)) return true;
            }
        }
        return false;
    }

    // --- stores into objects that nothing reads

    void removeIntoUnread() {
        std::vector<bool> isRead(fn_.instCount(), false);
        bool anyObject = false;
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (inst->is(Op::ObjNew) || inst->is(Op::CellNew)) anyObject = true;
                for (uint32_t i = isObjectStore(*inst) ? 1 : 0; i < inst->operandCount; i++) isRead[inst->operands[i]->id] = true;
                for (const Edge& edge : inst->succs()) {
                    for (Value v : edge.args) isRead[v->id] = true;
                }
            }
        }
        if (!anyObject) return;
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (!isObjectStore(*inst)) continue;
                const Inst& object = *inst->operands[0];
                if (!isRead[object.id] && isPlainObject(object)) remove(inst);
            }
        }
    }

    // --- stores that are overwritten

    /// True if two stores are to one place, or there are too many to look.
    bool isAnyStoredTwice() const {
        std::vector<Place> places;
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (!isStore(*inst)) continue;
                const Place place = placeOf(*inst);
                if (places.size() == kMaxPlaces || std::find(places.begin(), places.end(), place) != places.end()) return true;
                places.push_back(place);
            }
        }
        return false;
    }

    void removeOverwritten() {
        const Dominators& dominators = context_.analyses.dominators(fn_);
        atStart_.resize(fn_.blockCount());
        isDone_.assign(fn_.blockCount(), false);
        const std::span<Block* const> order = dominators.order();
        for (size_t i = order.size(); i-- > 0;) {
            Block* block = order[i];
            std::vector<Place> places = atEnd(block);
            for (Inst* inst = block->last; inst;) {
                Inst* before = inst->prev;
                visit(inst, places);
                inst = before;
            }
            atStart_[block->id] = std::move(places);
            isDone_[block->id] = true;
        }
    }

    /// What is overwritten on all ways from the end of `block`.
    std::vector<Place> atEnd(const Block* block) const {
        std::vector<Place> places;
        bool isFirst = true;
        for (const Edge& edge : block->succs()) {
            if (!isDone_[edge.to->id]) return {};  // a back edge
            const std::vector<Place>& there = atStart_[edge.to->id];
            if (isFirst) {
                places = there;
                isFirst = false;
            } else {
                std::erase_if(places, [&](const Place& p) { return std::find(there.begin(), there.end(), p) == there.end(); });
            }
        }
        return places;
    }

    static Place placeOf(const Inst& store) {
        if (store.is(Op::VarSet)) return {WritesVar, nullptr, store.imm};
        if (store.is(Op::CellSet)) return {WritesCell, store.operands[0], 0};
        return {WritesField, store.operands[0], store.imm};
    }

    void visit(Inst* inst, std::vector<Place>& places) {
        if (isStore(*inst)) {
            const Place place = placeOf(*inst);
            if (std::find(places.begin(), places.end(), place) != places.end()) return remove(inst);
            if (places.size() == kMaxPlaces) places.erase(places.begin());
            places.push_back(place);
            return;
        }
        if (places.empty()) return;
        const uint32_t effects = effectsOf(*inst);
        if (effects & (Raises | RunsCode | Polls | Allocs)) return places.clear();
        if (!(effects & (ReadsVar | ReadsField | ReadsCell))) return;
        std::erase_if(places, [&](const Place& p) {
            if (inst->is(Op::VarGet) && p.kind == WritesVar) return p.word == inst->imm;
            if (inst->is(Op::FieldGet) && p.kind == WritesField) return p.word == inst->imm;
            return (p.kind == WritesVar && (effects & ReadsVar)) || (p.kind == WritesField && (effects & ReadsField)) ||
                   (p.kind == WritesCell && (effects & ReadsCell));
        });
    }

    void remove(Inst* inst) {
        fn_.remove(inst);
        removed_++;
    }

    Function& fn_;
    PassContext& context_;
    std::vector<std::vector<Place>> atStart_;  // by block id
    std::vector<bool> isDone_;                 // by block id
    uint64_t removed_ = 0;
};

}  // namespace

bool runDeadStores(Function& fn, PassContext& context) { return DeadStores(fn, context).run(); }

}  // namespace luapp::ir
