#pragma once
// Random well-typed strict programs: the inputs of fuzz_run.
//
// A program declares some functions and variables and then runs a number of bodies under pcall, each of which computes, changes
// and prints. Everything it prints is determined by the language (no addresses, no clock, no random numbers, no sign of NaN), and it
// ends for certain: loops and functions use up fuel. What may go wrong at run time (overflow, indexes, missing keys, failed casts)
// does go wrong now and then, and the message is printed. The weights of what is generated stand in the tables of
// program_gen.cpp (statements) and program_gen_expr.cpp (expressions).

#include <string>

#include "random.h"

namespace luapp::fuzz {

/// A program that the compiler must accept.
std::string generateProgram(Random& random);

}  // namespace luapp::fuzz
