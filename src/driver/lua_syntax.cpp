#include "driver/lua_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "runtime/base/numeric.h"

namespace luapp::driver {

namespace {

// Limits of Lua 5.1.
constexpr unsigned kMaxLevels = 200;
constexpr size_t kMaxLocals = 200;
constexpr size_t kMaxUpvalues = 60;

enum class Kind : uint8_t { End, Name, Number, String, Keyword, Symbol };

struct Token {
    Kind kind = Kind::End;
    std::string_view text;  // keywords and symbols
    std::string shown;      // names, numbers and strings as messages show them
    size_t offset = 0;
};

constexpr std::string_view kKeywords[] = {"and", "break", "do",  "else", "elseif", "end",    "false", "for",  "function", "if",   "in",
                                          "local", "nil", "not", "or",   "repeat", "return", "then",  "true", "until",    "while"};

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }

/// Recognises a chunk by recursive descent. The first error stops it: from then on every token is the end.
class Recogniser {
  public:
    Recogniser(std::string_view text, LuaSyntaxError& error) : text_(text), error_(error) {}

    bool run() {
        functions_.push_back({0, true, 0, {}, {}, {}});
        next();
        chunk();
        const bool isEmptyStatement = is(";");
        if (!failed_ && token_.kind != Kind::End) expected("<eof>");
        if (isEmptyStatement) error_.kind = LuaSyntaxError::Kind::EmptyStatement;
        return !failed_;
    }

  private:
    struct Scope {
        bool isLoop;
        size_t locals;
    };
    struct Function {
        uint32_t line;
        bool isVararg;
        size_t declared;  // locals named, but not in scope yet
        std::vector<std::string> locals;
        std::vector<std::string> upvalues;
        std::vector<Scope> scopes;
    };

    // --- errors

    void fail(std::string message, LuaSyntaxError::Kind kind = LuaSyntaxError::Kind::Syntax) {
        if (failed_) return;
        failed_ = true;
        error_.kind = kind;
        error_.offset = token_.offset;
        error_.line = line_;
        error_.message = std::move(message);
        token_ = {};
        at_ = text_.size();
    }
    std::string shown() const {
        switch (token_.kind) {
            case Kind::End: return "<eof>";
            case Kind::Name:
            case Kind::Number:
            case Kind::String: return token_.shown;
            case Kind::Keyword:
            case Kind::Symbol: break;
        }
        const char c = token_.text[0];
        const bool isControl = static_cast<unsigned char>(c) < ' ' || c == 0x7F;
        return isControl ? fmt::format("char({})", static_cast<int>(c)) : std::string(token_.text);
    }
    void failNear(std::string_view what) { fail(fmt::format("{} near '{}'", what, shown())); }
    void expected(std::string_view what) { failNear(fmt::format("'{}' expected", what)); }
    /// An error inside a token of which `shown` has been read.
    void failInside(std::string_view what, std::string_view shown) {
        token_.offset = at_;
        fail(fmt::format("{} near '{}'", what, shown));
    }
    void limit(const Function& f, size_t most, std::string_view what) {
        const std::string owner = f.line == 0 ? std::string("main function") : fmt::format("function at line {}", f.line);
        fail(fmt::format("{} has more than {} {}", owner, most, what), LuaSyntaxError::Kind::Limit);
    }
    bool enter() {
        if (++levels_ > kMaxLevels) fail("chunk has too many syntax levels", LuaSyntaxError::Kind::Limit);
        return !failed_;
    }
    void leave() { levels_--; }

    // --- tokens

    char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    bool atEnd() const { return at_ >= text_.size(); }
    static bool isLineEnd(char c) { return c == '\n' || c == '\r'; }
    void skipLineEnd() {
        const char c = text_[at_++];
        if (!atEnd() && isLineEnd(peek()) && peek() != c) at_++;
        line_++;
    }

    void next() {
        if (failed_) return;
        lastLine_ = line_;
        if (hasAhead_) {
            token_ = std::move(ahead_);
            hasAhead_ = false;
            return;
        }
        scan();
    }
    /// The token behind the current one.
    const Token& ahead() {
        if (!hasAhead_) {
            Token current = std::move(token_);
            scan();
            ahead_ = std::move(token_);
            token_ = failed_ ? Token{} : std::move(current);
            hasAhead_ = true;
        }
        return ahead_;
    }

    void scan() {
        skipBlanks();
        if (failed_) return;
        token_ = {};
        token_.offset = at_;
        if (atEnd()) return;
        const char c = peek();
        if (isNameStart(c)) return scanName();
        if (isDigit(c) || (c == '.' && isDigit(peek(1)))) return scanNumber();
        if (c == '"' || c == '\'') return scanString();
        if (c == '[' && (peek(1) == '[' || peek(1) == '=')) {
            const size_t begin = at_;
            if (longBracket() != kNone) return scanLong(begin, false);
            if (peek(1) == '=') {
                size_t end = at_ + 1;
                while (end < text_.size() && text_[end] == '=') end++;
                return failInside("invalid long string delimiter", text_.substr(at_, end - at_));
            }
        }
        size_t length = 1;
        if (c == '.' && peek(1) == '.') length = peek(2) == '.' ? 3 : 2;
        if ((c == '=' || c == '<' || c == '>' || c == '~') && peek(1) == '=') length = 2;
        token_.kind = Kind::Symbol;
        token_.text = text_.substr(at_, length);
        at_ += length;
    }

    void skipBlanks() {
        while (!atEnd() && !failed_) {
            const char c = peek();
            if (isLineEnd(c)) {
                skipLineEnd();
            } else if (c == ' ' || c == '\t' || c == '\v' || c == '\f') {
                at_++;
            } else if (c == '-' && peek(1) == '-') {
                at_ += 2;
                const size_t begin = at_;
                if (peek() == '[' && longBracket() != kNone) {
                    scanLong(begin, true);
                } else {
                    while (!atEnd() && !isLineEnd(peek())) at_++;
                }
            } else {
                return;
            }
        }
    }

    void scanName() {
        const size_t begin = at_;
        while (!atEnd() && isNamePart(peek())) at_++;
        const std::string_view name = text_.substr(begin, at_ - begin);
        const bool isKeyword = std::find(std::begin(kKeywords), std::end(kKeywords), name) != std::end(kKeywords);
        token_.kind = isKeyword ? Kind::Keyword : Kind::Name;
        token_.text = name;
        if (!isKeyword) token_.shown = name;
    }

    void scanNumber() {
        const size_t begin = at_;
        while (!atEnd() && (isDigit(peek()) || peek() == '.')) at_++;
        if (!atEnd() && (peek() == 'e' || peek() == 'E')) {
            at_++;
            if (!atEnd() && (peek() == '+' || peek() == '-')) at_++;
        }
        while (!atEnd() && isNamePart(peek())) at_++;
        token_.kind = Kind::Number;
        token_.shown = text_.substr(begin, at_ - begin);
        double value;
        if (!base::textToNumber(token_.shown, value)) failNear("malformed number");
    }

    void scanString() {
        const char quote = peek();
        std::string shown(1, quote);
        at_++;
        for (;;) {
            if (atEnd()) return failInside("unfinished string", "<eof>");
            const char c = peek();
            if (isLineEnd(c)) return failInside("unfinished string", shown);
            at_++;
            if (c == quote) break;
            if (c != '\\') {
                shown += c;
                continue;
            }
            if (!scanEscape(shown)) return;
        }
        shown += quote;
        token_.kind = Kind::String;
        token_.shown = std::move(shown);
    }
    bool scanEscape(std::string& shown) {
        constexpr std::string_view kLetters = "abfnrtv", kMeanings = "\a\b\f\n\r\t\v";
        if (atEnd()) return true;  // the next turn says so
        const char c = peek();
        if (isLineEnd(c)) {
            skipLineEnd();
            shown += '\n';
            return true;
        }
        if (const size_t letter = kLetters.find(c); letter != kLetters.npos) {
            shown += kMeanings[letter];
            at_++;
            return true;
        }
        if (!isDigit(c)) {
            shown += c;
            at_++;
            return true;
        }
        int value = 0;
        for (int i = 0; i < 3 && isDigit(peek()); i++) value = 10 * value + (text_[at_++] - '0');
        if (value > 255) {
            failInside("escape sequence too large", shown);
            return false;
        }
        shown += static_cast<char>(value);
        return true;
    }

    /// The level of the long bracket that opens here, or kNone.
    size_t longBracket() const {
        size_t level = 0;
        while (peek(1 + level) == '=') level++;
        return peek(1 + level) == '[' ? level : kNone;
    }
    void scanLong(size_t begin, bool isComment) {
        const size_t level = longBracket();
        at_ += level + 2;
        const std::string close = "]" + std::string(level, '=') + "]";
        while (!atEnd()) {
            if (text_.compare(at_, close.size(), close) == 0) {
                at_ += close.size();
                if (isComment) return;
                token_.kind = Kind::String;
                token_.shown = text_.substr(begin, at_ - begin);
                return;
            }
            if (isLineEnd(peek())) {
                skipLineEnd();
            } else {
                at_++;
            }
        }
        failInside(isComment ? "unfinished long comment" : "unfinished long string", "<eof>");
    }

    bool is(std::string_view word) const {
        return (token_.kind == Kind::Keyword || token_.kind == Kind::Symbol) && token_.text == word;
    }
    bool accept(std::string_view word) {
        if (!is(word)) return false;
        next();
        return true;
    }
    void expect(std::string_view word) {
        if (!is(word)) return expected(word);
        next();
    }
    /// The word that closes what `opener` at `line` opened.
    void close(std::string_view word, std::string_view opener, uint32_t line) {
        if (is(word)) return next();
        if (line == line_) return expected(word);
        failNear(fmt::format("'{}' expected (to close '{}' at line {})", word, opener, line));
    }
    std::string name() {
        if (token_.kind != Kind::Name) {
            expected("<name>");
            return {};
        }
        std::string found = token_.shown;
        next();
        return found;
    }

    // --- variables

    void declare(std::string name) {
        if (failed_) return;
        Function& f = functions_.back();
        pending_.push_back(std::move(name));
        if (f.locals.size() + ++f.declared > kMaxLocals) limit(f, kMaxLocals, "local variables");
    }
    /// What has been declared comes into scope.
    void activate() {
        Function& f = functions_.back();
        for (size_t i = pending_.size() - std::min(f.declared, pending_.size()); i < pending_.size(); i++) f.locals.push_back(pending_[i]);
        pending_.resize(pending_.size() - std::min(f.declared, pending_.size()));
        f.declared = 0;
    }
    /// True if the variable is found in function `level` or around it; functions in between get an upvalue.
    bool resolve(size_t level, const std::string& name) {
        Function& f = functions_[level];
        if (std::find(f.locals.rbegin(), f.locals.rend(), name) != f.locals.rend()) return true;
        if (std::find(f.upvalues.begin(), f.upvalues.end(), name) != f.upvalues.end()) return true;
        if (level == 0 || !resolve(level - 1, name)) return false;
        functions_[level].upvalues.push_back(name);
        if (functions_[level].upvalues.size() > kMaxUpvalues) limit(functions_[level], kMaxUpvalues, "upvalues");
        return true;
    }

    // --- statements

    bool endsBlock() const {
        return token_.kind == Kind::End || is("else") || is("elseif") || is("end") || is("until");
    }
    void chunk() {
        if (!enter()) return;
        bool isLast = false;
        while (!isLast && !endsBlock() && !failed_) {
            isLast = statement();
            accept(";");
        }
        leave();
    }
    void openScope(bool isLoop) { functions_.back().scopes.push_back({isLoop, functions_.back().locals.size()}); }
    void closeScope() {
        Function& f = functions_.back();
        f.locals.resize(std::min(f.locals.size(), f.scopes.back().locals));
        f.scopes.pop_back();
    }
    void block(bool isLoop = false) {
        openScope(isLoop);
        chunk();
        closeScope();
    }

    /// True if it is the last of its block.
    bool statement() {
        const uint32_t line = line_;
        if (is("if")) return ifStatement(line), false;
        if (accept("while")) {
            expression();
            expect("do");
            block(true);
            return close("end", "while", line), false;
        }
        if (accept("do")) return block(), close("end", "do", line), false;
        if (accept("for")) return forStatement(line), false;
        if (accept("repeat")) {
            openScope(true);
            chunk();
            close("until", "repeat", line);
            expression();
            return closeScope(), false;
        }
        if (accept("function")) return functionStatement(line), false;
        if (accept("local")) return localStatement(), false;
        if (accept("return")) {
            if (!endsBlock() && !is(";")) expressions();
            return true;
        }
        if (accept("break")) {
            const auto& scopes = functions_.back().scopes;
            if (std::none_of(scopes.begin(), scopes.end(), [](const Scope& s) { return s.isLoop; })) failNear("no loop to break");
            return true;
        }
        return expressionStatement(), false;
    }

    void ifStatement(uint32_t line) {
        do {
            next();
            expression();
            expect("then");
            block();
        } while (is("elseif"));
        if (accept("else")) block();
        close("end", "if", line);
    }

    void forStatement(uint32_t line) {
        openScope(true);
        std::string first = name();
        if (is("=")) {
            next();
            for (const char* hidden : {"(for index)", "(for limit)", "(for step)"}) declare(hidden);
            expression();
            expect(",");
            expression();
            if (accept(",")) expression();
            activate();
            forBody({std::move(first)});
        } else if (is(",") || is("in")) {
            std::vector<std::string> names{std::move(first)};
            for (const char* hidden : {"(for generator)", "(for state)", "(for control)"}) declare(hidden);
            while (accept(",")) names.push_back(name());
            expect("in");
            expressions();
            activate();
            forBody(std::move(names));
        } else {
            failNear("'=' or 'in' expected");
        }
        close("end", "for", line);
        closeScope();
    }
    void forBody(std::vector<std::string> names) {
        expect("do");
        openScope(false);
        for (std::string& n : names) declare(std::move(n));
        activate();
        block();
        closeScope();
    }

    void functionStatement(uint32_t line) {
        resolve(functions_.size() - 1, name());
        while (accept(".")) name();
        const bool isMethod = accept(":");
        if (isMethod) name();
        body(isMethod, line);
    }

    void localStatement() {
        if (accept("function")) {
            declare(name());
            activate();
            return body(false, line_);
        }
        do {
            declare(name());
        } while (accept(","));
        if (accept("=")) {
            // What is declared here is not in scope for the values, closures among them included.
            const size_t count = functions_.back().declared;
            expressions();
            functions_.back().declared = count;
        }
        activate();
    }

    void expressionStatement() {
        if (is(";")) return fail("unexpected symbol near ';'", LuaSyntaxError::Kind::EmptyStatement);
        What what = primary();
        if (what == What::Call) return;
        while (accept(",")) {
            if (what != What::Place) return failNear("syntax error");
            what = primary();
        }
        if (what != What::Place) return failNear("syntax error");
        expect("=");
        expressions();
    }

    // --- expressions

    enum class What : uint8_t { Value, Place, Call };

    void expressions() {
        expression();
        while (accept(",")) expression();
    }

    struct Priority {
        uint8_t left = 0, right = 0;
    };
    Priority priority() const {
        if (token_.kind != Kind::Symbol && token_.kind != Kind::Keyword) return {};
        const std::string_view t = token_.text;
        if (t == "or") return {1, 1};
        if (t == "and") return {2, 2};
        if (t == "<" || t == ">" || t == "<=" || t == ">=" || t == "~=" || t == "==") return {3, 3};
        if (t == "..") return {5, 4};
        if (t == "+" || t == "-") return {6, 6};
        if (t == "*" || t == "/" || t == "%") return {7, 7};
        if (t == "^") return {10, 9};
        return {};
    }
    void expression(uint8_t limit = 0) {
        constexpr uint8_t kUnary = 8;
        if (!enter()) return;
        if (is("not") || is("-") || is("#")) {
            next();
            expression(kUnary);
        } else {
            simple();
        }
        for (Priority p = priority(); p.left > limit && !failed_; p = priority()) {
            next();
            expression(p.right);
        }
        leave();
    }

    void simple() {
        if (token_.kind == Kind::Number || token_.kind == Kind::String || is("nil") || is("true") || is("false")) return next();
        if (is("...")) {
            if (!functions_.back().isVararg) return failNear("cannot use '...' outside a vararg function");
            return next();
        }
        if (is("{")) return constructor();
        if (is("function")) {
            next();
            return body(false, line_);
        }
        primary();
    }

    What primary() {
        What what = What::Place;
        const uint32_t line = line_;
        if (accept("(")) {
            expression();
            close(")", "(", line);
            what = What::Value;
        } else if (token_.kind == Kind::Name) {
            resolve(functions_.size() - 1, name());
        } else {
            failNear("unexpected symbol");
        }
        while (!failed_) {
            if (accept(".")) {
                name();
                what = What::Place;
            } else if (accept("[")) {
                expression();
                expect("]");
                what = What::Place;
            } else if (accept(":")) {
                name();
                arguments();
                what = What::Call;
            } else if (is("(") || is("{") || token_.kind == Kind::String) {
                arguments();
                what = What::Call;
            } else {
                break;
            }
        }
        return what;
    }

    void arguments() {
        const uint32_t line = line_;
        if (is("(")) {
            if (line != lastLine_) return failNear("ambiguous syntax (function call x new statement)");
            next();
            if (accept(")")) return;
            expressions();
            close(")", "(", line);
        } else if (is("{")) {
            constructor();
        } else if (token_.kind == Kind::String) {
            next();
        } else {
            failNear("function arguments expected");
        }
    }

    void constructor() {
        const uint32_t line = line_;
        expect("{");
        while (!is("}") && !failed_) {
            if (token_.kind == Kind::Name && ahead().kind == Kind::Symbol && ahead().text == "=") {
                next();
                next();
            } else if (accept("[")) {
                expression();
                expect("]");
                expect("=");
            }
            expression();
            if (!accept(",") && !accept(";")) break;
        }
        close("}", "{", line);
    }

    void body(bool isMethod, uint32_t line) {
        functions_.push_back({line, false, 0, {}, {}, {}});
        expect("(");
        if (isMethod) declare("self");
        if (!is(")")) {
            do {
                if (token_.kind == Kind::Name) {
                    declare(name());
                } else if (accept("...")) {
                    declare("arg");
                    functions_.back().isVararg = true;
                } else {
                    failNear("<name> or '...' expected");
                }
            } while (!functions_.back().isVararg && accept(",") && !failed_);
        }
        activate();
        expect(")");
        chunk();
        close("end", "function", line);
        functions_.pop_back();
    }

    static constexpr size_t kNone = ~size_t{0};

    std::string_view text_;
    LuaSyntaxError& error_;
    size_t at_ = 0;
    uint32_t line_ = 1;
    uint32_t lastLine_ = 1;  // of the token before
    Token token_;
    Token ahead_;
    bool hasAhead_ = false;
    bool failed_ = false;
    unsigned levels_ = 0;
    std::vector<Function> functions_;
    std::vector<std::string> pending_;  // declared, not in scope yet, of all open functions
};

}  // namespace

bool checkLuaSyntax(std::string_view text, LuaSyntaxError& error) { return Recogniser(text, error).run(); }

}  // namespace luapp::driver
