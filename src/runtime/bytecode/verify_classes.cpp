#include "runtime/bytecode/verify_classes.h"

#include <fmt/format.h>

#include <algorithm>

namespace luapp::bc {

namespace {

class ClassChecker {
public:
    ClassChecker(const Chunk& c, std::string& error) : c_(c), error_(error), classOf_(classesByType(c)) {}

    bool run() {
        for (size_t i = 0; i < c_.classes.size(); ++i) {
            const ClassData& k = c_.classes[i];
            if (!isType(k.type, TypeKind::Class)) return fail("class {}: its type is no class", i);
            if (classOf_[k.type] != i) return fail("class {}: another one has the same type", i);
            if (k.words > kMaxObjectWords) return fail("class {}: objects of {} words", i, k.words);
            if (!fields(i, k) || !table(i, k) || !members(i, k) || !functions(i, k)) return false;
        }
        for (size_t i = 0; i < c_.classes.size(); ++i)
            if (!ancestors(i, c_.classes[i])) return false;
        if (longestMethodTable(c_) != 0 && !isMethodEntry(c_, longestMethodTable(c_) - 1)) return fail("method tables are too large");
        return true;
    }

private:
    const Chunk& c_;
    std::string& error_;
    std::vector<uint32_t> classOf_;              // by type
    std::vector<std::vector<Rep>> layouts_;      // by class: representation by word; Void: unused

    template <class... A>
    bool fail(fmt::format_string<const A&...> text, const A&... args) {
        error_ = fmt::format(text, args...);
        return false;
    }

    bool isSymbol(SymbolIndex i) const { return i < c_.symbols.size(); }
    bool isType(TypeIndex i) const { return i < c_.types.size(); }
    bool isType(TypeIndex i, TypeKind kind) const { return isType(i) && c_.types[i].kind == kind; }
    bool isOwner(TypeIndex i) const {
        return i == kNoIndex || isType(i, TypeKind::Class) || isType(i, TypeKind::Interface);
    }
    /// A function that needs no closure and can be called dynamically.
    bool isFreeFunction(ProtoIndex p) const {
        return p < c_.protos.size() && c_.protos[p].captures.empty() && isType(c_.protos[p].signature, TypeKind::Function);
    }
    bool takesObject(ProtoIndex p) const { return !c_.protos[p].params.empty() && c_.protos[p].params[0] == Rep::Ref; }

    bool fields(size_t i, const ClassData& k) {
        std::vector<Rep>& layout = layouts_.emplace_back(k.words, Rep::Void);
        for (const ClassFieldData& f : k.fields) {
            if (!isSymbol(f.name) || !isOwner(f.owner)) return fail("class {}: bad field", i);
            if (f.word >= k.words) return fail("class {}: field '{}' is outside the object", i, c_.symbol(f.name));
            if (f.rep == Rep::Void || f.rep == Rep::Pack) return fail("class {}: bad representation of a field", i);
            if (f.type == kNoIndex ? !c_.symbol(f.name).empty() : !isType(f.type) || c_.types[f.type].rep != f.rep)
                return fail("class {}: bad type of field '{}'", i, c_.symbol(f.name));
            if (layout[f.word] != Rep::Void) return fail("class {}: two fields in word {}", i, f.word);
            layout[f.word] = f.rep;
        }
        return true;
    }

    bool table(size_t i, const ClassData& k) {
        for (ProtoIndex p : k.table) {
            if (p == kNoIndex) continue;
            if (p >= c_.protos.size() || !c_.protos[p].captures.empty() || !takesObject(p))
                return fail("class {}: bad function in the method table", i);
        }
        return true;
    }

    bool members(size_t i, const ClassData& k) {
        for (const ClassMemberData& m : k.members) {
            if (!isSymbol(m.name) || !isOwner(m.owner)) return fail("class {}: bad member", i);
            if ((m.function == kNoIndex) == (m.variable == kNoIndex))
                return fail("class {}: member '{}' is neither function nor field", i, c_.symbol(m.name));
            bool fits = m.function != kNoIndex ? isFreeFunction(m.function) && (m.isStatic || takesObject(m.function))
                                               : m.isStatic && staticFieldFits(m);
            if (!fits) return fail("class {}: bad member '{}'", i, c_.symbol(m.name));
        }
        return true;
    }

    /// A static field that may be read too early is a boxed variable.
    bool staticFieldFits(const ClassMemberData& m) const {
        if (m.variable >= c_.data.size() || !isType(m.type)) return false;
        const DataEntry& d = c_.data[m.variable];
        return d.kind == DataKind::Variable && (d.rep == c_.types[m.type].rep || d.rep == Rep::Box);
    }

    bool functions(size_t i, const ClassData& k) {
        for (ProtoIndex p : k.makers)
            if (!isFreeFunction(p) || c_.protos[p].results != std::vector<Rep>{Rep::Ref})
                return fail("class {}: bad function that makes objects", i);
        if (k.finalizer == kNoIndex) return true;
        if (k.finalizer >= c_.protos.size()) return fail("class {}: bad finalizer", i);
        const Proto& p = c_.protos[k.finalizer];
        if (p.params != std::vector<Rep>{Rep::Ref} || !p.captures.empty() || p.isVararg) return fail("class {}: bad finalizer", i);
        return true;
    }

    /// An object is used as an instance of each ancestor, so it must have that one's fields in their places.
    bool ancestors(size_t i, const ClassData& k) {
        for (TypeIndex a : k.ancestors) {
            if (!isType(a, TypeKind::Class) && !isType(a, TypeKind::Interface)) return fail("class {}: bad ancestor", i);
            if (classOf_[a] == kNoIndex) continue;
            const std::vector<Rep>& base = layouts_[classOf_[a]];
            const std::vector<Rep>& own = layouts_[i];
            bool fits = base.size() <= own.size();
            for (size_t w = 0; fits && w < base.size(); ++w) fits = base[w] == Rep::Void || base[w] == own[w];
            if (!fits) return fail("class {}: its objects do not have the layout of {}", i, c_.symbol(c_.types[a].name));
        }
        return true;
    }
};

}  // namespace

std::vector<uint32_t> classesByType(const Chunk& chunk) {
    std::vector<uint32_t> out(chunk.types.size(), kNoIndex);
    for (size_t i = chunk.classes.size(); i-- > 0;)
        if (chunk.classes[i].type < out.size()) out[chunk.classes[i].type] = static_cast<uint32_t>(i);
    return out;
}

uint32_t longestMethodTable(const Chunk& chunk) {
    size_t longest = 0;
    for (const ClassData& k : chunk.classes) longest = std::max(longest, k.table.size());
    return static_cast<uint32_t>(longest);
}

bool isMethodEntry(const Chunk& chunk, uint64_t entry) {
    return (entry + 1) * std::max<uint64_t>(chunk.classes.size(), 1) <= kMaxMethodTableWords;
}

bool verifyClasses(const Chunk& chunk, std::string& error) { return ClassChecker(chunk, error).run(); }

}  // namespace luapp::bc
