// Rules for calls, returns, packs and closures.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/bytecode/verify_impl.h"

namespace luapp::bc {

// --- closures

bool CodeTyper::closure() {
    const auto index = static_cast<ProtoIndex>(X());
    const Proto& callee = c_.protos[index];
    if (callee.closureOf != kNoIndex && callee.closureOf != index) return fail("closure of a function that is an entry of another one");
    ++epoch_;
    const Known whole = refOf(sets_.ofAtom(atomOf(AtomSort::Proto, index)));
    if (callee.captures.empty()) {
        put(A(), whole);
        return true;
    }
    Fresh f;
    f.whole = whole;
    f.proto = index;
    f.missing.assign(callee.captures.size(), true);
    put(A(), {Sort::Fresh, static_cast<uint32_t>(fresh_.size())});
    valueAt(A()).birth = epoch_;
    fresh_.push_back(std::move(f));
    return true;
}

bool CodeTyper::setCapture() {
    const Known k = get(A());
    if (k.sort != Sort::Fresh || fresh_[k.index].proto == kNoIndex) return failAt(static_cast<unsigned>(A()), "a closure that is being made");
    Fresh f = fresh_[k.index];
    const auto at = static_cast<size_t>(B());
    const Proto& callee = c_.protos[f.proto];
    if (at >= f.missing.size()) return fail(fmt::format("there is no capture {}", at));
    const ValueTypeIndex type = types_.captureType(callee, at);
    const uint32_t epoch = epoch_;
    const Known want = types_.ofValueType(type, callee.captures[at]);
    // A function may capture itself.
    const bool isSelf = at_[slot(A())] == at_[slot(C())] && want.sort == Sort::Ref && sets_.isSubset(f.whole.index, want.index);
    if (!isSelf && !need(C(), want, types_.typeOfValueType(type))) return false;
    if (epoch != epoch_) return failAt(static_cast<unsigned>(C()), text(want));
    f.missing[at] = false;
    const bool isWhole = std::find(f.missing.begin(), f.missing.end(), true) == f.missing.end();
    valueAt(A()).known = isWhole ? f.whole : Known{Sort::Fresh, static_cast<uint32_t>(fresh_.size())};
    if (!isWhole) fresh_.push_back(std::move(f));
    return true;
}

bool CodeTyper::getCapture() {
    const auto at = static_cast<size_t>(D());
    put(A(), types_.ofValueType(types_.captureType(p_, at), p_.captures[at]));
    useTypeHint(A(), true);
    return true;
}

// --- the result area

bool CodeTyper::needPack(SetId want) {
    if (area_.kind != Area::Kind::Pack) return fail("there is no pack");
    bool fits = sets_.isSubset(area_.rest, want);
    for (const Known& k : area_.fixed) fits = fits && sets_.isSubset(k.index, want);
    return fits || fail(fmt::format("the pack holds other values, expected {}", sets_.text(want)));
}

bool CodeTyper::getResult() {
    const auto at = static_cast<size_t>(D());
    if (area_.kind != Area::Kind::Fixed || at >= area_.fixed.size() || area_.fixed[at].sort == Sort::Dead) return fail(fmt::format("there is no result {}", at));
    put(A(), area_.fixed[at]);
    return true;
}

bool CodeTyper::setResult() {
    const auto at = static_cast<size_t>(D());
    if (!need(A(), signature_.results[at], signature_.resultTypes[at])) return false;
    if (area_.kind != Area::Kind::Fixed) area_ = Area{Area::Kind::Fixed, {}, 0};
    if (area_.fixed.size() <= at) area_.fixed.resize(at + 1);
    area_.fixed[at] = signature_.results[at];
    return true;
}

bool CodeTyper::returnFixed(int64_t reg) {
    if (!need(reg, signature_.results[0], signature_.resultTypes[0])) return false;
    for (size_t i = 1; i < signature_.results.size(); ++i) {
        const bool isSet = area_.kind == Area::Kind::Fixed && i < area_.fixed.size() && area_.fixed[i] == signature_.results[i];
        if (!isSet) return fail(fmt::format("result {} is not set", i));
    }
    return true;
}

bool CodeTyper::returnWord(int64_t word) {
    const Known want = signature_.results[0];
    bool fits = want.sort == Sort::Int;
    if (want.sort == Sort::Ref) fits = word == 0 && (sets_.bits(want.index) & kind_bits::Nil) != 0;
    if (want.sort == Sort::Box) fits = word >= 0 && (sets_.bits(want.index) & kind_bits::Number) != 0;
    if (!fits) return fail(fmt::format("returns {}, expected {}", word, text(want)));
    for (size_t i = 1; i < signature_.results.size(); ++i)
        if (area_.kind != Area::Kind::Fixed || i >= area_.fixed.size() || area_.fixed[i] != signature_.results[i]) return fail(fmt::format("result {} is not set", i));
    return true;
}

bool CodeTyper::returnPack(bool hasPack) {
    return needBoxes(A(), B(), sets_.everything(), kNoIndex) && (!hasPack || needPack(sets_.everything()));
}

// --- arguments and results

bool CodeTyper::extraArguments(int64_t first, int64_t count, SetId want, TypeId type, bool hasPack) {
    return needBoxes(first, count, want, type) && (!hasPack || needPack(want));
}

bool CodeTyper::arguments(const Signature& s, int64_t window, int64_t extras, bool takesExtras, bool hasPack) {
    if (s.isVararg ? !takesExtras : extras != 0 || hasPack) return fail("the callee takes other arguments");
    const auto first = window + static_cast<int64_t>(kFrameLinks);
    const auto count = static_cast<int64_t>(s.params.size());
    if (!inFrame(first, count + extras)) return false;
    for (int64_t k = 0; k < count && !isCut_; ++k)
        if (!need(first + k, s.params[static_cast<size_t>(k)], s.paramTypes[static_cast<size_t>(k)])) return false;
    return isCut_ || !s.isVararg || extraArguments(first + count, extras, s.vararg, kNoIndex, hasPack);
}

void CodeTyper::results(const Signature& s, int64_t window) {
    if (s.returnsPack) return packResults(window);
    ++epoch_;
    kill(slot(window));
    area_ = Area{Area::Kind::Fixed, s.results, 0};
    if (!s.results.empty()) {
        put(window, s.results[0]);
        area_.fixed[0] = Known();
        // A value that does not exist is not returned.
        for (const Known& k : s.results)
            if ((k.sort == Sort::Ref || k.sort == Sort::Box) && sets_.isEmpty(k.index)) cut();
    }
}

void CodeTyper::packResults(int64_t window, std::vector<Known> first) {
    ++epoch_;
    kill(slot(window));
    put(window, first.empty() ? boxOf(sets_.everything()) : boxOf(sets_.withBits(first[0].index, kind_bits::Nil)));
    area_ = Area{Area::Kind::Pack, std::move(first), sets_.everything()};
}

// --- calls

bool CodeTyper::callDirect(ProtoIndex index, int64_t extras, bool takesExtras, bool hasPack) {
    const Proto& callee = c_.protos[index];
    const Signature& s = types_.signatures[index];
    if (!callee.captures.empty()) {
        const ProtoIndex owner = callee.closureOf == kNoIndex ? index : callee.closureOf;
        const int64_t reg = A() + 2;
        const Known exact = refOf(sets_.ofAtom(atomOf(AtomSort::Proto, owner)));
        const Known has = get(reg);
        const bool isExact = has.sort == Sort::Ref && sets_.isSubset(sets_.withoutBits(has.index, kind_bits::Nil), exact.index);
        if (!isExact) {
            // Not known to be a closure of that function: its own entry is called.
            if (owner != index || callee.signature == kNoIndex) return failAt(static_cast<unsigned>(reg), text(exact));
            const SetId typed = sets_.ofAtom(atomOf(AtomSort::Closure, sets_.type(sets_.typeOf(callee.signature)).shape));
            if (!needRef(reg, typed, sets_.typeOf(callee.signature))) return false;
            if (patch_ != nullptr) {
                const Op op = hasPack ? Op::CallCloVPack : s.isVararg ? Op::CallCloV : Op::CallClo;
                patch_->replaceWord(pc_, encodeABC(op, fieldA(p_.code[pc_]), fieldB(p_.code[pc_]), 0));
                if (next_ - pc_ == 2) patch_->replaceWord(pc_ + 1, encodeE(Op::Jmp, 0));
            }
        } else if (!needRef(reg, exact.index, kNoIndex)) {
            return false;
        }
    }
    if (isCut_) return true;
    if (!arguments(s, A(), extras, takesExtras, hasPack)) return false;
    results(s, A());
    return true;
}

bool CodeTyper::callClosure(int64_t extras, bool takesExtras, bool hasPack) {
    const int64_t reg = A() + 2;
    if (!needObject(reg, "a function of known type", {AtomSort::Closure, AtomSort::Proto})) return false;
    if (sets_.isEmpty(setOf(reg))) cut();
    if (isCut_) return true;
    uint32_t shape = kNoIndex;
    for (Atom a : sets_.atoms(setOf(reg))) {
        uint32_t one = indexOf(a);
        if (sortOf(a) == AtomSort::Proto) {
            const TypeIndex signature = c_.protos[one].signature;
            if (signature == kNoIndex) return fail("the function called has no signature");
            one = sets_.type(sets_.typeOf(signature)).shape;
        }
        if (shape != kNoIndex && shape != one) return fail("functions of several types are called");
        shape = one;
    }
    const Signature& s = types_.ofShape(shape);
    if (!arguments(s, A(), extras, takesExtras, hasPack)) return false;
    results(s, A());
    return true;
}

/// Whatever class the object is of, its entry must take the arguments.
bool CodeTyper::callMethod(uint32_t entry, int64_t extras, bool takesExtras, bool hasPack) {
    const int64_t object = A() + static_cast<int64_t>(kFrameLinks);
    if (!inFrame(object) || !needObject(object, "an object", {AtomSort::Object})) return false;
    if (isCut_) return true;
    std::set<ProtoIndex> callees;
    sets_.addWork(sets_.atoms(setOf(object)).size());
    for (Atom a : sets_.atoms(setOf(object))) {
        const std::vector<ProtoIndex>& table = c_.classes[indexOf(a)].table;
        if (entry < table.size() && table[entry] != kNoIndex) callees.insert(table[entry]);
    }
    // A class without the entry raises.
    if (callees.empty()) cut();
    if (isCut_) return true;
    const Signature* first = nullptr;
    Signature out;
    for (ProtoIndex callee : callees) {
        const Signature& s = types_.signatures[callee];
        if (first == nullptr) {
            first = &s;
            out = s;
        } else {
            const bool isAlike = s.params.size() == first->params.size() && s.isVararg == first->isVararg && s.returnsPack == first->returnsPack &&
                                 s.results.size() == first->results.size();
            if (!isAlike) return fail("the methods called are of several types");
            for (size_t i = 0; i < out.results.size(); ++i) {
                if (out.results[i] != s.results[i] && out.results[i].sort != s.results[i].sort) return fail("the methods called are of several types");
                if (out.results[i] != s.results[i]) out.results[i].index = sets_.join(out.results[i].index, s.results[i].index);
            }
        }
        // The table of each class has functions that take its objects.
        Signature rest = s;
        rest.params[0] = get(object);
        if (!arguments(rest, A(), extras, takesExtras, hasPack)) return false;
    }
    results(out, A());
    return true;
}

bool CodeTyper::callDynamic(bool hasPack) {
    if (!inFrame(A() + 2) || !needBox(A() + 2, sets_.everything(), kNoIndex)) return false;
    if (!extraArguments(A() + static_cast<int64_t>(kFrameLinks), B(), sets_.everything(), kNoIndex, hasPack)) return false;
    packResults(A());
    return true;
}

/// The callee takes this frame over: it must be a function of lenient code that takes and gives boxes.
bool CodeTyper::tailClosure() {
    const int64_t reg = A() + 2;
    if (!inFrame(reg) || !needObject(reg, "a known function", {AtomSort::Proto})) return false;
    if (isCut_) return true;
    for (Atom a : sets_.atoms(setOf(reg))) {
        const Proto& callee = c_.protos[indexOf(a)];
        const Signature& s = types_.signatures[indexOf(a)];
        const bool fits = !callee.isVararg && callee.returnsPack && callee.dynamicProto == kNoIndex && static_cast<size_t>(B()) <= s.params.size() &&
                          std::ranges::all_of(s.params, [&](Known k) { return k == boxOf(sets_.everything()); });
        if (!fits) return fail("the callee takes other arguments");
    }
    if (!extraArguments(A() + static_cast<int64_t>(kFrameLinks), B(), sets_.everything(), kNoIndex, false)) return false;
    cut();
    return true;
}

// --- library functions

bool CodeTyper::bindType(const TypePattern& p, TypeId type, TypeId* bound) {
    if (p.param >= 0 && !p.isOptional) {
        TypeId& t = bound[p.param];
        if (t == kNoIndex) t = type;
        return t == type;
    }
    if (!p.isOpen()) return types_.instantiate(p, bound) == type;
    if (p.kind != sets_.type(type).kind || p.parts.size() != sets_.type(type).parts.size() || p.param >= 0) return false;
    for (size_t i = 0; i < p.parts.size(); ++i)
        if (!bindType(p.parts[i], sets_.type(type).parts[i], bound)) return false;
    return true;
}

bool CodeTyper::matchArgument(const TypePattern& p, int64_t reg, TypeId* bound) {
    if (p.kind == TypeKind::Function) return matchFunction(p, reg, bound);
    const bool isContainer = p.param < 0 && p.isOpen();
    if (isContainer) {
        const AtomSort sort = p.kind == TypeKind::Array ? AtomSort::Array : AtomSort::Table;
        if (!needObject(reg, p.kind == TypeKind::Array ? "array" : "table", {sort})) return false;
        const std::vector<Atom>& atoms = sets_.atoms(setOf(reg));
        if (atoms.empty()) cut();
        if (isCut_) return true;
        if (atoms.size() != 1 || !bindType(p, indexOf(atoms[0]), bound)) return fail(fmt::format("register {} is {}, expected one container type", reg, text(get(reg))));
        return true;
    }
    if (p.param >= 0 && bound[p.param] == kNoIndex) return fail("an argument whose type nothing tells");
    const TypeId type = types_.instantiate(p, bound);
    return need(reg, types_.ofType(type), type);
}

/// A function that the library calls with words of its parameters' types.
bool CodeTyper::matchFunction(const TypePattern& p, int64_t reg, TypeId* bound) {
    Known& k = valueAt(reg).known;
    if (p.isOptional && (k.sort == Sort::Zero || (k.sort == Sort::Ref && k.index == sets_.ofBits(kind_bits::Nil)))) return true;
    if (p.isOptional && k.sort == Sort::Ref && (sets_.bits(k.index) & kind_bits::Nil) != 0) {
        k.index = sets_.withoutBits(k.index, kind_bits::Nil);
        const bool fits = matchFunction(p, reg, bound);
        k.index = sets_.withBits(k.index, kind_bits::Nil);
        return fits;
    }
    if (!needObject(reg, "a function of known type", {AtomSort::Closure, AtomSort::Proto})) return false;
    if (isCut_) return true;
    const std::vector<Atom> atoms = sets_.atoms(setOf(reg));
    for (Atom a : atoms) {
        TypeId type;
        if (sortOf(a) == AtomSort::Closure) {
            type = sets_.typeOfShape(indexOf(a));
        } else {
            const TypeIndex signature = c_.protos[indexOf(a)].signature;
            if (signature == kNoIndex) return fail("a function without signature as argument");
            type = sets_.typeOf(signature);
        }
        const KnownType t = sets_.type(type);
        bool fits = t.parts.size() == p.parts.size() && t.vararg == kNoIndex && t.hasResultPack == p.hasResultPack && t.results.size() >= p.results.size();
        for (size_t i = 0; fits && i < p.parts.size(); ++i) {
            if (p.parts[i].param >= 0 && bound[p.parts[i].param] == kNoIndex) bound[p.parts[i].param] = t.parts[i];
            const TypeId given = types_.instantiate(p.parts[i], bound);
            fits = sets_.type(given).rep == sets_.type(t.parts[i]).rep && sets_.isSubset(sets_.ofType(given), sets_.ofType(t.parts[i]));
        }
        for (size_t i = 0; fits && i < p.results.size(); ++i) {
            if (p.results[i].param >= 0 && bound[p.results[i].param] == kNoIndex) bound[p.results[i].param] = t.results[i];
            const TypeId wanted = types_.instantiate(p.results[i], bound);
            fits = sets_.type(wanted).rep == sets_.type(t.results[i]).rep && sets_.isSubset(sets_.ofType(t.results[i]), sets_.ofType(wanted));
        }
        if (!fits) return fail(fmt::format("register {} is {}, which does not fit the library function", reg, text(get(reg))));
    }
    return true;
}

bool CodeTyper::callBuiltin(uint32_t index, int64_t extras, bool takesExtras, bool hasPack) {
    const BuiltinShape& shape = types_.options.builtins[index];
    const BuiltinPattern& p = types_.builtin(index);
    if (types_.readsOwnClosure(index)) return fail("the library function cannot be called directly");
    if (p.isVararg ? !takesExtras : extras != 0 || hasPack) return fail("the library function takes other arguments");
    TypeId bound[kMaxTypeParams];
    std::fill(std::begin(bound), std::end(bound), kNoIndex);
    int64_t reg = A() + static_cast<int64_t>(kFrameLinks);
    if (!inFrame(reg - 1, 1 + (shape.needsType ? 1 : 0) + static_cast<int64_t>(p.params.size()) + extras)) return false;
    TypeId result = kNoIndex;
    if (shape.needsType) {
        const Known k = get(reg++);
        if (k.sort != Sort::Type) return failAt(static_cast<unsigned>(reg - 1), "a type descriptor");
        result = k.index;
        if (!bindType(p.results[0], result, bound)) return fail("the type passed is not the result's");
    }
    for (const TypePattern& param : p.params) {
        if (!matchArgument(param, reg++, bound)) return false;
        if (isCut_) return true;
    }
    if (p.isVararg) {
        // Those that take numbers read the words of all values as numbers; what they give is one.
        TypeId type = types_.instantiate(p.vararg, bound);
        if (sets_.ofType(type) == sets_.ofBits(kind_bits::Number)) type = sets_.basic(TypeKind::Any);
        if (!extraArguments(reg, extras, sets_.ofType(type), type, hasPack)) return false;
    }
    std::vector<Known> out;
    for (const TypePattern& r : p.results) out.push_back(types_.ofType(types_.instantiate(r, bound)));
    if (p.hasResultPack) {
        std::vector<Known> boxes;
        for (const TypePattern& r : p.results) boxes.push_back(boxOf(sets_.ofType(types_.instantiate(r, bound))));
        packResults(A(), std::move(boxes));
        return true;
    }
    Signature s;
    s.results = std::move(out);
    results(s, A());
    return true;
}

bool CodeTyper::call() {
    const auto x = static_cast<uint32_t>(X());
    switch (op_) {
        case Op::Call:
        case Op::CallX: return callDirect(x, 0, false, false);
        case Op::CallV: return callDirect(x, B(), true, false);
        case Op::CallVPack: return callDirect(x, B(), true, true);
        case Op::CallClo: return callClosure(0, false, false);
        case Op::CallCloV: return callClosure(B(), true, false);
        case Op::CallCloVPack: return callClosure(B(), true, true);
        case Op::CallM: return callMethod(x, 0, false, false);
        case Op::CallMV: return callMethod(x, B(), true, false);
        case Op::CallMVPack: return callMethod(x, B(), true, true);
        case Op::CallDyn:
        case Op::TailDyn: return callDynamic(false);
        case Op::CallDynPack:
        case Op::TailDynPack: return callDynamic(true);
        case Op::TailClo: return tailClosure();
        case Op::CallB: return callBuiltin(x, 0, false, false);
        case Op::CallBV: return callBuiltin(x, B(), true, false);
        case Op::CallBVPack: return callBuiltin(x, B(), true, true);
        case Op::CallYield:
        case Op::CallResume: {
            const bool isResume = op_ == Op::CallResume;
            if (x != (isResume ? types_.options.resumeBuiltin : types_.options.yieldBuiltin)) return fail("another library function is meant");
            const int64_t first = A() + static_cast<int64_t>(kFrameLinks);
            if (!needBoxes(first, B() + (isResume ? 1 : 0), sets_.everything(), kNoIndex)) return false;
            packResults(A());
            return true;
        }
        case Op::GetRes: return getResult();
        case Op::SetRes: return setResult();
        case Op::Ret: return returnFixed(A());
        case Op::RetI: return returnWord(D());
        case Op::RetPack: return returnPack(true);
        case Op::RetBoxes: return returnPack(false);
        case Op::VarargAll:
            if (shift_ != 0) return fail("extra arguments in a shifted frame");
            area_ = Area{Area::Kind::Pack, {}, signature_.vararg};
            return true;
        case Op::VarargGet:
            if (shift_ != 0) return fail("extra arguments in a shifted frame");
            put(A(), boxOf(sets_.withBits(signature_.vararg, kind_bits::Nil)));
            return true;
        case Op::PackGet: {
            if (area_.kind != Area::Kind::Pack) return fail("there is no pack");
            const auto at = static_cast<size_t>(D());
            put(A(), boxOf(sets_.withBits(at < area_.fixed.size() ? area_.fixed[at].index : area_.rest, kind_bits::Nil)));
            return true;
        }
        case Op::PackMake: {
            if (!needBoxes(A(), B(), sets_.everything(), kNoIndex)) return false;
            SetId all = sets_.ofBits(0);
            for (int64_t k = 0; k < B(); ++k) all = sets_.join(all, get(A() + k).sort == Sort::Zero ? sets_.ofBits(kind_bits::Number) : setOf(A() + k));
            area_ = Area{Area::Kind::Pack, {}, all};
            return true;
        }
        default: return fail("it stands in loaded code only");
    }
}

}  // namespace luapp::bc
