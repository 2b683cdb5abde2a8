// Classes, interfaces, enums and type aliases.

#include "frontend/parse/parser_impl.h"

namespace luapp::frontend {

namespace {

/// Indices of modifiers, in the order in which they are listed here.
enum ModifierIndex : unsigned { kPrivate, kProtected, kStatic, kConst, kImplicit };
constexpr std::string_view kModifierNames[] = {"private", "protected", "static", "const", "implicit"};

int modifierIndex(Tok kind) {
    switch (kind) {
        case Tok::Private: return kPrivate;
        case Tok::Protected: return kProtected;
        case Tok::Static: return kStatic;
        case Tok::Const: return kConst;
        case Tok::Implicit: return kImplicit;
        default: return -1;
    }
}

constexpr unsigned kForAccess = 1u << kPrivate | 1u << kProtected;
constexpr unsigned kForFields = kForAccess | 1u << kStatic | 1u << kConst;
constexpr unsigned kForConstructors = kForAccess | 1u << kImplicit;

}  // namespace

void Parser::checkTopLevel(std::string_view what, Range where) {
    if (blockDepth_ > 0 && !isPanicking_ && !isMisplaced_) diagnostics_.report(diag::NotAtTopLevel, where, what);
}

Stmt* Parser::parseClass() {
    const Range word = current_.range;
    checkTopLevel("a class", word);
    advance();
    auto* decl = arena_.make<ClassDecl>(word);
    decl->name = expectName("a class's name");
    if (!isPanicking_ && at(Tok::Less)) decl->typeParams = parseTypeParams();
    decl->bases = parseBases();
    const bool wasInClass = isInClass_;
    const bool wasMisplaced = isMisplaced_;
    isInClass_ = true;
    isMisplaced_ = blockDepth_ > 0;
    const Range brace = current_.range;
    if (!isPanicking_ && expect(Tok::BraceOpen)) decl->members = parseMembers(brace, "a class", false);
    isInClass_ = wasInClass;
    isMisplaced_ = wasMisplaced;
    decl->range = rangeFrom(word.begin);
    return decl;
}

Stmt* Parser::parseInterface() {
    const Range word = current_.range;
    checkTopLevel("an interface", word);
    advance();
    auto* decl = arena_.make<InterfaceDecl>(word);
    decl->name = expectName("an interface's name");
    if (!isPanicking_ && at(Tok::Less)) decl->typeParams = parseTypeParams();
    decl->bases = parseBases();
    const Range brace = current_.range;
    if (!isPanicking_ && expect(Tok::BraceOpen)) decl->members = parseMembers(brace, "an interface", true);
    decl->range = rangeFrom(word.begin);
    return decl;
}

List<TypeNode*> Parser::parseBases() {
    if (isPanicking_ || !accept(Tok::Colon)) return {};
    ListBuilder bases(*this, types_);
    do {
        bases.add(atName() ? parseNamedType() : parseType());
    } while (!isPanicking_ && accept(Tok::Comma));
    return bases.finish();
}

Stmt* Parser::parseEnum() {
    const Loc start = begin();
    checkTopLevel("an enum", current_.range);
    advance();
    auto* decl = arena_.make<EnumDecl>(Range{start, start});
    decl->name = expectName("an enum's name");
    const Range brace = current_.range;
    if (!isPanicking_ && expect(Tok::BraceOpen)) {
        ++brackets_;
        ListBuilder members(*this, enumMembers_);
        while (!at(Tok::BraceClose) && !at(Tok::End)) {
            const Loc memberStart = begin();
            EnumMember member;
            member.name = expectName("an enum member's name");
            if (!isPanicking_ && accept(Tok::Equal)) member.value = parseExpr();
            if (member.name.name) members.add(member);
            // Members of an enum are plain names: anything else on the way means that the brace is not closed.
            if (isPanicking_ && !recoverInList(Tok::BraceClose)) break;
            if (!nextMember("an enum")) break;
            if (begin() == memberStart) advance();
        }
        --brackets_;
        decl->members = members.finish();
        expectClose(Tok::BraceClose, brace);
    }
    decl->range = rangeFrom(start);
    return decl;
}

Stmt* Parser::parseTypeAlias() {
    const Loc start = begin();
    checkTopLevel("a type alias", current_.range);
    advance();
    auto* decl = arena_.make<TypeAliasDecl>(Range{start, start});
    decl->name = expectName("a type's name");
    if (!isPanicking_ && at(Tok::Less)) decl->typeParams = parseTypeParams();
    // `type Name<T>= ...`: the last `>` may have taken the `=` with it; acceptGreater() cut it off.
    expect(Tok::Equal);
    decl->aliased = isPanicking_ ? errorType() : parseType();
    decl->range = rangeFrom(start);
    return decl;
}

// ---- Members --------------------------------------------------------------------------------------------------------

/// Behind the `{` of a class or interface, which is `brace`.
List<Decl*> Parser::parseMembers(Range brace, std::string_view what, bool isInterface) {
    DepthGuard guard(*this);
    if (guard.isTooDeep()) return {};
    // Members are no statements: a bracket at the start of a line never begins one.
    const int outerBrackets = brackets_;
    brackets_ = 1;
    ListBuilder members(*this, members_);
    while (!at(Tok::BraceClose) && !at(Tok::End)) {
        const Loc start = begin();
        if (Decl* member = parseMember(isInterface)) members.add(member);
        if (!nextMember(what)) break;
        if (begin() == start) advance();
    }
    brackets_ = outerBrackets;
    expectClose(Tok::BraceClose, brace);
    return members.finish();
}

/// Goes to the next member: over a comma, or over what is left of a broken member. False at the closing brace.
bool Parser::nextMember(std::string_view what) {
    if (isPanicking_) recoverMember();
    if (isFatal_) return false;
    endPanic();
    if (accept(Tok::Comma)) return true;
    if (at(Tok::BraceClose) || at(Tok::End)) return false;
    if (at(Tok::Semicolon)) {
        diagnostics_.report(diag::MissingComma, current_.range, what).fixIt(current_.range, ",");
        advance();
        return true;
    }
    if (startsMember()) {
        // Reported where the comma belongs.
        const Range gap{previousEnd_, previousEnd_};
        if (!panicJustEnded_) diagnostics_.report(diag::MissingComma, gap, what).insertion(gap.begin, ",");
        panicJustEnded_ = false;
        return true;
    }
    failExpected("`,` or `}`");
    recoverMember();
    endPanic();
    return accept(Tok::Comma) || startsMember();
}

/// After an error: goes to the next comma, the closing brace, or a line that looks like a member.
void Parser::recoverMember() {
    while (!at(Tok::Comma) && !at(Tok::BraceClose) && !at(Tok::End)) {
        if (current_.newlineBefore && startsMember()) {
            panicJustEnded_ = true;
            return;
        }
        skipOver();
    }
}

bool Parser::startsMember() {
    if (at(Tok::Function)) return true;
    return atName() || at(Tok::Const) || at(Tok::Class) || at(Tok::Continue);
}

/// A modifier and not a member of that name.
bool Parser::atModifier() {
    if (modifierIndex(current_.kind) < 0) return false;
    switch (peek().kind) {
        case Tok::Colon: case Tok::Equal: case Tok::Comma: case Tok::BraceClose: return false;
        default: return true;
    }
}

/// Reads modifiers; `ranges` gets the place of each one that stands there.
Modifiers Parser::parseModifiers(Range (&ranges)[5]) {
    while (atModifier()) {
        const auto index = unsigned(modifierIndex(current_.kind));
        if (ranges[index].isValid()) {
            diagnostics_.report(diag::BadModifier, current_.range, kModifierNames[index], "a member that has it already");
        }
        ranges[index] = current_.range;
        advance();
    }
    if (ranges[kPrivate].isValid() && ranges[kProtected].isValid()) {
        diagnostics_.report(diag::BadModifier, ranges[kProtected], "protected", "a private member");
    }
    Modifiers modifiers;
    modifiers.access = ranges[kPrivate].isValid()     ? Access::Private
                       : ranges[kProtected].isValid() ? Access::Protected
                                                      : Access::Public;
    modifiers.isStatic = ranges[kStatic].isValid();
    modifiers.isConst = ranges[kConst].isValid();
    modifiers.isImplicit = ranges[kImplicit].isValid();
    return modifiers;
}

void Parser::checkModifiers(const Range (&ranges)[5], std::string_view what, unsigned allowed) {
    for (unsigned i = 0; i < 5; ++i) {
        if (ranges[i].isValid() && !(allowed >> i & 1) && !isPanicking_) {
            diagnostics_.report(diag::BadModifier, ranges[i], kModifierNames[i], what);
        }
    }
}

/// One member, up to but without the comma. Null if none could be read.
Decl* Parser::parseMember(bool isInterface) {
    const Loc start = begin();
    Range ranges[5];
    const Modifiers modifiers = parseModifiers(ranges);
    const unsigned forInterface = isInterface ? 0 : ~0u;
    if (at(Tok::Function)) {
        checkModifiers(ranges, isInterface ? "a method of an interface" : "a method", kForFields & forInterface);
        return parseMethod(start, modifiers, isInterface);
    }
    if (at(Tok::Constructor) && (peek().kind == Tok::ParenOpen || peek().kind == Tok::Less)) {
        if (isInterface && !isPanicking_) diagnostics_.report(diag::NotInInterface, current_.range, "a constructor");
        checkModifiers(ranges, "a constructor", kForConstructors);
        return parseConstructor(start, modifiers);
    }
    if (at(Tok::Event) && isNameLike(peek())) {
        if (isInterface && !isPanicking_) diagnostics_.report(diag::NotInInterface, current_.range, "an event");
        checkModifiers(ranges, "an event", kForAccess);
        return parseEvent(start, modifiers);
    }
    if (!atName() && !at(Tok::Class) && !at(Tok::Continue) && !at(Tok::Const)) {
        fail(diag::Expected, tokenPlace(), describe(current_), isInterface ? "a field or a method" : "a member of the class");
        return nullptr;
    }
    checkModifiers(ranges, isInterface ? "a field of an interface" : "a field", kForFields & forInterface);
    return parseField(start, modifiers, isInterface);
}

Decl* Parser::parseMethod(Loc start, Modifiers modifiers, bool isInterface) {
    const Range word = current_.range;
    advance();
    auto* method = arena_.make<MethodDecl>(word);
    method->modifiers = modifiers;
    method->name = expectName("a method's name");
    FunctionTraits traits;
    traits.isMember = true;
    traits.hasSelf = !modifiers.isStatic;
    traits.isSignatureOnly = isInterface;
    method->body = parseFunctionBody(traits, word);
    if (isInterface && !isPanicking_) failMethodBody(*method->body);
    method->range = rangeFrom(start);
    return method;
}

/// Reads over the body that a method of an interface must not have.
void Parser::failMethodBody(FunctionBody& body) {
    const bool hasArrow = at(Tok::Arrow);
    const bool hasBlock = at(Tok::EndKw) || at(Tok::Return) || at(Tok::Local) || at(Tok::If) || at(Tok::While) ||
                          at(Tok::For) || at(Tok::Repeat) || at(Tok::Do);
    if (!hasArrow && !hasBlock) return;
    diagnostics_.report(diag::NotInInterface, current_.range, "a method with a body");
    FunctionState state;
    state.outer = function_;
    state.body = &body;
    state.isInBrackets = true;
    function_ = &state;
    if (hasArrow) {
        parseArrowBody(body, false);
    } else {
        const int outerBrackets = brackets_;
        brackets_ = 0;
        body.body = parseBlock({current_.range, Tok::EndKw});
        brackets_ = outerBrackets;
        accept(Tok::EndKw);
    }
    function_ = state.outer;
}

Decl* Parser::parseConstructor(Loc start, Modifiers modifiers) {
    auto* constructor = arena_.make<ConstructorDecl>(current_.range);
    constructor->modifiers = modifiers;
    constructor->keyword = current_.range;
    advance();
    FunctionTraits traits;
    traits.isMember = true;
    traits.isConstructor = true;
    traits.hasSelf = true;
    constructor->body = parseFunctionBody(traits, constructor->keyword);
    constructor->range = rangeFrom(start);
    return constructor;
}

Decl* Parser::parseEvent(Loc start, Modifiers modifiers) {
    advance();
    auto* event = arena_.make<EventDecl>(Range{start, start});
    event->modifiers = modifiers;
    event->name = expectName("an event's name");
    expect(Tok::Colon);
    event->type = isPanicking_ ? arena_.make<FunctionType>(Range{begin(), begin()}) : parseEventType();
    event->range = rangeFrom(start);
    return event;
}

Decl* Parser::parseField(Loc start, Modifiers modifiers, bool isInterface) {
    auto* field = arena_.make<FieldDecl>(current_.range);
    field->modifiers = modifiers;
    field->name = expectName("a member's name");
    if (!isPanicking_ && accept(Tok::Colon)) field->type = parseType();
    if (!isPanicking_ && at(Tok::Equal)) {
        if (isInterface) diagnostics_.report(diag::NotInInterface, current_.range, "an initial value");
        advance();
        field->value = parseExpr();
    }
    if (!field->type && !field->value) {
        if (!isPanicking_) {
            fail(diag::FieldWithoutType, field->name.range, textOf(field->name.range));
            if (at(Tok::Comma) || at(Tok::BraceClose)) endPanic();
        }
        field->type = errorType();
    }
    field->range = rangeFrom(start);
    return field;
}

}  // namespace luapp::frontend
