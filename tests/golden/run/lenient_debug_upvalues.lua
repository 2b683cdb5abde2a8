-- Captured variables are shared, and can be asked for and assigned.
local a, b = 1, 2
local function get() return a, b end
local function set(x) b = x end
print(debug.getupvalue(get, 1))         --> a	1
print(debug.getupvalue(get, 2))         --> b	2
print(debug.getupvalue(get, 3))         -->
print(debug.setupvalue(set, 1, "both")) --> b
print(get())                            --> 1	both
print(b)                                --> both
print(debug.getupvalue(print, 1))       -->
print(debug.getinfo(get, "u").nups)     --> 2
local function fact(n) return n < 2 and 1 or n * fact(n - 1) end
print(fact(5), (debug.getupvalue(fact, 1)))  --> 120	fact
local list = {}
for i = 1, 2 do list[i] = function() i = i + 1 return i end end
print(list[1](), list[1](), list[2]())  --> 2	3	3
debug.setupvalue(list[2], 1, 10)
print(list[2](), list[1]())             --> 11	4
