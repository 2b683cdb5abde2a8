-- What `and`, `or` and parentheses cut to one value is one value where a function returns it.
local function three() return 1, 2, 3 end
local function either() return nil or three() end
local function both() return true and three() end
local function cut() return (three()) end
local function all() return three() end
print(either()) --> 1
print(both()) --> 1
print(cut()) --> 1
print(all()) --> 1	2	3
