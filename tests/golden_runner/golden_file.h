// One golden test file, taken apart: directives, the files the program consists of, and what is expected of it.
//
// Form (docs/testing.md has the user's view):
//   first lines  `-- args: disasm --emit=ir $FILE`, `-- exit: 1`, `-- stdin: text`, `-- show: f g`, `-- needs: x64`
//                ($FILE stands for the main file; without `args` the folder decides)
//   anywhere     `-- file: name` starts another file of the program (what stands before the first is the main file)
//   dump test    a block at the end, `--[==[ expect` ... `]==]`, is cut off and compared with standard output
//   behaviour    `--> text` at a line: the next line of standard output; `--~ E2001:7 text` a diagnostic of this line at
//                column 7 (the folder diag demands the column);
//                `--~ error text`: a run-time error raised at this line, reported on standard error;
//                `--2> text`: standard error contains this text
// In files with `--!comment` the same markers start with `#` instead of `--`. Made and read by the golden runner only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace luapp::golden {

/// A diagnostic or run-time error that a line announces.
struct Announced {
    std::string file;
    int line = 0;
    int column = 0;    // 0: not said
    std::string code;  // "E2001", "W3001", or "error" for a run-time error
    std::string text;  // must occur in the message; may be empty
};

struct SubFile {
    std::string name;
    std::string text;
};

struct GoldenFile {
    std::string name;                 // file name without folder
    std::vector<SubFile> files;       // the first is the main file
    std::vector<std::string> args;    // empty: the folder's default
    std::vector<std::string> show;    // functions a dump is limited to
    std::string stdinText;
    int exitStatus = 0;
    bool exitGiven = false;
    bool hasExpectBlock = false;
    std::string expectBlock;
    bool hasOutputMarkers = false;
    std::string expectedOutput;       // joined `-->` lines
    std::vector<Announced> announced;
    std::vector<std::string> expectedErrors;  // `--2>` texts
};

/// Takes `text`, the content of the golden file `name`, apart. Never fails: what is no directive is program text.
GoldenFile parseGolden(std::string_view name, std::string_view text);

/// `text` with the block at its end replaced by (or, if there is none, extended with) one that holds `output`.
std::string withExpectBlock(std::string_view text, std::string_view output);

}  // namespace luapp::golden
