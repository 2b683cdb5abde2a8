// Expressions of generated programs. Every expression is in parentheses unless it is a name, a literal or a call, so the
// generator need not know precedence (tests/conformance/operators.luapp does).
#include "program_gen_impl.h"

namespace luapp::fuzz {

namespace {

struct ExpressionRule {
    Ty ty;
    int weight;
    std::string (Generator::*make)(Ty ty, int depth);
};

using G = Generator;
constexpr ExpressionRule kExpressions[] = {
    // type           weight  how
    {Ty::Number,      20, &G::leaf},              {Ty::Number,      24, &G::numberArithmetic},
    {Ty::Number,       3, &G::numberNegation},    {Ty::Number,       8, &G::numberFromInteger},
    {Ty::Number,       6, &G::numberFunction},    {Ty::Number,       5, &G::numberElement},
    {Ty::Number,       4, &G::numberField},       {Ty::Number,       5, &G::callOf},
    {Ty::Number,       3, &G::andOr},             {Ty::Number,       3, &G::coalesce},
    {Ty::Number,       2, &G::assertNonNil},      {Ty::Number,       2, &G::viaAny},
    {Ty::Number,       3, &G::loud},
    {Ty::Integer,     20, &G::leaf},              {Ty::Integer,     24, &G::integerArithmetic},
    {Ty::Integer,      8, &G::integerBits},       {Ty::Integer,      5, &G::integerFunction},
    {Ty::Integer,      5, &G::integerElement},    {Ty::Integer,      4, &G::integerLength},
    {Ty::Integer,      3, &G::integerCast},       {Ty::Integer,      5, &G::unaryCall},
    {Ty::Integer,      5, &G::callOf},            {Ty::Integer,      3, &G::andOr},
    {Ty::Integer,      3, &G::coalesce},          {Ty::Integer,      2, &G::assertNonNil},
    {Ty::Integer,      2, &G::viaAny},            {Ty::Integer,      3, &G::loud},
    {Ty::Boolean,     10, &G::leaf},              {Ty::Boolean,     20, &G::comparison},
    {Ty::Boolean,     10, &G::logic},             {Ty::Boolean,      6, &G::typeTest},
    {Ty::Boolean,      4, &G::membership},        {Ty::Boolean,      3, &G::callOf},
    {Ty::String,      16, &G::leaf},              {Ty::String,      12, &G::concat},
    {Ty::String,       6, &G::interpolation},     {Ty::String,       8, &G::stringFunction},
    {Ty::String,       3, &G::joined},            {Ty::String,       4, &G::stringElement},
    {Ty::String,       4, &G::callOf},            {Ty::String,       3, &G::andOr},
    {Ty::String,       3, &G::coalesce},          {Ty::String,       2, &G::viaAny},
    {Ty::String,       2, &G::loud},
    {Ty::Any,          4, &G::leaf},              {Ty::Any,         10, &G::hidden},
    {Ty::Any,          4, &G::anyArithmetic},     {Ty::Any,          2, &G::callOf},
    {Ty::OptNumber,    4, &G::leaf},              {Ty::OptNumber,    6, &G::maybe},
    {Ty::OptNumber,    5, &G::lookUp},            {Ty::OptNumber,    3, &G::optionalChain},
    {Ty::OptNumber,    3, &G::searched},          {Ty::OptNumber,    2, &G::callOf},
    {Ty::OptInteger,   4, &G::leaf},              {Ty::OptInteger,   6, &G::maybe},
    {Ty::OptInteger,   4, &G::searched},          {Ty::OptInteger,   2, &G::callOf},
    {Ty::OptString,    4, &G::leaf},              {Ty::OptString,    6, &G::maybe},
    {Ty::OptString,    5, &G::lookUp},            {Ty::OptString,    3, &G::optionalChain},
    {Ty::Union,        4, &G::leaf},              {Ty::Union,        6, &G::either},
    {Ty::Union,        2, &G::callOf},
    {Ty::Numbers,      8, &G::leaf},              {Ty::Numbers,      4, &G::copied},
    {Ty::Numbers,      3, &G::mapped},            {Ty::Numbers,      2, &G::made},
    {Ty::Integers,     8, &G::leaf},              {Ty::Integers,     4, &G::copied},
    {Ty::Integers,     3, &G::mapped},            {Ty::Integers,     2, &G::made},
    {Ty::Strings,      8, &G::leaf},              {Ty::Strings,      4, &G::copied},
    {Ty::Strings,      2, &G::made},
    {Ty::NumberTable,  8, &G::leaf},              {Ty::NumberTable,  3, &G::copied},
    {Ty::StringTable,  8, &G::leaf},              {Ty::StringTable,  3, &G::copied},
    {Ty::Point,        8, &G::leaf},              {Ty::Point,        3, &G::callOf},
    {Ty::OptPoint,     4, &G::leaf},              {Ty::OptPoint,     6, &G::maybe},
    {Ty::Unary,        8, &G::leaf},
};

constexpr const char* kNumbers[] = {"0", "1", "2", "3", "0.5", "1.5", "0.1", "10", "100", "1e15", "9007199254740991", "(2 ^ 53 + 2)",
                                    "1e308", "5e-324", "2.5e-8", "4503599627370496.5", "math.huge", "(-math.huge)", "(0 / 0)",
                                    "(-0.0)", "0x7fffffff", "4294967296", "0.30000000000000004", "(-1)", "(-2.5)"};
constexpr const char* kSmallIntegers[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "10", "(-1)", "(-2)", "(-3)", "(-7)", "16", "100"};
constexpr const char* kPositive[] = {"1", "2", "3", "4", "7", "8", "10", "100", "1024"};
constexpr const char* kIntegers[] = {"31", "32", "63", "64", "255", "1000", "65536", "2147483647", "4294967296", "4503599627370496", "9007199254740991", "9007199254740992",
                                     "(-1000)", "(-2147483648)", "(-9007199254740992)"};
constexpr const char* kStrings[] = {"\"\"", "\"a\"", "\"b\"", "\"abc\"", "\"hello\"", "\"10\"", "\"1.5\"", "\"0x10\"", "\" 7 \"", "\"x\\0y\"",
                                    "\"\\n\"", "'it\"s'", "([[long]])", "\"nan\"", "\"k1\"", "\"k2\"", "\"k3\"", "\"-0\""};
constexpr const char* kKeys[] = {"\"k1\"", "\"k2\"", "\"k3\"", "\"a\"", "\"\""};
constexpr const char* kComparisons[] = {"<", "<=", ">", ">=", "==", "~="};

std::string parens(const std::string& e) { return "(" + e + ")"; }
std::string binary(const std::string& a, const char* op, const std::string& b) { return "(" + a + " " + op + " " + b + ")"; }

Ty elementOf(Ty array) {
    return array == Ty::Numbers ? Ty::Number : array == Ty::Integers ? Ty::Integer : Ty::String;
}
Ty innerOf(Ty optional) {
    switch (optional) {
        case Ty::OptNumber: return Ty::Number;
        case Ty::OptInteger: return Ty::Integer;
        case Ty::OptString: return Ty::String;
        default: return Ty::Point;
    }
}
Ty optionalOf(Ty ty) {
    return ty == Ty::Number ? Ty::OptNumber : ty == Ty::Integer ? Ty::OptInteger : Ty::OptString;
}
const char* wordOf(Ty ty) { return ty == Ty::Number ? "number" : ty == Ty::Integer ? "integer" : "string"; }

}  // namespace

std::string Generator::expr(Ty ty, int depth) {
    if (size_t(ty) >= kTyCount) return objectExpr(ty, depth);
    if (depth <= 0) return leaf(ty, 0);
    if (mayCallValues_ && !classes_.empty() && random_.chance(inBody_ ? 14 : 4)) {
        const std::string member = memberOf(ty, depth - 1);
        if (!member.empty()) return member;
    }
    const ExpressionRule* rule = pickWeighted(random_, kExpressions, [ty](const ExpressionRule& r) { return r.ty == ty; });
    return (this->*rule->make)(ty, depth - 1);
}

std::string Generator::variableOr(Ty ty, const std::string& otherwise) {
    const Variable* v = pickVariable(ty, false);
    return v ? v->name : otherwise;
}

std::string Generator::leaf(Ty ty, int) {
    const std::string constant = literal(ty);
    return random_.chance(75) ? variableOr(ty, constant) : constant;
}

std::string Generator::literal(Ty ty) {
    switch (ty) {
        case Ty::Number: return random_.pick(kNumbers);
        case Ty::Integer: return isRisky() ? random_.pick(kIntegers) : random_.pick(kSmallIntegers);
        case Ty::Boolean: return random_.chance(50) ? "true" : "false";
        case Ty::String: return random_.pick(kStrings);
        case Ty::Any: return random_.chance(20) ? "hide(nil)" : "hide(" + literal(random_.chance(50) ? Ty::Number : Ty::String) + ")";
        case Ty::OptNumber: return "maybeNumber(" + literal(Ty::Boolean) + ", " + literal(Ty::Number) + ")";
        case Ty::OptInteger: return "maybeInteger(" + literal(Ty::Boolean) + ", " + literal(Ty::Integer) + ")";
        case Ty::OptString: return "maybeString(" + literal(Ty::Boolean) + ", " + literal(Ty::String) + ")";
        case Ty::OptPoint: return "maybePoint(" + literal(Ty::Boolean) + ", newPoint(" + literal(Ty::Number) + "))";
        case Ty::Union: return "either(" + literal(Ty::Boolean) + ", " + literal(Ty::Number) + ", " + literal(Ty::String) + ")";
        case Ty::Numbers: return "numbersOf(" + literal(Ty::Number) + ", " + literal(Ty::Number) + ")";
        case Ty::Integers: return "integersOf(" + literal(Ty::Integer) + ", " + literal(Ty::Integer) + ")";
        case Ty::Strings: return "stringsOf(" + literal(Ty::String) + ", " + literal(Ty::String) + ")";
        case Ty::NumberTable: return "numberTable(" + literal(Ty::Number) + ")";
        case Ty::StringTable: return "stringTable(" + literal(Ty::String) + ")";
        case Ty::Point: return "newPoint(" + literal(Ty::Number) + ")";
        case Ty::Unary: return "adder(" + literal(Ty::Integer) + ")";
    }
    return "nil";
}

std::string Generator::call(const FunctionInfo& f, int depth) {
    std::string text = f.name + "(";
    size_t count = f.required + random_.below(f.params.size() - f.required + 1);
    for (size_t i = 0; i < count; i++) text += (i == 0 ? "" : ", ") + expr(f.params[i], depth);
    if (f.isVararg && count == f.params.size()) {
        for (size_t extra = random_.below(4); extra > 0; extra--) {
            text += (text.ends_with("(") ? "" : ", ") + expr(Ty::Number, depth);
        }
    }
    return text + ")";
}

std::string Generator::callOf(Ty ty, int depth) {
    std::vector<const FunctionInfo*> fitting;
    for (const FunctionInfo& f : functions_) {
        if (!f.results.empty() && f.results[0] == ty) fitting.push_back(&f);
    }
    if (fitting.empty()) return leaf(ty, depth);
    const FunctionInfo& f = *random_.pick(fitting);
    const std::string text = call(f, depth);
    return f.results.size() > 1 ? parens(text) : text;
}

/// `c and a or b`, or a conditional of two values of the type.
std::string Generator::andOr(Ty ty, int depth) {
    return parens(expr(Ty::Boolean, depth) + " and " + expr(ty, depth) + " or " + expr(ty, depth));
}

/// A value that says when it is evaluated.
std::string Generator::loud(Ty ty, int depth) {
    const char* function = ty == Ty::Number ? "loudNumber" : ty == Ty::Integer ? "loudInteger" : "loudString";
    return std::string(function) + "(\"" + std::to_string(++names_) + "\", " + expr(ty, depth) + ")";
}

/// From `any`, by a checked cast that may fail.
std::string Generator::viaAny(Ty ty, int depth) {
    const std::string from = isRisky() ? variableOr(Ty::Any, "hide(1)") : "hide(" + expr(ty, depth) + ")";
    return parens(from + " as " + wordOf(ty));
}

std::string Generator::coalesce(Ty ty, int depth) {
    const std::string optional = expr(optionalOf(ty), depth);
    return binary(optional, random_.chance(60) ? "?\?" : "or", expr(ty, depth));
}

/// Of a call, not of a variable: next to a test of the same variable the checker may know that it is nil.
std::string Generator::assertNonNil(Ty ty, int depth) {
    const std::string condition = isRisky() ? expr(Ty::Boolean, depth) : "true";
    return parens(maybeOf(optionalOf(ty), condition, depth) + "!");
}

std::string Generator::numberArithmetic(Ty, int depth) {
    constexpr const char* kOperators[] = {"+", "+", "-", "-", "*", "*", "/", "/", "//", "%", "^"};
    return binary(expr(Ty::Number, depth), random_.pick(kOperators), expr(Ty::Number, depth));
}

std::string Generator::numberNegation(Ty, int depth) { return "(-" + expr(Ty::Number, depth) + ")"; }

std::string Generator::numberFromInteger(Ty, int depth) {
    if (random_.chance(30)) return binary(expr(Ty::Integer, depth), random_.chance(50) ? "/" : "^", expr(Ty::Integer, depth));
    return expr(Ty::Integer, depth);
}

std::string Generator::numberFunction(Ty, int depth) {
    switch (random_.below(8)) {
        case 0: return "math.sqrt(" + expr(Ty::Number, depth) + ")";
        case 1: return "math.abs(" + expr(Ty::Number, depth) + ")";
        case 2: return "math.max(" + expr(Ty::Number, depth) + ", " + expr(Ty::Number, depth) + ")";
        case 3: return "math.min(" + expr(Ty::Number, depth) + ", " + expr(Ty::Number, depth) + ")";
        case 4: return "math.fmod(" + expr(Ty::Number, depth) + ", " + expr(Ty::Number, depth) + ")";
        case 5: return binary("tonumber(" + expr(Ty::String, depth) + ")", "?\?", expr(Ty::Number, depth));
        case 6: return expr(Ty::Numbers, depth) + ".reduce(function(a, v) -> a + v, 0.5)";
        default: return "math.max(" + expr(Ty::Number, depth) + ", " + expr(Ty::Number, depth) + ", " + expr(Ty::Number, depth) + ")";
    }
}

std::string Generator::numberElement(Ty, int depth) {
    if (random_.chance(30)) {
        const std::string element = variableOr(Ty::NumberTable, "numberTable(1)") + "[" + random_.pick(kKeys) + "]";
        return binary(element, isRisky() ? "+" : "?\?", "0.5");
    }
    const std::string of = variableOr(Ty::Numbers, "gna5");
    return of + "[" + indexOf(of, depth) + "]";
}

std::string Generator::numberField(Ty, int) { return variableOr(Ty::Point, "newPoint(3)") + (random_.chance(50) ? ".x" : ".y"); }

std::string Generator::integerArithmetic(Ty, int depth) {
    constexpr const char* kOperators[] = {"+", "+", "+", "-", "-", "*", "*", "//", "%"};
    if (random_.chance(8)) return "(-" + variableOr(Ty::Integer, "(#\"xy\")") + ")";
    const std::string left = variableOr(Ty::Integer, "(#\"four\")");
    const std::string op = random_.pick(kOperators);
    // Factors stay small and divisors are not 0 but now and then, or most programs would end in an error soon.
    const bool isPlain = op == "+" || op == "-" || isRisky();
    return binary(left, op.c_str(), isPlain ? expr(Ty::Integer, depth) : random_.pick(kPositive));
}

std::string Generator::integerBits(Ty, int depth) {
    constexpr const char* kOperators[] = {"&", "|", "~", "<<", ">>"};
    if (random_.chance(10)) return "(~" + expr(Ty::Integer, depth) + ")";
    if (random_.chance(30)) {
        constexpr const char* kFunctions[] = {"band", "bor", "bxor", "lshift", "rshift", "arshift", "lrotate", "rrotate"};
        return std::string("bit32.") + random_.pick(kFunctions) + "(" + expr(Ty::Integer, depth) + ", " + expr(Ty::Integer, depth) + ")";
    }
    const std::string op = random_.pick(kOperators);
    if (op == "<<" && !isRisky()) return "((" + expr(Ty::Integer, depth) + " & 4095) << (" + expr(Ty::Integer, depth) + " & 15))";
    const Ty operand = isRisky() && random_.chance(30) ? Ty::Number : Ty::Integer;
    return binary(expr(operand, depth), op.c_str(), expr(Ty::Integer, depth));
}

std::string Generator::integerFunction(Ty, int depth) {
    switch (random_.below(6)) {
        case 0: return "math.floor(" + (isRisky() ? expr(Ty::Number, depth) : "tame(" + expr(Ty::Number, depth) + ")") + ")";
        case 1: return "math.ceil(tame(" + expr(Ty::Number, depth) + "))";
        case 2: return "math.abs(" + variableOr(Ty::Integer, "#\"a\"") + ")";
        case 3: return "math.max(" + variableOr(Ty::Integer, "#\"ab\"") + ", " + variableOr(Ty::Integer, "#\"\"") + ")";
        case 4: return "math.min(" + variableOr(Ty::Integer, "#\"ab\"") + ", " + variableOr(Ty::Integer, "#\"\"") + ")";
        default: return binary("string.byte(" + expr(Ty::String, depth) + ", " + expr(Ty::Integer, depth) + ")", "?\?", expr(Ty::Integer, depth));
    }
}

std::string Generator::integerElement(Ty, int depth) {
    const std::string of = variableOr(Ty::Integers, "gia4");
    return of + "[" + indexOf(of, depth) + "]";
}

std::string Generator::integerLength(Ty, int depth) {
    switch (random_.below(4)) {
        case 0: return parens("#" + variableOr(Ty::String, "\"abc\""));
        case 1: return variableOr(Ty::Numbers, "numbersOf(1, 2)") + ".length";
        case 2: return variableOr(Ty::NumberTable, "numberTable(1)") + ".size";
        default: return "len(" + expr(Ty::String, depth) + ")";
    }
}

std::string Generator::integerCast(Ty, int depth) {
    const std::string number = expr(Ty::Number, depth);
    return parens((isRisky() ? number : "tame(" + number + ")") + " as integer");
}

std::string Generator::unaryCall(Ty ty, int depth) {
    if (!mayCallValues_) return leaf(ty, depth);
    return variableOr(Ty::Unary, "adder(3)") + "(" + expr(Ty::Integer, depth) + ")";
}

std::string Generator::comparison(Ty, int depth) {
    const Ty ty = random_.chance(45) ? Ty::Integer : random_.chance(70) ? Ty::Number : Ty::String;
    const Ty other = ty == Ty::Integer && random_.chance(20) ? Ty::Number : ty;
    return binary(expr(ty, depth), random_.pick(kComparisons), expr(other, depth));
}

std::string Generator::logic(Ty, int depth) {
    if (random_.chance(30)) return "(not " + expr(Ty::Boolean, depth) + ")";
    return binary(expr(Ty::Boolean, depth), random_.chance(50) ? "and" : "or", expr(Ty::Boolean, depth));
}

/// Tests of types, compared with a boolean so that they narrow nothing.
std::string Generator::typeTest(Ty, int depth) {
    std::string test;
    switch (random_.below(5)) {
        case 0: test = parens(expr(Ty::OptNumber, depth) + (random_.chance(50) ? " == nil" : " ~= nil")); break;
        case 1: test = parens(expr(Ty::Any, depth) + (random_.chance(50) ? " is number" : " is not string")); break;
        case 2: test = parens(expr(Ty::Union, depth) + " is string"); break;
        case 3: test = parens("type(" + expr(Ty::Any, depth) + ") == \"" + (random_.chance(50) ? "number" : "nil") + "\""); break;
        default: test = parens(expr(Ty::Any, depth) + " == " + expr(Ty::Any, depth)); break;
    }
    return binary(test, random_.chance(50) ? "==" : "~=", expr(Ty::Boolean, depth));
}

std::string Generator::membership(Ty, int depth) {
    switch (random_.below(4)) {
        case 0: return variableOr(Ty::Numbers, "numbersOf(1, 2)") + ".contains(" + expr(Ty::Number, depth) + ")";
        case 1: return variableOr(Ty::Strings, "stringsOf(\"a\", \"b\")") + ".contains(" + expr(Ty::String, depth) + ")";
        case 2: return variableOr(Ty::NumberTable, "numberTable(1)") + ".has(" + random_.pick(kKeys) + ")";
        default: return variableOr(Ty::Integers, "integersOf(1, 2)") + ".any(function(v) -> v > " + expr(Ty::Integer, 0) + ")";
    }
}

std::string Generator::concat(Ty, int depth) {
    const std::string right = random_.chance(60) ? expr(Ty::String, depth) : random_.chance(50) ? expr(Ty::Integer, depth)
                                                                                                : show(Ty::Number, expr(Ty::Number, depth));
    return binary(expr(Ty::String, depth), "..", right);
}

std::string Generator::interpolation(Ty, int depth) {
    return "`<{" + expr(Ty::Integer, depth) + "}|{" + (random_.chance(50) ? expr(Ty::Boolean, depth) : expr(Ty::String, depth)) + "}>`";
}

std::string Generator::stringFunction(Ty, int depth) {
    switch (random_.below(9)) {
        case 0: return "string.sub(" + expr(Ty::String, depth) + ", " + expr(Ty::Integer, depth) + ", " + expr(Ty::Integer, depth) + ")";
        case 1: return variableOr(Ty::String, "(\"abc\")") + (random_.chance(50) ? ":upper()" : ".lower()");
        case 2: return "string.rep(" + expr(Ty::String, depth) + ", " + std::to_string(random_.between(-1, 3)) + ")";
        case 3: return "tostring(" + expr(Ty::Integer, depth) + ")";
        case 4: return "tostring(" + expr(Ty::Boolean, depth) + ")";
        case 5: return "string.format(\"%d|%s\", " + expr(Ty::Integer, depth) + ", " + expr(Ty::String, depth) + ")";
        case 6: return "string.reverse(" + expr(Ty::String, depth) + ")";
        case 7: return "(string.gsub(" + expr(Ty::String, depth) + ", \"[ab%d]\", \"<%0>\"))";
        default: return "showAny(" + expr(Ty::Any, depth) + ")";
    }
}

std::string Generator::joined(Ty, int depth) {
    return random_.chance(50) ? "showNumbers(" + expr(Ty::Numbers, depth) + ")" : expr(Ty::Integers, depth) + ".concat(\",\")";
}

std::string Generator::stringElement(Ty, int depth) {
    if (random_.chance(40)) {
        const std::string element = variableOr(Ty::StringTable, "stringTable(\"q\")") + "[" + expr(Ty::Integer, depth) + "]";
        return binary(element, isRisky() ? ".." : "?\?", "\"\"");
    }
    const std::string of = variableOr(Ty::Strings, "gsa");
    return of + "[" + indexOf(of, depth) + "]";
}

std::string Generator::hidden(Ty, int depth) {
    constexpr Ty kHidden[] = {Ty::Number, Ty::Integer, Ty::String, Ty::Boolean, Ty::OptNumber, Ty::Union};
    return "hide(" + expr(random_.pick(kHidden), depth) + ")";
}

std::string Generator::anyArithmetic(Ty, int depth) {
    constexpr const char* kOperators[] = {"+", "-", "*", "/", "//", "%", ".."};
    const char* op = random_.pick(kOperators);
    return binary("hide(" + expr(Ty::Number, depth) + ")", op, !isRisky() ? "hide(" + expr(Ty::Integer, depth) + ")" : expr(Ty::Any, depth));
}

std::string Generator::maybeOf(Ty ty, const std::string& condition, int depth) {
    const char* function = ty == Ty::OptNumber ? "maybeNumber" : ty == Ty::OptInteger ? "maybeInteger" : ty == Ty::OptString ? "maybeString" : "maybePoint";
    return std::string(function) + "(" + condition + ", " + expr(innerOf(ty), depth) + ")";
}

std::string Generator::maybe(Ty ty, int depth) { return maybeOf(ty, expr(Ty::Boolean, depth), depth); }

/// An index into the array `name`, inside unless risky.
std::string Generator::indexOf(const std::string& name, int depth) {
    if (isRisky()) return expr(random_.chance(90) ? Ty::Integer : Ty::Number, depth);
    return "at(" + expr(Ty::Integer, depth) + ", #" + name + ")";
}

std::string Generator::lookUp(Ty ty, int depth) {
    if (ty == Ty::OptNumber) return variableOr(Ty::NumberTable, "numberTable(2)") + "[" + (random_.chance(60) ? random_.pick(kKeys) : expr(Ty::String, depth)) + "]";
    return variableOr(Ty::StringTable, "stringTable(\"z\")") + "[" + expr(Ty::Integer, depth) + "]";
}

std::string Generator::optionalChain(Ty ty, int depth) {
    return parens(expr(Ty::OptPoint, depth) + (ty == Ty::OptNumber ? "?.x" : "?.name"));
}

std::string Generator::searched(Ty ty, int depth) {
    if (ty == Ty::OptInteger) return variableOr(Ty::Integers, "integersOf(4, 5)") + ".indexOf(" + expr(Ty::Integer, depth) + ")";
    return random_.chance(50) ? variableOr(Ty::Numbers, "numbersOf(1, 2)") + (random_.chance(50) ? ".first()" : ".last()")
                              : "tonumber(" + expr(Ty::String, depth) + ")";
}

std::string Generator::either(Ty, int depth) {
    return "either(" + expr(Ty::Boolean, depth) + ", " + expr(Ty::Number, depth) + ", " + expr(Ty::String, depth) + ")";
}

std::string Generator::copied(Ty ty, int depth) {
    const Variable* variable = pickVariable(ty, false);
    const std::string of = variable ? variable->name : literal(ty);
    if (ty == Ty::NumberTable) return of + (random_.chance(50) ? ".copy()" : ".map(function(k, v) -> v * 2)");
    if (ty == Ty::StringTable) return of + (random_.chance(50) ? ".copy()" : ".filter(function(k, v) -> #v > 1)");
    if (!variable || random_.chance(40)) return of + ".copy()";
    return of + ".slice(" + indexOf(of, 1) + (isRisky() ? ", " + expr(Ty::Integer, depth) : "") + ")";
}

std::string Generator::mapped(Ty ty, int) {
    const std::string of = variableOr(ty, literal(ty));
    const bool wasAllowed = mayCallValues_;
    mayCallValues_ = false;
    const size_t visible = variables_.size();
    const std::string name = freshName(elementOf(ty));
    declare(name, elementOf(ty), false);
    const bool filter = random_.chance(40);
    const std::string body = expr(filter ? Ty::Boolean : elementOf(ty), 2);
    variables_.resize(visible);
    mayCallValues_ = wasAllowed;
    const std::string result = filter ? "boolean" : info(elementOf(ty)).text;
    return of + (filter ? ".filter" : ".map") + "(function(" + name + ": " + info(elementOf(ty)).text + "): " + result + " -> " + body + ")";
}

std::string Generator::made(Ty ty, int depth) {
    const std::string element = expr(elementOf(ty), depth);
    const char* function = ty == Ty::Numbers ? "numbersOf(" : ty == Ty::Integers ? "integersOf(" : "stringsOf(";
    return function + element + ", " + expr(elementOf(ty), depth) + ")";
}

std::string Generator::lambda(int depth) {
    const bool wasAllowed = mayCallValues_;
    const size_t visible = variables_.size();
    mayCallValues_ = false;
    const std::string name = freshName(Ty::Integer);
    declare(name, Ty::Integer, false);
    const std::string body = expr(Ty::Integer, depth);
    variables_.resize(visible);
    mayCallValues_ = wasAllowed;
    return "function(" + name + ": integer): integer -> " + body;
}

}  // namespace luapp::fuzz
