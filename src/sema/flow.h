#pragma once
// What is known about variables at the point of the program being checked: narrowed types and definite assignment.
//
// The state lives in the variables themselves (SemaVar::current, SemaVar::isAssigned); Flow keeps a trail of old
// values, so that a branch costs what it changes and nothing is copied. A branch is checked in place, its changes are
// captured and undone, and the captured deltas of all branches that reach a point are joined. Pred is what a condition
// says about variables when it is true and when it is false. Only the checker uses this.

#include <unordered_map>
#include <vector>

#include "frontend/base/arena.h"
#include "sema/type.h"

namespace luapp::sema {

struct SemaVar;

/// One variable that differs from the state at some mark: its values before and after. A null type is the declared one.
struct FlowChange {
    SemaVar* variable;
    const Type* oldType;
    const Type* newType;
    bool oldAssigned;
    bool newAssigned;
};

/// The changes since a mark, one per variable.
using FlowDelta = std::vector<FlowChange>;

/// Meets the states of several branches that reach one point. All deltas are relative to the same mark.
struct FlowJoin {
    bool isReached = false;
    FlowDelta delta;
};

/// The same for the branches that leave a loop one after another while it is being checked. A variable's value is joined in
/// when the variable changes, so that arrivals cost nothing and each change counts once.
struct OpenJoin {
    FlowJoin join;
    uint32_t lastArrival = 0;  // 0: none
    std::unordered_map<SemaVar*, uint32_t> slots;  // positions in join.delta
};

/// What a condition tells. Nodes live in the arena; children come before parents in evaluation order.
struct Pred {
    enum class Kind : uint8_t { Narrow, And, Or, Not, True };  // True: never false
    Kind kind;
    SemaVar* variable;     // Narrow
    const Type* whenTrue;  // Narrow; null: nothing new
    const Type* whenFalse;
    Pred* left;   // And, Or, Not
    Pred* right;  // And, Or; may be null
};

class Flow {
  public:
    explicit Flow(TypeTable& types) : types_(types) {}

    bool isReachable = true;

    size_t mark() const { return trail_.size(); }
    /// Narrows a variable from here on; null gives it its declared type back.
    void setType(SemaVar* variable, const Type* type);
    void setAssigned(SemaVar* variable);
    /// What has changed since `mark`, without undoing it.
    FlowDelta changesSince(size_t mark);
    /// Goes back to the state at `mark` (reachability is the caller's).
    void undo(size_t mark);
    /// Makes the changes of `delta` again.
    void redo(const FlowDelta& delta);
    /// Adds the present state (relative to `mark`) to `join`, if it is reachable.
    void joinHere(FlowJoin& join, size_t mark);
    /// Begins to listen for arrivals at `join`, relative to the present state.
    void open(OpenJoin& join) { open_.push_back(&join); }
    /// The present state arrives at `join`, if it is reachable.
    void arrive(OpenJoin& join) {
        if (!isReachable) return;
        join.join.isReached = true;
        join.lastArrival = ++time_;
    }
    /// What has arrived. The state must be that of open() again.
    FlowJoin close(OpenJoin& join);
    /// Undoes to `mark` and continues in the joined state.
    void continueFrom(const FlowJoin& join, size_t mark);
    /// Makes what `pred` says in the given case hold. Says nothing about reachability.
    void assume(const Pred* pred, bool outcome) {
        const bool wasReachable = isReachable;
        assumeCase(pred, outcome);
        isReachable = wasReachable;
    }
    /// Forgets the narrowing of variables that calls may change (captured and assigned ones).
    void forgetVolatile();
    /// Forgets the narrowing of every variable for which `matches` is true.
    template <class F>
    void forgetWhere(F matches) {
        for (size_t i = 0, n = trail_.size(); i < n; i++)
            if (SemaVar* variable = trail_[i].variable; matches(variable)) setType(variable, nullptr);
    }

    /// The narrowed type that covers both (null: the declared one).
    const Type* joinTypes(const SemaVar* variable, const Type* a, const Type* b);

  private:
    void assumeCase(const Pred* pred, bool outcome);
    void joinDelta(FlowJoin& join, const FlowDelta& delta);
    /// To be called before a variable changes.
    void noteLeaving(SemaVar* variable);
    void joinValue(OpenJoin& join, SemaVar* variable);

    struct Old {
        SemaVar* variable;
        const Type* type;
        bool isAssigned;
    };

    TypeTable& types_;
    std::vector<Old> trail_;
    std::vector<SemaVar*> volatile_;  // may hold some that are no longer narrowed
    std::vector<OpenJoin*> open_;
    uint32_t stamp_ = 0;
    uint32_t time_ = 0;  // number of arrivals so far
};

}  // namespace luapp::sema
