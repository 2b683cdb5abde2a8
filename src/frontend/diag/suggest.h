#pragma once
// "Did you mean": finds the known word nearest to a misspelt one. Used for attributes, names, members and options.

#include <string_view>
#include <vector>

namespace luapp::frontend {

/// Edits (insert, delete, replace, swap neighbours) from `a` to `b`, or `limit + 1` if there are more than `limit`.
int editDistance(std::string_view a, std::string_view b, int limit);

/// Offers candidates one by one and keeps the nearest; ties go to the first. A word that differs too much for its
/// length is never suggested, and neither is the word itself.
class Suggester {
  public:
    explicit Suggester(std::string_view wanted);

    /// Considers `candidate`, which must stay alive until best() has been used.
    void offer(std::string_view candidate);
    /// The nearest candidate, or an empty text.
    std::string_view best() const { return best_; }

  private:
    std::string_view wanted_;
    std::string_view best_;
    int bestDistance_;
};

}  // namespace luapp::frontend
