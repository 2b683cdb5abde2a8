// Private machinery of type verification: what one verification knows of a chunk (ChunkTypes), what it has found out about one register
// (Known), and the abstract interpreter of one function (CodeTyper). CodeTyper's members are spread over verify_code.cpp (flow, the
// rules of type_rules.def), verify_data.cpp (moves, memory, tests) and verify_calls.cpp.
//
// A function is run over abstract values: block by block from its entry, states joined where jumps land, until nothing changes
// (Kildall 1973). Registers that hold one value are known to do so (a partition of the registers), so a test of one of them teaches about
// all. What a test or an earlier check cannot tell, but a check at run time can, is not refused: a check is inserted
// (code_patch.h). So a chunk of our compiler, which knows more than its code says, always passes, and a forged one raises.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "runtime/bytecode/builtin_shape.h"
#include "runtime/bytecode/code_patch.h"
#include "runtime/bytecode/operands.h"
#include "runtime/bytecode/value_sets.h"
#include "runtime/bytecode/verify.h"

namespace luapp::bc {

/// What a word is.
enum class Sort : uint32_t {
    Dead,   // nothing is known: it may not be read
    Int,    // integer, boolean, enum value: no code follows it
    Zero,   // the word 0: an integer, the null reference, the number 0
    Box,    // a box of `index`, a SetId; numbers are their own boxes
    Ref,    // a reference to one of `index`, a SetId
    Cell,   // a cell as `index`, a ValueTypeIndex, says
    Type,   // the descriptor of the type `index`, a TypeId
    Fresh,  // an object or closure that is not filled in yet: an index in CodeTyper::fresh_
};

struct Known {
    Sort sort = Sort::Dead;
    uint32_t index = 0;
    bool operator==(const Known&) const = default;
};

/// What a function wants and gives.
struct Signature {
    std::vector<Known> params;
    std::vector<TypeId> paramTypes;  // for checks that are inserted; kNoIndex: none can be
    std::vector<Known> results;
    std::vector<TypeId> resultTypes;
    SetId vararg = 0;       // extra arguments: any, since packs are passed unchecked
    bool isVararg = false;
    bool returnsPack = false;
};

/// What all functions of a chunk share.
class ChunkTypes {
public:
    ChunkTypes(const Chunk& chunk, const VerifyOptions& options);

    const Chunk& chunk;
    const VerifyOptions& options;
    ValueSets sets;
    std::vector<uint32_t> classOf;       // by type
    std::vector<Signature> signatures;   // by proto
    uint64_t workLimit = 0;              // steps (ValueSets::work) that a chunk of this size may take
    uint64_t savedRegisters = 0;         // in the entries of all blocks of the function that is looked at

    /// True if what the tables say about words fits together; otherwise `error` says what is wrong. Fills `signatures`.
    bool check(std::string& error);

    /// A word of a representation that holds a value of the type.
    Known ofType(TypeId type, Rep rep);
    Known ofType(TypeId type) { return ofType(type, sets.type(type).rep); }
    /// What a value type says of a word of a representation.
    Known ofValueType(ValueTypeIndex index, Rep rep);
    /// What a cell with that value type holds.
    Known contents(ValueTypeIndex cell);
    Known ofPlain(const ValueType& v, Rep rep);
    TypeId typeOfValueType(ValueTypeIndex index);
    /// What any word of a representation may be.
    Known anyOf(Rep rep);
    /// Signature of the functions of a shape.
    const Signature& ofShape(uint32_t shape);
    const BuiltinPattern& builtin(uint32_t index);
    /// True if the library function finds what it works on in its closure, which only the library makes: iterators and their like.
    bool readsOwnClosure(uint32_t index) const;
    /// What a constant or module variable gives when it is read.
    Known ofData(const DataEntry& d);
    /// The function value of a library function.
    SetId ofBuiltin(uint32_t index);
    /// A type without type parameters in it, or with these bound.
    TypeId instantiate(const TypePattern& pattern, const TypeId* bound);
    ValueTypeIndex captureType(const Proto& p, size_t index) const { return p.captureTypes.empty() ? 0 : p.captureTypes[index]; }
    /// Captures of two functions have one layout and hold the same.
    bool haveSameCaptures(const Proto& a, const Proto& b) const;
    /// The field at a word of the objects of a class, or null.
    const ClassFieldData* fieldAt(uint32_t classIndex, uint32_t word) const { return fields_[classIndex][word]; }

private:
    std::vector<std::vector<const ClassFieldData*>> fields_;  // by class and word
    std::unordered_map<uint32_t, std::unique_ptr<Signature>> shapes_;
    std::unordered_map<uint32_t, std::unique_ptr<BuiltinPattern>> builtins_;

    bool fits(ValueTypeIndex index, Rep rep) const;
    bool checkValueTypes(std::string& error) const;
    bool checkCaptures(const Proto& p) const;
    bool checkProto(ProtoIndex index);
    bool checkClass(size_t index);
    Signature signatureOf(TypeId function);
    Signature signatureOf(const Proto& p);
};

class CodeTyper {
public:
    CodeTyper(ChunkTypes& types, ProtoIndex index, std::string& error);

    /// True if the function is safe with the changes that `patch` gets.
    bool run(CodePatch& patch);

private:
    /// The State's result area.
    struct Area {
        enum class Kind : uint32_t { Nothing, Fixed, Pack };
        Kind kind = Kind::Nothing;
        std::vector<Known> fixed;  // by index; of a pack: its first values, all boxes
        SetId rest = 0;            // of a pack: further values
        bool operator==(const Area&) const = default;
    };
    /// What a boolean in a register says about another value.
    struct Fact {
        uint32_t about = 0;  // a value; its sort stays
        SetId ifTrue = 0, ifFalse = 0;
    };
    struct Value {
        Known known;
        uint32_t fact = 0;      // 1 + index in facts_
        uint32_t birth = 0;     // objects: the epoch they were made in, for stores without barrier; 0: long ago
    };
    /// An object or closure before all of its words that must be set are.
    struct Fresh {
        Known whole;            // what it is when they are
        ProtoIndex proto = kNoIndex;
        TypeId record = kNoIndex;
        std::vector<bool> missing;
        bool operator==(const Fresh&) const = default;
    };
    /// The registers where a block begins.
    struct Entry {
        bool isReached = false;
        uint16_t visits = 0;
        uint32_t shift = 0;
        std::vector<Known> known;      // by register, without dead ones at the end
        std::vector<uint32_t> same;    // by register: the first one with the same value
        Area area;
    };

    ChunkTypes& types_;
    ValueSets& sets_;
    const Chunk& c_;
    const Proto& p_;
    const Signature& signature_;
    ProtoIndex index_;
    std::string& error_;
    CodePatch* patch_ = nullptr;     // null until nothing changes any more

    std::vector<uint32_t> entryAt_;  // by word of code: 1 + index in entries_ where jumps land
    std::vector<Entry> entries_;
    std::vector<uint32_t> begins_;   // by entry
    std::set<uint32_t> pending_;     // words where blocks begin whose state has changed

    // The running state.
    std::vector<uint32_t> at_;       // by register: index in values_
    std::vector<Value> values_;
    std::vector<Fact> facts_;
    std::vector<Fresh> fresh_;
    Area area_;
    uint32_t shift_ = 0;
    uint32_t epoch_ = 1;
    uint32_t pc_ = 0;
    uint32_t next_ = 0;
    Op op_ = Op::Move;
    Operands v_;
    bool isCut_ = false;             // nothing gets past this instruction
    uint32_t live_ = 0;              // registers from here on are dead

    // --- flow (verify_code.cpp)
    void findBlocks();
    void start();
    bool runFrom(uint32_t begin);
    void load(const Entry& e);
    bool flowTo(uint32_t target);
    bool mergeInto(Entry& e);
    Known joined(Known a, Known b, bool isWide);
    bool instruction();
    bool simple(const char* rule);
    bool special();
    bool checkLocals(uint32_t at);
    bool fail(std::string_view what);
    bool failAt(unsigned reg, std::string_view expected);
    std::string text(Known k) const;

    int64_t A() const { return v_.value[0]; }
    int64_t B() const { return v_.value[1]; }
    int64_t C() const { return v_.value[2]; }
    int64_t D() const { return v_.value[1]; }
    int64_t X() const { return v_.value[v_.count - 1]; }
    uint32_t target() const { return static_cast<uint32_t>(static_cast<int64_t>(next_) + X()); }

    // --- registers
    static constexpr uint32_t kDeadValue = 0;
    uint32_t slot(int64_t reg) const { return static_cast<uint32_t>(reg) + shift_; }
    bool inFrame(int64_t reg, int64_t count = 1);
    const Known& get(int64_t reg) const { return values_[at_[slot(reg)]].known; }
    Value& valueAt(int64_t reg) { return values_[at_[slot(reg)]]; }
    void put(int64_t reg, Known k);
    void kill(uint32_t from);
    /// The set of a reference or box.
    SetId setOf(int64_t reg) const;
    void refine(int64_t reg, SetId set);
    /// True if the register holds what is wanted, perhaps after a check that is inserted; `type` helps to find one.
    bool need(int64_t reg, Known want, TypeId type = kNoIndex);
    bool raiseAt(int64_t reg, std::string_view expected, SetId common);
    bool needRef(int64_t reg, SetId want, TypeId type);
    bool needBox(int64_t reg, SetId want, TypeId type);
    bool needInt(int64_t reg);
    bool needBoxes(int64_t first, int64_t count, SetId want, TypeId type);
    /// A reference that is not null, of kinds that `kinds` and the atoms of `sort` allow.
    bool needObject(int64_t reg, const char* what, std::initializer_list<AtomSort> sorts);
    TypeIndex typeThatPicks(SetId set, std::initializer_list<AtomSort> sorts) const;
    void insertBefore(std::initializer_list<Insn> words);
    void insertAfter(std::initializer_list<Insn> words);
    void replaceOp(Op op);
    void cut() { isCut_ = true; }
    void checkNull(int64_t reg);
    void clobberResults() { area_ = Area(); }

    // --- moves, tests, memory (verify_data.cpp)
    bool loadConstant(const DataEntry& d);
    bool variable(const DataEntry& d, bool isSet);
    bool boxRef();
    bool unbox();
    bool unboxUnchecked();
    TypeIndex typeHint() const;
    bool unboxChecked(TypeIndex type);
    bool checkRef();
    bool typeTest(bool isRef);
    bool checkNilOrNull(bool isRef);
    bool equalWords(int64_t a, int64_t b, Fact& fact);
    bool branchOn(Fact fact, bool hasFact, bool jumpsIfTrue);
    bool truthTest(int64_t reg, Fact& fact);
    uint32_t addFact(const Fact& fact);
    bool isPlain(int64_t reg) const;
    bool newObject();
    void useTypeHint(int64_t reg, bool isResult);
    bool getField();
    bool setField(bool hasBarrier);
    bool setFreshField(Fresh fresh, int64_t object, int64_t word, int64_t value);
    bool fieldOf(Atom atom, uint32_t word, Known& read, Known& write, TypeId& type, bool& mayBeUnset);
    bool elementOf(int64_t reg, Rep& rep, Known& read);
    bool storeElement(int64_t array, int64_t value, bool checkRep, bool hasBarrier, bool isByte);
    bool loadElement(int64_t array, bool isByte);
    bool tableParts(int64_t reg, Known& value, std::vector<TypeId>& tables);
    bool needKey(int64_t table, int64_t key, char kind);
    bool tableGet(char kind, bool isOptional);
    bool tableSet(char kind);
    bool tableEntry(bool isKey);
    bool newCell();
    bool cellAt(int64_t reg, bool isSet, bool hasBarrier);

    // --- calls (verify_calls.cpp)
    bool closure();
    bool setCapture();
    bool getCapture();
    bool arguments(const Signature& s, int64_t window, int64_t extras, bool takesExtras, bool hasPack);
    void results(const Signature& s, int64_t window);
    void packResults(int64_t window, std::vector<Known> first = {});
    bool extraArguments(int64_t first, int64_t count, SetId want, TypeId type, bool hasPack);
    bool callDirect(ProtoIndex callee, int64_t extras, bool takesExtras, bool hasPack);
    bool callClosure(int64_t extras, bool takesExtras, bool hasPack);
    bool callMethod(uint32_t entry, int64_t extras, bool takesExtras, bool hasPack);
    bool callDynamic(bool hasPack);
    bool tailClosure();
    bool callBuiltin(uint32_t builtin, int64_t extras, bool takesExtras, bool hasPack);
    bool matchArgument(const TypePattern& p, int64_t reg, TypeId* bound);
    bool matchFunction(const TypePattern& p, int64_t reg, TypeId* bound);
    bool bindType(const TypePattern& p, TypeId type, TypeId* bound);
    bool getResult();
    bool setResult();
    bool returnFixed(int64_t reg);
    bool returnWord(int64_t word);
    bool returnPack(bool hasPack);
    bool needPack(SetId want);
    bool call();
};

/// Names of representations and sorts for messages.
Known boxOf(SetId set);
Known refOf(SetId set);

}  // namespace luapp::bc
