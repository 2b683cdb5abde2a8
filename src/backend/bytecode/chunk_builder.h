// The program-wide tables of a chunk under construction: symbols, types, data segment, files. Used by instruction selection
// and emission; every entry is made once. Types of the IR module come first, in its order, so that an index of the IR is
// an index of the chunk; types they refer to follow. Module variables stand in the data segment before all constants.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "middle/ir.h"
#include "runtime/bytecode/proto.h"
#include "sema/type.h"
#include "sema/typed.h"

namespace luapp::bc {

class ChunkBuilder {
  public:
    /// `program` names types and knows the members of enums; may be null if no type of the module has a sema::Type.
    ChunkBuilder(const ir::Module& module, const sema::TypedProgram* program);

    const ir::Module& module() const { return module_; }
    Chunk& chunk() { return chunk_; }

    SymbolIndex symbol(std::string_view text);
    /// Data entries of constants and variables.
    DataIndex word(uint64_t bits, Rep rep) { return data(DataKind::Word, rep, 0, bits); }
    DataIndex string(uint32_t irString, bool boxed);
    DataIndex function(uint32_t proto, bool boxed) { return reference(DataKind::Function, DataKind::FunctionBox, proto, boxed); }
    DataIndex builtin(uint32_t builtin, bool boxed) { return reference(DataKind::Builtin, DataKind::BuiltinBox, builtin, boxed); }
    DataIndex classValue(uint32_t type) { return data(DataKind::Class, Rep::Box, type, 0); }
    DataIndex type(uint32_t type) { return data(DataKind::Type, Rep::I64, type, 0); }
    DataIndex variable(uint32_t irVar) const { return irVar; }
    /// Position of `loc`; unknown if the module has no sources.
    Position position(ir::Loc loc);
    OperandName operandName(const ir::OperandName& n) {
        return {n.kind, n.kind == NameKind::None ? 0 : symbol(module_.strings[n.name])};
    }
    /// Turns ir::Module::classes into Chunk::classes.
    void addClasses();

  private:
    struct DataKey {
        uint64_t bits;
        uint32_t index;
        uint32_t kindAndRep;
        bool operator==(const DataKey&) const = default;
    };
    struct DataHash {
        size_t operator()(const DataKey& k) const;
    };
    DataIndex data(DataKind kind, Rep rep, uint32_t index, uint64_t bits);
    DataIndex reference(DataKind plain, DataKind box, uint32_t index, bool boxed) {
        return data(boxed ? box : plain, boxed ? Rep::Box : Rep::Ref, index, 0);
    }
    TypeIndex typeIndex(const sema::Type* type);
    TypeData describe(const sema::Type* type);
    void describeParts(const sema::Type* type, TypeData& out);
    void addTypes();

    const ir::Module& module_;
    const sema::TypedProgram* program_;
    Chunk chunk_;
    struct TextHash {
        using is_transparent = void;
        size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    std::unordered_map<std::string, SymbolIndex, TextHash, std::equal_to<>> symbols_;
    std::unordered_map<DataKey, DataIndex, DataHash> data_;
    std::unordered_map<const sema::Type*, TypeIndex> typeIndices_;
    std::vector<const sema::Type*> pendingTypes_;
    // The line that was looked up last: positions come in runs.
    uint32_t lineBegin_ = 0;
    uint32_t lineEnd_ = 0;
    Position lastPosition_;
};

}  // namespace luapp::bc
