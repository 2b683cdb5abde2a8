#include "driver/modules.h"

#include <algorithm>
#include <cstdlib>

#include "driver/files.h"
#include "frontend/parse/parser.h"

namespace luapp::driver {

FileModuleLoader::FileModuleLoader(frontend::SourceManager& sources, frontend::Arena& arena, frontend::Interner& interner,
                                   frontend::Diagnostics& diagnostics)
    : sources_(sources), arena_(arena), interner_(interner), diagnostics_(diagnostics) {
    const char* path = getenv("LUAPP_PATH");
    std::string_view rest = path ? path : "";
    while (!rest.empty()) {
        const size_t colon = std::min(rest.find(':'), rest.size());
        if (colon != 0) searchFolders_.emplace_back(rest.substr(0, colon));
        rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
}

std::string FileModuleLoader::findFile(const std::string& stem) {
    for (const char* ending : {"", ".luapp", ".lua", "/init.luapp"}) {
        if (*ending == 0 && !stem.ends_with(".luapp") && !stem.ends_with(".lua")) continue;
        if (isRegularFile(stem + ending)) return stem + ending;
    }
    return {};
}

std::string FileModuleLoader::findModule(std::string_view folder, std::string_view path) const {
    if (path.starts_with("/")) return findFile(std::string(path));
    if (path.starts_with("./") || path.starts_with("../")) return findFile(joinPath(folder, path));
    std::string dotted(path);
    std::replace(dotted.begin(), dotted.end(), '.', '/');
    std::vector<std::string> folders = searchFolders_;
    const std::string_view mainFile = !mainFile_.empty() ? mainFile_ : sources_.fileCount() == 0 ? "" : sources_.file(0).name();
    folders.emplace_back(folderOf(mainFile));
    for (const std::string& base : folders)
        for (std::string_view name : {path, std::string_view(dotted)})
            if (std::string found = findFile(joinPath(base, name)); !found.empty()) return found;
    return {};
}

frontend::Module* FileModuleLoader::load(const frontend::SourceFile& importer, std::string_view path, std::string& problem) {
    const std::string found = findModule(folderOf(importer.name()), path);
    if (!found.empty()) return loadFile(found, problem);
    problem = "no file found";
    return nullptr;
}

frontend::Module* FileModuleLoader::loadRequired(const std::string& mainFile, std::string_view path, std::string& problem) {
    mainFile_ = mainFile;
    const std::string found = findModule(folderOf(mainFile), path);
    return found.empty() ? nullptr : loadFile(found, problem);
}

frontend::Module* FileModuleLoader::loadFile(const std::string& path, std::string& problem) {
    const std::string canonical = path == "-" ? path : canonicalPath(path);
    if (!canonical.empty()) {
        if (auto it = modules_.find(canonical); it != modules_.end()) return it->second;
    }
    std::string text;
    if (!readFile(path, text, problem)) return nullptr;
    frontend::Module* module = loadText(path == "-" ? "stdin" : path, text, problem);
    if (module) modules_[canonical] = module;
    return module;
}

bool asksForDebugging(std::string_view text) {
    for (std::string_view name : {"getlocal", "setlocal", "sethook", "getupvalue", "setupvalue"})
        if (text.find(name) != text.npos) return true;
    return false;
}

/// True if a program of this text may see when the collector takes an object: then a local has to hold its value as long as it is in scope,
/// as in Lua, and not only as long as it is used.
static bool watchesCollector(std::string_view text) {
    const bool hasWatched = text.find("__mode") != text.npos || text.find("__gc") != text.npos;
    return hasWatched && text.find("collectgarbage") != text.npos;
}

frontend::Module* FileModuleLoader::loadText(std::string name, std::string_view text, std::string& problem, bool isLenient) {
    frontend::SourceFile* file = sources_.addFile(std::move(name), text);
    if (!file) {
        problem = "the program's source text is larger than 4 GB";
        return nullptr;
    }
    if (isLenient) file->makeLenient();
    isDebuggable_ |= asksForDebugging(text);
    frontend::Module* module = frontend::parse(*file, arena_, interner_, diagnostics_);
    module->isDebuggable = (isDebuggable_ || watchesCollector(text)) && module->isLenient;
    return module;
}

bool FileModuleLoader::isLoaded(const std::string& path) const {
    const std::string canonical = canonicalPath(path);
    return !canonical.empty() && modules_.contains(canonical);
}

}  // namespace luapp::driver
