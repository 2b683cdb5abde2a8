#include "backend/parallel_move.h"

#include <algorithm>

namespace luapp::backend {

bool ParallelMove::flush(std::vector<Move>& out, Location scratch) {
    if (pending_.empty()) return false;
    if (pending_.size() == 1) {
        out.push_back(pending_[0]);
        pending_.clear();
        return false;
    }
    Location top = scratch;
    for (const Move& m : pending_) top = std::max({top, m.dst, isConst(m.src) ? 0 : m.src});
    if (readers_.size() <= top) {
        readers_.resize(top + 1, 0);
        writer_.resize(top + 1, 0);
    }
    for (uint32_t i = 0; i < pending_.size(); i++) {
        const Move& m = pending_[i];
        if (isConst(m.src)) continue;
        writer_[m.dst] = i + 1;
        readers_[m.src]++;
    }
    bool usedScratch = false;
    auto perform = [&](uint32_t i) {
        const Move m = pending_[i];
        out.push_back(m);
        writer_[m.dst] = 0;
        if (--readers_[m.src] == 0 && writer_[m.src] != 0) ready_.push_back(writer_[m.src] - 1);
    };
    auto drain = [&] {
        while (!ready_.empty()) {
            const uint32_t i = ready_.back();
            ready_.pop_back();
            perform(i);
        }
    };
    for (uint32_t i = 0; i < pending_.size(); i++) {
        if (!isConst(pending_[i].src) && readers_[pending_[i].dst] == 0) ready_.push_back(i);
    }
    drain();
    // What is left are cycles: free one place of each by moving it to the scratch place.
    for (uint32_t i = 0; i < pending_.size(); i++) {
        Move& m = pending_[i];
        if (isConst(m.src) || writer_[m.dst] != i + 1) continue;
        usedScratch = true;
        out.push_back({scratch, m.src});
        const Location freed = m.src;
        readers_[freed]--;
        m.src = scratch;
        readers_[scratch]++;
        ready_.push_back(writer_[freed] - 1);
        drain();
    }
    for (const Move& m : pending_) {
        if (isConst(m.src)) out.push_back(m);
    }
    pending_.clear();
    return usedScratch;
}

}  // namespace luapp::backend
