// The kinds of values that are lists of texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds.hpp"

namespace sallyport::config {

[[nodiscard]] Node array_schema(Node items, std::size_t items_max);
[[nodiscard]] Node any_of(std::vector<Node> schemas);

/// Whether a list has at most so many items; if not, it is reported.
[[nodiscard]] bool is_within(std::size_t items_max, const Node& list, std::string_view key, Mistakes& mistakes);

struct Texts {
    using Value = std::vector<std::string>;
    Text item;
    std::size_t items_max;

    std::optional<Value> read(const Node& node, std::string_view key, Mistakes& mistakes) const;
    Node write(const Value& texts) const;
    Node schema() const;
};

/// A list of values of one kind.
template <typename Kind>
struct ListOf {
    using Value = std::vector<typename Kind::Value>;
    Kind item{};
    std::size_t items_max;

    std::optional<Value> read(const Node& node, std::string_view key, Mistakes& mistakes) const
    {
        if (!is_of_form(Node::Form::list, node, key, "a list", mistakes)) return std::nullopt;
        if (!is_within(items_max, node, key, mistakes)) return std::nullopt;
        Value values;
        for (const Node& one : node.items)
            if (auto value = read_text(item, one, key, mistakes)) values.push_back(std::move(*value));
        return values;
    }
    Node write(const Value& values) const
    {
        Node list = list_node();
        for (const auto& value : values)
            list.items.push_back(item.write(value));
        return list;
    }
    Node schema() const { return array_schema(item.schema(), items_max); }
};

/// A list, or one value without its brackets.
template <typename Kind>
struct OneOrMore {
    using Value = std::vector<typename Kind::Value>;
    ListOf<Kind> list;

    std::optional<Value> read(const Node& node, std::string_view key, Mistakes& mistakes) const
    {
        if (node.form != Node::Form::scalar) return list.read(node, key, mistakes);
        auto value = read_text(list.item, node, key, mistakes);
        return value ? std::optional{Value{std::move(*value)}} : std::nullopt;
    }
    Node write(const Value& values) const { return list.write(values); }
    Node schema() const { return any_of({list.item.schema(), list.schema()}); }
};

/// `true` for ["localhost"], `false` for none, or a list of names.
struct SelfSigned {
    using Value = std::vector<std::string>;
    Texts names;

    std::optional<Value> read(const Node& node, std::string_view key, Mistakes& mistakes) const;
    Node write(const Value& value) const { return names.write(value); }
    Node schema() const;
};

} // namespace sallyport::config
