#include "backend/alloc_verify.h"

#include <algorithm>

namespace luapp::backend {

namespace {

class Verifier {
  public:
    Verifier(const LirFunction& f, const SlotMap& slots, const Allocation& a, const Target& target)
        : f_(f), slots_(slots), a_(a), target_(target), in_(f.blocks.size()), pred_(f.blocks.size(), 0) {}

    std::string run() {
        for (const LirBlock& b : f_.blocks) {
            for (unsigned s = 0; s < b.numSuccs; s++) pred_[b.succ[s].target]++;
        }
        State entry(a_.frameSize + 1, kNoVReg);
        const auto params = f_.paramsOf(f_.blocks[0]);
        for (uint32_t i = 0; i < params.size(); i++) {
            if (a_.paramPlace[f_.blocks[0].firstParam + i] != i) fail(0, "a parameter of the function is not in its place");
            if (i < entry.size()) entry[i] = params[i];
        }
        in_[0] = entry;
        work_.push_back(0);
        while (!work_.empty() && error_.empty()) {
            const uint32_t b = work_.back();
            work_.pop_back();
            runBlock(b);
        }
        return error_;
    }

  private:
    using State = std::vector<VReg>;  // by place; kNoVReg: nothing known

    void fail(uint32_t slot, const std::string& what) {
        if (error_.empty()) error_ = "slot " + std::to_string(slot) + ": " + what;
    }

    VReg read(const State& s, Location place, uint32_t slot) {
        if (isConst(place)) return place;
        if (place < s.size()) return s[place];
        fail(slot, "place " + std::to_string(place) + " is outside the frame");
        return kNoVReg;
    }
    void write(State& s, Location place, VReg v, uint32_t slot) {
        if (place >= s.size()) return fail(slot, "place " + std::to_string(place) + " is outside the frame");
        if (place >= target_.numRegisters + 1 && place < target_.firstSpillSlot) fail(slot, "place is no register");
        s[place] = v;
    }
    void forget(State& s, VReg v) { std::replace(s.begin(), s.end(), v, kNoVReg); }

    void runMoves(State& s, std::span<const Move> moves, uint32_t slot) {
        for (const Move& m : moves) write(s, m.dst, read(s, m.src, slot), slot);
    }

    void runBlock(uint32_t b) {
        const LirBlock& block = f_.blocks[b];
        State s = in_[b];
        uint32_t slot = slots_.blockStart[b];
        for (uint32_t i = block.firstInst; i < block.endInst; i++) runInst(s, i, ++slot);
        slot++;
        runMoves(s, a_.before(slot), slot);
        for (unsigned e = 0; e < block.numSuccs; e++) runEdge(s, block, block.succ[e]);
    }

    void runInst(State& s, uint32_t index, uint32_t slot) {
        const LirInst& inst = f_.insts[index];
        runMoves(s, a_.before(slot), slot);
        for (uint32_t k = inst.firstOperand; k < inst.firstOperand + inst.numOperands; k++) {
            const Operand& o = f_.operands[k];
            if (!isUse(o.kind)) continue;
            if (!isFixed(o.kind) && a_.operandPlace[k] >= target_.numRegisters) fail(slot, "operand not in a register");
            if (read(s, a_.operandPlace[k], slot) != o.vreg) fail(slot, "v" + std::to_string(o.vreg) + " is not in " + std::to_string(a_.operandPlace[k]));
        }
        if (inst.flags & lir_flags::Window) {
            const Location base = a_.windowBase[index];
            if (base < target_.firstSpillSlot && base + inst.windowSize > target_.maxWindowEnd) fail(slot, "window too high");
            for (size_t p = base; p < s.size(); p++) s[p] = kNoVReg;
        }
        if (inst.flags & lir_flags::Clobbers) {
            for (size_t p = 0; p < target_.callClobbers.size() && p < s.size(); p++) {
                if (target_.callClobbers[p]) s[p] = kNoVReg;
            }
        }
        for (uint32_t k = inst.firstOperand; k < inst.firstOperand + inst.numOperands; k++) {
            const Operand& o = f_.operands[k];
            if (isUse(o.kind)) continue;
            if (!isFixed(o.kind) && a_.operandPlace[k] >= target_.numRegisters) fail(slot, "result not in a register");
            forget(s, o.vreg);
            write(s, a_.operandPlace[k], o.vreg, slot);
        }
        runMoves(s, a_.after(slot), slot);
    }

    void runEdge(State s, const LirBlock& from, const LirEdge& edge) {
        const uint32_t slot = slots_.blockStart[edge.target];
        const LirBlock& to = f_.blocks[edge.target];
        if (from.numSuccs == 2 && pred_[edge.target] == 1) runMoves(s, a_.before(slot), slot);
        const auto args = f_.argsOf(edge);
        std::vector<std::pair<Location, VReg>> arrived;
        for (uint32_t i = 0; i < args.size(); i++) {
            const Location place = a_.paramPlace[to.firstParam + i];
            if (read(s, place, slot) != args[i]) fail(slot, "parameter " + std::to_string(i) + " has not arrived");
            arrived.push_back({place, f_.params[to.firstParam + i]});
        }
        for (const auto& [place, param] : arrived) forget(s, param);
        for (const auto& [place, param] : arrived) write(s, place, param, slot);
        State& in = in_[edge.target];
        if (in.empty()) {
            in = std::move(s);
            work_.push_back(edge.target);
            return;
        }
        bool changed = false;
        for (size_t p = 0; p < in.size(); p++) {
            if (in[p] != s[p] && in[p] != kNoVReg) {
                in[p] = kNoVReg;
                changed = true;
            }
        }
        if (changed) work_.push_back(edge.target);
    }

    const LirFunction& f_;
    const SlotMap& slots_;
    const Allocation& a_;
    const Target& target_;
    std::vector<State> in_;
    std::vector<uint32_t> pred_;
    std::vector<uint32_t> work_;
    std::string error_;
};

}  // namespace

std::string verifyAllocation(const LirFunction& f, const SlotMap& slots, const Allocation& allocation,
                             const Target& target) {
    return Verifier(f, slots, allocation, target).run();
}

}  // namespace luapp::backend
