#pragma once
// The private state of one run of the checker, shared by all check_*.cpp files. Nobody outside sema includes it.
//
// Checking goes top down and builds the typed tree on the way: checkExpr() takes the type that the context wants (a
// hint, may be null) and gives a typed expression whose type may be another; convert() then makes it fit or reports.
// What is reported gets ErrorType, which fits everything. Flow (flow.h) holds what is known about variables at the
// current point. Statements go to the list that `out_` stands for; a Scratch collects nodes before their number is
// known.

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/diag/diagnostic.h"
#include "frontend/diag/suggest.h"
#include "sema/builtin_types.h"
#include "sema/flow.h"
#include "sema/instantiate.h"
#include "sema/sema.h"
#include "sema/symbols.h"

namespace luapp::sema {

namespace diag = frontend::diag;
using frontend::Diagnostics;

/// Collects values on a shared stack; release() copies them into the arena. Scratches nest like scopes.
template <class T>
class Scratch {
  public:
    explicit Scratch(std::vector<T>& stack) : stack_(stack), base_(stack.size()) {}
    ~Scratch() { stack_.resize(base_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    void add(T value) { stack_.push_back(value); }
    size_t size() const { return stack_.size() - base_; }
    bool empty() const { return size() == 0; }
    T& operator[](size_t i) const { return stack_[base_ + i]; }
    T& back() const { return stack_.back(); }
    std::span<const T> span() const { return {stack_.data() + base_, size()}; }
    List<T> list(frontend::Arena& arena) const { return arena.makeList<T>(span()); }

  private:
    std::vector<T>& stack_;
    size_t base_;
};

/// A member with the class or interface type that declares it. No `info`: none.
struct Member {
    MemberInfo* info = nullptr;
    const Type* owner = nullptr;
};

/// A function about to be called.
struct Callee {
    const FunctionType* type = nullptr;
    CallKind kind = CallKind::Dynamic;
    FunctionInfo* function = nullptr;             // Function
    TExpr* closure = nullptr;                     // Closure
    const BuiltinSignature* signature = nullptr;  // Builtin
    TExpr* self = nullptr;                        // first argument already there
    TExpr* object = nullptr;                      // of a method or constructor: passed in front, no parameter of `type`
    MethodInfo* method = nullptr;                 // Method
    const Type* methodOwner = nullptr;
    List<const Type*> ownerArgs;                  // type arguments of the class of a method called directly
    ClassInfo* construct = nullptr;               // `Name(...)`: `function` is the constructor (null: none), the result the class
    ConstructorInfo* constructor = nullptr;
    std::string_view name;                        // as written, for messages
    std::vector<TypeBinding> bindings;            // of its type parameters, open ones
    std::vector<const TypeParamType*> typeParams;  // of a generic function of the program: as declared, by binding
    std::vector<TExpr*> checked;                  // arguments checked already (null: not yet), by position
};

/// The loop around the statement being checked.
struct LoopState {
    OpenJoin exits;
    OpenJoin continues;
    std::vector<Range> continueStmts;
};

/// The `repeat` loop whose condition is being checked.
struct UntilLoop {
    Range range;
    const LoopState* loop;
};

/// How many expressions and statements may stand around a place where the checker turns to the body of another function before it
/// goes on: what the parser lets nest in one body adds up over such bodies.
inline constexpr int kMaxLevel = 1500;
/// How deep calls of const functions may nest whose bodies are typed per use.
inline constexpr int kMaxConstDepth = 32;

/// Counts one level while it lives.
class Level {
  public:
    explicit Level(int& level) : level_(level) { level_++; }
    ~Level() { level_--; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

  private:
    int& level_;
};

/// The returns of a function whose result they decide.
struct Inference {
    std::vector<TReturn*> returns;
    bool givesValues = false;
};

/// `for i = 1, #a` around the code being checked.
struct LoopFromOne {
    SemaVar* variable = nullptr;
    SemaVar* array = nullptr;
    Range range;
};

/// An optional link of a chain: the object, held in a temporary.
struct ChainLink {
    Variable* held;
    TExpr* object;
};

/// The constructor being checked.
struct Construction {
    ConstructorInfo* constructor = nullptr;
    std::vector<ast::CallExpr*> baseCalls;  // calls that stand directly in its body
    std::vector<const ClassInfo*> done;     // direct bases whose constructors have run
    std::vector<std::pair<const ClassInfo*, Range>> missing;  // bases that need a call and have none
    /// Has the constructor of this class, a base, run?
    bool isDone(const ClassInfo* base) const;
};

/// What can be assigned to.
struct Place {
    enum class Kind : uint8_t { Bad, Variable, Array, Table, Record, Field, Event, Operator, DynIndex, DynMember, Global };
    Kind kind = Kind::Bad;
    SemaVar* variable = nullptr;
    TExpr* object = nullptr;
    TExpr* key = nullptr;
    uint32_t field = 0;
    Symbol name;
    const Type* type = nullptr;  // of what may be written
    Member member;               // Field, Event: it; Operator: `__newindex`
    bool isSelf = false;         // Field: of `self`
    Range keyRange;              // Operator
    Loc loc;
    Range range;
};

/// A whole number literal, perhaps with a sign or in parentheses.
bool isWholeLiteral(const ast::Expr& expr);

/// A call or `...`: as the last of several expressions it may give any number of values.
inline bool isExpandable(const ast::Expr& e) {
    return e.kind == ast::NodeKind::CallExpr || e.kind == ast::NodeKind::VarargExpr;
}

class Checker final : private AliasMaker, private NodeRules {
  public:
    Checker(TypedProgram& program, Diagnostics& diagnostics, Interner& interner, FunctionMap& functions)
        : program_(program),
          types_(program.types),
          diags_(diagnostics),
          interner_(interner),
          functions_(functions),
          builtins_(program.types, interner),
          flow_(program.types) {
        types_.setAliasMaker(this);
    }
    ~Checker() { types_.setAliasMaker(nullptr); }

    /// Works out the types of all classes, interfaces and enums, before any body is checked.
    void declareClasses(std::span<ModuleInfo* const> modules);
    /// Checks the main block and all functions of a module.
    void checkModule(ModuleInfo& module);
    /// After all modules: what only the whole program tells about classes.
    void finishClasses();
    /// TypedProgram::classes; without errors only.
    void makeClassTables();
    /// Copies what is generic for the type arguments in use. To be called once, when all modules are checked without errors.
    void instantiate();

  private:
    // ---- check_function.cpp
    const FunctionType* functionIn(const Type* expected);
    void knowSignature(FunctionInfo& function, const FunctionType* context = nullptr);
    const Type* literalType(ast::Expr& value);
    const FunctionType* makeType(FunctionInfo& function, std::span<const Type* const> results, const Type* variadic);
    void checkBody(FunctionInfo& function);
    void checkBodyApart(FunctionInfo& function);
    void inferResult(FunctionInfo& function);
    void endBody(FunctionInfo& function, ast::FunctionBody& body);
    void finishInference(FunctionInfo& function, Inference& inference);
    const Type* valueType(const Type* type);
    TExpr* functionValue(FunctionInfo& function, Loc loc);
    TExpr* checkFunctionExpr(ast::FunctionExpr& expr, const Type* expected);
    void checkLocalFunction(ast::LocalFunctionDecl& decl);
    void checkFunctionDecl(ast::FunctionDecl& decl);
    void declareFunctionVariable(FunctionInfo& function, SemaVar& variable, Loc loc);
    FunctionInfo* instanceOf(FunctionInfo& function);
    FunctionInfo* instantiateConst(FunctionInfo& generic, std::span<const Type* const> argTypes, Range where);
    FunctionInfo* functionOf(const ast::FunctionBody& body) { return functions_.find(&body)->second; }

    // ---- check_stmt.cpp
    TBlock* checkBlock(ast::Block& block);
    void checkStatements(std::span<ast::Stmt* const> statements);
    void checkStmt(ast::Stmt& stmt);
    void check(ast::LocalStmt& stmt);
    void check(ast::AssignStmt& stmt);
    void check(ast::CompoundStmt& stmt);
    void check(ast::ExprStmt& stmt);
    void check(ast::DoStmt& stmt);
    void check(ast::WhileStmt& stmt);
    void check(ast::RepeatStmt& stmt);
    void check(ast::IfStmt& stmt);
    void check(ast::NumericForStmt& stmt);
    void check(ast::GenericForStmt& stmt);
    void check(ast::ReturnStmt& stmt);
    void check(ast::BreakStmt& stmt);
    void check(ast::ContinueStmt& stmt);
    void check(ast::GotoStmt& stmt);
    void check(ast::LabelStmt& stmt);
    void check(ast::ErrorStmt&) {}
    void check(ast::FunctionDecl& stmt) { checkFunctionDecl(stmt); }
    void check(ast::LocalFunctionDecl& stmt) { checkLocalFunction(stmt); }
    void check(ast::ClassDecl& decl);
    void check(ast::InterfaceDecl& decl);
    void check(ast::EnumDecl& decl);
    void check(ast::TypeAliasDecl& decl);
    void check(ast::ImportDecl& decl);
    void check(ast::ExportFromDecl& decl);
    void check(ast::FieldDecl&) {}
    void check(ast::MethodDecl&) {}
    void check(ast::ConstructorDecl&) {}
    void check(ast::EventDecl&) {}
    void markDeclared(SemaVar& variable);
    void declareLocal(SemaVar& variable, ast::NameDecl& name, const Type* declared, TExpr* value, Range valueRange,
                      Loc loc);
    void narrowByValue(SemaVar& variable, const Type* valueType);
    template <class HintAt>
    void checkValueList(std::span<ast::Expr* const> exprs, size_t wanted, HintAt hintAt, Scratch<TExpr*>& values,
                        std::vector<Range>& ranges, std::vector<TStmt*>& before, Range whole);
    TExpr* convertKeepingNarrow(TExpr* value, const Type* type, Range range);
    TExpr* stashUnlessLast(std::vector<TStmt*>& before, Scratch<TExpr*>& values, size_t i);

    // ---- check_loop.cpp
    void checkLoop(Range range, const std::function<void(LoopState&, FlowJoin& leaving, size_t head)>& pass);
    SemaVar* loopVariable(ast::NameDecl& name, const Type* element, Variable*& raw, TStmt*& convertStmt);
    void checkStep(ast::NumericForStmt& stmt, TExpr* step, TExpr* limit);
    bool noteFromOne(ast::NumericForStmt& stmt, TExpr* start, LoopFromOne& note);
    std::string_view pairsCall(ast::Expr& expr, ast::Expr*& arg);
    TExpr* pairsTriplet(std::string_view name, TExpr* value, Range range);
    TExpr* iteratorOf(TExpr* value, Range range);
    void iterateNothing(ast::GenericForStmt& stmt);
    void iterateValue(ast::GenericForStmt& stmt, TExpr* value, bool viaPairs);
    void iterateCalls(ast::GenericForStmt& stmt, TExpr* only);

    // ---- check_lenient.cpp
    bool isLenient() const { return module_ && module_->tree->isLenient; }
    TExpr* asAny(TExpr* value);
    TExpr* loosened(TExpr* value);
    TExpr* globalValue(Symbol name, Loc loc);
    static bool isLoose(const FunctionInfo& function);
    static bool isLooseType(const FunctionType* type);
    TExpr* callLenient(ast::CallExpr& expr, FunctionInfo& function);
    TExpr* luaTable(ast::BraceExpr& expr);
    template <class HintAt>
    void adjustedValues(std::span<ast::Expr* const> exprs, size_t wanted, HintAt hintAt, Scratch<TExpr*>& values,
                        std::vector<Range>& ranges, std::vector<TStmt*>& before, Loc loc);
    TExpr* convertValue(TExpr* value, const Type* type, Range range);
    void lenientLocal(ast::LocalStmt& stmt);
    void lenientAssign(ast::AssignStmt& stmt);
    void lenientFor(ast::NumericForStmt& stmt);
    void lenientForIn(ast::GenericForStmt& stmt, TExpr* only);
    void lenientFunction(ast::FunctionDecl& decl);
    void declareArg(FunctionInfo& function);
    void lenientStatements(std::span<ast::Stmt* const> statements);
    static uint32_t localsOf(const ast::Stmt& stmt);

    // ---- check_module.cpp
    void declareHoisted(ModuleInfo& module);
    bool leavesRequired(const ast::ReturnStmt& stmt);
    void provide(ModuleInfo& module, TExpr* value, Loc loc);
    void provideModule(ModuleInfo& module);
    TExpr* exportsOf(ModuleInfo& module, Loc loc);

    // ---- class_declare.cpp
    struct DeclScope {
        DeclScope(Checker& checker, const ObjectInfo& info);
        ~DeclScope();
        Checker& checker_;
        ModuleInfo* module_;
        FunctionInfo* function_;
        std::vector<std::pair<Symbol, const Type*>> params_;
    };
    void declareBounds(ObjectInfo& info);
    void checkPendingBounds();
    void declareEnum(EnumInfo& info);
    void resolveBases(InterfaceInfo& info);
    void resolveBases(ClassInfo& info);
    void closeInterfaces(InterfaceInfo& info);
    const ClassType* mergeBases(const ClassInfo& info, std::vector<const ClassType*>& order);
    void linearise(ClassInfo& info);
    void markSharedBases(ClassInfo& info);
    static bool needsValue(const Type* type);
    void declareField(ObjectInfo& info, FieldInfo& field);
    void declareMembers(ObjectInfo& info);
    void noteMethodType(MethodInfo& method);
    const FunctionType* methodType(MethodInfo& method);
    static MemberInfo* ownMember(const ObjectInfo& info, Symbol name);
    const FunctionType* signatureOf(MethodInfo& method);
    const FunctionType* constructorType(const ClassInfo& info, const ConstructorInfo& constructor);
    static ConstructorInfo* constructorWithoutArguments(const ClassInfo& info);
    void declareConstructors(ClassInfo& info);
    void makeConstructor(ClassInfo& info, ConstructorInfo* of, uint32_t count);

    // ---- class_inherit.cpp
    Member findMember(const Type* type, Symbol name, const ClassInfo* from, Member* hidden);
    void checkInterface(InterfaceInfo& info);
    void checkImplements(ClassInfo& info, const InterfaceType* interface);
    void checkOverride(ClassInfo& info, MethodInfo& method, const Member& inherited);
    void checkInheritance(ClassInfo& info);
    void methodTypeIfNeeded(MethodInfo& method);
    void checkConflicts(ClassInfo& info);
    static std::vector<MemberInfo*> membersInOrder(const ObjectInfo& info);
    void checkEntries(ClassInfo& info);

    // ---- check_class.cpp
    TExpr* zeroOf(const Type* type, Loc loc);
    void checkClass(ClassInfo& info);
    void checkInitializer(ClassInfo& info);
    TExpr* callMethod(ast::CallExpr& expr, TExpr* object, const Member& member, const Type* expected, bool isDirect);
    void aimAt(Callee& callee, TExpr* object, const Member& member, bool isDirect);
    TExpr* callWith(TExpr* object, const Member& member, std::span<TExpr* const> args, Loc loc);
    MethodInfo* shorterEntry(MethodInfo& method, uint32_t count);
    TExpr* callObjectMember(ast::CallExpr& expr, ast::FieldExpr& field, TExpr* object, const Type* expected);
    TExpr* callBareMember(ast::CallExpr& expr, MemberInfo& info, const Type* expected);
    TExpr* callStatic(ast::CallExpr& expr, const Member& member, Range range, const Type* expected);
    TExpr* callNominalMember(ast::CallExpr& expr, Nominal& nominal, const ast::Ident& name, const Type* expected);
    bool isBaseObject(ast::Expr& object, const ClassType*& from);
    Member inheritedMember(const ClassType* from, const ast::Ident& name, Range range);
    TExpr* callInherited(ast::CallExpr& expr, const ast::FieldExpr& field, const ClassType* from, const Type* expected);
    TExpr* inheritedValue(const ast::FieldExpr& field, const ClassType* from);

    // ---- check_member.cpp
    FunctionInfo* classFunction() const;
    ClassInfo* currentClass() const;
    SemaVar* currentSelf() const;
    bool isSelf(const TExpr* object) const;
    static bool derivesFrom(const ClassInfo* info, const Nominal* base);
    bool mayUse(const Member& member, Range range);
    Member memberOfObject(const Type* type, const ast::Ident& name, Range objectRange);
    Nominal* nominalIn(ast::Expr& expr);
    Member memberOfClass(ClassInfo& info, const ast::Ident& name);
    TExpr* classValue(Nominal& nominal, Range range);
    TExpr* nominalMember(Nominal& nominal, const ast::Ident& name);
    TExpr* staticValue(const Member& member, Range range);
    TExpr* bareMemberValue(MemberInfo& info, const ast::Ident& name);
    TExpr* bareObject(const MemberInfo& info, Range range);
    TExpr* memberValue(TExpr* object, const Member& member, Range range);
    TExpr* fieldGet(TExpr* object, const Member& member, Loc loc);
    TStmt* fieldSet(TExpr* object, const Member& member, TExpr* value, Loc loc);
    TExpr* boundMethod(TExpr* object, const Member& member, Range range);
    SelfField& selfField(FieldInfo& field, const Type* type);
    SemaVar* selfFieldOf(ast::Expr& expr);
    void noteFieldWrite(FieldInfo& field, bool isSelf, const Type* valueType);

    // ---- check_construct.cpp
    bool mayBeUnready(const SemaVar& variable) const;
    TExpr* readyCheck(const ClassInfo& info, Loc loc);
    TExpr* staticReady(const SemaVar& variable, Loc loc);
    bool mayConstruct(const ClassInfo& info, const ConstructorInfo& constructor, Range range);
    bool literalCouldBe(const ast::FunctionBody& literal, const FunctionType& type);
    bool braceCouldBe(const ast::BraceExpr& list, const Type* type);
    bool couldBe(const ast::Expr& source, TExpr* value, const Type* param);
    ConstructorInfo* chooseConstructor(ast::CallExpr& expr, ClassInfo& info, std::vector<TExpr*>& checked);
    TExpr* constructCall(ast::CallExpr& expr, Nominal& nominal, const Type* expected);
    TExpr* newObject(const Callee& callee, const ClassType* type, std::span<TExpr* const> args,
                     std::span<TExpr* const> extras, TExpr* pack, Loc loc);
    TExpr* convertImplicitly(TExpr* value, const ClassType* wanted);
    static const ClassType* implicitTarget(const Type* wanted);
    TExpr* bracesAsObject(ast::BraceExpr& expr, const ClassType* type);
    const ClassType* baseNamed(ast::Expr& callee, bool& isBaseCall);
    TExpr* baseConstructorCall(ast::CallExpr& expr, const ClassType& base);
    TExpr* guardShared(TExpr* value, const ClassType& base);
    void callBaseImplicitly(const ClassType& base, Range where);
    void passToBase(const ClassType& base, ConstructorInfo& constructor, std::span<TExpr* const> args, TExpr* pack,
                    Loc loc);
    void beginConstructor(FunctionInfo& function);
    void reportMissingBases(int misplacedBefore);
    void endConstructor(Range where);
    void buildConstructor(FunctionInfo& function);
    void noteFieldRead(FieldInfo& field, Range range);
    bool mayWriteField(FieldInfo& field, bool isSelf, Range range);
    void noteSelfGoes();
    void noteSelfCaptured(const FunctionInfo& function);
    std::vector<FieldInfo*> unsetNow();
    void noteBaseRuns(ConstructorInfo& base);
    void settleUnsetFields();

    // ---- check_event.cpp
    bool mayInvoke(const Member& event, const ast::Ident& name);
    TExpr* eventMember(TExpr* handlers, const ast::Ident& name);
    TExpr* invokeEvent(ast::CallExpr& expr, TExpr* handlers, const ast::Ident& name);
    TExpr* arrayCall(std::string_view name, std::span<TExpr* const> args, const Type* result, Loc loc);
    void changeHandlers(ast::CompoundStmt& stmt, Place& place);

    // ---- check_operator_method.cpp
    void checkOperatorMethod(MethodInfo& method);
    Member operatorOf(const Type* type, std::string_view name);
    Member staticOperatorOf(const Type* type, std::string_view name);
    TExpr* asOperand(TExpr* value, const Type* param);
    TExpr* operatorCall(std::string_view name, TExpr* left, TExpr* right, Range rightRange, Loc loc);
    TExpr* unaryOperatorCall(std::string_view name, TExpr* operand, Loc loc);
    static std::string_view operatorName(ast::BinaryOp op);
    TExpr* orderCall(ast::BinaryOp op, TExpr* left, TExpr* right, Range leftRange, Range rightRange, Loc loc);
    TExpr* equalCall(bool isEqual, TExpr* left, TExpr* right, Loc loc);
    TExpr* concatCall(std::span<TExpr* const> values, std::span<const Range> ranges, Loc loc);
    TExpr* indexCall(TExpr* object, ast::IndexExpr& expr);
    bool indexPlace(TExpr* object, ast::IndexExpr& target, Place& place, bool& isGood);
    TExpr* readOperatorPlace(Place& place);
    TExpr* iteratorCall(TExpr* object, Loc loc);

    // ---- check_assign.cpp
    bool memberPlace(TExpr* object, const Member& member, Range range, Place& place);
    bool staticPlace(const Member& member, Range range, Place& place);
    bool checkPlace(ast::Expr& target, Place& place);
    bool checkNamePlace(ast::NameExpr& target, Place& place);
    bool checkFieldPlace(ast::FieldExpr& target, Place& place);
    bool checkIndexPlace(ast::IndexExpr& target, Place& place);
    const Type* placeType(const Place& place);
    void spillPlace(Place& place);
    TExpr* readPlace(Place& place, Range range);
    void writePlace(Place& place, TExpr* value, Range valueRange);
    void noteAssigned(SemaVar& variable, const Type* valueType);
    TExpr* checkIncDec(ast::IncDecExpr& expr, bool wantsValue);

    // ---- check_expr.cpp
    /// The value of an expression; a call or `...` is cut to its first value. Never null. `pred`, if given, receives
    /// what the expression tells when used as a condition.
    TExpr* checkExpr(ast::Expr& expr, const Type* expected, Pred** pred = nullptr);
    /// checkExpr, then convert.
    TExpr* checkAs(ast::Expr& expr, const Type* wanted, CheckReason reason);
    /// The expression as a boolean, for branching.
    TExpr* checkCondition(ast::Expr& expr, Pred** pred);
    SemaVar* variableOf(ast::Expr& expr);
    TExpr* readVariable(SemaVar& variable, Range range);
    void typeExportAhead(SemaVar& variable);
    void reportSkippedLocal(SemaVar& variable, Range use);
    TExpr* check(ast::NameExpr& expr, Pred** pred);
    TExpr* builtinValue(const BuiltinEntry& entry, Range range);
    TExpr* callLibrary(const BuiltinEntry& entry, std::span<TExpr* const> args, Loc loc);
    TExpr* check(ast::NumberExpr& expr, const Type* expected);
    TExpr* check(ast::InterpExpr& expr);
    TExpr* checkVararg(ast::VarargExpr& expr);
    const BuiltinEntry* libraryEntry(ast::FieldExpr& expr, bool& isLibrary);
    ModuleInfo* namespaceIn(ast::Expr& object);
    SemaVar* namespaceMember(ast::FieldExpr& expr, bool& isNamespace);
    TExpr* check(ast::FieldExpr& expr);
    TExpr* checkLinkObject(ast::Expr& object);
    static const Type* declaredType(const TExpr* value);
    TExpr* chainLink(TExpr* object, bool isOptional, Range range);
    TExpr* closeChain(std::vector<ChainLink>& links, TExpr* value);
    TExpr* check(ast::ChainExpr& expr);
    TExpr* isNilTest(TExpr* value, bool whenNil);
    TExpr* member(TExpr* object, ast::FieldExpr& expr);
    TExpr* boundMember(const BuiltinSignature& signature, TExpr* object, ast::FieldExpr& expr);
    TExpr* withKeyPresent(TExpr* object);
    bool isMemberOf(const BuiltinSignature& signature, const Type* type) const;
    TExpr* propertyOf(const BuiltinEntry& entry, TExpr* object, Loc loc);
    TExpr* check(ast::IndexExpr& expr);
    TExpr* arrayIndex(ast::Expr& source);
    TExpr* index(TExpr* object, ast::IndexExpr& expr);
    void noteLoopIndex(ast::IndexExpr& expr);
    TExpr* check(ast::UnaryExpr& expr, const Type* expected, Pred** pred);
    struct Operand;
    /// Several `and` (or several `or`) in a row: the states in which one of them decided.
    struct Run {
        bool isActive = false;
        ast::BinaryOp op = ast::BinaryOp::And;
        size_t mark = 0;
        FlowJoin join;
    };
    /// Longer conditions narrow nothing behind them (inside them they do).
    static constexpr uint32_t kMaxPredTerms = 200;
    TExpr* check(ast::BinaryExpr& expr, const Type* expected, Pred** pred, bool asCondition);
    void endRun(Run& run);
    void shortCircuit(ast::BinaryExpr& expr, Operand& left, const Type* hint, bool asCondition, Run& run);
    void shortCircuitValue(ast::BinaryExpr& expr, Operand& left, const Type* hint, Pred*& rightPred);
    void finishAnd(Operand& left, bool beforeOr = false);
    TExpr* narrowedTo(TExpr* value, const Type* part, const Type* type);
    TExpr* orValue(Operand& left, TExpr* right, Loc loc);
    TExpr* coalesce(TExpr* left, TExpr* right, Loc loc);
    void becomeInteger(const ast::Expr* source, TExpr* value);
    TExpr* binary(ast::BinaryExpr& expr, Operand& left, const Type* hint, bool wantsPred);
    TExpr* numericOperand(TExpr* value, Range range, std::string_view op);
    TExpr* bitOperand(TExpr* value, Range range, std::string_view op, CheckReason reason);
    void reportOperand(std::string_view op, TExpr* value, Range range);
    TExpr* arith(ast::BinaryOp op, TExpr* left, TExpr* right, Range leftRange, Range rightRange, Range opRange);
    TExpr* compare(ast::BinaryExpr& expr, TExpr* left, TExpr* right, Range leftRange);
    TExpr* equality(ast::BinaryExpr& expr, TExpr* left, TExpr* right, Range leftRange);
    SemaVar* typeCallVariable(ast::Expr* expr);
    const Type* typeByName(const Type* type, std::string_view name);
    Pred* equalityPred(ast::BinaryExpr& expr, ast::Expr* leftSource, TExpr* left, TExpr* right);
    Pred* typeNamePred(SemaVar* variable, std::string_view name);
    TExpr* concat(std::span<TExpr* const> parts, Loc loc);
    TExpr* concatOperand(TExpr* value, Range range);
    TExpr* check(ast::ConcatExpr& expr);
    TExpr* check(ast::TypeTestExpr& expr, Pred** pred);
    TExpr* check(ast::CastExpr& expr);
    TExpr* check(ast::NonNilExpr& expr);

    // ---- check_literal.cpp
    TExpr* checkBraces(ast::BraceExpr& expr, const Type* expected);
    TExpr* bracesAsArray(ast::BraceExpr& expr, const ArrayType* type);
    TExpr* bracesAsTable(ast::BraceExpr& expr, const TableType* type);
    TExpr* bracesAsRecord(ast::BraceExpr& expr, const RecordType* type);
    TExpr* bracesFree(ast::BraceExpr& expr);
    const Type* commonType(std::span<TExpr* const> values);
    const Type* integerElements(ast::BraceExpr& expr, Scratch<TExpr*>& values);

    // ---- check_pack.cpp
    bool isMulti(const TExpr* value) const;
    bool isPack(const TExpr* value) const;
    const Type* packElement(const TExpr* pack);
    TExpr* unpackAs(TExpr* boxed, const Type* type, bool isFixed);
    /// The first value of a call or pack.
    TExpr* single(TExpr* value, Range range);
    TExpr* unwrapLet(TExpr* value, std::vector<TStmt*>& before);
    TExpr* stash(std::vector<TStmt*>& before, TExpr* value);
    void takeAllBytes(TExpr* value);
    void expandLast(TExpr* last, size_t wanted, bool packAllowed, Scratch<TExpr*>& out, size_t outBase, TExpr*& pack,
                    std::vector<TStmt*>& before);
    TExpr* wrapBefore(std::span<TStmt* const> before, TExpr* value);

    // ---- check_call.cpp
    TExpr* checkMulti(ast::Expr& expr, const Type* expected);
    TExpr* noValue(Range range, Loc loc);
    TExpr* checkCall(ast::CallExpr& expr, const Type* expected, Pred** pred);
    void checkArgsOnly(ast::CallExpr& expr);
    TExpr* callVariable(ast::CallExpr& expr, SemaVar& variable, Callee& callee, const Type* expected);
    TExpr* callValue(ast::CallExpr& expr, Callee& callee, TExpr* value, TExpr* self, const Type* expected);
    void reportColon(ast::FieldExpr& field);
    TExpr* callMember(ast::CallExpr& expr, ast::FieldExpr& field, TExpr* object, const Type* expected);
    TExpr* passArgument(TExpr* value, const Type* param, const Callee& callee, size_t number, Range range);
    static bool wantsIntegerOnly(const Type* type);
    TExpr* finishCall(ast::CallExpr& expr, Callee& callee, const Type* expected);
    bool hasMultiLast(const ast::CallExpr& expr) const;
    bool reportOpenParameter(ast::Expr& arg, const Type* param, Callee& callee);
    TExpr* errorOfCall(const FunctionType* type, std::span<const TypeBinding> bindings, Loc loc);
    size_t minArgsOf(const Callee& callee) const;
    void reportCount(ast::CallExpr& expr, const Callee& callee, size_t given);
    bool needsDynamicSpread(const TExpr* last, const FunctionType* type, size_t missing);
    TExpr* callSpread(ast::CallExpr& expr, Callee& callee, Scratch<TExpr*>& args, TExpr* last,
                      std::vector<TStmt*>& before);
    TExpr* makeCall(ast::CallExpr& expr, Callee& callee, std::span<TExpr* const> args, std::span<TExpr* const> extras,
                    TExpr* pack);
    TExpr* callDynamic(ast::CallExpr& expr, TExpr* callee, TExpr* self);
    TExpr* callConst(ast::CallExpr& expr, FunctionInfo& function);
    /// After anything that may run other code.
    void afterCall() { flow_.forgetVolatile(); }

    // ---- check_generic.cpp
    /// The type parameters in scope are those of a function and of all around it, while this lives.
    class TypeScope {
      public:
        TypeScope(Checker& checker, const FunctionInfo& function);
        ~TypeScope() { checker_.typeParams_ = std::move(outer_); }
        TypeScope(const TypeScope&) = delete;
        TypeScope& operator=(const TypeScope&) = delete;

      private:
        Checker& checker_;
        std::vector<std::pair<Symbol, const Type*>> outer_;
    };
    void reportTwice(List<ast::TypeParam> written);
    /// Parameters as written, still without bounds.
    List<const TypeParamType*> declareTypeParams(List<ast::TypeParam> written);
    /// Their bounds; the parameters must be in scope.
    void resolveBounds(List<ast::TypeParam> written, List<const TypeParamType*> params);
    /// `Comparable` or `Hashable`, if the name means that here; else null.
    const InterfaceType* builtinBound(const ast::TypeNode& node);
    /// A class that lists Comparable needs the operators that T: Comparable has.
    void checkComparable(ClassInfo& info);
    /// Does a type satisfy a bound (its own parameters put in)?
    bool satisfies(const Type* type, const InterfaceType* bound);
    /// A type parameter, or a value that a type parameter may stand for, may be nil.
    static bool mayBeNil(const Type* type);
    /// Reports arguments that do not satisfy the bounds of `params`; later, while the bounds of classes are not known yet.
    bool checkBounds(std::span<const TypeParamType* const> params, std::span<const Type* const> args, Range where);
    /// The callee's type is `declared`, written in terms of `params` (those of its class first): opens it for inference. Type
    /// arguments that the call gives are bound, to the last parameters. False after an error.
    bool openCallee(Callee& callee, const FunctionType* declared, std::span<const TypeParamType* const> params,
                    ast::CallExpr& expr);
    bool bindExplicit(Callee& callee, ast::CallExpr& expr);
    /// The type arguments that were found, by Callee::typeParams; reports what is missing or out of bounds.
    bool closeCallee(Callee& callee, Range where);
    List<const Type*> typeArgumentsOf(const Callee& callee);
    /// A generic function as a value: the expected type says its type arguments.
    TExpr* genericValue(FunctionInfo& function, const Type* expected, Range range);
    /// A static function that is generic itself or by its class, or null.
    static FunctionInfo* genericStatic(MemberInfo* member);
    /// The generic function that an expression names, or null.
    FunctionInfo* genericNamed(ast::Expr& expr);
    /// A value whose type is a type parameter as one of the bound that has this member; else the value.
    TExpr* asBound(TExpr* object, Symbol name);
    /// `isTaken`: the two are what functions take, so that the argument's may be wider.
    void infer(const Type* param, const Type* arg, std::span<TypeBinding> bindings, bool isTaken = false);
    void inferUnion(const Type* param, const Type* arg, std::span<TypeBinding> bindings, bool isTaken);
    void bindParam(TypeBinding& binding, const Type* arg, bool isTaken);
    static void settleTaken(std::span<TypeBinding> bindings);
    void inferFromContext(const Type* result, const Type* expected, std::span<TypeBinding> bindings);
    bool wantsOtherArguments(const Type* param);
    /// `type` with the bound parameters, and with what the context would like for the others.
    const Type* hintFor(const Type* type, std::span<const TypeBinding> bindings);
    const Type* makeAlias(AliasInfo& alias, std::span<const Type* const> args) override;
    TExpr* compareObjects(CompareOp op, TExpr* left, TExpr* right, Loc loc, FunctionInfo& owner) override;

    // ---- check_library.cpp
    TExpr* builtinDefault(const BuiltinSignature& signature, size_t param, const Type* type, Loc loc);
    bool fitsCase(const ast::Expr& source, const Type* arg, const Type* param, bool withChecks);
    const BuiltinEntry& chooseCase(const BuiltinEntry& general, ast::CallExpr& expr, TExpr* self,
                                   std::vector<TExpr*>& checked, bool& dropsLiteral);
    TExpr* callBuiltin(ast::CallExpr& expr, const BuiltinEntry& general, TExpr* self, const Type* expected,
                       Pred** pred);
    TExpr* callAssert(ast::CallExpr& expr, bool wantsAll, std::vector<TExpr*>* further = nullptr);
    ast::CallExpr* assertOfFixed(ast::Expr& expr);
    TExpr* assertedPack(ast::CallExpr& expr, Callee& callee, TExpr* first, Pred* pred);
    TExpr* callSelect(ast::CallExpr& expr, bool& handled);

    // ---- relations.cpp
    TExpr* convertNode(ConvertKind kind, CheckReason reason, TExpr* operand, const Type* type);
    TExpr* retypeLiteral(TExpr* value, const Type* wanted);
    /// The value as a `wanted`; null if it does not fit.
    TExpr* tryConvert(TExpr* value, const Type* wanted, CheckReason reason);
    /// The same, reporting where it does not fit.
    TExpr* convert(TExpr* value, const Type* wanted, CheckReason reason, Range range);
    void reportMismatch(TExpr* value, const Type* wanted, CheckReason reason, Range range);
    bool reportImplicitAny(TExpr* value, Range range);
    TExpr* toBoolean(TExpr* value);
    /// The part of `type` that is a `tested`, and the rest.
    const Type* narrowTo(const Type* type, const Type* tested);
    const Type* narrowFrom(const Type* type, const Type* tested);
    Pred* narrowPred(SemaVar* variable, const Type* whenTrue, const Type* whenFalse);
    Pred* nilPred(SemaVar* variable, bool whenNil);
    Pred* truthPred(SemaVar* variable);
    Pred* typePred(SemaVar* variable, const Type* tested);
    Pred* combine(Pred::Kind kind, Pred* left, Pred* right);

    // ---- check_types.cpp
    const Type* typeOf(ast::TypeNode& node);
    const Type* typeOfResult(ast::TypeNode& node);
    void noteOptional(const Type* inner, Range where);
    const Type* typeOfNode(ast::TypeNode& node);
    /// True, and reported, if a type nests too deeply.
    bool isTooDeep(const Type* type, Range range);
    const Type* typeOfName(ast::NamedType& node);
    ModuleInfo* namespaceNamed(Symbol name, bool& isKnown) const;
    const Type* typeOfQualified(ast::NamedType& node, std::span<const Type* const> args);
    static constexpr int kMaxAliasDepth = 400;

    static AliasInfo* aliasedAlias(const AliasInfo& alias);
    const Type* typeOfAliasChain(AliasInfo& first, AliasInfo& second);
    const Type* typeOfAlias(AliasInfo& alias, std::span<const Type* const> args, Range range);
    void declareAliasParams(AliasInfo& alias);
    const Type* typeOfFunction(ast::FunctionType& node);
    void typeOfResults(ast::ResultTypes& written, std::vector<const Type*>& results, const Type*& variadic);
    const Type* typeOfNominal(Nominal& info, std::span<const Type* const> args, Range range);
    TypeKind aliasKind(ast::TypeNode& node, ModuleInfo& module, int depth);

    // ---- small makers
    template <class N>
    N* expr(const Type* type, Loc loc) {
        N* n = arena().make<N>();
        n->kind = N::kKind;
        n->type = type;
        n->loc = loc;
        return n;
    }
    template <class N>
    N* stmt(Loc loc) {
        N* n = arena().make<N>();
        n->kind = N::kKind;
        n->loc = loc;
        return n;
    }
    frontend::Arena& arena() { return program_.arena; }
    TExpr* errorExpr(Loc loc) { return expr<TNilConst>(types_.error(), loc); }
    TExpr* nilConst(Loc loc) { return expr<TNilConst>(types_.nil(), loc); }
    TExpr* boolConst(bool value, Loc loc);
    TExpr* numberConst(double value, Loc loc);
    TExpr* integerConst(int64_t value, Loc loc);
    TExpr* stringConst(std::string_view value, Loc loc);
    TExpr* errorBoolean(Loc loc) { return expr<TBoolConst>(types_.boolean(), loc); }
    TExpr* getVar(Variable* variable, Loc loc);
    TExpr* notNode(TExpr* operand);
    Variable* temp(const Type* type);
    TStmt* declareTemp(Variable* variable, TExpr* init, Loc loc);
    TExpr* let(std::span<TStmt* const> stmts, TExpr* result);
    TBlock* block(std::span<TStmt* const> stmts, Loc loc);
    void emit(TStmt* stmt) { statements_.push_back(stmt); }
    SemaVar* current(Variable* variable) {
        auto* v = static_cast<SemaVar*>(variable);
        return v && v->instance ? v->instance : v;
    }

    // ---- messages
    std::string show(const Type* type) const { return types_.print(type); }
    std::string_view text(Symbol symbol) const { return interner_.text(symbol); }
    bool isImplicitAny(const Type* type) const { return type == types_.implicitAny(); }
    std::string inheritedSpelling(Symbol name);
    bool isSessionGlobal(Symbol name) const;
    TExpr* sessionGlobals(Loc loc);
    void reportUnknownName(ast::NameExpr& name);
    void reportUnknownMember(const Type* type, const ast::Ident& name, Range objectRange);

    TypedProgram& program_;
    TypeTable& types_;
    Diagnostics& diags_;
    Interner& interner_;
    FunctionMap& functions_;
    Builtins builtins_;
    Flow flow_;
    ModuleInfo* module_ = nullptr;
    FunctionInfo* function_ = nullptr;         // whose body is being checked
    std::vector<LoopState*> loops_;            // innermost last
    size_t loopBase_ = 0;                      // where those of the current function begin
    Inference* inference_ = nullptr;           // of the current function, if its result is inferred
    std::vector<ChainLink>* chain_ = nullptr;  // the chain being checked
    const UntilLoop* untilLoop_ = nullptr;
    LoopFromOne* loopFromOne_ = nullptr;
    /// Blocks of a lenient file around the code being checked: how far they have been checked.
    struct BlockPlace {
        size_t statement;
        uint32_t locals;
    };
    std::vector<BlockPlace> blocks_;
    struct LabelPlace {
        TLabel* label;
        Range range;
        size_t block;
        size_t statement;
        uint32_t locals;  // of its block, declared before it
    };
    std::vector<LabelPlace> labels_;  // in scope, outermost first
    size_t labelBase_ = 0;            // where those of the current function begin
    std::vector<TStmt*> statements_;                          // stack of lists under construction (Scratch)
    std::vector<TExpr*> exprs_;                               // the same
    std::vector<Variable*> variables_;                        // the same
    std::vector<std::pair<Symbol, const Type*>> typeParams_;  // type parameters in scope
    int uncertainLoops_ = 0;                                  // loops around that may be checked again
    int repeatDepth_ = 0;
    bool wantsAllValues_ = false;  // of the call about to be checked
    int aliasDepth_ = 0;          // aliases being resolved within each other
    int constDepth_ = 0;          // const functions being instantiated inside each other
    int level_ = 0;               // expressions and statements being checked inside each other, through all bodies (Level)
    int64_t argumentNumber_ = 0;  // for the message about an argument that does not fit
    std::string_view argumentOf_;
    struct Instance {
        FunctionInfo* generic;
        std::vector<const Type*> args;
        FunctionInfo* function;
    };
    std::vector<Instance> instances_;  // of const functions
    bool hasGenerics_ = false;         // some function or class has type parameters
    std::vector<ClassInfo*> classes_;  // bases first
    /// Type arguments that were met before the bounds of all classes and interfaces were known.
    struct PendingBounds {
        std::vector<const TypeParamType*> params;
        std::vector<const Type*> args;
        Range where;
    };
    std::vector<PendingBounds> pendingBounds_;
    bool areBoundsKnown_ = false;
    ClassInfo* class_ = nullptr;       // whose statement is being checked
    Construction* construction_ = nullptr;
    int misplacedBaseCalls_ = 0;
    TExpr* eventNode_ = nullptr;       // the event read last: only what may follow an event may use it
    Member eventMember_;
    bool eventAllowed_ = false;        // of the expression about to be checked
    struct ClassStatement {
        ClassInfo* info;
        TBlock* ready;
    };
    std::vector<ClassStatement> classStatements_;
    /// A base constructor called by another: the fields that are unset then.
    struct BaseRun {
        ConstructorInfo* constructor;
        ConstructorInfo* base;
        std::vector<FieldInfo*> unset;
        bool isSettled = false;
    };
    std::vector<BaseRun> baseRuns_;
};

}  // namespace luapp::sema
