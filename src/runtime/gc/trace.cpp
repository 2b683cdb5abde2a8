#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "runtime/gc/heap.h"
#include "runtime/gc/tracer.h"
#include "runtime/object/array.h"
#include "runtime/object/closure.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/userdata.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

constexpr size_t kFirstRoom = 4096;
// Longer objects are traced in pieces of this many words, and their changes are remembered by cards.
constexpr size_t kPieceWords = 1024;
// Objects between the mark stack and being traced.
constexpr unsigned kWaiting = 8;
// What tracing an object costs beside its words.
constexpr int64_t kObjectCost = 4;

/// Doubles a malloc'ed list. The collector cannot go on without it, and the sizes are far below what the heap itself took.
template <class T>
void growList(T*& list, size_t& room) {
    room = room == 0 ? kFirstRoom : room * 2;
    list = static_cast<T*>(std::realloc(list, room * sizeof(T)));
    if (list == nullptr) base::bugFound("no memory for the collector's own lists", __FILE__, __LINE__);
}

template <class T>
LUAPP_ALWAYS_INLINE void append(T*& list, size_t& count, size_t& room, T item) {
    if (LUAPP_UNLIKELY(count == room)) growList(list, room);
    list[count++] = item;
}

/// True for the kinds whose words are elements: they may be long, and they may belong to a weak table.
bool isPart(const Object* o) { return o->kind == Kind::Buffer || o->kind == Kind::TableStorage; }

/// The words of a part and how many there are.
Word* wordsOf(Object* o) {
    if (o->kind == Kind::Buffer) return static_cast<Buffer*>(o)->words;
    return reinterpret_cast<Word*>(static_cast<TableStorage*>(o)->entries);
}
size_t wordCount(const Object* o) { return o->kind == Kind::Buffer ? o->aux : size_t{o->aux} * 2; }

bool isWeakPart(const Object* o) { return (o->flags & (LuaTable::kWeakKeys | LuaTable::kWeakValues)) != 0; }

/// True if a part has references: the keys of tables may be some whatever the Rep of the values.
bool hasReferences(const Object* o) { return o->kind == Kind::TableStorage || base::mayHoldPointer(o->elementRep()); }

}  // namespace

uint64_t nowNs() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

bool SliceBudget::goesOn() {
    if (deadlineNs_ == 0) return false;
    if (nowNs() >= deadlineNs_) return false;
    work_ = kWorkPerLook;
    return true;
}

Tracer::~Tracer() {
    std::free(stack_);
    std::free(log_);
    std::free(cards_);
    std::free(pieces_);
    std::free(parts_);
    std::free(weak_);
}

void Tracer::begin(CycleKind kind) {
    kind_ = kind;
    markedBytes_ = retracedWords_ = 0;
    depth_ = pieceCount_ = partCount_ = 0;
    if (kind == CycleKind::Minor) return;
    logCount_ = cardCount_ = weakCount_ = 0;
    for (RootRange* range = state_.rootRanges; range != nullptr; range = range->next) range->isReached = false;
}

// --- marking ----------------------------------------------------------------------------------------------------------------

LUAPP_ALWAYS_INLINE void Tracer::mark(Object* o) {
    Block& block = space_.block(space_.indexOfObject(o));
    uint32_t cell = block.cellAt(static_cast<uint32_t>(reinterpret_cast<uint64_t>(o) & (kBlockSize - 1)));
    uint64_t bit = uint64_t{1} << (cell & 63);
    uint64_t& word = block.marks[cell >> 6];
    if ((word & bit) != 0) return;
    word |= bit;
    markedBytes_ += block.use == BlockUse::Small ? block.cellSize : block.largeBytes;
    append(stack_, depth_, room_, o);
}

void Tracer::markRoot(Object* o) { mark(o); }

bool Tracer::isMarked(const Object* o) const {
    const Block& block = space_.block(space_.indexOfObject(o));
    return block.isMarked(block.cellAt(static_cast<uint32_t>(reinterpret_cast<uint64_t>(o) & (kBlockSize - 1))));
}

LUAPP_NO_ASAN void Tracer::markConservatively(Word w) {
    uint64_t top = w >> 48;
    if (top != 0 && top < static_cast<uint16_t>(Tag::String)) return;
    Object* o = heap_.findObject(w & kPayloadMask);
    if (o == nullptr) return;
    if (!isPart(o)) return mark(o);
    // It may belong to a weak table that is found later, and must not hold its contents then.
    if (!isMarked(o)) append(parts_, partCount_, partRoom_, o);
}

bool Tracer::markParts() {
    if (partCount_ == 0) return false;
    while (partCount_ > 0) mark(parts_[--partCount_]);
    return true;
}

void Tracer::scanRoots(const void* stackPointer) {
    State& s = state_;
#define LUAPP_ROOT_REF(field) markOrNull(reinterpret_cast<Object*>(s.field));
#define LUAPP_ROOT_VALUE(field) markBox(s.field.word());
#include "runtime/gc/roots.def"
    for (String* str : s.byteStrings) markOrNull(str);
    for (String* str : s.eventNames) markOrNull(str);
    for (uint32_t i = 0; i < s.builtinClosureCount; i++) markOrNull(s.builtinClosures[i]);
    for (Object* o : heap_.due()) mark(o);
    codeBegin_ = codeEnd_ = nullptr;
    for (RootRange* range = s.rootRanges; range != nullptr; range = range->next) {
        // A minor cycle frees no program, so it takes all of them as reached.
        if (range->isKept || range->isReached || kind_ == CycleKind::Minor) {
            scanRange(range->begin, range->begin + range->count);
            continue;
        }
        if (codeBegin_ == nullptr || range->codeBegin < codeBegin_) codeBegin_ = range->codeBegin;
        if (range->codeEnd > codeEnd_) codeEnd_ = range->codeEnd;
    }
    scanRunning(stackPointer);
}

void Tracer::markRange(RootRange* range) {
    if (range->isReached || range->isKept) return;
    range->isReached = true;
    scanRange(range->begin, range->begin + range->count);
}

// --- tracing ----------------------------------------------------------------------------------------------------------------

/// Empties the mark stack. Objects wait a few turns between leaving it and being traced, so that they are in the cache by then (Cher,
/// Hosking, Vitek 2004).
bool Tracer::drainStack(SliceBudget& budget) {
    Object* waiting[kWaiting] = {};
    unsigned at = 0;
    unsigned count = 0;
    while (depth_ > 0 || count > 0) {
        if (LUAPP_UNLIKELY(budget.isSpent())) {
            for (Object* o : waiting) {
                if (o != nullptr) append(stack_, depth_, room_, o);
            }
            return false;
        }
        Object* next = nullptr;
        if (depth_ > 0) {
            next = stack_[--depth_];
            __builtin_prefetch(next);
            count++;
        }
        Object* o = waiting[at];
        waiting[at] = next;
        at = (at + 1) % kWaiting;
        if (o == nullptr) continue;
        count--;
        budget.spend(trace(o));
    }
    return true;
}

bool Tracer::drain(SliceBudget& budget) {
    for (;;) {
        if (!drainStack(budget) || budget.isSpent()) return false;
        if (pieceCount_ > 0) {
            budget.spend(tracePiece());
        } else if (cardCount_ > 0 || logCount_ > 0) {
            const int64_t cost = cardCount_ > 0 ? traceCard(cards_[--cardCount_]) : trace(log_[--logCount_]);
            retracedWords_ += static_cast<uint64_t>(cost);
            budget.spend(cost);
        } else {
            return true;
        }
    }
}

/// The words [from, to) of a part. What belongs to a weak table holds only half of its contents, or nothing; strings count as values,
/// not as objects that can go away.
void Tracer::scanWords(Object* o, size_t from, size_t to) {
    const Word* words = wordsOf(o);
    const Rep rep = o->elementRep();
    const auto markStrong = [this](Word w, bool isWeak, Rep r) {
        if (!isWeak || Value::fromWord(w).isString()) markWord(w, r);
    };
    const bool hasWeakKeys = (o->flags & LuaTable::kWeakKeys) != 0;
    const bool hasWeakValues = (o->flags & LuaTable::kWeakValues) != 0;
    if (o->kind == Kind::TableStorage) {
        for (size_t i = from; i < to; i++) {
            if ((i & 1) == 0) {
                markStrong(words[i], hasWeakKeys, Rep::Box);
            } else {
                markStrong(words[i], hasWeakValues, rep);
            }
        }
    } else if (rep == Rep::Ref) {
        for (size_t i = from; i < to; i++) markOrNull(reinterpret_cast<Object*>(words[i]));
    } else if (hasWeakValues) {
        for (size_t i = from; i < to; i++) markStrong(words[i], true, rep);
    } else {
        for (size_t i = from; i < to; i++) markBox(words[i]);
    }
}

int64_t Tracer::traceWords(Object* o) {
    if (!hasReferences(o)) return 0;
    if (isWeakPart(o)) o->flags |= kSeenWeak;
    const size_t count = wordCount(o);
    if (count <= kPieceWords) {
        o->log = kTraced;
        scanWords(o, 0, count);
        return static_cast<int64_t>(count);
    }
    o->log = kLongTraced;
    append(pieces_, pieceCount_, pieceRoom_, Piece{o, 0});
    return 0;
}

/// The next piece of the long object that came last.
int64_t Tracer::tracePiece() {
    Piece& piece = pieces_[pieceCount_ - 1];
    Object* o = piece.object;
    const size_t at = piece.at;
    const size_t count = wordCount(o);
    const size_t end = count - at <= kPieceWords ? count : at + kPieceWords;
    if (end == count) {
        pieceCount_--;
    } else {
        piece.at = end;
    }
    scanWords(o, at, end);
    return static_cast<int64_t>(end - at);
}

int64_t Tracer::traceCard(const Card& card) {
    Block& b = space_.block(space_.indexOf(card.address));
    const auto index = static_cast<uint32_t>(card.address / kCardSize % kCardsPerBlock);
    b.cards[index / 64] &= ~(uint64_t{1} << (index % 64));
    if (isWeakPart(card.object)) card.object->flags |= kSeenWeak;
    const auto begin = reinterpret_cast<uint64_t>(wordsOf(card.object));
    const uint64_t from = std::max(card.address, begin);
    const uint64_t to = std::min(card.address + kCardSize, begin + wordCount(card.object) * sizeof(Word));
    if (from < to) scanWords(card.object, (from - begin) / sizeof(Word), (to - begin) / sizeof(Word));
    return kObjectCost + static_cast<int64_t>(kCardSize / sizeof(Word));
}

int64_t Tracer::traceInstance(Instance* o) {
    o->log = kTraced;
    const TypeDesc* type = state_.types.at(o->aux);
    for (size_t chunk = 0; chunk < type->refMap.size(); chunk++) {
        const Word* fields = o->fields + chunk * 64;
        for (uint64_t bits = type->refMap[chunk]; bits != 0; bits &= bits - 1) {
            markOrNull(reinterpret_cast<Object*>(fields[std::countr_zero(bits)]));
        }
        for (uint64_t bits = type->boxMap[chunk]; bits != 0; bits &= bits - 1) markBox(fields[std::countr_zero(bits)]);
    }
    return kObjectCost + 4;
}

int64_t Tracer::traceCoroutine(Coroutine* co) {
    co->log = kTraced;
    markOrNull(co->body);
    if (co->status == CoroutineStatus::Running) markOrNull(co->resumer);
    if (co->stack.slot == CoroutineStack::kNoSlot || co == state_.currentCoroutine) return kObjectCost;
    scanSuspended(co->context, co->stack.nativeEnd);
    const auto nativeBytes = static_cast<const char*>(co->stack.nativeEnd) - static_cast<const char*>(co->context.nativeStack);
    return nativeBytes / 4 + (co->context.frame - co->context.stackBase) + 64;
}

int64_t Tracer::trace(Object* o) {
    switch (o->kind) {
        case Kind::Class: return kObjectCost;
        case Kind::String: {
            auto* str = static_cast<String*>(o);
            if ((str->flags & String::kBuffered) != 0) mark(str->buffer);
            return kObjectCost;
        }
        case Kind::StringBuffer: return kObjectCost;
        case Kind::Buffer:
        case Kind::TableStorage: return kObjectCost + traceWords(o);
        case Kind::Array:
            o->log = kTraced;
            markOrNull(static_cast<Array*>(o)->buffer);
            return kObjectCost;
        case Kind::Table:
            o->log = kTraced;
            markOrNull(static_cast<Table*>(o)->storage);
            return kObjectCost;
        case Kind::LuaTable: return traceLuaTable(static_cast<LuaTable*>(o));
        case Kind::Record:
        case Kind::Object: return traceInstance(static_cast<Instance*>(o));
        case Kind::Closure: {
            o->log = kTraced;
            auto* closure = static_cast<Closure*>(o);
            if (!closure->isBuiltin() && closure->code != nullptr) markRange(static_cast<const CodeOwner*>(closure->code)->owner);
            size_t words = (heap_.cellSize(o) - Closure::kCapturesOffset) / sizeof(Word);
            for (size_t i = 0; i < words; i++) markConservatively(closure->captures[i]);
            return kObjectCost + static_cast<int64_t>(words);
        }
        case Kind::Cell:
            o->log = kTraced;
            markWord(static_cast<Cell*>(o)->word, o->elementRep());
            return kObjectCost;
        case Kind::Coroutine: return traceCoroutine(static_cast<Coroutine*>(o));
        case Kind::Userdata:
            o->log = kTraced;
            markOrNull(static_cast<Userdata*>(o)->metatable);
            return kObjectCost;
    }
    return 0;
}

// --- what changed after it was traced -----------------------------------------------------------------------------------------

void Tracer::remember(Object* owner, const void* slot, size_t count) {
    const uint8_t before = owner->log;
    if (!isMarked(owner) || heap_.isClearing()) {
        // The byte is of an earlier major cycle, and this one will trace the object.
        owner->log = kNotTraced;
    } else if (before == kTraced) {
        owner->log = kNotTraced;
        append(log_, logCount_, logRoom_, owner);
    } else {
        const auto first = reinterpret_cast<uint64_t>(slot) & ~uint64_t{kCardSize - 1};
        const uint64_t end = reinterpret_cast<uint64_t>(slot) + count * sizeof(Word);
        for (uint64_t card = first; card < end; card += kCardSize) {
            Block& b = space_.block(space_.indexOf(card));
            const auto index = static_cast<uint32_t>(card / kCardSize % kCardsPerBlock);
            const uint64_t bit = uint64_t{1} << (index % 64);
            if ((b.cards[index / 64] & bit) != 0) continue;
            b.cards[index / 64] |= bit;
            append(cards_, cardCount_, cardRoom_, Card{owner, card});
        }
    }
}

void rememberStore(State& s, Object* owner, const void* slot, size_t count) { s.heap.tracer().remember(owner, slot, count); }

// --- weak tables ------------------------------------------------------------------------------------------------------------

/// What the metatable says now: programs may set `__mode` late.
void Tracer::updateWeakness(LuaTable* t) {
    t->flags &= static_cast<uint8_t>(~(LuaTable::kWeakKeys | LuaTable::kWeakValues));
    if (t->metatable == nullptr || state_.modeKey == nullptr) return;
    Value mode = luaGetString(state_, t->metatable, state_.modeKey);
    if (!mode.isString()) return;
    std::string_view text = mode.asString()->view();
    if (text.find('k') != text.npos) t->flags |= LuaTable::kWeakKeys;
    if (text.find('v') != text.npos) t->flags |= LuaTable::kWeakValues;
}

/// Tells a part how weak the table is that it belongs to; marks it.
void Tracer::weaken(Object* part, uint8_t weakness) {
    if (part == nullptr) return;
    const auto before = static_cast<uint8_t>(part->flags & (LuaTable::kWeakKeys | LuaTable::kWeakValues));
    part->flags = static_cast<uint8_t>((part->flags & ~before) | weakness);
    if (!isMarked(part)) {
        mark(part);
    } else if (before != weakness) {
        append(stack_, depth_, room_, part);  // again
    }
}

int64_t Tracer::traceLuaTable(LuaTable* t) {
    t->log = kTraced;
    markOrNull(t->metatable);
    const auto before = static_cast<uint8_t>(t->flags & (LuaTable::kWeakKeys | LuaTable::kWeakValues));
    if (t->metatable == nullptr && before == 0) {
        markOrNull(t->storage);
        markOrNull(t->array);
        return kObjectCost + 4;
    }
    updateWeakness(t);
    const auto weakness = static_cast<uint8_t>(t->flags & (LuaTable::kWeakKeys | LuaTable::kWeakValues));
    if (weakness != 0) append(weak_, weakCount_, weakRoom_, t);
    weaken(t->storage, weakness);
    weaken(t->array, weakness);
    return kObjectCost + 8;
}

bool Tracer::isLost(Word box) const {
    Value v = Value::fromWord(box);
    return v.isObject() && !v.isString() && !isMarked(v.asObject());
}

void Tracer::clearEntries(LuaTable* t, bool onlyValues) {
    // A part that this cycle has not traced has not changed since the last one.
    if (t->storage != nullptr && (t->storage->flags & kSeenWeak) != 0) {
        for (uint32_t i = 0; i < t->used; i++) {
            TableEntry& e = t->entries()[i];
            if (e.key == kAbsentBox) continue;
            if (!onlyValues && isLost(e.key)) {
                removeEntry(state_, t, i);
            } else if (e.value != kNilBox && isLost(e.value)) {
                e.value = kNilBox;
            }
        }
    }
    if (t->array != nullptr && (t->array->flags & kSeenWeak) != 0) {
        for (uint32_t i = 0; i < t->arrayLength; i++) {
            if (isLost(t->array->words[i])) t->array->words[i] = kNilBox;
        }
        while (t->arrayLength > 0 && t->array->words[t->arrayLength - 1] == kNilBox) t->arrayLength--;
    }
}

void Tracer::clearWeakValues() {
    for (size_t n = 0; n < weakCount_; n++) {
        if ((weak_[n]->flags & LuaTable::kWeakValues) != 0) clearEntries(weak_[n], true);
    }
}

void Tracer::clearWeakTables() {
    size_t kept = 0;
    for (size_t n = 0; n < weakCount_; n++) {
        LuaTable* t = weak_[n];
        clearEntries(t, false);
        for (Object* part : {static_cast<Object*>(t->storage), static_cast<Object*>(t->array)}) {
            if (part != nullptr) part->flags &= static_cast<uint8_t>(~kSeenWeak);
        }
        if (t->isWeak() && (kept == 0 || weak_[kept - 1] != t)) weak_[kept++] = t;
    }
    weakCount_ = kept;
}

// --- the verifier's question --------------------------------------------------------------------------------------------------

Object* Tracer::findUnmarkedChild(Object* o) {
    // Weak tables and stacks hold what they hold by other rules.
    const bool isWeak = (o->kind == Kind::LuaTable && static_cast<LuaTable*>(o)->metatable != nullptr) ||
                        (isPart(o) && isWeakPart(o));
    if (isWeak || o->kind == Kind::Coroutine) return nullptr;
    const uint8_t log = o->log;
    const uint64_t bytes = markedBytes_;
    trace(o);
    while (pieceCount_ > 0) tracePiece();
    o->log = log;
    markedBytes_ = bytes;
    Object* child = depth_ > 0 ? stack_[0] : partCount_ > 0 ? parts_[0] : nullptr;
    depth_ = partCount_ = 0;
    return child;
}

}  // namespace luapp::rt
