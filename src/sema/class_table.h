#pragma once
// Makes the TypedClass of each class type that a program uses: the tables that lowering turns into descriptors.
//
// Asked when every body has been checked. A class type without type arguments needs nothing else; for generic ones the
// instantiation derives from ClassTables and says which function a declared one becomes with given arguments. Bases are made
// before the classes derived from them, and TypedProgram::classes holds them in that order.

#include <map>
#include <unordered_map>

#include "sema/class_info.h"

namespace luapp::sema {

class ClassTables {
  public:
    explicit ClassTables(TypedProgram& program) : program_(program) {}
    virtual ~ClassTables() = default;

    /// The table of a class type without type parameters; made at the first question.
    TypedClass* classOf(const ClassType* type);
    /// The function that a declared one is with these arguments for the parameters of its class.
    virtual TypedFunction* functionOf(FunctionInfo* function, List<const Type*> args);
    /// For virtual calls with fewer arguments than the method has parameters.
    TypedFunction* thunkOf(TypedFunction* function, uint32_t count);
    /// A class being made refers to itself.
    void remember(const ClassType* type, TypedClass* made) { made_[type] = made; }

  protected:
    TypedProgram& program_;

  private:
    std::unordered_map<const ClassType*, TypedClass*> made_;
    std::map<std::pair<TypedFunction*, uint32_t>, TypedFunction*> thunks_;
};

}  // namespace luapp::sema
