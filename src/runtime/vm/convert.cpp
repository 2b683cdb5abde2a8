#include "runtime/vm/convert.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "runtime/object/userdata.h"
#include "runtime/vm/call.h"
#include "runtime/vm/class_desc.h"

namespace luapp::rt {

namespace {

bool isFile(const Object* o) {
    return o->kind == Kind::Userdata &&
           std::strcmp(static_cast<const Userdata*>(o)->userClass->name, "file") == 0;
}

/// A recursive alias of a function type and the type it stands for have descriptors of their own, but the same functions are values of both.
bool isExpansion(const TypeDesc* a, const TypeDesc* b) {
    if (a->isNominal == b->isNominal || a->kind != b->kind) return false;
    return std::ranges::equal(a->parts, b->parts) && std::ranges::equal(a->results, b->results) && a->vararg == b->vararg &&
           a->defaultCount == b->defaultCount && a->hasResultPack == b->hasResultPack;
}

/// Types whose values are references of exactly one descriptor, or of one kind.
bool objectHasType(const State& s, const Object* o, const TypeDesc* type) {
    switch (type->kind) {
        case TypeKind::Array: return o->kind == Kind::Array && o->aux == type->index;
        case TypeKind::Table: return o->kind == Kind::Table && o->aux == type->index;
        case TypeKind::Record: return o->kind == Kind::Record && o->aux == type->index;
        case TypeKind::Class:
        case TypeKind::Interface: return o->kind == Kind::Object && isInstance(s, o, type);
        case TypeKind::Function:
            return o->kind == Kind::Closure && (o->aux == type->index || (o->aux != 0 && isExpansion(s.types.at(o->aux), type)));
        case TypeKind::AnyFunction: return o->kind == Kind::Closure;
        case TypeKind::String: return o->kind == Kind::String;
        case TypeKind::LuaTable: return o->kind == Kind::LuaTable;
        case TypeKind::Thread: return o->kind == Kind::Coroutine;
        case TypeKind::Userdata: return o->kind == Kind::Userdata;
        case TypeKind::File: return isFile(o);
        case TypeKind::Any: return true;
        case TypeKind::Nil:
        case TypeKind::Boolean:
        case TypeKind::Number:
        case TypeKind::Integer:
        case TypeKind::Enum: return false;
        case TypeKind::Union: break;
    }
    for (const TypeDesc* member : type->parts)
        if (objectHasType(s, o, member)) return true;
    return false;
}

/// An untyped function where a typed one is wanted: the wrapper, or null if `v` is something else.
Closure* wrapFunction(State& s, Value v, const TypeDesc* type) {
    if (type->kind != TypeKind::Function || !v.isFunction()) return nullptr;
    Closure* c = v.asFunction();
    bool dynamicOnly = c->aux == 0 || isUntyped(s.types.at(c->aux));
    return dynamicOnly ? newCheckingWrapper(s, c, type) : nullptr;
}

/// The raw word of a value known to have the type.
Word unboxTyped(Value v, const TypeDesc* type) {
    switch (type->rep) {
        case Rep::F64:
        case Rep::Box: return v.word();
        case Rep::I64:
            return v.isEnum() ? wordOf(int64_t{v.enumOrdinal()}) : wordOf(static_cast<int64_t>(v.asNumber()));
        case Rep::Bool: return v.isTrue() ? 1 : 0;
        case Rep::Ref: return v.isNil() ? 0 : wordOf(v.asObject());
        case Rep::Void:
        case Rep::Pack: break;
    }
    return v.word();
}

}  // namespace

bool isUntyped(const TypeDesc* signature) {
    for (const TypeDesc* t : signature->parts)
        if (t->kind != TypeKind::Any) return false;
    for (const TypeDesc* t : signature->results)
        if (t->kind != TypeKind::Any) return false;
    return signature->vararg == nullptr || signature->vararg->kind == TypeKind::Any;
}

bool hasType(const State& s, Value v, const TypeDesc* type) {
    switch (type->kind) {
        case TypeKind::Any: return true;
        case TypeKind::Nil: return v.isNil();
        case TypeKind::Boolean: return v.isBoolean();
        case TypeKind::Number: return v.isNumber();
        case TypeKind::Integer: return v.isNumber() && base::isWhole(v.asNumber());
        case TypeKind::Enum: return v.isEnum() && v.enumTypeIndex() == type->index;
        case TypeKind::Userdata:
            if (v.isLightUserdata()) return true;
            break;
        case TypeKind::Union:
            for (const TypeDesc* member : type->parts)
                if (hasType(s, v, member)) return true;
            return false;
        case TypeKind::String:
        case TypeKind::Array:
        case TypeKind::Table:
        case TypeKind::Record:
        case TypeKind::Function:
        case TypeKind::AnyFunction:
        case TypeKind::Class:
        case TypeKind::Interface:
        case TypeKind::LuaTable:
        case TypeKind::Thread:
        case TypeKind::File: break;
    }
    return v.isObject() && objectHasType(s, v.asObject(), type);
}

bool refHasType(const State& s, const Object* o, const TypeDesc* type) {
    return o == nullptr ? type->acceptsNil : objectHasType(s, o, type);
}

namespace {

/// True if a live object may be there: in the heap, aligned, of a kind that exists.
bool isObjectAddress(const State& s, Word address) {
    constexpr uint64_t kHeapRange = uint64_t{64} << 30;
    if (address % kGranule != 0 || address - reinterpret_cast<uint64_t>(s.heap.base()) >= kHeapRange) return false;
    const Object* o = objectOf(address);
    return static_cast<unsigned>(o->kind) < kKindCount && (o->kind == Kind::String || o->kind == Kind::LuaTable || o->aux < s.types.size());
}

/// True if a box is one that programs may see.
bool isValidBox(const State& s, Value v) {
    if (v.isObject()) return isObjectAddress(s, v.word() & kPayloadMask) && v == Value::object(v.asObject());
    if (v.isEnum()) return v.enumTypeIndex() < s.types.size() && s.types.at(v.enumTypeIndex())->findMember(v.enumOrdinal());
    return v.isNumber() || v.isNil() || v.isBoolean() || v.isLightUserdata();
}

}  // namespace

bool wordHasType(const State& s, Word w, const TypeDesc* type) {
    switch (type->rep) {
        case Rep::F64: return Value::fromWord(w).isNumber();
        case Rep::I64:
            if (type->kind == TypeKind::Enum) return type->findMember(integerOf(w)) != nullptr;
            return integerOf(w) >= -base::kMaxInteger && integerOf(w) <= base::kMaxInteger;
        case Rep::Bool: return w <= 1;
        case Rep::Ref: return (w == 0 || isObjectAddress(s, w)) && refHasType(s, objectOf(w), type);
        case Rep::Box: return isValidBox(s, Value::fromWord(w)) && hasType(s, Value::fromWord(w), type);
        case Rep::Void:
        case Rep::Pack: break;
    }
    return false;
}

void reportWrongWord(State& s, Word w, const TypeDesc* type) {
    std::string_view got;
    if (type->rep == Rep::Ref && isObjectAddress(s, w)) {
        got = typeNameOf(s, Value::object(objectOf(w)));
    } else if (type->rep == Rep::Box && isValidBox(s, Value::fromWord(w))) {
        got = typeNameOf(s, Value::fromWord(w));
    }
    const std::string_view at = positionPrefix(s, 1)->view();
    std::fprintf(stderr, "%.*sa register of type %.*s holds the word 0x%llx", static_cast<int>(at.size()), at.data(),
                 static_cast<int>(type->name.size()), type->name.data(), static_cast<unsigned long long>(w));
    if (!got.empty()) std::fprintf(stderr, ", of type %.*s", static_cast<int>(got.size()), got.data());
    std::fputc('\n', stderr);
    LUAPP_UNREACHABLE("a register does not hold its type");
}

bool tryConvert(State& s, Value v, const TypeDesc* type, Word& out) {
    if (LUAPP_LIKELY(hasType(s, v, type))) {
        out = unboxTyped(v, type);
        return true;
    }
    Closure* wrapper = wrapFunction(s, v, type);
    if (wrapper == nullptr && type->kind == TypeKind::Union)
        for (const TypeDesc* member : type->parts)
            if (wrapper == nullptr) wrapper = wrapFunction(s, v, member);
    if (wrapper == nullptr) return false;
    out = type->rep == Rep::Box ? Value::function(wrapper).word() : wordOf(wrapper);
    return true;
}

Word convert(State& s, Value v, const TypeDesc* type, bc::CheckKind kind, uint32_t position) {
    Word out;
    if (LUAPP_LIKELY(tryConvert(s, v, type, out))) return out;
    if (kind == bc::CheckKind::Cast && type->kind == TypeKind::Enum && v.isNumber()) {
        int64_t ordinal;
        if (base::numberToInteger(v.asNumber(), ordinal) && type->findMember(ordinal) != nullptr) return wordOf(ordinal);
        raise(s, ErrorKind::NotAnEnumValue, v, type);
    }
    raiseMismatch(s, v, type, kind, position);
}

Value boxTyped(Word w, const TypeDesc* type) {
    if (type->kind == TypeKind::Enum) return Value::enumeration(type->index, static_cast<int32_t>(integerOf(w)));
    return boxWord(w, type->rep);
}

ErrorArg refused(State& s, Value v, const TypeDesc* wanted) {
    if (wanted->kind == TypeKind::Integer && v.isNumber()) return v;
    if (v.isLuaTable()) {
        if (wanted->kind == TypeKind::Array) return "a Lua table (convert it with Array.from)";
        if (wanted->kind == TypeKind::Table) return "a Lua table (convert it with Table.from)";
        return "a Lua table";
    }
    const std::string_view got = typeNameOf(s, v);
    // Every loaded program has classes of its own.
    return v.is(Kind::Object) && got == wanted->name ? std::string_view("one of another program") : got;
}

void raiseMismatch(State& s, Value v, const TypeDesc* type, bc::CheckKind kind, uint32_t position) {
    if (type->kind == TypeKind::Integer && v.isNumber() && kind != bc::CheckKind::Argument) {
        bool tooLarge = v.asNumber() == std::floor(v.asNumber());
        raise(s, tooLarge ? ErrorKind::NotInRange : ErrorKind::NotWhole, v.asNumber());
    }
    const ErrorArg got = refused(s, v, type);
    switch (kind) {
        case bc::CheckKind::Convert: raise(s, ErrorKind::TypeMismatch, type, got);
        case bc::CheckKind::Cast: raise(s, ErrorKind::CastFailed, got, type);
        case bc::CheckKind::Argument:
            if (position == 0) raise(s, ErrorKind::TypeMismatch, type, got);
            raise(s, ErrorKind::ArgumentMismatch, position, type, got);
        case bc::CheckKind::Result:
            if (position == 0) raise(s, ErrorKind::TypeMismatch, type, got);
            raise(s, ErrorKind::ResultMismatch, position, type, got);
        case bc::CheckKind::Word: break;
    }
    LUAPP_UNREACHABLE("kind of check");
}

void raiseCannot(State& s, ErrorKind kind, Value v, SourceName name) {
    // Lua 5.1 has one message for reading and writing.
    if (kind == ErrorKind::CannotSetIndex && isLenientCode(s)) kind = ErrorKind::CannotIndex;
    const char* type = typeName(v);
    TextBuilder text(s);
    const bool isNamed = name && !name.name.starts_with('(');
    if (isNamed) {
        text.append(bc::nameKindText(name.kind));
        text.append(" '");
        text.append(name.name);
        text.append("' (");
    }
    text.append(std::strchr("aeiou", type[0]) != nullptr ? "an " : "a ");
    text.append(std::string_view(type));
    text.append(isNamed ? " value)" : " value");
    raise(s, kind, text.finish());
}

std::string_view typeNameOf(const State& s, Value v) {
    if (v.isEnum()) return s.types.at(v.enumTypeIndex())->name;
    if (v.isObject()) {
        const Object* o = v.asObject();
        switch (o->kind) {
            case Kind::Array:
            case Kind::Table:
            case Kind::Record:
            case Kind::Object:
            case Kind::Closure:
                if (o->aux != 0) return s.types.at(o->aux)->name;
                break;
            case Kind::Userdata: return isFile(o) ? "File" : "userdata";
            case Kind::String:
            case Kind::StringBuffer:
            case Kind::Buffer:
            case Kind::TableStorage:
            case Kind::LuaTable:
            case Kind::Class:
            case Kind::Cell:
            case Kind::Coroutine: break;
        }
    }
    return typeName(v);
}

}  // namespace luapp::rt
