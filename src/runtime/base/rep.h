// The machine representation of a value: what a raw 64-bit register word means. Every static type has exactly one
// representation (sema::repOf); typed code never stores a tag, so a word can be read only by code that knows its Rep.
// Made by sema, carried by IR values, bytecode operands, type descriptors and heap layouts. It knows nothing of types.
#pragma once

#include <cstdint>

namespace luapp::base {

enum class Rep : uint8_t {
    Void,  // no word at all (a function without results)
    F64,   // number: the bits of an IEEE double
    I64,   // integer (and enum): a two's complement int64; for `integer` its magnitude is at most 2^53
    Bool,  // boolean: 0 or 1
    Ref,   // bare pointer to a heap object; 0 stands for nil where the type admits nil
    Box,   // NaN-boxed rt::Value: any, and unions (optionals included) with a member that is not a Ref
    Pack,  // IR only: "the values in the State's result area", consumed by the next instruction that takes a pack
};

/// True if a word of this representation may hold a heap pointer, so a heap store of it needs the write barrier.
constexpr bool mayHoldPointer(Rep r) { return r == Rep::Ref || r == Rep::Box; }

/// "f64", "i64", "bool", "ref", "box", "pack", "void": the spelling in textual IR and in chunk dumps.
constexpr const char* repName(Rep r) {
    switch (r) {
        case Rep::Void: return "void";
        case Rep::F64: return "f64";
        case Rep::I64: return "i64";
        case Rep::Bool: return "bool";
        case Rep::Ref: return "ref";
        case Rep::Box: return "box";
        case Rep::Pack: return "pack";
    }
    return "?";
}

/// Largest magnitude of a value of type `integer`.
inline constexpr int64_t kMaxInteger = int64_t{1} << 53;

/// One register or heap word; what it means is known statically.
using Word = uint64_t;

/// The box of nil (runtime/object/value.h has all other boxes): what a boxed variable holds before it is set.
inline constexpr Word kBoxedNil = 0xFFF9'0000'0000'0000u;

/// What an object's field holds before it is set, where it may be read that early: a word that no value of the representation has
/// (for Ref the null reference: such fields do not admit nil).
constexpr Word unsetWord(Rep r) {
    switch (r) {
        case Rep::F64:
        case Rep::Box: return 0xFFF9'0000'0000'0003u;  // the box "absent"
        case Rep::I64: return Word{1} << 63;
        case Rep::Bool: return 2;
        case Rep::Ref:
        case Rep::Pack:
        case Rep::Void: return 0;
    }
    return 0;
}

/// How a reference is boxed: the immediate of BoxRef and box.ref, the box's tag minus 0xFFF8.
enum BoxTag : uint32_t { kBoxByKind = 0, kBoxString = 4, kBoxLuaTable = 5, kBoxFunction = 6, kBoxObject = 7 };

}  // namespace luapp::base
