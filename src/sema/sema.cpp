#include "sema/sema.h"

#include <algorithm>

#include "sema/class_table.h"
#include "sema/context.h"
#include "sema/resolve.h"

namespace luapp::sema {

namespace {

/// The modules of a program, found by following imports and calls of `require` with a literal.
class ModuleGraph {
  public:
    ModuleGraph(const Program& program, Diagnostics& diagnostics) : program_(program), diags_(diagnostics) {}

    /// All modules, each after those it needs (where there is no cycle). May be asked again after dropShadowed().
    const std::vector<ModuleInfo*>& order() {
        if (nodes_.empty()) {
            Node& root = add(program_.root);
            if (!program_.rootRequiredAs.empty()) root.requiredAs.push_back(program_.rootRequiredAs);
            for (size_t i = 0; i < nodes_.size(); i++) loadNeeds(*nodes_[i]);
        }
        order_.clear();
        for (auto& node : nodes_) node->number = 0;
        counter_ = 0;
        visit(*nodes_[0]);
        return order_;
    }

    /// Forgets calls of something else that is named `require`, now that names are resolved. True if there were any.
    bool dropShadowed() {
        bool any = false;
        for (auto& node : nodes_)
            any |= std::erase_if(node->needs, [&](const Need& need) {
                       if (!need.call || !static_cast<ast::NameExpr*>(need.call->callee)->resolved) return false;
                       node->requireOf.erase(need.call);
                       return true;
                   }) > 0;
        return any;
    }

    /// "a.luapp -> b.luapp -> a.luapp" for a module in a cycle, by the shortest way. The middle of a long way is left out.
    std::string cycleOf(ModuleInfo& module) {
        std::unordered_map<Node*, Node*> cameFrom;
        std::vector<Node*> work{static_cast<Node*>(&module)};
        for (size_t i = 0; i < work.size(); i++)
            for (const Need& need : work[i]->needs) {
                if (need.target == work[0]) {
                    std::vector<Node*> way{work[0]};  // backwards
                    for (Node* at = work[i]; at != work[0]; at = cameFrom[at]) way.push_back(at);
                    way.push_back(work[0]);
                    std::string text;
                    for (size_t k = way.size(); k-- > 0;) {
                        if (k > kShownAtEnds && k + kShownAtEnds < way.size() - 1) {
                            k = kShownAtEnds;
                            text += " -> ...";
                        }
                        if (!text.empty()) text += " -> ";
                        text += way[k]->tree->file->name();
                    }
                    return text;
                }
                if (cameFrom.emplace(need.target, work[i]).second) work.push_back(need.target);
            }
        return {};
    }

  private:
    /// Of a long cycle's modules, how many more than the first are shown at each end.
    static constexpr size_t kShownAtEnds = 8;

    struct Node;
    /// An import, re-export or `require` in a module.
    struct Need {
        Node* target;
        Loc where;
        ast::CallExpr* call;  // of `require`, else null
    };
    struct Node : ModuleInfo {
        std::vector<Need> needs;  // in order of the source
        uint32_t number = 0;      // order of discovery in visit(), from 1
        uint32_t lowest = 0;      // smallest number reached from here that is still on the stack
        bool isOnStack = false;
    };

    Node& add(frontend::Module& tree) {
        auto [known, isNew] = byTree_.try_emplace(&tree, nullptr);
        if (!isNew) return *known->second;
        nodes_.push_back(std::make_unique<Node>());
        known->second = nodes_.back().get();
        known->second->tree = &tree;
        return *known->second;
    }

    void loadNeeds(Node& module) {
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
            Node* target = nullptr;
            if (found) {
                target = &add(*found);
                module.needs.push_back({target, range.begin, nullptr});
            } else {
                diags_.report(diag::ModuleNotFound, range, path, problem);
            }
            module.importOf.push_back({static_cast<ast::Decl*>(stmt), target});
        }
        if (module.tree->isLenient) return;  // there it is a function like any other
        for (ast::CallExpr* call : module.tree->requireCalls) {
            const std::string_view path = static_cast<ast::StringExpr*>(call->args[0])->value;
            std::string problem;
            frontend::Module* found = program_.loader.load(*module.tree->file, path, problem);
            if (!found || found->isLenient) continue;  // the library's affair when the call is made
            Node& target = add(*found);
            module.needs.push_back({&target, call->range.begin, call});
            module.requireOf[call] = &target;
            auto& names = target.requiredAs;
            if (std::find(names.begin(), names.end(), path) == names.end()) names.push_back(path);
        }
        std::stable_sort(module.needs.begin(), module.needs.end(),
                         [](const Need& a, const Need& b) { return a.where < b.where; });
    }

    /// Orders what the module needs and the module; modules that need each other are marked (Tarjan's algorithm).
    void visit(Node& module) {
        module.number = module.lowest = ++counter_;
        module.isOnStack = true;
        stack_.push_back(&module);
        for (const Need& need : module.needs) {
            if (need.target->number == 0) {
                visit(*need.target);
                module.lowest = std::min(module.lowest, need.target->lowest);
            } else if (need.target->isOnStack) {
                module.lowest = std::min(module.lowest, need.target->number);
                module.isInCycle |= need.target == &module;
            }
        }
        order_.push_back(&module);
        if (module.lowest != module.number) return;
        const bool isAlone = stack_.back() == &module;
        for (Node* member = nullptr; member != &module;) {
            member = stack_.back();
            stack_.pop_back();
            member->isOnStack = false;
            member->isInCycle |= !isAlone;
        }
    }

    const Program& program_;
    Diagnostics& diags_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::unordered_map<const frontend::Module*, Node*> byTree_;
    std::vector<Node*> stack_;
    std::vector<ModuleInfo*> order_;
    uint32_t counter_ = 0;
};

}  // namespace

std::unique_ptr<TypedProgram> check(const Program& input, Diagnostics& diagnostics) {
    auto program = std::make_unique<TypedProgram>(input.interner);
    FunctionMap functions;
    std::vector<std::unique_ptr<AliasInfo>> aliases;
    ModuleGraph graph(input, diagnostics);
    std::vector<ModuleInfo*> modules = graph.order();
    ResolveContext context{*program, input.interner, diagnostics, functions, aliases};
    context.warnsOfGlobals = input.warnsOfGlobals;
    for (ModuleInfo* module : modules) {
        module->isSession = input.isSession && module->tree == &input.root;
        declareModule(context, *module);
    }
    for (ModuleInfo* module : modules) linkImports(context, *module);
    for (ModuleInfo* module : modules) resolveModule(context, *module);
    if (graph.dropShadowed()) modules = graph.order();
    for (ModuleInfo* module : modules) finishModule(context, *module);

    Checker checker(*program, diagnostics, input.interner, functions);
    checker.declareClasses(modules);
    for (ModuleInfo* module : modules) {
        if (module->isInCycle) module->typed->importCycle = program->arena.copyText(graph.cycleOf(*module));
        program->modules.push_back(module->typed);
        checker.checkModule(*module);
    }
    checker.finishClasses();
    if (!diagnostics.hasErrors()) checker.instantiate();
    // Templates of const functions, and what an error left unchecked, have no bodies.
    std::erase_if(program->functions, [](TypedFunction* f) { return !f->body; });
    return program;
}

}  // namespace luapp::sema
