// What a chunk's tables say about words: value types, signatures, captures, classes.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/bytecode/verify_classes.h"
#include "runtime/bytecode/verify_impl.h"

namespace luapp::bc {

ChunkTypes::ChunkTypes(const Chunk& c, const VerifyOptions& o) : chunk(c), options(o), sets(c), classOf(classesByType(c)) {
    for (const ClassData& k : c.classes) {
        auto& words = fields_.emplace_back(k.words, nullptr);
        for (const ClassFieldData& f : k.fields) words[f.word] = &f;
        workLimit += k.fields.size() + k.ancestors.size();
    }
    constexpr uint64_t kStepsPerWord = 4096, kFreeWords = 65536;
    for (const Proto& p : c.protos) workLimit += p.code.size();
    workLimit = (workLimit + c.types.size() + kFreeWords) * kStepsPerWord;
}

bool ChunkTypes::check(std::string& error) {
    if (!checkValueTypes(error)) return false;
    for (const Proto& p : chunk.protos) {
        if (!checkCaptures(p)) {
            error = fmt::format("function '{}': what its parameters or captures hold does not fit", chunk.symbol(p.name));
            return false;
        }
        signatures.push_back(signatureOf(p));
    }
    for (size_t i = 0; i < chunk.protos.size(); ++i) {
        if (checkProto(static_cast<ProtoIndex>(i))) continue;
        error = fmt::format("function '{}': what its captures hold does not fit its use", chunk.symbol(chunk.protos[i].name));
        return false;
    }
    for (size_t i = 0; i < chunk.classes.size(); ++i) {
        if (checkClass(i)) continue;
        error = fmt::format("class {}: its functions do not take its objects, or its static fields are of other types",
                            chunk.symbol(chunk.types[chunk.classes[i].type].name));
        return false;
    }
    return true;
}

bool ChunkTypes::checkValueTypes(std::string& error) const {
    auto fail = [&](size_t i) {
        error = fmt::format("value type {} is malformed", i);
        return false;
    };
    if (chunk.valueTypes.empty() || chunk.valueTypes[0] != ValueType()) return fail(0);
    for (size_t i = 0; i < chunk.valueTypes.size(); ++i) {
        const ValueType& v = chunk.valueTypes[i];
        if (v.type != kNoIndex && (v.type >= chunk.types.size() || v.function != kNoIndex)) return fail(i);
        if (v.function != kNoIndex && v.function >= chunk.protos.size()) return fail(i);
        if (v.isCell != (v.rep != Rep::Void) || v.rep == Rep::Pack) return fail(i);
        if (!v.isCell) continue;
        if (v.type != kNoIndex && chunk.types[v.type].rep != v.rep && v.rep != Rep::Box) return fail(i);
        if (v.function != kNoIndex && v.rep != Rep::Ref && v.rep != Rep::Box) return fail(i);
    }
    for (size_t i = 0; i < chunk.data.size(); ++i) {
        const DataEntry& d = chunk.data[i];
        const bool isBuiltin = d.kind == DataKind::Builtin || d.kind == DataKind::BuiltinBox;
        if (isBuiltin && readsOwnClosure(d.index)) {
            error = fmt::format("data {}: the library function is no value", i);
            return false;
        }
        if (d.valueType >= chunk.valueTypes.size() || chunk.valueTypes[d.valueType].isCell || !fits(d.valueType, d.rep)) {
            error = fmt::format("data {}: its type does not fit", i);
            return false;
        }
    }
    return true;
}

/// True if a word of the representation can be what the value type says.
bool ChunkTypes::fits(ValueTypeIndex index, Rep rep) const {
    if (index >= chunk.valueTypes.size()) return false;
    const ValueType& v = chunk.valueTypes[index];
    if (v.isCell) return rep == Rep::Ref;
    if (v.function != kNoIndex) return rep == Rep::Ref || rep == Rep::Box;
    return v.type == kNoIndex || chunk.types[v.type].rep == rep || rep == Rep::Box;
}

bool ChunkTypes::checkCaptures(const Proto& p) const {
    auto fitAll = [&](const std::vector<ValueTypeIndex>& types, const std::vector<Rep>& reps) {
        if (!types.empty() && types.size() != reps.size()) return false;
        for (size_t i = 0; i < types.size(); ++i)
            if (!fits(types[i], reps[i])) return false;
        return true;
    };
    if (!fitAll(p.paramTypes, p.params) || !fitAll(p.resultTypes, p.results) || !fitAll(p.captureTypes, p.captures)) return false;
    // Cells are no values: they are not passed and not returned.
    for (const std::vector<ValueTypeIndex>* list : {&p.paramTypes, &p.resultTypes})
        for (ValueTypeIndex v : *list)
            if (chunk.valueTypes[v].isCell) return false;
    if (p.closureOf != kNoIndex && p.closureOf >= chunk.protos.size()) return false;
    for (size_t i = 0; i < p.typeHints.size(); ++i) {
        const TypeHint& t = p.typeHints[i];
        if (t.type >= chunk.types.size() || chunk.types[t.type].rep != Rep::Ref || (i != 0 && t.pc <= p.typeHints[i - 1].pc)) return false;
    }
    // The debug library tells cells by the names of captures.
    for (size_t i = 0; i < p.captureNames.size(); ++i)
        if (p.captureNames[i].isCell != chunk.valueTypes[captureType(p, i)].isCell) return false;
    return !p.isLenient || captureType(p, 0) == 0;
}

bool ChunkTypes::haveSameCaptures(const Proto& a, const Proto& b) const {
    if (a.captures != b.captures) return false;
    for (size_t i = 0; i < a.captures.size(); ++i)
        if (captureType(a, i) != captureType(b, i)) return false;
    return true;
}

bool ChunkTypes::checkProto(ProtoIndex index) {
    const Proto& p = chunk.protos[index];
    const bool isEntryOf = p.closureOf != kNoIndex && p.closureOf != index;
    if (isEntryOf && (!haveSameCaptures(p, chunk.protos[p.closureOf]) || index == chunk.entry)) return false;
    if (p.isAdapter || p.isBound) {
        const Known wrapped = ofValueType(captureType(p, 0), p.captures[0]);
        if (wrapped.sort != Sort::Ref || (sets.bits(wrapped.index) & kind_bits::Nil) != 0) return false;
        if (p.isAdapter && !sets.isSubset(wrapped.index, sets.ofBits(kind_bits::AnyClosure))) return false;
    }
    if (p.dynamicProto == kNoIndex) return true;
    const Proto& d = chunk.protos[p.dynamicProto];
    const Signature &own = signatures[index], &dynamic = signatures[p.dynamicProto];
    if (!haveSameCaptures(p, d) || (!p.captures.empty() && d.closureOf != index) || own.results != dynamic.results) return false;
    return std::ranges::all_of(dynamic.params, [&](Known k) { return k == boxOf(sets.everything()); });
}

bool ChunkTypes::checkClass(size_t index) {
    const ClassData& k = chunk.classes[index];
    const SetId object = sets.ofAtom(atomOf(AtomSort::Object, static_cast<uint32_t>(index)));
    auto takesObject = [&](ProtoIndex p) {
        const Signature& s = signatures[p];
        return !s.params.empty() && s.params[0].sort == Sort::Ref && sets.isSubset(object, s.params[0].index);
    };
    for (ProtoIndex p : k.table)
        if (p != kNoIndex && !takesObject(p)) return false;
    if (k.finalizer != kNoIndex && !takesObject(k.finalizer)) return false;
    for (const ClassMemberData& m : k.members) {
        if (m.variable == kNoIndex) continue;
        // Dynamic code reads and sets it as a value of its type.
        const DataEntry& d = chunk.data[m.variable];
        const Known own = ofValueType(d.valueType, d.rep), seen = ofType(sets.typeOf(m.type), d.rep);
        if (own.sort != seen.sort || (own.sort != Sort::Int && !sets.isSubset(seen.index, own.index))) return false;
    }
    return true;
}

// --- words

Known ChunkTypes::ofType(TypeId type, Rep rep) {
    switch (rep) {
        case Rep::F64: return boxOf(sets.ofBits(kind_bits::Number));
        case Rep::I64:
        case Rep::Bool: return {Sort::Int};
        case Rep::Ref: return refOf(sets.ofType(type));
        case Rep::Box: return boxOf(sets.ofType(type));
        case Rep::Void:
        case Rep::Pack: break;
    }
    return {};
}

Known ChunkTypes::anyOf(Rep rep) {
    switch (rep) {
        case Rep::F64: return boxOf(sets.ofBits(kind_bits::Number));
        case Rep::I64:
        case Rep::Bool: return {Sort::Int};
        case Rep::Ref: return refOf(sets.ofBits(kind_bits::References | kind_bits::Nil));
        case Rep::Box: return boxOf(sets.everything());
        case Rep::Void:
        case Rep::Pack: break;
    }
    return {};
}

Known ChunkTypes::ofValueType(ValueTypeIndex index, Rep rep) {
    const ValueType& v = chunk.valueTypes[index];
    return v.isCell ? Known{Sort::Cell, index} : ofPlain(v, rep);
}

Known ChunkTypes::contents(ValueTypeIndex cell) { return ofPlain(chunk.valueTypes[cell], chunk.valueTypes[cell].rep); }

/// What a word of the representation holds that the value type describes, or that lies in the cell which it describes.
Known ChunkTypes::ofPlain(const ValueType& v, Rep rep) {
    Known k = anyOf(rep);
    if (rep != Rep::Ref && rep != Rep::Box) return k;
    if (v.function != kNoIndex) k.index = sets.ofAtom(atomOf(AtomSort::Proto, v.function));
    if (v.type != kNoIndex) k.index = sets.ofType(sets.typeOf(v.type));
    if (v.mayBeUnset) k.index = sets.withBits(k.index, kind_bits::Nil);
    return k;
}

TypeId ChunkTypes::typeOfValueType(ValueTypeIndex index) {
    const ValueType& v = chunk.valueTypes[index];
    if (v.type == kNoIndex) return kNoIndex;
    if (!v.mayBeUnset) return sets.typeOf(v.type);
    // Where the chunk has no type for "or nil": what is stored by a check is a value, for nothing is known to be unset without one.
    const TypeId optional = sets.optional(sets.typeOf(v.type));
    return sets.type(optional).index == kNoIndex ? sets.typeOf(v.type) : optional;
}

Known ChunkTypes::ofData(const DataEntry& d) {
    switch (d.kind) {
        case DataKind::Word:
            if (d.rep == Rep::Ref || d.word == 0) return {Sort::Zero};
            if (d.rep == Rep::I64 || d.rep == Rep::Bool) return {Sort::Int};
            if (d.word <= 0xFFF8'0000'0000'0000u) return boxOf(sets.ofBits(kind_bits::Number));
            switch (d.word & 0xFFFF'FFFF'FFFFu) {
                case 0: return boxOf(sets.ofBits(kind_bits::Nil));
                case 1:
                case 2: return boxOf(sets.ofBits(kind_bits::Boolean));
                default: return boxOf(sets.ofBits(kind_bits::Absent));
            }
        case DataKind::String: return refOf(sets.ofBits(kind_bits::String));
        case DataKind::StringBox: return boxOf(sets.ofBits(kind_bits::String));
        case DataKind::Function: return refOf(sets.ofAtom(atomOf(AtomSort::Proto, d.index)));
        case DataKind::FunctionBox: return boxOf(sets.ofAtom(atomOf(AtomSort::Proto, d.index)));
        case DataKind::Builtin: return refOf(ofBuiltin(d.index));
        case DataKind::BuiltinBox: return boxOf(ofBuiltin(d.index));
        case DataKind::Type: return {Sort::Type, sets.typeOf(d.index)};
        case DataKind::Class: return boxOf(sets.ofBits(kind_bits::ClassValue));
        case DataKind::Variable: {
            Known k = ofValueType(d.valueType, d.rep);
            if (k.sort == Sort::Ref || d.rep == Rep::Box) k.index = sets.withBits(k.index, kind_bits::Nil);
            return k;
        }
    }
    return {};
}

// --- signatures

Signature ChunkTypes::signatureOf(TypeId function) {
    const KnownType t = sets.type(function);
    Signature s;
    for (TypeId p : t.parts) s.params.push_back(ofType(p));
    for (TypeId r : t.results) s.results.push_back(ofType(r));
    s.paramTypes = t.parts;
    s.resultTypes = t.results;
    s.isVararg = t.vararg != kNoIndex;
    s.vararg = sets.everything();
    s.returnsPack = t.hasResultPack;
    return s;
}

Signature ChunkTypes::signatureOf(const Proto& p) {
    if (p.signature != kNoIndex) return signatureOf(sets.typeOf(p.signature));
    Signature s;
    for (size_t i = 0; i < p.params.size(); ++i) {
        const ValueTypeIndex type = p.paramTypes.empty() ? 0 : p.paramTypes[i];
        s.params.push_back(ofValueType(type, p.params[i]));
        s.paramTypes.push_back(typeOfValueType(type));
    }
    for (size_t i = 0; i < p.results.size(); ++i) {
        const ValueTypeIndex type = p.resultTypes.empty() ? 0 : p.resultTypes[i];
        s.results.push_back(ofValueType(type, p.results[i]));
        s.resultTypes.push_back(typeOfValueType(type));
    }
    s.isVararg = p.isVararg;
    s.vararg = sets.everything();
    s.returnsPack = p.returnsPack;
    return s;
}

const Signature& ChunkTypes::ofShape(uint32_t shape) {
    std::unique_ptr<Signature>& s = shapes_[shape];
    if (s == nullptr) s = std::make_unique<Signature>(signatureOf(sets.typeOfShape(shape)));
    return *s;
}

// --- library functions

bool ChunkTypes::readsOwnClosure(uint32_t index) const {
    const std::string_view name = options.builtins[index].name;
    return name.starts_with('(') && name != "(module provider)" && name != "(globals)";
}

const BuiltinPattern& ChunkTypes::builtin(uint32_t index) {
    std::unique_ptr<BuiltinPattern>& p = builtins_[index];
    if (p == nullptr) p = std::make_unique<BuiltinPattern>(readPattern(options.builtins[index]));
    return *p;
}

TypeId ChunkTypes::instantiate(const TypePattern& p, const TypeId* bound) {
    TypeId out;
    if (p.param >= 0) {
        out = bound == nullptr || bound[p.param] == kNoIndex ? sets.basic(TypeKind::Any) : bound[p.param];
    } else if (p.kind == TypeKind::Array || p.kind == TypeKind::Table || p.kind == TypeKind::Function) {
        KnownType t;
        t.kind = p.kind;
        t.rep = Rep::Ref;
        for (const TypePattern& part : p.parts) t.parts.push_back(instantiate(part, bound));
        if (!p.hasResultPack)
            for (const TypePattern& r : p.results) t.results.push_back(instantiate(r, bound));
        t.hasResultPack = p.hasResultPack;
        out = sets.intern(std::move(t));
    } else {
        out = sets.basic(p.kind);
    }
    return p.isOptional ? sets.optional(out) : out;
}

SetId ChunkTypes::ofBuiltin(uint32_t index) {
    const BuiltinPattern& p = builtin(index);
    if (options.builtins[index].isValue || p.isOpen) return sets.ofBits(kind_bits::AnyClosure);
    KnownType t;
    t.kind = TypeKind::Function;
    t.rep = Rep::Ref;
    for (const TypePattern& param : p.params) t.parts.push_back(instantiate(param, nullptr));
    if (!p.hasResultPack)
        for (const TypePattern& r : p.results) t.results.push_back(instantiate(r, nullptr));
    if (p.isVararg) t.vararg = instantiate(p.vararg, nullptr);
    t.defaultCount = p.defaultCount;
    t.hasResultPack = p.hasResultPack;
    return sets.ofType(sets.intern(std::move(t)));
}

}  // namespace luapp::bc
