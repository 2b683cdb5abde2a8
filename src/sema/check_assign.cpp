// Places: what can be assigned to, read and written once for compound assignments and `++`.
#include "sema/context.h"
#include "sema/relations.h"

namespace luapp::sema {

/// Evaluates the parts of a target. False after a message.
bool Checker::checkPlace(ast::Expr& target, Place& place) {
    place.loc = target.range.begin;
    place.range = target.range;
    switch (target.kind) {
        case ast::NodeKind::NameExpr: return checkNamePlace(static_cast<ast::NameExpr&>(target), place);
        case ast::NodeKind::FieldExpr: return checkFieldPlace(static_cast<ast::FieldExpr&>(target), place);
        case ast::NodeKind::IndexExpr: return checkIndexPlace(static_cast<ast::IndexExpr&>(target), place);
        default: return false;  // reported by the parser
    }
}

bool Checker::checkNamePlace(ast::NameExpr& target, Place& place) {
    SemaVar* v = current(target.resolved);
    const std::string_view name = text(target.name);
    if (!v && isLenient()) {
        place.kind = Place::Kind::Global;
        place.name = target.name;
        place.type = types_.any();
        return true;
    }
    if (!v) {
        if (Builtins::find(name) || Builtins::isLibrary(name)) {
            diags_.report(diag::AssignToLibrary, target.range, name);
            return false;
        }
        if (module_->isSession && isSessionGlobal(target.name)) {
            place.kind = Place::Kind::DynMember;
            place.object = sessionGlobals(target.range.begin);
            place.name = target.name;
            place.type = types_.any();
            place.loc = target.range.begin;
            return true;
        }
        frontend::Suggester suggester(name);
        for (FunctionInfo* f = function_; f; f = f->outer)
            for (SemaVar* other = f->variables; other; other = other->nextInHome)
                if (other->name && other->range.begin < target.range.begin) suggester.offer(text(other->name));
        const std::string member = inheritedSpelling(target.name);
        diags_.report(diag::AssignToUndeclared, target.range, name)
            .didYouMean(target.range, member.empty() ? suggester.best() : member);
        return false;
    }
    if (v->member) {
        if (v->member->isStatic)
            return staticPlace({v->member, static_cast<ClassInfo*>(v->member->owner)->selfType}, target.range, place);
        TExpr* self = bareObject(*v->member, target.range);
        const Member member = self ? memberOfObject(self->type, {target.name, target.range}, target.range) : Member{};
        return member.info && memberPlace(self, member, target.range, place);
    }
    if (v->namespaceOf || v->module != module_) {
        diags_.report(diag::AssignToImport, target.range, name);
        return false;
    }
    // Which function a generic one is must be known for its type arguments to be.
    if (v->isConst || (v->function && static_cast<FunctionInfo*>(v->function)->isGeneric())) {
        diags_.report(diag::AssignToConst, target.range, name).note(diag::DeclaredHere, v->range, name);
        return false;
    }
    if (v->isLoopVariable && v->isNumericLoop && !isLenient()) {
        diags_.report(diag::AssignToLoopVariable, target.range, name);
        return false;
    }
    if (!v->type) {
        if (auto* f = static_cast<FunctionInfo*>(v->function)) knowSignature(*f);
        if (!v->isUnusable && !v->type) diags_.report(diag::TypeNotKnownYet, target.range, name);
        if (!v->type) return false;
    }
    if (isError(v->type)) return false;
    place.kind = Place::Kind::Variable;
    place.variable = v;
    place.type = v->type;
    return true;
}

bool Checker::checkFieldPlace(ast::FieldExpr& target, Place& place) {
    bool special = false;
    auto* name = ast::as<ast::NameExpr>(target.object);
    if (!isLenient() && name && !name->resolved && Builtins::isLibrary(text(name->name))) {
        diags_.report(diag::AssignToLibrary, target.range, text(target.field.name));
        return false;
    }
    namespaceMember(target, special);
    if (special) {
        diags_.report(diag::AssignToImport, target.range, text(target.field.name));
        return false;
    }
    if (Nominal* nominal = nominalIn(*target.object)) {
        if (nominal->nominalKind != NominalKind::Class) {
            diags_.report(diag::AssignToMember, target.field.range, text(target.field.name), text(nominal->name));
            return false;
        }
        const Member member = memberOfClass(static_cast<ClassInfo&>(*nominal), target.field);
        return member.info && staticPlace(member, target.field.range, place);
    }
    const ClassType* from = nullptr;
    TExpr* object = nullptr;
    if (isBaseObject(*target.object, from)) {
        const Member member = inheritedMember(from, target.field, target.object->range);
        object = member.info ? bareObject(*member.info, target.range) : nullptr;
        return object && memberPlace(object, member, target.field.range, place);
    }
    object = checkLinkObject(*target.object);
    if (isError(object->type) || reportImplicitAny(object, target.object->range)) return false;
    if (TExpr* present = withKeyPresent(object)) object = present;
    if (object == eventNode_) {
        eventMember(object, target.field);
        return false;
    }
    object = asBound(object, target.field.name);
    if (objectInfoOf(object->type)) {
        const Member member = memberOfObject(object->type, target.field, target.object->range);
        return member.info && memberPlace(object, member, target.field.range, place);
    }
    place.object = object;
    place.loc = target.field.range.begin;
    if (isAny(object->type)) {
        place.kind = Place::Kind::DynMember;
        place.name = target.field.name;
        place.type = types_.any();
        return true;
    }
    if (auto* record = asIf<RecordType>(object->type)) {
        const int at = record->indexOf(target.field.name);
        if (at >= 0) {
            place.kind = Place::Kind::Record;
            place.field = uint32_t(at);
            place.type = record->fields[uint32_t(at)].type;
            return true;
        }
    }
    const std::string_view library = Builtins::libraryOf(object->type);
    if (!library.empty() && Builtins::find(library, text(target.field.name))) {
        diags_.report(diag::AssignToMember, target.field.range, text(target.field.name), show(object->type));
        return false;
    }
    reportUnknownMember(object->type, target.field, target.object->range);
    return false;
}

bool Checker::checkIndexPlace(ast::IndexExpr& target, Place& place) {
    TExpr* object = loosened(checkExpr(*target.object, nullptr));
    if (isError(object->type) || reportImplicitAny(object, target.object->range)) {
        checkExpr(*target.index, nullptr);
        return false;
    }
    if (TExpr* present = withKeyPresent(object)) object = present;
    place.object = object;
    place.loc = target.index->range.begin;
    const Type* type = object->type;
    if (isAny(type)) {
        place.kind = Place::Kind::DynIndex;
        place.key = checkAs(*target.index, types_.any(), CheckReason::Index);
        place.type = types_.any();
        return !isError(place.key->type);
    }
    if (auto* array = asIf<ArrayType>(type)) {
        noteLoopIndex(target);
        place.kind = Place::Kind::Array;
        place.key = arrayIndex(*target.index);
        place.type = array->element;
        return !isError(place.key->type);
    }
    if (auto* table = asIf<TableType>(type)) {
        place.kind = Place::Kind::Table;
        place.key = checkAs(*target.index, table->key, CheckReason::Index);
        place.type = types_.optional(table->value);
        return !isError(place.key->type);
    }
    auto* name = ast::as<ast::StringExpr>(target.index);
    if (auto* record = asIf<RecordType>(type); record && name) {
        const Symbol field = interner_.intern(name->value);
        const int at = record->indexOf(field);
        if (at < 0) {
            reportUnknownMember(type, {field, target.index->range}, target.object->range);
            return false;
        }
        place.kind = Place::Kind::Record;
        place.field = uint32_t(at);
        place.type = record->fields[uint32_t(at)].type;
        return true;
    }
    if (bool isGood = false; indexPlace(object, target, place, isGood)) return isGood;
    checkExpr(*target.index, nullptr);
    if (type->admitsNil && isOptional(type))
        diags_.report(diag::MayBeNilIndex, target.object->range, show(type));
    else
        diags_.report(diag::CannotIndex, target.object->range, show(type));
    return false;
}

/// A field or event of an object as a target.
bool Checker::memberPlace(TExpr* object, const Member& member, Range range, Place& place) {
    if (member.info->memberKind == MemberInfo::Kind::Method) {
        diags_.report(diag::AssignToMethod, range, text(member.info->name));
        return false;
    }
    auto& field = *static_cast<FieldInfo*>(member.info);
    place.object = object;
    place.member = member;
    place.loc = range.begin;
    place.range = range;
    place.type = memberType(field.type, member.owner);
    place.isSelf = isSelf(object);
    place.kind = field.event ? Place::Kind::Event : Place::Kind::Field;
    if (isError(place.type)) return false;
    return field.event || mayWriteField(field, place.isSelf, range);
}

/// A static field as a target.
bool Checker::staticPlace(const Member& member, Range range, Place& place) {
    if (member.info->memberKind == MemberInfo::Kind::Method) {
        diags_.report(diag::AssignToMethod, range, text(member.info->name));
        return false;
    }
    auto& field = *static_cast<FieldInfo*>(member.info);
    if (field.isConst) {
        diags_.report(diag::AssignConstField, range, text(field.name)).note(diag::DeclaredHere, field.range, text(field.name));
        return false;
    }
    place.kind = Place::Kind::Variable;
    place.variable = field.variable;
    place.type = field.type;
    place.loc = range.begin;
    place.range = range;
    return !isError(place.type);
}

/// What may be written there.
const Type* Checker::placeType(const Place& place) { return place.type; }

/// Puts the parts into temporaries, so that they are evaluated once and before what follows.
void Checker::spillPlace(Place& place) {
    if (!place.object) return;
    std::vector<TStmt*> before;
    place.object = stash(before, place.object);
    if (place.key) place.key = stash(before, place.key);
    for (TStmt* s : before) emit(s);
}

TExpr* Checker::readPlace(Place& place, Range range) {
    switch (place.kind) {
        case Place::Kind::Variable: return readVariable(*place.variable, range);
        case Place::Kind::Array: {
            auto* get = expr<TArrayGet>(place.type, place.loc);
            get->array = place.object;
            get->index = place.key;
            return get;
        }
        case Place::Kind::Table: {
            auto* get = expr<TTableGet>(place.type, place.loc);
            get->table = place.object;
            get->key = place.key;
            get->checked = false;
            return get;
        }
        case Place::Kind::Record: {
            auto* get = expr<TRecordGet>(place.type, place.loc);
            get->record = place.object;
            get->field = place.field;
            return get;
        }
        case Place::Kind::Field: return memberValue(place.object, place.member, range);
        case Place::Kind::Event: break;
        case Place::Kind::Operator: return readOperatorPlace(place);
        case Place::Kind::DynIndex: {
            auto* get = expr<TIndexDyn>(place.type, place.loc);
            get->object = place.object;
            get->key = place.key;
            return get;
        }
        case Place::Kind::DynMember: {
            auto* get = expr<TMemberDyn>(place.type, place.loc);
            get->object = place.object;
            get->name = place.name;
            return get;
        }
        case Place::Kind::Global: return globalValue(place.name, place.loc);
        case Place::Kind::Bad: break;
    }
    return errorExpr(place.loc);
}

void Checker::writePlace(Place& place, TExpr* value, Range valueRange) {
    if (value->type->kind == TypeKind::Void) value = noValue(valueRange, value->loc);
    const Type* given = value->type;
    const Type* wanted = place.type;
    if (place.kind == Place::Kind::Table) {
        // A value that cannot be nil is stored as it is; nil itself removes the key.
        const Type* element = as<TableType>(place.object->type)->value;
        if (!given->admitsNil || element->admitsNil) wanted = element;
        if (isNil(given) && !element->admitsNil) wanted = given;
    }
    value = convert(value, wanted, CheckReason::Assign, valueRange);
    switch (place.kind) {
        case Place::Kind::Variable: {
            if (TExpr* ready = staticReady(*place.variable, place.loc)) {
                auto* run = stmt<TExprStmt>(place.loc);
                run->expr = ready;
                emit(run);
            }
            auto* s = stmt<TAssign>(place.loc);
            s->variable = place.variable;
            s->value = value;
            emit(s);
            noteAssigned(*place.variable, given);
            return;
        }
        case Place::Kind::Array: {
            auto* s = stmt<TArraySet>(place.loc);
            s->array = place.object;
            s->index = place.key;
            s->value = value;
            emit(s);
            return;
        }
        case Place::Kind::Table: {
            auto* s = stmt<TTableSet>(place.loc);
            s->table = place.object;
            s->key = place.key;
            s->value = value;
            emit(s);
            return;
        }
        case Place::Kind::Record: {
            auto* s = stmt<TRecordSet>(place.loc);
            s->record = place.object;
            s->field = place.field;
            s->value = value;
            emit(s);
            return;
        }
        case Place::Kind::Field: {
            emit(fieldSet(place.object, place.member, value, place.loc));
            if (place.member.owner->kind == TypeKind::Interface) return afterCall();
            noteFieldWrite(*static_cast<FieldInfo*>(place.member.info), place.isSelf, given);
            return;
        }
        case Place::Kind::Operator: {
            if (isError(value->type)) return;
            TExpr* const args[] = {place.key, value};
            auto* run = stmt<TExprStmt>(place.loc);
            run->expr = callWith(place.object, place.member, args, place.loc);
            emit(run);
            return;
        }
        case Place::Kind::Event: return;
        case Place::Kind::DynIndex: {
            auto* s = stmt<TSetIndexDyn>(place.loc);
            s->object = place.object;
            s->key = place.key;
            s->value = value;
            emit(s);
            afterCall();
            return;
        }
        case Place::Kind::DynMember: {
            auto* s = stmt<TSetMemberDyn>(place.loc);
            s->object = place.object;
            s->name = place.name;
            s->value = value;
            emit(s);
            afterCall();
            return;
        }
        case Place::Kind::Global: {
            auto* s = stmt<TGlobalSet>(place.loc);
            s->name = place.name;
            s->value = value;
            emit(s);
            afterCall();
            return;
        }
        case Place::Kind::Bad: return;
    }
}

/// A variable has been assigned: it has a value, and the type of that value.
void Checker::noteAssigned(SemaVar& v, const Type* valueType) {
    flow_.setAssigned(&v);
    if (isUnion(v.type))
        narrowByValue(v, valueType);
    else
        flow_.setType(&v, nullptr);
}

/// `v++` and its like. As an expression: the old value (postfix) or the new one (prefix).
TExpr* Checker::checkIncDec(ast::IncDecExpr& e, bool wantsValue) {
    Place place;
    if (!checkPlace(*e.target, place)) return errorExpr(e.range.begin);
    if (place.kind == Place::Kind::Event) {
        diags_.report(diag::EventHandler, e.target->range, text(place.member.info->name));
        return errorExpr(e.range.begin);
    }
    std::vector<TStmt*> stmts;
    {
        Scratch<TStmt*> list(statements_);
        spillPlace(place);
        TExpr* old = readPlace(place, e.target->range);
        const std::string_view op = e.isIncrement ? "++" : e.isPrefix ? "---" : "---";
        old = numericOperand(old, e.target->range, op);
        if (isError(old->type)) return old;
        if (wantsValue && !e.isPrefix) {
            std::vector<TStmt*> before;
            Variable* held = temp(old->type);
            emit(declareTemp(held, old, e.range.begin));
            old = getVar(held, e.range.begin);
        }
        TExpr* one = isInteger(old->type) ? integerConst(1, e.range.begin) : numberConst(1, e.range.begin);
        TExpr* result =
            arith(e.isIncrement ? ast::BinaryOp::Add : ast::BinaryOp::Sub, old, one, e.target->range, e.range, e.range);
        TExpr* value = old;
        if (wantsValue && e.isPrefix) {
            Variable* held = temp(result->type);
            emit(declareTemp(held, result, e.range.begin));
            result = getVar(held, e.range.begin);
            value = getVar(held, e.range.begin);
        }
        writePlace(place, result, e.range);
        stmts.assign(list.span().begin(), list.span().end());
        if (wantsValue) return let(stmts, value);
    }
    for (TStmt* s : stmts) emit(s);
    return nullptr;
}

}  // namespace luapp::sema
