// Chunks as data: instruction packing, line tables, files, the structural verifier, the disassembler.
#include <doctest/doctest.h>

#include <random>

#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/serialize.h"
#include "runtime/bytecode/verify.h"
#include "chunk_builder.h"

using namespace luapp;
using namespace luapp::test;

namespace {

/// A program that has something in every table.
ChunkBuilder richProgram() {
    ChunkBuilder b = fibProgram(10);
    bc::TypeIndex number = b.numberType(), any = b.any();
    bc::TypeIndex array = b.type(bc::TypeKind::Array, Rep::Ref, "Array<number>", {number});
    bc::TypeIndex nil = b.type(bc::TypeKind::Nil, Rep::Box, "nil");
    bc::TypeIndex node = b.type(bc::TypeKind::Record, Rep::Ref, "Node");
    bc::TypeIndex next = b.type(bc::TypeKind::Union, Rep::Ref, "Node?", {node, nil});
    b.chunk.types[node].isNominal = true;
    b.chunk.types[node].fields = {{b.symbol("next"), next, 0}, {b.symbol("value"), number, 0}};
    bc::TypeIndex fn = b.functionType("(number): number", {number}, {number});
    bc::TypeIndex vf = b.functionType("(...any): ...any", {}, {}, true, any);
    b.chunk.protos[1].signature = fn;
    b.data(bc::DataKind::Function, Rep::Ref, 1);
    b.number(0.25);
    b.string("hello\n\"world\"");
    bc::DataIndex counter = b.variable("counter", Rep::I64);
    bc::ProtoIndex p = b.proto("spread", {}, {}, 6);
    bc::Proto& proto = b.chunk.protos[p];
    proto.isVararg = proto.returnsPack = true;
    proto.signature = vf;
    proto.captures = {Rep::Ref};
    proto.locals.push_back({b.symbol("x"), 0, 2, false});
    b.chunk.files.push_back({b.symbol("a.luapp")});
    b.chunk.modules.push_back({b.symbol("a"), b.chunk.entry});
    FunctionBuilder f(b, p);
    f.op(Op::VarargPrep, 0, 0).line(0, 3).op(Op::GetG, 0, counter).op(Op::AddII, 0, 0, 1).op(Op::SetG, 0, counter);
    f.line(0, 5).op(Op::NewArr, 1, 4, array).op(Op::Closure, 2, 1, p).op(Op::SetCap, 2, 0, 1).op(Op::VarargAll);
    f.op(Op::RetPack, 3, 0);
    return b;
}

std::string refusal(bc::Chunk c) {
    std::string error;
    CHECK_FALSE(bc::verify(c, {}, error));
    return error;
}

}  // namespace

TEST_CASE("instructions: every field survives packing, signed ones with their sign") {
    bc::Insn i = bc::encodeABC(Op::AddFI, 200, 17, static_cast<unsigned>(-128));
    CHECK(bc::opOf(i) == Op::AddFI);
    CHECK(bc::fieldA(i) == 200);
    CHECK(bc::fieldB(i) == 17);
    CHECK(bc::fieldSC(i) == -128);
    i = bc::encodeAD(Op::LoadI, 255, static_cast<unsigned>(-32768));
    CHECK(bc::fieldA(i) == 255);
    CHECK(bc::fieldSD(i) == -32768);
    CHECK(bc::fieldE(bc::encodeE(Op::Jmp, -8388608)) == -8388608);
    CHECK(bc::fieldE(bc::encodeE(Op::Jmp, 8388607)) == 8388607);
}

TEST_CASE("opcodes: each row has one operand letter per field") {
    for (unsigned n = 0; n < bc::kOpCount; ++n) {
        const bc::OpInfo& info = bc::opInfo(static_cast<Op>(n));
        size_t fields = info.format == bc::Format::E || info.format == bc::Format::EX     ? 1
                        : info.format == bc::Format::AD || info.format == bc::Format::ADX ? 2
                                                                                           : 3;
        if (bc::hasExtraWord(info.format)) ++fields;
        CHECK_MESSAGE(std::string_view(info.operands).size() == fields, info.name);
        CHECK(std::string_view(info.operands).find_first_not_of("dswminukptvbyej_") == std::string_view::npos);
    }
}

TEST_CASE("line table: positions change where they were added") {
    bc::LineTable t;
    t.add(2, {0, 10});
    t.add(5, {0, 9});
    t.add(6, {0, 9});
    t.add(9, {3, 1000});
    CHECK(t.find(1).file == bc::kNoIndex);
    CHECK(t.find(2) == bc::Position{0, 10});
    CHECK(t.find(4) == bc::Position{0, 10});
    CHECK(t.find(8) == bc::Position{0, 9});
    CHECK(t.find(100000) == bc::Position{3, 1000});
    size_t before = t.bytes().size();
    t.add(12, {3, 1000});
    CHECK(t.bytes().size() == before);
}

TEST_CASE("notes: found at the instruction they were added for") {
    bc::NoteTable t;
    t.add(3, {bc::NoteUse::Call, {{bc::NameKind::Global, 300}, {}}});
    t.add(3000, {bc::NoteUse::Operate, {{}, {bc::NameKind::Method, 7}}});
    uint32_t begin = 0;
    bc::Note note;
    CHECK(!t.find(2, 0, begin, note));
    CHECK(t.find(2999, 0, begin, note));
    CHECK(begin == 3);
    CHECK(note.use == bc::NoteUse::Call);
    CHECK(note.names[0].kind == bc::NameKind::Global);
    CHECK(note.names[0].name == 300);
    CHECK(note.names[1].kind == bc::NameKind::None);
    CHECK(t.find(4000, 0, begin, note));
    CHECK(note.names[0].kind == bc::NameKind::None);
    CHECK(note.names[1].name == 7);
    // Damaged bytes give no more notes, and say so.
    bc::NoteTable damaged;
    std::vector<uint8_t> bytes = t.bytes();
    bytes.pop_back();
    damaged.setBytes(bytes);
    bc::NoteTable::Cursor cursor(damaged);
    CHECK(cursor.next(begin, note));
    CHECK(!cursor.next(begin, note));
    CHECK(cursor.isDamaged());
}

TEST_CASE("scopes: hold until the next one") {
    bc::PcTable t;
    t.add(0, 0);
    t.add(4, 1);
    t.add(9, 200);
    t.add(12, 0);
    CHECK(t.find(3) == 0);
    CHECK(t.find(4) == 1);
    CHECK(t.find(11) == 200);
    CHECK(t.find(1000) == 0);
}

TEST_CASE("files: a chunk survives writing and reading, byte for byte") {
    ChunkBuilder b = richProgram();
    std::string error;
    CHECK_MESSAGE(bc::verify(b.chunk, {}, error), error);
    std::vector<uint8_t> bytes = bc::serialize(b.chunk);
    CHECK(bc::looksLikeChunk(bytes));
    bc::Chunk back;
    CHECK_MESSAGE(bc::deserialize(bytes, back, error), error);
    CHECK(bc::serialize(back) == bytes);
    CHECK(back.symbols == b.chunk.symbols);
    CHECK(back.protos[2].code == b.chunk.protos[2].code);
    CHECK(back.protos[2].lines.find(6) == bc::Position{0, 5});
    CHECK(bc::disassemble(back) == bc::disassemble(b.chunk));
    CHECK(bc::verify(back, {}, error));
}

TEST_CASE("files: truncated and bit-flipped chunks are refused with a message") {
    std::vector<uint8_t> bytes = bc::serialize(richProgram().chunk);
    bc::Chunk c;
    for (size_t n = 0; n < bytes.size(); ++n) {
        std::string error;
        CHECK_FALSE(bc::deserialize(std::span(bytes).first(n), c, error));
        CHECK_FALSE(error.empty());
    }
    for (size_t n = 0; n < bytes.size() * 8; ++n) {
        std::vector<uint8_t> damaged = bytes;
        damaged[n / 8] ^= static_cast<uint8_t>(1u << n % 8);
        std::string error;
        CHECK_FALSE(bc::deserialize(damaged, c, error));
        CHECK_FALSE(error.empty());
    }
}

TEST_CASE("files: damage behind a right checksum never crashes reader, verifier or disassembler") {
    std::vector<uint8_t> bytes = bc::serialize(richProgram().chunk);
    std::mt19937 random(1);
    for (int round = 0; round < 20000; ++round) {
        std::vector<uint8_t> damaged = bytes;
        for (unsigned n = 1 + random() % 4; n > 0; --n)
            damaged[bc::kChunkHeaderSize + random() % (damaged.size() - bc::kChunkHeaderSize)] =
                static_cast<uint8_t>(random() % 3 == 0 ? random() : random() % 8);
        bc::sealChunk(damaged);
        bc::Chunk c;
        std::string error;
        if (!bc::deserialize(damaged, c, error)) continue;
        (void)bc::disassemble(c);
        (void)bc::verify(c, {}, error);
    }
}

TEST_CASE("verifier: refuses what leads outside") {
    SUBCASE("register beyond the frame") {
        ChunkBuilder b = fibProgram(5);
        b.chunk.protos[1].frameSize = 5;
        CHECK(refusal(b.chunk) == "bad bytecode in 'fib' (function 1) at instruction 5: register 5 is outside the frame");
    }
    SUBCASE("jump into the middle of an instruction") {
        ChunkBuilder b = fibProgram(5);
        b.chunk.protos[1].code[1] = static_cast<bc::Insn>(-1);
        CHECK(refusal(b.chunk) == "bad bytecode in 'fib' (function 1) at instruction 0: jump to 1, where no instruction begins");
    }
    SUBCASE("code that runs over its end") {
        ChunkBuilder b = fibProgram(5);
        b.chunk.protos[1].code.pop_back();
        CHECK(refusal(b.chunk).ends_with("the code runs over its end"));
    }
    SUBCASE("unknown opcode, loader's opcode") {
        ChunkBuilder b = fibProgram(5);
        if (bc::kOpCount < 256) {
            b.chunk.protos[0].code[0] = 0xFF;
            CHECK(refusal(b.chunk).ends_with("unknown opcode 255"));
        }
        b.chunk.protos[0].code[0] = bc::encodeE(Op::Exit, 0);
        CHECK(refusal(b.chunk).ends_with("Exit stands in loaded code only"));
    }
    SUBCASE("callee that does not exist") {
        ChunkBuilder b = fibProgram(5);
        b.chunk.protos[0].code[1] = bc::encodeAD(Op::Call, 0, 7);
        CHECK(refusal(b.chunk).ends_with("there is no function 7"));
    }
    SUBCASE("a constant that is no pointer posing as one") {
        ChunkBuilder b = fibProgram(5);
        b.data(bc::DataKind::Word, Rep::Ref, 0, 0x1234);
        CHECK(refusal(b.chunk) == "data 0: not a plain ref");
    }
    SUBCASE("type that contains itself without a name") {
        ChunkBuilder b = fibProgram(5);
        b.type(bc::TypeKind::Array, Rep::Ref, "loop", {0});
        CHECK(refusal(b.chunk) == "type 0: contains itself");
    }
    SUBCASE("return of another shape") {
        ChunkBuilder b = fibProgram(5);
        b.chunk.protos[1].results.clear();
        CHECK(refusal(b.chunk).ends_with("return does not fit the results of the function"));
    }
    SUBCASE("large frame without Enter") {
        ChunkBuilder b = fibProgram(5);
        b.chunk.protos[1].frameSize = 600;
        CHECK(refusal(b.chunk).ends_with("a frame of 600 slots needs Enter"));
    }
}

TEST_CASE("disassembler: the form of the listing, with operands explained") {
    bc::DisasmOptions options;
    options.showSymbols = false;
    std::string text = bc::disassemble(fibProgram(7).chunk, options);
    CHECK(text ==
          "proto 0 main (entry)\n"
          "proto->is_vararg        false\n"
          "proto->parameters_size  0\n"
          "proto->max_stack_size   8\n"
          "proto->results          f64\n"
          "\n"
          "[0001]  LOADF           3 7\n"
          "[0002]  CALL            0 1               ; fib\n"
          "[0003]  RET             0\n"
          "\n-----\n\n"
          "proto 1 fib\n"
          "proto->is_vararg        false\n"
          "proto->parameters_size  1\n"
          "proto->max_stack_size   6\n"
          "proto->parameters       f64\n"
          "proto->results          f64\n"
          "\n"
          "[0001]  JNLTFI          0 2 1             ; to [0004]\n"
          "[0003]  RET             0\n"
          "[0004]  ADDFI           4 0 -1\n"
          "[0005]  CALL            1 1               ; fib\n"
          "[0006]  ADDFI           5 0 -2\n"
          "[0007]  CALL            2 1               ; fib\n"
          "[0008]  ADDF            1 1 2\n"
          "[0009]  RET             1\n"
          "\n-----\n\n"
          "constants:\n"
          "\n-----\n");
}

TEST_CASE("disassembler: source lines, symbols, constants") {
    ChunkBuilder b = richProgram();
    bc::DisasmOptions options;
    options.sourceLine = [](std::string_view, uint32_t line) { return line == 3 ? std::string("counter += 1") : ""; };
    std::string text = bc::disassemble(b.chunk, options);
    CHECK(text.find("-- 3: counter += 1\n") != std::string::npos);
    CHECK(text.find("GETG            0 3               ; counter\n") != std::string::npos);
    CHECK(text.find("  \"hello\\n\\\"world\\\"\"  ") != std::string::npos);
    CHECK(text.find("[1]  f64 { 0.25 }\n") != std::string::npos);
    options.onlyFunction = "fib";
    text = bc::disassemble(b.chunk, options);
    CHECK(text.starts_with("proto 1 fib\n"));
    CHECK(text.find("proto 2") == std::string::npos);
}
