#include "middle/class_layout.h"

#include <doctest/doctest.h>

#include <deque>
#include <initializer_list>
#include <set>

#include "frontend/base/arena.h"

using namespace luapp;
using ir::ClassLayout;
using ir::Colouring;

namespace {

/// Classes with a number of fields each; the first ancestor list is [itself, then what is given].
class Classes {
  public:
    sema::TypedClass* add(uint32_t fields, std::initializer_list<sema::TypedClass*> linearisation) {
        std::vector<sema::TypedClass*> ancestors(linearisation);
        return add(fields, ancestors);
    }
    sema::TypedClass* add(uint32_t fields, const std::vector<sema::TypedClass*>& linearisation) {
        types_.push_back({});
        all_.push_back({});
        sema::TypedClass& cls = all_.back();
        cls.type = &types_.back();
        cls.fields = list<sema::TypedField>(fields);
        cls.ancestors = list<sema::TypedClass*>(linearisation.size() + 1);
        cls.ancestors[0] = &cls;
        for (size_t i = 0; i < linearisation.size(); i++) cls.ancestors[i + 1] = linearisation[i];
        list_.push_back(&cls);
        return &cls;
    }
    const std::vector<sema::TypedClass*>& all() const { return list_; }

  private:
    template <class T>
    frontend::List<T> list(size_t count) {
        auto* items = static_cast<T*>(arena_.allocate(count * sizeof(T) + 1, alignof(T)));
        for (size_t i = 0; i < count; i++) new (&items[i]) T{};
        return {items, uint32_t(count)};
    }
    frontend::Arena arena_;
    std::deque<sema::ClassType> types_;
    std::deque<sema::TypedClass> all_;
    std::vector<sema::TypedClass*> list_;
};

/// No two fields of an object share a word; the words in use are less than instanceWords.
void checkLayout(const Classes& classes, const ClassLayout& layout) {
    for (const sema::TypedClass* cls : classes.all()) {
        std::set<uint32_t> words;
        for (const sema::TypedClass* a : cls->ancestors) {
            for (uint32_t i = 0; i < a->fields.count; i++) {
                const uint32_t word = layout.fieldWord(a->type, i);
                CHECK(words.insert(word).second);
                CHECK(word < layout.instanceWords(layout.indexOf(cls->type)));
            }
        }
    }
}

}  // namespace

TEST_CASE("a chain of first bases has no holes") {
    Classes classes;
    auto* a = classes.add(2, {});
    auto* b = classes.add(1, {a});
    auto* c = classes.add(3, {b, a});
    auto* other = classes.add(1, {a});
    ClassLayout layout(classes.all());
    checkLayout(classes, layout);
    CHECK(layout.fieldWord(a->type, 0) == 0);
    CHECK(layout.fieldWord(a->type, 1) == 1);
    CHECK(layout.fieldWord(b->type, 0) == 2);
    CHECK(layout.fieldWord(c->type, 2) == 5);
    CHECK(layout.fieldWord(other->type, 0) == 2);
    CHECK(layout.instanceWords(layout.indexOf(c->type)) == 6);
    CHECK(layout.instanceWords(layout.indexOf(other->type)) == 3);
}

TEST_CASE("a diamond shares its top, and the second base goes first") {
    Classes classes;
    auto* top = classes.add(1, {});
    auto* left = classes.add(2, {top});
    auto* right = classes.add(1, {top});
    auto* bottom = classes.add(1, {left, right, top});
    ClassLayout layout(classes.all());
    checkLayout(classes, layout);
    CHECK(layout.fieldWord(top->type, 0) == 0);
    CHECK(layout.fieldWord(right->type, 0) == 1);
    CHECK(layout.fieldWord(left->type, 0) == 2);
    CHECK(layout.fieldWord(bottom->type, 0) == 4);
    CHECK(layout.instanceWords(layout.indexOf(right->type)) == 2);
}

TEST_CASE("a mixin keeps its words in all classes that take it in") {
    Classes classes;
    auto* shape = classes.add(3, {});
    auto* person = classes.add(1, {});
    auto* named = classes.add(2, {});
    classes.add(1, {shape, named});
    classes.add(1, {person, named});
    ClassLayout layout(classes.all());
    checkLayout(classes, layout);
    CHECK(layout.fieldWord(named->type, 0) == 0);
    CHECK(layout.instanceWords(layout.indexOf(named->type)) == 2);
}

TEST_CASE("classes without fields take no words") {
    Classes classes;
    auto* a = classes.add(0, {});
    auto* b = classes.add(1, {a});
    ClassLayout layout(classes.all());
    CHECK(layout.instanceWords(layout.indexOf(a->type)) == 0);
    CHECK(layout.fieldWord(b->type, 0) == 0);
}

TEST_CASE("two thousand classes in a chain, and as many unrelated ones") {
    Classes classes;
    std::vector<sema::TypedClass*> above;
    for (int i = 0; i < 2000; i++) above.insert(above.begin(), classes.add(i % 10 == 0 ? 1 : 0, above));
    for (int i = 0; i < 2000; i++) classes.add(5, {});
    ClassLayout layout(classes.all());
    CHECK(layout.instanceWords(1999) == 200);
    CHECK(layout.instanceWords(3999) == 5);
}

TEST_CASE("a number is free in all containers, and the lowest such") {
    Colouring colouring(3);
    const uint32_t first[] = {0, 1}, second[] = {1, 2}, third[] = {0, 2}, all[] = {0, 1, 2};
    CHECK(colouring.place(first) == 0);
    CHECK(colouring.place(second) == 1);
    CHECK(colouring.place(third) == 2);
    CHECK(colouring.place({all, 1}) == 1);
    CHECK(colouring.place(all) == 3);
    CHECK(colouring.place({&all[1], 1}) == 2);
    CHECK(colouring.size(2) == 4);
}
