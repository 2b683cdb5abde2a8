-- Weak tables: what only they hold goes away; strings and numbers stay.
local function fill(mode)
    local t = setmetatable({}, { __mode = mode })
    for i = 1, 5 do
        t[{}] = i
        t[i] = {}
        t["s" .. i] = i
    end
    return t
end
local function kinds(t)
    local keys, values, plain = 0, 0, 0
    for k, v in pairs(t) do
        if type(k) == "table" then keys = keys + 1
        elseif type(v) == "table" then values = values + 1
        else plain = plain + 1 end
    end
    return keys, values, plain
end
local byKey, byValue, byBoth = fill("k"), fill("v"), fill("kv")
collectgarbage()
collectgarbage()
local function few(n) return n <= 1 end -- a stale word on a stack may hold one
local k, v, p = kinds(byKey)
print(few(k), v, p) --> true	5	5
k, v, p = kinds(byValue)
print(k, few(v), p) --> 5	true	5
k, v, p = kinds(byBoth)
print(few(k), few(v), p) --> true	true	5

-- The mode may be set late.
local late, meta = {}, {}
setmetatable(late, meta)
for i = 1, 5 do late[i] = {} end
meta.__mode = "v"
collectgarbage()
k, v = kinds(late)
print(few(v)) --> true

-- Finalisers of userdata run youngest first, once; copies share a metatable. Stale words on stacks may hold a few.
local order = {}
local function make()
    local first = newproxy(true)
    getmetatable(first).__gc = function() order[#order + 1] = "gone" end
    for i = 1, 20 do newproxy(first) end
end
make()
collectgarbage()
collectgarbage()
print(#order >= 12) --> true
-- Tables may have them, too.
local finalised = 0
do
    local function one()
        for i = 1, 10 do setmetatable({}, { __gc = function(t) finalised = finalised + 1 end }) end
    end
    one()
end
collectgarbage()
collectgarbage()
print(finalised >= 6) --> true
-- Steps end with a collection.
collectgarbage("stop")
local steps = 0
repeat steps = steps + 1 until collectgarbage("step", 0)
print(steps > 5, collectgarbage("step", 1000000)) --> true	true
collectgarbage("restart")
print(collectgarbage("setpause", 150), collectgarbage("setpause", 200)) --> 200	150
print(collectgarbage("setstepmul", 300), collectgarbage("setstepmul", 200)) --> 200	300
print(pcall(collectgarbage, "nonsense")) --> false	bad argument #1 to 'collectgarbage' (invalid option 'nonsense')
print(collectgarbage("count") > 1, gcinfo() == math.floor(gcinfo())) --> true	true

-- A table that nothing uses is made all the same: programs count on it.
collectgarbage("stop")
local before = gcinfo()
repeat local unused = {} until gcinfo() ~= before
collectgarbage("restart")

-- Programs made by loadstring go when their functions do.
for i = 1, 300 do assert(loadstring("local a = " .. i .. " return function() return a end"))() end
local kept = {}
for i = 1, 20 do kept[i] = loadstring("local a = " .. i .. " return function() return a end")() end
for i = 1, 300 do loadstring("return " .. i)() end
collectgarbage()
local sum = 0
for i = 1, 20 do sum = sum + kept[i]() end
print(sum, collectgarbage("count") < 4000) --> 210	true
-- One that runs stays, though nothing holds its function.
print(loadstring([[
    local n = 0
    for i = 1, 100 do
        loadstring("return {}")()
        collectgarbage("step", 100000)
        n = n + i
    end
    return n
]])()) --> 5050

-- An error in one reaches the code that collects.
local function bad()
    for i = 1, 3 do
        local u = newproxy(true)
        getmetatable(u).__gc = function() error("in finaliser", 0) end
    end
end
collectgarbage("stop") -- from here on only where the program says so
bad()
print(pcall(collectgarbage)) --> false	in finaliser
for i = 1, 5 do pcall(collectgarbage) end

-- What is left is finalised at the end, and errors then are lost.
kept = newproxy(true)
getmetatable(kept).__gc = function() print("the end") error("lost") end
--> the end
