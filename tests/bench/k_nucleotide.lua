-- Counts the stretches of 1, 2, 3, 4, 6, 12 and 18 nucleotides in a pseudo-random sequence: substrings as keys.
-- Argument: the length of the sequence.
local floor, sub = math.floor, string.sub

local function makeSequence(length)
    local nucleotides = { "A", "A", "A", "C", "C", "G", "G", "T", "T", "GGTATTTTAATTTATAGT" }
    local pieces = {}
    local made = 0
    local seed = 42
    while made < length do
        seed = (seed * 3877 + 29573) % 139968
        local piece = nucleotides[floor(seed * 10 / 139968) + 1]
        pieces[#pieces + 1] = piece
        made = made + #piece
    end
    return table.concat(pieces)
end

local function count(sequence, length)
    local counts = {}
    for at = 1, #sequence - length + 1 do
        local stretch = sub(sequence, at, at + length - 1)
        counts[stretch] = (counts[stretch] or 0) + 1
    end
    return counts
end

local function printShares(sequence, length)
    local shares = {}
    for name, occurrences in pairs(count(sequence, length)) do
        shares[#shares + 1] = { name = name, count = occurrences }
    end
    table.sort(shares, function(a, b)
        if a.count ~= b.count then
            return a.count > b.count
        end
        return a.name < b.name
    end)
    local total = #sequence - length + 1
    for _, share in ipairs(shares) do
        print(string.format("%s %.3f", share.name, 100 * share.count / total))
    end
end

local sequence = makeSequence(floor(tonumber((...)) or 1500000))
printShares(sequence, 1)
printShares(sequence, 2)
local stretches = { "GGT", "GGTA", "GGTATT", "GGTATTTTAATT", "GGTATTTTAATTTATAGT" }
for _, stretch in ipairs(stretches) do
    print(count(sequence, #stretch)[stretch] or 0, stretch)
end
