// Quality of the code: textual IR in, instructions out. Each case shows one property of selection, allocation or encoding.
#include <doctest/doctest.h>

#include <string>

#include "backend/bytecode/emit.h"
#include "middle/ir_text.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/verify.h"
#include "runtime/lib/library.h"

using namespace luapp;

namespace {

bc::Chunk compile(const std::string& text) {
    ir::Module module;
    std::string error;
    REQUIRE_MESSAGE(ir::parse(text, module, error), error);
    bc::Chunk chunk = bc::emitChunk(module, nullptr);
    CHECK_MESSAGE(bc::verifyStructure(chunk, rt::verifyOptions(), error), error);
    return chunk;
}

/// The instructions of the module's first function, one a line, runs of spaces reduced to one.
std::string code(const std::string& text) {
    const bc::Chunk chunk = compile(text);
    std::string out;
    const bc::Proto& p = chunk.protos[0];
    for (uint32_t pc = 0; pc < p.code.size(); pc += bc::opWords(bc::opOf(p.code[pc]))) {
        char last = 0;
        for (char c : bc::disassembleInsn(p, pc)) {
            if (c == ' ' && last == ' ') continue;
            out += last = c;
        }
        out += '\n';
    }
    return out;
}

const char* const kTwo = R"(
func @two "two" (i64, i64) -> (i64)
b0(v0: i64, v1: i64):
  v2 = add.i v0, v1
  ret v2
end
)";

}  // namespace

TEST_CASE("fib: arguments are computed in their places, results stay in theirs") {
    CHECK(code(R"(
func @fib "fib" (i64) -> (i64)
b0(v0: i64):
  v1 = const.i64 2
  v2 = lt.i v0, v1
  br v2, b1, b2
b1:
  ret v0
b2:
  v3 = const.i64 1
  v4 = sub.i v0, v3
  v5: i64 = call @fib, v4
  v6 = const.i64 2
  v7 = sub.i v0, v6
  v8: i64 = call @fib, v7
  v9 = add.i v5, v8
  ret v9
end
)") == "JGEII 0 2 1\nRET 0\nADDII 4 0 -1\nCALL 1 0\nADDII 5 0 -2\nCALL 2 0\nADDI 0 1 2\nRET 0\n");
}

TEST_CASE("a counting loop ends in one instruction; phi moves vanish") {
    CHECK(code(R"(
func @dot "dot" (ref, ref, i64) -> (f64)
b0(v0: ref, v1: ref, v2: i64):
  v3 = const.i64 0
  v4 = const.f64 0
  jump b1(v3, v4)
b1(v5: i64, v6: f64):
  v7 = lt.i v5, v2
  br v7, b2, b3
b2:
  v8: f64 = arr.get v0, v5
  v9: f64 = arr.get v1, v5
  v10 = mul.f v8, v9
  v11 = add.f v6, v10
  v12 = const.i64 1
  v13 = add.u v5, v12
  loop b1(v13, v11)
b3:
  ret v6
end
)") == "LOADI 3 0\nLOADF 4 0\nJLEI 2 3 6\nAGET 5 0 3\nAGET 6 1 3\nMULADDF 4 5 6 4\nLOOPLTI 3 2 1 -6\nRET 4\n");
}

TEST_CASE("a constant limit is loaded before the loop; a loop with a call does not poll") {
    CHECK(code(std::string(R"(
func @sum "sum" () -> (i64)
b0:
  v0 = const.i64 0
  jump b1(v0, v0)
b1(v1: i64, v2: i64):
  v3 = const.i64 1000
  v4 = le.i v1, v3
  br v4, b2, b3
b2:
  v5: i64 = call @two, v1, v2
  v6 = add.i v1, v5
  loop b1(v6, v5)
b3:
  ret v2
end
)") + kTwo).find("LOOP") == std::string::npos);
}

TEST_CASE("nested calls need no moves") {
    CHECK(code(std::string(R"(
func @nest "nest" (i64, i64) -> (i64)
b0(v0: i64, v1: i64):
  v2 = const.i64 1
  v3 = add.i v0, v2
  v4: i64 = call @two, v3, v2
  v5 = add.i v1, v2
  v6: i64 = call @two, v2, v5
  v7: i64 = call @two, v4, v6
  ret v7
end
)") + kTwo).find("MOVE") == std::string::npos);
}

TEST_CASE("a boolean that only a branch uses is not made; negation swaps the branch") {
    CHECK(code(R"(
func @f "f" (f64, f64) -> (i64)
b0(v0: f64, v1: f64):
  v2 = lt.f v0, v1
  v3 = not v2
  br v3, b1, b2
b1:
  v4 = const.i64 1
  ret v4
b2:
  v5 = const.i64 2
  ret v5
end
)") == "JLTF 0 1 1\nRETI 1\nRETI 2\n");
}

TEST_CASE("a block that raises comes last") {
    CHECK(code(R"(
func @f "f" (ref) -> (i64)
b0(v0: ref):
  v1 = is.null v0
  br v1, b1, b2
b1:
  raise 1
b2:
  v2 = arr.len v0
  ret v2
end
)") == "JEQII 0 0 2\nALEN 0 0\nRET 0\nRAISE 1 0\n");
}

TEST_CASE("the number -0 is not an integer immediate") {
    CHECK(code(R"(
func @f "f" (f64) -> (f64)
b0(v0: f64):
  v1 = const.f64 -0
  v2 = add.f v0, v1
  v3 = const.f64 0
  v4 = sub.f v2, v3
  ret v4
end
)") == "LOADK 1 0\nADDF 0 0 1\nLOADF 1 0\nSUBF 0 0 1\nRET 0\n");
}

TEST_CASE("more live values than registers, across calls") {
    std::string text = "func @big \"big\" (i64) -> (i64)\nb0(v0: i64):\n";
    const int n = 600;
    for (int i = 1; i <= n; i++) text += "  v" + std::to_string(i) + ": i64 = call @two, v0, v" + std::to_string(i - 1) + "\n";
    for (int i = 1; i < n; i++) {
        text += "  v" + std::to_string(n + i) + " = add.i v" + std::to_string(i) + ", v" +
                std::to_string(i == 1 ? n : n + i - 1) + "\n";
    }
    text += "  ret v" + std::to_string(2 * n - 1) + "\nend\n";
    const bc::Chunk chunk = compile(text + kTwo);
    CHECK(chunk.protos[0].frameSize > 600);
    CHECK(bc::opOf(chunk.protos[0].code[0]) == bc::Op::Enter);
}
