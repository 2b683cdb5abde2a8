// Dominators, loops and liveness against their definitions, on random graphs.
#include <algorithm>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include "middle/analysis/dominators.h"
#include "middle/analysis/liveness.h"
#include "middle/ir_text.h"
#include "middle/ir_verify.h"

using namespace luapp::ir;
using luapp::base::Rep;

namespace {

/// A function of `count` blocks with random branches; every block makes a value and uses one that dominates it.
Function* randomGraph(Module& module, unsigned count, std::mt19937& random) {
    Function* fn = module.addFunction("f");
    fn->params.push(module.arena, Rep::Bool);
    std::vector<Block*> all;
    for (unsigned i = 0; i < count; i++) all.push_back(fn->addBlock());
    Value condition = fn->addParam(fn->entry, Rep::Bool);
    auto pick = [&] { return all[1 + random() % (count - 1)]; };
    for (Block* block : all) {
        const unsigned ways = random() % 4;
        Inst* last = ways == 0   ? fn->makeInst(Op::Ret, Rep::Void, {}, {})
                     : ways == 1 ? fn->makeInst(Op::Loop, Rep::Void, {}, {}, 1)
                                 : fn->makeInst(Op::Br, Rep::Void, {&condition, 1}, {}, 2);
        fn->append(block, last);
        for (unsigned i = 0; i < last->edgeCount; i++) fn->connect(last, i, pick());
    }
    return fn;
}

std::set<const Block*> reachableWithout(const Function& fn, const Block* without) {
    std::set<const Block*> seen;
    std::vector<const Block*> work;
    if (fn.entry != without) work.push_back(fn.entry);
    while (!work.empty()) {
        const Block* block = work.back();
        work.pop_back();
        if (!seen.insert(block).second) continue;
        for (const Edge& edge : block->succs()) {
            if (edge.to != without) work.push_back(edge.to);
        }
    }
    return seen;
}

}  // namespace

TEST_CASE("dominators: a block dominates what cannot be reached without it") {
    std::mt19937 random(1);
    for (int round = 0; round < 200; round++) {
        Module module;
        Function* fn = randomGraph(module, 2 + random() % 14, random);
        const Dominators dominators(*fn);
        const auto reachable = reachableWithout(*fn, nullptr);
        for (const Block* a : blocks(*fn)) {
            CHECK(dominators.isReachable(a) == reachable.contains(a));
            if (!reachable.contains(a)) continue;
            const auto others = reachableWithout(*fn, a);
            for (const Block* b : reachable) CHECK(dominators.dominates(a, b) == !others.contains(b));
        }
    }
}

TEST_CASE("loops: a loop is what reaches its latches without passing the header") {
    std::mt19937 random(2);
    size_t found = 0;
    for (int round = 0; round < 200; round++) {
        Module module;
        Function* fn = randomGraph(module, 2 + random() % 14, random);
        const Dominators dominators(*fn);
        const Loops loops(*fn, dominators);
        for (const LoopInfo* loop : loops.all()) {
            found++;
            std::set<const Block*> body{loop->header};
            std::vector<const Block*> work(loop->latches.begin(), loop->latches.end());
            while (!work.empty()) {
                const Block* block = work.back();
                work.pop_back();
                if (!body.insert(block).second) continue;
                for (const Edge* edge : block->preds) {
                    if (dominators.isReachable(edge->from)) work.push_back(edge->from);
                }
            }
            for (const Block* block : blocks(*fn)) CHECK(loops.contains(loop, block) == body.contains(block));
        }
    }
    CHECK(found > 100);
}

TEST_CASE("liveness: live where a use can be reached without passing the definition") {
    std::mt19937 random(3);
    for (int round = 0; round < 200; round++) {
        Module module;
        Function* fn = randomGraph(module, 2 + random() % 10, random);
        fn->removeUnreachable();
        const Dominators dominators(*fn);
        std::vector<Value> values;
        for (Block* block : dominators.order()) {
            Inst* made = fn->makeInst(Op::ConstF64, Rep::F64, {}, {});
            fn->prepend(block, made);
            values.push_back(made);
            Value used = values[random() % values.size()];
            if (dominators.dominates(used->block, block)) {
                fn->insertBefore(block->last, fn->makeInst(Op::NegF, Rep::F64, {&used, 1}, {}));
            }
        }
        REQUIRE(verify(*fn, VerifyMode::Built) == "");
        const Liveness liveness(*fn);
        for (Value v : values) {
            std::set<const Block*> in;
            std::vector<const Block*> work;
            for (const Block* block : blocks(*fn)) {
                for (const Inst* inst : insts(block)) {
                    for (Value operand : inst->ops()) {
                        if (operand == v && block != v->block) work.push_back(block);
                    }
                }
            }
            while (!work.empty()) {
                const Block* block = work.back();
                work.pop_back();
                if (!in.insert(block).second) continue;
                for (const Edge* edge : block->preds) {
                    if (edge->from != v->block) work.push_back(edge->from);
                }
            }
            for (const Block* block : blocks(*fn)) {
                auto holds = [&](std::span<const Value> set) { return std::count(set.begin(), set.end(), v); };
                CHECK(holds(liveness.liveIn(block)) == in.contains(block));
                bool isOut = false;
                for (const Edge& edge : block->succs()) isOut |= in.contains(edge.to);
                CHECK(holds(liveness.liveOut(block)) == isOut);
            }
        }
    }
}
