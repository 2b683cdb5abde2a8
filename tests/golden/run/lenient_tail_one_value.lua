-- Where `return` gives one value of a call, the call is no tail call.
local function two() return 1, 2 end
local function first(t) return t or two() end
local function inParens() return (two()) end
print(select("#", first()))             --> 1
print(select("#", inParens()))          --> 1
print((function() return nil or two() end)())  --> 1
