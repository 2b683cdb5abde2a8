// Classes before their bodies: bases and their order, the types of members, constructors taken over, enums.
#include <algorithm>

#include "runtime/base/list_limits.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

namespace {

/// The classes in an order in which bases come before what derives from them; those that are bases of themselves, or
/// stand above too many of them, are broken and have no bases any more.
class BaseOrder {
  public:
    explicit BaseOrder(Diagnostics& diags, const Interner& interner) : diags_(diags), interner_(interner) {}

    template <class Info>
    std::vector<Info*> sort(const std::vector<Info*>& infos) {
        std::vector<Info*> order;
        for (Info* info : infos) visit(info, order, 0);
        return order;
    }

  private:
    /// `above`: how many stand on the way here, each derived from the next. Gives how many stand over each other at `info`.
    template <class Info>
    int visit(Info* info, std::vector<Info*>& order, int above) {
        if (!info->module) return 0;  // Comparable or Hashable: declared nowhere
        auto [at, isNew] = depth_.try_emplace(info, kOpen);
        if (!isNew && at->second != kOpen) return at->second;
        if (!isNew) {
            diags_.report(diag::BaseOfItself, info->range, interner_.text(info->name));
            info->bases = {};
            return 0;
        }
        int depth = 0;
        if (above < base::kMaxBaseDepth)
            for (auto* base : info->bases) depth = std::max(depth, visit(const_cast<Info*>(base->info), order, above + 1));
        if (depth >= base::kMaxBaseDepth || (above >= base::kMaxBaseDepth && !info->bases.empty())) {
            diags_.report(diag::BasesTooDeep, info->range, interner_.text(info->name), int64_t(base::kMaxBaseDepth));
            info->bases = {};
            depth = 0;
        }
        depth_[info] = depth + 1;
        order.push_back(info);
        return depth + 1;
    }

    static constexpr int kOpen = -1;  // on the way here
    Diagnostics& diags_;
    const Interner& interner_;
    std::unordered_map<const void*, int> depth_;
};

template <class T>
bool addOnce(std::vector<T>& list, T item) {
    if (std::find(list.begin(), list.end(), item) != list.end()) return false;
    list.push_back(item);
    return true;
}

/// The type of a method as callers of it see it: without the object.
const FunctionType* withoutSelf(TypeTable& types, const FunctionType* type) {
    return types.function(type->params.span().subspan(1), type->vararg, type->results.span(), type->variadicResult,
                          type->defaults, type->neverReturns);
}

}  // namespace

/// While it lives, types are read as in the declaration of `info`.
Checker::DeclScope::DeclScope(Checker& checker, const ObjectInfo& info)
    : checker_(checker), module_(checker.module_), function_(checker.function_), params_(std::move(checker.typeParams_)) {
    checker.module_ = info.module;
    checker.function_ = info.module->main;
    checker.typeParams_.clear();
    for (const TypeParamType* param : info.typeParams) checker.typeParams_.push_back({param->name, param});
}
Checker::DeclScope::~DeclScope() {
    checker_.module_ = module_;
    checker_.function_ = function_;
    checker_.typeParams_ = std::move(params_);
}

void Checker::declareClasses(std::span<ModuleInfo* const> modules) {
    std::vector<ClassInfo*> classes;
    std::vector<InterfaceInfo*> interfaces;
    for (ModuleInfo* module : modules)
        for (Nominal* nominal : module->ownNominals) switch (nominal->nominalKind) {
                case NominalKind::Class: classes.push_back(static_cast<ClassInfo*>(nominal)); break;
                case NominalKind::Interface: interfaces.push_back(static_cast<InterfaceInfo*>(nominal)); break;
                case NominalKind::Enum: declareEnum(static_cast<EnumInfo&>(*nominal)); break;
            }
    for (InterfaceInfo* info : interfaces) resolveBases(*info);
    for (ClassInfo* info : classes) resolveBases(*info);
    BaseOrder order(diags_, interner_);
    interfaces = order.sort(interfaces);
    classes_ = order.sort(classes);
    for (InterfaceInfo* info : interfaces) closeInterfaces(*info);
    for (ClassInfo* info : classes_) {
        linearise(*info);
        for (const ClassType* base : info->bases) const_cast<ClassInfo*>(base->info)->subclasses.push_back(info);
    }
    for (InterfaceInfo* info : interfaces) declareBounds(*info);
    for (ClassInfo* info : classes_) declareBounds(*info);
    checkPendingBounds();
    for (InterfaceInfo* info : interfaces) declareMembers(*info);
    for (ClassInfo* info : classes_) declareMembers(*info);
    for (ClassInfo* info : classes_) markSharedBases(*info);
    for (ClassInfo* info : classes_) declareConstructors(*info);
    for (InterfaceInfo* info : interfaces) checkInterface(*info);
    for (ClassInfo* info : classes_) checkInheritance(*info);
    for (ClassInfo* info : classes_) checkComparable(*info);
}

void Checker::declareBounds(ObjectInfo& info) {
    DeclScope scope(*this, info);
    reportTwice(info.typeParamNodes);
    resolveBounds(info.typeParamNodes, info.typeParams);
    hasGenerics_ |= !info.typeParams.empty();
}

/// The types in the heads of classes are read before all bounds are.
void Checker::checkPendingBounds() {
    areBoundsKnown_ = true;
    for (const PendingBounds& p : pendingBounds_) checkBounds(p.params, p.args, p.where);
    pendingBounds_.clear();
}

// ---- Enums ----------------------------------------------------------------------------------------------------------

void Checker::declareEnum(EnumInfo& info) {
    int64_t next = 0;
    auto* typed = arena().make<TypedEnum>();
    for (ast::EnumMember& member : info.decl->members) {
        for (const TypedEnum::Member& other : info.members)
            if (other.name == member.name.name)
                diags_.report(diag::DuplicateMember, member.name.range, text(member.name.name), text(info.name));
        if (member.value) {
            ast::Expr* at = member.value;
            while (auto* paren = ast::as<ast::ParenExpr>(at)) at = paren->inner;
            bool isNegative = false;
            if (auto* unary = ast::as<ast::UnaryExpr>(at); unary && unary->op == ast::UnaryOp::Neg) {
                isNegative = true;
                at = unary->operand;
            }
            auto* number = ast::as<ast::NumberExpr>(at);
            if (number && number->isWhole)
                next = isNegative ? -int64_t(number->value) : int64_t(number->value);
            else if (!ast::is<ast::ErrorExpr>(at))
                diags_.report(diag::EnumValue, member.value->range);
        }
        // In `any` a value has 32 bits beside its enum.
        if (next < INT32_MIN || next > INT32_MAX) {
            diags_.report(diag::EnumValue, member.value ? member.value->range : member.name.range);
            next = 0;
        }
        info.members.push_back({member.name.name, next++});
    }
    typed->type = info.selfType;
    typed->members = arena().makeList<TypedEnum::Member>(info.members);
    program_.enums.push_back(typed);
}

// ---- Bases ----------------------------------------------------------------------------------------------------------

void Checker::resolveBases(InterfaceInfo& info) {
    DeclScope scope(*this, info);
    std::vector<const InterfaceType*> bases;
    for (ast::TypeNode* node : info.decl->bases) {
        const InterfaceType* builtin = builtinBound(*node);
        const Type* type = builtin ? builtin : typeOf(*node);
        if (isError(type)) continue;
        auto* base = asIf<InterfaceType>(type);
        if (!base)
            diags_.report(diag::NotABase, node->range, show(type));
        else if (!addOnce(bases, base))
            diags_.report(diag::BaseTwice, node->range, show(type));
        else
            info.baseRanges.push_back(node->range);
    }
    info.bases = arena().makeList<const InterfaceType*>(bases);
}

void Checker::resolveBases(ClassInfo& info) {
    DeclScope scope(*this, info);
    std::vector<const ClassType*> bases;
    std::vector<const InterfaceType*> interfaces;
    for (ast::TypeNode* node : info.decl->bases) {
        const InterfaceType* builtin = builtinBound(*node);
        const Type* type = builtin ? builtin : typeOf(*node);
        info.isBroken |= isError(type);
        if (isError(type)) continue;
        bool isNew = true;
        if (auto* base = asIf<ClassType>(type)) {
            isNew = addOnce(bases, base);
            if (isNew) info.baseRanges.push_back(node->range);
        } else if (auto* base = asIf<InterfaceType>(type)) {
            isNew = addOnce(interfaces, base);
        } else {
            diags_.report(diag::NotABase, node->range, show(type));
            info.isBroken = true;
        }
        if (!isNew) diags_.report(diag::BaseTwice, node->range, show(type));
    }
    info.bases = arena().makeList<const ClassType*>(bases);
    info.interfaces = arena().makeList<const InterfaceType*>(interfaces);  // the direct ones, until linearise()
}

/// Everything an interface extends.
void Checker::closeInterfaces(InterfaceInfo& info) {
    std::vector<const InterfaceType*> all;
    for (const InterfaceType* base : info.bases) addOnce(all, base);
    for (const InterfaceType* base : info.bases)
        for (const InterfaceType* further : base->info->interfaces)
            addOnce(all, as<InterfaceType>(memberType(further, base)));
    info.interfaces = arena().makeList<const InterfaceType*>(all);
}

/// The classes above `info` in order, itself first: C3. Returns a class that stands in the way, or null.
const ClassType* Checker::mergeBases(const ClassInfo& info, std::vector<const ClassType*>& order) {
    struct Rest {
        std::vector<const ClassType*> list;
        size_t at = 0;
        bool isDone() const { return at == list.size(); }
        const ClassType* head() const { return list[at]; }
    };
    std::vector<Rest> rests;
    for (const ClassType* base : info.bases) {
        Rest& rest = rests.emplace_back();
        for (const ClassType* ancestor : base->info->ancestors) rest.list.push_back(as<ClassType>(memberType(ancestor, base)));
    }
    if (rests.size() > 1) rests.push_back({{info.bases.begin(), info.bases.end()}});
    // In how many lists does a class still stand behind the head?
    std::unordered_map<const ClassInfo*, int> behind;
    if (rests.size() > 1)
        for (const Rest& rest : rests)
            for (size_t i = 1; i < rest.list.size(); i++) behind[rest.list[i]->info]++;
    for (;;) {
        const ClassType* next = nullptr;
        const ClassType* waiting = nullptr;
        for (const Rest& rest : rests) {
            if (rest.isDone()) continue;
            if (!waiting) waiting = rest.head();
            if (rests.size() == 1 || behind[rest.head()->info] == 0) {
                next = rest.head();
                break;
            }
        }
        if (!next) return waiting;
        for (Rest& rest : rests) {
            if (rest.isDone() || rest.head()->info != next->info) continue;
            if (rest.head() != next) return rest.head();  // with other type arguments
            rest.at++;
            if (!rest.isDone() && rests.size() > 1) behind[rest.head()->info]--;
        }
        order.push_back(next);
    }
}

/// The order of a class and all its bases, and all interfaces it implements.
void Checker::linearise(ClassInfo& info) {
    for (const ClassType* base : info.bases) info.isBroken |= base->info->isBroken;
    std::vector<const ClassType*> order{info.selfType};
    const ClassType* const stuck = mergeBases(info, order);
    if (stuck) {
        diags_.report(diag::NoLinearisation, info.range, text(info.name), "`" + show(stuck) + "` contradicts another base");
        info.bases = {};
        order.resize(1);
        info.isBroken = true;
    }
    info.ancestors = arena().makeList<const ClassType*>(order);
    std::vector<const InterfaceType*> all(info.interfaces.begin(), info.interfaces.end());
    auto addOf = [&](const Type* owner, const List<const InterfaceType*>& list) {
        for (const InterfaceType* further : list) addOnce(all, as<InterfaceType>(memberType(further, owner)));
    };
    for (const InterfaceType* direct : info.interfaces) addOf(direct, direct->info->interfaces);
    for (const ClassType* base : info.bases) addOf(base, base->info->interfaces);
    info.interfaces = arena().makeList<const InterfaceType*>(all);
}

/// A base class that two of the classes above `info` name as a direct base is one shared copy in its objects.
void Checker::markSharedBases(ClassInfo& info) {
    if (info.bases.count < 2) return;
    std::unordered_map<const ClassInfo*, int> times;
    for (const ClassType* ancestor : info.ancestors)
        for (const ClassType* base : ancestor->info->bases)
            if (++times[base->info] == 2) {
                auto* shared = const_cast<ClassInfo*>(base->info);
                if (shared->sharedMark) continue;
                auto* mark = program_.make<FieldInfo>();
                mark->range = shared->range;
                mark->access = Access::Private;
                mark->owner = shared;
                mark->type = types_.boolean();
                mark->index = uint32_t(shared->objectFields.size());
                shared->objectFields.push_back(mark);
                shared->sharedMark = mark;
            }
}

// ---- Members --------------------------------------------------------------------------------------------------------

/// Has a field of this type no value before it is assigned?
bool Checker::needsValue(const Type* type) {
    if (type->kind == TypeKind::TypeParam) return true;
    return !type->admitsNil && !isNumeric(type) && !isBoolean(type) && !isError(type);
}

void Checker::declareField(ObjectInfo& info, FieldInfo& field) {
    if (field.event) {
        const Type* type = typeOfFunction(*field.event->type);
        field.handler = asIf<FunctionType>(type);
        field.type = field.handler ? types_.optional(types_.array(field.handler)) : types_.error();
        return;
    }
    ast::FieldDecl& decl = *field.decl;
    if (decl.type) {
        field.type = typeOf(*decl.type);
    } else {
        field.type = literalType(*decl.value);
        if (isImplicitAny(field.type)) {
            diags_.report(diag::MemberNotTyped, field.range, text(field.name));
            field.type = types_.error();
        }
    }
    if (field.isStatic && field.type->hasTypeParams) {
        diags_.report(diag::StaticTypeParam, field.range, text(field.name));
        field.type = types_.error();
    }
    if (field.variable) {
        SemaVar& v = *field.variable;
        v.name = interner_.intern(std::string(text(info.name)) + "." + std::string(text(field.name)));
        v.type = field.type;
        v.isTypeKnown = true;
        v.isDeclaredLater = !decl.value && needsValue(field.type);
        if (field.isConst && !decl.value) diags_.report(diag::StaticConstValue, field.range, text(field.name));
    }
    field.mustBeAssigned = !field.isStatic && !decl.value && (needsValue(field.type) || field.isConst);
}

void Checker::declareMembers(ObjectInfo& info) {
    DeclScope scope(*this, info);
    const bool isInterface = info.nominalKind == NominalKind::Interface;
    for (FieldInfo* field : info.fields) {
        declareField(info, *field);
        if (isInterface) {
            const Type* type = field->type;
            field->reader->type = types_.function({}, nullptr, {&type, 1});
            field->writer->type = types_.function({&type, 1}, nullptr, {});
        } else if (!field->isStatic) {
            auto& list = static_cast<ClassInfo&>(info).objectFields;
            field->index = uint32_t(list.size());
            list.push_back(field);
        }
    }
    for (MethodInfo* method : info.methods) {
        if (isInterface) {
            method->type = signatureOf(*method);
            continue;
        }
        if (!method->decl->body->results.isWritten && method->decl->body->isArrow)
            continue;  // what it overrides may say its result: methodType()
        knowSignature(*method->function);
        noteMethodType(*method);
    }
}

/// After the signature of its function is known.
void Checker::noteMethodType(MethodInfo& method) {
    FunctionInfo& function = *method.function;
    method.typeParams = function.typeParams;
    if (function.type) method.type = function.selfParam ? withoutSelf(types_, function.type) : function.type;
}

/// The type of a method, null if it is being inferred.
const FunctionType* Checker::methodType(MethodInfo& method) {
    if (method.type || !method.function) return method.type;
    FunctionInfo& function = *method.function;
    if (!function.signatureKnown && !function.classInfo->isBroken) {
        // An arrow body without a written result takes it from the first method that it overrides or implements.
        const ClassInfo& info = *function.classInfo;
        const FunctionType* context = nullptr;
        if (!method.isStatic && method.access != Access::Private) {
            for (uint32_t i = 1; i < info.ancestors.count && !context; i++)
                if (MemberInfo* other = ownMember(*info.ancestors[i]->info, method.name); other && other->access != Access::Private)
                    if (other->memberKind == MemberInfo::Kind::Method)
                        if (const FunctionType* type = methodType(*static_cast<MethodInfo*>(other)))
                            context = as<FunctionType>(memberType(type, info.ancestors[i]));
            for (const InterfaceType* interface : info.interfaces)
                if (MemberInfo* other = ownMember(*interface->info, method.name); other && !context)
                    if (other->memberKind == MemberInfo::Kind::Method)
                        context = as<FunctionType>(memberType(static_cast<MethodInfo*>(other)->type, interface));
        }
        if (context) function.resultsFrom = context;
    }
    knowSignature(function);
    if (!function.type && function.infersResult) inferResult(function);
    noteMethodType(method);
    return method.type;
}

MemberInfo* Checker::ownMember(const ObjectInfo& info, Symbol name) {
    auto found = info.memberOf.find(name.id);
    return found == info.memberOf.end() ? nullptr : found->second;
}

/// The type of a method of an interface.
const FunctionType* Checker::signatureOf(MethodInfo& method) {
    ast::FunctionBody& body = *method.decl->body;
    method.typeParams = declareTypeParams(body.typeParams);
    if (!body.typeParams.empty()) diags_.report(diag::GenericInInterface, method.range, text(method.name), text(method.owner->name));
    const size_t outer = typeParams_.size();
    for (const TypeParamType* param : method.typeParams) typeParams_.push_back({param->name, param});
    resolveBounds(body.typeParams, method.typeParams);
    std::vector<const Type*> params, results;
    uint32_t defaults = 0;
    for (ast::Param& param : body.params) {
        params.push_back(param.decl.type ? typeOf(*param.decl.type) : types_.any());
        if (param.defaultValue) defaults++;
    }
    const Type* vararg = body.isVararg ? body.varargType ? typeOf(*body.varargType) : types_.any() : nullptr;
    const Type* variadic = nullptr;
    typeOfResults(body.results, results, variadic);
    typeParams_.resize(outer);
    return types_.function(params, vararg, results, variadic, defaults);
}

// ---- Constructors ---------------------------------------------------------------------------------------------------

/// True if some argument list could be meant for both.
static bool areAlike(const FunctionType* a, const FunctionType* b) {
    const uint32_t least = std::max(a->minArgs(), b->minArgs());
    const uint32_t mostA = a->vararg ? UINT32_MAX : a->params.count, mostB = b->vararg ? UINT32_MAX : b->params.count;
    if (least > std::min(mostA, mostB)) return false;
    for (uint32_t i = 0; i < least; i++) {
        const Type* x = i < a->params.count ? a->params[i] : a->vararg;
        const Type* y = i < b->params.count ? b->params[i] : b->vararg;
        if (isError(x) || isError(y)) return false;
        if (relate(x, y) == Fit::None && relate(y, x) == Fit::None) return false;
    }
    return true;
}

/// The type of a constructor, its owner's parameters replaced by what `info` gives them.
const FunctionType* Checker::constructorType(const ClassInfo& info, const ConstructorInfo& constructor) {
    if (!constructor.type || constructor.owner == &info) return constructor.type;
    const ClassType* owner = ancestorOf(info.selfType, constructor.owner);
    return owner ? as<FunctionType>(memberType(constructor.type, owner)) : constructor.type;
}

ConstructorInfo* Checker::constructorWithoutArguments(const ClassInfo& info) {
    for (ConstructorInfo* constructor : info.constructors)
        if (constructor->type && constructor->type->minArgs() == 0) return constructor;
    return nullptr;
}

void Checker::declareConstructors(ClassInfo& info) {
    DeclScope scope(*this, info);
    for (ConstructorInfo* constructor : info.constructors) {
        knowSignature(*constructor->function);
        if (constructor->function->type) constructor->type = withoutSelf(types_, constructor->function->type);
        if (constructor->isImplicit && constructor->type && constructor->type->params.empty())
            diags_.report(diag::ImplicitParams, constructor->range);
        for (ConstructorInfo* other : info.constructors) {
            if (other == constructor) break;
            if (constructor->type && other->type && areAlike(constructor->type, other->type)) {
                diags_.report(diag::ConstructorsAlike, constructor->range).note(diag::DeclaredHere, other->range, "constructor");
                break;
            }
        }
    }
    if (info.declaresConstructor || info.isBroken) return;
    for (FieldInfo* field : info.objectFields)
        if (field->mustBeAssigned && !isError(field->type))
            diags_.report(diag::FieldNeverAssigned, field->range, text(field->name), text(info.name));
    if (info.bases.empty()) return;
    bool needsOwn = false;
    for (uint32_t i = 1; i < info.bases.count; i++) {
        const ClassInfo& base = *info.bases[i]->info;
        if (base.constructors.empty()) continue;
        needsOwn = true;
        if (!constructorWithoutArguments(base)) {
            diags_.report(diag::BaseNeedsArguments, info.range, text(base.name));
            return;
        }
    }
    const ClassInfo& first = *info.bases[0]->info;
    if (!needsOwn) {
        for (ConstructorInfo* constructor : first.constructors)
            if (constructor->access != Access::Private) info.constructors.push_back(constructor);
        if (info.constructors.empty() && !first.constructors.empty())
            diags_.report(diag::PrivateConstructor, info.range, text(first.name), "private");
        return;
    }
    // Several bases have constructors to run: one is made for each number of arguments that the first base takes.
    if (first.constructors.empty()) return makeConstructor(info, nullptr, 0);
    for (ConstructorInfo* constructor : first.constructors)
        if (constructor->type && constructor->access != Access::Private)
            for (uint32_t count = constructor->type->minArgs(); count <= constructor->type->params.count; count++)
                makeConstructor(info, constructor, count);
}

/// A constructor for a class that declares none, with the first `count` parameters of one of its first base. Its body is made
/// by buildConstructor().
void Checker::makeConstructor(ClassInfo& info, ConstructorInfo* of, uint32_t count) {
    auto* made = program_.make<ConstructorInfo>();
    auto* function = arena().make<FunctionInfo>();
    made->owner = &info;
    made->function = function;
    made->range = info.range;
    made->passesTo = of;
    if (of) made->access = of->access, made->isImplicit = of->isImplicit;
    std::vector<const Type*> params;
    if (of)
        for (uint32_t i = 0; i < count; i++) params.push_back(constructorType(info, *of)->params[i]);
    made->type = types_.function(params, of && count == of->type->params.count ? of->type->vararg : nullptr, {});
    function->name = text(info.name);
    function->range = info.range;
    function->module = info.module->typed;
    function->in = info.module;
    function->parent = info.module->main;
    function->outer = info.module->main;
    function->topLevel = info.initializer;
    function->classInfo = &info;
    function->constructor = made;
    function->signatureKnown = true;
    function->isVararg = made->type->vararg != nullptr;
    function->varargType = made->type->vararg;
    program_.functions.push_back(function);
    auto addParam = [&](const Type* type, std::string_view name) {
        auto* v = arena().make<SemaVar>();
        v->name = interner_.intern(name);
        v->type = type;
        v->owner = function;
        v->home = function;
        v->module = info.module;
        v->kind = VarKind::Param;
        v->index = function->variableCount++;
        v->isAssigned = true;
        v->isTypeKnown = true;
        return v;
    };
    std::vector<Variable*> variables{function->selfParam = addParam(info.selfType, "self")};
    for (const Type* type : params) variables.push_back(addParam(type, "argument"));
    function->params = arena().makeList<Variable*>(variables);
    params.insert(params.begin(), info.selfType);
    function->type = types_.function(params, made->type->vararg, {});
    info.constructors.push_back(made);
}

}  // namespace luapp::sema
