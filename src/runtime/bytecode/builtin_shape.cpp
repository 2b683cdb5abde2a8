#include "runtime/bytecode/builtin_shape.h"

#include "runtime/base/check.h"

namespace luapp::bc {

namespace {

class PatternReader {
public:
    PatternReader(std::string_view text, BuiltinPattern& out) : text_(text), out_(out) {}

    void readSignature() {
        if (accept("<")) {
            do names_.push_back(word());
            while (accept(","));
            expect(">");
        }
        out_.typeParams = static_cast<unsigned>(names_.size());
        LUAPP_CHECK(names_.size() <= kMaxTypeParams, "type parameters of a signature");
        expect("(");
        out_.isVararg = readParams(out_.params, out_.vararg, out_.defaultCount);
        expect(":");
        out_.hasResultPack = readResults(out_.results);
    }
    void addName(std::string_view name) { names_.push_back(name); }
    TypePattern type() {
        TypePattern first = postfix();
        while (accept("|")) {
            postfix();
            // No signature takes apart a union: it is any box of these.
            first = TypePattern();
        }
        return first;
    }

private:
    std::string_view text_;
    BuiltinPattern& out_;
    std::vector<std::string_view> names_;
    size_t at_ = 0;

    static bool isNameByte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
    void skipBlanks() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }
    bool accept(std::string_view token) {
        skipBlanks();
        if (!text_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }
    void expect(std::string_view token) {
        const bool found = accept(token);
        LUAPP_CHECK(found, "malformed signature in builtins.def");
        (void)found;
    }
    std::string_view word() {
        skipBlanks();
        const size_t start = at_;
        while (at_ < text_.size() && isNameByte(text_[at_])) ++at_;
        return text_.substr(start, at_ - start);
    }
    /// Over a default value, to the comma or parenthesis behind it.
    void skipDefault() {
        bool isText = false;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"') isText = !isText;
            if (!isText && (text_[at_] == ',' || text_[at_] == ')')) return;
        }
    }

    /// Behind `(`, up to `)`; true if it ends in `...T`.
    bool readParams(std::vector<TypePattern>& params, TypePattern& vararg, uint32_t& defaults) {
        bool isVararg = false;
        while (!accept(")")) {
            accept(",");
            if (accept("...")) {
                vararg = type();
                isVararg = true;
                continue;
            }
            const size_t start = at_;
            word();
            if (!accept(":")) at_ = start;
            params.push_back(type());
            const bool hasDefault = accept("=");
            if (hasDefault) skipDefault();
            defaults = hasDefault ? defaults + 1 : 0;
        }
        return isVararg;
    }

    /// Behind `:`; true if a pack ends them.
    bool readResults(std::vector<TypePattern>& results) {
        if (accept("void") || accept("never")) return false;
        const size_t start = at_;
        if (accept("(")) {
            bool isPack = false;
            do {
                if (accept("...")) {
                    type();
                    isPack = true;
                } else {
                    results.push_back(type());
                }
            } while (accept(","));
            expect(")");
            if (!accept(":") && !accept("?")) return isPack;
            results.clear();
            at_ = start;
        }
        results.push_back(type());
        return false;
    }

    TypePattern postfix() {
        TypePattern t = primary();
        while (accept("?")) t.isOptional = true;
        return t;
    }

    TypePattern primary() {
        TypePattern t;
        const size_t start = at_;
        if (accept("(")) {
            if (!isFunctionAhead(start)) {
                t = type();
                expect(")");
                return t;
            }
            t.kind = TypeKind::Function;
            TypePattern vararg;
            uint32_t defaults = 0;
            readParams(t.parts, vararg, defaults);
            expect(":");
            t.hasResultPack = readResults(t.results);
            return t;
        }
        const std::string_view name = word();
        for (size_t i = 0; i < names_.size(); ++i) {
            if (names_[i] != name) continue;
            t.param = static_cast<int>(i);
            return t;
        }
        t.kind = kindOf(name);
        if (name == "Array" || name == "Table") {
            expect("<");
            t.parts.push_back(type());
            if (accept(",")) t.parts.push_back(type());
            expect(">");
        }
        return t;
    }

    /// True if the parenthesis at `start` ends before a colon.
    bool isFunctionAhead(size_t start) {
        skipBlanks();
        size_t at = text_.find('(', start);
        for (int depth = 0; at < text_.size(); ++at) {
            if (text_[at] == '(') ++depth;
            if (text_[at] == ')' && --depth == 0) break;
        }
        return at + 1 < text_.size() && text_[at + 1] == ':';
    }

    static TypeKind kindOf(std::string_view name) {
        if (name == "any") return TypeKind::Any;
        if (name == "nil") return TypeKind::Nil;
        if (name == "boolean") return TypeKind::Boolean;
        if (name == "number") return TypeKind::Number;
        if (name == "integer") return TypeKind::Integer;
        if (name == "string") return TypeKind::String;
        if (name == "Array") return TypeKind::Array;
        if (name == "Table") return TypeKind::Table;
        if (name == "Function") return TypeKind::AnyFunction;
        if (name == "File") return TypeKind::File;
        LUAPP_CHECK(false, "unknown type in builtins.def");
        return TypeKind::Any;
    }
};

}  // namespace

bool TypePattern::isOpen() const {
    if (param >= 0) return true;
    for (const TypePattern& p : parts)
        if (p.isOpen()) return true;
    for (const TypePattern& p : results)
        if (p.isOpen()) return true;
    return false;
}

BuiltinPattern readPattern(const BuiltinShape& shape) {
    BuiltinPattern out;
    PatternReader reader(shape.signature, out);
    if (!shape.isValue) {
        reader.readSignature();
    } else {
        out.results.push_back(reader.type());
        TypePattern open;
        open.param = 0;
        TypePattern self;
        self.kind = shape.name.starts_with("Array.") ? TypeKind::Array : shape.name.starts_with("Table.") ? TypeKind::Table : TypeKind::String;
        if (self.kind == TypeKind::Array) self.parts = {open};
        if (self.kind == TypeKind::Table) {
            self.parts = {open, open};
            self.parts[1].param = 1;
        }
        out.typeParams = static_cast<unsigned>(self.parts.size());
        if (self.kind != TypeKind::String || shape.name.starts_with("string.")) out.params.push_back(std::move(self));
    }
    for (const TypePattern& p : out.params) out.isOpen |= p.isOpen();
    for (const TypePattern& p : out.results) out.isOpen |= p.isOpen();
    out.isOpen |= out.isVararg && out.vararg.isOpen();
    return out;
}

}  // namespace luapp::bc
