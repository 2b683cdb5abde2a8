#pragma once
// Source texts and positions in them.
//
// A SourceManager owns all files of one compilation and numbers their bytes through: a Loc is one 32-bit number that
// names a byte of some file, and a Range is two of them. The driver adds files (it alone reads the disk), the lexer
// makes the ranges, every later stage copies them, and the diagnostics renderer turns them back into file, line and
// column. Lines and columns are one-based; columns here count bytes (the renderer counts display cells).
// This header knows nothing about paths, modules or encodings; a text may hold any bytes.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace luapp::frontend {

/// A byte position in some file of a SourceManager. 0 is "nowhere".
struct Loc {
    uint32_t offset = 0;

    bool isValid() const { return offset != 0; }
    friend bool operator==(Loc, Loc) = default;
    friend auto operator<=>(Loc, Loc) = default;
    Loc operator+(uint32_t bytes) const { return {offset + bytes}; }
};

/// A half-open stretch of one file: [begin, end).
struct Range {
    Loc begin;
    Loc end;

    bool isValid() const { return begin.isValid(); }
    uint32_t length() const { return end.offset - begin.offset; }
    friend bool operator==(Range, Range) = default;
};

/// The range from the start of `first` to the end of `last`.
inline Range cover(Range first, Range last) { return {first.begin, last.end}; }

/// A line and a column, both one-based; the column counts bytes.
struct LineColumn {
    uint32_t line = 0;
    uint32_t column = 0;
};

/// One source text. Made by SourceManager only; its address is stable.
class SourceFile {
  public:
    SourceFile(std::string name, std::string_view text, Loc base, uint32_t index);

    /// The name as diagnostics print it.
    std::string_view name() const { return name_; }
    /// The bytes of the file. At least kPadding NUL bytes follow `text().end()` in memory, for the lexer's sake.
    std::string_view text() const { return {storage_.get(), size_}; }
    /// The position in the order in which files were added.
    uint32_t index() const { return index_; }

    Loc begin() const { return base_; }
    Loc end() const { return base_ + size_; }
    Loc locOf(const char* p) const { return base_ + uint32_t(p - storage_.get()); }
    uint32_t offsetOf(Loc loc) const { return loc.offset - base_.offset; }
    bool contains(Loc loc) const { return loc >= begin() && loc <= end(); }
    /// The bytes of a range of this file.
    std::string_view textOf(Range range) const { return text().substr(offsetOf(range.begin), range.length()); }

    /// Line and column of a position of this file (binary search in the line table).
    LineColumn lineColumn(Loc loc) const;
    uint32_t lineOf(Loc loc) const { return lineColumn(loc).line; }
    uint32_t lineCount() const { return uint32_t(lineStarts_.size()); }
    /// The text of a line (one-based) without its line end.
    std::string_view lineText(uint32_t line) const;
    /// Where a line (one-based) begins.
    Loc lineBegin(uint32_t line) const { return base_ + lineStarts_[line - 1]; }

    /// True if the text is lenient whatever its attributes say: by its name (`*.lua`), or because makeLenient() said so.
    bool isLuaFile() const { return isLenient_ || std::string_view(name_).ends_with(".lua"); }
    /// Makes the text lenient, whatever its name. Before it is parsed.
    void makeLenient() { isLenient_ = true; }

    static constexpr size_t kPadding = 16;

  private:
    bool isLenient_ = false;
    std::string name_;
    std::unique_ptr<char[]> storage_;
    uint32_t size_;
    Loc base_;
    uint32_t index_;
    std::vector<uint32_t> lineStarts_;
};

/// A position resolved for printing.
struct Position {
    const SourceFile* file = nullptr;
    LineColumn at;
};

/// Owns the files of one compilation.
class SourceManager {
  public:
    SourceManager() = default;
    SourceManager(const SourceManager&) = delete;
    SourceManager& operator=(const SourceManager&) = delete;

    /// Adds a copy of `text` under `name`. Null if the total of all files would pass 4 GB.
    SourceFile* addFile(std::string name, std::string_view text);

    /// The file that holds `loc`, or null if `loc` is invalid.
    const SourceFile* fileOf(Loc loc) const;
    /// File, line and column of `loc`; a null file if `loc` is invalid.
    Position position(Loc loc) const;
    /// The bytes of a range; empty if the range is invalid.
    std::string_view textOf(Range range) const;

    size_t fileCount() const { return files_.size(); }
    const SourceFile& file(size_t index) const { return *files_[index]; }

  private:
    std::vector<std::unique_ptr<SourceFile>> files_;
    uint64_t nextBase_ = 1;
};

}  // namespace luapp::frontend
