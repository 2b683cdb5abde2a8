#include <cstdlib>
#include <new>

#include "runtime/gc/marker.h"
#include "runtime/object/array.h"
#include "runtime/object/closure.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/userdata.h"
#include "runtime/vm/coroutine.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

constexpr size_t kFirstRoom = 4096;

/// Doubles a malloc'ed list. The collector cannot go on without it, and the sizes are far below what the heap itself took.
template <class T>
void growList(T*& list, size_t& room) {
    room = room == 0 ? kFirstRoom : room * 2;
    list = static_cast<T*>(std::realloc(list, room * sizeof(T)));
    if (list == nullptr) base::bugFound("no memory for the collector's own lists", __FILE__, __LINE__);
}

}  // namespace

Marker::Marker(State& s, Heap& heap, BlockSpace& space) : state_(s), heap_(heap), space_(space) {}

Marker::~Marker() {
    std::free(stack_);
    std::free(parts_);
    std::free(weak_);
}

void Marker::grow() { growList(stack_, room_); }

LUAPP_ALWAYS_INLINE void Marker::push(Object* o) {
    if (LUAPP_UNLIKELY(depth_ == room_)) grow();
    stack_[depth_++] = o;
}

LUAPP_ALWAYS_INLINE void Marker::mark(Object* o) {
    Block& block = space_.block(space_.indexOfObject(o));
    uint32_t cell = block.cellAt(static_cast<uint32_t>(reinterpret_cast<uint64_t>(o) & (kBlockSize - 1)));
    uint64_t bit = uint64_t{1} << (cell & 63);
    uint64_t& word = block.marks[cell >> 6];
    if ((word & bit) != 0) return;
    word |= bit;
    push(o);
}

bool Marker::isMarked(const Object* o) const {
    const Block& block = space_.block(space_.indexOfObject(o));
    return block.isMarked(block.cellAt(static_cast<uint32_t>(reinterpret_cast<uint64_t>(o) & (kBlockSize - 1))));
}

LUAPP_NO_ASAN void Marker::markConservatively(Word w) {
    uint64_t top = w >> 48;
    if (top != 0 && top < static_cast<uint16_t>(Tag::String)) return;
    Object* o = heap_.findObject(w & kPayloadMask);
    if (o == nullptr) return;
    if (o->kind != Kind::Buffer && o->kind != Kind::TableStorage) return mark(o);
    // It may belong to a weak table that is found later, and must not hold its contents then.
    if (partCount_ == partRoom_) growList(parts_, partRoom_);
    parts_[partCount_++] = o;
}

void Marker::markWords(const Word* words, size_t count, Rep rep) {
    if (rep == Rep::Box) {
        for (size_t i = 0; i < count; i++) markBox(words[i]);
    } else if (rep == Rep::Ref) {
        for (size_t i = 0; i < count; i++) markOrNull(reinterpret_cast<Object*>(words[i]));
    }
}

void Marker::markRoots() {
    State& s = state_;
#define LUAPP_ROOT_REF(field) markOrNull(reinterpret_cast<Object*>(s.field));
#define LUAPP_ROOT_VALUE(field) markBox(s.field.word());
#include "runtime/gc/roots.def"
    for (String* str : s.byteStrings) markOrNull(str);
    for (String* str : s.eventNames) markOrNull(str);
    for (uint32_t i = 0; i < s.builtinClosureCount; i++) markOrNull(s.builtinClosures[i]);
    for (RootRange* range = s.rootRanges; range != nullptr; range = range->next) {
        range->isReached = false;
        if (range->isKept) {
            markRange(range);
            continue;
        }
        if (codeBegin_ == nullptr || range->codeBegin < codeBegin_) codeBegin_ = range->codeBegin;
        if (range->codeEnd > codeEnd_) codeEnd_ = range->codeEnd;
    }
}

void Marker::markRange(RootRange* range) {
    if (range->isReached) return;
    range->isReached = true;
    scanRange(range->begin, range->begin + range->count);
}

void Marker::markDue() {
    for (Object* o : heap_.due_) mark(o);
    drain();
}

void Marker::run(const void* stackPointer) {
    markRoots();
    markDue();
    drain();
    scanRunning(stackPointer);
    drain();
    while (partCount_ > 0) {
        mark(parts_[--partCount_]);
        drain();
    }
}

void Marker::drain() {
    while (depth_ > 0) trace(stack_[--depth_]);
}

void Marker::traceInstance(Instance* o) {
    const TypeDesc* type = state_.types.at(o->aux);
    for (size_t chunk = 0; chunk < type->refMap.size(); chunk++) {
        const Word* fields = o->fields + chunk * 64;
        for (uint64_t bits = type->refMap[chunk]; bits != 0; bits &= bits - 1) {
            markOrNull(reinterpret_cast<Object*>(fields[std::countr_zero(bits)]));
        }
        for (uint64_t bits = type->boxMap[chunk]; bits != 0; bits &= bits - 1) markBox(fields[std::countr_zero(bits)]);
    }
}

void Marker::traceStorage(TableStorage* o) {
    Rep rep = o->elementRep();
    for (uint32_t i = 0; i < o->aux; i++) {
        markBox(o->entries[i].key);
        markWord(o->entries[i].value, rep);
    }
}

/// What the metatable says now: programs may set `__mode` late.
void Marker::updateWeakness(LuaTable* t) {
    if (t->metatable == nullptr || state_.modeKey == nullptr) return;
    t->flags &= static_cast<uint8_t>(~(LuaTable::kWeakKeys | LuaTable::kWeakValues));
    Value mode = luaGetString(state_, t->metatable, state_.modeKey);
    if (!mode.isString()) return;
    std::string_view text = mode.asString()->view();
    if (text.find('k') != text.npos) t->flags |= LuaTable::kWeakKeys;
    if (text.find('v') != text.npos) t->flags |= LuaTable::kWeakValues;
}

void Marker::traceLuaTable(LuaTable* t) {
    markOrNull(t->metatable);
    updateWeakness(t);
    if (!t->isWeak()) {
        markOrNull(t->storage);
        markOrNull(t->array);
        return;
    }
    if (weakCount_ == weakRoom_) growList(weak_, weakRoom_);
    weak_[weakCount_++] = t;
    // Storage and array stay, but do not hold their contents: mark the cells without tracing them.
    for (Object* part : {static_cast<Object*>(t->storage), static_cast<Object*>(t->array)}) {
        if (part == nullptr) continue;
        size_t before = depth_;
        mark(part);
        depth_ = before;
    }
    if ((t->flags & LuaTable::kWeakValues) == 0) markWords(t->arrayLength == 0 ? nullptr : t->array->words, t->arrayLength, Rep::Box);
    for (uint32_t i = 0; i < t->used; i++) {
        const TableEntry& e = t->entries()[i];
        // Strings count as values, not as objects that can go away.
        Value key = Value::fromWord(e.key);
        Value value = Value::fromWord(e.value);
        if ((t->flags & LuaTable::kWeakKeys) == 0 || key.isString()) markBox(e.key);
        if ((t->flags & LuaTable::kWeakValues) == 0 || value.isString()) markBox(e.value);
    }
}

void Marker::clearWeakTables() {
    auto isLost = [this](Word w) {
        Value v = Value::fromWord(w);
        return v.isObject() && !v.isString() && !isMarked(v.asObject());
    };
    for (size_t n = 0; n < weakCount_; n++) {
        LuaTable* t = weak_[n];
        const bool hasWeakValues = (t->flags & LuaTable::kWeakValues) != 0;
        // What is going to be finalised stays as a key until then, but not as a value.
        auto isLostValue = [&](Word w) {
            Value v = Value::fromWord(w);
            return isLost(w) || (hasWeakValues && v.isObject() && heap_.isDue(v.asObject()));
        };
        for (uint32_t i = 0; i < t->used; i++) {
            TableEntry& e = t->entries()[i];
            if (e.key == kAbsentBox) continue;
            if (isLost(e.key)) {
                removeEntry(state_, t, i);
            } else if (e.value != kNilBox && isLostValue(e.value)) {
                e.value = kNilBox;
            }
        }
        for (uint32_t i = 0; i < t->arrayLength; i++) {
            if (isLostValue(t->array->words[i])) t->array->words[i] = kNilBox;
        }
        while (t->arrayLength > 0 && t->array->words[t->arrayLength - 1] == kNilBox) t->arrayLength--;
    }
}

void Marker::traceCoroutine(Coroutine* co) {
    markOrNull(co->body);
    if (co->status == CoroutineStatus::Running) markOrNull(co->resumer);
    if (co->stack.slot != CoroutineStack::kNoSlot && co != state_.currentCoroutine) scanSuspended(co->context, co->stack.nativeEnd);
}

void Marker::trace(Object* o) {
    switch (o->kind) {
        case Kind::Class: return;
        case Kind::String: {
            auto* str = static_cast<String*>(o);
            if ((str->flags & String::kBuffered) != 0) mark(str->buffer);
            return;
        }
        case Kind::StringBuffer: return;
        case Kind::Buffer: {
            auto* buffer = static_cast<Buffer*>(o);
            markWords(buffer->words, buffer->aux, buffer->elementRep());
            return;
        }
        case Kind::Array: markOrNull(static_cast<Array*>(o)->buffer); return;
        case Kind::Table: markOrNull(static_cast<Table*>(o)->storage); return;
        case Kind::TableStorage: traceStorage(static_cast<TableStorage*>(o)); return;
        case Kind::LuaTable: traceLuaTable(static_cast<LuaTable*>(o)); return;
        case Kind::Record:
        case Kind::Object: traceInstance(static_cast<Instance*>(o)); return;
        case Kind::Closure: {
            auto* closure = static_cast<Closure*>(o);
            if (!closure->isBuiltin() && closure->code != nullptr) markRange(static_cast<const CodeOwner*>(closure->code)->owner);
            size_t words = (heap_.cellSize(o) - Closure::kCapturesOffset) / sizeof(Word);
            for (size_t i = 0; i < words; i++) markConservatively(closure->captures[i]);
            return;
        }
        case Kind::Cell: markWord(static_cast<Cell*>(o)->word, o->elementRep()); return;
        case Kind::Coroutine: traceCoroutine(static_cast<Coroutine*>(o)); return;
        case Kind::Userdata: markOrNull(static_cast<Userdata*>(o)->metatable); return;
    }
}

}  // namespace luapp::rt
