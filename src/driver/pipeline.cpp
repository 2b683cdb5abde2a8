#include "driver/pipeline.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "backend/bytecode/emit.h"
#include "driver/files.h"
#include "frontend/diag/diagnostic.h"
#include "middle/class_layout.h"
#include "middle/ir_text.h"
#include "middle/lower.h"

namespace luapp::driver {

template <class F>
auto Compilation::timed(const char* stage, F&& run) {
    if (!measureTime_) return run();
    struct Stopwatch {
        std::vector<std::pair<const char*, double>>& to;
        const char* stage;
        std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
        ~Stopwatch() {
            to.emplace_back(stage, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
        }
    } stopwatch{timings_, stage};
    return run();
}

namespace {

/// Reports classes whose objects would be too large; derived ones only if their bases are not.
void checkLayout(const sema::TypedProgram& program, frontend::Diagnostics& diagnostics) {
    const ir::ClassLayout layout(program.classes);
    auto isTooLarge = [&](const sema::TypedClass* cls) {
        return layout.instanceWords(layout.indexOf(cls->type)) > bc::kMaxObjectWords;
    };
    for (const sema::TypedClass* cls : program.classes) {
        const bool isFirst = std::none_of(cls->ancestors.begin() + 1, cls->ancestors.end(), isTooLarge);
        if (!isFirst || !isTooLarge(cls)) continue;
        diagnostics.report(frontend::diag::ObjectTooLarge, cls->range, program.types.print(cls->type),
                           layout.instanceWords(layout.indexOf(cls->type)), bc::kMaxObjectWords);
    }
}

}  // namespace

frontend::Module* Compilation::load(const std::string& path, std::string& problem) {
    return timed("parse", [&] { return loader.loadFile(path, problem); });
}

bool Compilation::check(frontend::Module& root, std::string_view requiredAs) {
    return timed("check", [&] {
        program = sema::check({root, loader, interner, requiredAs, warnsOfGlobals, isSession}, diagnostics);
        if (!diagnostics.hasErrors()) checkLayout(*program, diagnostics);
        return !diagnostics.hasErrors();
    });
}

void Compilation::lower(const ir::LowerOptions& options) {
    timed("lower", [&] { ir::lower(*program, program->types, sources, module, options); });
}

bool Compilation::loadIr(const std::string& path, std::string& problem) {
    std::string text;
    if (!readFile(path, text, problem)) return false;
    std::string error;
    if (ir::parse(text, module, error)) return true;
    problem = path + ": " + error;
    return false;
}

ir::PipelineReport Compilation::optimise(const ir::PipelineOptions& options) {
    return timed("optimise", [&] { return ir::optimise(module, options); });
}

bc::Chunk Compilation::emit() {
    return timed("emit", [&] { return bc::emitChunk(module, program.get()); });
}

bc::Chunk Compilation::compile() {
    lower();
    optimise({.level = level_});
    return emit();
}

std::string Compilation::timings() const {
    std::string out;
    for (auto [stage, milliseconds] : timings_) {
        char line[80];
        snprintf(line, sizeof line, "%-10s %9.3f ms\n", stage, milliseconds);
        out += line;
    }
    return out;
}

}  // namespace luapp::driver
