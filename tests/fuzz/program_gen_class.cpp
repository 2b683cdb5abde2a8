// Declarations of types: enums, interfaces, classes with all their kinds of members, generic classes and functions. A member is added to
// its class when it has been written, so bodies use what stands above them (and what is inherited).
#include <algorithm>
#include <utility>

#include "program_gen_impl.h"

namespace luapp::fuzz {

namespace {

constexpr int kClasses = 5;
constexpr int kStatementsOfMethod = 6;
constexpr size_t kNoClass = ~size_t(0);

/// An operator method: its parameter and result, by the name of a type; "Self" is the class.
struct OperatorRule {
    const char* name;
    const char* param;
    const char* result;
};
constexpr OperatorRule kOperators[] = {
    {"__add", "Self", "Self"},       {"__sub", "number", "number"},    {"__mul", "number", "Self"},      {"__unm", "", "Self"},
    {"__eq", "Self", "boolean"},     {"__lt", "Self", "boolean"},      {"__le", "Self", "boolean"},      {"__len", "", "integer"},
    {"__call", "integer", "integer"}, {"__index", "integer", "number"}, {"__concat", "string", "string"}, {"__tostring", "", "string"},
};

const char* accessText(Access access) {
    switch (access) {
        case Access::Public: return "";
        case Access::Protected: return "protected ";
        case Access::Private: return "private ";
    }
    return "";
}

Access randomAccess(Random& random) {
    return random.chance(75) ? Access::Public : random.chance(60) ? Access::Private : Access::Protected;
}

}  // namespace

void Generator::declareTypes() {
    declareEnum();
    if (random_.chance(70)) declareInterface();
    declareGenericFunction();
    for (int i = random_.between(2, kClasses); i > 0; i--) {
        declareClass();
        if (random_.chance(30)) function();
    }
    declareGenericFunction();
}

void Generator::declareEnum() {
    EnumInfo e{"E" + std::to_string(enums_.size() + 1), {}};
    std::string text;
    for (const char* member : {"Red", "Green", "Blue", "Black"}) {
        if (!e.members.empty() && random_.chance(25)) break;
        text += (text.empty() ? "" : ", ") + std::string(member) + (random_.chance(25) ? " = " + std::to_string(e.members.size() * 3 + 1) : "");
        e.members.push_back(member);
    }
    line("enum " + e.name + " { " + text + " }");
    enums_.push_back(std::move(e));
    const Ty ty = intern(Shape::Enum, {}, enums_.size() - 1, 3);
    intern(Shape::Optional, {ty}, 0, 1);
    intern(Shape::List, {ty}, 0, 1);
    intern(Shape::Either, {ty, Ty::String}, 0, 1);
}

/// Nothing has its type yet: the first class that implements it makes it known (registerClass).
void Generator::declareInterface() {
    ClassInfo face;
    face.name = "I" + std::to_string(classes_.size() + 1);
    face.isInterface = true;
    line("interface " + face.name + " {");
    if (random_.chance(50)) {
        const Ty ty = randomType();
        face.fields.push_back({freshName(ty), ty});
        line("    " + annotated(face.fields[0].name, ty) + ",");
    }
    for (int i = random_.between(1, 2); i > 0; i--) {
        MethodInfo m{"m" + std::to_string(++names_), {}, 0, randomType()};
        std::string params;
        for (size_t k = random_.below(3); k > 0; k--) {
            const Ty ty = randomType();
            m.params.push_back(ty);
            params += (params.empty() ? "" : ", ") + annotated("x" + std::to_string(k), ty);
        }
        m.required = m.params.size();
        line("    function " + m.name + "(" + params + "): " + info(m.result).text + ",");
        face.methods.push_back(std::move(m));
    }
    line("}");
    classes_.push_back(std::move(face));
    intern(Shape::Class, {}, classes_.size() - 1, 0);
}

// --- type parameters -----------------------------------------------------------------------------------------------------

/// New type parameters, and some types made of them, for the declaration that begins.
std::vector<Ty> Generator::openParams(size_t count) {
    std::vector<Ty> params;
    for (size_t i = 0; i < count; i++) {
        const Ty ty = intern(Shape::Parameter, {}, ++typeParamCount_ * 2 + (random_.chance(25) ? kComparable : kUnbounded), 6);
        intern(Shape::List, {ty}, 0, 2);
        intern(Shape::Optional, {ty}, 0, 1);
        intern(Shape::Function, {ty, ty}, 0, 1);
        intern(Shape::Function, {ty, Ty::Integer}, 0, 1);
        params.push_back(ty);
    }
    return params;
}

/// The declaration is over: no more variables of what it made of its parameters.
void Generator::closeParams(size_t firstType) {
    for (size_t i = firstType; i < types_.size(); i++) types_[i].weight = 0;
}

std::string Generator::typeParams(const std::vector<Ty>& params) const {
    std::string text;
    for (Ty p : params) text += (text.empty() ? "<" : ", ") + info(p).text + (info(p).index % 2 == kComparable ? ": Comparable" : "");
    return text.empty() ? text : text + ">";
}

void Generator::declareGenericFunction() {
    const size_t firstType = types_.size(), visible = variables_.size();
    GenericInfo g{"g" + std::to_string(generics_.size() + 1), openParams(1 + random_.below(2)), {}, kVoid};
    std::string params;
    auto add = [&](Ty ty) {
        const std::string name = freshName(ty);
        params += (params.empty() ? "" : ", ") + annotated(name, ty);
        g.params.push_back(ty);
        declare(name, ty, random_.chance(30));
        return name;
    };
    std::vector<std::string> firsts;
    for (Ty p : g.typeParams) {
        firsts.push_back(add(p));
        types_[size_t(p)].fallback = firsts.back();
    }
    for (size_t i = random_.below(3); i > 0; i--) add(randomType());
    g.result = random_.chance(60) ? random_.pick(g.typeParams) : randomType();
    line("local function " + g.name + typeParams(g.typeParams) + "(" + params + "): " + info(g.result).text);
    for (size_t i = 0; i < firsts.size(); i++) {
        if (info(g.typeParams[i]).index % 2 == kComparable) line("    print(" + firsts[i] + " < " + firsts[i] + ")");
    }
    FunctionInfo f{g.name, g.params, g.params.size(), {g.result}, false};
    functionBody(f);
    line("end");
    variables_.resize(visible);
    closeParams(firstType);
    generics_.push_back(std::move(g));
}

// --- classes -------------------------------------------------------------------------------------------------------------

/// Two classes can be bases of one if no name would come from both.
bool Generator::fitTogether(size_t a, size_t b) {
    if (inherits(a, b) || inherits(b, a)) return false;
    auto all = [this](size_t index) {
        std::vector<std::pair<std::string, size_t>> names;
        for (const Seen& s : membersOf(intern(Shape::Class, classes_[index].params, index, 0))) {
            if (s.method && s.method->name != "dump" && s.method->access != Access::Private) names.emplace_back(s.method->name, s.owner);
        }
        return names;
    };
    for (const auto& [name, owner] : all(a)) {
        for (const auto& [other, otherOwner] : all(b)) {
            if (name == other && owner != otherOwner) return false;
        }
    }
    return true;
}

void Generator::chooseBases(ClassInfo& cls) {
    std::vector<Ty> classes;
    for (Ty ty : classTypes()) {
        if (!classes_[info(ty).index].isInterface) classes.push_back(ty);
    }
    auto basesOf = [this](Ty ty) {
        return std::count_if(classes_[info(ty).index].bases.begin(), classes_[info(ty).index].bases.end(),
                             [this](Ty b) { return !classes_[info(b).index].isInterface; });
    };
    if (!classes.empty() && random_.chance(70)) cls.bases.push_back(random_.pick(classes));
    if (!cls.bases.empty() && random_.chance(40)) {
        const Ty first = cls.bases[0], second = random_.pick(classes);
        const bool arePlain = info(first).parts.empty() && info(second).parts.empty() && basesOf(first) < 2 && basesOf(second) < 2;
        if (arePlain && fitTogether(info(first).index, info(second).index)) cls.bases.push_back(second);
    }
    for (size_t i = 0; i < classes_.size(); i++) {
        if (!classes_[i].isInterface || random_.chance(50)) continue;
        if (std::any_of(cls.bases.begin(), cls.bases.end(), [&](Ty b) { return inherits(info(b).index, i); })) continue;
        cls.bases.push_back(intern(Shape::Class, {}, i, 0));
    }
}

std::string Generator::head(const ClassInfo& cls) const {
    std::string text = "class " + cls.name + typeParams(cls.params);
    for (size_t i = 0; i < cls.bases.size(); i++) text += (i == 0 ? " : " : ", ") + info(cls.bases[i]).text;
    return text + " {";
}

void Generator::declareClass() {
    ClassInfo cls;
    const size_t index = classes_.size(), firstType = types_.size();
    cls.name = "C" + std::to_string(index + 1);
    chooseBases(cls);
    if (random_.chance(30)) cls.params = openParams(1 + random_.below(2));
    line(head(cls));
    const std::vector<Ty> params = cls.params;
    classes_.push_back(std::move(cls));
    const Ty self = intern(Shape::Class, params, index, 0);
    class_ = index;
    indent_++;
    writeFields(index);
    writeEvent(index);
    writeConstructors(index, self);
    types_[size_t(self)].weight = 3;
    writeMethods(index, self);
    writeOverrides(index, self);
    writeOperators(index, self);
    writeIterator(index, self);
    writeDump(index);
    indent_--;
    line("}");
    class_ = kNoClass;
    if (!params.empty()) closeParams(firstType);
    registerClass(index, self);
}

/// Fields of other types start as 0, false or nil.
bool Generator::needsValue(Ty ty) const {
    return ty != Ty::Number && ty != Ty::Integer && ty != Ty::Boolean && ty != Ty::Any && info(ty).shape != Shape::Optional;
}

void Generator::writeFields(size_t index) {
    auto add = [&](FieldInfo f, bool withValue) {
        // A protected static member is seen in the whole of a subclass, for which isVisible() has no eyes.
        if (f.isStatic && f.access == Access::Protected) f.access = Access::Public;
        std::string text = accessText(f.access) + std::string(f.isStatic ? "static " : "") + (f.isConst ? "const " : "") + annotated(f.name, f.ty);
        if (withValue) text += " = " + (size_t(f.ty) < kTyCount ? literal(f.ty) : literalOf(f.ty, 0));
        line(text + ",");
        f.isConst |= withValue && f.isConst;
        classes_[index].fields.push_back(std::move(f));
    };
    for (Ty base : std::vector<Ty>(classes_[index].bases)) {
        const ClassInfo face = classes_[info(base).index];
        if (!face.isInterface) continue;
        for (const FieldInfo& f : face.fields) add({f.name, f.ty}, !needsValue(f.ty) && random_.chance(50));
    }
    for (Ty p : std::vector<Ty>(classes_[index].params)) {
        const std::string name = freshName(p);
        add({name, p}, false);
        types_[size_t(p)].fallback = "self." + name;
    }
    for (int i = random_.between(1, 4); i > 0; i--) {
        const Ty ty = randomType();
        const bool isOpen = info(ty).text.find('T') != std::string::npos && size_t(ty) >= kTyCount;
        const bool isStatic = !isOpen && classes_[index].params.empty() && random_.chance(12);
        const bool withValue = !isOpen && (isStatic || random_.chance(35));
        add({freshName(ty), ty, randomAccess(random_), !isStatic && !withValue && random_.chance(15), isStatic}, withValue);
    }
    if (random_.chance(25)) {
        const Ty self = intern(Shape::Class, classes_[index].params, index, 0);
        const Ty next = intern(Shape::Optional, {self}, 0, 0);
        add({freshName(next), next}, false);
    }
}

void Generator::writeEvent(size_t index) {
    if (random_.chance(65)) return;
    const Ty ty = size_t(randomType()) < kTyCount ? Ty::Integer : Ty::String;
    const std::string name = "Event" + std::to_string(++names_);
    line("event " + name + ": (sender: any, x: " + info(ty).text + "),");
    line("function fire" + name + "(x: " + info(ty).text + "): void");
    line("    tick()");
    line("    " + std::string(random_.chance(50) ? "self." : "") + name + ".Invoke(self, x)");
    line("end,");
    classes_[index].events.push_back({name, ty});
    classes_[index].methods.push_back({"fire" + name, {ty}, 1, kVoid});
}

void Generator::writeConstructors(size_t index, Ty self) {
    const std::vector<Ty> bases = classes_[index].bases, typeParams = classes_[index].params;
    std::vector<Ty> classBases;
    for (Ty b : bases) {
        if (!classes_[info(b).index].isInterface) classBases.push_back(b);
    }
    // Fields with values of their own are not told apart here: a class whose fields might need a constructor gets one.
    bool isNeeded = classBases.size() > 1 || !typeParams.empty();
    for (const FieldInfo& f : classes_[index].fields) isNeeded |= needsValue(f.ty) || f.isConst;
    if (!isNeeded && random_.chance(50)) {
        std::vector<std::vector<Ty>> inherited{{}};
        if (!classBases.empty()) {
            const TypeInfo base = info(classBases[0]);
            inherited = classes_[base.index].constructors;
            for (std::vector<Ty>& params : inherited) {
                for (Ty& p : params) p = substitute(p, classes_[base.index].params, base.parts);
            }
        }
        classes_[index].constructors = std::move(inherited);
        return;
    }
    std::vector<std::vector<Ty>> all;
    const size_t few = random_.below(3);
    for (size_t count : {few, few + 1 + random_.below(2)}) {
        std::vector<Ty> params = typeParams;
        for (size_t i = 0; i < count; i++) params.push_back(randomType());
        all.push_back(std::move(params));
        if (random_.chance(65)) break;
    }
    // Subclasses pass arguments on: they must know the constructors before any is written.
    classes_[index].constructors = all;
    const bool hasOne = std::any_of(all.begin(), all.end(), [](const auto& params) { return params.size() == 1; });
    if (typeParams.empty() && !hasOne && random_.chance(30)) {
        classes_[index].implicitFrom = random_.chance(50) ? Ty::Number : Ty::String;
        writeConstructor(index, self, {classes_[index].implicitFrom}, true);
    }
    for (const std::vector<Ty>& params : all) writeConstructor(index, self, params, false);
}

void Generator::writeConstructor(size_t index, Ty self, const std::vector<Ty>& params, bool isImplicit) {
    const size_t visible = variables_.size();
    std::string text;
    for (Ty p : params) {
        const std::string name = freshName(p);
        text += (text.empty() ? "" : ", ") + annotated(name, p);
        declare(name, p, random_.chance(20));
    }
    line(std::string(isImplicit ? "implicit " : "") + "constructor(" + text + ")");
    indent_++;
    line("tick()");
    bool isFirst = true;
    for (Ty base : std::vector<Ty>(classes_[index].bases)) {
        const TypeInfo b = info(base);
        if (classes_[b.index].isInterface) continue;
        std::string args = construct(base, 1);
        args = args.substr(b.text.size());
        line((isFirst ? "base" : "base." + classes_[b.index].name) + args);
        isFirst = false;
    }
    for (const FieldInfo& f : std::vector<FieldInfo>(classes_[index].fields)) {
        if (f.isStatic || (!needsValue(f.ty) && !f.isConst && random_.chance(60))) continue;
        std::string value = expr(f.ty, 1);
        if (info(f.ty).shape == Shape::Parameter) value = variableOr(f.ty, value);
        line("self." + f.name + " = " + value);
    }
    declare("self", self, false);
    results_.clear();
    budget_ = kStatementsOfMethod;
    loopDepth_ = 0;
    indent_--;
    block(random_.chance(50) ? 0 : random_.between(1, 2));
    line("end,");
    variables_.resize(visible);
}

void Generator::writeMethods(size_t index, Ty self) {
    for (Ty base : std::vector<Ty>(classes_[index].bases)) {
        const ClassInfo face = classes_[info(base).index];
        if (!face.isInterface) continue;
        for (const MethodInfo& m : face.methods) writeMethod(index, self, m, nullptr, kVoid);
    }
    for (int i = random_.between(1, 3); i > 0; i--) {
        MethodInfo m{"m" + std::to_string(++names_), {}, 0, random_.chance(15) ? kVoid : randomType()};
        for (size_t k = random_.below(3); k > 0; k--) m.params.push_back(randomType());
        m.access = randomAccess(random_);
        m.isStatic = classes_[index].params.empty() && random_.chance(12);
        if (m.isStatic && m.access == Access::Protected) m.access = Access::Public;
        m.required = m.params.size();
        if (!m.params.empty() && classes_[index].params.empty() && random_.chance(15)) m.required--;
        writeMethod(index, self, m, nullptr, kVoid);
    }
}

/// `baseParams`: it overrides a method with these parameters, and may call it.
void Generator::writeMethod(size_t index, Ty self, const MethodInfo& method, const std::vector<Ty>* baseParams, Ty baseResult) {
    const size_t visible = variables_.size();
    std::string params;
    for (size_t i = 0; i < method.params.size(); i++) {
        const std::string name = freshName(method.params[i]);
        params += (i == 0 ? "" : ", ") + annotated(name, method.params[i]);
        if (i >= method.required) params += " = " + expr(method.params[i], 1);
        declare(name, method.params[i], random_.chance(30));
    }
    if (!method.isStatic) declare("self", self, false);
    line(accessText(method.access) + std::string(method.isStatic ? "static " : "") + "function " + method.name + "(" + params +
         "): " + (method.result == kVoid ? "void" : info(method.result).text));
    results_.clear();
    if (method.result != kVoid) results_.push_back(method.result);
    budget_ = kStatementsOfMethod;
    loopDepth_ = 0;
    indent_++;
    line("tick()");
    if (baseParams && random_.chance(70)) {
        const std::string call = "base." + method.name + "(" + arguments(*baseParams, baseParams->size(), 1) + ")";
        if (baseResult == kVoid) {
            line(call);
        } else {
            const std::string name = freshName(baseResult);
            line("local " + annotated(name, baseResult) + " = " + call);
            declare(name, baseResult, true);
        }
    }
    indent_--;
    block(int(random_.below(5)));
    if (method.result != kVoid) line("    return " + expr(method.result, 2));
    line("end,");
    results_.clear();
    variables_.resize(visible);
    classes_[index].methods.push_back(method);
}

/// Some of the inherited methods anew, perhaps taking more and giving less.
void Generator::writeOverrides(size_t index, Ty self) {
    const std::vector<Ty> bases = classes_[index].bases;
    std::vector<std::string> done;
    for (Ty base : bases) {
        if (classes_[info(base).index].isInterface) continue;
        for (const Seen& seen : membersOf(base)) {
            if (!seen.method || seen.method->isStatic || seen.method->access == Access::Private || done.size() > 2) continue;
            const MethodInfo inherited = *seen.method;
            if (inherited.name.starts_with("__") || inherited.name == "dump" || inherited.name.starts_with("fire")) continue;
            if (std::find(done.begin(), done.end(), inherited.name) != done.end()) continue;
            done.push_back(inherited.name);
            if (random_.chance(40)) continue;
            MethodInfo m = inherited;
            m.params = seen.params;
            m.result = seen.ty;
            for (Ty& p : m.params) {
                if (p == Ty::Integer && random_.chance(25)) p = Ty::Number;
            }
            if (m.result == Ty::Number && random_.chance(30)) m.result = Ty::Integer;
            if (m.result != kVoid && info(m.result).shape == Shape::Class && random_.chance(40)) m.result = random_.pick(subtypesOf(m.result));
            writeMethod(index, self, m, &seen.params, seen.ty);
        }
    }
}

void Generator::writeOperators(size_t index, Ty self) {
    auto typeNamed = [&](std::string_view name) {
        if (name == "Self") return self;
        if (name.empty()) return kVoid;
        return name == "number" ? Ty::Number : name == "integer" ? Ty::Integer : name == "boolean" ? Ty::Boolean : Ty::String;
    };
    std::vector<std::string> taken;
    for (const Seen& seen : membersOf(self)) {
        if (seen.method) taken.push_back(seen.method->name);
    }
    for (const OperatorRule& rule : kOperators) {
        if (!random_.chance(12)) continue;
        if (std::find(taken.begin(), taken.end(), rule.name) != taken.end()) continue;
        MethodInfo m{rule.name, {}, 0, typeNamed(rule.result)};
        if (const Ty param = typeNamed(rule.param); param != kVoid) m.params.push_back(param);
        m.required = m.params.size();
        // What it is itself must not be needed to compute it.
        const bool wasAllowed = std::exchange(mayCallValues_, false);
        writeMethod(index, self, m, nullptr, kVoid);
        mayCallValues_ = wasAllowed;
    }
}

/// Counts down from some number.
void Generator::writeIterator(size_t index, Ty self) {
    for (const Seen& seen : membersOf(self)) {
        if (seen.method && seen.method->name == "__iter") return;
    }
    if (!random_.chance(20)) return;
    const size_t visible = variables_.size();
    const std::string left = freshName(Ty::Integer);
    declare("self", self, false);
    line("function __iter(): (): integer?");
    line("    tick()");
    line("    local " + annotated(left, Ty::Integer) + " = at(" + expr(Ty::Integer, 1) + ", 5)");
    line("    return function(): integer?");
    line("        " + left + " -= 1");
    line("        return " + left + " >= 0 and " + left + " or nil");
    line("    end");
    line("end,");
    variables_.resize(visible);
    classes_[index].methods.push_back({"__iter", {}, 0, kVoid});
}

/// A text of all fields, those of the bases behind them.
void Generator::writeDump(size_t index) {
    std::string text = "\"" + classes_[index].name + "{\"";
    for (const FieldInfo& f : std::vector<FieldInfo>(classes_[index].fields)) {
        if (f.isStatic) continue;
        const std::string field = "self." + f.name;
        const TypeInfo t = info(f.ty);
        const bool isDeep = t.shape == Shape::Class || (t.shape == Shape::List && size_t(f.ty) >= kTyCount);
        text += " .. \" " + f.name + "=\" .. " + (isDeep ? "typeof(" + field + ")" : show(f.ty, field));
    }
    bool isFirst = true;
    for (Ty base : std::vector<Ty>(classes_[index].bases)) {
        const ClassInfo& b = classes_[info(base).index];
        if (b.isInterface) continue;
        text += isFirst ? " .. base.dump()" : " .. base." + b.name + ".dump()";
        isFirst = false;
    }
    line("function dump(): string -> " + text + " .. \"}\",");
    classes_[index].methods.push_back({"dump", {}, 0, Ty::String});
}

/// From here on variables may have the class's type, or types made of it.
void Generator::registerClass(size_t index, Ty self) {
    std::vector<Ty> made{self};
    const std::vector<Ty> params = classes_[index].params;
    if (!params.empty()) {
        made.clear();
        for (int i = random_.between(1, 3); i > 0; i--) {
            std::vector<Ty> args;
            for (Ty p : params) args.push_back(argumentFor(p));
            made.push_back(intern(Shape::Class, args, index, 0));
        }
    }
    for (Ty ty : made) {
        types_[size_t(ty)].weight = 5;
        const Ty optional = intern(Shape::Optional, {ty}, 0, 0);
        types_[size_t(optional)].weight = 3;
        intern(Shape::List, {ty}, 0, 3);
        intern(Shape::Dictionary, {ty}, 0, 2);
        intern(Shape::Function, {ty, Ty::Integer}, 0, 1);
        intern(Shape::Either, {ty, random_.chance(50) ? Ty::String : Ty::Integer}, 0, 2);
    }
    for (Ty base : std::vector<Ty>(classes_[index].bases)) {
        if (!classes_[info(base).index].isInterface) continue;
        types_[size_t(base)].weight = 3;
        intern(Shape::List, {base}, 0, 1);
    }
}

}  // namespace luapp::fuzz
