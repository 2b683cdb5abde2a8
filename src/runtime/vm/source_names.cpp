#include "runtime/vm/source_names.h"

namespace luapp::rt {

SourceName operandNameAt(const Function& f, const Insn* pc, bc::NoteUse use, unsigned operand) {
    if (pc <= f.entry) return {};
    const uint32_t at = static_cast<uint32_t>(pc - f.entry) - 1;
    uint32_t begin = 0;
    bc::Note note;
    if (!f.proto->notes.find(at, begin, note) || note.use != use) return {};
    // The note must be of the very instruction, whose last word `at` is or which a handler has not stepped over yet.
    if (at >= begin + bc::opWords(bc::opOf(f.entry[begin]))) return {};
    const bc::OperandName& found = note.names[operand];
    if (found.kind == bc::NameKind::None) return {};
    return {found.kind, f.program->chunk.symbol(found.name)};
}

SourceName operandName(const State& s, bc::NoteUse use, unsigned operand) {
    const Function* f = s.pc == nullptr ? nullptr : findFunction(s, s.pc);
    return f == nullptr ? SourceName{} : operandNameAt(*f, s.pc, use, operand);
}

}  // namespace luapp::rt
