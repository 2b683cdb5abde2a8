-- What getinfo and traceback say about functions and levels.
local function here() return debug.getinfo(2, "nSl") end
local function f()
    local info = here()
    return info.name, info.namewhat, info.what, info.currentline, info.linedefined, info.lastlinedefined
end
print((f()))                            --> f
local name, namewhat, what, line, first, last = f()
print(name, namewhat, what, line, first, last)  --> f	local	Lua	4	3	6
local t = { m = function() return debug.getinfo(1, "n").namewhat .. " " .. debug.getinfo(1, "n").name end }
print((t.m()))                          --> field m
print((t:m()))                          --> method m
function global() return (debug.getinfo(1, "n").namewhat) end
print((global()))                       --> global
local i = debug.getinfo(print)
print(i.what, i.short_src, i.source, i.currentline, i.linedefined, i.nups, i.func == print)  --> C	[C]	=[C]	-1	-1	0	true
i = debug.getinfo(1)
print(i.what, i.short_src, i.source, i.linedefined)  --> main	lenient_debug_info.lua	@lenient_debug_info.lua	0
print(debug.getinfo(99), (select(2, pcall(function() debug.getinfo(1, "X") end)):gsub("^.-: ", "")))  --> nil	bad argument #2 to 'getinfo' (invalid option)
local g = loadstring("return function() end", "a text\nof two lines")()
print(debug.getinfo(g, "S").short_src)  --> [string "a text..."]
print(debug.getinfo(g, "S").source == "a text\nof two lines")  --> true
local lines = debug.getinfo(f, "L").activelines
print(lines[3], lines[4], lines[5])     --> nil	true	true
print(debug.getinfo(0, "n").name, debug.getinfo(0, "S").what)  --> getinfo	C

print(debug.traceback("message"))
--> message
--> stack traceback:
--> 	lenient_debug_info.lua:27: in main chunk
local function trace() local text = debug.traceback("x", 1) return text end
print((pcall(trace)))                   --> true
print((select(2, pcall(trace))))
--> x
--> stack traceback:
--> 	lenient_debug_info.lua:31: in function <lenient_debug_info.lua:31>
--> 	[C]: in function 'pcall'
--> 	lenient_debug_info.lua:33: in main chunk
print(debug.traceback(print) == print, debug.traceback(nil))  --> true	nil
local co = coroutine.create(function() local x = nothing.y end)
coroutine.resume(co)
print(debug.traceback(co))
--> stack traceback:
--> 	lenient_debug_info.lua:40: in function <lenient_debug_info.lua:40>
-- Metatables of every type.
debug.setmetatable(10, { __index = function(n, k) return k .. n end, __call = function(n, x) return n + x end })
print((5).abc, (5)(2), getmetatable(1) == debug.getmetatable(2))  --> abc5	7	true
debug.setmetatable(10, nil)
print(pcall(function() return (5).abc end))  --> false	lenient_debug_info.lua:49: attempt to index a number value
-- Environments of coroutines.
local other = { print = print }
co = coroutine.create(function() return getfenv(0) == other end)
debug.setfenv(co, other)
print(debug.getfenv(co) == other, coroutine.resume(co))  --> true	true	true
print(type(debug.getregistry()))        --> table
