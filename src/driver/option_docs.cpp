#include "driver/option_docs.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <vector>

namespace luapp::driver {

namespace {

/// An option as the documents need it.
struct Row {
    std::vector<std::string> names;  // "-o", "--output"
    std::string value;               // "OUT"; empty for flags
    std::string help;
};

std::vector<Row> rowsOf(CLI::App& app) {
    std::vector<Row> rows;
    for (CLI::Option* option : app.get_options()) {
        if (option->get_positional()) continue;
        Row row;
        for (const std::string& name : option->get_snames()) row.names.push_back("-" + name);
        for (const std::string& name : option->get_lnames()) row.names.push_back("--" + name);
        if (option->get_items_expected_max() != 0) row.value = option->get_type_name();
        row.value = row.value.substr(0, row.value.find(':'));
        row.help = option->get_description();
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string troff(const std::string& text) {
    std::string out;
    for (char c : text) {
        if (c == '\\' || c == '-') out += '\\';
        out += c;
    }
    return out.starts_with('.') ? "\\&" + out : out;
}

void addOptions(std::string& out, CLI::App& app) {
    for (const Row& row : rowsOf(app)) {
        out += ".TP\n.B ";
        for (size_t i = 0; i < row.names.size(); i++) out += (i ? ", " : "") + troff(row.names[i]);
        if (!row.value.empty()) out += " \\fI" + row.value + "\\fR";
        out += "\n" + troff(row.help) + "\n";
    }
}

/// Words separated by blanks.
std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& w : words) out += (out.empty() ? "" : " ") + w;
    return out;
}

std::string optionWords(CLI::App& app) {
    std::vector<std::string> words;
    for (const Row& row : rowsOf(app)) words.insert(words.end(), row.names.begin(), row.names.end());
    return joined(words);
}

std::string commandWords(CLI::App& app) {
    std::vector<std::string> words;
    for (CLI::App* sub : app.get_subcommands(nullptr)) words.push_back(sub->get_name());
    return joined(words);
}

std::string bashScript(CLI::App& app) {
    std::string out = "# bash completion for luapp\n_luapp() {\n    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} options\n"
                      "    if [ \"$COMP_CWORD\" = 1 ]; then\n        COMPREPLY=($(compgen -W '" +
                      commandWords(app) + "' -- \"$word\"))\n        return\n    fi\n    case $command in\n";
    for (CLI::App* sub : app.get_subcommands(nullptr)) out += "        " + sub->get_name() + ") options='" + optionWords(*sub) + "' ;;\n";
    return out + "    esac\n    case $word in\n        -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
                 "        *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n    esac\n}\ncomplete -o filenames -F _luapp luapp\n";
}

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string zshScript(CLI::App& app) {
    std::string out = "#compdef luapp\n_luapp() {\n    if (( CURRENT == 2 )); then\n        local -a commands=(";
    for (CLI::App* sub : app.get_subcommands(nullptr)) out += "\n            " + quoted(sub->get_name() + ":" + sub->get_description());
    out += ")\n        _describe command commands\n        return\n    fi\n    case $words[2] in\n";
    for (CLI::App* sub : app.get_subcommands(nullptr)) {
        out += "        " + sub->get_name() + ") _arguments";
        for (const Row& row : rowsOf(*sub)) {
            std::string help;
            for (char c : row.help) help += c == '[' || c == ']' || c == ':' ? std::string("\\") + c : std::string(1, c);
            for (const std::string& name : row.names) out += " " + quoted(name + "[" + help + "]" + (row.value.empty() ? "" : ":" + row.value));
        }
        out += " '*:file:_files' ;;\n";
    }
    return out + "    esac\n}\n_luapp \"$@\"\n";
}

std::string fishScript(CLI::App& app) {
    std::string out = "# fish completion for luapp\n";
    for (CLI::App* sub : app.get_subcommands(nullptr)) {
        out += "complete -c luapp -n __fish_use_subcommand -a " + sub->get_name() + " -d " + quoted(sub->get_description()) + "\n";
        for (const Row& row : rowsOf(*sub)) {
            out += "complete -c luapp -n '__fish_seen_subcommand_from " + sub->get_name() + "'";
            for (const std::string& name : row.names) out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            out += (row.value.empty() ? "" : " -r") + std::string(" -d ") + quoted(row.help) + "\n";
        }
    }
    return out;
}

}  // namespace

std::string manualPage(CLI::App& app, const std::string& version) {
    std::string out = ".TH LUAPP 1 \"\" \"" + troff(version) + "\" \"Lua++\"\n.SH NAME\nluapp \\- " + troff(app.get_description()) +
                      "\n.SH SYNOPSIS\n.B luapp\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n.SH COMMANDS\n";
    for (CLI::App* sub : app.get_subcommands(nullptr)) {
        out += ".SS luapp " + sub->get_name() + "\n" + troff(sub->get_description()) + ".\n";
        addOptions(out, *sub);
    }
    return out + ".SH EXIT STATUS\n" + troff(app.get_footer()) +
           "\n.SH ENVIRONMENT\n.TP\n.B LUAPP_PATH\nfolders, separated by colons, in which imported modules are looked for\n"
           ".TP\n.B NO_COLOR\nif set, messages have no colour\n";
}

std::string completionScript(CLI::App& app, const std::string& shell) {
    if (shell == "bash") return bashScript(app);
    if (shell == "zsh") return zshScript(app);
    if (shell == "fish") return fishScript(app);
    return {};
}

}  // namespace luapp::driver
