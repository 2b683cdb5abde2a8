-- args: check --no-warn=W3107,w3106 $FILE
-- The warnings with these codes are left out.
local unused = missing
function f() undeclared = 1 end --~ W3105:14 undeclared
