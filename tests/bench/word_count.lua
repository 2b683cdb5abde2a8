-- Counts the words of a text and sorts them by how often they occur: patterns, string keys, sorting.
-- Argument: how many words the text has.
local function makeText(words)
    local seed = 42
    local function random(below)
        seed = (seed * 3877 + 29573) % 139968
        return seed % below
    end
    local vocabulary = {}
    for i = 1, 3000 do
        local letters = {}
        for k = 1, 2 + random(7) do
            letters[k] = string.char(97 + random(26))
        end
        vocabulary[i] = table.concat(letters)
    end
    local pieces = {}
    for i = 1, words do
        pieces[i] = vocabulary[random(random(3000) + 1) + 1]
    end
    return table.concat(pieces, " ")
end

local function count(text)
    local counts = {}
    for word in string.gmatch(text, "%a+") do
        counts[word] = (counts[word] or 0) + 1
    end
    return counts
end

local text = makeText(math.floor(tonumber((...)) or 1200000))
for round = 1, 8 do
    local counts = count(text)
    local words = {}
    for word in pairs(counts) do
        words[#words + 1] = word
    end
    table.sort(words, function(a, b)
        if counts[a] ~= counts[b] then
            return counts[a] > counts[b]
        end
        return a < b
    end)
    if round == 1 then
        print(#words)
        for i = 1, 5 do
            print(words[i], counts[words[i]])
        end
    end
end
