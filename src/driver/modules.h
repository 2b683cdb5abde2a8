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

class FileModuleLoader : public sema::ModuleLoader {
  public:
    FileModuleLoader(frontend::SourceManager& sources, frontend::Arena& arena, frontend::Interner& interner,
                     frontend::Diagnostics& diagnostics);

    frontend::Module* load(const frontend::SourceFile& importer, std::string_view path, std::string& problem) override;

    /// Loads a file by its own name (the main file, or a file to check). Null with `problem` set if it cannot be read.
    frontend::Module* loadFile(const std::string& path, std::string& problem);
    /// Parses a text as the module called `name`. Null if it is too large.
    frontend::Module* loadText(std::string name, std::string_view text, std::string& problem);
    /// True if the file has been loaded already, under whatever name.
    bool isLoaded(const std::string& path) const;

  private:
    /// The file that `stem` stands for; empty if there is none.
    static std::string findFile(const std::string& stem);

    frontend::SourceManager& sources_;
    frontend::Arena& arena_;
    frontend::Interner& interner_;
    frontend::Diagnostics& diagnostics_;
    std::vector<std::string> searchFolders_;
    std::unordered_map<std::string, frontend::Module*> modules_;  // by canonical path
};

}  // namespace luapp::driver
