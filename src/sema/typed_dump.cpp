#include "sema/typed_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "sema/builtin_types.h"
#include "sema/class_info.h"

namespace luapp::sema {

namespace {

const char* arithName(ArithOp op) {
    switch (op) {
        case ArithOp::Add: return "+";
        case ArithOp::Sub: return "-";
        case ArithOp::Mul: return "*";
        case ArithOp::Div: return "/";
        case ArithOp::Mod: return "%";
        case ArithOp::Pow: return "^";
        case ArithOp::IDiv: return "//";
        case ArithOp::BAnd: return "&";
        case ArithOp::BOr: return "|";
        case ArithOp::BXor: return "~";
        case ArithOp::Shl: return "<<";
        case ArithOp::Shr: return ">>";
    }
    return "?";
}

const char* compareName(CompareOp op) {
    switch (op) {
        case CompareOp::Eq: return "==";
        case CompareOp::Ne: return "~=";
        case CompareOp::Lt: return "<";
        case CompareOp::Le: return "<=";
        case CompareOp::Gt: return ">";
        case CompareOp::Ge: return ">=";
    }
    return "?";
}

const char* convertName(ConvertKind kind) {
    switch (kind) {
        case ConvertKind::Retype: return "retype";
        case ConvertKind::Widen: return "widen";
        case ConvertKind::Narrow: return "narrow";
        case ConvertKind::Check: return "check";
        case ConvertKind::NonNil: return "nonnil";
        case ConvertKind::Adapt: return "adapt";
    }
    return "?";
}

const char* reasonName(CheckReason reason) {
    switch (reason) {
        case CheckReason::Assign: return "";
        case CheckReason::Argument: return " argument";
        case CheckReason::Return: return " return";
        case CheckReason::Cast: return " cast";
        case CheckReason::Index: return " index";
        case CheckReason::Integer: return " integer";
        case CheckReason::Bang: return " bang";
        case CheckReason::MissingKey: return " key";
        case CheckReason::LoopVar: return " loop variable";
        case CheckReason::Element: return " element";
        case CheckReason::BitOperand:
        case CheckReason::BitLeft:
        case CheckReason::BitRight: return " integer";
    }
    return "";
}

/// Prints one function.
class Dumper {
  public:
    Dumper(const TypedProgram& program, const frontend::Interner& interner, std::string& out)
        : program_(program), interner_(interner), out_(out) {}

    void function(const TypedFunction& f) {
        temps_.clear();
        depth_ = 0;
        line(fmt::format("{}function {}{}", f.isConst ? "const " : "", f.name, f.type ? type(f.type) : "?"));
        if (!f.captures.empty()) {
            std::string list;
            for (const Variable* v : f.captures)
                list += (list.empty() ? "" : ", ") + name(v) + (v->inCell() ? " (cell)" : "");
            line("  captures " + list);
        }
        for (uint32_t i = 0; i < f.params.count; i++) {
            std::string text = fmt::format("  param {}: {}", name(f.params[i]), type(f.params[i]->type));
            if (f.params[i]->inCell()) text += " (cell)";
            if (i < f.defaults.count && f.defaults[i]) text += " = " + expr(f.defaults[i]);
            line(text);
        }
        if (f.body) body(f.body);
        line("end");
    }

    /// What the objects of a class have and understand.
    void classTable(const TypedClass& c) {
        std::string bases;
        for (const TypedClass* ancestor : c.ancestors)
            if (ancestor != &c) bases += (bases.empty() ? " : " : ", ") + type(ancestor->type);
        for (const InterfaceType* implemented : c.interfaces) bases += (bases.empty() ? " : " : ", ") + type(implemented);
        line(fmt::format("class {}{}", type(c.type), bases));
        for (const TypedField& field : c.fields)
            line(fmt::format("  field {}: {}{}{}", field.name ? interner_.text(field.name) : "(hidden)", type(field.type),
                             field.isConst ? " const" : "", field.mayBeUnset ? " unset" : ""));
        for (const TypedDispatch& d : c.dispatch) {
            const char* half = d.answer == TypedDispatch::Answer::Get ? " get" : d.answer == TypedDispatch::Answer::Set ? " set" : "";
            line(fmt::format("  answer {}.{}{} {} by {}", type(d.owner), memberName(*d.method), half, type(d.type),
                             d.function ? std::string(d.function->name) : fieldOf(d.fieldOwner, d.field)));
        }
        line("end");
    }

  private:
    std::string type(const Type* t) const { return program_.types.print(t); }
    std::string name(const Variable* v) {
        if (v->name) return std::string(interner_.text(v->name));
        auto [at, isNew] = temps_.try_emplace(v, temps_.size() + 1);
        return fmt::format("%{}", at->second);
    }
    void line(std::string_view text) {
        out_.append(size_t(depth_) * 2, ' ');
        out_ += text;
        out_ += '\n';
    }
    void body(const TBlock* b) {
        depth_++;
        for (const TStmt* s : b->stmts) stmt(s);
        depth_--;
    }

    std::string list(const List<TExpr*>& exprs) {
        std::string text;
        for (const TExpr* e : exprs) text += (text.empty() ? "" : ", ") + expr(e);
        return text;
    }
    static std::string quote(std::string_view text) {
        std::string out = "\"";
        for (unsigned char c : text) {
            if (c == '"' || c == '\\') {
                out += '\\';
                out += char(c);
            } else if (c < 32 || c == 127) {
                out += fmt::format("\\{}", int(c));
            } else {
                out += char(c);
            }
        }
        return out + "\"";
    }

    /// Left operands may nest by the thousand.
    std::string binary(const TExpr* e) {
        std::vector<const TBinary*> spine;
        while (e->kind == TExprKind::Binary) {
            spine.push_back(e->as<TBinary>());
            e = spine.back()->left;
        }
        std::string text(spine.size(), '(');
        text += expr(e);
        for (size_t i = spine.size(); i-- > 0;)
            text += fmt::format(" {} {})", arithName(spine[i]->op), expr(spine[i]->right));
        return text;
    }

    /// As binary().
    std::string logical(const TExpr* e) {
        std::vector<const TLogical*> spine;
        while (e->kind == TExprKind::Logical) {
            spine.push_back(e->as<TLogical>());
            e = spine.back()->left;
        }
        std::string text(spine.size(), '(');
        text += expr(e);
        for (size_t i = spine.size(); i-- > 0;) {
            const TLogical* n = spine[i];
            if (n->temp)
                text += fmt::format(" as {} test {} gives {}", name(n->temp), expr(n->test), expr(n->leftAsResult));
            text += (n->isAnd ? " and " : " or ") + expr(n->right) + ")";
        }
        return text;
    }

    std::string call(const TCall* c) {
        std::string text;
        switch (c->callKind) {
            case CallKind::Function: text = fmt::format("call {}", c->function->name); break;
            case CallKind::Method:
                text = fmt::format("callmethod {}.{}{}", type(c->methodOwner), memberName(*c->method), c->method->writes ? "=" : "");
                break;
            case CallKind::Closure: text = "callclosure " + expr(c->callee); break;
            case CallKind::Dynamic: text = "calldyn " + expr(c->callee); break;
            case CallKind::Builtin: {
                const BuiltinEntry& entry = Builtins::at(c->builtin);
                text = fmt::format("builtin {}", entry.name);
                if (entry.kind == BuiltinKind::Case)
                    text +=
                        entry.literal.empty() ? fmt::format("{}", entry.signature) : fmt::format("[{}]", entry.literal);
                if (c->typeArgument) text += "<" + type(c->typeArgument) + ">";
                break;
            }
        }
        text += "(" + list(c->args);
        if (!c->extras.empty()) text += (c->args.empty() ? "... " : ", ... ") + list(c->extras);
        if (c->pack) text += (c->args.empty() && c->extras.empty() ? "pack " : ", pack ") + expr(c->pack);
        return text + ")";
    }

    std::string_view memberName(const MethodInfo& method) const { return interner_.text(method.name); }
    std::string fieldOf(const ClassType* owner, uint32_t field) const {
        const FieldInfo& info = *owner->info->objectFields[field];
        return fmt::format("{}.{}{}", type(owner), info.name ? interner_.text(info.name) : "(shared)",
                           info.mayBeUnset ? "!set" : "");
    }

    std::string expr(const TExpr* e) {
        switch (e->kind) {
            case TExprKind::ObjectNew: {
                auto* n = e->as<TObjectNew>();
                std::string text = fmt::format("new {}({}", type(n->type), list(n->args));
                if (!n->extras.empty()) text += (n->args.empty() ? "... " : ", ... ") + list(n->extras);
                if (n->pack) text += (n->args.empty() && n->extras.empty() ? "pack " : ", pack ") + expr(n->pack);
                text += ")";
                if (!n->constructor) text += " plain";
                if (n->ready) text += " when " + expr(n->ready);
                return text;
            }
            case TExprKind::FieldGet: {
                auto* n = e->as<TFieldGet>();
                return fmt::format("{}.[{}]", expr(n->object), fieldOf(n->owner, n->field));
            }
            case TExprKind::BoundMethod: {
                auto* n = e->as<TBoundMethod>();
                return fmt::format("bound {}.[{}.{}{}]", expr(n->object), type(n->methodOwner), memberName(*n->method),
                                   n->function ? " direct" : "");
            }
            case TExprKind::ClassRef: return fmt::format("class {}", type(e->as<TClassRef>()->classType));
            case TExprKind::NilConst: return "nil";
            case TExprKind::BoolConst: return e->as<TBoolConst>()->value ? "true" : "false";
            case TExprKind::NumberConst: return fmt::format("{}", e->as<TNumberConst>()->value);
            case TExprKind::IntegerConst: return fmt::format("{}i", e->as<TIntegerConst>()->value);
            case TExprKind::StringConst: return quote(e->as<TStringConst>()->value);
            case TExprKind::VarGet: {
                auto* get = e->as<TVarGet>();
                return name(get->variable) + (get->checked ? "!set" : "");
            }
            case TExprKind::FuncRef: return fmt::format("func {}", e->as<TFuncRef>()->function->name);
            case TExprKind::BuiltinRef:
                return fmt::format("builtin {}", Builtins::at(e->as<TBuiltinRef>()->builtin).name);
            case TExprKind::Unary: {
                auto* n = e->as<TUnary>();
                return fmt::format("({}{})", n->op == UnaryOp::Neg ? "-" : "~", expr(n->operand));
            }
            case TExprKind::Binary: return binary(e);
            case TExprKind::Compare: {
                auto* n = e->as<TCompare>();
                return fmt::format("({} {} {})", expr(n->left), compareName(n->op), expr(n->right));
            }
            case TExprKind::Not: return "not " + expr(e->as<TNot>()->operand);
            case TExprKind::Logical: return logical(e);
            case TExprKind::Truthy: return "truthy(" + expr(e->as<TTruthy>()->operand) + ")";
            case TExprKind::Concat: return "concat(" + list(e->as<TConcat>()->parts) + ")";
            case TExprKind::ToString: return "tostring(" + expr(e->as<TToString>()->operand) + ")";
            case TExprKind::Length: return "#" + expr(e->as<TLength>()->operand);
            case TExprKind::Conditional: {
                auto* n = e->as<TConditional>();
                return fmt::format("(if {} then {} else {})", expr(n->condition), expr(n->then), expr(n->otherwise));
            }
            case TExprKind::Let: {
                auto* n = e->as<TLet>();
                std::string text = "(let ";
                for (const TStmt* s : n->stmts) text += inlineStmt(s) + "; ";
                return text + "in " + expr(n->result) + ")";
            }
            case TExprKind::Call: return call(e->as<TCall>());
            case TExprKind::Vararg: return "...";
            case TExprKind::VarargAt: return fmt::format("...[{}]", e->as<TVarargAt>()->index);
            case TExprKind::PackCount: return "packcount(" + expr(e->as<TPackCount>()->pack) + ")";
            case TExprKind::PackSelect:
                return fmt::format("packselect({}, {})", expr(e->as<TPackSelect>()->from),
                                   expr(e->as<TPackSelect>()->pack));
            case TExprKind::IterTriplet:
                return fmt::format("iter{}({})", e->as<TIterTriplet>()->variables,
                                   expr(e->as<TIterTriplet>()->operand));
            case TExprKind::ArrayGet:
                return fmt::format("{}[{}]", expr(e->as<TArrayGet>()->array), expr(e->as<TArrayGet>()->index));
            case TExprKind::TableGet: {
                auto* n = e->as<TTableGet>();
                return fmt::format("{}{{{}}}{}", expr(n->table), expr(n->key), n->checked ? "!key" : "");
            }
            case TExprKind::RecordGet: {
                auto* n = e->as<TRecordGet>();
                return fmt::format("{}.{}", expr(n->record), fieldName(n->record->type, n->field));
            }
            case TExprKind::IndexDyn:
                return fmt::format("dyn {}[{}]", expr(e->as<TIndexDyn>()->object), expr(e->as<TIndexDyn>()->key));
            case TExprKind::MemberDyn:
                return fmt::format("dyn {}{}{}", expr(e->as<TMemberDyn>()->object),
                                   e->as<TMemberDyn>()->isMethod ? ':' : '.',
                                   interner_.text(e->as<TMemberDyn>()->name));
            case TExprKind::Convert: {
                auto* n = e->as<TConvert>();
                return fmt::format("{}<{}{}>({})", convertName(n->convertKind), type(n->type),
                                   n->convertKind == ConvertKind::Check ? reasonName(n->reason) : "", expr(n->operand));
            }
            case TExprKind::TypeTest:
                return fmt::format("({} is {})", expr(e->as<TTypeTest>()->operand), type(e->as<TTypeTest>()->testType));
            case TExprKind::Closure: return fmt::format("closure {}", e->as<TClosure>()->function->name);
            case TExprKind::ArrayLit: {
                auto* n = e->as<TArrayLit>();
                std::string text = list(n->elements);
                if (n->pack) text += (text.empty() ? "pack " : ", pack ") + expr(n->pack);
                return type(n->type) + "{" + text + "}";
            }
            case TExprKind::TableLit: {
                std::string text;
                for (const TTableEntry& entry : e->as<TTableLit>()->entries)
                    text += fmt::format("{}[{}] = {}", text.empty() ? "" : ", ", expr(entry.key), expr(entry.value));
                return type(e->type) + "{" + text + "}";
            }
            case TExprKind::RecordLit: {
                std::string text;
                for (const TFieldInit& init : e->as<TRecordLit>()->inits)
                    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", fieldName(e->type, init.field),
                                        expr(init.value));
                return "{" + text + "}";
            }
            case TExprKind::GlobalGet: return fmt::format("global {}", interner_.text(e->as<TGlobalGet>()->name));
            case TExprKind::LuaTableLit: {
                auto* n = e->as<TLuaTableLit>();
                std::string text;
                for (const TLuaItem& item : n->items)
                    text += (text.empty() ? "" : ", ") + (item.key ? fmt::format("[{}] = ", expr(item.key)) : "") + expr(item.value);
                if (n->pack) text += (text.empty() ? "pack " : ", pack ") + expr(n->pack);
                return "lua{" + text + "}";
            }
        }
        return "?";
    }

    std::string fieldName(const Type* record, uint32_t field) const {
        return std::string(interner_.text(as<RecordType>(record)->fields[field].name));
    }

    std::string declaration(const Variable* v) {
        std::string text = fmt::format("{}: {}", name(v), type(v->type));
        if (v->inCell()) text += " (cell)";
        if (v->kind == VarKind::Module) text += " (module)";
        return text;
    }

    /// A statement on one line, for Let; one with a body of its own is given by its head.
    std::string inlineStmt(const TStmt* s) {
        std::string saved;
        saved.swap(out_);
        const int depth = depth_;
        depth_ = 0;
        stmt(s);
        std::string text;
        saved.swap(out_);
        std::swap(text, saved);
        depth_ = depth;
        while (!text.empty() && text.back() == '\n') text.pop_back();
        std::replace(text.begin(), text.end(), '\n', ' ');
        return text;
    }

    void loop(const std::string& head, const TBlock* b) {
        line(head);
        body(b);
        line("end");
    }

    void stmt(const TStmt* s) {
        switch (s->kind) {
            case TStmtKind::ExprStmt: line(expr(s->as<TExprStmt>()->expr)); return;
            case TStmtKind::LocalDecl: {
                auto* n = s->as<TLocalDecl>();
                line("local " + declaration(n->variable) + (n->init ? " = " + expr(n->init) : ""));
                return;
            }
            case TStmtKind::MultiBind: {
                std::string text;
                for (const Variable* v : s->as<TMultiBind>()->variables)
                    text += (text.empty() ? "" : ", ") + declaration(v);
                line("bind " + text + " = " + expr(s->as<TMultiBind>()->source));
                return;
            }
            case TStmtKind::Assign:
                line(name(s->as<TAssign>()->variable) + " = " + expr(s->as<TAssign>()->value));
                return;
            case TStmtKind::ArraySet: {
                auto* n = s->as<TArraySet>();
                line(fmt::format("{}[{}] = {}", expr(n->array), expr(n->index), expr(n->value)));
                return;
            }
            case TStmtKind::TableSet: {
                auto* n = s->as<TTableSet>();
                line(fmt::format("{}{{{}}} = {}", expr(n->table), expr(n->key), expr(n->value)));
                return;
            }
            case TStmtKind::RecordSet: {
                auto* n = s->as<TRecordSet>();
                line(fmt::format("{}.{} = {}", expr(n->record), fieldName(n->record->type, n->field), expr(n->value)));
                return;
            }
            case TStmtKind::FieldSet: {
                auto* n = s->as<TFieldSet>();
                line(fmt::format("{}.[{}] = {}", expr(n->object), fieldOf(n->owner, n->field), expr(n->value)));
                return;
            }
            case TStmtKind::SetIndexDyn: {
                auto* n = s->as<TSetIndexDyn>();
                line(fmt::format("dyn {}[{}] = {}", expr(n->object), expr(n->key), expr(n->value)));
                return;
            }
            case TStmtKind::SetMemberDyn: {
                auto* n = s->as<TSetMemberDyn>();
                line(fmt::format("dyn {}.{} = {}", expr(n->object), interner_.text(n->name), expr(n->value)));
                return;
            }
            case TStmtKind::Block: loop("do", s->as<TBlock>()); return;
            case TStmtKind::If: {
                auto* n = s->as<TIf>();
                line("if " + expr(n->condition) + " then");
                body(n->then);
                // else-if chains stay flat.
                while (n->otherwise && n->otherwise->stmts.count == 1 &&
                       n->otherwise->stmts[0]->kind == TStmtKind::If) {
                    n = n->otherwise->stmts[0]->as<TIf>();
                    line("elseif " + expr(n->condition) + " then");
                    body(n->then);
                }
                if (n->otherwise) {
                    line("else");
                    body(n->otherwise);
                }
                line("end");
                return;
            }
            case TStmtKind::While:
                loop("while " + expr(s->as<TWhile>()->condition) + " do", s->as<TWhile>()->body);
                return;
            case TStmtKind::Repeat:
                line("repeat");
                body(s->as<TRepeat>()->body);
                line("until " + expr(s->as<TRepeat>()->condition));
                return;
            case TStmtKind::NumericFor: {
                auto* n = s->as<TNumericFor>();
                std::string head =
                    fmt::format("for {} = {}, {}", declaration(n->variable), expr(n->start), expr(n->limit));
                if (n->step) head += ", " + expr(n->step);
                loop(head + " do", n->body);
                return;
            }
            case TStmtKind::ForArray: {
                auto* n = s->as<TForArray>();
                loop(fmt::format("for {}{} in array {} do", n->index ? declaration(n->index) + ", " : "",
                                 declaration(n->value), expr(n->array)),
                     n->body);
                return;
            }
            case TStmtKind::ForTable: {
                auto* n = s->as<TForTable>();
                loop(fmt::format("for {}{} in table {} do", declaration(n->key),
                                 n->value ? ", " + declaration(n->value) : "", expr(n->table)),
                     n->body);
                return;
            }
            case TStmtKind::ForString: {
                auto* n = s->as<TForString>();
                loop(fmt::format("for {}{} in string {} do", n->index ? declaration(n->index) + ", " : "",
                                 declaration(n->value), expr(n->string)),
                     n->body);
                return;
            }
            case TStmtKind::Break: line("break"); return;
            case TStmtKind::Continue: line("continue"); return;
            case TStmtKind::Return: {
                auto* n = s->as<TReturn>();
                std::string text = "return";
                if (!n->values.empty()) text += " " + list(n->values);
                if (n->pack) text += (n->values.empty() ? " pack " : ", pack ") + expr(n->pack);
                line(text);
                return;
            }
            case TStmtKind::GlobalSet:
                line(fmt::format("global {} = {}", interner_.text(s->as<TGlobalSet>()->name), expr(s->as<TGlobalSet>()->value)));
                return;
            case TStmtKind::LuaFor: {
                auto* n = s->as<TLuaFor>();
                std::string head = fmt::format("for {} = {}, to {}", declaration(n->variable), expr(n->start), expr(n->limit));
                if (n->step) head += ", " + expr(n->step);
                loop(head + " do", n->body);
                return;
            }
            case TStmtKind::LuaForIn: {
                auto* n = s->as<TLuaForIn>();
                std::string text;
                for (const Variable* v : n->variables) text += (text.empty() ? "" : ", ") + declaration(v);
                loop(fmt::format("for {} in {}, {}, {} do", text, expr(n->function), expr(n->state), expr(n->control)), n->body);
                return;
            }
            case TStmtKind::Goto: line(fmt::format("goto {}", interner_.text(s->as<TGoto>()->label->name))); return;
            case TStmtKind::Label: line(fmt::format("::{}::", interner_.text(s->as<TLabel>()->name))); return;
        }
    }

    const TypedProgram& program_;
    const frontend::Interner& interner_;
    std::string& out_;
    int depth_ = 0;
    std::unordered_map<const Variable*, size_t> temps_;
};

}  // namespace

std::string dump(const TypedProgram& program, const frontend::Interner& interner,
                 const std::vector<std::string>& functions) {
    std::string out;
    Dumper dumper(program, interner, out);
    for (const TypedFunction* f : program.functions)
        if (functions.empty() || std::find(functions.begin(), functions.end(), f->name) != functions.end())
            dumper.function(*f);
    if (functions.empty())
        for (const TypedClass* c : program.classes) dumper.classTable(*c);
    return out;
}

}  // namespace luapp::sema
