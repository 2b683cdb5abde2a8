#include "runtime/object/table.h"

#include <bit>
#include <cstring>

#include "runtime/base/hash.h"
#include "runtime/object/closure.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/type_desc.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

constexpr uint32_t kFirstCapacity = 4;
// Tables of up to this many entries have no index.
constexpr uint32_t kMaxUnindexed = 8;
// Half of the slots stay empty, so an entry index + 1 always fits into the bits of the slot mask.
constexpr uint32_t kSlotsPerEntry = 2;
constexpr uint64_t kMaxEntries = uint64_t{1} << 29;

double normalised(double key) { return key == 0 ? 0 : key; }

uint32_t hashNumber(double key) { return base::hashWord(wordOf(key)); }

uint32_t hashFunction(const Closure* c) {
    c = unwrapAdapter(c);
    if (!c->isBoundMethod()) return base::hashWord(wordOf(c));
    return base::hashWord(c->receiver().word() ^ std::rotl(c->boundKey(), 17));
}

uint32_t hashKey(State& s, Value key) {
    if (key.isString()) return hashOf(s, key.asString());
    if (key.isFunction()) return hashFunction(key.asFunction());
    return base::hashWord(key.word());
}

/// The entry with a key of that hash for which matches(key word) holds.
template <class Matches>
LUAPP_ALWAYS_INLINE uint32_t probe(const Table* t, uint32_t hash, Matches matches) {
    uint32_t mask = t->slotMask;
    const TableStorage* storage = t->storage;
    const uint32_t* slots = reinterpret_cast<const uint32_t*>(storage->entries + t->capacity);
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        uint32_t slot = slots[at];
        if (((slot ^ hash) & ~mask) == 0) {
            if (slot == 0) return kNoEntry;
            uint32_t i = (slot & mask) - 1;
            if (matches(storage->entries[i].key)) return i;
        } else if (slot == 0) {
            return kNoEntry;
        }
    }
}

/// The same for a table without index.
template <class Matches>
LUAPP_ALWAYS_INLINE uint32_t search(const Table* t, Matches matches) {
    for (uint32_t i = t->first; i < t->used; i++) {
        if (matches(t->storage->entries[i].key)) return i;
    }
    return kNoEntry;
}

/// Finds a key that is equal only to the same word: numbers, short strings, objects.
LUAPP_ALWAYS_INLINE uint32_t findWord(const Table* t, Word key, uint32_t hash) {
    auto same = [key](Word k) { return k == key; };
    return t->slotMask == 0 ? search(t, same) : probe(t, hash, same);
}

LUAPP_NOINLINE uint32_t findLongString(State& s, const Table* t, String* key) {
    auto same = [key](Word k) {
        Value v = Value::fromWord(k);
        return v.isString() && equalStrings(v.asString(), key);
    };
    return t->slotMask == 0 ? search(t, same) : probe(t, hashOf(s, key), same);
}

LUAPP_NOINLINE uint32_t findFunction(const Table* t, Value key) {
    auto same = [key](Word k) { return rawEquals(Value::fromWord(k), key); };
    return t->slotMask == 0 ? search(t, same) : probe(t, hashFunction(key.asFunction()), same);
}

/// True if an entry is worth keeping when the table is rebuilt.
bool isKept(const TableEntry& e, bool isLua) { return e.key != kAbsentBox && !(isLua && e.value == kNilBox); }

void addSlot(uint32_t* slots, uint32_t mask, uint32_t hash, uint32_t index) {
    uint32_t at = hash & mask;
    while (slots[at] != 0) at = (at + 1) & mask;
    slots[at] = (hash & ~mask) | (index + 1);
}

/// Moves the live entries into storage for `capacity` entries (a power of two).
void rebuild(State& s, Table* t, uint64_t capacity) {
    if (capacity > kMaxEntries) raise(s, ErrorKind::TableTooLarge);
    auto room = static_cast<uint32_t>(capacity);
    uint32_t slotCount = room <= kMaxUnindexed ? 0 : room * kSlotsPerEntry;
    size_t bytes = sizeof(Object) + size_t{room} * sizeof(TableEntry) + size_t{slotCount} * sizeof(uint32_t);
    auto* storage = static_cast<TableStorage*>(s.heap.allocate(bytes, Kind::TableStorage, room, t->extra));
    bool isLua = t->kind == Kind::LuaTable;
    uint32_t used = 0;
    for (uint32_t i = t->first; i < t->used; i++) {
        const TableEntry& e = t->storage->entries[i];
        if (isKept(e, isLua)) storage->entries[used++] = e;
    }
    if (slotCount != 0) {
        uint32_t* slots = storage->slots();
        for (uint32_t i = 0; i < used; i++) {
            addSlot(slots, slotCount - 1, hashKey(s, Value::fromWord(storage->entries[i].key)), i);
        }
    }
    if (isLua && static_cast<LuaTable*>(t)->isWeak() && t->used != 0) {
        // A stale pointer to the old storage must not hold what the table does not.
        std::memset(t->storage->entries, 0, t->used * sizeof(TableEntry));
    }
    storeRef(s, t, &t->storage, storage);
    t->count = t->used = used;
    t->first = 0;
    t->capacity = room;
    t->slotMask = slotCount == 0 ? 0 : slotCount - 1;
}

/// Entries that a rebuild would keep.
uint32_t countKept(const Table* t) {
    if (t->kind != Kind::LuaTable) return t->count;
    uint32_t kept = 0;
    for (uint32_t i = t->first; i < t->used; i++) kept += isKept(t->storage->entries[i], true) ? 1 : 0;
    return kept;
}

LUAPP_NOINLINE void grow(State& s, Table* t) {
    uint64_t kept = countKept(t);
    // A table of which a quarter or more are holes is compacted, others double.
    uint64_t capacity = kFirstCapacity;
    while (capacity * 3 / 4 <= kept) capacity *= 2;
    rebuild(s, t, capacity);
}

}  // namespace

/// Appends an entry for a key that is not there.
LUAPP_ALWAYS_INLINE static void addEntry(State& s, Table* t, Word key, uint32_t hash, Word value) {
    if (LUAPP_UNLIKELY(t->used == t->capacity)) grow(s, t);
    uint32_t i = t->used++;
    if (const Value k = Value::fromWord(key); k.isString()) k.asString()->entry = i;
    TableEntry& e = t->storage->entries[i];
    storeWord(s, t->storage, &e.key, key);
    storeWord(s, t->storage, &e.value, value);
    t->count++;
    t->version++;
    if (t->slotMask != 0) addSlot(t->storage->slots(), t->slotMask, hash, i);
}

Table* newTable(State& s, const TypeDesc* type, uint64_t capacity) {
    Rep rep = type->value()->rep;
    auto* t = static_cast<Table*>(s.heap.allocate(sizeof(Table), Kind::Table, type->index, static_cast<uint8_t>(rep)));
    if (capacity != 0) reserveEntries(s, t, capacity);
    return t;
}

void reserveEntries(State& s, Table* t, uint64_t more) {
    if (t->used + more <= t->capacity) return;
    if (more > kMaxEntries) raise(s, ErrorKind::TableTooLarge);
    uint64_t capacity = kFirstCapacity;
    while (capacity < t->count + more) capacity *= 2;
    rebuild(s, t, capacity);
}

uint32_t findString(State& s, const Table* t, String* key) {
    if (LUAPP_UNLIKELY(!key->isInterned())) return findLongString(s, t, key);
    const Word word = Value::string(key).word();
    // Spares the index's cache line; tables that were filled alike have a key in the same place.
    const uint32_t guess = key->entry;
    if (guess < t->used && t->storage->entries[guess].key == word) return guess;
    const uint32_t at = findWord(t, word, key->aux);
    if (at != kNoEntry) key->entry = at;
    return at;
}

uint32_t findNumber(const Table* t, double key) {
    key = normalised(key);
    return findWord(t, wordOf(key), hashNumber(key));
}

uint32_t findKey(State& s, const Table* t, Value key) {
    if (key.isString()) return findString(s, t, key.asString());
    if (key.isNumber()) return findNumber(t, key.asNumber());
    if (key.isFunction()) return findFunction(t, key);
    if (key.isAbsent()) return kNoEntry;  // removed entries have it
    return findWord(t, key.word(), base::hashWord(key.word()));
}

void setString(State& s, Table* t, String* key, Word value) {
    uint32_t i = findString(s, t, key);
    if (i != kNoEntry) {
        storeWord(s, t->storage, &t->storage->entries[i].value, value);
    } else {
        addEntry(s, t, Value::string(key).word(), hashOf(s, key), value);
    }
}

void setNumber(State& s, Table* t, double key, Word value) {
    key = normalised(key);
    uint32_t hash = hashNumber(key);
    uint32_t i = findWord(t, wordOf(key), hash);
    if (i != kNoEntry) {
        storeWord(s, t->storage, &t->storage->entries[i].value, value);
    } else {
        addEntry(s, t, wordOf(key), hash, value);
    }
}

void setKey(State& s, Table* t, Value key, Word value) {
    if (key.isString()) return setString(s, t, key.asString(), value);
    if (key.isNumber()) return setNumber(s, t, key.asNumber(), value);
    uint32_t i = findKey(s, t, key);
    if (i != kNoEntry) {
        storeWord(s, t->storage, &t->storage->entries[i].value, value);
    } else {
        addKey(s, t, key, value);
    }
}

void addKey(State& s, Table* t, Value key, Word value) {
    if (key.isAbsent()) return;  // no value of programs: a forged chunk has brought it here
    addEntry(s, t, key.word(), hashKey(s, key), value);
}

void removeEntry(State&, Table* t, uint32_t position) {
    TableEntry* entries = t->storage->entries;
    entries[position] = {kAbsentBox, 0};
    t->count--;
    while (t->first < t->used && entries[t->first].key == kAbsentBox) t->first++;
}

bool removeKey(State& s, Table* t, Value key, Word* old) {
    uint32_t i = findKey(s, t, key);
    if (i == kNoEntry) return false;
    if (old != nullptr) *old = t->storage->entries[i].value;
    removeEntry(s, t, i);
    return true;
}

void clearTable(State&, Table* t) {
    t->count = t->used = t->capacity = t->slotMask = t->first = 0;
    t->storage = nullptr;
}

Table* copyTable(State& s, const Table* t) {
    Table* copy = newTable(s, s.types.at(t->aux), t->count);
    for (uint32_t i = nextEntry(t, 0); i != kNoEntry; i = nextEntry(t, i + 1)) {
        Value key = Value::fromWord(t->storage->entries[i].key);
        addEntry(s, copy, key.word(), hashKey(s, key), t->storage->entries[i].value);
    }
    return copy;
}

}  // namespace luapp::rt
