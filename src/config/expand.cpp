#include "expand.hpp"

#include <algorithm>

namespace sallyport::config {

namespace {

bool is_variable_name(std::string_view name)
{
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !name.empty() && is_letter(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// What "VAR" or "VAR:-default" stands for.
std::expected<std::string, std::string> look_up(std::string_view inside, const Environment& environment)
{
    const std::size_t dash = inside.find(":-");
    const std::string name{inside.substr(0, dash)};
    if (!is_variable_name(name)) return std::unexpected{quote(name) + " is not the name of a variable: write ${NAME}"};
    const std::optional<std::string> found = environment ? environment(name) : std::nullopt;
    if (dash != std::string_view::npos) {
        // As a shell does: an empty variable takes the default too.
        return found && !found->empty() ? *found : std::string{inside.substr(dash + 2)};
    }
    if (!found) return std::unexpected{name + " is not set: set it, or write ${" + name + ":-default}"};
    return *found;
}

} // namespace

std::expected<std::string, std::string> expand(std::string_view text, const Environment& environment)
{
    std::string result;
    while (!text.empty()) {
        const std::size_t dollar = std::min(text.find('$'), text.size());
        result += text.substr(0, dollar);
        text.remove_prefix(dollar);
        if (text.starts_with("${")) {
            const std::size_t end = text.find('}');
            if (end == std::string_view::npos) return std::unexpected{std::string{"'${' has no '}'"}};
            const auto value = look_up(text.substr(2, end - 2), environment);
            if (!value) return value;
            result += *value;
            text.remove_prefix(end + 1);
        } else if (!text.empty()) {
            result += '$';
            text.remove_prefix(text.starts_with("$$") ? 2 : 1);
        }
    }
    return result;
}

void expand_all(Node& node, const Environment& environment, Mistakes& mistakes)
{
    for (Node& item : node.items)
        expand_all(item, environment, mistakes);
    if (node.form != Node::Form::scalar) return;
    auto expanded = expand(node.text, environment);
    if (expanded) {
        node.text = std::move(*expanded);
    } else {
        mistakes.report(node.at, expanded.error());
        node.form = Node::Form::invalid;
    }
}

std::string escape(std::string_view text)
{
    std::string escaped;
    for (const char c : text) {
        escaped += c;
        if (c == '$') escaped += c;
    }
    return escaped;
}

} // namespace sallyport::config
