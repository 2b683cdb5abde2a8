#include "sema/builtin_types.h"

#include <algorithm>
#include <array>

#include "runtime/base/signature_scanner.h"

namespace luapp::sema {

namespace {

// Effects as builtins.def writes them; only NeedsType matters here.
enum Effects : uint32_t { Pure = 0, Reads = 1, Writes = 2, Raises = 4, Calls = 8, Allocs = 16, NeedsType = 32 };
constexpr uint32_t operator|(Effects a, Effects b) { return uint32_t(a) | uint32_t(b); }

struct ConstValue {
    double number = 0;
    int64_t integer = 0;
    std::string_view text;
    constexpr ConstValue(double v) : number(v) {}
    constexpr ConstValue(int64_t v) : integer(v) {}
    constexpr ConstValue(const char* v) : text(v) {}
};

constexpr BuiltinEntry constant(std::string_view name, std::string_view type, ConstValue value) {
    return {name, {}, type, BuiltinKind::Const, false, 0, value.number, value.integer, value.text};
}

constexpr auto makeEntries() {
    std::array list{
#define LUAPP_BUILTIN(Id, Name, Signature, Fn, Eff, Intrinsic, Description) \
    BuiltinEntry{Name, {}, Signature, BuiltinKind::Function, ((Eff)&NeedsType) != 0, 0},
#define LUAPP_BUILTIN_CASE(Id, Name, Literal, Signature, Fn, Eff, Intrinsic) \
    BuiltinEntry{Name, Literal, Signature, BuiltinKind::Case, ((Eff)&NeedsType) != 0, 0},
#define LUAPP_BUILTIN_VALUE(Id, Name, Type_, Fn, Eff, Intrinsic, Description) \
    BuiltinEntry{Name, {}, Type_, BuiltinKind::Value, ((Eff)&NeedsType) != 0, 0},
#define LUAPP_BUILTIN_HIDDEN(Id, Name, Signature, Fn, Eff) \
    BuiltinEntry{Name, {}, Signature, BuiltinKind::Hidden, ((Eff)&NeedsType) != 0, 0},
#define LUAPP_BUILTIN_CONST(Id, Name, Type_, Value_, Description) constant(Name, Type_, ConstValue(Value_)),
#include "runtime/lib/builtins.def"
    };
    uint32_t index = 0;
    for (BuiltinEntry& entry : list)
        if (entry.kind != BuiltinKind::Const) entry.index = index++;
    return list;
}

constexpr auto kEntries = makeEntries();

/// Positions in kEntries, sorted by name; the general form before its cases, which keep their order.
constexpr auto makeOrder() {
    std::array<uint16_t, kEntries.size()> order{};
    for (size_t i = 0; i < order.size(); i++) order[i] = uint16_t(i);
    std::sort(order.begin(), order.end(), [](uint16_t a, uint16_t b) {
        if (kEntries[a].name != kEntries[b].name) return kEntries[a].name < kEntries[b].name;
        return a < b;
    });
    return order;
}

constexpr auto kOrder = makeOrder();

constexpr auto makeByIndex() {
    std::array<uint16_t, kEntries.size()> list{};
    size_t n = 0;
    for (size_t i = 0; i < kEntries.size(); i++)
        if (kEntries[i].kind != BuiltinKind::Const) list[n++] = uint16_t(i);
    return list;
}

constexpr auto kByIndex = makeByIndex();

/// Reads a signature. The text is ours and well-formed; anything else is a bug found at the first use.
class SignatureReader {
  public:
    SignatureReader(TypeTable& types, Interner& interner, std::string_view text)
        : types_(types), interner_(interner), text_(text), scan_(text) {}

    void read(BuiltinSignature& out) {
        if (scan_.accept("<")) {
            do {
                const std::string_view name = scan_.name();
                out.typeParams.push_back(types_.typeParam(interner_.intern(name), uint32_t(out.typeParams.size()), true));
            } while (scan_.accept(","));
            scan_.expect(">");
        }
        typeParams_ = out.typeParams;
        out.type = function(&out.params);
        out.isMember = !out.params.empty() && out.params[0].name == "self";
        if (scan_.isMalformed() || !scan_.isAtEnd()) base::bugFound("malformed signature in builtins.def", text_.data(), 0);
    }

    const Type* type() {
        std::vector<const Type*> members{postfix()};
        while (scan_.accept("|")) members.push_back(postfix());
        return members.size() == 1 ? members[0] : types_.unionOf(members);
    }

  private:
    const Type* postfix() {
        const Type* t = primary();
        for (;;) {
            if (scan_.accept("?"))
                t = types_.optional(t);
            else if (scan_.accept("[]"))
                t = types_.array(t);
            else
                return t;
        }
    }

    const Type* primary() {
        if (scan_.isAhead("(")) {
            if (scan_.isFunctionAhead()) return function(nullptr);
            scan_.expect("(");
            const Type* inner = type();
            scan_.expect(")");
            return inner;
        }
        const std::string_view name = scan_.name();
        for (const TypeParamType* param : typeParams_)
            if (interner_.text(param->name) == name) return param;
        if (name == "Array") {
            scan_.expect("<");
            const Type* element = type();
            scan_.expect(">");
            return types_.array(element);
        }
        if (name == "Table") {
            scan_.expect("<");
            const Type* key = type();
            scan_.expect(",");
            const Type* value = type();
            scan_.expect(">");
            return types_.table(key, value);
        }
        if (name == "nil") return types_.nil();
        if (name == "boolean") return types_.boolean();
        if (name == "number") return types_.number();
        if (name == "integer") return types_.integer();
        if (name == "string") return types_.string();
        if (name == "any") return types_.any();
        if (name == "Function") return types_.anyFunction();
        if (name == "File") return types_.file();
        base::bugFound("unknown type in builtins.def", text_.data(), 0);
    }

    /// `name: type = default`, `name: type` or `type`.
    BuiltinParam param() {
        BuiltinParam p{{}, nullptr, false, {}};
        p.name = scan_.parameterName();
        p.type = type();
        p.mayBeOmitted = p.type->admitsNil && !isAny(p.type);
        if (scan_.accept("=")) {
            p.mayBeOmitted = true;
            p.defaultValue = scan_.defaultValue();
            if (p.defaultValue == "nil") p.defaultValue = {};
        }
        return p;
    }

    const FunctionType* function(std::vector<BuiltinParam>* paramsOut) {
        std::vector<const Type*> params;
        std::vector<const Type*> results;
        const Type* vararg = nullptr;
        const Type* variadic = nullptr;
        uint32_t defaults = 0;
        bool never = false;
        scan_.expect("(");
        if (!scan_.accept(")")) {
            do {
                if (scan_.accept("...")) {
                    vararg = type();
                    break;
                }
                BuiltinParam p = param();
                params.push_back(p.type);
                defaults = p.mayBeOmitted ? defaults + 1 : 0;
                if (paramsOut) paramsOut->push_back(p);
            } while (scan_.accept(","));
            scan_.expect(")");
        }
        scan_.expect(":");
        if (scan_.accept("void")) {
        } else if (scan_.accept("never")) {
            never = true;
        } else if (scan_.isAhead("(") && !scan_.isFunctionAhead()) {
            scan_.expect("(");
            do {
                if (scan_.accept("...")) {
                    variadic = type();
                    break;
                }
                results.push_back(type());
            } while (scan_.accept(","));
            scan_.expect(")");
        } else {
            results.push_back(type());
        }
        return types_.function(params, vararg, results, variadic, defaults, never);
    }

    TypeTable& types_;
    Interner& interner_;
    std::string_view text_;
    base::SignatureScanner scan_;
    std::span<const TypeParamType* const> typeParams_;
};

const BuiltinEntry* findBy(auto compare) {
    auto found =
        std::partition_point(kOrder.begin(), kOrder.end(), [&](uint16_t i) { return compare(kEntries[i].name) < 0; });
    if (found == kOrder.end() || compare(kEntries[*found].name) != 0) return nullptr;
    const BuiltinEntry& entry = kEntries[*found];
    return entry.kind == BuiltinKind::Hidden ? nullptr : &entry;
}

}  // namespace

uint32_t BuiltinSignature::minArgs() const {
    uint32_t count = uint32_t(params.size());
    while (count > 0 && params[count - 1].mayBeOmitted) count--;
    return count;
}

const BuiltinEntry* Builtins::find(std::string_view name) {
    return findBy([&](std::string_view entry) { return entry.compare(name); });
}

const BuiltinEntry* Builtins::find(std::string_view library, std::string_view name) {
    return findBy([&](std::string_view entry) {
        if (int order = entry.substr(0, library.size()).compare(library)) return order;
        entry.remove_prefix(library.size());
        if (entry.empty() || entry[0] != '.') return entry.empty() ? -1 : entry[0] < '.' ? -1 : 1;
        return entry.substr(1).compare(name);
    });
}

const BuiltinEntry& Builtins::hidden(std::string_view name) {
    for (const BuiltinEntry& entry : kEntries)
        if (entry.kind == BuiltinKind::Hidden && entry.name == name) return entry;
    LUAPP_UNREACHABLE("no such hidden library function");
}

std::vector<const BuiltinEntry*> Builtins::casesOf(const BuiltinEntry& general) {
    std::vector<const BuiltinEntry*> cases;
    for (const BuiltinEntry* entry = &general + 1; entry != kEntries.data() + kEntries.size(); entry++) {
        if (entry->kind != BuiltinKind::Case || entry->name != general.name) break;
        cases.push_back(entry);
    }
    return cases;
}

bool Builtins::isLibrary(std::string_view name) {
    if (name == "Array" || name == "Table") return true;
    if (name == "File") return false;
    const BuiltinEntry* first = nullptr;
    auto at = std::partition_point(kOrder.begin(), kOrder.end(), [&](uint16_t i) {
        std::string_view entry = kEntries[i].name;
        const int order = entry.substr(0, name.size()).compare(name);
        return order < 0 || (order == 0 && (entry.size() == name.size() || entry[name.size()] < '.'));
    });
    if (at != kOrder.end()) first = &kEntries[*at];
    return first && first->name.size() > name.size() && first->name.starts_with(name) &&
           first->name[name.size()] == '.';
}

const BuiltinEntry& Builtins::at(uint32_t index) { return kEntries[kByIndex[index]]; }

std::span<const BuiltinEntry> Builtins::all() { return kEntries; }

const BuiltinSignature& Builtins::signature(const BuiltinEntry& entry) {
    if (cache_.size() <= entry.index) cache_.resize(kEntries.size());
    auto& slot = cache_[entry.index];
    if (slot) return *slot;
    slot = std::make_unique<BuiltinSignature>();
    slot->entry = &entry;
    SignatureReader reader(types_, interner_, entry.signature);
    if (entry.kind != BuiltinKind::Value) {
        reader.read(*slot);
        return *slot;
    }
    // A value is a function of nothing, or of the value whose member it is.
    const Type* result = reader.type();
    if (entry.name.starts_with("string.")) {
        slot->params.push_back({"self", types_.string(), false, {}});
    } else if (entry.name.starts_with("Array.")) {
        slot->typeParams.push_back(types_.typeParam(interner_.intern("T"), 0, true));
        slot->params.push_back({"self", types_.array(slot->typeParams[0]), false, {}});
    } else if (entry.name.starts_with("Table.")) {
        slot->typeParams.push_back(types_.typeParam(interner_.intern("K"), 0, true));
        slot->typeParams.push_back(types_.typeParam(interner_.intern("V"), 1, true));
        slot->params.push_back({"self", types_.table(slot->typeParams[0], slot->typeParams[1]), false, {}});
    }
    slot->isMember = !slot->params.empty();
    std::vector<const Type*> params;
    for (const BuiltinParam& p : slot->params) params.push_back(p.type);
    slot->type = types_.function(params, nullptr, {&result, 1});
    return *slot;
}

const Type* Builtins::constantType(const BuiltinEntry& entry) {
    return SignatureReader(types_, interner_, entry.signature).type();
}

std::string_view Builtins::libraryOf(const Type* type) {
    switch (type->kind) {
        case TypeKind::String: return "string";
        case TypeKind::Array: return "Array";
        case TypeKind::Table: return "Table";
        case TypeKind::File: return "File";
        default: return {};
    }
}

}  // namespace luapp::sema
