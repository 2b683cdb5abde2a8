-- debug.setmetatable gives values of every type a metatable.
debug.setmetatable(nil, { __index = function(_, k) return k end, __call = function() return "called" end, __add = function() return "added" end })
local u
print(u.a.b, u(), u + 1)                --> nil	called	added
debug.setmetatable(nil, nil)
debug.setmetatable(print, { __index = { name = "fn" }, __newindex = function(_, k, v) rawset(_G, k, v) end })
print.fresh = 5
print(print.name, (function() end).name, fresh)  --> fn	fn	5
debug.setmetatable(print, nil)
debug.setmetatable(true, { __tostring = function(b) return "bool" end })
print(tostring(false))                  --> bool
debug.setmetatable(true, nil)
local co = coroutine.create(function() end)
debug.setmetatable(co, { __index = coroutine })
print(co:status())                      --> suspended
debug.setmetatable(co, nil)
debug.setmetatable(0, { __len = function(n) return n * 2 end })
print(#5, pcall(function() return (5).x end) )  --> 10	false	lenient_debug_metatables.lua:18: attempt to index a number value
