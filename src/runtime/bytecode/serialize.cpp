#include "runtime/bytecode/serialize.h"

#include <cstring>

namespace luapp::bc {

namespace {

constexpr uint8_t kMagic[4] = {0x1B, 'L', '+', '+'};
constexpr size_t kChecksumAt = 16;

/// 64-bit FNV-1a over everything but the checksum itself: enough against damage, not meant against forgery.
uint64_t checksum(std::span<const uint8_t> bytes) {
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < bytes.size(); ++i) {
        if (i >= kChecksumAt && i < kChecksumAt + 8) continue;
        h = (h ^ bytes[i]) * 0x100000001B3u;
    }
    return h;
}

class Writer {
public:
    std::vector<uint8_t> bytes;

    template <class T>
    void fixed(T v) {
        for (unsigned i = 0; i < sizeof(T); ++i) bytes.push_back(static_cast<uint8_t>(uint64_t{v} >> (8 * i)));
    }
    void u8(uint8_t v) { fixed(v); }
    void u16(uint16_t v) { fixed(v); }
    void u32(uint32_t v) { fixed(v); }
    void u64(uint64_t v) { fixed(v); }
    void flag(bool v) { fixed<uint8_t>(v ? 1 : 0); }
    void count(size_t n) { u32(static_cast<uint32_t>(n)); }
    void string(std::string_view s) {
        count(s.size());
        bytes.insert(bytes.end(), s.begin(), s.end());
    }
    void words(const std::vector<uint32_t>& v) {
        count(v.size());
        for (uint32_t w : v) u32(w);
    }
    void reps(const std::vector<Rep>& v) {
        count(v.size());
        for (Rep r : v) u8(static_cast<uint8_t>(r));
    }
};

void writeType(Writer& w, const TypeData& t) {
    w.u8(static_cast<uint8_t>(t.kind));
    w.u8(static_cast<uint8_t>(t.rep));
    w.flag(t.isNominal);
    w.flag(t.hasResultPack);
    w.u32(t.name);
    w.u32(t.defaultCount);
    w.u32(t.varargType);
    w.words(t.parts);
    w.words(t.results);
    w.count(t.fields.size());
    for (const TypeField& f : t.fields) {
        w.u32(f.name);
        w.u32(f.type);
        w.u64(static_cast<uint64_t>(f.value));
    }
}

void writeClass(Writer& w, const ClassData& c) {
    w.u32(c.type);
    w.u32(c.words);
    w.u32(c.finalizer);
    w.words(c.ancestors);
    w.count(c.fields.size());
    for (const ClassFieldData& f : c.fields) {
        w.u32(f.name);
        w.u32(f.word);
        w.u32(f.type);
        w.u32(f.owner);
        w.u8(static_cast<uint8_t>(f.access));
        w.flag(f.isConst);
        w.flag(f.mayBeUnset);
        w.u8(static_cast<uint8_t>(f.rep));
    }
    w.words(c.table);
    w.count(c.members.size());
    for (const ClassMemberData& m : c.members) {
        w.u32(m.name);
        w.u32(m.function);
        w.u32(m.variable);
        w.u32(m.type);
        w.u32(m.owner);
        w.u8(static_cast<uint8_t>(m.access));
        w.flag(m.isStatic);
        w.flag(m.isConst);
    }
    w.words(c.makers);
}

void writeProto(Writer& w, const Proto& p) {
    w.u32(p.name);
    w.flag(p.isVararg);
    w.flag(p.returnsPack);
    w.flag(p.isAdapter);
    w.flag(p.isLenient);
    w.flag(p.isBound);
    w.flag(p.isDebuggable);
    w.u32(p.frameSize);
    w.u32(p.signature);
    w.u32(p.dynamicProto);
    w.u32(p.file);
    w.u32(p.line);
    w.u32(p.lastLine);
    w.reps(p.params);
    w.reps(p.results);
    w.reps(p.captures);
    w.words(p.paramTypes);
    w.words(p.resultTypes);
    w.words(p.captureTypes);
    w.u32(p.closureOf);
    w.count(p.typeHints.size());
    for (const TypeHint& t : p.typeHints) {
        w.u32(t.pc);
        w.u32(t.type);
    }
    w.words(p.code);
    w.count(p.lines.bytes().size());
    w.bytes.insert(w.bytes.end(), p.lines.bytes().begin(), p.lines.bytes().end());
    w.count(p.notes.bytes().size());
    w.bytes.insert(w.bytes.end(), p.notes.bytes().begin(), p.notes.bytes().end());
    w.count(p.scopes.bytes().size());
    w.bytes.insert(w.bytes.end(), p.scopes.bytes().begin(), p.scopes.bytes().end());
    w.count(p.locals.size());
    for (const LocalName& l : p.locals) {
        w.u32(l.name);
        w.u32(l.outer);
        w.u16(l.reg);
        w.flag(l.isCell);
    }
    w.count(p.inlineSites.size());
    for (const InlineSite& site : p.inlineSites) {
        w.u32(site.callee);
        w.u32(site.call.file);
        w.u32(site.call.line);
        w.u32(site.parent);
    }
    w.count(p.inlined.bytes().size());
    w.bytes.insert(w.bytes.end(), p.inlined.bytes().begin(), p.inlined.bytes().end());
    w.count(p.captureNames.size());
    for (const CaptureName& n : p.captureNames) {
        w.u32(n.name);
        w.flag(n.isCell);
    }
}

/// Reads with a sticky failure: after the first problem everything reads as 0 and counts as empty.
class Reader {
public:
    explicit Reader(std::span<const uint8_t> bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

    bool ok() const { return !problem_; }
    const char* problem() const { return problem_; }
    bool atEnd() const { return at_ == end_; }
    void fail(const char* what) {
        if (!problem_) problem_ = what;
        at_ = end_;
    }

    uint64_t fixed(unsigned size) {
        if (static_cast<size_t>(end_ - at_) < size) {
            fail("it ends too early");
            return 0;
        }
        uint64_t v = 0;
        for (unsigned i = 0; i < size; ++i) v |= uint64_t{at_[i]} << (8 * i);
        at_ += size;
        return v;
    }
    uint8_t u8() { return static_cast<uint8_t>(fixed(1)); }
    uint16_t u16() { return static_cast<uint16_t>(fixed(2)); }
    uint32_t u32() { return static_cast<uint32_t>(fixed(4)); }
    uint64_t u64() { return fixed(8); }
    bool flag() {
        uint8_t v = u8();
        if (v > 1) fail("a flag is neither 0 nor 1");
        return v == 1;
    }
    Rep rep() {
        uint8_t v = u8();
        if (v > static_cast<uint8_t>(Rep::Box)) fail("an unknown representation");
        return ok() ? static_cast<Rep>(v) : Rep::Void;
    }
    Access access() {
        uint8_t v = u8();
        if (v > static_cast<uint8_t>(Access::Private)) fail("an unknown kind of access");
        return ok() ? static_cast<Access>(v) : Access::Public;
    }
    /// A count of entries of at least `size` bytes each.
    size_t count(size_t size) {
        uint32_t n = u32();
        if (n > static_cast<size_t>(end_ - at_) / size) {
            fail("a table is longer than the file");
            return 0;
        }
        return n;
    }
    std::span<const uint8_t> raw() {
        size_t n = count(1);
        std::span<const uint8_t> s(at_, n);
        at_ += n;
        return s;
    }
    void words(std::vector<uint32_t>& v) {
        v.resize(count(4));
        for (uint32_t& w : v) w = u32();
    }
    void reps(std::vector<Rep>& v) {
        v.resize(count(1));
        for (Rep& r : v) r = rep();
    }

private:
    const uint8_t* at_;
    const uint8_t* end_;
    const char* problem_ = nullptr;
};

void readType(Reader& r, TypeData& t) {
    uint8_t kind = r.u8();
    if (kind >= kTypeKindCount) r.fail("an unknown kind of type");
    t.kind = r.ok() ? static_cast<TypeKind>(kind) : TypeKind::Any;
    t.rep = r.rep();
    t.isNominal = r.flag();
    t.hasResultPack = r.flag();
    t.name = r.u32();
    t.defaultCount = r.u32();
    t.varargType = r.u32();
    r.words(t.parts);
    r.words(t.results);
    t.fields.resize(r.count(16));
    for (TypeField& f : t.fields) {
        f.name = r.u32();
        f.type = r.u32();
        f.value = static_cast<int64_t>(r.u64());
    }
}

void readClass(Reader& r, ClassData& c) {
    c.type = r.u32();
    c.words = r.u32();
    c.finalizer = r.u32();
    r.words(c.ancestors);
    c.fields.resize(r.count(20));
    for (ClassFieldData& f : c.fields) {
        f.name = r.u32();
        f.word = r.u32();
        f.type = r.u32();
        f.owner = r.u32();
        f.access = r.access();
        f.isConst = r.flag();
        f.mayBeUnset = r.flag();
        f.rep = r.rep();
    }
    r.words(c.table);
    c.members.resize(r.count(23));
    for (ClassMemberData& m : c.members) {
        m.name = r.u32();
        m.function = r.u32();
        m.variable = r.u32();
        m.type = r.u32();
        m.owner = r.u32();
        m.access = r.access();
        m.isStatic = r.flag();
        m.isConst = r.flag();
    }
    r.words(c.makers);
}

void readProto(Reader& r, Proto& p) {
    p.name = r.u32();
    p.isVararg = r.flag();
    p.returnsPack = r.flag();
    p.isAdapter = r.flag();
    p.isLenient = r.flag();
    p.isBound = r.flag();
    p.isDebuggable = r.flag();
    p.frameSize = r.u32();
    p.signature = r.u32();
    p.dynamicProto = r.u32();
    p.file = r.u32();
    p.line = r.u32();
    p.lastLine = r.u32();
    r.reps(p.params);
    r.reps(p.results);
    r.reps(p.captures);
    r.words(p.paramTypes);
    r.words(p.resultTypes);
    r.words(p.captureTypes);
    p.closureOf = r.u32();
    p.typeHints.resize(r.count(8));
    for (TypeHint& t : p.typeHints) {
        t.pc = r.u32();
        t.type = r.u32();
    }
    r.words(p.code);
    std::span<const uint8_t> lines = r.raw();
    p.lines.setBytes({lines.begin(), lines.end()});
    std::span<const uint8_t> notes = r.raw();
    p.notes.setBytes({notes.begin(), notes.end()});
    std::span<const uint8_t> scopes = r.raw();
    p.scopes.setBytes({scopes.begin(), scopes.end()});
    p.locals.resize(r.count(11));
    for (LocalName& l : p.locals) {
        l.name = r.u32();
        l.outer = r.u32();
        l.reg = r.u16();
        l.isCell = r.flag();
    }
    p.inlineSites.resize(r.count(16));
    for (InlineSite& site : p.inlineSites) {
        site.callee = r.u32();
        site.call.file = r.u32();
        site.call.line = r.u32();
        site.parent = r.u32();
    }
    std::span<const uint8_t> inlined = r.raw();
    p.inlined.setBytes({inlined.begin(), inlined.end()});
    p.captureNames.resize(r.count(5));
    for (CaptureName& n : p.captureNames) {
        n.name = r.u32();
        n.isCell = r.flag();
    }
}

void readTables(Reader& r, Chunk& c) {
    c.symbols.resize(r.count(4));
    for (std::string& s : c.symbols) {
        std::span<const uint8_t> raw = r.raw();
        s.assign(raw.begin(), raw.end());
    }
    c.types.resize(r.count(28));
    for (TypeData& t : c.types) readType(r, t);
    c.valueTypes.resize(r.count(11));
    for (ValueType& v : c.valueTypes) {
        v.type = r.u32();
        v.function = r.u32();
        v.mayBeUnset = r.flag();
        v.isCell = r.flag();
        v.rep = r.rep();
    }
    c.classes.resize(r.count(32));
    for (ClassData& k : c.classes) readClass(r, k);
    c.data.resize(r.count(18));
    for (DataEntry& d : c.data) {
        uint8_t kind = r.u8();
        if (kind >= kDataKindCount) r.fail("an unknown kind of constant");
        d.kind = r.ok() ? static_cast<DataKind>(kind) : DataKind::Word;
        d.rep = r.rep();
        d.index = r.u32();
        d.word = r.u64();
        d.valueType = r.u32();
    }
    c.protos.resize(r.count(75));
    for (Proto& p : c.protos) readProto(r, p);
    c.files.resize(r.count(8));
    for (SourceFileName& f : c.files) {
        f.name = r.u32();
        f.source = r.u32();
    }
    c.modules.resize(r.count(8));
    for (ModuleEntry& m : c.modules) {
        m.name = r.u32();
        m.main = r.u32();
    }
    c.entry = r.u32();
    c.givesFunction = r.flag();
}

/// The header's fixed fields; null if they are right.
const char* headerProblem(std::span<const uint8_t> bytes) {
    if (!looksLikeChunk(bytes)) return "it is not a compiled Lua++ program";
    if (bytes.size() < kChunkHeaderSize) return "it ends too early";
    Reader r(bytes.subspan(4));
    if (r.u16() != kChunkVersion) return "it was made for another version of Lua++";
    if (r.u16() != 0) return "it has unknown flags";
    if (r.u64() != bytes.size()) return "its size is not the one it was written with";
    if (r.u64() != checksum(bytes)) return "its checksum does not match, so it is damaged";
    return nullptr;
}

}  // namespace

bool looksLikeChunk(std::span<const uint8_t> bytes) {
    return bytes.size() >= sizeof kMagic && std::memcmp(bytes.data(), kMagic, sizeof kMagic) == 0;
}

void sealChunk(std::span<uint8_t> bytes) {
    auto put = [&](size_t at, uint64_t v) {
        for (unsigned i = 0; i < 8; ++i) bytes[at + i] = static_cast<uint8_t>(v >> (8 * i));
    };
    put(8, bytes.size());
    put(kChecksumAt, checksum(bytes));
}

std::vector<uint8_t> serialize(const Chunk& chunk) {
    Writer w;
    w.bytes.assign(kMagic, kMagic + sizeof kMagic);
    w.u16(kChunkVersion);
    w.u16(0);
    w.u64(0);
    w.u64(0);
    w.count(chunk.symbols.size());
    for (const std::string& s : chunk.symbols) w.string(s);
    w.count(chunk.types.size());
    for (const TypeData& t : chunk.types) writeType(w, t);
    w.count(chunk.valueTypes.size());
    for (const ValueType& v : chunk.valueTypes) {
        w.u32(v.type);
        w.u32(v.function);
        w.flag(v.mayBeUnset);
        w.flag(v.isCell);
        w.u8(static_cast<uint8_t>(v.rep));
    }
    w.count(chunk.classes.size());
    for (const ClassData& k : chunk.classes) writeClass(w, k);
    w.count(chunk.data.size());
    for (const DataEntry& d : chunk.data) {
        w.u8(static_cast<uint8_t>(d.kind));
        w.u8(static_cast<uint8_t>(d.rep));
        w.u32(d.index);
        w.u64(d.word);
        w.u32(d.valueType);
    }
    w.count(chunk.protos.size());
    for (const Proto& p : chunk.protos) writeProto(w, p);
    w.count(chunk.files.size());
    for (const SourceFileName& f : chunk.files) {
        w.u32(f.name);
        w.u32(f.source);
    }
    w.count(chunk.modules.size());
    for (const ModuleEntry& m : chunk.modules) {
        w.u32(m.name);
        w.u32(m.main);
    }
    w.u32(chunk.entry);
    w.flag(chunk.givesFunction);
    sealChunk(w.bytes);
    return std::move(w.bytes);
}

bool deserialize(std::span<const uint8_t> bytes, Chunk& chunk, std::string& error) {
    if (const char* problem = headerProblem(bytes)) {
        error = std::string("cannot load the compiled program: ") + problem;
        return false;
    }
    Reader r(bytes.subspan(kChunkHeaderSize));
    chunk = Chunk{};
    readTables(r, chunk);
    if (r.ok() && !r.atEnd()) r.fail("it has bytes behind its end");
    if (!r.ok()) error = std::string("cannot load the compiled program: ") + r.problem();
    return r.ok();
}

}  // namespace luapp::bc
