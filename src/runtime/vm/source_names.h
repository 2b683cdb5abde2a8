// What the source calls things, looked up for messages and for the debug library: operands of the running instruction, and the
// functions of frames by the instruction that called them. All of it reads the notes of bytecode/note.h; slow, and only for errors.
#pragma once

#include <string_view>

#include "runtime/bytecode/note.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

struct SourceName {
    bc::NameKind kind = bc::NameKind::None;
    std::string_view name;

    explicit operator bool() const { return kind != bc::NameKind::None; }
};

/// The name of an operand of the instruction before `pc` (a saved State.pc or a return address), if the instruction uses it so.
SourceName operandNameAt(const Function& f, const Insn* pc, bc::NoteUse use, unsigned operand);

/// Is it the call of `return f()` in a debuggable function?
bool isTailCallAt(const Function& f, const Insn* pc);

/// The same for the running instruction of the running function.
SourceName operandName(const State& s, bc::NoteUse use, unsigned operand = 0);

}  // namespace luapp::rt
