// Constants of modules: a module variable that is set once, to a constant, before anything reads it (ModuleVar::isSetOnce) is that
// constant wherever it is read, so functions compute with it and branches on it are decided. The variable keeps its word in the data
// segment. Linear. A variable that gets its value from another such variable is one only if the builder knew that value already.
// Before:  var.set v0, g0 in main, v0 a constant;  v1: i64 = var.get g0 in @f        After:  v1 = const.i64 4 in @f

#include "middle/pass.h"

namespace luapp::ir {

namespace {

/// By module variable: the constant that is its value; null where there is none.
std::vector<const Inst*> constantsOf(const Module& module) {
    std::vector<const Inst*> constants(module.vars.size(), nullptr);
    std::vector<bool> isSet(module.vars.size(), false);
    for (Function* fn : module.functions) {
        if (!fn->entry) continue;
        for (Block* block : blocks(*fn)) {
            for (Inst* inst : insts(block)) {
                if (!inst->is(Op::VarSet)) continue;
                const auto var = size_t(inst->imm);
                const Inst* value = Function::resolve(inst->operands[0]);
                const bool isKnown = module.vars[var].isSetOnce && !isSet[var] && value->isConst() && value->rep == module.vars[var].rep;
                constants[var] = isKnown ? value : nullptr;
                isSet[var] = true;
            }
        }
    }
    return constants;
}

}  // namespace

bool runModuleConstants(Module& module, PassContext& context) {
    const std::vector<const Inst*> constants = constantsOf(module);
    uint64_t reads = 0;
    for (Function* fn : module.functions) {
        if (!fn->entry) continue;
        for (Block* block : blocks(*fn)) {
            for (Inst* inst : insts(block)) {
                const Inst* value = inst->is(Op::VarGet) ? constants[size_t(inst->imm)] : nullptr;
                if (!value) continue;
                inst->op = value->op;
                inst->imm = value->imm;
                reads++;
            }
        }
    }
    context.count("reads removed", reads);
    return reads != 0;
}

}  // namespace luapp::ir
