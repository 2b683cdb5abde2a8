#pragma once
// Which values fit where: assignability between types (LANGUAGE 3), and the machine's part in it.
//
// relate() is a pure function of two types. Checker::convert (relations.cpp) applies it to an expression: it inserts
// the Convert node, or reports. Array, Table and record types are invariant, so nothing inside them is ever converted.

#include "sema/type.h"

namespace luapp::sema {

enum class Fit : uint8_t {
    None,
    Same,    // nothing to do
    Retype,  // no machine change
    Widen,   // to a wider representation
    Adapt,   // a function through an adapter
    Check,   // from `any`, with a run-time check
};

/// How a value of type `from` gets to be one of type `to`.
Fit relate(const Type* from, const Type* to);

/// True if every value of `from` is a value of `to` without any check.
inline bool isAssignable(const Type* from, const Type* to) {
    const Fit fit = relate(from, to);
    return fit != Fit::None && fit != Fit::Check;
}

/// True if no value is both a `from` and a `to`, so that == between them is always false.
bool areDisjoint(const Type* a, const Type* b);

}  // namespace luapp::sema
