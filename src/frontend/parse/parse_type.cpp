// Types, type parameters and arguments, and result types.

#include "frontend/parse/parser_impl.h"

namespace luapp::frontend {

TypeNode* Parser::errorType() { return arena_.make<ErrorTypeNode>(Range{begin(), begin()}); }

TypeNode* Parser::parseType(unsigned flags) {
    DepthGuard guard(*this);
    if (guard.isTooDeep()) return errorType();
    const Loc start = begin();
    TypeNode* first = parsePostfixType(flags);
    if (!at(Tok::Pipe) || (flags & kSingle) || isPanicking_) return first;
    ListBuilder members(*this, types_);
    members.add(first);
    while (!isPanicking_ && accept(Tok::Pipe)) members.add(parsePostfixType(flags & ~unsigned(kAllowTuple)));
    auto* result = arena_.make<UnionType>(rangeFrom(start));
    result->members = members.finish();
    return result;
}

/// A type with its `?` and `[]` behind it. Tokens like `??` and `?[` are cut where they join two of those.
TypeNode* Parser::parsePostfixType(unsigned flags) {
    const Loc start = begin();
    TypeNode* type = parsePrimaryType(flags);
    for (int links = 0; !isPanicking_; ++links) {
        if (links + depth_ > kMaxNesting) {
            failTooDeep();
            break;
        }
        const bool isCut = at(Tok::QuestionBracket) || at(Tok::QuestionDot) || (at(Tok::Coalesce) && !(flags & kSingle));
        if (isCut) splitCurrent(Tok::Question);
        if (at(Tok::CoalesceEqual)) splitCurrent(Tok::Question);
        if (at(Tok::Question)) {
            advance();
            auto* optional = arena_.make<OptionalType>(rangeFrom(start));
            optional->inner = type;
            type = optional;
        } else if (at(Tok::BracketOpen) && !current_.newlineBefore && peek().kind == Tok::BracketClose) {
            advance();
            advance();
            auto* array = arena_.make<ArrayType>(rangeFrom(start));
            array->element = type;
            type = array;
        } else {
            break;
        }
    }
    return type;
}

TypeNode* Parser::parsePrimaryType(unsigned flags) {
    if (atName()) return parseNamedType();
    const Range range = current_.range;
    switch (current_.kind) {
        case Tok::Nil:
            advance();
            return arena_.make<NilType>(range);
        case Tok::ParenOpen: return parseParenType(flags);
        case Tok::BraceOpen: return parseRecordType();
        case Tok::Ellipsis:
            if (flags & kAllowTuple) return parseVariadic();
            break;
        case Tok::Error:
            advance();
            isPanicking_ = true;
            return arena_.make<ErrorTypeNode>(range);
        case Tok::Function:
            // A frequent slip: the type of all functions is spelled with a capital.
            if (!isPanicking_) {
                diagnostics_.report(diag::ExpectedType, range, describe(current_)).didYouMean(range, "Function");
            }
            advance();
            return arena_.make<ErrorTypeNode>(range);
        default: break;
    }
    fail(diag::ExpectedType, missingPlace(), describe(current_));
    return errorType();
}

TypeNode* Parser::parseNamedType() {
    auto* named = arena_.make<NamedType>(current_.range);
    named->name = expectName("a type's name");
    if (at(Tok::Dot)) {
        advance();
        named->module = named->name;
        named->name = expectName("a type's name");
    }
    if (at(Tok::Less) && !isPanicking_) named->args = parseTypeArguments();
    named->range = rangeFrom(named->range.begin);
    return named;
}

/// `...T`, or `...` alone for `...any`.
TypeNode* Parser::parseVariadic() {
    const Loc start = begin();
    advance();
    auto* variadic = arena_.make<VariadicType>(rangeFrom(start));
    const bool startsType = atName() || at(Tok::Nil) || at(Tok::ParenOpen) || at(Tok::BraceOpen);
    if (startsType && !current_.newlineBefore) variadic->element = parseType(kNoFlags);
    variadic->range = rangeFrom(start);
    return variadic;
}

/// `<A, B>`; the `>` may be the first character of a longer token.
List<TypeNode*> Parser::parseTypeArguments() {
    const Range open = current_.range;
    ListBuilder args(*this, types_);
    ++brackets_;
    do {
        advance();
        args.add(parseType());
    } while (at(Tok::Comma) && !isPanicking_);
    --brackets_;
    if (!acceptGreater() && !isPanicking_) expectClose(Tok::Greater, open);
    return args.finish();
}

bool Parser::acceptGreater() {
    if (at(Tok::ShiftRight) || at(Tok::GreaterEqual)) splitCurrent(Tok::Greater);
    return accept(Tok::Greater);
}

/// `<T, U: Bound1 & Bound2>`.
List<TypeParam> Parser::parseTypeParams() {
    const Range open = current_.range;
    ListBuilder params(*this, typeParams_);
    do {
        advance();
        TypeParam param;
        const Ident name = expectName("a type parameter's name");
        param.name = name.name;
        param.range = name.range;
        if (accept(Tok::Colon)) {
            ListBuilder bounds(*this, types_);
            do {
                bounds.add(parsePostfixType(kNoFlags));
            } while (!isPanicking_ && accept(Tok::Amp));
            param.bounds = bounds.finish();
        }
        params.add(param);
    } while (at(Tok::Comma) && !isPanicking_);
    if (!acceptGreater() && !isPanicking_) expectClose(Tok::Greater, open);
    return params.finish();
}

/// Behind `(`: a grouped type, a function type, or (as results only) several types.
TypeNode* Parser::parseParenType(unsigned flags) {
    const Range open = current_.range;
    ++brackets_;
    advance();
    ListBuilder params(*this, typeNodeParams_);
    VariadicType* variadic = nullptr;
    bool hasNames = false;
    while (!at(Tok::ParenClose) && !isPanicking_) {
        if (at(Tok::Ellipsis)) {
            variadic = static_cast<VariadicType*>(parseVariadic());
        } else {
            params.add(parseTypeParamEntry(flags));
            hasNames |= params[params.size() - 1].name.name.isValid();
        }
        if (!at(Tok::Comma)) break;
        if (variadic && !isPanicking_) diagnostics_.report(diag::DefaultAfterVararg, variadic->range);
        advance();
    }
    --brackets_;
    expectClose(Tok::ParenClose, open);

    const bool isArrowSlip = at(Tok::Arrow) && !(flags & kArrowFollows) && !isPanicking_;
    if (isArrowSlip) {
        diagnostics_.report(diag::Expected, current_.range, "`->`", "`:` before a function type's result")
            .fixIt(current_.range, ":");
    }
    const bool hasResult = (at(Tok::Colon) || isArrowSlip) && !isPanicking_;
    const bool isEvent = (flags & kAllowNoResult) != 0;
    if (!hasResult && !isEvent && !hasNames) {
        if (params.size() == 1 && !variadic) return params[0].type;
        const bool isEmpty = params.size() == 0 && !variadic;
        if (!isEmpty) {
            if (!(flags & kAllowTuple) && !isPanicking_) diagnostics_.report(diag::TupleType, rangeFrom(open.begin));
            auto* tuple = arena_.make<TupleType>(rangeFrom(open.begin));
            ListBuilder types(*this, types_);
            for (size_t i = 0; i < params.size(); ++i) types.add(params[i].type);
            if (variadic) types.add(variadic);
            tuple->types = types.finish();
            return tuple;
        }
    }
    auto* function = arena_.make<FunctionType>(rangeFrom(open.begin));
    function->params = params.finish();
    function->variadic = variadic;
    if (hasResult) {
        advance();
        function->results = parseResultTypes(flags & kArrowFollows);
    } else if (!isEvent && !isPanicking_) {
        diagnostics_.report(diag::MissingResult, function->range).insertion(function->range.end, ": void");
    }
    function->range = rangeFrom(open.begin);
    return function;
}

TypeNodeParam Parser::parseTypeParamEntry(unsigned flags) {
    TypeNodeParam param;
    const bool isEvent = (flags & kAllowNoResult) != 0;
    const bool isSignature = (flags & kSignature) != 0;
    if (atName()) {
        const Tok next = peek().kind;
        const bool isNamed = next == Tok::Colon || (isSignature && next == Tok::Question);
        const bool isBareName = isEvent && (next == Tok::Comma || next == Tok::ParenClose);
        if (isNamed || isBareName) {
            param.name = expectName("a parameter's name");
            if (isBareName) return param;
            if (accept(Tok::Question)) {
                param.isOptional = true;
                if (!at(Tok::Colon)) {  // it was a type `T?` without a name
                    auto* named = arena_.make<NamedType>(param.name.range);
                    named->name = param.name;
                    auto* optional = arena_.make<OptionalType>(rangeFrom(param.name.range.begin));
                    optional->inner = named;
                    return {{}, optional, false};
                }
            }
            expect(Tok::Colon);
        }
    }
    param.type = parseType(flags & kSignature);
    return param;
}

TypeNode* Parser::parseRecordType() {
    const Range open = current_.range;
    ++brackets_;
    advance();
    ListBuilder fields(*this, recordFields_);
    while (!at(Tok::BraceClose)) {
        RecordTypeField field;
        field.name = expectName("a field's name");
        field.isOptional = accept(Tok::Question);
        expect(Tok::Colon);
        field.type = parseType();
        fields.add(field);
        if (!isPanicking_ && !at(Tok::Comma) && !at(Tok::Semicolon) && !at(Tok::BraceClose) && !at(Tok::End)) {
            failExpected("`,` or `}`");
        }
        if (isPanicking_ && !recoverInList(Tok::BraceClose)) break;
        if (!accept(Tok::Comma) && !accept(Tok::Semicolon)) break;
        endPanic();
    }
    --brackets_;
    expectClose(Tok::BraceClose, open);
    auto* record = arena_.make<RecordType>(rangeFrom(open.begin));
    record->members = fields.finish();
    return record;
}

/// What follows the `:` of a function: `void`, one type, several in parentheses, or `...T`.
ResultTypes Parser::parseResultTypes(unsigned flags) {
    ResultTypes results;
    results.isWritten = true;
    const Loc start = begin();
    if (atName() && current_.symbol == voidName_ && peek().kind != Tok::Dot) {
        results.isVoid = true;
        advance();
        results.range = rangeFrom(start);
        return results;
    }
    // Only a list of types is a tuple of results; `(A, B)?` and the like are errors found by the tuple's place.
    TypeNode* type = parseType(kAllowTuple | (flags & kArrowFollows));
    if (auto* tuple = as<TupleType>(type)) {
        results.types = tuple->types;
    } else {
        ListBuilder one(*this, types_);
        one.add(type);
        results.types = one.finish();
    }
    results.range = rangeFrom(start);
    return results;
}

FunctionType* Parser::parseEventType() {
    if (!at(Tok::ParenOpen)) {
        failExpected("`(` and the parameters of the event");
        return arena_.make<FunctionType>(Range{begin(), begin()});
    }
    TypeNode* type = parsePrimaryType(kAllowNoResult);
    if (auto* function = as<FunctionType>(type)) return function;
    return arena_.make<FunctionType>(type->range);
}

}  // namespace luapp::frontend
