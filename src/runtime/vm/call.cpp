#include "runtime/vm/call.h"

#include <cmath>
#include <cstring>

#include "runtime/vm/builtin_plan.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/class_desc.h"
#include "runtime/vm/convert.h"
#include "runtime/vm/levels.h"
#include "runtime/vm/load.h"
#include "runtime/vm/meta.h"

namespace luapp::rt {

namespace {

/// Distance from a pseudo frame to the real one above it.
constexpr uint32_t kPseudoSlots = 5;

/// State.frame, pc and top, put back when a nested call returns (not when it raises: handlers do that).
struct SavedRegisters {
    Word* frame;
    const Insn* pc;
    Word* top;

    explicit SavedRegisters(State& s) : frame(s.frame), pc(s.pc), top(s.top) {}
    void restore(State& s) const {
        s.frame = frame;
        s.pc = pc;
        s.top = top;
    }
};

/// interpret() in an activation. Not inline, so that the call is made with the stack pointer that is read.
LUAPP_NOINLINE void runInterpreter(State& s, const Transfer& t) {
    // The return address and the registers that interpret() saves first; it may align its frame under a sanitizer.
    constexpr size_t kSavedBytes = LUAPP_ASAN ? 256 : 7 * sizeof(Word);
    char* stackPointer;
    asm volatile("mov %%rsp, %0" : "=r"(stackPointer));
    ExecContext& context = *s.context;
    Activation activation{context.activation, stackPointer, stackPointer - kSavedBytes};
    context.activation = &activation;
    interpret(s, t.pc, t.R, t.K);
    context.activation = activation.outer;
}

void checkRoom(State& s, Word* frame, uint64_t slots) {
    if (LUAPP_UNLIKELY(frame + slots >= s.stackLimit.load(std::memory_order_relaxed))) {
        if (frame + slots >= s.context->stackEnd - kStackHeadroom) raiseStackOverflow(s);
        s.stackCheckFailed(frame);
    }
}

/// A dynamic call by C++: what is called is a library function called by another one, until code of a program runs.
struct NativeCall {
    State& s;
    bool before;

    explicit NativeCall(State& state) : s(state), before(state.isCalledByBuiltin) { s.isCalledByBuiltin = true; }
    void runsProgram() { s.isCalledByBuiltin = false; }
    void finish() { s.isCalledByBuiltin = before; }
};

/// Opens a nested frame for `count` arguments and writes its links; returns its register 0.
Word* openNested(State& s, Closure* f, uint64_t count) {
    checkNativeStack(s);
    Word* n = nestedBase(s) + 4;
    checkRoom(s, n, count + 8);
    n[-4] = reinterpret_cast<Word>(s.pc);
    n[-3] = reinterpret_cast<Word>(kExitStub);
    n[-2] = reinterpret_cast<Word>(s.frame);
    n[-1] = wordOf(f);
    return n;
}

Word firstOfPack(const State& s) { return s.resultCount != 0 ? s.results[0] : kNilBox; }

/// Raises what is wrong with argument `k` of a member of a class, in words that name it.
[[noreturn]] LUAPP_COLD void raiseMemberArgument(State& s, const Function& f, const TypeDesc* type, std::string_view got, uint32_t k) {
    std::string_view name = f.program->chunk.symbol(f.proto->name);
    bool isMethod = f.role == FunctionRole::Method;
    if (isMethod && k == 0) raise(s, ErrorKind::BadSelf, name, type, got);
    raise(s, ErrorKind::BadTypedArgument, isMethod ? k : k + 1, name, type, got);
}

/// The argument for parameter `k` as raw word. `f` is the function if it is a program's.
Word convertArgument(State& s, const Function* f, const TypeDesc* signature, const Word* args, uint32_t count, uint32_t k) {
    const TypeDesc* type = signature->parts[k];
    bool isMember = f != nullptr && f->role != FunctionRole::Plain;
    if (k >= count && !type->acceptsNil) {
        if (isMember) raiseMemberArgument(s, *f, type, "no value", k);
        raise(s, ErrorKind::ArgumentMissing, k + 1, type);
    }
    Value v = k < count ? Value::fromWord(args[k]) : Value::nil();
    Word out;
    if (tryConvert(s, v, type, out)) return out;
    if (isMember) raiseMemberArgument(s, *f, type, typeNameOf(s, v), k);
    raiseMismatch(s, v, type, bc::CheckKind::Argument, k + 1);
}

/// Checks boxed extra arguments, the first of which is argument `from`. `f` is the function if it is a program's.
void checkExtras(State& s, const Function* f, const TypeDesc* signature, Word* extras, uint32_t from, uint32_t count) {
    if (signature == nullptr || signature->vararg == nullptr || signature->vararg->kind == TypeKind::Any) return;
    for (uint32_t k = 0; k < count; ++k) {
        Word out;
        Value v = Value::fromWord(extras[k]);
        if (!tryConvert(s, v, signature->vararg, out)) {
            if (f != nullptr && f->role != FunctionRole::Plain) raiseMemberArgument(s, *f, signature->vararg, typeNameOf(s, v), from + k);
            raiseMismatch(s, v, signature->vararg, bc::CheckKind::Argument, from + k + 1);
        }
        extras[k] = boxTyped(out, signature->vararg).word();
    }
}

/// The signature by which a builtin's boxed arguments are converted; null: it takes them as they are.
const TypeDesc* builtinSignatureFor(State& s, const Closure* f, const Word* args, uint32_t count) {
    bool isLibrary = !f->isAdapter() && f->builtinIndex() >= 0 && f->aux != 0;
    if (isLibrary && s.builtins->signature != nullptr)
        return s.builtins->signature(s, static_cast<uint32_t>(f->builtinIndex()), args, count);
    return f->aux != 0 ? s.types.at(f->aux) : nullptr;
}

/// Raises, in Lua's words, what is wrong with boxed argument `k` of a library function; `self` of a member does not count.
[[noreturn]] LUAPP_COLD void raiseBuiltinArgument(State& s, uint32_t index, const TypeDesc* signature, const Word* args,
                                                  uint32_t count, uint32_t k) {
    const TypeDesc* type = k < signature->paramCount() ? signature->parts[k] : signature->vararg;
    std::string_view name = s.builtins->names[index];
    TypeKind first = signature->paramCount() > 0 ? signature->parts[0]->kind : TypeKind::Any;
    bool isMember = (name.starts_with("Array.") && first == TypeKind::Array) ||
                    (name.starts_with("Table.") && first == TypeKind::Table) || name.starts_with("File.");
    name.remove_prefix(name.rfind('.') + 1);
    // Of a method call the object does not count either, which raise() sees to.
    const bool isMethodCall = calledName(s, name).kind == bc::NameKind::Method;
    uint32_t position = isMember && k > 0 && !isMethodCall ? k : k + 1;
    if (k >= count && type->kind == TypeKind::Any) raise(s, ErrorKind::BadArgument, position, name, "value expected");
    Value v = k < count ? Value::fromWord(args[k]) : Value::nil();
    if (type->kind == TypeKind::Integer && v.isNumber())
        raise(s, ErrorKind::BadArgument, position, name, "number has no integer representation");
    bool isPlain = type->kind == TypeKind::Integer || type->kind == TypeKind::Number || type->kind == TypeKind::String;
    std::string_view expected = type->kind == TypeKind::Integer ? std::string_view("number") : std::string_view(type->name);
    std::string_view got = k >= count ? std::string_view("no value") : isPlain ? std::string_view(typeName(v)) : typeNameOf(s, v);
    const TypeDesc* container = isMember && k > 0 && k < count ? signature->parts[0] : nullptr;
    if (container != nullptr && container->kind == TypeKind::Array && type == container->element()) {
        const ErrorArg parts[] = {container, type, refused(s, v, type)};
        raise(s, ErrorKind::BadArgument, position, name, formatError(s, ErrorKind::ElementRefused, parts, 3));
    }
    raise(s, ErrorKind::BadArgumentType, position, name, expected, got);
}

/// The type among `type` and its members that Lua 5.1 converts arguments to; null: there is none.
const TypeDesc* coercibleType(const TypeDesc* type) {
    auto isCoercible = [](const TypeDesc* t) {
        return t->kind == TypeKind::String || t->kind == TypeKind::Number || t->kind == TypeKind::Integer;
    };
    if (isCoercible(type)) return type;
    if (type->kind == TypeKind::Union)
        for (const TypeDesc* member : type->parts)
            if (isCoercible(member)) return member;
    return nullptr;
}

/// Lua 5.1 cuts the fraction off; what does not fit takes the nearest end of the range.
double truncated(double d) {
    constexpr double kMax = static_cast<double>(base::kMaxInteger);
    if (!(d > -kMax)) return -kMax;  // NaN too
    return d < kMax ? std::trunc(d) + 0.0 : kMax;
}

/// The conversions of arguments that Lua 5.1 makes for its library: numbers are strings, strings that spell numbers are numbers, and
/// every number is whole where that is wanted.
LUAPP_COLD bool coerceArgument(State& s, Value v, const TypeDesc* type, Word& out) {
    const TypeDesc* wanted = coercibleType(type);
    if (wanted == nullptr || !isLenientCode(s)) return false;
    if (wanted->kind == TypeKind::String) {
        if (!v.isNumber()) return false;
        return tryConvert(s, Value::string(toText(s, v)), type, out);
    }
    double d = 0;
    if (v.isNumber()) {
        d = v.asNumber();
    } else if (!v.isString() || !base::textToNumber(v.asString()->view(), d)) {
        return false;
    }
    return tryConvert(s, Value::number(wanted->kind == TypeKind::Integer ? truncated(d) : d), type, out);
}

/// The raw word for parameter `k` of a library function.
Word builtinArgument(State& s, uint32_t index, const TypeDesc* signature, const Word* args, uint32_t count, uint32_t k) {
    const TypeDesc* type = signature->parts[k];
    bool missing = k >= count || (args[k] == kNilBox && !type->acceptsNil);
    if (missing && k >= signature->requiredCount()) return s.builtins->defaultArgument(s, index, k);
    Word out = 0;
    if (k >= count) raiseBuiltinArgument(s, index, signature, args, count, k);
    Value v = Value::fromWord(args[k]);
    if (!tryConvert(s, v, type, out) && !coerceArgument(s, v, type, out)) raiseBuiltinArgument(s, index, signature, args, count, k);
    return out;
}

/// Calls a builtin with boxed arguments at n; its results become the pack.
void callBuiltinDyn(State& s, Closure* f, Word* n, uint32_t count) {
    s.top = n + count + kBuiltinArgRoom;
    const TypeDesc* signature = builtinSignatureFor(s, f, n, count);
    if (signature == nullptr) {
        s.argCount = count;
        f->builtin()(s, n);
        return;
    }
    uint32_t index = f->isAdapter() || f->builtinIndex() < 0 ? bc::kNoIndex : static_cast<uint32_t>(f->builtinIndex());
    Word* args = n;
    if (index != bc::kNoIndex && s.builtins->needsType != nullptr && s.builtins->needsType[index] != 0) {
        std::memmove(n + 1, n, count * sizeof(Word));
        n[0] = reinterpret_cast<Word>(signature->results[0]);
        ++args;
    }
    uint32_t params = signature->paramCount();
    for (uint32_t k = 0; k < params; ++k)
        args[k] = index == bc::kNoIndex ? convertArgument(s, nullptr, signature, args, count, k)
                                        : builtinArgument(s, index, signature, args, count, k);
    uint32_t extras = signature->isVararg() && count > params ? count - params : 0;
    if (index == bc::kNoIndex || signature->vararg == nullptr) {
        checkExtras(s, nullptr, signature, args + params, params, extras);
    } else {
        for (uint32_t k = params; k < params + extras; ++k) {
            Word out;
            Value v = Value::fromWord(args[k]);
            if (!tryConvert(s, v, signature->vararg, out) && !coerceArgument(s, v, signature->vararg, out))
                raiseBuiltinArgument(s, index, signature, args, count, k);
            args[k] = boxTyped(out, signature->vararg).word();
        }
    }
    s.argCount = extras;
    Word first = f->builtin()(s, n);
    boxResults(s, signature, first);
}

/// Where the results of a dynamic call go.
struct ReturnTo {
    const Insn* pc;
    Word* R;
    Word* K;
};

/// Puts the pseudo frame at n and the links of the real frame above it; the arguments move up.
Word* openAcross(Word* n, uint32_t count, Closure* f, const ReturnTo& to, const TypeDesc* boxBy) {
    Word* m = n + kPseudoSlots;
    std::memmove(m, n, count * sizeof(Word));
    n[-3] = reinterpret_cast<Word>(to.pc);
    n[-2] = reinterpret_cast<Word>(to.R);
    n[-1] = reinterpret_cast<Word>(m);
    n[0] = reinterpret_cast<Word>(to.K);
    n[1] = reinterpret_cast<Word>(boxBy);
    m[-3] = reinterpret_cast<Word>(kAcrossStub);
    m[-2] = reinterpret_cast<Word>(n);
    m[-1] = wordOf(f);
    return m;
}

/// The dynamic entry of a function with defaults converts its arguments itself, but cannot say which one does not fit.
void checkGiven(State& s, const Function& f, const Word* args, uint32_t count) {
    uint32_t checked = std::min(f.paramCount, std::max(count, f.signature->requiredCount()));
    for (uint32_t k = 0; k < checked; ++k) convertArgument(s, &f, f.signature, args, count, k);
}

/// Brings boxed arguments into the shape the function's code expects; `m` is its frame.
void shapeArguments(State& s, const Function& f, Word* m, uint32_t count) {
    for (uint32_t k = count; k < f.paramCount; ++k) m[k] = f.dynamic == nullptr ? kNilBox : kAbsentBox;
    if (f.dynamic != nullptr) checkGiven(s, f, m, count);
    if (!f.takesBoxes && f.dynamic == nullptr)
        for (uint32_t k = 0; k < f.paramCount; ++k) m[k] = convertArgument(s, &f, f.signature, m, count, k);
    uint32_t extras = count > f.paramCount ? count - f.paramCount : 0;
    if (!f.isVararg) return;
    if (!f.takesBoxes) checkExtras(s, &f, f.signature, m + f.paramCount, f.paramCount, extras);
    s.argCount = extras;
}

/// Prepares a dynamic call of a program's function; arguments are boxed at n.
Transfer enterFunctionDyn(State& s, Closure* c, Word* n, uint32_t count, const ReturnTo& to) {
    const Function* f = static_cast<const Function*>(c->code);
    checkRoom(s, n, count + 64);
    if (f->takesBoxes && (f->data == to.K || to.K == nullptr)) {
        n[-3] = reinterpret_cast<Word>(to.pc);
        n[-2] = reinterpret_cast<Word>(to.R);
        n[-1] = wordOf(c);
        shapeArguments(s, *f, n, count);
        return {f->entry, n, f->data};
    }
    Word* m = openAcross(n, count, c, to, f->returnsPack ? nullptr : f->signature);
    s.top = m + std::max(count, f->paramCount) + 8;
    shapeArguments(s, *f, m, count);
    s.top = nullptr;
    const Function* target = f->dynamic != nullptr ? f->dynamic : f;
    return {target->entry, m, target->data};
}

/// Dynamic call of anything with boxed arguments at n. Builtins have run when it returns: then pc is to.pc.
Transfer enterDyn(State& s, Value callee, Word* n, uint32_t count, const ReturnTo& to) {
    for (unsigned depth = 0;; ++depth) {
        s.top = n + count + 8;
        if (LUAPP_LIKELY(callee.isFunction())) {
            Closure* c = callee.asFunction();
            if ((c->flags & Closure::kBound) != 0) {
                std::memmove(n + 1, n, count++ * sizeof(Word));
                const Word* bound = c->captures;
                n[0] = bound[0];
                callee = Value::function(refOf<Closure>(bound[1]));
                continue;
            }
            if (!c->isBuiltin()) return enterFunctionDyn(s, c, n, count, to);
            n[-3] = reinterpret_cast<Word>(to.pc);
            n[-2] = reinterpret_cast<Word>(to.R);
            n[-1] = wordOf(c);
            if (!callByPlan(s, c, n, count)) callBuiltinDyn(s, c, n, count);
            n[-3] = firstOfPack(s);
            return {to.pc, to.R, to.K};
        }
        if (callee.is(Kind::Class)) {
            callee = Value::function(makerFor(s, callee, n, count));
            continue;
        }
        Value handler = metamethod(s, callee, Event::Call);
        if (handler.isNil() || depth > 100) {
            const bool isInstruction = depth == 0 && to.pc != kExitStub;
            raiseCannot(s, ErrorKind::CannotCall, callee, isInstruction ? operandName(s, bc::NoteUse::Call) : SourceName{});
        }
        std::memmove(n + 1, n, count++ * sizeof(Word));
        n[0] = callee.word();
        callee = handler;
    }
}

/// Typed entry of a wrapper: boxes the arguments, calls the wrapped function dynamically, checks the results.
Word runCheckingWrapper(State& s, Word* args) {
    Closure* self = refOf<Closure>(args[-1]);
    const TypeDesc* type = s.types.at(self->aux);
    uint32_t params = type->paramCount(), extras = type->isVararg() ? s.argCount : 0;
    Word* pack = ensureResults(s, params + extras);
    for (uint32_t k = 0; k < params; ++k) pack[k] = boxTyped(args[k], type->parts[k]).word();
    for (uint32_t k = 0; k < extras; ++k) pack[params + k] = args[params + k];
    s.resultCount = params + extras;
    callPack(s, Value::function(refOf<Closure>(self->captures[0])));
    if (type->hasResultPack) return firstOfPack(s);
    for (uint32_t k = 0; k < type->results.size(); ++k) {
        Value v = k < s.resultCount ? Value::fromWord(s.results[k]) : Value::nil();
        Word out;
        if (!tryConvert(s, v, type->results[k], out)) raiseMismatch(s, v, type->results[k], bc::CheckKind::Result, k + 1);
        s.results[k] = out;
    }
    return s.results[0];
}

/// Bound methods are taken apart by enterDyn; the typed entry exists for callers that know no better.
Word runBoundMethod(State& s, Word* args) {
    Closure* self = refOf<Closure>(args[-1]);
    uint32_t count = s.argCount;
    Word* pack = ensureResults(s, count);
    std::memcpy(pack, args, count * sizeof(Word));
    s.resultCount = count;
    callPack(s, Value::function(self));
    return firstOfPack(s);
}

}  // namespace

void boxResults(State& s, const TypeDesc* signature, Word first) {
    if (signature->hasResultPack) return;
    uint32_t count = static_cast<uint32_t>(signature->results.size());
    if (count > 0) s.results[0] = first;
    for (uint32_t k = 0; k < count; ++k) s.results[k] = boxTyped(s.results[k], signature->results[k]).word();
    s.resultCount = count;
}

uint32_t fixedParamsOf(State& s, const Closure* f) {
    if (!f->isBuiltin()) return static_cast<const Function*>(f->code)->paramCount;
    if (f->isAdapter() || (f->flags & Closure::kBound) != 0)
        return f->aux == 0 ? 0 : s.types.at(f->aux)->paramCount();
    return s.builtins->fixedParams[f->builtinIndex()];
}

Word* nestedBase(State& s) {
    if (s.top >= s.context->stackBase && s.top < s.context->stackEnd && s.top > s.frame) return s.top;
    if (s.frame == nullptr || s.pc == nullptr) return s.frame == nullptr ? s.context->stackBase : s.frame;
    const Function* f = findFunction(s, s.pc);
    return s.frame + (f == nullptr ? kStackHeadroom : f->frameSize);
}

Word callRaw(State& s, Closure* f, const Word* args, uint32_t fixedCount, uint32_t extras) {
    uint32_t count = fixedCount + extras;
    SavedRegisters saved(s);
    Word* n = openNested(s, f, count);
    for (uint32_t k = 0; k < count; ++k) n[k] = args[k];
    s.argCount = extras;
    if (LUAPP_UNLIKELY(f->isBuiltin())) {
        NativeCall native(s);
        s.top = n + count + kBuiltinArgRoom;
        Word result = f->builtin()(s, n);
        native.finish();
        saved.restore(s);
        return result;
    }
    const Function* code = static_cast<const Function*>(f->code);
    runInterpreter(s, {code->entry, n, code->data});
    saved.restore(s);
    return n[-3];
}

void call(State& s, Value callee, std::span<const Value> args) {
    NativeCall native(s);
    SavedRegisters saved(s);
    uint32_t count = static_cast<uint32_t>(args.size());
    Word* n = openNested(s, nullptr, count);
    for (uint32_t k = 0; k < count; ++k) n[k] = args[k].word();
    Transfer t = enterDyn(s, callee, n, count, {kExitStub, s.frame, nullptr});
    if (t.pc != kExitStub) {
        native.runsProgram();
        runInterpreter(s, t);
    }
    saved.restore(s);
    native.finish();
}

void callPack(State& s, Value callee) {
    NativeCall native(s);
    SavedRegisters saved(s);
    uint32_t count = s.resultCount;
    Word* n = openNested(s, nullptr, count);
    std::memcpy(n, s.results, count * sizeof(Word));
    Transfer t = enterDyn(s, callee, n, count, {kExitStub, s.frame, nullptr});
    if (t.pc != kExitStub) {
        native.runsProgram();
        runInterpreter(s, t);
    }
    saved.restore(s);
    native.finish();
}

Value callFirst(State& s, Value callee, std::span<const Value> args) {
    call(s, callee, args);
    return Value::fromWord(firstOfPack(s));
}

Closure* entryClosure(State& s, const Program& p) {
    const Function& f = p.entry();
    LuaTable* globals = f.proto->isLenient ? s.builtins->globals(s) : nullptr;
    Closure* c = newClosure(s, &f, f.signature, static_cast<uint32_t>(f.proto->captures.size()));
    if (globals != nullptr) c->captures[0] = Value::luaTable(globals).word();
    return c;
}

void runProgram(State& s, Program& p) {
    SavedRegisters saved(s);
    const Function& f = p.entry();
    Closure* closure = f.proto->isLenient ? entryClosure(s, p) : nullptr;
    uint32_t count = f.isVararg ? s.resultCount : 0;
    Word* n = openNested(s, closure, count);
    std::memcpy(n, s.results, count * sizeof(Word));
    s.argCount = count;
    if (!f.returnsPack) s.resultCount = 0;
    runInterpreter(s, {f.entry, n, f.data});
    if (!f.returnsPack) {
        s.resultCount = static_cast<uint32_t>(f.proto->results.size());
        if (s.resultCount != 0) s.results[0] = n[-3];
        for (uint32_t k = 0; k < s.resultCount; ++k) s.results[k] = boxWord(s.results[k], f.proto->results[k]).word();
    }
    saved.restore(s);
}

Closure* newCheckingWrapper(State& s, Closure* target, const TypeDesc* type) {
    Closure* c = newBuiltinClosure(s, runCheckingWrapper, type, -1);
    c->flags |= Closure::kAdapter;
    c->captures[0] = wordOf(target);
    return c;
}

Closure* newBoundMethod(State& s, Value receiver, Closure* method, Word key) {
    Closure* c = newBuiltinClosure(s, runBoundMethod, nullptr, -1, 2);
    c->flags |= Closure::kBound;
    Word* captures = c->captures;
    captures[0] = receiver.word();
    captures[1] = wordOf(method);
    captures[2] = key;
    return c;
}

// --- the interpreter's calls that are not direct

Transfer slowCallClosure(State& s, Word* R, Word* K, const Insn* pc, Word* n) {
    Closure* c = refOf<Closure>(n[-1]);
    if (c->isBuiltin()) {
        s.top = n + kBuiltinArgRoom + s.argCount + 256;
        n[-3] = c->builtin()(s, n);
        return {pc, R, K};
    }
    const Function* f = static_cast<const Function*>(c->code);
    uint32_t count = f->paramCount + (f->isVararg ? s.argCount : 0);
    checkRoom(s, n, count + 64);
    if (f->data == K) {
        n[-3] = reinterpret_cast<Word>(pc);
        n[-2] = reinterpret_cast<Word>(R);
        return {f->entry, n, K};
    }
    Word* m = openAcross(n, count, c, {pc, R, K}, nullptr);
    return {f->entry, m, f->data};
}

Transfer slowCallDyn(State& s, Word* R, Word* K, const Insn* pc, Word* n, uint32_t count) {
    Transfer t = enterDyn(s, Value::fromWord(n[-1]), n, count, {pc, R, K});
    return t;
}

Transfer slowRetAcross(State& s, Word* R) {
    Word* m = reinterpret_cast<Word*>(R[-1]);
    Word first = m[-3];
    const TypeDesc* boxBy = reinterpret_cast<const TypeDesc*>(R[1]);
    if (boxBy != nullptr) {
        boxResults(s, boxBy, first);
        first = firstOfPack(s);
    }
    Transfer t{reinterpret_cast<const Insn*>(R[-3]), reinterpret_cast<Word*>(R[-2]), reinterpret_cast<Word*>(R[0])};
    R[-3] = first;
    return t;
}

uint32_t slowSpreadPack(State& s, Word* args, uint32_t before) {
    uint32_t count = s.resultCount;
    checkRoom(s, args, uint64_t{before} + count + 64);
    std::memcpy(args + before, s.results, count * sizeof(Word));
    s.top = args + before + count;
    return count;
}

}  // namespace luapp::rt
