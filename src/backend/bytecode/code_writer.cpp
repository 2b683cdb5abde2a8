#include "backend/bytecode/code_writer.h"

#include <algorithm>
#include <unordered_map>

#include "runtime/base/check.h"

namespace luapp::bc {

using namespace backend;

backend::Target bytecodeTarget(uint32_t reserved) {
    Target t;
    t.numRegisters = kAllocatableRegisters - reserved;
    t.maxWindowEnd = kAllocatableRegisters - reserved;
    t.firstSpillSlot = kMaxRegister + 1;
    t.slotWindowGap = kFrameLinks;
    return t;
}

namespace {

/// The branch taken exactly when `op` is not, and whether its two operands change places or its field C changes sense; Op::Jmp if there
/// is none.
struct Inverse {
    Op op = Op::Jmp;
    bool swaps = false;
    bool changesSense = false;
};

Inverse inverseOf(Op op) {
    switch (op) {
        case Op::JTrue: return {Op::JFalse};
        case Op::JFalse: return {Op::JTrue};
        case Op::JTruthy: return {Op::JFalsy};
        case Op::JFalsy: return {Op::JTruthy};
        case Op::JNil: return {Op::JNotNil};
        case Op::JNotNil: return {Op::JNil};
        case Op::JLtF: return {Op::JNLtF};
        case Op::JNLtF: return {Op::JLtF};
        case Op::JLeF: return {Op::JNLeF};
        case Op::JNLeF: return {Op::JLeF};
        case Op::JEqF: return {Op::JNeF};
        case Op::JNeF: return {Op::JEqF};
        case Op::JLtI: return {Op::JLeI, true};
        case Op::JLeI: return {Op::JLtI, true};
        case Op::JEqI: return {Op::JNeI};
        case Op::JNeI: return {Op::JEqI};
        case Op::JEqS: return {Op::JNeS};
        case Op::JNeS: return {Op::JEqS};
        case Op::JLtX:
        case Op::JLeX:
        case Op::JEqX: return {op, false, true};
        case Op::JLtFI: return {Op::JNLtFI};
        case Op::JNLtFI: return {Op::JLtFI};
        case Op::JLeFI: return {Op::JNLeFI};
        case Op::JNLeFI: return {Op::JLeFI};
        case Op::JGtFI: return {Op::JNGtFI};
        case Op::JNGtFI: return {Op::JGtFI};
        case Op::JGeFI: return {Op::JNGeFI};
        case Op::JNGeFI: return {Op::JGeFI};
        case Op::JEqFI: return {Op::JNeFI};
        case Op::JNeFI: return {Op::JEqFI};
        case Op::JLtII: return {Op::JGeII};
        case Op::JGeII: return {Op::JLtII};
        case Op::JLeII: return {Op::JGtII};
        case Op::JGtII: return {Op::JLeII};
        case Op::JEqII: return {Op::JNeII};
        case Op::JNeII: return {Op::JEqII};
        default: return {};
    }
}

/// The call that does not give its frame away.
Op withoutTail(Op op) {
    switch (op) {
        case Op::TailDyn: return Op::CallDyn;
        case Op::TailDynPack: return Op::CallDynPack;
        case Op::TailClo: return Op::CallClo;
        default: return op;
    }
}

/// Instructions of a loop's test that are repeated at its end at most.
constexpr uint32_t kMaxRepeated = 4;
/// Code of fewer words than this cannot hold a distance beyond 16 bits.
constexpr size_t kShortCode = 30000;

class CodeWriter {
  public:
    CodeWriter(const SelectedFunction& fn, const SlotMap& slots, const Allocation& allocation, ChunkBuilder& chunk, Proto& proto)
        : fn_(fn), f_(fn.code), slots_(slots), a_(allocation), chunk_(chunk), proto_(proto), code_(proto.code) {}

    void run() {
        // Raise without operand names register 0.
        proto_.frameSize = std::max(a_.frameSize, 1u);
        if (a_.hasSpills) proto_.frameSize = std::max(proto_.frameSize, kSpillScratch + 1);
        proto_.frameSize = std::max(proto_.frameSize, static_cast<uint32_t>(proto_.params.size()));
        code_.reserve(f_.insts.size() + f_.insts.size() / 4 + a_.moves.size() + 2);
        isLong_ = 2 * (f_.insts.size() + a_.moves.size()) + 2 * f_.blocks.size() > kShortCode;
        findTargets();
        if (proto_.frameSize > kHeadroom) emit(encodeE(Op::Enter, static_cast<int32_t>(proto_.frameSize)));
        if (proto_.isVararg) emit(encodeAD(Op::VarargPrep, 0, static_cast<unsigned>(proto_.params.size())));
        pc_.assign(f_.blocks.size(), 0);
        for (uint32_t b = 0; b < f_.blocks.size(); b++) writeBlock(b);
        patch();
    }

  private:
    enum class JumpField : uint8_t { D, E, X };
    struct Fixup {
        uint32_t at;      // of the word to patch
        uint32_t after;   // the word from which the distance counts
        uint32_t target;  // block
        JumpField field;
    };

    void emit(Insn word) { code_.push_back(word); }
    uint32_t here() const { return static_cast<uint32_t>(code_.size()); }

    /// True if the block has no code of its own but its jump.
    bool isEmpty(uint32_t b) const {
        const LirBlock& block = f_.blocks[b];
        return block.firstInst == block.endInst && block.numSuccs == 1 && a_.before(slots_.blockStart[b]).empty() &&
               a_.before(slots_.blockEnd[b]).empty();
    }

    /// For each block, where a jump to it ends up, whether a back edge that polls lies on that way, and what follows it in the
    /// code. An empty block that polls is left out if every way into it jumps backwards then: such jumps poll.
    void findTargets() {
        const auto n = static_cast<uint32_t>(f_.blocks.size());
        std::vector<uint32_t> firstPred(n, n);
        for (uint32_t b = 0; b < n; b++) {
            for (unsigned s = 0; s < f_.blocks[b].numSuccs; s++) {
                uint32_t& first = firstPred[f_.blocks[b].succ[s].target];
                first = std::min(first, b);
            }
        }
        std::vector<bool> isSkipped(n);
        for (uint32_t b = 0; b < n; b++) {
            isSkipped[b] = isEmpty(b) && (!fn_.polls[b] || endOfWay(f_.blocks[b].succ[0].target) <= firstPred[b]);
        }
        target_.resize(n);
        following_.resize(n);
        wayPolls_.assign(n, false);
        uint32_t next = n;
        for (uint32_t b = n; b-- > 0;) {
            following_[b] = next;
            if (!isSkipped[b]) next = b;
        }
        for (uint32_t b = 0; b < n; b++) {
            uint32_t t = b;
            for (uint32_t steps = 0; isSkipped[t] && steps < n; steps++) {
                if (fn_.polls[t]) wayPolls_[b] = true;
                t = f_.blocks[t].succ[0].target;
            }
            target_[b] = t;
        }
    }

    /// Where a jump to `b` ends up if only blocks without a poll are left out.
    uint32_t endOfWay(uint32_t b) const {
        for (uint32_t steps = 0; isEmpty(b) && !fn_.polls[b] && steps < f_.blocks.size(); steps++) b = f_.blocks[b].succ[0].target;
        return b;
    }

    void writeBlock(uint32_t b) {
        const LirBlock& block = f_.blocks[b];
        pc_[b] = here();
        current_ = b;
        if (target_[b] != b) return;
        fusible_ = kNoFusible;
        writeMoves(a_.before(slots_.blockStart[b]));
        for (uint32_t i = block.firstInst; i < block.endInst; i++) {
            const uint32_t slot = slots_.slotOfInst(f_, b, i);
            if (block.numSuccs == 2 && i + 1 == block.endInst) {
                writeMoves(a_.before(slot));
                writeBranch(f_.insts[i], i, target_[block.succ[0].target], target_[block.succ[1].target], following_[b]);
            } else {
                writeMoves(a_.before(slot));
                writeInst(f_.insts[i], i);
                writeMoves(a_.after(slot));
            }
        }
        if (block.numSuccs == 1) writeBackOrForward(b);
    }

    // --- moves

    void writeMoves(std::span<const Move> moves) {
        for (const Move& m : moves) {
            fusible_ = kNoFusible;
            writeMove(m);
        }
    }

    void writeMove(const Move& m) {
        if (isConst(m.src)) {
            const uint32_t reg = m.dst > kMaxRegister ? kSpillScratch : m.dst;
            writeConstant(reg, fn_.constants[constIndex(m.src)]);
            if (m.dst > kMaxRegister) emit(encodeAD(Op::Spill, reg, m.dst));
        } else if (m.src > kMaxRegister) {
            const uint32_t reg = m.dst > kMaxRegister ? kSpillScratch : m.dst;
            emit(encodeAD(Op::Reload, reg, m.src));
            if (m.dst > kMaxRegister) emit(encodeAD(Op::Spill, reg, m.dst));
        } else if (m.dst > kMaxRegister) {
            emit(encodeAD(Op::Spill, m.src, m.dst));
        } else {
            emit(encodeABC(Op::Move, m.dst, m.src, 0));
        }
    }

    void writeConstant(uint32_t reg, const ConstCode& c) {
        switch (c.op) {
            case Op::LoadNil: emit(encodeABC(Op::LoadNil, reg, 0, 0)); return;
            case Op::LoadK:
                if (fitsU16(c.data)) {
                    emit(encodeAD(Op::LoadK, reg, c.data));
                } else {
                    emit(encodeAD(Op::LoadKX, reg, 0));
                    emit(c.data);
                }
                return;
            default: emit(encodeAD(c.op, reg, static_cast<uint32_t>(c.imm) & 0xFFFF)); return;
        }
    }

    // --- instructions

    /// Hands out the operands of an instruction by role.
    struct Reader {
        const LirFunction& f;
        const Allocation& a;
        const LirInst& inst;
        Location base;
        uint32_t nextUse;
        uint32_t nextDef;

        Location take(char role) {
            const uint32_t end = inst.firstOperand + inst.numOperands;
            uint32_t& at = role == 's' ? nextUse : nextDef;
            for (; at < end; at++) {
                const OperandKind k = f.operands[at].kind;
                const bool fits = role == 's' ? k == OperandKind::Use || k == OperandKind::LateUse
                                              : k == OperandKind::Def || k == OperandKind::TiedDef;
                if (fits) return a.operandPlace[at++];
            }
            return base;
        }
    };

    uint32_t field(char role, const LirInst& inst, Reader& r, uint32_t jump) {
        switch (role) {
            case 'd':
            case 'm': return r.take('d');
            case 's': return r.take('s');
            case 'w': return r.base;
            case 'i':
            case 'n': return static_cast<uint32_t>(inst.imm);
            case 'k':
            case 'p':
            case 't':
            case 'v':
            case 'b':
            case 'y':
            case 'e':
            case 'u': return inst.index;
            case 'j': return jump;
            default: return 0;
        }
    }

    /// Encodes `inst` as `op`, with its window at `base`; a jump distance is left open.
    void encode(Op op, const LirInst& inst, Location base, bool swapped = false) {
        addPosition(inst);
        const OpInfo& info = opInfo(op);
        Reader r{f_, a_, inst, base, inst.firstOperand, inst.firstOperand};
        uint32_t v[4] = {0, 0, 0, 0};
        for (unsigned i = 0; info.operands[i] != 0; i++) v[i] = field(info.operands[i], inst, r, 0);
        if (swapped) std::swap(v[0], v[1]);
        switch (info.format) {
            case Format::ABC:
            case Format::ABCX: emit(encodeABC(op, v[0], v[1], v[2])); break;
            case Format::AD:
            case Format::ADX: emit(encodeAD(op, v[0], v[1])); break;
            case Format::E:
            case Format::EX: emit(encodeE(op, static_cast<int32_t>(v[0]))); break;
        }
        if (info.format == Format::ABCX) emit(v[3]);
        if (info.format == Format::ADX) emit(v[2]);
        if (info.format == Format::EX) emit(v[1]);
    }

    void writeInst(const LirInst& inst, uint32_t index) {
        const Location base = a_.windowBase[index];
        if ((inst.flags & lir_flags::Window) && base > kMaxRegister) {
            writeFarWindow(inst, base);
            return;
        }
        fusible_ = kNoFusible;
        if (inst.op < kPseudoFirst) {
            auto op = static_cast<Op>(inst.op);
            if (op == Op::LoadK) {
                addPosition(inst);
                writeConstant(a_.operandPlace[inst.firstOperand], {op, 0, inst.index});
                return;
            }
            if (op == Op::AddUI || op == Op::AddFI) fusible_ = here();
            if (op == Op::UnboxU || op == Op::GetCap || op == Op::GetF || op == Op::SetF || op == Op::SetFR) addTypeHint(inst.index);
            if (op == Op::GetG || op == Op::GetGX) addTypeHint(static_cast<uint32_t>(inst.imm));
            encode(op, inst, base);
            return;
        }
        writePseudo(inst, base);
    }

    void addTypeHint(uint32_t valueType) {
        const uint32_t type = chunk_.module().valueTypes[valueType].type;
        if (type != ir::kNoType) proto_.typeHints.push_back({here(), type});
    }

    void writePseudo(const LirInst& inst, Location base) {
        switch (static_cast<PseudoOp>(inst.op)) {
            case kPseudoTableNext:
                // At the end the jump goes to the load behind the other one.
                encode(Op::TNext, inst, base);
                code_.back() = 1;
                emit(encodeE(Op::Jmp, 1));
                emit(encodeAD(Op::LoadI, fieldA(code_[code_.size() - 3]), static_cast<uint32_t>(-1) & 0xFFFF));
                return;
            case kPseudoSlotGet:
                addPosition(inst);
                emit(encodeABC(Op::Move, a_.operandPlace[inst.firstOperand], static_cast<unsigned>(inst.imm), 0));
                return;
            case kPseudoSlotSet:
                addPosition(inst);
                emit(encodeABC(Op::Move, static_cast<unsigned>(inst.imm), a_.operandPlace[inst.firstOperand], 0));
                return;
            case kPseudoUnreachable: emit(encodeE(Op::Jmp, -1)); return;
        }
        LUAPP_UNREACHABLE("pseudo operation");
    }

    /// A window in the frame slots: a second frame of this function is opened for it, whose register 0 is the window's
    /// base. No window instruction but ConcatN and ConcatX has operands outside the window.
    void writeFarWindow(const LirInst& inst, Location base) {
        fusible_ = kNoFusible;
        emit(encodeE(Op::Shift, static_cast<int32_t>(base)));
        if (inst.op == static_cast<uint16_t>(Op::ConcatN) || inst.op == static_cast<uint16_t>(Op::ConcatX)) {
            addPosition(inst);
            emit(encodeABC(static_cast<Op>(inst.op), 0, 0, static_cast<uint32_t>(inst.imm)));
            emit(encodeE(Op::Unshift, 0));
            emit(encodeAD(Op::Reload, a_.operandPlace[inst.firstOperand + inst.numOperands - 1], base));
            return;
        }
        if (inst.op < kPseudoFirst) {
            encode(withoutTail(static_cast<Op>(inst.op)), inst, 0);
        } else {
            writePseudo(inst, 0);
        }
        emit(encodeE(Op::Unshift, 0));
    }

    /// The code from here on belongs to this place.
    void addPlace(ir::Loc loc) {
        proto_.lines.add(here(), chunk_.position(loc));
        proto_.inlined.add(here(), siteOf(chunk_.module().inlineSiteOf(loc)));
    }

    /// 1 + index in the proto of a site of the module, its parents with it; 0 for 0.
    uint32_t siteOf(uint32_t moduleSite) {
        if (moduleSite == 0) return 0;
        if (const auto known = sites_.find(moduleSite); known != sites_.end()) return known->second;
        std::vector<uint32_t> fresh;
        uint32_t site = moduleSite;
        for (; site != 0 && !sites_.contains(site); site = chunk_.module().inlineSites[site - 1].parent) fresh.push_back(site);
        uint32_t parent = site == 0 ? 0 : sites_[site];
        for (; !fresh.empty(); fresh.pop_back()) {
            const ir::InlineSite& s = chunk_.module().inlineSites[fresh.back() - 1];
            proto_.inlineSites.push_back({s.callee->index(), chunk_.position(s.call), parent});
            parent = sites_[fresh.back()] = static_cast<uint32_t>(proto_.inlineSites.size());
        }
        return parent;
    }

    void addPosition(const LirInst& inst) {
        if (inst.loc == 0) return;
        addPlace({inst.loc});
        const ir::Note* note = chunk_.module().noteOf({inst.loc});
        if (proto_.isDebuggable) proto_.scopes.add(here(), note ? note->scope : 0);
        if (!note || (note->use != NoteUse::TailCall && !note->hasNames())) return;
        for (; note; note = note->further == 0 ? nullptr : &chunk_.module().notes[note->further - 1])
            proto_.notes.add(here(), {note->use, {chunk_.operandName(note->names[0]), chunk_.operandName(note->names[1])}});
    }

    // --- jumps

    void fixup(uint32_t target, JumpField field) {
        const uint32_t at = here() - 1;
        fixups_.push_back({at, here(), target, field});
    }
    void writeJump(uint32_t target, bool polls = false) {
        emit(encodeE(polls ? Op::Loop : Op::Jmp, 0));
        fixup(target, JumpField::E);
    }
    /// True if a jump from here to block `target` goes back: a conditional one polls, another one may have to.
    bool isBackwards(uint32_t target) const { return target <= current_; }

    /// The conditional jump `inst` to block `yes` if it holds, else to `no`; `next` is what follows in the code.
    void writeBranch(const LirInst& inst, uint32_t index, uint32_t yes, uint32_t no, uint32_t next) {
        const auto op = static_cast<Op>(inst.op);
        const Inverse inverse = inverseOf(op);
        const bool isPure = inverse.op != Op::Jmp;
        if (yes == no && isPure) {
            if (yes != next) writeJump(yes, isBackwards(yes));
            return;
        }
        if (isPure && (yes == next || (no != next && isBackwards(no) && !isBackwards(yes)))) {
            writeConditional(inverse.op, inst, index, no, inverse.swaps);
            if (inverse.changesSense) code_[here() - 2] ^= 1u << 24;
            if (yes != next) writeJump(yes);
            return;
        }
        writeConditional(op, inst, index, yes, false);
        if (no != next) writeJump(no, isBackwards(no));
    }

    void writeConditional(Op op, const LirInst& inst, uint32_t index, uint32_t target, bool swapped) {
        const bool isShort = opInfo(op).format == Format::AD;
        if (isShort && isLong_) {
            encode(inverseOf(op).op, inst, a_.windowBase[index], swapped);
            code_.back() |= 1u << 16;
            writeJump(target, isBackwards(target));
            return;
        }
        encode(op, inst, a_.windowBase[index], swapped);
        fixup(target, isShort ? JumpField::D : JumpField::X);
    }

    /// The end of a block with one successor.
    void writeBackOrForward(uint32_t b) {
        const uint32_t successor = f_.blocks[b].succ[0].target;
        const uint32_t target = target_[successor];
        const auto moves = a_.before(slots_.blockEnd[b]);
        if (target <= b && (fuseCountingLoop(b, target, moves) || repeatTest(b, target, moves))) return;
        writeMoves(moves);
        if (fn_.polls[b] || wayPolls_[successor]) {
            if (f_.blocks[b].loc != 0) addPlace({f_.blocks[b].loc});
            writeJump(target, true);
        } else if (target != following_[b]) {
            writeJump(target);
        }
    }

    /// True if the code of block `header` is a test that can be executed at another place as well.
    bool isRepeatable(uint32_t header, uint32_t limit) const {
        const LirBlock& h = f_.blocks[header];
        if (h.numSuccs != 2 || h.endInst - h.firstInst > limit || !a_.before(slots_.blockStart[header]).empty()) return false;
        return inverseOf(static_cast<Op>(f_.insts[h.endInst - 1].op)).op != Op::Jmp;
    }

    /// Increment of the counter just written, test at the loop's head, jump back: one instruction.
    bool fuseCountingLoop(uint32_t b, uint32_t header, std::span<const Move> moves) {
        if (fusible_ == kNoFusible || fusible_ + 1 != here() || !isRepeatable(header, 1)) return false;
        const LirBlock& h = f_.blocks[header];
        const LirInst& test = f_.insts[h.firstInst];
        const Insn add = code_[fusible_];
        const Op fused = opOf(add) == Op::AddUI ? Op::LoopLtI : Op::LoopLtF;
        if (static_cast<Op>(test.op) != (fused == Op::LoopLtI ? Op::JLtI : Op::JLtF)) return false;
        if (!a_.before(slots_.slotOfInst(f_, header, h.firstInst)).empty()) return false;
        const uint32_t counter = fieldA(add);
        const Location limit = a_.operandPlace[test.firstOperand + 1];
        if (fieldB(add) != counter || a_.operandPlace[test.firstOperand] != counter || limit == counter) return false;
        const uint32_t body = target_[h.succ[0].target];
        const uint32_t exit = target_[h.succ[1].target];
        if (body > b) return false;
        for (const Move& m : moves) {
            if (m.dst == counter || m.src == counter || m.dst == limit) return false;
        }
        code_.pop_back();
        writeMoves(moves);
        if (f_.blocks[b].loc != 0) addPlace({f_.blocks[b].loc});
        emit(encodeABC(fused, counter, limit, fieldC(add)));
        emit(0);
        fixup(body, JumpField::X);
        if (exit != following_[b]) writeJump(exit);
        return true;
    }

    /// Executes the test of the loop at its end instead of jumping to it; the jump back polls.
    bool repeatTest(uint32_t b, uint32_t header, std::span<const Move> moves) {
        // Debuggable code knows a loop by its jump back.
        if (header == b || proto_.isDebuggable || !isRepeatable(header, kMaxRepeated)) return false;
        writeMoves(moves);
        const LirBlock& h = f_.blocks[header];
        for (uint32_t i = h.firstInst; i < h.endInst; i++) {
            const uint32_t slot = slots_.slotOfInst(f_, header, i);
            writeMoves(a_.before(slot));
            if (i + 1 == h.endInst) {
                writeBranch(f_.insts[i], i, target_[h.succ[0].target], target_[h.succ[1].target], following_[b]);
            } else {
                writeInst(f_.insts[i], i);
                writeMoves(a_.after(slot));
            }
        }
        return true;
    }

    void patch() {
        for (const Fixup& x : fixups_) {
            const auto distance = static_cast<int32_t>(pc_[x.target]) - static_cast<int32_t>(x.after);
            switch (x.field) {
                case JumpField::D:
                    LUAPP_CHECK(fitsS16(distance), "short jump");
                    code_[x.at] |= (static_cast<uint32_t>(distance) & 0xFFFF) << 16;
                    break;
                case JumpField::E:
                    LUAPP_CHECK(fitsS24(distance), "jump distance");
                    code_[x.at] |= static_cast<uint32_t>(distance) << 8;
                    break;
                case JumpField::X: code_[x.at] = static_cast<uint32_t>(distance); break;
            }
        }
    }

    static constexpr uint32_t kNoFusible = 0xFFFFFFFFu;

    const SelectedFunction& fn_;
    const LirFunction& f_;
    const SlotMap& slots_;
    const Allocation& a_;
    ChunkBuilder& chunk_;
    Proto& proto_;
    std::vector<Insn>& code_;
    std::vector<uint32_t> target_;
    std::vector<uint32_t> following_;
    std::vector<bool> wayPolls_;
    std::vector<uint32_t> pc_;  // by block
    std::vector<Fixup> fixups_;
    std::unordered_map<uint32_t, uint32_t> sites_;  // by inline site of the module: 1 + index in the proto
    uint32_t current_ = 0;           // the block being written
    uint32_t fusible_ = kNoFusible;  // where an increment stands that is the last thing written
    bool isLong_ = false;
};

}  // namespace

void writeCode(const SelectedFunction& function, const SlotMap& slots, const Allocation& allocation, ChunkBuilder& chunk,
               Proto& proto) {
    CodeWriter(function, slots, allocation, chunk, proto).run();
}

}  // namespace luapp::bc
