// Analyses that passes share.
//
// A pass asks for the dominator tree or the loops of its function; what an earlier pass had computed is handed out again as long as
// Function::shape() says that blocks and edges are the same. What was handed out stays as it is, though the pass changes the function,
// until the same pass asks again or another one runs.
#pragma once

#include <optional>

#include "middle/analysis/dominators.h"

namespace luapp::ir {

class AnalysisCache {
  public:
    const Dominators& dominators(const Function& fn) {
        if (fn_ != &fn || shape_ != fn.shape()) {
            fn_ = &fn;
            shape_ = fn.shape();
            loops_.reset();
            dominators_.emplace(fn);
        }
        return *dominators_;
    }
    const Loops& loops(const Function& fn) {
        const Dominators& tree = dominators(fn);
        if (!loops_) loops_.emplace(fn, tree);
        return *loops_;
    }

  private:
    const Function* fn_ = nullptr;
    uint64_t shape_ = 0;
    std::optional<Dominators> dominators_;
    std::optional<Loops> loops_;
};

}  // namespace luapp::ir
