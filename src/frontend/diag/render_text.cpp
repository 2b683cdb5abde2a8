// The text format, and what the formats share.

#include <algorithm>

#include "frontend/base/utf8.h"
#include "frontend/diag/render.h"
#include "frontend/diag/render_impl.h"

namespace luapp::frontend {

namespace {

constexpr int kTabCells = 4;
/// The widest excerpt; of a longer line only the part around the caret is shown.
constexpr size_t kMaxCells = 100;
constexpr size_t kCellsBeforeCaret = 40;

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[1;33m";
constexpr std::string_view kCyan = "\x1b[1;36m";
constexpr std::string_view kReset = "\x1b[0m";

/// One character of a source line as it appears on the terminal.
struct Cell {
    std::string text;
    int width;
    size_t offset;  // byte in the line
};

void appendCell(std::vector<Cell>& cells, std::string_view line, size_t& i) {
    const char c = line[i];
    if (c == '\t') {
        cells.push_back({std::string(kTabCells, ' '), kTabCells, i});
        ++i;
        return;
    }
    const Utf8Char character = decodeUtf8(line.substr(i, 4));
    const bool isControl = character.length == 1 && (character.codePoint < 0x20 || character.codePoint == 0x7F);
    if (character.length == 0 || isControl) {
        cells.push_back({"\xEF\xBF\xBD", 1, i});  // U+FFFD
        ++i;
        return;
    }
    cells.push_back({std::string(line.substr(i, size_t(character.length))), displayWidth(character.codePoint), i});
    i += size_t(character.length);
}

/// The characters of `line` near byte `focus`, as many as fit into the excerpt.
std::vector<Cell> cellsAround(std::string_view line, size_t focus, bool& isCutLeft, bool& isCutRight) {
    // Start far enough to the left in bytes, at the start of a character.
    size_t i = focus > kCellsBeforeCaret * 4 ? focus - kCellsBeforeCaret * 4 : 0;
    while (i > 0 && (uint8_t(line[i]) & 0xC0) == 0x80) --i;
    isCutLeft = i > 0;
    std::vector<Cell> cells;
    size_t width = 0;
    size_t widthToFocus = 0;
    while (i < line.size() && width - widthToFocus < kMaxCells) {
        appendCell(cells, line, i);
        width += size_t(cells.back().width);
        if (i <= focus) widthToFocus = width;
    }
    isCutRight = i < line.size();
    // A line that fits as a whole is shown as a whole.
    if (!isCutLeft && !isCutRight && width <= kMaxCells) return cells;
    size_t first = 0;
    size_t shown = width;
    const size_t keepLeft = width > kMaxCells ? kCellsBeforeCaret : widthToFocus;
    while (widthToFocus > keepLeft && first < cells.size()) {
        widthToFocus -= size_t(cells[first].width);
        shown -= size_t(cells[first].width);
        ++first;
    }
    isCutLeft |= first > 0;
    cells.erase(cells.begin(), cells.begin() + ptrdiff_t(first));
    while (shown > kMaxCells && !cells.empty()) {
        shown -= size_t(cells.back().width);
        cells.pop_back();
        isCutRight = true;
    }
    return cells;
}

class TextRenderer {
  public:
    TextRenderer(const Diagnostics& diagnostics, bool useColour) : diagnostics_(diagnostics), useColour_(useColour) {}

    std::string render() {
        for (const Diagnostic& diagnostic : diagnostics_.list()) message(diagnostic);
        if (const size_t dropped = diagnostics_.droppedErrors()) {
            out_ += "... and " + std::to_string(dropped) + (dropped == 1 ? " more error\n" : " more errors\n");
        }
        return std::move(out_);
    }

  private:
    std::string_view colour(std::string_view code) const { return useColour_ ? code : std::string_view{}; }
    static std::string_view severityColour(Severity severity) {
        switch (severity) {
            case Severity::Error: return kRed;
            case Severity::Warning: return kYellow;
            case Severity::Note: return kCyan;
        }
        return {};
    }

    void place(const Position& position, Loc loc) {
        if (!position.file) return;
        const LineColumn at = displayPosition(*position.file, loc);
        out_ += colour(kBold);
        out_ += position.file->name();
        out_ += ':' + std::to_string(at.line) + ':' + std::to_string(at.column) + ": ";
        out_ += colour(kReset);
    }

    void message(const Diagnostic& diagnostic) {
        const Position position = diagnostics_.sources().position(diagnostic.range.begin);
        place(position, diagnostic.range.begin);
        out_ += colour(severityColour(diagnostic.severity));
        out_ += severityName(diagnostic.severity);
        out_ += '[';
        out_ += diagnostic.code();
        out_ += ']';
        out_ += colour(kReset);
        out_ += ": " + printable(diagnostic.text) + '\n';
        excerpt(position, diagnostic.range, diagnostic.severity);
        for (const DiagNote& note : diagnostic.notes) addNote(note);
        addFixIts(diagnostic, position);
    }

    void addNote(const DiagNote& note) {
        const Position position = diagnostics_.sources().position(note.range.begin);
        if (!position.file) {
            out_ += "  = note: " + printable(note.text) + '\n';
            return;
        }
        place(position, note.range.begin);
        out_ += colour(kCyan);
        out_ += "note";
        out_ += colour(kReset);
        out_ += ": " + printable(note.text) + '\n';
        excerpt(position, note.range, Severity::Note);
    }

    void addFixIts(const Diagnostic& diagnostic, const Position& position) {
        for (const FixIt& fix : diagnostic.fixIts) {
            const std::string_view old = diagnostics_.sources().textOf(fix.range);
            out_ += "  = ";
            if (fix.isGuess) {
                out_ += "did you mean `" + printable(fix.replacement) + "`?\n";
                continue;
            }
            out_ += "fix: ";
            if (old.empty()) {
                out_ += "insert `" + printable(fix.replacement) + '`';
                if (position.file && fix.range.begin != diagnostic.range.begin) {
                    const LineColumn at = displayPosition(*position.file, fix.range.begin);
                    out_ += " at " + std::to_string(at.line) + ':' + std::to_string(at.column);
                }
            } else if (fix.replacement.empty()) {
                out_ += "remove `" + printable(old) + '`';
            } else {
                out_ += "replace `" + printable(old) + "` by `" + printable(fix.replacement) + '`';
            }
            out_ += '\n';
        }
    }

    /// The source line with carets below it:
    ///     12 | local x = foo(1
    ///        |           ^~~~~
    void excerpt(const Position& position, Range range, Severity severity) {
        if (!position.file) return;
        const std::string_view line = position.file->lineText(position.at.line);
        const size_t begin = std::min<size_t>(position.at.column - 1, line.size());
        const size_t end = std::max(begin + 1, std::min<size_t>(begin + range.length(), line.size()));
        bool isCutLeft = false;
        bool isCutRight = false;
        const std::vector<Cell> cells = cellsAround(line, begin, isCutLeft, isCutRight);

        std::string number = std::to_string(position.at.line);
        number.insert(0, number.size() < 5 ? 5 - number.size() : 0, ' ');
        std::string text;
        std::string marks;
        if (isCutLeft) {
            text += "...";
            marks += "   ";
        }
        bool hasCaret = false;
        for (const Cell& cell : cells) {
            text += cell.text;
            const bool isMarked = cell.offset >= begin && cell.offset < end;
            if (!isMarked) {
                if (cell.offset < begin) marks.append(size_t(cell.width), ' ');
                continue;
            }
            for (int i = 0; i < cell.width; ++i) {
                marks += hasCaret ? '~' : '^';
                hasCaret = true;
            }
        }
        if (!hasCaret) marks += '^';
        if (isCutRight) text += "...";
        out_ += number + " | " + text + '\n';
        out_ += std::string(number.size(), ' ') + " | ";
        out_ += colour(severityColour(severity));
        out_ += marks;
        out_ += colour(kReset);
        out_ += '\n';
    }

    const Diagnostics& diagnostics_;
    bool useColour_;
    std::string out_;
};

}  // namespace

std::string_view severityName(Severity severity) {
    switch (severity) {
        case Severity::Error: return "error";
        case Severity::Warning: return "warning";
        case Severity::Note: return "note";
    }
    return {};
}

std::string printable(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
        const Utf8Char character = decodeUtf8(text.substr(i, 4));
        const bool isControl = character.length == 1 && (character.codePoint < 0x20 || character.codePoint == 0x7F);
        if (text[i] == '\n') {
            out += "\\n";
            ++i;
        } else if (character.length == 0 || isControl) {
            out += "\xEF\xBF\xBD";
            ++i;
        } else {
            out += text.substr(i, size_t(character.length));
            i += size_t(character.length);
        }
    }
    return out;
}

LineColumn displayPosition(const SourceFile& file, Loc loc) {
    LineColumn at = file.lineColumn(loc);
    const uint32_t lineStart = file.offsetOf(file.lineBegin(at.line));
    const std::string_view before = file.text().substr(lineStart, at.column - 1);
    // Bytes that continue a character do not count.
    const auto continuation = std::count_if(before.begin(), before.end(), [](char c) { return (uint8_t(c) & 0xC0) == 0x80; });
    at.column -= uint32_t(continuation);
    return at;
}

bool parseDiagFormat(std::string_view word, DiagFormat& format) {
    if (word == "text") format = DiagFormat::Text;
    else if (word == "json") format = DiagFormat::Json;
    else if (word == "sarif") format = DiagFormat::Sarif;
    else if (word == "github") format = DiagFormat::Github;
    else return false;
    return true;
}

std::string renderDiagnostics(const Diagnostics& diagnostics, const RenderOptions& options) {
    switch (options.format) {
        case DiagFormat::Text: return TextRenderer(diagnostics, options.useColour).render();
        case DiagFormat::Json: return renderJson(diagnostics);
        case DiagFormat::Sarif: return renderSarif(diagnostics);
        case DiagFormat::Github: return renderGithub(diagnostics);
    }
    return {};
}

std::string diagnosticSummary(const Diagnostics& diagnostics) {
    std::string out;
    const auto add = [&](size_t count, std::string_view what) {
        if (count == 0) return;
        if (!out.empty()) out += ", ";
        out += std::to_string(count) + ' ';
        out += what;
        if (count != 1) out += 's';
    };
    add(diagnostics.errorCount(), "error");
    add(diagnostics.warningCount(), "warning");
    return out;
}

std::string explainDiagnostic(std::string_view code) {
    const diag::Info* info = diag::findByCode(code);
    if (!info) return {};
    // The holes of the message stand for what the program has there.
    std::string message;
    for (size_t i = 0; i < info->text.size(); ++i) {
        const std::string_view two = info->text.substr(i, 2);
        if (two == "{}") message += "...", ++i;
        else if (two == "{{" || two == "}}") message += two[0], ++i;
        else message += info->text[i];
    }
    std::string out = std::string(info->code) + " (" + std::string(severityName(info->severity)) + "): " + message + "\n\n";
    constexpr size_t kWidth = 80;
    size_t column = 0;
    std::string_view rest = info->explanation;
    while (!rest.empty()) {
        const size_t blank = std::min(rest.find(' '), rest.size());
        if (column > 0 && column + 1 + blank > kWidth) {
            out += '\n';
            column = 0;
        } else if (column > 0) {
            out += ' ';
            ++column;
        }
        out += rest.substr(0, blank);
        column += blank;
        rest.remove_prefix(std::min(blank + 1, rest.size()));
    }
    return out + '\n';
}

}  // namespace luapp::frontend
