// Second half of register allocation: from the intervals of the scan to operand places and moves. Moves arise where a
// split interval changes its place, where a fixed operand is not in place, where a tied definition does not share its
// operand's register, and on edges of the flow graph (block arguments, and intervals whose place differs at both ends).
#include <algorithm>

#include "backend/linear_scan_impl.h"
#include "runtime/base/check.h"

namespace luapp::backend {

namespace {

class Resolver {
  public:
    Resolver(const LirFunction& f, const SlotMap& slots, const Webs& webs, const Target& target, ScanResult&& scan)
        : f_(f), slots_(slots), webs_(webs), scan_(std::move(scan)),
          scratch_(std::min(scan_.registerTop, target.numRegisters)) {}

    Allocation run() {
        collectPieces();
        collectSplitMoves();
        countPreds();
        out_.operandPlace.resize(f_.operands.size());
        out_.moveStart.reserve(2 * slots_.numSlots + 1);
        out_.moves.reserve(f_.insts.size() / 4);
        for (uint32_t b = 0; b < f_.blocks.size(); b++) resolveBlock(b);
        mark();
        placeParams();
        out_.windowBase = std::move(scan_.windowBase);
        out_.frameSize = std::max(scan_.frameSize, usedScratch_ ? scratch_ + 1 : 0);
        out_.hasSpills = scan_.hasSpills;
        return std::move(out_);
    }

  private:
    struct SplitMove {
        uint32_t slot;
        Location src;
        Location dst;
    };
    struct LiveIn {
        uint32_t block;
        uint32_t web;
    };

    /// Lists the pieces of every split web, for binary search.
    void collectPieces() {
        firstPiece_.assign(webs_.webs.size(), kNone);
        numPieces_.assign(webs_.webs.size(), 0);
        if (scan_.intervals.size() == webs_.webs.size()) return;
        for (uint32_t w = 0; w < webs_.webs.size(); w++) {
            if (scan_.intervals[w].next == kNone) continue;
            firstPiece_[w] = static_cast<uint32_t>(pieces_.size());
            for (uint32_t i = w; i != kNone; i = scan_.intervals[i].next) pieces_.push_back(i);
            numPieces_[w] = static_cast<uint32_t>(pieces_.size()) - firstPiece_[w];
            collectLiveIns(w);
        }
        std::sort(liveIns_.begin(), liveIns_.end(), [](const LiveIn& a, const LiveIn& b) {
            return a.block != b.block ? a.block < b.block : a.web < b.web;
        });
    }

    void collectLiveIns(uint32_t web) {
        for (const LiveRange& r : webs_.rangesOf(web)) {
            auto it = std::lower_bound(slots_.blockStart.begin(), slots_.blockStart.end(), (r.start + 1) / 2);
            for (; it != slots_.blockStart.end() && 2 * *it < r.end; ++it) {
                liveIns_.push_back({static_cast<uint32_t>(it - slots_.blockStart.begin()), web});
            }
        }
    }

    void collectSplitMoves() {
        for (uint32_t i = 0; i < scan_.intervals.size(); i++) {
            const Interval& iv = scan_.intervals[i];
            if (iv.next == kNone) continue;
            const Interval& rest = scan_.intervals[iv.next];
            if (iv.end != rest.start || iv.place == rest.place) continue;
            const uint32_t slot = rest.start / 2;
            // At the start of a block the edges do it.
            if (std::binary_search(slots_.blockStart.begin(), slots_.blockStart.end(), slot)) continue;
            splitMoves_.push_back({slot, iv.place, rest.place});
        }
        std::sort(splitMoves_.begin(), splitMoves_.end(),
                  [](const SplitMove& a, const SplitMove& b) { return a.slot != b.slot ? a.slot < b.slot : a.dst < b.dst; });
    }

    void countPreds() {
        pred_.assign(f_.blocks.size(), kNone);
        predCount_.assign(f_.blocks.size(), 0);
        for (uint32_t b = 0; b < f_.blocks.size(); b++) {
            for (unsigned s = 0; s < f_.blocks[b].numSuccs; s++) {
                pred_[f_.blocks[b].succ[s].target] = b;
                predCount_[f_.blocks[b].succ[s].target]++;
            }
        }
    }

    Location webPlace(uint32_t web, uint32_t position) const {
        if (firstPiece_[web] == kNone) return scan_.intervals[web].place;
        const auto begin = pieces_.begin() + firstPiece_[web];
        const auto it = std::upper_bound(begin, begin + numPieces_[web], position, [&](uint32_t p, uint32_t piece) {
            return p < scan_.intervals[piece].start;
        });
        return scan_.intervals[*(it - 1)].place;
    }
    Location placeOf(VReg v, uint32_t position) const {
        return isConst(v) ? v : webPlace(webs_.webOf[v], position);
    }

    void placeParams() {
        out_.paramPlace.resize(f_.params.size());
        for (uint32_t b = 0; b < f_.blocks.size(); b++) {
            const LirBlock& block = f_.blocks[b];
            for (uint32_t i = block.firstParam; i < block.firstParam + block.numParams; i++) {
                out_.paramPlace[i] = placeOf(f_.params[i], 2 * slots_.blockStart[b]);
            }
        }
    }

    void mark() { out_.moveStart.push_back(static_cast<uint32_t>(out_.moves.size())); }
    void flush() {
        if (!group_.empty() && group_.flush(out_.moves, scratch_)) usedScratch_ = true;
    }

    void resolveBlock(uint32_t b) {
        const LirBlock& block = f_.blocks[b];
        uint32_t slot = slots_.blockStart[b];
        mark();
        if (predCount_[b] == 1 && f_.blocks[pred_[b]].numSuccs == 2) {
            const LirBlock& p = f_.blocks[pred_[b]];
            addEdgeMoves(pred_[b], p.succ[p.succ[0].target == b ? 0 : 1]);
        }
        mark();
        for (uint32_t i = block.firstInst; i < block.endInst; i++) resolveInst(f_.insts[i], i, ++slot);
        slot++;
        mark();
        addSplitMoves(slot);
        if (block.numSuccs == 1) addEdgeMoves(b, block.succ[0]);
        mark();
    }

    void addSplitMoves(uint32_t slot) {
        while (nextSplitMove_ < splitMoves_.size() && splitMoves_[nextSplitMove_].slot == slot) {
            group_.add(splitMoves_[nextSplitMove_].dst, splitMoves_[nextSplitMove_].src);
            nextSplitMove_++;
        }
        flush();
    }

    void resolveInst(const LirInst& inst, uint32_t index, uint32_t slot) {
        mark();
        addSplitMoves(slot);
        const Location base = scan_.windowBase[index];
        VReg tied = kNoVReg;
        for (uint32_t k = inst.firstOperand; k < inst.firstOperand + inst.numOperands; k++) {
            const Operand& o = f_.operands[k];
            Location& place = out_.operandPlace[k];
            switch (o.kind) {
                case OperandKind::Use:
                case OperandKind::LateUse: place = placeOf(o.vreg, 2 * slot); break;
                case OperandKind::TiedUse: tied = o.vreg; break;
                case OperandKind::FixedUse:
                    place = base + o.slot;
                    group_.add(place, placeOf(o.vreg, 2 * slot));
                    break;
                case OperandKind::Def: place = placeOf(o.vreg, 2 * slot + 1); break;
                case OperandKind::TiedDef:
                    place = placeOf(o.vreg, 2 * slot + 1);
                    group_.add(place, placeOf(tied, 2 * slot));
                    break;
                case OperandKind::FixedDef: place = base + o.slot; break;
            }
        }
        if (tied != kNoVReg) placeTiedUse(inst);
        flush();
        mark();
        for (uint32_t k = inst.firstOperand; k < inst.firstOperand + inst.numOperands; k++) {
            const Operand& o = f_.operands[k];
            if (o.kind == OperandKind::FixedDef) group_.add(placeOf(o.vreg, 2 * slot + 1), out_.operandPlace[k]);
        }
        flush();
    }

    void placeTiedUse(const LirInst& inst) {
        Location place = kNoLocation;
        for (uint32_t k = inst.firstOperand; k < inst.firstOperand + inst.numOperands; k++) {
            if (f_.operands[k].kind == OperandKind::TiedDef) place = out_.operandPlace[k];
        }
        for (uint32_t k = inst.firstOperand; k < inst.firstOperand + inst.numOperands; k++) {
            if (f_.operands[k].kind == OperandKind::TiedUse) out_.operandPlace[k] = place;
        }
    }

    void addEdgeMoves(uint32_t from, const LirEdge& edge) {
        const uint32_t before = 2 * slots_.blockEnd[from] + 1;
        const uint32_t after = 2 * slots_.blockStart[edge.target];
        const auto params = f_.paramsOf(f_.blocks[edge.target]);
        const auto args = f_.argsOf(edge);
        for (size_t i = 0; i < params.size(); i++) group_.add(placeOf(params[i], after), placeOf(args[i], before));
        auto it = std::lower_bound(liveIns_.begin(), liveIns_.end(), edge.target,
                                   [](const LiveIn& l, uint32_t b) { return l.block < b; });
        for (; it != liveIns_.end() && it->block == edge.target; ++it) {
            const bool isParam = std::any_of(params.begin(), params.end(), [&](VReg p) { return webs_.webOf[p] == it->web; });
            if (!isParam) group_.add(webPlace(it->web, after), webPlace(it->web, before));
        }
        flush();
    }

    const LirFunction& f_;
    const SlotMap& slots_;
    const Webs& webs_;
    ScanResult scan_;
    const Location scratch_;
    bool usedScratch_ = false;
    Allocation out_;
    ParallelMove group_;
    std::vector<uint32_t> firstPiece_;  // by web, into pieces_; kNone: never split
    std::vector<uint32_t> numPieces_;
    std::vector<uint32_t> pieces_;      // the intervals of split webs, each web's in order of time
    std::vector<LiveIn> liveIns_;       // split webs that live at the start of a block
    std::vector<SplitMove> splitMoves_;
    size_t nextSplitMove_ = 0;
    std::vector<uint32_t> pred_;
    std::vector<uint32_t> predCount_;
};

}  // namespace

Allocation resolvePlaces(const LirFunction& f, const SlotMap& slots, const Webs& webs, const Target& target,
                         ScanResult&& scan) {
    return Resolver(f, slots, webs, target, std::move(scan)).run();
}

}  // namespace luapp::backend
