#pragma once
// Reading and writing files for the commands, with messages fit for users.

#include <string>
#include <string_view>
#include <vector>

namespace luapp::driver {

/// Reads a whole file ("-": standard input) into `text`. On failure returns false and sets `problem` to a sentence such as
/// "cannot read 'x.luapp': No such file or directory".
[[nodiscard]] bool readFile(const std::string& path, std::string& text, std::string& problem);

/// Writes a whole file. A plain one is replaced, and only when all bytes are written; anything else (a device, a pipe, a link) is written to.
[[nodiscard]] bool writeFile(const std::string& path, std::string_view bytes, std::string& problem);

/// All `.luapp` files under a folder, sorted; hidden folders are left out. False if it cannot be read.
[[nodiscard]] bool listSources(const std::string& folder, std::vector<std::string>& out, std::string& problem);

bool isFolder(const std::string& path);
bool isRegularFile(const std::string& path);

/// The path without `.`, `..` and links; empty if it does not exist.
std::string canonicalPath(const std::string& path);

/// `base` joined with a relative `path`, `.` and `..` resolved textually; for names shown to users.
std::string joinPath(std::string_view base, std::string_view path);

/// The folder part of a path, with its slash; empty if there is none.
std::string_view folderOf(std::string_view path);

}  // namespace luapp::driver
