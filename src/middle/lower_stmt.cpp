// Lowering of statements.
#include <algorithm>
#include <cmath>

#include "middle/lower_impl.h"
#include "runtime/lib/builtin_table.h"

namespace luapp::ir {

namespace {

/// A new closure that captures the variable it is meant for.
bool isClosureOver(const TExpr* e, const Variable* v) {
    while (e->kind == TExprKind::Convert) e = e->as<sema::TConvert>()->operand;
    if (e->kind != TExprKind::Closure) return false;
    const List<Variable*>& captures = e->as<sema::TClosure>()->function->captures;
    return std::find(captures.begin(), captures.end(), v) != captures.end();
}

}  // namespace

void FunctionLowering::lowerBlock(const sema::TBlock* block) {
    SlotScope scope(*this);
    for (const TStmt* s : block->stmts) lowerStmt(s);
}

void FunctionLowering::lowerStmt(const TStmt* s) {
    b_.setLoc(s->loc);
    statementEvent(s);
    switch (s->kind) {
        case TStmtKind::ExprStmt: {
            const TExpr* e = s->as<sema::TExprStmt>()->expr;
            if (e->kind == TExprKind::Call) {
                lowerCall(e->as<sema::TCall>(), Want::None);
            } else {
                lower(e);
            }
            break;
        }
        case TStmtKind::LocalDecl: {
            auto* decl = s->as<sema::TLocalDecl>();
            const Variable* v = decl->variable;
            const bool isConstant = v->function && v->function->isStatic();  // uses name the function itself
            if (decl->init && program_.text(v->name).empty()) temporaries_[v] = decl->init;
            if (decl->init && v->inCell() && isClosureOver(decl->init, v)) {
                // A function that refers to itself finds its variable made.
                declareVar(v, nullptr);
                writeVar(v, lower(decl->init));
                break;
            }
            declareVar(v, decl->init && !isConstant ? lower(decl->init) : nullptr);
            break;
        }
        case TStmtKind::MultiBind: lowerMultiBind(s->as<sema::TMultiBind>()); break;
        case TStmtKind::Assign: {
            auto* assign = s->as<sema::TAssign>();
            Value v = lower(assign->value);
            b_.setLoc(s->loc);
            writeVar(assign->variable, v);
            break;
        }
        case TStmtKind::ArraySet: {
            auto* set = s->as<sema::TArraySet>();
            Value array = lower(set->array);
            Value index = lower(set->index);
            Value value = lower(set->value);
            b_.setLoc(s->loc);
            b_.op(Op::ArrSet, {array, index, value});
            break;
        }
        case TStmtKind::TableSet: lowerTableSet(s->as<sema::TTableSet>()); break;
        case TStmtKind::RecordSet: {
            auto* set = s->as<sema::TRecordSet>();
            Value record = lower(set->record);
            Value value = lower(set->value);
            b_.setLoc(s->loc);
            b_.op(Op::FieldSet, {record, value}, set->field, program_.valueType(set->record->type));
            break;
        }
        case TStmtKind::FieldSet: {
            auto* set = s->as<sema::TFieldSet>();
            Value object = lower(set->object);
            Value value = lower(set->value);
            b_.setLoc(s->loc);
            writeField(object, set->owner, set->field, value);
            break;
        }
        case TStmtKind::SetIndexDyn: {
            auto* set = s->as<sema::TSetIndexDyn>();
            Value object = lower(set->object);
            Value key = lower(set->key);
            Value value = lower(set->value);
            dynamicOp(Op::SetIndexX, {object, key, value}, s->loc, bc::NoteUse::Index, nameOf(set->object));
            break;
        }
        case TStmtKind::SetMemberDyn: {
            auto* set = s->as<sema::TSetMemberDyn>();
            Value object = lower(set->object);
            Value value = lower(set->value);
            dynamicOp(Op::SetMemberX, {object, value}, s->loc, bc::NoteUse::Index, nameOf(set->object), {},
                      program_.module().addString(program_.text(set->name)));
            break;
        }
        case TStmtKind::Block: lowerBlock(s->as<sema::TBlock>()); break;
        case TStmtKind::If: lowerIf(s->as<sema::TIf>()); break;
        case TStmtKind::While: lowerWhile(s->as<sema::TWhile>()); break;
        case TStmtKind::Repeat: lowerRepeat(s->as<sema::TRepeat>()); break;
        case TStmtKind::NumericFor: lowerNumericFor(s->as<sema::TNumericFor>()); break;
        case TStmtKind::ForArray: lowerForArray(s->as<sema::TForArray>()); break;
        case TStmtKind::ForTable: lowerForTable(s->as<sema::TForTable>()); break;
        case TStmtKind::ForString: lowerForString(s->as<sema::TForString>()); break;
        case TStmtKind::Break: b_.jump(loops_.back().onBreak); break;
        case TStmtKind::Continue: b_.jump(loops_.back().onContinue); break;
        case TStmtKind::Return: lowerReturn(s->as<sema::TReturn>()); break;
        case TStmtKind::GlobalSet: lowerGlobalSet(s->as<sema::TGlobalSet>()); break;
        case TStmtKind::LuaFor: lowerLuaFor(s->as<sema::TLuaFor>()); break;
        case TStmtKind::LuaForIn: lowerLuaForIn(s->as<sema::TLuaForIn>()); break;
        case TStmtKind::Goto: lowerGoto(s->as<sema::TGoto>()->label); break;
        case TStmtKind::Label: lowerLabel(s->as<sema::TLabel>()); break;
    }
}

// --- tables ------------------------------------------------------------------------------------------------------

/// Stores a value whose type may admit nil: nil removes the key.
void FunctionLowering::setTable(Value table, const Type* tableType, Value key, const Type* keyType, Value value,
                                const Type* valueType) {
    const Type* element = sema::as<sema::TableType>(tableType)->value;
    if (sema::isNil(valueType)) {
        b_.op(Op::TabDel, {table, box(key, keyType)});
        return;
    }
    if (!valueType->admitsNil) {
        b_.op(Op::TabSet, {table, keyOperand(key, keyType), widen(value, valueType, element)});
        return;
    }
    Block* remove = b_.newBlock();
    Block* store = b_.newBlock();
    Block* done = b_.newBlock();
    b_.br(isNilValue(value), remove, store);
    b_.startSealed(remove);
    b_.op(Op::TabDel, {table, box(key, keyType)});
    b_.jump(done);
    b_.startSealed(store);
    b_.op(Op::TabSet, {table, keyOperand(key, keyType), narrow(value, element)});
    b_.jump(done);
    b_.startSealed(done);
}

void FunctionLowering::lowerTableSet(const sema::TTableSet* s) {
    Value table = lower(s->table);
    Value key = lower(s->key);
    Value value = lower(s->value);
    b_.setLoc(s->loc);
    setTable(table, s->table->type, key, s->key->type, value, s->value->type);
}

// --- control flow ------------------------------------------------------------------------------------------------

void FunctionLowering::lowerIf(const sema::TIf* s) {
    Block* done = b_.newBlock();
    // A long else-if chain is nested to the right: it is followed without recursion.
    for (;;) {
        Block* then = b_.newBlock();
        Block* otherwise = s->otherwise ? b_.newBlock() : done;
        conditionEvent(s->condition);
        lowerCondition(s->condition, then, otherwise);
        b_.startSealed(then);
        lowerBlock(s->then);
        jumpTo(done);
        if (!s->otherwise) break;
        b_.startSealed(otherwise);
        const List<TStmt*>& stmts = s->otherwise->stmts;
        if (stmts.count != 1 || stmts[0]->kind != TStmtKind::If) {
            lowerBlock(s->otherwise);
            jumpTo(done);
            break;
        }
        s = stmts[0]->as<sema::TIf>();
        b_.setLoc(s->loc);
    }
    b_.startSealed(done);
}

void FunctionLowering::lowerLoopBody(const sema::TBlock* body, Block* onContinue, Block* onBreak) {
    loops_.push_back({onBreak, onContinue});
    lowerBlock(body);
    loops_.pop_back();
    jumpTo(onContinue);
}

void FunctionLowering::lowerWhile(const sema::TWhile* s) {
    Block* header = b_.newBlock();
    Block* body = b_.newBlock();
    Block* latch = b_.newBlock();
    Block* done = b_.newBlock();
    b_.jump(header);
    b_.start(header);
    conditionEvent(s->condition);
    lowerCondition(s->condition, body, done);
    b_.startSealed(body);
    lowerLoopBody(s->body, latch, done);
    b_.startSealed(latch);
    b_.setLoc(s->loc);
    b_.loop(header);
    b_.seal(header);
    b_.startSealed(done);
}

void FunctionLowering::lowerRepeat(const sema::TRepeat* s) {
    Block* body = b_.newBlock();
    Block* test = b_.newBlock();
    Block* latch = b_.newBlock();
    Block* done = b_.newBlock();
    b_.jump(body);
    b_.start(body);
    // The condition sees the locals of the body.
    SlotScope scope(*this);
    loops_.push_back({done, test});
    for (const TStmt* inner : s->body->stmts) lowerStmt(inner);
    loops_.pop_back();
    jumpTo(test);
    b_.startSealed(test);
    conditionEvent(s->condition);
    lowerCondition(s->condition, done, latch);
    b_.startSealed(latch);
    b_.setLoc(s->loc);
    b_.loop(body);
    b_.seal(body);
    b_.startSealed(done);
}

/// The limit of a loop over integers where the bound is a number: the first integer not below it (not above it, if the
/// loop counts down), kept within the range of integers. NaN ends the loop at once.
Value FunctionLowering::integerLimit(Value limit, bool upward) {
    if (limit->rep == Rep::I64) return limit;
    const double most = double(base::kMaxInteger);
    if (upward) {
        limit = b_.op(Op::MinF, {b_.op(Op::MaxF, {b_.f64(-most), limit}), b_.f64(most)});
        return b_.op(Op::FloorF, {limit}, int64_t(bc::RoundKind::Ceil));
    }
    limit = b_.op(Op::MaxF, {b_.op(Op::MinF, {b_.f64(most), limit}), b_.f64(-most)});
    return b_.op(Op::FloorF, {limit}, int64_t(bc::RoundKind::Floor));
}

namespace {

/// The value of a constant number or integer; false if `v` is none.
bool constantOf(Value v, double& out) {
    if (v->op == Op::ConstI64) {
        out = double(v->imm);
    } else if (v->op == Op::ConstF64) {
        out = v->immF;
    } else {
        return false;
    }
    return true;
}

bool isWhole(Value v) {
    double d;
    return constantOf(v, d) && d == std::floor(d) && std::fabs(d) <= double(base::kMaxInteger);
}

}  // namespace

/// LANGUAGE 4: the values are a + n*step while < b (> b when step < 0). Whole constants may be accumulated; otherwise each
/// number is computed from its n, so that rounding does not add up.
void FunctionLowering::lowerNumericFor(const sema::TNumericFor* s) {
    const Rep rep = s->isInteger ? Rep::I64 : Rep::F64;
    Value start = lower(s->start);
    Value limit = lower(s->limit);
    Value step = s->step ? lower(s->step) : s->isInteger ? b_.i64(1) : b_.f64(1);
    b_.setLoc(s->loc);
    double fixedStep = 0;
    const bool isFixed = constantOf(step, fixedStep);
    Value zero = s->isInteger ? b_.i64(0) : b_.f64(0);
    const Op less = s->isInteger ? Op::LtI : Op::LtF;
    if (!isFixed) {
        Block* bad = b_.newBlock();
        Block* good = b_.newBlock();
        b_.br(b_.op(s->isInteger ? Op::EqI : Op::EqF, {step, zero}), bad, good);
        b_.startSealed(bad);
        b_.raise(uint32_t(RuntimeError::ForStepZero));
        b_.startSealed(good);
    }
    // A number as the bound of a loop over integers, direction unknown: compare as numbers.
    const bool compareAsNumbers = s->isInteger && limit->rep == Rep::F64 && !isFixed;
    if (s->isInteger && isFixed) limit = integerLimit(limit, fixedStep > 0);
    const bool accumulates = s->isInteger || (isWhole(start) && isWhole(step));
    VarId counter = b_.declareVariable(rep);
    b_.writeVariable(counter, accumulates ? start : zero);
    Block* header = b_.newBlock();
    Block* body = b_.newBlock();
    Block* latch = b_.newBlock();
    Block* done = b_.newBlock();
    b_.jump(header);
    b_.start(header);
    Value i = b_.readVariable(counter);
    if (!accumulates) i = b_.op(Op::AddF, {start, b_.op(Op::MulF, {i, step})});
    Value compared = compareAsNumbers ? b_.op(Op::IToF, {i}) : i;
    const Op test = compareAsNumbers ? Op::LtF : less;
    if (isFixed) {
        b_.br(fixedStep > 0 ? b_.op(test, {compared, limit}) : b_.op(test, {limit, compared}), body, done);
    } else {
        Block* up = b_.newBlock();
        Block* down = b_.newBlock();
        b_.br(b_.op(less, {zero, step}), up, down);
        b_.startSealed(up);
        b_.br(b_.op(test, {compared, limit}), body, done);
        b_.startSealed(down);
        b_.br(b_.op(test, {limit, compared}), body, done);
    }
    b_.startSealed(body);
    declareVar(s->variable, repOf(s->variable->type) == rep ? i : widen(i, program_.types().integer(), s->variable->type));
    lowerLoopBody(s->body, latch, done);
    b_.startSealed(latch);
    Value now = b_.readVariable(counter);
    b_.writeVariable(counter, s->isInteger ? b_.op(Op::AddU, {now, step}) : b_.op(Op::AddF, {now, accumulates ? step : b_.f64(1)}));
    b_.setLoc(s->loc);
    b_.loop(header);
    b_.seal(header);
    b_.startSealed(done);
}

/// The length is read once; that it stays the same is checked before each further element.
void FunctionLowering::lowerForArray(const sema::TForArray* s) {
    Value array = lower(s->array);
    b_.setLoc(s->loc);
    Value length = b_.op(Op::ArrLen, {array});
    VarId counter = b_.declareVariable(Rep::I64);
    b_.writeVariable(counter, b_.i64(0));
    Block* header = b_.newBlock();
    Block* body = b_.newBlock();
    Block* latch = b_.newBlock();
    Block* done = b_.newBlock();
    b_.jump(header);
    b_.start(header);
    Value i = b_.readVariable(counter);
    b_.br(b_.op(Op::LtI, {i, length}), body, done);
    b_.startSealed(body);
    const Type* element = sema::as<sema::ArrayType>(s->array->type)->element;
    Value value = b_.typed(Op::ArrGet, repOf(element), {array, i});
    if (s->index) declareVar(s->index, widen(i, program_.types().integer(), s->index->type));
    declareVar(s->value, value);
    lowerLoopBody(s->body, latch, done);
    b_.startSealed(latch);
    b_.setLoc(s->loc);
    b_.op(Op::ArrCheckLen, {array, length});
    b_.writeVariable(counter, b_.op(Op::AddU, {b_.readVariable(counter), b_.i64(1)}));
    b_.loop(header);
    b_.seal(header);
    b_.startSealed(done);
}

void FunctionLowering::lowerForTable(const sema::TForTable* s) {
    Value table = lower(s->table);
    b_.setLoc(s->loc);
    auto* type = sema::as<sema::TableType>(s->table->type);
    VarId position = b_.declareVariable(Rep::I64);
    b_.writeVariable(position, b_.i64(-1));
    Block* header = b_.newBlock();
    Block* body = b_.newBlock();
    Block* latch = b_.newBlock();
    Block* done = b_.newBlock();
    b_.jump(header);
    b_.start(header);
    b_.setLoc(s->loc);
    Value at = b_.op(Op::TabNext, {table, b_.readVariable(position)});
    b_.writeVariable(position, at);
    b_.br(b_.op(Op::EqI, {at, b_.i64(-1)}), done, body);
    b_.startSealed(body);
    Value key = b_.op(Op::TabKey, {table, at});
    if (repOf(type->key) != Rep::Box) key = unboxKnown(key, type->key);
    Value value = s->value ? b_.typed(Op::TabVal, repOf(type->value), {table, at}) : nullptr;
    declareVar(s->key, key);
    if (s->value) declareVar(s->value, value);
    lowerLoopBody(s->body, latch, done);
    b_.startSealed(latch);
    b_.setLoc(s->loc);
    b_.loop(header);
    b_.seal(header);
    b_.startSealed(done);
}

void FunctionLowering::lowerForString(const sema::TForString* s) {
    Value text = lower(s->string);
    b_.setLoc(s->loc);
    Value length = b_.op(Op::StrLen, {text});
    VarId counter = b_.declareVariable(Rep::I64);
    b_.writeVariable(counter, b_.i64(1));
    Block* header = b_.newBlock();
    Block* body = b_.newBlock();
    Block* latch = b_.newBlock();
    Block* done = b_.newBlock();
    b_.jump(header);
    b_.start(header);
    Value i = b_.readVariable(counter);
    b_.br(b_.op(Op::LeI, {i, length}), body, done);
    b_.startSealed(body);
    const Value operands[] = {text, i, i};
    Value letter = b_.typed(Op::CallBuiltin, Rep::Ref, operands, int64_t(rt::BuiltinId::StringSub), 0);
    if (s->index) declareVar(s->index, widen(i, program_.types().integer(), s->index->type));
    declareVar(s->value, letter);
    lowerLoopBody(s->body, latch, done);
    b_.startSealed(latch);
    b_.writeVariable(counter, b_.op(Op::AddU, {b_.readVariable(counter), b_.i64(1)}));
    b_.setLoc(s->loc);
    b_.loop(header);
    b_.seal(header);
    b_.startSealed(done);
}

void FunctionLowering::lowerReturn(const sema::TReturn* s) {
    std::vector<Value> values;
    const bool packed = b_.function().hasResultPack;
    for (const TExpr* e : s->values) {
        Value v = lower(e);  // of type never where the value is a call that raises
        values.push_back(packed ? box(v, e->type) : v);
    }
    tailCallee_ = nullptr;
    if (isDebuggable_ && s->values.empty() && s->pack && s->pack->kind == TExprKind::Call) tailCall_ = s->pack->as<sema::TCall>();
    if (s->pack) values.push_back(lowerPack(s->pack));
    tailCall_ = nullptr;
    event(bc::EventKind::Return, s->loc, tailCallee_);
    b_.setLoc(s->loc);
    if (packed) {
        b_.retPack(values);
    } else {
        b_.ret(values);
    }
}

}  // namespace luapp::ir
