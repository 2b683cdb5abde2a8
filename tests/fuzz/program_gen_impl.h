#pragma once
// The generator behind program_gen.h: what it knows about the program so far (visible variables, functions, how deep it is) and one
// member function for each way to write a statement or an expression. Only program_gen*.cpp include it.

#include <string>
#include <vector>

#include "random.h"

namespace luapp::fuzz {

/// The types that generated programs use; their spellings stand in kTypes of program_gen.cpp.
enum class Ty : uint8_t {
    Number, Integer, Boolean, String, Any, OptNumber, OptInteger, OptString, Union,
    Numbers, Integers, Strings, NumberTable, StringTable, Point, OptPoint, Unary,
};
inline constexpr size_t kTyCount = size_t(Ty::Unary) + 1;

struct TypeInfo {
    const char* text;    // as in an annotation
    const char* prefix;  // of variable names
    const char* show;    // function of the prelude that gives a text for a value
    int weight;          // as the type of a new variable
};
const TypeInfo& infoOf(Ty ty);

struct Variable {
    std::string name;
    Ty ty;
    bool isMutable;
};

struct FunctionInfo {
    std::string name;
    std::vector<Ty> params;
    size_t required;  // parameters without a default
    std::vector<Ty> results;
    bool isVararg;  // further arguments: numbers
};

class Generator {
  public:
    explicit Generator(Random& random) : random_(random) {}
    std::string program();

    // --- expressions (program_gen_expr.cpp); `depth`: how deep they may still nest
    std::string expr(Ty ty, int depth);
    std::string variableOr(Ty ty, const std::string& otherwise);
    std::string literal(Ty ty);
    std::string indexOf(const std::string& name, int depth);
    std::string maybeOf(Ty ty, const std::string& condition, int depth);
    std::string call(const FunctionInfo& f, int depth);
    std::string lambda(int depth);

    std::string leaf(Ty ty, int depth);
    std::string callOf(Ty ty, int depth);
    std::string andOr(Ty ty, int depth);
    std::string loud(Ty ty, int depth);
    std::string viaAny(Ty ty, int depth);
    std::string coalesce(Ty ty, int depth);
    std::string assertNonNil(Ty ty, int depth);
    std::string numberArithmetic(Ty ty, int depth);
    std::string numberNegation(Ty ty, int depth);
    std::string numberFromInteger(Ty ty, int depth);
    std::string numberFunction(Ty ty, int depth);
    std::string numberElement(Ty ty, int depth);
    std::string numberField(Ty ty, int depth);
    std::string integerArithmetic(Ty ty, int depth);
    std::string integerBits(Ty ty, int depth);
    std::string integerFunction(Ty ty, int depth);
    std::string integerElement(Ty ty, int depth);
    std::string integerLength(Ty ty, int depth);
    std::string integerCast(Ty ty, int depth);
    std::string unaryCall(Ty ty, int depth);
    std::string comparison(Ty ty, int depth);
    std::string logic(Ty ty, int depth);
    std::string typeTest(Ty ty, int depth);
    std::string membership(Ty ty, int depth);
    std::string concat(Ty ty, int depth);
    std::string interpolation(Ty ty, int depth);
    std::string stringFunction(Ty ty, int depth);
    std::string joined(Ty ty, int depth);
    std::string stringElement(Ty ty, int depth);
    std::string hidden(Ty ty, int depth);
    std::string anyArithmetic(Ty ty, int depth);
    std::string maybe(Ty ty, int depth);
    std::string lookUp(Ty ty, int depth);
    std::string optionalChain(Ty ty, int depth);
    std::string searched(Ty ty, int depth);
    std::string either(Ty ty, int depth);
    std::string copied(Ty ty, int depth);
    std::string mapped(Ty ty, int depth);
    std::string made(Ty ty, int depth);

    // --- statements (program_gen.cpp); false if there is nothing to do it with
    bool declareLocal();
    bool declareConst();
    bool declareClosure();
    bool assign();
    bool assignCompound();
    bool increment();
    bool swapVariables();
    bool changeArray();
    bool changeTable();
    bool changeRecord();
    bool printSome();
    bool ifStatement();
    bool narrowOptional();
    bool narrowUnion();
    bool narrowByExit();
    bool whileLoop();
    bool repeatLoop();
    bool numericFor();
    bool genericFor();
    bool breakOrContinue();
    bool earlyReturn();
    bool severalResults();
    bool callStatement();
    bool protectedCall();
    bool innerBlock();
    bool coroutineStatement();

  private:
    void line(const std::string& text);
    void block(int statements);
    void statement();
    void globals();
    void function();
    void constFunction();
    void functionBody(const FunctionInfo& f);
    void body(int number);
    std::string show(Ty ty, const std::string& e) const;
    std::string freshName(Ty ty);
    /// Whether to write something that may well fail at run time. Rarely: what follows an error in a body is not run.
    bool isRisky() { return random_.chance(4); }
    Ty randomType();
    const Variable* pickVariable(Ty ty, bool mustBeMutable);
    std::string annotated(const std::string& name, Ty ty) const;
    void declare(const std::string& name, Ty ty, bool isMutable) { variables_.push_back({name, ty, isMutable}); }

    Random& random_;
    std::string out_;
    int indent_ = 0;
    int names_ = 0;
    std::vector<Variable> variables_;  // visible ones, innermost last; a name may stand twice: the later one shadows
    std::vector<FunctionInfo> functions_;
    std::vector<Ty> results_;     // of the function being written
    int blockDepth_ = 0;
    int loopDepth_ = 0;           // loops of the function being written
    bool inRepeat_ = false;       // the innermost loop's condition sees the body, so `continue` would skip its locals
    bool mayCallValues_ = true;   // function values may be called here (their bodies use fuel)
    int budget_ = 0;              // statements that may still be written in this function
};

/// Picks an entry of a table with a member `weight`; `accepts` filters.
template <class Entry, size_t kCount, class Accepts>
const Entry* pickWeighted(Random& random, const Entry (&table)[kCount], Accepts accepts) {
    int total = 0;
    for (const Entry& e : table) total += accepts(e) ? e.weight : 0;
    if (total == 0) return nullptr;
    int at = int(random.below(size_t(total)));
    for (const Entry& e : table) {
        if (!accepts(e)) continue;
        at -= e.weight;
        if (at < 0) return &e;
    }
    return nullptr;
}

}  // namespace luapp::fuzz
