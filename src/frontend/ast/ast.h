#pragma once
// The syntax tree: one struct per node kind of ast_nodes.def, read top to bottom it is the grammar of Lua++.
//
// Made by the parser in an Arena, one Module per file; read and annotated by sema; printed by ast_dump. Nodes are
// trivially destructible and never move. Every node has the Range of its text. Pointers are never null unless the
// field says so. The parser always makes a whole tree: what it could not read became an ErrorExpr, ErrorTypeNode or
// ErrorStmt, with its diagnostic already reported.
//
// The tree says what was written, not what it means: no name is resolved here and no type known. Three slots are for
// sema to fill: Expr::type, NameExpr::resolved and NameDecl::variable.
//
// Depth: nesting is limited by the parser (kMaxNesting in parse/parser.h), so a recursive walk is safe, with one
// exception: the *left* operands of BinaryExpr may form a chain of many thousands. Walk those with leftSpine() of
// ast_visit.h. Long `..` chains are one flat ConcatExpr, long else-if chains one flat IfStmt.

#include <cstdint>
#include <string_view>

#include "frontend/base/arena.h"
#include "frontend/base/interner.h"
#include "frontend/base/source.h"
#include "frontend/lex/attributes.h"

namespace luapp::sema {
struct Variable;
struct Type;
}  // namespace luapp::sema

namespace luapp::frontend {

/// The kind of a node. Entries come from ast_nodes.def.
enum class NodeKind : uint8_t {
#define LUAPP_NODE(Kind, Category, Meaning) Kind,
#include "frontend/ast/ast_nodes.def"
};

/// Binary operators. Entries come from operators.def.
enum class BinaryOp : uint8_t {
#define LUAPP_BINARY(Op, Spelling, Left, Right) Op,
#include "frontend/ast/operators.def"
};

/// Prefix operators. Entries come from operators.def.
enum class UnaryOp : uint8_t {
#define LUAPP_UNARY(Op, Spelling) Op,
#include "frontend/ast/operators.def"
};

/// The name of the kind as in ast_nodes.def.
std::string_view nodeKindName(NodeKind kind);
/// The operator as written in source.
std::string_view spelling(BinaryOp op);
std::string_view spelling(UnaryOp op);

/// What all nodes share.
struct Node {
    NodeKind kind;
    Range range;

  protected:
    Node(NodeKind kind, Range range) : kind(kind), range(range) {}
};

/// True if `node` is a `T`. `node` must not be null.
template <class T>
bool is(const Node* node) {
    return node->kind == T::kKind;
}
/// `node` as a `T`, or null if it is another kind. `node` must not be null.
template <class T, class N>
auto as(N* node) {
    using To = std::conditional_t<std::is_const_v<N>, const T, T>;
    return node->kind == T::kKind ? static_cast<To*>(node) : nullptr;
}
/// `node` as a `T`; it must be one.
template <class T, class N>
auto& cast(N& node) {
    using To = std::conditional_t<std::is_const_v<N>, const T, T>;
    return static_cast<To&>(node);
}

// ---- Categories -----------------------------------------------------------------------------------------------------

struct Expr : Node {
    /// For sema: the static type. Null after parsing.
    const sema::Type* type = nullptr;

  protected:
    using Node::Node;
};

struct TypeNode : Node {
  protected:
    using Node::Node;
};

struct Stmt : Node {
    /// `export` stood before it. Only FunctionDecl, LocalFunctionDecl, LocalStmt, ClassDecl, InterfaceDecl, EnumDecl
    /// and TypeAliasDecl can be exported.
    bool isExported = false;

  protected:
    using Node::Node;
};

struct Decl : Stmt {
  protected:
    using Stmt::Stmt;
};

// ---- Shared parts (not nodes) ---------------------------------------------------------------------------------------

/// A name being declared as a local, parameter or loop variable.
struct NameDecl {
    Symbol name;
    Range range;                         ///< of the name alone
    TypeNode* type = nullptr;            ///< annotation, or null
    sema::Variable* variable = nullptr;  ///< for sema

    template <class F>
    void fields(F&& f) const {
        f("name", name);
        f("type", type);
    }
};

/// A name with its place, where nothing is declared for sema to resolve (labels, members, import names).
struct Ident {
    Symbol name;
    Range range;

    template <class F>
    void fields(F&& f) const {
        f("name", name);
    }
};

/// One parameter of a function.
struct Param {
    NameDecl decl;
    Expr* defaultValue = nullptr;  ///< or null

    template <class F>
    void fields(F&& f) const {
        f("decl", decl);
        f("default", defaultValue);
    }
};

/// One generic parameter: `T` or `T: Bound1 & Bound2`.
struct TypeParam {
    Symbol name;
    Range range;
    List<TypeNode*> bounds;

    template <class F>
    void fields(F&& f) const {
        f("name", name);
        f("bounds", bounds);
    }
};

/// Statements between two keywords (or the whole file).
struct Block {
    List<Stmt*> statements;
    Range range;

    template <class F>
    void fields(F&& f) const {
        f("statements", statements);
    }
};

/// What a function gives back, as written.
struct ResultTypes {
    List<TypeNode*> types;   ///< empty if not written or `void`; the last may be a VariadicType
    bool isWritten = false;  ///< a `:` stood there
    bool isVoid = false;     ///< written as `void`
    Range range;             ///< of what follows the `:`; invalid if not written

    template <class F>
    void fields(F&& f) const {
        f("isVoid", isVoid);
        f("types", types);
    }
};

/// Everything of a function but its name: shared by declarations, literals, methods and constructors.
struct FunctionBody {
    List<TypeParam> typeParams;
    List<Param> params;              ///< without the implicit `self`
    bool isVararg = false;           ///< `...` ends the parameters
    bool usesVararg = false;         ///< `...` stands in the body (not in inner functions)
    bool isArrow = false;            ///< `->`: body is one ReturnStmt
    bool hasBody = true;             ///< false only for methods of interfaces
    TypeNode* varargType = nullptr;  ///< `...: T` or `...T`; null for `...` alone
    ResultTypes results;
    Block body;
    Range range;      ///< from the parameter list to the end
    Range signature;  ///< from the parameter list to the end of the result types
    Range endRange;   ///< of the closing `end`; of the expression for an arrow body
    /// Lenient files: `arg` may be needed, as Lua 5.1 gives it to vararg functions that do not use `...`.
    bool mentionsArg = false;

    template <class F>
    void fields(F&& f) const {
        f("typeParams", typeParams);
        f("params", params);
        f("isVararg", isVararg);
        f("varargType", varargType);
        f("usesVararg", usesVararg);
        if (results.isWritten) f("results", results);
        f("isArrow", isArrow);
        if (hasBody) f("body", body);
    }
};

// ---- Expressions ----------------------------------------------------------------------------------------------------

/// Declares what every node struct has: its kind, and a constructor from its range.
#define LUAPP_NODE_BODY(Kind, Base)                      \
    static constexpr NodeKind kKind = NodeKind::Kind;    \
    explicit Kind(Range range) : Base(kKind, range) {}

struct NilExpr : Expr {
    LUAPP_NODE_BODY(NilExpr, Expr)
    template <class F>
    void fields(F&&) const {}
};

struct BoolExpr : Expr {
    LUAPP_NODE_BODY(BoolExpr, Expr)
    bool value = false;

    template <class F>
    void fields(F&& f) const {
        f("bool", value ? std::string_view("true") : std::string_view("false"));
    }
};

struct NumberExpr : Expr {
    LUAPP_NODE_BODY(NumberExpr, Expr)
    double value = 0;
    /// Written without fraction and exponent, and at most 2^53: may be an `integer`.
    bool isWhole = false;
    /// Written like that, but beyond 2^53: as an `integer` it would be another number.
    bool isTooLarge = false;

    template <class F>
    void fields(F&& f) const {
        f("value", value);
        f("isWhole", isWhole);
    }
};

struct StringExpr : Expr {
    LUAPP_NODE_BODY(StringExpr, Expr)
    std::string_view value;  ///< any bytes; lives in the source text or the arena

    template <class F>
    void fields(F&& f) const {
        f("value", value);
    }
};

struct InterpExpr : Expr {
    LUAPP_NODE_BODY(InterpExpr, Expr)
    List<std::string_view> texts;  ///< one more than `values`; any may be empty
    List<Expr*> values;

    template <class F>
    void fields(F&& f) const {
        f("texts", texts);
        f("values", values);
    }
};

struct VarargExpr : Expr {
    LUAPP_NODE_BODY(VarargExpr, Expr)
    template <class F>
    void fields(F&&) const {}
};

struct NameExpr : Expr {
    LUAPP_NODE_BODY(NameExpr, Expr)
    Symbol name;
    sema::Variable* resolved = nullptr;  ///< for sema

    template <class F>
    void fields(F&& f) const {
        f("name", name);
    }
};

/// `base`: only as the callee of a call, or the object of a FieldExpr (`base.m`, `base.Other`, `base.Other.m`).
struct BaseExpr : Expr {
    LUAPP_NODE_BODY(BaseExpr, Expr)
    template <class F>
    void fields(F&&) const {}
};

struct FieldExpr : Expr {
    LUAPP_NODE_BODY(FieldExpr, Expr)
    Expr* object = nullptr;
    Ident field;
    bool isOptional = false;  ///< `?.`; then a ChainExpr stands around

    template <class F>
    void fields(F&& f) const {
        f("object", object);
        f("field", field.name);
        f("isOptional", isOptional);
    }
};

struct IndexExpr : Expr {
    LUAPP_NODE_BODY(IndexExpr, Expr)
    Expr* object = nullptr;
    Expr* index = nullptr;
    bool isOptional = false;  ///< `?[`; then a ChainExpr stands around

    template <class F>
    void fields(F&& f) const {
        f("object", object);
        f("index", index);
        f("isOptional", isOptional);
    }
};

/// How the arguments of a call were written.
enum class CallSyntax : uint8_t { Parens, String, Braces };

struct CallExpr : Expr {
    LUAPP_NODE_BODY(CallExpr, Expr)
    Expr* callee = nullptr;    ///< a FieldExpr for `a.m(...)` and for `a:m(...)`
    List<TypeNode*> typeArgs;  ///< explicit ones only
    List<Expr*> args;
    bool isColon = false;  ///< `a:m(...)`; `callee` is then the FieldExpr `a.m`
    CallSyntax syntax = CallSyntax::Parens;
    Range argsRange;  ///< of `(...)`, the string or the brace list

    template <class F>
    void fields(F&& f) const {
        f("isColon", isColon);
        f("callee", callee);
        f("typeArgs", typeArgs);
        f("args", args);
    }
};

/// Wraps a chain like `a?.b.c(x)?[i].d` from its start to its end. Inside, the links (FieldExpr, IndexExpr, CallExpr)
/// nest by their object or callee as always, and some are `isOptional`. When the object of an optional link is nil,
/// the whole ChainExpr is nil and nothing to the right of that object is evaluated. Parentheses, `!`, `as` and `++`
/// end a chain. A link marked isOptional belongs to the nearest ChainExpr around it.
struct ChainExpr : Expr {
    LUAPP_NODE_BODY(ChainExpr, Expr)
    Expr* chain = nullptr;  ///< the outermost link

    template <class F>
    void fields(F&& f) const {
        f("chain", chain);
    }
};

struct FunctionExpr : Expr {
    LUAPP_NODE_BODY(FunctionExpr, Expr)
    FunctionBody* body = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("body", *body);
    }
};

struct UnaryExpr : Expr {
    LUAPP_NODE_BODY(UnaryExpr, Expr)
    UnaryOp op = UnaryOp::Not;
    Expr* operand = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("op", spelling(op));
        f("operand", operand);
    }
};

struct BinaryExpr : Expr {
    LUAPP_NODE_BODY(BinaryExpr, Expr)
    BinaryOp op = BinaryOp::Or;
    Range opRange;
    Expr* left = nullptr;  ///< may be the end of a very long chain: see leftSpine()
    Expr* right = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("op", spelling(op));
        f("left", left);
        f("right", right);
    }
};

struct ConcatExpr : Expr {
    LUAPP_NODE_BODY(ConcatExpr, Expr)
    List<Expr*> operands;  ///< two or more, in source order; the language associates them to the right

    template <class F>
    void fields(F&& f) const {
        f("operands", operands);
    }
};

struct IncDecExpr : Expr {
    LUAPP_NODE_BODY(IncDecExpr, Expr)
    bool isIncrement = true;
    bool isPrefix = false;
    Expr* target = nullptr;  ///< NameExpr, FieldExpr or IndexExpr, or ErrorExpr

    template <class F>
    void fields(F&& f) const {
        f("isIncrement", isIncrement);
        f("isPrefix", isPrefix);
        f("target", target);
    }
};

struct TypeTestExpr : Expr {
    LUAPP_NODE_BODY(TypeTestExpr, Expr)
    Expr* operand = nullptr;
    bool isNegated = false;  ///< `is not`
    TypeNode* tested = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("isNegated", isNegated);
        f("operand", operand);
        f("tested", tested);
    }
};

struct CastExpr : Expr {
    LUAPP_NODE_BODY(CastExpr, Expr)
    Expr* operand = nullptr;
    TypeNode* target = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("operand", operand);
        f("target", target);
    }
};

struct NonNilExpr : Expr {
    LUAPP_NODE_BODY(NonNilExpr, Expr)
    Expr* operand = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("operand", operand);
    }
};

/// How one item of a brace list was written: `e`, `name = e`, `[k] = e`.
enum class BraceItemKind : uint8_t { Positional, Named, Keyed };

struct BraceItem {
    BraceItemKind kind = BraceItemKind::Positional;
    Ident name;           ///< Named only
    Expr* key = nullptr;  ///< Keyed only
    Expr* value = nullptr;

    template <class F>
    void fields(F&& f) const {
        if (kind == BraceItemKind::Named) f("name", name.name);
        if (kind == BraceItemKind::Keyed) f("key", key);
        f("value", value);
    }
};

struct BraceExpr : Expr {
    LUAPP_NODE_BODY(BraceExpr, Expr)
    List<BraceItem> items;

    template <class F>
    void fields(F&& f) const {
        f("items", items);
    }
};

struct ParenExpr : Expr {
    LUAPP_NODE_BODY(ParenExpr, Expr)
    Expr* inner = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("inner", inner);
    }
};

struct ErrorExpr : Expr {
    LUAPP_NODE_BODY(ErrorExpr, Expr)
    template <class F>
    void fields(F&&) const {}
};

// ---- Types ----------------------------------------------------------------------------------------------------------

struct NilType : TypeNode {
    LUAPP_NODE_BODY(NilType, TypeNode)
    template <class F>
    void fields(F&&) const {}
};

struct NamedType : TypeNode {
    LUAPP_NODE_BODY(NamedType, TypeNode)
    Ident module;  ///< `geo` of `geo.Point` (from `import * as geo`); invalid if not qualified
    Ident name;
    List<TypeNode*> args;

    template <class F>
    void fields(F&& f) const {
        if (module.name) f("module", module.name);
        f("name", name.name);
        f("args", args);
    }
};

struct ArrayType : TypeNode {
    LUAPP_NODE_BODY(ArrayType, TypeNode)
    TypeNode* element = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("element", element);
    }
};

struct OptionalType : TypeNode {
    LUAPP_NODE_BODY(OptionalType, TypeNode)
    TypeNode* inner = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("inner", inner);
    }
};

struct UnionType : TypeNode {
    LUAPP_NODE_BODY(UnionType, TypeNode)
    List<TypeNode*> members;  ///< two or more

    template <class F>
    void fields(F&& f) const {
        f("members", members);
    }
};

/// A parameter of a function type. The name may be missing.
struct TypeNodeParam {
    Ident name;                   ///< invalid if not written
    TypeNode* type = nullptr;     ///< null only in an event: a name without annotation
    bool isOptional = false;      ///< signatures only: `name?: T`, may be left out by callers

    template <class F>
    void fields(F&& f) const {
        if (name.name) f("name", name.name);
        f("isOptional", isOptional);
        f("type", type);
    }
};

struct VariadicType;

struct FunctionType : TypeNode {
    LUAPP_NODE_BODY(FunctionType, TypeNode)
    List<TypeParam> typeParams;  ///< only from parseSignature(), which reads the library's declarations
    List<TypeNodeParam> params;
    VariadicType* variadic = nullptr;  ///< `...T`, or null
    ResultTypes results;

    template <class F>
    void fields(F&& f) const;
};

struct RecordTypeField {
    Ident name;
    bool isOptional = false;  ///< `name?: T`
    TypeNode* type = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("name", name.name);
        f("isOptional", isOptional);
        f("type", type);
    }
};

struct RecordType : TypeNode {
    LUAPP_NODE_BODY(RecordType, TypeNode)
    List<RecordTypeField> members;

    template <class F>
    void fields(F&& f) const {
        f("members", members);
    }
};

struct TupleType : TypeNode {
    LUAPP_NODE_BODY(TupleType, TypeNode)
    List<TypeNode*> types;

    template <class F>
    void fields(F&& f) const {
        f("types", types);
    }
};

struct VariadicType : TypeNode {
    LUAPP_NODE_BODY(VariadicType, TypeNode)
    TypeNode* element = nullptr;  ///< null for `...` alone, which is `...any`

    template <class F>
    void fields(F&& f) const {
        f("element", element);
    }
};

struct ErrorTypeNode : TypeNode {
    LUAPP_NODE_BODY(ErrorTypeNode, TypeNode)
    template <class F>
    void fields(F&&) const {}
};

template <class F>
void FunctionType::fields(F&& f) const {
    f("typeParams", typeParams);
    f("params", params);
    f("variadic", static_cast<const TypeNode*>(variadic));
    if (results.isWritten) f("results", results);
}

// ---- Statements -----------------------------------------------------------------------------------------------------

struct LocalStmt : Stmt {
    LUAPP_NODE_BODY(LocalStmt, Stmt)
    bool isConst = false;
    List<NameDecl> names;
    List<Expr*> values;  ///< may be empty

    template <class F>
    void fields(F&& f) const {
        f("isConst", isConst);
        f("names", names);
        f("values", values);
    }
};

struct AssignStmt : Stmt {
    LUAPP_NODE_BODY(AssignStmt, Stmt)
    List<Expr*> targets;  ///< NameExpr, FieldExpr, IndexExpr or ErrorExpr
    List<Expr*> values;

    template <class F>
    void fields(F&& f) const {
        f("targets", targets);
        f("values", values);
    }
};

struct CompoundStmt : Stmt {
    LUAPP_NODE_BODY(CompoundStmt, Stmt)
    BinaryOp op = BinaryOp::Add;  ///< Add Sub Mul Div IDiv Mod Pow Concat Coalesce
    Range opRange;
    Expr* target = nullptr;  ///< NameExpr, FieldExpr, IndexExpr or ErrorExpr
    Expr* value = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("op", spelling(op));
        f("target", target);
        f("value", value);
    }
};

/// A CallExpr, an IncDecExpr, a ChainExpr or NonNilExpr that ends in a call, or an ErrorExpr.
struct ExprStmt : Stmt {
    LUAPP_NODE_BODY(ExprStmt, Stmt)
    Expr* expr = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("expr", expr);
    }
};

struct DoStmt : Stmt {
    LUAPP_NODE_BODY(DoStmt, Stmt)
    Block body;

    template <class F>
    void fields(F&& f) const {
        f("body", body);
    }
};

struct WhileStmt : Stmt {
    LUAPP_NODE_BODY(WhileStmt, Stmt)
    Expr* condition = nullptr;
    Block body;

    template <class F>
    void fields(F&& f) const {
        f("condition", condition);
        f("body", body);
    }
};

struct RepeatStmt : Stmt {
    LUAPP_NODE_BODY(RepeatStmt, Stmt)
    Block body;
    Expr* condition = nullptr;  ///< sees the locals of the body

    template <class F>
    void fields(F&& f) const {
        f("body", body);
        f("condition", condition);
    }
};

struct IfClause {
    Expr* condition = nullptr;  ///< null for `else`
    Block body;

    template <class F>
    void fields(F&& f) const {
        f("condition", condition);
        f("body", body);
    }
};

struct IfStmt : Stmt {
    LUAPP_NODE_BODY(IfStmt, Stmt)
    List<IfClause> clauses;  ///< `if`, each `elseif`, and `else` last if there is one

    template <class F>
    void fields(F&& f) const {
        f("clauses", clauses);
    }
};

struct NumericForStmt : Stmt {
    LUAPP_NODE_BODY(NumericForStmt, Stmt)
    NameDecl variable;
    Expr* from = nullptr;
    Expr* to = nullptr;
    Expr* step = nullptr;  ///< or null
    Block body;

    template <class F>
    void fields(F&& f) const {
        f("variable", variable);
        f("from", from);
        f("to", to);
        f("step", step);
        f("body", body);
    }
};

struct GenericForStmt : Stmt {
    LUAPP_NODE_BODY(GenericForStmt, Stmt)
    List<NameDecl> variables;
    List<Expr*> values;
    Block body;

    template <class F>
    void fields(F&& f) const {
        f("variables", variables);
        f("values", values);
        f("body", body);
    }
};

struct ReturnStmt : Stmt {
    LUAPP_NODE_BODY(ReturnStmt, Stmt)
    List<Expr*> values;

    template <class F>
    void fields(F&& f) const {
        f("values", values);
    }
};

struct BreakStmt : Stmt {
    LUAPP_NODE_BODY(BreakStmt, Stmt)
    template <class F>
    void fields(F&&) const {}
};

struct ContinueStmt : Stmt {
    LUAPP_NODE_BODY(ContinueStmt, Stmt)
    template <class F>
    void fields(F&&) const {}
};

struct GotoStmt : Stmt {
    LUAPP_NODE_BODY(GotoStmt, Stmt)
    Ident label;

    template <class F>
    void fields(F&& f) const {
        f("label", label.name);
    }
};

struct LabelStmt : Stmt {
    LUAPP_NODE_BODY(LabelStmt, Stmt)
    Ident label;

    template <class F>
    void fields(F&& f) const {
        f("label", label.name);
    }
};

struct ErrorStmt : Stmt {
    LUAPP_NODE_BODY(ErrorStmt, Stmt)
    template <class F>
    void fields(F&&) const {}
};

// ---- Declarations ---------------------------------------------------------------------------------------------------

/// `function a.b.c(...)`, `function a.b:c(...)`. One name alone: in a strict file at the top level a module-level
/// function; in a lenient file (and below the top level) an assignment to that name.
struct FunctionDecl : Decl {
    LUAPP_NODE_BODY(FunctionDecl, Decl)
    Expr* target = nullptr;  ///< NameExpr, or FieldExpr of NameExpr/FieldExpr
    bool isMethod = false;   ///< `:` before the last name: `self` is an implicit first parameter
    NameDecl name;           ///< the declared name if `target` is one name alone
    FunctionBody* body = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("isMethod", isMethod);
        f("target", target);
        f("body", *body);
    }
};

struct LocalFunctionDecl : Decl {
    LUAPP_NODE_BODY(LocalFunctionDecl, Decl)
    bool isConst = false;  ///< `const function`: inlined at every use
    NameDecl name;
    FunctionBody* body = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("isConst", isConst);
        f("name", name.name);
        f("body", *body);
    }
};

/// Who may use a member.
enum class Access : uint8_t { Public, Protected, Private };

/// Modifiers of a class member, as written.
struct Modifiers {
    Access access = Access::Public;
    bool isStatic = false;
    bool isConst = false;
    bool isImplicit = false;  ///< constructors only

    template <class F>
    void fields(F&& f) const {
        if (access != Access::Public)
            f("access", access == Access::Private ? std::string_view("private") : std::string_view("protected"));
        f("isStatic", isStatic);
        f("isConst", isConst);
        f("isImplicit", isImplicit);
    }
};

struct FieldDecl : Decl {
    LUAPP_NODE_BODY(FieldDecl, Decl)
    Modifiers modifiers;
    Ident name;
    TypeNode* type = nullptr;   ///< null only if `value` is there
    Expr* value = nullptr;      ///< initialiser, or null

    template <class F>
    void fields(F&& f) const {
        f("modifiers", modifiers);
        f("name", name.name);
        f("type", type);
        f("value", value);
    }
};

struct MethodDecl : Decl {
    LUAPP_NODE_BODY(MethodDecl, Decl)
    Modifiers modifiers;
    Ident name;
    FunctionBody* body = nullptr;  ///< `self` is implicit unless static

    template <class F>
    void fields(F&& f) const {
        f("modifiers", modifiers);
        f("name", name.name);
        f("body", *body);
    }
};

struct ConstructorDecl : Decl {
    LUAPP_NODE_BODY(ConstructorDecl, Decl)
    Modifiers modifiers;
    Range keyword;  ///< of the word `constructor`
    FunctionBody* body = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("modifiers", modifiers);
        f("body", *body);
    }
};

struct EventDecl : Decl {
    LUAPP_NODE_BODY(EventDecl, Decl)
    Modifiers modifiers;
    Ident name;
    FunctionType* type = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("modifiers", modifiers);
        f("name", name.name);
        f("type", static_cast<const TypeNode*>(type));
    }
};

struct ClassDecl : Decl {
    LUAPP_NODE_BODY(ClassDecl, Decl)
    Ident name;
    List<TypeParam> typeParams;
    List<TypeNode*> bases;  ///< base classes and interfaces, in source order
    List<Decl*> members;    ///< FieldDecl, MethodDecl, ConstructorDecl, EventDecl

    template <class F>
    void fields(F&& f) const {
        f("name", name.name);
        f("typeParams", typeParams);
        f("bases", bases);
        f("members", members);
    }
};

struct InterfaceDecl : Decl {
    LUAPP_NODE_BODY(InterfaceDecl, Decl)
    Ident name;
    List<TypeParam> typeParams;
    List<TypeNode*> bases;
    List<Decl*> members;  ///< FieldDecl without value, MethodDecl without body

    template <class F>
    void fields(F&& f) const {
        f("name", name.name);
        f("typeParams", typeParams);
        f("bases", bases);
        f("members", members);
    }
};

struct EnumMember {
    Ident name;
    Expr* value = nullptr;  ///< or null

    template <class F>
    void fields(F&& f) const {
        f("name", name.name);
        f("value", value);
    }
};

struct EnumDecl : Decl {
    LUAPP_NODE_BODY(EnumDecl, Decl)
    Ident name;
    List<EnumMember> members;

    template <class F>
    void fields(F&& f) const {
        f("name", name.name);
        f("members", members);
    }
};

struct TypeAliasDecl : Decl {
    LUAPP_NODE_BODY(TypeAliasDecl, Decl)
    Ident name;
    List<TypeParam> typeParams;
    TypeNode* aliased = nullptr;

    template <class F>
    void fields(F&& f) const {
        f("name", name.name);
        f("typeParams", typeParams);
        f("aliased", aliased);
    }
};

/// `a` or `a as b` of an import or export list.
struct ImportName {
    Ident name;
    NameDecl local;  ///< the name in this module (import) or the name given to the outside (export)

    template <class F>
    void fields(F&& f) const {
        f("name", name.name);
        if (local.name != name.name) f("as", local.name);
    }
};

enum class ImportForm : uint8_t { Names, Namespace, Effect };

struct ImportDecl : Decl {
    LUAPP_NODE_BODY(ImportDecl, Decl)
    ImportForm form = ImportForm::Effect;
    List<ImportName> names;     ///< Names only
    NameDecl namespaceName;     ///< Namespace only
    std::string_view path;      ///< as written, escapes resolved
    Range pathRange;

    template <class F>
    void fields(F&& f) const {
        if (form == ImportForm::Namespace) f("namespace", namespaceName.name);
        f("names", names);
        f("path", path);
    }
};

/// `export { a, b as c } from "p"`; without `from` it exports names of this module.
struct ExportFromDecl : Decl {
    LUAPP_NODE_BODY(ExportFromDecl, Decl)
    List<ImportName> names;
    bool hasPath = false;
    std::string_view path;
    Range pathRange;

    template <class F>
    void fields(F&& f) const {
        f("names", names);
        if (hasPath) f("path", path);
    }
};

#undef LUAPP_NODE_BODY

// ---- Module ---------------------------------------------------------------------------------------------------------

/// One file, parsed. It always exists, whatever errors there were.
struct Module {
    const SourceFile* file = nullptr;
    Attributes attributes;
    bool isLenient = false;  ///< by `--!lenient` or by being a `.lua` file
    bool isDebuggable = false;  ///< lenient: compiled for the debug library (docs/internals.md 11)
    bool hasErrors = false;  ///< the lexer or parser reported errors
    FunctionBody* main = nullptr;  ///< the whole file as a vararg function; its statements are main->body.statements
    List<CallExpr*> requireCalls;  ///< every call `require("literal")`, whatever `require` turns out to mean there
};

// Each kind has its struct, `kKind` agrees, and arenas may drop it.
#define LUAPP_NODE(Kind, Category, Meaning)                                                                  \
    static_assert(Kind::kKind == NodeKind::Kind && std::is_trivially_destructible_v<Kind> &&                 \
                  std::is_base_of_v<LUAPP_NODE_CATEGORY_##Category, Kind>);
#define LUAPP_NODE_CATEGORY_Expr Expr
#define LUAPP_NODE_CATEGORY_Type TypeNode
#define LUAPP_NODE_CATEGORY_Stmt Stmt
#define LUAPP_NODE_CATEGORY_Decl Decl
#include "frontend/ast/ast_nodes.def"
#undef LUAPP_NODE_CATEGORY_Expr
#undef LUAPP_NODE_CATEGORY_Type
#undef LUAPP_NODE_CATEGORY_Stmt
#undef LUAPP_NODE_CATEGORY_Decl

}  // namespace luapp::frontend
