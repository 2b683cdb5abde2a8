#include "frontend/lex/token_dump.h"

#include <cstdio>

#include "frontend/lex/lexer.h"

namespace luapp::frontend {

namespace {

constexpr size_t kKindWidth = 18;
constexpr size_t kValueWidth = 12;

/// The paper's lexer knows the primitive types as keywords and prints them as TNUMBER_T and so on.
std::string_view primitiveTypeName(std::string_view word) {
    if (word == "number") return "TNUMBER_T";
    if (word == "integer") return "TINTEGER_T";
    if (word == "string") return "TSTRING_T";
    if (word == "boolean") return "TBOOLEAN_T";
    if (word == "any") return "TANY_T";
    if (word == "void") return "TVOID_T";
    return {};
}

std::string valueOf(const Token& token, const Interner& interner) {
    switch (token.kind) {
        case Tok::Name: return std::string(interner.text(token.symbol));
        case Tok::Number: {
            char buffer[64];
            constexpr double kLargestPlain = 1e15;
            const char* format = token.number < kLargestPlain ? "%f" : "%.17g";
            return {buffer, size_t(std::snprintf(buffer, sizeof buffer, format, token.number))};
        }
        case Tok::String: case Tok::InterpWhole: case Tok::InterpBegin: case Tok::InterpMiddle: case Tok::InterpEnd: {
            std::string text = "\"";
            for (const char c : token.text) {
                if (c == '\n') {
                    text += "\\n";
                } else if (uint8_t(c) < 0x20) {
                    char buffer[8];
                    text.append(buffer, size_t(std::snprintf(buffer, sizeof buffer, "\\x%02X", unsigned(c))));
                } else {
                    text += c;
                }
            }
            return text + "\"";
        }
        default: return {};
    }
}

void pad(std::string& line, size_t width) {
    // At least one blank, however long the text is.
    line.append(line.size() < width ? width - line.size() : 1, ' ');
}

}  // namespace

std::string dumpTokens(const SourceFile& file, Arena& arena, Interner& interner, Diagnostics& diagnostics) {
    std::string out;
    Lexer lexer(file, arena, interner, diagnostics);
    Token token;
    for (lexer.next(token); token.kind != Tok::End; lexer.next(token)) {
        const std::string value = valueOf(token, interner);
        const std::string_view type = token.kind == Tok::Name ? primitiveTypeName(value) : std::string_view{};
        std::string line(type.empty() ? tokenInfo(token.kind).dumpName : type);
        pad(line, kKindWidth);
        if (type.empty() && !value.empty()) {
            line += value;
            pad(line, kKindWidth + kValueWidth);
        }
        // Positions are inclusive.
        const LineColumn first = file.lineColumn(token.range.begin);
        const uint32_t length = token.range.length();
        const LineColumn last = file.lineColumn(token.range.begin + (length > 0 ? length - 1 : 0));
        char place[64];
        const int size = std::snprintf(place, sizeof place, "%04u:%04u-%04u:%04u\n", first.line, first.column, last.line,
                                       last.column);
        out += line;
        out.append(place, size_t(size));
    }
    return out;
}

}  // namespace luapp::frontend
