#include "mutate.h"

#include <cctype>
#include <cstring>

namespace luapp::fuzz {

namespace {

/// Spellings worth putting in anywhere.
constexpr const char* kTokens[] = {
    "local",  "function", "end",    "if",      "then",     "else",       "elseif",   "while",   "do",      "for",     "in",
    "repeat", "until",    "return", "break",   "continue", "const",      "class",    "static",  "private", "event",   "base",
    "import", "export",   "from",   "as",      "is",       "type",       "enum",     "extern",  "goto",    "implicit", "interface",
    "nil",    "true",     "false",  "and",     "or",       "not",        "self",     "any",     "number",  "integer", "string",
    "boolean", "void",    "Array<number>", "Table<string, number>", "constructor", "protected", "typeof", "void",
    "+",      "-",        "*",      "/",       "//",       "%",          "^",        "#",       "==",      "~=",      "!=",
    "<",      ">",        "<=",     ">=",      "=",        "+=",         "..=",      "?\?=",    "++",      "---",     "--",
    "(",      ")",        "{",      "}",       "[",        "]",          "::",       ";",       ":",       ",",       ".",
    "..",     "...",      "?",      "??",      "?.",       "?[",         "!",        "->",      "|",       "&",       "~",
    "<<",     ">>",       "`",      "`{",      "}`",       "\"",         "'",        "[[",      "]]",      "[=[",     "--[[",
    "0",      "1",        "0x",     "0x1p",    "1e",       "1e999",      "0b1",      "1_000",   "9007199254740993", ".5",
    "\\u{110000}", "\\x", "\\z",    "--!lenient\n", "--!comment\n", "--!carrays\n", "\n", "x", "_", "<T>", "<T: Comparable>",
};

enum class CharClass { Word, Space, Other };

CharClass classOf(char c) {
    if (isalnum(static_cast<unsigned char>(c)) || c == '_') return CharClass::Word;
    return isspace(static_cast<unsigned char>(c)) ? CharClass::Space : CharClass::Other;
}

/// A stretch [begin, end) of a text.
struct Span {
    size_t begin;
    size_t end;
};

/// A random run of characters of one class: a word, blanks, or a sign.
Span randomToken(const std::string& text, Random& random) {
    if (text.empty()) return {0, 0};
    size_t begin = random.below(text.size());
    const CharClass c = classOf(text[begin]);
    size_t end = begin + 1;
    if (c == CharClass::Other) return {begin, end};
    while (begin > 0 && classOf(text[begin - 1]) == c) begin--;
    while (end < text.size() && classOf(text[end]) == c) end++;
    return {begin, end};
}

/// Some whole lines.
Span randomLines(const std::string& text, Random& random) {
    if (text.empty()) return {0, 0};
    size_t begin = text.rfind('\n', random.below(text.size()));
    begin = begin == std::string::npos ? 0 : begin + 1;
    size_t end = begin;
    for (int lines = random.between(1, 6); lines > 0 && end < text.size(); lines--) {
        end = text.find('\n', end);
        end = end == std::string::npos ? text.size() : end + 1;
    }
    return {begin, end};
}

std::string cut(const std::string& text, Span span) { return text.substr(span.begin, span.end - span.begin); }

void flipByte(std::string& text, Random& random, const std::string&) {
    if (!text.empty()) text[random.below(text.size())] = char(random.below(256));
}
void insertByte(std::string& text, Random& random, const std::string&) {
    text.insert(text.begin() + long(random.below(text.size() + 1)), char(random.below(256)));
}
void eraseStretch(std::string& text, Random& random, const std::string&) {
    if (!text.empty()) text.erase(random.below(text.size()), size_t(random.between(1, 12)));
}
void truncate(std::string& text, Random& random, const std::string&) { text.resize(random.below(text.size() + 1)); }
void eraseToken(std::string& text, Random& random, const std::string&) {
    const Span token = randomToken(text, random);
    text.erase(token.begin, token.end - token.begin);
}
void insertToken(std::string& text, Random& random, const std::string&) {
    text.insert(randomToken(text, random).begin, std::string(" ") + random.pick(kTokens) + " ");
}
void replaceToken(std::string& text, Random& random, const std::string&) {
    const Span token = randomToken(text, random);
    text.replace(token.begin, token.end - token.begin, random.pick(kTokens));
}
void copyToken(std::string& text, Random& random, const std::string& other) {
    const std::string token = cut(other, randomToken(other, random));
    const Span place = randomToken(text, random);
    text.replace(place.begin, place.end - place.begin, token);
}
void swapTokens(std::string& text, Random& random, const std::string&) {
    const std::string a = cut(text, randomToken(text, random));
    const Span place = randomToken(text, random);
    text.replace(place.begin, place.end - place.begin, a);
}
void repeatToken(std::string& text, Random& random, const std::string&) {
    const Span token = randomToken(text, random);
    const std::string copy = cut(text, token);
    const int times = random.chance(5) ? 3000 : random.between(1, 4);
    std::string many;
    for (int i = 0; i < times; i++) many += copy;
    text.insert(token.end, many);
}
void eraseLines(std::string& text, Random& random, const std::string&) {
    const Span lines = randomLines(text, random);
    text.erase(lines.begin, lines.end - lines.begin);
}
void spliceLines(std::string& text, Random& random, const std::string& other) {
    text.insert(randomLines(text, random).begin, cut(other, randomLines(other, random)));
}
void crossOver(std::string& text, Random& random, const std::string& other) {
    text = text.substr(0, randomLines(text, random).begin) + other.substr(randomLines(other, random).begin);
}

struct Mutation {
    int weight;
    void (*apply)(std::string& text, Random& random, const std::string& other);
};

constexpr Mutation kMutations[] = {
    {4, flipByte},     {3, insertByte},  {4, eraseStretch}, {1, truncate},   {8, eraseToken},  {8, insertToken}, {10, replaceToken},
    {14, copyToken},   {8, swapTokens},  {3, repeatToken},  {4, eraseLines}, {8, spliceLines}, {2, crossOver},
};

void applyOne(std::string& text, Random& random, const std::string& other) {
    int total = 0;
    for (const Mutation& m : kMutations) total += m.weight;
    int at = int(random.below(size_t(total)));
    for (const Mutation& m : kMutations) {
        at -= m.weight;
        if (at < 0) return m.apply(text, random, other);
    }
}

}  // namespace

std::string mutate(const std::vector<CorpusFile>& corpus, Random& random) {
    std::string text = random.pick(corpus).text;
    // Most inputs should stay near something that compiles, or the later stages see nothing.
    int count = random.chance(60) ? random.between(1, 3) : random.between(4, 24);
    while (count-- > 0) applyOne(text, random, random.pick(corpus).text);
    return text;
}

}  // namespace luapp::fuzz
