// Which passes run at which level, in what order, and why.

#include "middle/pass_manager.h"

namespace luapp::ir {

namespace {

/// A pass, and the lowest level at which it runs at this place.
struct Step {
    PassId pass;
    int level;
};

constexpr Step kSteps[] = {
    // Part of the language, not only an optimisation: recursion by tail calls needs no stack.
    {PassId::TailCall, 0},
    // This too: a const function has no frame of its own at any level.
    {PassId::InlineConst, 0},
    // What functions read of their module is a constant to them.
    {PassId::ModuleConstants, 1},
    // Constants first, so that branches on them are decided.
    {PassId::Simplify, 1},
    // Constants that only a walk around the loops finds.
    {PassId::Sccp, 2},
    {PassId::SimplifyCfg, 1},
    // Calls that can only mean one function are candidates for inlining.
    {PassId::Devirtualise, 2},
    // Functions are measured when the waste of lowering is gone, and seen through by all that follows.
    {PassId::Inline, 2},
    {PassId::SimplifyCfg, 2},
    // What is any and yet a number, before its boxes are seen through.
    {PassId::NumberBoxes, 1},
    // Objects that inlining left at home: what is known of their fields is known to all that follows.
    {PassId::Escape, 2},
    // Joined blocks lose parameters that hid constants and undone conversions.
    {PassId::Simplify, 1},
    // Counters that are numbers become integers before loads are compared by their indexes.
    {PassId::Narrow, 2},
    // One name for what is read twice, so that what is computed from it repeats as well.
    {PassId::LoadElimination, 1},
    // What nobody reads now that fields are read once.
    {PassId::DeadStores, 2},
    // Repetitions show when everything is simple; fewer instructions for all that follows.
    {PassId::ValueNumbering, 1},
    // Overflow checks go before hoisting: arithmetic that may raise does not move.
    {PassId::Range, 1},
    // Unchecked arithmetic adds up.
    {PassId::Combine, 2},
    // Bodies are at their shortest, and their counters known to be unchecked.
    {PassId::LoopFusion, 2},
    // With ranges known and loops fused; comparisons that are decided are not hoisted.
    {PassId::CheckElimination, 2},
    // The constants it makes are hoisted.
    {PassId::StrengthReduction, 2},
    // Checks and arithmetic that raises leave the loop; licm then hoists what depends on them.
    {PassId::LoopInversion, 2},
    {PassId::Licm, 1},
    // Conditions that do not change stand in front of their loops now.
    {PassId::Unswitch, 2},
    // What lost its last use, and loop variables that only served themselves.
    {PassId::Dce, 1},
    // Blocks that became empty when their instructions moved or died.
    {PassId::SimplifyCfg, 1},
};

}  // namespace

std::vector<const PassInfo*> pipeline(int level) {
    std::vector<const PassInfo*> passes;
    for (const Step& step : kSteps) {
        if (step.level <= level) passes.push_back(&passInfo(step.pass));
    }
    return passes;
}

}  // namespace luapp::ir
