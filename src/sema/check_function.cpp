// Function declarations and literals: signatures, bodies, inferred results, instances of const functions.
#include <algorithm>

#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

/// The function type out of `expected`, if there is exactly one in it.
const FunctionType* Checker::functionIn(const Type* expected) {
    if (!expected) return nullptr;
    const FunctionType* found = nullptr;
    for (const Type* member : membersOf(expected))
        if (auto* f = asIf<FunctionType>(member)) {
            if (found) return nullptr;
            found = f;
        }
    return found;
}

/// Works out parameters and, where written, results. Without a written result a named function is void, an arrow or
/// a literal takes it from the context or its body; the type stays null until then.
void Checker::knowSignature(FunctionInfo& f, const FunctionType* context) {
    if (f.signatureKnown) {
        if (!f.type && f.infersResult && f.state == FunctionInfo::State::Unchecked && f.isHoisted) inferResult(f);
        return;
    }
    f.signatureKnown = true;
    ModuleInfo* const module = module_;
    module_ = f.in;
    ast::FunctionBody& body = *f.body_;
    if (f.isGeneric()) f.typeParams = declareTypeParams(body.typeParams);
    const TypeScope scope(*this, f);
    if (f.isGeneric()) resolveBounds(body.typeParams, f.typeParams);
    hasGenerics_ |= f.isGeneric();
    Scratch<Variable*> params(variables_);
    const Type* const undeclared = isLenient() ? types_.any() : types_.implicitAny();
    if (f.selfParam) params.add(f.selfParam);
    if (f.selfParam && !f.classInfo) f.selfParam->type = types_.any();
    if (!context && f.resultsFrom) context = f.resultsFrom;
    bool seenDefault = false;
    uint32_t defaults = 0;
    for (uint32_t i = 0; i < body.params.count; i++) {
        ast::Param& param = body.params[i];
        SemaVar* variable = current(param.decl.variable);
        if (param.decl.type) {
            variable->type = typeOf(*param.decl.type);
        } else if (f.isInstance) {
            // given by instantiateConst()
        } else if (f.isConst && f.isGeneric()) {
            diags_.report(diag::NeedsAnnotation, param.decl.range, text(param.decl.name));
            variable->type = types_.error();
        } else if (f.isConst && !f.classInfo) {
            f.hasUntypedParams = true;
        } else if (context && i < context->params.count && !context->params[i]->isOpen) {
            variable->type = context->params[i];
        } else if (param.defaultValue && !ast::is<ast::NilExpr>(param.defaultValue)) {
            variable->type = literalType(*param.defaultValue);
        } else {
            variable->type = undeclared;
        }
        if (!variable->type && !f.hasUntypedParams) variable->type = undeclared;
        variable->isAssigned = true;
        variable->isTypeKnown = true;
        if (param.defaultValue) {
            seenDefault = true;
            defaults++;
        } else if (seenDefault) {
            diags_.report(diag::DefaultNotLast, param.decl.range, text(param.decl.name));
            seenDefault = false;
            defaults = 0;
        }
        params.add(variable);
    }
    f.params = params.list(arena());
    f.defaultCount = defaults;
    f.varargType = nullptr;
    if (body.isVararg) f.varargType = body.varargType ? typeOf(*body.varargType) : types_.any();
    std::vector<const Type*> results;
    const Type* variadic = nullptr;
    bool isKnown = true;
    if (body.results.isWritten) {
        typeOfResults(body.results, results, variadic);
    } else if (f.isMain) {
        variadic = types_.any();
    } else if (context && std::none_of(context->results.begin(), context->results.end(), [](auto* t) { return t->isOpen; })) {
        results.assign(context->results.begin(), context->results.end());
        variadic = context->variadicResult;
    } else if (isLenient() && !body.isArrow && !f.classInfo) {
        variadic = types_.any();
    } else if (body.isArrow || f.isLiteral) {
        isKnown = false;
        f.infersResult = true;
    }
    if (!f.hasUntypedParams && isKnown) f.type = makeType(f, results, variadic);
    module_ = module;
    if (!isKnown && f.isHoisted && !f.hasUntypedParams) inferResult(f);
}

/// The type a parameter takes from its default value.
const Type* Checker::literalType(ast::Expr& value) {
    switch (value.kind) {
        case ast::NodeKind::BoolExpr: return types_.boolean();
        case ast::NodeKind::NumberExpr: return types_.number();
        case ast::NodeKind::StringExpr: return types_.string();
        default: return types_.implicitAny();
    }
}

const FunctionType* Checker::makeType(FunctionInfo& f, std::span<const Type* const> results, const Type* variadic) {
    std::vector<const Type*> params;
    for (Variable* p : f.params) params.push_back(isImplicitAny(p->type) ? types_.any() : p->type);
    return types_.function(params, f.varargType, results, variadic, f.defaultCount);
}

/// Checks a body where it stands: it sees what is known of variables that are never reassigned.
void Checker::checkBody(FunctionInfo& f) {
    if (f.state != FunctionInfo::State::Unchecked && !uncertainLoops_) return;
    if (f.state == FunctionInfo::State::Checking) return;
    f.state = FunctionInfo::State::Checking;
    FunctionInfo* const outer = function_;
    ModuleInfo* const module = module_;
    const size_t loopBase = loopBase_;
    const size_t labelBase = labelBase_;
    const bool wasReachable = flow_.isReachable;
    auto* const chain = chain_;
    auto* const untilLoop = untilLoop_;
    auto* const fromOne = loopFromOne_;
    const size_t mark = flow_.mark();
    Inference inference;
    Inference* const outerInference = inference_;
    inference_ = f.infersResult && !f.type ? &inference : nullptr;
    const TypeScope scope(*this, f);
    function_ = &f;
    module_ = f.in;
    loopBase_ = loops_.size();
    labelBase_ = labels_.size();
    chain_ = nullptr;
    untilLoop_ = nullptr;
    loopFromOne_ = nullptr;
    flow_.isReachable = true;
    flow_.forgetVolatile();

    ast::FunctionBody& body = *f.body_;
    Construction construction;
    construction.constructor = f.constructor;
    Construction* const outerConstruction = construction_;
    construction_ = f.constructor ? &construction : nullptr;
    std::vector<TExpr*> defaults;
    if (f.selfParam) defaults.push_back(nullptr);
    for (uint32_t i = 0; i < body.params.count; i++) {
        ast::Expr* value = body.params[i].defaultValue;
        const Type* type = f.params[uint32_t(defaults.size())]->type;
        if (!value || !type) {
            defaults.push_back(nullptr);
            continue;
        }
        const Type* wanted = isImplicitAny(type) ? types_.any() : type;
        defaults.push_back(checkAs(*value, wanted, CheckReason::Assign));
    }
    f.defaults = arena().makeList<TExpr*>(defaults);
    {
        Scratch<TStmt*> list(statements_);
        const int misplaced = misplacedBaseCalls_;
        if (f.constructor) beginConstructor(f);
        if (f.argTable) declareArg(f);
        checkStatements(body.body.statements.span());
        if (f.constructor) reportMissingBases(misplaced);
        if (flow_.isReachable) endBody(f, body);
        f.body = block(list.span(), body.range.begin);
    }
    if (inference_) finishInference(f, inference);
    f.state = FunctionInfo::State::Checked;

    construction_ = outerConstruction;
    inference_ = outerInference;
    function_ = outer;
    module_ = module;
    loopBase_ = loopBase;
    labelBase_ = labelBase;
    chain_ = chain;
    untilLoop_ = untilLoop;
    loopFromOne_ = fromOne;
    flow_.undo(mark);
    flow_.isReachable = wasReachable;
}

/// The end of a body can be reached: fine for a function without results.
void Checker::endBody(FunctionInfo& f, ast::FunctionBody& body) {
    if (f.constructor && !body.isArrow) endConstructor(body.endRange.isValid() ? body.endRange : body.range);
    if (f.isMain || body.isArrow) return;
    if (f.type ? !f.type->results.empty() : inference_ && inference_->givesValues)
        diags_.report(diag::MissingReturn, body.endRange.isValid() ? body.endRange : body.range,
                      f.name.empty() ? "function" : f.name, f.type ? show(f.type->results[0]) : "a value");
}

/// Checks a body that may run from elsewhere: nothing is known about outer variables but their types.
void Checker::checkBodyApart(FunctionInfo& f) {
    if (f.state != FunctionInfo::State::Unchecked) return;
    const FlowDelta all = flow_.changesSince(0);
    flow_.undo(0);
    FunctionInfo* const outer = function_;
    if (!function_) function_ = f.in->main;
    const int uncertain = uncertainLoops_;
    uncertainLoops_ = 0;
    checkBody(f);
    uncertainLoops_ = uncertain;
    function_ = outer;
    flow_.redo(all);
}

/// Checks the body that decides a function's result, because the code being checked needs to know it. Where that code stands too deep
/// already the result stays unknown.
void Checker::inferResult(FunctionInfo& f) {
    if (level_ <= kMaxLevel) checkBodyApart(f);
}

/// The results of a function whose `return`s decide them: the union of each position.
void Checker::finishInference(FunctionInfo& f, Inference& inference) {
    size_t count = 0;
    for (TReturn* r : inference.returns) count = std::max<size_t>(count, r->values.count);
    bool isVariadic = false;
    for (TReturn* r : inference.returns) isVariadic |= r->pack != nullptr;
    std::vector<const Type*> results;
    for (size_t i = 0; i < count && !isVariadic; i++) {
        const Type* type = types_.never();
        for (TReturn* r : inference.returns)
            type = types_.unionOf(type, i < r->values.count ? valueType(r->values[uint32_t(i)]->type) : types_.nil());
        results.push_back(type);
    }
    for (TReturn* r : inference.returns) {
        std::vector<TExpr*> values(r->values.begin(), r->values.end());
        if (!isVariadic) values.resize(count, nullptr);
        for (size_t i = 0; i < values.size(); i++) {
            if (!values[i]) values[i] = nilConst(r->loc);
            values[i] = convert(values[i], isVariadic ? types_.any() : results[i], CheckReason::Return, {});
        }
        r->values = arena().makeList<TExpr*>(values);
    }
    f.type = makeType(f, results, isVariadic ? types_.any() : nullptr);
}

/// The type under which a value is kept: an implicit any is any there, no value an error.
const Type* Checker::valueType(const Type* type) {
    if (isImplicitAny(type)) return types_.any();
    return keptOf(type);
}

/// A known function as a value.
TExpr* Checker::functionValue(FunctionInfo& f, Loc loc) {
    auto* ref = expr<TFuncRef>(f.type ? static_cast<const Type*>(f.type) : types_.error(), loc);
    if (!f.type) diags_.report(diag::ResultNotKnownYet, {loc, loc + uint32_t(f.name.size())}, f.name);
    ref->function = &f;
    return ref;
}

TExpr* Checker::checkFunctionExpr(ast::FunctionExpr& e, const Type* expected) {
    FunctionInfo& f = *functionOf(*e.body);
    FunctionInfo* instance = instanceOf(f);
    instance->isLiteral = true;
    if (f.isGeneric()) {
        diags_.report(diag::GenericLiteral, cover(e.body->typeParams[0].range, e.body->typeParams.back().range));
        return errorExpr(e.range.begin);
    }
    if (instance->name.empty()) {
        const auto line = diags_.sources().position(e.range.begin).at.line;
        instance->name = arena().copyText("function at line " + std::to_string(line));
    }
    // A loop may be checked again with other types.
    instance->signatureKnown = false;
    instance->type = nullptr;
    instance->infersResult = false;
    if (instance->state == FunctionInfo::State::Checked) instance->state = FunctionInfo::State::Unchecked;
    knowSignature(*instance, functionIn(expected));
    noteSelfCaptured(f);
    checkBody(*instance);
    auto* closure =
        expr<TClosure>(instance->type ? static_cast<const Type*>(instance->type) : types_.error(), e.range.begin);
    closure->function = instance;
    return closure;
}

void Checker::checkLocalFunction(ast::LocalFunctionDecl& d) {
    FunctionInfo& f = *instanceOf(*functionOf(*d.body));
    SemaVar* variable = current(d.name.variable);
    f.isConst = d.isConst;
    f.variable = variable;
    if (f.state == FunctionInfo::State::Checked && uncertainLoops_) f.state = FunctionInfo::State::Unchecked;
    knowSignature(f);
    variable->isTypeKnown = true;
    variable->isAssigned = true;
    noteSelfCaptured(f);
    if (f.hasUntypedParams) return;
    // In a lenient file a name that is assigned again may hold anything.
    const bool isAnything = isLoose(f) && !variable->function;
    if (f.type) variable->type = isAnything ? types_.any() : static_cast<const Type*>(f.type);
    // A call from before this statement must not see what is known here.
    if (f.topLevel == &f && f.earliestCall < variable->statement)
        checkBodyApart(f);
    else
        checkBody(f);
    if (!isAnything) variable->type = f.type ? static_cast<const Type*>(f.type) : types_.error();
    if ((variable->function && !f.needsClosure) || f.isGeneric()) return;
    declareFunctionVariable(f, *variable, d.range.begin);
}

void Checker::declareFunctionVariable(FunctionInfo& f, SemaVar& variable, Loc loc) {
    auto* closure = expr<TClosure>(f.type ? static_cast<const Type*>(f.type) : types_.error(), loc);
    closure->function = &f;
    auto* declare = stmt<TLocalDecl>(loc);
    declare->variable = &variable;
    declare->init = isAny(variable.type) ? asAny(closure) : closure;
    emit(declare);
}

/// `function f()` at the top level is checked after the main block; `function a.b()` assigns to a field.
void Checker::checkFunctionDecl(ast::FunctionDecl& d) {
    if (d.name.variable) return;
    if (isLenient()) return lenientFunction(d);
    auto* field = ast::as<ast::FieldExpr>(d.target);
    if (!field) {
        if (auto* name = ast::as<ast::NameExpr>(d.target))
            diags_.report(diag::FunctionInBlock, name->range, text(name->name));
        return;
    }
    if (d.isMethod) {
        diags_.report(diag::MethodOutsideClass, d.target->range, text(field->field.name));
        return;
    }
    Place place;
    if (!checkPlace(*d.target, place)) return;
    FunctionInfo& f = *instanceOf(*functionOf(*d.body));
    if (f.isGeneric()) {
        diags_.report(diag::GenericLiteral, cover(d.body->typeParams[0].range, d.body->typeParams.back().range));
        return;
    }
    f.isLiteral = true;
    f.name = text(field->field.name);
    f.signatureKnown = false;
    knowSignature(f, functionIn(placeType(place)));
    f.state = FunctionInfo::State::Unchecked;
    checkBody(f);
    auto* closure = expr<TClosure>(f.type ? static_cast<const Type*>(f.type) : types_.error(), d.range.begin);
    closure->function = &f;
    writePlace(place, closure, d.target->range);
}

// ---- Const functions ------------------------------------------------------------------------------------------------

/// The function to use for a declaration: its copy while a const function around it is being instantiated.
FunctionInfo* Checker::instanceOf(FunctionInfo& f) { return f.instance ? f.instance : &f; }

namespace {

/// The functions declared inside `root`, itself first.
std::vector<FunctionInfo*> functionsInside(TypedProgram& program, FunctionInfo& root) {
    std::vector<FunctionInfo*> inside{&root};
    for (size_t i = 0; i < program.functions.size(); i++) {
        auto* f = static_cast<FunctionInfo*>(program.functions[i]);
        if (f == &root || f->isInstance) continue;
        for (FunctionInfo* at = f->outer; at; at = at->outer)
            if (at == &root) {
                inside.push_back(f);
                break;
            }
    }
    return inside;
}

}  // namespace

/// A copy of a const function typed for these arguments; null after an error.
FunctionInfo* Checker::instantiateConst(FunctionInfo& generic, std::span<const Type* const> argTypes, Range where) {
    if (generic.isInstantiating) {
        diags_.report(diag::RecursiveConst, where, generic.name);
        return nullptr;
    }
    if (constDepth_ > kMaxConstDepth || level_ > kMaxLevel) {
        diags_.report(diag::ConstTooDeep, where, generic.name);
        return nullptr;
    }
    // A copy for types that mention type parameters belongs to the function that has them.
    const bool isForTemplate = std::any_of(argTypes.begin(), argTypes.end(), [](auto* t) { return t->hasTypeParams; });
    if (!generic.needsClosure && !isForTemplate)
        for (const Instance& known : instances_)
            if (known.generic == &generic &&
                std::equal(known.args.begin(), known.args.end(), argTypes.begin(), argTypes.end()))
                return known.function;
    const std::vector<FunctionInfo*> originals = functionsInside(program_, generic);
    std::vector<FunctionInfo*> copies;
    for (FunctionInfo* original : originals) {
        auto* copy = arena().make<FunctionInfo>(*original);
        copy->isInstance = true;
        copy->signatureKnown = false;
        copy->state = FunctionInfo::State::Unchecked;
        copy->type = nullptr;
        copy->hasUntypedParams = false;
        copy->variables = nullptr;
        copy->variableCount = 0;
        copies.push_back(copy);
        program_.functions.push_back(copy);
    }
    for (size_t i = 0; i < originals.size(); i++) {
        originals[i]->instance = copies[i];
        for (SemaVar* v = originals[i]->variables; v; v = v->nextInHome) {
            auto* copy = arena().make<SemaVar>(*v);
            copy->owner = copies[i];
            copy->home = copies[i];
            copy->index = copies[i]->variableCount++;
            copy->nextInHome = copies[i]->variables;
            copy->current = nullptr;
            copy->instance = nullptr;
            copies[i]->variables = copy;
            v->instance = copy;
        }
    }
    for (size_t i = 0; i < originals.size(); i++) {
        FunctionInfo* copy = copies[i];
        for (FunctionInfo* other : originals)
            if (copy->outer == other) copy->outer = other->instance, copy->parent = other->instance;
        for (SemaVar* v = copy->variables; v; v = v->nextInHome)
            if (v->function && static_cast<FunctionInfo*>(v->function)->instance) {
                v->function = static_cast<FunctionInfo*>(v->function)->instance;
                v->function->variable = v;
            }
        std::vector<Variable*> captures;
        for (Variable* v : copy->captures) captures.push_back(current(v));
        copy->captures = arena().makeList<Variable*>(captures);
    }
    FunctionInfo* copy = copies[0];
    for (uint32_t i = 0; i < generic.body_->params.count; i++) {
        SemaVar* param = current(generic.body_->params[i].decl.variable);
        param->type = argTypes[i];
    }
    generic.isInstantiating = true;
    constDepth_++;
    if (isForTemplate) copy->usedIn = function_;
    copy->isConst = true;
    copy->isLiteral = true;  // its result may be inferred
    const size_t messages = diags_.list().size();
    knowSignature(*copy);
    checkBody(*copy);
    if (diags_.list().size() != messages) {
        std::string given;
        for (const Type* type : argTypes) given += (given.empty() ? "" : ", ") + show(type);
        diags_.noteSince(messages, diag::ConstUsedNote, where, generic.name, given);
    }
    constDepth_--;
    generic.isInstantiating = false;
    for (FunctionInfo* original : originals) {
        original->instance = nullptr;
        for (SemaVar* v = original->variables; v; v = v->nextInHome) v->instance = nullptr;
    }
    instances_.push_back({&generic, std::vector<const Type*>(argTypes.begin(), argTypes.end()), copy});
    return copy;
}

}  // namespace luapp::sema
