// Expressions but calls, operators, function literals and brace lists: names, literals, members, tests and casts.
#include <utility>

#include "frontend/ast/ast_visit.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

using ast::BinaryOp;

namespace {

bool wantsInteger(const Type* expected) {
    if (!expected) return false;
    for (const Type* member : membersOf(expected))
        if (isInteger(member)) return true;
    return false;
}

}  // namespace

bool isWholeLiteral(const ast::Expr& expr) {
    const ast::Expr* at = &expr;
    for (;;) {
        if (auto* paren = ast::as<ast::ParenExpr>(at)) {
            at = paren->inner;
        } else if (auto* unary = ast::as<ast::UnaryExpr>(at); unary && unary->op == ast::UnaryOp::Neg) {
            at = unary->operand;
        } else {
            auto* number = ast::as<ast::NumberExpr>(at);
            return number && (number->isWhole || number->isTooLarge);
        }
    }
}

// ---- Entry ----------------------------------------------------------------------------------------------------------

TExpr* Checker::checkExpr(ast::Expr& e, const Type* expected, Pred** pred) {
    const Level level(level_);
    if (pred) *pred = nullptr;
    const bool eventAllowed = std::exchange(eventAllowed_, false);
    TExpr* value = nullptr;
    if (e.kind == ast::NodeKind::NameExpr || e.kind == ast::NodeKind::FieldExpr)
        if (FunctionInfo* generic = genericNamed(e)) return genericValue(*generic, expected, e.range);
    switch (e.kind) {
        case ast::NodeKind::NilExpr: value = nilConst(e.range.begin); break;
        case ast::NodeKind::BoolExpr: value = boolConst(static_cast<ast::BoolExpr&>(e).value, e.range.begin); break;
        case ast::NodeKind::NumberExpr: value = check(static_cast<ast::NumberExpr&>(e), expected); break;
        case ast::NodeKind::StringExpr:
            value = stringConst(static_cast<ast::StringExpr&>(e).value, e.range.begin);
            break;
        case ast::NodeKind::InterpExpr: value = check(static_cast<ast::InterpExpr&>(e)); break;
        case ast::NodeKind::VarargExpr: value = single(checkVararg(static_cast<ast::VarargExpr&>(e)), e.range); break;
        case ast::NodeKind::NameExpr: value = check(static_cast<ast::NameExpr&>(e), pred); break;
        case ast::NodeKind::BaseExpr: value = errorExpr(e.range.begin); break;  // alone: reported by the parser
        case ast::NodeKind::FieldExpr:
            value = check(static_cast<ast::FieldExpr&>(e));
            if (pred)
                if (SemaVar* field = selfFieldOf(e)) *pred = truthPred(field);
            break;
        case ast::NodeKind::IndexExpr: value = check(static_cast<ast::IndexExpr&>(e)); break;
        case ast::NodeKind::CallExpr:
            value = single(checkCall(static_cast<ast::CallExpr&>(e), expected, pred), e.range);
            break;
        case ast::NodeKind::ChainExpr: value = check(static_cast<ast::ChainExpr&>(e)); break;
        case ast::NodeKind::FunctionExpr:
            value = checkFunctionExpr(static_cast<ast::FunctionExpr&>(e), expected);
            break;
        case ast::NodeKind::UnaryExpr: value = check(static_cast<ast::UnaryExpr&>(e), expected, pred); break;
        case ast::NodeKind::BinaryExpr: value = check(static_cast<ast::BinaryExpr&>(e), expected, pred, false); break;
        case ast::NodeKind::ConcatExpr: value = check(static_cast<ast::ConcatExpr&>(e)); break;
        case ast::NodeKind::IncDecExpr: value = checkIncDec(static_cast<ast::IncDecExpr&>(e), true); break;
        case ast::NodeKind::TypeTestExpr: value = check(static_cast<ast::TypeTestExpr&>(e), pred); break;
        case ast::NodeKind::CastExpr: value = check(static_cast<ast::CastExpr&>(e)); break;
        case ast::NodeKind::NonNilExpr: value = check(static_cast<ast::NonNilExpr&>(e)); break;
        case ast::NodeKind::BraceExpr: value = checkBraces(static_cast<ast::BraceExpr&>(e), expected); break;
        case ast::NodeKind::ParenExpr: value = checkExpr(*static_cast<ast::ParenExpr&>(e).inner, expected, pred); break;
        case ast::NodeKind::ErrorExpr: value = errorExpr(e.range.begin); break;
        default: LUAPP_UNREACHABLE("a type or statement where an expression belongs");
    }
    // Parentheses and operators give one value, though the call inside gives more.
    if (isMulti(value) && !isExpandable(e)) value = convertNode(ConvertKind::Retype, CheckReason::Assign, value, value->type);
    if (eventNode_ && value == eventNode_ && !eventAllowed) {
        diags_.report(diag::EventUse, e.range, text(eventMember_.info->name));
        value = errorExpr(e.range.begin);
    }
    if (isTooDeep(value->type, e.range)) value = errorExpr(e.range.begin);
    e.type = value->type;
    return value;
}

TExpr* Checker::checkAs(ast::Expr& e, const Type* wanted, CheckReason reason) {
    return convert(checkExpr(e, wanted), wanted, reason, e.range);
}

TExpr* Checker::checkCondition(ast::Expr& e, Pred** pred) {
    if (pred) *pred = nullptr;
    ast::Expr* at = &e;
    while (auto* paren = ast::as<ast::ParenExpr>(at)) at = paren->inner;
    TExpr* value;
    if (auto* binary = ast::as<ast::BinaryExpr>(at);
        binary && (binary->op == BinaryOp::And || binary->op == BinaryOp::Or))
        value = check(*binary, nullptr, pred, true);
    else
        value = checkExpr(*at, nullptr, pred);
    if (value->type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, e.range);
        return errorExpr(value->loc);
    }
    return toBoolean(value);
}

// ---- Names and literals ---------------------------------------------------------------------------------------------

SemaVar* Checker::variableOf(ast::Expr& e) {
    ast::Expr* at = &e;
    while (auto* paren = ast::as<ast::ParenExpr>(at)) at = paren->inner;
    if (at->kind == ast::NodeKind::FieldExpr) return selfFieldOf(*at);
    auto* name = ast::as<ast::NameExpr>(at);
    SemaVar* variable = name ? current(name->resolved) : nullptr;
    if (variable && variable->member) return selfFieldOf(*at);
    return variable && variable->nominal ? nullptr : variable;
}

TExpr* Checker::readVariable(SemaVar& variable, Range range) {
    if (variable.namespaceOf && variable.required) {  // its exports as a value
        TExpr* name = stringConst(static_cast<ast::StringExpr*>(variable.required->args[0])->value, range.begin);
        return callLibrary(*Builtins::find("require"), {&name, 1}, range.begin);
    }
    if (variable.namespaceOf) {
        diags_.report(diag::ModuleAsValue, range, text(variable.name));
        return errorExpr(range.begin);
    }
    if (variable.nominal) return classValue(*variable.nominal, range);
    if (variable.member) return bareMemberValue(*variable.member, {variable.name, range});
    if (construction_ && &variable == construction_->constructor->function->selfParam) noteSelfGoes();
    if (auto* held = static_cast<FunctionInfo*>(variable.function)) {
        knowSignature(*held);
        if (held->hasUntypedParams) {
            diags_.report(diag::ConstFunctionValue, range, held->name);
            return errorExpr(range.begin);
        }
        return functionValue(*held, range.begin);
    }
    if (!variable.type && variable.declaration) typeExportAhead(variable);
    if (!variable.type) {
        if (!variable.isUnusable) diags_.report(diag::TypeNotKnownYet, range, text(variable.name));
        return errorExpr(range.begin);
    }
    bool isChecked = false;
    if (variable.owner == function_ && variable.field) {  // a static field
        isChecked = !variable.isAssigned;
    } else if (variable.owner == function_) {
        if (!variable.isAssigned && !isError(variable.type)) {
            if (untilLoop_ && variable.range.begin >= untilLoop_->range.begin &&
                variable.range.begin < untilLoop_->range.end)
                reportSkippedLocal(variable, range);
            else if (!variable.type->admitsNil)
                diags_.report(diag::ReadBeforeAssigned, range, text(variable.name));
        }
    } else if (variable.isTopLevel && function_->in != variable.module) {
        isChecked = variable.module->isInCycle;
    } else if (variable.isTopLevel && function_->topLevel) {
        isChecked = function_->topLevel->earliestCall <= variable.statement ||
                    (!variable.type->admitsNil &&
                     (function_->topLevel->isHoisted ? variable.isDeclaredLater : !variable.isAssigned));
    } else {
        isChecked = !variable.isAssigned && !variable.type->admitsNil;
    }
    isChecked &= !variable.type->admitsNil;  // nil until then
    if (isChecked) variable.needsInitCheck = true;
    auto* get = expr<TVarGet>(variable.type, range.begin);
    get->variable = &variable;
    get->checked = isChecked;
    TExpr* value = get;
    if (TExpr* ready = staticReady(variable, range.begin)) {
        auto* run = stmt<TExprStmt>(range.begin);
        run->expr = ready;
        TStmt* const first = run;
        value = let({&first, 1}, get);
    }
    if (!variable.current) return value;
    const Type* now = variable.current;
    return convertNode(now->rep == variable.type->rep ? ConvertKind::Retype : ConvertKind::Narrow, CheckReason::Assign,
                       value, now);
}

/// An exported variable of a module that is checked later (in a cycle of imports): its annotation or literal tells.
void Checker::typeExportAhead(SemaVar& variable) {
    ast::LocalStmt& declaration = *variable.declaration;
    ModuleInfo* const module = module_;
    module_ = variable.module;
    for (uint32_t i = 0; i < declaration.names.count; i++) {
        if (declaration.names[i].variable != &variable) continue;
        if (declaration.names[i].type)
            variable.type = typeOf(*declaration.names[i].type);
        else if (i < declaration.values.count && !isImplicitAny(literalType(*declaration.values[i])))
            variable.type = literalType(*declaration.values[i]);
    }
    module_ = module;
}

/// The condition of a `repeat` uses a local whose declaration some `continue` jumps over (LANGUAGE 4).
void Checker::reportSkippedLocal(SemaVar& variable, Range use) {
    for (const Range& statement : untilLoop_->loop->continueStmts)
        if (statement.begin < variable.range.begin) {
            diags_.report(diag::ContinueSkipsLocal, statement, text(variable.name))
                .note(diag::UsedHere, use, text(variable.name));
            return;
        }
    if (!variable.type->admitsNil) diags_.report(diag::ReadBeforeAssigned, use, text(variable.name));
}

TExpr* Checker::check(ast::NameExpr& e, Pred** pred) {
    if (SemaVar* variable = current(e.resolved)) {
        TExpr* value = readVariable(*variable, e.range);
        if (pred && !variable->function)
            if (SemaVar* tested = variableOf(e)) *pred = truthPred(tested);
        return value;
    }
    if (isLenient()) return globalValue(e.name, e.range.begin);
    const std::string_view name = text(e.name);
    if (const BuiltinEntry* entry = Builtins::find(name)) return builtinValue(*entry, e.range);
    if (module_->isSession && isSessionGlobal(e.name)) {
        auto* get = expr<TMemberDyn>(types_.any(), e.range.begin);
        get->object = sessionGlobals(e.range.begin);
        get->name = e.name;
        return get;
    }
    if (Builtins::isLibrary(name)) {
        diags_.report(diag::LibraryAsValue, e.range, name);
        return errorExpr(e.range.begin);
    }
    reportUnknownName(e);
    return errorExpr(e.range.begin);
}

/// In an entry of an interactive session: a name that nothing declares.
bool Checker::isSessionGlobal(Symbol name) const {
    return !Builtins::isLibrary(text(name)) && !module_->aliases.count(name.id) && !module_->misplaced.count(name.id);
}

/// The table of the session's globals.
TExpr* Checker::sessionGlobals(Loc loc) { return callLibrary(Builtins::hidden("(globals)"), {}, loc); }

/// How a member that the class around inherits from another module is written there (its bare name does not do); else empty.
std::string Checker::inheritedSpelling(Symbol name) {
    ClassInfo* info = currentClass();
    const Member member = info ? findMember(info->selfType, name, info, nullptr) : Member{};
    if (!member.info) return {};
    if (member.info->isStatic) return std::string(text(info->name)) + "." + std::string(text(name));
    return currentSelf() ? "self." + std::string(text(name)) : std::string();
}

void Checker::reportUnknownName(ast::NameExpr& name) {
    if (module_->aliases.count(name.name.id)) {
        diags_.report(diag::TypeAsValue, name.range, text(name.name));
        return;
    }
    if (module_->misplaced.count(name.name.id)) return;
    if (const std::string member = inheritedSpelling(name.name); !member.empty()) {
        diags_.report(diag::UnknownName, name.range, text(name.name)).didYouMean(name.range, member);
        return;
    }
    frontend::Suggester suggester(text(name.name));
    for (FunctionInfo* f = function_; f; f = f->outer)
        for (SemaVar* v = f->variables; v; v = v->nextInHome)
            if (v->name && v->range.begin < name.range.begin) suggester.offer(text(v->name));
    for (FunctionInfo* f : module_->hoisted) suggester.offer(f->name);
    for (const BuiltinEntry& entry : Builtins::all())
        if (entry.kind != BuiltinKind::Hidden) suggester.offer(entry.name.substr(0, entry.name.find('.')));
    diags_.report(diag::UnknownName, name.range, text(name.name)).didYouMean(name.range, suggester.best());
}

/// A call of a library function with all its arguments as it declares them.
TExpr* Checker::callLibrary(const BuiltinEntry& entry, std::span<TExpr* const> args, Loc loc) {
    const BuiltinSignature& signature = builtins_.signature(entry);
    auto* call = expr<TCall>(signature.type->isVoid() ? types_.voidType() : signature.type->results[0], loc);
    call->callKind = CallKind::Builtin;
    call->builtin = signature.entry->index;
    call->args = arena().makeList<TExpr*>(args);
    call->results = signature.type->results;
    return call;
}

/// A library function, value or constant by its entry.
TExpr* Checker::builtinValue(const BuiltinEntry& entry, Range range) {
    const Loc loc = range.begin;
    if (entry.kind == BuiltinKind::Const) {
        const Type* type = builtins_.constantType(entry);
        if (isString(type)) return stringConst(entry.text, loc);
        return isInteger(type) ? integerConst(entry.integer, loc) : numberConst(entry.number, loc);
    }
    const BuiltinSignature& signature = builtins_.signature(entry);
    if (entry.kind == BuiltinKind::Value) {
        auto* call = expr<TCall>(signature.type->results[0], loc);
        call->callKind = CallKind::Builtin;
        call->builtin = entry.index;
        call->results = signature.type->results;
        return call;
    }
    auto* ref = expr<TBuiltinRef>(signature.type, loc);
    ref->builtin = entry.index;
    // A generic function as a value takes and gives anything.
    if (signature.type->isOpen) ref->type = types_.anyFunction();
    return ref;
}

TExpr* Checker::check(ast::NumberExpr& e, const Type* expected) {
    if (e.isWhole && wantsInteger(expected)) return integerConst(int64_t(e.value), e.range.begin);
    if (e.isTooLarge && wantsInteger(expected)) {
        diags_.report(diag::LiteralTooLarge, e.range);
        return errorExpr(e.range.begin);
    }
    return numberConst(e.value, e.range.begin);
}

TExpr* Checker::check(ast::InterpExpr& e) {
    Scratch<TExpr*> parts(exprs_);
    for (uint32_t i = 0; i < e.values.count; i++) {
        if (!e.texts[i].empty()) parts.add(stringConst(e.texts[i], e.range.begin));
        ast::Expr& source = *e.values[i];
        TExpr* value = checkExpr(source, nullptr);
        if (value->type->kind == TypeKind::Void) {
            diags_.report(diag::NoValue, source.range);
            continue;
        }
        if (isString(value->type)) {
            parts.add(value);
            continue;
        }
        auto* string = expr<TToString>(types_.string(), value->loc);
        string->operand = value;
        parts.add(string);
        if (value->type->kind >= TypeKind::Class || isUnion(value->type)) afterCall();  // __tostring
    }
    if (!e.texts.back().empty()) parts.add(stringConst(e.texts.back(), e.range.begin));
    if (parts.empty()) return stringConst("", e.range.begin);
    if (parts.size() == 1) return parts[0];
    auto* concat = expr<TConcat>(types_.string(), e.range.begin);
    concat->parts = parts.list(arena());
    return concat;
}

TExpr* Checker::checkVararg(ast::VarargExpr& e) {
    auto* pack = expr<TVararg>(types_.any(), e.range.begin);
    return pack;
}

// ---- Members and elements -------------------------------------------------------------------------------------------

/// The library entry that `library.name` means, if the object is the bare name of a library.
const BuiltinEntry* Checker::libraryEntry(ast::FieldExpr& e, bool& isLibrary) {
    auto* name = ast::as<ast::NameExpr>(e.object);
    isLibrary = !isLenient() && name && !name->resolved && Builtins::isLibrary(text(name->name)) && !Builtins::find(text(name->name));
    if (!isLibrary) return nullptr;
    const BuiltinEntry* entry = Builtins::find(text(name->name), text(e.field.name));
    if (entry) return entry;
    frontend::Suggester suggester(text(e.field.name));
    for (const BuiltinEntry& other : Builtins::all())
        if (other.name.size() > text(name->name).size() + 1 && other.name.starts_with(text(name->name)) &&
            other.name[text(name->name).size()] == '.')
            suggester.offer(other.name.substr(text(name->name).size() + 1));
    diags_.report(diag::UnknownLibraryMember, e.field.range, text(name->name), text(e.field.name))
        .didYouMean(e.field.range, suggester.best());
    return nullptr;
}

/// The module that an object is: `geo` of `import * as geo` or `local geo = require("geo")`, or such a call itself.
ModuleInfo* Checker::namespaceIn(ast::Expr& object) {
    if (auto* name = ast::as<ast::NameExpr>(&object)) {
        SemaVar* holder = current(name->resolved);
        return holder ? holder->namespaceOf : nullptr;
    }
    auto* call = module_->requireOf.empty() ? nullptr : ast::as<ast::CallExpr>(&object);
    auto found = call ? module_->requireOf.find(call) : module_->requireOf.end();
    return found == module_->requireOf.end() ? nullptr : found->second;
}

/// `geo.name` where `geo` is a module: the variable, or null after a message.
SemaVar* Checker::namespaceMember(ast::FieldExpr& e, bool& isNamespace) {
    ModuleInfo* module = namespaceIn(*e.object);
    isNamespace = module;
    if (!isNamespace) return nullptr;
    auto& exports = module->exports;
    auto found = exports.find(e.field.name.id);
    if (found != exports.end() && found->second.variable) return found->second.variable;
    frontend::Suggester suggester(text(e.field.name));
    for (auto& [symbol, entry] : exports)
        if (entry.variable) suggester.offer(text(Symbol{symbol}));
    auto* name = ast::as<ast::NameExpr>(e.object);
    const std::string_view shown = name ? text(name->name) : module->typed->name;
    diags_.report(diag::NotExported, e.field.range, shown, text(e.field.name))
        .didYouMean(e.field.range, suggester.best());
    return nullptr;
}

TExpr* Checker::check(ast::FieldExpr& e) {
    bool special = false;
    if (const BuiltinEntry* entry = libraryEntry(e, special)) return builtinValue(*entry, e.range);
    if (special) return errorExpr(e.range.begin);
    if (Nominal* nominal = nominalIn(*e.object)) return nominalMember(*nominal, e.field);
    if (const ClassType* from = nullptr; isBaseObject(*e.object, from)) return inheritedValue(e, from);
    if (SemaVar* variable = namespaceMember(e, special)) return readVariable(*variable, e.range);
    if (special) return errorExpr(e.range.begin);
    TExpr* object = chainLink(checkLinkObject(*e.object), e.isOptional, e.object->range);
    return member(object, e);
}

/// The object of a link; inside a chain its own links belong to the chain.
TExpr* Checker::checkLinkObject(ast::Expr& object) {
    if (auto* name = ast::as<ast::NameExpr>(&object); name && construction_ && current(name->resolved) == currentSelf())
        return getVar(currentSelf(), object.range.begin);  // does not yet show `self` to anybody
    eventAllowed_ = true;
    TExpr* value = checkExpr(object, nullptr);
    eventAllowed_ = false;
    return loosened(value);
}

/// For `?.` and `?[`: tests the object; what follows sees it without nil.
TExpr* Checker::chainLink(TExpr* object, bool isOptional, Range range) {
    if (!isOptional || isError(object->type)) return object;
    if (reportImplicitAny(object, range)) return errorExpr(object->loc);
    if (!object->type->admitsNil) return object;
    Variable* held = temp(object->type);
    chain_->push_back({held, object});
    TExpr* value = getVar(held, object->loc);
    const Type* rest = types_.withoutNil(object->type);
    if (rest->kind == TypeKind::Never) {  // always nil here: the chain is checked for the declared type, and never runs
        rest = declaredType(object);
        if (rest) rest = types_.withoutNil(rest);
        if (!rest || rest->kind == TypeKind::Never) {
            diags_.report(diag::AlwaysNil, range);
            return errorExpr(object->loc);
        }
    }
    if (rest == object->type) return value;
    return convertNode(rest->rep == object->type->rep ? ConvertKind::Retype : ConvertKind::Narrow, CheckReason::Assign,
                       value, rest);
}

/// The declared type of the variable that a value is read from, narrowed or not; null for other values.
const Type* Checker::declaredType(const TExpr* value) {
    while (value->kind == TExprKind::Convert) value = value->as<TConvert>()->operand;
    return value->kind == TExprKind::VarGet ? value->as<TVarGet>()->variable->type : nullptr;
}

/// Nil unless the object of every optional link is there.
TExpr* Checker::closeChain(std::vector<ChainLink>& links, TExpr* value) {
    if (isError(value->type)) return value;
    const bool isVoid = value->type->kind == TypeKind::Void || value->type->kind == TypeKind::Never;
    const Type* type = isVoid ? types_.voidType() : types_.optional(value->type);
    for (size_t i = links.size(); i-- > 0;) {
        const Loc loc = links[i].object->loc;
        auto* conditional = expr<TConditional>(type, loc);
        conditional->condition = isNilTest(getVar(links[i].held, loc), false);
        conditional->then = isVoid ? value : convert(value, type, CheckReason::Assign, {});
        conditional->otherwise = nilConst(loc);
        conditional->otherwise->type = type;
        TStmt* declare = declareTemp(links[i].held, links[i].object, loc);
        value = let({&declare, 1}, conditional);
    }
    return value;
}

TExpr* Checker::check(ast::ChainExpr& e) {
    std::vector<ChainLink> links;
    std::vector<ChainLink>* outer = chain_;
    chain_ = &links;
    TExpr* value = e.chain->kind == ast::NodeKind::CallExpr
                       ? checkCall(static_cast<ast::CallExpr&>(*e.chain), nullptr, nullptr)
                       : checkExpr(*e.chain, nullptr);
    if (value->type->kind != TypeKind::Void) value = single(value, e.range);
    chain_ = outer;
    return closeChain(links, value);
}

TExpr* Checker::isNilTest(TExpr* value, bool whenNil) {
    auto* test = expr<TCompare>(types_.boolean(), value->loc);
    test->op = whenNil ? CompareOp::Eq : CompareOp::Ne;
    test->left = value;
    test->right = nilConst(value->loc);
    test->right->type = value->type;
    return test;
}

TExpr* Checker::member(TExpr* object, ast::FieldExpr& e) {
    const Type* type = object->type;
    if (isError(type)) return object;
    if (reportImplicitAny(object, e.object->range)) return errorExpr(object->loc);
    const Loc loc = e.field.range.begin;
    if (TExpr* bound = asBound(object, e.field.name); bound != object) return member(bound, e);
    if (isAny(type)) {
        auto* get = expr<TMemberDyn>(types_.any(), loc);
        get->object = object;
        get->name = e.field.name;
        return get;
    }
    if (TExpr* present = withKeyPresent(object)) return member(present, e);
    if (object == eventNode_) return eventMember(object, e.field);
    if (objectInfoOf(type)) {
        const Member found = memberOfObject(type, e.field, e.object->range);
        return found.info ? memberValue(object, found, e.field.range) : errorExpr(loc);
    }
    if (auto* record = asIf<RecordType>(type)) {
        const int at = record->indexOf(e.field.name);
        if (at >= 0) {
            auto* get = expr<TRecordGet>(record->fields[uint32_t(at)].type, loc);
            get->record = object;
            get->field = uint32_t(at);
            return get;
        }
    }
    const std::string_view library = Builtins::libraryOf(type);
    if (!library.empty())
        if (const BuiltinEntry* entry = Builtins::find(library, text(e.field.name))) {
            const BuiltinSignature& signature = builtins_.signature(*entry);
            if (isMemberOf(signature, type)) {
                if (entry->kind == BuiltinKind::Value) return propertyOf(*entry, object, loc);
                return boundMember(signature, object, e);
            }
        }
    reportUnknownMember(type, e.field, e.object->range);
    return errorExpr(loc);
}

/// A member function without a call: bound to the object. The library binds it; here it gets its type back.
TExpr* Checker::boundMember(const BuiltinSignature& signature, TExpr* object, ast::FieldExpr& e) {
    std::vector<TypeBinding> bindings;
    for (const TypeParamType* p : signature.typeParams) bindings.push_back({p, nullptr, false});
    infer(signature.type->params[0], object->type, bindings);
    auto* whole = as<FunctionType>(types_.substitute(signature.type, bindings));
    auto* get = expr<TMemberDyn>(types_.any(), e.field.range.begin);
    get->object = convert(object, types_.any(), CheckReason::Assign, e.object->range);
    get->name = e.field.name;
    const Type* type = types_.anyFunction();
    if (!whole->isOpen)
        type = types_.function(whole->params.span().subspan(1), whole->vararg, whole->results.span(),
                               whole->variadicResult, whole->defaults, whole->neverReturns);
    return convertNode(ConvertKind::Check, CheckReason::Assign, get, type);
}

/// `t[k].x` and `t[k][i]`: where a table element is used as an object, it must be there (LANGUAGE 5).
TExpr* Checker::withKeyPresent(TExpr* object) {
    if (object->kind != TExprKind::TableGet || !isOptional(object->type)) return nullptr;
    auto* get = object->as<TTableGet>();
    const Type* element = as<TableType>(get->table->type)->value;
    if (get->checked || element->admitsNil) return nullptr;
    get->checked = true;
    get->type = element;
    return get;
}

bool Checker::isMemberOf(const BuiltinSignature& signature, const Type* type) const {
    if (signature.isMember) return true;
    // String values have the functions of `string` that take a string first.
    return isString(type) && !signature.params.empty() && isString(signature.params[0].type);
}

TExpr* Checker::propertyOf(const BuiltinEntry& entry, TExpr* object, Loc loc) {
    const BuiltinSignature& signature = builtins_.signature(entry);
    if (entry.name.ends_with(".length") || entry.name == "Table.size") {
        auto* length = expr<TLength>(types_.integer(), loc);
        length->operand = object;
        return length;
    }
    auto* call = expr<TCall>(signature.type->results[0], loc);
    call->callKind = CallKind::Builtin;
    call->builtin = entry.index;
    call->args = arena().makeList<TExpr*>({&object, 1});
    call->results = signature.type->results;
    return call;
}

void Checker::reportUnknownMember(const Type* type, const ast::Ident& name, Range objectRange) {
    if (!name.name) return;  // the parser has reported it
    if (type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, objectRange);
        return;
    }
    if (type->admitsNil && !isNil(type) && !isAny(type)) {
        diags_.report(diag::MayBeNilAccess, objectRange, show(type), text(name.name));
        return;
    }
    frontend::Suggester suggester(text(name.name));
    if (auto* record = asIf<RecordType>(type))
        for (const RecordField& field : record->fields) suggester.offer(text(field.name));
    if (auto* object = asIf<ClassType>(keptOf(type)))
        for (const ClassType* ancestor : object->info->ancestors)
            for (const MemberInfo* m : membersInOrder(*ancestor->info))
                if (m->name && m->access == Access::Public) suggester.offer(text(m->name));
    if (auto* object = asIf<InterfaceType>(type))
        for (const MemberInfo* m : membersInOrder(*object->info)) suggester.offer(text(m->name));
    const std::string_view library = Builtins::libraryOf(type);
    if (!library.empty())
        for (const BuiltinEntry& entry : Builtins::all())
            if (entry.name.starts_with(library) && entry.name[library.size()] == '.')
                suggester.offer(entry.name.substr(library.size() + 1));
    auto message = diags_.report(diag::UnknownMember, name.range, show(type), text(name.name));
    message.didYouMean(name.range, suggester.best());
    if (auto* table = asIf<TableType>(type); table && isString(table->key))
        message.note(diag::TableKeyNote, {}, text(name.name));
}

TExpr* Checker::check(ast::IndexExpr& e) {
    TExpr* object = chainLink(checkLinkObject(*e.object), e.isOptional, e.object->range);
    return index(object, e);
}

/// The index of an array as an integer.
TExpr* Checker::arrayIndex(ast::Expr& source) {
    TExpr* value = checkExpr(source, types_.integer());
    if (isNumber(value->type)) return convertNode(ConvertKind::Check, CheckReason::Index, value, types_.integer());
    return convert(value, types_.integer(), CheckReason::Index, source.range);
}

TExpr* Checker::index(TExpr* object, ast::IndexExpr& e) {
    object = loosened(object);
    const Type* type = object->type;
    const Loc loc = e.index->range.begin;
    if (isError(type)) {
        checkExpr(*e.index, nullptr);
        return object;
    }
    if (reportImplicitAny(object, e.object->range)) return errorExpr(loc);
    if (TExpr* present = withKeyPresent(object)) return index(present, e);
    if (isAny(type)) {
        auto* get = expr<TIndexDyn>(types_.any(), loc);
        get->object = object;
        get->key = checkAs(*e.index, types_.any(), CheckReason::Index);
        return get;
    }
    if (auto* array = asIf<ArrayType>(type)) {
        noteLoopIndex(e);
        auto* get = expr<TArrayGet>(array->element, loc);
        get->array = object;
        get->index = arrayIndex(*e.index);
        return get;
    }
    if (auto* table = asIf<TableType>(type)) {
        auto* get = expr<TTableGet>(types_.optional(table->value), loc);
        get->table = object;
        get->key = checkAs(*e.index, table->key, CheckReason::Index);
        get->checked = false;
        return get;
    }
    auto* name = ast::as<ast::StringExpr>(e.index);
    if (auto* record = asIf<RecordType>(type); record && name) {
        const int at = record->indexOf(interner_.intern(name->value));
        if (at >= 0) {
            auto* get = expr<TRecordGet>(record->fields[uint32_t(at)].type, loc);
            get->record = object;
            get->field = uint32_t(at);
            return get;
        }
        reportUnknownMember(type, {interner_.intern(name->value), e.index->range}, e.object->range);
        return errorExpr(loc);
    }
    if (TExpr* call = indexCall(object, e)) return call;
    checkExpr(*e.index, nullptr);
    if (type->kind == TypeKind::Void)
        diags_.report(diag::NoValue, e.object->range);
    else if (type->admitsNil && !isNil(type))
        diags_.report(diag::MayBeNilIndex, e.object->range, show(type));
    else
        diags_.report(diag::CannotIndex, e.object->range, show(type));
    return errorExpr(loc);
}

/// `for i = 1, #a` with `a[i]` inside skips the first element: arrays count from 0.
void Checker::noteLoopIndex(ast::IndexExpr& e) {
    if (!loopFromOne_) return;
    SemaVar* i = variableOf(*e.index);
    if (!i || i != loopFromOne_->variable || variableOf(*e.object) != loopFromOne_->array) return;
    diags_.report(diag::LoopFromOne, loopFromOne_->range, text(i->name), text(loopFromOne_->array->name));
}

// ---- Unary operators ------------------------------------------------------------------------------------------------

TExpr* Checker::check(ast::UnaryExpr& e, const Type* expected, Pred** pred) {
    const Loc loc = e.range.begin;
    switch (e.op) {
        case ast::UnaryOp::Not: {
            Pred* inner = nullptr;
            auto* n = expr<TNot>(types_.boolean(), loc);
            n->operand = checkCondition(*e.operand, pred ? &inner : nullptr);
            if (inner) *pred = combine(Pred::Kind::Not, inner, nullptr);
            return n;
        }
        case ast::UnaryOp::Len: {
            TExpr* operand = loosened(checkExpr(*e.operand, nullptr));
            if (TExpr* present = withKeyPresent(operand)) operand = present;
            const Type* type = operand->type;
            if (isError(type)) return operand;
            if (reportImplicitAny(operand, e.operand->range)) return errorExpr(loc);
            if (TExpr* call = unaryOperatorCall("__len", operand, loc)) return call;
            if (!isAny(type) && !isString(type) && type->kind != TypeKind::Array && type->kind != TypeKind::Table) {
                reportOperand("#", operand, e.operand->range);
                return errorExpr(loc);
            }
            auto* length = expr<TLength>(isAny(type) ? types_.any() : types_.integer(), loc);
            length->operand = operand;
            return length;
        }
        case ast::UnaryOp::Neg: {
            TExpr* operand = checkExpr(*e.operand, expected);
            if (TExpr* call = unaryOperatorCall("__unm", operand, loc)) return call;
            operand = numericOperand(operand, e.operand->range, "-");
            if (isError(operand->type)) return operand;
            if (operand->kind == TExprKind::NumberConst) return numberConst(-operand->as<TNumberConst>()->value, loc);
            if (operand->kind == TExprKind::IntegerConst)
                return integerConst(-operand->as<TIntegerConst>()->value, loc);
            auto* n = expr<TUnary>(operand->type, loc);
            n->op = UnaryOp::Neg;
            n->operand = operand;
            return n;
        }
        case ast::UnaryOp::BitNot: {
            TExpr* operand = bitOperand(checkExpr(*e.operand, types_.integer()), e.operand->range, "~", CheckReason::BitOperand);
            if (isError(operand->type)) return operand;
            auto* n = expr<TUnary>(operand->type, loc);
            n->op = UnaryOp::BNot;
            n->operand = operand;
            return n;
        }
    }
    return errorExpr(loc);
}

// ---- Tests and casts ------------------------------------------------------------------------------------------------

TExpr* Checker::check(ast::TypeTestExpr& e, Pred** pred) {
    TExpr* operand = checkExpr(*e.operand, nullptr);
    const Type* tested = typeOf(*e.tested);
    if (isError(operand->type) || isError(tested)) return errorBoolean(e.range.begin);
    if (operand->type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, e.operand->range);
        return errorBoolean(e.range.begin);
    }
    if (pred)
        if (SemaVar* variable = variableOf(*e.operand); variable && variable->type && !variable->function) {
            Pred* p = typePred(variable, tested);
            *pred = p && e.isNegated ? combine(Pred::Kind::Not, p, nullptr) : p;
        }
    auto* test = expr<TTypeTest>(types_.boolean(), e.range.begin);
    const Rep rep = operand->type->rep;
    test->operand =
        rep == Rep::Ref || rep == Rep::Box ? operand : convert(operand, types_.any(), CheckReason::Cast, {});
    test->testType = tested;
    return e.isNegated ? notNode(test) : test;
}

TExpr* Checker::check(ast::CastExpr& e) {
    const Type* target = typeOf(*e.target);
    // `as integer` converts a number: it does not ask for one that is an integer already.
    TExpr* operand = checkExpr(*e.operand, isError(target) || isInteger(target) ? nullptr : target);
    if (isError(operand->type) || isError(target)) return errorExpr(operand->loc);
    if (operand->type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, e.operand->range);
        return errorExpr(operand->loc);
    }
    if (reportImplicitAny(operand, e.operand->range)) return errorExpr(operand->loc);
    const Type* from = operand->type;
    if (isAssignable(from, target)) return convert(operand, target, CheckReason::Cast, e.range);
    if (from->kind == TypeKind::Enum && isNumeric(target))
        return convert(convertNode(ConvertKind::Retype, CheckReason::Cast, operand, types_.integer()), target,
                       CheckReason::Cast, e.range);
    const bool isNumberToInteger = isNumber(from) && isInteger(target);
    if (target->kind == TypeKind::Enum && isNumeric(from)) {
        if (auto* number = operand->kind == TExprKind::NumberConst ? operand->as<TNumberConst>() : nullptr;
            number && number->value == double(int64_t(number->value)))
            operand = integerConst(int64_t(number->value), operand->loc);
        else if (isNumber(from))
            operand = convertNode(ConvertKind::Check, CheckReason::Integer, operand, types_.integer());
        TExpr* check = convertNode(ConvertKind::Check, CheckReason::Cast, operand, target);
        check->loc = e.target->range.begin;
        return check;
    }
    if (!isAny(from) && !isNumberToInteger) {
        const Type* part = narrowTo(from, target);
        if (part->kind == TypeKind::Never) {
            diags_.report(diag::CastNever, e.range, show(from), show(target));
            return errorExpr(operand->loc);
        }
    }
    TExpr* check = convertNode(ConvertKind::Check, CheckReason::Cast, operand, target);
    check->loc = e.target->range.begin;
    return check;
}

TExpr* Checker::check(ast::NonNilExpr& e) {
    TExpr* operand = checkExpr(*e.operand, nullptr);
    const Type* type = operand->type;
    if (isError(type)) return operand;
    if (type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, e.operand->range);
        return errorExpr(operand->loc);
    }
    if (reportImplicitAny(operand, e.operand->range)) return errorExpr(operand->loc);
    if (!mayBeNil(type)) return operand;
    const Type* rest = types_.withoutNil(type);
    if (rest->kind == TypeKind::Never) {
        diags_.report(diag::AlwaysNil, e.range);
        return errorExpr(operand->loc);
    }
    TExpr* check = convertNode(ConvertKind::NonNil, CheckReason::Bang, operand, rest);
    check->loc = e.range.end;
    return check;
}

}  // namespace luapp::sema
