#include "driver/emit.h"

#include <cstdio>

#include "driver/driver.h"
#include "driver/files.h"
#include "driver/pipeline.h"
#include "driver/report.h"
#include "frontend/ast/ast_dump.h"
#include "frontend/lex/token_dump.h"
#include "frontend/diag/render.h"
#include "frontend/diag/suggest.h"
#include "middle/ir_text.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/lib/builtin_table.h"
#include "sema/typed_dump.h"

namespace luapp::driver {

namespace {

/// The stages by name, in the order of the pipeline.
enum class Stage : uint8_t { Tokens, Ast, AstDot, Types, Ir, Bytecode };
struct StageName {
    const char* name;
    Stage stage;
};
constexpr StageName kStages[] = {{"tokens", Stage::Tokens}, {"ast", Stage::Ast}, {"ast-dot", Stage::AstDot},
                                 {"types", Stage::Types},   {"ir", Stage::Ir},   {"bytecode", Stage::Bytecode}};

void print(const std::string& text) { fwrite(text.data(), 1, text.size(), stdout); }

/// What `--emit` and `--passes` ask for; false with `problem` set if a name is unknown.
bool readRequest(const Options& options, Stage& stage, ir::PipelineOptions& passes, std::string& problem) {
    const DisasmOptions& o = options.disasm;
    std::string name = o.emit;
    passes.level = options.common.level;
    if (name.starts_with("ir:")) {
        const ir::PassInfo* pass = ir::findPass(name.substr(3));
        if (!pass) {
            problem = "no pass '" + name.substr(3) + "'";
            return false;
        }
        passes.printAfter.push_back(pass);
        name = "ir";
    }
    if (!o.passes.empty() && o.passes != "default") {
        std::vector<const ir::PassInfo*> list;
        std::string_view unknown;
        if (!ir::parsePassList(o.passes, list, unknown)) {
            problem = "no pass '" + std::string(unknown) + "'";
            return false;
        }
        passes.passes = std::move(list);
    }
    if (o.passLimit >= 0) passes.passLimit = uint64_t(o.passLimit);
    for (const StageName& s : kStages) {
        if (name == s.name) {
            stage = s.stage;
            return true;
        }
    }
    frontend::Suggester suggester(name);
    for (const StageName& s : kStages) suggester.offer(s.name);
    problem = "no stage '" + name + "'";
    if (!suggester.best().empty()) problem += "; did you mean '" + std::string(suggester.best()) + "'?";
    return false;
}

/// Tokens need the lexer alone: its diagnostics are the only ones.
int emitTokens(Compilation& c, const DisasmOptions& o, const CommonOptions& common) {
    std::string text, problem;
    if (!readFile(o.file, text, problem)) return reportProblem(problem);
    const frontend::SourceFile* file = c.sources.addFile(o.file == "-" ? "stdin" : o.file, text);
    if (!file) return reportProblem("the program's source text is larger than 4 GB");
    print(frontend::dumpTokens(*file, c.arena, c.interner, c.diagnostics));
    printDiagnostics(c.diagnostics, frontend::DiagFormat::Text, common.color);
    return c.diagnostics.hasErrors() ? kExitProgramError : kExitOk;
}

void emitIr(Compilation& c, const DisasmOptions& o, ir::PipelineOptions& passes, bool isFinal) {
    std::string afterPass;
    passes.printTo = &afterPass;
    const ir::PipelineReport report = c.optimise(passes);
    if (isFinal) print(passes.printAfter.empty() ? ir::print(c.module) : afterPass);
    if (o.statistics) {
        for (const ir::Statistic& s : report.statistics) {
            fprintf(stderr, "%8llu  %.*s: %.*s\n", static_cast<unsigned long long>(s.count), int(s.pass.size()), s.pass.data(),
                    int(s.what.size()), s.what.data());
        }
    }
}

}  // namespace

int emitStage(const Options& options) {
    const DisasmOptions& o = options.disasm;
    Stage stage;
    ir::PipelineOptions passes;
    std::string problem;
    if (!readRequest(options, stage, passes, problem)) {
        reportProblem(problem);
        return kExitUsage;
    }
    Compilation c(options.common.level, options.common.timings);
    if (stage == Stage::Tokens) return emitTokens(c, o, options.common);
    if (o.file.ends_with(".ir")) {
        if (!c.loadIr(o.file, problem)) return reportProblem(problem);
    } else {
        frontend::Module* root = c.load(o.file, problem);
        if (!root) return reportProblem(problem);
        bool ok = !c.diagnostics.hasErrors();
        if (stage == Stage::Ast) {
            print(frontend::dumpAst(*root, c.interner));
        } else if (stage == Stage::AstDot) {
            print(frontend::dumpAstDot(*root, c.interner));
        } else {
            ok = c.check(*root);
            if (ok && stage == Stage::Types) print(sema::dump(*c.program, c.interner));
        }
        printDiagnostics(c.diagnostics, frontend::DiagFormat::Text, options.common.color);
        if (!ok) return kExitProgramError;
        if (stage < Stage::Ir) return kExitOk;
        c.lower();
    }
    emitIr(c, o, passes, stage == Stage::Ir);
    if (stage == Stage::Bytecode) print(chunkText(c.emit(), &c.sources));
    if (options.common.timings) fputs(c.timings().c_str(), stderr);
    return kExitOk;
}

std::string chunkText(const bc::Chunk& chunk, const frontend::SourceManager* sources) {
    bc::DisasmOptions options;
    options.builtinName = [](uint32_t index) {
        return index < rt::kBuiltinCount ? std::string(rt::builtinInfo(index).name) : std::string();
    };
    if (sources) {
        options.sourceLine = [sources](std::string_view file, uint32_t line) {
            for (size_t i = 0; i < sources->fileCount(); i++) {
                const frontend::SourceFile& f = sources->file(i);
                if (f.name() == file && line >= 1 && line <= f.lineCount()) return std::string(f.lineText(line));
            }
            return std::string();
        };
    }
    return bc::disassemble(chunk, options);
}

int explain(const std::string& code) {
    const std::string text = frontend::explainDiagnostic(code);
    if (text.empty()) {
        reportProblem("no diagnostic '" + code + "'");
        return kExitUsage;
    }
    print(text);
    return kExitOk;
}

}  // namespace luapp::driver
