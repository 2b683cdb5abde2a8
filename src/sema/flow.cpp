#include "sema/flow.h"

#include "sema/symbols.h"

namespace luapp::sema {

void Flow::setType(SemaVar* variable, const Type* type) {
    if (type == variable->type) type = nullptr;
    if (variable->current == type) return;
    noteLeaving(variable);
    trail_.push_back({variable, variable->current, variable->isAssigned});
    variable->current = type;
    if (type && variable->isVolatile()) volatile_.push_back(variable);
}

void Flow::setAssigned(SemaVar* variable) {
    if (variable->isAssigned) return;
    noteLeaving(variable);
    trail_.push_back({variable, variable->current, false});
    variable->isAssigned = true;
}

FlowDelta Flow::changesSince(size_t mark) {
    FlowDelta delta;
    if (mark == trail_.size()) return delta;
    const uint32_t stamp = ++stamp_;
    for (size_t i = mark; i < trail_.size(); i++) {
        const Old& old = trail_[i];
        if (old.variable->stamp == stamp) continue;
        old.variable->stamp = stamp;
        if (old.type == old.variable->current && old.isAssigned == old.variable->isAssigned) continue;
        delta.push_back({old.variable, old.type, old.variable->current, old.isAssigned, old.variable->isAssigned});
    }
    return delta;
}

void Flow::undo(size_t mark) {
    while (trail_.size() > mark) {
        const Old old = trail_.back();
        trail_.pop_back();
        noteLeaving(old.variable);
        old.variable->current = old.type;
        old.variable->isAssigned = old.isAssigned;
        if (old.type && old.variable->isVolatile()) volatile_.push_back(old.variable);
    }
}

void Flow::redo(const FlowDelta& delta) {
    for (const FlowChange& change : delta) {
        setType(change.variable, change.newType);
        if (change.newAssigned) setAssigned(change.variable);
    }
}

const Type* Flow::joinTypes(const SemaVar* variable, const Type* a, const Type* b) {
    if (a == b) return a;
    if (!a || !b || !variable->type) return nullptr;
    a = keptOf(a);
    b = keptOf(b);
    if (const Type* base = sharedBase(a, b)) return base == variable->type ? nullptr : base;
    if (variable->type->kind == TypeKind::Class || variable->type->kind == TypeKind::Interface) return nullptr;
    const Type* both = types_.unionOf(a, b);
    return both == variable->type ? nullptr : both;
}

void Flow::joinDelta(FlowJoin& join, const FlowDelta& delta) {
    if (!join.isReached) {
        join.isReached = true;
        join.delta = delta;
        return;
    }
    for (uint32_t i = 0; i < join.delta.size(); i++) join.delta[i].variable->joinSlot = i + 1;
    const size_t before = join.delta.size();
    std::vector<bool> met(before);
    for (const FlowChange& change : delta) {
        if (const uint32_t slot = change.variable->joinSlot) {
            FlowChange& joined = join.delta[slot - 1];
            joined.newType = joinTypes(change.variable, joined.newType, change.newType);
            joined.newAssigned &= change.newAssigned;
            met[slot - 1] = true;
        } else {
            FlowChange joined = change;
            joined.newType = joinTypes(change.variable, change.oldType, change.newType);
            joined.newAssigned &= change.oldAssigned;
            join.delta.push_back(joined);
        }
    }
    for (size_t i = 0; i < before; i++) {
        FlowChange& joined = join.delta[i];
        joined.variable->joinSlot = 0;
        if (met[i]) continue;
        joined.newType = joinTypes(joined.variable, joined.newType, joined.oldType);
        joined.newAssigned &= joined.oldAssigned;
    }
}

void Flow::noteLeaving(SemaVar* variable) {
    if (variable->since < time_)
        for (OpenJoin* join : open_)
            if (join->lastArrival > variable->since) joinValue(*join, variable);
    variable->since = time_;
}

/// The variable has had its value at the last arrival.
void Flow::joinValue(OpenJoin& open, SemaVar* variable) {
    auto [slot, isNew] = open.slots.try_emplace(variable, uint32_t(open.join.delta.size()));
    if (isNew) {
        open.join.delta.push_back({variable, nullptr, variable->current, false, variable->isAssigned});
        return;
    }
    FlowChange& joined = open.join.delta[slot->second];
    joined.newType = joinTypes(variable, joined.newType, variable->current);
    joined.newAssigned &= variable->isAssigned;
}

FlowJoin Flow::close(OpenJoin& open) {
    std::erase(open_, &open);
    FlowJoin join = std::move(open.join);
    open.join = {};
    for (FlowChange& change : join.delta) {
        SemaVar* variable = change.variable;
        if (open.lastArrival > variable->since) {
            change.newType = joinTypes(variable, change.newType, variable->current);
            change.newAssigned &= variable->isAssigned;
        }
        change.oldType = variable->current;
        change.oldAssigned = variable->isAssigned;
    }
    open.lastArrival = 0;
    open.slots.clear();
    return join;
}

void Flow::joinHere(FlowJoin& join, size_t mark) {
    if (isReachable) joinDelta(join, changesSince(mark));
}

void Flow::continueFrom(const FlowJoin& join, size_t mark) {
    undo(mark);
    isReachable = join.isReached;
    redo(join.delta);
}

/// The same, leaving isReachable false where the case cannot be.
void Flow::assumeCase(const Pred* pred, bool outcome) {
    if (!pred) return;
    switch (pred->kind) {
        case Pred::Kind::Narrow:
            if (const Type* type = outcome ? pred->whenTrue : pred->whenFalse) setType(pred->variable, type);
            return;
        case Pred::Kind::True:
            if (!outcome) isReachable = false;
            return;
        case Pred::Kind::Not: return assumeCase(pred->left, !outcome);
        case Pred::Kind::And:
        case Pred::Kind::Or: {
            if (outcome == (pred->kind == Pred::Kind::And)) {
                assumeCase(pred->left, outcome);
                assumeCase(pred->right, outcome);
                return;
            }
            // Either the left operand decided, or it did not and the right one did.
            const size_t start = mark();
            FlowJoin join;
            isReachable = true;
            assumeCase(pred->left, outcome);
            joinHere(join, start);
            undo(start);
            isReachable = true;
            assumeCase(pred->left, !outcome);
            assumeCase(pred->right, outcome);
            joinHere(join, start);
            continueFrom(join, start);
            return;
        }
    }
}

void Flow::forgetVolatile() {
    if (volatile_.empty()) return;
    for (size_t i = 0; i < volatile_.size(); i++) setType(volatile_[i], nullptr);
    volatile_.clear();
}

}  // namespace luapp::sema
