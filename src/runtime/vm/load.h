// A chunk made ready to run in one State. The loader lays the code of all protos out in one block (direct calls become
// distances), interns the types, fills the data segment (constants become objects) and keeps the rest of the chunk
// for names and positions. State.programs lists them, newest first. A Program lives until its State closes and its data segment is a GC
// root, unless releaseProgram() has left its life to the collector: then it lives as long as one of its functions can be reached or
// runs. The chunk must be right by construction or accepted by bc::verify.
//
//   code   | index of proto 0 | code of proto 0 ... | index of proto 1 | code of proto 1 ... |
//   data   | types | Program* | data[0] | data[1] ... | class values, member functions     K points at data[0]
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "runtime/bytecode/proto.h"
#include "runtime/object/closure.h"
#include "runtime/vm/interp.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

/// What a function is to its class, for messages about its arguments.
enum class FunctionRole : uint8_t { Plain, Static, Method };

/// A proto as the interpreter sees it; Closure::code of a program's functions points at one.
struct Function : CodeOwner {
    const Insn* entry = nullptr;
    Word* data = nullptr;  // K of its program
    Program* program = nullptr;
    const TypeDesc* signature = nullptr;  // null: never used as a value
    Closure* constant = nullptr;          // what all constants that name it hold, and members; the data segment keeps it
    Word* keeper = nullptr;               // a word of the data segment for it, if it is a member of a class
    const Function* dynamic = nullptr;    // "f$default", see bc::Proto::dynamicProto
    const bc::Proto* proto = nullptr;     // its code is in `entry`; the rest of it is here
    uint32_t codeWords = 0;
    uint32_t frameSize = 0;
    uint32_t paramCount = 0;
    bool isVararg = false;
    bool returnsPack = false;
    /// All parameters and extras are `any` and the results are a pack: boxed arguments need no conversion.
    bool takesBoxes = false;
    FunctionRole role = FunctionRole::Plain;
    Word boundKey = 0;                    // of bound methods: Closure::kBoundCode
};

struct ClassDesc;

struct Program : RootRange {
    Program* nextProgram = nullptr;
    bc::Chunk chunk;
    std::vector<Insn> code;
    std::vector<Function> functions;          // by proto index, ascending entry
    std::vector<const TypeDesc*> types;       // by type index
    std::vector<std::unique_ptr<ClassDesc>> classes;  // as in chunk.classes
    uint32_t methodEntries = 0;                // length of all method tables
    uint32_t missingMethod = 0;                // function behind entries that a class does not have
    std::unique_ptr<Word[]> dataBlock;
    Word* data = nullptr;
    size_t externalBytes = 0;  // what the heap counts for it

    Program();
    ~Program();

    /// `pc` is a return address or a saved State.pc: it lies behind an instruction, of the last function's last one too.
    bool contains(const Insn* pc) const { return pc > code.data() && pc <= code.data() + code.size(); }
    const Function& entry() const { return functions[chunk.entry]; }
};

inline Program* programOf(const Word* K) { return reinterpret_cast<Program*>(K[-1]); }
inline const TypeDesc* typeAt(const Word* K, uint32_t index) {
    return reinterpret_cast<const TypeDesc* const*>(K[-2])[index];
}
/// The function whose first instruction is at `entry`.
inline const Function* functionAt(const Word* K, const Insn* entry) { return &programOf(K)->functions[entry[-1]]; }

/// Loads a chunk. May collect and raise "out of memory".
Program* loadProgram(State& s, bc::Chunk&& chunk);

/// The function value of a function without captures, the same one however many constants and members name it. May collect.
Closure* constantClosure(State& s, Function& f);

/// A closure without captures of a function with a signature. May collect.
Closure* closureOf(State& s, const Function& f);

/// The function whose code contains `pc`, or null (stubs, no program).
const Function* findFunction(const State& s, const Insn* pc);

/// Does lenient code run? Looks the running function up: not for hot paths.
bool isLenientCode(const State& s);

/// 1 + index of the inline site whose code the instruction before `pc` is, or 0.
uint32_t inlineSiteOf(const Function& f, const Insn* pc);

/// Source position of the instruction before `pc` (a saved State.pc or a return address); if `site` is not 0, of the call that has become
/// this inline site.
SourcePosition positionOf(const Function& f, const Insn* pc, uint32_t site = 0);

/// True if the protos of a loaded program keep their code as it was in the chunk, which dumpFunction() needs: lenient programs.
bool keepsCode(const bc::Chunk& chunk);

/// From now on the program lives as long as a closure of it is reached or a frame on some stack runs it. Does nothing for programs with
/// types of their own, whose descriptors live as long as the State.
void releaseProgram(State& s, Program& p);

/// For VmHooks.
RootRange* programRangeAt(const State& s, const Insn* pc);
void freeUnreachedPrograms(State& s);

/// Frees a program; only while its State closes.
void destroyProgram(State& s, Program* p);

}  // namespace luapp::rt
