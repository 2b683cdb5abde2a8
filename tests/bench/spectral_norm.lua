-- The spectral norm of an infinite matrix, by the power method. Argument: how many rows and columns to use.
local function entry(i, j)
    return 1 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

-- out = A * v
local function multiply(n, v, out)
    for i = 0, n - 1 do
        local sum = 0
        for j = 0, n - 1 do
            sum = sum + v[j + 1] * entry(i, j)
        end
        out[i + 1] = sum
    end
end

-- out = transposed A * v
local function multiplyTransposed(n, v, out)
    for i = 0, n - 1 do
        local sum = 0
        for j = 0, n - 1 do
            sum = sum + v[j + 1] * entry(j, i)
        end
        out[i + 1] = sum
    end
end

local n = math.floor(tonumber((...)) or 700)
local u, v, between = {}, {}, {}
for i = 1, n do
    u[i], v[i], between[i] = 1, 0, 0
end
for _ = 1, 10 do
    multiply(n, u, between)
    multiplyTransposed(n, between, v)
    multiply(n, v, between)
    multiplyTransposed(n, between, u)
end

local uv, vv = 0, 0
for i = 1, n do
    uv = uv + u[i] * v[i]
    vv = vv + v[i] * v[i]
end
print(string.format("%.9f", math.sqrt(uv / vv)))
