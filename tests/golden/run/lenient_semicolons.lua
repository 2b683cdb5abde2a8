-- A semicolon alone is no statement for loadstring, as in Lua 5.1; files may have it.
print(loadstring("do; end")) --> nil	[string "do; end"]:1: unexpected symbol near ';'
print(loadfile("lone.lua")()) --> lone
for i = 1, 1 do; print(i); end --> 1

-- file: lone.lua
do; end
return "lone"
