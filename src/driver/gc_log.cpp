#include "driver/gc_log.h"

#include <cstdio>

#include <fmt/format.h>

namespace luapp::driver {

void logPause(void*, const rt::GcReport& report) {
    constexpr double kMillisecond = 1e6;
    constexpr double kMegabyte = 1024 * 1024;
    const char* const kind = report.kind == rt::CycleKind::Minor ? "minor" : "major";
    const auto ms = [](uint64_t ns) { return static_cast<double>(ns) / kMillisecond; };
    const auto mb = [](uint64_t bytes) { return static_cast<double>(bytes) / kMegabyte; };
    fmt::print(stderr, "gc: {} {} {} {:.3f} ms (cpu {:.3f}, {} switches) {}, {:.1f} MB in use\n", kind, report.cycle,
               report.what == rt::GcReport::What::Slice ? "slice" : "full", ms(report.wallNs), ms(report.cpuNs), report.switches, report.phase, mb(report.bytesInUse));
    if (!report.ended) return;
    fmt::print(stderr, "gc: {} {} marked: {:.1f} MB were allocated, {:.1f} MB survived, {:.1f} MB live\n", kind, report.cycle,
               mb(report.allocatedBytes), mb(report.markedBytes), mb(report.liveBytes));
}

}  // namespace luapp::driver
