// The tokens of the signature texts in builtins.def, for everything that reads them: the checker (sema/builtin_types.cpp), dynamic calls
// (lib/signature_parser.cpp) and the verifier of chunk files (bytecode/builtin_shape.cpp) make different things of the same texts.
//
// The texts are constants of ours: a mistake in one is a bug, which isMalformed() tells its reader at the end. What has failed consumes
// nothing more, so that readers come to an end.
#pragma once

#include <string_view>

namespace luapp::base {

class SignatureScanner {
public:
    /// `text` must outlive what is scanned from it.
    explicit SignatureScanner(std::string_view text) : text_(text) {}

    bool isMalformed() const { return isMalformed_; }
    void fail() { isMalformed_ = true; }
    /// True if nothing but blanks follows.
    bool isAtEnd() {
        skipBlanks();
        return at_ == text_.size();
    }

    /// True if `token` is next. Then it is consumed by accept().
    bool isAhead(std::string_view token) {
        skipBlanks();
        return !isMalformed_ && text_.substr(at_).starts_with(token);
    }
    bool accept(std::string_view token) {
        if (!isAhead(token)) return false;
        at_ += token.size();
        return true;
    }
    void expect(std::string_view token) {
        if (!accept(token)) fail();
    }
    /// The next name; fails and gives "" if there is none.
    std::string_view name() {
        const std::string_view found = nameAhead();
        if (found.empty()) fail();
        at_ += found.size();
        return found;
    }
    /// The name before a colon, with which the colon is consumed; "" if the parameter has none.
    std::string_view parameterName() {
        const size_t start = at_;
        const std::string_view found = nameAhead();
        at_ += found.size();
        if (!found.empty() && accept(":")) return found;
        at_ = start;
        return {};
    }
    /// A default value as written, up to the comma or parenthesis behind it: texts with their quotes.
    std::string_view defaultValue() {
        skipBlanks();
        const size_t start = at_;
        bool isText = false;
        for (; at_ < text_.size(); at_++) {
            if (text_[at_] == '"') isText = !isText;
            if (!isText && (text_[at_] == ',' || text_[at_] == ')')) break;
        }
        return text_.substr(start, at_ - start);
    }
    /// At `(`: true if a colon follows its partner, so that a function type begins here.
    bool isFunctionAhead() {
        if (!isAhead("(")) return false;
        int depth = 0;
        for (size_t i = at_; i < text_.size(); i++) {
            if (text_[i] == '(') depth++;
            if (text_[i] == ')' && --depth == 0) {
                do i++;
                while (i < text_.size() && text_[i] == ' ');
                return i < text_.size() && text_[i] == ':';
            }
        }
        return false;
    }

private:
    static bool isNameByte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
    void skipBlanks() {
        while (at_ < text_.size() && text_[at_] == ' ') at_++;
    }
    std::string_view nameAhead() {
        skipBlanks();
        size_t end = at_;
        while (!isMalformed_ && end < text_.size() && isNameByte(text_[end])) end++;
        return text_.substr(at_, end - at_);
    }

    std::string_view text_;
    size_t at_ = 0;
    bool isMalformed_ = false;
};

}  // namespace luapp::base
