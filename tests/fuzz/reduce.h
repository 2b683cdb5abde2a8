#pragma once
// Delta debugging: makes an input smaller while it still fails. Pieces of an input (lines first, characters when few lines are left) are taken out, halves
// first and single ones last, and stay out where the input still fails without them.

#include <algorithm>
#include <string>
#include <vector>

namespace luapp::fuzz {

double now();  // harness.h

namespace detail {

inline std::string join(const std::vector<std::string>& pieces) {
    std::string text;
    for (const std::string& piece : pieces) text += piece;
    return text;
}

inline std::vector<std::string> splitLines(const std::string& text) {
    std::vector<std::string> lines;
    size_t at = 0;
    while (at < text.size()) {
        const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
        lines.push_back(text.substr(at, end - at));
        at = end;
    }
    return lines;
}

inline std::vector<std::string> splitCharacters(const std::string& text) {
    std::vector<std::string> characters;
    for (char c : text) characters.emplace_back(1, c);
    return characters;
}

/// One sweep over all sizes of pieces; true if anything could be taken out.
template <class Predicate>
bool shrink(std::vector<std::string>& pieces, double deadline, Predicate& stillFails) {
    bool changed = false;
    for (size_t size = std::max<size_t>(pieces.size() / 2, 1);; size /= 2) {
        for (size_t at = 0; at < pieces.size();) {
            if (now() > deadline) return changed;
            std::vector<std::string> fewer(pieces.begin(), pieces.begin() + at);
            fewer.insert(fewer.end(), pieces.begin() + std::min(at + size, pieces.size()), pieces.end());
            if (stillFails(join(fewer))) {
                pieces = std::move(fewer);
                changed = true;
            } else {
                at += size;
            }
        }
        if (size <= 1) return changed;
    }
}

}  // namespace detail

/// Makes `input` smaller while `stillFails` holds, until `seconds` are over.
template <class Predicate>
std::string reduce(std::string input, double seconds, Predicate stillFails) {
    constexpr size_t kCharacterLimit = 2000;
    const double deadline = now() + seconds;
    std::vector<std::string> lines = detail::splitLines(input);
    while (now() < deadline && detail::shrink(lines, deadline, stillFails)) {
    }
    input = detail::join(lines);
    if (input.size() > kCharacterLimit) return input;
    std::vector<std::string> characters = detail::splitCharacters(input);
    while (now() < deadline && detail::shrink(characters, deadline, stillFails)) {
    }
    return detail::join(characters);
}

}  // namespace luapp::fuzz
