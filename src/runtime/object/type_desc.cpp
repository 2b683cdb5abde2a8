#include "runtime/object/type_desc.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

namespace luapp::rt {
namespace {

constexpr uint32_t kFirstTypes = 64;

struct BasicType {
    TypeKind kind;
    Rep rep;
    const char* name;
};

// The kinds without parts.
constexpr BasicType kBasicTypes[] = {
    {TypeKind::Any, Rep::Box, "any"},           {TypeKind::Nil, Rep::Box, "nil"},
    {TypeKind::Boolean, Rep::Bool, "boolean"},  {TypeKind::Number, Rep::F64, "number"},
    {TypeKind::Integer, Rep::I64, "integer"},   {TypeKind::String, Rep::Ref, "string"},
    {TypeKind::AnyFunction, Rep::Ref, "Function"}, {TypeKind::LuaTable, Rep::Ref, "table"},
    {TypeKind::Thread, Rep::Ref, "thread"},     {TypeKind::Userdata, Rep::Ref, "userdata"},
    {TypeKind::File, Rep::Ref, "file"},
};

void addNumber(std::string& key, uint64_t n) { key.append(reinterpret_cast<const char*>(&n), sizeof n); }

void addTypes(std::string& key, std::span<const TypeDesc* const> types) {
    addNumber(key, types.size());
    for (const TypeDesc* t : types) addNumber(key, t->index);
}

/// Bytes that are equal exactly for specs of the same type.
std::string structuralKey(const TypeSpec& spec) {
    std::string key;
    addNumber(key, static_cast<uint64_t>(spec.kind));
    addNumber(key, static_cast<uint64_t>(spec.rep));
    if (spec.kind == TypeKind::Union) {
        std::vector<const TypeDesc*> members(spec.parts.begin(), spec.parts.end());
        std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->index < b->index; });
        addTypes(key, members);
    } else {
        addTypes(key, spec.parts);
    }
    if (spec.kind == TypeKind::Function) {
        addTypes(key, spec.results);
        addNumber(key, spec.vararg == nullptr ? 0 : spec.vararg->index);
        addNumber(key, uint64_t{spec.defaultCount} << 1 | (spec.hasResultPack ? 1 : 0));
        return key;
    }
    addNumber(key, spec.fields.size());
    for (const FieldDesc& f : spec.fields) {
        addNumber(key, f.name.size());
        key.append(f.name);
        addNumber(key, f.type == nullptr ? 0 : f.type->index);
        addNumber(key, static_cast<uint64_t>(f.value));
    }
    return key;
}

void addList(std::string& out, std::span<const TypeDesc* const> types, const TypeDesc* rest) {
    for (size_t i = 0; i < types.size(); i++) {
        if (i != 0) out += ", ";
        out += types[i]->name;
    }
    if (rest == nullptr) return;
    if (!types.empty()) out += ", ";
    out += "...";
    out += rest->name;
}

std::string functionName(const TypeSpec& spec) {
    std::string out = "(";
    addList(out, spec.parts, spec.vararg);
    out += "): ";
    if (spec.hasResultPack) {
        out += "(";
        for (const TypeDesc* r : spec.results) out.append(r->name) += ", ";
        return out += "...any)";
    }
    if (spec.results.empty()) return out += "void";
    if (spec.results.size() == 1) return out.append(spec.results[0]->name);
    out += "(";
    addList(out, spec.results, nullptr);
    return out += ")";
}

std::string unionName(const TypeSpec& spec) {
    std::string out;
    unsigned members = 0;
    bool hasNil = false;
    for (const TypeDesc* t : spec.parts) {
        if (t->kind == TypeKind::Nil) {
            hasNil = true;
            continue;
        }
        if (members++ != 0) out += " | ";
        bool isLoose = t->kind == TypeKind::Function;
        if (isLoose) out += "(";
        out += t->name;
        if (isLoose) out += ")";
    }
    if (!hasNil) return out;
    if (members == 1) return out += "?";
    return out += members == 0 ? "nil" : " | nil";
}

std::string recordName(const TypeSpec& spec) {
    std::string out = "{";
    for (size_t i = 0; i < spec.fields.size(); i++) {
        out += i == 0 ? " " : ", ";
        out.append(spec.fields[i].name) += ": ";
        out += spec.fields[i].type->name;
    }
    return out += spec.fields.empty() ? "}" : " }";
}

std::string makeName(const TypeSpec& spec) {
    switch (spec.kind) {
        case TypeKind::Array: return "Array<" + std::string(spec.parts[0]->name) + ">";
        case TypeKind::Table:
            return "Table<" + std::string(spec.parts[0]->name) + ", " + std::string(spec.parts[1]->name) + ">";
        case TypeKind::Record: return recordName(spec);
        case TypeKind::Function: return functionName(spec);
        case TypeKind::Union: return unionName(spec);
        case TypeKind::Any:
        case TypeKind::Nil:
        case TypeKind::Boolean:
        case TypeKind::Number:
        case TypeKind::Integer:
        case TypeKind::String:
        case TypeKind::AnyFunction:
        case TypeKind::Enum:
        case TypeKind::Class:
        case TypeKind::Interface:
        case TypeKind::LuaTable:
        case TypeKind::Thread:
        case TypeKind::Userdata:
        case TypeKind::File: break;
    }
    return "?";
}

}  // namespace

/// What only interning needs; made when the first type with parts comes.
struct TypeTable::Impl {
    std::unordered_map<std::string, TypeDesc*> structural;
    std::unordered_map<std::string, TypeDesc*> nominal;
    std::vector<void*> blocks;  // memory of descriptors, lists and names

    ~Impl() {
        for (void* block : blocks) std::free(block);
    }

    void* take(size_t bytes) {
        void* p = std::calloc(1, bytes == 0 ? 1 : bytes);
        if (p == nullptr) base::bugFound("no memory for type descriptors", __FILE__, __LINE__);
        blocks.push_back(p);
        return p;
    }
    template <class T>
    std::span<T> copy(std::span<const T> list) {
        if (list.empty()) return {};
        auto* p = static_cast<T*>(take(list.size_bytes()));
        std::copy(list.begin(), list.end(), p);
        return {p, list.size()};
    }
    std::string_view copy(std::string_view text) {
        auto* p = static_cast<char*>(take(text.size() + 1));
        std::memcpy(p, text.data(), text.size());
        return {p, text.size()};
    }
};

const FieldDesc* TypeDesc::findField(std::string_view fieldName) const {
    for (const FieldDesc& f : fields) {
        if (f.name == fieldName) return &f;
    }
    return nullptr;
}

const FieldDesc* TypeDesc::findMember(int64_t memberValue) const {
    for (const FieldDesc& f : fields) {
        if (f.value == memberValue) return &f;
    }
    return nullptr;
}

TypeTable::TypeTable() : impl_(new Impl) {
    for (const BasicType& basic : kBasicTypes) {
        TypeDesc* t = allocate(basic.kind, basic.rep);
        t->name = basic.name;
        t->acceptsNil = basic.kind == TypeKind::Any || basic.kind == TypeKind::Nil;
        basics_[static_cast<unsigned>(basic.kind)] = t;
    }
}

TypeTable::~TypeTable() {
    std::free(types_);
    delete impl_;
}

TypeDesc* TypeTable::allocate(TypeKind kind, Rep rep) {
    // Index 0 means "no type".
    if (count_ == 0) count_ = 1;
    if (count_ >= capacity_) {
        capacity_ = capacity_ == 0 ? kFirstTypes : capacity_ * 2;
        types_ = static_cast<const TypeDesc**>(std::realloc(types_, capacity_ * sizeof(TypeDesc*)));
        if (types_ == nullptr) base::bugFound("no memory for type descriptors", __FILE__, __LINE__);
        types_[0] = nullptr;
    }
    auto* t = new (impl_->take(sizeof(TypeDesc))) TypeDesc;
    t->index = count_;
    t->kind = kind;
    t->rep = rep;
    types_[count_++] = t;
    return t;
}

void TypeTable::fill(TypeDesc* t, const TypeSpec& spec) {
    t->parts = impl_->copy<const TypeDesc*>(spec.parts);
    t->results = impl_->copy<const TypeDesc*>(spec.results);
    t->vararg = spec.vararg;
    t->defaultCount = spec.defaultCount;
    t->hasResultPack = spec.hasResultPack;
    std::span<FieldDesc> fields = impl_->copy<FieldDesc>(spec.fields);
    size_t words = spec.kind == TypeKind::Record ? fields.size() : spec.words.size();
    size_t chunks = (words + 63) / 64;
    auto* maps = static_cast<uint64_t*>(chunks == 0 ? nullptr : impl_->take(2 * chunks * sizeof(uint64_t)));
    for (size_t i = 0; i < fields.size(); i++) {
        FieldDesc& f = fields[i];
        f.name = impl_->copy(f.name);
        f.offset = static_cast<uint32_t>(Instance::kFieldsOffset + i * sizeof(Word));
    }
    for (size_t i = 0; i < words; i++) {
        Rep rep = spec.kind == TypeKind::Record ? fields[i].type->rep : spec.words[i];
        if (rep == Rep::Ref) maps[i / 64] |= uint64_t{1} << (i % 64);
        if (rep == Rep::Box) maps[chunks + i / 64] |= uint64_t{1} << (i % 64);
    }
    t->fields = fields;
    t->refMap = {maps, chunks};
    t->boxMap = {maps + chunks, chunks};
    if (t->name.empty()) t->name = impl_->copy(spec.name.empty() ? std::string_view(makeName(spec)) : spec.name);
    if (spec.kind == TypeKind::Union) {
        t->acceptsNil = std::any_of(spec.parts.begin(), spec.parts.end(), [](const TypeDesc* m) { return m->acceptsNil; });
    }
    t->isComplete = true;
}

const TypeDesc* TypeTable::intern(const TypeSpec& spec) {
    if (const TypeDesc* basicType = basics_[static_cast<unsigned>(spec.kind)]) return basicType;
    TypeDesc*& found = impl_->structural[structuralKey(spec)];
    if (found == nullptr) {
        found = allocate(spec.kind, spec.rep);
        fill(found, spec);
    }
    return found;
}

const TypeDesc* TypeTable::arrayOf(const TypeDesc* element) {
    return intern({.kind = TypeKind::Array, .rep = Rep::Ref, .parts = {&element, 1}});
}

const TypeDesc* TypeTable::tableOf(const TypeDesc* key, const TypeDesc* value) {
    const TypeDesc* parts[] = {key, value};
    return intern({.kind = TypeKind::Table, .rep = Rep::Ref, .parts = parts});
}

const TypeDesc* TypeTable::optional(const TypeDesc* type) {
    if (type->acceptsNil) return type;
    std::vector<const TypeDesc*> parts;
    if (type->kind == TypeKind::Union) {
        parts.assign(type->parts.begin(), type->parts.end());
    } else {
        parts.push_back(type);
    }
    parts.push_back(basic(TypeKind::Nil));
    return intern({.kind = TypeKind::Union, .rep = type->rep == Rep::Ref ? Rep::Ref : Rep::Box, .parts = parts});
}

TypeDesc* TypeTable::declare(TypeKind kind, Rep rep, std::string_view key, std::string_view name) {
    TypeDesc*& found = impl_->nominal[std::string(key)];
    if (found == nullptr) {
        found = allocate(kind, rep);
        found->isNominal = true;
        found->isComplete = false;
        found->name = impl_->copy(name);
    }
    return found;
}

void TypeTable::complete(TypeDesc* type, const TypeSpec& spec) {
    if (!type->isComplete) fill(type, spec);
}

}  // namespace luapp::rt
