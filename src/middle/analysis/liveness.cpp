#include "middle/analysis/liveness.h"

namespace luapp::ir {

namespace {

/// Walks every value from its uses in other blocks to its definition.
class Walk {
  public:
    explicit Walk(const Function& fn) : fn_(fn), markedIn_(fn.blockCount(), 0), markedOut_(fn.blockCount(), 0) {}

    struct Entry {
        const Block* block;
        Value value;
    };
    std::vector<Entry> in;
    std::vector<Entry> out;

    void run() {
        collectUses();
        for (const Block* block : blocks(fn_)) {
            for (Value param : block->params) walk(param);
            for (Inst* inst = block->first; inst; inst = inst->next) walk(inst);
        }
    }

  private:
    // Use blocks of all values, those of value id v at [starts_[v], starts_[v + 1]). An edge's argument is used at the end of the
    // block the edge leaves; that and an ordinary use make no difference here, since both lie outside the definition's block.
    void collectUses() {
        starts_.assign(fn_.instCount() + 1, 0);
        forEachUse([&](Value v, const Block*) { starts_[v->id + 1]++; });
        for (size_t i = 1; i < starts_.size(); i++) starts_[i] += starts_[i - 1];
        uses_.resize(starts_.back());
        std::vector<uint32_t> fill(starts_.begin(), starts_.end() - 1);
        forEachUse([&](Value v, const Block* block) { uses_[fill[v->id]++] = block; });
    }

    template <class F>
    void forEachUse(F&& visit) {
        for (const Block* block : blocks(fn_)) {
            for (const Inst* inst = block->first; inst; inst = inst->next) {
                for (Value v : inst->ops()) {
                    if (v->block != block) visit(v, block);
                }
            }
            for (const Edge& edge : block->succs()) {
                for (Value v : edge.args) {
                    if (v->block != block) visit(v, block);
                }
            }
        }
    }

    void walk(Value v) {
        const uint32_t stamp = v->id + 1;
        for (uint32_t i = starts_[v->id]; i < starts_[v->id + 1]; i++) reach(uses_[i], stamp, v);
        while (!work_.empty()) {
            const Block* block = work_.back();
            work_.pop_back();
            for (const Edge* edge : block->preds) {
                const Block* from = edge->from;
                if (markedOut_[from->id] != stamp) {
                    markedOut_[from->id] = stamp;
                    out.push_back({from, v});
                }
                if (from != v->block) reach(from, stamp, v);
            }
        }
    }

    void reach(const Block* block, uint32_t stamp, Value v) {
        if (markedIn_[block->id] == stamp) return;
        markedIn_[block->id] = stamp;
        in.push_back({block, v});
        work_.push_back(block);
    }

    const Function& fn_;
    std::vector<uint32_t> markedIn_;   // by block id: 1 + id of the last value found live there
    std::vector<uint32_t> markedOut_;
    std::vector<uint32_t> starts_;
    std::vector<const Block*> uses_;
    std::vector<const Block*> work_;
};

template <class Sets>
void sortIntoSets(const std::vector<Walk::Entry>& entries, size_t blockCount, Sets& sets) {
    sets.starts.assign(blockCount + 1, 0);
    for (const Walk::Entry& e : entries) sets.starts[e.block->id + 1]++;
    for (size_t i = 1; i <= blockCount; i++) sets.starts[i] += sets.starts[i - 1];
    sets.values.resize(entries.size());
    std::vector<uint32_t> fill(sets.starts.begin(), sets.starts.end() - 1);
    for (const Walk::Entry& e : entries) sets.values[fill[e.block->id]++] = e.value;
}

}  // namespace

Liveness::Liveness(const Function& fn) {
    Walk walk(fn);
    walk.run();
    sortIntoSets(walk.in, fn.blockCount(), in_);
    sortIntoSets(walk.out, fn.blockCount(), out_);
}

}  // namespace luapp::ir
