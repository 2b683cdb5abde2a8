#include "runtime/lib/library.h"

#include <cstdlib>

#include "runtime/lib/builtin_values.h"
#include "runtime/lib/lib_support.h"
#include "runtime/lib/signature_parser.h"

namespace luapp::rt {

void openLibrary(State& s, const LibraryOptions& options) {
    LibState* const lib = new LibState{};
    lib->options = options;
    seedRandom(lib->random, 0);
    s.libraryData = lib;
    s.builtins = &kBuiltinTable;
}

void closeLibrary(State& s) {
    if (s.libraryData == nullptr) return;
    flushOutput(s);
    LibState* const lib = &libState(s);
    if (lib->signatures != nullptr)
        for (unsigned i = 0; i < kBuiltinCount; i++) delete lib->signatures[i];
    std::free(lib->signatures);
    std::free(s.builtinClosures);
    s.builtinClosures = nullptr;
    s.builtinClosureCount = 0;
    s.builtins = nullptr;
    s.libraryData = nullptr;
    delete lib;
}

void flushOutput(State& s) {
    const LibState& lib = libState(s);
    std::fflush(lib.options.out);
    if (lib.files.output != nullptr && streamOf(lib.files.output).file != nullptr) std::fflush(streamOf(lib.files.output).file);
}

}  // namespace luapp::rt
