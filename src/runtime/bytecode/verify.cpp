// Order of checks: tables first (types, data, protos' properties, modules), so that the code pass may follow every
// index. The code pass decodes each proto once to find where instructions start, then checks every operand by its role.
#include "runtime/bytecode/verify.h"

#include <fmt/format.h>

#include <bit>

#include "runtime/bytecode/operands.h"
#include "runtime/bytecode/verify_classes.h"
#include "runtime/bytecode/verify_impl.h"

namespace luapp::bc {

namespace {

/// Slots a frame may have: what Spill can address.
constexpr uint32_t kMaxFrame = 65536;
/// Fixed results a function may have.
constexpr unsigned kMaxResults = 250;

bool isFunctionType(const Chunk& c, TypeIndex t) { return t < c.types.size() && c.types[t].kind == TypeKind::Function; }

/// The representation that values of a type of this kind have; Rep::Void where it depends on the members.
Rep repOfKind(TypeKind kind) {
    switch (kind) {
        case TypeKind::Any:
        case TypeKind::Nil: return Rep::Box;
        case TypeKind::Boolean: return Rep::Bool;
        case TypeKind::Number: return Rep::F64;
        case TypeKind::Integer:
        case TypeKind::Enum: return Rep::I64;
        case TypeKind::Union: return Rep::Void;
        case TypeKind::String:
        case TypeKind::Array:
        case TypeKind::Table:
        case TypeKind::Record:
        case TypeKind::Function:
        case TypeKind::AnyFunction:
        case TypeKind::Class:
        case TypeKind::Interface:
        case TypeKind::LuaTable:
        case TypeKind::Thread:
        case TypeKind::Userdata:
        case TypeKind::File: return Rep::Ref;
    }
    return Rep::Void;
}

/// True if the word may be the initial content of a data slot of this representation: it must not forge a pointer.
/// A double as values hold it: of the NaNs only the two that arithmetic makes. From another one it makes a word that is the box of a
/// reference.
bool isNumberWord(uint64_t word) {
    constexpr uint64_t kNegativeNan = 0xFFF8'0000'0000'0000u, kNan = 0x7FF8'0000'0000'0000u;
    const double d = std::bit_cast<double>(word);
    return d == d || word == kNan || word == kNegativeNan;
}

bool isPlainWord(Rep rep, uint64_t word) {
    switch (rep) {
        case Rep::F64: return isNumberWord(word);
        case Rep::I64: return true;
        case Rep::Bool: return word <= 1;
        case Rep::Ref: return word == 0;
        case Rep::Box: return isNumberWord(word) || (word >= base::kBoxedNil && word <= base::kBoxedNil + 3);  // nil, false, true, absent
        case Rep::Void:
        case Rep::Pack: return false;
    }
    return false;
}

class TableChecker {
public:
    TableChecker(const Chunk& c, const VerifyOptions& o, std::string& error)
        : c_(c), o_(o), error_(error), classOf_(classesByType(c)) {}

    bool run() { return types() && data() && protos() && verifyClasses(c_, error_) && modules(); }

private:
    const Chunk& c_;
    const VerifyOptions& o_;
    std::string& error_;
    std::vector<uint32_t> classOf_;  // by type
    std::vector<uint8_t> state_;  // of the search for structural cycles: 0 new, 1 open, 2 done

    template <class... A>
    bool fail(fmt::format_string<const A&...> text, const A&... args) {
        error_ = fmt::format(text, args...);
        return false;
    }

    bool isSymbol(SymbolIndex i) const { return i < c_.symbols.size(); }

    bool types() {
        for (size_t i = 0; i < c_.types.size(); ++i)
            if (!type(i)) return false;
        state_.assign(c_.types.size(), 0);
        for (size_t i = 0; i < c_.types.size(); ++i)
            if (!acyclic(static_cast<TypeIndex>(i), 0)) return false;
        return true;
    }

    bool type(size_t i) {
        const TypeData& t = c_.types[i];
        if (!isSymbol(t.name)) return fail("type {}: bad name", i);
        auto isType = [&](TypeIndex x) { return x < c_.types.size(); };
        for (TypeIndex p : t.parts)
            if (!isType(p)) return fail("type {}: bad part", i);
        for (TypeIndex p : t.results)
            if (!isType(p)) return fail("type {}: bad result", i);
        if (t.varargType != kNoIndex && !isType(t.varargType)) return fail("type {}: bad vararg type", i);
        for (const TypeField& f : t.fields) {
            if (!isSymbol(f.name)) return fail("type {}: bad field name", i);
            if (t.kind == TypeKind::Record ? !isType(f.type) : f.type != kNoIndex && !isType(f.type))
                return fail("type {}: bad type of field '{}'", i, c_.symbol(f.name));
        }
        if (t.kind == TypeKind::Array && t.parts.size() != 1) return fail("type {}: an array has one element type", i);
        if (t.kind == TypeKind::Table && t.parts.size() != 2) return fail("type {}: a table has a key and a value", i);
        if (t.kind == TypeKind::Union && t.parts.empty()) return fail("type {}: a union without members", i);
        if (t.kind == TypeKind::Record && t.fields.size() > 255) return fail("type {}: too many fields", i);
        if (t.kind == TypeKind::Enum && !enumFits(t)) return fail("type {}: an enum's value is out of range", i);
        if (isDeclared(t.kind) && !t.isNominal) return fail("type {}: a declared type without identity", i);
        if (t.defaultCount > t.parts.size()) return fail("type {}: more defaults than parameters", i);
        return repFits(i);
    }

    static bool isDeclared(TypeKind kind) {
        return kind == TypeKind::Class || kind == TypeKind::Interface || kind == TypeKind::Enum;
    }

    /// The box of an enum value has 32 bits for it.
    static bool enumFits(const TypeData& t) {
        for (const TypeField& f : t.fields)
            if (f.value < INT32_MIN || f.value > INT32_MAX) return false;
        return true;
    }

    bool repFits(size_t i) {
        const TypeData& t = c_.types[i];
        Rep want = repOfKind(t.kind);
        if (t.kind == TypeKind::Union) {
            want = Rep::Ref;
            for (TypeIndex p : t.parts)
                if (c_.types[p].kind != TypeKind::Nil && c_.types[p].rep != Rep::Ref) want = Rep::Box;
        }
        if (t.rep != want) return fail("type {}: representation {} does not fit its kind", i, repName(t.rep));
        return true;
    }

    /// Recursion must lead through a type that is known by name, or building descriptors would never end.
    bool acyclic(TypeIndex i, unsigned depth) {
        const TypeData& t = c_.types[i];
        if (t.isNominal || state_[i] == 2) return true;
        if (state_[i] == 1) return fail("type {}: contains itself", i);
        if (depth > 200) return fail("type {}: nested too deeply", i);
        state_[i] = 1;
        for (TypeIndex p : t.parts)
            if (!acyclic(p, depth + 1)) return false;
        for (TypeIndex p : t.results)
            if (!acyclic(p, depth + 1)) return false;
        for (const TypeField& f : t.fields)
            if (f.type != kNoIndex && !acyclic(f.type, depth + 1)) return false;
        if (t.varargType != kNoIndex && !acyclic(t.varargType, depth + 1)) return false;
        state_[i] = 2;
        return true;
    }

    bool data() {
        for (size_t i = 0; i < c_.data.size(); ++i) {
            const DataEntry& d = c_.data[i];
            switch (d.kind) {
                case DataKind::Word:
                    if (!isPlainWord(d.rep, d.word)) return fail("data {}: not a plain {}", i, repName(d.rep));
                    break;
                case DataKind::Variable:
                    if (!isSymbol(d.index)) return fail("data {}: bad name", i);
                    if (!isPlainWord(d.rep, d.word)) return fail("data {}: not a plain {}", i, repName(d.rep));
                    break;
                case DataKind::String:
                case DataKind::StringBox:
                    if (!isSymbol(d.index)) return fail("data {}: bad symbol", i);
                    break;
                case DataKind::Function:
                case DataKind::FunctionBox:
                    if (d.index >= c_.protos.size()) return fail("data {}: bad function", i);
                    if (!c_.protos[d.index].captures.empty()) return fail("data {}: function has captures", i);
                    if (!isFunctionType(c_, c_.protos[d.index].signature))
                        return fail("data {}: function without signature", i);
                    break;
                case DataKind::Builtin:
                case DataKind::BuiltinBox:
                    if (d.index >= o_.builtins.size()) return fail("data {}: bad builtin", i);
                    break;
                case DataKind::Type:
                    if (d.index >= c_.types.size()) return fail("data {}: bad type", i);
                    break;
                case DataKind::Class:
                    if (d.index >= c_.types.size() || classOf_[d.index] == kNoIndex) return fail("data {}: bad class", i);
                    break;
            }
        }
        return true;
    }

    bool protos() {
        for (size_t i = 0; i < c_.protos.size(); ++i)
            if (!proto(i)) return false;
        return true;
    }

    bool proto(size_t i) {
        const Proto& p = c_.protos[i];
        if (!isSymbol(p.name)) return fail("function {}: bad name", i);
        if (p.frameSize > kMaxFrame) return fail("function {}: frame of {} slots", i, p.frameSize);
        if (p.params.size() > p.frameSize) return fail("function {}: parameters exceed the frame", i);
        if (p.params.size() > kMaxRegister - kFrameLinks || p.results.size() > kMaxResults || p.captures.size() > 65535)
            return fail("function {}: too many parameters, results or captures", i);
        if (p.returnsPack && !p.results.empty()) return fail("function {}: fixed results beside a pack", i);
        for (const std::vector<Rep>* reps : {&p.params, &p.results, &p.captures})
            for (Rep r : *reps)
                if (r == Rep::Void || r == Rep::Pack) return fail("function {}: bad representation", i);
        if (p.file != kNoIndex && p.file >= c_.files.size()) return fail("function {}: bad file", i);
        if (!debugInformation(p)) return fail("function {}: bad debug information", i);
        if (p.signature != kNoIndex && !signatureFits(p)) return fail("function {}: signature does not fit", i);
        if (p.isAdapter && (p.captures.empty() || p.captures[0] != Rep::Ref)) return fail("function {}: adapter of nothing", i);
        if (p.isLenient && (p.captures.empty() || p.captures[0] != Rep::Box)) return fail("function {}: no environment", i);
        if (p.isBound && (p.captures.size() != 1 || p.captures[0] != Rep::Ref)) return fail("function {}: bound to nothing", i);
        if (p.isAdapter && p.isBound) return fail("function {}: bound method and adapter", i);
        if (p.dynamicProto != kNoIndex && !dynamicFits(p)) return fail("function {}: bad dynamic entry", i);
        return true;
    }

    bool debugInformation(const Proto& p) const {
        for (size_t k = 0; k < p.locals.size(); ++k) {
            const LocalName& l = p.locals[k];
            if (!isSymbol(l.name) || l.outer > k || l.reg >= p.frameSize) return false;
        }
        if (!p.captureNames.empty() && p.captureNames.size() != p.captures.size()) return false;
        for (size_t k = 0; k < p.captureNames.size(); ++k)
            if (!isSymbol(p.captureNames[k].name) || (p.captureNames[k].isCell && p.captures[k] != Rep::Ref)) return false;
        for (size_t k = 0; k < p.inlineSites.size(); ++k)
            if (p.inlineSites[k].callee >= c_.protos.size() || p.inlineSites[k].parent > k) return false;
        NoteTable::Cursor notes(p.notes);
        uint32_t pc;
        Note note;
        while (notes.next(pc, note))
            if (pc >= p.code.size() || !isSymbol(note.names[0].name) || !isSymbol(note.names[1].name)) return false;
        return !notes.isDamaged();
    }

    bool signatureFits(const Proto& p) const {
        if (!isFunctionType(c_, p.signature)) return false;
        const TypeData& t = c_.types[p.signature];
        if (t.parts.size() != p.params.size() || (t.varargType != kNoIndex) != p.isVararg) return false;
        if (t.hasResultPack != p.returnsPack) return false;
        if (!p.returnsPack && t.results.size() != p.results.size()) return false;
        for (size_t i = 0; i < t.parts.size(); ++i)
            if (c_.types[t.parts[i]].rep != p.params[i]) return false;
        for (size_t i = 0; i < p.results.size(); ++i)
            if (c_.types[t.results[i]].rep != p.results[i]) return false;
        return true;
    }

    bool dynamicFits(const Proto& p) const {
        if (p.dynamicProto >= c_.protos.size()) return false;
        const Proto& d = c_.protos[p.dynamicProto];
        if (d.params.size() != p.params.size() || d.isVararg != p.isVararg) return false;
        for (Rep r : d.params)
            if (r != Rep::Box) return false;
        return d.results == p.results && d.returnsPack == p.returnsPack && d.captures == p.captures;
    }

    bool modules() {
        for (const SourceFileName& f : c_.files)
            if (!isSymbol(f.name) || !isSymbol(f.source)) return fail("bad file name");
        for (const ModuleEntry& m : c_.modules)
            if (!isSymbol(m.name) || m.main >= c_.protos.size()) return fail("bad module");
        if (c_.entry >= c_.protos.size()) return fail("no entry function");
        const Proto& e = c_.protos[c_.entry];
        const bool hasOwnCaptures = !e.captures.empty() && !(e.isLenient && e.captures.size() == 1);
        if (!e.params.empty() || hasOwnCaptures) return fail("the entry function takes parameters or captures");
        return true;
    }
};

/// The structure of one function's code.
class CodeChecker {
public:
    CodeChecker(const Chunk& c, const VerifyOptions& o, const std::vector<uint32_t>& classOf, ProtoIndex index, std::string& error)
        : c_(c), o_(o), classOf_(classOf), p_(c.protos[index]), index_(index), error_(error) {}

    bool run() {
        if (!decode()) return false;
        for (at_ = 0; at_ < p_.code.size(); at_ += opWords(op_)) {
            op_ = opOf(p_.code[at_]);
            if (!operands() || !shape()) return false;
        }
        return true;
    }

private:
    const Chunk& c_;
    const VerifyOptions& o_;
    const std::vector<uint32_t>& classOf_;  // by type
    const Proto& p_;
    ProtoIndex index_;
    std::string& error_;
    std::vector<bool> starts_;
    size_t at_ = 0;
    Op op_ = Op::Move;
    Operands v_;

    template <class... A>
    bool fail(fmt::format_string<const A&...> text, const A&... args) {
        error_ = fmt::format("bad bytecode in '{}' (function {}) at instruction {}: {}", c_.symbol(p_.name), index_, at_,
                             fmt::format(text, args...));
        return false;
    }

    bool decode() {
        starts_.assign(p_.code.size(), false);
        bool ends = false;
        for (at_ = 0; at_ < p_.code.size();) {
            unsigned byte = p_.code[at_] & 0xFF;
            if (byte >= kOpCount) return fail("unknown opcode {}", byte);
            const OpInfo& info = opInfo(static_cast<Op>(byte));
            if (info.flags & op_flags::Internal) return fail("{} stands in loaded code only", info.name);
            starts_[at_] = true;
            ends = info.flags & op_flags::Ends;
            size_t next = at_ + opWords(static_cast<Op>(byte));
            if (next > p_.code.size()) return fail("its extra word is missing");
            at_ = next;
        }
        if (!ends) return fail("the code runs over its end");
        return entrySequence();
    }

    /// Enter if the frame is large, then VarargPrep if the function is vararg; neither anywhere else.
    bool entrySequence() {
        size_t next = 0;
        auto is = [&](Op op) { return next < p_.code.size() && opOf(p_.code[next]) == op; };
        at_ = 0;
        if (is(Op::Enter)) {
            int slots = fieldE(p_.code[0]);
            if (slots < 0 || static_cast<uint32_t>(slots) < p_.frameSize) return fail("Enter asks for too few slots");
            ++next;
        } else if (p_.frameSize > kHeadroom) {
            return fail("a frame of {} slots needs Enter", p_.frameSize);
        }
        if (p_.isVararg) {
            if (!is(Op::VarargPrep)) return fail("a vararg function begins with VarargPrep");
            if (fieldD(p_.code[next]) != p_.params.size()) return fail("VarargPrep differs from the parameter count");
            ++next;
        }
        for (at_ = next; at_ < p_.code.size(); at_ += opWords(opOf(p_.code[at_]))) {
            Op op = opOf(p_.code[at_]);
            if (op == Op::Enter || op == Op::VarargPrep) return fail("only at the beginning of a function");
        }
        return true;
    }

    bool inFrame(int64_t first, int64_t count) {
        if (first < 0 || first + count > p_.frameSize) return fail("register {} is outside the frame", first + count - 1);
        return true;
    }

    bool operands() {
        v_ = decodeOperands(&p_.code[at_]);
        for (unsigned i = 0; i < v_.count; ++i) {
            int64_t v = v_.value[i];
            switch (v_.role[i]) {
                case 'd':
                case 's':
                case 'm':
                    if (!inFrame(v, 1)) return false;
                    break;
                case 'w':
                    if (!inFrame(v, kFrameLinks)) return false;
                    break;
                case 'k':
                    if (!below(v, c_.data.size(), "constant")) return false;
                    break;
                case 'p':
                    if (!below(v, c_.protos.size(), "function")) return false;
                    break;
                case 't':
                    if (!below(v, c_.types.size(), "type")) return false;
                    break;
                case 'v':
                    if (!below(v, c_.valueTypes.size(), "value type")) return false;
                    break;
                case 'y':
                    if (!below(v, c_.symbols.size(), "symbol")) return false;
                    break;
                case 'b':
                    if (!below(v, o_.builtins.size(), "builtin")) return false;
                    break;
                case 'e':
                    if (!isMethodEntry(c_, static_cast<uint64_t>(v))) return fail("there is no method {}", v);
                    break;
                case 'j':
                    if (!jumpLands(v)) return false;
                    break;
                default: break;  // immediates: see shape()
            }
        }
        return true;
    }

    bool below(int64_t v, size_t size, const char* what) {
        if (v < 0 || static_cast<uint64_t>(v) >= size) return fail("there is no {} {}", what, v);
        return true;
    }

    bool jumpLands(int64_t distance) {
        int64_t target = static_cast<int64_t>(at_) + opWords(op_) + distance;
        if (target < 0 || static_cast<uint64_t>(target) >= p_.code.size() || !starts_[static_cast<size_t>(target)])
            return fail("jump to {}, where no instruction begins", target);
        return true;
    }

    int64_t A() const { return v_.value[0]; }
    int64_t B() const { return v_.value[1]; }
    int64_t C() const { return v_.value[2]; }
    int64_t D() const { return v_.value[1]; }
    int64_t X() const { return v_.value[v_.count - 1]; }

    bool limited(int64_t v, int64_t count, const char* what) {
        if (v < 0 || v >= count) return fail("bad {} {}", what, v);
        return true;
    }
    bool isRep(int64_t v) {
        if (v <= static_cast<int64_t>(Rep::Void) || v > static_cast<int64_t>(Rep::Box)) return fail("bad representation");
        return true;
    }
    bool isString(int64_t k) {
        if (c_.data[static_cast<size_t>(k)].kind != DataKind::String) return fail("constant {} is no string", k);
        return true;
    }
    bool isVariable(int64_t k) {
        if (c_.data[static_cast<size_t>(k)].kind != DataKind::Variable) return fail("data {} is no variable", k);
        return true;
    }
    bool isType(int64_t t, std::initializer_list<TypeKind> kinds) {
        for (TypeKind k : kinds)
            if (c_.types[static_cast<size_t>(t)].kind == k) return true;
        return fail("type {} is of the wrong kind", t);
    }

    bool callFits(int64_t proto, bool vararg, int64_t extras) {
        const Proto& callee = c_.protos[static_cast<size_t>(proto)];
        if (callee.isVararg != vararg) return fail("vararg call of a function that is not, or the reverse");
        return inFrame(A(), static_cast<int64_t>(kFrameLinks + callee.params.size()) + extras);
    }

    bool newObjectFits() {
        if (!isType(X(), {TypeKind::Record, TypeKind::Class})) return false;
        const TypeData& t = c_.types[static_cast<size_t>(X())];
        if (t.kind == TypeKind::Record && D() != static_cast<int64_t>(t.fields.size())) return fail("wrong field count");
        if (t.kind == TypeKind::Class) {
            const uint32_t k = classOf_[static_cast<size_t>(X())];
            if (k == kNoIndex || D() != c_.classes[k].words) return fail("wrong size of an object");
        }
        return true;
    }

    bool returnFits(bool pack, size_t minResults, size_t maxResults) {
        if (p_.returnsPack != pack || p_.results.size() < minResults || p_.results.size() > maxResults)
            return fail("return does not fit the results of the function");
        return true;
    }

    /// What the operand roles cannot say. Opcodes not named here have nothing more to check.
    bool shape() {
        switch (op_) {
            case Op::GetG:
            case Op::SetG:
            case Op::GetGX:
            case Op::SetGX: return isVariable(X());
            case Op::Spill:
            case Op::Reload: return inFrame(D(), 1);
            case Op::GlobalX:
                if (p_.captures.empty() || p_.captures[0] != Rep::Box || !p_.isLenient) return fail("the function has no globals");
                return isString(X());
            case Op::MemberX:
            case Op::MethodX:
            case Op::SetMemberX:
                return isString(X());
            case Op::JLtX:
            case Op::JLeX:
            case Op::JEqX: return limited(C(), 2, "condition");
            case Op::Shl32I:
            case Op::Shr32I:
            case Op::Rol32I: return limited(C(), 32, "shift count");
            case Op::IDivII:
            case Op::ModII: return C() > 0 || fail("the divisor must be positive");
            case Op::FToI: return limited(C(), 6, "kind");
            case Op::FloorF: return limited(C(), 3, "kind");
            case Op::Unbox: return limited(v_.value[2], 4, "kind");
            case Op::CheckRef: return limited(v_.value[2], 5, "kind");
            case Op::CheckNil:
            case Op::CheckNull: return limited(C(), 7, "kind");
            case Op::ArithX: return limited(X(), kArithOpCount, "operator");
            case Op::BoxRef: return limited(C(), 8, "tag");
            case Op::BoxEnum: return isType(X(), {TypeKind::Enum});
            case Op::UnboxU:
            case Op::NewCell:
            case Op::ToStr: return isRep(C());
            case Op::ConcatX:
            case Op::ConcatN: return limited(C() - 1, 255, "count") && inFrame(B(), C());
            case Op::NewArr: return isType(X(), {TypeKind::Array});
            case Op::NewTab: return isType(X(), {TypeKind::Table, TypeKind::LuaTable});
            case Op::NewObj: return newObjectFits();
            case Op::Closure: {
                const Proto& callee = c_.protos[static_cast<size_t>(X())];
                if (!isFunctionType(c_, callee.signature)) return fail("closure of a function without signature");
                return D() == static_cast<int64_t>(callee.captures.size()) || fail("wrong number of captures");
            }
            case Op::GetCap: return limited(D(), static_cast<int64_t>(p_.captures.size()), "capture");
            case Op::Call:
            case Op::CallX: return callFits(X(), false, 0);
            case Op::CallV:
            case Op::CallVPack: return callFits(X(), true, B());
            // Of the arguments only the object is known to be there.
            case Op::CallM: return inFrame(A(), kFrameLinks + 1);
            case Op::CallMV:
            case Op::CallMVPack: return inFrame(A(), kFrameLinks + 1 + B());
            case Op::CallDyn:
            case Op::CallDynPack:
            case Op::TailDyn:
            case Op::TailDynPack:
            case Op::TailClo:
                if (op_ != Op::CallDyn && op_ != Op::CallDynPack && (p_.isVararg || !p_.returnsPack)) return fail("this function cannot give its frame away");
                return inFrame(A(), kFrameLinks + B());
            case Op::CallCloV:
            case Op::CallCloVPack:
            case Op::CallBV:
            case Op::CallBVPack:
            case Op::CallYield: return inFrame(A(), kFrameLinks + B());
            case Op::CallResume: return inFrame(A(), kFrameLinks + 1 + B());
            case Op::GetRes: return limited(D() - 1, kMaxResults, "result");
            case Op::SetRes: return limited(D() - 1, static_cast<int64_t>(p_.results.size()) - 1, "result");
            case Op::Ret: return returnFits(false, 1, kMaxResults);
            case Op::RetI: return returnFits(false, 1, kMaxResults);
            case Op::Ret0: return returnFits(false, 0, 0);
            case Op::RetPack:
            case Op::RetBoxes: return returnFits(true, 0, 0) && inFrame(A(), B());
            case Op::PackMake: return inFrame(A(), B());
            case Op::SetList:
            case Op::SetListPack: return limited(X() - 1, 1 << 30, "position") && inFrame(A(), 1 + B());
            case Op::LoopNum: return limited(C(), 3, "bound");
            case Op::Event: return limited(v_.value[0], kEventKindCount, "kind");
            case Op::VarargAll:
            case Op::VarargGet:
            case Op::VarargCount: return p_.isVararg || fail("the function takes no extra arguments");
            case Op::IterX: return inFrame(A(), 3);
            case Op::Shift: return v_.value[0] >= kFrameLinks ? inFrame(v_.value[0], 1) : fail("shift below the frame");
            default: return true;
        }
    }
};

}  // namespace

bool verifyStructure(const Chunk& chunk, const VerifyOptions& options, std::string& error) {
    if (!TableChecker(chunk, options, error).run()) return false;
    const std::vector<uint32_t> classOf = classesByType(chunk);
    for (size_t i = 0; i < chunk.protos.size(); ++i)
        if (!CodeChecker(chunk, options, classOf, static_cast<ProtoIndex>(i), error).run()) return false;
    return true;
}

bool verify(Chunk& chunk, const VerifyOptions& options, std::string& error) {
    if (!verifyStructure(chunk, options, error)) return false;
    ChunkTypes types(chunk, options);
    if (!types.check(error)) return false;
    std::vector<CodePatch> patches(chunk.protos.size());
    for (size_t i = 0; i < chunk.protos.size(); ++i)
        if (!CodeTyper(types, static_cast<ProtoIndex>(i), error).run(patches[i])) return false;
    for (size_t i = 0; i < chunk.protos.size(); ++i) {
        if (patches[i].apply(chunk.protos[i])) continue;
        error = fmt::format("function '{}' is too large to be checked", chunk.symbol(chunk.protos[i].name));
        return false;
    }
    return true;
}

}  // namespace luapp::bc
