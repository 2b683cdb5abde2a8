#include "runtime/bytecode/note.h"

#include "runtime/bytecode/varint.h"

namespace luapp::bc {

const char* nameKindText(NameKind kind) {
    switch (kind) {
        case NameKind::None: return "";
        case NameKind::Local: return "local";
        case NameKind::Upvalue: return "upvalue";
        case NameKind::Global: return "global";
        case NameKind::Field: return "field";
        case NameKind::Method: return "method";
    }
    return "";
}

void NoteTable::add(uint32_t pc, const Note& note) {
    putVarint(bytes_, pc - lastPc_);
    const auto first = static_cast<unsigned>(note.names[0].kind), second = static_cast<unsigned>(note.names[1].kind);
    bytes_.push_back(static_cast<uint8_t>(static_cast<unsigned>(note.use) | first << 2 | second << 5));
    for (const OperandName& n : note.names)
        if (n.kind != NameKind::None) putVarint(bytes_, n.name);
    lastPc_ = pc;
}

bool NoteTable::Cursor::next(uint32_t& pc, Note& note) {
    if (at_ == end_ || isDamaged_) return false;
    uint64_t delta;
    isDamaged_ = true;
    if (!getVarint(at_, end_, delta) || at_ == end_) return false;
    note.first = delta == 0 && !isFirst_ ? note.first + 2 : 0;
    isFirst_ = false;
    pc_ += delta;
    const unsigned head = *at_++;
    const unsigned kinds[2] = {head >> 2 & 7, head >> 5};
    if (pc_ > 0xFFFFFFFFu || (head & 3) > static_cast<unsigned>(NoteUse::Operate)) return false;
    note.use = static_cast<NoteUse>(head & 3);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t name = 0;
        if (kinds[i] >= kNameKindCount || (kinds[i] != 0 && !getVarint(at_, end_, name)) || name > 0xFFFFFFFFu) return false;
        note.names[i] = {static_cast<NameKind>(kinds[i]), static_cast<uint32_t>(name)};
    }
    pc = static_cast<uint32_t>(pc_);
    isDamaged_ = false;
    return true;
}

void PcTable::add(uint32_t pc, uint32_t number) {
    if (number == last_) return;
    putVarint(bytes_, pc - lastPc_);
    putVarint(bytes_, number);
    lastPc_ = pc;
    last_ = number;
}

uint32_t PcTable::find(uint32_t pc) const {
    const uint8_t* at = bytes_.data();
    const uint8_t* end = at + bytes_.size();
    uint64_t begin = 0, delta, number, found = 0;
    while (getVarint(at, end, delta) && getVarint(at, end, number) && (begin += delta) <= pc) found = number;
    return static_cast<uint32_t>(found);
}

bool NoteTable::find(uint32_t pc, unsigned operand, uint32_t& begin, Note& note) const {
    Cursor cursor(*this);
    bool isFound = false;
    uint32_t at;
    Note here;
    while (cursor.next(at, here) && at <= pc) {
        if (here.first > operand) continue;
        begin = at;
        note = here;
        isFound = true;
    }
    return isFound;
}

}  // namespace luapp::bc
