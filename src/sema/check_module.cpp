// A module as a whole: its main block, its top-level functions, and what `require` gives of it.
#include <algorithm>

#include "sema/context.h"
#include "sema/list_limits.h"

namespace luapp::sema {

void Checker::checkModule(ModuleInfo& module) {
    module_ = &module;
    FunctionInfo& main = *module.main;
    function_ = &main;
    knowSignature(main);
    for (FunctionInfo* f : module.hoisted) {
        knowSignature(*f);
        SemaVar* variable = f->self_;
        variable->isTypeKnown = true;
        variable->isAssigned = true;
        if (f->type) variable->type = f->type;
    }
    checkBody(main);
    for (Nominal* nominal : module.ownNominals)
        if (nominal->nominalKind == NominalKind::Class) checkClass(static_cast<ClassInfo&>(*nominal));
    for (FunctionInfo* f : module.hoisted) {
        if (f->hasUntypedParams) continue;
        checkBodyApart(*f);
        if (!f->self_->type) f->self_->type = f->type ? static_cast<const Type*>(f->type) : types_.error();
    }
    declareHoisted(module);
    if (!module.requiredAs.empty() && !diags_.hasErrors()) provideModule(module);
    function_ = nullptr;
}

namespace {

/// Variables that a module exports as values.
bool isExportedValue(const Export& entry) {
    const SemaVar* v = entry.variable;
    if (!v || (v->namespaceOf && !v->required)) return false;
    if (v->nominal && (v->nominal->nominalKind != NominalKind::Class || !static_cast<ClassInfo*>(v->nominal)->typeParams.empty()))
        return false;
    auto* function = static_cast<FunctionInfo*>(v->function);
    return !function || (!function->hasUntypedParams && !function->isGeneric());
}

bool exportsValues(const ModuleInfo& module) {
    return std::any_of(module.exports.begin(), module.exports.end(), [](auto& e) { return isExportedValue(e.second); });
}

}  // namespace

/// True if a `return` decides what `require` gives of the module being checked: one that leaves it early, when its exports need
/// not be there yet, or the last of a module without exports.
bool Checker::leavesRequired(const ast::ReturnStmt& s) {
    if (!function_->isMain || module_->requiredAs.empty()) return false;
    return module_->tree->main->body.statements.back() != &s || !exportsValues(*module_);
}

/// From here on `require` gives `value`, under all names the module is asked for by.
void Checker::provide(ModuleInfo& module, TExpr* value, Loc loc) {
    for (std::string_view name : module.requiredAs) {
        TExpr* const args[] = {stringConst(name, loc), value};
        auto* call = stmt<TExprStmt>(loc);
        call->expr = callLibrary(Builtins::hidden("(module provider)"), args, loc);
        emit(call);
    }
}

/// A module that is required: at the end of its main block its exports become what `require` gives.
void Checker::provideModule(ModuleInfo& module) {
    const Loc loc = module.main->range.end;
    List<TStmt*>& body = module.main->body->stmts;
    Scratch<TStmt*> list(statements_);
    for (TStmt* s : body) list.add(s);
    TStmt* leave = nullptr;
    if (!list.empty() && list.back()->kind == TStmtKind::Return) {
        if (!exportsValues(module)) return;  // provided there
        leave = list.back();
        statements_.pop_back();
    }
    Variable* exports = temp(types_.any());
    emit(declareTemp(exports, exportsOf(module, loc), loc));
    provide(module, getVar(exports, loc), loc);
    if (leave) emit(leave);
    module.main->body = block(list.span(), module.main->body->loc);
}

/// A record of what a module exports, as `any`; `true` for a module without exports.
TExpr* Checker::exportsOf(ModuleInfo& module, Loc loc) {
    std::vector<std::pair<Symbol, TExpr*>> values;
    for (auto& [symbol, entry] : module.exports) {
        SemaVar* v = entry.variable;
        if (!isExportedValue(entry)) continue;
        auto* function = static_cast<FunctionInfo*>(v->function);
        const bool isUnset = v->owner == function_ && !v->isAssigned && v->type && !v->type->admitsNil;
        if (isUnset && !function) continue;
        flow_.setType(v, nullptr);
        values.emplace_back(Symbol{symbol}, readVariable(*v, {loc, loc}));
    }
    if (values.empty()) return convert(boolConst(true, loc), types_.any(), CheckReason::Assign, {});
    if (!checkLength(diags_, values.size(), "exports of a module that is required", [&](uint32_t) { return Range{loc, loc}; }))
        return errorExpr(loc);
    std::sort(values.begin(), values.end(), [&](auto& a, auto& b) { return text(a.first) < text(b.first); });
    std::vector<RecordField> fields;
    for (auto& [name, value] : values) fields.push_back({name, value->type});
    const RecordType* type = types_.record(fields);
    std::vector<TFieldInit> inits;
    for (auto& [name, value] : values) inits.push_back({uint32_t(type->indexOf(name)), value});
    auto* record = expr<TRecordLit>(type, loc);
    record->inits = arena().makeList<TFieldInit>(inits);
    return convert(record, types_.any(), CheckReason::Assign, {});
}

/// Top-level functions that are assigned to live in variables, set before anything runs.
void Checker::declareHoisted(ModuleInfo& module) {
    Scratch<TStmt*> list(statements_);
    for (FunctionInfo* f : module.hoisted)
        if (!f->self_->function)
            declareFunctionVariable(*f, *f->self_, f->range.begin);
    if (list.empty()) return;
    for (TStmt* s : module.main->body->stmts) list.add(s);
    module.main->body = block(list.span(), module.main->body->loc);
}

}  // namespace luapp::sema
