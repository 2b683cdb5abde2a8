-- Functions as strings: what they capture is nil when they come back, and they keep it from call to call.
local text = string.dump(function(a, ...) return a, select("#", ...) end)
print(type(text), loadstring(text)(1, 2, 3)) --> string	1	2
local n, step = 5, 1
local function count(by)
    n = (n or 0) + (by or step or 10)
    return n
end
local copy = assert(loadstring(string.dump(count)))
print(copy(), copy(), copy(1), n) --> 10	20	21	5
-- Local functions that it calls come along.
local function twice(x) return x * 2 end
local function recursive(k) return k == 0 and 0 or k + recursive(k - 1) end
local user = function(x) return twice(x), recursive(x) end
print(load(string.dump(user))(4)) --> 8	10
-- Whole chunks, and copies of copies.
local chunk = loadstring("local x = ... ; y = (y or 0) + x; return function() return y end")
local again = loadstring(string.dump(loadstring(string.dump(chunk))))
again(1)
print(again(2)()) --> 3
print(loadstring(string.dump(copy))(7)) --> 7
-- Globals are those of the new function.
local seen = setfenv(loadstring(string.dump(function() return y end)), { y = "own" })
print(seen()) --> own
print(pcall(string.dump, print)) --> false	unable to dump given function
print(pcall(string.dump)) --> false	bad argument #1 to 'dump' (function expected, got no value)
-- From a file.
local name = os.tmpname()
local file = io.open(name, "wb")
file:write(string.dump(user))
file:close()
print(pcall(loadfile(name), "3")) --> true	6	6
os.remove(name)
