#pragma once
// The parser's private machinery: token cursor, error state, the light scope, and one member per grammar rule.
//
// Rules of this class:
// 1. A rule is entered with its first token in `current_` and left with the first token behind it.
// 2. Every rule returns a node; after an error an error node, or what could be read.
// 3. An error that leaves the text unclear calls fail(): it reports once and sets `isPanicking_`, during which further
//    errors are silent. Lists, brackets, blocks and statements resume at their own landmarks (recovery.cpp) and end
//    the panic. An error whose intention is clear calls diagnostics_.report() and goes on without panic.
// 4. Every loop either consumes a token per round or ends.
// 5. Recursion passes a DepthGuard.
// 6. Lookahead beyond peek() is done by Scanner (scan.cpp), which makes no nodes and reports nothing.

#include <span>
#include <string>
#include <vector>

#include "frontend/lex/lexer.h"
#include "frontend/parse/parser.h"

namespace luapp::frontend {

/// Finds out things about the tokens ahead without consuming them; the lexer is muted while it lives.
class Scanner {
  public:
    /// Starts at the first token behind `from.previousEnd`; the lexer must be restored to `from` by the caller.
    Scanner(Lexer& lexer, const Lexer::State& from);
    ~Scanner();

    /// `<types>` and then `(`, the token ahead being `<`.
    bool isTypeArguments();
    /// The next line begins with an assignment or a `++`/`---` statement.
    bool isAssignmentAhead();

    Token token;
    void advance() { lexer_.next(token); }

  private:
    bool skipType(int depth);
    bool skipPrimaryType(int depth);
    bool skipTypeArguments(int depth);
    bool skipParenType(int depth);
    bool skipRecordType(int depth);
    bool acceptGreater();
    bool skipBalanced();
    bool isNameLike() const;

    Lexer& lexer_;
    Lexer::State resume_;
};

/// Reads all tokens of a lenient file for what it declares anywhere: `import` and `export` where they are assigned as
/// globals, and the names of generic functions and classes.
void collectLenientNames(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics,
                         std::vector<Symbol>& assigned, std::vector<Symbol>& generic);

class Parser {
  public:
    Parser(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics);

    Module* parseModule();
    TypeNode* parseSignatureText();

    /// Set before parseModule(): blocks also end where the indentation says so. Used for a second reading of a file
    /// that misses an `end`, to say where.
    void trustIndentation() { trustsIndentation_ = true; }
    /// A block was still open at the end of the file.
    bool hasUnclosedBlock() const { return hasUnclosedBlock_; }

  private:
    // ---- Cursor (parser.cpp)
    void advance();
    const Token& peek();
    bool at(Tok kind) const { return current_.kind == kind; }
    bool accept(Tok kind);
    bool isNameLike(const Token& token) const;
    bool atName() const { return isNameLike(current_); }
    /// A name on the same line as the token before.
    bool peekIsName() { return isNameLike(peek()) && !next_.newlineBefore; }
    /// Cuts the first character off the current token (`>>` becomes `>` and `>`).
    void splitCurrent(Tok first);
    Scanner scan();
    Range rangeFrom(Loc begin) const { return {begin, std::max(previousEnd_, begin)}; }
    Loc begin() const { return current_.range.begin; }
    /// The place of the current token for a message; of the text behind a hole only its `}`.
    Range tokenPlace() const {
        const bool endsHole = at(Tok::InterpMiddle) || at(Tok::InterpEnd);
        return endsHole ? Range{begin(), begin() + 1} : current_.range;
    }
    /// Where something is missing: at the current token, or behind the token before if a line ended there. Lenient files
    /// report at the token, as Lua 5.1 does.
    Range missingPlace() const {
        const bool isAcrossLines = current_.newlineBefore && previousEnd_ > file_.begin() && !isLenient_;
        return isAcrossLines ? Range{previousEnd_, previousEnd_} : tokenPlace();
    }
    std::string describe(const Token& token) const;
    std::string_view textOf(Range range) const { return file_.textOf(range); }

    // ---- Errors (parser.cpp, recovery.cpp)
    template <class... A>
    void fail(const diag::Def<A...>& def, Range where, std::type_identity_t<A>... args) {
        if (!isPanicking_ && !isFatal_ && !at(Tok::Error)) addHints(diagnostics_.report(def, where, args...));
        isPanicking_ = true;
    }
    void failExpected(std::string_view expected);
    void addHints(DiagBuilder builder);
    bool expect(Tok kind);
    Ident expectName(std::string_view use);
    void expectClose(Tok closer, Range opener);
    void expectBlockWord(Tok word);
    void failTooDeep();
    void endPanic() { isPanicking_ = isFatal_; }
    void recoverStatement();
    bool recoverInList(Tok closer);
    void skipOver();
    bool skipFunctionHead();
    bool startsStatementLine() const;
    bool isBlockEnd(Tok kind) const {
        return kind == Tok::EndKw || kind == Tok::Else || kind == Tok::Elseif || kind == Tok::Until || kind == Tok::End;
    }

    /// Counts nesting; `if (!guard) return error node`.
    class DepthGuard {
      public:
        explicit DepthGuard(Parser& parser) : parser_(parser) { ++parser.depth_; }
        ~DepthGuard() { --parser_.depth_; }
        DepthGuard(const DepthGuard&) = delete;
        DepthGuard& operator=(const DepthGuard&) = delete;
        bool isTooDeep() {
            if (parser_.depth_ <= kMaxNesting) [[likely]] return false;
            parser_.failTooDeep();
            return true;
        }

      private:
        Parser& parser_;
    };

    /// A list under construction, on top of a stack shared by all lists of its type.
    template <class T>
    class ListBuilder {
      public:
        ListBuilder(Parser& parser, std::vector<T>& stack) : parser_(parser), stack_(stack), base_(stack.size()) {}
        ~ListBuilder() { stack_.resize(base_); }
        ListBuilder(const ListBuilder&) = delete;
        ListBuilder& operator=(const ListBuilder&) = delete;
        void add(const T& item) { stack_.push_back(item); }
        size_t size() const { return stack_.size() - base_; }
        T& operator[](size_t i) { return stack_[base_ + i]; }
        List<T> finish() {
            return parser_.arena_.makeList(std::span<const T>(stack_.data() + base_, stack_.size() - base_));
        }

      private:
        Parser& parser_;
        std::vector<T>& stack_;
        size_t base_;
    };

    // ---- Light scope (scope.cpp): which names are locals, and which of them generic
    enum class LocalKind : uint8_t { None, Plain, Generic };
    struct Undo {
        Symbol name;
        LocalKind before;
    };
    void declare(Symbol name, LocalKind kind = LocalKind::Plain);
    LocalKind localKind(Symbol name) const {
        return name.id < locals_.size() ? locals_[name.id] : LocalKind::None;
    }
    size_t openScope() const { return undo_.size(); }
    void closeScope(size_t mark);
    bool isAssignedGlobal(Symbol name);
    bool isKnownGeneric(Symbol name);

    // ---- Expressions (parse_expr.cpp)
    Expr* parseExpr();
    Expr* parseCondition();
    Expr* parseBinary(int limit);
    Expr* parseBinaryRest(Expr* left, int limit);
    Expr* parseConcatRest(Expr* first);
    Expr* parseTypeTest(Expr* operand);
    Expr* parseUnary();
    Expr* parseUnaryOperator(UnaryOp op);
    Expr* parsePrefixIncDec();
    Expr* parseSimple();
    Expr* parseSuffixed();
    Expr* parsePrimary();
    Expr* parseSuffixes(Expr* expr, bool allowsCalls);
    Expr* parseField(Expr* object, bool isOptional);
    Expr* parseIndex(Expr* object, bool isOptional);
    Expr* parseColonCall(Expr* object);
    Expr* parseCall(Expr* callee, List<TypeNode*> typeArgs, bool isColon);
    Expr* parseCast(Expr* operand);
    Expr* wrapChain(Expr* expr);
    bool isInfixWord();
    bool startsTypeArguments(const Expr* callee);
    Expr* parseParen();
    Expr* parseName();
    Expr* parseInterp();
    Expr* parseBrace();
    BraceItem parseBraceItem();
    Expr* parseFunctionExpr();
    Expr* parseNumber();
    Expr* parseStringValue();
    Expr* makeIncDec(Expr* target, bool isIncrement, bool isPrefix, Loc begin);
    Expr* makeBinary(BinaryOp op, Range opRange, Expr* left, Expr* right);
    Expr* checkTarget(Expr* target);
    List<Expr*> parseExprList();
    Expr* errorExpr();
    void warnAboutCast(const Expr* right, std::string_view op);

    // ---- Types (parse_type.cpp)
    enum TypeFlags : unsigned {
        kNoFlags = 0,
        kSingle = 1,          ///< after `as`/`is`: no `|`, and `??` is not split
        kAllowTuple = 2,      ///< `(A, B)` and `...T` are results
        kArrowFollows = 4,    ///< `->` begins an arrow body
        kAllowNoResult = 8,   ///< an event's type
        kSignature = 16,      ///< parameters may be optional: `name?: T`
    };
    TypeNode* parseType(unsigned flags = kNoFlags);
    TypeNode* parsePostfixType(unsigned flags);
    TypeNode* parsePrimaryType(unsigned flags);
    TypeNode* parseNamedType();
    TypeNode* parseParenType(unsigned flags);
    TypeNodeParam parseTypeParamEntry(unsigned flags);
    TypeNode* parseRecordType();
    TypeNode* parseVariadic();
    List<TypeNode*> parseTypeArguments();
    List<TypeParam> parseTypeParams();
    ResultTypes parseResultTypes(unsigned flags);
    FunctionType* parseEventType();
    bool acceptGreater();
    TypeNode* errorType();

    // ---- Functions and statements (parse_stmt.cpp)
    /// What the parser knows about the function it is in.
    struct FunctionState {
        FunctionState* outer = nullptr;
        FunctionBody* body = nullptr;
        int loops = 0;
        bool isInBrackets = false;  ///< it, or a function around it, stands in a class or an open bracket
        bool givesNothing = false;  ///< declared without results, so `return` takes nothing from the next line
    };
    struct FunctionTraits {
        bool isNamed = true;
        bool isConstructor = false;
        bool isMember = false;         ///< of a class
        bool isSignatureOnly = false;  ///< of an interface
        bool hasSelf = false;
    };
    FunctionBody* parseFunctionBody(FunctionTraits traits, Range opener);
    void parseParams(FunctionBody& body, bool mayHaveDefaults);
    void parseArrowBody(FunctionBody& body, bool isDeclaration);
    List<Expr*> parseArrowValues(bool isDeclaration);
    /// The opener of a block: for messages, and for the second reading by indentation.
    struct BlockOpener {
        Range word;
        Tok closer = Tok::EndKw;
    };
    Block parseBlock(BlockOpener opener);
    bool closeBlock(Tok closer, Range opener, Range elseIf = {});
    bool isDedented(Range opener);
    uint32_t indentationOf(Loc loc) const;
    Stmt* parseStatement();
    Stmt* parseStatementGuarded();
    Stmt* parseContextualStatement();
    Stmt* parseLocalDeclaration(Loc begin);
    Stmt* parseLocal(Loc begin);
    Stmt* parseLocalFunction(Loc begin, bool isConst);
    Stmt* parseConst(Loc begin);
    List<NameDecl> parseNameList(bool isLoop);
    NameDecl parseNameDecl(std::string_view use);
    Stmt* parseFunctionStmt();
    Stmt* parseNamedFunction(Range word);
    void skipLocalAttribute();
    Ident takeLabel();
    Stmt* parseIf();
    Stmt* parseWhile();
    Stmt* parseRepeat();
    Stmt* parseFor();
    Stmt* parseDo();
    Stmt* parseReturn();
    bool returnHasValues();
    bool isAssignmentAhead();
    Stmt* parseJump();
    Stmt* parseGoto();
    Stmt* parseLabel();
    Stmt* parseExprStatement();
    Stmt* parseAssignment(Expr* first);
    Stmt* parseCompound(Expr* target, BinaryOp op);
    Stmt* failStatement(Expr* expr);
    Stmt* errorStmt(Loc begin);
    bool isStatementExpr(const Expr* expr) const;

    // ---- Classes, interfaces, enums, aliases (parse_class.cpp)
    Stmt* parseClass();
    Stmt* parseInterface();
    Stmt* parseEnum();
    Stmt* parseTypeAlias();
    List<TypeNode*> parseBases();
    List<Decl*> parseMembers(Range brace, std::string_view what, bool isInterface);
    Decl* parseMember(bool isInterface);
    Modifiers parseModifiers(Range (&ranges)[5]);
    Decl* parseMethod(Loc begin, Modifiers modifiers, bool isInterface);
    Decl* parseConstructor(Loc begin, Modifiers modifiers);
    Decl* parseEvent(Loc begin, Modifiers modifiers);
    Decl* parseField(Loc begin, Modifiers modifiers, bool isInterface);
    void checkModifiers(const Range (&ranges)[5], std::string_view what, unsigned allowed);
    bool atModifier();
    bool startsMember();
    bool nextMember(std::string_view what);
    void recoverMember();
    void failMethodBody(FunctionBody& body);
    void checkTopLevel(std::string_view what, Range where);

    // ---- Imports and exports (parse_module.cpp)
    Stmt* parseImport();
    Stmt* parseExport();
    Stmt* parseExportList(Loc begin);
    List<ImportName> parseImportNames();
    bool isImportStatement();
    bool isExportStatement();
    void parsePath(std::string_view& path, Range& range);

    // ---- State
    const SourceFile& file_;
    Arena& arena_;
    Interner& interner_;
    Diagnostics& diagnostics_;
    Lexer lexer_;
    Token current_;
    Token next_;
    bool hasNext_ = false;
    Lexer::State beforeNext_;
    Loc previousEnd_;
    bool isLenient_ = false;

    bool isPanicking_ = false;
    bool isFatal_ = false;
    bool panicJustEnded_ = false;  // recoverMember() stopped at a member, so a comma before it is not missed
    bool sawDecrement_ = false;  // since the start of the current line
    bool trustsIndentation_ = false;
    bool hasUnclosedBlock_ = false;
    int depth_ = 0;
    int blockDepth_ = 0;
    int brackets_ = 0;  // open (, [, { within the current function: no statement can begin inside
    bool isInClass_ = false;
    bool isMisplaced_ = false;  // in a class inside a block, which has been reported
    FunctionState* function_ = nullptr;
    bool hasLenientNames_ = false;
    std::vector<Symbol> assignedGlobals_;
    std::vector<Symbol> knownGenerics_;

    std::vector<LocalKind> locals_;  // by symbol id
    std::vector<Undo> undo_;

    Symbol selfName_;
    Symbol voidName_;
    Symbol argName_;

    std::vector<Stmt*> statements_;
    std::vector<Expr*> exprs_;
    std::vector<TypeNode*> types_;
    std::vector<NameDecl> names_;
    std::vector<Param> params_;
    std::vector<TypeParam> typeParams_;
    std::vector<BraceItem> items_;
    std::vector<IfClause> clauses_;
    std::vector<Decl*> members_;
    std::vector<EnumMember> enumMembers_;
    std::vector<ImportName> importNames_;
    std::vector<TypeNodeParam> typeNodeParams_;
    std::vector<CallExpr*> requireCalls_;  // of the whole file
    std::vector<RecordTypeField> recordFields_;
    std::vector<std::string_view> texts_;
};

}  // namespace luapp::frontend
