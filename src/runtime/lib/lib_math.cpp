// The math library. Functions of one number are the C library's; floor, ceil and their like give integers and raise beyond
// 2^53; random numbers come from xoshiro256** with its state in the LibState, so each State has a sequence of its own.
#include <bit>
#include <cmath>

#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"

namespace luapp::rt {

namespace {

/// The whole number `d` as integer, or the error of a conversion beyond 2^53 (NaN included).
Word wholeResult(State& s, const char* function, double d) {
    int64_t i = 0;
    if (!base::numberToInteger(d, i)) {
        char text[base::kNumberTextSize];
        const size_t length = base::numberToText(d, text);
        raiseLib(s, "the result of math.%s, %.*s, is no integer", function, static_cast<int>(length), text);
    }
    return wordOf(i);
}

uint64_t nextRandom(Random& r) {
    const uint64_t result = std::rotl(r.state[1] * 5, 7) * 9;
    const uint64_t shifted = r.state[1] << 17;
    r.state[2] ^= r.state[0];
    r.state[3] ^= r.state[1];
    r.state[1] ^= r.state[2];
    r.state[0] ^= r.state[3];
    r.state[2] ^= shifted;
    r.state[3] = std::rotl(r.state[3], 45);
    return result;
}

double randomUnit(Random& r) { return static_cast<double>(nextRandom(r) >> 11) * 0x1.0p-53; }

/// A uniform integer in [low, high]; the range is at most 2^54 + 1 wide. Draws again where the remainder would favour some values.
int64_t randomIn(State& s, int64_t low, int64_t high, unsigned emptyArgument) {
    if (low > high) raiseArgument(s, emptyArgument, "random", "interval is empty");
    Random& r = libState(s).random;
    const uint64_t width = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
    const uint64_t limit = UINT64_MAX - UINT64_MAX % width;
    uint64_t draw = nextRandom(r);
    while (draw >= limit) draw = nextRandom(r);
    return low + static_cast<int64_t>(draw % width);
}

}  // namespace

void seedRandom(Random& r, uint64_t seed) {
    // SplitMix64 spreads one word over the state.
    for (uint64_t& word : r.state) {
        seed += 0x9E37'79B9'7F4A'7C15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9u;
        z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBu;
        word = z ^ (z >> 31);
    }
}

#define LUAPP_MATH_UNARY(name, expression) \
    Word name(State&, Word* args) {        \
        const double x = numberOf(args[0]); \
        return wordOf(expression);         \
    }

LUAPP_MATH_UNARY(mathAbs, std::fabs(x))
LUAPP_MATH_UNARY(mathAcos, std::acos(x))
LUAPP_MATH_UNARY(mathAsin, std::asin(x))
LUAPP_MATH_UNARY(mathCos, std::cos(x))
LUAPP_MATH_UNARY(mathCosh, std::cosh(x))
LUAPP_MATH_UNARY(mathDeg, x * (180.0 / 3.141592653589793))
LUAPP_MATH_UNARY(mathExp, std::exp(x))
LUAPP_MATH_UNARY(mathLogE, std::log(x))
LUAPP_MATH_UNARY(mathLog10, std::log10(x))
LUAPP_MATH_UNARY(mathRad, x * (3.141592653589793 / 180.0))
LUAPP_MATH_UNARY(mathSin, std::sin(x))
LUAPP_MATH_UNARY(mathSinh, std::sinh(x))
LUAPP_MATH_UNARY(mathSqrt, std::sqrt(x))
LUAPP_MATH_UNARY(mathTan, std::tan(x))
LUAPP_MATH_UNARY(mathTanh, std::tanh(x))

#undef LUAPP_MATH_UNARY

Word mathAbsI(State&, Word* args) {
    const int64_t i = integerOf(args[0]);
    return wordOf(i < 0 ? -i : i);
}

Word mathIdentity(State&, Word* args) { return args[0]; }

Word mathAtan(State&, Word* args) { return wordOf(std::atan2(numberOf(args[0]), numberOf(args[1]))); }

Word mathCeil(State& s, Word* args) { return wholeResult(s, "ceil", std::ceil(numberOf(args[0]))); }

Word mathFloor(State& s, Word* args) { return wholeResult(s, "floor", std::floor(numberOf(args[0]))); }

Word mathFmod(State&, Word* args) { return wordOf(std::fmod(numberOf(args[0]), numberOf(args[1]))); }

Word mathFrexp(State& s, Word* args) {
    int exponent = 0;
    const double mantissa = std::frexp(numberOf(args[0]), &exponent);
    s.results[1] = wordOf(static_cast<int64_t>(exponent));
    return wordOf(mantissa);
}

Word mathLdexp(State&, Word* args) {
    const int64_t e = integerOf(args[1]);
    const int64_t limited = e < -100000 ? -100000 : e > 100000 ? 100000 : e;
    return wordOf(std::ldexp(numberOf(args[0]), static_cast<int>(limited)));
}

Word mathLog(State&, Word* args) {
    const double x = numberOf(args[0]);
    const Value base = Value::fromWord(args[1]);
    if (base.isNil()) return wordOf(std::log(x));
    if (base.asNumber() == 2.0) return wordOf(std::log2(x));
    if (base.asNumber() == 10.0) return wordOf(std::log10(x));
    return wordOf(std::log(x) / std::log(base.asNumber()));
}

// --- min and max: the first argument wins unless a later one compares better, as in Lua 5.1 (so a leading NaN stays)

Word mathMax(State& s, Word* args) {
    double best = numberOf(args[0]);
    for (uint32_t i = 1; i <= s.argCount; i++) {
        const double x = numberOf(args[i]);
        if (best < x) best = x;
    }
    return wordOf(best);
}

Word mathMin(State& s, Word* args) {
    double best = numberOf(args[0]);
    for (uint32_t i = 1; i <= s.argCount; i++) {
        const double x = numberOf(args[i]);
        if (x < best) best = x;
    }
    return wordOf(best);
}

Word mathMaxF(State&, Word* args) { return numberOf(args[0]) < numberOf(args[1]) ? args[1] : args[0]; }

Word mathMinF(State&, Word* args) { return numberOf(args[1]) < numberOf(args[0]) ? args[1] : args[0]; }

Word mathMaxI(State&, Word* args) { return integerOf(args[0]) < integerOf(args[1]) ? args[1] : args[0]; }

Word mathMinI(State&, Word* args) { return integerOf(args[1]) < integerOf(args[0]) ? args[1] : args[0]; }

Word mathMaxIs(State& s, Word* args) {
    int64_t best = integerOf(args[0]);
    for (uint32_t i = 1; i <= s.argCount; i++) best = std::max(best, static_cast<int64_t>(numberOf(args[i])));
    return wordOf(best);
}

Word mathMinIs(State& s, Word* args) {
    int64_t best = integerOf(args[0]);
    for (uint32_t i = 1; i <= s.argCount; i++) best = std::min(best, static_cast<int64_t>(numberOf(args[i])));
    return wordOf(best);
}

Word mathModf(State& s, Word* args) {
    double whole = 0;
    const double fraction = std::modf(numberOf(args[0]), &whole);
    s.results[1] = wordOf(fraction);
    return wordOf(whole);
}

Word mathPow(State&, Word* args) { return wordOf(base::powerNumber(numberOf(args[0]), numberOf(args[1]))); }

Word mathToInteger(State&, Word* args) {
    const Value v = Value::fromWord(args[0]);
    return v.isNumber() && base::isWhole(v.asNumber()) ? Value::number(v.asNumber() + 0.0).word() : kNilBox;
}

Word mathRandom(State& s, Word* args) {
    const Value m = Value::fromWord(args[0]);
    const Value n = Value::fromWord(args[1]);
    if (m.isNil()) return mathRandomF(s, args);
    const int64_t first = static_cast<int64_t>(m.asNumber());
    const int64_t result = n.isNil() ? randomIn(s, 1, first, 1) : randomIn(s, first, static_cast<int64_t>(n.asNumber()), 2);
    return wordOf(static_cast<double>(result));
}

Word mathRandomF(State& s, Word*) { return wordOf(randomUnit(libState(s).random)); }

Word mathRandomI(State& s, Word* args) { return wordOf(randomIn(s, 1, integerOf(args[0]), 1)); }

Word mathRandomIn(State& s, Word* args) { return wordOf(randomIn(s, integerOf(args[0]), integerOf(args[1]), 2)); }

Word mathRandomSeed(State& s, Word* args) {
    seedRandom(libState(s).random, std::bit_cast<uint64_t>(numberOf(args[0])));
    return 0;
}

}  // namespace luapp::rt
