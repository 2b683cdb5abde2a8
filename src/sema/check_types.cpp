// Annotations: syntax of types to types, with aliases.
#include <algorithm>

#include "frontend/ast/ast_visit.h"
#include "sema/context.h"
#include "sema/list_limits.h"

namespace luapp::sema {

/// Every type of a program passes here or through typeOf() before it becomes part of another.
bool Checker::isTooDeep(const Type* type, Range range) {
    if (type->depth <= base::kMaxTypeDepth) return false;
    diags_.report(diag::TypeTooDeep, range, int64_t(base::kMaxTypeDepth));
    return true;
}

const Type* Checker::typeOf(ast::TypeNode& node) {
    const Type* type = typeOfResult(node);
    if (type->kind != TypeKind::Void) return type;
    diags_.report(diag::VoidAsType, node.range);
    return types_.error();
}

/// The same for a result, which may be `void`.
const Type* Checker::typeOfResult(ast::TypeNode& node) {
    const Type* type = typeOfNode(node);
    return isTooDeep(type, node.range) ? types_.error() : type;
}

const Type* Checker::typeOfNode(ast::TypeNode& node) {
    switch (node.kind) {
        case ast::NodeKind::NilType: return types_.nil();
        case ast::NodeKind::NamedType: return typeOfName(static_cast<ast::NamedType&>(node));
        case ast::NodeKind::ArrayType: {
            const Type* element = typeOf(*static_cast<ast::ArrayType&>(node).element);
            return isError(element) ? element : types_.array(element);
        }
        case ast::NodeKind::OptionalType: {
            const Type* inner = typeOf(*static_cast<ast::OptionalType&>(node).inner);
            noteOptional(inner, node.range);
            return isError(inner) ? inner : types_.optional(inner);
        }
        case ast::NodeKind::UnionType: {
            std::vector<const Type*> members;
            for (ast::TypeNode* member : static_cast<ast::UnionType&>(node).members) members.push_back(typeOf(*member));
            if (std::any_of(members.begin(), members.end(), isNil))
                for (const Type* member : members) noteOptional(member, node.range);
            if (std::any_of(members.begin(), members.end(), isError)) return types_.error();
            return types_.unionOf(members);
        }
        case ast::NodeKind::FunctionType: return typeOfFunction(static_cast<ast::FunctionType&>(node));
        case ast::NodeKind::RecordType: {
            std::vector<RecordField> fields;
            auto& members = static_cast<ast::RecordType&>(node).members;
            if (!checkLength(diags_, members.count, "fields", [&](uint32_t i) { return members[i].name.range; })) return types_.error();
            for (ast::RecordTypeField& field : members) {
                const Type* type = typeOf(*field.type);
                if (isError(type)) return type;
                if (field.isOptional) type = types_.optional(type);
                if (std::any_of(fields.begin(), fields.end(), [&](auto& f) { return f.name == field.name.name; })) {
                    diags_.report(diag::FieldTwice, field.name.range, text(field.name.name));
                    return types_.error();
                }
                fields.push_back({field.name.name, type});
            }
            return types_.record(fields);
        }
        default: return types_.error();  // reported by the parser
    }
}

/// `T?` is written: the two nils of `T?` with an optional T could not be told apart, so such arguments are refused.
void Checker::noteOptional(const Type* inner, Range where) {
    for (const Type* member : membersOf(inner))
        if (auto* param = asIf<TypeParamType>(member); param && !param->use->optionalAt.isValid())
            param->use->optionalAt = where;
}

const Type* Checker::typeOfFunction(ast::FunctionType& node) {
    std::vector<const Type*> params;
    auto& given = node.params;
    auto& written = node.results.types;
    const auto paramAt = [&](uint32_t i) { return given[i].type ? given[i].type->range : node.range; };
    bool isBad = !checkLength(diags_, given.count, "parameters", paramAt) ||
                 !checkLength(diags_, written.count, "results", [&](uint32_t i) { return written[i]->range; });
    for (ast::TypeNodeParam& param : given) {
        const Type* type = param.type ? typeOf(*param.type) : types_.any();
        isBad |= isError(type);
        params.push_back(type);
    }
    const Type* vararg = nullptr;
    if (node.variadic) vararg = node.variadic->element ? typeOf(*node.variadic->element) : types_.any();
    std::vector<const Type*> results;
    const Type* variadic = nullptr;
    typeOfResults(node.results, results, variadic);
    isBad |= std::any_of(results.begin(), results.end(), isError);
    if (isBad) return types_.error();
    return types_.function(params, vararg, results, variadic);
}

void Checker::typeOfResults(ast::ResultTypes& written, std::vector<const Type*>& results, const Type*& variadic) {
    for (ast::TypeNode* node : written.types) {
        if (auto* rest = ast::as<ast::VariadicType>(node)) {
            variadic = rest->element ? typeOf(*rest->element) : types_.any();
            continue;
        }
        const Type* type = typeOfResult(*node);
        if (type->kind == TypeKind::Void) {
            if (written.types.count > 1) diags_.report(diag::VoidNotAlone, node->range);
            continue;
        }
        results.push_back(type);
    }
}

const Type* Checker::typeOfName(ast::NamedType& node) {
    const std::string_view name = text(node.name.name);
    std::vector<const Type*> args;
    bool isBad = false;
    for (ast::TypeNode* arg : node.args) {
        args.push_back(typeOf(*arg));
        isBad |= isError(args.back());
    }
    auto expectArgs = [&](size_t count) {
        if (args.size() == count) return !isBad;
        diags_.report(diag::TypeArgumentCount, node.range, name, int64_t(args.size()), int64_t(count));
        return false;
    };
    if (node.module.name) return typeOfQualified(node, args);
    for (size_t i = typeParams_.size(); i-- > 0;)
        if (typeParams_[i].first == node.name.name) return expectArgs(0) ? typeParams_[i].second : types_.error();
    auto alias = module_->aliases.find(node.name.name.id);
    if (alias != module_->aliases.end() && !alias->second) return types_.error();  // an import that failed
    if (alias != module_->aliases.end()) return isBad ? types_.error() : typeOfAlias(*alias->second, args, node.range);
    if (auto nominal = module_->nominals.find(node.name.name.id); nominal != module_->nominals.end())
        return isBad || !nominal->second ? types_.error() : typeOfNominal(*nominal->second, args, node.range);
    struct Simple {
        std::string_view name;
        const Type* type;
    };
    const Simple simple[] = {
        {"number", types_.number()},        {"string", types_.string()}, {"integer", types_.integer()},
        {"boolean", types_.boolean()},      {"any", types_.any()},       {"void", types_.voidType()},
        {"Function", types_.anyFunction()}, {"File", types_.file()},     {"nil", types_.nil()},
    };
    for (const Simple& s : simple)
        if (s.name == name) return expectArgs(0) ? s.type : types_.error();
    if (name == "Array") return expectArgs(1) ? types_.array(args[0]) : types_.error();
    if (name == "Table") {
        if (!expectArgs(2)) return types_.error();
        if (args[0]->admitsNil && !isAny(args[0])) {
            diags_.report(diag::NilKey, node.args[0]->range, show(args[0]));
            return types_.error();
        }
        if (auto* param = asIf<TypeParamType>(args[0]); param && !param->use->keyAt.isValid())
            param->use->keyAt = node.args[0]->range;
        return types_.table(args[0], args[1]);
    }
    if (builtinBound(node)) {
        diags_.report(diag::BoundAsType, node.range, name);
        return types_.error();
    }
    frontend::Suggester suggester(name);
    for (const Simple& s : simple) suggester.offer(s.name);
    suggester.offer("Array");
    suggester.offer("Table");
    for (ast::Stmt* s : module_->tree->main->body.statements)
        if (auto* a = ast::as<ast::TypeAliasDecl>(s)) suggester.offer(text(a->name.name));
    for (Nominal* nominal : module_->ownNominals) suggester.offer(text(nominal->name));
    if (module_->misplaced.count(node.name.name.id)) return types_.error();
    diags_.report(diag::UnknownType, node.name.range, name).didYouMean(node.name.range, suggester.best());
    return types_.error();
}

/// A class, interface or enum with its type arguments.
const Type* Checker::typeOfNominal(Nominal& info, std::span<const Type* const> args, Range range) {
    const size_t wanted =
        info.nominalKind == NominalKind::Enum ? 0 : static_cast<ObjectInfo&>(info).typeParams.count;
    if (args.size() != wanted) {
        diags_.report(diag::TypeArgumentCount, range, text(info.name), int64_t(args.size()), int64_t(wanted));
        return types_.error();
    }
    if (wanted > 0 && !checkBounds(static_cast<ObjectInfo&>(info).typeParams.span(), args, range)) return types_.error();
    switch (info.nominalKind) {
        case NominalKind::Class: return types_.classType(static_cast<ClassInfo*>(&info), args);
        case NominalKind::Interface: return types_.interfaceType(static_cast<InterfaceInfo*>(&info), args);
        case NominalKind::Enum: return static_cast<EnumInfo&>(info).selfType;
    }
    return types_.error();
}

/// The module that a name at the top level of this one stands for. Null if its import failed or, with `isKnown` false, if
/// it stands for none.
ModuleInfo* Checker::namespaceNamed(Symbol name, bool& isKnown) const {
    isKnown = true;
    for (auto& [decl, module] : module_->importOf) {
        auto* import = ast::as<ast::ImportDecl>(decl);
        if (import && import->namespaceName.name == name) return module;
    }
    for (ast::Stmt* s : module_->tree->main->body.statements) {
        auto* local = module_->requireOf.empty() ? nullptr : ast::as<ast::LocalStmt>(s);
        if (!local || local->names.count != 1 || local->names[0].name != name) continue;
        if (auto* v = static_cast<SemaVar*>(local->names[0].variable); v->namespaceOf) return v->namespaceOf;
    }
    isKnown = false;
    return nullptr;
}

/// `geo.Point` of `import * as geo` or `local geo = require("geo")`.
const Type* Checker::typeOfQualified(ast::NamedType& node, std::span<const Type* const> args) {
    bool isKnown = false;
    ModuleInfo* module = namespaceNamed(node.module.name, isKnown);
    if (!isKnown) diags_.report(diag::UnknownType, node.module.range, text(node.module.name));
    if (!module) return types_.error();
    auto found = module->exports.find(node.name.name.id);
    if (found != module->exports.end() && found->second.alias)
        return typeOfAlias(*found->second.alias, args, node.range);
    if (found != module->exports.end() && found->second.nominal)
        return typeOfNominal(*found->second.nominal, args, node.range);
    diags_.report(diag::NotExported, node.name.range, text(node.module.name), text(node.name.name));
    return types_.error();
}

/// The kind of type that a node will turn out to be, without resolving it.
TypeKind Checker::aliasKind(ast::TypeNode& node, ModuleInfo& module, int depth) {
    switch (node.kind) {
        case ast::NodeKind::ArrayType: return TypeKind::Array;
        case ast::NodeKind::FunctionType: return TypeKind::Function;
        case ast::NodeKind::RecordType: return TypeKind::Record;
        case ast::NodeKind::OptionalType:
        case ast::NodeKind::UnionType: return TypeKind::Union;
        case ast::NodeKind::NamedType: {
            auto& named = static_cast<ast::NamedType&>(node);
            const std::string_view name = text(named.name.name);
            auto found = module.aliases.find(named.name.name.id);
            if (found != module.aliases.end() && found->second && depth < 64)
                return aliasKind(*found->second->decl->aliased, *found->second->module, depth + 1);
            if (name == "Array") return TypeKind::Array;
            if (name == "Table") return TypeKind::Table;
            return TypeKind::Error;
        }
        default: return TypeKind::Error;
    }
}

/// The alias that `type A = B` names, or null if it means anything else.
AliasInfo* Checker::aliasedAlias(const AliasInfo& alias) {
    auto* named = ast::as<ast::NamedType>(alias.decl->aliased);
    if (!named || !named->args.empty() || named->module.name || !alias.decl->typeParams.empty()) return nullptr;
    auto next = alias.module->aliases.find(named->name.name.id);
    return next == alias.module->aliases.end() ? nullptr : next->second;
}

/// `type A = B` is B, so that the two never part when B is recursive. Chains may be of any length.
const Type* Checker::typeOfAliasChain(AliasInfo& first, AliasInfo& second) {
    if (first.isAliasOf) return first.isAliasOf;
    std::vector<AliasInfo*> passed{&first};
    first.isBeingPassed = true;
    AliasInfo* last = &second;
    const Type* type = nullptr;
    for (AliasInfo* next; !type; last = next) {
        next = aliasedAlias(*last);
        if (!next) break;
        if (last->isBeingPassed) {
            diags_.report(diag::AliasOfItself, last->decl->name.range, text(last->decl->name.name));
            type = types_.error();
        } else if (last->isAliasOf) {
            type = last->isAliasOf;
        } else {
            last->isBeingPassed = true;
            passed.push_back(last);
        }
    }
    for (AliasInfo* alias : passed) alias->isBeingPassed = false;
    if (!type) type = typeOfAlias(*last, {}, passed.back()->decl->aliased->range);
    for (AliasInfo* alias : passed) alias->isAliasOf = type;
    return type;
}

/// The type parameters of an alias with their bounds.
void Checker::declareAliasParams(AliasInfo& alias) {
    const List<ast::TypeParam> written = alias.decl->typeParams;
    if (written.empty() || alias.areParamsKnown) return;
    alias.areParamsKnown = true;
    alias.typeParams = declareTypeParams(written);
    ModuleInfo* const module = std::exchange(module_, alias.module);
    const auto outerParams = std::move(typeParams_);
    typeParams_.clear();
    for (const TypeParamType* param : alias.typeParams) typeParams_.push_back({param->name, param});
    resolveBounds(written, alias.typeParams);
    typeParams_ = outerParams;
    module_ = module;
}

const Type* Checker::typeOfAlias(AliasInfo& alias, std::span<const Type* const> args, Range range) {
    ast::TypeAliasDecl& decl = *alias.decl;
    const std::string_view name = text(decl.name.name);
    if (args.size() != decl.typeParams.count) {
        diags_.report(diag::TypeArgumentCount, range, name, int64_t(args.size()), int64_t(decl.typeParams.count));
        return types_.error();
    }
    if (AliasInfo* next = aliasedAlias(alias)) return typeOfAliasChain(alias, *next);
    declareAliasParams(alias);
    if (!checkBounds(alias.typeParams.span(), args, range)) return types_.error();
    AliasInfo::Instance* instance = nullptr;
    int busy = 0;
    for (auto& known : alias.instances) {
        busy += known->isBusy;
        if (std::equal(known->args.begin(), known->args.end(), args.begin(), args.end())) instance = known;
    }
    if (instance) {
        if (!instance->isBusy) return instance->type;
        // A reference to itself from inside: the nominal type is handed out unfinished.
        if (!instance->begun) {
            const TypeKind kind = aliasKind(*decl.aliased, *alias.module, 0);
            if (kind == TypeKind::Error) {
                diags_.report(diag::AliasOfItself, decl.name.range, name);
                return types_.error();
            }
            instance->begun = types_.beginAlias(kind, &alias, decl.name.name, args);
        }
        return instance->begun;
    }
    if (busy > 8) {
        diags_.report(diag::AliasExpands, decl.name.range, name);
        return types_.error();
    }
    if (aliasDepth_ >= kMaxAliasDepth) {
        diags_.report(diag::TooDeep, range, int64_t(kMaxAliasDepth));
        return types_.error();
    }
    aliasDepth_++;
    instance = arena().make<AliasInfo::Instance>();
    instance->args = arena().makeList<const Type*>(args);
    instance->isBusy = true;
    alias.instances.push_back(instance);
    ModuleInfo* const module = module_;
    module_ = alias.module;
    const auto outerParams = std::move(typeParams_);
    typeParams_.clear();
    for (uint32_t i = 0; i < args.size(); i++) typeParams_.push_back({decl.typeParams[i].name, args[i]});
    const Type* type = typeOf(*decl.aliased);
    aliasDepth_--;
    typeParams_ = outerParams;
    module_ = module;
    if (instance->begun) {
        // `type A = A | nil` has no structure of its own.
        auto* u = asIf<UnionType>(type);
        const bool isCircular =
            u && std::find(u->members.begin(), u->members.end(), instance->begun) != u->members.end();
        if (type == instance->begun || type->kind != instance->begun->kind || isCircular) {
            if (!isError(type)) diags_.report(diag::AliasOfItself, decl.name.range, name);
            type = types_.error();
        } else {
            types_.completeAlias(instance->begun, type);
            type = instance->begun;
        }
    }
    instance->isBusy = false;
    instance->type = type;
    return type;
}

}  // namespace luapp::sema
