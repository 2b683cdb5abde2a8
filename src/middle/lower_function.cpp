// Lowering of variables, captures and the forms a function's body can have.
#include <algorithm>
#include <fmt/format.h>

#include "middle/lower_impl.h"

namespace luapp::ir {

namespace {
constexpr VarId kUndeclared = ~0u;

bool isConstant(const TExpr* e) {
    return e->kind == TExprKind::NilConst || e->kind == TExprKind::BoolConst || e->kind == TExprKind::NumberConst ||
           e->kind == TExprKind::IntegerConst || e->kind == TExprKind::StringConst ||
           (e->kind == TExprKind::Convert && isConstant(e->as<sema::TConvert>()->operand));
}

}  // namespace

/// Most entries that fill in default values then call the function. They must run its body themselves where a closure in a
/// default value and the body may share a parameter, and where the function would take a nil from a default for a missing
/// argument and evaluate the default again.
bool needsWholeBody(const TypedFunction* fn) {
    for (uint32_t i = 0; i < fn->params.count; i++) {
        const Variable* v = fn->params[i];
        const TExpr* value = i < fn->defaults.count ? fn->defaults[i] : nullptr;
        if (v->inCell() || (value && v->type->admitsNil && !isConstant(value))) return true;
    }
    return false;
}

FunctionLowering::FunctionLowering(ProgramLowering& program, Function& out, const TypedFunction* source)
    : program_(program), source_(source), b_(out) {
    if (!source) return;
    vars_.assign(source->variableCount, kUndeclared);
    b_.setFastMath(source->module->isFastMath);
    b_.setLoc(source->range.begin);
}

// --- variables ---------------------------------------------------------------------------------------------------

/// How the word of a variable is represented where it is kept: a variable that may be unset needs room for nil.
Rep FunctionLowering::storageRep(const Variable* v) const {
    const Rep rep = repOf(v->type);
    return v->needsInitCheck && rep != Rep::Ref ? Rep::Box : rep;
}

VarId FunctionLowering::varOf(const Variable* v) {
    // Module variables are numbered apart from locals; they stand behind them.
    const size_t slot = v->kind == sema::VarKind::Module ? source_->variableCount + v->index : v->index;
    if (slot >= vars_.size()) vars_.resize(slot + 1, kUndeclared);
    VarId& id = vars_[slot];
    if (id == kUndeclared) id = b_.declareVariable(v->inCell() ? Rep::Ref : storageRep(v));
    return id;
}

/// A module variable that its own main block may keep as an SSA value, because nobody assigns it later.
bool FunctionLowering::keptInRegister(const Variable* v) const {
    return isHere(v) && !v->isReassigned && !v->needsInitCheck;
}

uint32_t FunctionLowering::captureIndex(const Variable* v) const {
    for (uint32_t i = 0; i < source_->captures.count; i++) {
        if (source_->captures[i] == v) return i + (source_->isLenient ? 1 : 0);
    }
    LUAPP_CHECK(false, "variable is not among the captures of its user");
    return 0;
}

/// The variable as it is kept: the cell if it lives in one.
Value FunctionLowering::readRaw(const Variable* v) {
    if (hasSlot(v)) return readSlot(v);
    if (isHere(v)) return b_.readVariable(varOf(v));
    return b_.typed(Op::CaptureGet, v->inCell() ? Rep::Ref : storageRep(v), {}, captureIndex(v));
}

/// Its word as it is stored, be it set or not.
Value FunctionLowering::storedWord(const Variable* v) {
    if (v->kind == sema::VarKind::Module) {
        if (keptInRegister(v)) return b_.readVariable(varOf(v));
        return b_.typed(Op::VarGet, storageRep(v), {}, program_.moduleVar(v));
    }
    Value word = readRaw(v);
    return v->inCell() ? b_.typed(Op::CellGet, storageRep(v), {word}) : word;
}

Value FunctionLowering::readVar(const Variable* v, bool checked, const Type* classType) {
    const Rep rep = repOf(v->type), kept = storageRep(v);
    Value word = storedWord(v);
    if (checked && v->needsInitCheck) checkSet(v, word, classType);
    return kept == rep ? word : unboxKnown(word, v->type);
}

/// Raises where a variable is not set yet, with its name and the cycle of imports that may be the reason. `classType`: the variable is
/// set when the statement of this class has run.
void FunctionLowering::checkSet(const Variable* v, Value word, const Type* classType) {
    Block* unset = b_.newBlock();
    Block* set = b_.newBlock();
    b_.br(isNilValue(word), unset, set);
    b_.startSealed(unset);
    std::string text = classType ? program_.types().print(classType) : std::string(program_.text(v->name));
    const std::string_view cycle = v->kind == sema::VarKind::Module ? v->owner->module->importCycle : std::string_view();
    if (!cycle.empty()) text = fmt::format("'{}' is read before it is set: import cycle {}", text, cycle);
    const RuntimeError unsetError = classType ? RuntimeError::ClassNotInitialised : RuntimeError::UsedBeforeSet;
    b_.raise(uint32_t(cycle.empty() ? unsetError : RuntimeError::Message), box(b_.str(text), program_.types().string()));
    b_.startSealed(set);
}

void FunctionLowering::writeVar(const Variable* v, Value value) {
    if (storageRep(v) != repOf(v->type)) value = box(value, v->type);
    if (v->kind == sema::VarKind::Module) {
        if (keptInRegister(v)) b_.writeVariable(varOf(v), value);
        b_.op(Op::VarSet, {value}, program_.moduleVar(v));
    } else if (v->inCell()) {
        b_.op(Op::CellSet, {readRaw(v), value});
    } else if (hasSlot(v)) {
        writeSlot(v, value);
    } else {
        b_.writeVariable(varOf(v), value);
    }
}

/// Makes a variable come into being; `init` null: unset, or nil where its type admits nil.
void FunctionLowering::declareVar(const Variable* v, Value init) {
    if (v->function && v->function->isStatic()) return;  // uses name the function itself
    if (!init) {
        if (v->kind == sema::VarKind::Module) {
            if (v->type->admitsNil) writeVar(v, b_.zero(repOf(v->type)));
            return;
        }
        Value unset = b_.zero(storageRep(v));
        if (v->inCell()) unset = newCell(v, unset);
        if (!declareInSlot(v, unset)) b_.writeVariable(varOf(v), unset);
        return;
    }
    asserted(init, v->type);
    if (v->kind == sema::VarKind::Local && v->inCell()) {
        if (storageRep(v) != repOf(v->type)) init = box(init, v->type);
        Value cell = newCell(v, init);
        if (!declareInSlot(v, cell)) b_.writeVariable(varOf(v), cell);
        return;
    }
    if (wantsSlot(v) && declareInSlot(v, storageRep(v) == repOf(v->type) ? init : box(init, v->type))) return;
    writeVar(v, init);
}

// --- closures ----------------------------------------------------------------------------------------------------

/// The closure of a known function, as a value.
Value FunctionLowering::closureOf(const TypedFunction* fn) {
    if (fn->isStatic()) return b_.fn(program_.functionOf(fn));
    if (fn == source_) return b_.op(Op::ClosureSelf, {});
    if (!fn->variable || fn->isConst) return makeClosure(fn);
    return readVar(fn->variable, fn->variable->kind == sema::VarKind::Module);
}

/// A new closure of a function whose captures are all visible here.
Value FunctionLowering::makeClosure(const TypedFunction* fn) {
    Function* f = program_.functionOf(fn);
    if (fn->isStatic()) return b_.fn(f);
    std::vector<Value> captured;
    if (fn->isLenient) captured.push_back(environment());
    for (const Variable* v : fn->captures) {
        const bool isSelf = v->function && v->function == source_;
        captured.push_back(isSelf ? b_.op(Op::ClosureSelf, {}) : readRaw(v));
    }
    return b_.closure(f, captured);
}

// --- bodies ------------------------------------------------------------------------------------------------------

/// Gives the first `count` parameters their variables.
void FunctionLowering::bindParams(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (isDebuggable_) {
            bindParamSlot(i);
            continue;
        }
        const Variable* v = source_->params[i];
        Value word = asserted(b_.param(i), v->type);
        b_.writeVariable(varOf(v), v->inCell() ? newCell(v, word) : word);
    }
}

/// LANGUAGE 4: where a parameter's type is optional, nil takes the default.
void FunctionLowering::applyNilDefaults(uint32_t given) {
    for (uint32_t i = 0; i < std::min(given, source_->defaults.count); i++) {
        const Variable* v = source_->params[i];
        if (!source_->defaults[i] || !v->type->admitsNil) continue;
        Block* take = b_.newBlock();
        Block* done = b_.newBlock();
        b_.br(isNilValue(readVar(v, false)), take, done);
        b_.startSealed(take);
        writeVar(v, lower(source_->defaults[i]));
        b_.jump(done);
        b_.startSealed(done);
    }
}

void FunctionLowering::lowerBody() {
    startDebugging();
    bindParams(source_->params.count);
    applyNilDefaults(source_->params.count);
    lowerRest();
}

void FunctionLowering::finishWithoutReturn() {
    if (b_.isReachable()) {
        Function& f = b_.function();
        if (source_ && source_->isLenient) b_.setLoc(lastPlace());
        event(bc::EventKind::Line, b_.loc());
        event(bc::EventKind::Return, b_.loc());
        if (f.hasResultPack) {
            b_.retPack({});
        } else if (f.results.empty()) {
            b_.ret();
        } else {
            b_.unreachable();  // the body never gets here: it raises or loops
        }
    }
    b_.finish();
}

/// Calls `fn` with all its arguments and returns what it returns.
void FunctionLowering::forwardTo(const TypedFunction* fn, Value closure, std::span<const Value> args, Value pack) {
    Function* f = program_.functionOf(fn);
    std::vector<Value> operands(args.begin(), args.end());
    if (pack) operands.push_back(pack);
    if (f->hasResultPack) {
        Value results = b_.call(f, closure, operands, 0, Rep::Pack);
        b_.retPack(std::span<const Value>(&results, 1));
        return;
    }
    std::vector<Value> results;
    Value first = b_.call(f, closure, operands, 0, f->results.empty() ? Rep::Void : f->results[0]);
    for (uint32_t i = 0; i < f->results.count; i++) {
        results.push_back(i == 0 ? first : b_.typed(Op::Result, f->results[i], {first}, i));
    }
    b_.ret(results);
}

void FunctionLowering::lowerShortEntry(uint32_t argCount) {
    bindParams(argCount);
    const bool isWhole = needsWholeBody(source_);
    if (isWhole) applyNilDefaults(argCount);
    std::vector<Value> args;
    for (uint32_t i = 0; i < source_->params.count; i++) {
        const Variable* v = source_->params[i];
        if (i >= argCount) {
            Value value = lower(source_->defaults[i]);
            b_.writeVariable(varOf(v), v->inCell() ? newCell(v, value) : value);
        }
        args.push_back(readVar(v, false));
    }
    if (isWhole) return lowerRest();
    Value closure = source_->isStatic() ? nullptr : b_.op(Op::ClosureSelf, {});
    forwardTo(source_, closure, args, nullptr);
    b_.finish();
}

void FunctionLowering::lowerRest() {
    if (source_->isMain && source_->isLenient) keepEnvironment();
    event(bc::EventKind::Enter, source_->range.begin);
    hasCode_ = false;
    lowerBlock(source_->body);
    sealLabels();
    finishWithoutReturn();
}

void FunctionLowering::lowerDynamicEntry() {
    std::vector<Value> args;
    for (uint32_t i = 0; i < source_->params.count; i++) {
        const Variable* v = source_->params[i];
        const Rep rep = repOf(v->type);
        Value given = b_.param(i);
        VarId value = b_.declareVariable(rep);
        Block* convert = b_.newBlock();
        Block* done = b_.newBlock();
        if (i < source_->defaults.count && source_->defaults[i]) {
            Block* take = b_.newBlock();
            Block* present = b_.newBlock();
            b_.br(b_.op(Op::EqX, {given, b_.absent()}), take, present);
            b_.startSealed(present);
            if (v->type->admitsNil) {
                b_.br(isNilValue(given), take, convert);
            } else {
                b_.jump(convert);
            }
            b_.startSealed(take);
            b_.writeVariable(value, lower(source_->defaults[i]));
            b_.jump(done);
        } else {
            b_.jump(convert);
        }
        b_.startSealed(convert);
        b_.writeVariable(value, checked(given, program_.types().any(), v->type, sema::CheckReason::Argument));
        b_.jump(done);
        b_.startSealed(done);
        Value word = b_.readVariable(value);
        b_.writeVariable(varOf(v), v->inCell() ? newCell(v, word) : word);
        args.push_back(word);
    }
    if (needsWholeBody(source_)) return lowerRest();
    Value closure = source_->isStatic() ? nullptr : b_.op(Op::ClosureSelf, {});
    Value pack = b_.function().isVararg ? b_.op(Op::VarargAll, {}) : nullptr;
    forwardTo(source_, closure, args, pack);
    b_.finish();
}

/// The wrapped function is capture 0. Fewer parameters than it has: it is called dynamically, where its defaults apply.
void FunctionLowering::lowerAdapter(const sema::FunctionType* from, const sema::FunctionType* to) {
    Value wrapped = b_.typed(Op::CaptureGet, Rep::Ref, {}, 0);
    const bool isShort = to->params.count < from->params.count;
    std::vector<Value> operands{isShort ? box(wrapped, from) : wrapped};
    for (uint32_t i = 0; i < to->params.count; i++) {
        Value arg = b_.param(i);
        operands.push_back(isShort || i >= from->params.count ? box(arg, to->params[i]) : widen(arg, to->params[i], from->params[i]));
    }
    if (b_.function().isVararg && from->vararg) operands.push_back(b_.op(Op::VarargAll, {}));
    const bool packed = isShort || from->variadicResult;
    const Rep rep = packed ? Rep::Pack : from->results.empty() ? Rep::Void : repOf(from->results[0]);
    const uint32_t extras = isShort ? to->params.count : to->params.count > from->params.count ? to->params.count - from->params.count : 0;
    Value call = isShort ? b_.typed(Op::CallDyn, rep, operands, 0, extras)
                         : b_.typed(Op::CallClo, rep, operands, program_.typeIndex(from), extras);
    returnCall(call, from, to);
    b_.finish();
}

}  // namespace luapp::ir
