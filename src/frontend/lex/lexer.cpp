#include "frontend/lex/lexer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "frontend/diag/suggest.h"
#include "frontend/lex/char_class.h"

namespace luapp::frontend {

namespace {

struct KeywordInfo {
    std::string_view spelling;
    Tok kind;
};
constexpr KeywordInfo kWords[] = {
#define LUAPP_WORD_Keyword(Kind, Spelling) {Spelling, Tok::Kind},
#define LUAPP_WORD_Reserved(Kind, Spelling) {Spelling, Tok::Kind},
#define LUAPP_WORD_Contextual(Kind, Spelling) {Spelling, Tok::Kind},
#define LUAPP_WORD_Symbol(Kind, Spelling)
#define LUAPP_WORD_Special(Kind, Spelling)
#define LUAPP_TOKEN(Kind, Spelling, Class, DumpName) LUAPP_WORD_##Class(Kind, Spelling)
#include "frontend/lex/tokens.def"
#undef LUAPP_WORD_Keyword
#undef LUAPP_WORD_Reserved
#undef LUAPP_WORD_Contextual
#undef LUAPP_WORD_Symbol
#undef LUAPP_WORD_Special
};

// A symbol's tag is its token kind, so an ordinary name must be kind 0.
static_assert(Tok(0) == Tok::Name);

void tagKeywords(Interner& interner) {
    if (interner.tag(interner.intern(kWords[0].spelling)) != 0) return;
    for (const KeywordInfo& word : kWords) interner.setTag(interner.intern(word.spelling), uint32_t(word.kind));
}

constexpr std::string_view kAttributeNames[] = {
#define LUAPP_ATTRIBUTE(Name, Field, Meaning) Name,
#include "frontend/lex/attributes.def"
};

std::string_view trimBlanks(std::string_view text) {
    while (!text.empty() && isBlank(text.front())) text.remove_prefix(1);
    while (!text.empty() && isBlank(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace

int longBracketLevel(const char* p) {
    int level = 0;
    while (p[1 + level] == '=') ++level;
    if (p[1 + level] == '[') return level;
    return level == 0 ? -1 : -2;
}

Lexer::Lexer(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics)
    : file_(file),
      arena_(arena),
      interner_(interner),
      diagnostics_(diagnostics),
      start_(file.text().data()),
      end_(start_ + file.text().size()),
      state_{start_, start_, nullptr, 0, Tok::Semicolon, false},
      isLenient_(file.isLuaFile()) {
    tagKeywords(interner);
    attributes_.lenient = isLenient_;
    const char* p = start_;
    if (std::memcmp(p, "\xEF\xBB\xBF", 3) == 0) p += 3;
    // A first line `#!...` is for the shell. Lua skips any first line that begins with `#`.
    if (*p == '#' && (p[1] == '!' || isLenient_)) p = skipLineComment(p);
    state_.at = p;
}

// ---- Blanks, comments, attributes -----------------------------------------------------------------------------------

[[gnu::always_inline]] inline void Lexer::skipTrivia(Token& token) {
    const char* p = state_.at;
    token.newlineBefore = !state_.anyToken;
    for (;;) {
        const char c = *p;
        if (isBlank(c)) {
            ++p;
        } else if (isLineEnd(c)) {
            ++p;
            token.newlineBefore = true;
        } else if (c == '-' && p[1] == '-') {
            const bool isAttribute = p[2] == '!' && (!attributes_.comment || !state_.anyToken);
            if (isAttribute) {
                if (!readAttribute(p, p)) p = skipLineComment(p);
                continue;
            }
            if (attributes_.comment) break;
            if (p[2] == '-' && p[3] != '-' && !isLenient_) {
                if (isDecrement(p)) break;
                if (!isMuted_) noteDecrementLikeComment(p);
            }
            const char* after = skipDashComment(p);
            token.newlineBefore |= std::memchr(p, '\n', size_t(after - p)) != nullptr;
            p = after;
        } else if (c == '#' && attributes_.comment) {
            // `#[[` and `#[=[` open block comments as `--[[` does.
            const int level = p[1] == '[' ? longBracketLevel(p + 1) : -1;
            std::string_view content;
            p = level >= 0 ? skipLongBracket(p + 1, level, true, content) : skipLineComment(p);
        } else {
            break;
        }
    }
    token.spaceBefore = p != state_.previousEnd;
    state_.at = p;
}

const char* Lexer::skipLineComment(const char* p) {
    for (;; ++p) {
        while (!endsLineOrNul(*p)) ++p;
        if (isLineEnd(*p) || p >= end_) return p;
    }
}

const char* Lexer::skipDashComment(const char* p) {
    if (p[2] == '[') {
        const int level = longBracketLevel(p + 2);
        std::string_view content;
        if (level >= 0) return skipLongBracket(p + 2, level, true, content);
    }
    return skipLineComment(p + 2);
}

/// Switches off the warnings with these codes in this file, unless the line comes too late. False if a word is no warning's code.
bool Lexer::silence(std::string_view codes, bool isLate) {
    std::vector<std::string_view> list;
    while (true) {
        const size_t from = codes.find_first_not_of(" \t,");
        if (from == codes.npos) break;
        const size_t to = std::min(codes.find_first_of(" \t,", from), codes.size());
        list.push_back(codes.substr(from, to - from));
        const diag::Info* known = diag::findByCode(list.back());
        if (!known || known->severity != Severity::Warning) return false;
        list.back() = known->code;
        codes.remove_prefix(to);
    }
    if (!isLate && !isMuted_)
        for (const std::string_view code : list) diagnostics_.silence(code, {file_.begin(), file_.end()});
    return !list.empty();
}

/// Reads the attribute line at `dashes`. False if the line is a mere comment (lenient files).
bool Lexer::readAttribute(const char* dashes, const char*& p) {
    const char* lineEnd = skipLineComment(dashes);
    std::string_view name(dashes + 3, size_t(lineEnd - dashes - 3));
    if (const size_t comment = name.find(" --"); comment != name.npos) name = name.substr(0, comment);
    name = trimBlanks(name);
    const Range range = rangeOf(dashes, name.empty() ? dashes + 3 : name.data() + name.size());
    const Range nameRange{range.begin + 3, range.end};
    bool isKnown = false;
    const bool isSilence = name.starts_with("nowarn ") || name.starts_with("nowarn\t");
    for (const std::string_view known : kAttributeNames) isKnown |= known == name;
    if (isSilence) isKnown = silence(name.substr(7), state_.anyToken);

    if (state_.anyToken || !isKnown) {
        Suggester suggester(name);
        for (const std::string_view known : kAttributeNames) suggester.offer(known);
        if (isMuted_) {
            // Scanning ahead: the line will be read again.
        } else if (isLenient_) {
            if (isKnown || isSilence || !suggester.best().empty()) {
                diagnostics_.report(diag::IgnoredAttribute, range, name).didYouMean(nameRange, suggester.best());
            }
        } else if (state_.anyToken) {
            diagnostics_.report(diag::LateAttribute, range, name);
        } else {
            diagnostics_.report(diag::UnknownAttribute, range, name).didYouMean(nameRange, suggester.best());
        }
        // In a lenient file it is a comment, which may be a block: `--![[` is not one.
        p = lineEnd;
        return true;
    }
    if (name == "nowarn" && !isMuted_) diagnostics_.silence({}, {file_.begin(), file_.end()});
    if (isSilence) name = "nowarn";
#define LUAPP_ATTRIBUTE(Name, Field, Meaning) \
    if (name == Name) attributes_.Field = true;
#include "frontend/lex/attributes.def"
    isLenient_ |= attributes_.lenient;
    p = lineEnd;
    return true;
}

/// Returns the end of the long bracket whose first `[` is at `p`; `content` is what stands between.
const char* Lexer::skipLongBracket(const char* p, int level, bool isComment, std::string_view& content) {
    const char* open = p;
    p += 2 + level;
    const char* begin = p;
    while (p < end_) {
        const auto* close = static_cast<const char*>(std::memchr(p, ']', size_t(end_ - p)));
        if (!close) break;
        int count = 0;
        while (close[1 + count] == '=') ++count;
        if (count == level && close[1 + count] == ']') {
            content = {begin, size_t(close - begin)};
            return close + 2 + level;
        }
        p = close + 1 + count;
    }
    content = {begin, size_t(end_ - begin)};
    if (!isMuted_) {
        std::string closer(size_t(level) + 2, '=');
        closer.front() = closer.back() = ']';
        const Range range = rangeOf(open, begin);
        if (isComment) {
            diagnostics_.report(diag::UnfinishedLongComment, range, closer);
        } else {
            diagnostics_.report(diag::UnfinishedLongString, range, closer);
        }
    }
    return end_;
}

// ---- `---` [LANGUAGE 1] ---------------------------------------------------------------------------------------------

bool Lexer::isDecrement(const char* p) const {
    return state_.anyToken && (isPostfixDecrement(p) || isPrefixDecrement(p));
}

/// Directly behind an identifier, `]` or `)`, and before an operator, a closing bracket, a separator or the line's end.
bool Lexer::isPostfixDecrement(const char* p) const {
    if (state_.previousEnd != p) return false;
    const Tok previous = state_.previousKind;
    const TokenClass previousClass = tokenInfo(previous).tokenClass;
    const bool isOperand = previous == Tok::Name || previousClass == TokenClass::Contextual ||
                           previous == Tok::BracketClose || previous == Tok::ParenClose;
    if (!isOperand) return false;
    const char* q = p + 3;
    while (isBlank(*q)) ++q;
    switch (*q) {
        case '\0': return q >= end_;
        case '\n': case '\r': case ')': case ']': case '}': case ',': case ';': case '+': case '-': case '*': case '/':
        case '%': case '^': case '#': case '<': case '>': case '=': case '~': case '|': case '&': case '?': case '!':
            return true;
        case '.': return q[1] == '.';
        default: break;
    }
    const char* wordEnd = q;
    while (isIdent(*wordEnd)) ++wordEnd;
    const std::string_view word(q, size_t(wordEnd - q));
    return word == "and" || word == "or" || word == "is" || word == "as";
}

/// Directly before an identifier or `(`, and behind `(`, `[`, `,`, `=` or an operator of the same line.
bool Lexer::isPrefixDecrement(const char* p) const {
    if (!isIdentStart(p[3]) && p[3] != '(') return false;
    for (const char* q = state_.previousEnd; q < p; ++q) {
        if (!isBlank(*q)) return false;
    }
    switch (state_.previousKind) {
        case Tok::And: case Tok::Or: case Tok::Not:
            return true;
        case Tok::ParenClose: case Tok::BraceOpen: case Tok::BraceClose: case Tok::BracketClose: case Tok::ColonColon:
        case Tok::Colon: case Tok::Semicolon: case Tok::Dot: case Tok::QuestionDot: case Tok::Ellipsis:
        case Tok::Arrow: case Tok::Bang: case Tok::Question: case Tok::Increment: case Tok::Decrement:
            return false;
        default: return tokenInfo(state_.previousKind).tokenClass == TokenClass::Symbol;
    }
}

/// Warns at a comment like `return ---v` or, at the start of a statement, `---v` for a name used before.
void Lexer::noteDecrementLikeComment(const char* p) {
    if (!isIdentStart(p[3])) return;
    const char* q = p + 3;
    while (isIdent(*q)) ++q;
    const std::string_view first(p + 3, size_t(q - p - 3));
    while (*q == '.' && isIdentStart(q[1])) {
        ++q;
        while (isIdent(*q)) ++q;
    }
    const char* nameEnd = q;
    while (isBlank(*q)) ++q;
    const bool endsThere = isLineEnd(*q) || q >= end_ || (q[0] == '-' && q[1] == '-');
    if (!endsThere) return;
    const TokenClass previousClass = tokenInfo(state_.previousKind).tokenClass;
    bool startsLine = true;
    for (const char* at = p; at > start_ && !isLineEnd(at[-1]); --at) startsLine &= isBlank(at[-1]);
    const bool afterKeyword = !startsLine && state_.anyToken && previousClass == TokenClass::Keyword;
    const Symbol known = interner_.find(first);
    if (afterKeyword || (startsLine && known && interner_.tag(known) == 0)) {
        diagnostics_.report(diag::DecrementIsComment, rangeOf(p, nameEnd));
    }
}

// ---- Tokens ---------------------------------------------------------------------------------------------------------

[[gnu::always_inline]] inline Tok Lexer::readToken(Token& token) {
    const char* p = state_.at;
    const auto follows = [p](char c) { return p[1] == c; };
    switch (*p) {
        case '\0': return p >= end_ ? Tok::End : readBadCharacter(p);
        case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
            return readNumber(token, p);
        case '"': case '\'': return readString(token, p, *p);
        case '`': return readInterp(token, p + 1, true);
        case '(': return accept(p + 1, Tok::ParenOpen);
        case ')': return accept(p + 1, Tok::ParenClose);
        case '{': ++state_.braceDepth; return accept(p + 1, Tok::BraceOpen);
        case '}':
            if (state_.hole && state_.hole->braceDepth == state_.braceDepth) {
                state_.hole = state_.hole->outer;
                return readInterp(token, p + 1, false);
            }
            if (state_.braceDepth > 0) --state_.braceDepth;
            return accept(p + 1, Tok::BraceClose);
        case '[': {
            const int level = longBracketLevel(p);
            if (level == -1) return accept(p + 1, Tok::BracketOpen);
            return readLongString(token, p);
        }
        case ']': return accept(p + 1, Tok::BracketClose);
        case ',': return accept(p + 1, Tok::Comma);
        case ';': return accept(p + 1, Tok::Semicolon);
        case ':': return follows(':') ? accept(p + 2, Tok::ColonColon) : accept(p + 1, Tok::Colon);
        case '.':
            if (isDigit(p[1])) return readNumber(token, p);
            if (!follows('.')) return accept(p + 1, Tok::Dot);
            if (p[2] == '.') return accept(p + 3, Tok::Ellipsis);
            return p[2] == '=' ? accept(p + 3, Tok::ConcatEqual) : accept(p + 2, Tok::Concat);
        case '=': return follows('=') ? accept(p + 2, Tok::EqualEqual) : accept(p + 1, Tok::Equal);
        case '+':
            if (follows('+')) return accept(p + 2, Tok::Increment);
            return follows('=') ? accept(p + 2, Tok::PlusEqual) : accept(p + 1, Tok::Plus);
        case '-':
            if (follows('-')) {
                // Without --!comment, skipTrivia leaves only the decrement operator `---` to this place.
                if (!attributes_.comment) return accept(p + 3, Tok::Decrement);
                if (p[2] != '-') return accept(p + 2, Tok::Decrement);
                if (!isMuted_) diagnostics_.report(diag::TripleDashInCommentMode, rangeOf(p, p + 3)).fixIt(rangeOf(p, p + 3), "--");
                return accept(p + 3, Tok::Decrement);
            }
            if (follows('>')) return accept(p + 2, Tok::Arrow);
            return follows('=') ? accept(p + 2, Tok::MinusEqual) : accept(p + 1, Tok::Minus);
        case '*': return follows('=') ? accept(p + 2, Tok::StarEqual) : accept(p + 1, Tok::Star);
        case '/':
            if (follows('/')) {
                return p[2] == '=' ? accept(p + 3, Tok::SlashSlashEqual) : accept(p + 2, Tok::SlashSlash);
            }
            return follows('=') ? accept(p + 2, Tok::SlashEqual) : accept(p + 1, Tok::Slash);
        case '%': return follows('=') ? accept(p + 2, Tok::PercentEqual) : accept(p + 1, Tok::Percent);
        case '^': return follows('=') ? accept(p + 2, Tok::CaretEqual) : accept(p + 1, Tok::Caret);
        case '#': return accept(p + 1, Tok::Hash);
        case '&': return follows('&') ? accept(p + 2, Tok::AmpAmp) : accept(p + 1, Tok::Amp);
        case '|': return follows('|') ? accept(p + 2, Tok::PipePipe) : accept(p + 1, Tok::Pipe);
        case '~': return follows('=') ? accept(p + 2, Tok::NotEqual) : accept(p + 1, Tok::Tilde);
        case '!': return follows('=') ? accept(p + 2, Tok::BangEqual) : accept(p + 1, Tok::Bang);
        case '<':
            if (follows('<')) return accept(p + 2, Tok::ShiftLeft);
            return follows('=') ? accept(p + 2, Tok::LessEqual) : accept(p + 1, Tok::Less);
        case '>':
            if (follows('>')) return accept(p + 2, Tok::ShiftRight);
            return follows('=') ? accept(p + 2, Tok::GreaterEqual) : accept(p + 1, Tok::Greater);
        case '?':
            if (follows('.')) return accept(p + 2, Tok::QuestionDot);
            if (follows('[')) return accept(p + 2, Tok::QuestionBracket);
            if (!follows('?')) return accept(p + 1, Tok::Question);
            return p[2] == '=' ? accept(p + 3, Tok::CoalesceEqual) : accept(p + 2, Tok::Coalesce);
        default: break;
    }
    if (!isIdentStart(*p)) return readBadCharacter(p);
    const char* q = p + 1;
    while (isIdent(*q)) ++q;
    if (uint8_t(*q) >= 0x80) {
        // A letter that Lua++ names cannot have: one message, then take the whole word for a name.
        readBadCharacter(q);
        q = state_.at;
    }
    token.symbol = interner_.intern({p, size_t(q - p)});
    state_.at = q;
    return Tok(interner_.tag(token.symbol));
}

void Lexer::next(Token& token) {
    skipTrivia(token);
    const char* begin = state_.at;
    state_.anyToken = true;
    token.kind = readToken(token);
    token.range = rangeOf(begin, state_.at);
    state_.previousKind = token.kind;
    state_.previousEnd = state_.at;
}

}  // namespace luapp::frontend
