// Macros of the interpreter loop. Included by interp.cpp inside the function that has the locals state, pc, R, K and i (the
// current instruction); undefined again by including it with LUAPP_INTERP_UNDEF defined. No include guard on purpose.
#ifndef LUAPP_INTERP_UNDEF

// The State. Switches of coroutines read the pointer anew (coroutine_switch.h).
#define s (*state)
// Begins the handler of an opcode.
#define CASE(name) L_##name:
// Fetches, decodes and jumps: the only dispatch. The opcode byte indexes the table; operands are decoded by the handlers.
#define NEXT                          \
    do {                              \
        i = *pc++;                    \
        goto* dispatch[i & 0xFFu];    \
    } while (0)

// The instruction as a word.
#define INSN static_cast<Insn>(i)
// Operand fields of i; X is the extra word, which pc points at.
#define FA ((i >> 8) & 0xFFu)
#define FB ((i >> 16) & 0xFFu)
#define FC ((i >> 24) & 0xFFu)
#define FSC (static_cast<int32_t>(i) >> 24)
#define FD ((i >> 16) & 0xFFFFu)
#define FSD (static_cast<int32_t>(i) >> 16)
#define FE (static_cast<int32_t>(i) >> 8)
#define XU (*pc)
#define XS (static_cast<int32_t>(*pc))
// The same when pc is behind it.
#define XBACK (static_cast<int32_t>(pc[-1]))

// Registers named by the fields, as words and as what they mean.
#define RA R[FA]
#define RB R[FB]
#define RC R[FC]
#define RX R[XU]
#define NUM(w) numberOf(w)
#define INT(w) integerOf(w)
#define SET_NUM(d) RA = wordOf(static_cast<double>(d))
#define SET_INT(v) RA = wordOf(static_cast<int64_t>(v))
#define SET_BOOL(c) RA = (c) ? 1 : 0

// Two operations on numbers: `first` gives v, which `second` uses.
#define PAIR(first, second)         \
    do {                            \
        double v = first;           \
        SET_NUM(second);            \
        ++pc;                       \
        NEXT;                       \
    } while (0)

// Makes the frame visible to what may raise, collect, or walk the stack: pc (behind the whole instruction) and base.
#define SAVE() (s.pc = pc, s.frame = R)
// Tails to a slow path without and with an extra word; the instruction is done when it comes back.
#define SLOW(fn)                    \
    do {                            \
        SAVE();                     \
        fn(s, R, K, INSN, 0);          \
        NEXT;                       \
    } while (0)
#define SLOW_X(fn)                  \
    do {                            \
        uint32_t x = *pc++;         \
        SAVE();                     \
        fn(s, R, K, INSN, x);          \
        NEXT;                       \
    } while (0)

// Conditional jumps; those that go back poll, before they jump. The empty asm statements keep the two arms apart: a conditional
// move would wait for the comparison.
#define BRANCH_D(cond)              \
    do {                            \
        if (cond) {                 \
            if (FSD < 0) POLL();    \
            pc += FSD;              \
            asm volatile("");       \
            NEXT;                   \
        }                           \
        asm volatile("");           \
        NEXT;                       \
    } while (0)
#define BRANCH_X(cond)              \
    do {                            \
        if (cond) {                 \
            ++pc;                   \
            if (XBACK < 0) POLL();  \
            pc += XBACK;            \
            asm volatile("");       \
            NEXT;                   \
        }                           \
        ++pc;                       \
        asm volatile("");           \
        NEXT;                       \
    } while (0)

// The same for instructions that jump if the outcome is C.
#define BRANCH_SENSE(cond) BRANCH_X((cond) == (FC != 0))
// Compares the boxes R[A] and R[B], as numbers by `cond` of a and b, else by a slow path.
#define BRANCH_BOXES(cond, fn)                                       \
    do {                                                             \
        Word a = RA, b = RB;                                         \
        if (LUAPP_LIKELY(a <= kLastNumber && b <= kLastNumber)) BRANCH_SENSE(cond); \
        ++pc;                                                        \
        SAVE();                                                      \
        if (fn(s, R, K, INSN, 0) == (FC != 0)) {                     \
            if (XBACK < 0) POLL();                                   \
            pc += XBACK;                                             \
        }                                                            \
        NEXT;                                                        \
    } while (0)
// Arithmetic on boxes that are mostly numbers.
#define ARITH_X(op, fn)                                              \
    do {                                                             \
        Word b = RB, c = RC;                                         \
        if (LUAPP_LIKELY(b <= kLastNumber && c <= kLastNumber)) {    \
            SET_NUM(NUM(b) op NUM(c));                               \
            NEXT;                                                    \
        }                                                            \
        SLOW(fn);                                                    \
    } while (0)

// Goes on where an out-of-line call says.
#define GO_ON(transfer)           \
    do {                          \
        const Transfer t = transfer; \
        pc = t.pc;                \
        R = t.R;                  \
        K = t.K;                  \
        NEXT;                     \
    } while (0)
// Gives this frame to `f`, with `count` boxed arguments at n.
#define GIVE_FRAME(f, n, count)                  \
    do {                                         \
        R[-1] = (n)[-1] & kPayloadMask;          \
        for (uint64_t k = 0; k < (count); ++k) R[k] = (n)[k]; \
        fillMissing(s, (f), R, (count));         \
        POLL();                                  \
        pc = (f)->entry;                         \
        NEXT;                                    \
    } while (0)

// A loop's back edge: the limit is 0 while an interruption is pending. Comes before the jump, so that the error names the
// loop's line.
#define POLL()                                   \
    do {                                         \
        if (LUAPP_UNLIKELY(R >= s.stackLimit.load(std::memory_order_relaxed))) { \
            SAVE();                              \
            slowPoll(s, R, K, INSN, 0);             \
        }                                        \
    } while (0)

// Enters the frame at n (its arguments are in place): links, limit check, jump to `target`.
#define ENTER_FRAME(n, target)                       \
    do {                                             \
        (n)[-3] = reinterpret_cast<Word>(pc);        \
        (n)[-2] = reinterpret_cast<Word>(R);         \
        if (LUAPP_UNLIKELY((n) >= s.stackLimit.load(std::memory_order_relaxed))) {   \
            SAVE();                                  \
            slowStackLimit(s, (n), K, INSN, 0);         \
        }                                            \
        pc = (target);                               \
        R = (n);                                     \
        NEXT;                                        \
    } while (0)

// True if an integer result lies in -2^53 .. 2^53-1; the slow path sorts out 2^53 itself.
#define IN_RANGE(v) ((static_cast<int64_t>(static_cast<uint64_t>(v) << 10) >> 10) == (v))

#else
#undef s
#undef CASE
#undef NEXT
#undef INSN
#undef FA
#undef FB
#undef FC
#undef FSC
#undef FD
#undef FSD
#undef FE
#undef XU
#undef XS
#undef XBACK
#undef RA
#undef RB
#undef RC
#undef RX
#undef NUM
#undef INT
#undef SET_NUM
#undef SET_INT
#undef SET_BOOL
#undef PAIR
#undef SAVE
#undef SLOW
#undef SLOW_X
#undef BRANCH_D
#undef BRANCH_X
#undef BRANCH_SENSE
#undef GO_ON
#undef GIVE_FRAME
#undef BRANCH_BOXES
#undef ARITH_X
#undef POLL
#undef ENTER_FRAME
#undef IN_RANGE
#endif
