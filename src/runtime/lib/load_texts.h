// Compiling texts and files for the functions of the library that do so (load and its like, require). Private to lib/.
#pragma once

#include "runtime/lib/lib_support.h"

namespace luapp::rt {

/// Compiles a text, or loads a dumped function, as lenient code; the pack is the function, or nil and a message. `chunkName` as in Lua
/// 5.1: "@file", "=name" or the text itself.
Word loadText(State& s, std::string_view text, std::string_view chunkName);

/// The same for a file; null: standard input. A first line that begins with # does not count.
Word loadFile(State& s, String* path);

}  // namespace luapp::rt
