#include "driver/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "driver/driver.h"
#include "driver/option_docs.h"
#include "frontend/diag/diagnostic.h"
#include "frontend/diag/suggest.h"

namespace luapp::driver {

namespace {

constexpr const char* kVersion = "luapp 0.1.0";

/// A size such as `64M`: bytes, with an optional K, M or G (powers of 1024). Throws CLI::ValidationError.
uint64_t readSize(const std::string& text) {
    size_t end = 0;
    unsigned long long value = 0;
    try {
        value = std::stoull(text, &end);
    } catch (...) {
        end = 0;
    }
    int shift = 0;
    if (end != 0 && end < text.size()) {
        switch (text[end]) {
            case 'k': case 'K': shift = 10; break;
            case 'm': case 'M': shift = 20; break;
            case 'g': case 'G': shift = 30; break;
            default: end = 0;
        }
        if (end != 0) ++end;
    }
    if (end != text.size() || text.empty() || text[0] == '-' || value == 0 || value > (~0ull >> shift))
        throw CLI::ValidationError("--memory", "'" + text + "' is not a size; write for example 64M");
    return uint64_t(value) << shift;
}

/// The names of an option's values; value i of the enumeration is called names[i].
constexpr const char* kColorNames[] = {"auto", "always", "never"};
constexpr const char* kFormatNames[] = {"text", "json", "sarif", "github"};

/// An option that takes one of `names`.
template <class E, size_t N>
void addChoice(CLI::App& sub, const char* flag, E& value, const char* const (&names)[N], const char* type, const char* help) {
    std::vector<std::string> list(names, names + N);
    sub.add_option_function<std::string>(
           flag,
           [&value, list](const std::string& name) { value = E(std::find(list.begin(), list.end(), name) - list.begin()); },
           help)
        ->check(CLI::IsMember(list))
        ->type_name(type);
}

void addCommon(CLI::App& sub, CommonOptions& common) {
    addChoice(sub, "--color", common.color, kColorNames, "WHEN", "colour in messages (default: auto)");
    sub.add_flag("--time", common.timings, "print to standard error what each stage took");
}

void addLevel(CLI::App& sub, int& level) {
    sub.add_option("-O", level, "optimise: 0 not at all, 1 what is cheap, 2 everything (default: 2)")
        ->check(CLI::Range(0, ir::kMaxLevel))
        ->type_name("LEVEL");
}

/// The subcommands with all their options; the help texts are the user's reference.
struct CommandLine {
    CLI::App app{"Lua++: compiles, runs, checks and disassembles .luapp and .lua programs."};
    CLI::App* run = nullptr;
    CLI::App* repl = nullptr;
    CLI::App* build = nullptr;
    CLI::App* check = nullptr;
    CLI::App* disasm = nullptr;
    CLI::App* help = nullptr;
    CLI::App* version = nullptr;
    std::string helpTopic;
    std::string completionShell;
    bool wantsManual = false;
    std::string memory, replMemory;
    std::vector<std::string> codes, modules;  // of run
    CLI::Option* codeOption = nullptr;
    CLI::Option* moduleOption = nullptr;
    std::string silenced;
    bool isLenient = false;

    explicit CommandLine(Options& o) {
        app.name("luapp");
        app.require_subcommand(0, 1);
        app.set_version_flag("-v,--version", kVersion);
        app.footer("Exit status: 0 fine, 1 errors in the program, 2 wrong use of the command line, 70 a bug in luapp.");
        addRun(o);
        addRepl(o);
        addBuild(o);
        addCheck(o);
        addDisasm(o);
        help = app.add_subcommand("help", "print help for luapp or for one of its commands");
        help->add_option("COMMAND", helpTopic, "the command to explain");
        help->add_flag("--man", wantsManual, "print a manual page (for man -l -)");
        help->add_option("--completion", completionShell, "print a completion script for bash, zsh or fish")->type_name("SHELL");
        version = app.add_subcommand("version", "print the version");
    }

    /// The subcommand called `name`, or null.
    CLI::App* find(const std::string& name) {
        for (CLI::App* sub : app.get_subcommands(nullptr)) {
            if (sub->get_name() == name) return sub;
        }
        return nullptr;
    }

    void addRun(Options& o) {
        run = app.add_subcommand("run", "compile in memory and run; FILE is .luapp, .lua or .lbc, or - for standard input");
        run->prefix_command();
        run->footer("Usage: luapp run [OPTIONS] FILE [ARGS...]; everything after FILE goes to the program.\n"
                    "CODE and MODULE run in their order before FILE, which may then be left out.");
        codeOption = run->add_option("-e", codes, "run CODE, which is Lua 5.1, before FILE")
                         ->type_name("CODE")->allow_extra_args(false);
        moduleOption = run->add_option("-l", modules, "require MODULE before FILE")->type_name("MODULE")->allow_extra_args(false);
        run->add_flag("-i", o.run.isInteractive, "go on with an interactive session (see repl)");
        run->add_flag("--gc-log", o.run.gcLog, "tell of each pause of the collector on standard error");
        run->add_option("--memory", memory, "the most memory the program may use, for example 64M (default: no limit)")
            ->type_name("SIZE");
        addLevel(*run, o.common.level);
        addCommon(*run, o.common);
    }

    void addRepl(Options& o) {
        repl = app.add_subcommand("repl", "read entries, run them and print what they give");
        repl->add_flag("--strict", o.repl.isStrict, "entries are strict Lua++ (in the session: `:strict`)");
        repl->add_flag("--lenient", isLenient, "entries are Lua 5.1, which is the default (in the session: `:lenient`)");
        addLevel(*repl, o.repl.level);
        repl->add_option("--memory", replMemory, "the most memory the session may use, for example 64M (default: no limit)")
            ->type_name("SIZE");
    }

    void addBuild(Options& o) {
        build = app.add_subcommand("build", "compile FILE and the modules it imports into one chunk");
        build->add_option("FILE", o.build.file, "the program's main file")->required();
        build->add_option("-o,--output", o.build.out, "where to write (default: FILE with the ending .lbc)")->type_name("OUT");
        addLevel(*build, o.common.level);
        addCommon(*build, o.common);
    }

    void addCheck(Options& o) {
        check = app.add_subcommand("check", "report the errors and warnings of files, or of all .luapp files in folders");
        check->add_option("PATH", o.check.paths, "files and folders");
        addChoice(*check, "--format", o.check.format, kFormatNames, "FORMAT", "form of the report (default: text)");
        check->add_flag("--deny-warnings", o.check.denyWarnings, "exit with status 1 if there are warnings");
        check->add_option("--no-warn", silenced, "leave out the warnings with these codes, comma-separated, or `all`")->type_name("CODES");
        check->add_option("--explain", o.check.explain, "explain a diagnostic, for example E2001")->type_name("CODE");
        addCommon(*check, o.common);
    }

    void addDisasm(Options& o) {
        disasm = app.add_subcommand("disasm", "print a program as one of the compiler's stages sees it");
        disasm->add_option("FILE", o.disasm.file, "source (.luapp, .lua), chunk (.lbc) or textual IR (.ir)")->required();
        disasm->add_option("--emit", o.disasm.emit, "tokens, ast, ast-dot, types, ir, ir:PASS (after that pass) or bytecode")
            ->default_str("bytecode")
            ->type_name("STAGE");
        addLevel(*disasm, o.common.level);
        disasm->add_option("--passes", o.disasm.passes, "run these passes only, comma-separated; `none` for none")->type_name("LIST");
        disasm->add_option("--pass-limit", o.disasm.passLimit, "stop after this many passes")->type_name("N");
        disasm->add_flag("--stats", o.disasm.statistics, "print what the passes did to standard error");
        addCommon(*disasm, o.common);
    }
};

ParsedOptions finished(int status) {
    ParsedOptions p;
    p.done = true;
    p.status = status;
    return p;
}

int usageError(const std::string& message, const std::string& hint) {
    fprintf(stderr, "luapp: %s\n", message.c_str());
    if (!hint.empty()) fprintf(stderr, "%s\n", hint.c_str());
    fprintf(stderr, "Try 'luapp help'.\n");
    return kExitUsage;
}

/// A word that is no command: perhaps a file, perhaps a misspelling.
std::string commandHint(const std::string& word) {
    if (word.find('.') != word.npos || word.find('/') != word.npos || word == "-") return "To run a program: luapp run " + word;
    frontend::Suggester suggester(word);
    for (const char* name : {"run", "repl", "build", "check", "disasm", "help", "version"}) suggester.offer(name);
    std::string best(suggester.best());
    return best.empty() ? std::string() : "Did you mean 'luapp " + best + "'?";
}

/// What `run` has behind its options: FILE and ARGS; and what stands before them, in order.
void takeRunWords(const CommandLine& line, RunOptions& run, int argc, const char* const* argv) {
    size_t code = 0, module = 0;
    for (const CLI::Option* option : line.run->parse_order()) {
        if (option == line.codeOption && code < line.codes.size()) run.first.push_back({false, line.codes[code++]});
        if (option == line.moduleOption && module < line.modules.size()) run.first.push_back({true, line.modules[module++]});
    }
    run.args = line.run->remaining();
    run.before.assign(argv, argv + argc - ptrdiff_t(run.args.size()));
    if (run.args.empty()) return;
    run.file = run.args.front();
    run.args.erase(run.args.begin());
}

/// `W3105,W3107`, or `all`. False with the first word that is neither.
bool readCodes(const std::string& text, std::vector<std::string>& codes, std::string& unknown) {
    for (size_t from = 0; from < text.size();) {
        const size_t to = std::min(text.find(',', from), text.size());
        const std::string word = text.substr(from, to - from);
        from = to + 1;
        const frontend::diag::Info* info = frontend::diag::findByCode(word);
        if (word == "all") {
            codes.emplace_back();
        } else if (info && info->severity == frontend::Severity::Warning) {
            codes.emplace_back(info->code);
        } else {
            unknown = word;
            return false;
        }
    }
    return true;
}

}  // namespace

ParsedOptions parseOptions(int argc, const char* const* argv) {
    ParsedOptions parsed;
    Options& o = parsed.options;
    CommandLine line(o);
    if (argc >= 2 && argv[1][0] != '-') {
        std::string word = argv[1];
        if (!line.find(word)) return finished(usageError("no command '" + word + "'", commandHint(word)));
    } else if (argc >= 2 && std::string(argv[1]) == "-") {
        return finished(usageError("no command '-'", commandHint("-")));
    }
    try {
        line.app.parse(argc, argv);
        if (!line.memory.empty()) o.run.memoryLimit = readSize(line.memory);
        if (!line.replMemory.empty()) o.repl.memoryLimit = readSize(line.replMemory);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) return finished(line.app.exit(e) == 0 ? kExitOk : kExitUsage);
        return finished(usageError(e.what(), {}));
    }
    if (*line.version) {
        puts(kVersion);
        return finished(kExitOk);
    }
    if (line.wantsManual) {
        fputs(manualPage(line.app, kVersion).c_str(), stdout);
        return finished(kExitOk);
    }
    if (!line.completionShell.empty()) {
        const std::string script = completionScript(line.app, line.completionShell);
        if (script.empty()) return finished(usageError("no completion for shell '" + line.completionShell + "'", {}));
        fputs(script.c_str(), stdout);
        return finished(kExitOk);
    }
    if (*line.help || line.app.get_subcommands().empty()) {
        // An App that has parsed a command prints that command's help; a fresh one prints its own.
        Options unused;
        CommandLine fresh(unused);
        std::string text;
        if (line.helpTopic.empty()) {
            text = fresh.app.help();
        } else if (CLI::App* topic = fresh.find(line.helpTopic)) {
            text = topic->help("luapp");
        } else {
            return finished(usageError("no command '" + line.helpTopic + "'", commandHint(line.helpTopic)));
        }
        fputs(text.c_str(), stdout);
        return finished(*line.help ? kExitOk : kExitUsage);
    }
    if (*line.run) {
        o.command = Command::Run;
        takeRunWords(line, o.run, argc, argv);
        const bool isOption = o.run.file.size() > 1 && o.run.file[0] == '-';
        if (isOption) return finished(usageError("run: unknown option '" + o.run.file + "'", {}));
        if (o.run.file.empty() && o.run.first.empty() && !o.run.isInteractive) return finished(usageError("run: which FILE?", {}));
    } else if (*line.repl) {
        o.command = Command::Repl;
        if (o.repl.isStrict && line.isLenient) return finished(usageError("repl: --strict or --lenient?", {}));
    } else if (*line.build) {
        o.command = Command::Build;
    } else if (*line.check) {
        o.command = Command::Check;
        std::string unknown;
        if (!readCodes(line.silenced, o.check.silenced, unknown))
            return finished(usageError("check: '" + unknown + "' is no warning's code", {}));
        if (o.check.paths.empty() && o.check.explain.empty()) return finished(usageError("check: which PATH?", {}));
    } else if (*line.disasm) {
        o.command = Command::Disasm;
    }
    return parsed;
}

}  // namespace luapp::driver
