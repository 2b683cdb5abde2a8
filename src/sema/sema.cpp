#include "sema/sema.h"

#include "sema/context.h"
#include "sema/resolve.h"

namespace luapp::sema {

namespace {

/// The modules of a program, found by following imports.
class ModuleGraph {
  public:
    ModuleGraph(const Program& program, Diagnostics& diagnostics) : program_(program), diags_(diagnostics) {}

    /// All modules, each after those it imports (where there is no cycle).
    std::vector<ModuleInfo*> order() {
        add(program_.root);
        for (size_t i = 0; i < all_.size(); i++) loadImports(*all_[i]);
        visit(*all_[0]);
        return std::move(order_);
    }

  private:
    ModuleInfo& add(frontend::Module& tree) {
        for (auto& known : all_)
            if (known->tree == &tree) return *known;
        all_.push_back(std::make_unique<ModuleInfo>());
        all_.back()->tree = &tree;
        return *all_.back();
    }

    void loadImports(ModuleInfo& module) {
        for (ast::Stmt* stmt : module.tree->main->body.statements) {
            std::string_view path;
            Range range;
            if (auto* import = ast::as<ast::ImportDecl>(stmt)) {
                path = import->path;
                range = import->pathRange;
            } else if (auto* from = ast::as<ast::ExportFromDecl>(stmt); from && from->hasPath) {
                path = from->path;
                range = from->pathRange;
            } else {
                continue;
            }
            std::string problem;
            frontend::Module* found = program_.loader.load(*module.tree->file, path, problem);
            ModuleInfo* target = nullptr;
            if (found) {
                target = &add(*found);
                module.imports.push_back(target);
            } else {
                diags_.report(diag::ModuleNotFound, range, path, problem);
            }
            module.importOf.push_back({static_cast<ast::Decl*>(stmt), target});
        }
    }

    void visit(ModuleInfo& module) {
        module.visit = 1;
        path_.push_back(&module);
        for (ModuleInfo* import : module.imports) {
            if (import->visit == 0)
                visit(*import);
            else if (import->visit == 1)
                for (size_t i = path_.size(); i-- > 0;) {
                    path_[i]->isInCycle = true;
                    if (path_[i] == import) break;
                }
        }
        path_.pop_back();
        module.visit = 2;
        order_.push_back(&module);
    }

    const Program& program_;
    Diagnostics& diags_;
    std::vector<ModuleInfo*> path_;
    std::vector<ModuleInfo*> order_;

  public:
    std::vector<std::unique_ptr<ModuleInfo>> all_;
};

}  // namespace

std::unique_ptr<TypedProgram> check(const Program& input, Diagnostics& diagnostics) {
    auto program = std::make_unique<TypedProgram>(input.interner);
    FunctionMap functions;
    std::vector<std::unique_ptr<AliasInfo>> aliases;
    ModuleGraph graph(input, diagnostics);
    const std::vector<ModuleInfo*> modules = graph.order();
    ResolveContext context{*program, input.interner, diagnostics, functions, aliases};
    for (ModuleInfo* module : modules) {
        if (module->tree->isLenient)
            diagnostics.report(diag::UnsupportedFeature, module->tree->main->range, "lenient mode");
        declareModule(context, *module);
    }
    for (ModuleInfo* module : modules) linkImports(context, *module);
    for (ModuleInfo* module : modules) resolveModule(context, *module);
    for (ModuleInfo* module : modules) finishModule(context, *module);

    Checker checker(*program, diagnostics, input.interner, functions);
    for (ModuleInfo* module : modules) {
        program->modules.push_back(module->typed);
        if (!module->tree->isLenient) checker.checkModule(*module);
    }
    // Templates of const functions, and what an error left unchecked, have no bodies.
    std::erase_if(program->functions, [](TypedFunction* f) { return !f->body; });
    return program;
}

}  // namespace luapp::sema
