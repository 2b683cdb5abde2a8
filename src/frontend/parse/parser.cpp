// Entry, token cursor, error reporting, and the light scope of the parser.

#include "frontend/parse/parser.h"

#include <algorithm>

#include "frontend/parse/parser_impl.h"

namespace luapp::frontend {

Module* parse(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics) {
    const Diagnostics::Mark before = diagnostics.mark();
    Parser parser(file, arena, interner, diagnostics);
    Module* module = parser.parseModule();
    if (parser.hasUnclosedBlock()) {
        // An `end` is missing, and the place where the file ran out says little. Read it again and let the indentation
        // tell which block was meant to end where; keep that reading unless it finds more fault than the first.
        const size_t firstErrors = diagnostics.errorCount();
        diagnostics.rollBack(before);
        Parser byIndentation(file, arena, interner, diagnostics);
        byIndentation.trustIndentation();
        module = byIndentation.parseModule();
        if (diagnostics.errorCount() > firstErrors) {
            diagnostics.rollBack(before);
            module = Parser(file, arena, interner, diagnostics).parseModule();
        }
    }
    module->hasErrors = diagnostics.errorCount() != before.errors;
    return module;
}

TypeNode* parseSignature(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics) {
    return Parser(file, arena, interner, diagnostics).parseSignatureText();
}

Parser::Parser(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics)
    : file_(file),
      arena_(arena),
      interner_(interner),
      diagnostics_(diagnostics),
      lexer_(file, arena, interner, diagnostics),
      beforeNext_(lexer_.state()),
      previousEnd_(file.begin()),
      selfName_(interner.intern("self")),
      voidName_(interner.intern("void")),
      argName_(interner.intern("arg")) {
    lexer_.next(current_);
    // The attributes are settled now.
    isLenient_ = lexer_.isLenient();
}

Module* Parser::parseModule() {
    auto* module = arena_.make<Module>();
    module->file = &file_;
    auto* body = arena_.make<FunctionBody>();
    body->isVararg = true;
    FunctionState state;
    state.body = body;
    function_ = &state;
    ListBuilder statements(*this, statements_);
    while (!at(Tok::End)) {
        Block block = parseBlock({{}, Tok::End});
        for (Stmt* statement : block.statements) statements.add(statement);
        if (at(Tok::End)) break;
        // A closer without an opener: report it, skip it, and go on.
        fail(diag::ExpectedStatement, tokenPlace(), describe(current_));
        advance();
        endPanic();
    }
    function_ = nullptr;
    body->body = {statements.finish(), {file_.begin(), file_.end()}};
    body->range = body->body.range;
    body->endRange = {file_.end(), file_.end()};
    module->main = body;
    module->attributes = lexer_.attributes();
    module->isLenient = isLenient_;
    module->requireCalls = arena_.makeList<CallExpr*>(requireCalls_);
    return module;
}

TypeNode* Parser::parseSignatureText() {
    List<TypeParam> typeParams;
    if (at(Tok::Less)) typeParams = parseTypeParams();
    TypeNode* type = parseType(kSignature);
    if (auto* function = as<FunctionType>(type)) function->typeParams = typeParams;
    if (!at(Tok::End) && !isPanicking_) failExpected("the end of the type");
    return type;
}

// ---- Cursor ---------------------------------------------------------------------------------------------------------

void Parser::advance() {
    if (current_.kind == Tok::Decrement) {
        sawDecrement_ = true;
    } else if (current_.newlineBefore) {
        sawDecrement_ = false;
    }
    previousEnd_ = current_.range.end;
    if (hasNext_) {
        current_ = next_;
        hasNext_ = false;
    } else {
        lexer_.next(current_);
    }
}

const Token& Parser::peek() {
    if (!hasNext_) {
        beforeNext_ = lexer_.state();
        lexer_.next(next_);
        hasNext_ = true;
    }
    return next_;
}

bool Parser::accept(Tok kind) {
    if (!at(kind)) return false;
    advance();
    return true;
}

bool Parser::isNameLike(const Token& token) const {
    if (token.kind == Tok::Name) return true;
    const TokenClass tokenClass = tokenInfo(token.kind).tokenClass;
    return tokenClass == TokenClass::Contextual || (isLenient_ && tokenClass == TokenClass::Reserved);
}

void Parser::splitCurrent(Tok first) {
    if (hasNext_) {
        lexer_.restore(beforeNext_);
        hasNext_ = false;
    }
    current_.kind = first;
    current_.range.end = current_.range.begin + 1;
    lexer_.continueAt(current_.range.end, first);
}

Scanner Parser::scan() { return Scanner(lexer_, hasNext_ ? beforeNext_ : lexer_.state()); }

// ---- Errors ---------------------------------------------------------------------------------------------------------

std::string Parser::describe(const Token& token) const {
    constexpr size_t kLongestShown = 30;
    if (token.kind == Tok::End) return "end of the file";
    if (token.kind == Tok::InterpMiddle || token.kind == Tok::InterpEnd) return "`}`";
    const std::string_view text = textOf(token.range);
    const bool isShort = text.size() <= kLongestShown && text.find_first_of("\r\n`") == text.npos;
    if (isShort) return "`" + std::string(text) + "`";
    const bool isFixed = tokenInfo(token.kind).tokenClass != TokenClass::Special;
    return isFixed ? "`" + std::string(text) + "`" : std::string(tokenInfo(token.kind).spelling);
}

void Parser::addHints(DiagBuilder builder) {
    const bool isDash = current_.kind == Tok::Decrement || sawDecrement_;
    if (isDash) {
        if (lexer_.attributes().comment) {
            builder.note(diag::DashesCommentNote, {});
        } else {
            builder.note(diag::DashesNote, {});
        }
    } else if (at(Tok::Ellipsis)) {
        builder.note(diag::VarargConcatNote, {});
    }
}

void Parser::failExpected(std::string_view expected) {
    fail(diag::Expected, missingPlace(), describe(current_), expected);
}

bool Parser::expect(Tok kind) {
    if (accept(kind)) return true;
    const TokenInfo& info = tokenInfo(kind);
    failExpected(info.tokenClass == TokenClass::Special ? std::string(info.spelling)
                                                        : "`" + std::string(info.spelling) + "`");
    return false;
}

/// Reads a name; `use` says what it names ("a parameter name"). Invalid after an error.
Ident Parser::expectName(std::string_view use) {
    if (atName()) {
        const Ident name{current_.symbol, current_.range};
        advance();
        return name;
    }
    const TokenClass tokenClass = tokenInfo(current_.kind).tokenClass;
    if (tokenClass == TokenClass::Keyword || tokenClass == TokenClass::Reserved) {
        // A keyword on the same line was meant as a name; on the next line it begins something else.
        bool isMeantAsName = !current_.newlineBefore && !isPanicking_;
        if (isMeantAsName && isBlockEnd(current_.kind)) {
            const Tok next = peek().kind;
            isMeantAsName = next == Tok::Equal || next == Tok::Comma || next == Tok::Colon;
        }
        if (isMeantAsName) {
            diagnostics_.report(diag::ReservedName, current_.range, textOf(current_.range), use);
            const Ident name{current_.symbol, current_.range};
            advance();
            return name;
        }
    }
    failExpected(use);
    return {Symbol{}, {begin(), begin()}};
}

/// Expects the bracket that closes `opener`.
void Parser::expectClose(Tok closer, Range opener) {
    if (isPanicking_ && !at(closer)) recoverInList(closer);
    if (accept(closer)) {
        endPanic();
        return;
    }
    if (isPanicking_) return;
    const std::string_view closing = tokenInfo(closer).spelling;
    const uint32_t openLine = file_.lineOf(opener.begin);
    if (openLine == file_.lineOf(begin())) {
        failExpected("`" + std::string(closing) + "`");
    } else {
        fail(diag::UnclosedBlock, missingPlace(), describe(current_), closing, textOf(opener), int64_t(openLine));
    }
    if (recoverInList(closer) && accept(closer)) endPanic();
}

void Parser::failTooDeep() {
    if (!isFatal_) {
        // Alone: whatever else could be said about such a text would only be noise.
        if (!isPanicking_) diagnostics_.report(diag::TooDeep, current_.range, int64_t(kMaxNesting));
        isFatal_ = true;
    }
    isPanicking_ = true;
    lexer_.continueAt(file_.end(), Tok::End);
    hasNext_ = false;
    lexer_.next(current_);
}

// ---- Light scope ----------------------------------------------------------------------------------------------------

void Parser::declare(Symbol name, LocalKind kind) {
    if (!name) return;
    if (name.id >= locals_.size()) locals_.resize(std::max(interner_.size(), size_t(name.id) + 1));
    undo_.push_back({name, locals_[name.id]});
    locals_[name.id] = kind;
}

void Parser::closeScope(size_t mark) {
    while (undo_.size() > mark) {
        locals_[undo_.back().name.id] = undo_.back().before;
        undo_.pop_back();
    }
}

bool Parser::isAssignedGlobal(Symbol name) {
    if (!isLenient_) return false;
    isKnownGeneric(name);
    return std::find(assignedGlobals_.begin(), assignedGlobals_.end(), name) != assignedGlobals_.end();
}

bool Parser::isKnownGeneric(Symbol name) {
    if (!hasLenientNames_) {
        hasLenientNames_ = true;
        collectLenientNames(file_, arena_, interner_, diagnostics_, assignedGlobals_, knownGenerics_);
    }
    return std::find(knownGenerics_.begin(), knownGenerics_.end(), name) != knownGenerics_.end();
}

}  // namespace luapp::frontend
