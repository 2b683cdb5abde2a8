-- The sieve of Eratosthenes, five times over: an array of booleans. Argument: the highest number.
local function sieve(limit)
    local composite = {}
    for i = 1, limit do
        composite[i] = false
    end
    local count = 0
    for i = 2, limit do
        if not composite[i] then
            count = count + 1
            for multiple = i * i, limit, i do
                composite[multiple] = true
            end
        end
    end
    return count
end

local limit = math.floor(tonumber((...)) or 3000000)
for round = 1, 5 do
    print(sieve(limit - round))
end
