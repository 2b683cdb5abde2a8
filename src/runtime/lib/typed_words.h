// Raw words out of boxes by type descriptor, for library code that handles elements of typed arrays and tables and knows that
// the box holds a value of the type. Boxing, and conversions that may fail, are vm/convert's.
#pragma once

#include "runtime/object/type_desc.h"
#include "runtime/object/value.h"
#include "runtime/vm/convert.h"

namespace luapp::rt {

/// The raw word of a box that is known to hold a value of type `type`.
inline Word unboxAs(const TypeDesc* type, Value v) {
    switch (type->rep) {
        case Rep::F64: return v.word();
        case Rep::I64: return v.isEnum() ? wordOf(int64_t{v.enumOrdinal()}) : wordOf(static_cast<int64_t>(v.asNumber()));
        case Rep::Bool: return v.isTrue() ? 1 : 0;
        case Rep::Ref: return v.isNil() ? 0 : wordOf(v.asObject());
        case Rep::Box: return v.word();
        case Rep::Void:
        case Rep::Pack: break;
    }
    return 0;
}

/// `T?` of a word of T: references stay bare (null is nil), everything else is boxed.
inline Word optionalOf(const TypeDesc* type, Word w) { return type->rep == Rep::Ref ? w : boxTyped(w, type).word(); }
inline Word optionalNil(const TypeDesc* type) { return type->rep == Rep::Ref ? 0 : kNilBox; }

}  // namespace luapp::rt
