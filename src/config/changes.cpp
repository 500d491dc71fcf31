#include "sallyport/config/changes.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "row.hpp"
#include "schema.hpp"

namespace sallyport::config {

namespace {

/// Keys and values, in order.
using Flat = std::vector<std::pair<std::string, std::string>>;

bool has_mappings(const Node& list)
{
    return std::ranges::any_of(list.items, [](const Node& item) { return item.form == Node::Form::mapping; });
}

/// Of a list of single values.
std::string text_of(const Node& list)
{
    std::string text;
    for (const Node& item : list.items)
        text += (text.empty() ? "" : ", ") + item.text;
    return "[" + text + "]";
}

void flatten(const Node& node, const std::string& key, Flat& into)
{
    if (node.form == Node::Form::mapping) {
        for (std::size_t i = 0; i < node.items.size(); ++i)
            flatten(node.items[i], key.empty() ? node.keys[i].text : key + "." + node.keys[i].text, into);
    } else if (node.form == Node::Form::list && has_mappings(node)) {
        for (std::size_t i = 0; i < node.items.size(); ++i)
            flatten(node.items[i], key + "[" + std::to_string(i) + "]", into);
    } else {
        into.emplace_back(key, node.form == Node::Form::list ? text_of(node) : node.text);
    }
}

Flat flat(const Config& config)
{
    Flat all;
    flatten(write_mapping(schema(), config), {}, all);
    return all;
}

std::optional<std::string> value_in(const Flat& all, const std::string& key)
{
    const auto found = std::ranges::find(all, key, &Flat::value_type::first);
    return found == all.end() ? std::nullopt : std::optional{found->second};
}

bool may_be_secret(std::string_view key)
{
    return key.find("headers.request.") != key.npos || key.find("headers.response.") != key.npos;
}

void note(const std::string& key, std::string from, std::string to, std::vector<Change>& found)
{
    for (std::string* value : {&from, &to})
        if (may_be_secret(key) && !value->empty()) *value = "(not shown)";
    found.push_back({key, std::move(from), std::move(to)});
}

} // namespace

std::vector<Change> changes(const Config& from, const Config& to)
{
    const Flat before = flat(from);
    const Flat after = flat(to);
    std::vector<Change> found;
    for (const auto& [key, value] : before) {
        const auto now = value_in(after, key);
        if (now != value) note(key, value, now.value_or(""), found);
    }
    for (const auto& [key, value] : after)
        if (!value_in(before, key)) note(key, "", value, found);
    return found;
}

} // namespace sallyport::config
