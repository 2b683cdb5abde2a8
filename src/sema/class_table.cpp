// What lowering gets of a class: fields, the answers to all virtual calls, members found by name.
#include "sema/class_table.h"

#include <algorithm>

#include "sema/symbols.h"

namespace luapp::sema {

namespace {

constexpr std::string_view kFinalizer = "__gc";

/// A field of this type starts without a value. Numbers, booleans and what may be nil have one even where the constructor has to
/// assign another.
bool mayBeUnset(const FieldInfo& field, const Type* type) {
    if (type->admitsNil) return false;
    const bool startsAsZero = field.type->kind != TypeKind::TypeParam && (isNumeric(type) || isBoolean(type));
    return field.mayBeUnset && !startsAsZero;
}

/// Makes the TypedClass of one class type.
class TableMaker {
  public:
    TableMaker(TypedProgram& program, ClassTables& tables, const ClassType* type)
        : program_(program), tables_(tables), type_(type), info_(*type->info) {}

    TypedClass* make() {
        auto* made = program_.arena.make<TypedClass>();
        made->type = type_;
        made->module = info_.module->typed;
        made->range = info_.range;
        tables_.remember(type_, made);
        std::vector<TypedClass*> ancestors;
        for (const ClassType* ancestor : info_.ancestors)
            ancestors.push_back(ancestor->info == &info_ ? made : tables_.classOf(as<ClassType>(memberType(ancestor, type_))));
        made->ancestors = list(ancestors);
        std::vector<const InterfaceType*> interfaces;
        for (const InterfaceType* implemented : info_.interfaces)
            if (implemented->info->decl)  // Comparable and Hashable are known to the checker alone
                interfaces.push_back(as<InterfaceType>(memberType(implemented, type_)));
        made->interfaces = list(interfaces);
        std::vector<TypedField> fields;
        for (const FieldInfo* field : info_.objectFields) {
            const bool isHidden = field->event || !field->name;
            const Type* type = memberType(field->type, type_);
            fields.push_back({isHidden ? Symbol{} : field->name, type, field->access, field->isConst, mayBeUnset(*field, type)});
        }
        made->fields = list(fields);
        if (info_.initializer->body) made->initializer = function(info_.initializer, type_->args);
        addDispatch();
        made->dispatch = list(dispatch_);
        addMembers(*made);
        std::vector<TypedFunction*> constructors;
        for (const ConstructorInfo* constructor : info_.constructors)
            if (constructor->function->body)
                constructors.push_back(function(constructor->function, ancestorOf(type_, constructor->owner)->args));
        made->constructors = list(constructors);
        for (const ClassType* ancestor : info_.ancestors) {
            MethodInfo* finalizer = methodNamed(*ancestor->info, program_.types.interner().intern(kFinalizer));
            if (!finalizer || finalizer->isStatic) continue;
            made->finalizer = function(finalizer->function, as<ClassType>(memberType(ancestor, type_))->args);
            break;
        }
        return made;
    }

  private:
    template <class T>
    List<T> list(const std::vector<T>& items) {
        return program_.arena.makeList<T>(items);
    }
    TypedFunction* function(FunctionInfo* f, List<const Type*> args) { return tables_.functionOf(f, args); }

    static MethodInfo* methodNamed(const ObjectInfo& info, Symbol name) {
        auto found = info.memberOf.find(name.id);
        if (found == info.memberOf.end() || found->second->memberKind != MemberInfo::Kind::Method) return nullptr;
        return static_cast<MethodInfo*>(found->second);
    }

    /// The member that answers to a name from outside, and the class type that declares it.
    MemberInfo* answerTo(Symbol name, const ClassType*& owner) {
        if (answers_.empty())
            for (const ClassType* ancestor : info_.ancestors)
                for (auto& [id, member] : ancestor->info->memberOf)
                    if (member->access != Access::Private) answers_.try_emplace(id, member, ancestor);
        auto found = answers_.find(name.id);
        if (found == answers_.end()) return nullptr;
        owner = as<ClassType>(memberType(found->second.second, type_));
        return found->second.first;
    }

    void addMethod(const Type* owner, const MethodInfo& method) {
        const ClassType* answering = nullptr;
        MemberInfo* member = answerTo(method.name, answering);
        if (!member || member->memberKind != MemberInfo::Kind::Method) return;
        auto& answer = *static_cast<MethodInfo*>(member);
        if (!answer.function || !answer.function->body) return;
        TypedDispatch d{};
        d.answer = TypedDispatch::Answer::Call;
        d.owner = owner;
        d.method = &method;
        d.type = as<FunctionType>(memberType(method.type, owner));
        d.function = function(answer.function, answering->args);
        dispatch_.push_back(d);
        for (const MethodInfo* shorter : method.shorter) {
            TypedDispatch s = d;
            s.method = shorter;
            s.type = as<FunctionType>(memberType(shorter->type, owner));
            s.function = tables_.thunkOf(d.function, shorter->type->params.count);
            dispatch_.push_back(s);
        }
    }

    void addDispatch() {
        for (const ClassType* ancestor : info_.ancestors) {
            const Type* owner = memberType(ancestor, type_);
            for (const MethodInfo* method : ancestor->info->methods)
                if (method->isVirtual() && method->entry == method && method->type) addMethod(owner, *method);
        }
        for (const InterfaceType* written : info_.interfaces) {
            const Type* owner = memberType(written, type_);
            for (const MethodInfo* method : written->info->methods)
                if (method->type) addMethod(owner, *method);
            for (const FieldInfo* field : written->info->fields) addField(owner, *field);
        }
    }

    void addField(const Type* owner, const FieldInfo& wanted) {
        const ClassType* answering = nullptr;
        MemberInfo* member = answerTo(wanted.name, answering);
        if (!member || member->memberKind != MemberInfo::Kind::Field) return;
        for (const MethodInfo* half : {wanted.reader, wanted.writer}) {
            TypedDispatch d{};
            d.answer = half->reads ? TypedDispatch::Answer::Get : TypedDispatch::Answer::Set;
            d.owner = owner;
            d.method = half;
            d.type = as<FunctionType>(memberType(half->type, owner));
            d.fieldOwner = answering;
            d.field = static_cast<FieldInfo*>(member)->index;
            dispatch_.push_back(d);
        }
    }

    void addMembers(TypedClass& made) {
        std::vector<TypedMember> members;
        for (const MethodInfo* method : info_.methods) {
            if (!method->typeParams.empty() || !method->function->body) continue;
            if (method->isStatic && !type_->args.empty()) continue;
            members.push_back({method->name, method->access, method->isStatic, function(method->function, type_->args),
                               nullptr, method->isConst});
        }
        for (const FieldInfo* field : info_.fields)
            if (field->isStatic && field->variable)
                members.push_back({field->name, field->access, true, nullptr, field->variable, field->isConst});
        made.members = list(members);
    }

    TypedProgram& program_;
    ClassTables& tables_;
    const ClassType* type_;
    const ClassInfo& info_;
    std::vector<TypedDispatch> dispatch_;
    std::unordered_map<uint32_t, std::pair<MemberInfo*, const ClassType*>> answers_;  // by symbol id; made at the first question
};

}  // namespace

TypedClass* ClassTables::classOf(const ClassType* type) {
    auto found = made_.find(type);
    if (found != made_.end()) return found->second;
    TypedClass* made = TableMaker(program_, *this, type).make();
    program_.classes.push_back(made);
    return made;
}

TypedFunction* ClassTables::functionOf(FunctionInfo* function, List<const Type*>) { return function; }

/// A function that takes the first `count` arguments of a method (besides the object) and leaves the others to their defaults.
TypedFunction* ClassTables::thunkOf(TypedFunction* function, uint32_t count) {
    if (function->params.count == count + 1) return function;
    TypedFunction*& thunk = thunks_[{function, count}];
    if (thunk) return thunk;
    auto& arena = program_.arena;
    thunk = arena.make<TypedFunction>();
    thunk->name = function->name;
    thunk->range = function->range;
    thunk->module = function->module;
    thunk->parent = function->parent;
    std::vector<const Type*> types;
    std::vector<Variable*> params;
    std::vector<TExpr*> args, defaults(count + 1, nullptr);
    const frontend::Loc loc = function->range.begin;
    for (uint32_t i = 0; i <= count; i++) {
        auto* v = arena.make<SemaVar>();
        v->name = function->params[i]->name;
        v->range = function->params[i]->range;
        v->type = function->params[i]->type;
        v->owner = thunk;
        v->kind = VarKind::Param;
        v->index = thunk->variableCount++;
        params.push_back(v);
        types.push_back(function->type->params[i]);
        auto* get = arena.make<TVarGet>();
        get->kind = TExprKind::VarGet;
        get->type = v->type;
        get->loc = loc;
        get->variable = v;
        args.push_back(get);
    }
    const FunctionType* type = function->type;
    thunk->type = program_.types.function(types, nullptr, type->results.span(), type->variadicResult, 0, type->neverReturns);
    thunk->params = arena.makeList<Variable*>(params);
    thunk->defaults = arena.makeList<TExpr*>(defaults);
    auto* call = arena.make<TCall>();
    call->kind = TExprKind::Call;
    call->loc = loc;
    call->callKind = CallKind::Function;
    call->function = function;
    call->args = arena.makeList<TExpr*>(args);
    call->results = type->results;
    call->variadicResults = type->variadicResult != nullptr;
    call->variadicElement = type->variadicResult;
    call->type = type->neverReturns          ? program_.types.never()
                 : type->variadicResult      ? program_.types.any()
                 : type->results.empty()     ? program_.types.voidType()
                                             : type->results[0];
    std::vector<TStmt*> body;
    auto addStmt = [&](auto* s) {
        s->kind = std::remove_pointer_t<decltype(s)>::kKind;
        s->loc = loc;
        body.push_back(s);
        return s;
    };
    if (type->isVoid() || type->neverReturns) {
        addStmt(arena.make<TExprStmt>())->expr = call;
    } else if (call->variadicResults) {
        addStmt(arena.make<TReturn>())->pack = call;
    } else if (type->results.count == 1) {
        TExpr* value = call;
        addStmt(arena.make<TReturn>())->values = arena.makeList<TExpr*>({&value, 1});
    } else {
        std::vector<Variable*> held;
        std::vector<TExpr*> values;
        for (const Type* result : type->results) {
            auto* v = arena.make<SemaVar>();
            v->type = result;
            v->owner = thunk;
            v->index = thunk->variableCount++;
            held.push_back(v);
            auto* get = arena.make<TVarGet>();
            get->kind = TExprKind::VarGet;
            get->type = result;
            get->loc = loc;
            get->variable = v;
            values.push_back(get);
        }
        auto* bind = addStmt(arena.make<TMultiBind>());
        bind->variables = arena.makeList<Variable*>(held);
        bind->source = call;
        addStmt(arena.make<TReturn>())->values = arena.makeList<TExpr*>(values);
    }
    thunk->body = arena.make<TBlock>();
    thunk->body->kind = TStmtKind::Block;
    thunk->body->loc = loc;
    thunk->body->stmts = arena.makeList<TStmt*>(body);
    program_.functions.push_back(thunk);
    return thunk;
}

}  // namespace luapp::sema
