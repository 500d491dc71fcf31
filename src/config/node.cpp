#include "node.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace sallyport::config {

namespace {

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_safe_unquoted(std::string_view text)
{
    const auto is_safe = [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || std::string_view{"/._-"}.find(c) != std::string_view::npos;
    };
    if (text.empty() || !(is_letter(text.front()) || text.front() == '/')) return false;
    return std::ranges::all_of(text, is_safe) && !is_yaml_word(text);
}

std::string in_lower_case(std::string_view text)
{
    std::string lower{text};
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

/// The length of the UTF-8 sequence at the start of the text; 0 if there is none.
std::size_t sequence_length(std::string_view text)
{
    struct Lead {
        unsigned char mask;
        unsigned char bits;
        std::uint32_t least; ///< a smaller character has a shorter sequence
    };
    constexpr std::array<Lead, 4> kLeads{
        {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}}};
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = std::ranges::find_if(kLeads, [&](const Lead& l) { return (byte(0) & l.mask) == l.bits; });
    const auto length = static_cast<std::size_t>(lead - kLeads.begin()) + 1;
    if (lead == kLeads.end() || text.size() < length) return 0;
    std::uint32_t character = byte(0) & static_cast<unsigned char>(~lead->mask);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
        character = character << 6 | (byte(i) & 0x3fU);
    }
    const bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
    return character < lead->least || character > 0x10ffff || is_surrogate ? 0 : length;
}

std::ptrdiff_t index_of(const Node& node, std::string_view key)
{
    if (node.form != Node::Form::mapping) return -1;
    const auto found = std::ranges::find(node.keys, key, &Node::text);
    return found == node.keys.end() ? -1 : found - node.keys.begin();
}

} // namespace

const Node* Node::find(std::string_view key) const
{
    const std::ptrdiff_t index = index_of(*this, key);
    return index < 0 ? nullptr : &items[static_cast<std::size_t>(index)];
}

Node* Node::find(std::string_view key)
{
    const std::ptrdiff_t index = index_of(*this, key);
    return index < 0 ? nullptr : &items[static_cast<std::size_t>(index)];
}

Node& Node::put(std::string_view key, Node value)
{
    if (form == Form::null) form = Form::mapping;
    if (Node* existing = find(key)) return *existing = std::move(value);
    keys.push_back(string_node(key, value.at));
    items.push_back(std::move(value));
    return items.back();
}

void Node::erase(std::string_view key)
{
    const std::ptrdiff_t index = index_of(*this, key);
    if (index < 0) return;
    keys.erase(std::next(keys.begin(), index));
    items.erase(std::next(items.begin(), index));
}

const Place& place_of(const Node& mapping, std::string_view key)
{
    const Node* value = mapping.find(key);
    return value == nullptr ? mapping.at : value->at;
}

bool is_given(const Node* value)
{
    if (value == nullptr || value->form == Node::Form::null) return false;
    if (value->form == Node::Form::list) return !value->items.empty();
    return value->form != Node::Form::scalar || (!value->text.empty() && value->text != "false");
}

Node string_node(std::string_view text, const Place& at)
{
    Node node{.form = Node::Form::scalar, .at = at, .text = std::string{text}, .written = std::string{text}};
    node.quoted = !is_safe_unquoted(text);
    return node;
}

Node plain_node(std::string_view text)
{
    return {.form = Node::Form::scalar, .text = std::string{text}, .written = std::string{text}};
}

Node list_node(std::vector<Node> items)
{
    return {.form = Node::Form::list, .items = std::move(items)};
}

Node mapping_node()
{
    return {.form = Node::Form::mapping};
}

std::string_view describe(Node::Form form)
{
    constexpr std::array<std::string_view, 5> kNames{"nothing", "a single value", "a list", "a mapping", "unreadable"};
    return kNames.at(static_cast<std::size_t>(form));
}

bool is_yaml_word(std::string_view text)
{
    constexpr std::array<std::string_view, 10> kWords{"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"};
    return std::ranges::find(kWords, in_lower_case(text)) != kWords.end();
}

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

} // namespace sallyport::config
