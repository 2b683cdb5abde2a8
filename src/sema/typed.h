// The typed tree: what sema makes of a program and lowering turns into IR.
//
// Everything implicit is explicit here. Each expression has a type; where the language converts or checks, a Convert
// node stands; names are resolved to Variable, Function or builtin; compound assignment, `++`, `?.`, `??`, brace lists,
// interpolation, generic `for` over iterator functions and optional chains are rewritten with temporaries (Let, Conditional,
// While). Evaluation order is the order of the tree, left to right, operands before the operation.
// Nodes live in the arena of the TypedProgram and are trivially destructible. Lowering reads them and reports nothing.
// Invariants: operands of an operator have the representation the node asks for (a Convert stands in between); the
// tree holds no node of ErrorType (a program with errors is not lowered); a pack stands only where a field is named `pack`.
// Generic functions and classes are checked once and copied for each list of type arguments in use (instantiate.h): what
// lowering gets holds no type parameter, and no function, class or method of it is generic.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/ast/ast.h"
#include "frontend/base/arena.h"
#include "frontend/base/interner.h"
#include "frontend/base/source.h"
#include "sema/type.h"

namespace luapp::sema {

using frontend::List;
using frontend::Loc;
using frontend::Range;
using frontend::Symbol;

struct TExpr;
struct TStmt;
struct TBlock;
struct TypedFunction;
struct TypedModule;
struct TypedClass;
struct MethodInfo;  // class_info.h: a method as declared

// --- variables and functions ------------------------------------------------------------------------------------

enum class VarKind : uint8_t {
    Local,   // a local, loop variable or compiler temporary of one function
    Param,   // a parameter of `owner`
    Module,  // lives in the program's data segment (docs/internals.md 4)
};

/// A variable after resolution. Flags describe the whole program text, not one use.
struct Variable {
    Symbol name;                      // empty for temporaries
    Range range;                      // its declaration
    const Type* type = nullptr;       // declared or inferred; narrowing shows in Convert nodes at uses
    TypedFunction* owner = nullptr;   // whose frame holds it (Module: the main function of its module)
    TypedFunction* function = nullptr;  // non-null: always holds this statically known function (declared by `function`,
                                        // never reassigned); uses are FuncRef or direct calls
    VarKind kind = VarKind::Local;
    bool isConst = false;       // declared `const`
    bool isCaptured = false;    // used by a function other than `owner` (never set for Module)
    bool isReassigned = false;  // assigned anywhere besides its declaration (a declaration without value counts the
                                // first assignment as reassignment)
    bool needsInitCheck = false;  // may be read before it is set; VarGet.checked marks the reads to guard
    bool isUsed = false;
    uint32_t index = 0;  // dense within `owner` (Local, Param) or within the program (Module)

    /// True if it lives in a heap cell: captured, and assigned after some closure may have been made.
    bool inCell() const { return isCaptured && isReassigned; }
};

/// One function body, the main block of a module, or one instantiation of a const function.
struct TypedFunction {
    std::string_view name;             // for messages and tracebacks: "fib", "main", "(function at 12)"
    Range range;
    TypedModule* module = nullptr;
    TypedFunction* parent = nullptr;   // lexically enclosing function; null for main functions
    const FunctionType* type = nullptr;
    List<Variable*> params;            // fixed parameters
    List<TExpr*> defaults;             // one per param, null: none. Evaluated in the callee, earlier params visible. A call
                                       // with fewer arguments (CallFunction) takes defaults for the rest; where the param's
                                       // type admits nil, nil takes the default too.
    List<Variable*> captures;          // variables of enclosing functions it needs, inner functions' needs included; never
                                       // module variables, never functions without captures, never itself
    TBlock* body = nullptr;            // ends in Return on every path, unless the function is void or never returns
    uint32_t variableCount = 0;        // Variables with owner == this have index < variableCount
    bool isVararg = false;             // extras come boxed
    bool isConst = false;              // always inlined
    bool isMain = false;
    bool selfReference = false;        // its body refers to itself (through its own Variable)
    bool isLenient = false;            // stands in a lenient file: its closure's first capture is the environment
    bool isDebuggable = false;         // lenient: the debug library can reach its locals, and hooks see what it does
    /// True if every use of it is the same closure, which captures nothing.
    bool isStatic() const { return captures.empty() && !isLenient; }
    Variable* variable = nullptr;      // the variable that holds it (declared by `function`), null for literals. A FuncRef or
                                       // direct call of a function with captures takes its closure from there
};

struct TypedModule {
    std::string_view name;         // as tracebacks show it
    uint32_t fileIndex = 0;
    TypedFunction* main = nullptr;
    bool isLenient = false;
    bool isFastMath = false;       // `--!fastmath`
    bool hasClasses = false;       // lenient: some of its functions are no closures
    std::string_view importCycle;  // "a.luapp -> b.luapp -> a.luapp" if it imports itself through others, else empty
};

// --- expressions -------------------------------------------------------------------------------------------------

enum class TExprKind : uint8_t {
#define TYPED_EXPR(Name) Name,
#include "sema/typed_nodes.def"
};

enum class TStmtKind : uint8_t {
#define TYPED_STMT(Name) Name,
#include "sema/typed_nodes.def"
};

/// Base of all expressions. `type` is the type of its (first) value; Void for a call without results.
struct TExpr {
    TExprKind kind;
    const Type* type;
    Loc loc;  // what an error raised by this node points at

    /// The node as its struct; it must be of that kind.
    template <class T>
    T* as() {
        LUAPP_CHECK(kind == T::kKind, "typed node of another kind");
        return static_cast<T*>(this);
    }
    template <class T>
    const T* as() const {
        LUAPP_CHECK(kind == T::kKind, "typed node of another kind");
        return static_cast<const T*>(this);
    }
};

#define LUAPP_TEXPR(Name) \
    struct T##Name : TExpr { \
        static constexpr TExprKind kKind = TExprKind::Name;

LUAPP_TEXPR(NilConst) };  // type nil, or any type that admits nil (then nil in its representation)
LUAPP_TEXPR(BoolConst) bool value; };
LUAPP_TEXPR(NumberConst) double value; };      // type number
LUAPP_TEXPR(IntegerConst) int64_t value; };    // type integer
LUAPP_TEXPR(StringConst) std::string_view value; };

/// Value of a variable, with the variable's declared representation (narrowing: a Convert around it).
LUAPP_TEXPR(VarGet)
    Variable* variable;
    bool checked;  // raise "variable 'x' is read before it is set" if it is not set yet
    const ClassType* classType;  // not null: the variable is set by the statement of this class, and the message names it
};
/// A known function as a value (a closure, made once if it captures nothing).
LUAPP_TEXPR(FuncRef) TypedFunction* function; List<const Type*> typeArguments; };  // typeArguments as in Call
/// A library function as a value; index into builtins.def.
LUAPP_TEXPR(BuiltinRef) uint32_t builtin; };

/// Arithmetic. Both operands and the result: number, or integer (checked against 2^53), or any (dynamic).
/// Div and Pow: number or any only. Bitwise: integer or any.
enum class ArithOp : uint8_t { Add, Sub, Mul, Div, Mod, Pow, IDiv, BAnd, BOr, BXor, Shl, Shr };
enum class UnaryOp : uint8_t { Neg, BNot };
LUAPP_TEXPR(Unary) UnaryOp op; TExpr* operand; };
LUAPP_TEXPR(Binary) ArithOp op; TExpr* left; TExpr* right; };

/// Both operands have the same representation: number, integer, boolean, references, or boxes. Lt..Ge: number, integer,
/// string, or any (dynamic). Result boolean.
enum class CompareOp : uint8_t { Eq, Ne, Lt, Le, Gt, Ge };
LUAPP_TEXPR(Compare) CompareOp op; TExpr* left; TExpr* right; };
LUAPP_TEXPR(Not) TExpr* operand; };  // operand boolean
/// `and` / `or` as a value. If `type` is boolean both sides are boolean; otherwise the left side is evaluated once and
/// converted with `leftAsResult` (which reads `temp`) when it decides.
LUAPP_TEXPR(Logical)
    bool isAnd;
    TExpr* left;             // boolean form: boolean. General form: any type
    TExpr* right;            // of the node's type
    Variable* temp;          // general form: holds the value of `left` (else null)
    TExpr* test;             // general form: boolean test of `temp` (Truthy or a constant)
    TExpr* leftAsResult;     // general form: `temp` converted to the node's type
};
/// Neither nil nor false; operand of any type but boolean. A reference is tested for null.
LUAPP_TEXPR(Truthy) TExpr* operand; };
/// `..`: parts are string, number or integer; or, if the node's type is any, two parts of type any (dynamic).
LUAPP_TEXPR(Concat) List<TExpr*> parts; };
/// tostring() of a value of any type (interpolation, and calls of `tostring` with a known type).
LUAPP_TEXPR(ToString) TExpr* operand; };
/// `#` of a string, Array, Table (result integer) or any (result any).
LUAPP_TEXPR(Length) TExpr* operand; };
/// Conditional value; both arms have the node's type (or both are void).
LUAPP_TEXPR(Conditional) TExpr* condition; TExpr* then; TExpr* otherwise; };
/// Runs the statements, then yields `result`. Temporaries are ordinary Variables of the function.
LUAPP_TEXPR(Let) List<TStmt*> stmts; TExpr* result; };

enum class CallKind : uint8_t {
    Function,  // `function`, statically known; of a method or constructor: args[0] is the object
    Method,    // `method` of `methodOwner`, by the class of the object in args[0] (not null)
    Closure,   // `callee` of function type
    Dynamic,   // `callee` of type any (or Function): boxed arguments, variadic results
    Builtin,   // `builtin`, raw arguments by its signature
};
/// A call. `args` match the callee's fixed parameters in type (trailing ones with defaults may be missing for
/// CallKind::Function; builtins' defaults are filled in). `extras` are the boxed varargs; `pack`, if not null, follows them.
/// In a Dynamic call all arguments are extras.
LUAPP_TEXPR(Call)
    CallKind callKind;
    bool variadicResults;          // results are a pack of boxes; `type` (any or nil-able) is its first value
    TypedFunction* function;
    List<const Type*> typeArguments;  // of a generic `function`, those of its class first; empty in what lowering gets
    const MethodInfo* method;         // Method
    const Type* methodOwner;          // Method: the class or interface type that declares `method`
    TExpr* callee;
    uint32_t builtin;
    const Type* typeArgument;      // builtins marked NeedsType: the type whose descriptor they get
    List<TExpr*> args;
    List<TExpr*> extras;
    TExpr* pack;                   // Vararg or a variadic Call or PackSelect
    List<const Type*> results;     // all fixed result types
    const Type* variadicElement;   // variadicResults: the static type of the further results (they are boxed all the same)
};
/// `...` where all its values are wanted: a pack.
LUAPP_TEXPR(Vararg) };
/// Value number `index` (from 0) of `...`, nil beyond; type any.
LUAPP_TEXPR(VarargAt) uint32_t index; };
/// Number of values of `pack` (`select("#", ...)`): integer.
LUAPP_TEXPR(PackCount) TExpr* pack; };
/// `select(n, pack)` as a pack: the values from one-based `from` on (negative counts from the end).
LUAPP_TEXPR(PackSelect) TExpr* from; TExpr* pack; };
/// Only as the source of a MultiBind with three variables of type any: iterator, state, control for a boxed operand.
/// `variables`: how many loop variables there are; over an array or string a single one takes the element, not the index.
LUAPP_TEXPR(IterTriplet) TExpr* operand; uint32_t variables; };

LUAPP_TEXPR(ArrayGet) TExpr* array; TExpr* index; };                  // index integer; outside: error
LUAPP_TEXPR(TableGet) TExpr* table; TExpr* key; bool checked; };      // key of type K. checked: type V, missing is an error;
                                                                      // else type V?
LUAPP_TEXPR(RecordGet) TExpr* record; uint32_t field; };              // field: index in RecordType::fields
LUAPP_TEXPR(IndexDyn) TExpr* object; TExpr* key; };                   // all any
/// A new object: the arguments are evaluated, the object is allocated, the initial values of all its classes are set (bases
/// first), and `constructor` is called with the object in front (null: nothing to call). Raises if `ready` does (a checked read of
/// the class's variable; null: its statement has run for certain).
LUAPP_TEXPR(ObjectNew)
    TypedFunction* constructor;  // of the class itself or the base whose constructors it takes over
    List<const Type*> typeArguments;  // of `constructor` if it is generic; empty in what lowering gets
    TExpr* ready;
    List<TExpr*> args;
    List<TExpr*> extras;
    TExpr* pack;
};
/// Field number `field` of those that the class `owner` itself declares, of an object of that class. If the field can be read unset
/// (TypedField::mayBeUnset), reading it unset raises "field 'x' is read before it is set".
LUAPP_TEXPR(FieldGet) TExpr* object; const ClassType* owner; uint32_t field; };
/// `object.method` as a function value of type `type`, without the object as a parameter. Equal to another if object and method are.
LUAPP_TEXPR(BoundMethod) TExpr* object; const MethodInfo* method; const Type* methodOwner; TypedFunction* function;  // not virtual
    List<const Type*> typeArguments; };
/// A class as a value; type any.
LUAPP_TEXPR(ClassRef) const ClassType* classType; };
LUAPP_TEXPR(MemberDyn) TExpr* object; Symbol name; bool isMethod; };  // object any; result any; isMethod: what a `:` call calls with the object

enum class ConvertKind : uint8_t {
    Retype,   // no machine change (upcasts, narrowing among references, T to T? of references)
    Widen,    // to a wider representation; always succeeds (integer to number, anything to its box)
    Narrow,   // from a wider representation to one that flow analysis has proven; no check
    Check,    // run-time check and conversion; fails with the error of `reason`
    NonNil,   // operand nil is an error (`x!`, missing key, ...), else the value without nil
    Adapt,    // function to another function type through an adapter closure (fewer params used, other representations)
};
/// Why a check stands where it does; decides the message. Order: rt::CheckKind in the runtime.
enum class CheckReason : uint8_t {
    Assign,    // "expected number, got string"
    Argument,
    Return,
    Cast,      // `as`
    Index,     // number used as an array index must be whole
    Integer,   // number to integer must be whole and in range
    Bang,      // `x!` on nil
    MissingKey,
    LoopVar,
    Element,
    BitOperand,  // as Integer: of unary `~`, or the left or right one of a bitwise operator
    BitLeft,
    BitRight,
};
LUAPP_TEXPR(Convert) ConvertKind convertKind; CheckReason reason; TExpr* operand; };
/// `operand is testType`; operand boxed or a reference.
LUAPP_TEXPR(TypeTest) TExpr* operand; const Type* testType; };

/// A function literal or a local function's value.
LUAPP_TEXPR(Closure) TypedFunction* function; };
LUAPP_TEXPR(ArrayLit) List<TExpr*> elements; TExpr* pack; };          // type Array<T>; elements of type T; pack converted
struct TTableEntry { TExpr* key; TExpr* value; };
LUAPP_TEXPR(TableLit) List<TTableEntry> entries; };
struct TFieldInit { uint32_t field; TExpr* value; };
LUAPP_TEXPR(RecordLit) List<TFieldInit> inits; };                     // in written order; every field, left-out optionals included

/// A name that is no variable: its value in the environment of the function (LANGUAGE 9); type any.
LUAPP_TEXPR(GlobalGet) Symbol name; };
/// A table of lenient code. Items in written order; without a key: the next position, from 1. All any; `pack` follows the last.
struct TLuaItem { TExpr* key; TExpr* value; };
LUAPP_TEXPR(LuaTableLit) List<TLuaItem> items; TExpr* pack; };

#undef LUAPP_TEXPR

// --- statements --------------------------------------------------------------------------------------------------

struct TStmt {
    TStmtKind kind;
    Loc loc;

    /// The node as its struct; it must be of that kind.
    template <class T>
    T* as() {
        LUAPP_CHECK(kind == T::kKind, "typed node of another kind");
        return static_cast<T*>(this);
    }
    template <class T>
    const T* as() const {
        LUAPP_CHECK(kind == T::kKind, "typed node of another kind");
        return static_cast<const T*>(this);
    }
};

#define LUAPP_TSTMT(Name) \
    struct T##Name : TStmt { \
        static constexpr TStmtKind kKind = TStmtKind::Name;

LUAPP_TSTMT(ExprStmt) TExpr* expr; };
/// Declares a variable; inside a loop each execution makes a new one. `init` null: unset (or nil for optionals).
LUAPP_TSTMT(LocalDecl) Variable* variable; TExpr* init; };
/// Declares temporaries for the values of one call or pack: variable i gets result i. Fixed results: the types are equal;
/// variadic: the variables have type any, missing ones get nil.
LUAPP_TSTMT(MultiBind) List<Variable*> variables; TExpr* source; };
LUAPP_TSTMT(Assign) Variable* variable; TExpr* value; };
LUAPP_TSTMT(ArraySet) TExpr* array; TExpr* index; TExpr* value; };    // at the length: appends
/// value of type V, or V? (nil removes the key), or nil.
LUAPP_TSTMT(TableSet) TExpr* table; TExpr* key; TExpr* value; };
LUAPP_TSTMT(RecordSet) TExpr* record; uint32_t field; TExpr* value; };
LUAPP_TSTMT(FieldSet) TExpr* object; const ClassType* owner; uint32_t field; TExpr* value; };
LUAPP_TSTMT(SetIndexDyn) TExpr* object; TExpr* key; TExpr* value; };
LUAPP_TSTMT(SetMemberDyn) TExpr* object; Symbol name; TExpr* value; };
LUAPP_TSTMT(Block) List<TStmt*> stmts; };
LUAPP_TSTMT(If) TExpr* condition; TBlock* then; TBlock* otherwise; };  // otherwise may be null
LUAPP_TSTMT(While) TExpr* condition; TBlock* body; };
/// The condition may use variables of the body.
LUAPP_TSTMT(Repeat) TBlock* body; TExpr* condition; };
/// Half-open. integer: start and step are integer, and limit is integer or number (`i < limit` compares exactly); else all
/// are number. `step` null: 1. Step 0 is a run-time error unless constant.
LUAPP_TSTMT(NumericFor)
    Variable* variable;
    bool isInteger;
    TExpr* start;
    TExpr* limit;
    TExpr* step;
    TBlock* body;
};
LUAPP_TSTMT(ForArray) Variable* index; Variable* value; TExpr* array; TBlock* body; };       // index (integer) may be null
LUAPP_TSTMT(ForTable) Variable* key; Variable* value; TExpr* table; TBlock* body; };         // value may be null
LUAPP_TSTMT(ForString) Variable* index; Variable* value; TExpr* string; TBlock* body; };     // one-byte strings; index may be null
LUAPP_TSTMT(Break) };      // innermost loop
LUAPP_TSTMT(Continue) };
LUAPP_TSTMT(Return) List<TExpr*> values; TExpr* pack; };  // values have the result types; variadic: any boxes, then the pack
LUAPP_TSTMT(GlobalSet) Symbol name; TExpr* value; };      // value any
/// Lua's numeric `for`: the limit belongs to it, bounds are converted to numbers when the loop begins (any or number; step null: 1).
LUAPP_TSTMT(LuaFor) Variable* variable; TExpr* start; TExpr* limit; TExpr* step; TBlock* body; };
/// Lua's generic `for`: `function(state, control)` gives the values of each turn until the first is nil; all any.
LUAPP_TSTMT(LuaForIn) List<Variable*> variables; TExpr* function; TExpr* state; TExpr* control; TBlock* body; };
LUAPP_TSTMT(Label) Symbol name; };
LUAPP_TSTMT(Goto) TLabel* label; };                       // in the same function, in this block or one around it

#undef LUAPP_TSTMT

// --- classes ------------------------------------------------------------------------------------------------------

/// Who may use a member.
using Access = frontend::Access;

/// A field of the object, declared by one class. Events and the marks of shared bases are fields without a name.
struct TypedField {
    Symbol name;
    const Type* type;
    Access access;
    bool isConst;
    bool mayBeUnset;  // some read may come before a constructor has set it; a word for "unset" is put there at first
};

/// What answers a virtual call: one per class and method (or interface field) that the class understands.
struct TypedDispatch {
    enum class Answer : uint8_t {
        Call,  // `function`, with the object first
        Get,   // field `field` of `fieldOwner`: method is the reader of an interface's field
        Set,   // the same: its writer
    };
    Answer answer;
    const Type* owner;         // (owner, method) is what calls name
    const MethodInfo* method;
    const FunctionType* type;  // what callers see: without the object, type arguments put in
    TypedFunction* function;   // its type may differ from `type` in representations; lowering adapts
    const ClassType* fieldOwner;
    uint32_t field;
};

/// A member found by its name at run time. Fields of the class are in TypedClass::fields.
struct TypedMember {
    Symbol name;
    Access access;
    bool isStatic;
    TypedFunction* function;   // method (the object is its first parameter) or static function
    const Variable* variable;  // static field
    bool isConst;
};

/// A class with its type arguments put in.
struct TypedClass {
    const ClassType* type;
    TypedModule* module;
    Range range;
    List<TypedClass*> ancestors;             // in C3 order, itself first
    List<const InterfaceType*> interfaces;   // all it implements
    List<TypedField> fields;                 // its own
    TypedFunction* initializer;              // gives its own fields their initial values; takes the object; null: all start as 0
    List<TypedDispatch> dispatch;            // everything the object understands, inherited included
    List<TypedMember> members;               // its own
    List<TypedFunction*> constructors;       // those that `Name(...)` may call, taken over ones included; empty: one without parameters
    TypedFunction* finalizer;                // `__gc`, its own or inherited, or null
};

/// An enum.
struct TypedEnum {
    const EnumType* type;
    struct Member {
        Symbol name;
        int64_t value;
    };
    List<Member> members;
};

/// The output of sema.
struct TypedProgram {
    explicit TypedProgram(frontend::Interner& interner) : types(interner) {}

    TypeTable types;                        // every type of the tree
    frontend::Arena arena;
    std::vector<TypedModule*> modules;      // in the order their main functions run
    std::vector<TypedFunction*> functions;  // every function, mains and const instantiations included
    std::vector<Variable*> moduleVariables; // by index
    std::vector<TypedClass*> classes;       // bases before derived classes
    std::vector<TypedEnum*> enums;

    /// Makes something that lives as long as the program and needs its destructor run (class_info.h).
    template <class T>
    T* make() {
        auto* made = new T();
        owned_.emplace_back(made, [](void* p) { delete static_cast<T*>(p); });
        return made;
    }

  private:
    std::vector<std::unique_ptr<void, void (*)(void*)>> owned_;
};

}  // namespace luapp::sema
