-- Library functions take numbers for strings and strings that spell numbers for numbers.
print(string.rep(12, "3"), ("x"):rep(2.9), string.len(1e15), string.sub(12345, "2", 3.7)) --> 121212	xx	5	23
print(math.max("10", 9), math.sqrt("16"), string.format("%d %s", "42", 7)) --> 10	4	42 7
print(pcall(math.sin)) --> false	bad argument #1 to 'sin' (number expected, got no value)
print(pcall(math.sin, {})) --> false	bad argument #1 to 'sin' (number expected, got table)
print(pcall(string.rep, "x", "y")) --> false	bad argument #2 to 'rep' (number expected, got string)
print(pcall(tostring)) --> false	bad argument #1 to 'tostring' (value expected)

-- Numbers are written with 14 digits, and rounding gives numbers of any size.
print(2 ^ 53, 1e15, 1e14, 99999999999999, -1e15, 123456789012345) --> 9.007199254741e+15	1e+15	1e+14	99999999999999	-1e+15	1.2345678901234e+14
print(2 ^ 53 .. "", math.floor(1e300), math.ceil(-1e300), math.floor(-3.5)) --> 9.007199254741e+15	1e+300	-1e+300	-4
print(-0, 0, 1 / 0, -1 / 0) --> -0	0	inf	-inf
print(tonumber("0x10"), tonumber("  7 "), tonumber("1e1"), tonumber(""), tonumber("1 2")) --> 16	7	10	nil	nil
print(tonumber("ff", 16), tonumber("-zz", 36), tonumber("8", 8), tonumber(10, 2), tonumber(nil)) --> 255	-1295	nil	2	nil
print(pcall(tonumber), pcall(tonumber, "1", 99)) --> false	false	bad argument #2 to 'tonumber' (base out of range)

-- tostring gives what __tostring gives; print insists on text, and goes by the global tostring.
local odd = setmetatable({}, { __tostring = function() return nil end })
print(tostring(odd) == nil, pcall(print, odd)) --> true	false	'tostring' must return a string to 'print'
local old = tostring
tostring = function(v) return "<" .. old(v) .. ">" end
print(1, nil) --> <1>	<nil>
tostring = old

-- Old names.
print(string.gfind == string.gmatch, math.mod == math.fmod, table.getn({ 1, 2 })) --> true	true	2

-- Files are userdata with a metatable.
local meta = getmetatable(io.stdout)
print(type(io.stdout), meta.__index == meta, io.stdout.nothing, type(meta.__gc)) --> userdata	true	nil	function
print(tostring(io.stdout):match("^file %(0x%x+%)$") ~= nil, io.type(io.stdin), io.type(3)) --> true	file	nil
local f = io.tmpfile()
print(f:write("a\n", 12, "\nrest") == f, f:seek("set"), f:read("*l", "*n", "*a")) --> true	0	a	12	
--> rest
f:close()
print(io.type(f), tostring(f), pcall(f.read, f)) --> closed file	file (closed)	false	attempt to use a closed file
print(io.open("/nowhere/x")) --> nil	/nowhere/x: No such file or directory	2
print(io.open("x", "nonsense")) --> nil	x: Invalid argument	22
