#include "runtime/vm/error.h"

#include <cstring>

#include "runtime/object/string.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/levels.h"
#include "runtime/vm/load.h"
#include "runtime/vm/state.h"

#if LUAPP_ASAN
extern "C" void __asan_handle_no_return();
#endif

namespace luapp::rt {
namespace {

constexpr const char* kTexts[] = {
#define LUAPP_RUNTIME_ERROR(name, text) text,
#include "runtime/vm/errors.def"
};

// Longer strings are cut in messages.
constexpr size_t kMaxQuoted = 60;

void quote(std::string_view text, TextBuilder& out) {
    bool isCut = text.size() > kMaxQuoted;
    if (isCut) text = text.substr(0, kMaxQuoted);
    out.append('"');
    for (char c : text) {
        if (c == '\n') {
            out.append("\\n");
        } else if (c == '"' || c == '\\') {
            out.append('\\');
            out.append(c);
        } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) {
            out.append('?');
        } else {
            out.append(c);
        }
    }
    if (isCut) out.append("...");
    out.append('"');
}

void fillHoles(State& s, const char* text, const ErrorArg* args, unsigned count, TextBuilder& out) {
    unsigned used = 0;
    while (const char* hole = std::strstr(text, "{}")) {
        out.append(std::string_view(text, static_cast<size_t>(hole - text)));
        LUAPP_CHECK(used < count, "a value for each hole of an error message");
        if (used < count) args[used++].appendTo(s, out);
        text = hole + 2;
    }
    LUAPP_CHECK(used == count, "a hole for each value of an error message");
    out.append(std::string_view(text));
}

/// Runs the handler's onError at the place of the error, with the stack kept back for it.
void runOnError(State& s, Handler* h) {
    h->isHandling = true;
    Word* limit = s.stackLimit.load(std::memory_order_relaxed);
    uintptr_t nativeLimit = s.context->nativeLimit;
    // Finalisers that are asked for wait until the handler is done.
    if (limit != nullptr || !s.isRequested(kInterruptRequest)) s.stackLimit.store(s.context->stackEnd - kStackHeadroom, std::memory_order_relaxed);
    s.context->nativeLimit -= kNativeHeadroom / 2;
    h->onError(s, h->context);
    s.context->nativeLimit = nativeLimit;
    h->isHandling = false;
}

/// Clears the part of the native stack that the error dropped and that the next calls will use. Their frames have gaps, and what
/// stood there before would look like live references to the collector.
LUAPP_NOINLINE void clearDroppedStack() {
    constexpr size_t kCleared = 4096;
    char dropped[kCleared];
    std::memset(dropped, 0, sizeof dropped);
    asm volatile("" : : "r"(dropped) : "memory");
}

}  // namespace

const char* errorText(ErrorKind kind) { return kTexts[static_cast<unsigned>(kind)]; }

ErrorArg::ErrorArg(const String* v) : kind_(Kind::Text), text_(v->view()) {}

void ErrorArg::appendTo(State& s, TextBuilder& out) const {
    char text[base::kNumberTextSize];
    switch (kind_) {
        case Kind::Integer: out.append(std::string_view(text, base::integerToText(integer_, text))); return;
        case Kind::Number: out.appendNumber(number_); return;
        case Kind::Text: out.append(text_); return;
        case Kind::Box: describeValue(s, Value::fromWord(wordOf(integer_)), out); return;
    }
}

void describeValue(State& s, Value v, TextBuilder& out) {
    if (v.isNumber()) {
        out.appendNumber(v.asNumber());
    } else if (v.isString()) {
        quote(v.asString()->view(), out);
    } else if (v.isNil() || v.isAbsent()) {
        out.append("nil");
    } else if (v.isBoolean()) {
        out.append(v.isTrue() ? "true" : "false");
    } else if (v.isEnum()) {
        const TypeDesc* type = s.types.at(v.enumTypeIndex());
        const FieldDesc* member = type->findMember(v.enumOrdinal());
        out.append(type->name);
        out.append('.');
        out.append(member == nullptr ? std::string_view("?") : member->name);
    } else {
        const char* name = typeName(v);
        bool isVowel = std::strchr("aeiou", name[0]) != nullptr;
        out.append(isVowel ? "an " : "a ");
        out.append(std::string_view(name));
        out.append(" value");
    }
}

SourcePosition currentPosition(State& s, int level) {
    if (s.hooks == nullptr || s.hooks->position == nullptr) return {};
    return s.hooks->position(s, level);
}

static void appendPosition(State& s, int level, TextBuilder& out) {
    // In Lua 5.1 the caller of a library function has a position only if it is a function of a program.
    if (level == 1 && s.isCalledByBuiltin && isLenientCode(s)) return;
    SourcePosition position = currentPosition(s, level);
    if (position.line == 0) return;
    char text[base::kNumberTextSize];
    out.append(position.file);
    out.append(':');
    out.append(std::string_view(text, base::integerToText(position.line, text)));
    out.append(": ");
}

String* positionPrefix(State& s, int level) {
    TextBuilder out(s);
    appendPosition(s, level, out);
    return out.finish();
}

String* formatError(State& s, ErrorKind kind, const ErrorArg* args, unsigned count) {
    TextBuilder out(s);
    fillHoles(s, errorText(kind), args, count, out);
    return out.finish();
}

/// Lua 5.1 calls a library function what the code calls it, and does not count the object of a method. `args`: position, name, ...
[[noreturn]] static void raiseBadArgument(State& s, ErrorKind kind, const ErrorArg* args, unsigned count, SourceName name) {
    constexpr unsigned kMaxArgs = 4;
    ErrorArg renamed[kMaxArgs] = {args[0], name.name, args[2], count > 3 ? args[3] : args[2]};
    TextBuilder out(s);
    appendPosition(s, 1, out);
    const bool isMethod = name.kind == bc::NameKind::Method;
    if (isMethod && args[0].integer() <= 1) {
        out.append("calling '");
        out.append(name.name);
        out.append("' on bad self (");
        args[2].appendTo(s, out);
        if (count > 3) {
            out.append(" expected, got ");
            args[3].appendTo(s, out);
        }
        out.append(')');
    } else {
        if (isMethod) renamed[0] = ErrorArg(args[0].integer() - 1);
        fillHoles(s, errorText(kind), renamed, count, out);
    }
    raiseValue(s, Value::string(out.finish()));
}

void raiseWith(State& s, ErrorKind kind, const ErrorArg* args, unsigned count) {
    if (kind == ErrorKind::BadArgument || kind == ErrorKind::BadArgumentType)
        if (const SourceName name = calledName(s, args[1].text())) raiseBadArgument(s, kind, args, count, name);
    bool isMemory = kind == ErrorKind::OutOfMemory;
    if (isMemory) s.heap.suspendLimit(true);
    TextBuilder out(s);
    appendPosition(s, 1, out);
    fillHoles(s, errorText(kind), args, count, out);
    String* message = out.finish();
    if (isMemory) s.heap.suspendLimit(false);
    raiseValue(s, Value::string(message));
}

void raiseValue(State& s, Value value) {
    Handler* h = s.context->handler;
    s.errorValue = value;
    if (h == nullptr) base::bugFound("an error was raised outside of any protected call", __FILE__, __LINE__);
    if (h->isHandling) {
        // The handler may have run out of memory: its message must not do so again.
        s.heap.suspendLimit(true);
        s.errorValue = Value::string(formatError(s, ErrorKind::ErrorInErrorHandler, nullptr, 0));
        s.heap.suspendLimit(false);
    } else if (h->onError != nullptr) {
        runOnError(s, h);
    }
#if LUAPP_ASAN
    __asan_handle_no_return();
#endif
    luapp_rt_unwindTo(h);
}

void raiseStackOverflow(State& s) { raise(s, ErrorKind::StackOverflow); }

bool protectedCall(State& s, void (*fn)(State&, void*), void* data) { return protectedCall(s, fn, data, nullptr, nullptr); }

bool protectedCall(State& s, void (*fn)(State&, void*), void* data, void (*onError)(State&, void*), void* context) {
    checkNativeStack(s);
    Handler h;
    h.previous = s.context->handler;
    h.frame = s.frame;
    h.top = s.top;
    h.pc = s.pc;
    h.isHandling = false;
    h.onError = onError;
    h.context = context;
    uintptr_t nativeLimit = s.context->nativeLimit;
    Activation* const activation = s.context->activation;
    const bool isCalledByBuiltin = s.isCalledByBuiltin;
    const bool isInHook = hookOf(s, s.currentCoroutine).isRunning;
    s.context->handler = &h;
    if (LUAPP_LIKELY(luapp_rt_protectedInvoke(&h, &s, fn, data))) {
        s.context->handler = h.previous;
        return true;
    }
    clearDroppedStack();
    s.context->handler = h.previous;
    s.context->activation = activation;
    s.frame = h.frame;
    s.top = h.top;
    s.pc = h.pc;
    hookOf(s, s.currentCoroutine).isRunning = isInHook;
    s.context->nativeLimit = nativeLimit;
    s.isCalledByBuiltin = isCalledByBuiltin;
    s.heap.suspendLimit(false);
    s.resetStackLimit();
    return false;
}

String* traceback(State& s, Coroutine* co, std::string_view message, int level) {
    TextBuilder out(s);
    if (!message.empty()) {
        out.append(message);
        out.append('\n');
    }
    out.append("stack traceback:");
    if (s.hooks != nullptr && s.hooks->traceback != nullptr) s.hooks->traceback(s, co, level, out);
    return out.finish();
}

}  // namespace luapp::rt
