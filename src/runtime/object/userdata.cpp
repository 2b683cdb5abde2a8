#include "runtime/object/userdata.h"

#include "runtime/vm/state.h"

namespace luapp::rt {

Userdata* newUserdata(State& s, const UserdataClass* userClass, uint64_t size) {
    auto* u = static_cast<Userdata*>(s.heap.allocate(Userdata::kPayloadOffset + size, Kind::Userdata));
    LUAPP_CHECK(static_cast<char*>(u->data()) - reinterpret_cast<char*>(u) == Userdata::kPayloadOffset, "layout");
    u->userClass = userClass;
    u->size = size;
    if (userClass->finalise != nullptr) s.heap.addFinalisable(u);
    return u;
}

}  // namespace luapp::rt
