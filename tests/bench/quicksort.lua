-- Sorts pseudo-random numbers by a quicksort written out, three times. Argument: how many numbers.
local floor = math.floor

local function fill(n, start)
    local xs = {}
    local seed = start
    for i = 1, n do
        seed = seed * 16807 % 2147483647
        xs[i] = seed
    end
    return xs
end

local function sort(xs, first, last)
    local low = first
    local high = last
    local pivot = xs[floor((first + last) / 2)]
    while low <= high do
        while xs[low] < pivot do
            low = low + 1
        end
        while xs[high] > pivot do
            high = high - 1
        end
        if low <= high then
            xs[low], xs[high] = xs[high], xs[low]
            low = low + 1
            high = high - 1
        end
    end
    if first < high then
        sort(xs, first, high)
    end
    if low < last then
        sort(xs, low, last)
    end
end

local n = floor(tonumber((...)) or 800000)
for round = 1, 3 do
    local xs = fill(n, round)
    sort(xs, 1, n)
    for i = 2, n do
        assert(xs[i - 1] <= xs[i])
    end
    print(xs[1], xs[floor(n / 2) + 1], xs[n])
end
