// The contract of an optimisation pass.
//
// A pass is a free function, declared below from passes.def: a function pass may change only the function it gets, a module
// pass the whole module. It returns whether it changed anything. It must leave what the verifier accepts, must be
// deterministic, must take time about linear in the size of its input, and must not look at source text. It keeps the Loc of every
// instruction that may raise. What it counts goes into PassContext::count, under names of its own. The pass manager runs it,
// times it and verifies after it; a pass never calls another pass.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "middle/analysis/analysis_cache.h"

namespace luapp::ir {

/// One number a pass counted, e.g. {"inline", "calls inlined", 12}.
struct Statistic {
    std::string_view pass;
    std::string_view what;
    uint64_t count = 0;
};

/// What a pass may use besides the IR.
struct PassContext {
    /// Name of the running pass; set by the pass manager.
    std::string_view pass;
    std::vector<Statistic> statistics;
    /// Dominators and loops, kept from pass to pass.
    AnalysisCache analyses;

    /// Adds to the statistic `what` of the running pass. `what` is a literal.
    void count(std::string_view what, uint64_t n = 1) {
        if (n == 0) return;
        for (Statistic& s : statistics) {
            if (s.pass == pass && s.what == what) {
                s.count += n;
                return;
            }
        }
        statistics.push_back({pass, what, n});
    }
};

/// The passes; entries come from passes.def.
enum class PassId : uint8_t {
#define LUAPP_FUNCTION_PASS(Id, name, level, what) Id,
#define LUAPP_MODULE_PASS(Id, name, level, what) Id,
#include "middle/passes.def"
};

#define LUAPP_FUNCTION_PASS(Id, name, level, what) bool run##Id(Function& fn, PassContext& context);
#define LUAPP_MODULE_PASS(Id, name, level, what) bool run##Id(Module& module, PassContext& context);
#include "middle/passes.def"

/// One line of passes.def. Exactly one of the two functions is set.
struct PassInfo {
    PassId id;
    std::string_view name;
    int level;
    std::string_view what;
    bool (*runFunction)(Function&, PassContext&);
    bool (*runModule)(Module&, PassContext&);
};

/// All passes, in the order of passes.def.
std::span<const PassInfo> allPasses();
inline const PassInfo& passInfo(PassId id) { return allPasses()[static_cast<size_t>(id)]; }
/// The pass of that name, or null.
const PassInfo* findPass(std::string_view name);

}  // namespace luapp::ir
