// Sparse conditional constant propagation (Wegman and Zadeck 1991), over block parameters: a value that is the same constant on
// every way that can be taken becomes that constant, and a branch on it is decided (simplify_cfg then removes the way not taken).
// It starts from the assumption that nothing is executed and everything is constant, and gives up what turns out wrong, so it sees
// through loops: a variable that only code not reached would change stays what it was.
// What one instruction computes is the business of fold.h; an operation that would raise has no constant value. Linear:
// every value loses its assumption at most twice, and only then are its users looked at again.
// Before:  b0: v0 = const.i64 1; jump b1(v0)                       After:  b1(v1): v2 = const.i64 1; v3 = const.bool true
//          b1(v1): v3 = eq.i v1, v0; br v3, b2, b3                         br v3, b2, b3; ... b2: loop b1(v2)
//          b2: loop b1(v1);  b3: v4 = const.i64 2; loop b1(v4)

#include "middle/fold.h"
#include "middle/pass.h"

namespace luapp::ir {

namespace {

/// What is known of a value so far.
struct Known {
    enum State : uint8_t { Nothing, Constant, Varying };  // only ever goes up
    State state = Nothing;
    Op op = Op::Param;  // of the constant
    int64_t imm = 0;

    bool operator==(const Known&) const = default;
};

class Propagation {
  public:
    Propagation(Function& fn, PassContext& context) : fn_(fn), context_(context) {}

    bool run() {
        if (!hasConstantArgument()) return false;
        known_.assign(fn_.instCount(), {});
        isReached_.assign(fn_.blockCount(), false);
        isTaken_.assign(size_t{fn_.blockCount()} * 2, false);
        collectUsers();
        for (Value param : fn_.entry->params) known_[param->id].state = Known::Varying;
        reach(fn_.entry);
        while (!edges_.empty() || !changed_.empty()) {
            if (!changed_.empty()) {
                const Value v = changed_.back();
                changed_.pop_back();
                revisitUsers(v);
                continue;
            }
            const Edge* edge = edges_.back();
            edges_.pop_back();
            take(*edge);
        }
        return rewrite();
    }

  private:
    /// A use of a value: by an instruction, or as the argument of an edge for a parameter.
    struct User {
        Inst* inst;
        const Edge* edge;  // null: an operand
    };

    // Where no edge brings a constant, simplify has found what there is.
    bool hasConstantArgument() const {
        for (Block* block : blocks(fn_)) {
            for (const Edge& edge : block->succs()) {
                for (Value v : edge.args) {
                    if (v->isConst()) return true;
                }
            }
        }
        return false;
    }

    template <class F>
    void forEachUse(F&& f) const {
        for (Block* block : blocks(fn_)) {
            for (Inst* inst : insts(block)) {
                for (Value v : inst->ops()) f(v, User{inst, nullptr});
                for (const Edge& edge : inst->succs()) {
                    for (uint32_t i = 0; i < edge.args.size(); i++) f(edge.args[i], User{edge.to->params[i], &edge});
                }
            }
        }
    }

    void collectUsers() {
        firstUser_.assign(size_t{fn_.instCount()} + 1, 0);
        forEachUse([&](Value v, User) { firstUser_[v->id + 1]++; });
        for (size_t i = 1; i < firstUser_.size(); i++) firstUser_[i] += firstUser_[i - 1];
        users_.resize(firstUser_.back());
        std::vector<uint32_t> next(firstUser_.begin(), firstUser_.end() - 1);
        forEachUse([&](Value v, User user) { users_[next[v->id]++] = user; });
    }

    static size_t indexOf(const Edge& edge) {
        return size_t{edge.from->id} * 2 + size_t(&edge - edge.from->last->edges);
    }

    void follow(const Edge& edge) {
        if (!isTaken_[indexOf(edge)]) edges_.push_back(&edge);
    }

    void take(const Edge& edge) {
        if (isTaken_[indexOf(edge)]) return;
        isTaken_[indexOf(edge)] = true;
        for (uint32_t i = 0; i < edge.args.size(); i++) meet(edge.to->params[i], known_[edge.args[i]->id]);
        if (!isReached_[edge.to->id]) reach(edge.to);
    }

    void reach(Block* block) {
        isReached_[block->id] = true;
        for (Inst* inst : insts(block)) visit(*inst);
    }

    void revisitUsers(Value v) {
        for (uint32_t i = firstUser_[v->id]; i < firstUser_[v->id + 1]; i++) {
            const User& user = users_[i];
            if (user.edge) {
                if (isTaken_[indexOf(*user.edge)]) meet(user.inst, known_[v->id]);
            } else if (isReached_[user.inst->block->id]) {
                visit(*user.inst);
            }
        }
    }

    void meet(Value param, const Known& arrives) {
        const Known& now = known_[param->id];
        if (arrives.state == Known::Nothing || now.state == Known::Varying || now == arrives) return;
        set(param, now.state == Known::Nothing ? arrives : Known{Known::Varying});
    }

    void set(Value v, const Known& to) {
        Known& now = known_[v->id];
        if (now == to || now.state == Known::Varying) return;
        now = to;
        changed_.push_back(v);
    }

    void visit(Inst& inst) {
        if (inst.isTerminator()) return visitTerminator(inst);
        if (inst.rep != Rep::Void) set(&inst, valueOf(inst));
    }

    void visitTerminator(Inst& inst) {
        if (inst.is(Op::Br)) {
            const Known& condition = known_[inst.operands[0]->id];
            if (condition.state == Known::Nothing) return;
            if (condition.state == Known::Constant) return follow(inst.edges[condition.imm ? 0 : 1]);
        }
        for (const Edge& edge : inst.succs()) follow(edge);
    }

    Known valueOf(const Inst& inst) const {
        if (inst.isConst()) return {Known::Constant, inst.op, inst.imm};
        if (inst.operandCount == 0 || inst.operandCount > 2) return {Known::Varying};
        // The operands as folding wants them: constants where they are known.
        Inst operands[2];
        Value pointers[2];
        bool anyConstant = false;
        for (uint32_t i = 0; i < inst.operandCount; i++) {
            const Known& k = known_[inst.operands[i]->id];
            if (k.state == Known::Nothing) return {};
            pointers[i] = inst.operands[i];
            if (k.state == Known::Varying) continue;
            operands[i].op = k.op;
            operands[i].rep = inst.operands[i]->rep;
            operands[i].imm = k.imm;
            pointers[i] = &operands[i];
            anyConstant = true;
        }
        Inst folded = inst;
        folded.operands = pointers;
        if (anyConstant && foldInPlace(folded)) return {Known::Constant, folded.op, folded.imm};
        return {Known::Varying};
    }

    bool rewrite() {
        uint64_t found = 0, params = 0;
        for (Block* block : blocks(fn_)) {
            if (!isReached_[block->id]) continue;
            for (Inst* inst : insts(block)) {
                const Known& k = known_[inst->id];
                if (inst->rep == Rep::Void || inst->isConst() || k.state != Known::Constant) continue;
                becomeConst(*inst, k.op, k.imm);
                found++;
            }
            for (Value param : block->params) {
                const Known& k = known_[param->id];
                if (k.state != Known::Constant) continue;
                Inst* constant = fn_.makeInst(k.op, param->rep, {}, block->first->loc);
                constant->imm = k.imm;
                fn_.prepend(block, constant);
                fn_.replace(param, constant);
                params++;
            }
        }
        if (params) fn_.applyReplacements();
        context_.count("values found constant", found);
        context_.count("parameters found constant", params);
        return found || params;
    }

    Function& fn_;
    PassContext& context_;
    std::vector<Known> known_;         // by id of a value
    std::vector<bool> isReached_;      // by block id
    std::vector<bool> isTaken_;        // by block id, twice: the edges of its terminator
    std::vector<uint32_t> firstUser_;  // by id: where its users begin in users_
    std::vector<User> users_;
    std::vector<const Edge*> edges_;   // to be taken
    std::vector<Value> changed_;       // whose users are to be looked at
};

}  // namespace

bool runSccp(Function& fn, PassContext& context) { return Propagation(fn, context).run(); }

}  // namespace luapp::ir
