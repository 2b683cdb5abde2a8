#include "runtime/vm/load.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "runtime/bytecode/verify_classes.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/class_desc.h"

namespace luapp::rt {

using bc::DataEntry;
using bc::DataKind;
using bc::Op;
using bc::TypeData;

/// Programs by the end of their code: the first one whose end is not below an address is the one that may contain it.
struct ProgramIndex {
    std::map<const Insn*, Program*> byEnd;
};

namespace {

/// Interns the chunk's types. Recursion goes through nominal types only, and those are declared before.
class TypeLoader {
public:
    TypeLoader(State& s, Program& p) : s_(s), p_(p) {}

    void run() {
        const std::vector<TypeData>& list = p_.chunk.types;
        p_.types.assign(list.size(), nullptr);
        for (const bc::ClassData& k : p_.chunk.classes) classOf_[k.type] = &k;
        // The number of types before is a prefix that no other program with nominal types has.
        const std::string prefix = std::to_string(s_.types.size()) + ':';
        for (size_t i = 0; i < list.size(); ++i)
            if (list[i].isNominal) p_.types[i] = declare(list[i], prefix + std::to_string(i));
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
        std::vector<Rep> words;
    };

    State& s_;
    Program& p_;
    std::unordered_map<uint32_t, const bc::ClassData*> classOf_;  // by type

    const TypeDesc* declare(const TypeData& t, const std::string& key) {
        TypeDesc* type = s_.types.declare(static_cast<TypeKind>(t.kind), t.rep, key, p_.chunk.symbol(t.name));
        if (t.kind == bc::TypeKind::Class || t.kind == bc::TypeKind::Interface) type->classNumber = s_.types.nextClassNumber();
        // The box of an enum value has 16 bits for the type.
        if (t.kind == bc::TypeKind::Enum && type->index > 0xFFFF) raise(s_, ErrorKind::TooManyTypes);
        return type;
    }

    /// Representations of the words of a class's objects.
    std::vector<Rep> layoutOf(const TypeData& t) const {
        auto found = classOf_.find(static_cast<uint32_t>(&t - p_.chunk.types.data()));
        if (found == classOf_.end()) return {};
        std::vector<Rep> words(found->second->words, Rep::Void);
        for (const bc::ClassFieldData& f : found->second->fields) words[f.word] = f.rep;
        return words;
    }

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
        out.words = layoutOf(t);
        spec.words = out.words;
        return spec;
    }
};

bool takesBoxes(const Function& f) {
    if (f.signature == nullptr || f.dynamic != nullptr || !f.returnsPack) return false;
    for (const TypeDesc* t : f.signature->parts)
        if (t->kind != TypeKind::Any) return false;
    return f.signature->vararg == nullptr || f.signature->vararg->kind == TypeKind::Any;
}

/// What tells the bound methods of one object apart: the name, or the code of those that no name can find.
Word boundKeyOf(const Program& p, const bc::Proto& proto, size_t index) {
    const bool isByName = p.chunk.symbol(proto.name).find('.') == std::string_view::npos;
    return isByName ? Word{proto.name} : ~Word{index};
}

void layOutFunctions(Program& p) {
    size_t words = 0;
    for (const bc::Proto& proto : p.chunk.protos) words += 1 + proto.code.size();
    p.code.reserve(words);
    for (size_t i = 0; i < p.functions.size(); ++i) {
        const bc::Proto& proto = p.chunk.protos[i];
        Function& f = p.functions[i];
        p.code.push_back(static_cast<Insn>(i));
        f.entry = p.code.data() + p.code.size();
        p.code.insert(p.code.end(), proto.code.begin(), proto.code.end());
        f.data = p.data;
        f.owner = &p;
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
        if (proto.isBound) f.boundKey = boundKeyOf(p, proto, i);
    }
    p.codeBegin = p.code.data();
    p.codeEnd = p.code.data() + p.code.size();
    if (keepsCode(p.chunk)) return;
    for (bc::Proto& proto : p.chunk.protos) std::vector<Insn>().swap(proto.code);
}

/// The function behind the entries of method tables that a class does not have. Our compiler's code never gets there.
void addMissingMethod(Program& p) {
    if (p.chunk.classes.empty()) return;
    p.missingMethod = static_cast<uint32_t>(p.chunk.protos.size());
    bc::Proto& proto = p.chunk.protos.emplace_back();
    proto.frameSize = 1;
    proto.code.push_back(bc::encodeABC(Op::Raise, static_cast<unsigned>(ErrorKind::NoMethodEntry), 0, 0));
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
        } else if (op == Op::CallM) {
            p.methodEntries = std::max(p.methodEntries, bc::fieldD(i) + 1);
        } else if (op == Op::CallMV || op == Op::CallMVPack) {
            p.methodEntries = std::max(p.methodEntries, code[at + 1] + 1);
        }
        at += words;
    }
}

/// Functions that are looked up by name, and so become values without a constant that names them.
std::vector<bc::ProtoIndex> memberFunctions(const bc::Chunk& chunk) {
    std::vector<bc::ProtoIndex> out;
    for (const bc::ClassData& k : chunk.classes) {
        for (const bc::ClassMemberData& m : k.members)
            if (m.function != bc::kNoIndex) out.push_back(m.function);
        out.insert(out.end(), k.makers.begin(), k.makers.end());
        if (k.finalizer != bc::kNoIndex) out.push_back(k.finalizer);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

/// The data segment, with words behind the chunk's own that keep class values and function values of members.
void makeData(Program& p) {
    const std::vector<bc::ProtoIndex> members = memberFunctions(p.chunk);
    size_t count = p.chunk.data.size() + p.chunk.classes.size() + members.size();
    p.dataBlock = std::make_unique<Word[]>(count + 2);
    p.data = p.dataBlock.get() + 2;
    p.data[-2] = reinterpret_cast<Word>(p.types.data());
    p.data[-1] = reinterpret_cast<Word>(&p);
    p.begin = p.data;
    p.count = count;
    p.functions.resize(p.chunk.protos.size());
    Word* keeper = p.data + p.chunk.data.size() + p.chunk.classes.size();
    for (bc::ProtoIndex f : members) p.functions[f].keeper = keeper++;
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
        case DataKind::Class: return classValue(s, p.types[d.index]).word();
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
    addMissingMethod(*p);
    makeData(*p);
    layOutFunctions(*p);
    p->methodEntries = bc::longestMethodTable(p->chunk);
    for (const Function& f : p->functions) relocate(*p, f);
    if (s.programIndex == nullptr) s.programIndex = new ProgramIndex;
    s.programIndex->byEnd[p->codeEnd] = p;
    loadClasses(s, *p);
    s.addRootRange(p);
    for (size_t i = 0; i < p->chunk.data.size(); ++i) p->data[i] = dataWord(s, *p, p->chunk.data[i]);
    return p;
}

bool keepsCode(const bc::Chunk& chunk) { return chunk.protos[chunk.entry].isLenient && chunk.classes.empty(); }

Program::Program() = default;
Program::~Program() = default;

Closure* constantClosure(State& s, Function& f) {
    if (f.constant == nullptr) {
        f.constant = closureOf(s, f);
        if (f.keeper != nullptr) *f.keeper = wordOf(f.constant);
    }
    return f.constant;
}

Closure* closureOf(State& s, const Function& f) { return newClosure(s, &f, f.signature, 0); }

static Program* programAt(const State& s, const Insn* pc) {
    if (s.programIndex == nullptr) return nullptr;
    const auto found = s.programIndex->byEnd.lower_bound(pc);
    return found != s.programIndex->byEnd.end() && found->second->contains(pc) ? found->second : nullptr;
}

RootRange* programRangeAt(const State& s, const Insn* pc) { return programAt(s, pc); }

const Function* findFunction(const State& s, const Insn* pc) {
    const Program* p = programAt(s, pc);
    if (p == nullptr) return nullptr;
    auto after = std::upper_bound(p->functions.begin(), p->functions.end(), pc,
                                  [](const Insn* at, const Function& f) { return at < f.entry; });
    return after == p->functions.begin() ? nullptr : &*(after - 1);
}

bool isLenientCode(const State& s) {
    if (s.pc == nullptr) return s.globals != nullptr;  // a library function that a coroutine began with
    const Function* f = findFunction(s, s.pc);
    return f != nullptr && f->proto->isLenient;
}

uint32_t inlineSiteOf(const Function& f, const Insn* pc) {
    if (f.proto->inlineSites.empty() || pc <= f.entry) return 0;
    const uint32_t site = f.proto->inlined.find(static_cast<uint32_t>(pc - f.entry) - 1);
    return site <= f.proto->inlineSites.size() ? site : 0;
}

SourcePosition positionOf(const Function& f, const Insn* pc, uint32_t site) {
    uint32_t at = pc > f.entry ? static_cast<uint32_t>(pc - f.entry) - 1 : 0;
    bc::Position pos = site == 0 ? f.proto->lines.find(at) : f.proto->inlineSites[site - 1].call;
    const bc::Chunk& chunk = f.program->chunk;
    if (pos.file >= chunk.files.size()) return {};
    return {chunk.symbol(chunk.files[pos.file].name), pos.line};
}

namespace {

/// Roughly what a program takes outside the heap.
size_t bytesOf(const Program& p) {
    size_t bytes = sizeof(Program) + p.code.size() * sizeof(Insn) + p.functions.size() * sizeof(Function) + p.count * sizeof(Word);
    for (const std::string& symbol : p.chunk.symbols) bytes += sizeof symbol + symbol.capacity();
    bytes += p.chunk.types.size() * sizeof(TypeData) + p.chunk.data.size() * sizeof(DataEntry);
    for (const bc::Proto& proto : p.chunk.protos) bytes += sizeof proto + proto.lines.bytes().size() + proto.locals.size() * sizeof(bc::LocalName);
    return bytes;
}

/// Frees a program that is in no list any more.
void dispose(State& s, Program* p) {
    s.programIndex->byEnd.erase(p->codeEnd);
    s.heap.addExternal(-static_cast<int64_t>(p->externalBytes));
    delete p;
    if (!s.programIndex->byEnd.empty()) return;
    delete s.programIndex;
    s.programIndex = nullptr;
}

}  // namespace

void releaseProgram(State& s, Program& p) {
    if (!p.isKept || !p.chunk.classes.empty()) return;
    for (const TypeData& t : p.chunk.types)
        if (t.isNominal) return;
    p.isKept = false;
    p.externalBytes = bytesOf(p);
    s.heap.addExternal(static_cast<int64_t>(p.externalBytes));
}

void freeUnreachedPrograms(State& s) {
    auto isLost = [](const RootRange* range) { return !range->isKept && !range->isReached; };
    for (RootRange** link = &s.rootRanges; *link != nullptr;) {
        if (isLost(*link)) {
            *link = (*link)->next;
        } else {
            link = &(*link)->next;
        }
    }
    for (Program** link = &s.programs; *link != nullptr;) {
        Program* p = *link;
        if (isLost(p)) {
            *link = p->nextProgram;
            dispose(s, p);
        } else {
            link = &p->nextProgram;
        }
    }
}

void destroyProgram(State& s, Program* p) {
    Program** link = &s.programs;
    while (*link != p) link = &(*link)->nextProgram;
    *link = p->nextProgram;
    s.removeRootRange(p);
    dispose(s, p);
}

}  // namespace luapp::rt
