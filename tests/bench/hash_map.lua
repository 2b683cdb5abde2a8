-- Tables as dictionaries, with string and with number keys: inserting, looking up, removing, walking. Argument: how
-- many keys.
local function strings(n)
    local names = {}
    for i = 0, n - 1 do
        names[#names + 1] = "key" .. i * 7919 % n
    end

    local counts = {}
    for round = 0, 2 do
        for i = 1, #names do
            local name = names[i]
            counts[name] = (counts[name] or 0) + round
        end
    end
    local sum = 0
    for _, count in pairs(counts) do
        sum = sum + count
    end
    return sum
end

local function numbers(n)
    local squares = {}
    for i = 0, n - 1 do
        squares[i * 1000003 % 16777213] = i
    end
    local found = 0
    for key = 0, 4 * n - 1 do
        if squares[key * 3] ~= nil then
            found = found + 1
        end
    end
    -- Every other key goes, and comes back.
    for i = 0, n - 1, 2 do
        squares[i * 1000003 % 16777213] = nil
    end
    for i = 0, n - 1, 2 do
        squares[i * 1000003 % 16777213] = 1
    end
    for _, value in pairs(squares) do
        found = found + value
    end
    return found
end

local n = math.floor(tonumber((...)) or 300000)
print(strings(n))
print(numbers(n))
