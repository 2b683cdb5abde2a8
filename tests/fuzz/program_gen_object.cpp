// Expressions of the types that a program declares, and statements about their values: objects, arrays and tables of them, unions,
// functions, type arguments.
#include <utility>

#include "program_gen_impl.h"

namespace luapp::fuzz {

namespace {

constexpr int kDepth = 3;

std::string join(const std::vector<std::string>& items) {
    std::string text;
    for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
    return text;
}

}  // namespace

// --- expressions ---------------------------------------------------------------------------------------------------------

std::string Generator::arguments(const std::vector<Ty>& params, size_t required, int depth) {
    std::vector<std::string> values;
    const size_t count = required + random_.below(params.size() - required + 1);
    for (size_t i = 0; i < count; i++) values.push_back(expr(params[i], depth));
    return join(values);
}

/// A value with nothing in it that is not there anyway. Never of a narrower type than `ty` where that would show.
std::string Generator::literalOf(Ty ty, int depth) {
    const TypeInfo t = info(ty);
    switch (t.shape) {
        case Shape::Class: {
            // At the bottom the oldest class of all: its constructors ask for older ones only, so this comes to an end.
            const std::vector<Ty> classes = subtypesOf(ty);
            return construct(depth < 0 ? classes.front() : random_.pick(classes), depth);
        }
        case Shape::Enum: return t.text + "." + random_.pick(enums_[t.index].members);
        case Shape::Optional: return "maybe<" + info(t.parts[0]).text + ">(" + expr(Ty::Boolean, depth) + ", " + expr(t.parts[0], depth) + ")";
        case Shape::List: {
            std::vector<std::string> elements;
            for (size_t i = random_.below(3); i > 0; i--) elements.push_back(expr(t.parts[0], depth));
            elements.push_back(expr(t.parts[0], depth));
            return "listOf<" + info(t.parts[0]).text + ">(" + join(elements) + ")";
        }
        case Shape::Dictionary: return "dictionary<" + info(t.parts[0]).text + ">(" + expr(Ty::String, 0) + ", " + expr(t.parts[0], depth) + ")";
        case Shape::Function: return function(ty, depth);
        case Shape::Either:
            return "oneOf<" + info(t.parts[0]).text + ", " + info(t.parts[1]).text + ">(" + expr(Ty::Boolean, depth) + ", " +
                   expr(t.parts[0], depth) + ", " + expr(t.parts[1], depth) + ")";
        case Shape::Parameter: return t.fallback;
        case Shape::Plain: break;
    }
    return "nil";
}

std::string Generator::objectExpr(Ty ty, int depth) {
    const TypeInfo t = info(ty);
    if (t.shape == Shape::Parameter) {
        const Variable* v = pickVariable(ty, false);
        const std::string value = v ? v->name : t.fallback;
        return random_.chance(10) ? "(hide(" + value + ") as " + t.text + ")" : value;
    }
    if (random_.chance(depth <= 0 ? 80 : 35)) {
        const Variable* v = pickVariable(ty, false);
        if (v) return v->name;
    }
    if (depth <= 0) return literalOf(ty, -1);
    const bool isObject = t.shape == Shape::Class;
    switch (random_.below(mayCallValues_ ? 9 : 3)) {
        case 0:
            if (t.shape == Shape::Either || t.shape == Shape::Optional) break;
            return "(hide(" + expr(ty, depth - 1) + ") as " + t.text + ")";
        case 1:
            if (!isObject) break;
            return "keep<" + t.text + ">(" + andOr(ty, depth - 1) + ")";
        case 2:
            if (t.shape != Shape::Enum || !isRisky()) break;
            return "(" + expr(Ty::Integer, depth - 1) + " as " + t.text + ")";
        case 3: {
            const Ty list = intern(Shape::List, {ty}, 0, 0);
            const Variable* v = pickVariable(list, false);
            if (!v) break;
            const std::string name = v->name;
            return name + "[" + indexOf(name, 1) + "]";
        }
        case 4: {
            if (t.shape != Shape::Optional) break;
            const Variable* v = pickVariable(intern(Shape::Dictionary, {t.parts[0]}, 0, 0), false);
            const Variable* list = pickVariable(intern(Shape::List, {t.parts[0]}, 0, 0), false);
            if (v) return v->name + "[" + expr(Ty::String, 0) + "]";
            if (list) return list->name + (random_.chance(50) ? ".first()" : ".last()");
            break;
        }
        default: {
            // Rarely in functions: most programs would do nothing but call each other.
            const std::string member = inBody_ || random_.chance(25) ? memberOf(ty, depth - 1) : "";
            if (!member.empty()) return member;
        }
    }
    return literalOf(ty, depth - 1);
}

/// An object to reach into, of static type `ty` or a class below it.
std::string Generator::receiver(Ty ty, int depth) {
    const Variable* v = pickVariable(ty, false);
    if (v && random_.chance(80)) return v->name;
    return "keep<" + info(ty).text + ">(" + objectExpr(ty, depth) + ")";
}

std::string Generator::construct(Ty ty, int depth) {
    const TypeInfo t = info(ty);
    const std::vector<Ty> ownParams = classes_[t.index].params;
    const std::vector<std::vector<Ty>>& all = classes_[t.index].constructors;
    std::vector<Ty> params = all.empty() ? std::vector<Ty>() : all[random_.below(all.size())];
    // Literals among the arguments take no type from a parameter where several constructors might be meant.
    const bool isPlain = all.size() < 2 && classes_[t.index].implicitFrom == kVoid;
    std::vector<std::string> values;
    for (Ty p : params) {
        const Ty given = substitute(p, ownParams, t.parts);
        const std::string value = expr(given, depth);
        values.push_back(given == Ty::Integer && !isPlain ? "keep<integer>(" + value + ")" : value);
    }
    return t.text + "(" + join(values) + ")";
}

/// A function literal.
std::string Generator::function(Ty ty, int depth) {
    const TypeInfo t = info(ty);
    const bool wasAllowed = std::exchange(mayCallValues_, false);
    const size_t visible = variables_.size();
    const std::string name = freshName(t.parts[0]);
    declare(name, t.parts[0], false);
    const std::string body = expr(t.parts[1], depth);
    variables_.resize(visible);
    mayCallValues_ = wasAllowed;
    return "function(" + name + ": " + info(t.parts[0]).text + "): " + info(t.parts[1]).text + " -> " + body;
}

/// A call of a generic function with its type arguments written out, or found by inference where that must give the same.
std::string Generator::genericCall(const GenericInfo& g, Ty wanted, int depth) {
    std::vector<Ty> args(g.typeParams.size(), kVoid);
    if (wanted != kVoid && !unify(g.result, wanted, g.typeParams, args)) return "";
    bool isExact = true;
    std::string text;
    for (size_t i = 0; i < args.size(); i++) {
        if (args[i] == kVoid) args[i] = argumentFor(g.typeParams[i]);
        const TypeInfo& a = info(args[i]);
        const bool isOrdered = args[i] == Ty::Number || args[i] == Ty::Integer || args[i] == Ty::String;
        if (info(g.typeParams[i]).index % 2 == kComparable && !isOrdered) return "";
        if (a.shape == Shape::Optional || a.shape == Shape::Either || args[i] == Ty::Any || args[i] == Ty::Union) return "";
        isExact &= args[i] == Ty::String || args[i] == Ty::Boolean || args[i] == Ty::Numbers;
        text += (i == 0 ? "<" : ", ") + a.text;
    }
    text = isExact && random_.chance(50) ? g.name + "(" : g.name + text + ">(";
    std::vector<std::string> values;
    const std::vector<Ty> params = g.params, typeParams = g.typeParams;
    for (Ty p : params) values.push_back(expr(substitute(p, typeParams, args), depth));
    return text + join(values) + ")";
}

/// Use of an operator method.
std::string Generator::operatorCall(const Seen& seen, const std::string& object, int depth) {
    struct Operator {
        const char* name;
        const char* text;
    };
    constexpr Operator kBinary[] = {{"__add", "+"}, {"__sub", "-"}, {"__mul", "*"}, {"__div", "/"}, {"__concat", ".."}, {"__lt", "<"},
                                    {"__le", "<="}, {"__eq", "=="}};
    const std::string& name = seen.method->name;
    if (name == "__len") return "(#" + object + ")";
    if (name == "__unm") return "(-" + object + ")";
    if (name == "__tostring") return "tostring(" + object + ")";
    if (name == "__call") return object + "(" + expr(seen.params[0], depth) + ")";
    if (name == "__index") return object + "[" + expr(seen.params[0], depth) + "]";
    for (const Operator& op : kBinary) {
        if (name == op.name) return "(" + object + " " + op.text + " " + expr(seen.params[0], depth) + ")";
    }
    return "";
}

std::string Generator::methodCall(const Seen& seen, const std::string& object, int depth) {
    const MethodInfo m = *seen.method;
    if (m.name.starts_with("__")) return operatorCall(seen, object, depth);
    if (m.isStatic) return info(seen.receiver).text + "." + m.name + "(" + arguments(seen.params, m.required, depth) + ")";
    if (object == "self" && random_.chance(25)) return m.name + "(" + arguments(seen.params, m.required, depth) + ")";
    return object + (random_.chance(25) ? ":" : ".") + m.name + "(" + arguments(seen.params, m.required, depth) + ")";
}

/// A value of the type from a field, method or operator of some object, a function, or a generic function; empty if there is none.
std::string Generator::memberOf(Ty ty, int depth) {
    std::vector<Seen> fitting;
    for (Ty cls : classTypes()) {
        for (Seen& seen : membersOf(cls)) {
            if (seen.ty != ty || seen.event || (seen.method && seen.method->name == "dump")) continue;
            const bool isStatic = seen.method ? seen.method->isStatic : seen.field->isStatic;
            if (isStatic && !info(cls).parts.empty()) continue;
            if (isVisible(seen, "self")) fitting.push_back(std::move(seen));
        }
    }
    if (!generics_.empty() && random_.chance(20)) {
        const std::string text = genericCall(random_.pick(generics_), ty, depth);
        if (!text.empty()) return text;
    }
    if (size_t(ty) >= kTyCount && random_.chance(20)) {
        std::vector<const FunctionInfo*> functions;
        for (const FunctionInfo& f : functions_) {
            if (f.results.size() == 1 && f.results[0] == ty) functions.push_back(&f);
        }
        if (!functions.empty()) return call(*random_.pick(functions), depth);
    }
    if (fitting.empty()) return "";
    const Seen seen = random_.pick(fitting);
    if (seen.field && seen.field->isStatic) return info(seen.receiver).text + "." + seen.field->name;
    if (seen.method && seen.method->isStatic) return methodCall(seen, "", depth);
    const std::string object = receiver(seen.receiver, depth);
    if (!isVisible(seen, object)) return "";
    if (seen.method) return methodCall(seen, object, depth);
    return object + "." + seen.field->name;
}

// --- statements ----------------------------------------------------------------------------------------------------------

/// A variable, field or argument of a class with an implicit constructor takes what that takes.
bool Generator::convertImplicitly() {
    std::vector<Ty> classes;
    for (Ty ty : classTypes()) {
        if (classes_[info(ty).index].implicitFrom != kVoid) classes.push_back(ty);
    }
    if (classes.empty()) return false;
    const Ty ty = random_.pick(classes);
    const std::string value = expr(classes_[info(ty).index].implicitFrom, 2), text = info(ty).text, name = freshName(ty);
    switch (random_.below(4)) {
        case 0: line("local " + annotated(name, ty) + " = keep<" + text + ">(" + value + ")"); break;
        case 1: line("local " + annotated(name, ty) + " = listOf<" + text + ">(" + value + ", " + expr(ty, 1) + ")[0]"); break;
        case 2: line("local " + annotated(name, ty) + " = maybe<" + text + ">(true, " + value + ")!"); break;
        default: line("local " + annotated(name, ty) + " = " + value); break;
    }
    declare(name, ty, random_.chance(60));
    return true;
}

bool Generator::changeObject() {
    std::vector<Ty> classes = classTypes();
    if (classes.empty()) return false;
    const Ty ty = random_.pick(classes);
    const std::string object = receiver(ty, 2);
    std::vector<Seen> fields;
    for (Seen& seen : membersOf(ty)) {
        if (seen.field && !seen.field->isConst && isVisible(seen, object)) fields.push_back(std::move(seen));
    }
    if (fields.empty()) return false;
    const Seen seen = random_.pick(fields);
    if (seen.field->isStatic && !info(ty).parts.empty()) return false;
    const std::string place = (seen.field->isStatic ? info(ty).text : object) + "." + seen.field->name;
    if (seen.ty == Ty::Number && random_.chance(40)) {
        line(place + (random_.chance(50) ? "++" : " += " + expr(seen.ty, 2)));
    } else if (seen.ty == Ty::Integer) {
        line(place + " = " + expr(seen.ty, kDepth) + " % 10007");
    } else if (seen.ty == Ty::String) {
        line(place + " = clip(" + expr(seen.ty, kDepth) + ")");
    } else {
        line(place + " = " + expr(seen.ty, kDepth));
    }
    return true;
}

bool Generator::callMethod() {
    if (!inBody_ && random_.chance(75)) return false;
    if (!generics_.empty() && random_.chance(20)) {
        line(genericCall(random_.pick(generics_), kVoid, 2));
        return true;
    }
    std::vector<Ty> classes = classTypes();
    if (classes.empty()) return false;
    const Ty ty = random_.pick(classes);
    const std::string object = receiver(ty, 2);
    std::vector<Seen> methods;
    for (Seen& seen : membersOf(ty)) {
        if (seen.method && !seen.method->name.starts_with("__") && !seen.method->isStatic && isVisible(seen, object)) methods.push_back(std::move(seen));
    }
    if (methods.empty()) return false;
    line(methodCall(random_.pick(methods), object, 2));
    return true;
}

/// A handler, one call that may fire it, and perhaps its end.
bool Generator::subscribe() {
    std::vector<Seen> events;
    for (Ty cls : classTypes()) {
        for (Seen& seen : membersOf(cls)) {
            if (seen.event) events.push_back(std::move(seen));
        }
    }
    if (events.empty()) return false;
    const Seen seen = random_.pick(events);
    const std::string event = seen.event->name;
    const std::string object = freshName(seen.receiver), handler = "h" + std::to_string(++names_), value = freshName(seen.ty);
    line("const " + object + ": " + info(seen.receiver).text + " = " + expr(seen.receiver, 2));
    const size_t visible = variables_.size();
    const std::vector<Ty> outerResults = std::exchange(results_, {});
    const int outerLoops = std::exchange(loopDepth_, 0);
    line("const " + handler + " = function(sender: any, " + value + ": " + info(seen.ty).text + "): void");
    declare(value, seen.ty, random_.chance(30));
    line("    print(\"" + handler + "\", type(sender), " + show(seen.ty, value) + ")");
    block(random_.between(0, 2));
    line("end");
    results_ = outerResults;
    loopDepth_ = outerLoops;
    variables_.resize(visible);
    declare(object, seen.receiver, false);
    line(object + "." + event + " += " + handler);
    for (const Seen& other : membersOf(seen.receiver)) {
        if (other.method && other.method->name == "fire" + event) line(methodCall(other, object, 2));
    }
    if (random_.chance(40)) line(object + "." + event + " -= " + handler);
    return true;
}

/// A block in which an object is known to be of a class below its own, or an `any` of some class.
bool Generator::narrowClass() {
    std::vector<Ty> classes = classTypes();
    if (classes.empty()) return false;
    const Ty to = random_.pick(classes);
    Ty from = Ty::Any;
    for (Ty cls : classes) {
        if (cls != to && isA(to, cls) && random_.chance(60)) from = cls;
    }
    const size_t visible = variables_.size();
    const std::string name = freshName(from);
    const std::string value = from == Ty::Any ? "hide(" + expr(random_.chance(60) ? to : randomType(), 2) + ")"
                                              : "keep<" + info(from).text + ">(" + expr(from, 2) + ")";
    line("const " + annotated(name, from) + " = " + value);
    const bool isNegative = random_.chance(30);
    line("if " + name + (isNegative ? " is not " : " is ") + info(to).text + " then");
    if (isNegative) {
        block(1);
        variables_.resize(visible);
        line("else");
    }
    declare(name, to, false);
    block(random_.between(1, 3));
    line("    print(" + show(to, name) + ")");
    variables_.resize(visible);
    line("end");
    declare(name, from, false);
    return true;
}

/// A union, taken apart.
bool Generator::narrowEither() {
    std::vector<Ty> unions;
    for (size_t i = kTyCount; i < types_.size(); i++) {
        if (types_[i].weight > 0 && (types_[i].shape == Shape::Either || types_[i].shape == Shape::Optional)) unions.push_back(Ty(i));
    }
    if (unions.empty()) return false;
    const Ty ty = random_.pick(unions);
    const TypeInfo t = info(ty);
    const size_t visible = variables_.size();
    const std::string name = freshName(ty);
    line("const " + annotated(name, ty) + " = " + literalOf(ty, 2));
    line("if " + name + (t.shape == Shape::Optional ? " ~= nil then" : " is " + info(t.parts[0]).text + " then"));
    declare(name, t.parts[0], false);
    block(random_.between(1, 2));
    variables_.resize(visible);
    line("else");
    if (t.shape == Shape::Either) declare(name, t.parts[1], false);
    block(random_.between(1, 2));
    variables_.resize(visible);
    line("end");
    return true;
}

/// A variable, or field of `self`, that is narrowed by tests and assignments while a closure may assign it. It is only handed to `any`,
/// which is right whatever the checker believes of it; what it believes is asserted.
bool Generator::narrowMutable() {
    std::vector<Ty> fitting{Ty::OptNumber, Ty::OptInteger, Ty::OptString, Ty::OptPoint};
    for (size_t i = kTyCount; i < types_.size(); i++) {
        if (types_[i].weight > 0 && (types_[i].shape == Shape::Either || types_[i].shape == Shape::Optional)) fitting.push_back(Ty(i));
    }
    Ty ty = random_.pick(fitting);
    std::string place = freshName(ty);
    const Variable* self = class_ == ~size_t(0) ? nullptr : pickVariable(intern(Shape::Class, classes_[class_].params, class_, 0), false);
    if (self && self->name == "self" && random_.chance(50)) {
        for (const FieldInfo& f : classes_[class_].fields) {
            const bool isOpen = info(f.ty).shape == Shape::Optional || info(f.ty).shape == Shape::Either;
            if (isOpen && !f.isConst && !f.isStatic) place = "self." + f.name, ty = f.ty;
        }
    }
    const TypeInfo t = info(ty);
    auto value = [&] {
        if (random_.chance(40)) return size_t(ty) < kTyCount ? expr(ty, 2) : literalOf(ty, 2);
        if (random_.chance(30)) return t.shape == Shape::Optional ? std::string("nil") : expr(t.parts[1], 2);
        return expr(t.parts[0], 2);
    };
    const std::string setter = "w" + std::to_string(++names_), counter = freshName(Ty::Integer);
    const std::string print = "print(showAny(" + place + "))";
    line((place.starts_with("self.") ? place : "local " + annotated(place, ty)) + " = " + value());
    if (random_.chance(60)) {
        line("local function " + setter + "(): void");
        line("    " + place + " = " + value());
        line("end");
    } else {
        line("const " + setter + " = function(): void -> tick()");
    }
    auto change = [&] { return random_.chance(50) ? setter + "()" : place + " = " + value(); };
    auto test = [&] {
        return t.shape == Shape::Optional ? place + " ~= nil" : "hide(" + place + ") is " + info(t.parts[0]).text;
    };
    line(print);
    if (random_.chance(50)) line(change());
    line("if " + (t.shape == Shape::Optional ? place + " ~= nil" : place + " is " + info(t.parts[0]).text) + " then");
    line("    " + print);
    line("    " + change());
    line("    " + print);
    line("end");
    line("for " + counter + " = 0, 3 do");
    line("    if " + test() + " then " + print + " end");
    if (random_.chance(50)) line("    " + change());
    if (random_.chance(50)) line("    if " + counter + " == 2 then break end");
    line("    " + print);
    line("end");
    line(print);
    return true;
}

bool Generator::changeList() {
    std::vector<size_t> lists;
    for (size_t i = 0; i < variables_.size(); i++) {
        if (size_t(variables_[i].ty) >= kTyCount && info(variables_[i].ty).shape == Shape::List) lists.push_back(i);
    }
    if (lists.empty()) return false;
    const Variable v = variables_[random_.pick(lists)];
    if (pickVariable(v.ty, false) == nullptr) return false;
    const Ty element = info(v.ty).parts[0];
    switch (random_.below(6)) {
        case 0: line(v.name + "[" + indexOf(v.name, 1) + "] = " + expr(element, 2)); break;
        case 1: line(v.name + ".insert(" + indexOf(v.name, 1) + ", " + expr(element, 2) + ")"); break;
        case 2: line(v.name + ".reverse()"); break;
        case 3: line("if #" + v.name + " > 1 then " + v.name + ".remove(" + indexOf(v.name, 1) + ") end"); break;
        case 4: line(v.name + "[#" + v.name + "] = " + expr(element, 2)); break;
        default: line(v.name + ".push(" + expr(element, 2) + ")"); break;
    }
    return true;
}

bool Generator::changeDictionary() {
    std::vector<size_t> tables;
    for (size_t i = 0; i < variables_.size(); i++) {
        if (size_t(variables_[i].ty) >= kTyCount && info(variables_[i].ty).shape == Shape::Dictionary) tables.push_back(i);
    }
    if (tables.empty()) return false;
    const Variable v = variables_[random_.pick(tables)];
    const Ty element = info(v.ty).parts[0];
    const std::string key = "clip(" + expr(Ty::String, 1) + ")";
    if (random_.chance(20)) {
        line(v.name + "[" + key + "] = nil");
    } else {
        line(v.name + "[" + key + "] = " + expr(element, 2));
    }
    return true;
}

/// A loop over an array or table of something declared.
bool Generator::walkList() {
    std::vector<Ty> lists;
    for (size_t i = kTyCount; i < types_.size(); i++) {
        const bool isWalked = types_[i].shape == Shape::List || types_[i].shape == Shape::Dictionary;
        if (types_[i].weight > 0 && isWalked) lists.push_back(Ty(i));
    }
    if (lists.empty()) return false;
    const TypeInfo t = info(random_.pick(lists));
    const size_t visible = variables_.size();
    const bool wasRepeat = std::exchange(inRepeat_, false);
    const Ty key = t.shape == Shape::List ? Ty::Integer : Ty::String;
    const std::string index = freshName(key), value = freshName(t.parts[0]);
    // A copy: what the body does to the array is not the loop's business.
    const std::string what = expr(intern(t.shape, t.parts, t.index, 0), 2);
    line("for " + index + ", " + value + " in (" + what + ").copy() do");
    declare(index, key, false);
    declare(value, t.parts[0], false);
    line("    tick()");
    loopDepth_++;
    block(random_.between(1, 3));
    loopDepth_--;
    line("end");
    inRepeat_ = wasRepeat;
    variables_.resize(visible);
    return true;
}

/// A loop over an object: its `__iter` gives an iterator.
bool Generator::walkObject() {
    std::vector<Seen> walked;
    for (Ty cls : classTypes()) {
        for (Seen& seen : membersOf(cls)) {
            if (seen.method && seen.method->name == "__iter") walked.push_back(std::move(seen));
        }
    }
    if (walked.empty()) return false;
    const Ty ty = random_.pick(walked).receiver;
    const size_t visible = variables_.size();
    const bool wasRepeat = std::exchange(inRepeat_, false);
    const std::string name = freshName(Ty::Integer);
    line("for " + annotated(name, Ty::Integer) + " in " + receiver(ty, 2) + " do");
    declare(name, Ty::Integer, false);
    line("    tick()");
    loopDepth_++;
    block(random_.between(1, 3));
    loopDepth_--;
    line("end");
    inRepeat_ = wasRepeat;
    variables_.resize(visible);
    return true;
}

/// Closures that each capture what one round of a loop declared, called when the loop is over.
bool Generator::closuresOfLoop() {
    const Ty result = random_.chance(50) ? Ty::Integer : randomType();
    const std::string resultText = info(result).text;
    // `(integer): A | B` is a union with a function, and `(integer): A?` an optional function.
    if (resultText.find_first_of("|?:") != std::string::npos) return false;
    const std::string name = "k" + std::to_string(++names_), i = freshName(Ty::Integer), held = freshName(result), x = freshName(Ty::Integer);
    const size_t visible = variables_.size();
    const bool wasRepeat = std::exchange(inRepeat_, false);
    line("local " + name + ": Array<(integer): " + resultText + "> = {}");
    line("for " + i + " = 0, 3 do");
    declare(i, Ty::Integer, false);
    line("    local " + annotated(held, result) + " = " + expr(result, 2));
    declare(held, result, true);
    line("    " + name + ".push(function(" + x + ": integer): " + resultText);
    const size_t outside = variables_.size();
    declare(x, Ty::Integer, true);
    const std::vector<Ty> outerResults = std::exchange(results_, {result});
    const int outerLoops = std::exchange(loopDepth_, 0);
    indent_++;
    line("    tick()");
    block(random_.between(0, 2));
    line("    return " + (random_.chance(50) ? held : expr(result, 2)));
    indent_--;
    results_ = outerResults;
    loopDepth_ = outerLoops;
    line("    end)");
    variables_.resize(outside);
    if (random_.chance(50)) line("    " + held + " = " + expr(result, 1));
    line("end");
    inRepeat_ = wasRepeat;
    variables_.resize(visible);
    line("for " + held + " in " + name + " do");
    line("    print(" + show(result, held + "(" + std::to_string(random_.between(0, 9)) + ")") + ")");
    line("end");
    return true;
}

/// Members found by their names at run time.
bool Generator::accessThroughAny() {
    std::vector<Ty> classes = classTypes();
    if (classes.empty()) return false;
    const Ty ty = random_.pick(classes);
    std::vector<Seen> members;
    for (Seen& seen : membersOf(ty)) {
        const bool isStatic = seen.method ? seen.method->isStatic : seen.field && seen.field->isStatic;
        if (!seen.event && !isStatic && isVisible(seen, "")) members.push_back(std::move(seen));
    }
    if (members.empty()) return false;
    const Seen seen = random_.pick(members);
    const std::string object = "hide(" + expr(ty, 2) + ")";
    std::string value;
    if (seen.field) {
        if (!seen.field->isConst && random_.chance(40)) {
            const Ty stored = isRisky() ? randomType() : seen.ty;
            line(object + "." + seen.field->name + " = " + expr(stored, 2) + (stored == Ty::Integer ? " % 10007" : ""));
            return true;
        }
        value = object + "." + seen.field->name;
    } else {
        if (seen.method->name.starts_with("__")) return false;
        value = object + "." + seen.method->name + "(" + arguments(seen.params, seen.method->required, 2) + ")";
        if (seen.ty == kVoid) {
            line(value);
            return true;
        }
    }
    const bool isCast = info(seen.ty).shape != Shape::Either && info(seen.ty).shape != Shape::Optional && seen.ty != Ty::Union && seen.ty != Ty::Any;
    line("print(" + (isCast ? show(seen.ty, "(" + value + " as " + info(seen.ty).text + ")") : "showAny(" + value + ")") + ")");
    return true;
}

}  // namespace luapp::fuzz
