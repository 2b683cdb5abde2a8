#include "backend/bytecode/chunk_builder.h"

#include "frontend/base/source.h"
#include "runtime/base/check.h"

namespace luapp::bc {

ChunkBuilder::ChunkBuilder(const ir::Module& module, const sema::TypedProgram* program) : module_(module), program_(program) {
    symbols_.emplace(std::string(), 0);
    for (const ir::ModuleVar& v : module.vars) {
        chunk_.data.push_back({DataKind::Variable, v.rep, symbol(v.name), v.initial, v.valueType});
    }
    chunk_.valueTypes.clear();
    for (const ir::ValueType& v : module.valueTypes)
        chunk_.valueTypes.push_back({v.type, v.function ? v.function->index() : kNoIndex, v.mayBeUnset, v.isCell, v.rep});
    if (module.sources) {
        for (size_t i = 0; i < module.sources->fileCount(); i++) {
            chunk_.files.push_back({symbol(module.sources->file(i).name())});
        }
    }
    addTypes();
}

SymbolIndex ChunkBuilder::symbol(std::string_view text) {
    auto it = symbols_.find(text);
    if (it == symbols_.end()) {
        it = symbols_.emplace(std::string(text), static_cast<SymbolIndex>(chunk_.symbols.size())).first;
        chunk_.symbols.emplace_back(text);
    }
    return it->second;
}

size_t ChunkBuilder::DataHash::operator()(const DataKey& k) const {
    uint64_t h = (k.bits ^ (uint64_t{k.index} << 32 | k.kindAndRep)) * 0x9E37'79B9'7F4A'7C15u;
    return h ^ h >> 29;
}

DataIndex ChunkBuilder::data(DataKind kind, Rep rep, uint32_t index, uint64_t bits) {
    const DataKey key{bits, index, static_cast<uint32_t>(kind) << 8 | static_cast<uint32_t>(rep)};
    auto [it, isNew] = data_.try_emplace(key, static_cast<DataIndex>(chunk_.data.size()));
    if (isNew) chunk_.data.push_back({kind, rep, index, bits});
    return it->second;
}

DataIndex ChunkBuilder::string(uint32_t irString, bool boxed) {
    return reference(DataKind::String, DataKind::StringBox, symbol(module_.strings[irString]), boxed);
}

Position ChunkBuilder::position(ir::Loc loc) {
    loc = module_.placeOf(loc);
    if (!module_.sources || !loc.isValid()) return {};
    if (loc.offset >= lineBegin_ && loc.offset < lineEnd_) return lastPosition_;
    const frontend::Position p = module_.sources->position(loc);
    if (!p.file) return {};
    lineBegin_ = p.file->lineBegin(p.at.line).offset;
    lineEnd_ = p.at.line < p.file->lineCount() ? p.file->lineBegin(p.at.line + 1).offset : p.file->end().offset + 1;
    lastPosition_ = {p.file->index(), p.at.line};
    return lastPosition_;
}

void ChunkBuilder::addTypes() {
    for (uint32_t i = 0; i < module_.types.size(); i++) {
        if (module_.types[i].type) typeIndices_.emplace(module_.types[i].type, i);
        pendingTypes_.push_back(module_.types[i].type);
    }
    // Describing a type may append others.
    for (uint32_t i = 0; i < pendingTypes_.size(); i++) {
        TypeData t;
        if (pendingTypes_[i]) {
            t = describe(pendingTypes_[i]);
        } else {
            t.name = symbol(module_.types[i].name);
        }
        chunk_.types.push_back(std::move(t));
    }
}

TypeIndex ChunkBuilder::typeIndex(const sema::Type* type) {
    auto [it, isNew] = typeIndices_.try_emplace(type, static_cast<TypeIndex>(pendingTypes_.size()));
    if (isNew) pendingTypes_.push_back(type);
    return it->second;
}

namespace {

TypeKind kindOf(sema::TypeKind kind) {
    switch (kind) {
        case sema::TypeKind::Error:
        case sema::TypeKind::Never:
        case sema::TypeKind::Void:
        case sema::TypeKind::TypeParam:
        case sema::TypeKind::Any: return TypeKind::Any;
        case sema::TypeKind::Nil: return TypeKind::Nil;
        case sema::TypeKind::Boolean: return TypeKind::Boolean;
        case sema::TypeKind::Number: return TypeKind::Number;
        case sema::TypeKind::Integer: return TypeKind::Integer;
        case sema::TypeKind::String: return TypeKind::String;
        case sema::TypeKind::AnyFunction: return TypeKind::AnyFunction;
        case sema::TypeKind::File: return TypeKind::File;
        case sema::TypeKind::Array: return TypeKind::Array;
        case sema::TypeKind::Table: return TypeKind::Table;
        case sema::TypeKind::Record: return TypeKind::Record;
        case sema::TypeKind::Function: return TypeKind::Function;
        case sema::TypeKind::Union: return TypeKind::Union;
        case sema::TypeKind::Class: return TypeKind::Class;
        case sema::TypeKind::Interface: return TypeKind::Interface;
        case sema::TypeKind::Enum: return TypeKind::Enum;
    }
    LUAPP_UNREACHABLE("kind of type");
}

}  // namespace

TypeData ChunkBuilder::describe(const sema::Type* type) {
    TypeData out;
    out.kind = kindOf(type->kind);
    out.rep = out.kind == TypeKind::Any ? Rep::Box : sema::repOf(type);
    out.name = symbol(program_->types.print(type));
    const bool isDeclared = out.kind == TypeKind::Class || out.kind == TypeKind::Interface || out.kind == TypeKind::Enum;
    out.isNominal = isDeclared || type->aliasName != sema::Symbol{};
    describeParts(type, out);
    return out;
}

void ChunkBuilder::describeParts(const sema::Type* type, TypeData& out) {
    if (auto* a = sema::asIf<sema::ArrayType>(type)) {
        out.parts.push_back(typeIndex(a->element));
    } else if (auto* t = sema::asIf<sema::TableType>(type)) {
        out.parts = {typeIndex(t->key), typeIndex(t->value)};
    } else if (auto* r = sema::asIf<sema::RecordType>(type)) {
        for (const sema::RecordField& f : r->fields) {
            out.fields.push_back({symbol(program_->types.interner().text(f.name)), typeIndex(f.type), 0});
        }
    } else if (auto* e = sema::asIf<sema::EnumType>(type)) {
        for (const sema::TypedEnum* known : program_->enums) {
            if (known->type != e) continue;
            for (const sema::TypedEnum::Member& m : known->members) {
                out.fields.push_back({symbol(program_->types.interner().text(m.name)), kNoIndex, m.value});
            }
        }
    } else if (auto* u = sema::asIf<sema::UnionType>(type)) {
        for (const sema::Type* m : u->members) out.parts.push_back(typeIndex(m));
    } else if (auto* f = sema::asIf<sema::FunctionType>(type)) {
        for (const sema::Type* p : f->params) out.parts.push_back(typeIndex(p));
        out.hasResultPack = f->variadicResult != nullptr;
        if (!out.hasResultPack) {
            for (const sema::Type* p : f->results) out.results.push_back(typeIndex(p));
        }
        out.defaultCount = f->defaults;
        if (f->vararg) out.varargType = typeIndex(f->vararg);
    }
}

namespace {

ProtoIndex protoOf(const ir::Function* fn) { return fn ? fn->index() : kNoIndex; }

}  // namespace

void ChunkBuilder::addClasses() {
    for (const ir::ClassEntry& e : module_.classes) {
        ClassData& out = chunk_.classes.emplace_back();
        out.type = e.type;
        out.words = e.words;
        out.ancestors = e.ancestors;
        out.finalizer = protoOf(e.finalizer);
        for (const ir::ClassField& f : e.fields) {
            out.fields.push_back({symbol(f.name), f.word, f.type, f.owner, static_cast<Access>(f.access), f.isConst, f.mayBeUnset,
                                  f.rep});
        }
        for (const ir::Function* fn : e.table) out.table.push_back(protoOf(fn));
        for (const ir::ClassMember& m : e.members) {
            out.members.push_back({symbol(m.name), protoOf(m.function), m.variable == ~0u ? kNoIndex : variable(m.variable), m.type,
                                   m.owner, static_cast<Access>(m.access), m.isStatic, m.isConst});
        }
        for (const ir::Function* fn : e.makers) out.makers.push_back(protoOf(fn));
    }
}

}  // namespace luapp::bc
