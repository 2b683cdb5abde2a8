-- Which place error() and assert() put in front of a message: levels count the library as well, which has no place.
print(pcall(function() error("here") end))          --> false	lenient_errors_levels.lua:2: here
print(pcall(function() error("none", 0) end))       --> false	none
print(pcall(function() error("library", 2) end))    --> false	library
local function f() error("caller", 2) end
local function g()
    f()                                             -- line 7
    return 1
end
print(pcall(g))                                     --> false	lenient_errors_levels.lua:7: caller
print(pcall(error, "library"))                      --> false	library
print(pcall(error, "main", 2))                      --> false	lenient_errors_levels.lua:12: main
print(pcall(function() error(5) end))               --> false	lenient_errors_levels.lua:13: 5
print(pcall(function() error() end))                --> false	nil
print(type(select(2, pcall(error, {}))))            --> table
print(pcall(function() assert(nil, "why") end))     --> false	lenient_errors_levels.lua:16: why
print(pcall(function() assert(false) end))          --> false	lenient_errors_levels.lua:17: assertion failed!
print(pcall(assert, false, "bare"))                 --> false	bare
print(assert(1, 2, 3))                              --> 1	2	3
