// Private machinery of lowering: one ProgramLowering per run, one FunctionLowering per function of the output.
//
// Member functions are spread over lower_*.cpp by what they lower: program, function (variables, entries, adapters), expr,
// convert, call, stmt. All values are ir::Value in the representation of the node's type.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "middle/ir_builder.h"
#include "middle/lower.h"
#include "runtime/bytecode/instruction.h"

namespace luapp::ir {

using frontend::List;
using sema::TExpr;
using sema::TExprKind;
using sema::TStmt;
using sema::TStmtKind;
using sema::Type;
using sema::TypeKind;
using sema::TypedFunction;
using sema::Variable;

/// The run-time errors that lowered code raises by itself; entries come from errors.def.
enum class RuntimeError : uint32_t {
#define LUAPP_RUNTIME_ERROR(Name, text) Name,
#include "runtime/vm/errors.def"
};

/// True if the entries of `fn` that take fewer arguments, or boxed ones, contain its body instead of calling it.
bool needsWholeBody(const TypedFunction* fn);

/// What all functions of a program share: the module, and which functions have been asked for.
class ProgramLowering {
  public:
    ProgramLowering(const sema::TypedProgram& program, sema::TypeTable& types, Module& module)
        : program_(program), types_(types), module_(module) {}

    void run();

    /// The IR function of a typed function; its body is lowered later.
    Function* functionOf(const TypedFunction* fn);
    /// `f/k`: takes the first `argCount` parameters of `fn`, evaluates the defaults of the rest, calls `fn`.
    Function* shortEntry(const TypedFunction* fn, uint32_t argCount);
    /// A function with one capture, a closure of type `from`, that behaves as a `to`.
    Function* adapter(const sema::FunctionType* from, const sema::FunctionType* to);
    /// Index in the module's type table.
    uint32_t typeIndex(const Type* type);
    /// Index of the module variable.
    uint32_t moduleVar(const Variable* variable);
    std::string_view text(sema::Symbol symbol) const { return types_.interner().text(symbol); }
    sema::TypeTable& types() { return types_; }
    Module& module() { return module_; }

  private:
    /// What a pending function is made from.
    enum class Form : uint8_t { Body, Short, Dynamic, Adapter };
    struct Pending {
        Form form;
        Function* function;
        const TypedFunction* source = nullptr;
        uint32_t argCount = 0;
        const sema::FunctionType* from = nullptr;
        const sema::FunctionType* to = nullptr;
    };

    Function* declare(std::string_view name, const TypedFunction* fn);
    void setSignature(Function* f, const sema::FunctionType* type);
    void lowerPending(const Pending& p);

    const sema::TypedProgram& program_;
    sema::TypeTable& types_;
    Module& module_;
    std::vector<Pending> pending_;
    std::unordered_map<const TypedFunction*, Function*> functions_;
    std::unordered_map<uint64_t, Function*> shorts_;    // (function index, argument count)
    std::unordered_map<uint64_t, Function*> adapters_;  // (type id, type id)
    std::unordered_map<const Variable*, uint32_t> vars_;
};

/// Lowers one function.
class FunctionLowering {
  public:
    FunctionLowering(ProgramLowering& program, Function& out, const TypedFunction* source);

    // The forms of a function's body; each completes the function.
    void lowerBody();
    void lowerShortEntry(uint32_t argCount);
    void lowerDynamicEntry();
    void lowerAdapter(const sema::FunctionType* from, const sema::FunctionType* to);

  private:
    /// Where `break` and `continue` of the innermost loop go.
    struct LoopTargets {
        Block* onBreak;
        Block* onContinue;
    };
    /// How many results of a call are wanted.
    enum class Want : uint8_t { None, First, Pack };

    // --- variables (lower_function.cpp)
    Rep storageRep(const Variable* v) const;
    VarId varOf(const Variable* v);
    bool isHere(const Variable* v) const { return v->owner == source_; }
    bool keptInRegister(const Variable* v) const;
    uint32_t captureIndex(const Variable* v) const;
    Value readRaw(const Variable* v);
    Value readVar(const Variable* v, bool checked);
    void checkSet(const Variable* v, Value word);
    void lowerRest();
    void writeVar(const Variable* v, Value value);
    void declareVar(const Variable* v, Value init);
    Value closureOf(const TypedFunction* fn);
    Value makeClosure(const TypedFunction* fn);
    void bindParams(uint32_t count);
    void applyNilDefaults(uint32_t given);
    void forwardTo(const TypedFunction* fn, Value closure, std::span<const Value> args, Value pack);
    void finishWithoutReturn();

    // --- expressions (lower_expr.cpp)
    Value lower(const TExpr* e);
    Value lowerSimple(const TExpr* e);
    Value lowerSpine(const TExpr* e);
    Value applyBinary(const sema::TBinary* e, Value left, Value right);
    Value lowerUnary(const sema::TUnary* e);
    Value lowerCompare(const sema::TCompare* e);
    Value compareValues(sema::CompareOp op, const Type* type, Value a, Value b);
    Value lowerLogical(const sema::TLogical* e);
    Value lowerConditional(const sema::TConditional* e);
    Value lowerTruthy(const TExpr* operand);
    Value lowerConcat(const sema::TConcat* e);
    Value lowerLength(const sema::TLength* e);
    Value lowerTableGet(const sema::TTableGet* e);
    Value lowerArrayLit(const sema::TArrayLit* e);
    Value lowerTableLit(const sema::TTableLit* e);
    Value lowerRecordLit(const sema::TRecordLit* e);
    Value boolFromBranches(const TExpr* e);
    /// Branches on a boolean expression without making its value.
    void lowerCondition(const TExpr* e, Block* ifTrue, Block* ifFalse);
    Value keyOperand(Value key, const Type* type);
    void setTable(Value table, const Type* tableType, Value key, const Type* keyType, Value value, const Type* valueType);
    Value toText(Value v, const Type* type);

    // --- conversions (lower_convert.cpp)
    Value lowerConvert(const sema::TConvert* e, Value operand);
    /// A value of a type to a type it is assignable to.
    Value widen(Value v, const Type* from, const Type* to);
    Value narrow(Value v, const Type* to);
    Value checked(Value v, const Type* from, const Type* to, sema::CheckReason reason);
    Value adapt(Value v, const Type* from, const Type* to);
    Value lowerTypeTest(const sema::TTypeTest* e);
    Value box(Value v, const Type* type);
    Value isNilValue(Value v);

    // --- calls (lower_call.cpp)
    Value lowerCall(const sema::TCall* call, Want want);
    Value lowerFunctionCall(const sema::TCall* call, Rep rep);
    Value lowerClosureCall(const sema::TCall* call, Rep rep);
    Value lowerDynamicCall(const sema::TCall* call, Rep rep);
    Value fromPack(const sema::TCall* call, uint32_t index, Value v, const Type* to);
    static bool isShortClosureCall(const sema::TCall* call);
    static bool givesPack(const sema::TCall* call);
    Value lowerBuiltinCall(const sema::TCall* call, Rep rep);
    Value lowerIntrinsic(const sema::TCall* call, std::string_view name);
    Value lowerPack(const TExpr* pack);
    void lowerMultiBind(const sema::TMultiBind* s);
    std::vector<Value> lowerArgs(const sema::TCall* call, bool needsType);

    // --- statements (lower_stmt.cpp)
    void lowerBlock(const sema::TBlock* block);
    void lowerStmt(const TStmt* s);
    void lowerIf(const sema::TIf* s);
    void lowerWhile(const sema::TWhile* s);
    void lowerRepeat(const sema::TRepeat* s);
    void lowerNumericFor(const sema::TNumericFor* s);
    void lowerForArray(const sema::TForArray* s);
    void lowerForTable(const sema::TForTable* s);
    void lowerForString(const sema::TForString* s);
    void lowerTableSet(const sema::TTableSet* s);
    void lowerReturn(const sema::TReturn* s);
    Value integerLimit(Value limit, bool upward);
    void lowerLoopBody(const sema::TBlock* body, Block* onContinue, Block* onBreak);
    void jumpTo(Block* to) {
        if (b_.isReachable()) b_.jump(to);
    }

    ProgramLowering& program_;
    const TypedFunction* source_;  // null: adapter
    Builder b_;
    std::vector<VarId> vars_;       // by Variable::index
    std::vector<LoopTargets> loops_;
};

}  // namespace luapp::ir
