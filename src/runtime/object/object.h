// The header every heap object begins with, and the list of kinds. Objects are made by Heap::allocate (gc/heap.h), never
// move, and are freed by the collector when nothing reaches them. A bare `T*` to an object is a root while it stands in a
// register, on a native or VM stack; anywhere else it must be in a traced object or in roots.def.
//
//   byte 0..3   aux    string: its hash; table of lenient code: see lua_table.h; others: index of the type descriptor in the State (0: none)
//   byte 4      kind   object_kinds.def
//   byte 5      log    write barrier state, owned by gc/barrier.h
//   byte 6      flags  meaning per kind (FlagXxx in the kind's header)
//   byte 7      extra  per kind; Array, Buffer, TableStorage and Cell: the Rep of the words they hold
//
// Trace contract: gc/mark.cpp finds every reference in an object from the header and the object's own fields alone, at any
// safepoint; so an object is complete (fields valid or 0) before the next thing that may collect. Memory from the heap is 0.
#pragma once

#include <cstdint>

#include "runtime/base/check.h"
#include "runtime/base/rep.h"

namespace luapp::rt {

using base::Rep;
using base::Word;

struct State;
struct TypeDesc;

/// Kinds of heap objects; entries come from object_kinds.def.
enum class Kind : uint8_t {
#define LUAPP_OBJECT_KIND(name, type, text, tag) name,
#include "runtime/object/object_kinds.def"
};

#define LUAPP_OBJECT_KIND(name, type, text, tag) +1
inline constexpr unsigned kKindCount = 0
#include "runtime/object/object_kinds.def"
    ;

/// The header; every heap struct derives from it and adds its fields behind.
struct Object {
    uint32_t aux;
    Kind kind;
    uint8_t log;
    uint8_t flags;
    uint8_t extra;

    bool is(Kind k) const { return kind == k; }
    /// Rep of the words in an Array, Buffer, TableStorage or Cell.
    Rep elementRep() const { return static_cast<Rep>(extra); }
};
static_assert(sizeof(Object) == 8);

/// The header as one word, for a single store at allocation.
constexpr uint64_t headerWord(Kind kind, uint32_t aux = 0, uint8_t extra = 0, uint8_t flags = 0) {
    return uint64_t{aux} | uint64_t{static_cast<uint8_t>(kind)} << 32 | uint64_t{flags} << 48 | uint64_t{extra} << 56;
}

/// An array of words, or of bytes where its Rep is Bool: the storage behind objects that grow. `aux` counts the elements it has
/// room for; those beyond the owner's length are 0. It is traced by itself (Ref and Box words), so holding it is enough.
struct Buffer : Object {
    Word words[];

    uint8_t* bytes() { return reinterpret_cast<uint8_t*>(words); }
    const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(words); }
    uint32_t capacity() const { return aux; }
    static constexpr uint32_t kWordsOffset = 8;
};

/// A captured variable; `extra` is the Rep of the word.
struct Cell : Object {
    Word word;
};

/// Record or class instance: its fields in order, one word each; `aux` is its type.
struct Instance : Object {
    Word fields[];
    static constexpr uint32_t kFieldsOffset = 8;
};

}  // namespace luapp::rt
