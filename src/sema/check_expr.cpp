// Expressions but calls, function literals and brace lists: names, literals, operators, members.
#include <cmath>

#include "frontend/ast/ast_visit.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

using ast::BinaryOp;

namespace {

bool isShortCircuit(BinaryOp op) { return op == BinaryOp::And || op == BinaryOp::Or || op == BinaryOp::Coalesce; }

/// Could the value of this type be nil or false?
bool mayBeFalsy(const Type* type) {
    for (const Type* member : membersOf(type))
        if (isNil(member) || isBoolean(member) || isAny(member) || isError(member)) return true;
    return false;
}

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
            return number && number->isWhole;
        }
    }
}

// ---- Entry ----------------------------------------------------------------------------------------------------------

TExpr* Checker::checkExpr(ast::Expr& e, const Type* expected, Pred** pred) {
    if (pred) *pred = nullptr;
    TExpr* value = nullptr;
    switch (e.kind) {
        case ast::NodeKind::NilExpr: value = nilConst(e.range.begin); break;
        case ast::NodeKind::BoolExpr: value = boolConst(static_cast<ast::BoolExpr&>(e).value, e.range.begin); break;
        case ast::NodeKind::NumberExpr: value = check(static_cast<ast::NumberExpr&>(e), expected); break;
        case ast::NodeKind::StringExpr: value = stringConst(static_cast<ast::StringExpr&>(e).value, e.range.begin); break;
        case ast::NodeKind::InterpExpr: value = check(static_cast<ast::InterpExpr&>(e)); break;
        case ast::NodeKind::VarargExpr: value = single(checkVararg(static_cast<ast::VarargExpr&>(e)), e.range); break;
        case ast::NodeKind::NameExpr: value = check(static_cast<ast::NameExpr&>(e), pred); break;
        case ast::NodeKind::BaseExpr: value = unsupported(e.range); break;
        case ast::NodeKind::FieldExpr: value = check(static_cast<ast::FieldExpr&>(e)); break;
        case ast::NodeKind::IndexExpr: value = check(static_cast<ast::IndexExpr&>(e)); break;
        case ast::NodeKind::CallExpr:
            value = single(checkCall(static_cast<ast::CallExpr&>(e), expected, pred), e.range);
            break;
        case ast::NodeKind::ChainExpr: value = check(static_cast<ast::ChainExpr&>(e)); break;
        case ast::NodeKind::FunctionExpr: value = checkFunctionExpr(static_cast<ast::FunctionExpr&>(e), expected); break;
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
    if (auto* binary = ast::as<ast::BinaryExpr>(at); binary && (binary->op == BinaryOp::And || binary->op == BinaryOp::Or))
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
    auto* name = ast::as<ast::NameExpr>(at);
    return name ? current(name->resolved) : nullptr;
}

TExpr* Checker::readVariable(SemaVar& variable, Range range) {
    if (variable.namespaceOf) {
        diags_.report(diag::ModuleAsValue, range, text(variable.name));
        return errorExpr(range.begin);
    }
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
    if (variable.owner == function_) {
        if (!variable.isAssigned && !isError(variable.type)) {
            if (untilLoop_ && variable.range.begin >= untilLoop_->range.begin && variable.range.begin < untilLoop_->range.end)
                reportSkippedLocal(variable, range);
            else if (!variable.type->admitsNil)
                diags_.report(diag::ReadBeforeAssigned, range, text(variable.name));
        }
    } else if (variable.isTopLevel && function_->in != variable.module) {
        isChecked = variable.module->isInCycle;
    } else if (variable.isTopLevel && function_->topLevel) {
        isChecked = function_->topLevel->earliestCall <= variable.statement ||
                    (!variable.type->admitsNil && (function_->topLevel->isHoisted ? variable.isDeclaredLater : !variable.isAssigned));
    } else {
        isChecked = !variable.isAssigned && !variable.type->admitsNil;
    }
    if (isChecked) variable.needsInitCheck = true;
    auto* get = expr<TVarGet>(variable.type, range.begin);
    get->variable = &variable;
    get->checked = isChecked;
    if (!variable.current) return get;
    const Type* now = variable.current;
    return convertNode(now->rep == variable.type->rep ? ConvertKind::Retype : ConvertKind::Narrow, CheckReason::Assign, get, now);
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
            diags_.report(diag::ContinueSkipsLocal, statement, text(variable.name)).note(diag::UsedHere, use, text(variable.name));
            return;
        }
    if (!variable.type->admitsNil) diags_.report(diag::ReadBeforeAssigned, use, text(variable.name));
}

TExpr* Checker::check(ast::NameExpr& e, Pred** pred) {
    if (SemaVar* variable = current(e.resolved)) {
        TExpr* value = readVariable(*variable, e.range);
        if (pred && !variable->function) *pred = truthPred(variable);
        return value;
    }
    const std::string_view name = text(e.name);
    if (const BuiltinEntry* entry = Builtins::find(name)) return builtinValue(*entry, e.range);
    if (Builtins::isLibrary(name)) {
        diags_.report(diag::LibraryAsValue, e.range, name);
        return errorExpr(e.range.begin);
    }
    reportUnknownName(e);
    return errorExpr(e.range.begin);
}

void Checker::reportUnknownName(ast::NameExpr& name) {
    if (module_->aliases.count(name.name.id)) {
        diags_.report(diag::TypeAsValue, name.range, text(name.name));
        return;
    }
    if (declaresUnsupported(name.name)) return;
    frontend::Suggester suggester(text(name.name));
    for (FunctionInfo* f = function_; f; f = f->outer)
        for (SemaVar* v = f->variables; v; v = v->nextInHome)
            if (v->name && v->range.begin < name.range.begin) suggester.offer(text(v->name));
    for (FunctionInfo* f : module_->hoisted) suggester.offer(f->name);
    for (const BuiltinEntry& entry : Builtins::all())
        if (entry.kind != BuiltinKind::Hidden) suggester.offer(entry.name.substr(0, entry.name.find('.')));
    diags_.report(diag::UnknownName, name.range, text(name.name)).didYouMean(name.range, suggester.best());
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
    if (signature.type->hasTypeParams) ref->type = types_.anyFunction();
    return ref;
}

TExpr* Checker::check(ast::NumberExpr& e, const Type* expected) {
    if (e.isWhole && wantsInteger(expected)) return integerConst(int64_t(e.value), e.range.begin);
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
    isLibrary = name && !name->resolved && Builtins::isLibrary(text(name->name)) && !Builtins::find(text(name->name));
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

/// `geo.name` of `import * as geo`: the variable, or null after a message.
SemaVar* Checker::namespaceMember(ast::FieldExpr& e, bool& isNamespace) {
    auto* name = ast::as<ast::NameExpr>(e.object);
    SemaVar* holder = name ? current(name->resolved) : nullptr;
    isNamespace = holder && holder->namespaceOf;
    if (!isNamespace) return nullptr;
    auto& exports = holder->namespaceOf->exports;
    auto found = exports.find(e.field.name.id);
    if (found != exports.end() && found->second.variable) return found->second.variable;
    frontend::Suggester suggester(text(e.field.name));
    for (auto& [symbol, entry] : exports)
        if (entry.variable) suggester.offer(text(Symbol{symbol}));
    diags_.report(diag::NotExported, e.field.range, text(holder->name), text(e.field.name))
        .didYouMean(e.field.range, suggester.best());
    return nullptr;
}

TExpr* Checker::check(ast::FieldExpr& e) {
    bool special = false;
    if (const BuiltinEntry* entry = libraryEntry(e, special)) return builtinValue(*entry, e.range);
    if (special) return errorExpr(e.range.begin);
    if (SemaVar* variable = namespaceMember(e, special)) return readVariable(*variable, e.range);
    if (special) return errorExpr(e.range.begin);
    TExpr* object = chainLink(checkLinkObject(*e.object), e.isOptional, e.object->range);
    return member(object, e);
}

/// The object of a link; inside a chain its own links belong to the chain.
TExpr* Checker::checkLinkObject(ast::Expr& object) { return checkExpr(object, nullptr); }

/// For `?.` and `?[`: tests the object; what follows sees it without nil.
TExpr* Checker::chainLink(TExpr* object, bool isOptional, Range range) {
    if (!isOptional || isError(object->type)) return object;
    if (reportImplicitAny(object, range)) return errorExpr(object->loc);
    if (!object->type->admitsNil) return object;
    Variable* held = temp(object->type);
    chain_->push_back({held, object});
    TExpr* value = getVar(held, object->loc);
    const Type* rest = types_.withoutNil(object->type);
    if (rest->kind == TypeKind::Never) rest = types_.error();
    if (rest == object->type) return value;
    return convertNode(rest->rep == object->type->rep ? ConvertKind::Retype : ConvertKind::Narrow, CheckReason::Assign, value, rest);
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
    TExpr* value = e.chain->kind == ast::NodeKind::CallExpr ? checkCall(static_cast<ast::CallExpr&>(*e.chain), nullptr, nullptr)
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
    if (isAny(type)) {
        auto* get = expr<TMemberDyn>(types_.any(), loc);
        get->object = object;
        get->name = e.field.name;
        return get;
    }
    if (TExpr* present = withKeyPresent(object)) return member(present, e);
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
                diags_.report(diag::MethodAsValue, e.field.range, text(e.field.name));
                return errorExpr(loc);
            }
        }
    reportUnknownMember(type, e.field, e.object->range);
    return errorExpr(loc);
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
            TExpr* operand = checkExpr(*e.operand, nullptr);
            if (TExpr* present = withKeyPresent(operand)) operand = present;
            const Type* type = operand->type;
            if (isError(type)) return operand;
            if (reportImplicitAny(operand, e.operand->range)) return errorExpr(loc);
            if (!isAny(type) && !isString(type) && type->kind != TypeKind::Array && type->kind != TypeKind::Table) {
                reportOperand("#", operand, e.operand->range);
                return errorExpr(loc);
            }
            auto* length = expr<TLength>(isAny(type) ? types_.any() : types_.integer(), loc);
            length->operand = operand;
            return length;
        }
        case ast::UnaryOp::Neg: {
            TExpr* operand = numericOperand(checkExpr(*e.operand, expected), e.operand->range, "-");
            if (isError(operand->type)) return operand;
            if (operand->kind == TExprKind::NumberConst) return numberConst(-operand->as<TNumberConst>()->value, loc);
            if (operand->kind == TExprKind::IntegerConst) return integerConst(-operand->as<TIntegerConst>()->value, loc);
            auto* n = expr<TUnary>(operand->type, loc);
            n->op = UnaryOp::Neg;
            n->operand = operand;
            return n;
        }
        case ast::UnaryOp::BitNot: {
            TExpr* operand = bitOperand(checkExpr(*e.operand, types_.integer()), e.operand->range, "~");
            if (isError(operand->type)) return operand;
            auto* n = expr<TUnary>(operand->type, loc);
            n->op = UnaryOp::BNot;
            n->operand = operand;
            return n;
        }
    }
    return errorExpr(loc);
}

// ---- Binary operators -----------------------------------------------------------------------------------------------

/// What is known about the left operand while a chain of operators is walked.
struct Checker::Operand {
    ast::Expr* source;     // null for an operator's result
    TExpr* value;          // null while an `and` waits (see below)
    Range range;
    Pred* pred = nullptr;
    const Type* truthy = nullptr;  // the type when true; null: not worked out
    // `left and right` before it is known what it is for: `c and x or y` becomes a conditional.
    TExpr* andCondition = nullptr;
    TExpr* andLeft = nullptr;
    TExpr* andRight = nullptr;
    uint32_t terms = 1;
    Pred* lastPred = nullptr;  // of the last term of a run
    Loc loc{};
};

TExpr* Checker::check(ast::BinaryExpr& top, const Type* expected, Pred** pred, bool asCondition) {
    // Left operands may nest by the thousand, so the chain is walked with a stack of its own. `expected` reaches down
    // through and, or, ?? and arithmetic.
    struct Level {
        ast::BinaryExpr* node;
        const Type* hint;
        bool asCondition;
    };
    std::vector<Level> spine;
    const Type* hint = expected;
    bool condition = asCondition;
    ast::Expr* at = &top;
    while (auto* node = ast::as<ast::BinaryExpr>(at)) {
        condition = condition && (node->op == BinaryOp::And || node->op == BinaryOp::Or);
        if (!isShortCircuit(node->op) && !(hint && isNumeric(hint) && node->op != BinaryOp::Div && node->op != BinaryOp::Pow))
            hint = nullptr;
        spine.push_back({node, hint, condition});
        at = node->left;
    }
    Operand left{at, nullptr, at->range};
    const bool firstShort = isShortCircuit(spine.back().node->op);
    left.value = spine.back().asCondition ? checkCondition(*at, &left.pred)
                                          : checkExpr(*at, spine.back().hint, firstShort ? &left.pred : nullptr);
    Run run;
    for (size_t i = spine.size(); i-- > 0;) {
        ast::BinaryExpr& node = *spine[i].node;
        const bool wantsPred = i > 0 ? isShortCircuit(spine[i - 1].node->op) : pred != nullptr;
        if (isShortCircuit(node.op)) {
            if (run.isActive && run.op != node.op) endRun(run);
            shortCircuit(node, left, spine[i].hint, spine[i].asCondition, run);
            if (i == 0 || spine[i - 1].node->op != node.op) endRun(run);
        } else {
            finishAnd(left);
            left.value = binary(node, left, spine[i].hint, wantsPred);
            left.truthy = nullptr;
            left.terms = 1;
        }
        left.source = nullptr;
        left.range = node.range;
        if (!wantsPred || left.terms > kMaxPredTerms) left.pred = nullptr;
    }
    finishAnd(left);
    if (pred) *pred = left.pred;
    return left.value;
}

void Checker::endRun(Run& run) {
    if (!run.isActive) return;
    flow_.joinHere(run.join, run.mark);
    const bool wasReachable = flow_.isReachable;
    flow_.continueFrom(run.join, run.mark);
    flow_.isReachable = wasReachable;
    run = Run{};
}

/// `and`, `or`, `??`: the right operand is checked knowing what the left one says.
void Checker::shortCircuit(ast::BinaryExpr& e, Operand& left, const Type* hint, bool asCondition, Run& run) {
    if (!run.isActive && (left.pred || e.op == BinaryOp::Coalesce)) {
        run.isActive = true;
        run.op = e.op;
        run.mark = flow_.mark();
        if (e.op != BinaryOp::Coalesce) flow_.assume(left.pred, e.op == BinaryOp::Or);
        flow_.joinHere(run.join, run.mark);
        flow_.undo(run.mark);
        if (e.op != BinaryOp::Coalesce) flow_.assume(left.pred, e.op == BinaryOp::And);
    } else if (run.isActive && e.op != BinaryOp::Coalesce && left.lastPred) {
        const size_t mark = flow_.mark();
        flow_.assume(left.lastPred, e.op == BinaryOp::Or);
        flow_.joinHere(run.join, run.mark);
        flow_.undo(mark);
        flow_.assume(left.lastPred, e.op == BinaryOp::And);
    }
    Pred* rightPred = nullptr;
    if (asCondition) {
        TExpr* right = checkCondition(*e.right, &rightPred);
        auto* n = expr<TLogical>(types_.boolean(), e.opRange.begin);
        n->isAnd = e.op == BinaryOp::And;
        n->left = left.value;
        n->right = right;
        left.value = n;
    } else {
        if (e.op != BinaryOp::And) finishAnd(left, e.op == BinaryOp::Or);
        shortCircuitValue(e, left, hint, rightPred);
    }
    left.pred = e.op == BinaryOp::Coalesce
                    ? nullptr
                    : combine(e.op == BinaryOp::And ? Pred::Kind::And : Pred::Kind::Or, left.pred, rightPred);
    left.lastPred = rightPred;
    left.terms++;
}

/// The value of a short-circuit operator whose left operand has been checked.
void Checker::shortCircuitValue(ast::BinaryExpr& e, Operand& left, const Type* hint, Pred*& rightPred) {
    const Loc loc = e.opRange.begin;
    if (left.value && left.value->type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, left.range);
        left.value = errorExpr(loc);
    }
    const Type* leftType = left.value ? left.value->type : nullptr;
    // A whole literal beside an integer is an integer.
    const Type* kept = left.truthy ? left.truthy : leftType ? types_.withoutNil(leftType) : nullptr;
    const Type* rightHint = hint;
    if (!hint && kept && isWholeLiteral(*e.right) && isInteger(kept)) rightHint = kept;
    if (!rightHint && kept && e.op != BinaryOp::And && kept->kind != TypeKind::Never) rightHint = kept;
    TExpr* right = checkExpr(*e.right, rightHint, &rightPred);
    if (right->type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, e.right->range);
        right = errorExpr(loc);
    }
    if (!rightPred && !mayBeFalsy(right->type))
        rightPred = arena().make<Pred>(Pred::Kind::True, nullptr, nullptr, nullptr, nullptr, nullptr);
    if (left.value && left.source && isWholeLiteral(*left.source) && isInteger(types_.withoutNil(right->type)) && !hint) {
        left.value = checkExpr(*left.source, types_.integer());
        leftType = left.value->type;
        left.truthy = nullptr;
    }
    if ((leftType && isError(leftType)) || isError(right->type)) {
        left.value = errorExpr(loc);
        left.andCondition = nullptr;
        left.truthy = nullptr;
        return;
    }
    switch (e.op) {
        case BinaryOp::And:
            finishAnd(left);
            left.andLeft = left.value;
            left.andRight = right;
            left.value = nullptr;
            left.andCondition = left.andLeft;
            left.truthy = types_.withoutNil(right->type);
            left.loc = loc;
            return;
        case BinaryOp::Or: left.value = orValue(left, right, loc); return;
        default:
            left.value = coalesce(left.value, right, loc);
            left.truthy = nullptr;
            return;
    }
}

/// Builds the `and` that waits in `left`, unless an `or` comes next that can take it apart.
void Checker::finishAnd(Operand& left, bool beforeOr) {
    if (!left.andCondition) return;
    if (beforeOr && !mayBeFalsy(left.andRight->type)) return;
    TExpr *l = left.andLeft, *r = left.andRight;
    left.andCondition = left.andLeft = left.andRight = nullptr;
    if (isBoolean(l->type) && isBoolean(r->type)) {
        auto* n = expr<TLogical>(types_.boolean(), left.loc);
        n->isAnd = true;
        n->left = l;
        n->right = r;
        left.value = n;
        return;
    }
    // What the left operand is when it decides: nil or false.
    const Type* falsy = types_.never();
    for (const Type* member : membersOf(l->type))
        if (isNil(member) || isBoolean(member) || isAny(member)) falsy = types_.unionOf(falsy, member);
    if (falsy->kind == TypeKind::Never) {
        auto* drop = stmt<TExprStmt>(l->loc);
        drop->expr = l;
        TStmt* list[] = {drop};
        left.value = let(list, r);
        return;
    }
    const Type* type = r->type->kind == TypeKind::Never ? falsy : types_.unionOf(falsy, r->type);
    auto* n = expr<TLogical>(type, left.loc);
    n->isAnd = true;
    n->left = l;
    n->temp = temp(l->type);
    n->test = toBoolean(getVar(n->temp, l->loc));
    n->leftAsResult = narrowedTo(getVar(n->temp, l->loc), falsy, type);
    n->right = convert(r, type, CheckReason::Assign, {});
    left.value = n;
}

/// `value`, known to be a `part`, converted to `type`.
TExpr* Checker::narrowedTo(TExpr* value, const Type* part, const Type* type) {
    if (isNil(part)) {
        TExpr* nil = nilConst(value->loc);
        nil->type = type;
        return nil;
    }
    if (part != value->type)
        value = convertNode(part->rep == value->type->rep ? ConvertKind::Retype : ConvertKind::Narrow, CheckReason::Assign, value, part);
    return convert(value, type, CheckReason::Assign, {});
}

TExpr* Checker::orValue(Operand& left, TExpr* right, Loc loc) {
    if (left.andCondition) {  // c and x or y, x never false
        const Type* x = left.andRight->type;
        const Type* type = right->type->kind == TypeKind::Never ? x : types_.unionOf(x, right->type);
        auto* n = expr<TConditional>(type, loc);
        n->condition = toBoolean(left.andLeft);
        n->then = convert(left.andRight, type, CheckReason::Assign, {});
        n->otherwise = convert(right, type, CheckReason::Assign, {});
        left.andCondition = left.andLeft = left.andRight = nullptr;
        left.truthy = mayBeFalsy(right->type) ? types_.unionOf(x, types_.withoutNil(right->type)) : nullptr;
        return n;
    }
    TExpr* l = left.value;
    if (isBoolean(l->type) && isBoolean(right->type)) {
        auto* n = expr<TLogical>(types_.boolean(), loc);
        n->isAnd = false;
        n->left = l;
        n->right = right;
        left.truthy = nullptr;
        return n;
    }
    const Type* kept = left.truthy ? left.truthy : types_.withoutNil(l->type);
    left.truthy = nullptr;
    if (!mayBeFalsy(l->type)) return l;
    if (kept->kind == TypeKind::Never) {
        auto* drop = stmt<TExprStmt>(l->loc);
        drop->expr = l;
        TStmt* list[] = {drop};
        return let(list, right);
    }
    const Type* type = right->type->kind == TypeKind::Never ? kept : types_.unionOf(kept, right->type);
    auto* n = expr<TLogical>(type, loc);
    n->isAnd = false;
    n->left = l;
    n->temp = temp(l->type);
    n->test = toBoolean(getVar(n->temp, l->loc));
    n->leftAsResult = narrowedTo(getVar(n->temp, l->loc), kept, type);
    n->right = convert(right, type, CheckReason::Assign, {});
    return n;
}

TExpr* Checker::coalesce(TExpr* l, TExpr* right, Loc loc) {
    if (!l->type->admitsNil) return l;
    const Type* kept = types_.withoutNil(l->type);
    if (kept->kind == TypeKind::Never) {
        auto* drop = stmt<TExprStmt>(l->loc);
        drop->expr = l;
        TStmt* list[] = {drop};
        return let(list, right);
    }
    const Type* type = right->type->kind == TypeKind::Never ? kept : types_.unionOf(kept, right->type);
    Variable* held = temp(l->type);
    auto* n = expr<TConditional>(type, loc);
    n->condition = isNilTest(getVar(held, l->loc), false);
    n->then = narrowedTo(getVar(held, l->loc), kept, type);
    n->otherwise = convert(right, type, CheckReason::Assign, {});
    TStmt* declare = declareTemp(held, l, l->loc);
    return let({&declare, 1}, n);
}

/// All binary operators but the short-circuit ones.
TExpr* Checker::binary(ast::BinaryExpr& e, Operand& left, const Type* hint, bool wantsPred) {
    const bool isDivision = e.op == BinaryOp::Div || e.op == BinaryOp::Pow;
    const Type* rightHint = hint;
    if (!isDivision && isInteger(left.value->type) && isWholeLiteral(*e.right)) rightHint = types_.integer();
    const bool isEquality = e.op == BinaryOp::Eq || e.op == BinaryOp::Ne;
    const bool isBits = e.op == BinaryOp::BitAnd || e.op == BinaryOp::BitOr || e.op == BinaryOp::BitXor ||
                        e.op == BinaryOp::Shl || e.op == BinaryOp::Shr;
    if (isBits) rightHint = types_.integer();
    TExpr* right = checkExpr(*e.right, rightHint);
    if ((!isDivision && isInteger(right->type) && left.source && isWholeLiteral(*left.source)) ||
        (isBits && left.source && isWholeLiteral(*left.source)))
        left.value = checkExpr(*left.source, types_.integer());
    if (isEquality) {
        TExpr* result = equality(e, left.value, right, left.range);
        if (wantsPred) left.pred = equalityPred(e, left.source, left.value, right);
        return result;
    }
    left.pred = nullptr;
    switch (e.op) {
        case BinaryOp::Lt:
        case BinaryOp::Gt:
        case BinaryOp::Le:
        case BinaryOp::Ge: return compare(e, left.value, right, left.range);
        default: break;
    }
    return arith(e.op, left.value, right, left.range, e.right->range, e.opRange);
}

/// An operand of an arithmetic operator: number, integer or any; else reported.
TExpr* Checker::numericOperand(TExpr* value, Range range, std::string_view op) {
    if (isError(value->type)) return value;
    if (reportImplicitAny(value, range)) return errorExpr(value->loc);
    if (isNumeric(value->type) || isAny(value->type)) return value;
    if (TExpr* present = withKeyPresent(value))
        if (isNumeric(present->type)) return present;
    reportOperand(op, value, range);
    return errorExpr(value->loc);
}

void Checker::reportOperand(std::string_view op, TExpr* value, Range range) {
    const Type* type = value->type;
    if (type->kind == TypeKind::Void)
        diags_.report(diag::NoValue, range);
    else if (type->admitsNil && !isNil(type))
        diags_.report(diag::MayBeNilOperand, range, op, show(type));
    else
        diags_.report(diag::BadOperand, range, op, show(type));
}

TExpr* Checker::bitOperand(TExpr* value, Range range, std::string_view op) {
    value = numericOperand(value, range, op);
    if (isNumber(value->type)) return convertNode(ConvertKind::Check, CheckReason::Integer, value, types_.integer());
    return value;
}

TExpr* Checker::arith(BinaryOp op, TExpr* left, TExpr* right, Range leftRange, Range rightRange, Range opRange) {
    const std::string_view spelled = frontend::spelling(op);
    const Loc loc = opRange.begin;
    ArithOp code = ArithOp::Add;
    bool isBits = false, givesNumber = false;
    switch (op) {
        case BinaryOp::Add: code = ArithOp::Add; break;
        case BinaryOp::Sub: code = ArithOp::Sub; break;
        case BinaryOp::Mul: code = ArithOp::Mul; break;
        case BinaryOp::Mod: code = ArithOp::Mod; break;
        case BinaryOp::IDiv: code = ArithOp::IDiv; break;
        case BinaryOp::Div: code = ArithOp::Div, givesNumber = true; break;
        case BinaryOp::Pow: code = ArithOp::Pow, givesNumber = true; break;
        case BinaryOp::BitAnd: code = ArithOp::BAnd, isBits = true; break;
        case BinaryOp::BitOr: code = ArithOp::BOr, isBits = true; break;
        case BinaryOp::BitXor: code = ArithOp::BXor, isBits = true; break;
        case BinaryOp::Shl: code = ArithOp::Shl, isBits = true; break;
        case BinaryOp::Shr: code = ArithOp::Shr, isBits = true; break;
        default: LUAPP_UNREACHABLE("no arithmetic operator");
    }
    left = isBits ? bitOperand(left, leftRange, spelled) : numericOperand(left, leftRange, spelled);
    right = isBits ? bitOperand(right, rightRange, spelled) : numericOperand(right, rightRange, spelled);
    if (isError(left->type) || isError(right->type)) return errorExpr(loc);
    const Type* type;
    if (isAny(left->type) || isAny(right->type)) {
        type = types_.any();
        afterCall();  // a metamethod may run
    } else if (isInteger(left->type) && isInteger(right->type) && !givesNumber) {
        type = types_.integer();
    } else {
        type = types_.number();
    }
    auto* n = expr<TBinary>(type, loc);
    n->op = code;
    n->left = convert(left, type, CheckReason::Assign, leftRange);
    n->right = convert(right, type, CheckReason::Assign, rightRange);
    return n;
}

TExpr* Checker::compare(ast::BinaryExpr& e, TExpr* left, TExpr* right, Range leftRange) {
    const Loc loc = e.opRange.begin;
    if (isError(left->type) || isError(right->type)) return errorBoolean(loc);
    if (reportImplicitAny(left, leftRange) || reportImplicitAny(right, e.right->range)) return errorBoolean(loc);
    if (TExpr* present = withKeyPresent(left)) left = present;
    if (TExpr* present = withKeyPresent(right)) right = present;
    const Type *l = left->type, *r = right->type;
    const Type* type = nullptr;
    if (isAny(l) || isAny(r)) {
        type = types_.any();
        afterCall();
    } else if (isInteger(l) && isInteger(r)) {
        type = l;
    } else if (isNumeric(l) && isNumeric(r)) {
        type = types_.number();
    } else if (isString(l) && isString(r)) {
        type = l;
    } else {
        const std::string_view op = frontend::spelling(e.op);
        auto comparable = [](const Type* t) { return isNumeric(t) || isString(t); };
        if (!comparable(l))
            reportOperand(op, left, leftRange);
        else if (!comparable(r))
            reportOperand(op, right, e.right->range);
        else
            diags_.report(diag::CannotCompare, e.range, op, show(l), show(r));
        return errorBoolean(loc);
    }
    auto* n = expr<TCompare>(types_.boolean(), loc);
    switch (e.op) {
        case BinaryOp::Lt: n->op = CompareOp::Lt; break;
        case BinaryOp::Le: n->op = CompareOp::Le; break;
        case BinaryOp::Gt: n->op = CompareOp::Gt; break;
        default: n->op = CompareOp::Ge; break;
    }
    n->left = convert(left, type, CheckReason::Assign, leftRange);
    n->right = convert(right, type, CheckReason::Assign, e.right->range);
    return n;
}

TExpr* Checker::equality(ast::BinaryExpr& e, TExpr* left, TExpr* right, Range leftRange) {
    const Loc loc = e.opRange.begin;
    if (isError(left->type) || isError(right->type)) return errorBoolean(loc);
    for (auto [value, range] : {std::pair{left, leftRange}, std::pair{right, e.right->range}})
        if (value->type->kind == TypeKind::Void) {
            diags_.report(diag::NoValue, range);
            return errorBoolean(loc);
        }
    const Type *l = left->type, *r = right->type;
    const bool testsNil = left->kind == TExprKind::NilConst || right->kind == TExprKind::NilConst;
    if (!testsNil && areDisjoint(l, r)) {
        diags_.report(diag::NeverEqual, e.range, show(l), show(r));
        return errorBoolean(loc);
    }
    if (testsNil && !l->admitsNil && !r->admitsNil) LUAPP_UNREACHABLE("nil is a value of its own type");
    const Type* type = types_.unionOf(l, r);
    if (isAny(type)) type = types_.any();
    auto* n = expr<TCompare>(types_.boolean(), loc);
    n->op = e.op == BinaryOp::Eq ? CompareOp::Eq : CompareOp::Ne;
    n->left = convert(left, type, CheckReason::Assign, leftRange);
    n->right = convert(right, type, CheckReason::Assign, e.right->range);
    return n;
}

/// The variable in `type(x)`, if the expression is that.
SemaVar* Checker::typeCallVariable(ast::Expr* e) {
    auto* call = e ? ast::as<ast::CallExpr>(e) : nullptr;
    if (!call || call->args.count != 1) return nullptr;
    auto* callee = ast::as<ast::NameExpr>(call->callee);
    if (!callee || callee->resolved || text(callee->name) != "type") return nullptr;
    return variableOf(*call->args[0]);
}

/// The part of `type` whose values `type()` calls `name`; null if that cannot be said.
const Type* Checker::typeByName(const Type* type, std::string_view name) {
    auto nameOf = [](const Type* t) -> std::string_view {
        switch (t->kind) {
            case TypeKind::Nil: return "nil";
            case TypeKind::Boolean: return "boolean";
            case TypeKind::Number:
            case TypeKind::Integer: return "number";
            case TypeKind::String: return "string";
            case TypeKind::Function:
            case TypeKind::AnyFunction: return "function";
            case TypeKind::File: return "userdata";
            case TypeKind::Array: return "array";
            case TypeKind::Table: return "table";
            case TypeKind::Record: return "record";
            case TypeKind::Class:
            case TypeKind::Interface: return "object";
            case TypeKind::Enum: return "enum";
            default: return "";
        }
    };
    if (isAny(type)) {
        if (name == "nil") return types_.nil();
        if (name == "boolean") return types_.boolean();
        if (name == "number") return types_.number();
        if (name == "string") return types_.string();
        if (name == "function") return types_.anyFunction();
        return nullptr;
    }
    const Type* result = types_.never();
    for (const Type* member : membersOf(type))
        if (nameOf(member) == name) result = types_.unionOf(result, member);
    return result;
}

/// What `left == right` tells about variables.
Pred* Checker::equalityPred(ast::BinaryExpr& e, ast::Expr* leftSource, TExpr* left, TExpr* right) {
    Pred* pred = nullptr;
    SemaVar* variable = nullptr;
    if (right->kind == TExprKind::NilConst && leftSource && (variable = variableOf(*leftSource))) {
        pred = nilPred(variable, true);
    } else if (left->kind == TExprKind::NilConst && (variable = variableOf(*e.right))) {
        pred = nilPred(variable, true);
    } else if (auto* name = ast::as<ast::StringExpr>(e.right); name && (variable = typeCallVariable(leftSource))) {
        pred = typeNamePred(variable, name->value);
    } else if (auto* first = leftSource ? ast::as<ast::StringExpr>(leftSource) : nullptr;
               first && (variable = typeCallVariable(e.right))) {
        pred = typeNamePred(variable, first->value);
    } else {
        // Equal to something that is not nil: not nil.
        if (leftSource && (variable = variableOf(*leftSource)) && variable->type && isOptional(variable->typeNow()) && !right->type->admitsNil)
            pred = narrowPred(variable, types_.withoutNil(variable->typeNow()), nullptr);
        else if ((variable = variableOf(*e.right)) && variable->type && isOptional(variable->typeNow()) && !left->type->admitsNil)
            pred = narrowPred(variable, types_.withoutNil(variable->typeNow()), nullptr);
    }
    if (!pred || e.op == BinaryOp::Eq) return pred;
    return combine(Pred::Kind::Not, pred, nullptr);
}

Pred* Checker::typeNamePred(SemaVar* variable, std::string_view name) {
    if (!variable->type || isError(variable->type)) return nullptr;
    const Type* now = variable->typeNow();
    const Type* part = typeByName(now, name);
    if (!part) return nullptr;
    if (part->kind == TypeKind::Never) {
        part = typeByName(variable->type, name);
        return part ? narrowPred(variable, part, nullptr) : nullptr;
    }
    return narrowPred(variable, part, isAny(now) ? nullptr : narrowFrom(now, part));
}

// ---- Concatenation --------------------------------------------------------------------------------------------------

TExpr* Checker::concat(std::span<TExpr* const> parts, Loc loc) {
    bool isDynamic = false;
    for (TExpr* part : parts) {
        if (isError(part->type)) return errorExpr(loc);
        isDynamic |= isAny(part->type);
    }
    if (!isDynamic) {
        auto* n = expr<TConcat>(types_.string(), loc);
        n->parts = arena().makeList<TExpr*>(parts);
        return n;
    }
    afterCall();
    // `..` associates to the right; with a dynamic operand it is done in pairs.
    TExpr* right = parts.back();
    for (size_t i = parts.size() - 1; i-- > 0;) {
        TExpr* pair[] = {parts[i], right};
        const bool pairIsDynamic = isAny(pair[0]->type) || isAny(pair[1]->type);
        auto* n = expr<TConcat>(pairIsDynamic ? types_.any() : types_.string(), loc);
        if (pairIsDynamic)
            for (TExpr*& part : pair) part = convert(part, types_.any(), CheckReason::Assign, {});
        n->parts = arena().makeList<TExpr*>(pair);
        right = n;
    }
    return right;
}

TExpr* Checker::concatOperand(TExpr* value, Range range) {
    const Type* type = value->type;
    if (isError(type) || isAny(type) || isString(type) || isNumeric(type)) return value;
    if (TExpr* present = withKeyPresent(value)) return concatOperand(present, range);
    bool all = isUnion(type);
    for (const Type* member : membersOf(type)) all &= isString(member) || isNumeric(member);
    if (all) {
        auto* string = expr<TToString>(types_.string(), value->loc);
        string->operand = value;
        return string;
    }
    reportOperand("..", value, range);
    return errorExpr(value->loc);
}

TExpr* Checker::check(ast::ConcatExpr& e) {
    Scratch<TExpr*> parts(exprs_);
    for (ast::Expr* operand : e.operands) parts.add(concatOperand(checkExpr(*operand, nullptr), operand->range));
    return concat(parts.span(), e.operands[0]->range.end);
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
    test->operand = rep == Rep::Ref || rep == Rep::Box ? operand : convert(operand, types_.any(), CheckReason::Cast, {});
    test->testType = tested;
    return e.isNegated ? notNode(test) : test;
}

TExpr* Checker::check(ast::CastExpr& e) {
    const Type* target = typeOf(*e.target);
    TExpr* operand = checkExpr(*e.operand, isError(target) ? nullptr : target);
    if (isError(operand->type) || isError(target)) return errorExpr(operand->loc);
    if (operand->type->kind == TypeKind::Void) {
        diags_.report(diag::NoValue, e.operand->range);
        return errorExpr(operand->loc);
    }
    if (reportImplicitAny(operand, e.operand->range)) return errorExpr(operand->loc);
    const Type* from = operand->type;
    if (isAssignable(from, target)) return convert(operand, target, CheckReason::Cast, e.range);
    const bool isNumberToInteger = isNumber(from) && isInteger(target);
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
    if (!type->admitsNil) return operand;
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
