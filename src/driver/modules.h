#pragma once
// Finding the files that imports name (LANGUAGE 8), and parsing each of them once.
//
// A path that starts with `.` is relative to the importing file; any other is looked for in the folders of LUAPP_PATH
// (separated by `:`), then beside the main file. `x` stands for x.luapp, x.lua or x/init.luapp, in this order. A module is
// one by its canonical path.

#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/base/arena.h"
#include "frontend/base/interner.h"
#include "frontend/base/source.h"
#include "frontend/diag/diagnostic.h"
#include "sema/sema.h"

namespace luapp::driver {

/// True if a text mentions what makes the debug library look into the functions of the program.
bool asksForDebugging(std::string_view text);

class FileModuleLoader : public sema::ModuleLoader {
  public:
    FileModuleLoader(frontend::SourceManager& sources, frontend::Arena& arena, frontend::Interner& interner,
                     frontend::Diagnostics& diagnostics);

    frontend::Module* load(const frontend::SourceFile& importer, std::string_view path, std::string& problem) override;

    /// Loads a file by its own name (the main file, or a file to check). Null with `problem` set if it cannot be read.
    frontend::Module* loadFile(const std::string& path, std::string& problem);
    /// Loads the module that `require(path)` asks for in the program whose main file this is. Null with `problem` empty if there is
    /// none, or set if it cannot be read.
    frontend::Module* loadRequired(const std::string& mainFile, std::string_view path, std::string& problem);
    /// Parses a text as the module called `name`; lenient also if it does not say so. Null if it is too large.
    frontend::Module* loadText(std::string name, std::string_view text, std::string& problem, bool isLenient = false);
    /// True if the file has been loaded already, under whatever name.
    bool isLoaded(const std::string& path) const;
    /// Lenient files are compiled for the debug library from now on; a text that asks for it does the same.
    void setDebuggable(bool isDebuggable) { isDebuggable_ = isDebuggable; }
    bool isDebuggable() const { return isDebuggable_; }

  private:
    /// The file that `stem` stands for; empty if there is none.
    static std::string findFile(const std::string& stem);
    /// The file that `path` means in a file of `folder`; empty if there is none.
    std::string findModule(std::string_view folder, std::string_view path) const;

    frontend::SourceManager& sources_;
    frontend::Arena& arena_;
    frontend::Interner& interner_;
    frontend::Diagnostics& diagnostics_;
    std::vector<std::string> searchFolders_;
    bool isDebuggable_ = false;
    std::string mainFile_;  // of the program, if it is not the first file
    std::unordered_map<std::string, frontend::Module*> modules_;  // by canonical path
};

}  // namespace luapp::driver
