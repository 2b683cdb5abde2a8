#include "runtime/bytecode/builtin_shape.h"

#include "runtime/base/check.h"
#include "runtime/base/signature_scanner.h"

namespace luapp::bc {

namespace {

class PatternReader {
public:
    PatternReader(std::string_view text, BuiltinPattern& out) : scan_(text), out_(out) {}

    void readSignature() {
        if (scan_.accept("<")) {
            do names_.push_back(scan_.name());
            while (scan_.accept(","));
            scan_.expect(">");
        }
        out_.typeParams = static_cast<unsigned>(names_.size());
        LUAPP_CHECK(names_.size() <= kMaxTypeParams, "type parameters of a signature");
        scan_.expect("(");
        out_.isVararg = readParams(out_.params, out_.vararg, out_.defaultCount);
        scan_.expect(":");
        out_.hasResultPack = readResults(out_.results);
        LUAPP_CHECK(!scan_.isMalformed() && scan_.isAtEnd(), "malformed signature in builtins.def");
    }
    void addName(std::string_view name) { names_.push_back(name); }
    TypePattern type() {
        TypePattern first = postfix();
        while (scan_.accept("|")) {
            postfix();
            // No signature takes apart a union: it is any box of these.
            first = TypePattern();
        }
        return first;
    }

private:
    base::SignatureScanner scan_;
    BuiltinPattern& out_;
    std::vector<std::string_view> names_;

    /// Behind `(`, up to `)`; true if it ends in `...T`.
    bool readParams(std::vector<TypePattern>& params, TypePattern& vararg, uint32_t& defaults) {
        bool isVararg = false;
        while (!scan_.isMalformed() && !scan_.accept(")")) {
            scan_.accept(",");
            if (scan_.accept("...")) {
                vararg = type();
                isVararg = true;
                continue;
            }
            scan_.parameterName();
            params.push_back(type());
            const bool hasDefault = scan_.accept("=");
            if (hasDefault) scan_.defaultValue();
            defaults = hasDefault ? defaults + 1 : 0;
        }
        return isVararg;
    }

    /// Behind `:`; true if a pack ends them.
    bool readResults(std::vector<TypePattern>& results) {
        if (scan_.accept("void") || scan_.accept("never")) return false;
        if (!scan_.isAhead("(") || scan_.isFunctionAhead()) {
            results.push_back(type());
            return false;
        }
        bool isPack = false;
        scan_.expect("(");
        do {
            if (scan_.accept("...")) {
                type();
                isPack = true;
            } else {
                results.push_back(type());
            }
        } while (scan_.accept(","));
        scan_.expect(")");
        return isPack;
    }

    TypePattern postfix() {
        TypePattern t = primary();
        while (scan_.accept("?")) t.isOptional = true;
        return t;
    }

    TypePattern primary() {
        TypePattern t;
        const bool isFunction = scan_.isFunctionAhead();
        if (scan_.accept("(")) {
            if (!isFunction) {
                t = type();
                scan_.expect(")");
                return t;
            }
            t.kind = TypeKind::Function;
            TypePattern vararg;
            uint32_t defaults = 0;
            readParams(t.parts, vararg, defaults);
            scan_.expect(":");
            t.hasResultPack = readResults(t.results);
            return t;
        }
        const std::string_view name = scan_.name();
        for (size_t i = 0; i < names_.size(); ++i) {
            if (names_[i] != name) continue;
            t.param = static_cast<int>(i);
            return t;
        }
        t.kind = kindOf(name);
        if (name == "Array" || name == "Table") {
            scan_.expect("<");
            t.parts.push_back(type());
            if (scan_.accept(",")) t.parts.push_back(type());
            scan_.expect(">");
        }
        return t;
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
