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
        for (const Part& item : list) part(item);
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

  protected:
    Derived& self() { return static_cast<Derived&>(*this); }
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

class DotDumper : public FieldPrinter<DotDumper> {
  public:
    using FieldPrinter::FieldPrinter;

    template <class Fields>
    void fieldsOf(Fields&& fields) {
        fields(*this);
    }
    bool wantsChildren() const { return true; }

    std::string finish(const Module& module) {
        out_ = "digraph ast {\n  node [shape=box, fontname=\"monospace\"];\n";
        const int root = newNode("Module");
        parents_.push_back(root);
        module.main->body.fields(*this);
        parents_.pop_back();
        flush();
        return out_ + "}\n";
    }

    void value(std::string_view name, std::string_view text) {
        label() += "\n" + std::string(name) + ": " + std::string(text);
    }
    void flag(std::string_view name) { label() += "\n" + std::string(name); }
    void open(std::string_view name) {
        const int id = newNode(name.empty() ? "item" : name);
        edge(id, "");
        parents_.push_back(id);
    }
    void close() { parents_.pop_back(); }

    void child(std::string_view name, const Node& node) {
        // A chain of binary operators goes down its left side in a loop: it may be longer than the stack is deep.
        const size_t mark = parents_.size();
        const Node* at = &node;
        while (const auto* binary = as<BinaryExpr>(at)) {
            const int id = newNode(std::string("BinaryExpr ") + std::string(spelling(binary->op)));
            edge(id, name);
            parents_.push_back(id);
            child("right", *binary->right);
            at = binary->left;
            name = "left";
        }
        const int id = newNode(nodeKindName(at->kind));
        edge(id, name);
        parents_.push_back(id);
        visitFields(*at, *this);
        parents_.resize(mark);
    }

  private:
    int newNode(std::string_view text) {
        labels_.emplace_back(text);
        return int(labels_.size()) - 1;
    }
    std::string& label() { return labels_[size_t(parents_.back())]; }
    void edge(int to, std::string_view name) {
        edges_ += "  n" + std::to_string(parents_.back()) + " -> n" + std::to_string(to);
        if (!name.empty()) edges_ += " [label=\"" + std::string(name) + "\"]";
        edges_ += ";\n";
    }
    void flush() {
        for (size_t i = 0; i < labels_.size(); ++i) {
            out_ += "  n" + std::to_string(i) + " [label=\"";
            for (const char c : labels_[i]) {
                if (c == '\n') {
                    out_ += "\\n";
                    continue;
                }
                if (c == '"' || c == '\\') out_ += '\\';
                out_ += c;
            }
            out_ += "\"];\n";
        }
        out_ += edges_;
    }

    std::string out_;
    std::string edges_;
    std::vector<std::string> labels_;
    std::vector<int> parents_;
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

std::string dumpAstDot(const Module& module, const Interner& interner) { return DotDumper(interner).finish(module); }

}  // namespace luapp::frontend
