// A configuration as a tree of texts with their places, before anything is known about its meaning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// Where a text was written. Line 0: the source has no lines (a flag, a variable).
struct Place {
    std::string source;
    int line{0};
    int column{0};
};

struct Node {
    /// `invalid`: a mistake in it was reported already; readers pass over it in silence.
    enum class Form : std::uint8_t { null, scalar, list, mapping, invalid };

    Form form{Form::null};
    Place at{};
    std::string text{};        ///< of a scalar; `${VAR}` is expanded
    std::string written{};     ///< of a scalar, as it stands in its source: the one that messages may show
    bool quoted{false};        ///< of a scalar: a string, even if it looks like a number or a boolean
    std::vector<Node> keys{};  ///< of a mapping: scalars, one for each of `items`
    std::vector<Node> items{}; ///< of a list or a mapping

    /// The value of a key of a mapping; nullptr if there is none, or if this is no mapping.
    [[nodiscard]] const Node* find(std::string_view key) const;
    [[nodiscard]] Node* find(std::string_view key);

    /// Adds the key or replaces its value; a null becomes a mapping. Returns the value, valid until the next `put`.
    Node& put(std::string_view key, Node value);
    void erase(std::string_view key);
};

/// The place of a key's value, or of the mapping if the key is left out.
[[nodiscard]] const Place& place_of(const Node& mapping, std::string_view key);

/// Whether a key says anything: an empty list, an empty text and `false` do not.
[[nodiscard]] bool is_given(const Node* value);

/// A scalar that is a string; it is marked as quoted where it would not read back as one.
[[nodiscard]] Node string_node(std::string_view text, const Place& at = {});
/// A scalar that is a number, a boolean or a word that needs no quotes.
[[nodiscard]] Node plain_node(std::string_view text);
[[nodiscard]] Node list_node(std::vector<Node> items = {});
[[nodiscard]] Node mapping_node();

/// "a list"
[[nodiscard]] std::string_view describe(Node::Form form);

/// What YAML 1.1 reads as a boolean or a null when it stands without quotes.
[[nodiscard]] bool is_yaml_word(std::string_view text);

/// Whether the bytes are well-formed UTF-8 (RFC 3629): only such a text can be printed as YAML and read back.
[[nodiscard]] bool is_utf8(std::string_view text);

} // namespace sallyport::config
