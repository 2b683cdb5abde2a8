// The flow of the abstract interpreter, its registers, and the opcodes whose rule is a row of type_rules.def.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/bytecode/verify_impl.h"

namespace luapp::bc {

namespace {

constexpr const char* kRules[] = {
#define LUAPP_TYPE_RULE(op, letters) letters,
#include "runtime/bytecode/type_rules.def"
};
constexpr Op kRuleOps[] = {
#define LUAPP_TYPE_RULE(op, letters) Op::op,
#include "runtime/bytecode/type_rules.def"
};
static_assert(std::size(kRules) == kOpCount);
static_assert([] {
    for (unsigned i = 0; i < kOpCount; ++i)
        if (kRuleOps[i] != static_cast<Op>(i)) return false;
    return true;
}(), "type_rules.def is in the order of opcodes.def");

constexpr std::string_view kErrorTexts[] = {
#define LUAPP_RUNTIME_ERROR(name, text) text,
#include "runtime/vm/errors.def"
};

/// What code that is never reached raises.
enum class ErrorNumber : unsigned {
#define LUAPP_RUNTIME_ERROR(name, text) name,
#include "runtime/vm/errors.def"
};
constexpr auto kNeverReached = static_cast<unsigned>(ErrorNumber::NoMethodEntry);

/// How many operands the message of an error has a place for.
unsigned operandCount(unsigned error) {
    unsigned count = 0;
    for (size_t at = kErrorTexts[error].find("{}"); at != std::string_view::npos; at = kErrorTexts[error].find("{}", at + 1)) ++count;
    return count;
}

/// Registers that the entries of a function's blocks may have together.
constexpr uint64_t kMaxSavedRegisters = uint64_t{1} << 26;

/// Visits of a block after which its sets stop growing step by step.
constexpr unsigned kPatience = 8;

bool mayCollect(const OpInfo& info) { return (info.flags & (op_flags::Allocs | op_flags::Calls)) != 0; }

}  // namespace

Known boxOf(SetId set) { return {Sort::Box, set}; }
Known refOf(SetId set) { return {Sort::Ref, set}; }

CodeTyper::CodeTyper(ChunkTypes& types, ProtoIndex index, std::string& error)
    : types_(types), sets_(types.sets), c_(types.chunk), p_(c_.protos[index]), signature_(types.signatures[index]), index_(index),
      error_(error) {}

bool CodeTyper::run(CodePatch& patch) {
    types_.savedRegisters = 0;
    findBlocks();
    start();
    while (!pending_.empty()) {
        const uint32_t begin = *pending_.begin();
        pending_.erase(pending_.begin());
        load(entries_[entryAt_[begin] - 1]);
        if (!runFrom(begin)) return false;
    }
    patch_ = &patch;
    std::vector<uint32_t> order = begins_;
    std::sort(order.begin(), order.end());
    for (uint32_t begin : order) {
        const Entry& e = entries_[entryAt_[begin] - 1];
        if (!e.isReached) continue;
        load(e);
        if (!runFrom(begin)) return false;
    }
    return true;
}

void CodeTyper::findBlocks() {
    entryAt_.assign(p_.code.size() + 1, 0);
    auto add = [&](uint32_t at) {
        if (entryAt_[at] != 0) return;
        begins_.push_back(at);
        entryAt_[at] = static_cast<uint32_t>(begins_.size());
    };
    add(0);
    for (uint32_t pc = 0; pc < p_.code.size(); pc += opWords(opOf(p_.code[pc]))) {
        const Operands v = decodeOperands(&p_.code[pc]);
        for (unsigned i = 0; i < v.count; ++i)
            if (v.role[i] == 'j') add(static_cast<uint32_t>(int64_t{pc} + opWords(opOf(p_.code[pc])) + v.value[i]));
    }
    entries_.resize(begins_.size());
}

void CodeTyper::start() {
    Entry& e = entries_[0];
    e.isReached = true;
    for (size_t i = 0; i < signature_.params.size(); ++i) {
        e.known.push_back(signature_.params[i]);
        e.same.push_back(static_cast<uint32_t>(i));
    }
    // What the debug library shows before anything is set has been set by nobody.
    pending_.insert(0);
}

void CodeTyper::load(const Entry& e) {
    values_.assign(1, Value());
    facts_.clear();
    at_.assign(p_.frameSize, kDeadValue);
    epoch_ = 1;
    live_ = static_cast<uint32_t>(e.known.size());
    for (uint32_t r = 0; r < e.known.size(); ++r) {
        if (e.known[r].sort == Sort::Dead) continue;
        if (e.same[r] != r) {
            at_[r] = at_[e.same[r]];
            continue;
        }
        at_[r] = static_cast<uint32_t>(values_.size());
        values_.push_back({e.known[r]});
    }
    area_ = e.area;
    shift_ = e.shift;
}

bool CodeTyper::runFrom(uint32_t begin) {
    pc_ = begin;
    for (;;) {
        op_ = opOf(p_.code[pc_]);
        next_ = pc_ + opWords(op_);
        v_ = decodeOperands(&p_.code[pc_]);
        isCut_ = false;
        if (!instruction()) return false;
        if (isCut_ || (opInfo(op_).flags & op_flags::Ends) != 0) return true;
        if (entryAt_[next_] != 0) return flowTo(next_);
        pc_ = next_;
    }
}

bool CodeTyper::flowTo(uint32_t target) {
    if (isCut_) return true;
    Entry& e = entries_[entryAt_[target] - 1];
    if (e.isReached && e.shift != shift_) return fail("jump between frames that are shifted differently");
    if (patch_ != nullptr) return true;
    // On the way back finalisers may run.
    const bool isBack = target <= pc_ && area_.kind != Area::Kind::Nothing;
    Area kept;
    if (isBack) std::swap(kept, area_);
    sets_.addWork(live_ + 1);
    types_.savedRegisters += e.isReached ? 0 : live_;
    if (mergeInto(e)) pending_.insert(target);
    if (isBack) std::swap(kept, area_);
    return (sets_.work() <= types_.workLimit && types_.savedRegisters <= kMaxSavedRegisters) || fail("the function is too complicated");
}

/// True if the state of the block has changed.
bool CodeTyper::mergeInto(Entry& e) {
    while (live_ > 0 && values_[at_[live_ - 1]].known.sort == Sort::Dead) --live_;
    std::vector<uint32_t> firstOf(values_.size(), kNoIndex);  // by value: its first register
    if (!e.isReached) {
        e.isReached = true;
        e.shift = shift_;
        e.area = area_;
        e.known.resize(live_);
        e.same.resize(live_);
        for (uint32_t r = 0; r < live_; ++r) {
            const Value& v = values_[at_[r]];
            e.known[r] = v.known.sort == Sort::Fresh ? Known() : v.known;
            if (firstOf[at_[r]] == kNoIndex) firstOf[at_[r]] = r;
            e.same[r] = firstOf[at_[r]];
        }
        return true;
    }
    const bool isWide = ++e.visits > kPatience;
    bool isChanged = false;
    const auto count = std::min(live_, static_cast<uint32_t>(e.known.size()));
    if (count < e.known.size()) {
        e.known.resize(count);
        e.same.resize(count);
        isChanged = true;
    }
    // Registers are the same from now on if they are so in both states.
    std::vector<uint32_t> before(e.same);
    auto firstLike = [&](uint32_t r) {
        if (firstOf[at_[r]] == kNoIndex) firstOf[at_[r]] = r;
        // Seldom more than one step: registers of one value here mostly were so there.
        uint32_t k = firstOf[at_[r]];
        while (k < r && (at_[k] != at_[r] || before[k] != before[r])) ++k;
        sets_.addWork(k - firstOf[at_[r]]);
        return k;
    };
    for (uint32_t r = 0; r < count; ++r) {
        const Known k = joined(e.known[r], values_[at_[r]].known, isWide);
        const uint32_t same = k.sort == Sort::Dead ? r : firstLike(r);
        if (k == e.known[r] && same == e.same[r]) continue;
        isChanged = isChanged || k != e.known[r] || k.sort != Sort::Dead;
        e.known[r] = k;
        e.same[r] = same;
    }
    if (e.area != area_ && e.area.kind != Area::Kind::Nothing) {
        Area both;
        if (e.area.kind == Area::Kind::Pack && area_.kind == Area::Kind::Pack) {
            both.kind = Area::Kind::Pack;
            both.rest = sets_.everything();
        }
        isChanged = isChanged || both != e.area;
        e.area = std::move(both);
    }
    return isChanged;
}

Known CodeTyper::joined(Known a, Known b, bool isWide) {
    if (a == b) return a;
    if (a.sort == Sort::Zero || b.sort == Sort::Zero) {
        const Known other = a.sort == Sort::Zero ? b : a;
        switch (other.sort) {
            case Sort::Int: return other;
            case Sort::Box: return boxOf(sets_.withBits(other.index, kind_bits::Number));
            case Sort::Ref: return refOf(sets_.withBits(other.index, kind_bits::Nil));
            case Sort::Dead:
            case Sort::Zero:
            case Sort::Cell:
            case Sort::Type:
            case Sort::Fresh: return {};
        }
    }
    if (a.sort != b.sort || (a.sort != Sort::Box && a.sort != Sort::Ref)) return {};
    if (!isWide) return {a.sort, sets_.join(a.index, b.index)};
    if (sets_.isSubset(b.index, a.index)) return a;
    return a.sort == Sort::Box ? boxOf(sets_.everything()) : refOf(sets_.ofBits(kind_bits::References | kind_bits::Nil));
}

// --- registers

bool CodeTyper::inFrame(int64_t reg, int64_t count) {
    if (reg < 0 || slot(reg) + count > p_.frameSize) return fail(fmt::format("register {} is outside the frame", reg + count - 1));
    return true;
}

void CodeTyper::put(int64_t reg, Known k) {
    const uint32_t r = slot(reg);
    at_[r] = static_cast<uint32_t>(values_.size());
    values_.push_back({k});
    live_ = std::max(live_, r + 1);
}

void CodeTyper::kill(uint32_t from) {
    for (uint32_t r = from; r < live_; ++r) at_[r] = kDeadValue;
    live_ = std::min(live_, from);
}

SetId CodeTyper::setOf(int64_t reg) const { return get(reg).index; }

void CodeTyper::refine(int64_t reg, SetId set) {
    Known& k = valueAt(reg).known;
    k.index = set;
    if (sets_.isEmpty(set)) cut();
}

void CodeTyper::insertBefore(std::initializer_list<Insn> words) {
    if (patch_ != nullptr) patch_->insertBefore(pc_, words);
}

void CodeTyper::insertAfter(std::initializer_list<Insn> words) {
    if (patch_ != nullptr) patch_->insertAfter(next_, words);
}

void CodeTyper::replaceOp(Op op) {
    if (patch_ != nullptr) patch_->replaceWord(pc_, (p_.code[pc_] & ~0xFFu) | static_cast<Insn>(op));
}

void CodeTyper::checkNull(int64_t reg) {
    insertBefore({encodeABC(Op::CheckNull, 0, static_cast<unsigned>(reg), static_cast<unsigned>(NilKind::Assert))});
    refine(reg, sets_.withoutBits(setOf(reg), kind_bits::Nil));
}

/// The register holds something else than what is expected, `common` being what it may hold of that. If that is nothing, a program of our
/// compiler never gets here (the code of an inlined function may test what is known at the call): it raises.
bool CodeTyper::raiseAt(int64_t reg, std::string_view expected, SetId common) {
    if (!sets_.isEmpty(sets_.withoutBits(common, kind_bits::Nil))) return failAt(static_cast<unsigned>(reg), expected);
    insertBefore({encodeABC(Op::Raise, kNeverReached, 0, 0)});
    cut();
    return true;
}

bool CodeTyper::need(int64_t reg, Known want, TypeId type) {
    switch (want.sort) {
        case Sort::Int: return needInt(reg);
        case Sort::Box: return needBox(reg, want.index, type);
        case Sort::Ref: return needRef(reg, want.index, type);
        case Sort::Cell:
        case Sort::Type:
            return get(reg) == want || failAt(static_cast<unsigned>(reg), text(want));
        case Sort::Dead:
        case Sort::Zero:
        case Sort::Fresh: break;
    }
    return true;
}

bool CodeTyper::needInt(int64_t reg) {
    const Sort s = get(reg).sort;
    return s == Sort::Int || s == Sort::Zero || failAt(static_cast<unsigned>(reg), "integer");
}

bool CodeTyper::needRef(int64_t reg, SetId want, TypeId type) {
    Known& k = valueAt(reg).known;
    if (k.sort == Sort::Zero && (sets_.bits(want) & kind_bits::Nil) != 0) return true;
    if (k.sort == Sort::Zero) k = refOf(sets_.ofBits(kind_bits::Nil));
    if (k.sort != Sort::Ref) return failAt(static_cast<unsigned>(reg), sets_.text(want));
    if (sets_.isSubset(k.index, want)) return true;
    const bool isNamed = reg <= static_cast<int64_t>(kMaxRegister);
    if (isNamed && sets_.isSubset(sets_.withoutBits(k.index, kind_bits::Nil), want)) {
        checkNull(reg);
        return true;
    }
    // An operation on strings names no type; one on string? tests null before.
    const bool wantsString = sets_.isSubset(want, sets_.ofBits(kind_bits::String | kind_bits::Nil));
    if (type == kNoIndex && wantsString && (sets_.bits(k.index) & kind_bits::Nil) == 0) type = sets_.basic(TypeKind::String);
    const TypeIndex index = type == kNoIndex ? kNoIndex : sets_.type(type).index;
    if (!isNamed || index == kNoIndex || sets_.type(type).rep != Rep::Ref) return raiseAt(reg, sets_.text(want), sets_.meet(k.index, want));
    insertBefore({encodeABC(Op::CheckRef, 0, static_cast<unsigned>(reg), static_cast<unsigned>(CheckKind::Convert)), index});
    refine(reg, sets_.meet(k.index, sets_.ofType(type)));
    return true;
}

bool CodeTyper::needBox(int64_t reg, SetId want, TypeId type) {
    const Known k = get(reg);
    const SetId has = k.sort == Sort::Zero ? sets_.ofBits(kind_bits::Number) : k.index;
    if (k.sort != Sort::Box && k.sort != Sort::Zero) return failAt(static_cast<unsigned>(reg), sets_.text(want));
    if (sets_.isSubset(has, want)) return true;
    if (reg > static_cast<int64_t>(kMaxRegister)) return failAt(static_cast<unsigned>(reg), sets_.text(want));
    const auto r = static_cast<unsigned>(reg);
    if (want == sets_.ofBits(kind_bits::Number)) {
        if (sets_.isEmpty(sets_.meet(has, want))) return raiseAt(reg, sets_.text(want), sets_.ofBits(0));
        insertBefore({encodeABC(Op::UnboxF, r, r, 0)});
        put(reg, boxOf(want));
        return true;
    }
    const TypeIndex index = type == kNoIndex ? kNoIndex : sets_.type(type).index;
    if (index == kNoIndex || sets_.type(type).rep != Rep::Box) return raiseAt(reg, sets_.text(want), sets_.meet(has, want));
    insertBefore({encodeABC(Op::Unbox, r, r, static_cast<unsigned>(CheckKind::Convert)), index});
    ++epoch_;
    put(reg, boxOf(sets_.ofType(type)));
    return true;
}

bool CodeTyper::needBoxes(int64_t first, int64_t count, SetId want, TypeId type) {
    if (!inFrame(first, count)) return false;
    for (int64_t k = 0; k < count && !isCut_; ++k)
        if (!needBox(first + k, want, type)) return false;
    return true;
}

/// A type of the chunk that all atoms of some sorts in a set have, and nothing else in the set; kNoIndex: none is known.
TypeIndex CodeTyper::typeThatPicks(SetId set, std::initializer_list<AtomSort> sorts) const {
    TypeIndex out = kNoIndex;
    for (Atom a : sets_.atoms(set)) {
        if (std::find(sorts.begin(), sorts.end(), sortOf(a)) == sorts.end()) continue;
        TypeIndex one = kNoIndex;
        switch (sortOf(a)) {
            case AtomSort::Array:
            case AtomSort::Table:
            case AtomSort::Record:
            case AtomSort::Enum: one = sets_.type(indexOf(a)).index; break;
            case AtomSort::Closure: one = sets_.type(sets_.typeOfShape(indexOf(a))).index; break;
            case AtomSort::Proto: one = c_.protos[indexOf(a)].signature; break;
            case AtomSort::Object: one = c_.classes[indexOf(a)].type; break;
        }
        if (out != kNoIndex && out != one) return kNoIndex;
        out = one;
    }
    return out;
}

bool CodeTyper::needObject(int64_t reg, const char* what, std::initializer_list<AtomSort> sorts) {
    Known& k = valueAt(reg).known;
    if (k.sort == Sort::Zero) k = refOf(sets_.ofBits(kind_bits::Nil));
    if (k.sort != Sort::Ref) return failAt(static_cast<unsigned>(reg), what);
    bool fits = (sets_.bits(k.index) & ~kind_bits::Nil) == 0;
    for (Atom a : sets_.atoms(k.index)) fits = fits && std::find(sorts.begin(), sorts.end(), sortOf(a)) != sorts.end();
    if (!fits) {
        const TypeIndex type = typeThatPicks(k.index, sorts);
        if (type == kNoIndex || reg > static_cast<int64_t>(kMaxRegister)) {
            bool isNever = (sets_.bits(k.index) & kind_bits::Everything & ~(kind_bits::Nil | kind_bits::String | kind_bits::LuaTable | kind_bits::Thread |
                                                                         kind_bits::Userdata | kind_bits::File | kind_bits::ClassValue)) == 0;
            for (Atom a : sets_.atoms(k.index)) isNever = isNever && std::find(sorts.begin(), sorts.end(), sortOf(a)) == sorts.end();
            return raiseAt(reg, what, isNever ? sets_.ofBits(0) : k.index);
        }
        insertBefore({encodeABC(Op::CheckRef, 0, static_cast<unsigned>(reg), static_cast<unsigned>(CheckKind::Convert)), type});
        refine(reg, sets_.meet(k.index, sets_.ofType(sets_.typeOf(type))));
        return true;
    }
    if ((sets_.bits(k.index) & kind_bits::Nil) != 0) checkNull(reg);
    return true;
}

// --- messages

std::string CodeTyper::text(Known k) const {
    switch (k.sort) {
        case Sort::Dead: return "not set";
        case Sort::Int: return "integer";
        case Sort::Zero: return "0";
        case Sort::Box: return k.index == sets_.everything() ? std::string("any") : sets_.bits(k.index) == kind_bits::Number && sets_.atoms(k.index).empty() ? std::string("number") : "boxed " + sets_.text(k.index);
        case Sort::Ref: return sets_.text(k.index);
        case Sort::Cell: return "a cell";
        case Sort::Type: return "a type descriptor";
        case Sort::Fresh: return "an object with words that are not set";
    }
    return "?";
}

bool CodeTyper::fail(std::string_view what) {
    error_ = fmt::format("bad bytecode in '{}' (function {}) at instruction {}: {}", c_.symbol(p_.name), index_, pc_, what);
    return false;
}

bool CodeTyper::failAt(unsigned reg, std::string_view expected) {
    return fail(fmt::format("register {} is {}, expected {}", reg, text(get(reg)), expected));
}

// --- instructions

bool CodeTyper::instruction() {
    if (sets_.work() > types_.workLimit) return fail("the function is too complicated");
    const OpInfo& info = opInfo(op_);
    const bool needsOwnFrame = (info.flags & (op_flags::Jumps | op_flags::Ends)) != 0 || op_ == Op::VarargCount || op_ == Op::TailDyn ||
                               op_ == Op::TailDynPack || op_ == Op::TailClo;
    if (shift_ != 0 && needsOwnFrame) return fail("it cannot stand in a shifted frame");
    for (unsigned i = 0; i < v_.count; ++i) {
        const char role = v_.role[i];
        if (role != 'd' && role != 's' && role != 'm' && role != 'w') continue;
        if (!inFrame(v_.value[i])) return false;
        if ((role == 's' || role == 'm') && get(v_.value[i]).sort == Sort::Fresh && valueAt(v_.value[i]).birth != epoch_) valueAt(v_.value[i]).known = Known();
    }
    if (op_ == Op::Jmp && target() <= pc_) replaceOp(Op::Loop);  // every loop can be interrupted
    // Calls and back edges, where finalisers may run. The place a frame waits at lies in or behind the instruction.
    const bool mayRunCode = (info.flags & op_flags::Calls) != 0 || ((info.flags & op_flags::Jumps) != 0 && target() <= pc_);
    if (mayRunCode && p_.isDebuggable && (!checkLocals(pc_) || !checkLocals(next_ - 1))) return false;
    const char* rule = kRules[static_cast<unsigned>(op_)];
    const bool isSimple = rule[0] != '!';
    return isSimple ? simple(rule) : special();
}

bool CodeTyper::simple(const char* rule) {
    const SetId number = sets_.ofBits(kind_bits::Number), string = sets_.ofBits(kind_bits::String);
    for (unsigned i = 0; i < v_.count && !isCut_; ++i) {
        const int64_t r = v_.value[i];
        if (v_.role[i] != 's' && v_.role[i] != 'm') continue;
        bool fits = true;
        switch (rule[i]) {
            case 'f': fits = needBox(r, number, kNoIndex); break;
            case 'i': fits = needInt(r); break;
            case 'x': fits = needBox(r, sets_.everything(), kNoIndex); break;
            case 's': fits = needRef(r, string, kNoIndex); break;
            case 'z': fits = needRef(r, sets_.withBits(string, kind_bits::Nil), kNoIndex); break;
            case 'r': fits = needRef(r, sets_.ofBits(kind_bits::References | kind_bits::Nil), kNoIndex); break;
            case 'a': fits = needObject(r, "array", {AtomSort::Array}); break;
            case 't': fits = needObject(r, "table", {AtomSort::Table}); break;
            default: fits = fail("bad rule"); break;
        }
        if (!fits) return false;
    }
    if (isCut_) return true;
    const OpInfo& info = opInfo(op_);
    if (mayCollect(info)) ++epoch_;
    if ((info.flags & op_flags::Calls) != 0 && op_ != Op::Event) clobberResults();
    if ((info.flags & op_flags::Jumps) != 0) {
        // The register that loops count in is set on both ways.
        if (v_.role[0] == 'm') put(A(), rule[0] == 'f' ? boxOf(number) : Known{Sort::Int});
        return flowTo(target());
    }
    for (unsigned i = 0; i < v_.count; ++i) {
        if (v_.role[i] != 'd' && v_.role[i] != 'm') continue;
        switch (rule[i]) {
            case 'f':
            case 'n': put(v_.value[i], boxOf(number)); break;
            case 'i': put(v_.value[i], {Sort::Int}); break;
            case 'b': put(v_.value[i], boxOf(sets_.ofBits(kind_bits::Boolean))); break;
            case 'x': put(v_.value[i], boxOf(sets_.everything())); break;
            case 'l': put(v_.value[i], boxOf(sets_.ofBits(kind_bits::LuaTable))); break;
            case 's': put(v_.value[i], refOf(string)); break;
            default: return fail("bad rule");
        }
    }
    return true;
}

/// While anything is called the debug library may read and set the locals that it knows.
bool CodeTyper::checkLocals(uint32_t at) {
    uint32_t local = p_.scopes.find(at);
    for (; local != 0; local = p_.locals[local - 1].outer) {
        if (local > p_.locals.size()) return fail("bad scope");
        const LocalName& l = p_.locals[local - 1];
        const Known k = values_[at_[l.reg]].known;
        const bool fits = l.isCell ? k.sort == Sort::Cell && types_.contents(k.index) == boxOf(sets_.everything())
                                   : k.sort == Sort::Box || k.sort == Sort::Zero;
        if (!fits) return fail(fmt::format("local '{}' in register {} is {}", c_.symbol(l.name), l.reg, text(k)));
        if (l.isCell) continue;
        at_[l.reg] = static_cast<uint32_t>(values_.size());
        values_.push_back({boxOf(sets_.everything())});
    }
    return true;
}

bool CodeTyper::special() {
    switch (op_) {
        case Op::Move:
            if (get(B()).sort == Sort::Dead) return failAt(static_cast<unsigned>(B()), "a value");
            at_[slot(A())] = at_[slot(B())];
            live_ = std::max(live_, slot(A()) + 1);
            return true;
        case Op::Spill:
            if (shift_ != 0) return fail("spill in a shifted frame");
            if (get(A()).sort == Sort::Dead) return failAt(static_cast<unsigned>(A()), "a value");
            at_[static_cast<uint32_t>(D())] = at_[slot(A())];
            live_ = std::max(live_, static_cast<uint32_t>(D()) + 1);
            return true;
        case Op::Reload:
            if (shift_ != 0) return fail("reload in a shifted frame");
            if (values_[at_[static_cast<uint32_t>(D())]].known.sort == Sort::Dead) return fail(fmt::format("slot {} is not set", D()));
            at_[slot(A())] = at_[static_cast<uint32_t>(D())];
            live_ = std::max(live_, slot(A()) + 1);
            return true;
        case Op::LoadK:
        case Op::LoadKX: return loadConstant(c_.data[static_cast<size_t>(X())]);
        case Op::LoadI: put(A(), {D() == 0 ? Sort::Zero : Sort::Int}); return true;
        case Op::LoadF: put(A(), boxOf(sets_.ofBits(kind_bits::Number))); return true;
        case Op::LoadNil: put(A(), boxOf(sets_.ofBits(kind_bits::Nil))); return true;
        case Op::GetG:
        case Op::GetGX: return variable(c_.data[static_cast<size_t>(X())], false);
        case Op::SetG:
        case Op::SetGX: return variable(c_.data[static_cast<size_t>(X())], true);
        case Op::BoxRef: return boxRef();
        case Op::BoxEnum:
            if (!needInt(A())) return false;
            put(A(), boxOf(sets_.ofType(sets_.typeOf(static_cast<TypeIndex>(X())))));
            return true;
        case Op::Unbox: return unbox();
        case Op::UnboxU: return unboxUnchecked();
        case Op::CheckRef: return checkRef();
        case Op::IsType: return typeTest(false);
        case Op::IsTypeRef: return typeTest(true);
        case Op::CheckNil: return checkNilOrNull(false);
        case Op::CheckNull: return checkNilOrNull(true);
        case Op::Truthy: {
            Fact fact;
            if (!truthTest(B(), fact)) return false;
            put(A(), {Sort::Int});
            valueAt(A()).fact = addFact(fact);
            return true;
        }
        case Op::EqI: {
            Fact fact;
            const bool hasFact = equalWords(B(), C(), fact);
            if (get(B()).sort == Sort::Dead || get(C()).sort == Sort::Dead) return fail("a register is not set");
            put(A(), {Sort::Int});
            if (hasFact) valueAt(A()).fact = addFact(fact);
            return true;
        }
        case Op::JTrue:
        case Op::JFalse: {
            if (!needInt(A())) return false;
            const uint32_t fact = valueAt(A()).fact;
            return branchOn(fact == 0 ? Fact() : facts_[fact - 1], fact != 0, op_ == Op::JTrue);
        }
        case Op::JTruthy:
        case Op::JFalsy: {
            Fact fact;
            return truthTest(A(), fact) && branchOn(fact, true, op_ == Op::JTruthy);
        }
        case Op::JNil:
        case Op::JNotNil: {
            if (!needBox(A(), sets_.everything(), kNoIndex)) return false;
            const SetId has = get(A()).sort == Sort::Zero ? sets_.ofBits(kind_bits::Number) : setOf(A());
            const SetId nil = sets_.ofBits(kind_bits::Nil);
            return branchOn({at_[slot(A())], sets_.meet(has, nil), sets_.withoutBits(has, kind_bits::Nil)}, get(A()).sort == Sort::Box, op_ == Op::JNil);
        }
        case Op::JEqI:
        case Op::JNeI: {
            Fact fact;
            if (get(A()).sort == Sort::Dead || get(B()).sort == Sort::Dead) return fail("a register is not set");
            const bool hasFact = equalWords(A(), B(), fact);
            return branchOn(fact, hasFact, op_ == Op::JEqI);
        }
        case Op::JEqII:
        case Op::JNeII: {
            if (get(A()).sort == Sort::Dead) return failAt(static_cast<unsigned>(A()), "a value");
            const bool isNullTest = D() == 0 && get(A()).sort == Sort::Ref;
            Fact fact;
            if (isNullTest) {
                fact = {at_[slot(A())], sets_.meet(setOf(A()), sets_.ofBits(kind_bits::Nil)), sets_.withoutBits(setOf(A()), kind_bits::Nil)};
            }
            return branchOn(fact, isNullTest, op_ == Op::JEqII);
        }
        case Op::Closure: return closure();
        case Op::SetCap: return setCapture();
        case Op::GetCap: return getCapture();
        case Op::GetClo: {
            if (p_.captures.empty()) return fail("the function has no closure");
            const ProtoIndex owner = p_.closureOf == kNoIndex ? index_ : p_.closureOf;
            put(A(), refOf(sets_.ofAtom(atomOf(AtomSort::Proto, owner))));
            return true;
        }
        case Op::NewCell: return newCell();
        case Op::GetCell: return cellAt(B(), false, false);
        case Op::SetCell: return cellAt(A(), true, false);
        case Op::SetCellR: return cellAt(A(), true, true);
        case Op::NewObj: return newObject();
        case Op::GetF: return getField();
        case Op::SetF: return setField(false);
        case Op::SetFR: return setField(true);
        case Op::NewArr:
        case Op::NewTab:
            ++epoch_;
            put(A(), types_.ofType(sets_.typeOf(static_cast<TypeIndex>(X()))));
            return true;
        case Op::AGet: return needInt(C()) && loadElement(B(), false);
        case Op::AGetI: return loadElement(B(), false);
        case Op::AGetB: return needInt(C()) && loadElement(B(), true);
        case Op::ASet: return needInt(B()) && storeElement(A(), C(), true, false, false);
        case Op::ASetR: return needInt(B()) && storeElement(A(), C(), true, true, false);
        case Op::ASetB: return needInt(B()) && storeElement(A(), C(), true, false, true);
        case Op::APush: return storeElement(A(), B(), false, false, false);
        case Op::TGetS: return tableGet('s', false);
        case Op::TGetF: return tableGet('f', false);
        case Op::TGetX: return tableGet('x', false);
        case Op::TGetOptS: return tableGet('s', true);
        case Op::TGetOptF: return tableGet('f', true);
        case Op::TGetOptX: return tableGet('x', true);
        case Op::TSetS: return tableSet('s');
        case Op::TSetF: return tableSet('f');
        case Op::TSetX: return tableSet('x');
        case Op::TKey: return tableEntry(true);
        case Op::TVal: return tableEntry(false);
        case Op::ConcatN:
            for (int64_t k = 0; k < C(); ++k)
                if (!inFrame(B() + k) || !needRef(B() + k, sets_.ofBits(kind_bits::String), kNoIndex)) return false;
            ++epoch_;
            put(A(), refOf(sets_.ofBits(kind_bits::String)));
            return true;
        case Op::ToStr:
            if (!need(B(), types_.anyOf(static_cast<Rep>(C())))) return false;
            clobberResults();
            ++epoch_;
            put(A(), refOf(sets_.ofBits(kind_bits::String)));
            return true;
        case Op::ConcatX:
            if (!needBoxes(B(), C(), sets_.everything(), kNoIndex)) return false;
            clobberResults();
            ++epoch_;
            // The operands may change.
            for (int64_t k = 0; k < C(); ++k) put(B() + k, boxOf(sets_.everything()));
            put(A(), boxOf(sets_.everything()));
            return true;
        case Op::IterX:
            if (!inFrame(A(), 3) || !needBox(A(), sets_.everything(), kNoIndex)) return false;
            clobberResults();
            ++epoch_;
            for (int64_t k = 0; k < 3; ++k) put(A() + k, boxOf(sets_.everything()));
            return true;
        case Op::SetList:
        case Op::SetListPack:
            if (!needBox(A(), sets_.ofBits(kind_bits::LuaTable), kNoIndex) || !needBoxes(A() + 1, B(), sets_.everything(), kNoIndex)) return false;
            if (op_ == Op::SetListPack && !needPack(sets_.everything())) return false;
            ++epoch_;
            return true;
        case Op::Raise: {
            const auto error = static_cast<unsigned>(A());
            if (error >= std::size(kErrorTexts) || operandCount(error) > 1) return fail(fmt::format("error {} cannot be raised", error));
            return operandCount(error) == 0 || needBox(B(), sets_.everything(), kNoIndex);
        }
        case Op::Shift:
            if (shift_ != 0) return fail("the frame is shifted already");
            if (!inFrame(v_.value[0])) return false;
            for (unsigned k = 1; k <= kFrameLinks; ++k) at_[static_cast<uint32_t>(v_.value[0]) - k] = kDeadValue;
            shift_ = static_cast<uint32_t>(v_.value[0]);
            return true;
        case Op::Unshift:
            if (shift_ == 0) return fail("the frame is not shifted");
            shift_ = 0;
            return true;
        default: return call();
    }
}

}  // namespace luapp::bc
