// A stable merge sort over raw words, for any order: it makes at most n*log2(n) comparisons plus a few per element, needs room for
// n further words, and stays within its bounds whatever the comparison answers (an inconsistent `less` gives some order, never
// a crash). The comparison may run program code and may raise; the words being sorted lie in memory the program cannot reach.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include "runtime/base/rep.h"

namespace luapp::rt {

/// Sorts words[0..n) by `less(a, b)`; `room` has n words. The result is in the returned one of the two.
template <class Less>
base::Word* mergeSort(base::Word* words, base::Word* room, size_t n, Less less) {
    using base::Word;
    constexpr size_t kRun = 8;
    for (size_t start = 0; start < n; start += kRun) {
        const size_t end = start + kRun < n ? start + kRun : n;
        for (size_t i = start + 1; i < end; i++) {
            const Word w = words[i];
            size_t at = i;
            for (; at > start && less(w, words[at - 1]); at--) words[at] = words[at - 1];
            words[at] = w;
        }
    }
    Word* from = words;
    Word* to = room;
    for (size_t width = kRun; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width) {
            const size_t middle = start + width < n ? start + width : n;
            const size_t end = middle + width < n ? middle + width : n;
            if (middle == end || !less(from[middle], from[middle - 1])) {  // in order already
                std::memcpy(to + start, from + start, (end - start) * sizeof(Word));
                continue;
            }
            size_t left = start;
            size_t right = middle;
            size_t out = start;
            while (left < middle && right < end) {
                // Without a branch on the outcome, which nothing can predict.
                const bool takeRight = less(from[right], from[left]);
                to[out++] = from[takeRight ? right : left];
                right += takeRight;
                left += !takeRight;
            }
            std::memcpy(to + out, from + left, (middle - left) * sizeof(Word));
            out += middle - left;
            std::memcpy(to + out, from + right, (end - right) * sizeof(Word));
        }
        std::swap(from, to);
    }
    return from;
}

}  // namespace luapp::rt
