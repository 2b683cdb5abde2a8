-- Makes and calls closures: shared counters, composed functions, callbacks over an array. Argument: how many rounds.
local function makeCounter(start)
    local count = start
    return {
        add = function(n)
            count = count + n
        end,
        get = function()
            return count
        end,
    }
end

local function compose(f, g)
    return function(x)
        return f(g(x))
    end
end

local function addOf(n)
    return function(x)
        return x + n
    end
end

-- Calls `visit` for each number below n.
local function each(n, visit)
    for i = 0, n - 1 do
        visit(i)
    end
end

local rounds = math.floor(tonumber((...)) or 400000)
local counter = makeCounter(0)
local total = 0
for round = 0, rounds - 1 do
    local f = addOf(1)
    for i = 0, 7 do
        f = compose(f, addOf(i))
    end
    total = total + f(round)
    counter.add(round % 3)

    local sum = 0
    each(60, function(x)
        sum = sum + x + round % 2
    end)
    total = total + sum
end
print(string.format("%.0f", total), counter.get())
