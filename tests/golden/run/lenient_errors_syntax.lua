-- What load() and its like say about a text that is no program, in the words of Lua 5.1.
local function why(text, name)
    local f, message = loadstring(text, name or "=t")
    print(f == nil and message)
end
why "x ="                               --> t:1: unexpected symbol near '<eof>'
why "x = )"                             --> t:1: unexpected symbol near ')'
why "x y"                               --> t:1: '=' expected near 'y'
why "if a then\n\n"                     --> t:3: 'end' expected (to close 'if' at line 1) near '<eof>'
why "if a then"                         --> t:1: 'end' expected near '<eof>'
why "f(1"                               --> t:1: ')' expected near '<eof>'
why "t = {1,\n2"                        --> t:2: '}' expected (to close '{' at line 1) near '<eof>'
why "for 1 do end"                      --> t:1: '<name>' expected near '1'
why "for i do end"                      --> t:1: '=' or 'in' expected near 'do'
why "local function 3() end"            --> t:1: '<name>' expected near '3'
why "x = 'abc\ny'"                      --> t:1: unfinished string near ''abc'
why "x = [[abc"                         --> t:1: unfinished long string near '<eof>'
why "--[==[ abc"                        --> t:1: unfinished long comment near '<eof>'
why "x = 12ab"                          --> t:1: malformed number near '12ab'
why "x = '\\999'"                       --> t:1: escape sequence too large near '''
why "break"                             --> t:1: no loop to break near '<eof>'
why "function f() return ... end"       --> t:1: cannot use '...' outside a vararg function near '...'
why "end"                               --> t:1: '<eof>' expected near 'end'
why "x.y"                               --> t:1: '=' expected near '<eof>'
why "(x) = 1"                           --> t:1: syntax error near '='
why "a:b"                               --> t:1: function arguments expected near '<eof>'
why "f\n(x)"                            --> t:2: ambiguous syntax (function call x new statement) near '('
why ";"                                 --> t:1: unexpected symbol near ';'
why "\1"                                --> t:1: unexpected symbol near 'char(1)'
-- Limits.
why(("do "):rep(250))                   --> t:1: chunk has too many syntax levels
why("local " .. ("a,"):rep(200) .. "a") --> t:1: main function has more than 200 local variables
local many = {}
for i = 1, 61 do many[i] = "v" .. i end
why("local " .. table.concat(many, ",") .. "\nfunction f()\nreturn " .. table.concat(many, "+") .. "\nend")  --> t:4: function at line 2 has more than 60 upvalues
-- Lua++ knows more than Lua: then it says itself what is wrong behind that.
print(loadstring("x = 7 // 2 return x")())  --> 3
why "local x: number = 1 x = = 2"       --> t:1: unexpected `=`, expected an expression
-- Names of chunks.
why("x =", "@some/file.lua")            --> some/file.lua:1: unexpected symbol near '<eof>'
why("x =\n1 1", "first line\nsecond")   --> [string "first line..."]:2: unexpected symbol near '1'
why("=", ("long "):rep(20))             --> [string "long long long long long long long long lon..."]:1: unexpected symbol near '='
why("=", "@" .. ("d/"):rep(40) .. "f")  --> .../d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/f:1: unexpected symbol near '='
