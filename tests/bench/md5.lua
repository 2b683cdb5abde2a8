-- MD5 digests of many strings, in the language itself: 32-bit arithmetic. Argument: how many strings.
-- Lua 5.1 has no operators for bits: like the libraries people use, this takes LuaJIT's `bit` where there is one, and
-- otherwise works byte by byte through a table of 65536 entries.
local floor, char, byte, format, rep = math.floor, string.char, string.byte, string.format, string.rep

local sines = {}
for i = 1, 64 do
    sines[i] = floor(math.abs(math.sin(i)) * 2 ^ 32)
end

local function littleEndian(word)
    return char(word % 256, floor(word / 256) % 256, floor(word / 65536) % 256, floor(word / 16777216) % 256)
end

-- The four mixing functions, and the sum of four numbers rotated to the left, plus a fifth, modulo 2^32.
local mix1, mix2, mix3, mix4, rotateAdd, unsigned

local hasBit, bit = pcall(require, "bit")
if hasBit then
    local band, bor, bxor, bnot, rol, tobit = bit.band, bit.bor, bit.bxor, bit.bnot, bit.rol, bit.tobit
    function mix1(x, y, z)
        return bxor(z, band(x, bxor(y, z)))
    end
    function mix2(x, y, z)
        return bxor(y, band(z, bxor(x, y)))
    end
    function mix3(x, y, z)
        return bxor(x, y, z)
    end
    function mix4(x, y, z)
        return bxor(y, bor(x, bnot(z)))
    end
    function rotateAdd(sum, rotation, b)
        return tobit(b + rol(tobit(sum), rotation))
    end
    function unsigned(x)
        return x % 4294967296
    end
else
    -- andOf[x * 256 + y] is x AND y; the other operations follow: x OR y = x + y - (x AND y), and so on.
    local andOf = {}
    for x = 0, 255 do
        for y = 0, 255 do
            local result, place, a, b = 0, 1, x, y
            while a > 0 and b > 0 do
                if a % 2 == 1 and b % 2 == 1 then
                    result = result + place
                end
                a, b, place = floor(a / 2), floor(b / 2), place * 2
            end
            andOf[x * 256 + y] = result
        end
    end
    local function band(x, y)
        local x0, y0 = x % 256, y % 256
        local x1, y1 = x % 65536, y % 65536
        local x2, y2 = x % 16777216, y % 16777216
        return andOf[x0 * 256 + y0] + andOf[x1 - x0 + (y1 - y0) / 256] * 256
            + andOf[(x2 - x1) / 256 + (y2 - y1) / 65536] * 65536
            + andOf[(x - x2) / 65536 + (y - y2) / 16777216] * 16777216
    end
    function mix1(x, y, z)
        return band(x, y) + band(4294967295 - x, z)
    end
    function mix2(x, y, z)
        return band(x, z) + band(y, 4294967295 - z)
    end
    function mix3(x, y, z)
        local xy = x + y - 2 * band(x, y)
        return xy + z - 2 * band(xy, z)
    end
    function mix4(x, y, z)
        local either = 4294967295 - band(4294967295 - x, z)
        return y + either - 2 * band(y, either)
    end
    local powers = {}
    for i = 0, 32 do
        powers[i] = 2 ^ i
    end
    function rotateAdd(sum, rotation, b)
        sum = sum % 4294967296
        local low = sum % powers[32 - rotation]
        return (b + low * powers[rotation] + (sum - low) / powers[32 - rotation]) % 4294967296
    end
    function unsigned(x)
        return x
    end
end

local function swap(word)
    word = unsigned(word)
    return word % 256 * 16777216 + floor(word / 256) % 256 * 65536 + floor(word / 65536) % 256 * 256
        + floor(word / 16777216)
end

local words = {}

local function md5(message)
    local bits = #message * 8
    local data = message .. "\128" .. rep("\0", (55 - #message) % 64)
        .. littleEndian(bits) .. littleEndian(floor(bits / 4294967296))
    local a0, b0, c0, d0 = 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476

    for block = 1, #data, 64 do
        for i = 0, 15 do
            local at = block + 4 * i
            local w0, w1, w2, w3 = byte(data, at, at + 3)
            words[i] = w0 + w1 * 256 + w2 * 65536 + w3 * 16777216
        end

        local a, b, c, d = a0, b0, c0, d0
        for i = 0, 15, 4 do
            a = rotateAdd(a + mix1(b, c, d) + sines[i + 1] + words[i], 7, b)
            d = rotateAdd(d + mix1(a, b, c) + sines[i + 2] + words[i + 1], 12, a)
            c = rotateAdd(c + mix1(d, a, b) + sines[i + 3] + words[i + 2], 17, d)
            b = rotateAdd(b + mix1(c, d, a) + sines[i + 4] + words[i + 3], 22, c)
        end
        for i = 16, 31, 4 do
            local k = 5 * i + 1
            a = rotateAdd(a + mix2(b, c, d) + sines[i + 1] + words[k % 16], 5, b)
            d = rotateAdd(d + mix2(a, b, c) + sines[i + 2] + words[(k + 5) % 16], 9, a)
            c = rotateAdd(c + mix2(d, a, b) + sines[i + 3] + words[(k + 10) % 16], 14, d)
            b = rotateAdd(b + mix2(c, d, a) + sines[i + 4] + words[(k + 15) % 16], 20, c)
        end
        for i = 32, 47, 4 do
            local k = 3 * i + 5
            a = rotateAdd(a + mix3(b, c, d) + sines[i + 1] + words[k % 16], 4, b)
            d = rotateAdd(d + mix3(a, b, c) + sines[i + 2] + words[(k + 3) % 16], 11, a)
            c = rotateAdd(c + mix3(d, a, b) + sines[i + 3] + words[(k + 6) % 16], 16, d)
            b = rotateAdd(b + mix3(c, d, a) + sines[i + 4] + words[(k + 9) % 16], 23, c)
        end
        for i = 48, 63, 4 do
            local k = 7 * i
            a = rotateAdd(a + mix4(b, c, d) + sines[i + 1] + words[k % 16], 6, b)
            d = rotateAdd(d + mix4(a, b, c) + sines[i + 2] + words[(k + 7) % 16], 10, a)
            c = rotateAdd(c + mix4(d, a, b) + sines[i + 3] + words[(k + 14) % 16], 15, d)
            b = rotateAdd(b + mix4(c, d, a) + sines[i + 4] + words[(k + 21) % 16], 21, c)
        end

        a0 = (a0 + a) % 4294967296
        b0 = (b0 + b) % 4294967296
        c0 = (c0 + c) % 4294967296
        d0 = (d0 + d) % 4294967296
    end
    return format("%08x%08x%08x%08x", swap(a0), swap(b0), swap(c0), swap(d0))
end

assert(md5("") == "d41d8cd98f00b204e9800998ecf8427e")
assert(md5("abc") == "900150983cd24fb0d6963f7d28e17f72")

local count = floor(tonumber((...)) or 20000)
local last = ""
for i = 0, count - 1 do
    -- Each message starts with the digest before, so none can be left out.
    last = md5(last .. " message " .. i .. rep(".", i % 50))
end
print(last)
