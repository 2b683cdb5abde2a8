#include "middle/pass_manager.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "middle/ir_text.h"
#include "middle/ir_verify.h"
#include "runtime/base/check.h"

namespace luapp::ir {

namespace {

// clang-format off
constexpr PassInfo kPasses[] = {
#define LUAPP_FUNCTION_PASS(Id, name, level, what) {PassId::Id, name, level, what, run##Id, nullptr},
#define LUAPP_MODULE_PASS(Id, name, level, what) {PassId::Id, name, level, what, nullptr, run##Id},
#include "middle/passes.def"
};
// clang-format on

class PassRun {
  public:
    PassRun(Module& module, const PipelineOptions& options) : module_(module), options_(options) {
#ifndef NDEBUG
        verifies_ = true;
#else
        verifies_ = options.verifyEach;
#endif
    }

    PipelineReport run() {
        const std::vector<const PassInfo*> passes = options_.passes ? *options_.passes : pipeline(options_.level);
        // Function by function between module passes: what one function needs stays in the cache.
        for (size_t i = 0; i < passes.size();) {
            if (passes[i]->runModule) {
                runOnModule(*passes[i++]);
                continue;
            }
            size_t end = i;
            while (end < passes.size() && passes[end]->runFunction) end++;
            for (Function* fn : module_.functions) {
                for (size_t k = i; k < end; k++) runOnFunction(*passes[k], *fn);
            }
            i = end;
        }
        for (Function* fn : module_.functions) fn->renumber();
        report_.statistics = std::move(context_.statistics);
        return std::move(report_);
    }

  private:
    bool mayRun() {
        if (report_.passRuns >= options_.passLimit) return false;
        report_.passRuns++;
        return true;
    }

    template <class F>
    void timed(const PassInfo& pass, F&& body) {
        context_.pass = pass.name;
        if (!options_.measureTime) return body();
        const auto start = std::chrono::steady_clock::now();
        body();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        for (PipelineReport::PassTime& time : report_.times) {
            if (time.pass != pass.name) continue;
            time.seconds += took.count();
            return;
        }
        report_.times.push_back({pass.name, took.count()});
    }

    void runOnModule(const PassInfo& pass) {
        if (!mayRun()) return;
        timed(pass, [&] { pass.runModule(module_, context_); });
        for (Function* fn : module_.functions) inspect(pass, *fn);
    }

    void runOnFunction(const PassInfo& pass, Function& fn) {
        if (fn.isDebuggable) return;
        if (!mayRun()) return;
        timed(pass, [&] { pass.runFunction(fn, context_); });
        inspect(pass, fn);
    }

    void inspect(const PassInfo& pass, const Function& fn) {
        if (verifies_) {
            const std::string error = verify(fn, VerifyMode::Optimised);
            if (!error.empty()) fail(pass, fn, error);
        }
        if (!options_.printTo) return;
        for (const PassInfo* wanted : options_.printAfter) {
            if (wanted != &pass) continue;
            *options_.printTo += "-- after ";
            *options_.printTo += pass.name;
            *options_.printTo += '\n';
            *options_.printTo += print(fn);
        }
    }

    [[noreturn]] static void fail(const PassInfo& pass, const Function& fn, const std::string& error) {
        const std::string what =
            "pass " + std::string(pass.name) + " broke function " + std::string(fn.label) + ": " + error;
        base::bugFound(what.c_str(), __FILE__, __LINE__);
    }

    Module& module_;
    const PipelineOptions& options_;
    PassContext context_;
    PipelineReport report_;
    bool verifies_ = false;
};

}  // namespace

std::span<const PassInfo> allPasses() { return kPasses; }

const PassInfo* findPass(std::string_view name) {
    for (const PassInfo& pass : kPasses) {
        if (pass.name == name) return &pass;
    }
    return nullptr;
}

PipelineReport optimise(Module& module, const PipelineOptions& options) { return PassRun(module, options).run(); }

bool parsePassList(std::string_view text, std::vector<const PassInfo*>& passes, std::string_view& unknown) {
    passes.clear();
    if (text == "none") return true;
    while (!text.empty()) {
        const size_t comma = text.find(',');
        const std::string_view name = text.substr(0, comma);
        text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
        if (name.empty()) continue;
        const PassInfo* pass = findPass(name);
        if (!pass) {
            unknown = name;
            return false;
        }
        passes.push_back(pass);
    }
    return true;
}

}  // namespace luapp::ir
