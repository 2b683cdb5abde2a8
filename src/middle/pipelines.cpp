// Which passes run at which level, in what order, and why.

#include "middle/pass_manager.h"

namespace luapp::ir {

std::vector<const PassInfo*> pipeline(int level) {
    std::vector<PassId> ids;
    // Part of the language, not only an optimisation: recursion by tail calls needs no stack.
    ids.push_back(PassId::TailCall);
    // This too: a const function has no frame of its own at any level.
    ids.push_back(PassId::InlineConst);
    if (level >= 1) {
        // What functions read of their module is a constant to them.
        ids.push_back(PassId::ModuleConstants);
        // Constants first, so that branches on them are decided.
        ids.push_back(PassId::Simplify);
        // Constants that only a walk around the loops finds.
        if (level >= 2) ids.push_back(PassId::Sccp);
        ids.push_back(PassId::SimplifyCfg);
    }
    if (level >= 2) {
        // Functions are measured when the waste of lowering is gone, and seen through by all that follows.
        ids.push_back(PassId::Inline);
        ids.push_back(PassId::SimplifyCfg);
    }
    if (level >= 1) {
        // What is any and yet a number, before its boxes are seen through.
        ids.push_back(PassId::NumberBoxes);
        // Joined blocks lose parameters that hid constants and undone conversions.
        ids.push_back(PassId::Simplify);
        // One name for what is read twice, so that what is computed from it repeats as well.
        ids.push_back(PassId::FieldValues);
        // What nobody reads now that fields are read once.
        if (level >= 2) ids.push_back(PassId::DeadStores);
        // Repetitions show when everything is simple; fewer instructions for all that follows.
        ids.push_back(PassId::ValueNumbering);
        // Overflow checks go before hoisting: arithmetic that may raise does not move.
        ids.push_back(PassId::Range);
        if (level >= 2) {
            // Unchecked arithmetic adds up.
            ids.push_back(PassId::Combine);
            // The constants it makes are hoisted.
            ids.push_back(PassId::StrengthReduction);
        }
        // Bodies are at their shortest, and their counters known to be unchecked.
        if (level >= 2) ids.push_back(PassId::LoopFusion);
        ids.push_back(PassId::Licm);
        // What lost its last use, and loop variables that only served themselves.
        ids.push_back(PassId::Dce);
        // Blocks that became empty when their instructions moved or died.
        ids.push_back(PassId::SimplifyCfg);
    }
    std::vector<const PassInfo*> passes;
    for (PassId id : ids) passes.push_back(&passInfo(id));
    return passes;
}

}  // namespace luapp::ir
