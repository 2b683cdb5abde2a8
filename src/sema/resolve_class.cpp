// Classes, interfaces and enums before checking: their infos, members and functions, and what bare names mean in them.
#include <algorithm>

#include "sema/resolve_impl.h"

namespace luapp::sema {

namespace diag = frontend::diag;

namespace {

/// Makes the info of one declaration.
class NominalMaker {
  public:
    NominalMaker(ResolveContext& context, ModuleInfo& module) : context_(context), module_(module) {}

    ClassInfo* makeClass(ast::ClassDecl& decl) {
        auto* info = context_.program.make<ClassInfo>();
        fill(*info, NominalKind::Class, decl.name);
        info->decl = &decl;
        makeTypeParams(*info, decl.typeParams);
        std::vector<const Type*> args(info->typeParams.begin(), info->typeParams.end());
        info->selfType = types().classType(info, args);
        info->initializer = newFunction(context_, nullptr, module_.main, &module_);
        info->initializer->range = decl.name.range;
        makeFunction(*info, *info->initializer, context_.interner.text(decl.name.name), true);
        for (ast::Decl* member : decl.members) {
            if (auto* field = ast::as<ast::FieldDecl>(member)) {
                makeField(*info, *field);
            } else if (auto* event = ast::as<ast::EventDecl>(member)) {
                auto* made = context_.program.make<FieldInfo>();
                made->event = event;
                fillMember(*info, *made, event->name, event->modifiers, MemberInfo::Kind::Field);
                info->fields.push_back(made);
            } else if (auto* method = ast::as<ast::MethodDecl>(member)) {
                MethodInfo* made = makeMethod(*info, *method);
                made->function = newFunction(context_, method->body, module_.main, &module_);
                made->function->method = made;
                made->function->isConst = method->modifiers.isConst;
                makeFunction(*info, *made->function, qualified(info->name, method->name.name),
                             !method->modifiers.isStatic);
            } else if (auto* constructor = ast::as<ast::ConstructorDecl>(member)) {
                makeConstructor(*info, *constructor);
            }
        }
        return info;
    }

    InterfaceInfo* makeInterface(ast::InterfaceDecl& decl) {
        auto* info = context_.program.make<InterfaceInfo>();
        fill(*info, NominalKind::Interface, decl.name);
        info->decl = &decl;
        makeTypeParams(*info, decl.typeParams);
        std::vector<const Type*> args(info->typeParams.begin(), info->typeParams.end());
        info->selfType = types().interfaceType(info, args);
        for (ast::Decl* member : decl.members) {
            if (auto* field = ast::as<ast::FieldDecl>(member)) {
                FieldInfo* made = makeField(*info, *field);
                made->reader = context_.program.make<MethodInfo>();
                made->writer = context_.program.make<MethodInfo>();
                for (MethodInfo* half : {made->reader, made->writer}) {
                    half->name = made->name;
                    half->range = made->range;
                    half->owner = info;
                    half->memberKind = MemberInfo::Kind::Method;
                    half->entry = half;
                    half->entryOwner = info->selfType;
                }
                made->reader->reads = made;
                made->writer->writes = made;
            } else if (auto* method = ast::as<ast::MethodDecl>(member)) {
                makeMethod(*info, *method);
            }
        }
        return info;
    }

    EnumInfo* makeEnum(ast::EnumDecl& decl) {
        auto* info = context_.program.make<EnumInfo>();
        fill(*info, NominalKind::Enum, decl.name);
        info->decl = &decl;
        info->selfType = types().enumType(info);
        return info;
    }

  private:
    TypeTable& types() { return context_.program.types; }

    std::string_view qualified(Symbol type, Symbol member) {
        return context_.program.arena.copyText(std::string(context_.interner.text(type)) + "." +
                                               std::string(context_.interner.text(member)));
    }

    void fill(Nominal& info, NominalKind kind, const ast::Ident& name) {
        info.nominalKind = kind;
        info.name = name.name;
        info.range = name.range;
        info.module = &module_;
        info.types = &types();
        info.variable = newVariable(context_, name.name, name.range, module_.main, &module_);
        info.variable->nominal = &info;
        info.variable->isTopLevel = true;
        info.variable->isConst = true;
        info.variable->isTypeKnown = true;
        info.variable->type = types().any();
    }

    void makeTypeParams(ObjectInfo& info, const List<ast::TypeParam>& nodes) {
        info.typeParamNodes = nodes;
        std::vector<const TypeParamType*> params;
        for (const ast::TypeParam& node : nodes) params.push_back(types().typeParam(node.name, uint32_t(params.size())));
        info.typeParams = context_.program.arena.makeList<const TypeParamType*>(params);
    }

    void fillMember(ObjectInfo& info, MemberInfo& member, const ast::Ident& name, const ast::Modifiers& modifiers,
                    MemberInfo::Kind kind) {
        member.name = name.name;
        member.range = name.range;
        member.access = modifiers.access;
        member.isStatic = modifiers.isStatic;
        member.isConst = modifiers.isConst;
        member.owner = &info;
        member.memberKind = kind;
        if (!name.name) return;
        if (kind == MemberInfo::Kind::Method && member.isStatic && context_.interner.text(name.name).starts_with("__")) {
            auto& operators = info.staticOperators;
            const bool isNew = std::none_of(operators.begin(), operators.end(),
                                            [&](const MethodInfo* other) { return other->name == name.name; });
            operators.push_back(static_cast<MethodInfo*>(&member));
            if (isNew) return;
        }
        if (!info.memberOf.emplace(name.name.id, &member).second)
            context_.diagnostics
                .report(diag::DuplicateMember, name.range, context_.interner.text(name.name),
                        context_.interner.text(info.name))
                .note(diag::DeclaredHere, info.memberOf[name.name.id]->range, context_.interner.text(name.name));
    }

    FieldInfo* makeField(ObjectInfo& info, ast::FieldDecl& field) {
        auto* made = context_.program.make<FieldInfo>();
        made->decl = &field;
        fillMember(info, *made, field.name, field.modifiers, MemberInfo::Kind::Field);
        info.fields.push_back(made);
        if (made->isStatic) {
            SemaVar* variable = newVariable(context_, field.name.name, field.name.range, module_.main, &module_);
            variable->isTopLevel = true;
            variable->usedByInner = true;
            variable->field = made;
            variable->isConst = made->isConst;
            variable->isReassigned = !made->isConst;
            made->variable = variable;
        }
        return made;
    }

    MethodInfo* makeMethod(ObjectInfo& info, ast::MethodDecl& method) {
        auto* made = context_.program.make<MethodInfo>();
        made->decl = &method;
        fillMember(info, *made, method.name, method.modifiers, MemberInfo::Kind::Method);
        made->entry = made;
        made->entryOwner = info.nominalKind == NominalKind::Class
                               ? static_cast<const Type*>(static_cast<ClassInfo&>(info).selfType)
                               : static_cast<InterfaceInfo&>(info).selfType;
        info.methods.push_back(made);
        return made;
    }

    void makeConstructor(ClassInfo& info, ast::ConstructorDecl& constructor) {
        auto* made = context_.program.make<ConstructorInfo>();
        made->decl = &constructor;
        made->owner = &info;
        made->range = constructor.keyword;
        made->access = constructor.modifiers.access;
        made->isImplicit = constructor.modifiers.isImplicit;
        made->function = newFunction(context_, constructor.body, module_.main, &module_);
        made->function->constructor = made;
        makeFunction(info, *made->function, context_.interner.text(info.name), true);
        info.constructors.push_back(made);
        info.declaresConstructor = true;
        info.hasImplicit |= made->isImplicit;
    }

    void makeFunction(ClassInfo& info, FunctionInfo& function, std::string_view name, bool takesSelf) {
        function.name = name;
        function.classInfo = &info;
        function.topLevel = &function;
        if (!takesSelf) return;
        SemaVar* self = newVariable(context_, context_.interner.intern("self"), info.range, &function, &module_);
        self->kind = VarKind::Param;
        self->isConst = true;
        self->isAssigned = true;
        self->isTypeKnown = true;
        self->type = info.selfType;
        function.selfParam = self;
    }

    ResolveContext& context_;
    ModuleInfo& module_;
};

}  // namespace

Nominal* declareNominal(ResolveContext& context, ModuleInfo& module, ast::Stmt& stmt) {
    NominalMaker maker(context, module);
    if (auto* c = ast::as<ast::ClassDecl>(&stmt)) return maker.makeClass(*c);
    if (auto* i = ast::as<ast::InterfaceDecl>(&stmt)) return maker.makeInterface(*i);
    if (auto* e = ast::as<ast::EnumDecl>(&stmt)) return maker.makeEnum(*e);
    return nullptr;
}

ClassInfo* classNamed(const ModuleInfo& module, const ast::TypeNode& node) {
    const ast::TypeNode* at = &node;
    for (int depth = 0; depth < 64; depth++) {
        auto* named = ast::as<ast::NamedType>(at);
        if (!named || named->module.name) return nullptr;
        auto nominal = module.nominals.find(named->name.name.id);
        if (nominal != module.nominals.end())
            return nominal->second && nominal->second->nominalKind == NominalKind::Class
                       ? static_cast<ClassInfo*>(nominal->second)
                       : nullptr;
        auto alias = module.aliases.find(named->name.name.id);
        if (alias == module.aliases.end() || !alias->second || alias->second->module != &module) return nullptr;
        at = alias->second->decl->aliased;
    }
    return nullptr;
}

std::vector<ClassInfo*> basesInModule(const ClassInfo& info) {
    std::vector<ClassInfo*> bases;
    for (const ast::TypeNode* node : info.decl->bases)
        if (ClassInfo* base = classNamed(*info.module, *node); base && base->module == info.module) bases.push_back(base);
    return bases;
}

MemberInfo* bareMember(ResolveContext& context, ClassInfo& info, Symbol name) {
    std::vector<ClassInfo*> seen{&info};
    for (size_t i = 0; i < seen.size(); i++) {
        auto found = seen[i]->memberOf.find(name.id);
        if (found != seen[i]->memberOf.end() && (i == 0 || found->second->access != Access::Private)) {
            MemberInfo* member = found->second;
            if (!member->bare) {
                member->bare = newVariable(context, name, member->range, nullptr, info.module);
                member->bare->member = member;
                member->bare->isTopLevel = true;
            }
            return member;
        }
        for (ClassInfo* base : basesInModule(*seen[i]))
            if (std::find(seen.begin(), seen.end(), base) == seen.end()) seen.push_back(base);
    }
    return nullptr;
}

}  // namespace luapp::sema
