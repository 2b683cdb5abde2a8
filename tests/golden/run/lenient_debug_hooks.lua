-- Hooks see lines, calls, returns and counts of instructions.
local function lines(text)
    local seen = {}
    debug.sethook(function(_, line) seen[#seen + 1] = line end, "l") loadstring(text)() debug.sethook()
    print(table.concat(seen, " "))
end
lines "local a = 1\n\na = 2"                                    --> 1 3
lines "if\nfalse then\nx = 1\nelse\nx = 2\nend"                 --> 2 5 6
lines "for i = 1, 2 do\nx = i\nend"                             --> 1 2 1 2 1 3
lines "for i = 1, 2 do x = i end"                               --> 1 1 1
lines "x = 0\nwhile x < 2 do\nx = x + 1\nend"                   --> 1 2 3 2 3 2 4
lines "x = 0\nrepeat\nx = x + 1\nuntil x == 2"                  --> 1 3 4 3 4
lines "for k in pairs { 1 } do\nx = k\nend\nx = 3"              --> 1 2 1 4
lines "x = 0\n::again::\nx = x + 1\nif x < 2 then\ngoto again\nend"  --> 1 3 4 5 3 4 6

local events = {}
local function record(event) events[#events + 1] = event end
local function callee() return 1 end
local function caller() return callee() end
debug.sethook(record, "cr")
caller()
math.abs(1)
debug.sethook()
print(table.concat(events, ", "))       --> return, call, call, return, tail return, call, return, call

local who = {}
debug.sethook(function() local i = debug.getinfo(2, "nf") who[#who + 1] = (i.name or "?") .. (i.func == tostring and "!" or "") end, "c")
caller(tostring(1))
debug.sethook()
print(table.concat(who, " "))           --> tostring! caller ? sethook

local count = 0
debug.sethook(function() count = count + 1 end, "", 1)
for i = 1, 500 do end
debug.sethook()
print(count > 500 and count < 520)      --> true
-- What is set can be asked for; each coroutine has its own.
local function hook() end
local co = coroutine.create(function() coroutine.yield() local x = 1 return x end)
debug.sethook(co, hook, "lc")
print(debug.gethook(co) == hook, select(2, debug.gethook(co)))  --> true	cl	0
print(debug.gethook() == nil)           --> true
local inside = {}
debug.sethook(co, function(_, l) inside[#inside + 1] = l - debug.getinfo(2, "S").linedefined end, "l")
coroutine.resume(co)
coroutine.resume(co)
print(table.concat(inside, " "))        --> 0
-- An error in a hook comes out where it was called, and hooks go on.
debug.sethook(function() if debug.getinfo(2, "S").what == "Lua" then error("stop", 0) end end, "l")
local ok, message = pcall(function()
    local x = 1
end)
debug.sethook()
print(ok, message)                      --> false	stop
-- Results pass through a hook unharmed.
debug.sethook(function() local a, b = math.modf(2.5) return a, b end, "crl")
local a, b, c = (function(...) return ... end)(1, 2, 3)
debug.sethook()
print(a, b, c)                          --> 1	2	3
