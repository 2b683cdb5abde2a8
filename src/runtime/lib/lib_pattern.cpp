// string.find, match, gmatch and gsub over the matcher of pattern.h. The subject and the pattern stay referenced from the
// arguments (or the iterator's captures) while the matcher points into their bytes, which never move.
#include <algorithm>

#include "runtime/lib/builtins.h"
#include "runtime/lib/builtin_values.h"
#include "runtime/lib/lib_support.h"
#include "runtime/lib/pattern.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/table.h"

namespace luapp::rt {

namespace {

/// A start position from a program as an offset, cut to the string as in Lua 5.1.
uint64_t startOffset(int64_t position, uint64_t length) {
    if (position < 0) position += static_cast<int64_t>(length) + 1;
    if (position < 1) return 0;
    return std::min(static_cast<uint64_t>(position) - 1, length);
}

/// The matcher recurses up to 200 levels of some 200 bytes: more than the headroom that every builtin has.
void checkMatcherStack(State& s) {
    constexpr uintptr_t kMatcherStack = 32 * 1024;
    if (LUAPP_UNLIKELY(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - kMatcherStack < s.context->nativeLimit))
        raiseStackOverflow(s);
}

void requireValid(State& s, std::string_view pattern) {
    checkMatcherStack(s);
    if (const char* problem = checkPattern(pattern)) raiseLib(s, "%s", problem);
}

/// search() with the error for patterns that nest too deep.
bool searchOrRaise(State& s, PatternMatcher& m, size_t from) {
    if (m.search(from)) return true;
    if (m.tooComplex()) raiseLib(s, "pattern too complex");
    return false;
}

Value captureValue(State& s, const PatternMatcher& m, unsigned i) {
    const PatternMatcher::Capture& c = m.capture(i);
    if (c.length == PatternMatcher::kPositionCapture) return Value::integer(static_cast<int64_t>(m.positionOf(c)) + 1);
    return Value::string(newString(s, {c.start, c.length}));
}

/// Writes the captures, or the whole match if there are none and `wholeIfNone`, to the pack from `at` on. Gives the pack's size.
uint32_t packCaptures(State& s, const PatternMatcher& m, uint32_t at, bool wholeIfNone) {
    const unsigned count = m.captureCount() == 0 && wholeIfNone ? 1 : m.captureCount();
    for (unsigned i = 0; i < count; i++) s.results[at + i] = kNilBox;
    s.resultCount = at + count;  // what is in the pack is a root from here on
    for (unsigned i = 0; i < count; i++) {
        const Value v = m.captureCount() == 0 ? Value::string(newString(s, m.whole())) : captureValue(s, m, i);
        s.results[at + i] = v.word();
    }
    return at + count;
}

/// A pack of the positions `first` and `last`, one-based.
void packPositions(State& s, uint64_t first, uint64_t last) {
    s.results[0] = Value::integer(static_cast<int64_t>(first)).word();
    s.results[1] = Value::integer(static_cast<int64_t>(last)).word();
    s.resultCount = 2;
}

// --- gsub

/// Appends a replacement text in which `%0` to `%9` stand for the match and its captures.
void appendReplacement(State& s, TextBuilder& out, const PatternMatcher& m, std::string_view replacement) {
    size_t plain = 0;
    for (size_t i = 0; i < replacement.size(); i++) {
        if (replacement[i] != '%') continue;
        out.append(replacement.substr(plain, i - plain));
        i++;
        plain = i + 1;
        const char c = i < replacement.size() ? replacement[i] : '\0';
        if (c == '0' || (c == '1' && m.captureCount() == 0)) {
            out.append(m.whole());
        } else if (c >= '1' && c <= '9') {
            const unsigned index = static_cast<unsigned>(c - '1');
            if (index >= m.captureCount()) raiseLib(s, "invalid capture index");
            const PatternMatcher::Capture& capture = m.capture(index);
            if (capture.length == PatternMatcher::kPositionCapture) {
                out.appendNumber(static_cast<double>(m.positionOf(capture) + 1));
            } else {
                out.append(std::string_view(capture.start, capture.length));
            }
        } else if (i < replacement.size()) {
            out.append(c);  // Lua 5.1: `%` before anything else stands for what follows
        }
    }
    if (plain < replacement.size()) out.append(replacement.substr(plain));
}

/// The replacement that a table or a function gives for a match. May run program code.
Value computedReplacement(State& s, const PatternMatcher& m, Value replacement) {
    if (replacement.isFunction()) {
        const unsigned count = m.captureCount() == 0 ? 1 : m.captureCount();
        Value args[kMaxCaptures];
        for (unsigned i = 0; i < count; i++)
            args[i] = m.captureCount() == 0 ? Value::string(newString(s, m.whole())) : captureValue(s, m, i);
        return callValue(s, replacement, args, count);
    }
    const Value key = m.captureCount() == 0 ? Value::string(newString(s, m.whole())) : captureValue(s, m, 0);
    if (replacement.is(Kind::Record)) {
        const TypeDesc* const type = s.types.at(replacement.asObject()->aux);
        if (!key.isString() || type->findField(key.asString()->view()) == nullptr) return Value::nil();
    }
    return index(s, replacement, key);
}

bool isReplacement(Value v) {
    return v.isString() || v.isNumber() || v.isFunction() || v.isLuaTable() || v.is(Kind::Table) || v.is(Kind::Record);
}

}  // namespace

Word stringFind(State& s, Word* args) {
    String* const subject = stringArg(args, 0);
    String* const pattern = stringArg(args, 1);
    const uint64_t from = startOffset(integerOf(args[2]), subject->length);
    const bool plain = valueArg(args, 3).isTruthy();
    if (plain || isPlainPattern(pattern->view())) {
        const size_t at = findPlain(subject->view(), pattern->view(), from);
        if (at == std::string_view::npos) return packResult(s, Value::nil());
        packPositions(s, at + 1, at + pattern->length);
        return s.results[0];
    }
    requireValid(s, pattern->view());
    PatternMatcher m(subject->view(), pattern->view());
    if (!searchOrRaise(s, m, from)) return packResult(s, Value::nil());
    packPositions(s, m.begin() + 1, m.end());
    packCaptures(s, m, 2, false);
    keepAlive(subject);
    return s.results[0];
}

Word stringMatch(State& s, Word* args) {
    String* const subject = stringArg(args, 0);
    String* const pattern = stringArg(args, 1);
    const uint64_t from = startOffset(integerOf(args[2]), subject->length);
    requireValid(s, pattern->view());
    PatternMatcher m(subject->view(), pattern->view());
    if (!searchOrRaise(s, m, from)) return packResult(s, Value::nil());
    packCaptures(s, m, 0, true);
    keepAlive(subject);
    return s.results[0];
}

// Captures of the iterator: 1 subject, 2 pattern, 3 offset where the next search begins.
Word stringGMatch(State& s, Word* args) {
    requireValid(s, stringArg(args, 1)->view());
    Closure* const iterator = newIterator(s, BuiltinId::GMatchNext, 3);
    storeWord(s, iterator, &captureAt(iterator, 1), args[0]);
    storeWord(s, iterator, &captureAt(iterator, 2), args[1]);
    captureAt(iterator, 3) = wordOf(int64_t{0});
    return wordOf(iterator);
}

Word stringGMatchNext(State& s, Word* args) {
    Closure* const iterator = refOf<Closure>(args[-1]);
    String* const subject = refOf<String>(captureAt(iterator, 1));
    String* const pattern = refOf<String>(captureAt(iterator, 2));
    const uint64_t from = static_cast<uint64_t>(integerOf(captureAt(iterator, 3)));
    if (from > subject->length) return packResult(s, Value::nil());
    checkMatcherStack(s);
    PatternMatcher m(subject->view(), pattern->view(), false);
    if (!searchOrRaise(s, m, from)) {
        captureAt(iterator, 3) = wordOf(static_cast<int64_t>(subject->length + 1));
        return packResult(s, Value::nil());
    }
    // An empty match must not be found again.
    captureAt(iterator, 3) = wordOf(static_cast<int64_t>(m.end() == m.begin() ? m.end() + 1 : m.end()));
    packCaptures(s, m, 0, true);
    keepAlive(subject);
    return s.results[0];
}

Word stringGSub(State& s, Word* args) {
    String* const subject = stringArg(args, 0);
    String* const pattern = stringArg(args, 1);
    Value replacement = valueArg(args, 2);
    const Value limitArg = valueArg(args, 3);
    if (!isReplacement(replacement)) raiseArgumentType(s, 3, "gsub", "string/function/table", replacement);
    requireValid(s, pattern->view());
    if (replacement.isNumber()) replacement = Value::string(toText(s, replacement));
    const double limit = limitArg.isNil() ? static_cast<double>(subject->length) + 1 : limitArg.asNumber();
    const std::string_view text = subject->view();
    PatternMatcher m(text, pattern->view());
    TextBuilder out(s);
    size_t copied = 0;  // text up to here is in `out`
    size_t from = 0;
    int64_t matches = 0;
    while (static_cast<double>(matches) < limit && from <= text.size() && searchOrRaise(s, m, from)) {
        matches++;
        out.append(text.substr(copied, m.begin() - copied));
        if (replacement.isString()) {
            appendReplacement(s, out, m, replacement.asString()->view());
        } else {
            const Value v = computedReplacement(s, m, replacement);
            if (v.isString()) {
                out.append(v.asString());
            } else if (v.isNumber()) {
                out.appendNumber(v.asNumber(), numberStyle(s, v.asNumber()));
            } else if (!v.isTruthy()) {
                out.append(m.whole());
            } else {
                raiseLib(s, "invalid replacement value (a %s)", typeName(v));
            }
        }
        copied = m.end();
        from = m.end() == m.begin() ? m.end() + 1 : m.end();
        if (m.isAnchored()) break;
    }
    s.results[1] = wordOf(matches);
    if (matches == 0) return args[0];
    out.append(text.substr(copied));
    String* const result = out.finish();
    keepAlive(subject);
    keepAlive(pattern);
    s.results[1] = wordOf(matches);  // again: callbacks and finish() may have used the result area
    return wordOf(result);
}

}  // namespace luapp::rt
