#include "runtime/lib/signature_parser.h"

#include <cstdlib>

#include "runtime/vm/state.h"

namespace luapp::rt {

namespace {

bool isNameByte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Parser {
public:
    Parser(State& s, std::string_view text, ParsedSignature& out) : state_(s), text_(text), out_(out) {}

    bool parse(const TypeDesc* const* given, unsigned givenCount) {
        if (accept('<')) readTypeParameters(given, givenCount);
        TypeSpec spec;
        const TypeDesc* params[kMaxSignatureParts];
        const TypeDesc* results[kMaxSignatureParts];
        expect('(');
        readParameters(spec, params, true);
        expect(':');
        readResults(spec, results);
        skipBlanks();
        if (failed_ || at_ != text_.size()) return false;
        for (unsigned i = 0; i < spec.parts.size(); i++) out_.params[i] = params[i];
        out_.paramCount = static_cast<unsigned>(spec.parts.size());
        out_.type = types().intern(spec);
        return true;
    }

private:
    TypeTable& types() { return state_.types; }
    const TypeDesc* basic(TypeKind kind) { return types().basic(kind); }

    void skipBlanks() {
        while (at_ < text_.size() && text_[at_] == ' ') at_++;
    }
    bool accept(char c) {
        skipBlanks();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        at_++;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) failed_ = true;
    }
    bool acceptDots() {
        skipBlanks();
        if (text_.substr(at_, 3) != "...") return false;
        at_ += 3;
        return true;
    }
    std::string_view name() {
        skipBlanks();
        const size_t start = at_;
        while (at_ < text_.size() && isNameByte(text_[at_])) at_++;
        if (at_ == start) failed_ = true;
        return text_.substr(start, at_ - start);
    }

    void readTypeParameters(const TypeDesc* const* given, unsigned givenCount) {
        TypeArguments& t = out_.typeParams;
        do {
            t.names[t.count] = name();
            t.types[t.count] = t.count < givenCount ? given[t.count] : nullptr;
            t.count++;
        } while (!failed_ && accept(',') && t.count < kMaxSignatureParts);
        expect('>');
    }

    /// Behind `(`: parameters up to `)`. Of the outermost list the default values are kept.
    void readParameters(TypeSpec& spec, const TypeDesc** params, bool isOutermost) {
        unsigned count = 0;
        while (!failed_ && !accept(')')) {
            if (count != 0) expect(',');
            if (acceptDots()) {
                spec.vararg = type();
                continue;
            }
            if (count >= kMaxSignatureParts) failed_ = true;
            if (failed_) return;
            skipParameterName();
            params[count] = type();
            const bool hasDefault = accept('=');
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

    /// A name with `:` behind it before a type.
    void skipParameterName() {
        skipBlanks();
        const size_t start = at_;
        while (at_ < text_.size() && isNameByte(text_[at_])) at_++;
        if (at_ > start && accept(':')) return;
        at_ = start;
    }

    void readDefault(DefaultText& out) {
        out.isGiven = true;
        skipBlanks();
        if (accept('"')) {
            const size_t start = at_;
            while (at_ < text_.size() && text_[at_] != '"') at_++;
            out.isString = true;
            out.text = text_.substr(start, at_ - start);
            expect('"');
            return;
        }
        const size_t start = at_;
        while (at_ < text_.size() && (isNameByte(text_[at_]) || text_[at_] == '-' || text_[at_] == '.')) at_++;
        const std::string_view word = text_.substr(start, at_ - start);
        double number = 0;
        if (word == "nil") {
            out.value = Value::nil();
        } else if (word == "true" || word == "false") {
            out.value = Value::boolean(word == "true");
        } else if (base::textToNumber(word, number)) {
            out.value = Value::number(number);
        } else {
            failed_ = true;
        }
    }

    /// Behind `:`: one type, or a list of results in parentheses, or `void`, `never`.
    void readResults(TypeSpec& spec, const TypeDesc** results) {
        skipBlanks();
        unsigned count = 0;
        if (acceptWord("void") || acceptWord("never")) return;
        const size_t start = at_;
        if (accept('(')) {
            do {
                if (acceptDots()) {
                    type();
                    spec.hasResultPack = true;
                } else if (count < kMaxSignatureParts) {
                    results[count++] = type();
                } else {
                    failed_ = true;
                }
            } while (!failed_ && accept(','));
            expect(')');
            skipBlanks();
            const bool isFunctionType = at_ < text_.size() && text_[at_] == ':';
            if (!isFunctionType) {
                spec.results = spec.hasResultPack ? std::span<const TypeDesc* const>() : std::span<const TypeDesc* const>(results, count);
                return;
            }
            spec.hasResultPack = false;
        }
        failed_ = false;
        at_ = start;
        results[0] = type();
        spec.results = {results, 1};
    }

    bool acceptWord(std::string_view word) {
        skipBlanks();
        if (text_.substr(at_, word.size()) != word) return false;
        if (at_ + word.size() < text_.size() && isNameByte(text_[at_ + word.size()])) return false;
        at_ += word.size();
        return true;
    }

    const TypeDesc* type() {
        const TypeDesc* members[kMaxSignatureParts];
        unsigned count = 0;
        do {
            members[count++] = postfixType();
        } while (!failed_ && count < kMaxSignatureParts && accept('|'));
        if (count == 1) return members[0];
        TypeSpec spec;
        spec.kind = TypeKind::Union;
        spec.rep = Rep::Box;
        spec.parts = {members, count};
        return types().intern(spec);
    }

    const TypeDesc* postfixType() {
        const TypeDesc* t = primaryType();
        while (!failed_ && accept('?')) t = types().optional(t);
        return failed_ ? basic(TypeKind::Any) : t;
    }

    const TypeDesc* primaryType() {
        if (accept('(')) return parenthesised();
        const std::string_view n = name();
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
        failed_ = true;
        return basic(TypeKind::Any);
    }

    const TypeDesc* containerType(bool isTable) {
        expect('<');
        const TypeDesc* first = type();
        const TypeDesc* second = nullptr;
        if (isTable) {
            expect(',');
            second = type();
        }
        expect('>');
        if (failed_) return basic(TypeKind::Any);
        return isTable ? types().tableOf(first, second) : types().arrayOf(first);
    }

    /// Behind `(`: a function type, or a type in parentheses.
    const TypeDesc* parenthesised() {
        const size_t start = at_;
        TypeSpec spec;
        const TypeDesc* params[kMaxSignatureParts];
        const TypeDesc* results[kMaxSignatureParts];
        readParameters(spec, params, false);
        if (!failed_ && accept(':')) {
            readResults(spec, results);
            return failed_ ? basic(TypeKind::Any) : types().intern(spec);
        }
        failed_ = false;
        at_ = start;
        const TypeDesc* inner = type();
        expect(')');
        return inner;
    }

    State& state_;
    std::string_view text_;
    ParsedSignature& out_;
    size_t at_ = 0;
    bool failed_ = false;
};

}  // namespace

bool parseSignature(State& s, std::string_view text, const TypeDesc* const* given, unsigned givenCount, ParsedSignature& out) {
    return Parser(s, text, out).parse(given, givenCount);
}

}  // namespace luapp::rt
