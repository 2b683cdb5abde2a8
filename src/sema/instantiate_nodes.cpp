// Copying and settling of nodes: one case per kind of typed_nodes.def.
#include <algorithm>

#include "runtime/base/check.h"
#include "sema/instantiate.h"
#include "sema/relations.h"

namespace luapp::sema {

// ---- Parts ----------------------------------------------------------------------------------------------------------

/// The node to change: a copy of it, or itself in a function that is patched in place.
template <class T>
T* Instantiator::own(T* node) {
    if (node->loc.isValid()) at_ = node->loc;
    if (!copy_) {
        if constexpr (std::is_base_of_v<TExpr, T>) see(node->type);
        return node;
    }
    T* made = program_.arena.make<T>(*node);
    if constexpr (std::is_base_of_v<TExpr, T>) made->type = type(node->type);
    return made;
}

template <class T, class F>
List<T> Instantiator::list(List<T> items, F&& each) {
    if (!copy_) {
        for (T& item : items) item = each(item);
        return items;
    }
    std::vector<T> made;
    made.reserve(items.count);
    for (const T& item : items) made.push_back(each(item));
    return program_.arena.makeList<T>(made);
}

List<TExpr*> Instantiator::exprs(List<TExpr*> items) {
    return list(items, [this](TExpr* e) { return expr(e); });
}
List<Variable*> Instantiator::variables(List<Variable*> items) {
    if (!copy_) return items;
    return list(items, [this](Variable* v) { return variable(v); });
}
List<const Type*> Instantiator::types(List<const Type*> items) {
    if (!copy_) return items;
    return list(items, [this](const Type* t) { return type(t); });
}

TExpr* Instantiator::convertNode(ConvertKind kind, CheckReason reason, TExpr* operand, const Type* to) {
    auto* n = make<TConvert>(to, operand->loc);
    n->convertKind = kind;
    n->reason = reason;
    n->operand = operand;
    return n;
}

// ---- Conversions ----------------------------------------------------------------------------------------------------

/// The value as a `to`, now that both types are known. `proven`: what the checker has shown where `to` is the narrower one.
TExpr* Instantiator::convertTo(TExpr* value, const Type* to, ConvertKind proven, CheckReason reason) {
    const Type* from = value->type;
    if (from == to) return value;
    switch (relate(from, to)) {
        case Fit::Same: return value;
        case Fit::Retype: return convertNode(ConvertKind::Retype, reason, value, to);
        case Fit::Widen: return convertNode(ConvertKind::Widen, reason, value, to);
        case Fit::Adapt: {
            if (auto* u = asIf<UnionType>(to))
                for (const Type* member : u->members)
                    if (relate(from, member) == Fit::Adapt)
                        return convertTo(convertNode(ConvertKind::Adapt, reason, value, member), to, proven, reason);
            return convertNode(ConvertKind::Adapt, reason, value, to);
        }
        case Fit::Check:
        case Fit::None: break;
    }
    if (proven == ConvertKind::Check || !isAssignable(to, from)) {
        // What cannot be a `to` at all is never reached, or fails as the program says.
        return convertNode(ConvertKind::Check, reason, value, to);
    }
    return convertNode(from->rep == to->rep ? ConvertKind::Retype : ConvertKind::Narrow, reason, value, to);
}

TExpr* Instantiator::convert(TConvert* written) {
    TConvert* n = own(written);
    n->operand = expr(n->operand);
    if (!copy_) return n;
    const Type* from = written->operand->type;
    if (!from->hasTypeParams && !written->type->hasTypeParams) return n;
    if (n->convertKind == ConvertKind::NonNil) return nonNil(n);
    if (n->operand->type == n->type) {
        // One value of several stays marked as one.
        return n->operand->kind == TExprKind::Call ? n : n->operand;
    }
    TExpr* settled = convertTo(n->operand, n->type, n->convertKind, n->reason);
    if (settled != n->operand) settled->loc = n->loc;
    return settled;
}

/// `x!`, or a value that must be there.
TExpr* Instantiator::nonNil(TConvert* n) {
    const Type* wanted = n->type;
    const Type* from = n->operand->type;
    if (!from->admitsNil) return convertTo(n->operand, wanted, ConvertKind::Narrow, n->reason);
    if (isAny(from)) {
        n->type = from;
    } else {
        n->type = types_.withoutNil(from);
        if (n->type->kind == TypeKind::Never) n->type = from;  // always fails
    }
    return convertTo(n, wanted, ConvertKind::Check, n->reason);
}

// ---- Operators ------------------------------------------------------------------------------------------------------

/// Left operands may nest by the thousand.
TExpr* Instantiator::binaryChain(TExpr* e) {
    std::vector<TBinary*> spine;
    for (; e->kind == TExprKind::Binary; e = spine.back()->left) spine.push_back(e->as<TBinary>());
    TExpr* left = expr(e);
    for (size_t i = spine.size(); i-- > 0;) {
        TBinary* n = own(spine[i]);
        n->left = left;
        n->right = expr(n->right);
        left = n;
    }
    return left;
}

TExpr* Instantiator::logicalChain(TExpr* e) {
    std::vector<TLogical*> spine;
    for (; e->kind == TExprKind::Logical; e = spine.back()->left) spine.push_back(e->as<TLogical>());
    TExpr* left = expr(e);
    for (size_t i = spine.size(); i-- > 0;) {
        TLogical* n = own(spine[i]);
        n->left = left;
        left = finishLogical(n);
    }
    return left;
}

TExpr* Instantiator::finishLogical(TLogical* n) {
    n->right = expr(n->right);
    if (!n->temp) return n;
    n->temp = variable(n->temp);
    n->test = expr(n->test);
    n->leftAsResult = expr(n->leftAsResult);
    if (copy_ && isBoolean(n->type) && isBoolean(n->left->type) && isBoolean(n->right->type)) {
        n->temp = nullptr;
        n->test = n->leftAsResult = nullptr;
    }
    return n;
}

TExpr* Instantiator::compare(TCompare* written) {
    TCompare* n = own(written);
    n->left = expr(n->left);
    n->right = expr(n->right);
    if (!copy_ || !written->left->type->hasTypeParams) return n;
    const bool isEquality = n->op == CompareOp::Eq || n->op == CompareOp::Ne;
    TExpr* const other = n->right->kind == TExprKind::NilConst ? n->left : n->right;
    const bool testsNil = isEquality && (n->left->kind == TExprKind::NilConst || n->right->kind == TExprKind::NilConst);
    if (testsNil && !other->type->admitsNil)  // never nil, as it turns out
        return letBool(other, n->op == CompareOp::Ne, n->loc);
    if (testsNil) return n;
    TExpr* const called = compareObjects(n);
    return called ? called : n;
}

/// A value that is not needed is evaluated, then the result is known.
TExpr* Instantiator::letBool(TExpr* dropped, bool value, Loc loc) {
    auto* result = make<TBoolConst>(types_.boolean(), loc);
    result->value = value;
    if (dropped->kind == TExprKind::VarGet && !dropped->as<TVarGet>()->checked) return result;
    auto* run = make<TExprStmt>(dropped->loc);
    run->expr = dropped;
    auto* let = make<TLet>(types_.boolean(), loc);
    TStmt* const stmts[] = {run};
    let->stmts = program_.arena.makeList<TStmt*>(stmts);
    let->result = result;
    return let;
}

/// `==` and `<` of values that turn out to be objects: the operators of their class, if it has them.
TExpr* Instantiator::compareObjects(TCompare* n) {
    auto isObject = [this](const Type* t) {
        const TypeKind kind = types_.withoutNil(t)->kind;
        return kind == TypeKind::Class || kind == TypeKind::Interface;
    };
    if (!isObject(n->left->type) && !isObject(n->right->type)) return nullptr;
    TExpr* operands[2];
    TStmt* declared[2];
    for (int i = 0; i < 2; i++) {
        TExpr* const value = i == 0 ? n->left : n->right;
        auto* held = program_.arena.make<SemaVar>();
        held->type = value->type;
        held->owner = owner_;
        held->index = owner_->variableCount++;
        held->isAssigned = true;
        auto* declare = make<TLocalDecl>(value->loc);
        declare->variable = held;
        declare->init = value;
        declared[i] = declare;
        auto* get = make<TVarGet>(value->type, value->loc);
        get->variable = held;
        get->checked = false;
        operands[i] = get;
    }
    TExpr* called = rules_.compareObjects(n->op, operands[0], operands[1], n->loc, *owner_);
    if (!called) return nullptr;
    Copy* const copy = copy_;
    copy_ = nullptr;  // what has been built names the functions of generic classes as the checker does
    called = expr(called);
    copy_ = copy;
    auto* let = make<TLet>(called->type, n->loc);
    let->stmts = program_.arena.makeList<TStmt*>(declared);
    let->result = called;
    return let;
}

// ---- Expressions ----------------------------------------------------------------------------------------------------

TExpr* Instantiator::call(TCall* written) {
    TCall* n = own(written);
    n->callee = expr(n->callee);
    n->args = exprs(n->args);
    n->extras = exprs(n->extras);
    n->pack = expr(n->pack);
    n->results = types(n->results);
    n->typeArgument = type(n->typeArgument);
    n->variadicElement = type(n->variadicElement);
    n->methodOwner = type(n->methodOwner);
    n->typeArguments = types(n->typeArguments);
    if (n->callKind == CallKind::Function) {
        n->function = function(n->function, n->typeArguments, n->loc);
        if (!n->typeArguments.empty() && !n->function->captures.empty()) {
            // No variable holds the closure of a generic function: it is made where it is used.
            auto* closure = make<TClosure>(n->function->type, n->loc);
            closure->function = n->function;
            n->callKind = CallKind::Closure;
            n->callee = closure;
            n->function = nullptr;
        }
    }
    n->typeArguments = {};
    return n;
}

TExpr* Instantiator::expr(TExpr* e) {
    if (!e) return nullptr;
    switch (e->kind) {
        case TExprKind::NilConst: return own(e->as<TNilConst>());
        case TExprKind::BoolConst: return own(e->as<TBoolConst>());
        case TExprKind::NumberConst: return own(e->as<TNumberConst>());
        case TExprKind::IntegerConst: return own(e->as<TIntegerConst>());
        case TExprKind::StringConst: return own(e->as<TStringConst>());
        case TExprKind::VarGet: {
            auto* n = own(e->as<TVarGet>());
            n->variable = variable(n->variable);
            n->checked = n->checked && n->variable->needsInitCheck;
            return n;
        }
        case TExprKind::FuncRef: {
            auto* n = own(e->as<TFuncRef>());
            const List<const Type*> args = types(n->typeArguments);
            n->function = function(n->function, args, n->loc);
            n->typeArguments = {};
            if (args.empty() || n->function->captures.empty()) return n;
            auto* closure = make<TClosure>(n->type, n->loc);
            closure->function = n->function;
            return closure;
        }
        case TExprKind::BuiltinRef: return own(e->as<TBuiltinRef>());
        case TExprKind::Unary: {
            auto* n = own(e->as<TUnary>());
            n->operand = expr(n->operand);
            return n;
        }
        case TExprKind::Binary: return binaryChain(e);
        case TExprKind::Compare: return compare(e->as<TCompare>());
        case TExprKind::Not: {
            auto* n = own(e->as<TNot>());
            n->operand = expr(n->operand);
            return n;
        }
        case TExprKind::Logical: return logicalChain(e);
        case TExprKind::Truthy: {
            auto* n = own(e->as<TTruthy>());
            n->operand = expr(n->operand);
            return isBoolean(n->operand->type) ? n->operand : n;
        }
        case TExprKind::Concat: {
            auto* n = own(e->as<TConcat>());
            n->parts = exprs(n->parts);
            return n;
        }
        case TExprKind::ToString: {
            auto* n = own(e->as<TToString>());
            n->operand = expr(n->operand);
            return isString(n->operand->type) ? n->operand : n;
        }
        case TExprKind::Length: {
            auto* n = own(e->as<TLength>());
            n->operand = expr(n->operand);
            return n;
        }
        case TExprKind::Conditional: {
            auto* n = own(e->as<TConditional>());
            n->condition = expr(n->condition);
            n->then = expr(n->then);
            n->otherwise = expr(n->otherwise);
            return n;
        }
        case TExprKind::Let: {
            auto* n = own(e->as<TLet>());
            n->stmts = list(n->stmts, [this](TStmt* s) { return stmt(s); });
            n->result = expr(n->result);
            return n;
        }
        case TExprKind::Call: return call(e->as<TCall>());
        case TExprKind::Vararg: return own(e->as<TVararg>());
        case TExprKind::VarargAt: return own(e->as<TVarargAt>());
        case TExprKind::PackCount: {
            auto* n = own(e->as<TPackCount>());
            n->pack = expr(n->pack);
            return n;
        }
        case TExprKind::PackSelect: {
            auto* n = own(e->as<TPackSelect>());
            n->from = expr(n->from);
            n->pack = expr(n->pack);
            return n;
        }
        case TExprKind::IterTriplet: {
            auto* n = own(e->as<TIterTriplet>());
            n->operand = expr(n->operand);
            return n;
        }
        case TExprKind::ArrayGet: {
            auto* n = own(e->as<TArrayGet>());
            n->array = expr(n->array);
            n->index = expr(n->index);
            return n;
        }
        case TExprKind::TableGet: {
            auto* n = own(e->as<TTableGet>());
            n->table = expr(n->table);
            n->key = expr(n->key);
            if (copy_) n->checked = n->checked && !as<TableType>(n->table->type)->value->admitsNil;
            return n;
        }
        case TExprKind::RecordGet: {
            auto* n = own(e->as<TRecordGet>());
            n->record = expr(n->record);
            return n;
        }
        case TExprKind::IndexDyn: {
            auto* n = own(e->as<TIndexDyn>());
            n->object = expr(n->object);
            n->key = expr(n->key);
            return n;
        }
        case TExprKind::MemberDyn: {
            auto* n = own(e->as<TMemberDyn>());
            n->object = expr(n->object);
            return n;
        }
        case TExprKind::ObjectNew: {
            auto* n = own(e->as<TObjectNew>());
            n->ready = expr(n->ready);
            n->args = exprs(n->args);
            n->extras = exprs(n->extras);
            n->pack = expr(n->pack);
            at_ = n->loc;
            see(n->type);
            n->constructor = function(n->constructor, types(n->typeArguments), n->loc);
            n->typeArguments = {};
            return n;
        }
        case TExprKind::FieldGet: {
            auto* n = own(e->as<TFieldGet>());
            n->object = expr(n->object);
            n->owner = as<ClassType>(type(n->owner));
            return n;
        }
        case TExprKind::BoundMethod: {
            auto* n = own(e->as<TBoundMethod>());
            n->object = expr(n->object);
            n->methodOwner = type(n->methodOwner);
            n->function = function(n->function, types(n->typeArguments), n->loc);
            n->typeArguments = {};
            return n;
        }
        case TExprKind::ClassRef: {
            auto* n = own(e->as<TClassRef>());
            n->classType = as<ClassType>(type(n->classType));
            return n;
        }
        case TExprKind::Convert: return convert(e->as<TConvert>());
        case TExprKind::TypeTest: {
            auto* n = own(e->as<TTypeTest>());
            n->operand = expr(n->operand);
            n->testType = type(n->testType);
            const Rep rep = n->operand->type->rep;
            if (rep != Rep::Ref && rep != Rep::Box)
                n->operand = convertNode(ConvertKind::Widen, CheckReason::Cast, n->operand, types_.any());
            return n;
        }
        case TExprKind::Closure: {
            auto* n = own(e->as<TClosure>());
            n->function = function(n->function, {}, n->loc);
            return n;
        }
        case TExprKind::ArrayLit: {
            auto* n = own(e->as<TArrayLit>());
            n->elements = exprs(n->elements);
            n->pack = expr(n->pack);
            return n;
        }
        case TExprKind::TableLit: {
            auto* n = own(e->as<TTableLit>());
            n->entries = list(n->entries, [this](TTableEntry entry) { return TTableEntry{expr(entry.key), expr(entry.value)}; });
            return n;
        }
        case TExprKind::RecordLit: {
            auto* n = own(e->as<TRecordLit>());
            n->inits = list(n->inits, [this](TFieldInit init) { return TFieldInit{init.field, expr(init.value)}; });
            return n;
        }
        case TExprKind::GlobalGet: return own(e->as<TGlobalGet>());
        case TExprKind::LuaTableLit: {
            auto* n = own(e->as<TLuaTableLit>());
            n->items = list(n->items, [this](TLuaItem item) { return TLuaItem{expr(item.key), expr(item.value)}; });
            n->pack = expr(n->pack);
            return n;
        }
    }
    LUAPP_UNREACHABLE("kind of typed expression");
}

// ---- Statements -----------------------------------------------------------------------------------------------------

TBlock* Instantiator::block(TBlock* b) {
    if (!b) return nullptr;
    TBlock* n = own(b);
    n->stmts = list(n->stmts, [this](TStmt* s) { return stmt(s); });
    return n;
}

/// Jumps to a label of a copy stay in the copy.
TLabel* Instantiator::label(TLabel* l) {
    if (!copy_) return l;
    auto [known, isNew] = copy_->labels.try_emplace(l, nullptr);
    if (isNew) known->second = own(l);
    return known->second;
}

TStmt* Instantiator::stmt(TStmt* s) {
    switch (s->kind) {
        case TStmtKind::ExprStmt: {
            auto* n = own(s->as<TExprStmt>());
            n->expr = expr(n->expr);
            return n;
        }
        case TStmtKind::LocalDecl: {
            auto* n = own(s->as<TLocalDecl>());
            if (n->variable->range.isValid()) at_ = n->variable->range.begin;
            if (!copy_) see(n->variable->type);
            n->init = expr(n->init);
            n->variable = variable(n->variable);
            return n;
        }
        case TStmtKind::MultiBind: {
            auto* n = own(s->as<TMultiBind>());
            n->source = expr(n->source);
            n->variables = variables(n->variables);
            return n;
        }
        case TStmtKind::Assign: {
            auto* n = own(s->as<TAssign>());
            n->variable = variable(n->variable);
            n->value = expr(n->value);
            return n;
        }
        case TStmtKind::ArraySet: {
            auto* n = own(s->as<TArraySet>());
            n->array = expr(n->array);
            n->index = expr(n->index);
            n->value = expr(n->value);
            return n;
        }
        case TStmtKind::TableSet: {
            auto* n = own(s->as<TTableSet>());
            n->table = expr(n->table);
            n->key = expr(n->key);
            n->value = expr(n->value);
            return n;
        }
        case TStmtKind::RecordSet: {
            auto* n = own(s->as<TRecordSet>());
            n->record = expr(n->record);
            n->value = expr(n->value);
            return n;
        }
        case TStmtKind::FieldSet: {
            auto* n = own(s->as<TFieldSet>());
            n->object = expr(n->object);
            n->owner = as<ClassType>(type(n->owner));
            n->value = expr(n->value);
            return n;
        }
        case TStmtKind::SetIndexDyn: {
            auto* n = own(s->as<TSetIndexDyn>());
            n->object = expr(n->object);
            n->key = expr(n->key);
            n->value = expr(n->value);
            return n;
        }
        case TStmtKind::SetMemberDyn: {
            auto* n = own(s->as<TSetMemberDyn>());
            n->object = expr(n->object);
            n->value = expr(n->value);
            return n;
        }
        case TStmtKind::Block: return block(s->as<TBlock>());
        case TStmtKind::If: return ifChain(s->as<TIf>());
        case TStmtKind::While: {
            auto* n = own(s->as<TWhile>());
            n->condition = expr(n->condition);
            n->body = block(n->body);
            return n;
        }
        case TStmtKind::Repeat: {
            auto* n = own(s->as<TRepeat>());
            n->body = block(n->body);
            n->condition = expr(n->condition);
            return n;
        }
        case TStmtKind::NumericFor: {
            auto* n = own(s->as<TNumericFor>());
            n->start = expr(n->start);
            n->limit = expr(n->limit);
            n->step = expr(n->step);
            n->variable = variable(n->variable);
            n->body = block(n->body);
            return n;
        }
        case TStmtKind::ForArray: {
            auto* n = own(s->as<TForArray>());
            n->array = expr(n->array);
            n->index = variable(n->index);
            n->value = variable(n->value);
            n->body = block(n->body);
            return n;
        }
        case TStmtKind::ForTable: {
            auto* n = own(s->as<TForTable>());
            n->table = expr(n->table);
            n->key = variable(n->key);
            n->value = variable(n->value);
            n->body = block(n->body);
            return n;
        }
        case TStmtKind::ForString: {
            auto* n = own(s->as<TForString>());
            n->string = expr(n->string);
            n->index = variable(n->index);
            n->value = variable(n->value);
            n->body = block(n->body);
            return n;
        }
        case TStmtKind::Break: return own(s->as<TBreak>());
        case TStmtKind::Continue: return own(s->as<TContinue>());
        case TStmtKind::Return: {
            auto* n = own(s->as<TReturn>());
            n->values = exprs(n->values);
            n->pack = expr(n->pack);
            return n;
        }
        case TStmtKind::GlobalSet: {
            auto* n = own(s->as<TGlobalSet>());
            n->value = expr(n->value);
            return n;
        }
        case TStmtKind::LuaFor: {
            auto* n = own(s->as<TLuaFor>());
            n->start = expr(n->start);
            n->limit = expr(n->limit);
            n->step = expr(n->step);
            n->variable = variable(n->variable);
            n->body = block(n->body);
            return n;
        }
        case TStmtKind::LuaForIn: {
            auto* n = own(s->as<TLuaForIn>());
            n->function = expr(n->function);
            n->state = expr(n->state);
            n->control = expr(n->control);
            n->variables = variables(n->variables);
            n->body = block(n->body);
            return n;
        }
        case TStmtKind::Label: return label(s->as<TLabel>());
        case TStmtKind::Goto: {
            auto* n = own(s->as<TGoto>());
            n->label = label(n->label);
            return n;
        }
    }
    LUAPP_UNREACHABLE("kind of typed statement");
}

/// `elseif`s nest in the else branch, by the thousand where somebody has written that many.
TStmt* Instantiator::ifChain(TIf* first) {
    TIf* const head = own(first);
    for (TIf* n = head;;) {
        n->condition = expr(n->condition);
        n->then = block(n->then);
        TBlock* otherwise = n->otherwise;
        if (!otherwise || otherwise->stmts.count != 1 || otherwise->stmts[0]->kind != TStmtKind::If) {
            n->otherwise = block(otherwise);
            return head;
        }
        n->otherwise = own(otherwise);
        TIf* next = own(otherwise->stmts[0]->as<TIf>());
        TStmt* const only[] = {next};
        n->otherwise->stmts = program_.arena.makeList<TStmt*>(only);
        n = next;
    }
}

}  // namespace luapp::sema
