#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <set>

#include "reduce.h"

namespace luapp::fuzz {

namespace {

constexpr size_t kOutputLimit = 4u << 20;
constexpr size_t kProblemSize = 300;
constexpr size_t kDetailsSize = 16000;
constexpr size_t kMaxProblems = 5;
/// Exit status of a worker that found a problem (and wrote it to the board).
constexpr int kWorkerFound = 42;

struct Settings {
    double seconds = 5;
    double reduceSeconds = 8;
    uint64_t seed = 1;
    int64_t onlyCase = -1;
    bool show = false;
    std::string repeat;
    std::vector<std::string> corpus;
};

/// Shared memory between the parent and its workers.
struct Board {
    volatile uint64_t currentCase;
    volatile uint64_t cases;
    volatile uint64_t wentThrough;
    char problem[kProblemSize];
    char details[kDetailsSize];
};

/// Cut to `size` where it is longer; a NUL becomes a `?`.
void put(char* to, size_t size, const std::string& text) {
    const size_t n = std::min(text.size(), size - 1);
    for (size_t i = 0; i < n; i++) to[i] = text[i] == 0 ? '?' : text[i];
    to[n] = 0;
}

bool readAll(const std::string& path, std::string& text) {
    FILE* f = fopen(path.c_str(), "rb");
    if (!f) return false;
    char buffer[65536];
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;) text.append(buffer, n);
    fclose(f);
    return true;
}

void collectFiles(const std::string& path, std::vector<std::string>& out) {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return;
    if (!S_ISDIR(info.st_mode)) {
        if (path.ends_with(".luapp") || path.ends_with(".lua")) out.push_back(path);
        return;
    }
    if (DIR* folder = opendir(path.c_str())) {
        while (dirent* entry = readdir(folder)) {
            if (entry->d_name[0] != '.') collectFiles(path + "/" + entry->d_name, out);
        }
        closedir(folder);
    }
}

/// Sorted by path, so that a seed means the same on every machine.
std::vector<CorpusFile> readCorpus(const std::vector<std::string>& folders) {
    std::vector<std::string> paths;
    for (const std::string& folder : folders) collectFiles(folder, paths);
    std::sort(paths.begin(), paths.end());
    std::vector<CorpusFile> files;
    for (std::string& path : paths) {
        CorpusFile file{std::move(path), {}};
        if (!readAll(file.path, file.text)) continue;
        const size_t expect = file.text.find("--[==[ expect");
        if (expect != std::string::npos) file.text.resize(expect);
        files.push_back(std::move(file));
    }
    return files;
}

bool parseArguments(int argc, char** argv, Settings& settings) {
    for (int i = 1; i < argc; i++) {
        const std::string a = argv[i];
        auto value = [&](const char* option) { return a.starts_with(option) ? a.c_str() + strlen(option) : nullptr; };
        if (const char* v = value("--seconds=")) {
            settings.seconds = atof(v);
        } else if (const char* v = value("--reduce=")) {
            settings.reduceSeconds = atof(v);
        } else if (const char* v = value("--seed=")) {
            settings.seed = strtoull(v, nullptr, 10);
        } else if (const char* v = value("--case=")) {
            settings.onlyCase = int64_t(strtoull(v, nullptr, 10));
        } else if (const char* v = value("--repeat=")) {
            settings.repeat = v;
        } else if (a == "--show") {
            settings.show = true;
        } else if (a.starts_with("--")) {
            return false;
        } else {
            settings.corpus.push_back(a);
        }
    }
    return true;
}

/// No core files; a bound on memory (the sanitizers map too much for one).
void limitResources() {
    const rlimit noCore{0, 0};
    setrlimit(RLIMIT_CORE, &noCore);
#ifndef __SANITIZE_ADDRESS__
    const rlimit memory{8ull << 30, 8ull << 30};
    setrlimit(RLIMIT_AS, &memory);
#endif
}

/// How a worker's end reads in a report.
std::string problemOf(int status, bool hung, const Board& board) {
    if (hung) return "hangs";
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
    if (WIFEXITED(status) && WEXITSTATUS(status) == kWorkerFound) return board.problem;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return "exit status " + std::to_string(WEXITSTATUS(status)) + " of the process under test";
}

/// The whole run of one fuzzer.
class Session {
  public:
    Session(Fuzzer& fuzzer, const Settings& settings) : fuzzer_(fuzzer), settings_(settings) {
        board_ = static_cast<Board*>(mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    }
    ~Session() { munmap(board_, sizeof(Board)); }

    int run() {
        if (!settings_.repeat.empty()) return repeat();
        if (settings_.onlyCase >= 0) return tryOne(makeCase(uint64_t(settings_.onlyCase)), uint64_t(settings_.onlyCase)) ? 0 : 1;
        const double end = now() + settings_.seconds;
        uint64_t next = 0;
        std::set<std::string> seen;  // problems: one cause fails many cases, and one report of it is enough
        while (now() < end && seen.size() < kMaxProblems) {
            const std::string problem = runWorker(next, end);
            next = board_->currentCase + 1;
            if (problem.empty() || !seen.insert(problem).second) continue;
            report(makeCase(board_->currentCase), board_->currentCase, problem);
        }
        printf("%s: %llu cases, %llu went through, %zu problems (seed %llu)\n", fuzzer_.name(),
               static_cast<unsigned long long>(board_->cases), static_cast<unsigned long long>(board_->wentThrough), seen.size(),
               static_cast<unsigned long long>(settings_.seed));
        if (seen.empty() && board_->wentThrough == 0) {
            printf("no case went through every stage: the fuzzer tests nothing\n");
            return 1;
        }
        return seen.empty() ? 0 : 1;
    }

  private:
    std::string makeCase(uint64_t number) {
        Random random(settings_.seed, number);
        return fuzzer_.makeInput(random);
    }

    int repeat() {
        std::string input;
        if (!readAll(settings_.repeat, input)) {
            fprintf(stderr, "cannot read %s\n", settings_.repeat.c_str());
            return 2;
        }
        const std::string problem = tryIsolated(input, true);
        printf("%s\n%s\n", problem.empty() ? "no problem" : problem.c_str(), problem.empty() ? "" : board_->details);
        return problem.empty() ? 0 : 1;
    }

    bool tryOne(const std::string& input, uint64_t number) {
        if (settings_.show) {
            fwrite(input.data(), 1, input.size(), stdout);
            return true;
        }
        const std::string problem = tryIsolated(input, true);
        if (!problem.empty()) report(input, number, problem);
        return problem.empty();
    }

    /// Forks a worker that goes through the cases from `first` until a problem or the end; gives the problem.
    std::string runWorker(uint64_t first, double end) {
        board_->currentCase = first;
        return forkAndWatch(
            [&] {
                for (uint64_t number = first; now() < end; number++) {
                    board_->currentCase = number;
                    workOn(makeCase(number));
                }
            },
            true);
    }

    /// Tries one input in a worker of its own.
    std::string tryIsolated(const std::string& input, bool withOutput) {
        board_->problem[0] = board_->details[0] = 0;
        return forkAndWatch([&] { workOn(input); }, withOutput);
    }

    /// In a worker: tries an input and ends the worker if there is a problem.
    void workOn(const std::string& input) {
        const Verdict verdict = fuzzer_.tryInput(input);
        board_->cases = board_->cases + 1;
        if (verdict.wentThrough) board_->wentThrough = board_->wentThrough + 1;
        if (verdict.problem.empty()) return;
        put(board_->problem, kProblemSize, verdict.problem);
        put(board_->details, kDetailsSize, verdict.details);
        _exit(kWorkerFound);
    }

    template <class Body>
    std::string forkAndWatch(Body body, bool withOutput) {
        board_->problem[0] = board_->details[0] = 0;
        fflush(nullptr);
        const pid_t child = fork();
        if (child == 0) {
            if (!withOutput) {
                const int null = open("/dev/null", O_WRONLY);
                dup2(null, 1);
                dup2(null, 2);
            }
            limitResources();
            body();
            fflush(nullptr);
            _exit(0);
        }
        int status = 0;
        uint64_t seen = board_->cases;
        double since = now();
        while (waitpid(child, &status, WNOHANG) == 0) {
            usleep(2000);
            if (seen != board_->cases) {
                seen = board_->cases;
                since = now();
            } else if (now() - since > fuzzer_.secondsPerInput()) {
                kill(child, SIGKILL);
                waitpid(child, &status, 0);
                return problemOf(status, true, *board_);
            }
        }
        return problemOf(status, false, *board_);
    }

    void report(const std::string& input, uint64_t number, const std::string& problem) {
        const std::string details = board_->details;
        const uint64_t cases = board_->cases, wentThrough = board_->wentThrough;
        printf("FAILURE in case %llu of seed %llu: %s\n%s\n", static_cast<unsigned long long>(number),
               static_cast<unsigned long long>(settings_.seed), problem.c_str(), details.c_str());
        fflush(stdout);
        const std::string smallest = reduce(input, settings_.reduceSeconds, [&](const std::string& smaller) {
            return smaller.size() < input.size() && tryIsolated(smaller, false) == problem;
        });
        const std::string path = std::string(fuzzer_.name()) + "-" + std::to_string(settings_.seed) + "-" +
                                 std::to_string(number) + ".luapp";
        if (FILE* f = fopen(path.c_str(), "wb")) {
            fwrite(smallest.data(), 1, smallest.size(), f);
            fclose(f);
        }
        printf("--- smallest input found (in %s; repeat with --repeat=%s or --seed=%llu --case=%llu)\n", path.c_str(),
               path.c_str(), static_cast<unsigned long long>(settings_.seed), static_cast<unsigned long long>(number));
        fwrite(smallest.data(), 1, smallest.size(), stdout);
        printf("\n---\n");
        board_->cases = cases;
        board_->wentThrough = wentThrough;
        board_->currentCase = number;
    }

    Fuzzer& fuzzer_;
    const Settings& settings_;
    Board* board_;
};

/// Reads both pipes of a child until they end or the time is over.
bool drain(int out, int err, double deadline, ChildOutcome& outcome) {
    pollfd fds[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
    std::string* texts[2] = {&outcome.out, &outcome.err};
    int open = 2;
    while (open > 0) {
        const double left = deadline - now();
        if (left <= 0) return false;
        if (poll(fds, 2, int(left * 1000) + 1) <= 0) continue;
        for (int i = 0; i < 2; i++) {
            if (fds[i].fd < 0 || fds[i].revents == 0) continue;
            char buffer[65536];
            const ssize_t n = read(fds[i].fd, buffer, sizeof buffer);
            if (n > 0) {
                // The cut is exact: reads come in pieces of any size, and outputs are compared.
                texts[i]->append(buffer, std::min(size_t(n), kOutputLimit - texts[i]->size()));
            } else {
                fds[i].fd = -1;
                open--;
            }
        }
    }
    return true;
}

}  // namespace

double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

ChildOutcome runInChild(int (*body)(void*), void* data, unsigned seconds) {
    ChildOutcome outcome;
    int out[2], err[2];
    if (pipe(out) != 0 || pipe(err) != 0) abort();
    fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        const int in = open("/dev/null", O_RDONLY);
        dup2(in, 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        close(out[0]);
        close(err[0]);
        alarm(seconds + 5);
        const int status = body(data);
        fflush(nullptr);
        _exit(status);
    }
    close(out[1]);
    close(err[1]);
    outcome.timedOut = !drain(out[0], err[0], now() + seconds, outcome);
    if (outcome.timedOut) kill(child, SIGKILL);
    close(out[0]);
    close(err[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
    if (WIFEXITED(status)) outcome.exitStatus = WEXITSTATUS(status);
    return outcome;
}

std::string describeEnd(const ChildOutcome& outcome) {
    if (outcome.timedOut) return "timeout";
    if (outcome.signal != 0) return "signal " + std::to_string(outcome.signal);
    return "exit " + std::to_string(outcome.exitStatus);
}

int runFuzzer(Fuzzer& fuzzer, int argc, char** argv) {
    Settings settings;
    if (!parseArguments(argc, argv, settings)) {
        fprintf(stderr, "usage: %s [--seconds=N] [--reduce=SECONDS] [--seed=N] [--case=N] [--show] [--repeat=FILE] [CORPUS...]\n", argv[0]);
        return 2;
    }
    std::string problem;
    if (!fuzzer.prepare(readCorpus(settings.corpus), problem)) {
        fprintf(stderr, "%s: %s\n", fuzzer.name(), problem.c_str());
        return 2;
    }
    return Session(fuzzer, settings).run();
}

}  // namespace luapp::fuzz
