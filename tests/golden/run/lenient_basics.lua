-- Lua 5.1 as it is: globals, tables from 1, metatables, coercions, lists of values.
local t = {1, 2, 3, x = 5, ["y z"] = 6}
print(#t, t.x, t["y z"], t[2]) --> 3	5	6	2
function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(20), _G.fib == fib) --> 6765	true
local function count(...) return select('#', ...), ... end
print(count(1, nil, 3)) --> 3	1	nil	3
print((count(1, 2)), 3 and count()) --> 2	0
local mt = {__index = function(t, k) return k .. "!" end, __add = function(a, b) return 42 end}
local o = setmetatable({}, mt)
print(o.foo, o + 1, "10" + 5, 10 .. "x") --> foo!	42	15	10x
a, b, c = 1, 2
print(a, b, c) --> 1	2	nil
print(("x"):rep(3), ("hello"):upper()) --> xxx	HELLO
local object = {n = 0}
function object:inc(k) self.n = self.n + (k or 1) return self end
print(object:inc():inc(5).n) --> 6
local list = {}
for i = 10, 1, -3 do list[#list + 1] = i end
print(table.concat(list, " ")) --> 10 7 4 1
for i = "1", 2 do print(i) end
--> 1
--> 2
print((function(a) return a end)(), (function(a) return a end)(1, 2)) --> nil	1
print(pcall(function() local x; return x.y end)) --> false	lenient_basics.lua:25: attempt to index local 'x' (a nil value)
local function f(n) return n end
function f() return "other" end
print(f(1)) --> other
