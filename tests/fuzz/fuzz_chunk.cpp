// Damaged and forged chunk files: programs of the corpus are compiled, their chunks are changed, as tables and as bytes (the checksum is
// made right again, or nothing would get past it), and reader and verifier must refuse or accept the result without crashing. What they
// accept must survive disassembling, writing and reading again, and being *run*, for a short time, in little memory, with a library that
// reaches nothing outside.
//
// An input is a program's path and a list of edits, so that it can be reduced by lines:
//   file PATH      set AT BYTE      insert AT BYTE      erase AT COUNT      word AT VALUE      cut AT      keep-checksum
//   and edits of tables, each with three numbers (see kTableEdits):   op F I VALUE      field F I VALUE      extra F I VALUE ...
// AT counts modulo the size of the chunk, F, I and other indices modulo the sizes of tables. Edits of tables come before those of bytes.
#include <sys/time.h>

#include <csignal>
#include <cstring>
#include <map>

#include "driver/pipeline.h"
#include "harness.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/serialize.h"
#include "runtime/bytecode/verify.h"
#include "runtime/lib/library.h"
#include "runtime/vm/call.h"
#include "runtime/vm/load.h"

namespace luapp::fuzz {

namespace {

using Bytes = std::vector<uint8_t>;

/// Values that tend to matter in counts, indices and operands.
constexpr uint32_t kWords[] = {0, 1, 2, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};

Bytes compileFile(const std::string& path) {
    driver::Compilation c;
    std::string problem;
    frontend::Module* root = c.load(path, problem);
    if (!root || c.diagnostics.hasErrors() || !c.check(*root)) return {};
    return bc::serialize(c.compile());
}

void putWord(Bytes& bytes, size_t at, uint32_t value) {
    if (bytes.size() < 4) return;
    memcpy(bytes.data() + std::min(at, bytes.size() - 4), &value, 4);
}

/// Applies one line of an input; false for lines that are no edit.
bool applyEdit(const std::string& line, Bytes& bytes, bool& keepChecksum) {
    char what[16] = {};
    unsigned long long place = 0, value = 0;
    if (line == "keep-checksum") return keepChecksum = true;
    if (sscanf(line.c_str(), "%15s %llu %llu", what, &place, &value) < 2 || bytes.empty()) return false;
    const size_t at = place % bytes.size();
    const std::string_view edit = what;
    if (edit == "set") {
        bytes[at] = uint8_t(value);
    } else if (edit == "insert") {
        bytes.insert(bytes.begin() + long(at), uint8_t(value));
    } else if (edit == "erase") {
        bytes.erase(bytes.begin() + long(at), bytes.begin() + long(std::min<size_t>(at + value, bytes.size())));
    } else if (edit == "word") {
        putWord(bytes, at, uint32_t(value));
    } else if (edit == "cut") {
        bytes.resize(at);
    } else {
        return false;
    }
    return true;
}

// --- edits of tables

/// The word at which instruction number `k` of some code begins.
size_t instructionAt(const std::vector<bc::Insn>& code, uint64_t k) {
    std::vector<size_t> begins;
    for (size_t at = 0; at < code.size();) {
        begins.push_back(at);
        const unsigned byte = code[at] & 0xFF;
        at += byte < bc::kOpCount ? bc::opWords(static_cast<bc::Op>(byte)) : 1;
    }
    return begins.empty() ? 0 : begins[k % begins.size()];
}

template <class T>
T* pick(std::vector<T>& list, uint64_t index) {
    return list.empty() ? nullptr : &list[index % list.size()];
}

struct TableEdit {
    const char* name;
    void (*apply)(bc::Chunk& c, uint64_t a, uint64_t b, uint64_t value);
};

template <class T>
void setIn(std::vector<T>& list, uint64_t index, uint64_t value) {
    if (T* at = pick(list, index)) *at = static_cast<T>(value);
}
void setRep(std::vector<bc::Rep>& list, uint64_t index, uint64_t value) {
    if (bc::Rep* at = pick(list, index)) *at = static_cast<bc::Rep>(1 + value % 5);
}

constexpr TableEdit kTableEdits[] = {
    {"op", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::Proto* p = pick(c.protos, a);
        if (!p || p->code.empty()) return;
        bc::Insn& i = p->code[instructionAt(p->code, b)];
        i = (i & ~0xFFu) | static_cast<bc::Insn>(v % bc::kOpCount);
    }},
    {"field", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::Proto* p = pick(c.protos, a);
        if (!p || p->code.empty()) return;
        const unsigned shift = 8 + 8 * (v >> 8) % 3;
        bc::Insn& i = p->code[instructionAt(p->code, b)];
        i = (i & ~(0xFFu << shift)) | static_cast<bc::Insn>(v & 0xFF) << shift;
    }},
    {"extra", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::Proto* p = pick(c.protos, a);
        if (!p || p->code.empty()) return;
        const size_t at = instructionAt(p->code, b) + 1;
        if (at < p->code.size()) p->code[at] = static_cast<bc::Insn>(v);
    }},
    {"copy", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::Proto* p = pick(c.protos, a);
        if (!p || p->code.empty()) return;
        const size_t from = instructionAt(p->code, b), to = instructionAt(p->code, v);
        p->code[to] = p->code[from];
        if (from + 1 < p->code.size() && to + 1 < p->code.size()) p->code[to + 1] = p->code[from + 1];
    }},
    {"param", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) { setRep(pick(c.protos, a)->params, b, v); }},
    {"result", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) { setRep(pick(c.protos, a)->results, b, v); }},
    {"capture", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) { setRep(pick(c.protos, a)->captures, b, v); }},
    {"capture-type", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) { setIn(pick(c.protos, a)->captureTypes, b, v % c.valueTypes.size()); }},
    {"param-type", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) { setIn(pick(c.protos, a)->paramTypes, b, v % c.valueTypes.size()); }},
    {"unboxed-type", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        if (bc::TypeHint* t = pick(pick(c.protos, a)->typeHints, b)) t->type = static_cast<uint32_t>(v % (c.types.size() + 1));
    }},
    {"signature", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) { pick(c.protos, a)->signature = static_cast<uint32_t>(v % (c.types.size() + 1)); }},
    {"closure-of", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) { pick(c.protos, a)->closureOf = static_cast<uint32_t>(v % (c.protos.size() + 1)); }},
    {"dynamic", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) { pick(c.protos, a)->dynamicProto = static_cast<uint32_t>(v % (c.protos.size() + 1)); }},
    {"flag", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::Proto* p = pick(c.protos, a);
        bool* const flags[] = {&p->isVararg, &p->returnsPack, &p->isLenient, &p->isBound, &p->isAdapter, &p->isDebuggable};
        *flags[b % 6] = v & 1;
    }},
    {"frame", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) { pick(c.protos, a)->frameSize += static_cast<uint32_t>(v % 16) - 8; }},
    {"data-kind", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) {
        if (bc::DataEntry* d = pick(c.data, a)) d->kind = static_cast<bc::DataKind>(v % bc::kDataKindCount);
    }},
    {"data-rep", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) {
        if (bc::DataEntry* d = pick(c.data, a)) d->rep = static_cast<bc::Rep>(v % 7);
    }},
    {"data-index", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) {
        if (bc::DataEntry* d = pick(c.data, a)) d->index = static_cast<uint32_t>(v);
    }},
    {"data-word", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        if (bc::DataEntry* d = pick(c.data, a)) d->word = b % 2 ? v : 0xFFF8'0000'0000'0000u + (v << 40);
    }},
    {"data-type", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) {
        if (bc::DataEntry* d = pick(c.data, a)) d->valueType = static_cast<uint32_t>(v % (c.valueTypes.size() + 1));
    }},
    {"type-kind", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) {
        if (bc::TypeData* t = pick(c.types, a)) t->kind = static_cast<bc::TypeKind>(v % bc::kTypeKindCount);
    }},
    {"type-rep", [](bc::Chunk& c, uint64_t a, uint64_t, uint64_t v) {
        if (bc::TypeData* t = pick(c.types, a)) t->rep = static_cast<bc::Rep>(1 + v % 5);
    }},
    {"type-part", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        if (bc::TypeData* t = pick(c.types, a)) setIn(t->parts, b, v % c.types.size());
    }},
    {"type-field", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::TypeData* t = pick(c.types, a);
        if (bc::TypeField* f = t ? pick(t->fields, b) : nullptr) f->type = static_cast<uint32_t>(v % c.types.size());
    }},
    {"value-type", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::ValueType* t = pick(c.valueTypes, a);
        if (!t) return;
        if (b % 4 == 0) t->type = static_cast<uint32_t>(v % (c.types.size() + 1));
        if (b % 4 == 1) t->function = static_cast<uint32_t>(v % c.protos.size());
        if (b % 4 == 2) t->mayBeUnset = v & 1;
        if (b % 4 == 3) t->rep = static_cast<bc::Rep>(v % 6);
    }},
    {"class-table", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        if (bc::ClassData* k = pick(c.classes, a)) setIn(k->table, b, v % c.protos.size());
    }},
    {"class-ancestor", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        if (bc::ClassData* k = pick(c.classes, a)) setIn(k->ancestors, b, v % c.types.size());
    }},
    {"class-word", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::ClassData* k = pick(c.classes, a);
        if (bc::ClassFieldData* f = k ? pick(k->fields, b) : nullptr) f->word = static_cast<uint32_t>(v % (k->words + 1));
    }},
    {"class-field", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::ClassData* k = pick(c.classes, a);
        if (bc::ClassFieldData* f = k ? pick(k->fields, b) : nullptr) {
            if (v & 1) f->mayBeUnset = !f->mayBeUnset;
            if (v & 2) f->type = static_cast<uint32_t>(v % c.types.size()), f->rep = c.types[f->type].rep;
        }
    }},
    {"class-member", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        bc::ClassData* k = pick(c.classes, a);
        if (bc::ClassMemberData* m = k ? pick(k->members, b) : nullptr) (m->function != bc::kNoIndex ? m->function : m->variable) = static_cast<uint32_t>(v % 64);
    }},
    {"local", [](bc::Chunk& c, uint64_t a, uint64_t b, uint64_t v) {
        if (bc::LocalName* l = pick(pick(c.protos, a)->locals, b)) l->reg = static_cast<uint16_t>(v % 64), l->isCell = (v >> 8) & 1;
    }},
};

/// Applies one line of an input to the tables; false for lines that are no such edit.
bool applyTableEdit(const std::string& line, bc::Chunk& c) {
    char what[20] = {};
    unsigned long long a = 0, b = 0, value = 0;
    if (sscanf(line.c_str(), "%19s %llu %llu %llu", what, &a, &b, &value) != 4 || c.protos.empty() || c.types.empty()) return false;
    for (const TableEdit& e : kTableEdits) {
        if (strcmp(e.name, what) != 0) continue;
        e.apply(c, a, b, value);
        return true;
    }
    return false;
}

// --- running

struct RunJob {
    bc::Chunk* chunk;
    rt::Program* program = nullptr;
};

void load(rt::State& s, void* data) {
    auto* job = static_cast<RunJob*>(data);
    job->program = rt::loadProgram(s, std::move(*job->chunk));
    s.resultCount = 0;
    rt::runProgram(s, *job->program);
}

rt::State* runningState = nullptr;
volatile sig_atomic_t interruptions = 0;

/// Programs that catch every interruption are given up.
void onTimer(int) {
    if (runningState) runningState->interrupt();
    interruptions = interruptions + 1;
    if (interruptions > 100) _exit(0);
}

void setTimer(suseconds_t microseconds) {
    itimerval timer{{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_VIRTUAL, &timer, nullptr);
}

/// Runs an accepted chunk in a State of its own.
void tryRun(bc::Chunk&& chunk) {
    static FILE* const nowhere = fopen("/dev/null", "r+");
    rt::StateOptions options;
    options.hooks = &rt::kVmHooks;
    options.memoryLimit = 64u << 20;
    options.seed = 1;
    rt::State* s = rt::State::create(options);
    if (!s) return;
    rt::LibraryOptions library;
    library.in = library.out = library.err = nowhere;
    library.isClosed = true;
    rt::openLibrary(*s, library);
    RunJob job{&chunk};
    runningState = s;
    interruptions = 0;
    signal(SIGVTALRM, onTimer);
    setTimer(50'000);
    rt::protectedCall(*s, load, &job);
    rt::closeLibrary(*s);
    setTimer(0);
    runningState = nullptr;
    rt::State::destroy(s);
}

class ChunkFuzzer : public Fuzzer {
  public:
    const char* name() const override { return "fuzz_chunk"; }

    bool prepare(std::vector<CorpusFile>&& corpus, std::string& problem) override {
        for (const CorpusFile& file : corpus) paths_.push_back(file.path);
        if (paths_.empty()) problem = "the corpus is empty";
        return !paths_.empty();
    }

    std::string makeInput(Random& random) override {
        std::string input = "file " + random.pick(paths_) + "\n";
        for (int edits = random.chance(70) ? random.between(1, 2) : random.between(3, 30); edits > 0; edits--) {
            const std::string at = std::to_string(random.next() >> 16);
            if (random.chance(75)) {
                // Code is the largest part, and each opcode has a rule of its own.
                const TableEdit& e = kTableEdits[random.chance(60) ? random.below(4) : random.below(std::size(kTableEdits))];
                const uint64_t value = random.chance(20) ? random.pick(kWords) : random.below(random.chance(50) ? 8 : 1024);
                input += std::string(e.name) + " " + std::to_string(random.below(64)) + " " + std::to_string(random.below(512)) + " " + std::to_string(value) + "\n";
                continue;
            }
            switch (random.below(10)) {
                case 0: input += "insert " + at + " " + std::to_string(random.below(256)) + "\n"; break;
                case 1: input += "erase " + at + " " + std::to_string(random.between(1, 8)) + "\n"; break;
                case 2: input += random.chance(20) ? "cut " + at + "\n" : "set " + at + " 0\n"; break;
                case 3:
                case 4: input += "word " + at + " " + std::to_string(random.pick(kWords)) + "\n"; break;
                default: input += "set " + at + " " + std::to_string(random.below(256)) + "\n"; break;
            }
        }
        if (random.chance(3)) input += "keep-checksum\n";
        return input;
    }

    Verdict tryInput(const std::string& input) override {
        Bytes bytes;
        bool keepChecksum = false;
        bc::Chunk chunk;
        std::string error;
        for (const std::string& line : linesOf(input))
            if (line.starts_with("file ") && !bc::deserialize(chunkOf(line.substr(5)), chunk, error)) return {};
        for (const std::string& line : linesOf(input)) applyTableEdit(line, chunk);
        bytes = bc::serialize(chunk);
        for (const std::string& line : linesOf(input))
            if (!line.starts_with("file ")) applyEdit(line, bytes, keepChecksum);
        if (bytes.size() >= bc::kChunkHeaderSize && !keepChecksum) bc::sealChunk(bytes);
        return read(bytes);
    }

  private:
    static std::vector<std::string> linesOf(const std::string& input) {
        std::vector<std::string> lines;
        for (size_t at = 0; at < input.size();) {
            const size_t end = std::min(input.find('\n', at), input.size());
            lines.push_back(input.substr(at, end - at));
            at = end + 1;
        }
        return lines;
    }

    /// The bytes of a program's chunk; empty if it has errors. Compiled once in each worker.
    const Bytes& chunkOf(const std::string& path) {
        auto [it, isNew] = chunks_.try_emplace(path);
        if (isNew) it->second = compileFile(path);
        return it->second;
    }

    static Verdict read(const Bytes& bytes) {
        Verdict verdict;
        bc::Chunk chunk;
        std::string error;
        if (!bc::deserialize(bytes, chunk, error)) {
            if (error.empty()) verdict.problem = "a chunk is refused without a reason";
            return verdict;
        }
        bc::disassemble(chunk);
        const Bytes written = bc::serialize(chunk);
        bc::Chunk again;
        if (!bc::deserialize(written, again, error)) {
            verdict.problem = "an accepted chunk cannot be read back";
            verdict.details = error;
            return verdict;
        }
        if (!bc::verify(chunk, rt::verifyOptions(), error)) {
            if (error.empty()) verdict.problem = "the verifier refuses a chunk without a reason";
            return verdict;
        }
        verdict.wentThrough = true;
        tryRun(std::move(chunk));
        return verdict;
    }

    std::vector<std::string> paths_;
    std::map<std::string, Bytes> chunks_;
};

}  // namespace

}  // namespace luapp::fuzz

int main(int argc, char** argv) {
    luapp::fuzz::ChunkFuzzer fuzzer;
    return luapp::fuzz::runFuzzer(fuzzer, argc, argv);
}
