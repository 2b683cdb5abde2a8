#include "runtime/vm/levels.h"

#include "runtime/object/lua_table.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/coroutine.h"

namespace luapp::rt {

namespace {

/// The instruction before `pc`; null: there is none.
const Insn* instructionBefore(const Function& f, const Insn* pc) {
    const Insn* last = nullptr;
    for (const Insn* at = f.entry; at < pc; at += bc::opWords(bc::opOf(*at))) last = at;
    return last;
}

/// The function value in a register, boxed or as the call has left it; a call that is being prepared may have left something else.
Closure* closureIn(const State& s, Word w) {
    const Value v = Value::fromWord(w);
    if (v.isFunction()) return v.asFunction();
    Object* o = w >> 48 == 0 ? s.heap.findObject(w) : nullptr;
    return o != nullptr && reinterpret_cast<Word>(o) == w && o->kind == Kind::Closure ? refOf<Closure>(w) : nullptr;
}

struct Called {
    Closure* closure = nullptr;
    int64_t builtin = -1;
    bool isLibrary = false;
};

/// The library function in whose call a frame waits.
Called calledLibrary(const State& s, const FrameWalk& walk) {
    Called out;
    const Insn* at = instructionBefore(walk.code(), walk.pc());
    if (at == nullptr) return out;
    switch (bc::opOf(*at)) {
        case bc::Op::CallB: out.builtin = bc::fieldD(*at); break;
        case bc::Op::CallBV:
        case bc::Op::CallBVPack:
        case bc::Op::CallYield:
        case bc::Op::CallResume: out.builtin = at[1]; break;
        case bc::Op::CallDyn:
        case bc::Op::CallDynPack: out.closure = closureIn(s, walk.frame()[bc::fieldA(*at) + 2]); break;
        case bc::Op::Event: {
            const auto kind = static_cast<bc::EventKind>(bc::fieldA(*at));
            if (kind == bc::EventKind::BeforeCall || kind == bc::EventKind::AfterCall)
                out.closure = closureIn(s, walk.frame()[bc::fieldB(*at)]);
            break;
        }
        default: return out;
    }
    if (out.closure != nullptr && !out.closure->isBuiltin()) return {};
    if (out.closure != nullptr && !out.closure->isAdapter() && !out.closure->isBoundMethod()) out.builtin = out.closure->builtinIndex();
    out.isLibrary = out.closure != nullptr || out.builtin >= 0;
    return out;
}

}  // namespace

bool isMainBlock(const Function& f) {
    if (&f == &f.program->entry()) return true;
    for (const bc::ModuleEntry& m : f.program->chunk.modules)
        if (&f.program->functions[m.main] == &f) return true;
    return false;
}

LevelWalk::LevelWalk(State& s, const Coroutine* co, int64_t running) : s_(s), walk_(s, co), running_(running) {}

/// False for the entry of a program of several modules: it only runs their main blocks in turn and stands in no file.
static bool isShown(const Function& f) { return f.proto->file != bc::kNoIndex || !f.proto->lines.bytes().empty(); }

bool LevelWalk::stepFrame() {
    do {
        if (!walk_.next()) return false;
    } while (!isShown(walk_.function()));
    return true;
}

void LevelWalk::setLibrary(Closure* closure, int64_t builtin) {
    level_ = {};
    level_.kind = Level::Kind::Library;
    level_.builtin = builtin;
    level_.closure = closure;
    if (closure == nullptr && builtin >= 0) level_.closure = s_.builtins->closure(s_, static_cast<uint32_t>(builtin));
}

bool LevelWalk::waitsInTailCall() {
    const Function& f = walk_.function();
    if (!f.proto->isDebuggable || walk_.isBelowNative() || walk_.innerSite() != 0) return false;
    if (walk_.pc() == tailPc_) return isTail_;
    tailPc_ = walk_.pc();
    isTail_ = isTailCallAt(f, tailPc_);
    return isTail_;
}

bool LevelWalk::next() {
    Called called;
    if (!hasFrame_) {
        hasFrame_ = stepFrame();
        if (hasFrame_ && walk_.isBelowNative()) called = calledLibrary(s_, walk_);
        hasLibrary_ = called.isLibrary;
        if (isFirst_ && running_ >= 0 && called.builtin != running_) {
            isFirst_ = false;
            setLibrary(nullptr, running_);
            return true;
        }
        isFirst_ = false;
        if (!hasFrame_) return false;
    } else if (hasLibrary_) {
        called = calledLibrary(s_, walk_);
    }
    if (hasLibrary_) {
        hasLibrary_ = false;
        setLibrary(called.closure, called.builtin);
        return true;
    }
    hasFrame_ = false;
    const Function& f = walk_.function();
    level_ = {};
    level_.function = &f;
    level_.code = &walk_.code();
    level_.pc = walk_.pc();
    level_.innerSite = walk_.innerSite();
    level_.frame = walk_.base();
    level_.kind = waitsInTailCall() ? Level::Kind::Tail : Level::Kind::Code;
    if (!f.proto->captures.empty() && !walk_.isInlined()) level_.closure = refOf<Closure>(level_.frame[-1]);
    return true;
}

SourceName LevelWalk::name() const {
    if (level_.kind == Level::Kind::Tail) return {};
    if (level_.kind == Level::Kind::Library) {
        if (!hasFrame_) return {};
        SourceName name = operandNameAt(walk_.code(), walk_.pc(), bc::NoteUse::Call, 0);
        return name ? name : operandNameAt(walk_.code(), walk_.pc(), bc::NoteUse::TailCall, 0);
    }
    // The caller says it, if it is code as well; of an inlined call no note is left.
    if (walk_.isInlined()) return {};
    FrameWalk caller = walk_;
    if (!caller.next() || caller.isBelowNative()) return {};
    return operandNameAt(caller.code(), caller.pc(), bc::NoteUse::Call, 0);
}

namespace {

/// The name of a level, unless the function calls itself otherwise: then the one that the caller named has given its frame to it.
SourceName plausibleName(const LevelWalk& walk) {
    const SourceName name = walk.name();
    const Level& level = walk.level();
    if (!name || level.kind != Level::Kind::Code || level.function->proto->isDebuggable) return name;
    std::string_view own = level.function->program->chunk.symbol(level.function->proto->name);
    if (own.starts_with("function at ")) return name;
    own.remove_prefix(own.find_last_of(".:") + 1);
    return own == name.name ? name : SourceName{};
}

void appendLevel(const LevelWalk& walk, TextBuilder& out) {
    const Level& level = walk.level();
    auto number = [&](uint32_t n) {
        char digits[base::kNumberTextSize];
        out.append(std::string_view(digits, base::integerToText(n, digits)));
    };
    out.append("\n\t");
    if (level.kind != Level::Kind::Code) {
        out.append(level.kind == Level::Kind::Tail ? "(tail call):" : "[C]:");
    } else {
        const SourcePosition at = level.position();
        out.append(at.line == 0 ? std::string_view("?") : at.file);
        out.append(':');
        if (at.line != 0) {
            number(at.line);
            out.append(':');
        }
    }
    if (const SourceName name = plausibleName(walk)) {
        out.append(" in function '");
        out.append(name.name);
        out.append("'");
    } else if (level.kind != Level::Kind::Code) {
        out.append(" ?");
    } else if (isMainBlock(*level.function)) {
        out.append(" in main chunk");
    } else {
        const bc::Proto& p = *level.function->proto;
        const bc::Chunk& chunk = level.function->program->chunk;
        out.append(" in function <");
        out.append(p.file < chunk.files.size() ? chunk.symbol(chunk.files[p.file].name) : std::string_view("?"));
        out.append(':');
        number(p.line);
        out.append('>');
    }
}

}  // namespace

void appendLevels(State& s, const Coroutine* co, int64_t from, int64_t running, TextBuilder& out) {
    constexpr int64_t kFirst = 12, kLast = 10;
    int64_t count = 0;
    for (LevelWalk walk(s, co, running); walk.next();) ++count;
    LevelWalk walk(s, co, running);
    for (int64_t at = 0; walk.next(); ++at) {
        if (at < from) continue;
        if (at >= kFirst && from < kFirst && at < count - kLast) {
            if (at == kFirst) out.append("\n\t...");
            continue;
        }
        appendLevel(walk, out);
    }
}

String* levelPrefix(State& s, int64_t number, int64_t running) {
    if (!isLenientCode(s)) return positionPrefix(s, static_cast<int>(number));
    LevelWalk walk(s, nullptr, running);
    if (!walk.goTo(number) || walk.level().kind != Level::Kind::Code) return s.emptyString;
    const SourcePosition at = walk.level().position();
    if (at.line == 0) return s.emptyString;
    char digits[base::kNumberTextSize];
    TextBuilder out(s);
    out.append(at.file);
    out.append(':');
    out.append(std::string_view(digits, base::integerToText(at.line, digits)));
    out.append(": ");
    return out.finish();
}

SourceName calledName(State& s, std::string_view function) {
    FrameWalk walk(s, nullptr);
    if (!walk.next() || !walk.function().proto->isLenient) return {};
    const Called called = calledLibrary(s, walk);
    if (called.builtin < 0) return {};
    const std::string_view name = s.builtins->names[called.builtin];
    if (name.substr(name.rfind('.') + 1) != function) return {};
    return operandName(s, bc::NoteUse::Call);
}

void keepTracebackOf(State& s, Coroutine* co) {
    if (s.registry == nullptr) return;
    TextBuilder out(s);
    appendLevels(s, nullptr, 0, -1, out);
    String* text = out.finish();
    String* name = newString(s, kTracebackTable);
    Value table = luaGetString(s, s.registry, name);
    if (!table.isLuaTable()) {
        LuaTable* made = newLuaTable(s);
        LuaTable* meta = newLuaTable(s);
        storeRef(s, made, &made->metatable, meta);
        luaSetString(s, meta, newString(s, "__mode"), Value::string(newString(s, "k")));
        luaSetString(s, s.registry, name, Value::luaTable(made));
        table = Value::luaTable(made);
    }
    luaSet(s, table.asLuaTable(), Value::object(co), Value::string(text));
}

bool LevelWalk::goTo(int64_t number) {
    for (int64_t at = 0; at <= number; ++at) {
        if (!next()) return false;
        // What waits at the same place is of the same kind.
        if (level_.kind != Level::Kind::Library && !walk_.isBelowNative()) at += walk_.skipAlike(number - at - 1);
    }
    return number >= 0;
}

}  // namespace luapp::rt
