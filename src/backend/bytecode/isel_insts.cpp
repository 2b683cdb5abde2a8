// One case per IR operation. Constants, free boxings and comparisons that a branch has taken over make no code.
#include "backend/bytecode/code_writer.h"
#include "backend/bytecode/isel_impl.h"
#include "runtime/base/check.h"
#include "runtime/lib/builtin_table.h"

namespace luapp::bc {

namespace {

/// Strings that one ConcatN joins at most; longer lists are joined in pieces.
constexpr size_t kMaxConcat = 100;

bool isVarargSignature(std::string_view signature) {
    return signature.substr(0, signature.find(')')).find("...") != std::string_view::npos;
}

/// By builtin: it takes extra arguments (so its calls must say how many).
constexpr std::string_view kBuiltinSignatures[] = {
#define LUAPP_BUILTIN(Id, name, signature, fn, effects, intrinsic, description) signature,
#define LUAPP_BUILTIN_CASE(Id, name, literal, signature, fn, effects, intrinsic) signature,
#define LUAPP_BUILTIN_VALUE(Id, name, type, fn, effects, intrinsic, description) "",
#define LUAPP_BUILTIN_HIDDEN(Id, name, signature, fn, effects) signature,
#define LUAPP_BUILTIN_CONST(Id, name, type, value, description)
#include "runtime/lib/builtins.def"
};

bool isVarargBuiltin(uint64_t index) {
    return index < std::size(kBuiltinSignatures) && isVarargSignature(kBuiltinSignatures[index]);
}

/// Switching coroutines has instructions of its own.
Op varargCallOf(int64_t builtin) {
    if (builtin == static_cast<int64_t>(rt::BuiltinId::CoroutineYield)) return Op::CallYield;
    return builtin == static_cast<int64_t>(rt::BuiltinId::CoroutineResume) ? Op::CallResume : Op::CallBV;
}

}  // namespace

void Selector::select(const ir::Inst* inst) {
    const auto imm = inst->imm;
    const auto index = static_cast<uint32_t>(inst->imm);
    if (!isUsed(inst) && !(ir::effectsOf(*inst) & ir::kObservable) && !inst->isTerminator()) return;
    if (isFusedCondition(inst) || fusedInto_[inst->id] || selectPair(inst)) return;
    switch (inst->op) {
        case ir::Op::Param:
        case ir::Op::ConstF64:
        case ir::Op::ConstI64:
        case ir::Op::ConstBool:
        case ir::Op::ConstNull:
        case ir::Op::ConstStr:
        case ir::Op::ConstFn:
        case ir::Op::ConstBuiltin:
        case ir::Op::ConstType:
        case ir::Op::ConstClass:
        case ir::Op::ConstNil:
        case ir::Op::ConstBoxBool:
        case ir::Op::ConstAbsent:
        case ir::Op::BoxF:
        case ir::Op::Jump:
        case ir::Op::Loop:
        case ir::Op::Br: return;

        case ir::Op::AddF:
        case ir::Op::SubF:
        case ir::Op::MulF:
        case ir::Op::DivF:
        case ir::Op::AddI:
        case ir::Op::SubI:
        case ir::Op::MulI:
        case ir::Op::IDivI:
        case ir::Op::ModI:
        case ir::Op::AddU:
        case ir::Op::SubU:
        case ir::Op::Shl32:
        case ir::Op::Shr32:
        case ir::Op::Rol32:
        case ir::Op::Ror32: return selectArith(inst);

        case ir::Op::ModF: plain(Op::ModF, inst); return;
        case ir::Op::IDivF: plain(Op::IDivF, inst); return;
        case ir::Op::PowF: plain(Op::PowF, inst); return;
        case ir::Op::NegF: plain(Op::NegF, inst); return;
        case ir::Op::AbsF: plain(Op::AbsF, inst); return;
        case ir::Op::SqrtF: plain(Op::SqrtF, inst); return;
        case ir::Op::MinF: plain(Op::MinF, inst); return;
        case ir::Op::MaxF: plain(Op::MaxF, inst); return;
        case ir::Op::NegI: plain(Op::NegI, inst); return;
        case ir::Op::AbsI: plain(Op::AbsI, inst); return;
        case ir::Op::MinI: plain(Op::MinI, inst); return;
        case ir::Op::MaxI: plain(Op::MaxI, inst); return;
        case ir::Op::MulU: plain(Op::MulU, inst); return;
        case ir::Op::AndI: plain(Op::AndI, inst); return;
        case ir::Op::OrI: plain(Op::OrI, inst); return;
        case ir::Op::XorI: plain(Op::XorI, inst); return;
        case ir::Op::NotI: plain(Op::NotI, inst); return;
        case ir::Op::ShlI: plain(Op::ShlI, inst); return;
        case ir::Op::ShrI: plain(Op::ShrI, inst); return;
        case ir::Op::And32: plain(Op::And32, inst); return;
        case ir::Op::Or32: plain(Op::Or32, inst); return;
        case ir::Op::Xor32: plain(Op::Xor32, inst); return;
        case ir::Op::Not32: plain(Op::Not32, inst); return;
        case ir::Op::Sar32: plain(Op::Sar32, inst); return;

        case ir::Op::IToF: plain(Op::IToF, inst); return;
        case ir::Op::FToI: plain(Op::FToI, inst, imm); return;
        case ir::Op::FloorF: plain(Op::FloorF, inst, imm); return;
        case ir::Op::BoxI:
            if (!isConst(inst)) plain(Op::BoxI, inst);
            return;
        case ir::Op::BoxB:
            if (!isConst(inst)) plain(Op::BoxB, inst);
            return;
        case ir::Op::BoxRef:
            if (!isConst(inst)) plain(Op::BoxRef, inst, imm);
            return;
        case ir::Op::BoxEnum: {
            const VReg r = reg(inst->operand(0));
            begin(Op::BoxEnum, inst).index = index;
            use(r, OperandKind::TiedUse);
            def(inst, OperandKind::TiedDef);
            return;
        }
        case ir::Op::UnboxF: plain(Op::UnboxF, inst); return;
        case ir::Op::UnboxI: plain(Op::UnboxI, inst); return;
        case ir::Op::UnboxB: plain(Op::UnboxB, inst); return;
        case ir::Op::Unbox: plain(Op::Unbox, inst, inst->imm2, index); return;
        case ir::Op::UnboxU:
            if (strip(inst) == inst) plain(Op::UnboxU, inst, static_cast<int64_t>(inst->rep), index);
            return;
        case ir::Op::CheckRef: plain(Op::CheckRef, inst, inst->imm2, index); return;
        case ir::Op::CheckWord: plain(Op::CheckRef, inst, static_cast<int64_t>(bc::CheckKind::Word), index); return;
        case ir::Op::IsType: plain(Op::IsType, inst, 0, index); return;
        case ir::Op::IsTypeRef: plain(Op::IsTypeRef, inst, 0, index); return;
        case ir::Op::IsNil:
        case ir::Op::IsNull: {
            const VReg r = reg(inst->operand(0));
            const VReg nothing = loadConstant(inst->is(ir::Op::IsNil)
                                                  ? ConstKey{base::kBoxedNil, static_cast<uint32_t>(Rep::Box) << 8}
                                                  : ConstKey{0, static_cast<uint32_t>(Rep::Ref) << 8});
            begin(Op::EqI, inst);
            use(r);
            use(nothing);
            def(inst);
            return;
        }
        case ir::Op::CheckNil: plain(Op::CheckNil, inst, imm); return;
        case ir::Op::CheckNull: plain(Op::CheckNull, inst, imm); return;
        case ir::Op::Not: plain(Op::Not, inst); return;
        case ir::Op::Truthy: plain(Op::Truthy, inst); return;

        case ir::Op::EqF: plain(Op::EqF, inst); return;
        case ir::Op::LtF: plain(Op::LtF, inst); return;
        case ir::Op::LeF: plain(Op::LeF, inst); return;
        case ir::Op::EqI: plain(Op::EqI, inst); return;
        case ir::Op::LtI: plain(Op::LtI, inst); return;
        case ir::Op::LeI: plain(Op::LeI, inst); return;
        case ir::Op::EqS: plain(Op::EqS, inst); return;
        case ir::Op::LtS: plain(Op::LtS, inst); return;
        case ir::Op::LeS: plain(Op::LeS, inst); return;
        case ir::Op::EqRef: plain(Op::EqRef, inst); return;
        case ir::Op::EqX: plain(Op::EqX, inst); return;
        case ir::Op::LtX: plain(Op::LtX, inst); return;
        case ir::Op::LeX: plain(Op::LeX, inst); return;

        case ir::Op::VarGet: {
            const DataIndex k = chunk_.variable(index);
            plain(fitsU16(k) ? Op::GetG : Op::GetGX, inst, inst->imm2, k);
            return;
        }
        case ir::Op::VarSet: {
            const DataIndex k = chunk_.variable(index);
            plain(fitsU16(k) ? Op::SetG : Op::SetGX, inst, 0, k);
            return;
        }
        case ir::Op::CaptureGet: plain(Op::GetCap, inst, imm, inst->imm2); return;
        case ir::Op::ClosureSelf: plain(Op::GetClo, inst); return;
        case ir::Op::CellNew: plain(Op::NewCell, inst, static_cast<int64_t>(inst->operand(0)->rep), index); return;
        case ir::Op::CellGet: plain(Op::GetCell, inst); return;
        case ir::Op::SlotGet:
            begin(kPseudoSlotGet, inst).imm = static_cast<int32_t>(imm);
            def(inst);
            return;
        case ir::Op::SlotSet: {
            const VReg from = reg(inst->operand(0));
            begin(kPseudoSlotSet, inst).imm = static_cast<int32_t>(imm);
            use(from);
            return;
        }
        case ir::Op::Event: plain(Op::Event, inst, imm); return;
        case ir::Op::CellSet: plain(needsBarrier(*inst->operand(1)) ? Op::SetCellR : Op::SetCell, inst); return;
        case ir::Op::Closure: return selectClosure(inst);

        case ir::Op::ObjNew: plain(Op::NewObj, inst, inst->imm2, index); return;
        case ir::Op::FieldGet: plain(Op::GetF, inst, imm, inst->imm2); return;
        case ir::Op::FieldSet: plain(needsBarrier(*inst->operand(1)) ? Op::SetFR : Op::SetF, inst, imm, inst->imm2); return;
        case ir::Op::FieldInit: plain(Op::SetF, inst, imm); return;

        case ir::Op::ArrNew: plain(Op::NewArr, inst, std::min(inst->imm2, 65535u), index); return;
        case ir::Op::ArrLen: plain(Op::ALen, inst); return;
        // Bytecode is checked always, for chunks are verified when they are loaded.
        case ir::Op::ArrGet:
        case ir::Op::ArrGetU: {
            int64_t at;
            if (inst->rep == Rep::Bool) {
                plain(Op::AGetB, inst);
            } else if (whole(inst->operand(1), 0, 255, at)) {
                immediate(Op::AGetI, inst, inst->operand(0), at);
            } else {
                plain(Op::AGet, inst);
            }
            return;
        }
        case ir::Op::ArrSet:
        case ir::Op::ArrSetU: {
            const Rep rep = inst->operand(2)->rep;
            plain(rep == Rep::Bool ? Op::ASetB : needsBarrier(*inst->operand(2)) ? Op::ASetR : Op::ASet, inst);
            return;
        }
        case ir::Op::ArrPush: plain(Op::APush, inst); return;
        case ir::Op::ArrPushPack: plain(Op::APushPack, inst); return;
        case ir::Op::ArrCheckLen: plain(Op::CheckLen, inst); return;

        case ir::Op::TabNew: plain(Op::NewTab, inst, std::min(inst->imm2, 65535u), index); return;
        case ir::Op::TabLen: plain(Op::TLen, inst); return;
        case ir::Op::TabGet: {
            const Rep key = inst->operand(1)->rep;
            plain(key == Rep::F64 ? Op::TGetF : key == Rep::Ref ? Op::TGetS : Op::TGetX, inst);
            return;
        }
        case ir::Op::TabGetOpt: {
            const Rep key = inst->operand(1)->rep;
            plain(key == Rep::F64 ? Op::TGetOptF : key == Rep::Ref ? Op::TGetOptS : Op::TGetOptX, inst);
            return;
        }
        case ir::Op::TabSet: {
            const Rep key = inst->operand(1)->rep;
            plain(key == Rep::F64 ? Op::TSetF : key == Rep::Ref ? Op::TSetS : Op::TSetX, inst);
            return;
        }
        case ir::Op::TabDel: plain(Op::TDel, inst); return;
        case ir::Op::TabNext: return selectIterator(inst);
        case ir::Op::TabKey: plain(Op::TKey, inst); return;
        case ir::Op::TabVal: plain(Op::TVal, inst); return;

        case ir::Op::StrLen: plain(Op::SLen, inst); return;
        case ir::Op::StrByte: plain(Op::SByte, inst); return;
        case ir::Op::Concat: return selectConcat(inst);
        case ir::Op::ToStr: plain(Op::ToStr, inst, static_cast<int64_t>(inst->operand(0)->rep)); return;

        case ir::Op::ArithX:
            switch (static_cast<ArithOp>(imm)) {
                case ArithOp::Add: plain(Op::AddX, inst); return;
                case ArithOp::Sub: plain(Op::SubX, inst); return;
                case ArithOp::Mul: plain(Op::MulX, inst); return;
                default: plain(Op::ArithX, inst, 0, static_cast<uint32_t>(imm)); return;
            }
        case ir::Op::UnmX: return selectUnary(ArithOp::Unm, inst);
        case ir::Op::BNotX: return selectUnary(ArithOp::BNot, inst);
        case ir::Op::LenX: plain(Op::LenX, inst); return;
        case ir::Op::ConcatX:
            LUAPP_CHECK(inst->operandCount < kAllocatableRegisters, "too many operands");
            joinWindow(Op::ConcatX, inst, kNoVReg, inst->ops(), inst->id);
            return;
        case ir::Op::IndexX: plain(Op::IndexX, inst); return;
        case ir::Op::MemberX:
            if (inst->operand(0)->is(ir::Op::EnvGet)) {
                begin(Op::GlobalX, inst).index = chunk_.string(index, false);
                def(inst);
                return;
            }
            plain(Op::MemberX, inst, 0, chunk_.string(index, false));
            return;
        case ir::Op::MethodX: plain(Op::MethodX, inst, 0, chunk_.string(index, false)); return;
        case ir::Op::SetIndexX: plain(Op::SetIndexX, inst); return;
        case ir::Op::SetMemberX: plain(Op::SetMemberX, inst, 0, chunk_.string(index, false)); return;
        case ir::Op::IterX: return selectIterator(inst);

        case ir::Op::EnvGet: plain(Op::GetCap, inst, 0); return;
        case ir::Op::LuaTabNew:
            plain(Op::NewLuaTab, inst, std::min<int64_t>(imm, 65535), inst->imm2);
            return;
        case ir::Op::LuaTabAppend: {
            LirInst& i = window(static_cast<uint16_t>(inst->endsInPack() ? Op::SetListPack : Op::SetList), inst, inst->ops(), 0, false);
            i.imm = static_cast<int32_t>(inst->imm2);
            i.index = index;
            return;
        }
        case ir::Op::LoopNumber: plain(Op::LoopNum, inst, imm); return;

        case ir::Op::Call:
        case ir::Op::CallEnv:
        case ir::Op::CallClo:
        case ir::Op::CallMethod:
        case ir::Op::CallDyn:
        case ir::Op::CallBuiltin: return selectCall(inst);
        case ir::Op::Result:
            // Those of an iter.x are results of its window.
            if (inst->operand(0)->is(ir::Op::IterX)) return;
            begin(Op::GetRes, inst).imm = static_cast<int32_t>(imm);
            def(inst);
            return;

        case ir::Op::VarargAll: begin(Op::VarargAll, inst); return;
        case ir::Op::VarargGet: plain(Op::VarargGet, inst, imm); return;
        case ir::Op::VarargCount: plain(Op::VarargCount, inst); return;
        case ir::Op::PackGet: plain(Op::PackGet, inst, imm); return;
        case ir::Op::PackCount: plain(Op::PackCount, inst); return;
        case ir::Op::PackMake:
            window(static_cast<uint16_t>(Op::PackMake), inst, inst->ops(), 0, false).imm =
                static_cast<int32_t>(inst->operandCount);
            return;

        case ir::Op::Ret:
        case ir::Op::RetPack: return selectReturn(inst);
        case ir::Op::Raise: plain(Op::Raise, inst, imm); return;
        case ir::Op::Unreachable: begin(kPseudoUnreachable, inst); return;
    }
    LUAPP_UNREACHABLE("IR operation");
}

void Selector::selectUnary(ArithOp op, const ir::Inst* inst) {
    const VReg r = reg(inst->operand(0));
    begin(Op::ArithX, inst).index = static_cast<uint32_t>(op);
    use(r);
    use(r);
    def(inst);
}

void Selector::selectArith(const ir::Inst* inst) {
    if (selectImmediate(inst)) return;
    switch (inst->op) {
        case ir::Op::AddF: plain(Op::AddF, inst); return;
        case ir::Op::SubF: plain(Op::SubF, inst); return;
        case ir::Op::MulF: plain(Op::MulF, inst); return;
        case ir::Op::DivF: plain(Op::DivF, inst); return;
        case ir::Op::AddI: plain(Op::AddI, inst); return;
        case ir::Op::SubI: plain(Op::SubI, inst); return;
        case ir::Op::MulI: plain(Op::MulI, inst); return;
        case ir::Op::IDivI: plain(Op::IDivI, inst); return;
        case ir::Op::ModI: plain(Op::ModI, inst); return;
        case ir::Op::AddU: plain(Op::AddU, inst); return;
        case ir::Op::SubU: plain(Op::SubU, inst); return;
        case ir::Op::Shl32: plain(Op::Shl32, inst); return;
        case ir::Op::Shr32: plain(Op::Shr32, inst); return;
        case ir::Op::Rol32: plain(Op::Rol32, inst); return;
        case ir::Op::Ror32: plain(Op::Ror32, inst); return;
        default: LUAPP_UNREACHABLE("arithmetic operation");
    }
}

/// Forms with a constant in the instruction. False if there is none that fits.
bool Selector::selectImmediate(const ir::Inst* inst) {
    ir::Value a = inst->operand(0);
    ir::Value b = inst->operand(1);
    int64_t c;
    const bool right = whole(b, -127, 127, c);
    if (!right && !(ir::isCommutative(inst->op) || inst->is(ir::Op::SubF))) return false;
    if (!right && !whole(a, -127, 127, c)) return false;
    ir::Value x = right ? a : b;
    auto form = [&](Op op, int64_t value) {
        immediate(op, inst, x, value);
        return true;
    };
    switch (inst->op) {
        case ir::Op::AddF: return form(Op::AddFI, c);
        case ir::Op::SubF:
            if (!right) return form(Op::RSubFI, c);
            // x - 0 keeps a negative zero, x + 0 does not.
            return c != 0 && form(Op::AddFI, -c);
        case ir::Op::MulF: return form(Op::MulFI, c);
        case ir::Op::DivF: return form(Op::DivFI, c);
        case ir::Op::AddI: return form(Op::AddII, c);
        case ir::Op::SubI: return form(Op::AddII, -c);
        case ir::Op::MulI: return form(Op::MulII, c);
        case ir::Op::IDivI: return c > 0 && form(Op::IDivII, c);
        case ir::Op::ModI: return c > 0 && form(Op::ModII, c);
        case ir::Op::AddU: return form(Op::AddUI, c);
        case ir::Op::SubU: return form(Op::AddUI, -c);
        case ir::Op::Shl32: return c >= 0 && c < 32 && form(Op::Shl32I, c);
        case ir::Op::Shr32: return c >= 0 && c < 32 && form(Op::Shr32I, c);
        case ir::Op::Rol32: return c >= 0 && c < 32 && form(Op::Rol32I, c);
        case ir::Op::Ror32: return c >= 0 && c < 32 && form(Op::Rol32I, (32 - c) % 32);
        default: return false;
    }
}

bool Selector::isVarargType(uint32_t type, const ir::Inst* call) const {
    const sema::Type* t = chunk_.module().types[type].type;
    if (t && t->kind == sema::TypeKind::Function) return sema::as<sema::FunctionType>(t)->vararg != nullptr;
    return call->imm2 != 0 || call->endsInPack();
}

void Selector::selectCall(const ir::Inst* inst) {
    constexpr uint32_t kClosureSlot = kFrameLinks - 1;
    const bool pack = inst->endsInPack();
    const auto extras = static_cast<int32_t>(inst->imm2);
    auto call = [&](Op fixed, Op vararg, Op withPack, bool isVararg, uint32_t slot, uint32_t index) {
        LirInst& i = window(static_cast<uint16_t>(pack ? withPack : isVararg ? vararg : fixed), inst, inst->ops(), slot, true);
        i.imm = extras;
        i.index = index;
        i.windowSize = std::max(i.windowSize, static_cast<uint16_t>(kFrameLinks));
    };
    switch (inst->op) {
        case ir::Op::Call:
        case ir::Op::CallEnv: {
            const uint32_t proto = inst->immFn->index();
            const Op direct = fitsU16(proto) ? Op::Call : Op::CallX;
            const bool isVararg = inst->immFn->isVararg;
            if (inst->is(ir::Op::CallEnv) && !isVararg && inst->immFn->isLenient && isTailCall(inst)) {
                call(Op::TailClo, Op::TailClo, Op::TailClo, false, kClosureSlot, 0);
                out_.code.insts.back().imm = static_cast<int32_t>(inst->operandCount) - 1;
                return;
            }
            LUAPP_CHECK(isVararg || !pack, "pack for a function without varargs");
            return call(direct, Op::CallV, Op::CallVPack, isVararg, inst->is(ir::Op::Call) ? kFrameLinks : kClosureSlot, proto);
        }
        case ir::Op::CallClo:
            return call(Op::CallClo, Op::CallCloV, Op::CallCloVPack, isVarargType(static_cast<uint32_t>(inst->imm), inst),
                        kClosureSlot, 0);
        case ir::Op::CallMethod: return selectMethodCall(inst);
        case ir::Op::CallDyn:
            if (isTailCall(inst)) return call(Op::TailDyn, Op::TailDyn, Op::TailDynPack, true, kClosureSlot, 0);
            return call(Op::CallDyn, Op::CallDyn, Op::CallDynPack, true, kClosureSlot, 0);
        case ir::Op::CallBuiltin:
            return call(Op::CallB, varargCallOf(inst->imm), Op::CallBVPack, isVarargBuiltin(static_cast<uint64_t>(inst->imm)), kFrameLinks,
                        static_cast<uint32_t>(inst->imm));
        default: LUAPP_UNREACHABLE("call");
    }
}

/// True if nothing follows the call but the return of all its results, and the frame is not needed for that.
bool Selector::isTailCall(const ir::Inst* call) const {
    if (!fn_.isLenient || fn_.isVararg || fn_.isMain || !call->next) return false;
    // `return (f())` gives one value.
    return call->rep == base::Rep::Pack && call->next->is(ir::Op::RetPack) && call->next->operandCount == 1 && call->next->operand(0) == call;
}

void Selector::selectMethodCall(const ir::Inst* inst) {
    const ir::VirtualMethod& method = chunk_.module().methods[static_cast<size_t>(inst->imm)];
    const bool pack = inst->endsInPack();
    LUAPP_CHECK(method.isVararg || !pack, "pack for a method without varargs");
    const bool isShort = !method.isVararg && fitsU16(method.slot);
    const Op op = pack ? Op::CallMVPack : isShort ? Op::CallM : Op::CallMV;
    LirInst& i = window(static_cast<uint16_t>(op), inst, inst->ops(), kFrameLinks, true);
    i.imm = static_cast<int32_t>(inst->imm2);
    i.index = method.slot;
}

void Selector::selectConcat(const ir::Inst* inst) {
    if (inst->operandCount == 2) {
        plain(Op::Concat, inst);
        return;
    }
    VReg joined = kNoVReg;
    for (size_t at = 0; at < inst->operandCount;) {
        const size_t count = std::min<size_t>(inst->operandCount - at, kMaxConcat - (joined == kNoVReg ? 0 : 1));
        const VReg result = at + count == inst->operandCount ? inst->id : freshVReg();
        joinWindow(Op::ConcatN, inst, joined, inst->ops().subspan(at, count), result);
        joined = result;
        at += count;
    }
}

/// Joins `first`, if there is one, and `values`, side by side in a window.
void Selector::joinWindow(Op op, const ir::Inst* inst, VReg first, std::span<const ir::Value> values, VReg result) {
    begin(op, inst).flags = backend::lir_flags::Window;
    uint32_t slot = 0;
    if (first != kNoVReg) use(first, OperandKind::FixedUse, slot++);
    for (const ir::Value value : values) use(source(value), OperandKind::FixedUse, slot++);
    LirInst& out = out_.code.insts.back();
    out.imm = static_cast<int32_t>(slot);
    out.windowSize = static_cast<uint16_t>(slot);
    use(result, OperandKind::Def);
}

void Selector::selectReturn(const ir::Inst* inst) {
    if (inst->is(ir::Op::RetPack)) {
        const bool pack = inst->endsInPack();
        const Op op = pack ? Op::RetPack : Op::RetBoxes;
        LUAPP_CHECK(inst->operandCount < kAllocatableRegisters, "too many results");
        window(static_cast<uint16_t>(op), inst, inst->ops(), 0, false).imm =
            static_cast<int32_t>(inst->operandCount - (pack ? 1 : 0));
        return;
    }
    if (inst->operandCount == 0) {
        begin(Op::Ret0, inst);
        return;
    }
    for (uint32_t i = 1; i < inst->operandCount; i++) {
        const VReg r = reg(inst->operand(i));
        begin(Op::SetRes, inst).imm = static_cast<int32_t>(i);
        use(r);
    }
    int64_t value;
    ir::Value first = inst->operand(0);
    if (first->rep != Rep::F64 && whole(first, -32768, 32767, value)) {
        begin(Op::RetI, inst).imm = static_cast<int32_t>(value);
        return;
    }
    const VReg r = reg(first);
    begin(Op::Ret, inst);
    use(r);
}

void Selector::selectIterator(const ir::Inst* inst) {
    if (inst->is(ir::Op::IterX)) {
        window(static_cast<uint16_t>(Op::IterX), inst, inst->ops(), 0, true);
        // The state and the control value are asked for right behind.
        for (const ir::Inst* r = inst->next; r; r = r->next) {
            if (r->is(ir::Op::Result) && r->operand(0) == inst && isUsed(r)) {
                def(r, OperandKind::FixedDef, static_cast<uint32_t>(r->imm));
            }
        }
        LirInst& out = out_.code.insts.back();
        out.imm = static_cast<int32_t>(inst->imm);
        out.windowSize = 3;
        return;
    }
    const VReg table = reg(inst->operand(0));
    const VReg position = reg(inst->operand(1));
    terminatorDone_ = isTableNextBranch(inst);
    begin(terminatorDone_ ? static_cast<uint16_t>(Op::TNext) : static_cast<uint16_t>(kPseudoTableNext), inst);
    use(position, OperandKind::TiedUse);
    use(table, OperandKind::LateUse);
    def(inst, OperandKind::TiedDef);
}

/// True if nothing but the branch on "position == -1" follows, so that TNext can be the branch.
bool Selector::isTableNextBranch(const ir::Inst* inst) const {
    const ir::Inst* br = inst->block->terminator();
    if (!br->is(ir::Op::Br) || graph_.nodes[currentNode_].numSuccs != 2) return false;
    const ir::Inst* c = br->operand(0);
    if (!c->is(ir::Op::EqI) || !isFusedCondition(c) || c->operand(0) != inst || !c->operand(1)->isConstI64(-1)) return false;
    for (const ir::Inst* i = inst->next; i != br; i = i->next) {
        if (i != c && !i->isConst()) return false;
    }
    return true;
}

void Selector::selectClosure(const ir::Inst* inst) {
    // The captures are stored before anything may collect, so constants among them are loaded first.
    std::vector<VReg> captures;
    for (ir::Value v : inst->ops()) captures.push_back(reg(v));
    LirInst& i = begin(Op::Closure, inst);
    i.imm = static_cast<int32_t>(captures.size());
    i.index = inst->immFn->index();
    def(inst);
    for (uint32_t k = 0; k < captures.size(); k++) {
        begin(Op::SetCap, inst).imm = static_cast<int32_t>(k);
        use(inst->id);
        use(captures[k]);
    }
}

}  // namespace luapp::bc
