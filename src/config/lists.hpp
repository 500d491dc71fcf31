// The kinds of values that are lists of texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds.hpp"

namespace sallyport::config {

[[nodiscard]] Node array_schema(Node items, std::size_t items_max);

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

/// `true` for ["localhost"], `false` for none, or a list of names.
struct SelfSigned {
    using Value = std::vector<std::string>;
    Texts names;

    std::optional<Value> read(const Node& node, std::string_view key, Mistakes& mistakes) const;
    Node write(const Value& value) const { return names.write(value); }
    Node schema() const;
};

} // namespace sallyport::config
