#pragma once
// How long the lists of a program may be, and how deep its types. An instruction names registers, fields and captures by one
// byte, so the checker refuses what would not fit; every other stage may rely on it. Lists of statements, locals, elements and
// the like have no limit.

#include <cstdint>

namespace luapp::base {

/// The most parameters or results of a function, arguments of a call, fields of a record, variables of an enclosing function that
/// one function uses, and variables of a loop. Below 256 by the places that a call's links and the receiver take.
inline constexpr uint32_t kMaxListLength = 250;

/// How deep structural types may nest. What walks over types may recurse; the verifier refuses what is a little deeper still,
/// since a compiler may wrap a type (an optional, a function).
inline constexpr uint32_t kMaxTypeDepth = 180;

/// How many classes, or interfaces, may stand over each other, each derived from the next. Every class lists all that is above it.
inline constexpr int kMaxBaseDepth = 250;

}  // namespace luapp::base
