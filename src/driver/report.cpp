#include "driver/report.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "driver/driver.h"
#include "frontend/diag/render.h"

namespace luapp::driver {

int reportProblem(const std::string& problem) {
    fprintf(stderr, "luapp: %s\n", problem.c_str());
    return kExitProgramError;
}

bool useColor(ColorMode mode) {
    switch (mode) {
        case ColorMode::Always: return true;
        case ColorMode::Never: return false;
        case ColorMode::Auto: break;
    }
    const char* noColor = getenv("NO_COLOR");
    return isatty(2) && !(noColor && *noColor);
}

void printDiagnostics(frontend::Diagnostics& diagnostics, frontend::DiagFormat format, ColorMode color) {
    diagnostics.finish();
    const std::string text = frontend::renderDiagnostics(diagnostics, {format, useColor(color)});
    fwrite(text.data(), 1, text.size(), format == frontend::DiagFormat::Text ? stderr : stdout);
}

}  // namespace luapp::driver
