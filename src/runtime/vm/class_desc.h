// ClassDesc: a class at run time, behind TypeDesc::classInfo. The loader makes one for each bc::ClassData, after the functions
// are laid out; it lives as long as the program. Calls and type tests in typed code need two things of it, which are kept
// short: the method table (State::methodTables, by type index; all tables of a program are equally long, and an entry that a
// class does not have leads to code that raises) and the bit set of ancestors. The rest serves code that knows nothing of
// the class: members by name, operators, makers.
//
//   is:     classes and interfaces of a State have running numbers, those of a program lie side by side;
//           bit (number - firstNumber) of `ancestors` says that an instance of the class is one of that type
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "runtime/bytecode/proto.h"
#include "runtime/object/closure.h"
#include "runtime/vm/load.h"
#include "runtime/vm/meta.h"
#include "runtime/vm/state.h"

namespace luapp::rt {

/// A class as a value: calling it makes an object, its members are the static ones. `aux` is the class's type. One for each class.
struct ClassValue : Object {};

/// What a name means in a class.
struct ClassName {
    std::string_view name;
    const bc::ClassFieldData* field = nullptr;    // a field of the object
    const bc::ClassMemberData* member = nullptr;  // else a method or static member

    bool isStatic() const { return member != nullptr && member->isStatic; }
    bc::Access access() const { return field != nullptr ? field->access : member->access; }
};

struct ClassDesc {
    const TypeDesc* type = nullptr;
    Program* program = nullptr;
    const bc::ClassData* data = nullptr;
    std::vector<const Insn*> table;     // entries of methods, by CallM's operand
    std::vector<uint64_t> ancestors;
    uint32_t firstNumber = 0;           // TypeDesc::classNumber of the program's first class or interface
    uint32_t numberCount = 0;           // how many the program has
    std::vector<ClassName> names;       // sorted by name
    int32_t operators[kEventCount][2];  // index in data->members of the method, of the static function; -1: none
    Function* finalizer = nullptr;

    Word* valueKeeper = nullptr;        // word of the data segment that holds the class as a value once it is made

    /// What `name` means among the static members or the others, or null. Access is not looked at.
    const ClassName* find(std::string_view name, bool isStatic) const;
};

/// True if the object `o` is an instance of `type`, which is a class or an interface.
inline bool isInstance(const State& s, const Object* o, const TypeDesc* type) {
    if (o->aux == type->index) return true;
    if (o->kind != Kind::Object) return false;
    const ClassDesc* c = s.types.at(o->aux)->classInfo;
    uint32_t bit = type->classNumber - c->firstNumber;
    return bit < c->numberCount && (c->ancestors[bit >> 6] >> (bit & 63) & 1) != 0;
}

/// Entry `slot` of the method table of an instance.
inline const Insn* methodEntry(const State& s, const Object* o, uint32_t slot) { return s.methodTables[o->aux][slot]; }

/// The class of an instance or of a class as a value.
inline const ClassDesc& classOf(const State& s, const Object* o) { return *s.types.at(o->aux)->classInfo; }

/// Makes the classes of a program whose types and functions are there; for the loader. Does not collect.
void loadClasses(State& s, Program& p);

/// The class of type `type` as a value. The same object each time. May collect.
Value classValue(State& s, const TypeDesc* type);

/// The function value of a member's function; the same each time. May collect.
Closure* memberFunction(State& s, const ClassDesc& c, const bc::ClassMemberData& m);

// --- members by name, for values whose class is known at run time only. Errors name class and member.

/// o.name: a field's value, a method bound to o, what `__index` gives.
Value objectMember(State& s, Value o, String* name);
/// What `o:name(...)` calls with o first.
Value objectMethod(State& s, Value o, String* name);
void setObjectMember(State& s, Value o, String* name, Value value);
/// Class.name: a static field's value or a static function.
Value staticMember(State& s, Value c, String* name);
void setStaticMember(State& s, Value c, String* name, Value value);

/// The operator method of an instance as left (or only) operand, or as right one (then only a static function counts); nil: none.
Value operatorOf(State& s, Value o, Event e, bool isRight);
/// True if parameter `k` of a function value takes `v` as it is; true if its signature is unknown.
bool takesArgument(const State& s, Value function, uint32_t k, Value v);

/// The maker that `count` boxed arguments at `args` fit. Raises if there is none.
Closure* makerFor(State& s, Value c, const Word* args, uint32_t count);

}  // namespace luapp::rt
