// The debug library. Strict code has tracebacks alone; lenient code has the library of Lua 5.1. What it can know of a function depends on
// how the function is compiled (docs/internals.md 11): locals and hooks are there in debuggable code only.
#include <algorithm>
#include <cstdio>

#include "runtime/lib/builtin_table.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lenient_globals.h"
#include "runtime/lib/lib_support.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/userdata.h"
#include "runtime/vm/convert.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/levels.h"

namespace luapp::rt {

namespace {

int levelOf(Word w) {
    const int64_t level = integerOf(w);
    return level < 0 ? 0 : level > 1'000'000 ? 1'000'000 : static_cast<int>(level);
}

constexpr int64_t indexOf(BuiltinId id) { return static_cast<int64_t>(id); }

/// The arguments of a library function of lenient code; a coroutine in front of the others is taken off.
struct Arguments {
    State& s;
    const Word* words;
    uint32_t count;
    const char* function;
    Coroutine* co = nullptr;  // null: what runs
    uint32_t skipped = 0;

    Arguments(State& state, const Word* args, const char* name) : s(state), words(args), count(state.argCount), function(name) {}
    void takeCoroutine() {
        if (!at(0).is(Kind::Coroutine)) return;
        co = at(0).asCoroutine() == s.currentCoroutine ? nullptr : at(0).asCoroutine();
        ++words;
        --count;
        ++skipped;
    }
    Value at(uint32_t i) const { return i < count ? valueArg(words, i) : Value::nil(); }
    [[noreturn]] void problem(uint32_t i, std::string_view text) const { raiseArgument(s, i + 1 + skipped, function, text); }
    [[noreturn]] void wrongType(uint32_t i, const char* expected) const {
        const std::string_view got = i < count ? std::string_view(typeName(at(i))) : std::string_view("no value");
        raise(s, ErrorKind::BadArgumentType, i + 1 + skipped, std::string_view(function), std::string_view(expected), got);
    }
    double number(uint32_t i) const {
        const Value v = at(i);
        double d = 0;
        if (v.isNumber()) return v.asNumber();
        if (!v.isString() || !base::textToNumber(v.asString()->view(), d)) wrongType(i, "number");
        return d;
    }
    int64_t integer(uint32_t i) const {
        const double d = number(i);
        return d >= -1e15 && d <= 1e15 ? static_cast<int64_t>(d) : 0;
    }
    Closure* closure(uint32_t i) const {
        if (!at(i).isFunction()) wrongType(i, "function");
        return at(i).asFunction();
    }
};

bool hasFrames(const Coroutine* co) { return co == nullptr || co->stack.slot != CoroutineStack::kNoSlot; }

/// Of a program's function; null for the library's.
const Function* codeOf(const Closure* c) { return c == nullptr || c->isBuiltin() ? nullptr : static_cast<const Function*>(c->code); }

// --- captures

/// Index of the visible capture `n`, counted from 1; -1: there is none.
int captureIndex(const Function& f, int64_t n) {
    const std::vector<bc::CaptureName>& names = f.proto->captureNames;
    for (size_t i = 0; i < names.size(); ++i)
        if (names[i].name != 0 && --n == 0) return static_cast<int>(i);
    return -1;
}

uint32_t visibleCaptures(const Function& f) {
    uint32_t count = 0;
    for (const bc::CaptureName& c : f.proto->captureNames) count += c.name != 0 ? 1 : 0;
    return count;
}

/// Where the value of a capture is and in which representation.
struct Place {
    Object* owner = nullptr;
    Word* word = nullptr;
    Rep rep = Rep::Box;
    const TypeDesc* type = nullptr;  // what it may hold; null: anything of that representation
};

Place capturePlace(Closure* c, const Function& f, int index) {
    const auto at = static_cast<size_t>(index);
    Word* word = &c->captures[index];
    const bc::ValueType& known = f.program->chunk.valueTypes[f.proto->captureTypes.empty() ? 0 : f.proto->captureTypes[at]];
    const TypeDesc* type = known.type == bc::kNoIndex ? nullptr : f.program->types[known.type];
    if (!f.proto->captureNames[at].isCell) return {c, word, f.proto->captures[at], type};
    Cell* cell = refOf<Cell>(*word);
    return {cell, &cell->word, static_cast<Rep>(cell->extra), type};
}

Value valueAt(const Place& p) { return boxWord(*p.word, p.rep); }

/// Stores a value where it fits; typed variables of other types than the value's keep what they have.
bool store(State& s, const Place& p, Value v) {
    if (p.type != nullptr && !hasType(s, v, p.type)) return false;
    if (p.rep == Rep::Box || (p.rep == Rep::F64 && v.isNumber())) {
        storeWord(s, p.owner, p.word, v.word());
        return true;
    }
    return false;
}

// --- locals

/// Local `n` of a frame of debuggable code, counted from 1; null: there is none.
const bc::LocalName* localOf(const Level& level, int64_t n) {
    if (level.code != level.function) return nullptr;  // of an inlined call no local is left
    const bc::Proto& p = *level.function->proto;
    if (!p.isDebuggable || n < 1 || level.pc <= level.function->entry) return nullptr;
    const auto at = static_cast<uint32_t>(level.pc - level.function->entry) - 1;
    const uint32_t scope = p.scopes.find(at);
    int64_t count = 0;
    for (uint32_t l = scope; l != 0 && l <= p.locals.size(); l = p.locals[l - 1].outer) ++count;
    uint32_t found = scope;
    for (; count > n && found != 0; --count) found = p.locals[found - 1].outer;
    return count == n && found != 0 && found <= p.locals.size() ? &p.locals[found - 1] : nullptr;
}

std::string_view localName(const Level& level, const bc::LocalName& l) {
    return l.name == 0 ? std::string_view("(*temporary)") : level.function->program->chunk.symbol(l.name);
}

Level levelArgument(const Arguments& a, uint32_t i, int64_t running) {
    const int64_t number = a.integer(i);
    LevelWalk walk(a.s, a.co, a.co == nullptr ? running : -1);
    if (!hasFrames(a.co) || !walk.goTo(number)) a.problem(i, "level out of range");
    return walk.level();
}

// --- getinfo

void put(State& s, LuaTable* t, const char* name, Value v) { luaSetString(s, t, newString(s, name), v); }
void putText(State& s, LuaTable* t, const char* name, std::string_view text) { put(s, t, name, Value::string(newString(s, text))); }

/// The name of the file or text a function stands in, as messages print it.
std::string_view shownSource(const Function& f) {
    const bc::Chunk& chunk = f.program->chunk;
    return f.proto->file < chunk.files.size() ? chunk.symbol(chunk.files[f.proto->file].name) : std::string_view("?");
}

void putSource(State& s, LuaTable* t, const Level& level) {
    if (level.kind != Level::Kind::Code) {
        const bool isTail = level.kind == Level::Kind::Tail;
        putText(s, t, "source", isTail ? "=(tail call)" : "=[C]");
        putText(s, t, "short_src", isTail ? "(tail call)" : "[C]");
        putText(s, t, "what", isTail ? "tail" : "C");
        put(s, t, "linedefined", Value::integer(-1));
        put(s, t, "lastlinedefined", Value::integer(-1));
        return;
    }
    const Function& f = *level.function;
    const bc::Chunk& chunk = f.program->chunk;
    const bool isMain = isMainBlock(f);
    TextBuilder source(s);
    if (f.proto->file < chunk.files.size() && chunk.files[f.proto->file].source != 0) {
        source.append(chunk.symbol(chunk.files[f.proto->file].source));
    } else {
        const std::string_view shown = shownSource(f);
        source.append(shown == "stdin" || shown == "?" ? "=" : "@");
        source.append(shown);
    }
    put(s, t, "source", Value::string(source.finish()));
    putText(s, t, "short_src", shownSource(f));
    putText(s, t, "what", isMain ? "main" : "Lua");
    put(s, t, "linedefined", Value::integer(isMain ? 0 : f.proto->line));
    put(s, t, "lastlinedefined", Value::integer(isMain ? 0 : f.proto->lastLine));
}

/// The lines at which a hook may be called, or that have code.
LuaTable* activeLines(State& s, const Function& f) {
    LuaTable* lines = newLuaTable(s);
    bc::LineTable::Cursor positions(f.proto->lines);
    for (uint32_t at = 0; at < f.codeWords; at += bc::opWords(bc::opOf(f.entry[at]))) {
        const uint32_t line = positions.find(at).line;
        if (f.proto->isDebuggable) {
            if (bc::opOf(f.entry[at]) != bc::Op::Event) continue;
            const auto kind = static_cast<bc::EventKind>(bc::fieldA(f.entry[at]));
            if (kind != bc::EventKind::Line && kind != bc::EventKind::Loop && kind != bc::EventKind::Turn) continue;
        }
        if (line != 0) luaSetInt(s, lines, line, Value::boolean(true));
    }
    // Lua 5.1 has a return at the end of every function, reached or not.
    if (!isMainBlock(f) && f.proto->lastLine != 0) luaSetInt(s, lines, f.proto->lastLine, Value::boolean(true));
    return lines;
}

struct InfoRequest {
    Level level;
    SourceName name;
    bool isRunning = false;  // a level, not a function value
};

void putInfo(State& s, LuaTable* t, const InfoRequest& r, std::string_view options) {
    const bool isCode = r.level.kind == Level::Kind::Code;
    for (char option : options) {
        switch (option) {
            case 'S': putSource(s, t, r.level); break;
            case 'l': {
                const bool isKnown = isCode && r.isRunning;
                put(s, t, "currentline", Value::integer(isKnown ? int64_t{r.level.position().line} : -1));
                break;
            }
            case 'u': put(s, t, "nups", Value::integer(isCode ? visibleCaptures(*r.level.function) : 0)); break;
            case 'n':
                if (r.name) putText(s, t, "name", r.name.name);
                if (r.level.kind == Level::Kind::Tail) putText(s, t, "name", "");
                putText(s, t, "namewhat", bc::nameKindText(r.name.kind));
                break;
            case 'L':
                if (isCode) put(s, t, "activelines", Value::luaTable(activeLines(s, *r.level.function)));
                break;
            case 'f': {
                Closure* c = r.level.kind == Level::Kind::Tail ? nullptr : r.level.closure;
                if (c == nullptr && isCode && r.level.function->signature != nullptr)
                    c = constantClosure(s, const_cast<Function&>(*r.level.function));
                if (c != nullptr) put(s, t, "func", Value::function(c));
                break;
            }
            default: break;
        }
    }
}

// --- metatables and environments

/// Where the metatable of a type that has one for all its values stands; null: the value has its own.
LuaTable** sharedMetatable(State& s, Value v) {
    if (v.isString()) return &s.stringMetatable;
    if (v.isLuaTable() || v.is(Kind::Userdata)) return nullptr;
    return &s.typeMetatables[typeMetatableIndex(v)];
}

bool hasEnvironment(const Closure* c) {
    const Function* f = codeOf(c);
    return f != nullptr && f->proto->isLenient;
}

}  // namespace

// --- strict code

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

// --- lenient code

Word lenientTraceback(State& s, Word* args) {
    Arguments a(s, args, "traceback");
    a.takeCoroutine();
    const Value message = a.at(0);
    if (a.count > 0 && !message.isString() && !message.isNumber()) return packResult(s, message);
    const int64_t level = a.count > 1 && !a.at(1).isNil() ? a.integer(1) : a.co == nullptr ? 1 : 0;
    TextBuilder out(s);
    if (a.count > 0) {
        out.append(toText(s, message)->view());
        out.append('\n');
    }
    out.append("stack traceback:");
    if (hasFrames(a.co)) {
        appendLevels(s, a.co, level, a.co == nullptr ? indexOf(BuiltinId::LenientTraceback) : -1, out);
    } else {
        const Value kept = luaGet(s, sideTable(s, kTracebackTable), Value::object(a.co));
        if (kept.isString()) out.append(kept.asString()->view());
    }
    return packResult(s, Value::string(out.finish()));
}

Word lenientGetInfo(State& s, Word* args) {
    Arguments a(s, args, "getinfo");
    a.takeCoroutine();
    std::string_view options = "flnSu";
    if (a.count > 1 && !a.at(1).isNil()) {
        if (!a.at(1).isString()) a.wrongType(1, "string");
        options = a.at(1).asString()->view();
    }
    InfoRequest r;
    if (a.at(0).isFunction()) {
        r.level.closure = a.at(0).asFunction();
        r.level.function = codeOf(r.level.closure);
        r.level.kind = r.level.function == nullptr ? Level::Kind::Library : Level::Kind::Code;
    } else {
        double ignored;
        if (!a.at(0).isNumber() && !(a.at(0).isString() && base::textToNumber(a.at(0).asString()->view(), ignored)))
            a.problem(0, "function or level expected");
        LevelWalk walk(s, a.co, a.co == nullptr ? indexOf(BuiltinId::GetInfo) : -1);
        if (!hasFrames(a.co) || !walk.goTo(a.integer(0))) return packResult(s, Value::nil());
        r.level = walk.level();
        r.name = walk.name();
        r.isRunning = true;
    }
    for (char option : options)
        if (std::string_view("SlunLf").find(option) == std::string_view::npos) a.problem(1, "invalid option");
    LuaTable* t = newLuaTable(s);
    s.results[0] = Value::luaTable(t).word();
    s.resultCount = 1;
    putInfo(s, t, r, options);
    return packResult(s, Value::luaTable(t));
}

Word lenientGetLocal(State& s, Word* args) {
    Arguments a(s, args, "getlocal");
    a.takeCoroutine();
    const int64_t number = a.integer(0), n = a.integer(1);
    if (a.co == nullptr && number == 0) {
        // The arguments of this very function.
        if (n < 1 || n > s.argCount) return packResult(s, Value::nil());
        const Value v = valueArg(args, static_cast<uint32_t>(n - 1));
        s.results[0] = Value::string(newString(s, "(*temporary)")).word();
        s.results[1] = v.word();
        return packResult(s, 2);
    }
    const Level level = levelArgument(a, 0, indexOf(BuiltinId::GetLocal));
    const bc::LocalName* l = level.kind == Level::Kind::Code ? localOf(level, n) : nullptr;
    if (l == nullptr) return packResult(s, Value::nil());
    const Word word = level.frame[l->reg];
    const Value v = l->isCell ? Value::fromWord(refOf<Cell>(word)->word) : Value::fromWord(word);
    s.results[1] = v.word();
    s.resultCount = 2;
    s.results[0] = Value::string(newString(s, localName(level, *l))).word();
    return packResult(s, 2);
}

Word lenientSetLocal(State& s, Word* args) {
    Arguments a(s, args, "setlocal");
    a.takeCoroutine();
    const int64_t n = a.integer(1);
    const Level level = levelArgument(a, 0, indexOf(BuiltinId::SetLocal));
    if (a.count < 3) a.problem(2, "value expected");
    const bc::LocalName* l = level.kind == Level::Kind::Code ? localOf(level, n) : nullptr;
    if (l == nullptr) return packResult(s, Value::nil());
    if (l->isCell) {
        Cell* cell = refOf<Cell>(level.frame[l->reg]);
        storeWord(s, cell, &cell->word, a.at(2).word());
    } else {
        level.frame[l->reg] = a.at(2).word();
    }
    return packResult(s, Value::string(newString(s, localName(level, *l))));
}

Word lenientGetUpvalue(State& s, Word* args) {
    Arguments a(s, args, "getupvalue");
    const int64_t n = a.integer(1);
    Closure* c = a.closure(0);
    const Function* f = codeOf(c);
    const int index = f == nullptr || n < 1 ? -1 : captureIndex(*f, n);
    if (index < 0) return packResult(s, 0);
    s.results[1] = valueAt(capturePlace(c, *f, index)).word();
    s.resultCount = 2;
    s.results[0] = Value::string(newString(s, f->program->chunk.symbol(f->proto->captureNames[static_cast<size_t>(index)].name))).word();
    return packResult(s, 2);
}

Word lenientSetUpvalue(State& s, Word* args) {
    Arguments a(s, args, "setupvalue");
    if (a.count < 3) a.problem(2, "value expected");
    const int64_t n = a.integer(1);
    Closure* c = a.closure(0);
    const Function* f = codeOf(c);
    const int index = f == nullptr || n < 1 ? -1 : captureIndex(*f, n);
    if (index < 0 || !store(s, capturePlace(c, *f, index), a.at(2))) return packResult(s, 0);
    return packResult(s, Value::string(newString(s, f->program->chunk.symbol(f->proto->captureNames[static_cast<size_t>(index)].name))));
}

Word lenientSetHook(State& s, Word* args) {
    Arguments a(s, args, "sethook");
    a.takeCoroutine();
    Coroutine* co = a.skipped != 0 ? valueArg(args, 0).asCoroutine() : s.currentCoroutine;
    if (a.at(0).isNil()) {
        setHook(s, co, Value::nil(), 0, 0);
        return packResult(s, 0);
    }
    if (!a.at(1).isString()) a.wrongType(1, "string");
    a.closure(0);
    const std::string_view letters = a.at(1).asString()->view();
    const int64_t count = a.at(2).isNil() ? 0 : a.integer(2);
    uint8_t mask = 0;
    if (letters.find('c') != letters.npos) mask |= kHookCall;
    if (letters.find('r') != letters.npos) mask |= kHookReturn;
    if (letters.find('l') != letters.npos) mask |= kHookLine;
    if (count > 0) mask |= kHookCount;
    setHook(s, co, a.at(0), mask, count > 0 ? static_cast<uint32_t>(count) : 0);
    return packResult(s, 0);
}

Word lenientGetHook(State& s, Word* args) {
    Arguments a(s, args, "gethook");
    Coroutine* co = a.at(0).is(Kind::Coroutine) ? a.at(0).asCoroutine() : s.currentCoroutine;
    const HookState h = hookOf(s, co);
    char letters[3];
    size_t length = 0;
    if ((h.mask & kHookCall) != 0) letters[length++] = 'c';
    if ((h.mask & kHookReturn) != 0) letters[length++] = 'r';
    if ((h.mask & kHookLine) != 0) letters[length++] = 'l';
    String* mask = newString(s, std::string_view(letters, length));
    const Value function = hookFunction(s, co);
    s.results[0] = function.word();
    s.results[1] = Value::string(mask).word();
    s.results[2] = Value::integer(h.count).word();
    return packResult(s, 3);
}

Word lenientGetRegistry(State& s, Word*) { return packResult(s, Value::luaTable(s.registry)); }

Word lenientDebugGetMetatable(State& s, Word* args) {
    Arguments a(s, args, "getmetatable");
    if (a.count == 0) a.problem(0, "value expected");
    LuaTable* meta = metatableOf(s, a.at(0));
    return packResult(s, meta == nullptr ? Value::nil() : Value::luaTable(meta));
}

Word lenientDebugSetMetatable(State& s, Word* args) {
    Arguments a(s, args, "setmetatable");
    const Value v = a.at(0);
    if (!a.at(1).isNil() && !a.at(1).isLuaTable()) a.problem(1, "nil or table expected");
    LuaTable* meta = a.at(1).isNil() ? nullptr : a.at(1).asLuaTable();
    if (LuaTable** shared = sharedMetatable(s, v)) {
        if (!v.isString() && typeMetatableIndex(v) == 6) a.problem(0, "values of this type have no metatable");
        *shared = meta;
    } else if (v.isLuaTable()) {
        setMetatable(s, v.asLuaTable(), meta);
    } else {
        storeRef(s, v.asUserdata(), &v.asUserdata()->metatable, meta);
    }
    return packResult(s, Value::boolean(true));
}

Word lenientDebugGetFEnv(State& s, Word* args) {
    Arguments a(s, args, "getfenv");
    const Value v = a.at(0);
    if (v.isFunction() && hasEnvironment(v.asFunction())) return packResult(s, Value::fromWord(v.asFunction()->captures[0]));
    if (!v.isFunction() && !v.is(Kind::Coroutine) && !v.is(Kind::Userdata)) return packResult(s, Value::nil());
    const Value own = v.isFunction() ? Value::nil() : luaGet(s, sideTable(s, kEnvironmentTable), v);
    return packResult(s, own.isNil() ? Value::luaTable(lenientGlobals(s)) : own);
}

Word lenientDebugSetFEnv(State& s, Word* args) {
    Arguments a(s, args, "setfenv");
    const Value v = a.at(0);
    if (!a.at(1).isLuaTable()) a.wrongType(1, "table");
    if (v.isFunction() && hasEnvironment(v.asFunction())) {
        storeWord(s, v.asFunction(), &v.asFunction()->captures[0], a.at(1).word());
    } else if (v.is(Kind::Coroutine) || v.is(Kind::Userdata)) {
        luaSet(s, sideTable(s, kEnvironmentTable), v, a.at(1));
    } else {
        raise(s, ErrorKind::Message, "'setfenv' cannot change environment of given object");
    }
    return packResult(s, v);
}

namespace {

/// One line of debug.debug(), compiled and called.
struct DebugLine {
    std::string_view text;
};

void runDebugLine(State& s, void* data) {
    const LibraryOptions& options = libState(s).options;
    String* problem = nullptr;
    Program* program =
        options.loadText == nullptr ? nullptr : options.loadText(s, static_cast<DebugLine*>(data)->text, "=(debug command)", problem, options.loadContext);
    if (program == nullptr) raiseValue(s, problem == nullptr ? Value::nil() : Value::string(problem));
    call(s, Value::function(entryClosure(s, *program)), {});
}

}  // namespace

/// Reads lines and runs them until the line "cont" or the end of the input.
Word lenientDebugDebug(State& s, Word*) {
    for (;;) {
        char line[250];
        std::fputs("lua_debug> ", stderr);
        std::FILE* in = libState(s).options.in;
        if (in == nullptr || std::fgets(line, sizeof line, in) == nullptr || std::string_view(line) == "cont\n") return packResult(s, 0);
        DebugLine text{line};
        if (protectedCall(s, runDebugLine, &text)) continue;
        String* message = toText(s, s.errorValue);
        std::fwrite(message->data(), 1, message->length, stderr);
        std::fputc('\n', stderr);
    }
}

}  // namespace luapp::rt
