#include "runtime/vm/builtin_plan.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/base/numeric.h"
#include "runtime/vm/call.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/convert.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

/// The step for a parameter; false if it is not a simple one.
bool stepOf(const TypeDesc* type, PlanStep& step) {
    switch (type->kind) {
        case TypeKind::Any: step = PlanStep::Any; return true;
        case TypeKind::Number: step = PlanStep::Number; return true;
        case TypeKind::Integer: step = PlanStep::Integer; return true;
        case TypeKind::String: step = PlanStep::String; return true;
        case TypeKind::Union: {
            step = PlanStep::OptionalInteger;
            auto isIntegerOrNil = [](const TypeDesc* part) { return part->kind == TypeKind::Integer || part->kind == TypeKind::Nil; };
            return type->rep == Rep::Box && std::ranges::all_of(type->parts, isIntegerOrNil);
        }
        default: return false;
    }
}

PlanResult resultOf(const TypeDesc* signature) {
    if (signature->hasResultPack) return PlanResult::Pack;
    if (signature->results.empty()) return PlanResult::None;
    if (signature->results.size() > 1) return PlanResult::General;
    switch (signature->results[0]->kind) {
        case TypeKind::Any: return PlanResult::Any;
        case TypeKind::Number: return PlanResult::Number;
        case TypeKind::Integer: return PlanResult::Integer;
        case TypeKind::Boolean: return PlanResult::Boolean;
        case TypeKind::String: return PlanResult::String;
        default: return PlanResult::General;
    }
}

LUAPP_COLD void makePlan(State& s, const Closure* f, uint32_t index, BuiltinPlan& plan) {
    plan.isMade = true;
    const bool needsType = s.builtins->needsType != nullptr && s.builtins->needsType[index] != 0;
    if (f->aux == 0 || needsType || s.builtins->signature == nullptr) return;
    const TypeDesc* signature = s.types.at(f->aux);
    // Generic functions have another signature for each receiver.
    if (s.builtins->signature(s, index, nullptr, 0) != signature) return;
    if (signature->paramCount() > BuiltinPlan::kMaxParams) return;
    if (signature->vararg != nullptr && signature->vararg->kind != TypeKind::Any) return;
    plan.signature = signature;
    plan.params = static_cast<uint8_t>(signature->paramCount());
    plan.required = static_cast<uint8_t>(signature->requiredCount());
    plan.takesExtras = signature->isVararg();
    plan.result = resultOf(signature);
    for (unsigned k = 0; k < plan.params; k++) {
        if (!stepOf(signature->parts[k], plan.steps[k])) return;
        if (k < plan.required) continue;
        if (plan.steps[k] == PlanStep::String) return;  // a default that is a string is made at each call
        plan.defaults[k] = s.builtins->defaultArgument(s, index, k);
    }
    plan.isUsable = true;
}

/// True if a box is what a step takes as it stands.
LUAPP_ALWAYS_INLINE bool fits(PlanStep step, Word w) {
    int64_t whole;
    switch (step) {
        case PlanStep::Any: return true;
        case PlanStep::Number: return w <= kLastNumber;
        case PlanStep::OptionalInteger:
            if (w == kNilBox) return true;
            [[fallthrough]];
        case PlanStep::Integer: return w <= kLastNumber && base::numberToInteger(numberOf(w), whole);
        case PlanStep::String: return Value::fromWord(w).isString();
    }
    return false;
}

LUAPP_ALWAYS_INLINE void finish(State& s, const BuiltinPlan& plan, Word first) {
    Word box;
    switch (plan.result) {
        case PlanResult::Pack: return;
        case PlanResult::None: s.resultCount = 0; return;
        case PlanResult::Any:
        case PlanResult::Number: box = first; break;
        case PlanResult::Integer: box = wordOf(static_cast<double>(integerOf(first))); break;
        case PlanResult::Boolean: box = first != 0 ? kTrueBox : kFalseBox; break;
        case PlanResult::String: box = Value::string(refOf<String>(first)).word(); break;
        default: boxResults(s, plan.signature, first); return;
    }
    s.results[0] = box;
    s.resultCount = 1;
}

}  // namespace

bool callByPlan(State& s, Closure* f, Word* n, uint32_t count) {
    const int64_t at = f->builtinIndex();
    if (at < 0 || (f->flags & (Closure::kAdapter | Closure::kBound)) != 0) return false;
    const auto index = static_cast<uint32_t>(at);
    if (LUAPP_UNLIKELY(s.builtinPlans == nullptr)) {
        s.builtinPlans = static_cast<BuiltinPlan*>(std::calloc(s.builtins->count, sizeof(BuiltinPlan)));
    }
    BuiltinPlan& plan = s.builtinPlans[index];
    if (LUAPP_UNLIKELY(!plan.isMade)) makePlan(s, f, index, plan);
    if (!plan.isUsable || count < plan.required) return false;
    const uint32_t given = count < plan.params ? count : plan.params;
    for (uint32_t k = 0; k < given; k++) {
        if (!fits(plan.steps[k], n[k])) return false;
    }
    for (uint32_t k = 0; k < given; k++) {
        if (plan.steps[k] == PlanStep::Integer) n[k] = wordOf(static_cast<int64_t>(numberOf(n[k])));
        if (plan.steps[k] == PlanStep::String) n[k] &= kPayloadMask;
    }
    for (uint32_t k = given; k < plan.params; k++) n[k] = plan.defaults[k];
    s.argCount = plan.takesExtras ? count - given : 0;
    s.top = n + (count < plan.params ? plan.params : count) + kBuiltinArgRoom;
    const Word first = f->builtin()(s, n);
    finish(s, plan, first);
    return true;
}

}  // namespace luapp::rt
