#pragma once
// Messages about the user's program: their definitions as typed objects, and the place that collects them.
//
// Lexer, parser and sema call Diagnostics::report() with an object of namespace diag (generated from
// diagnostics.def), a range and the arguments of its text; the number and types of arguments are checked at compile
// time. Nothing is printed here: the driver sorts with finish() and hands the list to a renderer (render.h).
// Rules kept here: the same message at the same place is kept once; after `maxErrors` errors further ones are only
// counted. Reporting one message per cause is the reporter's duty.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "frontend/base/source.h"

namespace luapp::frontend {

enum class Severity : uint8_t { Error, Warning, Note };

namespace diag {

/// One per line of diagnostics.def.
enum class Id : uint16_t {
#define LUAPP_DIAG(Kind, Severity, Code, Args, Text, Explanation) Kind,
#include "frontend/diag/diagnostics.def"
};

using Text = std::string_view;
using Number = int64_t;

/// A message with the types of the holes in its text.
template <class... A>
struct Def {
    Id id;
};

/// Number of `{}` holes in a text; `{{` and `}}` stand for single braces.
consteval size_t countHoles(std::string_view text) {
    size_t holes = 0;
    for (size_t i = 0; i + 1 < text.size(); ++i) {
        if ((text[i] == '{' && text[i + 1] == '{') || (text[i] == '}' && text[i + 1] == '}')) {
            ++i;
        } else if (text[i] == '{' && text[i + 1] == '}') {
            ++holes;
        }
    }
    return holes;
}

/// Makes the Def and refuses a text whose holes do not match the argument types.
template <size_t holes, class... A>
consteval Def<A...> makeDef(Id id) {
    static_assert(holes == sizeof...(A), "the text has another number of {} holes than the entry has argument types");
    return {id};
}

#define LUAPP_DIAG_TYPES(...) __VA_OPT__(, ) __VA_ARGS__
#define LUAPP_DIAG(Kind, Severity, Code, Args, Text_, Explanation) \
    inline constexpr auto Kind = makeDef<countHoles(Text_) LUAPP_DIAG_TYPES Args>(Id::Kind);
#include "frontend/diag/diagnostics.def"
#undef LUAPP_DIAG_TYPES

/// What diagnostics.def says about one message.
struct Info {
    std::string_view kind;
    Severity severity;
    std::string_view code;
    std::string_view text;
    std::string_view explanation;
};

/// The entry of an id.
const Info& info(Id id);
/// The entry with the given code (`E1001`, letter case ignored), or null.
const Info* findByCode(std::string_view code);
/// The number of entries; ids run from 0 to one less.
size_t count();

}  // namespace diag

/// One argument of a message text.
struct DiagArg {
    DiagArg(std::string_view text) : text(text), isNumber(false) {}
    DiagArg(int64_t number) : number(number), isNumber(true) {}

    std::string_view text;
    int64_t number = 0;
    bool isNumber;
};

/// A further place of a message, with its own text (a note, or what stands at a related position).
struct DiagNote {
    Range range;  ///< may be invalid: then a text without place
    std::string text;
};

/// A change of the source that would put things right: replace `range` (empty: insert) by `replacement`.
struct FixIt {
    Range range;
    std::string replacement;
    bool isGuess = false;  ///< a "did you mean": likely, not certain, so no tool should apply it unasked
};

/// One message, as collected.
struct Diagnostic {
    diag::Id id;
    Severity severity;
    Range range;
    std::string text;
    std::vector<DiagNote> notes;  ///< at most one by convention
    std::vector<FixIt> fixIts;

    std::string_view code() const { return diag::info(id).code; }
};

class Diagnostics;

/// Lets a reporter add notes and fix-its to the message it has just reported. Use it at once, never keep it.
class DiagBuilder {
  public:
    DiagBuilder(Diagnostics& all, int index) : all_(all), index_(index) {}

    /// Adds a note at `where`.
    template <class... A>
    DiagBuilder& note(const diag::Def<A...>& def, Range where, std::type_identity_t<A>... args) {
        const std::array<DiagArg, sizeof...(A)> list{DiagArg(args)...};
        return addNote(def.id, where, list.data(), list.size());
    }
    /// Suggests to replace `range` by `replacement`; an empty range inserts, an empty replacement removes.
    DiagBuilder& fixIt(Range range, std::string_view replacement);
    /// Asks "did you mean `replacement`?" for `range`; does nothing if `replacement` is empty (see suggest.h).
    DiagBuilder& didYouMean(Range range, std::string_view replacement);
    /// Suggests to insert `text` at `at`.
    DiagBuilder& insertion(Loc at, std::string_view text) { return fixIt({at, at}, text); }

  private:
    DiagBuilder& addNote(diag::Id id, Range where, const DiagArg* args, size_t count);

    Diagnostics& all_;
    int index_;  // -1: the message was dropped
};

/// Collects the messages of one run.
class Diagnostics {
  public:
    explicit Diagnostics(const SourceManager& sources, size_t maxErrors = 200)
        : sources_(sources), maxErrors_(maxErrors) {}
    Diagnostics(const Diagnostics&) = delete;
    Diagnostics& operator=(const Diagnostics&) = delete;

    /// Reports a message at `where`. A repetition (same message, same place) is dropped.
    template <class... A>
    DiagBuilder report(const diag::Def<A...>& def, Range where, std::type_identity_t<A>... args) {
        const std::array<DiagArg, sizeof...(A)> list{DiagArg(args)...};
        return add(def.id, where, list.data(), list.size());
    }

    /// Adds a note to every message reported after there were `count` of them in list().
    template <class... A>
    void noteSince(size_t count, const diag::Def<A...>& def, Range where, std::type_identity_t<A>... args) {
        for (size_t i = count; i < list_.size(); i++) DiagBuilder(*this, int(i)).note(def, where, args...);
    }

    /// Forgets every message reported after there were `count` of them in list(): sema checks some loops twice.
    void rollback(size_t count);

    /// Drops all warnings with this code (empty: all) inside `where` at finish(); an invalid range means everywhere.
    void silence(std::string_view code, Range where);

    /// Drops what has been silenced, and sorts the messages: by file in the order of the SourceManager, then by position; equal places stay in the order
    /// of reporting. Call once, before rendering.
    void finish();

    /// A point to come back to: rollBack() forgets everything reported since. For readers that try twice.
    struct Mark {
        size_t kept, errors, warnings, dropped;
    };
    Mark mark() const { return {list_.size(), errors_, warnings_, droppedErrors_}; }
    void rollBack(const Mark& mark);

    const std::vector<Diagnostic>& list() const { return list_; }
    size_t errorCount() const { return errors_; }
    size_t warningCount() const { return warnings_; }
    /// Errors beyond the limit, counted but not kept.
    size_t droppedErrors() const { return droppedErrors_; }
    bool hasErrors() const { return errors_ != 0; }
    const SourceManager& sources() const { return sources_; }

  private:
    friend class DiagBuilder;
    static uint64_t keyOf(diag::Id id, Range where) {
        return (uint64_t(where.begin.offset) << 32) ^ (uint64_t(id) << 20) ^ where.length();
    }
    DiagBuilder add(diag::Id id, Range where, const DiagArg* args, size_t count);

    const SourceManager& sources_;
    size_t maxErrors_;
    std::vector<Diagnostic> list_;
    std::unordered_set<uint64_t> seen_;  // id and place; only asked, never iterated
    size_t errors_ = 0;
    size_t warnings_ = 0;
    size_t droppedErrors_ = 0;
    struct Silence {
        std::string code;
        Range where;
    };
    std::vector<Silence> silences_;
};

/// Fills the holes of a message text of diagnostics.def; `{s}` is the plural of the number before it.
std::string formatDiagText(std::string_view text, const DiagArg* args, size_t count);

}  // namespace luapp::frontend
