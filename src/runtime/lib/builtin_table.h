// The table that builtins.def expands to, as compile-time data: names, signatures, effects, intrinsics, constants. The compiler and
// the runtime read it; it depends on nothing and runs nothing at start-up. The index of an entry is its position among all
// entries but constants; it is the operand of the CALLB instructions and of DataKind::Builtin. Signatures are texts in the
// language's type syntax. The functions themselves are in builtins.h, function values in builtin_values.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace luapp::rt {

/// What a builtin may do; see builtins.def. 0: pure.
enum BuiltinEffect : uint16_t {
    kEffectPure = 0,
    kEffectReads = 1,
    kEffectWrites = 2,
    kEffectRaises = 4,
    kEffectCalls = 8,
    kEffectAllocs = 16,
    kEffectNeedsType = 32,
};

enum class BuiltinForm : uint8_t { Function, Case, Value, Hidden, Lenient };

struct BuiltinInfo {
    std::string_view name;
    std::string_view literal;    // cases only; empty: none
    std::string_view signature;  // values: their type
    uint16_t effects;
    BuiltinForm form;
    std::string_view intrinsic;  // "-": none

    constexpr bool needsType() const { return (effects & kEffectNeedsType) != 0; }
};

/// Index of each entry; entries come from builtins.def.
enum class BuiltinId : uint16_t {
#define LUAPP_BUILTIN(Id, name, signature, fn, effects, intrinsic, description) Id,
#define LUAPP_BUILTIN_CASE(Id, name, literal, signature, fn, effects, intrinsic) Id,
#define LUAPP_BUILTIN_VALUE(Id, name, type, fn, effects, intrinsic, description) Id,
#define LUAPP_BUILTIN_HIDDEN(Id, name, signature, fn, effects) Id,
#include "runtime/lib/builtins.def"
    Count
};
inline constexpr unsigned kBuiltinCount = static_cast<unsigned>(BuiltinId::Count);

namespace builtin_detail {

// The names under which builtins.def writes effects.
inline constexpr uint16_t Pure = kEffectPure, Reads = kEffectReads, Writes = kEffectWrites, Raises = kEffectRaises,
                          Calls = kEffectCalls, Allocs = kEffectAllocs, NeedsType = kEffectNeedsType;

inline constexpr BuiltinInfo kTable[] = {
#define LUAPP_BUILTIN(Id, name, signature, fn, effects, intrinsic, description) \
    {name, "", signature, effects, BuiltinForm::Function, intrinsic},
#define LUAPP_BUILTIN_CASE(Id, name, literal, signature, fn, effects, intrinsic) \
    {name, literal, signature, effects, BuiltinForm::Case, intrinsic},
#define LUAPP_BUILTIN_VALUE(Id, name, type, fn, effects, intrinsic, description) \
    {name, "", type, effects, BuiltinForm::Value, intrinsic},
#define LUAPP_BUILTIN_HIDDEN(Id, name, signature, fn, effects) {name, "", signature, effects, BuiltinForm::Hidden, "-"},
#define LUAPP_BUILTIN_LENIENT(Id, name, fn, effects, description) {name, "", "(...any): (...any)", effects, BuiltinForm::Lenient, "-"},
#include "runtime/lib/builtins.def"
};

constexpr bool isNamed(unsigned i) { return kTable[i].form == BuiltinForm::Function || kTable[i].form == BuiltinForm::Value; }

inline constexpr unsigned kNamedCount = [] {
    unsigned n = 0;
    for (unsigned i = 0; i < kBuiltinCount; i++) n += isNamed(i);
    return n;
}();

/// Indices of functions and values, ordered by name.
inline constexpr std::array<uint16_t, kNamedCount> kByName = [] {
    std::array<uint16_t, kNamedCount> order{};
    unsigned n = 0;
    for (unsigned i = 0; i < kBuiltinCount; i++)
        if (isNamed(i)) order[n++] = static_cast<uint16_t>(i);
    std::sort(order.begin(), order.end(), [](uint16_t a, uint16_t b) { return kTable[a].name < kTable[b].name; });
    return order;
}();

}  // namespace builtin_detail

constexpr const BuiltinInfo& builtinInfo(unsigned index) { return builtin_detail::kTable[index]; }

/// Index of the function or value with this name, or -1. Its cases stand directly behind it in the table.
constexpr int findBuiltin(std::string_view name) {
    const auto& order = builtin_detail::kByName;
    auto at = std::lower_bound(order.begin(), order.end(), name,
                               [](uint16_t i, std::string_view n) { return builtin_detail::kTable[i].name < n; });
    return at != order.end() && builtin_detail::kTable[*at].name == name ? *at : -1;
}

/// A constant such as `math.pi`: numbers and integers in `number`, strings in `text`.
struct BuiltinConstant {
    std::string_view name;
    std::string_view type;
    double number;
    std::string_view text;

    constexpr BuiltinConstant(std::string_view n, std::string_view t, double v) : name(n), type(t), number(v) {}
    constexpr BuiltinConstant(std::string_view n, std::string_view t, int64_t v)
        : name(n), type(t), number(static_cast<double>(v)) {}
    constexpr BuiltinConstant(std::string_view n, std::string_view t, const char* v) : name(n), type(t), number(0), text(v) {}
};

inline constexpr BuiltinConstant kBuiltinConstants[] = {
#define LUAPP_BUILTIN(Id, name, signature, fn, effects, intrinsic, description)
#define LUAPP_BUILTIN_CONST(Id, name, type, value, description) {name, type, value},
#include "runtime/lib/builtins.def"
};

}  // namespace luapp::rt
