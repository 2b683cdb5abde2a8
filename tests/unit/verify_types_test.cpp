// The typing pass of the verifier: one forged program for each way to misuse memory, and the checks that it inserts instead of refusing.
#include <doctest/doctest.h>

#include "chunk_builder.h"
#include "runtime/bytecode/verify.h"

using namespace luapp;
using namespace luapp::test;

namespace {

constexpr bc::BuiltinShape kLibrary[] = {{"len", "(s: string): integer"},
                                         {"push", "<T>(self: Array<T>, value: T): void"},
                                         {"map", "<T, U>(self: Array<T>, f: (T): U): Array<U>", false, true},
                                         {"yield", "(...any): (...any)"}};
enum : uint32_t { kLen, kPush, kMap, kYieldFn };

/// A program with one function `main` of 16 registers; tests add what they need.
struct Program : ChunkBuilder {
    bc::TypeIndex any_ = any(), number = numberType(), text = stringType();
    bc::TypeIndex numbers = type(bc::TypeKind::Array, Rep::Ref, "Array<number>", {number});
    bc::TypeIndex texts = type(bc::TypeKind::Array, Rep::Ref, "Array<string>", {text});
    bc::TypeIndex point = type(bc::TypeKind::Record, Rep::Ref, "{ x: number, name: string }");
    bc::ProtoIndex main = proto("main", {}, {}, 16);
    bc::DataIndex hello = string("hello");

    Program() {
        chunk.types[point].fields = {{symbol("x"), number, 0}, {symbol("name"), text, 0}};
        chunk.entry = main;
    }
    FunctionBuilder code(bc::ProtoIndex p) { return FunctionBuilder(*this, p); }
    FunctionBuilder code() { return code(main); }
    /// A function with a signature made of types.
    bc::ProtoIndex function(std::string_view name, std::vector<bc::TypeIndex> params, std::vector<bc::TypeIndex> results) {
        std::vector<Rep> from, to;
        for (bc::TypeIndex t : params) from.push_back(chunk.types[t].rep);
        for (bc::TypeIndex t : results) to.push_back(chunk.types[t].rep);
        const bc::ProtoIndex p = proto(name, from, to, 16);
        const bc::TypeIndex signature = functionType(name, params, results);
        chunk.protos[p].signature = signature;
        return p;
    }
    bc::ValueTypeIndex valueType(bc::ValueType v) {
        chunk.valueTypes.push_back(v);
        return static_cast<bc::ValueTypeIndex>(chunk.valueTypes.size() - 1);
    }
    std::string error() {
        std::string text;
        return bc::verify(chunk, {.builtins = kLibrary, .yieldBuiltin = kYieldFn}, text) ? "" : text;
    }
};

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }
#define CHECK_REFUSED(program, part)            \
    do {                                        \
        const std::string why = program.error(); \
        CHECK_MESSAGE(has(why, part), why);     \
    } while (0)

}  // namespace

TEST_CASE("typing: a number is not followed as a reference") {
    Program p;
    p.code().op(Op::LoadF, 0, 1).op(Op::SLen, 1, 0).op(Op::Ret0);
    CHECK_REFUSED(p, "bad bytecode in 'main' (function 0) at instruction 1: register 0 is number, expected string");
}

TEST_CASE("typing: an integer is not taken for a number or a box") {
    Program p, q;
    p.code().op(Op::LoadI, 0, -4).op(Op::AddF, 1, 0, 0).op(Op::Ret0);
    CHECK_REFUSED(p, "register 0 is integer, expected number");
    q.code().op(Op::LoadI, 0, -4).op(Op::LenX, 1, 0).op(Op::Ret0);
    CHECK_REFUSED(q, "register 0 is integer, expected any");
}

TEST_CASE("typing: a register is set on every way to its use") {
    Program p;
    FunctionBuilder f = p.code();
    f.op(Op::LoadI, 0, 1);
    const uint32_t over = f.jump(Op::JTrue, 0);
    f.op(Op::LoadK, 1, p.hello);
    f.aim(over);
    f.op(Op::SLen, 2, 1).op(Op::Ret0);
    CHECK_REFUSED(p, "register 1 is not set, expected string");
}

TEST_CASE("typing: what merges must fit what follows") {
    Program p;
    FunctionBuilder f = p.code();
    f.op(Op::LoadI, 0, 1).op(Op::NewArr, 1, 0, p.numbers);
    const uint32_t over = f.jump(Op::JTrue, 0);
    f.op(Op::NewArr, 1, 0, p.texts);
    f.aim(over);
    f.op(Op::ALen, 2, 1).op(Op::AGetI, 3, 1, 0).op(Op::Ret0);
    CHECK_REFUSED(p, "arrays of several representations");
}

TEST_CASE("typing: a field is one that the object has") {
    Program p, q;
    p.code().op(Op::NewObj, 0, 2, p.point).op(Op::LoadK, 1, p.hello).op(Op::SetF, 0, 1, 1).op(Op::GetF, 2, 0, 7).op(Op::Ret0);
    CHECK_REFUSED(p, "there is no field 7");
    q.code().op(Op::NewArr, 0, 1, q.numbers).op(Op::GetF, 1, 0, 0).op(Op::Ret0);
    // Such code is dead in programs of our compiler: it raises.
    CHECK(q.error().empty());
    CHECK(bc::opOf(q.chunk.protos[q.main].code[2]) == Op::Raise);
}

TEST_CASE("typing: a record is not used before its references are set") {
    Program p;
    p.code().op(Op::NewObj, 0, 2, p.point).op(Op::GetF, 1, 0, 1).op(Op::Ret0);
    CHECK_REFUSED(p, "register 0 is an object with words that are not set");
}

TEST_CASE("typing: elements and keys have their types") {
    Program p, q;
    p.code().op(Op::NewArr, 0, 1, p.texts).op(Op::LoadF, 1, 3).op(Op::APush, 0, 1).op(Op::Ret0);
    CHECK_REFUSED(p, "register 1 is number, expected string");
    q.code().op(Op::NewArr, 0, 1, q.texts).op(Op::LoadI, 1, 0).op(Op::AGetB, 2, 0, 1).op(Op::Ret0);
    CHECK_REFUSED(q, "array of booleans");
}

TEST_CASE("typing: a call passes what the callee takes") {
    Program p;
    const bc::ProtoIndex f = p.function("f", {p.text}, {});
    p.code(f).op(Op::Ret0);
    p.code().op(Op::NewArr, 3, 0, p.numbers).op(Op::Call, 0, f).op(Op::Ret0);
    // The word is a reference, so a check at run time can tell.
    CHECK(p.error().empty());
    CHECK(bc::opOf(p.chunk.protos[p.main].code[2]) == Op::CheckRef);
    Program q;
    const bc::ProtoIndex g = q.function("g", {q.text}, {});
    q.code(g).op(Op::Ret0);
    q.code().op(Op::LoadF, 3, 2).op(Op::Call, 0, g).op(Op::Ret0);
    CHECK_REFUSED(q, "register 3 is number, expected string");
}

TEST_CASE("typing: a closure is called by its own signature") {
    Program p;
    const bc::ProtoIndex f = p.function("f", {p.text}, {});
    p.code(f).op(Op::Ret0);
    const bc::DataIndex constant = p.data(bc::DataKind::Function, Rep::Ref, f);
    p.code().op(Op::LoadK, 2, constant).op(Op::LoadF, 3, 2).op(Op::CallClo, 0).op(Op::Ret0);
    CHECK_REFUSED(p, "register 3 is number, expected string");
    Program q;
    q.code().op(Op::LoadK, 2, q.hello).op(Op::CallClo, 0).op(Op::Ret0);
    CHECK(q.error().empty());
    CHECK(bc::opOf(q.chunk.protos[q.main].code[1]) == Op::Raise);
}

TEST_CASE("typing: a function returns what its signature says") {
    Program p;
    const bc::ProtoIndex f = p.function("f", {}, {p.text});
    p.code(f).op(Op::LoadF, 0, 1).op(Op::Ret, 0);
    p.code().op(Op::Ret0);
    CHECK_REFUSED(p, "register 0 is number, expected string");
    Program q;
    const bc::ProtoIndex g = q.function("g", {}, {q.text});
    q.code(g).op(Op::RetI, 0, 8);
    q.code().op(Op::Ret0);
    CHECK_REFUSED(q, "returns 8, expected string");
}

TEST_CASE("typing: captures are those of the function, all set, of their types") {
    Program p, q, r;
    for (Program* x : {&p, &q, &r}) {
        const bc::ProtoIndex f = x->function("f", {}, {});
        x->chunk.protos[f].captures = {Rep::Ref};
        x->chunk.protos[f].captureTypes = {x->valueType({.type = x->text})};
        x->code(f).op(Op::GetCap, 0, 0).op(Op::SLen, 1, 0).op(Op::Ret0);
    }
    p.code().op(Op::Closure, 0, 1, 1).op(Op::BoxRef, 1, 0, 0).op(Op::Ret0);
    CHECK_REFUSED(p, "register 0 is an object with words that are not set");
    q.code().op(Op::Closure, 0, 1, 1).op(Op::LoadF, 1, 1).op(Op::SetCap, 0, 0, 1).op(Op::Ret0);
    CHECK_REFUSED(q, "register 1 is number, expected string");
    r.code().op(Op::Closure, 0, 2, 1).op(Op::Ret0);
    CHECK_REFUSED(r, "wrong number of captures");
}

TEST_CASE("typing: a function with captures is called with its own closure") {
    Program p;
    for (const char* name : {"f", "g"}) {
        const bc::ProtoIndex f = p.function(name, {}, {});
        p.chunk.protos[f].captures = {name[0] == 'f' ? Rep::Ref : Rep::I64};
        if (name[0] == 'f') p.chunk.protos[f].captureTypes = {p.valueType({.type = p.text})};
        p.code(f).op(Op::Ret0);
    }
    p.chunk.protos[2].signature = p.functionType("other", {}, {p.number});
    p.chunk.protos[2].results = {Rep::F64};
    p.chunk.protos[2].code = {bc::encodeAD(Op::LoadF, 0, 1), bc::encodeABC(Op::Ret, 0, 0, 0)};
    p.code().op(Op::LoadI, 1, 7).op(Op::Closure, 2, 1, 2).op(Op::SetCap, 2, 0, 1).op(Op::Call, 0, 1).op(Op::Ret0);
    // A check by type is inserted, which fails when it runs.
    CHECK(p.error().empty());
    CHECK(bc::opOf(p.chunk.protos[p.main].code[4]) == Op::CheckRef);
}

TEST_CASE("typing: module variables hold what they say") {
    Program p;
    const bc::DataIndex v = p.variable("v", Rep::Ref);
    p.chunk.data[v].valueType = p.valueType({.type = p.text});
    p.code().op(Op::LoadF, 0, 1).op(Op::SetG, 0, v).op(Op::Ret0);
    CHECK_REFUSED(p, "register 0 is number, expected string");
    // One that may be read before it is set is checked.
    Program q;
    const bc::DataIndex w = q.variable("w", Rep::Ref);
    q.chunk.data[w].valueType = q.valueType({.type = q.text});
    q.code().op(Op::GetG, 0, w).op(Op::SLen, 1, 0).op(Op::Ret0);
    CHECK(q.error().empty());
    CHECK(bc::opOf(q.chunk.protos[q.main].code[1]) == Op::CheckNull);
    // The initial word is no reference.
    Program r;
    const bc::DataIndex x = r.variable("x", Rep::F64, 0xFFFC'0000'1234'5678u);
    r.code().op(Op::GetG, 0, x).op(Op::Ret0);
    CHECK_REFUSED(r, "not a plain f64");
    // Nor a NaN of which arithmetic makes one.
    Program t;
    t.variable("x", Rep::F64, 0xFFF7'FF00'0000'0000u);
    CHECK_REFUSED(t, "not a plain f64");
}

TEST_CASE("typing: cells hold what they say") {
    Program p;
    const bc::ValueTypeIndex cell = p.valueType({.type = p.text, .isCell = true, .rep = Rep::Ref});
    p.code().op(Op::LoadK, 0, p.hello).op(Op::NewCell, 1, 0, static_cast<int64_t>(Rep::Ref), cell).op(Op::LoadF, 2, 1).op(Op::SetCellR, 1, 2).op(Op::Ret0);
    CHECK_REFUSED(p, "register 2 is number, expected string");
    Program q;
    q.code().op(Op::LoadK, 0, q.hello).op(Op::GetCell, 1, 0).op(Op::Ret0);
    CHECK_REFUSED(q, "register 0 is string, expected a cell");
}

TEST_CASE("typing: the table of a class has functions that take its objects") {
    Program p;
    const bc::TypeIndex a = p.type(bc::TypeKind::Class, Rep::Ref, "A"), b = p.type(bc::TypeKind::Class, Rep::Ref, "B");
    p.chunk.types[a].isNominal = p.chunk.types[b].isNominal = true;
    const bc::ProtoIndex ofA = p.function("A.f", {a}, {});
    p.code(ofA).op(Op::Ret0);
    for (bc::TypeIndex t : {a, b}) {
        bc::ClassData k;
        k.type = t;
        k.ancestors = {t};
        k.table = {ofA};
        p.chunk.classes.push_back(k);
    }
    p.code().op(Op::NewObj, 3, 0, b).op(Op::CallM, 0, 0).op(Op::Ret0);
    CHECK_REFUSED(p, "class B: its functions do not take its objects");
}

TEST_CASE("typing: every loop can be interrupted") {
    Program p;
    p.code().op(Op::Jmp, -1);
    CHECK(p.error().empty());
    CHECK(bc::opOf(p.chunk.protos[p.main].code[0]) == Op::Loop);
}

TEST_CASE("typing: only an object has methods") {
    Program p;
    p.code().op(Op::NewArr, 3, 0, p.numbers).op(Op::CallM, 0, 0).op(Op::Ret0);
    CHECK(p.error().empty());
    CHECK(bc::opOf(p.chunk.protos[p.main].code[2]) == Op::Raise);
}

TEST_CASE("typing: a jump lands on an instruction, not on an extra word") {
    Program p;
    FunctionBuilder f = p.code();
    f.op(Op::NewArr, 0, 1, p.numbers);
    const uint32_t back = f.jump(Op::Jmp);
    f.aim(back, 1);
    CHECK_REFUSED(p, "where no instruction begins");
}

TEST_CASE("typing: further results and packs are those of the last call") {
    Program p, q, r;
    p.code().op(Op::GetRes, 0, 1).op(Op::Ret0);
    CHECK_REFUSED(p, "there is no result 1");
    q.code().op(Op::PackGet, 0, 0).op(Op::Ret0);
    CHECK_REFUSED(q, "there is no pack");
    const bc::ProtoIndex f = r.function("f", {}, {r.number, r.text});
    r.code(f).op(Op::LoadF, 0, 1).op(Op::Ret, 0);
    r.code().op(Op::Ret0);
    CHECK_REFUSED(r, "result 1 is not set");
    // Another call in between takes them away.
    Program s;
    const bc::ProtoIndex two = s.function("two", {}, {s.number, s.text});
    s.code(two).op(Op::LoadK, 0, s.hello).op(Op::SetRes, 0, 1).op(Op::LoadF, 0, 1).op(Op::Ret, 0);
    s.code().op(Op::Call, 0, two).op(Op::CallBV, 0, 0, 0, kYieldFn).op(Op::GetRes, 0, 1).op(Op::Ret0);
    CHECK_REFUSED(s, "there is no result 1");
}

TEST_CASE("typing: library functions get what their signatures say") {
    Program p, q, r;
    p.code().op(Op::LoadF, 3, 1).op(Op::CallB, 0, kLen).op(Op::Ret0);
    CHECK_REFUSED(p, "register 3 is number, expected string");
    q.code().op(Op::NewArr, 3, 1, q.numbers).op(Op::LoadK, 4, q.hello).op(Op::CallB, 0, kPush).op(Op::Ret0);
    CHECK_REFUSED(q, "register 4 is string, expected number");
    // The type passed decides what comes back.
    const bc::ProtoIndex f = r.function("f", {r.number}, {r.number});
    r.code(f).op(Op::Ret, 0);
    const bc::DataIndex fn = r.data(bc::DataKind::Function, Rep::Ref, f), asked = r.data(bc::DataKind::Type, Rep::I64, r.texts);
    r.code().op(Op::LoadK, 3, asked).op(Op::NewArr, 4, 1, r.numbers).op(Op::LoadK, 5, fn).op(Op::CallB, 0, kMap).op(Op::Ret0);
    CHECK_REFUSED(r, "which does not fit the library function");
}

TEST_CASE("typing: an unboxed reference is one") {
    Program p;
    p.chunk.protos[p.main].isVararg = true;
    p.code().op(Op::VarargPrep, 0, 0).op(Op::VarargGet, 0, 0).op(Op::UnboxU, 1, 0, static_cast<int64_t>(Rep::Ref)).op(Op::Ret0);
    CHECK_REFUSED(p, "expected a boxed reference");
    // Where the compiler says which type it is, that is checked.
    Program q;
    q.chunk.protos[q.main].isVararg = true;
    q.chunk.protos[q.main].typeHints = {{2, q.text}};
    q.code().op(Op::VarargPrep, 0, 0).op(Op::VarargGet, 0, 0).op(Op::UnboxU, 1, 0, static_cast<int64_t>(Rep::Ref)).op(Op::SLen, 2, 1).op(Op::Ret0);
    CHECK(q.error().empty());
    CHECK(bc::opOf(q.chunk.protos[q.main].code[2]) == Op::Unbox);
}

TEST_CASE("typing: tests teach about all registers that hold the value") {
    Program p;
    p.chunk.protos[p.main].isVararg = true;
    FunctionBuilder f = p.code();
    f.op(Op::VarargPrep, 0, 0).op(Op::VarargGet, 0, 0).op(Op::Move, 1, 0).op(Op::IsType, 2, 0, 0, p.text);
    const uint32_t over = f.jump(Op::JFalse, 2);
    f.op(Op::UnboxU, 3, 1, static_cast<int64_t>(Rep::Ref)).op(Op::SLen, 4, 3);
    f.aim(over);
    f.op(Op::Ret0);
    const size_t before = p.chunk.protos[p.main].code.size();
    CHECK(p.error().empty());
    CHECK(p.chunk.protos[p.main].code.size() == before);
}

TEST_CASE("typing: inserted checks move jumps and positions along") {
    Program p;
    const bc::DataIndex v = p.variable("v", Rep::Ref);
    p.chunk.data[v].valueType = p.valueType({.type = p.text});
    p.chunk.files.push_back({p.symbol("a.luapp")});
    FunctionBuilder f = p.code();
    f.line(0, 1).op(Op::LoadI, 0, 3);
    const uint32_t loop = f.here();
    f.line(0, 2).op(Op::GetG, 1, v).op(Op::SLen, 2, 1);
    const uint32_t back = f.line(0, 3).jump(Op::JTrue, 0);
    f.aim(back, loop);
    f.line(0, 4).op(Op::Ret0);
    CHECK(p.error().empty());
    const bc::Proto& main = p.chunk.protos[p.main];
    REQUIRE(main.code.size() == 6);
    CHECK(bc::opOf(main.code[2]) == Op::CheckNull);
    CHECK(bc::fieldSD(main.code[4]) == -4);
    CHECK(main.lines.find(2).line == 2);
    CHECK(main.lines.find(4).line == 3);
    CHECK(main.lines.find(5).line == 4);
}
