#pragma once
// The command line of luapp: `run`, `repl`, `build`, `check`, `disasm`, `help`, `version`.
//
// main() and the golden runner call run(); everything else of this folder serves it. It reads the files a command names,
// drives the stages through Compilation (pipeline.h) and prints. Exit statuses are those of ExitStatus. Nothing below
// this folder parses options, prints diagnostics or ends the process.

namespace luapp::driver {

/// What the process ends with.
enum ExitStatus : int {
    kExitOk = 0,
    kExitProgramError = 1,  // errors in the program, at compile time or run time
    kExitUsage = 2,         // wrong use of the command line
    kExitInternal = 70,     // a bug in luapp itself
    kExitInterrupted = 130, // SIGINT
};

/// Runs the command line in `argv` (argv[0] is the program's name) and returns the exit status. Uses the process's
/// standard streams and current directory. Does not return if the program calls os.exit.
int run(int argc, const char* const* argv);

}  // namespace luapp::driver
