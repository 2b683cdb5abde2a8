-- Where environments change, nobody knows what is global.
local unused = 1 --~ W3107:7 the local `unused` is never used
setfenv(1, { print = print })
function f() unknown = other end
