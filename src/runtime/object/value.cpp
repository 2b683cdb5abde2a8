#include "runtime/object/value.h"

#include "runtime/object/closure.h"
#include "runtime/object/string.h"

namespace luapp::rt {

Value boxWord(Word w, Rep rep) {
    switch (rep) {
        case Rep::F64:
        case Rep::Box: return Value::fromWord(w);
        case Rep::I64: return Value::integer(integerOf(w));
        case Rep::Bool: return Value::boolean((w & 1) != 0);
        case Rep::Ref: return Value::objectOrNil(objectOf(w));
        case Rep::Void:
        case Rep::Pack: break;
    }
    LUAPP_UNREACHABLE("a word of this representation has no box");
}

bool rawEquals(Value a, Value b) {
    if (a.isNumber() && b.isNumber()) return a.asNumber() == b.asNumber();
    if (a == b) return true;
    if (a.isString() && b.isString()) return equalStrings(a.asString(), b.asString());
    if (a.isFunction() && b.isFunction()) return equalFunctions(a.asFunction(), b.asFunction());
    return false;
}

bool rawEqualsRef(const Object* a, const Object* b) {
    if (a == b) return true;
    if (a == nullptr || b == nullptr || a->kind != b->kind) return false;
    if (a->kind == Kind::String) return equalStrings(static_cast<const String*>(a), static_cast<const String*>(b));
    if (a->kind == Kind::Closure) return equalFunctions(static_cast<const Closure*>(a), static_cast<const Closure*>(b));
    return false;
}

const char* typeName(Value v) {
    if (v.isNumber()) return "number";
    if (v.isNil() || v.isAbsent()) return "nil";
    if (v.isBoolean()) return "boolean";
    if (v.isLightUserdata()) return "userdata";
    if (v.isEnum()) return "enum";
    switch (v.asObject()->kind) {
#define LUAPP_OBJECT_KIND(name, type, text, tag) \
    case Kind::name: return text;
#include "runtime/object/object_kinds.def"
    }
    LUAPP_UNREACHABLE("a reference to no object");
}

}  // namespace luapp::rt
