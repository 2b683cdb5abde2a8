#pragma once
// What every fuzzer has in common: the command line, the time limit, isolation, reduction of failures, the report.
//
// A fuzzer says how to make the input of a case from random numbers and how to try an input; runFuzzer() does the rest.
// Cases run one after the other in a forked worker, so a crash, a hang or an exhausted memory limit costs one worker and
// tells which case it was. A failing input is made smaller for a few seconds, by taking out lines and then characters as
// long as the failure stays the same, and is written to a file that `--repeat` takes. Inputs are text, even where the
// thing under test reads bytes: the fuzzer's own notation then says how to make the bytes.
//
// usage: fuzz_NAME [--seconds=N] [--reduce=SECONDS] [--seed=N] [--case=N] [--show] [--repeat=FILE] [CORPUS...]

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "random.h"

namespace luapp::fuzz {

/// A program of the corpus.
struct CorpusFile {
    std::string path;
    std::string text;  // without the block of expected output
};

/// How an input came out.
struct Verdict {
    /// Empty: as it should. Else one line that says what is wrong; equal for inputs that fail for the same cause.
    std::string problem;
    /// More about it, for the report.
    std::string details;
    /// True if the input got through every stage the fuzzer is about; the summary counts these, so a fuzzer whose inputs
    /// are all turned away early shows.
    bool wentThrough = false;
};

/// One fuzzer. It lives in both the parent and the forked workers; tryInput() runs in a worker only.
class Fuzzer {
  public:
    virtual ~Fuzzer() = default;
    virtual const char* name() const = 0;
    /// Reads what it needs of the corpus, once. False with `problem` set if it cannot work with it.
    virtual bool prepare(std::vector<CorpusFile>&& corpus, std::string& problem) = 0;
    /// The input of one case. Must depend on `random` and the corpus alone.
    virtual std::string makeInput(Random& random) = 0;
    /// Tries an input. May crash.
    virtual Verdict tryInput(const std::string& input) = 0;
    /// Seconds after which an input counts as hanging.
    virtual unsigned secondsPerInput() const { return 20; }
};

/// The fuzzer's main().
int runFuzzer(Fuzzer& fuzzer, int argc, char** argv);

/// What a function printed and how it ended, run in a forked child.
struct ChildOutcome {
    int exitStatus = -1;
    int signal = 0;
    bool timedOut = false;
    std::string out;
    std::string err;
};

/// Runs `body` in a forked child with its standard streams caught (input: empty). Output beyond some megabytes is cut.
ChildOutcome runInChild(int (*body)(void*), void* data, unsigned seconds);

/// "exit 1", "signal 11", "timeout".
std::string describeEnd(const ChildOutcome& outcome);

/// Seconds since some fixed time.
double now();

}  // namespace luapp::fuzz
