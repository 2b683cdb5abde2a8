#include "frontend/diag/suggest.h"

#include <algorithm>
#include <cstdlib>

namespace luapp::frontend {

namespace {

constexpr size_t kLongestWord = 64;

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }

/// A short word may differ in one letter, a longer one in about a third of them.
int allowedEdits(size_t length) { return length <= 2 ? 0 : length <= 4 ? 1 : length <= 7 ? 2 : 3; }

}  // namespace

int editDistance(std::string_view a, std::string_view b, int limit) {
    if (std::abs(int(a.size()) - int(b.size())) > limit) return limit + 1;
    if (a.size() > kLongestWord || b.size() > kLongestWord) return limit + 1;
    // Three rows of the usual table: the swap of neighbours looks two rows back.
    int rows[3][kLongestWord + 1];
    for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = int(j);
    for (size_t i = 1; i <= a.size(); ++i) {
        int* row = rows[i % 3];
        const int* above = rows[(i + 2) % 3];
        const int* above2 = rows[(i + 1) % 3];
        row[0] = int(i);
        int least = row[0];
        for (size_t j = 1; j <= b.size(); ++j) {
            const int cost = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + cost});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], above2[j - 2] + 1);
            }
            least = std::min(least, row[j]);
        }
        if (least > limit) return limit + 1;
    }
    return std::min(rows[a.size() % 3][b.size()], limit + 1);
}

Suggester::Suggester(std::string_view wanted) : wanted_(wanted), bestDistance_(allowedEdits(wanted.size()) + 1) {}

void Suggester::offer(std::string_view candidate) {
    if (candidate.empty() || candidate == wanted_) return;
    const bool sameButCase = std::equal(candidate.begin(), candidate.end(), wanted_.begin(), wanted_.end(),
                                        [](char x, char y) { return lower(x) == lower(y); });
    const int distance = sameButCase ? 0 : std::max(1, editDistance(wanted_, candidate, bestDistance_ - 1));
    // A word of which nothing would be left is no likeness.
    if (distance < bestDistance_ && distance < int(candidate.size())) {
        bestDistance_ = distance;
        best_ = candidate;
    }
}

}  // namespace luapp::frontend
