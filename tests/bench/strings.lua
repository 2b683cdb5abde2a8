-- Builds strings: short ones by concatenation, a long one from many pieces, then takes it apart with patterns.
-- Argument: how many lines.
local concat = table.concat

local function makeLine(i)
    local line = "line " .. i .. ":"
    for word = 1, 8 do
        line = line .. " " .. (i * word % 1000)
    end
    return line
end

local function makeText(count)
    local lines = {}
    for i = 0, count - 1 do
        lines[#lines + 1] = makeLine(i)
    end
    return concat(lines, "\n")
end

local function reverseWords(line)
    local words = {}
    for word in line:gmatch("%S+") do
        words[#words + 1] = word:reverse():upper()
    end
    local low, high = 1, #words
    while low < high do
        words[low], words[high] = words[high], words[low]
        low = low + 1
        high = high - 1
    end
    return concat(words, " ")
end

local count = math.floor(tonumber((...)) or 100000)
local text = makeText(count)
print(#text)

local length = 0
local last = ""
for line in text:gmatch("[^\n]+") do
    last = reverseWords(line)
    length = length + #last
end
print(length, last)

local replaced, times = text:gsub("(%d)(%d)", "%2%1")
print(#replaced, times, replaced:sub(-30))
