// Imports and exports.

#include "frontend/parse/parser_impl.h"

namespace luapp::frontend {

/// `import` ahead, read as the statement: not as a call of a function that this file declares under that name.
bool Parser::isImportStatement() {
    const Symbol name = current_.symbol;
    switch (peek().kind) {
        case Tok::Star: return true;
        case Tok::String: case Tok::BraceOpen: return localKind(name) == LocalKind::None && !isAssignedGlobal(name);
        // `import Name from`, as in other languages: let parseImport() say what is wrong.
        default: return peekIsName() && !isLenient_;
    }
}

bool Parser::isExportStatement() {
    const Symbol name = current_.symbol;
    switch (peek().kind) {
        case Tok::Function: case Tok::Local: return true;
        case Tok::BraceOpen: return localKind(name) == LocalKind::None && !isAssignedGlobal(name);
        case Tok::Class: case Tok::Const: case Tok::Type: case Tok::Interface: case Tok::Enum: return true;
        default: return peekIsName() && !isLenient_;
    }
}

/// `{ a, b as c }`.
List<ImportName> Parser::parseImportNames() {
    const Range brace = current_.range;
    ++brackets_;
    advance();
    ListBuilder names(*this, importNames_);
    while (!at(Tok::BraceClose)) {
        ImportName name;
        name.name = expectName("a name");
        name.local.name = name.name.name;
        name.local.range = name.name.range;
        if (!isPanicking_ && accept(Tok::As)) {
            const Ident other = expectName("a name");
            name.local.name = other.name;
            name.local.range = other.range;
        }
        if (name.name.name) names.add(name);
        if (!isPanicking_ && !at(Tok::Comma) && !at(Tok::BraceClose)) failExpected("`,` or `}`");
        if (isPanicking_ && !recoverInList(Tok::BraceClose)) break;
        if (!accept(Tok::Comma)) break;
        endPanic();
    }
    --brackets_;
    expectClose(Tok::BraceClose, brace);
    return names.finish();
}

void Parser::parsePath(std::string_view& path, Range& range) {
    range = current_.range;
    if (!at(Tok::String)) {
        failExpected("a path in quotes");
        return;
    }
    path = current_.text;
    advance();
}

Stmt* Parser::parseImport() {
    const Range word = current_.range;
    checkTopLevel("an import", word);
    advance();
    auto* import = arena_.make<ImportDecl>(word);
    if (at(Tok::BraceOpen)) {
        import->form = ImportForm::Names;
        import->names = parseImportNames();
    } else if (accept(Tok::Star)) {
        import->form = ImportForm::Namespace;
        if (!accept(Tok::As)) failExpected("`as` and a name");
        const Ident name = expectName("a name");
        import->namespaceName.name = name.name;
        import->namespaceName.range = name.range;
    } else if (!at(Tok::String)) {
        failExpected("`{`, `*` or a path in quotes");
    }
    if (import->form != ImportForm::Effect && !isPanicking_ && !accept(Tok::From)) failExpected("`from`");
    if (!isPanicking_) parsePath(import->path, import->pathRange);
    import->range = rangeFrom(word.begin);
    return import;
}

Stmt* Parser::parseExport() {
    const Range word = current_.range;
    checkTopLevel("an export", word);
    advance();
    Stmt* exported = nullptr;
    switch (current_.kind) {
        case Tok::BraceOpen: return parseExportList(word.begin);
        case Tok::Local: case Tok::Function: exported = parseStatement(); break;
        case Tok::Class: case Tok::Const: case Tok::Type: case Tok::Interface: case Tok::Enum:
            exported = parseContextualStatement();
            break;
        default: break;
    }
    if (!exported) {
        fail(diag::CannotExport, tokenPlace(), describe(current_));
        return errorStmt(word.begin);
    }
    exported->isExported = true;
    exported->range.begin = word.begin;
    if (const auto* function = as<FunctionDecl>(exported); function && !function->name.name && !isPanicking_) {
        diagnostics_.report(diag::CannotExport, function->target->range, "a function of a table");
    }
    return exported;
}

Stmt* Parser::parseExportList(Loc start) {
    auto* exports = arena_.make<ExportFromDecl>(Range{start, start});
    exports->names = parseImportNames();
    if (!isPanicking_ && accept(Tok::From)) {
        exports->hasPath = true;
        parsePath(exports->path, exports->pathRange);
    }
    exports->range = rangeFrom(start);
    return exports;
}

}  // namespace luapp::frontend
