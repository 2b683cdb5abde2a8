// What the unit tests of the library share: a State with the library open, and calls of library functions by name with boxed
// arguments, whose outcome is a text: the results by tostring, joined by commas, or "error: " and the message.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "runtime/lib/builtin_values.h"
#include "runtime/lib/library.h"
#include "runtime/object/array.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/string.h"
#include "runtime/object/table.h"
#include "runtime/vm/call.h"
#include "runtime/vm/meta.h"
#include "runtime/vm/state.h"

namespace luapp::rt::testing {

class LibraryState {
public:
    LibraryState() {
        StateOptions options;
        options.hooks = &kVmHooks;
        options.seed = 42;
        state_ = State::create(options);
        openLibrary(*state_);
    }
    ~LibraryState() {
        closeLibrary(*state_);
        State::destroy(state_);
    }
    LibraryState(const LibraryState&) = delete;
    LibraryState& operator=(const LibraryState&) = delete;

    State& operator*() { return *state_; }

    Value box(Value v) { return v; }
    Value box(double d) { return Value::number(d); }
    Value box(int i) { return Value::integer(i); }
    Value box(unsigned i) { return Value::integer(i); }
    Value box(bool b) { return Value::boolean(b); }
    Value box(const char* text) { return Value::string(newString(*state_, text)); }
    Value box(const std::string& text) { return Value::string(newString(*state_, text)); }
    Value box(std::string_view text) { return Value::string(newString(*state_, text)); }

    /// The function value of a library function.
    Value function(std::string_view name) {
        return Value::function(builtinClosure(*state_, static_cast<unsigned>(findBuiltin(name))));
    }

    /// Calls a library function.
    template <class... Args>
    std::string call(std::string_view name, const Args&... args) {
        Job job{function(name), {}, 0, {}};
        ((job.args[job.count++] = box(args)), ...);
        return run(job);
    }

    /// Calls any value, e.g. an iterator.
    template <class... Args>
    std::string callValue(Value f, const Args&... args) {
        Job job{f, {}, 0, {}};
        ((job.args[job.count++] = box(args)), ...);
        return run(job);
    }

    /// The first result of the last successful call.
    Value first() const { return Value::fromWord(state_->results[0]); }

    /// An array of numbers.
    template <class... Numbers>
    Value numbers(Numbers... values) {
        Array* a = newArray(*state_, state_->types.arrayOf(state_->types.basic(TypeKind::Number)), 0);
        (arrayPush(*state_, a, wordOf(static_cast<double>(values))), ...);
        return Value::object(a);
    }
    template <class... Texts>
    Value strings(Texts... values) {
        Array* a = newArray(*state_, state_->types.arrayOf(state_->types.basic(TypeKind::String)), 0);
        (arrayPush(*state_, a, wordOf(newString(*state_, values))), ...);
        return Value::object(a);
    }
    /// A lenient table with elements 1, 2, ...
    template <class... Values>
    Value list(Values... values) {
        LuaTable* t = newLuaTable(*state_);
        int64_t i = 0;
        (luaSetInt(*state_, t, ++i, box(values)), ...);
        return Value::luaTable(t);
    }

private:
    struct Job {
        Value function;
        Value args[8];
        uint32_t count;
        String* text;
    };

    static void invoke(State& s, void* data) {
        Job& job = *static_cast<Job*>(data);
        rt::call(s, job.function, {job.args, job.count});
    }

    static void describe(State& s, void* data) {
        Job& job = *static_cast<Job*>(data);
        const Value result = Value::fromWord(s.results[job.count]);
        job.text = toText(s, result);
    }

    std::string run(Job& job) {
        State& s = *state_;
        if (!protectedCall(s, invoke, &job)) {
            if (!s.errorValue.isString()) return std::string("error: (a ") + typeName(s.errorValue) + ")";
            return "error: " + std::string(s.errorValue.asString()->view());
        }
        std::string out;
        for (uint32_t i = 0; i < s.resultCount; i++) {
            Job print{Value(), {}, i, nullptr};
            if (i != 0) out += ", ";
            out += protectedCall(s, describe, &print) ? std::string(print.text->view()) : "?";
        }
        return out;
    }

    State* state_;
};

}  // namespace luapp::rt::testing
