-- Coroutines of plain Lua: every way to switch, what crosses it, and what becomes of errors.
local resume, yield, status, wrap = coroutine.resume, coroutine.yield, coroutine.status, coroutine.wrap
local co
co = coroutine.create(function(...)
    print("start", select("#", ...), ...)
    print("none", yield())
    print("one", yield("a"))
    print("many", yield("b", nil, "c"))
    print(status(co), pcall(resume, co))
    return "end", nil
end)
print(status(co), resume(co, 1, nil, 3))
--> start	3	1	nil	3
--> suspended	true
print(resume(co))
--> none
--> true	a
print(resume(co, "x"))
--> one	x
--> true	b	nil	c
print(resume(co, "x", "y", "z"))
--> many	x	y	z
--> running	true	false	cannot resume non-suspended coroutine
--> true	end	nil
print(status(co), resume(co)) --> dead	false	cannot resume dead coroutine

-- A yield crosses protected calls, metamethods, iterators and callbacks of the library.
local t = setmetatable({}, {__index = function(_, k) return yield(k) end, __add = function(a, b) return yield("add") + b end})
local crossing = wrap(function()
    local ok, e = pcall(function() return t.name .. yield("in pcall") .. error("thrown") end)
    yield(ok, e)
    yield(t + 1)
    for v in function(_, last) return yield(last) end, nil, "first" do yield("loop " .. v) end
    yield((string.gsub("ab", "%w", function(c) return yield(c) end)))
    local list = {2, 1, 3}
    table.sort(list, function(a, b) yield("sort") return a < b end)
    return table.concat(list, ",")
end)
print(crossing()) --> name
print(crossing("n")) --> in pcall
print(crossing("p")) --> false	lenient_coroutines.lua:30: thrown
print(crossing()) --> add
print(crossing(41)) --> 42
print(crossing()) --> first
print(crossing("second")) --> loop second
print(crossing()) --> second
print(crossing(nil)) --> a
print(crossing("x")) --> b
print(crossing("y")) --> xy
local answer repeat answer = crossing() until answer ~= "sort"
print(answer, pcall(crossing)) --> 1,2,3	false	cannot resume dead coroutine

-- Errors end a coroutine and say where; the resumer goes on, also as the caller in messages.
local failing = coroutine.create(function() yield() local x; x() end)
resume(failing)
print(resume(failing)) --> false	lenient_coroutines.lua:54: attempt to call local 'x' (a nil value)
print(status(failing), (debug.traceback(failing):gsub("\n%s*", " | "))) --> dead	stack traceback: | lenient_coroutines.lua:54: in function <lenient_coroutines.lua:54>
local w = wrap(function() yield(1) error({code = 7}) end)
print(w(), select(2, pcall(w)).code) --> 1	7
local text = wrap(function() yield(1) error("text") end)
text()
print(pcall(function() local r = text() return r end)) --> false	lenient_coroutines.lua:62: lenient_coroutines.lua:60: text
print(pcall(yield, 1)) --> false	attempt to yield from outside a coroutine

-- A chain: each resumes the next and is normal meanwhile; errors and yields go one step back.
local chain = {}
for i = 1, 5 do
    chain[i] = coroutine.create(function()
        if i < 5 then
            print(i, status(chain[i]), resume(chain[i + 1]))
            yield(i)
        else
            for k = 1, 5 do io.write(status(chain[k]), k < 5 and " " or "\n") end
            error("deep", 0)
        end
    end)
end
print(resume(chain[1]))
--> normal normal normal normal running
--> 4	running	false	deep
--> 3	running	true	4
--> 2	running	true	3
--> 1	running	true	2
--> true	1

-- Deep recursion in one, and its overflow, leave the others alone.
local function down(n) if n == 0 then return yield("bottom") end return 1 + down(n - 1) end
local deep = wrap(down)
print(deep(5000), deep(0)) --> bottom	5000
local function endless(n) return 1 + endless(n + 1) end
local ok, message = resume(coroutine.create(endless), 1)
print(ok, (message:gsub("^.-(stack overflow).*$", "%1"))) --> false	stack overflow

-- Tail calls, calls with all results of another, and method calls switch too.
local tail = wrap(function(a) return yield(a) end)
print(tail(1), tail(2, 3)) --> 1	2	3
local function two() return "p", "q" end
local object = {yield = function(self, ...) return yield(...) end}
local packs = wrap(function() local a, b = yield(two()) return object:yield(a, b, two()) end)
print(packs()) --> p	q
print(packs(1, 2)) --> 1	2	p	q

-- Unreachable ones go with what they hold; the others keep it through collections.
local weak = setmetatable({}, {__mode = "v"})
do
    local held = coroutine.create(function() local big = {} weak[1] = big yield() return big end)
    resume(held)
    collectgarbage()
    print(weak[1] ~= nil, select(2, resume(held)) == weak[1]) --> true	true
end
local all = {}
for i = 1, 3000 do
    all[i] = wrap(function(a) local sum, cell = a, {a} while true do sum = sum + yield(sum) + cell[1] end end)
    all[i](i)
end
collectgarbage()
local total = 0
for round = 1, 3 do for i = 1, 3000 do total = total + all[i](round) end end
print(total) --> 40543500

-- Finalisers that became due in one coroutine run in whichever goes on.
local finalised = 0
local proxy = newproxy(true)
getmetatable(proxy).__gc = function() finalised = finalised + 1 end
proxy = nil
local collector = wrap(function() while true do collectgarbage() yield() end end)
for _ = 1, 3 do collector() end
print(finalised) --> 1
