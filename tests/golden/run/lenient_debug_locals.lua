-- getlocal and setlocal reach the locals of running functions.
local function names(level)
    local list, i = {}, 1
    while true do
        local name, value = debug.getlocal(level + 1, i)
        if not name then return table.concat(list, " ") end
        list[i] = name .. "=" .. tostring(value)
        i = i + 1
    end
end
local function f(a, b)
    local c = a + b
    do local inner = 1 end
    print(names(1))                     --> a=1 b=2 c=3
    local d
    for i = 1, 1 do
        print(names(1))                 --> a=1 b=2 c=3 d=nil (for index)=1 (for limit)=1 (for step)=1 i=1
    end
    for k, v in pairs({ x = 4 }) do
        print((names(1):gsub("%(for %a+%)=%a+: %S+ ?", "")))  --> a=1 b=2 c=3 d=nil (for control)=x k=x v=4
    end
    repeat local z = 5 until names(1) == "a=1 b=2 c=3 d=nil z=5"
end
f(1, 2)
local function v(...)
    print((names(1):gsub("table: %S+", "t")))  --> arg=t
end
v(1)
-- Assignments change the variable, captured ones too.
local function set(i, value) return debug.setlocal(2, i, value) end
local function g(x)
    local y = 1
    local get = function() return y end
    print(set(1, "new"), x)             --> x	new
    print(set(2, "shared"), y, get())   --> y	shared	shared
    print(set(9, 0))                    --> nil
end
g("old")
-- A value that is waiting for the other operand.
local function poke() debug.setlocal(2, 2, 40) return 2 end
local function h(n) return (n + 1) + poke() end
print(h(0))                             --> 42
local function show() return select(2, debug.getlocal(2, 2)), (debug.getlocal(2, 2)) end
local function w(n) local s = (n .. "") .. "" return (n * 2) + show() end
print(debug.getlocal(0, 2), (debug.getlocal(0, 1)))  --> (*temporary)	(*temporary)
print((select(2, pcall(function() debug.getlocal(99, 1) end)):gsub("^.-: ", "")))  --> bad argument #1 to 'getlocal' (level out of range)
-- Of a suspended coroutine.
local co = coroutine.create(function(p) local q = p * 2 coroutine.yield() return q end)
coroutine.resume(co, 3)
print(debug.getlocal(co, 1, 1))         --> p	3
print(debug.getlocal(co, 1, 2))         --> q	6
debug.setlocal(co, 1, 2, "changed")
print(coroutine.resume(co))             --> true	changed
