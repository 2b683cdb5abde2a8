// Rules for moves between registers and memory, boxes, and tests.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/bytecode/verify_impl.h"

namespace luapp::bc {

// --- constants and module variables

bool CodeTyper::loadConstant(const DataEntry& d) {
    if (d.kind == DataKind::Variable) return variable(d, false);
    put(A(), types_.ofData(d));
    return true;
}

bool CodeTyper::variable(const DataEntry& d, bool isSet) {
    if (isSet) {
        const Known want = types_.ofValueType(d.valueType, d.rep);
        return need(A(), want, types_.typeOfValueType(d.valueType));
    }
    const Known declared = types_.ofValueType(d.valueType, d.rep);
    Known k = types_.ofData(d);
    if (d.rep == Rep::Ref && k != declared) {
        // Set before it is read, as the compiler has found out.
        insertAfter({encodeABC(Op::CheckNull, 0, static_cast<unsigned>(A()), static_cast<unsigned>(NilKind::Assert))});
        k = declared;
    }
    put(A(), k);
    if (k.sort == Sort::Ref && sets_.isEmpty(k.index)) cut();
    useTypeHint(A(), true);
    return true;
}

// --- boxes

bool CodeTyper::boxRef() {
    const SetId all = sets_.ofBits(kind_bits::References | kind_bits::Nil);
    if (!needRef(B(), all, kNoIndex)) return false;
    const SetId has = get(B()).sort == Sort::Zero ? sets_.ofBits(kind_bits::Nil) : setOf(B());
    using namespace kind_bits;
    uint32_t bits = 0;
    bool isOther = false;
    switch (C()) {
        case base::kBoxByKind: bits = References; break;
        case base::kBoxString: bits = String; break;
        case base::kBoxLuaTable: bits = LuaTable; break;
        case base::kBoxFunction: bits = AnyClosure; break;
        case base::kBoxObject: bits = References & ~(String | LuaTable | AnyClosure); break;
        default: isOther = true; break;
    }
    if ((isOther || !sets_.isSubset(has, sets_.ofBits(bits | Nil))) && patch_ != nullptr)
        patch_->replaceWord(pc_, encodeABC(Op::BoxRef, fieldA(p_.code[pc_]), fieldB(p_.code[pc_]), base::kBoxByKind));
    put(A(), boxOf(has));
    return true;
}

bool CodeTyper::unbox() {
    if (!needBox(B(), sets_.everything(), kNoIndex)) return false;
    ++epoch_;
    put(A(), types_.ofType(sets_.typeOf(static_cast<TypeIndex>(X()))));
    if ((get(A()).sort == Sort::Ref || get(A()).sort == Sort::Box) && sets_.isEmpty(setOf(A()))) cut();
    return true;
}

bool CodeTyper::unboxUnchecked() {
    if (!needBox(B(), sets_.everything(), kNoIndex)) return false;
    const SetId has = get(B()).sort == Sort::Zero ? sets_.ofBits(kind_bits::Number) : setOf(B());
    switch (static_cast<Rep>(C())) {
        case Rep::I64:
        case Rep::Bool: put(A(), {Sort::Int}); return true;
        case Rep::F64: {
            const SetId number = sets_.ofBits(kind_bits::Number);
            if (!sets_.isSubset(has, number)) replaceOp(Op::UnboxF);
            put(A(), boxOf(number));
            return true;
        }
        case Rep::Ref:
            if (const TypeIndex type = typeHint(); !sets_.isReferences(has) || (type != kNoIndex && !sets_.isSubset(has, sets_.ofType(sets_.typeOf(type)))))
                return unboxChecked(type);
            put(A(), refOf(has));
            return true;
        case Rep::Box: put(A(), boxOf(has)); return true;
        case Rep::Void:
        case Rep::Pack: break;
    }
    return fail("bad representation");
}

/// What the compiler says that this instruction finds, or kNoIndex.
TypeIndex CodeTyper::typeHint() const {
    auto found = std::ranges::lower_bound(p_.typeHints, pc_, {}, &TypeHint::pc);
    return found == p_.typeHints.end() || found->pc != pc_ ? kNoIndex : found->type;
}

/// An UnboxU of which only the compiler knows that it finds a reference of that type.
bool CodeTyper::unboxChecked(TypeIndex type) {
    if (type == kNoIndex) return failAt(static_cast<unsigned>(B()), "a boxed reference");
    const auto a = static_cast<unsigned>(A());
    insertBefore({encodeABC(Op::Unbox, a, static_cast<unsigned>(B()), static_cast<unsigned>(CheckKind::Convert)), type});
    if (patch_ != nullptr) patch_->replaceWord(pc_, encodeABC(Op::Move, a, a, 0));
    ++epoch_;
    put(A(), types_.ofType(sets_.typeOf(type)));
    if (sets_.isEmpty(setOf(A()))) cut();
    return true;
}

// --- tests

bool CodeTyper::checkRef() {
    const TypeId type = sets_.typeOf(static_cast<TypeIndex>(X()));
    const Known want = types_.ofType(type);
    // What that finds ends the process; it is not for files.
    if (static_cast<CheckKind>(C()) == CheckKind::Word) return fail("a check of the compiler's own");
    const SetId all = sets_.ofBits(kind_bits::References | kind_bits::Nil);
    if (want.sort != Sort::Ref && sets_.type(type).kind != TypeKind::Any) return fail("the type is no reference");
    if (!needRef(B(), all, kNoIndex)) return false;
    if (get(B()).sort == Sort::Zero) valueAt(B()).known = refOf(sets_.ofBits(kind_bits::Nil));
    refine(B(), sets_.meet(setOf(B()), sets_.ofType(type)));
    return true;
}

bool CodeTyper::typeTest(bool isRef) {
    const TypeId type = sets_.typeOf(static_cast<TypeIndex>(X()));
    if (!(isRef ? needRef(B(), sets_.ofBits(kind_bits::References | kind_bits::Nil), kNoIndex) : needBox(B(), sets_.everything(), kNoIndex))) return false;
    const uint32_t about = at_[slot(B())];
    const Known k = get(B());
    put(A(), {Sort::Int});
    if (k.sort == Sort::Zero) return true;
    const SetId tested = sets_.ofType(type);
    // A number need not be an integer.
    const SetId surely = sets_.withoutBits(tested, kind_bits::Number);
    const bool isExact = sets_.type(type).kind != TypeKind::Function && sets_.type(type).kind != TypeKind::Union;
    Fact fact{about, sets_.meet(k.index, tested), isExact ? sets_.without(k.index, sets_.type(type).kind == TypeKind::Number ? tested : surely) : k.index};
    valueAt(A()).fact = addFact(fact);
    return true;
}

bool CodeTyper::checkNilOrNull(bool isRef) {
    if (isRef) {
        Known& k = valueAt(B()).known;
        if (k.sort == Sort::Zero || (k.sort == Sort::Ref && k.index == sets_.ofBits(kind_bits::Nil))) {
            cut();
            return true;
        }
        if (k.sort == Sort::Cell || k.sort == Sort::Fresh) return true;
        if (k.sort != Sort::Ref) return failAt(static_cast<unsigned>(B()), "a reference");
    } else if (!needBox(B(), sets_.everything(), kNoIndex)) {
        return false;
    }
    if (get(B()).sort != Sort::Zero) refine(B(), sets_.withoutBits(setOf(B()), kind_bits::Nil));
    return true;
}

uint32_t CodeTyper::addFact(const Fact& fact) {
    facts_.push_back(fact);
    return static_cast<uint32_t>(facts_.size());
}

/// A fact about one of two words from their being equal; false: they tell nothing.
bool CodeTyper::equalWords(int64_t a, int64_t b, Fact& fact) {
    auto isConstant = [&](const Known& k) {
        return k.sort == Sort::Zero || (k.sort == Sort::Box && (k.index == sets_.ofBits(kind_bits::Nil) || k.index == sets_.ofBits(kind_bits::Absent)));
    };
    if (isConstant(get(a))) std::swap(a, b);
    const Known k = get(a), constant = get(b);
    if (!isConstant(constant)) return false;
    if (constant.sort == Sort::Zero ? k.sort != Sort::Ref : k.sort != Sort::Box) return false;
    const SetId one = constant.sort == Sort::Zero ? sets_.ofBits(kind_bits::Nil) : constant.index;
    fact = {at_[slot(a)], sets_.meet(k.index, one), sets_.without(k.index, one)};
    return true;
}

bool CodeTyper::truthTest(int64_t reg, Fact& fact) {
    if (!needBox(reg, sets_.everything(), kNoIndex)) return false;
    const Known k = get(reg);
    if (k.sort == Sort::Zero) {
        const SetId number = sets_.ofBits(kind_bits::Number);
        fact = {kDeadValue, number, number};
        return true;
    }
    fact = {at_[slot(reg)], sets_.withoutBits(k.index, kind_bits::Nil), sets_.meet(k.index, sets_.ofBits(kind_bits::Nil | kind_bits::Boolean))};
    return true;
}

/// A conditional jump; on both ways what the condition says is known.
bool CodeTyper::branchOn(Fact fact, bool hasFact, bool jumpsIfTrue) {
    const bool isKnown = hasFact && fact.about != kDeadValue;
    const Known before = values_[fact.about].known;
    auto learn = [&](SetId set) {
        Known& k = values_[fact.about].known;
        // The value may have been refined since the test.
        k.index = sets_.meet(before.index, set);
        isCut_ = sets_.isEmpty(k.index);
    };
    if (isKnown) learn(jumpsIfTrue ? fact.ifTrue : fact.ifFalse);
    if (!flowTo(target())) return false;
    isCut_ = false;
    if (isKnown) learn(jumpsIfTrue ? fact.ifFalse : fact.ifTrue);
    return true;
}

/// True if the word in a register refers to nothing, so that storing it needs no barrier.
bool CodeTyper::isPlain(int64_t reg) const {
    const Known k = get(reg);
    if (k.sort != Sort::Box && k.sort != Sort::Ref) return true;
    constexpr uint32_t kPlain = kind_bits::Number | kind_bits::Boolean | kind_bits::Nil | kind_bits::Absent;
    return (sets_.bits(k.index) & ~kPlain) == 0 && sets_.atoms(k.index).empty();
}

// --- records and objects

bool CodeTyper::newObject() {
    const TypeId type = sets_.typeOf(static_cast<TypeIndex>(X()));
    ++epoch_;
    const KnownType& t = sets_.type(type);
    if (t.kind == TypeKind::Class) {
        put(A(), refOf(sets_.ofAtom(atomOf(AtomSort::Object, types_.classOf[static_cast<size_t>(X())]))));
    } else {
        // Words that may not be 0 must be set before anybody else sees the record.
        Fresh f;
        f.whole = refOf(sets_.ofType(type));
        f.record = type;
        bool isMissing = false;
        for (TypeId field : t.fields) {
            const Known k = types_.ofType(field);
            const bool isZero = k.sort == Sort::Ref ? (sets_.bits(k.index) & kind_bits::Nil) != 0 : k.sort != Sort::Box || (sets_.bits(k.index) & kind_bits::Number) != 0;
            f.missing.push_back(!isZero);
            isMissing |= !isZero;
        }
        if (isMissing) {
            put(A(), {Sort::Fresh, static_cast<uint32_t>(fresh_.size())});
            fresh_.push_back(std::move(f));
        } else {
            put(A(), f.whole);
        }
    }
    valueAt(A()).birth = epoch_;
    return true;
}

/// What reading a word of an object of this kind gives, and what may be written there.
bool CodeTyper::fieldOf(Atom atom, uint32_t word, Known& read, Known& write, TypeId& type, bool& mayBeUnset) {
    mayBeUnset = false;
    if (sortOf(atom) == AtomSort::Record) {
        const KnownType& t = sets_.type(indexOf(atom));
        if (word >= t.fields.size()) return fail(fmt::format("there is no field {}", word));
        type = t.fields[word];
        read = write = types_.ofType(type);
        return true;
    }
    const ClassData& k = c_.classes[indexOf(atom)];
    const ClassFieldData* f = word < k.words ? types_.fieldAt(indexOf(atom), word) : nullptr;
    if (f == nullptr) return fail(fmt::format("objects of {} have no field {}", c_.symbol(c_.types[k.type].name), word));
    type = f->type == kNoIndex ? kNoIndex : sets_.typeOf(f->type);
    write = read = type == kNoIndex ? types_.anyOf(f->rep) : types_.ofType(type);
    mayBeUnset = f->mayBeUnset;
    // Words are 0 at first, or say that they are not set.
    if (read.sort == Sort::Ref) read.index = sets_.withBits(read.index, kind_bits::Nil);
    if (read.sort == Sort::Box) read.index = sets_.withBits(read.index, mayBeUnset ? kind_bits::Number | kind_bits::Absent : kind_bits::Number);
    return true;
}

/// What the compiler knows of a reference: of an object whose field this instruction reads or writes, or of what it has just read. The test that
/// told it may stand in another function, where a variable was captured.
void CodeTyper::useTypeHint(int64_t reg, bool isResult) {
    const TypeIndex type = typeHint();
    if (isCut_ || type == kNoIndex || get(reg).sort != Sort::Ref) return;
    const SetId hinted = sets_.ofType(sets_.typeOf(type));
    const SetId has = isResult ? setOf(reg) : sets_.withoutBits(setOf(reg), kind_bits::Nil);  // an object is tested for nil by needObject()
    if (sets_.isSubset(has, hinted)) return;
    const Insn check = encodeABC(Op::CheckRef, 0, static_cast<unsigned>(reg), static_cast<unsigned>(CheckKind::Convert));
    if (isResult) {
        insertAfter({check, type});
    } else {
        insertBefore({check, type});
    }
    refine(reg, sets_.meet(setOf(reg), hinted));
}

bool CodeTyper::getField() {
    useTypeHint(B(), false);
    if (!needObject(B(), "an object", {AtomSort::Record, AtomSort::Object})) return false;
    if (sets_.isEmpty(setOf(B()))) cut();
    if (isCut_) return true;
    Known out;
    SetId declared = sets_.ofBits(0);
    bool isFirst = true, isUnset = false;
    const std::vector<Atom> atoms = sets_.atoms(setOf(B()));
    sets_.addWork(atoms.size());
    for (Atom a : atoms) {
        Known read, write;
        TypeId type;
        bool mayBeUnset;
        if (!fieldOf(a, static_cast<uint32_t>(C()), read, write, type, mayBeUnset)) return false;
        if (!isFirst && read.sort != out.sort) return fail("a field of several representations");
        out = isFirst ? read : read.sort == Sort::Int ? read : Known{read.sort, sets_.join(out.index, read.index)};
        if (write.sort == Sort::Ref) declared = sets_.join(declared, write.index);
        isUnset |= mayBeUnset;
        isFirst = false;
    }
    if (out.sort == Sort::Ref && !isUnset && declared != out.index) {
        // Set before it is read, as the compiler has found out.
        insertAfter({encodeABC(Op::CheckNull, 0, static_cast<unsigned>(A()), static_cast<unsigned>(NilKind::Assert))});
        out.index = declared;
    }
    put(A(), out);
    if (out.sort == Sort::Ref && sets_.isEmpty(out.index)) cut();
    return true;
}

bool CodeTyper::setField(bool hasBarrier) {
    if (get(A()).sort == Sort::Fresh) return setFreshField(fresh_[get(A()).index], A(), B(), C());
    useTypeHint(A(), false);
    if (!needObject(A(), "an object", {AtomSort::Record, AtomSort::Object})) return false;
    if (sets_.isEmpty(setOf(A()))) cut();
    if (isCut_) return true;
    const std::vector<Atom> atoms = sets_.atoms(setOf(A()));
    sets_.addWork(atoms.size());
    for (Atom a : atoms) {
        Known read, write;
        TypeId type;
        bool mayBeUnset;
        if (!fieldOf(a, static_cast<uint32_t>(B()), read, write, type, mayBeUnset)) return false;
        // The words that stand for "not set".
        if (mayBeUnset && write.sort == Sort::Box && get(C()) == boxOf(sets_.ofBits(kind_bits::Absent))) continue;
        if (!need(C(), write, type)) return false;
        if (isCut_) return true;
        if (!hasBarrier && !isPlain(C()) && valueAt(A()).birth != epoch_) replaceOp(Op::SetFR);  // not known to be new here
    }
    return true;
}

bool CodeTyper::setFreshField(Fresh f, int64_t object, int64_t word, int64_t value) {
    if (f.record == kNoIndex) return failAt(static_cast<unsigned>(object), "a record");
    const KnownType& t = sets_.type(f.record);
    if (static_cast<size_t>(word) >= t.fields.size()) return fail(fmt::format("there is no field {}", word));
    const TypeId type = t.fields[static_cast<size_t>(word)];
    const uint32_t epoch = epoch_;
    if (!need(value, types_.ofType(type), type)) return false;
    if (epoch != epoch_) return failAt(static_cast<unsigned>(value), text(types_.ofType(type)));
    f.missing[static_cast<size_t>(word)] = false;
    const bool isWhole = std::find(f.missing.begin(), f.missing.end(), true) == f.missing.end();
    valueAt(object).known = isWhole ? f.whole : Known{Sort::Fresh, static_cast<uint32_t>(fresh_.size())};
    if (!isWhole) fresh_.push_back(std::move(f));
    return true;
}

// --- arrays

/// Representation and type of the elements of the arrays in a register; false: refused. A register without an array cuts the code.
bool CodeTyper::elementOf(int64_t reg, Rep& rep, Known& read) {
    if (!needObject(reg, "array", {AtomSort::Array})) return false;
    if (isCut_) return true;
    bool isFirst = true;
    for (Atom a : sets_.atoms(setOf(reg))) {
        const TypeId element = sets_.type(indexOf(a)).parts[0];
        const Known k = types_.ofType(element);
        if (!isFirst && rep != sets_.type(element).rep) return fail("arrays of several representations");
        rep = sets_.type(element).rep;
        read = isFirst || k.sort == Sort::Int ? k : Known{k.sort, sets_.join(read.index, k.index)};
        isFirst = false;
    }
    if (isFirst) cut();
    return true;
}

bool CodeTyper::loadElement(int64_t array, bool isByte) {
    Rep rep = Rep::Void;
    Known read;
    if (!elementOf(array, rep, read)) return false;
    if (isCut_) return true;
    if ((rep == Rep::Bool) != isByte) return failAt(static_cast<unsigned>(array), isByte ? "array of booleans" : "array of words");
    put(A(), read);
    return true;
}

bool CodeTyper::storeElement(int64_t array, int64_t value, bool checkRep, bool hasBarrier, bool isByte) {
    Rep rep = Rep::Void;
    Known read;
    if (!elementOf(array, rep, read)) return false;
    if (isCut_) return true;
    if (checkRep && (rep == Rep::Bool) != isByte) return failAt(static_cast<unsigned>(array), "array of another representation");
    const std::vector<Atom> atoms = sets_.atoms(setOf(array));
    for (Atom a : atoms) {
        const TypeId element = sets_.type(indexOf(a)).parts[0];
        if (!need(value, types_.ofType(element), element)) return false;
    }
    if (checkRep && hasBarrier && !base::mayHoldPointer(rep)) replaceOp(Op::ASet);
    if (checkRep && !hasBarrier && base::mayHoldPointer(rep) && !isPlain(value)) replaceOp(Op::ASetR);
    ++epoch_;
    return true;
}

// --- tables

bool CodeTyper::tableParts(int64_t reg, Known& value, std::vector<TypeId>& tables) {
    if (!needObject(reg, "table", {AtomSort::Table})) return false;
    if (isCut_) return true;
    Rep rep = Rep::Void;
    for (Atom a : sets_.atoms(setOf(reg))) {
        const TypeId type = sets_.type(indexOf(a)).parts[1];
        const Known k = types_.ofType(type);
        if (!tables.empty() && rep != sets_.type(type).rep) return fail("tables of several representations");
        rep = sets_.type(type).rep;
        value = tables.empty() || k.sort == Sort::Int ? k : Known{k.sort, sets_.join(value.index, k.index)};
        tables.push_back(indexOf(a));
    }
    if (tables.empty()) cut();
    return true;
}

bool CodeTyper::needKey(int64_t, int64_t key, char kind) {
    switch (kind) {
        case 's': return needRef(key, sets_.ofBits(kind_bits::String), kNoIndex);
        case 'f': return needBox(key, sets_.ofBits(kind_bits::Number), kNoIndex);
        default: return needBox(key, sets_.everything(), kNoIndex);
    }
}

bool CodeTyper::tableGet(char kind, bool isOptional) {
    Known value;
    std::vector<TypeId> tables;
    if (!tableParts(B(), value, tables)) return false;
    if (isCut_) return true;
    if (!needKey(B(), C(), kind)) return false;
    if (isCut_) return true;
    if (isOptional) {
        SetId all = sets_.ofBits(kind_bits::Nil);
        for (TypeId t : tables) all = sets_.join(all, sets_.ofType(sets_.type(t).parts[1]));
        value = value.sort == Sort::Ref ? refOf(all) : boxOf(all);
    }
    put(A(), value);
    return true;
}

bool CodeTyper::tableSet(char kind) {
    Known value;
    std::vector<TypeId> tables;
    if (!tableParts(A(), value, tables)) return false;
    if (isCut_) return true;
    if (kind == 's') {
        // Null raises.
        if (!needRef(B(), sets_.ofBits(kind_bits::String | kind_bits::Nil), kNoIndex)) return false;
    } else if (!needKey(A(), B(), kind)) {
        return false;
    }
    for (TypeId t : tables) {
        const TypeId keyType = sets_.type(t).parts[0], valueType = sets_.type(t).parts[1];
        const SetId keys = sets_.withBits(sets_.ofType(keyType), kind_bits::Nil);
        const uint32_t bit = kind == 's' ? kind_bits::String : kind_bits::Number;
        if (kind == 'x' ? !needBox(B(), keys, keyType) : (sets_.bits(keys) & bit) == 0) return kind == 'x' ? false : failAt(static_cast<unsigned>(A()), "a table with such keys");
        // Nil takes the key away.
        Known want = types_.ofType(valueType);
        if (want.sort == Sort::Ref || want.sort == Sort::Box) want.index = sets_.withBits(want.index, kind_bits::Nil);
        if (!need(C(), want, sets_.optional(valueType))) return false;
    }
    ++epoch_;
    return true;
}

bool CodeTyper::tableEntry(bool isKey) {
    Known value;
    std::vector<TypeId> tables;
    if (!tableParts(B(), value, tables) || !needInt(C())) return false;
    if (isCut_) return true;
    if (isKey) {
        SetId keys = sets_.ofBits(0);
        for (TypeId t : tables) keys = sets_.join(keys, sets_.ofType(sets_.type(t).parts[0]));
        value = boxOf(keys);
    }
    put(A(), value);
    return true;
}

// --- cells

bool CodeTyper::newCell() {
    const auto index = static_cast<ValueTypeIndex>(X());
    const ValueType& v = c_.valueTypes[index];
    const auto rep = static_cast<Rep>(C());
    if (!v.isCell || v.rep != rep) return fail("the cell is described as another one");
    if (!need(B(), types_.contents(index), types_.typeOfValueType(index))) return false;
    ++epoch_;
    put(A(), {Sort::Cell, index});
    return true;
}

bool CodeTyper::cellAt(int64_t reg, bool isSet, bool hasBarrier) {
    if (get(reg).sort != Sort::Cell) return failAt(static_cast<unsigned>(reg), "a cell");
    const ValueTypeIndex index = get(reg).index;
    const Known inside = types_.contents(index);
    if (!isSet) {
        put(A(), inside);
        return true;
    }
    if (!need(B(), inside, types_.typeOfValueType(index))) return false;
    if (!hasBarrier && !isPlain(B())) replaceOp(Op::SetCellR);
    ++epoch_;
    return true;
}

}  // namespace luapp::bc
