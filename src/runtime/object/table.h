// Table<K, V>: a dictionary in insertion order, and the hash core that tables of lenient code share. Entries {key, value} stand
// in the order of insertion; an open-addressing index of 32-bit slots beside them finds an entry by hash (tables of up to 8
// entries have none and are searched). Keys are boxes; values are raw words of V's Rep. Deleting leaves a hole (key absent) that
// the next growth removes, so positions stay valid while keys are deleted during an iteration; a key added again goes last.
// The caller checks keys: nil and NaN must not come here; number keys are normalised here (-0 is 0).
//
//   TableStorage:  header | entries[capacity] of {key, value} | slots[slotMask + 1] of uint32
//   a slot:        0 empty, else (top bits of the hash, where the index leaves room) | entry index + 1
//
// Lookups cannot collect (they hash strings on demand, which allocates nothing); insertions may.
#pragma once

#include "runtime/object/string.h"
#include "runtime/object/value.h"

namespace luapp::rt {

struct TableEntry {
    Word key;    // box; absent where the entry was deleted
    Word value;  // raw word of the table's value Rep
};

/// Entries and index. `extra` is the Rep of the values, `aux` the number of entries there is room for.
struct TableStorage : Object {
    TableEntry entries[];

    uint32_t* slots() { return reinterpret_cast<uint32_t*>(entries + aux); }
    const uint32_t* slots() const { return reinterpret_cast<const uint32_t*>(entries + aux); }
};

/// `extra` is the Rep of the values; `aux` the type Table<K, V> (0 for a LuaTable).
struct Table : Object {
    uint32_t count;     // live entries
    uint32_t used;      // entries taken, deleted ones included
    uint32_t capacity;  // entries there is room for
    uint32_t slotMask;  // slots - 1; 0: no index, search the entries
    uint32_t first;     // every entry before this one is deleted
    uint32_t version;   // counts insertions of keys: an iteration sees that keys were added
    TableStorage* storage;

    TableEntry* entries() const { return storage->entries; }
};

/// "No such position".
inline constexpr uint32_t kNoEntry = 0xFFFF'FFFFu;

/// A new table of type `type` (of kind Table) with room for `capacity` entries.
Table* newTable(State& s, const TypeDesc* type, uint64_t capacity);

/// Position of a key, or kNoEntry. findKey takes any box but nil and NaN (which it does not find).
uint32_t findString(State& s, const Table* t, String* key);
uint32_t findNumber(const Table* t, double key);
uint32_t findKey(State& s, const Table* t, Value key);

/// The value word at a key, or null if there is none. Valid until the next insertion.
inline Word* lookupString(State& s, const Table* t, String* key) {
    uint32_t i = findString(s, t, key);
    return i == kNoEntry ? nullptr : &t->storage->entries[i].value;
}
inline Word* lookupNumber(const Table* t, double key) {
    uint32_t i = findNumber(t, key);
    return i == kNoEntry ? nullptr : &t->storage->entries[i].value;
}
inline Word* lookupKey(State& s, const Table* t, Value key) {
    uint32_t i = findKey(s, t, key);
    return i == kNoEntry ? nullptr : &t->storage->entries[i].value;
}

/// t[key] = value, adding the key if it is new. May collect; raises "out of memory" and "table is too large".
void setString(State& s, Table* t, String* key, Word value);
void setNumber(State& s, Table* t, double key, Word value);
void setKey(State& s, Table* t, Value key, Word value);

/// Adds a key that is known not to be there. May collect; raises as the others do.
void addKey(State& s, Table* t, Value key, Word value);

/// Removes a key; false if there was none. `old` (may be null) receives the value word.
bool removeKey(State& s, Table* t, Value key, Word* old = nullptr);
/// Removes the live entry at a position.
void removeEntry(State& s, Table* t, uint32_t position);

/// The first live position >= `from`, or kNoEntry.
inline uint32_t nextEntry(const Table* t, uint32_t from) {
    if (from < t->first) from = t->first;
    for (; from < t->used; from++) {
        if (t->storage->entries[from].key != kAbsentBox) return from;
    }
    return kNoEntry;
}

/// Removes every entry.
void clearTable(State& s, Table* t);
/// A new table of the same type with the same entries in the same order.
Table* copyTable(State& s, const Table* t);
/// Makes room so that `more` further keys can be added without growing.
void reserveEntries(State& s, Table* t, uint64_t more);

}  // namespace luapp::rt
