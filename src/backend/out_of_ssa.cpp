#include "backend/out_of_ssa.h"

#include <algorithm>
#include <numeric>

namespace luapp::backend {

uint32_t findRange(std::span<const LiveRange> ranges, uint32_t position) {
    auto it = std::upper_bound(ranges.begin(), ranges.end(), position,
                               [](uint32_t p, const LiveRange& r) { return p < r.end; });
    return static_cast<uint32_t>(it - ranges.begin());
}

bool rangesIntersect(std::span<const LiveRange> a, std::span<const LiveRange> b) {
    if (a.empty() || b.empty()) return false;
    if (a.front().start >= b.back().end || b.front().start >= a.back().end) return false;
    if (a.size() > b.size()) std::swap(a, b);
    if (b.size() > 8 * a.size()) {
        for (const LiveRange& r : a) {
            const uint32_t i = findRange(b, r.start);
            if (i < b.size() && b[i].start < r.end) return true;
        }
        return false;
    }
    for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        if (a[i].end <= b[j].start) {
            i++;
        } else if (b[j].end <= a[i].start) {
            j++;
        } else {
            return true;
        }
    }
    return false;
}

namespace {

/// Live ranges of single virtual registers, found by walking from each use back to the definition.
class RangeBuilder {
  public:
    RangeBuilder(const LirFunction& f, const SlotMap& slots, std::vector<LiveRange>& pool)
        : f_(f), slots_(slots), pool_(pool), defBlock_(f.numVRegs, kNone), defPos_(f.numVRegs, 0),
          stamp_(f.blocks.size(), kNone), endInBlock_(f.blocks.size(), 0) {}

    /// One Web for each register (without ranges for a register that is never defined).
    std::vector<Web> run() {
        findPreds();
        findDefsAndCountUses();
        fillUses();
        std::vector<Web> result(f_.numVRegs);
        pool_.reserve(f_.numVRegs + f_.numVRegs / 4);
        for (VReg v = 0; v < f_.numVRegs; v++) {
            if (defBlock_[v] == kNone) continue;
            result[v].firstRange = static_cast<uint32_t>(pool_.size());
            addRanges(v);
            result[v].numRanges = static_cast<uint32_t>(pool_.size()) - result[v].firstRange;
        }
        return result;
    }

  private:
    static constexpr uint32_t kNone = 0xFFFFFFFFu;
    struct UsePoint {
        uint32_t block;
        uint32_t end;  // the register must live up to here
    };

    uint32_t startOf(uint32_t b) const { return 2 * slots_.blockStart[b]; }
    uint32_t endOf(uint32_t b) const { return 2 * slots_.blockEnd[b] + 2; }

    void findPreds() {
        firstPred_.assign(f_.blocks.size() + 1, 0);
        for (const LirBlock& b : f_.blocks) {
            for (unsigned i = 0; i < b.numSuccs; i++) firstPred_[b.succ[i].target + 1]++;
        }
        std::partial_sum(firstPred_.begin(), firstPred_.end(), firstPred_.begin());
        preds_.resize(firstPred_.back());
        std::vector<uint32_t> at(firstPred_.begin(), firstPred_.end() - 1);
        for (uint32_t n = 0; n < f_.blocks.size(); n++) {
            for (unsigned i = 0; i < f_.blocks[n].numSuccs; i++) preds_[at[f_.blocks[n].succ[i].target]++] = n;
        }
    }

    void findDefsAndCountUses() {
        firstUse_.assign(f_.numVRegs + 1, 0);
        for (uint32_t b = 0; b < f_.blocks.size(); b++) {
            const LirBlock& block = f_.blocks[b];
            for (VReg p : f_.paramsOf(block)) {
                defBlock_[p] = b;
                defPos_[p] = startOf(b);
            }
            uint32_t slot = slots_.blockStart[b] + 1;
            for (uint32_t i = block.firstInst; i < block.endInst; i++, slot++) {
                for (const Operand& o : f_.operandsOf(f_.insts[i])) {
                    if (isUse(o.kind)) {
                        if (!isConst(o.vreg)) firstUse_[o.vreg + 1]++;
                    } else {
                        defBlock_[o.vreg] = b;
                        defPos_[o.vreg] = 2 * slot + 1;
                    }
                }
            }
            for (unsigned s = 0; s < block.numSuccs; s++) {
                for (VReg a : f_.argsOf(block.succ[s])) {
                    if (!isConst(a)) firstUse_[a + 1]++;
                }
            }
        }
        std::partial_sum(firstUse_.begin(), firstUse_.end(), firstUse_.begin());
    }

    void fillUses() {
        uses_.resize(firstUse_.back());
        std::vector<uint32_t> at(firstUse_.begin(), firstUse_.end() - 1);
        for (uint32_t b = 0; b < f_.blocks.size(); b++) {
            const LirBlock& block = f_.blocks[b];
            uint32_t slot = slots_.blockStart[b] + 1;
            for (uint32_t i = block.firstInst; i < block.endInst; i++, slot++) {
                for (const Operand& o : f_.operandsOf(f_.insts[i])) {
                    if (!isUse(o.kind) || isConst(o.vreg)) continue;
                    uses_[at[o.vreg]++] = {b, 2 * slot + (o.kind == OperandKind::LateUse ? 2 : 1)};
                }
            }
            for (unsigned s = 0; s < block.numSuccs; s++) {
                for (VReg a : f_.argsOf(block.succ[s])) {
                    if (!isConst(a)) uses_[at[a]++] = {b, endOf(b)};
                }
            }
        }
    }

    void addRanges(VReg v) {
        const uint32_t home = defBlock_[v];
        const uint32_t start = defPos_[v];
        touched_.clear();
        uint32_t homeEnd = start + 1;
        for (uint32_t u = firstUse_[v]; u < firstUse_[v + 1]; u++) {
            const UsePoint& use = uses_[u];
            if (use.block == home) {
                homeEnd = std::max(homeEnd, use.end);
            } else {
                markLiveIn(v, use.block, use.end);
                while (!work_.empty()) {
                    const uint32_t b = work_.back();
                    work_.pop_back();
                    for (uint32_t p = firstPred_[b]; p < firstPred_[b + 1]; p++) {
                        if (preds_[p] == home) {
                            homeEnd = endOf(home);
                        } else {
                            markLiveIn(v, preds_[p], endOf(preds_[p]));
                        }
                    }
                }
            }
        }
        if (touched_.empty()) {
            pool_.push_back({start, homeEnd});
            return;
        }
        touched_.push_back(home);
        std::sort(touched_.begin(), touched_.end());
        const size_t first = pool_.size();
        for (uint32_t b : touched_) {
            const LiveRange r = b == home ? LiveRange{start, homeEnd} : LiveRange{startOf(b), endInBlock_[b]};
            if (pool_.size() > first && pool_.back().end == r.start) {
                pool_.back().end = r.end;
            } else {
                pool_.push_back(r);
            }
        }
    }

    void markLiveIn(VReg v, uint32_t block, uint32_t end) {
        if (stamp_[block] == v) {
            endInBlock_[block] = std::max(endInBlock_[block], end);
            return;
        }
        stamp_[block] = v;
        endInBlock_[block] = end;
        touched_.push_back(block);
        work_.push_back(block);
    }

    const LirFunction& f_;
    const SlotMap& slots_;
    std::vector<LiveRange>& pool_;
    std::vector<uint32_t> defBlock_;
    std::vector<uint32_t> defPos_;
    std::vector<uint32_t> firstPred_;
    std::vector<uint32_t> preds_;
    std::vector<uint32_t> firstUse_;
    std::vector<UsePoint> uses_;
    std::vector<uint32_t> stamp_;       // the register for which endInBlock_ holds
    std::vector<uint32_t> endInBlock_;  // how far into a block the register lives
    std::vector<uint32_t> touched_;
    std::vector<uint32_t> work_;
};

/// Merges registers connected by copies, by union-find over the ranges made above.
class Coalescer {
  public:
    Coalescer(const LirFunction& f, Webs& webs) : f_(f), webs_(webs), parent_(f.numVRegs) {
        std::iota(parent_.begin(), parent_.end(), 0u);
        capacity_.reserve(webs.webs.size());
        for (const Web& w : webs.webs) capacity_.push_back(w.numRanges);
    }

    void run() {
        collectCopies();
        for (const Copy& c : copies_) merge(c.a, c.b);
        compress();
    }

  private:
    struct Copy {
        VReg a;
        VReg b;
        uint8_t depth;
    };

    void collectCopies() {
        for (const LirBlock& b : f_.blocks) {
            for (unsigned s = 0; s < b.numSuccs; s++) {
                const auto args = f_.argsOf(b.succ[s]);
                const auto params = f_.paramsOf(f_.blocks[b.succ[s].target]);
                for (size_t i = 0; i < args.size(); i++) {
                    if (!isConst(args[i])) copies_.push_back({params[i], args[i], b.loopDepth});
                }
            }
            for (uint32_t i = b.firstInst; i < b.endInst; i++) {
                VReg tiedUse = kNoVReg;
                for (const Operand& o : f_.operandsOf(f_.insts[i])) {
                    if (o.kind == OperandKind::TiedUse) tiedUse = o.vreg;
                    if (o.kind == OperandKind::TiedDef) copies_.push_back({o.vreg, tiedUse, b.loopDepth});
                }
            }
        }
        std::stable_sort(copies_.begin(), copies_.end(), [](const Copy& x, const Copy& y) { return x.depth > y.depth; });
    }

    uint32_t find(uint32_t v) {
        while (parent_[v] != v) {
            parent_[v] = parent_[parent_[v]];
            v = parent_[v];
        }
        return v;
    }

    void merge(VReg x, VReg y) {
        uint32_t a = find(x);
        uint32_t b = find(y);
        if (a == b) return;
        if (webs_.webs[a].numRanges < webs_.webs[b].numRanges) std::swap(a, b);
        if (webs_.webs[a].entryRegister != kNoRegister && webs_.webs[b].entryRegister != kNoRegister) return;
        if (rangesIntersect(webs_.rangesOf(a), webs_.rangesOf(b))) return;
        parent_[b] = a;
        absorb(a, b);
        Web& into = webs_.webs[a];
        if (into.entryRegister == kNoRegister) into.entryRegister = webs_.webs[b].entryRegister;
    }

    /// Adds the ranges of web `b` to those of `a`, in place if the room behind them suffices.
    void absorb(uint32_t a, uint32_t b) {
        Web& into = webs_.webs[a];
        const auto from = webs_.rangesOf(b);
        const auto na = into.numRanges;
        const auto nb = static_cast<uint32_t>(from.size());
        scratch_.assign(from.begin(), from.end());
        if (na + nb > capacity_[a]) {
            capacity_[a] = 2 * (na + nb);
            const auto to = static_cast<uint32_t>(webs_.ranges.size());
            webs_.ranges.resize(to + capacity_[a]);
            std::copy_n(webs_.ranges.begin() + into.firstRange, na, webs_.ranges.begin() + to);
            into.firstRange = to;
        }
        LiveRange* r = webs_.ranges.data() + into.firstRange;
        // Merge from the back, then join neighbours that touch.
        uint32_t i = na, j = nb, k = na + nb;
        while (j > 0) {
            if (i > 0 && r[i - 1].start > scratch_[j - 1].start) {
                r[--k] = r[--i];
            } else {
                r[--k] = scratch_[--j];
            }
        }
        uint32_t n = k ? k - 1 : 0;
        for (uint32_t m = n + 1; m < na + nb; m++) {
            if (r[n].end == r[m].start) {
                r[n].end = r[m].end;
            } else {
                r[++n] = r[m];
            }
        }
        into.numRanges = n + 1;
    }

    void compress() {
        std::vector<Web> dense;
        std::vector<uint32_t> number(f_.numVRegs, 0);
        for (VReg v = 0; v < f_.numVRegs; v++) {
            if (parent_[v] != v || webs_.webs[v].numRanges == 0) continue;
            number[v] = static_cast<uint32_t>(dense.size());
            dense.push_back(webs_.webs[v]);
        }
        webs_.webOf.resize(f_.numVRegs);
        for (VReg v = 0; v < f_.numVRegs; v++) webs_.webOf[v] = number[find(v)];
        webs_.webs = std::move(dense);
    }

    const LirFunction& f_;
    Webs& webs_;
    std::vector<uint32_t> parent_;
    std::vector<uint32_t> capacity_;
    std::vector<Copy> copies_;
    std::vector<LiveRange> scratch_;
};

}  // namespace

Webs buildWebs(const LirFunction& f, const SlotMap& slots) {
    Webs result;
    result.webs = RangeBuilder(f, slots, result.ranges).run();
    const auto entry = f.paramsOf(f.blocks[0]);
    for (uint32_t i = 0; i < entry.size(); i++) result.webs[entry[i]].entryRegister = i;
    Coalescer(f, result).run();
    return result;
}

}  // namespace luapp::backend
