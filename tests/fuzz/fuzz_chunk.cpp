// Damaged chunk files: programs of the corpus are compiled, bytes of their chunks are changed (the checksum is made right again, or
// nothing would get past it), and reader and verifier must refuse or accept the result without crashing. What they accept must
// survive disassembling, writing and reading again, and loading; it is not run, since the verifier does not type registers.
//
// An input is a program's path and a list of edits, so that it can be reduced by lines:
//   file PATH      set AT BYTE      insert AT BYTE      erase AT COUNT      word AT VALUE      cut AT      keep-checksum
// AT counts modulo the size of the chunk.
#include <cstring>
#include <map>

#include "driver/pipeline.h"
#include "harness.h"
#include "runtime/bytecode/disasm.h"
#include "runtime/bytecode/serialize.h"
#include "runtime/bytecode/verify.h"
#include "runtime/lib/builtin_table.h"
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

struct LoadJob {
    bc::Chunk* chunk;
};

void load(rt::State& s, void* data) { rt::loadProgram(s, std::move(*static_cast<LoadJob*>(data)->chunk)); }

/// Loads an accepted chunk into a State of its own.
void tryLoad(bc::Chunk&& chunk) {
    rt::StateOptions options;
    options.hooks = &rt::kVmHooks;
    options.memoryLimit = 64u << 20;
    options.seed = 1;
    rt::State* s = rt::State::create(options);
    if (!s) return;
    rt::openLibrary(*s);
    LoadJob job{&chunk};
    rt::protectedCall(*s, load, &job);
    rt::closeLibrary(*s);
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
        for (size_t at = 0; at < input.size();) {
            const size_t end = std::min(input.find('\n', at), input.size());
            const std::string line = input.substr(at, end - at);
            at = end + 1;
            if (line.starts_with("file ")) {
                bytes = chunkOf(line.substr(5));
            } else {
                applyEdit(line, bytes, keepChecksum);
            }
        }
        if (bytes.size() >= bc::kChunkHeaderSize && !keepChecksum) bc::sealChunk(bytes);
        return read(bytes);
    }

  private:
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
        if (!bc::verify(chunk, {rt::kBuiltinCount}, error)) {
            if (error.empty()) verdict.problem = "the verifier refuses a chunk without a reason";
            return verdict;
        }
        verdict.wentThrough = true;
        tryLoad(std::move(chunk));
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
