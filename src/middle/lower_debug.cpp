// Lowering of debuggable functions (docs/internals.md 11): their locals stay in slots of the frame that the debug library knows, in the
// order of Lua 5.1, and `debug.event` tells hooks where the program is. In other functions all of this does nothing.
#include <algorithm>

#include "frontend/base/source.h"
#include "middle/lower_impl.h"

namespace luapp::ir {

namespace {

/// Locals beyond this many at a time have no slot, and the debug library does not see them: the code needs registers too.
constexpr uint32_t kMaxSlots = 200;
constexpr uint32_t kNoSlot = ~0u;

/// True if evaluating it may run code.
bool mayCall(const TExpr* e) {
    while (e->kind == TExprKind::Convert) e = e->as<sema::TConvert>()->operand;
    switch (e->kind) {
        case TExprKind::NilConst:
        case TExprKind::BoolConst:
        case TExprKind::NumberConst:
        case TExprKind::IntegerConst:
        case TExprKind::StringConst:
        case TExprKind::VarGet:
        case TExprKind::Closure: return false;
        default: return true;
    }
}

/// What an expression begins with.
const TExpr* leftmost(const TExpr* e) {
    for (;;) {
        switch (e->kind) {
            case TExprKind::Convert: e = e->as<sema::TConvert>()->operand; break;
            case TExprKind::Truthy: e = e->as<sema::TTruthy>()->operand; break;
            case TExprKind::Compare: e = e->as<sema::TCompare>()->left; break;
            case TExprKind::Logical: e = e->as<sema::TLogical>()->left; break;
            case TExprKind::Binary: e = e->as<sema::TBinary>()->left; break;
            default: return e;
        }
    }
}

}  // namespace

/// The slots of parameters are where the arguments arrive.
void FunctionLowering::startDebugging() {
    Function& f = b_.function();
    isDebuggable_ = source_ && f.isDebuggable;
    if (!isDebuggable_) return;
    slotOf_.assign(source_->variableCount, kNoSlot);
    nextSlot_ = f.slotCount = f.params.size();
}

void FunctionLowering::addLocal(std::string_view name, uint32_t slot, bool isCell) {
    Function& f = b_.function();
    f.debugLocals.push(f.arena(), {name, b_.scope(), static_cast<uint16_t>(slot), isCell});
    b_.setScope(f.debugLocals.size());
}

uint32_t FunctionLowering::newSlot(std::string_view name, Value value, bool isCell) {
    if (nextSlot_ >= kMaxSlots) return kNoSlot;
    const uint32_t slot = nextSlot_++;
    b_.function().slotCount = std::max(b_.function().slotCount, nextSlot_);
    b_.op(Op::SlotSet, {value}, slot);
    addLocal(name, slot, isCell);
    return slot;
}

bool FunctionLowering::wantsSlot(const Variable* v) const {
    return isDebuggable_ && v->kind != sema::VarKind::Module && v->owner == source_ && storageRep(v) == Rep::Box &&
           !program_.text(v->name).empty();
}

bool FunctionLowering::hasSlot(const Variable* v) const {
    return isDebuggable_ && v->owner == source_ && v->kind != sema::VarKind::Module && slotOf_[v->index] != kNoSlot;
}

Value FunctionLowering::readSlot(const Variable* v) {
    return b_.typed(Op::SlotGet, v->inCell() ? Rep::Ref : Rep::Box, {}, slotOf_[v->index]);
}

void FunctionLowering::writeSlot(const Variable* v, Value word) { b_.op(Op::SlotSet, {word}, slotOf_[v->index]); }

/// Gives a new variable its slot; `word` is its value, or its cell. False if it gets none.
bool FunctionLowering::declareInSlot(const Variable* v, Value word) {
    if (!wantsSlot(v)) return false;
    slotOf_[v->index] = newSlot(program_.text(v->name), word, v->inCell());
    return slotOf_[v->index] != kNoSlot;
}

void FunctionLowering::bindParamSlot(uint32_t i) {
    const Variable* v = source_->params[i];
    Value word = b_.typed(Op::SlotGet, repOf(v->type), {}, i);
    if (!wantsSlot(v)) {
        b_.writeVariable(varOf(v), v->inCell() ? newCell(v, word) : word);
        return;
    }
    slotOf_[v->index] = i;
    if (v->inCell()) writeSlot(v, newCell(v, word));
    addLocal(program_.text(v->name), i, v->inCell());
}

FunctionLowering::SlotScope::SlotScope(FunctionLowering& lowering)
    : lowering_(lowering), slot_(lowering.nextSlot_), scope_(lowering.b_.scope()) {}

FunctionLowering::SlotScope::~SlotScope() {
    if (!lowering_.isDebuggable_) return;
    // What was in the slots must not look alive to the collector.
    if (lowering_.b_.isReachable())
        for (uint32_t slot = slot_; slot < lowering_.nextSlot_; slot++) lowering_.b_.op(Op::SlotSet, {lowering_.b_.nil()}, slot);
    lowering_.nextSlot_ = slot_;
    lowering_.b_.setScope(scope_);
}

/// A local of a loop that programs have no name for; its slot, for setHidden.
uint32_t FunctionLowering::hiddenLocal(std::string_view name, Value value) {
    return isDebuggable_ ? newSlot(name, value->rep == Rep::Box ? value : b_.box(value), false) : kNoSlot;
}

void FunctionLowering::setHidden(uint32_t slot, Value value) {
    if (slot != kNoSlot) b_.op(Op::SlotSet, {value->rep == Rep::Box ? value : b_.box(value)}, slot);
}

/// `value` is needed after `next` has been evaluated: meanwhile it is where the debug library can find it. `resume` gives it back.
uint32_t FunctionLowering::parkValue(Value value, const TExpr* next) {
    return isDebuggable_ && value->rep == Rep::Box && mayCall(next) ? newSlot({}, value, false) : kNoSlot;
}

Value FunctionLowering::unparkValue(Value value, uint32_t slot) {
    if (slot == kNoSlot) return value;
    value = b_.typed(Op::SlotGet, Rep::Box, {}, slot);
    nextSlot_ = slot;
    b_.setScope(b_.function().debugLocals[b_.scope() - 1].outer);
    return value;
}

// --- events ------------------------------------------------------------------------------------------------------

void FunctionLowering::event(bc::EventKind kind, Loc loc, Value callee) {
    if (!isDebuggable_) return;
    b_.setLoc(loc);
    b_.op(Op::Event, {callee ? callee : b_.nil()}, int64_t(kind));
    hasCode_ = true;
}

/// Before and after a call. A function of the library has no code of its own that could tell.
void FunctionLowering::callEvent(bc::EventKind kind, Loc loc, Value callee, OperandName name) {
    if (!isDebuggable_) return;
    NotedPlace place(*this, loc, bc::NoteUse::Call, name);
    b_.op(Op::Event, {callee}, int64_t(kind));
}

void FunctionLowering::conditionEvent(const TExpr* condition) {
    if (isDebuggable_) event(bc::EventKind::Line, leftmost(condition)->loc);
}

void FunctionLowering::statementEvent(const TStmt* s) {
    if (!isDebuggable_ || !b_.isReachable()) return;
    switch (s->kind) {
        case TStmtKind::Block:
        case TStmtKind::If:
        case TStmtKind::While:
        case TStmtKind::Repeat:
        case TStmtKind::Label: return;
        case TStmtKind::LuaFor:
        case TStmtKind::LuaForIn: return event(bc::EventKind::Loop, s->loc);
        case TStmtKind::LocalDecl: {
            auto* decl = s->as<sema::TLocalDecl>();
            // Temporaries and `arg` are no statements; locals without a value need no code where the frame is new.
            if (program_.text(decl->variable->name).empty() || s->loc == source_->range.begin) return;
            if (!decl->init && !hasCode_) return;
            break;
        }
        default: break;
    }
    event(bc::EventKind::Line, s->loc);
}

/// Where the text of the function ends: its `end`, or the last word of a file.
Loc FunctionLowering::lastPlace() const {
    const frontend::SourceManager* sources = program_.module().sources;
    const Loc end = source_->range.end;
    const frontend::Position p = sources ? sources->position(end) : frontend::Position{};
    if (!p.file) return end;
    const std::string_view text = p.file->text();
    size_t at = end.offset - p.file->begin().offset;
    while (at > 0 && (at > text.size() || std::string_view(" \t\r\n\f\v").find(text[at - 1]) != std::string_view::npos)) at--;
    return p.file->begin() + uint32_t(at > 0 ? at - 1 : 0);
}

}  // namespace luapp::ir
