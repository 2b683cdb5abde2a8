// The members of Table<K, V>. Keys lie boxed in the entries and values raw in V's representation; arguments of type K and V come
// raw. The types are those in the descriptor of the table.
#include "runtime/lib/builtins.h"
#include "runtime/lib/lib_support.h"
#include "runtime/lib/typed_words.h"
#include "runtime/object/array.h"
#include "runtime/object/lua_table.h"
#include "runtime/object/table.h"

namespace luapp::rt {

namespace {

Table* tableArg(const Word* args, unsigned i = 0) { return refOf<Table>(args[i]); }

const TypeDesc* typeOf(State& s, const Table* t) { return s.types.at(t->aux); }

/// The value word at a raw key, or null.
Word* lookup(State& s, const Table* t, Word key) {
    const TypeDesc* const keyType = typeOf(s, t)->key();
    if (keyType->kind == TypeKind::String) return lookupString(s, t, refOf<String>(key));
    return lookupKey(s, t, boxTyped(key, keyType));
}

/// Sets a key that comes from another table or from program data: refuses nil and NaN.
void setCheckedKey(State& s, Table* t, Value key, Word value) {
    if (key.isNil()) raise(s, ErrorKind::KeyIsNil);
    if (key.isNumber() && key.asNumber() != key.asNumber()) raise(s, ErrorKind::KeyIsNaN);
    setKey(s, t, key, value);
}

/// An entry for Table.from: both halves converted to the types of the table or refused; a nil value is left out.
void addChecked(State& s, Table* result, const TypeDesc* type, Value key, Value value) {
    if (value.isNil()) return;
    const Word rawKey = convert(s, key, type->key(), bc::CheckKind::Convert);
    const Word rawValue = convert(s, value, type->value(), bc::CheckKind::Convert);
    setCheckedKey(s, result, boxTyped(rawKey, type->key()), rawValue);
}

void addRecord(State& s, Table* result, const TypeDesc* type, Instance* record) {
    const TypeDesc* const recordType = s.types.at(record->aux);
    for (size_t i = 0; i < recordType->fields.size(); i++) {
        const FieldDesc& field = recordType->fields[i];
        String* const name = newString(s, field.name);
        addChecked(s, result, type, Value::string(name), boxTyped(record->fields[i], field.type));
    }
}

void requireUnchanged(State& s, const Table* t, uint32_t version) {
    if (LUAPP_UNLIKELY(t->version != version)) raise(s, ErrorKind::TableChanged);
}

}  // namespace

Word tableSize(State&, Word* args) { return wordOf(int64_t{tableArg(args)->count}); }

Word tableFrom(State& s, Word* args) {
    const TypeDesc* const type = refOf<const TypeDesc>(args[0]);
    const Value x = valueArg(args, 1);
    Table* const result = newTable(s, type, 0);
    if (x.is(Kind::Table)) {
        const Table* const from = x.asTable();
        const TypeDesc* const valueType = typeOf(s, from)->value();
        for (uint32_t i = nextEntry(from, 0); i != kNoEntry; i = nextEntry(from, i + 1)) {
            const TableEntry entry = from->entries()[i];
            addChecked(s, result, type, Value::fromWord(entry.key), boxTyped(entry.value, valueType));
        }
    } else if (x.isLuaTable()) {
        Value key;
        Value value;
        while (luaNext(s, x.asLuaTable(), key, value) == NextResult::Found) addChecked(s, result, type, key, value);
    } else if (x.is(Kind::Record)) {
        addRecord(s, result, type, x.asInstance());
    } else {
        raiseArgumentType(s, 1, "from", "table", x);
    }
    return wordOf(result);
}

Word tableHas(State& s, Word* args) { return wordOf(lookup(s, tableArg(args), args[1]) != nullptr); }

Word tableGet(State& s, Word* args) {
    const Word* const found = lookup(s, tableArg(args), args[1]);
    return found != nullptr ? *found : args[2];
}

Word tableRemove(State& s, Word* args) {
    Table* const t = tableArg(args);
    const TypeDesc* const type = typeOf(s, t);
    Word old = 0;
    if (!removeKey(s, t, boxTyped(args[1], type->key()), &old)) return optionalNil(type->value());
    return optionalOf(type->value(), old);
}

Word tableClear(State& s, Word* args) {
    clearTable(s, tableArg(args));
    return 0;
}

Word tableCopy(State& s, Word* args) { return wordOf(copyTable(s, tableArg(args))); }

Word tableKeys(State& s, Word* args) {
    const TypeDesc* const type = refOf<const TypeDesc>(args[0]);
    const Table* const t = tableArg(args, 1);
    Array* const result = newArray(s, type, t->count);
    for (uint32_t i = nextEntry(t, 0); i != kNoEntry; i = nextEntry(t, i + 1))
        arrayPush(s, result, unboxAs(type->element(), Value::fromWord(t->entries()[i].key)));
    return wordOf(result);
}

Word tableValues(State& s, Word* args) {
    const TypeDesc* const type = refOf<const TypeDesc>(args[0]);
    const Table* const t = tableArg(args, 1);
    Array* const result = newArray(s, type, t->count);
    for (uint32_t i = nextEntry(t, 0); i != kNoEntry; i = nextEntry(t, i + 1)) arrayPush(s, result, t->entries()[i].value);
    return wordOf(result);
}

Word tableMap(State& s, Word* args) {
    const TypeDesc* const type = refOf<const TypeDesc>(args[0]);
    const Table* const t = tableArg(args, 1);
    Closure* const f = refOf<Closure>(args[2]);
    const TypeDesc* const keyType = typeOf(s, t)->key();
    const uint32_t version = t->version;
    Table* const result = newTable(s, type, t->count);
    for (uint32_t i = nextEntry(t, 0); i != kNoEntry; i = nextEntry(t, i + 1)) {
        const TableEntry entry = t->entries()[i];
        const Word pair[2] = {unboxAs(keyType, Value::fromWord(entry.key)), entry.value};
        const Word value = callRaw(s, f, pair, 2);
        requireUnchanged(s, t, version);
        // LANGUAGE 5: where the values admit nil, setting nil removes.
        if (!(type->value()->acceptsNil && value == optionalNil(type->value())))
            setKey(s, result, Value::fromWord(entry.key), value);
    }
    return wordOf(result);
}

Word tableFilter(State& s, Word* args) {
    const Table* const t = tableArg(args);
    Closure* const f = refOf<Closure>(args[1]);
    const TypeDesc* const type = typeOf(s, t);
    const uint32_t version = t->version;
    Table* const result = newTable(s, type, 0);
    for (uint32_t i = nextEntry(t, 0); i != kNoEntry; i = nextEntry(t, i + 1)) {
        const TableEntry entry = t->entries()[i];
        const Word pair[2] = {unboxAs(type->key(), Value::fromWord(entry.key)), entry.value};
        const bool isWanted = (callRaw(s, f, pair, 2) & 1) != 0;
        requireUnchanged(s, t, version);
        if (isWanted) setKey(s, result, Value::fromWord(entry.key), entry.value);
    }
    return wordOf(result);
}

}  // namespace luapp::rt
