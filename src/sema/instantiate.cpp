#include "sema/instantiate.h"

#include <algorithm>

#include "runtime/base/check.h"
#include "sema/class_info.h"

namespace luapp::sema {

namespace diag = frontend::diag;

namespace {

/// Longer type arguments are cut in the names of copies, which tracebacks and messages show.
constexpr size_t kShownLength = 60;

}  // namespace

// ---- Who is inside what ---------------------------------------------------------------------------------------------

/// The function around this one, as far as type parameters go.
const FunctionInfo* Instantiator::around(const FunctionInfo* f) { return f->usedIn ? f->usedIn : f->outer; }

/// True if the function itself has type parameters, or its class has.
bool Instantiator::isTemplate(const FunctionInfo* f) {
    return f->isGeneric() || (f->classInfo && !f->classInfo->typeParams.empty());
}

bool Instantiator::isInside(const FunctionInfo* f, const FunctionInfo* root) {
    for (; f; f = around(f))
        if (f == root) return true;
    return false;
}

/// The innermost copy at hand whose template holds `f`; null: `f` is inside none.
Instantiator::Copy* Instantiator::copyAround(const FunctionInfo* f) {
    for (Copy* copy = copy_; copy; copy = copy->outer)
        if (isInside(f, copy->root)) return copy;
    return nullptr;
}

// ---- The run --------------------------------------------------------------------------------------------------------

void Instantiator::run(std::span<ClassInfo* const> classes) {
    removeTemplates();
    const std::vector<TypedFunction*> kept = program_.functions;
    for (ClassInfo* info : classes)
        if (info->typeParams.empty()) see(info->selfType);
    for (TypedFunction* f : kept)
        if (f->body) patch(*static_cast<FunctionInfo*>(f));
    while (!failed_) {
        if (!classes_.empty()) {
            const ClassType* type = classes_.front();
            classes_.pop_front();
            makeClass(type);
        } else if (!work_.empty()) {
            const Work work = work_.front();
            work_.pop_front();
            finish(work);
        } else {
            break;
        }
    }
#ifndef NDEBUG
    if (!diags_.hasErrors()) checkNoParams();
#endif
}

void Instantiator::removeTemplates() {
    std::erase_if(program_.functions, [](TypedFunction* function) {
        for (const FunctionInfo* f = static_cast<FunctionInfo*>(function); f; f = around(f))
            if (isTemplate(f)) return true;
        return false;
    });
}

// ---- Classes --------------------------------------------------------------------------------------------------------

/// A type that the program has: the classes in it need tables.
void Instantiator::see(const Type* t) {
    if (seen_.size() <= t->id) seen_.resize(types_.all().size());
    if (seen_[t->id]) return;
    seen_[t->id] = true;
    auto all = [this](List<const Type*> list) {
        for (const Type* item : list) see(item);
    };
    switch (t->kind) {
        case TypeKind::Array: return see(as<ArrayType>(t)->element);
        case TypeKind::Table:
            see(as<TableType>(t)->key);
            return see(as<TableType>(t)->value);
        case TypeKind::Record:
            for (const RecordField& field : as<RecordType>(t)->fields) see(field.type);
            return;
        case TypeKind::Function: {
            auto* f = as<FunctionType>(t);
            all(f->params);
            all(f->results);
            if (f->vararg) see(f->vararg);
            if (f->variadicResult) see(f->variadicResult);
            return;
        }
        case TypeKind::Union: return all(as<UnionType>(t)->members);
        case TypeKind::Interface: return all(as<InterfaceType>(t)->args);
        case TypeKind::Class: {
            auto* type = as<ClassType>(t);
            all(type->args);
            if (t->hasTypeParams) return;
            const std::string name = nameOf(types_.interner().text(type->name), type->args);
            // A class that grows by itself is wrong where it is declared; else the use is.
            const bool fromField = owner_ == nullptr;
            const Range where = fromField ? type->info->range : rootOf(at_);
            if (!admits(type->info->typeParams.span(), type->args.span(), name, where, at_)) return;
            classes_.push_back(type);
            if (!type->args.empty()) firstUse_[type] = {here(), at_};
            return;
        }
        case TypeKind::Error:
        case TypeKind::Never:
        case TypeKind::Void:
        case TypeKind::Nil:
        case TypeKind::Boolean:
        case TypeKind::Number:
        case TypeKind::Integer:
        case TypeKind::String:
        case TypeKind::Any:
        case TypeKind::AnyFunction:
        case TypeKind::File:
        case TypeKind::Enum:
        case TypeKind::TypeParam: return;
    }
}

void Instantiator::makeClass(const ClassType* type) {
    copy_ = nullptr;
    owner_ = nullptr;
    at_ = type->info->range.begin;
    if (auto use = firstUse_.find(type); use != firstUse_.end()) {
        begun_.insert(type);
        from_ = use->second.first;
        at_ = use->second.second;
    }
    for (const ClassType* ancestor : type->info->ancestors) see(memberType(ancestor, type));
    for (const FieldInfo* field : type->info->objectFields) see(memberType(field->type, type));
    if (!failed_) classOf(type);
    from_ = nullptr;
}

TypedFunction* Instantiator::functionOf(FunctionInfo* f, List<const Type*> args) {
    if (args.empty()) return f;
    return instance(*f, args, at_);
}

/// A function that is not generic stays; only what it uses changes.
void Instantiator::patch(FunctionInfo& f) {
    copy_ = nullptr;
    owner_ = &f;
    at_ = f.range.begin;
    for (Variable* v : f.params) see(v->type);
    f.defaults = exprs(f.defaults);
    block(f.body);
}

void Instantiator::finish(const Work& work) {
    copy_ = work.copy;
    owner_ = work.target;
    at_ = work.copy->at;
    work.target->defaults = exprs(work.source->defaults);
    work.target->body = block(work.source->body);
}

// ---- Copies ---------------------------------------------------------------------------------------------------------

/// The head of a copied function; its body follows.
FunctionInfo* Instantiator::makeTarget(Copy& copy, FunctionInfo& source) {
    auto* target = program_.arena.make<FunctionInfo>(source);
    Copy* const outer = copy_;
    FunctionInfo* const owner = owner_;
    copy_ = &copy;
    if (&source == copy.root) {
        copy.function = target;
        target->name = copy.name;
    } else {
        copy.functions[&source] = target;
    }
    owner_ = target;
    target->type = as<FunctionType>(type(source.type));
    auto* parent = static_cast<FunctionInfo*>(source.parent);
    if (parent && copyAround(parent)) target->parent = function(parent, {}, source.range.begin);
    target->params = variables(source.params);
    target->captures = variables(source.captures);
    target->variable = source.variable && !source.captures.empty() ? variable(source.variable) : nullptr;
    copy_ = outer;
    owner_ = owner;
    program_.functions.push_back(target);
    work_.push_back({&copy, &source, target});
    return target;
}

/// The copy of a function that stands inside a template.
FunctionInfo* Instantiator::nested(Copy& copy, FunctionInfo& source) {
    if (&source == copy.root) return copy.function;
    auto known = copy.functions.find(&source);
    return known != copy.functions.end() ? known->second : makeTarget(copy, source);
}

std::string Instantiator::nameOf(std::string_view generic, List<const Type*> args) const {
    std::string text(generic);
    text += '<';
    for (uint32_t i = 0; i < args.count; i++) {
        if (i > 0) text += ", ";
        const std::string arg = types_.print(args[i]);
        text += arg.size() <= kShownLength ? arg : arg.substr(0, kShownLength) + "...";
    }
    return text + '>';
}

/// The copy of a generic function for these type arguments.
TypedFunction* Instantiator::instance(FunctionInfo& source, List<const Type*> args, Loc at) {
    Copy* const outer = copyAround(around(&source));
    Key key{&source, outer, std::vector<const Type*>(args.begin(), args.end())};
    auto [known, isNew] = known_.try_emplace(std::move(key), nullptr);
    if (!isNew) return known->second ? known->second->function : &source;
    std::vector<const TypeParamType*> params;
    if (source.classInfo) params.assign(source.classInfo->typeParams.begin(), source.classInfo->typeParams.end());
    params.insert(params.end(), source.typeParams.begin(), source.typeParams.end());
    LUAPP_CHECK(params.size() == args.count, "a use of a generic function with another number of type arguments");
    const std::string name = nameOf(source.name, args);
    // Of a method the object's type has been seen, and is reported there.
    const uint32_t seen = source.selfParam ? source.classInfo->typeParams.count : 0;
    if (!admits(std::span(params).subspan(seen), args.span().subspan(seen), name, rootOf(at), at)) return &source;
    Copy& copy = copies_.emplace_back();
    known->second = &copy;
    copy.root = &source;
    copy.outer = outer;
    if (outer) copy.bindings = outer->bindings;
    for (size_t i = 0; i < params.size(); i++) copy.bindings.push_back({params[i], args[uint32_t(i)], true});
    copy.name = program_.arena.copyText(name);
    copy.from = here();
    copy.at = at;
    return makeTarget(copy, source);
}

// ---- What is refused ------------------------------------------------------------------------------------------------

/// False, with a message, if the copy must not be made.
bool Instantiator::admits(std::span<const TypeParamType* const> params, std::span<const Type* const> args, std::string_view name,
                          Range where, Loc at) {
    if (failed_) return false;
    const bool isTooDeep = std::any_of(args.begin(), args.end(), [](auto* t) { return t->depth > kMaxDepth; });
    if (isTooDeep || copies_.size() + begun_.size() >= size_t(kMaxInstances)) {
        failed_ = true;
        if (isTooDeep)
            addChain(diags_.report(diag::TypesTooDeep, where, name, int64_t(kMaxDepth)), name, at);
        else
            addChain(diags_.report(diag::TooManyInstances, where, name, int64_t(kMaxInstances)), name, at);
        return false;
    }
    for (size_t i = 0; i < params.size(); i++) {
        const TypeParamUse& use = *params[i]->use;
        const Type* arg = args[i];
        if (!arg->admitsNil || (!use.optionalAt.isValid() && (!use.keyAt.isValid() || isAny(arg)))) continue;
        const std::string_view param = types_.interner().text(params[i]->name);
        auto message = diags_.report(diag::OptionalArgument, where, types_.print(arg), param, name);
        if (use.optionalAt.isValid())
            message.note(diag::OptionalWrittenNote, use.optionalAt, param);
        else
            message.note(diag::KeyWrittenNote, use.keyAt, param);
        addChain(message, name, at);
        return false;
    }
    return true;
}

/// The place in code that is not generic where the way to the present copy begins.
Range Instantiator::rootOf(Loc at) const {
    for (const Copy* copy = here(); copy; copy = copy->from) at = copy->at;
    return {at, at + 1};
}

/// How the present copy came to need `name`: the last steps, or of a way without end the first ones, which show how it grows.
void Instantiator::addChain(frontend::DiagBuilder message, std::string_view name, Loc at) {
    constexpr size_t kShown = 3;
    std::vector<const Copy*> way;
    for (const Copy* copy = here(); copy; copy = copy->from) way.push_back(copy);
    for (size_t i = 0; i < way.size(); i++) {
        if (failed_ ? i + kShown >= way.size() : i < kShown)
            message.note(diag::NeededByNote, {at, at + 1}, name, way[i]->name);
        name = way[i]->name;
        at = way[i]->at;
    }
}

// ---- What a node names ----------------------------------------------------------------------------------------------

/// The function that takes the place of `f` here. `args`: concrete type arguments of a generic one.
TypedFunction* Instantiator::function(TypedFunction* f, List<const Type*> args, Loc at) {
    if (!f) return nullptr;
    auto* info = static_cast<FunctionInfo*>(f);
    at_ = at;
    if (!args.empty()) return instance(*info, args, at);
    Copy* const copy = copyAround(info);
    return copy ? nested(*copy, *info) : f;
}

const Type* Instantiator::type(const Type* t) {
    if (!t) return nullptr;
    if (copy_ && t->hasTypeParams) t = types_.substitute(t, copy_->bindings, &copy_->types);
    see(t);
    return t;
}

Variable* Instantiator::variable(Variable* v) {
    if (!copy_ || !v || v->kind == VarKind::Module) return v;
    Copy* const copy = copyAround(static_cast<FunctionInfo*>(v->owner));
    if (!copy) return v;
    auto [known, isNew] = copy->variables.try_emplace(v, nullptr);
    if (!isNew) return known->second;
    auto* made = program_.arena.make<Variable>(*v);
    known->second = made;
    Copy* const at = copy_;
    copy_ = copy;
    made->type = type(v->type);
    made->owner = nested(*copy, *static_cast<FunctionInfo*>(v->owner));
    made->function = v->function ? function(v->function, {}, v->range.begin) : nullptr;
    made->needsInitCheck = v->needsInitCheck && !made->type->admitsNil;  // nil until it is set
    copy_ = at;
    return made;
}

// ---- The invariant --------------------------------------------------------------------------------------------------

void Instantiator::checkNoParams() const {
    for (const TypedFunction* f : program_.functions) {
        if (!f->body) continue;  // nothing is left of it
        LUAPP_CHECK(f->type && !f->type->hasTypeParams, "a function that is left has type parameters");
        for ([[maybe_unused]] const Variable* v : f->params)
            LUAPP_CHECK(!v->type->hasTypeParams, "a parameter that is left has type parameters");
    }
    for ([[maybe_unused]] const Variable* v : program_.moduleVariables)
        LUAPP_CHECK(!v->type || !v->type->hasTypeParams, "a module variable has type parameters");
}

}  // namespace luapp::sema
