// Errors, protected calls and coroutines, without the interpreter.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "runtime/object/array.h"
#include "runtime_testing.h"

using namespace luapp::rt;
using namespace luapp::rt::testing;

namespace {

Coroutine* coroutineOf(State& s, BuiltinFn fn, uint32_t extraCaptures = 0) {
    return newCoroutine(s, newBuiltinClosure(s, fn, nullptr, -1, extraCaptures));
}

double packNumber(State& s, uint32_t i = 0) { return Value::fromWord(s.results[i]).asNumber(); }

/// Yields 1, 2, 3, ... up to its argument, then returns "done".
Word counter(State& s, Word* args) {
    double last = numberOf(args[0]);
    for (double i = 1; i <= last; i++) {
        packOne(s, Value::number(i));
        yield(s);
    }
    packOne(s, Value::string(newString(s, "done")));
    return 0;
}

/// Yields back what it is resumed with, for ever, keeping a long string of its own alive.
Word echo(State& s, Word*) {
    String* own = newString(s, std::string_view("a string of this coroutine that is too long to be interned"));
    String* volatile kept = own;
    for (;;) {
        yield(s);
        if (kept->view() != "a string of this coroutine that is too long to be interned") raise(s, ErrorKind::Message, "lost");
    }
}

}  // namespace

TEST_CASE("raise fills in the message, protectedCall catches it") {
    ScopedState s;
    auto outOfRange = [](State& st, void*) { raise(st, ErrorKind::IndexOutOfRange, 3, 3u); };
    CHECK_FALSE(protectedCall(*s, outOfRange, nullptr));
    CHECK(errorText(*s) == "index 3 is out of range for an array of 3");
    auto noKey = [](State& st, void*) { raise(st, ErrorKind::NoKey, Value::string(newString(st, "Ja\"ne"))); };
    CHECK_FALSE(protectedCall(*s, noKey, nullptr));
    CHECK(errorText(*s) == "no key \"Ja\\\"ne\" in table");
    auto mismatch = [](State& st, void*) { raise(st, ErrorKind::TypeMismatch, st.types.basic(TypeKind::Number), "string"); };
    CHECK_FALSE(protectedCall(*s, mismatch, nullptr));
    CHECK(errorText(*s) == "expected number, got string");
    auto notWhole = [](State& st, void*) { raise(st, ErrorKind::NotWhole, 1.5); };
    CHECK_FALSE(protectedCall(*s, notWhole, nullptr));
    CHECK(errorText(*s) == "number 1.5 is not whole, an integer is needed");
    auto anyValue = [](State& st, void*) { raiseValue(st, Value::boolean(false)); };
    CHECK_FALSE(protectedCall(*s, anyValue, nullptr));
    CHECK(s->errorValue == Value::boolean(false));
    auto fine = [](State&, void* data) { *static_cast<int*>(data) = 1; };
    int done = 0;
    CHECK(protectedCall(*s, fine, &done));
    CHECK(done == 1);
    CHECK(s->context->handler == nullptr);
}

TEST_CASE("protected calls nest and restore what they saved") {
    ScopedState s;
    struct Data {
        Word* frame;
        bool innerFailed;
    } data{s->frame, false};
    auto outer = [](State& st, void* d) {
        auto& dd = *static_cast<Data*>(d);
        auto inner = [](State& st2, void*) {
            st2.frame += 100;
            raise(st2, ErrorKind::IntegerOverflow);
        };
        dd.innerFailed = !protectedCall(st, inner, nullptr);
        if (st.frame == dd.frame) raiseValue(st, Value::number(7));
    };
    CHECK_FALSE(protectedCall(*s, outer, &data));
    CHECK(data.innerFailed);
    CHECK(s->errorValue == Value::number(7));
}

TEST_CASE("onError runs where the error was raised; an error inside it is told apart") {
    ScopedState s;
    auto fail = [](State& st, void*) { raise(st, ErrorKind::IntegerOverflow); };
    auto decorate = [](State& st, void* context) {
        CHECK(st.context->handler != nullptr);
        *static_cast<int*>(context) += 1;
        st.errorValue = Value::string(concat(st, newString(st, "seen: "), st.errorValue.asString()));
    };
    int calls = 0;
    CHECK_FALSE(protectedCall(*s, fail, nullptr, decorate, &calls));
    CHECK(calls == 1);
    CHECK(errorText(*s) == "seen: integer overflow");
    auto failing = [](State& st, void*) { raise(st, ErrorKind::StackOverflow); };
    CHECK_FALSE(protectedCall(*s, fail, nullptr, failing, nullptr));
    CHECK(errorText(*s) == "error in error handling");
}

namespace {
uint64_t recurse(State& s, uint64_t depth) {
    checkNativeStack(s);
    volatile char frame[200] = {};
    frame[depth % 200] = 1;
    return depth == UINT64_MAX ? 0 : recurse(s, depth + 1) + static_cast<uint64_t>(frame[0]);
}
}  // namespace

TEST_CASE("native stack overflow is an error, in coroutines too") {
    ScopedState s;
    auto run = [](State& st, void*) { recurse(st, 0); };
    for (int i = 0; i < 3; i++) {
        CHECK_FALSE(protectedCall(*s, run, nullptr));
        CHECK(errorText(*s) == "stack overflow");
    }
    Coroutine* co = coroutineOf(*s, [](State& st, Word*) -> Word { return recurse(st, 0); });
    s->resultCount = 0;
    CHECK_FALSE(resume(*s, co));
    CHECK(textOf(Value::fromWord(s->results[0]).asString()) == "stack overflow");
}

TEST_CASE("stack check and interruption") {
    ScopedState s;
    CHECK(s->stackLimit.load() == s->context->stackLimit);
    s->interrupt();
    CHECK(s->stackLimit.load() == nullptr);
    auto check = [](State& st, void*) { st.stackCheckFailed(st.frame); };
    CHECK_FALSE(protectedCall(*s, check, nullptr));
    CHECK(errorText(*s) == "interrupted");
    CHECK(s->stackLimit.load() == s->context->stackLimit);
    auto overflow = [](State& st, void*) { st.stackCheckFailed(st.context->stackEnd); };
    CHECK_FALSE(protectedCall(*s, overflow, nullptr));
    CHECK(errorText(*s) == "stack overflow");
    CHECK(protectedCall(*s, check, nullptr));
}

TEST_CASE("coroutines: values go both ways") {
    ScopedState s;
    Coroutine* co = coroutineOf(*s, counter);
    CHECK(std::string_view(statusName(*s, co)) == "suspended");
    packOne(*s, Value::number(3));
    for (double i = 1; i <= 3; i++) {
        CHECK(resume(*s, co));
        CHECK(packNumber(*s) == i);
        CHECK(s->currentCoroutine == nullptr);
        CHECK(std::string_view(statusName(*s, co)) == "suspended");
    }
    CHECK(resume(*s, co));
    CHECK(Value::fromWord(s->results[0]) == Value::string(newString(*s, "done")));
    CHECK(isDead(co));
    CHECK_FALSE(resume(*s, co));
    CHECK(textOf(Value::fromWord(s->results[0]).asString()) == "cannot resume dead coroutine");
    CHECK(s->stacks.inUse() == 0);
}

TEST_CASE("an error in a coroutine comes out of resume") {
    ScopedState s;
    Coroutine* co = coroutineOf(*s, [](State& st, Word*) -> Word {
        packOne(st, Value::number(1));
        yield(st);
        raise(st, ErrorKind::IntegerOverflow);
    });
    s->resultCount = 0;
    CHECK(resume(*s, co));
    CHECK_FALSE(resume(*s, co));
    CHECK(s->resultCount == 1);
    CHECK(textOf(Value::fromWord(s->results[0]).asString()) == "integer overflow");
    CHECK(isDead(co));
    CHECK(s->stacks.inUse() == 0);
    auto outside = [](State& st, void*) { yield(st); };
    CHECK_FALSE(protectedCall(*s, outside, nullptr));
    CHECK(errorText(*s) == "attempt to yield from outside a coroutine");
}

TEST_CASE("yield passes through protected calls; handlers belong to their coroutine") {
    ScopedState s;
    Coroutine* co = coroutineOf(*s, [](State& st, Word*) -> Word {
        auto inner = [](State& st2, void*) {
            packOne(st2, Value::number(1));
            yield(st2);
            raiseValue(st2, Value::number(99));
        };
        bool ok = protectedCall(st, inner, nullptr);
        packOne(st, ok ? Value::nil() : st.errorValue);
        return 0;
    });
    s->resultCount = 0;
    struct Data {
        Coroutine* co;
        bool ok;
    } data{co, false};
    auto first = [](State& st, void* d) { static_cast<Data*>(d)->ok = resume(st, static_cast<Data*>(d)->co); };
    CHECK(protectedCall(*s, first, &data));
    CHECK(data.ok);
    CHECK(packNumber(*s) == 1);
    CHECK(s->context->handler == nullptr);
    CHECK(resume(*s, co));
    CHECK(packNumber(*s) == 99);
}

TEST_CASE("coroutines resume coroutines") {
    ScopedState s;
    static Coroutine* outer = nullptr;  // test code: reachable from the test's frame too
    Coroutine* inner = coroutineOf(*s, [](State& st, Word*) -> Word {
        CHECK(std::string_view(statusName(st, outer)) == "normal");
        CHECK_FALSE(resume(st, outer));
        packOne(st, Value::number(5));
        yield(st);
        packOne(st, Value::number(6));
        return 0;
    });
    Closure* body = newBuiltinClosure(*s, [](State& st, Word*) -> Word {
        auto* in = refOf<Coroutine>(st.currentCoroutine->body->captures[1]);
        st.resultCount = 0;
        CHECK(resume(st, in));
        double got = packNumber(st);
        packOne(st, Value::number(got + 10));
        yield(st);
        CHECK(resume(st, in));
        return 0;
    }, nullptr, -1, 1);
    body->captures[1] = wordOf(inner);
    outer = newCoroutine(*s, body);
    Coroutine* keep = outer;
    s->resultCount = 0;
    CHECK(resume(*s, outer));
    CHECK(packNumber(*s) == 15);
    CHECK(std::string_view(statusName(*s, inner)) == "suspended");
    CHECK(resume(*s, outer));
    CHECK(packNumber(*s) == 6);
    CHECK(isDead(keep));
    CHECK(isDead(inner));
}

TEST_CASE("stacks of suspended coroutines are roots, unreached coroutines give theirs back") {
    ScopedState s;
    const TypeDesc* list = s->types.arrayOf(s->types.basic(TypeKind::Any));
    Array* all = newArray(*s, list, 0);
    for (int i = 0; i < 500; i++) {
        Coroutine* co = coroutineOf(*s, echo);
        s->resultCount = 0;
        CHECK(resume(*s, co));
        arrayPush(*s, all, Value::object(co).word());
    }
    s->heap.collect();
    for (int k = 0; k < 2000; k++) newString(*s, std::string(60, 'z'));
    bool allWell = true;
    for (uint32_t i = 0; i < all->length; i++) allWell = resume(*s, Value::fromWord(all->get(i)).asCoroutine()) && allWell;
    CHECK(allWell);
    CHECK(s->stacks.inUse() == 500);
    arrayTruncate(*s, all, 10);
    s->heap.collect();
    CHECK(s->stacks.inUse() < 30);
}

TEST_CASE("collection inside a coroutine scans the main stack and the resumers") {
    ScopedState s;
    String* mainString = newString(*s, std::string(70, 'm'));
    Coroutine* co = coroutineOf(*s, [](State& st, Word*) -> Word {
        String* volatile mine = newString(st, std::string_view("local string of the coroutine, longer than forty bytes"));
        for (int i = 0; i < 3; i++) {
            st.heap.collect();
            for (int k = 0; k < 1000; k++) newString(st, std::string_view("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"));
        }
        packOne(st, Value::string(mine));
        return 0;
    });
    s->resultCount = 0;
    CHECK(resume(*s, co));
    CHECK(Value::fromWord(s->results[0]).asString()->view() == "local string of the coroutine, longer than forty bytes");
    CHECK(mainString->view() == std::string(70, 'm'));
}

TEST_CASE("interruption reaches the coroutine that runs") {
    ScopedState s;
    Coroutine* co = coroutineOf(*s, [](State& st, Word*) -> Word {
        st.interrupt();
        yield(st);
        return 0;
    });
    s->resultCount = 0;
    CHECK(resume(*s, co));
    CHECK(s->stackLimit.load() == nullptr);
    s->clearInterrupt();
    CHECK(s->stackLimit.load() == s->context->stackLimit);
}
