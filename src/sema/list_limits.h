#pragma once
// The one check of how long the lists of a program may be (runtime/base/list_limits.h). Where a list is written decides who checks it:
// resolve.cpp what stands in bodies, check_types.cpp what stands in types.

#include <string_view>

#include "frontend/diag/diagnostic.h"
#include "runtime/base/list_limits.h"

namespace luapp::sema {

/// False, and reported, if a list of `count` items is too long. `rangeOf(i)` is where item i stands; the first one too many is
/// pointed at.
template <class RangeOf>
bool checkLength(frontend::Diagnostics& diags, size_t count, std::string_view what, RangeOf&& rangeOf) {
    if (count <= base::kMaxListLength) return true;
    diags.report(frontend::diag::TooMany, rangeOf(base::kMaxListLength), int64_t(count), what, int64_t(base::kMaxListLength));
    return false;
}

}  // namespace luapp::sema
