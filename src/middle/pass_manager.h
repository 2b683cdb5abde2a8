// Runs passes over a module: the one place where they are timed, printed after, verified after and counted.
//
// The driver calls optimise() between lowering and the backend. Pipelines (which passes at which level, in what order, and why) stand
// in pipelines.cpp. A failed verification is a bug of ours: it is reported with pass and function, and the process
// ends with status 70.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "middle/pass.h"

namespace luapp::ir {

/// The -O levels: 0 does only what the language asks for, 1 what is cheap for what it gives, 2 everything.
inline constexpr int kMaxLevel = 2, kDefaultLevel = kMaxLevel;

struct PipelineOptions {
    int level = kDefaultLevel;
    /// If set: run just these, in this order, instead of the level's pipeline (`--passes=a,b`).
    std::optional<std::vector<const PassInfo*>> passes;
    /// Print functions to `printTo` after these passes.
    std::vector<const PassInfo*> printAfter;
    std::string* printTo = nullptr;
    /// Verify after every pass. Debug builds always do.
    bool verifyEach = false;
    /// Stop after that many runs of a pass on a function (a module pass counts as one): bisection of a miscompilation.
    uint64_t passLimit = ~uint64_t{0};
    bool measureTime = false;
};

/// What happened.
struct PipelineReport {
    struct PassTime {
        std::string_view pass;
        double seconds = 0;
    };
    std::vector<PassTime> times;  // if measured; in order of first run
    std::vector<Statistic> statistics;
    uint64_t passRuns = 0;
};

/// The passes of level `level`, in order.
std::vector<const PassInfo*> pipeline(int level);

/// Optimises `module` in place.
PipelineReport optimise(Module& module, const PipelineOptions& options = {});

/// Reads a comma-separated list of pass names ("none": no pass). False with the unknown name in `unknown` if there is one.
bool parsePassList(std::string_view text, std::vector<const PassInfo*>& passes, std::string_view& unknown);

}  // namespace luapp::ir
