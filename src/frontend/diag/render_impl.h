#pragma once
// What the renderers of one format each share; private to this folder.

#include <string>
#include <string_view>

#include "frontend/diag/diagnostic.h"

namespace luapp::frontend {

/// `error`, `warning`, `note`.
std::string_view severityName(Severity severity);

/// `text` without anything that could upset a terminal: control characters and bytes that are not UTF-8 become U+FFFD,
/// line breaks `\n`.
std::string printable(std::string_view text);

std::string renderJson(const Diagnostics& diagnostics);
std::string renderSarif(const Diagnostics& diagnostics);
std::string renderGithub(const Diagnostics& diagnostics);

}  // namespace luapp::frontend
