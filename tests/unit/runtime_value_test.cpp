// Boxes, strings, arrays, type descriptors.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "runtime/object/array.h"
#include "runtime/vm/convert.h"
#include "runtime_testing.h"

using namespace luapp::rt;
using namespace luapp::rt::testing;

TEST_CASE("boxes") {
    static_assert(Value::number(1.5).isNumber());
    static_assert(!Value::nil().isNumber());
    static_assert(Value::boolean(true).isTruthy() && !Value::boolean(false).isTruthy() && !Value::nil().isTruthy());
    static_assert(Value::number(0).isTruthy());
    static_assert(Value::enumeration(7, -3).enumTypeIndex() == 7 && Value::enumeration(7, -3).enumOrdinal() == -3);
    CHECK(Value::number(-INFINITY).isNumber());
    CHECK(Value::fromRawDouble(std::nan("123")).isNumber());
    CHECK(Value::number(0.0 * INFINITY).isNumber());
    CHECK_FALSE(Value::absent().isNil());
    int x = 0;
    CHECK(Value::lightUserdata(&x).asLightUserdata() == &x);
    CHECK(rawEquals(Value::number(0), Value::number(-0.0)));
    CHECK_FALSE(rawEquals(Value::number(NAN), Value::number(NAN)));
    CHECK_FALSE(rawEquals(Value::number(1), Value::boolean(true)));
    CHECK(std::string(typeName(Value::nil())) == "nil");
    CHECK(std::string(typeName(Value::number(1))) == "number");
    CHECK(boxWord(wordOf(int64_t{-5}), luapp::base::Rep::I64).asNumber() == -5);
    CHECK(boxWord(0, luapp::base::Rep::Ref).isNil());
    CHECK(boxWord(1, luapp::base::Rep::Bool).isTrue());
}

TEST_CASE("short strings are interned, long ones compare by content") {
    ScopedState s;
    String* a = newString(*s, "hello");
    CHECK(a == newString(*s, "hello"));
    CHECK(a != newString(*s, "hellp"));
    CHECK(newString(*s, std::string_view("a\0b", 3)) != newString(*s, std::string_view("a\0c", 3)));
    std::string forty(40, 'x');
    std::string fortyOne(41, 'x');
    CHECK(newString(*s, forty) == newString(*s, forty));
    String* l1 = newString(*s, fortyOne);
    String* l2 = newString(*s, fortyOne);
    CHECK(l1 != l2);
    CHECK(equalStrings(l1, l2));
    CHECK(hashOf(*s, l1) == hashOf(*s, l2));
    CHECK(l1->data()[41] == 0);
    CHECK(a->data()[5] == 0);
    CHECK(compareStrings(a, newString(*s, "hello!")) < 0);
    CHECK(compareStrings(newString(*s, "\xff"), a) > 0);
    CHECK(compareStrings(a, a) == 0);
    CHECK(substring(*s, l1, 3, 10) == newString(*s, "xxxxxxx"));
    CHECK(byteString(*s, 'q') == newString(*s, "q"));
    CHECK(textOf(numberString(*s, 1e15)) == "1000000000000000");
}

TEST_CASE("interned strings that nobody holds go away") {
    ScopedState s;
    s->heap.collect();
    size_t before = s->strings.size();
    for (int i = 0; i < 5000; i++) numberString(*s, i + 0.5);
    String* kept = newString(*s, "kept");
    s->heap.collect();
    CHECK(s->strings.size() < before + 100);
    CHECK(newString(*s, "kept") == kept);
    for (int i = 0; i < 5000; i++) CHECK(textOf(integerString(*s, i)) == std::to_string(i));
}

TEST_CASE("appending extends a shared buffer and never changes what is visible") {
    ScopedState s;
    String* text = newString(*s, "");
    std::string model;
    std::vector<std::pair<String*, std::string>> seen;
    seen.reserve(64);
    Array* keep = newArray(*s, s->types.arrayOf(s->types.basic(TypeKind::String)), 0);
    Random random(3);
    for (int i = 0; i < 2000; i++) {
        String* piece = integerString(*s, random.below(100000));
        text = concat(*s, text, piece);
        model += piece->view();
        if (i % 50 == 0) {
            // A second appending to an old window must not disturb the newer one.
            String* side = concat(*s, text, newString(*s, "side branch"));
            seen.emplace_back(text, model);
            seen.emplace_back(side, model + "side branch");
            arrayPush(*s, keep, wordOf(text));
            arrayPush(*s, keep, wordOf(side));
        }
    }
    CHECK(text->view() == model);
    for (auto& [str, expected] : seen) CHECK(str->view() == expected);
    String* twice = concat(*s, text, text);
    CHECK(twice->view() == model + model);
    CHECK(text->view() == model);
    Word words[] = {wordOf(twice), wordOf(text), wordOf(newString(*s, "!"))};
    CHECK(concatN(*s, words, 3)->view() == model + model + model + "!");
    CHECK(twice->view() == model + model);
    const char* c = terminated(*s, twice);
    CHECK(std::string(c) == model + model);
}

TEST_CASE("a text of 10 MB is built in linear time") {
    ScopedState s;
    String* text = newString(*s, "");
    String* piece = newString(*s, "0123456789");
    for (int i = 0; i < 1000000; i++) text = concat(*s, text, piece);
    CHECK(text->length == 10000000);
    CHECK(text->view().substr(9999990) == "0123456789");
}

TEST_CASE("TextBuilder") {
    ScopedState s;
    TextBuilder small(*s);
    small.append("ab");
    small.append('c');
    CHECK(small.finish() == newString(*s, "abc"));
    TextBuilder empty(*s);
    CHECK(empty.finish() == s->emptyString);
    TextBuilder big(*s);
    std::string model;
    for (int i = 0; i < 1000; i++) {
        big.appendNumber(i);
        model += std::to_string(i);
    }
    std::memcpy(big.extend(3), "xyz", 3);
    CHECK(big.finish()->view() == model + "xyz");
}

TEST_CASE("arrays of every representation") {
    ScopedState s;
    for (TypeKind kind : {TypeKind::Number, TypeKind::Boolean, TypeKind::Any}) {
        const TypeDesc* element = s->types.basic(kind);
        Array* a = newArray(*s, s->types.arrayOf(element), 0);
        std::vector<Word> model;
        Random random(7);
        auto fresh = [&]() -> Word {
            uint32_t n = random.below(1000);
            return kind == TypeKind::Boolean ? n & 1 : wordOf(static_cast<double>(n));
        };
        for (int i = 0; i < 3000; i++) {
            Word w = fresh();
            switch (random.below(5)) {
                case 0:
                case 1:
                    arrayPush(*s, a, w);
                    model.push_back(w);
                    break;
                case 2: {
                    uint32_t at = random.below(static_cast<uint32_t>(model.size()) + 1);
                    arrayInsert(*s, a, at, w);
                    model.insert(model.begin() + at, w);
                    break;
                }
                case 3:
                    if (model.empty()) break;
                    CHECK(arrayPop(*s, a) == model.back());
                    model.pop_back();
                    break;
                case 4: {
                    if (model.empty()) break;
                    uint32_t at = random.below(static_cast<uint32_t>(model.size()));
                    CHECK(arrayRemove(*s, a, at) == model[at]);
                    model.erase(model.begin() + at);
                    break;
                }
            }
        }
        CHECK(a->length == model.size());
        for (uint32_t i = 0; i < a->length; i++) CHECK(a->get(i) == model[i]);
        Array* part = arraySlice(*s, a, 3, 10);
        CHECK(part->length == 7);
        CHECK(part->get(0) == model[3]);
        CHECK(part->aux == a->aux);
        arrayTruncate(*s, a, 2);
        arrayExtend(*s, a, 5);
        CHECK(a->get(4) == emptyWord(element->rep));
    }
}

TEST_CASE("types are interned and print as in source") {
    ScopedState s;
    TypeTable& types = s->types;
    const TypeDesc* number = types.basic(TypeKind::Number);
    const TypeDesc* string = types.basic(TypeKind::String);
    CHECK(types.arrayOf(number) == types.arrayOf(number));
    CHECK(types.arrayOf(number) != types.arrayOf(string));
    CHECK(types.arrayOf(types.optional(string))->name == "Array<string?>");
    CHECK(types.optional(string)->rep == Rep::Ref);
    CHECK(types.optional(number)->rep == Rep::Box);
    CHECK(types.optional(types.optional(number)) == types.optional(number));
    CHECK(types.tableOf(string, types.arrayOf(number))->name == "Table<string, Array<number>>");
    const TypeDesc* params[] = {number, string};
    const TypeDesc* results[] = {string};
    const TypeDesc* f = types.intern({.kind = TypeKind::Function, .rep = Rep::Ref, .parts = params, .results = results});
    CHECK(f->name == "(number, string): string");
    CHECK(types.optional(f)->name == "((number, string): string)?");
    const TypeDesc* procedure = types.intern({.kind = TypeKind::Function, .rep = Rep::Ref, .parts = params, .vararg = number});
    CHECK(procedure->name == "(number, string, ...number): void");
    FieldDesc fields[] = {{.name = "n", .type = number}, {.name = "s", .type = types.optional(string)}, {.name = "x", .type = types.basic(TypeKind::Any)}};
    const TypeDesc* record = types.intern({.kind = TypeKind::Record, .rep = Rep::Ref, .fields = fields});
    CHECK(record->name == "{ n: number, s: string?, x: any }");
    CHECK(record == types.intern({.kind = TypeKind::Record, .rep = Rep::Ref, .fields = fields}));
    CHECK(record->findField("s")->offset == 16);
    CHECK(record->refMap[0] == 2);
    CHECK(record->boxMap[0] == 4);
    const TypeDesc* ab[] = {number, string};
    const TypeDesc* ba[] = {string, number};
    const TypeDesc* either = types.intern({.kind = TypeKind::Union, .rep = Rep::Box, .parts = ab});
    CHECK(either->name == "number | string");
    CHECK(either == types.intern({.kind = TypeKind::Union, .rep = Rep::Box, .parts = ba}));

    TypeDesc* list = types.declare(TypeKind::Record, Rep::Ref, "main.List", "List");
    CHECK_FALSE(list->isComplete);
    FieldDesc listFields[] = {{.name = "head", .type = number}, {.name = "tail", .type = types.optional(list)}};
    types.complete(list, {.kind = TypeKind::Record, .rep = Rep::Ref, .fields = listFields});
    CHECK(list->isComplete);
    CHECK(types.declare(TypeKind::Record, Rep::Ref, "main.List", "List") == list);
    CHECK(types.optional(list)->name == "List?");
    CHECK(types.at(list->index) == list);
}

TEST_CASE("a word is a value of a type, or not") {
    ScopedState s;
    TypeTable& types = s->types;
    auto is = [&](Word w, const TypeDesc* type) { return wordHasType(*s, w, type); };
    const TypeDesc* integer = types.basic(TypeKind::Integer);
    CHECK(is(wordOf(int64_t{1} << 53), integer));
    CHECK(!is(wordOf((int64_t{1} << 53) + 1), integer));
    CHECK(is(1, types.basic(TypeKind::Boolean)));
    CHECK(!is(2, types.basic(TypeKind::Boolean)));
    const TypeDesc* number = types.basic(TypeKind::Number);
    CHECK(is(wordOf(std::nan("")), number));
    CHECK(!is(kNilBox, number));
    const TypeDesc* numbers = types.arrayOf(number);
    const Word array = wordOf(newArray(*s, numbers, 0));
    CHECK(is(array, numbers));
    CHECK(!is(array, types.arrayOf(integer)));
    CHECK(!is(array + 8, numbers));
    CHECK(!is(wordOf(1.5), numbers));
    CHECK(!is(0, numbers));
    CHECK(is(0, types.optional(numbers)));
    CHECK(is(Value::number(1).word(), types.optional(number)));
    CHECK(!is(Value::boolean(true).word(), types.optional(number)));
    CHECK(!is(kAbsentBox, types.basic(TypeKind::Any)));
}
