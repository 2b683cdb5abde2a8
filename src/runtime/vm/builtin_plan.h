// How a dynamic call of a library function whose parameters have simple types goes quickly: what each boxed argument must be, and
// how it becomes the raw word the function takes. Made from the function's signature at its first call, kept in State.builtinPlans.
// Arguments that do not fit at once (strings for numbers, missing ones without default, objects) are left to the general way in
// call.cpp, which converts or raises. The VM's own; knows no function by name.
#pragma once

#include "runtime/object/closure.h"

namespace luapp::rt {

/// What becomes of one argument.
enum class PlanStep : uint8_t { Any, Number, Integer, OptionalInteger, String };
/// How the raw result becomes a pack.
enum class PlanResult : uint8_t { General, Pack, None, Any, Number, Integer, Boolean, String };

struct BuiltinPlan {
    static constexpr unsigned kMaxParams = 6;

    bool isMade = false;
    bool isUsable = false;
    bool takesExtras = false;
    uint8_t params = 0;
    uint8_t required = 0;
    PlanResult result = PlanResult::General;
    PlanStep steps[kMaxParams] = {};
    Word defaults[kMaxParams] = {};
    const TypeDesc* signature = nullptr;
};

/// Calls the library function `f` with `count` boxed arguments at n if its plan takes them: its results are the pack, and true comes back.
/// False: nothing has happened. The links below n must be in place.
bool callByPlan(State& s, Closure* f, Word* n, uint32_t count);

}  // namespace luapp::rt
