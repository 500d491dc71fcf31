#include "lists.hpp"

namespace sallyport::config {

Node array_schema(Node items, std::size_t items_max)
{
    Node schema = mapping_node();
    schema.put("type", string_node("array"));
    schema.put("items", std::move(items));
    schema.put("maxItems", plain_node(std::to_string(items_max)));
    return schema;
}

Node any_of(std::vector<Node> schemas)
{
    Node schema = mapping_node();
    schema.put("anyOf", list_node(std::move(schemas)));
    return schema;
}

bool is_within(std::size_t items_max, const Node& list, std::string_view key, Mistakes& mistakes)
{
    if (list.items.size() <= items_max) return true;
    mistakes.report(list.at, quote(key) + " has " + std::to_string(list.items.size()) + " items: at most " +
                                 std::to_string(items_max) + " are possible");
    return false;
}

std::optional<Texts::Value> Texts::read(const Node& node, std::string_view key, Mistakes& mistakes) const
{
    if (!is_of_form(Node::Form::list, node, key, "a list", mistakes)) return std::nullopt;
    if (!is_within(items_max, node, key, mistakes)) return std::nullopt;
    Value texts;
    for (const Node& one : node.items)
        if (auto text = read_text(item, one, key, mistakes)) texts.push_back(std::move(*text));
    return texts;
}

Node Texts::write(const Value& texts) const
{
    Node list = list_node();
    for (const std::string& text : texts)
        list.items.push_back(item.write(text));
    return list;
}

Node Texts::schema() const
{
    return array_schema(item.schema(), items_max);
}

std::optional<SelfSigned::Value> SelfSigned::read(const Node& node, std::string_view key, Mistakes& mistakes) const
{
    if (node.form == Node::Form::scalar && node.text == "true") return Value{"localhost"};
    if (node.form == Node::Form::scalar && node.text == "false") return Value{};
    if (!is_of_form(Node::Form::list, node, key, "true or a list of names", mistakes)) return std::nullopt;
    return names.read(node, key, mistakes);
}

Node SelfSigned::schema() const
{
    return any_of({Boolean{}.schema(), names.schema()});
}

} // namespace sallyport::config
