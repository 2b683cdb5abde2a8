-- Recursive Fibonacci: nothing but calls, comparisons and additions. Argument: which number.
local function fib(n)
    if n <= 1 then
        return n
    end
    return fib(n - 1) + fib(n - 2)
end

print(fib(tonumber((...)) or 36))
