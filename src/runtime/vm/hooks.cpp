#include "runtime/vm/hooks.h"

#include <cstring>

#include "runtime/object/closure.h"
#include "runtime/object/lua_table.h"
#include "runtime/vm/call.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

namespace {

/// The table of the registry that has the hook functions by coroutine; the main program's at `true`. Its keys are weak.
LuaTable* hookTable(State& s) {
    String* name = newString(s, "(hooks)");
    const Value known = luaGetString(s, s.registry, name);
    if (known.isLuaTable()) return known.asLuaTable();
    LuaTable* table = newLuaTable(s);
    luaSetString(s, s.registry, name, Value::luaTable(table));
    LuaTable* meta = newLuaTable(s);
    storeRef(s, table, &table->metatable, meta);
    luaSetString(s, meta, newString(s, "__mode"), Value::string(newString(s, "k")));
    return table;
}

Value keyOf(Coroutine* co) { return co == nullptr ? Value::boolean(true) : Value::object(co); }

bool isLibraryFunction(Value v) { return v.isFunction() && v.asFunction()->isBuiltin(); }

/// The result area as it was, kept on the VM stack while a hook runs.
class SavedResults {
public:
    explicit SavedResults(State& s) : s_(s), count_(s.resultCount), argCount_(s.argCount), top_(s.top) {
        kept_ = nestedBase(s);
        if (kept_ + count_ + kStackHeadroom >= s.context->stackEnd) raiseStackOverflow(s);
        std::memcpy(kept_, s.results, count_ * sizeof(Word));
        s.top = kept_ + count_;
    }
    void restore() {
        std::memcpy(s_.results, kept_, count_ * sizeof(Word));
        s_.resultCount = count_;
        s_.argCount = argCount_;
        s_.top = top_;
    }

private:
    State& s_;
    uint32_t count_;
    uint32_t argCount_;
    Word* top_;
    Word* kept_;
};

void callHook(State& s, HookState& h, std::string_view event, Value line) {
    const Value function = hookFunction(s, s.currentCoroutine);
    if (function.isNil()) return;
    SavedResults results(s);
    const Value args[2] = {Value::string(newString(s, event)), line};
    h.isRunning = true;
    call(s, function, args);
    h.isRunning = false;
    results.restore();
}

/// How many instructions of Lua 5.1 an event stands for.
int weightOf(bc::EventKind kind) {
    switch (kind) {
        case bc::EventKind::Enter: return 1;
        case bc::EventKind::Line: return 2;
        case bc::EventKind::Loop: return 4;
        case bc::EventKind::Turn: return 1;
        case bc::EventKind::Return: return 1;
        case bc::EventKind::BeforeCall:
        case bc::EventKind::AfterCall: return 0;
    }
    return 0;
}

void countInstructions(State& s, HookState& h, int weight) {
    h.left -= weight;
    while (h.left <= 0 && (h.mask & kHookCount) != 0) {
        h.left += h.count;
        callHook(s, h, "count", Value::nil());
    }
}

void noteLine(State& s, HookState& h) {
    const Function* f = findFunction(s, s.pc);
    const uint32_t line = f == nullptr ? 0 : positionOf(*f, s.pc).line;
    const bool isNew = s.frame != h.lastFrame || s.pc <= h.lastPc || line != h.lastLine;
    h.lastFrame = s.frame;
    h.lastPc = s.pc;
    h.lastLine = line;
    if (isNew && line != 0) callHook(s, h, "line", Value::integer(line));
}

/// The next line event belongs to the function that is at (frame, pc) now.
void continueAt(HookState& h, const FrameWalk& walk) {
    h.lastFrame = walk.base();
    h.lastPc = walk.pc();
    h.lastLine = walk.position().line;
}

void noteReturn(State& s, HookState& h) {
    FrameWalk walk(s, nullptr);
    if (walk.next() && walk.next()) continueAt(h, walk);
}

}  // namespace

HookState& hookOf(State& s, Coroutine* co) { return co == nullptr ? s.mainHook : co->hook; }

Value hookFunction(State& s, Coroutine* co) {
    if (hookOf(s, co).mask == 0) return Value::nil();
    return luaGet(s, hookTable(s), keyOf(co));
}

void setHook(State& s, Coroutine* co, Value function, uint8_t mask, uint32_t count) {
    HookState& h = hookOf(s, co);
    const bool isRunning = h.isRunning;
    if (mask == 0) function = Value::nil();
    luaSet(s, hookTable(s), keyOf(co), function);
    h = {};
    h.isRunning = isRunning;
    if (function.isNil()) return;
    h.mask = mask;
    h.count = count;
    h.left = count;
    s.hooksUsed = true;
    FrameWalk walk(s, co == s.currentCoroutine ? nullptr : co);
    const bool hasFrames = co == s.currentCoroutine || co == nullptr || co->stack.slot != CoroutineStack::kNoSlot;
    if (hasFrames && walk.next()) continueAt(h, walk);
}

void hookEvent(State& s, bc::EventKind kind, Value callee) {
    HookState& h = hookOf(s, s.currentCoroutine);
    if (h.mask == 0 || h.isRunning) return;
    s.top = nullptr;
    if ((h.mask & kHookCount) != 0) countInstructions(s, h, weightOf(kind));
    switch (kind) {
        case bc::EventKind::Enter:
            h.lastFrame = s.frame;
            h.lastPc = s.pc;
            h.lastLine = 0;
            if ((h.mask & kHookCall) != 0) callHook(s, h, "call", Value::nil());
            return;
        case bc::EventKind::Line:
        case bc::EventKind::Loop:
        case bc::EventKind::Turn:
            if ((h.mask & kHookLine) != 0) noteLine(s, h);
            return;
        case bc::EventKind::Return: {
            const bool isTail = callee.isFunction() && !isLibraryFunction(callee);
            if ((h.mask & kHookReturn) != 0) callHook(s, h, isTail ? "tail return" : "return", Value::nil());
            if ((h.mask & kHookLine) != 0) noteReturn(s, h);
            return;
        }
        case bc::EventKind::BeforeCall:
            if ((h.mask & kHookCall) != 0 && isLibraryFunction(callee)) callHook(s, h, "call", Value::nil());
            return;
        case bc::EventKind::AfterCall:
            if ((h.mask & kHookReturn) != 0 && isLibraryFunction(callee)) callHook(s, h, "return", Value::nil());
            return;
    }
}

}  // namespace luapp::rt
