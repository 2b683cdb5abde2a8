// Lua patterns over bytes: the engine below string.find, match, gmatch and gsub. It knows no State and no heap: it reads the
// subject and the pattern in place and records captures as offsets, so it can be tested alone. The caller keeps the bytes
// alive. A pattern is checked as a whole by checkPattern() before it is used; after that matching cannot fail but for the
// depth limit, which keeps the recursion within the stack a builtin may use. Recursion happens only per item of the pattern
// (never per byte of the subject).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace luapp::rt {

/// Captures a pattern may have.
inline constexpr unsigned kMaxCaptures = 32;

/// Null if `pattern` (with or without a leading `^`) is well formed, else what is wrong with it.
const char* checkPattern(std::string_view pattern);

/// True if `pattern` has no character with a special meaning, so that finding it is a plain search.
bool isPlainPattern(std::string_view pattern);

/// Offset of the first occurrence of `needle` in `text` at or after `from`, or npos.
size_t findPlain(std::string_view text, std::string_view needle, size_t from);

/// One match run of a checked pattern over a subject. `begin` and `end` are the last match.
class PatternMatcher {
public:
    static constexpr size_t kPositionCapture = static_cast<size_t>(-2);

    struct Capture {
        const char* start;
        size_t length;  // kPositionCapture for `()`
    };

    /// `pattern` has passed checkPattern(); a leading `^` anchors it unless `anchorable` is false (gmatch).
    PatternMatcher(std::string_view subject, std::string_view pattern, bool anchorable = true);

    /// Finds the first match that begins at or after offset `from` (at `from` alone if anchored).
    bool search(size_t from);
    /// Matches at offset `at` alone.
    bool matchAt(size_t at);

    bool isAnchored() const { return anchored_; }
    /// True if the last attempt was given up because the pattern nests too deep.
    bool tooComplex() const { return tooComplex_; }

    size_t begin() const { return static_cast<size_t>(matchStart_ - subject_); }
    size_t end() const { return static_cast<size_t>(matchEnd_ - subject_); }
    std::string_view whole() const { return {matchStart_, static_cast<size_t>(matchEnd_ - matchStart_)}; }

    /// Number of captures of the last match.
    unsigned captureCount() const { return captureCount_; }
    const Capture& capture(unsigned i) const { return captures_[i]; }
    /// Offset of a position capture, counted from 0.
    size_t positionOf(const Capture& c) const { return static_cast<size_t>(c.start - subject_); }

private:
    static constexpr size_t kOpenCapture = static_cast<size_t>(-1);
    static constexpr unsigned kMaxDepth = 200;

    const char* match(const char* s, const char* p);
    const char* matchRest(const char* s, const char* p);
    const char* maxExpand(const char* s, const char* p, const char* next, size_t least);
    const char* minExpand(const char* s, const char* p, const char* next);
    const char* openCapture(const char* s, const char* p, size_t length);
    const char* closeCapture(const char* s, const char* p);
    const char* matchBalance(const char* s, const char* p) const;
    const char* matchBackReference(const char* s, unsigned index) const;
    bool matchSingle(const char* s, const char* p, const char* next) const;
    const char* itemEnd(const char* p) const;
    const char* firstItemEnd(const char* p) const;
    const char* findSingle(const char* s, const char* p, const char* next) const;
    template <bool isMatching>
    const char* skipSingles(const char* s, const char* p, const char* next) const;

    const char* subject_;
    const char* subjectEnd_;
    const char* pattern_;
    const char* patternEnd_;
    const char* matchStart_ = nullptr;
    const char* matchEnd_ = nullptr;
    bool anchored_ = false;
    bool tooComplex_ = false;
    unsigned depth_ = 0;
    unsigned captureCount_ = 0;
    Capture captures_[kMaxCaptures];  // set as far as captureCount_ says
};

}  // namespace luapp::rt
