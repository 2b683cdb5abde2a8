// Where the fields of objects lie, and how numbers are given to things that must not collide.
//
// Made by lowering from the classes that sema lists (TypedProgram::classes), once per program; read while functions are lowered
// and when the tables of virtual methods are filled. A field has one word in every class that has it, its own class and all
// that derive from it, so an access needs no look-up whatever the object's class. Words are found by colouring (Pugh & Weddell
// 1990): a field takes the lowest word that is free in all classes that have it. Classes that serve as a second base somewhere
// are served first, with their ancestors, then the first-base chains, bases before derived classes: where nobody has
// several bases no object has a hole. Deterministic, and linear in the lengths of the lists of ancestors.
// It knows nothing of methods: lowering colours their slots with Colouring, which fields use as well. It reports nothing.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "sema/typed.h"

namespace luapp::ir {

/// Gives numbers to items that occur in several containers, so that no two items of one container share a number.
class Colouring {
  public:
    explicit Colouring(uint32_t containerCount) : containers_(containerCount) {}
    /// The lowest number free in all of `containers`; from now on it is taken in them.
    uint32_t place(std::span<const uint32_t> containers);
    /// One more than the greatest number in use in `container`.
    uint32_t size(uint32_t container) const { return containers_[container].size; }

  private:
    struct Container {
        std::vector<bool> isTaken;
        uint32_t firstFree = 0;
        uint32_t size = 0;
    };
    static uint32_t nextFree(const Container& c, uint32_t from);
    std::vector<Container> containers_;
};

/// The words of all fields of a program's classes.
class ClassLayout {
  public:
    /// `classes`: bases before derived classes. They must outlive the layout.
    explicit ClassLayout(std::span<sema::TypedClass* const> classes);

    /// The class as sema lists it; the type must be one of the program.
    const sema::TypedClass& classOf(const sema::ClassType* type) const { return *classes_[indexOf(type)]; }
    /// Its position in the list.
    uint32_t indexOf(const sema::ClassType* type) const;
    /// The word of field number `field` of those that `owner` itself declares, in every object that has it.
    uint32_t fieldWord(const sema::ClassType* owner, uint32_t field) const { return fieldWord(indexOf(owner), field); }
    uint32_t fieldWord(uint32_t classIndex, uint32_t field) const { return words_[firstField_[classIndex] + field]; }
    /// Words of an instance, unused ones between its fields included.
    uint32_t instanceWords(uint32_t classIndex) const { return instanceWords_[classIndex]; }

  private:
    void placeFields();
    std::vector<uint32_t> placingOrder() const;

    std::span<sema::TypedClass* const> classes_;
    std::unordered_map<const sema::ClassType*, uint32_t> index_;
    std::vector<uint32_t> firstField_;     // by class: where its fields begin in words_
    std::vector<uint32_t> words_;          // by field
    std::vector<uint32_t> instanceWords_;  // by class
};

}  // namespace luapp::ir
