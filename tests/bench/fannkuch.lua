-- Fannkuch: goes through all permutations of n numbers, turning over the first k of each while k, its first number, is
-- not 1. Prints a checksum and the highest count of turns. Argument: n.
local function fannkuch(n)
    local permutation, work, rotated = {}, {}, {} -- rotated[i]: how often the first i numbers have been rotated
    for i = 1, n do
        permutation[i] = i
        work[i] = 0
        rotated[i] = 0
    end
    local checksum = 0
    local highest = 0
    local even = true

    while true do
        local first = permutation[1]
        if first ~= 1 then
            for i = 2, n do
                work[i] = permutation[i]
            end
            local turns = 1
            while true do
                local next = work[first]
                if next == 1 then
                    break
                end
                work[first] = first
                local low = 2
                local high = first - 1
                while low < high do
                    work[low], work[high] = work[high], work[low]
                    low = low + 1
                    high = high - 1
                end
                first = next
                turns = turns + 1
            end
            if turns > highest then
                highest = turns
            end
            if even then
                checksum = checksum + turns
            else
                checksum = checksum - turns
            end
        end

        -- The next permutation: rotate the first two, three, ... numbers by one.
        even = not even
        local i = 2
        while true do
            local head = permutation[1]
            for k = 1, i - 1 do
                permutation[k] = permutation[k + 1]
            end
            permutation[i] = head
            rotated[i] = rotated[i] + 1
            if rotated[i] < i then
                break
            end
            rotated[i] = 0
            i = i + 1
            if i > n then
                return checksum, highest
            end
        end
    end
end

local n = math.floor(tonumber((...)) or 10)
local checksum, highest = fannkuch(n)
print(checksum .. "\nPfannkuchen(" .. n .. ") = " .. highest)
