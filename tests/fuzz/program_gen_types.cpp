// What the generator knows of types: made ones, type arguments in place of parameters, ancestors and members of classes.
#include <algorithm>

#include "program_gen_impl.h"

namespace luapp::fuzz {

/// The type of that shape, made if it is new; `weight` counts then.
Ty Generator::intern(Shape shape, std::vector<Ty> parts, size_t index, int weight) {
    std::string text;
    std::string prefix;
    switch (shape) {
        case Shape::Class:
            text = classes_[index].name;
            for (size_t i = 0; i < parts.size(); i++) text += (i == 0 ? "<" : ", ") + info(parts[i]).text;
            if (!parts.empty()) text += ">";
            prefix = "c";
            break;
        case Shape::Enum: text = enums_[index].name, prefix = "e"; break;
        case Shape::Optional:
            text = info(parts[0]).shape == Shape::Function ? "(" + info(parts[0]).text + ")?" : info(parts[0]).text + "?";
            prefix = "oc";
            break;
        case Shape::List: text = "Array<" + info(parts[0]).text + ">", prefix = "ca"; break;
        case Shape::Dictionary: text = "Table<string, " + info(parts[0]).text + ">", prefix = "ct"; break;
        case Shape::Function: text = "(" + info(parts[0]).text + "): " + info(parts[1]).text, prefix = "cf"; break;
        case Shape::Either: text = info(parts[0]).text + " | " + info(parts[1]).text, prefix = "cu"; break;
        case Shape::Parameter: text = "T" + std::to_string(index), prefix = "t"; break;
        case Shape::Plain: break;
    }
    for (size_t i = 0; i < types_.size(); i++) {
        if (types_[i].text == text) return Ty(i);
    }
    types_.push_back({text, prefix, "", weight, shape, std::move(parts), index});
    return Ty(types_.size() - 1);
}

/// `ty` with `args` in place of `params`.
Ty Generator::substitute(Ty ty, const std::vector<Ty>& params, const std::vector<Ty>& args) {
    if (ty == kVoid || params.empty()) return ty;
    for (size_t i = 0; i < params.size(); i++) {
        if (params[i] == ty) return args[i];
    }
    const TypeInfo t = info(ty);
    std::vector<Ty> parts;
    for (Ty part : t.parts) parts.push_back(substitute(part, params, args));
    return parts == t.parts ? ty : intern(t.shape, parts, t.index, 0);
}

/// Finds `args` (kVoid: not known yet) such that `pattern` with them is `ty`.
bool Generator::unify(Ty pattern, Ty ty, const std::vector<Ty>& params, std::vector<Ty>& args) const {
    for (size_t i = 0; i < params.size(); i++) {
        if (params[i] != pattern) continue;
        if (args[i] == kVoid) args[i] = ty;
        return args[i] == ty;
    }
    if (pattern == ty) return true;
    if (pattern == kVoid || ty == kVoid) return false;
    const TypeInfo &p = info(pattern), &t = info(ty);
    if (p.shape != t.shape || p.index != t.index || p.parts.size() != t.parts.size() || p.parts.empty()) return false;
    for (size_t i = 0; i < p.parts.size(); i++) {
        if (!unify(p.parts[i], t.parts[i], params, args)) return false;
    }
    return true;
}

/// Some type that a type parameter can stand for.
Ty Generator::argumentFor(Ty param) {
    constexpr Ty kOrdered[] = {Ty::Number, Ty::Integer, Ty::String};
    constexpr Ty kAny[] = {Ty::Number, Ty::Integer, Ty::String, Ty::Boolean, Ty::Numbers, Ty::Integers, Ty::Point, Ty::Unary, Ty::NumberTable};
    const size_t number = info(param).index;
    if (number % 2 == kComparable) return random_.pick(kOrdered);
    std::vector<Ty> classes = classTypes();
    return !classes.empty() && random_.chance(40) ? random_.pick(classes) : random_.pick(kAny);
}

bool Generator::inherits(size_t cls, size_t base) const {
    if (cls == base) return true;
    return std::any_of(classes_[cls].bases.begin(), classes_[cls].bases.end(), [&](Ty b) { return inherits(info(b).index, base); });
}

/// True if a class type is, or has among its ancestors, `base`.
bool Generator::isA(Ty sub, Ty base) {
    if (sub == base) return true;
    const TypeInfo t = info(sub);
    const std::vector<Ty> bases = classes_[t.index].bases, params = classes_[t.index].params;
    return std::any_of(bases.begin(), bases.end(), [&](Ty b) { return isA(substitute(b, params, t.parts), base); });
}

/// All class types that variables may have now; interfaces among them.
std::vector<Ty> Generator::classTypes() const {
    std::vector<Ty> found;
    for (size_t i = kTyCount; i < types_.size(); i++) {
        if (types_[i].shape == Shape::Class && types_[i].weight > 0) found.push_back(Ty(i));
    }
    return found;
}

/// The classes whose objects are values of `ty`, `ty` itself among them if it is no interface.
std::vector<Ty> Generator::subtypesOf(Ty ty) {
    std::vector<Ty> found;
    for (Ty sub : classTypes()) {
        if (!classes_[info(sub).index].isInterface && isA(sub, ty)) found.push_back(sub);
    }
    if (found.empty()) found.push_back(ty);
    return found;
}

void Generator::eachMember(Ty ty, std::vector<Seen>& out, Ty receiver) {
    const TypeInfo t = info(ty);
    const size_t index = t.index;
    const std::vector<Ty> params = classes_[index].params;
    auto seen = [&](Ty type) -> Seen& {
        out.push_back({receiver, index, nullptr, nullptr, nullptr, substitute(type, params, t.parts), {}});
        return out.back();
    };
    for (const FieldInfo& f : classes_[index].fields) seen(f.ty).field = &f;
    for (const EventInfo& e : classes_[index].events) seen(e.param).event = &e;
    for (const MethodInfo& m : classes_[index].methods) {
        Seen& s = seen(m.result);
        s.method = &m;
        for (Ty p : m.params) s.params.push_back(substitute(p, params, t.parts));
    }
    const std::vector<Ty> bases = classes_[index].bases;
    for (Ty base : bases) eachMember(substitute(base, params, t.parts), out, receiver);
}

/// Everything that objects of a class have, their ancestors' members included.
std::vector<Generator::Seen> Generator::membersOf(Ty ty) {
    std::vector<Seen> members;
    eachMember(ty, members, ty);
    return members;
}

bool Generator::isVisible(const Seen& member, const std::string& receiver) const {
    const Access access = member.field ? member.field->access : member.method ? member.method->access : Access::Public;
    switch (access) {
        case Access::Public: return true;
        case Access::Private: return member.owner == class_;
        case Access::Protected: return receiver == "self";
    }
    return false;
}

}  // namespace luapp::fuzz
