// The coroutine library over vm/coroutine.h. Values go in and out as the pack in the result area.
#include <cstring>

#include "runtime/lib/builtin_values.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"
#include "runtime/vm/coroutine.h"

namespace luapp::rt {

namespace {

Coroutine* coroutineArg(State& s, const Word* args, const char* function) {
    const Value v = valueArg(args, 0);
    if (!v.is(Kind::Coroutine)) raiseArgumentType(s, 1, function, "coroutine", v);
    return v.asCoroutine();
}

Coroutine* newOf(State& s, const Word* args, const char* function) {
    const Value f = valueArg(args, 0);
    if (!f.isFunction()) raiseArgumentType(s, 1, function, "function", f);
    return newCoroutine(s, f.asFunction());
}

/// Makes `count` boxed arguments the pack.
void packArguments(State& s, const Word* values, uint32_t count) {
    ensureResults(s, count);
    std::memcpy(s.results, values, count * sizeof(Word));
    s.resultCount = count;
}

}  // namespace

void prependToPack(State& s, Value v) {
    ensureResults(s, uint64_t{s.resultCount} + 1);
    std::memmove(s.results + 1, s.results, s.resultCount * sizeof(Word));
    s.results[0] = v.word();
    s.resultCount++;
}

Word coroutineCreate(State& s, Word* args) {
    Coroutine* const co = newOf(s, args, "create");
    return Value::object(co).word();
}

Word coroutineResume(State& s, Word* args) {
    Coroutine* const co = coroutineArg(s, args, "resume");
    packArguments(s, args + 1, s.argCount);
    const bool ok = resume(s, co);
    prependToPack(s, Value::boolean(ok));
    return s.results[0];
}

Word coroutineYield(State& s, Word* args) {
    packArguments(s, args, s.argCount);
    yield(s);
    return packResult(s, s.resultCount);
}

Word coroutineStatus(State& s, Word* args) {
    return wordOf(newString(s, statusName(s, coroutineArg(s, args, "status"))));
}

Word coroutineRunning(State& s, Word*) {
    return s.currentCoroutine == nullptr ? kNilBox : Value::object(s.currentCoroutine).word();
}

Word coroutineIsYieldable(State& s, Word*) { return wordOf(s.currentCoroutine != nullptr); }

// Capture 1 of the wrapping function: the coroutine. The interpreter knows it by the flag.
Word coroutineWrap(State& s, Word* args) {
    Coroutine* const co = newOf(s, args, "wrap");
    Closure* const f = newIterator(s, BuiltinId::WrapNext, 1);
    storeWord(s, f, &captureAt(f, 1), wordOf(co));
    f->flags |= Closure::kResumes;
    return wordOf(f);
}

Word coroutineWrapNext(State& s, Word* args) {
    Coroutine* const co = refOf<Coroutine>(captureAt(refOf<Closure>(args[-1]), 1));
    packArguments(s, args, s.argCount);
    if (resume(s, co)) return packResult(s, s.resultCount);
    raiseFromCoroutine(s);
}

}  // namespace luapp::rt
