#include "runtime/lib/signature_parser.h"

#include "runtime/base/signature_scanner.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

namespace {

class Parser {
public:
    Parser(State& s, std::string_view text, ParsedSignature& out) : state_(s), scan_(text), out_(out) {}

    bool parse(const TypeDesc* const* given, unsigned givenCount) {
        if (scan_.accept("<")) readTypeParameters(given, givenCount);
        TypeSpec spec;
        const TypeDesc* params[kMaxSignatureParts];
        const TypeDesc* results[kMaxSignatureParts];
        scan_.expect("(");
        readParameters(spec, params, true);
        scan_.expect(":");
        readResults(spec, results);
        if (scan_.isMalformed() || !scan_.isAtEnd()) return false;
        for (unsigned i = 0; i < spec.parts.size(); i++) out_.params[i] = params[i];
        out_.paramCount = static_cast<unsigned>(spec.parts.size());
        out_.type = types().intern(spec);
        return true;
    }

private:
    TypeTable& types() { return state_.types; }
    const TypeDesc* basic(TypeKind kind) { return types().basic(kind); }

    void readTypeParameters(const TypeDesc* const* given, unsigned givenCount) {
        TypeArguments& t = out_.typeParams;
        do {
            t.names[t.count] = scan_.name();
            t.types[t.count] = t.count < givenCount ? given[t.count] : nullptr;
            t.count++;
        } while (!scan_.isMalformed() && scan_.accept(",") && t.count < kMaxSignatureParts);
        scan_.expect(">");
    }

    /// Behind `(`: parameters up to `)`. Of the outermost list the default values are kept.
    void readParameters(TypeSpec& spec, const TypeDesc** params, bool isOutermost) {
        unsigned count = 0;
        while (!scan_.isMalformed() && !scan_.accept(")")) {
            if (count != 0) scan_.expect(",");
            if (scan_.accept("...")) {
                spec.vararg = type();
                continue;
            }
            if (count >= kMaxSignatureParts) scan_.fail();
            if (scan_.isMalformed()) return;
            scan_.parameterName();
            params[count] = type();
            const bool hasDefault = scan_.accept("=");
            if (hasDefault) {
                DefaultText ignored;
                readDefault(isOutermost ? out_.defaults[count] : ignored);
            }
            if (hasDefault) {
                spec.defaultCount++;
            } else {
                spec.defaultCount = 0;
            }
            count++;
        }
        spec.kind = TypeKind::Function;
        spec.rep = Rep::Ref;
        spec.parts = {params, count};
    }

    void readDefault(DefaultText& out) {
        out.isGiven = true;
        const std::string_view text = scan_.defaultValue();
        double number = 0;
        if (text.starts_with('"')) {
            out.isString = true;
            out.text = text.substr(1, text.size() - 2);
        } else if (text == "nil") {
            out.value = Value::nil();
        } else if (text == "true" || text == "false") {
            out.value = Value::boolean(text == "true");
        } else if (base::textToNumber(text, number)) {
            out.value = Value::number(number);
        } else {
            scan_.fail();
        }
    }

    /// Behind `:`: one type, or a list of results in parentheses, or `void`, `never`.
    void readResults(TypeSpec& spec, const TypeDesc** results) {
        if (scan_.accept("void") || scan_.accept("never")) return;
        unsigned count = 0;
        if (scan_.isAhead("(") && !scan_.isFunctionAhead()) {
            scan_.expect("(");
            do {
                if (scan_.accept("...")) {
                    type();
                    spec.hasResultPack = true;
                } else if (count < kMaxSignatureParts) {
                    results[count++] = type();
                } else {
                    scan_.fail();
                }
            } while (scan_.accept(","));
            scan_.expect(")");
        } else {
            results[count++] = type();
        }
        if (!spec.hasResultPack) spec.results = {results, count};
    }

    const TypeDesc* type() {
        const TypeDesc* members[kMaxSignatureParts];
        unsigned count = 0;
        do {
            members[count++] = postfixType();
        } while (!scan_.isMalformed() && count < kMaxSignatureParts && scan_.accept("|"));
        if (count == 1) return members[0];
        TypeSpec spec;
        spec.kind = TypeKind::Union;
        spec.rep = Rep::Box;
        spec.parts = {members, count};
        return types().intern(spec);
    }

    const TypeDesc* postfixType() {
        const TypeDesc* t = primaryType();
        while (!scan_.isMalformed() && scan_.accept("?")) t = types().optional(t);
        return scan_.isMalformed() ? basic(TypeKind::Any) : t;
    }

    const TypeDesc* primaryType() {
        if (scan_.isAhead("(")) return parenthesised();
        const std::string_view n = scan_.name();
        if (n == "any") return basic(TypeKind::Any);
        if (n == "nil") return basic(TypeKind::Nil);
        if (n == "boolean") return basic(TypeKind::Boolean);
        if (n == "number") return basic(TypeKind::Number);
        if (n == "integer") return basic(TypeKind::Integer);
        if (n == "string") return basic(TypeKind::String);
        if (n == "Function") return basic(TypeKind::AnyFunction);
        if (n == "File") return basic(TypeKind::File);
        if (n == "Array" || n == "Table") return containerType(n == "Table");
        for (unsigned i = 0; i < out_.typeParams.count; i++) {
            if (out_.typeParams.names[i] != n) continue;
            const TypeDesc* given = out_.typeParams.types[i];
            return given != nullptr ? given : basic(TypeKind::Any);
        }
        scan_.fail();
        return basic(TypeKind::Any);
    }

    const TypeDesc* containerType(bool isTable) {
        scan_.expect("<");
        const TypeDesc* first = type();
        const TypeDesc* second = nullptr;
        if (isTable) {
            scan_.expect(",");
            second = type();
        }
        scan_.expect(">");
        if (scan_.isMalformed()) return basic(TypeKind::Any);
        return isTable ? types().tableOf(first, second) : types().arrayOf(first);
    }

    /// At `(`: a function type, or a type in parentheses.
    const TypeDesc* parenthesised() {
        const bool isFunction = scan_.isFunctionAhead();
        scan_.expect("(");
        if (!isFunction) {
            const TypeDesc* inner = type();
            scan_.expect(")");
            return inner;
        }
        TypeSpec spec;
        const TypeDesc* params[kMaxSignatureParts];
        const TypeDesc* results[kMaxSignatureParts];
        readParameters(spec, params, false);
        scan_.expect(":");
        readResults(spec, results);
        return scan_.isMalformed() ? basic(TypeKind::Any) : types().intern(spec);
    }

    State& state_;
    base::SignatureScanner scan_;
    ParsedSignature& out_;
};

}  // namespace

bool parseSignature(State& s, std::string_view text, const TypeDesc* const* given, unsigned givenCount, ParsedSignature& out) {
    return Parser(s, text, out).parse(given, givenCount);
}

}  // namespace luapp::rt
