#include "runtime/vm/source_names.h"

namespace luapp::rt {

namespace {

bool findNote(const Function& f, const Insn* pc, unsigned operand, bc::Note& note) {
    if (pc <= f.entry) return false;
    const uint32_t at = static_cast<uint32_t>(pc - f.entry) - 1;
    uint32_t begin = 0;
    if (!f.proto->notes.find(at, operand, begin, note)) return false;
    // The note must be of the very instruction, whose last word `at` is or which a handler has not stepped over yet.
    return at < begin + bc::opWords(bc::opOf(f.entry[begin]));
}

}  // namespace

bool isTailCallAt(const Function& f, const Insn* pc) {
    bc::Note note;
    return findNote(f, pc, 0, note) && note.use == bc::NoteUse::TailCall;
}

SourceName operandNameAt(const Function& f, const Insn* pc, bc::NoteUse use, unsigned operand) {
    bc::Note note;
    if (!findNote(f, pc, operand, note) || note.use != use || operand - note.first > 1) return {};
    const bc::OperandName& found = note.names[operand - note.first];
    if (found.kind == bc::NameKind::None) return {};
    return {found.kind, f.program->chunk.symbol(found.name)};
}

SourceName operandName(const State& s, bc::NoteUse use, unsigned operand) {
    const Function* f = s.pc == nullptr ? nullptr : findFunction(s, s.pc);
    if (f == nullptr) return {};
    const SourceName name = operandNameAt(*f, s.pc, use, operand);
    const bool isCall = use == bc::NoteUse::Call;
    return name || !isCall ? name : operandNameAt(*f, s.pc, bc::NoteUse::TailCall, operand);
}

}  // namespace luapp::rt
