#include "frontend/lex/token.h"

namespace luapp::frontend {

namespace {
constexpr TokenInfo kTokenInfos[] = {
#define LUAPP_TOKEN(Kind, Spelling, Class, DumpName) {Spelling, TokenClass::Class, DumpName},
#include "frontend/lex/tokens.def"
};
}  // namespace

const TokenInfo& tokenInfo(Tok kind) { return kTokenInfos[size_t(kind)]; }

}  // namespace luapp::frontend
