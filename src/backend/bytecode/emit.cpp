#include "backend/bytecode/emit.h"

#include "backend/alloc_verify.h"
#include "backend/bytecode/chunk_builder.h"
#include "backend/bytecode/code_writer.h"
#include "backend/bytecode/isel.h"
#include "backend/linear_scan.h"
#include "backend/out_of_ssa.h"
#include "runtime/base/check.h"

namespace luapp::bc {

namespace {

Proto describe(const ir::Function& fn, ChunkBuilder& chunk) {
    Proto p;
    p.name = chunk.symbol(fn.name);
    p.params.assign(fn.params.begin(), fn.params.end());
    p.results.assign(fn.results.begin(), fn.results.end());
    p.captures.assign(fn.captures.begin(), fn.captures.end());
    p.captureTypes.assign(fn.captureTypes.begin(), fn.captureTypes.end());
    p.isVararg = fn.isVararg;
    p.returnsPack = fn.hasResultPack;
    p.isAdapter = fn.isAdapter;
    p.isLenient = fn.isLenient;
    p.isDebuggable = fn.isDebuggable;
    for (const ir::DebugLocal& l : fn.debugLocals) p.locals.push_back({chunk.symbol(l.name), l.outer, l.slot, l.isCell});
    p.isBound = fn.isBound;
    if (fn.type != ir::kNoType && (!fn.isMain || fn.isLenient)) p.signature = fn.type;
    if (fn.closureOf) p.closureOf = fn.closureOf->index();
    if (p.signature == kNoIndex) {
        p.paramTypes.assign(fn.paramTypes.begin(), fn.paramTypes.end());
        p.resultTypes.assign(fn.resultTypes.begin(), fn.resultTypes.end());
    }
    if (fn.dynamicEntry && p.signature != kNoIndex) p.dynamicProto = fn.dynamicEntry->index();
    const Position at = chunk.position(fn.loc);
    p.file = at.file;
    p.line = at.line;
    p.lastLine = chunk.position(fn.endLoc).line;
    for (const ir::Function::CaptureName& c : fn.captureNames) p.captureNames.push_back({chunk.symbol(c.name), c.isCell});
    return p;
}

/// Adds `by` to every register; frame slots beyond them stay.
void moveUp(backend::Allocation& a, uint32_t by, uint32_t firstSpillSlot) {
    auto move = [&](backend::Location& l) {
        if (!backend::isConst(l) && l < firstSpillSlot) l += by;
    };
    for (backend::Location& l : a.operandPlace) move(l);
    for (backend::Location& l : a.paramPlace) move(l);
    for (backend::Location& l : a.windowBase) move(l);
    for (backend::Move& m : a.moves) {
        move(m.src);
        move(m.dst);
    }
    a.frameSize += by;
}

void emitFunction(const ir::Function& fn, ChunkBuilder& chunk) {
    const SelectedFunction selected = selectInstructions(fn, chunk);
    const backend::SlotMap slots(selected.code);
    const backend::Webs webs = backend::buildWebs(selected.code, slots);
    // The slots of locals come first in the frame: the registers move up.
    const uint32_t reserved = fn.isDebuggable ? fn.slotCount : 0;
    const backend::Target target = bytecodeTarget(reserved);
    backend::Allocation allocation = backend::allocateRegisters(selected.code, slots, webs, target);
    LUAPP_CHECK(backend::verifyAllocation(selected.code, slots, allocation, target).empty(), "register allocation");
    if (reserved != 0) moveUp(allocation, reserved, target.firstSpillSlot);
    writeCode(selected, slots, allocation, chunk, chunk.chunk().protos[fn.index()]);
}

/// A program of several modules begins with a function that calls their main blocks in order; the last one is the
/// program's own and takes its arguments.
void addEntry(const ir::Module& module, ChunkBuilder& chunk) {
    Chunk& c = chunk.chunk();
    if (module.mains.size() == 1) {
        c.entry = module.mains[0]->index();
        return;
    }
    c.entry = static_cast<ProtoIndex>(c.protos.size());
    Proto p;
    p.name = chunk.symbol("main");
    p.frameSize = kFrameLinks;
    p.isVararg = !module.mains.empty() && module.mains.back()->isVararg;
    // The environment of lenient modules is that of this function, which they take for their closure.
    for (const ir::Function* main : module.mains) {
        if (main->captures.empty()) continue;
        p.captures = {Rep::Box};
        p.isLenient = true;
        p.frameSize = kFrameLinks + 1;
    }
    if (p.isVararg) p.code.push_back(encodeAD(Op::VarargPrep, 0, 0));
    for (const ir::Function* main : module.mains) {
        if (!main->captures.empty()) p.code.push_back(encodeABC(Op::GetClo, kFrameLinks - 1, 0, 0));
        if (!main->isVararg) {
            p.code.push_back(encodeAD(Op::CallX, 0, 0));
        } else if (main == module.mains.back()) {
            p.code.push_back(encodeABC(Op::VarargAll, 0, 0, 0));
            p.code.push_back(encodeABC(Op::CallVPack, 0, 0, 0));
        } else {
            p.code.push_back(encodeABC(Op::CallV, 0, 0, 0));
        }
        p.code.push_back(main->index());
        if (!main->captures.empty()) c.protos[main->index()].closureOf = c.entry;
    }
    p.code.push_back(encodeE(Op::Ret0, 0));
    c.protos.push_back(std::move(p));
}

}  // namespace

Chunk emitChunk(const ir::Module& module, const sema::TypedProgram* program) {
    ChunkBuilder chunk(module, program);
    chunk.addClasses();
    for (const ir::Function* fn : module.functions) chunk.chunk().protos.push_back(describe(*fn, chunk));
    for (const ir::Function* fn : module.functions) emitFunction(*fn, chunk);
    for (size_t i = 0; i < module.mains.size(); i++) {
        const bool isKnown = program && i < program->modules.size();
        const std::string_view name = isKnown ? program->modules[i]->name : module.mains[i]->name;
        chunk.chunk().modules.push_back({chunk.symbol(name), module.mains[i]->index()});
    }
    addEntry(module, chunk);
    return std::move(chunk.chunk());
}

}  // namespace luapp::bc
