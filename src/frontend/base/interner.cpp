#include "frontend/base/interner.h"

namespace luapp::frontend {

namespace {
constexpr uint32_t kFirstSlots = 1024;
}

Interner::Interner() : slots_(kFirstSlots), mask_(kFirstSlots - 1) {
    entries_.reserve(kFirstSlots / 2);
    entries_.push_back({"", 0, 0});
}

Symbol Interner::find(std::string_view text) const {
    if (text.empty()) return {};
    const uint32_t hash = hashOf(text);
    for (uint32_t i = hash & mask_;; i = (i + 1) & mask_) {
        const Slot slot = slots_[i];
        if (slot.id == 0) return {};
        if (slot.hash == hash && this->text({slot.id}) == text) return {slot.id};
    }
}

Symbol Interner::add(std::string_view text, uint32_t hash, uint32_t at) {
    const auto id = uint32_t(entries_.size());
    const std::string_view kept = texts_.copyText(text);
    entries_.push_back({kept.data(), uint32_t(kept.size()), 0});
    slots_[at] = {hash, id};
    if (entries_.size() * 2 > slots_.size()) grow();
    return {id};
}

void Interner::grow() {
    const std::vector<Slot> old = std::move(slots_);
    slots_.assign(old.size() * 2, Slot{});
    mask_ = uint32_t(slots_.size() - 1);
    for (const Slot& slot : old) {
        if (slot.id == 0) continue;
        uint32_t i = slot.hash & mask_;
        while (slots_[i].id != 0) i = (i + 1) & mask_;
        slots_[i] = slot;
    }
}

}  // namespace luapp::frontend
