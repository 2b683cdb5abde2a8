// SSA construction: variables become values with just the block parameters they need, at any size and depth.
#include <ctime>

#include <doctest/doctest.h>

#include "middle/ir_builder.h"
#include "middle/ir_text.h"
#include "middle/ir_verify.h"

using namespace luapp::ir;
using luapp::base::Rep;

namespace {

Function* newFunction(Module& module, std::initializer_list<Rep> params, std::initializer_list<Rep> results) {
    Function* fn = module.addFunction("f");
    for (Rep r : params) fn->params.push(module.arena, r);
    for (Rep r : results) fn->results.push(module.arena, r);
    return fn;
}

size_t paramCount(const Function& fn) {
    size_t n = 0;
    for (const Block* block : blocks(fn)) n += block == fn.entry ? 0 : block->params.size();
    return n;
}

}  // namespace

TEST_CASE("builder: a loop gets parameters for what it changes only") {
    Module module;
    Function* fn = newFunction(module, {Rep::I64, Rep::F64}, {Rep::F64});
    Builder b(*fn);
    VarId i = b.declareVariable(Rep::I64);
    VarId kept = b.declareVariable(Rep::F64);
    VarId sum = b.declareVariable(Rep::F64);
    b.writeVariable(i, b.i64(0));
    b.writeVariable(kept, b.param(1));
    b.writeVariable(sum, b.f64(0));
    Block* header = b.newBlock();
    Block* body = b.newBlock();
    Block* done = b.newBlock();
    b.jump(header);
    b.start(header);
    b.br(b.op(Op::LtI, {b.readVariable(i), b.param(0)}), body, done);
    b.startSealed(body);
    b.writeVariable(sum, b.op(Op::AddF, {b.readVariable(sum), b.readVariable(kept)}));
    b.writeVariable(i, b.op(Op::AddI, {b.readVariable(i), b.i64(1)}));
    b.loop(header);
    b.seal(header);
    b.startSealed(done);
    b.ret(b.readVariable(sum));
    b.finish();
    CHECK(verify(*fn, VerifyMode::Optimised) == "");
    CHECK(print(*fn) == R"(func @f (i64, f64) -> (f64)
b0(v0: i64, v1: f64):
  v2 = const.i64 0
  v3 = const.f64 0
  jump b1(v2, v3)
b1(v4: i64, v5: f64):
  v6 = lt.i v4, v0
  br v6, b2, b3
b2:
  v7 = add.f v5, v1
  v8 = const.i64 1
  v9 = add.i v4, v8
  loop b1(v9, v7)
b3:
  ret v5
end
)");
}

TEST_CASE("builder: constants fold, but never an error") {
    Module module;
    Function* fn = newFunction(module, {}, {Rep::I64});
    Builder b(*fn);
    CHECK(b.op(Op::AddF, {b.f64(0.1), b.f64(0.2)})->immF == 0.1 + 0.2);
    CHECK(b.op(Op::MulI, {b.i64(1LL << 40), b.i64(1LL << 40)})->is(Op::MulI));
    CHECK(b.op(Op::IDivI, {b.i64(1), b.i64(0)})->is(Op::IDivI));
    CHECK(b.op(Op::FToI, {b.f64(0.5)})->is(Op::FToI));
    CHECK(b.op(Op::ModI, {b.i64(-1), b.i64(3)})->isConstI64(2));
    CHECK(b.op(Op::Not32, {b.i64(0)})->isConstI64(0xFFFFFFFF));
    b.ret(b.i64(0));
    b.finish();
}

TEST_CASE("builder: code behind a terminator disappears") {
    Module module;
    Function* fn = newFunction(module, {Rep::I64}, {Rep::I64});
    Builder b(*fn);
    VarId v = b.declareVariable(Rep::I64);
    Block* join = b.newBlock();
    b.writeVariable(v, b.param(0));
    b.jump(join);
    CHECK(!b.isReachable());
    b.writeVariable(v, b.op(Op::NegI, {b.readVariable(v)}));
    b.jump(join);
    b.startSealed(join);
    b.ret(b.readVariable(v));
    b.finish();
    CHECK(verify(*fn, VerifyMode::Optimised) == "");
    CHECK(print(*fn) == "func @f (i64) -> (i64)\nb0(v0: i64):\n  jump b1\nb1:\n  ret v0\nend\n");
}

TEST_CASE("builder: a variable never written is zero") {
    Module module;
    Function* fn = newFunction(module, {}, {Rep::Box});
    Builder b(*fn);
    b.ret(b.readVariable(b.declareVariable(Rep::Box)));
    b.finish();
    CHECK(verify(*fn, VerifyMode::Optimised) == "");
    CHECK(fn->entry->first->is(Op::ConstNil));
}

TEST_CASE("builder: twenty thousand statements with breaks, joins and a deep nest of loops in linear time") {
    const std::clock_t start = std::clock();  // CPU time: the machine may be busy
    Module module;
    Function* fn = newFunction(module, {Rep::I64, Rep::Bool}, {Rep::I64});
    Builder b(*fn);
    constexpr int kVars = 50;
    std::vector<VarId> vars;
    for (int i = 0; i < kVars; i++) {
        vars.push_back(b.declareVariable(Rep::I64));
        b.writeVariable(vars.back(), b.param(0));
    }
    struct Open {
        Block* header;
        Block* exit;
    };
    std::vector<Open> open;
    for (int depth = 0; depth < 200; depth++) {
        Block* header = b.newBlock();
        Block* body = b.newBlock();
        Block* exit = b.newBlock();
        b.jump(header);
        b.start(header);
        b.br(b.param(1), body, exit);
        b.startSealed(body);
        open.push_back({header, exit});
    }
    for (int i = 0; i < 20000; i++) {
        VarId v = vars[size_t(i * 7 % kVars)];
        VarId w = vars[size_t(i * 3 % kVars)];
        Block* then = b.newBlock();
        Block* join = b.newBlock();
        b.br(b.op(Op::LtI, {b.readVariable(v), b.readVariable(w)}), then, join);
        b.startSealed(then);
        if (i % 5 == 0) {
            b.jump(open.back().exit);
        } else {
            if (i % 3 == 0) b.writeVariable(v, b.op(Op::AddI, {b.readVariable(v), b.readVariable(w)}));
            b.jump(join);
        }
        b.startSealed(join);
    }
    while (!open.empty()) {
        b.loop(open.back().header);
        b.seal(open.back().header);
        b.startSealed(open.back().exit);
        open.pop_back();
    }
    b.ret(b.readVariable(vars[0]));
    b.finish();
    CHECK(verify(*fn, VerifyMode::Optimised) == "");
    CHECK(paramCount(*fn) > 0);
    const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
    CHECK(seconds < 10);
    MESSAGE("seconds: ", seconds, " instructions: ", fn->instCount(), " parameters: ", paramCount(*fn));
}
