// The library as its users outside see it: open it in a fresh State, close it before the State goes. Opening sets a few
// words (no heap objects): the table the VM calls through, the random numbers, the standard files. Libraries and their functions
// become values only when a program asks for them.
#pragma once

#include <cstdio>
#include <span>
#include <string>

#include "runtime/bytecode/verify.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

struct Program;

/// The C streams behind io.stdin, io.stdout and io.stderr; tests give others than the process's own.
struct LibraryOptions {
    std::FILE* in = stdin;
    std::FILE* out = stdout;
    std::FILE* err = stderr;
    /// Ends the process for os.exit; null: flush everything and call exit(). Must not return.
    void (*exitProcess)(State& s, int status) = nullptr;
    /// Programs get nothing from outside: functions that open files, start processes, end this one or look at its environment raise an error.
    bool isClosed = false;
    /// What `require` does with a name that no loaded module has: runs the module, which enters itself. `file`: the one that has it; null:
    /// to be found as imports are. False if there is none; an error in it is raised. Null: there never is one.
    bool (*requireModule)(State& s, String* name, String* file, void* context) = nullptr;
    void* requireContext = nullptr;
    /// What `load` and its like do with a text: compiles and loads it as lenient code. Null, with `problem` set, if it has errors;
    /// `chunkName` as in Lua: "@file", "=name", or the text itself. Null: nothing can be compiled.
    Program* (*loadText)(State& s, std::string_view text, std::string_view chunkName, String*& problem, void* context) = nullptr;
    void* loadContext = nullptr;
    /// What stood on the command line before the script: arg[-1] of lenient code is the last of it. It must outlive the library.
    std::span<const std::string> commandLine = {};
};

/// What the verifier of chunks (bytecode/verify.h) needs to know of the library.
bc::VerifyOptions verifyOptions();

/// Makes the library available to programs of `s`. To be called once, before any program is loaded.
void openLibrary(State& s, const LibraryOptions& options = {});

/// Runs the finalisers of all objects, writes out the standard output and frees what openLibrary made; the State's finalisers close other files.
void closeLibrary(State& s);

/// Writes out everything standard output has buffered.
void flushOutput(State& s);

}  // namespace luapp::rt
