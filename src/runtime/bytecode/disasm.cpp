#include "runtime/bytecode/disasm.h"

#include <fmt/format.h>

#include <bit>
#include <cctype>
#include <iterator>

#include "runtime/bytecode/operands.h"

namespace luapp::bc {

namespace {

/// Column where operands begin, counted from the mnemonic.
constexpr unsigned kMnemonicWidth = 16;
/// Column where comments begin, counted from the mnemonic.
constexpr unsigned kInsnWidth = 34;

constexpr const char* kTypeKindNames[] = {
#define LUAPP_TYPE_KIND(name, parts) #name,
#include "runtime/bytecode/type_kinds.def"
};

std::string_view dataKindName(DataKind kind) {
    switch (kind) {
        case DataKind::Word: return "word";
        case DataKind::String: return "string";
        case DataKind::StringBox: return "string box";
        case DataKind::Function: return "function";
        case DataKind::FunctionBox: return "function box";
        case DataKind::Builtin: return "builtin";
        case DataKind::BuiltinBox: return "builtin box";
        case DataKind::Type: return "type";
        case DataKind::Class: return "class";
        case DataKind::Variable: return "variable";
    }
    return "?";
}

/// A plain word as its representation reads it.
std::string wordText(Rep rep, uint64_t word) {
    switch (rep) {
        case Rep::F64: return fmt::format("{:.17g}", std::bit_cast<double>(word));
        case Rep::I64: return fmt::format("{}", static_cast<int64_t>(word));
        case Rep::Bool: return word ? "true" : "false";
        case Rep::Ref: return word ? fmt::format("ref 0x{:x}", word) : "null";
        case Rep::Box:
            switch (word) {
                case 0xFFF9'0000'0000'0000u: return "nil";
                case 0xFFF9'0000'0000'0001u: return "box false";
                case 0xFFF9'0000'0000'0002u: return "box true";
                default: break;
            }
            if (word > 0xFFF8'0000'0000'0000u) return fmt::format("box 0x{:x}", word);
            return fmt::format("box {:.17g}", std::bit_cast<double>(word));
        case Rep::Void:
        case Rep::Pack: break;
    }
    return fmt::format("0x{:x}", word);
}

class Printer {
public:
    Printer(const Chunk& c, const DisasmOptions& o) : c_(c), o_(o) {}

    std::string run() {
        bool all = o_.onlyFunction.empty();
        if (all && o_.showSymbols) symbols();
        if (all && o_.showTypes) types();
        if (all && o_.showTypes) classes();
        for (size_t i = 0; i < c_.protos.size(); ++i)
            if (all || c_.symbol(c_.protos[i].name) == o_.onlyFunction) proto(static_cast<ProtoIndex>(i));
        if (all && o_.showData) data();
        return std::move(out_);
    }

private:
    const Chunk& c_;
    const DisasmOptions& o_;
    std::string out_;

    template <class... A>
    void put(fmt::format_string<const A&...> text, const A&... args) {
        fmt::format_to(std::back_inserter(out_), text, args...);
    }

    std::string protoName(size_t i) const {
        return i < c_.protos.size() ? std::string(c_.symbol(c_.protos[i].name)) : fmt::format("proto {}", i);
    }
    std::string typeName(size_t i) const {
        return i < c_.types.size() ? std::string(c_.symbol(c_.types[i].name)) : fmt::format("type {}", i);
    }
    std::string builtinName(uint32_t i) const { return o_.builtinName ? o_.builtinName(i) : fmt::format("builtin {}", i); }

    void symbols() {
        size_t width = 16;
        for (const std::string& s : c_.symbols) width = std::max(width, quoteSymbol(s).size());
        put("symbol table:\n");
        for (size_t i = 0; i < c_.symbols.size(); ++i) put("  {:<{}}  {}\n", quoteSymbol(c_.symbols[i]), width, i);
        put("\n-----\n\n");
    }

    void types() {
        if (c_.types.empty()) return;
        put("types:\n");
        for (size_t i = 0; i < c_.types.size(); ++i) {
            const TypeData& t = c_.types[i];
            unsigned kind = static_cast<unsigned>(t.kind);
            put("[{}]  {} {} {}\n", i, kind < kTypeKindCount ? kTypeKindNames[kind] : "?", repName(t.rep), typeName(i));
        }
        put("\n-----\n\n");
    }

    void classes() {
        if (c_.classes.empty()) return;
        put("classes:\n");
        for (const ClassData& k : c_.classes) classData(k);
        put("\n-----\n\n");
    }

    static const char* accessName(Access a) {
        switch (a) {
            case Access::Public: return "";
            case Access::Protected: return "protected ";
            case Access::Private: return "private ";
        }
        return "";
    }

    void classData(const ClassData& k) {
        put("class {} words {}\n", typeName(k.type), k.words);
        for (TypeIndex a : k.ancestors)
            if (a != k.type) put("  is      {}\n", typeName(a));
        for (const ClassFieldData& f : k.fields) {
            put("  [{}]     {} {}{}{}", f.word, repName(f.rep), accessName(f.access), f.isConst ? "const " : "",
                f.name == 0 ? "(hidden)" : c_.symbol(f.name));
            if (f.type != kNoIndex) put(": {}", typeName(f.type));
            put("{}\n", f.mayBeUnset ? ", may be unset" : "");
        }
        for (size_t i = 0; i < k.table.size(); ++i)
            if (k.table[i] != kNoIndex) put("  entry {} {}\n", i, protoName(k.table[i]));
        for (const ClassMemberData& m : k.members)
            put("  member  {}{}{}{}\n", accessName(m.access), m.isStatic ? "static " : "", m.isConst ? "const " : "",
                c_.symbol(m.name));
        for (ProtoIndex p : k.makers) put("  maker   {}\n", protoName(p));
        if (k.finalizer != kNoIndex) put("  __gc    {}\n", protoName(k.finalizer));
    }

    void reps(const char* label, const std::vector<Rep>& list) {
        put("proto->{:<16}", label);
        for (Rep r : list) put(" {}", repName(r));
        put("\n");
    }

    void proto(ProtoIndex index) {
        const Proto& p = c_.protos[index];
        put("proto {} {}{}\n", index, protoName(index), index == c_.entry ? " (entry)" : "");
        put("proto->{:<16} {}\n", "is_vararg", p.isVararg);
        put("proto->{:<16} {}\n", "parameters_size", p.params.size());
        put("proto->{:<16} {}\n", "max_stack_size", p.frameSize);
        if (!p.params.empty()) reps("parameters", p.params);
        if (p.returnsPack) put("proto->{:<16} pack\n", "results");
        if (!p.results.empty()) reps("results", p.results);
        if (!p.captures.empty()) reps("captures", p.captures);
        if (p.isLenient) put("proto->{:<16} {}\n", "is_lenient", true);
        if (p.isBound) put("proto->{:<16} {}\n", "is_bound", true);
        if (p.isAdapter) put("proto->{:<16} {}\n", "is_adapter", true);
        if (p.signature != kNoIndex) put("proto->{:<16} {}\n", "signature", typeName(p.signature));
        if (p.dynamicProto != kNoIndex) put("proto->{:<16} {}\n", "dynamic", protoName(p.dynamicProto));
        put("\n");
        code(p);
        put("\n-----\n\n");
    }

    void code(const Proto& p) {
        Position last;
        LineTable::Cursor lines(p.lines);
        for (uint32_t pc = 0; pc < p.code.size();) {
            Position here = lines.find(pc);
            bool moved = !(here == last) && here.file != kNoIndex;
            last = here;
            if (moved && o_.sourceLine && here.file < c_.files.size()) {
                std::string text = o_.sourceLine(c_.symbol(c_.files[here.file].name), here.line);
                if (!text.empty()) put("-- {}: {}\n", here.line, text);
            }
            if (o_.showLines) out_ += moved ? fmt::format("{:>5}| ", here.line) : "     | ";
            std::string text = disassembleInsn(p, pc);
            std::string note = o_.showComments ? comment(p, pc) : std::string();
            if (note.empty())
                put("[{:04}]  {}\n", pc + 1, text);
            else
                put("[{:04}]  {:<{}}; {}\n", pc + 1, text, kInsnWidth, note);
            pc += insnWords(p, pc);
        }
    }

    static uint32_t insnWords(const Proto& p, uint32_t pc) {
        unsigned byte = p.code[pc] & 0xFF;
        return byte < kOpCount ? opWords(static_cast<Op>(byte)) : 1;
    }

    /// What the operands mean, comma separated; empty if they speak for themselves.
    std::string comment(const Proto& p, uint32_t pc) const {
        unsigned byte = p.code[pc] & 0xFF;
        if (byte >= kOpCount || pc + insnWords(p, pc) > p.code.size()) return {};
        Operands v = decodeOperands(&p.code[pc]);
        std::string out;
        for (unsigned i = 0; i < v.count; ++i) {
            std::string part;
            size_t index = static_cast<size_t>(v.value[i]);
            switch (v.role[i]) {
                case 'k': part = index < c_.data.size() ? dataText(c_.data[index]) : "?"; break;
                case 'p': part = protoName(index); break;
                case 't': part = typeName(index); break;
                case 'b': part = builtinName(static_cast<uint32_t>(index)); break;
                case 'y': part = quoteSymbol(c_.symbol(static_cast<SymbolIndex>(index))); break;
                case 'j':
                    part = fmt::format("to [{:04}]", static_cast<int64_t>(pc) + insnWords(p, pc) + v.value[i] + 1);
                    break;
                default: continue;
            }
            if (!out.empty()) out += ", ";
            out += part;
        }
        return out;
    }

    std::string dataText(const DataEntry& d) const {
        switch (d.kind) {
            case DataKind::Word: return wordText(d.rep, d.word);
            case DataKind::String: return quoteSymbol(c_.symbol(d.index));
            case DataKind::StringBox: return "box " + quoteSymbol(c_.symbol(d.index));
            case DataKind::Function: return protoName(d.index);
            case DataKind::FunctionBox: return "box " + protoName(d.index);
            case DataKind::Builtin: return builtinName(d.index);
            case DataKind::BuiltinBox: return "box " + builtinName(d.index);
            case DataKind::Type: return "type " + typeName(d.index);
            case DataKind::Class: return "class " + typeName(d.index);
            case DataKind::Variable: return std::string(c_.symbol(d.index));
        }
        return "?";
    }

    void data() {
        put("constants:\n");
        for (size_t i = 0; i < c_.data.size(); ++i) {
            const DataEntry& d = c_.data[i];
            std::string what;
            switch (d.kind) {
                case DataKind::Word: what = fmt::format("{} {{ {} }}", repName(d.rep), wordText(d.rep, d.word)); break;
                case DataKind::Variable:
                    what = fmt::format("variable {{ {} }} {} {}", d.index, repName(d.rep), wordText(d.rep, d.word));
                    break;
                default: what = fmt::format("{} {{ {} }}", dataKindName(d.kind), d.index); break;
            }
            if (o_.showComments && d.kind != DataKind::Word)
                put("[{}]  {:<28}; {}\n", i, what, dataText(d));
            else
                put("[{}]  {}\n", i, what);
        }
        put("\n-----\n");
    }
};

}  // namespace

std::string disassemble(const Chunk& chunk, const DisasmOptions& options) { return Printer(chunk, options).run(); }

std::string quoteSymbol(std::string_view text) {
    constexpr size_t kShown = 60;
    std::string out = "\"";
    for (size_t i = 0; i < text.size() && i < kShown; ++i) {
        unsigned char ch = static_cast<unsigned char>(text[i]);
        switch (ch) {
            case '\n': out += "\\n"; break;
            case '\t': out += "\\t"; break;
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            default:
                if (ch < 32 || ch >= 127)
                    out += fmt::format("\\x{:02x}", ch);
                else
                    out += static_cast<char>(ch);
        }
    }
    out += '"';
    if (text.size() > kShown) out += "...";
    return out;
}

std::string disassembleInsn(const Proto& p, uint32_t pc) {
    unsigned byte = p.code[pc] & 0xFF;
    if (byte >= kOpCount) return fmt::format("{:<{}}{}", "?", kMnemonicWidth, p.code[pc]);
    Op op = static_cast<Op>(byte);
    std::string name = opInfo(op).name;
    for (char& ch : name) ch = static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
    if (pc + opWords(op) > p.code.size()) return name;
    Operands v = decodeOperands(&p.code[pc]);
    std::string operands;
    for (unsigned i = 0; i < v.count; ++i) {
        if (v.role[i] == '_') continue;
        if (!operands.empty()) operands += ' ';
        operands += fmt::format("{}", v.value[i]);
    }
    return operands.empty() ? name : fmt::format("{:<{}}{}", name, kMnemonicWidth, operands);
}

}  // namespace luapp::bc
