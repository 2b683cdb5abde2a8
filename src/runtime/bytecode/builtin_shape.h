// What the verifier of chunks knows of a library function: its signature text, read once into patterns that a call is matched with.
// The library gives the texts (lib/library.h, verifyOptions()); nothing here runs a function. Type parameters of a signature are bound by
// the arguments, or by the type that is passed as hidden first word where the function wants it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "runtime/bytecode/value_sets.h"

namespace luapp::bc {

/// One row of lib/builtins.def.
struct BuiltinShape {
    std::string_view name;
    std::string_view signature;  // values: their type
    bool isValue = false;        // called without arguments, or with the value it is a property of
    bool needsType = false;      // the type of its result is its hidden first argument
};

/// A type in a signature: a type parameter, or a kind with parts.
struct TypePattern {
    TypeKind kind = TypeKind::Any;
    int param = -1;            // index of a type parameter
    bool isOptional = false;
    std::vector<TypePattern> parts;    // element; key, value; parameters
    std::vector<TypePattern> results;  // functions
    bool hasResultPack = false;

    bool isOpen() const;  // mentions a type parameter
};

/// A whole signature.
struct BuiltinPattern {
    std::vector<TypePattern> params;
    std::vector<TypePattern> results;  // fixed ones, also before a pack
    TypePattern vararg;
    bool isVararg = false;
    bool hasResultPack = false;
    bool isOpen = false;
    uint32_t defaultCount = 0;
    unsigned typeParams = 0;
};

/// Most type parameters of a signature.
inline constexpr unsigned kMaxTypeParams = 4;

/// Reads a signature; our own texts are right.
BuiltinPattern readPattern(const BuiltinShape& shape);

}  // namespace luapp::bc
