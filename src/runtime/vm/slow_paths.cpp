#include "runtime/vm/slow_paths.h"

#include <cstring>

#include "runtime/base/numeric.h"
#include "runtime/object/array.h"
#include "runtime/object/closure.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/string.h"
#include "runtime/object/table.h"
#include "runtime/vm/call.h"
#include "runtime/vm/convert.h"
#include "runtime/vm/finalizers.h"
#include "runtime/vm/load.h"
#include "runtime/vm/meta.h"

namespace luapp::rt {

namespace {

// The operands of an instruction, as interp_macros.h names them.
Word& ra(Word* R, Insn i) { return R[bc::fieldA(i)]; }
Word& rb(Word* R, Insn i) { return R[bc::fieldB(i)]; }
Word& rc(Word* R, Insn i) { return R[bc::fieldC(i)]; }
Value va(Word* R, Insn i) { return Value::fromWord(ra(R, i)); }
Value vb(Word* R, Insn i) { return Value::fromWord(rb(R, i)); }
Value vc(Word* R, Insn i) { return Value::fromWord(rc(R, i)); }

/// Program code that this instruction calls starts above the whole frame; where that ends is found out when needed.
void mayCall(State& s) { s.top = nullptr; }

bool setInteger(State& s, Word* R, Insn i, bool inRange, int64_t value) {
    if (!inRange || !base::inIntegerRange(value)) raise(s, ErrorKind::IntegerOverflow);
    ra(R, i) = wordOf(value);
    return false;
}

/// What a lookup gives for `V?`: the word in V?'s representation.
bool setOptional(State& s, Word* R, Insn i, const Table* t, const Word* found) {
    Rep rep = t->elementRep();
    if (rep == Rep::Ref) {
        ra(R, i) = found == nullptr ? 0 : *found;
    } else if (found == nullptr) {
        ra(R, i) = kNilBox;
    } else if (rep == Rep::F64 || rep == Rep::Box) {
        ra(R, i) = *found;
    } else if (rep == Rep::I64) {
        ra(R, i) = boxTyped(*found, s.types.at(t->aux)->value()).word();
    } else {
        ra(R, i) = boxWord(*found, rep).word();
    }
    return false;
}

/// nil stored into a table whose values admit nil removes the key.
bool isNilWord(const Table* t, Word w) {
    return (t->elementRep() == Rep::Ref && w == 0) || (t->elementRep() == Rep::Box && w == kNilBox);
}

void checkTableKey(State& s, Value key) {
    if (key.isNil()) raise(s, ErrorKind::KeyIsNil);
    if (key.isNumber() && key.asNumber() != key.asNumber()) raise(s, ErrorKind::KeyIsNaN);
}

void setTable(State& s, Table* t, Value key, Word w) {
    checkTableKey(s, key);
    if (LUAPP_UNLIKELY(isNilWord(t, w))) {
        removeKey(s, t, key);
    } else {
        setKey(s, t, key, w);
    }
}

[[noreturn]] void raiseIndex(State& s, int64_t index, const Array* a) {
    raise(s, ErrorKind::IndexOutOfRange, index, a->length);
}

}  // namespace

#define SLOW_PATH(name) \
    bool name([[maybe_unused]] State& s, [[maybe_unused]] Word* R, [[maybe_unused]] Word* K, [[maybe_unused]] Insn i, \
              [[maybe_unused]] uint32_t x)

// --- limits

SLOW_PATH(slowPoll) {
    mayCall(s);
    safepoint(s, R);
    return false;
}
SLOW_PATH(slowStackLimit) {
    switch (bc::opOf(i)) {
        // The new frame lies above the old one's end, and is not the running one yet.
        case bc::Op::VarargPrep: s.stackCheckFailed(R); return false;
        // State.top lies above the spread pack.
        case bc::Op::CallVPack:
        case bc::Op::CallMVPack: break;
        default: mayCall(s); break;
    }
    safepoint(s, R);
    return false;
}
SLOW_PATH(slowEnter) { raiseStackOverflow(s); }

// --- integers

SLOW_PATH(slowAddI) {
    int64_t r = 0;
    bool ok = base::addInteger(integerOf(rb(R, i)), integerOf(rc(R, i)), r);
    return setInteger(s, R, i, ok, r);
}
SLOW_PATH(slowSubI) {
    int64_t r = 0;
    bool ok = base::subInteger(integerOf(rb(R, i)), integerOf(rc(R, i)), r);
    return setInteger(s, R, i, ok, r);
}
SLOW_PATH(slowMulI) {
    int64_t r = 0;
    bool ok = base::mulInteger(integerOf(rb(R, i)), integerOf(rc(R, i)), r);
    return setInteger(s, R, i, ok, r);
}
SLOW_PATH(slowIDivI) {
    int64_t b = integerOf(rc(R, i));
    if (b == 0) raise(s, ErrorKind::IntegerDivByZero);
    return setInteger(s, R, i, true, b == -1 ? integerOf(0 - rb(R, i)) : base::floorDivInteger(integerOf(rb(R, i)), b));
}
SLOW_PATH(slowModI) {
    int64_t b = integerOf(rc(R, i));
    if (b == 0) raise(s, ErrorKind::IntegerModByZero);
    return setInteger(s, R, i, true, b == -1 ? 0 : base::floorModInteger(integerOf(rb(R, i)), b));
}
SLOW_PATH(slowAddII) {
    int64_t r = 0;
    bool ok = base::addInteger(integerOf(rb(R, i)), bc::fieldSC(i), r);
    return setInteger(s, R, i, ok, r);
}
SLOW_PATH(slowMulII) {
    int64_t r = 0;
    bool ok = base::mulInteger(integerOf(rb(R, i)), bc::fieldSC(i), r);
    return setInteger(s, R, i, ok, r);
}
SLOW_PATH(slowAndI) { return setInteger(s, R, i, true, integerOf(rb(R, i) & rc(R, i))); }
SLOW_PATH(slowOrI) { return setInteger(s, R, i, true, integerOf(rb(R, i) | rc(R, i))); }
SLOW_PATH(slowXorI) { return setInteger(s, R, i, true, integerOf(rb(R, i) ^ rc(R, i))); }
SLOW_PATH(slowNotI) { return setInteger(s, R, i, true, integerOf(~rb(R, i))); }
SLOW_PATH(slowShlI) {
    return setInteger(s, R, i, true, base::shiftLeft(integerOf(rb(R, i)), integerOf(rc(R, i))));
}
SLOW_PATH(slowShrI) {
    return setInteger(s, R, i, true, base::shiftRight(integerOf(rb(R, i)), integerOf(rc(R, i))));
}

// --- conversions

SLOW_PATH(slowFToI) {
    double d = numberOf(rb(R, i));
    int64_t r = 0;
    if (base::numberToInteger(d, r)) return setInteger(s, R, i, true, r);
    switch (static_cast<bc::FToIKind>(bc::fieldC(i))) {
        case bc::FToIKind::Index: raise(s, ErrorKind::IndexNotWhole, d);
        case bc::FToIKind::Bitwise: raise(s, ErrorKind::BitOperandNotWhole, "", d);
        case bc::FToIKind::BitLeft: raise(s, ErrorKind::BitOperandNotWhole, "left ", d);
        case bc::FToIKind::BitRight: raise(s, ErrorKind::BitOperandNotWhole, "right ", d);
        case bc::FToIKind::Cast:
        case bc::FToIKind::Argument: break;
    }
    raise(s, d == std::floor(d) ? ErrorKind::NotInRange : ErrorKind::NotWhole, d);
}
SLOW_PATH(slowFloorF) {
    double d = numberOf(rb(R, i));
    double whole = 0;
    switch (static_cast<bc::RoundKind>(bc::fieldC(i))) {
        case bc::RoundKind::Floor: whole = std::floor(d); break;
        case bc::RoundKind::Ceil: whole = std::ceil(d); break;
        case bc::RoundKind::Trunc: whole = std::trunc(d); break;
    }
    int64_t r = 0;
    if (!base::numberToInteger(whole, r)) raise(s, ErrorKind::NotInRange, d);
    ra(R, i) = wordOf(r);
    return false;
}
SLOW_PATH(slowBoxEnum) {
    Word w = ra(R, i);
    ra(R, i) = boxTyped(w, typeAt(K, x)).word();
    return false;
}
SLOW_PATH(slowUnboxF) { raiseMismatch(s, vb(R, i), s.types.basic(TypeKind::Number), bc::CheckKind::Convert); }
SLOW_PATH(slowUnboxI) {
    ra(R, i) = convert(s, vb(R, i), s.types.basic(TypeKind::Integer), bc::CheckKind::Convert);
    return false;
}
SLOW_PATH(slowUnboxB) { raiseMismatch(s, vb(R, i), s.types.basic(TypeKind::Boolean), bc::CheckKind::Convert); }
SLOW_PATH(slowUnbox) {
    ra(R, i) = convert(s, vb(R, i), typeAt(K, x), static_cast<bc::CheckKind>(bc::fieldC(i)));
    return false;
}
SLOW_PATH(slowCheckRef) {
    const TypeDesc* type = typeAt(K, x);
    const auto kind = static_cast<bc::CheckKind>(bc::fieldC(i));
    if (kind == bc::CheckKind::Word) {
        if (!wordHasType(s, rb(R, i), type)) reportWrongWord(s, rb(R, i), type);
        return false;
    }
    const Object* o = objectOf(rb(R, i));
    if (!refHasType(s, o, type)) raiseMismatch(s, Value::objectOrNil(o), type, kind);
    return false;
}
SLOW_PATH(slowIsType) {
    ra(R, i) = hasType(s, vb(R, i), typeAt(K, x)) ? 1 : 0;
    return false;
}
SLOW_PATH(slowIsTypeRef) {
    ra(R, i) = refHasType(s, objectOf(rb(R, i)), typeAt(K, x)) ? 1 : 0;
    return false;
}
SLOW_PATH(slowCheckNil) {
    switch (static_cast<bc::NilKind>(bc::fieldC(i))) {
        case bc::NilKind::Assert:
        case bc::NilKind::Convert: break;
        case bc::NilKind::Key: raise(s, ErrorKind::Message, "no such key in table");
        case bc::NilKind::Index: raiseCannot(s, ErrorKind::CannotIndex, Value::nil());
    }
    raise(s, ErrorKind::NilAssertion);
}
SLOW_PATH(slowCheckNull) { return slowCheckNil(s, R, K, i, x); }

// --- comparisons

SLOW_PATH(slowEqRef) {
    ra(R, i) = rawEqualsRef(objectOf(rb(R, i)), objectOf(rc(R, i))) ? 1 : 0;
    return false;
}
SLOW_PATH(slowEqX) {
    mayCall(s);
    ra(R, i) = equals(s, vb(R, i), vc(R, i)) ? 1 : 0;
    return false;
}
SLOW_PATH(slowLtX) {
    mayCall(s);
    ra(R, i) = lessThan(s, vb(R, i), vc(R, i)) ? 1 : 0;
    return false;
}
SLOW_PATH(slowLeX) {
    mayCall(s);
    ra(R, i) = lessEqual(s, vb(R, i), vc(R, i)) ? 1 : 0;
    return false;
}
SLOW_PATH(slowJLtX) {
    mayCall(s);
    return lessThan(s, va(R, i), vb(R, i));
}
SLOW_PATH(slowJLeX) {
    mayCall(s);
    return lessEqual(s, va(R, i), vb(R, i));
}
SLOW_PATH(slowJEqX) {
    mayCall(s);
    return equals(s, va(R, i), vb(R, i));
}
SLOW_PATH(slowLtS) {
    ra(R, i) = compareStrings(refOf<String>(rb(R, i)), refOf<String>(rc(R, i))) < 0 ? 1 : 0;
    return false;
}
SLOW_PATH(slowLeS) {
    ra(R, i) = compareStrings(refOf<String>(rb(R, i)), refOf<String>(rc(R, i))) <= 0 ? 1 : 0;
    return false;
}

// --- packs

SLOW_PATH(slowPackMake) {
    uint32_t count = bc::fieldB(i);
    std::memcpy(s.results, &ra(R, i), count * sizeof(Word));
    s.resultCount = count;
    return false;
}
SLOW_PATH(slowVarargAll) {
    uint32_t count = static_cast<uint32_t>(R[-4]);
    std::memcpy(ensureResults(s, count), R - 4 - count, count * sizeof(Word));
    s.resultCount = count;
    return false;
}
SLOW_PATH(slowRetPack) {
    uint32_t before = bc::fieldB(i), count = s.resultCount;
    Word* results = ensureResults(s, uint64_t{before} + count);
    std::memmove(results + before, results, count * sizeof(Word));
    std::memcpy(results, &ra(R, i), before * sizeof(Word));
    s.resultCount = before + count;
    return false;
}

// --- closures, cells, objects

SLOW_PATH(slowClosure) {
    const Function& f = programOf(K)->functions[x];
    const bool isBound = f.proto->isBound;
    Closure* const c = newClosure(s, &f, f.signature, bc::fieldD(i) + (isBound ? 1 : 0));
    if (f.proto->isAdapter) c->flags |= Closure::kAdapter;
    if (isBound) {
        c->flags |= Closure::kBoundCode;
        c->captures[1] = f.boundKey;
    }
    ra(R, i) = wordOf(c);
    return false;
}
SLOW_PATH(slowNewCell) {
    ra(R, i) = wordOf(newCell(s, rb(R, i), static_cast<Rep>(bc::fieldC(i))));
    return false;
}

// --- arrays

SLOW_PATH(slowNewArr) {
    ra(R, i) = wordOf(newArray(s, typeAt(K, x), bc::fieldD(i)));
    return false;
}
SLOW_PATH(slowAGet) { raiseIndex(s, integerOf(rc(R, i)), refOf<Array>(rb(R, i))); }
SLOW_PATH(slowAGetI) { raiseIndex(s, bc::fieldC(i), refOf<Array>(rb(R, i))); }
SLOW_PATH(slowASet) {
    Array* a = refOf<Array>(ra(R, i));
    if (rb(R, i) != a->length) raise(s, ErrorKind::WriteOutOfRange, integerOf(rb(R, i)), a->length);
    arrayPush(s, a, rc(R, i));
    return false;
}
SLOW_PATH(slowAPush) {
    arrayPush(s, refOf<Array>(ra(R, i)), rb(R, i));
    return false;
}
SLOW_PATH(slowAPushPack) {
    Array* a = refOf<Array>(ra(R, i));
    const TypeDesc* element = s.types.at(a->aux)->element();
    // The conversion of a function may call nothing, but it collects: the pack stays where it is scanned.
    for (uint32_t k = 0; k < s.resultCount; ++k)
        arrayPush(s, a, convert(s, Value::fromWord(s.results[k]), element, bc::CheckKind::Argument, k + 1));
    return false;
}
SLOW_PATH(slowCheckLen) { raise(s, ErrorKind::ArrayChanged); }

// --- tables

SLOW_PATH(slowNewTab) {
    const TypeDesc* type = typeAt(K, x);
    uint32_t room = bc::fieldD(i);
    ra(R, i) = type->kind == TypeKind::LuaTable ? wordOf(newLuaTable(s, 0, room)) : wordOf(newTable(s, type, room));
    return false;
}
SLOW_PATH(slowTGetS) { raise(s, ErrorKind::NoKey, Value::string(refOf<String>(rc(R, i)))); }
SLOW_PATH(slowTGetF) { raise(s, ErrorKind::NoKey, vc(R, i)); }
SLOW_PATH(slowTGetX) { raise(s, ErrorKind::NoKey, vc(R, i)); }
SLOW_PATH(slowTGetOptS) {
    const Table* t = refOf<Table>(rb(R, i));
    return setOptional(s, R, i, t, lookupString(s, t, refOf<String>(rc(R, i))));
}
SLOW_PATH(slowTGetOptF) {
    const Table* t = refOf<Table>(rb(R, i));
    return setOptional(s, R, i, t, lookupNumber(t, numberOf(rc(R, i))));
}
SLOW_PATH(slowTGetOptX) {
    const Table* t = refOf<Table>(rb(R, i));
    return setOptional(s, R, i, t, vc(R, i).isNil() ? nullptr : lookupKey(s, t, vc(R, i)));
}
SLOW_PATH(slowTSetS) {
    Table* t = refOf<Table>(ra(R, i));
    String* key = refOf<String>(rb(R, i));
    if (LUAPP_UNLIKELY(key == nullptr)) raise(s, ErrorKind::KeyIsNil);
    if (LUAPP_UNLIKELY(isNilWord(t, rc(R, i)))) {
        removeKey(s, t, Value::string(key));
    } else {
        setString(s, t, key, rc(R, i));
    }
    return false;
}
SLOW_PATH(slowTSetF) {
    setTable(s, refOf<Table>(ra(R, i)), vb(R, i), rc(R, i));
    return false;
}
SLOW_PATH(slowTSetX) {
    setTable(s, refOf<Table>(ra(R, i)), vb(R, i), rc(R, i));
    return false;
}
SLOW_PATH(slowTDel) {
    Value key = vb(R, i);
    if (!key.isNil()) removeKey(s, refOf<Table>(ra(R, i)), key);
    return false;
}
SLOW_PATH(slowTNext) {
    const Table* t = refOf<Table>(rb(R, i));
    uint32_t at = static_cast<uint32_t>(ra(R, i)), seen = static_cast<uint32_t>(ra(R, i) >> 32);
    if (seen == 0xFFFF'FFFFu) {
        seen = t->version;
    } else if (LUAPP_UNLIKELY(seen != t->version)) {
        raise(s, ErrorKind::TableChanged);
    }
    uint32_t next = nextEntry(t, at + 1);
    ra(R, i) = uint64_t{seen} << 32 | next;
    return next == kNoEntry;
}

/// The position is none of an entry: never in code of our compiler.
SLOW_PATH(slowTEntry) { raise(s, ErrorKind::TableChanged); }

// --- strings

SLOW_PATH(slowConcat) {
    ra(R, i) = wordOf(concat(s, refOf<String>(rb(R, i)), refOf<String>(rc(R, i))));
    return false;
}
SLOW_PATH(slowConcatN) {
    ra(R, i) = wordOf(concatN(s, &rb(R, i), bc::fieldC(i)));
    return false;
}
SLOW_PATH(slowToStr) {
    Word w = rb(R, i);
    Rep rep = static_cast<Rep>(bc::fieldC(i));
    if (rep == Rep::I64) {
        ra(R, i) = wordOf(integerString(s, integerOf(w)));
        return false;
    }
    mayCall(s);
    ra(R, i) = wordOf(toText(s, boxWord(w, rep)));
    return false;
}

// --- dynamic operations

static bool dynamicArith(State& s, Word* R, bc::ArithOp op, Insn i) {
    mayCall(s);
    if (op == bc::ArithOp::Unm) ra(R, i) = negate(s, vb(R, i)).word();
    else if (op == bc::ArithOp::BNot) ra(R, i) = bitwiseNot(s, vb(R, i)).word();
    else ra(R, i) = arith(s, op, vb(R, i), vc(R, i)).word();
    return false;
}
SLOW_PATH(slowArithX) { return dynamicArith(s, R, static_cast<bc::ArithOp>(x), i); }
SLOW_PATH(slowAddX) { return dynamicArith(s, R, bc::ArithOp::Add, i); }
SLOW_PATH(slowSubX) { return dynamicArith(s, R, bc::ArithOp::Sub, i); }
SLOW_PATH(slowMulX) { return dynamicArith(s, R, bc::ArithOp::Mul, i); }
SLOW_PATH(slowLenX) {
    mayCall(s);
    ra(R, i) = length(s, vb(R, i)).word();
    return false;
}
SLOW_PATH(slowConcatX) {
    mayCall(s);
    ra(R, i) = concatenate(s, std::span(&rb(R, i), bc::fieldC(i))).word();
    return false;
}
SLOW_PATH(slowIndexX) {
    if (vb(R, i).isLuaTable() && vc(R, i).isString()) {
        const Word* found = lookupString(s, vb(R, i).asLuaTable(), vc(R, i).asString());
        if (found != nullptr && *found != kNilBox) {
            ra(R, i) = *found;
            return false;
        }
    }
    mayCall(s);
    ra(R, i) = index(s, vb(R, i), vc(R, i)).word();
    return false;
}
/// Remembers in the field at bit `shift` of the instruction before State.pc that a lenient table has its name in entry `at`, for the
/// next time. The instruction has an extra word; chunks are written with 0 there.
static void takeHint(State& s, uint32_t at, unsigned shift) {
    if (at > 0xFF) return;
    Insn& insn = const_cast<Insn&>(s.pc[-2]);
    insn = (insn & ~(0xFFu << shift)) | at << shift;
}

/// R[B].name of a table of lenient code if no function is to be called for it; null otherwise. Leaves in the instruction where it was.
LUAPP_ALWAYS_INLINE static const Word* tableMember(State& s, Value v, String* name, Insn i) {
    if (!v.isLuaTable()) return nullptr;
    String*& indexName = s.eventNames[static_cast<unsigned>(Event::Index)];
    if (LUAPP_UNLIKELY(indexName == nullptr)) indexName = newString(s, eventKey(Event::Index));
    uint32_t entry = bc::fieldC(i);
    const Word* found = findMember(s, v.asLuaTable(), name, indexName, entry);
    if (entry != bc::fieldC(i)) takeHint(s, entry, 24);
    return found;
}

SLOW_PATH(slowMemberX) {
    if (const Word* found = tableMember(s, vb(R, i), refOf<String>(K[x]), i)) {
        ra(R, i) = *found;
        return false;
    }
    mayCall(s);
    ra(R, i) = member(s, vb(R, i), refOf<String>(K[x])).word();
    return false;
}
SLOW_PATH(slowGlobalX) {
    const Value globals = Value::fromWord(refOf<Closure>(R[-1])->captures[0]);
    if (const Word* found = tableMember(s, globals, refOf<String>(K[x]), i)) {
        ra(R, i) = *found;
        return false;
    }
    mayCall(s);
    ra(R, i) = member(s, globals, refOf<String>(K[x])).word();
    return false;
}
SLOW_PATH(slowMethodX) {
    if (const Word* found = tableMember(s, vb(R, i), refOf<String>(K[x]), i)) {
        ra(R, i) = *found;
        return false;
    }
    mayCall(s);
    ra(R, i) = method(s, vb(R, i), refOf<String>(K[x])).word();
    return false;
}
SLOW_PATH(slowSetIndexX) {
    if (va(R, i).isLuaTable()) {
        LuaTable* t = va(R, i).asLuaTable();
        const bool isPlain = t->metatable == nullptr || (t->metatable->flags & LuaTable::kNoNewIndex) != 0;
        if (isPlain && vb(R, i).isString()) {
            luaSetString(s, t, vb(R, i).asString(), vc(R, i));
            return false;
        }
        if (isPlain && vb(R, i).isNumber() && vb(R, i).asNumber() == vb(R, i).asNumber()) {
            luaSetNumber(s, t, vb(R, i).asNumber(), vc(R, i));
            return false;
        }
    }
    mayCall(s);
    setIndex(s, Value::fromWord(ra(R, i)), vb(R, i), vc(R, i));
    return false;
}
SLOW_PATH(slowSetMemberX) {
    const Value v = Value::fromWord(ra(R, i));
    if (v.isLuaTable()) {
        LuaTable* t = v.asLuaTable();
        if (t->metatable == nullptr || (t->metatable->flags & LuaTable::kNoNewIndex) != 0) {
            takeHint(s, luaSetString(s, t, refOf<String>(K[x]), vc(R, i)), 16);
            return false;
        }
        takeHint(s, findString(s, t, refOf<String>(K[x])), 16);
    }
    mayCall(s);
    setMember(s, v, refOf<String>(K[x]), vc(R, i));
    return false;
}
SLOW_PATH(slowIterX) {
    mayCall(s);
    IterTriplet t = iterate(s, Value::fromWord(ra(R, i)), bc::fieldB(i));
    Word* r = &ra(R, i);
    r[0] = t.function.word();
    r[1] = t.state.word();
    r[2] = t.control.word();
    return false;
}

// --- tables and loops of lenient code

SLOW_PATH(slowNewLuaTab) {
    ra(R, i) = Value::luaTable(newLuaTable(s, bc::fieldD(i), x)).word();
    return false;
}

/// Stores `count` boxes at positions from `first` on.
static void setList(State& s, LuaTable* t, const Word* values, uint32_t count, uint32_t first) {
    if (first == 1 && t->arrayLength == 0) {
        luaSetArray(s, t, reinterpret_cast<const Value*>(values), count);
        return;
    }
    for (uint32_t k = 0; k < count; ++k) luaSetInt(s, t, int64_t{first} + k, Value::fromWord(values[k]));
}

SLOW_PATH(slowSetList) {
    const Word* r = &ra(R, i);
    setList(s, Value::fromWord(r[0]).asLuaTable(), r + 1, bc::fieldB(i), x);
    return false;
}
SLOW_PATH(slowSetListPack) {
    const Word* r = &ra(R, i);
    const uint32_t before = bc::fieldB(i);
    LuaTable* t = Value::fromWord(r[0]).asLuaTable();
    if (before != 0) setList(s, t, r + 1, before, x);
    if (s.resultCount != 0) setList(s, t, s.results, s.resultCount, x + before);
    return false;
}

SLOW_PATH(slowLoopNum) {
    constexpr ErrorKind kErrors[] = {ErrorKind::ForInitNotNumber, ErrorKind::ForLimitNotNumber, ErrorKind::ForStepNotNumber};
    const Value v = vb(R, i);
    double d;
    if (!v.isString() || !base::textToNumber(v.asString()->view(), d)) raise(s, kErrors[bc::fieldC(i)]);
    ra(R, i) = wordOf(d);
    return false;
}

// --- debuggable code

SLOW_PATH(slowEvent) {
    hookEvent(s, static_cast<bc::EventKind>(bc::fieldA(i)), vb(R, i));
    return false;
}

// --- errors

SLOW_PATH(slowRaise) {
    constexpr unsigned kErrorCount = 0
#define LUAPP_RUNTIME_ERROR(name, text) +1
#include "runtime/vm/errors.def"
        ;
    unsigned kind = bc::fieldA(i);
    const ErrorKind error = kind < kErrorCount ? static_cast<ErrorKind>(kind) : ErrorKind::Message;
    if (std::strstr(errorText(error), "{}") == nullptr) raise(s, error);
    const Value operand = vb(R, i);
    // A string is the compiler's own text.
    if (operand.isString()) raise(s, error, operand.asString()->view());
    raise(s, error, operand);
}

#undef SLOW_PATH

}  // namespace luapp::rt
