do local k = 0 ::top:: k = k + 1 if k < 3 then goto top end print(k) end --> 3
for i = 1, 3 do
    for j = 1, 3 do
        if j == 2 then goto continue end
        print(i, j)
        ::continue::
    end
end
--> 1	1
--> 1	3
--> 2	1
--> 2	3
--> 3	1
--> 3	3
do
    local made = {}
    local i = 1
    ::again::
    local x = i
    made[i] = function() x = x + 1 return x end
    i = i + 1
    if i <= 2 then goto again end
    print(made[1](), made[1](), made[2]()) --> 2	3	3
end
