// Statements, blocks and function bodies.

#include <algorithm>

#include "frontend/diag/suggest.h"
#include "frontend/lex/char_class.h"
#include "frontend/parse/parser_impl.h"

namespace luapp::frontend {

namespace {

/// The operator of a compound assignment; false if the token is none.
bool compoundOp(Tok kind, BinaryOp& op) {
    switch (kind) {
        case Tok::PlusEqual: op = BinaryOp::Add; return true;
        case Tok::MinusEqual: op = BinaryOp::Sub; return true;
        case Tok::StarEqual: op = BinaryOp::Mul; return true;
        case Tok::SlashEqual: op = BinaryOp::Div; return true;
        case Tok::SlashSlashEqual: op = BinaryOp::IDiv; return true;
        case Tok::PercentEqual: op = BinaryOp::Mod; return true;
        case Tok::CaretEqual: op = BinaryOp::Pow; return true;
        case Tok::ConcatEqual: op = BinaryOp::Concat; return true;
        case Tok::CoalesceEqual: op = BinaryOp::Coalesce; return true;
        default: return false;
    }
}

/// The keyword for a word with which other languages begin such a statement; empty if it is none.
std::string_view wordOfLua(std::string_view word) {
    for (std::string_view other : {"func", "fn", "fun", "def"})
        if (word == other) return "function";
    for (std::string_view other : {"var", "let"})
        if (word == other) return "local";
    return word == "elif" || word == "elsif" ? "elseif" : std::string_view{};
}

}  // namespace

// ---- Blocks ---------------------------------------------------------------------------------------------------------

/// Statements up to a closer (`end`, `else`, `elseif`, `until`, or the end of the file), which stays unread.
Block Parser::parseBlock(BlockOpener opener) {
    Block block;
    const Loc start = begin();
    const size_t scope = openScope();
    const bool isInner = opener.closer != Tok::End;
    bool isIndented = false;
    blockDepth_ += isInner;
    ListBuilder statements(*this, statements_);
    while (!isBlockEnd(current_.kind)) {
        if (accept(Tok::Semicolon)) continue;
        if (trustsIndentation_ && isInner) {
            // Only a block whose statements are indented can be closed by a line that is not.
            if (statements.size() == 0) {
                isIndented = current_.newlineBefore && !isDedented(opener.word);
            } else if (isIndented && isDedented(opener.word)) {
                break;
            }
        }
        // A bracket around the function ends here, so its `end` is missing.
        const bool closesBracket = at(Tok::BraceClose) || at(Tok::ParenClose) || at(Tok::Comma);
        if (closesBracket && function_->isInBrackets) break;
        statements.add(parseStatementGuarded());
    }
    blockDepth_ -= isInner;
    closeScope(scope);
    block.statements = statements.finish();
    block.range = {start, std::max(previousEnd_, start)};
    return block;
}

Stmt* Parser::parseStatementGuarded() {
    DepthGuard guard(*this);
    const Loc start = begin();
    if (guard.isTooDeep()) return errorStmt(start);
    Stmt* statement = parseStatement();
    accept(Tok::Semicolon);
    if (isPanicking_) [[unlikely]] {
        // Whatever could not be read must not be tried again from the same place.
        if (begin() == start && !isBlockEnd(current_.kind)) advance();
        recoverStatement();
    }
    return statement;
}

uint32_t Parser::indentationOf(Loc loc) const {
    uint32_t width = 0;
    for (char c : file_.lineText(file_.lineOf(loc))) {
        if (!isBlank(c)) break;
        ++width;
    }
    return width;
}

/// Second reading: the statement ahead begins a line that is not indented deeper than the line of the block's opener.
bool Parser::isDedented(Range opener) {
    if (!current_.newlineBefore) return false;
    return indentationOf(begin()) <= indentationOf(opener.begin);
}

/// Reads the word that ends a block, or says which block misses it and gives false.
/// `elseIf`: an `else if` within, whose second `if` may have taken the `end`.
bool Parser::closeBlock(Tok closer, Range opener, Range elseIf) {
    if (isPanicking_) recoverStatement();
    const bool isDedent = trustsIndentation_ && at(closer) && current_.newlineBefore &&
                          indentationOf(begin()) < indentationOf(opener.begin);
    if (!isDedent && accept(closer)) return true;
    if (at(Tok::End)) hasUnclosedBlock_ = true;
    if (isPanicking_ || isFatal_) return false;
    const std::string_view closing = tokenInfo(closer).spelling;
    if (!at(Tok::Error)) {
        auto builder = diagnostics_.report(diag::UnclosedBlock, tokenPlace(), describe(current_), closing, textOf(opener),
                                           int64_t(file_.lineOf(opener.begin)));
        builder.note(diag::OpenedHere, opener, textOf(opener));
        if (elseIf.isValid()) builder.note(diag::ElseIfNote, elseIf);
    }
    // No panic: the statements behind are read as usual, one block further out.
    return false;
}

Stmt* Parser::errorStmt(Loc start) { return arena_.make<ErrorStmt>(rangeFrom(start)); }

// ---- Functions ------------------------------------------------------------------------------------------------------

/// From the type parameters or `(` to the end. `opener` is the word that began the function.
FunctionBody* Parser::parseFunctionBody(FunctionTraits traits, Range opener) {
    auto* body = arena_.make<FunctionBody>();
    FunctionState state;
    state.outer = function_;
    state.body = body;
    state.isInBrackets = brackets_ > 0 || traits.isMember || (function_ && function_->isInBrackets);
    function_ = &state;
    const int outerBrackets = brackets_;
    brackets_ = 0;
    const size_t scope = openScope();
    if (traits.hasSelf) declare(selfName_);

    const Loc start = begin();
    if (at(Tok::Less)) body->typeParams = parseTypeParams();
    parseParams(*body, !traits.isSignatureOnly);
    if (!isPanicking_ && accept(Tok::Colon)) body->results = parseResultTypes(kArrowFollows);
    body->signature = rangeFrom(start);
    state.givesNothing = traits.isConstructor || body->results.isVoid || (traits.isNamed && !body->results.isWritten);

    if (traits.isSignatureOnly) {
        body->hasBody = false;
        body->endRange = {previousEnd_, previousEnd_};
    } else if (at(Tok::Arrow) && !isPanicking_) {
        parseArrowBody(*body, traits.isNamed && !traits.isMember);
    } else {
        if (isPanicking_) recoverStatement();
        body->body = parseBlock({opener, Tok::EndKw});
        body->endRange = current_.range;
        closeBlock(Tok::EndKw, opener);
    }
    body->range = rangeFrom(start);
    closeScope(scope);
    brackets_ = outerBrackets;
    function_ = state.outer;
    return body;
}

void Parser::parseParams(FunctionBody& body, bool mayHaveDefaults) {
    const Range open = current_.range;
    if (!expect(Tok::ParenOpen)) return;
    ++brackets_;
    ListBuilder params(*this, params_);
    while (!at(Tok::ParenClose)) {
        if (at(Tok::Ellipsis)) {
            const Range dots = current_.range;
            advance();
            body.isVararg = true;
            accept(Tok::Colon);
            if (!at(Tok::ParenClose) && !at(Tok::Comma)) body.varargType = parseType();
            if (at(Tok::Comma) && !isPanicking_) diagnostics_.report(diag::DefaultAfterVararg, dots);
        } else {
            Param param;
            param.decl = parseNameDecl("a parameter");
            if (!isPanicking_ && at(Tok::Equal) && mayHaveDefaults) {
                advance();
                param.defaultValue = parseExpr();
            }
            declare(param.decl.name);
            params.add(param);
        }
        if (isPanicking_ && !recoverInList(Tok::ParenClose)) break;
        if (!accept(Tok::Comma)) break;
        endPanic();
        if (at(Tok::ParenClose)) failExpected("a parameter");
    }
    --brackets_;
    body.params = params.finish();
    expectClose(Tok::ParenClose, open);
}

/// LANGUAGE 4: `-> e`, `-> return e`, `-> return (a, b)`.
void Parser::parseArrowBody(FunctionBody& body, bool isDeclaration) {
    body.isArrow = true;
    const Loc start = current_.range.end;
    advance();
    auto* result = arena_.make<ReturnStmt>(current_.range);
    const Loc valueStart = begin();
    result->values = parseArrowValues(isDeclaration);
    result->range = rangeFrom(valueStart);
    ListBuilder statements(*this, statements_);
    statements.add(result);
    body.body = {statements.finish(), rangeFrom(start)};
    body.endRange = result->range;
}

List<Expr*> Parser::parseArrowValues(bool isDeclaration) {
    ListBuilder values(*this, exprs_);
    const bool hasReturn = accept(Tok::Return);
    if (!hasReturn || !at(Tok::ParenOpen)) {
        values.add(parseExpr());
        // Behind a declaration a comma can only be meant as a further result; elsewhere it belongs to a list around it.
        if (hasReturn && isDeclaration && at(Tok::Comma)) fail(diag::BadArrow, current_.range);
        return values.finish();
    }
    // `(` opens either several results or the first operand of one expression.
    const Range open = current_.range;
    ++brackets_;
    advance();
    Expr* first = parseExpr();
    values.add(first);
    while (!isPanicking_ && accept(Tok::Comma)) values.add(parseExpr());
    --brackets_;
    expectClose(Tok::ParenClose, open);
    if (values.size() == 1) {
        auto* paren = arena_.make<ParenExpr>(rangeFrom(open.begin));
        paren->inner = first;
        values[0] = parseBinaryRest(parseSuffixes(paren, true), 0);
    }
    return values.finish();
}

// ---- Statements -----------------------------------------------------------------------------------------------------

Stmt* Parser::parseStatement() {
    const Loc start = begin();
    switch (current_.kind) {
        case Tok::Local: advance(); return parseLocal(start);
        case Tok::Function: return parseFunctionStmt();
        case Tok::If: return parseIf();
        case Tok::While: return parseWhile();
        case Tok::Repeat: return parseRepeat();
        case Tok::For: return parseFor();
        case Tok::Do: return parseDo();
        case Tok::Return: return parseReturn();
        case Tok::Break: return parseJump();
        case Tok::ColonColon: return parseLabel();
        case Tok::Name: case Tok::ParenOpen: case Tok::Increment: case Tok::Decrement: return parseExprStatement();
        case Tok::Class: case Tok::Const: case Tok::Continue: case Tok::Enum: case Tok::Export: case Tok::Goto:
        case Tok::Import: case Tok::Interface: case Tok::Type:
            if (Stmt* statement = parseContextualStatement()) return statement;
            return parseExprStatement();
        default: break;
    }
    if (atName()) return parseExprStatement();
    if (at(Tok::Error)) {
        // Reported by the lexer.
        advance();
        isPanicking_ = true;
        return errorStmt(start);
    }
    return failStatement(nullptr);
}

/// Statements that begin with a word which may also be a name. Null if it is a name here.
Stmt* Parser::parseContextualStatement() {
    const Loc start = begin();
    const bool isWord = !isLenient_;
    switch (current_.kind) {
        case Tok::Class:
            return isWord || peekIsName() ? parseClass() : nullptr;
        case Tok::Const:
            if (!isWord && !peekIsName() && peek().kind != Tok::Function) return nullptr;
            advance();
            return parseConst(start);
        case Tok::Continue: {
            if (isWord) return parseJump();
            // Lua 5.1 reads a name if a call or an assignment goes on from it.
            switch (peek().kind) {
                case Tok::Equal: case Tok::Comma: case Tok::Dot: case Tok::Colon: case Tok::BracketOpen:
                case Tok::String: case Tok::BraceOpen:
                    return nullptr;
                case Tok::ParenOpen: return next_.newlineBefore ? parseJump() : nullptr;
                default: return parseJump();
            }
        }
        case Tok::Enum: return peekIsName() ? parseEnum() : nullptr;
        case Tok::Interface: return peekIsName() ? parseInterface() : nullptr;
        case Tok::Type: return peekIsName() ? parseTypeAlias() : nullptr;
        case Tok::Goto:
            return peekIsName() || (peek().kind == Tok::Continue && !next_.newlineBefore) ? parseGoto() : nullptr;
        case Tok::Import: return isImportStatement() ? parseImport() : nullptr;
        case Tok::Export: return isExportStatement() ? parseExport() : nullptr;
        default: return nullptr;
    }
}

NameDecl Parser::parseNameDecl(std::string_view use) {
    const Ident name = expectName(use);
    NameDecl decl;
    decl.name = name.name;
    decl.range = name.range;
    if (!isPanicking_ && accept(Tok::Colon)) decl.type = parseType();
    return decl;
}

List<NameDecl> Parser::parseNameList(bool isLoop) {
    ListBuilder names(*this, names_);
    do {
        names.add(parseNameDecl(isLoop ? "a loop variable" : "a variable"));
    } while (!isPanicking_ && accept(Tok::Comma));
    return names.finish();
}

/// `local class Name`: reported, and parsed as `class Name`. Null: something else, or a reading that Lua 5.1 has.
Stmt* Parser::parseLocalDeclaration(Loc start) {
    const bool isDeclaration = at(Tok::Class) || at(Tok::Interface) || at(Tok::Enum) || at(Tok::Type);
    if (!isDeclaration || isLenient_ || !peekIsName()) return nullptr;
    if (blockDepth_ == 0 && !isPanicking_) {
        const Range word{start, previousEnd_};
        const std::string_view what = at(Tok::Class)       ? "a class"
                                      : at(Tok::Interface) ? "an interface"
                                      : at(Tok::Enum)      ? "an enum"
                                                           : "a type alias";
        diagnostics_.report(diag::LocalDeclaration, word, textOf(word), what).fixIt({start, current_.range.begin}, "");
    }
    return parseContextualStatement();
}

Stmt* Parser::parseLocal(Loc start) {
    if (at(Tok::Function)) return parseLocalFunction(start, false);
    if (Stmt* declaration = parseLocalDeclaration(start)) return declaration;
    if (at(Tok::Const) && (peekIsName() || peek().kind == Tok::Function)) {
        diagnostics_.report(diag::LocalConst, {start, current_.range.end}).fixIt({start, current_.range.end}, "const");
        advance();
        return parseConst(start);
    }
    auto* local = arena_.make<LocalStmt>(Range{start, start});
    local->names = parseNameList(false);
    if (!isPanicking_ && at(Tok::Less)) skipLocalAttribute();
    if (!isPanicking_ && accept(Tok::Equal)) local->values = parseExprList();
    for (const NameDecl& name : local->names) declare(name.name);
    local->range = rangeFrom(start);
    return local;
}

/// `local x <const> = 1` of later Lua versions.
void Parser::skipLocalAttribute() {
    const Loc start = begin();
    advance();
    const bool isWhole = (atName() || at(Tok::Const)) && peek().kind == Tok::Greater;
    if (!isWhole) return failExpected("`=` or a statement");
    advance();
    advance();
    diagnostics_.report(diag::LocalAttribute, rangeFrom(start), textOf(rangeFrom(start)));
}

Stmt* Parser::parseLocalFunction(Loc start, bool isConst) {
    const Range word = current_.range;
    advance();
    auto* function = arena_.make<LocalFunctionDecl>(Range{start, start});
    function->isConst = isConst;
    const Ident name = expectName("a function's name");
    function->name.name = name.name;
    function->name.range = name.range;
    declare(name.name, at(Tok::Less) ? LocalKind::Generic : LocalKind::Plain);
    function->body = parseFunctionBody({}, word);
    function->range = rangeFrom(start);
    return function;
}

/// Behind `const`.
Stmt* Parser::parseConst(Loc start) {
    if (at(Tok::Function)) return parseLocalFunction(start, true);
    if (Stmt* declaration = parseLocalDeclaration(start)) return declaration;
    auto* local = arena_.make<LocalStmt>(Range{start, start});
    local->isConst = true;
    local->names = parseNameList(false);
    if (!isPanicking_) {
        if (accept(Tok::Equal)) {
            local->values = parseExprList();
        } else {
            const NameDecl& name = local->names.back();
            diagnostics_.report(diag::MissingValue, name.range, textOf(name.range));
        }
    }
    for (const NameDecl& name : local->names) declare(name.name);
    local->range = rangeFrom(start);
    return local;
}

/// `function a.b.c()`, `function a:m()`.
Stmt* Parser::parseFunctionStmt() {
    const Range word = current_.range;
    advance();
    return parseNamedFunction(word);
}

/// Behind `function`, or a word that was meant as such.
Stmt* Parser::parseNamedFunction(Range word) {
    auto* function = arena_.make<FunctionDecl>(word);
    const Ident first = expectName("a function's name");
    if (isPanicking_) {
        function->target = errorExpr();
    } else {
        auto* name = arena_.make<NameExpr>(first.range);
        name->name = first.name;
        function->target = name;
        function->name.name = first.name;
        function->name.range = first.range;
    }
    int links = 0;
    while (!isPanicking_ && (at(Tok::Dot) || at(Tok::Colon)) && !function->isMethod) {
        if (++links + depth_ > kMaxNesting) {
            failTooDeep();
            break;
        }
        function->isMethod = at(Tok::Colon);
        function->target = parseField(function->target, false);
        function->name = {};
    }
    FunctionTraits traits;
    traits.hasSelf = function->isMethod;
    function->body = parseFunctionBody(traits, word);
    function->range = rangeFrom(word.begin);
    return function;
}

Stmt* Parser::parseIf() {
    const Range word = current_.range;
    auto* statement = arena_.make<IfStmt>(word);
    ListBuilder clauses(*this, clauses_);
    // One loop for all `elseif`s: there may be thousands.
    do {
        IfClause clause;
        advance();
        clause.condition = parseCondition();
        expectBlockWord(Tok::Then);
        clause.body = parseBlock({word, Tok::EndKw});
        clauses.add(clause);
    } while (at(Tok::Elseif));
    const Loc elseAt = begin();
    Range elseIf;
    if (accept(Tok::Else)) {
        if (at(Tok::If) && !current_.newlineBefore) elseIf = {elseAt, current_.range.end};
        IfClause clause;
        clause.body = parseBlock({word, Tok::EndKw});
        clauses.add(clause);
    }
    statement->clauses = clauses.finish();
    closeBlock(Tok::EndKw, word, elseIf);
    statement->range = rangeFrom(word.begin);
    return statement;
}

Stmt* Parser::parseWhile() {
    const Range word = current_.range;
    advance();
    auto* statement = arena_.make<WhileStmt>(word);
    statement->condition = parseCondition();
    expectBlockWord(Tok::Do);
    ++function_->loops;
    statement->body = parseBlock({word, Tok::EndKw});
    --function_->loops;
    closeBlock(Tok::EndKw, word);
    statement->range = rangeFrom(word.begin);
    return statement;
}

Stmt* Parser::parseRepeat() {
    const Range word = current_.range;
    advance();
    auto* statement = arena_.make<RepeatStmt>(word);
    ++function_->loops;
    statement->body = parseBlock({word, Tok::Until});
    --function_->loops;
    // LANGUAGE 4: the condition sees the locals of the body; only sema needs them, so the scope here is closed.
    statement->condition = closeBlock(Tok::Until, word) ? parseCondition() : errorExpr();
    statement->range = rangeFrom(word.begin);
    return statement;
}

Stmt* Parser::parseFor() {
    const Range word = current_.range;
    advance();
    List<NameDecl> names = parseNameList(true);
    const bool isNumeric = at(Tok::Equal) && !isPanicking_;
    Stmt* result;
    Block* body;
    if (isNumeric) {
        auto* loop = arena_.make<NumericForStmt>(word);
        if (names.size() > 1) {
            fail(diag::Expected, current_.range, "`=`", "`in` after several loop variables");
        }
        advance();
        loop->variable = names[0];
        loop->from = parseExpr();
        loop->to = !isPanicking_ && expect(Tok::Comma) ? parseExpr() : errorExpr();
        if (!isPanicking_ && accept(Tok::Comma)) loop->step = parseExpr();
        body = &loop->body;
        result = loop;
    } else {
        auto* loop = arena_.make<GenericForStmt>(word);
        loop->variables = names;
        if (!isPanicking_ && !accept(Tok::In)) failExpected("`=` or `in`");
        if (!isPanicking_) loop->values = parseExprList();
        body = &loop->body;
        result = loop;
    }
    expectBlockWord(Tok::Do);
    const size_t scope = openScope();
    for (const NameDecl& name : names) declare(name.name);
    ++function_->loops;
    *body = parseBlock({word, Tok::EndKw});
    --function_->loops;
    closeScope(scope);
    closeBlock(Tok::EndKw, word);
    result->range = rangeFrom(word.begin);
    return result;
}

Stmt* Parser::parseDo() {
    const Range word = current_.range;
    advance();
    auto* statement = arena_.make<DoStmt>(word);
    statement->body = parseBlock({word, Tok::EndKw});
    closeBlock(Tok::EndKw, word);
    statement->range = rangeFrom(word.begin);
    return statement;
}

Stmt* Parser::parseReturn() {
    const Loc start = begin();
    advance();
    auto* statement = arena_.make<ReturnStmt>(rangeFrom(start));
    if (returnHasValues()) statement->values = parseExprList();
    statement->range = rangeFrom(start);
    return statement;
}

/// LANGUAGE 4: in a function without results `return` takes no value from the next line; elsewhere it does, unless
/// that line is an assignment or `++`/`---` statement. Lua 5.1 always takes it.
bool Parser::returnHasValues() {
    if (isBlockEnd(current_.kind) || at(Tok::Semicolon)) return false;
    if (!current_.newlineBefore || isLenient_) return true;
    if (function_->givesNothing) return false;
    switch (current_.kind) {
        // These begin statements only.
        case Tok::Local: case Tok::If: case Tok::While: case Tok::For: case Tok::Repeat: case Tok::Do: case Tok::Return:
        case Tok::Break: case Tok::Class: case Tok::Const: case Tok::Continue: case Tok::ColonColon:
            return false;
        case Tok::Function: return !isNameLike(peek());
        default: break;
    }
    if (!atName() && !at(Tok::ParenOpen) && !at(Tok::Increment) && !at(Tok::Decrement)) return true;
    return !isAssignmentAhead();
}

bool Parser::isAssignmentAhead() {
    // The scanner begins behind the current token, so put the lexer in front of it.
    Lexer::State state = hasNext_ ? beforeNext_ : lexer_.state();
    const Lexer::State behind = lexer_.state();
    lexer_.continueAt(begin(), Tok::Return);
    Lexer::State front = lexer_.state();
    lexer_.restore(behind);
    // A bracket as current token has been counted already.
    front.hole = state.hole;
    front.braceDepth = state.braceDepth;
    return Scanner(lexer_, front).isAssignmentAhead();
}

/// `break` and `continue`.
Stmt* Parser::parseJump() {
    const Range word = current_.range;
    const bool isBreak = at(Tok::Break);
    advance();
    if (function_->loops == 0 && !isPanicking_) diagnostics_.report(diag::OutsideLoop, word, textOf(word));
    if (isBreak) return arena_.make<BreakStmt>(word);
    return arena_.make<ContinueStmt>(word);
}

Stmt* Parser::parseGoto() {
    const Loc start = begin();
    advance();
    auto* statement = arena_.make<GotoStmt>(Range{start, start});
    const bool isContinue = at(Tok::Continue);
    statement->label = isContinue && !isLenient_ ? takeLabel() : expectName("a label");
    statement->range = rangeFrom(start);
    if (!isLenient_ && !isPanicking_) {
        auto builder = diagnostics_.report(diag::LenientOnly, statement->range, "`goto`");
        if (isContinue) builder.fixIt(statement->range, "continue");
    }
    return statement;
}

/// A word as a label, where labels are an error anyway.
Ident Parser::takeLabel() {
    const Ident label{current_.symbol, current_.range};
    advance();
    return label;
}

Stmt* Parser::parseLabel() {
    const Loc start = begin();
    advance();
    auto* statement = arena_.make<LabelStmt>(Range{start, start});
    statement->label = at(Tok::Continue) && !isLenient_ ? takeLabel() : expectName("a label");
    expect(Tok::ColonColon);
    statement->range = rangeFrom(start);
    if (!isLenient_ && !isPanicking_) diagnostics_.report(diag::LenientOnly, statement->range, "a label");
    return statement;
}

// ---- Calls and assignments ------------------------------------------------------------------------------------------

Stmt* Parser::parseExprStatement() {
    const Loc start = begin();
    const bool isPrefix = at(Tok::Increment) || at(Tok::Decrement);
    Expr* expr = isPrefix ? parsePrefixIncDec() : parseSuffixed();
    BinaryOp op;
    if (!isPanicking_ && (at(Tok::Equal) || at(Tok::Comma))) return parseAssignment(expr);
    if (!isPanicking_ && compoundOp(current_.kind, op)) return parseCompound(expr, op);
    if (!isPanicking_ && !isStatementExpr(expr)) return failStatement(expr);
    auto* statement = arena_.make<ExprStmt>(rangeFrom(start));
    statement->expr = expr;
    return statement;
}

bool Parser::isStatementExpr(const Expr* expr) const {
    if (const auto* chain = as<ChainExpr>(expr)) expr = chain->chain;
    if (const auto* nonNil = as<NonNilExpr>(expr)) return isStatementExpr(nonNil->operand);
    return is<CallExpr>(expr) || is<IncDecExpr>(expr) || is<ErrorExpr>(expr);
}

Stmt* Parser::parseAssignment(Expr* first) {
    auto* statement = arena_.make<AssignStmt>(first->range);
    ListBuilder targets(*this, exprs_);
    targets.add(checkTarget(first));
    while (!isPanicking_ && accept(Tok::Comma)) targets.add(checkTarget(parseSuffixed()));
    statement->targets = targets.finish();
    if (!isPanicking_ && expect(Tok::Equal)) statement->values = parseExprList();
    statement->range = rangeFrom(first->range.begin);
    return statement;
}

Stmt* Parser::parseCompound(Expr* target, BinaryOp op) {
    auto* statement = arena_.make<CompoundStmt>(target->range);
    statement->op = op;
    statement->opRange = current_.range;
    statement->target = checkTarget(target);
    advance();
    statement->value = parseExpr();
    statement->range = rangeFrom(target->range.begin);
    return statement;
}

/// No statement begins with what is ahead, or with `expr`, which has been read already.
Stmt* Parser::failStatement(Expr* expr) {
    const Loc start = expr ? expr->range.begin : begin();
    if (!expr) {
        const bool isComment = at(Tok::SlashSlash) || at(Tok::Slash);
        if (isComment && !isPanicking_) {
            // As other languages begin comments; the rest of the line is skipped.
            diagnostics_.report(diag::ExpectedStatement, tokenPlace(), describe(current_)).didYouMean(current_.range, "--");
            isPanicking_ = true;
        } else {
            fail(diag::ExpectedStatement, tokenPlace(), describe(current_));
        }
        return errorStmt(start);
    }
    // A name in front of something that cannot follow it is often a misspelt keyword.
    if (const auto* name = as<NameExpr>(expr); name && !current_.newlineBefore && !isBlockEnd(current_.kind)) {
        const std::string_view written = interner_.text(name->name);
        Suggester suggester(written);
        for (const char* word : {"local", "function", "const", "return", "while", "repeat", "until", "for", "if", "elseif",
                                 "else", "end", "class", "interface", "enum", "import", "export", "break", "continue"}) {
            suggester.offer(word);
        }
        std::string_view meant = wordOfLua(written);
        if (meant.empty()) meant = suggester.best();
        const bool isOperand = atName() || at(Tok::Number) || at(Tok::String) || at(Tok::Function) || at(Tok::Nil) ||
                               at(Tok::True) || at(Tok::False) || at(Tok::Not);
        if (isOperand && !isPanicking_) {
            auto builder = diagnostics_.report(diag::ExpectedStatement, name->range, "`" + std::string(textOf(name->range)) + "`");
            builder.didYouMean(name->range, meant);
            addHints(builder);
            // Read on as it was meant, so that what it declares is known below.
            if (atName() && meant == "local") return parseLocal(start);
            if (atName() && meant == "function") return parseNamedFunction(name->range);
            isPanicking_ = true;
            return errorStmt(start);
        }
    }
    const bool isBlunder = at(Tok::Error) || at(Tok::Bang) || at(Tok::Question) || at(Tok::Colon) || at(Tok::Ellipsis);
    if (isBlunder) {
        failExpected("a call or an assignment");
        return errorStmt(start);
    }
    // Read the rest of the expression, so that the message covers it and nothing is left over.
    Expr* whole = parseBinaryRest(expr, 0);
    if (!isPanicking_) addHints(diagnostics_.report(diag::NotAStatement, whole->range));
    auto* statement = arena_.make<ExprStmt>(rangeFrom(start));
    statement->expr = arena_.make<ErrorExpr>(whole->range);
    return statement;
}

}  // namespace luapp::frontend
