#include "middle/class_layout.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace luapp::ir {

// --- colouring ---------------------------------------------------------------------------------------------------

uint32_t Colouring::nextFree(const Container& c, uint32_t from) {
    while (from < c.isTaken.size() && c.isTaken[from]) from++;
    return from;
}

uint32_t Colouring::place(std::span<const uint32_t> containers) {
    uint32_t number = 0;
    for (uint32_t i : containers) number = std::max(number, containers_[i].firstFree);
    // Each refusal raises the number; once all have agreed in a row, it is free everywhere.
    for (size_t agreed = 0, at = 0; agreed < containers.size(); agreed++, at = (at + 1) % containers.size()) {
        const uint32_t free = nextFree(containers_[containers[at]], number);
        if (free == number) continue;
        number = free;
        agreed = 0;
    }
    for (uint32_t i : containers) {
        Container& c = containers_[i];
        if (c.isTaken.size() <= number) c.isTaken.resize(number + 1, false);
        c.isTaken[number] = true;
        c.firstFree = nextFree(c, c.firstFree);
        c.size = std::max(c.size, number + 1);
    }
    return number;
}

// --- fields ------------------------------------------------------------------------------------------------------

ClassLayout::ClassLayout(std::span<sema::TypedClass* const> classes) : classes_(classes) {
    uint32_t fields = 0;
    for (uint32_t i = 0; i < classes.size(); i++) {
        index_.emplace(classes[i]->type, i);
        firstField_.push_back(fields);
        fields += classes[i]->fields.count;
    }
    words_.assign(fields, 0);
    instanceWords_.assign(classes.size(), 0);
    placeFields();
}

uint32_t ClassLayout::indexOf(const sema::ClassType* type) const {
    auto found = index_.find(type);
    LUAPP_CHECK(found != index_.end(), "class is not in the program's list");
    return found->second;
}

/// Positions of the classes in the order in which their fields get words.
std::vector<uint32_t> ClassLayout::placingOrder() const {
    const auto count = uint32_t(classes_.size());
    std::vector<bool> isSecond(count, false);     // reached by some class other than through its first base; and its ancestors
    std::vector<uint32_t> seenFrom(count, count);  // the class whose first base's ancestors were marked last
    for (uint32_t i = 0; i < count; i++) {
        const auto& ancestors = classes_[i]->ancestors;
        if (ancestors.count < 2) continue;
        // In C3 order the first base comes right behind the class.
        const auto& ofFirst = ancestors[1]->ancestors;
        if (ofFirst.count + 1 == ancestors.count) continue;
        for (const sema::TypedClass* a : ofFirst) seenFrom[indexOf(a->type)] = i;
        for (uint32_t k = 1; k < ancestors.count; k++) {
            const uint32_t a = indexOf(ancestors[k]->type);
            if (seenFrom[a] != i) isSecond[a] = true;
        }
    }
    for (uint32_t i = count; i-- > 0;) {
        if (!isSecond[i]) continue;
        for (const sema::TypedClass* a : classes_[i]->ancestors) isSecond[indexOf(a->type)] = true;
    }
    std::vector<uint32_t> order;
    for (bool second : {true, false}) {
        for (uint32_t i = 0; i < count; i++) {
            if (isSecond[i] == second) order.push_back(i);
        }
    }
    return order;
}

void ClassLayout::placeFields() {
    // Which classes have the fields of each.
    std::vector<std::vector<uint32_t>> havers(classes_.size());
    for (uint32_t i = 0; i < classes_.size(); i++) {
        for (const sema::TypedClass* a : classes_[i]->ancestors) {
            if (a->fields.count != 0) havers[indexOf(a->type)].push_back(i);
        }
    }
    Colouring colouring(uint32_t(classes_.size()));
    for (uint32_t i : placingOrder()) {
        for (uint32_t field = 0; field < classes_[i]->fields.count; field++) {
            words_[firstField_[i] + field] = colouring.place(havers[i]);
        }
    }
    for (uint32_t i = 0; i < classes_.size(); i++) instanceWords_[i] = colouring.size(i);
}

}  // namespace luapp::ir
