// The golden runner: runs luapp on every file of a folder and compares what it does with what the file expects.
//
// Each test runs in a forked child through driver::run, so a crash fails one test and the runner goes on. Output is TAP.
// usage: golden_runner [--update] [--filter TEXT] [--timeout SECONDS] [--level N] FOLDER
//   --update rewrites the expectations of dump tests and `.expected` files; it refuses where luapp crashed or ended with
//   another exit status than expected; --level gives every `run` the option -O N.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "driver/driver.h"
#include "golden_file.h"

namespace luapp::golden {

namespace {

struct Settings {
    bool update = false;
    std::string filter;
    unsigned timeout = 60;
    std::string level;  // of optimisation; empty: the default
    std::string folder;
};

struct Outcome {
    int exitStatus = 0;
    int signal = 0;
    std::string out;
    std::string err;
};

std::string readFile(const std::string& path) {
    std::string text;
    if (FILE* f = fopen(path.c_str(), "rb")) {
        char buffer[65536];
        size_t n;
        while ((n = fread(buffer, 1, sizeof buffer, f)) > 0) text.append(buffer, n);
        fclose(f);
    }
    return text;
}

void writeFile(const std::string& path, const std::string& text) {
    if (FILE* f = fopen(path.c_str(), "wb")) {
        fwrite(text.data(), 1, text.size(), f);
        fclose(f);
    }
}

void makeFolders(const std::string& path) {
    for (size_t at = path.find('/', 1); at != path.npos; at = path.find('/', at + 1)) mkdir(path.substr(0, at).c_str(), 0777);
}

/// Forks, runs driver::run with the arguments in `cwd`, waits, collects both streams.
Outcome runLuapp(const std::vector<std::string>& args, const std::string& cwd, const std::string& stdinPath,
                 const std::string& scratch, unsigned timeout) {
    const std::string outPath = scratch + "/.stdout", errPath = scratch + "/.stderr";
    fflush(nullptr);
    pid_t child = fork();
    if (child == 0) {
        int in = open(stdinPath.empty() ? "/dev/null" : stdinPath.c_str(), O_RDONLY);
        int out = open(outPath.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int err = open(errPath.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(in, 0);
        dup2(out, 1);
        dup2(err, 2);
        if (chdir(cwd.c_str()) != 0) _exit(99);
        alarm(timeout);
        std::vector<const char*> argv{"luapp"};
        for (const std::string& a : args) argv.push_back(a.c_str());
        int status = driver::run(int(argv.size()), argv.data());
        fflush(nullptr);
        _exit(status);
    }
    int status = 0;
    waitpid(child, &status, 0);
    Outcome outcome;
    if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
    outcome.exitStatus = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome.out = readFile(outPath);
    outcome.err = readFile(errPath);
    return outcome;
}

/// The arguments a folder stands for; $FILE is the test's main file.
std::vector<std::string> folderArgs(const std::string& folder) {
    auto ends = [&](const char* tail) { return folder.ends_with(tail); };
    if (ends("/lex")) return {"disasm", "--emit=tokens", "$FILE"};
    if (ends("/parse")) return {"disasm", "--emit=ast", "$FILE"};
    if (ends("/sema")) return {"disasm", "--emit=types", "$FILE"};
    if (ends("/diag")) return {"check", "$FILE"};
    if (ends("/ir")) return {"disasm", "--emit=ir", "--passes=none", "$FILE"};
    if (ends("/bytecode")) return {"disasm", "--emit=bytecode", "$FILE"};
    if (size_t at = folder.find("/passes/"); at != folder.npos)
        return {"disasm", "--emit=ir", "--passes=" + folder.substr(at + strlen("/passes/")), "$FILE"};
    return {"run", "$FILE"};
}

/// A diagnostic line `file:line:col: severity[code]: text` of a text report.
struct Reported {
    std::string file;
    int line = 0;
    int column = 0;
    std::string code;
    std::string text;
    bool matched = false;
};

std::vector<Reported> readReport(const std::string& err) {
    std::vector<Reported> all;
    size_t at = 0;
    while (at < err.size()) {
        size_t end = err.find('\n', at);
        if (end == err.npos) end = err.size();
        std::string line = err.substr(at, end - at);
        at = end + 1;
        size_t mark = line.find(": error[");
        if (mark == line.npos) mark = line.find(": warning[");
        if (mark == line.npos) continue;
        size_t open = line.find('[', mark), close = line.find("]: ", mark);
        size_t colon = line.find(':');
        if (close == line.npos || colon >= mark) continue;
        Reported r;
        r.file = line.substr(0, colon);
        r.line = atoi(line.c_str() + colon + 1);
        if (size_t second = line.find(':', colon + 1); second < mark) r.column = atoi(line.c_str() + second + 1);
        r.code = line.substr(open + 1, close - open - 1);
        r.text = line.substr(close + 3);
        all.push_back(std::move(r));
    }
    return all;
}

template <class T>  // Reported, Announced
std::string place(const T& at) {
    return at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

/// What differs between the announced and the reported diagnostics; empty if nothing.
std::string compareDiagnostics(const GoldenFile& golden, const Outcome& outcome, bool needsColumns) {
    std::string why;
    std::vector<Reported> reported = readReport(outcome.err);
    for (const Announced& a : golden.announced) {
        if (a.code == "error") {
            const std::string want = a.file + ":" + std::to_string(a.line) + ": " + a.text;
            if (outcome.err.find(want) == std::string::npos) why += "no run-time error '" + want + "'\n";
            continue;
        }
        auto it = std::find_if(reported.begin(), reported.end(), [&](const Reported& r) {
            return !r.matched && r.file == a.file && r.line == a.line && (a.column == 0 || r.column == a.column) && r.code == a.code &&
                   r.text.find(a.text) != r.text.npos;
        });
        if (it == reported.end()) {
            why += "missing: " + place(a) + " " + a.code + " " + a.text + "\n";
        } else {
            it->matched = true;
            if (a.column == 0 && needsColumns) why += "no column: " + place(*it) + " " + a.code + "\n";
        }
    }
    for (const Reported& r : reported) {
        if (!r.matched) why += "not announced: " + place(r) + " " + r.code + " " + r.text + "\n";
    }
    return why;
}

std::string firstDifference(const std::string& got, const std::string& want) {
    if (got == want) return {};
    size_t line = 1, at = 0;
    while (at < got.size() && at < want.size() && got[at] == want[at]) line += got[at++] == '\n';
    auto lineAt = [](const std::string& s, size_t pos) {
        size_t start = pos == 0 ? 0 : s.rfind('\n', pos - 1) + 1;
        return pos > s.size() ? std::string("(end)") : s.substr(start, s.find('\n', pos) - start);
    };
    return "output differs at line " + std::to_string(line) + "\n  got:  " + lineAt(got, at) + "\n  want: " + lineAt(want, at) + "\n";
}

/// Keeps only the functions of a dump that `-- show:` names: paragraphs whose first line contains a name.
std::string limitDump(const std::string& dump, const std::vector<std::string>& show) {
    if (show.empty()) return dump;
    std::string out;
    size_t at = 0;
    while (at < dump.size()) {
        size_t end = dump.find("\n\n", at);
        end = end == dump.npos ? dump.size() : end + 2;
        std::string part = dump.substr(at, end - at);
        std::string head = part.substr(0, part.find('\n'));
        for (const std::string& name : show) {
            if (head.find(name) != head.npos) {
                out += part;
                break;
            }
        }
        at = end;
    }
    return out;
}

class Runner {
  public:
    explicit Runner(Settings settings) : settings_(std::move(settings)) {
        char pattern[] = "/tmp/golden-XXXXXX";
        scratch_ = mkdtemp(pattern);
    }
    ~Runner() {
        std::string command = "rm -rf '" + scratch_ + "'";
        if (system(command.c_str()) != 0) fprintf(stderr, "cannot remove %s\n", scratch_.c_str());
    }

    int runAll() {
        std::vector<std::string> names = list();
        printf("TAP version 13\n1..%zu\n", names.size());
        int number = 0, failed = 0;
        for (const std::string& name : names) {
            std::string why = runOne(name);
            printf("%s %d - %s\n", why.empty() ? "ok" : "not ok", ++number, name.c_str());
            if (!why.empty()) {
                ++failed;
                for (size_t at = 0; at < why.size();) {
                    size_t end = std::min(why.find('\n', at), why.size());
                    printf("# %s\n", why.substr(at, end - at).c_str());
                    at = end + 1;
                }
            }
            fflush(stdout);
        }
        return failed == 0 && number > 0 ? 0 : 1;
    }

  private:
    std::vector<std::string> list() const {
        std::vector<std::string> names;
        DIR* dir = opendir(settings_.folder.c_str());
        if (!dir) return names;
        while (dirent* e = readdir(dir)) {
            std::string name = e->d_name;
            bool isTest = name.ends_with(".luapp") || name.ends_with(".lua") || name.ends_with(".ir");
            if (isTest && name.find(settings_.filter) != name.npos) names.push_back(name);
        }
        closedir(dir);
        std::sort(names.begin(), names.end());
        return names;
    }

    std::string runOne(const std::string& name) {
        const std::string path = settings_.folder + "/" + name;
        const std::string text = readFile(path);
        GoldenFile golden = parseGolden(name, text);
        const std::string expectedPath = path.substr(0, path.rfind('.')) + ".expected";
        const bool isExample = access(expectedPath.c_str(), R_OK) == 0;
        const std::string cwd = isExample ? settings_.folder : scratch_ + "/" + name + ".d";
        if (!isExample) {
            for (const SubFile& f : golden.files) {
                makeFolders(cwd + "/" + f.name);
                writeFile(cwd + "/" + f.name, f.text);
            }
        }
        std::string stdinPath;
        if (!golden.stdinText.empty()) {
            stdinPath = scratch_ + "/.stdin";
            std::string file = golden.stdinText.substr(0, golden.stdinText.size() - 1);
            if (isExample && access((cwd + "/" + file).c_str(), R_OK) == 0) {
                stdinPath = cwd + "/" + file;
            } else {
                writeFile(stdinPath, golden.stdinText);
            }
        }
        std::vector<std::string> args = arguments(golden, isExample);
        Outcome outcome = runLuapp(args, cwd, stdinPath, scratch_, settings_.timeout);
        if (isExample) {
            golden.hasExpectBlock = true;
            golden.expectBlock = readFile(expectedPath);
        }
        std::string why = judge(golden, outcome);
        if (why.empty()) why = judgeFromChunk(golden, args, cwd, isExample ? scratch_ + "/program.lbc" : "program.lbc", stdinPath);
        if (!why.empty() && settings_.update && mayUpdate(golden, outcome)) {
            if (isExample) {
                writeFile(expectedPath, outcome.out);
            } else {
                writeFile(path, withExpectBlock(text, limitDump(outcome.out, golden.show)));
            }
            return {};
        }
        return why;
    }

    /// What a program does must not depend on whether it comes from its source or from the chunk file that is built from it, which the
    /// verifier has to accept.
    std::string judgeFromChunk(GoldenFile golden, std::vector<std::string> args, const std::string& cwd, const std::string& chunk,
                               const std::string& stdinPath) {
        if (args.size() != 2 || args[0] != "run" || args[1] != golden.name) return {};  // arg[0] is another
        const Outcome built = runLuapp({"build", golden.name, "-o", chunk}, cwd, "", scratch_, settings_.timeout);
        if (built.exitStatus != 0) return built.signal == 0 ? std::string() : "the build is killed by signal " + std::to_string(built.signal) + "\n";
        args[1] = chunk;
        // Warnings are the build's.
        std::erase_if(golden.announced, [](const Announced& a) { return a.code != "error"; });
        const std::string why = judge(golden, runLuapp(args, cwd, stdinPath, scratch_, settings_.timeout));
        return why.empty() ? why : "run from its chunk file:\n" + why;
    }

    std::vector<std::string> arguments(const GoldenFile& golden, bool isExample) const {
        std::vector<std::string> args = folderArgs(settings_.folder);
        if (isExample) {
            args.insert(args.end(), golden.args.begin(), golden.args.end());
        } else if (!golden.args.empty()) {
            args = golden.args;
        }
        for (std::string& a : args) {
            if (a == "$FILE") a = golden.name;
        }
        if (!settings_.level.empty() && args[0] == "run") args.insert(args.begin() + 1, {"-O", settings_.level});
        return args;
    }

    static bool mayUpdate(const GoldenFile& golden, const Outcome& outcome) {
        return outcome.signal == 0 && outcome.exitStatus == expectedStatus(golden) && golden.announced.empty() &&
               !golden.hasOutputMarkers;
    }

    static int expectedStatus(const GoldenFile& golden) {
        if (golden.exitGiven) return golden.exitStatus;
        for (const Announced& a : golden.announced) {
            if (a.code.front() != 'W') return 1;
        }
        return 0;
    }

    std::string judge(const GoldenFile& golden, const Outcome& outcome) const {
        if (outcome.signal == SIGALRM) return "no end in time\n";
        if (outcome.signal != 0) return "killed by signal " + std::to_string(outcome.signal) + "\n" + outcome.err;
        std::string why = compareDiagnostics(golden, outcome, settings_.folder.ends_with("golden/diag"));
        if (outcome.exitStatus != expectedStatus(golden)) {
            why += "exit status " + std::to_string(outcome.exitStatus) + ", wanted " + std::to_string(expectedStatus(golden)) + "\n" +
                   outcome.err;
        }
        for (const std::string& text : golden.expectedErrors) {
            if (outcome.err.find(text) == outcome.err.npos) why += "standard error lacks: " + text + "\nit is: " + outcome.err + "\n";
        }
        if (golden.hasExpectBlock) why += firstDifference(limitDump(outcome.out, golden.show), golden.expectBlock);
        if (golden.hasOutputMarkers) why += firstDifference(outcome.out, golden.expectedOutput);
        if (!golden.hasExpectBlock && !golden.hasOutputMarkers && golden.announced.empty() && golden.expectedErrors.empty() &&
            !golden.exitGiven)
            why += "the file expects nothing: no marker, no expect block\n";
        return why;
    }

    Settings settings_;
    std::string scratch_;
};

}  // namespace

}  // namespace luapp::golden

int main(int argc, char** argv) {
    luapp::golden::Settings settings;
    for (int i = 1; i < argc; ++i) {
        std::string a = argv[i];
        if (a == "--update") {
            settings.update = true;
        } else if (a == "--filter" && i + 1 < argc) {
            settings.filter = argv[++i];
        } else if (a == "--timeout" && i + 1 < argc) {
            settings.timeout = unsigned(atoi(argv[++i]));
        } else if (a == "--level" && i + 1 < argc) {
            settings.level = argv[++i];
        } else {
            settings.folder = a;
        }
    }
    if (settings.folder.empty()) {
        fprintf(stderr, "usage: golden_runner [--update] [--filter TEXT] [--timeout SECONDS] [--level N] FOLDER\n");
        return 2;
    }
    return luapp::golden::Runner(settings).runAll();
}
