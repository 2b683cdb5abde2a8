// The interpreter, calls and dynamic operations, on chunks assembled by hand.
#include <doctest/doctest.h>

#include <string>

#include "chunk_builder.h"
#include "runtime/bytecode/verify.h"
#include "runtime/object/array.h"
#include "runtime/object/lua_table.h"
#include "runtime/vm/call.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/convert.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/load.h"
#include "runtime/vm/meta.h"

using namespace luapp;
using namespace luapp::rt;
using namespace luapp::test;
using bc::DataKind;

namespace {

// --- a library of three functions

/// (f: any, ...any): (...any): pcall.
struct PCallArgs {
    Value f;
};
void runPCall(State& s, void* data) { callPack(s, static_cast<PCallArgs*>(data)->f); }
Word testPCall(State& s, Word* args) {
    PCallArgs a{Value::fromWord(args[0])};
    for (uint32_t k = 0; k < s.argCount; ++k) s.results[k] = args[1 + k];
    s.resultCount = s.argCount;
    if (!protectedCall(s, runPCall, &a)) {
        s.results[0] = kFalseBox;
        s.results[1] = s.errorValue.word();
        s.resultCount = 2;
        return kFalseBox;
    }
    for (uint32_t k = s.resultCount; k > 0; --k) s.results[k] = s.results[k - 1];
    s.results[0] = kTrueBox;
    ++s.resultCount;
    return kTrueBox;
}
/// (f: (number): number, n: number): number: f(f(n)).
Word testTwice(State& s, Word* args) {
    Closure* f = refOf<Closure>(args[0]);
    return callRaw1(s, f, callRaw1(s, f, args[1]));
}
/// (...any): number: how many.
Word testCount(State& s, Word*) { return wordOf(static_cast<double>(s.argCount)); }
/// (...any): (...any): coroutine.yield.
Word testYield(State& s, Word* args) {
    for (uint32_t k = 0; k < s.argCount; ++k) s.results[k] = args[k];
    s.resultCount = s.argCount;
    yield(s);
    return s.resultCount != 0 ? s.results[0] : kNilBox;
}

Word testInterrupt(State& s, Word*) {
    s.interrupt();
    return 0;
}

enum TestBuiltin : uint32_t { kPCall, kTwice, kCount, kYield, kInterrupt, kTestBuiltins };
const BuiltinFn kFunctions[] = {testPCall, testTwice, testCount, testYield, testInterrupt};
const char* const kNames[] = {"pcall", "twice", "count", "yield", "interrupt"};
const uint8_t kFixed[] = {1, 2, 0, 0, 0};

Closure* testClosure(State& s, uint32_t index) {
    TypeSpec spec;
    spec.kind = TypeKind::Function;
    spec.rep = Rep::Ref;
    spec.name = "(...any): ...any";
    const TypeDesc* any = s.types.basic(TypeKind::Any);
    const TypeDesc* number = s.types.basic(TypeKind::Number);
    if (index == kPCall) spec.parts = std::span(&any, 1);
    spec.vararg = any;
    spec.hasResultPack = index != kCount;
    if (index == kCount) spec.results = std::span(&number, 1);
    return newBuiltinClosure(s, kFunctions[index], s.types.intern(spec), index);
}
constexpr bc::BuiltinShape kShapes[] = {{"pcall", "(f: any, ...any): (...any)"}, {"twice", "(f: (number): number, n: number): number"},
                                        {"count", "(...any): number"}, {"yield", "(...any): (...any)"}, {"interrupt", "(): void"}};
BuiltinMember testMember(std::string_view type, std::string_view name) {
    if (type == "Array" && name == "count") return {kCount, false};
    return {};
}
Word testDefault(State&, uint32_t, uint32_t) { return kNilBox; }
const BuiltinTable kTable = {kTestBuiltins, kFunctions, kNames, kFixed, testClosure, testDefault, testMember};

/// A State with the test library; destroyed at the end of the test.
struct World {
    State* s;
    World() {
        StateOptions options;
        options.hooks = &kVmHooks;
        s = State::create(options);
        s->builtins = &kTable;
    }
    ~World() { State::destroy(s); }

    Program* load(ChunkBuilder& b) {
        std::string error;
        CHECK_MESSAGE(bc::verify(b.chunk, {.builtins = kShapes, .yieldBuiltin = kYield}, error), error);
        return loadProgram(*s, std::move(b.chunk));
    }

    /// Runs the program; its first result, or the error message as string value.
    Value run(ChunkBuilder& b) {
        Program* p = load(b);
        s->resultCount = 0;
        if (!protectedCall(*s, [](State& st, void* data) { runProgram(st, *static_cast<Program*>(data)); }, p))
            return s->errorValue;
        return s->resultCount != 0 ? Value::fromWord(s->results[0]) : Value::nil();
    }
    double number(ChunkBuilder& b) {
        Value v = run(b);
        if (v.isString()) MESSAGE(std::string(v.asString()->view()));
        CHECK(v.isNumber());
        return v.isNumber() ? v.asNumber() : -1;
    }
    std::string text(ChunkBuilder& b) {
        Value v = run(b);
        CHECK(v.isString());
        return v.isString() ? std::string(v.asString()->view()) : std::string();
    }
};

/// main with results of Rep `rep` and room for 40 registers.
struct Main : ChunkBuilder {
    FunctionBuilder f;
    explicit Main(Rep rep) : f((chunk.entry = proto("main", {}, {rep}, 40), FunctionBuilder(*this, chunk.entry))) {
        chunk.files.push_back({symbol("test.luapp")});
        f.line(0, 1);
    }
};

}  // namespace

TEST_CASE("calls: fib") {
    World w;
    ChunkBuilder b = fibProgram(20);
    CHECK(w.number(b) == 6765);
}

TEST_CASE("numbers and integers") {
    World w;
    SUBCASE("arithmetic") {
        Main b(Rep::F64);
        b.f.op(Op::LoadF, 0, -7).op(Op::LoadF, 1, 2).op(Op::ModF, 2, 0, 1).op(Op::IDivF, 3, 0, 1);  // 1, -4
        b.f.op(Op::MulFI, 3, 3, 10).op(Op::AddF, 0, 2, 3).op(Op::RSubFI, 0, 0, 1).op(Op::Ret, 0);   // 1 - -39
        CHECK(w.number(b) == 40);
    }
    SUBCASE("integer operations floor") {
        Main b(Rep::I64);
        b.f.op(Op::LoadI, 0, -7).op(Op::LoadI, 1, 2).op(Op::IDivI, 2, 0, 1).op(Op::ModI, 3, 0, 1);
        b.f.op(Op::MulII, 2, 2, 10).op(Op::AddI, 2, 2, 3).op(Op::Ret, 2);
        CHECK(w.number(b) == -39);
    }
    SUBCASE("2^53 is the last integer") {
        Main b(Rep::I64);
        bc::DataIndex max = b.data(DataKind::Word, Rep::I64, 0, (uint64_t{1} << 53) - 1);
        b.f.op(Op::LoadK, 0, max).op(Op::AddII, 0, 0, 1).op(Op::Ret, 0);
        CHECK(w.number(b) == 9007199254740992.0);
    }
    SUBCASE("beyond it is an error with its place") {
        Main b(Rep::I64);
        bc::DataIndex max = b.data(DataKind::Word, Rep::I64, 0, uint64_t{1} << 53);
        b.f.op(Op::LoadK, 0, max).line(0, 7).op(Op::AddII, 0, 0, 1).op(Op::Ret, 0);
        CHECK(w.text(b) == "test.luapp:7: integer overflow");
    }
    SUBCASE("division by zero") {
        Main b(Rep::I64);
        b.f.op(Op::LoadI, 0, 1).op(Op::LoadI, 1, 0).op(Op::IDivI, 0, 0, 1).op(Op::Ret, 0);
        CHECK(w.text(b) == "test.luapp:1: attempt to perform '//' with an integer zero divisor");
    }
    SUBCASE("numbers that are not whole") {
        Main b(Rep::I64);
        b.f.op(Op::LoadK, 0, b.number(2.5)).op(Op::FToI, 0, 0, 0).op(Op::Ret, 0);
        CHECK(w.text(b) == "test.luapp:1: number 2.5 is not whole, an integer is needed");
    }
    SUBCASE("loop: 0 + 1 + ... + 99") {
        Main b(Rep::I64);
        b.f.op(Op::LoadI, 0, 0).op(Op::LoadI, 1, 100).op(Op::LoadI, 2, 0);
        uint32_t top = b.f.here();
        b.f.op(Op::AddI, 2, 2, 0);
        b.f.aim(b.f.jump(Op::LoopLtI, 0, 1, 1), top);
        b.f.op(Op::Ret, 2);
        CHECK(w.number(b) == 4950);
    }
}

TEST_CASE("calls: closures, cells, captures, several results") {
    World w;
    Main b(Rep::F64);
    bc::TypeIndex n = b.numberType();
    bc::TypeIndex fn = b.functionType("(number): (number, number)", {n}, {n, n});
    bc::ProtoIndex add = b.proto("add", {Rep::F64}, {Rep::F64, Rep::F64}, 4);
    b.chunk.protos[add].captures = {Rep::Ref};
    b.chunk.valueTypes.push_back({.isCell = true, .rep = Rep::F64});
    b.chunk.protos[add].captureTypes = {1};
    b.chunk.protos[add].signature = fn;
    // cell += n; returns the new sum and n
    FunctionBuilder(b, add).op(Op::GetCap, 1, 0).op(Op::GetCell, 2, 1).op(Op::AddF, 2, 2, 0).op(Op::SetCell, 1, 2)
        .op(Op::SetRes, 0, 1).op(Op::Ret, 2);
    b.f.op(Op::LoadF, 0, 100).op(Op::NewCell, 0, 0, static_cast<int>(Rep::F64), 1).op(Op::Closure, 1, 1, add);
    b.f.op(Op::SetCap, 1, 0, 0);
    for (int i = 1; i <= 2; ++i) b.f.op(Op::Move, 12, 1).op(Op::LoadF, 13, i).op(Op::CallClo, 10);
    b.f.op(Op::GetRes, 11, 1).op(Op::AddF, 10, 10, 11).op(Op::Ret, 10);
    CHECK(w.number(b) == 105);
}

TEST_CASE("calls: varargs and packs") {
    World w;
    Main b(Rep::F64);
    bc::ProtoIndex va = b.proto("va", {Rep::F64}, {}, 8);
    b.chunk.protos[va].isVararg = b.chunk.protos[va].returnsPack = true;
    // returns n, #..., ... twice over
    FunctionBuilder(b, va).op(Op::VarargPrep, 0, 1).op(Op::VarargCount, 2).op(Op::BoxI, 1, 2).op(Op::Move, 2, 1)
        .op(Op::Move, 1, 0).op(Op::VarargAll).op(Op::RetPack, 1, 2);
    b.f.op(Op::LoadF, 3, 5).op(Op::LoadF, 4, 10).op(Op::LoadF, 5, 20).op(Op::CallV, 0, 2, 0, va);  // 5 2 10 20
    b.f.op(Op::LoadF, 3, 6).op(Op::LoadF, 4, 1).op(Op::CallVPack, 0, 1, 0, va);                    // 6 5 1 5 2 10 20
    b.f.op(Op::PackCount, 0).op(Op::IToF, 0, 0).op(Op::PackGet, 1, 1).op(Op::PackGet, 2, 6).op(Op::PackGet, 3, 7);
    b.f.op(Op::JNil, 3, 1).op(Op::LoadF, 0, 0);
    b.f.op(Op::MulFI, 0, 0, 100).op(Op::AddF, 0, 0, 1).op(Op::AddF, 0, 0, 2).op(Op::Ret, 0);
    CHECK(w.number(b) == 725);
}

TEST_CASE("calls: from C++ with raw words, through builtins, and back into the interpreter") {
    World w;
    Main b(Rep::F64);
    bc::TypeIndex n = b.numberType();
    bc::ProtoIndex sq = b.proto("square", {Rep::F64}, {Rep::F64}, 4);
    b.chunk.protos[sq].signature = b.functionType("(number): number", {n}, {n});
    FunctionBuilder(b, sq).op(Op::MulF, 0, 0, 0).op(Op::Ret, 0);
    bc::DataIndex f = b.data(DataKind::Function, Rep::Ref, sq);
    b.f.op(Op::LoadK, 5, f).op(Op::LoadF, 6, 3).op(Op::CallB, 2, kTwice).op(Op::Ret, 2);
    CHECK(w.number(b) == 81);
    CHECK(w.s->frame == w.s->context->stackBase);
}

TEST_CASE("calls: dynamic, with conversions by the signature") {
    World w;
    Main b(Rep::Box);
    bc::TypeIndex n = b.numberType(), st = b.stringType(), in = b.integerType();
    bc::ProtoIndex sq = b.proto("scale", {Rep::F64, Rep::I64}, {Rep::F64}, 4);
    b.chunk.protos[sq].signature = b.functionType("(number, integer): number", {n, in}, {n});
    FunctionBuilder(b, sq).op(Op::IToF, 1, 1).op(Op::MulF, 0, 0, 1).op(Op::Ret, 0);
    bc::DataIndex f = b.data(DataKind::FunctionBox, Rep::Box, sq);
    SUBCASE("arguments become raw, results boxed") {
        b.f.op(Op::LoadK, 2, f).op(Op::LoadF, 3, 3).op(Op::LoadF, 4, 4).op(Op::CallDyn, 0, 2).op(Op::Ret, 0);
        CHECK(w.number(b) == 12);
    }
    SUBCASE("wrong type") {
        b.f.op(Op::LoadK, 2, f).op(Op::LoadK, 3, b.boxedString("x")).op(Op::LoadF, 4, 4).op(Op::CallDyn, 0, 2).op(Op::Ret, 0);
        CHECK(w.text(b) == "test.luapp:1: argument 1: expected number, got string");
    }
    SUBCASE("missing") {
        b.f.op(Op::LoadK, 2, f).op(Op::LoadF, 3, 3).op(Op::CallDyn, 0, 1).op(Op::Ret, 0);
        CHECK(w.text(b) == "test.luapp:1: argument 2: expected integer, got no value");
    }
    SUBCASE("what is no function") {
        b.f.op(Op::LoadF, 2, 3).op(Op::CallDyn, 0, 0).op(Op::Ret, 0);
        CHECK(w.text(b) == "test.luapp:1: attempt to call a number value");
    }
    SUBCASE("defaults are filled in by the dynamic entry") {
        bc::ProtoIndex dyn = b.proto("scale$default", {Rep::Box, Rep::Box}, {Rep::F64}, 8);
        bc::DataIndex absent = b.data(DataKind::Word, Rep::Box, 0, kAbsentBox);
        FunctionBuilder d(b, dyn);
        d.op(Op::UnboxF, 6, 0).op(Op::LoadK, 2, absent);
        uint32_t given = d.jump(Op::JNeI, 1, 2);
        d.op(Op::LoadF, 1, 7);
        d.aim(given);
        d.op(Op::UnboxI, 7, 1).op(Op::Move, 0, 6).op(Op::Move, 1, 7).op(Op::IToF, 1, 1).op(Op::MulF, 0, 0, 1).op(Op::Ret, 0);
        b.chunk.protos[sq].dynamicProto = dyn;
        b.chunk.types[b.chunk.protos[sq].signature].defaultCount = 1;
        b.f.op(Op::LoadK, 2, f).op(Op::LoadF, 3, 3).op(Op::CallDyn, 0, 1).op(Op::Ret, 0);
        CHECK(w.number(b) == 21);
    }
    (void)st;
}

TEST_CASE("calls: into another program and back") {
    World w;
    ChunkBuilder lib;
    bc::TypeIndex n = lib.numberType();
    bc::ProtoIndex add = lib.proto("add", {Rep::F64, Rep::F64}, {Rep::F64}, 4);
    lib.chunk.protos[add].signature = lib.functionType("(number, number): number", {n, n}, {n});
    bc::DataIndex bias = lib.number(1000);
    FunctionBuilder(lib, add).op(Op::AddF, 0, 0, 1).op(Op::LoadK, 1, bias).op(Op::AddF, 0, 0, 1).op(Op::Ret, 0);
    lib.chunk.entry = lib.proto("main", {}, {Rep::Ref}, 4);
    bc::DataIndex f = lib.data(DataKind::Function, Rep::Ref, add);
    FunctionBuilder(lib, lib.chunk.entry).op(Op::LoadK, 0, f).op(Op::Ret, 0);
    Value function = w.run(lib);
    CHECK(function.isFunction());

    Main b(Rep::F64);
    bc::DataIndex own = b.number(0.5);
    bc::DataIndex slot = b.variable("f", Rep::Ref);
    bc::TypeIndex number = b.numberType();
    b.chunk.valueTypes.push_back({.type = b.functionType("(number, number): number", {number, number}, {number})});
    b.chunk.data[slot].valueType = 1;
    b.f.op(Op::GetG, 12, slot).op(Op::LoadF, 13, 2).op(Op::LoadF, 14, 3).op(Op::CallClo, 10);
    b.f.op(Op::LoadK, 1, own).op(Op::AddF, 0, 10, 1).op(Op::Ret, 0);
    Program* p = w.load(b);
    p->data[slot] = wordOf(function.asFunction());
    runProgram(*w.s, *p);
    CHECK(numberOf(w.s->results[0]) == 1005.5);
}

TEST_CASE("errors: caught by pcall, the interpreter goes on; tracebacks name functions") {
    World w;
    Main b(Rep::Box);
    bc::TypeIndex any = b.any();
    bc::ProtoIndex bad = b.proto("bad", {}, {}, 4);
    b.chunk.protos[bad].returnsPack = true;
    b.chunk.protos[bad].signature = b.functionType("(): ...any", {}, {}, true);
    FunctionBuilder(b, bad).line(0, 33).op(Op::LoadNil, 0).op(Op::LoadNil, 1).op(Op::ArithX, 0, 0, 1, 0).op(Op::RetBoxes, 0, 1);
    bc::DataIndex f = b.data(DataKind::FunctionBox, Rep::Box, bad);
    // i = 0; repeat pcall(bad); i++ until i == 1000; return message
    b.f.op(Op::LoadI, 4, 0).op(Op::LoadI, 5, 1000);
    uint32_t top = b.f.here();
    b.f.op(Op::LoadK, 13, f).op(Op::CallBV, 10, 0, 0, kPCall).op(Op::PackGet, 0, 1);
    b.f.aim(b.f.jump(Op::LoopLtI, 4, 5, 1), top);
    b.f.op(Op::Ret, 0);
    CHECK(w.text(b) == "test.luapp:33: attempt to perform arithmetic on a nil value");
    CHECK(w.s->frame == w.s->context->stackBase);
    (void)any;
}

TEST_CASE("errors: endless recursion is a stack overflow, interruption an error") {
    World w;
    SUBCASE("direct") {
        Main b(Rep::F64);
        bc::ProtoIndex f = b.proto("f", {Rep::F64}, {Rep::F64}, 8);
        FunctionBuilder(b, f).line(0, 2).op(Op::Move, 5, 0).op(Op::Call, 2, f).op(Op::Ret, 2);
        b.f.op(Op::LoadF, 3, 0).op(Op::Call, 0, f).op(Op::Ret, 0);
        CHECK(w.text(b) == "test.luapp:2: stack overflow");
    }
    SUBCASE("through C++") {
        Main b(Rep::Box);
        bc::ProtoIndex f = b.proto("f", {}, {}, 8);
        b.chunk.protos[f].returnsPack = true;
        b.chunk.protos[f].signature = b.functionType("(): ...any", {}, {}, true);
        bc::DataIndex self = b.data(DataKind::FunctionBox, Rep::Box, f);
        // pcall(f) on itself: the innermost pcall catches the overflow, all others return true
        FunctionBuilder(b, f).op(Op::LoadK, 4, self).op(Op::CallBV, 1, 0, 0, kPCall).op(Op::RetPack, 1, 0);
        b.f.op(Op::LoadK, 4, self).op(Op::CallBV, 1, 0, 0, kPCall).op(Op::PackGet, 0, 0).op(Op::Ret, 0);
        CHECK(w.run(b).isTrue());
    }
    SUBCASE("large frames check for themselves") {
        Main b(Rep::F64);
        bc::ProtoIndex f = b.proto("f", {Rep::F64}, {Rep::F64}, 60000);
        FunctionBuilder(b, f).op(Op::Enter, 60000).line(0, 2).op(Op::Spill, 0, 59999).op(Op::Reload, 5, 59999)
            .op(Op::Call, 2, f).op(Op::Ret, 2);
        b.f.op(Op::LoadF, 3, 0).op(Op::Call, 0, f).op(Op::Ret, 0);
        std::string text = w.text(b);
        CHECK(text.ends_with("stack overflow"));
    }
    // The error names the line of the jump, though that may be the last instruction of all code and lead to another line.
    SUBCASE("interruption of a jump") {
        Main b(Rep::F64);
        b.f.op(Op::CallB, 0, kInterrupt);
        uint32_t top = b.f.here();
        b.f.line(0, 7);
        b.f.aim(b.f.jump(Op::Loop, 0), top);
        CHECK(w.text(b) == "test.luapp:7: interrupted");
    }
    SUBCASE("interruption of a conditional jump") {
        Main b(Rep::I64);
        b.f.op(Op::LoadI, 0, 1).op(Op::CallB, 1, kInterrupt);
        uint32_t top = b.f.here();
        b.f.op(Op::Move, 1, 0).line(0, 7);
        SUBCASE("short") { b.f.aim(b.f.jump(Op::JTrue, 0), top); }
        SUBCASE("with an immediate") { b.f.aim(b.f.jump(Op::JEqII, 0, 1), top); }
        b.f.line(0, 8).op(Op::Ret, 0);
        CHECK(w.text(b) == "test.luapp:7: interrupted");
    }
}

TEST_CASE("arrays: checked access, appending, booleans") {
    World w;
    Main b(Rep::F64);
    bc::TypeIndex n = b.numberType();
    bc::TypeIndex arr = b.type(bc::TypeKind::Array, Rep::Ref, "Array<number>", {n});
    b.f.op(Op::NewArr, 0, 2, arr).op(Op::LoadF, 1, 5).op(Op::APush, 0, 1).op(Op::LoadI, 2, 1).op(Op::ASet, 0, 2, 1);
    SUBCASE("read") {
        b.f.op(Op::AGetI, 3, 0, 1).op(Op::AGet, 4, 0, 2).op(Op::AddF, 3, 3, 4).op(Op::Ret, 3);
        CHECK(w.number(b) == 10);
    }
    SUBCASE("outside") {
        b.f.op(Op::LoadI, 2, -1).op(Op::AGet, 4, 0, 2).op(Op::Ret, 4);
        CHECK(w.text(b) == "test.luapp:1: index -1 is out of range for an array of 2");
    }
    SUBCASE("writing beyond the end") {
        b.f.op(Op::LoadI, 2, 3).op(Op::ASet, 0, 2, 1).op(Op::Ret, 1);
        CHECK(w.text(b) == "test.luapp:1: index 3 is out of range for writing to an array of 2");
    }
    SUBCASE("dynamic access converts") {
        b.f.op(Op::BoxRef, 0, 0, 0).op(Op::LoadF, 1, 1).op(Op::IndexX, 2, 0, 1).op(Op::LoadF, 1, 2).op(Op::SetIndexX, 0, 1, 2);
        b.f.op(Op::LenX, 3, 0).op(Op::AddF, 3, 3, 2).op(Op::Ret, 3);
        CHECK(w.number(b) == 8);
    }
    SUBCASE("dynamic code cannot store another type") {
        b.f.op(Op::BoxRef, 0, 0, 0).op(Op::LoadF, 1, 1).op(Op::LoadNil, 2).op(Op::SetIndexX, 0, 1, 2).op(Op::Ret, 1);
        CHECK(w.text(b) == "test.luapp:1: Array<number> takes number, got nil");
    }
}

TEST_CASE("tables: optional reads, missing keys, iteration in order") {
    World w;
    Main b(Rep::F64);
    bc::TypeIndex st = b.stringType(), n = b.numberType();
    bc::TypeIndex tab = b.type(bc::TypeKind::Table, Rep::Ref, "Table<string, number>", {st, n});
    bc::DataIndex a = b.string("a"), c = b.string("c");
    b.f.op(Op::NewTab, 0, 0, tab).op(Op::LoadK, 1, a).op(Op::LoadK, 2, c).op(Op::LoadF, 3, 4);
    b.f.op(Op::TSetS, 0, 1, 3).op(Op::LoadF, 3, 5).op(Op::TSetS, 0, 2, 3);
    SUBCASE("sum of the values") {
        b.f.op(Op::LoadI, 5, -1).op(Op::LoadF, 6, 0);
        uint32_t top = b.f.here();
        uint32_t end = b.f.jump(Op::TNext, 5, 0);
        b.f.op(Op::TVal, 7, 0, 5).op(Op::AddF, 6, 6, 7);
        b.f.aim(b.f.jump(Op::Loop, 0), top);
        b.f.aim(end);
        b.f.op(Op::Ret, 6);
        CHECK(w.number(b) == 9);
    }
    SUBCASE("keys added while iterating") {
        b.f.op(Op::LoadI, 5, -1);
        uint32_t top = b.f.here();
        uint32_t end = b.f.jump(Op::TNext, 5, 0);
        b.f.op(Op::LoadK, 8, b.string("new")).op(Op::TSetS, 0, 8, 3);
        b.f.aim(b.f.jump(Op::Loop, 0), top);
        b.f.aim(end);
        b.f.op(Op::Ret, 3);
        CHECK(w.text(b) == "test.luapp:1: table changed during iteration");
    }
    SUBCASE("missing") {
        b.f.op(Op::LoadK, 1, b.string("Jane")).op(Op::TGetOptS, 4, 0, 1).op(Op::JNil, 4, 1).op(Op::Ret, 3).op(Op::TGetS, 4, 0, 1);
        b.f.op(Op::Ret, 4);
        CHECK(w.text(b) == "test.luapp:1: no key \"Jane\" in table");
    }
    SUBCASE("present") {
        b.f.op(Op::TGetOptS, 4, 0, 1).op(Op::Ret, 4);
        CHECK(w.number(b) == 4);
    }
}

TEST_CASE("strings") {
    World w;
    Main b(Rep::Ref);
    b.f.op(Op::LoadK, 0, b.string("x = ")).op(Op::LoadI, 1, 42).op(Op::ToStr, 1, 1, static_cast<int>(Rep::I64));
    b.f.op(Op::LoadK, 2, b.boxedNumber(0.5)).op(Op::ToStr, 2, 2, static_cast<int>(Rep::Box)).op(Op::ConcatN, 0, 0, 3).op(Op::Ret, 0);
    CHECK(w.text(b) == "x = 420.5");
}

TEST_CASE("conversions: what any may become") {
    World w;
    State& s = *w.s;
    const TypeDesc* number = s.types.basic(TypeKind::Number);
    const TypeDesc* integer = s.types.basic(TypeKind::Integer);
    const TypeDesc* optional = s.types.optional(number);
    CHECK(hasType(s, Value::number(2.5), number));
    CHECK_FALSE(hasType(s, Value::number(2.5), integer));
    CHECK(hasType(s, Value::number(2), integer));
    CHECK(hasType(s, Value::nil(), optional));
    CHECK(hasType(s, Value::number(1), optional));
    CHECK_FALSE(hasType(s, Value::boolean(true), optional));
    Array* a = newArray(s, s.types.arrayOf(number), 0);
    CHECK(hasType(s, Value::object(a), s.types.arrayOf(number)));
    CHECK_FALSE(hasType(s, Value::object(a), s.types.arrayOf(integer)));
    CHECK(typeNameOf(s, Value::object(a)) == "Array<number>");
    CHECK(refHasType(s, a, s.types.optional(s.types.arrayOf(number))));
    CHECK(refHasType(s, nullptr, s.types.optional(s.types.arrayOf(number))));
    CHECK_FALSE(refHasType(s, nullptr, s.types.arrayOf(number)));
    Word word = 0;
    CHECK(tryConvert(s, Value::number(7), integer, word));
    CHECK(integerOf(word) == 7);
}

TEST_CASE("conversions: an untyped function gets a checking wrapper") {
    World w;
    State& s = *w.s;
    const TypeDesc* number = s.types.basic(TypeKind::Number);
    TypeSpec spec;
    spec.kind = TypeKind::Function;
    spec.rep = Rep::Ref;
    spec.parts = std::span(&number, 1);
    spec.results = std::span(&number, 1);
    const TypeDesc* type = s.types.intern(spec);
    Closure* count = testClosure(s, kPCall);  // (any, ...any): ...any
    Word word = 0;
    CHECK(tryConvert(s, Value::function(count), type, word));
    Closure* wrapper = refOf<Closure>(word);
    CHECK(wrapper != count);
    CHECK(rawEquals(Value::function(wrapper), Value::function(count)));
    // pcall(5) gives false and a message: false is no number
    bool fine = protectedCall(s, [](State& st, void* f) { callRaw1(st, static_cast<Closure*>(f), wordOf(5.0)); }, wrapper);
    CHECK_FALSE(fine);
    CHECK(s.errorValue.asString()->view() == "result 1: expected number, got boolean");
}

TEST_CASE("lenient tables: metatables") {
    World w;
    State& s = *w.s;
    LuaTable* base = newLuaTable(s);
    LuaTable* meta = newLuaTable(s);
    LuaTable* t = newLuaTable(s);
    luaSetString(s, base, newString(s, "greeting"), Value::number(7));
    luaSetString(s, meta, newString(s, "__index"), Value::luaTable(base));
    luaSetString(s, meta, newString(s, "__call"), Value::function(testClosure(s, kCount)));
    luaSetString(s, meta, newString(s, "__add"), Value::function(testClosure(s, kCount)));
    setMetatable(s, t, meta);
    Value v = Value::luaTable(t);
    CHECK(member(s, v, newString(s, "greeting")).asNumber() == 7);
    CHECK(index(s, v, Value::number(1)).isNil());
    Value args[2] = {Value::nil(), Value::nil()};
    CHECK(callFirst(s, v, args).asNumber() == 3);
    CHECK(arith(s, bc::ArithOp::Add, Value::number(1), v).asNumber() == 2);
    CHECK(equals(s, v, v));
    setIndex(s, v, Value::number(1), Value::boolean(true));
    CHECK(length(s, v).asNumber() == 1);
}

TEST_CASE("members of library types, bound to their value") {
    World w;
    State& s = *w.s;
    Array* a = newArray(s, s.types.arrayOf(s.types.basic(TypeKind::Number)), 0);
    Value count = member(s, Value::object(a), newString(s, "count"));
    CHECK(count.isFunction());
    Value args[1] = {Value::nil()};
    CHECK(callFirst(s, count, args).asNumber() == 2);
    bool fine = protectedCall(
        s, [](State& st, void* o) { member(st, Value::object(static_cast<Array*>(o)), newString(st, "nothing")); }, a);
    CHECK_FALSE(fine);
    CHECK(s.errorValue.asString()->view() == "Array<number> has no member 'nothing'");
}

TEST_CASE("iteration over any") {
    World w;
    State& s = *w.s;
    Array* a = newArray(s, s.types.arrayOf(s.types.basic(TypeKind::Number)), 0);
    arrayPush(s, a, wordOf(4.0));
    arrayPush(s, a, wordOf(5.0));
    double sum = 0;
    IterTriplet one = iterate(s, Value::object(a), 1);
    for (;;) {
        Value v = callFirst(s, one.function, std::span<const Value>());
        if (v.isNil()) break;
        sum += v.asNumber();
    }
    CHECK(sum == 9);
    IterTriplet two = iterate(s, Value::object(a), 2);
    callFirst(s, two.function, std::span<const Value>());
    CHECK(Value::fromWord(s.results[0]).asNumber() == 0);
    CHECK(Value::fromWord(s.results[1]).asNumber() == 4);
}

TEST_CASE("coroutines: a yield leaves the interpreter and comes back") {
    World w;
    State& s = *w.s;
    Main b(Rep::Ref);
    bc::ProtoIndex f = b.proto("gen", {Rep::Box}, {}, 10);
    b.chunk.protos[f].returnsPack = true;
    b.chunk.protos[f].signature = b.functionType("(any): ...any", {b.any()}, {}, true);
    // local x = yield(n + 1); return x + n
    FunctionBuilder(b, f).op(Op::LoadF, 1, 1).op(Op::ArithX, 5, 0, 1, 0).op(Op::CallBV, 2, 1, 0, kYield)
        .op(Op::PackGet, 1, 0).op(Op::ArithX, 1, 1, 0, 0).op(Op::RetBoxes, 1, 1);
    bc::DataIndex k = b.data(DataKind::Function, Rep::Ref, f);
    b.f.op(Op::LoadK, 0, k).op(Op::Ret, 0);
    Value function = w.run(b);
    Coroutine* co = newCoroutine(s, function.asFunction());
    packOne(s, Value::number(10));
    CHECK(resume(s, co));
    CHECK(Value::fromWord(s.results[0]).asNumber() == 11);
    packOne(s, Value::number(100));
    CHECK(resume(s, co));
    CHECK(Value::fromWord(s.results[0]).asNumber() == 110);
    CHECK(isDead(co));
}

TEST_CASE("tracebacks: functions with their lines, builtins marked") {
    World w;
    Main b(Rep::F64);
    bc::TypeIndex n = b.numberType();
    bc::ProtoIndex f = b.proto("inner", {Rep::F64}, {Rep::F64}, 4);
    b.chunk.protos[f].signature = b.functionType("(number): number", {n}, {n});
    FunctionBuilder(b, f).line(0, 9).op(Op::LoadNil, 1).op(Op::UnboxF, 1, 1).op(Op::Ret, 1);
    bc::DataIndex k = b.data(DataKind::Function, Rep::Ref, f);
    b.f.line(0, 20).op(Op::LoadK, 5, k).op(Op::LoadF, 6, 3).op(Op::CallB, 2, kTwice).op(Op::Ret, 2);
    Program* p = w.load(b);
    bool fine = protectedCall(
        *w.s, [](State& s, void* data) { runProgram(s, *static_cast<Program*>(data)); }, p,
        [](State& s, void*) { s.errorTraceback = traceback(s, nullptr, {}, 1); }, nullptr);
    CHECK_FALSE(fine);
    CHECK(w.s->errorValue.asString()->view() == "test.luapp:9: expected number, got nil");
    CHECK(std::string(w.s->errorTraceback->view()) ==
          "stack traceback:\n\ttest.luapp:9: in function 'inner'"
          "\n\t[builtin]: in function 'twice'\n\ttest.luapp:20: in main chunk");
}
