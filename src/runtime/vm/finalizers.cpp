#include "runtime/vm/finalizers.h"

#include "runtime/object/lua_table.h"
#include "runtime/vm/call.h"
#include "runtime/vm/class_desc.h"
#include "runtime/vm/meta.h"

namespace luapp::rt {

namespace {

void runOne(State& s, void* object) {
    Object* o = static_cast<Object*>(object);
    if (o->kind == Kind::Object) {
        Word argument = wordOf(o);
        callRaw(s, constantClosure(s, *classOf(s, o).finalizer), &argument, 1);
        return;
    }
    Value v = Value::object(o);
    LuaTable* metatable = metatableOf(s, v);
    Value finalizer = metatable == nullptr ? Value::nil() : luaGetString(s, metatable, s.gcKey);
    if (!finalizer.isNil()) call(s, finalizer, {&v, 1});
}

/// Tells about the error in State.errorValue.
void report(State& s) {
    if (s.warn == nullptr) return;
    auto text = [](State& st, void*) {
        TextBuilder message(st);
        message.append("error in __gc: ");
        if (st.errorValue.isString()) {
            message.append(st.errorValue.asString()->view());
        } else {
            describeValue(st, st.errorValue, message);
        }
        st.warn(st, message.finish()->view());
    };
    (void)protectedCall(s, text, nullptr);
}

}  // namespace

void runFinalizers(State& s) {
    s.takeBack(kFinalizersRequest);
    s.resetStackLimit();
    uint32_t argCount = s.argCount;
    Value errorValue = s.errorValue;
    String* errorTraceback = s.errorTraceback;
    while (Object* o = s.heap.takeFinalisable()) {
        if (protectedCall(s, runOne, o)) continue;
        if (o->kind == Kind::Object) {
            report(s);
        } else if (!s.isClosing) {
            raiseValue(s, s.errorValue);
        }
    }
    s.argCount = argCount;
    s.errorValue = errorValue;
    s.errorTraceback = errorTraceback;
}

void safepoint(State& s, Word* newFrame) {
    s.stackCheckFailed(newFrame);
    if (s.isRequested(kFinalizersRequest) && s.stackLimit.load(std::memory_order_relaxed) == nullptr) runFinalizers(s);
}

void finaliseObjects(State& s) {
    s.isClosing = true;
    s.heap.finaliseObjects();
    runFinalizers(s);
    s.isClosing = false;
}

}  // namespace luapp::rt
