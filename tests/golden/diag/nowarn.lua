--!nowarn W3107, w3105
local unused = 1
function f() undeclared = missing end   --~ W3106:27 the global `missing` is never assigned
