#include "driver/completion.h"

#include <algorithm>
#include <functional>

#include "driver/line_input.h"
#include "runtime/lib/builtin_table.h"
#include "runtime/object/lua_table.h"
#include "runtime/vm/call.h"
#include "runtime/vm/call_builtins.h"
#include "runtime/vm/class_desc.h"
#include "runtime/vm/meta.h"

namespace luapp::driver {

namespace {

constexpr std::string_view kKeywords[] = {
#define LUAPP_TOKEN_TEXT_Keyword(Spelling) Spelling,
#define LUAPP_TOKEN_TEXT_Reserved(Spelling) Spelling,
#define LUAPP_TOKEN_TEXT_Contextual(Spelling) Spelling,
#define LUAPP_TOKEN_TEXT_Symbol(Spelling)
#define LUAPP_TOKEN_TEXT_Special(Spelling)
#define LUAPP_TOKEN(Kind, Spelling, Class, DumpName) LUAPP_TOKEN_TEXT_##Class(Spelling)
#include "frontend/lex/tokens.def"
#undef LUAPP_TOKEN_TEXT_Keyword
#undef LUAPP_TOKEN_TEXT_Reserved
#undef LUAPP_TOKEN_TEXT_Contextual
#undef LUAPP_TOKEN_TEXT_Symbol
#undef LUAPP_TOKEN_TEXT_Special
};

/// Names found, in the order of finding; what they are for outlives errors.
struct Search {
    std::string_view path;  // "a.b" of "a.b.c"; empty: globals
    std::vector<std::string> names;
};

void addKeys(rt::State& s, const rt::LuaTable* table, Search& search) {
    rt::Value key = rt::Value::nil(), value;
    constexpr size_t kMostNames = 10000;
    while (search.names.size() < kMostNames && rt::luaNext(s, table, key, value) == rt::NextResult::Found)
        if (key.isString()) search.names.emplace_back(key.asString()->view());
}

void addBuiltins(std::string_view type, Search& search) {
    for (uint32_t i = 0; i < rt::kBuiltinCount; i++) {
        const std::string_view name = rt::builtinInfo(i).name;
        if (name.size() > type.size() && name.starts_with(type) && name[type.size()] == '.')
            search.names.emplace_back(name.substr(type.size() + 1));
    }
}

const rt::LuaTable* indexTable(rt::State& s, rt::Value v) {
    const rt::LuaTable* meta = rt::metatableOf(s, v);
    if (!meta) return nullptr;
    const rt::Value index = rt::luaGetString(s, meta, rt::newString(s, "__index"));
    return index.isLuaTable() ? index.asLuaTable() : nullptr;
}

void addMembers(rt::State& s, rt::Value v, Search& search) {
    constexpr int kMostTables = 20;
    for (int n = 0; n < kMostTables && v.isLuaTable(); n++) {
        addKeys(s, v.asLuaTable(), search);
        const rt::LuaTable* index = indexTable(s, v);
        if (!index) return;
        v = rt::Value::luaTable(index);
    }
    if (v.is(rt::Kind::Object) || v.is(rt::Kind::Class)) {
        const rt::ClassDesc& c = *s.types.at(v.asObject()->aux)->classInfo;
        for (const rt::ClassName& n : c.names)
            if (n.access() == bc::Access::Public && n.isStatic() == v.is(rt::Kind::Class)) search.names.emplace_back(n.name);
    } else if (v.isString()) {
        addBuiltins("string", search);
    } else if (v.is(rt::Kind::Array)) {
        addBuiltins("Array", search);
    } else if (v.is(rt::Kind::Table)) {
        addBuiltins("Table", search);
    }
}

/// Runs inside protectedCall. Only tables are walked on the way, so no code of a program runs.
void find(rt::State& s, void* data) {
    Search& search = *static_cast<Search*>(data);
    rt::Value at = rt::Value::luaTable(s.builtins->globals(s));
    std::string_view path = search.path;
    while (!path.empty()) {
        const size_t end = std::min(path.find_first_of(".:"), path.size());
        rt::String* name = rt::newString(s, path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
        rt::Value next = rt::Value::nil();
        for (int n = 0; n < 20 && at.isLuaTable() && next.isNil(); n++) {
            next = rt::luaGetString(s, at.asLuaTable(), name);
            const rt::LuaTable* index = indexTable(s, at);
            if (!index) break;
            at = rt::Value::luaTable(index);
        }
        at = next;
    }
    addMembers(s, at, search);
}

}  // namespace

std::vector<std::string> completions(rt::State& state, std::string_view line) {
    const std::string_view word = lastWord(line);
    const size_t separator = word.find_last_of(".:");
    Search search;
    if (separator != word.npos) search.path = word.substr(0, separator);
    const std::string_view start = separator == word.npos ? word : word.substr(separator + 1);
    rt::protectedCall(state, find, &search, nullptr, nullptr);
    if (separator == word.npos)
        for (std::string_view keyword : kKeywords) search.names.emplace_back(keyword);
    std::erase_if(search.names, [&](const std::string& name) { return !name.starts_with(start); });
    std::sort(search.names.begin(), search.names.end());
    search.names.erase(std::unique(search.names.begin(), search.names.end()), search.names.end());
    const std::string before(word.substr(0, word.size() - start.size()));
    for (std::string& name : search.names) name = before + name;
    return std::move(search.names);
}

}  // namespace luapp::driver
