// Random programs, compiled and run in several ways: all must print the same and end the same, and none may crash. Two of the ways
// assert the type of every register after every expression (ir::LowerOptions::assertTypes), so that a value that is not
// what its static type says stops the program where it appears. Further engines (native code) are further rows of kEngines.
#include "driver/driver.h"
#include "driver/pipeline.h"
#include "driver/program_runner.h"
#include "frontend/diag/render.h"
#include "harness.h"
#include "program_gen.h"
#include "runtime/bytecode/verify.h"
#include "runtime/lib/library.h"

namespace luapp::fuzz {

namespace {

constexpr unsigned kSecondsPerRun = 20;
constexpr uint64_t kMemoryLimit = 512u << 20;

/// A way to compile and run a program.
struct Engine {
    const char* name;
    int level;
    bool assertTypes;
};
constexpr Engine kEngines[] = {{"at -O0, asserting types", 0, true},
                               {"at -O1", 1, false},
                               {"at -O2", 2, false},
                               {"at -O2, asserting types", 2, true}};

struct Job {
    const std::string* source;
    const Engine* engine;
};

/// Exit statuses of a child that could not run the program; programs end with 0 or 1.
enum : int { kRejected = 50, kDoesNotVerify = 51 };

/// In a child: compiles and runs the program.
int compileAndRun(void* data) {
    const Job& job = *static_cast<Job*>(data);
    driver::Compilation c;
    std::string problem;
    frontend::Module* root = c.loader.loadText("program.luapp", *job.source, problem);
    if (!root || c.diagnostics.hasErrors() || !c.check(*root)) {
        c.diagnostics.finish();
        fputs(frontend::renderDiagnostics(c.diagnostics, {frontend::DiagFormat::Github, false}).c_str(), stderr);
        return kRejected;
    }
    c.lower({.assertTypes = job.engine->assertTypes});
    ir::PipelineOptions options;
    options.verifyEach = true;
    options.level = job.engine->level;
    c.optimise(options);
    bc::Chunk chunk = c.emit();
    // Chunks that assert types are never written to files.
    if (!job.engine->assertTypes && !bc::verify(chunk, rt::verifyOptions(), problem)) {
        fprintf(stderr, "%s\n", problem.c_str());
        return kDoesNotVerify;
    }
    driver::SessionSettings settings;
    settings.name = "program.luapp";
    settings.memoryLimit = kMemoryLimit;
    const auto session = driver::Session::open(settings);
    if (!session) return driver::kExitProgramError;
    session->run(std::move(chunk));
    return session->status();
}

std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

/// The first error among diagnostics, without its position.
std::string firstError(const std::string& report) {
    const size_t at = report.find("::error");
    const size_t text = at == std::string::npos ? at : report.find("::", at + 2);
    return text == std::string::npos ? firstLine(report) : firstLine(report.substr(text + 2));
}

/// What an internal error says, without the positions and words that differ from program to program: the type and the kind of error.
std::string bugOf(const std::string& report) {
    constexpr std::string_view kWrongWord = "a register of type ";
    const size_t at = report.find(kWrongWord);
    if (at != std::string::npos) return report.substr(at, report.find(" holds", at) - at);
    const size_t text = report.find("internal error");
    return text == std::string::npos ? firstLine(report) : firstLine(report.substr(text));
}

/// Where the texts of the first engine and another part: the lines there.
std::string firstDifference(const std::string& a, const std::string& b, const Engine& other) {
    size_t at = 0;
    while (at < a.size() && at < b.size() && a[at] == b[at]) at++;
    const size_t begin = at == 0 ? 0 : a.rfind('\n', at - 1) + 1;
    return std::string(kEngines[0].name) + ": " + firstLine(a.substr(begin)) + "\n" + other.name + ": " + firstLine(b.substr(begin));
}

class RunFuzzer : public Fuzzer {
  public:
    const char* name() const override { return "fuzz_run"; }
    bool prepare(std::vector<CorpusFile>&&, std::string&) override { return true; }
    std::string makeInput(Random& random) override { return generateProgram(random); }
    unsigned secondsPerInput() const override { return (std::size(kEngines) + 1) * kSecondsPerRun; }

    Verdict tryInput(const std::string& input) override {
        ChildOutcome first;
        Verdict verdict;
        for (const Engine& engine : kEngines) {
            Job job{&input, &engine};
            ChildOutcome outcome = runInChild(compileAndRun, &job, kSecondsPerRun);
            verdict = judge(outcome, engine);
            if (&engine == kEngines) {
                first = std::move(outcome);
            } else if (verdict.problem.empty()) {
                verdict = compare(first, outcome, engine);
            }
            if (!verdict.problem.empty()) break;
        }
        return verdict;
    }

  private:
    /// What is wrong with one run alone.
    static Verdict judge(const ChildOutcome& outcome, const Engine& engine) {
        Verdict verdict;
        verdict.details = outcome.err;
        if (outcome.exitStatus == kRejected) {
            verdict.problem = "rejected: " + firstError(outcome.err);
        } else if (outcome.exitStatus == kDoesNotVerify) {
            verdict.problem = "the chunk does not verify";
        } else if (outcome.exitStatus != 0 && outcome.exitStatus != 1) {
            verdict.problem = describeEnd(outcome) + " " + engine.name + (outcome.signal == 0 ? ": " + bugOf(outcome.err) : "");
        }
        return verdict;
    }

    static Verdict compare(const ChildOutcome& a, const ChildOutcome& b, const Engine& engine) {
        Verdict verdict;
        // Where memory or the stack ends is not the language's business.
        for (const char* limit : {"out of memory", "stack overflow"}) {
            for (const std::string* text : {&a.out, &a.err, &b.out, &b.err}) {
                if (text->find(limit) != std::string::npos) return verdict;
            }
        }
        verdict.wentThrough = true;
        if (a.exitStatus != b.exitStatus) {
            verdict.problem = "exit statuses differ";
            verdict.details = describeEnd(a) + " and " + describeEnd(b) + "\n" + a.err + b.err;
        } else if (a.out != b.out) {
            verdict.problem = "outputs differ";
            verdict.details = firstDifference(a.out, b.out, engine);
        } else if (firstLine(a.err) != firstLine(b.err)) {
            verdict.problem = "errors differ";
            verdict.details = firstDifference(a.err, b.err, engine);
        }
        return verdict;
    }
};

}  // namespace

}  // namespace luapp::fuzz

int main(int argc, char** argv) {
    luapp::fuzz::RunFuzzer fuzzer;
    return luapp::fuzz::runFuzzer(fuzzer, argc, argv);
}
