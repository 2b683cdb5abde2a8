-- Fields and methods through instruction caches: fields that come and go, classes of several levels, changed classes, rawset and tail calls.
--> 1 2 nil 3
--> base A base B over
--> new
--> nil later nil
--> proxy:x proxy:y
--> false true false
--> 100000	0
--> 100001	1	2	3
--> nil	42
--> gone back gone
--> false	attempt to index local 's' (a string value)	nil	X
local t = { a = 1 }
local function get(o) return o.a end
local out = {}
for _, o in ipairs({ { a = 1 }, { b = 0, a = 2 }, {}, { c = 1, b = 2, a = 3 } }) do out[#out + 1] = tostring(get(o)) end
print(table.concat(out, " "))

local Base = {}
Base.__index = Base
function Base:name() return "base " .. self.id end
local A = setmetatable({}, Base)
A.__index = A
local B = setmetatable({}, { __index = A })
B.__index = B
function B:name2() return "over" end
local a, b = setmetatable({ id = "A" }, A), setmetatable({ id = "B" }, B)
local names = {}
for _, o in ipairs({ a, b }) do names[#names + 1] = o:name() end
print(names[1] .. " " .. names[2] .. " " .. b:name2())
function A:name() return "new" end
print(b:name())

local late = setmetatable({}, Base)
local seen = {}
for i = 1, 3 do
    seen[i] = tostring(late.extra)
    if i == 1 then Base.extra = "later" elseif i == 2 then Base.extra = nil end
end
print(table.concat(seen, " "))

local proxy = setmetatable({}, { __index = function(_, k) return "proxy:" .. k end })
local got = {}
for i = 1, 2 do got[i] = i == 1 and proxy.x or proxy.y end
print(table.concat(got, " "))

-- a field that is nil now and then, with a __newindex that must not be asked for it
local logged = false
local guarded = setmetatable({ x = 1 }, { __newindex = function(o, k, v) logged = true rawset(o, k, v) end })
local states = {}
for i = 1, 3 do
    logged = false
    if i == 2 then rawset(guarded, "x", nil) end
    guarded.x = i
    states[i] = tostring(logged)
end
print(table.concat(states, " "))

-- tail calls, known and unknown
local function count(n, acc) if n == 0 then return acc, 0 end return count(n - 1, acc + 1) end
print(count(100000, 0))
local ping, pong
function ping(n, ...) if n == 0 then return ... end return pong(n - 1, ...) end
function pong(n, ...) if n == 0 then return ... end return ping(n - 1, ...) end
local deep
deep = function(n, x, y, z) if n == 100001 then return n, x, y, z end return deep(n + 1, x, y, z) end
print(deep(1, ping(3, 1, 2, 3)))
print((function(x, y) return y, x end)(42))

-- a metamethod that is taken away and set again
local meta = {}
meta.__index = nil
local watched = setmetatable({}, meta)
local function look() return watched.anything or "gone" end
local function set(f) meta.__index = f end
set(function() return "back" end)
set(nil)
local first = look()
set(function() return "back" end)
local second = look()
set(nil)
print(first .. " " .. second .. " " .. look())

-- strings without members for a while
local strings = getmetatable("")
local function upper(s) return s:upper() end
debug.setmetatable("", nil)
local ok, message = pcall(upper, "x")
local plain = getmetatable("")
debug.setmetatable("", strings)
print(ok, message:match(":%d+: (.*)"), plain, upper("x"))
