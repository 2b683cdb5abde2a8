#include "driver/driver.h"

#include "driver/commands.h"
#include "driver/options.h"

namespace luapp::driver {

int run(int argc, const char* const* argv) {
    const ParsedOptions parsed = parseOptions(argc, argv);
    if (parsed.done) return parsed.status;
    switch (parsed.options.command) {
        case Command::Run: return runCommand(parsed.options);
        case Command::Repl: return replCommand(parsed.options);
        case Command::Build: return buildCommand(parsed.options);
        case Command::Check: return checkCommand(parsed.options);
        case Command::Disasm: return disasmCommand(parsed.options);
        case Command::None: break;
    }
    return kExitUsage;
}

}  // namespace luapp::driver
