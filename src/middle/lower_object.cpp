// Lowering of what is done with objects, and of the functions that classes need besides those of the program.
#include <limits>

#include "middle/lower_impl.h"

namespace luapp::ir {

// --- generated functions -----------------------------------------------------------------------------------------

void FunctionLowering::lowerObjectCode(ProgramLowering::Form form, const ObjectCode& code) {
    using Form = ProgramLowering::Form;
    b_.setLoc(b_.function().loc);
    switch (form) {
        case Form::Allocator: lowerAllocator(code); break;
        case Form::Maker: lowerMaker(code); break;
        case Form::MakerDynamic: lowerMakerDynamic(code); break;
        case Form::MethodAdapter:
            if (code.form == kDynamicForm) {
                lowerDynamicMethodAdapter(code);
            } else {
                lowerMethodAdapter(code);
            }
            break;
        case Form::Reader: b_.ret(readField(b_.param(0), code.cls->type, code.field)); break;
        case Form::Writer:
            writeField(b_.param(0), code.cls->type, code.field, b_.param(1));
            b_.ret();
            break;
        case Form::Bound:
        case Form::BoundDynamic: lowerBound(code); break;
        case Form::Body:
        case Form::Short:
        case Form::Dynamic:
        case Form::Adapter: LUAPP_UNREACHABLE("no function of a class");
    }
    b_.finish();
}

/// Puts into the fields of `cls` what all zeros do not mean: nil in boxes, "unset" where it can be asked for.
void FunctionLowering::startFields(const sema::TypedClass& cls, Value object) {
    const ClassLayout& layout = program_.classes().layout();
    for (uint32_t i = 0; i < cls.fields.count; i++) {
        const sema::TypedField& f = cls.fields[i];
        Value word = nullptr;
        switch (repOf(f.type)) {
            case Rep::Box:
                if (f.mayBeUnset) {
                    word = b_.absent();
                } else if (f.type->admitsNil) {
                    word = b_.nil();
                }
                break;
            case Rep::F64:
                if (f.mayBeUnset) word = b_.absent();
                break;
            case Rep::I64:
            case Rep::Bool:
                if (f.mayBeUnset) word = b_.i64(int64_t(base::unsetWord(repOf(f.type))));
                break;
            case Rep::Ref:
            case Rep::Void:
            case Rep::Pack: break;
        }
        if (word) b_.op(Op::FieldInit, {object, word}, layout.fieldWord(cls.type, i));
    }
}

/// LANGUAGE 6: the initialisers of all classes of the object run before any constructor, bases first.
void FunctionLowering::lowerAllocator(const ObjectCode& code) {
    const sema::TypedClass& cls = *code.cls;
    const ClassLayout& layout = program_.classes().layout();
    Value object = b_.op(Op::ObjNew, {}, program_.typeIndex(cls.type), layout.instanceWords(layout.indexOf(cls.type)));
    for (size_t i = cls.ancestors.count; i-- > 0;) startFields(*cls.ancestors[i], object);
    for (size_t i = cls.ancestors.count; i-- > 0;) {
        if (const TypedFunction* fn = cls.ancestors[i]->initializer) {
            b_.call(program_.functionOf(fn), nullptr, {&object, 1}, 0, Rep::Void);
        }
    }
    b_.ret(object);
}

void FunctionLowering::lowerMaker(const ObjectCode& code) {
    Value object = b_.call(program_.classes().allocator(code.cls->type), nullptr, {}, 0, Rep::Ref);
    if (code.function) {
        std::vector<Value> operands{object};
        for (uint32_t i = 0; i < code.type->params.count; i++) operands.push_back(b_.param(i));
        if (code.type->vararg) operands.push_back(b_.op(Op::VarargAll, {}));
        b_.call(program_.functionOf(code.function), nullptr, operands, 0, Rep::Void);
    }
    b_.ret(object);
}

/// Arguments come boxed: the dynamic entry of the constructor checks them and fills in its defaults.
void FunctionLowering::lowerMakerDynamic(const ObjectCode& code) {
    Value object = b_.call(program_.classes().allocator(code.cls->type), nullptr, {}, 0, Rep::Ref);
    std::vector<Value> operands{box(object, code.cls->type)};
    for (uint32_t i = 0; i < code.type->params.count; i++) operands.push_back(b_.param(i));
    if (code.type->vararg) operands.push_back(b_.op(Op::VarargAll, {}));
    b_.call(program_.functionOf(code.function)->dynamicEntry, nullptr, operands, 0, Rep::Void);
    b_.ret(object);
}

/// Returns what a call of a function of type `from` gave, as a function of type `to` does.
void FunctionLowering::returnCall(Value call, const sema::FunctionType* from, const sema::FunctionType* to) {
    const bool packed = call->rep == Rep::Pack;
    if (to->variadicResult && packed) return b_.retPack({&call, 1});
    const Type* any = program_.types().any();
    std::vector<Value> results;
    for (uint32_t i = 0; i < to->results.count; i++) {
        const Type* type = i < from->results.count ? from->results[i] : any;
        const Rep rep = repOf(type);
        if (packed) {
            Value v = b_.op(Op::PackGet, {call}, i);
            results.push_back(rep == Rep::Box ? v : unboxKnown(v, type));
        } else {
            results.push_back(i == 0 ? call : b_.typed(Op::Result, rep, {call}, i));
        }
    }
    for (uint32_t i = 0; i < to->results.count; i++) {
        const Type* type = i < from->results.count ? from->results[i] : any;
        results[i] = to->variadicResult ? box(results[i], type) : widen(results[i], type, to->results[i]);
    }
    if (to->variadicResult) {
        b_.retPack(results);
    } else {
        b_.ret(results);
    }
}

namespace {

Rep resultRep(const sema::FunctionType* type) {
    return type->variadicResult ? Rep::Pack : type->results.empty() ? Rep::Void : repOf(type->results[0]);
}

}  // namespace

void FunctionLowering::lowerMethodAdapter(const ObjectCode& code) {
    const sema::FunctionType* own = code.function->type;
    std::vector<Value> operands{b_.param(0)};
    for (uint32_t i = 0; i < code.form; i++) operands.push_back(widen(b_.param(i + 1), code.type->params[i], own->params[i + 1]));
    if (b_.function().isVararg && code.callee->isVararg) operands.push_back(b_.op(Op::VarargAll, {}));
    returnCall(b_.call(code.callee, nullptr, operands, 0, resultRep(own)), own, code.type);
}

/// The object raw, the rest boxed and perhaps absent.
void FunctionLowering::lowerDynamicMethodAdapter(const ObjectCode& code) {
    const sema::FunctionType* own = code.function->type;
    Function* whole = program_.functionOf(code.function);
    Function* callee = whole->dynamicEntry ? whole->dynamicEntry : whole;
    std::vector<Value> operands{whole->dynamicEntry ? box(b_.param(0), own->params[0]) : b_.param(0)};
    for (uint32_t i = 0; i < code.type->params.count; i++) {
        Value arg = b_.param(i + 1);
        if (!whole->dynamicEntry) arg = checked(arg, program_.types().any(), own->params[i + 1], sema::CheckReason::Argument);
        operands.push_back(arg);
    }
    if (callee->isVararg) operands.push_back(b_.op(Op::VarargAll, {}));
    returnCall(b_.call(callee, nullptr, operands, 0, resultRep(own)), own, code.type);
}

/// The object is the only capture.
void FunctionLowering::lowerBound(const ObjectCode& code) {
    Value object = b_.typed(Op::CaptureGet, Rep::Ref, {}, 0);
    const bool isVirtual = code.method != ~0u;
    const bool takesBox = !isVirtual && code.callee->params[0] == Rep::Box;
    std::vector<Value> operands{takesBox ? box(object, code.function->type->params[0]) : object};
    for (uint32_t i = 0; i < code.type->params.count; i++) operands.push_back(b_.param(i));
    if (b_.function().isVararg) operands.push_back(b_.op(Op::VarargAll, {}));
    const Rep rep = resultRep(code.type);
    Value call = isVirtual ? b_.typed(Op::CallMethod, rep, operands, code.method, 0) : b_.call(code.callee, nullptr, operands, 0, rep);
    returnCall(call, code.type, code.type);
}

// --- objects -----------------------------------------------------------------------------------------------------

/// Evaluates the name of a class, which raises if its statement has not run.
void FunctionLowering::checkReady(const TExpr* ready, const Type* type) {
    if (ready->kind != TExprKind::VarGet) {
        lower(ready);
        return;
    }
    auto* get = ready->as<sema::TVarGet>();
    if (!get->checked || !get->variable->needsInitCheck) return;
    b_.setLoc(ready->loc);
    checkSet(get->variable, storedWord(get->variable), type);
}

Value FunctionLowering::lowerObjectNew(const sema::TObjectNew* e) {
    if (e->ready) checkReady(e->ready, e->type);
    auto* type = sema::as<sema::ClassType>(e->type);
    std::vector<Value> args;
    for (const TExpr* arg : e->args) args.push_back(lower(arg));
    for (const TExpr* extra : e->extras) args.push_back(box(lower(extra), extra->type));
    if (e->pack) {
        // A pack does not outlive another call: the maker takes it.
        args.push_back(lowerPack(e->pack));
        b_.setLoc(e->loc);
        return b_.call(program_.classes().maker(type, e->constructor), nullptr, args, e->extras.count, Rep::Ref);
    }
    b_.setLoc(e->loc);
    Value object = b_.call(program_.classes().allocator(type), nullptr, {}, 0, Rep::Ref);
    if (!e->constructor) return object;
    args.insert(args.begin(), object);
    callFunction(e->constructor, nullptr, std::move(args), e->args.count + 1, e->extras.count, Rep::Void);
    return object;
}

Value FunctionLowering::readField(Value object, const sema::ClassType* owner, uint32_t field) {
    const ClassLayout& layout = program_.classes().layout();
    const sema::TypedField& f = layout.classOf(owner).fields[field];
    const uint32_t word = layout.fieldWord(owner, field);
    const Rep rep = repOf(f.type);
    const uint32_t type = program_.valueType(owner);
    Value value = b_.typed(Op::FieldGet, rep, {object}, word, type);
    if (!f.mayBeUnset) return value;
    Value isUnset = nullptr;
    switch (rep) {
        case Rep::Ref: isUnset = b_.op(Op::IsNull, {value}); break;
        case Rep::Box: isUnset = b_.op(Op::EqI, {value, b_.absent()}); break;
        case Rep::F64: isUnset = b_.op(Op::EqI, {b_.op(Op::BoxF, {value}), b_.absent()}); break;
        case Rep::I64: isUnset = b_.op(Op::EqI, {value, b_.i64(int64_t(base::unsetWord(rep)))}); break;
        case Rep::Bool: {
            Value bits = b_.typed(Op::FieldGet, Rep::I64, {object}, word, type);
            isUnset = b_.op(Op::EqI, {bits, b_.i64(int64_t(base::unsetWord(rep)))});
            break;
        }
        case Rep::Void:
        case Rep::Pack: LUAPP_UNREACHABLE("no field of this representation");
    }
    Block* unset = b_.newBlock();
    Block* set = b_.newBlock();
    b_.br(isUnset, unset, set);
    b_.startSealed(unset);
    b_.raise(uint32_t(RuntimeError::FieldUnset), box(b_.str(program_.text(f.name)), program_.types().string()));
    b_.startSealed(set);
    return value;
}

void FunctionLowering::writeField(Value object, const sema::ClassType* owner, uint32_t field, Value value) {
    b_.op(Op::FieldSet, {object, value}, program_.classes().layout().fieldWord(owner, field), program_.valueType(owner));
}

Value FunctionLowering::lowerBoundMethod(const sema::TBoundMethod* e) {
    Value object = lower(e->object);
    b_.setLoc(e->loc);
    ClassLowering& classes = program_.classes();
    if (!e->function && !classes.methodType(e->methodOwner, e->method)) {
        b_.unreachable();  // no class has it, so there is no object
        return b_.null();
    }
    auto* type = sema::as<sema::FunctionType>(e->type);
    Function* thunk = classes.boundMethod(e->methodOwner, e->method, e->function, type);
    return b_.closure(thunk, {&object, 1});
}

Value FunctionLowering::lowerClassRef(const sema::TClassRef* e) {
    program_.classes().useAsValue(e->classType);
    return b_.op(Op::ConstClass, {}, program_.typeIndex(e->classType));
}

/// A call by the class of the object. With fewer arguments than parameters, each answering method takes its own defaults.
Value FunctionLowering::lowerMethodCall(const sema::TCall* call, Rep rep) {
    std::vector<Value> operands = lowerArgs(call, false);
    ClassLowering& classes = program_.classes();
    const sema::FunctionType* type = classes.methodType(call->methodOwner, call->method);
    if (!type) {
        b_.unreachable();  // no class has the method, so there is no object
        return rep == Rep::Void ? nullptr : b_.zero(rep);
    }
    uint32_t given = call->args.count - 1;
    bool allAdmitNil = true;
    for (uint32_t i = given; i < type->params.count; i++) allAdmitNil &= type->params[i]->admitsNil;
    if (allAdmitNil) {
        for (; given < type->params.count; given++) operands.push_back(b_.zero(repOf(type->params[given])));
    }
    const uint32_t method = classes.method(call->methodOwner, call->method, given);
    return b_.typed(Op::CallMethod, rep, operands, method, call->extras.count);
}

}  // namespace luapp::ir
