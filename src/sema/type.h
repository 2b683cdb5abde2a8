#pragma once
// Static types. A Type is immutable, interned by its TypeTable and compared by pointer.
//
// Made by sema (from annotations, literals and the signatures of the library), read by sema, by the lowering (through
// repOf and the structure of records, arrays, tables and functions) and by whoever writes type descriptors into a
// chunk. One TypeTable serves a whole program; all its types live in its arena. The kind says which struct a Type
// really is; use `as<RecordType>(type)`. A recursive `type` alias is nominal: its type has the kind of what stands
// right of the
// `=`, carries the alias's name, and is equal to nothing else. Parameter names and default values are no part of a
// function type; how many trailing parameters may be left out is. Unions are flat, without duplicates, and never hold
// `any`; an optional is a union with nil. This file decides nothing about conversions: see relations.h.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/base/arena.h"
#include "frontend/base/interner.h"
#include "frontend/base/source.h"
#include "runtime/base/check.h"
#include "runtime/base/rep.h"

namespace luapp::sema {

using base::Rep;
using frontend::Interner;
using frontend::List;
using frontend::Symbol;

// class_info.h
struct Nominal;
struct ObjectInfo;
struct ClassInfo;
struct InterfaceInfo;
struct EnumInfo;
struct AliasInfo;  // symbols.h

enum class TypeKind : uint8_t {
    Error,        // stands for the type of what has been reported already; fits everything, silently
    Never,        // no value: the result of a function that does not return
    Void,         // no result
    Nil,          // the one value nil
    Boolean,      //
    Number,       // IEEE double
    Integer,      // whole, magnitude at most 2^53; a subtype of Number
    String,       //
    Any,          // every value, dynamically; TypeTable::implicitAny() is the `any` of an unannotated parameter
    AnyFunction,  // `Function`: any function, called dynamically
    File,         // what io.open gives
    Array,        // ArrayType
    Table,        // TableType
    Record,       // RecordType
    Function,     // FunctionType
    Union,        // UnionType
    Class,        // ClassType
    Interface,    // InterfaceType
    Enum,         // EnumType
    TypeParam,    // TypeParamType
};

/// What all types have. `id` numbers the types of a table in order of creation (deterministic).
struct Type {
    TypeKind kind;
    Rep rep;             // what repOf gives
    bool hasTypeParams;  // a type parameter occurs in it
    bool isOpen;         // an open type parameter occurs in it (TypeParamType::isOpen)
    bool admitsNil;      // nil is one of its values (nil, any, a union with nil)
    uint16_t depth;      // how deep types nest in it, from 1; a nominal alias counts its arguments
    uint32_t id;
    Symbol aliasName;  // set if this is the nominal type of a recursive alias
    List<const Type*> aliasArgs;
    AliasInfo* alias;  // then: its declaration
};

struct ArrayType : Type {
    static constexpr TypeKind kKind = TypeKind::Array;
    const Type* element;
};

struct TableType : Type {
    static constexpr TypeKind kKind = TypeKind::Table;
    const Type* key;
    const Type* value;
};

/// A field of a record. A field written `s?: T` has the type `T?`; fields whose type admits nil may be left out of a
/// literal.
struct RecordField {
    Symbol name;
    const Type* type;
};

/// A record. `fields` is sorted by the text of the names: this is the order in memory, so that one set of fields has
/// one layout. `printOrder` lists the indices of the fields in the order in which the type was first written.
struct RecordType : Type {
    static constexpr TypeKind kKind = TypeKind::Record;
    List<RecordField> fields;
    List<uint32_t> printOrder;

    /// The index of a field in `fields`, or -1.
    int indexOf(Symbol name) const {
        for (uint32_t i = 0; i < fields.count; i++)
            if (fields[i].name == name) return int(i);
        return -1;
    }
};

/// The type of a function. The last `defaults` parameters have default values and may be left out by a caller.
struct FunctionType : Type {
    static constexpr TypeKind kKind = TypeKind::Function;
    List<const Type*> params;
    const Type* vararg;          // the type of each extra argument, or null if there are none
    List<const Type*> results;   // fixed results; empty for void
    const Type* variadicResult;  // the type of each further result (`...any`), or null
    uint32_t defaults;
    bool neverReturns;  // `never`: error, os.exit

    uint32_t minArgs() const { return params.count - defaults; }
    bool isVoid() const { return results.empty() && !variadicResult; }
};

/// A union of at least two members, none of which is a union, `any`, `never` or an error; nil, if there is one, is the
/// last member. `integer` does not stand beside `number`.
struct UnionType : Type {
    static constexpr TypeKind kKind = TypeKind::Union;
    List<const Type*> members;
};

/// A class with its type arguments; `info` says what it is.
struct ClassType : Type {
    static constexpr TypeKind kKind = TypeKind::Class;
    const ClassInfo* info;
    Symbol name;
    List<const Type*> args;
};

struct InterfaceType : Type {
    static constexpr TypeKind kKind = TypeKind::Interface;
    const InterfaceInfo* info;
    Symbol name;
    List<const Type*> args;
};

struct EnumType : Type {
    static constexpr TypeKind kKind = TypeKind::Enum;
    const EnumInfo* info;
    Symbol name;
};

struct TypeParamType;

/// What is found out about a type parameter while its scope is checked.
struct TypeParamUse {
    List<const InterfaceType*> bounds;     // may mention the parameters of the same list
    const TypeParamType* open = nullptr;   // stands for it in the callee's type while a call is checked; made on demand
    frontend::Range optionalAt;            // a place where `T?` is written: then no argument may admit nil
    frontend::Range keyAt;                 // the same for a table key of type T
};

/// A type parameter of a generic function or class. Identity is the object: every declaration makes its own. Inside its
/// declaration it is opaque. An open one belongs to the type of a callee and waits for inference; it is never part of the
/// type of an expression.
struct TypeParamType : Type {
    static constexpr TypeKind kKind = TypeKind::TypeParam;
    Symbol name;
    uint32_t index;  // position in the declaring parameter list
    TypeParamUse* use;
};

/// The type as its struct; the kind must be right.
template <class T>
const T* as(const Type* type) {
    LUAPP_CHECK(type->kind == T::kKind, "type of another kind");
    return static_cast<const T*>(type);
}

/// The type as its struct, or null if it is of another kind.
template <class T>
const T* asIf(const Type* type) {
    return type->kind == T::kKind ? static_cast<const T*>(type) : nullptr;
}

/// The machine representation of values of this type (internals.md 1). A type parameter counts as Box: substitute
/// first.
inline Rep repOf(const Type* type) { return type->rep; }

inline bool isError(const Type* type) { return type->kind == TypeKind::Error; }
inline bool isAny(const Type* type) { return type->kind == TypeKind::Any; }
inline bool isNil(const Type* type) { return type->kind == TypeKind::Nil; }
inline bool isNumber(const Type* type) { return type->kind == TypeKind::Number; }
inline bool isInteger(const Type* type) { return type->kind == TypeKind::Integer; }
inline bool isString(const Type* type) { return type->kind == TypeKind::String; }
inline bool isBoolean(const Type* type) { return type->kind == TypeKind::Boolean; }
/// number or integer.
inline bool isNumeric(const Type* type) { return isNumber(type) || isInteger(type); }
inline bool isUnion(const Type* type) { return type->kind == TypeKind::Union; }
inline bool isFunction(const Type* type) { return type->kind == TypeKind::Function; }
inline bool isCallable(const Type* type) {
    return isFunction(type) || isAny(type) || type->kind == TypeKind::AnyFunction;
}
/// A union with nil: `T?`.
inline bool isOptional(const Type* type) { return isUnion(type) && type->admitsNil; }

/// The members of a union, or the type itself.
inline std::span<const Type* const> membersOf(const Type* const& type) {
    if (auto* u = asIf<UnionType>(type)) return {u->members.items, u->members.count};
    return {&type, 1};
}

/// A type parameter bound to a type, for substitute().
struct TypeBinding {
    const TypeParamType* param;
    const Type* type;            // null while inference has found nothing
    bool isFixed = false;        // given explicitly: arguments do not change it
    const Type* hint = nullptr;  // what the context would like it to be
    const Type* taken = nullptr; // what a function given as an argument takes in its place: decides only if nothing else does
};

/// Who knows how to make the nominal type of a recursive alias with other arguments.
class AliasMaker {
  public:
    virtual const Type* makeAlias(AliasInfo& alias, std::span<const Type* const> args) = 0;

  protected:
    ~AliasMaker() = default;
};

/// Makes and interns all types of a program. Not copyable; lives as long as the TypedProgram.
class TypeTable {
  public:
    explicit TypeTable(Interner& interner);
    ~TypeTable();
    TypeTable(const TypeTable&) = delete;
    TypeTable& operator=(const TypeTable&) = delete;

    const Type* error() const { return error_; }
    const Type* never() const { return never_; }
    const Type* voidType() const { return void_; }
    const Type* nil() const { return nil_; }
    const Type* boolean() const { return boolean_; }
    const Type* number() const { return number_; }
    const Type* integer() const { return integer_; }
    const Type* string() const { return string_; }
    const Type* any() const { return any_; }
    /// The type of a parameter without annotation: kind Any, but a different object, so that its use can be limited.
    /// Never part of another type.
    const Type* implicitAny() const { return implicitAny_; }
    const Type* anyFunction() const { return anyFunction_; }
    const Type* file() const { return file_; }

    const ArrayType* array(const Type* element);
    const TableType* table(const Type* key, const Type* value);
    /// `fields` in the order written; names must be distinct.
    const RecordType* record(std::span<const RecordField> fields);
    const FunctionType* function(std::span<const Type* const> params, const Type* vararg,
                                 std::span<const Type* const> results, const Type* variadicResult = nullptr,
                                 uint32_t defaults = 0, bool neverReturns = false);
    /// The normalised union: flattened, without duplicates, integer absorbed by number, everything by any.
    const Type* unionOf(std::span<const Type* const> members);
    const Type* unionOf(const Type* a, const Type* b);
    /// `T?`.
    const Type* optional(const Type* type);
    /// The type without nil; `never` for nil itself, `any` stays.
    const Type* withoutNil(const Type* type);
    /// The type without everything that is nil or false for certain (nil; boolean stays): what a true condition leaves.
    const Type* truthy(const Type* type) { return withoutNil(type); }
    const TypeParamType* typeParam(Symbol name, uint32_t index, bool isOpen = false);
    /// The open parameter that stands for `param` in the type of a callee.
    const TypeParamType* openParam(const TypeParamType* param);
    /// The bounds that are built in: interfaces without members, which numbers, strings, enums and the classes that list them
    /// implement.
    const InterfaceType* comparable() const { return comparable_; }
    const InterfaceType* hashable() const { return hashable_; }
    /// A class or interface with type arguments, as many as it has parameters.
    const ClassType* classType(const ClassInfo* info, std::span<const Type* const> args);
    const InterfaceType* interfaceType(const InterfaceInfo* info, std::span<const Type* const> args);
    /// What is known of an object that is both (classes or interfaces, at most one class): an interface without declaration that extends
    /// all. Only narrowing makes it, and it never becomes part of another type (keptOf()). Null: no such type.
    const InterfaceType* both(const Type* a, const Type* b);
    /// The type of an enum; to be made once (EnumInfo::selfType).
    const EnumType* enumType(const EnumInfo* info);

    /// `type` with every bound parameter replaced; an unbound one (null) stays.
    /// `cache`: what is known already for these bindings (types may share parts without end).
    using TypeMap = std::unordered_map<const Type*, const Type*>;
    const Type* substitute(const Type* type, std::span<const TypeBinding> bindings, TypeMap* cache = nullptr);

    /// Begins the nominal type of a recursive alias whose definition is a type of `kind` (Array, Table, Record,
    /// Function or Union). It may be used at once as a part of other types, and must be completed by completeAlias.
    Type* beginAlias(TypeKind kind, AliasInfo* alias, Symbol name, std::span<const Type* const> args);
    /// Gives a begun alias the structure of `definition`, which is of the kind announced.
    void completeAlias(Type* alias, const Type* definition);
    /// substitute() asks `maker` for recursive aliases with other arguments.
    void setAliasMaker(AliasMaker* maker) { aliasMaker_ = maker; }

    /// The type as a programmer writes it. `optional` unions print as `T?`.
    std::string print(const Type* type) const;
    void print(std::string& out, const Type* type) const;

    /// All types in order of their ids.
    std::span<const Type* const> all() const { return all_; }
    Interner& interner() const { return interner_; }
    frontend::Arena& arena() { return arena_; }

  private:
    Type* simple(TypeKind kind, Rep rep, bool admitsNil);
    template <class T>
    T* make(TypeKind kind, Rep rep);
    template <class Same, class Make>
    const Type* intern(uint64_t hash, Same same, Make make);
    void growSlots();
    void insertSlot(uint64_t hash, const Type* type);
    void collectMembers(std::vector<const Type*>& out, const Type* type) const;
    const Type* substituteParts(const Type* type, std::span<const TypeBinding> bindings, TypeMap* cache);
    const Type* internUnion(std::span<const Type* const> members);
    void finishUnion(UnionType* type);
    void printNested(std::string& out, const Type* type) const;

    struct Slot {
        uint64_t hash = 0;
        const Type* type = nullptr;
    };

    Interner& interner_;
    frontend::Arena arena_;
    std::vector<const Type*> all_;
    std::vector<Slot> slots_;
    size_t used_ = 0;
    std::vector<UnionType*> pendingUnions_;  // have a begun alias of kind Union as a member
    AliasMaker* aliasMaker_ = nullptr;
    std::unique_ptr<InterfaceInfo> comparableInfo_, hashableInfo_;
    std::vector<std::unique_ptr<InterfaceInfo>> bothInfos_;
    const InterfaceType *comparable_, *hashable_;
    Type *error_, *never_, *void_, *nil_, *boolean_, *number_, *integer_, *string_, *any_, *implicitAny_, *anyFunction_,
        *file_;
};

}  // namespace luapp::sema
