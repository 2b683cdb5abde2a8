#include "middle/ir.h"

#include "runtime/base/check.h"

namespace luapp::ir {

// clang-format off
const OpInfo kOpInfos[kOpCount] = {
#define LUAPP_IR_OP(name, text, operands, imms, result, effects, flags) \
    {#name, text, operands, imms, ResultRule::result, effects, flags},
#include "middle/ir_ops.def"
};
// clang-format on

Rep fixedRep(Op op) {
    switch (opInfo(op).result) {
        case ResultRule::Void: return Rep::Void;
        case ResultRule::F64: return Rep::F64;
        case ResultRule::I64: return Rep::I64;
        case ResultRule::Bool: return Rep::Bool;
        case ResultRule::Ref: return Rep::Ref;
        case ResultRule::Box: return Rep::Box;
        case ResultRule::Pack: return Rep::Pack;
        case ResultRule::Typed: return Rep::Void;
    }
    return Rep::Void;
}

uint32_t effectsOf(const Inst& inst) {
    const uint32_t effects = opInfo(inst.op).effects;
    if (inst.is(Op::CallBuiltin)) return inst.flags & Inst::kPureCall ? uint32_t{Pure} : effects;
    if (!(effects & Raises) || inst.operandCount != 2) return effects;
    const Inst* right = Function::resolve(inst.operands[1]);
    if (!right->is(Op::ConstI64)) return effects;
    // Results below stay within 2^53 because the left operand does.
    const bool isDivision = inst.is(Op::IDivI) || inst.is(Op::ModI);
    const bool isNarrowing = inst.is(Op::AndI) || inst.is(Op::ShrI);
    const bool cannotRaise = (isDivision && right->imm != 0) || (isNarrowing && right->imm >= 0);
    return cannotRaise ? effects & ~uint32_t{Raises} : effects;
}

bool needsBarrier(const Inst& value) {
    switch (value.op) {
        case Op::ConstNull:
        case Op::ConstNil:
        case Op::ConstBoxBool:
        case Op::BoxF:
        case Op::BoxI:
        case Op::BoxB: return false;
        default: return base::mayHoldPointer(value.rep);
    }
}

bool isSpeculatable(const Inst& inst) {
    const uint32_t effects = effectsOf(inst);
    // Executed early an operand may be anything, also out of the range that keeps the operation from raising: any word shifted may be too
    // large still, and the least word divided by -1 traps.
    if (opInfo(inst.op).effects & Raises && (inst.is(Op::ShrI) || (inst.operandCount == 2 && Function::resolve(inst.operands[1])->isConstI64(-1))))
        return false;
    // The verifier of chunk files has a box checked where it cannot prove what is in it.
    if (inst.is(Op::UnboxU)) return false;
    // ... and a captured value of which it was told more than its declaration says.
    if (inst.is(Op::CaptureGet) && inst.imm2 != 0) return false;
    return !(effects & (kObservable | ReadsAnything | Allocs)) && !(opInfo(inst.op).flags & (Guarded | Terminator)) &&
           !inst.isParam();
}

// --- making -----------------------------------------------------------------------------------------------------

Block* Function::addBlock(Block* before) {
    auto* block = arena().make<Block>();
    block->id = nextBlock_++;
    block->function = this;
    shape_++;
    if (!before) {
        block->prev = lastBlock;
        (lastBlock ? lastBlock->next : entry) = block;
        lastBlock = block;
        return block;
    }
    block->next = before;
    block->prev = before->prev;
    (before->prev ? before->prev->next : entry) = block;
    before->prev = block;
    return block;
}

Value Function::addParam(Block* block, Rep rep) {
    Inst* param = makeInst(Op::Param, rep, {}, {});
    param->imm = block->params.count;
    param->block = block;
    block->params.push(arena(), param);
    return param;
}

Inst* Function::makeInst(Op op, Rep rep, std::span<const Value> operands, Loc loc, unsigned edgeCount) {
    auto* inst = static_cast<Inst*>(arena().allocate(sizeof(Inst) + operands.size() * sizeof(Value), alignof(Inst)));
    new (inst) Inst{};
    inst->op = op;
    inst->rep = rep;
    inst->id = nextInst_++;
    inst->loc = loc;
    inst->operandCount = uint32_t(operands.size());
    inst->operands = reinterpret_cast<Value*>(inst + 1);
    for (size_t i = 0; i < operands.size(); i++) inst->operands[i] = operands[i];
    if (edgeCount) {
        inst->edgeCount = uint8_t(edgeCount);
        inst->edges = static_cast<Edge*>(arena().allocate(edgeCount * sizeof(Edge), alignof(Edge)));
        for (unsigned i = 0; i < edgeCount; i++) new (&inst->edges[i]) Edge{};
    }
    return inst;
}

void Function::append(Block* block, Inst* inst) {
    inst->block = block;
    inst->prev = block->last;
    inst->next = nullptr;
    (block->last ? block->last->next : block->first) = inst;
    block->last = inst;
    for (Edge& edge : inst->succs()) edge.from = block;
    if (inst->hasEdges()) shape_++;
}

void Function::insertBefore(Inst* at, Inst* inst) {
    inst->block = at->block;
    inst->next = at;
    inst->prev = at->prev;
    (at->prev ? at->prev->next : at->block->first) = inst;
    at->prev = inst;
}

void Function::insertAfter(Inst* at, Inst* inst) {
    if (at->next) {
        insertBefore(at->next, inst);
    } else {
        append(at->block, inst);
    }
}

void Function::prepend(Block* block, Inst* inst) {
    if (block->first) {
        insertBefore(block->first, inst);
    } else {
        append(block, inst);
    }
}

void Function::connect(Inst* terminator, unsigned i, Block* to) {
    Edge& edge = terminator->edges[i];
    edge.from = terminator->block;
    shape_++;
    edge.to = to;
    edge.predIndex = to->preds.count;
    to->preds.push(arena(), &edge);
}

// --- editing ----------------------------------------------------------------------------------------------------

namespace {

/// Takes `edge` out of the predecessor list of its target.
void forgetPred(Edge& edge) {
    ArenaVec<Edge*>& preds = edge.to->preds;
    Edge* moved = preds.back();
    preds[edge.predIndex] = moved;
    moved->predIndex = edge.predIndex;
    preds.truncate(preds.count - 1);
}

}  // namespace

void Function::unlink(Inst* inst) {
    Block* block = inst->block;
    if (!block || inst->isParam()) return;
    (inst->prev ? inst->prev->next : block->first) = inst->next;
    (inst->next ? inst->next->prev : block->last) = inst->prev;
    inst->prev = inst->next = nullptr;
    inst->block = nullptr;
}

void Function::remove(Inst* inst) {
    for (Edge& edge : inst->succs()) forgetPred(edge);
    if (inst->hasEdges()) shape_++;
    unlink(inst);
}

void Function::replace(Value old, Value by) {
    by = resolve(by);
    LUAPP_CHECK(old != by, "value replaced by itself");
    LUAPP_CHECK(old->rep == by->rep, "replacement has another representation");
    unlink(old);
    old->flags |= Inst::kForwarded;
    old->forward = by;
}

Value Function::resolveSlow(Value v) {
    Value end = v;
    while (end->flags & Inst::kForwarded) end = end->forward;
    while (v->flags & Inst::kForwarded) {
        Value following = v->forward;
        v->forward = end;
        v = following;
    }
    return end;
}

void Function::applyReplacements() {
    std::vector<bool> drop;
    for (Block* block : blocks(*this)) {
        bool any = false;
        drop.assign(block->params.size(), false);
        for (size_t i = 0; i < drop.size(); i++) {
            if (block->params[i]->flags & Inst::kForwarded) drop[i] = any = true;
        }
        if (any) removeParams(block, drop);
    }
    for (Block* block : blocks(*this)) {
        for (Inst* inst = block->first; inst; inst = inst->next) {
            for (Value& v : inst->ops()) v = resolve(v);
        }
        for (Edge& edge : block->succs()) {
            for (Value& v : edge.args) v = resolve(v);
        }
    }
}

void Function::swapEdges(Inst& br) {
    std::swap(br.edges[0], br.edges[1]);
    for (Edge& edge : br.succs()) edge.to->preds[edge.predIndex] = &edge;
    shape_++;
}

void Function::redirect(Edge& edge, Block* to) {
    shape_++;
    forgetPred(edge);
    edge.to = to;
    edge.predIndex = to->preds.count;
    to->preds.push(arena(), &edge);
}

namespace {

void compact(ArenaVec<Value>& list, const std::vector<bool>& drop) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        if (!drop[i]) list[kept++] = list[i];
    }
    list.truncate(kept);
}

}  // namespace

void Function::removeParams(Block* block, const std::vector<bool>& drop) {
    for (size_t i = 0; i < drop.size(); i++) {
        if (drop[i]) block->params[i]->block = nullptr;
    }
    compact(block->params, drop);
    for (uint32_t i = 0; i < block->params.size(); i++) block->params[i]->imm = i;
    for (Edge* edge : block->preds) compact(edge->args, drop);
}

void Function::removeBlock(Block* block) {
    LUAPP_CHECK(block->preds.empty(), "removed block has predecessors");
    LUAPP_CHECK(!block->terminator() || !block->terminator()->hasEdges(), "removed block has successors");
    (block->prev ? block->prev->next : entry) = block->next;
    (block->next ? block->next->prev : lastBlock) = block->prev;
}

bool Function::removeUnreachable() {
    std::vector<bool> reached(nextBlock_, false);
    std::vector<Block*> work{entry};
    reached[entry->id] = true;
    while (!work.empty()) {
        Block* block = work.back();
        work.pop_back();
        for (Edge& edge : block->succs()) {
            if (reached[edge.to->id]) continue;
            reached[edge.to->id] = true;
            work.push_back(edge.to);
        }
    }
    bool changed = false;
    for (Block* block : blocks(*this)) {
        if (reached[block->id]) continue;
        if (Inst* last = block->terminator()) remove(last);
        changed = true;
    }
    if (!changed) return false;
    for (Block* block : blocks(*this)) {
        if (!reached[block->id]) removeBlock(block);
    }
    return true;
}

void Function::setBlockOrder(std::span<Block* const> order) {
    LUAPP_CHECK(!order.empty() && order.front() == entry, "the entry block stays first");
    Block* before = nullptr;
    for (Block* block : order) {
        block->prev = before;
        block->next = nullptr;
        if (before) before->next = block;
        before = block;
    }
    lastBlock = before;
}

void Function::renumber() {
    shape_++;
    nextInst_ = nextBlock_ = 0;
    for (Block* block : blocks(*this)) {
        block->id = nextBlock_++;
        for (Value param : block->params) param->id = nextInst_++;
        for (Inst* inst = block->first; inst; inst = inst->next) inst->id = nextInst_++;
    }
}

// --- module -----------------------------------------------------------------------------------------------------

Function* Module::addFunction(std::string_view name, std::string_view wantedLabel) {
    void* memory = arena.allocate(sizeof(Function), alignof(Function));
    auto* fn = new (memory) Function(*this, uint32_t(functions.size()));
    fn->name = arena.copyText(name);
    if (wantedLabel.empty()) wantedLabel = name.empty() ? std::string_view("anonymous") : name;
    const std::string base(wantedLabel);
    std::string label = base;
    // A second function of a name gets ".2", and so on.
    uint32_t& uses = labelUses_[base];
    while (labelIndex_.contains(label)) label = base + '.' + std::to_string(++uses + 1);
    fn->label = arena.copyText(label);
    labelIndex_.emplace(fn->label, fn);
    functions.push_back(fn);
    return fn;
}

uint32_t Module::addString(std::string_view text) {
    if (auto found = stringIndex_.find(text); found != stringIndex_.end()) return found->second;
    const auto index = uint32_t(strings.size());
    strings.push_back(arena.copyText(text));
    stringIndex_.emplace(strings.back(), index);
    return index;
}

uint32_t Module::addType(const sema::Type* type, std::string_view name) {
    const auto index = uint32_t(types.size());
    if (type) {
        auto [at, isNew] = typeIndex_.emplace(type, index);
        if (!isNew) return at->second;
    }
    types.push_back({type, arena.copyText(name)});
    return index;
}

uint32_t Module::addVar(std::string_view name, Rep rep, uint64_t initial) {
    vars.push_back({arena.copyText(name), rep, initial});
    return uint32_t(vars.size() - 1);
}

uint32_t Module::addValueType(const ValueType& type) {
    if (type == ValueType()) return 0;
    auto [it, isNew] = valueTypeIndex_.try_emplace(type, uint32_t(valueTypes.size()));
    if (isNew) valueTypes.push_back(type);
    return it->second;
}

Function* Module::findFunction(std::string_view label) const {
    auto found = labelIndex_.find(label);
    return found == labelIndex_.end() ? nullptr : found->second;
}

const ClassEntry* Module::classOf(uint32_t type) const {
    if (classIndex_.empty()) {
        classIndex_.assign(types.size() + 1, 0);
        for (uint32_t i = 0; i < classes.size(); i++) classIndex_[classes[i].type] = i + 1;
    }
    const uint32_t found = type < classIndex_.size() ? classIndex_[type] : 0;
    return found ? &classes[found - 1] : nullptr;
}

}  // namespace luapp::ir
