-- args: run -i $FILE
-- stdin: x, f(2)
-- After the script the session goes on with its globals.
x = 7
function f(n) return n * 2 end
print("script")
--> script
--> 7	4
