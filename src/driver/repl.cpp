#include "driver/repl.h"

#include <cstdio>

#include "driver/completion.h"
#include "driver/line_input.h"
#include "driver/pipeline.h"
#include "driver/report.h"
#include "frontend/ast/ast.h"
#include "frontend/diag/render.h"
#include "runtime/lib/library.h"

namespace luapp::driver {

namespace {

namespace ast = frontend;

constexpr const char* kEntryName = "stdin";
constexpr const char* kEntryModule = "(entry)";  // as which a strict entry gives its declarations

/// In front of an expression: a line that prints what it gives, if anything.
constexpr const char* kShow = "local function __show(...: any) if select('#', ...) > 0 then print(...) end end __show(\n";

constexpr const char* kHelp =
    "An expression prints its values; anything else runs. An entry that ends too early goes on in the next line.\n"
    ":lenient        entries are Lua 5.1\n"
    ":strict         entries are strict Lua++\n"
    ":complete TEXT  what Tab offers for TEXT\n"
    ":help           this text\n"
    ":quit           ends the session, as the end of the input does\n";

bool isBlank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

/// A strict entry, compiled; `kept` are the names it declares.
struct StrictEntry {
    CompiledText compiled;
    std::vector<std::string> kept;
    bool isParsed = false;  // its form is right, whatever it means
};

/// Marks what outlives the entry as exported, and gives the names.
std::vector<std::string> exportDeclarations(ast::Module& module, const ast::Interner& interner) {
    std::vector<std::string> names;
    auto keep = [&](ast::Decl& decl, ast::Symbol name) {
        decl.isExported = true;
        names.emplace_back(interner.text(name));
    };
    for (ast::Stmt* stmt : module.main->body.statements) {
        if (auto* function = ast::as<ast::FunctionDecl>(stmt)) {
            auto* target = ast::as<ast::NameExpr>(function->target);
            if (target && !function->isMethod) keep(*function, target->name);
        } else if (auto* cls = ast::as<ast::ClassDecl>(stmt)) {
            keep(*cls, cls->name.name);
        } else if (auto* local = ast::as<ast::LocalStmt>(stmt); local && local->isConst) {
            local->isExported = true;
            for (const ast::NameDecl& name : local->names) names.emplace_back(interner.text(name.name));
        } else if (auto* inner = ast::as<ast::LocalFunctionDecl>(stmt); inner && inner->isConst) {
            keep(*inner, inner->name.name);
        }
    }
    return names;
}

/// `end`: where what the user wrote ends in `text`.
StrictEntry compileStrict(const std::string& text, size_t end, int level) {
    StrictEntry entry;
    Compilation compilation(level);
    compilation.isSession = true;
    CompiledText& compiled = entry.compiled;
    ast::Module* root = compilation.loader.loadText(kEntryName, text, compiled.problem);
    if (!root) return entry;
    entry.isParsed = !root->hasErrors;
    entry.kept = exportDeclarations(*root, compilation.interner);
    if (compilation.check(*root, entry.kept.empty() ? std::string_view() : std::string_view(kEntryModule))) {
        compiled.chunk = compilation.compile();
        return entry;
    }
    compilation.diagnostics.finish();
    for (const ast::Diagnostic& d : compilation.diagnostics.list()) {
        if (!root->hasErrors || d.severity != ast::Severity::Error) continue;
        const size_t offset = d.range.begin.offset - root->file->begin().offset;
        const bool isOpen = d.id == ast::diag::UnfinishedLongString.id || d.id == ast::diag::UnfinishedLongComment.id;
        compiled.isIncomplete = isOpen || offset >= end || isBlank(std::string_view(text).substr(offset, end - offset));
        break;
    }
    compiled.problem = ast::renderDiagnostics(compilation.diagnostics, {ast::DiagFormat::Text, useColor(ColorMode::Auto)});
    return entry;
}

class Repl {
  public:
    Repl(Session& session, ReplMode mode)
        : session_(session), mode_(mode), input_(openLineInput([&session](std::string_view line) {
              return completions(session.state(), line);
          })) {}

    void run() {
        if (input_->isTerminal()) puts("Lua++ 0.1.0, :help for help");
        std::string entry, line;
        while (true) {
            rt::flushOutput(session_.state());
            fflush(stdout);
            const LineInput::Status status = input_->next(prompt(!entry.empty()), line);
            if (status == LineInput::Status::End) break;
            if (status == LineInput::Status::Interrupted) {
                entry.clear();
                continue;
            }
            if (entry.empty() && line.starts_with(':')) {
                if (!command(line)) return;
                continue;
            }
            entry += (entry.empty() ? "" : "\n") + line;
            if (isBlank(entry)) {
                entry.clear();
            } else if (take(entry, false)) {
                finish(entry);
            }
        }
        // What is left ends too early for good: its error is printed.
        if (!entry.empty()) take(entry, true);
    }

  private:
    std::string prompt(bool isFurther) const {
        if (mode_ == ReplMode::Strict) return isFurther ? "strict>> " : "strict> ";
        return isFurther ? ">> " : "> ";
    }

    void finish(std::string& entry) {
        input_->remember(entry);
        entry.clear();
    }

    /// A line that begins with a colon. False to end the session.
    bool command(const std::string& line) {
        input_->remember(line);
        const std::string word = line.substr(0, line.find(' '));
        if (word == ":quit" || word == ":q") return false;
        if (word == ":strict") {
            mode_ = ReplMode::Strict;
        } else if (word == ":lenient") {
            mode_ = ReplMode::Lenient;
        } else if (word == ":complete") {
            for (const std::string& name : completions(session_.state(), line)) puts(name.c_str());
        } else {
            if (word != ":help") fprintf(stderr, "luapp: no command '%s'\n", word.c_str());
            fputs(kHelp, stdout);
        }
        return true;
    }

    /// Runs an entry if it is whole. False if more lines are wanted.
    bool take(const std::string& entry, bool isLast) {
        const bool isPrinted = entry[0] == '=';
        const std::string text = isPrinted ? entry.substr(1) : entry;
        return mode_ == ReplMode::Strict ? takeStrict(text, isPrinted, isLast) : takeLenient(text, isPrinted, isLast);
    }

    bool takeLenient(const std::string& text, bool isExpression, bool isLast) {
        const std::string chunkName = std::string("=") + kEntryName;
        CompiledText compiled;
        compileLenientText("return " + text, chunkName, session_.level(), compiled);
        bool isIncomplete = compiled.isIncomplete;
        if (!compiled.problem.empty() && !isExpression) {
            compileLenientText(text, chunkName, session_.level(), compiled);
            isIncomplete |= compiled.isIncomplete;
        }
        if (!compiled.problem.empty() && isIncomplete && !isLast) return false;
        if (compiled.problem.empty()) {
            session_.run(std::move(compiled.chunk), Session::Results::Printed);
        } else {
            fprintf(stderr, "luapp: %s\n", compiled.problem.c_str());
        }
        return true;
    }

    bool takeStrict(const std::string& text, bool isExpression, bool isLast) {
        const std::string opening = kShow;
        StrictEntry entry = compileStrict(opening + text + "\n)", opening.size() + text.size(), session_.level());
        bool isIncomplete = entry.compiled.isIncomplete;
        if (!entry.compiled.problem.empty() && !isExpression) {
            StrictEntry plain = compileStrict(text, text.size(), session_.level());
            isIncomplete |= plain.compiled.isIncomplete;
            if (plain.isParsed || !entry.isParsed) entry = std::move(plain);
        }
        if (!entry.compiled.problem.empty() && isIncomplete && !isLast) return false;
        if (!entry.compiled.problem.empty()) {
            fputs(entry.compiled.problem.c_str(), stderr);
            return true;
        }
        if (session_.run(std::move(entry.compiled.chunk))) keep(entry.kept);
        return true;
    }

    /// What a strict entry declares becomes global.
    void keep(const std::vector<std::string>& names) {
        if (names.empty()) return;
        std::string text = "local entry = require('" + std::string(kEntryModule) + "')";
        for (const std::string& name : names) text += " _G['" + name + "'] = entry['" + name + "']";
        session_.runText(text, "=(session)");
    }

    Session& session_;
    ReplMode mode_;
    std::unique_ptr<LineInput> input_;
};

}  // namespace

void runRepl(Session& session, ReplMode mode) { Repl(session, mode).run(); }

}  // namespace luapp::driver
