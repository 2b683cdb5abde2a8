// Type descriptors: what a program's types are at run time. One TypeDesc per type and State, interned, so that identity of
// types is pointer equality across all programs loaded into the State. A descriptor says how a value of the type is
// represented, printed by typeof(), traced and checked; the header of an array, table, record, function or
// object holds the descriptor's index. Structural types are interned by their parts; nominal ones (recursive aliases, enums,
// classes, interfaces) by a unique key, and may be declared first and completed later, so they can refer to themselves.
// Descriptors are never freed before the State. They are no heap objects and hold no references to any.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/base/rep.h"
#include "runtime/object/object.h"

namespace luapp::rt {

struct ClassDesc;

/// Kinds of types; entries come from bytecode/type_kinds.def (same order as bc::TypeKind).
enum class TypeKind : uint8_t {
#define LUAPP_TYPE_KIND(name, parts) name,
#include "runtime/bytecode/type_kinds.def"
};

/// Field of a record, member of an enum, parameter of a function.
struct FieldDesc {
    std::string_view name;
    const TypeDesc* type = nullptr;  // record fields only
    int64_t value = 0;               // enum members: the value
    uint32_t offset = 0;             // record fields: byte offset in the instance
};

struct TypeDesc {
    uint32_t index = 0;  // in TypeTable; never 0 for a descriptor in a header (0: none)
    TypeKind kind = TypeKind::Any;
    Rep rep = Rep::Box;
    bool isNominal = false;
    bool isComplete = true;  // false between declare() and complete()
    bool acceptsNil = false;  // nil is a value of the type: nil, any, optional
    std::string_view name;   // as typeof() and messages print it

    std::span<const TypeDesc* const> parts;    // element; key, value; union members; parameters
    std::span<const TypeDesc* const> results;  // functions: fixed results
    std::span<const FieldDesc> fields;         // record fields, enum members, parameter names (or empty)
    const TypeDesc* vararg = nullptr;          // functions: T of `...T`; null: none
    uint32_t defaultCount = 0;                 // functions: trailing parameters with default values
    bool hasResultPack = false;                // functions: results end in `...any`

    /// Records and classes: bit i of refMap says that field word i is a reference, of boxMap that it is a box; 64 bits per
    /// element, both maps of the same length.
    std::span<const uint64_t> refMap;
    std::span<const uint64_t> boxMap;
    /// Classes with instances: what the vm knows of them (vm/class_desc.h); null otherwise.
    const ClassDesc* classInfo = nullptr;
    uint32_t classNumber = 0;   // classes and interfaces: running number in the State, from 1; 0 for all others
    bool hasFinalizer = false;  // classes: their objects are finalised (vm/finalizers.h)

    const TypeDesc* element() const { return parts[0]; }
    const TypeDesc* key() const { return parts[0]; }
    const TypeDesc* value() const { return parts[1]; }
    uint32_t paramCount() const { return static_cast<uint32_t>(parts.size()); }
    uint32_t requiredCount() const { return paramCount() - defaultCount; }
    bool isVararg() const { return vararg != nullptr; }
    /// Words of an instance of a record type.
    uint32_t fieldCount() const { return static_cast<uint32_t>(fields.size()); }
    /// The field or enum member of that name, or null.
    const FieldDesc* findField(std::string_view fieldName) const;
    /// The enum member with that value, or null.
    const FieldDesc* findMember(int64_t memberValue) const;
};

/// Parts of a type to be interned; all spans and views need to live only during the call.
struct TypeSpec {
    TypeKind kind = TypeKind::Any;
    Rep rep = Rep::Box;
    std::string_view name;  // empty: made from the parts
    std::span<const TypeDesc* const> parts;
    std::span<const TypeDesc* const> results;
    std::span<const FieldDesc> fields;  // offsets are computed
    const TypeDesc* vararg = nullptr;
    uint32_t defaultCount = 0;
    bool hasResultPack = false;
    std::span<const Rep> words;  // classes: representation by field word, Void where there is no field
};

/// The descriptors of one State.
class TypeTable {
public:
    TypeTable();
    ~TypeTable();
    TypeTable(const TypeTable&) = delete;
    TypeTable& operator=(const TypeTable&) = delete;

    /// The descriptor of a kind without parts: any, nil, boolean, number, integer, string, Function, lenient table, thread, userdata, file.
    const TypeDesc* basic(TypeKind kind) const { return basics_[static_cast<unsigned>(kind)]; }

    /// The structural type with these parts, made if it is new. Two calls with equal parts give the same pointer. For records the
    /// order of fields counts (it is the layout); for unions the order of members does not. Parameter names do not count.
    const TypeDesc* intern(const TypeSpec& spec);

    const TypeDesc* arrayOf(const TypeDesc* element);
    const TypeDesc* tableOf(const TypeDesc* key, const TypeDesc* value);
    /// `type?`; the type itself if it accepts nil.
    const TypeDesc* optional(const TypeDesc* type);

    /// The nominal type with this key, made incomplete if it is new (then `complete` must follow before it is used).
    TypeDesc* declare(TypeKind kind, Rep rep, std::string_view key, std::string_view name);
    /// Fills in a declared type; no effect if it is complete already.
    void complete(TypeDesc* type, const TypeSpec& spec);

    /// The descriptor with this index (from an object header or an enum box).
    const TypeDesc* at(uint32_t index) const { return types_[index]; }
    uint32_t size() const { return count_; }
    /// A new classNumber.
    uint32_t nextClassNumber() { return ++classNumbers_; }

private:
    struct Impl;
    TypeDesc* allocate(TypeKind kind, Rep rep);
    void fill(TypeDesc* type, const TypeSpec& spec);

    const TypeDesc** types_ = nullptr;
    uint32_t count_ = 0;
    uint32_t capacity_ = 0;
    uint32_t classNumbers_ = 0;
    const TypeDesc* basics_[32] = {};
    Impl* impl_ = nullptr;
};

}  // namespace luapp::rt
