// The heap: allocation, marking, sweeping, finalisers, limits; a torture test against a shadow model.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/object/array.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/userdata.h"
#include "runtime_testing.h"

using namespace luapp::rt;
using namespace luapp::rt::testing;

namespace {

/// A record type of two references and an integer.
const TypeDesc* nodeType(State& s) {
    TypeDesc* t = s.types.declare(TypeKind::Record, Rep::Ref, "test.Node", "Node");
    FieldDesc fields[] = {{.name = "id", .type = s.types.basic(TypeKind::Integer)},
                          {.name = "left", .type = s.types.optional(t)},
                          {.name = "right", .type = s.types.optional(t)},
                          {.name = "extra", .type = s.types.basic(TypeKind::Any)}};
    s.types.complete(t, {.kind = TypeKind::Record, .rep = Rep::Ref, .fields = fields});
    return t;
}

int finalised = 0;  // counts calls of the finaliser below; tests run one after the other
const UserdataClass kCounted = {"counted", [](void* payload) {
                                    finalised++;
                                    *static_cast<uint64_t*>(payload) = 0;
                                }};

void countObjects(void* context, Object*) { ++*static_cast<size_t*>(context); }

size_t objectCount(State& s) {
    size_t count = 0;
    s.heap.forEachObject(countObjects, &count);
    return count;
}

}  // namespace

TEST_CASE("memory is zeroed, aligned and of the size asked for") {
    ScopedState s;
    for (size_t bytes : {8u, 9u, 16u, 24u, 100u, 512u, 513u, 1000u, 5000u, 32768u, 32769u, 70000u, 1000000u}) {
        for (int i = 0; i < 40; i++) {
            Object* o = s->heap.allocate(bytes, Kind::StringBuffer);
            CHECK(reinterpret_cast<uintptr_t>(o) % 16 == 0);
            CHECK(s->heap.cellSize(o) >= bytes);
            CHECK(s->heap.cellSize(o) == Heap::roundedSize(bytes));
            auto* p = reinterpret_cast<unsigned char*>(o);
            bool isZero = true;
            for (size_t k = 8; k < bytes; k++) isZero = isZero && p[k] == 0;
            CHECK(isZero);
            std::memset(p + 8, 0xAA, bytes - 8);
        }
        s->heap.collect();
    }
}

TEST_CASE("random object graphs survive collections unharmed") {
    ScopedState s;
    const TypeDesc* type = nodeType(*s);
    constexpr uint32_t kRoots = 200;
    // The real roots, and for each node what its fields should be, by id.
    Array* roots = newArray(*s, s->types.arrayOf(type), 0);
    struct Shadow {
        int64_t left = -1;
        int64_t right = -1;
        std::string text;
    };
    std::vector<Shadow> shadow;
    std::vector<int64_t> rootIds(kRoots, -1);
    arrayExtend(*s, roots, kRoots);
    Random random(11);
    for (int step = 0; step < 60000; step++) {
        uint32_t at = random.below(kRoots);
        auto* a = refOf<Instance>(roots->get(random.below(kRoots)));
        auto* b = refOf<Instance>(roots->get(random.below(kRoots)));
        Shadow entry;
        entry.left = a == nullptr ? -1 : integerOf(a->fields[0]);
        entry.right = b == nullptr || random.below(8) != 0 ? -1 : integerOf(b->fields[0]);
        entry.text = std::string(random.below(60), 'a') + std::to_string(step);
        String* text = newString(*s, entry.text);
        Instance* node = newInstance(*s, type, 4);
        node->fields[0] = wordOf(static_cast<int64_t>(shadow.size()));
        node->fields[1] = wordOf(a);
        node->fields[2] = entry.right < 0 ? 0 : wordOf(b);
        node->fields[3] = Value::string(text).word();
        arraySet(*s, roots, at, wordOf(node));
        rootIds[at] = static_cast<int64_t>(shadow.size());
        shadow.push_back(std::move(entry));
        if (step % 97 == 0) {
            // Cut some chains so that garbage arises.
            arraySet(*s, roots, at, 0);
            rootIds[at] = -1;
        }
        if (step % 15000 == 0) s->heap.collect();
    }
    s->heap.collect();
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < kRoots; i++) {
        auto* node = refOf<Instance>(roots->get(i));
        if (node == nullptr) {
            wrong += rootIds[i] == -1 ? 0 : 1;
            continue;
        }
        wrong += integerOf(node->fields[0]) == rootIds[i] ? 0 : 1;
        for (int depth = 0; node != nullptr && depth < 1000; depth++) {
            const Shadow& expected = shadow[static_cast<size_t>(integerOf(node->fields[0]))];
            auto* left = refOf<Instance>(node->fields[1]);
            auto* right = refOf<Instance>(node->fields[2]);
            wrong += (left == nullptr ? -1 : integerOf(left->fields[0])) == expected.left ? 0 : 1;
            wrong += (right == nullptr ? -1 : integerOf(right->fields[0])) == expected.right ? 0 : 1;
            wrong += Value::fromWord(node->fields[3]).asString()->view() == expected.text ? 0 : 1;
            node = right != nullptr && depth % 3 == 0 ? right : left;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("garbage of every kind is freed") {
    ScopedState s;
    const TypeDesc* list = s->types.arrayOf(s->types.basic(TypeKind::Any));
    for (int round = 0; round < 3; round++) {
        size_t before = objectCount(*s);
        [&]() LUAPP_NOINLINE {
            for (int i = 0; i < 2000; i++) {
                Array* a = newArray(*s, list, 10);
                LuaTable* t = newLuaTable(*s, 3, 20);
                luaSetInt(*s, t, 1, Value::object(a));
                arrayPush(*s, a, Value::luaTable(t).word());
                luaSetString(*s, t, newString(*s, "key" + std::to_string(i)), Value::string(newString(*s, std::string(100, 'v'))));
                Closure* c = newClosure(*s, nullptr, nullptr, 3);
                c->captures[2] = wordOf(t);
                newCell(*s, wordOf(c), Rep::Ref);
            }
        }();
        size_t after = objectCount(*s);
        CHECK(after < before + 60);
    }
}

TEST_CASE("captures and cells hold what they capture") {
    ScopedState s;
    Closure* c = newClosure(*s, nullptr, nullptr, 4);
    c->captures[0] = wordOf(newString(*s, std::string(50, 'a')));
    c->captures[1] = Value::string(newString(*s, std::string(50, 'b'))).word();
    c->captures[2] = wordOf(newCell(*s, wordOf(newString(*s, std::string(50, 'c'))), Rep::Ref));
    c->captures[3] = wordOf(1.5);
    for (int i = 0; i < 3; i++) {
        s->heap.collect();
        for (int k = 0; k < 1000; k++) newString(*s, std::string(50, 'z'));
    }
    CHECK(refOf<String>(c->captures[0])->view() == std::string(50, 'a'));
    CHECK(Value::fromWord(c->captures[1]).asString()->view() == std::string(50, 'b'));
    CHECK(refOf<String>(refOf<Cell>(c->captures[2])->word)->view() == std::string(50, 'c'));
}

TEST_CASE("the result area, root ranges and the VM stack are roots") {
    ScopedState s;
    Word segment[3] = {};
    RootRange range{.begin = segment, .count = 3};
    s->addRootRange(&range);
    segment[1] = wordOf(newString(*s, std::string(60, '1')));
    s->results[5] = wordOf(newString(*s, std::string(60, '2')));
    s->frame[7] = Value::string(newString(*s, std::string(60, '3'))).word();
    s->heap.collect();
    for (int k = 0; k < 1000; k++) newString(*s, std::string(60, 'z'));
    CHECK(refOf<String>(segment[1])->view() == std::string(60, '1'));
    CHECK(refOf<String>(s->results[5])->view() == std::string(60, '2'));
    CHECK(Value::fromWord(s->frame[7]).asString()->view() == std::string(60, '3'));
    s->removeRootRange(&range);
    CHECK(s->rootRanges == nullptr);
}

TEST_CASE("deep structures need no native stack") {
    ScopedState s;
    const TypeDesc* type = nodeType(*s);
    Instance* head = nullptr;
    for (int i = 0; i < 1000000; i++) {
        Instance* node = newInstance(*s, type, 4);
        node->fields[1] = wordOf(head);
        head = node;
    }
    s->heap.collect();
    int length = 0;
    for (Instance* n = head; n != nullptr; n = refOf<Instance>(n->fields[1])) length++;
    CHECK(length == 1000000);
}

TEST_CASE("finalisers run once, for unreached userdata and at the end") {
    finalised = 0;
    {
        ScopedState s;
        Userdata* kept = newUserdata(*s, &kCounted, 8);
        [&]() LUAPP_NOINLINE {
            for (int i = 0; i < 100; i++) newUserdata(*s, &kCounted, 8);
        }();
        s->heap.collect();
        CHECK(finalised > 80);
        int now = finalised;
        s->heap.collect();
        CHECK(finalised <= now + 5);
        CHECK(kept->userClass == &kCounted);
    }
    CHECK(finalised == 101);
}

TEST_CASE("memory is reused, large objects go back") {
    ScopedState s;
    for (int i = 0; i < 300; i++) s->heap.allocate(1 << 20, Kind::StringBuffer);
    CHECK(s->heap.stats().bytesReserved < (uint64_t{100} << 20));
    for (int i = 0; i < 3000000; i++) s->heap.allocate(48, Kind::StringBuffer);
    CHECK(s->heap.stats().bytesReserved < (uint64_t{120} << 20));
    CHECK(s->heap.stats().minorCycles > 5);
}

TEST_CASE("the limit raises a catchable error") {
    ScopedState s(StateOptions{.memoryLimit = 16 << 20});
    Array* list = nullptr;
    auto fill = [](State& st, void* data) {
        auto*& a = *static_cast<Array**>(data);
        a = newArray(st, st.types.arrayOf(st.types.basic(TypeKind::String)), 0);
        for (;;) arrayPush(st, a, wordOf(newString(st, std::string_view("0123456789012345678901234567890123456789012345678901234"))));
    };
    for (int round = 0; round < 3; round++) {
        CHECK_FALSE(protectedCall(*s, fill, &list));
        CHECK(errorText(*s) == "out of memory");
        uint32_t length = list->length;  // a copy: CHECK would keep a pointer into the array on this frame
        CHECK(length > 10000);
        CHECK(s->heap.bytesInUse() < (18 << 20));
        list = nullptr;
    }
    auto big = [](State& st, void*) { st.heap.allocate(64 << 20, Kind::StringBuffer); };
    CHECK_FALSE(protectedCall(*s, big, nullptr));
    auto absurd = [](State& st, void*) { newLongString(st, uint64_t{1} << 50); };
    CHECK_FALSE(protectedCall(*s, absurd, nullptr));
    CHECK(errorText(*s) == "string length overflow");
}

TEST_CASE("a store into an old object keeps what is young through minor cycles") {
    ScopedState s;
    const TypeDesc* type = nodeType(*s);
    Instance* old = newInstance(*s, type, 4);
    // Long enough for cards, and for being traced in pieces.
    constexpr uint32_t kLong = 50000;
    Array* list = newArray(*s, s->types.arrayOf(type), kLong);
    arrayExtend(*s, list, kLong);
    LuaTable* table = newLuaTable(*s);
    s->heap.collect();
    Random random(5);
    std::vector<int64_t> expected(kLong, -1);
    int64_t id = 0;
    uint64_t minor = s->heap.stats().minorCycles;
    for (; s->heap.stats().minorCycles < minor + 20; id++) {
        const auto made = [&] {
            Instance* node = newInstance(*s, type, 4);
            node->fields[0] = wordOf(id);
            return node;
        };
        storeWord(*s, old, &old->fields[1], wordOf(made()));
        const uint32_t at = random.below(kLong);
        arraySet(*s, list, at, wordOf(made()));
        expected[at] = id;
        luaSetInt(*s, table, id % 100 + 1, Value::object(made()));
        newInstance(*s, type, 4);
    }
    CHECK(integerOf(refOf<Instance>(old->fields[1])->fields[0]) == id - 1);
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < kLong; i++) {
        const Instance* node = refOf<Instance>(list->get(i));
        wrong += (node == nullptr ? -1 : integerOf(node->fields[0])) == expected[i] ? 0 : 1;
    }
    for (int64_t k = 1; k <= 100; k++) wrong += (integerOf(luaGetInt(table, k).asInstance()->fields[0]) - k + 1) % 100 == 0 ? 0 : 1;
    CHECK(wrong == 0);
}

TEST_CASE("words that move while a long buffer is traced in pieces are not lost") {
    ScopedState s;
    const TypeDesc* type = nodeType(*s);
    constexpr uint32_t kLength = 20000;
    Array* list = newArray(*s, s->types.arrayOf(type), kLength);
    for (uint32_t i = 0; i < kLength; i++) {
        Instance* node = newInstance(*s, type, 4);
        node->fields[0] = wordOf(int64_t{i});
        arrayPush(*s, list, wordOf(node));
    }
    for (int round = 0; round < 3; round++) {
        // Small steps of a major cycle, and between them the last element goes to the front.
        while (!s->heap.stepBy(16 * 1024)) arrayInsert(*s, list, 0, arrayPop(*s, list));
    }
    s->heap.collect();
    std::vector<bool> seen(kLength);
    for (uint32_t i = 0; i < kLength; i++) seen[static_cast<size_t>(integerOf(refOf<Instance>(list->get(i))->fields[0]))] = true;
    CHECK(std::find(seen.begin(), seen.end(), false) == seen.end());
}

TEST_CASE("an interned string that is found between marking and sweeping lives on") {
    ScopedState s;
    for (int round = 0; round < 20; round++) {
        [&]() LUAPP_NOINLINE {
            for (int i = 0; i < 3000; i++) newString(*s, "name " + std::to_string(i));
        }();
        clearStack();
        // Step until marking has ended; by then the names are dead, and most blocks are not swept.
        const uint64_t majors = s->heap.stats().majorCycles;
        while (s->heap.stats().majorCycles == majors) s->heap.stepBy(256);
        Array* kept = newArray(*s, s->types.arrayOf(s->types.basic(TypeKind::String)), 0);
        for (int i = 0; i < 3000; i += 7) arrayPush(*s, kept, wordOf(newString(*s, "name " + std::to_string(i))));
        while (!s->heap.stepBy(256)) continue;
        s->heap.collect();
        uint64_t wrong = 0;
        for (uint32_t i = 0; i < kept->length; i++) {
            String* str = refOf<String>(kept->get(i));
            wrong += str->view() == "name " + std::to_string(i * 7) && newString(*s, str->view()) == str ? 0 : 1;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("a slice does a bounded share of a cycle, and cycles end while the program allocates") {
    ScopedState s;
    const TypeDesc* type = nodeType(*s);
    Array* list = newArray(*s, s->types.arrayOf(type), 0);
    for (int i = 0; i < 1000000; i++) arrayPush(*s, list, wordOf(newInstance(*s, type, 4)));
    struct Seen {
        uint64_t slices = 0;
        uint64_t ends = 0;
    } seen;
    s->heap.setObserver(
        [](void* context, const GcReport& report) {
            static_cast<Seen*>(context)->slices++;
            static_cast<Seen*>(context)->ends += report.ended ? 1 : 0;
        },
        &seen);
    s->heap.setPause(100);  // major cycles only
    const uint64_t majors = s->heap.stats().majorCycles;
    while (s->heap.stats().majorCycles < majors + 3) newInstance(*s, type, 4);
    CHECK(seen.slices > 3 * seen.ends);
    CHECK(s->heap.stats().pauses.quantileNs(1000) == s->heap.stats().pauses.longestNs());
    CHECK(s->heap.stats().pauses.quantileNs(500) <= s->heap.stats().pauses.quantileNs(990));
    s->heap.setObserver(nullptr, nullptr);
}

TEST_CASE("the pause histogram knows quantiles") {
    PauseHistogram pauses;
    CHECK(pauses.quantileNs(999) == 0);
    for (uint64_t i = 1; i <= 1000; i++) pauses.add(i * 1000);
    CHECK(pauses.count() == 1000);
    CHECK(pauses.longestNs() == 1000000);
    CHECK(pauses.quantileNs(1000) == 1000000);
    for (uint32_t perMille : {10u, 500u, 990u, 999u}) {
        CHECK(pauses.quantileNs(perMille) >= perMille * 1000);
        CHECK(pauses.quantileNs(perMille) <= perMille * 1070);
    }
    CHECK(pauses.below(500000) >= 460);
    CHECK(pauses.below(500000) < 500);
}

TEST_CASE("many States at once") {
    std::vector<State*> states;
    for (int i = 0; i < 200; i++) states.push_back(State::create({.hooks = &kTestHooks}));
    for (State* s : states) CHECK(newString(*s, "x") == newString(*s, "x"));
    CHECK(states[0]->hashSeed != states[1]->hashSeed);
    for (State* s : states) State::destroy(s);
}
