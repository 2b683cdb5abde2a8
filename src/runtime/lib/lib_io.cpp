// The io library and the members of files, over C streams (unlocked: a State runs on one thread). Functions that can fail for
// outside reasons answer nil, a message and an error number; wrong use (a closed file, an unknown format) raises. print and
// io.write go straight to the current output's buffer.
#include <cerrno>
#include <cstring>

#include "runtime/lib/builtin_values.h"
#include "runtime/lib/builtins.h"
#include "runtime/lib/lenient_args.h"
#include "runtime/lib/lib_support.h"
#include "runtime/object/lua_table.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

namespace {

constexpr size_t kChunk = 4096;

void finaliseFile(void* payload) {
    Stream& stream = *static_cast<Stream*>(payload);
    if (stream.file == nullptr || stream.isStandard) return;
    if (stream.isPipe) {
        pclose(stream.file);
    } else {
        std::fclose(stream.file);
    }
    stream.file = nullptr;
}

const char* statusOfFile(const void* payload) {
    return static_cast<const Stream*>(payload)->file == nullptr ? "closed" : nullptr;
}

Userdata* newFile(State& s, std::FILE* file, bool isPipe, bool isStandard) {
    // The object comes first and the stream last, so an error in between leaks nothing.
    Userdata* const u = newUserdata(s, &kFileClass, sizeof(Stream));
    streamOf(u) = Stream{file, isPipe, isStandard, false};
    return u;
}

Userdata* fileArg(const Word* args, unsigned i = 0) { return refOf<Userdata>(args[i]); }

/// The C stream of a file that must be open.
std::FILE* openStream(State& s, Userdata* u) {
    std::FILE* const file = streamOf(u).file;
    if (file == nullptr) raiseLib(s, "attempt to use a closed file");
    return file;
}

/// Keeps a file with a role alive.
void keepInRegistry(State& s, const char* role, Userdata* u) {
    if (s.registry == nullptr) s.registry = newLuaTable(s);
    luaSetString(s, s.registry, newString(s, role), Value::object(u));
}

Userdata* standardFile(State& s, Userdata*& slot, std::FILE* file, const char* role) {
    if (slot == nullptr) {
        Userdata* const u = newFile(s, file, false, true);
        keepInRegistry(s, role, u);
        slot = u;
    }
    return slot;
}

Userdata* standardInput(State& s) { return standardFile(s, libState(s).files.in, libState(s).options.in, "io.stdin"); }
Userdata* standardOutput(State& s) { return standardFile(s, libState(s).files.out, libState(s).options.out, "io.stdout"); }

Userdata* currentInput(State& s) {
    Userdata* const u = libState(s).files.input;
    return u != nullptr ? u : standardInput(s);
}
Userdata* currentOutput(State& s) {
    Userdata* const u = libState(s).files.output;
    return u != nullptr ? u : standardOutput(s);
}

// --- results

/// What a failure gives: nil, "path: reason" and the error number.
Word failure(State& s, const char* path, int error) {
    TextBuilder out(s);
    if (path != nullptr) {
        out.append(path);
        out.append(": ");
    }
    out.append(std::strerror(error));
    return failureResult(s, out.finish(), error);
}

Word booleanResult(State& s, bool ok, const char* path = nullptr) {
    return ok ? packResult(s, Value::boolean(true)) : failure(s, path, errno);
}

/// The results of functions that give a file: it, or nil and why not.
Word fileResult(State& s, Userdata* u, const char* path) {
    return streamOf(u).file != nullptr ? packResult(s, Value::object(u)) : failure(s, path, errno);
}

// --- reading; the results are boxed

/// A line without its end (or with it); nil at the end of the file.
String* readLine(State& s, std::FILE* file, bool keepEnd) {
    char chunk[kChunk];
    size_t used = 0;
    TextBuilder out(s);
    bool isLong = false;
    for (;;) {
        const int c = getc_unlocked(file);
        if (c == EOF && used == 0 && !isLong) return nullptr;
        if (c == EOF || (c == '\n' && !keepEnd)) break;
        if (used == kChunk) {
            out.append(std::string_view(chunk, used));
            isLong = true;
            used = 0;
        }
        chunk[used++] = static_cast<char>(c);
        if (c == '\n') break;
    }
    if (!isLong) return newString(s, {chunk, used});
    out.append(std::string_view(chunk, used));
    return out.finish();
}

String* readAll(State& s, std::FILE* file) {
    char chunk[kChunk * 2];
    TextBuilder out(s);
    size_t got = 0;
    do {
        got = fread_unlocked(chunk, 1, sizeof chunk, file);
        out.append(std::string_view(chunk, got));
    } while (got == sizeof chunk);
    return out.finish();
}

/// Up to `count` bytes; null at the end of the file.
String* readCount(State& s, std::FILE* file, uint64_t count) {
    if (count == 0) {
        const int c = getc_unlocked(file);
        if (c == EOF) return nullptr;
        std::ungetc(c, file);
        return s.emptyString;
    }
    char chunk[kChunk * 2];
    TextBuilder out(s);
    uint64_t left = count;
    while (left > 0) {
        const size_t wanted = left < sizeof chunk ? static_cast<size_t>(left) : sizeof chunk;
        const size_t got = fread_unlocked(chunk, 1, wanted, file);
        out.append(std::string_view(chunk, got));
        left -= got;
        if (got < wanted) break;
    }
    return left == count ? nullptr : out.finish();
}

/// Reads the longest prefix that looks like a numeral, as C's scanf would.
class NumeralReader {
public:
    explicit NumeralReader(std::FILE* file) : file_(file) {
        do next();
        while (c_ == ' ' || (c_ >= '\t' && c_ <= '\r'));
    }

    bool read(double& out) {
        accept('+', '-');
        bool isHex = false;
        if (accept('0', '0')) isHex = accept('x', 'X');
        digits(isHex);
        if (accept('.', '.')) digits(isHex);
        if (isHex ? accept('p', 'P') : accept('e', 'E')) {
            accept('+', '-');
            digits(false);
        }
        if (c_ != EOF) std::ungetc(c_, file_);
        return !overflow_ && base::textToNumber(std::string_view(text_, length_), out);
    }

private:
    void next() { c_ = getc_unlocked(file_); }
    void take() {
        if (length_ < sizeof text_) {
            text_[length_++] = static_cast<char>(c_);
        } else {
            overflow_ = true;
        }
        next();
    }
    bool accept(char a, char b) {
        if (c_ != a && c_ != b) return false;
        take();
        return true;
    }
    void digits(bool isHex) {
        while ((c_ >= '0' && c_ <= '9') || (isHex && ((c_ >= 'a' && c_ <= 'f') || (c_ >= 'A' && c_ <= 'F')))) take();
    }

    std::FILE* file_;
    int c_ = EOF;
    char text_[200];
    size_t length_ = 0;
    bool overflow_ = false;
};

Value readNumber(std::FILE* file) {
    double d = 0;
    return NumeralReader(file).read(d) ? Value::fromRawDouble(d) : Value::nil();
}

/// Reads by one format; `index` is the argument's number for messages.
Value readFormat(State& s, std::FILE* file, Value format, unsigned index, const char* function) {
    if (format.isNumber()) {
        const double count = format.asNumber();
        if (!(count >= 0)) raiseArgument(s, index, function, "count is negative");
        return stringOrNil(readCount(s, file, static_cast<uint64_t>(count)));
    }
    if (!format.isString()) raiseArgumentType(s, index, function, "string", format);
    std::string_view text = format.asString()->view();
    if (!text.empty() && text[0] == '*') text.remove_prefix(1);  // Lua 5.1's spelling
    switch (text.empty() ? '\0' : text[0]) {
        case 'l': return stringOrNil(readLine(s, file, false));
        case 'L': return stringOrNil(readLine(s, file, true));
        case 'a': return Value::string(readAll(s, file));
        case 'n': return readNumber(file);
        default: raiseArgument(s, index, function, "invalid format");
    }
}

/// Reads by `count` boxed formats (none: a line) into the pack; stops behind the first nil. `formats` may not lie in the result area.
Word readFormats(State& s, std::FILE* file, const Word* formats, uint32_t count, unsigned firstIndex, const char* function) {
    clearerr_unlocked(file);
    if (count == 0) return packResult(s, stringOrNil(readLine(s, file, false)));
    ensureResults(s, count);
    for (uint32_t i = 0; i < count; i++) s.results[i] = kNilBox;
    for (uint32_t i = 0; i < count; i++) {
        s.resultCount = i + 1;
        const Value v = readFormat(s, file, Value::fromWord(formats[i]), firstIndex + i, function);
        s.results[i] = v.word();
        if (v.isNil()) break;
    }
    return s.results[0];
}

uint64_t countArg(State& s, Word w, unsigned index) {
    const double count = numberOf(w);
    if (!(count >= 0)) raiseArgument(s, index, "read", "count is negative");
    return static_cast<uint64_t>(count);
}

// --- writing

/// What writing to `u` gives: the file, so that calls can be chained, or nil and why not.
Word writeResult(State& s, Userdata* u, bool ok) { return ok ? packResult(s, Value::object(u)) : failure(s, nullptr, errno); }

/// Writes `count` boxed strings and numbers.
Word writeValues(State& s, Userdata* u, const Word* values, uint32_t count, unsigned firstIndex) {
    std::FILE* const file = openStream(s, u);
    bool ok = true;
    for (uint32_t i = 0; i < count; i++) {
        const Value v = Value::fromWord(values[i]);
        if (v.isString()) {
            const std::string_view text = v.asString()->view();
            ok = fwrite_unlocked(text.data(), 1, text.size(), file) == text.size() && ok;
        } else if (v.isNumber()) {
            char text[base::kNumberTextSize];
            const size_t length = base::numberToText(v.asNumber(), text, numberStyle(s, v.asNumber()));
            ok = fwrite_unlocked(text, 1, length, file) == length && ok;
        } else {
            raiseArgumentType(s, firstIndex + i, "write", "string", v);
        }
    }
    return writeResult(s, u, ok);
}

Word flushStream(State& s, std::FILE* file) { return booleanResult(s, std::fflush(file) == 0); }

Word closeFile(State& s, Userdata* u) {
    std::FILE* const file = openStream(s, u);
    Stream& stream = streamOf(u);
    if (stream.isStandard) {
        // The stream is the host's: it stays open, and closing it from a program writes it out.
        return flushStream(s, file);
    }
    stream.file = nullptr;
    const int status = stream.isPipe ? pclose(file) : std::fclose(file);
    return booleanResult(s, status != -1);
}

// --- opening

bool isMode(std::string_view mode) {
    if (mode.empty() || std::memchr("rwa", mode[0], 3) == nullptr) return false;
    mode.remove_prefix(1);
    if (!mode.empty() && mode[0] == '+') mode.remove_prefix(1);
    return mode.empty() || mode == "b";
}

/// A new file object for a path; its stream is null, with errno set, if that fails.
Userdata* openPath(State& s, String* path, const char* mode) {
    Userdata* const u = newFile(s, nullptr, false, false);
    const char* const name = terminated(s, path);
    if (std::memchr(name, 0, path->length) != nullptr) {
        errno = ENOENT;
    } else {
        streamOf(u).file = std::fopen(name, mode);
    }
    return u;
}

/// Opens a path or raises "path: reason".
Userdata* openPathOrRaise(State& s, String* path, const char* mode) {
    Userdata* const u = openPath(s, path, mode);
    if (streamOf(u).file == nullptr) raise(s, ErrorKind::Message, pathMessage(s, path, errno));
    return u;
}

/// io.input and io.output: with a file or a path, makes it the current one; gives the current one.
Word selectFile(State& s, Value v, Userdata*& slot, const char* role, const char* mode, const char* function) {
    if (v.isNil()) return slot != nullptr ? wordOf(slot) : wordOf(mode[0] == 'r' ? standardInput(s) : standardOutput(s));
    Userdata* u = nullptr;
    if (v.isString()) {
        u = openPathOrRaise(s, v.asString(), mode);
    } else if (isFile(v)) {
        u = v.asUserdata();
    } else {
        raiseArgumentType(s, 1, function, "file or string", v);
    }
    keepInRegistry(s, role, u);
    slot = u;
    return wordOf(u);
}

// --- line iterators. Captures: 1 the file, 2 and on (with formats) the formats; the count of formats is capture 2.

Closure* linesIterator(State& s, Userdata* u) {
    Closure* const iterator = newIterator(s, BuiltinId::LinesNext, 1);
    storeWord(s, iterator, &captureAt(iterator, 1), wordOf(u));
    return iterator;
}

Closure* formatsIterator(State& s, Userdata* u, const Word* formats, uint32_t count) {
    Closure* const iterator = newIterator(s, BuiltinId::LinesNextFormats, 2 + count);
    storeWord(s, iterator, &captureAt(iterator, 1), wordOf(u));
    captureAt(iterator, 2) = wordOf(int64_t{count});
    for (uint32_t i = 0; i < count; i++) storeWord(s, iterator, &captureAt(iterator, 3 + i), formats[i]);
    return iterator;
}

Userdata* linesFile(State& s, Word path) {
    if (path == 0) return currentInput(s);
    Userdata* const u = openPathOrRaise(s, refOf<String>(path), "r");
    streamOf(u).closesAtEnd = true;
    return u;
}

std::FILE* iteratedStream(State& s, Userdata* u) {
    if (streamOf(u).file == nullptr) raiseLib(s, "file is already closed");
    return streamOf(u).file;
}

void closeAtEnd(Userdata* u) {
    Stream& stream = streamOf(u);
    if (!stream.closesAtEnd) return;
    std::fclose(stream.file);
    stream.file = nullptr;
}

}  // namespace

const UserdataClass kFileClass = {"file", finaliseFile, statusOfFile, true};

String* pathMessage(State& s, String* path, int error) {
    TextBuilder out(s);
    out.append(path);
    out.append(": ");
    out.append(std::strerror(error));
    return out.finish();
}

Word ioOpen(State& s, Word* args) {
    String* const path = stringArg(args, 0);
    String* const mode = stringArg(args, 1);
    if (!isMode(mode->view())) {
        if (!isLenientCode(s)) raiseArgument(s, 2, "open", "invalid mode");
        return failure(s, terminated(s, path), EINVAL);
    }
    Userdata* const u = openPath(s, path, terminated(s, mode));
    const int error = errno;
    const char* const name = terminated(s, path);
    errno = error;
    return fileResult(s, u, name);
}

/// The file that the metamethods of files are called with.
static Userdata* metamethodFile(State& s, const Word* args, const char* name) {
    const Value v = argument(s, args, 0);
    if (!isFile(v)) raiseType(s, args, 0, name, "FILE*");
    return v.asUserdata();
}

Word fileToString(State& s, Word* args) {
    return packResult(s, Value::string(userdataText(s, metamethodFile(s, args, "tostring"))));
}

/// What the collector does with a file that is forgotten; programs may call it, too.
Word fileGc(State& s, Word* args) {
    finaliseFile(metamethodFile(s, args, "__gc")->data());
    return packResult(s, 0);
}

Word ioClose(State& s, Word* args) { return closeFile(s, args[0] != 0 ? fileArg(args) : currentOutput(s)); }

Word ioPOpen(State& s, Word* args) {
    String* const command = stringArg(args, 0);
    String* const mode = stringArg(args, 1);
    if (mode->view() != "r" && mode->view() != "w") raiseArgument(s, 2, "popen", "invalid mode");
    Userdata* const u = newFile(s, nullptr, true, false);
    const char* const text = terminated(s, command);
    std::fflush(nullptr);
    streamOf(u).file = popen(text, mode->data());
    return fileResult(s, u, text);
}

Word ioTmpFile(State& s, Word*) {
    Userdata* const u = newFile(s, nullptr, false, false);
    streamOf(u).file = std::tmpfile();
    return fileResult(s, u, nullptr);
}

Word ioType(State& s, Word* args) {
    const Value v = valueArg(args, 0);
    if (!isFile(v)) return 0;
    return wordOf(newString(s, streamOf(v.asUserdata()).file != nullptr ? "file" : "closed file"));
}

Word ioStdin(State& s, Word*) { return wordOf(standardInput(s)); }
Word ioStdout(State& s, Word*) { return wordOf(standardOutput(s)); }
Word ioStderr(State& s, Word*) {
    return wordOf(standardFile(s, libState(s).files.err, libState(s).options.err, "io.stderr"));
}

Word ioInput(State& s, Word* args) {
    return selectFile(s, valueArg(args, 0), libState(s).files.input, "io.input", "r", "input");
}
Word ioOutput(State& s, Word* args) {
    return selectFile(s, valueArg(args, 0), libState(s).files.output, "io.output", "w", "output");
}

// --- reading

Word ioRead(State& s, Word* args) {
    return readFormats(s, openStream(s, currentInput(s)), args, s.argCount, 1, "read");
}
Word fileRead(State& s, Word* args) {
    return readFormats(s, openStream(s, fileArg(args)), args + 1, s.argCount, 1, "read");
}

Word ioReadLine(State& s, Word*) { return wordOf(readLine(s, openStream(s, currentInput(s)), false)); }
Word ioReadLineEnd(State& s, Word*) { return wordOf(readLine(s, openStream(s, currentInput(s)), true)); }
Word ioReadAll(State& s, Word*) { return wordOf(readAll(s, openStream(s, currentInput(s)))); }
Word ioReadNumber(State& s, Word*) { return readNumber(openStream(s, currentInput(s))).word(); }
Word ioReadCount(State& s, Word* args) {
    return wordOf(readCount(s, openStream(s, currentInput(s)), countArg(s, args[0], 1)));
}
Word fileReadLine(State& s, Word* args) { return wordOf(readLine(s, openStream(s, fileArg(args)), false)); }
Word fileReadLineEnd(State& s, Word* args) { return wordOf(readLine(s, openStream(s, fileArg(args)), true)); }
Word fileReadAll(State& s, Word* args) { return wordOf(readAll(s, openStream(s, fileArg(args)))); }
Word fileReadNumber(State& s, Word* args) { return readNumber(openStream(s, fileArg(args))).word(); }
Word fileReadCount(State& s, Word* args) {
    return wordOf(readCount(s, openStream(s, fileArg(args)), countArg(s, args[1], 1)));
}

Word ioLinesOf(State& s, Word* args) { return wordOf(linesIterator(s, linesFile(s, args[0]))); }
Word ioLines(State& s, Word* args) {
    const uint32_t count = s.argCount;
    Userdata* const u = linesFile(s, args[0]);
    return wordOf(count == 0 ? linesIterator(s, u) : formatsIterator(s, u, args + 1, count));
}
Word fileLinesOf(State& s, Word* args) {
    openStream(s, fileArg(args));
    return wordOf(linesIterator(s, fileArg(args)));
}
Word fileLines(State& s, Word* args) {
    const uint32_t count = s.argCount;
    openStream(s, fileArg(args));
    return wordOf(count == 0 ? linesIterator(s, fileArg(args)) : formatsIterator(s, fileArg(args), args + 1, count));
}

Word ioLinesNext(State& s, Word* args) {
    Userdata* const u = refOf<Userdata>(captureAt(refOf<Closure>(args[-1]), 1));
    String* const line = readLine(s, iteratedStream(s, u), false);
    if (line == nullptr) closeAtEnd(u);
    return wordOf(line);
}

Word ioLinesNextFormats(State& s, Word* args) {
    Closure* const iterator = refOf<Closure>(args[-1]);
    Userdata* const u = refOf<Userdata>(captureAt(iterator, 1));
    const uint32_t count = static_cast<uint32_t>(integerOf(captureAt(iterator, 2)));
    const Word first = readFormats(s, iteratedStream(s, u), &captureAt(iterator, 3), count, 1, "lines");
    if (first == kNilBox) closeAtEnd(u);
    keepAlive(iterator);
    return first;
}

// --- writing

Word ioWrite(State& s, Word* args) { return writeValues(s, currentOutput(s), args, s.argCount, 1); }
Word fileWrite(State& s, Word* args) { return writeValues(s, fileArg(args), args + 1, s.argCount, 1); }

Word ioWriteOne(State& s, Word* args) {
    const std::string_view text = stringArg(args, 0)->view();
    Userdata* const u = currentOutput(s);
    return writeResult(s, u, fwrite_unlocked(text.data(), 1, text.size(), openStream(s, u)) == text.size());
}

Word ioFlush(State& s, Word*) { return flushStream(s, openStream(s, currentOutput(s))); }
Word fileFlush(State& s, Word* args) { return flushStream(s, openStream(s, fileArg(args))); }
Word fileClose(State& s, Word* args) { return closeFile(s, fileArg(args)); }

Word fileSeek(State& s, Word* args) {
    std::FILE* const file = openStream(s, fileArg(args));
    const std::string_view whence = stringArg(args, 1)->view();
    const int from = whence == "set" ? SEEK_SET : whence == "cur" ? SEEK_CUR : whence == "end" ? SEEK_END : -1;
    if (from == -1) raiseOption(s, 1, "seek", whence);
    if (fseeko(file, static_cast<off_t>(integerOf(args[2])), from) != 0) return failure(s, nullptr, errno);
    return packResult(s, Value::integer(ftello(file)));
}

Word fileSetVBuf(State& s, Word* args) {
    std::FILE* const file = openStream(s, fileArg(args));
    const std::string_view mode = stringArg(args, 1)->view();
    const Value size = valueArg(args, 2);
    const int kind = mode == "no" ? _IONBF : mode == "line" ? _IOLBF : mode == "full" ? _IOFBF : -1;
    if (kind == -1) raiseOption(s, 1, "setvbuf", mode);
    const size_t bytes = size.isNil() || !(size.asNumber() > 0) ? BUFSIZ : static_cast<size_t>(size.asNumber());
    return booleanResult(s, std::setvbuf(file, nullptr, kind, bytes) == 0);
}

}  // namespace luapp::rt
