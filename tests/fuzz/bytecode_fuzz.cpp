// Mutation fuzzing of the chunk reader, verifier, disassembler and loader: `bytecode_fuzz [SECONDS [SEED]]`. Damages the bytes of
// chunks that are right, repairs the checksum and passes them on; what the verifier accepts is loaded (not run: registers
// are not typed yet). A crash or a sanitizer report is a bug; with LUAPP_FUZZ_KEEP set, the last input is in bytecode_fuzz_last.lbc.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "../unit/chunk_builder.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/serialize.h"
#include "runtime/bytecode/verify.h"
#include "runtime/vm/call.h"
#include "runtime/vm/load.h"

using namespace luapp;
using namespace luapp::test;

namespace {

using Bytes = std::vector<uint8_t>;

/// A class with an ancestor, each kind of field and member, a method table with a hole, makers and a finaliser.
void addClasses(ChunkBuilder& b, bc::TypeIndex number, bc::TypeIndex string) {
    using bc::Access;
    auto declare = [&](bc::TypeKind kind, std::string_view name) {
        bc::TypeIndex t = b.type(kind, Rep::Ref, name);
        b.chunk.types[t].isNominal = true;
        return t;
    };
    bc::TypeIndex shape = declare(bc::TypeKind::Interface, "Shape"), base = declare(bc::TypeKind::Class, "Base");
    bc::TypeIndex derived = declare(bc::TypeKind::Class, "Derived");
    bc::ProtoIndex area = b.proto("Base.area", {Rep::Ref}, {Rep::F64}, 8), gc = b.proto("Base.__gc", {Rep::Ref}, {}, 8);
    bc::ProtoIndex make = b.proto("Derived", {}, {Rep::Ref}, 8);
    b.chunk.protos[area].signature = b.functionType("(Base): number", {base}, {number});
    b.chunk.protos[make].signature = b.functionType("(): Derived", {}, {derived});
    FunctionBuilder(b, area).op(Op::GetF, 1, 0, 0).op(Op::Ret, 1);
    FunctionBuilder(b, gc).op(Op::Move, 4, 0).op(Op::CallM, 1, 1).op(Op::CallMV, 1, 0, 0, 1).op(Op::Ret0);
    FunctionBuilder(b, make).op(Op::NewObj, 0, 3, derived).op(Op::Ret, 0);
    bc::ClassData k;
    k.type = base;
    k.words = 2;
    k.ancestors = {base, shape};
    k.fields = {{b.symbol("x"), 0, number, base, Access::Public, true, false, Rep::F64},
                {b.symbol("name"), 1, string, base, Access::Private, false, true, Rep::Ref}};
    k.table = {bc::kNoIndex, area};
    k.members = {{b.symbol("area"), area, bc::kNoIndex, bc::kNoIndex, base, Access::Protected, false, true}};
    k.finalizer = gc;
    b.chunk.classes.push_back(k);
    k.type = derived;
    k.words = 3;
    k.ancestors = {derived, base, shape};
    k.fields.push_back({0, 2, bc::kNoIndex, derived, Access::Private, false, false, Rep::Bool});
    bc::DataIndex made = b.variable("made", Rep::F64);
    k.members.push_back({b.symbol("made"), bc::kNoIndex, made, number, derived, Access::Public, true, false});
    k.makers = {make};
    b.chunk.classes.push_back(k);
    b.data(bc::DataKind::Class, Rep::Box, derived);
}

/// A chunk with every kind of table entry and a function made of one of each opcode that fits.
Bytes seedProgram() {
    ChunkBuilder b = fibProgram(10);
    bc::TypeIndex number = b.numberType(), any = b.any(), string = b.stringType();
    bc::TypeIndex nil = b.type(bc::TypeKind::Nil, Rep::Box, "nil");
    bc::TypeIndex array = b.type(bc::TypeKind::Array, Rep::Ref, "Array<number>", {number});
    bc::TypeIndex table = b.type(bc::TypeKind::Table, Rep::Ref, "Table<string, number>", {string, number});
    bc::TypeIndex node = b.type(bc::TypeKind::Record, Rep::Ref, "Node");
    bc::TypeIndex next = b.type(bc::TypeKind::Union, Rep::Ref, "Node?", {node, nil});
    b.chunk.types[node].isNominal = true;
    b.chunk.types[node].fields = {{b.symbol("next"), next, 0}, {b.symbol("value"), number, 0}};
    bc::TypeIndex color = b.type(bc::TypeKind::Enum, Rep::I64, "Color");
    b.chunk.types[color].isNominal = true;
    b.chunk.types[color].fields = {{b.symbol("Red"), bc::kNoIndex, 0}, {b.symbol("Blue"), bc::kNoIndex, 7}};
    b.chunk.protos[1].signature = b.functionType("(number): number", {number}, {number});
    b.data(bc::DataKind::Function, Rep::Ref, 1);
    b.data(bc::DataKind::FunctionBox, Rep::Box, 1);
    b.data(bc::DataKind::Type, Rep::Ref, array);
    bc::DataIndex text = b.string("name");
    b.boxedString("a string that is longer than forty bytes, so it is not interned");
    bc::DataIndex variable = b.variable("counter", Rep::I64);
    bc::ProtoIndex p = b.proto("all", {Rep::Box}, {}, 32);
    b.chunk.protos[p].isVararg = b.chunk.protos[p].returnsPack = true;
    b.chunk.protos[p].captures = {Rep::Ref, Rep::F64};
    b.chunk.protos[p].signature = b.functionType("(any, ...any): ...any", {any}, {}, true, any);
    b.chunk.protos[p].locals.push_back({b.symbol("x"), 0, 2, false});
    b.chunk.files.push_back({b.symbol("seed.luapp")});
    b.chunk.modules.push_back({b.symbol("seed"), b.chunk.entry});
    FunctionBuilder f(b, p);
    f.op(Op::VarargPrep, 0, 1).line(0, 1).op(Op::GetG, 1, variable).op(Op::SetG, 1, variable).op(Op::NewArr, 2, 1, array);
    f.op(Op::NewTab, 3, 1, table).op(Op::NewObj, 4, 2, node).op(Op::MemberX, 5, 0, 0, text).op(Op::CallDyn, 8, 3);
    f.line(0, 2).op(Op::Closure, 6, 2, p).op(Op::CallV, 10, 2, 0, p).op(Op::ConcatN, 7, 8, 4).op(Op::IterX, 9, 2);
    f.op(Op::BoxEnum, 1, 0, color).op(Op::VarargAll).op(Op::RetPack, 3, 2);
    addClasses(b, number, string);
    return bc::serialize(b.chunk);
}

class Fuzzer {
public:
    explicit Fuzzer(unsigned seed) : random_(seed), seed_(seedProgram()) {}

    void round() {
        Bytes bytes = seed_;
        for (unsigned n = 1 + random_() % 6; n > 0; --n) mutate(bytes);
        if (bytes.size() < bc::kChunkHeaderSize) return;
        if (random_() % 16 != 0) bc::sealChunk(bytes);
        keep(bytes);
        ++rounds_;
        bc::Chunk c;
        std::string error;
        if (!bc::deserialize(bytes, c, error)) return;
        ++read_;
        (void)bc::disassemble(c);
        if (!bc::verify(c, {}, error)) return;
        ++accepted_;
        load(std::move(c));
    }
    void report() const {
        std::printf("%llu inputs, %llu well formed files, %llu accepted and loaded\n", rounds_, read_, accepted_);
    }

private:
    std::mt19937 random_;
    Bytes seed_;
    unsigned long long rounds_ = 0, read_ = 0, accepted_ = 0;

    void mutate(Bytes& bytes) {
        size_t at = bytes.empty() ? 0 : random_() % bytes.size();
        switch (random_() % 8) {
            case 0: bytes.resize(at); break;
            case 1: bytes.insert(bytes.begin() + static_cast<long>(at), random_() % 9, static_cast<uint8_t>(random_())); break;
            case 2:
                if (!bytes.empty()) bytes[at] ^= static_cast<uint8_t>(1u << random_() % 8);
                break;
            case 3:
                if (!bytes.empty()) bytes[at] = static_cast<uint8_t>(random_());
                break;
            default:
                if (!bytes.empty()) bytes[at] = static_cast<uint8_t>(random_() % 12);
                break;
        }
    }
    static void keep(const Bytes& bytes) {
        if (std::getenv("LUAPP_FUZZ_KEEP") == nullptr) return;
        if (std::FILE* f = std::fopen("bytecode_fuzz_last.lbc", "wb")) {
            std::fwrite(bytes.data(), 1, bytes.size(), f);
            std::fclose(f);
        }
    }
    static void load(bc::Chunk&& c) {
        rt::StateOptions options;
        options.hooks = &rt::kVmHooks;
        rt::State* s = rt::State::create(options);
        if (s == nullptr) return;
        (void)rt::protectedCall(
            *s, [](rt::State& st, void* chunk) { rt::loadProgram(st, std::move(*static_cast<bc::Chunk*>(chunk))); }, &c);
        rt::State::destroy(s);
    }
};

}  // namespace

int main(int argc, char** argv) {
    double seconds = argc > 1 ? std::atof(argv[1]) : 5;
    Fuzzer fuzzer(argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 1);
    auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (std::chrono::steady_clock::now() < end)
        for (int n = 0; n < 100; ++n) fuzzer.round();
    fuzzer.report();
    return 0;
}
