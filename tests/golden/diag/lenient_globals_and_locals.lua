-- What `check` says about the names of a lenient file.
counter = 0
local unused, used = 1, 2                   --~ W3107:7 the local `unused` is never used
local _ignored = 3
local function helper(argument) return used end
local function dead() end                   --~ W3107:16 the local `dead` is never used
function inc(by)
    counter = counter + by
    totl = counter                          --~ W3105:5 assignment to the undeclared global `totl`
    totl = 1
    for i, v in ipairs({}) do end
    return helper(), undefined, undefined   --~ W3106:22 the global `undefined` is never assigned
end
local onlySet                               --~ W3107:7 the local `onlySet` is never used
onlySet = 5
local shadow = 1                            --~ W3107:7 the local `shadow` is never used
do
    local shadow = 2
    print(shadow)
end
function declare() _G.fromTable = 1 end
print(fromTable, math.pi, _VERSION, arg, string.format, unpack, later)
later = inc
