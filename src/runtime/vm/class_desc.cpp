#include "runtime/vm/class_desc.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/vm/call.h"
#include "runtime/vm/convert.h"

namespace luapp::rt {

namespace {

using bc::Access;
using bc::ClassData;
using bc::ClassFieldData;
using bc::ClassMemberData;

/// The index of an operator's event by the name of its method, or kEventCount.
unsigned eventOfName(std::string_view name) {
    if (!name.starts_with("__")) return kEventCount;
    unsigned e = 0;
    while (e < kEventCount && eventKey(static_cast<Event>(e)) != name) ++e;
    return e;
}

void collectNames(ClassDesc& c) {
    const bc::Chunk& chunk = c.program->chunk;
    for (const ClassFieldData& f : c.data->fields)
        if (f.name != 0 && f.type != bc::kNoIndex) c.names.push_back({chunk.symbol(f.name), &f, nullptr});
    for (const ClassMemberData& m : c.data->members) c.names.push_back({chunk.symbol(m.name), nullptr, &m});
    // A name may be used again by a class that cannot see the private one: what everybody may use comes first.
    std::stable_sort(c.names.begin(), c.names.end(), [](const ClassName& a, const ClassName& b) {
        return a.name != b.name ? a.name < b.name : a.access() < b.access();
    });
}

void collectOperators(ClassDesc& c) {
    for (auto& both : c.operators) both[0] = both[1] = -1;
    const std::vector<ClassMemberData>& members = c.data->members;
    for (size_t i = 0; i < members.size(); ++i) {
        const ClassMemberData& m = members[i];
        unsigned e = eventOfName(c.program->chunk.symbol(m.name));
        if (e == kEventCount || m.function == bc::kNoIndex || m.access != Access::Public) continue;
        int32_t& place = c.operators[e][m.isStatic ? 1 : 0];
        if (place < 0) place = static_cast<int32_t>(i);
    }
}

void collectAncestors(ClassDesc& c) {
    Program& p = *c.program;
    c.ancestors.assign((c.numberCount + 63) / 64, 0);
    auto add = [&](const TypeDesc* t) {
        uint32_t bit = t->classNumber - c.firstNumber;
        c.ancestors[bit >> 6] |= uint64_t{1} << (bit & 63);
    };
    add(c.type);
    for (bc::TypeIndex t : c.data->ancestors) add(p.types[t]);
}

void fillTable(ClassDesc& c) {
    Program& p = *c.program;
    c.table.assign(p.methodEntries, p.functions[p.missingMethod].entry);
    for (size_t i = 0; i < c.data->table.size(); ++i)
        if (c.data->table[i] != bc::kNoIndex) c.table[i] = p.functions[c.data->table[i]].entry;
}

/// Room for every type that there is now.
void growMethodTables(State& s) {
    auto* tables = static_cast<const Insn* const**>(std::realloc(s.methodTables, s.types.size() * sizeof(const Insn* const*)));
    if (tables == nullptr) raise(s, ErrorKind::OutOfMemory);
    s.methodTables = tables;
}

void nameFunctions(Program& p, const ClassData& k) {
    for (const ClassMemberData& m : k.members)
        if (m.function != bc::kNoIndex) p.functions[m.function].role = m.isStatic ? FunctionRole::Static : FunctionRole::Method;
    for (bc::ProtoIndex maker : k.makers) p.functions[maker].role = FunctionRole::Static;
}

std::string_view nameOf(const ClassDesc& c, bc::TypeIndex owner) {
    return owner == bc::kNoIndex ? c.type->name : c.program->types[owner]->name;
}

// --- errors

/// Letters that must change, be added or go to make `b` of `a`; `limit` if more.
unsigned distance(std::string_view a, std::string_view b, unsigned limit) {
    constexpr size_t kLongest = 64;
    if (a.size() > kLongest || b.size() > kLongest) return limit;
    unsigned row[kLongest + 1];
    for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<unsigned>(j);
    for (size_t i = 1; i <= a.size(); ++i) {
        unsigned diagonal = row[0];
        row[0] = static_cast<unsigned>(i);
        for (size_t j = 1; j <= b.size(); ++j) {
            unsigned replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return std::min(row[b.size()], limit);
}

[[noreturn]] LUAPP_COLD void raiseNoMember(State& s, const ClassDesc& c, std::string_view name, bool isStatic) {
    const ClassName* best = nullptr;
    unsigned nearest = static_cast<unsigned>(name.size() / 3 + 1) + 1;
    for (const ClassName& n : c.names) {
        if (n.isStatic() != isStatic || n.access() != Access::Public) continue;
        unsigned d = distance(name, n.name, nearest);
        if (d < nearest) {
            nearest = d;
            best = &n;
        }
    }
    if (best != nullptr) raise(s, ErrorKind::NoMemberButLike, c.type->name, name, best->name);
    raise(s, ErrorKind::NoMember, c.type->name, name);
}

/// What the name means to code outside the class. Raises if it is not there, not accessible, or (not) static.
const ClassName& resolve(State& s, const ClassDesc& c, String* key, bool isStatic) {
    std::string_view name = key->view();
    const ClassName* n = c.find(name, isStatic);
    if (n == nullptr) {
        if (c.find(name, !isStatic) == nullptr) raiseNoMember(s, c, name, isStatic);
        raise(s, isStatic ? ErrorKind::MemberNeedsObject : ErrorKind::MemberIsStatic, name, c.type->name);
    }
    bc::TypeIndex owner = n->field != nullptr ? n->field->owner : n->member->owner;
    if (n->access() != Access::Public)
        raise(s, ErrorKind::MemberNotAccessible, name, nameOf(c, owner), n->access() == Access::Private ? "private" : "protected");
    return *n;
}

/// `v` as a word of the field's type.
Word fieldWord(State& s, Value v, const TypeDesc* type, std::string_view name) {
    Word out;
    if (tryConvert(s, v, type, out)) return out;
    raise(s, ErrorKind::FieldMismatch, name, type, refused(s, v, type));
}

// --- parts of members

Value fieldValue(State& s, const ClassDesc& c, const Instance* o, const ClassFieldData& f) {
    Word w = o->fields[f.word];
    if (f.mayBeUnset && w == base::unsetWord(f.rep)) raise(s, ErrorKind::FieldUnset, c.program->chunk.symbol(f.name));
    return boxTyped(w, c.program->types[f.type]);
}

/// Calls the function in capture 1 without the first argument: a field that holds a function does not get the object.
Word runWithoutObject(State& s, Word* args) {
    Value target = Value::fromWord(refOf<Closure>(args[-1])->captures[1]);
    uint32_t count = s.argCount == 0 ? 0 : s.argCount - 1;
    Word* pack = ensureResults(s, count);
    for (uint32_t k = 0; k < count; ++k) pack[k] = args[k + 1];
    s.resultCount = count;
    callPack(s, target);
    return s.resultCount != 0 ? s.results[0] : kNilBox;
}

Value operatorMember(State& s, const ClassDesc& c, Event e, bool isStatic) {
    int32_t i = c.operators[static_cast<unsigned>(e)][isStatic ? 1 : 0];
    return i < 0 ? Value::nil() : Value::function(memberFunction(s, c, c.data->members[static_cast<size_t>(i)]));
}

}  // namespace

const ClassName* ClassDesc::find(std::string_view name, bool isStatic) const {
    auto at = std::lower_bound(names.begin(), names.end(), name, [](const ClassName& n, std::string_view key) { return n.name < key; });
    for (; at != names.end() && at->name == name; ++at)
        if (at->isStatic() == isStatic) return &*at;
    return nullptr;
}

void loadClasses(State& s, Program& p) {
    if (p.chunk.classes.empty()) return;
    growMethodTables(s);
    const TypeDesc* first = nullptr;
    uint32_t count = 0;
    for (const TypeDesc* t : p.types) {
        if (t->classNumber == 0) continue;
        if (first == nullptr) first = t;
        ++count;
    }
    for (const ClassData& k : p.chunk.classes) {
        ClassDesc& c = *p.classes.emplace_back(std::make_unique<ClassDesc>());
        c.type = p.types[k.type];
        c.program = &p;
        c.data = &k;
        c.firstNumber = first->classNumber;
        c.numberCount = count;
        c.valueKeeper = p.data + p.chunk.data.size() + p.classes.size() - 1;
        c.finalizer = k.finalizer == bc::kNoIndex ? nullptr : &p.functions[k.finalizer];
        collectNames(c);
        collectOperators(c);
        collectAncestors(c);
        fillTable(c);
        nameFunctions(p, k);
        TypeDesc* type = const_cast<TypeDesc*>(c.type);
        type->classInfo = &c;
        type->hasFinalizer = c.finalizer != nullptr;
        s.methodTables[type->index] = c.table.data();
    }
}

Value classValue(State& s, const TypeDesc* type) {
    const ClassDesc& c = *type->classInfo;
    if (*c.valueKeeper == 0) *c.valueKeeper = wordOf(s.heap.allocate(sizeof(ClassValue), Kind::Class, type->index));
    return Value::object(objectOf(*c.valueKeeper));
}

Closure* memberFunction(State& s, const ClassDesc& c, const ClassMemberData& m) {
    return constantClosure(s, c.program->functions[m.function]);
}

Value objectMember(State& s, Value v, String* name) {
    Instance* o = v.asInstance();
    const ClassDesc& c = classOf(s, o);
    if (c.find(name->view(), false) == nullptr) {
        Value handler = operatorOf(s, v, Event::Index, false);
        if (!handler.isNil() && takesArgument(s, handler, 1, Value::string(name))) {
            Value args[2] = {v, Value::string(name)};
            return callFirst(s, handler, args);
        }
    }
    const ClassName& n = resolve(s, c, name, false);
    if (n.field != nullptr) return fieldValue(s, c, o, *n.field);
    return Value::function(newBoundMethod(s, v, memberFunction(s, c, *n.member), n.member->name));
}

Value objectMethod(State& s, Value v, String* name) {
    const ClassDesc& c = classOf(s, v.asObject());
    const ClassName* n = c.find(name->view(), false);
    if (n != nullptr && n->member != nullptr && n->access() == Access::Public)
        return Value::function(memberFunction(s, c, *n->member));
    Value held = objectMember(s, v, name);
    Closure* f = newBuiltinClosure(s, runWithoutObject, nullptr, -1, 1);
    f->captures[1] = held.word();
    return Value::function(f);
}

void setObjectMember(State& s, Value v, String* name, Value value) {
    Instance* o = v.asInstance();
    const ClassDesc& c = classOf(s, o);
    if (c.find(name->view(), false) == nullptr) {
        Value handler = operatorOf(s, v, Event::NewIndex, false);
        if (!handler.isNil() && takesArgument(s, handler, 1, Value::string(name))) {
            Value args[3] = {v, Value::string(name), value};
            call(s, handler, args);
            return;
        }
    }
    const ClassName& n = resolve(s, c, name, false);
    if (n.field == nullptr || n.field->isConst) raise(s, ErrorKind::MemberReadOnly, name, c.type->name);
    Word w = fieldWord(s, value, c.program->types[n.field->type], n.name);
    Word* slot = &o->fields[n.field->word];
    if (base::mayHoldPointer(n.field->rep)) {
        storeWord(s, o, slot, w);
    } else {
        *slot = w;
    }
}

Value staticMember(State& s, Value v, String* name) {
    const ClassDesc& c = classOf(s, v.asObject());
    const ClassName& n = resolve(s, c, name, true);
    if (n.member->function != bc::kNoIndex) return Value::function(memberFunction(s, c, *n.member));
    Word w = c.program->data[n.member->variable];
    const TypeDesc* type = c.program->types[n.member->type];
    if (c.program->chunk.data[n.member->variable].rep == type->rep) return boxTyped(w, type);
    if (w == kAbsentBox) raise(s, ErrorKind::ClassNotInitialised, c.type->name);
    return Value::fromWord(w);
}

void setStaticMember(State& s, Value v, String* name, Value value) {
    const ClassDesc& c = classOf(s, v.asObject());
    const ClassName& n = resolve(s, c, name, true);
    if (n.member->function != bc::kNoIndex || n.member->isConst) raise(s, ErrorKind::MemberReadOnly, name, c.type->name);
    Word* slot = &c.program->data[n.member->variable];
    const TypeDesc* type = c.program->types[n.member->type];
    bool isBoxed = c.program->chunk.data[n.member->variable].rep != type->rep;
    if (isBoxed && *slot == kAbsentBox) raise(s, ErrorKind::ClassNotInitialised, c.type->name);
    Word w = fieldWord(s, value, type, n.name);
    *slot = isBoxed ? boxTyped(w, type).word() : w;
}

Value operatorOf(State& s, Value o, Event e, bool isRight) {
    const ClassDesc& c = classOf(s, o.asObject());
    Value method = isRight ? Value::nil() : operatorMember(s, c, e, false);
    return method.isNil() ? operatorMember(s, c, e, true) : method;
}

bool takesArgument(const State& s, Value function, uint32_t k, Value v) {
    if (!function.isFunction() || function.asFunction()->aux == 0) return true;
    const TypeDesc* signature = s.types.at(function.asFunction()->aux);
    return k >= signature->paramCount() || hasType(s, v, signature->parts[k]);
}

Closure* makerFor(State& s, Value v, const Word* args, uint32_t count) {
    const ClassDesc& c = classOf(s, v.asObject());
    Function* byCount = nullptr;
    for (bc::ProtoIndex p : c.data->makers) {
        Function& f = c.program->functions[p];
        const TypeDesc* signature = f.signature;
        if (count < signature->requiredCount() || (count > signature->paramCount() && !signature->isVararg())) continue;
        bool fits = true;
        for (uint32_t k = 0; k < std::min(count, signature->paramCount()); ++k)
            fits = fits && hasType(s, Value::fromWord(args[k]), signature->parts[k]);
        if (fits) return constantClosure(s, f);
        if (byCount == nullptr) byCount = &f;
    }
    if (byCount == nullptr) raise(s, ErrorKind::NoConstructor, c.type->name, count);
    return constantClosure(s, *byCount);
}

}  // namespace luapp::rt
