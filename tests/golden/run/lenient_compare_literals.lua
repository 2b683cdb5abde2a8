-- What cannot be compared is an error when the program gets there, not before.
local function why(f) print((select(2, pcall(f)):gsub("^.-:%d+: ", ""))) end
why(function() return nil < nil end)    --> attempt to compare two nil values
why(function() return 1 < "x" end)      --> attempt to compare number with string
why(function() return true <= false end)  --> attempt to compare two boolean values
why(function() return {} > {} end)      --> attempt to compare two table values
print(1 < 2, "a" < "b", 1 == "1")       --> true	true	false
