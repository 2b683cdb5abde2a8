#pragma once
// Classes, interfaces and enums as they are declared, once each however many type arguments they are used with.
//
// resolve.cpp makes an info for every declaration before any type is known (names, members, functions of the bodies);
// class_declare.cpp fills in the types (bases, members, signatures) for the whole program before any body is checked;
// checking adds what it finds out (FieldInfo::mayBeUnset, the bodies). Everything here is written in terms of the
// declaration's own type parameters: a use through `C<A1, ...>` puts the arguments in with memberType(). ClassType and
// InterfaceType (type.h) pair an info with arguments and are interned by TypeTable::classType / interfaceType, so equality
// stays pointer equality. Infos live in the arena of the TypedProgram and never move; they are compared by pointer.
// A method's FunctionType has no parameter for the object; the type of the TypedFunction behind it has it as its first.
// Nothing here says where a member lies in memory: see docs/internals.md 9.

#include <unordered_map>
#include <vector>

#include "frontend/ast/ast.h"
#include "sema/type.h"
#include "sema/typed.h"

namespace luapp::sema {

namespace ast = luapp::frontend;

struct FunctionInfo;
struct ModuleInfo;
struct SemaVar;
struct FieldInfo;
struct MethodInfo;

enum class NominalKind : uint8_t { Class, Interface, Enum };

/// What all members have.
struct MemberInfo {
    Symbol name;
    Range range;               // of the name
    Access access = Access::Public;
    bool isStatic = false;
    bool isConst = false;      // fields: assigned once; methods: final and inlined
    Nominal* owner = nullptr;  // the class or interface that declares it
    SemaVar* bare = nullptr;   // stands for it where its bare name does
    enum class Kind : uint8_t { Field, Method } memberKind = Kind::Field;
};

/// A method of a class or interface, a static function, or half of an interface's field.
struct MethodInfo : MemberInfo {
    ast::MethodDecl* decl = nullptr;      // null: reader or writer of an interface's field
    FunctionInfo* function = nullptr;     // its body; null in interfaces
    const FunctionType* type = nullptr;   // without the object; null while its result is being inferred
    List<const TypeParamType*> typeParams;  // its own, those of the class not included; then it is never virtual
    FieldInfo* reads = nullptr;           // reader of this field of an interface
    FieldInfo* writes = nullptr;          // writer
    std::vector<MethodInfo*> overrides;   // the methods of base classes that it overrides
    const Type* entryOwner = nullptr;     // (entryOwner, entry) is what virtual calls of it name: the method itself, or the
    const MethodInfo* entry = nullptr;    // first overridden one with the same signature. entryOwner is in terms of `owner`
    std::vector<MethodInfo*> shorter;     // entries for virtual calls with fewer arguments, made when one is needed
    bool isOverridden = false;            // somewhere in the program

    /// Called through the table of the object's class, unless the program shows one answer.
    bool isVirtual() const { return !isStatic && !isConst && access != Access::Private && typeParams.empty(); }
};

/// A field of an object, a static field, an event (its handlers), or a field that an interface demands.
struct FieldInfo : MemberInfo {
    ast::FieldDecl* decl = nullptr;
    ast::EventDecl* event = nullptr;           // events
    const Type* type = nullptr;                // events: Array<handler>?
    const FunctionType* handler = nullptr;     // events: what a handler is
    uint32_t index = 0;                        // among the fields that the class itself declares (not static ones)
    SemaVar* variable = nullptr;               // static fields: the module variable
    MethodInfo* reader = nullptr;              // interfaces
    MethodInfo* writer = nullptr;
    bool mustBeAssigned = false;               // has no initial value and its type none by itself
    bool mayBeUnset = false;                   // see TypedField; known when the whole program has been checked
};

struct ConstructorInfo {
    ast::ConstructorDecl* decl = nullptr;
    ClassInfo* owner = nullptr;
    FunctionInfo* function = nullptr;
    const FunctionType* type = nullptr;  // without the object; no results
    Range range;                         // of the word `constructor`
    Access access = Access::Public;
    bool isImplicit = false;
    ConstructorInfo* passesTo = nullptr;  // made for a class that declares none: the first base's constructor it calls
    bool letsSelfGo = false;  // other code may see the object before this constructor is done
};

/// What classes, interfaces and enums share: a name at the top level of a module.
struct Nominal {
    NominalKind nominalKind;
    Symbol name;
    Range range;  // of the name
    ModuleInfo* module = nullptr;
    SemaVar* variable = nullptr;  // what the name means as a value; of a class: set when its statement has run
    TypeTable* types = nullptr;
};

/// A class or an interface.
struct ObjectInfo : Nominal {
    List<ast::TypeParam> typeParamNodes;
    List<const TypeParamType*> typeParams;         // made with the info; bounds: TypeParamType
    List<const InterfaceType*> interfaces;         // classes: all that it implements; interfaces: all it extends. Without
                                                   // itself, without duplicates, nearer ones first
    std::vector<FieldInfo*> fields;                // own; static ones and events included
    std::vector<MethodInfo*> methods;              // own; static ones included
    std::unordered_map<uint32_t, MemberInfo*> memberOf;  // own members by symbol id
    std::vector<MethodInfo*> staticOperators;      // static functions like `__mul`; a method of that name may stand beside
};

struct ClassInfo : ObjectInfo {
    ast::ClassDecl* decl = nullptr;
    const ClassType* selfType = nullptr;       // with its own parameters as arguments
    List<const ClassType*> bases;              // direct base classes, in terms of the own parameters
    std::vector<Range> baseRanges;             // where they are written
    List<const ClassType*> ancestors;          // C3 linearisation, itself (selfType) first
    std::vector<ClassInfo*> subclasses;        // direct ones, whole program
    std::vector<FieldInfo*> objectFields;      // own fields of the object in order of FieldInfo::index
    std::vector<ConstructorInfo*> constructors;    // own; if it declares none, those it takes over or that are made for it
    FunctionInfo* initializer = nullptr;       // sets the initial values of the own fields; without body if there are none
    FieldInfo* sharedMark = nullptr;           // some class reaches this one twice as a base: "constructor has run"
    bool declaresConstructor = false;
    bool hasImplicit = false;                  // some own constructor is implicit
    bool isBroken = false;                     // its bases are in error; says nothing more
};

struct InterfaceInfo : ObjectInfo {
    ast::InterfaceDecl* decl = nullptr;
    const InterfaceType* selfType = nullptr;
    List<const InterfaceType*> bases;          // direct ones
    const Type* bothOf = nullptr;              // of a TypeTable::both(): its class, or its first interface
    std::vector<Range> baseRanges;             // where they are written
};

struct EnumInfo : Nominal {
    ast::EnumDecl* decl = nullptr;
    const EnumType* selfType = nullptr;
    std::vector<TypedEnum::Member> members;
};

/// The base class `info` of `type` (perhaps itself) with its arguments, or null.
const ClassType* ancestorOf(const ClassType* type, const ClassInfo* info);
/// The interface `info` as a class, interface or type parameter (by its bounds) implements it (perhaps itself), or null.
const InterfaceType* interfaceOf(const Type* type, const InterfaceInfo* info);
/// `type`, written in terms of the parameters of the class or interface of `owner`, with the arguments of `owner` put in.
const Type* memberType(const Type* type, const Type* owner);
/// The nearest class that two classes derive from, or null.
const Type* sharedBase(const Type* a, const Type* b);
/// A TypeTable::both() as the one type that is kept of it; other types as they are.
const Type* keptOf(const Type* type);
/// The class or interface behind a type, or null.
const ObjectInfo* objectInfoOf(const Type* type);
/// True if some class of the program is (or derives from) both.
bool haveCommonClass(const Type* a, const Type* b);

}  // namespace luapp::sema
