#pragma once
// Copies generic functions and classes for the type arguments they are used with.
//
// The checker has checked every generic declaration once, with its type parameters opaque; its typed tree mentions them
// (TypeParamType), and every use of it says the type arguments (TCall::typeArguments and its like). Instantiator starts from what is
// not generic, copies a template for each list of concrete arguments that can be reached, types put in, and points the uses
// at the copies. Nodes whose form depends on the type are settled on the way: conversions are chosen again, tests of what is
// known by now fall away, operators of classes become calls. At the end templates are gone from the program, and no type of
// it has a type parameter (checked in debug builds).
// Made and run by check() when no error was found; it reports only what cannot be known before: arguments that admit nil
// where the declaration writes `T?`, and recursion that needs ever new types. It decides nothing about the meaning of names.

#include <deque>
#include <set>
#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "frontend/diag/diagnostic.h"
#include "sema/class_table.h"
#include "sema/symbols.h"

namespace luapp::sema {

/// What settling a node needs of the rules of the language; the checker knows them.
class NodeRules {
  public:
    /// `left op right` for two operands of one class, as a call of its operator in the body of `owner`; null if it has none.
    virtual TExpr* compareObjects(CompareOp op, TExpr* left, TExpr* right, Loc loc, FunctionInfo& owner) = 0;

  protected:
    ~NodeRules() = default;
};

class Instantiator final : private ClassTables {
  public:
    /// Type arguments may nest this deep. Code written by people stays far below it, and recursion that needs ever deeper types
    /// stops after few copies.
    static constexpr int kMaxDepth = 20;
    /// Lists of type arguments of all generic functions and classes together.
    static constexpr int kMaxInstances = 20'000;

    Instantiator(TypedProgram& program, frontend::Diagnostics& diagnostics, NodeRules& rules)
        : ClassTables(program), types_(program.types), diags_(diagnostics), rules_(rules) {}

    /// `classes`: all of the program. Makes the tables of those that are not generic, and of the others as they are used.
    void run(std::span<ClassInfo* const> classes);

  private:
    /// A template with type arguments: what is copied with them, itself and the functions inside it.
    struct Copy {
        FunctionInfo* root = nullptr;
        Copy* outer = nullptr;  // the copy around it, where the template stands inside another
        std::vector<TypeBinding> bindings;  // of all parameters in scope
        FunctionInfo* function = nullptr;
        std::string_view name;
        Copy* from = nullptr;  // what needs it first (null: something that is not generic), and where
        Loc at{};
        std::unordered_map<const Variable*, Variable*> variables;
        std::unordered_map<const FunctionInfo*, FunctionInfo*> functions;
        TypeTable::TypeMap types;
        std::unordered_map<const TLabel*, TLabel*> labels;
    };
    /// A function whose body is still to be copied.
    struct Work {
        Copy* copy;
        FunctionInfo* source;
        FunctionInfo* target;
    };
    using Key = std::tuple<const FunctionInfo*, const Copy*, std::vector<const Type*>>;

    // ---- instantiate.cpp
    static const FunctionInfo* around(const FunctionInfo* function);
    static bool isTemplate(const FunctionInfo* function);
    static bool isInside(const FunctionInfo* function, const FunctionInfo* root);
    Copy* copyAround(const FunctionInfo* function);
    void removeTemplates();
    void see(const Type* type);
    void makeClass(const ClassType* type);
    TypedFunction* functionOf(FunctionInfo* function, List<const Type*> args) override;
    void patch(FunctionInfo& function);
    void finish(const Work& work);
    FunctionInfo* makeTarget(Copy& copy, FunctionInfo& source);
    FunctionInfo* nested(Copy& copy, FunctionInfo& source);
    TypedFunction* instance(FunctionInfo& source, List<const Type*> args, Loc at);
    bool admits(std::span<const TypeParamType* const> params, std::span<const Type* const> args, std::string_view name, Range where,
                Loc at);
    void addChain(frontend::DiagBuilder message, std::string_view name, Loc at);
    Range rootOf(Loc at) const;
    std::string nameOf(std::string_view generic, List<const Type*> args) const;
    TypedFunction* function(TypedFunction* function, List<const Type*> args, Loc at);
    const Type* type(const Type* type);
    Variable* variable(Variable* variable);
    void checkNoParams() const;

    // ---- instantiate_nodes.cpp
    template <class T>
    T* make(const Type* type, Loc loc) {
        T* node = make<T>(loc);
        node->type = type;
        return node;
    }
    template <class T>
    T* make(Loc loc) {
        T* node = program_.arena.make<T>();
        node->kind = T::kKind;
        node->loc = loc;
        return node;
    }
    template <class T>
    T* own(T* node);
    template <class T, class F>
    List<T> list(List<T> items, F&& each);
    List<TExpr*> exprs(List<TExpr*> items);
    List<Variable*> variables(List<Variable*> items);
    List<const Type*> types(List<const Type*> items);
    TExpr* expr(TExpr* e);
    TExpr* binaryChain(TExpr* e);
    TExpr* logicalChain(TExpr* e);
    TExpr* finishLogical(TLogical* n);
    TExpr* compare(TCompare* n);
    TExpr* compareObjects(TCompare* n);
    TExpr* letBool(TExpr* dropped, bool value, Loc loc);
    TExpr* call(TCall* n);
    TExpr* convert(TConvert* n);
    TExpr* nonNil(TConvert* n);
    TExpr* convertTo(TExpr* value, const Type* to, ConvertKind proven, CheckReason reason);
    TExpr* convertNode(ConvertKind kind, CheckReason reason, TExpr* operand, const Type* type);
    TLabel* label(TLabel* l);
    TStmt* stmt(TStmt* s);
    TStmt* ifChain(TIf* first);
    TBlock* block(TBlock* b);

    TypeTable& types_;
    frontend::Diagnostics& diags_;
    NodeRules& rules_;
    /// What needs the thing at hand.
    Copy* here() const { return copy_ ? copy_ : from_; }

    Copy* copy_ = nullptr;              // whose types are put in; null: a function that is not generic is patched in place
    Copy* from_ = nullptr;              // while a class is made: what needs it first
    FunctionInfo* owner_ = nullptr;     // the function being made
    Loc at_{};                          // the use at hand
    std::vector<bool> seen_;            // types by id
    std::deque<const ClassType*> classes_;  // whose tables are still to be made
    std::set<const ClassType*> begun_;  // generic ones
    std::unordered_map<const ClassType*, std::pair<Copy*, Loc>> firstUse_;  // of generic ones
    std::deque<Copy> copies_;
    std::map<Key, Copy*> known_;
    std::deque<Work> work_;
    bool failed_ = false;  // too many or too deep: nothing more is made
};

}  // namespace luapp::sema
