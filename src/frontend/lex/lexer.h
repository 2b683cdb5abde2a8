#pragma once
// The lexer: bytes of one file to tokens, one at a time.
//
// The parser calls next() and, for lookahead, saves and restores the (small) state. Attributes `--!name` are read as
// part of the blanks before the first token and shape all that follows: `--!comment` swaps the comment signs,
// `--!lenient` makes `---` a comment and lets Lua 5.1's meaning of unknown escapes stand. The first call of next()
// therefore settles attributes().
//
// Errors in tokens are reported here; the lexer then goes on with the value read so far, or with an Error token if
// there is none. After the end of the file next() returns End for ever. It does not know the grammar, with two
// exceptions that need the token before: whether `---` is an operator, and where a hole of an interpolated string ends.

#include "frontend/base/arena.h"
#include "frontend/base/interner.h"
#include "frontend/base/source.h"
#include "frontend/diag/diagnostic.h"
#include "frontend/lex/attributes.h"
#include "frontend/lex/token.h"

namespace luapp::frontend {

class Lexer {
  public:
    /// Texts with escapes go to `arena`; names to `interner`, where the keywords are tagged at the first use.
    Lexer(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics);

    /// Reads the next token into `token`; its value fields are set only as its kind wants.
    void next(Token& token);

    const Attributes& attributes() const { return attributes_; }
    /// Lenient by attribute or by the file's name.
    bool isLenient() const { return isLenient_; }

    /// A hole of an interpolated string that is being read.
    struct Hole {
        const Hole* outer;
        uint32_t braceDepth;  // the hole ends at a `}` at this depth
        uint32_t level;
    };
    /// Everything that changes from token to token.
    struct State {
        const char* at;
        const char* previousEnd;
        const Hole* hole;
        uint32_t braceDepth;
        Tok previousKind;
        bool anyToken;
    };
    State state() const { return state_; }
    void restore(const State& state) { state_ = state; }
    /// Continues at `loc` of this file, as after a token that ends there; used to split a token in two.
    void continueAt(Loc loc, Tok previous) {
        state_.at = state_.previousEnd = start_ + file_.offsetOf(loc);
        state_.previousKind = previous;
    }
    /// While muted nothing is reported and string values are not computed: for scanning ahead.
    void mute(bool muted) { isMuted_ = muted; }

  private:
    struct Number;

    void skipTrivia(Token& token);
    const char* skipLineComment(const char* p);
    const char* skipDashComment(const char* p);
    bool silence(std::string_view codes, bool isLate);
    bool readAttribute(const char* dashes, const char*& p);
    const char* skipLongBracket(const char* p, int level, bool isComment, std::string_view& content);
    void noteDecrementLikeComment(const char* p);
    bool isDecrement(const char* p) const;
    bool isPostfixDecrement(const char* p) const;
    bool isPrefixDecrement(const char* p) const;

    Tok readNumber(Token& token, const char* p);
    bool parseNumber(std::string_view text, Token& token);
    Tok readString(Token& token, const char* p, char quote);
    Tok readInterp(Token& token, const char* p, bool isFirst);
    Tok readLongString(Token& token, const char* p);
    Tok readBadCharacter(const char* p);
    const char* readEscape(const char* p, std::string& out, bool isInterp);
    const char* readUnicodeEscape(const char* p, std::string& out);
    Tok accept(const char* end, Tok kind) {
        state_.at = end;
        return kind;
    }
    Tok readToken(Token& token);

    Range rangeOf(const char* from, const char* to) const { return {file_.locOf(from), file_.locOf(to)}; }

    const SourceFile& file_;
    Arena& arena_;
    Interner& interner_;
    Diagnostics& diagnostics_;
    const char* start_;
    const char* end_;
    State state_;
    Attributes attributes_;
    bool isLenient_;
    bool isMuted_ = false;
};

/// The level of a long bracket that begins at `p` (`[`, then `=` signs, then `[`): its number of `=` signs, -1 for a
/// `[` alone, -2 for `[=` without a second `[`.
int longBracketLevel(const char* p);

}  // namespace luapp::frontend
