// Where to go on after an error, and what not to report twice.
//
// Three landmarks, from the inside out: the next separator of a list (or its closing bracket), the word that opens a
// block (`then`, `do`) on the same line, and the next line that can begin a statement. Skipping steps over brackets and
// whole functions, so that a landmark inside them is not mistaken for one outside.

#include "frontend/parse/parser_impl.h"

namespace luapp::frontend {

/// Steps over one token, or over a whole bracket or function if one begins here.
void Parser::skipOver() {
    int depth = 0;
    int loopHeads = 0;  // `while` and `for` whose `do` has not come yet
    do {
        switch (current_.kind) {
            case Tok::ParenOpen: case Tok::BracketOpen: case Tok::QuestionBracket: case Tok::BraceOpen:
            case Tok::InterpBegin:
                ++depth;
                break;
            case Tok::ParenClose: case Tok::BracketClose: case Tok::BraceClose: case Tok::InterpEnd:
            case Tok::EndKw: case Tok::Until:
                --depth;
                break;
            case Tok::Function:
                depth += skipFunctionHead();
                continue;
            case Tok::If: case Tok::Repeat:
                if (depth > 0) ++depth;
                break;
            case Tok::While: case Tok::For:
                if (depth > 0) {
                    ++depth;
                    ++loopHeads;
                }
                break;
            case Tok::Do:
                if (loopHeads > 0) {
                    --loopHeads;
                } else if (depth > 0) {
                    ++depth;
                }
                break;
            default: break;
        }
        advance();
    } while (depth > 0 && !at(Tok::End));
}

/// Steps over `function name(params): type`; true if a block follows, false for an arrow body.
bool Parser::skipFunctionHead() {
    advance();
    while (atName() || at(Tok::Dot) || at(Tok::Colon)) advance();
    int depth = 0;
    for (; !at(Tok::End); advance()) {
        if (at(Tok::ParenOpen)) ++depth;
        if (at(Tok::ParenClose) && --depth <= 0) break;
        if (depth == 0) return true;
    }
    accept(Tok::ParenClose);
    if (at(Tok::Colon)) {
        while (!at(Tok::End) && !at(Tok::Arrow) && !current_.newlineBefore) advance();
    }
    return !accept(Tok::Arrow);
}

/// True at the first token of a line if a statement can begin with it.
bool Parser::startsStatementLine() const {
    if (!current_.newlineBefore) return false;
    switch (current_.kind) {
        case Tok::Local: case Tok::Function: case Tok::If: case Tok::While: case Tok::Repeat: case Tok::For: case Tok::Do:
        case Tok::Return: case Tok::Break: case Tok::ColonColon: case Tok::ParenOpen: case Tok::Increment:
        case Tok::Decrement: case Tok::Class: case Tok::Const: case Tok::Continue:
            return true;
        default: return atName();
    }
}

/// Goes to where a statement may begin or a block may end, and ends the panic.
void Parser::recoverStatement() {
    while (!isBlockEnd(current_.kind) && !startsStatementLine()) {
        const Tok kind = current_.kind;
        if (kind == Tok::Semicolon) {
            advance();
            break;
        }
        const bool isStatementWord = kind == Tok::Local || kind == Tok::Return || kind == Tok::If || kind == Tok::While ||
                                     kind == Tok::For || kind == Tok::Repeat || kind == Tok::Do || kind == Tok::Break;
        const bool closesBracket = kind == Tok::BraceClose || kind == Tok::ParenClose || kind == Tok::Comma;
        if (isStatementWord || (closesBracket && function_ && function_->isInBrackets)) break;
        skipOver();
    }
    endPanic();
}

/// Inside a list in brackets: goes to the next separator or to `closer`. False if the bracket is given up; the panic
/// lasts in either case.
bool Parser::recoverInList(Tok closer) {
    while (!at(Tok::Comma) && !at(Tok::Semicolon) && !at(closer)) {
        if (isBlockEnd(current_.kind)) return false;
        switch (current_.kind) {
            case Tok::ParenClose: case Tok::BracketClose: case Tok::BraceClose: case Tok::InterpMiddle:
            case Tok::InterpEnd: case Tok::Then: case Tok::Do:
                return false;
            case Tok::Local: case Tok::Return: case Tok::If: case Tok::While: case Tok::For: case Tok::Repeat:
            case Tok::Break: case Tok::Const: case Tok::Class:
                return false;
            case Tok::Function:
                if (current_.newlineBefore && isNameLike(peek())) return false;
                break;
            default: break;
        }
        // In round and square brackets a new line that assigns or calls is more likely the next statement.
        if (closer != Tok::BraceClose && current_.newlineBefore && atName()) return false;
        skipOver();
    }
    return true;
}

/// The `then` or `do` of a block's head. If it is missing or the head is broken, the block is read all the same.
void Parser::expectBlockWord(Tok word) {
    if (!isPanicking_ && accept(word)) return;
    const Tok other = word == Tok::Then ? Tok::Do : Tok::Then;
    if (!isPanicking_) {
        const std::string spelled = "`" + std::string(tokenInfo(word).spelling) + "`";
        if (at(other) && !current_.newlineBefore) {
            diagnostics_.report(diag::Expected, missingPlace(), describe(current_), spelled)
                .fixIt(current_.range, tokenInfo(word).spelling);
            advance();
            return;
        }
        if (current_.newlineBefore && !isLenient_ && !isFatal_ && !at(Tok::Error)) {
            // The head of the block is whole but for its last word.
            diagnostics_.report(diag::Expected, missingPlace(), describe(current_), spelled)
                .fixIt({previousEnd_, previousEnd_}, " " + std::string(tokenInfo(word).spelling));
            return;
        }
        failExpected(spelled);
    }
    while (!at(word) && !at(other) && !current_.newlineBefore && !isBlockEnd(current_.kind)) skipOver();
    if (!accept(word) && !current_.newlineBefore) accept(other);
    endPanic();
}

}  // namespace luapp::frontend
