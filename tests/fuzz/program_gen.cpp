// The frame of generated programs, and their statements.
#include "program_gen.h"

#include <algorithm>
#include <utility>

#include "program_gen_impl.h"

namespace luapp::fuzz {

namespace {

constexpr int kFunctions = 5;
constexpr int kBodies = 10;
constexpr int kStatementsOfBody = 24;
constexpr int kStatementsOfFunction = 10;
constexpr int kMaxBlockDepth = 4;
constexpr int kDepth = 3;  // of most expressions

/// A type of every program. `shape` and `part` say how it is made, where generic code is to find out.
struct PlainType {
    const char* text;
    const char* prefix;
    const char* show;
    int weight;
    Shape shape = Shape::Plain;
    Ty part = Ty::Number;
};
constexpr PlainType kTypes[kTyCount] = {
    // annotation              prefix  show            weight
    {"number",                 "n",  "showNumber",     10},
    {"integer",                "i",  "tostring",       14},
    {"boolean",                "b",  "tostring",        5},
    {"string",                 "s",  "clip",            8},
    {"any",                    "a",  "showAny",         4},
    {"number?",                "on", "showAny",         4, Shape::Optional, Ty::Number},
    {"integer?",               "oi", "showAny",         3, Shape::Optional, Ty::Integer},
    {"string?",                "os", "showAny",         3, Shape::Optional, Ty::String},
    {"number | string",        "u",  "showAny",         4},
    {"Array<number>",          "na", "showNumbers",     5, Shape::List, Ty::Number},
    {"Array<integer>",         "ia", "showIntegers",    5, Shape::List, Ty::Integer},
    {"Array<string>",          "sa", "showStrings",     3, Shape::List, Ty::String},
    {"Table<string, number>",  "nt", "showNumberTable", 4, Shape::Dictionary, Ty::Number},
    {"Table<integer, string>", "st", "showStringTable", 3},
    {"Point",                  "p",  "showPoint",       4},
    {"Point?",                 "op", "showMaybePoint",  2, Shape::Optional, Ty::Point},
    {"(integer): integer",     "f",  "showUnary",       3, Shape::Function, Ty::Integer},
};

struct StatementRule {
    int weight;
    bool isCompound;  // holds a block
    bool (Generator::*make)();
};

using G = Generator;
constexpr StatementRule kStatements[] = {
    {16, false, &G::declareLocal},   {6, false, &G::declareConst},   {4, true, &G::declareClosure},  {12, false, &G::assign},
    {10, false, &G::assignCompound}, {5, false, &G::increment},      {3, false, &G::swapVariables},  {8, false, &G::changeArray},
    {6, false, &G::changeTable},     {4, false, &G::changeRecord},   {14, false, &G::printSome},     {9, true, &G::ifStatement},
    {4, true, &G::narrowOptional},   {3, true, &G::narrowUnion},     {2, false, &G::narrowByExit},   {4, true, &G::whileLoop},
    {3, true, &G::repeatLoop},       {7, true, &G::numericFor},      {6, true, &G::genericFor},      {5, false, &G::breakOrContinue},
    {3, false, &G::earlyReturn},     {4, false, &G::severalResults}, {3, false, &G::callStatement},  {4, true, &G::protectedCall},
    {1, true, &G::innerBlock},       {1, true, &G::coroutineStatement}, {9, false, &G::changeObject}, {6, false, &G::callMethod},
    {2, true, &G::subscribe},        {5, true, &G::narrowClass},     {3, true, &G::narrowEither},    {4, false, &G::changeList},
    {2, false, &G::changeDictionary}, {4, true, &G::walkList},       {2, true, &G::closuresOfLoop},  {3, false, &G::accessThroughAny},
    {2, false, &G::convertImplicitly}, {2, true, &G::walkObject},      {4, true, &G::narrowMutable},
};

/// What every program begins with: fuel, texts for values, and values whose static type says less than they are.
constexpr const char* kPrelude = R"(type Point = { x: number, y: number, name: string }
local fuel: integer = 0
local function tick()
    fuel -= 1
    if fuel < 0 then
        error("out of fuel", 0)
    end
end
local function clip(s: string): string -> #s <= 60 and s or s:sub(1, 50) .. "~" .. #s
local function brief(s: string): string -> #s <= 400 and s or s:sub(1, 300) .. "~" .. #s
local function showNumber(v: number): string -> v ~= v and "nan" or tostring(v)
local function showAny(v: any): string
    if v is number then
        return showNumber(v)
    elseif v is string then
        return "'" .. clip(v) .. "'"
    elseif v is boolean then
        return tostring(v)
    end
    return type(v)
end
local function showNumbers(a: Array<number>): string -> brief("[" .. a.map(showNumber).concat(" ") .. "]")
local function showIntegers(a: Array<integer>): string -> brief("[" .. a.concat(" ") .. "]")
local function showStrings(a: Array<string>): string -> brief("[" .. a.map(clip).concat("|") .. "]")
local function showNumberTable(t: Table<string, number>): string
    local text = ""
    for k, v in t do
        text ..= k .. "=" .. showNumber(v) .. ";"
    end
    return brief("{" .. text .. "}")
end
local function showStringTable(t: Table<integer, string>): string
    local text = ""
    for k, v in t do
        text ..= k .. "=" .. clip(v) .. ";"
    end
    return brief("{" .. text .. "}")
end
local function showPoint(p: Point): string -> `({showNumber(p.x)} {showNumber(p.y)} {clip(p.name)})`
local function showMaybePoint(p: Point?): string -> p ~= nil and showPoint(p) or "nil"
local function at(i: integer, count: integer): integer
    if count == 0 then
        return 0
    end
    return i % count
end
local function tame(v: number): number
    if v ~= v or v > 1e6 or v < -1e6 then
        return 7
    end
    return v - v % 1
end
local function showUnary(f: (integer): integer): string -> type(f)
local function hide(v: any): any -> v
local function maybeNumber(c: boolean, v: number): number?
    if c then
        return v
    end
    return nil
end
local function maybeInteger(c: boolean, v: integer): integer?
    if c then
        return v
    end
    return nil
end
local function maybeString(c: boolean, v: string): string?
    if c then
        return v
    end
    return nil
end
local function maybePoint(c: boolean, v: Point): Point?
    if c then
        return v
    end
    return nil
end
local function either(c: boolean, n: number, s: string): number | string
    if c then
        return n
    end
    return s
end
local function numbersOf(...number): Array<number> -> { ... }
local function integersOf(...integer): Array<integer> -> { ... }
local function stringsOf(...string): Array<string> -> { ... }
local function numberTable(v: number): Table<string, number> -> { ["k1"] = v, ["a"] = 1.5, ["k2"] = -v }
local function stringTable(v: string): Table<integer, string> -> { [1] = v, [2] = "two", [0] = v .. "0" }
local function newPoint(v: number): Point -> { x = v, y = v / 2, name = "p" }
local function adder(k: integer): (integer): integer
    local calls: integer = 0
    return function(x: integer): integer
        tick()
        calls++
        return x + k - calls
    end
end
local function keep<T>(v: T): T -> v
local function maybe<T>(c: boolean, v: T): T?
    if c then
        return v
    end
    return nil
end
local function oneOf<A, B>(c: boolean, a: A, b: B): A | B
    if c then
        return a
    end
    return b
end
local function listOf<T>(...T): Array<T> -> { ... }
local function dictionary<T>(k: string, v: T): Table<string, T> -> { [k] = v, ["k2"] = v }
local function showEach<T>(a: Array<T>, f: (T): string): string -> brief("[" .. a.map(f).concat(" ") .. "]")
local function loudNumber(tag: string, v: number): number
    print("eval", tag, showNumber(v))
    return v
end
local function loudInteger(tag: string, v: integer): integer
    print("eval", tag, v)
    return v
end
local function loudString(tag: string, v: string): string
    print("eval", tag, clip(v))
    return v
end
local function attempt(name: string, f: (): void)
    fuel = 1500
    local ok, problem = pcall(f)
    print(name, ok, showAny(problem))
end
)";

bool isWord(Ty ty) { return ty == Ty::Number || ty == Ty::Integer; }

}  // namespace

std::string generateProgram(Random& random) { return Generator(random).program(); }

Generator::Generator(Random& random) : random_(random) {
    for (const PlainType& t : kTypes) {
        TypeInfo made{t.text, t.prefix, t.show, t.weight, t.shape, {}, 0};
        if (t.shape != Shape::Plain) made.parts.push_back(t.part);
        if (t.shape == Shape::Function) made.parts.push_back(t.part);
        types_.push_back(std::move(made));
    }
}

// --- frame ---------------------------------------------------------------------------------------------------------------

void Generator::line(const std::string& text) { out_ += std::string(size_t(indent_) * 4, ' ') + text + "\n"; }

std::string Generator::show(Ty ty, const std::string& e) const {
    const TypeInfo& t = info(ty);
    if (!t.show.empty()) return t.show + "(" + e + ")";
    switch (t.shape) {
        case Shape::Class: return classes_[t.index].isInterface ? "typeof(" + e + ")" : "clip(keep<" + t.text + ">(" + e + ").dump())";
        case Shape::Enum: return "tostring(" + e + ")";
        case Shape::List: return "showEach(" + e + ", function(v: " + info(t.parts[0]).text + "): string -> " + show(t.parts[0], "v") + ")";
        case Shape::Dictionary: return "tostring(#" + e + ")";
        case Shape::Plain:
        case Shape::Optional:
        case Shape::Function:
        case Shape::Either:
        case Shape::Parameter: break;
    }
    return "showAny(" + e + ")";
}

std::string Generator::freshName(Ty ty) { return info(ty).prefix + std::to_string(++names_); }

std::string Generator::annotated(const std::string& name, Ty ty) const { return name + ": " + info(ty).text; }

Ty Generator::randomType() {
    int total = 0;
    for (const TypeInfo& t : types_) total += t.weight;
    int at = int(random_.below(size_t(total)));
    for (size_t i = 0;; i++) {
        at -= types_[i].weight;
        if (at < 0) return Ty(i);
    }
}

const Variable* Generator::pickVariable(Ty ty, bool mustBeMutable) {
    std::vector<const Variable*> fitting;
    for (size_t i = 0; i < variables_.size(); i++) {
        const Variable& v = variables_[i];
        if (v.ty != ty || (mustBeMutable && !v.isMutable)) continue;
        bool isShadowed = false;
        for (size_t later = i + 1; later < variables_.size(); later++) isShadowed |= variables_[later].name == v.name;
        if (!isShadowed) fitting.push_back(&v);
    }
    if (fitting.empty()) return nullptr;
    // Recent ones more often: what was just computed should be used.
    const size_t recent = std::min<size_t>(fitting.size(), 3);
    return random_.chance(60) ? fitting[fitting.size() - 1 - random_.below(recent)] : random_.pick(fitting);
}

std::string Generator::program() {
    out_ = kPrelude;
    globals();
    if (random_.chance(85)) declareTypes();
    for (int i = 0; i < kFunctions; i++) {
        random_.chance(25) ? constFunction() : function();
    }
    for (int i = 0; i < kBodies; i++) body(i);
    return std::move(out_);
}

void Generator::globals() {
    constexpr Ty kGlobals[] = {Ty::Number, Ty::Integer, Ty::String, Ty::Integers, Ty::Numbers, Ty::NumberTable, Ty::Point, Ty::Any, Ty::Strings};
    for (Ty ty : kGlobals) {
        std::string name = "g" + freshName(ty);
        if (ty == Ty::Strings) name = "gsa";  // expressions name it where no array of strings is at hand
        line("local " + annotated(name, ty) + " = " + literal(ty));
        declare(name, ty, true);
    }
}

/// A function of the module: typed parameters, perhaps defaults, further arguments and several results.
void Generator::function() {
    FunctionInfo f{"f" + std::to_string(functions_.size() + 1), {}, 0, {}, random_.chance(20)};
    const size_t visible = variables_.size();
    std::string params;
    bool hasDefault = false;
    for (size_t i = random_.below(4); i > 0; i--) {
        const Ty ty = randomType();
        const std::string name = freshName(ty);
        params += (params.empty() ? "" : ", ") + annotated(name, ty);
        hasDefault = hasDefault || random_.chance(20);
        if (hasDefault) params += " = " + expr(ty, 1);
        if (!hasDefault) f.required++;
        f.params.push_back(ty);
        declare(name, ty, random_.chance(30));
    }
    if (f.isVararg) params += params.empty() ? "...number" : ", ...number";
    std::string results = "void";
    for (size_t i = random_.chance(15) ? 0 : random_.chance(75) ? 1 : 2; i > 0; i--) f.results.push_back(randomType());
    if (f.results.size() == 1) results = info(f.results[0]).text;
    if (f.results.size() == 2) results = std::string("(") + info(f.results[0]).text + ", " + info(f.results[1]).text + ")";
    line((random_.chance(50) ? "local function " : "function ") + f.name + "(" + params + "): " + results);
    functionBody(f);
    line("end");
    variables_.resize(visible);
    functions_.push_back(std::move(f));
}

void Generator::functionBody(const FunctionInfo& f) {
    results_ = f.results;
    budget_ = kStatementsOfFunction;
    loopDepth_ = 0;
    indent_++;
    line("tick()");
    if (f.isVararg) {
        const std::string name = freshName(Ty::Numbers);
        line("local " + annotated(name, Ty::Numbers) + " = { ... }");
        declare(name, Ty::Numbers, false);
    }
    block(int(random_.below(6)));
    std::string values;
    for (Ty ty : f.results) values += (values.empty() ? "" : ", ") + expr(ty, kDepth);
    if (!f.results.empty()) line("return " + values);
    indent_--;
    results_.clear();
}

/// A const function: inlined at every use.
void Generator::constFunction() {
    FunctionInfo f{"c" + std::to_string(functions_.size() + 1), {}, 0, {random_.chance(50) ? Ty::Number : Ty::Integer}, false};
    const size_t visible = variables_.size();
    std::string params;
    for (size_t i = 1 + random_.below(2); i > 0; i--) {
        const Ty ty = random_.chance(50) ? f.results[0] : Ty::Integer;
        const std::string name = freshName(ty);
        params += (params.empty() ? "" : ", ") + annotated(name, ty);
        f.params.push_back(ty);
        f.required++;
        declare(name, ty, false);
    }
    const bool wasAllowed = mayCallValues_;
    mayCallValues_ = false;
    const std::string head = "const function " + f.name + "(" + params + "): " + info(f.results[0]).text;
    if (random_.chance(50)) {
        line(head + " -> " + expr(f.results[0], 2));
    } else {
        line(head);
        indent_++;
        line("if " + expr(Ty::Boolean, 2) + " then");
        line("    return " + expr(f.results[0], 2));
        line("end");
        line("return " + expr(f.results[0], 2));
        indent_--;
        line("end");
    }
    mayCallValues_ = wasAllowed;
    variables_.resize(visible);
    functions_.push_back(std::move(f));
}

void Generator::body(int number) {
    const size_t visible = variables_.size();
    line("attempt(\"body " + std::to_string(number) + "\", function(): void");
    budget_ = kStatementsOfBody;
    loopDepth_ = 0;
    inBody_ = true;
    block(8);
    // Whatever is left in variables must come out, or wrong values would go unseen.
    indent_++;
    for (size_t i = visible; i < variables_.size(); i++) line("print(" + show(variables_[i].ty, variables_[i].name) + ")");
    indent_--;
    inBody_ = false;
    line("end)");
    variables_.resize(visible);
    for (size_t i = 0; i < visible; i++) line("print(\"" + variables_[i].name + "\", " + show(variables_[i].ty, variables_[i].name) + ")");
}

/// Statements one level deeper. What they declare stays visible to the caller only if it asks (body() prints it): callers cut
/// variables_ back.
void Generator::block(int statements) {
    indent_++;
    blockDepth_++;
    for (int i = 0; i < statements && budget_ > 0; i++) statement();
    blockDepth_--;
    indent_--;
}

void Generator::statement() {
    budget_--;
    for (int tries = 0; tries < 4; tries++) {
        const StatementRule* rule = pickWeighted(random_, kStatements, [this](const StatementRule& r) {
            return !r.isCompound || blockDepth_ < kMaxBlockDepth;
        });
        if ((this->*rule->make)()) return;
    }
    printSome();
}

// --- declarations and assignments ----------------------------------------------------------------------------------------

bool Generator::declareLocal() {
    const Ty ty = randomType();
    const std::string value = expr(ty, kDepth);
    const std::string name = freshName(ty);
    const bool infer = random_.chance(25) && size_t(ty) < kTyCount && ty != Ty::Number && ty != Ty::Integer;
    line("local " + (infer ? name : annotated(name, ty)) + " = " + value);
    declare(name, ty, random_.chance(75));
    return true;
}

bool Generator::declareConst() {
    const Ty ty = randomType();
    const std::string value = expr(ty, kDepth);
    const std::string name = freshName(ty);
    line("const " + annotated(name, ty) + " = " + value);
    declare(name, ty, false);
    return true;
}

/// A closure that may change captured variables.
bool Generator::declareClosure() {
    const std::string name = freshName(Ty::Unary), parameter = freshName(Ty::Integer);
    const size_t visible = variables_.size();
    const std::vector<Ty> outerResults = std::exchange(results_, {Ty::Integer});
    const int outerLoops = std::exchange(loopDepth_, 0);
    const bool isLocalFunction = random_.chance(40);
    line(isLocalFunction ? "local function " + name + "(" + annotated(parameter, Ty::Integer) + "): integer"
                         : "local " + annotated(name, Ty::Unary) + " = function(" + annotated(parameter, Ty::Integer) + "): integer");
    declare(parameter, Ty::Integer, random_.chance(30));
    line("    tick()");
    block(random_.between(0, 3));
    line("    return " + expr(Ty::Integer, kDepth));
    line("end");
    results_ = outerResults;
    loopDepth_ = outerLoops;
    variables_.resize(visible);
    declare(name, Ty::Unary, !isLocalFunction && random_.chance(50));
    return true;
}

bool Generator::assign() {
    const Ty ty = randomType();
    const Variable* v = pickVariable(ty, true);
    if (!v) return false;
    const std::string name = v->name;
    const std::string value = ty == Ty::Unary && random_.chance(50) ? lambda(2) : expr(ty, kDepth);
    const bool tamed = ty == Ty::Integer && !isRisky();
    line(name + " = " + (ty == Ty::String ? "clip(" + value + ")" : tamed ? value + " % 10007" : value));
    return true;
}

bool Generator::assignCompound() {
    constexpr Ty kCompound[] = {Ty::Number, Ty::Integer, Ty::Integer, Ty::String, Ty::OptNumber};
    const Ty ty = random_.pick(kCompound);
    const Variable* v = pickVariable(ty, true);
    if (!v) return false;
    const std::string name = v->name;
    switch (ty) {
        case Ty::Number: {
            constexpr const char* kOperators[] = {"+=", "-=", "*=", "/=", "//=", "%=", "^="};
            line(name + " " + random_.pick(kOperators) + " " + expr(ty, kDepth));
            return true;
        }
        case Ty::Integer: {
            constexpr const char* kOperators[] = {"+=", "-=", "*=", "//=", "%="};
            const std::string op = random_.pick(kOperators);
            const bool isPlain = op == "+=" || op == "-=" || isRisky();
            line(name + " " + op + " " + (isPlain ? expr(ty, kDepth) : std::to_string(random_.between(1, 9))));
            if (!isRisky()) line(name + " %= 100003");
            return true;
        }
        case Ty::String:
            line(name + " ..= clip(" + expr(ty, kDepth) + ")");
            line("if #" + name + " > 400 then " + name + " = clip(" + name + ") end");
            return true;
        default:
            // The variable is a number behind this statement, so nothing may use it as an optional: set it again.
            line(name + " ?\?= " + expr(Ty::Number, 1));
            line(name + " = " + expr(Ty::OptNumber, 2));
            return true;
    }
}

bool Generator::increment() {
    const Variable* v = pickVariable(random_.chance(70) ? Ty::Integer : Ty::Number, true);
    if (!v) return false;
    const std::string name = v->name;
    if (random_.chance(60)) {
        line(name + (random_.chance(50) ? "++" : "---"));
    } else {
        const std::string target = freshName(v->ty);
        const Ty ty = v->ty;
        constexpr const char* kForms[] = {"V++", "V---", "++V", "---V"};
        std::string form = random_.pick(kForms);
        form.replace(form.find('V'), 1, name);
        line("const " + annotated(target, ty) + " = " + form);
        declare(target, ty, false);
    }
    return true;
}

bool Generator::swapVariables() {
    const Ty ty = randomType();
    const Variable* a = pickVariable(ty, true);
    const Variable* b = pickVariable(ty, true);
    if (!a || !b) return false;
    line(a->name + ", " + b->name + " = " + b->name + ", " + a->name);
    return true;
}

bool Generator::changeArray() {
    constexpr Ty kArrays[] = {Ty::Numbers, Ty::Integers, Ty::Strings};
    const Ty ty = random_.pick(kArrays);
    const Variable* v = pickVariable(ty, false);
    if (!v) return false;
    const Ty element = ty == Ty::Numbers ? Ty::Number : ty == Ty::Integers ? Ty::Integer : Ty::String;
    const std::string name = v->name, index = indexOf(name, random_.chance(60) ? 0 : 2);
    std::string value = expr(element, 2);
    if (element == Ty::String) value = "clip(" + value + ")";
    switch (random_.below(11)) {
        case 0: line(name + ".push(" + value + ")"); break;
        case 1: line(isRisky() ? name + ".pop()" : "if #" + name + " > 2 then " + name + ".pop() end"); break;
        case 2: line(name + ".insert(" + index + ", " + value + ")"); break;
        case 3: line("if #" + name + " > 1 then " + name + ".remove(" + index + ") end"); break;
        case 4: line(name + ".reverse()"); break;
        case 5: line(name + (ty == Ty::Integers ? ".sort(function(a, b) -> a > b)" : ".reverse()")); break;
        case 6: line(name + ".fill(" + value + ")"); break;
        case 7: line(name + "[#" + name + "] = " + value); break;
        case 8: line(name + "[0] " + (isWord(element) ? "+=" : "..=") + " " + value); break;
        default: line(name + "[" + index + "] = " + value); break;
    }
    return true;
}

bool Generator::changeTable() {
    const Ty ty = random_.chance(60) ? Ty::NumberTable : Ty::StringTable;
    const Variable* v = pickVariable(ty, false);
    if (!v) return false;
    const std::string name = v->name;
    const std::string key = ty == Ty::NumberTable ? "clip(" + expr(Ty::String, 1) + ")" : expr(Ty::Integer, 1);
    const std::string value = ty == Ty::NumberTable ? expr(Ty::Number, 2) : "clip(" + expr(Ty::String, 2) + ")";
    switch (random_.below(6)) {
        case 0: line(name + "[" + key + "] = nil"); break;
        case 1: line(name + ".remove(" + key + ")"); break;
        case 2:
            if (!isRisky()) line(name + "[" + key + "] ?\?= " + value);
            line(name + "[" + key + "] " + (ty == Ty::NumberTable ? "+=" : "..=") + " " + value);
            break;
        default: line(name + "[" + key + "] = " + value); break;
    }
    return true;
}

bool Generator::changeRecord() {
    const Variable* v = pickVariable(Ty::Point, false);
    if (!v) return false;
    const std::string name = v->name;
    switch (random_.below(4)) {
        case 0: line(name + ".x = " + expr(Ty::Number, kDepth)); break;
        case 1: line(name + ".y += " + expr(Ty::Number, 2)); break;
        case 2: line(name + ".name = clip(" + expr(Ty::String, 2) + ")"); break;
        default: line(name + ".x++"); break;
    }
    return true;
}

bool Generator::printSome() {
    std::string values;
    for (int i = random_.between(1, 3); i > 0; i--) {
        const Ty ty = randomType();
        values += (values.empty() ? "" : ", ") + show(ty, expr(ty, kDepth));
    }
    line("print(" + values + ")");
    return true;
}

// --- branches ------------------------------------------------------------------------------------------------------------

bool Generator::ifStatement() {
    const size_t visible = variables_.size();
    line("if " + expr(Ty::Boolean, kDepth) + " then");
    block(random_.between(1, 3));
    variables_.resize(visible);
    if (random_.chance(25)) {
        line("elseif " + expr(Ty::Boolean, 2) + " then");
        block(random_.between(1, 2));
        variables_.resize(visible);
    }
    if (random_.chance(50)) {
        line("else");
        block(random_.between(1, 3));
        variables_.resize(visible);
    }
    line("end");
    return true;
}

/// An optional constant and a block in which it is not nil.
bool Generator::narrowOptional() {
    constexpr Ty kFrom[] = {Ty::OptNumber, Ty::OptInteger, Ty::OptString, Ty::OptPoint};
    constexpr Ty kTo[] = {Ty::Number, Ty::Integer, Ty::String, Ty::Point};
    const size_t which = random_.below(4), visible = variables_.size();
    const std::string name = freshName(kFrom[which]);
    line("const " + annotated(name, kFrom[which]) + " = " + expr(kFrom[which], kDepth));
    const bool isEmptyFirst = random_.chance(40);
    line("if " + name + (isEmptyFirst ? " == nil" : random_.chance(50) ? " ~= nil" : "") + " then");
    if (isEmptyFirst) {
        block(1);
        line("else");
    }
    variables_.resize(visible);
    declare(name, kTo[which], false);
    block(random_.between(1, 3));
    line("    print(" + show(kTo[which], name) + ")");
    line("end");
    variables_.resize(visible);
    return true;
}

bool Generator::narrowUnion() {
    const size_t visible = variables_.size();
    const bool isAny = random_.chance(40);
    const Ty from = isAny ? Ty::Any : Ty::Union;
    const std::string name = freshName(from);
    line("const " + annotated(name, from) + " = " + expr(from, kDepth));
    line("if " + name + (random_.chance(30) ? " is not string then" : " is number then"));
    const bool toString = out_.ends_with("is not string then\n");
    if (!toString) declare(name, Ty::Number, false);
    block(random_.between(1, 2));
    variables_.resize(visible);
    line("else");
    if (toString || !isAny) declare(name, Ty::String, false);
    block(random_.between(1, 2));
    line("end");
    variables_.resize(visible);
    return true;
}

/// Narrowing by leaving where the value is nil: in loops and functions.
bool Generator::narrowByExit() {
    if (loopDepth_ == 0 || inRepeat_) return false;
    const std::string name = freshName(Ty::OptInteger);
    line("const " + annotated(name, Ty::OptInteger) + " = " + expr(Ty::OptInteger, kDepth));
    line("if " + name + " == nil then");
    line(random_.chance(50) ? "    break" : "    continue");
    line("end");
    declare(name, Ty::Integer, false);
    return true;
}

// --- loops ---------------------------------------------------------------------------------------------------------------

bool Generator::whileLoop() {
    const size_t visible = variables_.size();
    const std::string counter = freshName(Ty::Integer);
    const bool wasRepeat = std::exchange(inRepeat_, false);
    line("local " + annotated(counter, Ty::Integer) + " = " + std::to_string(random_.between(0, 6)));
    line("while " + counter + " > 0" + (random_.chance(40) ? " and " + expr(Ty::Boolean, 2) : "") + " do");
    declare(counter, Ty::Integer, false);
    line("    tick()");
    line("    " + counter + " -= 1");
    loopDepth_++;
    block(random_.between(1, 4));
    loopDepth_--;
    line("end");
    inRepeat_ = wasRepeat;
    variables_.resize(visible);
    return true;
}

bool Generator::repeatLoop() {
    const size_t visible = variables_.size();
    const std::string counter = freshName(Ty::Integer);
    const bool wasRepeat = std::exchange(inRepeat_, true);
    line("local " + annotated(counter, Ty::Integer) + " = 0");
    line("repeat");
    declare(counter, Ty::Integer, false);
    line("    tick()");
    line("    " + counter + "++");
    loopDepth_++;
    block(random_.between(1, 3));
    loopDepth_--;
    // The condition sees what the body declared.
    const std::string condition = expr(Ty::Boolean, 2);
    line("until " + counter + " >= " + std::to_string(random_.between(1, 5)) + " or " + condition);
    inRepeat_ = wasRepeat;
    variables_.resize(visible);
    return true;
}

bool Generator::numericFor() {
    const size_t visible = variables_.size();
    const bool wasRepeat = std::exchange(inRepeat_, false);
    const bool isWhole = random_.chance(75);
    const Ty ty = isWhole ? Ty::Integer : Ty::Number;
    const std::string name = freshName(ty);
    std::string range;
    switch (random_.below(isWhole ? 5 : 2)) {
        case 0: range = isWhole ? "0, " + std::to_string(random_.between(0, 6)) : "0.5, tame(" + expr(Ty::Number, 1) + ") % 9"; break;
        case 1: range = isWhole ? std::to_string(random_.between(0, 9)) + ", " + std::to_string(random_.between(-3, 3)) + ", -2" : "1, -1, -0.25"; break;
        case 2: range = "at(" + expr(Ty::Integer, 1) + ", 8), at(" + expr(Ty::Integer, 1) + ", 12)"; break;
        case 3: range = "at(" + expr(Ty::Integer, 1) + ", 8), " + expr(Ty::Integer, 1) + ", " + variableOr(Ty::Integer, "2"); break;
        default: range = "0, #" + variableOr(Ty::Numbers, "numbersOf(1, 2, 3)"); break;
    }
    line("for " + annotated(name, ty) + " = " + range + " do");
    declare(name, ty, false);
    line("    tick()");
    loopDepth_++;
    block(random_.between(1, 4));
    loopDepth_--;
    line("end");
    inRepeat_ = wasRepeat;
    variables_.resize(visible);
    return true;
}

bool Generator::genericFor() {
    const size_t visible = variables_.size();
    const bool wasRepeat = std::exchange(inRepeat_, false);
    const std::string text = freshName(Ty::String), index = freshName(Ty::Integer), number = freshName(Ty::Number);
    switch (random_.below(5)) {
        case 0:
            line("for " + number + " in " + expr(Ty::Numbers, 2) + " do");
            declare(number, Ty::Number, false);
            break;
        case 1:
            line("for " + index + ", " + text + " in " + expr(Ty::Strings, 2) + " do");
            declare(index, Ty::Integer, false);
            declare(text, Ty::String, false);
            break;
        case 2:
            line("for " + text + ", " + number + " in " + expr(Ty::NumberTable, 2) + " do");
            declare(text, Ty::String, false);
            declare(number, Ty::Number, false);
            break;
        case 3:
            line("for " + index + " in " + expr(Ty::StringTable, 1) + " do");
            declare(index, Ty::Integer, false);
            break;
        default:
            line("for " + text + " in " + expr(Ty::String, 2) + " do");
            declare(text, Ty::String, false);
            break;
    }
    line("    tick()");
    loopDepth_++;
    block(random_.between(1, 4));
    loopDepth_--;
    line("end");
    inRepeat_ = wasRepeat;
    variables_.resize(visible);
    return true;
}

bool Generator::breakOrContinue() {
    if (loopDepth_ == 0) return false;
    line("if " + expr(Ty::Boolean, 2) + " then");
    line(random_.chance(50) || inRepeat_ ? "    break" : "    continue");
    line("end");
    return true;
}

bool Generator::earlyReturn() {
    if (results_.empty()) return false;
    std::string values;
    for (Ty ty : results_) values += (values.empty() ? "" : ", ") + expr(ty, 2);
    line("if " + expr(Ty::Boolean, 2) + " then");
    line("    return " + values);
    line("end");
    return true;
}

// --- calls ---------------------------------------------------------------------------------------------------------------

bool Generator::severalResults() {
    for (const FunctionInfo& f : functions_) {
        if (f.results.size() != 2 || random_.chance(30)) continue;
        const std::string value = call(f, 2);
        const std::string a = freshName(f.results[0]), b = freshName(f.results[1]);
        line("local " + annotated(a, f.results[0]) + ", " + annotated(b, f.results[1]) + " = " + value);
        declare(a, f.results[0], true);
        declare(b, f.results[1], true);
        return true;
    }
    return false;
}

bool Generator::callStatement() {
    if (functions_.empty()) return false;
    const FunctionInfo& f = random_.pick(functions_);
    line(call(f, kDepth));
    return true;
}

/// An error inside is caught here: of a block, or of a call with its arguments boxed.
bool Generator::protectedCall() {
    const std::string ok = freshName(Ty::Boolean), value = freshName(Ty::Any);
    if (!functions_.empty() && random_.chance(50)) {
        const FunctionInfo& f = random_.pick(functions_);
        if (f.name[0] == 'f') {
            std::string text = call(f, 2);
            const size_t open = text.find('(');
            const std::string arguments = text.substr(open + 1);
            line("const " + ok + ", " + value + " = pcall(" + f.name + (arguments == ")" ? "" : ", ") + arguments);
            line("print(" + ok + ", showAny(" + value + "))");
            return true;
        }
    }
    const size_t visible = variables_.size();
    const std::vector<Ty> outerResults = std::exchange(results_, {});
    const int outerLoops = std::exchange(loopDepth_, 0);
    line("const " + ok + ", " + value + " = pcall(function(): void");
    block(random_.between(1, 3));
    line("end)");
    line("print(" + ok + ", showAny(" + value + "))");
    results_ = outerResults;
    loopDepth_ = outerLoops;
    variables_.resize(visible);
    return true;
}

bool Generator::innerBlock() {
    const size_t visible = variables_.size();
    line("do");
    block(random_.between(1, 3));
    line("end");
    variables_.resize(visible);
    return true;
}

/// A generator function run to its end.
bool Generator::coroutineStatement() {
    const size_t visible = variables_.size();
    const std::string from = freshName(Ty::Any), value = freshName(Ty::Any), seed = expr(Ty::Integer, 2);
    const std::vector<Ty> outerResults = std::exchange(results_, {});
    const int outerLoops = std::exchange(loopDepth_, 0);
    line("const " + from + " = coroutine.wrap(function(): void");
    line("    coroutine.yield(" + seed + ")");
    block(random_.between(1, 3));
    line("    coroutine.yield(" + expr(Ty::String, 2) + ")");
    line("end)");
    results_ = outerResults;
    loopDepth_ = outerLoops;
    variables_.resize(visible);
    line("for " + value + " in " + from + " do");
    line("    print(showAny(" + value + "))");
    line("end");
    return true;
}

}  // namespace luapp::fuzz
