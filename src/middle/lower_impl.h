// Private machinery of lowering: one ProgramLowering per run, one FunctionLowering per function of the output.
//
// Member functions are spread over lower_*.cpp by what they lower: program, class (which classes are made, which methods are
// called), function (variables, entries, adapters), object (what generated functions of classes do, and what is done with
// objects), expr, convert, call, stmt. All values are ir::Value in the representation of the node's type.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "middle/class_layout.h"
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

class ProgramLowering;

/// How a method is called: with its first so many parameters (the object not counted), or boxed with `absent` for what is missing.
using CallForm = uint32_t;
inline constexpr CallForm kDynamicForm = ~0u;

/// What the generated functions of classes are made from; which members mean something depends on the form.
struct ObjectCode {
    const sema::TypedClass* cls = nullptr;
    const TypedFunction* function = nullptr;       // constructor (may be null), method
    const sema::FunctionType* type = nullptr;      // what callers see, without the object
    Function* callee = nullptr;                    // what an adapter calls
    uint32_t method = ~0u;                         // index in Module::methods; ~0: `callee` is called directly
    CallForm form = 0;
    uint32_t field = 0;                            // own field of `cls`
};

/// The classes of a program as far as lowering has got: a class counts once some function that is lowered makes an object of it, a
/// virtual method once some such function calls it, and a class that counts makes the functions count that answer such methods. So what
/// nobody uses is not lowered, and a call that only one function can answer becomes a direct call.
class ClassLowering {
  public:
    ClassLowering(ProgramLowering& program, std::span<sema::TypedClass* const> classes);

    const ClassLayout& layout() const { return layout_; }
    /// The function that makes an object of the class, without running a constructor: `Name.new`.
    Function* allocator(const sema::ClassType* type);
    /// The function that takes the arguments of `constructor` (null: none) and gives an object.
    Function* maker(const sema::ClassType* type, const TypedFunction* constructor);
    /// The program uses the class as a value: it can be called, and its members be found by name.
    void useAsValue(const sema::ClassType* type);
    /// What callers of the method see (without the object), or null if no class of the program has it.
    const sema::FunctionType* methodType(const Type* owner, const sema::MethodInfo* method) const;
    /// Index in Module::methods of a method that some class has.
    uint32_t method(const Type* owner, const sema::MethodInfo* method, CallForm form);
    /// The function behind bound methods: captures the object, has the signature of `type`. `function` null: virtual.
    Function* boundMethod(const Type* owner, const sema::MethodInfo* method, const TypedFunction* function,
                          const sema::FunctionType* type);
    /// When all functions are lowered: fills Module::classes and the slots of Module::methods, and replaces virtual calls that one or
    /// no function can answer.
    void finish();

  private:
    using MethodKey = std::pair<const Type*, const sema::MethodInfo*>;
    struct KeyHash {
        size_t operator()(const MethodKey& key) const {
            return (reinterpret_cast<uintptr_t>(key.first) ^ reinterpret_cast<uintptr_t>(key.second) * 31) >> 4;
        }
    };
    struct Answer {
        uint32_t classIndex;
        const sema::TypedDispatch* dispatch;
    };
    /// A method some class has, called or not.
    struct MethodFacts {
        std::vector<Answer> answers;
        std::vector<std::pair<CallForm, uint32_t>> called;  // form and index in Module::methods
    };
    struct TableEntry {
        uint32_t method;  // index in Module::methods
        Function* function;
    };
    struct ClassFacts {
        bool isMade = false;
        bool isValue = false;
        Function* allocator = nullptr;
        std::vector<TableEntry> table;
        std::vector<Function*> makers;
    };

    void noteMade(uint32_t classIndex);
    void useMembers(uint32_t classIndex);
    void addAnswer(uint32_t classIndex, const sema::TypedDispatch& dispatch, CallForm form, uint32_t method);
    Function* answer(const sema::TypedDispatch& dispatch, CallForm form, uint32_t method);
    Function* field(const sema::TypedDispatch& dispatch);
    Function* adapted(const sema::TypedDispatch& dispatch, Function* callee, CallForm form, uint32_t method);
    void placeMethods();
    void fillClass(uint32_t classIndex);
    void fillFields(uint32_t classIndex, ClassEntry& entry);
    void fillMembers(uint32_t classIndex, ClassEntry& entry);
    void resolveCalls();

    ProgramLowering& program_;
    std::span<sema::TypedClass* const> classes_;
    ClassLayout layout_;
    std::vector<ClassFacts> facts_;  // by class
    std::unordered_map<MethodKey, MethodFacts, KeyHash> methods_;
    std::vector<const MethodFacts*> factsOfMethod_;                  // by index in Module::methods
    std::unordered_map<uint64_t, Function*> adapters_;               // (callee, method)
    std::unordered_map<uint64_t, Function*> makers_;                 // (class, constructor)
    std::unordered_map<uint64_t, Function*> readers_, writers_;      // (class, field)
    std::unordered_map<uint64_t, Function*> boundVirtual_, bound_;   // (method or function, type)
};

/// What all functions of a program share: the module, and which functions have been asked for.
class ProgramLowering {
  public:
    ProgramLowering(const sema::TypedProgram& program, sema::TypeTable& types, Module& module, const LowerOptions& options)
        : program_(program), types_(types), module_(module), options_(options), classes_(*this, program.classes) {}

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
    /// Index of the module variable that holds a lenient module's environment for functions that are no closures.
    uint32_t environmentVar(const sema::TypedModule* module);
    bool hasEnvironmentVar(const sema::TypedModule* module) const { return environments_.contains(module); }
    /// What words of a type, of a variable hold (Module::valueTypes).
    uint32_t valueType(const Type* type);
    uint32_t valueType(const Variable* variable);
    std::string_view text(sema::Symbol symbol) const { return types_.interner().text(symbol); }
    sema::TypeTable& types() { return types_; }
    Module& module() { return module_; }
    const LowerOptions& options() const { return options_; }
    ClassLowering& classes() { return classes_; }

    /// What a pending function is made from.
    enum class Form : uint8_t {
        Body, Short, Dynamic, Adapter,
        // generated functions of classes, from an ObjectCode
        Allocator, Maker, MakerDynamic, MethodAdapter, Reader, Writer, Bound, BoundDynamic,
    };
    /// A new function of a class that is to be lowered as `form` says; its signature is that of `code.type`, with `object` in front
    /// if that is not Void.
    Function* declareObjectCode(Form form, std::string_view name, const ObjectCode& code, Rep object = Rep::Void);
    /// Gives `f` the parameters and results of `type`.
    void setSignature(Function* f, const sema::FunctionType* type);
    /// Gives `f`, which is not to be a value, results of these types.
    void setResultTypes(Function* f, const sema::FunctionType* type);
    /// Gives `f` boxed parameters, one for each of `type`, and the results of `type`: the form of dynamic entries.
    void setDynamicSignature(Function* f, const sema::FunctionType* type);

  private:
    struct Pending {
        Form form;
        Function* function;
        const TypedFunction* source = nullptr;
        uint32_t argCount = 0;
        const sema::FunctionType* from = nullptr;
        const sema::FunctionType* to = nullptr;
        ObjectCode object = {};
    };

    Function* declare(std::string_view name, const TypedFunction* fn);
    void lowerPending(const Pending& p);

    const sema::TypedProgram& program_;
    sema::TypeTable& types_;
    Module& module_;
    const LowerOptions& options_;
    std::vector<Pending> pending_;
    std::unordered_map<const TypedFunction*, Function*> functions_;
    std::unordered_map<uint64_t, Function*> shorts_;    // (function index, argument count)
    std::unordered_map<uint64_t, Function*> adapters_;  // (type id, type id)
    std::unordered_map<const Variable*, uint32_t> vars_;
    std::unordered_map<const sema::TypedModule*, uint32_t> environments_;
    ClassLowering classes_;
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
    void lowerObjectCode(ProgramLowering::Form form, const ObjectCode& code);

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
    /// The word of a box that is known to hold a value of the type.
    Value unboxKnown(Value v, const Type* type) {
        return b_.typed(Op::UnboxU, repOf(type), {v}, repOf(type) == Rep::Ref ? program_.valueType(type) : 0);
    }
    Value newCell(const Variable* v, Value word) { return b_.op(Op::CellNew, {word}, program_.valueType(v)); }
    Value readVar(const Variable* v, bool checked, const Type* classType = nullptr);
    Value storedWord(const Variable* v);
    void checkSet(const Variable* v, Value word, const Type* classType = nullptr);
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
    Value asserted(Value v, const Type* type);
    void noteNarrowing(const sema::TConvert* e, Value v);
    Value lower(const TExpr* e);
    Value lowerSimple(const TExpr* e);
    Value lowerSpine(const TExpr* e);
    Value applyBinary(const sema::TBinary* e, Value left, Value right);
    Value lowerUnary(const sema::TUnary* e);
    Value lowerCompare(const sema::TCompare* e);
    Value compareValues(sema::CompareOp op, const Type* type, Value a, Value b);
    Value lowerArm(const TExpr* arm, Rep rep);
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

    // --- objects (lower_object.cpp)
    void lowerAllocator(const ObjectCode& code);
    void lowerMaker(const ObjectCode& code);
    void lowerMakerDynamic(const ObjectCode& code);
    void lowerMethodAdapter(const ObjectCode& code);
    void lowerDynamicMethodAdapter(const ObjectCode& code);
    void lowerBound(const ObjectCode& code);
    void startFields(const sema::TypedClass& cls, Value object);
    void returnCall(Value call, const sema::FunctionType* from, const sema::FunctionType* to);
    Value lowerObjectNew(const sema::TObjectNew* e);
    void checkReady(const TExpr* ready, const Type* type);
    Value readField(Value object, const sema::ClassType* owner, uint32_t field);
    void writeField(Value object, const sema::ClassType* owner, uint32_t field, Value value);
    Value lowerBoundMethod(const sema::TBoundMethod* e);
    Value lowerClassRef(const sema::TClassRef* e);
    Value lowerMethodCall(const sema::TCall* call, Rep rep);
    Value callFunction(const TypedFunction* fn, Value closure, std::vector<Value> operands, uint32_t given, uint32_t extras, Rep rep);

    // --- names of operands (lower_notes.cpp)
    /// Sets the position for what is emitted while it lives, with a note if there is a name.
    class NotedPlace {
      public:
        NotedPlace(FunctionLowering& lowering, Loc loc, bc::NoteUse use, OperandName first, OperandName second = {});
        /// For an operator with any number of operands.
        NotedPlace(FunctionLowering& lowering, Loc loc, std::span<const OperandName> names);
        ~NotedPlace();

      private:
        Builder& b_;
        Loc loc_;
    };
    OperandName named(bc::NameKind kind, std::string_view name);
    OperandName nameOfVariable(const Variable* v);
    /// What an operand is called; after it has been lowered, because of temporaries.
    OperandName nameOf(const TExpr* e);
    Value dynamicConcat(const sema::TConcat* e);
    Value dynamicOp(Op op, std::initializer_list<Value> operands, Loc loc, bc::NoteUse use, OperandName first, OperandName second = {},
                    int64_t imm = 0);

    // --- debuggable functions (lower_debug.cpp)
    /// The locals declared while it lives are in scope as long.
    class SlotScope {
      public:
        explicit SlotScope(FunctionLowering& lowering);
        ~SlotScope();

      private:
        FunctionLowering& lowering_;
        uint32_t slot_;
        uint32_t scope_;
    };
    void startDebugging();
    void addLocal(std::string_view name, uint32_t slot, bool isCell);
    uint32_t newSlot(std::string_view name, Value value, bool isCell);
    bool wantsSlot(const Variable* v) const;
    bool hasSlot(const Variable* v) const;
    Value readSlot(const Variable* v);
    void writeSlot(const Variable* v, Value word);
    bool declareInSlot(const Variable* v, Value word);
    void bindParamSlot(uint32_t i);
    uint32_t hiddenLocal(std::string_view name, Value value);
    void setHidden(uint32_t slot, Value value);
    uint32_t parkValue(Value value, const TExpr* next);
    Value unparkValue(Value value, uint32_t slot);
    void event(bc::EventKind kind, Loc loc, Value callee = nullptr);
    void callEvent(bc::EventKind kind, Loc loc, Value callee, OperandName name);
    void conditionEvent(const TExpr* condition);
    void statementEvent(const TStmt* s);
    Loc lastPlace() const;

    // --- lenient code (lower_lenient.cpp)
    Value environment();
    void keepEnvironment();
    Value lowerGlobalGet(const sema::TGlobalGet* e);
    void lowerGlobalSet(const sema::TGlobalSet* s);
    Value lowerLuaTable(const sema::TLuaTableLit* e);
    Value loopNumber(const TExpr* e, bc::LoopBound which);
    void lowerLuaFor(const sema::TLuaFor* s);
    void lowerLuaForIn(const sema::TLuaForIn* s);
    void lowerGoto(const sema::TLabel* label);
    void lowerLabel(const sema::TLabel* label);
    void sealLabels();

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
    struct LabelBlock {
        const sema::TLabel* label;
        Block* block;
        bool isPlaced;
    };
    LabelBlock& labelBlock(const sema::TLabel* label);
    std::vector<LabelBlock> labels_;
    bool isDebuggable_ = false;
    bool hasCode_ = false;           // something has happened in the function already
    uint32_t nextSlot_ = 0;
    std::vector<uint32_t> slotOf_;   // by Variable::index
    const sema::TCall* tailCall_ = nullptr;  // the call of `return f()` while it is lowered
    Value tailCallee_ = nullptr;
    std::unordered_map<const Variable*, const TExpr*> temporaries_;  // what temporaries without a name start with
};

}  // namespace luapp::ir
