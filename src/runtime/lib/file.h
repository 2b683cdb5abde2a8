// Open files: userdata whose payload is a C stream. The io library makes them; the collector closes what the program forgot. The
// standard streams belong to the host and are only flushed. The current input and output files and the objects of the standard
// streams are kept alive by the State's registry; the pointers here are for speed.
#pragma once

#include <cstdio>

#include "runtime/object/userdata.h"

namespace luapp::rt {

/// The payload of a file.
struct Stream {
    std::FILE* file;      // null once closed
    bool isPipe;          // closed by pclose
    bool isStandard;      // never closed by us
    bool closesAtEnd;     // the file of io.lines(path)
};

extern const UserdataClass kFileClass;

/// The stream of a file object.
inline Stream& streamOf(Userdata* u) { return *static_cast<Stream*>(u->data()); }

/// True if `v` is a file, open or closed.
inline bool isFile(Value v) { return v.is(Kind::Userdata) && v.asUserdata()->userClass == &kFileClass; }

/// Files of a State that have a role; null until somebody asks for them as objects (then the host's streams are meant).
struct StandardFiles {
    Userdata* in = nullptr;
    Userdata* out = nullptr;
    Userdata* err = nullptr;
    Userdata* input = nullptr;   // of io.read
    Userdata* output = nullptr;  // of io.write
};

}  // namespace luapp::rt
