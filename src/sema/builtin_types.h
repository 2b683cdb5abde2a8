#pragma once
// The standard library as sema sees it: names and types out of runtime/lib/builtins.def.
//
// Nothing is read at start-up: the list is sorted at compile time, a name is found by binary search, and a signature is
// turned into types when a program first uses it. Signatures have a reader of their own here, because they hold what
// types in programs do not (default values, type parameters, `never`) and need no positions or messages.

#include <memory>
#include <string_view>
#include <vector>

#include "sema/type.h"

namespace luapp::sema {

enum class BuiltinKind : uint8_t {
    Function,
    Case,   // a narrower form of the function above it
    Value,  // called at each read
    Hidden,
    Const,
};

/// One line of builtins.def. For constants `number`, `integer` or `text` holds the value, by the type.
struct BuiltinEntry {
    std::string_view name;
    std::string_view literal;    // Case: the string literal that selects it
    std::string_view signature;  // Value, Const: a type alone
    BuiltinKind kind;
    bool needsType;
    uint32_t index;  // what TCall::builtin and TBuiltinRef::builtin hold; unused for constants
    double number = 0;
    int64_t integer = 0;
    std::string_view text;
};

struct BuiltinParam {
    std::string_view name;
    const Type* type;
    bool mayBeOmitted;              // a default value, or an optional type
    std::string_view defaultValue;  // literal as written; empty: nil
};

struct BuiltinSignature {
    const BuiltinEntry* entry;
    const FunctionType* type;
    std::vector<const TypeParamType*> typeParams;
    std::vector<BuiltinParam> params;  // `self` included
    bool isMember;                     // the first parameter is `self`

    uint32_t minArgs() const;
};

/// A member of a value: the general form, with the cases behind it.
struct BuiltinMember {
    const BuiltinEntry* entry = nullptr;
    explicit operator bool() const { return entry; }
};

/// The library of one program.
class Builtins {
  public:
    Builtins(TypeTable& types, Interner& interner) : types_(types), interner_(interner) {}

    /// The entry with this name ("print", "math.floor", "Array.push"): the general form. Null if there is none.
    static const BuiltinEntry* find(std::string_view name);
    /// The same for a name in two parts.
    static const BuiltinEntry* find(std::string_view library, std::string_view name);
    /// The entry of a function that programs cannot name. There must be one.
    static const BuiltinEntry& hidden(std::string_view name);
    /// The narrower forms of a function, in order.
    static std::vector<const BuiltinEntry*> casesOf(const BuiltinEntry& general);
    /// True if `name` is a library: `string`, `math`, `Array`, ...
    static bool isLibrary(std::string_view name);
    /// The entry by its index.
    static const BuiltinEntry& at(uint32_t index);
    /// All entries, for suggestions.
    static std::span<const BuiltinEntry> all();

    /// The types of an entry that is no constant. Lives as long as the Builtins.
    const BuiltinSignature& signature(const BuiltinEntry& entry);
    /// The type of a constant.
    const Type* constantType(const BuiltinEntry& entry);

    /// The library whose members values of this type have ("string", "Array", "Table", "File"), or empty.
    static std::string_view libraryOf(const Type* type);

  private:
    TypeTable& types_;
    Interner& interner_;
    std::vector<std::unique_ptr<BuiltinSignature>> cache_;
};

}  // namespace luapp::sema
