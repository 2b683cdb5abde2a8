#include "golden_file.h"

#include <cstdlib>

namespace luapp::golden {

namespace {

constexpr std::string_view kBlockOpen = "--[==[ expect\n";
constexpr std::string_view kBlockClose = "]==]";

bool takePrefix(std::string_view& line, std::string_view prefix) {
    if (!line.starts_with(prefix)) return false;
    line.remove_prefix(prefix.size());
    return true;
}

std::string_view trim(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
    return s;
}

std::vector<std::string> splitWords(std::string_view s) {
    std::vector<std::string> words;
    size_t at = 0;
    while (at < s.size()) {
        while (at < s.size() && s[at] == ' ') ++at;
        size_t end = s.find(' ', at);
        if (end == s.npos) end = s.size();
        if (end > at) words.emplace_back(s.substr(at, end - at));
        at = end;
    }
    return words;
}

std::string unescape(std::string_view s) {
    std::string out;
    for (size_t i = 0; i < s.size(); ++i) {
        if (s[i] == '\\' && i + 1 < s.size()) {
            ++i;
            out += s[i] == 'n' ? '\n' : s[i] == 't' ? '\t' : s[i];
        } else {
            out += s[i];
        }
    }
    return out;
}

/// Reads a directive line into `golden`; false if it is none.
bool readDirective(GoldenFile& golden, std::string_view line) {
    if (!takePrefix(line, "-- ") && !takePrefix(line, "# ")) return false;
    if (takePrefix(line, "args:")) {
        golden.args = splitWords(line);
    } else if (takePrefix(line, "exit:")) {
        golden.exitStatus = std::atoi(std::string(line).c_str());
        golden.exitGiven = true;
    } else if (takePrefix(line, "stdin:")) {
        golden.stdinText += unescape(trim(line)) + "\n";
    } else if (takePrefix(line, "show:")) {
        golden.show = splitWords(line);
    } else {
        return false;
    }
    return true;
}

void readMarkers(GoldenFile& golden, std::string_view line, int number) {
    constexpr std::string_view kErrorMark = "--2> ";
    if (size_t at = line.find(kErrorMark); at != line.npos) {
        golden.expectedErrors.emplace_back(trim(line.substr(at + kErrorMark.size())));
        return;
    }
    for (std::string_view mark : {std::string_view("--> "), std::string_view("#> ")}) {
        size_t at = line.find(mark);
        if (at == line.npos) continue;
        golden.hasOutputMarkers = true;
        golden.expectedOutput += line.substr(at + mark.size());
        golden.expectedOutput += '\n';
        return;
    }
    if (trim(line).ends_with("-->") || trim(line).ends_with("#>")) {  // an empty line of output
        golden.hasOutputMarkers = true;
        golden.expectedOutput += '\n';
        return;
    }
    for (std::string_view mark : {std::string_view("--~ "), std::string_view("#~ ")}) {
        size_t at = line.find(mark);
        while (at != line.npos) {
            size_t next = line.find(mark, at + mark.size());
            std::string_view body = trim(line.substr(at + mark.size(), next == line.npos ? next : next - at - mark.size()));
            size_t space = body.find(' ');
            Announced a;
            a.file = golden.files.back().name;
            a.line = number;
            a.code = body.substr(0, space);
            if (size_t colon = a.code.find(':'); colon != a.code.npos) {
                a.column = atoi(a.code.c_str() + colon + 1);
                a.code.resize(colon);
            }
            if (space != body.npos) a.text = trim(body.substr(space));
            golden.announced.push_back(std::move(a));
            at = next;
        }
    }
}

}  // namespace

GoldenFile parseGolden(std::string_view name, std::string_view text) {
    GoldenFile golden;
    golden.name = name;
    golden.files.push_back({std::string(name), {}});
    if (size_t block = text.rfind(kBlockOpen); block != text.npos && (block == 0 || text[block - 1] == '\n')) {
        std::string_view body = text.substr(block + kBlockOpen.size());
        if (size_t close = body.rfind(kBlockClose); close != body.npos) {
            golden.hasExpectBlock = true;
            golden.expectBlock = body.substr(0, close);
            text = text.substr(0, block);
        }
    }
    bool inHead = true;
    int number = 0;
    while (!text.empty()) {
        size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        std::string_view whole = end == text.npos ? text : text.substr(0, end + 1);
        text.remove_prefix(whole.size());
        std::string_view rest = line;
        if (takePrefix(rest, "-- file:") || takePrefix(rest, "# file:")) {
            golden.files.push_back({std::string(trim(rest)), {}});
            number = 0;
            continue;
        }
        ++number;
        inHead = inHead && readDirective(golden, line);
        if (!inHead) readMarkers(golden, line, number);
        golden.files.back().text += whole;
    }
    return golden;
}

std::string withExpectBlock(std::string_view text, std::string_view output) {
    size_t block = text.rfind(kBlockOpen);
    std::string out(block == text.npos ? text : text.substr(0, block));
    if (!out.empty() && out.back() != '\n') out += '\n';
    out += kBlockOpen;
    out += output;
    if (!output.empty() && output.back() != '\n') out += '\n';
    out += kBlockClose;
    out += '\n';
    return out;
}

}  // namespace luapp::golden
