// Mutated programs through the whole compiler: lexer, parser, the renderers of diagnostics, the checker; what has no errors
// then through lowering, passes, code generation and the bytecode verifier. Whatever the text, nothing may crash, hang or break
// an invariant; a program with errors must say so in every output format.
#include <memory>

#include "driver/pipeline.h"
#include "frontend/ast/ast_dump.h"
#include "frontend/diag/render.h"
#include "frontend/lex/token_dump.h"
#include "harness.h"
#include "mutate.h"
#include "runtime/bytecode/serialize.h"
#include "runtime/bytecode/verify.h"
#include "runtime/lib/library.h"

namespace luapp::fuzz {

namespace {

class ParseFuzzer : public Fuzzer {
  public:
    const char* name() const override { return "fuzz_parse"; }

    bool prepare(std::vector<CorpusFile>&& corpus, std::string& problem) override {
        corpus_ = std::move(corpus);
        if (corpus_.empty()) problem = "the corpus is empty";
        return !corpus_.empty();
    }

    std::string makeInput(Random& random) override {
        return random.chance(2) ? random.pick(corpus_).text : mutate(corpus_, random);
    }

    Verdict tryInput(const std::string& input) override {
        driver::Compilation c;
        std::string problem;
        frontend::Module* root = c.loader.loadText("fuzz.luapp", input, problem);
        if (!root) return {};
        Verdict verdict;
        if (!tryDumps(c, *root, verdict)) return verdict;
        const bool hadErrors = c.diagnostics.hasErrors();
        if (!hadErrors && c.check(*root)) return tryRest(c);
        c.diagnostics.finish();
        tryRenderers(c, verdict);
        return verdict;
    }

  private:
    /// The dumps of tokens and tree, whatever errors there are.
    static bool tryDumps(driver::Compilation& c, const frontend::Module& root, Verdict& verdict) {
        if (frontend::dumpAst(root, c.interner).empty()) verdict.problem = "the dump of the tree is empty";
        frontend::Diagnostics ignored(c.sources);
        frontend::dumpTokens(c.sources.file(0), c.arena, c.interner, ignored);
        return verdict.problem.empty();
    }

    static void tryRenderers(driver::Compilation& c, Verdict& verdict) {
        for (auto format : {frontend::DiagFormat::Text, frontend::DiagFormat::Json, frontend::DiagFormat::Sarif,
                            frontend::DiagFormat::Github}) {
            for (bool useColour : {false, true}) {
                if (frontend::renderDiagnostics(c.diagnostics, {format, useColour}).empty()) {
                    verdict.problem = "a program with errors has an empty report";
                }
            }
        }
    }

    /// Lowering to verification of a program without errors.
    static Verdict tryRest(driver::Compilation& c) {
        Verdict verdict;
        verdict.wentThrough = true;
        c.lower();
        ir::PipelineOptions options;
        options.verifyEach = true;
        c.optimise(options);
        bc::Chunk chunk = c.emit();
        std::string error;
        if (!bc::verify(chunk, rt::verifyOptions(), error)) {
            verdict.problem = "the compiler made a chunk that does not verify";
            verdict.details = error;
            return verdict;
        }
        const std::vector<uint8_t> bytes = bc::serialize(chunk);
        bc::Chunk again;
        if (!bc::deserialize(bytes, again, error)) {
            verdict.problem = "a chunk cannot be read back";
            verdict.details = error;
        } else if (bc::serialize(again) != bytes) {
            verdict.problem = "a chunk changes when written, read and written again";
        }
        return verdict;
    }

    std::vector<CorpusFile> corpus_;
};

}  // namespace

}  // namespace luapp::fuzz

int main(int argc, char** argv) {
    luapp::fuzz::ParseFuzzer fuzzer;
    return luapp::fuzz::runFuzzer(fuzzer, argc, argv);
}
