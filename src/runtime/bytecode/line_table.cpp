#include "runtime/bytecode/proto.h"
#include "runtime/bytecode/varint.h"

namespace luapp::bc {

namespace {

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

Position LineTable::find(const uint8_t* bytes, size_t size, uint32_t pc) { return Cursor(bytes, size).find(pc); }

Position LineTable::Cursor::find(uint32_t pc) {
    while (hasNext_ && nextPc_ <= pc) {
        found_ = next_;
        step();
    }
    return found_;
}

void LineTable::Cursor::step() {
    hasNext_ = false;
    uint64_t head, line, file;
    if (!getVarint(at_, end_, head) || !getVarint(at_, end_, line)) return;
    nextPc_ += head >> 1;
    next_.line = static_cast<uint32_t>(next_.line + static_cast<uint64_t>(unzigzag(line)));
    if (head & 1) {
        if (!getVarint(at_, end_, file)) return;
        next_.file = static_cast<uint32_t>(file);
    }
    hasNext_ = true;
}

}  // namespace luapp::bc
