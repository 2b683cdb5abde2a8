#include "middle/ir_verify.h"

#include <algorithm>
#include <fmt/format.h>

#include "middle/analysis/dominators.h"

namespace luapp::ir {

namespace {

bool isWord(Rep rep) { return rep != Rep::Void && rep != Rep::Pack; }

bool fitsLetter(char letter, const Inst& v) {
    switch (letter) {
        case 'f': return v.rep == Rep::F64;
        case 'i': return v.rep == Rep::I64;
        case 'b': return v.rep == Rep::Bool;
        case 'r': return v.rep == Rep::Ref;
        case 'x': return v.rep == Rep::Box;
        case 'p': return v.rep == Rep::Pack;
        case 'c': return v.isCall() || v.is(Op::IterX);
        default: return isWord(v.rep);  // w, u
    }
}

class Verifier {
  public:
    Verifier(const Function& fn, VerifyMode mode) : fn_(fn), mode_(mode) {}

    std::string run() {
        if (!fn_.entry) return "no blocks";
        checkBlocks();
        if (error_.empty()) checkGraph();
        if (error_.empty()) checkValues();
        return std::move(error_);
    }

  private:
    template <class... A>
    void fail(const Inst* where, fmt::format_string<A...> text, A&&... args) {
        if (!error_.empty()) return;
        error_ = fmt::format(text, std::forward<A>(args)...);
        if (where) error_ += fmt::format(" ({}, id {}, block {})", opText(where->op), where->id, where->block->id);
    }

    // --- lists and links

    void checkBlocks() {
        seenInsts_.assign(fn_.instCount(), false);
        std::vector<bool> seenBlocks(fn_.blockCount(), false);
        const Block* before = nullptr;
        for (const Block* block : blocks(fn_)) {
            if (block->id >= fn_.blockCount() || seenBlocks[block->id]) return fail(nullptr, "block {} has a wrong id", block->id);
            seenBlocks[block->id] = true;
            if (block->prev != before) return fail(nullptr, "block {} is linked wrongly", block->id);
            before = block;
            for (uint32_t i = 0; i < block->params.size(); i++) checkParam(block, i);
            checkList(block);
            if (!error_.empty()) return;
        }
        if (fn_.lastBlock != before) fail(nullptr, "the last block is linked wrongly");
    }

    void note(const Inst* inst, const Block* block) {
        if (inst->block != block) return fail(inst, "instruction names another block");
        if (inst->id >= fn_.instCount() || seenInsts_[inst->id]) return fail(inst, "instruction has a wrong id");
        if (inst->flags & Inst::kForwarded) return fail(inst, "replaced instruction still in its block");
        seenInsts_[inst->id] = true;
    }

    void checkParam(const Block* block, uint32_t i) {
        const Inst* param = block->params[i];
        note(param, block);
        if (!param->isParam() || param->imm != i) return fail(param, "parameter list of block {} is wrong", block->id);
        if (!isWord(param->rep)) return fail(param, "a parameter cannot be {}", base::repName(param->rep));
    }

    void checkList(const Block* block) {
        const Inst* before = nullptr;
        for (const Inst* inst = block->first; inst; inst = inst->next) {
            note(inst, block);
            if (inst->prev != before) return fail(inst, "instruction is linked wrongly");
            if (inst->isTerminator() != (inst == block->last)) return fail(inst, "a terminator stands at the end, and only there");
            before = inst;
        }
        if (!before || block->last != before) return fail(nullptr, "block {} has no terminator", block->id);
        for (const Edge& edge : block->succs()) {
            if (edge.from != block || edge.predIndex >= edge.to->preds.size() || edge.to->preds[edge.predIndex] != &edge) {
                return fail(block->last, "an edge and its target's predecessors disagree");
            }
        }
        for (const Edge* edge : block->preds) {
            const Inst* last = edge->from->terminator();
            const bool isThere = last && !last->succs().empty() && edge >= last->edges && edge < last->edges + last->edgeCount;
            if (edge->to != block || !isThere) return fail(nullptr, "block {} has a predecessor that is none", block->id);
        }
    }

    // --- graph

    void checkGraph() {
        if (!fn_.entry->preds.empty()) return fail(nullptr, "the entry block has predecessors");
        if (fn_.entry->params.size() != fn_.params.size()) return fail(nullptr, "the entry block has not the function's parameters");
        for (uint32_t i = 0; i < fn_.params.size(); i++) {
            if (fn_.entry->params[i]->rep != fn_.params[i]) fail(fn_.entry->params[i], "parameter and signature differ");
        }
        const Dominators dominators(fn_);
        if (mode_ == VerifyMode::Optimised) {
            for (const Block* block : blocks(fn_)) {
                if (!dominators.isReachable(block)) return fail(nullptr, "block {} cannot be reached", block->id);
                for (const Edge& edge : block->succs()) {
                    const bool goesBack = dominators.position(edge.to) <= dominators.position(block);
                    if (goesBack && !block->last->is(Op::Loop)) fail(block->last, "a back edge does not poll");
                }
            }
        }
        checkDominance(dominators);
    }

    void checkDominance(const Dominators& dominators) {
        std::vector<uint32_t> order(fn_.instCount(), 0);  // within the block; parameters are 0
        for (const Block* block : blocks(fn_)) {
            uint32_t next = 1;
            for (const Inst* inst = block->first; inst; inst = inst->next) order[inst->id] = next++;
        }
        auto checkUse = [&](const Inst* v, const Inst* user) {
            if (!v) return fail(user, "an operand is missing");
            if (v->flags & Inst::kForwarded) return fail(user, "an operand was replaced");
            if (!v->block || v->id >= fn_.instCount() || !seenInsts_[v->id] || v->block->function != &fn_) {
                return fail(user, "an operand is in no block of the function");
            }
            if (!dominators.isReachable(user->block)) return;
            const bool isFine = v->block == user->block ? order[v->id] < order[user->id]
                                                        : dominators.isReachable(v->block) &&
                                                              dominators.dominates(v->block, user->block);
            if (!isFine) fail(user, "operand with id {} does not dominate its use", v->id);
        };
        for (const Block* block : blocks(fn_)) {
            for (const Inst* inst = block->first; inst; inst = inst->next) {
                for (const Inst* v : inst->ops()) checkUse(v, inst);
                for (const Edge& edge : inst->succs()) {
                    if (edge.args.size() != edge.to->params.size()) {
                        return fail(inst, "{} arguments for {} parameters", edge.args.size(), edge.to->params.size());
                    }
                    for (uint32_t i = 0; i < edge.args.size(); i++) {
                        checkUse(edge.args[i], inst);
                        if (!error_.empty()) return;
                        if (edge.args[i]->rep != edge.to->params[i]->rep) fail(inst, "argument {} has the wrong representation", i);
                    }
                }
                if (!error_.empty()) return;
            }
        }
    }

    // --- instructions

    void checkValues() {
        for (const Block* block : blocks(fn_)) {
            const Inst* resultArea = nullptr;  // whose results lie there
            for (const Inst* inst = block->first; inst; inst = inst->next) {
                checkShape(*inst);
                if (error_.empty()) checkMeaning(*inst);
                for (const Inst* v : inst->ops()) {
                    const bool needsArea = v->rep == Rep::Pack || inst->is(Op::Result);
                    if (needsArea && v != resultArea) fail(inst, "the results it reads have been overwritten");
                }
                if (clobbersResults(*inst)) resultArea = inst;
                if (!error_.empty()) return;
            }
        }
    }

    void checkShape(const Inst& inst) {
        const OpInfo& info = opInfo(inst.op);
        if (info.result != ResultRule::Typed && inst.rep != fixedRep(inst.op)) return fail(&inst, "wrong result representation");
        const char* shape = info.operands;
        uint32_t next = 0;
        Rep same = Rep::Void;
        while (*shape) {
            const char letter = *shape++;
            const char suffix = *shape == '*' || *shape == '?' ? *shape++ : '\0';
            const uint32_t most = suffix == '*' ? ~0u : 1;
            uint32_t taken = 0;
            while (taken < most && next < inst.operandCount && fitsLetter(letter, *inst.operands[next])) {
                if (letter == 'u') {
                    if (same != Rep::Void && same != inst.operands[next]->rep) return fail(&inst, "operands of two representations");
                    same = inst.operands[next]->rep;
                }
                taken++;
                next++;
            }
            if (!suffix && taken == 0) return fail(&inst, "operand {} does not fit `{}`", next, info.operands);
        }
        if (next != inst.operandCount) return fail(&inst, "operand {} does not fit `{}`", next, info.operands);
        const unsigned edges = inst.is(Op::Br) ? 2 : inst.is(Op::Jump) || inst.is(Op::Loop) ? 1 : 0;
        if (inst.edgeCount != edges) return fail(&inst, "wrong number of successors");
        checkImmediates(inst);
    }

    void checkImmediates(const Inst& inst) {
        const char* letters = opInfo(inst.op).imms;
        for (size_t i = 0; letters[i]; i++) {
            const uint64_t value = i == 0 ? uint64_t(inst.imm) : inst.imm2;
            const Module& module = fn_.module();
            switch (letters[i]) {
                case 'F':
                    if (!inst.immFn || &inst.immFn->module() != &module) return fail(&inst, "no function");
                    break;
                case 'G':
                    if (value >= module.vars.size()) return fail(&inst, "no such module variable");
                    if (!inst.operandCount ? module.vars[value].rep != inst.rep : module.vars[value].rep != inst.operands[0]->rep) {
                        return fail(&inst, "the module variable has another representation");
                    }
                    break;
                case 'S':
                    if (value >= module.strings.size()) return fail(&inst, "no such string");
                    break;
                case 'T':
                    if (value >= module.types.size()) return fail(&inst, "no such type");
                    break;
                case 'M':
                    if (value >= module.methods.size()) return fail(&inst, "no such method");
                    break;
                case 'a':
                    if (value > inst.operandCount) return fail(&inst, "more extra arguments than operands");
                    break;
                default: break;  // plain numbers
            }
        }
    }

    void checkMeaning(const Inst& inst) {
        switch (inst.op) {
            case Op::Call:
            case Op::CallEnv: return checkCall(inst);
            case Op::CallMethod: return checkMethodCall(inst);
            case Op::CallDyn: return checkExtras(inst, 1);
            case Op::Closure: return checkWords(inst, inst.ops(), inst.immFn->captures, "capture");
            case Op::ConstFn:
                if (!inst.immFn->captures.empty()) fail(&inst, "a function with captures is no constant");
                return;
            case Op::CaptureGet:
                if (uint64_t(inst.imm) >= fn_.captures.size() || fn_.captures[size_t(inst.imm)] != inst.rep) {
                    fail(&inst, "no such capture of this representation");
                }
                return;
            case Op::VarargAll:
            case Op::VarargGet:
            case Op::VarargCount:
                if (!fn_.isVararg) fail(&inst, "the function takes no extra arguments");
                return;
            case Op::Ret:
                if (fn_.hasResultPack) return fail(&inst, "this function returns a pack");
                return checkWords(inst, inst.ops(), fn_.results, "result");
            case Op::RetPack:
                if (!fn_.hasResultPack) fail(&inst, "this function returns no pack");
                return;
            case Op::EqI:
                if (inst.operands[0]->rep == Rep::F64) fail(&inst, "words of numbers are not compared");
                return;
            case Op::Result:
                if (inst.imm < 1) fail(&inst, "result 0 is the call itself");
                return;
            case Op::TabGet:
            case Op::TabGetOpt:
            case Op::TabSet: {
                const Rep key = inst.operands[1]->rep;
                if (key != Rep::F64 && key != Rep::Ref && key != Rep::Box) fail(&inst, "a key is a number, a string or a box");
                return;
            }
            default: break;
        }
        if (opInfo(inst.op).result == ResultRule::Typed && !inst.isCall() && !isWord(inst.rep)) fail(&inst, "the result is no word");
    }

    void checkWords(const Inst& inst, std::span<const Value> values, const ArenaVec<Rep>& reps, const char* what) {
        checkWords(inst, values, std::span<const Rep>(reps.items, reps.count), what);
    }

    void checkWords(const Inst& inst, std::span<const Value> values, std::span<const Rep> reps, const char* what) {
        if (values.size() != reps.size()) return fail(&inst, "{} {}s instead of {}", values.size(), what, reps.size());
        for (size_t i = 0; i < values.size(); i++) {
            if (values[i]->rep != reps[i]) return fail(&inst, "{} {} has the wrong representation", what, i);
        }
    }

    /// The operands behind `fixed` are imm2 boxes and possibly a pack.
    void checkExtras(const Inst& inst, uint32_t fixed) {
        const uint32_t count = inst.operandCount - (inst.endsInPack() ? 1 : 0);
        if (fixed > count || count - fixed != inst.imm2) return fail(&inst, "wrong number of arguments");
        for (uint32_t i = fixed; i < count; i++) {
            if (inst.operands[i]->rep != Rep::Box) return fail(&inst, "an extra argument is no box");
        }
    }

    void checkCall(const Inst& inst) {
        const Function& callee = *inst.immFn;
        const uint32_t first = inst.is(Op::CallEnv) ? 1 : 0;
        if ((first == 0) != callee.captures.empty()) return fail(&inst, "call, for functions without captures; call.env, with");
        const uint32_t fixed = callee.params.size();
        if (inst.operandCount < first + fixed) return fail(&inst, "too few arguments");
        checkWords(inst, inst.ops().subspan(first, fixed), callee.params, "argument");
        checkExtras(inst, first + fixed);
        if (!callee.isVararg && (inst.imm2 || inst.endsInPack())) fail(&inst, "extra arguments for a function that takes none");
        const Rep first0 = callee.results.empty() ? Rep::Void : callee.results[0];
        const bool fits = inst.rep == Rep::Void ||
                          (callee.hasResultPack ? inst.rep == Rep::Pack || inst.rep == Rep::Box : inst.rep == first0);
        if (!fits) fail(&inst, "the result has not the callee's representation");
    }

    void checkMethodCall(const Inst& inst) {
        const VirtualMethod& method = fn_.module().methods[size_t(inst.imm)];
        const size_t fixed = method.params.size();
        if (inst.operandCount < fixed) return fail(&inst, "too few arguments");
        checkWords(inst, inst.ops().subspan(0, fixed), std::span<const Rep>(method.params), "argument");
        checkExtras(inst, uint32_t(fixed));
        if (!method.isVararg && (inst.imm2 || inst.endsInPack())) fail(&inst, "extra arguments for a method that takes none");
        const Rep first = method.results.empty() ? Rep::Void : method.results[0];
        const bool fits = inst.rep == Rep::Void ||
                          (method.returnsPack ? inst.rep == Rep::Pack || inst.rep == Rep::Box : inst.rep == first);
        if (!fits) fail(&inst, "the result has not the method's representation");
    }

    const Function& fn_;
    VerifyMode mode_;
    std::string error_;
    std::vector<bool> seenInsts_;  // by id: in a block of the function
};

}  // namespace

std::string verify(const Function& fn, VerifyMode mode) { return Verifier(fn, mode).run(); }

namespace {

bool sameReps(const ArenaVec<Rep>& a, const std::vector<Rep>& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

bool answers(const Function& fn, const VirtualMethod& m) {
    return fn.captures.empty() && fn.isVararg == m.isVararg && fn.hasResultPack == m.returnsPack && sameReps(fn.params, m.params) &&
           sameReps(fn.results, m.results);
}

/// What is wrong with the class, or the empty string.
std::string verifyClass(const Module& module, const ClassEntry& entry, const std::vector<std::vector<uint32_t>>& methodsOfSlot) {
    if (entry.type >= module.types.size()) return "no such type";
    std::vector<bool> taken(entry.words, false);
    for (const ClassField& f : entry.fields) {
        if (f.word >= entry.words || taken[f.word]) return fmt::format("field \"{}\" has no word of its own", f.name);
        taken[f.word] = true;
        if (f.type >= module.types.size() || f.owner >= module.types.size()) return fmt::format("field \"{}\" has no type", f.name);
    }
    for (size_t slot = 0; slot < entry.table.size(); slot++) {
        const Function* fn = entry.table[slot];
        if (!fn) continue;
        bool fits = false;
        if (slot < methodsOfSlot.size()) {
            for (uint32_t m : methodsOfSlot[slot]) fits |= answers(*fn, module.methods[m]);
        }
        if (!fits) return fmt::format("@{} in slot {} answers no method", fn->label, slot);
    }
    for (const ClassMember& m : entry.members) {
        if (!m.function && m.variable >= module.vars.size()) return fmt::format("member \"{}\" is nothing", m.name);
    }
    for (const Function* maker : entry.makers) {
        if (maker->results.size() != 1 || maker->results[0] != Rep::Ref) return fmt::format("@{} makes no object", maker->label);
    }
    const Function* finalizer = entry.finalizer;
    if (finalizer && (finalizer->params.size() != 1 || finalizer->params[0] != Rep::Ref)) return "the finaliser takes an object";
    return {};
}

}  // namespace

std::string verify(const Module& module, VerifyMode mode) {
    std::vector<std::vector<uint32_t>> methodsOfSlot;
    for (uint32_t i = 0; i < module.methods.size(); i++) {
        const uint32_t slot = module.methods[i].slot;
        if (methodsOfSlot.size() <= slot) methodsOfSlot.resize(slot + 1);
        methodsOfSlot[slot].push_back(i);
    }
    for (const ClassEntry& entry : module.classes) {
        std::string error = verifyClass(module, entry, methodsOfSlot);
        if (!error.empty()) return fmt::format("class t{}: {}", entry.type, error);
    }
    for (const Function* fn : module.functions) {
        std::string error = verify(*fn, mode);
        if (!error.empty()) return fmt::format("@{}: {}", fn->label, error);
    }
    return {};
}

}  // namespace luapp::ir
