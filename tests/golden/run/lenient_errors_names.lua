-- Messages say what the source calls the value that was wrong.
local function why(f, ...)
    print((select(2, pcall(f, ...)):gsub("^.-:%d+: ", "")))
end
local up
why(function() up() end)                            --> attempt to call upvalue 'up' (a nil value)
why(function() local l = 1 l() end)                 --> attempt to call local 'l' (a number value)
why(function() nothing() end)                       --> attempt to call global 'nothing' (a nil value)
why(function() local t = {} t.f() end)              --> attempt to call field 'f' (a nil value)
why(function() local t = {} t:m() end)              --> attempt to call method 'm' (a nil value)
why(function() local t = {} t.a.b() end)            --> attempt to index field 'a' (a nil value)
why(function() local t, k = {}, 1 t[k]() end)       --> attempt to call field '?' (a nil value)
why(function() local t = {} t["x y"].z = 1 end)     --> attempt to index field 'x y' (a nil value)
why(function() nothing.x = 1 end)                   --> attempt to index global 'nothing' (a nil value)
why(function() nothing.x, nothing.y = 1, 2 end)     --> attempt to index global 'nothing' (a nil value)
why(function() up[1] = 2 end)                       --> attempt to index upvalue 'up' (a nil value)
why(function(a) return a + 1 end)                   --> attempt to perform arithmetic on local 'a' (a nil value)
why(function(a) return 1 - a end, {})               --> attempt to perform arithmetic on local 'a' (a table value)
why(function(a) return "10" * a.n end, {})          --> attempt to perform arithmetic on field 'n' (a nil value)
why(function() return -nothing end)                 --> attempt to perform arithmetic on global 'nothing' (a nil value)
why(function(a) return "x" .. a end)                --> attempt to concatenate local 'a' (a nil value)
why(function(a) return a .. "x" end, {})            --> attempt to concatenate local 'a' (a table value)
why(function(a) return #a end)                      --> attempt to get length of local 'a' (a nil value)
why(function(a) return a < 1 end)                   --> attempt to compare nil with number
why(function(a) return a < {} end, {})              --> attempt to compare two table values
-- What is no plain name has none.
why(function(a) return (a or a) + 1 end)            --> attempt to perform arithmetic on a nil value
why(function(a) return (a and a)() end)             --> attempt to call a nil value
why(function() return ("x")() end)                  --> attempt to call a string value
why(function() for x in 3 do end end)               --> attempt to call a number value
-- Nor has what a metamethod leads to.
why(function() local t = setmetatable({}, { __index = 5 }) return t.x.y end)  --> attempt to index a number value
-- The library uses the caller's names, and does not count the object of a method.
local sine = math.sin
why(function() sine("x") end)                       --> bad argument #1 to 'sine' (number expected, got string)
why(function() math.sin() end)                      --> bad argument #1 to 'sin' (number expected, got no value)
why(function() ("x"):rep({}) end)                   --> bad argument #1 to 'rep' (number expected, got table)
why(function() local o = { rep = string.rep } o:rep(1) end)  --> calling 'rep' on bad self (string expected, got table)
why(string.rep)                                     --> bad argument #1 to 'rep' (string expected, got no value)
-- Places.
local text = "local a\n\nlocal function f() error('at', 2) end\nf()"
print(pcall(loadstring(text, "=chunk")))            --> false	chunk:4: at
print(pcall(loadstring("nothing()", "@some.lua")))  --> false	some.lua:1: attempt to call global 'nothing' (a nil value)
print(pcall(loadstring("\n\nx = nothing.y")))       --> false	[string "..."]:3: attempt to index global 'nothing' (a nil value)
