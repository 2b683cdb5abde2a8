// Userdata: host data in a heap object: the open files of the io library, and later whatever the C API creates. The class says how
// it is finalised; it is a constant of the program, not a heap object. A finaliser runs once, in C++ only, when the collector
// finds the object unreachable or the State closes; it must not touch the State.
#pragma once

#include "runtime/object/value.h"

namespace luapp::rt {

struct UserdataClass {
    const char* name;                 // for messages, e.g. "file"
    void (*finalise)(void* payload);  // null: nothing to do
    /// What tostring shows in place of the address ("closed"), or null: the address. No function: "userdata: ADDRESS".
    const char* (*status)(const void* payload) = nullptr;
    bool sharesMetatable = false;  // objects without a metatable of their own have State::userdataMetatable
};

struct Userdata : Object {
    const UserdataClass* userClass;
    LuaTable* metatable;  // lenient code; null: none of its own
    Userdata* nextFinal;  // list of objects with a finaliser, owned by the heap
    uint64_t size;        // bytes of payload
    uint64_t payload[];

    void* data() { return payload; }
    static constexpr size_t kPayloadOffset = 40;
};

/// A new userdata with `size` zeroed bytes of payload. `userClass` must outlive the State. May collect.
Userdata* newUserdata(State& s, const UserdataClass* userClass, uint64_t size);

}  // namespace luapp::rt
