// The registers of objects with finalisers (heap.h): which of them are unreached when marking ends, and which are due.
#include <algorithm>

#include "runtime/gc/heap.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/userdata.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

/// Finalisers of unreached userdata run.
void Heap::finaliseUnreached() {
    for (Userdata** link = &finalisable_; *link != nullptr;) {
        Userdata* u = *link;
        if (tracer_.isMarked(u)) {
            link = &u->nextFinal;
        } else {
            *link = u->nextFinal;
            u->userClass->finalise(u->data());
        }
    }
}

/// Lua tables and userdata have a finaliser if their metatable has one now.
bool Heap::hasFinalizer(Object* o) const {
    if (o->kind != Kind::LuaTable && o->kind != Kind::Userdata) return true;
    const LuaTable* metatable =
        o->kind == Kind::LuaTable ? static_cast<LuaTable*>(o)->metatable : static_cast<Userdata*>(o)->metatable;
    return metatable != nullptr && state_.gcKey != nullptr && !luaGetString(state_, metatable, state_.gcKey).isNil();
}

/// Unreached objects with finalisers become due; true if there were any. They run in the reverse order of creation, after those that were
/// due before.
bool Heap::queueUnreached() {
    // A minor cycle cannot lose what was marked before it.
    const auto first = registered_.begin() + (kind_ == CycleKind::Minor ? static_cast<std::ptrdiff_t>(registeredOld_) : 0);
    auto lost = std::stable_partition(first, registered_.end(), [this](Object* o) { return tracer_.isMarked(o); });
    if (lost == registered_.end()) return false;
    for (auto o = lost; o != registered_.end(); ++o) registeredTables_.erase(*o);
    auto last = std::stable_partition(lost, registered_.end(), [this](Object* o) { return hasFinalizer(o); });
    const bool any = last != lost;
    due_.insert(due_.begin(), lost, last);
    registered_.erase(lost, registered_.end());
    registeredOld_ = std::min(registeredOld_, registered_.size());
    return any;
}

void Heap::addFinalisable(Userdata* u) {
    u->nextFinal = finalisable_;
    finalisable_ = u;
}

void Heap::addFinalisable(Object* o) {
    if (o->kind == Kind::LuaTable && !registeredTables_.insert(o).second) return;
    registered_.push_back(o);
}

Object* Heap::takeFinalisable() {
    if (due_.empty()) return nullptr;
    Object* o = due_.back();
    due_.pop_back();
    return o;
}

void Heap::finaliseObjects() {
    due_.insert(due_.begin(), registered_.begin(), registered_.end());
    registered_.clear();
    registeredOld_ = 0;
    registeredTables_.clear();
}

void Heap::finaliseAll() {
    while (finalisable_ != nullptr) {
        Userdata* u = finalisable_;
        finalisable_ = u->nextFinal;
        u->userClass->finalise(u->data());
    }
}

}  // namespace luapp::rt
