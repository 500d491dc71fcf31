// One row of a mapping: everything that is known about a key, and how a table of rows reads and writes a value.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds.hpp"
#include "lists.hpp"
#include "mistakes.hpp"
#include "node.hpp"

namespace sallyport::config {

enum class Presence : std::uint8_t {
    defaulted, ///< left out, it has its default
    optional,  ///< left out or empty, it is not given
    required
};

/// What stands behind a key: one value, a mapping, a list of mappings, or a mapping from free names to mappings.
enum class Holds : std::uint8_t { value, mapping, list, named };

/// A row without its type: for the JSON Schema, for messages and for flags.
struct Key {
    std::string_view name;
    std::string_view help; ///< one sentence without its full stop
    Presence presence{Presence::defaulted};
    Holds holds{Holds::value};
    std::function<Node()> schema{}; ///< of the value, without help and default: made for who asks
    std::optional<Node> fallback{}; ///< the default of a `defaulted` value
    std::vector<Key> inside{};      ///< the keys of the mapping, or of each mapping inside
};

/// A row whose value is a part of a T.
template <typename T>
struct Row {
    Key key;
    std::function<void(const Node&, T&, Mistakes&)> read;
    std::function<std::optional<Node>(const T&)> write; ///< nothing: the key is left out
};

template <typename T>
using Rows = std::vector<Row<T>>;

/// A table is put together by copying rows: those inside are copied once, and the same for reading and for writing.
template <typename T>
using SharedRows = std::shared_ptr<const Rows<T>>;

template <typename T>
SharedRows<T> share(Rows<T> rows)
{
    return std::make_shared<const Rows<T>>(std::move(rows));
}

/// The first half of reading a mapping: its form and its unknown keys. False if it is no mapping.
[[nodiscard]] bool check_keys(const Node& node, std::string_view name, const std::vector<std::string_view>& keys,
                              Mistakes& mistakes);
void report_missing(const Node& node, const Key& key, Mistakes& mistakes);
/// Whether a name that the user chose is a word that no reader of YAML takes for something else.
[[nodiscard]] bool check_name(const Node& name, Mistakes& mistakes);

[[nodiscard]] Node mapping_schema(const std::vector<Key>& keys);
[[nodiscard]] Node named_schema(const std::vector<Key>& keys, std::size_t entries_max);

template <typename T>
std::vector<Key> keys_of(const Rows<T>& rows)
{
    std::vector<Key> keys;
    for (const Row<T>& row : rows)
        keys.push_back(row.key);
    return keys;
}

template <typename T>
std::vector<std::string_view> names_of(const Rows<T>& rows)
{
    std::vector<std::string_view> names;
    for (const Row<T>& row : rows)
        names.push_back(row.key.name);
    return names;
}

/// Reads the keys in the order of the rows. What is wrong is reported and keeps its default.
template <typename T>
void read_mapping(const Node& node, std::string_view name, const Rows<T>& rows, T& into, Mistakes& mistakes)
{
    if (!check_keys(node, name, names_of(rows), mistakes)) return;
    for (const Row<T>& row : rows) {
        const Node* value = node.find(row.key.name);
        const bool is_left_out = value != nullptr && row.key.presence == Presence::optional &&
                                 value->form == Node::Form::scalar && value->text.empty();
        if (value != nullptr && !is_left_out)
            row.read(*value, into, mistakes);
        else if (row.key.presence == Presence::required)
            report_missing(node, row.key, mistakes);
    }
}

template <typename T>
Node write_mapping(const Rows<T>& rows, const T& from)
{
    Node node = mapping_node();
    for (const Row<T>& row : rows)
        if (auto value = row.write(from)) node.put(row.key.name, std::move(*value));
    return node;
}

template <typename Kind>
std::optional<typename Kind::Value> read_value(const Kind& kind, const Node& node, std::string_view key,
                                               Mistakes& mistakes)
{
    if constexpr (requires { kind.read(node, key, mistakes); })
        return kind.read(node, key, mistakes);
    else
        return read_text(kind, node, key, mistakes);
}

/// A row of one value. `access` is a pointer to a member, or a function from T& to a part of it.
template <typename T, typename Access, typename Kind>
Row<T> value(std::string_view name, Access access, const Kind& kind, std::string_view help,
             Presence presence = Presence::defaulted)
{
    Row<T> row;
    row.key = {.name = name, .help = help, .presence = presence, .schema = [=] { return kind.schema(); }};
    row.read = [=](const Node& node, T& into, Mistakes& mistakes) {
        if (auto read = read_value(kind, node, name, mistakes)) std::invoke(access, into) = std::move(*read);
    };
    row.write = [=](const T& from) -> std::optional<Node> {
        const auto& part = std::invoke(access, from);
        if (presence == Presence::optional && part == typename Kind::Value{}) return std::nullopt;
        return kind.write(part);
    };
    if (presence == Presence::defaulted) row.key.fallback = row.write(T{});
    return row;
}

/// A row of a mapping; left out or empty, it has its defaults.
template <typename T, typename Part>
Row<T> mapping(std::string_view name, Part T::* access, Rows<Part> inside, std::string_view help,
               Presence presence = Presence::defaulted)
{
    const SharedRows<Part> rows = share(std::move(inside));
    const auto schema = [=] { return mapping_schema(keys_of(*rows)); };
    return {.key = {name, help, presence, Holds::mapping, schema, {}, keys_of(*rows)},
            .read = [=](const Node& node, T& into,
                        Mistakes& mistakes) { read_mapping(node, name, *rows, into.*access, mistakes); },
            .write = [=](const T& from) { return std::optional{write_mapping(*rows, from.*access)}; }};
}

/// A row of a list of mappings. An item with mistakes is still an item: positions in the list and the value are equal.
template <typename T, typename Item>
Row<T> list(std::string_view name, std::vector<Item> T::* access, Rows<Item> inside, std::size_t items_max,
            std::string_view help)
{
    const SharedRows<Item> rows = share(std::move(inside));
    const auto schema = [=] { return array_schema(mapping_schema(keys_of(*rows)), items_max); };
    Row<T> row;
    row.key = {name, help, Presence::optional, Holds::list, schema, {}, keys_of(*rows)};
    row.read = [=](const Node& node, T& into, Mistakes& mistakes) {
        if (!is_of_form(Node::Form::list, node, name, "a list", mistakes)) return;
        if (!is_within(items_max, node, name, mistakes)) return;
        for (const Node& item : node.items)
            read_mapping(item, name, *rows, (into.*access).emplace_back(), mistakes);
    };
    row.write = [=](const T& from) -> std::optional<Node> {
        if ((from.*access).empty()) return std::nullopt;
        Node written = list_node();
        for (const Item& item : from.*access)
            written.items.push_back(write_mapping(*rows, item));
        return written;
    };
    return row;
}

/// A row of a mapping from names to mappings.
template <typename T, typename Item>
Row<T> named(std::string_view name, std::map<std::string, Item> T::* access, Rows<Item> inside, std::size_t entries_max,
             std::string_view help)
{
    const SharedRows<Item> rows = share(std::move(inside));
    const auto schema = [=] { return named_schema(keys_of(*rows), entries_max); };
    Row<T> row;
    row.key = {name, help, Presence::optional, Holds::named, schema, {}, keys_of(*rows)};
    row.read = [=](const Node& node, T& into, Mistakes& mistakes) {
        if (!is_of_form(Node::Form::mapping, node, name, "a mapping from names", mistakes)) return;
        if (!is_within(entries_max, node, name, mistakes)) return;
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            if (!check_name(node.keys[i], mistakes)) continue;
            read_mapping(node.items[i], node.keys[i].text, *rows, (into.*access)[node.keys[i].text], mistakes);
        }
    };
    row.write = [=](const T& from) -> std::optional<Node> {
        Node written = mapping_node();
        for (const auto& [key, item] : from.*access)
            written.put(key, write_mapping(*rows, item));
        return written;
    };
    return row;
}

/// The same row, written only if `condition` holds for the whole.
template <typename T>
Row<T> written_if(std::function<bool(const T&)> condition, Row<T> row)
{
    row.write = [condition = std::move(condition), write = row.write](const T& from) {
        return condition(from) ? write(from) : std::nullopt;
    };
    return row;
}

} // namespace sallyport::config
