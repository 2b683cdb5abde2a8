#include "driver/program_runner.h"

#include <signal.h>

#include <atomic>
#include <cstdio>

#include "driver/driver.h"
#include "runtime/lib/library.h"
#include "runtime/object/array.h"
#include "runtime/vm/call.h"
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
    const RunSettings* settings;
};

rt::Array* newScriptArgs(rt::State& s, const RunSettings& settings) {
    const rt::TypeDesc* type = s.types.arrayOf(s.types.basic(rt::TypeKind::String));
    rt::Array* args = rt::newArray(s, type, settings.args.size() + 1);
    s.scriptArgs = args;
    rt::arrayPush(s, args, rt::Word(rt::newString(s, settings.name)));
    for (size_t i = 0; i < settings.args.size(); i++) rt::arrayPush(s, args, rt::Word(rt::newString(s, settings.args[i])));
    return args;
}

void loadAndRun(rt::State& s, void* data) {
    const Job& job = *static_cast<Job*>(data);
    rt::Array* args = newScriptArgs(s, *job.settings);
    rt::Program* program = rt::loadProgram(s, std::move(*job.chunk));
    const uint32_t count = args->length - 1;
    rt::Word* pack = rt::ensureResults(s, count);
    for (uint32_t i = 0; i < count; i++) pack[i] = rt::Value::object(reinterpret_cast<rt::Object*>(args->get(i + 1))).word();
    s.resultCount = count;
    rt::runProgram(s, *program);
}

/// Runs where an error is raised that nothing else catches.
void keepTraceback(rt::State& s, void*) {
    s.errorTraceback = rt::traceback(s, nullptr, {}, 1);
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

int runChunk(bc::Chunk&& chunk, const RunSettings& settings) {
    rt::StateOptions options;
    options.hooks = &rt::kVmHooks;
    options.memoryLimit = settings.memoryLimit;
    rt::State* s = rt::State::create(options);
    if (!s) {
        fprintf(stderr, "luapp: the system has no memory to start with\n");
        return kExitProgramError;
    }
    rt::openLibrary(*s);
    int status = kExitOk;
    {
        InterruptScope interrupts(s);
        Job job{&chunk, &settings};
        if (!rt::protectedCall(*s, loadAndRun, &job, keepTraceback, nullptr)) {
            printUncaught(*s);
            status = wasInterrupted.load() ? kExitInterrupted : kExitProgramError;
        }
    }
    rt::closeLibrary(*s);
    rt::State::destroy(s);
    return status;
}

}  // namespace luapp::driver
