-- A Lua table is no Array or Table; the message of the container that refuses one says how to convert it.
local nested: Array<Array<number>> = {}
local tables: Array<Table<string, number>> = {}
local a, t = (function(...) return ... end)(nested, tables)
local function why(f)
    print((select(2, pcall(f)):gsub("^.-:%d+: ", "")))
end
why(function() a[0] = { 1 } end)  --> Array<Array<number>> takes Array<number>, got a Lua table (convert it with Array.from)
why(function() t[0] = {} end)     --> Array<Table<string, number>> takes Table<string, number>, got a Lua table (convert it with Table.from)
why(function() a:push({ 1 }) end)
--> bad argument #1 to 'push' (Array<Array<number>> takes Array<number>, got a Lua table (convert it with Array.from))
why(function() a[0] = t end)      --> Array<Array<number>> takes Array<number>, got Array<Table<string, number>>
print(#nested, #tables)           --> 0	0
