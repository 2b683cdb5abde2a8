#include "frontend/base/source.h"

#include <algorithm>
#include <cstring>

namespace luapp::frontend {

SourceFile::SourceFile(std::string name, std::string_view text, Loc base, uint32_t index)
    : name_(std::move(name)),
      storage_(new char[text.size() + kPadding]),
      size_(uint32_t(text.size())),
      base_(base),
      index_(index) {
    if (!text.empty()) std::memcpy(storage_.get(), text.data(), text.size());
    std::memset(storage_.get() + text.size(), 0, kPadding);
    // About 32 bytes a line is typical; a wrong guess only costs a few reallocations.
    lineStarts_.reserve(text.size() / 32 + 1);
    lineStarts_.push_back(0);
    const char* start = storage_.get();
    const char* end = start + size_;
    if (text.find('\r') == std::string_view::npos) {
        for (const char* p = start; p < end;) {
            const auto* found = static_cast<const char*>(std::memchr(p, '\n', size_t(end - p)));
            if (!found) break;
            p = found + 1;
            lineStarts_.push_back(uint32_t(p - start));
        }
        return;
    }
    // As in Lua, each of \n, \r, \r\n and \n\r ends one line. The padding makes p[1] readable.
    for (const char* p = start; p < end; ++p) {
        if (*p != '\n' && *p != '\r') continue;
        if ((p[1] == '\n' || p[1] == '\r') && p[1] != *p) ++p;
        if (p < end) lineStarts_.push_back(uint32_t(p + 1 - start));
    }
}

LineColumn SourceFile::lineColumn(Loc loc) const {
    const uint32_t offset = offsetOf(loc);
    const auto after = std::upper_bound(lineStarts_.begin(), lineStarts_.end(), offset);
    const auto line = uint32_t(after - lineStarts_.begin());
    return {line, offset - lineStarts_[line - 1] + 1};
}

std::string_view SourceFile::lineText(uint32_t line) const {
    const uint32_t begin = lineStarts_[line - 1];
    uint32_t end = line < lineStarts_.size() ? lineStarts_[line] : size_;
    while (end > begin && (storage_[end - 1] == '\r' || storage_[end - 1] == '\n')) --end;
    return text().substr(begin, end - begin);
}

SourceFile* SourceManager::addFile(std::string name, std::string_view text) {
    // One byte between files, so that the end of one is never the beginning of the next.
    if (nextBase_ + text.size() + 1 > UINT32_MAX) return nullptr;
    const Loc base{uint32_t(nextBase_)};
    nextBase_ += text.size() + 1;
    files_.push_back(std::make_unique<SourceFile>(std::move(name), text, base, uint32_t(files_.size())));
    return files_.back().get();
}

const SourceFile* SourceManager::fileOf(Loc loc) const {
    if (!loc.isValid() || files_.empty()) return nullptr;
    auto after = std::upper_bound(files_.begin(), files_.end(), loc,
                                  [](Loc at, const auto& file) { return at < file->begin(); });
    if (after == files_.begin()) return nullptr;
    const SourceFile* file = std::prev(after)->get();
    return file->contains(loc) ? file : nullptr;
}

Position SourceManager::position(Loc loc) const {
    const SourceFile* file = fileOf(loc);
    return file ? Position{file, file->lineColumn(loc)} : Position{};
}

std::string_view SourceManager::textOf(Range range) const {
    const SourceFile* file = fileOf(range.begin);
    return file ? file->textOf(range) : std::string_view{};
}

}  // namespace luapp::frontend
