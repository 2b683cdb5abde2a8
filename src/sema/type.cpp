#include "sema/type.h"

#include <algorithm>
#include <unordered_set>

#include "sema/class_info.h"
#include "sema/typed.h"

namespace luapp::sema {

namespace {

uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
}

uint64_t hashOf(const Type* type) { return type ? type->id + 1 : 0; }

bool sameTypes(List<const Type*> a, std::span<const Type* const> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// nil goes last, the others stay in the order written.
void nilLast(std::vector<const Type*>& members) {
    std::stable_partition(members.begin(), members.end(), [](const Type* t) { return !isNil(t); });
}

/// What a type takes over from a type that occurs in it.
void inherit(Type* type, const Type* part) {
    type->hasTypeParams |= part->hasTypeParams;
    type->isOpen |= part->isOpen;
    type->depth = std::max<uint16_t>(type->depth, std::min<uint16_t>(part->depth, UINT16_MAX - 1) + 1);
}

void inherit(Type* type, std::span<const Type* const> parts) {
    for (const Type* part : parts) inherit(type, part);
}

}  // namespace

TypeTable::TypeTable(Interner& interner) : interner_(interner), slots_(256) {
    all_.reserve(128);
    error_ = simple(TypeKind::Error, Rep::Box, true);
    never_ = simple(TypeKind::Never, Rep::Void, false);
    void_ = simple(TypeKind::Void, Rep::Void, false);
    nil_ = simple(TypeKind::Nil, Rep::Box, true);
    boolean_ = simple(TypeKind::Boolean, Rep::Bool, false);
    number_ = simple(TypeKind::Number, Rep::F64, false);
    integer_ = simple(TypeKind::Integer, Rep::I64, false);
    string_ = simple(TypeKind::String, Rep::Ref, false);
    any_ = simple(TypeKind::Any, Rep::Box, true);
    implicitAny_ = simple(TypeKind::Any, Rep::Box, true);
    anyFunction_ = simple(TypeKind::AnyFunction, Rep::Ref, false);
    file_ = simple(TypeKind::File, Rep::Ref, false);
    auto bound = [&](std::unique_ptr<InterfaceInfo>& info, std::string_view name) {
        info = std::make_unique<InterfaceInfo>();
        info->nominalKind = NominalKind::Interface;
        info->name = interner.intern(name);
        info->types = this;
        info->selfType = interfaceType(info.get(), {});
        return info->selfType;
    };
    comparable_ = bound(comparableInfo_, "Comparable");
    hashable_ = bound(hashableInfo_, "Hashable");
}

TypeTable::~TypeTable() = default;

template <class T>
T* TypeTable::make(TypeKind kind, Rep rep) {
    T* type = arena_.make<T>();
    type->kind = kind;
    type->rep = rep;
    type->depth = 1;
    type->id = uint32_t(all_.size());
    all_.push_back(type);
    return type;
}

Type* TypeTable::simple(TypeKind kind, Rep rep, bool admitsNil) {
    Type* type = make<Type>(kind, rep);
    type->admitsNil = admitsNil;
    return type;
}

void TypeTable::growSlots() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    used_ = 0;
    for (const Slot& slot : old)
        if (slot.type) insertSlot(slot.hash, slot.type);
}

void TypeTable::insertSlot(uint64_t hash, const Type* type) {
    if (++used_ * 4 > slots_.size() * 3) growSlots(), used_++;
    size_t i = hash & (slots_.size() - 1);
    while (slots_[i].type) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = {hash, type};
}

template <class Same, class Make>
const Type* TypeTable::intern(uint64_t hash, Same same, Make make) {
    for (size_t i = hash & (slots_.size() - 1); slots_[i].type; i = (i + 1) & (slots_.size() - 1))
        if (slots_[i].hash == hash && !slots_[i].type->aliasName && same(slots_[i].type)) return slots_[i].type;
    const Type* type = make();
    insertSlot(hash, type);
    return type;
}

const ArrayType* TypeTable::array(const Type* element) {
    auto same = [&](const Type* t) {
        auto* a = asIf<ArrayType>(t);
        return a && a->element == element;
    };
    return as<ArrayType>(intern(mix(uint64_t(TypeKind::Array), hashOf(element)), same, [&] {
        auto* type = make<ArrayType>(TypeKind::Array, Rep::Ref);
        type->element = element;
        inherit(type, element);
        return type;
    }));
}

const TableType* TypeTable::table(const Type* key, const Type* value) {
    auto same = [&](const Type* t) {
        auto* a = asIf<TableType>(t);
        return a && a->key == key && a->value == value;
    };
    return as<TableType>(intern(mix(mix(uint64_t(TypeKind::Table), hashOf(key)), hashOf(value)), same, [&] {
        auto* type = make<TableType>(TypeKind::Table, Rep::Ref);
        type->key = key;
        type->value = value;
        inherit(type, key);
        inherit(type, value);
        return type;
    }));
}

const RecordType* TypeTable::record(std::span<const RecordField> written) {
    std::vector<uint32_t> order(written.size());
    for (uint32_t i = 0; i < order.size(); i++) order[i] = i;
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
        return interner_.text(written[a].name) < interner_.text(written[b].name);
    });
    uint64_t hash = uint64_t(TypeKind::Record);
    for (uint32_t i : order) hash = mix(mix(hash, written[i].name.id), hashOf(written[i].type));
    auto same = [&](const Type* t) {
        auto* r = asIf<RecordType>(t);
        if (!r || r->fields.count != order.size()) return false;
        for (uint32_t i = 0; i < order.size(); i++)
            if (r->fields[i].name != written[order[i]].name || r->fields[i].type != written[order[i]].type)
                return false;
        return true;
    };
    return as<RecordType>(intern(hash, same, [&] {
        auto* type = make<RecordType>(TypeKind::Record, Rep::Ref);
        std::vector<RecordField> fields;
        std::vector<uint32_t> printOrder(order.size());
        for (uint32_t i = 0; i < order.size(); i++) {
            fields.push_back(written[order[i]]);
            printOrder[order[i]] = i;
            inherit(type, fields.back().type);
        }
        type->fields = arena_.makeList<RecordField>(fields);
        type->printOrder = arena_.makeList<uint32_t>(printOrder);
        return type;
    }));
}

const FunctionType* TypeTable::function(std::span<const Type* const> params, const Type* vararg,
                                        std::span<const Type* const> results, const Type* variadicResult,
                                        uint32_t defaults, bool neverReturns) {
    uint64_t hash = mix(uint64_t(TypeKind::Function), defaults * 2 + neverReturns);
    for (const Type* p : params) hash = mix(hash, hashOf(p));
    hash = mix(mix(hash, hashOf(vararg)), hashOf(variadicResult) + 7);
    for (const Type* r : results) hash = mix(hash, hashOf(r) + 13);
    auto same = [&](const Type* t) {
        auto* f = asIf<FunctionType>(t);
        return f && f->vararg == vararg && f->variadicResult == variadicResult && f->defaults == defaults &&
               f->neverReturns == neverReturns && sameTypes(f->params, params) && sameTypes(f->results, results);
    };
    return as<FunctionType>(intern(hash, same, [&] {
        auto* type = make<FunctionType>(TypeKind::Function, Rep::Ref);
        type->params = arena_.makeList<const Type*>(params);
        type->vararg = vararg;
        type->results = arena_.makeList<const Type*>(results);
        type->variadicResult = variadicResult;
        type->defaults = defaults;
        type->neverReturns = neverReturns;
        inherit(type, params);
        inherit(type, results);
        if (vararg) inherit(type, vararg);
        if (variadicResult) inherit(type, variadicResult);
        return type;
    }));
}

void TypeTable::collectMembers(std::vector<const Type*>& out, const Type* type) const {
    // A begun alias is a union without members yet: it stays a member until completeAlias flattens it.
    if (auto* u = asIf<UnionType>(type); u && !u->members.empty()) {
        for (const Type* member : u->members) collectMembers(out, member);
        return;
    }
    if (type->kind != TypeKind::Never) out.push_back(type);
}

namespace {

/// Keeps the first of each type, in the order given.
void dropRepeats(std::vector<const Type*>& types) {
    constexpr size_t kFew = 16;
    if (types.size() <= kFew) {
        auto end = types.begin();
        for (const Type* type : types)
            if (std::find(types.begin(), end, type) == end) *end++ = type;
        types.erase(end, types.end());
        return;
    }
    std::unordered_set<const Type*> seen;
    std::erase_if(types, [&](const Type* type) { return !seen.insert(type).second; });
}

}  // namespace

const Type* TypeTable::unionOf(const Type* a, const Type* b) {
    if (a == b) return a;
    const Type* both[] = {a, b};
    return unionOf(both);
}

const Type* TypeTable::unionOf(std::span<const Type* const> members) {
    std::vector<const Type*> flat;
    flat.reserve(members.size() + 2);
    for (const Type* member : members) {
        if (isError(member)) return error_;
        collectMembers(flat, member);
    }
    dropRepeats(flat);
    for (const Type* member : flat)
        if (isAny(member)) return any_;
    if (std::find(flat.begin(), flat.end(), number_) != flat.end()) std::erase(flat, integer_);
    if (flat.empty()) return never_;
    if (flat.size() == 1) return flat[0];
    // A recursive union alias together with some of its own members is that alias.
    for (const Type* member : members) {
        auto* u = asIf<UnionType>(member);
        if (u && u->aliasName && u->members.count == flat.size()) return member;
    }
    return internUnion(flat);
}

const Type* TypeTable::internUnion(std::span<const Type* const> members) {
    std::vector<const Type*> sorted(members.begin(), members.end());
    std::sort(sorted.begin(), sorted.end(), [](const Type* a, const Type* b) { return a->id < b->id; });
    uint64_t hash = uint64_t(TypeKind::Union);
    for (const Type* member : sorted) hash = mix(hash, hashOf(member));
    auto same = [&](const Type* t) {
        auto* u = asIf<UnionType>(t);
        if (!u || u->members.count != sorted.size()) return false;
        return std::all_of(u->members.begin(), u->members.end(), [&](const Type* m) {
            return std::binary_search(sorted.begin(), sorted.end(), m,
                                      [](const Type* a, const Type* b) { return a->id < b->id; });
        });
    };
    return intern(hash, same, [&] {
        auto* type = make<UnionType>(TypeKind::Union, Rep::Box);
        std::vector<const Type*> ordered(members.begin(), members.end());
        nilLast(ordered);
        type->members = arena_.makeList<const Type*>(ordered);
        for (const Type* member : ordered)
            if (auto* u = asIf<UnionType>(member); u && u->members.empty()) {
                pendingUnions_.push_back(type);
                break;
            }
        finishUnion(type);
        return type;
    });
}

void TypeTable::finishUnion(UnionType* type) {
    bool allRefs = true;
    type->admitsNil = false;
    for (const Type* member : type->members) {
        inherit(type, member);
        if (isNil(member))
            type->admitsNil = true;
        else
            allRefs &= member->rep == Rep::Ref;
    }
    type->rep = allRefs && !type->members.empty() ? Rep::Ref : Rep::Box;
}

const Type* TypeTable::optional(const Type* type) {
    if (type->admitsNil) return type;
    return unionOf(type, nil_);
}

const Type* TypeTable::withoutNil(const Type* type) {
    if (isNil(type)) return never_;
    auto* u = asIf<UnionType>(type);
    if (!u || !u->admitsNil) return type;
    std::span<const Type* const> rest{u->members.items, u->members.count - 1};
    return rest.size() == 1 ? rest[0] : internUnion(rest);
}

const TypeParamType* TypeTable::typeParam(Symbol name, uint32_t index, bool isOpen) {
    auto* type = make<TypeParamType>(TypeKind::TypeParam, Rep::Box);
    type->name = name;
    type->index = index;
    type->hasTypeParams = true;
    type->isOpen = isOpen;
    type->use = arena_.make<TypeParamUse>();
    return type;
}

const TypeParamType* TypeTable::openParam(const TypeParamType* param) {
    if (!param->use->open) param->use->open = typeParam(param->name, param->index, true);
    return param->use->open;
}

const ClassType* TypeTable::classType(const ClassInfo* info, std::span<const Type* const> args) {
    uint64_t hash = mix(uint64_t(TypeKind::Class), uint64_t(reinterpret_cast<uintptr_t>(info)));
    for (const Type* arg : args) hash = mix(hash, hashOf(arg));
    auto same = [&](const Type* t) {
        auto* c = asIf<ClassType>(t);
        return c && c->info == info && sameTypes(c->args, args);
    };
    return as<ClassType>(intern(hash, same, [&] {
        auto* type = make<ClassType>(TypeKind::Class, Rep::Ref);
        type->info = info;
        type->name = info->name;
        type->args = arena_.makeList<const Type*>(args);
        inherit(type, args);
        return type;
    }));
}

const InterfaceType* TypeTable::interfaceType(const InterfaceInfo* info, std::span<const Type* const> args) {
    uint64_t hash = mix(uint64_t(TypeKind::Interface), uint64_t(reinterpret_cast<uintptr_t>(info)));
    for (const Type* arg : args) hash = mix(hash, hashOf(arg));
    auto same = [&](const Type* t) {
        auto* c = asIf<InterfaceType>(t);
        return c && c->info == info && sameTypes(c->args, args);
    };
    return as<InterfaceType>(intern(hash, same, [&] {
        auto* type = make<InterfaceType>(TypeKind::Interface, Rep::Ref);
        type->info = info;
        type->name = info->name;
        type->args = arena_.makeList<const Type*>(args);
        inherit(type, args);
        return type;
    }));
}

const InterfaceType* TypeTable::both(const Type* a, const Type* b) {
    const Type* object = nullptr;
    std::vector<const InterfaceType*> interfaces;
    for (const Type* part : {a, b}) {
        auto* interface = asIf<InterfaceType>(part);
        const Type* kept = keptOf(part);
        if (kept->kind == TypeKind::Class) {
            if (object && object != kept) return nullptr;
            object = kept;
        }
        if (!interface) continue;
        auto add = [&](const InterfaceType* one) {
            if (std::find(interfaces.begin(), interfaces.end(), one) == interfaces.end()) interfaces.push_back(one);
        };
        if (!interface->info->bothOf) add(interface);
        for (const InterfaceType* further : interface->info->interfaces) add(as<InterfaceType>(memberType(further, interface)));
    }
    if (interfaces.empty()) return nullptr;
    std::string name = object ? print(object) + " & " : "";
    if (!object) object = interfaces[0];
    for (const InterfaceType* interface : interfaces) {
        const bool isExtended = std::any_of(interfaces.begin(), interfaces.end(), [&](const InterfaceType* other) {
            return other != interface && interfaceOf(other, interface->info) == interface;
        });
        if (!isExtended) name += print(interface) + " & ";
    }
    name.resize(name.size() - 3);
    const Symbol symbol = interner_.intern(name);
    for (auto& known : bothInfos_)
        if (known->bothOf == object && std::equal(known->interfaces.begin(), known->interfaces.end(), interfaces.begin(), interfaces.end()))
            return known->selfType;
    auto& info = bothInfos_.emplace_back(std::make_unique<InterfaceInfo>());
    info->nominalKind = NominalKind::Interface;
    info->name = symbol;
    info->types = this;
    info->bothOf = object;
    info->interfaces = arena_.makeList<const InterfaceType*>(interfaces);
    info->selfType = interfaceType(info.get(), {});
    const_cast<InterfaceType*>(info->selfType)->hasTypeParams = a->hasTypeParams || b->hasTypeParams;
    return info->selfType;
}

const EnumType* TypeTable::enumType(const EnumInfo* info) {
    auto* type = make<EnumType>(TypeKind::Enum, Rep::I64);
    type->info = info;
    type->name = info->name;
    return type;
}

const Type* TypeTable::substitute(const Type* type, std::span<const TypeBinding> bindings, TypeMap* cache) {
    if (!type->hasTypeParams) return type;
    if (!cache) return substituteParts(type, bindings, nullptr);
    if (auto known = cache->find(type); known != cache->end()) return known->second;
    const Type* made = substituteParts(type, bindings, cache);
    cache->emplace(type, made);
    return made;
}

const Type* TypeTable::substituteParts(const Type* type, std::span<const TypeBinding> bindings, TypeMap* cache) {
    auto each = [&](List<const Type*> list) {
        std::vector<const Type*> out;
        out.reserve(list.count);
        for (const Type* item : list) out.push_back(substitute(item, bindings, cache));
        return out;
    };
    if (type->aliasName) return aliasMaker_->makeAlias(*type->alias, each(type->aliasArgs));
    switch (type->kind) {
        case TypeKind::TypeParam:
            for (const TypeBinding& binding : bindings)
                if (binding.param == type) return binding.type ? binding.type : type;
            return type;
        case TypeKind::Array: return array(substitute(as<ArrayType>(type)->element, bindings, cache));
        case TypeKind::Table: {
            auto* t = as<TableType>(type);
            return table(substitute(t->key, bindings, cache), substitute(t->value, bindings, cache));
        }
        case TypeKind::Record: {
            auto* r = as<RecordType>(type);
            std::vector<RecordField> fields;
            for (uint32_t at : r->printOrder)
                fields.push_back({r->fields[at].name, substitute(r->fields[at].type, bindings, cache)});
            return record(fields);
        }
        case TypeKind::Function: {
            auto* f = as<FunctionType>(type);
            return function(each(f->params), f->vararg ? substitute(f->vararg, bindings, cache) : nullptr, each(f->results),
                            f->variadicResult ? substitute(f->variadicResult, bindings, cache) : nullptr, f->defaults,
                            f->neverReturns);
        }
        case TypeKind::Union: return unionOf(each(as<UnionType>(type)->members));
        case TypeKind::Class: return classType(as<ClassType>(type)->info, each(as<ClassType>(type)->args));
        case TypeKind::Interface: {
            const InterfaceInfo* info = as<InterfaceType>(type)->info;
            if (!info->bothOf) return interfaceType(info, each(as<InterfaceType>(type)->args));
            const Type* all = substitute(info->bothOf, bindings, cache);
            for (const InterfaceType* part : info->interfaces)
                if (const Type* more = both(all, substitute(part, bindings, cache))) all = more;
            return all;
        }
        case TypeKind::Error:
        case TypeKind::Never:
        case TypeKind::Void:
        case TypeKind::Nil:
        case TypeKind::Boolean:
        case TypeKind::Number:
        case TypeKind::Integer:
        case TypeKind::String:
        case TypeKind::Any:
        case TypeKind::AnyFunction:
        case TypeKind::File:
        case TypeKind::Enum: return type;
    }
    return type;
}

Type* TypeTable::beginAlias(TypeKind kind, AliasInfo* alias, Symbol name, std::span<const Type* const> args) {
    Type* type = nullptr;
    switch (kind) {
        case TypeKind::Array: type = make<ArrayType>(kind, Rep::Ref); break;
        case TypeKind::Table: type = make<TableType>(kind, Rep::Ref); break;
        case TypeKind::Record: type = make<RecordType>(kind, Rep::Ref); break;
        case TypeKind::Function: type = make<FunctionType>(kind, Rep::Ref); break;
        default: type = make<UnionType>(TypeKind::Union, Rep::Box); break;
    }
    type->aliasName = name;
    type->alias = alias;
    type->aliasArgs = arena_.makeList<const Type*>(args);
    inherit(type, args);
    return type;
}

void TypeTable::completeAlias(Type* alias, const Type* definition) {
    LUAPP_CHECK(alias->kind == definition->kind, "an alias was begun with another kind");
    switch (alias->kind) {
        case TypeKind::Array: static_cast<ArrayType*>(alias)->element = as<ArrayType>(definition)->element; break;
        case TypeKind::Table:
            static_cast<TableType*>(alias)->key = as<TableType>(definition)->key;
            static_cast<TableType*>(alias)->value = as<TableType>(definition)->value;
            break;
        case TypeKind::Record:
            static_cast<RecordType*>(alias)->fields = as<RecordType>(definition)->fields;
            static_cast<RecordType*>(alias)->printOrder = as<RecordType>(definition)->printOrder;
            break;
        case TypeKind::Function: {
            auto* to = static_cast<FunctionType*>(alias);
            auto* from = as<FunctionType>(definition);
            to->params = from->params;
            to->vararg = from->vararg;
            to->results = from->results;
            to->variadicResult = from->variadicResult;
            to->defaults = from->defaults;
            to->neverReturns = from->neverReturns;
            break;
        }
        default: {
            auto* to = static_cast<UnionType*>(alias);
            to->members = as<UnionType>(definition)->members;
            finishUnion(to);
            // Unions made while this one was empty take its members in now; they stay the objects they are.
            for (UnionType* pending : pendingUnions_) {
                std::vector<const Type*> flat;
                for (const Type* member : pending->members) collectMembers(flat, member);
                dropRepeats(flat);
                nilLast(flat);
                pending->members = arena_.makeList<const Type*>(flat);
                finishUnion(pending);
            }
            break;
        }
    }
}

// ---- Printing -------------------------------------------------------------------------------------------------------

/// From this length on, parts of a type are printed as `...`.
static constexpr size_t kPrintLimit = 500;

std::string TypeTable::print(const Type* type) const {
    std::string out;
    print(out, type);
    return out;
}

void TypeTable::printNested(std::string& out, const Type* type) const {
    // `(A | B)[]`, `((A): B)?`: what is looser than a suffix gets parentheses.
    const bool loose = !type->aliasName && (isFunction(type) || (isUnion(type) && !isOptional(type)));
    if (loose) out += '(';
    print(out, type);
    if (loose) out += ')';
}

void TypeTable::print(std::string& out, const Type* type) const {
    auto list = [&](List<const Type*> types) {
        for (uint32_t i = 0; i < types.count; i++) {
            if (i) out += ", ";
            print(out, types[i]);
        }
    };
    auto named = [&](Symbol name, List<const Type*> args) {
        out += interner_.text(name);
        if (args.empty()) return;
        out += '<';
        list(args);
        out += '>';
    };
    // A type of a few lines may be a tree of any size once its aliases are written out.
    if (out.size() > kPrintLimit) {
        if (!out.ends_with("...")) out += "...";
        return;
    }
    if (type->aliasName) return named(type->aliasName, type->aliasArgs);
    switch (type->kind) {
        case TypeKind::Error: out += "?"; return;
        case TypeKind::Never: out += "never"; return;
        case TypeKind::Void: out += "void"; return;
        case TypeKind::Nil: out += "nil"; return;
        case TypeKind::Boolean: out += "boolean"; return;
        case TypeKind::Number: out += "number"; return;
        case TypeKind::Integer: out += "integer"; return;
        case TypeKind::String: out += "string"; return;
        case TypeKind::Any: out += "any"; return;
        case TypeKind::AnyFunction: out += "Function"; return;
        case TypeKind::File: out += "File"; return;
        case TypeKind::Array:
            out += "Array<";
            print(out, as<ArrayType>(type)->element);
            out += '>';
            return;
        case TypeKind::Table:
            out += "Table<";
            print(out, as<TableType>(type)->key);
            out += ", ";
            print(out, as<TableType>(type)->value);
            out += '>';
            return;
        case TypeKind::Record: {
            auto* r = as<RecordType>(type);
            out += r->fields.empty() ? "{" : "{ ";
            for (uint32_t i = 0; i < r->fields.count; i++) {
                if (i) out += ", ";
                const RecordField& field = r->fields[r->printOrder[i]];
                out += interner_.text(field.name);
                out += ": ";
                print(out, field.type);
            }
            out += r->fields.empty() ? "}" : " }";
            return;
        }
        case TypeKind::Function: {
            auto* f = as<FunctionType>(type);
            out += '(';
            for (uint32_t i = 0; i < f->params.count; i++) {
                if (i) out += ", ";
                print(out, f->params[i]);
                if (i >= f->minArgs()) out += " = ...";
            }
            if (f->vararg) {
                out += f->params.empty() ? "..." : ", ...";
                print(out, f->vararg);
            }
            out += "): ";
            if (f->neverReturns) {
                out += "never";
            } else if (f->isVoid()) {
                out += "void";
            } else if (f->results.count == 1 && !f->variadicResult) {
                print(out, f->results[0]);
            } else if (f->results.empty()) {
                out += "...";
                print(out, f->variadicResult);
            } else {
                out += '(';
                list(f->results);
                if (f->variadicResult) {
                    out += ", ...";
                    print(out, f->variadicResult);
                }
                out += ')';
            }
            return;
        }
        case TypeKind::Union: {
            auto* u = as<UnionType>(type);
            if (u->admitsNil && u->members.count == 2) {
                printNested(out, u->members[0]);
                out += '?';
                return;
            }
            for (uint32_t i = 0; i < u->members.count; i++) {
                if (i) out += " | ";
                if (isFunction(u->members[i]))
                    printNested(out, u->members[i]);
                else
                    print(out, u->members[i]);
            }
            return;
        }
        case TypeKind::Class: return named(as<ClassType>(type)->name, as<ClassType>(type)->args);
        case TypeKind::Interface: return named(as<InterfaceType>(type)->name, as<InterfaceType>(type)->args);
        case TypeKind::Enum: return named(as<EnumType>(type)->name, {});
        case TypeKind::TypeParam: return named(as<TypeParamType>(type)->name, {});
    }
}

}  // namespace luapp::sema
