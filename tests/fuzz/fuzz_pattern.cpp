// Random subjects, patterns and formats against the string library. Nothing may crash or hang; matches and captures must lie in the
// subject, functions that do the same in different ways must agree, and string.format must give what its arguments allow.
//
// An input is lines: the subject, the pattern, the replacement, the format, a start position; bytes other than printable ASCII are
// written \xHH.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "harness.h"
#include "runtime/lib/builtin_values.h"
#include "runtime/lib/library.h"
#include "runtime/lib/pattern.h"
#include "runtime/object/string.h"
#include "runtime/vm/call.h"

namespace luapp::fuzz {

namespace {

constexpr size_t kMaxCallArgs = 4;

constexpr const char* kPatternPieces[] = {
    "a", "b", "ab", "x", ".", "%a", "%d", "%s", "%w", "%W", "%p", "%c", "%z", "%x", "%l", "%u", "%D", "[ab]", "[^ab]", "[a-c]", "[%d_]",
    "[]]", "[^]", "[a-", "[", "]", "*", "+", "-", "?", "(", ")", "()", "(a)", "(.-)", "(.*)", "%1", "%2", "%9", "%0", "%b()", "%bab", "%b",
    "%f[%w]", "%f[^%w]", "%f", "^", "$", "%", "%%", "%.", "\x01", "\xff", "\xc3\xa9", "-", ".-", ".*", "a-", "a*", "a+", "a?",
};
constexpr const char* kSubjectPieces[] = {"a", "b", "ab", "aab", "c", "x", "(", ")", "((a)b)", " ", "\t", "1", "42", "_", ".", "%", "-", "]", "^", "$",
                                          "\xff", "\xc3\xa9", "aaaaaaaaaaaaaaaa", "hello", "\x01"};
constexpr const char* kReplacementPieces[] = {"%0", "%1", "%2", "%9", "%%", "%", "x", "", "<", ">", "%a"};
constexpr const char* kFormatPieces[] = {"%d", "%s", "%q", "%x", "%X", "%o", "%u", "%i", "%c", "%e", "%E", "%f", "%g", "%G", "%a", "%%", "%", "%5d", "%-5d",
                                         "%05d", "%+d", "% d", "%#x", "%.3f", "%10.4f", "%99d", "%.99f", "%100d", "%.20s", "%5.2s", "%-99.99f", "text", " ",
                                         "%5", "%.", "%z", "%ld", "%--5d", "\xff", "%#.3g", "%+.0e"};

template <size_t kCount>
std::string joinPieces(Random& random, const char* const (&pieces)[kCount], int most) {
    std::string text;
    for (int i = random.between(0, most); i > 0; i--) text += random.pick(pieces);
    if (random.chance(5)) text += char(random.below(256));
    if (random.chance(3)) text += '\0';
    return text;
}

std::string escape(const std::string& bytes) {
    std::string text;
    for (unsigned char c : bytes) {
        if (c >= ' ' && c < 127 && c != '\\') {
            text += char(c);
        } else {
            char code[8];
            snprintf(code, sizeof code, "\\x%02X", c);
            text += code;
        }
    }
    return text;
}

std::string unescape(const std::string& text) {
    std::string bytes;
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x') {
            bytes += char(strtoul(text.substr(i + 2, 2).c_str(), nullptr, 16));
            i += 3;
        } else {
            bytes += text[i];
        }
    }
    return bytes;
}

/// A State with the library, and calls into it that give text.
class Library {
  public:
    Library() {
        rt::StateOptions options;
        options.hooks = &rt::kVmHooks;
        options.memoryLimit = 256u << 20;
        options.seed = 1;
        state_ = rt::State::create(options);
        rt::openLibrary(*state_);
    }
    ~Library() {
        rt::closeLibrary(*state_);
        rt::State::destroy(state_);
    }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    rt::Value text(const std::string& s) { return rt::Value::string(rt::newString(*state_, s)); }
    rt::Value number(double d) { return rt::Value::number(d); }
    rt::Value boolean(bool b) { return rt::Value::boolean(b); }

    /// Calls a library function; false if it raised an error, which is then `error`.
    template <class... Args>
    bool call(std::string_view name, Args... args) {
        static_assert(sizeof...(Args) <= kMaxCallArgs);
        const int index = rt::findBuiltin(name);
        Job job{rt::Value::function(rt::builtinClosure(*state_, unsigned(index))), {args...}, sizeof...(Args)};
        if (rt::protectedCall(*state_, invoke, &job)) return true;
        error = state_->errorValue.isString() ? std::string(state_->errorValue.asString()->view()) : "?";
        return false;
    }
    uint32_t resultCount() const { return state_->resultCount; }
    rt::Value result(uint32_t i) const { return i < resultCount() ? rt::Value::fromWord(state_->results[i]) : rt::Value(); }
    std::string resultText(uint32_t i) const {
        const rt::Value v = result(i);
        if (v.isString()) return std::string(v.asString()->view());
        return v.isNumber() ? std::to_string(v.asNumber()) : "(nil)";
    }

    std::string error;

  private:
    struct Job {
        rt::Value function;
        rt::Value args[kMaxCallArgs];
        uint32_t count;
    };
    static void invoke(rt::State& s, void* data) {
        Job& job = *static_cast<Job*>(data);
        rt::call(s, job.function, {job.args, job.count});
    }

    rt::State* state_;
};

/// The lines of an input.
struct Input {
    std::string subject, pattern, replacement, format;
    int from = 1;
};

Input readInput(const std::string& text) {
    std::string lines[5];
    size_t at = 0;
    for (std::string& line : lines) {
        const size_t end = std::min(text.find('\n', at), text.size());
        line = at <= text.size() ? unescape(text.substr(at, end - at)) : "";
        at = end + 1;
    }
    return {lines[0], lines[1], lines[2], lines[3], atoi(lines[4].c_str())};
}

class PatternFuzzer : public Fuzzer {
  public:
    const char* name() const override { return "fuzz_pattern"; }
    bool prepare(std::vector<CorpusFile>&&, std::string&) override { return true; }

    std::string makeInput(Random& random) override {
        const std::string subject = joinPieces(random, kSubjectPieces, random.chance(5) ? 200 : 12);
        const std::string pattern = joinPieces(random, kPatternPieces, random.chance(3) ? 60 : 6);
        return escape(subject) + "\n" + escape(pattern) + "\n" + escape(joinPieces(random, kReplacementPieces, 4)) + "\n" +
               escape(joinPieces(random, kFormatPieces, 4)) + "\n" + std::to_string(random.between(-20, 20)) + "\n";
    }

    Verdict tryInput(const std::string& text) override {
        const Input input = readInput(text);
        Library library;
        Verdict verdict;
        tryMatcher(input, verdict);
        tryFind(input, library, verdict);
        tryGsub(input, library, verdict);
        tryFormat(input, library, verdict);
        return verdict;
    }

  private:
    static void fail(Verdict& verdict, const char* problem, const std::string& details = {}) {
        if (!verdict.problem.empty()) return;
        verdict.problem = problem;
        verdict.details = details;
    }

    static bool isInside(std::string_view whole, const rt::PatternMatcher::Capture& c) {
        const size_t length = c.length == rt::PatternMatcher::kPositionCapture ? 0 : c.length;
        return c.start >= whole.data() && c.start + length <= whole.data() + whole.size();
    }

    /// The engine alone: where matches and captures lie.
    static void tryMatcher(const Input& in, Verdict& verdict) {
        if (rt::checkPattern(in.pattern)) return;
        rt::PatternMatcher m(in.subject, in.pattern);
        size_t from = 0;
        while (from <= in.subject.size() && m.search(from)) {
            verdict.wentThrough = true;
            if (m.begin() < from || m.end() < m.begin() || m.end() > in.subject.size()) return fail(verdict, "a match lies outside the subject");
            for (unsigned i = 0; i < m.captureCount(); i++) {
                if (!isInside(in.subject, m.capture(i))) return fail(verdict, "a capture lies outside the subject");
            }
            if (m.isAnchored() && m.begin() != from) return fail(verdict, "an anchored match begins later");
            if (m.isAnchored()) return;
            from = std::max(m.end(), m.begin() + 1);
        }
    }

    /// find and match see the same; a plain find agrees with a search in C++.
    static void tryFind(const Input& in, Library& library, Verdict& verdict) {
        const rt::Value subject = library.text(in.subject), pattern = library.text(in.pattern), from = library.number(in.from);
        const bool found = library.call("string.find", subject, pattern, from) && library.result(0).isNumber();
        const std::string findError = std::exchange(library.error, "");
        size_t begin = 0, end = 0;
        if (found) {
            begin = size_t(library.result(0).asNumber());
            end = size_t(library.result(1).asNumber());
            if (begin < 1 || end + 1 < begin || end > in.subject.size()) return fail(verdict, "find gives positions outside the string");
        }
        const bool hasCaptures = found && library.resultCount() > 2;
        const std::string firstCapture = hasCaptures ? library.resultText(2) : found ? in.subject.substr(begin - 1, end - begin + 1) : "(nil)";
        if (!library.call("string.match", subject, pattern, from)) {
            if (library.error != findError) fail(verdict, "find and match fail differently", findError + " | " + library.error);
        } else if (library.resultText(0) != firstCapture) {
            fail(verdict, "find and match differ", firstCapture + " | " + library.resultText(0));
        }
        if (!library.call("string.find", subject, pattern, library.number(1), library.boolean(true))) return fail(verdict, "a plain find fails", library.error);
        const size_t expected = in.subject.find(in.pattern);
        const bool plainFound = library.result(0).isNumber();
        if (plainFound != (expected != std::string::npos) || (plainFound && size_t(library.result(0).asNumber()) != expected + 1)) {
            fail(verdict, "a plain find is wrong");
        }
    }

    /// Replacing every match by itself changes nothing.
    static void tryGsub(const Input& in, Library& library, Verdict& verdict) {
        const rt::Value subject = library.text(in.subject), pattern = library.text(in.pattern);
        if (library.call("string.gsub", subject, pattern, library.text("%0")) && library.resultText(0) != in.subject) {
            fail(verdict, "gsub with %0 changes the string", library.resultText(0));
        }
        if (library.call("string.gsub", subject, pattern, library.text(in.replacement)) && library.result(1).asNumber() == 0 &&
            library.resultText(0) != in.subject) {
            fail(verdict, "gsub without a match changes the string");
        }
        if (library.call("string.gsub", subject, pattern, library.text(""), library.number(1)) && library.result(1).asNumber() > 1) {
            fail(verdict, "gsub replaces more than it may");
        }
        library.call("string.gmatch", subject, pattern);
    }

    /// Formats give a string, or an error with a message; plain text comes out as it went in.
    static void tryFormat(const Input& in, Library& library, Verdict& verdict) {
        constexpr double kNumbers[] = {0, 1, -1, 65, 1e15, 1e308, -5e-324, 0.1, 9007199254740993.0, 1e300};
        const rt::Value format = library.text(in.format);
        for (double d : kNumbers) {
            if (!library.call("string.format", format, library.number(d), library.text(in.subject), library.number(-d))) {
                if (library.error.empty()) fail(verdict, "format fails without a message");
            } else if (library.resultCount() != 1 || !library.result(0).isString()) {
                fail(verdict, "format gives no string");
            }
        }
        if (library.call("string.format", library.text("%s"), library.text(in.subject)) && library.resultText(0) != in.subject) {
            fail(verdict, "format with %s changes a string");
        }
    }
};

}  // namespace

}  // namespace luapp::fuzz

int main(int argc, char** argv) {
    luapp::fuzz::PatternFuzzer fuzzer;
    return luapp::fuzz::runFuzzer(fuzzer, argc, argv);
}
