-- `a .. b .. c` is one operation: joined from the right, metamethods see what is to the right of them joined.
local log = {}
local function text(v) return type(v) == "table" and "T" or v end
local mt = {}
mt.__concat = function(a, b)
    log[#log + 1] = text(a) .. "|" .. text(b)
    return mt.result
end
local t = setmetatable({}, mt)
mt.result = "r"
print("a" .. "b" .. t .. "c" .. 1 .. 2.5) --> abr
print(table.concat(log, " ")) --> T|c12.5
log = {}
print("a" .. 1 .. t) --> ar
print(table.concat(log, " ")) --> 1|T
log, mt.result = {}, t
print(("a" .. "b" .. t .. t) == t, table.concat(log, " ")) --> true	T|T b|T a|T

-- Numbers as tostring has them; more of them than a few; empty strings.
print(1 .. "" .. 2, "" .. "", 1e15 .. -0 .. 0.1 .. "") --> 12		1e+15-00.1
local n = 7
print(n .. n+1 .. n+2 .. n+3 .. n+4 .. n+5 .. n+6 .. n+7 .. n+8 .. n+9 .. "/" .. n+10) --> 78910111213141516/17

-- A long result; one that is appended to in place; the old value stays as it was.
local long = string.rep("x", 50)
print(#(long .. "-" .. long .. n), (long .. "-" .. n):sub(-3)) --> 102	x-7
local s = ""
local before
for i = 1, 2000 do
    if i == 1000 then before = s end
    s = s .. i .. "," .. "."
end
print(#s, #before, s:sub(1, 12), s:sub(-6), before:sub(-5)) --> 10893	4887	1,.2,.3,.4,.	2000,.	999,.
print(#(before .. before .. before)) --> 14661

-- Many operands.
local many = {}
for i = 1, 190 do many[i] = "a" end
many = table.concat(many, " .. ")
print(#assert(loadstring("local a = ... return " .. many))("xy")) --> 380
mt.result = "end"
print(#assert(loadstring("local a, t = ... return " .. many .. " .. t"))("xy", t)) --> 381
print(pcall(assert(loadstring("local a = ... return " .. many, "=many")), string.rep("x", 2^25)))
--> false	many:1: string length overflow

-- Messages name the operand that is wrong.
local function why(f)
    print((select(2, pcall(f)):gsub("^.-:%d+: ", "")))
end
local x, y = "x", nil
local record = {}
why(function() return x .. y .. x end)               --> attempt to concatenate upvalue 'y' (a nil value)
why(function() local z = {} return x .. 1 .. z end)  --> attempt to concatenate local 'z' (a table value)
why(function() local z = {} return z .. 1 .. x end)  --> attempt to concatenate local 'z' (a table value)
why(function() return x .. x .. record.name .. x .. x end) --> attempt to concatenate field 'name' (a nil value)
why(function() return nowhere .. x .. x .. x end)    --> attempt to concatenate global 'nowhere' (a nil value)
why(function() return x .. x .. x .. x .. x .. x .. x .. nowhere .. x end) --> attempt to concatenate global 'nowhere' (a nil value)
why(function() return x .. x .. x .. (y or true) end) --> attempt to concatenate a boolean value

-- A metamethod that suspends the coroutine in the middle.
mt.__concat = function(a, b)
    local got = coroutine.yield(text(a), text(b))
    collectgarbage()
    return got
end
local co = coroutine.wrap(function() return "p" .. 1 .. t .. "q" .. 2 end)
print(co())                                          --> T	q2
print(co(t))                                         --> 1	T
print(co("!"))                                       --> p!
