// Lowering of expressions other than calls and conversions.
#include "middle/lower_impl.h"

namespace luapp::ir {

using sema::ArithOp;
using sema::CompareOp;

/// The same value, checked if the options ask for it. Calls that give nothing and what is never executed have no word to look at.
Value FunctionLowering::asserted(Value v, const Type* type) {
    if (!program_.options().assertTypes || !v || !b_.isReachable() || type->kind == TypeKind::Never) return v;
    if (v->rep == Rep::Void || v->rep == Rep::Pack) return v;
    if (v->rep != repOf(type)) LUAPP_UNREACHABLE("an expression is not in the representation of its type");
    b_.op(Op::CheckWord, {v}, program_.typeIndex(type));
    return v;
}

/// Left operands and conversions may form chains of many thousands: they are walked without recursion.
Value FunctionLowering::lower(const TExpr* e) {
    return e->kind == TExprKind::Binary || e->kind == TExprKind::Convert ? lowerSpine(e) : asserted(lowerSimple(e), e->type);
}

Value FunctionLowering::lowerSpine(const TExpr* e) {
    std::vector<const TExpr*> spine;
    while (e->kind == TExprKind::Binary || e->kind == TExprKind::Convert) {
        spine.push_back(e);
        e = e->kind == TExprKind::Binary ? e->as<sema::TBinary>()->left : e->as<sema::TConvert>()->operand;
    }
    Value v = asserted(lowerSimple(e), e->type);
    for (size_t i = spine.size(); i-- > 0;) {
        if (spine[i]->kind == TExprKind::Convert) {
            v = lowerConvert(spine[i]->as<sema::TConvert>(), v);
        } else {
            auto* binary = spine[i]->as<sema::TBinary>();
            const uint32_t parked = parkValue(v, binary->right);
            Value right = lower(binary->right);
            v = unparkValue(v, parked);
            v = applyBinary(binary, v, right);
        }
        asserted(v, spine[i]->type);
    }
    return v;
}

Value FunctionLowering::lowerSimple(const TExpr* e) {
    b_.setLoc(e->loc);
    switch (e->kind) {
        case TExprKind::NilConst: return repOf(e->type) == Rep::Void ? nullptr : b_.zero(repOf(e->type));
        case TExprKind::BoolConst: return b_.boolean(e->as<sema::TBoolConst>()->value);
        case TExprKind::NumberConst: return b_.f64(e->as<sema::TNumberConst>()->value);
        case TExprKind::IntegerConst: return b_.i64(e->as<sema::TIntegerConst>()->value);
        case TExprKind::StringConst: return b_.str(e->as<sema::TStringConst>()->value);
        case TExprKind::VarGet: {
            auto* get = e->as<sema::TVarGet>();
            return readVar(get->variable, get->checked, get->classType);
        }
        case TExprKind::FuncRef: return closureOf(e->as<sema::TFuncRef>()->function);
        case TExprKind::BuiltinRef: return b_.builtin(e->as<sema::TBuiltinRef>()->builtin);
        case TExprKind::Unary: return lowerUnary(e->as<sema::TUnary>());
        case TExprKind::Binary:
        case TExprKind::Convert: return lowerSpine(e);
        case TExprKind::Compare: return lowerCompare(e->as<sema::TCompare>());
        case TExprKind::Not: return b_.logicalNot(lower(e->as<sema::TNot>()->operand));
        case TExprKind::Logical: return lowerLogical(e->as<sema::TLogical>());
        case TExprKind::Truthy: return lowerTruthy(e->as<sema::TTruthy>()->operand);
        case TExprKind::Concat: return lowerConcat(e->as<sema::TConcat>());
        case TExprKind::ToString: {
            const TExpr* operand = e->as<sema::TToString>()->operand;
            Value v = lower(operand);
            b_.setLoc(e->loc);
            return toText(v, operand->type);
        }
        case TExprKind::Length: return lowerLength(e->as<sema::TLength>());
        case TExprKind::Conditional: return lowerConditional(e->as<sema::TConditional>());
        case TExprKind::Let: {
            auto* let = e->as<sema::TLet>();
            for (const TStmt* s : let->stmts) lowerStmt(s);
            return lower(let->result);
        }
        case TExprKind::Call: return lowerCall(e->as<sema::TCall>(), e->type->kind == TypeKind::Void ? Want::None : Want::First);
        case TExprKind::Vararg:
        case TExprKind::PackSelect: return lowerPack(e);
        case TExprKind::VarargAt: return b_.op(Op::VarargGet, {}, e->as<sema::TVarargAt>()->index);
        case TExprKind::PackCount: {
            const TExpr* pack = e->as<sema::TPackCount>()->pack;
            if (pack->kind == TExprKind::Vararg) return b_.op(Op::VarargCount, {});
            Value p = lowerPack(pack);
            return b_.op(Op::PackCount, {p});
        }
        case TExprKind::IterTriplet: {
            auto* triplet = e->as<sema::TIterTriplet>();
            Value v = lower(triplet->operand);
            b_.setLoc(e->loc);
            return b_.op(Op::IterX, {v}, triplet->variables);
        }
        case TExprKind::ArrayGet: {
            auto* get = e->as<sema::TArrayGet>();
            Value array = lower(get->array);
            Value index = lower(get->index);
            b_.setLoc(e->loc);
            return b_.typed(Op::ArrGet, repOf(e->type), {array, index});
        }
        case TExprKind::TableGet: return lowerTableGet(e->as<sema::TTableGet>());
        case TExprKind::RecordGet: {
            auto* get = e->as<sema::TRecordGet>();
            return b_.typed(Op::FieldGet, repOf(e->type), {lower(get->record)}, get->field, program_.valueType(get->record->type));
        }
        case TExprKind::IndexDyn: {
            auto* get = e->as<sema::TIndexDyn>();
            Value object = lower(get->object);
            Value key = lower(get->key);
            return dynamicOp(Op::IndexX, {object, key}, e->loc, bc::NoteUse::Index, nameOf(get->object));
        }
        case TExprKind::MemberDyn: {
            auto* get = e->as<sema::TMemberDyn>();
            Value object = lower(get->object);
            return dynamicOp(get->isMethod ? Op::MethodX : Op::MemberX, {object}, e->loc, bc::NoteUse::Index, nameOf(get->object), {},
                             program_.module().addString(program_.text(get->name)));
        }
        case TExprKind::ObjectNew: return lowerObjectNew(e->as<sema::TObjectNew>());
        case TExprKind::FieldGet: {
            auto* get = e->as<sema::TFieldGet>();
            Value object = lower(get->object);
            b_.setLoc(e->loc);
            return readField(object, get->owner, get->field);
        }
        case TExprKind::BoundMethod: return lowerBoundMethod(e->as<sema::TBoundMethod>());
        case TExprKind::ClassRef: return lowerClassRef(e->as<sema::TClassRef>());
        case TExprKind::TypeTest: return lowerTypeTest(e->as<sema::TTypeTest>());
        case TExprKind::Closure: return makeClosure(e->as<sema::TClosure>()->function);
        case TExprKind::ArrayLit: return lowerArrayLit(e->as<sema::TArrayLit>());
        case TExprKind::TableLit: return lowerTableLit(e->as<sema::TTableLit>());
        case TExprKind::RecordLit: return lowerRecordLit(e->as<sema::TRecordLit>());
        case TExprKind::GlobalGet: return lowerGlobalGet(e->as<sema::TGlobalGet>());
        case TExprKind::LuaTableLit: return lowerLuaTable(e->as<sema::TLuaTableLit>());
    }
    LUAPP_UNREACHABLE("expression kind");
}

// --- operators ---------------------------------------------------------------------------------------------------

Value FunctionLowering::lowerUnary(const sema::TUnary* e) {
    Value v = lower(e->operand);
    b_.setLoc(e->loc);
    const bool isMinus = e->op == sema::UnaryOp::Neg;
    if (v->rep == Rep::I64) return b_.op(isMinus ? Op::NegI : Op::NotI, {v});
    if (v->rep == Rep::F64) return b_.op(Op::NegF, {v});
    return dynamicOp(isMinus ? Op::UnmX : Op::BNotX, {v}, e->loc, bc::NoteUse::Operate, nameOf(e->operand));
}

namespace {

Op numberOp(ArithOp op) {
    switch (op) {
        case ArithOp::Add: return Op::AddF;
        case ArithOp::Sub: return Op::SubF;
        case ArithOp::Mul: return Op::MulF;
        case ArithOp::Div: return Op::DivF;
        case ArithOp::Mod: return Op::ModF;
        case ArithOp::Pow: return Op::PowF;
        case ArithOp::IDiv: return Op::IDivF;
        case ArithOp::BAnd:
        case ArithOp::BOr:
        case ArithOp::BXor:
        case ArithOp::Shl:
        case ArithOp::Shr: break;
    }
    LUAPP_UNREACHABLE("no operation for this representation");
}

Op integerOp(ArithOp op) {
    switch (op) {
        case ArithOp::Add: return Op::AddI;
        case ArithOp::Sub: return Op::SubI;
        case ArithOp::Mul: return Op::MulI;
        case ArithOp::Mod: return Op::ModI;
        case ArithOp::IDiv: return Op::IDivI;
        case ArithOp::BAnd: return Op::AndI;
        case ArithOp::BOr: return Op::OrI;
        case ArithOp::BXor: return Op::XorI;
        case ArithOp::Shl: return Op::ShlI;
        case ArithOp::Shr: return Op::ShrI;
        case ArithOp::Div:
        case ArithOp::Pow: break;
    }
    LUAPP_UNREACHABLE("no operation for this representation");
}

bc::ArithOp boxedOp(ArithOp op) {
    switch (op) {
        case ArithOp::Add: return bc::ArithOp::Add;
        case ArithOp::Sub: return bc::ArithOp::Sub;
        case ArithOp::Mul: return bc::ArithOp::Mul;
        case ArithOp::Div: return bc::ArithOp::Div;
        case ArithOp::Mod: return bc::ArithOp::Mod;
        case ArithOp::Pow: return bc::ArithOp::Pow;
        case ArithOp::IDiv: return bc::ArithOp::IDiv;
        case ArithOp::BAnd: return bc::ArithOp::And;
        case ArithOp::BOr: return bc::ArithOp::Or;
        case ArithOp::BXor: return bc::ArithOp::Xor;
        case ArithOp::Shl: return bc::ArithOp::Shl;
        case ArithOp::Shr: return bc::ArithOp::Shr;
    }
    LUAPP_UNREACHABLE("no operation for this representation");
}

bool isNilConst(const TExpr* e) {
    while (e->kind == TExprKind::Convert) e = e->as<sema::TConvert>()->operand;
    return e->kind == TExprKind::NilConst;
}

/// True if references of this type are compared by identity alone.
bool comparesByIdentity(const Type* type) {
    switch (type->kind) {
        case TypeKind::Array:
        case TypeKind::Table:
        case TypeKind::Record:
        case TypeKind::Class:
        case TypeKind::Interface:
        case TypeKind::File:
        case TypeKind::Nil: return true;
        case TypeKind::Union:
            for (const Type* m : sema::membersOf(type)) {
                if (!comparesByIdentity(m)) return false;
            }
            return true;
        default: return false;
    }
}

bool isStringOrNil(const Type* type) {
    for (const Type* m : sema::membersOf(type)) {
        if (!sema::isString(m) && !sema::isNil(m)) return false;
    }
    return true;
}

}  // namespace

Value FunctionLowering::applyBinary(const sema::TBinary* e, Value left, Value right) {
    b_.setLoc(e->loc);
    switch (left->rep) {
        case Rep::F64: return b_.op(numberOp(e->op), {left, right});
        case Rep::I64: return b_.op(integerOp(e->op), {left, right});
        case Rep::Box:
            return dynamicOp(Op::ArithX, {left, right}, e->loc, bc::NoteUse::Operate, nameOf(e->left), nameOf(e->right),
                             int64_t(boxedOp(e->op)));
        case Rep::Void:
        case Rep::Bool:
        case Rep::Ref:
        case Rep::Pack: break;
    }
    LUAPP_UNREACHABLE("no operation for this representation");
}

Value FunctionLowering::compareValues(CompareOp op, const Type* type, Value a, Value b) {
    switch (op) {
        case CompareOp::Ne: return b_.logicalNot(compareValues(CompareOp::Eq, type, a, b));
        case CompareOp::Gt: return compareValues(CompareOp::Lt, type, b, a);
        case CompareOp::Ge: return compareValues(CompareOp::Le, type, b, a);
        case CompareOp::Eq:
        case CompareOp::Lt:
        case CompareOp::Le: break;
    }
    const bool isEq = op == CompareOp::Eq, isLt = op == CompareOp::Lt;
    auto pick = [&](Op eq, Op lt, Op le) { return b_.op(isEq ? eq : isLt ? lt : le, {a, b}); };
    switch (a->rep) {
        case Rep::F64: return pick(Op::EqF, Op::LtF, Op::LeF);
        case Rep::I64:
        case Rep::Bool: return pick(Op::EqI, Op::LtI, Op::LeI);
        case Rep::Box: return pick(Op::EqX, Op::LtX, Op::LeX);
        case Rep::Ref: {
            const Op eq = comparesByIdentity(type) ? Op::EqI : isStringOrNil(type) ? Op::EqS : Op::EqRef;
            return pick(eq, Op::LtS, Op::LeS);
        }
        case Rep::Void:
        case Rep::Pack: break;
    }
    LUAPP_UNREACHABLE("no operation for this representation");
}

Value FunctionLowering::lowerCompare(const sema::TCompare* e) {
    const bool isEquality = e->op == CompareOp::Eq || e->op == CompareOp::Ne;
    if (isEquality && (isNilConst(e->left) || isNilConst(e->right))) {
        Value v = lower(isNilConst(e->left) ? e->right : e->left);
        Value test = isNilValue(v);
        return e->op == CompareOp::Eq ? test : b_.logicalNot(test);
    }
    Value left = lower(e->left);
    Value right = lower(e->right);
    b_.setLoc(e->loc);
    return compareValues(e->op, e->left->type, left, right);
}

/// Branches of an expression joined into a boolean value.
Value FunctionLowering::boolFromBranches(const TExpr* e) {
    Block* yes = b_.newBlock();
    Block* no = b_.newBlock();
    Block* done = b_.newBlock();
    VarId result = b_.declareVariable(Rep::Bool);
    lowerCondition(e, yes, no);
    b_.startSealed(yes);
    b_.writeVariable(result, b_.boolean(true));
    b_.jump(done);
    b_.startSealed(no);
    b_.writeVariable(result, b_.boolean(false));
    b_.jump(done);
    b_.startSealed(done);
    return b_.readVariable(result);
}

/// The value of one of several ways to a value of representation `rep`. An arm that always raises has none; any will do.
Value FunctionLowering::lowerArm(const TExpr* arm, Rep rep) {
    Value v = lower(arm);
    return arm->type->kind == TypeKind::Never && b_.isReachable() && v->rep != rep ? b_.zero(rep) : v;
}

Value FunctionLowering::lowerLogical(const sema::TLogical* e) {
    if (!e->temp) return boolFromBranches(e);
    declareVar(e->temp, lower(e->left));
    Block* useLeft = b_.newBlock();
    Block* useRight = b_.newBlock();
    Block* done = b_.newBlock();
    VarId result = b_.declareVariable(repOf(e->type));
    lowerCondition(e->test, e->isAnd ? useRight : useLeft, e->isAnd ? useLeft : useRight);
    b_.startSealed(useLeft);
    b_.writeVariable(result, lower(e->leftAsResult));
    jumpTo(done);
    b_.startSealed(useRight);
    Value right = lowerArm(e->right, repOf(e->type));
    if (b_.isReachable()) {
        b_.writeVariable(result, right);
        b_.jump(done);
    }
    b_.startSealed(done);
    return b_.readVariable(result);
}

void FunctionLowering::lowerCondition(const TExpr* e, Block* ifTrue, Block* ifFalse) {
    while (e->kind == TExprKind::Not) {
        e = e->as<sema::TNot>()->operand;
        std::swap(ifTrue, ifFalse);
    }
    if (e->kind != TExprKind::Logical || e->as<sema::TLogical>()->temp) {
        Value v = lower(e);
        if (!b_.isReachable()) return;
        b_.br(v, ifTrue, ifFalse);
        return;
    }
    // A chain of one operator may be thousands long, nested to the left.
    const bool isAnd = e->as<sema::TLogical>()->isAnd;
    std::vector<const TExpr*> parts;
    while (e->kind == TExprKind::Logical && !e->as<sema::TLogical>()->temp && e->as<sema::TLogical>()->isAnd == isAnd) {
        parts.push_back(e->as<sema::TLogical>()->right);
        e = e->as<sema::TLogical>()->left;
    }
    parts.push_back(e);
    for (size_t i = parts.size(); i-- > 0;) {
        if (i == 0) {
            lowerCondition(parts[i], ifTrue, ifFalse);
            return;
        }
        Block* next = b_.newBlock();
        lowerCondition(parts[i], isAnd ? next : ifTrue, isAnd ? ifFalse : next);
        b_.startSealed(next);
    }
}

Value FunctionLowering::lowerConditional(const sema::TConditional* e) {
    const Rep rep = repOf(e->type);
    Block* then = b_.newBlock();
    Block* otherwise = b_.newBlock();
    Block* done = b_.newBlock();
    VarId result = rep == Rep::Void ? 0 : b_.declareVariable(rep);
    lowerCondition(e->condition, then, otherwise);
    for (auto [block, arm] : {std::pair{then, e->then}, std::pair{otherwise, e->otherwise}}) {
        b_.startSealed(block);
        // An optional chain without a value has nil, of no representation, where it is cut off.
        Value v = rep == Rep::Void && arm->kind == TExprKind::NilConst ? nullptr : lowerArm(arm, rep);
        if (!b_.isReachable()) continue;
        if (rep != Rep::Void) b_.writeVariable(result, v);
        b_.jump(done);
    }
    b_.startSealed(done);
    return rep == Rep::Void ? nullptr : b_.readVariable(result);
}

Value FunctionLowering::lowerTruthy(const TExpr* operand) {
    Value v = lower(operand);
    b_.setLoc(operand->loc);
    switch (v->rep) {
        case Rep::Bool: return v;
        case Rep::Ref: return b_.logicalNot(b_.op(Op::IsNull, {v}));
        case Rep::Box: return b_.op(Op::Truthy, {v});
        case Rep::F64:
        case Rep::I64: return b_.boolean(true);
        case Rep::Void:
        case Rep::Pack: break;
    }
    LUAPP_UNREACHABLE("no operation for this representation");
}

// --- text --------------------------------------------------------------------------------------------------------

Value FunctionLowering::toText(Value v, const Type* type) {
    if (sema::isString(type)) return v;
    const bool needsBox = v->rep == Rep::Ref || type->kind == TypeKind::Enum;
    return b_.op(Op::ToStr, {needsBox ? box(v, type) : v});
}

Value FunctionLowering::lowerConcat(const sema::TConcat* e) {
    if (repOf(e->type) == Rep::Box) return dynamicConcat(e);
    constexpr size_t kMostAtOnce = 32;  // operands of one instruction lie side by side in registers
    std::vector<Value> parts;
    for (const TExpr* part : e->parts) {
        Value v = lower(part);
        b_.setLoc(e->loc);
        parts.push_back(toText(v, part->type));
        if (parts.size() == kMostAtOnce) {
            Value joined = b_.op(Op::Concat, parts);
            parts.assign(1, joined);
        }
    }
    return parts.size() == 1 ? parts[0] : b_.op(Op::Concat, parts);
}

/// Joined from the right, since metamethods see what is to the right of them joined.
Value FunctionLowering::dynamicConcat(const sema::TConcat* e) {
    constexpr size_t kMostAtOnce = 200;
    std::vector<Value> parts;
    std::vector<OperandName> names;
    for (const TExpr* part : e->parts) {
        parts.push_back(lower(part));
        names.push_back(nameOf(part));
    }
    for (;;) {
        const size_t begin = parts.size() > kMostAtOnce ? parts.size() - kMostAtOnce : 0;
        NotedPlace place(*this, e->loc, std::span(names).subspan(begin));
        const Value joined = b_.op(Op::ConcatX, std::span(parts).subspan(begin));
        if (begin == 0) return joined;
        parts.resize(begin);
        parts.push_back(joined);
        names.resize(begin);
        names.push_back({});
    }
}

Value FunctionLowering::lowerLength(const sema::TLength* e) {
    Value v = lower(e->operand);
    b_.setLoc(e->loc);
    switch (e->operand->type->kind) {
        case TypeKind::String: return b_.op(Op::StrLen, {v});
        case TypeKind::Array: return b_.op(Op::ArrLen, {v});
        case TypeKind::Table: return b_.op(Op::TabLen, {v});
        default: return dynamicOp(Op::LenX, {v}, e->loc, bc::NoteUse::Operate, nameOf(e->operand));
    }
}

// --- tables and literals -----------------------------------------------------------------------------------------

/// The key of a table operation: a number, a string, or a box of anything else.
Value FunctionLowering::keyOperand(Value key, const Type* type) {
    switch (key->rep) {
        case Rep::F64:
        case Rep::Box: return key;
        case Rep::I64:
            if (type->kind != TypeKind::Enum) return b_.op(Op::IToF, {key});
            break;
        case Rep::Ref:
            if (sema::isString(type)) return key;
            break;
        case Rep::Bool:
        case Rep::Void:
        case Rep::Pack: break;
    }
    return box(key, type);
}

Value FunctionLowering::lowerTableGet(const sema::TTableGet* e) {
    Value table = lower(e->table);
    Value key = keyOperand(lower(e->key), e->key->type);
    b_.setLoc(e->loc);
    return b_.typed(e->checked ? Op::TabGet : Op::TabGetOpt, repOf(e->type), {table, key});
}

Value FunctionLowering::lowerArrayLit(const sema::TArrayLit* e) {
    Value array = b_.op(Op::ArrNew, {}, program_.typeIndex(e->type), e->elements.count);
    for (const TExpr* element : e->elements) {
        Value v = lower(element);
        b_.setLoc(e->loc);
        b_.op(Op::ArrPush, {array, v});
    }
    if (e->pack) {
        Value pack = lowerPack(e->pack);
        b_.op(Op::ArrPushPack, {array, pack});
    }
    return array;
}

Value FunctionLowering::lowerTableLit(const sema::TTableLit* e) {
    Value table = b_.op(Op::TabNew, {}, program_.typeIndex(e->type), e->entries.count);
    for (const sema::TTableEntry& entry : e->entries) {
        Value key = lower(entry.key);
        Value value = lower(entry.value);
        b_.setLoc(entry.key->loc);
        setTable(table, e->type, key, entry.key->type, value, entry.value->type);
    }
    return table;
}

Value FunctionLowering::lowerRecordLit(const sema::TRecordLit* e) {
    std::vector<Value> values;
    for (const sema::TFieldInit& init : e->inits) values.push_back(lower(init.value));
    b_.setLoc(e->loc);
    Value object = b_.op(Op::ObjNew, {}, program_.typeIndex(e->type), e->inits.count);
    for (uint32_t i = 0; i < e->inits.count; i++) b_.op(Op::FieldInit, {object, values[i]}, e->inits[i].field);
    return object;
}

}  // namespace luapp::ir
