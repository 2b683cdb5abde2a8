// Constants that heap.cpp, sweep.cpp and cycle.cpp share, and what `-Dgc_stress=true` means: every allocation is a refill and does a step of
// a cycle, and freed cells are poisoned, so that a missing root or barrier is seen at once.
#pragma once

#include <cstdint>

#include "gc_config.h"

namespace luapp::rt {

inline constexpr bool kStress = LUAPP_GC_STRESS != 0;
/// Freed cells hold this in stress builds.
inline constexpr int kPoison = 0xDB;
/// A heap with less than this has minor cycles only.
inline constexpr uint64_t kLeastMajorThreshold = uint64_t{2} << 20;

}  // namespace luapp::rt
