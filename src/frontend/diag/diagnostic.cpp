#include "frontend/diag/diagnostic.h"

#include <algorithm>

namespace luapp::frontend {

namespace diag {

namespace {
constexpr Info kInfos[] = {
#define LUAPP_DIAG(Kind, Severity_, Code, Args, Text, Explanation) \
    {#Kind, Severity::Severity_, Code, Text, Explanation},
#include "frontend/diag/diagnostics.def"
};

char upper(char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; }
}  // namespace

const Info& info(Id id) { return kInfos[size_t(id)]; }

size_t count() { return std::size(kInfos); }

const Info* findByCode(std::string_view code) {
    for (const Info& entry : kInfos) {
        if (entry.code.empty() || entry.code.size() != code.size()) continue;
        const bool same = std::equal(code.begin(), code.end(), entry.code.begin(),
                                     [](char a, char b) { return upper(a) == b; });
        if (same) return &entry;
    }
    return nullptr;
}

}  // namespace diag

std::string formatDiagText(std::string_view text, const DiagArg* args, size_t count) {
    std::string out;
    out.reserve(text.size() + 32);
    size_t next = 0;
    bool isOne = false;  // the number written last
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const char following = i + 1 < text.size() ? text[i + 1] : '\0';
        if ((c == '{' && following == '{') || (c == '}' && following == '}')) {
            out += c;
            ++i;
        } else if (c == '{' && following == '}' && next < count) {
            const DiagArg& arg = args[next++];
            if (arg.isNumber) isOne = arg.number == 1;
            out += arg.isNumber ? std::to_string(arg.number) : std::string(arg.text);
            ++i;
        } else if (c == '{' && text.substr(i, 3) == "{s}") {
            if (!isOne) out += 's';
            i += 2;
        } else {
            out += c;
        }
    }
    return out;
}

DiagBuilder& DiagBuilder::addNote(diag::Id id, Range where, const DiagArg* args, size_t count) {
    if (index_ >= 0) {
        all_.list_[size_t(index_)].notes.push_back({where, formatDiagText(diag::info(id).text, args, count)});
    }
    return *this;
}

DiagBuilder& DiagBuilder::fixIt(Range range, std::string_view replacement) {
    if (index_ >= 0) all_.list_[size_t(index_)].fixIts.push_back({range, std::string(replacement), false});
    return *this;
}

DiagBuilder& DiagBuilder::didYouMean(Range range, std::string_view replacement) {
    if (index_ >= 0 && !replacement.empty()) {
        all_.list_[size_t(index_)].fixIts.push_back({range, std::string(replacement), true});
    }
    return *this;
}

DiagBuilder Diagnostics::add(diag::Id id, Range where, const DiagArg* args, size_t count) {
    const diag::Info& info = diag::info(id);
    if (info.severity == Severity::Error && errors_ >= maxErrors_) {
        ++errors_;
        ++droppedErrors_;
        return {*this, -1};
    }
    if (!seen_.insert(keyOf(id, where)).second) return {*this, -1};
    if (info.severity == Severity::Error) {
        ++errors_;
    } else if (info.severity == Severity::Warning) {
        ++warnings_;
    }
    list_.push_back({id, info.severity, where, formatDiagText(info.text, args, count), {}, {}});
    return {*this, int(list_.size()) - 1};
}

void Diagnostics::rollback(size_t count) {
    while (list_.size() > count) {
        const Diagnostic& last = list_.back();
        seen_.erase((uint64_t(last.range.begin.offset) << 32) ^ (uint64_t(last.id) << 20) ^ last.range.length());
        if (last.severity == Severity::Error) --errors_;
        if (last.severity == Severity::Warning) --warnings_;
        list_.pop_back();
    }
}

void Diagnostics::rollBack(const Mark& mark) {
    for (size_t i = mark.kept; i < list_.size(); ++i) seen_.erase(keyOf(list_[i].id, list_[i].range));
    list_.erase(list_.begin() + ptrdiff_t(mark.kept), list_.end());
    errors_ = mark.errors;
    warnings_ = mark.warnings;
    droppedErrors_ = mark.dropped;
}

void Diagnostics::silence(std::string_view code, Range where) { silences_.push_back({std::string(code), where}); }

void Diagnostics::finish() {
    auto isSilenced = [&](const Diagnostic& d) {
        return d.severity == Severity::Warning && std::any_of(silences_.begin(), silences_.end(), [&](const Silence& s) {
                   const bool isThere = !s.where.isValid() ||
                                        (d.range.begin.offset >= s.where.begin.offset && d.range.begin.offset <= s.where.end.offset);
                   return isThere && (s.code.empty() || s.code == d.code());
               });
    };
    warnings_ -= std::erase_if(list_, isSilenced);
    // Files are numbered in the order in which they were added, so positions alone give the order of files too.
    std::stable_sort(list_.begin(), list_.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return a.range.begin < b.range.begin; });
}

}  // namespace luapp::frontend
