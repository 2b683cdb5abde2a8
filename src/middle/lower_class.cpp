// Lowering of classes: which of them count, what answers their methods, and what the run time is told of them.
#include <algorithm>
#include <fmt/format.h>

#include "middle/lower_impl.h"
#include "sema/class_info.h"

namespace luapp::ir {

namespace {

static_assert(uint8_t(sema::Access::Public) == kAccessPublic && uint8_t(sema::Access::Protected) == kAccessProtected &&
              uint8_t(sema::Access::Private) == kAccessPrivate);

uint64_t pairKey(uint32_t a, uint32_t b) { return uint64_t{a} << 32 | b; }

/// True if values of the one type are values of the other without any change: function values with another signature need an adapter.
bool sameWords(const Type* from, const Type* to) {
    if (from == to) return true;
    if (repOf(from) != repOf(to)) return false;
    if (!sema::isFunction(from) || !sema::isFunction(to)) return true;
    auto* a = sema::as<sema::FunctionType>(from);
    auto* b = sema::as<sema::FunctionType>(to);
    const bool isSameShape = a->params.count == b->params.count && a->results.count == b->results.count &&
                             a->defaults == b->defaults && !a->vararg == !b->vararg &&
                             !a->variadicResult == !b->variadicResult;
    if (!isSameShape) return false;
    for (uint32_t i = 0; i < a->params.count; i++) {
        if (!sameWords(a->params[i], b->params[i])) return false;
    }
    for (uint32_t i = 0; i < a->results.count; i++) {
        if (!sameWords(a->results[i], b->results[i])) return false;
    }
    return true;
}

/// True if a method of type `own` (the object first) can stand for one that callers see as `seen`, called with `given` arguments.
bool answersDirectly(const Function& callee, const sema::FunctionType* own, const sema::FunctionType* seen, uint32_t given) {
    if (callee.isVararg != (seen->vararg && given == seen->params.count)) return false;
    if (callee.hasResultPack != (seen->variadicResult != nullptr)) return false;
    for (uint32_t i = 0; i < given; i++) {
        if (!sameWords(seen->params[i], own->params[i + 1])) return false;
    }
    if (callee.hasResultPack) return true;
    if (own->results.count != seen->results.count) return false;
    for (uint32_t i = 0; i < seen->results.count; i++) {
        if (!sameWords(own->results[i], seen->results[i])) return false;
    }
    return true;
}

}  // namespace

ClassLowering::ClassLowering(ProgramLowering& program, std::span<sema::TypedClass* const> classes)
    : program_(program), classes_(classes), layout_(classes), facts_(classes.size()) {
    for (uint32_t i = 0; i < classes.size(); i++) {
        for (const sema::TypedDispatch& d : classes[i]->dispatch) methods_[{d.owner, d.method}].answers.push_back({i, &d});
    }
}

// --- what counts -------------------------------------------------------------------------------------------------

void ClassLowering::noteMade(uint32_t classIndex) {
    if (facts_[classIndex].isMade) return;
    facts_[classIndex].isMade = true;
    const sema::TypedClass& cls = *classes_[classIndex];
    useMembers(classIndex);
    if (cls.finalizer) program_.functionOf(cls.finalizer);
    for (const sema::TypedDispatch& d : cls.dispatch) {
        for (auto [form, method] : methods_.find({d.owner, d.method})->second.called) addAnswer(classIndex, d, form, method);
    }
}

/// Members can be found by their names at run time.
void ClassLowering::useMembers(uint32_t classIndex) {
    for (const sema::TypedClass* a : classes_[classIndex]->ancestors) {
        for (const sema::TypedMember& m : a->members) {
            if (m.function) program_.functionOf(m.function);
        }
    }
}

void ClassLowering::useAsValue(const sema::ClassType* type) {
    const uint32_t index = layout_.indexOf(type);
    if (facts_[index].isValue) return;
    facts_[index].isValue = true;
    useMembers(index);
    std::vector<Function*> makers;
    for (const TypedFunction* constructor : classes_[index]->constructors) makers.push_back(maker(type, constructor));
    if (makers.empty()) makers.push_back(maker(type, nullptr));
    facts_[index].makers = std::move(makers);
}

Function* ClassLowering::allocator(const sema::ClassType* type) {
    const uint32_t index = layout_.indexOf(type);
    ClassFacts& facts = facts_[index];
    if (!facts.allocator) {
        const std::string name = program_.types().print(type) + ".new";
        facts.allocator = program_.declareObjectCode(ProgramLowering::Form::Allocator, name, {.cls = classes_[index]});
        facts.allocator->results.push(program_.module().arena, Rep::Ref);
        facts.allocator->resultTypes.push(program_.module().arena, program_.valueType(type));
        noteMade(index);
    }
    return facts.allocator;
}

Function* ClassLowering::maker(const sema::ClassType* type, const TypedFunction* constructor) {
    const uint32_t index = layout_.indexOf(type);
    const uint32_t key = constructor ? program_.functionOf(constructor)->index() : ~0u;
    auto [it, isNew] = makers_.try_emplace(pairKey(index, key), nullptr);
    if (!isNew) return it->second;
    std::vector<const Type*> params;
    const Type* vararg = nullptr;
    uint32_t defaults = 0;
    if (constructor) {
        params.assign(constructor->type->params.begin() + 1, constructor->type->params.end());
        vararg = constructor->type->vararg;
        defaults = constructor->type->defaults;
    }
    const Type* result = type;
    auto* signature = program_.types().function(params, vararg, {&result, 1}, nullptr, defaults);
    const std::string name = program_.types().print(type);
    const ObjectCode code{.cls = classes_[index], .function = constructor, .type = signature};
    Function* f = it->second = program_.declareObjectCode(ProgramLowering::Form::Maker, name, code);
    program_.setSignature(f, signature);
    if (defaults != 0) {
        f->dynamicEntry = program_.declareObjectCode(ProgramLowering::Form::MakerDynamic, name + "/dyn", code);
        program_.setDynamicSignature(f->dynamicEntry, signature);
        f->dynamicEntry->closureOf = f;
    }
    return f;
}

const sema::FunctionType* ClassLowering::methodType(const Type* owner, const sema::MethodInfo* method) const {
    auto found = methods_.find({owner, method});
    return found == methods_.end() ? nullptr : found->second.answers[0].dispatch->type;
}

uint32_t ClassLowering::method(const Type* owner, const sema::MethodInfo* method, CallForm form) {
    MethodFacts& facts = methods_.find({owner, method})->second;
    for (auto [f, index] : facts.called) {
        if (f == form) return index;
    }
    std::vector<VirtualMethod>& all = program_.module().methods;
    const auto index = uint32_t(all.size());
    const sema::FunctionType* type = facts.answers[0].dispatch->type;
    std::string name = fmt::format("{}.{}", program_.types().print(owner), program_.text(method->name));
    if (form == kDynamicForm) {
        name += "/dyn";
    } else if (form != type->params.count) {
        name += fmt::format("/{}", form);
    }
    VirtualMethod m;
    m.name = program_.module().arena.copyText(name);
    m.params.push_back(Rep::Ref);
    for (uint32_t i = 0; i < std::min(form, type->params.count); i++) {
        m.params.push_back(form == kDynamicForm ? Rep::Box : repOf(type->params[i]));
    }
    m.isVararg = type->vararg && form >= type->params.count;
    m.returnsPack = type->variadicResult != nullptr;
    if (!m.returnsPack) {
        for (const Type* t : type->results) m.results.push_back(repOf(t));
    }
    all.push_back(std::move(m));
    facts.called.push_back({form, index});
    factsOfMethod_.push_back(&facts);
    for (const Answer& a : facts.answers) {
        if (facts_[a.classIndex].isMade) addAnswer(a.classIndex, *a.dispatch, form, index);
    }
    return index;
}

// --- answers -----------------------------------------------------------------------------------------------------

void ClassLowering::addAnswer(uint32_t classIndex, const sema::TypedDispatch& dispatch, CallForm form, uint32_t method) {
    facts_[classIndex].table.push_back({method, answer(dispatch, form, method)});
}

/// The function that stands in the table for one form of a method.
Function* ClassLowering::answer(const sema::TypedDispatch& dispatch, CallForm form, uint32_t method) {
    if (dispatch.answer != sema::TypedDispatch::Answer::Call) return field(dispatch);
    if (form == kDynamicForm) return adapted(dispatch, nullptr, form, method);
    const TypedFunction* fn = dispatch.function;
    Function* callee = form == dispatch.type->params.count ? program_.functionOf(fn) : program_.shortEntry(fn, form + 1);
    return answersDirectly(*callee, fn->type, dispatch.type, form) ? callee : adapted(dispatch, callee, form, method);
}

/// Reader or writer of a field that an interface demands.
Function* ClassLowering::field(const sema::TypedDispatch& dispatch) {
    const bool isRead = dispatch.answer == sema::TypedDispatch::Answer::Get;
    const uint32_t owner = layout_.indexOf(dispatch.fieldOwner);
    auto [it, isNew] = (isRead ? readers_ : writers_).try_emplace(pairKey(owner, dispatch.field), nullptr);
    if (!isNew) return it->second;
    const sema::TypedField& f = classes_[owner]->fields[dispatch.field];
    const std::string name = fmt::format("{}.{}", program_.types().print(dispatch.fieldOwner), program_.text(f.name));
    Arena& arena = program_.module().arena;
    const ObjectCode code{.cls = classes_[owner], .field = dispatch.field};
    Function* out = program_.declareObjectCode(isRead ? ProgramLowering::Form::Reader : ProgramLowering::Form::Writer, name, code, Rep::Ref);
    (isRead ? out->results : out->params).push(arena, repOf(f.type));
    out->paramTypes.push(arena, program_.valueType(classes_[owner]->type));
    (isRead ? out->resultTypes : out->paramTypes).push(arena, program_.valueType(f.type));
    return it->second = out;
}

/// A function between a method and callers that see other representations, or give fewer or boxed arguments.
Function* ClassLowering::adapted(const sema::TypedDispatch& dispatch, Function* callee, CallForm form, uint32_t method) {
    auto [it, isNew] = adapters_.try_emplace(pairKey(program_.functionOf(dispatch.function)->index(), method), nullptr);
    if (!isNew) return it->second;
    const ObjectCode code{.function = dispatch.function, .type = dispatch.type, .callee = callee, .form = form};
    Function* f = program_.declareObjectCode(ProgramLowering::Form::MethodAdapter, dispatch.function->name, code);
    const VirtualMethod& m = program_.module().methods[method];
    for (Rep r : m.params) f->params.push(program_.module().arena, r);
    for (Rep r : m.results) f->results.push(program_.module().arena, r);
    f->isVararg = m.isVararg;
    f->hasResultPack = m.returnsPack;
    // The object is of the class that declares what answers; further parameters are what callers see, or boxes.
    f->paramTypes.push(program_.module().arena, program_.valueType(dispatch.function->type->params[0]));
    for (uint32_t i = 1; i < f->params.count; i++) {
        f->paramTypes.push(program_.module().arena, form == kDynamicForm ? 0 : program_.valueType(dispatch.type->params[i - 1]));
    }
    program_.setResultTypes(f, dispatch.type);
    return it->second = f;
}

Function* ClassLowering::boundMethod(const Type* owner, const sema::MethodInfo* info, const TypedFunction* function,
                                     const sema::FunctionType* type) {
    const uint32_t index = function ? program_.functionOf(function)->index() : method(owner, info, type->params.count);
    auto [it, isNew] = (function ? bound_ : boundVirtual_).try_emplace(pairKey(index, type->id), nullptr);
    if (!isNew) return it->second;
    ObjectCode code{.function = function, .type = type};
    if (function) {
        code.callee = program_.functionOf(function);
    } else {
        code.method = index;
    }
    std::string name(program_.text(info->name));
    // A private method, and an inherited one that `base.` names, is not what the name means to others.
    const bool isExact = function && (info->access == sema::Access::Private || info->isVirtual());
    if (isExact) name = fmt::format("{}.{}", program_.types().print(owner), name);
    Function* f = it->second = program_.declareObjectCode(ProgramLowering::Form::Bound, name, code);
    Arena& arena = program_.module().arena;
    program_.setSignature(f, type);
    f->captures.push(arena, Rep::Ref);
    f->captureTypes.push(arena, program_.valueType(owner));
    f->isBound = true;
    if (type->defaults == 0) return f;
    if (function) {
        code.callee = code.callee->dynamicEntry;
    } else {
        code.method = method(owner, info, kDynamicForm);
    }
    f->dynamicEntry = program_.declareObjectCode(ProgramLowering::Form::BoundDynamic, name + "/dyn", code);
    program_.setDynamicSignature(f->dynamicEntry, type);
    f->dynamicEntry->closureOf = f;
    f->dynamicEntry->captures.push(arena, Rep::Ref);
    f->dynamicEntry->captureTypes.push(arena, program_.valueType(owner));
    return f;
}

// --- the finished program ----------------------------------------------------------------------------------------

void ClassLowering::finish() {
    placeMethods();
    for (uint32_t i = 0; i < classes_.size(); i++) {
        if (facts_[i].isMade || facts_[i].isValue) fillClass(i);
    }
}

namespace {

/// What calls of a virtual method come to.
struct Reached {
    Function* only = nullptr;  // null: no class that is made has it
    bool isMany = false;
    uint32_t method = ~0u;     // new index of those that stay virtual
};

/// Ends the block at `call`, which can never be executed.
void cutAt(Function& fn, Inst* call) {
    Block* block = call->block;
    const Loc loc = call->loc;
    for (Inst* inst = block->last;;) {
        Inst* before = inst->prev;
        const bool isLast = inst == call;
        fn.remove(inst);
        if (isLast) break;
        inst = before;
    }
    fn.append(block, fn.makeInst(Op::Unreachable, Rep::Void, {}, loc));
}

void resolveCallsIn(Function& fn, const std::vector<Reached>& reached) {
    bool isCut = false;
    for (Block* block : blocks(fn)) {
        for (Inst* inst : insts(block)) {
            if (!inst->is(Op::CallMethod)) continue;
            const Reached& r = reached[size_t(inst->imm)];
            if (r.isMany) {
                inst->imm = r.method;
            } else if (r.only) {
                inst->op = Op::Call;
                inst->immFn = r.only;
            } else {
                cutAt(fn, inst);
                isCut = true;
                break;
            }
        }
    }
    if (!isCut) return;
    fn.removeUnreachable();
    fn.renumber();
}

}  // namespace

/// Virtual methods that several functions answer get their slots; calls of the others go past the tables.
void ClassLowering::placeMethods() {
    std::vector<VirtualMethod>& all = program_.module().methods;
    if (all.empty()) return;
    std::vector<Reached> reached(all.size());
    std::vector<std::vector<uint32_t>> havers(all.size());
    for (uint32_t i = 0; i < classes_.size(); i++) {
        for (const TableEntry& e : facts_[i].table) {
            Reached& r = reached[e.method];
            if (r.only && r.only != e.function) r.isMany = true;
            r.only = e.function;
            havers[e.method].push_back(i);
        }
    }
    std::vector<VirtualMethod> kept;
    Colouring colouring(uint32_t(classes_.size()));
    for (uint32_t i = 0; i < all.size(); i++) {
        if (!reached[i].isMany) continue;
        reached[i].method = uint32_t(kept.size());
        all[i].slot = colouring.place(havers[i]);
        kept.push_back(std::move(all[i]));
    }
    all = std::move(kept);
    for (ClassFacts& facts : facts_) {
        std::vector<TableEntry> table;
        for (const TableEntry& e : facts.table) {
            if (reached[e.method].isMany) table.push_back({reached[e.method].method, e.function});
        }
        facts.table = std::move(table);
    }
    for (Function* fn : program_.module().functions) resolveCallsIn(*fn, reached);
}

void ClassLowering::fillClass(uint32_t classIndex) {
    const sema::TypedClass& cls = *classes_[classIndex];
    ClassFacts& facts = facts_[classIndex];
    ClassEntry entry;
    entry.type = program_.typeIndex(cls.type);
    entry.words = layout_.instanceWords(classIndex);
    for (const sema::TypedClass* a : cls.ancestors) entry.ancestors.push_back(program_.typeIndex(a->type));
    for (const sema::InterfaceType* t : cls.interfaces) entry.ancestors.push_back(program_.typeIndex(t));
    fillFields(classIndex, entry);
    fillMembers(classIndex, entry);
    for (const TableEntry& e : facts.table) {
        const uint32_t slot = program_.module().methods[e.method].slot;
        if (entry.table.size() <= slot) entry.table.resize(slot + 1, nullptr);
        entry.table[slot] = e.function;
    }
    entry.makers = facts.makers;
    if (cls.finalizer) entry.finalizer = program_.functionOf(cls.finalizer);
    program_.module().classes.push_back(std::move(entry));
}

void ClassLowering::fillFields(uint32_t classIndex, ClassEntry& entry) {
    for (const sema::TypedClass* a : classes_[classIndex]->ancestors) {
        const uint32_t owner = layout_.indexOf(a->type);
        for (uint32_t i = 0; i < a->fields.count; i++) {
            const sema::TypedField& f = a->fields[i];
            ClassField out;
            out.name = f.name ? program_.module().arena.copyText(program_.text(f.name)) : std::string_view();
            out.word = layout_.fieldWord(owner, i);
            out.rep = repOf(f.type);
            out.type = program_.typeIndex(f.type);
            out.owner = program_.typeIndex(a->type);
            out.access = uint8_t(f.access);
            out.isConst = f.isConst;
            out.mayBeUnset = f.mayBeUnset;
            entry.fields.push_back(out);
        }
    }
    std::sort(entry.fields.begin(), entry.fields.end(), [](const ClassField& a, const ClassField& b) { return a.word < b.word; });
}

void ClassLowering::fillMembers(uint32_t classIndex, ClassEntry& entry) {
    std::unordered_map<std::string_view, bool> seen[2];  // an operator may be a method and a static function
    for (const sema::TypedClass* a : classes_[classIndex]->ancestors) {
        for (const sema::TypedMember& m : a->members) {
            const std::string_view name = program_.text(m.name);
            if (!seen[m.isStatic && name.starts_with("__")].try_emplace(name, true).second) continue;
            ClassMember out;
            out.name = program_.module().arena.copyText(name);
            if (m.function) out.function = program_.functionOf(m.function);
            if (m.variable) {
                out.variable = program_.moduleVar(m.variable);
                out.type = program_.typeIndex(m.variable->type);
            }
            out.owner = program_.typeIndex(a->type);
            out.access = uint8_t(m.access);
            out.isStatic = m.isStatic;
            out.isConst = m.isConst;
            entry.members.push_back(out);
        }
    }
}

}  // namespace luapp::ir
