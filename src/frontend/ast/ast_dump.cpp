#include "frontend/ast/ast_dump.h"

#include <charconv>
#include <vector>

#include "frontend/ast/ast_visit.h"

namespace luapp::frontend {

std::string quoteBytes(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out = "\"";
    for (const char c : bytes) {
        switch (c) {
            case '\n': out += "\\n"; continue;
            case '\r': out += "\\r"; continue;
            case '\t': out += "\\t"; continue;
            case '"': case '\\': out += '\\'; break;
            default:
                if (c < 0x20 || c == 0x7F) {  // bytes from 0x80 are negative
                    out += std::string("\\x") + kDigits[uint8_t(c) >> 4] + kDigits[uint8_t(c) & 15];
                    continue;
                }
        }
        out += c;
    }
    return out + '"';
}

namespace {

/// From how many links on a chain of binary operators is printed flat instead of nested.
constexpr size_t kLongChain = 20;

std::string numberText(double value) {
    char buffer[40];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
    return {buffer, result.ptr};
}

/// What both printers do with a field: values become text, nodes become children.
template <class Derived>
class FieldPrinter {
  public:
    explicit FieldPrinter(const Interner& interner) : interner_(interner) {}

    void operator()(std::string_view name, Symbol value) { value_(name, interner_.text(value)); }
    void operator()(std::string_view name, std::string_view value) {
        // Operators and keywords read better bare; everything else is user text.
        const bool isBare = name == "op" || name == "access" || name == "bool";
        value_(name, isBare ? std::string(value) : quoteBytes(value));
    }
    void operator()(std::string_view name, bool value) {
        if (value) self().flag(name);
    }
    void operator()(std::string_view name, double value) { value_(name, numberText(value)); }
    void operator()(std::string_view name, const Node* child) {
        if (child && self().wantsChildren()) self().child(name, *child);
    }
    template <class N>
    void operator()(std::string_view name, const List<N*>& list) {
        if (list.empty() || !self().wantsChildren()) return;
        self().open(name);
        for (const N* item : list) self().child("", *item);
        self().close();
    }
    void operator()(std::string_view name, const List<std::string_view>& list) {
        std::string all;
        for (const std::string_view item : list) all += (all.empty() ? "" : ", ") + quoteBytes(item);
        value_(name, all);
    }
    template <class Part>
    void operator()(std::string_view name, const List<Part>& list) {
        if (list.empty() || !self().wantsChildren()) return;
        self().open(name);
        for (const Part& item : list) self().part(item);
        self().close();
    }
    void operator()(std::string_view name, const Block& block) {
        if (!self().wantsChildren()) return;
        self().open(name);
        for (const Stmt* statement : block.statements) self().child("", *statement);
        self().close();
    }
    /// The modifiers and the body of a function are printed as fields of what they belong to.
    void operator()(std::string_view, const Modifiers& modifiers) { modifiers.fields(self()); }
    void operator()(std::string_view, const FunctionBody& body) { body.fields(self()); }
    void operator()(std::string_view, const ResultTypes& results) {
        (*this)("void", results.isVoid);
        (*this)("results", results.types);
    }
    void operator()(std::string_view name, const NameDecl& decl) {
        if (!self().wantsChildren()) return;
        self().open(name);
        self().fieldsOf([&](auto& f) { decl.fields(f); });
        self().close();
    }


    template <class Part>
    void part(const Part& item) {
        self().open("");
        self().fieldsOf([&](auto& f) { item.fields(f); });
        self().close();
    }
    void part(const Param& param) {
        self().open("");
        self().fieldsOf([&](auto& f) {
            param.decl.fields(f);
            f("default", static_cast<const Node*>(param.defaultValue));
        });
        self().close();
    }

  protected:
    Derived& self() { return static_cast<Derived&>(*this); }
    void value_(std::string_view name, std::string_view text) {
        if (!text.empty()) self().value(name, text);
    }

    const Interner& interner_;
};

bool isStmt(NodeKind kind) {
    switch (kind) {
#define LUAPP_IS_STMT_Expr false
#define LUAPP_IS_STMT_Type false
#define LUAPP_IS_STMT_Stmt true
#define LUAPP_IS_STMT_Decl true
#define LUAPP_NODE(Kind, Category, Meaning) \
    case NodeKind::Kind: return LUAPP_IS_STMT_##Category;
#include "frontend/ast/ast_nodes.def"
#undef LUAPP_IS_STMT_Expr
#undef LUAPP_IS_STMT_Type
#undef LUAPP_IS_STMT_Stmt
#undef LUAPP_IS_STMT_Decl
    }
    return false;
}

bool isType(NodeKind kind) {
    switch (kind) {
#define LUAPP_IS_TYPE_Expr false
#define LUAPP_IS_TYPE_Type true
#define LUAPP_IS_TYPE_Stmt false
#define LUAPP_IS_TYPE_Decl false
#define LUAPP_NODE(Kind, Category, Meaning) \
    case NodeKind::Kind: return LUAPP_IS_TYPE_##Category;
#include "frontend/ast/ast_nodes.def"
#undef LUAPP_IS_TYPE_Expr
#undef LUAPP_IS_TYPE_Type
#undef LUAPP_IS_TYPE_Stmt
#undef LUAPP_IS_TYPE_Decl
    }
    return false;
}

template <class F>
void visitFields(const Node& node, F& f) {
    switch (node.kind) {
#define LUAPP_NODE(Kind, Category, Meaning) \
    case NodeKind::Kind: static_cast<const Kind&>(node).fields(f); break;
#include "frontend/ast/ast_nodes.def"
    }
}

class TextDumper : public FieldPrinter<TextDumper> {
  public:
    using FieldPrinter::FieldPrinter;

    std::string take() { return std::move(out_); }

    void node(const Node& node) { child("", node); }

    /// Values stand on the line of what they belong to, so all of them are printed before the first child.
    template <class Fields>
    void fieldsOf(Fields&& fields) {
        const bool before = isAtChildren_;
        isAtChildren_ = false;
        fields(*this);
        isAtChildren_ = true;
        fields(*this);
        isAtChildren_ = before;
    }
    bool wantsChildren() const { return isAtChildren_; }

    void value(std::string_view name, std::string_view text) {
        if (isAtChildren_) return;
        // The first value beside a kind needs no name if it is the obvious one.
        const bool isObvious = name == "name" || name == "value" || name == "op" || name == "field" || name == "label" || name == "bool";
        out_ += ' ';
        if (!isObvious) (out_ += name) += '=';
        out_ += text;
    }
    void flag(std::string_view name) {
        if (isAtChildren_) return;
        // `isConst` prints as `const`.
        out_ += ' ';
        if (name.starts_with("is")) {
            out_ += char(name[2] | 32);
            out_ += name.substr(3);
        } else {
            out_ += name;
        }
    }
    void open(std::string_view name) {
        line();
        out_ += name.empty() ? "-" : name;
        ++depth_;
    }
    void close() { --depth_; }

    void child(std::string_view name, const Node& node) {
        line();
        if (!name.empty()) (out_ += name) += ": ";
        out_ += nodeKindName(node.kind);
        if (isStmt(node.kind) && static_cast<const Stmt&>(node).isExported) out_ += " exported";
        ++depth_;
        const auto* binary = as<BinaryExpr>(&node);
        if (!binary || !longChain(*binary)) {
            fieldsOf([&](auto& f) { visitFields(node, f); });
        }
        --depth_;
    }

  private:
    void line() {
        if (!out_.empty()) out_ += '\n';
        out_.append(size_t(depth_) * 2, ' ');
    }

    /// A long chain prints flat: its first operand, then each operator with its right operand.
    bool longChain(const BinaryExpr& top) {
        std::vector<const BinaryExpr*> spine;
        const Expr* first = &top;
        while (const auto* binary = as<BinaryExpr>(first)) {
            spine.push_back(binary);
            first = binary->left;
        }
        if (spine.size() < kLongChain) return false;
        out_ += " chain";
        child("first", *first);
        for (size_t i = spine.size(); i-- > 0;) child(spelling(spine[i]->op), *spine[i]->right);
        return true;
    }

    std::string out_;
    int depth_ = 0;
    bool isAtChildren_ = true;
};

/// A graph for people: annotations stand in one box with what they belong to, on green; lists of children are names at edges.
class DotDumper : public FieldPrinter<DotDumper> {
  public:
    DotDumper(const Module& module, const Interner& interner) : FieldPrinter(interner), file_(*module.file) {}

    using FieldPrinter::operator();
    using FieldPrinter::part;

    template <class Fields>
    void fieldsOf(Fields&& fields) {
        fields(*this);
    }
    bool wantsChildren() const { return true; }

    std::string finish(const Module& module) {
        places_.push_back({newBox("program"), {}});
        for (const Stmt* statement : module.main->body.statements) child("", *statement);
        places_.pop_back();
        out_ = "digraph ast {\n  node [shape=box, fontname=\"monospace\"];\n";
        for (size_t i = 0; i < boxes_.size(); ++i) writeBox(i);
        return out_ + edges_ + "}\n";
    }

    void value(std::string_view name, std::string_view text) {
        const bool isBare = name == "name" || name == "value" || name == "op" || name == "field" || name == "label" || name == "bool";
        addLine(isBare ? std::string(text) : std::string(name) + ": " + std::string(text));
    }
    void flag(std::string_view name) {
        if (name == "usesVararg") return;
        addLine(name.starts_with("is") ? std::string(1, char(name[2] | 32)) + std::string(name.substr(3)) : std::string(name));
    }

    /// A list of children gives its name to their edges; a part of a node that is no node has a box of its own.
    void open(std::string_view name) {
        if (!name.empty()) {
            places_.push_back({places_.back().box, std::string(name)});
            return;
        }
        const size_t box = newBox("");
        edge(box, "");
        places_.push_back({box, {}});
    }
    void close() { places_.pop_back(); }

    /// A function has its type beside its name, as a variable has.
    void operator()(std::string_view, const FunctionBody& body) {
        boxes_[places_.back().box].type = functionType(body);
        (*this)("typeParams", body.typeParams);
        (*this)("params", body.params);
        if (body.hasBody) (*this)("body", body.body);
    }
    void part(const BraceItem& item) {
        if (item.kind == BraceItemKind::Positional) {
            child("", *item.value);
        } else {
            FieldPrinter::part(item);
        }
    }

    void child(std::string_view name, const Node& node) {
        if (isType(node.kind) && !name.empty()) {
            boxes_[places_.back().box].type = source(node.range);
            return;
        }
        // A chain of binary operators goes down its left side in a loop: it may be longer than the stack is deep.
        const size_t mark = places_.size();
        const Node* at = &node;
        while (const auto* binary = as<BinaryExpr>(at)) {
            enter("BinaryExpr\n" + std::string(spelling(binary->op)), name);
            child("right", *binary->right);
            at = binary->left;
            name = "left";
        }
        if (isType(at->kind)) {
            enter("", name);
            boxes_[places_.back().box].type = source(at->range);
        } else {
            enter(nodeKindName(at->kind), name);
            if (isStmt(at->kind) && static_cast<const Stmt*>(at)->isExported) addLine("exported");
            visitFields(*at, *this);
        }
        places_.resize(mark);
    }

  private:
    struct Box {
        std::string text;  ///< lines; may be empty
        std::string type;  ///< the annotation beside it; may be empty
    };
    /// Where children go: the box, and what their edges are called if they have no name of their own.
    struct Place {
        size_t box;
        std::string edgeName;
    };

    size_t newBox(std::string_view text) {
        boxes_.push_back({std::string(text), {}});
        return boxes_.size() - 1;
    }
    void enter(std::string_view text, std::string_view edgeName) {
        const size_t box = newBox(text);
        edge(box, edgeName);
        places_.push_back({box, {}});
    }
    void addLine(std::string_view line) {
        std::string& text = boxes_[places_.back().box].text;
        if (!text.empty()) text += '\n';
        text += line;
    }
    void edge(size_t to, std::string_view name) {
        const Place& from = places_.back();
        if (name.empty()) name = from.edgeName;
        edges_ += "  n" + std::to_string(from.box) + " -> n" + std::to_string(to);
        if (!name.empty()) edges_ += " [label=\"" + std::string(name) + "\"]";
        edges_ += ";\n";
    }

    /// The text of the file there, on one line.
    std::string source(Range range) const {
        std::string out;
        for (const char c : file_.textOf(range)) {
            const bool isBlank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
            if (!isBlank) {
                out += c;
            } else if (!out.empty() && out.back() != ' ') {
                out += ' ';
            }
        }
        return out;
    }
    /// `Function(number, string): boolean`; a parameter without annotation shows its name.
    std::string functionType(const FunctionBody& body) const {
        std::string out;
        for (const Param& param : body.params) {
            out += (out.empty() ? "" : ", ") + source(param.decl.type ? param.decl.type->range : param.decl.range);
        }
        if (body.isVararg) out += (out.empty() ? "..." : ", ...") + (body.varargType ? source(body.varargType->range) : "");
        out = "Function(" + out + ")";
        return body.results.isWritten ? out + ": " + source(body.results.range) : out;
    }

    void writeBox(size_t index) {
        const Box& box = boxes_[index];
        out_ += "  n" + std::to_string(index);
        if (box.text.empty() && box.type.empty()) {  // a clause, an item with a key: its children say what it is
            out_ += " [shape=point];\n";
            return;
        }
        if (box.type.empty()) {
            out_ += " [label=\"";
            for (const char c : box.text) {
                if (c == '"' || c == '\\') out_ += '\\';
                out_ += c == '\n' ? "\\n" : std::string(1, c);
            }
            out_ += "\"];\n";
            return;
        }
        out_ += " [shape=plain, label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\" cellpadding=\"6\"><tr>";
        if (!box.text.empty()) out_ += "<td>" + html(box.text) + "</td>";
        out_ += "<td bgcolor=\"palegreen\">" + html(box.type) + "</td></tr></table>>];\n";
    }
    static std::string html(std::string_view text) {
        std::string out;
        for (const char c : text) {
            switch (c) {
                case '<': out += "&lt;"; break;
                case '>': out += "&gt;"; break;
                case '&': out += "&amp;"; break;
                case '\n': out += "<br/>"; break;
                default: out += c;
            }
        }
        return out;
    }

    const SourceFile& file_;
    std::string out_;
    std::string edges_;
    std::vector<Box> boxes_;
    std::vector<Place> places_;
};

}  // namespace

std::string dumpAst(const Module& module, const Interner& interner) {
    std::string out = "Module";
    const auto flag = [&](bool isSet, std::string_view name) {
        if (isSet) (out += ' ') += name;
    };
#define LUAPP_ATTRIBUTE(Name, Field, Meaning) flag(module.attributes.Field, Name);
#include "frontend/lex/attributes.def"
    flag(module.main->usesVararg, "usesVararg");
    for (const Stmt* statement : module.main->body.statements) {
        TextDumper dumper(interner);
        dumper.node(*statement);
        out += "\n  ";
        for (const char c : dumper.take()) {
            out += c;
            if (c == '\n') out += "  ";
        }
    }
    return out + "\n";
}

std::string dumpType(const TypeNode& type, const Interner& interner) {
    TextDumper dumper(interner);
    dumper.node(type);
    return dumper.take() + "\n";
}

std::string dumpAstDot(const Module& module, const Interner& interner) { return DotDumper(module, interner).finish(module); }

}  // namespace luapp::frontend
