#include "runtime/vm/load.h"

#include <algorithm>

#include "runtime/vm/call_builtins.h"

namespace luapp::rt {

using bc::DataEntry;
using bc::DataKind;
using bc::Op;
using bc::TypeData;

namespace {

/// Interns the chunk's types. Recursion goes through nominal types only, and those are declared before.
class TypeLoader {
public:
    TypeLoader(State& s, Program& p) : s_(s), p_(p) {}

    void run() {
        const std::vector<TypeData>& list = p_.chunk.types;
        p_.types.assign(list.size(), nullptr);
        for (size_t i = 0; i < list.size(); ++i)
            if (list[i].isNominal)
                p_.types[i] = s_.types.declare(static_cast<TypeKind>(list[i].kind), list[i].rep,
                                               p_.chunk.symbol(list[i].nominalKey), p_.chunk.symbol(list[i].name));
        for (size_t i = 0; i < list.size(); ++i) load(static_cast<uint32_t>(i));
        for (size_t i = 0; i < list.size(); ++i)
            if (list[i].isNominal && !p_.types[i]->isComplete) {
                Parts parts;
                s_.types.complete(const_cast<TypeDesc*>(p_.types[i]), specOf(list[i], parts));
            }
    }

private:
    struct Parts {
        std::vector<const TypeDesc*> parts, results;
        std::vector<FieldDesc> fields;
    };

    State& s_;
    Program& p_;

    const TypeDesc* load(uint32_t i) {
        if (p_.types[i] != nullptr) return p_.types[i];
        Parts parts;
        p_.types[i] = s_.types.intern(specOf(p_.chunk.types[i], parts));
        return p_.types[i];
    }

    TypeSpec specOf(const TypeData& t, Parts& out) {
        TypeSpec spec;
        for (uint32_t p : t.parts) out.parts.push_back(load(p));
        for (uint32_t p : t.results) out.results.push_back(load(p));
        for (const bc::TypeField& f : t.fields) {
            FieldDesc field;
            field.name = p_.chunk.symbol(f.name);
            field.type = f.type == bc::kNoIndex ? nullptr : load(f.type);
            field.value = f.value;
            out.fields.push_back(field);
        }
        spec.kind = static_cast<TypeKind>(t.kind);
        spec.rep = t.rep;
        spec.name = p_.chunk.symbol(t.name);
        spec.parts = out.parts;
        spec.results = out.results;
        spec.fields = out.fields;
        spec.vararg = t.varargType == bc::kNoIndex ? nullptr : load(t.varargType);
        spec.defaultCount = t.defaultCount;
        spec.hasResultPack = t.hasResultPack;
        return spec;
    }
};

bool takesBoxes(const Function& f) {
    if (f.signature == nullptr || f.dynamic != nullptr || !f.returnsPack) return false;
    for (const TypeDesc* t : f.signature->parts)
        if (t->kind != TypeKind::Any) return false;
    return f.signature->vararg == nullptr || f.signature->vararg->kind == TypeKind::Any;
}

void layOutFunctions(Program& p) {
    size_t words = 0;
    for (const bc::Proto& proto : p.chunk.protos) words += 1 + proto.code.size();
    p.code.reserve(words);
    p.functions.resize(p.chunk.protos.size());
    for (size_t i = 0; i < p.functions.size(); ++i) {
        const bc::Proto& proto = p.chunk.protos[i];
        Function& f = p.functions[i];
        p.code.push_back(static_cast<Insn>(i));
        f.entry = p.code.data() + p.code.size();
        p.code.insert(p.code.end(), proto.code.begin(), proto.code.end());
        f.data = p.data;
        f.program = &p;
        f.proto = &proto;
        f.signature = proto.signature == bc::kNoIndex ? nullptr : p.types[proto.signature];
        f.dynamic = proto.dynamicProto == bc::kNoIndex ? nullptr : &p.functions[proto.dynamicProto];
        f.codeWords = static_cast<uint32_t>(proto.code.size());
        f.frameSize = proto.frameSize;
        f.paramCount = static_cast<uint32_t>(proto.params.size());
        f.isVararg = proto.isVararg;
        f.returnsPack = proto.returnsPack;
        f.takesBoxes = takesBoxes(f);
    }
    for (bc::Proto& proto : p.chunk.protos) std::vector<Insn>().swap(proto.code);
}

/// Turns proto operands of direct calls into distances from the word behind the instruction.
void relocate(Program& p, const Function& f) {
    Insn* code = const_cast<Insn*>(f.entry);
    for (uint32_t at = 0; at < f.codeWords;) {
        Insn i = code[at];
        Op op = bc::opOf(i);
        unsigned words = bc::opWords(op);
        if (op == Op::Call) {
            int64_t distance = p.functions[bc::fieldD(i)].entry - (code + at + words);
            code[at] = bc::fitsS16(distance) ? bc::encodeAD(Op::Call, bc::fieldA(i), static_cast<unsigned>(distance))
                                             : bc::encodeAD(Op::CallFar, bc::fieldA(i), bc::fieldD(i));
        } else if (op == Op::CallX || op == Op::CallV || op == Op::CallVPack) {
            int64_t distance = p.functions[code[at + 1]].entry - (code + at + words);
            code[at + 1] = static_cast<Insn>(static_cast<int32_t>(distance));
        }
        at += words;
    }
}

void makeData(Program& p) {
    size_t count = p.chunk.data.size();
    p.dataBlock = std::make_unique<Word[]>(count + 2);
    p.data = p.dataBlock.get() + 2;
    p.data[-2] = reinterpret_cast<Word>(p.types.data());
    p.data[-1] = reinterpret_cast<Word>(&p);
    p.begin = p.data;
    p.count = count;
}

/// A function is one value, however many constants name it.
Closure* constantClosure(State& s, Function& f) {
    if (f.constant == nullptr) f.constant = closureOf(s, f);
    return f.constant;
}

Word dataWord(State& s, Program& p, const DataEntry& d) {
    switch (d.kind) {
        case DataKind::Word:
        case DataKind::Variable: return d.word;
        case DataKind::String: return wordOf(newString(s, p.chunk.symbol(d.index)));
        case DataKind::StringBox: return Value::string(newString(s, p.chunk.symbol(d.index))).word();
        case DataKind::Function: return wordOf(constantClosure(s, p.functions[d.index]));
        case DataKind::FunctionBox: return Value::function(constantClosure(s, p.functions[d.index])).word();
        case DataKind::Builtin: return wordOf(s.builtins->closure(s, d.index));
        case DataKind::BuiltinBox: return Value::function(s.builtins->closure(s, d.index)).word();
        case DataKind::Type: return reinterpret_cast<Word>(p.types[d.index]);
    }
    return 0;
}

}  // namespace

Program* loadProgram(State& s, bc::Chunk&& chunk) {
    // The State owns it from here on, so an error while constants are made leaks nothing.
    Program* p = new Program;
    p->nextProgram = s.programs;
    s.programs = p;
    p->chunk = std::move(chunk);
    TypeLoader(s, *p).run();
    makeData(*p);
    layOutFunctions(*p);
    for (const Function& f : p->functions) relocate(*p, f);
    s.addRootRange(p);
    for (size_t i = 0; i < p->chunk.data.size(); ++i) p->data[i] = dataWord(s, *p, p->chunk.data[i]);
    return p;
}

Closure* closureOf(State& s, const Function& f) { return newClosure(s, &f, f.signature, 0); }

const Function* findFunction(const State& s, const Insn* pc) {
    for (const Program* p = s.programs; p != nullptr; p = p->nextProgram) {
        if (!p->contains(pc)) continue;
        auto after = std::upper_bound(p->functions.begin(), p->functions.end(), pc,
                                      [](const Insn* at, const Function& f) { return at < f.entry; });
        return after == p->functions.begin() ? nullptr : &*(after - 1);
    }
    return nullptr;
}

SourcePosition positionOf(const Function& f, const Insn* pc) {
    uint32_t at = pc > f.entry ? static_cast<uint32_t>(pc - f.entry) - 1 : 0;
    bc::Position pos = f.proto->lines.find(at);
    const bc::Chunk& chunk = f.program->chunk;
    if (pos.file >= chunk.files.size()) return {};
    return {chunk.symbol(chunk.files[pos.file].name), pos.line};
}

void destroyProgram(State& s, Program* p) {
    Program** link = &s.programs;
    while (*link != p) link = &(*link)->nextProgram;
    *link = p->nextProgram;
    s.removeRootRange(p);
    delete p;
}

}  // namespace luapp::rt
