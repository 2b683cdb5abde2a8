#pragma once
// What an interactive session offers to complete a name: globals, keywords, and members of what is known by now.

#include <string>
#include <string_view>
#include <vector>

namespace luapp::rt {
struct State;
}

namespace luapp::driver {

/// What the last word of `line` may become, sorted. The names before its last dot or colon are read without running anything: from
/// tables (raw, and through `__index` tables), objects, classes, strings, arrays and tables.
std::vector<std::string> completions(rt::State& state, std::string_view line);

}  // namespace luapp::driver
