#pragma once
// The attributes of one source file as the lexer found them. The list is attributes.def; the lexer sets the fields
// before it returns the first token, the parser copies them into the Module, everyone else reads them there.

namespace luapp::frontend {

/// One bool per attribute. Entries come from attributes.def.
struct Attributes {
#define LUAPP_ATTRIBUTE(Name, Field, Meaning) bool Field = false;
#include "frontend/lex/attributes.def"
};

}  // namespace luapp::frontend
