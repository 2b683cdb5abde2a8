// What the verifier of chunks knows of a value that carries its own kind (a reference or a box): the set of kinds it may have.
// A set has flags for kinds without parts ("a string", "nil", "any closure") and atoms for exact types ("an Array<number>", "an object
// of class 3", "a closure of function 7"). A declared type stands for a set: a union for that of its members, a class or interface
// for the classes that the chunk says descend from it, so subtyping, joins at merges and narrowing by tests are set operations,
// whatever declared the types. Sets are interned: equal sets have equal numbers, and operations on two of them are remembered.
// Types of the chunk are interned by structure too, as the loader does it, since two entries may describe one type.
// Made for one verification; it knows nothing of registers and code.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "runtime/bytecode/proto.h"

namespace luapp::bc {

/// Index of an interned type.
using TypeId = uint32_t;
/// Index of an interned set.
using SetId = uint32_t;

/// Kinds without parts, and "any" of those with parts.
namespace kind_bits {
enum : uint32_t {
    Nil = 1,  // nil in boxes, null among references
    Number = 2,
    Boolean = 4,
    Absent = 8,
    LightUserdata = 16,
    AnyEnum = 32,
    String = 64,
    LuaTable = 128,
    Thread = 256,
    Userdata = 512,  // but for files
    File = 1024,
    ClassValue = 2048,
    AnyClosure = 4096,
    AnyArray = 8192,
    AnyTable = 16384,
    AnyRecord = 32768,
    AnyObject = 65536,
    References = 2 * AnyObject - String,
    Everything = 2 * AnyObject - 1,
};
}

/// An exact type: its sort in the upper bits, its index below.
using Atom = uint32_t;
enum class AtomSort : uint32_t {
    Array,    // TypeId
    Table,    // TypeId
    Record,   // TypeId
    Enum,     // TypeId
    Closure,  // the shape of a function type: types that stand for the same functions have one
    Proto,    // ProtoIndex: a closure of that very function
    Object,   // index in Chunk::classes
};
constexpr unsigned kAtomShift = 28;
constexpr Atom atomOf(AtomSort sort, uint32_t index) { return static_cast<Atom>(sort) << kAtomShift | index; }
constexpr AtomSort sortOf(Atom a) { return static_cast<AtomSort>(a >> kAtomShift); }
constexpr uint32_t indexOf(Atom a) { return a & ((1u << kAtomShift) - 1); }

/// A type with its parts as interned types.
struct KnownType {
    TypeKind kind = TypeKind::Any;
    Rep rep = Rep::Box;
    TypeIndex index = kNoIndex;  // an entry of the chunk's table that describes it; kNoIndex: there is none
    std::vector<TypeId> parts;
    std::vector<TypeId> results;
    std::vector<TypeId> fields;  // records
    std::vector<SymbolIndex> names;
    TypeId vararg = kNoIndex;
    uint32_t defaultCount = 0;
    bool hasResultPack = false;
    uint32_t shape = 0;          // functions
};

class ValueSets {
public:
    /// `chunk` must have passed the checks of its tables, and outlive this.
    explicit ValueSets(const Chunk& chunk);

    // --- types
    TypeId typeOf(TypeIndex index) const { return typeIds_[index]; }
    const KnownType& type(TypeId id) const { return types_[id]; }
    /// The structural type with these parts; `type.index` and `type.shape` are not read. For unions and functions that library
    /// signatures mention.
    TypeId intern(KnownType type);
    TypeId basic(TypeKind kind);
    /// `type?`.
    TypeId optional(TypeId type);
    /// A function type that all functions of the shape have.
    TypeId typeOfShape(uint32_t shape) const { return shapeTypes_[shape]; }

    // --- sets
    SetId everything() const { return everything_; }
    SetId ofBits(uint32_t bits) { return make(bits, {}); }
    SetId ofAtom(Atom atom) { return make(0, {atom}); }
    /// The values of a type, integers being numbers.
    SetId ofType(TypeId type);
    uint32_t bits(SetId set) const { return sets_[set].bits; }
    const std::vector<Atom>& atoms(SetId set) const { return sets_[set].atoms; }
    bool isEmpty(SetId set) const { return bits(set) == 0 && atoms(set).empty(); }

    bool isSubset(SetId a, SetId b);
    SetId join(SetId a, SetId b);
    /// A set that holds every value of both.
    SetId meet(SetId a, SetId b);
    /// `a` without what is in `b` for sure.
    SetId without(SetId a, SetId b);
    SetId withBits(SetId a, uint32_t bits) { return (this->bits(a) & bits) == bits ? a : join(a, ofBits(bits)); }
    SetId withoutBits(SetId a, uint32_t bits) { return (this->bits(a) & bits) == 0 ? a : make(this->bits(a) & ~bits, atoms(a)); }
    bool isReferences(SetId a) const;

    /// Steps taken so far, and those that somebody else has taken: a forged chunk can ask for too many.
    uint64_t work() const { return work_; }
    void addWork(uint64_t steps) { work_ += steps; }

    /// "string", "nil or string": for messages.
    std::string text(SetId set) const;

private:
    struct Set {
        uint32_t bits = 0;
        std::vector<Atom> atoms;  // ascending
    };
    using Key = std::vector<uint32_t>;

    const Chunk& chunk_;
    std::vector<TypeId> typeIds_;
    std::vector<KnownType> types_;
    std::map<Key, TypeId> typeKeys_;
    std::map<Key, uint32_t> shapeKeys_;
    std::vector<TypeId> shapeTypes_;
    std::vector<std::vector<uint32_t>> heirs_;  // by type index of a class or interface: classes that descend from it
    std::vector<SetId> setOfType_;
    std::vector<TypeId> visited_;               // types whose members are in the set that is being made
    uint64_t work_ = 0;
    std::vector<Set> sets_;
    std::map<Key, SetId> setKeys_;
    std::unordered_map<uint64_t, SetId> joins_, meets_;
    std::unordered_map<uint64_t, bool> subsets_;
    SetId everything_ = 0;

    TypeId load(TypeIndex index);
    TypeId add(KnownType&& type);
    uint32_t shapeOf(const KnownType& type);
    SetId make(uint32_t bits, std::vector<Atom> atoms);
    bool holds(const Set& set, Atom atom) const;
    uint32_t anyBitOf(Atom atom) const;
    void addTypeTo(Set& out, TypeId type);
};

}  // namespace luapp::bc
