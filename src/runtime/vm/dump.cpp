#include "runtime/vm/dump.h"

#include <algorithm>

#include "runtime/bytecode/serialize.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

namespace {

using bc::Op;

/// Writes the entry of the chunk: code that makes a function and the functions it captures.
class EntryWriter {
public:
    EntryWriter(bc::Proto& entry, const Program& p) : entry_(entry), program_(p) {}

    /// Code that leaves a new closure like `c` in register `reg`; registers from there on are free.
    bool closure(const Closure* c, unsigned reg) {
        const Function* f = static_cast<const Function*>(c->code);
        const std::vector<Rep>& captures = f->proto->captures;
        const size_t depth = open_.size();
        if (f->program != &program_ || depth > kMaxDepth || reg + captures.size() + 2 > kMaxRegisters) return false;
        open_.push_back(c);
        std::vector<unsigned> own;  // captures that are the function itself
        for (size_t k = 0; k < captures.size(); ++k) {
            const unsigned at = reg + 1 + static_cast<unsigned>(k);
            use(at);
            if (k == 0 && f->proto->isLenient) {
                emit(bc::encodeAD(Op::GetCap, at, 0));
            } else if (captures[k] == Rep::Ref && objectOf(c->captures[k]) == c) {
                own.push_back(static_cast<unsigned>(k));
            } else if (!capture(c->captures[k], captures[k], f->proto->captureTypes.empty() ? 0 : f->proto->captureTypes[k], at)) {
                return false;
            }
        }
        emit(bc::encodeAD(Op::Closure, reg, static_cast<unsigned>(captures.size())));
        emit(static_cast<Insn>(f - program_.functions.data()));
        use(reg);
        for (unsigned k = 0; k < captures.size(); ++k) {
            const bool isOwn = std::find(own.begin(), own.end(), k) != own.end();
            emit(bc::encodeABC(Op::SetCap, reg, k, isOwn ? reg : reg + 1 + k));
        }
        open_.pop_back();
        return true;
    }

    void giveBack(unsigned reg) {
        emit(bc::encodeABC(Op::BoxRef, reg, reg, 0));
        emit(bc::encodeABC(Op::RetBoxes, reg, 1, 0));
    }

private:
    static constexpr size_t kMaxDepth = 20;
    static constexpr size_t kMaxRegisters = 250;

    bc::Proto& entry_;
    const Program& program_;
    std::vector<const Closure*> open_;

    void emit(Insn i) { entry_.code.push_back(i); }
    void use(unsigned reg) { entry_.frameSize = std::max(entry_.frameSize, reg + 1); }

    /// A value without contents of a representation; false: there is none.
    bool empty(Rep rep, unsigned reg) {
        if (rep == Rep::Box) {
            emit(bc::encodeABC(Op::LoadNil, reg, 0, 0));
        } else if (rep == Rep::F64) {
            emit(bc::encodeAD(Op::LoadF, reg, 0));
        } else if (rep == Rep::I64 || rep == Rep::Bool) {
            emit(bc::encodeAD(Op::LoadI, reg, 0));
        } else {
            return false;
        }
        return true;
    }

    bool capture(Word w, Rep rep, bc::ValueTypeIndex type, unsigned reg) {
        if (rep != Rep::Ref) return empty(rep, reg);
        const Object* o = objectOf(w);
        if (o == nullptr) return false;
        if (o->kind == Kind::Cell) {
            if (!empty(o->elementRep(), reg)) return false;
            emit(bc::encodeABC(Op::NewCell, reg, reg, static_cast<unsigned>(o->elementRep())));
            emit(type);
            return true;
        }
        if (o->kind != Kind::Closure) return false;
        const auto* c = static_cast<const Closure*>(o);
        const bool isOpen = std::find(open_.begin(), open_.end(), c) != open_.end();
        return !c->isBuiltin() && !isOpen && closure(c, reg);
    }
};

}  // namespace

bool dumpFunction(const State&, const Closure* f, std::vector<uint8_t>& out) {
    if (f->isBuiltin()) return false;
    const Function& function = *static_cast<const Function*>(f->code);
    const Program& p = *function.program;
    if (!keepsCode(p.chunk)) return false;
    bc::Chunk chunk = p.chunk;
    const bool isMain = &function == &p.entry() && !chunk.givesFunction;
    if (!isMain) {
        bc::Proto entry;
        entry.isLenient = true;
        entry.returnsPack = true;
        entry.captures = {Rep::Box};
        entry.name = function.proto->name;
        EntryWriter writer(entry, p);
        if (!writer.closure(f, 0)) return false;
        writer.giveBack(0);
        chunk.entry = static_cast<bc::ProtoIndex>(chunk.protos.size());
        chunk.protos.push_back(std::move(entry));
        chunk.givesFunction = true;
    }
    const std::vector<uint8_t> bytes = bc::serialize(chunk);
    out.insert(out.end(), bytes.begin(), bytes.end());
    return true;
}

}  // namespace luapp::rt
