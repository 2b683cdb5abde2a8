#include "runtime/lib/builtin_values.h"

#include <cstdlib>
#include <cstring>

#include "runtime/lib/builtins.h"
#include "runtime/lib/lenient_globals.h"
#include "runtime/lib/lib_support.h"
#include "runtime/lib/signature_parser.h"
#include "runtime/lib/typed_words.h"
#include "runtime/object/array.h"
#include "runtime/object/table.h"

namespace luapp::rt {

namespace {

constexpr BuiltinFn kFunctions[] = {
#define LUAPP_BUILTIN(Id, name, signature, fn, effects, intrinsic, description) fn,
#define LUAPP_BUILTIN_CASE(Id, name, literal, signature, fn, effects, intrinsic) fn,
#define LUAPP_BUILTIN_VALUE(Id, name, type, fn, effects, intrinsic, description) fn,
#define LUAPP_BUILTIN_HIDDEN(Id, name, signature, fn, effects) fn,
#include "runtime/lib/builtins.def"
};

constexpr const char* kNames[] = {
#define LUAPP_BUILTIN(Id, name, signature, fn, effects, intrinsic, description) name,
#define LUAPP_BUILTIN_CASE(Id, name, literal, signature, fn, effects, intrinsic) name,
#define LUAPP_BUILTIN_VALUE(Id, name, type, fn, effects, intrinsic, description) name,
#define LUAPP_BUILTIN_HIDDEN(Id, name, signature, fn, effects) name,
#include "runtime/lib/builtins.def"
};

/// True for the properties of values, whose function takes the value.
constexpr bool takesSelf(std::string_view name) {
    return name.starts_with("Array.") || name.starts_with("Table.") || name.starts_with("string.");
}

/// Fixed raw parameters of an entry: commas outside brackets tell, `...T` does not count, a hidden type does.
constexpr uint8_t countFixed(const BuiltinInfo& b) {
    if (b.form == BuiltinForm::Value) return takesSelf(b.name) ? 1 : 0;
    std::string_view text = b.signature;
    if (text[0] == '<') text.remove_prefix(text.find('>') + 1);
    unsigned count = b.needsType() ? 1 : 0;
    int depth = 0;
    bool isParam = false;
    for (size_t i = 1; i < text.size(); i++) {
        const char c = text[i];
        if (depth == 0 && (c == ',' || c == ')')) {
            count += isParam;
            isParam = false;
            if (c == ')') break;
        } else if (c == '(' || c == '<') {
            depth++;
            isParam = true;
        } else if (c == ')' || c == '>') {
            depth--;
        } else if (depth == 0 && text.substr(i, 3) == "...") {
            i = text.find_first_of(",)", i) - 1;
        } else if (c != ' ') {
            isParam = true;
        }
    }
    return static_cast<uint8_t>(count);
}

struct Columns {
    uint8_t fixedParams[kBuiltinCount] = {};
    uint8_t needsType[kBuiltinCount] = {};

    constexpr Columns() {
        for (unsigned i = 0; i < kBuiltinCount; i++) {
            fixedParams[i] = countFixed(builtinInfo(i));
            needsType[i] = builtinInfo(i).needsType();
        }
    }
};

constexpr Columns kColumns;

/// The parsed signature of an entry, its type parameters `any`. Kept by the LibState.
const ParsedSignature& parsed(State& s, unsigned index) {
    LibState& lib = libState(s);
    if (lib.signatures == nullptr)
        lib.signatures = static_cast<ParsedSignature**>(std::calloc(kBuiltinCount, sizeof(ParsedSignature*)));
    ParsedSignature*& slot = lib.signatures[index];
    if (slot == nullptr) {
        slot = new ParsedSignature;
        const bool ok = parseSignature(s, builtinInfo(index).signature, nullptr, 0, *slot);
        LUAPP_CHECK(ok, "malformed signature in builtins.def");
        (void)ok;
    }
    return *slot;
}

/// The type a callback gives, from its signature; null if that does not say.
const TypeDesc* resultOf(State& s, Value f) {
    if (!f.isFunction() || f.asFunction()->aux == 0) return nullptr;
    const TypeDesc* const type = s.types.at(f.asFunction()->aux);
    return type->results.size() == 1 ? type->results[0] : nullptr;
}

Word refuseOutside(State& s, Word*) { raiseLib(s, "nothing outside the program can be reached"); }

/// True for what reaches outside the program: by name, so that a new function of these libraries is kept out as well.
constexpr bool reachesOutside(const BuiltinInfo& b) {
    constexpr std::string_view kHarmless[] = {"io.write", "io.type", "os.clock", "os.time", "os.date", "os.difftime"};
    for (std::string_view name : kHarmless)
        if (b.name == name) return false;
    constexpr std::string_view kNames[] = {"require", "dofile", "loadfile", "debug.debug", "package.loadlib"};
    for (std::string_view name : kNames)
        if (b.name == name) return true;
    return b.name.starts_with("io.") || b.name.starts_with("os.") || b.name.starts_with("(loader of");
}

/// The functions of a closed library.
constexpr auto kClosedFunctions = [] {
    std::array<BuiltinFn, kBuiltinCount> out{};
    for (unsigned i = 0; i < kBuiltinCount; i++) out[i] = reachesOutside(builtinInfo(i)) ? refuseOutside : kFunctions[i];
    return out;
}();

Closure* closureOfBuiltin(State& s, uint32_t index) { return builtinClosure(s, index); }
Word defaultOfBuiltin(State& s, uint32_t index, uint32_t param) { return builtinDefaultArgument(s, index, param); }
const TypeDesc* signatureOfBuiltin(State& s, uint32_t index, const Word* args, uint32_t count) {
    return instantiateBuiltin(s, index, args, count);
}

BuiltinMember findMember(std::string_view type, std::string_view name) {
    char full[64];
    if (type.size() + 1 + name.size() > sizeof full) return {};
    std::memcpy(full, type.data(), type.size());
    full[type.size()] = '.';
    std::memcpy(full + type.size() + 1, name.data(), name.size());
    const int index = findBuiltin({full, type.size() + 1 + name.size()});
    if (index < 0) return {};
    return {index, builtinInfo(static_cast<unsigned>(index)).form == BuiltinForm::Value};
}

}  // namespace

namespace {

constexpr BuiltinTable tableOf(const BuiltinFn* functions) {
    return {
        .count = kBuiltinCount,
        .functions = functions,
        .names = kNames,
        .fixedParams = kColumns.fixedParams,
        .closure = closureOfBuiltin,
        .defaultArgument = defaultOfBuiltin,
        .findMember = findMember,
        .signature = signatureOfBuiltin,
        .globals = runningGlobals,
        .needsType = kColumns.needsType,
    };
}

}  // namespace

const BuiltinTable kBuiltinTable = tableOf(kFunctions);
const BuiltinTable kClosedBuiltinTable = tableOf(kClosedFunctions.data());

bc::VerifyOptions verifyOptions() {
    static constexpr auto kShapes = [] {
        std::array<bc::BuiltinShape, kBuiltinCount> shapes{};
        for (unsigned i = 0; i < kBuiltinCount; i++) {
            const BuiltinInfo& b = builtinInfo(i);
            shapes[i] = {b.name, b.signature, b.form == BuiltinForm::Value, b.needsType()};
        }
        return shapes;
    }();
    return {.builtins = kShapes,
            .yieldBuiltin = static_cast<uint32_t>(BuiltinId::CoroutineYield),
            .resumeBuiltin = static_cast<uint32_t>(BuiltinId::CoroutineResume)};
}

Closure* builtinClosure(State& s, unsigned index) {
    if (s.builtinClosures == nullptr) {
        s.builtinClosures = static_cast<Closure**>(std::calloc(kBuiltinCount, sizeof(Closure*)));
        s.builtinClosureCount = kBuiltinCount;
    }
    if (s.builtinClosures[index] == nullptr) {
        const TypeDesc* const type = builtinInfo(index).form == BuiltinForm::Value ? nullptr : builtinSignature(s, index);
        Closure* const c = newBuiltinClosure(s, s.builtins->functions[index], type, index);
        if (index == static_cast<unsigned>(BuiltinId::CoroutineResume)) c->flags |= Closure::kResume;
        if (index == static_cast<unsigned>(BuiltinId::CoroutineYield)) c->flags |= Closure::kYield;
        s.builtinClosures[index] = c;
    }
    return s.builtinClosures[index];
}

Closure* newIterator(State& s, BuiltinId id, uint32_t extra) {
    const unsigned index = static_cast<unsigned>(id);
    return newBuiltinClosure(s, s.builtins->functions[index], builtinSignature(s, index), index, extra);
}

const TypeDesc* builtinSignature(State& s, unsigned index) { return parsed(s, index).type; }

const TypeDesc* instantiateBuiltin(State& s, unsigned index, const Word* args, uint32_t count) {
    const ParsedSignature& general = parsed(s, index);
    if (general.typeParams.count == 0) return general.type;
    const TypeDesc* given[kMaxSignatureParts] = {};
    const Value self = count > 0 ? Value::fromWord(args[0]) : Value::nil();
    unsigned known = 0;
    if (self.is(Kind::Array)) {
        given[known++] = s.types.at(self.asArray()->aux)->element();
    } else if (self.is(Kind::Table)) {
        const TypeDesc* const type = s.types.at(self.asTable()->aux);
        given[known++] = type->key();
        given[known++] = type->value();
    }
    // What is left (map's U, reduce's A) is what the callback gives.
    if (known > 0 && known < general.typeParams.count && count > 1) given[known] = resultOf(s, Value::fromWord(args[1]));
    ParsedSignature instance;
    parseSignature(s, builtinInfo(index).signature, given, general.typeParams.count, instance);
    return instance.type;
}

Word builtinDefaultArgument(State& s, unsigned index, unsigned param) {
    const ParsedSignature& signature = parsed(s, index);
    const DefaultText& text = signature.defaults[param];
    if (text.isString) {
        String* const value = newString(s, text.text);
        return signature.params[param]->rep == Rep::Ref ? wordOf(value) : Value::string(value).word();
    }
    return unboxAs(signature.params[param], text.value);
}

}  // namespace luapp::rt
