#include "middle/analysis/dominators.h"

#include <algorithm>

namespace luapp::ir {

namespace {

/// Lengauer-Tarjan over depth-first numbers (0 is the entry).
class LengauerTarjan {
  public:
    explicit LengauerTarjan(const Function& fn) : number_(fn.blockCount(), kNone) {
        search(fn.entry);
        const auto n = uint32_t(vertex_.size());
        semi_.resize(n);
        best_.resize(n);
        for (uint32_t v = 0; v < n; v++) semi_[v] = best_[v] = v;
        ancestor_.assign(n, kNone);
        idom_.assign(n, 0);
        bucketHead_.assign(n, kNone);
        bucketNext_.assign(n, kNone);
        solve();
    }

    size_t size() const { return vertex_.size(); }
    Block* block(uint32_t v) const { return vertex_[v]; }
    uint32_t idom(uint32_t v) const { return idom_[v]; }
    /// Blocks in the order in which the search left them.
    const std::vector<Block*>& postorder() const { return postorder_; }

  private:
    static constexpr uint32_t kNone = ~0u;

    void search(Block* entry) {
        struct Frame {
            Block* block;
            uint32_t edge;
        };
        std::vector<Frame> stack;
        stack.reserve(number_.size());
        vertex_.reserve(number_.size());
        parent_.reserve(number_.size());
        postorder_.reserve(number_.size());
        auto visit = [&](Block* block, uint32_t parent) {
            number_[block->id] = uint32_t(vertex_.size());
            vertex_.push_back(block);
            parent_.push_back(parent);
            stack.push_back({block, 0});
        };
        visit(entry, kNone);
        while (!stack.empty()) {
            Frame& frame = stack.back();
            std::span<Edge> succs = frame.block->succs();
            if (frame.edge == succs.size()) {
                postorder_.push_back(frame.block);
                stack.pop_back();
                continue;
            }
            // The last successor first: in reverse postorder the first one then follows its block.
            Block* to = succs[succs.size() - 1 - frame.edge++].to;
            if (number_[to->id] == kNone) visit(to, number_[frame.block->id]);
        }
    }

    uint32_t evaluate(uint32_t v) {
        if (ancestor_[v] == kNone) return v;
        chain_.clear();
        for (uint32_t at = v; ancestor_[ancestor_[at]] != kNone; at = ancestor_[at]) chain_.push_back(at);
        for (size_t i = chain_.size(); i-- > 0;) {
            const uint32_t at = chain_[i];
            const uint32_t above = ancestor_[at];
            if (semi_[best_[above]] < semi_[best_[at]]) best_[at] = best_[above];
            ancestor_[at] = ancestor_[above];
        }
        return best_[v];
    }

    void solve() {
        for (uint32_t w = uint32_t(vertex_.size()); w-- > 1;) {
            for (const Edge* edge : vertex_[w]->preds) {
                const uint32_t v = number_[edge->from->id];
                if (v == kNone) continue;
                semi_[w] = std::min(semi_[w], semi_[evaluate(v)]);
            }
            bucketNext_[w] = bucketHead_[semi_[w]];
            bucketHead_[semi_[w]] = w;
            const uint32_t p = parent_[w];
            ancestor_[w] = p;
            for (uint32_t v = bucketHead_[p]; v != kNone; v = bucketNext_[v]) {
                const uint32_t u = evaluate(v);
                idom_[v] = semi_[u] < semi_[v] ? u : p;
            }
            bucketHead_[p] = kNone;
        }
        for (uint32_t w = 1; w < vertex_.size(); w++) {
            if (idom_[w] != semi_[w]) idom_[w] = idom_[idom_[w]];
        }
    }

    std::vector<uint32_t> number_;  // by block id
    std::vector<Block*> vertex_;
    std::vector<Block*> postorder_;
    std::vector<uint32_t> parent_;
    std::vector<uint32_t> semi_;
    std::vector<uint32_t> best_;
    std::vector<uint32_t> ancestor_;
    std::vector<uint32_t> idom_;
    std::vector<uint32_t> bucketHead_;
    std::vector<uint32_t> bucketNext_;
    std::vector<uint32_t> chain_;
};

}  // namespace

Dominators::Dominators(const Function& fn) {
    position_.assign(fn.blockCount(), kNone);
    idom_.assign(fn.blockCount(), nullptr);
    const LengauerTarjan tree(fn);
    order_.assign(tree.postorder().rbegin(), tree.postorder().rend());
    for (uint32_t i = 0; i < order_.size(); i++) position_[order_[i]->id] = i;
    for (uint32_t v = 1; v < tree.size(); v++) idom_[tree.block(v)->id] = tree.block(tree.idom(v));
    buildTree(fn);
}

void Dominators::buildTree(const Function& fn) {
    childStarts_.assign(fn.blockCount() + 1, 0);
    for (Block* block : order_) {
        if (Block* up = idom(block)) childStarts_[up->id + 1]++;
    }
    for (size_t i = 1; i < childStarts_.size(); i++) childStarts_[i] += childStarts_[i - 1];
    children_.resize(order_.size());
    std::vector<uint32_t> fill(childStarts_.begin(), childStarts_.end() - 1);
    for (Block* block : order_) {
        if (Block* up = idom(block)) children_[fill[up->id]++] = block;
    }
    enter_.assign(fn.blockCount(), 0);
    leave_.assign(fn.blockCount(), 0);
    uint32_t clock = 0;
    std::vector<std::pair<Block*, size_t>> stack;
    stack.reserve(order_.size());
    stack.push_back({fn.entry, 0});
    enter_[fn.entry->id] = clock++;
    while (!stack.empty()) {
        auto& [block, next] = stack.back();
        if (next == children(block).size()) {
            leave_[block->id] = clock++;
            stack.pop_back();
            continue;
        }
        Block* child = children(block)[next++];
        enter_[child->id] = clock++;
        stack.push_back({child, 0});
    }
}

std::span<Block* const> Dominators::children(const Block* block) const {
    return {children_.data() + childStarts_[block->id], childStarts_[block->id + 1] - childStarts_[block->id]};
}

// --- loops ------------------------------------------------------------------------------------------------------

Loops::Loops(const Function& fn, const Dominators& dominators) : of_(fn.blockCount(), nullptr) {
    std::span<Block* const> order = dominators.order();
    auto isLatch = [&](const Edge* edge, const Block* header) {
        return dominators.isReachable(edge->from) && dominators.dominates(header, edge->from);
    };
    size_t count = 0;
    for (Block* block : order) {
        count += std::any_of(block->preds.begin(), block->preds.end(), [&](Edge* e) { return isLatch(e, block); });
    }
    storage_.reserve(count);
    // Inner headers come later in the order: walking it backwards, a block that already has a loop stands for the
    // outermost loop found around it so far.
    std::vector<Block*> work;
    std::vector<LoopInfo*> around;  // by index: some loop around it, itself if none is known. goto can nest loops by the thousand
    auto outermost = [&](LoopInfo* loop) {
        while (around[loop->index] != loop) {
            LoopInfo*& next = around[loop->index];
            loop = next = around[next->index];
        }
        return loop;
    };
    for (size_t i = order.size(); i-- > 0;) {
        Block* header = order[i];
        LoopInfo* loop = nullptr;
        work.clear();
        for (const Edge* edge : header->preds) {
            if (!isLatch(edge, header)) continue;
            if (!loop) loop = &storage_.emplace_back();
            loop->header = header;
            loop->latches.push_back(edge->from);
            work.push_back(edge->from);
        }
        if (!loop) continue;
        loop->index = uint32_t(all_.size());
        all_.push_back(loop);
        around.push_back(loop);
        while (!work.empty()) {
            Block* block = work.back();
            work.pop_back();
            LoopInfo* inner = of_[block->id];
            Block* top = block;
            if (!inner) {
                of_[block->id] = loop;
            } else {
                inner = outermost(inner);
                if (inner == loop) continue;
                inner->parent = around[inner->index] = loop;
                top = inner->header;
            }
            if (top == header) continue;
            for (const Edge* edge : top->preds) {
                if (dominators.isReachable(edge->from)) work.push_back(edge->from);
            }
        }
        of_[header->id] = loop;
    }
    for (size_t i = all_.size(); i-- > 0;) all_[i]->depth = all_[i]->parent ? all_[i]->parent->depth + 1 : 1;
}

bool Loops::contains(const LoopInfo* loop, const Block* block) const {
    LoopInfo* at = of(block);
    while (at && at->depth > loop->depth) at = at->parent;
    return at == loop;
}

}  // namespace luapp::ir
