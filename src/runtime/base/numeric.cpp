#include "runtime/base/numeric.h"

namespace luapp::base {

double powerNumber(double a, double b) {
    if (b == 2) return a * a;
    return std::pow(a, b);
}

bool numberToBits32(double d, uint32_t& out) {
    int64_t i = 0;
    if (numberToInteger(d, i)) {
        out = wrap32(i);
        return true;
    }
    if (!std::isfinite(d) || std::floor(d) != d) return false;
    // Beyond 2^53: the remainder is exact.
    double low = floorModNumber(d, 4294967296.0);
    out = static_cast<uint32_t>(static_cast<uint64_t>(low));
    return true;
}

}  // namespace luapp::base
