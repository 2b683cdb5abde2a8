// The intermediate representation: typed SSA with block parameters, for a whole program at a time.
//
// Made by lowering (through ir_builder.h) or by the parser of the textual form; changed in place by the passes; read by
// the backends. A Module owns everything below it through one arena: functions, blocks and instructions never move, are
// never freed and may be pointed to. A Value is the instruction that computes it; block parameters are instructions of
// op Param that lie in Block::params. Every block but one under construction ends in exactly one terminator, whose edges
// carry the arguments for the parameters of their targets.
//
// There are no use lists. A pass that replaces values calls Function::replace, which only leaves a forward pointer, and
// at its end Function::applyReplacements, which rewrites every operand in one sweep. That keeps an instruction at 64
// bytes, makes building cheap, and makes every edit O(1); a pass that needs users or use counts makes them for
// itself in one linear sweep. Between the two calls an operand may be stale: read it through resolve().
// Ids are dense enough to index side tables by (0 .. instCount()), stable until renumber().
// It knows nothing of source syntax and nothing of registers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frontend/base/arena.h"
#include "frontend/base/source.h"
#include "runtime/base/rep.h"
#include "runtime/bytecode/note.h"

namespace luapp::sema {
struct Type;
}

namespace luapp::ir {

using base::Rep;
using frontend::Arena;
using frontend::Loc;

struct Block;
struct DebugLocal;
struct Inst;
class Function;
class Module;

/// What an instruction computes. Null: none (a call without result, in places that say so).
using Value = Inst*;

/// Operations; entries come from ir_ops.def.
enum class Op : uint8_t {
#define LUAPP_IR_OP(name, text, operands, imms, result, effects, flags) name,
#include "middle/ir_ops.def"
};
#define LUAPP_IR_OP(name, text, operands, imms, result, effects, flags) +1
inline constexpr unsigned kOpCount = 0
#include "middle/ir_ops.def"
    ;

/// What an operation may do besides computing its result. The column "Effects" of ir_ops.def uses these names.
enum EffectBits : uint32_t {
    Pure = 0,
    Raises = 1u << 0,  // may raise a run-time error
    Allocs = 1u << 1,  // may allocate, and so collect
    RunsCode = 1u << 2,  // may run code of the program, which may do anything
    Polls = 1u << 3,   // may be interrupted; finalisers may run
    ReadsField = 1u << 8,
    ReadsElem = 1u << 9,
    ReadsLen = 1u << 10,
    ReadsTable = 1u << 11,
    ReadsCell = 1u << 12,
    ReadsVar = 1u << 13,
    ReadsResults = 1u << 14,
    WritesField = 1u << 16,
    WritesElem = 1u << 17,
    WritesLen = 1u << 18,
    WritesTable = 1u << 19,
    WritesCell = 1u << 20,
    WritesVar = 1u << 21,
    WritesResults = 1u << 22,
    ReadsAnything = 0x7Fu << 8,
    WritesAnything = 0x7Fu << 16,
    Calls = Raises | Allocs | RunsCode | Polls | ReadsAnything | WritesAnything,
};
/// Effects that keep an instruction alive though nobody uses its result. Allocation alone does not.
inline constexpr uint32_t kObservable = Raises | RunsCode | Polls | WritesAnything;

/// The column "Flags" of ir_ops.def.
enum OpFlags : uint8_t { None = 0, Commutative = 1, Terminator = 2, Guarded = 4 };

/// How the representation of a result is found.
enum class ResultRule : uint8_t { Void, F64, I64, Bool, Ref, Box, Pack, Typed };

/// One line of ir_ops.def.
struct OpInfo {
    const char* name;      // "AddF"
    const char* text;      // "add.f"
    const char* operands;  // shape; see ir_ops.def
    const char* imms;
    ResultRule result;
    uint32_t effects;
    uint8_t flags;
};

extern const OpInfo kOpInfos[kOpCount];

inline const OpInfo& opInfo(Op op) { return kOpInfos[static_cast<unsigned>(op)]; }
inline const char* opText(Op op) { return opInfo(op).text; }
inline bool isTerminator(Op op) { return opInfo(op).flags & Terminator; }
/// `+ - * / // % ^` and negation of numbers.
inline bool isNumberArithmetic(Op op) { return op >= Op::AddF && op <= Op::NegF; }
inline bool isCommutative(Op op) { return opInfo(op).flags & Commutative; }
/// The representation of results of `op` if the table fixes it; Void for Typed.
Rep fixedRep(Op op);

/// A growable array in the arena; copied freely, never owning.
template <class T>
struct ArenaVec {
    T* items = nullptr;
    uint32_t count = 0;
    uint32_t capacity = 0;

    void push(Arena& arena, T item) {
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 2;
            auto* to = static_cast<T*>(arena.allocate(capacity * sizeof(T), alignof(T)));
            for (uint32_t i = 0; i < count; i++) to[i] = items[i];
            items = to;
        }
        items[count++] = item;
    }
    void clear() { count = 0; }
    void truncate(uint32_t n) { count = n; }
    T* begin() const { return items; }
    T* end() const { return items + count; }
    uint32_t size() const { return count; }
    bool empty() const { return count == 0; }
    T& operator[](size_t i) const { return items[i]; }
    T& back() const { return items[count - 1]; }
    std::span<T> span() const { return {items, count}; }
};

/// A way from a block to one of its successors, with the arguments for the target's parameters. Lies in the terminator.
struct Edge {
    Block* from = nullptr;
    Block* to = nullptr;
    ArenaVec<Value> args;
    uint32_t predIndex = 0;  // position in to->preds
};

/// One instruction (or block parameter). Which fields mean something says ir_ops.def.
struct Inst {
    /// Bits of `flags`.
    enum : uint8_t {
        kForwarded = 1,  // replaced by `forward`; no longer in a block
        kPureCall = 2,   // call.builtin that only computes one result: no effects, the same for the same operands
        kMark = 4,       // scratch for one pass; clear before and after
        kFastMath = 8,   // arithmetic on numbers of a `--!fastmath` file: algebra that IEEE arithmetic forbids is allowed
    };

    Op op = Op::Param;
    Rep rep = Rep::Void;    // of the result
    uint8_t flags = 0;
    uint8_t edgeCount = 0;  // terminators
    uint32_t id = 0;
    Loc loc;
    uint32_t operandCount = 0;
    Block* block = nullptr;  // null: not in a block (removed, or not yet inserted)
    union {
        Inst* prev = nullptr;
        Inst* forward;
    };
    Inst* next = nullptr;
    union {
        int64_t imm = 0;
        double immF;       // ConstF64
        Function* immFn;   // ops with immediate F
        Edge* edges;       // Jump, Loop, Br (true, false)
    };
    Value* operands = nullptr;
    uint32_t imm2 = 0;
    uint32_t scratch = 0;  // for one pass; undefined at its start

    std::span<Value> ops() const { return {operands, operandCount}; }
    Value operand(uint32_t i) const { return operands[i]; }
    std::span<Edge> succs() const { return {hasEdges() ? edges : nullptr, edgeCount}; }

    bool is(Op o) const { return op == o; }
    bool isParam() const { return op == Op::Param; }
    bool isTerminator() const { return ir::isTerminator(op); }
    bool hasEdges() const { return edgeCount != 0; }
    bool isConst() const {
        return op >= Op::ConstF64 && op <= Op::ConstAbsent;
    }
    bool isConstI64(int64_t v) const { return op == Op::ConstI64 && imm == v; }
    /// Any form of call (not iter.x).
    bool isCall() const { return op >= Op::Call && op <= Op::CallBuiltin; }
    /// The last operand of a call, push or return is a pack.
    bool endsInPack() const { return operandCount && operands[operandCount - 1]->rep == Rep::Pack; }
};
static_assert(sizeof(Inst) == 64, "one cache line");

/// Effects of this instruction: those of its op, less what its operands and flags rule out (a division by a constant other than
/// zero, a pure builtin).
uint32_t effectsOf(const Inst& inst);
/// True if it may be executed where the program would not have executed it: no effects, reads no memory, not Guarded.
bool isSpeculatable(const Inst& inst);
/// True if storing the value into an object that is not fresh needs the write barrier: it may be a heap pointer.
bool needsBarrier(const Inst& value);
/// True if it may overwrite the State's result area, so that no pack or further result survives it.
inline bool clobbersResults(const Inst& inst) { return effectsOf(inst) & WritesResults; }

/// A basic block. Instructions are a doubly linked list, the terminator last.
struct Block {
    uint32_t id = 0;
    Function* function = nullptr;
    Inst* first = nullptr;
    Inst* last = nullptr;
    ArenaVec<Value> params;  // op Param, `imm` their position
    ArenaVec<Edge*> preds;   // one per edge; a br with both ways to one block counts twice
    Block* prev = nullptr;   // order of the function
    Block* next = nullptr;
    uint32_t scratch = 0;    // for one pass; undefined at its start

    /// The terminator, or null while under construction.
    Inst* terminator() const { return last && last->isTerminator() ? last : nullptr; }
    std::span<Edge> succs() const {
        Inst* t = terminator();
        return t ? t->succs() : std::span<Edge>{};
    }
};

/// Iterates the instructions of a block; the current one may be removed or have others inserted around it.
class InstRange {
  public:
    explicit InstRange(Inst* first) : first_(first) {}
    struct Iterator {
        Inst* at;
        Inst* following;
        Inst* operator*() const { return at; }
        Iterator& operator++() {
            at = following;
            following = at ? at->next : nullptr;
            return *this;
        }
        bool operator!=(const Iterator& o) const { return at != o.at; }
    };
    Iterator begin() const { return {first_, first_ ? first_->next : nullptr}; }
    Iterator end() const { return {nullptr, nullptr}; }

  private:
    Inst* first_;
};
/// The instructions of `block`, terminator included, parameters not.
inline InstRange insts(const Block* block) { return InstRange(block->first); }

/// One function (after generic instantiation). Made by Module::addFunction.
class Function {
  public:
    Function(Module& module, uint32_t index) : module_(&module), index_(index) {}
    Function(const Function&) = delete;
    Function& operator=(const Function&) = delete;

    /// Name shown to people (tracebacks).
    std::string_view name;
    /// Unique within the module; the textual form's name.
    std::string_view label;
    /// Representations of the parameters: the entry block has one Param for each.
    ArenaVec<Rep> params;
    /// Fixed results. Empty if `hasResultPack`.
    ArenaVec<Rep> results;
    /// Words a closure of it holds, in order; empty: it captures nothing and may be called directly.
    ArenaVec<Rep> captures;
    /// All results form a pack of boxes.
    bool hasResultPack = false;
    /// Takes extra boxed arguments.
    bool isVararg = false;
    /// Declared const: inlined at every use.
    bool isConst = false;
    /// Wraps its only capture, a closure of another function type: equal to what it wraps.
    bool isAdapter = false;
    /// A bound method: capture 0, the only one, is the object. Its name is the method's, by which dynamic access finds it too;
    /// one that only this code stands for has its class in front ("C.m").
    bool isBound = false;
    /// The main block of a module.
    bool isMain = false;
    /// Code of a lenient file: capture 0 is the environment.
    bool isLenient = false;
    /// Compiled for the debug library: locals are in `slotCount` slots of the frame (the parameters first), no pass changes it.
    bool isDebuggable = false;
    uint32_t slotCount = 0;
    ArenaVec<DebugLocal> debugLocals;
    /// What the words above hold, indices in Module::valueTypes: one for each, or empty. Then parameters and results are what `type` says, if it
    /// says something, and captures are any values of their representations. Nobody but the verifier of chunk files needs to know.
    ArenaVec<uint32_t> paramTypes, resultTypes, captureTypes;
    /// What the captures are called and whether they are cells, for the debug library; empty, or one for each.
    struct CaptureName {
        std::string_view name;
        bool isCell = false;
    };
    ArenaVec<CaptureName> captureNames;
    /// Its function type in Module::types, for dynamic calls and closures; kNoType: never a value.
    uint32_t type = ~0u;
    /// Functions with default values: takes every parameter boxed (absent where missing), fills in the defaults and calls
    /// this one. Dynamic calls enter there. Null: none.
    Function* dynamicEntry = nullptr;
    /// The function with whose closures this one is called, if it is an entry of that: it has the same captures. Null: it is none.
    Function* closureOf = nullptr;
    Loc loc;
    /// The last place of its text.
    Loc endLoc;

    /// The blocks, in the order in which the backend lays them out. `entry` has no predecessors.
    Block* entry = nullptr;
    Block* lastBlock = nullptr;

    Module& module() const { return *module_; }
    Arena& arena() const;
    /// Position in Module::functions.
    uint32_t index() const { return index_; }
    /// A number that changes with every change to blocks, their ids or the edges between them; by it analyses know that they are stale.
    uint64_t shape() const { return shape_; }
    /// One more than the greatest id of an instruction, of a block.
    uint32_t instCount() const { return nextInst_; }
    uint32_t blockCount() const { return nextBlock_; }

    // --- making
    /// A new empty block at the end of the order (or before `before`).
    Block* addBlock(Block* before = nullptr);
    /// Adds a parameter to `block`. Its incoming edges need an argument each, in the order of parameters.
    Value addParam(Block* block, Rep rep);
    /// A new instruction outside any block, with `operands` copied and room for `edgeCount` edges.
    Inst* makeInst(Op op, Rep rep, std::span<const Value> operands, Loc loc, unsigned edgeCount = 0);
    /// Puts a new instruction at the end of `block`, before or after another one.
    void append(Block* block, Inst* inst);
    void insertBefore(Inst* at, Inst* inst);
    void insertAfter(Inst* at, Inst* inst);
    /// Puts it first in `block`.
    void prepend(Block* block, Inst* inst);
    /// Points edge `i` of a terminator at `to` (which learns of it) with no arguments yet.
    void connect(Inst* terminator, unsigned i, Block* to);

    // --- editing
    /// Takes an instruction out of its block; a terminator is disconnected from its successors.
    void remove(Inst* inst);
    /// Every use of `old` means `by` from now on (see the top); `old` leaves its block if it is no parameter. Parameters stay
    /// in Block::params until removeParams.
    void replace(Value old, Value by);
    /// What a possibly stale operand stands for.
    static Value resolve(Value v) {
        if (!(v->flags & Inst::kForwarded)) [[likely]] return v;
        return resolveSlow(v);
    }
    /// Rewrites all operands and edge arguments to what they stand for, and drops forwarded parameters with their arguments.
    void applyReplacements();
    /// Exchanges the two edges of a br.
    void swapEdges(Inst& br);
    /// Lets an edge lead elsewhere, keeping its arguments.
    void redirect(Edge& edge, Block* to);
    /// Removes the parameters of `block` for which `drop[position]` is true, and the arguments on its incoming edges.
    void removeParams(Block* block, const std::vector<bool>& drop);
    /// Unlinks a block from the order; it must have no predecessors left, and its terminator must be removed.
    void removeBlock(Block* block);
    /// Removes every block that cannot be reached from the entry. True if there was one.
    bool removeUnreachable();
    /// Puts the blocks into the order of `order`, which holds all of them, the entry first.
    void setBlockOrder(std::span<Block* const> order);
    /// Makes ids dense in print order: block parameters and instructions, block by block.
    void renumber();

  private:
    static Value resolveSlow(Value v);
    void unlink(Inst* inst);

    Module* module_;
    uint32_t index_;
    uint32_t nextInst_ = 0;
    uint32_t nextBlock_ = 0;
    uint64_t shape_ = 0;
};

/// "No type" where an index into Module::types is optional.
inline constexpr uint32_t kNoType = ~0u;

/// A module variable: a word of the data segment.
struct ModuleVar {
    std::string_view name;
    Rep rep = Rep::Box;
    uint64_t initial = 0;  // word before the program starts
    uint32_t valueType = 0;  // in Module::valueTypes
    bool isSetOnce = false;  // one instruction sets it, and nothing reads it before that
};

/// A type that code refers to; becomes an entry of the chunk's type table. Lowering fills `type`; the middle end reads only `name`.
struct TypeEntry {
    const sema::Type* type = nullptr;
    std::string_view name;
};

/// What a word may hold besides what its representation says, for the verifier of chunk files (bc::ValueType).
struct ValueType {
    uint32_t type = kNoType;      // kNoType: any value of the representation
    Function* function = nullptr; // a closure of this function and no other value
    bool mayBeUnset = false;      // nil besides, until the variable is set
    bool isCell = false;          // the word is a cell that holds such a value
    Rep rep = Rep::Void;          // cells: of the word in it
    bool operator==(const ValueType&) const = default;
};

/// What virtual calls name: a method as its first declarer sees it, with its place in the tables of all classes that have it.
struct VirtualMethod {
    std::string_view name;  // "Shape.area", for listings
    uint32_t slot = 0;
    std::vector<Rep> params;   // the object first
    std::vector<Rep> results;  // fixed ones
    bool isVararg = false;
    bool returnsPack = false;
};

/// Who may use a member, as ClassField::access and ClassMember::access have it.
inline constexpr uint8_t kAccessPublic = 0, kAccessProtected = 1, kAccessPrivate = 2;

/// A field of an object, own or inherited.
struct ClassField {
    std::string_view name;  // empty: hidden from programs
    uint32_t word = 0;      // index in the object
    Rep rep = Rep::Box;
    uint32_t type = kNoType;
    uint32_t owner = kNoType;  // the class that declares it
    uint8_t access = kAccessPublic;
    bool isConst = false;
    bool mayBeUnset = false;
};

/// A method or static member, for access by name at run time.
struct ClassMember {
    std::string_view name;
    Function* function = nullptr;  // method (object first) or static function
    uint32_t variable = ~0u;       // static field: module variable
    uint32_t type = kNoType;       // of the static field
    uint32_t owner = kNoType;
    uint8_t access = kAccessPublic;
    bool isStatic = false;
    bool isConst = false;
};

/// A class as the run time needs it.
struct ClassEntry {
    uint32_t type = kNoType;
    uint32_t words = 0;                 // of an instance, header not counted
    std::vector<uint32_t> ancestors;    // types: itself, all its bases, all interfaces it implements
    std::vector<ClassField> fields;     // by word
    std::vector<Function*> table;       // by VirtualMethod::slot; null: no object of the class is ever asked for it
    std::vector<ClassMember> members;   // the first of a name counts
    std::vector<Function*> makers;      // what calling the class as a value may run: arguments in, object out
    Function* finalizer = nullptr;      // `__gc`
};

/// What the source calls an operand, for messages: "local 'x'".
struct OperandName {
    bc::NameKind kind = bc::NameKind::None;
    uint32_t name = 0;  // in Module::strings
};

/// A place in the source together with the names of the operands of the instruction that stands there.
struct Note {
    Loc loc;
    bc::NoteUse use = bc::NoteUse::Call;
    OperandName names[2];
    uint32_t further = 0;  // 1 + index in Module::notes of the names of the next two operands, or 0
    uint32_t inlined = 0;  // 1 + index in Module::inlineSites of the call in whose place it stands, or 0
    uint32_t scope = 0;    // debuggable functions: 1 + index in Function::debugLocals of the last local in scope, or 0

    bool hasNames() const { return names[0].kind != bc::NameKind::None || names[1].kind != bc::NameKind::None || further != 0; }
};

/// A call in whose place the body of a function stands.
struct InlineSite {
    Function* callee = nullptr;
    Loc call;
    uint32_t parent = 0;  // 1 + index in Module::inlineSites of the call that this one was a part of; 0: of the function's own code
};

/// A local that the debug library knows, in a slot of its own.
struct DebugLocal {
    std::string_view name;  // empty: a value that an expression needs later
    uint32_t outer = 0;     // the local before it in scope, as Note::scope has it
    uint16_t slot = 0;
    bool isCell = false;
};

/// A whole program.
class Module {
  public:
    Module() = default;
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    /// A new function without blocks. `name` is copied; the label is made unique from it (or from `label`, if given).
    Function* addFunction(std::string_view name, std::string_view label = {});
    /// Index of an interned string constant; the text is copied.
    uint32_t addString(std::string_view text);
    /// Index of a type; equal `type` pointers (if not null) give one entry.
    uint32_t addType(const sema::Type* type, std::string_view name);
    /// Index of a new module variable.
    uint32_t addVar(std::string_view name, Rep rep, uint64_t initial = 0);
    /// Index of a value type; equal ones have one entry.
    uint32_t addValueType(const ValueType& type);
    /// A position that carries a note. Instructions with such a `loc` keep their names through all passes, as they keep their position.
    Loc addNote(const Note& note) {
        notes.push_back(note);
        return {kNoteBit | uint32_t(notes.size() - 1)};
    }
    /// The note of a position, or null.
    const Note* noteOf(Loc loc) const { return loc.offset & kNoteBit ? &notes[loc.offset & ~kNoteBit] : nullptr; }
    /// 1 + index of the inline site that a position belongs to, or 0.
    uint32_t inlineSiteOf(Loc loc) const {
        const Note* note = noteOf(loc);
        return note ? note->inlined : 0;
    }
    /// The place in the source.
    Loc placeOf(Loc loc) const { return loc.offset & kNoteBit ? notes[loc.offset & ~kNoteBit].loc : loc; }
    /// The function with this label, or null.
    Function* findFunction(std::string_view label) const;
    /// The class whose objects are of type number `type`, or null: a record, say. `classes` must be complete.
    const ClassEntry* classOf(uint32_t type) const;

    Arena arena;
    std::vector<Function*> functions;
    /// Main functions in the order in which they run.
    std::vector<Function*> mains;
    std::vector<ModuleVar> vars;
    std::vector<std::string_view> strings;
    std::vector<TypeEntry> types;
    std::vector<ValueType> valueTypes = std::vector<ValueType>(1);  // the first one: any value
    std::vector<VirtualMethod> methods;
    std::vector<ClassEntry> classes;
    std::vector<Note> notes;
    std::vector<InlineSite> inlineSites;
    /// Source files, for positions; may be null (textual IR).
    const frontend::SourceManager* sources = nullptr;

  private:
    static constexpr uint32_t kNoteBit = 1u << 31;  // no source text is that long

    std::unordered_map<std::string_view, uint32_t> stringIndex_;
    std::unordered_map<const sema::Type*, uint32_t> typeIndex_;
    struct ValueTypeHash {
        size_t operator()(const ValueType& v) const {
            return (reinterpret_cast<uintptr_t>(v.function) >> 4 ^ uint64_t{v.type} << 2 ^ uint64_t{v.mayBeUnset} << 1 ^ uint64_t{v.isCell} ^ uint64_t(v.rep) << 40) *
                   0x9E37'79B9'7F4A'7C15u >> 8;
        }
    };
    std::unordered_map<ValueType, uint32_t, ValueTypeHash> valueTypeIndex_;
    std::unordered_map<std::string_view, Function*> labelIndex_;
    std::unordered_map<std::string, uint32_t> labelUses_;
    mutable std::vector<uint32_t> classIndex_;  // by type: 1 + position in `classes`, or 0; made at the first question
};

inline Arena& Function::arena() const { return module_->arena; }

/// Iterates the blocks of a function in order; the current one may be removed.
class BlockRange {
  public:
    explicit BlockRange(Block* first) : first_(first) {}
    struct Iterator {
        Block* at;
        Block* following;
        Block* operator*() const { return at; }
        Iterator& operator++() {
            at = following;
            following = at ? at->next : nullptr;
            return *this;
        }
        bool operator!=(const Iterator& o) const { return at != o.at; }
    };
    Iterator begin() const { return {first_, first_ ? first_->next : nullptr}; }
    Iterator end() const { return {nullptr, nullptr}; }

  private:
    Block* first_;
};
inline BlockRange blocks(const Function& fn) { return BlockRange(fn.entry); }

}  // namespace luapp::ir
