#pragma once
// The manual page and the shell completions, made from the option table itself so that they never lag behind it.

#include <string>

namespace CLI {
class App;
}

namespace luapp::driver {

/// A troff manual page (section 1) of the program and all its subcommands.
std::string manualPage(CLI::App& app, const std::string& version);

/// A completion script for `shell`: bash, zsh or fish. Empty for another name.
std::string completionScript(CLI::App& app, const std::string& shell);

}  // namespace luapp::driver
