#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "middle/ir_text.h"

namespace luapp::ir {

namespace {

bool isWordChar(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == ':' ||
           c == '<' || c == '>' || c == '$' || c == '-' || c == '+';
}

/// Words, quoted texts and single characters of one line.
class Line {
  public:
    explicit Line(std::string_view text) : rest_(text) { next(); }

    bool atEnd() const { return kind_ == Kind::End; }
    std::string_view word() const { return kind_ == Kind::Word ? text_ : std::string_view{}; }
    bool is(std::string_view s) const { return (kind_ == Kind::Word || kind_ == Kind::Sign) && text_ == s; }
    bool isString() const { return kind_ == Kind::String; }
    bool isBroken() const { return kind_ == Kind::Broken; }
    const std::string& string() const { return string_; }

    bool accept(std::string_view s) {
        if (!is(s)) return false;
        next();
        return true;
    }

    void next() {
        while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\r')) rest_.remove_prefix(1);
        if (rest_.empty() || rest_.starts_with("--")) {
            kind_ = Kind::End;
            return;
        }
        if (rest_[0] == '"') return readString();
        size_t size = 0;
        // A colon belongs to a word only inside it (`C:method`), not behind it (`v1: f64`, `b0:`).
        while (size < rest_.size() && isWordChar(rest_[size])) {
            if (rest_[size] == ':' && (size + 1 == rest_.size() || !isWordChar(rest_[size + 1]) || size == 0)) break;
            size++;
        }
        kind_ = size ? Kind::Word : Kind::Sign;
        if (!size) size = 1;
        text_ = rest_.substr(0, size);
        rest_.remove_prefix(size);
    }

  private:
    enum class Kind { End, Word, Sign, String, Broken };

    void readString() {
        string_.clear();
        size_t i = 1;
        for (; i < rest_.size() && rest_[i] != '"'; i++) {
            if (rest_[i] != '\\' || i + 1 >= rest_.size()) {
                string_ += rest_[i];
            } else if (rest_[++i] == 'n') {
                string_ += '\n';
            } else if (rest_[i] == 'x' && i + 2 < rest_.size()) {
                unsigned byte = 0;
                std::from_chars(rest_.data() + i + 1, rest_.data() + i + 3, byte, 16);
                string_ += char(byte);
                i += 2;
            } else {
                string_ += rest_[i];
            }
        }
        kind_ = i < rest_.size() ? Kind::String : Kind::Broken;
        rest_.remove_prefix(i < rest_.size() ? i + 1 : i);
    }

    std::string_view rest_;
    std::string_view text_;
    std::string string_;
    Kind kind_ = Kind::End;
};

template <class T>
bool toNumber(std::string_view s, T& out) {
    if (s.starts_with('+')) s.remove_prefix(1);
    auto [end, code] = std::from_chars(s.data(), s.data() + s.size(), out);
    return code == std::errc{} && end == s.data() + s.size() && !s.empty();
}

bool toReal(std::string_view s, double& out) {
    if (s == "nan" || s == "-nan") {
        out = std::copysign(std::numeric_limits<double>::quiet_NaN(), s[0] == '-' ? -1.0 : 1.0);
        return true;
    }
    return toNumber(s, out);
}

/// `v12` with prefix 'v'.
bool toIndex(std::string_view s, char prefix, uint32_t& out) {
    return s.size() > 1 && s[0] == prefix && toNumber(s.substr(1), out);
}

bool toRep(std::string_view s, Rep& out) {
    for (Rep rep : {Rep::Void, Rep::F64, Rep::I64, Rep::Bool, Rep::Ref, Rep::Box, Rep::Pack}) {
        if (s != base::repName(rep)) continue;
        out = rep;
        return true;
    }
    return false;
}

class Parser {
  public:
    Parser(std::string_view text, Module& module, std::string& error) : text_(text), module_(module), error_(error) {
        for (unsigned i = 0; i < kOpCount; i++) ops_.emplace(kOpInfos[i].text, Op(i));
    }

    bool run() {
        // Functions first, so that bodies may name later ones.
        return forEachLine([this](Line& line) { return !line.is("func") || declareFunction(line); }) &&
               forEachLine([this](Line& line) { return parseLine(line); }) && (!fn_ || fail("`end` is missing"));
    }

  private:
    struct Fixup {
        Value* slot;
        uint32_t number;
        uint32_t line;
    };

    bool fail(std::string what) {
        error_ = "line " + std::to_string(lineNumber_) + ": " + what;
        return false;
    }

    template <class F>
    bool forEachLine(F&& handle) {
        std::string_view rest = text_;
        for (lineNumber_ = 1; !rest.empty(); lineNumber_++) {
            const size_t end = rest.find('\n');
            Line line(rest.substr(0, end));
            rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
            if (!line.atEnd() && !handle(line)) return false;
        }
        return true;
    }

    bool expect(Line& line, std::string_view s) { return line.accept(s) || fail("expected `" + std::string(s) + "`"); }

    // --- tables and headers

    bool parseLabel(Line& line, std::string& label) {
        if (!expect(line, "@")) return false;
        label = line.isString() ? line.string() : std::string(line.word());
        if (label.empty()) return fail("expected a function's label");
        line.next();
        return true;
    }

    bool parseReps(Line& line, ArenaVec<Rep>& list) {
        std::vector<Rep> reps;
        if (!parseReps(line, reps)) return false;
        list.clear();
        for (Rep rep : reps) list.push(module_.arena, rep);
        return true;
    }

    bool parseReps(Line& line, std::vector<Rep>& list) {
        if (!expect(line, "(")) return false;
        list.clear();
        while (!line.is(")")) {
            Rep rep{};
            if (!list.empty() && !expect(line, ",")) return false;
            if (!parseRep(line, rep)) return false;
            list.push_back(rep);
        }
        line.next();
        return true;
    }

    bool parseRep(Line& line, Rep& rep) {
        if (!toRep(line.word(), rep)) return fail("expected a representation");
        line.next();
        return true;
    }

    /// `t3` with prefix 't'.
    bool parseIndex(Line& line, char prefix, uint32_t& index) {
        if (!toIndex(line.word(), prefix, index)) return fail(std::string("expected `") + prefix + "` and a number");
        line.next();
        return true;
    }

    /// The word `what`, then a type.
    bool parseType(Line& line, std::string_view what, uint32_t& type) { return expect(line, what) && parseIndex(line, 't', type); }

    bool parseNumber(Line& line, uint32_t& number) {
        if (!toNumber(line.word(), number)) return fail("expected a number");
        line.next();
        return true;
    }

    bool parseName(Line& line, std::string_view& name) {
        if (!line.isString()) return fail("expected a name in quotes");
        name = module_.arena.copyText(line.string());
        line.next();
        return true;
    }

    bool parseFunction(Line& line, Function*& fn) {
        std::string label;
        if (!parseLabel(line, label)) return false;
        fn = module_.findFunction(label);
        return fn || fail("no function `" + label + "`");
    }

    bool declareFunction(Line& line) {
        line.next();
        std::string label;
        if (!parseLabel(line, label)) return false;
        if (module_.findFunction(label)) return fail("function `" + label + "` stands twice");
        Function* fn = module_.addFunction(line.isString() ? line.string() : label, label);
        if (line.isString()) line.next();
        if (!parseReps(line, fn->params) || !expect(line, "->") || !parseReps(line, fn->results)) return false;
        if (line.accept("captures") && !parseReps(line, fn->captures)) return false;
        if (line.accept("[")) {
            do {
                if (!parseAttribute(line, *fn)) return false;
            } while (line.accept(","));
            if (!expect(line, "]")) return false;
        }
        return line.atEnd() || fail("expected the end of the line");
    }

    bool parseAttribute(Line& line, Function& fn) {
        if (line.accept("vararg")) {
            fn.isVararg = true;
        } else if (line.accept("pack")) {
            fn.hasResultPack = true;
        } else if (line.accept("const")) {
            fn.isConst = true;
        } else if (line.accept("main")) {
            fn.isMain = true;
            module_.mains.push_back(&fn);
        } else if (line.accept("lenient")) {
            fn.isLenient = true;
        } else if (line.accept("slots")) {
            fn.isDebuggable = true;
            if (!parseNumber(line, fn.slotCount)) return false;
        } else if (line.accept("bound")) {
            fn.isBound = true;
        } else if (line.accept("type")) {
            if (!toIndex(line.word(), 't', fn.type)) return fail("expected a type");
            line.next();
        } else {
            return fail("unknown attribute");
        }
        return true;
    }

    bool parseTable(Line& line) {
        const bool isType = line.is("type");
        line.next();
        uint32_t index = 0;
        const size_t expected = isType ? module_.types.size() : module_.vars.size();
        if (!toIndex(line.word(), isType ? 't' : 'g', index) || index != expected) return fail("expected the next index");
        line.next();
        if (!line.isString()) return fail("expected a name in quotes");
        const std::string name = line.string();
        line.next();
        if (isType) {
            module_.addType(nullptr, name);
            return true;
        }
        Rep rep{};
        uint64_t initial = 0;
        if (!toRep(line.word(), rep)) return fail("expected a representation");
        line.next();
        if (line.accept("=")) {
            if (!toNumber(line.word(), initial)) return fail("expected a word");
            line.next();
        }
        const uint32_t var = module_.addVar(name, rep, initial);
        module_.vars[var].isSetOnce = line.accept("once");
        return true;
    }

    // --- classes

    /// `[a, b]`, perhaps; `set` takes each word and says whether it knows it.
    template <class F>
    bool parseAttributes(Line& line, F&& set) {
        if (!line.accept("[")) return line.atEnd() || fail("expected the end of the line");
        do {
            if (!set(line.word())) return fail("unknown attribute");
            line.next();
        } while (line.accept(","));
        return expect(line, "]");
    }

    static bool setFlag(bool& flag) {
        flag = true;
        return true;
    }

    static bool setAccess(std::string_view word, uint8_t& access) {
        const bool isProtected = word == "protected";
        if (!isProtected && word != "private") return false;
        access = isProtected ? kAccessProtected : kAccessPrivate;
        return true;
    }

    bool parseMethod(Line& line) {
        VirtualMethod m;
        uint32_t index = 0;
        if (!parseIndex(line, 'm', index)) return false;
        if (index != module_.methods.size()) return fail("expected the next index");
        if (!parseName(line, m.name) || !expect(line, "slot") || !parseNumber(line, m.slot)) return false;
        if (!parseReps(line, m.params) || !expect(line, "->") || !parseReps(line, m.results)) return false;
        module_.methods.push_back(std::move(m));
        return parseAttributes(line, [&](std::string_view word) {
            VirtualMethod& to = module_.methods.back();
            return word == "vararg" ? setFlag(to.isVararg) : word == "pack" && setFlag(to.returnsPack);
        });
    }

    bool parseClass(Line& line) {
        ClassEntry entry;
        if (!parseIndex(line, 't', entry.type) || !expect(line, "words") || !parseNumber(line, entry.words)) return false;
        if (!expect(line, "ancestors") || !expect(line, "(")) return false;
        while (!line.accept(")")) {
            uint32_t type = 0;
            if (!entry.ancestors.empty() && !expect(line, ",")) return false;
            if (!parseIndex(line, 't', type)) return false;
            entry.ancestors.push_back(type);
        }
        module_.classes.push_back(std::move(entry));
        return line.atEnd() || fail("expected the end of the line");
    }

    bool parseField(Line& line) {
        ClassField f;
        if (!parseNumber(line, f.word) || !parseName(line, f.name) || !parseRep(line, f.rep)) return false;
        if (!parseType(line, "type", f.type) || !parseType(line, "owner", f.owner)) return false;
        if (!parseAttributes(line, [&](std::string_view word) {
                if (word == "const") return setFlag(f.isConst);
                return word == "unset" ? setFlag(f.mayBeUnset) : setAccess(word, f.access);
            })) {
            return false;
        }
        module_.classes.back().fields.push_back(f);
        return true;
    }

    bool parseEntry(Line& line) {
        uint32_t slot = 0;
        Function* fn = nullptr;
        if (!parseNumber(line, slot) || !parseFunction(line, fn)) return false;
        std::vector<Function*>& table = module_.classes.back().table;
        if (slot < table.size()) return fail("expected a greater slot");
        if (slot > 0xFFFF) return fail("slot is too great");
        table.resize(slot + 1, nullptr);
        table[slot] = fn;
        return true;
    }

    bool parseMember(Line& line) {
        ClassMember m;
        if (!parseName(line, m.name)) return false;
        if (line.is("@")) {
            if (!parseFunction(line, m.function)) return false;
        } else if (!parseIndex(line, 'g', m.variable) || !parseType(line, "type", m.type)) {
            return false;
        }
        if (!parseType(line, "owner", m.owner)) return false;
        if (!parseAttributes(line, [&](std::string_view word) {
                if (word == "static") return setFlag(m.isStatic);
                return word == "const" ? setFlag(m.isConst) : setAccess(word, m.access);
            })) {
            return false;
        }
        module_.classes.back().members.push_back(m);
        return true;
    }

    /// A line of a class, or none of them.
    bool parseClassLine(Line& line) {
        if (line.accept("method")) return parseMethod(line);
        if (line.accept("class")) return parseClass(line);
        if (module_.classes.empty()) return fail("expected `func`, `type`, `var`, `method` or `class`");
        if (line.accept("field")) return parseField(line);
        if (line.accept("entry")) return parseEntry(line);
        if (line.accept("member")) return parseMember(line);
        if (line.accept("maker")) {
            Function* fn = nullptr;
            if (!parseFunction(line, fn)) return false;
            module_.classes.back().makers.push_back(fn);
            return true;
        }
        if (line.accept("finalizer")) return parseFunction(line, module_.classes.back().finalizer);
        return fail("expected `func`, `type`, `var`, `method`, `class` or a line of a class");
    }

    // --- bodies

    bool parseLine(Line& line) {
        if (line.is("type") || line.is("var")) return parseTable(line);
        if (line.is("func")) return beginFunction(line);
        if (!fn_) return parseClassLine(line);
        if (line.is("end")) return endFunction();
        uint32_t number = 0;
        if (toIndex(line.word(), 'b', number)) return beginBlock(line, number);
        if (!block_) return fail("expected a block");
        return parseInst(line);
    }

    bool beginFunction(Line& line) {
        if (fn_) return fail("`end` is missing");
        line.next();
        std::string label;
        if (!parseLabel(line, label)) return false;
        fn_ = module_.findFunction(label);
        block_ = nullptr;
        blocks_.clear();
        values_.clear();
        fixups_.clear();
        return true;
    }

    Block* blockOf(uint32_t number) {
        auto [at, isNew] = blocks_.emplace(number, BlockInfo{});
        if (isNew) at->second.block = fn_->addBlock();
        return at->second.block;
    }

    bool beginBlock(Line& line, uint32_t number) {
        if (block_ && !block_->terminator()) return fail("the block before has no terminator");
        Block* block = blockOf(number);
        if (blocks_[number].isSeen) return fail("the block stands twice");
        blocks_[number].isSeen = true;
        order_.push_back(block);
        block_ = block;
        line.next();
        if (line.accept("(")) {
            do {
                if (!parseParam(line)) return false;
            } while (line.accept(","));
            if (!expect(line, ")")) return false;
        }
        return expect(line, ":");
    }

    bool parseParam(Line& line) {
        uint32_t number = 0;
        Rep rep{};
        if (!toIndex(line.word(), 'v', number)) return fail("expected a value");
        line.next();
        if (!expect(line, ":")) return false;
        if (!toRep(line.word(), rep)) return fail("expected a representation");
        line.next();
        return define(number, fn_->addParam(block_, rep));
    }

    bool define(uint32_t number, Value v) {
        return values_.emplace(number, v).second || fail("v" + std::to_string(number) + " stands twice");
    }

    bool endFunction() {
        if (block_ && !block_->terminator()) return fail("the last block has no terminator");
        if (!block_) return fail("function without blocks");
        for (auto& [number, info] : blocks_) {
            if (!info.isSeen) return fail("b" + std::to_string(number) + " does not exist");
        }
        for (const Fixup& fixup : fixups_) {
            auto found = values_.find(fixup.number);
            if (found == values_.end()) {
                lineNumber_ = fixup.line;
                return fail("v" + std::to_string(fixup.number) + " does not exist");
            }
            *fixup.slot = found->second;
        }
        // The first block written is the entry, though another may have been named before it.
        for (Block* block : order_) {
            block->prev = block->next = nullptr;
        }
        fn_->entry = order_.front();
        fn_->setBlockOrder(order_);
        order_.clear();
        fn_->renumber();
        fn_ = nullptr;
        return true;
    }

    bool parseInst(Line& line) {
        if (block_->terminator()) return fail("instruction behind a terminator");
        uint32_t number = 0;
        Rep rep = Rep::Void;
        const bool hasResult = toIndex(line.word(), 'v', number);
        if (hasResult) {
            line.next();
            if (line.accept(":")) {
                if (!toRep(line.word(), rep)) return fail("expected a representation");
                line.next();
            }
            if (!expect(line, "=")) return false;
        }
        auto op = ops_.find(line.word());
        if (op == ops_.end() || op->second == Op::Param) return fail("unknown operation");
        line.next();
        if (opInfo(op->second).result != ResultRule::Typed) {
            if (rep != Rep::Void) return fail("the representation of this result is fixed");
            rep = fixedRep(op->second);
        }
        if (hasResult != (rep != Rep::Void)) return fail(hasResult ? "no result here" : "the result needs a name");
        Inst* inst = parseOperands(line, op->second, rep);
        return inst && (!hasResult || define(number, inst));
    }

    struct EdgeText {
        Block* to;
        std::vector<uint32_t> args;
    };

    Inst* parseOperands(Line& line, Op op, Rep rep) {
        std::vector<uint32_t> operands;
        std::vector<EdgeText> edges;
        Inst parsed;  // collects the immediates
        const uint8_t flags = line.accept("pure") ? Inst::kPureCall : line.accept("fast") ? Inst::kFastMath : 0;
        const char* imms = opInfo(op).imms;
        bool isFirstImm = true;
        auto skipUnused = [&] {
            if (*imms != '_') return;
            imms++;
            isFirstImm = false;
        };
        skipUnused();
        for (bool isFirst = true; !line.atEnd() && !line.is("!"); isFirst = false) {
            if (!isFirst && !expect(line, ",")) return nullptr;
            uint32_t number = 0;
            if (toIndex(line.word(), 'v', number)) {
                operands.push_back(number);
                line.next();
            } else if (toIndex(line.word(), 'b', number)) {
                if (!parseEdge(line, number, edges)) return nullptr;
            } else {
                if (!*imms) return failInst("unexpected operand");
                if (!parseImmediate(line, *imms++, isFirstImm, parsed)) return nullptr;
                isFirstImm = false;
            }
        }
        if (*imms && *imms != 'a') return failInst("an immediate operand is missing");
        Loc loc;
        if (line.accept("!") && !toNumber(line.word(), loc.offset)) return failInst("expected a position");
        return makeInst(op, rep, operands, edges, parsed, loc, flags);
    }

    Inst* failInst(const char* what) {
        fail(what);
        return nullptr;
    }

    Inst* makeInst(Op op, Rep rep, const std::vector<uint32_t>& operands, const std::vector<EdgeText>& edges,
                   const Inst& parsed, Loc loc, uint8_t flags) {
        const size_t wantedEdges = op == Op::Br ? 2 : op == Op::Jump || op == Op::Loop ? 1 : 0;
        if (edges.size() != wantedEdges) return failInst("wrong number of successors");
        const std::vector<Value> none(operands.size(), nullptr);
        Inst* inst = fn_->makeInst(op, rep, none, loc, unsigned(edges.size()));
        inst->flags = flags;
        if (edges.empty()) inst->imm = parsed.imm;
        inst->imm2 = parsed.imm2;
        for (size_t i = 0; i < operands.size(); i++) fixups_.push_back({&inst->operands[i], operands[i], lineNumber_});
        fn_->append(block_, inst);
        for (size_t i = 0; i < edges.size(); i++) {
            fn_->connect(inst, unsigned(i), edges[i].to);
            ArenaVec<Value>& args = inst->edges[i].args;
            for (size_t k = 0; k < edges[i].args.size(); k++) args.push(module_.arena, nullptr);
            for (size_t k = 0; k < edges[i].args.size(); k++) fixups_.push_back({&args[k], edges[i].args[k], lineNumber_});
        }
        return inst;
    }

    bool parseEdge(Line& line, uint32_t number, std::vector<EdgeText>& edges) {
        line.next();
        edges.push_back({blockOf(number), {}});
        if (!line.accept("(")) return true;
        do {
            uint32_t value = 0;
            if (!toIndex(line.word(), 'v', value)) return fail("expected a value");
            edges.back().args.push_back(value);
            line.next();
        } while (line.accept(","));
        return expect(line, ")");
    }

    bool parseImmediate(Line& line, char letter, bool isFirst, Inst& out) {
        int64_t value = 0;
        uint32_t index = 0;
        if (letter == 'd') {
            if (!toReal(line.word(), out.immF)) return fail("expected a number");
        } else if (letter == 'F') {
            std::string label;
            if (!parseLabel(line, label)) return false;
            out.immFn = module_.findFunction(label);
            return out.immFn || fail("no function `" + label + "`");
        } else if (letter == 'S') {
            if (!line.isString()) return fail("expected a string");
            out.imm = module_.addString(line.string());
        } else if (letter == 'G' || letter == 'T' || letter == 'M') {
            if (!toIndex(line.word(), letter == 'G' ? 'g' : letter == 'T' ? 't' : 'm', index)) return fail("expected a g, t or m index");
            out.imm = index;
        } else {
            if (!toNumber(line.word(), value)) return fail("expected an integer");
            if (isFirst) {
                out.imm = value;
            } else {
                out.imm2 = uint32_t(value);
            }
        }
        line.next();
        return true;
    }

    struct BlockInfo {
        Block* block = nullptr;
        bool isSeen = false;
    };

    std::string_view text_;
    Module& module_;
    std::string& error_;
    std::unordered_map<std::string_view, Op> ops_;
    uint32_t lineNumber_ = 0;
    // the function being read
    Function* fn_ = nullptr;
    Block* block_ = nullptr;
    std::vector<Block*> order_;
    std::unordered_map<uint32_t, BlockInfo> blocks_;
    std::unordered_map<uint32_t, Value> values_;
    std::vector<Fixup> fixups_;
};

}  // namespace

bool parse(std::string_view text, Module& module, std::string& error) { return Parser(text, module, error).run(); }

}  // namespace luapp::ir
