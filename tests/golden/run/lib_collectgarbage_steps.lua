-- Steps make a cycle, whose end they tell; bigger steps make it shorter; the tuning calls give what was set before.
collectgarbage("stop")
local function steps(size)
    local count = 0
    repeat
        count = count + 1
    until collectgarbage("step", size)
    return count
end
collectgarbage()
local keep = {}
for i = 1, 2000 do keep[i] = { i } end
local small, middle = steps(0), steps(6)
print(small > 10, middle < small, steps(20000)) --> true	true	1
print(collectgarbage("setstepmul", 400), collectgarbage("setstepmul", 200)) --> 200	400
print(collectgarbage("setpause", 150), collectgarbage("setpause", 200)) --> 200	150
-- A cycle of steps frees what was garbage when it began.
local function waste() for i = 1, 20000 do keep[0] = { i } end end
waste()
local before = collectgarbage("count")
steps(0)
print(collectgarbage("count") < before - 300) --> true
-- Stopped, nothing is collected; restarted, soon something is.
repeat local a = {} until collectgarbage("count") > before + 8000
collectgarbage("restart")
local limit = collectgarbage("count") + 4000
repeat local a = {} until collectgarbage("count") < before + 4000 or collectgarbage("count") > limit
print(collectgarbage("count") < before + 4000) --> true
