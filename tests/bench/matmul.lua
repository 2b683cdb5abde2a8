-- Multiplies two square matrices of numbers. Argument: how many rows.
local function multiply(a, b, n)
    -- The columns of b, so that the inner loop walks along two arrays.
    local columns = {}
    for j = 1, n do
        local column = {}
        for k = 1, n do
            column[k] = b[k][j]
        end
        columns[j] = column
    end

    local product = {}
    for i = 1, n do
        local row = a[i]
        local out = {}
        for j = 1, n do
            local column = columns[j]
            local sum = 0
            for k = 1, n do
                sum = sum + row[k] * column[k]
            end
            out[j] = sum
        end
        product[i] = out
    end
    return product
end

local function make(n, scale)
    local rows = {}
    for i = 0, n - 1 do
        local row = {}
        for j = 0, n - 1 do
            row[j + 1] = scale * (i - j) * (i + j)
        end
        rows[i + 1] = row
    end
    return rows
end

local n = math.floor(tonumber((...)) or 440)
local scale = 1 / n / n
local product = multiply(make(n, scale), make(n, scale), n)
local trace = 0
for i = 1, n do
    trace = trace + product[i][i]
end
local middle = math.floor(n / 2) + 1
print(string.format("%.9f %.9f", product[middle][middle], trace))
