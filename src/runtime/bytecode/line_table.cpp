#include "runtime/bytecode/proto.h"

namespace luapp::bc {

namespace {

void putVarint(std::vector<uint8_t>& out, uint64_t v) {
    while (v >= 0x80) {
        out.push_back(static_cast<uint8_t>(v) | 0x80);
        v >>= 7;
    }
    out.push_back(static_cast<uint8_t>(v));
}

/// Reads a varint; false at the end of the bytes or if it does not fit.
bool getVarint(const uint8_t*& p, const uint8_t* end, uint64_t& v) {
    v = 0;
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        uint8_t b = *p++;
        v |= uint64_t{b & 0x7Fu} << shift;
        if (!(b & 0x80)) return true;
    }
    return false;
}

uint64_t zigzag(int64_t v) { return static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63); }
int64_t unzigzag(uint64_t v) { return static_cast<int64_t>(v >> 1 ^ (0 - (v & 1))); }

}  // namespace

void LineTable::add(uint32_t pc, Position pos) {
    if (any_ && pos == last_) return;
    bool newFile = !any_ || pos.file != last_.file;
    putVarint(bytes_, uint64_t{pc - lastPc_} << 1 | (newFile ? 1 : 0));
    putVarint(bytes_, zigzag(int64_t{pos.line} - int64_t{last_.line}));
    if (newFile) putVarint(bytes_, pos.file);
    lastPc_ = pc;
    last_ = pos;
    any_ = true;
}

Position LineTable::find(const uint8_t* bytes, size_t size, uint32_t pc) {
    const uint8_t* p = bytes;
    const uint8_t* end = bytes + size;
    Position found, current{0, 0};
    uint64_t at = 0;
    while (p < end) {
        uint64_t head, line, file;
        if (!getVarint(p, end, head)) break;
        at += head >> 1;
        if (at > pc) break;
        if (!getVarint(p, end, line)) break;
        current.line = static_cast<uint32_t>(current.line + static_cast<uint64_t>(unzigzag(line)));
        if (head & 1) {
            if (!getVarint(p, end, file)) break;
            current.file = static_cast<uint32_t>(file);
        }
        found = current;
    }
    return found;
}

}  // namespace luapp::bc
