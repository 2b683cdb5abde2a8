// Lowering of what only lenient files have: globals, Lua's tables and loops, goto.
#include "middle/lower_impl.h"

namespace luapp::ir {

namespace {

/// Items of a table that one instruction stores; the rest of a longer list follows in pieces.
constexpr size_t kListPiece = 50;

}  // namespace

// --- globals -----------------------------------------------------------------------------------------------------

/// The table in which this function finds its globals. It may be another after each call (setfenv).
Value FunctionLowering::environment() {
    if (source_->isLenient) return b_.op(Op::EnvGet, {});
    return b_.typed(Op::VarGet, Rep::Box, {}, program_.environmentVar(source_->module));
}

/// Methods of classes are no closures: they find the environment in a module variable.
void FunctionLowering::keepEnvironment() {
    if (source_->module->hasClasses) b_.op(Op::VarSet, {environment()}, program_.environmentVar(source_->module));
}

Value FunctionLowering::lowerGlobalGet(const sema::TGlobalGet* e) {
    Value table = environment();
    b_.setLoc(e->loc);
    return b_.op(Op::MemberX, {table}, program_.module().addString(program_.text(e->name)));
}

void FunctionLowering::lowerGlobalSet(const sema::TGlobalSet* s) {
    Value value = lower(s->value);
    b_.setLoc(s->loc);
    b_.op(Op::SetMemberX, {environment(), value}, program_.module().addString(program_.text(s->name)));
}

// --- tables ------------------------------------------------------------------------------------------------------

/// Positional items are stored in pieces, a piece when it is full; keyed items where they stand.
Value FunctionLowering::lowerLuaTable(const sema::TLuaTableLit* e) {
    uint32_t listed = 0, keyed = 0;
    for (const sema::TLuaItem& item : e->items) ++(item.key ? keyed : listed);
    b_.setLoc(e->loc);
    Value table = b_.op(Op::LuaTabNew, {}, listed, keyed);
    std::vector<Value> piece;
    int64_t next = 1;
    auto store = [&](Value pack) {
        const auto count = uint32_t(piece.size());
        piece.insert(piece.begin(), table);
        if (pack) piece.push_back(pack);
        b_.setLoc(e->loc);
        if (count || pack) b_.op(Op::LuaTabAppend, piece, next, count);
        next += count;
        piece.clear();
    };
    for (const sema::TLuaItem& item : e->items) {
        if (!item.key) {
            piece.push_back(lower(item.value));
            if (piece.size() == kListPiece) store(nullptr);
            continue;
        }
        Value key = lower(item.key);
        Value value = lower(item.value);
        b_.setLoc(item.key->loc);
        b_.op(Op::SetIndexX, {table, key, value});
    }
    store(e->pack ? lowerPack(e->pack) : nullptr);
    return table;
}

// --- loops -------------------------------------------------------------------------------------------------------

Value FunctionLowering::loopNumber(const TExpr* e, bc::LoopBound which) {
    Value v = lower(e);
    b_.setLoc(e->loc);
    return v->rep == Rep::F64 ? v : b_.op(Op::LoopNumber, {v}, int64_t(which));
}

/// The counter is a number of its own; the loop variable gets its value at the start of each turn.
void FunctionLowering::lowerLuaFor(const sema::TLuaFor* s) {
    Value start = loopNumber(s->start, bc::LoopBound::Start);
    Value limit = loopNumber(s->limit, bc::LoopBound::Limit);
    Value step = s->step ? loopNumber(s->step, bc::LoopBound::Step) : b_.f64(1);
    b_.setLoc(s->loc);
    VarId counter = b_.declareVariable(Rep::F64);
    b_.writeVariable(counter, start);
    SlotScope scope(*this);
    const uint32_t index = hiddenLocal("(for index)", start);
    hiddenLocal("(for limit)", limit);
    hiddenLocal("(for step)", step);
    Block* header = b_.newBlock();
    Block* body = b_.newBlock();
    Block* latch = b_.newBlock();
    Block* done = b_.newBlock();
    b_.jump(header);
    b_.start(header);
    event(bc::EventKind::Turn, s->loc);
    Value i = b_.readVariable(counter);
    setHidden(index, i);
    if (step->is(Op::ConstF64)) {
        b_.br(step->immF > 0 ? b_.op(Op::LeF, {i, limit}) : b_.op(Op::LeF, {limit, i}), body, done);
    } else {
        Block* up = b_.newBlock();
        Block* down = b_.newBlock();
        b_.br(b_.op(Op::LtF, {b_.f64(0), step}), up, down);
        b_.startSealed(up);
        b_.br(b_.op(Op::LeF, {i, limit}), body, done);
        b_.startSealed(down);
        b_.br(b_.op(Op::LeF, {limit, i}), body, done);
    }
    b_.startSealed(body);
    declareVar(s->variable, widen(i, program_.types().number(), s->variable->type));
    lowerLoopBody(s->body, latch, done);
    b_.startSealed(latch);
    b_.setLoc(s->loc);
    b_.writeVariable(counter, b_.op(Op::AddF, {b_.readVariable(counter), step}));
    b_.loop(header);
    b_.seal(header);
    b_.startSealed(done);
}

void FunctionLowering::lowerLuaForIn(const sema::TLuaForIn* s) {
    Value function = lower(s->function);
    Value state = lower(s->state);
    VarId control = b_.declareVariable(Rep::Box);
    b_.writeVariable(control, lower(s->control));
    SlotScope scope(*this);
    hiddenLocal("(for generator)", function);
    hiddenLocal("(for state)", state);
    const uint32_t controlSlot = hiddenLocal("(for control)", b_.readVariable(control));
    Block* header = b_.newBlock();
    Block* body = b_.newBlock();
    Block* latch = b_.newBlock();
    Block* done = b_.newBlock();
    b_.jump(header);
    b_.start(header);
    b_.setLoc(s->loc);
    const Value operands[] = {function, state, b_.readVariable(control)};
    Value pack;
    event(bc::EventKind::Turn, s->loc);
    const OperandName generator = named(bc::NameKind::Local, "(for generator)");
    callEvent(bc::EventKind::BeforeCall, s->loc, function, generator);
    {
        NotedPlace place(*this, s->loc, bc::NoteUse::Call, generator);
        pack = b_.typed(Op::CallDyn, Rep::Pack, operands, 0, 2);
    }
    callEvent(bc::EventKind::AfterCall, s->loc, function, generator);
    std::vector<Value> values;
    for (uint32_t i = 0; i < s->variables.count; i++) values.push_back(b_.op(Op::PackGet, {pack}, i));
    b_.writeVariable(control, values[0]);
    setHidden(controlSlot, values[0]);
    b_.br(isNilValue(values[0]), done, body);
    b_.startSealed(body);
    for (uint32_t i = 0; i < s->variables.count; i++) declareVar(s->variables[i], values[i]);
    lowerLoopBody(s->body, latch, done);
    b_.startSealed(latch);
    b_.setLoc(s->loc);
    b_.loop(header);
    b_.seal(header);
    b_.startSealed(done);
}

// --- goto --------------------------------------------------------------------------------------------------------

FunctionLowering::LabelBlock& FunctionLowering::labelBlock(const sema::TLabel* label) {
    for (LabelBlock& known : labels_) {
        if (known.label == label) return known;
    }
    labels_.push_back({label, b_.newBlock(), false});
    return labels_.back();
}

void FunctionLowering::lowerGoto(const sema::TLabel* label) {
    const LabelBlock& target = labelBlock(label);
    if (!b_.isReachable()) return;
    if (target.isPlaced) {
        b_.loop(target.block);
    } else {
        b_.jump(target.block);
    }
}

void FunctionLowering::lowerLabel(const sema::TLabel* label) {
    LabelBlock& here = labelBlock(label);
    here.isPlaced = true;
    jumpTo(here.block);
    b_.start(here.block);
}

/// When all of the function is lowered, no further jump can come.
void FunctionLowering::sealLabels() {
    for (const LabelBlock& known : labels_) b_.seal(known.block);
}

}  // namespace luapp::ir
