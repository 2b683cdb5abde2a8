#include "driver/commands.h"

#include <cstdio>

#include "driver/driver.h"
#include "driver/emit.h"
#include "driver/files.h"
#include "driver/pipeline.h"
#include "driver/repl.h"
#include "driver/report.h"
#include "driver/program_runner.h"
#include "runtime/bytecode/serialize.h"
#include "runtime/bytecode/verify.h"
#include "runtime/lib/library.h"

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
    Compilation compilation(common.level, common.timings);
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
    if (bc::deserialize(asBytes(bytes), chunk, error) && bc::verify(chunk, rt::verifyOptions(), error)) return true;
    problem = "'" + path + "' is no usable chunk: " + error;
    return false;
}

/// Runs the program's main file. False if it cannot be read or has errors, or after an error that nothing caught; then `status` says
/// how the process ends.
static bool runFile(const Options& options, Session& session, int& status) {
    const std::string& file = options.run.file;
    bc::Chunk chunk;
    status = kExitProgramError;
    if (isChunkFile(file)) {
        std::string problem;
        if (!loadChunk(file, chunk, problem)) {
            reportProblem(problem);
            return false;
        }
    } else if (!compileFile(file, options.common, chunk)) {
        return false;
    }
    const bool ok = session.run(std::move(chunk));
    status = session.status();
    return ok;
}

int runCommand(const Options& options) {
    const RunOptions& o = options.run;
    const SessionSettings settings{o.file, o.args, o.before, o.memoryLimit, options.common.level, o.gcLog};
    const std::unique_ptr<Session> session = Session::open(settings);
    if (!session) return kExitProgramError;
    for (const RunOptions::First& first : o.first) {
        const bool ok = first.isModule ? session->require(first.text) : session->runText(first.text, "=(command line)");
        if (!ok) return session->status();
    }
    int status = kExitOk;
    if (!o.file.empty()) runFile(options, *session, status);
    if (o.isInteractive) {
        runRepl(*session, ReplMode::Lenient);
        status = kExitOk;
    }
    return status;
}

int replCommand(const Options& options) {
    const SessionSettings settings{"", {}, {}, options.repl.memoryLimit, options.repl.level, false};
    const std::unique_ptr<Session> session = Session::open(settings);
    if (!session) return kExitProgramError;
    runRepl(*session, options.repl.isStrict ? ReplMode::Strict : ReplMode::Lenient);
    return kExitOk;
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
    Compilation compilation(ir::kDefaultLevel, options.common.timings);
    compilation.warnsOfGlobals = true;
    for (const std::string& code : o.silenced) compilation.diagnostics.silence(code, {});
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
