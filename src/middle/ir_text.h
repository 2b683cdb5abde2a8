// The textual form of IR: a printer and a parser for it.
//
// (ir_print.cpp, ir_parse.cpp.) The printer numbers values and blocks in print order, so equal functions print equally whatever their history; addresses and paths
// never show, positions only on request. The parser reads what the printer writes (the round trip is tested), and tests
// feed passes with it. It checks syntax, names, and operand shapes as far as needed to build the instruction; the
// verifier does the rest.
//
//   type t0 "Array<number>"                  -- comment to the end of the line
//   var g0 "total" f64 = 0 once
//   method m0 "Shape.area" slot 0 (ref) -> (f64) [vararg, pack]
//   class t0 words 2 ancestors (t0, t3)      -- what follows up to the next line of another kind belongs to it
//     field 0 "radius" f64 type t1 owner t0 [private, protected, const, unset]
//     entry 0 @Circle.area                   -- its table, by slot
//     member "area" @Circle.area owner t0 [private, protected, static, const]
//     member "made" g0 type t1 owner t0 [static]
//     maker @Circle
//     finalizer @Circle.__gc
//   func @sum "sum" (f64, ref) -> (f64) captures (ref) [vararg, const, main, lenient, pack, bound, type t0]
//   b0(v0: f64, v1: ref):
//     v2 = arr.len v1
//     v3: f64 = arr.get v1, v2 !120          -- `: rep` where ir_ops.def does not fix it; !offset is the position
//     v4 = lt.f v0, v3
//     br v4, b1(v3), b2
//   ...
//   end
#pragma once

#include <string>
#include <string_view>

#include "middle/ir.h"

namespace luapp::ir {

struct PrintOptions {
    bool showLocs = false;
    /// Print the module's tables (types, variables, strings) before the functions.
    bool showTables = true;
    /// If not empty: only functions with these names or labels, and no tables.
    std::vector<std::string_view> functions;
};

/// The text of a module.
std::string print(const Module& module, const PrintOptions& options = {});
/// The text of one function.
std::string print(const Function& fn, const PrintOptions& options = {});

/// Reads a module into `module`, which is empty. On a mistake returns false with "line N: what" in `error`; the module is then good
/// for nothing.
[[nodiscard]] bool parse(std::string_view text, Module& module, std::string& error);

}  // namespace luapp::ir
