#pragma once
// Mutations of source texts: bytes, tokens (in a rough sense that needs no lexer), lines, and splices of two texts.

#include <string>
#include <vector>

#include "harness.h"

namespace luapp::fuzz {

/// A file of the corpus with one or more random mutations; parts of other files may be spliced in.
std::string mutate(const std::vector<CorpusFile>& corpus, Random& random);

}  // namespace luapp::fuzz
