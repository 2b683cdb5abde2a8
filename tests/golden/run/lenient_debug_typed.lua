-- The debug library in a file with classes and annotations: what is not `any` is not shown.
class Point {
    x: number,
    y: number,
    constructor(x: number, y: number)
        self.x = x
        self.y = y
    end,
    function len(): number
        local s = self.x * self.x
        return math.sqrt(s + self.y * self.y)
    end,
}
local p = Point(3, 4)
print(p.len())                          --> 5
local function add(a: number, b: number = 2): number
    local r: number = a + b
    return r
end
print(add(1), add(1, 5))                --> 3	6
local function any(a, b, ...)
    local c = add(a)
    local n: integer = 3
    print(debug.getlocal(1, 1), debug.getlocal(1, 2), debug.getlocal(1, 3), debug.getlocal(1,4), debug.getlocal(1,5))  --> a	b	c	nil	nil
    return c, select("#", ...)
end
print(any(1, 2, 3, 4))                  --> 3	2
local t: Table<string, number> = { a = 1 }
for k, v in t do print(k, v) end        --> a	1
local arr: Array<number> = { 1, 2, 3 }
for i, v in arr do local w = v * 2 io.write(w, ";") end print()  --> 2;4;6;
print((pcall(function(x: number) return x end, "s")))  --> false
const K = 5
print(K)                                --> 5
