// The flow graph for instruction selection: which blocks there are besides those of the IR, and their order.
#include "backend/bytecode/isel_impl.h"
#include "runtime/base/check.h"

namespace luapp::bc {

unsigned Selector::decidedEdge(const ir::Inst* t) {
    if (t->edgeCount != 2) return 0;
    bool negated = false;
    ir::Value c = t->operand(0);
    while (c->is(ir::Op::Not)) {
        c = c->operand(0);
        negated = !negated;
    }
    if (!c->is(ir::Op::ConstBool)) return 2;
    return (c->imm != 0) != negated ? 0 : 1;
}

/// Makes a node for every block that can be reached, in the order in which a walk from the entry meets them.
void Selector::buildGraph() {
    constexpr uint32_t kNone = ~0u;
    nodeOf_.assign(fn_.blockCount(), kNone);
    std::vector<const ir::Block*> work{fn_.entry};
    nodeOf_[fn_.entry->id] = 0;
    nodes_.push_back({fn_.entry});
    graph_.nodes.emplace_back();
    while (!work.empty()) {
        const ir::Block* b = work.back();
        work.pop_back();
        const uint32_t n = nodeOf_[b->id];
        const ir::Inst* t = b->terminator();
        const unsigned decided = decidedEdge(t);
        for (unsigned i = 0; i < t->edgeCount; i++) {
            if (t->edgeCount == 2 && decided != 2 && decided != i) continue;
            const ir::Edge& e = t->edges[i];
            if (nodeOf_[e.to->id] == kNone) {
                nodeOf_[e.to->id] = static_cast<uint32_t>(nodes_.size());
                nodes_.push_back({e.to});
                graph_.nodes.emplace_back();
                work.push_back(e.to);
            }
            backend::FlowNode& node = graph_.nodes[n];
            nodes_[n].edges[node.numSuccs] = &e;
            node.succ[node.numSuccs++] = nodeOf_[e.to->id];
        }
        graph_.nodes[n].isCold = t->is(ir::Op::Raise) || t->is(ir::Op::Unreachable);
    }
}

void Selector::splitCriticalEdges() {
    const auto count = static_cast<uint32_t>(nodes_.size());
    std::vector<uint32_t> preds(count, 0);
    for (const backend::FlowNode& n : graph_.nodes) {
        for (unsigned i = 0; i < n.numSuccs; i++) preds[n.succ[i]]++;
    }
    for (uint32_t n = 0; n < count; n++) {
        if (graph_.nodes[n].numSuccs != 2) continue;
        for (unsigned i = 0; i < 2; i++) {
            const uint32_t target = graph_.nodes[n].succ[i];
            if (preds[target] < 2) continue;
            const auto middle = static_cast<uint32_t>(nodes_.size());
            nodes_.push_back({nullptr, {nodes_[n].edges[i], nullptr}});
            nodes_[n].edges[i] = nullptr;
            graph_.nodes[n].succ[i] = middle;
            graph_.nodes.push_back({{target, 0}, 1});
        }
    }
}

/// Gives every outermost loop that is entered over one edge a block of its own before it, for constants.
void Selector::addPreheaders() {
    constexpr uint32_t kNone = ~0u;
    const auto loopCount = static_cast<uint32_t>(graph_.loops.size());
    preheader_.assign(loopCount, backend::kNoLoop);
    if (loopCount == 0) return;
    std::vector<uint32_t> headerLoop(nodes_.size(), kNone);
    for (uint32_t l = 0; l < loopCount; l++) {
        if (graph_.loops[l].parent == backend::kNoLoop) headerLoop[graph_.loops[l].header] = l;
    }
    std::vector<uint32_t> entries(loopCount, 0);
    std::vector<uint32_t> from(loopCount, 0);
    const auto count = static_cast<uint32_t>(nodes_.size());
    for (uint32_t n = 0; n < count; n++) {
        for (unsigned i = 0; i < graph_.nodes[n].numSuccs; i++) {
            const uint32_t l = headerLoop[graph_.nodes[n].succ[i]];
            if (l == kNone || graph_.inLoop(n, l)) continue;
            entries[l]++;
            from[l] = n;
        }
    }
    for (uint32_t l = 0; l < loopCount; l++) {
        if (entries[l] != 1) continue;
        const uint32_t n = from[l];
        const unsigned i = graph_.nodes[n].succ[0] == graph_.loops[l].header ? 0 : 1;
        preheader_[l] = static_cast<uint32_t>(nodes_.size());
        nodes_.push_back({nullptr, {nodes_[n].edges[i], nullptr}, l});
        nodes_[n].edges[i] = nullptr;
        graph_.nodes[n].succ[i] = preheader_[l];
        backend::FlowNode node{{graph_.loops[l].header, 0}, 1};
        node.isCold = graph_.nodes[graph_.loops[l].header].isCold;
        graph_.nodes.push_back(node);
        graph_.loopOf.push_back(backend::kNoLoop);
    }
}

void Selector::countUses() {
    uses_.assign(fn_.instCount(), 0);
    branchUses_.assign(fn_.instCount(), 0);
    callsCode_.assign(fn_.blockCount(), false);
    for (const Node& n : nodes_) {
        for (const ir::Inst* inst : ir::insts(n.block)) {
            // GlobalX gets the environment itself.
            const bool isGlobal = inst->is(ir::Op::MemberX) && inst->operand(0)->is(ir::Op::EnvGet);
            if (!isGlobal) {
                for (ir::Value v : inst->ops()) uses_[v->id]++;
            }
            switch (inst->op) {
                case ir::Op::Call:
                case ir::Op::CallEnv:
                case ir::Op::CallMethod:
                case ir::Op::CallClo: callsCode_[n.block->id] = true; break;
                default: break;
            }
        }
        for (const ir::Edge* e : n.edges) {
            if (!e) continue;
            for (ir::Value v : e->args) uses_[v->id]++;
        }
    }
    countBranchUses();
}

/// Finds the comparisons that branches can take over: nobody else looks at their result.
void Selector::countBranchUses() {
    for (const Node& n : nodes_) {
        const ir::Inst* t = n.block->terminator();
        if (!t->is(ir::Op::Br)) continue;
        ir::Value c = t->operand(0);
        branchUses_[c->id]++;
        while (c->is(ir::Op::Not) && uses_[c->id] == 1) {
            c = c->operand(0);
            branchUses_[c->id]++;
        }
    }
    for (const Node& n : nodes_) {
        for (const ir::Inst* param : n.block->params) branchUses_[param->id] = 0;
        for (const ir::Inst* inst : ir::insts(n.block)) {
            switch (inst->op) {
                case ir::Op::EqF:
                case ir::Op::LtF:
                case ir::Op::LeF:
                case ir::Op::EqI:
                case ir::Op::LtI:
                case ir::Op::LeI:
                case ir::Op::EqS:
                case ir::Op::IsNil:
                case ir::Op::IsNull:
                case ir::Op::Truthy:
                case ir::Op::Not: break;
                case ir::Op::EqX:
                case ir::Op::LtX:
                case ir::Op::LeX:
                    if (!isLastEffect(inst)) branchUses_[inst->id] = 0;
                    break;
                default: branchUses_[inst->id] = 0; break;
            }
        }
    }
}

/// True if a comparison that may call a metamethod can as well be executed by the branch at the end of its block, and by that alone.
bool Selector::isLastEffect(const ir::Inst* comparison) const {
    if (uses_[comparison->id] != 1) return false;
    const ir::Inst* i = comparison->next;
    while (i && (i->is(ir::Op::Not) || i->isConst())) i = i->next;
    return i == comparison->block->terminator() && i->is(ir::Op::Br);
}

/// The loads of hoisted constants are known only when all code has been selected.
void Selector::emitPreheaders() {
    backend::LirFunction& code = out_.code;
    for (uint32_t l = 0; l < preheader_.size(); l++) {
        if (preheader_[l] == backend::kNoLoop) continue;
        backend::LirBlock& block = code.blocks[position_[preheader_[l]]];
        block.firstInst = static_cast<uint32_t>(code.insts.size());
        for (const auto& [vreg, index] : preheaderLoads_[l]) {
            const ConstCode& c = out_.constants[index];
            LirInst& i = begin(c.op, nullptr);
            i.imm = c.imm;
            i.index = c.data;
            i.loc = 0;
            use(vreg, OperandKind::Def);
        }
        block.endInst = static_cast<uint32_t>(code.insts.size());
    }
}

}  // namespace luapp::bc
