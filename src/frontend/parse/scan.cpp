// Lookahead without nodes: the questions of the grammar that no fixed number of tokens answers.

#include "frontend/parse/parser_impl.h"

namespace luapp::frontend {

namespace {
/// How deep a type is looked into; deeper ones are not taken for type arguments.
constexpr int kMaxTypeDepth = 60;
}  // namespace

Scanner::Scanner(Lexer& lexer, const Lexer::State& from) : lexer_(lexer), resume_(lexer.state()) {
    lexer_.mute(true);
    lexer_.restore(from);
    advance();
}

Scanner::~Scanner() {
    lexer_.restore(resume_);
    lexer_.mute(false);
}

bool Scanner::isNameLike() const {
    const TokenClass tokenClass = tokenInfo(token.kind).tokenClass;
    return token.kind == Tok::Name || tokenClass == TokenClass::Contextual || tokenClass == TokenClass::Reserved;
}

/// Takes one `>` off what is ahead, be it a token of its own or the start of `>>` or `>=`.
bool Scanner::acceptGreater() {
    if (token.kind == Tok::ShiftRight || token.kind == Tok::GreaterEqual) {
        lexer_.continueAt(token.range.begin + 1, Tok::Greater);
    } else if (token.kind != Tok::Greater) {
        return false;
    }
    advance();
    return true;
}

// The scanner is created with `<` behind it.
bool Scanner::isTypeArguments() {
    for (;;) {
        if (!skipType(0)) return false;
        if (token.kind != Tok::Comma) break;
        advance();
    }
    return acceptGreater() && token.kind == Tok::ParenOpen;
}

bool Scanner::skipType(int depth) {
    if (depth > kMaxTypeDepth) return false;
    for (;;) {
        if (!skipPrimaryType(depth + 1)) return false;
        for (;;) {
            if (token.kind == Tok::Question || token.kind == Tok::Coalesce) {
                advance();
            } else if (token.kind == Tok::BracketOpen || token.kind == Tok::QuestionBracket) {
                advance();
                if (token.kind != Tok::BracketClose) return false;
                advance();
            } else {
                break;
            }
        }
        if (token.kind != Tok::Pipe) return true;
        advance();
    }
}

bool Scanner::skipPrimaryType(int depth) {
    if (token.kind == Tok::Nil) {
        advance();
        return true;
    }
    if (token.kind == Tok::ParenOpen) return skipParenType(depth);
    if (token.kind == Tok::BraceOpen) return skipRecordType(depth);
    if (!isNameLike()) return false;
    advance();
    if (token.kind == Tok::Dot) {
        advance();
        if (!isNameLike()) return false;
        advance();
    }
    return token.kind != Tok::Less || skipTypeArguments(depth);
}

bool Scanner::skipTypeArguments(int depth) {
    do {
        advance();
        if (!skipType(depth)) return false;
    } while (token.kind == Tok::Comma);
    return acceptGreater();
}

bool Scanner::skipParenType(int depth) {
    advance();
    while (token.kind != Tok::ParenClose) {
        if (token.kind == Tok::Ellipsis) {
            advance();
            if (token.kind == Tok::ParenClose) break;
        }
        if (!skipType(depth)) return false;
        if (token.kind == Tok::Colon) {  // that was a parameter's name
            advance();
            if (!skipType(depth)) return false;
        }
        if (token.kind != Tok::Comma) break;
        advance();
    }
    if (token.kind != Tok::ParenClose) return false;
    advance();
    if (token.kind != Tok::Colon) return true;
    advance();
    return skipType(depth);
}

bool Scanner::skipRecordType(int depth) {
    advance();
    while (token.kind != Tok::BraceClose) {
        if (!isNameLike()) return false;
        advance();
        if (token.kind == Tok::Question) advance();
        if (token.kind != Tok::Colon) return false;
        advance();
        if (!skipType(depth)) return false;
        if (token.kind != Tok::Comma && token.kind != Tok::Semicolon) break;
        advance();
    }
    if (token.kind != Tok::BraceClose) return false;
    advance();
    return true;
}

/// Skips a bracket and all that stands in it; `function ... end` inside needs no care, since brackets balance there too.
bool Scanner::skipBalanced() {
    int depth = 0;
    do {
        switch (token.kind) {
            case Tok::ParenOpen: case Tok::BracketOpen: case Tok::BraceOpen: case Tok::QuestionBracket:
            case Tok::InterpBegin:
                ++depth;
                break;
            case Tok::ParenClose: case Tok::BracketClose: case Tok::BraceClose: case Tok::InterpEnd:
                --depth;
                break;
            case Tok::End: return false;
            default: break;
        }
        advance();
    } while (depth > 0);
    return true;
}

// LANGUAGE 4: `return` takes a value from the next line unless that line is an assignment or `++`/`---` statement.
bool Scanner::isAssignmentAhead() {
    if (token.kind == Tok::Increment || token.kind == Tok::Decrement) return true;
    bool isFirst = true;
    for (;;) {
        switch (token.kind) {
            case Tok::Equal: case Tok::PlusEqual: case Tok::MinusEqual: case Tok::StarEqual: case Tok::SlashEqual:
            case Tok::SlashSlashEqual: case Tok::PercentEqual: case Tok::CaretEqual: case Tok::ConcatEqual:
            case Tok::CoalesceEqual:
                return !isFirst;
            case Tok::Increment: case Tok::Decrement: {
                // A statement if nothing follows on the line; `return\n x++ + 1` is a value.
                advance();
                return token.newlineBefore || token.kind == Tok::Semicolon || token.kind == Tok::End;
            }
            case Tok::ParenOpen: case Tok::BracketOpen: case Tok::BraceOpen: case Tok::InterpBegin:
                if (!skipBalanced()) return false;
                break;
            case Tok::Dot: case Tok::Colon: case Tok::Comma: case Tok::Bang: case Tok::String: case Tok::InterpWhole:
                advance();
                break;
            default:
                if (!isNameLike()) return false;
                advance();
                break;
        }
        isFirst = false;
    }
}

void collectLenientNames(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics,
                         std::vector<Symbol>& assigned, std::vector<Symbol>& generic) {
    Lexer lexer(file, arena, interner, diagnostics);
    lexer.mute(true);
    Token before, token, next;
    for (lexer.next(token); token.kind != Tok::End;) {
        lexer.next(next);
        const bool isWord = token.kind == Tok::Import || token.kind == Tok::Export;
        const bool isField = before.kind == Tok::Dot || before.kind == Tok::Colon;
        if (isWord && !isField && (next.kind == Tok::Equal || before.kind == Tok::Function)) {
            assigned.push_back(token.symbol);
        }
        const bool declares = before.kind == Tok::Function || before.kind == Tok::Class || before.kind == Tok::Interface;
        if (declares && next.kind == Tok::Less && token.symbol) generic.push_back(token.symbol);
        before = token;
        token = next;
    }
}

}  // namespace luapp::frontend
