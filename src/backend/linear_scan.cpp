#include "backend/linear_scan.h"

#include <algorithm>
#include <array>
#include <queue>

#include "backend/linear_scan_impl.h"
#include "runtime/base/check.h"

namespace luapp::backend {

namespace {

/// Set of registers. Large enough for every target.
class RegisterSet {
  public:
    static constexpr uint32_t kCapacity = 256;
    void add(uint32_t r) { words_[r >> 6] |= uint64_t{1} << (r & 63); }
    void remove(uint32_t r) { words_[r >> 6] &= ~(uint64_t{1} << (r & 63)); }
    bool has(uint32_t r) const { return words_[r >> 6] >> (r & 63) & 1; }
    void add(const RegisterSet& other) {
        for (unsigned i = 0; i < words_.size(); i++) words_[i] |= other.words_[i];
    }
    /// The lowest number not in the set; kCapacity if it is full.
    uint32_t lowestAbsent() const {
        for (unsigned i = 0; i < words_.size(); i++) {
            if (~words_[i]) return i * 64 + static_cast<uint32_t>(__builtin_ctzll(~words_[i]));
        }
        return kCapacity;
    }

  private:
    std::array<uint64_t, kCapacity / 64> words_{};
};

/// An instruction with a window.
struct Window {
    uint32_t inst;
    uint32_t slot;
    uint32_t liveAcross = 0;  // webs that live across it
    uint8_t depth = 0;
    Location base = kNoLocation;
};

/// "Would like to be at the window's base + slot" (or, window being kNone, in register `slot`).
struct Hint {
    uint32_t window = kNone;
    uint16_t slot = 0;
    uint8_t weight = 0;  // 0: no hint
};

/// How many windows an argument may wait for before its own: more would push all those windows upwards.
constexpr uint32_t kMaxWindowsCrossed = 4;
/// How deeply nested calls are looked through when a window's base is estimated.
constexpr unsigned kMaxNesting = 8;
/// How far a window may be moved upwards to save moves.
constexpr uint32_t kMaxLift = 32;

class LinearScan {
  public:
    LinearScan(const LirFunction& f, const SlotMap& slots, const Webs& webs, const Target& target)
        : f_(f), slots_(slots), webs_(webs), target_(target) {}

    ScanResult run() {
        result_.windowBase.assign(f_.insts.size(), 0);
        makeIntervals();
        collectInstructions();
        countLiveAcross();
        scan();
        result_.frameSize = std::max(result_.frameSize, result_.registerTop);
        return std::move(result_);
    }

  private:
    // --- preparation

    void makeIntervals() {
        auto& intervals = result_.intervals;
        intervals.resize(webs_.webs.size());
        order_.resize(intervals.size());
        for (uint32_t w = 0; w < intervals.size(); w++) {
            const Web& web = webs_.webs[w];
            Interval& iv = intervals[w];
            iv.web = w;
            iv.firstRange = iv.cursor = web.firstRange;
            iv.endRange = web.firstRange + web.numRanges;
            iv.start = webs_.ranges[iv.firstRange].start;
            iv.end = webs_.ranges[iv.endRange - 1].end;
            order_[w] = w;
        }
        std::sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
            return intervals[a].start != intervals[b].start ? intervals[a].start < intervals[b].start : a < b;
        });
    }

    /// Finds the windows, the clobbering instructions, and the hints that fixed operands give.
    void collectInstructions() {
        useHints_.resize(webs_.webs.size());
        defHints_.resize(webs_.webs.size());
        for (uint32_t i = 0; i < target_.callClobbers.size(); i++) {
            if (target_.callClobbers[i]) clobbered_.add(i);
        }
        for (uint32_t b = 0; b < f_.blocks.size(); b++) {
            const LirBlock& block = f_.blocks[b];
            for (uint32_t i = block.firstInst; i < block.endInst; i++) {
                const LirInst& inst = f_.insts[i];
                if (inst.flags == 0) continue;
                const uint32_t slot = slots_.slotOfInst(f_, b, i);
                uint32_t window = kNone;
                if (inst.flags & lir_flags::Window) {
                    window = static_cast<uint32_t>(windows_.size());
                    windows_.push_back({i, slot, 0, block.loopDepth});
                }
                if (inst.flags & lir_flags::Clobbers) clobberSlots_.push_back(slot);
                collectHints(inst, slot, window, block.loopDepth);
            }
        }
    }

    void collectHints(const LirInst& inst, uint32_t slot, uint32_t window, uint8_t depth) {
        for (const Operand& o : f_.operandsOf(inst)) {
            if (!isFixed(o.kind) || isConst(o.vreg)) continue;
            const uint32_t web = webs_.webOf[o.vreg];
            const Hint hint{window, o.slot, static_cast<uint8_t>(std::min<unsigned>(depth, 254) + 1)};
            if (o.kind == OperandKind::FixedUse) {
                if (coversAcross(webs_.rangesOf(web), slot)) continue;
                if (hint.weight > useHints_[web].weight) useHints_[web] = hint;
            } else if (hint.weight > defHints_[web].weight) {
                defHints_[web] = hint;
            }
        }
    }

    static bool coversAcross(std::span<const LiveRange> ranges, uint32_t slot) {
        const uint32_t i = findRange(ranges, 2 * slot);
        return i < ranges.size() && ranges[i].start <= 2 * slot && ranges[i].end > 2 * slot + 1;
    }

    /// True if `inst` defines a member of `web`: then what `web` held before is dead, though its ranges touch.
    bool defines(const LirInst& inst, uint32_t web) const {
        for (const Operand& o : f_.operandsOf(inst)) {
            if (!isUse(o.kind) && webs_.webOf[o.vreg] == web) return true;
        }
        return false;
    }

    uint32_t firstWindowFrom(uint32_t position) const {
        auto it = std::lower_bound(windows_.begin(), windows_.end(), position,
                                   [](const Window& w, uint32_t p) { return 2 * w.slot < p; });
        return static_cast<uint32_t>(it - windows_.begin());
    }

    void countLiveAcross() {
        if (windows_.empty()) return;
        std::vector<int32_t> delta(windows_.size() + 1, 0);
        for (uint32_t w = 0; w < webs_.webs.size(); w++) {
            for (const LiveRange& r : webs_.rangesOf(w)) {
                if (r.end - r.start < 2) continue;
                const uint32_t first = firstWindowFrom(r.start);
                // Windows with 2 * slot + 1 < end.
                const uint32_t last = first < windows_.size() && 2 * windows_[first].slot + 1 < r.end
                                          ? firstWindowFrom(r.end - 1)
                                          : first;
                if (first == last) continue;
                delta[first]++;
                delta[last]--;
            }
        }
        int32_t live = 0;
        for (uint32_t k = 0; k < windows_.size(); k++) {
            live += delta[k];
            int32_t own = 0;
            for (const Operand& o : f_.operandsOf(f_.insts[windows_[k].inst])) {
                if (!isUse(o.kind) && coversAcross(webs_.rangesOf(webs_.webOf[o.vreg]), windows_[k].slot)) own++;
            }
            windows_[k].liveAcross = static_cast<uint32_t>(live - own);
        }
    }

    // --- intervals

    LiveRange rangeOf(const Interval& iv, uint32_t i) const {
        const LiveRange& r = webs_.ranges[i];
        return {std::max(r.start, iv.start), std::min(r.end, iv.end)};
    }

    /// Index of the range of `iv` that contains or follows `position`, from its cursor on.
    uint32_t rangeFrom(const Interval& iv, uint32_t position) const {
        uint32_t i = iv.cursor;
        if (i < iv.endRange && webs_.ranges[i].end > position) return i;
        return iv.cursor + findRange({webs_.ranges.data() + iv.cursor, iv.endRange - iv.cursor}, position);
    }

    bool liveAcross(const Interval& iv, uint32_t slot) const {
        if (iv.start > 2 * slot || iv.end <= 2 * slot + 1) return false;
        const uint32_t i = rangeFrom(iv, 2 * slot);
        return i < iv.endRange && webs_.ranges[i].start <= 2 * slot && webs_.ranges[i].end > 2 * slot + 1;
    }

    /// First position from `cur.start` on where both live; kNone if there is none.
    uint32_t intersection(const Interval& cur, const Interval& other) const {
        uint32_t i = cur.cursor;
        uint32_t j = rangeFrom(other, cur.start);
        while (i < cur.endRange && j < other.endRange) {
            const LiveRange a = rangeOf(cur, i);
            const LiveRange b = rangeOf(other, j);
            if (a.start >= other.end || b.start >= cur.end) return kNone;
            if (a.end <= b.start) {
                i += 1 + findRange({webs_.ranges.data() + i + 1, cur.endRange - i - 1}, b.start);
            } else if (b.end <= a.start) {
                j += 1 + findRange({webs_.ranges.data() + j + 1, other.endRange - j - 1}, a.start);
            } else {
                return std::max(a.start, b.start);
            }
        }
        return kNone;
    }

    // --- the scan

    void scan() {
        size_t at = 0;
        while (at < order_.size() || !splits_.empty()) {
            uint32_t current;
            if (!splits_.empty() && (at == order_.size() || splits_.top().start <= result_.intervals[order_[at]].start)) {
                current = splits_.top().interval;
                splits_.pop();
            } else {
                current = order_[at++];
            }
            const uint32_t start = result_.intervals[current].start;
            placeWindows(start);
            advance(start);
            allocate(current);
        }
        placeWindows(kNone);
    }

    /// Moves expired intervals out of the lists and sorts the others by whether they live at `position`.
    void advance(uint32_t position) {
        if (position >= nextActiveEvent_) {
            nextActiveEvent_ = kNone;
            size_t kept = 0;
            for (uint32_t id : active_) {
                Interval& iv = result_.intervals[id];
                while (iv.cursor < iv.endRange && std::min(webs_.ranges[iv.cursor].end, iv.end) <= position) iv.cursor++;
                if (iv.cursor < iv.endRange && rangeOf(iv, iv.cursor).start <= position) {
                    nextActiveEvent_ = std::min(nextActiveEvent_, rangeOf(iv, iv.cursor).end);
                    active_[kept++] = id;
                    continue;
                }
                busy_.remove(iv.place);
                if (iv.cursor < iv.endRange) insertInactive(id);
            }
            active_.resize(kept);
        }
        while (inactiveHead_ < inactive_.size() && inactive_[inactiveHead_].start <= position) {
            const uint32_t id = inactive_[inactiveHead_++].interval;
            Interval& iv = result_.intervals[id];
            while (iv.cursor < iv.endRange && std::min(webs_.ranges[iv.cursor].end, iv.end) <= position) iv.cursor++;
            if (iv.cursor >= iv.endRange) continue;
            if (rangeOf(iv, iv.cursor).start <= position) {
                activate(id);
            } else {
                insertInactive(id);
            }
        }
        if (inactiveHead_ > 64 && inactiveHead_ * 2 > inactive_.size()) {
            inactive_.erase(inactive_.begin(), inactive_.begin() + static_cast<ptrdiff_t>(inactiveHead_));
            inactiveHead_ = 0;
        }
        // What is spilled to make room for a definition moves before the operands are read: it needs its slot from then on.
        while (!spilled_.empty() && spilled_.top().start <= (position & ~1u)) {
            freeSlots_.push(result_.intervals[spilled_.top().interval].place);
            spilled_.pop();
        }
    }

    void activate(uint32_t id) {
        const Interval& iv = result_.intervals[id];
        active_.push_back(id);
        busy_.add(iv.place);
        nextActiveEvent_ = std::min(nextActiveEvent_, rangeOf(iv, iv.cursor).end);
    }

    void insertInactive(uint32_t id) {
        const Interval& iv = result_.intervals[id];
        const Event e{rangeOf(iv, iv.cursor).start, id};
        const auto from = inactive_.begin() + static_cast<ptrdiff_t>(inactiveHead_);
        inactive_.insert(std::upper_bound(from, inactive_.end(), e, [](const Event& a, const Event& b) { return b > a; }), e);
    }

    void allocate(uint32_t current) {
        const Interval& cur = result_.intervals[current];
        if (current == cur.web && webs_.webs[cur.web].entryRegister != kNoRegister) {
            assignEntry(current, webs_.webs[cur.web].entryRegister);
            return;
        }
        RegisterSet taken = busy_;
        for (size_t i = inactiveHead_; i < inactive_.size() && inactive_[i].start < cur.end; i++) {
            const Interval& other = result_.intervals[inactive_[i].interval];
            if (!taken.has(other.place) && intersection(cur, other) != kNone) taken.add(other.place);
        }
        if (!clobberSlots_.empty() && firstClobber(cur) != kNone) taken.add(clobbered_);
        if (current == cur.web) {
            uint32_t r = hintedRegister(useHints_[cur.web], cur, false);
            if (r >= target_.numRegisters || taken.has(r)) r = hintedRegister(defHints_[cur.web], cur, true);
            if (r < target_.numRegisters && !taken.has(r)) {
                assign(current, r);
                return;
            }
        }
        const uint32_t r = taken.lowestAbsent();
        if (r < target_.numRegisters) {
            assign(current, r);
        } else {
            allocateScarce(current);
        }
    }

    void assign(uint32_t id, uint32_t reg) {
        result_.intervals[id].place = reg;
        result_.registerTop = std::max(result_.registerTop, reg + 1);
        activate(id);
    }

    /// A parameter of the function stays where it arrives, up to the first call that destroys that register.
    void assignEntry(uint32_t id, uint32_t reg) {
        LUAPP_CHECK(reg < target_.numRegisters, "too many parameters");
        const uint32_t clobber = clobberSlots_.empty() ? kNone : firstClobber(result_.intervals[id]);
        if (clobber != kNone && clobbered_.has(reg)) enqueue(split(id, 2 * clobber));
        assign(id, reg);
    }

    /// Slot of the first clobbering instruction that `cur` lives across; kNone if there is none.
    uint32_t firstClobber(const Interval& cur) const {
        auto it = std::lower_bound(clobberSlots_.begin(), clobberSlots_.end(), (cur.start + 1) / 2);
        for (; it != clobberSlots_.end() && 2 * *it < cur.end; ++it) {
            if (liveAcross(cur, *it)) return *it;
        }
        return kNone;
    }

    // --- windows

    /// The register a hint stands for now, or kNone.
    uint32_t hintedRegister(const Hint& hint, const Interval& cur, bool isDef) {
        if (hint.weight == 0) return kNone;
        if (hint.window == kNone) return hint.slot;
        const Window& w = windows_[hint.window];
        if (!isDef && hint.window - firstWindowFrom(cur.start) > kMaxWindowsCrossed) return kNone;
        const Location base = w.base != kNoLocation ? w.base : estimateBase(hint.window, kMaxNesting);
        const Location place = base + hint.slot;
        return place < std::min(target_.numRegisters, target_.maxWindowEnd) ? place : kNone;
    }

    /// Where the base of a window to come will probably be: above the registers that are taken across it already, with
    /// room for the webs that still begin before it.
    uint32_t estimateBase(uint32_t window, unsigned nesting) const {
        const Window& w = windows_[window];
        if (w.base != kNoLocation) return w.base;
        const LirInst& inst = f_.insts[w.inst];
        uint32_t top = 0;
        uint32_t placed = 0;
        auto consider = [&](const Interval& iv) {
            if (!liveAcross(iv, w.slot) || defines(inst, iv.web)) return;
            top = std::max(top, iv.place + 1);
            placed++;
        };
        for (uint32_t id : active_) consider(result_.intervals[id]);
        for (size_t i = inactiveHead_; i < inactive_.size() && inactive_[i].start <= 2 * w.slot; i++) {
            consider(result_.intervals[inactive_[i].interval]);
        }
        const uint32_t toCome = w.liveAcross > placed ? w.liveAcross - placed : 0;
        const uint32_t gaps = top - placed;
        uint32_t base = top + (toCome > gaps ? toCome - gaps : 0);
        // The result should appear where its own user wants it.
        for (const Operand& o : f_.operandsOf(inst)) {
            if (o.kind != OperandKind::FixedDef) continue;
            const uint32_t web = webs_.webOf[o.vreg];
            const Location place = result_.intervals[web].place;
            uint32_t wanted = 0;
            if (place != kNoLocation) {
                wanted = place;
            } else if (nesting > 0 && useHints_[web].weight != 0) {
                const Hint& h = useHints_[web];
                if (h.window == kNone || h.window <= window || h.window - window > kMaxWindowsCrossed) break;
                wanted = estimateBase(h.window, nesting - 1) + h.slot;
            }
            if (wanted >= base + o.slot && wanted - o.slot - base <= kMaxLift) base = wanted - o.slot;
            break;
        }
        return base;
    }

    /// Fixes the bases of the windows whose instruction comes before `position`.
    void placeWindows(uint32_t position) {
        while (nextWindow_ < windows_.size() && 2 * windows_[nextWindow_].slot + 1 <= position) {
            advance(2 * windows_[nextWindow_].slot);
            placeWindow(windows_[nextWindow_]);
            nextWindow_++;
        }
    }

    void placeWindow(Window& w) {
        const LirInst& inst = f_.insts[w.inst];
        uint32_t lowest = 0;
        for (uint32_t id : active_) {
            const Interval& iv = result_.intervals[id];
            if (iv.place >= lowest && liveAcross(iv, w.slot) && !defines(inst, iv.web)) lowest = iv.place + 1;
        }
        if (slotLivesAcross(w.slot) || lowest + inst.windowSize > target_.maxWindowEnd) {
            // Above every frame slot: the slots themselves live across the call.
            w.base = target_.firstSpillSlot + numSpillSlots_ + target_.slotWindowGap;
            result_.hasSpills = true;
        } else {
            w.base = bestBase(w, inst, lowest);
            result_.registerTop = std::max(result_.registerTop, w.base + inst.windowSize);
        }
        result_.frameSize = std::max(result_.frameSize, w.base + inst.windowSize);
        result_.windowBase[w.inst] = w.base;
    }

    /// True if a spilled interval needs its slot behind the instruction of slot `slot`.
    bool slotLivesAcross(uint32_t slot) const { return lastSpillEnd_ > 2 * slot + 1; }

    /// The base from `lowest` on for which most operands are already in their places.
    uint32_t bestBase(const Window& w, const LirInst& inst, uint32_t lowest) {
        candidates_.clear();
        for (const Operand& o : f_.operandsOf(inst)) {
            if (!isFixed(o.kind) || isConst(o.vreg)) continue;
            const uint32_t web = webs_.webOf[o.vreg];
            const Location place = placeNow(web);
            if (place >= target_.numRegisters) continue;
            if (o.kind == OperandKind::FixedUse && coversAcross(webs_.rangesOf(web), w.slot) && !defines(inst, web)) continue;
            if (place < lowest + o.slot || place - o.slot - lowest > kMaxLift) continue;
            if (place - o.slot + inst.windowSize > target_.maxWindowEnd) continue;
            candidates_.push_back(place - o.slot);
        }
        std::sort(candidates_.begin(), candidates_.end());
        uint32_t best = lowest;
        size_t bestCount = 0;
        for (size_t i = 0; i < candidates_.size();) {
            size_t j = i;
            while (j < candidates_.size() && candidates_[j] == candidates_[i]) j++;
            if (j - i > bestCount) {
                best = candidates_[i];
                bestCount = j - i;
            }
            i = j;
        }
        // A result without a place yet appears where its user wants it, if no argument objects.
        if (bestCount == 0) best = std::max(best, clampedEstimate(w, lowest));
        return best;
    }

    /// The estimate for a window that is being placed, if it lies within reach of `lowest`.
    uint32_t clampedEstimate(const Window& w, uint32_t lowest) const {
        const uint32_t base = estimateBase(static_cast<uint32_t>(&w - windows_.data()), kMaxNesting);
        const uint32_t end = base + f_.insts[w.inst].windowSize;
        return base > lowest && base - lowest <= kMaxLift && end <= target_.maxWindowEnd ? base : lowest;
    }

    /// Place of the piece of a web the scan has reached; kNoLocation if it has not begun.
    Location placeNow(uint32_t web) const {
        uint32_t id = web;
        Location place = kNoLocation;
        while (id != kNone && result_.intervals[id].place != kNoLocation) {
            place = result_.intervals[id].place;
            id = result_.intervals[id].next;
        }
        return place;
    }

    // --- when registers are scarce

    /// Positions where each web must be in a register, sorted; made when first needed.
    void collectUses() {
        if (!firstUse_.empty()) return;
        firstUse_.assign(webs_.webs.size() + 1, 0);
        auto walk = [&](auto&& visit) {
            for (uint32_t b = 0; b < f_.blocks.size(); b++) {
                for (uint32_t i = f_.blocks[b].firstInst; i < f_.blocks[b].endInst; i++) {
                    const uint32_t slot = slots_.slotOfInst(f_, b, i);
                    for (const Operand& o : f_.operandsOf(f_.insts[i])) {
                        if (isFixed(o.kind)) continue;
                        visit(webs_.webOf[o.vreg], isUse(o.kind) ? 2 * slot : 2 * slot + 1);
                    }
                }
            }
        };
        walk([&](uint32_t web, uint32_t) { firstUse_[web + 1]++; });
        for (size_t i = 1; i < firstUse_.size(); i++) firstUse_[i] += firstUse_[i - 1];
        uses_.resize(firstUse_.back());
        std::vector<uint32_t> at(firstUse_.begin(), firstUse_.end() - 1);
        walk([&](uint32_t web, uint32_t position) { uses_[at[web]++] = position; });
        for (size_t w = 0; w + 1 < firstUse_.size(); w++) {
            std::sort(uses_.begin() + firstUse_[w], uses_.begin() + firstUse_[w + 1]);
        }
    }

    /// First position from `position` on where `iv` must be in a register; kNone if there is none.
    uint32_t nextUse(const Interval& iv, uint32_t position) const {
        const auto begin = uses_.begin() + firstUse_[iv.web];
        const auto end = uses_.begin() + firstUse_[iv.web + 1];
        const auto it = std::lower_bound(begin, end, std::max(position, iv.start));
        return it != end && *it < iv.end ? *it : kNone;
    }

    /// Cuts `id` at the even position `p`; the rest has no place yet. Returns the rest, kNone if nothing is left.
    uint32_t split(uint32_t id, uint32_t p) {
        Interval rest = result_.intervals[id];
        LUAPP_CHECK(p > rest.start && p < rest.end, "split position");
        const uint32_t r = rangeFrom(rest, p);
        rest.firstRange = rest.cursor = r;
        rest.start = std::max(p, webs_.ranges[r].start);
        rest.place = kNoLocation;
        const auto restId = static_cast<uint32_t>(result_.intervals.size());
        Interval& first = result_.intervals[id];
        first.endRange = webs_.ranges[r].start < p ? r + 1 : r;
        first.end = std::min(p, webs_.ranges[first.endRange - 1].end);
        first.next = restId;
        result_.intervals.push_back(rest);
        return restId;
    }

    void enqueue(uint32_t id) { splits_.push({result_.intervals[id].start, id}); }

    /// Puts the whole of `id` into a frame slot up to its next use in a register; the rest is allocated later.
    void spill(uint32_t id) {
        const uint32_t use = nextUse(result_.intervals[id], result_.intervals[id].start);
        if (use != kNone) {
            const uint32_t p = use & ~1u;
            LUAPP_CHECK(p > result_.intervals[id].start, "spilling a used register");
            enqueue(split(id, p));
        }
        Interval& iv = result_.intervals[id];
        if (freeSlots_.empty()) {
            iv.place = target_.firstSpillSlot + numSpillSlots_++;
        } else {
            iv.place = freeSlots_.top();
            freeSlots_.pop();
        }
        result_.frameSize = std::max(result_.frameSize, iv.place + 1);
        result_.hasSpills = true;
        spilled_.push({iv.end, id});
        lastSpillEnd_ = std::max(lastSpillEnd_, iv.end);
    }

    bool isFixedResult(const Interval& cur) const {
        return cur.start % 2 == 1 && nextWindow_ > 0 && windows_[nextWindow_ - 1].slot == cur.start / 2 &&
               nextUse(cur, cur.start) != cur.start;
    }

    void allocateScarce(uint32_t current) {
        collectUses();
        const uint32_t start = result_.intervals[current].start;
        const uint32_t n = target_.numRegisters;
        // Until when each register is free, and when what sits in it is needed next.
        std::vector<uint32_t> freeUntil(n, kNone);
        std::vector<uint32_t> neededAt(n, kNone);
        const uint32_t clobber = clobberSlots_.empty() ? kNone : firstClobber(result_.intervals[current]);
        for (uint32_t r = 0; clobber != kNone && r < n; r++) {
            if (clobbered_.has(r)) freeUntil[r] = 2 * clobber;
        }
        for (uint32_t id : active_) {
            const Interval& iv = result_.intervals[id];
            freeUntil[iv.place] = 0;
            neededAt[iv.place] = std::min(neededAt[iv.place], nextUse(iv, start & ~1u));
        }
        for (size_t i = inactiveHead_; i < inactive_.size() && inactive_[i].start < result_.intervals[current].end; i++) {
            const Interval& iv = result_.intervals[inactive_[i].interval];
            const uint32_t at = intersection(result_.intervals[current], iv);
            if (at == kNone) continue;
            freeUntil[iv.place] = std::min(freeUntil[iv.place], at);
            neededAt[iv.place] = std::min(neededAt[iv.place], nextUse(iv, start & ~1u));
        }
        const uint32_t ownUse = nextUse(result_.intervals[current], start);
        const auto freest = static_cast<uint32_t>(std::max_element(freeUntil.begin(), freeUntil.end()) - freeUntil.begin());
        const uint32_t until = freeUntil[freest] & ~1u;
        if (freeUntil[freest] != kNone && until > start && (ownUse == kNone || until > ownUse)) {
            if (until < result_.intervals[current].end) enqueue(split(current, until));
            assign(current, freest);
            return;
        }
        for (uint32_t r = 0; clobber != kNone && r < n; r++) {
            if (clobbered_.has(r) && 2 * clobber <= start + 1) neededAt[r] = 0;
        }
        const auto victim = static_cast<uint32_t>(std::max_element(neededAt.begin(), neededAt.end()) - neededAt.begin());
        const bool canWait = ownUse == kNone || (ownUse & ~1u) > start;
        if (isFixedResult(result_.intervals[current]) || (canWait && (ownUse == kNone || ownUse >= neededAt[victim]))) {
            spill(current);
            return;
        }
        LUAPP_CHECK(neededAt[victim] > start + 1, "more operands than registers");
        evict(victim, current);
        if (clobber != kNone && clobbered_.has(victim)) enqueue(split(current, 2 * clobber));
        assign(current, victim);
    }

    /// Frees `reg` for `current`: what lives there now goes to a slot, what returns there later is allocated again.
    void evict(uint32_t reg, uint32_t current) {
        const uint32_t p = result_.intervals[current].start & ~1u;
        for (size_t i = 0; i < active_.size();) {
            const uint32_t id = active_[i];
            if (result_.intervals[id].place != reg) {
                i++;
                continue;
            }
            active_.erase(active_.begin() + static_cast<ptrdiff_t>(i));
            if (result_.intervals[id].start >= p) {
                spill(id);
            } else {
                spill(split(id, p));
            }
        }
        busy_.remove(reg);
        for (size_t i = inactiveHead_; i < inactive_.size();) {
            const uint32_t id = inactive_[i].interval;
            if (result_.intervals[id].place != reg ||
                intersection(result_.intervals[current], result_.intervals[id]) == kNone) {
                i++;
                continue;
            }
            inactive_.erase(inactive_.begin() + static_cast<ptrdiff_t>(i));
            enqueue(split(id, (result_.intervals[current].start + 1) & ~1u));
        }
    }

    struct Event {
        uint32_t start;
        uint32_t interval;
        bool operator>(const Event& o) const {
            return start != o.start ? start > o.start : interval > o.interval;
        }
    };
    template <class T>
    using MinHeap = std::priority_queue<T, std::vector<T>, std::greater<T>>;

    const LirFunction& f_;
    const SlotMap& slots_;
    const Webs& webs_;
    const Target& target_;
    ScanResult result_;
    std::vector<uint32_t> order_;  // the webs by start
    MinHeap<Event> splits_;        // rests of split intervals, still to allocate
    std::vector<uint32_t> active_;
    std::vector<Event> inactive_;  // in a hole, by the end of the hole; from inactiveHead_ on
    size_t inactiveHead_ = 0;
    uint32_t nextActiveEvent_ = kNone;
    MinHeap<Event> spilled_;  // by end
    uint32_t lastSpillEnd_ = 0;
    MinHeap<Location> freeSlots_;
    uint32_t numSpillSlots_ = 0;
    RegisterSet busy_;  // registers of active intervals
    RegisterSet clobbered_;
    std::vector<uint32_t> clobberSlots_;
    std::vector<Window> windows_;
    uint32_t nextWindow_ = 0;
    std::vector<Hint> useHints_;  // by web
    std::vector<Hint> defHints_;
    std::vector<uint32_t> candidates_;
    std::vector<uint32_t> firstUse_;  // by web, into uses_
    std::vector<uint32_t> uses_;
};

}  // namespace

Allocation allocateRegisters(const LirFunction& f, const SlotMap& slots, const Webs& webs, const Target& target) {
    LUAPP_CHECK(target.numRegisters <= RegisterSet::kCapacity, "too many registers");
    return resolvePlaces(f, slots, webs, target, LinearScan(f, slots, webs, target).run());
}

}  // namespace luapp::backend
