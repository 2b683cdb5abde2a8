#pragma once
// One plain struct per subcommand with its defaults, and the function that fills them from a command line.
//
// options.cpp is the only place that knows CLI11; the table there holds every option with its help text. The commands
// (commands.cpp) read these structs and never see argv.

#include <cstdint>
#include <string>
#include <vector>

#include "frontend/diag/render.h"
#include "middle/pass_manager.h"

namespace luapp::driver {

enum class Command : uint8_t { None, Run, Repl, Build, Check, Disasm };
enum class ColorMode : uint8_t { Auto, Always, Never };

/// Options that several commands share.
struct CommonOptions {
    ColorMode color = ColorMode::Auto;
    bool timings = false;  // print what each stage took to standard error
    int level = ir::kDefaultLevel;  // of optimisation; not for check
};

struct RunOptions {
    /// `-e CODE` or `-l MODULE`, to be run before the file.
    struct First {
        bool isModule;
        std::string text;
    };
    std::vector<First> first;       // in order
    bool isInteractive = false;     // an interactive session follows
    std::vector<std::string> before;  // the command line up to the file
    std::string file;               // "-": standard input; empty: only `first`, or the session
    std::vector<std::string> args;  // for the program, untouched
    uint64_t memoryLimit = 0;       // bytes; 0: none
    bool gcLog = false;             // the collector tells what it does
};

struct ReplOptions {
    bool isStrict = false;
    int level = ir::kDefaultLevel;  // of optimisation
    uint64_t memoryLimit = 0;  // bytes; 0: none
};

struct BuildOptions {
    std::string file;
    std::string out;  // empty: FILE with the ending .lbc
};

struct CheckOptions {
    std::vector<std::string> paths;
    frontend::DiagFormat format = frontend::DiagFormat::Text;
    bool denyWarnings = false;
    std::vector<std::string> silenced;  // codes of warnings; an empty one: all
    std::string explain;  // a diagnostic's code; then nothing is checked
};

struct DisasmOptions {
    std::string file;
    std::string emit = "bytecode";
    std::string passes;      // comma-separated; "default": the pipeline; "none"
    int64_t passLimit = -1;  // run only the first N passes; -1: all
    bool statistics = false;
};

struct Options {
    Command command = Command::None;
    CommonOptions common;
    RunOptions run;
    ReplOptions repl;
    BuildOptions build;
    CheckOptions check;
    DisasmOptions disasm;
};

/// What became of a command line.
struct ParsedOptions {
    Options options;
    bool done = false;   // help or version was printed, or a mistake was reported: return `status`
    int status = 0;
};

/// Reads the command line. Prints help and version texts to standard output, mistakes to standard error.
ParsedOptions parseOptions(int argc, const char* const* argv);

}  // namespace luapp::driver
