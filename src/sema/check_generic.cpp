// Type parameters: their declaration and bounds, inference of type arguments, generic functions as callees and values.
//
// In the type of a callee the parameters are open (TypeParamType::isOpen): arguments, explicit type arguments and, where
// these say nothing, the context bind them. What is bound never mentions an open parameter, so a generic function may call
// itself with other arguments.
#include <algorithm>

#include "sema/class_info.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Declaration ----------------------------------------------------------------------------------------------------

Checker::TypeScope::TypeScope(Checker& checker, const FunctionInfo& function)
    : checker_(checker), outer_(std::move(checker.typeParams_)) {
    checker_.typeParams_.clear();
    std::vector<const FunctionInfo*> around;
    for (const FunctionInfo* f = &function; f; f = f->outer) around.push_back(f);
    auto add = [&](List<const TypeParamType*> params) {
        for (const TypeParamType* p : params) checker_.typeParams_.push_back({p->name, p});
    };
    for (size_t i = around.size(); i-- > 0;) {
        if (around[i]->classInfo) add(around[i]->classInfo->typeParams);
        add(around[i]->typeParams);
    }
}

List<const TypeParamType*> Checker::declareTypeParams(List<ast::TypeParam> written) {
    reportTwice(written);
    std::vector<const TypeParamType*> params;
    for (uint32_t i = 0; i < written.count; i++) params.push_back(types_.typeParam(written[i].name, i));
    return arena().makeList<const TypeParamType*>(params);
}

void Checker::reportTwice(List<ast::TypeParam> written) {
    for (uint32_t i = 0; i < written.count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (written[k].name == written[i].name) {
                diags_.report(diag::TypeParameterTwice, written[i].range, text(written[i].name));
                break;
            }
}

const InterfaceType* Checker::builtinBound(const ast::TypeNode& node) {
    auto* named = ast::as<ast::NamedType>(&node);
    if (!named || named->module.name || !named->args.empty()) return nullptr;
    const uint32_t id = named->name.name.id;
    if (module_->aliases.count(id) || module_->nominals.count(id)) return nullptr;
    for (auto& [name, type] : typeParams_)
        if (name == named->name.name) return nullptr;
    if (text(named->name.name) == "Comparable") return types_.comparable();
    if (text(named->name.name) == "Hashable") return types_.hashable();
    return nullptr;
}

void Checker::resolveBounds(List<ast::TypeParam> written, List<const TypeParamType*> params) {
    for (uint32_t i = 0; i < written.count; i++) {
        std::vector<const InterfaceType*> bounds;
        for (ast::TypeNode* node : written[i].bounds) {
            const InterfaceType* bound = builtinBound(*node);
            if (!bound) {
                const Type* type = typeOf(*node);
                if (isError(type)) continue;
                bound = asIf<InterfaceType>(type);
                if (!bound) {
                    diags_.report(diag::NotABound, node->range, show(type));
                    continue;
                }
            }
            bounds.push_back(bound);
        }
        params[i]->use->bounds = arena().makeList<const InterfaceType*>(bounds);
    }
}

bool Checker::mayBeNil(const Type* type) {
    if (type->admitsNil) return true;
    for (const Type* member : membersOf(type))
        if (auto* param = asIf<TypeParamType>(member); param && param->use->bounds.empty()) return true;
    return false;
}

const Type* Checker::makeAlias(AliasInfo& alias, std::span<const Type* const> args) {
    return typeOfAlias(alias, args, alias.decl->name.range);
}

void Checker::instantiate() {
    if (hasGenerics_)
        Instantiator(program_, diags_, *this).run(classes_);
    else
        makeClassTables();
}

TExpr* Checker::compareObjects(CompareOp op, TExpr* left, TExpr* right, Loc loc, FunctionInfo& owner) {
    function_ = &owner;
    module_ = owner.in;
    TExpr* result = nullptr;
    switch (op) {
        case CompareOp::Eq: result = equalCall(true, left, right, loc); break;
        case CompareOp::Ne: result = equalCall(false, left, right, loc); break;
        case CompareOp::Lt: result = orderCall(ast::BinaryOp::Lt, left, right, {}, {}, loc); break;
        case CompareOp::Le: result = orderCall(ast::BinaryOp::Le, left, right, {}, {}, loc); break;
        case CompareOp::Gt: result = orderCall(ast::BinaryOp::Gt, left, right, {}, {}, loc); break;
        case CompareOp::Ge: result = orderCall(ast::BinaryOp::Ge, left, right, {}, {}, loc); break;
    }
    function_ = nullptr;
    return result;
}

// ---- Bounds ---------------------------------------------------------------------------------------------------------

bool Checker::satisfies(const Type* type, const InterfaceType* bound) {
    switch (type->kind) {
        case TypeKind::Error:
        case TypeKind::Never: return true;
        case TypeKind::Number:
        case TypeKind::Integer:
        case TypeKind::String:
        case TypeKind::Enum: return bound == types_.comparable() || bound == types_.hashable();
        case TypeKind::TypeParam:
            return std::any_of(as<TypeParamType>(type)->use->bounds.begin(), as<TypeParamType>(type)->use->bounds.end(),
                               [&](const InterfaceType* own) { return satisfies(own, bound); });
        case TypeKind::Class:
        case TypeKind::Interface: return interfaceOf(type, bound->info) == bound;
        case TypeKind::Void:
        case TypeKind::Nil:
        case TypeKind::Boolean:
        case TypeKind::Any:
        case TypeKind::AnyFunction:
        case TypeKind::File:
        case TypeKind::Array:
        case TypeKind::Table:
        case TypeKind::Record:
        case TypeKind::Function:
        case TypeKind::Union: return false;
    }
    return false;
}

void Checker::checkComparable(ClassInfo& info) {
    if (info.isBroken || interfaceOf(info.selfType, types_.comparable()->info) != types_.comparable()) return;
    for (std::string_view name : {"__lt", "__le"}) {
        const Member member = findMember(info.selfType, interner_.intern(name), &info, nullptr);
        auto* method = member.info && member.info->memberKind == MemberInfo::Kind::Method ? static_cast<MethodInfo*>(member.info) : nullptr;
        const FunctionType* type = method && !method->isStatic ? methodType(*method) : nullptr;
        if (type) type = as<FunctionType>(memberType(type, member.owner));
        if (!type || member.info->access != Access::Public || type->params.count != 1 || !isAssignable(info.selfType, type->params[0]))
            diags_.report(diag::ComparableMethods, info.range, text(info.name), name);
    }
}

bool Checker::checkBounds(std::span<const TypeParamType* const> params, std::span<const Type* const> args,
                          Range where) {
    if (!areBoundsKnown_) {
        pendingBounds_.push_back({{params.begin(), params.end()}, {args.begin(), args.end()}, where});
        return true;
    }
    std::vector<TypeBinding> bindings;
    for (size_t i = 0; i < params.size(); i++) bindings.push_back({params[i], args[i], true});
    bool isGood = true;
    for (size_t i = 0; i < params.size(); i++)
        for (const InterfaceType* declared : params[i]->use->bounds) {
            auto* bound = as<InterfaceType>(types_.substitute(declared, bindings));
            if (satisfies(args[i], bound)) continue;
            diags_.report(diag::BoundNotSatisfied, where, show(args[i]), show(bound), text(params[i]->name));
            isGood = false;
            break;
        }
    return isGood;
}

TExpr* Checker::asBound(TExpr* object, Symbol name) {
    auto* param = asIf<TypeParamType>(object->type);
    if (!param) return object;
    for (const InterfaceType* bound : param->use->bounds) {
        bool has = bound->info->memberOf.contains(name.id);
        for (const InterfaceType* base : bound->info->interfaces) has |= base->info->memberOf.contains(name.id);
        if (has) return convertNode(ConvertKind::Retype, CheckReason::Assign, object, bound);
    }
    return object;
}

// ---- Callees --------------------------------------------------------------------------------------------------------

bool Checker::openCallee(Callee& callee, const FunctionType* declared, std::span<const TypeParamType* const> params,
                         ast::CallExpr& e) {
    std::vector<TypeBinding> opening;
    callee.bindings.clear();
    for (const TypeParamType* p : params) {
        opening.push_back({p, types_.openParam(p), true});
        callee.bindings.push_back({types_.openParam(p), nullptr});
    }
    callee.type = as<FunctionType>(types_.substitute(declared, opening));
    callee.typeParams.assign(params.begin(), params.end());
    return bindExplicit(callee, e);
}

/// Type arguments that the call itself gives.
bool Checker::bindExplicit(Callee& callee, ast::CallExpr& e) {
    if (e.typeArgs.empty()) return true;
    if (callee.bindings.empty()) {
        diags_.report(diag::NotGeneric, cover(e.typeArgs[0]->range, e.typeArgs.back()->range),
                      callee.name.empty() ? "function" : callee.name);
        return false;
    }
    if (e.typeArgs.count != callee.bindings.size()) {
        diags_.report(diag::TypeArgumentCount, cover(e.typeArgs[0]->range, e.typeArgs.back()->range), callee.name,
                      int64_t(e.typeArgs.count), int64_t(callee.bindings.size()));
        return false;
    }
    bool isGood = true;
    for (uint32_t i = 0; i < e.typeArgs.count; i++) {
        const Type* type = typeOf(*e.typeArgs[i]);
        callee.bindings[i].type = type;
        callee.bindings[i].isFixed = true;
        isGood &= !isError(type);
    }
    return isGood;
}

bool Checker::closeCallee(Callee& callee, Range where) {
    settleTaken(callee.bindings);
    for (TypeBinding& binding : callee.bindings) {
        const bool saysNothing = !binding.isFixed && binding.type && isNil(binding.type);
        if (!binding.type || (saysNothing && binding.hint)) binding.type = binding.hint;
        if (!binding.type) {
            diags_.report(diag::CannotInfer, where, text(binding.param->name), callee.name);
            return false;
        }
    }
    if (callee.typeParams.empty()) return true;
    std::vector<const Type*> args;
    for (const TypeBinding& binding : callee.bindings) args.push_back(binding.type);
    return checkBounds(callee.typeParams, args, where);
}

List<const Type*> Checker::typeArgumentsOf(const Callee& callee) {
    std::vector<const Type*> args;
    if (!callee.typeParams.empty())
        for (const TypeBinding& binding : callee.bindings) args.push_back(binding.type);
    return arena().makeList<const Type*>(args);
}

// ---- Values ---------------------------------------------------------------------------------------------------------

FunctionInfo* Checker::genericNamed(ast::Expr& e) {
    ast::Expr* at = &e;
    while (auto* paren = ast::as<ast::ParenExpr>(at)) at = paren->inner;
    SemaVar* variable = nullptr;
    if (auto* name = ast::as<ast::NameExpr>(at)) {
        variable = current(name->resolved);
        if (variable && variable->member) return genericStatic(variable->member);
    } else if (auto* field = ast::as<ast::FieldExpr>(at)) {
        if (Nominal* nominal = nominalIn(*field->object)) {
            if (nominal->nominalKind != NominalKind::Class) return nullptr;
            const Member member = findMember(static_cast<ClassInfo*>(nominal)->selfType, field->field.name, currentClass(), nullptr);
            const bool isOpen = member.info && (member.info->access != Access::Protected || derivesFrom(currentClass(), member.info->owner));
            return isOpen ? genericStatic(member.info) : nullptr;
        }
        ModuleInfo* module = namespaceIn(*field->object);
        auto found = module ? module->exports.find(field->field.name.id) : decltype(module->exports.find(0)){};
        if (module && found != module->exports.end()) variable = found->second.variable;
    }
    auto* function = variable ? static_cast<FunctionInfo*>(variable->function) : nullptr;
    return function && function->isGeneric() ? function : nullptr;
}

FunctionInfo* Checker::genericStatic(MemberInfo* member) {
    if (!member->isStatic || member->memberKind != MemberInfo::Kind::Method) return nullptr;
    FunctionInfo* function = static_cast<MethodInfo*>(member)->function;
    return function && (function->isGeneric() || !function->classInfo->typeParams.empty()) ? function : nullptr;
}

TExpr* Checker::genericValue(FunctionInfo& f, const Type* expected, Range range) {
    knowSignature(f);
    if (expected && isError(expected)) return errorExpr(range.begin);
    if (!f.type) {
        diags_.report(diag::ResultNotKnownYet, range, f.name);
        return errorExpr(range.begin);
    }
    const FunctionType* wanted = functionIn(expected);
    if (!wanted) {
        diags_.report(diag::GenericValue, range, f.name);
        return errorExpr(range.begin);
    }
    ast::CallExpr none(range);
    Callee callee;
    callee.name = f.name;
    std::vector<const TypeParamType*> params;  // a static function of a generic class is generic in those of its class
    if (f.classInfo) params.assign(f.classInfo->typeParams.begin(), f.classInfo->typeParams.end());
    params.insert(params.end(), f.typeParams.begin(), f.typeParams.end());
    openCallee(callee, f.type, params, none);
    auto inferFrom = [&](const Type* own, const Type* other) {
        if (!other->isOpen) infer(own, other, callee.bindings);
    };
    for (uint32_t i = 0; i < std::min(callee.type->params.count, wanted->params.count); i++)
        inferFrom(callee.type->params[i], wanted->params[i]);
    if (callee.type->vararg && wanted->vararg) inferFrom(callee.type->vararg, wanted->vararg);
    for (uint32_t i = 0; i < std::min(callee.type->results.count, wanted->results.count); i++)
        inferFrom(callee.type->results[i], wanted->results[i]);
    if (!closeCallee(callee, range)) return errorExpr(range.begin);
    auto* ref = expr<TFuncRef>(types_.substitute(callee.type, callee.bindings), range.begin);
    ref->function = &f;
    ref->typeArguments = typeArgumentsOf(callee);
    return ref;
}

// ---- Inference ------------------------------------------------------------------------------------------------------

/// An argument says that the parameter is an `arg`, or something wider.
void Checker::bindParam(TypeBinding& binding, const Type* arg, bool isTaken) {
    if (isImplicitAny(arg)) arg = types_.any();
    arg = keptOf(arg);
    if (binding.isFixed || arg->kind == TypeKind::Never) return;
    if (isTaken) {
        if (!binding.taken || isAssignable(arg, binding.taken)) binding.taken = arg;
        return;
    }
    if (!binding.type)
        binding.type = binding.hint && isAssignable(arg, binding.hint) ? binding.hint : arg;
    else if (isAssignable(arg, binding.type))
        return;
    else if (isAssignable(binding.type, arg))
        binding.type = arg;
    else if (isNil(arg) || isNil(binding.type))
        binding.type = types_.unionOf(binding.type, arg);
}

void Checker::settleTaken(std::span<TypeBinding> bindings) {
    for (TypeBinding& binding : bindings)
        if (!binding.type) binding.type = binding.taken;
}

/// Finds open type parameters by matching a parameter's type with an argument's.
void Checker::infer(const Type* param, const Type* arg, std::span<TypeBinding> bindings, bool isTaken) {
    if (!param->isOpen || isError(arg)) return;
    auto each = [&](List<const Type*> params, List<const Type*> args) {
        for (uint32_t i = 0; i < std::min(params.count, args.count); i++) infer(params[i], args[i], bindings, isTaken);
    };
    if (param->aliasName) {
        if (param->alias == arg->alias) each(param->aliasArgs, arg->aliasArgs);
        return;
    }
    switch (param->kind) {
        case TypeKind::TypeParam:
            for (TypeBinding& binding : bindings)
                if (binding.param == param) bindParam(binding, arg, isTaken);
            return;
        case TypeKind::Array:
            if (auto* a = asIf<ArrayType>(arg)) infer(as<ArrayType>(param)->element, a->element, bindings, isTaken);
            return;
        case TypeKind::Table:
            if (auto* t = asIf<TableType>(arg)) {
                infer(as<TableType>(param)->key, t->key, bindings, isTaken);
                infer(as<TableType>(param)->value, t->value, bindings, isTaken);
            }
            return;
        case TypeKind::Record:
            if (auto* r = asIf<RecordType>(arg))
                for (const RecordField& field : as<RecordType>(param)->fields)
                    if (const int at = r->indexOf(field.name); at >= 0)
                        infer(field.type, r->fields[uint32_t(at)].type, bindings, isTaken);
            return;
        case TypeKind::Function: {
            auto *p = as<FunctionType>(param), *a = asIf<FunctionType>(arg);
            if (!a) return;
            for (uint32_t i = 0; i < std::min(p->params.count, a->params.count); i++)
                infer(p->params[i], a->params[i], bindings, !isTaken);
            each(p->results, a->results);
            if (p->vararg && a->vararg) infer(p->vararg, a->vararg, bindings, !isTaken);
            if (p->variadicResult && a->variadicResult) infer(p->variadicResult, a->variadicResult, bindings, isTaken);
            return;
        }
        case TypeKind::Class:
            if (auto* c = asIf<ClassType>(arg))
                if (const ClassType* base = ancestorOf(c, as<ClassType>(param)->info))
                    each(as<ClassType>(param)->args, base->args);
            return;
        case TypeKind::Interface: {
            auto* wanted = as<InterfaceType>(param);
            if (auto* p = asIf<TypeParamType>(arg)) {
                for (const InterfaceType* bound : p->use->bounds) infer(param, bound, bindings, isTaken);
            } else if (const InterfaceType* implemented = interfaceOf(arg, wanted->info)) {
                each(wanted->args, implemented->args);
            }
            return;
        }
        case TypeKind::Union: return inferUnion(param, arg, bindings, isTaken);
        default: return;
    }
}

/// `T?` against `U?`, `T | string` against `number | string`: the members that are known fall out, the open ones share the
/// rest by their kind.
void Checker::inferUnion(const Type* param, const Type* arg, std::span<TypeBinding> bindings, bool isTaken) {
    const Type* alone = nullptr;  // the member that is nothing but a parameter
    std::vector<const Type*> shaped;
    for (const Type* member : membersOf(param)) {
        if (!member->isOpen) continue;
        if (member->kind == TypeKind::TypeParam)
            alone = alone ? alone : member;
        else
            shaped.push_back(member);
    }
    const Type* rest = types_.never();
    for (const Type* member : membersOf(arg)) {
        const auto members = membersOf(param);
        if (std::find(members.begin(), members.end(), member) != members.end()) continue;
        auto fitting = std::find_if(shaped.begin(), shaped.end(), [&](auto* s) { return s->kind == member->kind; });
        if (fitting != shaped.end())
            infer(*fitting, member, bindings, isTaken);
        else
            rest = types_.unionOf(rest, member);
    }
    if (!alone) return;
    if (rest->kind != TypeKind::Never)
        infer(alone, rest, bindings, isTaken);
    else if (!isNil(arg))
        infer(alone, arg, bindings, true);  // anything fits; what is there decides if nothing else does
}

/// What the context would like: `local a: Array<integer> = Array.new(n, 0)`. Arguments that do not fit overrule it.
void Checker::inferFromContext(const Type* result, const Type* expected, std::span<TypeBinding> bindings) {
    if (!result->isOpen || isAny(expected)) return;
    std::vector<TypeBinding> found;
    for (const TypeBinding& binding : bindings) found.push_back({binding.param, nullptr});
    if (isUnion(result)) {
        infer(result, expected, found);
    } else if (result->kind == TypeKind::TypeParam) {
        // The value may be narrower than a union that takes it.
        const Type* one = types_.withoutNil(expected);
        if (!isUnion(one) && one->kind != TypeKind::Never) infer(result, one, found);
    } else {
        for (const Type* member : membersOf(expected))
            if (member->kind == result->kind) infer(result, member, found);
    }
    settleTaken(found);
    for (size_t i = 0; i < bindings.size(); i++)
        if (found[i].type && !found[i].type->isOpen) bindings[i].hint = found[i].type;
}

/// A function literal whose parameter types are still open waits for the other arguments.
bool Checker::wantsOtherArguments(const Type* param) {
    for (const Type* member : membersOf(param))
        if (auto* f = asIf<FunctionType>(member))
            for (const Type* p : f->params)
                if (p->isOpen) return true;
    return false;
}

const Type* Checker::hintFor(const Type* type, std::span<const TypeBinding> bindings) {
    if (!type->isOpen) return type;
    std::vector<TypeBinding> wished(bindings.begin(), bindings.end());
    for (TypeBinding& binding : wished)
        if (!binding.type) binding.type = binding.hint;
    const Type* hint = types_.substitute(type, wished);
    return hint->isOpen ? nullptr : hint;
}

}  // namespace luapp::sema
