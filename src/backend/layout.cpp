#include "backend/layout.h"

#include <algorithm>

namespace luapp::backend {

namespace {

constexpr uint32_t kUnvisited = 0xFFFFFFFFu;

/// Nodes of `graph` in postorder; `rank(n, s)` decides which successor is visited first (the lower one).
template <class Rank>
std::vector<uint32_t> postorder(const FlowGraph& graph, Rank rank) {
    struct Frame {
        uint32_t node;
        uint8_t next;
        uint8_t order[2];
    };
    std::vector<uint32_t> result;
    std::vector<bool> seen(graph.nodes.size(), false);
    std::vector<Frame> stack;
    auto push = [&](uint32_t n) {
        seen[n] = true;
        Frame f{n, 0, {0, 1}};
        const FlowNode& node = graph.nodes[n];
        if (node.numSuccs == 2 && rank(n, node.succ[1]) <= rank(n, node.succ[0])) std::swap(f.order[0], f.order[1]);
        stack.push_back(f);
    };
    result.reserve(graph.nodes.size());
    push(0);
    while (!stack.empty()) {
        Frame& f = stack.back();
        const FlowNode& node = graph.nodes[f.node];
        if (f.next == node.numSuccs) {
            result.push_back(f.node);
            stack.pop_back();
            continue;
        }
        const uint32_t s = node.succ[f.order[f.next++]];
        if (!seen[s]) push(s);
    }
    return result;
}

/// Predecessors in one array.
struct Preds {
    std::vector<uint32_t> first;
    std::vector<uint32_t> list;

    explicit Preds(const FlowGraph& graph) : first(graph.nodes.size() + 1, 0) {
        for (const FlowNode& n : graph.nodes) {
            for (unsigned i = 0; i < n.numSuccs; i++) first[n.succ[i] + 1]++;
        }
        for (size_t i = 1; i < first.size(); i++) first[i] += first[i - 1];
        list.resize(first.back());
        std::vector<uint32_t> at(first.begin(), first.end() - 1);
        for (uint32_t n = 0; n < graph.nodes.size(); n++) {
            for (unsigned i = 0; i < graph.nodes[n].numSuccs; i++) list[at[graph.nodes[n].succ[i]]++] = n;
        }
    }
};

class LoopFinder {
  public:
    explicit LoopFinder(FlowGraph& graph) : graph_(graph), preds_(graph) {}

    void run() {
        const std::vector<uint32_t> post = postorder(graph_, [](uint32_t, uint32_t) { return 0; });
        spreadCold(post);
        postIndex_.assign(graph_.nodes.size(), kUnvisited);
        for (uint32_t i = 0; i < post.size(); i++) postIndex_[post[i]] = i;
        graph_.loopOf.assign(graph_.nodes.size(), kNoLoop);
        graph_.loops.clear();
        // In postorder an inner header comes before the outer one, so loops are found from the inside out.
        for (uint32_t header : post) findLoop(header);
        finish();
    }

  private:
    void spreadCold(const std::vector<uint32_t>& post) {
        for (uint32_t n : post) {
            FlowNode& node = graph_.nodes[n];
            if (node.numSuccs == 0) continue;
            bool cold = true;
            for (unsigned i = 0; i < node.numSuccs; i++) cold = cold && graph_.nodes[node.succ[i]].isCold;
            node.isCold = cold;
        }
    }

    uint32_t outermostOf(uint32_t loop) const {
        while (graph_.loops[loop].parent != kNoLoop) loop = graph_.loops[loop].parent;
        return loop;
    }

    void findLoop(uint32_t header) {
        work_.clear();
        for (uint32_t i = preds_.first[header]; i < preds_.first[header + 1]; i++) {
            const uint32_t p = preds_.list[i];
            // An edge to a node that is finished later goes up the depth-first tree or within one strongly connected region.
            if (postIndex_[p] <= postIndex_[header]) work_.push_back(p);
        }
        if (work_.empty()) return;
        const auto loop = static_cast<uint32_t>(graph_.loops.size());
        graph_.loops.push_back({header, kNoLoop, 1, loop});
        members_.clear();
        adopted_.clear();
        bool natural = true;
        while (!work_.empty() && natural) {
            uint32_t n = work_.back();
            work_.pop_back();
            if (n == header) continue;
            if (graph_.loopOf[n] != kNoLoop) {
                const uint32_t inner = outermostOf(graph_.loopOf[n]);
                if (inner == loop) continue;
                graph_.loops[inner].parent = loop;
                adopted_.push_back(inner);
                n = graph_.loops[inner].header;
            } else {
                graph_.loopOf[n] = loop;
                members_.push_back(n);
            }
            // A walk that escapes the header's part of the depth-first tree came in through a second entry.
            if (n == 0 || postIndex_[n] > postIndex_[header]) natural = false;
            for (uint32_t i = preds_.first[n]; i < preds_.first[n + 1]; i++) work_.push_back(preds_.list[i]);
        }
        if (natural) {
            if (graph_.loopOf[header] == kNoLoop) graph_.loopOf[header] = loop;
            return;
        }
        for (uint32_t n : members_) graph_.loopOf[n] = kNoLoop;
        for (uint32_t l : adopted_) graph_.loops[l].parent = kNoLoop;
        graph_.loops.pop_back();
    }

    /// Turns the list round (outer loops first) and fills in depths.
    void finish() {
        const auto count = static_cast<uint32_t>(graph_.loops.size());
        std::reverse(graph_.loops.begin(), graph_.loops.end());
        auto turned = [&](uint32_t l) { return l == kNoLoop ? kNoLoop : count - 1 - l; };
        for (uint32_t l = 0; l < count; l++) {
            FlowLoop& loop = graph_.loops[l];
            loop.parent = turned(loop.parent);
            loop.depth = loop.parent == kNoLoop ? 1 : graph_.loops[loop.parent].depth + 1;
            loop.outermost = loop.parent == kNoLoop ? l : graph_.loops[loop.parent].outermost;
        }
        for (uint32_t& l : graph_.loopOf) l = turned(l);
    }

    FlowGraph& graph_;
    Preds preds_;
    std::vector<uint32_t> postIndex_;
    std::vector<uint32_t> work_;
    std::vector<uint32_t> members_;
    std::vector<uint32_t> adopted_;
};

}  // namespace

void findLoops(FlowGraph& graph) { LoopFinder(graph).run(); }

std::vector<uint32_t> layoutBlocks(const FlowGraph& graph) {
    // What is visited first ends up last: loop exits and cold blocks before the way that goes on.
    std::vector<uint32_t> order = postorder(graph, [&](uint32_t, uint32_t s) {
        return graph.nodes[s].isCold ? -1 : static_cast<int>(graph.depthOf(s));
    });
    std::reverse(order.begin(), order.end());
    std::stable_partition(order.begin(), order.end(), [&](uint32_t n) { return n == 0 || !graph.nodes[n].isCold; });
    return order;
}

}  // namespace luapp::backend
