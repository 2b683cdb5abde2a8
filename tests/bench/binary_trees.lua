-- Builds, walks and drops binary trees: allocation and collection. Argument: the depth of the deepest tree.
local function build(depth)
    if depth == 0 then
        return {}
    end
    return { left = build(depth - 1), right = build(depth - 1) }
end

local function count(tree)
    local left, right = tree.left, tree.right
    if left == nil or right == nil then
        return 1
    end
    return 1 + count(left) + count(right)
end

local deepest = math.max(6, math.floor(tonumber((...)) or 14))
print("stretch tree of depth " .. deepest + 1 .. "\t check: " .. count(build(deepest + 1)))

local longLived = build(deepest)
for depth = 4, deepest, 2 do
    local trees = 2 ^ (deepest - depth + 4)
    local check = 0
    for _ = 1, trees do
        check = check + count(build(depth))
    end
    print(trees .. "\t trees of depth " .. depth .. "\t check: " .. check)
end
print("long lived tree of depth " .. deepest .. "\t check: " .. count(longLived))
