// Constructors: calls of them, base constructors, what they must assign, and when `self` gets away from them.
#include <algorithm>

#include "frontend/ast/ast_visit.h"
#include "runtime/base/list_limits.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Calls ----------------------------------------------------------------------------------------------------------

/// True if the class's statement may not have run yet when the code being checked runs.
bool Checker::mayBeUnready(const SemaVar& variable) const {
    if (function_ == variable.owner) return !variable.isAssigned;
    if (function_->in != variable.module) return variable.module->isInCycle;
    if (function_->topLevel) return function_->topLevel->earliestCall < variable.statement;
    return !variable.isAssigned;
}

/// A checked read of the class's variable where its statement may not have run; else null.
TExpr* Checker::readyCheck(const ClassInfo& info, Loc loc) {
    SemaVar& variable = *info.variable;
    if (!mayBeUnready(variable)) return nullptr;
    if (variable.kind != VarKind::Module) {
        variable.kind = VarKind::Module;
        variable.index = uint32_t(program_.moduleVariables.size());
        variable.needsInitCheck = true;
        program_.moduleVariables.push_back(&variable);
    }
    auto* get = expr<TVarGet>(variable.type, loc);
    get->variable = &variable;
    get->checked = true;
    get->classType = info.selfType;
    return get;
}

/// The same for the class of a static field; null for other variables.
TExpr* Checker::staticReady(const SemaVar& variable, Loc loc) {
    return variable.field && variable.field->isStatic ? readyCheck(*static_cast<ClassInfo*>(variable.field->owner), loc) : nullptr;
}

/// May this constructor be called here? Reports if not.
bool Checker::mayConstruct(const ClassInfo& info, const ConstructorInfo& constructor, Range range) {
    const ClassInfo* from = currentClass();
    switch (constructor.access) {
        case Access::Public: return true;
        case Access::Protected:
            if (derivesFrom(from, constructor.owner)) return true;
            diags_.report(diag::PrivateConstructor, range, text(info.name), "protected");
            return false;
        case Access::Private:
            if (from == constructor.owner) return true;
            diags_.report(diag::PrivateConstructor, range, text(info.name), "private");
            return false;
    }
    return true;
}

/// Could a function literal be of this type, by its number of parameters and their annotations.
bool Checker::literalCouldBe(const ast::FunctionBody& literal, const FunctionType& type) {
    if (type.params.count > literal.params.count) return false;
    for (uint32_t i = 0; i < type.params.count; i++) {
        if (!literal.params[i].decl.type || type.params[i]->hasTypeParams) continue;
        const Type* written = typeOf(*literal.params[i].decl.type);
        if (!written->hasTypeParams && !isAssignable(type.params[i], written)) return false;
    }
    return true;
}

/// Could a brace list be of this type, by the form of its items and the literals among them.
bool Checker::braceCouldBe(const ast::BraceExpr& list, const Type* type) {
    using ast::BraceItemKind;
    auto fits = [&](ast::Expr& item, const Type* wanted) {
        const bool isLiteral = item.kind == ast::NodeKind::NumberExpr || item.kind == ast::NodeKind::StringExpr ||
                               item.kind == ast::NodeKind::BoolExpr;
        return couldBe(item, isLiteral ? checkExpr(item, nullptr) : nullptr, wanted);
    };
    auto all = [&](auto holds) { return std::all_of(list.items.begin(), list.items.end(), holds); };
    if (auto* array = asIf<ArrayType>(type))
        return all([&](const ast::BraceItem& i) { return i.kind == BraceItemKind::Positional && fits(*i.value, array->element); });
    if (auto* table = asIf<TableType>(type))
        return all([&](const ast::BraceItem& i) {
            if (i.kind == BraceItemKind::Keyed) return fits(*i.key, table->key) && fits(*i.value, table->value);
            if (i.kind == BraceItemKind::Named) return isAssignable(types_.string(), table->key) && fits(*i.value, table->value);
            auto* pair = ast::as<ast::BraceExpr>(i.value);
            return pair && pair->items.count == 2;
        });
    if (auto* record = asIf<RecordType>(type))
        return all([&](const ast::BraceItem& i) {
            const int field = i.kind == BraceItemKind::Named ? record->indexOf(i.name.name) : -1;
            return field >= 0 && fits(*i.value, record->fields[uint32_t(field)].type);
        });
    return type->kind == TypeKind::Class;
}

/// How well an argument fits a parameter before the constructor is chosen. `value` is null for what needs a context.
bool Checker::couldBe(const ast::Expr& source, TExpr* value, const Type* param) {
    const ast::Expr* at = &source;
    while (auto* paren = ast::as<ast::ParenExpr>(at)) at = paren->inner;
    for (const Type* member : membersOf(param)) {
        if (isAny(member) || member->kind == TypeKind::TypeParam) return true;
        if (auto* literal = ast::as<ast::FunctionExpr>(at)) {
            if (member->kind == TypeKind::AnyFunction) return true;
            if (auto* f = asIf<FunctionType>(member); f && literalCouldBe(*literal->body, *f)) return true;
            continue;
        }
        if (auto* list = ast::as<ast::BraceExpr>(at)) {
            if (braceCouldBe(*list, member)) return true;
            continue;
        }
        if (!value) return true;
        if (isError(value->type)) return true;
        if (isWholeLiteral(*at) && isInteger(member)) return true;
        if (param->hasTypeParams && value->type->kind == member->kind) return true;
    }
    if (!value) return false;
    const Fit fit = relate(value->type, param);
    return fit != Fit::None && !(fit == Fit::Check && isImplicitAny(value->type));
}

/// The constructor that the arguments mean; null after a message.
ConstructorInfo* Checker::chooseConstructor(ast::CallExpr& e, ClassInfo& info, std::vector<TExpr*>& checked) {
    const auto& all = info.constructors;
    bool isOpenEnded = hasMultiLast(e);
    auto takes = [&](const ConstructorInfo* c) {
        if (!c->type) return false;
        if (isOpenEnded) return e.args.count <= c->type->params.count + 1 || c->type->vararg;
        return e.args.count >= c->type->minArgs() && (e.args.count <= c->type->params.count || c->type->vararg);
    };
    std::vector<ConstructorInfo*> fitting;
    for (ConstructorInfo* c : all)
        if (takes(c)) fitting.push_back(c);
    if (fitting.size() == 1) return fitting[0];
    if (all.size() == 1) return all[0];  // the count is reported by the call
    std::string shown;
    for (ast::Expr* arg : e.args) {
        const bool needsContext = arg->kind == ast::NodeKind::FunctionExpr || arg->kind == ast::NodeKind::BraceExpr;
        TExpr* value = nullptr;
        if (!needsContext)
            value = arg == e.args.back() && isExpandable(*arg) ? checkMulti(*arg, nullptr) : checkExpr(*arg, nullptr);
        checked.push_back(value);
        if (!shown.empty()) shown += ", ";
        shown += value ? show(value->type) : "...";
        if (value && isError(value->type)) return nullptr;
    }
    if (isOpenEnded && !isMulti(checked.back())) {  // a call that gives one value
        isOpenEnded = false;
        std::erase_if(fitting, [&](const ConstructorInfo* c) { return !takes(c); });
    }
    std::erase_if(fitting, [&](const ConstructorInfo* c) {
        const FunctionType* type = constructorType(info, *c);
        for (uint32_t i = 0; i < e.args.count; i++) {
            const Type* param = i < type->params.count ? type->params[i] : type->vararg;
            if (param && !couldBe(*e.args[i], checked[i], param)) return true;
        }
        return false;
    });
    if (fitting.size() == 1) return fitting[0];
    if (fitting.empty())
        diags_.report(diag::NoConstructor, e.argsRange.isValid() ? e.argsRange : e.range, text(info.name), shown);
    else
        diags_.report(diag::ConstructorAmbiguous, e.range, text(info.name));
    return nullptr;
}

/// `Name(...)`.
TExpr* Checker::constructCall(ast::CallExpr& e, Nominal& nominal, const Type* expected) {
    const Loc loc = e.range.begin;
    if (nominal.nominalKind != NominalKind::Class) {
        diags_.report(diag::CannotConstruct, e.callee->range, text(nominal.name));
        checkArgsOnly(e);
        return errorExpr(loc);
    }
    auto& info = static_cast<ClassInfo&>(nominal);
    Callee callee;
    callee.name = text(info.name);
    callee.kind = CallKind::Function;
    callee.construct = &info;
    const FunctionType* type = nullptr;
    if (info.isBroken) {
        checkArgsOnly(e);
        TExpr* error = errorExpr(loc);
        return error;
    }
    if (!info.constructors.empty()) {
        ConstructorInfo* constructor = chooseConstructor(e, info, callee.checked);
        if (!constructor || !constructor->type || !mayConstruct(info, *constructor, e.callee->range)) {
            if (callee.checked.empty()) checkArgsOnly(e);
            return errorExpr(loc);
        }
        callee.function = constructor->function;
        callee.constructor = constructor;
        type = constructorType(info, *constructor);
    }
    const Type* self = info.selfType;
    callee.type = types_.function(type ? type->params.span() : std::span<const Type* const>{}, type ? type->vararg : nullptr,
                                  {&self, 1}, nullptr, type ? type->defaults : 0);
    if (!info.typeParams.empty() && !openCallee(callee, callee.type, info.typeParams.span(), e)) {
        checkArgsOnly(e);
        return errorExpr(loc);
    }
    return finishCall(e, callee, expected);
}

/// The object of a call whose arguments are matched.
TExpr* Checker::newObject(const Callee& callee, const ClassType* type, std::span<TExpr* const> args,
                          std::span<TExpr* const> extras, TExpr* pack, Loc loc) {
    auto* made = expr<TObjectNew>(type, loc);
    made->constructor = callee.function;
    if (callee.constructor)
        if (const ClassType* owner = ancestorOf(type, callee.constructor->owner)) made->typeArguments = owner->args;
    made->ready = readyCheck(*callee.construct, loc);
    made->args = arena().makeList<TExpr*>(args);
    std::vector<TExpr*> boxed;
    for (TExpr* extra : extras) boxed.push_back(convert(extra, types_.any(), CheckReason::Argument, {}));
    made->extras = arena().makeList<TExpr*>(boxed);
    made->pack = pack;
    return made;
}

// ---- Implicit constructors ------------------------------------------------------------------------------------------

/// The value as an object of `wanted`, through the one implicit constructor that takes it; null if there is none (LANGUAGE 6:
/// one step, by static types).
TExpr* Checker::convertImplicitly(TExpr* value, const ClassType* wanted) {
    const ClassInfo& info = *wanted->info;
    if (value->type->kind == TypeKind::Void || isAny(value->type)) return nullptr;
    ConstructorInfo* found = nullptr;
    TExpr* argument = nullptr;
    for (ConstructorInfo* constructor : info.constructors) {
        if (!constructor->isImplicit || !constructor->type || constructor->type->params.empty()) continue;
        if (constructor->type->minArgs() > 1) continue;
        const ClassType* owner = ancestorOf(wanted, constructor->owner);
        if (!owner) continue;
        const Type* param = memberType(constructor->type->params[0], owner);
        TExpr* given = value;
        if (given->kind == TExprKind::NumberConst && wantsIntegerOnly(param)) {
            const double number = given->as<TNumberConst>()->value;
            if (number == double(int64_t(number))) given = integerConst(int64_t(number), value->loc);
        }
        const Fit fit = relate(given->type, param);
        if (fit == Fit::None || fit == Fit::Check) continue;
        if (constructor->access != Access::Public && currentClass() != constructor->owner) continue;
        if (found) return nullptr;  // two take it: neither is meant
        found = constructor;
        argument = convert(given, param, CheckReason::Argument, {});
    }
    if (!found) return nullptr;
    Callee callee;
    callee.function = found->function;
    callee.constructor = found;
    callee.construct = const_cast<ClassInfo*>(&info);
    afterCall();
    return newObject(callee, wanted, {&argument, 1}, {}, nullptr, value->loc);
}

/// The class among the members of `wanted` that a value may be converted to implicitly, or null.
const ClassType* Checker::implicitTarget(const Type* wanted) {
    const ClassType* found = nullptr;
    for (const Type* member : membersOf(wanted)) {
        auto* type = asIf<ClassType>(member);
        if (!type || std::none_of(type->info->constructors.begin(), type->info->constructors.end(),
                                  [](const ConstructorInfo* c) { return c->isImplicit; }))
            continue;
        if (found) return nullptr;
        found = type;
    }
    return found;
}

/// A brace list where an object is wanted: the arguments of an implicit constructor, or the one argument of it.
TExpr* Checker::bracesAsObject(ast::BraceExpr& e, const ClassType* type) {
    const ClassInfo& info = *type->info;
    const bool isPositional = std::all_of(e.items.begin(), e.items.end(), [](const ast::BraceItem& item) {
        return item.kind == ast::BraceItemKind::Positional;
    });
    ConstructorInfo *byItems = nullptr, *byList = nullptr;
    std::vector<ConstructorInfo*> fitting;
    for (ConstructorInfo* c : info.constructors) {
        if (!c->isImplicit || !c->type) continue;
        const FunctionType* params = c->type;
        if (isPositional && e.items.count >= std::max(params->minArgs(), 1u) &&
            (e.items.count <= params->params.count || params->vararg))
            fitting.push_back(c);
        if (params->minArgs() <= 1 && !params->params.empty())
            for (const Type* member : membersOf(params->params[0])) {
                const bool list = member->kind == TypeKind::Array && isPositional;
                const bool named = !isPositional && (member->kind == TypeKind::Record || member->kind == TypeKind::Table);
                if (list || named) byList = c;
            }
    }
    std::vector<TExpr*> checked(e.items.count, nullptr);
    if (fitting.size() > 1) {  // the types of the items decide
        for (uint32_t i = 0; i < e.items.count; i++) {
            ast::Expr& item = *e.items[i].value;
            if (item.kind != ast::NodeKind::FunctionExpr && item.kind != ast::NodeKind::BraceExpr) checked[i] = checkExpr(item, nullptr);
        }
        std::erase_if(fitting, [&](const ConstructorInfo* c) {
            auto* params = as<FunctionType>(memberType(c->type, ancestorOf(type, c->owner)));
            for (uint32_t i = 0; i < e.items.count; i++)
                if (!couldBe(*e.items[i].value, checked[i], i < params->params.count ? params->params[i] : params->vararg)) return true;
            return false;
        });
        if (fitting.size() > 1) {
            diags_.report(diag::ConstructorAmbiguous, e.range, text(info.name));
            return errorExpr(e.range.begin);
        }
    }
    if (!fitting.empty()) byItems = fitting[0];
    // A single item for a parameter that is itself a list: the items decide, `{ { 1, 2 } }` passes the list.
    if (byItems && byItems == byList && e.items.count == 1)
        byItems = e.items[0].value->kind == ast::NodeKind::BraceExpr ? byItems : nullptr;
    if (byItems && byList && byItems != byList) {
        diags_.report(diag::BracesTwoWays, e.range, text(info.name));
        return errorExpr(e.range.begin);
    }
    ConstructorInfo* chosen = byItems ? byItems : byList;
    if (!chosen) return nullptr;
    const ClassType* owner = ancestorOf(type, chosen->owner);
    auto* params = as<FunctionType>(memberType(chosen->type, owner));
    Callee callee;
    callee.function = chosen->function;
    callee.constructor = chosen;
    callee.construct = const_cast<ClassInfo*>(&info);
    callee.name = text(info.name);
    std::vector<TExpr*> args;
    bool isBad = false;
    if (byItems) {
        for (uint32_t i = 0; i < e.items.count; i++) {
            ast::Expr& item = *e.items[i].value;
            const Type* param = i < params->params.count ? params->params[i] : params->vararg;
            TExpr* value = checked[i] && !isWholeLiteral(item) ? checked[i] : checkExpr(item, param);
            if (value->type->kind == TypeKind::Void) value = noValue(item.range, value->loc);
            args.push_back(passArgument(value, param, callee, i + 1, item.range));
            isBad |= isError(args.back()->type);
        }
    } else {
        args.push_back(passArgument(checkBraces(e, params->params[0]), params->params[0], callee, 1, e.range));
        isBad |= isError(args.back()->type);
    }
    if (isBad || !mayConstruct(info, *chosen, e.range)) return errorExpr(e.range.begin);
    afterCall();
    const size_t fixed = std::min<size_t>(args.size(), params->params.count);
    const std::span<TExpr* const> all(args);
    return newObject(callee, type, all.subspan(0, fixed), all.subspan(fixed), nullptr, e.range.begin);
}

// ---- Bodies ---------------------------------------------------------------------------------------------------------

namespace {

/// The base constructor calls that stand directly in the body of a constructor.
void collectBaseCalls(ast::FunctionBody& body, std::vector<ast::CallExpr*>& calls) {
    for (ast::Stmt* s : body.body.statements) {
        ast::Expr* value = nullptr;
        if (auto* run = ast::as<ast::ExprStmt>(s)) value = run->expr;
        if (auto* arrow = ast::as<ast::ReturnStmt>(s); arrow && body.isArrow && arrow->values.count == 1)
            value = arrow->values[0];
        if (auto* call = value ? ast::as<ast::CallExpr>(value) : nullptr) calls.push_back(call);
    }
}

}  // namespace

/// The base class that a call `base(...)` or `base.Other(...)` in a constructor names. Null if it is something else, or after
/// a message (then `isBaseCall`).
const ClassType* Checker::baseNamed(ast::Expr& callee, bool& isBaseCall) {
    ClassInfo* info = currentClass();
    isBaseCall = false;
    if (!info) return nullptr;
    if (callee.kind == ast::NodeKind::BaseExpr) {
        isBaseCall = true;
        if (!info->bases.empty()) return info->bases[0];
        if (!info->isBroken) diags_.report(diag::NoBase, callee.range, text(info->name));
        return nullptr;
    }
    auto* field = ast::as<ast::FieldExpr>(&callee);
    if (!field || field->object->kind != ast::NodeKind::BaseExpr) return nullptr;
    auto known = info->module->nominals.find(field->field.name.id);
    Nominal* nominal = known == info->module->nominals.end() ? nullptr : known->second;
    for (const ClassType* base : info->bases)
        if (base->info == nominal || (!nominal && base->name == field->field.name)) {
            isBaseCall = true;
            return base;
        }
    if (!nominal || nominal->nominalKind != NominalKind::Class) return nullptr;
    if (findMember(info->selfType, field->field.name, info, nullptr).info) return nullptr;
    isBaseCall = true;
    diags_.report(diag::NoSuchBase, field->field.range, text(field->field.name), text(info->name));
    return nullptr;
}

/// `base(...)` or `base.Other(...)`.
TExpr* Checker::baseConstructorCall(ast::CallExpr& e, const ClassType& base) {
    const Loc loc = e.range.begin;
    const ClassInfo& info = *base.info;
    if (!construction_ ||
        std::find(construction_->baseCalls.begin(), construction_->baseCalls.end(), &e) == construction_->baseCalls.end()) {
        diags_.report(diag::BaseCallPlace, e.range);
        misplacedBaseCalls_++;
        checkArgsOnly(e);
        return errorExpr(loc);
    }
    if (construction_->isDone(&info) && !info.constructors.empty()) {
        diags_.report(diag::BaseCallTwice, e.range, text(info.name));
        checkArgsOnly(e);
        return errorExpr(loc);
    }
    Callee callee;
    callee.kind = CallKind::Function;
    callee.name = text(info.name);
    callee.type = types_.function({}, nullptr, {});
    if (!info.constructors.empty()) {
        ConstructorInfo* constructor = chooseConstructor(e, const_cast<ClassInfo&>(info), callee.checked);
        if (!constructor || !constructor->type || !mayConstruct(info, *constructor, e.callee->range)) {
            construction_->done.push_back(&info);
            return errorExpr(loc);
        }
        callee.function = constructor->function;
        callee.constructor = constructor;
        callee.type = as<FunctionType>(memberType(constructorType(info, *constructor), &base));
        callee.object = getVar(currentSelf(), loc);
        callee.ownerArgs = ancestorOf(&base, constructor->owner)->args;
    }
    TExpr* call = finishCall(e, callee, nullptr);
    if (isError(call->type)) return call;
    if (callee.constructor) noteBaseRuns(*callee.constructor);
    construction_->done.push_back(&info);
    if (!callee.function) {
        call = nilConst(loc);
        call->type = types_.voidType();
        return call;
    }
    return guardShared(call, base);
}

/// A call of the constructor of a base that is shared runs only if no other one has; its arguments are evaluated anyway.
TExpr* Checker::guardShared(TExpr* value, const ClassType& base) {
    if (!base.info->sharedMark) return value;
    std::vector<TStmt*> before;
    value = unwrapLet(value, before);
    if (value->kind != TExprKind::Call) return value;  // its arguments are in error
    auto* call = value->as<TCall>();
    std::vector<TExpr*> args(call->args.begin(), call->args.end());
    for (size_t i = 1; i < args.size(); i++) args[i] = stash(before, args[i]);
    call->args = arena().makeList<TExpr*>(args);
    std::vector<TExpr*> extras;
    for (TExpr* extra : call->extras) extras.push_back(stash(before, extra));
    call->extras = arena().makeList<TExpr*>(extras);
    const Member mark{base.info->sharedMark, &base};
    const Loc loc = value->loc;
    auto* run = stmt<TExprStmt>(loc);
    run->expr = call;
    TStmt* const inner[] = {fieldSet(getVar(currentSelf(), loc), mark, boolConst(true, loc), loc), run};
    auto* branch = stmt<TIf>(loc);
    branch->condition = notNode(fieldGet(getVar(currentSelf(), loc), mark, loc));
    branch->then = block(inner, loc);
    branch->otherwise = nullptr;
    before.push_back(branch);
    TExpr* nothing = nilConst(loc);
    nothing->type = types_.voidType();
    return let(before, nothing);
}

/// The call of a base's constructor without arguments, where a constructor names none.
void Checker::callBaseImplicitly(const ClassType& base, Range where) {
    ConstructorInfo* constructor = constructorWithoutArguments(*base.info);
    if (!constructor) {
        construction_->missing.push_back({base.info, where});
        construction_->done.push_back(base.info);
        return;
    }
    if (mayConstruct(*base.info, *constructor, where)) passToBase(base, *constructor, {}, nullptr, where.begin);
}

/// Calls a base's constructor on `self` with these arguments.
void Checker::passToBase(const ClassType& base, ConstructorInfo& constructor, std::span<TExpr* const> args, TExpr* pack,
                         Loc loc) {
    auto* call = expr<TCall>(types_.voidType(), loc);
    call->callKind = CallKind::Function;
    call->function = constructor.function;
    call->typeArguments = ancestorOf(&base, constructor.owner)->args;
    std::vector<TExpr*> all{getVar(currentSelf(), loc)};
    all.insert(all.end(), args.begin(), args.end());
    call->args = arena().makeList<TExpr*>(all);
    call->pack = pack;
    noteBaseRuns(constructor);
    construction_->done.push_back(base.info);
    std::vector<TStmt*> before;
    TExpr* value = guardShared(call, base);
    value = unwrapLet(value, before);
    for (TStmt* s : before) emit(s);
    if (value->kind != TExprKind::Call) return;
    auto* run = stmt<TExprStmt>(loc);
    run->expr = value;
    emit(run);
}

/// Before the statements of a constructor: which fields it has to assign, and base constructors that it does not name.
void Checker::beginConstructor(FunctionInfo& f) {
    ClassInfo& info = *f.classInfo;
    construction_->constructor = f.constructor;
    for (FieldInfo* field : info.objectFields) {
        if (!field->name) continue;
        SelfField& known = selfField(*field, field->type);
        known.variable->isAssigned = !field->mustBeAssigned;
        known.variable->current = nullptr;
        if (known.unassigned) flow_.setType(known.unassigned, field->decl && field->decl->value ? nullptr : types_.nil());
    }
    if (f.body_) collectBaseCalls(*f.body_, construction_->baseCalls);
    std::vector<const ClassInfo*> named;
    for (ast::CallExpr* call : construction_->baseCalls) {
        if (call->callee->kind == ast::NodeKind::BaseExpr && !info.bases.empty()) named.push_back(info.bases[0]->info);
        auto* field = ast::as<ast::FieldExpr>(call->callee);
        if (!field || field->object->kind != ast::NodeKind::BaseExpr) continue;
        bool isBaseCall = false;
        const auto mark = diags_.mark();
        if (const ClassType* base = baseNamed(*call->callee, isBaseCall)) named.push_back(base->info);
        diags_.rollBack(mark);
    }
    for (const ClassType* base : info.bases) {
        if (base->info->constructors.empty()) {
            construction_->done.push_back(base->info);
            continue;
        }
        if (!f.body_ || std::find(named.begin(), named.end(), base->info) != named.end()) continue;
        callBaseImplicitly(*base, f.constructor->range);
    }
}

/// After the statements of a constructor: bases whose constructor had to be called. A call in a wrong place has been reported.
void Checker::reportMissingBases(int misplacedBefore) {
    if (misplacedBaseCalls_ != misplacedBefore) return;
    for (auto& [base, where] : construction_->missing) diags_.report(diag::BaseNeedsArguments, where, text(base->name));
}

/// A constructor can end here.
void Checker::endConstructor(Range where) {
    if (!construction_) return;
    for (FieldInfo* field : construction_->constructor->owner->objectFields) {
        if (!field->name || !field->mustBeAssigned || isError(field->type)) continue;
        if (!selfField(*field, field->type).variable->isAssigned)
            diags_.report(diag::FieldNotAssigned, where, text(field->name)).note(diag::DeclaredHere, field->range, text(field->name));
    }
}

/// The body of a constructor that makeConstructor() made.
void Checker::buildConstructor(FunctionInfo& f) {
    ClassInfo& info = *f.classInfo;
    FunctionInfo* const outer = function_;
    ModuleInfo* const module = module_;
    function_ = &f;
    module_ = f.in;
    Construction state;
    construction_ = &state;
    const size_t mark = flow_.mark();
    {
        Scratch<TStmt*> list(statements_);
        beginConstructor(f);
        for (uint32_t i = 0; i < info.bases.count; i++) {
            const ClassType& base = *info.bases[i];
            if (base.info->constructors.empty()) continue;
            if (i > 0) {
                callBaseImplicitly(base, info.range);
                continue;
            }
            std::vector<TExpr*> args;
            for (uint32_t p = 1; p < f.params.count; p++) args.push_back(getVar(f.params[p], f.range.begin));
            TExpr* pack = f.isVararg ? expr<TVararg>(types_.any(), f.range.begin) : nullptr;
            passToBase(base, *f.constructor->passesTo, args, pack, f.range.begin);
        }
        f.body = block(list.span(), f.range.begin);
    }
    reportMissingBases(misplacedBaseCalls_);
    f.state = FunctionInfo::State::Checked;
    flow_.undo(mark);
    construction_ = nullptr;
    function_ = outer;
    module_ = module;
}

// ---- Unset fields ---------------------------------------------------------------------------------------------------

/// A direct read of a field of `self`.
void Checker::noteFieldRead(FieldInfo& field, Range range) {
    if (!construction_ || !field.mustBeAssigned) return;
    const bool isOwn = field.owner == construction_->constructor->owner;
    const bool isSet = isOwn ? selfField(field, field.type).variable->isAssigned
                             : construction_->isDone(static_cast<ClassInfo*>(field.owner));
    if (!isSet) diags_.report(diag::FieldReadEarly, range, text(field.name));
}

/// A direct write.
bool Checker::mayWriteField(FieldInfo& field, bool isSelf, Range range) {
    if (!field.isConst) return true;
    if (!isSelf || !construction_ || field.owner != construction_->constructor->owner || (field.decl && field.decl->value)) {
        diags_.report(diag::AssignConstField, range, text(field.name)).note(diag::DeclaredHere, field.range, text(field.name));
        return false;
    }
    SelfField& known = selfField(field, field.type);
    if (known.unassigned->current == types_.nil()) {
        flow_.setType(known.unassigned, types_.boolean());
        return true;
    }
    diags_.report(diag::AssignConstTwice, range, text(field.name));
    flow_.setAssigned(known.variable);
    return false;
}

/// Other code may see the object from here on: fields without a value may be read unset.
void Checker::noteSelfGoes() {
    if (!construction_) return;
    ConstructorInfo& constructor = *construction_->constructor;
    constructor.letsSelfGo = true;
    if (constructor.owner->objectFields.size() > base::kMaxListLength) return;  // no object can be that large
    for (FieldInfo* field : unsetNow()) field->mayBeUnset = true;
}

/// A closure of the constructor's own text may be called by anybody from now on.
void Checker::noteSelfCaptured(const FunctionInfo& function) {
    if (!construction_) return;
    for (const Capture* c = function.uses; c; c = c->next)
        if (c->variable == construction_->constructor->function->selfParam) return noteSelfGoes();
}

/// The fields of the object that have no value at this point of a constructor. (Those of derived classes are looked after by their
/// own constructors.)
std::vector<FieldInfo*> Checker::unsetNow() {
    std::vector<FieldInfo*> unset;
    const ClassInfo& info = *construction_->constructor->owner;
    for (const ClassType* ancestor : info.ancestors) {
        if (ancestor->info != &info && construction_->isDone(ancestor->info)) continue;
        for (FieldInfo* field : ancestor->info->objectFields) {
            if (!field->mustBeAssigned) continue;
            if (ancestor->info == &info && selfField(*field, field->type).variable->isAssigned) continue;
            unset.push_back(field);
        }
    }
    return unset;
}

bool Construction::isDone(const ClassInfo* base) const {
    return std::any_of(done.begin(), done.end(), [&](const ClassInfo* direct) {
        return std::any_of(direct->ancestors.begin(), direct->ancestors.end(),
                           [&](const ClassType* ancestor) { return ancestor->info == base; });
    });
}

/// The constructor of a base runs: if it lets `self` go, what is unset now can be read unset. For the fields of the base itself and
/// of its own bases that constructor says so.
void Checker::noteBaseRuns(ConstructorInfo& base) {
    std::vector<FieldInfo*> unset = unsetNow();
    std::erase_if(unset, [&](const FieldInfo* field) {
        return std::any_of(base.owner->ancestors.begin(), base.owner->ancestors.end(),
                           [&](const ClassType* ancestor) { return ancestor->info == field->owner; });
    });
    baseRuns_.push_back({construction_->constructor, &base, std::move(unset)});
}

/// When all constructors are checked: which let `self` go through the constructors of their bases.
void Checker::settleUnsetFields() {
    for (bool changed = true; changed;) {
        changed = false;
        for (BaseRun& run : baseRuns_) {
            if (!run.base->letsSelfGo || run.isSettled) continue;
            run.isSettled = changed = true;
            run.constructor->letsSelfGo = true;
            for (FieldInfo* field : run.unset) field->mayBeUnset = true;
        }
    }
    // A finaliser sees objects whose constructor was left by an error.
    for (ClassInfo* info : classes_) {
        const Member finalizer = findMember(info->selfType, interner_.intern("__gc"), info, nullptr);
        if (!finalizer.info) continue;
        for (const ClassType* ancestor : info->ancestors)
            for (FieldInfo* field : ancestor->info->objectFields) field->mayBeUnset |= field->mustBeAssigned;
    }
}

}  // namespace luapp::sema
