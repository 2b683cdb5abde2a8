// Changes to the code of a function that the verifier asks for: instructions in front of or behind others, other opcodes. Inserting
// moves the code behind, so jump distances and the tables by pc (lines, notes, scopes) are made anew. An instruction that was inserted in
// front of another is executed by jumps to that; one behind another is not executed by jumps to what follows.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "runtime/bytecode/proto.h"

namespace luapp::bc {

class CodePatch {
public:
    /// Places must be given in rising order of `pc`, for each pc those before it first.
    void insertBefore(uint32_t pc, std::initializer_list<Insn> words) { inserted_.push_back({pc, words}); }
    /// Behind the instruction that ends where `pc` begins.
    void insertAfter(uint32_t pc, std::initializer_list<Insn> words) { behind_.push_back({pc, words}); }
    void replaceWord(uint32_t pc, Insn word) { replaced_.push_back({pc, word}); }
    bool isEmpty() const { return inserted_.empty() && behind_.empty() && replaced_.empty(); }

    /// Changes `p`, whose code is well formed; false if a distance does not fit its field any more.
    [[nodiscard]] bool apply(Proto& p) const;

private:
    struct Insertion {
        uint32_t pc;
        std::vector<Insn> words;
    };
    struct Replacement {
        uint32_t pc;
        Insn word;
    };
    std::vector<Insertion> inserted_;
    std::vector<Insertion> behind_;
    std::vector<Replacement> replaced_;
};

}  // namespace luapp::bc
