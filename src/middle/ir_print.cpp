#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "middle/ir_text.h"

namespace luapp::ir {

namespace {

/// Letters, digits and what Lua names of functions consist of; other labels are quoted.
bool isPlainLabel(std::string_view s) {
    for (char c : s) {
        const bool isFine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                            c == '.' || c == ':' || c == '<' || c == '>' || c == '$';
        if (!isFine) return false;
    }
    return !s.empty();
}

class Printer {
  public:
    Printer(std::string& out, const PrintOptions& options) : out_(out), options_(options) {}

    void tables(const Module& module) {
        for (size_t i = 0; i < module.types.size(); i++) {
            put("type t{} ", i);
            quoted(module.types[i].name);
            out_ += '\n';
        }
        for (size_t i = 0; i < module.vars.size(); i++) {
            const ModuleVar& var = module.vars[i];
            put("var g{} ", i);
            quoted(var.name);
            put(" {}", base::repName(var.rep));
            if (var.initial) put(" = {}", var.initial);
            if (var.isSetOnce) out_ += " once";
            out_ += '\n';
        }
        for (size_t i = 0; i < module.methods.size(); i++) method(module.methods[i], i);
        for (const ClassEntry& entry : module.classes) classEntry(entry);
    }

    void function(const Function& fn) {
        header(fn);
        number(fn);
        for (Block* block : blocks(fn)) {
            put("b{}", blockNumbers_[block->id]);
            if (!block->params.empty()) {
                out_ += '(';
                for (Value param : block->params) {
                    put("{}v{}: {}", param->imm ? ", " : "", numbers_[param->id], base::repName(param->rep));
                }
                out_ += ')';
            }
            out_ += ":\n";
            for (Inst* inst = block->first; inst; inst = inst->next) instruction(*inst);
        }
        out_ += "end\n";
    }

  private:
    template <class... A>
    void put(fmt::format_string<A...> text, A&&... args) {
        fmt::format_to(std::back_inserter(out_), text, std::forward<A>(args)...);
    }

    void quoted(std::string_view s) {
        out_ += '"';
        for (char c : s) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                out_ += '\\';
                out_ += c;
            } else if (c == '\n') {
                out_ += "\\n";
            } else if (byte < 32 || byte == 127) {
                put("\\x{:02x}", byte);
            } else {
                out_ += c;
            }
        }
        out_ += '"';
    }

    /// Starts a list of attributes, adds to it, ends it.
    void attribute(bool isSet, const char* name) {
        if (!isSet) return;
        out_ += isFirst_ ? " [" : ", ";
        out_ += name;
        isFirst_ = false;
    }
    void endAttributes() {
        out_ += isFirst_ ? "\n" : "]\n";
        isFirst_ = true;
    }

    void method(const VirtualMethod& m, size_t index) {
        put("method m{} ", index);
        quoted(m.name);
        put(" slot {} ", m.slot);
        reps(m.params);
        out_ += " -> ";
        reps(m.results);
        isFirst_ = true;
        attribute(m.isVararg, "vararg");
        attribute(m.returnsPack, "pack");
        endAttributes();
    }

    void access(uint8_t value) {
        attribute(value == kAccessProtected, "protected");
        attribute(value == kAccessPrivate, "private");
    }

    void classEntry(const ClassEntry& entry) {
        put("class t{} words {} ancestors (", entry.type, entry.words);
        for (size_t i = 0; i < entry.ancestors.size(); i++) put("{}t{}", i ? ", " : "", entry.ancestors[i]);
        out_ += ")\n";
        for (const ClassField& f : entry.fields) {
            put("  field {} ", f.word);
            quoted(f.name);
            put(" {} type t{} owner t{}", base::repName(f.rep), f.type, f.owner);
            isFirst_ = true;
            access(f.access);
            attribute(f.isConst, "const");
            attribute(f.mayBeUnset, "unset");
            endAttributes();
        }
        for (size_t i = 0; i < entry.table.size(); i++) {
            if (entry.table[i]) functionLine(fmt::format("  entry {} ", i), entry.table[i]);
        }
        for (const ClassMember& m : entry.members) member(m);
        for (const Function* fn : entry.makers) functionLine("  maker ", fn);
        if (entry.finalizer) functionLine("  finalizer ", entry.finalizer);
    }

    void functionLine(std::string_view what, const Function* fn) {
        out_ += what;
        label(*fn);
        out_ += '\n';
    }

    void member(const ClassMember& m) {
        out_ += "  member ";
        quoted(m.name);
        out_ += ' ';
        if (m.function) {
            label(*m.function);
        } else {
            put("g{} type t{}", m.variable, m.type);
        }
        put(" owner t{}", m.owner);
        isFirst_ = true;
        access(m.access);
        attribute(m.isStatic, "static");
        attribute(m.isConst, "const");
        endAttributes();
    }

    void label(const Function& fn) {
        out_ += '@';
        if (isPlainLabel(fn.label)) {
            out_ += fn.label;
        } else {
            quoted(fn.label);
        }
    }

    template <class List>
    void reps(const List& list) {
        out_ += '(';
        for (size_t i = 0; i < list.size(); i++) put("{}{}", i ? ", " : "", base::repName(list[i]));
        out_ += ')';
    }

    void header(const Function& fn) {
        out_ += "func ";
        label(fn);
        if (fn.name != fn.label) {
            out_ += ' ';
            quoted(fn.name);
        }
        out_ += ' ';
        reps(fn.params);
        out_ += " -> ";
        reps(fn.results);
        if (!fn.captures.empty()) {
            out_ += " captures ";
            reps(fn.captures);
        }
        isFirst_ = true;
        attribute(fn.isVararg, "vararg");
        attribute(fn.hasResultPack, "pack");
        attribute(fn.isConst, "const");
        attribute(fn.isMain, "main");
        attribute(fn.isLenient, "lenient");
        if (fn.isDebuggable) attribute(true, fmt::format("slots {}", fn.slotCount).c_str());
        attribute(fn.isBound, "bound");
        if (fn.type != kNoType) attribute(true, fmt::format("type t{}", fn.type).c_str());
        endAttributes();
    }

    void number(const Function& fn) {
        numbers_.assign(fn.instCount(), 0);
        blockNumbers_.assign(fn.blockCount(), 0);
        uint32_t nextValue = 0;
        uint32_t nextBlock = 0;
        for (Block* block : blocks(fn)) {
            blockNumbers_[block->id] = nextBlock++;
            for (Value param : block->params) numbers_[param->id] = nextValue++;
            for (Inst* inst = block->first; inst; inst = inst->next) {
                if (inst->rep != Rep::Void) numbers_[inst->id] = nextValue++;
            }
        }
    }

    void comma() {
        out_ += isFirst_ ? " " : ", ";
        isFirst_ = false;
    }

    void real(double v) {
        if (std::isnan(v)) {
            put("{}nan", std::signbit(v) ? "-" : "");
        } else {
            put("{}", v);
        }
    }

    void immediate(const Inst& inst, char letter, bool isFirstImm, const Module& module) {
        const uint64_t value = isFirstImm ? uint64_t(inst.imm) : inst.imm2;
        if (letter == '_' || (letter == 'a' && value == 0)) return;
        comma();
        switch (letter) {
            case 'd': return real(inst.immF);
            case 'n': return put("{}", inst.imm);
            case 'a': return put("+{}", value);
            case 'F': return label(*inst.immFn);
            case 'G': return put("g{}", value);
            case 'T': return put("t{}", value);
            case 'M': return put("m{}", value);
            case 'S': return quoted(value < module.strings.size() ? module.strings[value] : std::string_view("?"));
            default: return put("{}", value);
        }
    }

    void immediates(const Inst& inst) {
        const Module& module = inst.block->function->module();
        const char* letters = opInfo(inst.op).imms;
        for (size_t i = 0; letters[i]; i++) immediate(inst, letters[i], i == 0, module);
    }

    void instruction(const Inst& inst) {
        out_ += "  ";
        if (inst.rep != Rep::Void) {
            put("v{}", numbers_[inst.id]);
            if (opInfo(inst.op).result == ResultRule::Typed) put(": {}", base::repName(inst.rep));
            out_ += " = ";
        }
        out_ += opText(inst.op);
        if (inst.flags & Inst::kPureCall) out_ += " pure";
        if (inst.flags & Inst::kFastMath) out_ += " fast";
        isFirst_ = true;
        // What is called or made reads best in front of its operands.
        const bool immediatesFirst = inst.isCall() || inst.is(Op::Closure) || inst.is(Op::Raise);
        if (immediatesFirst) immediates(inst);
        for (Value v : inst.ops()) {
            comma();
            put("v{}", numbers_[Function::resolve(v)->id]);
        }
        for (const Edge& edge : inst.succs()) {
            comma();
            put("b{}", blockNumbers_[edge.to->id]);
            if (edge.args.empty()) continue;
            for (size_t i = 0; i < edge.args.size(); i++) {
                put("{}v{}", i ? ", " : "(", numbers_[Function::resolve(edge.args[i])->id]);
            }
            out_ += ')';
        }
        if (!immediatesFirst) immediates(inst);
        if (options_.showLocs && inst.loc.isValid()) put(" !{}", inst.block->function->module().placeOf(inst.loc).offset);
        out_ += '\n';
    }

    std::string& out_;
    const PrintOptions& options_;
    std::vector<uint32_t> numbers_;       // by instruction id
    std::vector<uint32_t> blockNumbers_;  // by block id
    bool isFirst_ = true;
};

bool isWanted(const Function& fn, const PrintOptions& options) {
    if (options.functions.empty()) return true;
    for (std::string_view name : options.functions) {
        if (fn.name == name || fn.label == name) return true;
    }
    return false;
}

}  // namespace

std::string print(const Module& module, const PrintOptions& options) {
    std::string out;
    Printer printer(out, options);
    if (options.showTables && options.functions.empty()) printer.tables(module);
    for (const Function* fn : module.functions) {
        if (!isWanted(*fn, options)) continue;
        if (!out.empty()) out += '\n';
        printer.function(*fn);
    }
    return out;
}

std::string print(const Function& fn, const PrintOptions& options) {
    std::string out;
    Printer(out, options).function(fn);
    return out;
}

}  // namespace luapp::ir
