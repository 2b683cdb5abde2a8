// Building a function of IR, block by block, straight from source-like variables.
//
// Made and used by lowering (and by tests). The builder puts instructions at the end of a current block, picks the
// representation of results, folds constants, and turns variables into SSA values by the algorithm of Braun et al.
// (2013): writeVariable and readVariable may be called at any point of a block that has been started; seal(block) tells
// that no further edge will lead to it. All walks are iterative, so depth of nesting is no limit; parameters that
// turn out to be needless go as soon as that is known, the rest in finish().
// Dead code needs no care: after a terminator there is no current block, and what is emitted then goes into a block
// without predecessors, which finish() removes.
// Order of blocks is the order of start(). It does not know types or source syntax.
#pragma once

#include <unordered_map>
#include <vector>

#include "middle/ir.h"

namespace luapp::ir {

/// A source-like variable, numbered by declareVariable.
using VarId = uint32_t;

class Builder {
  public:
    /// Starts `fn`, which has no blocks yet and whose `params` are set: makes the entry block with its parameters and
    /// starts it.
    explicit Builder(Function& fn);

    Function& function() { return fn_; }
    /// Parameter `i` of the function.
    Value param(uint32_t i) const { return fn_.entry->params[i]; }

    /// The position new instructions get.
    void setLoc(Loc loc) {
        place_ = loc;
        loc_ = scope_ == 0 ? loc : scoped(loc);
    }
    Loc loc() const { return place_; }
    /// The position with names of operands.
    void setNote(Note note) {
        place_ = note.loc;
        note.scope = scope_;
        loc_ = fn_.module().addNote(note);
    }
    /// The locals in scope from here on (Note::scope).
    void setScope(uint32_t scope) {
        scope_ = scope;
        setLoc(place_);
    }
    uint32_t scope() const { return scope_; }

    /// Arithmetic on numbers made from here on allows what `--!fastmath` does.
    void setFastMath(bool isAllowed) { isFastMath_ = isAllowed; }

    // --- blocks
    /// A new block, neither started nor sealed.
    Block* newBlock();
    /// Makes `block` the current one, and the last in order. Each block is started once.
    void start(Block* block);
    /// Promises that all edges to `block` exist. Every block must be sealed before finish(), but those without edges to them.
    void seal(Block* block);
    /// seal and start.
    void startSealed(Block* block) {
        seal(block);
        start(block);
    }
    /// The current block; a fresh one that nothing reaches if the last instruction was a terminator.
    Block* block();
    /// False right after a terminator: what comes now cannot be reached.
    bool isReachable() const { return current_ != nullptr; }

    // --- constants
    Value f64(double v);
    Value i64(int64_t v) { return constant(Op::ConstI64, v); }
    Value boolean(bool v) { return constant(Op::ConstBool, v); }
    Value null() { return constant(Op::ConstNull, 0); }
    Value nil() { return constant(Op::ConstNil, 0); }
    Value boxBool(bool v) { return constant(Op::ConstBoxBool, v); }
    Value absent() { return constant(Op::ConstAbsent, 0); }
    /// String constant number `index` of the module.
    Value str(uint32_t index) { return constant(Op::ConstStr, index); }
    Value str(std::string_view text) { return str(fn_.module().addString(text)); }
    /// The static closure of a function without captures.
    Value fn(Function* function);
    Value builtin(uint32_t index) { return constant(Op::ConstBuiltin, index); }
    Value type(uint32_t index) { return constant(Op::ConstType, index); }
    /// 0, 0, false, null, nil by representation.
    Value zero(Rep rep);

    // --- instructions
    /// An instruction whose representation ir_ops.def fixes. Folded if its operands are constants and it cannot raise then.
    Value op(Op op, std::initializer_list<Value> operands, int64_t imm = 0, uint32_t imm2 = 0) {
        return emit(op, fixedRep(op), {operands.begin(), operands.size()}, imm, imm2);
    }
    Value op(Op op, std::span<const Value> operands, int64_t imm = 0, uint32_t imm2 = 0) {
        return emit(op, fixedRep(op), operands, imm, imm2);
    }
    /// An instruction with result rule Typed.
    Value typed(Op op, Rep rep, std::initializer_list<Value> operands, int64_t imm = 0, uint32_t imm2 = 0) {
        return emit(op, rep, {operands.begin(), operands.size()}, imm, imm2);
    }
    Value typed(Op op, Rep rep, std::span<const Value> operands, int64_t imm = 0, uint32_t imm2 = 0) {
        return emit(op, rep, operands, imm, imm2);
    }
    /// Direct call (Op::Call, or Op::CallEnv if `closure` is not null) of `callee`; `args` are the fixed arguments, the extras, then
    /// possibly a pack. `rep`: Void, the first fixed result's, or Pack or Box for variadic results.
    Value call(Function* callee, Value closure, std::span<const Value> args, uint32_t extras, Rep rep);
    /// A closure of `function`, with its captures.
    Value closure(Function* function, std::span<const Value> captures);
    /// Boxes a value of any representation but that of an enum; a box stays. `tag`: of box.ref.
    Value box(Value v, uint32_t tag = 0);
    Value logicalNot(Value v) { return op(Op::Not, {v}); }

    // --- terminators; there is no current block afterwards
    void jump(Block* to);
    /// A back edge.
    void loop(Block* to);
    void br(Value condition, Block* ifTrue, Block* ifFalse);
    void ret(std::span<const Value> values);
    void ret() { ret(std::span<const Value>{}); }
    void ret(Value v) { ret(std::span<const Value>{&v, 1}); }
    /// For functions with a result pack: boxes, then possibly a pack.
    void retPack(std::span<const Value> values);
    void raise(uint32_t error, Value box = nullptr);
    void unreachable();

    // --- variables
    /// A new variable; all its values have representation `rep`.
    VarId declareVariable(Rep rep);
    /// From here on (in the current block) `var` is `v`.
    void writeVariable(VarId var, Value v);
    /// The value of `var` here. A variable never written on the way is zero(rep).
    Value readVariable(VarId var);

    /// Completes the function: checks that all is sealed, removes unreachable blocks and needless parameters, renumbers.
    void finish();

  private:
    /// State of one block while building.
    struct BlockState {
        bool isStarted = false;
        bool isSealed = false;
        uint32_t incomplete = 0;  // 1 + index into incomplete_ of the first parameter that waits for seal
    };
    struct Incomplete {
        VarId var;
        Value param;
        uint32_t next;
    };
    /// A parameter whose arguments are being looked up.
    struct Pending {
        VarId var;
        Value param;
        uint32_t edge;
    };

    Value emit(Op op, Rep rep, std::span<const Value> operands, int64_t imm, uint32_t imm2);
    Value constant(Op op, int64_t imm);
    Inst* terminate(Op op, std::span<const Value> operands, unsigned edgeCount);
    void connect(Inst* terminator, unsigned edge, Block* to);
    BlockState& state(const Block* block);
    Value* definition(const Block* block, VarId var);
    void define(const Block* block, VarId var, Value v);
    Value addVariableParam(Block* block, VarId var);
    Value lookUp(Block* block, VarId var);
    void completePending();
    Value undefined(Block* block, Rep rep);

    Function& fn_;
    Block* current_ = nullptr;
    Loc scoped(Loc loc);

    Loc loc_;             // what instructions get
    bool isFastMath_ = false;
    Loc place_;           // the place in the source
    uint32_t scope_ = 0;
    Note lastScoped_;     // what scoped() made last, and its position
    Loc lastScopedLoc_;
    std::vector<Rep> varReps_;
    std::vector<BlockState> states_;                       // by block id
    std::unordered_map<uint64_t, Value> definitions_;      // (block id, variable) -> value at its end so far
    std::vector<Incomplete> incomplete_;
    std::vector<Pending> pending_;
    std::vector<Block*> path_;                             // scratch of lookUp
};

}  // namespace luapp::ir
