// What Lua 5.1 says about a text. Programs read the messages that load() returns (interactive shells look for "near '<eof>'" to ask for
// another line), so a text that is compiled while a program runs is answered in Lua's words. This is a recogniser of the grammar of Lua
// 5.1 and its limits, which makes nothing; what a text means, and what the other errors are, is decided by the front end alone.
#pragma once

#include <string>
#include <string_view>

namespace luapp::driver {

struct LuaSyntaxError {
    /// What the front end thinks of a text with this error.
    enum class Kind : uint8_t {
        Syntax,          // it may be right all the same: Lua++ has more than Lua 5.1
        EmptyStatement,  // it takes a semicolon alone; load() of Lua 5.1 does not
        Limit,           // it knows no such limit
    };
    Kind kind = Kind::Syntax;
    size_t offset = 0;     // of the token that is named
    uint32_t line = 0;
    std::string message;   // "unexpected symbol near 'x'"
};

/// True if `text` is a chunk of Lua 5.1; else what is wrong with it first.
[[nodiscard]] bool checkLuaSyntax(std::string_view text, LuaSyntaxError& error);

}  // namespace luapp::driver
