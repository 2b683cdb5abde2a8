// Class statements and bodies; calls of methods, through `base` too.
#include <algorithm>

#include "sema/class_table.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Statements -----------------------------------------------------------------------------------------------------

/// The statement of a class gives its static fields their values.
void Checker::check(ast::ClassDecl& d) {
    auto found = module_->nominals.find(d.name.name.id);
    if (found == module_->nominals.end() || !found->second || found->second->nominalKind != NominalKind::Class) return;
    auto& info = static_cast<ClassInfo&>(*found->second);
    if (info.decl != &d) return;
    ClassInfo* const outer = class_;
    class_ = &info;
    auto* ready = stmt<TBlock>(d.name.range.begin);  // filled by finishClasses() if somebody asks
    emit(ready);
    classStatements_.push_back({&info, ready});
    info.variable->isAssigned = true;
    for (FieldInfo* field : info.fields) {
        if (!field->isStatic || !field->variable) continue;
        SemaVar& variable = *field->variable;
        const Loc loc = field->range.begin;
        TExpr* value = nullptr;
        if (field->decl->value) {
            value = checkAs(*field->decl->value, field->type, CheckReason::Assign);
        } else if (!needsValue(field->type) && !isError(field->type)) {
            value = zeroOf(field->type, loc);
        }
        auto* declare = stmt<TLocalDecl>(loc);
        declare->variable = &variable;
        declare->init = value;
        emit(declare);
        if (value) markDeclared(variable);
    }
    class_ = outer;
}

void Checker::check(ast::InterfaceDecl&) {}
void Checker::check(ast::EnumDecl&) {}

/// The value that a field of this type starts with.
TExpr* Checker::zeroOf(const Type* type, Loc loc) {
    if (isNumber(type)) return numberConst(0, loc);
    if (isInteger(type)) return integerConst(0, loc);
    if (isBoolean(type)) return boolConst(false, loc);
    TExpr* nil = nilConst(loc);
    nil->type = type;
    return nil;
}

// ---- Bodies ---------------------------------------------------------------------------------------------------------

/// Initial values and bodies of a class, after the main block of its module.
void Checker::checkClass(ClassInfo& info) {
    for (FieldInfo* field : info.fields)
        if (field->variable && !field->variable->type) field->variable->type = types_.error();
    checkInitializer(info);
    for (ConstructorInfo* constructor : info.constructors)
        if (constructor->owner == &info && constructor->decl) checkBodyApart(*constructor->function);
    for (ConstructorInfo* constructor : info.constructors)
        if (constructor->owner == &info && !constructor->decl) buildConstructor(*constructor->function);
    for (MethodInfo* method : info.methods) {
        methodType(*method);
        checkBodyApart(*method->function);
        noteMethodType(*method);
        checkOperatorMethod(*method);
    }
}

void Checker::checkInitializer(ClassInfo& info) {
    if (std::none_of(info.objectFields.begin(), info.objectFields.end(),
                     [](FieldInfo* f) { return f->decl && f->decl->value; }))
        return;
    FunctionInfo& f = *info.initializer;
    const FlowDelta all = flow_.changesSince(0);
    flow_.undo(0);
    FunctionInfo* const outer = function_;
    ModuleInfo* const module = module_;
    const TypeScope scope(*this, f);
    function_ = &f;
    module_ = f.in;
    f.type = types_.function({reinterpret_cast<const Type* const*>(&info.selfType), 1}, nullptr, {});
    Variable* self = f.selfParam;
    f.params = arena().makeList<Variable*>({&self, 1});
    TExpr* noDefault = nullptr;
    f.defaults = arena().makeList<TExpr*>({&noDefault, 1});
    f.signatureKnown = true;
    f.state = FunctionInfo::State::Checked;
    {
        Scratch<TStmt*> list(statements_);
        for (FieldInfo* field : info.objectFields) {
            if (!field->decl || !field->decl->value) continue;
            TExpr* value = checkAs(*field->decl->value, field->type, CheckReason::Assign);
            emit(fieldSet(getVar(self, field->range.begin), {field, info.selfType}, value, field->range.begin));
        }
        f.body = block(list.span(), info.range.begin);
    }
    function_ = outer;
    module_ = module;
    flow_.undo(0);
    flow_.redo(all);
}

// ---- Calls of methods -----------------------------------------------------------------------------------------------

/// A call of a method on an object that is there. `isDirect`: of this very method, whatever the object's class.
TExpr* Checker::callMethod(ast::CallExpr& e, TExpr* object, const Member& member, const Type* expected, bool isDirect) {
    auto& method = *static_cast<MethodInfo*>(member.info);
    if (isSelf(object)) noteSelfGoes();
    const FunctionType* type = methodType(method);
    if (!type) {
        diags_.report(diag::ResultNotKnownYet, e.callee->range, text(method.name));
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    Callee callee;
    callee.name = text(method.name);
    callee.type = as<FunctionType>(memberType(type, member.owner));
    aimAt(callee, object, member, isDirect);
    if (!method.typeParams.empty() && !openCallee(callee, callee.type, method.typeParams.span(), e)) {
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    return finishCall(e, callee, expected);
}

/// Makes `callee` the method of an object.
void Checker::aimAt(Callee& callee, TExpr* object, const Member& member, bool isDirect) {
    auto& method = *static_cast<MethodInfo*>(member.info);
    callee.object = object;
    if (method.function && (isDirect || !method.isVirtual())) {
        callee.kind = CallKind::Function;
        callee.function = method.function;
        callee.ownerArgs = as<ClassType>(member.owner)->args;
    } else {
        callee.kind = CallKind::Method;
        callee.method = const_cast<MethodInfo*>(method.entry);
        callee.methodOwner = memberType(method.entryOwner, member.owner);
    }
}

/// A call of a method with operands that are checked already (operators); the operands fit the parameters.
TExpr* Checker::callWith(TExpr* object, const Member& member, std::span<TExpr* const> args, Loc loc) {
    auto& method = *static_cast<MethodInfo*>(member.info);
    auto* type = as<FunctionType>(memberType(methodType(method), member.owner));
    auto* call = expr<TCall>(types_.voidType(), loc);
    std::vector<TExpr*> all;
    if (object) {
        Callee callee;
        if (isSelf(object)) noteSelfGoes();
        aimAt(callee, object, member, false);
        call->callKind = callee.kind;
        call->function = callee.function;
        call->method = callee.method;
        call->methodOwner = callee.methodOwner;
        call->typeArguments = callee.ownerArgs;
        all.push_back(object);
    } else {
        call->callKind = CallKind::Function;
        call->function = method.function;
        call->typeArguments = as<ClassType>(member.owner)->args;
    }
    for (TExpr* arg : args) all.push_back(arg);
    if (call->callKind == CallKind::Method && args.size() < type->params.count)
        call->method = shorterEntry(*const_cast<MethodInfo*>(call->method), uint32_t(args.size()));
    call->args = arena().makeList<TExpr*>(all);
    call->results = type->results;
    if (type->neverReturns)
        call->type = types_.never();
    else if (!type->results.empty())
        call->type = type->results[0];
    if (type->variadicResult) {
        call->variadicResults = true;
        call->variadicElement = type->variadicResult;
        call->type = types_.any();
    }
    afterCall();
    return call;
}

/// `object.name(...)` and `object:name(...)` of a class or interface. Null if the member is a field: then its value is called.
TExpr* Checker::callObjectMember(ast::CallExpr& e, ast::FieldExpr& field, TExpr* object, const Type* expected) {
    const Member member = memberOfObject(object->type, field.field, field.object->range);
    if (!member.info) {
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    if (member.info->memberKind == MemberInfo::Kind::Method) return callMethod(e, object, member, expected, false);
    Callee callee;
    callee.name = text(field.field.name);
    if (!e.isColon) return callValue(e, callee, memberValue(object, member, field.field.range), nullptr, expected);
    std::vector<TStmt*> before;
    TExpr* self = stash(before, object);
    TExpr* call = callValue(e, callee, memberValue(self, member, field.field.range), self, expected);
    return wrapBefore(before, call);
}

/// A call of a bare name that means a member.
TExpr* Checker::callBareMember(ast::CallExpr& e, MemberInfo& info, const Type* expected) {
    const ast::Ident name{info.name, e.callee->range};
    if (info.isStatic)
        return callStatic(e, {&info, static_cast<ClassInfo*>(info.owner)->selfType}, e.callee->range, expected);
    TExpr* self = bareObject(info, e.callee->range);
    const Member member = self ? memberOfObject(self->type, name, e.callee->range) : Member{};
    if (!member.info) {
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    if (member.info->memberKind == MemberInfo::Kind::Method) return callMethod(e, self, member, expected, false);
    Callee callee;
    callee.name = text(info.name);
    return callValue(e, callee, memberValue(self, member, e.callee->range), nullptr, expected);
}

/// A call of a static function, or of what a static field holds.
TExpr* Checker::callStatic(ast::CallExpr& e, const Member& member, Range range, const Type* expected) {
    Callee callee;
    callee.name = text(member.info->name);
    if (member.info->memberKind == MemberInfo::Kind::Field)
        return callValue(e, callee, staticValue(member, range), nullptr, expected);
    auto& method = *static_cast<MethodInfo*>(member.info);
    callee.kind = CallKind::Function;
    callee.function = method.function;
    callee.type = methodType(method);
    if (!callee.type) {
        diags_.report(diag::ResultNotKnownYet, range, text(method.name));
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    // A static function of a generic class is generic in the parameters of its class.
    std::vector<const TypeParamType*> params(method.function->classInfo->typeParams.begin(),
                                             method.function->classInfo->typeParams.end());
    params.insert(params.end(), method.typeParams.begin(), method.typeParams.end());
    if (!params.empty() && !openCallee(callee, callee.type, params, e)) {
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    return finishCall(e, callee, expected);
}

/// `Name.member(...)` where `Name` is a class, interface or enum.
TExpr* Checker::callNominalMember(ast::CallExpr& e, Nominal& nominal, const ast::Ident& name, const Type* expected) {
    if (nominal.nominalKind == NominalKind::Class) {
        const Member member = memberOfClass(static_cast<ClassInfo&>(nominal), name);
        if (member.info) return callStatic(e, member, name.range, expected);
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    Callee callee;
    callee.name = text(name.name);
    return callValue(e, callee, nominalMember(nominal, name), nullptr, expected);
}

/// The entry for virtual calls of a method with `count` arguments, fewer than it has parameters.
MethodInfo* Checker::shorterEntry(MethodInfo& method, uint32_t count) {
    for (MethodInfo* known : method.shorter)
        if (known->type->params.count == count) return known;
    auto* made = program_.make<MethodInfo>();
    made->name = method.name;
    made->range = method.range;
    made->access = method.access;
    made->owner = method.owner;
    made->memberKind = MemberInfo::Kind::Method;
    made->entry = made;
    made->entryOwner = method.entryOwner;
    const FunctionType* type = method.type;
    made->type = types_.function(type->params.span().subspan(0, count), nullptr, type->results.span(), type->variadicResult,
                                 0, type->neverReturns);
    method.shorter.push_back(made);
    return made;
}

// ---- The whole program ----------------------------------------------------------------------------------------------

void Checker::finishClasses() {
    settleUnsetFields();
    for (const ClassStatement& s : classStatements_) {
        if (s.info->variable->kind != VarKind::Module) continue;
        auto* ref = expr<TClassRef>(types_.any(), s.ready->loc);
        ref->classType = s.info->selfType;
        auto* declare = stmt<TLocalDecl>(s.ready->loc);
        declare->variable = s.info->variable;
        declare->init = ref;
        TStmt* only = declare;
        s.ready->stmts = arena().makeList<TStmt*>({&only, 1});
    }
}

void Checker::makeClassTables() {
    ClassTables tables(program_);
    for (ClassInfo* info : classes_) {
        const bool isPlain = std::all_of(info->ancestors.begin(), info->ancestors.end(),
                                         [](const ClassType* ancestor) { return ancestor->info->typeParams.empty(); });
        if (isPlain) tables.classOf(info->selfType);
    }
}

// ---- base -----------------------------------------------------------------------------------------------------------

/// For `base.name` and `base.Other.name`: where the look-up begins. False if the object is something else.
bool Checker::isBaseObject(ast::Expr& object, const ClassType*& from) {
    from = nullptr;
    if (object.kind == ast::NodeKind::BaseExpr) return true;
    auto* field = ast::as<ast::FieldExpr>(&object);
    if (!field || field->object->kind != ast::NodeKind::BaseExpr) return false;
    ClassInfo* info = currentClass();
    if (!info) return false;
    auto known = info->module->nominals.find(field->field.name.id);
    for (const ClassType* ancestor : info->ancestors) {
        if (ancestor->info == info) continue;
        const bool isNamed = known != info->module->nominals.end() ? known->second == ancestor->info
                                                                   : ancestor->name == field->field.name;
        if (isNamed) from = ancestor;
    }
    return from != nullptr;
}

/// The member that the class of the code inherits (or `from` has); nothing after a message.
Member Checker::inheritedMember(const ClassType* from, const ast::Ident& name, Range range) {
    ClassInfo* info = currentClass();
    if (!info || (info->bases.empty() && !from)) {
        if (info && !info->isBroken) diags_.report(diag::NoBase, range, text(info->name));
        return {};
    }
    Member member, hidden;
    if (from) {
        member = findMember(from, name.name, info, &hidden);
    } else {
        for (const ClassType* ancestor : info->ancestors) {
            if (ancestor->info == info) continue;
            MemberInfo* found = ownMember(*ancestor->info, name.name);
            if (!found) continue;
            if (found->access == Access::Private) {
                if (!hidden.info) hidden = {found, ancestor};
                continue;
            }
            member = {found, ancestor};
            break;
        }
    }
    if (!member.info) {
        if (hidden.info)
            diags_.report(diag::PrivateMember, name.range, text(name.name), text(hidden.info->owner->name));
        else
            reportUnknownMember(from ? from : info->bases[0], name, range);
        return {};
    }
    if (member.info->isStatic) {
        diags_.report(diag::StaticThroughObject, name.range, text(name.name), text(member.info->owner->name));
        return {};
    }
    return member;
}

/// `base.name(...)`: the inherited method itself.
TExpr* Checker::callInherited(ast::CallExpr& e, const ast::FieldExpr& field, const ClassType* from, const Type* expected) {
    const Member member = inheritedMember(from, field.field, field.object->range);
    TExpr* self = member.info ? bareObject(*member.info, e.range) : nullptr;
    if (!self) {
        checkArgsOnly(e);
        return errorExpr(e.range.begin);
    }
    if (member.info->memberKind == MemberInfo::Kind::Method) return callMethod(e, self, member, expected, true);
    Callee callee;
    callee.name = text(field.field.name);
    return callValue(e, callee, memberValue(self, member, field.field.range), nullptr, expected);
}

/// `base.name` without a call.
TExpr* Checker::inheritedValue(const ast::FieldExpr& field, const ClassType* from) {
    const Member member = inheritedMember(from, field.field, field.object->range);
    TExpr* self = member.info ? bareObject(*member.info, field.range) : nullptr;
    if (!self) return errorExpr(field.range.begin);
    TExpr* value = memberValue(self, member, field.field.range);
    if (value->kind == TExprKind::BoundMethod) {
        auto* bound = value->as<TBoundMethod>();
        bound->function = static_cast<MethodInfo*>(member.info)->function;
        bound->method = static_cast<MethodInfo*>(member.info);
        bound->methodOwner = member.owner;
        bound->typeArguments = as<ClassType>(member.owner)->args;
    }
    return value;
}

}  // namespace luapp::sema
