// The passes against an evaluator: random functions compute the same, and raise the same, before and after optimisation.
#include <algorithm>
#include <bit>
#include <random>

#include <doctest/doctest.h>

#include "middle/fold.h"
#include "middle/ir_builder.h"
#include "middle/ir_text.h"
#include "middle/ir_verify.h"
#include "middle/pass_manager.h"

using namespace luapp::ir;
using luapp::base::Rep;

namespace {

/// Runs functions of arithmetic, comparisons, branches, direct calls, objects, cells, arrays and three module variables. What two of them
/// and the object in the third hold at each back edge, where others may look, and in the end is the trace.
class Evaluator {
  public:
    struct Outcome {
        std::vector<uint64_t> trace;
        uint64_t result = 0;
        uint32_t raisedAt = 0;  // position of the instruction that raised
        bool isOutOfSteps = false;
        bool operator==(const Outcome&) const = default;
    };

    Outcome run(const Function& fn, std::vector<uint64_t> args) {
        outcome_ = {};
        steps_ = 0;
        vars_[0] = vars_[1] = vars_[2] = 0;
        heap_.clear();
        outcome_.result = call(fn, args);
        observe();
        if (outcome_.isOutOfSteps) outcome_.result = outcome_.raisedAt = 0;
        return outcome_;
    }

  private:
    bool isStopped() const { return outcome_.raisedAt || outcome_.isOutOfSteps; }

    uint64_t call(const Function& fn, const std::vector<uint64_t>& args) {
        std::vector<uint64_t> values(fn.instCount());
        for (size_t i = 0; i < args.size(); i++) values[fn.entry->params[i]->id] = args[i];
        const Block* block = fn.entry;
        while (true) {
            for (const Inst* inst : insts(block)) {
                if (inst->isTerminator()) break;
                values[inst->id] = evaluate(*inst, values);
                if (isStopped()) return 0;
            }
            const Inst* last = block->last;
            if (last->is(Op::Ret)) return values[last->operands[0]->id];
            if (last->is(Op::Loop)) {
                observe();
                if (++steps_ > 500) {
                    outcome_.isOutOfSteps = true;
                    return 0;
                }
            }
            const Edge& edge = last->edges[last->is(Op::Br) && !values[last->operands[0]->id] ? 1 : 0];
            std::vector<uint64_t> passed;
            for (Value v : edge.args) passed.push_back(values[v->id]);
            block = edge.to;
            for (size_t i = 0; i < passed.size(); i++) values[block->params[i]->id] = passed[i];
        }
    }

    // Back edges that show nothing new leave no trace, so that loops may be made and joined.
    void observe() {
        std::vector<uint64_t> seen{vars_[0], vars_[1]};
        if (vars_[2]) seen.insert(seen.end(), heap_[vars_[2] - 1].begin(), heap_[vars_[2] - 1].end());
        std::vector<uint64_t>& trace = outcome_.trace;
        if (trace.size() >= seen.size() && std::equal(seen.rbegin(), seen.rend(), trace.rbegin())) return;
        trace.insert(trace.end(), seen.begin(), seen.end());
    }

    uint64_t evaluate(const Inst& inst, const std::vector<uint64_t>& values) {
        if (inst.isConst()) return uint64_t(inst.imm);
        if (inst.is(Op::VarSet)) {
            vars_[inst.imm] = values[inst.operands[0]->id];
            return 0;
        }
        if (inst.is(Op::VarGet)) return vars_[inst.imm];
        if (isMemory(inst)) return evaluateMemory(inst, values);
        if (inst.is(Op::Call)) {
            std::vector<uint64_t> args;
            for (Value v : inst.ops()) args.push_back(values[v->id]);
            return call(*inst.immFn, args);
        }
        // Any other operation is what folding makes of it with constant operands: an error is what does not fold.
        Inst operands[2];
        Value pointers[2] = {&operands[0], &operands[1]};
        for (uint32_t i = 0; i < inst.operandCount; i++) {
            const Rep rep = inst.operands[i]->rep;
            operands[i].op = rep == Rep::F64 ? Op::ConstF64 : rep == Rep::I64 ? Op::ConstI64 : Op::ConstBool;
            operands[i].rep = rep;
            operands[i].imm = int64_t(values[inst.operands[i]->id]);
        }
        Inst copy = inst;
        copy.operands = pointers;
        return foldInPlace(copy) ? uint64_t(copy.imm) : raise(inst);
    }

    static bool isMemory(const Inst& inst) {
        const bool takesRef = inst.operandCount > 0 && inst.operands[0]->rep == Rep::Ref;
        return takesRef || inst.is(Op::ObjNew) || inst.is(Op::ArrNew) || inst.is(Op::CellNew);
    }

    /// A reference is one more than a position in the heap.
    uint64_t allocate(std::vector<uint64_t> words) {
        heap_.push_back(std::move(words));
        return heap_.size();
    }

    uint64_t evaluateMemory(const Inst& inst, const std::vector<uint64_t>& values) {
        auto operand = [&](uint32_t i) { return values[inst.operands[i]->id]; };
        if (inst.is(Op::ObjNew)) return allocate(std::vector<uint64_t>(inst.imm2));
        if (inst.is(Op::ArrNew)) return allocate({});
        if (inst.is(Op::CellNew)) return allocate({operand(0)});
        if (inst.is(Op::EqRef)) return operand(0) == operand(1);
        std::vector<uint64_t>& words = heap_.at(operand(0) - 1);
        const bool isAccess = inst.is(Op::ArrGet) || inst.is(Op::ArrSet);
        if (isAccess && operand(1) >= words.size() + inst.is(Op::ArrSet)) return raise(inst);
        switch (inst.op) {
            case Op::FieldGet: return words.at(size_t(inst.imm));
            case Op::FieldSet:
            case Op::FieldInit: return words.at(size_t(inst.imm)) = operand(1);
            case Op::CellGet: return words.at(0);
            case Op::CellSet: return words.at(0) = operand(1);
            case Op::ArrLen: return words.size();
            case Op::ArrPush: words.push_back(operand(1)); return 0;
            case Op::ArrGet:
            case Op::ArrGetU: return words.at(operand(1));
            case Op::ArrSet:
                if (operand(1) == words.size()) words.push_back(0);
                return words[operand(1)] = operand(2);
            case Op::ArrSetU: return words.at(operand(1)) = operand(2);
            default: FAIL("no such operation on memory: " << opText(inst.op)); return 0;
        }
    }

    uint64_t raise(const Inst& inst) {
        outcome_.raisedAt = inst.block->function->module().placeOf(inst.loc).offset + 1;
        return 0;
    }

    Outcome outcome_;
    uint64_t vars_[3] = {};
    std::vector<std::vector<uint64_t>> heap_;
    uint32_t steps_ = 0;
};

/// Makes structured functions out of random statements on a few variables.
class Generator {
  public:
    Generator(Module& module, unsigned seed) : module_(module), random_(seed) {}

    Function* make(const char* name, bool isConst) {
        Function* fn = module_.addFunction(name);
        fn->isConst = isConst;
        for (Rep r : {Rep::I64, Rep::F64, Rep::Bool}) fn->params.push(module_.arena, r);
        fn->results.push(module_.arena, Rep::I64);
        Builder b(*fn);
        b_ = &b;
        vars_[0].clear();
        vars_[1].clear();
        vars_[2].clear();
        for (std::vector<VarId>* list : {&objects_, &cells_, &arrays_}) list->clear();
        for (int i = 0; i < 3; i++) {
            declare(Rep::I64, i == 0 ? b.param(0) : b.i64(pick(5)));
            declare(Rep::F64, i == 0 ? b.param(1) : b.f64(pick(3)));
        }
        declare(Rep::Bool, b.param(2));
        for (int i = 0; i < 2; i++) {
            declareRef(objects_, newObject());
            declareRef(cells_, b.op(Op::CellNew, {any(Rep::I64)}));
            declareRef(arrays_, newArray());
        }
        if (!isConst) b.op(Op::VarSet, {anyRef(objects_)}, kShared);
        statements(isConst ? 4 : 10, isConst ? 1 : 3);
        b.ret(any(Rep::I64));
        b.finish();
        return fn;
    }

    Function* callee = nullptr;

  private:
    int pick(int n) { return int(random_() % unsigned(n)); }
    std::vector<VarId>& vars(Rep rep) { return vars_[rep == Rep::I64 ? 0 : rep == Rep::F64 ? 1 : 2]; }

    void declare(Rep rep, Value v) {
        vars(rep).push_back(b_->declareVariable(rep));
        b_->writeVariable(vars(rep).back(), v);
    }

    void declareRef(std::vector<VarId>& list, Value v) {
        list.push_back(b_->declareVariable(Rep::Ref));
        b_->writeVariable(list.back(), v);
    }

    Value anyRef(const std::vector<VarId>& list) { return b_->readVariable(list[size_t(pick(int(list.size())))]); }

    /// Word 0 is an integer, word 1 a number.
    Value newObject() {
        Value made = b_->op(Op::ObjNew, {}, 0, 2);
        if (pick(2)) b_->op(Op::FieldSet, {made, any(Rep::I64)}, 0);
        return made;
    }

    Value newArray() {
        Value made = b_->op(Op::ArrNew, {}, 1, 4);
        for (int i = pick(4); i > 0; i--) b_->op(Op::ArrPush, {made, any(Rep::I64)});
        return made;
    }

    Value index() { return pick(2) ? any(Rep::I64) : b_->i64(pick(3)); }

    /// Something read from memory.
    Value load(Rep rep) {
        if (rep == Rep::F64) return b_->typed(Op::FieldGet, rep, {anyRef(objects_)}, 1);
        switch (pick(4)) {
            case 0: return b_->typed(Op::FieldGet, rep, {anyRef(objects_)}, 0);
            case 1: return b_->typed(Op::CellGet, rep, {anyRef(cells_)});
            case 2: return b_->op(Op::ArrLen, {anyRef(arrays_)});
            default: return b_->typed(Op::ArrGet, rep, {anyRef(arrays_), index()});
        }
    }

    /// A store, or another object in a variable.
    void memory() {
        b_->setLoc({++loc_});
        switch (pick(10)) {
            case 0: return b_->writeVariable(objects_[size_t(pick(2))], newObject());
            case 1: return b_->writeVariable(objects_[size_t(pick(2))], anyRef(objects_));
            case 2: return b_->writeVariable(arrays_[size_t(pick(2))], pick(2) ? newArray() : anyRef(arrays_));
            case 3: return b_->writeVariable(cells_[size_t(pick(2))], b_->op(Op::CellNew, {any(Rep::I64)}));
            case 4: b_->op(Op::ArrPush, {anyRef(arrays_), any(Rep::I64)}); return;
            case 5: b_->op(Op::ArrSet, {anyRef(arrays_), index(), any(Rep::I64)}); return;
            case 6: b_->op(Op::CellSet, {anyRef(cells_), any(Rep::I64)}); return;
            case 7: b_->op(Op::FieldSet, {anyRef(objects_), any(Rep::F64)}, 1); return;
            case 8: return share();
            default: b_->op(Op::FieldSet, {anyRef(objects_), any(Rep::I64)}, 0); return;
        }
    }

    // What is in a module variable others know.
    void share() {
        const Value shared = b_->typed(Op::VarGet, Rep::Ref, {}, kShared);
        b_->op(Op::FieldSet, {shared, any(Rep::I64)}, 0);
        if (pick(2)) b_->writeVariable(objects_[size_t(pick(2))], shared);
        else b_->op(Op::VarSet, {anyRef(objects_)}, kShared);
    }

    Value any(Rep rep) {
        if (pick(4) == 0) {
            constexpr int64_t kInts[] = {0, 1, -1, 2, 3, 7, 1LL << 53, 0xFFFFFFFF};
            constexpr double kNumbers[] = {0, -0.0, 1, 0.5, 2, 1e300, -3};
            if (rep == Rep::I64) return b_->i64(kInts[pick(8)]);
            if (rep == Rep::F64) return b_->f64(kNumbers[pick(7)]);
            return b_->boolean(pick(2));
        }
        return b_->readVariable(vars(rep)[size_t(pick(int(vars(rep).size())))]);
    }

    /// Two operations with constants, of one kind and at one place.
    Value chain() {
        constexpr Op kOps[] = {Op::AddI, Op::AddI, Op::SubI, Op::MulI, Op::And32, Op::Xor32, Op::Shl32, Op::Shr32, Op::Rol32};
        const int which = pick(9);
        b_->setLoc({++loc_});
        Value x = any(Rep::I64);
        const int n = pick(20);
        Value inner = b_->op(kOps[which], {x, b_->i64(n)});
        if (kOps[which] == Op::Shl32 && pick(2)) return b_->op(Op::Or32, {inner, b_->op(Op::Shr32, {x, b_->i64(32 - n)})});
        return b_->op(kOps[which == 1 ? 2 : which], {inner, b_->i64(pick(20))});
    }

    Value expression(Rep rep) {
        constexpr Op kInt2[] = {Op::AddI, Op::SubI, Op::MulI, Op::IDivI, Op::ModI, Op::MinI, Op::MaxI, Op::AndI, Op::ShrI,
                                Op::And32, Op::Or32, Op::Xor32, Op::Shl32, Op::Ror32};
        constexpr Op kNumber2[] = {Op::AddF, Op::SubF, Op::MulF, Op::DivF, Op::MinF, Op::MaxF, Op::PowF};
        b_->setLoc({++loc_});
        if (rep != Rep::Bool && pick(4) == 0) return load(rep);
        switch (rep) {
            case Rep::I64:
                if (pick(6) == 0) return b_->op(Op::FToI, {any(Rep::F64)});
                if (pick(8) == 0) return b_->op(Op::NegI, {any(Rep::I64)});
                if (pick(8) == 0) return b_->typed(Op::VarGet, Rep::I64, {}, pick(2));
                if (pick(8) == 0) return chain();
                if (callee && pick(4) == 0) {
                    const Value args[] = {any(Rep::I64), any(Rep::F64), any(Rep::Bool)};
                    return b_->call(callee, nullptr, args, 0, Rep::I64);
                }
                return b_->op(kInt2[pick(14)], {any(rep), any(rep)});
            case Rep::F64:
                if (pick(3) == 0) return b_->op(Op::IToF, {any(Rep::I64)});
                if (pick(8) == 0) return b_->op(Op::NegF, {any(Rep::F64)});
                return b_->op(kNumber2[pick(7)], {any(rep), any(rep)});
            default: break;
        }
        switch (pick(6)) {
            case 5: return b_->op(Op::EqRef, {anyRef(objects_), anyRef(objects_)});
            case 0: return b_->op(Op::LtI, {any(Rep::I64), any(Rep::I64)});
            case 1: return b_->op(Op::LeF, {any(Rep::F64), any(Rep::F64)});
            case 2: return b_->op(Op::EqI, {any(Rep::Bool), any(Rep::Bool)});
            case 3: return b_->op(Op::EqF, {any(Rep::F64), any(Rep::F64)});
            default: return b_->logicalNot(any(Rep::Bool));
        }
    }

    void statements(int count, int depth) {
        for (int i = 0; i < count; i++) statement(depth);
    }

    void statement(int depth) {
        constexpr Rep kReps[] = {Rep::I64, Rep::F64, Rep::Bool};
        const Rep rep = kReps[pick(3)];
        if (pick(4) == 0) return memory();
        const int kind = pick(depth > 0 ? 8 : 5);
        if (kind == 0) {
            b_->op(Op::VarSet, {any(Rep::I64)}, pick(2));
        } else if (kind < 5) {
            b_->writeVariable(vars(rep)[size_t(pick(int(vars(rep).size())))], expression(rep));
        } else if (kind == 5) {
            conditional(depth);
        } else {
            countedLoop(depth, kind == 6);
        }
    }

    void conditional(int depth) {
        Block* then = b_->newBlock();
        Block* otherwise = b_->newBlock();
        Block* join = b_->newBlock();
        b_->br(pick(2) ? any(Rep::Bool) : expression(Rep::Bool), then, otherwise);
        b_->startSealed(then);
        statements(3, depth - 1);
        b_->jump(join);
        b_->startSealed(otherwise);
        if (pick(2)) statements(2, depth - 1);
        b_->jump(join);
        b_->startSealed(join);
    }

    void countedLoop(int depth, bool hasKnownLimit) {
        VarId counter = b_->declareVariable(Rep::I64);
        Value limit = hasKnownLimit ? b_->i64(pick(6)) : any(Rep::I64);
        b_->writeVariable(counter, b_->i64(pick(3)));
        Block* header = b_->newBlock();
        Block* body = b_->newBlock();
        Block* done = b_->newBlock();
        b_->jump(header);
        b_->start(header);
        b_->br(b_->op(Op::LtI, {b_->readVariable(counter), limit}), body, done);
        b_->startSealed(body);
        b_->writeVariable(vars(Rep::I64)[0], b_->readVariable(counter));
        statements(4, depth - 1);
        b_->setLoc({++loc_});
        b_->writeVariable(counter, b_->op(Op::AddI, {b_->readVariable(counter), b_->i64(1 + pick(2))}));
        b_->loop(header);
        b_->seal(header);
        b_->startSealed(done);
    }

    Module& module_;
    std::mt19937 random_;
    Builder* b_ = nullptr;
    static constexpr int64_t kShared = 2;  // module variable

    std::vector<VarId> vars_[3];
    std::vector<VarId> objects_, cells_, arrays_;
    uint32_t loc_ = 0;
};

struct Program {
    Module module;
    Function* main = nullptr;

    explicit Program(unsigned seed) {
        module.addVar("first", Rep::I64);
        module.addVar("second", Rep::I64);
        module.addVar("shared", Rep::Ref);
        module.addType(nullptr, "Object");
        module.addType(nullptr, "Array<integer>");
        Generator generator(module, seed);
        generator.callee = generator.make("inner", true);
        main = generator.make("main", false);
    }
};

void compare(const char* passes, unsigned seeds) {
    std::vector<const PassInfo*> list;
    std::string_view unknown;
    REQUIRE(parsePassList(passes, list, unknown));
    size_t returned = 0;
    for (unsigned seed = 0; seed < seeds; seed++) {
        CAPTURE(seed);
        Program plain(seed);
        Program optimised(seed);
        REQUIRE(verify(plain.module, VerifyMode::Optimised) == "");
        PipelineOptions options;
        options.verifyEach = true;
        if (!list.empty()) options.passes = list;
        optimise(optimised.module, options);
        // The text form carries optimised functions over unchanged.
        const std::string text = print(optimised.module);
        Module read;
        std::string error;
        CHECK(parse(text, read, error));
        CHECK(print(read) == text);
        Evaluator evaluator;
        for (int64_t a : {0, 1, -5, 100}) {
            for (double f : {0.0, -0.0, 2.0, 0.25}) {
                const std::vector<uint64_t> args{uint64_t(a), std::bit_cast<uint64_t>(f), uint64_t(a & 1)};
                const auto before = evaluator.run(*plain.main, args);
                const auto after = evaluator.run(*optimised.main, args);
                // Steps are counted at back edges, which no pass here adds or removes but for loops that never run.
                if (before.isOutOfSteps || after.isOutOfSteps) continue;
                returned += before.raisedAt == 0;
                REQUIRE(before == after);
            }
        }
    }
    CHECK(returned > seeds);
}

}  // namespace

TEST_CASE("passes: each alone keeps results, traces and errors") {
    for (const PassInfo& pass : allPasses()) {
        CAPTURE(pass.name);
        compare(std::string(pass.name).c_str(), 60);
    }
}

TEST_CASE("passes: the pipeline keeps results, traces and errors") { compare("", 300); }

TEST_CASE("passes: every line of passes.def is found by its name") {
    for (const PassInfo& pass : allPasses()) CHECK(findPass(pass.name) == &pass);
    std::vector<const PassInfo*> list;
    std::string_view unknown;
    CHECK(!parsePassList("dce,nonsense", list, unknown));
    CHECK(unknown == "nonsense");
}

TEST_CASE("passes: the limit stops the pipeline") {
    Program program(1);
    PipelineOptions options;
    options.passLimit = 3;
    CHECK(optimise(program.module, options).passRuns == 3);
    CHECK(verify(program.module, VerifyMode::Optimised) == "");
}
