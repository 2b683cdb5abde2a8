// The textual form of IR: what is printed parses to the same, and mistakes are reported, not followed.
#include <doctest/doctest.h>

#include "middle/ir_text.h"
#include "middle/ir_verify.h"

using namespace luapp::ir;

namespace {

std::string reprint(std::string_view text) {
    Module module;
    std::string error;
    if (!parse(text, module, error)) return error;
    error = verify(module, VerifyMode::Built);
    return error.empty() ? print(module) : error;
}

std::string errorOf(std::string_view text) {
    Module module;
    std::string error;
    return parse(text, module, error) ? verify(module, VerifyMode::Optimised) : error;
}

constexpr std::string_view kEverything = R"(type t0 "Array<number>"
type t1 "(number): any"
type t2 "Circle"
type t3 "Shape"
var g0 "total" f64 = 4607182418800017408
var g1 "box" box
method m0 "Shape.area" slot 0 (ref) -> (f64)
method m1 "Shape.log" slot 2 (ref, box) -> () [vararg, pack]
class t2 words 4 ancestors (t2, t3)
  field 0 "radius" f64 type t1 owner t3 [private, const]
  field 1 "" ref type t0 owner t2
  field 3 "name" box type t1 owner t2 [protected, unset]
  entry 0 @Circle.area
  entry 2 @"Circle.log!"
  member "area" @Circle.area owner t2 [const]
  member "made" g0 type t1 owner t3 [private, static]
  maker @Circle
  finalizer @Circle.close

func @Circle.area (ref) -> (f64)
b0(v0: ref):
  v1: f64 = field.get v0, 0
  ret v1
end

func @"Circle.log!" (ref, box) -> () [vararg, pack]
b0(v0: ref, v1: box):
  ret.pack v1
end

func @Circle () -> (ref)
b0:
  v0 = obj.new t2, 4
  v1 = const.class t2
  v2: f64 = call.method m0, v0
  v3: pack = call.method m1, +1, v0, v1, v1
  v4: box = call.method m1, v0, v1
  ret v0
end

func @Circle.close (ref) -> ()
b0(v0: ref):
  ret
end

func @bound "area" () -> (f64) captures (ref) [bound]
b0:
  v0: ref = capture.get 0
  v1: f64 = call @Circle.area, v0
  ret v1
end

func @sum "total" (f64, ref) -> (f64, bool) captures (ref, i64) [vararg, const, type t1]
b0(v0: f64, v1: ref):
  v2 = arr.len v1
  v3 = const.i64 -5
  v4: i64 = capture.get 1
  v5 = const.str "a\"b\\\n\x01"
  v6: f64 = var.get g0
  v7 = const.f64 -0
  v8 = const.f64 inf
  v9 = const.f64 nan
  v10 = const.f64 0.1
  v11 = lt.f v0, v6
  br v11, b1(v0, v3), b2
b1(v12: f64, v13: i64):
  v14: f64 = arr.get v1, v13
  v15 = add.f v12, v14
  v16 = lt.i v13, v2
  br v16, b3, b2
b2:
  v17 = const.box.bool 1
  var.set v17, g1
  ret v0, v11
b3:
  loop b1(v15, v2)
end

func @main "main chunk" () -> () [main]
b0:
  v0 = const.nil
  v1: pack = call @"odd name!", +2, v0, v0
  v2 = pack.get v1, 0
  v3: f64 = call.builtin pure 7
  v4: f64 = unbox v2, t0, 1
  v5: box = call.dyn +2, v0, v2, v0
  raise 3, v5
end

func @"odd name!" () -> () [vararg, pack]
b0:
  v0 = vararg.all
  ret.pack v0
end
)";

}  // namespace

TEST_CASE("ir text: what is printed parses and prints the same") {
    CHECK(reprint(kEverything) == kEverything);
}

TEST_CASE("ir text: numbering follows the order of print, whatever the names were") {
    CHECK(reprint("func @f (i64) -> (i64)\nb7(v9: i64):\n  jump b3(v9)\nb3(v1: i64): -- comment\n  ret v1\nend\n") ==
          "func @f (i64) -> (i64)\nb0(v0: i64):\n  jump b1(v0)\nb1(v1: i64):\n  ret v1\nend\n");
}

TEST_CASE("ir text: positions are kept and printed on request") {
    Module module;
    std::string error;
    REQUIRE(parse("func @f (i64) -> (i64)\nb0(v0: i64):\n  v1 = add.i v0, v0 !42\n  ret v1\nend\n", module, error));
    PrintOptions options;
    options.showLocs = true;
    CHECK(print(module, options).find("add.i v0, v0 !42\n") != std::string::npos);
    CHECK(print(module).find('!') == std::string::npos);
}

TEST_CASE("ir text: mistakes name their line") {
    CHECK(errorOf("func @f () -> ()\nb0:\n  frobnicate\nend\n") == "line 3: unknown operation");
    CHECK(errorOf("func @f () -> ()\nb0:\n  jump b1\nend\n") == "line 4: b1 does not exist");
    CHECK(errorOf("func @f () -> (i64)\nb0:\n  ret v4\nend\n") == "line 3: v4 does not exist");
    CHECK(errorOf("func @f () -> ()\nb0:\n  call @g\nend\n") == "line 3: no function `g`");
    CHECK(errorOf("func @f () -> ()\nb0:\n  ret\n") == "line 4: `end` is missing");
    CHECK(errorOf("func @f () -> ()\nb0:\n  v1 = const.str \"open\n  ret\nend\n") == "line 3: expected a string");
    CHECK(errorOf("b0:\n") == "line 1: expected `func`, `type`, `var`, `method` or `class`");
}

TEST_CASE("ir verify: each rule rejects its own violation") {
    auto body = [](std::string_view lines) {
        return errorOf("func @g () -> () [pack]\nb0:\n  ret.pack\nend\n"
                       "func @f (f64, i64, box) -> (f64)\nb0(v0: f64, v1: i64, v2: box):\n" +
                       std::string(lines) + "end\n");
    };
    CHECK(body("  ret v0\n") == "");
    CHECK(body("  ret v1\n").find("result 0 has the wrong representation") != std::string::npos);
    CHECK(body("  v3 = add.f v0, v1\n  ret v3\n").find("operand 1 does not fit `ff`") != std::string::npos);
    CHECK(body("  jump b1(v0)\nb1:\n  ret v0\n").find("1 arguments for 0 parameters") != std::string::npos);
    CHECK(body("  v3 = is.nil v2\n  br v3, b1, b2\nb1:\n  v4 = neg.f v0\n  jump b2\nb2:\n  ret v4\n").find("does not dominate") !=
          std::string::npos);
    CHECK(body("  jump b1\nb1:\n  jump b1\n").find("back edge does not poll") != std::string::npos);
    CHECK(body("  ret v0\nb1:\n  ret v0\n").find("cannot be reached") != std::string::npos);
    CHECK(body("  v3: pack = call @g\n  v4 = len.x v2\n  v5 = pack.get v3, 0\n  ret v0\n").find("overwritten") !=
          std::string::npos);
    CHECK(body("  v3: pack = call @g\n  v4 = pack.get v3, 0\n  v5 = pack.get v3, 1\n  ret v0\n") == "");
    CHECK(body("  v3 = vararg.count\n  ret v0\n").find("takes no extra arguments") != std::string::npos);
    CHECK(body("  v3 = eq.i v0, v0\n  ret v0\n").find("not compared") != std::string::npos);
}

TEST_CASE("ir verify: virtual calls and classes") {
    auto module = [](std::string_view lines, std::string_view body) {
        return errorOf("type t0 \"C\"\nmethod m0 \"C.m\" slot 0 (ref, f64) -> (f64)\nclass t0 words 2 ancestors (t0)\n" +
                       std::string(lines) + "func @m (ref, f64) -> (f64)\nb0(v0: ref, v1: f64):\n  ret v1\nend\n" +
                       "func @f (ref, f64) -> (f64)\nb0(v0: ref, v1: f64):\n" + std::string(body) + "  ret v1\nend\n");
    };
    CHECK(module("  field 1 \"x\" f64 type t0 owner t0\n  entry 0 @m\n", "  v2: f64 = call.method m0, v0, v1\n") == "");
    CHECK(module("", "  v2: f64 = call.method m1, v0, v1\n").find("no such method") != std::string::npos);
    CHECK(module("", "  v2: f64 = call.method m0, v0\n").find("too few arguments") != std::string::npos);
    CHECK(module("", "  v2: f64 = call.method m0, v0, v0\n").find("argument 1 has the wrong representation") != std::string::npos);
    CHECK(module("", "  v2: ref = call.method m0, v0, v1\n").find("not the method's representation") != std::string::npos);
    CHECK(module("  entry 1 @m\n", "").find("in slot 1 answers no method") != std::string::npos);
    CHECK(module("  field 2 \"x\" f64 type t0 owner t0\n", "").find("no word of its own") != std::string::npos);
    CHECK(module("  maker @m\n", "").find("makes no object") != std::string::npos);
}
