#include "frontend/base/arena.h"

#include <sys/mman.h>

#include <algorithm>

namespace luapp::frontend {

namespace {
// Blocks grow up to this size. Large ones are aligned and offered to the kernel as huge pages: with 4 KB pages, page
// faults alone took a third of the parser's time on large inputs.
constexpr size_t kHugePage = 2 * 1024 * 1024;
constexpr size_t kLargestBlock = 2 * kHugePage;
}  // namespace

void* Arena::allocateSlow(size_t bytes, size_t align) {
    used_ += next_ ? size_t(next_ - blockStart_) : 0;
    size_t size = std::max(bytes + align, blockSize_);
    blockSize_ = std::min(blockSize_ * 4, kLargestBlock);
    char* block;
    if (size >= kHugePage) {
        size = (size + kHugePage - 1) / kHugePage * kHugePage;
        block = static_cast<char*>(std::aligned_alloc(kHugePage, size));
        if (block) madvise(block, size, MADV_HUGEPAGE);
    } else {
        block = static_cast<char*>(std::malloc(size));
    }
    if (!block) std::abort();
    blocks_.emplace_back(block);
    blockStart_ = next_ = block;
    limit_ = block + size;
    return allocate(bytes, align);
}

}  // namespace luapp::frontend
