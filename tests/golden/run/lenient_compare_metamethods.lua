-- `<` and `<=` ask a metamethod only if both operands have the same one.
local order = {}
order.__lt = function(a, b) return a.n < b.n end
local one, two = setmetatable({ n = 1 }, order), setmetatable({ n = 2 }, order)
print(one < two, two < one, one <= two, two >= one) --> true	false	true	true
print(pcall(function() return one < { n = 5 } end)) --> false	lenient_compare_metamethods.lua:6: attempt to compare two table values
local same = setmetatable({ n = 3 }, { __lt = order.__lt })
print(one < same, same < one) --> true	false
local other = setmetatable({ n = 3 }, { __lt = function() return true end })
print(pcall(function() return one < other end)) --> false	lenient_compare_metamethods.lua:10: attempt to compare two table values
