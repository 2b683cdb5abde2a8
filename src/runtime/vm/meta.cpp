#include "runtime/vm/meta.h"

#include <fmt/format.h>

#include "runtime/object/array.h"
#include "runtime/object/closure.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/userdata.h"
#include "runtime/vm/call.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/class_desc.h"
#include "runtime/vm/convert.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

namespace {

/// Chains of __index and __newindex longer than this are taken for a loop.
constexpr unsigned kMaxChain = 100;

constexpr std::string_view kEventKeys[] = {
#define LUAPP_METAMETHOD(event, key) key,
#include "runtime/vm/metamethods.def"
};
constexpr unsigned kCachedEvents = 6;

Event eventOf(bc::ArithOp op) {
    switch (op) {
        case bc::ArithOp::Add: return Event::Add;
        case bc::ArithOp::Sub: return Event::Sub;
        case bc::ArithOp::Mul: return Event::Mul;
        case bc::ArithOp::Div: return Event::Div;
        case bc::ArithOp::IDiv: return Event::IDiv;
        case bc::ArithOp::Mod: return Event::Mod;
        case bc::ArithOp::Pow: return Event::Pow;
        case bc::ArithOp::And: return Event::BAnd;
        case bc::ArithOp::Or: return Event::BOr;
        case bc::ArithOp::Xor: return Event::BXor;
        case bc::ArithOp::Shl: return Event::Shl;
        case bc::ArithOp::Shr: return Event::Shr;
        case bc::ArithOp::Unm: return Event::Unm;
        case bc::ArithOp::BNot: return Event::BNot;
    }
    return Event::Add;
}

bool isBitwise(bc::ArithOp op) { return op >= bc::ArithOp::And; }

/// `side`: "left " or "right ", for the message; of a unary operator "".
int64_t bitOperand(State& s, double d, std::string_view side) {
    int64_t i;
    if (!base::numberToInteger(d, i)) raise(s, ErrorKind::BitOperandNotWhole, side, d);
    return i;
}

Value integerResult(State& s, int64_t r) {
    if (!base::inIntegerRange(r)) raise(s, ErrorKind::IntegerOverflow);
    return Value::integer(r);
}

Value bitwise(State& s, bc::ArithOp op, double x, double y) {
    int64_t a = bitOperand(s, x, "left "), b = bitOperand(s, y, "right ");
    if (op == bc::ArithOp::And) return integerResult(s, a & b);
    if (op == bc::ArithOp::Or) return integerResult(s, a | b);
    if (op == bc::ArithOp::Xor) return integerResult(s, a ^ b);
    if (op == bc::ArithOp::Shl) return integerResult(s, base::shiftLeft(a, b));
    return integerResult(s, base::shiftRight(a, b));
}

Value numericArith(State& s, bc::ArithOp op, double x, double y) {
    switch (op) {
        case bc::ArithOp::Add: return Value::number(x + y);
        case bc::ArithOp::Sub: return Value::number(x - y);
        case bc::ArithOp::Mul: return Value::number(x * y);
        case bc::ArithOp::Div: return Value::number(x / y);
        case bc::ArithOp::IDiv: return Value::number(base::floorDivNumber(x, y));
        case bc::ArithOp::Mod: return Value::number(base::floorModNumber(x, y));
        case bc::ArithOp::Pow: return Value::number(base::powerNumber(x, y));
        case bc::ArithOp::And:
        case bc::ArithOp::Or:
        case bc::ArithOp::Xor:
        case bc::ArithOp::Shl:
        case bc::ArithOp::Shr:
        case bc::ArithOp::Unm:
        case bc::ArithOp::BNot: break;
    }
    return bitwise(s, op, x, y);
}

/// The operator method for two operands of which one at least is an object. Of several the first whose parameters take the
/// operands counts; if none does, the first one tells what it wants. The left operand's class is looked at first. nil: none.
Value objectOperator(State& s, Event e, Value a, Value b) {
    Value first = metamethod(s, a, e);
    auto fits = [&](Value f) { return !f.isNil() && takesArgument(s, f, 0, a) && takesArgument(s, f, 1, b); };
    if (fits(first)) return first;
    for (Value operand : {a, b}) {
        Value other = operand.is(Kind::Object) ? operatorOf(s, operand, e, true) : metamethod(s, operand, e);
        if (fits(other)) return other;
        if (first.isNil()) first = other;
    }
    return first;
}

/// A string that spells a number is one for the operators of lenient code.
bool coercedNumber(State& s, Value v, double& out) {
    if (v.isNumber()) {
        out = v.asNumber();
        return true;
    }
    return v.isString() && isLenientCode(s) && base::textToNumber(v.asString()->view(), out);
}

/// The metamethod of the first operand that has one, called with both; absent if neither has.
Value binaryEvent(State& s, Event e, Value a, Value b) {
    Value handler;
    if (a.is(Kind::Object) || b.is(Kind::Object)) {
        handler = objectOperator(s, e, a, b);
    } else {
        handler = metamethod(s, a, e);
        if (handler.isNil()) handler = metamethod(s, b, e);
    }
    if (handler.isNil()) return Value::absent();
    Value args[2] = {a, b};
    return callFirst(s, handler, args);
}

/// The same for `<` and `<=`: of Lua tables and userdata both must have the metamethod, as in Lua 5.1. Absent: they cannot be compared so.
Value orderEvent(State& s, Event e, Value a, Value b) {
    if (a.is(Kind::Object) || b.is(Kind::Object)) return binaryEvent(s, e, a, b);
    if (a.isLuaTable() != b.isLuaTable() || a.is(Kind::Userdata) != b.is(Kind::Userdata)) return Value::absent();
    Value handler = metamethod(s, a, e);
    if (handler.isNil() || !rawEquals(handler, metamethod(s, b, e))) return Value::absent();
    Value args[2] = {a, b};
    return callFirst(s, handler, args);
}

[[noreturn]] void raiseCompare(State& s, Value a, Value b) {
    std::string_view x = typeNameOf(s, a), y = typeNameOf(s, b);
    if (x == y) raise(s, ErrorKind::CannotCompareSame, x);
    raise(s, ErrorKind::CannotCompare, x, y);
}

/// A key as array index; raises if it is no whole number.
int64_t arrayIndex(State& s, Value array, Value key) {
    if (!key.isNumber()) {
        if (key.isString()) raise(s, ErrorKind::NoMember, typeNameOf(s, array), key.asString());
        raise(s, ErrorKind::TypeMismatch, "integer", typeNameOf(s, key));
    }
    int64_t i;
    if (!base::numberToInteger(key.asNumber(), i)) raise(s, ErrorKind::IndexNotWhole, key.asNumber());
    return i;
}

Value arrayGet(State& s, const Array* a, Value key) {
    int64_t i = arrayIndex(s, Value::object(a), key);
    if (i < 0 || i >= a->length) raise(s, ErrorKind::IndexOutOfRange, i, a->length);
    return boxTyped(a->get(static_cast<uint32_t>(i)), s.types.at(a->aux)->element());
}

/// `value` as a word of the container type `container`, whose elements or values are of type `wanted`.
Word convertElement(State& s, Value value, const TypeDesc* wanted, const TypeDesc* container) {
    Word w;
    if (LUAPP_UNLIKELY(!tryConvert(s, value, wanted, w))) raise(s, ErrorKind::ElementRefused, container, wanted, refused(s, value, wanted));
    return w;
}

void arrayPut(State& s, Array* a, Value key, Value value) {
    int64_t i = arrayIndex(s, Value::object(a), key);
    const TypeDesc* type = s.types.at(a->aux);
    Word w = convertElement(s, value, type->element(), type);
    if (i < 0 || i > a->length) raise(s, ErrorKind::WriteOutOfRange, i, a->length);
    if (i == a->length) {
        arrayPush(s, a, w);
    } else {
        arraySet(s, a, static_cast<uint32_t>(i), w);
    }
}

Value tableGet(State& s, const Table* t, Value key) {
    if (key.isNil()) return Value::nil();
    const Word* w = lookupKey(s, t, key);
    return w == nullptr ? Value::nil() : boxTyped(*w, s.types.at(t->aux)->value());
}

void checkKey(State& s, Value key) {
    if (key.isNil()) raise(s, ErrorKind::KeyIsNil);
    if (key.isNumber() && key.asNumber() != key.asNumber()) raise(s, ErrorKind::KeyIsNaN);
}

void tablePut(State& s, Table* t, Value key, Value value) {
    checkKey(s, key);
    const TypeDesc* type = s.types.at(t->aux);
    Word ignored;
    if (!tryConvert(s, key, type->key(), ignored)) raise(s, ErrorKind::KeyRefused, type, type->key(), refused(s, key, type->key()));
    if (value.isNil()) {
        removeKey(s, t, key);
        return;
    }
    setKey(s, t, key, convertElement(s, value, type->value(), type));
}

const FieldDesc* recordField(const State& s, const Instance* o, std::string_view name) {
    return o->aux == 0 ? nullptr : s.types.at(o->aux)->findField(name);
}

Word* fieldWord(Instance* o, const FieldDesc* f) {
    return reinterpret_cast<Word*>(reinterpret_cast<char*>(o) + f->offset);
}

/// What library members are called of: "Array", "Table", "string", "File", or "" if the value has none.
std::string_view libraryType(Value v) {
    if (v.isString()) return "string";
    if (v.is(Kind::Array)) return "Array";
    if (v.is(Kind::Table)) return "Table";
    if (v.is(Kind::Userdata) && v.asUserdata()->userClass->sharesMetatable) return "File";
    return {};
}

/// The member of a library type, bound if `bind`; absent if there is none.
Value libraryMember(State& s, Value v, String* name, bool bind) {
    std::string_view type = libraryType(v);
    if (type.empty() || s.builtins == nullptr) return Value::absent();
    BuiltinMember m = s.builtins->findMember(type, name->view());
    if (m.index < 0) return Value::absent();
    if (m.isProperty) {
        Word self = wordOf(v.asObject());
        return Value::integer(integerOf(s.builtins->functions[m.index](s, &self)));
    }
    Closure* f = s.builtins->closure(s, static_cast<uint32_t>(m.index));
    return Value::function(bind ? newBoundMethod(s, v, f, Closure::kNoBoundKey) : f);
}

Value luaIndex(State& s, Value v, Value key) {
    for (unsigned n = 0; n < kMaxChain; ++n) {
        if (v.isLuaTable()) {
            Value found = luaGet(s, v.asLuaTable(), key);
            if (!found.isNil() || v.asLuaTable()->metatable == nullptr) return found;
        }
        Value handler = metamethod(s, v, Event::Index);
        if (handler.isNil()) {
            if (v.isLuaTable()) return Value::nil();
            raiseCannot(s, ErrorKind::CannotIndex, v, n == 0 ? operandName(s, bc::NoteUse::Index) : SourceName{});
        }
        if (handler.isFunction()) {
            Value args[2] = {v, key};
            return callFirst(s, handler, args);
        }
        if (!handler.isLuaTable() && metatableOf(s, handler) == nullptr) {
            if (handler.isNumber() || handler.isBoolean()) raiseCannot(s, ErrorKind::CannotIndex, handler);
            return index(s, handler, key);
        }
        v = handler;
    }
    raise(s, ErrorKind::MetamethodLoop, "__index");
}

/// The member of a value whose library type has none of this name: only a metatable can help.
Value memberOfMetatable(State& s, Value v, String* name) {
    if (!libraryType(v).empty() && metatableOf(s, v) == nullptr) raise(s, ErrorKind::NoMember, typeNameOf(s, v), name);
    return luaIndex(s, v, Value::string(name));
}

void luaSetIndex(State& s, Value v, Value key, Value value) {
    for (unsigned n = 0; n < kMaxChain; ++n) {
        Value handler;
        if (v.isLuaTable()) {
            LuaTable* t = v.asLuaTable();
            if (t->metatable != nullptr && luaGet(s, t, key).isNil()) handler = metamethod(s, v, Event::NewIndex);
            if (handler.isNil()) {
                checkKey(s, key);
                luaSet(s, t, key, value);
                return;
            }
        } else {
            handler = metamethod(s, v, Event::NewIndex);
            if (handler.isNil())
                raiseCannot(s, ErrorKind::CannotSetIndex, v, n == 0 ? operandName(s, bc::NoteUse::Index) : SourceName{});
        }
        if (handler.isFunction()) {
            Value args[3] = {v, key, value};
            call(s, handler, args);
            return;
        }
        if (!handler.isLuaTable() && metatableOf(s, handler) == nullptr) {
            if (handler.isNumber() || handler.isBoolean()) raiseCannot(s, ErrorKind::CannotSetIndex, handler);
            return setIndex(s, handler, key, value);
        }
        v = handler;
    }
    raise(s, ErrorKind::MetamethodLoop, "__newindex");
}

bool isText(Value v) { return v.isString() || v.isNumber(); }

/// Strings and numbers, two or more, joined; `boxes` as for concatenate().
String* joinTexts(State& s, std::span<Word> boxes) {
    constexpr size_t kMostNumbers = 8;  // further ones are made strings first
    char digits[kMostNumbers][base::kNumberTextSize];
    size_t lengths[kMostNumbers];
    size_t numbers = 0;
    uint64_t length = 0;
    for (Word& box : boxes) {
        const Value v = Value::fromWord(box);
        if (v.isNumber() && numbers < kMostNumbers) {
            lengths[numbers] = base::numberToText(v.asNumber(), digits[numbers], numberStyle(s, v.asNumber()));
            length += lengths[numbers++];
        } else {
            String* const text = v.isString() ? v.asString() : numberString(s, v.asNumber(), numberStyle(s, v.asNumber()));
            if (!v.isString()) box = Value::string(text).word();
            length += text->length;
        }
    }
    const Value first = Value::fromWord(boxes[0]);
    StringJoiner joiner(s, first.isString() ? first.asString() : nullptr, length);
    size_t number = 0;
    for (const Word box : boxes) {
        const Value v = Value::fromWord(box);
        if (v.isString()) {
            joiner.add(v.asString()->view());
        } else {
            joiner.add({digits[number], lengths[number]});
            number++;
        }
    }
    return joiner.finish();
}

void appendAddress(TextBuilder& text, const void* address) {
    char buffer[24];
    auto end = fmt::format_to_n(buffer, sizeof buffer, "0x{:x}", reinterpret_cast<uintptr_t>(address));
    text.append(std::string_view(buffer, end.size));
}

/// "class Person".
String* classText(State& s, Value v) {
    TextBuilder text(s);
    text.append("class ");
    text.append(classOf(s, v.asObject()).type->name);
    return text.finish();
}

/// o[key] of an instance: `__index` if it takes the key, else a member by name.
Value objectIndex(State& s, Value o, Value key) {
    Value handler = operatorOf(s, o, Event::Index, false);
    if (!handler.isNil() && (!key.isString() || takesArgument(s, handler, 1, key))) {
        Value args[2] = {o, key};
        return callFirst(s, handler, args);
    }
    if (!key.isString()) raiseCannot(s, ErrorKind::CannotIndex, o);
    return objectMember(s, o, key.asString());
}

void objectSetIndex(State& s, Value o, Value key, Value value) {
    Value handler = operatorOf(s, o, Event::NewIndex, false);
    if (!handler.isNil() && (!key.isString() || takesArgument(s, handler, 1, key))) {
        Value args[3] = {o, key, value};
        call(s, handler, args);
        return;
    }
    if (!key.isString()) raiseCannot(s, ErrorKind::CannotSetIndex, o);
    setObjectMember(s, o, key.asString(), value);
}

}  // namespace

std::string_view eventKey(Event e) { return kEventKeys[static_cast<unsigned>(e)]; }

LuaTable* metatableOf(const State& s, Value v) {
    if (v.isLuaTable()) return v.asLuaTable()->metatable;
    if (v.isString()) return s.stringMetatable;
    if (v.is(Kind::Userdata)) {
        const Userdata* u = v.asUserdata();
        return u->metatable != nullptr || !u->userClass->sharesMetatable ? u->metatable : s.userdataMetatable;
    }
    return s.typeMetatables[typeMetatableIndex(v)];
}

Value metamethod(State& s, Value v, Event e) {
    if (v.is(Kind::Object)) return operatorOf(s, v, e, false);
    LuaTable* meta = metatableOf(s, v);
    if (meta == nullptr) return Value::nil();
    unsigned n = static_cast<unsigned>(e);
    uint8_t bit = n < kCachedEvents ? static_cast<uint8_t>(1u << (LuaTable::kAbsentShift + n)) : 0;
    if ((meta->flags & bit) != 0) return Value::nil();
    static_assert(kEventCount <= State::kMaxEvents);
    String*& key = s.eventNames[n];
    if (key == nullptr) key = newString(s, eventKey(e));
    Value found = luaGetString(s, meta, key);
    if (found.isNil()) meta->flags |= bit;
    return found;
}

Value arith(State& s, bc::ArithOp op, Value a, Value b) {
    if (a.isNumber() && b.isNumber()) return numericArith(s, op, a.asNumber(), b.asNumber());
    double x, y;
    if (coercedNumber(s, a, x) && coercedNumber(s, b, y)) return numericArith(s, op, x, y);
    Value result = binaryEvent(s, eventOf(op), a, b);
    if (!result.isAbsent()) return result;
    const bool isSecond = coercedNumber(s, a, x);
    raiseCannot(s, isBitwise(op) ? ErrorKind::CannotDoBitwise : ErrorKind::CannotDoArithmetic, isSecond ? b : a,
                operandName(s, bc::NoteUse::Operate, isSecond ? 1 : 0));
}

Value negate(State& s, Value v) {
    double x;
    if (coercedNumber(s, v, x)) return Value::number(-x);
    Value result = binaryEvent(s, Event::Unm, v, v);
    if (result.isAbsent()) raiseCannot(s, ErrorKind::CannotDoArithmetic, v, operandName(s, bc::NoteUse::Operate));
    return result;
}

Value bitwiseNot(State& s, Value v) {
    double x;
    if (coercedNumber(s, v, x)) return integerResult(s, ~bitOperand(s, x, ""));
    Value result = binaryEvent(s, Event::BNot, v, v);
    if (result.isAbsent()) raiseCannot(s, ErrorKind::CannotDoBitwise, v, operandName(s, bc::NoteUse::Operate));
    return result;
}

Value length(State& s, Value v) {
    if (v.isString()) return Value::integer(static_cast<int64_t>(v.asString()->length));
    if (v.is(Kind::Array)) return Value::integer(v.asArray()->length);
    if (v.is(Kind::Table)) return Value::integer(v.asTable()->count);
    Value handler = metamethod(s, v, Event::Len);
    if (!handler.isNil()) return callFirst(s, handler, std::span<const Value>(&v, 1));
    if (v.isLuaTable()) return Value::integer(static_cast<int64_t>(luaLength(s, v.asLuaTable())));
    raiseCannot(s, ErrorKind::CannotGetLength, v, operandName(s, bc::NoteUse::Operate));
}

Value concatenate(State& s, std::span<Word> boxes) {
    const size_t all = boxes.size();
    for (size_t count = all; count > 1;) {
        const Value a = Value::fromWord(boxes[count - 2]), b = Value::fromWord(boxes[count - 1]);
        Value joined;
        size_t begin = count - 2;
        if (a.isString() && b.isString() && begin == 0) {
            joined = Value::string(concat(s, a.asString(), b.asString()));
        } else if (isText(a) && isText(b)) {
            while (begin > 0 && isText(Value::fromWord(boxes[begin - 1]))) --begin;
            joined = Value::string(joinTexts(s, boxes.subspan(begin, count - begin)));
        } else {
            joined = binaryEvent(s, Event::Concat, a, b);
            if (joined.isAbsent()) {
                const size_t wrong = isText(a) ? count - 1 : count - 2;
                const bool isOperand = wrong < count - 1 || count == all;  // the last one may be what was joined
                raiseCannot(s, ErrorKind::CannotConcat, wrong == count - 1 ? b : a,
                            isOperand ? operandName(s, bc::NoteUse::Operate, static_cast<unsigned>(wrong)) : SourceName{});
            }
        }
        boxes[begin] = joined.word();
        count = begin + 1;
    }
    return Value::fromWord(boxes[0]);
}

bool equals(State& s, Value a, Value b) {
    if (rawEquals(a, b)) return true;
    if (a.is(Kind::Object) || b.is(Kind::Object)) {
        Value handler = objectOperator(s, Event::Eq, a, b);
        if (handler.isNil() || !takesArgument(s, handler, 0, a) || !takesArgument(s, handler, 1, b)) return false;
        Value args[2] = {a, b};
        return callFirst(s, handler, args).isTruthy();
    }
    bool comparable = (a.isLuaTable() && b.isLuaTable()) || (a.is(Kind::Userdata) && b.is(Kind::Userdata));
    if (!comparable) return false;
    // Lua 5.1: both operands must have the same metamethod.
    Value handler = metamethod(s, a, Event::Eq);
    if (handler.isNil() || !rawEquals(handler, metamethod(s, b, Event::Eq))) return false;
    Value args[2] = {a, b};
    return callFirst(s, handler, args).isTruthy();
}

bool lessThan(State& s, Value a, Value b) {
    if (a.isNumber() && b.isNumber()) return a.asNumber() < b.asNumber();
    if (a.isString() && b.isString()) return compareStrings(a.asString(), b.asString()) < 0;
    if (a.isEnum() && b.isEnum() && a.enumTypeIndex() == b.enumTypeIndex()) return a.enumOrdinal() < b.enumOrdinal();
    Value result = orderEvent(s, Event::Lt, a, b);
    if (result.isAbsent()) raiseCompare(s, a, b);
    return result.isTruthy();
}

bool lessEqual(State& s, Value a, Value b) {
    if (a.isNumber() && b.isNumber()) return a.asNumber() <= b.asNumber();
    if (a.isString() && b.isString()) return compareStrings(a.asString(), b.asString()) <= 0;
    if (a.isEnum() && b.isEnum() && a.enumTypeIndex() == b.enumTypeIndex()) return a.enumOrdinal() <= b.enumOrdinal();
    Value result = orderEvent(s, Event::Le, a, b);
    if (!result.isAbsent()) return result.isTruthy();
    if (a.is(Kind::Object) || b.is(Kind::Object)) raiseCompare(s, a, b);
    // Lua 5.1: a <= b is not (b < a) where only __lt is defined.
    result = orderEvent(s, Event::Lt, b, a);
    if (result.isAbsent()) raiseCompare(s, a, b);
    return !result.isTruthy();
}

Value index(State& s, Value v, Value key) {
    if (v.isLuaTable()) return luaIndex(s, v, key);
    if (v.is(Kind::Array)) {
        if (!key.isString()) return arrayGet(s, v.asArray(), key);
    } else if (v.is(Kind::Table)) {
        return tableGet(s, v.asTable(), key);
    } else if (v.is(Kind::Object)) {
        return objectIndex(s, v, key);
    }
    if (key.isString()) return member(s, v, key.asString());
    return luaIndex(s, v, key);
}

void setIndex(State& s, Value v, Value key, Value value) {
    if (v.is(Kind::Array)) return arrayPut(s, v.asArray(), key, value);
    if (v.is(Kind::Table)) return tablePut(s, v.asTable(), key, value);
    if (v.is(Kind::Object)) return objectSetIndex(s, v, key, value);
    if (key.isString() && (v.is(Kind::Record) || v.is(Kind::Class))) return setMember(s, v, key.asString(), value);
    luaSetIndex(s, v, key, value);
}

Value member(State& s, Value v, String* name) {
    if (v.isLuaTable()) return luaIndex(s, v, Value::string(name));
    if (v.is(Kind::Object)) return objectMember(s, v, name);
    if (v.is(Kind::Class)) return staticMember(s, v, name);
    if (v.is(Kind::Record)) {
        const FieldDesc* f = recordField(s, v.asInstance(), name->view());
        if (f == nullptr) raise(s, ErrorKind::NoMember, typeNameOf(s, v), name);
        return boxTyped(*fieldWord(v.asInstance(), f), f->type);
    }
    if (v.is(Kind::Table)) {
        // On `any` a dot names a string key first (LANGUAGE 5), then a member.
        Value found = tableGet(s, v.asTable(), Value::string(name));
        if (!found.isNil()) return found;
    }
    if ((v.isString() || v.is(Kind::Userdata)) && s.globals != nullptr && isLenientCode(s)) return luaIndex(s, v, Value::string(name));
    Value found = libraryMember(s, v, name, true);
    if (!found.isAbsent()) return found;
    if (v.is(Kind::Table)) return Value::nil();
    return memberOfMetatable(s, v, name);
}

void setMember(State& s, Value v, String* name, Value value) {
    if (v.is(Kind::Object)) return setObjectMember(s, v, name, value);
    if (v.is(Kind::Class)) return setStaticMember(s, v, name, value);
    if (!v.is(Kind::Record)) return setIndex(s, v, Value::string(name), value);
    const FieldDesc* f = recordField(s, v.asInstance(), name->view());
    if (f == nullptr) raise(s, ErrorKind::NoMember, typeNameOf(s, v), name);
    Word w;
    if (!tryConvert(s, value, f->type, w)) raise(s, ErrorKind::FieldRefused, name, typeNameOf(s, v), f->type, refused(s, value, f->type));
    Word* slot = fieldWord(v.asInstance(), f);
    if (base::mayHoldPointer(f->type->rep)) {
        storeWord(s, v.asInstance(), slot, w);
    } else {
        *slot = w;
    }
}

Value method(State& s, Value v, String* name) {
    if (v.is(Kind::Table)) {
        Value found = tableGet(s, v.asTable(), Value::string(name));
        if (!found.isNil()) return found;
    }
    if (v.is(Kind::Object)) return objectMethod(s, v, name);
    if (v.isLuaTable() || v.is(Kind::Record) || v.is(Kind::Class)) return member(s, v, name);
    const bool hasMetatable = metatableOf(s, v) != nullptr;
    if ((hasMetatable || (v.isString() && isLenientCode(s))) && s.globals != nullptr) {
        // Programs may change what strings find there.
        Value known = luaIndex(s, v, Value::string(name));
        if (!known.isNil() || isLenientCode(s)) return known;
    }
    Value found = libraryMember(s, v, name, false);
    return found.isAbsent() ? memberOfMetatable(s, v, name) : found;
}

String* userdataText(State& s, Userdata* u) {
    const char* status = u->userClass->status(u->data());
    TextBuilder text(s);
    text.append(u->userClass->name);
    text.append(" (");
    if (status != nullptr) {
        text.append(status);
    } else {
        appendAddress(text, u);
    }
    text.append(')');
    return text.finish();
}

base::NumberStyle numberStyle(const State& s, double d) {
    // Only beyond 14 digits is there a difference.
    constexpr double kFirst = 1e14;
    bool mayDiffer = d >= kFirst || d <= -kFirst;
    return LUAPP_UNLIKELY(mayDiffer) && isLenientCode(s) ? base::NumberStyle::Lua51 : base::NumberStyle::Strict;
}

String* toText(State& s, Value v) {
    if (v.isString()) return v.asString();
    if (v.isNumber()) return numberString(s, v.asNumber(), numberStyle(s, v.asNumber()));
    if (v.isBoolean()) return newString(s, v.isTrue() ? "true" : "false");
    if (v.isNil()) return newString(s, "nil");
    if (v.isEnum()) {
        const TypeDesc* type = s.types.at(v.enumTypeIndex());
        const FieldDesc* m = type->findMember(v.enumOrdinal());
        TextBuilder text(s);
        text.append(type->name);
        text.append('.');
        text.append(m == nullptr ? std::string_view("?") : m->name);
        return text.finish();
    }
    Value handler = metamethod(s, v, Event::ToString);
    if (!handler.isNil()) {
        Value result = callFirst(s, handler, std::span<const Value>(&v, 1));
        if (!result.isString() && !result.isNumber()) raise(s, ErrorKind::Message, "'tostring' must return a string");
        return toText(s, result);
    }
    if (v.is(Kind::Userdata) && v.asUserdata()->userClass->status != nullptr) return userdataText(s, v.asUserdata());
    if (v.is(Kind::Class)) return classText(s, v);
    const void* address = v.isLightUserdata() ? v.asLightUserdata() : v.asObject();
    TextBuilder text(s);
    text.append(v.is(Kind::Object) ? typeNameOf(s, v) : std::string_view(typeName(v)));
    text.append(": ");
    appendAddress(text, address);
    return text.finish();
}

// --- iteration over values whose kind is found at run time

namespace {

Word* capturesOf(Word closure) { return refOf<Closure>(closure)->captures; }

/// Iterator over an array; captures: index word, array, its length. Arguments are ignored.
Word arrayIterator(State& s, Word* args) {
    Word* self = capturesOf(args[-1]);
    Array* a = refOf<Array>(self[1]);
    uint32_t i = static_cast<uint32_t>(self[2]);
    if (a->length != static_cast<uint32_t>(self[3])) raise(s, ErrorKind::ArrayChanged);
    if (i >= a->length) {
        packOne(s, Value::nil());
        return kNilBox;
    }
    self[2] = i + 1;
    Value v = boxTyped(a->get(i), s.types.at(a->aux)->element());
    packOne(s, v);
    return v.word();
}

/// The same for two loop variables.
Word arrayPairIterator(State& s, Word* args) {
    uint64_t i = capturesOf(args[-1])[2];
    Word v = arrayIterator(s, args);
    if (capturesOf(args[-1])[2] == i) return kNilBox;
    s.results[0] = Value::integer(static_cast<int64_t>(i)).word();
    s.results[1] = v;
    s.resultCount = 2;
    return s.results[0];
}

Word tableIterator(State& s, Word* args) {
    Word* self = capturesOf(args[-1]);
    Table* t = refOf<Table>(self[1]);
    if (t->version != static_cast<uint32_t>(self[3])) raise(s, ErrorKind::TableChanged);
    uint32_t i = nextEntry(t, static_cast<uint32_t>(self[2]));
    if (i == kNoEntry) {
        packOne(s, Value::nil());
        return kNilBox;
    }
    self[2] = i + 1;
    const TableEntry& e = t->entries()[i];
    s.results[0] = e.key;
    s.results[1] = boxTyped(e.value, s.types.at(t->aux)->value()).word();
    s.resultCount = 2;
    return e.key;
}

Word stringIterator(State& s, Word* args) {
    Word* self = capturesOf(args[-1]);
    String* str = refOf<String>(self[1]);
    uint64_t i = self[2];
    Value v;
    if (i < str->length) {
        self[2] = i + 1;
        v = Value::string(byteString(s, static_cast<uint8_t>(str->data()[i])));
    }
    packOne(s, v);
    return v.word();
}

Word luaTableIterator(State& s, Word* args) {
    Word* self = capturesOf(args[-1]);
    Value key = Value::fromWord(self[2]), value;
    NextResult r = luaNext(s, refOf<LuaTable>(self[1]), key, value);
    if (r == NextResult::BadKey) raise(s, ErrorKind::InvalidNextKey);
    if (r == NextResult::End) {
        packOne(s, Value::nil());
        return kNilBox;
    }
    storeWord(s, refOf<Closure>(args[-1]), &self[2], key.word());
    s.results[0] = key.word();
    s.results[1] = value.word();
    s.resultCount = 2;
    return key.word();
}

IterTriplet iterator(State& s, BuiltinFn fn, const Object* over, Word start, Word mark) {
    Closure* c = newBuiltinClosure(s, fn, nullptr, -1, 3);
    Word* captures = c->captures;
    captures[1] = wordOf(over);
    captures[2] = start;
    captures[3] = mark;
    return {Value::function(c), Value::nil(), Value::nil()};
}

}  // namespace

IterTriplet iterate(State& s, Value v, uint32_t variables) {
    if (v.isFunction()) return {v, Value::nil(), Value::nil()};
    if (v.is(Kind::Array))
        return iterator(s, variables >= 2 ? arrayPairIterator : arrayIterator, v.asObject(), 0, v.asArray()->length);
    if (v.is(Kind::Table)) return iterator(s, tableIterator, v.asObject(), 0, v.asTable()->version);
    if (v.isString()) return iterator(s, stringIterator, v.asObject(), 0, 0);
    Value handler = metamethod(s, v, Event::Iter);
    if (!handler.isNil()) {
        call(s, handler, std::span<const Value>(&v, 1));
        auto at = [&](uint32_t k) { return k < s.resultCount ? Value::fromWord(s.results[k]) : Value::nil(); };
        return {at(0), at(1), at(2)};
    }
    if (!metamethod(s, v, Event::Call).isNil()) return {v, Value::nil(), Value::nil()};
    if (v.isLuaTable()) return iterator(s, luaTableIterator, v.asObject(), kNilBox, 0);
    raiseCannot(s, ErrorKind::CannotIterate, v);
}

}  // namespace luapp::rt
