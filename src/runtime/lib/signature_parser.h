// Reads the signature texts of builtins.def. It understands the part of the type syntax they use: names, `Array<T>`,
// `Table<K, V>`, `T?`, `T | U`, function types, parameter names, literal default values, `...T`, result lists and type
// parameters. The texts are constants of ours, so a mistake in one is a bug, found by a unit test that reads them all.
// Used for dynamic calls alone; the compiler reads the same texts with its own parser.
#pragma once

#include <string_view>

#include "runtime/object/type_desc.h"
#include "runtime/object/value.h"

namespace luapp::rt {

/// Most parameters, fixed results and type parameters a signature has.
inline constexpr unsigned kMaxSignatureParts = 8;

/// The types a signature's type parameters stand for.
struct TypeArguments {
    std::string_view names[kMaxSignatureParts];
    const TypeDesc* types[kMaxSignatureParts] = {};  // null: not known, stands for `any`
    unsigned count = 0;
};

/// A default value as written: nil, boolean and number literals as boxes; string literals as their bytes.
struct DefaultText {
    bool isGiven = false;
    bool isString = false;
    Value value;
    std::string_view text;
};

struct ParsedSignature {
    const TypeDesc* type = nullptr;  // of kind Function
    unsigned paramCount = 0;
    const TypeDesc* params[kMaxSignatureParts] = {};
    DefaultText defaults[kMaxSignatureParts];
    TypeArguments typeParams;  // names and the types they were read with
};

/// Reads `text`, with `given` types for its type parameters by position (null entries and missing ones: any).
/// False if the text is malformed.
bool parseSignature(State& s, std::string_view text, const TypeDesc* const* given, unsigned givenCount, ParsedSignature& out);

}  // namespace luapp::rt
