#pragma once
// Tokens: what the lexer makes and the parser (or the token dump) takes, one at a time.
//
// A token knows its range, whether a line break stood before it, and its value: the symbol of a word, the value of a
// number, the text of a string with escapes resolved. The list of kinds is tokens.def. Tokens hold no memory of their
// own: string texts lie in the source text or in the arena.

#include <cstdint>
#include <string_view>

#include "frontend/base/interner.h"
#include "frontend/base/source.h"

namespace luapp::frontend {

/// The kind of a token. Entries come from tokens.def.
enum class Tok : uint8_t {
#define LUAPP_TOKEN(Kind, Spelling, Class, DumpName) Kind,
#include "frontend/lex/tokens.def"
};

enum class TokenClass : uint8_t { Keyword, Reserved, Contextual, Symbol, Special };

/// What tokens.def says about a kind.
struct TokenInfo {
    std::string_view spelling;
    TokenClass tokenClass;
    std::string_view dumpName;
};
const TokenInfo& tokenInfo(Tok kind);

/// One token.
struct Token {
    Tok kind = Tok::End;
    bool newlineBefore = false;  ///< first token of its line
    bool spaceBefore = false;    ///< anything (blank, comment, line break) stands between it and the token before
    bool isWhole = false;        ///< Number: written without fraction and exponent, and at most 2^53
    bool isTooLarge = false;     ///< Number: written like that, but beyond 2^53
    Range range;
    Symbol symbol;          ///< Name and keywords
    double number = 0;      ///< Number
    std::string_view text;  ///< String and Interp...: the value
};

}  // namespace luapp::frontend
