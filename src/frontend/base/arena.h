#pragma once
// Bump allocator of the compiler, and the list type that lives in it.
//
// The parser makes every AST node and list here; sema may put its own side data into the same arena. Nothing is freed
// before the arena itself dies, and no destructor ever runs: only trivially destructible types may be made (checked at
// compile time). Objects never move, so raw pointers into an arena stay valid as long as the arena lives.
// It does not zero memory and is not safe for use by several threads.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace luapp::frontend {

/// A fixed sequence inside an arena: pointer and size, copied freely, never owning. Elements may be changed in place.
template <class T>
struct List {
    T* items = nullptr;
    uint32_t count = 0;

    T* begin() const { return items; }
    T* end() const { return items + count; }
    size_t size() const { return count; }
    bool empty() const { return count == 0; }
    T& operator[](size_t index) const { return items[index]; }
    T& front() const { return items[0]; }
    T& back() const { return items[count - 1]; }
    std::span<T> span() const { return {items, count}; }
};

/// Allocates objects that live until the arena dies.
class Arena {
  public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Uninitialised memory, aligned to `align` (a power of two, at most 16). Never fails short of out of memory.
    [[gnu::always_inline]] void* allocate(size_t bytes, size_t align) {
        const uintptr_t at = (reinterpret_cast<uintptr_t>(next_) + (align - 1)) & ~(uintptr_t(align) - 1);
        if (at + bytes <= reinterpret_cast<uintptr_t>(limit_)) {
            next_ = reinterpret_cast<char*>(at + bytes);
            return reinterpret_cast<void*>(at);
        }
        return allocateSlow(bytes, align);
    }

    /// Makes a `T` from the given arguments (brace initialisation).
    template <class T, class... A>
    T* make(A&&... args) {
        static_assert(std::is_trivially_destructible_v<T>, "arena objects are never destroyed");
        return new (allocate(sizeof(T), alignof(T))) T{std::forward<A>(args)...};
    }

    /// Copies `items` into the arena.
    template <class T>
    List<T> makeList(std::span<const T> items) {
        static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_copyable_v<T>);
        if (items.empty()) return {};
        auto* to = static_cast<T*>(allocate(items.size_bytes(), alignof(T)));
        std::memcpy(static_cast<void*>(to), items.data(), items.size_bytes());
        return {to, uint32_t(items.size())};
    }

    /// Copies `text` into the arena; the copy has no terminating NUL.
    std::string_view copyText(std::string_view text) {
        if (text.empty()) return {};
        auto* to = static_cast<char*>(allocate(text.size(), 1));
        std::memcpy(to, text.data(), text.size());
        return {to, text.size()};
    }

    /// Bytes handed out so far, padding included (for statistics).
    size_t bytesUsed() const { return used_ + (next_ ? size_t(next_ - blockStart_) : 0); }

  private:
    /// Starts a new block and allocates from it.
    [[gnu::noinline]] void* allocateSlow(size_t bytes, size_t align);

    char* next_ = nullptr;
    char* limit_ = nullptr;
    char* blockStart_ = nullptr;
    size_t blockSize_ = 16 * 1024;
    size_t used_ = 0;
    struct Free {
        void operator()(char* block) const { std::free(block); }
    };
    std::vector<std::unique_ptr<char, Free>> blocks_;
};

}  // namespace luapp::frontend
