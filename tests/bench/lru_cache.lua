-- A cache that forgets what was not used for longest: a table into a doubly linked list, as a class used with numbers
-- and with strings as keys. Argument: how many look-ups.

local function class()
    local new = {}
    new.__index = new
    return new
end

local Entry = class()

function Entry.new(key, value)
    return setmetatable({ key = key, value = value, newer = nil, older = nil }, Entry)
end

local LruCache = class()

function LruCache.new(capacity)
    return setmetatable({ hits = 0, misses = 0, capacity = capacity, count = 0, entries = {}, newest = nil,
        oldest = nil }, LruCache)
end

function LruCache:size()
    return self.count
end

-- The value at `key`, or nil. It counts as used.
function LruCache:get(key)
    local entry = self.entries[key]
    if entry == nil then
        self.misses = self.misses + 1
        return nil
    end
    self.hits = self.hits + 1
    self:touch(entry)
    return entry.value
end

function LruCache:put(key, value)
    local known = self.entries[key]
    if known ~= nil then
        known.value = value
        self:touch(known)
        return
    end
    if self.count == self.capacity then
        local last = self.oldest
        self:unlink(last)
        self.entries[last.key] = nil
        self.count = self.count - 1
    end
    local entry = Entry.new(key, value)
    self.entries[key] = entry
    self.count = self.count + 1
    self:linkFirst(entry)
end

-- From the one used last to the one used longest ago.
function LruCache:each(f)
    local entry = self.newest
    while entry ~= nil do
        f(entry.key, entry.value)
        entry = entry.older
    end
end

function LruCache:touch(entry)
    if entry ~= self.newest then
        self:unlink(entry)
        self:linkFirst(entry)
    end
end

function LruCache:unlink(entry)
    local newer = entry.newer
    local older = entry.older
    if newer == nil then
        self.newest = older
    else
        newer.older = older
    end
    if older == nil then
        self.oldest = newer
    else
        older.newer = newer
    end
end

function LruCache:linkFirst(entry)
    local second = self.newest
    entry.newer = nil
    entry.older = second
    if second == nil then
        self.oldest = entry
    else
        second.newer = entry
    end
    self.newest = entry
end

-- Keys as they come in life: some often, most seldom.
local Keys = class()

function Keys.new(seed, range)
    return setmetatable({ seed = seed, range = range }, Keys)
end

function Keys:random()
    self.seed = (self.seed * 3877 + 29573) % 139968
    return self.seed / 139968
end

function Keys:next()
    return math.floor(self:random() * self:random() * self:random() * self.range)
end

-- Squares that are computed where the cache does not have them.
local function squares(lookups)
    local cache = LruCache.new(1000)
    local keys = Keys.new(42, 10000)
    local sum = 0
    for _ = 1, lookups do
        local key = keys:next()
        local square = cache:get(key)
        if square == nil then
            square = key * key
            cache:put(key, square)
        end
        sum = sum + square % 1000
    end
    print("squares: " .. cache.hits .. " hits, " .. cache.misses .. " misses, sum " .. sum)
    sum = 0
    cache:each(function(key, square)
        sum = (sum * 31 + key + square) % 1000003
    end)
    print(cache:size() .. " left, check sum " .. sum)
end

-- How often a page was asked for, as far as the cache remembers.
local function pages(lookups)
    local names = {}
    for i = 0, 1999 do
        names[i] = "/page/" .. i
    end
    local cache = LruCache.new(200)
    local keys = Keys.new(7, 2000)
    for _ = 1, lookups do
        local name = names[keys:next()]
        cache:put(name, (cache:get(name) or 0) + 1)
    end
    local sum = 0
    cache:each(function(name, count)
        sum = (sum * 31 + #name + count) % 1000003
    end)
    print("pages: " .. cache.hits .. " hits, " .. cache.misses .. " misses, check sum " .. sum)
end

local lookups = math.floor(tonumber((...)) or 1200000)
squares(lookups)
pages(lookups)
