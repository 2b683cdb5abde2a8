--!nowarn
if x then goto nowhere end --~ E2017:16 no label `nowhere` here
do
    if x then goto l end --~ E2019:15 goto `l` jumps into the scope of a local
    local x = 1
    ::l::
    print(x)
end
do
    ::twice::
    ::twice:: --~ E2018:5 label `twice` stands twice
end
local f = function() goto out end --~ E2017:27 no label `out` here
::out::
