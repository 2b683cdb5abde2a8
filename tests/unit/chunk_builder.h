// A small assembler for tests: builds bc::Chunk values by hand. A FunctionBuilder writes the code of one proto; jumps go to labels
// that are placed before or after. Registers, constants and frame sizes are the test's business.
#pragma once

#include <bit>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/bytecode/operands.h"
#include "runtime/bytecode/proto.h"

namespace luapp::test {

using bc::Op;
using bc::Rep;

class ChunkBuilder {
public:
    bc::Chunk chunk;

    bc::SymbolIndex symbol(std::string_view text) {
        for (size_t i = 0; i < chunk.symbols.size(); ++i)
            if (chunk.symbols[i] == text) return static_cast<bc::SymbolIndex>(i);
        chunk.symbols.emplace_back(text);
        return static_cast<bc::SymbolIndex>(chunk.symbols.size() - 1);
    }
    bc::DataIndex data(bc::DataKind kind, Rep rep, uint32_t index, uint64_t word = 0) {
        chunk.data.push_back({kind, rep, index, word});
        return static_cast<bc::DataIndex>(chunk.data.size() - 1);
    }
    bc::DataIndex number(double d) { return data(bc::DataKind::Word, Rep::F64, 0, std::bit_cast<uint64_t>(d)); }
    bc::DataIndex boxedNumber(double d) { return data(bc::DataKind::Word, Rep::Box, 0, std::bit_cast<uint64_t>(d)); }
    bc::DataIndex string(std::string_view text) { return data(bc::DataKind::String, Rep::Ref, symbol(text)); }
    bc::DataIndex boxedString(std::string_view text) { return data(bc::DataKind::StringBox, Rep::Box, symbol(text)); }
    bc::DataIndex variable(std::string_view name, Rep rep, uint64_t word = 0) {
        return data(bc::DataKind::Variable, rep, symbol(name), word);
    }

    bc::TypeIndex type(bc::TypeKind kind, Rep rep, std::string_view name, std::vector<bc::TypeIndex> parts = {}) {
        bc::TypeData t;
        t.kind = kind;
        t.rep = rep;
        t.name = symbol(name);
        t.parts = std::move(parts);
        chunk.types.push_back(t);
        return static_cast<bc::TypeIndex>(chunk.types.size() - 1);
    }
    bc::TypeIndex any() { return type(bc::TypeKind::Any, Rep::Box, "any"); }
    bc::TypeIndex numberType() { return type(bc::TypeKind::Number, Rep::F64, "number"); }
    bc::TypeIndex integerType() { return type(bc::TypeKind::Integer, Rep::I64, "integer"); }
    bc::TypeIndex stringType() { return type(bc::TypeKind::String, Rep::Ref, "string"); }
    /// Function type; with `pack`, results are `...any`.
    bc::TypeIndex functionType(std::string_view name, std::vector<bc::TypeIndex> params, std::vector<bc::TypeIndex> results,
                               bool pack = false, bc::TypeIndex vararg = bc::kNoIndex) {
        bc::TypeIndex t = type(bc::TypeKind::Function, Rep::Ref, name, std::move(params));
        chunk.types[t].results = std::move(results);
        chunk.types[t].hasResultPack = pack;
        chunk.types[t].varargType = vararg;
        return t;
    }

    /// Declares a proto so that calls can name it before its code is there.
    bc::ProtoIndex proto(std::string_view name, std::vector<Rep> params, std::vector<Rep> results, uint32_t frameSize) {
        bc::Proto p;
        p.name = symbol(name);
        p.params = std::move(params);
        p.results = std::move(results);
        p.frameSize = frameSize;
        chunk.protos.push_back(p);
        return static_cast<bc::ProtoIndex>(chunk.protos.size() - 1);
    }
};

/// Writes code into a proto of a ChunkBuilder.
class FunctionBuilder {
public:
    FunctionBuilder(ChunkBuilder& b, bc::ProtoIndex p) : b_(b), p_(p) {}

    /// Appends an instruction. Operands are the fields in order (A B C [X], A D [X] or E [X]), missing ones 0.
    FunctionBuilder& op(Op op, int64_t f0 = 0, int64_t f1 = 0, int64_t f2 = 0, int64_t f3 = 0) {
        std::vector<bc::Insn>& code = b_.chunk.protos[p_].code;
        auto u = [](int64_t v) { return static_cast<unsigned>(v); };
        int64_t extra = 0;
        switch (bc::opInfo(op).format) {
            case bc::Format::ABC:
            case bc::Format::ABCX:
                code.push_back(bc::encodeABC(op, u(f0), u(f1), u(f2)));
                extra = f3;
                break;
            case bc::Format::AD:
            case bc::Format::ADX:
                code.push_back(bc::encodeAD(op, u(f0), u(f1)));
                extra = f2;
                break;
            case bc::Format::E:
            case bc::Format::EX:
                code.push_back(bc::encodeE(op, static_cast<int32_t>(f0)));
                extra = f1;
                break;
        }
        if (bc::hasExtraWord(bc::opInfo(op).format)) code.push_back(static_cast<bc::Insn>(extra));
        return *this;
    }
    uint32_t here() const { return static_cast<uint32_t>(b_.chunk.protos[p_].code.size()); }
    /// Appends a jump to be aimed later; the other operands as in op(). Returns its place.
    uint32_t jump(Op opcode, int64_t f0 = 0, int64_t f1 = 0, int64_t f2 = 0) {
        uint32_t at = here();
        op(opcode, f0, f1, f2);
        return at;
    }
    /// Aims the jump at place `at` at word `target` (default: here).
    void aim(uint32_t at, uint32_t target) {
        std::vector<bc::Insn>& code = b_.chunk.protos[p_].code;
        bc::Insn& i = code[at];
        Op o = bc::opOf(i);
        int32_t distance = static_cast<int32_t>(target) - static_cast<int32_t>(at + bc::opWords(o));
        switch (bc::opInfo(o).format) {
            case bc::Format::ABCX:
            case bc::Format::ADX:
            case bc::Format::EX: code[at + 1] = static_cast<bc::Insn>(distance); break;
            case bc::Format::AD: i = bc::encodeAD(o, bc::fieldA(i), static_cast<unsigned>(distance)); break;
            case bc::Format::ABC:
            case bc::Format::E: i = bc::encodeE(o, distance); break;
        }
    }
    void aim(uint32_t at) { aim(at, here()); }
    FunctionBuilder& line(uint32_t file, uint32_t n) {
        b_.chunk.protos[p_].lines.add(here(), {file, n});
        return *this;
    }

private:
    ChunkBuilder& b_;
    bc::ProtoIndex p_;
};

/// fib(n) by double recursion and a main that returns fib(n): the program the call figures in docs/performance.md come from.
inline ChunkBuilder fibProgram(int n) {
    ChunkBuilder b;
    bc::ProtoIndex main = b.proto("main", {}, {Rep::F64}, 8);
    bc::ProtoIndex fib = b.proto("fib", {Rep::F64}, {Rep::F64}, 6);
    FunctionBuilder(b, main).op(Op::LoadF, 3, n).op(Op::Call, 0, fib).op(Op::Ret, 0);
    FunctionBuilder f(b, fib);
    uint32_t recurse = f.jump(Op::JNLtFI, 0, 2);
    f.op(Op::Ret, 0);
    f.aim(recurse);
    f.op(Op::AddFI, 4, 0, -1).op(Op::Call, 1, fib);
    f.op(Op::AddFI, 5, 0, -2).op(Op::Call, 2, fib);
    f.op(Op::AddF, 1, 1, 2).op(Op::Ret, 1);
    b.chunk.entry = main;
    return b;
}

}  // namespace luapp::test
