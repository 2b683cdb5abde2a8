// What the source calls the operands of dynamic operations (runtime/bytecode/note.h): for messages like "attempt to index local 'x'
// (a nil value)" and for the names of functions in stack traces. As in Lua 5.1 a name is known where the operand is a variable, a
// global, a field with a constant name or a method; anything else has none.
#include "middle/lower_impl.h"

namespace luapp::ir {

OperandName FunctionLowering::named(bc::NameKind kind, std::string_view name) {
    return {kind, program_.module().addString(name)};
}

OperandName FunctionLowering::nameOfVariable(const Variable* v) {
    const std::string_view name = program_.text(v->name);
    if (name.empty()) {
        // A temporary is called what its value is called.
        auto init = temporaries_.find(v);
        return init == temporaries_.end() ? OperandName{} : nameOf(init->second);
    }
    return named(isHere(v) ? bc::NameKind::Local : bc::NameKind::Upvalue, name);
}

OperandName FunctionLowering::nameOf(const TExpr* e) {
    for (;;) {
        switch (e->kind) {
            case TExprKind::Convert: e = e->as<sema::TConvert>()->operand; continue;
            case TExprKind::Let: e = e->as<sema::TLet>()->result; continue;
            case TExprKind::VarGet: return nameOfVariable(e->as<sema::TVarGet>()->variable);
            case TExprKind::FuncRef: {
                const TypedFunction* fn = e->as<sema::TFuncRef>()->function;
                return fn->variable ? nameOfVariable(fn->variable) : OperandName{};
            }
            case TExprKind::GlobalGet: return named(bc::NameKind::Global, program_.text(e->as<sema::TGlobalGet>()->name));
            case TExprKind::MemberDyn: {
                auto* get = e->as<sema::TMemberDyn>();
                return named(get->isMethod ? bc::NameKind::Method : bc::NameKind::Field, program_.text(get->name));
            }
            case TExprKind::IndexDyn: {
                const TExpr* key = e->as<sema::TIndexDyn>()->key;
                while (key->kind == TExprKind::Convert) key = key->as<sema::TConvert>()->operand;
                const bool isName = key->kind == TExprKind::StringConst;
                return named(bc::NameKind::Field, isName ? key->as<sema::TStringConst>()->value : "?");
            }
            default: return {};
        }
    }
}

Value FunctionLowering::dynamicOp(Op op, std::initializer_list<Value> operands, Loc loc, bc::NoteUse use, OperandName first,
                                  OperandName second, int64_t imm) {
    NotedPlace place(*this, loc, use, first, second);
    return b_.op(op, operands, imm);
}

FunctionLowering::NotedPlace::NotedPlace(FunctionLowering& lowering, Loc loc, bc::NoteUse use, OperandName first, OperandName second)
    : b_(lowering.b_), loc_(loc) {
    const bool isNamed = first.kind != bc::NameKind::None || second.kind != bc::NameKind::None;
    if (isNamed || use == bc::NoteUse::TailCall) {
        b_.setNote({loc, use, {first, second}});
    } else {
        b_.setLoc(loc);
    }
}

FunctionLowering::NotedPlace::NotedPlace(FunctionLowering& lowering, Loc loc, std::span<const OperandName> names)
    : b_(lowering.b_), loc_(loc) {
    const auto nameAt = [&](size_t i) { return i < names.size() ? names[i] : OperandName{}; };
    Module& module = b_.function().module();
    uint32_t further = 0;
    // From the last pair on: each note says which one is next.
    for (size_t i = (names.size() + 1) / 2 * 2; i > 2; i -= 2) {
        const Note note{loc, bc::NoteUse::Operate, {nameAt(i - 2), nameAt(i - 1)}, further};
        if (!note.hasNames()) continue;
        module.addNote(note);
        further = static_cast<uint32_t>(module.notes.size());
    }
    const Note first{loc, bc::NoteUse::Operate, {nameAt(0), nameAt(1)}, further};
    if (first.hasNames()) b_.setNote(first);
    else b_.setLoc(loc);
}

FunctionLowering::NotedPlace::~NotedPlace() { b_.setLoc(loc_); }

}  // namespace luapp::ir
