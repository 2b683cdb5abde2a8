// bit32: operations on 32-bit words. Each function has a form for integers, whose low 32 bits count, and one for numbers,
// which must be whole (any magnitude) and count modulo 2^32. Results are in 0 .. 2^32-1. The meaning of every operation is
// base/numeric.h's, which the opcodes share.
#include "runtime/base/numeric.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"

namespace luapp::rt {

namespace {

uint32_t bitsOfInteger(Word w) { return base::wrap32(integerOf(w)); }

uint32_t bitsOfNumber(State& s, Word w, unsigned index, const char* function) {
    uint32_t bits = 0;
    if (!base::numberToBits32(numberOf(w), bits)) raiseArgument(s, index, function, "number has no integer representation");
    return bits;
}

Word result(uint32_t bits) { return wordOf(static_cast<int64_t>(bits)); }

/// Checks the field of extract and replace and gives its mask, shifted down to bit 0.
uint32_t fieldMask(State& s, int64_t field, int64_t width, unsigned fieldArgument, const char* function) {
    if (field < 0) raiseArgument(s, fieldArgument, function, "field cannot be negative");
    if (width < 1) raiseArgument(s, fieldArgument + 1, function, "width must be positive");
    if (field > 32 || width > 32 || field + width > 32) raiseLib(s, "trying to access non-existent bits");
    return width == 32 ? 0xFFFF'FFFFu : (uint32_t{1} << width) - 1;
}

Word extractField(State& s, uint32_t x, const Word* field) {
    const uint32_t mask = fieldMask(s, integerOf(field[0]), integerOf(field[1]), 2, "extract");
    return result(x >> integerOf(field[0]) & mask);
}

Word replaceField(State& s, uint32_t x, uint32_t v, const Word* field) {
    const uint32_t mask = fieldMask(s, integerOf(field[0]), integerOf(field[1]), 3, "replace");
    const int64_t at = integerOf(field[0]);
    return result((x & ~(mask << at)) | (v & mask) << at);
}

template <class Combine>
uint32_t combineAll(State& s, const Word* args, uint32_t start, const char* function, Combine combine) {
    uint32_t bits = start;
    for (uint32_t i = 0; i < s.argCount; i++) bits = combine(bits, bitsOfNumber(s, args[i], i + 1, function));
    return bits;
}

uint32_t both(uint32_t a, uint32_t b) { return a & b; }
uint32_t either(uint32_t a, uint32_t b) { return a | b; }
uint32_t differing(uint32_t a, uint32_t b) { return a ^ b; }

}  // namespace

Word bit32Band(State& s, Word* args) { return result(combineAll(s, args, 0xFFFF'FFFFu, "band", both)); }
Word bit32Bor(State& s, Word* args) { return result(combineAll(s, args, 0, "bor", either)); }
Word bit32Bxor(State& s, Word* args) { return result(combineAll(s, args, 0, "bxor", differing)); }
Word bit32Btest(State& s, Word* args) { return wordOf(combineAll(s, args, 0xFFFF'FFFFu, "btest", both) != 0); }

Word bit32BandI(State&, Word* args) { return result(bitsOfInteger(args[0]) & bitsOfInteger(args[1])); }
Word bit32BorI(State&, Word* args) { return result(bitsOfInteger(args[0]) | bitsOfInteger(args[1])); }
Word bit32BxorI(State&, Word* args) { return result(bitsOfInteger(args[0]) ^ bitsOfInteger(args[1])); }

Word bit32BandF(State& s, Word* args) {
    return result(bitsOfNumber(s, args[0], 1, "band") & bitsOfNumber(s, args[1], 2, "band"));
}
Word bit32BorF(State& s, Word* args) {
    return result(bitsOfNumber(s, args[0], 1, "bor") | bitsOfNumber(s, args[1], 2, "bor"));
}
Word bit32BxorF(State& s, Word* args) {
    return result(bitsOfNumber(s, args[0], 1, "bxor") ^ bitsOfNumber(s, args[1], 2, "bxor"));
}

Word bit32Bnot(State& s, Word* args) { return result(~bitsOfNumber(s, args[0], 1, "bnot")); }
Word bit32BnotI(State&, Word* args) { return result(~bitsOfInteger(args[0])); }

#define LUAPP_BIT32_SHIFT(name, luaName, operation)                                                          \
    Word name(State& s, Word* args) {                                                                        \
        return result(base::operation(bitsOfNumber(s, args[0], 1, luaName), integerOf(args[1])));            \
    }                                                                                                        \
    Word name##I(State&, Word* args) { return result(base::operation(bitsOfInteger(args[0]), integerOf(args[1]))); }

LUAPP_BIT32_SHIFT(bit32ARShift, "arshift", shiftArithmetic32)
LUAPP_BIT32_SHIFT(bit32LRotate, "lrotate", rotateLeft32)
LUAPP_BIT32_SHIFT(bit32LShift, "lshift", shiftLeft32)
LUAPP_BIT32_SHIFT(bit32RRotate, "rrotate", rotateRight32)
LUAPP_BIT32_SHIFT(bit32RShift, "rshift", shiftRight32)

#undef LUAPP_BIT32_SHIFT

Word bit32Extract(State& s, Word* args) { return extractField(s, bitsOfNumber(s, args[0], 1, "extract"), args + 1); }
Word bit32ExtractI(State& s, Word* args) { return extractField(s, bitsOfInteger(args[0]), args + 1); }

Word bit32Replace(State& s, Word* args) {
    return replaceField(s, bitsOfNumber(s, args[0], 1, "replace"), bitsOfNumber(s, args[1], 2, "replace"), args + 2);
}
Word bit32ReplaceI(State& s, Word* args) {
    return replaceField(s, bitsOfInteger(args[0]), bitsOfInteger(args[1]), args + 2);
}

}  // namespace luapp::rt
