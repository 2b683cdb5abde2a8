#pragma once
// Printing for the commands: diagnostics, run-time errors, plain problems; and the rule when to use colour.

#include <string>

#include "driver/options.h"
#include "frontend/diag/diagnostic.h"

namespace luapp::driver {

/// "luapp: problem" on standard error; returns kExitProgramError for the caller to return.
int reportProblem(const std::string& problem);

/// Sorts and prints all diagnostics: text on standard error, the machine formats on standard output.
void printDiagnostics(frontend::Diagnostics& diagnostics, frontend::DiagFormat format, ColorMode color);

/// True if messages for people get colour: asked for, or standard error is a terminal and NO_COLOR is not set.
bool useColor(ColorMode mode);

}  // namespace luapp::driver
