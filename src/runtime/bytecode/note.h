// Notes: what the source calls the operands of an instruction, so that an error can say "attempt to index local 'x' (a nil value)"
// and a stack trace "in function 'f'". Lowering makes them (middle/notes.h), instruction selection carries them with the
// position, the code writer puts them into the proto's sparse table, and only slow paths that raise and the debug library read it.
// The table is debug information: code runs the same without it, and damaged bytes give no note.
#pragma once

#include <cstdint>
#include <vector>

namespace luapp::bc {

/// What the instruction does with the operands that a note names.
enum class NoteUse : uint8_t {
    Call,     // names[0]: what is called
    TailCall, // the same in `return f()` of a debuggable function: Lua 5.1 would have left the frame
    Index,    // names[0]: what is indexed
    Operate,  // the operands of an operator
};

/// How the source gets at an operand.
enum class NameKind : uint8_t { None, Local, Upvalue, Global, Field, Method };
inline constexpr unsigned kNameKindCount = static_cast<unsigned>(NameKind::Method) + 1;

/// "local", "upvalue", ... as messages say it.
const char* nameKindText(NameKind kind);

struct OperandName {
    NameKind kind = NameKind::None;
    uint32_t name = 0;  // a symbol of the chunk
};

struct Note {
    NoteUse use = NoteUse::Call;
    OperandName names[2];
    uint32_t first = 0;  // the operand that names[0] is of; more than 0 in the further notes of an instruction
};

/// The notes of a proto, delta coded by pc in the order of the code.
/// Bytes of an entry: varint pc delta, byte (use | kind 0 << 2 | kind 1 << 5), then a varint for each name that there is. An entry with
/// a delta of 0 behind another one has the names of the same instruction's next two operands.
class NoteTable {
public:
    /// The instruction that begins at word `pc`; pcs rise. An instruction's notes are added in the order of the operands, none left out;
    /// `note.first` is not read.
    void add(uint32_t pc, const Note& note);

    /// Reads the notes in order.
    class Cursor {
    public:
        explicit Cursor(const NoteTable& table) : at_(table.bytes_.data()), end_(at_ + table.bytes_.size()) {}
        /// False at the end of the table, or if its bytes are damaged: then `isDamaged`.
        bool next(uint32_t& pc, Note& note);
        bool isDamaged() const { return isDamaged_; }

    private:
        const uint8_t* at_;
        const uint8_t* end_;
        uint64_t pc_ = 0;
        bool isFirst_ = true;
        bool isDamaged_ = false;
    };

    /// Of the last instruction with notes that begins at or before word `pc` the note with the name of `operand`, or its last one; false
    /// if there is none. `begin` tells where.
    bool find(uint32_t pc, unsigned operand, uint32_t& begin, Note& note) const;

    const std::vector<uint8_t>& bytes() const { return bytes_; }
    /// Takes over bytes read from a file; nothing may be added afterwards.
    void setBytes(std::vector<uint8_t> bytes) { bytes_ = std::move(bytes); }

private:
    std::vector<uint8_t> bytes_;
    uint32_t lastPc_ = 0;
};

/// A number for each stretch of code, 0 where nothing was added. Delta coded by pc.
class PcTable {
public:
    /// The code from word `pc` on; pcs rise. The same number as before adds nothing.
    void add(uint32_t pc, uint32_t number);
    uint32_t find(uint32_t pc) const;

    const std::vector<uint8_t>& bytes() const { return bytes_; }
    /// Takes over bytes read from a file; nothing may be added afterwards.
    void setBytes(std::vector<uint8_t> bytes) { bytes_ = std::move(bytes); }

private:
    std::vector<uint8_t> bytes_;
    uint32_t lastPc_ = 0;
    uint32_t last_ = 0;
};

}  // namespace luapp::bc
