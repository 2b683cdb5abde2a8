#pragma once
// Where an interactive session reads its lines from: a terminal, with editing, history and completion (Debian's libedit), or anything
// else, plainly and without a prompt. This is the only file that knows libedit.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace luapp::driver {

/// What could stand in place of the last word of `line`, in order.
using Completer = std::function<std::vector<std::string>(std::string_view line)>;

class LineInput {
  public:
    enum class Status : uint8_t { Line, Interrupted, End };

    virtual ~LineInput() = default;
    /// Reads a line without its end. Interrupted: Ctrl-C, the line is to be forgotten.
    virtual Status next(const std::string& prompt, std::string& line) = 0;
    /// Keeps an entry, perhaps of several lines, in the history.
    virtual void remember(const std::string& entry) = 0;
    virtual bool isTerminal() const = 0;
};

/// Lines from standard input: edited if it and standard output are terminals.
std::unique_ptr<LineInput> openLineInput(Completer completer);

/// The last word of a line that completion is about: names joined by dots and colons.
std::string_view lastWord(std::string_view line);

}  // namespace luapp::driver
