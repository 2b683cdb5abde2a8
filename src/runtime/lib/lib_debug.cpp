// The part of the debug library that makes sense in strict code: tracebacks.
#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"
#include "runtime/vm/coroutine.h"

namespace luapp::rt {

namespace {

int levelOf(Word w) {
    const int64_t level = integerOf(w);
    return level < 0 ? 0 : level > 1'000'000 ? 1'000'000 : static_cast<int>(level);
}

}  // namespace

Word debugTraceback(State& s, Word* args) {
    const Value message = valueArg(args, 0);
    if (message.is(Kind::Coroutine)) return Value::string(traceback(s, message.asCoroutine(), {}, 0)).word();
    if (message.isNil()) return Value::string(traceback(s, nullptr, {}, levelOf(args[1]))).word();
    if (!message.isString() && !message.isNumber()) return message.word();
    String* const text = toText(s, message);
    String* const result = traceback(s, nullptr, text->view(), levelOf(args[1]));
    keepAlive(text);
    return Value::string(result).word();
}

Word debugTracebackNow(State& s, Word*) { return wordOf(traceback(s, nullptr, {}, 1)); }

Word debugTracebackText(State& s, Word* args) {
    return wordOf(traceback(s, nullptr, stringArg(args, 0)->view(), levelOf(args[1])));
}

}  // namespace luapp::rt
