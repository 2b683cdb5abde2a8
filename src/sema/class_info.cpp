#include "sema/class_info.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace luapp::sema {

const ObjectInfo* objectInfoOf(const Type* type) {
    if (auto* c = asIf<ClassType>(type)) return c->info;
    if (auto* i = asIf<InterfaceType>(type)) return i->info;
    return nullptr;
}

const Type* memberType(const Type* type, const Type* owner) {
    const ObjectInfo* info = objectInfoOf(owner);
    if (!info || info->typeParams.empty() || !type->hasTypeParams) return type;
    const List<const Type*>& args =
        owner->kind == TypeKind::Class ? as<ClassType>(owner)->args : as<InterfaceType>(owner)->args;
    std::vector<TypeBinding> bindings;
    for (uint32_t i = 0; i < info->typeParams.count && i < args.count; i++)
        bindings.push_back({info->typeParams[i], args[i], true});
    return info->types->substitute(type, bindings);
}

const ClassType* ancestorOf(const ClassType* type, const ClassInfo* info) {
    if (type->info == info) return type;
    for (const ClassType* ancestor : type->info->ancestors)
        if (ancestor->info == info) return as<ClassType>(memberType(ancestor, type));
    return nullptr;
}

const InterfaceType* interfaceOf(const Type* type, const InterfaceInfo* info) {
    if (auto* itself = asIf<InterfaceType>(type); itself && itself->info == info) return itself;
    const ObjectInfo* object = objectInfoOf(type);
    if (!object) return nullptr;
    for (const InterfaceType* implemented : object->interfaces)
        if (implemented->info == info) return as<InterfaceType>(memberType(implemented, type));
    return nullptr;
}

const Type* sharedBase(const Type* a, const Type* b) {
    auto *x = asIf<ClassType>(a), *y = asIf<ClassType>(b);
    if (!x || !y) return nullptr;
    for (const ClassType* ancestor : x->info->ancestors)
        if (const Type* base = memberType(ancestor, x); ancestorOf(y, ancestor->info) == base) return base;
    return nullptr;
}

const Type* keptOf(const Type* type) {
    auto* object = asIf<InterfaceType>(type);
    return object && object->info->bothOf ? object->info->bothOf : type;
}

namespace {

bool isA(const ClassInfo* info, const ObjectInfo* what) {
    for (const ClassType* ancestor : info->ancestors)
        if (ancestor->info == what) return true;
    for (const InterfaceType* implemented : info->interfaces)
        if (implemented->info == what) return true;
    return false;
}

bool someClassBelowIs(const ClassInfo* info, const ObjectInfo* what) {
    if (isA(info, what)) return true;
    return std::any_of(info->subclasses.begin(), info->subclasses.end(),
                       [&](const ClassInfo* sub) { return someClassBelowIs(sub, what); });
}

}  // namespace

bool haveCommonClass(const Type* a, const Type* b) {
    const ObjectInfo *x = objectInfoOf(a), *y = objectInfoOf(b);
    if (!x || !y) return false;
    if (x->nominalKind == NominalKind::Class) return someClassBelowIs(static_cast<const ClassInfo*>(x), y);
    if (y->nominalKind == NominalKind::Class) return someClassBelowIs(static_cast<const ClassInfo*>(y), x);
    return true;  // two interfaces: nothing is known about all classes that implement one
}

}  // namespace luapp::sema
