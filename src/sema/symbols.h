#pragma once
// Sema's own view of variables, functions and modules: the typed tree's structs with what checking needs besides.
//
// resolve.h makes them before any type is known, in one walk over each module: which variables there are, who captures
// and assigns them, which functions are statically known. The checker fills in types and bodies. They live in the
// arena of the TypedProgram.

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "frontend/ast/ast.h"
#include "sema/class_info.h"
#include "sema/typed.h"

namespace luapp::sema {

namespace ast = luapp::frontend;

struct FunctionInfo;
struct ModuleInfo;

/// A place in the source where a variable is assigned.
struct AssignSite {
    Loc loc;
    AssignSite* next;
};

struct SemaVar : Variable {
    FunctionInfo* home = nullptr;       // the function that declares it
    ModuleInfo* module = nullptr;       // the module that declares it
    SemaVar* nextInHome = nullptr;      // list of the variables of `home`
    SemaVar* instance = nullptr;        // while a const function is being instantiated: the copy to use instead
    ModuleInfo* namespaceOf = nullptr;  // `import * as name`: no value but a module; likewise `local name = require("...")`
    ast::CallExpr* required = nullptr;  // that call of `require`, whose value stands for the module where one is needed
    AssignSite* assignments = nullptr;
    ast::LocalStmt* declaration = nullptr;  // of an exported variable
    Nominal* nominal = nullptr;         // the class, interface or enum that this name stands for
    MemberInfo* member = nullptr;       // no variable: a bare name in a class body that means this member
    FieldInfo* field = nullptr;         // a static field; or stands for a field of `self` in the flow analysis
    // Flow state (flow.h).
    const Type* current = nullptr;  // narrowed type, or null
    bool isAssigned = false;        // definitely
    uint32_t joinSlot = 0;
    uint32_t stamp = 0;
    uint32_t since = 0;  // number of arrivals (OpenJoin) before it got its present state
    uint32_t lastUser = 0;  // number of the function that noted its use last
    // Static facts.
    bool usedByInner = false;  // some inner function uses it
    bool isTopLevel = false;   // declared directly in its module's main block
    bool isImplicitAny = false;
    bool isLoopVariable = false;
    bool isNumericLoop = false;
    bool isDeclaredLater = false;  // declared without a value
    bool isUnusable = false;       // its declaration was in error; says nothing more
    bool isTypeKnown = false;      // its declaration has been checked
    uint32_t statement = 0;        // top level: number of the declaring statement of the main block

    /// Assigned somewhere while some closure has it: narrowing is lost at each call.
    bool isVolatile() const { return usedByInner && isReassigned; }
    const Type* typeNow() const { return current ? current : type; }
};

/// A use of an outer variable by a function.
struct Capture {
    SemaVar* variable;
    Capture* next;
};

/// A mention of one top-level function by another.
struct CallEdge {
    FunctionInfo* callee;
    CallEdge* next;
};

/// What flow analysis knows of one field of `self` in one method.
struct SelfField {
    FieldInfo* field;
    SemaVar* variable;  // narrowing; in constructors also: is it assigned?
    SemaVar* unassigned;  // const fields in constructors: its type is nil while the field is certainly not assigned
    SelfField* next;
};

struct FunctionInfo : TypedFunction {
    enum class State : uint8_t { Unchecked, Checking, Checked };

    ast::FunctionBody* body_ = nullptr;
    FunctionInfo* outer = nullptr;
    FunctionInfo* topLevel = nullptr;  // the top-level function around it (itself included), or null in the main block
    ModuleInfo* in = nullptr;
    SemaVar* self_ = nullptr;            // the variable that holds it
    SemaVar* variables = nullptr;        // list by nextInHome, latest first
    Capture* uses = nullptr;             // outer variables it uses, latest first
    CallEdge* edges = nullptr;           // top-level functions mentioned in it
    uint32_t number = 0;                 // of all functions, from 1
    uint32_t earliestCall = UINT32_MAX;  // top level: the first statement of the main block that may call it
    State state = State::Unchecked;
    bool isHoisted = false;         // `function f` at the top level
    bool hasUntypedParams = false;  // const function typed at each use
    bool needsClosure = false;      // captures something
    bool signatureKnown = false;
    bool infersResult = false;  // result not annotated and to be taken from the body
    bool isLiteral = false;     // a function expression: context and body give what is not annotated
    bool isInstance = false;    // a const function typed for one use, or a function inside one
    bool isInstantiating = false;
    FunctionInfo* instance = nullptr;  // while that goes on: the copy to use instead
    /// True if it has type parameters of its own.
    bool isGeneric() const { return body_ && !body_->typeParams.empty(); }
    const Type* varargType = nullptr;
    uint32_t defaultCount = 0;
    List<const TypeParamType*> typeParams;  // its own; known with the signature
    FunctionInfo* usedIn = nullptr;  // a const function typed for arguments that mention type parameters: in this function
    // Functions of a class.
    ClassInfo* classInfo = nullptr;    // whose method, constructor, static function or initializer it is
    SemaVar* selfParam = nullptr;      // the object, if it takes one; also `self` of a lenient `function a:b()`
    SemaVar* argTable = nullptr;       // `arg` of a lenient vararg function
    MethodInfo* method = nullptr;
    ConstructorInfo* constructor = nullptr;
    SelfField* selfFields = nullptr;
    const FunctionType* resultsFrom = nullptr;  // an arrow method without written result: what it overrides
};

/// A `type` alias.
struct AliasInfo {
    ast::TypeAliasDecl* decl;
    ModuleInfo* module;
    struct Instance {
        List<const Type*> args;
        const Type* type;  // null while being resolved and not yet referred to
        Type* begun;       // nominal type handed out while being resolved
        bool isBusy;
    };
    std::vector<Instance*> instances;
    List<const TypeParamType*> typeParams;  // known once somebody uses it
    bool areParamsKnown = false;
    const Type* isAliasOf = nullptr;  // `type A = B` once resolved
    bool isBeingPassed = false;       // on the way from an alias to what it means
    bool isUsed = false;
};

/// What a module gives to others under one name.
struct Export {
    SemaVar* variable = nullptr;
    AliasInfo* alias = nullptr;
    Nominal* nominal = nullptr;  // `variable` is its variable then
    Range range;
};

struct ModuleInfo {
    TypedModule* typed = nullptr;
    ast::Module* tree = nullptr;
    FunctionInfo* main = nullptr;
    std::unordered_map<uint32_t, Export> exports;      // by symbol id
    std::unordered_map<uint32_t, AliasInfo*> aliases;  // type names: own and imported
    std::unordered_map<uint32_t, Nominal*> nominals;   // classes, interfaces, enums: own and imported
    std::unordered_set<uint32_t> misplaced;            // names of those declared inside blocks, which has been reported
    std::vector<Nominal*> ownNominals;                 // in order of the source
    /// ImportDecl, ExportFromDecl: what it names (null: failed).
    std::vector<std::pair<ast::Decl*, ModuleInfo*>> importOf;
    /// Calls `require("literal")` that mean a strict module of the program.
    std::unordered_map<const ast::CallExpr*, ModuleInfo*> requireOf;
    std::vector<std::string_view> requiredAs;  // the names others require it by
    std::vector<FunctionInfo*> hoisted;
    bool isInCycle = false;
    bool isSession = false;  // Program::isSession
};

/// Where functions are found by their bodies.
using FunctionMap = std::unordered_map<const ast::FunctionBody*, FunctionInfo*>;

}  // namespace luapp::sema
