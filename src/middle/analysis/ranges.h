// Ranges of whole numbers: between which bounds an integer of a function lies at each place.
//
// A walk over the dominator tree gives every value of representation I64 an interval from how it is computed; behind a comparison that
// must have been true the operands have narrower ones until the walk leaves that part of the tree, and so has an index behind an access
// that was checked. What flows round a loop is found by solving before: bounds that grow from one walk to the next are widened to the
// next of a few thresholds, until nothing changes, and then narrowed once (Cousot and Cousot, 1977). Linear: the number of walks is
// limited, and where it does not suffice nothing is assumed of loops.
//
// Words of representation I64 lie within 2^53, but for entry positions of tables, type descriptors, and what unchecked arithmetic makes
// (a loop's counter may pass the end of the range by one step), directly or through block parameters: those values are called wide.
// Numbers (F64) take part if the maker says that they are to count as whole: the passes that ask must see to it that they are.
// Intervals hold at the place that is being visited only. It changes nothing in the function.
#pragma once

#include <limits>
#include <vector>

#include "middle/analysis/dominators.h"
#include "middle/ir.h"
#include "runtime/base/numeric.h"

namespace luapp::ir {

/// Both ends included. Empty (low > high): the place is never reached.
struct Interval {
    int64_t low = 1;
    int64_t high = 0;

    bool isEmpty() const { return low > high; }
    bool operator==(const Interval&) const = default;
};

inline constexpr Interval kAnyInteger{-base::kMaxInteger, base::kMaxInteger};
inline constexpr Interval kAnyWord{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
/// Lengths of arrays, tables and strings: memory ends long before.
inline constexpr Interval kLength{0, int64_t{1} << 48};

/// Every number of `inner` lies in `outer`.
inline bool lies(Interval inner, Interval outer) {
    return inner.isEmpty() || (inner.low >= outer.low && inner.high <= outer.high);
}

class Ranges {
  public:
    /// `dominators` must live as long as this. `whole`: by value id, the numbers that count as whole and within 2^53; may be empty. The
    /// function must not change before the walk, nor in it but for what `walk` allows.
    Ranges(Function& fn, const Dominators& dominators, std::vector<bool> whole = {});

    /// Visits every instruction once, each before those it dominates; of() then holds at that instruction, whose own interval is not
    /// known yet. The visitor may replace the op by one that computes the same.
    template <class Visit>
    void walk(Visit visit) {
        begin();
        while (Block* block = next()) {
            for (Inst* inst : insts(block)) {
                visit(*inst);
                if (isRelevant(*inst)) compute(*inst);
            }
            passOn(block);
        }
    }

    /// What is known of a value of representation I64, or of a number that counts as whole.
    Interval of(Value v) const { return ranges_[v->id]; }
    bool isWhole(const Inst* v) const { return v->id < whole_.size() && whole_[v->id]; }
    /// The result of an addition, subtraction or multiplication (of any kind) with unlimited digits, in `exact`; false if it may leave
    /// the range of integer, or is none of these.
    bool isInRange(const Inst& inst, Interval& exact) const;

  private:
    struct Frame {
        Block* block;
        size_t nextChild;
        size_t undoSize;
    };
    struct Undo {
        uint32_t id;
        Interval range;
    };

    bool counts(const Inst* v) const { return v->rep == Rep::I64 || isWhole(v); }
    Interval limitOf(const Inst* v) const { return v->rep == Rep::I64 && wide_[v->id] ? kAnyWord : kAnyInteger; }

    /// True if it has an interval, or narrows one.
    bool isRelevant(const Inst& inst) const;

    void collect();
    void markWide();
    void findLoopParams();
    void solve();
    bool widen(bool givesUp);
    void begin();
    Block* next();
    void enter(Block* block);
    void compute(Inst& inst);
    void passOn(const Block* block);
    void narrow(Value v, Interval to);
    void assumeLess(Value a, Value b, int64_t atLeast);
    void assumeCondition(Block* block);
    Interval computed(const Inst& inst) const;
    Interval arithmetic(const Inst& inst) const;

    Function& fn_;
    const Dominators& dominators_;
    std::vector<bool> whole_;         // by id
    std::vector<bool> wide_;          // by id
    std::vector<Inst*> relevant_;     // block by block
    std::vector<uint32_t> starts_;    // by block id: where its part of that begins
    std::vector<uint32_t> ends_;
    std::vector<bool> isLoopHead_;    // by block id: some predecessor comes later
    std::vector<Value> loopParams_;   // parameters of such blocks
    std::vector<Interval> assumed_;   // by id, of those
    std::vector<Interval> incoming_;  // by id, of parameters: what the edges seen so far bring
    std::vector<Interval> ranges_;    // by id
    std::vector<Frame> stack_;
    std::vector<Undo> undo_;
    bool isBegun_ = false;
};

}  // namespace luapp::ir
