#pragma once
// A State in which the driver runs programs, one after another: what `-e` and `-l` ask for, the program itself, the entries of an
// interactive session. They share globals and loaded modules, since all of them run in the one State.
//
// An error that nothing catches is printed with its traceback on standard error and ends that program alone. SIGINT interrupts what is
// running. The session also gives the library its compiler (`load`, `require`). Not copyable; closing it runs the finalisers.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "middle/pass_manager.h"
#include "runtime/bytecode/proto.h"

namespace luapp::rt {
struct State;
}

namespace luapp::driver {

struct SessionSettings {
    std::string name;                    // of the main file; arg[0]
    std::vector<std::string> args;       // the program's `...` and arg[1..]
    std::vector<std::string> before;     // the command line before the file; its last word is arg[-1] in lenient code
    uint64_t memoryLimit = 0;            // bytes; 0: none
    int level = ir::kDefaultLevel;       // of optimisation, for what is compiled while the program runs
    bool gcLog = false;                  // a line to standard error for each pause of the collector (gc_log.h)
};

/// A text compiled for running now.
struct CompiledText {
    bc::Chunk chunk;
    std::string problem;        // why it cannot run; empty: it can
    bool isIncomplete = false;  // more lines might put it right
};

/// Compiles a text as lenient code, as `load` does. `chunkName` as in Lua: "@file", "=name", or the text itself.
void compileLenientText(std::string_view text, std::string_view chunkName, int level, CompiledText& compiled);

class Session {
  public:
    /// Null, after a message, if the system has no memory for it. `settings` must outlive the session.
    static std::unique_ptr<Session> open(const SessionSettings& settings);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    enum class Results : uint8_t { Dropped, Printed };
    /// Runs a chunk, which must be right by construction or verified, with the program's arguments. False after an error.
    bool run(bc::Chunk&& chunk, Results results = Results::Dropped);
    /// Runs a text as lenient code.
    bool runText(std::string_view text, std::string_view chunkName);
    /// require(name) in lenient code.
    bool require(std::string_view name);

    /// The level of optimisation of what it compiles.
    int level() const;
    /// The exit status that the last run() asks for.
    int status() const { return status_; }
    rt::State& state() { return *state_; }

  private:
    struct Impl;
    Session(rt::State* state, std::unique_ptr<Impl> impl);

    rt::State* state_;
    std::unique_ptr<Impl> impl_;
    int status_ = 0;
};

}  // namespace luapp::driver
