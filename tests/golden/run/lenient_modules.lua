-- require goes through package.loaders; modules are found by package.path, once, and may set themselves.
package.path = "?.lua;?/init.lua"
local plain = require("plain")
--> plain runs as plain
print(plain.value, require("plain") == plain, package.loaded.plain == plain) --> 1	true	true
print(require("sub.deep"), require("sub")) --> sub/deep.lua	true
package.loaded.plain = nil
print(require("plain") == plain)
--> plain runs as plain
--> false

-- Words of failures.
local ok, why = pcall(require, "no.where")
print(ok)  --> false
print(why)
--> module 'no.where' not found:
--> 	no field package.preload['no.where']
--> 	no file 'no/where.lua'
--> 	no file 'no/where/init.lua'
--> 	no file './no/where.so'
--> 	no file '/usr/local/lib/lua/5.1/no/where.so'
--> 	no file '/usr/lib/lua/5.1/no/where.so'
--> 	no file '/usr/local/lib/lua/5.1/loadall.so'
--> 	no file './no.so'
--> 	no file '/usr/local/lib/lua/5.1/no.so'
--> 	no file '/usr/lib/lua/5.1/no.so'
--> 	no file '/usr/local/lib/lua/5.1/loadall.so'
print(pcall(require, "loop")) --> false	loop.lua:1: loop or previous error loading module 'loop'
print((select(2, pcall(require, "broken")):gsub(":%d+:.*", ""))) --> error loading module 'broken' from file 'broken.lua':
--> 	broken.lua

-- preload and loaders of one's own.
package.preload.made = function(name, ...) return { name = name, extra = select("#", ...) } end
print(require("made").name, require("made").extra) --> made	0
table.insert(package.loaders, 2, function(name)
    if name:find("^virtual%.") then return function(n) return "virtual " .. n end end
    return "\n\tnot virtual"
end)
print(require("virtual.x")) --> virtual virtual.x
print((select(2, pcall(require, "x")):match("not virtual"))) --> not virtual

-- module makes a table the environment; seeall lets it see the globals.
local function make()
    module("shapes.round", package.seeall)
    function area(r) return math.floor(3 * r * r) end
end
make()
print(shapes.round.area(2), shapes.round._NAME, shapes.round._PACKAGE, shapes.round._M == shapes.round) --> 12	shapes.round	shapes.	true
print(require("shapes.round") == shapes.round) --> true
print(pcall(module, "shapes")) --> false	'module' not called from a Lua function
local function clash() module("math.pi") end
print(pcall(clash)) --> false	lenient_modules.lua:51: name conflict for module 'math.pi'
print(package.loadlib("x.so", "open")) --> nil	dynamic libraries not enabled; check your Lua installation	absent
print(package.loaded.string == string, package.loaded._G == _G, #package.config) --> true	true	9

-- Strict modules are found, too.
package.path = "?.luapp"
print(require("typed").twice(4)) --> 8

-- file: plain.lua
print("plain runs as " .. ...)
return { value = 1 }

-- file: sub/deep.lua
return "sub/deep.lua"

-- file: sub/init.lua
local ignored = ...

-- file: loop.lua
require("loop")

-- file: broken.lua
local x = = 1

-- file: typed.luapp
export function twice(n: number): number -> 2 * n
