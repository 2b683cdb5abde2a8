#include "runtime/bytecode/value_sets.h"

#include <algorithm>

namespace luapp::bc {

namespace {

constexpr uint64_t pairOf(uint32_t a, uint32_t b) { return uint64_t{a} << 32 | b; }

/// What a function of the type takes and gives, without its name.
std::vector<uint32_t> functionKey(const KnownType& t) {
    std::vector<uint32_t> key{t.vararg, t.defaultCount, t.hasResultPack, static_cast<uint32_t>(t.parts.size())};
    key.insert(key.end(), t.parts.begin(), t.parts.end());
    key.insert(key.end(), t.results.begin(), t.results.end());
    return key;
}

}  // namespace

ValueSets::ValueSets(const Chunk& chunk) : chunk_(chunk), typeIds_(chunk.types.size(), kNoIndex), heirs_(chunk.types.size()) {
    for (size_t k = 0; k < chunk.classes.size(); ++k)
        for (TypeIndex a : chunk.classes[k].ancestors) heirs_[a].push_back(static_cast<uint32_t>(k));
    // A class is among its own ancestors, whether the list says so or not.
    for (size_t k = 0; k < chunk.classes.size(); ++k) heirs_[chunk.classes[k].type].push_back(static_cast<uint32_t>(k));
    // Nominal types first: what refers to them needs no more than their numbers.
    for (size_t i = 0; i < chunk.types.size(); ++i) {
        if (!chunk.types[i].isNominal) continue;
        KnownType t;
        t.kind = chunk.types[i].kind;
        t.rep = chunk.types[i].rep;
        t.index = static_cast<TypeIndex>(i);
        typeIds_[i] = static_cast<TypeId>(types_.size());
        types_.push_back(std::move(t));
    }
    const size_t nominal = types_.size();
    for (size_t i = 0; i < chunk.types.size(); ++i) load(static_cast<TypeIndex>(i));
    for (size_t id = 0; id < nominal; ++id) {
        const TypeData& t = chunk.types[types_[id].index];
        for (TypeIndex p : t.parts) types_[id].parts.push_back(typeIds_[p]);
        for (TypeIndex p : t.results) types_[id].results.push_back(typeIds_[p]);
        if (t.kind == TypeKind::Record)
            for (const TypeField& f : t.fields) types_[id].fields.push_back(typeIds_[f.type]);
        types_[id].vararg = t.varargType == kNoIndex ? kNoIndex : typeIds_[t.varargType];
        types_[id].defaultCount = t.defaultCount;
        types_[id].hasResultPack = t.hasResultPack;
        if (t.kind == TypeKind::Function) types_[id].shape = shapeOf(types_[id]);
    }
    everything_ = ofBits(kind_bits::Everything);
}

TypeId ValueSets::load(TypeIndex index) {
    if (typeIds_[index] != kNoIndex) return typeIds_[index];
    const TypeData& t = chunk_.types[index];
    KnownType out;
    out.kind = t.kind;
    out.rep = t.rep;
    out.index = index;
    for (TypeIndex p : t.parts) out.parts.push_back(load(p));
    for (TypeIndex p : t.results) out.results.push_back(load(p));
    if (t.kind == TypeKind::Record) {
        for (const TypeField& f : t.fields) {
            out.fields.push_back(load(f.type));
            out.names.push_back(f.name);
        }
    }
    if (t.varargType != kNoIndex) out.vararg = load(t.varargType);
    out.defaultCount = t.defaultCount;
    out.hasResultPack = t.hasResultPack;
    return typeIds_[index] = intern(std::move(out));
}

TypeId ValueSets::intern(KnownType t) {
    if (t.kind == TypeKind::Union) {
        std::sort(t.parts.begin(), t.parts.end());
        t.parts.erase(std::unique(t.parts.begin(), t.parts.end()), t.parts.end());
    }
    Key key = functionKey(t);
    key.push_back(static_cast<uint32_t>(t.kind));
    key.insert(key.end(), t.fields.begin(), t.fields.end());
    key.insert(key.end(), t.names.begin(), t.names.end());
    auto [it, isNew] = typeKeys_.try_emplace(std::move(key), static_cast<TypeId>(types_.size()));
    if (!isNew) {
        if (types_[it->second].index == kNoIndex) types_[it->second].index = t.index;
        return it->second;
    }
    if (t.kind == TypeKind::Function) t.shape = shapeOf(t);
    types_.push_back(std::move(t));
    return it->second;
}

uint32_t ValueSets::shapeOf(const KnownType& t) {
    auto [it, isNew] = shapeKeys_.try_emplace(functionKey(t), static_cast<uint32_t>(shapeTypes_.size()));
    if (isNew) shapeTypes_.push_back(static_cast<TypeId>(&t >= types_.data() && &t < types_.data() + types_.size() ? &t - types_.data() : static_cast<std::ptrdiff_t>(types_.size())));
    return it->second;
}

TypeId ValueSets::basic(TypeKind kind) {
    KnownType t;
    t.kind = kind;
    switch (kind) {
        case TypeKind::Any:
        case TypeKind::Nil: t.rep = Rep::Box; break;
        case TypeKind::Boolean: t.rep = Rep::Bool; break;
        case TypeKind::Number: t.rep = Rep::F64; break;
        case TypeKind::Integer: t.rep = Rep::I64; break;
        case TypeKind::Array:
        case TypeKind::Table:
        case TypeKind::Record:
        case TypeKind::Function:
        case TypeKind::Union:
        case TypeKind::Enum:
        case TypeKind::Class:
        case TypeKind::Interface:
        case TypeKind::String:
        case TypeKind::AnyFunction:
        case TypeKind::LuaTable:
        case TypeKind::Thread:
        case TypeKind::Userdata:
        case TypeKind::File: t.rep = Rep::Ref; break;
    }
    return intern(std::move(t));
}

TypeId ValueSets::optional(TypeId type) {
    if (bits(ofType(type)) & kind_bits::Nil) return type;
    KnownType t;
    t.kind = TypeKind::Union;
    t.rep = types_[type].rep == Rep::Ref ? Rep::Ref : Rep::Box;
    t.parts = {type, basic(TypeKind::Nil)};
    return intern(std::move(t));
}

SetId ValueSets::make(uint32_t bits, std::vector<Atom> atoms) {
    work_ += 1 + atoms.size();
    std::sort(atoms.begin(), atoms.end());
    atoms.erase(std::unique(atoms.begin(), atoms.end()), atoms.end());
    std::erase_if(atoms, [&](Atom a) { return (anyBitOf(a) & bits) != 0; });
    Key key{bits};
    key.insert(key.end(), atoms.begin(), atoms.end());
    auto [it, isNew] = setKeys_.try_emplace(std::move(key), static_cast<SetId>(sets_.size()));
    if (isNew) sets_.push_back({bits, std::move(atoms)});
    return it->second;
}

uint32_t ValueSets::anyBitOf(Atom atom) const {
    switch (sortOf(atom)) {
        case AtomSort::Array: return kind_bits::AnyArray;
        case AtomSort::Table: return kind_bits::AnyTable;
        case AtomSort::Record: return kind_bits::AnyRecord;
        case AtomSort::Enum: return kind_bits::AnyEnum;
        case AtomSort::Closure:
        case AtomSort::Proto: return kind_bits::AnyClosure;
        case AtomSort::Object: return kind_bits::AnyObject;
    }
    return 0;
}

SetId ValueSets::ofType(TypeId type) {
    if (setOfType_.size() <= type) setOfType_.resize(types_.size(), kNoIndex);
    if (setOfType_[type] != kNoIndex) return setOfType_[type];
    Set out;
    visited_.clear();
    addTypeTo(out, type);
    const SetId made = make(out.bits, std::move(out.atoms));
    return setOfType_[type] = made;
}

void ValueSets::addTypeTo(Set& out, TypeId type) {
    const KnownType& t = types_[type];
    switch (t.kind) {
        case TypeKind::Any: out.bits |= kind_bits::Everything; break;
        case TypeKind::Nil: out.bits |= kind_bits::Nil; break;
        case TypeKind::Boolean: out.bits |= kind_bits::Boolean; break;
        case TypeKind::Number:
        case TypeKind::Integer: out.bits |= kind_bits::Number; break;
        case TypeKind::String: out.bits |= kind_bits::String; break;
        case TypeKind::LuaTable: out.bits |= kind_bits::LuaTable; break;
        case TypeKind::Thread: out.bits |= kind_bits::Thread; break;
        case TypeKind::Userdata: out.bits |= kind_bits::Userdata | kind_bits::File | kind_bits::LightUserdata; break;
        case TypeKind::File: out.bits |= kind_bits::File; break;
        case TypeKind::AnyFunction: out.bits |= kind_bits::AnyClosure; break;
        case TypeKind::Array: out.atoms.push_back(atomOf(AtomSort::Array, type)); break;
        case TypeKind::Table: out.atoms.push_back(atomOf(AtomSort::Table, type)); break;
        case TypeKind::Record: out.atoms.push_back(atomOf(AtomSort::Record, type)); break;
        case TypeKind::Enum: out.atoms.push_back(atomOf(AtomSort::Enum, type)); break;
        case TypeKind::Function: out.atoms.push_back(atomOf(AtomSort::Closure, t.shape)); break;
        case TypeKind::Class:
        case TypeKind::Interface:
            for (uint32_t k : heirs_[t.index]) out.atoms.push_back(atomOf(AtomSort::Object, k));
            break;
        case TypeKind::Union: {
            // One that contains itself adds nothing by that.
            if (std::find(visited_.begin(), visited_.end(), type) != visited_.end()) break;
            visited_.push_back(type);
            work_ += visited_.size();
            for (TypeId m : t.parts) addTypeTo(out, m);
            break;
        }
    }
}

bool ValueSets::holds(const Set& set, Atom atom) const {
    if ((set.bits & anyBitOf(atom)) != 0) return true;
    if (std::binary_search(set.atoms.begin(), set.atoms.end(), atom)) return true;
    if (sortOf(atom) != AtomSort::Proto) return false;
    const TypeIndex signature = chunk_.protos[indexOf(atom)].signature;
    if (signature == kNoIndex) return false;
    return std::binary_search(set.atoms.begin(), set.atoms.end(), atomOf(AtomSort::Closure, types_[typeIds_[signature]].shape));
}

bool ValueSets::isSubset(SetId a, SetId b) {
    if (a == b || b == everything_) return true;
    if ((sets_[a].bits & ~sets_[b].bits) != 0) return false;
    if (sets_[a].atoms.empty()) return true;
    auto [it, isNew] = subsets_.try_emplace(pairOf(a, b), false);
    work_ += sets_[a].atoms.size();
    if (isNew) it->second = std::ranges::all_of(sets_[a].atoms, [&](Atom atom) { return holds(sets_[b], atom); });
    return it->second;
}

SetId ValueSets::join(SetId a, SetId b) {
    if (a == b) return a;
    if (a > b) std::swap(a, b);
    if (auto it = joins_.find(pairOf(a, b)); it != joins_.end()) return it->second;
    std::vector<Atom> atoms = sets_[a].atoms;
    atoms.insert(atoms.end(), sets_[b].atoms.begin(), sets_[b].atoms.end());
    const SetId out = make(sets_[a].bits | sets_[b].bits, std::move(atoms));
    return joins_[pairOf(a, b)] = out;
}

SetId ValueSets::meet(SetId a, SetId b) {
    if (a == b || b == everything_) return a;
    if (auto it = meets_.find(pairOf(a, b)); it != meets_.end()) return it->second;
    std::vector<Atom> atoms;
    for (Atom atom : sets_[a].atoms)
        if (holds(sets_[b], atom)) atoms.push_back(atom);
    for (Atom atom : sets_[b].atoms)
        if (holds(sets_[a], atom)) atoms.push_back(atom);
    const SetId out = make(sets_[a].bits & sets_[b].bits, std::move(atoms));
    return meets_[pairOf(a, b)] = out;
}

SetId ValueSets::without(SetId a, SetId b) {
    std::vector<Atom> atoms;
    for (Atom atom : sets_[a].atoms)
        if (!holds(sets_[b], atom)) atoms.push_back(atom);
    return make(sets_[a].bits & ~sets_[b].bits, std::move(atoms));
}

bool ValueSets::isReferences(SetId a) const {
    if ((sets_[a].bits & ~(kind_bits::References | kind_bits::Nil)) != 0) return false;
    return std::ranges::none_of(sets_[a].atoms, [](Atom x) { return sortOf(x) == AtomSort::Enum; });
}

std::string ValueSets::text(SetId set) const {
    static constexpr const char* kBitNames[] = {"nil", "number", "boolean", "absent", "light userdata", "enum", "string", "Lua table",
                                                "coroutine", "userdata", "File", "class", "Function", "array", "table", "record", "object"};
    if (set == everything_) return "any";
    std::string out;
    auto add = [&](std::string_view part) {
        if (!out.empty()) out += " or ";
        out += part;
    };
    for (unsigned i = 0; i < std::size(kBitNames); ++i)
        if ((sets_[set].bits >> i & 1) != 0) add(kBitNames[i]);
    unsigned shown = 0;
    for (Atom atom : sets_[set].atoms) {
        if (++shown > 3) return out + " or others";
        TypeId type = kNoIndex;
        switch (sortOf(atom)) {
            case AtomSort::Array:
            case AtomSort::Table:
            case AtomSort::Record:
            case AtomSort::Enum: type = indexOf(atom); break;
            case AtomSort::Closure: type = shapeTypes_[indexOf(atom)]; break;
            case AtomSort::Proto: add("function '" + std::string(chunk_.symbol(chunk_.protos[indexOf(atom)].name)) + "'"); continue;
            case AtomSort::Object: add(chunk_.symbol(chunk_.types[chunk_.classes[indexOf(atom)].type].name)); continue;
        }
        const TypeIndex index = types_[type].index;
        add(index == kNoIndex ? std::string_view("a library type") : chunk_.symbol(chunk_.types[index].name));
    }
    return out.empty() ? "no value" : out;
}

}  // namespace luapp::bc
