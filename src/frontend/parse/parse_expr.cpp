// Expressions: precedence climbing over the powers of operators.def, prefix and postfix forms, literals.

#include <array>

#include "frontend/parse/parser_impl.h"

namespace luapp::frontend {

namespace {

/// How a token acts between two operands.
struct InfixInfo {
    bool isInfix = false;
    BinaryOp op = BinaryOp::Or;
    uint8_t left = 0;
    uint8_t right = 0;
};

constexpr Tok tokenOf(BinaryOp op) {
    switch (op) {
        case BinaryOp::Or: return Tok::Or;
        case BinaryOp::And: return Tok::And;
        case BinaryOp::Lt: return Tok::Less;
        case BinaryOp::Gt: return Tok::Greater;
        case BinaryOp::Le: return Tok::LessEqual;
        case BinaryOp::Ge: return Tok::GreaterEqual;
        case BinaryOp::Ne: return Tok::NotEqual;
        case BinaryOp::Eq: return Tok::EqualEqual;
        case BinaryOp::Coalesce: return Tok::Coalesce;
        case BinaryOp::BitOr: return Tok::Pipe;
        case BinaryOp::BitXor: return Tok::Tilde;
        case BinaryOp::BitAnd: return Tok::Amp;
        case BinaryOp::Shl: return Tok::ShiftLeft;
        case BinaryOp::Shr: return Tok::ShiftRight;
        case BinaryOp::Concat: return Tok::Concat;
        case BinaryOp::Add: return Tok::Plus;
        case BinaryOp::Sub: return Tok::Minus;
        case BinaryOp::Mul: return Tok::Star;
        case BinaryOp::Div: return Tok::Slash;
        case BinaryOp::IDiv: return Tok::SlashSlash;
        case BinaryOp::Mod: return Tok::Percent;
        case BinaryOp::Pow: return Tok::Caret;
    }
    return Tok::End;
}

constexpr auto kInfix = [] {
    std::array<InfixInfo, 256> table{};
#define LUAPP_BINARY(Op, Spelling, Left, Right) table[size_t(tokenOf(BinaryOp::Op))] = {true, BinaryOp::Op, Left, Right};
#include "frontend/ast/operators.def"
    const InfixInfo comparison = table[size_t(Tok::EqualEqual)];
    table[size_t(Tok::Is)] = comparison;
    table[size_t(Tok::BangEqual)] = table[size_t(Tok::NotEqual)];
    table[size_t(Tok::AmpAmp)] = table[size_t(Tok::And)];
    table[size_t(Tok::PipePipe)] = table[size_t(Tok::Or)];
    return table;
}();

/// Prefix operators bind tighter than `*` and looser than `^`.
constexpr int kUnaryPower = 23;

}  // namespace

Expr* Parser::errorExpr() { return arena_.make<ErrorExpr>(Range{begin(), begin()}); }

Expr* Parser::parseExpr() { return parseBinary(0); }

/// The condition of `if`, `while` and the like, where `=` is a frequent slip.
Expr* Parser::parseCondition() {
    Expr* condition = parseExpr();
    if (!at(Tok::Equal) || isPanicking_) return condition;
    diagnostics_.report(diag::AssignInCondition, current_.range).fixIt(current_.range, "==");
    const Range opRange = current_.range;
    advance();
    return makeBinary(BinaryOp::Eq, opRange, condition, parseExpr());
}

List<Expr*> Parser::parseExprList() {
    ListBuilder list(*this, exprs_);
    do {
        list.add(parseExpr());
    } while (!isPanicking_ && accept(Tok::Comma));
    return list.finish();
}

// ---- Binary operators -----------------------------------------------------------------------------------------------

Expr* Parser::parseBinary(int limit) {
    DepthGuard guard(*this);
    if (guard.isTooDeep()) return errorExpr();
    return parseBinaryRest(parseUnary(), limit);
}

Expr* Parser::makeBinary(BinaryOp op, Range opRange, Expr* left, Expr* right) {
    auto* binary = arena_.make<BinaryExpr>(cover(left->range, right->range));
    binary->op = op;
    binary->opRange = opRange;
    binary->left = left;
    binary->right = right;
    return binary;
}

/// Continues behind `left` with all operators that bind tighter than `limit`. Left-associative chains are built in this
/// loop, so their length is not limited.
Expr* Parser::parseBinaryRest(Expr* left, int limit) {
    int tests = 0;
    for (;;) {
        const InfixInfo info = kInfix[size_t(current_.kind)];
        if (!info.isInfix || info.left <= limit || isPanicking_) return left;
        if (at(Tok::Is)) {
            if (!isInfixWord()) return left;
            // Each test is one level of the tree, unlike the operators.
            if (++tests + depth_ > kMaxNesting) {
                failTooDeep();
                return left;
            }
            left = parseTypeTest(left);
            continue;
        }
        if (at(Tok::Concat)) {
            left = parseConcatRest(left);
            continue;
        }
        if (at(Tok::BangEqual) || at(Tok::AmpAmp) || at(Tok::PipePipe)) {
            const std::string_view ours = spelling(info.op);
            diagnostics_.report(diag::ForeignOperator, current_.range, textOf(current_.range), ours)
                .fixIt(current_.range, ours);
        }
        const Range opRange = current_.range;
        advance();
        Expr* right = parseBinary(info.right);
        warnAboutCast(right, spelling(info.op));
        left = makeBinary(info.op, opRange, left, right);
    }
}

Expr* Parser::parseConcatRest(Expr* first) {
    const InfixInfo info = kInfix[size_t(Tok::Concat)];
    ListBuilder operands(*this, exprs_);
    operands.add(first);
    while (at(Tok::Concat) && !isPanicking_) {
        advance();
        // With the left power as limit the operand leaves further `..` to this loop.
        Expr* operand = parseBinary(info.left);
        warnAboutCast(operand, "..");
        operands.add(operand);
    }
    auto* concat = arena_.make<ConcatExpr>(rangeFrom(first->range.begin));
    concat->operands = operands.finish();
    return concat;
}

/// LANGUAGE 2: a binary operation left of an unparenthesised `as` gets a warning.
void Parser::warnAboutCast(const Expr* right, std::string_view op) {
    const auto* castExpr = as<CastExpr>(right);
    if (!castExpr || isPanicking_) return;
    diagnostics_.report(diag::BinaryLeftOfAs, castExpr->range, textOf(castExpr->operand->range), op);
}

/// True at an `as` or `is` that is an operator here, not a name that begins the next statement.
bool Parser::isInfixWord() {
    const bool isNewLine = current_.newlineBefore;
    if (isLenient_ && isNewLine) return false;
    const Token& next = peek();
    if (at(Tok::Is) && next.kind == Tok::Not) return true;
    const bool startsType = isNameLike(next) || next.kind == Tok::Nil;
    // `as (`, `as {` may also go on with a call of a function named so: Lua 5.1's reading wins in lenient files, and on
    // a new line in strict ones.
    if (isLenient_ || isNewLine) return startsType && !next.newlineBefore;
    return next.kind != Tok::Equal;
}

Expr* Parser::parseTypeTest(Expr* operand) {
    const Range isRange = current_.range;
    advance();
    auto* test = arena_.make<TypeTestExpr>(operand->range);
    test->operand = operand;
    const auto* negation = as<UnaryExpr>(operand);
    const bool isWrongNot = negation && negation->op == UnaryOp::Not && !isPanicking_;
    if (isWrongNot) {
        const Range notRange{negation->range.begin, negation->operand->range.begin};
        diagnostics_.report(diag::NotBeforeIs, cover(negation->range, isRange))
            .fixIt(notRange, "")
            .insertion(isRange.end, " not");
    }
    test->isNegated = accept(Tok::Not);
    test->tested = parseType(kSingle);
    test->range = rangeFrom(operand->range.begin);
    return test;
}

// ---- Prefix operators -----------------------------------------------------------------------------------------------

Expr* Parser::parseUnary() {
    switch (current_.kind) {
        case Tok::Not: return parseUnaryOperator(UnaryOp::Not);
        case Tok::Minus: return parseUnaryOperator(UnaryOp::Neg);
        case Tok::Hash: return parseUnaryOperator(UnaryOp::Len);
        case Tok::Tilde: return parseUnaryOperator(UnaryOp::BitNot);
        case Tok::Bang:
            if (!isPanicking_) {
                diagnostics_.report(diag::ForeignOperator, current_.range, "!", "not").fixIt(current_.range, "not ");
            }
            return parseUnaryOperator(UnaryOp::Not);
        case Tok::Increment: case Tok::Decrement: return parsePrefixIncDec();
        default: return parseSimple();
    }
}

Expr* Parser::parseUnaryOperator(UnaryOp op) {
    const Loc start = begin();
    advance();
    Expr* operand = parseBinary(kUnaryPower);
    auto* unary = arena_.make<UnaryExpr>(Range{start, operand->range.end});
    unary->op = op;
    unary->operand = operand;
    return unary;
}

Expr* Parser::parsePrefixIncDec() {
    const Loc start = begin();
    const bool isIncrement = at(Tok::Increment);
    // Before it is consumed, so that an error in the operand still sees the operator on its line.
    advance();
    if (!atName() && !at(Tok::ParenOpen)) {
        fail(diag::Expected, missingPlace(), describe(current_), "a variable, a field or an element");
        return errorExpr();
    }
    Expr* target = parseSuffixed();
    return makeIncDec(target, isIncrement, true, start);
}

Expr* Parser::makeIncDec(Expr* target, bool isIncrement, bool isPrefix, Loc start) {
    auto* node = arena_.make<IncDecExpr>(rangeFrom(start));
    node->isIncrement = isIncrement;
    node->isPrefix = isPrefix;
    node->target = checkTarget(target);
    return node;
}

/// `target` if something can be stored there, else an ErrorExpr and a message.
Expr* Parser::checkTarget(Expr* target) {
    if (is<NameExpr>(target) || is<FieldExpr>(target) || is<IndexExpr>(target) || is<ErrorExpr>(target)) return target;
    if (!isPanicking_) {
        const std::string_view what = is<CallExpr>(target)     ? "the result of a call"
                                      : is<ParenExpr>(target)  ? "an expression in parentheses"
                                      : is<CastExpr>(target)   ? "the result of `as`"
                                      : is<NonNilExpr>(target) ? "the result of `!`"
                                      : is<IncDecExpr>(target) ? "the result of `++` or `---`"
                                                               : "this expression";
        if (is<ChainExpr>(target)) {
            addHints(diagnostics_.report(diag::OptionalTarget, target->range));
        } else {
            addHints(diagnostics_.report(diag::CannotAssign, target->range, what));
        }
    }
    return arena_.make<ErrorExpr>(target->range);
}

// ---- Operands -------------------------------------------------------------------------------------------------------

Expr* Parser::parseSimple() {
    const Range range = current_.range;
    Expr* literal = nullptr;
    bool allowsCalls = false;
    switch (current_.kind) {
        case Tok::Number: literal = parseNumber(); break;
        case Tok::String: case Tok::InterpWhole: case Tok::InterpBegin:
            // Members of strings, as in "x".upper(). No valid Lua 5.1 program has a `.` or `:` there.
            literal = parseStringValue();
            allowsCalls = at(Tok::Dot) || at(Tok::Colon);
            break;
        case Tok::Nil:
            advance();
            literal = arena_.make<NilExpr>(range);
            break;
        case Tok::True: case Tok::False: {
            auto* boolean = arena_.make<BoolExpr>(range);
            boolean->value = at(Tok::True);
            advance();
            literal = boolean;
            break;
        }
        case Tok::Ellipsis:
            if (function_ && function_->body->isVararg) {
                function_->body->usesVararg = true;
            } else if (!isPanicking_) {
                diagnostics_.report(diag::VarargOutside, range);
            }
            advance();
            literal = arena_.make<VarargExpr>(range);
            break;
        case Tok::BraceOpen: literal = parseBrace(); break;
        case Tok::Function: literal = parseFunctionExpr(); break;
        default: return parseSuffixed();
    }
    return parseSuffixes(literal, allowsCalls);
}

Expr* Parser::parseNumber() {
    auto* number = arena_.make<NumberExpr>(current_.range);
    number->value = current_.number;
    number->isWhole = current_.isWhole;
    number->isTooLarge = current_.isTooLarge;
    advance();
    return number;
}

Expr* Parser::parseStringValue() {
    if (at(Tok::InterpBegin)) return parseInterp();
    if (at(Tok::InterpWhole)) {
        // Without holes it is a plain string.
        auto* text = arena_.make<StringExpr>(current_.range);
        text->value = current_.text;
        advance();
        return text;
    }
    auto* text = arena_.make<StringExpr>(current_.range);
    text->value = current_.text;
    advance();
    return text;
}

Expr* Parser::parseInterp() {
    const Loc start = begin();
    // Where the lexer is to be if the string cannot be read to its end: outside of it.
    Lexer::State outside = hasNext_ ? beforeNext_ : lexer_.state();
    outside.hole = outside.hole ? outside.hole->outer : nullptr;
    ListBuilder texts(*this, texts_);
    ListBuilder values(*this, exprs_);
    texts.add(current_.text);
    const int outerBrackets = brackets_++;
    for (;;) {
        advance();
        if ((at(Tok::InterpMiddle) || at(Tok::InterpEnd)) && !isPanicking_) {
            diagnostics_.report(diag::EmptyHole, {current_.range.begin, current_.range.begin + 1});
            values.add(errorExpr());
        } else {
            values.add(parseExpr());
        }
        if (!at(Tok::InterpMiddle) && !at(Tok::InterpEnd)) {
            failExpected("`}`");
            while (!at(Tok::InterpMiddle) && !at(Tok::InterpEnd) && !at(Tok::End) && !current_.newlineBefore) advance();
            if (!at(Tok::InterpMiddle) && !at(Tok::InterpEnd)) {
                // The rest of the line has been skipped; the lexer is not inside the string any more.
                Lexer::State now = lexer_.state();
                now.hole = outside.hole;
                if (hasNext_) beforeNext_.hole = outside.hole;
                lexer_.restore(now);
                texts.add({});
                break;
            }
        }
        endPanic();
        texts.add(current_.text);
        if (at(Tok::InterpEnd)) {
            advance();
            break;
        }
    }
    brackets_ = outerBrackets;
    auto* interp = arena_.make<InterpExpr>(rangeFrom(start));
    interp->texts = texts.finish();
    interp->values = values.finish();
    return interp;
}

Expr* Parser::parseFunctionExpr() {
    const Range word = current_.range;
    advance();
    FunctionTraits traits;
    traits.isNamed = false;
    FunctionBody* body = parseFunctionBody(traits, word);
    auto* function = arena_.make<FunctionExpr>(rangeFrom(word.begin));
    function->body = body;
    return function;
}

// ---- Names, parentheses, suffixes -----------------------------------------------------------------------------------

Expr* Parser::parseSuffixed() {
    Expr* primary = parsePrimary();
    return is<ErrorExpr>(primary) ? primary : parseSuffixes(primary, true);
}

Expr* Parser::parsePrimary() {
    if (atName()) return parseName();
    if (at(Tok::ParenOpen)) return parseParen();
    if (at(Tok::Error)) {
        // The lexer has said what is wrong with it; take it for a value.
        Expr* error = arena_.make<ErrorExpr>(current_.range);
        advance();
        // Whatever is missing then is missing because of it.
        if (at(Tok::End)) isPanicking_ = true;
        return error;
    }
    const TokenClass tokenClass = tokenInfo(current_.kind).tokenClass;
    if (tokenClass == TokenClass::Reserved && !isPanicking_ && !current_.newlineBefore) {
        diagnostics_.report(diag::ReservedName, current_.range, textOf(current_.range), "a variable");
        Expr* error = arena_.make<ErrorExpr>(current_.range);
        advance();
        return error;
    }
    fail(diag::ExpectedExpression, missingPlace(), describe(current_));
    return errorExpr();
}

Expr* Parser::parseName() {
    const Range range = current_.range;
    const Symbol name = current_.symbol;
    const bool isBase = at(Tok::Base) && isInClass_ && localKind(name) == LocalKind::None;
    if (name == argName_ && function_) function_->body->mentionsArg = true;
    advance();
    if (isBase) {
        if (!at(Tok::ParenOpen) && !at(Tok::Dot) && !at(Tok::Colon) && !isPanicking_) {
            diagnostics_.report(diag::BaseAlone, range);
            return arena_.make<ErrorExpr>(range);
        }
        return arena_.make<BaseExpr>(range);
    }
    auto* expr = arena_.make<NameExpr>(range);
    expr->name = name;
    return expr;
}

Expr* Parser::parseParen() {
    const Range open = current_.range;
    ++brackets_;
    advance();
    Expr* inner = parseExpr();
    --brackets_;
    expectClose(Tok::ParenClose, open);
    auto* paren = arena_.make<ParenExpr>(rangeFrom(open.begin));
    paren->inner = inner;
    return paren;
}

/// Puts the ChainExpr around a chain that had `?.` or `?[` links.
Expr* Parser::wrapChain(Expr* expr) {
    auto* chain = arena_.make<ChainExpr>(expr->range);
    chain->chain = expr;
    return chain;
}

/// Everything that may follow an operand: members, elements, calls, `!`, `++`, `as`. Without `allowsCalls` (literals)
/// only the operators among them.
Expr* Parser::parseSuffixes(Expr* expr, bool allowsCalls) {
    bool hasOptional = false;
    const auto endChain = [&] {
        if (hasOptional) expr = wrapChain(expr);
        hasOptional = false;
    };
    for (int links = 0;; ++links) {
        if (isPanicking_) break;
        if (links + depth_ > kMaxNesting) {
            failTooDeep();
            break;
        }
        const Tok kind = current_.kind;
        if (kind == Tok::Bang && !current_.newlineBefore) {
            endChain();
            advance();
            auto* nonNil = arena_.make<NonNilExpr>(rangeFrom(expr->range.begin));
            nonNil->operand = expr;
            expr = nonNil;
            continue;
        }
        if ((kind == Tok::Increment || kind == Tok::Decrement) && !current_.newlineBefore) {
            endChain();
            advance();
            expr = makeIncDec(expr, kind == Tok::Increment, false, expr->range.begin);
            continue;
        }
        if (kind == Tok::As && isInfixWord()) {
            endChain();
            expr = parseCast(expr);
            continue;
        }
        if (kind == Tok::QuestionDot || kind == Tok::QuestionBracket) {
            hasOptional = true;
            expr = kind == Tok::QuestionDot ? parseField(expr, true) : parseIndex(expr, true);
            allowsCalls = true;
            continue;
        }
        if (!allowsCalls) break;
        if (kind == Tok::Dot) {
            expr = parseField(expr, false);
        } else if (kind == Tok::BracketOpen) {
            expr = parseIndex(expr, false);
        } else if (kind == Tok::Colon) {
            expr = parseColonCall(expr);
        } else if (kind == Tok::ParenOpen) {
            if (current_.newlineBefore && brackets_ == 0) {
                // LANGUAGE is silent, so Lua 5.1 decides: the line could mean two things.
                diagnostics_.report(diag::AmbiguousCall, current_.range).insertion(previousEnd_, ";");
                break;
            }
            expr = parseCall(expr, {}, false);
        } else if (kind == Tok::String || kind == Tok::InterpWhole || kind == Tok::InterpBegin || kind == Tok::BraceOpen) {
            expr = parseCall(expr, {}, false);
        } else if (kind == Tok::Less && startsTypeArguments(expr)) {
            List<TypeNode*> typeArgs = parseTypeArguments();
            expr = parseCall(expr, typeArgs, false);
        } else {
            break;
        }
    }
    endChain();
    return expr;
}

/// LANGUAGE 2: `f<T>(x)` has type arguments if `<...>` parses as types and `(` follows, unless `f` is a local that is
/// not generic; in lenient files only if `f` is known to be generic.
bool Parser::startsTypeArguments(const Expr* callee) {
    if (const auto* name = as<NameExpr>(callee)) {
        const LocalKind kind = localKind(name->name);
        if (kind == LocalKind::Plain) return false;
        if (isLenient_ && kind != LocalKind::Generic && !isKnownGeneric(name->name)) return false;
    } else if (isLenient_ || !is<FieldExpr>(callee)) {
        return false;
    }
    return scan().isTypeArguments();
}

Expr* Parser::parseField(Expr* object, bool isOptional) {
    advance();
    auto* field = arena_.make<FieldExpr>(object->range);
    field->object = object;
    field->isOptional = isOptional;
    field->field = expectName("a member's name");
    field->range = rangeFrom(object->range.begin);
    return field;
}

Expr* Parser::parseIndex(Expr* object, bool isOptional) {
    const Range open = current_.range;
    ++brackets_;
    advance();
    auto* index = arena_.make<IndexExpr>(object->range);
    index->object = object;
    index->isOptional = isOptional;
    index->index = parseExpr();
    --brackets_;
    expectClose(Tok::BracketClose, open);
    index->range = rangeFrom(object->range.begin);
    return index;
}

Expr* Parser::parseColonCall(Expr* object) {
    const Range colon = current_.range;
    if (!isNameLike(peek()) || (next_.newlineBefore && !isLenient_)) {
        // `name:` as a label of other languages, for one.
        fail(diag::Expected, colon, "`:`", "a call, an assignment or `.`");
        advance();
        return object;
    }
    Expr* callee = parseField(object, false);
    if (isPanicking_) return callee;
    if (at(Tok::Less) && (!isLenient_) && scan().isTypeArguments()) {
        List<TypeNode*> typeArgs = parseTypeArguments();
        return parseCall(callee, typeArgs, true);
    }
    const bool hasArgs = at(Tok::ParenOpen) || at(Tok::String) || at(Tok::InterpWhole) || at(Tok::InterpBegin) ||
                         at(Tok::BraceOpen);
    if (!hasArgs) {
        if (isLenient_) {
            failExpected("arguments of a call");
        } else {
            diagnostics_.report(diag::ColonInStrictField, colon).fixIt(colon, ".");
        }
        return callee;
    }
    return parseCall(callee, {}, true);
}

Expr* Parser::parseCall(Expr* callee, List<TypeNode*> typeArgs, bool isColon) {
    auto* call = arena_.make<CallExpr>(callee->range);
    call->callee = callee;
    call->typeArgs = typeArgs;
    call->isColon = isColon;
    const Range open = current_.range;
    ListBuilder args(*this, exprs_);
    if (at(Tok::ParenOpen)) {
        ++brackets_;
        advance();
        while (!at(Tok::ParenClose)) {
            args.add(parseExpr());
            if (isPanicking_ && !recoverInList(Tok::ParenClose)) break;
            if (accept(Tok::Comma)) {
                endPanic();
                if (!at(Tok::ParenClose)) continue;
                fail(diag::ExpectedExpression, missingPlace(), describe(current_));
            }
            break;
        }
        --brackets_;
        expectClose(Tok::ParenClose, open);
    } else if (at(Tok::BraceOpen)) {
        call->syntax = CallSyntax::Braces;
        args.add(parseBrace());
    } else {
        call->syntax = CallSyntax::String;
        args.add(parseStringValue());
    }
    call->args = args.finish();
    call->argsRange = rangeFrom(open.begin);
    call->range = rangeFrom(callee->range.begin);
    if (call->args.count == 1 && is<StringExpr>(call->args[0]))
        if (auto* name = as<NameExpr>(callee); name && interner_.text(name->name) == "require") requireCalls_.push_back(call);
    return call;
}

Expr* Parser::parseCast(Expr* operand) {
    advance();
    auto* castExpr = arena_.make<CastExpr>(operand->range);
    castExpr->operand = operand;
    castExpr->target = parseType(kSingle);
    castExpr->range = rangeFrom(operand->range.begin);
    return castExpr;
}

// ---- Brace lists ----------------------------------------------------------------------------------------------------

Expr* Parser::parseBrace() {
    const Range open = current_.range;
    DepthGuard guard(*this);
    if (guard.isTooDeep()) return errorExpr();
    ++brackets_;
    advance();
    ListBuilder items(*this, items_);
    while (!at(Tok::BraceClose)) {
        items.add(parseBraceItem());
        if (!isPanicking_ && !at(Tok::Comma) && !at(Tok::Semicolon) && !at(Tok::BraceClose)) {
            // An item on the next line: only the comma is missing.
            const bool isNextItem = current_.newlineBefore &&
                                    (atName() || at(Tok::BracketOpen) || at(Tok::Number) || at(Tok::String) || at(Tok::BraceOpen));
            if (isNextItem) {
                diagnostics_.report(diag::Expected, missingPlace(), describe(current_), "`,` or `}`")
                    .insertion(previousEnd_, ",");
                continue;
            }
            if (!at(Tok::End)) failExpected("`,` or `}`");
        }
        if (isPanicking_ && !recoverInList(Tok::BraceClose)) break;
        if (!accept(Tok::Comma) && !accept(Tok::Semicolon)) break;
        endPanic();
    }
    --brackets_;
    expectClose(Tok::BraceClose, open);
    auto* brace = arena_.make<BraceExpr>(rangeFrom(open.begin));
    brace->items = items.finish();
    return brace;
}

BraceItem Parser::parseBraceItem() {
    BraceItem item;
    if (atName() && peek().kind == Tok::Equal) {
        item.kind = BraceItemKind::Named;
        item.name = {current_.symbol, current_.range};
        advance();
        advance();
    } else if (at(Tok::BracketOpen)) {
        item.kind = BraceItemKind::Keyed;
        const Range open = current_.range;
        advance();
        item.key = parseExpr();
        expectClose(Tok::BracketClose, open);
        expect(Tok::Equal);
    }
    item.value = parseExpr();
    return item;
}

}  // namespace luapp::frontend
