// Lowering of classes from hand-made typed trees: what counts, which calls are direct, what stands in the tables.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "middle/ir_text.h"
#include "middle/ir_verify.h"
#include "middle/lower.h"
#include "sema/class_info.h"

using namespace luapp;
using namespace luapp::sema;

namespace {

/// A program whose main block evaluates expressions, and its classes.
class Maker {
  public:
    Maker() : program_(interner_) {
        auto* module = make<TypedModule>();
        module->name = "test";
        main_ = function("main", program_.types.function({}, nullptr, {}), {});
        main_->isMain = true;
        module->main = main_;
        program_.modules.push_back(module);
        stmts_.clear();
    }

    TypeTable& types() { return program_.types; }
    Symbol name(std::string_view text) { return interner_.intern(text); }

    template <class T>
    T* make() {
        auto* made = new T();
        owned_.emplace_back(made, [](void* p) { delete static_cast<T*>(p); });
        return made;
    }
    template <class T>
    List<T> list(std::vector<T> items) {
        auto* kept = make<std::vector<T>>();
        *kept = std::move(items);
        return {kept->data(), uint32_t(kept->size())};
    }

    /// A function that returns `value` (null: nothing); its parameters are `params`.
    TypedFunction* function(std::string_view name, const FunctionType* type, const std::vector<Variable*>& params) {
        auto* fn = make<TypedFunction>();
        fn->module = make<TypedModule>();
        fn->name = name;
        fn->type = type;
        fn->params = list(params);
        fn->body = make<TBlock>();
        for (Variable* v : params) v->owner = fn;
        fn->variableCount = uint32_t(params.size());
        return fn;
    }
    void setBody(TypedFunction* fn, std::vector<TStmt*> stmts) { fn->body->stmts = list(std::move(stmts)); }

    Variable* param(std::string_view text, const Type* type, uint32_t index) {
        auto* v = make<Variable>();
        v->name = name(text);
        v->type = type;
        v->kind = VarKind::Param;
        v->index = index;
        return v;
    }

    template <class T>
    T* expr(const Type* type) {
        auto* e = make<T>();
        e->kind = T::kKind;
        e->type = type;
        return e;
    }
    template <class T>
    T* stmt() {
        auto* s = make<T>();
        s->kind = T::kKind;
        return s;
    }
    TExpr* get(Variable* v) {
        auto* e = expr<TVarGet>(v->type);
        e->variable = v;
        return e;
    }
    TExpr* number(double value) {
        auto* e = expr<TNumberConst>(types().number());
        e->value = value;
        return e;
    }
    TStmt* returns(TExpr* value) {
        auto* s = stmt<TReturn>();
        s->values = list<TExpr*>({value});
        return s;
    }
    TExpr* construct(TypedClass* cls) { return expr<TObjectNew>(cls->type); }
    TExpr* callMethod(TExpr* object, const Type* owner, const MethodInfo* method, std::vector<TExpr*> args = {}) {
        auto* call = expr<TCall>(types().number());
        call->callKind = CallKind::Method;
        call->method = method;
        call->methodOwner = owner;
        args.insert(args.begin(), object);
        call->args = list(std::move(args));
        call->results = list<const Type*>({types().number()});
        return call;
    }
    void run(TExpr* e) {
        auto* s = stmt<TExprStmt>();
        s->expr = e;
        stmts_.push_back(s);
    }

    TypedClass* addClass(std::string_view text, std::vector<TypedClass*> above, const MethodInfo* method, const Type* methodOwner) {
        auto* info = make<ClassInfo>();
        info->name = name(text);
        info->types = &types();
        auto* cls = make<TypedClass>();
        cls->type = types().classType(info, {});
        above.insert(above.begin(), cls);
        cls->ancestors = list(above);
        program_.classes.push_back(cls);
        if (method) dispatchTo(cls, methodOwner ? methodOwner : cls->type, method, 0);
        return cls;
    }

    /// Lets `cls` answer `method` (no parameters, a number) with a function that returns `value`, which is of type `result`.
    void dispatchTo(TypedClass* cls, const Type* owner, const MethodInfo* method, double value, bool asInteger = false) {
        const Type* numberType = types().number();
        const Type* resultType = asInteger ? types().integer() : numberType;
        const Type* self = cls->type;
        Variable* object = param("self", self, 0);
        TypedFunction* fn = function(interner_.text(cls->type->name), types().function({&self, 1}, nullptr, {&resultType, 1}), {object});
        auto* integer = expr<TIntegerConst>(types().integer());
        integer->value = int64_t(value);
        setBody(fn, {returns(asInteger ? integer : number(value))});
        TypedDispatch d{};
        d.answer = TypedDispatch::Answer::Call;
        d.owner = owner;
        d.method = method;
        d.type = types().function({}, nullptr, {&numberType, 1});
        d.function = fn;
        cls->dispatch = list<TypedDispatch>({d});
    }

    /// The lowered program, verified.
    std::string lowered(const ir::LowerOptions& options = {}) {
        setBody(main_, stmts_);
        ir::Module module;
        frontend::SourceManager sources;
        ir::lower(program_, program_.types, sources, module, options);
        const std::string error = ir::verify(module, ir::VerifyMode::Built);
        return error.empty() ? ir::print(module) : error;
    }

  private:
    std::vector<std::unique_ptr<void, void (*)(void*)>> owned_;
    frontend::Interner interner_;
    TypedProgram program_;
    TypedFunction* main_ = nullptr;
    std::vector<TStmt*> stmts_;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("lower: a method that one class answers is called directly; others are not lowered") {
    Maker m;
    auto* area = m.make<MethodInfo>();
    area->name = m.name("area");
    TypedClass* shape = m.addClass("Shape", {}, area, nullptr);
    TypedClass* square = m.addClass("Square", {shape}, area, shape->type);
    m.run(m.callMethod(m.construct(square), shape->type, area));
    const std::string text = m.lowered();
    CHECK(has(text, "call @Square, "));
    CHECK(!has(text, "call.method"));
    CHECK(!has(text, "func @Shape "));
    REQUIRE(has(text, "class t"));
    CHECK(text.find("class t") == text.rfind("class t"));
}

TEST_CASE("lower: a method with several answers has a slot; representations are adapted") {
    Maker m;
    auto* area = m.make<MethodInfo>();
    area->name = m.name("area");
    TypedClass* shape = m.addClass("Shape", {}, area, nullptr);
    TypedClass* square = m.addClass("Square", {shape}, area, shape->type);
    m.dispatchTo(square, shape->type, area, 4, true);
    m.run(m.callMethod(m.construct(square), shape->type, area));
    m.run(m.callMethod(m.construct(shape), shape->type, area));
    const std::string text = m.lowered();
    CHECK(has(text, "method m0 \"Shape.area\" slot 0 (ref) -> (f64)\n"));
    CHECK(has(text, "call.method m0, "));
    CHECK(has(text, "  entry 0 @Shape\n"));
    CHECK(has(text, "  entry 0 @Square.2\n"));
    CHECK(has(text, "func @Square.2 \"Square\" (ref) -> (f64)"));
    CHECK(has(text, "i2f"));
}

TEST_CASE("lower: a call that no object can get is never reached") {
    Maker m;
    auto* area = m.make<MethodInfo>();
    area->name = m.name("area");
    TypedClass* shape = m.addClass("Shape", {}, area, nullptr);
    auto* nothing = m.expr<TNilConst>(shape->type);
    m.run(m.callMethod(nothing, shape->type, area));
    const std::string text = m.lowered();
    CHECK(has(text, "unreachable"));
    CHECK(!has(text, "ret\n"));
    CHECK(!has(text, "func @Shape"));
}

TEST_CASE("lower: with asserted types every expression is checked") {
    auto lowered = [](bool assertTypes) {
        Maker m;
        TypedClass* shape = m.addClass("Shape", {}, nullptr, nullptr);
        m.run(m.construct(shape));
        return m.lowered({.assertTypes = assertTypes});
    };
    CHECK(has(lowered(true), "check.word"));
    CHECK(!has(lowered(false), "check.word"));
}
