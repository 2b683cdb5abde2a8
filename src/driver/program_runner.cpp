#include "driver/program_runner.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>

#include "driver/driver.h"
#include "driver/files.h"
#include "driver/gc_log.h"
#include "driver/lua_syntax.h"
#include "driver/pipeline.h"
#include "frontend/diag/render.h"
#include "runtime/bytecode/serialize.h"
#include "runtime/bytecode/verify.h"
#include "runtime/lib/builtin_table.h"
#include "runtime/lib/library.h"
#include "runtime/object/array.h"
#include "runtime/object/lua_table.h"
#include "runtime/vm/call.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/error.h"
#include "runtime/vm/load.h"

namespace luapp::driver {

namespace {

/// What SIGINT interrupts. A signal handler can reach nothing but a global; it is set only while a program runs.
std::atomic<rt::State*> interruptTarget{nullptr};
std::atomic<bool> wasInterrupted{false};

void onInterrupt(int) {
    wasInterrupted.store(true, std::memory_order_relaxed);
    if (rt::State* s = interruptTarget.load(std::memory_order_relaxed)) s->interrupt();
}

/// Catches SIGINT as long as it lives.
class InterruptScope {
  public:
    explicit InterruptScope(rt::State* s) {
        wasInterrupted.store(false);
        s->clearInterrupt();
        interruptTarget.store(s);
        struct sigaction action = {};
        action.sa_handler = onInterrupt;
        sigaction(SIGINT, &action, &previous_);
    }
    ~InterruptScope() {
        sigaction(SIGINT, &previous_, nullptr);
        interruptTarget.store(nullptr);
    }

  private:
    struct sigaction previous_ = {};
};

/// What runs inside protectedCall: no object with a destructor may live in its frame.
struct Job {
    bc::Chunk* chunk;
    const SessionSettings* settings;
    Session::Results results;
};

rt::Array* scriptArgs(rt::State& s, const SessionSettings& settings) {
    if (s.scriptArgs) return s.scriptArgs;
    const rt::TypeDesc* type = s.types.arrayOf(s.types.basic(rt::TypeKind::String));
    rt::Array* args = rt::newArray(s, type, settings.args.size() + 1);
    s.scriptArgs = args;
    rt::arrayPush(s, args, rt::Word(rt::newString(s, settings.name)));
    for (size_t i = 0; i < settings.args.size(); i++) rt::arrayPush(s, args, rt::Word(rt::newString(s, settings.args[i])));
    return args;
}

void loadAndRun(rt::State& s, void* data) {
    const Job& job = *static_cast<Job*>(data);
    rt::Array* args = scriptArgs(s, *job.settings);
    rt::Program* program = rt::loadProgram(s, std::move(*job.chunk));
    const uint32_t count = args->length - 1;
    rt::Value function;  // of a chunk that string.dump has made
    if (program->chunk.givesFunction) {
        s.resultCount = 0;
        rt::runProgram(s, *program);
        function = rt::Value::fromWord(s.results[0]);
    }
    rt::Word* pack = rt::ensureResults(s, count);
    for (uint32_t i = 0; i < count; i++) pack[i] = rt::Value::object(reinterpret_cast<rt::Object*>(args->get(i + 1))).word();
    s.resultCount = count;
    if (function.isFunction()) {
        rt::callPack(s, function);
    } else {
        rt::runProgram(s, *program);
    }
    if (job.results == Session::Results::Printed && s.resultCount != 0) {
        rt::Value print = rt::luaGetString(s, s.builtins->globals(s), rt::newString(s, "print"));
        rt::callPack(s, print);
    }
}

/// How code that is loaded from now on is compiled.
struct CompileMode {
    int level;                  // of optimisation
    bool isDebuggable = false;  // lenient code, for the debug library
};

/// A module that `require` asks for while the program runs. It outlives what may raise.
struct RequiredModule {
    const SessionSettings* settings;
    CompileMode* mode;
    bc::Chunk chunk;
    std::string problem;  // why it cannot run; empty: there is none
};

bool hasDebuggableCode(const bc::Chunk& chunk) {
    return std::any_of(chunk.protos.begin(), chunk.protos.end(), [](const bc::Proto& p) { return p.isDebuggable; });
}

/// True if the program that is running has the file in it.
bool isPartOf(rt::State& s, const std::string& file) {
    const std::string canonical = canonicalPath(file);
    for (const rt::Program* program = s.programs; program; program = program->nextProgram)
        for (const bc::SourceFileName& source : program->chunk.files)
            if (canonicalPath(std::string(program->chunk.symbol(source.name))) == canonical) return true;
    return false;
}

/// Finds and compiles a module with all it imports.
bool compileRequired(rt::State& s, std::string_view name, std::string_view file, RequiredModule& module) {
    Compilation compilation(module.mode->level);
    module.problem.clear();
    compilation.loader.setDebuggable(module.mode->isDebuggable);
    frontend::Module* root = file.empty() ? compilation.loader.loadRequired(module.settings->name, name, module.problem)
                                          : compilation.loader.loadFile(std::string(file), module.problem);
    module.mode->isDebuggable = compilation.loader.isDebuggable();
    if (!root) return false;
    if (!compilation.check(*root, name)) {
        compilation.diagnostics.finish();
        module.problem = "it has errors:\n" + frontend::renderDiagnostics(compilation.diagnostics, {frontend::DiagFormat::Text, false});
        return false;
    }
    for (uint32_t i = 0; i < compilation.sources.fileCount(); i++) {
        const std::string file(compilation.sources.file(i).name());
        if (!isPartOf(s, file)) continue;
        module.problem = "'" + file + "' is a part of the running program already; require it there by a literal name";
        return false;
    }
    module.chunk = compilation.compile();
    return true;
}

/// For rt::LibraryOptions.
bool requireModule(rt::State& s, rt::String* name, rt::String* file, void* context) {
    RequiredModule& module = *static_cast<RequiredModule*>(context);
    if (!compileRequired(s, name->view(), file ? file->view() : std::string_view(), module)) {
        if (module.problem.empty()) return false;
        rt::TextBuilder message(s);
        message.append("cannot load module '");
        message.append(name);
        message.append("': ");
        message.append(module.problem);
        rt::raise(s, rt::ErrorKind::Message, message.finish());
    }
    rt::Program* program = rt::loadProgram(s, std::move(module.chunk));
    rt::ensureResults(s, 1)[0] = rt::Value::string(name).word();
    s.resultCount = 1;
    rt::runProgram(s, *program);
    return true;
}

const frontend::Diagnostic* firstError(const Compilation& compilation) {
    for (const frontend::Diagnostic& d : compilation.diagnostics.list())
        if (d.severity == frontend::Severity::Error) return &d;
    return nullptr;
}

/// How Lua 5.1 shows where a chunk comes from: a file's name, a name as it is, or the first line of the text; at most 59 bytes.
std::string shownName(std::string_view chunkName) {
    constexpr size_t kMaxName = 59, kMaxPath = 52, kMaxLine = 43;
    chunkName = chunkName.substr(0, chunkName.find('\0'));
    if (chunkName.starts_with('=')) return std::string(chunkName.substr(1, kMaxName));
    if (chunkName.starts_with('@')) {
        chunkName.remove_prefix(1);
        if (chunkName.size() <= kMaxPath) return std::string(chunkName);
        return "..." + std::string(chunkName.substr(chunkName.size() - kMaxPath));
    }
    const std::string_view line = chunkName.substr(0, std::min(chunkName.find_first_of("\n\r"), kMaxLine));
    return "[string \"" + std::string(line) + (line.size() < chunkName.size() ? "...\"]" : "\"]");
}

/// Keeps the name of the chunk as it was given, for debug.getinfo.
void setSource(bc::Chunk& chunk, const std::string& shown, std::string_view chunkName) {
    for (bc::SourceFileName& file : chunk.files) {
        if (chunk.symbol(file.name) != shown) continue;
        file.source = static_cast<bc::SymbolIndex>(chunk.symbols.size());
        chunk.symbols.emplace_back(chunkName);
        return;
    }
}

/// What is wrong with a text that `compilation` refuses, if it does, or that Lua 5.1 refuses; the first of both. Lua's words are for
/// errors that Lua finds: before that place the text has something that only Lua++ has.
std::string problemOf(const Compilation& compilation, const std::string& shown, const LuaSyntaxError* lua) {
    const frontend::Diagnostic* own = firstError(compilation);
    const frontend::Position at = own ? compilation.sources.position(own->range.begin) : frontend::Position{};
    const size_t offset = at.file && at.file->name() == shown ? own->range.begin.offset - at.file->begin().offset : 0;
    if (lua && (lua->offset >= offset || !own)) return shown + ":" + std::to_string(lua->line) + ": " + lua->message;
    if (!at.file) return own ? own->text : shown + ": it has errors";
    return std::string(at.file->name()) + ":" + std::to_string(at.at.line) + ": " + own->text;
}

/// A text that ends too early: the front end's first error is at its end, or Lua's grammar wants more there.
bool endsTooEarly(const Compilation& compilation, std::string_view text, const LuaSyntaxError* lua) {
    const frontend::Diagnostic* own = firstError(compilation);
    if (!own) return false;
    if (lua && lua->message.ends_with("near '<eof>'")) return true;
    const frontend::Position at = compilation.sources.position(own->range.begin);
    if (!at.file) return false;
    const size_t offset = own->range.begin.offset - at.file->begin().offset;
    return text.find_first_not_of(" \t\r\n", offset) == text.npos;
}

/// `mode.isDebuggable` is set if the text asks for that.
void compileText(std::string_view text, std::string_view chunkName, CompileMode& mode, CompiledText& compiled) {
    compiled.problem.clear();
    compiled.isIncomplete = false;
    const std::string name = shownName(chunkName);
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    if (bc::looksLikeChunk(bytes)) {
        std::string why;
        if (!bc::deserialize(bytes, compiled.chunk, why) || !bc::verify(compiled.chunk, rt::verifyOptions(), why))
            compiled.problem = name + ": " + why;
        mode.isDebuggable |= compiled.problem.empty() && hasDebuggableCode(compiled.chunk);
        return;
    }
    Compilation compilation(mode.level);
    LuaSyntaxError lua;
    const bool isLua = checkLuaSyntax(text, lua);
    // In files, whether run or loaded, a semicolon alone is a statement.
    const bool isTaken = lua.kind == LuaSyntaxError::Kind::EmptyStatement && chunkName.starts_with('@');
    if (!isLua && lua.kind != LuaSyntaxError::Kind::Syntax && !isTaken) {
        compiled.problem = problemOf(compilation, name, &lua);
        return;
    }
    compilation.loader.setDebuggable(mode.isDebuggable);
    frontend::Module* root = compilation.loader.loadText(name, text, compiled.problem, true);
    mode.isDebuggable = compilation.loader.isDebuggable();
    if (!root) return;
    if (!compilation.check(*root)) {
        compilation.diagnostics.finish();
        compiled.problem = problemOf(compilation, name, isLua ? nullptr : &lua);
        compiled.isIncomplete = endsTooEarly(compilation, text, isLua ? nullptr : &lua);
        return;
    }
    compiled.chunk = compilation.compile();
    setSource(compiled.chunk, name, chunkName);
}

/// A text that `load` asks for while a program runs. It outlives what may raise.
struct LoadedText {
    CompileMode* mode;
    CompiledText compiled;
};

/// For rt::LibraryOptions.
rt::Program* loadText(rt::State& s, std::string_view text, std::string_view chunkName, rt::String*& problem, void* context) {
    LoadedText& loaded = *static_cast<LoadedText*>(context);
    CompiledText& compiled = loaded.compiled;
    compileText(text, chunkName, *loaded.mode, compiled);
    if (compiled.problem.empty()) return rt::loadProgram(s, std::move(compiled.chunk));
    problem = rt::newString(s, compiled.problem);
    return nullptr;
}

/// Runs where an error is raised that nothing else catches.
void keepTraceback(rt::State& s, void*) {
    s.heap.suspendLimit(true);  // the error may be that there is no memory left
    s.errorTraceback = rt::traceback(s, nullptr, {}, 1);
    s.heap.suspendLimit(false);
}

/// The message of an error nobody caught, with its traceback.
void printUncaught(rt::State& s) {
    rt::flushOutput(s);
    const rt::Value error = s.errorValue;
    if (error.isString()) {
        const std::string_view text = error.asString()->view();
        fprintf(stderr, "luapp: %.*s\n", int(text.size()), text.data());
    } else {
        fprintf(stderr, "luapp: uncaught error: a value of type %s\n", rt::typeName(error));
    }
    if (s.errorTraceback) {
        const std::string_view text = s.errorTraceback->view();
        fprintf(stderr, "%.*s\n", int(text.size()), text.data());
    }
}

}  // namespace

constexpr size_t kFixedResults = 256;  // a program can leave no more there, but for packs

/// Between two programs the collector still scans a part of the empty stack and of the results: nothing of the last one may stay there.
static void forgetLeftovers(rt::State& s) {
    std::memset(s.context->stackBase, 0, rt::kStackHeadroom * sizeof(rt::Word));
    std::memset(s.results, 0, kFixedResults * sizeof(rt::Word));
    s.resultCount = 0;
    s.errorValue = rt::Value::nil();
    s.errorTraceback = nullptr;
}

void compileLenientText(std::string_view text, std::string_view chunkName, int level, CompiledText& compiled) {
    CompileMode mode{level};
    compileText(text, chunkName, mode, compiled);
}

/// What the library is given, where it stays.
struct Session::Impl {
    explicit Impl(const SessionSettings& s) : settings(s), mode{s.level} {}

    const SessionSettings& settings;
    CompileMode mode;
    RequiredModule required{&settings, &mode, {}, {}};
    LoadedText loaded{&mode, {}};
};

std::unique_ptr<Session> Session::open(const SessionSettings& settings) {
    rt::StateOptions options;
    options.hooks = &rt::kVmHooks;
    options.memoryLimit = settings.memoryLimit;
    rt::State* s = rt::State::create(options);
    if (!s) {
        fprintf(stderr, "luapp: the system has no memory to start with\n");
        return nullptr;
    }
    if (settings.gcLog) s->heap.setObserver(logPause, nullptr);
    return std::unique_ptr<Session>(new Session(s, std::make_unique<Impl>(settings)));
}

Session::Session(rt::State* state, std::unique_ptr<Impl> impl) : state_(state), impl_(std::move(impl)) {
    rt::LibraryOptions library;
    library.requireModule = requireModule;
    library.requireContext = &impl_->required;
    library.loadText = loadText;
    library.loadContext = &impl_->loaded;
    library.commandLine = impl_->settings.before;
    rt::openLibrary(*state_, library);
}

Session::~Session() {
    rt::closeLibrary(*state_);
    rt::State::destroy(state_);
}

int Session::level() const { return impl_->settings.level; }

bool Session::run(bc::Chunk&& chunk, Results results) {
    InterruptScope interrupts(state_);
    impl_->mode.isDebuggable |= hasDebuggableCode(chunk);
    Job job{&chunk, &impl_->settings, results};
    const bool ok = rt::protectedCall(*state_, loadAndRun, &job, keepTraceback, nullptr);
    if (!ok) printUncaught(*state_);
    forgetLeftovers(*state_);
    status_ = ok ? kExitOk : wasInterrupted.load() ? kExitInterrupted : kExitProgramError;
    return ok;
}

bool Session::runText(std::string_view text, std::string_view chunkName) {
    CompiledText compiled;
    compileLenientText(text, chunkName, level(), compiled);
    if (compiled.problem.empty()) return run(std::move(compiled.chunk));
    fprintf(stderr, "luapp: %s\n", compiled.problem.c_str());
    status_ = kExitProgramError;
    return false;
}

bool Session::require(std::string_view name) {
    std::string quoted;
    for (char c : name) {
        if (c == '"' || c == '\\') quoted += '\\';
        if (c == '\n') quoted += '\\';
        quoted += c;
    }
    return runText("require(\"" + quoted + "\")", "=(command line)");
}

}  // namespace luapp::driver
