// The levels of a stack as Lua 5.1 counts them: what is running is level 0, its caller level 1, and so on, functions of the library
// included. Made from the frames of the VM stack (call.h) and from what the instructions say that wait in them; a library function that
// another library function calls has no frame and shows only if it is the innermost.
#pragma once

#include "runtime/vm/call.h"
#include "runtime/vm/load.h"
#include "runtime/vm/source_names.h"

namespace luapp::rt {

struct Level {
    enum class Kind : uint8_t {
        Code,     // a function of a program
        Library,  // a function of the library
        Tail,     // a debuggable function that waits in `return f()`: Lua 5.1 would have forgotten it
    };
    Kind kind = Kind::Code;
    int64_t builtin = -1;               // Library: its index; -1: not known
    Closure* closure = nullptr;         // null: not known, or there is none
    const Function* function = nullptr; // Code and Tail
    const Function* code = nullptr;     // whose code runs: another than `function` if the call was inlined
    const Insn* pc = nullptr;
    uint32_t innerSite = 0;             // the inlined call it waits for, or 0
    Word* frame = nullptr;              // register 0

    /// Code and Tail.
    SourcePosition position() const { return positionOf(*code, pc, innerSite); }
};

class LevelWalk {
public:
    /// Begins at what runs now, or at what a suspended coroutine waits in. `running`: index of the library function that asks, -1: none.
    LevelWalk(State& s, const Coroutine* co, int64_t running = -1);
    /// Goes to the next level; false when there is none.
    bool next();
    /// Goes to level `number`, counted from 0; false if there is none. Only before next().
    bool goTo(int64_t number);
    const Level& level() const { return level_; }
    /// What the caller calls the function of this level.
    SourceName name() const;

private:
    bool stepFrame();
    bool waitsInTailCall();
    void setLibrary(Closure* closure, int64_t builtin);

    State& s_;
    FrameWalk walk_;
    Level level_;
    int64_t running_;
    bool isFirst_ = true;
    bool hasFrame_ = false;     // walk_ stands at a frame that has not been shown
    bool hasLibrary_ = false;   // and the library function it has called has not been shown either
    const Insn* tailPc_ = nullptr;  // what waitsInTailCall() answered last
    bool isTail_ = false;
};

/// The lines of a traceback in the form of Lua 5.1, from level `from` on; the middle of a long one is left out.
void appendLevels(State& s, const Coroutine* co, int64_t from, int64_t running, TextBuilder& out);

/// Keeps what a traceback of a coroutine that is ending by an error would show.
void keepTracebackOf(State& s, Coroutine* co);

/// The table of the registry with the tracebacks of coroutines that ended by an error.
inline constexpr const char* kTracebackTable = "(tracebacks)";

/// "file:line: " of a level, or the empty string: functions of the library have no place. In strict code positionPrefix().
String* levelPrefix(State& s, int64_t number, int64_t running);

/// How the running code calls the library function `function` (the last part of its name) that runs now; nothing if it does not, or if
/// the source has no name for it.
SourceName calledName(State& s, std::string_view function);

/// Is it the main block of a file or text?
bool isMainBlock(const Function& f);

}  // namespace luapp::rt
