#include "runtime/lib/library.h"

#include <cstdlib>

#include "runtime/lib/builtin_values.h"
#include "runtime/lib/lib_support.h"
#include "runtime/lib/signature_parser.h"
#include "runtime/vm/finalizers.h"

namespace luapp::rt {

namespace {

void warn(State& s, std::string_view text) {
    flushOutput(s);
    std::fprintf(libState(s).options.err, "luapp: warning: %.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace

void openLibrary(State& s, const LibraryOptions& options) {
    LibState* const lib = new LibState{};
    lib->options = options;
    seedRandom(lib->random, 0);
    s.libraryData = lib;
    s.builtins = options.isClosed ? &kClosedBuiltinTable : &kBuiltinTable;
    s.warn = warn;
}

void closeLibrary(State& s) {
    if (s.libraryData == nullptr) return;
    finaliseObjects(s);
    flushOutput(s);
    LibState* const lib = &libState(s);
    if (lib->signatures != nullptr)
        for (unsigned i = 0; i < kBuiltinCount; i++) delete lib->signatures[i];
    std::free(lib->signatures);
    std::free(s.builtinClosures);
    s.builtinClosures = nullptr;
    std::free(s.builtinPlans);
    s.builtinPlans = nullptr;
    s.builtinClosureCount = 0;
    s.builtins = nullptr;
    s.warn = nullptr;
    s.libraryData = nullptr;
    delete lib;
}

void flushOutput(State& s) {
    const LibState& lib = libState(s);
    std::fflush(lib.options.out);
    if (lib.files.output != nullptr && streamOf(lib.files.output).file != nullptr) std::fflush(streamOf(lib.files.output).file);
}

}  // namespace luapp::rt
