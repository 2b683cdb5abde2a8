// Brace lists: what they mean is decided by the context (LANGUAGE 5).
#include <algorithm>

#include "sema/context.h"
#include "sema/list_limits.h"
#include "sema/relations.h"

namespace luapp::sema {

namespace {

struct Shape {
    bool hasPositional = false;
    bool hasNamed = false;
    bool hasKeyed = false;
    bool isPairs = true;  // every positional item is a brace list of two
};

Shape shapeOf(const ast::BraceExpr& e) {
    Shape shape;
    for (const ast::BraceItem& item : e.items) {
        switch (item.kind) {
            case ast::BraceItemKind::Named: shape.hasNamed = true; break;
            case ast::BraceItemKind::Keyed: shape.hasKeyed = true; break;
            case ast::BraceItemKind::Positional: {
                shape.hasPositional = true;
                auto* pair = ast::as<ast::BraceExpr>(item.value);
                shape.isPairs &= pair && pair->items.count == 2 &&
                                 pair->items[0].kind == ast::BraceItemKind::Positional &&
                                 pair->items[1].kind == ast::BraceItemKind::Positional;
                break;
            }
        }
    }
    return shape;
}

/// Could the list be a value of this type, going by its form?
bool fits(const ast::BraceExpr& e, const Type* type, const Shape& shape) {
    switch (type->kind) {
        case TypeKind::Array: return !shape.hasNamed && !shape.hasKeyed;
        case TypeKind::Table: return !shape.hasPositional || (shape.isPairs && !shape.hasNamed && !shape.hasKeyed);
        case TypeKind::Record: {
            auto* record = as<RecordType>(type);
            if (shape.hasPositional || shape.hasKeyed) return false;
            for (const ast::BraceItem& item : e.items)
                if (record->indexOf(item.name.name) < 0) return false;
            for (const RecordField& field : record->fields) {
                if (field.type->admitsNil) continue;
                if (!std::any_of(e.items.begin(), e.items.end(),
                                 [&](auto& item) { return item.name.name == field.name; }))
                    return false;
            }
            return true;
        }
        default: return false;
    }
}

}  // namespace

TExpr* Checker::checkBraces(ast::BraceExpr& e, const Type* expected) {
    if (expected && isError(expected)) {  // what it should be has been reported
        for (ast::BraceItem& item : e.items) checkExpr(*item.value, expected);
        return errorExpr(e.range.begin);
    }
    if (const ClassType* target = expected ? implicitTarget(expected) : nullptr; target && !target->isOpen)
        if (TExpr* made = bracesAsObject(e, target)) return made;
    if (!expected || expected->isOpen) return bracesFree(e);
    if (isUnion(expected)) {
        const Shape shape = shapeOf(e);
        const Type* only = nullptr;
        int candidates = 0, fitting = 0;
        const Type* candidate = nullptr;
        for (const Type* member : membersOf(expected)) {
            if (member->kind != TypeKind::Array && member->kind != TypeKind::Table && member->kind != TypeKind::Record)
                continue;
            candidates++;
            candidate = member;
            if (!fits(e, member, shape)) continue;
            fitting++;
            only = member;
        }
        if (candidates == 1)
            only = candidate;
        else if (fitting > 1) {
            diags_.report(diag::BracesAmbiguous, e.range, show(expected));
            return errorExpr(e.range.begin);
        }
        if (!only) return bracesFree(e);
        expected = only;
    }
    switch (expected->kind) {
        case TypeKind::Array: return bracesAsArray(e, as<ArrayType>(expected));
        case TypeKind::Table: return bracesAsTable(e, as<TableType>(expected));
        case TypeKind::Record: return bracesAsRecord(e, as<RecordType>(expected));
        default: return bracesFree(e);
    }
}

TExpr* Checker::bracesAsArray(ast::BraceExpr& e, const ArrayType* type) {
    Scratch<TExpr*> elements(exprs_);
    TExpr* pack = nullptr;
    std::vector<TStmt*> before;
    bool isBad = false;
    for (uint32_t i = 0; i < e.items.count; i++) {
        ast::BraceItem& item = e.items[i];
        if (item.kind != ast::BraceItemKind::Positional) {
            diags_.report(diag::BraceItemKind, item.key ? item.key->range : item.name.range, show(type));
            checkExpr(*item.value, nullptr);
            isBad = true;
            continue;
        }
        const size_t at = elements.size();
        const bool isLast = i + 1 == e.items.count;
        TExpr* value = isLast ? checkMulti(*item.value, type->element) : checkExpr(*item.value, type->element);
        if (value->type->kind == TypeKind::Void) value = noValue(item.value->range, value->loc);
        if (isLast && isMulti(value)) {
            expandLast(value, isPack(value) ? 0 : SIZE_MAX, true, elements, 0, pack, before);
        } else {
            elements.add(value);
        }
        for (size_t k = at; k < elements.size(); k++) {
            elements[k] = convert(elements[k], type->element, CheckReason::Element, item.value->range);
            isBad |= isError(elements[k]->type);
        }
    }
    auto* literal = expr<TArrayLit>(isBad ? types_.error() : static_cast<const Type*>(type), e.range.begin);
    literal->elements = elements.list(arena());
    literal->pack = pack;
    return wrapBefore(before, literal);
}

TExpr* Checker::bracesAsTable(ast::BraceExpr& e, const TableType* type) {
    std::vector<TTableEntry> entries;
    bool isBad = false;
    for (ast::BraceItem& item : e.items) {
        TTableEntry entry{nullptr, nullptr};
        ast::Expr* value = item.value;
        switch (item.kind) {
            case ast::BraceItemKind::Named:
                entry.key = convert(stringConst(text(item.name.name), item.name.range.begin), type->key,
                                    CheckReason::Index, item.name.range);
                break;
            case ast::BraceItemKind::Keyed: entry.key = checkAs(*item.key, type->key, CheckReason::Index); break;
            case ast::BraceItemKind::Positional: {
                auto* pair = ast::as<ast::BraceExpr>(item.value);
                if (!pair || pair->items.count != 2 || pair->items[0].kind != ast::BraceItemKind::Positional ||
                    pair->items[1].kind != ast::BraceItemKind::Positional) {
                    diags_.report(diag::BraceNeedsKey, item.value->range, show(type));
                    isBad = true;
                    continue;
                }
                entry.key = checkAs(*pair->items[0].value, type->key, CheckReason::Index);
                value = pair->items[1].value;
                break;
            }
        }
        entry.value = checkAs(*value, type->value, CheckReason::Element);
        isBad |= isError(entry.key->type) || isError(entry.value->type);
        entries.push_back(entry);
    }
    auto* literal = expr<TTableLit>(isBad ? types_.error() : static_cast<const Type*>(type), e.range.begin);
    literal->entries = arena().makeList<TTableEntry>(entries);
    return literal;
}

TExpr* Checker::bracesAsRecord(ast::BraceExpr& e, const RecordType* type) {
    std::vector<TFieldInit> inits;
    std::vector<bool> seen(type->fields.count);
    bool isBad = false;
    for (ast::BraceItem& item : e.items) {
        Symbol name = item.name.name;
        Range range = item.name.range;
        if (item.kind == ast::BraceItemKind::Keyed)
            if (auto* key = ast::as<ast::StringExpr>(item.key)) name = interner_.intern(key->value), range = key->range;
        if (item.kind == ast::BraceItemKind::Positional || !name) {
            diags_.report(diag::BraceNeedsName, item.value->range, show(type));
            isBad = true;
            continue;
        }
        const int at = type->indexOf(name);
        if (at < 0) {
            frontend::Suggester suggester(text(name));
            for (const RecordField& field : type->fields) suggester.offer(text(field.name));
            diags_.report(diag::UnknownField, range, text(name), show(type)).didYouMean(range, suggester.best());
            checkExpr(*item.value, nullptr);
            isBad = true;
            continue;
        }
        if (seen[size_t(at)]) {
            diags_.report(diag::FieldTwice, range, text(name));
            isBad = true;
        }
        seen[size_t(at)] = true;
        TExpr* value = checkAs(*item.value, type->fields[uint32_t(at)].type, CheckReason::Assign);
        isBad |= isError(value->type);
        inits.push_back({uint32_t(at), value});
    }
    for (uint32_t at : type->printOrder) {
        if (seen[at]) continue;
        const RecordField& field = type->fields[at];
        if (!field.type->admitsNil) {
            if (!isBad) diags_.report(diag::FieldMissing, e.range, text(field.name), show(type));
            isBad = true;
            continue;
        }
        TExpr* nil = nilConst(e.range.begin);
        nil->type = field.type;
        inits.push_back({at, nil});
    }
    auto* literal = expr<TRecordLit>(isBad ? types_.error() : static_cast<const Type*>(type), e.range.begin);
    literal->inits = arena().makeList<TFieldInit>(inits);
    return literal;
}

/// One type for all elements, without inventing unions; null if there is none.
const Type* Checker::commonType(std::span<TExpr* const> values) {
    const Type* common = nullptr;
    bool sawNil = false;
    for (TExpr* value : values) {
        const Type* type = valueType(value->type);
        if (isError(type)) return type;
        if (isOptional(type) || isNil(type)) {
            sawNil = true;
            type = types_.withoutNil(type);
            if (type->kind == TypeKind::Never) continue;
        }
        if (!common || isAssignable(common, type))
            common = type;
        else if (!isAssignable(type, common) && !(common = sharedBase(common, type)))
            return nullptr;
    }
    if (!common) return nullptr;
    return sawNil ? types_.optional(common) : common;
}

/// Without context the items decide.
TExpr* Checker::bracesFree(ast::BraceExpr& e) {
    if (isLenient()) return luaTable(e);
    const Shape shape = shapeOf(e);
    const Loc loc = e.range.begin;
    if (e.items.empty() || shape.hasPositional + shape.hasNamed + shape.hasKeyed != 1) {
        diags_.report(e.items.empty() ? diag::EmptyBraces : diag::MixedBraces, e.range);
        for (ast::BraceItem& item : e.items)
            if (item.value->kind != ast::NodeKind::BraceExpr && item.value->kind != ast::NodeKind::FunctionExpr)
                checkExpr(*item.value, nullptr);
        return errorExpr(loc);
    }
    Scratch<TExpr*> values(exprs_);
    if (shape.hasNamed) {
        if (!checkLength(diags_, e.items.count, "fields", [&](uint32_t i) { return e.items[i].name.range; })) return errorExpr(loc);
        std::vector<RecordField> fields;
        for (ast::BraceItem& item : e.items) {
            TExpr* value = checkExpr(*item.value, nullptr);
            if (value->type->kind == TypeKind::Void) value = noValue(item.value->range, value->loc);
            if (isNil(value->type)) {
                diags_.report(diag::NilAlone, item.value->range, text(item.name.name));
                value = errorExpr(value->loc);
            }
            for (const RecordField& field : fields)
                if (field.name == item.name.name) {
                    diags_.report(diag::FieldTwice, item.name.range, text(item.name.name));
                    value = errorExpr(value->loc);
                }
            if (isError(value->type)) return value;
            values.add(value);
            fields.push_back({item.name.name, valueType(value->type)});
        }
        const RecordType* type = types_.record(fields);
        std::vector<TFieldInit> inits;
        for (size_t i = 0; i < fields.size(); i++)
            inits.push_back(
                {uint32_t(type->indexOf(fields[i].name)), convert(values[i], fields[i].type, CheckReason::Assign, {})});
        auto* literal = expr<TRecordLit>(type, loc);
        literal->inits = arena().makeList<TFieldInit>(inits);
        return literal;
    }
    if (shape.hasKeyed) {
        Scratch<TExpr*> keys(exprs_);
        std::vector<TExpr*> all;
        std::vector<TExpr*> allKeys;
        for (ast::BraceItem& item : e.items) {
            allKeys.push_back(checkExpr(*item.key, nullptr));
            TExpr* value = checkExpr(*item.value, nullptr);
            if (value->type->kind == TypeKind::Void) value = noValue(item.value->range, value->loc);
            all.push_back(value);
        }
        const Type *key = commonType(allKeys), *value = commonType(all);
        if (!key || !value || isNil(key)) {
            diags_.report(diag::NoCommonType, e.range);
            return errorExpr(loc);
        }
        if (isError(key) || isError(value)) return errorExpr(loc);
        auto* literal = expr<TTableLit>(types_.table(key, value), loc);
        std::vector<TTableEntry> entries;
        for (size_t i = 0; i < all.size(); i++)
            entries.push_back(
                {convert(allKeys[i], key, CheckReason::Index, {}), convert(all[i], value, CheckReason::Element, {})});
        literal->entries = arena().makeList<TTableEntry>(entries);
        return literal;
    }
    TExpr* pack = nullptr;
    std::vector<TStmt*> before;
    const Type* packOf = nullptr;
    for (uint32_t i = 0; i < e.items.count; i++) {
        ast::Expr& source = *e.items[i].value;
        TExpr* value = i + 1 == e.items.count ? checkMulti(source, nullptr) : checkExpr(source, nullptr);
        if (value->type->kind == TypeKind::Void) value = noValue(source.range, value->loc);
        if (isMulti(value)) {
            if (isPack(value)) packOf = packElement(value);
            expandLast(value, isPack(value) ? 0 : SIZE_MAX, true, values, 0, pack, before);
        } else {
            values.add(value);
        }
    }
    const Type* element = values.empty() ? packOf : commonType(values.span());
    if (element && packOf && element != packOf)
        element = isAssignable(packOf, element) ? element : isAssignable(element, packOf) ? packOf : nullptr;
    if (!element) {
        // `{ i, 0 }`: whole literals beside integers are integers; other mixtures have no type of their own.
        diags_.report(diag::NoCommonType, e.range);
        return errorExpr(loc);
    }
    if (isError(element)) return errorExpr(loc);
    if (isNumber(element) && !pack) element = integerElements(e, values);
    auto* literal = expr<TArrayLit>(types_.array(element), loc);
    for (size_t i = 0; i < values.size(); i++) values[i] = convert(values[i], element, CheckReason::Element, e.range);
    literal->elements = values.list(arena());
    literal->pack = pack;
    return wrapBefore(before, literal);
}

/// `{ i, 0 }` with an integer `i`: the whole literals take the type of what stands beside them.
const Type* Checker::integerElements(ast::BraceExpr& e, Scratch<TExpr*>& values) {
    bool sawInteger = false;
    if (values.size() != e.items.count) return types_.number();
    for (uint32_t i = 0; i < e.items.count; i++) {
        if (isInteger(values[i]->type))
            sawInteger = true;
        else if (!isWholeLiteral(*e.items[i].value))
            return types_.number();
    }
    if (!sawInteger) return types_.number();
    for (uint32_t i = 0; i < e.items.count; i++)
        if (!isInteger(values[i]->type)) values[i] = checkExpr(*e.items[i].value, types_.integer());
    return types_.integer();
}

}  // namespace luapp::sema
