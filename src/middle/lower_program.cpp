// Lowering of a whole program: which functions exist and what they are called.
#include "middle/lower.h"
#include "middle/lower_impl.h"

namespace luapp::ir {

void lower(const sema::TypedProgram& program, sema::TypeTable& types, const frontend::SourceManager& sources, Module& module,
           const LowerOptions& options) {
    module.sources = &sources;
    ProgramLowering(program, types, module, options).run();
}

void ProgramLowering::run() {
    for (const sema::TypedModule* m : program_.modules) {
        Function* f = functionOf(m->main);
        f->isMain = true;
        module_.mains.push_back(f);
    }
    while (!pending_.empty()) {
        Pending p = pending_.back();
        pending_.pop_back();
        lowerPending(p);
    }
    classes_.finish();
}

void ProgramLowering::lowerPending(const Pending& p) {
    FunctionLowering lowering(*this, *p.function, p.source);
    switch (p.form) {
        case Form::Body: lowering.lowerBody(); break;
        case Form::Short: lowering.lowerShortEntry(p.argCount); break;
        case Form::Dynamic: lowering.lowerDynamicEntry(); break;
        case Form::Adapter: lowering.lowerAdapter(p.from, p.to); break;
        case Form::Allocator:
        case Form::Maker:
        case Form::MakerDynamic:
        case Form::MethodAdapter:
        case Form::Reader:
        case Form::Writer:
        case Form::Bound:
        case Form::BoundDynamic: lowering.lowerObjectCode(p.form, p.object); break;
    }
}

void ProgramLowering::setSignature(Function* f, const sema::FunctionType* type) {
    Arena& arena = module_.arena;
    for (const Type* t : type->params) f->params.push(arena, repOf(t));
    f->isVararg = type->vararg != nullptr;
    f->hasResultPack = type->variadicResult != nullptr;
    if (!f->hasResultPack) {
        for (const Type* t : type->results) f->results.push(arena, repOf(t));
    }
    f->type = typeIndex(type);
}

void ProgramLowering::setResultTypes(Function* f, const sema::FunctionType* type) {
    if (f->hasResultPack) return;
    for (const Type* t : type->results) f->resultTypes.push(module_.arena, valueType(t));
}

void ProgramLowering::setDynamicSignature(Function* f, const sema::FunctionType* type) {
    for (uint32_t i = 0; i < type->params.count; i++) f->params.push(module_.arena, Rep::Box);
    f->isVararg = type->vararg != nullptr;
    f->hasResultPack = type->variadicResult != nullptr;
    setResultTypes(f, type);
    if (f->hasResultPack) return;
    for (const Type* t : type->results) f->results.push(module_.arena, repOf(t));
}

Function* ProgramLowering::declareObjectCode(Form form, std::string_view name, const ObjectCode& code, Rep object) {
    Function* f = module_.addFunction(name);
    f->loc = code.function ? code.function->range.begin : code.cls ? code.cls->range.begin : Loc{};
    if (object != Rep::Void) f->params.push(module_.arena, object);
    Pending p{form, f};
    p.object = code;
    pending_.push_back(p);
    return f;
}

Function* ProgramLowering::declare(std::string_view name, const TypedFunction* fn) {
    Function* f = module_.addFunction(name);
    f->loc = fn->range.begin;
    f->endLoc = fn->range.end;
    f->isLenient = fn->isLenient;
    if (fn->isLenient) {  // its environment
        f->captures.push(module_.arena, Rep::Box);
        f->captureTypes.push(module_.arena, 0);
        f->captureNames.push(module_.arena, {});
    }
    for (const Variable* v : fn->captures) {
        const bool boxed = v->needsInitCheck && !v->inCell() && repOf(v->type) != Rep::Ref;
        f->captures.push(module_.arena, v->inCell() ? Rep::Ref : boxed ? Rep::Box : repOf(v->type));
        f->captureTypes.push(module_.arena, valueType(v));
        f->captureNames.push(module_.arena, {text(v->name), v->inCell()});
    }
    return f;
}

Function* ProgramLowering::functionOf(const TypedFunction* fn) {
    auto [it, isNew] = functions_.try_emplace(fn, nullptr);
    if (!isNew) return it->second;
    Function* f = declare(fn->name, fn);
    it->second = f;
    setSignature(f, fn->type);
    f->isDebuggable = fn->isDebuggable;
    f->isConst = fn->isConst;
    pending_.push_back({Form::Body, f, fn});
    if (fn->type->defaults != 0) {
        Function* dyn = declare(std::string(fn->name) + "/dyn", fn);
        setDynamicSignature(dyn, fn->type);
        f->dynamicEntry = dyn;
        dyn->closureOf = f;
        pending_.push_back({Form::Dynamic, dyn, fn});
    }
    return f;
}

Function* ProgramLowering::shortEntry(const TypedFunction* fn, uint32_t argCount) {
    Function* whole = functionOf(fn);
    auto [it, isNew] = shorts_.try_emplace(uint64_t(whole->index()) << 32 | argCount, nullptr);
    if (!isNew) return it->second;
    Function* f = declare(std::string(fn->name) + "/" + std::to_string(argCount), fn);
    it->second = f;
    f->closureOf = whole;
    for (uint32_t i = 0; i < argCount; i++) {
        f->params.push(module_.arena, whole->params[i]);
        f->paramTypes.push(module_.arena, valueType(fn->type->params[i]));
    }
    for (Rep r : whole->results) f->results.push(module_.arena, r);
    f->hasResultPack = whole->hasResultPack;
    f->isVararg = whole->isVararg && needsWholeBody(fn);
    setResultTypes(f, fn->type);
    pending_.push_back({Form::Short, f, fn, argCount});
    return f;
}

Function* ProgramLowering::adapter(const sema::FunctionType* from, const sema::FunctionType* to) {
    auto [it, isNew] = adapters_.try_emplace(uint64_t(from->id) << 32 | to->id, nullptr);
    if (!isNew) return it->second;
    Function* f = module_.addFunction("adapter");
    it->second = f;
    setSignature(f, to);
    f->captures.push(module_.arena, Rep::Ref);
    f->captureTypes.push(module_.arena, valueType(from));
    f->isAdapter = true;
    pending_.push_back({Form::Adapter, f, nullptr, 0, from, to});
    return f;
}

uint32_t ProgramLowering::valueType(const Type* type) {
    if (type->kind == TypeKind::Any || repOf(type) == Rep::F64 || repOf(type) == Rep::I64 || repOf(type) == Rep::Bool) return 0;
    return module_.addValueType({.type = typeIndex(type)});
}

uint32_t ProgramLowering::valueType(const Variable* v) {
    ValueType out;
    const Rep rep = repOf(v->type);
    out.isCell = v->inCell();
    if (out.isCell) out.rep = v->needsInitCheck && rep != Rep::Ref ? Rep::Box : rep;
    // A cell is there before its variable is set.
    out.mayBeUnset = (v->needsInitCheck || v->inCell()) && !v->type->admitsNil && (rep == Rep::Ref || rep == Rep::Box || v->needsInitCheck);
    if (v->function && !v->function->isStatic()) {
        out.function = functionOf(v->function);
    } else if (rep == Rep::Ref || (rep == Rep::Box && v->type->kind != TypeKind::Any) || out.mayBeUnset) {
        out.type = typeIndex(v->type);
    } else {
        out.mayBeUnset = false;
    }
    return module_.addValueType(out);
}

uint32_t ProgramLowering::typeIndex(const Type* type) { return module_.addType(type, types_.print(type)); }

uint32_t ProgramLowering::environmentVar(const sema::TypedModule* module) {
    auto [it, isNew] = environments_.try_emplace(module, 0);
    if (isNew) it->second = module_.addVar("(environment)", Rep::Box, base::kBoxedNil);
    return it->second;
}

uint32_t ProgramLowering::moduleVar(const Variable* v) {
    auto [it, isNew] = vars_.try_emplace(v, 0);
    if (isNew) {
        const bool boxed = v->needsInitCheck && repOf(v->type) != Rep::Ref;
        const Rep rep = boxed ? Rep::Box : repOf(v->type);
        it->second = module_.addVar(text(v->name), rep, rep == Rep::Box ? base::kBoxedNil : 0);
        module_.vars[it->second].valueType = valueType(v);
        // What may be nil is nil before, and read then.
        module_.vars[it->second].isSetOnce = !v->isReassigned && !v->needsInitCheck && !v->type->admitsNil;
    }
    return it->second;
}

}  // namespace luapp::ir
