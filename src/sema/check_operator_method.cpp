// Operators of classes: methods with metamethod names, chosen by static types. The class of the left operand is looked at first; `>`
// and `>=` swap their operands; nothing is derived from another operator (LANGUAGE 6).
#include <algorithm>

#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

namespace {

/// What an operator method takes and gives. Results: any type, one value of any type, boolean, string, integer, nothing.
struct OperatorShape {
    std::string_view name;
    uint32_t params;  // besides the object
    enum class Gives : uint8_t { Anything, Value, Boolean, String, Integer, Nothing } gives;
};

using Gives = OperatorShape::Gives;

constexpr OperatorShape kShapes[] = {
    {"__add", 1, Gives::Value},    {"__sub", 1, Gives::Value},      {"__mul", 1, Gives::Value},
    {"__div", 1, Gives::Value},    {"__idiv", 1, Gives::Value},     {"__mod", 1, Gives::Value},
    {"__pow", 1, Gives::Value},    {"__unm", 0, Gives::Value},      {"__concat", 1, Gives::Value},
    {"__len", 0, Gives::Integer},  {"__eq", 1, Gives::Boolean},     {"__lt", 1, Gives::Boolean},
    {"__le", 1, Gives::Boolean},   {"__index", 1, Gives::Value},    {"__newindex", 2, Gives::Nothing},
    {"__tostring", 0, Gives::String}, {"__iter", 0, Gives::Anything}, {"__gc", 0, Gives::Nothing},
};

}  // namespace

/// An operator method must be callable with the operands.
void Checker::checkOperatorMethod(MethodInfo& method) {
    const std::string_view name = text(method.name);
    if (!name.starts_with("__") || !method.type) return;
    auto* shape = std::find_if(std::begin(kShapes), std::end(kShapes), [&](auto& s) { return s.name == name; });
    if (shape == std::end(kShapes)) return;
    const FunctionType* type = method.type;
    const uint32_t wanted = shape->params + (method.isStatic ? 1 : 0);
    if (type->params.count != wanted || type->vararg) {
        const std::string shown = wanted == 0 ? "no parameters"
                                  : wanted == 1 ? "one parameter"
                                                : std::to_string(wanted) + " parameters";
        diags_.report(diag::OperatorParams, method.range, name, shown);
        return;
    }
    const bool isOne = type->results.count == 1 && !type->variadicResult;
    bool isGood = true;
    std::string_view expected;
    switch (shape->gives) {
        case Gives::Anything: break;
        case Gives::Value: isGood = isOne || type->neverReturns, expected = "one result"; break;
        case Gives::Boolean: isGood = isOne && isBoolean(type->results[0]), expected = "a boolean"; break;
        case Gives::String: isGood = isOne && isString(type->results[0]), expected = "a string"; break;
        case Gives::Integer: isGood = isOne && isInteger(type->results[0]), expected = "an integer"; break;
        case Gives::Nothing: isGood = type->isVoid(), expected = "no result"; break;
    }
    if (!isGood) diags_.report(diag::OperatorResult, method.range, name, expected);
}

/// The operator method `name` of a class, interface or bounded type parameter; nothing if it has none.
Member Checker::operatorOf(const Type* type, std::string_view name) {
    if (type->kind != TypeKind::Class && type->kind != TypeKind::Interface) return {};
    const Member member = findMember(type, interner_.intern(name), currentClass(), nullptr);
    if (!member.info || member.info->memberKind != MemberInfo::Kind::Method) return {};
    if (!methodType(*static_cast<MethodInfo*>(member.info))) return {};
    if (member.info->access == Access::Protected && !derivesFrom(currentClass(), member.info->owner)) return {};
    return member;
}

/// The static function `name` for operands of a class; nothing if it has none.
Member Checker::staticOperatorOf(const Type* type, std::string_view name) {
    auto* object = asIf<ClassType>(type);
    if (!object) return {};
    const Symbol symbol = interner_.intern(name);
    for (const ClassType* ancestor : object->info->ancestors)
        for (MethodInfo* method : ancestor->info->staticOperators) {
            if (method->name != symbol || !methodType(*method)) continue;
            if (method->access == Access::Private && currentClass() != ancestor->info) continue;
            return {method, memberType(ancestor, type)};
        }
    return {};
}

/// An operand as a parameter of an operator method; null if it does not fit.
TExpr* Checker::asOperand(TExpr* value, const Type* param) {
    if (isError(value->type)) return value;
    if (value->type->kind == TypeKind::Void) return nullptr;
    if (value->kind == TExprKind::NumberConst && wantsIntegerOnly(param)) {
        const double number = value->as<TNumberConst>()->value;
        if (number == double(int64_t(number))) value = integerConst(int64_t(number), value->loc);
    }
    return tryConvert(value, param, CheckReason::Argument);
}

/// `left op right` through an operator method. Null if no class of the operands has one; an error if none takes them.
TExpr* Checker::operatorCall(std::string_view name, TExpr* left, TExpr* right, Range rightRange, Loc loc) {
    // What a dynamic left operand is decides when it runs: it is looked at first.
    if (isAny(left->type) && !isImplicitAny(left->type)) return nullptr;
    left = asBound(left, interner_.intern(name));
    const Type* sides[] = {left->type, right->type};
    const Type* missed = nullptr;
    for (const Type* side : sides) {
        if (const Member member = operatorOf(side, name); member.info && side == left->type) {
            auto* type = as<FunctionType>(memberType(static_cast<MethodInfo*>(member.info)->type, member.owner));
            if (type->params.count == 1) {
                if (TExpr* operand = asOperand(right, type->params[0])) return callWith(left, member, {&operand, 1}, loc);
                if (!missed) missed = type->params[0];
            }
        }
        if (const Member member = staticOperatorOf(side, name); member.info) {
            auto* type = as<FunctionType>(memberType(static_cast<MethodInfo*>(member.info)->type, member.owner));
            TExpr* const first = type->params.count == 2 ? asOperand(left, type->params[0]) : nullptr;
            TExpr* const second = first ? asOperand(right, type->params[1]) : nullptr;
            TExpr* const both[] = {first, second};
            if (second) return callWith(nullptr, member, both, loc);
            if (!missed && type->params.count == 2) missed = type->params[1];
        }
        if (sides[0] == sides[1]) break;
    }
    if (!missed || (isAny(right->type) && !isImplicitAny(right->type))) return nullptr;
    diags_.report(diag::ArgumentMismatch, rightRange, 1, name, show(right->type), show(missed));
    return errorExpr(loc);
}

/// `-a` and `#a`. Null if the class has no such method.
TExpr* Checker::unaryOperatorCall(std::string_view name, TExpr* operand, Loc loc) {
    operand = asBound(operand, interner_.intern(name));
    const Member member = operatorOf(operand->type, name);
    if (!member.info || member.info->isStatic) return nullptr;
    if (!static_cast<MethodInfo*>(member.info)->type->params.empty()) return nullptr;
    return callWith(operand, member, {}, loc);
}

std::string_view Checker::operatorName(ast::BinaryOp op) {
    switch (op) {
        case ast::BinaryOp::Add: return "__add";
        case ast::BinaryOp::Sub: return "__sub";
        case ast::BinaryOp::Mul: return "__mul";
        case ast::BinaryOp::Div: return "__div";
        case ast::BinaryOp::IDiv: return "__idiv";
        case ast::BinaryOp::Mod: return "__mod";
        case ast::BinaryOp::Pow: return "__pow";
        default: return "";
    }
}

/// `<` and its like. Null if no class of the operands has the method.
TExpr* Checker::orderCall(ast::BinaryOp op, TExpr* left, TExpr* right, Range leftRange, Range rightRange, Loc loc) {
    const bool isStrict = op == ast::BinaryOp::Lt || op == ast::BinaryOp::Gt;
    const std::string_view name = isStrict ? "__lt" : "__le";
    if (op == ast::BinaryOp::Lt || op == ast::BinaryOp::Le) return operatorCall(name, left, right, rightRange, loc);
    auto has = [&](TExpr* side) {
        const Type* type = asBound(side, interner_.intern(name))->type;
        return operatorOf(type, name).info || staticOperatorOf(type, name).info;
    };
    if (!has(left) && !has(right)) return nullptr;
    std::vector<TStmt*> before;
    left = stash(before, left);
    right = stash(before, right);
    TExpr* call = operatorCall(name, right, left, leftRange, loc);
    return call ? wrapBefore(before, call) : nullptr;
}

/// `==` through `__eq`; `~=` is its opposite. Null if no class of the operands has it, or it does not take them.
TExpr* Checker::equalCall(bool isEqual, TExpr* left, TExpr* right, Loc loc) {
    const Type *l = types_.withoutNil(left->type), *r = types_.withoutNil(right->type);
    auto has = [&](const Type* type) { return operatorOf(type, "__eq").info || staticOperatorOf(type, "__eq").info; };
    if (!has(l) && !has(r)) return nullptr;
    if (isNil(left->type) || isNil(right->type)) return nullptr;
    const bool mayBeNil = left->type->admitsNil || right->type->admitsNil;
    if (isAny(l) || isAny(r)) return nullptr;
    std::vector<TStmt*> before;
    TExpr *a = left, *b = right;
    if (mayBeNil) {
        a = stash(before, left);
        b = stash(before, right);
    }
    auto present = [&](TExpr* value, const Type* type) {
        if (value->type == type) return value;
        return convertNode(type->rep == value->type->rep ? ConvertKind::Retype : ConvertKind::Narrow, CheckReason::Assign,
                           value, type);
    };
    const auto mark = diags_.mark();
    TExpr* call = operatorCall("__eq", present(a, l), present(b, r), {}, loc);
    if (!call || isError(call->type) || !isBoolean(call->type)) {
        diags_.rollBack(mark);
        return nullptr;
    }
    if (mayBeNil) {
        // nil equals nil only.
        const Type* type = types_.unionOf(left->type, right->type);
        auto* same = expr<TCompare>(types_.boolean(), loc);
        same->op = CompareOp::Eq;
        same->left = convert(a, type, CheckReason::Assign, {});
        same->right = convert(b, type, CheckReason::Assign, {});
        TExpr* condition = nullptr;
        for (TExpr* side : {a, b}) {
            if (!side->type->admitsNil) continue;
            TExpr* test = isNilTest(side, false);
            if (condition) {
                auto* both = expr<TLogical>(types_.boolean(), loc);
                both->isAnd = true;
                both->left = condition;
                both->right = test;
                test = both;
            }
            condition = test;
        }
        auto* choice = expr<TConditional>(types_.boolean(), loc);
        choice->condition = condition;
        choice->then = call;
        choice->otherwise = same;
        call = wrapBefore(before, choice);
    }
    return isEqual ? call : notNode(call);
}

/// `a .. b .. c` where some operand's class has `__concat`: from the right, in pairs. Null if none has.
TExpr* Checker::concatCall(std::span<TExpr* const> values, std::span<const Range> ranges, Loc loc) {
    const bool any = std::any_of(values.begin(), values.end(), [&](TExpr* v) {
        return operatorOf(v->type, "__concat").info || staticOperatorOf(v->type, "__concat").info;
    });
    if (!any) return nullptr;
    TExpr* right = values.back();
    Range rightRange = ranges.back();
    for (size_t i = values.size() - 1; i-- > 0;) {
        if (isError(values[i]->type) || isError(right->type)) return errorExpr(loc);
        if (TExpr* call = operatorCall("__concat", values[i], right, rightRange, loc)) {
            right = call;
        } else {
            auto isDynamic = [&](const TExpr* v) { return isAny(v->type) && !isImplicitAny(v->type); };
            TExpr* left = values[i];
            if (isDynamic(left))
                right = convert(right, types_.any(), CheckReason::Assign, rightRange);
            else if (isDynamic(right))
                left = convert(left, types_.any(), CheckReason::Assign, ranges[i]);
            TExpr* const pair[] = {concatOperand(left, ranges[i]), concatOperand(right, rightRange)};
            right = concat(pair, loc);
        }
        rightRange = cover(ranges[i], rightRange);
    }
    return right;
}

/// `object[key]` through `__index`. Null if the class has none.
TExpr* Checker::indexCall(TExpr* object, ast::IndexExpr& e) {
    object = asBound(object, interner_.intern("__index"));
    const Member member = operatorOf(object->type, "__index");
    if (!member.info || member.info->isStatic) return nullptr;
    auto* type = as<FunctionType>(memberType(static_cast<MethodInfo*>(member.info)->type, member.owner));
    if (type->params.count != 1) return nullptr;
    TExpr* key = checkAs(*e.index, type->params[0], CheckReason::Index);
    if (isError(key->type)) return key;
    return callWith(object, member, {&key, 1}, e.index->range.begin);
}

/// `object[key]` as a place. False if the class has neither `__index` nor `__newindex`.
bool Checker::indexPlace(TExpr* object, ast::IndexExpr& target, Place& place, bool& isGood) {
    object = asBound(object, interner_.intern("__newindex"));
    const Member set = operatorOf(object->type, "__newindex");
    if (!set.info || set.info->isStatic) return false;
    auto* type = as<FunctionType>(memberType(static_cast<MethodInfo*>(set.info)->type, set.owner));
    if (type->params.count != 2) return false;
    place.kind = Place::Kind::Operator;
    place.object = object;
    place.member = set;
    place.key = checkAs(*target.index, type->params[0], CheckReason::Index);
    place.type = type->params[1];
    place.keyRange = target.index->range;
    isGood = !isError(place.key->type);
    return true;
}

/// The value at a place of `__newindex`, through `__index`.
TExpr* Checker::readOperatorPlace(Place& place) {
    const Member get = operatorOf(place.object->type, "__index");
    if (!get.info || get.info->isStatic) {
        diags_.report(diag::CannotIndex, place.range, show(place.object->type));
        return errorExpr(place.loc);
    }
    auto* type = as<FunctionType>(memberType(static_cast<MethodInfo*>(get.info)->type, get.owner));
    if (type->params.count != 1) return errorExpr(place.loc);
    TExpr* key = convert(place.key, type->params[0], CheckReason::Index, place.keyRange);
    if (isError(key->type)) return key;
    return callWith(place.object, get, {&key, 1}, place.loc);
}

/// The iterator that `__iter` gives, with all its values; null if the class has none.
TExpr* Checker::iteratorCall(TExpr* object, Loc loc) {
    object = asBound(object, interner_.intern("__iter"));
    const Member member = operatorOf(object->type, "__iter");
    if (!member.info || member.info->isStatic) return nullptr;
    return callWith(object, member, {}, loc);
}

}  // namespace luapp::sema
