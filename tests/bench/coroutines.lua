-- Coroutines: a generator that yields numbers, a pair that passes a value to and fro, and permutations from a recursive
-- generator. Argument: how many numbers.
local yield = coroutine.yield

local function generate(n)
    local numbers = coroutine.wrap(function()
        for i = 0, n - 1 do
            yield(i)
        end
    end)
    local sum = 0
    for i in numbers do
        sum = sum + i
    end
    return sum
end

local function pingPong(n)
    local partner = coroutine.create(function(first)
        local value = first
        while true do
            value = yield(value + 1)
        end
    end)
    local resume = coroutine.resume
    local value = 0
    for _ = 1, n do
        local ok, answer = resume(partner, value)
        assert(ok, answer)
        value = answer
    end
    return value
end

local function permute(items, last)
    if last == 1 then
        yield(items)
        return
    end
    for i = 1, last do
        items[last], items[i] = items[i], items[last]
        permute(items, last - 1)
        items[last], items[i] = items[i], items[last]
    end
end

local function permutations(n)
    local items = {}
    for i = 1, n do
        items[i] = i
    end
    local all = coroutine.wrap(function()
        permute(items, n)
    end)
    local checksum = 0
    for permutation in all do
        checksum = (checksum * 31 + permutation[1] * 10 + permutation[n]) % 1000003
    end
    return checksum
end

local function short(n)
    -- Many coroutines that live for a moment.
    local finished = 0
    for i = 0, n - 1 do
        local one = coroutine.wrap(function(x)
            local y = yield(x + 1)
            return y * 2
        end)
        one(i)
        local result = one(i)
        finished = finished + result % 7
    end
    return finished
end

local n = math.floor(tonumber((...)) or 8000000)
print(string.format("%.0f", generate(n)))
print(string.format("%.0f", pingPong(n)))
print(permutations(8))
print(short(math.floor(n / 10)))
