#include "runtime/object/closure.h"

#include "runtime/object/type_desc.h"
#include "runtime/vm/state.h"

namespace luapp::rt {
namespace {

Closure* allocateClosure(State& s, const void* code, const TypeDesc* signature, uint32_t captureCount, uint8_t flags) {
    size_t bytes = Closure::kCapturesOffset + size_t{captureCount} * sizeof(Word);
    Object* o = s.heap.allocate(bytes, Kind::Closure, signature == nullptr ? 0 : signature->index, 0, flags);
    auto* c = static_cast<Closure*>(o);
    c->code = code;
    return c;
}

}  // namespace

Closure* newClosure(State& s, const void* code, const TypeDesc* signature, uint32_t captureCount) {
    return allocateClosure(s, code, signature, captureCount, 0);
}

Closure* newBuiltinClosure(State& s, BuiltinFn fn, const TypeDesc* signature, int64_t builtinIndex, uint32_t extraCaptures) {
    const void* code = reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(fn));
    Closure* c = allocateClosure(s, code, signature, 1 + extraCaptures, Closure::kBuiltin);
    c->captures[0] = wordOf(builtinIndex);
    return c;
}

bool equalFunctions(const Closure* a, const Closure* b) {
    a = unwrapAdapter(a);
    b = unwrapAdapter(b);
    if (a == b) return true;
    if (!a->isBoundMethod() || !b->isBoundMethod() || a->receiver().word() != b->receiver().word()) return false;
    if (a->boundKey() != b->boundKey()) return false;
    return a->boundKey() != Closure::kNoBoundKey || a->captures[1] == b->captures[1];
}

Cell* newCell(State& s, Word w, Rep rep) {
    auto* cell = static_cast<Cell*>(s.heap.allocate(sizeof(Cell), Kind::Cell, 0, static_cast<uint8_t>(rep)));
    cell->word = w;
    return cell;
}

Instance* newInstance(State& s, const TypeDesc* type, uint32_t words) {
    Kind kind = type->kind == TypeKind::Class ? Kind::Object : Kind::Record;
    size_t bytes = Instance::kFieldsOffset + size_t{words} * sizeof(Word);
    auto* o = static_cast<Instance*>(s.heap.allocate(bytes, kind, type->index));
    if (LUAPP_UNLIKELY(type->hasFinalizer)) s.heap.addFinalisable(o);
    return o;
}

}  // namespace luapp::rt
