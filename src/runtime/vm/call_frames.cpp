// Walking the frames of the VM stack: positions, tracebacks, and where the running frame ends. The chain (call.h, interp.cpp)
// consists of frames of program functions, of pseudo frames that only pass a return on, and of nested entries, whose
// saved pc lies below their links.
#include <cstring>

#include "runtime/object/string.h"
#include "runtime/vm/call.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

FrameWalk::FrameWalk(const State& s, const Coroutine* co)
    : s_(s), pc_(co == nullptr ? s.pc : co->context.pc), frame_(co == nullptr ? s.frame : co->context.frame) {}

void FrameWalk::enterSite(uint32_t site) {
    site_ = site;
    function_ = site == 0 ? code_ : &code_->program->functions[code_->proto->inlineSites[site - 1].callee];
}

bool FrameWalk::next() {
    if (site_ != 0) {
        innerSite_ = site_;
        isBelowNative_ = false;
        enterSite(code_->proto->inlineSites[site_ - 1].parent);
        return true;
    }
    innerSite_ = 0;
    bool isOutermost = pc_ == nullptr || frame_ == nullptr;
    if (started_ && !isOutermost) {
        // Shifted registers (op Shift) are the same call: step down to where the function was entered.
        while (isShifted()) frame_ = reinterpret_cast<Word*>(frame_[-2]);
        isBelowNative_ = false;
        stepOut();
    }
    started_ = true;
    // A pseudo frame stands for no function: its own links lead on.
    while (pc_ == kVarargStub || pc_ == kAcrossStub) stepOut();
    if (pc_ == nullptr || frame_ == nullptr) return false;
    // Recursion comes from the same place again and again.
    if (pc_ != codePc_) {
        code_ = findFunction(s_, pc_);
        codeSite_ = code_ == nullptr ? 0 : inlineSiteOf(*code_, pc_);
    }
    codePc_ = pc_;
    enterSite(codeSite_);
    return code_ != nullptr;
}

void FrameWalk::stepOut() {
    const Insn* to = reinterpret_cast<const Insn*>(frame_[-3]);
    isBelowNative_ |= to == kExitStub;
    pc_ = to == kExitStub ? reinterpret_cast<const Insn*>(frame_[-4]) : to;
    frame_ = reinterpret_cast<Word*>(frame_[-2]);
}

int64_t FrameWalk::skipAlike(int64_t most) {
    if (codeSite_ != 0) return 0;  // several levels wait there
    int64_t skipped = 0;
    for (; skipped < most && reinterpret_cast<const Insn*>(frame_[-3]) == pc_; ++skipped) frame_ = reinterpret_cast<Word*>(frame_[-2]);
    if (skipped != 0) isBelowNative_ = false;
    return skipped;
}

Word* FrameWalk::base() const {
    FrameWalk at = *this;
    while (at.isShifted()) at.frame_ = reinterpret_cast<Word*>(at.frame_[-2]);
    return at.frame_;
}

bool FrameWalk::isShifted() const {
    const Insn* to = reinterpret_cast<const Insn*>(frame_[-3]);
    if (to == kExitStub || to == kVarargStub || to == kAcrossStub) return false;
    return bc::opOf(to[-1]) == bc::Op::Shift && frame_ - bc::fieldE(to[-1]) == reinterpret_cast<Word*>(frame_[-2]);
}

int64_t FrameWalk::calledBuiltin() const {
    if (innerSite_ != 0) return -1;  // it waits for an inlined call
    const Insn* last = nullptr;
    for (const Insn* at = code_->entry; at < pc_; at += bc::opWords(bc::opOf(*at))) last = at;
    if (last == nullptr) return -1;
    switch (bc::opOf(*last)) {
        case bc::Op::CallB: return bc::fieldD(*last);
        case bc::Op::CallBV:
        case bc::Op::CallBVPack:
        case bc::Op::CallYield:
        case bc::Op::CallResume: return last[1];
        default: return -1;
    }
}

namespace {

SourcePosition position(State& s, int level) {
    FrameWalk walk(s, nullptr);
    for (int at = 1; walk.next(); ++at)
        if (at >= level) return walk.position();
    return {};
}

void appendNumber(TextBuilder& out, uint32_t n) {
    char digits[base::kNumberTextSize];
    out.append(std::string_view(digits, base::integerToText(n, digits)));
}

/// Lines shown at each end of a long traceback.
constexpr int kShownFrames = 12;

bool isMainOfModule(const Function& f) {
    for (const bc::ModuleEntry& m : f.program->chunk.modules)
        if (&f.program->functions[m.main] == &f) return true;
    return false;
}

/// False for the entry of a program of several modules: it only runs their main blocks in turn and stands in no file.
bool isShown(const Function& f) { return &f != &f.program->entry() || f.program->chunk.modules.empty() || isMainOfModule(f); }

void appendFrame(State& s, const FrameWalk& walk, TextBuilder& out) {
    int64_t builtin = walk.calledBuiltin();
    if (builtin >= 0 && s.builtins != nullptr && builtin < s.builtins->count) {
        std::string_view name = s.builtins->names[builtin];
        if (name != "debug.traceback") {  // which asks, and so does not show itself
            out.append("\n\t[builtin]: in function '");
            out.append(name);
            out.append("'");
        }
    }
    const Function& f = walk.function();
    SourcePosition at = walk.position();
    out.append("\n\t");
    out.append(at.line == 0 ? std::string_view("?") : at.file);
    out.append(":");
    if (at.line != 0) {
        appendNumber(out, at.line);
        out.append(":");
    }
    const bc::Chunk& chunk = f.program->chunk;
    if (&f == &f.program->entry() || isMainOfModule(f)) {
        out.append(" in main chunk");
    } else {
        out.append(" in function '");
        out.append(chunk.symbol(f.proto->name));
        out.append("'");
    }
}

void traceback(State& s, Coroutine* co, int level, TextBuilder& out) {
    int total = 0;
    for (FrameWalk walk(s, co); walk.next();) total += isShown(walk.function()) ? 1 : 0;
    FrameWalk walk(s, co);
    for (int at = 0; walk.next();) {
        if (!isShown(walk.function())) continue;
        ++at;
        if (at < level) continue;
        if (at > level + kShownFrames && at <= total - kShownFrames) {
            if (at == level + kShownFrames + 1) out.append("\n\t...");
            continue;
        }
        appendFrame(s, walk, out);
    }
}

/// The collector scans up to here: the running frame, or what nested calls and builtins' arguments take above it.
Word* frameEnd(State& s, Word* frame, const uint32_t* pc) {
    const Function* f = pc == nullptr ? nullptr : findFunction(s, pc);
    Word* end = frame + (f == nullptr ? kStackHeadroom : f->frameSize);
    bool topCounts = frame == s.frame && s.top >= s.context->stackBase && s.top <= s.context->stackEnd;
    return topCounts && s.top > end ? s.top : end;
}

}  // namespace

const VmHooks kVmHooks = {callPack, position, traceback, frameEnd, destroyProgram, programRangeAt, freeUnreachedPrograms};

}  // namespace luapp::rt
