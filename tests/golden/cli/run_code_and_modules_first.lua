-- args: run -e x=5 -l ./helper -e print(x,helped) $FILE one two
-- `-e` and `-l` run in their order before the script, in the same globals; `arg` counts back over the command line.
--> helper runs	(command line)
--> 5	true
print(x, helped, ...)                           --> 5	true	one	two
print(arg[0], arg[1], arg[2], #arg)             --> run_code_and_modules_first.lua	one	two	2
print(arg[-1], arg[-2], arg[-4], arg[-7])       --> print(x,helped)	-e	-l	run
print(arg[-8], arg[-9])                         --> luapp	nil
-- file: helper.lua
helped = true
print("helper runs", "(command line)")
