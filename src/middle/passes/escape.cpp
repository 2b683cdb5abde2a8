// Escape analysis with scalar replacement: an object, record, cell or small array that never leaves the function is not made; its
// words become values.
//
// Something made here leaves the function if it is stored, passed, returned or boxed; what else can be done with it (reading and storing its words, asking for null, comparing it) is known without it. Such uses are all
// dominated by the place where it is made, so its words are variables whose definitions are that place and the stores, and SSA form
// for them is made as the builder makes it (Braun et al., 2013), with parameters where ways join. What is stored and never read simply
// vanishes. A block parameter that gets nothing but such objects of one type is taken apart with them, if all stores come right where they
// are made and nobody asks which of them it is: then it is only another name for their words. Of arrays only those count that are filled right where they are made and then used at constant positions within that length.
// What was stored only in something that went may stay at home now itself, so there are a few rounds.
// Objects with a finaliser stay, and what is large; so does what leaves on some way only. Closures that nothing uses any more go first,
// for they hold cells. Linear in the size of the function for a limited number of words.
// Before:  v2 = obj.new t0, 1;  field.init v2, v0, 0;  v3: f64 = field.get v2, 0;  ret v3        After:  ret v0

#include <algorithm>
#include <unordered_map>

#include "middle/fold.h"
#include "middle/pass.h"
#include "middle/trivial_params.h"

namespace luapp::ir {

namespace {

constexpr uint32_t kMaxWords = 16;       // of one object
constexpr uint32_t kMaxAllWords = 256;   // of all that a round takes apart: each may need a register
constexpr uint64_t kMaxWork = 4'000'000;  // words times blocks
constexpr uint32_t kMaxRounds = 4;
constexpr int kMaxPasses = 10;           // over merged objects until they agree
constexpr uint32_t kMaxLiteral = 200;  // instructions among which the elements of an array are looked for
constexpr uint32_t kNone = ~0u;

/// Something made by this function, or a parameter that only gets such objects.
struct Candidate {
    Inst* made = nullptr;
    uint32_t firstWord = 0;  // its words are variables from here on
    uint32_t words = 0;
    uint32_t type = kNone;   // of objects
    bool stays = false;
    bool isMerged = false;   // a parameter, or the argument of one
    bool isCompared = false;
    bool isStoredLater = false;  // behind the block where it is made

    bool isObject() const { return type != kNone; }
};

/// One candidate is the argument of another.
struct Merge {
    uint32_t from;
    uint32_t to;
};

class Escape {
  public:
    Escape(Function& fn, PassContext& context) : fn_(fn), context_(context) {}

    bool run() {
        if (!makesAnything()) return false;
        bool changed = removeDeadClosures();
        for (uint32_t round = 0; round < kMaxRounds && findCandidates(); round++) {
            takeApart();
            changed = true;
        }
        return changed;
    }

  private:
    bool makesAnything() const {
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (inst->is(Op::ObjNew) || inst->is(Op::CellNew) || inst->is(Op::ArrNew)) return true;
            }
        }
        return false;
    }

    bool removeDeadClosures() {
        std::vector<bool> isUsed(fn_.instCount(), false);
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                for (Value v : inst->ops()) isUsed[v->id] = true;
                for (const Edge& edge : inst->succs()) {
                    for (Value v : edge.args) isUsed[v->id] = true;
                }
            }
        }
        uint64_t removed = 0;
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                if (!inst->is(Op::Closure) || isUsed[inst->id]) continue;
                fn_.remove(inst);
                removed++;
            }
        }
        context_.count("closures removed", removed);
        return removed != 0;
    }

    // --- what stays at home

    /// Fills candidates_; false if nothing can be taken apart.
    bool findCandidates() {
        candidates_.clear();
        merges_.clear();
        reps_.clear();
        candidateOf_.assign(fn_.instCount(), kNone);
        wordOfPush_.assign(fn_.instCount(), kNone);
        const uint64_t maxWords = std::min<uint64_t>(kMaxAllWords, kMaxWork / (fn_.blockCount() + 1));
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                const uint32_t words = wordsOf(*inst);
                if (words == kNone || reps_.size() + words > maxWords) continue;
                addCandidate(inst, words, inst->is(Op::ObjNew) ? uint32_t(inst->imm) : kNone);
                if (inst->is(Op::CellNew)) reps_.back() = inst->operands[0]->rep;
                if (inst->is(Op::ArrNew)) addElements(candidates_.back());
            }
        }
        if (candidates_.empty()) return false;
        findParams(maxWords);
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) judge(*inst);
        }
        judgeMerges();
        return std::any_of(candidates_.begin(), candidates_.end(), [](const Candidate& c) { return !c.stays; });
    }

    void addCandidate(Inst* made, uint32_t words, uint32_t type) {
        candidateOf_[made->id] = uint32_t(candidates_.size());
        candidates_.push_back({made, uint32_t(reps_.size()), words, type});
        candidates_.back().isMerged = made->isParam();
        reps_.resize(reps_.size() + words, Rep::Void);
    }

    /// Parameters that get some object that may go.
    void findParams(uint64_t maxWords) {
        for (Block* block : blocks(fn_)) {
            if (block == fn_.entry) continue;
            for (Value param : block->params) {
                if (param->rep != Rep::Ref) continue;
                for (const Edge* edge : block->preds) {
                    const Candidate* c = candidate(edge->args[size_t(param->imm)]);
                    if (!c || !c->isObject() || reps_.size() + c->words > maxWords) continue;
                    addCandidate(param, c->words, c->type);
                    break;
                }
            }
        }
    }

    /// How many words `inst` makes that this pass can take apart; kNone if it is nothing of the kind.
    uint32_t wordsOf(const Inst& inst) const {
        uint32_t words = kNone;
        if (inst.is(Op::CellNew)) words = 1;
        if (inst.is(Op::ArrNew)) {
            words = 0;
            forLiteral(inst, [&](Inst&) { words++; });
        }
        if (inst.is(Op::ObjNew)) {
            const ClassEntry* entry = fn_.module().classOf(uint32_t(inst.imm));
            if (!entry || !entry->finalizer) words = inst.imm2;
        }
        return words <= kMaxWords ? words : kNone;
    }

    /// Calls `visit` for every push into a new array, in its block, before anything else is done with the array.
    template <class Visit>
    static void forLiteral(const Inst& array, Visit visit) {
        uint32_t steps = 0;
        for (Inst* inst = array.next; inst && steps < kMaxLiteral; inst = inst->next, steps++) {
            const std::span<const Value> operands = inst->ops();
            if (std::find(operands.begin(), operands.end(), &array) == operands.end()) continue;
            if (!inst->is(Op::ArrPush) || inst->operands[1] == &array) return;
            visit(*inst);
        }
    }

    void addElements(const Candidate& c) {
        uint32_t word = c.firstWord;
        forLiteral(*c.made, [&](Inst& push) {
            wordOfPush_[push.id] = word;
            reps_[word++] = push.operands[1]->rep;
        });
    }

    Candidate* candidate(Value v) {
        const uint32_t index = v->id < candidateOf_.size() ? candidateOf_[v->id] : kNone;
        return index == kNone ? nullptr : &candidates_[index];
    }
    /// The same, if it will be taken apart.
    Candidate* homeBody(Value v) {
        Candidate* c = candidate(v);
        return c && !c->stays ? c : nullptr;
    }

    void judge(const Inst& inst) {
        for (uint32_t i = 0; i < inst.operandCount; i++) {
            Candidate* c = candidate(inst.operands[i]);
            if (c && !isHarmless(inst, i, *c)) c->stays = true;
        }
        for (const Edge& edge : inst.succs()) {
            for (Value param : edge.to->params) judgeArgument(edge.args[size_t(param->imm)], param);
        }
    }

    void judgeArgument(Value arg, Value param) {
        Candidate* from = candidate(arg);
        Candidate* to = candidate(param);
        if (from && to && from->isObject() && from->type == to->type) {
            from->isMerged = true;
            if (from != to) merges_.push_back({candidateOf_[arg->id], candidateOf_[param->id]});
            return;
        }
        if (from) from->stays = true;
        if (to) to->stays = true;
    }

    /// Merged objects go together or not at all, and agree on what their words are.
    void judgeMerges() {
        for (Candidate& c : candidates_) c.stays |= c.isMerged && (c.isCompared || c.isStoredLater);
        bool changed = !merges_.empty();
        for (int pass = 0; changed; pass++) {
            changed = false;
            for (const Merge& m : merges_) changed |= agree(candidates_[m.from], candidates_[m.to], pass >= kMaxPasses);
        }
    }

    /// True if that changed something.
    bool agree(Candidate& a, Candidate& b, bool givesUp) {
        bool changed = false;
        bool isSame = !givesUp;
        for (uint32_t i = 0; i < a.words; i++) {
            Rep& left = reps_[a.firstWord + i];
            Rep& right = reps_[b.firstWord + i];
            if (left == right) continue;
            isSame &= left == Rep::Void || right == Rep::Void;
            if (!isSame) break;
            left = right = left == Rep::Void ? right : left;
            changed = true;
        }
        if (a.stays && b.stays) return changed;
        if (isSame && !a.stays && !b.stays) return changed;
        a.stays = b.stays = true;
        return true;
    }

    bool isHarmless(const Inst& inst, uint32_t operand, Candidate& c) {
        const Op made = c.made->op;
        switch (inst.op) {
            case Op::FieldGet: return c.isObject() && isWord(c, inst.imm, inst.rep);
            case Op::FieldSet:
            case Op::FieldInit:
                c.isStoredLater |= inst.block != c.made->block;
                return made == Op::ObjNew && operand == 0 && isWord(c, inst.imm, inst.operands[1]->rep);
            case Op::CellGet: return made == Op::CellNew && isWord(c, 0, inst.rep);
            case Op::CellSet: return made == Op::CellNew && operand == 0 && isWord(c, 0, inst.operands[1]->rep);
            case Op::ArrGet:
            case Op::ArrGetU: return made == Op::ArrNew && isElement(c, inst.operands[1], inst.rep);
            case Op::ArrSet:
            case Op::ArrSetU: return made == Op::ArrNew && operand == 0 && isElement(c, inst.operands[1], inst.operands[2]->rep);
            case Op::ArrPush: return made == Op::ArrNew && operand == 0 && wordOfPush_[inst.id] != kNone;
            case Op::ArrLen: return made == Op::ArrNew;
            case Op::IsNull:
            case Op::CheckNull: return true;
            case Op::EqI:
            case Op::EqRef: c.isCompared = true; return c.isObject() || made == Op::ArrNew;
            case Op::IsTypeRef: return c.isObject() && fn_.module().classOf(c.type);
            default: return false;  // it leaves, or nobody knows
        }
    }

    /// True if word `word` of `c` may have representation `rep`: the first that is seen counts.
    bool isWord(const Candidate& c, int64_t word, Rep rep) {
        if (word < 0 || word >= int64_t{c.words}) return false;
        Rep& known = reps_[c.firstWord + size_t(word)];
        if (known == Rep::Void) known = rep;
        return known == rep;
    }

    bool isElement(const Candidate& c, Value index, Rep rep) {
        return index->is(Op::ConstI64) && isWord(c, index->imm, rep);
    }

    // --- taking apart

    static uint64_t key(const Block* block, uint32_t word) { return uint64_t{block->id} << 32 | word; }

    void takeApart() {
        definitions_.clear();
        added_.clear();
        const Dominators& dominators = context_.analyses.dominators(fn_);
        for (Block* block : dominators.order()) {
            startParams(block);
            for (Inst* inst : insts(block)) rewrite(*inst);
        }
        // Looking up an argument may add further parameters.
        for (size_t i = 0; i < added_.size(); i++) {
            const Added a = added_[i];
            for (Edge* edge : a.param->block->preds) {
                const Value object = a.object ? edge->args[size_t(a.object->imm)] : nullptr;
                const uint32_t word = object ? homeBody(object)->firstWord + a.word : a.word;
                edge->args.push(fn_.arena(), valueAt(edge->from, word));
            }
        }
        removeParams();
        for (Candidate& c : candidates_) {
            if (c.stays || c.made->isParam()) continue;
            context_.count(c.made->is(Op::ObjNew) ? "objects removed" : c.made->is(Op::CellNew) ? "cells removed" : "arrays removed");
            fn_.remove(c.made);
        }
        if (!added_.empty()) replaceTrivialParams(fn_);
        fn_.applyReplacements();
    }

    /// The words of the parameters of `block` that are taken apart become parameters.
    void startParams(Block* block) {
        for (uint32_t i = 0, count = block->params.size(); i < count; i++) {
            Value const param = block->params[i];
            const Candidate* c = homeBody(param);
            if (!c) continue;
            for (uint32_t word = 0; word < c->words; word++) {
                if (reps_[c->firstWord + word] == Rep::Void) continue;
                const Value v = fn_.addParam(block, reps_[c->firstWord + word]);
                define(block, c->firstWord + word, v);
                added_.push_back({v, word, param});
            }
        }
    }

    void removeParams() {
        std::vector<bool> drop;
        for (const Candidate& c : candidates_) {
            if (c.stays || !c.made->isParam()) continue;
            context_.count("parameters taken apart");
            drop.assign(c.made->block->params.size(), false);
            drop[size_t(c.made->imm)] = true;
            fn_.removeParams(c.made->block, drop);
        }
    }

    void define(const Block* block, uint32_t word, Value v) { definitions_[key(block, word)] = v; }

    /// The value of a word at the end of `block`, or so far if that is the block being rewritten.
    Value valueAt(Block* block, uint32_t word) {
        path_.clear();
        Value v = nullptr;
        while (true) {
            if (auto found = definitions_.find(key(block, word)); found != definitions_.end()) {
                v = found->second;
                break;
            }
            path_.push_back(block);
            if (block->preds.size() != 1) {
                v = fn_.addParam(block, reps_[word]);
                added_.push_back({v, word, nullptr});
                break;
            }
            block = block->preds[0]->from;
        }
        for (Block* passed : path_) define(passed, word, v);
        return Function::resolve(v);
    }

    void rewrite(Inst& inst) {
        for (Value& v : inst.ops()) v = Function::resolve(v);
        if (Candidate* c = homeBody(&inst)) return start(*c);
        if (inst.operandCount == 0) return;
        if (inst.is(Op::EqI) || inst.is(Op::EqRef)) {
            if (!homeBody(inst.operands[0]) && !homeBody(inst.operands[1])) return;
            return becomeConst(inst, Op::ConstBool, inst.operands[0] == inst.operands[1]);
        }
        if (Candidate* c = homeBody(inst.operands[0])) use(inst, *c);
    }

    void start(const Candidate& c) {
        Block* const block = c.made->block;
        if (c.made->is(Op::CellNew)) return define(block, c.firstWord, c.made->operands[0]);
        // The elements of arrays are defined by pushes alone.
        if (!c.made->is(Op::ObjNew)) return;
        for (uint32_t word = c.firstWord; word < c.firstWord + c.words; word++) {
            if (reps_[word] != Rep::Void) define(block, word, zero(*c.made, reps_[word]));
        }
    }

    /// A word of zeros, as a new object has it.
    Value zero(Inst& at, Rep rep) {
        if (rep == Rep::Box) {
            const Value number = zero(at, Rep::F64);
            return insert(at, Op::BoxF, Rep::Box, {&number, 1});
        }
        const Op op = rep == Rep::F64   ? Op::ConstF64
                      : rep == Rep::I64 ? Op::ConstI64
                      : rep == Rep::Ref ? Op::ConstNull
                                        : Op::ConstBool;
        return insert(at, op, rep, {});
    }

    Inst* insert(Inst& at, Op op, Rep rep, std::span<const Value> operands) {
        Inst* made = fn_.makeInst(op, rep, operands, at.loc);
        fn_.insertBefore(&at, made);
        return made;
    }

    void use(Inst& inst, const Candidate& c) {
        switch (inst.op) {
            case Op::FieldGet: return read(inst, c.firstWord + uint32_t(inst.imm));
            case Op::FieldSet:
            case Op::FieldInit: return write(inst, c.firstWord + uint32_t(inst.imm), inst.operands[1]);
            case Op::CellGet: return read(inst, c.firstWord);
            case Op::CellSet: return write(inst, c.firstWord, inst.operands[1]);
            case Op::ArrGet:
            case Op::ArrGetU: return read(inst, c.firstWord + uint32_t(inst.operands[1]->imm));
            case Op::ArrSet:
            case Op::ArrSetU: return write(inst, c.firstWord + uint32_t(inst.operands[1]->imm), inst.operands[2]);
            case Op::ArrPush: return write(inst, wordOfPush_[inst.id], inst.operands[1]);
            case Op::ArrLen: return becomeConst(inst, Op::ConstI64, c.words);
            case Op::IsNull: return becomeConst(inst, Op::ConstBool, false);
            case Op::CheckNull: return fn_.remove(&inst);
            case Op::IsTypeRef: return becomeConst(inst, Op::ConstBool, isInstance(c, uint32_t(inst.imm)));
            default: return;  // isHarmless let no other pass
        }
    }

    bool isInstance(const Candidate& c, uint32_t type) const {
        const std::vector<uint32_t>& ancestors = fn_.module().classOf(c.type)->ancestors;
        return std::find(ancestors.begin(), ancestors.end(), type) != ancestors.end();
    }

    void read(Inst& inst, uint32_t word) { fn_.replace(&inst, valueAt(inst.block, word)); }

    void write(Inst& inst, uint32_t word, Value v) {
        define(inst.block, word, v);
        fn_.remove(&inst);
    }

    Function& fn_;
    PassContext& context_;
    std::vector<Candidate> candidates_;
    std::vector<Merge> merges_;
    std::vector<uint32_t> candidateOf_;  // by value id
    std::vector<uint32_t> wordOfPush_;   // by id of a push into a candidate
    std::vector<Rep> reps_;              // by word; Void: nothing reads or stores it
    std::unordered_map<uint64_t, Value> definitions_;  // (block, word) -> the value at its end so far
    struct Added {
        Value param;
        uint32_t word;  // of the candidate that `object` gets on each way, or of all
        Value object;
    };
    std::vector<Added> added_;   // parameters that wait for their arguments
    std::vector<Block*> path_;   // scratch of valueAt
};

}  // namespace

bool runEscape(Function& fn, PassContext& context) { return Escape(fn, context).run(); }

}  // namespace luapp::ir
