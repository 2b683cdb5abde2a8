-- Finds the loops of a control flow graph and how they nest (Paul Havlak, "Nesting of Reducible and Irreducible Loops",
-- 1997). Container classes, objects as keys of tables, deep recursion, union-find. The graph is made of loops within
-- loops, as in the well-known benchmark, and of a few loops with two entries. Argument: how often the loops are found.

local function class()
    local new = {}
    new.__index = new
    return new
end

local List = class()

function List.new()
    return setmetatable({ items = {} }, List)
end

function List:size()
    return #self.items
end

function List:get(i)
    return self.items[i]
end

function List:add(item)
    local items = self.items
    items[#items + 1] = item
end

-- Remembers the order in which its elements came.
local Set = class()

function Set.new()
    return setmetatable({ known = {}, items = List.new() }, Set)
end

function Set:add(item)
    if self.known[item] == nil then
        self.known[item] = true
        self.items:add(item)
    end
end

local Block = class()

function Block.new(name)
    return setmetatable({ name = name, sources = List.new(), targets = List.new() }, Block)
end

local Graph = class()

function Graph.new()
    return setmetatable({ blocks = List.new() }, Graph)
end

function Graph:size()
    return self.blocks:size()
end

function Graph:start()
    return self.blocks:get(1)
end

-- The block of a name; blocks come into being in the order of their names.
function Graph:block(name)
    while self.blocks:size() < name do
        self.blocks:add(Block.new(self.blocks:size() + 1))
    end
    return self.blocks:get(name)
end

function Graph:connect(from, to)
    local source = self:block(from)
    local target = self:block(to)
    source.targets:add(target)
    target.sources:add(source)
end

-- The functions below add blocks behind the block `from` and return the last one.

function Graph:addStraight(from, count)
    for i = 0, count - 1 do
        self:connect(from + i, from + i + 1)
    end
    return from + count
end

function Graph:addDiamond(from)
    self:connect(from, from + 1)
    self:connect(from, from + 2)
    self:connect(from + 1, from + 3)
    self:connect(from + 2, from + 3)
    return from + 3
end

-- A loop around two others, one after the other.
function Graph:addLoops(from)
    local header = self:addStraight(from, 1)
    local middle = self:addDiamond(header)
    local second = self:addStraight(middle, 1)
    local bottom = self:addDiamond(second)
    local footer = self:addStraight(bottom, 1)
    self:connect(bottom, second)
    self:connect(middle, header)
    self:connect(footer, from)
    return self:addStraight(footer, 1)
end

-- A loop of two blocks that can be entered at either.
function Graph:addIrreducible(from)
    self:connect(from, from + 1)
    self:connect(from, from + 2)
    self:connect(from + 1, from + 2)
    self:connect(from + 2, from + 1)
    self:connect(from + 2, from + 3)
    return from + 3
end

local Loop = class()

-- Its fields:
--   header  none: the root, which is no loop itself
--   depth   how many loops are around it
--   height  how many levels of loops are in it
function Loop.new(header, isReducible)
    local self = setmetatable({ header = header, parent = nil, children = List.new(), blocks = Set.new(),
        isReducible = isReducible, depth = 0, height = 0 }, Loop)
    if header ~= nil then
        self.blocks:add(header)
    end
    return self
end

function Loop:setParent(parent)
    self.parent = parent
    parent.children:add(self)
end

function Loop:measure(depth)
    self.depth = depth
    for i = 1, self.children:size() do
        local child = self.children:get(i)
        child:measure(depth + 1)
        self.height = math.max(self.height, child.height + 1)
    end
end

local LoopForest = class()

function LoopForest.new()
    return setmetatable({ root = Loop.new(nil, true), loops = List.new() }, LoopForest)
end

function LoopForest:newLoop(header, isReducible)
    local loop = Loop.new(header, isReducible)
    self.loops:add(loop)
    return loop
end

-- To be called when all loops are known.
function LoopForest:finish()
    for i = 1, self.loops:size() do
        local loop = self.loops:get(i)
        if loop.parent == nil then
            loop:setParent(self.root)
        end
    end
    self.root:measure(0)
end

-- A block in the tree of the depth-first walk; blocks of an inner loop are united with its header.
local Node = class()

-- Its fields:
--   number  in the order of the walk
--   last    the greatest number below it
--   loop    the one whose header it is
function Node.new(block, number)
    return setmetatable({ block = block, number = number, last = number, united = nil, loop = nil,
        backSources = List.new(), otherSources = Set.new() }, Node)
end

function Node:unite(header)
    self.united = header
end

-- The header of the outermost loop known so far that this is in, or itself.
function Node:find()
    local path = List.new()
    local node = self
    while true do
        local next = node.united
        if next == nil then
            break
        end
        path:add(node)
        node = next
    end
    for i = 1, path:size() do
        path:get(i).united = node
    end
    return node
end

function Node:isAncestorOf(other)
    return self.number <= other.number and other.number <= self.last
end

local LoopFinder = class()

function LoopFinder.new()
    return setmetatable({ nodes = List.new(), numbers = {}, forest = LoopForest.new() }, LoopFinder)
end

function LoopFinder:walk(block)
    local node = Node.new(block, self.nodes:size() + 1)
    self.numbers[block] = node.number
    self.nodes:add(node)
    local targets = block.targets
    for i = 1, targets:size() do
        local target = targets:get(i)
        if self.numbers[target] == nil then
            self:walk(target)
        end
    end
    node.last = self.nodes:size()
end

-- Tells the edges that come from below a node in the tree from all others.
function LoopFinder:sortEdges()
    for i = 1, self.nodes:size() do
        local node = self.nodes:get(i)
        local sources = node.block.sources
        for j = 1, sources:size() do
            local number = self.numbers[sources:get(j)]
            if number ~= nil then -- can be reached
                if node:isAncestorOf(self.nodes:get(number)) then
                    node.backSources:add(number)
                else
                    node.otherSources:add(number)
                end
            end
        end
    end
end

-- Makes a loop of `header` and all that lead back to it, if there are any.
function LoopFinder:collect(header)
    local body = Set.new()
    local isLoop = false
    local isReducible = true
    for i = 1, header.backSources:size() do
        local number = header.backSources:get(i)
        isLoop = true
        if number ~= header.number then
            body:add(self.nodes:get(number):find())
        end
    end
    if not isLoop then
        return
    end

    -- What is added to the body on the way is looked at as well.
    local done = 0
    while done < body.items:size() do
        done = done + 1
        local sources = body.items:get(done).otherSources.items
        for i = 1, sources:size() do
            local source = self.nodes:get(sources:get(i)):find()
            if not header:isAncestorOf(source) then
                -- An entry besides the header.
                isReducible = false
                header.otherSources:add(source.number)
            elseif source ~= header then
                body:add(source)
            end
        end
    end

    local loop = self.forest:newLoop(header.block, isReducible)
    header.loop = loop
    for i = 1, body.items:size() do
        local node = body.items:get(i)
        node:unite(header)
        local inner = node.loop
        if inner == nil then
            loop.blocks:add(node.block)
        else
            inner:setParent(loop)
        end
    end
end

function LoopFinder:find(graph)
    self:walk(graph:start())
    self:sortEdges()
    for number = self.nodes:size(), 1, -1 do
        self:collect(self.nodes:get(number))
    end
    self.forest:finish()
    return self.forest
end

local function makeGraph()
    local graph = Graph.new()
    local at = graph:addLoops(1)
    local fork = at
    for _ = 1, 10 do
        graph:connect(fork, at + 1)
        at = at + 1
        for _ = 1, 10 do
            local top = at
            at = graph:addStraight(at, 1)
            for _ = 1, 5 do
                at = graph:addLoops(at)
            end
            at = graph:addIrreducible(at)
            local bottom = graph:addStraight(at, 1)
            graph:connect(at, top)
            at = bottom
        end
    end
    return graph
end

local runs = math.floor(tonumber((...)) or 24)
local graph = makeGraph()
print("blocks " .. graph:size())
for run = 1, runs do
    local forest = LoopFinder.new():find(graph)
    if run == 1 then
        local irreducible, depths, blocks = 0, 0, 0
        for i = 1, forest.loops:size() do
            local loop = forest.loops:get(i)
            if not loop.isReducible then
                irreducible = irreducible + 1
            end
            depths = depths + loop.depth
            blocks = blocks + loop.blocks.items:size()
        end
        print("loops " .. forest.loops:size() .. ", irreducible " .. irreducible .. ", levels " .. forest.root.height)
        print("sum of depths " .. depths .. ", blocks in loops " .. blocks)
    end
end
