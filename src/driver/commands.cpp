#include "driver/commands.h"

#include <cstdio>

#include "driver/driver.h"
#include "driver/emit.h"
#include "driver/files.h"
#include "driver/pipeline.h"
#include "driver/program_runner.h"
#include "driver/report.h"
#include "runtime/bytecode/serialize.h"
#include "runtime/bytecode/verify.h"
#include "runtime/lib/builtin_table.h"

namespace luapp::driver {

namespace {

std::span<const uint8_t> asBytes(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

bool isChunkFile(const std::string& path) {
    if (path == "-") return false;
    FILE* f = fopen(path.c_str(), "rb");
    if (!f) return false;
    uint8_t head[bc::kChunkHeaderSize];
    const size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    return bc::looksLikeChunk({head, n});
}

/// Source to chunk. False if there were errors, which have been printed.
bool compileFile(const std::string& path, const CommonOptions& common, bc::Chunk& chunk) {
    Compilation compilation(common.timings);
    std::string problem;
    frontend::Module* root = compilation.load(path, problem);
    if (!root) {
        reportProblem(problem);
        return false;
    }
    const bool ok = compilation.check(*root);
    printDiagnostics(compilation.diagnostics, frontend::DiagFormat::Text, common.color);
    if (ok) chunk = compilation.compile();
    if (common.timings) fputs(compilation.timings().c_str(), stderr);
    return ok;
}

}  // namespace

bool loadChunk(const std::string& path, bc::Chunk& chunk, std::string& problem) {
    std::string bytes;
    if (!readFile(path, bytes, problem)) return false;
    std::string error;
    if (bc::deserialize(asBytes(bytes), chunk, error) && bc::verify(chunk, {rt::kBuiltinCount}, error)) return true;
    problem = "'" + path + "' is no usable chunk: " + error;
    return false;
}

int runCommand(const Options& options) {
    bc::Chunk chunk;
    if (isChunkFile(options.run.file)) {
        std::string problem;
        if (!loadChunk(options.run.file, chunk, problem)) return reportProblem(problem);
    } else if (!compileFile(options.run.file, options.common, chunk)) {
        return kExitProgramError;
    }
    return runChunk(std::move(chunk), {options.run.file, options.run.args, options.run.memoryLimit});
}

int buildCommand(const Options& options) {
    bc::Chunk chunk;
    if (!compileFile(options.build.file, options.common, chunk)) return kExitProgramError;
    std::string out = options.build.out;
    if (out.empty()) {
        const std::string& file = options.build.file;
        out = (file.ends_with(".luapp") ? file.substr(0, file.size() - 6) : file == "-" ? "out" : file) + ".lbc";
    }
    const std::vector<uint8_t> bytes = bc::serialize(chunk);
    std::string problem;
    if (!writeFile(out, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, problem)) return reportProblem(problem);
    return kExitOk;
}

int checkCommand(const Options& options) {
    const CheckOptions& o = options.check;
    if (!o.explain.empty()) return explain(o.explain);
    std::vector<std::string> files;
    std::string problem;
    for (const std::string& path : o.paths) {
        if (!isFolder(path)) {
            files.push_back(path);
        } else if (!listSources(path, files, problem)) {
            return reportProblem(problem);
        }
    }
    Compilation compilation(options.common.timings);
    bool unreadable = false;
    for (const std::string& file : files) {
        if (compilation.loader.isLoaded(file)) continue;  // checked already, as an import of another
        if (frontend::Module* root = compilation.load(file, problem)) {
            compilation.check(*root);
        } else {
            reportProblem(problem);
            unreadable = true;
        }
    }
    printDiagnostics(compilation.diagnostics, o.format, options.common.color);
    if (options.common.timings) fputs(compilation.timings().c_str(), stderr);
    const bool failed = unreadable || compilation.diagnostics.hasErrors() ||
                        (o.denyWarnings && compilation.diagnostics.warningCount() != 0);
    return failed ? kExitProgramError : kExitOk;
}

int disasmCommand(const Options& options) {
    const DisasmOptions& o = options.disasm;
    if (isChunkFile(o.file)) {
        if (o.emit != "bytecode") return reportProblem("'" + o.file + "' is a chunk; only --emit=bytecode can show it");
        bc::Chunk chunk;
        std::string problem;
        if (!loadChunk(o.file, chunk, problem)) return reportProblem(problem);
        fputs(chunkText(chunk, nullptr).c_str(), stdout);
        return kExitOk;
    }
    return emitStage(options);
}

}  // namespace luapp::driver
