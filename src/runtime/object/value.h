// Value: a dynamically typed value in one 64-bit word, a NaN box. `any`, table keys, lenient code and the results of dynamic
// calls use it; typed code holds raw words instead (base/rep.h) and boxes at the border.
//
//   0x0000'0000'0000'0000 .. 0xFFF8'0000'0000'0000   a double, its own bits (NaNs canonical: 0x7FF8.. or 0xFFF8.. and 48 zero bits)
//   0xFFF9'pppp'pppp'pppp   small constant, p: 0 nil, 1 false, 2 true, 3 absent (never seen by programs)
//   0xFFFA'pppp'pppp'pppp   light userdata, p: the address
//   0xFFFB'tttt'oooo'oooo   enum value: index of the type descriptor t (16 bits), value o (32 bits, signed)
//   0xFFFC'pppp'pppp'pppp   String*
//   0xFFFD'pppp'pppp'pppp   LuaTable* (table of lenient code)
//   0xFFFE'pppp'pppp'pppp   Closure*
//   0xFFFF'pppp'pppp'pppp   any other heap object; its header says what
//
// So "is a number" is one unsigned comparison, "is a string" compares the top 16 bits, and boxing a number is free.
// An integer is boxed as the double of the same value. Two boxes with equal words are equal values, but for NaN; the reverse
// holds for everything but numbers (0 and -0) and long strings. All functions here are pure and cannot collect.
#pragma once

#include <bit>
#include <cstdint>

#include "runtime/base/numeric.h"
#include "runtime/object/object.h"

namespace luapp::rt {

struct String;
struct Array;
struct Table;
struct LuaTable;
struct Closure;
struct Coroutine;
struct Userdata;

/// Tags in the top 16 bits of a Value that is no number.
enum class Tag : uint16_t {
    Constant = 0xFFF9,
    LightUserdata = 0xFFFA,
    Enum = 0xFFFB,
    String = 0xFFFC,
    LuaTable = 0xFFFD,
    Function = 0xFFFE,
    Object = 0xFFFF,
};

inline constexpr uint64_t kPayloadMask = 0x0000'FFFF'FFFF'FFFFu;
/// The greatest word that is a number.
inline constexpr uint64_t kLastNumber = 0xFFF8'0000'0000'0000u;

constexpr uint64_t tagBits(Tag t) { return uint64_t{static_cast<uint16_t>(t)} << 48; }

inline constexpr Word kNilBox = tagBits(Tag::Constant) | 0;
inline constexpr Word kFalseBox = tagBits(Tag::Constant) | 1;
inline constexpr Word kTrueBox = tagBits(Tag::Constant) | 2;
/// "No argument given" and "no key here": internal, never seen by programs.
inline constexpr Word kAbsentBox = tagBits(Tag::Constant) | 3;

/// The box tag of references to objects of a kind, from object_kinds.def.
constexpr Tag tagOf(Kind kind) {
    switch (kind) {
#define LUAPP_OBJECT_KIND(name, type, text, tag) \
    case Kind::name: return Tag::tag;
#include "runtime/object/object_kinds.def"
    }
    return Tag::Object;
}

class Value {
public:
    constexpr Value() : word_(kNilBox) {}

    static constexpr Value fromWord(Word w) { return Value(w); }
    static constexpr Value nil() { return Value(kNilBox); }
    static constexpr Value absent() { return Value(kAbsentBox); }
    static constexpr Value boolean(bool b) { return Value(kFalseBox + (b ? 1 : 0)); }
    /// `d` must be a number computed by arithmetic or a canonical NaN; fromRawDouble takes any bits.
    static constexpr Value number(double d) { return Value(std::bit_cast<uint64_t>(d)); }
    static constexpr Value integer(int64_t i) { return number(static_cast<double>(i)); }
    /// A double of unknown origin (bytes from a file): NaNs become the canonical one.
    static constexpr Value fromRawDouble(double d) { return d == d ? number(d) : Value(0x7FF8'0000'0000'0000u); }
    static Value lightUserdata(const void* p) {
        return Value(tagBits(Tag::LightUserdata) | (reinterpret_cast<uint64_t>(p) & kPayloadMask));
    }
    static constexpr Value enumeration(uint32_t typeIndex, int32_t ordinal) {
        return Value(tagBits(Tag::Enum) | uint64_t{typeIndex & 0xFFFFu} << 32 | static_cast<uint32_t>(ordinal));
    }
    /// `o` must not be null.
    static Value object(const Object* o) { return Value(tagBits(tagOf(o->kind)) | reinterpret_cast<uint64_t>(o)); }
    /// nil if `o` is null.
    static Value objectOrNil(const Object* o) { return o == nullptr ? nil() : object(o); }
    static Value string(const String* s) { return Value(tagBits(Tag::String) | reinterpret_cast<uint64_t>(s)); }
    static Value luaTable(const LuaTable* t) { return Value(tagBits(Tag::LuaTable) | reinterpret_cast<uint64_t>(t)); }
    static Value function(const Closure* c) { return Value(tagBits(Tag::Function) | reinterpret_cast<uint64_t>(c)); }

    constexpr Word word() const { return word_; }
    constexpr bool hasTag(Tag t) const { return (word_ >> 48) == static_cast<uint16_t>(t); }

    constexpr bool isNumber() const { return word_ <= kLastNumber; }
    constexpr bool isNil() const { return word_ == kNilBox; }
    constexpr bool isAbsent() const { return word_ == kAbsentBox; }
    constexpr bool isBoolean() const { return word_ == kFalseBox || word_ == kTrueBox; }
    constexpr bool isTrue() const { return word_ == kTrueBox; }
    /// Neither nil nor false.
    constexpr bool isTruthy() const { return word_ != kNilBox && word_ != kFalseBox; }
    constexpr bool isLightUserdata() const { return hasTag(Tag::LightUserdata); }
    constexpr bool isEnum() const { return hasTag(Tag::Enum); }
    constexpr bool isString() const { return hasTag(Tag::String); }
    constexpr bool isLuaTable() const { return hasTag(Tag::LuaTable); }
    constexpr bool isFunction() const { return hasTag(Tag::Function); }
    /// Any reference to a heap object: string, table, function or other.
    constexpr bool isObject() const { return word_ >= tagBits(Tag::String); }
    /// A reference to a heap object of kind `k`.
    bool is(Kind k) const { return hasTag(tagOf(k)) && asObject()->kind == k; }

    constexpr double asNumber() const { return std::bit_cast<double>(word_); }
    void* asLightUserdata() const { return reinterpret_cast<void*>(word_ & kPayloadMask); }
    constexpr uint32_t enumTypeIndex() const { return static_cast<uint32_t>(word_ >> 32) & 0xFFFFu; }
    constexpr int32_t enumOrdinal() const { return static_cast<int32_t>(static_cast<uint32_t>(word_)); }
    Object* asObject() const { return reinterpret_cast<Object*>(word_ & kPayloadMask); }
    String* asString() const { return reinterpret_cast<String*>(word_ & kPayloadMask); }
    LuaTable* asLuaTable() const { return reinterpret_cast<LuaTable*>(word_ & kPayloadMask); }
    Closure* asFunction() const { return reinterpret_cast<Closure*>(word_ & kPayloadMask); }
    Array* asArray() const { return reinterpret_cast<Array*>(word_ & kPayloadMask); }
    Table* asTable() const { return reinterpret_cast<Table*>(word_ & kPayloadMask); }
    Instance* asInstance() const { return reinterpret_cast<Instance*>(word_ & kPayloadMask); }
    Coroutine* asCoroutine() const { return reinterpret_cast<Coroutine*>(word_ & kPayloadMask); }
    Userdata* asUserdata() const { return reinterpret_cast<Userdata*>(word_ & kPayloadMask); }

    /// Same word: same value for everything but numbers and long strings (see rawEquals).
    constexpr bool operator==(const Value& o) const = default;

private:
    explicit constexpr Value(Word w) : word_(w) {}
    Word word_;
};
static_assert(sizeof(Value) == 8);

constexpr Word wordOf(double d) { return std::bit_cast<uint64_t>(d); }
constexpr Word wordOf(int64_t i) { return static_cast<uint64_t>(i); }
constexpr Word wordOf(bool b) { return b ? 1 : 0; }
inline Word wordOf(const Object* o) { return reinterpret_cast<uint64_t>(o); }
constexpr Word wordOf(Value v) { return v.word(); }
constexpr double numberOf(Word w) { return std::bit_cast<double>(w); }
constexpr int64_t integerOf(Word w) { return static_cast<int64_t>(w); }
inline Object* objectOf(Word w) { return reinterpret_cast<Object*>(w); }
template <class T>
T* refOf(Word w) {
    return reinterpret_cast<T*>(w);
}

/// The box of a raw word of representation `rep` (an I64 is taken as an integer, not as an enum value).
Value boxWord(Word w, Rep rep);

/// Equality without metamethods: numbers by value, strings by content, adapters by the function they wrap, others by identity.
bool rawEquals(Value a, Value b);

/// The same for two references (either may be null).
bool rawEqualsRef(const Object* a, const Object* b);

/// What `type(v)` answers: "nil", "number", "table", "array", "record" ... ; a file is "userdata". Never null.
const char* typeName(Value v);

/// The raw word that stands for "not initialised" of a representation: 0, but nil for Box.
constexpr Word emptyWord(Rep rep) { return rep == Rep::Box ? kNilBox : 0; }

}  // namespace luapp::rt
