#include "row.hpp"

#include <algorithm>

namespace sallyport::config {

namespace {

constexpr std::size_t kNameMost = 63;

void report_unknown(const Node& key, const std::vector<std::string_view>& known, Mistakes& mistakes)
{
    const std::string meant = suggestion(key.text, known);
    mistakes.report(key.at,
                    "unknown key " + quote(key.text) + (meant.empty() ? ": the keys here are " + join(known) : meant));
}

/// The schema of the value with its help and default.
Node described(const Key& key)
{
    Node schema = mapping_node();
    schema.put("description", string_node(std::string{key.help} + "."));
    const Node value = key.schema();
    for (std::size_t i = 0; i < value.items.size(); ++i)
        schema.put(value.keys[i].text, value.items[i]);
    if (key.fallback) schema.put("default", *key.fallback);
    return schema;
}

bool is_name(std::string_view text)
{
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto is_fit = [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    return !text.empty() && text.size() <= kNameMost && is_letter(text.front()) && std::ranges::all_of(text, is_fit);
}

} // namespace

bool check_keys(const Node& node, std::string_view name, const std::vector<std::string_view>& keys, Mistakes& mistakes)
{
    if (node.form == Node::Form::null) return true;
    if (!is_of_form(Node::Form::mapping, node, name, "a mapping with the keys " + join(keys), mistakes)) return false;
    for (const Node& key : node.keys)
        if (std::ranges::find(keys, key.text) == keys.end()) report_unknown(key, keys, mistakes);
    return true;
}

void report_missing(const Node& node, const Key& key, Mistakes& mistakes)
{
    mistakes.report(node.at, quote(key.name) + " is missing: " + std::string{key.help});
}

bool check_name(const Node& name, Mistakes& mistakes)
{
    if (is_name(name.text) && !is_yaml_word(name.text)) return true;
    mistakes.report(name.at, quote(name.text) + " is not a name: start with a letter, go on with letters, digits, '-', "
                                                "'_' and '.', and take no word that YAML reads as a boolean");
    return false;
}

Node mapping_schema(const std::vector<Key>& keys)
{
    Node properties = mapping_node();
    Node required = list_node();
    for (const Key& key : keys) {
        properties.put(key.name, described(key));
        if (key.presence == Presence::required) required.items.push_back(string_node(key.name));
    }
    Node schema = mapping_node();
    // A mapping whose keys all have defaults may be empty, which YAML reads as null.
    schema.put("type", required.items.empty() ? list_node({string_node("object"), string_node("null")})
                                              : string_node("object"));
    schema.put("additionalProperties", plain_node("false"));
    schema.put("properties", std::move(properties));
    if (!required.items.empty()) schema.put("required", std::move(required));
    return schema;
}

Node named_schema(const std::vector<Key>& keys, std::size_t entries_max)
{
    Node name = mapping_node();
    name.put("pattern", string_node("^[A-Za-z][A-Za-z0-9._-]*$"));
    name.put("maxLength", plain_node(std::to_string(kNameMost)));
    Node schema = mapping_node();
    schema.put("type", string_node("object"));
    schema.put("propertyNames", std::move(name));
    schema.put("maxProperties", plain_node(std::to_string(entries_max)));
    schema.put("additionalProperties", mapping_schema(keys));
    return schema;
}

} // namespace sallyport::config
