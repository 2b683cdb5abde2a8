// Members of objects, classes and enums: reading, binding, what is known of the fields of `self`.
#include <algorithm>

#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Where we are ---------------------------------------------------------------------------------------------------

/// The function of a class around the code being checked, or null.
FunctionInfo* Checker::classFunction() const {
    for (FunctionInfo* f = function_; f; f = f->outer)
        if (f->classInfo) return f;
    return nullptr;
}

/// The class whose body is being checked, or null.
ClassInfo* Checker::currentClass() const {
    FunctionInfo* f = classFunction();
    return f ? f->classInfo : class_;
}

SemaVar* Checker::currentSelf() const {
    FunctionInfo* f = classFunction();
    return f && f != f->classInfo->initializer ? f->selfParam : nullptr;  // initial values have none
}

/// `self` itself, not another object of its class.
bool Checker::isSelf(const TExpr* object) const {
    while (object->kind == TExprKind::Convert && object->as<TConvert>()->convertKind == ConvertKind::Retype)
        object = object->as<TConvert>()->operand;
    return object->kind == TExprKind::VarGet && object->as<TVarGet>()->variable == currentSelf();
}

bool Checker::derivesFrom(const ClassInfo* info, const Nominal* base) {
    return info && std::any_of(info->ancestors.begin(), info->ancestors.end(),
                               [&](const ClassType* ancestor) { return ancestor->info == base; });
}

// ---- Look-up with messages ------------------------------------------------------------------------------------------

/// May the member be used here? Reports if not.
bool Checker::mayUse(const Member& member, Range range) {
    if (member.info->access != Access::Protected || derivesFrom(currentClass(), member.info->owner)) return true;
    diags_.report(diag::ProtectedMember, range, text(member.info->name), text(member.info->owner->name));
    return false;
}

/// The member of an object; nothing after a message.
Member Checker::memberOfObject(const Type* type, const ast::Ident& name, Range objectRange) {
    Member hidden;
    const Member member = findMember(type, name.name, currentClass(), &hidden);
    if (!member.info) {
        if (hidden.info)
            diags_.report(diag::PrivateMember, name.range, text(name.name), text(hidden.info->owner->name));
        else
            reportUnknownMember(type, name, objectRange);
        return {};
    }
    if (!mayUse(member, name.range)) return {};
    if (member.info->isStatic) {
        diags_.report(diag::StaticThroughObject, name.range, text(name.name), text(member.info->owner->name));
        return {};
    }
    return member;
}

/// The class, interface or enum that an expression names: `Name` or `module.Name`.
Nominal* Checker::nominalIn(ast::Expr& e) {
    if (auto* name = ast::as<ast::NameExpr>(&e)) {
        SemaVar* v = current(name->resolved);
        return v ? v->nominal : nullptr;
    }
    auto* field = ast::as<ast::FieldExpr>(&e);
    ModuleInfo* module = field ? namespaceIn(*field->object) : nullptr;
    if (!module) return nullptr;
    auto found = module->exports.find(field->field.name.id);
    return found == module->exports.end() ? nullptr : found->second.nominal;
}

/// A static member by the name of its class, base classes included.
Member Checker::memberOfClass(ClassInfo& info, const ast::Ident& name) {
    Member hidden;
    const Member member = findMember(info.selfType, name.name, currentClass(), &hidden);
    if (!member.info) {
        if (hidden.info)
            diags_.report(diag::PrivateMember, name.range, text(name.name), text(hidden.info->owner->name));
        else
            reportUnknownMember(info.selfType, name, name.range);
        return {};
    }
    if (!mayUse(member, name.range)) return {};
    if (!member.info->isStatic) {
        diags_.report(diag::NeedsObject, name.range, text(name.name), text(member.info->owner->name));
        return {};
    }
    return member;
}

// ---- Values ---------------------------------------------------------------------------------------------------------

/// The name of a class as a value.
TExpr* Checker::classValue(Nominal& nominal, Range range) {
    if (nominal.nominalKind != NominalKind::Class || !static_cast<ClassInfo&>(nominal).typeParams.empty()) {
        diags_.report(diag::TypeAsValue, range, text(nominal.name));
        return errorExpr(range.begin);
    }
    auto* ref = expr<TClassRef>(types_.any(), range.begin);
    ref->classType = static_cast<ClassInfo&>(nominal).selfType;
    return ref;
}

/// `Color.Red`, `Counter.made`, `Counter.make`.
TExpr* Checker::nominalMember(Nominal& nominal, const ast::Ident& name) {
    const Loc loc = name.range.begin;
    switch (nominal.nominalKind) {
        case NominalKind::Enum: {
            auto& info = static_cast<EnumInfo&>(nominal);
            for (const TypedEnum::Member& member : info.members)
                if (member.name == name.name) {
                    TExpr* value = integerConst(member.value, loc);
                    value->type = info.selfType;
                    return value;
                }
            frontend::Suggester suggester(text(name.name));
            for (const TypedEnum::Member& member : info.members) suggester.offer(text(member.name));
            diags_.report(diag::UnknownMember, name.range, text(info.name), text(name.name))
                .didYouMean(name.range, suggester.best());
            return errorExpr(loc);
        }
        case NominalKind::Class: {
            const Member member = memberOfClass(static_cast<ClassInfo&>(nominal), name);
            return member.info ? staticValue(member, name.range) : errorExpr(loc);
        }
        case NominalKind::Interface: break;
    }
    diags_.report(diag::UnknownMember, name.range, text(nominal.name), text(name.name));
    return errorExpr(loc);
}

TExpr* Checker::staticValue(const Member& member, Range range) {
    if (member.info->memberKind == MemberInfo::Kind::Field)
        return readVariable(*static_cast<FieldInfo*>(member.info)->variable, range);
    auto& method = *static_cast<MethodInfo*>(member.info);
    if (!methodType(method)) {
        diags_.report(diag::ResultNotKnownYet, range, text(method.name));
        return errorExpr(range.begin);
    }
    return functionValue(*method.function, range.begin);
}

/// A bare name in a class body that means a member.
TExpr* Checker::bareMemberValue(MemberInfo& info, const ast::Ident& name) {
    const Loc loc = name.range.begin;
    if (info.isStatic) return staticValue({&info, info.owner ? static_cast<ClassInfo*>(info.owner)->selfType : nullptr}, name.range);
    TExpr* self = bareObject(info, name.range);
    if (!self) return errorExpr(loc);
    const Member member = memberOfObject(self->type, name, name.range);
    return member.info ? memberValue(self, member, name.range) : errorExpr(loc);
}

/// `self` for a bare name; null after a message where there is none.
TExpr* Checker::bareObject(const MemberInfo& info, Range range) {
    if (SemaVar* self = currentSelf()) return getVar(self, range.begin);
    diags_.report(diag::NeedsObject, range, text(info.name), text(info.owner->name));
    return nullptr;
}

/// A member of an object without a call.
TExpr* Checker::memberValue(TExpr* object, const Member& member, Range range) {
    if (member.info->memberKind == MemberInfo::Kind::Method) {
        if (isSelf(object)) noteSelfGoes();
        return boundMethod(object, member, range);
    }
    auto& field = *static_cast<FieldInfo*>(member.info);
    TExpr* get = fieldGet(object, member, range.begin);
    if (field.event) {
        eventNode_ = get;
        eventMember_ = member;
        return get;
    }
    if (!isSelf(object) || member.owner->kind != TypeKind::Class) return get;
    noteFieldRead(field, range);
    SelfField& known = selfField(field, get->type);
    const Type* now = known.variable->current;
    if (!now) return get;
    return convertNode(now->rep == get->type->rep ? ConvertKind::Retype : ConvertKind::Narrow, CheckReason::Assign, get,
                       now);
}

TExpr* Checker::fieldGet(TExpr* object, const Member& member, Loc loc) {
    auto& field = *static_cast<FieldInfo*>(member.info);
    const Type* type = memberType(field.type, member.owner);
    if (member.owner->kind == TypeKind::Interface) {
        auto* call = expr<TCall>(type, loc);
        call->callKind = CallKind::Method;
        call->method = field.reader;
        call->methodOwner = member.owner;
        call->args = arena().makeList<TExpr*>({&object, 1});
        call->results = arena().makeList<const Type*>({&type, 1});
        afterCall();
        return call;
    }
    auto* get = expr<TFieldGet>(type, loc);
    get->object = object;
    get->owner = as<ClassType>(member.owner);
    get->field = field.index;
    return get;
}

TStmt* Checker::fieldSet(TExpr* object, const Member& member, TExpr* value, Loc loc) {
    auto& field = *static_cast<FieldInfo*>(member.info);
    if (member.owner->kind == TypeKind::Interface) {
        auto* call = expr<TCall>(types_.voidType(), loc);
        call->callKind = CallKind::Method;
        call->method = field.writer;
        call->methodOwner = member.owner;
        TExpr* const args[] = {object, value};
        call->args = arena().makeList<TExpr*>(args);
        auto* run = stmt<TExprStmt>(loc);
        run->expr = call;
        return run;
    }
    auto* set = stmt<TFieldSet>(loc);
    set->object = object;
    set->owner = as<ClassType>(member.owner);
    set->field = field.index;
    set->value = value;
    return set;
}

/// `object.method` as a function value.
TExpr* Checker::boundMethod(TExpr* object, const Member& member, Range range) {
    auto& method = *static_cast<MethodInfo*>(member.info);
    const FunctionType* type = methodType(method);
    if (!type) {
        diags_.report(diag::ResultNotKnownYet, range, text(method.name));
        return errorExpr(range.begin);
    }
    if (!method.typeParams.empty()) {
        diags_.report(diag::GenericMethodValue, range, text(method.name));
        return errorExpr(range.begin);
    }
    auto* bound = expr<TBoundMethod>(memberType(type, member.owner), range.begin);
    bound->object = object;
    bound->method = method.entry;
    bound->methodOwner = memberType(method.entryOwner, member.owner);
    if (!method.isVirtual()) {
        bound->function = method.function;
        bound->method = &method;
        bound->methodOwner = member.owner;
        bound->typeArguments = as<ClassType>(member.owner)->args;
    }
    return bound;
}

// ---- Fields of self -------------------------------------------------------------------------------------------------

/// What is known of a field of `self` in the method around; made at the first question.
SelfField& Checker::selfField(FieldInfo& field, const Type* type) {
    FunctionInfo& method = *classFunction();
    for (SelfField* known = method.selfFields; known; known = known->next)
        if (known->field == &field) return *known;
    auto make = [&](const Type* of) {
        auto* v = arena().make<SemaVar>();
        v->name = field.name;
        v->range = field.range;
        v->type = of;
        v->owner = &method;
        v->home = &method;
        v->module = method.in;
        v->field = &field;
        v->isAssigned = true;
        v->isTypeKnown = true;
        return v;
    };
    auto* made = arena().make<SelfField>();
    made->field = &field;
    made->variable = make(type);
    // Like a variable that closures use and assign: calls may change it.
    made->variable->usedByInner = true;
    made->variable->isReassigned = true;
    made->unassigned = nullptr;
    if (field.isConst) made->unassigned = make(types_.optional(types_.boolean()));
    made->next = method.selfFields;
    method.selfFields = made;
    return *made;
}

/// The flow variable of `self.name` or a bare `name`, or null.
SemaVar* Checker::selfFieldOf(ast::Expr& e) {
    if (!classFunction() || !currentSelf()) return nullptr;
    Symbol name;
    if (auto* bare = ast::as<ast::NameExpr>(&e)) {
        SemaVar* v = current(bare->resolved);
        if (!v || !v->member) return nullptr;
        name = bare->name;
    } else if (auto* field = ast::as<ast::FieldExpr>(&e); field && !field->isOptional) {
        auto* object = ast::as<ast::NameExpr>(field->object);
        if (!object || current(object->resolved) != currentSelf()) return nullptr;
        name = field->field.name;
    } else {
        return nullptr;
    }
    ClassInfo* info = currentClass();
    const Member member = findMember(info->selfType, name, info, nullptr);
    if (!member.info || member.info->memberKind != MemberInfo::Kind::Field || member.info->isStatic) return nullptr;
    auto& field = *static_cast<FieldInfo*>(member.info);
    if (field.event) return nullptr;
    return selfField(field, memberType(field.type, member.owner)).variable;
}

/// A write to a field of some object: nothing is known any more about that field of `self`, which may be the same object.
void Checker::noteFieldWrite(FieldInfo& field, bool isSelf, const Type* valueType) {
    FunctionInfo* method = classFunction();
    if (!method || !method->selfParam) return;
    for (SelfField* known = method->selfFields; known; known = known->next) {
        if (known->field != &field) continue;
        if (!isSelf)
            flow_.setType(known->variable, nullptr);
        else
            noteAssigned(*known->variable, valueType);
        return;
    }
    if (!isSelf) return;
    const Member member = findMember(method->classInfo->selfType, field.name, method->classInfo, nullptr);
    if (member.info == &field)
        noteAssigned(*selfField(field, memberType(field.type, member.owner)).variable, valueType);
}

}  // namespace luapp::sema
