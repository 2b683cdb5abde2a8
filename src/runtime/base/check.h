// Assertions for bugs of ours and hints for the compiler. LUAPP_CHECK states an invariant: in debug builds a broken one prints
// the condition and its place and ends the process with status 70; in release builds it costs nothing. Errors of the program
// being run never come here: they are raised as run-time errors (vm/error.h). Everyone may include this header.
#pragma once

#include <cstdio>
#include <cstdlib>

#define LUAPP_LIKELY(x) __builtin_expect(!!(x), 1)
#define LUAPP_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LUAPP_NOINLINE __attribute__((noinline))
#define LUAPP_ALWAYS_INLINE __attribute__((always_inline)) inline
/// A function that is called rarely and should not be inlined into, or laid out beside, the code that calls it.
#define LUAPP_COLD __attribute__((noinline, cold))

#if defined(__SANITIZE_ADDRESS__)
#define LUAPP_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LUAPP_ASAN 1
#endif
#endif
#ifndef LUAPP_ASAN
#define LUAPP_ASAN 0
#endif

/// Functions that read memory the sanitizer has marked (stack scanning) carry this.
#if LUAPP_ASAN
#define LUAPP_NO_ASAN __attribute__((no_sanitize_address))
#else
#define LUAPP_NO_ASAN
#endif

namespace luapp::base {

/// Reports a bug in Lua++ itself and ends the process with status 70. Never returns.
[[noreturn]] LUAPP_COLD inline void bugFound(const char* what, const char* file, int line) {
    std::fprintf(stderr, "luapp: internal error: %s (%s:%d)\n", what, file, line);
    std::fflush(stderr);
#if LUAPP_ASAN
    std::abort();
#else
    std::_Exit(70);
#endif
}

}  // namespace luapp::base

/// Ends the process: control reached a place that no valid state leads to. Active in every build.
#define LUAPP_UNREACHABLE(what) ::luapp::base::bugFound(what, __FILE__, __LINE__)

#ifdef NDEBUG
#define LUAPP_CHECK(cond, what) ((void)0)
#else
#define LUAPP_CHECK(cond, what) (LUAPP_LIKELY(cond) ? (void)0 : ::luapp::base::bugFound(what, __FILE__, __LINE__))
#endif
