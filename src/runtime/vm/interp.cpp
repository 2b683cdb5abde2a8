// The interpreter loop. Rules:
//  1. A handler is: operands, a fast path of at most ten lines, else a slow path in slow_paths.cpp. Macros: interp_macros.h.
//  2. Handlers stand in the order of opcodes.def; the dispatch table is generated from it, so a missing one does not compile.
//  3. pc, R, K, s and i are the only variables that live across instructions. State.pc and State.frame are written (SAVE)
//     only before something that may raise, collect or walk the stack.
//  4. pc points behind the instruction word while a handler runs; a handler with an extra word steps over it.
//  5. Nothing here has a destructor: an error leaves the loop by restoring the stack pointer.
//  6. Registers are raw words; a handler knows what they mean from its opcode. R[A] may be the same register as R[B] or R[C]:
//     operands are read before the result is written.
//  7. The VM stack never moves, so R stays valid across calls of C++ code.
//
// A frame (docs/internals.md 3):   R[-3] return pc | R[-2] caller's R | R[-1] closure | R[0] ... registers
// Frames of another kind stand for calls that need something done on return; they are recognised by the return pc
// that points at a stub. VarargPrep:  caller's call ->  old[-3..-1]: pc, caller's R, address of the new frame; the extra
// arguments follow the fixed ones; then count of extras, three links (kVarargStub, old, closure), and the new registers.
#include "runtime/vm/interp.h"

#include "runtime/base/numeric.h"
#include "runtime/object/array.h"
#include "runtime/object/closure.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/table.h"
#include "runtime/vm/builtin_plan.h"
#include "runtime/vm/call.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/class_desc.h"
#include "runtime/vm/coroutine_switch.h"
#include "runtime/vm/load.h"
#include "runtime/vm/slow_paths.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

using bc::Op;

constexpr Insn kExitStub[1] = {bc::encodeE(Op::Exit, 0)};
constexpr Insn kVarargStub[1] = {bc::encodeE(Op::RetVararg, 0)};
constexpr Insn kAcrossStub[1] = {bc::encodeE(Op::RetAcross, 0)};

namespace {

/// Strings equal; either may be null.
LUAPP_ALWAYS_INLINE bool stringsEqual(Word a, Word b) {
    return a == b || equalStringsOrNull(refOf<String>(a), refOf<String>(b));
}

/// The function behind a box if it is one of this program (whose data segment is `K`) that takes and gives boxes; else null.
LUAPP_ALWAYS_INLINE const Function* looseFunction(Word callee, const Word* K) {
    if (!Value::fromWord(callee).isFunction()) return nullptr;
    const Closure* c = Value::fromWord(callee).asFunction();
    if (c->isBuiltin()) return nullptr;
    const Function* f = static_cast<const Function*>(c->code);
    return f->takesBoxes && f->data == K ? f : nullptr;
}

/// The function behind a box if it is one of the library; else null.
LUAPP_ALWAYS_INLINE Closure* libraryFunction(Word callee) {
    if (!Value::fromWord(callee).isFunction()) return nullptr;
    Closure* c = Value::fromWord(callee).asFunction();
    return c->isBuiltin() ? c : nullptr;
}

/// Makes `count` boxed arguments in a frame as many as `f` has parameters; extra ones are left to VarargPrep.
LUAPP_ALWAYS_INLINE void fillMissing(State& s, const Function* f, Word* frame, uint64_t count) {
    uint64_t params = f->paramCount;
    for (uint64_t k = count; k < params; ++k) {
        frame[k] = kNilBox;
        asm volatile("");  // mostly none: no vector loop
    }
    if (f->isVararg) s.argCount = static_cast<uint32_t>(count > params ? count - params : 0);
}

/// The table's own entry at `hint` if it holds `name`; else null.
LUAPP_ALWAYS_INLINE TableEntry* ownEntry(Word table, uint64_t hint, Word name) {
    if (LUAPP_UNLIKELY(!Value::fromWord(table).isLuaTable())) return nullptr;
    const LuaTable* t = Value::fromWord(table).asLuaTable();
    if (LUAPP_UNLIKELY(hint >= t->used)) return nullptr;
    TableEntry* e = &t->storage->entries[hint];
    return e->key == (tagBits(Tag::String) | name) ? e : nullptr;
}

/// True if a table of lenient code surely has nothing at `name` and no metatable to ask; `isNil`: an entry of that name holds nil.
LUAPP_ALWAYS_INLINE bool hasNoMember(Word table, Word name, bool isNil) {
    if (LUAPP_UNLIKELY(!Value::fromWord(table).isLuaTable())) return false;
    const LuaTable* t = Value::fromWord(table).asLuaTable();
    return t->metatable == nullptr && (isNil || (t->keyFilter & LuaTable::filterBit(refOf<String>(name))) == 0);
}

/// The entry at `hint` of the table that is the __index of an object, if it holds `name` and a value and the object itself does not have it;
/// else null, which says nothing.
LUAPP_ALWAYS_INLINE const TableEntry* classEntry(const State& s, Word object, uint64_t hint, Word name) {
    if (LUAPP_UNLIKELY(!Value::fromWord(object).isLuaTable())) return nullptr;
    const LuaTable* t = Value::fromWord(object).asLuaTable();
    const LuaTable* meta = t->metatable;
    const String* key = refOf<String>(name);
    if ((t->keyFilter & LuaTable::filterBit(key)) != 0 || meta == nullptr || meta->aux >= meta->used) return nullptr;
    const TableEntry& index = meta->storage->entries[meta->aux];
    const Word indexKey = Value::string(s.eventNames[static_cast<unsigned>(Event::Index)]).word();
    if (index.key != indexKey || !Value::fromWord(index.value).isLuaTable()) return nullptr;
    const LuaTable* members = Value::fromWord(index.value).asLuaTable();
    if (hint >= members->used) return nullptr;
    const TableEntry* e = &members->storage->entries[hint];
    return e->key == Value::string(key).word() && e->value != kNilBox ? e : nullptr;
}

/// True if a key that a table of lenient code does not have may be set without asking a metamethod.
LUAPP_ALWAYS_INLINE bool hasNoNewIndex(const LuaTable* t) { return t->metatable == nullptr || (t->metatable->flags & LuaTable::kNoNewIndex) != 0; }

/// The place in the array part of a lenient table that a box names as key; null if there is none.
LUAPP_ALWAYS_INLINE Word* arrayPlace(const LuaTable* t, Word key) {
    if (LUAPP_UNLIKELY(key > kLastNumber)) return nullptr;
    double d = numberOf(key);
    int64_t k = static_cast<int64_t>(d);
    if (static_cast<double>(k) != d || static_cast<uint64_t>(k) - 1 >= t->arrayLength) return nullptr;
    return &t->array->words[k - 1];
}

/// Makes `count` boxed arguments, at most 255, the pack.
LUAPP_ALWAYS_INLINE void packWords(State& s, const Word* words, uint64_t count) {
    Word* results = s.results;
    s.resultCount = static_cast<uint32_t>(count);
    results[0] = words[0];  // mostly one; where there is none, this is any word of the frame
    for (uint64_t k = 1; k < count; ++k) {
        results[k] = words[k];
        asm volatile("");  // no vector loop
    }
}

LUAPP_ALWAYS_INLINE Word firstOfPack(const State& s) { return s.resultCount != 0 ? s.results[0] : kNilBox; }

/// Calls the library function `c`, which is in the callee slot below n, if its plan takes the arguments; its first result is where a call
/// puts it.
LUAPP_ALWAYS_INLINE bool callQuickly(State& s, const Insn* pc, Word* R, Closure* c, Word* n, uint32_t count) {
    n[-3] = reinterpret_cast<Word>(pc);
    n[-2] = reinterpret_cast<Word>(R);
    n[-1] = wordOf(c);
    if (!callByPlan(s, c, n, count)) {
        n[-1] = Value::function(c).word();
        return false;
    }
    n[-3] = firstOfPack(s);
    return true;
}

/// Resumes `co` with the pack, as coroutine.resume does; gives the first value of the pack afterwards.
LUAPP_ALWAYS_INLINE Word resumeToPack(State*& state, const Insn* pc, Word* R, Coroutine* co) {
    const Word ok = resumeInline(state, co, R, pc) ? kTrueBox : kFalseBox;
    State& s = *state;
    Word* results = s.results;
    const uint64_t count = s.resultCount;
    if (LUAPP_LIKELY(count == 1)) {
        results[1] = results[0];
    } else {
        s.pc = pc;
        s.frame = R;
        ensureResults(s, count + 1);
        for (uint64_t k = count; k > 0; --k) {
            results[k] = results[k - 1];
            asm volatile("");
        }
    }
    s.resultCount = static_cast<uint32_t>(count + 1);
    results[0] = ok;
    return ok;
}

/// A dynamic call of `c`, a function that resumes or yields; false if the arguments are not such that it can. The first result goes where
/// a call puts it. Inline, so that a switch of stacks leaves no return address for the processor to mispredict.
LUAPP_ALWAYS_INLINE bool switchDyn(State*& state, const Insn* pc, Word* R, const Closure* c, Word* n, uint32_t count) {
    if ((c->flags & Closure::kYield) != 0) {
        if (state->currentCoroutine == nullptr) return false;
        packWords(*state, n, count);
        yieldInline(state, state->currentCoroutine, R, pc);
    } else if ((c->flags & Closure::kResumes) != 0) {
        packWords(*state, n, count);
        if (LUAPP_UNLIKELY(!resumeInline(state, refOf<Coroutine>(c->captures[1]), R, pc))) {
            state->pc = pc;
            state->frame = R;
            raiseFromCoroutine(*state);
        }
    } else {
        if (count == 0 || !Value::fromWord(n[0]).is(Kind::Coroutine)) return false;
        Coroutine* const co = Value::fromWord(n[0]).asCoroutine();
        packWords(*state, n + 1, count - 1);
        n[-3] = resumeToPack(state, pc, R, co);
        return true;
    }
    n[-3] = firstOfPack(*state);
    return true;
}

}  // namespace

void interpret(State& runs, const Insn* pc, Word* R, Word* K) {
    State* state = &runs;
    asm volatile("mov %%rsp, %0" : "=r"(runs.context->activation->begin));
    static const void* const kDispatch[] = {
#define LUAPP_OPCODE(name, format, operands, flags, semantics) &&L_##name,
#include "runtime/bytecode/opcodes.def"
    };
    // Opaque to the compiler, so that the table's address stays in a register. Naming that leaves the compiler a register for i whose
    // second byte it can read (field A): one instruction less in most handlers.
    register const void* const* dispatch asm("r13") = kDispatch;
    asm volatile("" : "+r"(dispatch));
    // 64 bits wide, so that fields index registers without another extension.
    uint64_t i;
#include "runtime/vm/interp_macros.h"
    NEXT;

    // --- moves, constants, module variables
    CASE(Move) { RA = RB; NEXT; }
    CASE(LoadK) { RA = K[FD]; NEXT; }
    CASE(LoadKX) { RA = K[XU]; ++pc; NEXT; }
    CASE(LoadI) { SET_INT(FSD); NEXT; }
    CASE(LoadF) { SET_NUM(FSD); NEXT; }
    CASE(LoadNil) { RA = kNilBox; NEXT; }
    CASE(GetG) { RA = K[FD]; NEXT; }
    CASE(GetGX) { RA = K[XU]; ++pc; NEXT; }
    CASE(SetG) { K[FD] = RA; NEXT; }
    CASE(SetGX) { K[XU] = RA; ++pc; NEXT; }
    CASE(Spill) { R[FD] = RA; NEXT; }
    CASE(Reload) { RA = R[FD]; NEXT; }

    // --- number arithmetic
    CASE(AddF) { SET_NUM(NUM(RB) + NUM(RC)); NEXT; }
    CASE(SubF) { SET_NUM(NUM(RB) - NUM(RC)); NEXT; }
    CASE(MulF) { SET_NUM(NUM(RB) * NUM(RC)); NEXT; }
    CASE(DivF) { SET_NUM(NUM(RB) / NUM(RC)); NEXT; }
    CASE(ModF) { SET_NUM(base::floorModNumber(NUM(RB), NUM(RC))); NEXT; }
    CASE(IDivF) { SET_NUM(base::floorDivNumber(NUM(RB), NUM(RC))); NEXT; }
    CASE(PowF) { SET_NUM(base::powerNumber(NUM(RB), NUM(RC))); NEXT; }
    CASE(AddFI) { SET_NUM(NUM(RB) + FSC); NEXT; }
    CASE(MulFI) { SET_NUM(NUM(RB) * FSC); NEXT; }
    CASE(DivFI) { SET_NUM(NUM(RB) / FSC); NEXT; }
    CASE(RSubFI) { SET_NUM(FSC - NUM(RB)); NEXT; }
    CASE(NegF) { RA = RB ^ (uint64_t{1} << 63); NEXT; }
    CASE(AbsF) { RA = RB & ~(uint64_t{1} << 63); NEXT; }
    CASE(SqrtF) { SET_NUM(std::sqrt(NUM(RB))); NEXT; }
    CASE(MinF) { RA = NUM(RC) < NUM(RB) ? RC : RB; NEXT; }
    CASE(MaxF) { RA = NUM(RB) < NUM(RC) ? RC : RB; NEXT; }

    // --- two operations on numbers
    CASE(AddAddF) { PAIR(NUM(RB) + NUM(RC), v + NUM(RX)); }
    CASE(AddSubF) { PAIR(NUM(RB) + NUM(RC), v - NUM(RX)); }
    CASE(AddRSubF) { PAIR(NUM(RB) + NUM(RC), NUM(RX) - v); }
    CASE(AddMulF) { PAIR(NUM(RB) + NUM(RC), v * NUM(RX)); }
    CASE(AddRDivF) { PAIR(NUM(RB) + NUM(RC), NUM(RX) / v); }
    CASE(SubAddF) { PAIR(NUM(RB) - NUM(RC), v + NUM(RX)); }
    CASE(SubSubF) { PAIR(NUM(RB) - NUM(RC), v - NUM(RX)); }
    CASE(SubRSubF) { PAIR(NUM(RB) - NUM(RC), NUM(RX) - v); }
    CASE(SubMulF) { PAIR(NUM(RB) - NUM(RC), v * NUM(RX)); }
    CASE(SubRDivF) { PAIR(NUM(RB) - NUM(RC), NUM(RX) / v); }
    CASE(MulAddF) { PAIR(NUM(RB) * NUM(RC), v + NUM(RX)); }
    CASE(MulSubF) { PAIR(NUM(RB) * NUM(RC), v - NUM(RX)); }
    CASE(MulRSubF) { PAIR(NUM(RB) * NUM(RC), NUM(RX) - v); }
    CASE(MulMulF) { PAIR(NUM(RB) * NUM(RC), v * NUM(RX)); }
    CASE(MulRDivF) { PAIR(NUM(RB) * NUM(RC), NUM(RX) / v); }
    CASE(IToFAdd) { SET_NUM(static_cast<double>(INT(RB)) + NUM(RC)); NEXT; }
    CASE(IToFMul) { SET_NUM(static_cast<double>(INT(RB)) * NUM(RC)); NEXT; }

    // --- integer arithmetic
    CASE(AddI) {
        int64_t r = INT(RB + RC);
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowAddI);
        SET_INT(r);
        NEXT;
    }
    CASE(SubI) {
        int64_t r = INT(RB - RC);
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowSubI);
        SET_INT(r);
        NEXT;
    }
    CASE(MulI) {
        int64_t r;
        if (LUAPP_UNLIKELY(__builtin_mul_overflow(INT(RB), INT(RC), &r) || !IN_RANGE(r))) SLOW(slowMulI);
        SET_INT(r);
        NEXT;
    }
    CASE(IDivI) {
        int64_t b = INT(RC);
        if (LUAPP_UNLIKELY(b <= 0)) SLOW(slowIDivI);
        SET_INT(base::floorDivInteger(INT(RB), b));
        NEXT;
    }
    CASE(ModI) {
        int64_t b = INT(RC);
        if (LUAPP_UNLIKELY(b <= 0)) SLOW(slowModI);
        SET_INT(base::floorModInteger(INT(RB), b));
        NEXT;
    }
    CASE(NegI) { RA = 0 - RB; NEXT; }
    CASE(AbsI) { RA = INT(RB) < 0 ? 0 - RB : RB; NEXT; }
    CASE(MinI) { SET_INT(INT(RC) < INT(RB) ? INT(RC) : INT(RB)); NEXT; }
    CASE(MaxI) { SET_INT(INT(RB) < INT(RC) ? INT(RC) : INT(RB)); NEXT; }
    CASE(AddII) {
        int64_t r = INT(RB + wordOf(int64_t{FSC}));
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowAddII);
        SET_INT(r);
        NEXT;
    }
    CASE(MulII) {
        int64_t r;
        if (LUAPP_UNLIKELY(__builtin_mul_overflow(INT(RB), int64_t{FSC}, &r) || !IN_RANGE(r))) SLOW(slowMulII);
        SET_INT(r);
        NEXT;
    }
    CASE(IDivII) { SET_INT(base::floorDivInteger(INT(RB), FSC)); NEXT; }
    CASE(ModII) { SET_INT(base::floorModInteger(INT(RB), FSC)); NEXT; }
    CASE(AddU) { RA = RB + RC; NEXT; }
    CASE(SubU) { RA = RB - RC; NEXT; }
    CASE(MulU) { RA = RB * RC; NEXT; }
    CASE(AddUI) { RA = RB + wordOf(int64_t{FSC}); NEXT; }
    CASE(AndI) {
        int64_t r = INT(RB) & INT(RC);
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowAndI);
        SET_INT(r);
        NEXT;
    }
    CASE(OrI) {
        int64_t r = INT(RB) | INT(RC);
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowOrI);
        SET_INT(r);
        NEXT;
    }
    CASE(XorI) {
        int64_t r = INT(RB) ^ INT(RC);
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowXorI);
        SET_INT(r);
        NEXT;
    }
    CASE(NotI) {
        int64_t r = ~INT(RB);
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowNotI);
        SET_INT(r);
        NEXT;
    }
    CASE(ShlI) {
        int64_t r = base::shiftLeft(INT(RB), INT(RC));
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowShlI);
        SET_INT(r);
        NEXT;
    }
    CASE(ShrI) {
        int64_t r = base::shiftRight(INT(RB), INT(RC));
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowShrI);
        SET_INT(r);
        NEXT;
    }

    // --- bit32
    CASE(And32) { RA = static_cast<uint32_t>(RB & RC); NEXT; }
    CASE(Or32) { RA = static_cast<uint32_t>(RB | RC); NEXT; }
    CASE(Xor32) { RA = static_cast<uint32_t>(RB ^ RC); NEXT; }
    CASE(Not32) { RA = static_cast<uint32_t>(~RB); NEXT; }
    CASE(Shl32) { RA = base::shiftLeft32(base::wrap32(INT(RB)), INT(RC)); NEXT; }
    CASE(Shr32) { RA = base::shiftRight32(base::wrap32(INT(RB)), INT(RC)); NEXT; }
    CASE(Sar32) { RA = base::shiftArithmetic32(base::wrap32(INT(RB)), INT(RC)); NEXT; }
    CASE(Rol32) { RA = base::rotateLeft32(base::wrap32(INT(RB)), INT(RC)); NEXT; }
    CASE(Ror32) { RA = base::rotateRight32(base::wrap32(INT(RB)), INT(RC)); NEXT; }
    CASE(Shl32I) { RA = static_cast<uint32_t>(RB) << FC; NEXT; }
    CASE(Shr32I) { RA = static_cast<uint32_t>(RB) >> FC; NEXT; }
    CASE(Rol32I) { RA = std::rotl(static_cast<uint32_t>(RB), static_cast<int>(FC)); NEXT; }

    // --- conversions
    CASE(IToF) { SET_NUM(static_cast<double>(INT(RB))); NEXT; }
    CASE(FToI) {
        double d = NUM(RB);
        int64_t r = static_cast<int64_t>(d);
        if (LUAPP_UNLIKELY(static_cast<double>(r) != d || !IN_RANGE(r))) SLOW(slowFToI);
        SET_INT(r);
        NEXT;
    }
    CASE(FloorF) {
        double d = NUM(RB);
        int64_t r = static_cast<int64_t>(d);
        const auto kind = static_cast<bc::RoundKind>(FC);
        if (kind == bc::RoundKind::Floor) r -= static_cast<double>(r) > d;
        if (kind == bc::RoundKind::Ceil) r += static_cast<double>(r) < d;
        if (LUAPP_UNLIKELY(!IN_RANGE(r))) SLOW(slowFloorF);
        SET_INT(r);
        NEXT;
    }
    CASE(BoxI) { SET_NUM(static_cast<double>(INT(RB))); NEXT; }
    CASE(BoxB) { RA = kFalseBox + (RB & 1); NEXT; }
    CASE(BoxRef) {
        Object* o = objectOf(RB);
        if (o == nullptr) {
            RA = kNilBox;
        } else {
            uint64_t tag = FC != 0 ? (uint64_t{0xFFF8} + FC) << 48 : tagBits(tagOf(o->kind));
            RA = tag | wordOf(o);
        }
        NEXT;
    }
    CASE(BoxEnum) { SLOW_X(slowBoxEnum); }
    CASE(UnboxF) {
        Word w = RB;
        if (LUAPP_UNLIKELY(w > kLastNumber)) SLOW(slowUnboxF);
        RA = w;
        NEXT;
    }
    CASE(UnboxI) {
        double d = NUM(RB);
        int64_t r = static_cast<int64_t>(d);
        if (LUAPP_UNLIKELY(RB > kLastNumber || static_cast<double>(r) != d || !IN_RANGE(r))) SLOW(slowUnboxI);
        SET_INT(r);
        NEXT;
    }
    CASE(UnboxB) {
        Word w = RB - kFalseBox;
        if (LUAPP_UNLIKELY(w > 1)) SLOW(slowUnboxB);
        RA = w;
        NEXT;
    }
    CASE(Unbox) { SLOW_X(slowUnbox); }
    CASE(UnboxU) {
        Word w = RB;
        switch (static_cast<Rep>(FC)) {
            case Rep::I64: w = Value::fromWord(w).isEnum() ? wordOf(int64_t{Value::fromWord(w).enumOrdinal()}) : wordOf(static_cast<int64_t>(NUM(w))); break;
            case Rep::Bool: w -= kFalseBox; break;
            case Rep::Ref: w = w == kNilBox ? 0 : w & kPayloadMask; break;
            case Rep::F64:
            case Rep::Box:
            case Rep::Void:
            case Rep::Pack: break;
        }
        RA = w;
        NEXT;
    }
    CASE(CheckRef) { SLOW_X(slowCheckRef); }
    CASE(IsType) { SLOW_X(slowIsType); }
    CASE(IsTypeRef) {
        const TypeDesc* type = typeAt(K, *pc);
        const Object* o = objectOf(RB);
        if (LUAPP_LIKELY(type->classNumber != 0 && o != nullptr)) {
            SET_BOOL(isInstance(s, o, type));
            ++pc;
            NEXT;
        }
        SLOW_X(slowIsTypeRef);
    }
    CASE(CheckNil) {
        if (LUAPP_UNLIKELY(RB == kNilBox)) SLOW(slowCheckNil);
        NEXT;
    }
    CASE(CheckNull) {
        if (LUAPP_UNLIKELY(RB == 0)) SLOW(slowCheckNull);
        NEXT;
    }
    CASE(Not) { RA = RB ^ 1; NEXT; }
    CASE(Truthy) { SET_BOOL(RB != kNilBox && RB != kFalseBox); NEXT; }

    // --- comparisons to a boolean
    CASE(EqF) { SET_BOOL(NUM(RB) == NUM(RC)); NEXT; }
    CASE(LtF) { SET_BOOL(NUM(RB) < NUM(RC)); NEXT; }
    CASE(LeF) { SET_BOOL(NUM(RB) <= NUM(RC)); NEXT; }
    CASE(EqI) { SET_BOOL(RB == RC); NEXT; }
    CASE(LtI) { SET_BOOL(INT(RB) < INT(RC)); NEXT; }
    CASE(LeI) { SET_BOOL(INT(RB) <= INT(RC)); NEXT; }
    CASE(EqS) { SET_BOOL(stringsEqual(RB, RC)); NEXT; }
    CASE(LtS) { SLOW(slowLtS); }
    CASE(LeS) { SLOW(slowLeS); }
    CASE(EqRef) {
        if (RB == RC) {
            RA = 1;
            NEXT;
        }
        SLOW(slowEqRef);
    }
    CASE(EqX) {
        Word b = RB, c = RC;
        if (b <= kLastNumber && c <= kLastNumber) {
            SET_BOOL(NUM(b) == NUM(c));
            NEXT;
        }
        if (b == c) {
            RA = 1;
            NEXT;
        }
        SLOW(slowEqX);
    }
    CASE(LtX) {
        if (LUAPP_LIKELY(RB <= kLastNumber && RC <= kLastNumber)) {
            SET_BOOL(NUM(RB) < NUM(RC));
            NEXT;
        }
        SLOW(slowLtX);
    }
    CASE(LeX) {
        if (LUAPP_LIKELY(RB <= kLastNumber && RC <= kLastNumber)) {
            SET_BOOL(NUM(RB) <= NUM(RC));
            NEXT;
        }
        SLOW(slowLeX);
    }

    // --- branches
    CASE(Jmp) { pc += FE; NEXT; }
    CASE(Loop) {
        POLL();
        pc += FE;
        NEXT;
    }
    CASE(JTrue) { BRANCH_D(RA != 0); }
    CASE(JFalse) { BRANCH_D(RA == 0); }
    CASE(JTruthy) { BRANCH_D(RA != kNilBox && RA != kFalseBox); }
    CASE(JFalsy) { BRANCH_D(RA == kNilBox || RA == kFalseBox); }
    CASE(JNil) { BRANCH_D(RA == kNilBox); }
    CASE(JNotNil) { BRANCH_D(RA != kNilBox); }
    CASE(JLtF) { BRANCH_X(NUM(RA) < NUM(RB)); }
    CASE(JNLtF) { BRANCH_X(!(NUM(RA) < NUM(RB))); }
    CASE(JLeF) { BRANCH_X(NUM(RA) <= NUM(RB)); }
    CASE(JNLeF) { BRANCH_X(!(NUM(RA) <= NUM(RB))); }
    CASE(JEqF) { BRANCH_X(NUM(RA) == NUM(RB)); }
    CASE(JNeF) { BRANCH_X(NUM(RA) != NUM(RB)); }
    CASE(JLtI) { BRANCH_X(INT(RA) < INT(RB)); }
    CASE(JLeI) { BRANCH_X(INT(RA) <= INT(RB)); }
    CASE(JEqI) { BRANCH_X(RA == RB); }
    CASE(JNeI) { BRANCH_X(RA != RB); }
    CASE(JEqS) { BRANCH_X(stringsEqual(RA, RB)); }
    CASE(JNeS) { BRANCH_X(!stringsEqual(RA, RB)); }
    CASE(JLtX) { BRANCH_BOXES(NUM(a) < NUM(b), slowJLtX); }
    CASE(JLeX) { BRANCH_BOXES(NUM(a) <= NUM(b), slowJLeX); }
    CASE(JEqX) {
        if (RA == RB && RA > kLastNumber) BRANCH_SENSE(true);
        BRANCH_BOXES(NUM(a) == NUM(b), slowJEqX);
    }
    CASE(JLtFI) { BRANCH_X(NUM(RA) < FSD); }
    CASE(JNLtFI) { BRANCH_X(!(NUM(RA) < FSD)); }
    CASE(JLeFI) { BRANCH_X(NUM(RA) <= FSD); }
    CASE(JNLeFI) { BRANCH_X(!(NUM(RA) <= FSD)); }
    CASE(JGtFI) { BRANCH_X(NUM(RA) > FSD); }
    CASE(JNGtFI) { BRANCH_X(!(NUM(RA) > FSD)); }
    CASE(JGeFI) { BRANCH_X(NUM(RA) >= FSD); }
    CASE(JNGeFI) { BRANCH_X(!(NUM(RA) >= FSD)); }
    CASE(JEqFI) { BRANCH_X(NUM(RA) == FSD); }
    CASE(JNeFI) { BRANCH_X(NUM(RA) != FSD); }
    CASE(JLtII) { BRANCH_X(INT(RA) < FSD); }
    CASE(JLeII) { BRANCH_X(INT(RA) <= FSD); }
    CASE(JGtII) { BRANCH_X(INT(RA) > FSD); }
    CASE(JGeII) { BRANCH_X(INT(RA) >= FSD); }
    CASE(JEqII) { BRANCH_X(INT(RA) == FSD); }
    CASE(JNeII) { BRANCH_X(INT(RA) != FSD); }
    CASE(LoopLtI) {
        int64_t v = INT(RA + wordOf(int64_t{FSC}));
        RA = wordOf(v);
        if (v < INT(RB)) {
            ++pc;
            POLL();
            pc += XBACK;
            NEXT;
        }
        ++pc;
        NEXT;
    }
    CASE(LoopLtF) {
        double v = NUM(RA) + FSC;
        RA = wordOf(v);
        if (v < NUM(RB)) {
            ++pc;
            POLL();
            pc += XBACK;
            NEXT;
        }
        ++pc;
        NEXT;
    }

    // --- calls
    CASE(Enter) {
        if (LUAPP_UNLIKELY(R + FE >= s.context->stackEnd)) SLOW(slowEnter);
        NEXT;
    }
    CASE(Shift) {
        Word* n = R + FE;
        n[-3] = reinterpret_cast<Word>(pc);
        n[-2] = reinterpret_cast<Word>(R);
        n[-1] = R[-1];
        R = n;
        NEXT;
    }
    CASE(Unshift) {
        R = reinterpret_cast<Word*>(R[-2]);
        NEXT;
    }
    CASE(VarargPrep) {
        uint64_t fixed = FD, extras = s.argCount;
        Word* n = R + fixed + extras + 4;
        n[-4] = extras;
        n[-3] = reinterpret_cast<Word>(kVarargStub);
        n[-2] = reinterpret_cast<Word>(R);
        n[-1] = R[-1];
        for (uint64_t k = 0; k < fixed; ++k) n[k] = R[k];
        R[-1] = reinterpret_cast<Word>(n);
        if (LUAPP_UNLIKELY(n >= s.stackLimit.load(std::memory_order_relaxed))) {
            SAVE();
            slowStackLimit(s, n, K, INSN, 0);
        }
        R = n;
        NEXT;
    }
    CASE(Call) {
        Word* n = R + FA + 3;
        ENTER_FRAME(n, pc + FSD);
    }
    CASE(CallFar) {
        Word* n = R + FA + 3;
        ENTER_FRAME(n, programOf(K)->functions[FD].entry);
    }
    CASE(CallX) {
        Word* n = R + FA + 3;
        int32_t distance = XS;
        ++pc;
        ENTER_FRAME(n, pc + distance);
    }
    CASE(CallV) {
        Word* n = R + FA + 3;
        int32_t distance = XS;
        s.argCount = FB;
        ++pc;
        ENTER_FRAME(n, pc + distance);
    }
    CASE(CallVPack) {
        Word* n = R + FA + 3;
        const Insn* target = pc + 1 + XS;
        ++pc;
        SAVE();
        s.argCount = FB + slowSpreadPack(s, n, functionAt(K, target)->paramCount + FB);
        ENTER_FRAME(n, target);
    }
    CASE(CallClo) {
        Word* n = R + FA + 3;
        Closure* c = refOf<Closure>(n[-1]);
        const Function* f = static_cast<const Function*>(c->code);
        if (LUAPP_LIKELY(!c->isBuiltin() && f->data == K)) ENTER_FRAME(n, f->entry);
        SAVE();
        GO_ON(slowCallClosure(s, R, K, pc, n));
    }
    CASE(CallCloV) {
        Word* n = R + FA + 3;
        Closure* c = refOf<Closure>(n[-1]);
        const Function* f = static_cast<const Function*>(c->code);
        s.argCount = FB;
        if (LUAPP_LIKELY(!c->isBuiltin() && f->data == K)) ENTER_FRAME(n, f->entry);
        SAVE();
        GO_ON(slowCallClosure(s, R, K, pc, n));
    }
    CASE(CallCloVPack) {
        Word* n = R + FA + 3;
        SAVE();
        s.argCount = FB + slowSpreadPack(s, n, fixedParamsOf(s, refOf<Closure>(n[-1])) + FB);
        GO_ON(slowCallClosure(s, R, K, pc, n));
    }
    CASE(CallM) {
        Word* n = R + FA + 3;
        ENTER_FRAME(n, methodEntry(s, objectOf(n[0]), FD));
    }
    CASE(CallMV) {
        Word* n = R + FA + 3;
        s.argCount = FB;
        const Insn* target = methodEntry(s, objectOf(n[0]), *pc++);
        ENTER_FRAME(n, target);
    }
    CASE(CallMVPack) {
        Word* n = R + FA + 3;
        const Insn* target = methodEntry(s, objectOf(n[0]), *pc++);
        SAVE();
        s.argCount = FB + slowSpreadPack(s, n, functionAt(K, target)->paramCount + FB);
        ENTER_FRAME(n, target);
    }
    CASE(CallDyn) {
        Word* n = R + FA + 3;
        if (const Function* f = looseFunction(n[-1], K); LUAPP_LIKELY(f != nullptr)) {
            n[-1] &= kPayloadMask;
            fillMissing(s, f, n, FB);
            ENTER_FRAME(n, f->entry);
        }
        if (Closure* c = libraryFunction(n[-1]); c != nullptr) {
            if ((c->flags & Closure::kSwitches) != 0) {
                if (switchDyn(state, pc, R, c, n, FB)) NEXT;
            } else {
                SAVE();
                if (callQuickly(s, pc, R, c, n, FB)) NEXT;
            }
        }
        SAVE();
        GO_ON(slowCallDyn(s, R, K, pc, n, FB));
    }
    CASE(CallDynPack) {
        Word* n = R + FA + 3;
        SAVE();
        uint32_t count = FB + slowSpreadPack(s, n, FB);
        GO_ON(slowCallDyn(s, R, K, pc, n, count));
    }
    CASE(TailDyn) {
        Word* n = R + FA + 3;
        if (const Function* f = looseFunction(n[-1], K); LUAPP_LIKELY(f != nullptr)) {
            GIVE_FRAME(f, n, FB);
        }
        SAVE();
        GO_ON(slowCallDyn(s, R, K, pc, n, FB));
    }
    CASE(TailDynPack) {
        Word* n = R + FA + 3;
        SAVE();
        uint64_t count = FB + slowSpreadPack(s, n, FB);
        if (const Function* f = looseFunction(n[-1], K); LUAPP_LIKELY(f != nullptr)) {
            GIVE_FRAME(f, n, count);
        }
        GO_ON(slowCallDyn(s, R, K, pc, n, static_cast<uint32_t>(count)));
    }
    CASE(TailClo) {
        Word* n = R + FA + 3;
        const Function* f = static_cast<const Function*>(refOf<Closure>(n[-1])->code);
        GIVE_FRAME(f, n, FB);
    }
    CASE(CallB) {
        Word* n = R + FA + 3;
        SAVE();
        s.top = n + kBuiltinArgRoom;
        n[-3] = s.builtins->functions[FD](s, n);
        NEXT;
    }
    CASE(CallBV) {
        Word* n = R + FA + 3;
        uint32_t builtin = *pc++;
        SAVE();
        s.argCount = FB;
        s.top = n + kBuiltinArgRoom + 256;
        n[-3] = s.builtins->functions[builtin](s, n);
        NEXT;
    }
    CASE(CallBVPack) {
        Word* n = R + FA + 3;
        uint32_t builtin = *pc++;
        SAVE();
        s.argCount = FB + slowSpreadPack(s, n, s.builtins->fixedParams[builtin] + FB);
        s.top = n + kBuiltinArgRoom + s.argCount;
        n[-3] = s.builtins->functions[builtin](s, n);
        NEXT;
    }
    CASE(CallYield) {
        Word* n = R + FA + 3;
        uint32_t builtin = *pc++;
        SAVE();
        if (LUAPP_LIKELY(s.currentCoroutine != nullptr)) {
            packWords(s, n, FB);
            yieldInline(state, s.currentCoroutine, R, pc);
            RA = firstOfPack(s);
            NEXT;
        }
        s.argCount = FB;
        n[-3] = s.builtins->functions[builtin](s, n);
        NEXT;
    }
    CASE(CallResume) {
        Word* n = R + FA + 3;
        uint32_t builtin = *pc++;
        SAVE();
        Value resumed = Value::fromWord(n[0]);
        if (LUAPP_LIKELY(resumed.is(Kind::Coroutine))) {
            packWords(s, n + 1, FB);
            RA = resumeToPack(state, pc, R, resumed.asCoroutine());
            NEXT;
        }
        s.argCount = FB;
        s.top = n + kBuiltinArgRoom + 256;
        n[-3] = s.builtins->functions[builtin](s, n);
        NEXT;
    }
    CASE(GetRes) { RA = s.results[FD]; NEXT; }
    CASE(SetRes) { s.results[FD] = RA; NEXT; }
    CASE(Ret) {
        Word v = RA;
        pc = reinterpret_cast<const Insn*>(R[-3]);
        Word* caller = reinterpret_cast<Word*>(R[-2]);
        R[-3] = v;
        R = caller;
        NEXT;
    }
    CASE(Ret0) {
        pc = reinterpret_cast<const Insn*>(R[-3]);
        R = reinterpret_cast<Word*>(R[-2]);
        NEXT;
    }
    CASE(RetI) {
        Word v = wordOf(int64_t{FSD});
        pc = reinterpret_cast<const Insn*>(R[-3]);
        Word* caller = reinterpret_cast<Word*>(R[-2]);
        R[-3] = v;
        R = caller;
        NEXT;
    }
    CASE(RetPack) {
        SAVE();
        slowRetPack(s, R, K, INSN, 0);
        goto returnFirst;
    }
    CASE(RetBoxes) {
        uint32_t count = FB;
        if (LUAPP_LIKELY(count == 1)) {
            Word v = RA;
            s.results[0] = v;
            s.resultCount = 1;
            pc = reinterpret_cast<const Insn*>(R[-3]);
            Word* caller = reinterpret_cast<Word*>(R[-2]);
            R[-3] = v;
            R = caller;
            NEXT;
        }
        for (uint32_t k = 0; k < count; ++k) s.results[k] = R[FA + k];
        s.resultCount = count;
        goto returnFirst;
    }
    CASE(VarargAll) { SLOW(slowVarargAll); }
    CASE(VarargGet) {
        uint32_t extras = static_cast<uint32_t>(R[-4]);
        RA = FD < extras ? (R - 4 - extras)[FD] : kNilBox;
        NEXT;
    }
    CASE(VarargCount) { RA = R[-4]; NEXT; }
    CASE(PackGet) { RA = FD < s.resultCount ? s.results[FD] : kNilBox; NEXT; }
    CASE(PackCount) { RA = s.resultCount; NEXT; }
    CASE(PackMake) { SLOW(slowPackMake); }

    // --- closures and cells
    CASE(Closure) { SLOW_X(slowClosure); }
    CASE(SetCap) { refOf<Closure>(RA)->captures[FB] = RC; NEXT; }
    CASE(GetCap) { RA = refOf<Closure>(R[-1])->captures[FD]; NEXT; }
    CASE(GetClo) { RA = R[-1]; NEXT; }
    CASE(NewCell) { SLOW_X(slowNewCell); }
    CASE(GetCell) { RA = refOf<Cell>(RB)->word; NEXT; }
    CASE(SetCell) { refOf<Cell>(RA)->word = RB; NEXT; }
    CASE(SetCellR) {
        Cell* cell = refOf<Cell>(RA);
        storeWord(s, cell, &cell->word, RB);
        NEXT;
    }

    // --- records and objects
    CASE(NewObj) {
        const TypeDesc* type = typeAt(K, *pc++);
        SAVE();
        RA = wordOf(newInstance(s, type, FD));
        NEXT;
    }
    CASE(GetF) { RA = refOf<Instance>(RB)->fields[FC]; NEXT; }
    CASE(SetF) { refOf<Instance>(RA)->fields[FB] = RC; NEXT; }
    CASE(SetFR) {
        Instance* o = refOf<Instance>(RA);
        storeWord(s, o, &o->fields[FB], RC);
        NEXT;
    }

    // --- arrays
    CASE(NewArr) { SLOW_X(slowNewArr); }
    CASE(ALen) { RA = refOf<Array>(RB)->length; NEXT; }
    CASE(AGet) {
        const Array* a = refOf<Array>(RB);
        uint64_t k = RC;
        if (LUAPP_UNLIKELY(k >= a->length)) SLOW(slowAGet);
        RA = a->buffer->words[k];
        NEXT;
    }
    CASE(AGetI) {
        const Array* a = refOf<Array>(RB);
        if (LUAPP_UNLIKELY(FC >= a->length)) SLOW(slowAGetI);
        RA = a->buffer->words[FC];
        NEXT;
    }
    CASE(AGetB) {
        const Array* a = refOf<Array>(RB);
        uint64_t k = RC;
        if (LUAPP_UNLIKELY(k >= a->length)) SLOW(slowAGet);
        RA = a->buffer->bytes()[k];
        NEXT;
    }
    CASE(ASet) {
        Array* a = refOf<Array>(RA);
        uint64_t k = RB;
        if (LUAPP_UNLIKELY(k >= a->length)) SLOW(slowASet);
        a->buffer->words[k] = RC;
        NEXT;
    }
    CASE(ASetR) {
        Array* a = refOf<Array>(RA);
        uint64_t k = RB;
        if (LUAPP_UNLIKELY(k >= a->length)) SLOW(slowASet);
        storeWord(s, a->buffer, &a->buffer->words[k], RC);
        NEXT;
    }
    CASE(ASetB) {
        Array* a = refOf<Array>(RA);
        uint64_t k = RB;
        if (LUAPP_UNLIKELY(k >= a->length)) SLOW(slowASet);
        a->buffer->bytes()[k] = static_cast<uint8_t>(RC);
        NEXT;
    }
    CASE(APush) {
        Array* a = refOf<Array>(RA);
        uint32_t k = a->length;
        if (LUAPP_UNLIKELY(k >= a->capacity || a->elementRep() == Rep::Bool)) SLOW(slowAPush);
        storeWord(s, a->buffer, &a->buffer->words[k], RB);
        a->length = k + 1;
        NEXT;
    }
    CASE(APushPack) { SLOW(slowAPushPack); }
    CASE(CheckLen) {
        if (LUAPP_UNLIKELY(refOf<Array>(RA)->length != RB)) SLOW(slowCheckLen);
        NEXT;
    }

    // --- tables
    CASE(NewTab) { SLOW_X(slowNewTab); }
    CASE(TLen) { RA = refOf<Table>(RB)->count; NEXT; }
    CASE(TGetS) {
        const Word* v = lookupString(s, refOf<Table>(RB), refOf<String>(RC));
        if (LUAPP_UNLIKELY(v == nullptr)) SLOW(slowTGetS);
        RA = *v;
        NEXT;
    }
    CASE(TGetF) {
        const Word* v = lookupNumber(refOf<Table>(RB), NUM(RC));
        if (LUAPP_UNLIKELY(v == nullptr)) SLOW(slowTGetF);
        RA = *v;
        NEXT;
    }
    CASE(TGetX) {
        const Word* v = lookupKey(s, refOf<Table>(RB), Value::fromWord(RC));
        if (LUAPP_UNLIKELY(v == nullptr)) SLOW(slowTGetX);
        RA = *v;
        NEXT;
    }
    CASE(TGetOptS) { SLOW(slowTGetOptS); }
    CASE(TGetOptF) { SLOW(slowTGetOptF); }
    CASE(TGetOptX) { SLOW(slowTGetOptX); }
    CASE(TSetS) { SLOW(slowTSetS); }
    CASE(TSetF) { SLOW(slowTSetF); }
    CASE(TSetX) { SLOW(slowTSetX); }
    CASE(TDel) { SLOW(slowTDel); }
    CASE(TNext) {
        SAVE();
        BRANCH_X(slowTNext(s, R, K, INSN, 0));
    }
    CASE(TKey) {
        const Table* t = refOf<Table>(RB);
        const uint32_t at = static_cast<uint32_t>(RC);
        if (LUAPP_UNLIKELY(at >= t->used || t->entries()[at].key == kAbsentBox)) SLOW(slowTEntry);
        RA = t->entries()[at].key;
        NEXT;
    }
    CASE(TVal) {
        const Table* t = refOf<Table>(RB);
        const uint32_t at = static_cast<uint32_t>(RC);
        if (LUAPP_UNLIKELY(at >= t->used || t->entries()[at].key == kAbsentBox)) SLOW(slowTEntry);
        RA = t->entries()[at].value;
        NEXT;
    }

    // --- strings
    CASE(SLen) { RA = refOf<String>(RB)->length; NEXT; }
    CASE(Concat) { SLOW(slowConcat); }
    CASE(ConcatN) { SLOW(slowConcatN); }
    CASE(ToStr) { SLOW(slowToStr); }
    CASE(SByte) {
        const String* str = refOf<String>(RB);
        uint64_t at = RC, k = at - 1;
        if (LUAPP_UNLIKELY(k >= str->length)) k = at + str->length;  // counted from the end, if anything
        RA = k < str->length ? static_cast<uint8_t>(str->data()[k]) : ~uint64_t{0};
        NEXT;
    }

    // --- dynamic operations
    CASE(ArithX) {
        Word b = RB, c = RC;
        if (LUAPP_LIKELY(b <= kLastNumber && c <= kLastNumber)) {
            bc::ArithOp op = static_cast<bc::ArithOp>(*pc);
            if (op == bc::ArithOp::Div) {
                SET_NUM(NUM(b) / NUM(c));
                ++pc;
                NEXT;
            }
            if (op == bc::ArithOp::Mod) {
                SET_NUM(base::floorModNumber(NUM(b), NUM(c)));
                ++pc;
                NEXT;
            }
            if (op == bc::ArithOp::Unm) {
                SET_NUM(-NUM(b));
                ++pc;
                NEXT;
            }
        }
        SLOW_X(slowArithX);
    }
    CASE(AddX) { ARITH_X(+, slowAddX); }
    CASE(SubX) { ARITH_X(-, slowSubX); }
    CASE(MulX) { ARITH_X(*, slowMulX); }
    CASE(LenX) {
        Value v = Value::fromWord(RB);
        if (v.isLuaTable() && v.asLuaTable()->metatable == nullptr) {
            SET_NUM(v.asLuaTable()->arrayLength);
            NEXT;
        }
        SLOW(slowLenX);
    }
    CASE(ConcatX) { SLOW(slowConcatX); }
    CASE(IndexX) {
        Value v = Value::fromWord(RB);
        if (LUAPP_LIKELY(v.isLuaTable())) {
            const LuaTable* t = v.asLuaTable();
            const Word* at = arrayPlace(t, RC);
            if (LUAPP_LIKELY(at != nullptr && (*at != kNilBox || t->metatable == nullptr))) {
                RA = *at;
                NEXT;
            }
        }
        SLOW(slowIndexX);
    }
    CASE(GlobalX) {
        const TableEntry* e = ownEntry(refOf<Closure>(R[-1])->captures[0], FC, K[XU]);
        if (LUAPP_UNLIKELY(e == nullptr || e->value == kNilBox)) SLOW_X(slowGlobalX);
        RA = e->value;
        ++pc;
        NEXT;
    }
    CASE(MemberX) {
        const TableEntry* e = ownEntry(RB, FC, K[XU]);
        if (LUAPP_LIKELY(e != nullptr && e->value != kNilBox)) {
            RA = e->value;
            ++pc;
            NEXT;
        }
        if (hasNoMember(RB, K[XU], e != nullptr)) {
            RA = kNilBox;
            ++pc;
            NEXT;
        }
        SLOW_X(slowMemberX);
    }
    CASE(MethodX) {
        if (const TableEntry* e = classEntry(s, RB, FC, K[XU]); LUAPP_LIKELY(e != nullptr)) {
            RA = e->value;
            ++pc;
            NEXT;
        }
        SLOW_X(slowMethodX);
    }
    CASE(SetIndexX) {
        Value v = Value::fromWord(RA);
        if (LUAPP_LIKELY(v.isLuaTable())) {
            const LuaTable* t = v.asLuaTable();
            Word* at = arrayPlace(t, RB);
            if (LUAPP_LIKELY(at != nullptr && (hasNoNewIndex(t) || *at != kNilBox) && RC != kNilBox)) {
                storeWord(s, t->array, at, RC);
                NEXT;
            }
        }
        SLOW(slowSetIndexX);
    }
    CASE(SetMemberX) {
        TableEntry* e = ownEntry(RA, FB, K[XU]);
        if (LUAPP_LIKELY(e != nullptr && e->value != kNilBox)) {
            storeWord(s, Value::fromWord(RA).asLuaTable()->storage, &e->value, RC);
            ++pc;
            NEXT;
        }
        if (e != nullptr && hasNoNewIndex(Value::fromWord(RA).asLuaTable())) {
            LuaTable* t = Value::fromWord(RA).asLuaTable();
            t->flags &= LuaTable::kKnownFlags;
            storeWord(s, t->storage, &e->value, RC);
            ++pc;
            NEXT;
        }
        if (Value::fromWord(RA).isLuaTable() && RC != kNilBox) {
            LuaTable* t = Value::fromWord(RA).asLuaTable();
            if (hasNoNewIndex(t) && appendMember(s, t, FB, refOf<String>(K[XU]), RC)) {
                ++pc;
                NEXT;
            }
        }
        SLOW_X(slowSetMemberX);
    }
    CASE(IterX) { SLOW(slowIterX); }

    // --- tables and loops of lenient code
    CASE(NewLuaTab) { SLOW_X(slowNewLuaTab); }
    CASE(SetList) { SLOW_X(slowSetList); }
    CASE(SetListPack) { SLOW_X(slowSetListPack); }
    CASE(LoopNum) {
        Word w = RB;
        if (LUAPP_UNLIKELY(w > kLastNumber)) SLOW(slowLoopNum);
        RA = w;
        NEXT;
    }

    // --- debuggable code
    CASE(Event) {
        if (LUAPP_UNLIKELY(s.hooksUsed)) SLOW(slowEvent);
        NEXT;
    }

    // --- errors
    CASE(Raise) { SLOW(slowRaise); }

    // --- the loader's own
    CASE(Exit) { return; }
    CASE(RetVararg) {
        const Word* n = reinterpret_cast<const Word*>(R[-1]);
        Word v = n[-3];
        pc = reinterpret_cast<const Insn*>(R[-3]);
        Word* caller = reinterpret_cast<Word*>(R[-2]);
        R[-3] = v;
        R = caller;
        NEXT;
    }
    CASE(RetAcross) {
        SAVE();
        GO_ON(slowRetAcross(s, R));
    }

// Returns a pack: its first value, or nil, is result 0.
returnFirst : {
    Word v = firstOfPack(s);
    pc = reinterpret_cast<const Insn*>(R[-3]);
    Word* caller = reinterpret_cast<Word*>(R[-2]);
    R[-3] = v;
    R = caller;
    NEXT;
}
#define LUAPP_INTERP_UNDEF
#include "runtime/vm/interp_macros.h"
#undef LUAPP_INTERP_UNDEF
}

}  // namespace luapp::rt
