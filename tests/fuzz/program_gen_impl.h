#pragma once
// The generator behind program_gen.h: what it knows about the program so far (visible variables, functions, how deep it is) and one
// member function for each way to write a statement or an expression. Only program_gen*.cpp include it.

#include <string>
#include <vector>

#include "random.h"

namespace luapp::fuzz {

/// The types that every generated program uses; their spellings stand in kTypes of program_gen.cpp. Types that a program declares, and
/// those made of them, have the numbers behind: Generator::info() knows each.
enum class Ty : uint16_t {
    Number, Integer, Boolean, String, Any, OptNumber, OptInteger, OptString, Union,
    Numbers, Integers, Strings, NumberTable, StringTable, Point, OptPoint, Unary,
};
inline constexpr size_t kTyCount = size_t(Ty::Unary) + 1;
/// Result of functions without one.
inline constexpr Ty kVoid = Ty(0xFFFF);

/// What a type is made of: the meaning of TypeInfo::parts and index.
enum class Shape : uint8_t {
    Plain,       // nothing to look at
    Class,       // parts: type arguments; index in Generator::classes_ (interfaces stand there too)
    Enum,        // index in Generator::enums_
    Optional,    // parts: the type without nil
    List,        // parts: element of the array
    Dictionary,  // parts: value; the keys are strings
    Function,    // parts: parameter, result
    Either,      // parts: two members of a union
    Parameter,   // of the generic declaration being written; index: running number * 2 + Bound
};

struct TypeInfo {
    std::string text;    // as in an annotation
    std::string prefix;  // of variable names
    std::string show;    // function of the prelude that gives a text for a value; types of the prelude alone
    int weight = 0;      // as the type of a new variable
    Shape shape = Shape::Plain;
    std::vector<Ty> parts;
    size_t index = 0;
    std::string fallback;  // parameters: an expression of the type that is there wherever the type is
};

/// What the arguments for a type parameter must be able to do.
enum Bound : size_t { kUnbounded, kComparable };

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

enum class Access : uint8_t { Public, Protected, Private };

struct FieldInfo {
    std::string name;
    Ty ty;
    Access access = Access::Public;
    bool isConst = false;
    bool isStatic = false;
};

/// A method or, by its name, an operator.
struct MethodInfo {
    std::string name;
    std::vector<Ty> params;
    size_t required = 0;  // parameters without a default
    Ty result = kVoid;
    Access access = Access::Public;
    bool isStatic = false;
};

struct EventInfo {
    std::string name;
    Ty param;
};

/// A class or interface. Types of members may name `params`; Generator::eachMember() puts arguments for them.
struct ClassInfo {
    std::string name;
    bool isInterface = false;
    std::vector<Ty> params;
    std::vector<Ty> bases;  // classes and interfaces, first base first
    std::vector<FieldInfo> fields;
    std::vector<MethodInfo> methods;
    std::vector<EventInfo> events;
    std::vector<std::vector<Ty>> constructors;  // their parameters
    Ty implicitFrom = kVoid;                    // parameter of the implicit constructor
};

struct EnumInfo {
    std::string name;
    std::vector<std::string> members;
};

/// A generic function; its types name `typeParams`.
struct GenericInfo {
    std::string name;
    std::vector<Ty> typeParams;
    std::vector<Ty> params;
    Ty result;
};

class Generator {
  public:
    explicit Generator(Random& random);
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

    // --- expressions of declared types (program_gen_object.cpp)
    std::string objectExpr(Ty ty, int depth);
    std::string memberOf(Ty ty, int depth);
    std::string arguments(const std::vector<Ty>& params, size_t required, int depth);

    // --- statements about declared types (program_gen_object.cpp)
    bool convertImplicitly();
    bool walkObject();
    bool changeObject();
    bool callMethod();
    bool subscribe();
    bool narrowClass();
    bool narrowEither();
    bool narrowMutable();
    bool changeList();
    bool changeDictionary();
    bool walkList();
    bool closuresOfLoop();
    bool accessThroughAny();

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
    /// A member of a class as seen from a class type: owner, and member with the type arguments put in.
    struct Seen {
        Ty receiver;
        size_t owner;  // index in classes_
        const FieldInfo* field = nullptr;
        const MethodInfo* method = nullptr;
        const EventInfo* event = nullptr;
        Ty ty = kVoid;            // of the field, result of the method, parameter of the event
        std::vector<Ty> params;   // of the method
    };

    void line(const std::string& text);
    void block(int statements);
    void statement();
    void globals();
    void function();
    void constFunction();
    void functionBody(const FunctionInfo& f);
    void body(int number);

    // --- types (program_gen_types.cpp)
    const TypeInfo& info(Ty ty) const { return types_[size_t(ty)]; }
    Ty intern(Shape shape, std::vector<Ty> parts, size_t index, int weight);
    Ty substitute(Ty ty, const std::vector<Ty>& params, const std::vector<Ty>& args);
    bool unify(Ty pattern, Ty ty, const std::vector<Ty>& params, std::vector<Ty>& args) const;
    Ty argumentFor(Ty param);
    bool isA(Ty sub, Ty base);
    bool inherits(size_t cls, size_t base) const;
    std::vector<Ty> subtypesOf(Ty ty);
    std::vector<Ty> classTypes() const;
    void eachMember(Ty ty, std::vector<Seen>& out, Ty receiver);
    std::vector<Seen> membersOf(Ty ty);
    bool isVisible(const Seen& member, const std::string& receiver) const;

    // --- declarations of types (program_gen_class.cpp)
    void declareTypes();
    void declareEnum();
    void declareInterface();
    void declareClass();
    void declareGenericFunction();
    std::vector<Ty> openParams(size_t count);
    void closeParams(size_t firstType);
    void chooseBases(ClassInfo& cls);
    bool fitTogether(size_t a, size_t b);
    std::string head(const ClassInfo& cls) const;
    std::string typeParams(const std::vector<Ty>& params) const;
    void writeFields(size_t index);
    void writeConstructors(size_t index, Ty self);
    void writeConstructor(size_t index, Ty self, const std::vector<Ty>& params, bool isImplicit);
    void writeMethods(size_t index, Ty self);
    void writeMethod(size_t index, Ty self, const MethodInfo& method, const std::vector<Ty>* baseParams, Ty baseResult);
    void writeOverrides(size_t index, Ty self);
    void writeOperators(size_t index, Ty self);
    void writeIterator(size_t index, Ty self);
    void writeEvent(size_t index);
    void writeDump(size_t index);
    void registerClass(size_t index, Ty self);
    bool needsValue(Ty ty) const;

    // --- helpers of program_gen_object.cpp
    std::string receiver(Ty ty, int depth);
    std::string construct(Ty ty, int depth);
    std::string genericCall(const GenericInfo& g, Ty wanted, int depth);
    std::string operatorCall(const Seen& seen, const std::string& object, int depth);
    std::string methodCall(const Seen& seen, const std::string& object, int depth);
    std::string literalOf(Ty ty, int depth);
    std::string function(Ty ty, int depth);
    std::string show(Ty ty, const std::string& e) const;
    std::string freshName(Ty ty);
    /// Whether to write something that may well fail at run time. Rarely: what follows an error in a body is not run, and functions are
    /// called from many bodies.
    bool isRisky() { return random_.below(1000) < (inBody_ ? 40 : 6); }
    Ty randomType();
    const Variable* pickVariable(Ty ty, bool mustBeMutable);
    std::string annotated(const std::string& name, Ty ty) const;
    void declare(const std::string& name, Ty ty, bool isMutable) { variables_.push_back({name, ty, isMutable}); }

    Random& random_;
    std::vector<TypeInfo> types_;  // by Ty
    std::vector<ClassInfo> classes_;
    std::vector<EnumInfo> enums_;
    std::vector<GenericInfo> generics_;
    size_t typeParamCount_ = 0;
    size_t class_ = ~size_t(0);    // whose body is being written; ~0: none
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
    bool inBody_ = false;         // what is being written runs once
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
