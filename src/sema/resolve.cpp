#include "sema/resolve.h"

#include <algorithm>

#include "frontend/ast/ast_visit.h"
#include "frontend/diag/suggest.h"
#include "sema/builtin_types.h"
#include "sema/list_limits.h"
#include "sema/resolve_impl.h"

namespace luapp::sema {

namespace diag = frontend::diag;

SemaVar* newVariable(ResolveContext& context, Symbol name, Range range, FunctionInfo* home, ModuleInfo* module) {
    auto* variable = context.program.arena.make<SemaVar>();
    variable->name = name;
    variable->range = range;
    variable->owner = home;
    variable->home = home;
    variable->module = module;
    if (home) {
        variable->index = home->variableCount++;
        variable->nextInHome = home->variables;
        home->variables = variable;
    }
    return variable;
}

FunctionInfo* newFunction(ResolveContext& context, ast::FunctionBody* body, FunctionInfo* outer, ModuleInfo* module) {
    auto* function = context.program.arena.make<FunctionInfo>();
    function->body_ = body;
    function->module = module->typed;
    function->in = module;
    function->parent = outer;
    function->outer = outer;
    function->number = ++context.functionCount;
    if (body) {
        function->range = body->range;
        function->isVararg = body->isVararg;
        context.functions[body] = function;
    }
    context.program.functions.push_back(function);
    return function;
}

void reportDuplicate(ResolveContext& context, Symbol name, Range range) {
    context.diagnostics.report(diag::DuplicateDeclaration, range, context.interner.text(name));
}

namespace {

SemaVar* varOf(const ast::NameDecl& name) { return static_cast<SemaVar*>(name.variable); }

SemaVar* newVariable(ResolveContext& context, const ast::NameDecl& name, FunctionInfo* home, ModuleInfo* module) {
    return newVariable(context, name.name, name.range, home, module);
}

void addEdge(ResolveContext& context, CallEdge*& list, FunctionInfo* callee) {
    if (list && list->callee == callee) return;
    list = context.program.arena.make<CallEdge>(callee, list);
}

/// Walks the bodies of one module. Bindings are kept per symbol, so a look-up is one array access.
class Resolver {
  public:
    Resolver(ResolveContext& context, ModuleInfo& module) : context_(context), module_(module) {
        selfName_ = context.interner.intern("self");
        notesGlobals_ = context.warnsOfGlobals && module.tree->isLenient;
        bindings_.resize(context.interner.size());
        for (Nominal* nominal : module.ownNominals)
            hasImplicit_ |= nominal->nominalKind == NominalKind::Class && static_cast<ClassInfo*>(nominal)->hasImplicit;
    }

    /// After run(): warnings about globals and unused locals.
    void warn() {
        auto text = [&](Symbol name) { return context_.interner.text(name); };
        auto isKnown = [&](Symbol name) {
            return Builtins::find(text(name)) || Builtins::isLibrary(text(name)) || text(name) == "_G" || text(name) == "arg";
        };
        for (const GlobalUse& use : globalUses_) {
            if (isKnown(use.name) || changesEnvironments_) continue;
            GlobalFacts& facts = globals_[use.name.id];
            if (use.isWrite && !facts.isDeclared && !facts.isWriteReported) {
                context_.diagnostics.report(diag::UndeclaredGlobal, use.range, text(use.name));
                facts.isWriteReported = true;
            }
            if (!use.isWrite && !facts.isAssigned && !facts.isReadReported) {
                context_.diagnostics.report(diag::NeverAssignedGlobal, use.range, text(use.name));
                facts.isReadReported = true;
            }
        }
        for (const SemaVar* local : locals_)
            if (!local->isUsed && !text(local->name).starts_with('_'))
                context_.diagnostics.report(diag::UnusedLocal, local->range, text(local->name));
    }

    void run() {
        ast::FunctionBody& main = *module_.tree->main;
        function_ = module_.main;
        // What interfaces and aliases name may be used by anybody at any time.
        if (hasImplicit_) {
            for (Nominal* nominal : module_.ownNominals)
                if (nominal->nominalKind == NominalKind::Interface)
                    for (MethodInfo* method : static_cast<InterfaceInfo*>(nominal)->methods)
                        walkImplicitOf(*method->decl->body, *module_.main);
            for (ast::Stmt* stmt : main.body.statements)
                if (auto* alias = ast::as<ast::TypeAliasDecl>(stmt)) walkImplicit(alias->aliased, nullptr);
        }
        for (FunctionInfo* hoisted : module_.hoisted) bind(hoisted->self_);
        for (Nominal* nominal : module_.ownNominals) bind(nominal->variable);
        bindImports();
        uint32_t number = 0;
        for (ast::Stmt* stmt : main.body.statements) {
            statement_ = number++;
            visit(*stmt);
        }
    }

  private:
    struct Undo {
        uint32_t symbol;
        SemaVar* old;
    };
    struct GlobalUse {
        Symbol name;
        Range range;
        bool isWrite;
    };
    struct GlobalFacts {
        bool isAssigned = false;  // somewhere
        bool isDeclared = false;  // outside functions
        bool isWriteReported = false;
        bool isReadReported = false;
    };

    // ---- Globals of lenient files

    void noteGlobal(Symbol name, Range range, bool isWrite) {
        if (!notesGlobals_) return;
        const std::string_view text = context_.interner.text(name);
        changesEnvironments_ |= text == "setfenv" || text == "module";
        if (isWrite) {
            GlobalFacts& facts = globals_[name.id];
            facts.isAssigned = true;
            facts.isDeclared |= function_ == module_.main;
        }
        globalUses_.push_back({name, range, isWrite});
    }
    /// `_G.name = value` declares a global as well.
    void noteGlobalMember(const ast::Expr& target) {
        auto* field = ast::as<ast::FieldExpr>(&target);
        auto* object = field ? ast::as<ast::NameExpr>(field->object) : nullptr;
        if (!notesGlobals_ || !object || object->resolved || context_.interner.text(object->name) != "_G") return;
        GlobalFacts& facts = globals_[field->field.name.id];
        facts.isAssigned = facts.isDeclared = true;
    }
    void noteLocal(SemaVar* variable) {
        if (notesGlobals_ && variable->name) locals_.push_back(variable);
    }

    // ---- Scopes

    void bind(SemaVar* variable) {
        if (!variable->name) return;
        undo_.push_back({variable->name.id, bindings_[variable->name.id]});
        bindings_[variable->name.id] = variable;
    }
    void hide(Symbol name) {
        undo_.push_back({name.id, bindings_[name.id]});
        bindings_[name.id] = nullptr;
    }
    size_t enter() const { return undo_.size(); }
    void leave(size_t scope) {
        while (undo_.size() > scope) {
            bindings_[undo_.back().symbol] = undo_.back().old;
            undo_.pop_back();
        }
    }
    /// A lenient chunk may run more than once, so that its locals are those of any function; but methods find only module variables.
    bool atTopLevel() const {
        return function_ == module_.main && depth_ == 0 && (!module_.tree->isLenient || !module_.ownNominals.empty());
    }

    SemaVar* declare(ast::NameDecl& name) {
        SemaVar* variable = varOf(name);
        if (!variable) {
            variable = newVariable(context_, name, function_, &module_);
            name.variable = variable;
        }
        variable->isTopLevel = atTopLevel();
        variable->statement = statement_;
        return variable;
    }

    void bindImports() {
        for (ast::Stmt* stmt : module_.tree->main->body.statements)
            if (auto* import = ast::as<ast::ImportDecl>(stmt)) {
                for (ast::ImportName& name : import->names)
                    if (name.local.variable) bindAs(name.local.name, varOf(name.local));
                if (import->namespaceName.variable) bind(varOf(import->namespaceName));
            }
    }
    void bindAs(Symbol name, SemaVar* variable) {
        undo_.push_back({name.id, bindings_[name.id]});
        bindings_[name.id] = variable;
    }

    // ---- Uses

    void use(SemaVar* variable) {
        variable->isUsed = true;
        if (variable->home == function_) {
            if (variable->isTopLevel) noteTopLevelUse(variable);
            return;
        }
        variable->usedByInner = true;
        if (variable->isTopLevel || variable->module != &module_ || variable->namespaceOf) {
            noteTopLevelUse(variable);
            if (function_ != module_.main) noteCapture(variable);
            return;
        }
        noteCapture(variable);
    }
    void noteCapture(SemaVar* variable) {
        if (variable->module != &module_) return;
        for (FunctionInfo* f = function_; f && f != variable->home; f = f->outer) {
            if (variable->lastUser == f->number) return;
            variable->lastUser = f->number;
            bool known = false;
            int steps = 0;
            for (Capture* c = f->uses; c && !known && steps < 64; c = c->next, steps++) known = c->variable == variable;
            if (!known) f->uses = context_.program.arena.make<Capture>(variable, f->uses);
        }
    }
    void noteTopLevelUse(SemaVar* variable) {
        auto* callee = static_cast<FunctionInfo*>(variable->function);
        if (variable->nominal && variable->nominal->nominalKind == NominalKind::Class)
            callee = static_cast<ClassInfo*>(variable->nominal)->initializer;
        if (!callee || !callee->topLevel || callee->in != &module_) return;
        if (function_->topLevel)
            addEdge(context_, function_->topLevel->edges, callee);
        else
            roots_.push_back({statement_, callee});
    }
    void assign(ast::Expr& target) {
        auto* name = ast::as<ast::NameExpr>(&target);
        if (!name) {
            visit(target);
            return noteGlobalMember(target);
        }
        const bool wasUsed = lookUp(*name);
        auto* variable = static_cast<SemaVar*>(name->resolved);
        if (!variable) return noteGlobal(name->name, name->range, true);
        variable->isUsed = wasUsed;
        variable->isReassigned = true;
        variable->assignments = context_.program.arena.make<AssignSite>(name->range.begin, variable->assignments);
    }
    /// In a class body a bare name means a member before anything at the top level (LANGUAGE 6).
    SemaVar* bareName(ast::NameExpr& name, SemaVar* variable) {
        const bool isOuter = !variable || variable->isTopLevel || variable->namespaceOf || variable->module != &module_;
        MemberInfo* member = isOuter ? bareMember(context_, *class_, name.name) : nullptr;
        if (!member) return variable;
        const std::string_view text = context_.interner.text(name.name);
        if (variable || Builtins::find(text) || Builtins::isLibrary(text))
            context_.diagnostics.report(diag::BareNameAmbiguous, name.range, text,
                                        context_.interner.text(member->owner->name));
        if (!member->isStatic) useSelf();
        return member->bare;
    }
    void useSelf() {
        if (SemaVar* self = bindings_[selfName_.id]) use(self);
    }
    /// True if the variable has been used before.
    bool lookUp(ast::NameExpr& name) {
        SemaVar* variable = name.name.id < bindings_.size() ? bindings_[name.name.id] : nullptr;
        if (class_) variable = bareName(name, variable);
        name.resolved = variable;
        const bool wasUsed = variable && variable->isUsed;
        if (variable && variable->member) {
            if (variable->member->isStatic) use(variable->member->owner->variable);
        } else if (variable) {
            use(variable);
        }
        return wasUsed;
    }

    // ---- Expressions

    void visit(ast::Expr* expr) {
        if (expr) visit(*expr);
    }
    void visit(ast::Expr& expr) {
        ast::visitExpr(expr, [this](auto& node) { walk(node); });
    }
    template <class T>
    void visitAll(const ast::List<T*>& nodes) {
        for (T* node : nodes) visit(*node);
    }

    void walk(ast::NilExpr&) {}
    void walk(ast::BoolExpr&) {}
    void walk(ast::NumberExpr&) {}
    void walk(ast::StringExpr&) {}
    void walk(ast::VarargExpr&) {}
    void walk(ast::BaseExpr&) {
        if (class_) useSelf();
    }
    void walk(ast::ErrorExpr&) {}
    void walk(ast::InterpExpr& e) { visitAll(e.values); }
    void walk(ast::NameExpr& e) {
        lookUp(e);
        if (!e.resolved) noteGlobal(e.name, e.range, false);
    }
    void walk(ast::FieldExpr& e) { visit(*e.object); }
    void walk(ast::IndexExpr& e) {
        visit(*e.object);
        visit(*e.index);
    }
    void walk(ast::CallExpr& e) {
        checkLength(context_.diagnostics, e.args.count, "arguments", [&](uint32_t i) { return e.args[i]->range; });
        visit(*e.callee);
        visitAll(e.args);
    }
    void walk(ast::ChainExpr& e) { visit(*e.chain); }
    void walk(ast::FunctionExpr& e) { walkFunction(*e.body, nullptr, false); }
    void walk(ast::UnaryExpr& e) { visit(*e.operand); }
    void walk(ast::BinaryExpr& e) {
        ast::Expr* at = &e;
        const size_t base = spine_.size();
        while (auto* binary = ast::as<ast::BinaryExpr>(at)) {
            spine_.push_back(binary);
            at = binary->left;
        }
        visit(*at);
        while (spine_.size() > base) {
            ast::BinaryExpr* binary = spine_.back();
            spine_.pop_back();
            visit(*binary->right);
        }
    }
    void walk(ast::ConcatExpr& e) { visitAll(e.operands); }
    void walk(ast::IncDecExpr& e) { assign(*e.target); }
    void walk(ast::TypeTestExpr& e) { visit(*e.operand); }
    void walk(ast::CastExpr& e) { visit(*e.operand); }
    void walk(ast::NonNilExpr& e) { visit(*e.operand); }
    void walk(ast::BraceExpr& e) {
        for (ast::BraceItem& item : e.items) {
            visit(item.key);
            visit(item.value);
        }
    }
    void walk(ast::ParenExpr& e) { visit(*e.inner); }

    // ---- Statements

    void visit(ast::Stmt& stmt) {
        ast::visitStmt(stmt, [this](auto& node) { walk(node); });
    }
    void walkBlock(ast::Block& block) {
        const size_t scope = enter();
        depth_++;
        for (ast::Stmt* stmt : block.statements) visit(*stmt);
        depth_--;
        leave(scope);
    }

    void walk(ast::LocalStmt& s) {
        visitAll(s.values);
        for (ast::NameDecl& name : s.names) {
            walkImplicit(name.type, function_->topLevel);
            SemaVar* variable = declare(name);
            variable->isConst = s.isConst;
            variable->isDeclaredLater = s.values.empty();
        }
        for (ast::NameDecl& name : s.names) {
            bind(varOf(name));
            if (!s.isExported) noteLocal(varOf(name));
        }
        if (s.names.count == 1 && s.values.count == 1 && !s.names[0].type) noteRequired(s);
    }
    /// `local m = require("m")`: `m` means the module.
    void noteRequired(ast::LocalStmt& s) {
        auto* call = ast::as<ast::CallExpr>(s.values[0]);
        if (!call || module_.requireOf.count(call) == 0) return;
        if (!static_cast<ast::NameExpr*>(call->callee)->resolved) varOf(s.names[0])->required = call;
    }
    void walk(ast::AssignStmt& s) {
        for (ast::Expr* target : s.targets) assign(*target);
        visitAll(s.values);
    }
    void walk(ast::CompoundStmt& s) {
        assign(*s.target);
        visit(*s.value);
    }
    void walk(ast::ExprStmt& s) { visit(*s.expr); }
    void walk(ast::DoStmt& s) { walkBlock(s.body); }
    void walk(ast::WhileStmt& s) {
        visit(*s.condition);
        walkBlock(s.body);
    }
    void walk(ast::RepeatStmt& s) {
        const size_t scope = enter();
        depth_++;
        for (ast::Stmt* stmt : s.body.statements) visit(*stmt);
        visit(*s.condition);
        depth_--;
        leave(scope);
    }
    void walk(ast::IfStmt& s) {
        for (ast::IfClause& clause : s.clauses) {
            visit(clause.condition);
            walkBlock(clause.body);
        }
    }
    void walk(ast::NumericForStmt& s) {
        visit(*s.from);
        visit(*s.to);
        visit(s.step);
        const size_t scope = enter();
        depth_++;
        declareLoop(s.variable);
        varOf(s.variable)->isNumericLoop = true;
        walkBlock(s.body);
        depth_--;
        leave(scope);
    }
    void walk(ast::GenericForStmt& s) {
        checkLength(context_.diagnostics, s.variables.count, "loop variables", [&](uint32_t i) { return s.variables[i].range; });
        visitAll(s.values);
        const size_t scope = enter();
        depth_++;
        for (ast::NameDecl& name : s.variables) declareLoop(name);
        walkBlock(s.body);
        depth_--;
        leave(scope);
    }
    void declareLoop(ast::NameDecl& name) {
        SemaVar* variable = declare(name);
        variable->isLoopVariable = true;
        bind(variable);
    }
    void walk(ast::ReturnStmt& s) {
        checkLength(context_.diagnostics, s.values.count, "values returned", [&](uint32_t i) { return s.values[i]->range; });
        visitAll(s.values);
    }
    void walk(ast::BreakStmt&) {}
    void walk(ast::ContinueStmt&) {}
    void walk(ast::GotoStmt&) {}
    void walk(ast::LabelStmt&) {}
    void walk(ast::ErrorStmt&) {}

    // ---- Declarations

    void walk(ast::FunctionDecl& d) {
        if (SemaVar* variable = varOf(d.name)) {  // hoisted
            static_cast<ast::NameExpr*>(d.target)->resolved = variable;
            walkFunction(*d.body, variable, true);
            return;
        }
        if (ast::is<ast::NameExpr>(d.target))
            assign(*d.target);
        else if (auto* field = ast::as<ast::FieldExpr>(d.target))
            visit(*field->object);
        walkFunction(*d.body, nullptr, false, d.isMethod);
    }
    void walk(ast::LocalFunctionDecl& d) {
        SemaVar* variable = declare(d.name);
        variable->isConst = d.isConst;
        bind(variable);
        if (!d.isExported) noteLocal(variable);
        walkFunction(*d.body, variable, true);
        static_cast<FunctionInfo*>(variable->function)->isConst = d.isConst;
    }
    void walk(ast::ClassDecl& d) {
        noteDeclared(d.name);
        ClassInfo* const info = infoOf(d);
        if (!info) return;
        info->variable->statement = statement_;
        ClassInfo* const outer = class_;
        class_ = info;
        for (FieldInfo* field : info->fields) {
            if (field->variable) field->variable->statement = statement_;
            if (!field->decl) continue;
            walkImplicit(field->decl->type, info->initializer);
            if (field->decl->value) walkInitialValue(*field, *field->decl->value);
        }
        for (MethodInfo* method : info->methods) {
            addEdge(context_, info->initializer->edges, method->function);
            walkFunction(*method->decl->body, nullptr, false);
        }
        for (ConstructorInfo* constructor : info->constructors) {
            addEdge(context_, info->initializer->edges, constructor->function);
            walkFunction(*constructor->decl->body, nullptr, false);
        }
        for (ClassInfo* base : basesInModule(*info)) addEdge(context_, info->initializer->edges, base->initializer);
        class_ = outer;
    }
    /// What declareModule() made of a class; null for one that does not stand at the top level. Of two with one name, which
    /// is an error, the table of names knows the first only.
    ClassInfo* infoOf(const ast::ClassDecl& d) const {
        const auto declares = [&](const Nominal* nominal) {
            return nominal && nominal->nominalKind == NominalKind::Class && static_cast<const ClassInfo*>(nominal)->decl == &d;
        };
        const auto found = module_.nominals.find(d.name.name.id);
        if (found == module_.nominals.end()) return nullptr;
        if (declares(found->second)) return static_cast<ClassInfo*>(found->second);
        const auto twin = std::ranges::find_if(module_.ownNominals, declares);
        return twin == module_.ownNominals.end() ? nullptr : static_cast<ClassInfo*>(*twin);
    }
    /// Initial values of static fields belong to the main block, others to the class's initializer.
    void walkInitialValue(FieldInfo& field, ast::Expr& value) {
        if (field.isStatic) return visit(value);
        FunctionInfo* const function = function_;
        const int depth = depth_;
        function_ = static_cast<ClassInfo*>(field.owner)->initializer;
        depth_ = 0;
        visit(value);
        depth_ = depth;
        function_ = function;
    }
    /// A type annotation that names a class with an implicit constructor: what it is written for may construct an object.
    void walkImplicit(ast::TypeNode* node, FunctionInfo* user) {
        if (!node || !hasImplicit_) return;
        eachNamed(*node, [&](ast::NamedType& named) {
            ClassInfo* info = classNamed(module_, named);
            if (!info || !info->hasImplicit || info->module != &module_) return;
            if (user)
                addEdge(context_, user->edges, info->initializer);
            else
                roots_.push_back({statement_, info->initializer});
        });
    }
    template <class F>
    void eachNamed(ast::TypeNode& node, F&& f) {
        switch (node.kind) {
            case ast::NodeKind::NamedType: {
                auto& named = static_cast<ast::NamedType&>(node);
                f(named);
                for (ast::TypeNode* arg : named.args) eachNamed(*arg, f);
                return;
            }
            case ast::NodeKind::ArrayType: return eachNamed(*static_cast<ast::ArrayType&>(node).element, f);
            case ast::NodeKind::OptionalType: return eachNamed(*static_cast<ast::OptionalType&>(node).inner, f);
            case ast::NodeKind::UnionType:
                for (ast::TypeNode* member : static_cast<ast::UnionType&>(node).members) eachNamed(*member, f);
                return;
            case ast::NodeKind::RecordType:
                for (ast::RecordTypeField& field : static_cast<ast::RecordType&>(node).members) eachNamed(*field.type, f);
                return;
            case ast::NodeKind::FunctionType: {
                auto& function = static_cast<ast::FunctionType&>(node);
                for (ast::TypeNodeParam& param : function.params)
                    if (param.type) eachNamed(*param.type, f);
                for (ast::TypeNode* result : function.results.types) eachNamed(*result, f);
                return;
            }
            case ast::NodeKind::VariadicType:
                if (auto* element = static_cast<ast::VariadicType&>(node).element) eachNamed(*element, f);
                return;
            default: return;
        }
    }
    void walkImplicitOf(ast::FunctionBody& body, FunctionInfo& function) {
        for (ast::Param& param : body.params) walkImplicit(param.decl.type, function.topLevel);
        for (ast::TypeNode* result : body.results.types) walkImplicit(result, function.topLevel);
    }
    void walk(ast::InterfaceDecl& d) { noteDeclared(d.name); }
    void walk(ast::EnumDecl& d) { noteDeclared(d.name); }
    void walk(ast::TypeAliasDecl& d) { noteDeclared(d.name); }
    /// What stands inside a block is not declared at all; its uses are not reported again.
    void noteDeclared(const ast::Ident& name) {
        if (!atTopLevel() && !module_.nominals.count(name.name.id)) module_.misplaced.insert(name.name.id);
    }
    void walk(ast::ImportDecl&) {}
    void walk(ast::ExportFromDecl& d) {
        if (d.hasPath) return;
        for (ast::ImportName& name : d.names)
            if (name.name.name.id < bindings_.size())
                if (SemaVar* variable = bindings_[name.name.name.id]) {
                    use(variable);
                    variable->usedByInner = true;  // other modules read it
                    if (variable->isTopLevel || variable->module != &module_)
                        module_.exports[name.local.name.id].variable = variable;
                }
    }
    void walk(ast::FieldDecl&) {}
    void walk(ast::MethodDecl&) {}
    void walk(ast::ConstructorDecl&) {}
    void walk(ast::EventDecl&) {}

    void walkFunction(ast::FunctionBody& body, SemaVar* holder, bool isStatic, bool hasSelf = false) {
        auto found = context_.functions.find(&body);
        FunctionInfo* function =
            found != context_.functions.end() ? found->second : newFunction(context_, &body, function_, &module_);
        if (holder) {
            function->self_ = holder;
            function->variable = holder;
            function->name = context_.interner.text(holder->name);
            if (isStatic) holder->function = function;
        }
        if (!function->classInfo) function->topLevel = function_->topLevel;
        if (!function->topLevel && holder && holder->isTopLevel) function->topLevel = function;
        walkImplicitOf(body, *function);

        checkLength(context_.diagnostics, body.params.count, "parameters", [&](uint32_t i) { return body.params[i].decl.range; });
        checkLength(context_.diagnostics, body.results.types.count, "results", [&](uint32_t i) { return body.results.types[i]->range; });
        FunctionInfo* outer = function_;
        const int outerDepth = depth_;
        function_ = function;
        depth_ = 0;
        const size_t scope = enter();
        if (function->classInfo) hide(selfName_);
        if (hasSelf && module_.tree->isLenient && !function->selfParam) {
            function->selfParam = newVariable(context_, selfName_, body.range, function, &module_);
            function->selfParam->kind = VarKind::Param;
        }
        if (function->selfParam) bind(function->selfParam);
        for (ast::Param& param : body.params) {
            visit(param.defaultValue);
            SemaVar* variable = declare(param.decl);
            variable->kind = VarKind::Param;
            bind(variable);
        }
        const bool wantsArg = body.mentionsArg || module_.tree->isDebuggable;
        if (module_.tree->isLenient && body.isVararg && wantsArg && !body.usesVararg) {
            function->argTable = newVariable(context_, context_.interner.intern("arg"), body.range, function, &module_);
            bind(function->argTable);
        }
        walkBlock(body.body);
        leave(scope);
        function_ = outer;
        depth_ = outerDepth;
    }

  public:
    /// Mentions of top-level functions by the main block, by statement.
    struct Root {
        uint32_t statement;
        FunctionInfo* callee;
    };
    std::vector<Root> roots_;

  private:
    ResolveContext& context_;
    ModuleInfo& module_;
    FunctionInfo* function_ = nullptr;
    ClassInfo* class_ = nullptr;  // around the code being walked
    Symbol selfName_;
    bool hasImplicit_ = false;  // some class of the module has an implicit constructor
    uint32_t statement_ = 0;
    int depth_ = 0;
    std::vector<SemaVar*> bindings_;
    std::vector<Undo> undo_;
    std::vector<ast::BinaryExpr*> spine_;
    bool notesGlobals_ = false;           // a lenient file, and somebody wants the warnings
    bool changesEnvironments_ = false;    // `setfenv` or `module` occurs: what is global is not known
    std::vector<GlobalUse> globalUses_;   // in order
    std::unordered_map<uint32_t, GlobalFacts> globals_;  // by symbol
    std::vector<SemaVar*> locals_;        // declared by `local`
};

/// A top-level function may run from `statement` of the main block on, and with it all it mentions.
void markCallable(FunctionInfo* function, uint32_t statement) {
    std::vector<FunctionInfo*> work{function};
    while (!work.empty()) {
        FunctionInfo* f = work.back();
        work.pop_back();
        if (f->earliestCall <= statement) continue;
        f->earliestCall = statement;
        for (CallEdge* edge = f->edges; edge; edge = edge->next) work.push_back(edge->callee);
    }
}

}  // namespace

void declareModule(ResolveContext& context, ModuleInfo& module) {
    ast::Module& tree = *module.tree;
    module.typed = context.program.arena.make<TypedModule>();
    module.typed->name = tree.file->name();
    module.typed->fileIndex = tree.file->index();
    module.typed->isLenient = tree.isLenient;
    module.typed->isFastMath = tree.attributes.fastmath;
    FunctionInfo* main = newFunction(context, tree.main, nullptr, &module);
    main->name = "main";
    main->isMain = true;
    main->isVararg = true;
    module.main = main;
    module.typed->main = main;

    std::unordered_map<uint32_t, Range> names;
    for (ast::Stmt* stmt : tree.main->body.statements) {
        if (auto* function = ast::as<ast::FunctionDecl>(stmt)) {
            auto* target = ast::as<ast::NameExpr>(function->target);
            if (!target || function->isMethod || tree.isLenient) continue;
            if (!names.emplace(target->name.id, target->range).second)
                reportDuplicate(context, target->name, target->range);
            function->name.name = target->name;
            function->name.range = target->range;
            SemaVar* variable = newVariable(context, function->name, main, &module);
            variable->isTopLevel = true;
            function->name.variable = variable;
            FunctionInfo* info = newFunction(context, function->body, main, &module);
            info->isHoisted = true;
            info->self_ = variable;
            info->topLevel = info;
            variable->function = info;
            module.hoisted.push_back(info);
        } else if (auto* alias = ast::as<ast::TypeAliasDecl>(stmt)) {
            if (module.aliases.count(alias->name.name.id) || module.nominals.count(alias->name.name.id)) {
                reportDuplicate(context, alias->name.name, alias->name.range);
                continue;
            }
            context.aliases.push_back(std::make_unique<AliasInfo>());
            AliasInfo* info = context.aliases.back().get();
            info->decl = alias;
            info->module = &module;
            module.aliases[alias->name.name.id] = info;
        } else if (Nominal* nominal = declareNominal(context, module, *stmt)) {
            const uint32_t id = nominal->name.id;
            if (module.aliases.count(id) || module.nominals.count(id) || !names.emplace(id, nominal->range).second) {
                if (nominal->name) reportDuplicate(context, nominal->name, nominal->range);
            }
            module.nominals.emplace(id, nominal);
            module.ownNominals.push_back(nominal);
            if (stmt->isExported) {
                Export& entry = module.exports[id];
                if (entry.variable || entry.alias) reportDuplicate(context, nominal->name, nominal->range);
                nominal->variable->usedByInner = true;
                entry = {nominal->variable, nullptr, nominal, nominal->range};
            }
            continue;
        } else if (auto* local = ast::as<ast::LocalStmt>(stmt); local && local->isExported) {
            for (ast::NameDecl& name : local->names) {
                SemaVar* variable = newVariable(context, name, main, &module);
                variable->declaration = local;
                name.variable = variable;
            }
        } else if (auto* inner = ast::as<ast::LocalFunctionDecl>(stmt); inner && inner->isExported) {
            inner->name.variable = newVariable(context, inner->name, main, &module);
        }
        if (!stmt->isExported) continue;
        auto exportVariable = [&](const ast::NameDecl& name) {
            auto* variable = static_cast<SemaVar*>(name.variable);
            if (!variable) return;
            variable->isTopLevel = true;
            variable->usedByInner = true;
            Export& entry = module.exports[name.name.id];
            if (entry.variable || entry.alias) reportDuplicate(context, name.name, name.range);
            entry.variable = variable;
            entry.range = name.range;
        };
        if (auto* function = ast::as<ast::FunctionDecl>(stmt)) exportVariable(function->name);
        if (auto* local = ast::as<ast::LocalStmt>(stmt))
            for (ast::NameDecl& name : local->names) exportVariable(name);
        if (auto* inner = ast::as<ast::LocalFunctionDecl>(stmt)) exportVariable(inner->name);
        if (auto* alias = ast::as<ast::TypeAliasDecl>(stmt))
            module.exports[alias->name.name.id].alias = module.aliases[alias->name.name.id];
    }
}

void linkImports(ResolveContext& context, ModuleInfo& module) {
    for (auto& [decl, target] : module.importOf) {
        auto* named = ast::as<ast::ImportDecl>(decl);
        const std::string_view path = named ? named->path : static_cast<ast::ExportFromDecl*>(decl)->path;
        auto find = [&](ast::ImportName& name, ModuleInfo& from) -> const Export* {
            auto found = from.exports.find(name.name.name.id);
            if (found != from.exports.end()) return &found->second;
            frontend::Suggester suggester(context.interner.text(name.name.name));
            for (auto& [symbol, entry] : from.exports) suggester.offer(context.interner.text(Symbol{symbol}));
            context.diagnostics.report(diag::NotExported, name.name.range, path, context.interner.text(name.name.name))
                .didYouMean(name.name.range, suggester.best());
            return nullptr;
        };
        if (auto* import = ast::as<ast::ImportDecl>(decl)) {
            if (import->form == ast::ImportForm::Namespace) {
                SemaVar* variable = newVariable(context, import->namespaceName, nullptr, &module);
                variable->namespaceOf = target;
                variable->isTopLevel = true;
                variable->isUnusable = !target;
                variable->isAssigned = true;
                import->namespaceName.variable = variable;
                continue;
            }
            for (ast::ImportName& name : import->names) {
                const Export* entry = target ? find(name, *target) : nullptr;
                if (entry && entry->alias) module.aliases[name.local.name.id] = entry->alias;
                if (entry && entry->nominal) module.nominals[name.local.name.id] = entry->nominal;
                if (entry && entry->variable) {
                    name.local.variable = entry->variable;
                } else if (!entry) {
                    // Known, so that its uses say nothing more.
                    SemaVar* variable = newVariable(context, name.local, nullptr, &module);
                    variable->isUnusable = true;
                    variable->isTopLevel = true;
                    name.local.variable = variable;
                    module.aliases.try_emplace(name.local.name.id, nullptr);
                }
            }
        } else if (auto* from = ast::as<ast::ExportFromDecl>(decl); from && target) {
            for (ast::ImportName& name : from->names)
                if (const Export* entry = find(name, *target)) module.exports[name.local.name.id] = *entry;
        }
    }
    for (ast::Stmt* stmt : module.tree->main->body.statements)
        if (auto* list = ast::as<ast::ExportFromDecl>(stmt); list && !list->hasPath)
            for (ast::ImportName& name : list->names) {
                auto alias = module.aliases.find(name.name.name.id);
                if (alias != module.aliases.end()) module.exports[name.local.name.id].alias = alias->second;
                auto nominal = module.nominals.find(name.name.name.id);
                if (nominal != module.nominals.end() && nominal->second) {
                    nominal->second->variable->usedByInner = true;
                    module.exports[name.local.name.id].nominal = nominal->second;
                }
            }
}

void resolveModule(ResolveContext& context, ModuleInfo& module) {
    Resolver resolver(context, module);
    resolver.run();
    if (context.warnsOfGlobals && module.tree->isLenient) resolver.warn();
    for (const auto& root : resolver.roots_) markCallable(root.callee, root.statement);
    if (module.isInCycle)
        for (auto& [name, entry] : module.exports) {
            if (entry.variable && entry.variable->function)
                markCallable(static_cast<FunctionInfo*>(entry.variable->function), 0);
            else if (entry.nominal && entry.nominal->nominalKind == NominalKind::Class)
                markCallable(static_cast<ClassInfo*>(entry.nominal)->initializer, 0);
        }
}

void finishModule(ResolveContext& context, ModuleInfo& module) {
    auto& functions = context.program.functions;
    // Which functions need a closure: those that use a variable of an enclosing function (of the main block only when
    // it is not a module variable), or a function that does. Generic and const functions are made closures where they are used, so
    // that their users need what they need.
    auto isMadeAtUse = [](const FunctionInfo* f) { return f->isGeneric() || f->isConst; };
    auto counts = [&](FunctionInfo* user, SemaVar* variable) {
        if (variable->isTopLevel || variable->namespaceOf || variable->nominal) return false;
        auto* held = static_cast<FunctionInfo*>(variable->function);
        if (variable->isReassigned && !(held && isMadeAtUse(held))) return true;
        return !held || (held != user && held->needsClosure);
    };
    std::vector<FunctionInfo*> own;
    for (TypedFunction* f : functions)
        if (static_cast<FunctionInfo*>(f)->in == &module) own.push_back(static_cast<FunctionInfo*>(f));
    for (FunctionInfo* f : own)
        for (SemaVar* v = f->variables; v; v = v->nextInHome) {
            // The debug library may assign what the text does not.
            const bool isPlain = !v->required && !v->nominal && !v->namespaceOf && !v->isConst;
            const bool isGeneric = v->function && static_cast<FunctionInfo*>(v->function)->isGeneric();
            if (module.tree->isDebuggable && isPlain && !isGeneric) v->isReassigned = true;
            // Assigning to a generic function is an error; the checker reports it.
            if (v->isReassigned && v->function && !static_cast<FunctionInfo*>(v->function)->isGeneric()) v->function = nullptr;
            if (v->required && !v->isReassigned) v->namespaceOf = module.requireOf[v->required];
        }
    // A function of a lenient file has an environment; those of its classes have the file's.
    if (module.tree->isLenient)
        for (FunctionInfo* f : own) {
            f->isLenient = !f->classInfo;
            f->isDebuggable = f->isLenient && module.tree->isDebuggable;
            module.typed->hasClasses |= f->classInfo != nullptr;
            f->needsClosure |= f->isLenient && !f->isMain;
        }
    for (bool changed = true; changed;) {
        changed = false;
        for (FunctionInfo* f : own) {
            if (f->needsClosure) continue;
            for (Capture* c = f->uses; c; c = c->next)
                if (counts(f, c->variable)) {
                    f->needsClosure = changed = true;
                    break;
                }
        }
    }
    std::vector<Variable*> captures;
    for (FunctionInfo* f : own) {
        captures.clear();
        std::vector<FunctionInfo*> users{f};
        for (size_t i = 0; i < users.size(); i++)
            for (Capture* c = users[i]->uses; c; c = c->next) {
                if (i == 0 && c->variable->function == f) f->selfReference = true;
                if (!counts(users[i], c->variable)) continue;
                auto* held = static_cast<FunctionInfo*>(c->variable->function);
                if (held && isMadeAtUse(held)) {
                    if (std::find(users.begin(), users.end(), held) == users.end()) users.push_back(held);
                    continue;
                }
                if (users.size() > 1 && std::find(captures.begin(), captures.end(), c->variable) != captures.end()) continue;
                captures.push_back(c->variable);
                c->variable->isCaptured = true;
            }
        std::reverse(captures.begin(), captures.end());
        checkLength(context.diagnostics, captures.size(), "outer variables used by one function", [&](uint32_t) {
            return Range{f->range.begin, f->range.begin + 1};
        });
        f->captures = context.program.arena.makeList<Variable*>(captures);
        for (SemaVar* v = f->variables; v; v = v->nextInHome) {
            if (!v->isTopLevel || !v->usedByInner || v->namespaceOf || v->nominal) continue;
            if (auto* held = static_cast<FunctionInfo*>(v->function)) {
                // A closure is kept as any other value; at the top level only the functions of lenient files are closures.
                if (!held->needsClosure || isMadeAtUse(held)) continue;
                v->needsInitCheck = true;  // a method of a class may be called before
            }
            v->kind = VarKind::Module;
            v->index = uint32_t(context.program.moduleVariables.size());
            context.program.moduleVariables.push_back(v);
        }
    }
}

}  // namespace luapp::sema
