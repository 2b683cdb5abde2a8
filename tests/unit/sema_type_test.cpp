// What goldens cannot show well: identity of types, union normalisation, relations, and that long inputs stay linear.
#include <doctest/doctest.h>

#include <string>

#include "frontend/parse/parser.h"
#include "sema/relations.h"
#include "sema/sema.h"

using namespace luapp;
using sema::Type;

namespace {

struct Types {
    frontend::Interner interner;
    sema::TypeTable table{interner};
    const Type* number = table.number();
    const Type* integer = table.integer();
    const Type* string = table.string();
    const Type* nil = table.nil();
};

struct NoModules : sema::ModuleLoader {
    frontend::Module* load(const frontend::SourceFile&, std::string_view, std::string& problem) override {
        problem = "none here";
        return nullptr;
    }
};

/// Checks a program and counts its errors.
size_t errorsOf(const std::string& text) {
    frontend::SourceManager sources;
    frontend::Arena arena;
    frontend::Interner interner;
    frontend::Diagnostics diagnostics(sources);
    const frontend::SourceFile* file = sources.addFile("test.luapp", text);
    frontend::Module* module = frontend::parse(*file, arena, interner, diagnostics);
    NoModules loader;
    sema::check({*module, loader, interner}, diagnostics);
    return diagnostics.errorCount();
}

}  // namespace

TEST_CASE("equal types are one object") {
    Types t;
    CHECK(t.table.array(t.number) == t.table.array(t.number));
    CHECK(t.table.array(t.number) != t.table.array(t.integer));
    const Type* params[] = {t.number};
    const Type* results[] = {t.string};
    CHECK(t.table.function(params, nullptr, results) == t.table.function(params, nullptr, results));
    CHECK(t.table.function(params, nullptr, results) != t.table.function(params, nullptr, {}));
}

TEST_CASE("records are sets of fields") {
    Types t;
    const frontend::Symbol a = t.interner.intern("a"), b = t.interner.intern("b");
    const sema::RecordField one[] = {{b, t.number}, {a, t.string}};
    const sema::RecordField two[] = {{a, t.string}, {b, t.number}};
    const sema::RecordType* record = t.table.record(one);  // printed as first written
    CHECK(record == t.table.record(two));
    CHECK(t.table.record(one)->indexOf(a) == 0);
    CHECK(t.table.print(t.table.record(two)) == "{ b: number, a: string }");
}

TEST_CASE("unions are normalised") {
    Types t;
    CHECK(t.table.unionOf(t.number, t.integer) == t.number);
    CHECK(t.table.unionOf(t.number, t.table.any()) == t.table.any());
    const Type* both = t.table.unionOf(t.number, t.string);
    CHECK(both == t.table.unionOf(t.string, t.number));
    CHECK(t.table.optional(t.table.optional(t.number)) == t.table.optional(t.number));
    CHECK(t.table.withoutNil(t.table.optional(t.string)) == t.string);
    CHECK(t.table.print(t.table.optional(t.number)) == "number?");
    CHECK(t.table.print(t.table.optional(both)) == "number | string | nil");
}

TEST_CASE("representations") {
    Types t;
    CHECK(sema::repOf(t.table.optional(t.string)) == base::Rep::Ref);
    CHECK(sema::repOf(t.table.optional(t.number)) == base::Rep::Box);
    CHECK(sema::repOf(t.table.unionOf(t.string, t.table.array(t.number))) == base::Rep::Ref);
    CHECK(sema::repOf(t.nil) == base::Rep::Box);
    CHECK(sema::repOf(t.integer) == base::Rep::I64);
}

TEST_CASE("what fits where") {
    Types t;
    using sema::Fit;
    CHECK(sema::relate(t.integer, t.number) == Fit::Widen);
    CHECK(sema::relate(t.number, t.integer) == Fit::None);
    CHECK(sema::relate(t.string, t.table.optional(t.string)) == Fit::Retype);
    CHECK(sema::relate(t.number, t.table.optional(t.number)) == Fit::Widen);
    CHECK(sema::relate(t.table.any(), t.number) == Fit::Check);
    CHECK(sema::relate(t.table.array(t.integer), t.table.array(t.number)) == Fit::None);
    const Type *number[] = {t.number}, *integer[] = {t.integer}, *any[] = {t.table.any()};
    const Type* wide = t.table.function(number, nullptr, integer);
    const Type* narrow = t.table.function(integer, nullptr, number);
    CHECK(sema::relate(wide, narrow) == Fit::Adapt);
    CHECK(sema::relate(narrow, wide) == Fit::None);
    CHECK(sema::relate(t.table.function(any, nullptr, {}), t.table.function(number, nullptr, {})) == Fit::Adapt);
    CHECK(sema::areDisjoint(t.number, t.string));
    CHECK_FALSE(sema::areDisjoint(t.number, t.integer));
    CHECK_FALSE(sema::areDisjoint(t.table.optional(t.number), t.table.optional(t.string)));
}

TEST_CASE("long chains and functions are checked without deep recursion") {
    std::string sum = "local x = 1\nlocal y = x", either = "\nlocal z = x == 0", text = "\nlocal s = x";
    for (int i = 0; i < 20000; i++) {
        sum += " + x";
        either += " or x == 1";
        text += " .. x";
    }
    CHECK(errorsOf(sum + either + text + "\nprint(y, z, s)\n") == 0);
    std::string body = "function f(a: number?, b: number)\n";
    for (int i = 0; i < 10000; i++) body += "if a ~= nil then b = a + b end\nb = b * 2\n";
    CHECK(errorsOf(body + "end\n") == 0);
}

TEST_CASE("nested loops that widen are checked a bounded number of times") {
    std::string text = "local x: number? = 1\n";
    for (int i = 0; i < 40; i++) text += "while math.random() > 0.5 do\n";
    text += "x = tonumber(\"1\")\n";
    for (int i = 0; i < 40; i++) text += "end\n";
    CHECK(errorsOf(text) == 0);
}

TEST_CASE("recursive aliases") {
    CHECK(errorsOf("type J = nil | number | Array<J> | Table<string, J>\nlocal j: J = { 1, { a = nil } }\nprint(j)\n") == 0);
    CHECK(errorsOf("type N = { next: N? }\nlocal n: N = { next = { } }\nprint(n.next?.next)\n") == 0);
    CHECK(errorsOf("type F = (F): void\nlocal f: F = function(g) g(g) end\nf(f)\n") == 0);
    CHECK(errorsOf("type A = B\ntype B = { a: A? }\nlocal a: A = {}\nlocal b: B = a\nprint(b)\n") == 0);
    CHECK(errorsOf("type A = A?\n") == 1);
}
