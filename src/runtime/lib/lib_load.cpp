// Compiling at run time: load and its like, and string.dump, their opposite. A function made here keeps its program alive; when the
// last function of a program is gone, so is the program (vm/load.h).
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "runtime/lib/builtins.h"
#include "runtime/lib/lenient_args.h"
#include "runtime/lib/load_texts.h"
#include "runtime/vm/dump.h"
#include "runtime/vm/load.h"

namespace luapp::rt {

namespace {

/// nil and a message.
Word refused(State& s, Value problem) {
    s.results[0] = kNilBox;
    s.results[1] = problem.word();
    return packResult(s, 2);
}

/// "cannot open FILE: why", as the problem of a file.
String* fileProblem(State& s, const char* what, const char* path, int error) {
    TextBuilder message(s);
    message.append("cannot ");
    message.append(std::string_view(what));
    message.append(" ");
    message.append(std::string_view(path));
    message.append(": ");
    message.append(std::string_view(std::strerror(error)));
    return message.finish();
}

/// The content of a file (null: standard input) as a string; null with `problem` set.
String* readWhole(State& s, const char* path, String*& problem) {
    std::FILE* in = path == nullptr ? libState(s).options.in : std::fopen(path, "rb");
    if (in == nullptr) {
        problem = fileProblem(s, "open", path, errno);
        return nullptr;
    }
    TextBuilder text(s);
    char buffer[4096];
    for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, in)) > 0;) text.append(std::string_view(buffer, got));
    const bool failed = std::ferror(in) != 0;
    const int error = errno;
    if (path != nullptr) std::fclose(in);
    if (!failed) return text.finish();
    problem = fileProblem(s, "read", path == nullptr ? "stdin" : path, error);
    return nullptr;
}

/// What a reader function of load has given so far.
struct Pieces {
    Value reader;
    String* text;
};

/// Calls the reader until it gives nothing. Runs in protectedCall, as all of `load` does in Lua.
void readPieces(State& s, void* data) {
    Pieces& pieces = *static_cast<Pieces*>(data);
    for (;;) {
        const Value piece = callValue(s, pieces.reader, nullptr, 0);
        if (piece.isNil()) return;
        if (!piece.isString() && !piece.isNumber()) raiseLib(s, "reader function must return a string");
        String* const text = toText(s, piece);
        if (text->length == 0) return;
        pieces.text = concat(s, pieces.text, text);
    }
}

}  // namespace

Word loadText(State& s, std::string_view text, std::string_view chunkName) {
    const LibraryOptions& options = libState(s).options;
    String* problem = nullptr;
    Program* program = options.loadText == nullptr ? nullptr : options.loadText(s, text, chunkName, problem, options.loadContext);
    if (program == nullptr)
        return refused(s, Value::string(problem == nullptr ? newString(s, "this program has no compiler") : problem));
    Value function = Value::function(entryClosure(s, *program));
    releaseProgram(s, *program);
    if (program->chunk.givesFunction) function = callValue(s, function, nullptr, 0);
    return packResult(s, function);
}

Word loadFile(State& s, String* path) {
    String* problem = nullptr;
    String* const text = readWhole(s, path == nullptr ? nullptr : terminated(s, path), problem);
    if (text == nullptr) return refused(s, Value::string(problem));
    TextBuilder name(s);
    name.append(path == nullptr ? std::string_view("=stdin") : std::string_view("@"));
    if (path != nullptr) name.append(path);
    String* const chunkName = name.finish();
    // A first line that begins with # is for the system; its end stays, so that lines keep their numbers.
    std::string_view content = text->view();
    if (content.starts_with('#')) content.remove_prefix(std::min(content.find('\n'), content.size()));
    if (content.size() > 1 && content[0] == '\n' && content[1] == '\x1b' && content.size() != text->length) content.remove_prefix(1);
    const Word result = loadText(s, content, chunkName->view());
    keepAlive(text);
    keepAlive(chunkName);
    return result;
}

Word lenientLoadString(State& s, Word* args) {
    String* const text = textArgument(s, args, 0, "loadstring");
    String* const name = argument(s, args, 1).isNil() ? text : textArgument(s, args, 1, "loadstring");
    const Word result = loadText(s, text->view(), name->view());
    keepAlive(text);
    keepAlive(name);
    return result;
}

Word lenientLoad(State& s, Word* args) {
    const Value source = argument(s, args, 0);
    String* const given = argument(s, args, 1).isNil() ? nullptr : textArgument(s, args, 1, "load");
    Pieces pieces{source, s.emptyString};
    if (source.isString()) {
        pieces.text = source.asString();
    } else if (!source.isFunction()) {
        raiseType(s, args, 0, "load", "function");
    } else if (!protectedCall(s, readPieces, &pieces)) {
        return refused(s, s.errorValue);
    }
    String* const text = pieces.text;
    String* const name = given != nullptr ? given : source.isString() ? text : newString(s, "=(load)");
    const Word result = loadText(s, text->view(), name->view());
    keepAlive(text);
    keepAlive(name);
    return result;
}

Word lenientLoadFile(State& s, Word* args) {
    return loadFile(s, argument(s, args, 0).isNil() ? nullptr : textArgument(s, args, 0, "loadfile"));
}

Word lenientDoFile(State& s, Word* args) {
    const Value f = Value::fromWord(loadFile(s, argument(s, args, 0).isNil() ? nullptr : textArgument(s, args, 0, "dofile")));
    if (!f.isFunction()) raiseValue(s, Value::fromWord(s.results[1]));
    call(s, f, {});
    return packResult(s, s.resultCount);
}

Word lenientStringDump(State& s, Word* args) {
    const Value v = argument(s, args, 0);
    if (!v.isFunction()) raiseType(s, args, 0, "dump", "function");
    // The bytes live in the library's state, so that an error while the string is made leaks nothing.
    std::vector<uint8_t>& bytes = libState(s).dumped;
    bytes.clear();
    if (!dumpFunction(s, v.asFunction(), bytes)) raiseLib(s, "unable to dump given function");
    String* const result = newString(s, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    bytes.clear();
    return packResult(s, Value::string(result));
}

}  // namespace luapp::rt
