#include "json.hpp"

#include <algorithm>
#include <array>

namespace sallyport::config {

namespace {

bool is_number(std::string_view text)
{
    return !text.empty() && (text == "0" || text.front() != '0') &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string escaped(char c)
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (c == '"' || c == '\\') return {'\\', c};
    const auto value = static_cast<unsigned char>(c);
    if (value >= ' ') return {c};
    return std::string{"\\u00"} + kDigits[value >> 4] + kDigits[value & 15];
}

std::string string(std::string_view text)
{
    std::string json = "\"";
    for (const char c : text)
        json += escaped(c);
    return json + "\"";
}

bool is_short(const Node& node)
{
    constexpr std::size_t kShortMost = 3;
    return node.items.size() <= kShortMost &&
           std::ranges::all_of(node.items, [](const Node& item) { return item.form == Node::Form::scalar; });
}

std::string value(const Node& node, std::size_t depth);

std::string members(const Node& node, std::size_t depth)
{
    const bool is_mapping = node.form == Node::Form::mapping;
    const bool on_one_line = !is_mapping && is_short(node);
    const std::string gap = on_one_line ? std::string{} : "\n" + std::string((depth + 1) * 2, ' ');
    std::string json;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) json += on_one_line ? ", " : ",";
        json += gap;
        if (is_mapping) json += string(node.keys[i].text) + ": ";
        json += value(node.items[i], depth + 1);
    }
    return node.items.empty() || on_one_line ? json : json + "\n" + std::string(depth * 2, ' ');
}

std::string value(const Node& node, std::size_t depth)
{
    switch (node.form) {
    case Node::Form::list:
        return "[" + members(node, depth) + "]";
    case Node::Form::mapping:
        return "{" + members(node, depth) + "}";
    case Node::Form::scalar:
        if (!node.quoted && (node.text == "true" || node.text == "false" || is_number(node.text))) return node.text;
        return string(node.text);
    default:
        return "null";
    }
}

} // namespace

std::string write_json(const Node& node)
{
    return value(node, 0) + "\n";
}

} // namespace sallyport::config
