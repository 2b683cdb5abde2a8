#pragma once
// The commands of luapp, one function each: options in, exit status out.

#include "driver/options.h"

namespace luapp::driver {

int runCommand(const Options& options);
int replCommand(const Options& options);
int buildCommand(const Options& options);
int checkCommand(const Options& options);
int disasmCommand(const Options& options);

}  // namespace luapp::driver
