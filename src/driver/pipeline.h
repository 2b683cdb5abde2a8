#pragma once
// One compilation: the stages in their order, with everything they share.
//
//   load (files, lexer, parser) -> check (sema) -> lower (IR) -> optimise (passes) -> emit (bytecode)
//
// Made by a command, used once, thrown away. Each step may be asked for only after the one before; errors are collected in
// `diagnostics`, and no step after check() may run if there are any. The stages' own data (tree, IR, chunk) stays
// available for dumps.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "driver/modules.h"
#include "frontend/base/arena.h"
#include "frontend/base/interner.h"
#include "frontend/base/source.h"
#include "frontend/diag/diagnostic.h"
#include "middle/ir.h"
#include "middle/lower.h"
#include "middle/pass_manager.h"
#include "runtime/bytecode/proto.h"
#include "sema/sema.h"

namespace luapp::driver {

class Compilation {
  public:
    /// `level`: of optimisation, for compile().
    explicit Compilation(int level = ir::kDefaultLevel, bool measureTime = false)
        : diagnostics(sources), loader(sources, arena, interner, diagnostics), level_(level), measureTime_(measureTime) {}

    /// Reads and parses a file ("-": standard input) as the root of a program. Null with `problem` set if it cannot be read.
    frontend::Module* load(const std::string& path, std::string& problem);
    /// Checks the program of a root. False if there are errors, now or from earlier.
    /// `requiredAs`: the root is a module that a running program requires by this name.
    bool check(frontend::Module& root, std::string_view requiredAs = {});
    /// Typed tree to IR. Only after check() was true.
    void lower(const ir::LowerOptions& options = {});
    /// Reads textual IR instead of source. False with `problem` set if it is malformed.
    bool loadIr(const std::string& path, std::string& problem);
    /// Runs the passes.
    ir::PipelineReport optimise(const ir::PipelineOptions& options = {});
    /// IR to a chunk.
    bc::Chunk emit();
    /// lower, optimise at the level of this compilation, and emit.
    bc::Chunk compile();

    /// One line for each stage that ran: its name and milliseconds.
    std::string timings() const;

    frontend::SourceManager sources;
    frontend::Arena arena;
    frontend::Interner interner;
    frontend::Diagnostics diagnostics;
    FileModuleLoader loader;
    bool warnsOfGlobals = false;  // for check(): see sema::Program
    bool isSession = false;       // the same
    std::unique_ptr<sema::TypedProgram> program;  // of the last check()
    ir::Module module;

  private:
    template <class F>
    auto timed(const char* stage, F&& run);

    int level_;
    bool measureTime_;
    std::vector<std::pair<const char*, double>> timings_;
};

}  // namespace luapp::driver
