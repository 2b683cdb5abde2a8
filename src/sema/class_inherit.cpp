// What a class makes of what it inherits: overriding, conflicts between bases, interfaces implemented in full.
#include <algorithm>

#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Look-up --------------------------------------------------------------------------------------------------------

/// The member of this name that objects of `type` have, as seen from `from` (null: from outside all classes): private members of
/// other classes are passed over, the first of them is left in `hidden`.
Member Checker::findMember(const Type* type, Symbol name, const ClassInfo* from, Member* hidden) {
    if (auto* object = asIf<ClassType>(type)) {
        for (const ClassType* ancestor : object->info->ancestors) {
            MemberInfo* found = ownMember(*ancestor->info, name);
            if (!found) continue;
            Member member{found, memberType(ancestor, type)};
            if (found->access != Access::Private || ancestor->info == from) return member;
            if (hidden && !hidden->info) *hidden = member;
        }
        return {};
    }
    if (auto* object = asIf<InterfaceType>(type)) {
        if (const Type* kept = keptOf(type); kept != type)
            if (const Member found = findMember(kept, name, from, hidden); found.info) return found;
        if (MemberInfo* found = ownMember(*object->info, name)) return {found, type};
        for (const InterfaceType* further : object->info->interfaces)
            if (MemberInfo* found = ownMember(*further->info, name)) return {found, memberType(further, type)};
    }
    return {};
}

namespace {

bool overridesMethod(const MethodInfo* method, const MemberInfo* other) {
    if (method == other) return true;
    return std::any_of(method->overrides.begin(), method->overrides.end(),
                       [&](const MethodInfo* m) { return overridesMethod(m, other); });
}

/// Do two inherited members of one name belong together: does one override the other, or both a third?
bool areRelated(const MemberInfo* a, const MemberInfo* b) {
    if (a == b) return true;
    if (a->memberKind != MemberInfo::Kind::Method || b->memberKind != MemberInfo::Kind::Method) return false;
    auto *x = static_cast<const MethodInfo*>(a), *y = static_cast<const MethodInfo*>(b);
    if (overridesMethod(x, y) || overridesMethod(y, x)) return true;
    return std::any_of(x->overrides.begin(), x->overrides.end(), [&](const MethodInfo* m) { return areRelated(m, y); });
}

const MethodInfo* asMethod(const MemberInfo* member) {
    return member && member->memberKind == MemberInfo::Kind::Method ? static_cast<const MethodInfo*>(member) : nullptr;
}

}  // namespace

// ---- Interfaces -----------------------------------------------------------------------------------------------------

/// Members that an interface inherits under one name must be the same.
void Checker::checkInterface(InterfaceInfo& info) {
    DeclScope scope(*this, info);
    std::unordered_map<uint32_t, Member> seen;
    auto typeIn = [&](const Member& m) -> const Type* {
        return memberType(m.info->memberKind == MemberInfo::Kind::Method
                              ? static_cast<const Type*>(static_cast<MethodInfo*>(m.info)->type)
                              : static_cast<FieldInfo*>(m.info)->type,
                          m.owner);
    };
    auto baseRange = [&](const InterfaceType* owner) {
        for (uint32_t i = 0; i < info.bases.count; i++)
            if (interfaceOf(info.bases[i], owner->info)) return info.baseRanges[i];
        return info.range;
    };
    auto add = [&](MemberInfo* member, const InterfaceType* owner) {
        Member now{member, owner};
        auto [at, isNew] = seen.try_emplace(member->name.id, now);
        if (isNew || at->second.info == member) return;
        if (member->memberKind == at->second.info->memberKind && typeIn(now) == typeIn(at->second)) return;
        const bool isOwn = at->second.owner == info.selfType;
        if (isOwn)
            diags_.report(diag::MemberRedeclared, at->second.info->range, text(member->name), show(owner));
        else
            diags_.report(diag::InheritedTwice, baseRange(owner), text(info.name), text(member->name), show(at->second.owner),
                          show(owner));
    };
    for (FieldInfo* field : info.fields) add(field, info.selfType);
    for (MethodInfo* method : info.methods) add(method, info.selfType);
    for (const InterfaceType* base : info.interfaces) {
        for (FieldInfo* field : base->info->fields) add(field, base);
        for (MethodInfo* method : base->info->methods) add(method, base);
    }
}

/// Everything that one interface of a class asks for must be there.
void Checker::checkImplements(ClassInfo& info, const InterfaceType* interface) {
    std::string missing;
    auto miss = [&](const MemberInfo& wanted) { missing += (missing.empty() ? "" : "`, `") + std::string(text(wanted.name)); };
    for (MethodInfo* wanted : interface->info->methods) {
        const Member found = findMember(info.selfType, wanted->name, nullptr, nullptr);
        auto* method = const_cast<MethodInfo*>(asMethod(found.info));
        if (!method || method->isStatic || method->access != Access::Public) {
            miss(*wanted);
            continue;
        }
        const FunctionType* type = methodType(*method);
        if (!type || !wanted->type) continue;
        const Type* has = memberType(type, found.owner);
        const Type* wants = memberType(wanted->type, interface);
        const Fit fit = relate(has, wants);
        const bool sameArity = as<FunctionType>(has)->params.count == as<FunctionType>(wants)->params.count;
        if (fit == Fit::None || fit == Fit::Check || !sameArity || method->typeParams.count != wanted->typeParams.count)
            diags_.report(diag::ImplementMismatch, method->owner == &info ? method->range : info.range,
                          text(wanted->name), show(has), show(wants), show(interface));
    }
    for (FieldInfo* wanted : interface->info->fields) {
        const Member found = findMember(info.selfType, wanted->name, nullptr, nullptr);
        auto* field = found.info && found.info->memberKind == MemberInfo::Kind::Field
                          ? static_cast<FieldInfo*>(found.info)
                          : nullptr;
        if (!field || field->isStatic || field->event) {
            miss(*wanted);
            continue;
        }
        const Type *has = memberType(field->type, found.owner), *wants = memberType(wanted->type, interface);
        if (isError(has) || isError(wants)) continue;
        if (has == wants && !field->isConst && field->access == Access::Public) continue;
        std::string shown = show(has);
        if (field->isConst) shown = "const " + shown;
        if (field->access != Access::Public)
            shown = (field->access == Access::Private ? "private " : "protected ") + shown;
        diags_.report(diag::ImplementMismatch, field->owner == &info ? field->range : info.range, text(wanted->name),
                      shown, show(wants), show(interface));
    }
    if (!missing.empty()) diags_.report(diag::MemberMissing, info.range, text(info.name), missing, show(interface));
}

// ---- Overriding -----------------------------------------------------------------------------------------------------

/// A method and an inherited member of its name.
void Checker::checkOverride(ClassInfo& info, MethodInfo& method, const Member& inherited) {
    const std::string_view name = text(method.name);
    auto* base = const_cast<MethodInfo*>(asMethod(inherited.info));
    if (!base || base->isStatic != method.isStatic) {
        diags_.report(diag::MemberRedeclared, method.range, name, show(inherited.owner));
        return;
    }
    if (method.isStatic) return;  // each class has its own
    if (base->isConst) {
        diags_.report(diag::OverrideConst, method.range, name, show(inherited.owner));
        return;
    }
    if (method.access > base->access)
        diags_.report(diag::OverrideAccess, method.range, name, show(inherited.owner));
    const FunctionType *own = methodType(method), *other = methodType(*base);
    if (!own || !other) return;
    const auto* wanted = as<FunctionType>(memberType(other, inherited.owner));
    const Fit fit = relate(own, wanted);
    if (fit == Fit::None || fit == Fit::Check || own->params.count != wanted->params.count || !method.typeParams.empty() ||
        !base->typeParams.empty()) {
        diags_.report(diag::OverrideMismatch, method.range, name, show(own), show(wanted), show(inherited.owner));
        return;
    }
    if (std::find(method.overrides.begin(), method.overrides.end(), base) == method.overrides.end())
        method.overrides.push_back(base);
    base->isOverridden = true;
    if (method.entry == &method && own == wanted) {
        method.entry = base->entry;
        method.entryOwner = memberType(base->entryOwner, inherited.owner);
    }
    (void)info;
}

/// Overriding, conflicts and interfaces of one class whose bases have been checked.
void Checker::checkInheritance(ClassInfo& info) {
    DeclScope scope(*this, info);
    for (MethodInfo* method : info.methods) methodTypeIfNeeded(*method);
    if (info.isBroken) return;
    const size_t errors = diags_.errorCount();
    for (auto* members : {&info.fields}) for (FieldInfo* field : *members) {
        if (field->access == Access::Private) continue;
        for (const ClassType* base : info.bases)
            if (const Member inherited = findMember(base, field->name, nullptr, nullptr); inherited.info) {
                diags_.report(diag::MemberRedeclared, field->range, text(field->name), show(inherited.owner));
                break;
            }
    }
    for (MethodInfo* method : info.methods) {
        if (method->access == Access::Private) continue;
        for (const ClassType* base : info.bases)
            if (const Member inherited = findMember(base, method->name, nullptr, nullptr); inherited.info) {
                const size_t before = diags_.errorCount();
                checkOverride(info, *method, inherited);
                if (diags_.errorCount() != before) break;
            }
    }
    if (info.bases.count > 1) checkConflicts(info);
    if (diags_.errorCount() != errors) return;
    for (const InterfaceType* interface : info.interfaces) {
        const bool isInherited = std::any_of(info.bases.begin(), info.bases.end(), [&](const ClassType* base) {
            return interfaceOf(base, interface->info) == interface;
        });
        if (!isInherited || info.bases.count > 1) checkImplements(info, interface);
    }
    if (diags_.errorCount() == errors && info.bases.count > 1) checkEntries(info);
}

/// Of a method that overrides nothing the result may be inferred later, when the module's variables are known.
void Checker::methodTypeIfNeeded(MethodInfo& method) {
    if (method.type || method.function->signatureKnown) return;
    ClassInfo& info = *method.function->classInfo;
    bool matters = false;
    for (const ClassType* base : info.bases) matters |= findMember(base, method.name, nullptr, nullptr).info != nullptr;
    for (const InterfaceType* interface : info.interfaces) matters |= ownMember(*interface->info, method.name) != nullptr;
    if (matters) methodType(method);
}

/// Names that come from several bases.
void Checker::checkConflicts(ClassInfo& info) {
    std::unordered_map<uint32_t, Member> seen;
    for (uint32_t i = 0; i < info.bases.count; i++) {
        const ClassType* base = info.bases[i];
        for (const ClassType* further : base->info->ancestors)
            for (MemberInfo* member : membersInOrder(*further->info)) {
                if (member->access == Access::Private || !member->name) continue;
                if (ownMember(info, member->name)) continue;
                const Member now = findMember(base, member->name, nullptr, nullptr);
                if (!now.info) continue;
                auto [at, isNew] = seen.try_emplace(member->name.id, now);
                if (isNew || (areRelated(at->second.info, now.info))) continue;
                if (at->second.info->isStatic && now.info->isStatic) continue;  // used through the class names
                diags_.report(diag::InheritedTwice, info.baseRanges[i], text(info.name), text(member->name), show(at->second.owner),
                              show(now.owner));
                at->second = now;
            }
    }
}

std::vector<MemberInfo*> Checker::membersInOrder(const ObjectInfo& info) {
    std::vector<MemberInfo*> members(info.fields.begin(), info.fields.end());
    members.insert(members.end(), info.methods.begin(), info.methods.end());
    return members;
}

/// With several bases the method that answers may come from another base than the one whose type promises something.
void Checker::checkEntries(ClassInfo& info) {
    for (const ClassType* ancestor : info.ancestors)
        for (MethodInfo* promised : ancestor->info->methods) {
            if (!promised->isVirtual() || ancestor->info == &info) continue;
            const Member found = findMember(info.selfType, promised->name, nullptr, nullptr);
            auto* method = const_cast<MethodInfo*>(asMethod(found.info));
            if (!method || method == promised) continue;
            const FunctionType *has = methodType(*method), *wants = methodType(*promised);
            if (!has || !wants) continue;
            const Fit fit = relate(memberType(has, found.owner), memberType(wants, ancestor));
            if (fit != Fit::None && fit != Fit::Check) continue;
            diags_.report(diag::OverrideEntry, info.range, text(info.name), text(promised->name), show(ancestor));
        }
}

}  // namespace luapp::sema
