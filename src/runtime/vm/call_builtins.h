// The interface through which the VM sees the library's functions: a table indexed as builtins.def counts them (operand role
// b), set into State.builtins by the library when it opens. The VM never includes lib/; a State without a table runs programs
// that use no builtin.
#pragma once

#include <string_view>

#include "runtime/object/closure.h"

namespace luapp::rt {

/// What a member of a value found by name is.
struct BuiltinMember {
    int64_t index = -1;       // in the table; -1: there is no such member
    bool isProperty = false;  // read without a call (Array.length): a function of the raw reference that gives an integer
};

struct BuiltinTable {
    uint32_t count = 0;
    const BuiltinFn* functions = nullptr;   // by index
    const char* const* names = nullptr;     // "string.find", for tracebacks and the disassembler
    const uint8_t* fixedParams = nullptr;   // raw words before the varargs, hidden ones and `self` included
    /// The function value of a builtin (general form; its signature is in its header). Made on demand. May collect.
    Closure* (*closure)(State& s, uint32_t index) = nullptr;
    /// The raw word for a parameter that a dynamic call leaves out though it has a default value or is optional.
    Word (*defaultArgument)(State& s, uint32_t index, uint32_t param) = nullptr;
    /// The member `name` of values of a library type: "Array", "Table", "string", "File".
    BuiltinMember (*findMember)(std::string_view type, std::string_view name) = nullptr;
    /// The signature for a dynamic call with these boxed arguments: the closure's own, or for generic builtins (members of Array and
    /// Table) the one instantiated by the receiver's type and the callbacks' signatures. Its results[0] is the type whose
    /// descriptor a builtin marked needsType gets as hidden first word.
    const TypeDesc* (*signature)(State& s, uint32_t index, const Word* args, uint32_t count) = nullptr;
    /// The table of globals for lenient code, made when first asked for: State.globals. May collect.
    LuaTable* (*globals)(State& s) = nullptr;
    const uint8_t* needsType = nullptr;  // by index: 1 if the builtin takes that hidden word
};

}  // namespace luapp::rt
