// Chunk: a compiled program as plain data. Made by backend/bytecode from IR, written to and read from .lbc files by
// serialize.h, checked by verify.h, printed by disasm.h, and turned into a running rt::Program by vm/load. It holds no
// pointer to a run-time object and no address, so it can be kept, copied and loaded into any number of States. All
// cross references are indices into its tables. In a chunk each proto has its own code, and the operand of Call is a
// proto index; the loader lays all code out in one block and turns it into a distance. A chunk made by our compiler is
// right by construction; one from a file is untrusted until verify() has accepted it.
//
//   symbols    every name and string, once; index 0 is the empty string
//   types      descriptor data; a type may refer to any other, recursion included
//   valueTypes what words may hold, for the verifier; operand role v indexes it
//   classes    what the types of kind Class need at run time
//   data       the data segment: constants and module variables; operand role k indexes it
//   protos     the functions; operand role p indexes them
//   files      source files for positions and for disassembly with source lines
//   modules    one per source module: its name and the proto of its main block
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/rep.h"
#include "runtime/bytecode/instruction.h"
#include "runtime/bytecode/note.h"

namespace luapp::bc {

using base::Rep;

using SymbolIndex = uint32_t;
using TypeIndex = uint32_t;
using DataIndex = uint32_t;
using ProtoIndex = uint32_t;
using ValueTypeIndex = uint32_t;

/// "None" where an index is optional.
inline constexpr uint32_t kNoIndex = 0xFFFFFFFFu;

/// Kinds of types; entries come from type_kinds.def.
enum class TypeKind : uint8_t {
#define LUAPP_TYPE_KIND(name, parts) name,
#include "runtime/bytecode/type_kinds.def"
};
#define LUAPP_TYPE_KIND(name, parts) +1
inline constexpr unsigned kTypeKindCount = 0
#include "runtime/bytecode/type_kinds.def"
    ;

/// A named part of a type: record field, enum member, parameter name.
struct TypeField {
    SymbolIndex name = 0;
    TypeIndex type = kNoIndex;  // record fields only
    int64_t value = 0;          // enum members only
};

/// Enough to rebuild the type descriptor of a type. Which parts are used depends on the kind: type_kinds.def.
struct TypeData {
    TypeKind kind = TypeKind::Any;
    Rep rep = Rep::Box;
    SymbolIndex name = 0;           // how messages and typeof() print it, e.g. "Array<number>"
    bool isNominal = false;         // a type of its own in each loaded program, not its structure (recursive aliases,
                                    // enums, classes, interfaces)
    std::vector<TypeIndex> parts;   // element; key and value; members; parameters
    std::vector<TypeField> fields;  // record fields, enum members, parameter names (may be empty)
    // Function only:
    std::vector<TypeIndex> results;  // fixed results
    uint32_t defaultCount = 0;       // how many trailing parameters have default values
    TypeIndex varargType = kNoIndex; // element type of `...T`; kNoIndex: not vararg
    bool hasResultPack = false;      // results end in `...any` (with no fixed ones before it: all results are a pack)
};

/// What a slot of the data segment holds before the program starts.
enum class DataKind : uint8_t {
    Word,         // `word` as it is: numbers as bits, integers, booleans, boxes without a pointer
    String,       // reference to the interned string `index` (a symbol)
    StringBox,    // the same, boxed
    Function,     // reference to the static closure of proto `index`, which captures nothing
    FunctionBox,  // the same, boxed
    Builtin,      // reference to the function value of builtin `index`
    BuiltinBox,   // the same, boxed
    Type,         // pointer to the type descriptor `index`
    Class,        // the class of type `index` as a value, boxed
    Variable,     // module variable of Rep `rep`, named `index` (a symbol), initial word `word`
};
inline constexpr unsigned kDataKindCount = static_cast<unsigned>(DataKind::Variable) + 1;

struct DataEntry {
    DataKind kind = DataKind::Word;
    Rep rep = Rep::F64;  // what the word is: the disassembler, the collector and the verifier want to know
    uint32_t index = 0;  // symbol, proto, builtin or type, by kind
    uint64_t word = 0;   // Word and Variable only
    ValueTypeIndex valueType = 0;  // Variable only
};

/// What a variable, parameter, result or captured word may hold besides what its representation says. Only the verifier reads it: code that
/// relies on more is refused.
struct ValueType {
    TypeIndex type = kNoIndex;      // kNoIndex: any value of the representation
    ProtoIndex function = kNoIndex; // a closure of this function and no other value
    bool mayBeUnset = false;        // nil besides, until the variable is set
    bool isCell = false;            // the word is a cell that holds such a value
    Rep rep = Rep::Void;            // cells: of the word in it
    bool operator==(const ValueType&) const = default;
};

/// A local variable for the debug library. Debuggable protos have one for each local they ever have; Proto::scopes tells which are in scope.
struct LocalName {
    SymbolIndex name = 0;  // the empty string: a value that an expression needs later
    uint32_t outer = 0;    // 1 + index of the local before it in scope, which stands before it in the list; 0: none
    uint16_t reg = 0;
    bool isCell = false;   // the register holds the cell of a captured variable
};

/// What a word of a closure is called.
struct CaptureName {
    SymbolIndex name = 0;  // the empty string: nothing programs know of
    bool isCell = false;   // the word is the cell of a variable
};

/// What an instruction that reads a variable or takes a reference out of a box finds there, or of what class an object is whose field is read
/// or written, where the compiler knows it: the verifier has it checked if it cannot tell by itself.
struct TypeHint {
    uint32_t pc = 0;
    TypeIndex type = kNoIndex;
};

/// Where a piece of code comes from.
struct Position {
    uint32_t file = kNoIndex;  // index into Chunk::files; kNoIndex: unknown
    uint32_t line = 0;
    bool operator==(const Position&) const = default;
};

/// The line table of a proto, delta coded: one entry where the position changes. Entries are added in order of pc.
/// Bytes of an entry: varint (pc delta << 1 | file changes), zigzag varint line delta, [varint file].
class LineTable {
public:
    /// The code from word `pc` on belongs to `pos`; an equal position to the last one adds nothing.
    void add(uint32_t pc, Position pos);
    /// Position of the instruction at word `pc`; unknown if no entry covers it. Never fails on damaged bytes.
    Position find(uint32_t pc) const { return find(bytes_.data(), bytes_.size(), pc); }
    static Position find(const uint8_t* bytes, size_t size, uint32_t pc);

    /// Reads positions at rising pcs, each entry once.
    class Cursor {
    public:
        Cursor(const uint8_t* bytes, size_t size) : at_(bytes), end_(bytes + size) { step(); }
        explicit Cursor(const LineTable& table) : Cursor(table.bytes_.data(), table.bytes_.size()) {}
        /// As find(); `pc` must not be less than in the call before.
        Position find(uint32_t pc);

    private:
        /// Reads the next entry; at the end, or at damaged bytes, there is none.
        void step();

        const uint8_t* at_;
        const uint8_t* end_;
        uint64_t nextPc_ = 0;
        Position next_{0, 0};
        Position found_{};
        bool hasNext_ = false;
    };

    const std::vector<uint8_t>& bytes() const { return bytes_; }
    /// Takes over bytes read from a file; nothing may be added afterwards.
    void setBytes(std::vector<uint8_t> bytes) { bytes_ = std::move(bytes); }

private:
    std::vector<uint8_t> bytes_;
    uint32_t lastPc_ = 0;
    Position last_{};
    bool any_ = false;
};

/// One function.
/// A call in whose place the code of a function stands. Tracebacks show it as if it had been called.
struct InlineSite {
    ProtoIndex callee = 0;
    Position call;        // where the call was
    uint32_t parent = 0;  // 1 + index of the site that the call was a part of, which comes before; 0: the proto's own code
};

struct Proto {
    SymbolIndex name = 0;          // as tracebacks print it: "fib", "Person.greet", "main"
    std::vector<Insn> code;        // extra words in place; Call operands are proto indices
    std::vector<Rep> params;       // fixed parameters, in R[0..]
    std::vector<Rep> results;      // fixed results: result 0 by Ret, further ones by SetRes
    bool isVararg = false;         // begins with VarargPrep (after Enter, if there is one)
    bool returnsPack = false;      // returns by RetPack or RetBoxes; then `results` is empty
    bool isLenient = false;        // code of a lenient file: capture 0 is the environment, strings are numbers where they look like one
    bool isBound = false;          // a bound method of the object in capture 0, its only one; equal to others of that object with the
                                   // same name, or, if there is a dot in the name, to those of the same proto
    bool isAdapter = false;        // its closures equal the function in capture 0 (a Ref), which they call
    bool isDebuggable = false;     // lenient: its locals keep their registers, and its Event instructions tell what it does
    uint32_t frameSize = 0;        // slots from R[0] on, call windows and their arguments included
    std::vector<Rep> captures;     // words of its closure
    TypeIndex signature = kNoIndex;  // a Function type; kNoIndex only for protos never used as values (main blocks)
    // With default values: the proto "f$default" that takes every parameter boxed (absent where missing), fills in
    // the defaults and calls this one; it returns what this one returns. Captures are the same. kNoIndex: none.
    ProtoIndex dynamicProto = kNoIndex;
    // What the words hold, one for each of the above, or empty: parameters and results are what the signature says, if there is
    // one; captures are any values.
    std::vector<ValueTypeIndex> paramTypes, resultTypes, captureTypes;
    // The function with whose closures it is called, if it is not a value itself but an entry of another one: same captures.
    ProtoIndex closureOf = kNoIndex;
    std::vector<TypeHint> typeHints;  // of UnboxU, GetG, GetCap, GetF and SetF instructions, by rising pc
    LineTable lines;
    NoteTable notes;                 // what the source calls operands
    uint32_t file = kNoIndex;        // where it is defined
    uint32_t line = 0;
    uint32_t lastLine = 0;           // where its text ends
    std::vector<LocalName> locals;   // of debuggable protos
    PcTable scopes;                  // 1 + index of the last of `locals` in scope, or 0
    std::vector<InlineSite> inlineSites;
    PcTable inlined;                 // 1 + index of the site whose code it is, or 0: its own
    std::vector<CaptureName> captureNames;  // optional; else one for each capture
};

/// Who may use a member; the order is that of frontend::Access.
enum class Access : uint8_t { Public, Protected, Private };

/// A field of an object, own or inherited.
struct ClassFieldData {
    SymbolIndex name = 0;  // the empty string: hidden from programs
    uint32_t word = 0;     // index in the object; at most kMaxObjectWords - 1
    TypeIndex type = kNoIndex;
    TypeIndex owner = kNoIndex;  // the class that declares it
    Access access = Access::Public;
    bool isConst = false;
    bool mayBeUnset = false;     // holds base::unsetWord until a constructor has set it
    Rep rep = Rep::Box;
};

/// A method, static function or static field, for access by name at run time.
struct ClassMemberData {
    SymbolIndex name = 0;
    ProtoIndex function = kNoIndex;  // its signature counts the object
    DataIndex variable = kNoIndex;   // static field
    TypeIndex type = kNoIndex;       // of the static field
    TypeIndex owner = kNoIndex;
    Access access = Access::Public;
    bool isStatic = false;
    bool isConst = false;
};

/// What the run time knows of a class. Its name and type arguments stand in its TypeData.
struct ClassData {
    TypeIndex type = kNoIndex;
    uint32_t words = 0;                    // of an instance; at most kMaxObjectWords
    std::vector<TypeIndex> ancestors;      // itself, all its bases, all interfaces it implements
    std::vector<ClassFieldData> fields;    // words between them are unused
    std::vector<ProtoIndex> table;         // what CallM indexes; kNoIndex, or beyond its end: never asked for
    std::vector<ClassMemberData> members;  // the first of a name counts (of operators: the first method and the first static one)
    std::vector<ProtoIndex> makers;        // arguments in, object out; what calling the class as a value may run
    ProtoIndex finalizer = kNoIndex;       // takes the object
};

/// Most words an object can have.
inline constexpr uint32_t kMaxObjectWords = 250;

struct SourceFileName {
    SymbolIndex name = 0;    // as messages print it
    SymbolIndex source = 0;  // the name of a chunk as it was given to load(); the empty string for files
};

struct ModuleEntry {
    SymbolIndex name = 0;
    ProtoIndex main = kNoIndex;
};

struct Chunk {
    std::vector<std::string> symbols{std::string()};
    std::vector<TypeData> types;
    std::vector<ValueType> valueTypes = std::vector<ValueType>(1);  // the first one: any value
    std::vector<ClassData> classes;
    std::vector<DataEntry> data;
    std::vector<Proto> protos;
    std::vector<SourceFileName> files;
    std::vector<ModuleEntry> modules;  // in initialisation order
    ProtoIndex entry = 0;              // runs the program: no parameters; `...any` where the program takes arguments
    bool givesFunction = false;        // the program is a function: that which the entry gives

    std::string_view symbol(SymbolIndex i) const { return i < symbols.size() ? symbols[i] : std::string_view("?"); }
};

}  // namespace luapp::bc
