// Lenient files (LANGUAGE 9): what is not annotated is `any`, names that are no variables are globals, brace lists without a typed
// context are Lua's tables, lists of values are adjusted. Everything else, annotated parts above all, is checked as in strict files:
// the functions here are called by those of the other files where the two modes differ.
#include <algorithm>

#include "frontend/base/source.h"
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

/// A value as lenient code has it where nothing wants it typed: an any.
TExpr* Checker::asAny(TExpr* value) {
    if (value->type->kind == TypeKind::Void) value = nilConst(value->loc);
    return convert(value, types_.any(), CheckReason::Assign, {});
}

/// A value whose static type says nothing that may be relied on in lenient code (`"10" + 1` is fine there): as an any.
TExpr* Checker::loosened(TExpr* value) {
    if (!isLenient() || isError(value->type)) return value;
    switch (value->type->kind) {
        case TypeKind::Array:
        case TypeKind::Table:
        case TypeKind::Record:
        case TypeKind::Class:
        case TypeKind::Interface:
        case TypeKind::TypeParam: return value;
        default: return asAny(value);
    }
}

// ---- Names ----------------------------------------------------------------------------------------------------------

TExpr* Checker::globalValue(Symbol name, Loc loc) {
    auto* get = expr<TGlobalGet>(types_.any(), loc);
    get->name = name;
    return get;
}

// ---- Calls ----------------------------------------------------------------------------------------------------------

/// A call of a known function none of whose parameters is annotated: arguments are adjusted to the parameters.
TExpr* Checker::callLenient(ast::CallExpr& e, FunctionInfo& function) {
    const FunctionType* type = function.type;
    const bool isSpread = hasMultiLast(e);
    if (isSpread || (e.args.count > type->params.count && !function.isVararg)) {
        TExpr* value = asAny(readVariable(*function.self_, e.callee->range));
        return callDynamic(e, value, nullptr);
    }
    Callee callee;
    callee.kind = CallKind::Function;
    callee.function = &function;
    callee.type = type;
    Scratch<TExpr*> args(exprs_);
    for (ast::Expr* arg : e.args) args.add(asAny(checkExpr(*arg, nullptr)));
    while (args.size() < type->params.count) args.add(asAny(nilConst(e.range.begin)));
    afterCall();
    return makeCall(e, callee, args.span().subspan(0, type->params.count), args.span().subspan(type->params.count), nullptr);
}

/// True for a function that takes and gives anything.
bool Checker::isLoose(const FunctionInfo& function) {
    return function.type && function.in->tree->isLenient && !function.classInfo && isLooseType(function.type);
}

bool Checker::isLooseType(const FunctionType* type) {
    return type->defaults == 0 && type->variadicResult && type->results.empty() &&
           std::all_of(type->params.begin(), type->params.end(), [](auto* t) { return isAny(t); });
}

// ---- Brace lists ----------------------------------------------------------------------------------------------------

TExpr* Checker::luaTable(ast::BraceExpr& e) {
    std::vector<TLuaItem> items;
    auto* table = expr<TLuaTableLit>(types_.any(), e.range.begin);
    table->pack = nullptr;
    for (uint32_t i = 0; i < e.items.count; i++) {
        ast::BraceItem& item = e.items[i];
        if (item.kind == ast::BraceItemKind::Positional && i + 1 == e.items.count) {
            TExpr* last = checkMulti(*item.value, nullptr);
            if (isPack(last)) {
                table->pack = last;
                break;
            }
            items.push_back({nullptr, asAny(single(last, item.value->range))});
            continue;
        }
        TExpr* key = nullptr;
        if (item.kind == ast::BraceItemKind::Keyed) key = asAny(checkExpr(*item.key, nullptr));
        if (item.kind == ast::BraceItemKind::Named) key = asAny(stringConst(text(item.name.name), item.name.range.begin));
        items.push_back({key, asAny(checkExpr(*item.value, nullptr))});
    }
    table->items = arena().makeList<TLuaItem>(items);
    return table;
}

// ---- Lists of values ------------------------------------------------------------------------------------------------

/// The values of several targets, adjusted to their number; what is too many is evaluated and dropped. Statements that come before
/// the values are used go to `before`.
template <class HintAt>
void Checker::adjustedValues(std::span<ast::Expr* const> exprs, size_t wanted, HintAt hintAt, Scratch<TExpr*>& values,
                             std::vector<Range>& ranges, std::vector<TStmt*>& before, Loc loc) {
    TExpr* pack = nullptr;
    for (size_t i = 0; i < exprs.size(); i++) {
        ast::Expr& e = *exprs[i];
        if (i + 1 == exprs.size() && i < wanted) {
            TExpr* last = checkMulti(e, hintAt(i));
            if (isMulti(last))
                expandLast(last, wanted - i, false, values, 0, pack, before);
            else
                values.add(last);
        } else if (i < wanted) {
            values.add(checkExpr(e, hintAt(i)));
        } else {
            for (size_t k = 0; k < values.size(); k++) values[k] = stash(before, values[k]);
            auto* drop = stmt<TExprStmt>(e.range.begin);
            drop->expr = checkExpr(e, nullptr);
            before.push_back(drop);
        }
        while (ranges.size() < values.size()) ranges.push_back(e.range);
    }
    while (values.size() < wanted) {
        values.add(nilConst(loc));
        ranges.push_back({loc, loc});
    }
}

void Checker::lenientLocal(ast::LocalStmt& s) {
    const size_t names = s.names.count;
    std::vector<const Type*> declared;
    for (ast::NameDecl& name : s.names) declared.push_back(name.type ? typeOf(*name.type) : nullptr);
    auto declaredAt = [&](size_t i) { return i < names ? declared[i] : nullptr; };
    auto typeAt = [&](size_t i) { return declared[i] ? declared[i] : types_.any(); };
    if (s.values.empty()) {
        for (size_t i = 0; i < names; i++) {
            ast::NameDecl& name = s.names[uint32_t(i)];
            declareLocal(*current(name.variable), name, typeAt(i), nullptr, {}, name.range.begin);
        }
        return;
    }
    std::vector<TStmt*> before;
    Scratch<TExpr*> values(exprs_);
    std::vector<Range> ranges;
    adjustedValues(s.values.span(), names, declaredAt, values, ranges, before, s.range.begin);
    for (size_t i = 0; i < names; i++) values[i] = convertValue(values[i], typeAt(i), ranges[i]);
    if (names > 1)
        for (size_t i = 0; i + 1 < names; i++) values[i] = stash(before, values[i]);
    for (TStmt* b : before) emit(b);
    for (size_t i = 0; i < names; i++) {
        ast::NameDecl& name = s.names[uint32_t(i)];
        declareLocal(*current(name.variable), name, typeAt(i), values[i], ranges[i], name.range.begin);
    }
}

/// A value as a `type`; a call without results gives nil to an any.
TExpr* Checker::convertValue(TExpr* value, const Type* type, Range range) {
    return isAny(type) ? asAny(value) : convert(value, type, CheckReason::Assign, range);
}

/// Target parts first, then right sides, then stores from the last to the first, as Lua 5.1 does it.
void Checker::lenientAssign(ast::AssignStmt& s) {
    std::vector<Place> places(s.targets.count);
    bool isBad = false;
    for (uint32_t i = 0; i < s.targets.count; i++) {
        isBad |= !checkPlace(*s.targets[i], places[i]);
        if (places[i].kind == Place::Kind::Event) {
            diags_.report(diag::EventHandler, s.targets[i]->range, text(places[i].member.info->name));
            isBad = true;
        }
        if (!isBad && s.targets.count > 1) spillPlace(places[i]);
    }
    auto hintAt = [&](size_t i) -> const Type* {
        if (i >= places.size() || places[i].kind == Place::Kind::Bad) return nullptr;
        return isAny(placeType(places[i])) ? nullptr : placeType(places[i]);
    };
    std::vector<TStmt*> before;
    Scratch<TExpr*> values(exprs_);
    std::vector<Range> ranges;
    adjustedValues(s.values.span(), places.size(), hintAt, values, ranges, before, s.range.begin);
    if (isBad) return;
    for (size_t i = 0; i < places.size(); i++)
        if (isAny(placeType(places[i]))) values[i] = asAny(values[i]);
    if (places.size() > 1)
        for (size_t i = 0; i < places.size(); i++) values[i] = stash(before, values[i]);
    for (TStmt* b : before) emit(b);
    for (size_t i = places.size(); i-- > 0;) writePlace(places[i], values[i], ranges[i]);
}

// ---- Loops ----------------------------------------------------------------------------------------------------------

void Checker::lenientFor(ast::NumericForStmt& s) {
    auto* loop = stmt<TLuaFor>(s.range.begin);
    auto bound = [&](ast::Expr& e) {
        TExpr* value = checkExpr(e, nullptr);
        if (isInteger(value->type)) return convert(value, types_.number(), CheckReason::Assign, e.range);
        return isNumber(value->type) || isError(value->type) ? value : asAny(value);
    };
    loop->start = bound(*s.from);
    loop->limit = bound(*s.to);
    loop->step = s.step ? bound(*s.step) : nullptr;
    const Type* type = s.variable.type ? types_.number() : types_.any();
    checkLoop(s.range, [&](LoopState&, FlowJoin& leaving, size_t head) {
        flow_.joinHere(leaving, head);
        Scratch<TStmt*> list(statements_);
        TStmt* convertStmt = nullptr;
        loopVariable(s.variable, type, loop->variable, convertStmt);
        if (convertStmt) emit(convertStmt);
        checkStatements(s.body.statements.span());
        loop->body = block(list.span(), s.body.range.begin);
    });
    emit(loop);
}

/// `for ... in` over a function and what it is called with. Typed containers are left to iterateValue().
void Checker::lenientForIn(ast::GenericForStmt& s, TExpr* only) {
    std::vector<TStmt*> before;
    Scratch<TExpr*> triplet(exprs_);
    TExpr* pack = nullptr;
    const Loc loc = s.values[0]->range.begin;
    if (only) {
        expandLast(only, 3, false, triplet, 0, pack, before);
        while (triplet.size() < 3) triplet.add(nilConst(loc));
    } else {
        std::vector<Range> ranges;
        adjustedValues(s.values.span(), 3, [](size_t) { return nullptr; }, triplet, ranges, before, loc);
    }
    for (size_t i = 0; i < 3; i++) triplet[i] = asAny(triplet[i]);
    for (size_t i = 0; i < 3; i++) triplet[i] = stash(before, triplet[i]);
    for (TStmt* b : before) emit(b);
    auto* loop = stmt<TLuaForIn>(loc);
    loop->function = triplet[0];
    loop->state = triplet[1];
    loop->control = triplet[2];
    checkLoop(s.range, [&](LoopState&, FlowJoin& leaving, size_t head) {
        flow_.joinHere(leaving, head);
        Scratch<TStmt*> list(statements_);
        std::vector<Variable*> variables;
        std::vector<TStmt*> converts;
        for (ast::NameDecl& name : s.variables) {
            Variable* raw = nullptr;
            TStmt* convertStmt = nullptr;
            loopVariable(name, types_.any(), raw, convertStmt);
            variables.push_back(raw);
            if (convertStmt) converts.push_back(convertStmt);
        }
        loop->variables = arena().makeList<Variable*>(variables);
        for (TStmt* c : converts) emit(c);
        checkStatements(s.body.statements.span());
        loop->body = block(list.span(), s.body.range.begin);
    });
    emit(loop);
}

// ---- Functions ------------------------------------------------------------------------------------------------------

/// `function a.b:c()`: an assignment.
void Checker::lenientFunction(ast::FunctionDecl& d) {
    Place place;
    if (!checkPlace(*d.target, place)) return;
    FunctionInfo& f = *instanceOf(*functionOf(*d.body));
    if (f.isGeneric()) {
        diags_.report(diag::GenericLiteral, cover(d.body->typeParams[0].range, d.body->typeParams.back().range));
        return;
    }
    f.name = module_->tree->file->textOf(d.target->range);
    f.signatureKnown = false;
    knowSignature(f, functionIn(isAny(place.type) ? nullptr : place.type));
    f.state = FunctionInfo::State::Unchecked;
    checkBody(f);
    auto* closure = expr<TClosure>(f.type ? static_cast<const Type*>(f.type) : types_.error(), d.range.begin);
    closure->function = &f;
    writePlace(place, isAny(place.type) ? asAny(closure) : closure, d.target->range);
}

/// `arg` of a vararg function that does not use `...` itself: a table of the extra arguments with their number in `n`.
void Checker::declareArg(FunctionInfo& f) {
    const Loc loc = f.range.begin;
    auto* table = expr<TLuaTableLit>(types_.any(), loc);
    auto* count = expr<TPackCount>(types_.integer(), loc);
    count->pack = expr<TVararg>(types_.any(), loc);
    const TLuaItem n{asAny(stringConst("n", loc)), asAny(count)};
    table->items = arena().makeList<TLuaItem>({&n, 1});
    table->pack = expr<TVararg>(types_.any(), loc);
    f.argTable->type = types_.any();
    f.argTable->isTypeKnown = true;
    f.argTable->isAssigned = true;
    emit(declareTemp(f.argTable, table, loc));
}

// ---- Labels ---------------------------------------------------------------------------------------------------------

/// The statements of a block, whose labels are known in all of it and in blocks inside.
void Checker::lenientStatements(std::span<ast::Stmt* const> statements) {
    size_t last = statements.size();  // a label behind all else is beyond the scope of the block's locals
    while (last > 0 && statements[last - 1]->kind == ast::NodeKind::LabelStmt) last--;
    const size_t labels = labels_.size();
    uint32_t locals = 0;
    for (size_t i = 0; i < statements.size(); i++) {
        locals += localsOf(*statements[i]);
        auto* label = ast::as<ast::LabelStmt>(statements[i]);
        if (!label) continue;
        for (size_t k = labels_.size(); k > labelBase_; k--)
            if (labels_[k - 1].label->name == label->label.name) {
                const std::string_view name = text(label->label.name);
                diags_.report(diag::LabelTwice, label->range, name).note(diag::DeclaredHere, labels_[k - 1].range, name);
                break;
            }
        auto* made = stmt<TLabel>(label->range.begin);
        made->name = label->label.name;
        labels_.push_back({made, label->range, blocks_.size(), i, i >= last ? 0 : locals});
    }
    blocks_.push_back({0, 0});
    bool warned = false;
    for (size_t i = 0; i < statements.size(); i++) {
        ast::Stmt& s = *statements[i];
        blocks_.back().statement = i;
        if (!flow_.isReachable && !warned && s.kind != ast::NodeKind::LabelStmt) {
            diags_.report(diag::UnreachableCode, s.range);
            warned = true;
        }
        const bool wasReachable = flow_.isReachable || s.kind == ast::NodeKind::LabelStmt;
        flow_.isReachable = true;
        checkStmt(s);
        flow_.isReachable &= wasReachable;
        blocks_.back().locals += localsOf(s);
    }
    blocks_.pop_back();
    labels_.resize(labels);
}

uint32_t Checker::localsOf(const ast::Stmt& s) {
    if (auto* local = ast::as<ast::LocalStmt>(&s)) return local->names.count;
    return s.kind == ast::NodeKind::LocalFunctionDecl ? 1 : 0;
}

void Checker::check(ast::LabelStmt& s) {
    if (!isLenient()) return;
    // What is known at the jumps is not followed: nothing is known here.
    flow_.forgetWhere([](SemaVar*) { return true; });
    for (size_t k = labels_.size(); k-- > 0;)
        if (labels_[k].range.begin == s.range.begin) return emit(labels_[k].label);
}

void Checker::check(ast::GotoStmt& s) {
    if (!isLenient()) return;  // refused by the parser
    flow_.isReachable = false;
    for (size_t k = labels_.size(); k-- > labelBase_;) {
        const LabelPlace& found = labels_[k];
        if (found.label->name != s.label.name) continue;
        // Locals declared between here and the label would be in scope there without having been made.
        const BlockPlace& here = blocks_[found.block];
        if (found.statement > here.statement && found.locals > here.locals)
            diags_.report(diag::JumpIntoScope, s.range, text(s.label.name));
        auto* jump = stmt<TGoto>(s.range.begin);
        jump->label = found.label;
        return emit(jump);
    }
    diags_.report(diag::UnknownLabel, s.label.range, text(s.label.name));
}

}  // namespace luapp::sema
