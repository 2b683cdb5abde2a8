#pragma once
// Names as numbers: the interner maps each distinct text to one 32-bit Symbol and back.
//
// The lexer interns every identifier while it scans; all later stages compare names by their Symbol and ask for the
// text only to print it. One interner serves a whole program (all modules). Texts are copied, so they outlive their
// source files. The lexer marks keywords with a tag, so that looking up a name also tells whether it is a keyword.
// Symbols are numbered in order of first appearance; never iterate them to produce user-visible order.

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "frontend/base/arena.h"

namespace luapp::frontend {

/// An interned text. Symbol 0 is "no name"; equality of symbols is equality of texts.
struct Symbol {
    uint32_t id = 0;

    bool isValid() const { return id != 0; }
    explicit operator bool() const { return id != 0; }
    friend bool operator==(Symbol, Symbol) = default;
    friend auto operator<=>(Symbol, Symbol) = default;
};

/// Maps texts to symbols and back.
class Interner {
  public:
    Interner();
    Interner(const Interner&) = delete;
    Interner& operator=(const Interner&) = delete;

    /// The symbol of `text` (the empty text gives the invalid symbol). Makes one at the first call.
    Symbol intern(std::string_view text) {
        if (text.empty()) return {};
        return internHashed(text, hashOf(text));
    }

    /// The symbol of `text` if it has been interned before, else the invalid symbol.
    Symbol find(std::string_view text) const;

    /// The text of a symbol; empty for the invalid one. Lives as long as the interner.
    std::string_view text(Symbol symbol) const {
        const Entry& entry = entries_[symbol.id];
        return {entry.text, entry.length};
    }

    /// A small number kept beside a symbol: the lexer's keyword mark, 0 for an ordinary name.
    uint32_t tag(Symbol symbol) const { return entries_[symbol.id].tag; }
    void setTag(Symbol symbol, uint32_t tag) { entries_[symbol.id].tag = tag; }

    /// One more than the largest symbol id given out so far: the size for arrays indexed by symbol id.
    size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        const char* text;
        uint32_t length;
        uint32_t tag;
    };
    struct Slot {
        uint32_t hash;
        uint32_t id;  // 0 = free
    };

    static uint32_t hashOf(std::string_view text) {
        // Eight bytes a step; the tail is loaded by parts so that nothing outside `text` is read.
        const char* p = text.data();
        size_t n = text.size();
        uint64_t h = n * 0x9E3779B97F4A7C15u;
        while (n > 8) {
            uint64_t word;
            std::memcpy(&word, p, 8);
            h = (h ^ word) * 0xD6E8FEB86659FD93u;
            h ^= h >> 32;
            p += 8;
            n -= 8;
        }
        uint64_t word = 0;
        if (n >= 4) {
            uint32_t low, high;
            std::memcpy(&low, p, 4);
            std::memcpy(&high, p + n - 4, 4);
            word = (uint64_t(high) << 32) | low;
        } else {
            word = uint64_t(uint8_t(p[0])) | uint64_t(uint8_t(p[n >> 1])) << 8 | uint64_t(uint8_t(p[n - 1])) << 16;
        }
        h = (h ^ word) * 0xD6E8FEB86659FD93u;
        return uint32_t(h ^ (h >> 32));
    }

    Symbol internHashed(std::string_view text, uint32_t hash) {
        for (uint32_t i = hash & mask_;; i = (i + 1) & mask_) {
            const Slot slot = slots_[i];
            if (slot.id == 0) return add(text, hash, i);
            if (slot.hash == hash && this->text({slot.id}) == text) return {slot.id};
        }
    }
    Symbol add(std::string_view text, uint32_t hash, uint32_t at);
    void grow();

    std::vector<Slot> slots_;
    uint32_t mask_ = 0;
    std::vector<Entry> entries_;
    Arena texts_;
};

}  // namespace luapp::frontend
