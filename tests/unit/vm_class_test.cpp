// Classes at run time, on chunks assembled by hand: calls through method tables, type tests, members by name, finalisers.
#include <doctest/doctest.h>

#include <string>

#include "chunk_builder.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/serialize.h"
#include "runtime/bytecode/verify.h"
#include "runtime/object/table.h"
#include "runtime/vm/call.h"
#include "runtime/vm/class_desc.h"
#include "runtime/vm/convert.h"
#include "runtime/vm/finalizers.h"
#include "runtime/vm/load.h"
#include "runtime/vm/meta.h"

using namespace luapp;
using namespace luapp::rt;
using namespace luapp::test;
using bc::Access;
using bc::DataKind;

namespace {

/// The rectangle w x h with a private name, and a square that overrides the area (entry 3) and adds a side of its own; the
/// interface HasArea; and a class Other that has nothing to do with them.
struct Shapes : ChunkBuilder {
    bc::TypeIndex any_ = any(), number = numberType(), text = stringType();
    bc::TypeIndex hasArea = declared(bc::TypeKind::Interface, "HasArea");
    bc::TypeIndex rect = declared(bc::TypeKind::Class, "Rect");
    bc::TypeIndex square = declared(bc::TypeKind::Class, "Square");
    bc::TypeIndex other = declared(bc::TypeKind::Class, "Other");
    bc::ProtoIndex main = proto("main", {}, {Rep::F64}, 40);
    bc::ProtoIndex rectArea = method("Rect.area", rect, {}, number);
    bc::ProtoIndex squareArea = method("Square.area", square, {}, number);
    bc::ProtoIndex rectGrow = method("Rect.grow", rect, {number}, number);
    bc::ProtoIndex rectAdd = method("Rect.__add", rect, {rect}, rect);
    bc::ProtoIndex rectScale = free("Rect.__mul", {number, rect}, rect);
    bc::ProtoIndex rectText = method("Rect.__tostring", rect, {}, text);
    bc::ProtoIndex rectGet = method("Rect.__index", rect, {number}, number);
    bc::ProtoIndex rectCount = method("Rect.count", rect, {}, number);
    bc::ProtoIndex makeRect = free("Rect", {number, number}, rect);
    bc::ProtoIndex makeSquare = free("Square", {number}, square);
    bc::DataIndex made = variable("made", Rep::F64);

    Shapes() {
        chunk.entry = main;
        bc::TypeIndex packType = functionType("(Rect, ...any): number", {rect}, {number}, false, any_);
        chunk.protos[rectCount].signature = packType;
        chunk.protos[rectCount].isVararg = true;
        chunk.protos[rectCount].frameSize = 8;
        code(rectArea).op(Op::GetF, 1, 0, 0).op(Op::GetF, 2, 0, 1).op(Op::MulF, 1, 1, 2).op(Op::Ret, 1);
        code(squareArea).op(Op::GetF, 1, 0, 0).op(Op::MulF, 1, 1, 1).op(Op::Ret, 1);
        code(rectGrow).op(Op::GetF, 2, 0, 0).op(Op::AddF, 2, 2, 1).op(Op::SetF, 0, 0, 2).op(Op::Ret, 2);
        FunctionBuilder add = code(rectAdd);
        add.op(Op::NewObj, 2, 4, rect).op(Op::GetF, 3, 0, 0).op(Op::GetF, 4, 1, 0).op(Op::AddF, 3, 3, 4).op(Op::SetF, 2, 0, 3);
        add.op(Op::Ret, 2);
        FunctionBuilder scale = code(rectScale);
        scale.op(Op::NewObj, 2, 4, rect).op(Op::GetF, 3, 1, 0).op(Op::MulF, 3, 3, 0).op(Op::SetF, 2, 0, 3).op(Op::Ret, 2);
        code(rectText).op(Op::LoadK, 1, string("a rectangle")).op(Op::Ret, 1);
        code(rectGet).op(Op::AddFI, 2, 1, 100).op(Op::Ret, 2);
        code(rectCount).op(Op::VarargPrep, 0, 1).op(Op::VarargCount, 1).op(Op::IToF, 1, 1).op(Op::Ret, 1);
        FunctionBuilder make = code(makeRect);
        make.op(Op::NewObj, 2, 4, rect).op(Op::SetF, 2, 0, 0).op(Op::SetF, 2, 1, 1).op(Op::LoadNil, 3).op(Op::SetF, 2, 2, 3).op(Op::Ret, 2);
        code(makeSquare).op(Op::NewObj, 2, 5, square).op(Op::SetF, 2, 0, 0).op(Op::SetF, 2, 1, 0).op(Op::Ret, 2);
        describe(rect, 4, {rect, hasArea}, rectArea);
        describe(square, 5, {square, rect, hasArea}, squareArea);
        chunk.classes[1].fields.push_back({symbol("late"), 4, text, square, Access::Public, false, true, Rep::Ref});
        chunk.classes[0].makers = {makeRect};
        chunk.classes[1].makers = {makeSquare};
        chunk.classes.push_back({});
        chunk.classes.back().type = other;
        chunk.classes.back().ancestors = {other};
    }

    bc::TypeIndex declared(bc::TypeKind kind, std::string_view name) {
        bc::TypeIndex t = type(kind, Rep::Ref, name);
        chunk.types[t].isNominal = true;
        return t;
    }
    bc::ProtoIndex free(std::string_view name, std::vector<bc::TypeIndex> params, bc::TypeIndex result) {
        std::vector<Rep> reps;
        for (bc::TypeIndex t : params) reps.push_back(chunk.types[t].rep);
        bc::ProtoIndex p = proto(name, reps, {chunk.types[result].rep}, 8);
        bc::TypeIndex signature = functionType(name, params, {result});
        chunk.protos[p].signature = signature;
        return p;
    }
    bc::ProtoIndex method(std::string_view name, bc::TypeIndex self, std::vector<bc::TypeIndex> params, bc::TypeIndex result) {
        params.insert(params.begin(), self);
        return free(name, params, result);
    }
    FunctionBuilder code(bc::ProtoIndex p) { return FunctionBuilder(*this, p); }
    FunctionBuilder code() { return code(main); }
    bc::ClassMemberData memberData(std::string_view name, bc::ProtoIndex f, bool isStatic, Access access = Access::Public) {
        return {symbol(name), f, bc::kNoIndex, bc::kNoIndex, rect, access, isStatic, false};
    }
    void describe(bc::TypeIndex t, uint32_t words, std::vector<bc::TypeIndex> ancestors, bc::ProtoIndex area) {
        bc::ClassData k;
        k.type = t;
        k.words = words;
        k.ancestors = std::move(ancestors);
        k.fields = {{symbol("w"), 0, number, rect, Access::Public, false, false, Rep::F64},
                    {symbol("h"), 1, number, rect, Access::Public, true, false, Rep::F64},
                    {symbol("tag"), 2, any_, rect, Access::Public, false, false, Rep::Box},
                    {symbol("secret"), 3, text, rect, Access::Private, false, false, Rep::Ref}};
        k.table = {bc::kNoIndex, rectGrow, rectCount, area};
        k.members = {memberData("area", area, false),          memberData("grow", rectGrow, false),
                     memberData("count", rectCount, false),    memberData("__add", rectAdd, false),
                     memberData("__mul", rectScale, true),     memberData("__tostring", rectText, false),
                     memberData("__index", rectGet, false),    memberData("helper", rectArea, false, Access::Protected),
                     memberData("make", makeRect, true)};
        bc::ClassMemberData field{symbol("made"), bc::kNoIndex, made, number, rect, Access::Public, true, false};
        k.members.push_back(field);
        chunk.classes.push_back(k);
    }
};

struct World {
    State* s;
    Program* p = nullptr;
    World() {
        StateOptions options;
        options.hooks = &kVmHooks;
        s = State::create(options);
    }
    ~World() { State::destroy(s); }

    World& load(ChunkBuilder& b) {
        std::string error;
        CHECK_MESSAGE(bc::verify(b.chunk, {}, error), error);
        p = loadProgram(*s, std::move(b.chunk));
        return *this;
    }
    Value run() {
        s->resultCount = 0;
        if (!protectedCall(*s, [](State& st, void* d) { runProgram(st, *static_cast<Program*>(d)); }, p)) return s->errorValue;
        return s->resultCount != 0 ? Value::fromWord(s->results[0]) : Value::nil();
    }
    /// What `action` gives as text: tostring of the value, or the error message.
    template <class F>
    std::string text(F action) {
        struct Job {
            F* action;
            Value result;
        } job{&action, Value::nil()};
        bool ok = protectedCall(
            *s,
            [](State& st, void* d) {
                auto* j = static_cast<Job*>(d);
                j->result = Value::string(toText(st, (*j->action)(st)));
            },
            &job);
        return std::string((ok ? job.result : s->errorValue).asString()->view());
    }
    String* name(std::string_view n) { return newString(*s, n); }
    Value classOfType(std::string_view n) {
        for (const auto& c : p->classes)
            if (c->type->name == n) return classValue(*s, c->type);
        return Value::nil();
    }
    Value make(std::string_view n, std::vector<Value> args) { return callFirst(*s, classOfType(n), args); }
};

std::string refusal(bc::Chunk c) {
    std::string error;
    CHECK_FALSE(bc::verify(c, {}, error));
    return error;
}

}  // namespace

TEST_CASE("methods are called through the table of the object's class") {
    Shapes b;
    b.code().op(Op::LoadF, 13, 2).op(Op::LoadF, 14, 5).op(Op::Call, 10, b.makeRect).op(Op::Move, 0, 10);
    b.code().op(Op::LoadF, 13, 3).op(Op::Call, 10, b.makeSquare).op(Op::Move, 1, 10);
    b.code().op(Op::Move, 13, 0).op(Op::CallM, 10, 3).op(Op::Move, 2, 10);
    b.code().op(Op::Move, 13, 1).op(Op::CallM, 10, 3).op(Op::MulFI, 3, 10, 100).op(Op::AddF, 3, 3, 2).op(Op::Ret, 3);
    World w;
    CHECK(w.load(b).run() == Value::number(910));
}

TEST_CASE("vararg methods, packs, and entries that no class has") {
    Shapes b;
    b.code().op(Op::LoadF, 13, 2).op(Op::LoadF, 14, 5).op(Op::Call, 10, b.makeRect).op(Op::Move, 0, 10);
    b.code().op(Op::Move, 13, 0).op(Op::LoadNil, 14).op(Op::LoadNil, 15).op(Op::CallMV, 10, 2, 0, 2).op(Op::Move, 1, 10);
    b.code().op(Op::LoadNil, 20).op(Op::LoadNil, 21).op(Op::PackMake, 20, 2);
    b.code().op(Op::Move, 13, 0).op(Op::LoadNil, 14).op(Op::CallMVPack, 10, 1, 0, 2).op(Op::MulFI, 2, 10, 10).op(Op::AddF, 2, 2, 1);
    b.code().op(Op::Ret, 2);
    World w;
    CHECK(w.load(b).run() == Value::number(32));
    for (unsigned entry : {0u, 4u, 100u}) {
        Shapes bad;
        bad.code().op(Op::NewObj, 3, 4, bad.rect).op(Op::CallM, 0, entry).op(Op::Ret, 0);
        World other;
        Value v = other.load(bad).run();
        CHECK(v.isString());
        if (v.isString()) CHECK(v.asString()->view() == "the object has no such method");
    }
}

TEST_CASE("type tests look at all ancestors, and at this program's classes only") {
    Shapes b;
    b.chunk.protos[b.main].results = {Rep::I64};
    FunctionBuilder f = b.code();
    f.op(Op::NewObj, 1, 5, b.square).op(Op::LoadI, 0, 0);
    for (bc::TypeIndex t : {b.rect, b.square, b.hasArea, b.other})
        f.op(Op::IsTypeRef, 2, 1, 0, t).op(Op::MulII, 0, 0, 10).op(Op::AddI, 0, 0, 2);
    f.op(Op::BoxRef, 1, 1, 0);
    for (bc::TypeIndex t : {b.rect, b.other}) f.op(Op::IsType, 2, 1, 0, t).op(Op::MulII, 0, 0, 10).op(Op::AddI, 0, 0, 2);
    f.op(Op::Ret, 0);
    World w;
    CHECK(w.load(b).run() == Value::number(111010));
    Value square = w.make("Square", {Value::number(2)});
    const TypeDesc* rect = w.p->types[b.rect];
    CHECK(hasType(*w.s, square, rect));
    Shapes again;
    again.code().op(Op::LoadF, 0, 0).op(Op::Ret, 0);
    w.load(again);
    CHECK(w.p->types[again.rect] != rect);
    CHECK_FALSE(hasType(*w.s, square, w.p->types[again.rect]));
    CHECK(w.text([&](State& s) {
        (void)convert(s, square, w.p->types[again.square], bc::CheckKind::Convert);
        return Value::nil();
    }) == "expected Square, got one of another program");
}

TEST_CASE("members by name: fields, bound methods, access, unset fields, suggestions") {
    Shapes b;
    b.code().op(Op::LoadF, 0, 0).op(Op::Ret, 0);
    World w;
    w.load(b);
    Value r = w.make("Rect", {Value::number(2), Value::number(5)});
    Value q = w.make("Square", {Value::number(3)});
    auto get = [&](Value o, std::string_view n) { return w.text([&](State& s) { return member(s, o, w.name(n)); }); };
    auto set = [&](Value o, std::string_view n, Value v) {
        return w.text([&](State& s) {
            setMember(s, o, w.name(n), v);
            return member(s, o, w.name(n));
        });
    };
    CHECK(get(r, "w") == "2");
    CHECK(get(r, "tag") == "nil");
    CHECK(get(r, "secret") == "member 'secret' of Rect is private");
    CHECK(get(q, "helper") == "member 'helper' of Rect is protected");
    CHECK(get(q, "late") == "field 'late' is read before it is set");
    CHECK(get(r, "aera") == "Rect has no member 'aera' (did you mean 'area'?)");
    CHECK(get(r, "completelyUnknown") == "Rect has no member 'completelyUnknown'");
    CHECK(get(r, "make") == "member 'make' of Rect is static: it belongs to the class, not to its objects");
    CHECK(set(r, "w", Value::number(7)) == "7");
    CHECK(set(r, "w", Value::string(w.name("x"))) == "field 'w': expected number, got string");
    CHECK(set(r, "h", Value::number(1)) == "member 'h' of Rect cannot be assigned");
    CHECK(set(r, "area", Value::nil()) == "member 'area' of Rect cannot be assigned");
    CHECK(set(r, "secret", Value::nil()) == "member 'secret' of Rect is private");
    CHECK(set(q, "late", Value::string(w.name("now"))) == "now");
    Value bound = member(*w.s, q, w.name("area"));
    CHECK(callFirst(*w.s, bound, {}) == Value::number(9));
    CHECK(rawEquals(bound, member(*w.s, q, w.name("area"))));
    CHECK_FALSE(rawEquals(bound, member(*w.s, r, w.name("area"))));
    CHECK(get(w.classOfType("Rect"), "made") == "0");
    CHECK(set(w.classOfType("Rect"), "made", Value::number(3)) == "3");
    CHECK(get(w.classOfType("Square"), "made") == "3");
    CHECK(get(w.classOfType("Rect"), "area") == "member 'area' of Rect is not static: it needs an object");
    CHECK(get(w.classOfType("Rect"), "mode") == "Rect has no member 'mode' (did you mean 'made'?)");
}

TEST_CASE("dynamic calls check their arguments, class values make objects") {
    Shapes b;
    b.code().op(Op::LoadF, 0, 0).op(Op::Ret, 0);
    World w;
    w.load(b);
    Value r = w.make("Rect", {Value::number(2), Value::number(5)});
    auto callMethod = [&](Value o, std::string_view n, std::vector<Value> args) {
        return w.text([&](State& s) {
            args.insert(args.begin(), o);
            return callFirst(s, method(s, o, w.name(n)), args);
        });
    };
    CHECK(callMethod(r, "grow", {Value::number(1)}) == "3");
    CHECK(callMethod(r, "grow", {Value::string(w.name("x"))}) == "bad argument #1 to 'Rect.grow' (expected number, got string)");
    CHECK(callMethod(r, "grow", {}) == "bad argument #1 to 'Rect.grow' (expected number, got no value)");
    CHECK(callMethod(r, "count", {Value::nil(), Value::nil()}) == "2");
    Value grow = method(*w.s, r, w.name("grow"));
    CHECK(w.text([&](State& s) { return callFirst(s, grow, std::vector<Value>{Value::number(1), Value::number(1)}); }) ==
          "calling 'Rect.grow' on bad self (expected Rect, got number)");
    CHECK(w.text([&](State& s) { return callFirst(s, w.classOfType("Rect"), {}); }) == "no constructor of Rect takes 0 arguments");
    CHECK(w.text([&](State& s) { return callFirst(s, w.classOfType("Other"), {}); }) == "no constructor of Other takes 0 arguments");
    CHECK(w.text([&](State& s) { return callFirst(s, w.classOfType("Rect"), std::vector<Value>{r, r}); }) ==
          "bad argument #1 to 'Rect' (expected number, got Rect)");
    CHECK(w.text([&](State&) { return w.classOfType("Rect"); }) == "class Rect");
    CHECK(std::string(typeName(w.classOfType("Rect"))) == "class");
    CHECK(std::string(typeName(r)) == "object");
    CHECK(typeNameOf(*w.s, r) == "Rect");
    CHECK(w.classOfType("Rect") == w.classOfType("Rect"));
    setMember(*w.s, r, w.name("tag"), w.classOfType("Square"));
    CHECK(callMethod(r, "tag", {Value::number(4)}) == "a rectangle");
}

TEST_CASE("operators of objects that are known at run time only") {
    Shapes b;
    b.code().op(Op::LoadF, 0, 0).op(Op::Ret, 0);
    World w;
    w.load(b);
    Value r = w.make("Rect", {Value::number(2), Value::number(5)});
    auto width = [&](Value o) { return member(*w.s, o, w.name("w")).asNumber(); };
    CHECK(width(arith(*w.s, bc::ArithOp::Add, r, r)) == 4);
    CHECK(width(arith(*w.s, bc::ArithOp::Mul, Value::number(3), r)) == 6);
    CHECK(w.text([&](State& s) { return arith(s, bc::ArithOp::Sub, r, r); }) == "attempt to perform arithmetic on an object value");
    CHECK(w.text([&](State& s) { return arith(s, bc::ArithOp::Add, r, Value::number(1)); }) ==
          "bad argument #1 to 'Rect.__add' (expected Rect, got number)");
    CHECK(w.text([&](State&) { return r; }) == "a rectangle");
    CHECK(index(*w.s, r, Value::number(1)) == Value::number(101));
    CHECK(index(*w.s, r, Value::string(w.name("w"))) == Value::number(2));
    CHECK(w.text([&](State& s) { return Value::boolean(lessThan(s, r, r)); }) == "attempt to compare two Rect values");
    CHECK(equals(*w.s, r, r));
    CHECK_FALSE(equals(*w.s, r, Value::number(1)));
}

TEST_CASE("objects keep what they refer to, and are small") {
    Shapes b;
    b.code().op(Op::LoadF, 0, 0).op(Op::Ret, 0);
    World w;
    w.load(b);
    Value r = w.make("Rect", {Value::number(2), Value::number(5)});
    Value volatile kept = r;
    setMember(*w.s, r, w.name("tag"), Value::string(newString(*w.s, "a string that only the field of the object refers to")));
    for (int i = 0; i < 3; ++i) {
        w.s->heap.collect();
        for (int k = 0; k < 1000; ++k) newString(*w.s, "a string that fills the memory that is free again ......");
    }
    Value tag = member(*w.s, r, w.name("tag"));
    CHECK(tag.asString()->view() == "a string that only the field of the object refers to");
    CHECK(hasType(*w.s, tag, w.s->types.basic(rt::TypeKind::String)));
    // Two number fields: header and two words.
    CHECK(Heap::roundedSize(Instance::kFieldsOffset + 2 * sizeof(Word)) <= 32);
    (void)kept;
}

TEST_CASE("bound methods of the compiler are equal if code and object are") {
    Shapes b;
    bc::TypeIndex signature = b.functionType("(): number", {}, {b.number});
    bc::ProtoIndex thunk = b.proto("Rect.area", {}, {Rep::F64}, 8);
    b.chunk.protos[thunk].signature = signature;
    b.chunk.protos[thunk].captures = {Rep::Ref};
    b.chunk.valueTypes.push_back({.type = b.rect});
    b.chunk.protos[thunk].captureTypes = {1};
    b.chunk.protos[thunk].isBound = true;
    b.code(thunk).op(Op::GetCap, 3, 0).op(Op::CallM, 0, 3).op(Op::Ret, 0);
    b.chunk.protos[b.main].results = {Rep::Box};
    b.chunk.protos[b.main].returnsPack = true;
    b.chunk.protos[b.main].results = {};
    FunctionBuilder f = b.code();
    f.op(Op::NewObj, 0, 5, b.square).op(Op::NewObj, 1, 5, b.square);
    for (int k = 0; k < 3; ++k) f.op(Op::Closure, 2 + k, 1, thunk).op(Op::SetCap, 2 + k, 0, k == 2 ? 1 : 0);
    for (int k = 0; k < 3; ++k) f.op(Op::BoxRef, 2 + k, 2 + k, 0);
    f.op(Op::RetBoxes, 2, 3);
    World w;
    w.load(b).run();
    CHECK(w.s->resultCount == 3);
    Value a = Value::fromWord(w.s->results[0]), same = Value::fromWord(w.s->results[1]), different = Value::fromWord(w.s->results[2]);
    CHECK(rawEquals(a, same));
    CHECK_FALSE(rawEquals(a, different));
    const TypeDesc* type = w.s->types.tableOf(w.s->types.basic(rt::TypeKind::Any), w.s->types.basic(rt::TypeKind::Number));
    Table* t = newTable(*w.s, type, 0);
    for (double k = 0; k < 20; ++k) setKey(*w.s, t, Value::number(k), wordOf(k));
    setKey(*w.s, t, a, wordOf(42.0));
    CHECK(lookupKey(*w.s, t, same) != nullptr);
    CHECK(lookupKey(*w.s, t, different) == nullptr);
    CHECK(callFirst(*w.s, a, {}) == Value::number(0));
}

namespace {

/// A class whose finaliser notes the object's number in the variable `log`: log = log * 10 + number. Number 9 raises an error.
struct Finalised : ChunkBuilder {
    bc::TypeIndex number = numberType();
    bc::TypeIndex type_ = type(bc::TypeKind::Class, Rep::Ref, "F");
    bc::DataIndex log = variable("log", Rep::F64);
    bc::ProtoIndex main = proto("main", {}, {Rep::F64}, 40);
    bc::ProtoIndex gc = proto("F.__gc", {Rep::Ref}, {}, 8);
    bc::ProtoIndex make = proto("F", {Rep::F64}, {Rep::Ref}, 8);
    bc::ProtoIndex leaf = proto("leaf", {}, {}, 8);

    Finalised() {
        chunk.entry = main;
        chunk.types[type_].isNominal = true;
        chunk.protos[make].signature = functionType("(number): F", {number}, {type_});
        chunk.valueTypes.push_back({.type = type_});
        chunk.protos[gc].paramTypes = {1};
        FunctionBuilder g(*this, gc);
        g.op(Op::GetF, 1, 0, 0);
        uint32_t fine = g.jump(Op::JNeFI, 1, 9);
        g.op(Op::Raise, static_cast<int>(ErrorKind::IntegerOverflow));
        g.aim(fine);
        g.op(Op::GetG, 2, log).op(Op::MulFI, 2, 2, 10).op(Op::AddF, 2, 2, 1).op(Op::SetG, 2, log).op(Op::Ret0);
        FunctionBuilder(*this, make).op(Op::NewObj, 1, 1, type_).op(Op::SetF, 1, 0, 0).op(Op::Ret, 1);
        FunctionBuilder(*this, leaf).op(Op::Ret0);
        bc::ClassData k;
        k.type = type_;
        k.words = 1;
        k.ancestors = {type_};
        k.fields = {{symbol("n"), 0, number, type_, Access::Public, false, false, Rep::F64}};
        k.makers = {make};
        k.finalizer = gc;
        chunk.classes.push_back(k);
    }
};

}  // namespace

namespace {

/// Makes objects with these numbers, in a frame of its own so that nothing of them is left on the native stack.
LUAPP_NOINLINE void makeObjects(World& w, const std::vector<double>& numbers) {
    for (double n : numbers) (void)w.make("F", {Value::number(n)});
}
LUAPP_NOINLINE void clearStack() {
    char unused[8192];
    std::memset(unused, 0, sizeof unused);
    asm volatile("" : : "r"(unused) : "memory");
}
/// Makes objects and has the collector find that nothing refers to them.
void loseObjects(World& w, const std::vector<double>& numbers) {
    w.s->heap.setEnabled(false);
    makeObjects(w, numbers);
    clearStack();
    w.s->results[0] = kNilBox;
    std::memset(w.s->context->stackBase, 0, 4096 * sizeof(Word));
    w.s->heap.collect();
    w.s->heap.setEnabled(true);
}
double logOf(const World& w, const Finalised& b) { return numberOf(w.p->data[b.log]); }

}  // namespace

TEST_CASE("finalisers run at calls and loops after a collection, the youngest object first, each once") {
    Finalised b;
    FunctionBuilder(b, b.main).op(Op::Call, 0, b.leaf).op(Op::GetG, 0, b.log).op(Op::Ret, 0);
    World w;
    bc::DataIndex log = b.log;
    w.load(b);
    loseObjects(w, {1, 2, 3, 4});
    CHECK(numberOf(w.p->data[log]) == 0);
    CHECK(w.run() == Value::number(4321));
    CHECK_FALSE(w.s->isRequested(kFinalizersRequest));
    w.s->heap.collect();
    CHECK(w.run() == Value::number(4321));
}

TEST_CASE("an error in a finaliser does not disturb the program; what is left is finalised at the end") {
    Finalised b;
    FunctionBuilder(b, b.main).op(Op::Call, 0, b.leaf).op(Op::GetG, 0, b.log).op(Op::Ret, 0);
    World w;
    w.s->warn = [](State& s, std::string_view text) {
        CHECK(text == "error in __gc: integer overflow");
        s.argCount = 77;
    };
    w.load(b);
    Value volatile kept = w.make("F", {Value::number(5)});
    loseObjects(w, {1, 9, 2});
    CHECK(w.run() == Value::number(21));
    CHECK(logOf(w, b) == 21);
    finaliseObjects(*w.s);
    CHECK(logOf(w, b) == 215);
    finaliseObjects(*w.s);
    CHECK(logOf(w, b) == 215);
    (void)kept;
}

TEST_CASE("finalisers leave arguments, packs and counters of the interrupted code alone") {
    // Each way of calling: the safepoint is the call itself or the loop's end.
    for (int way = 0; way < 4; ++way) {
        Finalised b;
        bc::TypeIndex any = b.any();
        bc::ProtoIndex sum = b.proto("sum", {Rep::F64}, {Rep::F64}, 12);
        b.chunk.protos[sum].isVararg = true;
        b.chunk.protos[sum].signature = b.functionType("(number, ...any): number", {b.number}, {b.number}, false, any);
        FunctionBuilder f(b, sum);
        f.op(Op::VarargPrep, 0, 1).op(Op::VarargCount, 1).op(Op::IToF, 1, 1).op(Op::MulFI, 1, 1, 10).op(Op::AddF, 0, 0, 1);
        f.op(Op::VarargGet, 1, 1).op(Op::UnboxF, 1, 1).op(Op::AddF, 0, 0, 1).op(Op::Ret, 0);
        FunctionBuilder m(b, b.main);
        m.op(Op::LoadF, 13, 3).op(Op::LoadF, 14, 200).op(Op::LoadF, 15, 400);
        if (way == 0) m.op(Op::CallV, 10, 2, 0, sum);
        if (way == 1) m.op(Op::PackMake, 14, 2).op(Op::CallVPack, 10, 0, 0, sum);
        if (way == 2) m.op(Op::LoadK, 12, b.data(DataKind::Function, Rep::Ref, sum)).op(Op::CallCloV, 10, 2);
        if (way == 3) {
            m.op(Op::LoadI, 0, 0).op(Op::LoadI, 1, 5);
            uint32_t loop = m.here();
            uint32_t jump = m.jump(Op::LoopLtI, 0, 1, 1);
            m.aim(jump, loop);
            m.op(Op::CallV, 10, 2, 0, sum);
        }
        m.op(Op::Ret, 10);
        World w;
        w.load(b);
        loseObjects(w, {1, 2, 3});
        CHECK(w.run() == Value::number(423));
        // Some may be kept by what is left on the native stack; the youngest one is not.
        CHECK(static_cast<int>(logOf(w, b)) >= (way == 2 ? 0 : 3));
    }
}

TEST_CASE("chunks with classes survive writing and reading, and can be shown") {
    Shapes b;
    b.code().op(Op::NewObj, 3, 4, b.rect).op(Op::CallM, 0, 3).op(Op::Ret, 0);
    b.data(DataKind::Class, Rep::Box, b.rect);
    std::string before = bc::disassemble(b.chunk);
    CHECK(before.find("CALLM           0 3") != std::string::npos);
    CHECK(before.find("class Square words 5") != std::string::npos);
    CHECK(before.find("[3]     ref private secret: string") != std::string::npos);
    CHECK(before.find("entry 3 Square.area") != std::string::npos);
    std::vector<uint8_t> bytes = bc::serialize(b.chunk);
    bc::Chunk read;
    std::string error;
    CHECK_MESSAGE(bc::deserialize(bytes, read, error), error);
    CHECK(bc::serialize(read) == bytes);
    CHECK(bc::disassemble(read) == before);
    CHECK(bc::verify(read, {}, error));
}

TEST_CASE("classes that are not well formed are refused") {
    auto broken = [](void (*damage)(Shapes&)) {
        Shapes b;
        b.code().op(Op::LoadF, 0, 0).op(Op::Ret, 0);
        damage(b);
        return refusal(b.chunk);
    };
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].type = b.number; }) == "class 0: its type is no class");
    CHECK(broken([](Shapes& b) { b.chunk.classes[1].type = b.rect; }) == "class 1: another one has the same type");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].words = 251; }) == "class 0: objects of 251 words");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].fields[0].word = 4; }) == "class 0: field 'w' is outside the object");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].fields[0].word = 1; }) == "class 0: two fields in word 1");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].fields[0].rep = Rep::Ref; }) == "class 0: bad type of field 'w'");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].table[1] = 99; }) == "class 0: bad function in the method table");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].table[1] = b.rectScale; }) == "class 0: bad function in the method table");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].members[0].function = bc::kNoIndex; }) ==
          "class 0: member 'area' is neither function nor field");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].makers = {b.rectArea}; }) == "class 0: bad function that makes objects");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].finalizer = b.rectGrow; }) == "class 0: bad finalizer");
    CHECK(broken([](Shapes& b) { b.chunk.classes[0].ancestors.push_back(b.number); }) == "class 0: bad ancestor");
    CHECK(broken([](Shapes& b) { b.chunk.classes[2].ancestors.push_back(b.rect); }) ==
          "class 2: its objects do not have the layout of Rect");
    CHECK(broken([](Shapes& b) { b.code().op(Op::NewObj, 0, 3, b.rect).op(Op::Ret0); }).ends_with("wrong size of an object"));
    CHECK(broken([](Shapes& b) { b.code().op(Op::CallMV, 0, 0, 0, 1 << 24).op(Op::Ret0); }).ends_with("there is no method 16777216"));
    CHECK(broken([](Shapes& b) { b.data(DataKind::Class, Rep::Box, b.hasArea); }).ends_with("bad class"));
}
