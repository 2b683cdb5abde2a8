#include "driver/line_input.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace luapp::driver {

namespace {

constexpr int kHistorySize = 1000;

/// A signal handler can reach nothing but a global.
volatile sig_atomic_t wasInterrupted = 0;

void onInterrupt(int) { wasInterrupted = 1; }

/// Lets SIGINT end a read as long as it lives.
class InterruptedRead {
  public:
    InterruptedRead() {
        wasInterrupted = 0;
        struct sigaction action = {};
        action.sa_handler = onInterrupt;  // without SA_RESTART
        sigaction(SIGINT, &action, &previous_);
    }
    ~InterruptedRead() { sigaction(SIGINT, &previous_, nullptr); }

  private:
    struct sigaction previous_ = {};
};

class PlainInput final : public LineInput {
  public:
    Status next(const std::string&, std::string& line) override {
        line.clear();
        int c;
        while ((c = getc(stdin)) != EOF && c != '\n') line += char(c);
        if (c == EOF && line.empty()) return Status::End;
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return Status::Line;
    }
    void remember(const std::string&) override {}
    bool isTerminal() const override { return false; }
};

class EditedInput final : public LineInput {
  public:
    explicit EditedInput(Completer completer) : completer_(std::move(completer)) {
        setlocale(LC_CTYPE, "");  // how wide characters are
        edit_ = el_init("luapp", stdin, stdout, stderr);
        history_ = history_init();
        HistEvent event;
        history(history_, &event, H_SETSIZE, kHistorySize);
        history(history_, &event, H_SETUNIQUE, 1);
        if (const char* file = getenv("LUAPP_HISTORY")) file_ = file;
        if (!file_.empty()) history(history_, &event, H_LOAD, file_.c_str());
        el_set(edit_, EL_CLIENTDATA, this);
        el_set(edit_, EL_PROMPT, promptOf);
        el_set(edit_, EL_HIST, history, history_);
        el_set(edit_, EL_EDITOR, "emacs");
        el_set(edit_, EL_SIGNAL, 0);
        el_set(edit_, EL_ADDFN, "luapp-complete", "Complete the name before the cursor", complete);
        el_set(edit_, EL_BIND, "^I", "luapp-complete", nullptr);
        el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
        el_source(edit_, nullptr);  // the user's ~/.editrc
    }
    ~EditedInput() override {
        HistEvent event;
        if (!file_.empty()) history(history_, &event, H_SAVE, file_.c_str());
        history_end(history_);
        el_end(edit_);
    }
    Status next(const std::string& prompt, std::string& line) override {
        prompt_ = prompt;
        int length = 0;
        InterruptedRead reading;
        errno = 0;
        const char* text = el_gets(edit_, &length);
        if (wasInterrupted) {
            el_reset(edit_);
            putc('\n', stdout);
            return Status::Interrupted;
        }
        if (!text || length <= 0) {
            putc('\n', stdout);
            return Status::End;
        }
        line.assign(text, size_t(length));
        while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
        return Status::Line;
    }
    void remember(const std::string& entry) override {
        HistEvent event;
        history(history_, &event, H_ENTER, entry.c_str());
    }
    bool isTerminal() const override { return true; }

  private:
    static EditedInput& of(EditLine* edit) {
        void* self = nullptr;
        el_get(edit, EL_CLIENTDATA, &self);
        return *static_cast<EditedInput*>(self);
    }
    static char* promptOf(EditLine* edit) { return of(edit).prompt_.data(); }

    /// Tab: inserts what all candidates share, or shows them.
    static unsigned char complete(EditLine* edit, int) {
        const EditedInput& self = of(edit);
        const LineInfo* info = el_line(edit);
        const std::string_view line(info->buffer, size_t(info->cursor - info->buffer));
        const std::vector<std::string> words = self.completer_(line);
        if (words.empty()) return CC_REFRESH_BEEP;
        std::string shared = words[0];
        for (const std::string& word : words) {
            const auto end = std::mismatch(shared.begin(), shared.end(), word.begin(), word.end()).first;
            shared.erase(end, shared.end());
        }
        const size_t typed = lastWord(line).size();
        if (shared.size() > typed) return el_insertstr(edit, shared.c_str() + typed) == 0 ? CC_REFRESH : CC_ERROR;
        if (words.size() == 1) return CC_NORM;
        putc('\n', stdout);
        for (const std::string& word : words) printf("%s  ", word.c_str());
        putc('\n', stdout);
        return CC_REDISPLAY;
    }

    Completer completer_;
    std::string prompt_;
    std::string file_;  // of the history; empty: none
    EditLine* edit_;
    History* history_;
};

}  // namespace

std::unique_ptr<LineInput> openLineInput(Completer completer) {
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) return std::make_unique<EditedInput>(std::move(completer));
    return std::make_unique<PlainInput>();
}

std::string_view lastWord(std::string_view line) {
    auto isPart = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == ':';
    };
    size_t from = line.size();
    while (from > 0 && isPart(line[from - 1])) --from;
    return line.substr(from);
}

}  // namespace luapp::driver
