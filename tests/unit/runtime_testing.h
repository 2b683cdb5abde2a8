// What the unit tests of the runtime share: a State that is destroyed at the end of a scope, and a VM stand-in whose callPack
// knows builtin closures only.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/check.h"
#include "runtime/object/closure.h"
#include "runtime/object/string.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/state.h"

namespace luapp::rt::testing {

/// Calls a builtin closure with the pack at args; the builtin leaves its results as the pack.
inline void callBuiltinPack(State& s, Value callee) { callee.asFunction()->builtin()(s, s.results); }

inline constexpr VmHooks kTestHooks = {callBuiltinPack, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};

class ScopedState {
public:
    explicit ScopedState(StateOptions options = {}) {
        options.hooks = &kTestHooks;
        if (options.seed == 0) options.seed = 42;
        state_ = State::create(options);
    }
    ~ScopedState() { State::destroy(state_); }
    ScopedState(const ScopedState&) = delete;
    ScopedState& operator=(const ScopedState&) = delete;
    State& operator*() { return *state_; }
    State* operator->() { return state_; }

private:
    State* state_;
};

/// Overwrites what calls that have returned left below the caller's frame: the stack is scanned conservatively.
LUAPP_NOINLINE inline void clearStack() {
    volatile char unused[1 << 15];
    for (volatile char& byte : unused) byte = 0;
}

/// A small deterministic generator.
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}
    uint64_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }
    uint32_t below(uint32_t n) { return static_cast<uint32_t>((next() >> 16) % n); }

private:
    uint64_t state_;
};

inline std::string textOf(const String* s) { return std::string(s->view()); }
inline std::string errorText(State& s) {
    return s.errorValue.isString() ? textOf(s.errorValue.asString()) : std::string("?");
}

}  // namespace luapp::rt::testing
