// What goldens cannot show well: positions in the tree, limits, recovery in numbers, renderers.
#include <doctest/doctest.h>

#include <string>

#include "frontend/ast/ast_dump.h"
#include "frontend/ast/ast_visit.h"
#include "frontend/diag/render.h"
#include "frontend/parse/parser.h"

using namespace luapp::frontend;

namespace {

struct Parsed {
    explicit Parsed(std::string_view text, std::string name = "test.luapp") : diagnostics(sources) {
        file = sources.addFile(std::move(name), text);
        module = parse(*file, arena, interner, diagnostics);
        diagnostics.finish();
    }
    std::string_view textOf(const Node* node) const { return file->textOf(node->range); }
    Stmt* statement(size_t i) const { return module->main->body.statements[i]; }

    Arena arena;
    Interner interner;
    SourceManager sources;
    Diagnostics diagnostics;
    const SourceFile* file;
    Module* module;
};

std::string repeat(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

}  // namespace

TEST_CASE("ranges cover exactly the text of a node") {
    const Parsed parsed("local x: Array<number> = f(a, b).c[1] + 2 -- note\nfunction g(a) return a end");
    const auto* local = as<LocalStmt>(parsed.statement(0));
    REQUIRE(local);
    CHECK_EQ(parsed.textOf(local), "local x: Array<number> = f(a, b).c[1] + 2");
    CHECK_EQ(parsed.textOf(local->names[0].type), "Array<number>");
    const auto* sum = as<BinaryExpr>(local->values[0]);
    REQUIRE(sum);
    CHECK_EQ(parsed.textOf(sum->left), "f(a, b).c[1]");
    CHECK_EQ(parsed.file->textOf(sum->opRange), "+");
    const auto* function = as<FunctionDecl>(parsed.statement(1));
    REQUIRE(function);
    CHECK_EQ(parsed.textOf(function), "function g(a) return a end");
    CHECK_EQ(parsed.file->textOf(function->body->endRange), "end");
}

TEST_CASE("a left chain of 20,000 operands is flat to leftSpine()") {
    const Parsed parsed("local x = a" + repeat(" + b", 20000));
    REQUIRE_FALSE(parsed.module->hasErrors);
    auto* top = as<BinaryExpr>(as<LocalStmt>(parsed.statement(0))->values[0]);
    REQUIRE(top);
    std::vector<BinaryExpr*> spine;
    const Expr* first = leftSpine(*top, spine);
    CHECK_EQ(spine.size(), 20000);
    CHECK(is<NameExpr>(first));
    CHECK_FALSE(dumpAst(*parsed.module, parsed.interner).empty());
    CHECK_FALSE(dumpAstDot(*parsed.module, parsed.interner).empty());
}

TEST_CASE("too deep nesting gives one diagnostic") {
    const int depth = 10000;
    for (const std::string& text :
         {"x = " + repeat("(", depth) + "1" + repeat(")", depth), repeat("do ", depth) + repeat("end ", depth),
          "f" + repeat("(f", depth) + repeat(")", depth), "local x: " + repeat("A<", depth) + "B" + repeat(">", depth),
          "x = " + repeat("{", depth) + repeat("}", depth), "x = " + repeat("not ", depth) + "x",
          "x = " + repeat("2^", depth) + "2", repeat("if a then ", depth) + repeat("end ", depth),
          "x = " + repeat("function() return ", depth) + repeat("end ", depth), "x = a" + repeat(".b", depth),
          "x = a" + repeat(" as T", depth), "local x: T" + repeat("?", depth)}) {
        const Parsed parsed(text);
        CHECK_EQ(parsed.diagnostics.list().size(), 1);
        CHECK_EQ(parsed.diagnostics.list()[0].code(), "E1111");
    }
}

TEST_CASE("nesting just below the limit is accepted") {
    CHECK_FALSE(Parsed("local x = " + repeat("(", kMaxNesting - 10) + "1" + repeat(")", kMaxNesting - 10)).module->hasErrors);
}

TEST_CASE("lenient by name") {
    CHECK(Parsed("x = 1", "a.lua").module->isLenient);
    CHECK_FALSE(Parsed("x = 1", "a.luapp").module->isLenient);
}

TEST_CASE("signatures of library functions") {
    SourceManager sources;
    Arena arena;
    Interner interner;
    Diagnostics diagnostics(sources);
    const SourceFile* file = sources.addFile("builtin", "<T, U: Hashable>(xs: Array<T>, f: (T): U, from?: integer, ...any): (Array<U>, ...any)");
    const auto* type = as<FunctionType>(parseSignature(*file, arena, interner, diagnostics));
    REQUIRE(type);
    CHECK_FALSE(diagnostics.hasErrors());
    CHECK_EQ(type->typeParams.size(), 2);
    CHECK_EQ(type->params.size(), 3);
    CHECK(type->params[2].isOptional);
    CHECK(type->variadic);
    CHECK_EQ(type->results.types.size(), 2);
}

TEST_CASE("the same message at the same place is kept once") {
    SourceManager sources;
    Diagnostics diagnostics(sources, 3);
    const SourceFile* file = sources.addFile("a.luapp", "abcdef");
    const auto at = [&](uint32_t i) { return Range{file->begin() + i, file->begin() + (i + 1)}; };
    diagnostics.report(diag::OutsideLoop, at(4), "break");
    diagnostics.report(diag::OutsideLoop, at(4), "break");
    diagnostics.report(diag::NotAStatement, at(1));
    CHECK_EQ(diagnostics.errorCount(), 2);
    const Diagnostics::Mark mark = diagnostics.mark();
    diagnostics.report(diag::NotAStatement, at(2));
    diagnostics.report(diag::NotAStatement, at(3));
    CHECK_EQ(diagnostics.droppedErrors(), 1);
    diagnostics.rollBack(mark);
    CHECK_EQ(diagnostics.errorCount(), 2);
    CHECK_EQ(diagnostics.droppedErrors(), 0);
    diagnostics.finish();
    CHECK_EQ(diagnostics.list()[0].code(), "E1106");
}

TEST_CASE("text rendering: excerpt, caret range, fix-it") {
    const Parsed parsed("\tif a != b then end\n");
    CHECK_EQ(renderDiagnostics(parsed.diagnostics, {}),
             "test.luapp:1:7: error[E1109]: `!=` is not an operator of Lua++, expected `~=`\n"
             "    1 |     if a != b then end\n"
             "      |          ^~\n"
             "  = fix: replace `!=` by `~=`\n");
    CHECK_EQ(diagnosticSummary(parsed.diagnostics), "1 error");
}

TEST_CASE("text rendering: wide characters, colours, long lines") {
    const Parsed wide("local s = '\xE4\xB8\xAD\xE6\x96\x87' != 1");
    CHECK_NE(renderDiagnostics(wide.diagnostics, {}).find("test.luapp:1:16:"), std::string::npos);
    CHECK_NE(renderDiagnostics(wide.diagnostics, {}).find("      |                  ^~\n"), std::string::npos);
    CHECK_NE(renderDiagnostics(wide.diagnostics, {DiagFormat::Text, true}).find("\x1b[1;31merror[E1109]"), std::string::npos);
    const Parsed longLine("local s = '" + std::string(100000, 'a') + "' != '" + std::string(100000, 'b') + "'");
    const std::string text = renderDiagnostics(longLine.diagnostics, {});
    CHECK_LT(text.size(), 500);
    CHECK_NE(text.find("aaa' != 'bbb"), std::string::npos);
}

TEST_CASE("machine formats escape what they must") {
    const Parsed parsed("x = \"\\q%\" != \xFF\n", "dir name/a,b.luapp");
    const std::string json = renderDiagnostics(parsed.diagnostics, {DiagFormat::Json});
    CHECK_NE(json.find("unknown escape `\\\\q`"), std::string::npos);
    const std::string sarif = renderDiagnostics(parsed.diagnostics, {DiagFormat::Sarif});
    CHECK_NE(sarif.find("\"uri\": \"dir%20name/a%2Cb.luapp\""), std::string::npos);
    CHECK_NE(sarif.find("\"version\": \"2.1.0\""), std::string::npos);
    const std::string github = renderDiagnostics(parsed.diagnostics, {DiagFormat::Github});
    CHECK_NE(github.find("::error file=dir name/a%2Cb.luapp,line=1,col=6,"), std::string::npos);
}

TEST_CASE("every code explains itself") {
    for (size_t i = 0; i < diag::count(); ++i) {
        const diag::Info& info = diag::info(diag::Id(i));
        if (info.severity == Severity::Note) {
            CHECK(info.code.empty());
            continue;
        }
        CHECK_EQ(diag::findByCode(info.code), &info);
        CHECK_GT(info.explanation.size(), 20);
        CHECK_NE(explainDiagnostic(info.code).find(info.code), std::string::npos);
    }
    CHECK(diag::findByCode("e1101"));
    CHECK(explainDiagnostic("E9999").empty());
}
