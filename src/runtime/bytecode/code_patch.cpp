#include "runtime/bytecode/code_patch.h"

#include <algorithm>

#include "runtime/bytecode/varint.h"

namespace luapp::bc {

namespace {

/// Where the operand with role j of an opcode stands.
enum class JumpField { None, D, E, X };

JumpField jumpFieldOf(Op op) {
    const OpInfo& info = opInfo(op);
    for (unsigned i = 0; info.operands[i] != 0; ++i) {
        if (info.operands[i] != 'j') continue;
        if (info.format == Format::E) return JumpField::E;
        return info.format == Format::AD ? JumpField::D : JumpField::X;
    }
    return JumpField::None;
}

/// The table of positions with every pc moved.
template <class Move>
LineTable movedLines(const LineTable& from, uint32_t size, Move&& move) {
    LineTable out;
    LineTable::Cursor cursor(from);
    Position last;
    for (uint32_t pc = 0; pc < size; ++pc) {
        const Position at = cursor.find(pc);
        if (pc == 0 ? at == Position() : at == last) continue;
        out.add(move(pc), at);
        last = at;
    }
    return out;
}

template <class Move>
NoteTable movedNotes(const NoteTable& from, Move&& move) {
    NoteTable out;
    NoteTable::Cursor cursor(from);
    uint32_t pc;
    Note note;
    while (cursor.next(pc, note)) out.add(move(pc), note);
    return out;
}

template <class Move>
PcTable movedNumbers(const PcTable& from, uint32_t size, Move&& move) {
    PcTable out;
    const uint8_t* at = from.bytes().data();
    const uint8_t* end = at + from.bytes().size();
    uint64_t begin = 0, delta, number;
    while (getVarint(at, end, delta) && getVarint(at, end, number) && (begin += delta) < size)
        out.add(move(static_cast<uint32_t>(begin)), static_cast<uint32_t>(number));
    return out;
}

}  // namespace

bool CodePatch::apply(Proto& p) const {
    for (const Replacement& r : replaced_) p.code[r.pc] = r.word;
    if (inserted_.empty() && behind_.empty()) return true;
    const auto size = static_cast<uint32_t>(p.code.size());
    // By old word: where jumps to it land now. Its own words stand `lead` further.
    std::vector<uint32_t> moved(size + 1), lead(size + 1, 0);
    std::vector<Insn> code;
    code.reserve(size + inserted_.size() + behind_.size());
    size_t before = 0, behind = 0;
    for (uint32_t pc = 0; pc <= size; ++pc) {
        for (; behind < behind_.size() && behind_[behind].pc == pc; ++behind)
            code.insert(code.end(), behind_[behind].words.begin(), behind_[behind].words.end());
        moved[pc] = static_cast<uint32_t>(code.size());
        for (; before < inserted_.size() && inserted_[before].pc == pc; ++before)
            code.insert(code.end(), inserted_[before].words.begin(), inserted_[before].words.end());
        lead[pc] = static_cast<uint32_t>(code.size()) - moved[pc];
        if (pc < size) code.push_back(p.code[pc]);
    }
    for (uint32_t pc = 0; pc < size;) {
        const Op op = opOf(p.code[pc]);
        const uint32_t next = pc + opWords(op);
        const uint32_t at = moved[pc] + lead[pc];
        const int64_t end = int64_t{at} + opWords(op);
        auto distance = [&](int64_t old) { return int64_t{moved[static_cast<size_t>(int64_t{next} + old)]} - end; };
        switch (jumpFieldOf(op)) {
            case JumpField::None: break;
            case JumpField::X: code[at + 1] = static_cast<Insn>(static_cast<int32_t>(distance(static_cast<int32_t>(p.code[pc + 1])))); break;
            case JumpField::E: {
                const int64_t d = distance(fieldE(p.code[pc]));
                if (!fitsS24(d)) return false;
                code[at] = encodeE(op, static_cast<int32_t>(d));
                break;
            }
            case JumpField::D: {
                const int64_t d = distance(fieldSD(p.code[pc]));
                if (fitsS16(d)) {
                    code[at] = encodeAD(op, fieldA(p.code[pc]), static_cast<unsigned>(d));
                    break;
                }
                // By way of the end of the code:   jump;  there: if .. skip; back to the next instruction; to the target
                const int64_t there = static_cast<int64_t>(code.size());
                const int64_t target = end + d;
                if (!fitsS24(there - end) || !fitsS24(target - there - 3)) return false;
                code.push_back(encodeAD(op, fieldA(p.code[pc]), 1));
                code.push_back(encodeE(Op::Jmp, static_cast<int32_t>(end - (there + 2))));
                code.push_back(encodeE(target <= at ? Op::Loop : Op::Jmp, static_cast<int32_t>(target - (there + 3))));
                code[at] = encodeE(Op::Jmp, static_cast<int32_t>(there - end));
                break;
            }
        }
        pc = next;
    }
    auto move = [&](uint32_t pc) { return moved[pc]; };
    auto moveOwn = [&](uint32_t pc) { return moved[pc] + lead[pc]; };
    p.lines = movedLines(p.lines, size, move);
    p.notes = movedNotes(p.notes, moveOwn);
    p.scopes = movedNumbers(p.scopes, size, move);
    p.inlined = movedNumbers(p.inlined, size, move);
    for (TypeHint& t : p.typeHints) t.pc = t.pc < size ? moveOwn(t.pc) : 0;
    p.code = std::move(code);
    return true;
}

}  // namespace luapp::bc
