// The formats for tools: JSON, SARIF 2.1.0, GitHub workflow commands.

#include <algorithm>
#include <vector>

#include "frontend/base/utf8.h"
#include "frontend/diag/render.h"
#include "frontend/diag/render_impl.h"

namespace luapp::frontend {

namespace {

/// Writes JSON: keeps track of commas, escapes strings. Two blanks per level.
class JsonWriter {
  public:
    void beginObject(std::string_view key = {}) { open(key, '{'); }
    void endObject() { close('}'); }
    void beginArray(std::string_view key = {}) { open(key, '['); }
    void endArray() { close(']'); }
    void text(std::string_view key, std::string_view value) {
        name(key);
        quote(value);
    }
    void number(std::string_view key, uint64_t value) {
        name(key);
        out_ += std::to_string(value);
    }
    void boolean(std::string_view key, bool value) {
        name(key);
        out_ += value ? "true" : "false";
    }
    std::string take() { return std::move(out_) + '\n'; }

  private:
    void name(std::string_view key) {
        if (hasItems_.empty()) return;
        if (hasItems_.back()) out_ += ',';
        hasItems_.back() = true;
        out_ += '\n';
        out_.append(hasItems_.size() * 2, ' ');
        if (key.empty()) return;
        quote(key);
        out_ += ": ";
    }
    void open(std::string_view key, char bracket) {
        name(key);
        out_ += bracket;
        hasItems_.push_back(false);
    }
    void close(char bracket) {
        const bool hadItems = hasItems_.back();
        hasItems_.pop_back();
        if (hadItems) {
            out_ += '\n';
            out_.append(hasItems_.size() * 2, ' ');
        }
        out_ += bracket;
    }
    void quote(std::string_view value) {
        constexpr char kDigits[] = "0123456789abcdef";
        out_ += '"';
        for (size_t i = 0; i < value.size();) {
            const Utf8Char character = decodeUtf8(value.substr(i, 4));
            if (character.length == 0) {
                out_ += "\\ufffd";
                ++i;
                continue;
            }
            const char c = value[i];
            if (c == '"' || c == '\\') {
                out_ += '\\';
                out_ += c;
            } else if (c == '\n') {
                out_ += "\\n";
            } else if (c == '\t') {
                out_ += "\\t";
            } else if (character.codePoint < 0x20 || character.codePoint == 0x7F) {
                out_ += "\\u00";
                out_ += kDigits[character.codePoint >> 4];
                out_ += kDigits[character.codePoint & 15];
            } else {
                out_ += value.substr(i, size_t(character.length));
            }
            i += size_t(character.length);
        }
        out_ += '"';
    }

    std::string out_;
    std::vector<bool> hasItems_;
};

/// A range resolved for output; `file` is null for a range without place.
struct Place {
    const SourceFile* file = nullptr;
    LineColumn begin;
    LineColumn end;
};

Place placeOf(const Diagnostics& diagnostics, Range range) {
    Place place;
    place.file = diagnostics.sources().fileOf(range.begin);
    if (!place.file) return place;
    place.begin = displayPosition(*place.file, range.begin);
    place.end = displayPosition(*place.file, std::max(range.begin, range.end));
    return place;
}

void writePlace(JsonWriter& json, const Place& place) {
    if (!place.file) return;
    json.text("file", place.file->name());
    json.number("line", place.begin.line);
    json.number("column", place.begin.column);
    json.number("endLine", place.end.line);
    json.number("endColumn", place.end.column);
}

// ---- SARIF ----------------------------------------------------------------------------------------------------------

/// A path as a URI reference: everything but unreserved characters and `/` in percent form.
std::string uriOf(std::string_view path) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    constexpr std::string_view kPlain = "-._~/";
    std::string uri;
    for (const char c : path) {
        const bool isAlnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (isAlnum || kPlain.find(c) != kPlain.npos) {
            uri += c;
        } else {
            uri += '%';
            uri += kDigits[uint8_t(c) >> 4];
            uri += kDigits[uint8_t(c) & 15];
        }
    }
    return uri;
}

void writeMessage(JsonWriter& json, std::string_view key, std::string_view text) {
    json.beginObject(key);
    json.text("text", text);
    json.endObject();
}

void writeRegion(JsonWriter& json, std::string_view key, const Place& place) {
    json.beginObject(key);
    json.number("startLine", place.begin.line);
    json.number("startColumn", place.begin.column);
    json.number("endLine", place.end.line);
    json.number("endColumn", place.end.column);
    json.endObject();
}

void writeArtifact(JsonWriter& json, const Place& place) {
    json.beginObject("artifactLocation");
    json.text("uri", uriOf(place.file->name()));
    json.endObject();
}

void writeLocation(JsonWriter& json, const Place& place, std::string_view message) {
    json.beginObject();
    json.beginObject("physicalLocation");
    writeArtifact(json, place);
    writeRegion(json, "region", place);
    json.endObject();
    if (!message.empty()) writeMessage(json, "message", message);
    json.endObject();
}

void writeSarifFixes(JsonWriter& json, const Diagnostics& diagnostics, const Diagnostic& diagnostic) {
    if (diagnostic.fixIts.empty()) return;
    json.beginArray("fixes");
    json.beginObject();
    writeMessage(json, "description", diagnostic.fixIts[0].isGuess ? "did you mean this?" : "fix");
    json.beginArray("artifactChanges");
    json.beginObject();
    writeArtifact(json, placeOf(diagnostics, diagnostic.range));
    json.beginArray("replacements");
    for (const FixIt& fix : diagnostic.fixIts) {
        json.beginObject();
        writeRegion(json, "deletedRegion", placeOf(diagnostics, fix.range));
        writeMessage(json, "insertedContent", fix.replacement);
        json.endObject();
    }
    json.endArray();
    json.endObject();
    json.endArray();
    json.endObject();
    json.endArray();
}

void writeSarifRules(JsonWriter& json, const Diagnostics& diagnostics) {
    std::vector<bool> isUsed(diag::count());
    for (const Diagnostic& diagnostic : diagnostics.list()) isUsed[size_t(diagnostic.id)] = true;
    json.beginArray("rules");
    for (size_t i = 0; i < isUsed.size(); ++i) {
        if (!isUsed[i]) continue;
        const diag::Info& info = diag::info(diag::Id(i));
        json.beginObject();
        json.text("id", info.code);
        json.text("name", info.kind);
        writeMessage(json, "fullDescription", info.explanation);
        json.endObject();
    }
    json.endArray();
}

void writeSarifResult(JsonWriter& json, const Diagnostics& diagnostics, const Diagnostic& diagnostic) {
    json.beginObject();
    json.text("ruleId", diagnostic.code());
    json.text("level", severityName(diagnostic.severity));
    std::string text = diagnostic.text;
    for (const DiagNote& note : diagnostic.notes) {
        if (!note.range.isValid()) text += "\n" + note.text;
    }
    writeMessage(json, "message", text);
    const Place place = placeOf(diagnostics, diagnostic.range);
    if (place.file) {
        json.beginArray("locations");
        writeLocation(json, place, {});
        json.endArray();
    }
    json.beginArray("relatedLocations");
    for (const DiagNote& note : diagnostic.notes) {
        const Place at = placeOf(diagnostics, note.range);
        if (at.file) writeLocation(json, at, note.text);
    }
    json.endArray();
    if (place.file) writeSarifFixes(json, diagnostics, diagnostic);
    json.endObject();
}

// ---- GitHub ---------------------------------------------------------------------------------------------------------

/// Workflow commands escape by percent signs; properties also escape `:` and `,`.
std::string githubEscape(std::string_view text, bool isProperty) {
    std::string out;
    for (const char c : text) {
        if (c == '%') out += "%25";
        else if (c == '\r') out += "%0D";
        else if (c == '\n') out += "%0A";
        else if (isProperty && c == ':') out += "%3A";
        else if (isProperty && c == ',') out += "%2C";
        else out += c;
    }
    return out;
}

}  // namespace

std::string renderJson(const Diagnostics& diagnostics) {
    JsonWriter json;
    json.beginObject();
    json.number("errors", diagnostics.errorCount());
    json.number("warnings", diagnostics.warningCount());
    json.beginArray("diagnostics");
    for (const Diagnostic& diagnostic : diagnostics.list()) {
        json.beginObject();
        writePlace(json, placeOf(diagnostics, diagnostic.range));
        json.text("severity", severityName(diagnostic.severity));
        json.text("code", diagnostic.code());
        json.text("kind", diag::info(diagnostic.id).kind);
        json.text("message", diagnostic.text);
        json.beginArray("notes");
        for (const DiagNote& note : diagnostic.notes) {
            json.beginObject();
            writePlace(json, placeOf(diagnostics, note.range));
            json.text("message", note.text);
            json.endObject();
        }
        json.endArray();
        json.beginArray("fixes");
        for (const FixIt& fix : diagnostic.fixIts) {
            json.beginObject();
            writePlace(json, placeOf(diagnostics, fix.range));
            json.text("replacement", fix.replacement);
            json.boolean("isGuess", fix.isGuess);
            json.endObject();
        }
        json.endArray();
        json.endObject();
    }
    json.endArray();
    json.endObject();
    return json.take();
}

std::string renderSarif(const Diagnostics& diagnostics) {
    JsonWriter json;
    json.beginObject();
    json.text("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json.text("version", "2.1.0");
    json.beginArray("runs");
    json.beginObject();
    json.beginObject("tool");
    json.beginObject("driver");
    json.text("name", "luapp");
    writeSarifRules(json, diagnostics);
    json.endObject();
    json.endObject();
    json.text("columnKind", "unicodeCodePoints");
    json.beginArray("results");
    for (const Diagnostic& diagnostic : diagnostics.list()) writeSarifResult(json, diagnostics, diagnostic);
    json.endArray();
    json.endObject();
    json.endArray();
    json.endObject();
    return json.take();
}

std::string renderGithub(const Diagnostics& diagnostics) {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics.list()) {
        // GitHub knows error, warning and notice.
        out += "::";
        out += diagnostic.severity == Severity::Note ? std::string_view("notice") : severityName(diagnostic.severity);
        const Place place = placeOf(diagnostics, diagnostic.range);
        if (place.file) {
            out += " file=" + githubEscape(place.file->name(), true) + ",line=" + std::to_string(place.begin.line) +
                   ",col=" + std::to_string(place.begin.column);
            // An end column is only understood within one line.
            out += ",endLine=" + std::to_string(place.end.line);
            if (place.end.line == place.begin.line) out += ",endColumn=" + std::to_string(place.end.column);
            out += ",title=" + githubEscape(diagnostic.code(), true);
        }
        std::string text = diagnostic.text;
        for (const DiagNote& note : diagnostic.notes) text += "\n" + note.text;
        for (const FixIt& fix : diagnostic.fixIts) {
            if (fix.isGuess) text += "\ndid you mean `" + fix.replacement + "`?";
        }
        out += "::" + githubEscape(text, false) + '\n';
    }
    return out;
}

}  // namespace luapp::frontend
