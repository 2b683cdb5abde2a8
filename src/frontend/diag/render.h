#pragma once
// Turns collected messages into text: for people (source excerpt, caret range, notes, fix-its) or for tools (JSON,
// SARIF 2.1.0, GitHub workflow commands).
//
// Takes the list of a finished Diagnostics and returns one string; the driver decides where it goes and whether
// colours fit there. Columns in all formats count Unicode characters from 1. Output is deterministic.

#include <string>
#include <string_view>

#include "frontend/diag/diagnostic.h"

namespace luapp::frontend {

enum class DiagFormat : uint8_t { Text, Json, Sarif, Github };

/// `text`, `json`, `sarif` or `github` as a format; false for any other word.
bool parseDiagFormat(std::string_view word, DiagFormat& format);

struct RenderOptions {
    DiagFormat format = DiagFormat::Text;
    bool useColour = false;  ///< Text only
};

/// All messages. Call Diagnostics::finish() before. The machine formats give a whole document even without messages.
std::string renderDiagnostics(const Diagnostics& diagnostics, const RenderOptions& options);

/// "2 errors, 1 warning"; empty if there is neither.
std::string diagnosticSummary(const Diagnostics& diagnostics);

/// What `--explain CODE` prints: the code, its message and the explanation. Empty for an unknown code.
std::string explainDiagnostic(std::string_view code);

/// The line and column of a position as printed: columns count characters, not bytes.
LineColumn displayPosition(const SourceFile& file, Loc loc);

}  // namespace luapp::frontend
